//! Profiles and the slugs that lead to them. A slug's row is never deleted and never changes hands.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, keys,
    rows::to_item,
    transaction::{Committed, Refusal, Transaction},
};
use crate::{
    domain::{id::UserId, profile::AgentProfile, scope::OrgScope},
    ports::{ProfileBook, ProfileWriteOutcome, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Profile,
    Slug,
}

/// Adds the row of the profile's present slug, which has to be free or this agent's.
pub(super) fn put_slug(
    transaction: &mut Transaction<Part>,
    table: &str,
    profile: &AgentProfile,
) -> Result<(), StoreError> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    transaction.put(
        Part::Slug,
        table,
        to_item(&profile.slug_record(), &keys::slug(&profile.slug))?,
        "attribute_not_exists(pk) OR (organizationId = :organization AND agentUserId = :agent)",
        [(":organization", text(profile.organization_id.as_str())), (":agent", text(profile.agent_user_id.as_str()))],
    )
}

pub(super) fn has(refusals: &[Refusal<Part>], part: Part) -> bool {
    refusals.iter().any(|refusal| refusal.name == part)
}

impl ProfileBook for Ledger {
    async fn find_profile(&self, scope: &OrgScope, agent: &UserId) -> Result<Option<AgentProfile>, StoreError> {
        self.get("reading a profile", &keys::profile(scope, agent)).await
    }

    async fn write_profile(&self, scope: &OrgScope, profile: &AgentProfile) -> Result<ProfileWriteOutcome, StoreError> {
        let mut transaction = Transaction::default();
        let item = to_item(profile, &keys::profile(scope, &profile.agent_user_id))?;
        if profile.version == 1 {
            transaction.create(Part::Profile, &self.table, item)?;
        } else {
            self.replace(&mut transaction, Part::Profile, item, profile.version)?;
        }
        put_slug(&mut transaction, &self.table, profile)?;
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => ProfileWriteOutcome::Written,
            Committed::Refused(refusals) if has(&refusals, Part::Profile) => ProfileWriteOutcome::Stale,
            Committed::Refused(_) => ProfileWriteOutcome::SlugTaken,
        })
    }
}
