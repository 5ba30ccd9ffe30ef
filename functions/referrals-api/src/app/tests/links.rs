//! What a referral hangs on: its deal, its lead, its referrer, and what goes with it when it is deleted.

use super::*;

#[tokio::test]
async fn a_deal_belongs_to_one_referral() {
    let world = World::new().await;
    let (one, other) = (world.logged("Sam Lee").await, world.logged("Lou Ray").await);
    let link = |path: &str, deal: Value| {
        world.call(call(JANE, "PATCH", path.to_owned()).json(json!({"resultingDealId": deal})))
    };
    assert_eq!(link(&one, json!("deal_1")).await.status, 200);
    assert_eq!(link(&other, json!("deal_1")).await.code(), (409, "deal_already_attributed"));
    let convert = |path: &str, body: Value| world.call(call(JANE, "POST", format!("{path}/convert")).json(body));
    assert_eq!(convert(&other, json!({"resultingDealId": "deal_1"})).await.code(), (409, "deal_already_attributed"));
    assert_eq!(convert(&other, json!({})).await.code(), (422, "deal_required"));
    assert_eq!(convert(&one, json!({})).await.body["resultingDealId"], "deal_1");
    assert_eq!(convert(&one, json!({"resultingDealId": "deal_2"})).await.code(), (409, "deal_already_linked"));
    assert_eq!(link(&one, Value::Null).await.code(), (422, "deal_required"));
    // A patch corrects the deal, and sets the first one free.
    assert_eq!(link(&one, json!("deal_2")).await.status, 200);
    assert_eq!(convert(&other, json!({"resultingDealId": "deal_1"})).await.status, 200);
    // Another organization has its own deals.
    let body = json!({"referrer": {"name": "Pat"}, "referredName": "Kim"});
    let foreign = world.call(call(OTHER, "POST", REFERRALS).json(body)).await;
    let path = format!("{REFERRALS}/{}/convert", foreign.body["id"].as_str().unwrap());
    assert_eq!(world.call(call(OTHER, "POST", path).json(json!({"resultingDealId": "deal_1"}))).await.status, 200);
}

#[tokio::test]
async fn a_wrong_entry_goes_with_its_count_its_links_and_its_guard() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    world.logged("Lou Ray").await;
    assert_eq!(world.total().await, 2);
    world.call(call(JANE, "PATCH", path.clone()).json(json!({"resultingDealId": "deal_1"}))).await;
    assert_eq!(world.call(call(JANE, "DELETE", path.clone())).await.code(), (403, "forbidden"));
    assert_eq!(world.call(call(BEN, "DELETE", path.clone())).await.code(), (404, "not_found"));
    assert_eq!(world.call(call(OTHER, "DELETE", path.clone())).await.code(), (404, "not_found"));
    let stale = call(OWNER, "DELETE", path.clone()).header("if-match", "\"1\"");
    assert_eq!(world.call(stale).await.code(), (412, "precondition_failed"));
    let deleted = world.call(call(OWNER, "DELETE", path.clone()).header("if-match", "\"2\"")).await;
    assert_eq!((deleted.status, deleted.response.body.as_deref().unwrap_or_default()), (204, &b""[..]));
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(call(OWNER, method, path.clone())).await.code(), (404, "not_found"));
    }
    assert_eq!(world.total().await, 1);
    let kinds: Vec<_> = world.store.items().await.iter().map(|item| item.kind().to_owned()).collect();
    let count = |kind: &str| kinds.iter().filter(|own| *own == kind).count();
    assert_eq!((count("REFERRAL"), count("REFERRED"), count("PAIR")), (1, 1, 1));
    // The history stays, for owners and admins.
    let history = world.call(call(OWNER, "GET", format!("{path}/history"))).await;
    assert_eq!(history.body["history"].as_array().unwrap().last().unwrap()["action"], "DELETED");
    assert_eq!(world.call(call(JANE, "GET", format!("{path}/history"))).await.code(), (404, "not_found"));
    // The deal is free, and the same friend is no duplicate of what is gone.
    let again = world.logged("Sam Lee").await;
    let linked = world.call(call(JANE, "PATCH", again).json(json!({"resultingDealId": "deal_1"}))).await;
    assert_eq!((linked.status, &linked.body["riskFlags"]), (200, &json!([])));

    let converted = world.logged("Kay").await;
    world.call(call(JANE, "POST", format!("{converted}/convert")).json(json!({"resultingDealId": "deal_9"}))).await;
    assert_eq!(world.call(call(OWNER, "DELETE", converted)).await.code(), (409, "referral_converted"));
}

#[tokio::test]
async fn a_referral_is_linked_to_a_lead_who_is_there() {
    let world = World::new().await;
    let lead = world.call(call(OWNER, "POST", REFERRALS).json(json!({
        "referrer": {"name": "Kim Oh", "email": "kim@example.com"}, "agentUserId": Fixtures::AGENT, "referredName": "X"
    }))).await;
    let kim = lead.body["referrerPersonId"].as_str().unwrap().to_owned();
    let path = world.logged("Kim").await;
    let linked = world.call(call(JANE, "PATCH", path.clone()).json(json!({"referredPersonId": kim}))).await;
    assert_eq!((linked.status, &linked.body["referredPersonId"]), (200, &json!(kim)), "{}", linked.body);
    let person = world.call(call(JANE, "GET", format!("/api/people/{kim}"))).await.body;
    assert_eq!(
        json!([person["pipelineStage"], person["leadSource"], person["ownerUserId"]]),
        json!(["LEAD", "REFERRAL", Fixtures::AGENT])
    );
    // Somebody else brought the same lead.
    let rival = world.call(call(OWNER, "POST", REFERRALS).json(json!({
        "referrer": {"name": "Lou Ray", "email": "lou@example.com"}, "agentUserId": Fixtures::AGENT, "referredName": "Kim"
    }))).await;
    let rival = format!("{REFERRALS}/{}", rival.body["id"].as_str().unwrap());
    let contested = world.call(call(JANE, "PATCH", rival).json(json!({"referredPersonId": kim}))).await;
    assert_eq!(contested.body["riskFlags"], json!(["CONTESTED"]));
    let first = world.call(call(JANE, "GET", path.clone())).await.body;
    assert_eq!((&first["riskFlags"], &first["version"]), (&json!(["CONTESTED"]), &json!(3)));
    // A contact that turns out to be the referrer's own raises a flag.
    let own = json!({"referredContact": {"email": "robin.park+x@example.com"}});
    let flagged = world.call(call(JANE, "PATCH", path).json(own)).await;
    assert_eq!(flagged.body["riskFlags"], json!(["SELF_REFERRAL", "CONTESTED"]));
}

#[tokio::test]
async fn a_referrer_is_found_or_made() {
    let world = World::new().await;
    let log = |referrer: Value, friend: &str| {
        world.call(call(OWNER, "POST", REFERRALS).json(json!({"referrer": referrer, "referredName": friend})))
    };
    let pat = log(json!({"name": "Pat Jones", "email": "pat@example.com", "phone": "(415) 555-2671"}), "Sam").await;
    assert_eq!(pat.status, 201, "{}", pat.body);
    let again = log(json!({"name": "P. Jones", "email": "PAT@example.com"}), "Lou").await;
    assert_eq!(again.body["referrerPersonId"], pat.body["referrerPersonId"]);
    let by_number = log(json!({"name": "Pat", "phone": "+14155552671"}), "Kim").await;
    assert_eq!(by_number.body["referrerPersonId"], pat.body["referrerPersonId"]);
    let other = log(json!({"name": "Kay", "email": "kay@example.com", "phone": "+14155552671"}), "Ann").await;
    assert_ne!(other.body["referrerPersonId"], pat.body["referrerPersonId"]);
    assert_eq!(other.body["riskFlags"], json!(["POSSIBLE_DUPLICATE_PERSON"]));
    let person = format!("/api/people/{}", pat.body["referrerPersonId"].as_str().unwrap());
    assert_eq!(world.call(call(OWNER, "GET", person)).await.body["totalReferrals"], 3);

    let own = json!({"referrer": {"name": "Pat", "email": "pat@example.com"}, "referredName": "Pat", "referredEmail": "pat+1@example.com"});
    assert_eq!(world.call(call(OWNER, "POST", REFERRALS).json(own)).await.code(), (422, "self_referral"));
    for (body, pointer, code) in [
        (json!({"referredName": "S"}), "/referrerPersonId", "required"),
        (json!({"referredName": "S", "referrer": {}}), "/referrer/name", "required"),
        (json!({"referredName": "S", "referrerPersonId": ""}), "/referrerPersonId", "unknown_id"),
        (json!({"referredName": "S", "referrerPersonId": "person_111", "channel": ""}), "/channel", "unknown_channel"),
        (
            json!({"referredName": "S", "referrerPersonId": "person_111", "agentUserId": ""}),
            "/agentUserId",
            "unknown_id",
        ),
        (json!({"referredName": "S", "referrer": 1}), "/referrer", "object_expected"),
        (json!({"referredName": "S", "referrer": {"name": "P", "fax": 1}}), "/referrer/fax", "unknown_field"),
        (json!({"referredName": "S", "referrer": {"name": "P", "email": "x"}}), "/referrer/email", "invalid_email"),
        (
            json!({"referredName": "S", "referrer": {"name": "P"}, "referrerPersonId": "person_111"}),
            "/referrer",
            "either_id_or_description",
        ),
    ] {
        let answered = world.call(call(OWNER, "POST", REFERRALS).json(&body)).await;
        assert_eq!(answered.code(), (422, "invalid_fields"), "{body}");
        let errors = answered.body["errors"].as_array().unwrap();
        assert!(errors.contains(&json!({"pointer": pointer, "code": code})), "{body}: {errors:?}");
    }
}
