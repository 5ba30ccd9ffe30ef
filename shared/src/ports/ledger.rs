//! Reading the ledger.

use std::future::Future;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::{
    audit::AuditEntry, filter::ReferralFilter, id::ReferralId, referral::Referral, scope::OrgScope, time::Timestamp,
};

/// Where a page ended: the last row's place in its list, a time, and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// In most lists the time of creation.
    pub created_at: Timestamp,
    pub id: String,
}

/// One page of a list. `next` is None at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Position>,
}

/// What is kept of one referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// None once it was deleted.
    pub referral: Option<Referral>,
    /// Oldest first; of very many the newest.
    pub entries: Vec<AuditEntry>,
}

/// Reading the ledger.
pub trait ReferralReader: Send + Sync {
    fn find_referral(
        &self,
        scope: &OrgScope,
        id: &ReferralId,
    ) -> impl Future<Output = Result<Option<Referral>, StoreError>> + Send;

    /// At most `limit` rows, newest first, after `after`. A filter that lets little through may give fewer, none even,
    /// and still a place to go on from: the work for one page is bounded.
    fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Referral>, StoreError>> + Send;

    fn find_history(
        &self,
        scope: &OrgScope,
        id: &ReferralId,
    ) -> impl Future<Output = Result<History, StoreError>> + Send;
}
