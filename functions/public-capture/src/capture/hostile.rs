//! Whatever arrives, it is answered: 5,000 generated events, from one seed. `HOSTILE_EVENTS=20000` sends more of them,
//! `HOSTILE_SEED` others.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use referrals_testing::setting;
use serde_json::{Value, json};

use crate::world::{GOLDEN, World, text};

const EVENTS: u64 = 5_000;
const SEED: [u8; 32] = *b"winnerr referrals hostile input!";

/// Text that has broken somebody's software before.
fn nasty_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        any::<String>(),
        proptest::sample::select(vec![
            "",
            " ",
            "\u{0}",
            "null",
            "undefined",
            "NaN",
            "-1",
            "1e309",
            "true",
            "\u{FEFF}",
            "\u{202E}txet",
            "a\u{200B}b",
            "Pat\r\nBcc: all@example.com",
            "<script>alert(1)</script>",
            "=cmd|' /C calc'!A0",
            "@SUM(1)",
            "+1",
            "';--",
            "{{7*7}}",
            "${jndi:ldap://x}",
            "../../etc/passwd",
            "%00",
            "%2e%2e%2f",
            "\u{1F469}\u{200D}\u{1F4BB}",
            "\u{D7FF}",
            "ﷺ",
            "Ω≈ç√∫",
            "pat@example.com",
            "pat+x@example.com",
            "a@b@c",
            "\"a b\"@example.com",
            "pat@[127.0.0.1]",
            "pat@xn--a",
            "(415) 555-2671",
            "+14155552671",
            "+",
            "00",
            "tel:+1",
            "٤١٥٥٥٥٢٦٧١",
        ])
        .prop_map(str::to_owned),
        (1_usize..5_000).prop_map(|length| "x".repeat(length)),
        (1_usize..400).prop_map(|length| "e\u{301}".repeat(length)),
    ]
}

fn nasty_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        nasty_text().prop_map(|text| json!(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("1e400".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            inner.prop_map(|value| format!("{{\"a\":{value}}}")),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let field = proptest::sample::select(vec![
        "referrerName",
        "referrerEmail",
        "referrerPhone",
        "referredName",
        "referredEmail",
        "referredPhone",
        "notes",
        "channel",
        "website",
        "referrerEmailConsent",
        "referrerSmsConsent",
        "consentTextId",
        "extra",
        "__proto__",
    ]);
    // Later fields win: some of these are valid but for one field, some have a field twice.
    let valid = r#""referrerName":"Pat","referrerEmail":"pat@example.com","referredName":"Sam""#;
    let fields = proptest::collection::vec((field, nasty_json()), 0..4).prop_map(move |fields| {
        let rest: Vec<String> = fields.into_iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{{valid}{}}}", rest.concat()).into_bytes()
    });
    let fields = fields.boxed();
    prop_oneof![
        4 => fields.clone(),
        1 => (fields, any::<proptest::sample::Index>()).prop_map(|(bytes, index)| {
            bytes[..index.index(bytes.len() + 1)].to_vec()
        }),
        1 => nasty_json().prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        1 => (1_usize..2_000).prop_map(|depth| format!("{{\"notes\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()),
        1 => (32_000_usize..33_500).prop_map(|length| format!("{{\"pad\":\"{}\"}}", "x".repeat(length)).into_bytes()),
        1 => Just("\u{FEFF}{}".to_owned().into_bytes()),
    ]
}

fn event() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        4 => Just("/api/public/referral/jane-doe-realty".to_owned()),
        2 => nasty_text().prop_map(|text| format!("/api/public/referral/{text}")),
        1 => nasty_text().prop_map(|text| format!("/api/public/{text}")),
        1 => nasty_text(),
    ];
    let header = prop_oneof![
        Just(("content-type", "application/json".to_owned())),
        Just(("content-type", "application/json; charset=utf-8".to_owned())),
        nasty_text().prop_map(|text| ("content-type", text)),
        nasty_text().prop_map(|text| ("content-encoding", text)),
        nasty_text().prop_map(|text| ("idempotency-key", text)),
        nasty_text().prop_map(|text| ("host", text)),
        nasty_text().prop_map(|text| ("x-forwarded-for", text)),
    ];
    let method =
        prop_oneof![8 => Just("POST"), 1 => proptest::sample::select(vec!["GET", "PUT", "OPTIONS", "TRACE", "M-X"])];
    let address = prop_oneof![Just("203.0.113.7".to_owned()), Just("2001:db8::1".to_owned()), nasty_text()];
    (path, body(), proptest::collection::vec(header, 0..3), method, address, nasty_text(), any::<bool>(), 0_u8..20)
        .prop_map(|(path, body, headers, method, address, query, base64, garble)| {
            let mut event: Value = serde_json::from_str(GOLDEN).unwrap();
            event["rawPath"] = json!(path);
            event["rawQueryString"] = json!(query);
            event["requestContext"]["http"]["method"] = json!(method);
            event["requestContext"]["http"]["sourceIp"] = json!(address);
            for (name, value) in headers {
                event["headers"][name] = json!(value);
            }
            event["isBase64Encoded"] = json!(base64);
            event["body"] = match (base64, garble) {
                (true, 0) => json!("not base64 %%"),
                (true, _) => json!(STANDARD.encode(&body)),
                (false, _) => json!(String::from_utf8_lossy(&body)),
            };
            event
        })
}

#[tokio::test]
async fn thousands_of_hostile_events_are_all_answered() {
    let (events, number) = (setting("HOSTILE_EVENTS").unwrap_or(EVENTS), setting("HOSTILE_SEED").unwrap_or(0_u64));
    let mut seed = SEED;
    for (byte, more) in seed.iter_mut().zip(number.to_le_bytes()) {
        *byte = byte.wrapping_add(more);
    }
    println!("hostile: {events} events, seed {number}");
    let world = World::new().await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = event();
    let mut answers = std::collections::BTreeMap::<i64, usize>::new();
    for number in 0..events {
        let event = strategy.new_tree(&mut runner).unwrap().current();
        let response = world.send(|golden| *golden = event.clone()).await;
        let status = response.status_code;
        *answers.entry(status).or_default() += 1;
        assert!(
            [201, 204, 400, 404, 405, 413, 415, 422].contains(&status),
            "event {number} of the seed: {status}\n{event}"
        );
        assert!(!response.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        if status != 204 {
            let body: Value = serde_json::from_str(&text(&response)).expect("an answer is JSON");
            assert_eq!(body["status"].as_i64().unwrap_or(201), status, "event {number}: {body}");
        }
    }
    // The generator reaches every answer, or it would show little.
    for status in [201, 204, 400, 404, 405, 413, 415, 422] {
        assert!(answers.get(&status).is_some_and(|count| *count >= 10), "{answers:?}");
    }
    // What was stored can be shown: no name holds a character that is not one.
    for item in world.store.items().await.iter().filter(|item| item.kind() == "REFERRAL") {
        assert!(!item.text("referredName").chars().any(char::is_control));
    }
    println!("hostile: {answers:?}");
}
