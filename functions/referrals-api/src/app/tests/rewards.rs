//! Rewards over HTTP: every action from every status, what is recorded of it, and doing it many times at once.

use referrals::{
    domain::{id::ReferralId, referral::Referral, scope::OrgScope},
    ports::{MessageBook as _, MessageWrite, MessageWriteOutcome, ReferralReader as _, Revised},
};

use super::*;

const STATUSES: [&str; 6] = ["NONE", "PENDING", "HELD", "CANCELED", "SENT", "THANKED"];
const ACTIONS: [(&str, &str); 3] = [("mark-sent", "SENT"), ("release", "PENDING"), ("cancel", "CANCELED")];

fn body_of(action: &str) -> Value {
    match action {
        "mark-sent" => json!({"complianceAcknowledged": true}),
        _ => json!({"reason": "talked to the broker"}),
    }
}

pub(super) fn act(who: Who, path: &str, action: &str) -> Call {
    call(who, "POST", format!("{path}/reward/{action}")).json(body_of(action))
}

/// What the messenger does once a thank-you was accepted.
async fn thank(world: &World, path: &str) {
    let (ledger, scope) = (world.store.ledger(), Fixtures::scope());
    let before = row(&ledger, &scope, path).await;
    let mut referral = before.clone();
    let at = SystemClock.now();
    assert!(referral.mark_thanked());
    referral.touch(at);
    let id = referral.id.clone();
    let write = MessageWrite {
        messages: vec![],
        referral: Some(Box::new(Revised::new(&before, referral))),
        unchanged: None,
        guard: None,
        audit: vec![],
        events: vec![],
        remembered: None,
        at,
    };
    assert_eq!(ledger.write_messages(&scope, &id, &write).await, Ok(MessageWriteOutcome::Written));
}

async fn row(ledger: &Ledger, scope: &OrgScope, path: &str) -> Referral {
    let id = ReferralId::parse(path.rsplit('/').next().unwrap()).unwrap();
    ledger.find_referral(scope, &id).await.unwrap().unwrap()
}

/// A referral with a reward of its own in `status`, under the default policy's gate, WARN.
pub(super) async fn in_status(world: &World, status: &str) -> String {
    let path = world.logged(&format!("Friend {}", unique())).await;
    if status == "NONE" {
        return path;
    }
    let mut own = json!({"rewardType": "gift_card", "rewardValue": 5000});
    if status == "HELD" {
        let referrer = world.call(call(OWNER, "GET", "/api/people/person_111")).await.body;
        own["referredContact"] = json!({"email": referrer["email"], "phone": referrer["phone"]});
    }
    assert_eq!(world.call(call(JANE, "PATCH", path.clone()).json(own)).await.status, 200);
    let deal = json!({"resultingDealId": format!("deal_{}", unique())});
    world.call(call(JANE, "POST", format!("{path}/convert")).json(deal)).await;
    match status {
        "CANCELED" => assert_eq!(world.call(act(JANE, &path, "cancel")).await.status, 200),
        "SENT" | "THANKED" => assert_eq!(world.call(act(JANE, &path, "mark-sent")).await.status, 200),
        _ => {}
    }
    if status == "THANKED" {
        thank(world, &path).await;
    }
    assert_eq!(world.call(call(JANE, "GET", path.clone())).await.body["rewardStatus"], status);
    path
}

async fn history(world: &World, path: &str) -> Vec<Value> {
    world.call(call(JANE, "GET", format!("{path}/history"))).await.body["history"].as_array().unwrap().clone()
}

pub(super) async fn events(world: &World, detail_type: &str) -> usize {
    world.store.outbox_items().await.iter().filter(|item| item.text("detailType") == detail_type).count()
}

#[tokio::test]
async fn every_action_from_every_status() {
    let world = World::new().await;
    for from in STATUSES {
        for (action, to) in ACTIONS {
            let case = format!("{action} from {from}");
            let path = in_status(&world, from).await;
            let before = world.call(call(JANE, "GET", path.clone())).await;
            let entries = history(&world, &path).await.len();
            let outbox = world.store.outbox_items().await.len();
            let answered = world.call(act(JANE, &path, action)).await;
            let after = world.call(call(JANE, "GET", path.clone())).await;
            let allowed = match from {
                "PENDING" => json!(["CANCELED", "SENT"]),
                "HELD" => json!(["PENDING", "CANCELED"]),
                _ => json!([]),
            };
            let grown = (history(&world, &path).await.len() - entries, world.store.outbox_items().await.len() - outbox);
            if allowed.as_array().unwrap().contains(&json!(to)) {
                assert_eq!((answered.status, &answered.body["rewardStatus"]), (200, &json!(to)), "{case}");
                assert_eq!(answered.body["version"], before.body["version"].as_i64().unwrap() + 1, "{case}");
                assert_eq!(answered.bytes(), after.bytes(), "{case}");
                assert_eq!(grown, (1, 1), "{case}: one entry, one event");
                let entry = history(&world, &path).await.pop().unwrap();
                let told = json!([entry["action"], entry["from"], entry["to"], entry["note"], entry["actor"]]);
                let note = body_of(action)["reason"].clone();
                assert_eq!(told, json!(["REWARD_CHANGED", from, to, note, Fixtures::AGENT]), "{case}");
                assert!(entry["eventId"].is_string(), "{case}");
            } else if from == to || (from, to) == ("THANKED", "SENT") {
                assert_eq!(answered.bytes(), before.bytes(), "{case}: it is as it was");
                assert_eq!((after.bytes(), grown), (before.bytes(), (0, 0)), "{case}");
            } else {
                assert_eq!(answered.code(), (409, "invalid_reward_transition"), "{case}");
                let said = json!([answered.body["from"], answered.body["to"], answered.body["allowed"]]);
                assert_eq!(said, json!([from, to, allowed]), "{case}");
                assert_eq!((after.bytes(), grown), (before.bytes(), (0, 0)), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_reward_shows_all_of_itself() {
    let world = World::new().await;
    let path = in_status(&world, "HELD").await;
    let held = world.call(call(JANE, "GET", path.clone())).await.body;
    let mut reward = held["reward"].clone();
    assert!(reward["dueAt"].is_string());
    reward["dueAt"] = json!("set");
    assert_eq!(
        reward,
        json!({"dueAt": "set", "amountMinor": 5000, "holdReasons": ["SELF_REFERRAL"], "holdUntil": null,
            "reversedAfterSend": false, "complianceAcknowledged": null,
            "terms": {"policyVersion": 0, "provider": null, "autoThank": true, "thankYouChannel": "EMAIL",
                "complianceGate": "WARN", "holdingPeriodDays": 0}})
    );
    assert_eq!(held["conversion"]["salePriceMinor"], Value::Null);
    assert_eq!(held["conversion"]["convertedAt"], reward_time(&held));
    let none = world.call(call(JANE, "GET", in_status(&world, "NONE").await)).await.body;
    assert_eq!((&none["reward"], &none["conversion"]), (&Value::Null, &Value::Null));
}

fn reward_time(body: &Value) -> Value {
    body["reward"]["dueAt"].clone()
}

#[tokio::test]
async fn under_warn_the_law_is_acknowledged_first_and_once() {
    let world = World::new().await;
    let path = in_status(&world, "PENDING").await;
    let mark = |body: Option<&str>| {
        let request = call(JANE, "POST", format!("{path}/reward/mark-sent"));
        world.call(match body {
            Some(body) => request.json(body),
            None => request,
        })
    };
    for body in
        [None, Some("{}"), Some("{\"complianceAcknowledged\": false}"), Some("{\"complianceAcknowledged\": null}")]
    {
        let refused = mark(body).await;
        assert_eq!(refused.code(), (422, "compliance_acknowledgement_required"), "{body:?}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("RESPA") && detail.contains("licence"), "{detail}");
    }
    let sent = mark(Some("{\"complianceAcknowledged\": true}")).await;
    assert_eq!((sent.status, &sent.body["rewardStatus"]), (200, &json!("SENT")));
    let acknowledged = &sent.body["reward"]["complianceAcknowledged"];
    assert_eq!(acknowledged, &json!({"by": Fixtures::AGENT, "at": sent.body["rewardSentAt"]}));
    assert_eq!(mark(None).await.bytes(), sent.bytes(), "sent is sent");
}

#[tokio::test]
async fn wrong_bodies_are_named_and_change_nothing() {
    let world = World::new().await;
    let path = in_status(&world, "PENDING").await;
    let before = world.call(call(JANE, "GET", path.clone())).await;
    for (action, body, pointer, code) in [
        ("mark-sent", json!({"complianceAcknowledged": "yes"}), "/complianceAcknowledged", "true_or_false_expected"),
        ("mark-sent", json!({"reason": "x"}), "/reason", "unknown_field"),
        ("release", json!({}), "/reason", "required"),
        ("cancel", json!({"reason": null}), "/reason", "required"),
        ("cancel", json!({"reason": " \u{b} "}), "/reason", "required"),
        ("cancel", json!({"reason": "x".repeat(501)}), "/reason", "too_long"),
        ("cancel", json!({"reason": 1}), "/reason", "text_expected"),
        ("cancel", json!({"reason": "x", "why": "y"}), "/why", "unknown_field"),
    ] {
        let answered = world.call(call(JANE, "POST", format!("{path}/reward/{action}")).json(&body)).await;
        assert_eq!(answered.code(), (422, "invalid_fields"), "{action} {body}");
        assert_eq!(answered.body["errors"], json!([{"pointer": pointer, "code": code}]), "{action} {body}");
    }
    for action in ["release", "cancel"] {
        let bare = world.call(call(JANE, "POST", format!("{path}/reward/{action}"))).await;
        assert_eq!(bare.code(), (415, "unsupported_media_type"), "{action}");
    }
    for field in ["reward", "conversion", "rewardStatus"] {
        let patched = world.call(call(JANE, "PATCH", path.clone()).json(json!({field: {}}))).await;
        assert_eq!(patched.body["errors"], json!([{"pointer": format!("/{field}"), "code": "read_only"}]));
    }
    let stale = world.call(act(JANE, &path, "cancel").header("if-match", "\"1\"")).await;
    assert_eq!(stale.code(), (412, "precondition_failed"));
    assert_eq!(world.call(act(BEN, &path, "cancel")).await.code(), (404, "not_found"));
    assert_eq!(world.call(call(JANE, "GET", path)).await.bytes(), before.bytes());
}

#[tokio::test]
async fn twenty_at_once_send_it_once() {
    let world = World::new().await;
    let path = in_status(&world, "PENDING").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let world = World { router: world.router.clone(), store: world.store.clone() };
        let request = act(JANE, &path, "mark-sent");
        tasks.spawn(async move { world.call(request).await });
    }
    let answers = tasks.join_all().await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body["rewardStatus"]), (200, &json!("SENT")), "{}", answer.body);
        assert_eq!(answer.bytes(), answers[0].bytes());
    }
    assert_eq!(events(&world, "REWARD_SENT").await, 1);
}

#[tokio::test]
async fn a_named_action_is_done_once_and_answered_to_the_byte() {
    let world = World::new().await;
    let path = in_status(&world, "HELD").await;
    let release = || act(JANE, &path, "release").header("idempotency-key", "release-1");
    let first = world.call(release()).await;
    assert_eq!((first.status, &first.body["rewardStatus"]), (200, &json!("PENDING")));
    assert_eq!(world.call(act(JANE, &path, "mark-sent")).await.status, 200);
    assert_eq!(world.call(release()).await.bytes(), first.bytes(), "what was said then");
    let other = release();
    let other = Call { body: Some(json!({"reason": "another"}).to_string()), ..other };
    assert_eq!(world.call(other).await.code(), (422, "idempotency_key_reused"));
    assert_eq!((events(&world, "REWARD_READY").await, events(&world, "REWARD_SENT").await), (1, 1));
}

#[tokio::test]
async fn a_deal_of_another_referral_is_refused() {
    let world = World::new().await;
    let (one, other) = (world.logged("Sam").await, world.logged("Kim").await);
    let convert = |path: &str| call(JANE, "POST", format!("{path}/convert")).json(json!({"resultingDealId": "deal_1"}));
    assert_eq!(world.call(convert(&one)).await.status, 200);
    assert_eq!(world.call(convert(&other)).await.code(), (409, "deal_already_attributed"));
}

#[tokio::test]
async fn the_queue_has_three_lanes_and_a_member_sees_their_own() {
    const QUEUE: &str = "/api/reputation/rewards";
    let world = World::new().await;
    let mut made = Vec::new();
    for status in STATUSES {
        for _ in 0..2 {
            made.push((
                status,
                world.call(call(OWNER, "GET", in_status(&world, status).await)).await.body["id"].clone(),
            ));
        }
    }
    for (lane, status) in [("pending", "PENDING"), ("held", "HELD"), ("sent", "SENT")] {
        let wanted: Vec<_> = made.iter().filter(|(own, _)| *own == status).map(|(_, id)| id).collect();
        for who in [OWNER, JANE] {
            let answered = world.call(call(who, "GET", format!("{QUEUE}?lane={lane}"))).await;
            let ids: Vec<_> = answered.body["rewards"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
            assert_eq!((ids, &answered.body["nextCursor"]), (wanted.clone(), &Value::Null), "{lane}, oldest first");
        }
        let first = world.call(call(OWNER, "GET", format!("{QUEUE}?lane={lane}&limit=1"))).await.body;
        let cursor = first["nextCursor"].as_str().unwrap();
        let next = world.call(call(OWNER, "GET", format!("{QUEUE}?lane={lane}&limit=1&cursor={cursor}"))).await.body;
        assert_eq!(json!([first["rewards"][0]["id"], next["rewards"][0]["id"]]), json!(wanted), "{lane}");
        for who in [BEN, OTHER] {
            let nothing = world.call(call(who, "GET", format!("{QUEUE}?lane={lane}"))).await;
            assert_eq!(nothing.body, json!({"rewards": [], "nextCursor": null}), "{lane}");
        }
        let row = &first["rewards"][0];
        let alone = world.call(call(OWNER, "GET", format!("{REFERRALS}/{}", row["id"].as_str().unwrap()))).await;
        assert_eq!(*row, alone.body);
    }
    let lane = |query: &str| world.call(call(OWNER, "GET", format!("{QUEUE}{query}")));
    assert_eq!(lane("").await.body, lane("?lane=pending").await.body);
    for query in ["?lane=PENDING", "?lane=", "?lane=thanked", "?status=LOST", "?limit=0"] {
        assert_eq!(lane(query).await.code(), (400, "invalid_query"), "{query}");
    }
}
