//! Files of rows that wait to be imported, put in place as the API leaves them.

use referrals::{
    domain::{
        id::{EventId, ImportId, UserId},
        import::{CHUNK_ROWS, Column, FileFormat, Import, KEPT_SECONDS, RawRow, RowContent, RowCounts, RowReport},
        time::Timestamp,
    },
    events::{Detail, EventData as _, ImportChunkReadyV1, Metadata},
    store::{
        keys,
        rows::{ImportChunkRow, ImportReportRow, from_item, to_item},
        transaction::{Attributes, primary},
    },
};

use crate::{Fixtures, STARTED_AT, TestStore};

/// An upload of the demo organization's owner.
#[derive(Debug, Clone)]
pub struct Upload {
    pub import: Import,
}

impl Upload {
    /// A row: `column=value` for each cell, after those that every row has.
    #[must_use]
    pub fn row(line: u32, cells: &[&str]) -> RawRow {
        let plain = ["sourceSystem=crm", "referrerName=Pat Jones", "referredName=Sam Lee", "agentUserId=user_789"];
        let own = [format!("externalId={line}"), "receivedAt=2026-03-01T10:00:00Z".to_owned()];
        let all = plain.iter().copied().chain(own.iter().map(String::as_str)).chain(cells.iter().copied());
        let cells = all.map(|cell| {
            let (column, value) = cell.split_once('=').expect("column=value");
            (Column::find(column).expect("a column"), value.to_owned())
        });
        RawRow { line, content: RowContent::Cells(cells.collect()) }
    }

    /// Puts the rows in place, in chunks.
    pub async fn begin(store: &TestStore, rows: &[RawRow], dry_run: bool) -> Self {
        Self::begin_in_chunks_of(CHUNK_ROWS, store, rows, dry_run).await
    }

    /// The same, in chunks of another size: some tests want more than one and have little time.
    pub async fn begin_in_chunks_of(size: usize, store: &TestStore, rows: &[RawRow], dry_run: bool) -> Self {
        let at = Timestamp::parse(STARTED_AT).unwrap();
        let chunks: Vec<&[RawRow]> = rows.chunks(size).collect();
        let import = Import {
            id: ImportId::from_ulid(ulid::Ulid::generate()),
            organization_id: Fixtures::scope().organization().clone(),
            created_by: UserId::parse(Fixtures::OWNER).unwrap(),
            format: FileFormat::Csv,
            dry_run,
            rows: u32::try_from(rows.len()).unwrap(),
            chunks: u32::try_from(chunks.len()).unwrap(),
            chunks_done: 0,
            counts: RowCounts::default(),
            created_at: at,
            updated_at: at,
            version: 1,
            expires_at: at.plus_seconds(KEPT_SECONDS).epoch_seconds(),
        };
        let scope = Fixtures::scope();
        for (number, rows) in (1..).zip(chunks) {
            let row = ImportChunkRow { rows: rows.to_vec(), expires_at: import.expires_at };
            put(store, to_item(&row, &keys::import_chunk(&scope, &import.id, number)).unwrap()).await;
        }
        put(store, to_item(&import, &keys::import(&scope, &import.id)).unwrap()).await;
        let _ = (store.calls.take(), store.calls.take_units());
        Self { import }
    }

    /// What says that a chunk waits; the first is number 1.
    #[must_use]
    pub fn event(&self, chunk: u32) -> Detail<ImportChunkReadyV1> {
        let import = &self.import;
        let metadata = Metadata {
            id: EventId::parse(&format!("evt_{chunk}_of_{import}", import = import.id.as_str())).unwrap(),
            version: ImportChunkReadyV1::VERSION,
            occurred_at: import.created_at,
            organization_id: import.organization_id.clone(),
            subject: import.id.as_str().to_owned(),
            aggregate_version: 1,
            causation_id: None,
            traceparent: None,
        };
        Detail { metadata, data: ImportChunkReadyV1 { import_id: import.id.clone(), chunk } }
    }

    /// The import as it is now.
    pub async fn now(&self, store: &TestStore) -> Import {
        let item = self.item(store, &keys::import(&Fixtures::scope(), &self.import.id)).await;
        from_item("a test", item).expect("an import")
    }

    /// What was reported of a chunk.
    pub async fn report(&self, store: &TestStore, chunk: u32) -> Vec<RowReport> {
        let item = self.item(store, &keys::import_report(&Fixtures::scope(), &self.import.id, chunk)).await;
        let row: ImportReportRow = from_item("a test", item).expect("a report");
        row.reports
    }

    async fn item(&self, store: &TestStore, keys: &keys::Keys) -> Attributes {
        let get = store.client.get_item().table_name(&store.table).consistent_read(true);
        let output = get.set_key(Some(primary(keys))).send().await.unwrap();
        let _ = (store.calls.take(), store.calls.take_units());
        output.item.expect("the row is there")
    }
}

async fn put(store: &TestStore, item: Attributes) {
    store.client.put_item().table_name(&store.table).set_item(Some(item)).send().await.unwrap();
}
