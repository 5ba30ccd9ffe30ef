//! Uploads: what is stored of a file, whole or not at all.

use referrals::{
    domain::{
        id::{EventId, ImportId},
        idempotency::IdempotentRequest,
        import::{Column, FileFormat, Import, RawRow, RowContent, RowCounts, RowError},
        time::Timestamp,
    },
    events::NewEvent,
    ports::{BeginOutcome, ImportDesk as _, NewImport, RememberedAnswer, StoreError},
    store::{Ledger, keys, rows::ImportChunkRow},
};
use referrals_testing::{Fixtures, STARTED_AT, TestStore};

fn upload(rows: usize, per_chunk: usize) -> NewImport {
    let row = |line: usize| {
        let cells = Column::ALL.iter().map(|column| (*column, format!("{line} \"é\"\n🏡"))).collect();
        let content = match line % 3 {
            0 => RowContent::Unreadable(vec![
                RowError::of_row("malformed_json"),
                RowError::of(Column::Notes, "not_text"),
            ]),
            1 => RowContent::Cells([].into()),
            _ => RowContent::Cells(cells),
        };
        RawRow { line: u32::try_from(line).unwrap(), content }
    };
    let all: Vec<_> = (2..).take(rows).map(row).collect();
    let chunks: Vec<Vec<RawRow>> = all.chunks(per_chunk).map(<[RawRow]>::to_vec).collect();
    let at = Timestamp::parse(STARTED_AT).unwrap();
    let import = Import {
        id: ImportId::parse("imp_1").unwrap(),
        organization_id: Fixtures::scope().organization().clone(),
        created_by: Fixtures::owner().user,
        format: FileFormat::JsonLines,
        dry_run: true,
        rows: u32::try_from(rows).unwrap(),
        chunks: u32::try_from(chunks.len()).unwrap(),
        chunks_done: 0,
        counts: RowCounts::default(),
        created_at: at,
        updated_at: at,
        version: 1,
        expires_at: at.plus_seconds(60).epoch_seconds(),
    };
    NewImport { import, chunks, events: Vec::new(), remembered: None }
}

async fn kinds(store: &TestStore) -> Vec<String> {
    let items = store.items().await;
    let mut kinds: Vec<_> = items.iter().map(|item| item.kind().to_owned()).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn what_was_read_of_a_file_is_what_is_stored() {
    let store = TestStore::start().await;
    let (scope, new) = (Fixtures::scope(), upload(230, 10));
    let _ = store.calls.take();
    assert_eq!(store.ledger().begin_import(&scope, &new).await, Ok(BeginOutcome::Begun));
    // Twenty-three chunks, ten at a time, and what makes them an import.
    assert_eq!(store.calls.take(), ["BatchWriteItem", "BatchWriteItem", "BatchWriteItem", "TransactWriteItems"]);
    assert_eq!(store.ledger().find_import(&scope, &new.import.id).await, Ok(Some(new.import.clone())));
    let mut found = store.items().await;
    found.retain(|item| item.kind() == "CHUNK");
    found.sort_by_key(|item| item.text(keys::SK).to_owned());
    let rows = found.into_iter().map(|item| serde_dynamo::from_item::<_, ImportChunkRow>(item.0).unwrap());
    assert!(rows.map(|row| row.rows).collect::<Vec<_>>() == new.chunks);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let store = TestStore::start().await;
    let scope = Fixtures::scope();
    let mut new = upload(120, 10);
    let at = new.import.created_at;
    let remembered = |body: &str| RememberedAnswer {
        request: IdempotentRequest::new(&["api"], "k", body.as_bytes()).unwrap(),
        answer: "first".to_owned(),
        about: None,
        expires_at: at.plus_seconds(60),
    };
    new.remembered = Some(remembered("one"));
    assert_eq!(store.ledger().begin_import(&scope, &new).await, Ok(BeginOutcome::Begun));
    let before = kinds(&store).await;
    new.import.id = ImportId::parse("imp_2").unwrap();
    new.remembered = Some(remembered("two"));
    let outcome = store.ledger().begin_import(&scope, &new).await.unwrap();
    assert!(matches!(&outcome, BeginOutcome::KeyUsed(used) if used.answer.as_deref() == Some("first")), "{outcome:?}");
    assert_eq!(kinds(&store).await, before);
    // A permission or a table that is missing is found only at the last step.
    let broken = Ledger::new(store.client.clone(), store.table.clone(), "no-such-table".to_owned());
    let event = NewEvent {
        id: EventId::parse("evt_1").unwrap(),
        detail_type: "IMPORT_CHUNK_READY",
        occurred_at: at,
        detail: "{}".to_owned(),
    };
    new.events.push(event);
    new.remembered = None;
    let failed = broken.begin_import(&scope, &new).await;
    assert!(matches!(failed, Err(StoreError::Failed { .. })), "{failed:?}");
    assert_eq!(kinds(&store).await, before);
    assert_eq!(store.ledger().find_import(&scope, &new.import.id).await, Ok(None));
}
