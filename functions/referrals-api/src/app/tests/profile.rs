use super::*;

const PROFILE: &str = "/api/reputation/profile";

fn content(slug: &str) -> Value {
    json!({"slug": slug, "displayName": " Olivia Grant ", "brokerage": "Doe Realty Group", "published": true})
}

fn put(who: Who, body: &Value) -> Call {
    call(who, "PUT", PROFILE).json(body)
}

#[tokio::test]
async fn a_profile_is_made_shown_and_renamed() {
    let world = World::new().await;
    assert_eq!(world.call(call(OWNER, "GET", PROFILE)).await.code(), (404, "not_found"));
    for tag in ["\"1\"", "*", "x"] {
        let conditional = put(OWNER, &content("olivia-grant")).header("if-match", tag);
        assert_eq!(world.call(conditional).await.code(), (412, "precondition_failed"), "{tag}");
    }
    let made = world.call(put(OWNER, &content("olivia-grant"))).await;
    assert_eq!((made.status, made.header("etag")), (200, "\"1\""), "{}", made.body);
    let mut shown = made.body.clone();
    assert!(!shown["updatedAt"].as_str().unwrap().is_empty());
    shown["updatedAt"] = json!("set");
    assert_eq!(
        shown,
        json!({"slug": "olivia-grant", "organizationId": Fixtures::ORGANIZATION, "agentUserId": Fixtures::OWNER,
            "displayName": "Olivia Grant", "brokerage": "Doe Realty Group", "published": true, "updatedAt": "set",
            "version": 1})
    );
    assert_eq!(world.call(call(OWNER, "GET", PROFILE)).await.bytes(), made.bytes());
    // The same again is the same.
    assert_eq!(world.call(put(OWNER, &content("olivia-grant"))).await.bytes(), made.bytes());
    let renamed = world.call(put(OWNER, &content("olivia-g")).header("if-match", "\"1\"")).await;
    assert_eq!((renamed.status, &renamed.body["slug"], renamed.header("etag")), (200, &json!("olivia-g"), "\"2\""));
    let late = world.call(put(OWNER, &content("olivia-x")).header("if-match", "\"1\"")).await;
    assert_eq!(late.code(), (412, "precondition_failed"));
}

#[tokio::test]
async fn each_member_has_a_profile_of_their_own() {
    let world = World::new().await;
    for (who, slug) in [(JANE, "jane-doe-realty"), (BEN, "ben-ito-homes"), (OTHER, "omar-reyes-homes")] {
        let found = world.call(call(who, "GET", PROFILE)).await;
        assert_eq!((found.status, &found.body["slug"]), (200, &json!(slug)));
        assert_eq!((&found.body["organizationId"], &found.body["agentUserId"]), (&json!(who.0), &json!(who.1)));
    }
}

#[tokio::test]
async fn a_slug_of_somebody_else_is_taken_for_ever() {
    let world = World::new().await;
    let renamed = world.call(put(JANE, &content("jane-two"))).await;
    assert_eq!((renamed.status, &renamed.body["version"]), (200, &json!(2)));
    for who in [OWNER, BEN, OTHER] {
        for slug in ["jane-doe-realty", "jane-two"] {
            assert_eq!(world.call(put(who, &content(slug))).await.code(), (409, "slug_taken"), "{who:?} {slug}");
        }
    }
    let back = world.call(put(JANE, &content("jane-doe-realty"))).await;
    assert_eq!((back.status, &back.body["version"]), (200, &json!(3)));
}

#[tokio::test]
async fn the_eleventh_slug_is_refused() {
    let world = World::new().await;
    for number in 2..=10 {
        assert_eq!(world.call(put(JANE, &content(&format!("jane-{number}-homes")))).await.status, 200);
    }
    let refused = world.call(put(JANE, &content("jane-eleven"))).await;
    let errors = json!([{"pointer": "/slug", "code": "too_many_slugs"}]);
    assert_eq!((refused.code(), &refused.body["errors"]), ((422, "invalid_fields"), &errors));
    assert_eq!(world.call(put(JANE, &content("jane-doe-realty"))).await.status, 200);
}

#[tokio::test]
async fn every_field_of_a_profile_is_required_and_checked() {
    let world = World::new().await;
    let required: Value = ["brokerage", "displayName", "published", "slug"]
        .iter()
        .map(|field| json!({"pointer": format!("/{field}"), "code": "required"}))
        .collect();
    let answered = world.call(put(OWNER, &json!({}))).await;
    assert_eq!((answered.code(), &answered.body["errors"]), ((422, "invalid_fields"), &required));
    let long = "x".repeat(201);
    for (name, value, code) in [
        ("slug", json!("Jane"), "invalid_slug"),
        ("slug", json!("ab"), "invalid_slug"),
        ("slug", json!("-jane"), "invalid_slug"),
        ("slug", json!("jane/doe"), "invalid_slug"),
        ("slug", json!("j\u{e4}ne"), "invalid_slug"),
        ("slug", json!("x".repeat(64)), "invalid_slug"),
        ("slug", json!(null), "required"),
        ("slug", json!(7), "text_expected"),
        ("displayName", json!(" "), "required"),
        ("displayName", json!("a\u{202e}b"), "forbidden_character"),
        ("brokerage", json!(long), "too_long"),
        ("published", json!("true"), "true_or_false_expected"),
        ("version", json!(1), "read_only"),
        ("agentUserId", json!("user_790"), "read_only"),
        ("organizationId", json!("org_other_demo"), "read_only"),
        ("updatedAt", json!(""), "read_only"),
        ("photo", json!("x"), "unknown_field"),
    ] {
        let mut body = content("olivia-grant");
        body[name] = value;
        let answered = world.call(put(OWNER, &body)).await;
        let errors = json!([{"pointer": format!("/{name}"), "code": code}]);
        assert_eq!((answered.status, &answered.body["errors"]), (422, &errors), "{body}");
    }
    let text = Call { headers: vec![("content-type", "text/plain".into())], ..put(OWNER, &content("olivia-grant")) };
    assert_eq!(world.call(text).await.code(), (415, "unsupported_media_type"));
    assert_eq!(world.call(call(OWNER, "GET", PROFILE)).await.code(), (404, "not_found"));
    let other = world.call(call(OWNER, "DELETE", PROFILE)).await;
    assert_eq!((other.code(), other.header("allow")), ((405, "method_not_allowed"), "GET,HEAD,PUT"));
}
