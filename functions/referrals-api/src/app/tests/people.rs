use super::*;

fn names(body: &Value) -> Vec<&str> {
    body["people"].as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_found_by_address_number_and_name() {
    let world = World::new().await;
    for (query, found) in [
        ("email=Robin.Park%40example.com", &["Robin Park"][..]),
        ("phone=%2B14155550199", &["Robin Park"]),
        // Of the organization's region.
        ("phone=(415)%20555-0199", &["Robin Park"]),
        ("email=robin.park%40example.com&phone=%2B14155550199&q=park", &["Robin Park"]),
        ("email=robin.park%40example.com&phone=%2B14155550198", &[]),
        ("email=nobody%40example.com", &[]),
        ("q=PARK%20rob", &["Robin Park"]),
        ("q=", &["Robin Park"]),
        ("q=nobody", &[]),
    ] {
        let (status, body, _) = world.get(&format!("/api/people?{query}")).await;
        assert_eq!((status, names(&body)), (200, found.to_vec()), "{query}");
        assert_eq!(body["nextCursor"], Value::Null, "{query}");
    }
    let (_, body, _) = world
        .send(PEOPLE, |event| {
            event["rawQueryString"] = json!("email=robin.park%40example.com");
            claims(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, "OWNER")(event);
        })
        .await;
    assert_eq!(body, json!({"people": [], "nextCursor": null}));
}

#[tokio::test]
async fn what_is_no_address_no_number_and_no_name_is_refused() {
    let world = World::new().await;
    let long = format!("q={}", "a".repeat(201));
    for (query, pointer) in [
        ("email=robin", "?email"),
        ("email=", "?email"),
        ("phone=12", "?phone"),
        ("phone=%2B1415555", "?phone"),
        ("email=a%40example.com&email=b%40example.com", "?email"),
        ("name=robin", "?"),
        (&long, "?q"),
    ] {
        let (status, body, _) = world.get(&format!("/api/people?{query}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_query")), "{query}");
        assert_eq!(body["errors"][0]["pointer"], pointer, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_is_of_the_name_that_was_looked_for() {
    let world = World::new().await;
    for number in 0..2 {
        let body = json!({"referrer": {"name": "Lou Park", "email": format!("lou{number}@example.com")},
            "referredName": "Sam Lee"});
        let (status, ..) = world.send(LOG, |event| event["body"] = json!(body.to_string())).await;
        assert_eq!(status, 201);
    }
    let (_, first, _) = world.get("/api/people?q=park&limit=2").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let (_, second, _) = world.get(&format!("/api/people?limit=2&q=park&cursor={cursor}")).await;
    assert_eq!((names(&first), names(&second)), (vec!["Lou Park"; 2], vec!["Robin Park"]));
    for query in ["", "q=par&", "q=park&email=robin.park%40example.com&", "q=park&phone=%2B14155550199&"] {
        let (status, body, _) = world.get(&format!("/api/people?{query}cursor={cursor}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_cursor")), "{query}");
    }
}

const ROBIN: &str = "/api/people/person_111";

fn patch(who: Who, path: &str, body: &Value) -> Call {
    call(who, "PATCH", path).json(body)
}

#[tokio::test]
async fn a_person_is_corrected_and_answered_in_full() {
    let world = World::new().await;
    let body = json!({"name": " Robin  Q. Park ", "phone": "(415) 555-2671", "email": null, "doNotContact": true,
        "ownerUserId": "user_790"});
    let answered = world.call(patch(OWNER, ROBIN, &body)).await;
    assert_eq!((answered.status, answered.header("etag")), (200, "\"2\""), "{}", answered.body);
    for (name, value) in [
        ("name", json!("Robin  Q. Park")),
        ("phone", json!("+14155552671")),
        ("email", json!(null)),
        ("doNotContact", json!(true)),
        ("ownerUserId", json!("user_790")),
        ("version", json!(2)),
    ] {
        assert_eq!(answered.body[name], value, "{name}");
    }
    let found = world.call(call(OWNER, "GET", ROBIN)).await;
    assert_eq!((&found.body, found.header("etag")), (&answered.body, "\"2\""));
    // The same again changes nothing, whatever a merge patch calls itself.
    let again =
        Call { headers: vec![("content-type", "application/merge-patch+json".into())], ..patch(OWNER, ROBIN, &body) };
    assert_eq!(world.call(again).await.bytes(), answered.bytes());
    assert_eq!(world.call(patch(OWNER, ROBIN, &json!({}))).await.bytes(), answered.bytes());
}

#[tokio::test]
async fn wrong_fields_of_a_person_are_named_one_by_one() {
    let world = World::new().await;
    let read_only = json!({"id": 1, "organizationId": "org_1", "leadSource": null, "relationshipStage": "ADVOCATE",
        "pipelineStage": null, "totalReferrals": 7, "emailMarketingConsent": true, "smsMarketingConsent": true,
        "createdAt": "", "updatedAt": "", "version": 3});
    let count = read_only.as_object().unwrap().len();
    let answered = world.call(patch(OWNER, ROBIN, &read_only)).await;
    let codes: Vec<_> = answered.body["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!((answered.status, codes), (422, vec![&json!("read_only"); count]));
    for (body, pointer, code) in [
        (json!({"name": null}), "/name", "required"),
        (json!({"name": "  "}), "/name", "required"),
        (json!({"name": "P\u{202e}at"}), "/name", "forbidden_character"),
        (json!({"name": "x".repeat(201)}), "/name", "too_long"),
        (json!({"email": "robin"}), "/email", "invalid_email"),
        (json!({"email": 7}), "/email", "text_expected"),
        (json!({"phone": "12"}), "/phone", "invalid_phone"),
        (json!({"ownerUserId": "x y"}), "/ownerUserId", "unknown_id"),
        (json!({"ownerUserId": "user_000"}), "/ownerUserId", "unknown_id"),
        (json!({"ownerUserId": "user_791"}), "/ownerUserId", "unknown_id"),
        (json!({"ownerUserId": "user_901"}), "/ownerUserId", "unknown_id"),
        (json!({"doNotContact": null}), "/doNotContact", "true_or_false_expected"),
        (json!({"doNotContact": "yes"}), "/doNotContact", "true_or_false_expected"),
        (json!({"nickname": "Rob"}), "/nickname", "unknown_field"),
    ] {
        let answered = world.call(patch(OWNER, ROBIN, &body)).await;
        assert_eq!(answered.code(), (422, "invalid_fields"), "{body}");
        assert_eq!(answered.body["errors"], json!([{"pointer": pointer, "code": code}]), "{body}");
    }
    let text = Call { headers: vec![("content-type", "text/plain".into())], ..patch(OWNER, ROBIN, &json!({})) };
    let answered = world.call(text).await;
    assert_eq!(answered.code(), (415, "unsupported_media_type"));
    assert_eq!(answered.header("accept-patch"), "application/merge-patch+json, application/json");
    assert_eq!(world.call(call(OWNER, "GET", ROBIN)).await.body["version"], 1);
}

#[tokio::test]
async fn a_person_is_changed_only_in_the_version_that_was_seen() {
    let world = World::new().await;
    let named = |name: &str, tag: &str| patch(OWNER, ROBIN, &json!({"name": name})).header("if-match", tag);
    assert_eq!(world.call(named("A", "\"1\"")).await.header("etag"), "\"2\"");
    for stale in ["\"1\"", "W/\"2\"", "2", "\"x\""] {
        assert_eq!(world.call(named("B", stale)).await.code(), (412, "precondition_failed"), "{stale}");
    }
    assert_eq!(world.call(named("C", "\"7\", \"2\"")).await.header("etag"), "\"3\"");
    assert_eq!(world.call(named("D", "*")).await.header("etag"), "\"4\"");
}

#[tokio::test]
async fn an_address_of_somebody_else_is_a_conflict() {
    let world = World::new().await;
    let body = json!({"referrer": {"name": "Lou Bo", "email": "lou@example.com"}, "referredName": "Sam Lee"});
    assert_eq!(world.call(call(OWNER, "POST", REFERRALS).json(body)).await.status, 201);
    let answered = world.call(patch(OWNER, ROBIN, &json!({"email": "LOU@example.com"}))).await;
    assert_eq!(answered.code(), (409, "contact_taken"));
    assert!(!answered.bytes().contains("lou"), "{}", answered.bytes());
}

#[tokio::test]
async fn a_member_changes_nobody_elses_person() {
    let world = World::new().await;
    let consent = json!({"channel": "EMAIL", "granted": false});
    let put = |who| call(who, "PUT", format!("{ROBIN}/consent")).json(consent.clone());
    assert_eq!(world.call(patch(BEN, ROBIN, &json!({"name": "B"}))).await.code(), (403, "forbidden"));
    assert_eq!(world.call(put(BEN)).await.code(), (403, "forbidden"));
    // Whose person it is comes before which version it is.
    let stale = patch(BEN, ROBIN, &json!({"name": "B"})).header("if-match", "\"9\"");
    assert_eq!(world.call(stale).await.code(), (403, "forbidden"));
    assert_eq!(world.call(patch(JANE, ROBIN, &json!({"ownerUserId": "user_790"}))).await.code(), (403, "forbidden"));
    assert_eq!(world.call(put(JANE)).await.status, 200);
    assert_eq!(world.call(patch(JANE, ROBIN, &json!({"ownerUserId": null}))).await.status, 200);
    assert_eq!(world.call(patch(BEN, ROBIN, &json!({"ownerUserId": "user_790"}))).await.status, 200);
    assert_eq!(world.call(patch(JANE, ROBIN, &json!({"name": "J"}))).await.code(), (403, "forbidden"));
}

#[tokio::test]
async fn foreign_unknown_and_malformed_people_are_one_answer() {
    let world = World::new().await;
    let consent = json!({"channel": "EMAIL", "granted": false});
    for (method, behind, body) in
        [("GET", "", None), ("PATCH", "", Some(json!({"name": "B"}))), ("PUT", "/consent", Some(consent))]
    {
        let mut answers = Vec::new();
        for (who, id) in
            [(OTHER, "person_111"), (OWNER, "person_000"), (OWNER, "nonsense"), (OWNER, "person_%00"), (OWNER, "a%2Fb")]
        {
            // A version that nothing is in: 404 comes first.
            let mut asked = call(who, method, format!("/api/people/{id}{behind}")).header("if-match", "\"9\"");
            if let Some(body) = &body {
                asked = asked.json(body);
            }
            answers.push(world.call(asked).await.bytes());
        }
        assert!(answers[0].starts_with("404 ") && answers.iter().all(|bytes| *bytes == answers[0]), "{answers:#?}");
    }
}

#[tokio::test]
async fn consent_is_recorded_with_its_wording_and_evidence() {
    let world = World::new().await;
    let put = |body: Value| call(OWNER, "PUT", format!("{ROBIN}/consent")).json(body);
    let granted =
        json!({"channel": "SMS", "granted": true, "consentTextId": "form-v1", "evidence": "said so by phone"});
    let answered = world.call(put(granted.clone()).header("if-match", "\"1\"")).await;
    assert_eq!((answered.status, answered.header("etag")), (200, "\"2\""), "{}", answered.body);
    assert_eq!(
        (&answered.body["smsMarketingConsent"], &answered.body["emailMarketingConsent"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(world.call(put(granted).header("if-match", "\"1\"")).await.code(), (412, "precondition_failed"));
    let revoked = world.call(put(json!({"channel": "SMS", "granted": false}))).await;
    assert_eq!((revoked.status, &revoked.body["smsMarketingConsent"]), (200, &json!(false)));
    assert_eq!(world.call(call(OWNER, "GET", ROBIN)).await.body, revoked.body);
    let items = world.store.items().await;
    let mut entries: Vec<_> = items.iter().filter(|item| item.kind() == "CONSENT").collect();
    entries.sort_by_key(|entry| entry.text("at"));
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| ["decision", "method", "actor", "consentTextId", "evidence"].map(|name| entry.text(name)))
        .collect();
    assert_eq!(
        shown,
        [
            ["GRANTED", "AGENT", Fixtures::OWNER, "form-v1", "said so by phone"],
            ["REVOKED", "AGENT", Fixtures::OWNER, "", ""]
        ]
    );
    assert!(entries.iter().all(|entry| !entry.text("requestId").is_empty()));
}

#[tokio::test]
async fn a_consent_that_cannot_be_shown_later_is_refused() {
    let world = World::new().await;
    let required = |fields: &[&str]| -> Value {
        fields.iter().map(|field| json!({"pointer": format!("/{field}"), "code": "required"})).collect()
    };
    let one = |pointer: &str, code: &str| json!([{"pointer": pointer, "code": code}]);
    let full = json!({"channel": "EMAIL", "granted": true, "consentTextId": "form-v1", "evidence": "by phone"});
    let with = |name: &str, value: Value| {
        let mut body = full.clone();
        body[name] = value;
        body
    };
    for (body, errors) in [
        (json!({}), required(&["channel", "granted"])),
        (json!({"channel": "SMS", "granted": true}), required(&["consentTextId", "evidence"])),
        (with("evidence", json!(" ")), required(&["evidence"])),
        (with("evidence", json!("x".repeat(501))), one("/evidence", "too_long")),
        (with("consentTextId", json!("form-v0")), one("/consentTextId", "unknown_consent_text")),
        (with("channel", json!("FAX")), one("/channel", "unknown_channel")),
        (with("channel", json!("email")), one("/channel", "unknown_channel")),
        (with("granted", json!("yes")), one("/granted", "true_or_false_expected")),
        (with("granted", json!(null)), one("/granted", "true_or_false_expected")),
        (with("method", json!("FORM")), one("/method", "unknown_field")),
        (
            json!({"channel": "SMS", "granted": false, "consentTextId": "x"}),
            one("/consentTextId", "unknown_consent_text"),
        ),
    ] {
        let answered = world.call(call(OWNER, "PUT", format!("{ROBIN}/consent")).json(&body)).await;
        assert_eq!((answered.status, &answered.body["errors"]), (422, &errors), "{body}");
    }
    world.call(patch(OWNER, ROBIN, &json!({"email": null}))).await;
    let answered = world.call(call(OWNER, "PUT", format!("{ROBIN}/consent")).json(&full)).await;
    assert_eq!((answered.status, &answered.body["errors"]), (422, &one("/channel", "no_address")));
    assert!(!world.store.items().await.iter().any(|item| item.kind() == "CONSENT"));
}
