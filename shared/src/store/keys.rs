//! Every table key and index key of the system, and nowhere else. DATA_MODEL lists them with their access patterns.
//!
//! Every key starts with the organization. The exceptions are the slug directory, the login directory, what the clock goes
//! through, the outbox and the rate limit: they are what an organization is found by, or hold no data of one.

mod answers;
mod attribution;
mod contacts;
mod imports;
mod listing;
mod outbox;
mod people;
mod referrals;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        id::{DealId, EventId, ReferralId, UserId},
        organization::Slug,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::Counted,
};
pub use answers::{ANSWER, remembered_answer, remembered_under, shown_answer};
pub use attribution::{ATTRIBUTION, attribution, attribution_cell};
pub use contacts::{contact, suppression};
pub use imports::{REPORT, import, import_chunk, import_partition, import_report, origin};
pub use listing::{BY_AGENT, BY_KEY, BY_LIST, BY_REWARD, BY_STATUS, Index, Listing, position};
pub use outbox::{OUTBOX_SHARDS, PENDING, POISON, events_before, pending_event, pending_shard, poison_event};
pub use people::{
    CONSENT, DEAL_OF, FORMER, LEAD_OF, PERSON, REFERRED, consent, former_link, lead_link, link, people, person,
    person_deal, person_partition, person_row, referrals_by, referred_link,
};
pub use referrals::{
    AUDIT, MESSAGE, REFERRAL, audit, message, pair_guard, referral, referral_partition, referral_row, referrals,
    referrals_in, referrals_of, rewards_in,
};

pub const PK: &str = "pk";
pub const SK: &str = "sk";
pub const LIST_PK: &str = "listPk";
pub const LIST_SK: &str = "listSk";
pub const STATUS_SK: &str = "statusSk";
pub const AGENT_PK: &str = "agentPk";
pub const REWARD_PK: &str = "rewardPk";
pub const REWARD_SK: &str = "rewardSk";
/// Index over (`listPk`, `listSk`): all referrals, or all people, of an organization, newest first.
pub const LIST_INDEX: &str = "list";
/// Index over (`listPk`, `statusSk`): referrals of one status, newest first.
pub const STATUS_INDEX: &str = "status";
/// Index over (`agentPk`, `listSk`): referrals of one agent, newest first.
pub const AGENT_INDEX: &str = "agent";
/// Sparse index over (`rewardPk`, `rewardSk`): referrals whose reward waits for somebody, oldest first.
pub const REWARD_INDEX: &str = "reward";

/// Sort key of an organization's row.
pub const ORGANIZATION: &str = "ORGANIZATION";
/// Partition of the list of all organizations.
pub const ORGANIZATIONS: &str = "ORGANIZATIONS";
/// Prefix of the members of an organization.
pub const MEMBER: &str = "MEMBER#";
/// Partition of the rewards that wait for the clock.
pub const DUE_HOLDS: &str = "DUE_HOLDS";

/// The attributes that place an item in its table and its indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Vec<(&'static str, String)>);

impl Keys {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self(vec![(PK, pk), (SK, sk.into())])
    }

    fn and(mut self, attribute: &'static str, value: String) -> Self {
        self.0.push((attribute, value));
        self
    }

    /// The partition of the table.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.0.iter().find(|(name, _)| *name == PK).map_or("", |(_, value)| value)
    }

    /// Table key only, for reads, updates and deletes.
    pub fn primary(&self) -> impl Iterator<Item = (&'static str, AttributeValue)> + '_ {
        self.all().filter(|(name, _)| *name == PK || *name == SK)
    }

    /// All keys, for a row that is written whole.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, AttributeValue)> + '_ {
        self.0.iter().map(|(name, value)| (*name, AttributeValue::S(value.clone())))
    }
}

fn org(scope: &OrgScope) -> String {
    format!("ORG#{}", scope.organization())
}

/// Partition of an organization: itself, its members and what they have set up.
#[must_use]
pub fn organization_partition(scope: &OrgScope) -> String {
    org(scope)
}

#[must_use]
pub fn organization(scope: &OrgScope) -> Keys {
    Keys::new(organization_partition(scope), ORGANIZATION)
}

/// With its place in the list of all organizations. Exception: the list is of all of them, and shows ids only to who may
/// read each.
#[must_use]
pub fn organization_row(scope: &OrgScope) -> Keys {
    let id = scope.organization().as_str().to_owned();
    organization(scope).and(LIST_PK, ORGANIZATIONS.to_owned()).and(LIST_SK, id)
}

#[must_use]
pub fn member(scope: &OrgScope, user: &UserId) -> Keys {
    Keys::new(organization_partition(scope), format!("{MEMBER}{user}"))
}

/// A member's published profile.
#[must_use]
pub fn profile(scope: &OrgScope, agent: &UserId) -> Keys {
    Keys::new(org(scope), format!("PROFILE#{agent}"))
}

/// Exception: the directory by which an organization is found from a slug.
#[must_use]
pub fn slug(slug: &Slug) -> Keys {
    Keys::new(format!("SLUG#{slug}"), "SLUG")
}

/// Exception: the directory by which a member is found from the identity provider's subject.
#[must_use]
pub fn login(subject: &str) -> Keys {
    Keys::new(format!("LOGIN#{subject}"), "LOGIN")
}

/// A deal, matched or not.
#[must_use]
pub fn deal(scope: &OrgScope, deal: &DealId) -> Keys {
    Keys::new(format!("{}#DEAL#{deal}", org(scope)), "DEAL")
}

#[must_use]
pub fn reward_policy(scope: &OrgScope) -> Keys {
    Keys::new(org(scope), "REWARD_POLICY")
}

/// Exception: rewards of all organizations that wait for the clock, in the order in which their time comes.
#[must_use]
pub fn due_hold(until: Timestamp, scope: &OrgScope, referral: &ReferralId) -> Keys {
    Keys::new(DUE_HOLDS.to_owned(), format!("{until}#{}#{referral}", scope.organization()))
}

/// Sort key that every reward due at `now` or before stands before.
#[must_use]
pub fn due_until(now: Timestamp) -> String {
    // `$` stands right after the `#` that ends a time.
    format!("{now}$")
}

/// Where the rewards that wait for the clock go on.
#[must_use]
pub fn due_hold_after(sort_key: &str) -> Keys {
    Keys::new(DUE_HOLDS.to_owned(), sort_key)
}

/// What a consumer has applied.
#[must_use]
pub fn inbox(scope: &OrgScope, consumer: &str, event: &EventId) -> Keys {
    Keys::new(format!("{}#INBOX#{consumer}#{event}", org(scope)), "INBOX")
}

/// Exception, in a table of its own: one long window of whoever is counted.
#[must_use]
pub fn rate_limit(counted: Counted<'_>, window_start: i64) -> Keys {
    let partition = match counted {
        Counted::Network(hash) => format!("NETWORK#{hash}"),
        Counted::Slug(slug) => format!("SLUG#{slug}"),
    };
    Keys::new(partition, window_start.to_string())
}
