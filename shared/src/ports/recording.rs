//! Writing new referrals.

use std::future::Future;

use super::{RememberedAnswer, StoreError, UsedKey};
use crate::{
    domain::{
        audit::AuditEntry, consent::ConsentEntry, contact::ContactKey, duplicate::PairKey, id::PersonId,
        person::Person, referral::Referral, scope::OrgScope, time::Timestamp,
    },
    events::NewEvent,
};

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

/// What came of counting a repetition. Everything but `Counted` wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repetition {
    Counted,
    /// The client's key has been used.
    KeyUsed(UsedKey),
    /// The guard is gone: its referral was deleted since it refused the pair.
    Unguarded,
}

/// Writing new referrals.
pub trait ReferralRecorder: Send + Sync {
    fn record_referral(
        &self,
        scope: &OrgScope,
        write: &ReferralWrite,
    ) -> impl Future<Output = Result<ReferralWriteOutcome, StoreError>> + Send;

    /// Counts one more repetition on the pair's guard, and remembers the answer when the client named the request.
    fn count_repetition(
        &self,
        scope: &OrgScope,
        pair: &PairKey,
        remembered: Option<&RememberedAnswer>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Repetition, StoreError>> + Send;
}
