//! Every table key and index key of the system, and nowhere else. DATA_MODEL lists them with their access patterns.
//!
//! Every key starts with the organization. The exceptions are the slug directory, the login directory, what the clock goes
//! through, the outbox and the rate limit: they are what an organization is found by, or hold no data of one.

mod answers;
mod attribution;
mod contacts;
mod imports;
mod listing;

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        audit::AuditEntry,
        consent::ConsentEntry,
        duplicate::PairKey,
        id::{DealId, EventId, PersonId, ReferralId, UserId},
        message::MessageId,
        organization::Slug,
        person::Person,
        referral::{Referral, ReferralStatus},
        reward_lane::RewardLane,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Counted, Link},
};
pub use answers::{ANSWER, remembered_answer, remembered_under, shown_answer};
pub use attribution::{ATTRIBUTION, attribution, attribution_cell};
pub use contacts::{contact, suppression};
pub use imports::{REPORT, import, import_chunk, import_partition, import_report, origin};
use listing::place;
pub use listing::{BY_AGENT, BY_KEY, BY_LIST, BY_REWARD, BY_STATUS, Index, Listing, position};

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

/// Sort key of a referral's row.
pub const REFERRAL: &str = "REFERRAL";
/// Sort key of a person's row.
pub const PERSON: &str = "PERSON";
/// Sort key of an organization's row.
pub const ORGANIZATION: &str = "ORGANIZATION";
/// Partition of the list of all organizations.
pub const ORGANIZATIONS: &str = "ORGANIZATIONS";
/// Prefix of the members of an organization.
pub const MEMBER: &str = "MEMBER#";
/// Prefix of the links from a lead to the referrals through which they came.
pub const LEAD_OF: &str = "LEAD_OF#";
/// Prefix of the links from a referrer to the referrals that they sent.
pub const REFERRED: &str = "REFERRED#";
/// Prefix of the links from a person to the referrals that they have nothing to do with any more.
pub const FORMER: &str = "FORMER#";
/// Prefix of the links from a person to the deals that name them.
pub const DEAL_OF: &str = "DEAL_OF#";
/// Partition of the rewards that wait for the clock.
pub const DUE_HOLDS: &str = "DUE_HOLDS";
/// Prefix of the entries of a referral's history.
pub const AUDIT: &str = "AUDIT#";
/// Prefix of the messages about a referral.
pub const MESSAGE: &str = "MESSAGE#";
/// Prefix of partitions with outbox items that wait for the bus.
pub const PENDING: &str = "PENDING#";
/// Prefix of partitions with outbox items that the bus will never take.
pub const POISON: &str = "POISON#";

/// Partitions over which pending outbox items are spread; each takes 1,000 write units a second.
pub const OUTBOX_SHARDS: u32 = 8;

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

/// Partition of one person: the row and the links to the referrals through which they came.
#[must_use]
pub fn person_partition(scope: &OrgScope, id: &PersonId) -> String {
    format!("{}#PERSON#{id}", org(scope))
}

/// Table key only.
#[must_use]
pub fn person(scope: &OrgScope, id: &PersonId) -> Keys {
    Keys::new(person_partition(scope, id), PERSON)
}

#[must_use]
pub fn person_row(scope: &OrgScope, row: &Person) -> Keys {
    person(scope, &row.id).and(LIST_PK, people(scope).partition).and(LIST_SK, place(row.created_at, row.id.as_str()))
}

/// All people of the organization.
#[must_use]
pub fn people(scope: &OrgScope) -> Listing {
    Listing { index: BY_LIST, partition: format!("{}#PEOPLE", org(scope)), prefix: String::new() }
}

#[must_use]
pub fn lead_link(scope: &OrgScope, lead: &PersonId, referral: &ReferralId) -> Keys {
    Keys::new(person_partition(scope, lead), format!("{LEAD_OF}{referral}"))
}

/// From a person to a referral that was deleted, or got another lead: its history may still tell of them.
#[must_use]
pub fn former_link(scope: &OrgScope, person: &PersonId, referral: &ReferralId) -> Keys {
    Keys::new(person_partition(scope, person), format!("{FORMER}{referral}"))
}

/// From a referrer to a referral that they sent. Written and deleted with the referral: what the referrer's counter
/// counts, and their referrals in order, in one partition that can be read strongly consistent.
#[must_use]
pub fn referred_link(scope: &OrgScope, row: &Referral) -> Keys {
    link(scope, &Link::of(row))
}

/// As [`referred_link`].
#[must_use]
pub fn link(scope: &OrgScope, link: &Link) -> Keys {
    let listing = referrals_by(scope, &link.referrer);
    Keys::new(listing.partition, format!("{}{}", listing.prefix, place(link.created_at, link.referral.as_str())))
}

/// Links to the referrals that one person sent.
#[must_use]
pub fn referrals_by(scope: &OrgScope, referrer: &PersonId) -> Listing {
    Listing { index: BY_KEY, partition: person_partition(scope, referrer), prefix: REFERRED.to_owned() }
}

/// A deal, matched or not.
#[must_use]
pub fn deal(scope: &OrgScope, deal: &DealId) -> Keys {
    Keys::new(format!("{}#DEAL#{deal}", org(scope)), "DEAL")
}

/// From a person to a deal that names them.
#[must_use]
pub fn person_deal(scope: &OrgScope, person: &PersonId, deal: &DealId) -> Keys {
    Keys::new(person_partition(scope, person), format!("{DEAL_OF}{deal}"))
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

#[must_use]
pub fn referral_partition(scope: &OrgScope, id: &ReferralId) -> String {
    format!("{}#REFERRAL#{id}", org(scope))
}

/// Table key only.
#[must_use]
pub fn referral(scope: &OrgScope, id: &ReferralId) -> Keys {
    Keys::new(referral_partition(scope, id), REFERRAL)
}

#[must_use]
pub fn referral_row(scope: &OrgScope, row: &Referral) -> Keys {
    let in_lists = place(row.created_at, row.id.as_str());
    let keys = referral(scope, &row.id)
        .and(LIST_PK, referrals(scope).partition)
        .and(STATUS_SK, format!("{}{in_lists}", referrals_in(scope, row.status).prefix))
        .and(AGENT_PK, referrals_of(scope, &row.agent_user_id).partition)
        .and(LIST_SK, in_lists);
    match RewardLane::of(row) {
        Some((lane, since)) => {
            keys.and(REWARD_PK, rewards_in(scope, lane).partition).and(REWARD_SK, place(since, row.id.as_str()))
        }
        None => keys,
    }
}

/// The organization's referrals in one lane of the rewards' queue.
#[must_use]
pub fn rewards_in(scope: &OrgScope, lane: RewardLane) -> Listing {
    let partition = format!("{}#REWARDS#{}", org(scope), lane.status().as_str());
    Listing { index: BY_REWARD, partition, prefix: String::new() }
}

/// All referrals of the organization.
#[must_use]
pub fn referrals(scope: &OrgScope) -> Listing {
    Listing { index: BY_LIST, partition: format!("{}#REFERRALS", org(scope)), prefix: String::new() }
}

/// The organization's referrals of one status.
#[must_use]
pub fn referrals_in(scope: &OrgScope, status: ReferralStatus) -> Listing {
    Listing { index: BY_STATUS, prefix: format!("{}#", status.as_str()), ..referrals(scope) }
}

/// The referrals to one agent.
#[must_use]
pub fn referrals_of(scope: &OrgScope, agent: &UserId) -> Listing {
    Listing { index: BY_AGENT, partition: format!("{}#AGENT#{agent}", org(scope)), prefix: String::new() }
}

/// One change of a referral. A request makes at most one entry of a kind per referral.
#[must_use]
pub fn audit(scope: &OrgScope, referral: &ReferralId, entry: &AuditEntry) -> Keys {
    let mut sort = format!("{AUDIT}{}#{}#{}", entry.at, entry.request_id, entry.action.as_str());
    if let Some(message) = &entry.message {
        // One event may be told on two channels in one millisecond.
        let _ = write!(sort, "#{}#{}", message.kind.as_str(), message.channel.as_str());
    }
    Keys::new(referral_partition(scope, referral), sort)
}

/// A message about a referral.
#[must_use]
pub fn message(scope: &OrgScope, id: &MessageId) -> Keys {
    let mut sort = format!("{MESSAGE}{}#{}", id.kind.as_str(), id.channel.as_str());
    if let Some(event) = &id.event {
        let _ = write!(sort, "#{event}");
    }
    Keys::new(referral_partition(scope, &id.referral), sort)
}

#[must_use]
pub fn pair_guard(scope: &OrgScope, pair: &PairKey) -> Keys {
    Keys::new(format!("{}#PAIR#{}", org(scope), pair.as_str()), "PAIR")
}

/// Prefix of a person's decisions.
pub const CONSENT: &str = "CONSENT#";

/// One decision of a person about one channel. A request makes at most one.
#[must_use]
pub fn consent(scope: &OrgScope, entry: &ConsentEntry) -> Keys {
    let sort = format!("{CONSENT}{}#{}#{}", entry.channel.as_str(), entry.at, entry.request_id);
    Keys::new(person_partition(scope, &entry.person_id), sort)
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

/// Exception: pending events of all organizations, spread over shards.
#[must_use]
pub fn pending_event(id: &EventId) -> Keys {
    let sum: u32 = id.as_str().bytes().map(u32::from).sum();
    Keys::new(pending_shard(sum % OUTBOX_SHARDS), id.as_str())
}

/// Partition of one shard of the pending events.
#[must_use]
pub fn pending_shard(shard: u32) -> String {
    format!("{PENDING}{shard}")
}

/// Sort key that every event made before `at` stands before.
#[must_use]
pub fn events_before(at: Timestamp) -> String {
    EventId::from_ulid(ulid::Ulid::from_parts(at.epoch_millis(), 0)).as_str().to_owned()
}

/// Where an outbox item goes that the bus will never take.
#[must_use]
pub fn poison_event(pk: &str, sk: &str) -> Keys {
    let shard = pk.strip_prefix(PENDING).unwrap_or(pk);
    Keys::new(format!("{POISON}{shard}"), sk)
}
