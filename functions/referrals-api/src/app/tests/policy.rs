//! The reward policy over HTTP: who sets it, what it may say, and what it does not change any more.

use super::{
    rewards::{act, events},
    *,
};

pub(super) const POLICY: &str = "/api/reputation/reward-policy";
const ADMIN: Who = (Fixtures::ORGANIZATION, Fixtures::OWNER, "ADMIN");

pub(super) fn put(who: Who, body: &Value) -> Call {
    call(who, "PUT", POLICY).json(body)
}

fn gift(value: i64) -> Value {
    json!({"rewardType": "gift_card", "rewardValue": value})
}

#[tokio::test]
async fn there_is_a_default_until_somebody_sets_one() {
    let world = World::new().await;
    let first = world.call(call(JANE, "GET", POLICY)).await;
    assert_eq!((first.status, first.header("etag")), (200, "\"0\""));
    assert_eq!(
        first.body,
        json!({"organizationId": Fixtures::ORGANIZATION, "rewardType": "none", "rewardValue": null, "currency": "USD",
            "provider": null, "autoThank": true, "thankYouChannel": "EMAIL", "attributionWindowDays": 730,
            "holdingPeriodDays": 0, "complianceGate": "WARN", "updatedAt": null, "updatedBy": null, "version": 0})
    );
    assert_eq!(world.call(put(OWNER, &json!({}))).await.bytes(), first.bytes(), "the default is what is there");
    let all = json!({"rewardType": "commission_share", "rewardValue": 250, "currency": "EUR", "provider": " Giftly ",
        "autoThank": false, "thankYouChannel": "BOTH", "attributionWindowDays": 1, "holdingPeriodDays": 3650,
        "complianceGate": "HOLD"});
    let set = world.call(put(OWNER, &all).header("if-match", "\"0\"")).await;
    assert_eq!((set.status, set.header("etag"), &set.body["version"]), (200, "\"1\"", &json!(1)), "{}", set.body);
    assert_eq!((&set.body["updatedBy"], &set.body["provider"]), (&json!(Fixtures::OWNER), &json!("Giftly")));
    for (name, value) in all.as_object().unwrap().iter().filter(|(name, _)| *name != "provider") {
        assert_eq!(set.body[name], *value, "{name}");
    }
    assert_eq!(world.call(call(JANE, "GET", POLICY)).await.bytes(), set.bytes());
    assert_eq!(
        world.call(put(ADMIN, &all).header("if-match", "*")).await.bytes(),
        set.bytes(),
        "it says what is there"
    );
    let stale = world.call(put(OWNER, &gift(1)).header("if-match", "\"0\"")).await;
    assert_eq!(stale.code(), (412, "precondition_failed"));
    // What is left out goes back to its default.
    let back = world.call(put(ADMIN, &json!({"rewardType": "custom"}))).await;
    assert_eq!(
        (&back.body["version"], &back.body["currency"], &back.body["provider"]),
        (&json!(2), &json!("USD"), &Value::Null)
    );
    let other = world.call(call(OTHER, "GET", POLICY)).await;
    assert_eq!((&other.body["rewardType"], &other.body["version"]), (&json!("none"), &json!(0)));
}

#[tokio::test]
async fn members_read_it_and_do_not_set_it() {
    let world = World::new().await;
    for tag in [None, Some("\"7\"")] {
        let mut request = put(JANE, &gift(1));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        assert_eq!(world.call(request).await.code(), (403, "forbidden"), "the role comes before the version");
    }
    assert_eq!(world.call(put(JANE, &json!({"colour": 1}))).await.code(), (422, "invalid_fields"));
    assert_eq!(world.call(call(JANE, "GET", POLICY)).await.body["version"], 0);
}

#[tokio::test]
async fn what_a_policy_may_say_and_what_not() {
    let world = World::new().await;
    for (body, pointer, code) in [
        (json!({"rewardType": "car", "rewardValue": 5}), "/rewardType", "unknown_reward_type"),
        (json!({"rewardType": null}), "/rewardType", "required"),
        (json!({"rewardType": "gift_card"}), "/rewardValue", "required"),
        (json!({"rewardType": "gift_card", "rewardValue": null}), "/rewardValue", "required"),
        (json!({"rewardValue": 5}), "/rewardValue", "out_of_range"),
        (gift(-1), "/rewardValue", "out_of_range"),
        (json!({"rewardType": "gift_card", "rewardValue": 1.5}), "/rewardValue", "whole_number_expected"),
        (json!({"rewardType": "gift_card", "rewardValue": "5"}), "/rewardValue", "whole_number_expected"),
        (json!({"rewardType": "commission_share", "rewardValue": 10001}), "/rewardValue", "out_of_range"),
        (json!({"currency": "usd"}), "/currency", "unknown_currency"),
        (json!({"currency": null}), "/currency", "required"),
        (json!({"provider": "x".repeat(201)}), "/provider", "too_long"),
        (json!({"autoThank": null}), "/autoThank", "true_or_false_expected"),
        (json!({"autoThank": "yes"}), "/autoThank", "true_or_false_expected"),
        (json!({"thankYouChannel": "PIGEON"}), "/thankYouChannel", "unknown_channel"),
        (json!({"complianceGate": "warn"}), "/complianceGate", "unknown_compliance_gate"),
        (json!({"attributionWindowDays": 0}), "/attributionWindowDays", "out_of_range"),
        (json!({"attributionWindowDays": 3651}), "/attributionWindowDays", "out_of_range"),
        (json!({"attributionWindowDays": null}), "/attributionWindowDays", "required"),
        (json!({"holdingPeriodDays": -1}), "/holdingPeriodDays", "out_of_range"),
        (json!({"holdingPeriodDays": 4_294_967_296_i64}), "/holdingPeriodDays", "out_of_range"),
        (json!({"holdingPeriodDays": "14"}), "/holdingPeriodDays", "whole_number_expected"),
        (json!({"version": 0}), "/version", "read_only"),
        (json!({"updatedAt": null}), "/updatedAt", "read_only"),
        (json!({"updatedBy": "user_1"}), "/updatedBy", "read_only"),
        (json!({"organizationId": "org_1"}), "/organizationId", "read_only"),
        (json!({"colour": 1}), "/colour", "unknown_field"),
    ] {
        let answered = world.call(put(OWNER, &body)).await;
        assert_eq!(answered.code(), (422, "invalid_fields"), "{body}");
        assert_eq!(answered.body["errors"], json!([{"pointer": pointer, "code": code}]), "{body}");
    }
    assert_eq!(world.call(call(OWNER, "GET", POLICY)).await.body["version"], 0);
}

/// Wins under `policy`, with a deal of its own.
async fn won(world: &World, friend: &str) -> (String, Value) {
    let path = world.logged(friend).await;
    let deal = json!({"resultingDealId": format!("deal_{}", unique())});
    let won = world.call(call(JANE, "POST", format!("{path}/convert")).json(deal)).await;
    assert_eq!(won.status, 200, "{}", won.body);
    (path, won.body)
}

#[tokio::test]
async fn a_policy_changed_after_the_win_changes_nothing_about_the_reward() {
    let world = World::new().await;
    let mut first = gift(5_000);
    first["complianceGate"] = json!("OFF");
    first["provider"] = json!("Giftly");
    assert_eq!(world.call(put(OWNER, &first)).await.status, 200);
    let (path, before) = won(&world, "Sam").await;
    assert_eq!((&before["rewardStatus"], &before["reward"]["amountMinor"]), (&json!("PENDING"), &json!(5_000)));
    let other = json!({"rewardType": "account_credit", "rewardValue": 1, "complianceGate": "HOLD", "autoThank": false});
    assert_eq!(world.call(put(OWNER, &other)).await.status, 200);
    assert_eq!(world.call(call(JANE, "GET", path.clone())).await.body, before);
    // The gate of then asks for no acknowledgement.
    let sent = world.call(call(JANE, "POST", format!("{path}/reward/mark-sent"))).await;
    assert_eq!((sent.status, &sent.body["rewardStatus"]), (200, &json!("SENT")));
    for name in ["rewardType", "rewardValue", "rewardCurrency"] {
        assert_eq!(sent.body[name], before[name], "{name}");
    }
    assert_eq!(sent.body["reward"], before["reward"]);
    assert_eq!(sent.body["reward"]["terms"]["policyVersion"], 1);
    let (_, next) = won(&world, "Kim").await;
    assert_eq!((&next["rewardStatus"], &next["reward"]["holdReasons"]), (&json!("HELD"), &json!(["COMPLIANCE"])));
}

#[tokio::test]
async fn what_holds_a_reward_is_let_go_by_hand() {
    let world = World::new().await;
    let mut policy = gift(5_000);
    policy["complianceGate"] = json!("HOLD");
    policy["holdingPeriodDays"] = json!(14);
    assert_eq!(world.call(put(OWNER, &policy)).await.status, 200);
    let (path, held) = won(&world, "Sam").await;
    assert_eq!(held["reward"]["holdReasons"], json!(["HOLDING_PERIOD", "COMPLIANCE"]));
    assert!(held["reward"]["holdUntil"].is_string());
    assert_eq!(events(&world, "REWARD_READY").await, 0, "nobody has to do anything yet");
    let released = world.call(act(JANE, &path, "release")).await;
    assert_eq!(
        (&released.body["rewardStatus"], &released.body["reward"]["holdUntil"]),
        (&json!("PENDING"), &Value::Null)
    );
    assert_eq!(world.call(act(JANE, &path, "release")).await.bytes(), released.bytes());
    assert_eq!(events(&world, "REWARD_READY").await, 1);
}

#[tokio::test]
async fn of_many_who_set_it_at_once_all_land_or_are_told() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for value in 0..8 {
        let world = World { router: world.router.clone(), store: world.store.clone() };
        let request = put(OWNER, &gift(value)).header("if-match", "\"0\"");
        tasks.spawn(async move { world.call(request).await.status });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn a_referrer_who_is_the_friend_is_noticed_in_the_change_that_converts() {
    let world = World::new().await;
    assert_eq!(world.call(put(OWNER, &gift(5_000))).await.status, 200);
    let path = world.logged("Sam").await;
    let referrer = world.call(call(OWNER, "GET", "/api/people/person_111")).await.body;
    let body =
        json!({"status": "CONVERTED", "resultingDealId": "deal_1", "referredContact": {"email": referrer["email"]}});
    let won = world.call(call(JANE, "PATCH", path).json(body)).await.body;
    assert_eq!((&won["riskFlags"], &won["rewardStatus"]), (&json!(["SELF_REFERRAL"]), &json!("HELD")));
    assert_eq!(won["reward"]["holdReasons"], json!(["SELF_REFERRAL"]));
    assert_eq!(events(&world, "REWARD_READY").await, 0);
}

#[tokio::test]
async fn another_type_is_counted_in_what_it_is_counted_in() {
    let world = World::new().await;
    let share = json!({"rewardType": "commission_share", "rewardValue": 250, "currency": "EUR"});
    assert_eq!(world.call(put(OWNER, &share)).await.status, 200);
    let (path, won) = won(&world, "Sam").await;
    assert_eq!(json!([won["rewardCurrency"], won["reward"]["amountMinor"]]), json!([null, null]));
    for (body, wanted) in [(gift(700), json!(["EUR", 700])), (share.clone(), json!([null, null]))] {
        let body = json!({"rewardType": body["rewardType"], "rewardValue": body["rewardValue"]});
        let patched = world.call(call(JANE, "PATCH", path.clone()).json(&body)).await.body;
        assert_eq!(json!([patched["rewardCurrency"], patched["reward"]["amountMinor"]]), wanted, "{body}");
    }
}
