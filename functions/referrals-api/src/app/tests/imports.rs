//! Files of referrals from other systems, from the upload to the report.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use referrals::{
    domain::import::{Import, MAX_BYTES},
    events::{Detail, ImportChunkReadyV1},
    store::{
        keys,
        rows::{ImportChunkRow, to_item},
    },
};
use referrals_testing::{Bulk, Item};

use super::*;

pub(in crate::app) const IMPORTS: &str = "/api/reputation/imports";
const HEADER: &str = "sourceSystem,externalId,referrerName,referrerEmail,referredName,agentUserId,receivedAt,notes";
const UNKNOWN: &str = "imp_00000000000000000000000000";

/// A file of so many rows that are fine.
pub(super) fn file(rows: usize) -> String {
    let row = |number| format!("crm,{number},Pat Jones,pat@example.com,Sam Lee,user_789,2024-05-01T15:00:00Z,\r\n");
    format!("{HEADER}\r\n{}", (1..=rows).map(row).collect::<String>())
}

pub(super) fn upload(who: Who, body: impl Into<String>) -> Call {
    let mut call = call(who, "POST", IMPORTS).header("content-type", "text/csv");
    call.body = Some(body.into());
    call
}

impl World {
    /// As the gateway hands over what is not text for it.
    async fn upload_bytes(&self, content_type: &str, bytes: &[u8]) -> Answered {
        let (status, body, response) = self
            .send(LIST, |event| {
                event["requestContext"]["http"]["method"] = json!("POST");
                event["rawPath"] = json!(IMPORTS);
                event["rawQueryString"] = json!("");
                event["headers"]["content-type"] = json!(content_type);
                event["body"] = json!(STANDARD.encode(bytes));
                event["isBase64Encoded"] = json!(true);
                claims(OWNER.0, OWNER.1, OWNER.2)(event);
            })
            .await;
        Answered { status, body, response }
    }

    /// The rows of imports that there are, by kind.
    async fn stored(&self, kind: &str) -> Vec<Item> {
        let items = self.store.items().await;
        items.into_iter().filter(|item| item.text(keys::PK).contains("#IMPORT#") && item.kind() == kind).collect()
    }

    async fn assert_nothing_is_stored(&self, case: &str) {
        for kind in ["IMPORT", "CHUNK", "REPORT"] {
            assert!(self.stored(kind).await.is_empty(), "{case}: {kind}");
        }
        assert!(self.store.outbox_items().await.is_empty(), "{case}");
    }
}

pub(super) fn id(answered: &Answered) -> String {
    assert_eq!(answered.status, 202, "{}", answered.body);
    answered.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_taken_in_and_waits_in_chunks() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    let started = world.call(upload(OWNER, file(250))).await;
    assert_eq!(world.store.calls.take(), ["BatchGetItem", "BatchWriteItem", "TransactWriteItems"]);
    let id = id(&started);
    assert_eq!(started.header("location"), format!("{IMPORTS}/{id}"));
    assert_eq!(started.header("etag"), "\"1\"");
    let at = started.body["createdAt"].clone();
    assert_eq!(
        started.body,
        json!({
            "id": id, "status": "RUNNING", "format": "CSV", "dryRun": false,
            "rows": {"total": 250, "done": 0, "created": 0, "unchanged": 0, "failed": 0},
            "createdBy": Fixtures::OWNER, "createdAt": at, "updatedAt": at
        })
    );
    let found = world.call(call(OWNER, "GET", format!("{IMPORTS}/{id}"))).await;
    assert_eq!((found.status, &found.body, found.header("etag")), (200, &started.body, "\"1\""));
    let mut chunks: Vec<ImportChunkRow> = Vec::new();
    for item in world.stored("CHUNK").await {
        assert!(item.number("expiresAt") > SystemClock.now().epoch_seconds());
        chunks.push(serde_dynamo::from_item(item.0).unwrap());
    }
    chunks.sort_by_key(|chunk| chunk.rows[0].line);
    assert_eq!(chunks.iter().map(|chunk| chunk.rows.len()).collect::<Vec<_>>(), [100, 100, 50]);
    let lines: Vec<_> = chunks.iter().flat_map(|chunk| chunk.rows.iter().map(|row| row.line)).collect();
    assert_eq!(lines, (2..=251).collect::<Vec<_>>());
    let mut numbers = Vec::new();
    for item in world.store.outbox_items().await {
        assert_eq!(item.text("detailType"), "IMPORT_CHUNK_READY");
        let event: Detail<ImportChunkReadyV1> = Detail::parse(item.text("detail")).unwrap();
        assert_eq!((event.metadata.subject.as_str(), event.data.import_id.as_str()), (id.as_str(), id.as_str()));
        assert_eq!(event.metadata.organization_id.as_str(), Fixtures::ORGANIZATION);
        numbers.push(event.data.chunk);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn json_lines_and_a_dry_run_are_told_apart() {
    let world = World::new().await;
    for (media, format) in [("application/x-ndjson", "JSON_LINES"), ("application/jsonl; charset=utf-8", "JSON_LINES")]
    {
        let answered = world.upload_bytes(media, b"{\"externalId\":1}\nnonsense\n").await;
        let _ = id(&answered);
        assert_eq!((&answered.body["format"], &answered.body["rows"]["total"]), (&json!(format), &json!(2)));
    }
    for (query, dry_run) in [("?dryRun=true", true), ("?dryRun=false", false), ("", false)] {
        let mut upload = upload(OWNER, file(1));
        upload.path.push_str(query);
        assert_eq!(world.call(upload).await.body["dryRun"], json!(dry_run));
    }
    let marked: Vec<_> = world
        .stored("IMPORT")
        .await
        .into_iter()
        .filter(|item| item.0["dryRun"] == AttributeValue::Bool(true))
        .collect();
    assert_eq!(marked.len(), 1);
    for query in ["?dryRun=", "?dryRun=1", "?dryRun=TRUE", "?dryRun=true&dryRun=true", "?dryrun=true", "?limit=1"] {
        let mut upload = upload(OWNER, file(1));
        upload.path.push_str(query);
        assert_eq!(world.call(upload).await.code(), (400, "invalid_query"), "{query}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_with_its_line_and_nothing_is_stored() {
    let world = World::new().await;
    let row = "crm,1,Pat,p@example.com,Sam,user_789,2024-05-01T15:00:00Z,";
    let line = |number: u32, code: &str| json!([{"pointer": format!("/lines/{number}"), "code": code}]);
    for (file, wanted) in [
        (String::new(), line(1, "no_rows")),
        (HEADER.to_owned(), line(2, "no_rows")),
        (format!("{HEADER},colour\n{row},\n"), line(1, "unknown_column")),
        (format!("{HEADER},referrerConsentSms\n{row},\n"), line(1, "consent_not_importable")),
        (format!("{HEADER},notes\n{row},\n"), json!([{"pointer": "/columns/notes", "code": "repeated_column"}])),
        (
            format!("{}\n{row}\n", HEADER.replace("receivedAt", "status").replace("agentUserId", "channel")),
            json!([
                {"pointer": "/columns/receivedAt", "code": "required"},
                {"pointer": "/columns/agentUserId", "code": "required"}
            ]),
        ),
        (file(5_001), line(5_002, "too_many_rows")),
        (format!("{HEADER}\n{row}\n{row}\"never closed\n{row}\n"), line(3, "unbalanced_quotes")),
        (format!("{HEADER}\n{row}\n{row}{}\n", "x".repeat(32_768)), line(3, "row_too_large")),
        // What the gateway makes of bytes that it cannot read as text.
        (format!("{HEADER}\n{row}\n{row}Jos\u{FFFD}\n"), line(3, "not_utf8")),
    ] {
        let refused = world.call(upload(OWNER, file.clone())).await;
        assert_eq!(refused.code(), (422, "invalid_file"), "{file:.200}");
        assert_eq!(refused.body["errors"], wanted, "{file:.200}");
    }
    let latin1 = [HEADER.as_bytes(), b"\r\n", row.as_bytes(), b"Jos\xE9\r\n"].concat();
    let refused = world.upload_bytes("text/csv", &latin1).await;
    assert_eq!((refused.code(), &refused.body["errors"]), ((422, "invalid_file"), &line(2, "not_utf8")));
    // Nothing of what was sent comes back.
    let secret = format!("{HEADER},Secret Name\n{row}Secret Text\n");
    assert!(!world.call(upload(OWNER, secret)).await.bytes().contains("Secret"));
    world.assert_nothing_is_stored("a refused file").await;
}

#[tokio::test]
async fn a_file_has_its_own_limit_and_its_own_media_types() {
    let world = World::new().await;
    let mut largest = format!("{HEADER}\n").into_bytes();
    let row = format!("crm,1,Pat,p@example.com,Sam,user_789,2024-05-01T15:00:00Z,{}\n", "x".repeat(4_000));
    while largest.len() + row.len() <= MAX_BYTES {
        largest.extend(row.as_bytes());
    }
    largest.resize(MAX_BYTES, b'\n');
    let mut larger = largest.clone();
    larger.push(b'\n');
    assert_eq!(world.upload_bytes("text/csv", &larger).await.code(), (413, "body_too_large"));
    for media in ["application/json", "text/plain", "text/csv; charset=iso-8859-1", "application/vnd.ms-excel"] {
        let refused = world.upload_bytes(media, file(1).as_bytes()).await;
        assert_eq!(refused.code(), (415, "unsupported_media_type"), "{media}");
        assert_eq!(refused.header("accept-post"), "text/csv, application/x-ndjson, application/jsonl");
    }
    let packed = upload(OWNER, file(1)).header("content-encoding", "gzip");
    assert_eq!(world.call(packed).await.code(), (415, "unsupported_content_encoding"));
    world.assert_nothing_is_stored("what is no file").await;
    // Three megabytes, to the byte.
    let answered = world.upload_bytes("text/csv", &largest).await;
    let _ = id(&answered);
    let chunks = world.store.outbox_items().await.len();
    assert!((15..=20).contains(&chunks), "{chunks}");
    // Other routes take no more than before.
    let body = json!({"referrerPersonId": "person_111", "referredName": "Sam", "notes": "x".repeat(32_768)});
    assert_eq!(world.call(call(OWNER, "POST", REFERRALS).json(body)).await.code(), (413, "body_too_large"));
}

#[tokio::test]
async fn five_thousand_rows_are_one_request() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    let answered = world.call(upload(OWNER, file(5_000)).header("idempotency-key", "k")).await;
    let calls = world.store.calls.take();
    assert_eq!(calls.iter().filter(|call| *call == "BatchWriteItem").count(), 5);
    assert_eq!(calls.last().map(String::as_str), Some("TransactWriteItems"));
    assert_eq!(answered.body["rows"]["total"], 5_000);
    assert_eq!(world.store.outbox_items().await.len(), 50);
    assert_eq!(id(&answered).len(), 30);
}

#[tokio::test]
async fn only_owners_and_admins_import_and_only_their_own_is_there() {
    let world = World::new().await;
    let own = id(&world.call(upload(OWNER, file(1))).await);
    let admin = (Fixtures::ORGANIZATION, Fixtures::OWNER, "ADMIN");
    let admins = id(&world.call(upload(admin, file(1))).await);
    assert_eq!(world.call(upload(JANE, file(1))).await.code(), (403, "forbidden"));
    assert_eq!(world.call(upload(JANE, "nonsense")).await.code(), (403, "forbidden"));
    assert_eq!(world.stored("IMPORT").await.len(), 2);
    let others = id(&world.call(upload(OTHER, file(1))).await);
    for rows in ["", "/rows"] {
        let path = |id: &str| format!("{IMPORTS}/{id}{rows}");
        for id in [&own, &admins] {
            assert_eq!(world.call(call(OWNER, "GET", path(id))).await.status, 200);
        }
        let unknown = world.call(call(OWNER, "GET", path(UNKNOWN))).await.bytes();
        assert!(unknown.starts_with("404"));
        for id in [others.as_str(), "nonsense", "imp_", "%00", "person_111", &own.to_lowercase()] {
            assert_eq!(world.call(call(OWNER, "GET", path(id))).await.bytes(), unknown, "{id}");
        }
        assert_eq!(world.call(call(OTHER, "GET", path(&own))).await.bytes(), unknown);
        // A member learns nothing of any id.
        let forbidden = world.call(call(JANE, "GET", path(UNKNOWN))).await;
        assert_eq!(forbidden.code(), (403, "forbidden"));
        for id in [own.as_str(), others.as_str(), "nonsense"] {
            assert_eq!(world.call(call(JANE, "GET", path(id))).await.bytes(), forbidden.bytes(), "{id}");
        }
    }
}

#[tokio::test]
async fn an_import_whose_time_is_over_is_gone_before_the_store_forgets_it() {
    let world = World::new().await;
    let id = id(&world.call(upload(OWNER, file(1))).await);
    let item = world.stored("IMPORT").await.remove(0);
    let mut import: Import = serde_dynamo::from_item(item.0).unwrap();
    import.expires_at = SystemClock.now().epoch_seconds();
    let keys = keys::import(&Fixtures::scope(), &import.id);
    Bulk::put(&world.store, [to_item(&import, &keys).unwrap()]).await;
    for rows in ["", "/rows"] {
        assert_eq!(world.call(call(OWNER, "GET", format!("{IMPORTS}/{id}{rows}"))).await.code(), (404, "not_found"));
    }
}

#[tokio::test]
async fn a_named_upload_is_one_import_however_often_it_is_sent() {
    let world = World::new().await;
    let named = |who, body: String| upload(who, body).header("idempotency-key", "monday");
    let first = world.call(named(OWNER, file(120))).await;
    let own = id(&first);
    assert_eq!(world.call(named(OWNER, file(120))).await.bytes(), first.bytes());
    // Other bytes, and the same bytes in another sense.
    let dry = Call { path: format!("{IMPORTS}?dryRun=true"), ..named(OWNER, file(120)) };
    let mut json = named(OWNER, file(120));
    json.headers[0].1 = "application/jsonl".to_owned();
    for other in [named(OWNER, file(119)), dry, json] {
        assert_eq!(world.call(other).await.code(), (422, "idempotency_key_reused"));
    }
    assert_eq!((world.stored("IMPORT").await.len(), world.stored("CHUNK").await.len()), (1, 2));
    // A refusal is not remembered: the file may be right the next time.
    let wrong = upload(OWNER, "nonsense").header("idempotency-key", "tuesday");
    assert_eq!(world.call(wrong).await.code(), (422, "invalid_file"));
    let right = upload(OWNER, file(1)).header("idempotency-key", "tuesday");
    assert_ne!(id(&world.call(right).await), own);
    // Another organization's key is another key.
    assert_ne!(id(&world.call(named(OTHER, file(120))).await), own);
}

#[tokio::test]
async fn ten_at_once_under_one_name_leave_one_import_and_nothing_of_the_others() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let world = World { router: world.router.clone(), store: world.store.clone() };
        tasks.spawn(async move { world.call(upload(OWNER, file(120)).header("idempotency-key", "k")).await.bytes() });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("202")), "{answers:?}");
    assert_eq!((world.stored("IMPORT").await.len(), world.stored("CHUNK").await.len()), (1, 2));
    assert_eq!(world.store.outbox_items().await.len(), 2);
}
