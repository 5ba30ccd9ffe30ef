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
        import::{Column, OWN_SYSTEM, RawRow, RowContent, RowCounts, RowError, RowOutcome, RowReport},
        import_row::{Ground, ImportRow},
        person::Person,
        referral::{Origin, RiskFlag},
        scope::OrgScope,
    },
    events::{Detail, ImportChunkReadyV1},
    ports::{
        Chunk, Clock, DealBook, Ids, ImportRecorder, Imported, ImportedOutcome, ImportedWrite, LinkKeeper,
        MemberDirectory, MemberList, PolicyBook, ReferrerWrite, StoreError,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    Done(RowCounts),
    /// Its report was written before.
    AlreadyDone,
    /// There is nothing to do, for this reason.
    Ignored(&'static str),
    /// There is neither the chunk nor its report: it waited for longer than chunks are kept.
    Missing,
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

/// What stands under a name already.
enum Standing {
    Imported(Imported),
    /// A referral that came in here, by the name that exports give it: nobody brings it over a second time.
    Own(ReferralId),
    /// A dry run would create it.
    Tried,
}

/// A row as it was read.
struct Read {
    line: u32,
    /// What it is called, whatever else is wrong with it: what stands here already stays as it is.
    origin: Option<Origin>,
    row: Result<ImportRow, Vec<RowError>>,
}

/// What the rows of a chunk have come to so far.
#[derive(Default)]
struct SoFar {
    standing: HashMap<Name, Standing>,
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
    S: ImportRecorder + LinkKeeper + MemberList + PolicyBook + DealBook,
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
        let Some(chunk) = self.store.find_chunk(&scope, id, number).await? else {
            return Ok(if self.store.is_finished(&scope, id, number).await? {
                Worked::AlreadyDone
            } else {
                Worked::Missing
            });
        };
        let Some(organization) = self.directory.find_organization(&scope).await? else {
            return Ok(Worked::Ignored("the organization is gone"));
        };
        let members = self.store.list_members(&scope).await?;
        let policy = self.store.find_policy(&scope).await?;
        let ground = Ground { organization: &organization, members: &members, policy: &policy, now: self.clock.now() };
        let scene = Scene { scope: &scope, chunk: &chunk, ground, event: &event.metadata.id };
        let rows: Vec<Read> = chunk.rows.iter().map(|row| read(row, &ground)).collect();
        let mut so_far = SoFar { standing: self.known(&scene, &rows).await?, ..SoFar::default() };

        let mut reports = Vec::with_capacity(rows.len());
        let mut pace = pace(self.rows_per_second);
        for Read { line, origin, row } in rows {
            if !has_time() {
                return Ok(Worked::OutOfTime);
            }
            let standing = origin.as_ref().and_then(|origin| so_far.standing.get(&name_of(origin)));
            let report = match (standing, row) {
                (Some(standing), _) => report_of(&chunk, line, standing),
                (None, Err(errors)) => failed(line, errors),
                (None, Ok(row)) if chunk.import.dry_run => self.try_out(&scene, line, &row, &mut so_far).await?,
                (None, Ok(row)) => {
                    if let Some(pace) = &mut pace {
                        pace.tick().await;
                    }
                    self.record(&scene, line, &row, &mut so_far).await?
                }
            };
            reports.push(report);
        }
        if self.store.finish_chunk(&scope, &chunk, &reports, self.clock.now()).await? {
            Ok(Worked::Done(RowCounts::of(&reports)))
        } else {
            Ok(Worked::AlreadyDone)
        }
    }

    /// Which of the rows are here already: imported before, or never anywhere else.
    async fn known(&self, scene: &Scene<'_>, rows: &[Read]) -> Result<HashMap<Name, Standing>, StoreError> {
        let origins: Vec<Origin> = rows.iter().filter_map(|row| row.origin.clone()).collect();
        let found = self.store.find_imported(scene.scope, &origins).await?;
        let imported = origins.iter().zip(found);
        let mut known: HashMap<Name, Standing> =
            imported.filter_map(|(origin, found)| Some((name_of(origin), Standing::Imported(found?)))).collect();
        let is_own = |origin: &&Origin| origin.source_system.as_str() == OWN_SYSTEM;
        let own: HashSet<ReferralId> = origins
            .iter()
            .filter(is_own)
            .filter(|origin| !known.contains_key(&name_of(origin)))
            .filter_map(|origin| ReferralId::parse(origin.external_id.as_str()).ok())
            .collect();
        if !own.is_empty() {
            let own: Vec<ReferralId> = own.into_iter().collect();
            for row in self.store.find_referrals(scene.scope, &own).await? {
                known.insert((OWN_SYSTEM.to_owned(), row.id.to_string()), Standing::Own(row.id));
            }
        }
        Ok(known)
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
        so_far.standing.insert(name_of(&row.origin), Standing::Tried);
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
                    let recorded = Standing::Imported(Imported { referral: id, import: write.import, line });
                    let report = report_of(scene.chunk, line, &recorded);
                    so_far.standing.insert(name_of(&row.origin), recorded);
                    so_far.people.extend(identities(referrer, identity));
                    return Ok(report);
                }
                Ok(ImportedOutcome::Known(imported)) => {
                    return Ok(report_of(scene.chunk, line, &Standing::Imported(imported)));
                }
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

fn read(raw: &RawRow, ground: &Ground<'_>) -> Read {
    let (origin, row) = match &raw.content {
        RowContent::Cells(cells) => (ImportRow::origin_of(cells), ImportRow::read(cells, ground)),
        RowContent::Unreadable(errors) => (None, Err(errors.clone())),
    };
    Read { line: raw.line, origin, row }
}

/// Of a row that stands here: it was created by this very row, in an attempt that nobody reported, or was there before.
fn report_of(chunk: &Chunk, line: u32, standing: &Standing) -> RowReport {
    let (is_created, referral_id) = match standing {
        Standing::Imported(imported) => {
            (imported.import == chunk.import.id && imported.line == line, Some(imported.referral.clone()))
        }
        Standing::Own(id) => (false, Some(id.clone())),
        Standing::Tried => (false, None),
    };
    let outcome = if is_created { RowOutcome::Created } else { RowOutcome::Unchanged };
    RowReport { line, outcome, referral_id, errors: Vec::new() }
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
