use std::convert::Infallible;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use referrals::http::answer;
use referrals_testing::{Fixtures, TestStore};
use serde_json::{Value, json};

use super::*;

const GOLDEN: &str = include_str!("../../../../events/http/public-capture.json");

struct World {
    app: App,
    store: TestStore,
}

impl World {
    async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        Self { app: App::new(store.ledger(), Region::default()), store }
    }

    /// Sends the golden event after `change`.
    async fn send(&self, change: impl FnOnce(&mut Value)) -> ApiGatewayV2httpResponse {
        let mut event: Value = serde_json::from_str(GOLDEN).unwrap();
        change(&mut event);
        let service = tower::service_fn(|request| async { Ok::<_, Infallible>(handle(&self.app, request).await) });
        answer(service, &event.to_string()).await
    }

    async fn is_empty(&self) -> bool {
        self.store.outbox_items().await.is_empty()
    }
}

fn text(response: &ApiGatewayV2httpResponse) -> String {
    String::from_utf8(response.body.as_deref().unwrap_or_default().to_vec()).unwrap()
}

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
