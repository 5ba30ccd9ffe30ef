use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use referrals::{
    domain::{organization::Role, profile::ProfileContent, rate_limit::Limits, version::Expected},
    store::ProfileCache,
    system::SystemClock,
    usecase::keep_profile::{KeptProfile, keep_profile},
};
use referrals_testing::{Fixtures, name};
use serde_json::{Value, json};

use super::*;
use crate::world::{World, text};

fn code(response: &ApiGatewayV2httpResponse) -> (i64, String) {
    let body: Value = serde_json::from_str(&text(response)).unwrap();
    (response.status_code, body["code"].as_str().unwrap_or_default().to_owned())
}

fn problem(status: i64, code: &str) -> (i64, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn the_golden_event_is_answered_with_a_receipt_and_nothing_personal() {
    let world = World::new().await;
    let mut receipts = Vec::new();
    for _ in 0..2 {
        let response = world.send(|_| {}).await;
        assert_eq!(response.status_code, 201);
        let body: Value = serde_json::from_str(&text(&response)).unwrap();
        let receipt = body["receiptId"].as_str().unwrap().to_owned();
        assert_eq!(body, json!({"ok": true, "receiptId": receipt}));
        assert!(receipt.starts_with("rcpt_"));
        assert_eq!(response.headers["x-request-id"], "JKJaXmPLvHcESHA=");
        assert_eq!(response.headers["content-type"], "application/json");
        assert!(!response.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        receipts.push(receipt);
    }
    assert_ne!(receipts[0], receipts[1]);
    assert_eq!(world.store.outbox_items().await.len(), 1);
}

#[tokio::test]
async fn every_closed_door_looks_the_same() {
    let world = World::new().await;
    let paths = [
        "/api/public/referral/nobody-here",
        "/api/public/referral/ben-ito-homes",
        "/api/public/referral/dana-fox-estates",
        "/api/public/referral/Jane-Doe-Realty",
        "/api/public/referral/jane-doe-realty ",
        "/api/public/referral/jane doe realty",
        "/api/public/referral/jane-doe-realty/",
        "/api/public/referral/jane-doe-realty/..",
        "/api/public/referral/./jane-doe-realty",
        "/api/public/referral/..",
        "/api/public/referral/jane-doe-realty?x",
        "/api/public/referral/jane-doe-realty#x",
        "/api/public/referral/jane-doe-realty\u{0}",
        "/api/public/referral/jane-doe-realty\n",
        "/api/public/referral/jane-doe-realty\r\nx: y",
        "/api/public/referral/%25",
        "/api/public/referral/\u{202e}",
        "/api/public/referral/",
        "/api/public/referral",
        "/api/public//referral/jane-doe-realty",
        "/api/public/",
        "/api/public/anything",
        "//",
        "",
        "no-slash",
        "*",
    ];
    let mut first: Option<(i64, String, String)> = None;
    for path in paths {
        let response = world.send(|event| event["rawPath"] = json!(path)).await;
        let shown = (response.status_code, format!("{:?}", response.headers), text(&response));
        assert_eq!(code(&response), problem(404, "not_found"), "{path:?}");
        assert_eq!(*first.get_or_insert(shown.clone()), shown, "{path:?}");
    }
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn a_renamed_slug_goes_on_and_a_withdrawn_one_is_a_closed_door() {
    let mut world = World::new().await;
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    let keep = async |world: &World, slug: &str, published: bool| {
        let content = ProfileContent {
            slug: Slug::parse(slug).unwrap(),
            display_name: name("Jane Doe"),
            brokerage: name("Doe Realty Group"),
            published,
        };
        keep_profile(&world.app.ledger, &SystemClock, &jane, &content, &Expected::Any).await.unwrap()
    };
    let slugs = ["jane-doe-realty", "jane-two", "jane-three"];
    for slug in slugs {
        assert!(matches!(keep(&world, slug, true).await, KeptProfile::Done(_)));
    }
    let send = async |world: &World, slug: &str| {
        let path = format!("/api/public/referral/{slug}");
        let response = world.send(|event| event["rawPath"] = json!(path)).await;
        (response.status_code, format!("{:?}", response.headers), text(&response))
    };
    for slug in slugs {
        assert_eq!(send(&world, slug).await.0, 201, "{slug}");
    }
    assert_eq!(world.store.outbox_items().await.len(), 1, "the same pair through any of them");
    keep(&world, "jane-three", false).await;
    // An instance that remembers nothing: the others forget within thirty seconds.
    world.app.profiles = ProfileCache::new(world.store.directory(), SystemClock);
    let unknown = send(&world, "nobody-here").await;
    assert_eq!(unknown.0, 404);
    for slug in slugs {
        assert_eq!(send(&world, slug).await, unknown, "{slug}");
    }
}

#[tokio::test]
async fn a_bad_body_is_answered_alike_for_every_slug() {
    let world = World::new().await;
    for slug in ["jane-doe-realty", "nobody-here", "%00", "Jane Doe"] {
        let path = format!("/api/public/referral/{slug}");
        let bad = |body: &'static str| {
            let path = path.clone();
            move |event: &mut Value| {
                event["rawPath"] = json!(path);
                event["body"] = json!(body);
            }
        };
        assert_eq!(code(&world.send(bad("{")).await), problem(400, "invalid_json"), "{slug}");
        assert_eq!(code(&world.send(bad("[]")).await), problem(422, "invalid_fields"), "{slug}");
        assert_eq!(code(&world.send(bad("{}")).await), problem(422, "invalid_fields"), "{slug}");
    }
}

#[tokio::test]
async fn only_a_json_post_is_read() {
    let world = World::new().await;
    for method in ["GET", "PUT", "DELETE", "HEAD"] {
        let response = world.send(|event| event["requestContext"]["http"]["method"] = json!(method)).await;
        assert_eq!((response.status_code, &response.headers["allow"]), (405, &"POST".parse().unwrap()), "{method}");
    }
    let response = world.send(|event| event["headers"]["content-type"] = json!("text/plain")).await;
    assert_eq!(code(&response), problem(415, "unsupported_media_type"));
    let response = world.send(|event| event["headers"]["content-encoding"] = json!("gzip")).await;
    assert_eq!(code(&response), problem(415, "unsupported_content_encoding"));
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn the_size_is_counted_after_decoding() {
    use base64::Engine as _;
    let world = World::new().await;
    let body = |bytes: usize| {
        let head = r#"{"referrerName":"Pat","referrerEmail":"pat@example.com","referredName":"Sam","padding":""#;
        format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2))
    };
    for (bytes, status) in [(32_768, 201), (32_769, 413)] {
        let plain = world.send(|event| event["body"] = json!(body(bytes))).await;
        assert_eq!(plain.status_code, status, "{bytes} plain");
        let encoded = base64::engine::general_purpose::STANDARD.encode(body(bytes));
        let response = world
            .send(|event| {
                event["body"] = json!(encoded);
                event["isBase64Encoded"] = json!(true);
            })
            .await;
        assert_eq!(response.status_code, status, "{bytes} base64");
    }
}

#[tokio::test]
async fn what_is_no_request_gets_an_answer_and_no_panic() {
    let world = World::new().await;
    let not_base64 = world
        .send(|event| {
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!("%%%");
        })
        .await;
    assert_eq!(code(&not_base64), problem(400, "bad_request"));
    let odd_headers = world
        .send(|event| {
            event["headers"]["x-odd"] = json!("caf\u{e9}\r\nx: y");
            event["headers"]["host"] = json!("not a host");
            event["headers"]["sp ace"] = json!("x");
        })
        .await;
    assert_eq!(odd_headers.status_code, 201);
    let odd_query = world.send(|event| event["rawQueryString"] = json!("a=\u{0}&b=ä#<>")).await;
    assert_eq!(odd_query.status_code, 201);
    let no_body = world.send(|event| drop(event.as_object_mut().unwrap().remove("body"))).await;
    assert_eq!(code(&no_body), problem(400, "invalid_json"));
    let nothing = world.send(|event| *event = json!({})).await;
    assert_eq!(code(&nothing), problem(400, "bad_request"));
}

fn fresh(number: usize) -> impl FnOnce(&mut Value) {
    move |event| {
        event["body"] = json!(format!(
            r#"{{"referrerName":"Pat","referrerEmail":"pat{number}@example.com","referredName":"Sam"}}"#
        ));
    }
}

#[tokio::test]
async fn the_calls_of_a_warm_capture_are_counted() {
    let world = World::new().await;
    assert_eq!(world.send(fresh(0)).await.status_code, 201);
    let limited = ["UpdateItem", "GetItem", "BatchGetItem", "UpdateItem", "TransactWriteItems"];
    assert_eq!(world.store.calls.take(), limited, "cold: the slug, then its profile and organization, are read once");
    assert_eq!(world.send(fresh(1)).await.status_code, 201);
    assert_eq!(world.store.calls.take(), ["UpdateItem", "UpdateItem", "TransactWriteItems"], "a new referrer: three");
    let known = |event: &mut Value| {
        fresh(1)(event);
        event["body"] = json!(event["body"].as_str().unwrap().replace("Sam", "Lou"));
    };
    assert_eq!(world.send(known).await.status_code, 201);
    let calls = ["UpdateItem", "UpdateItem", "TransactWriteItems", "TransactWriteItems"];
    assert_eq!(world.store.calls.take(), calls, "a known referrer: four");
    assert_eq!(world.send(known).await.status_code, 201);
    let calls = ["UpdateItem", "UpdateItem", "TransactWriteItems", "UpdateItem"];
    assert_eq!(world.store.calls.take(), calls, "a repetition: four");
}

#[tokio::test]
async fn a_network_that_comes_too_often_is_refused_with_one_call_and_whatever_it_says() {
    let mut world = World::new().await;
    world.app.settings.ip_limits = Limits { per_minute: 3, per_window: 1_000, window_seconds: 3_600 };
    world.app.settings.slug_limits = Limits { per_minute: 4, per_window: 1_000, window_seconds: 86_400 };
    for number in 0..3 {
        assert_eq!(world.send(fresh(number)).await.status_code, 201);
    }
    let _ = world.store.calls.take();
    for body in ["{", "{}", "valid"] {
        let response = world
            .send(|event| {
                fresh(9)(event);
                if body != "valid" {
                    event["body"] = json!(body);
                }
                event["headers"]["x-forwarded-for"] = json!("198.51.100.9");
            })
            .await;
        assert_eq!(code(&response), problem(429, "too_many_requests"), "{body}");
        let seconds: u32 = response.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(world.store.calls.take(), ["UpdateItem"]);
    }
    // What comes before the count is not counted; another network is not concerned; the slug's quota was left alone.
    let other = |event: &mut Value| {
        fresh(10)(event);
        event["requestContext"]["http"]["sourceIp"] = json!("198.51.100.9");
    };
    assert_eq!(world.send(other).await.status_code, 201);
    assert_eq!(code(&world.send(other).await), problem(429, "too_many_requests"), "the slug's fifth");
}

#[tokio::test]
async fn no_address_of_the_internet_is_stored() {
    let world = World::new().await;
    world.send(|_| {}).await;
    let items = world.store.client.scan().table_name(&world.store.rate_limit_table).send().await.unwrap();
    let stored = format!("{:?} {:?}", items.items(), world.store.items().await);
    assert_eq!(items.count(), 2);
    assert!(!stored.contains("203.0.113"), "{stored}");
}

#[tokio::test]
async fn a_named_request_is_replayed_to_the_byte() {
    let world = World::new().await;
    let send = async |key: &str, number: usize| {
        world
            .send(|event| {
                fresh(number)(event);
                event["headers"]["idempotency-key"] = json!(key);
            })
            .await
    };
    let first = send("k-1", 1).await;
    let again = send("k-1", 1).await;
    assert_eq!((first.status_code, text(&first)), (201, text(&again)));
    assert_eq!(first.headers, again.headers);
    assert_eq!(code(&send("k-1", 2).await), problem(422, "idempotency_key_reused"));
    assert_eq!(code(&send("", 3).await), problem(400, "invalid_idempotency_key"));
    assert_eq!(code(&send(&"k".repeat(256), 3).await), problem(400, "invalid_idempotency_key"));
    assert_eq!(world.store.outbox_items().await.len(), 1);
}

#[tokio::test]
async fn a_preflight_is_let_through() {
    let world = World::new().await;
    let response = world.send(|event| event["requestContext"]["http"]["method"] = json!("OPTIONS")).await;
    assert_eq!((response.status_code, text(&response)), (204, String::new()));
}
