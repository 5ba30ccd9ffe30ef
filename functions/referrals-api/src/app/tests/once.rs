//! Named requests: done once, answered to the byte.

use super::*;

fn log_as(key: &str, friend: &str) -> Call {
    let body = json!({"referrerPersonId": "person_111", "referredName": friend});
    call(OWNER, "POST", REFERRALS).header("idempotency-key", key).json(body)
}

#[tokio::test]
async fn a_hundred_at_once_make_one_row_and_one_answer() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let world = World { router: world.router.clone(), store: world.store.clone() };
        tasks.spawn(async move { world.call(log_as("key-1", "Sam Lee")).await.bytes() });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("201")), "{answers:?}");
    assert_eq!(world.store.items().await.iter().filter(|item| item.kind() == "REFERRAL").count(), 1);
    assert_eq!(world.total().await, 1);
    assert_eq!(world.call(log_as("key-1", "Lou Ray")).await.code(), (422, "idempotency_key_reused"));
}

#[tokio::test]
async fn a_replay_is_what_was_answered_then_whatever_happened_since() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    let lose = || {
        call(JANE, "POST", format!("{path}/lose"))
            .header("idempotency-key", "lose-1")
            .json(json!({"lostReason": "gone"}))
    };
    let first = world.call(lose()).await;
    assert_eq!((first.status, &first.body["status"]), (200, &json!("LOST")));
    world.call(call(JANE, "POST", format!("{path}/reopen"))).await;
    assert_eq!(world.call(lose()).await.bytes(), first.bytes());
    assert_eq!(world.call(call(JANE, "GET", path.clone())).await.body["status"], "CONTACTED");
    // A request that changed nothing is remembered too.
    let contact = || call(JANE, "POST", format!("{path}/contact")).header("idempotency-key", "contact-1");
    let nothing = world.call(contact()).await;
    world.call(call(JANE, "POST", format!("{path}/qualify"))).await;
    assert_eq!(world.call(contact()).await.bytes(), nothing.bytes());
    assert_eq!(world.call(call(JANE, "GET", path.clone())).await.body["status"], "QUALIFIED");
    // A refusal is not: what was refused may be right later.
    let reopen = || call(JANE, "POST", format!("{path}/reopen")).header("idempotency-key", "reopen-1");
    assert_eq!(world.call(reopen()).await.code(), (409, "invalid_transition"));
    world.call(call(JANE, "POST", format!("{path}/lose")).json(json!({"lostReason": "x"}))).await;
    assert_eq!(world.call(reopen()).await.status, 200);
}

#[tokio::test]
async fn a_hundred_steps_at_once_are_one_version() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (world, path) = (World { router: world.router.clone(), store: world.store.clone() }, path.clone());
        tasks.spawn(async move {
            let mut answer = String::new();
            for _ in 0..5 {
                let convert = call(JANE, "POST", format!("{path}/convert")).header("if-match", "\"1\"");
                let named = convert.header("idempotency-key", "k").json(json!({"resultingDealId": "deal_1"}));
                answer = world.call(named).await.bytes();
                // On a slow machine somebody is told to come again: that is what the key is for.
                if !answer.starts_with("503") {
                    break;
                }
            }
            answer
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("200")), "{answers:?}");
    assert_eq!(world.call(call(JANE, "GET", path)).await.body["version"], 2);
}

#[tokio::test]
async fn a_name_is_somebodys_own_for_one_route() {
    let world = World::new().await;
    let first = world.call(log_as("shared", "Sam Lee")).await;
    let body = json!({"referrer": {"name": "Pat"}, "referredName": "Kim"});
    let others = call(OTHER, "POST", REFERRALS).header("idempotency-key", "shared").json(body);
    assert_eq!(world.call(others).await.status, 201, "another organization's key is another key");
    let body = json!({"referrerPersonId": "person_111", "referredName": "Lou"});
    let janes = call(JANE, "POST", REFERRALS).header("idempotency-key", "shared").json(body);
    assert_eq!(world.call(janes).await.status, 201, "another member's key is another key");
    let path = format!("{REFERRALS}/{}/contact", first.body["id"].as_str().unwrap());
    assert_eq!(world.call(call(OWNER, "POST", path).header("idempotency-key", "shared")).await.status, 200);
    for key in ["", " ", "k\u{e9}y", &"x".repeat(256)] {
        let code = world.call(log_as(key, "Sam Lee")).await.code().1.to_owned();
        assert_eq!(code, "invalid_idempotency_key", "{key:?}");
    }
}
