//! Changing referrals over HTTP: every edge, every refusal by its code, versions and history.

use super::*;

/// The body that a step needs, so that only the edge decides.
fn body_of(step: &str) -> Value {
    match step {
        "lose" => json!({"lostReason": "no answer"}),
        "convert" => json!({"resultingDealId": format!("deal_{}", unique())}),
        _ => json!({}),
    }
}

/// A referral in `status`, by the shortest way there.
async fn in_status(world: &World, status: &str) -> String {
    let path = world.logged(&format!("Friend {}", unique())).await;
    let step = match status {
        "CONTACTED" => "contact",
        "QUALIFIED" => "qualify",
        "LOST" => "lose",
        "CONVERTED" => "convert",
        _ => return path,
    };
    let answered = world.call(call(JANE, "POST", format!("{path}/{step}")).json(body_of(step))).await;
    assert_eq!((answered.status, &answered.body["status"]), (200, &json!(status)));
    path
}

const STEPS: [(&str, &str); 5] = [
    ("contact", "CONTACTED"),
    ("qualify", "QUALIFIED"),
    ("reopen", "CONTACTED"),
    ("lose", "LOST"),
    ("convert", "CONVERTED"),
];

/// From, step: what an agent may do. Everything else is refused, or changes nothing.
const OPEN: [(&str, &str); 11] = [
    ("RECEIVED", "contact"),
    ("RECEIVED", "qualify"),
    ("RECEIVED", "lose"),
    ("RECEIVED", "convert"),
    ("CONTACTED", "qualify"),
    ("CONTACTED", "lose"),
    ("CONTACTED", "convert"),
    ("QUALIFIED", "contact"),
    ("QUALIFIED", "lose"),
    ("QUALIFIED", "convert"),
    ("LOST", "reopen"),
];

fn targets(from: &str) -> Value {
    match from {
        "RECEIVED" => json!(["CONTACTED", "QUALIFIED", "CONVERTED", "LOST"]),
        "CONTACTED" => json!(["QUALIFIED", "CONVERTED", "LOST"]),
        "QUALIFIED" => json!(["CONTACTED", "CONVERTED", "LOST"]),
        "LOST" => json!(["CONTACTED"]),
        _ => json!([]),
    }
}

#[tokio::test]
async fn every_step_from_every_status_by_action_and_by_patch() {
    let world = World::new().await;
    for from in ["RECEIVED", "CONTACTED", "QUALIFIED", "LOST", "CONVERTED"] {
        for (step, to) in STEPS {
            // A patch names the target only: there is no reopening apart from contacting.
            for by_patch in if step == "reopen" { &[false][..] } else { &[false, true] } {
                let by_patch = *by_patch;
                let path = in_status(&world, from).await;
                let before = world.call(call(JANE, "GET", path.clone())).await;
                let mut body = body_of(step);
                let answered = if by_patch {
                    body["status"] = json!(to);
                    if from == to {
                        body = json!({"status": to});
                    }
                    world.call(call(JANE, "PATCH", path.clone()).json(body)).await
                } else {
                    if from == to && to == "CONVERTED" {
                        body = json!({});
                    }
                    world.call(call(JANE, "POST", format!("{path}/{step}")).json(body)).await
                };
                let case = format!("{from} {step} by patch: {by_patch}");
                let after = world.call(call(JANE, "GET", path.clone())).await;
                let is_open = OPEN.contains(&(from, step)) || (by_patch && from == "LOST" && to == "CONTACTED");
                if from == to {
                    assert_eq!(answered.status, 200, "{case}");
                    assert_eq!((&answered.body, &after.body), (&before.body, &before.body), "{case}");
                } else if is_open {
                    assert_eq!((answered.status, &answered.body["status"]), (200, &json!(to)), "{case}");
                    assert_eq!(answered.body, after.body, "{case}");
                    assert_eq!(answered.body["version"], before.body["version"].as_i64().unwrap() + 1);
                    assert_eq!(answered.header("etag"), format!("\"{}\"", answered.body["version"]));
                } else {
                    assert_eq!(answered.code(), (409, "invalid_transition"), "{case}");
                    let said = (&answered.body["from"], &answered.body["to"], &answered.body["allowed"]);
                    assert_eq!(said, (&json!(from), &json!(to), &targets(from)), "{case}");
                    assert_eq!(after.body, before.body, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_change_is_announced_once_and_stands_in_the_history() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    for (step, body) in [
        ("contact", json!({})),
        ("contact", json!({})),
        ("lose", json!({"lostReason": "moved"})),
        ("reopen", json!({})),
        ("convert", json!({"resultingDealId": "deal_1"})),
    ] {
        world.call(call(JANE, "POST", format!("{path}/{step}")).json(body)).await;
    }
    let edited = world.call(call(JANE, "PATCH", path.clone()).json(json!({"notes": "signed"}))).await;
    assert_eq!((edited.status, &edited.body["version"], &edited.body["lostReason"]), (200, &json!(6), &Value::Null));
    let history = world.call(call(JANE, "GET", format!("{path}/history"))).await.body;
    let rows: Vec<_> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            json!([
                entry["action"],
                entry["from"],
                entry["to"],
                entry["fields"],
                entry["dealId"],
                entry["note"],
                entry["actor"]
            ])
        })
        .collect();
    assert_eq!(
        rows,
        [
            json!(["RECEIVED", null, "RECEIVED", [], null, null, Fixtures::OWNER]),
            json!(["STATUS_CHANGED", "RECEIVED", "CONTACTED", [], null, null, Fixtures::AGENT]),
            json!(["STATUS_CHANGED", "CONTACTED", "LOST", [], null, "moved", Fixtures::AGENT]),
            json!(["STATUS_CHANGED", "LOST", "CONTACTED", [], null, null, Fixtures::AGENT]),
            json!(["STATUS_CHANGED", "CONTACTED", "CONVERTED", ["resultingDealId"], "deal_1", null, Fixtures::AGENT]),
            json!(["EDITED", null, null, ["notes"], null, null, Fixtures::AGENT]),
        ]
    );
    let mut outbox = world.store.outbox_items().await;
    outbox.sort_by(|one, other| one.text("occurredAt").cmp(other.text("occurredAt")));
    // Tells that there is a deal now, beside the change that the history has.
    let linked = outbox.iter().filter(|item| item.text("detailType") == "REFERRAL_LINKED").count();
    assert_eq!(linked, 1);
    outbox.retain(|item| item.text("detailType") != "REFERRAL_LINKED");
    let events: Vec<_> = outbox.iter().map(|item| item.text("detailType")).collect();
    assert_eq!(
        events,
        [
            "REFERRAL_RECEIVED",
            "REFERRAL_STATUS_CHANGED",
            "REFERRAL_STATUS_CHANGED",
            "REFERRAL_STATUS_CHANGED",
            "REFERRAL_CONVERTED",
        ]
    );
    let named: Vec<_> =
        history["history"].as_array().unwrap().iter().filter_map(|entry| entry["eventId"].as_str()).collect();
    let sent: Vec<_> = outbox.iter().map(|item| item.text("sk")).collect();
    assert_eq!(named, sent, "the history names the events");
}

#[tokio::test]
async fn what_a_patch_may_say_and_what_not() {
    let world = World::new().await;
    let path = in_status(&world, "QUALIFIED").await;
    let patch = |body: Value| world.call(call(JANE, "PATCH", path.clone()).json(body));
    let good = patch(json!({
        "notes": " two\r\nlines ", "referredName": "Samuel Lee", "referredContact": {"email": "sam@example.com", "phone": "(415) 555-2671"},
        "rewardType": "gift_card", "rewardValue": 5000
    })).await;
    assert_eq!(good.status, 200, "{}", good.body);
    assert_eq!(good.body["notes"], "two\nlines");
    assert_eq!(good.body["referredContact"], json!({"email": "sam@example.com", "phone": "+14155552671"}));
    let cleared = patch(json!({"notes": null, "referredContact": {"email": null}, "rewardType": "custom"})).await;
    assert_eq!((&cleared.body["notes"], &cleared.body["rewardValue"]), (&Value::Null, &Value::Null));
    assert_eq!(cleared.body["referredContact"], json!({"email": null, "phone": "+14155552671"}));

    let rows = [
        (json!({"rewardStatus": "SENT"}), "/rewardStatus", "read_only"),
        (json!({"version": 3}), "/version", "read_only"),
        (json!({"agentUserId": "user_790"}), "/agentUserId", "read_only"),
        (json!({"colour": 1}), "/colour", "unknown_field"),
        (json!({"a/b~c": 1}), "/a~1b~0c", "unknown_field"),
        (json!({"referredContact": {"fax": "1"}}), "/referredContact/fax", "unknown_field"),
        (json!({"referredContact": {"email": "no"}}), "/referredContact/email", "invalid_email"),
        (json!({"referredContact": {"phone": 7}}), "/referredContact/phone", "text_expected"),
        (json!({"referredContact": "sam@example.com"}), "/referredContact", "object_expected"),
        (json!({"referredName": null}), "/referredName", "required"),
        (json!({"referredName": "a\u{202e}b"}), "/referredName", "forbidden_character"),
        (json!({"status": "WON"}), "/status", "unknown_status"),
        (json!({"status": null}), "/status", "required"),
        (json!({"status": "LOST"}), "/lostReason", "required"),
        (json!({"lostReason": "x"}), "/lostReason", "only_when_lost"),
        (json!({"status": "LOST", "lostReason": "x".repeat(501)}), "/lostReason", "too_long"),
        (json!({"resultingDealId": "nr 1"}), "/resultingDealId", "invalid_id"),
        (json!({"referredPersonId": "person_999"}), "/referredPersonId", "unknown_id"),
        (json!({"status": ""}), "/status", "unknown_status"),
        (json!({"resultingDealId": ""}), "/resultingDealId", "invalid_id"),
        (json!({"resultingDealId": " deal_1"}), "/resultingDealId", "invalid_id"),
        (json!({"referredPersonId": ""}), "/referredPersonId", "unknown_id"),
        (json!({"rewardType": "car"}), "/rewardType", "unknown_reward_type"),
        (json!({"rewardValue": 1.5}), "/rewardValue", "whole_number_expected"),
        (json!({"rewardValue": -1}), "/rewardValue", "out_of_range"),
        (json!({"rewardType": "commission_share", "rewardValue": 10001}), "/rewardValue", "out_of_range"),
    ];
    let before = world.call(call(JANE, "GET", path.clone())).await;
    for (body, pointer, code) in rows {
        let answered = patch(body.clone()).await;
        assert_eq!(answered.code(), (422, "invalid_fields"), "{body}");
        assert_eq!(answered.body["errors"], json!([{"pointer": pointer, "code": code}]), "{body}");
    }
    assert_eq!(patch(json!({"status": "CONVERTED"})).await.code(), (422, "deal_required"));
    assert_eq!(patch(json!({"referredPersonId": "person_111"})).await.code(), (422, "self_referral"));
    assert_eq!(world.call(call(JANE, "GET", path.clone())).await.body, before.body);

    let typed = |media: &str| {
        let mut request = call(JANE, "PATCH", path.clone()).json(json!({}));
        request.headers[0].1 = media.to_owned();
        world.call(request)
    };
    assert_eq!(typed("application/merge-patch+json").await.status, 200);
    let refused = typed("text/plain").await;
    assert_eq!(refused.code(), (415, "unsupported_media_type"));
    assert_eq!(refused.header("accept-patch"), "application/merge-patch+json, application/json");
    assert_eq!(world.call(call(JANE, "PUT", path.clone())).await.header("allow"), "GET,HEAD,PATCH,DELETE");
}

#[tokio::test]
async fn a_stale_tag_changes_nothing_and_an_unknown_id_comes_first() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    let contact = |tag: &str| world.call(call(JANE, "POST", format!("{path}/contact")).header("if-match", tag));
    assert_eq!(contact("\"2\"").await.code(), (412, "precondition_failed"));
    assert_eq!(contact("W/\"1\"").await.code(), (412, "precondition_failed"));
    assert_eq!(contact("\"1\"").await.status, 200);
    assert_eq!(contact("*").await.status, 200);
    assert_eq!(contact("\"1\"").await.code(), (412, "precondition_failed"), "the same state, but not what was seen");
    for (method, rest) in [("PATCH", ""), ("DELETE", ""), ("POST", "/lose")] {
        let body = if rest.is_empty() { json!({}) } else { body_of("lose") };
        for id in ["ref_00000000000000000000000000", "nonsense"] {
            let request = call(JANE, method, format!("{REFERRALS}/{id}{rest}")).header("if-match", "\"9\"");
            assert_eq!(world.call(request.json(&body)).await.code(), (404, "not_found"));
        }
    }
}

#[tokio::test]
async fn of_two_writers_with_one_tag_one_wins() {
    let world = World::new().await;
    for round in 0..10 {
        let path = world.logged(&format!("Sam {round}")).await;
        let write = |notes: &str| {
            world.call(call(JANE, "PATCH", path.clone()).header("if-match", "\"1\"").json(json!({"notes": notes})))
        };
        let (one, other) = tokio::join!(write("one"), write("other"));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let winner = if one.status == 200 { one } else { other };
        assert_eq!(world.call(call(JANE, "GET", path)).await.body, winner.body);
    }
}

#[tokio::test]
async fn writers_without_a_tag_all_land() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    let fields = [
        json!({"notes": "n"}),
        json!({"referredName": "Samuel"}),
        json!({"rewardType": "custom"}),
        json!({"status": "QUALIFIED"}),
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for body in fields {
        let (router, path) = (world.router.clone(), path.clone());
        let world = World { router, store: world.store.clone() };
        tasks.spawn(async move { world.call(call(JANE, "PATCH", path).json(body)).await.status });
    }
    assert_eq!(tasks.join_all().await, [200; 4]);
    let after = world.call(call(JANE, "GET", path)).await.body;
    assert_eq!(
        json!([after["notes"], after["referredName"], after["rewardType"], after["status"], after["version"]]),
        json!(["n", "Samuel", "custom", "QUALIFIED", 5])
    );
}
