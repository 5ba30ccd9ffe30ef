//! Chunks of imports: reading them, recording their rows, and putting the report in their place.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger,
    batch::get_all,
    error::unreadable_row,
    keys,
    record_referral::IS_KNOWN,
    rows::{ContactRow, ImportChunkRow, ImportReportRow, LinkRow, OriginRow, from_item, to_item},
    transaction::{Committed, Refusal, Transaction},
};
use crate::{
    domain::{
        id::ImportId,
        import::{Import, RowCounts, RowReport},
        referral::Origin,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Chunk, ImportRecorder, Imported, ImportedOutcome, ImportedWrite, ReferrerWrite, StoreError},
};

const READING: &str = "reading a chunk";
const RECORDING: &str = "importing a row";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Origin,
    Deal,
    /// The key at this place in `ReferrerWrite::Create::keys`.
    Contact(usize),
    Referrer,
    /// The rows that wait.
    Chunk,
    /// Rows that are new, or count what was done.
    Effect,
}

impl ImportRecorder for Ledger {
    async fn find_chunk(&self, scope: &OrgScope, id: &ImportId, number: u32) -> Result<Option<Chunk>, StoreError> {
        let waiting: Option<ImportChunkRow> = self.get(READING, &keys::import_chunk(scope, id, number)).await?;
        let Some(waiting) = waiting else { return Ok(None) };
        let import: Option<Import> = self.get(READING, &keys::import(scope, id)).await?;
        Ok(import.map(|import| Chunk { import, number, rows: waiting.rows }))
    }

    async fn find_imported(&self, scope: &OrgScope, origins: &[Origin]) -> Result<Vec<Option<Imported>>, StoreError> {
        let operation = "reading origins";
        let keys: Vec<keys::Keys> = origins.iter().map(|origin| keys::origin(scope, origin)).collect();
        let mut wanted: Vec<keys::Keys> = Vec::new();
        for key in &keys {
            if !wanted.contains(key) {
                wanted.push(key.clone());
            }
        }
        let mut found: HashMap<String, Imported> = HashMap::new();
        for item in get_all(&self.client, &self.table, operation, &wanted).await? {
            let partition = item.get(keys::PK).and_then(|pk| pk.as_s().ok()).cloned();
            let row: OriginRow = from_item(operation, item)?;
            found.insert(partition.ok_or_else(|| unreadable_row(operation))?, row.into());
        }
        Ok(keys.iter().map(|key| found.get(key.partition()).cloned()).collect())
    }

    async fn record_imported(&self, scope: &OrgScope, write: &ImportedWrite) -> Result<ImportedOutcome, StoreError> {
        let referral = &write.referral;
        let origin = referral.origin.as_deref().ok_or_else(|| incomplete("a referral without an origin"))?;
        let mut transaction = Transaction::default();
        let row = OriginRow { referral_id: referral.id.clone(), import_id: write.import.clone(), line: write.line };
        transaction.create(Part::Origin, &self.table, to_item(&row, &keys::origin(scope, origin))?)?;
        transaction.create(Part::Effect, &self.table, to_item(referral, &keys::referral_row(scope, referral))?)?;
        self.count_in(&mut transaction, Part::Effect, scope, referral)?;
        self.write_referrer(&mut transaction, scope, write)?;
        let link = LinkRow { referral_id: referral.id.clone(), created_at: referral.created_at };
        transaction.create(Part::Effect, &self.table, to_item(&link, &keys::referred_link(scope, referral))?)?;
        if let Some(deal) = &referral.resulting_deal_id {
            self.link_deal(&mut transaction, Part::Deal, scope, deal, &referral.id)?;
        }
        let audit = keys::audit(scope, &referral.id, &write.audit);
        transaction.create(Part::Effect, &self.table, to_item(&write.audit, &audit)?)?;
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(ImportedOutcome::Recorded),
            Committed::Refused(refusals) => outcome(refusals, &write.referrer),
        }
    }

    async fn is_finished(&self, scope: &OrgScope, id: &ImportId, number: u32) -> Result<bool, StoreError> {
        let report: Option<ImportReportRow> = self.get(READING, &keys::import_report(scope, id, number)).await?;
        Ok(report.is_some())
    }

    async fn finish_chunk(
        &self,
        scope: &OrgScope,
        chunk: &Chunk,
        reports: &[RowReport],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (import, counts) = (&chunk.import, RowCounts::of(reports));
        let mut transaction = Transaction::default();
        let waiting = keys::import_chunk(scope, &import.id, chunk.number);
        transaction.delete_if(Part::Chunk, &self.table, &waiting, "attribute_exists(pk)", [])?;
        let row = ImportReportRow { reports: reports.to_vec(), expires_at: import.expires_at };
        let report = keys::import_report(scope, &import.id, chunk.number);
        transaction.create(Part::Effect, &self.table, to_item(&row, &report)?)?;
        transaction.update(
            Part::Effect,
            &self.table,
            &keys::import(scope, &import.id),
            "SET updatedAt = :at ADD chunksDone :one, created :created, unchanged :unchanged, failed :failed, version :one",
            "attribute_exists(pk)",
            [
                (":at", text(&at.to_string())),
                (":one", number(1)),
                (":created", number(counts.created)),
                (":unchanged", number(counts.unchanged)),
                (":failed", number(counts.failed)),
            ],
        )?;
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(true),
            Committed::Refused(refusals) if refusals.iter().any(|refusal| refusal.name == Part::Chunk) => Ok(false),
            Committed::Refused(_) => Err(incomplete("a chunk without its import")),
        }
    }
}

impl Ledger {
    fn write_referrer(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        write: &ImportedWrite,
    ) -> Result<(), StoreError> {
        match &write.referrer {
            ReferrerWrite::Create { person, keys: contact_keys, .. } => {
                transaction.create(Part::Referrer, &self.table, to_item(person, &keys::person_row(scope, person))?)?;
                for (place, key) in contact_keys.iter().enumerate() {
                    let (name, row) = (Part::Contact(place), ContactRow { person_id: person.id.clone() });
                    transaction.create(name, &self.table, to_item(&row, &keys::contact(scope, key))?)?;
                }
                Ok(())
            }
            ReferrerWrite::Credit(person) => transaction.update(
                Part::Referrer,
                &self.table,
                &keys::person(scope, person),
                "SET updatedAt = :at, relationshipStage = :advocate ADD totalReferrals :one, version :one",
                IS_KNOWN,
                [(":at", text(&write.audit.at.to_string())), (":advocate", text("ADVOCATE")), (":one", number(1))],
            ),
        }
    }
}

/// The first reason in the order that the port promises.
fn outcome(mut refusals: Vec<Refusal<Part>>, referrer: &ReferrerWrite) -> Result<ImportedOutcome, StoreError> {
    refusals.sort_by_key(|refusal| match refusal.name {
        Part::Origin => 0,
        Part::Deal => 1,
        Part::Contact(place) => 2 + place,
        Part::Referrer => usize::MAX - 1,
        Part::Chunk | Part::Effect => usize::MAX,
    });
    let first = refusals.into_iter().next().ok_or_else(|| unreadable_row(RECORDING))?;
    match (first.name, referrer) {
        (Part::Origin, _) => {
            let row: OriginRow = from_item(RECORDING, first.existing)?;
            Ok(ImportedOutcome::Known(row.into()))
        }
        (Part::Deal, _) => Ok(ImportedOutcome::DealTaken),
        (Part::Contact(place), ReferrerWrite::Create { keys, .. }) => {
            let row: ContactRow = from_item(RECORDING, first.existing)?;
            let key = keys.get(place).ok_or_else(|| unreadable_row(RECORDING))?.clone();
            Ok(ImportedOutcome::KeyTaken { key, holder: row.person_id })
        }
        (Part::Referrer, ReferrerWrite::Credit(_)) => Ok(ImportedOutcome::ReferrerMissing),
        _ => Err(incomplete("a new id was taken")),
    }
}

impl From<OriginRow> for Imported {
    fn from(row: OriginRow) -> Self {
        Self { referral: row.referral_id, import: row.import_id, line: row.line }
    }
}

fn incomplete(reason: &str) -> StoreError {
    StoreError::Failed { operation: RECORDING, reason: reason.to_owned() }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
