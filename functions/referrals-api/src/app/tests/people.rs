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
