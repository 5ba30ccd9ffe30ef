//! Changing and deleting referrals that are there.

use std::future::Future;

use super::{RememberedAnswer, Revised, StoreError, UsedKey};
use crate::{
    domain::{
        audit::AuditEntry,
        id::{DealId, PersonId, ReferralId},
        person::Person,
        referral::Referral,
        scope::OrgScope,
    },
    events::NewEvent,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerLead {
    pub person: PersonId,
    /// Whether the same change made it a referral of somebody else.
    pub shows_another: bool,
}

/// A referral's link to its lead, when it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadMove {
    pub from: Option<FormerLead>,
    /// The new lead, in the version that they will have.
    pub to: Option<Box<Person>>,
}

/// Everything that one change of a referral writes, in one transaction. Rows that are replaced carry the version that
/// they will have; the transaction holds only while the stored version is one less.
#[derive(Debug, Clone)]
pub struct ReferralRevision {
    pub referral: Revised,
    /// The deal that it was linked to before, when that changes.
    pub unlinked_deal: Option<DealId>,
    /// The deal that it is linked to now, when that changes.
    pub linked_deal: Option<DealId>,
    pub lead: LeadMove,
    /// Other referrals of the new lead that this one contests.
    pub contested: Vec<Revised>,
    pub audit: Vec<(ReferralId, AuditEntry)>,
    pub events: Vec<NewEvent>,
    pub remembered: Option<RememberedAnswer>,
}

/// What came of a [`ReferralRevision`]. Everything but `Written` wrote nothing. When several reasons hold, the first in
/// this order is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionOutcome {
    Written,
    KeyUsed(UsedKey),
    /// A row moved since it was read. Read again.
    Stale,
    /// The deal belongs to another referral.
    DealTaken,
}

/// Everything that deleting a referral writes, in one transaction.
#[derive(Debug, Clone)]
pub struct ReferralRemoval {
    /// As read.
    pub referral: Referral,
    pub audit: AuditEntry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalOutcome {
    Removed,
    /// The row moved since it was read. Read again.
    Stale,
}

pub trait ReferralEditor: Send + Sync {
    fn revise_referral(
        &self,
        scope: &OrgScope,
        revision: &ReferralRevision,
    ) -> impl Future<Output = Result<RevisionOutcome, StoreError>> + Send;

    /// Takes the row away with its links, its guard and its place in the referrer's count. The history stays.
    fn remove_referral(
        &self,
        scope: &OrgScope,
        removal: &ReferralRemoval,
    ) -> impl Future<Output = Result<RemovalOutcome, StoreError>> + Send;
}
