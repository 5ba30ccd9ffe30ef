//! Slugs, logins, members and organizations: who somebody is.

use aws_sdk_dynamodb::Client;
use serde::de::DeserializeOwned;

use super::{
    batch::get_all,
    get, keys,
    rows::{LoginRow, from_item},
};
use crate::{
    domain::{
        id::{OrgId, UserId},
        organization::{Member, Organization, PublishedProfile, Slug},
        profile::{AgentProfile, SlugRecord},
        scope::OrgScope,
    },
    ports::{Account, AccountDirectory, LoginDirectory, MemberDirectory, ProfileDirectory, StoreError},
};

/// Who somebody is: the rows that an operator puts in place. In the ledger's table.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(super) client: Client,
    pub(super) table: String,
}

impl Directory {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    async fn get<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        keys: &keys::Keys,
    ) -> Result<Option<R>, StoreError> {
        get(&self.client, &self.table, operation, keys).await
    }

    /// The organization and another row of its own, in one read. None unless both are there.
    async fn with_organization<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        scope: &OrgScope,
        keys: keys::Keys,
    ) -> Result<Option<(Organization, R)>, StoreError> {
        let (mut organization, mut other) = (None, None);
        for item in get_all(&self.client, &self.table, operation, &[keys::organization(scope), keys]).await? {
            let is_organization =
                item.get(keys::SK).and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == keys::ORGANIZATION);
            if is_organization {
                organization = Some(from_item(operation, item)?);
            } else {
                other = Some(from_item(operation, item)?);
            }
        }
        Ok(organization.zip(other))
    }
}

impl ProfileDirectory for Directory {
    async fn find_open_profile(&self, slug: &Slug) -> Result<Option<PublishedProfile>, StoreError> {
        let record: Option<SlugRecord> = self.get("reading a slug", &keys::slug(slug)).await?;
        let Some(record) = record else { return Ok(None) };
        // The record of the slug vouches for its organization.
        let scope = OrgScope::from_slug_record(&record);
        let keys = keys::profile(&scope, &record.agent_user_id);
        let found: Option<(Organization, AgentProfile)> =
            self.with_organization("reading a profile", &scope, keys).await?;
        Ok(found.and_then(|(organization, profile)| profile.open_for_referrals(&organization)))
    }
}

impl LoginDirectory for Directory {
    async fn find_login(&self, subject: &str) -> Result<Option<(OrgId, UserId)>, StoreError> {
        let login: Option<LoginRow> = self.get("reading a login", &keys::login(subject)).await?;
        Ok(login.map(|login| (login.organization_id, login.user_id)))
    }
}

impl AccountDirectory for Directory {
    async fn find_account(&self, scope: &OrgScope, user: &UserId) -> Result<Option<Account>, StoreError> {
        let found = self.with_organization("reading an account", scope, keys::member(scope, user)).await?;
        Ok(found.map(|(organization, member)| Account { organization, member }))
    }
}

impl MemberDirectory for Directory {
    async fn find_member(&self, scope: &OrgScope, user: &UserId) -> Result<Option<Member>, StoreError> {
        self.get("reading a member", &keys::member(scope, user)).await
    }

    async fn find_organization(&self, scope: &OrgScope) -> Result<Option<Organization>, StoreError> {
        self.get("reading an organization", &keys::organization(scope)).await
    }
}
