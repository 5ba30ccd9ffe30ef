//! What advocates brought: the figures that are kept, and those who read and prove them.

use std::future::Future;

use super::{CorrectionOutcome, StoreError};
use crate::domain::{
    attribution::{Cell, CellId, Figures},
    calendar::Month,
    id::PersonId,
    referral::Referral,
    scope::OrgScope,
};

/// A referral's row as it shall be, and what it counted as when it was read. Whoever writes it moves its cell by the
/// difference, in the same transaction.
#[derive(Debug, Clone)]
pub struct Revised {
    pub row: Referral,
    pub cell: CellId,
    pub counted: Figures,
}

impl Revised {
    #[must_use]
    pub fn new(before: &Referral, row: Referral) -> Self {
        Self { row, cell: CellId::of(before), counted: Figures::of(before) }
    }
}

/// The figures of an organization.
pub trait AttributionReader: Send + Sync {
    /// The cells of the months from `first` to `last`, in order of month. What was written a moment ago may be missing.
    fn cells_between(
        &self,
        scope: &OrgScope,
        first: Month,
        last: Month,
    ) -> impl Future<Output = Result<Vec<Cell>, StoreError>> + Send;
}

/// A cell, set to what its rows add up to. Holds only while it is in the version that was read; None when there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellCorrection {
    pub id: CellId,
    pub read: Option<u64>,
    pub figures: Figures,
}

/// For whoever proves that figures and rows agree.
pub trait AttributionKeeper: Send + Sync {
    /// The cells of one advocate. Strongly consistent.
    fn cells_of(
        &self,
        scope: &OrgScope,
        advocate: &PersonId,
    ) -> impl Future<Output = Result<Vec<Cell>, StoreError>> + Send;

    fn correct_cell(
        &self,
        scope: &OrgScope,
        correction: &CellCorrection,
    ) -> impl Future<Output = Result<CorrectionOutcome, StoreError>> + Send;
}
