//! Uploaded files: what is stored of one before it is worked through, and what is read of it since.

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};

use super::{
    Ledger, answers,
    error::store_error,
    keys,
    rows::{ImportChunkRow, ImportReportRow, from_item, to_item},
    transaction::{Committed, Patience, Transaction, primary},
};
use crate::{
    domain::{
        id::ImportId,
        import::{Import, RowOutcome, RowReport, WAITING_SECONDS},
        scope::OrgScope,
    },
    ports::{BeginOutcome, ImportDesk, NewImport, StoreError},
};

const OPERATION: &str = "beginning an import";

/// `BatchWriteItem` takes 25 requests. These are large ones: ten of them are two megabytes at most, which is what goes over
/// the line within the time of one call.
const MAX_WRITES: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    Import,
    Event,
}

impl ImportDesk for Ledger {
    async fn begin_import(&self, scope: &OrgScope, new: &NewImport) -> Result<BeginOutcome, StoreError> {
        // Nobody finds a chunk before there is an event that names it.
        if let Err(error) = self.put_chunks(scope, new).await {
            self.discard_chunks(scope, new).await;
            return Err(error);
        }
        let NewImport { import, chunks: _, events, remembered } = new;
        let mut transaction = Transaction::default();
        transaction.create(Part::Import, &self.table, to_item(import, &keys::import(scope, &import.id))?)?;
        if let Some(remembered) = remembered {
            self.remember(&mut transaction, Part::Answer, scope, remembered, import.created_at)?;
        }
        for event in events {
            transaction.create(Part::Event, &self.outbox_table, super::outbox::item(event)?)?;
        }
        let refusals = match transaction.commit(&self.client).await {
            Ok(Committed::Done) => return Ok(BeginOutcome::Begun),
            Ok(Committed::Refused(refusals)) => refusals,
            Err(error) => {
                // Where the answer may be what was lost the import may have begun, and its chunks stay.
                if !error.is_retryable() {
                    self.discard_chunks(scope, new).await;
                }
                return Err(error);
            }
        };
        match refusals.into_iter().find(|refusal| refusal.name == Part::Answer) {
            Some(used) => {
                self.discard_chunks(scope, new).await;
                answers::used_key(OPERATION, used.existing).map(BeginOutcome::KeyUsed)
            }
            // Whoever has the id may be this very request, and its chunks are at work.
            None => Err(StoreError::Failed { operation: OPERATION, reason: "a new id is taken".to_owned() }),
        }
    }

    async fn find_import(&self, scope: &OrgScope, id: &ImportId) -> Result<Option<Import>, StoreError> {
        self.get("reading an import", &keys::import(scope, id)).await
    }

    async fn list_import_rows(
        &self,
        scope: &OrgScope,
        id: &ImportId,
        outcome: Option<RowOutcome>,
        after: u32,
        limit: u32,
    ) -> Result<(Vec<RowReport>, bool), StoreError> {
        let operation = "reading the report of an import";
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut rows, mut start) = (Vec::new(), None);
        // A file is bounded, and so is its report: a megabyte or so in all.
        loop {
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(keys::import_partition(scope, id)))
                .expression_attribute_values(":prefix", AttributeValue::S(keys::REPORT.to_owned()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| store_error(operation, &error))?;
            for item in output.items.unwrap_or_default() {
                let chunk: ImportReportRow = from_item(operation, item)?;
                let wanted = |row: &RowReport| row.line > after && outcome.is_none_or(|outcome| row.outcome == outcome);
                rows.extend(chunk.reports.into_iter().filter(wanted));
                // One row more than asked for shows whether there is a next page.
                if rows.len() > limit {
                    rows.truncate(limit);
                    return Ok((rows, true));
                }
            }
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok((rows, false));
            }
        }
    }
}

impl Ledger {
    async fn put_chunks(&self, scope: &OrgScope, new: &NewImport) -> Result<(), StoreError> {
        let mut requests = Vec::with_capacity(new.chunks.len());
        for (number, rows) in (1..).zip(&new.chunks) {
            let expires_at = new.import.created_at.plus_seconds(WAITING_SECONDS).epoch_seconds();
            let row = ImportChunkRow { rows: rows.clone(), expires_at };
            let item = to_item(&row, &keys::import_chunk(scope, &new.import.id, number))?;
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(|_| incomplete())?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        self.write_all(requests).await
    }

    /// Takes chunks away that no event will ever name. What cannot be taken away now expires: there is nothing better to do
    /// about it here, and the answer to the request is another.
    async fn discard_chunks(&self, scope: &OrgScope, new: &NewImport) {
        let numbers = (1..).zip(&new.chunks).map(|(number, _)| number);
        let keys = numbers.map(|number| primary(&keys::import_chunk(scope, &new.import.id, number)));
        let deletes = keys.filter_map(|key| DeleteRequest::builder().set_key(Some(key)).build().ok());
        let requests = deletes.map(|delete| WriteRequest::builder().delete_request(delete).build()).collect();
        if let Err(error) = self.write_all(requests).await {
            tracing::warn!(error.message = %error, "chunks of an import that was not begun stay until they expire");
        }
    }

    /// As many at a time as one call takes; what the table leaves out is sent again for as long as some of it gets through.
    async fn write_all(&self, mut left: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut patience = Patience::new();
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(MAX_WRITES));
            let sent = left.len();
            let output = self
                .client
                .batch_write_item()
                .request_items(&self.table, left)
                .send()
                .await
                .map_err(|error| store_error(OPERATION, &error))?;
            let unprocessed: Vec<_> = output.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if unprocessed.len() < sent {
                patience = Patience::new();
            }
            if !unprocessed.is_empty() && !patience.wait().await {
                return Err(StoreError::Unavailable { operation: OPERATION, reason: "unprocessed items".to_owned() });
            }
            left = unprocessed;
            left.extend(rest);
        }
        Ok(())
    }
}

fn incomplete() -> StoreError {
    StoreError::Failed { operation: OPERATION, reason: "an incomplete request".to_owned() }
}
