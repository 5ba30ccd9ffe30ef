use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use referrals::{domain::rate_limit::Limits, store::ProfileCache, system::SystemClock};
use referrals_testing::Fixtures;
use serde_json::{Value, json};

use crate::world::{World, text};

const FORM: &str = include_str!("../../../../events/http/hosted-form.json");
const SENT: &str = include_str!("../../../../events/http/hosted-form-sent.json");
const PATH: &str = "/r/jane-doe-realty";

const GOOD: [(&str, &str); 4] = [
    ("referrerName", "Pat Jones"),
    ("referrerEmail", "pat@example.com"),
    ("referredName", "Sam Lee"),
    ("consentTextId", "form-v1"),
];

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The good form with some fields other than they are.
fn with(fields: &[(&'static str, &'static str)]) -> String {
    let mut all = BTreeMap::from(GOOD);
    all.extend(fields.iter().copied());
    encoded(&all.into_iter().collect::<Vec<_>>())
}

async fn look(world: &World, path: &str, headers: Value) -> ApiGatewayV2httpResponse {
    world
        .send_golden(FORM, |event| {
            event["rawPath"] = json!(path);
            for (name, value) in headers.as_object().unwrap() {
                event["headers"][name] = value.clone();
            }
        })
        .await
}

async fn post(world: &World, body: &str) -> ApiGatewayV2httpResponse {
    // The gateway takes a form for binary.
    world.send_golden(SENT, |event| event["body"] = json!(STANDARD.encode(body))).await
}

#[track_caller]
fn assert_is_page(response: &ApiGatewayV2httpResponse, status: i64, words: &str) {
    assert_eq!(response.status_code, status, "{}", text(response));
    assert!(text(response).contains(words), "{words} in {}", text(response));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("vary", "accept-language"),
    ] {
        assert_eq!(response.headers[name], value);
    }
    let policy = response.headers["content-security-policy"].to_str().unwrap();
    for part in ["default-src 'none';", "form-action 'self';", "frame-ancestors 'none';", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!response.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn the_golden_events_show_the_form_and_send_it() {
    let world = World::new().await;
    let shown = world.send_golden(FORM, |_| {}).await;
    assert_is_page(&shown, 200, "<h1>Refer a friend to Jane Doe</h1>");
    assert!(text(&shown).contains("Doe Realty Group"));
    assert_eq!(shown.headers["cache-control"], "no-cache");
    let sent = world.send_golden(SENT, |_| {}).await;
    assert_is_page(&sent, 201, "Thank you!");
    assert!(text(&sent).contains("rcpt_"));
    assert_eq!(sent.headers["cache-control"], "no-store");
    assert_eq!(world.store.outbox_items().await.len(), 1);
    let rows = world.rows("REFERRAL").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("channel"), "PUBLIC_PROFILE");
}

#[tokio::test]
async fn the_page_and_the_api_are_one_way_in() {
    let world = World::new().await;
    // The same two people by either door are one referral, and a channel is not the page's to say.
    assert_is_page(&post(&world, &format!("{}&channel=WIDGET", with(&[]))).await, 201, "Thank you!");
    assert_is_page(&post(&world, &with(&[])).await, 201, "Thank you!");
    let body = json!({"referrerName": "P. Jones", "referrerEmail": "PAT@example.com", "referredName": "Sam Lee"});
    assert_eq!(world.send(|event| event["body"] = json!(body.to_string())).await.status_code, 201);
    let rows = world.rows("REFERRAL").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("channel"), "PUBLIC_PROFILE");
}

#[tokio::test]
async fn it_costs_what_the_api_costs() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    look(&world, PATH, json!({})).await;
    assert_eq!(world.store.calls.take(), ["GetItem", "BatchGetItem"]);
    look(&world, PATH, json!({})).await;
    assert_eq!(world.store.calls.take(), Vec::<String>::new(), "the profile is remembered");
    // Network, slug, transaction: the profile that the page has looked up is not looked up again.
    assert_is_page(&post(&world, &with(&[])).await, 201, "");
    assert_eq!(world.store.calls.take(), ["UpdateItem", "UpdateItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_ticked_box_is_consent_to_the_wording_that_was_read() {
    for (language, wording) in [("en", "form-v1"), ("es", "form-v1-es")] {
        let world = World::new().await;
        let shown = look(&world, PATH, json!({"accept-language": language})).await;
        assert!(text(&shown).contains(&format!("name=\"consentTextId\" value=\"{wording}\"")));
        let mut fields = GOOD.to_vec();
        fields[3].1 = wording;
        fields.push(("referrerEmailConsent", "true"));
        assert_is_page(&post(&world, &encoded(&fields)).await, 201, "");
        let entries = world.rows("CONSENT").await;
        let [entry] = &entries[..] else { panic!("{} entries", entries.len()) };
        let said = ["channel", "decision", "method", "consentTextId"].map(|field| entry.text(field));
        assert_eq!(said, ["EMAIL", "GRANTED", "FORM", wording]);
    }
}

#[tokio::test]
async fn it_speaks_the_readers_language() {
    let world = World::new().await;
    for (headers, query, words) in [
        (json!({}), "", "lang=\"en\">"),
        (json!({"accept-language": "es-US,es;q=0.9"}), "", "lang=\"es\">"),
        (json!({"accept-language": "es"}), "lang=en", "lang=\"en\">"),
        (json!({}), "x=1&lang=es", "lang=\"es\">"),
    ] {
        let shown = world
            .send_golden(FORM, |event| {
                event["rawQueryString"] = json!(query);
                for (name, value) in headers.as_object().unwrap() {
                    event["headers"][name] = value.clone();
                }
            })
            .await;
        assert_is_page(&shown, 200, words);
    }
    let gone = look(&world, "/r/nobody-here", json!({"accept-language": "es"})).await;
    assert_is_page(&gone, 404, "Esta página no acepta recomendaciones");
}

#[tokio::test]
async fn every_closed_door_is_one_page() {
    let world = World::new().await;
    let slugs = [
        "nobody-here",
        "ben-ito-homes",
        "dana-fox-estates",
        "Jane-Doe-Realty",
        "jane-doe-realty/",
        "jane-doe-realty/..",
        "./jane-doe-realty",
        "..",
        "",
        "/",
        "jane doe",
        "<script>",
        "%00",
        "\u{e9}",
    ];
    let paths = slugs.map(|slug| format!("/r/{slug}"));
    let mut seen = Vec::new();
    for golden in [FORM, SENT] {
        for path in paths.iter().map(String::as_str).chain(["/r"]) {
            let answer = world.send_golden(golden, |event| event["rawPath"] = json!(path)).await;
            assert_is_page(&answer, 404, "This page does not take referrals");
            seen.push((answer.headers.clone(), text(&answer)));
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn what_is_wrong_comes_back_with_everything_that_was_typed() {
    let world = World::new().await;
    let body = with(&[
        ("referrerName", "Pat \"PJ\" O'Neill & <Sons>"),
        ("referrerEmail", "nobody"),
        ("referredPhone", "12"),
        ("notes", "first line\r\n<b>second</b>"),
        ("referrerSmsConsent", "true"),
    ]);
    let answer = post(&world, &body).await;
    assert_is_page(&answer, 422, "Please check what is marked.");
    let html = text(&answer);
    assert_eq!(html.matches("<p class=\"error\"").count(), 2);
    let typed = typed_in(&html);
    for (name, value) in [
        ("referrerName", "Pat \"PJ\" O'Neill & <Sons>"),
        ("referrerEmail", "nobody"),
        ("referredName", "Sam Lee"),
        ("referredPhone", "12"),
        ("notes", "first line\r\n<b>second</b>"),
    ] {
        assert_eq!(typed[name], value, "{name}");
    }
    assert!(html.contains("name=\"referrerSmsConsent\" value=\"true\" checked"));
    let own = post(&world, &with(&[("referredEmail", "PAT+x@example.com")])).await;
    assert_is_page(&own, 422, "You and your friend have the same email");
    assert!(world.is_empty().await);
}

/// What a browser would show in the fields.
fn typed_in(html: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| {
        let names = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
        names.iter().fold(text.to_owned(), |text, (name, char)| text.replace(name, char))
    };
    let mut fields = BTreeMap::new();
    for tag in html.split("<input ").skip(1) {
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once('>')?.0.split_once(&format!("{name}=\""))?;
            Some(plain(rest.split_once('"')?.0))
        };
        fields.extend(attribute("name").zip(attribute("value")));
    }
    let (_, area) = html.split_once("<textarea").unwrap();
    // The first line break is not the text's.
    let (_, text) = area.split_once(">\n").unwrap();
    fields.insert("notes".to_owned(), plain(text.split_once("</textarea>").unwrap().0));
    fields
}

#[tokio::test]
async fn the_limits_are_those_of_the_api_and_nothing_is_lost_at_them() {
    let mut world = World::new().await;
    world.app.settings.ip_limits = Limits { per_minute: 2, ..Fixtures::LIMITS };
    assert_is_page(&post(&world, "referrerName=Pat").await, 422, "");
    assert_eq!(world.send(|event| event["body"] = json!("{}")).await.status_code, 422);
    let refused = post(&world, &with(&[("notes", "please keep this")])).await;
    assert_is_page(&refused, 429, "Nothing you typed is lost");
    assert!(text(&refused).contains("please keep this"));
    let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds) && text(&refused).contains(&format!("in {seconds} s")));

    let mut world = World::new().await;
    world.app.settings.slug_limits = Limits { per_minute: 1, ..Fixtures::LIMITS };
    assert_is_page(&post(&world, &with(&[])).await, 201, "");
    assert_is_page(&post(&world, &with(&[("referredName", "Lou Ray")])).await, 429, "Nothing you typed is lost");
}

#[tokio::test]
async fn a_trap_is_answered_like_a_person() {
    let world = World::new().await;
    assert_is_page(&post(&world, &with(&[("website", "https://example.com")])).await, 201, "Thank you!");
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn other_bodies_and_methods_are_refused_in_words() {
    let world = World::new().await;
    for (content_type, status) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", 201),
        ("application/json", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let answer = world.send_golden(SENT, |event| event["headers"]["content-type"] = json!(content_type)).await;
        assert_is_page(&answer, status, "");
    }
    let encoded = world.send_golden(SENT, |event| event["headers"]["content-encoding"] = json!("gzip")).await;
    assert_is_page(&encoded, 415, "This did not work");
    let unread = post(&world, &"x".repeat(super::MAX_ENCODED_BYTES + 1)).await;
    assert_is_page(&unread, 413, "Please shorten what you wrote");
    assert!(!text(&unread).contains("<form"));
    let read = post(&world, &format!("referredName=Sam+Lee&notes={}", "x".repeat(32_768))).await;
    assert_is_page(&read, 413, "Please shorten what you wrote");
    assert_eq!(typed_in(&text(&read))["notes"].len(), 32_768);
    assert_is_page(&post(&world, "notes=%FF").await, 400, "This did not work");
    for method in ["PUT", "DELETE", "TRACE"] {
        let answer = world.send_golden(FORM, |event| event["requestContext"]["http"]["method"] = json!(method)).await;
        assert_is_page(&answer, 405, "This did not work");
        assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let world = World::new().await;
    let first = look(&world, PATH, json!({})).await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = look(&world, PATH, json!({"if-none-match": format!("\"x\", {etag}")})).await;
    assert_is_page(&again, 304, "");
    assert_eq!((text(&again), &again.headers["etag"]), (String::new(), &first.headers["etag"]));
    let other = look(&world, PATH, json!({"if-none-match": etag, "accept-language": "es"})).await;
    assert_is_page(&other, 200, "lang=\"es\"");
    let head = world.send_golden(FORM, |event| event["requestContext"]["http"]["method"] = json!("HEAD")).await;
    assert_is_page(&head, 200, "");
    assert_eq!((text(&head), &head.headers["etag"]), (String::new(), &first.headers["etag"]));
}

#[tokio::test]
async fn a_store_that_does_not_answer_takes_nothing_away() {
    let mut world = World::new().await;
    // The profile is remembered by now.
    assert_is_page(&look(&world, PATH, json!({})).await, 200, "");
    let body = with(&[("notes", "please keep this")]);
    world.app.ledger = world.store.unreachable().ledger();
    let answer = post(&world, &body).await;
    assert_is_page(&answer, 503, "Nothing you typed is lost");
    assert!(text(&answer).contains("please keep this"));
    assert_eq!(answer.headers["retry-after"], "2");
    // Even where nobody knows whose form it is.
    let profiles = std::mem::replace(
        &mut world.app.profiles,
        ProfileCache::new(world.store.unreachable().directory(), SystemClock),
    );
    let answer = post(&world, &body).await;
    assert_is_page(&answer, 503, "Nothing you typed is lost");
    assert!(text(&answer).contains("please keep this") && text(&answer).contains("<h1>Refer a friend</h1>"));
    let shown = look(&world, PATH, json!({})).await;
    assert_is_page(&shown, 503, "Please try again in a moment.");
    assert!(!text(&shown).contains("typed"));
    (world.app.ledger, world.app.profiles) = (world.store.ledger(), profiles);
    assert_is_page(&post(&world, &with(&[])).await, 201, "Thank you!");
}
