//! What an operator puts in place: organizations, members, profiles, people and logins. Nothing that is there already is
//! changed, so that loading twice is loading once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use serde::Deserialize;

use super::{
    Ledger,
    error::store_error,
    keys,
    rows::{ContactRow, LoginRow, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{
        id::{OrgId, UserId},
        organization::{AgentProfile, Member, Organization},
        person::Person,
        scope::OrgScope,
    },
    ports::StoreError,
};

/// A set of records to put in place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provision {
    #[serde(default)]
    pub organizations: Vec<Organization>,
    #[serde(default)]
    pub members: Vec<Member>,
    #[serde(default)]
    pub profiles: Vec<AgentProfile>,
    #[serde(default)]
    pub people: Vec<Person>,
}

/// How many records were new, and how many were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Provisioned {
    pub created: usize,
    pub present: usize,
}

impl Ledger {
    /// # Errors
    /// When the store does not answer. What was put in place before stays.
    pub async fn provision(&self, records: &Provision) -> Result<Provisioned, StoreError> {
        let mut done = Provisioned::default();
        let mut count = |created: bool| if created { done.created += 1 } else { done.present += 1 };
        for organization in &records.organizations {
            let scope = OrgScope::from_operator(organization.id.clone());
            count(self.create(to_item(organization, &keys::organization(&scope))?).await?);
        }
        for member in &records.members {
            let scope = OrgScope::from_operator(member.organization_id.clone());
            count(self.create(to_item(member, &keys::member(&scope, &member.user_id))?).await?);
        }
        for profile in &records.profiles {
            count(self.create(to_item(profile, &keys::slug(&profile.slug))?).await?);
        }
        for person in &records.people {
            count(self.create_person(person).await?);
        }
        Ok(done)
    }

    /// Lets a subject of the identity provider sign in as a member. A subject that is linked already is linked anew.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn link_login(&self, subject: &str, organization: &OrgId, user: &UserId) -> Result<(), StoreError> {
        let row = LoginRow { organization_id: organization.clone(), user_id: user.clone() };
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(&row, &keys::login(subject))?))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| store_error("linking a login", &error))
    }

    async fn create_person(&self, person: &Person) -> Result<bool, StoreError> {
        let scope = OrgScope::from_operator(person.organization_id.clone());
        let mut transaction = Transaction::default();
        transaction.create((), &self.table, to_item(person, &keys::person_row(&scope, person))?)?;
        for key in person.contact_keys() {
            let row = ContactRow { person_id: person.id.clone() };
            transaction.create((), &self.table, to_item(&row, &keys::contact(&scope, &key))?)?;
        }
        Ok(matches!(transaction.commit(&self.client).await?, Committed::Done))
    }

    async fn create(&self, item: Attributes) -> Result<bool, StoreError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", keys::PK)
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(store_error("putting a record in place", &error)),
        }
    }
}
