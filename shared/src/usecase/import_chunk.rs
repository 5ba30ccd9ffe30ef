//! A chunk of an uploaded file becomes referrals: history, of which nobody is told.
//!
//! Whoever dies on the way is made up for by the next who gets the chunk. A row was recorded with its origin in one
//! transaction, so going over it again finds it; the chunk is there until its report is.

use std::{collections::HashMap, collections::HashSet, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::attempts::{Attempts, gave_up};
use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry},
        contact::ContactKey,
        id::{DealId, EventId, PersonId, ReferralId},
        import::{Column, RowContent, RowCounts, RowError, RowOutcome, RowReport},
        import_row::{Ground, ImportRow},
        person::Person,
        referral::{Origin, RiskFlag},
        scope::OrgScope,
    },
    events::{Detail, ImportChunkReadyV1},
    ports::{
        Chunk, Clock, DealBook, Ids, ImportRecorder, Imported, ImportedOutcome, ImportedWrite, MemberDirectory,
        MemberList, PolicyBook, ReferrerWrite, StoreError,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    Done(RowCounts),
    /// Its report was written before.
    AlreadyDone,
    /// There is nothing to do, for this reason.
    Ignored(&'static str),
    /// The time was over before its end. What was recorded stays.
    OutOfTime,
}

/// The parts that a chunk is worked through with.
#[derive(Debug)]
pub struct ChunkWork<'a, S, D, C, I> {
    pub store: &'a S,
    pub directory: &'a D,
    pub clock: &'a C,
    pub ids: &'a I,
    /// Rows written in a second at most, so that live captures have room; nought for as many as there can be.
    pub rows_per_second: u32,
}

/// What makes a row one: the system that it is from, and what it is called there.
type Name = (String, String);

fn name_of(origin: &Origin) -> Name {
    let (system, id) = origin.name();
    (system.to_owned(), id.to_owned())
}

/// What the rows of a chunk have come to so far.
#[derive(Default)]
struct SoFar {
    /// None for a row that a dry run would create.
    imported: HashMap<Name, Option<Imported>>,
    /// Who holds the keys that were met.
    people: HashMap<ContactKey, PersonId>,
    /// Deals that rows of a dry run would take.
    deals: HashSet<DealId>,
}

/// What all rows of a chunk are read against.
struct Scene<'a> {
    scope: &'a OrgScope,
    chunk: &'a Chunk,
    ground: Ground<'a>,
    event: &'a EventId,
}

impl<S, D, C, I> ChunkWork<'_, S, D, C, I>
where
    S: ImportRecorder + MemberList + PolicyBook + DealBook,
    D: MemberDirectory,
    C: Clock,
    I: Ids,
{
    /// Goes through the chunk, row by row, for as long as `has_time`.
    ///
    /// # Errors
    /// When the store does not answer, or a referrer's row keeps moving. Rows that were recorded stay.
    pub async fn work_through(
        &self,
        event: &Detail<ImportChunkReadyV1>,
        has_time: impl Fn() -> bool + Send,
    ) -> Result<Worked, StoreError> {
        let scope = OrgScope::from_bus_event(event.metadata.organization_id.clone());
        let (id, number) = (&event.data.import_id, event.data.chunk);
        let Some(chunk) = self.store.find_chunk(&scope, id, number).await? else { return Ok(Worked::AlreadyDone) };
        let Some(organization) = self.directory.find_organization(&scope).await? else {
            return Ok(Worked::Ignored("the organization is gone"));
        };
        let members = self.store.list_members(&scope).await?;
        let policy = self.store.find_policy(&scope).await?;
        let ground = Ground { organization: &organization, members: &members, policy: &policy, now: self.clock.now() };
        let scene = Scene { scope: &scope, chunk: &chunk, ground, event: &event.metadata.id };
        let rows: Vec<(u32, Result<ImportRow, Vec<RowError>>)> =
            chunk.rows.iter().map(|row| (row.line, read(&row.content, &ground))).collect();
        let mut so_far = SoFar { imported: self.known(&scene, &rows).await?, ..SoFar::default() };

        let mut reports = Vec::with_capacity(rows.len());
        let mut pace = pace(self.rows_per_second);
        for (line, row) in rows {
            if !has_time() {
                return Ok(Worked::OutOfTime);
            }
            let report = match row {
                Err(errors) => failed(line, errors),
                Ok(row) => match so_far.imported.get(&name_of(&row.origin)) {
                    Some(imported) => report_of(&chunk, line, imported.as_ref()),
                    None if chunk.import.dry_run => self.try_out(&scene, line, &row, &mut so_far).await?,
                    None => {
                        if let Some(pace) = &mut pace {
                            pace.tick().await;
                        }
                        self.record(&scene, line, &row, &mut so_far).await?
                    }
                },
            };
            reports.push(report);
        }
        if self.store.finish_chunk(&scope, &chunk, &reports, self.clock.now()).await? {
            Ok(Worked::Done(RowCounts::of(&reports)))
        } else {
            Ok(Worked::AlreadyDone)
        }
    }

    /// Which of the rows were imported before, in one read.
    async fn known(
        &self,
        scene: &Scene<'_>,
        rows: &[(u32, Result<ImportRow, Vec<RowError>>)],
    ) -> Result<HashMap<Name, Option<Imported>>, StoreError> {
        let origins: Vec<Origin> =
            rows.iter().filter_map(|(_, row)| row.as_ref().ok()).map(|row| row.origin.clone()).collect();
        let found = self.store.find_imported(scene.scope, &origins).await?;
        let known = origins.iter().zip(found).filter(|(_, found)| found.is_some());
        Ok(known.map(|(origin, found)| (name_of(origin), found)).collect())
    }

    /// What would become of a row that nobody has imported.
    async fn try_out(
        &self,
        scene: &Scene<'_>,
        line: u32,
        row: &ImportRow,
        so_far: &mut SoFar,
    ) -> Result<RowReport, StoreError> {
        if let Some(id) = &row.deal_id {
            let deal = self.store.find_deal(scene.scope, id).await?;
            let is_taken = deal.is_some_and(|deal| deal.referral_id.is_some());
            if is_taken || !so_far.deals.insert(id.clone()) {
                return Ok(failed(line, vec![deal_taken()]));
            }
        }
        so_far.imported.insert(name_of(&row.origin), None);
        Ok(RowReport { line, outcome: RowOutcome::Created, referral_id: None, errors: Vec::new() })
    }

    async fn record(
        &self,
        scene: &Scene<'_>,
        line: u32,
        row: &ImportRow,
        so_far: &mut SoFar,
    ) -> Result<RowReport, StoreError> {
        let at = self.clock.now();
        let scene = Scene { ground: Ground { now: at, ..scene.ground }, ..*scene };
        let id = ReferralId::from_ulid(self.ids.ulid(at));
        let stranger = self.stranger(&scene, row);
        let identity = row.referrer_contact.identity();
        let met = identity.as_ref().and_then(|key| so_far.people.get(key)).cloned();
        let mut referrer = met.map_or_else(|| stranger.clone(), ReferrerWrite::Credit);
        let mut lost_a_key = false;
        let mut gone = Vec::new();
        let mut attempts = Attempts::begin(self.clock);
        while attempts.go_on() {
            let write = write(&scene, line, row, &id, &referrer, lost_a_key);
            match self.store.record_imported(scene.scope, &write).await {
                Ok(ImportedOutcome::Recorded) => {
                    let imported = Imported { referral: id, import: write.import, line };
                    let report = report_of(scene.chunk, line, Some(&imported));
                    so_far.imported.insert(name_of(&row.origin), Some(imported));
                    so_far.people.extend(identities(referrer, identity));
                    return Ok(report);
                }
                Ok(ImportedOutcome::Known(imported)) => return Ok(report_of(scene.chunk, line, Some(&imported))),
                Ok(ImportedOutcome::DealTaken) => return Ok(failed(line, vec![deal_taken()])),
                Ok(ImportedOutcome::KeyTaken { key, holder })
                    if Some(&key) == identity.as_ref() && !gone.contains(&holder) =>
                {
                    referrer = ReferrerWrite::Credit(holder);
                    lost_a_key = false;
                }
                // The number belongs to somebody else, or the key to nobody who is there: the new person goes without it.
                Ok(ImportedOutcome::KeyTaken { key, .. }) => {
                    if let ReferrerWrite::Create { keys, .. } = &mut referrer {
                        keys.retain(|own| *own != key);
                    }
                    lost_a_key = true;
                }
                Ok(ImportedOutcome::ReferrerMissing) => {
                    if let ReferrerWrite::Credit(person) = &referrer {
                        gone.push(person.clone());
                    }
                    referrer = stranger.clone();
                }
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    let import = &scene.chunk.import.id;
                    tracing::error!(import.id = %import, import.line = line, error.message = %error, "a row was not imported");
                    return Ok(failed(line, vec![RowError::of_row("not_recorded")]));
                }
            }
        }
        Err(gave_up("importing a row"))
    }

    /// The referrer as somebody new, who agreed to nothing.
    fn stranger(&self, scene: &Scene<'_>, row: &ImportRow) -> ReferrerWrite {
        let at = scene.ground.now;
        let id = PersonId::from_ulid(self.ids.ulid(at));
        let (organization, contact) = (scene.scope.organization().clone(), row.referrer_contact.clone());
        let mut person = Person::new(id, organization, row.referrer_name.clone(), contact, at);
        person.total_referrals = 1;
        person.become_advocate();
        let keys = row.referrer_contact.keys();
        ReferrerWrite::Create { person: Box::new(person), keys, consents: Vec::new() }
    }
}

/// A row for the store, as of one attempt.
fn write(
    scene: &Scene<'_>,
    line: u32,
    row: &ImportRow,
    id: &ReferralId,
    referrer: &ReferrerWrite,
    lost_a_key: bool,
) -> ImportedWrite {
    let (import, at) = (&scene.chunk.import, scene.ground.now);
    let person = match referrer {
        ReferrerWrite::Create { person, .. } => person.id.clone(),
        ReferrerWrite::Credit(person) => person.clone(),
    };
    let mut referral = row.referral(id.clone(), person, &scene.ground);
    referral.risk_flags.extend(lost_a_key.then_some(RiskFlag::PossibleDuplicatePerson));
    let audit = AuditEntry {
        at,
        actor: Actor::Member(import.created_by.clone()).to_string(),
        action: AuditAction::Imported,
        from: None,
        to: Some(referral.status.as_str().to_owned()),
        fields: Vec::new(),
        deal_id: referral.resulting_deal_id.clone(),
        note: None,
        message: None,
        request_id: scene.event.as_str().to_owned(),
        event_id: None,
    };
    ImportedWrite { referral, import: import.id.clone(), line, referrer: referrer.clone(), audit }
}

/// Whom the next row with one of these keys credits.
fn identities(referrer: ReferrerWrite, identity: Option<ContactKey>) -> Vec<(ContactKey, PersonId)> {
    match referrer {
        ReferrerWrite::Create { person, keys, .. } => keys.into_iter().map(|key| (key, person.id.clone())).collect(),
        ReferrerWrite::Credit(person) => identity.into_iter().map(|key| (key, person.clone())).collect(),
    }
}

fn read(content: &RowContent, ground: &Ground<'_>) -> Result<ImportRow, Vec<RowError>> {
    match content {
        RowContent::Cells(cells) => ImportRow::read(cells, ground),
        RowContent::Unreadable(errors) => Err(errors.clone()),
    }
}

/// Of a row whose origin is known: it was created by this very row, in an attempt that nobody reported, or was there before.
fn report_of(chunk: &Chunk, line: u32, imported: Option<&Imported>) -> RowReport {
    let is_own = imported.is_some_and(|imported| imported.import == chunk.import.id && imported.line == line);
    let outcome = if is_own { RowOutcome::Created } else { RowOutcome::Unchanged };
    RowReport { line, outcome, referral_id: imported.map(|imported| imported.referral.clone()), errors: Vec::new() }
}

fn failed(line: u32, errors: Vec<RowError>) -> RowReport {
    RowReport { line, outcome: RowOutcome::Failed, referral_id: None, errors }
}

fn deal_taken() -> RowError {
    RowError::of(Column::DealId, "deal_already_attributed")
}

/// One tick for each row. A row that took longer is not made up for: the rest goes no faster.
fn pace(rows_per_second: u32) -> Option<Interval> {
    let mut pace = interval(Duration::from_secs(1).checked_div(rows_per_second)?);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(pace)
}
