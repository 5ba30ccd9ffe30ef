//! The links from referrers to the referrals that they sent, for whoever proves that links, rows and counters agree.

use std::future::Future;

use super::{Page, Position, StoreError};
use crate::domain::{
    id::{PersonId, ReferralId},
    referral::Referral,
    scope::OrgScope,
    time::Timestamp,
};

/// From a referrer to a referral that they sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    pub referrer: PersonId,
    pub referral: ReferralId,
    /// When the referral was created.
    pub created_at: Timestamp,
}

impl Link {
    /// The link that a row has to have.
    #[must_use]
    pub fn of(row: &Referral) -> Self {
        Self { referrer: row.referrer_person_id.clone(), referral: row.id.clone(), created_at: row.created_at }
    }
}

/// A person's counter, set to what was counted. Holds only while the person is in the version that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    pub person: PersonId,
    pub read: u64,
    pub total: u32,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionOutcome {
    Corrected,
    /// The person moved since they were read. Nothing was written.
    Moved,
}

/// Everything but `Restored` wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreOutcome {
    Restored,
    /// The link is there after all, or its row is gone.
    NotMissing,
    ReferrerMissing,
}

/// All reads are strongly consistent.
pub trait LinkKeeper: Send + Sync {
    /// How many referrals a person sent, by their links.
    fn count_links(
        &self,
        scope: &OrgScope,
        referrer: &PersonId,
    ) -> impl Future<Output = Result<u32, StoreError>> + Send;

    /// At most `limit` links of one person, newest first, after `after`.
    fn list_links(
        &self,
        scope: &OrgScope,
        referrer: &PersonId,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Link>, StoreError>> + Send;

    /// Those of the links that are there, in no order. They have to differ from each other.
    fn find_links(
        &self,
        scope: &OrgScope,
        links: &[Link],
    ) -> impl Future<Output = Result<Vec<Link>, StoreError>> + Send;

    /// Those of the rows that are there, in no order. The ids have to differ from each other.
    fn find_referrals(
        &self,
        scope: &OrgScope,
        ids: &[ReferralId],
    ) -> impl Future<Output = Result<Vec<Referral>, StoreError>> + Send;

    /// Writes a link that is missing, while its row is there. The counter stays: it may have been right all the time.
    fn restore_link(
        &self,
        scope: &OrgScope,
        link: &Link,
        at: Timestamp,
    ) -> impl Future<Output = Result<RestoreOutcome, StoreError>> + Send;

    fn correct_total(
        &self,
        scope: &OrgScope,
        correction: &Correction,
    ) -> impl Future<Output = Result<CorrectionOutcome, StoreError>> + Send;
}
