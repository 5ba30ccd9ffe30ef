use std::convert::Infallible;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use referrals::{
    domain::{
        consent::{ConsentChannel, ConsentText, FormConsent},
        contact::Contact,
        id::PersonId,
        scope::OrgScope,
    },
    http::answer,
    ports::{PersonReader as _, ReferralReader as _},
    system::RandomIds,
    usecase::capture_referral::{Arrival, Capture, Captured, Submission},
};
use referrals_testing::{Fixtures, TestStore, contact, submission};
use serde_json::{Value, json};

use super::*;

const PAGE: &str = include_str!("../../../../events/http/unsubscribe-page.json");
const ONE_CLICK: &str = include_str!("../../../../events/http/unsubscribe-one-click.json");
/// Under which the golden events' token is sealed.
const KEY: &str = "golden";

struct World {
    app: App,
    store: TestStore,
    pat: PersonId,
}

impl World {
    /// Pat has agreed on both channels.
    async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let app = App { ledger: store.ledger(), key: UnsubscribeKey::new(KEY) };
        let pat = submit(&store, contact("pat@example.com", "+14155552671")).await;
        let world = Self { app, store, pat };
        assert_eq!(world.agreed().await, [true, true]);
        world
    }

    async fn agreed(&self) -> [bool; 2] {
        let pat = self.app.ledger.find_person(&Fixtures::scope(), &self.pat).await.unwrap().unwrap();
        ConsentChannel::ALL.map(|channel| pat.has_consent(channel))
    }

    fn path(&self, channel: ConsentChannel) -> String {
        path(&Fixtures::scope(), &self.pat, channel)
    }

    async fn send(&self, golden: &str, path: &str) -> ApiGatewayV2httpResponse {
        self.send_changed(golden, |event| event["rawPath"] = json!(path)).await
    }

    async fn send_changed(&self, golden: &str, change: impl FnOnce(&mut Value)) -> ApiGatewayV2httpResponse {
        let mut event: Value = serde_json::from_str(golden).unwrap();
        change(&mut event);
        let service = tower::service_fn(|request| async { Ok::<_, Infallible>(handle(&self.app, request).await) });
        answer(service, &event.to_string()).await
    }
}

/// The referrer of a form with both boxes ticked.
async fn submit(store: &TestStore, referrer: Contact) -> PersonId {
    let ledger = store.ledger();
    let capture = Capture {
        profiles: &store.directory(),
        limiter: &store.limiter(),
        slug_limits: Fixtures::LIMITS,
        store: &ledger,
        clock: &SystemClock,
        ids: &RandomIds,
    };
    let form = Submission {
        consent: FormConsent { email: true, sms: true, text: Some(ConsentText::FormV1) },
        ..submission(referrer, contact("sam@example.com", ""))
    };
    let arrival = Arrival { request_id: "request", named: None };
    let Captured::Recorded(_, id) = capture.capture(Some(&Fixtures::slug()), &form, arrival).await.unwrap() else {
        panic!("not recorded")
    };
    ledger.find_referral(&Fixtures::scope(), &id).await.unwrap().unwrap().referrer_person_id
}

fn path(scope: &OrgScope, person: &PersonId, channel: ConsentChannel) -> String {
    format!("/u/{}", UnsubscribeKey::new(KEY).seal(scope, person, channel).unwrap())
}

fn text(response: &ApiGatewayV2httpResponse) -> String {
    String::from_utf8(response.body.as_deref().unwrap_or_default().to_vec()).unwrap()
}

#[track_caller]
fn assert_is_page(response: &ApiGatewayV2httpResponse, status: i64, words: &str) {
    assert_eq!(response.status_code, status);
    assert!(text(response).contains(words), "{}", text(response));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=31536000"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.headers[name], value);
    }
    let policy = response.headers["content-security-policy"].to_str().unwrap();
    for part in ["default-src 'none';", "form-action 'self';", "frame-ancestors 'none';", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert!(!response.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn the_golden_events_are_links_of_the_demo() {
    let world = World::new().await;
    let golden = path(&Fixtures::scope(), &Fixtures::person_111(), ConsentChannel::Email);
    for (event, status, words) in
        [(PAGE, 200, "Stop these emails?"), (ONE_CLICK, 200, "You will get no more of these emails.")]
    {
        let event: Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["rawPath"], json!(golden));
        assert_is_page(&world.send(&event.to_string(), &golden).await, status, words);
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    for (channel, words) in
        ConsentChannel::ALL.into_iter().zip(["get no more of these emails", "get no more of these text messages"])
    {
        let shown = world.send(PAGE, &world.path(channel)).await;
        assert_is_page(&shown, 200, words);
        assert!(text(&shown).contains("<form method=\"post\">"));
        assert!(!text(&shown).contains("Pat") && !text(&shown).contains(world.pat.as_str()));
        let head = world
            .send_changed(PAGE, |event| {
                event["rawPath"] = json!(world.path(channel));
                event["requestContext"]["http"]["method"] = json!("HEAD");
            })
            .await;
        assert_is_page(&head, 200, "");
        assert_eq!(text(&head), "");
    }
    assert!(world.store.calls.take().is_empty(), "a look asks the store nothing");
    assert_eq!(world.agreed().await, [true, true]);
}

#[tokio::test]
async fn one_post_ends_one_channel_however_it_comes_and_however_often() {
    let bodies = [
        json!({"body": "TGlzdC1VbnN1YnNjcmliZT1PbmUtQ2xpY2s=", "isBase64Encoded": true}),
        // The page's own form has no fields.
        json!({"body": "", "isBase64Encoded": false}),
        json!({"body": null, "isBase64Encoded": false}),
        json!({"body": "anything at all", "isBase64Encoded": false}),
    ];
    for body in bodies {
        for (channel, left) in ConsentChannel::ALL.into_iter().zip([[false, true], [true, false]]) {
            let world = World::new().await;
            for _ in 0..2 {
                let done = world
                    .send_changed(ONE_CLICK, |event| {
                        event["rawPath"] = json!(world.path(channel));
                        event["body"] = body["body"].clone();
                        event["isBase64Encoded"] = body["isBase64Encoded"].clone();
                    })
                    .await;
                assert_is_page(&done, 200, "You will get no more of these");
                assert!(!text(&done).contains("<form"));
                assert_eq!(world.agreed().await, left);
            }
            let mut entries = world.store.items().await;
            entries.retain(|item| item.kind() == "CONSENT" && item.text("decision") == "REVOKED");
            let [entry] = &entries[..] else { panic!("{} entries", entries.len()) };
            let said = ["channel", "method", "actor", "requestId", "evidence"].map(|field| entry.text(field));
            assert_eq!(said, [channel.as_str(), "ONE_CLICK", "public", "JKJaXmPLvHcESHA=", "JKJaXmPLvHcESHA="]);
        }
    }
}

#[tokio::test]
async fn a_link_that_is_none_is_one_page_whatever_is_wrong_with_it() {
    let world = World::new().await;
    let good = world.path(ConsentChannel::Email);
    let foreign = UnsubscribeKey::new("other").seal(&Fixtures::scope(), &world.pat, ConsentChannel::Email).unwrap();
    let paths = [
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}/"),
        good.replace("/u/", "/u//"),
        good.replace("/u/", "/v/"),
        format!("/u/{foreign}"),
        "/u/".to_owned(),
        "/u".to_owned(),
        "/u/../u".to_owned(),
        "/u/<script>".to_owned(),
        "/u/\u{e9}%00".to_owned(),
    ];
    let _ = world.store.calls.take();
    let mut seen = Vec::new();
    for golden in [PAGE, ONE_CLICK] {
        for path in &paths {
            let answer = world.send(golden, path).await;
            assert_is_page(&answer, 404, "This link does not work");
            seen.push((answer.headers.clone(), text(&answer)));
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    assert!(world.store.calls.take().is_empty());
    assert_eq!(world.agreed().await, [true, true]);
}

#[tokio::test]
async fn who_is_gone_gets_nothing_more_either() {
    let world = World::new().await;
    let nobody = PersonId::parse("person_nobody").unwrap();
    let done = world.send(ONE_CLICK, &path(&Fixtures::scope(), &nobody, ConsentChannel::Sms)).await;
    assert_is_page(&done, 200, "You will get no more of these text messages.");
    // Another organization's person of the same id is somebody else.
    let other = Fixtures::caller(
        Fixtures::OTHER_ORGANIZATION,
        Fixtures::OTHER_OWNER,
        referrals::domain::organization::Role::Owner,
    );
    let done = world.send(ONE_CLICK, &path(&other.scope, &world.pat, ConsentChannel::Email)).await;
    assert_is_page(&done, 200, "You will get no more of these emails.");
    assert_eq!(world.agreed().await, [true, true]);
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let world = World::new().await;
    for method in ["PUT", "PATCH", "DELETE", "TRACE"] {
        let answer = world
            .send_changed(PAGE, |event| {
                event["rawPath"] = json!(world.path(ConsentChannel::Email));
                event["requestContext"]["http"]["method"] = json!(method);
            })
            .await;
        assert_is_page(&answer, 405, "This does not work");
        assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
    }
    assert_eq!(world.agreed().await, [true, true]);
}

#[tokio::test]
async fn a_body_is_not_read_but_it_has_a_size() {
    let world = World::new().await;
    for (bytes, status, left) in [(MAX_BODY_BYTES + 1, 413, [true, true]), (MAX_BODY_BYTES, 200, [false, true])] {
        let answer = world
            .send_changed(ONE_CLICK, |event| {
                event["rawPath"] = json!(world.path(ConsentChannel::Email));
                event["body"] = json!("x".repeat(bytes));
                event["isBase64Encoded"] = json!(false);
            })
            .await;
        assert_is_page(&answer, status, "");
        assert_eq!(world.agreed().await, left);
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_page_too() {
    let mut world = World::new().await;
    let (path, store) = (world.path(ConsentChannel::Email), world.store.clone());
    world.app.ledger = store.unreachable().ledger();
    assert_is_page(&world.send(PAGE, &path).await, 200, "Stop these emails?");
    let answer = world.send(ONE_CLICK, &path).await;
    assert_is_page(&answer, 503, "Please try again");
    assert_eq!(answer.headers["retry-after"], "2");
    world.app.ledger = Ledger::new(store.client.clone(), "no-such-table".to_owned(), "no-such-table".to_owned());
    assert_is_page(&world.send(ONE_CLICK, &path).await, 500, "Something went wrong");
    world.app.ledger = store.ledger();
    assert_is_page(&world.send(ONE_CLICK, &path).await, 200, "You are unsubscribed");
    assert_eq!(world.agreed().await, [false, true]);
}
