//! What became of the rows of a file, as its uploader reads it.

use referrals::{
    domain::{
        id::{ImportId, ReferralId},
        import::{Column, RowError, RowOutcome, RowReport},
    },
    store::{
        keys,
        rows::{ImportReportRow, to_item},
    },
};
use referrals_testing::Bulk;

use super::{
    imports::{IMPORTS, file, id, upload},
    *,
};

impl World {
    /// A chunk is done, as far as readers can tell.
    async fn report(&self, id: &str, number: u32, reports: Vec<RowReport>) {
        let row = ImportReportRow { reports, expires_at: 9_999_999_999 };
        let keys = keys::import_report(&Fixtures::scope(), &ImportId::parse(id).unwrap(), number);
        Bulk::put(&self.store, [to_item(&row, &keys).unwrap()]).await;
    }
}

fn reported(line: u32, outcome: RowOutcome) -> RowReport {
    let errors = match outcome {
        RowOutcome::Failed => vec![RowError::of(Column::ReceivedAt, "invalid_time"), RowError::of_row("self_referral")],
        _ => Vec::new(),
    };
    let referral_id = (outcome != RowOutcome::Failed).then(|| ReferralId::parse(&format!("ref_{line:026}")).unwrap());
    RowReport { line, outcome, referral_id, errors }
}

#[tokio::test]
async fn the_report_is_told_row_by_row_in_the_order_of_the_file() {
    let world = World::new().await;
    let id = id(&world.call(upload(OWNER, file(230))).await);
    let path = format!("{IMPORTS}/{id}/rows");
    let rows = async |query: &str| {
        let answered = world.call(call(OWNER, "GET", format!("{path}{query}"))).await;
        assert_eq!(answered.status, 200, "{query}: {}", answered.body);
        answered.body
    };
    assert_eq!(rows("").await, json!({"rows": [], "nextCursor": null}));
    let outcome = |line| match line % 10 {
        0 => RowOutcome::Failed,
        1 => RowOutcome::Unchanged,
        _ => RowOutcome::Created,
    };
    let chunk = |lines: std::ops::RangeInclusive<u32>| lines.map(|line| reported(line, outcome(line))).collect();
    // The third chunk may be done before the second.
    world.report(&id, 1, chunk(2..=101)).await;
    world.report(&id, 3, chunk(202..=231)).await;
    let lines = |body: &Value| -> Vec<u64> {
        body["rows"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect()
    };
    let body = rows("?limit=500").await;
    assert_eq!((lines(&body), &body["nextCursor"]), ((2..=101).chain(202..=231).collect(), &Value::Null));
    world.report(&id, 2, chunk(102..=201)).await;
    let body = rows("?limit=1").await;
    assert_eq!(
        body["rows"][0],
        json!({"line": 2, "outcome": "CREATED", "referralId": "ref_00000000000000000000000002", "errors": []})
    );
    let body = rows("?outcome=FAILED&limit=1").await;
    let errors = json!([{"column": "receivedAt", "code": "invalid_time"}, {"column": null, "code": "self_referral"}]);
    assert_eq!(body["rows"][0], json!({"line": 10, "outcome": "FAILED", "referralId": null, "errors": errors}));
    for (filter, wanted) in [
        ("", (2..=231).collect::<Vec<u64>>()),
        ("&outcome=FAILED", (2..=231).filter(|line| line % 10 == 0).collect()),
        ("&outcome=UNCHANGED", (2..=231).filter(|line| line % 10 == 1).collect()),
        ("&outcome=CREATED", (2..=231).filter(|line| line % 10 > 1).collect()),
    ] {
        for limit in [23, 100, 230] {
            let (mut seen, mut query) = (Vec::new(), format!("?limit={limit}{filter}"));
            let _ = world.store.calls.take();
            loop {
                let body = rows(&query).await;
                assert!(lines(&body).len() <= limit);
                seen.extend(lines(&body));
                let Some(cursor) = body["nextCursor"].as_str() else { break };
                query = format!("?limit={limit}{filter}&cursor={cursor}");
            }
            assert_eq!(seen, wanted, "{filter} {limit}");
            // The account, the import, and the report.
            assert!(world.store.calls.take().len() <= 3 * (wanted.len().div_ceil(limit) + 1), "{filter} {limit}");
        }
    }
}

#[tokio::test]
async fn a_place_in_a_report_is_worth_nothing_elsewhere() {
    let world = World::new().await;
    let (own, next) = (id(&world.call(upload(OWNER, file(3))).await), id(&world.call(upload(OWNER, file(3))).await));
    for id in [&own, &next] {
        world.report(id, 1, (2..=4).map(|line| reported(line, RowOutcome::Created)).collect()).await;
    }
    let first = world.call(call(OWNER, "GET", format!("{IMPORTS}/{own}/rows?limit=2"))).await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    for path in [
        format!("{IMPORTS}/{next}/rows?cursor={cursor}"),
        format!("{IMPORTS}/{own}/rows?outcome=CREATED&cursor={cursor}"),
        format!("{IMPORTS}/{own}/rows?cursor=x{cursor}"),
        format!("{IMPORTS}/{own}/rows?cursor="),
        format!("{REFERRALS}?cursor={cursor}"),
    ] {
        assert_eq!(world.call(call(OWNER, "GET", &path)).await.code(), (400, "invalid_cursor"), "{path}");
    }
    let admin = (Fixtures::ORGANIZATION, Fixtures::OWNER, "ADMIN");
    let second = world.call(call(admin, "GET", format!("{IMPORTS}/{own}/rows?limit=500&cursor={cursor}"))).await;
    assert_eq!(
        (second.status, &second.body["rows"][0]["line"], &second.body["nextCursor"]),
        (200, &json!(4), &Value::Null)
    );
    for query in ["limit=0", "limit=501", "limit=x", "outcome=created", "outcome=", "line=2", "limit=1&limit=1"] {
        let answered = world.call(call(OWNER, "GET", format!("{IMPORTS}/{own}/rows?{query}"))).await;
        assert_eq!(answered.code(), (400, "invalid_query"), "{query}");
    }
}
