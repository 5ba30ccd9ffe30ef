use referrals_testing::{Bulk, Fixtures, TestStore};
use serde_json::{Value, json};

use super::*;

const RECONCILE: &str = include_str!("../../../../events/operator/reconcile.json");

async fn store() -> TestStore {
    let store = TestStore::start().await;
    Fixtures::load(&store).await;
    store
}

async fn ask(store: &TestStore, event: Value) -> Result<Value, String> {
    #[expect(clippy::disallowed_methods, reason = "the runtime's deadline is on this clock")]
    let deadline = SystemTime::now() + Duration::from_secs(50);
    let answer = handle(&store.ledger(), &store.directory(), event, deadline).await;
    answer.map(|answer| serde_json::to_value(answer).unwrap()).map_err(|refused| refused.to_string())
}

/// The answers from the first page to the last.
async fn walk(store: &TestStore) -> Vec<Value> {
    let mut event: Value = serde_json::from_str(RECONCILE).unwrap();
    let mut answers = Vec::new();
    loop {
        let answer = ask(store, event.clone()).await.unwrap();
        event["after"] = answer["next"].clone();
        answers.push(answer);
        if event["after"].is_null() {
            return answers;
        }
    }
}

#[tokio::test]
async fn a_walk_goes_from_the_golden_request_to_a_page_without_a_next() {
    let store = store().await;
    let rows: Vec<_> = (1..=101).map(|number| Bulk::referral(number, &Fixtures::person_111())).collect();
    Bulk::put(&store, rows.iter().map(Bulk::row)).await;
    Bulk::put(&store, rows.iter().skip(1).map(Bulk::link)).await;
    let answers = walk(&store).await;
    let shown: Vec<_> = answers.iter().map(|answer| (&answer["checked"], &answer["corrected"])).collect();
    let checked = |referrals: u32, people: u32, cells: u32, links: u32| json!({"referrals": referrals, "people": people, "cells": cells, "links": links});
    assert_eq!(
        shown,
        [
            (&checked(100, 0, 0, 0), &json!([])),
            (&checked(1, 0, 0, 0), &json!([])),
            (&checked(0, 1, 0, 0), &json!([{"personId": "person_111", "was": 0, "is": 101}])),
            (&checked(0, 0, 1, 0), &json!([])),
            (&checked(0, 0, 0, 101), &json!([])),
        ]
    );
    let link = json!([{"personId": "person_111", "referralId": "ref_00000000000000000000000001"}]);
    assert_eq!(answers[1]["restored"], link);
    let cell = json!([{
        "month": "2026-11", "personId": "person_111", "agentUserId": "user_789", "channel": "MANUAL"
    }]);
    assert_eq!(answers[3]["correctedCells"], cell);
    for answer in &answers {
        let mut names: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let all = [
            "busy",
            "checked",
            "corrected",
            "correctedCells",
            "dangling",
            "next",
            "organizationId",
            "orphaned",
            "restored",
        ];
        assert_eq!((names, &answer["organizationId"]), (all.to_vec(), &json!("org_winnerr_demo")));
    }
    for answer in walk(&store).await {
        let mended = ["corrected", "correctedCells", "restored"].map(|kind| answer[kind].clone());
        assert_eq!(mended, [json!([]), json!([]), json!([])]);
    }
}

#[tokio::test]
async fn whatever_is_no_request_is_refused_and_says_why() {
    let store = store().await;
    let mine = ask(&store, serde_json::from_str(RECONCILE).unwrap()).await.unwrap()["next"].clone();
    for (event, reason) in [
        (json!({}), "missing field `organizationId`"),
        (json!(null), "expected"),
        (json!({"organizationId": "org winnerr"}), "not an id"),
        (json!({"organizationId": "org_nobody"}), "there is no such organization"),
        (json!({"organizationId": "org_winnerr_demo", "limit": 5}), "unknown field `limit`"),
        (json!({"organizationId": "org_winnerr_demo", "after": "x"}), "`after` is not"),
        (json!({"organizationId": "org_winnerr_demo", "after": 7}), "expected a string"),
        (json!({"organizationId": "org_other_demo", "after": mine}), "`after` is not"),
    ] {
        let refused = ask(&store, event.clone()).await.unwrap_err();
        assert!(refused.contains(reason), "{event}: {refused}");
    }
}
