//! Everything that is kept of one person: to be shown, and to be taken out.

use std::future::Future;

use super::{PersonRevisionOutcome, Position, Revised, StoreError};
use crate::{
    domain::{
        audit::AuditEntry,
        consent::ConsentEntry,
        duplicate::PairKey,
        erasure::ErasedPerson,
        id::{DealId, PersonId, ReferralId},
        message::Message,
        person::Person,
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// What somebody is, or was, in a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TieKind {
    /// They sent it.
    Referrer,
    /// They came through it.
    Lead,
    /// They were one of both, until it was deleted or got another lead; or it shows an address or a number of theirs only.
    Former,
}

/// Between a person and a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    pub kind: TieKind,
    pub referral: ReferralId,
    /// When the referral was created.
    pub created_at: Timestamp,
    /// Whether the referral may show them as whom it is about, though they are not its lead.
    pub may_show: bool,
}

impl Tie {
    /// Where it stands among a person's.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { created_at: self.created_at, id: self.referral.as_str().to_owned() }
    }
}

/// How far somebody has come with a person's referrals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Their own up to here, oldest first.
    Own(Position),
    /// All of the organization's up to here, newest first, in search of those that show an address or a number of theirs.
    Searched(Position),
}

/// What is kept of a person outside of their referrals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonData {
    pub person: Person,
    /// By channel, oldest first.
    pub consents: Vec<ConsentEntry>,
    pub deals: Vec<DealId>,
    /// Oldest referral first.
    pub ties: Vec<Tie>,
}

/// An answer that is remembered and shows a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownAnswer {
    /// Of the request.
    pub key: String,
    /// Epoch seconds. What has another end under this key is another answer.
    pub expires_at: i64,
}

/// What is kept of a referral.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralData {
    /// None once it was deleted.
    pub referral: Option<Referral>,
    /// Oldest first.
    pub entries: Vec<AuditEntry>,
    pub messages: Vec<Message>,
    pub answers: Vec<ShownAnswer>,
}

/// A person to be taken out.
#[derive(Debug, Clone)]
pub struct PersonErasure {
    pub erased: ErasedPerson,
    pub event: NewEvent,
    /// Referrals that have to be in these versions.
    pub unchanged: Vec<(ReferralId, u64)>,
}

/// What of a referral is to be taken out.
#[derive(Debug, Clone)]
pub struct ReferralErasure {
    pub id: ReferralId,
    /// The guard that the row set up.
    pub guard: Option<PairKey>,
    /// The version that was read; None where the row is gone.
    pub read: Option<u64>,
    /// None where nothing of the row itself goes.
    pub row: Option<Box<Revised>>,
    pub messages: Vec<Message>,
    /// Entries with a note.
    pub noted: Vec<AuditEntry>,
    pub answers: Vec<ShownAnswer>,
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
}

/// Everything that is kept of people. Reads are strongly consistent.
pub trait PersonalData: Send + Sync {
    fn find_person_data(
        &self,
        scope: &OrgScope,
        id: &PersonId,
    ) -> impl Future<Output = Result<Option<PersonData>, StoreError>> + Send;

    fn find_referral_data(
        &self,
        scope: &OrgScope,
        id: &ReferralId,
    ) -> impl Future<Output = Result<ReferralData, StoreError>> + Send;

    /// In one transaction the row in the version that was read, the keys under which the person was found, the addresses that
    /// stay closed, and the event.
    fn erase_person(
        &self,
        scope: &OrgScope,
        erasure: &PersonErasure,
    ) -> impl Future<Output = Result<PersonRevisionOutcome, StoreError>> + Send;

    /// Takes the evidence out of these entries.
    fn forget_evidence(
        &self,
        scope: &OrgScope,
        entries: &[ConsentEntry],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Notes, answers and guard first; then row, messages and the entry that says so, in one transaction, which holds only while
    /// they are in the versions that were read. False when they are not: read again.
    fn erase_referral(
        &self,
        scope: &OrgScope,
        erasure: &ReferralErasure,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
