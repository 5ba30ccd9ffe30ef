//! Proves that counters, figures, links and the ledger's rows agree, and puts right what can be put right, while captures go
//! on.
//!
//! It begins with the rows: each has to have its link, or gets it; its counter stays, because it may have been right. Then
//! the counters: each has to be the number of links. Then the figures: each cell has to be what its rows add up to (see
//! `reconcile_figures`). Then the links: each has to lead to a row of its person. When none
//! of it finds anything, every counter is the number of rows.
//!
//! **Why it is exact without holding anybody up.** A link is written and deleted in the transaction that moves the counter,
//! and every change of a person raises `version`. So between two reads of a person that see one version the set of links
//! does not change, and a count made between them is the count of that version. A counter that differs is replaced only
//! in that version; a capture that comes between makes the condition fail, and everything is read again. Nothing is ever
//! written that was not counted, and no capture waits or is lost. Before a counter is replaced the same is seen twice, a
//! moment apart: what a transaction has written becomes visible item by item.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    attempts::MAX_ATTEMPTS,
    reconcile_figures::{Proof, prove_figures},
};
use crate::{
    domain::{
        attribution::CellId,
        calendar::Month,
        filter::{NameQuery, ReferralFilter},
        id::{PersonId, ReferralId, UserId},
        person::Person,
        referral::{Channel, Referral},
        scope::OrgScope,
    },
    ports::{
        AttributionKeeper, Clock, Correction, CorrectionOutcome, Link, LinkKeeper, PersonReader, Position,
        ReferralReader, RestoreOutcome, StoreError,
    },
};

/// Rows, or people, of one call.
const PAGE: u32 = 100;
/// Links of one call that are followed to their rows.
const LINKS: usize = 500;
const LINKS_AT_ONCE: u32 = 100;
/// Between two looks at one person. What a transaction has written is visible within milliseconds.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// Where the walk through an organization goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Place {
    /// Behind this row.
    Rows { after: Option<Position> },
    /// Behind this person.
    Counters { after: Option<Position> },
    /// Behind this person.
    Figures { after: Option<Position> },
    /// Behind this person, or behind this link of theirs.
    Links { after: Option<Position>, link: Option<Position> },
}

impl Default for Place {
    fn default() -> Self {
        Self::Rows { after: None }
    }
}

/// A counter that was put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Corrected {
    pub person_id: PersonId,
    pub was: u32,
    pub is: u32,
}

/// Figures that were put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectedCell {
    pub month: Month,
    pub person_id: PersonId,
    pub agent_user_id: UserId,
    pub channel: Channel,
}

impl From<CellId> for CorrectedCell {
    fn from(cell: CellId) -> Self {
        Self { month: cell.month, person_id: cell.advocate, agent_user_id: cell.agent, channel: cell.channel }
    }
}

/// A link by its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ends {
    pub person_id: PersonId,
    pub referral_id: ReferralId,
}

impl From<&Link> for Ends {
    fn from(link: &Link) -> Self {
        Self { person_id: link.referrer.clone(), referral_id: link.referral.clone() }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub referrals: usize,
    pub people: usize,
    pub links: usize,
    pub cells: usize,
}

/// What one call found: ids and numbers only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub checked: Checked,
    pub corrected: Vec<Corrected>,
    pub corrected_cells: Vec<CorrectedCell>,
    /// Links that were missing, and are there now.
    pub restored: Vec<Ends>,
    /// Links that lead to no row of their person. They are left for somebody to look at.
    pub dangling: Vec<Ends>,
    /// Referrals without a link whose referrer is gone.
    pub orphaned: Vec<Ends>,
    /// People who kept moving. Nothing was written.
    pub busy: BTreeSet<PersonId>,
}

/// Goes one page on from `place`, and gives the next place; None at the end. A page of which `has_time` cuts off the rest
/// is gone on with from there.
///
/// # Errors
/// When the store does not answer. What was put right stays so, and the same place can be asked for again.
pub async fn reconcile_counters(
    store: &(impl ReferralReader + PersonReader + LinkKeeper + AttributionKeeper),
    clock: &impl Clock,
    scope: &OrgScope,
    place: Place,
    has_time: impl Fn() -> bool,
) -> Result<(Report, Option<Place>), StoreError> {
    let mut walk = Walk { store, clock, scope, has_time, report: Report::default() };
    let next = match place {
        Place::Rows { after } => Some(walk.rows(after).await?),
        Place::Counters { after } => Some(walk.counters(after).await?),
        Place::Figures { after } => Some(walk.figures(after).await?),
        Place::Links { after, link } => walk.links(after, link).await?,
    };
    Ok((walk.report, next))
}

/// A person at one version, with the number of their links at that version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    version: u64,
    total: u32,
    links: u32,
}

enum Looked {
    Steady(Look),
    Gone,
    Busy,
}

struct Walk<'a, S, C, T> {
    store: &'a S,
    clock: &'a C,
    scope: &'a OrgScope,
    has_time: T,
    report: Report,
}

impl<S: ReferralReader + PersonReader + LinkKeeper + AttributionKeeper, C: Clock, T: Fn() -> bool> Walk<'_, S, C, T> {
    async fn rows(&mut self, mut after: Option<Position>) -> Result<Place, StoreError> {
        let page = self.store.list_referrals(self.scope, &ReferralFilter::default(), after.as_ref(), PAGE).await?;
        let wanted: Vec<Link> = page.items.iter().map(Link::of).collect();
        let there: HashSet<Link> = self.store.find_links(self.scope, &wanted).await?.into_iter().collect();
        for link in wanted {
            if !(self.has_time)() {
                return Ok(Place::Rows { after });
            }
            if !there.contains(&link) {
                match self.store.restore_link(self.scope, &link, self.clock.now()).await? {
                    RestoreOutcome::Restored => self.report.restored.push(Ends::from(&link)),
                    RestoreOutcome::ReferrerMissing => self.report.orphaned.push(Ends::from(&link)),
                    // It was on its way, or its row is.
                    RestoreOutcome::NotMissing => {}
                }
            }
            self.report.checked.referrals += 1;
            after = Some(Position { created_at: link.created_at, id: link.referral.to_string() });
        }
        Ok(page.next.map_or(Place::Counters { after: None }, |at| Place::Rows { after: Some(at) }))
    }

    async fn counters(&mut self, after: Option<Position>) -> Result<Place, StoreError> {
        let page = self.store.list_people(self.scope, &NameQuery::default(), after.as_ref(), PAGE).await?;
        let mut settled = after.clone();
        let (mut next, mut seen) = (Place::Counters { after }, Vec::new());
        let whole = page.items.len();
        for person in page.items {
            if !(self.has_time)() {
                break;
            }
            let links = self.store.count_links(self.scope, &person.id).await?;
            next = Place::Counters { after: Some(place_of(&person)) };
            seen.push((person, links));
        }
        if seen.len() == whole {
            next = page.next.map_or(Place::Figures { after: None }, |at| Place::Counters { after: Some(at) });
        }
        let ids: Vec<PersonId> = seen.iter().map(|(person, _)| person.id.clone()).collect();
        let now = self.store.find_people(self.scope, &ids).await?;
        let now: HashMap<&PersonId, &Person> = now.iter().map(|person| (&person.id, person)).collect();
        for (before, links) in &seen {
            let Some(now) = now.get(&before.id) else {
                settled = Some(place_of(before));
                continue;
            };
            // The list may be late, but it showed the person in a version that was theirs before the count: if it is
            // theirs after it too, it was all the time.
            let is_proven = before.version == now.version && now.total_referrals == *links;
            if !is_proven {
                // Settling takes its time; whoever is left is the next call's.
                if !(self.has_time)() {
                    return Ok(Place::Counters { after: settled });
                }
                self.settle(&before.id).await?;
            }
            settled = Some(place_of(before));
            self.report.checked.people += 1;
        }
        Ok(next)
    }

    /// Counts until the number holds, and puts the counter right if it is another.
    async fn settle(&mut self, person: &PersonId) -> Result<(), StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let look = match self.look(person).await? {
                Looked::Steady(look) => look,
                Looked::Gone => return Ok(()),
                Looked::Busy => break,
            };
            if look.total == look.links {
                return Ok(());
            }
            let (was, is, at) = (look.total, look.links, self.clock.now());
            let correction = Correction { person: person.clone(), read: look.version, total: is, at };
            if self.store.correct_total(self.scope, &correction).await? == CorrectionOutcome::Corrected {
                self.report.corrected.push(Corrected { person_id: person.clone(), was, is });
                return Ok(());
            }
        }
        self.report.busy.insert(person.clone());
        Ok(())
    }

    /// Looks until two looks in a row see the same.
    async fn look(&self, person: &PersonId) -> Result<Looked, StoreError> {
        let mut before = None;
        for _ in 0..MAX_ATTEMPTS {
            let Some(read) = self.store.find_person(self.scope, person).await? else { return Ok(Looked::Gone) };
            let links = self.store.count_links(self.scope, person).await?;
            let look = Look { version: read.version, total: read.total_referrals, links };
            if before == Some(look) {
                return Ok(Looked::Steady(look));
            }
            before = Some(look);
            tokio::time::sleep(SHORTEST_PAUSE.mul_f64(1.0 + fastrand::f64())).await;
        }
        Ok(Looked::Busy)
    }

    async fn figures(&mut self, after: Option<Position>) -> Result<Place, StoreError> {
        let page = self.store.list_people(self.scope, &NameQuery::default(), after.as_ref(), PAGE).await?;
        let mut settled = after.clone();
        for person in page.items {
            let is_first = settled == after;
            if !(self.has_time)() {
                return Ok(Place::Figures { after: settled });
            }
            match prove_figures(self.store, self.scope, &person.id, &self.has_time).await? {
                Proof::Right(cells) => self.report.checked.cells += cells,
                Proof::Corrected(cells) => {
                    self.report.checked.cells += cells.len();
                    self.corrected(cells);
                }
                Proof::Busy(cells) => {
                    self.corrected(cells);
                    if !is_first && !(self.has_time)() {
                        return Ok(Place::Figures { after: settled });
                    }
                    // Whoever has more than fits into a call of their own is told of, and gone past.
                    self.report.busy.insert(person.id.clone());
                }
            }
            settled = Some(place_of(&person));
        }
        Ok(page.next.map_or(Place::Links { after: None, link: None }, |at| Place::Figures { after: Some(at) }))
    }

    fn corrected(&mut self, cells: Vec<CellId>) {
        self.report.corrected_cells.extend(cells.into_iter().map(CorrectedCell::from));
    }

    async fn links(&mut self, after: Option<Position>, link: Option<Position>) -> Result<Option<Place>, StoreError> {
        let mut left = LINKS;
        if let (Some(person), Some(_)) = (&after, &link) {
            let link = self.links_of(person, link, &mut left).await?;
            if link.is_some() {
                return Ok(Some(Place::Links { after, link }));
            }
        }
        let page = self.store.list_people(self.scope, &NameQuery::default(), after.as_ref(), PAGE).await?;
        let mut after = after;
        for person in page.items {
            if left == 0 || !(self.has_time)() {
                return Ok(Some(Place::Links { after, link: None }));
            }
            after = Some(place_of(&person));
            // Whose counter was proven to be nought has no links, but for those of captures since.
            if person.total_referrals == 0 {
                continue;
            }
            let link = self.links_of(&place_of(&person), None, &mut left).await?;
            if link.is_some() {
                return Ok(Some(Place::Links { after, link }));
            }
        }
        Ok(page.next.map(|at| Place::Links { after: Some(at), link: None }))
    }

    /// Follows a person's links to their rows. Gives the place to go on from when there were too many.
    async fn links_of(
        &mut self,
        person: &Position,
        mut after: Option<Position>,
        left: &mut usize,
    ) -> Result<Option<Position>, StoreError> {
        let operation = "following links";
        let person = PersonId::parse(&person.id)
            .map_err(|_| StoreError::Failed { operation, reason: "a place of another walk".to_owned() })?;
        loop {
            let page = self.store.list_links(self.scope, &person, after.as_ref(), LINKS_AT_ONCE).await?;
            self.follow(&page.items).await?;
            self.report.checked.links += page.items.len();
            *left = left.saturating_sub(page.items.len());
            after = page.next;
            if after.is_none() || *left == 0 || !(self.has_time)() {
                return Ok(after);
            }
        }
    }

    async fn follow(&mut self, links: &[Link]) -> Result<(), StoreError> {
        let suspects = self.without_row(links).await?;
        if suspects.is_empty() {
            return Ok(());
        }
        // A deletion takes link and row in one transaction; what was seen in between is gone a moment later.
        tokio::time::sleep(SHORTEST_PAUSE).await;
        let suspects = self.without_row(&suspects).await?;
        let there = self.store.find_links(self.scope, &suspects).await?;
        self.report.dangling.extend(there.iter().map(Ends::from));
        Ok(())
    }

    async fn without_row(&self, links: &[Link]) -> Result<Vec<Link>, StoreError> {
        // Two links of wrong times may name one referral.
        let ids: BTreeSet<ReferralId> = links.iter().map(|link| link.referral.clone()).collect();
        let ids: Vec<ReferralId> = ids.into_iter().collect();
        let rows: Vec<Referral> = self.store.find_referrals(self.scope, &ids).await?;
        let rows: HashSet<Link> = rows.iter().map(Link::of).collect();
        Ok(links.iter().filter(|link| !rows.contains(*link)).cloned().collect())
    }
}

fn place_of(person: &Person) -> Position {
    Position { created_at: person.created_at, id: person.id.to_string() }
}
