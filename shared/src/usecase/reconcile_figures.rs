//! Proves that the figures of one advocate are what their referrals add up to, and puts right those that are not, while
//! referrals go on changing.
//!
//! **Why it is exact without holding anybody up.** A row counts in its cell in the transaction that writes it, and each such
//! transaction raises the cell's `version`. So between two reads of the cells that see the same versions no row has come
//! to count otherwise, and what was added up in between is the sum at those versions. A cell that differs is replaced only
//! in that version, after the same was seen twice: what a transaction has written becomes visible item by item.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::attempts::MAX_ATTEMPTS;
use crate::{
    domain::{
        attribution::{Cell, CellId, Figures},
        id::{PersonId, ReferralId},
        scope::OrgScope,
    },
    ports::{AttributionKeeper, CellCorrection, CorrectionOutcome, LinkKeeper, StoreError},
};

/// Referrals read at a time.
const AT_ONCE: u32 = 100;
/// Between two looks. What a transaction has written is visible within milliseconds.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// What was found, and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// So many cells, all of them right.
    Right(usize),
    /// These were put right.
    Corrected(Vec<CellId>),
    /// They kept moving, or there was no time to add them up. These were put right before.
    Busy(Vec<CellId>),
}

/// The cells as they are, and what the rows say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    cells: Vec<Cell>,
    sums: BTreeMap<CellId, Figures>,
}

impl Look {
    /// The cells that are not what they should be.
    fn wrong(&self) -> Vec<CellCorrection> {
        let nothing = Figures::default();
        let read: BTreeMap<&CellId, &Cell> = self.cells.iter().map(|cell| (&cell.id, cell)).collect();
        let ids: BTreeSet<&CellId> = read.keys().copied().chain(self.sums.keys()).collect();
        let correction = |id: &CellId| {
            let (cell, wanted) = (read.get(id), self.sums.get(id).unwrap_or(&nothing));
            let is_right = cell.map_or(&nothing, |cell| &cell.figures) == wanted;
            (!is_right).then(|| CellCorrection {
                id: id.clone(),
                read: cell.map(|cell| cell.version),
                figures: wanted.clone(),
            })
        };
        ids.into_iter().filter_map(correction).collect()
    }
}

/// # Errors
/// When the store does not answer. What was put right stays so.
pub(super) async fn prove_figures(
    store: &(impl AttributionKeeper + LinkKeeper),
    scope: &OrgScope,
    advocate: &PersonId,
    has_time: &impl Fn() -> bool,
) -> Result<Proof, StoreError> {
    let mut corrected = Vec::new();
    let mut before: Option<Look> = None;
    for _ in 0..MAX_ATTEMPTS {
        let cells = store.cells_of(scope, advocate).await?;
        let Some(sums) = add_up(store, scope, advocate, has_time).await? else { return Ok(Proof::Busy(corrected)) };
        let look = Look { cells, sums };
        let wrong = look.wrong();
        if wrong.is_empty() && store.cells_of(scope, advocate).await? == look.cells {
            return Ok(if corrected.is_empty() { Proof::Right(look.cells.len()) } else { Proof::Corrected(corrected) });
        }
        if before.as_ref() == Some(&look) {
            for correction in wrong {
                if store.correct_cell(scope, &correction).await? == CorrectionOutcome::Corrected {
                    corrected.push(correction.id);
                }
            }
        }
        before = Some(look);
        tokio::time::sleep(SHORTEST_PAUSE.mul_f64(1.0 + fastrand::f64())).await;
    }
    Ok(Proof::Busy(corrected))
}

/// None when there was no time for all of them.
async fn add_up(
    store: &impl LinkKeeper,
    scope: &OrgScope,
    advocate: &PersonId,
    has_time: &impl Fn() -> bool,
) -> Result<Option<BTreeMap<CellId, Figures>>, StoreError> {
    let (mut sums, mut after): (BTreeMap<CellId, Figures>, _) = (BTreeMap::new(), None);
    // Two links of wrong times may name one referral.
    let mut seen: BTreeSet<ReferralId> = BTreeSet::new();
    loop {
        let page = store.list_links(scope, advocate, after.as_ref(), AT_ONCE).await?;
        let ids: Vec<ReferralId> =
            page.items.into_iter().map(|link| link.referral).filter(|id| seen.insert(id.clone())).collect();
        for row in store.find_referrals(scope, &ids).await? {
            if row.referrer_person_id == *advocate {
                sums.entry(CellId::of(&row)).or_default().add(&Figures::of(&row));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(sums));
        }
        if !has_time() {
            return Ok(None);
        }
    }
}
