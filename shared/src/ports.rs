//! What the use cases need from the outside, as small traits named by role, and the one error that all stores share.
//! Adapters live in `store` and `aws`; nothing here knows which.

use std::future::Future;

use thiserror::Error;
use ulid::Ulid;

use crate::{
    domain::{
        audit::AuditEntry,
        consent::ConsentEntry,
        contact::ContactKey,
        duplicate::PairKey,
        id::{EventId, OrgId, PersonId, ReferralId, UserId},
        idempotency::IdempotentRequest,
        organization::{Member, Organization, PublishedProfile, Slug},
        person::Person,
        rate_limit::Limits,
        referral::{Referral, ReferralStatus},
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// A store or a bus did not do what was asked. Nothing was changed, unless the answer was lost on the way: callers
/// repeat only what is safe to repeat. No variant carries personal data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Throttled, unreachable, timed out, or in conflict for longer than the time budget. Repeating may help.
    #[error("{operation} is not available now ({reason})")]
    Unavailable { operation: &'static str, reason: String },
    /// Refused for good: a bug, a missing permission, a row that cannot be read. Repeating does not help.
    #[error("{operation} failed ({reason})")]
    Failed { operation: &'static str, reason: String },
}

impl StoreError {
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub trait Ids: Send + Sync {
    /// A new ULID whose time part is `at`.
    fn ulid(&self, at: Timestamp) -> Ulid;
}

/// The directory of published slugs.
pub trait ProfileDirectory: Send + Sync {
    /// None unless the slug's profile may receive referrals now. An answer may be up to 30 seconds old.
    fn find_open_profile(
        &self,
        slug: &Slug,
    ) -> impl Future<Output = Result<Option<PublishedProfile>, StoreError>> + Send;
}

/// The directory of logins: which member signs in as which subject of the identity provider.
pub trait LoginDirectory: Send + Sync {
    fn find_login(&self, subject: &str) -> impl Future<Output = Result<Option<(OrgId, UserId)>, StoreError>> + Send;
}

pub trait MemberDirectory: Send + Sync {
    fn find_member(
        &self,
        scope: &OrgScope,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send;

    fn find_organization(
        &self,
        scope: &OrgScope,
    ) -> impl Future<Output = Result<Option<Organization>, StoreError>> + Send;
}

/// Whether a request may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    Refused { retry_after_seconds: u32 },
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// A client network, as a keyed hash: an address of the internet is somebody's personal data.
    Network(&'a str),
    /// A published slug.
    Slug(&'a Slug),
}

/// Counting requests.
pub trait RateLimiter: Send + Sync {
    /// Counts a request, unless that would be one more than the limits allow. Exact under any concurrency.
    fn admit(
        &self,
        counted: Counted<'_>,
        limits: Limits,
        at: Timestamp,
    ) -> impl Future<Output = Result<Admission, StoreError>> + Send;
}

/// Who sent the referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferrerWrite {
    /// A person that nobody knew, with the contact keys that this person shall hold.
    Create { person: Box<Person>, keys: Vec<ContactKey>, consents: Vec<ConsentEntry> },
    /// A person that is there: only the counter moves.
    Credit(PersonId),
}

/// A guard against the same pair within thirty days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairGuard {
    pub key: PairKey,
    pub expires_at: Timestamp,
}

/// What a request with an idempotency key was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedAnswer {
    pub request: IdempotentRequest,
    /// What makes the same answer again: for a capture its receipt.
    pub answer: String,
    pub expires_at: Timestamp,
}

/// An idempotency key that has been used, with another body or the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// Digest of the body that it was used with.
    pub body: String,
    pub answer: String,
}

/// Everything that one new referral writes, in one transaction.
#[derive(Debug, Clone)]
pub struct ReferralWrite {
    pub referral: Referral,
    pub referrer: ReferrerWrite,
    /// None to write the row whatever was there before.
    pub guard: Option<PairGuard>,
    /// The answer to remember, when the client named the request.
    pub remembered: Option<RememberedAnswer>,
    /// Whether to check, in the transaction, that the agent is an active member. A published profile vouches for its
    /// agent already.
    pub check_agent: bool,
    pub audit: AuditEntry,
    pub event: NewEvent,
}

/// What came of a [`ReferralWrite`]. Everything but `Recorded` wrote nothing. When several reasons hold, the first in
/// this order is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferralWriteOutcome {
    Recorded,
    /// The client's key has been used.
    KeyUsed(UsedKey),
    /// The pair's guard has not expired.
    PairGuarded,
    /// A key of the person to be created belongs to somebody already.
    KeyTaken {
        key: ContactKey,
        holder: PersonId,
    },
    /// The person to be credited is not there.
    ReferrerMissing,
    /// The agent is no active member of the organization.
    AgentMissing,
}

/// Writing new referrals.
pub trait ReferralRecorder: Send + Sync {
    fn record_referral(
        &self,
        scope: &OrgScope,
        write: &ReferralWrite,
    ) -> impl Future<Output = Result<ReferralWriteOutcome, StoreError>> + Send;

    /// Counts one more repetition on the pair's guard, and remembers the answer when the client named the request. The
    /// use of a key that has been used is told, and counts nothing.
    fn count_repetition(
        &self,
        scope: &OrgScope,
        pair: &PairKey,
        remembered: Option<&RememberedAnswer>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<UsedKey>, StoreError>> + Send;
}

/// Where a page ended: the last row's time and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub created_at: Timestamp,
    pub id: String,
}

/// One page of a list, newest first. `next` is None at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Position>,
}

/// Which referrals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralFilter {
    pub agent: Option<UserId>,
    pub status: Option<ReferralStatus>,
}

/// Reading the ledger.
pub trait ReferralReader: Send + Sync {
    fn find_referral(
        &self,
        scope: &OrgScope,
        id: &ReferralId,
    ) -> impl Future<Output = Result<Option<Referral>, StoreError>> + Send;

    /// At most `limit` rows, newest first, after `after`.
    fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Referral>, StoreError>> + Send;
}

/// Reading people.
pub trait PersonReader: Send + Sync {
    fn find_person(
        &self,
        scope: &OrgScope,
        id: &PersonId,
    ) -> impl Future<Output = Result<Option<Person>, StoreError>> + Send;

    /// At most `limit` people, newest first, after `after`.
    fn list_people(
        &self,
        scope: &OrgScope,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Person>, StoreError>> + Send;

    /// The person who holds the key.
    fn find_key_holder(
        &self,
        scope: &OrgScope,
        key: &ContactKey,
    ) -> impl Future<Output = Result<Option<PersonId>, StoreError>> + Send;

    /// The referrals through which a person came, oldest first.
    fn referrals_of_lead(
        &self,
        scope: &OrgScope,
        lead: &PersonId,
    ) -> impl Future<Output = Result<Vec<ReferralId>, StoreError>> + Send;
}

/// Everything that one lead's entry into the pipeline writes, in one transaction. Rows that are replaced carry the
/// version that they will have; the transaction holds only while the stored version is one less.
#[derive(Debug, Clone)]
pub struct PipelineWrite {
    /// The event being handled: recorded in the inbox, so that it is applied once.
    pub event_id: EventId,
    pub consumer: &'static str,
    pub at: Timestamp,
    /// The referral, linked to its lead.
    pub referral: Referral,
    /// The lead, when new, with the contact keys that they shall hold.
    pub new_lead: Option<(Person, Vec<ContactKey>)>,
    /// The lead, when known already and changed.
    pub known_lead: Option<Person>,
    /// The referrer, when they become an advocate by this.
    pub new_advocate: Option<PersonId>,
    /// Other referrals of the same lead that this one contests.
    pub contested: Vec<Referral>,
    pub audit: Vec<(ReferralId, AuditEntry)>,
    pub event: NewEvent,
}

/// What came of a [`PipelineWrite`]. Everything but `Entered` wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineWriteOutcome {
    Entered,
    /// The event is in the inbox: it was applied before.
    AlreadyApplied,
    /// A row moved since it was read, or a contact key was taken meanwhile. Read again.
    Stale,
}

/// Writing a lead's entry into the pipeline.
pub trait PipelineRecorder: Send + Sync {
    fn enter(
        &self,
        scope: &OrgScope,
        write: &PipelineWrite,
    ) -> impl Future<Output = Result<PipelineWriteOutcome, StoreError>> + Send;
}

/// The key of an outbox item, as the stream shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    pub pk: String,
    pub sk: String,
}

/// An outbox item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    pub key: OutboxKey,
    pub detail_type: String,
    pub occurred_at: Timestamp,
    pub detail: String,
}

/// A pending item of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxRecord {
    Entry(OutboxEntry),
    /// An item that no event can be read from.
    Unreadable(OutboxKey),
}

impl OutboxRecord {
    #[must_use]
    pub fn key(&self) -> &OutboxKey {
        match self {
            Self::Entry(entry) => &entry.key,
            Self::Unreadable(key) => key,
        }
    }
}

/// What the bus said to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    Accepted,
    /// Not now: the entry stays pending.
    Retry(String),
    /// Never: the entry is poison.
    Refused(String),
}

/// The event bus.
pub trait EventPublisher: Send + Sync {
    /// One answer per entry, in order.
    fn publish(&self, entries: &[OutboxEntry]) -> impl Future<Output = Vec<Publication>> + Send;
}

/// The outbox after publication.
pub trait Outbox: Send + Sync {
    /// Takes published entries out. Those that could not be taken out are returned.
    fn settle(&self, keys: &[OutboxKey]) -> impl Future<Output = Vec<OutboxKey>> + Send;

    /// At most `limit` pending entries of one shard that are older than `before`, oldest first.
    fn pending_before(
        &self,
        shard: u32,
        before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<OutboxRecord>, StoreError>> + Send;

    /// How many shards there are.
    fn shards(&self) -> u32;

    /// Moves an entry that can never be published out of the pending ones. One that is gone already is fine.
    fn set_aside(
        &self,
        key: &OutboxKey,
        reason: &str,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
