//! What is kept of a person is shown to those who may see it, and goes when they are erased.

use referrals::{
    domain::{
        access::Caller,
        consent::ConsentChannel,
        id::{OrgId, PersonId, ReferralId},
        idempotency::IdempotentRequest,
        message::{Claim, Message, MessageId, Sending},
        organization::Role,
    },
    ports::{
        AnswerBook as _, MessageBook as _, MessageWrite, MessageWriteOutcome, ReferralReader as _, RememberOutcome,
        RememberedAnswer, SuppressionList as _,
    },
    usecase::erase_person::{Erased, Erasing, ErasureRequest, erase_person},
};
use referrals_testing::contact;

use super::*;

/// Words of which nothing is to be left.
const WORDS: [&str; 4] = ["quinella", "marchbanks", "4155550142", "zephyrine"];
const EMAIL: &str = "quinella@canary.example";
const PHONE: &str = "+14155550142";
const REPORT: &str = "/api/reputation/attribution?groupBy=advocate";

fn post(path: &str, key: &str, body: &Value) -> Call {
    call(OWNER, "POST", path).header("idempotency-key", key).json(body)
}

fn erase(id: &str) -> Call {
    call(OWNER, "DELETE", format!("/api/people/{id}/data"))
}

async fn dump(world: &World) -> String {
    world.dump().await.join("\n").to_lowercase()
}

fn left_in(text: &str) -> Vec<&'static str> {
    WORDS.into_iter().filter(|word| text.to_lowercase().contains(word)).collect()
}

fn id_of(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// A referral that Quinella sent; gives its path and her id.
async fn sent_by_her(world: &World, key: &str, friend: &str) -> (String, String) {
    let body = json!({
        "referrer": {"name": "Quinella Marchbanks", "email": EMAIL, "phone": PHONE},
        "referredName": friend,
        "notes": "Zephyrine says hello."
    });
    let answered = world.call(post(REFERRALS, key, &body)).await;
    assert_eq!(answered.status, 201, "{}", answered.body);
    let her = answered.body["referrerPersonId"].as_str().unwrap().to_owned();
    (format!("{REFERRALS}/{}", id_of(&answered.body)), her)
}

/// A thank-you that left for her, as the messenger leaves it.
async fn thanked(world: &World, referral: &str, her: &str) {
    let (at, referral) = (SystemClock.now(), ReferralId::parse(referral.rsplit('/').next().unwrap()).unwrap());
    let id = MessageId::thank_you(referral.clone(), ConsentChannel::Email);
    let organization = OrgId::parse(Fixtures::ORGANIZATION).unwrap();
    let mut message = Message::new(organization, id, PersonId::parse(her).ok(), at);
    message.claim(Claim { token: "t".to_owned(), until: at.plus_seconds(60) }, contact(EMAIL, PHONE), at);
    assert!(message.answered("t", &Sending::Accepted("id".to_owned()), at));
    message.version = 1;
    let write = MessageWrite {
        messages: vec![message],
        referral: None,
        unchanged: None,
        guard: None,
        audit: vec![],
        events: vec![],
        remembered: None,
        at,
    };
    let written = world.store.ledger().write_messages(&Fixtures::scope(), &referral, &write).await;
    assert_eq!(written, Ok(MessageWriteOutcome::Written));
}

/// Everything that there can be of her: gives her id and the paths of her referrals: one that she sent, one through which she
/// came, one that was deleted, one that got another lead.
async fn quinella(world: &World) -> (String, [String; 4]) {
    let (sent, her) = sent_by_her(world, "sent", "Thaddeus Plimsoll").await;
    thanked(world, &sent, &her).await;
    let steps = [
        ("lose", json!({"lostReason": "Zephyrine moved away."})),
        ("reopen", json!({})),
        ("contact", json!({})),
        ("lose", json!({"lostReason": "Zephyrine again."})),
    ];
    for (place, (step, body)) in steps.iter().enumerate() {
        let answered = world.call(post(&format!("{sent}/{step}"), &format!("step-{place}"), body)).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
    }
    let consent =
        json!({"channel": "EMAIL", "granted": true, "consentTextId": "form-v1", "evidence": "Zephyrine was there."});
    let answered = world.call(call(OWNER, "PUT", format!("/api/people/{her}/consent")).json(consent)).await;
    assert_eq!(answered.status, 200, "{}", answered.body);

    let as_lead = json!({
        "referrerPersonId": "person_111",
        "referredName": "Quinella Marchbanks",
        "referredEmail": EMAIL,
        "notes": "Zephyrine's neighbour."
    });
    let mut led = Vec::new();
    for key in ["lead", "moved"] {
        let answered = world.call(post(REFERRALS, key, &as_lead)).await;
        let path = format!("{REFERRALS}/{}", id_of(&answered.body));
        let linked = call(OWNER, "PATCH", path.clone()).json(json!({"referredPersonId": her}));
        assert_eq!(world.call(linked).await.status, 200);
        led.push(path);
    }
    let (deleted, _) = sent_by_her(world, "deleted", "Thaddeus Senior").await;
    let lost = json!({"lostReason": "Zephyrine said so."});
    assert_eq!(world.call(post(&format!("{deleted}/lose"), "lost", &lost)).await.status, 200);
    assert_eq!(world.call(call(OWNER, "DELETE", deleted.clone())).await.status, 204);

    let friend = json!({"name": "Thaddeus Plimsoll", "email": "thad@canary.example"});
    let answered = world.call(post(REFERRALS, "other", &json!({"referrer": friend, "referredName": "Ann"}))).await;
    let other = answered.body["referrerPersonId"].as_str().unwrap();
    let moved = led.pop().unwrap();
    let corrected = json!({
        "referredPersonId": other, "referredName": "Thaddeus Plimsoll", "referredContact": {"email": "thad@canary.example"},
    });
    let answered = world.call(call(OWNER, "PATCH", moved.clone()).json(corrected)).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    (her, [sent, led.pop().unwrap(), deleted, moved])
}

#[tokio::test]
async fn nothing_of_an_erased_person_is_left_and_reports_still_add_up() {
    let world = World::new().await;
    let (her, [sent, lead, deleted, moved]) = quinella(&world).await;
    assert_eq!(left_in(&dump(&world).await), WORDS);
    let before = world.call(call(OWNER, "GET", REPORT)).await.body;

    let erased = world.call(erase(&her)).await;
    assert_eq!((erased.status, &erased.body["personId"], &erased.body["nextCursor"]), (200, &json!(her), &Value::Null));
    assert_eq!(left_in(&dump(&world).await), [""; 0], "{:#?}", world.dump().await);

    let after = world.call(call(OWNER, "GET", REPORT)).await.body;
    assert!(before.to_string().contains("Quinella"));
    assert_eq!(after.to_string(), before.to_string().replace("Quinella Marchbanks", "Erased person"));
    let person = world.call(call(OWNER, "GET", format!("/api/people/{her}"))).await.body;
    assert_eq!(
        (&person["name"], &person["email"], &person["phone"]),
        (&json!("Erased person"), &Value::Null, &Value::Null)
    );
    assert_eq!((&person["erasedAt"], &person["doNotContact"]), (&erased.body["erasedAt"], &json!(true)));
    assert_eq!((&person["emailMarketingConsent"], &person["totalReferrals"]), (&json!(false), &json!(1)));

    // Her friends stay, and so does what became of them.
    let row = world.call(call(OWNER, "GET", sent.clone())).await.body;
    assert_eq!((&row["referredName"], &row["status"]), (&json!("Thaddeus Plimsoll"), &json!("LOST")));
    assert_eq!((&row["notes"], &row["lostReason"]), (&Value::Null, &Value::Null));
    let row = world.call(call(OWNER, "GET", lead)).await.body;
    assert_eq!((&row["referredName"], &row["referredContact"]["email"]), (&json!("Erased person"), &Value::Null));
    let row = world.call(call(OWNER, "GET", moved)).await.body;
    assert_eq!((&row["referredName"], &row["notes"]), (&json!("Thaddeus Plimsoll"), &Value::Null));
    for path in [sent, deleted] {
        let history = world.call(call(OWNER, "GET", format!("{path}/history"))).await.body;
        let history = history["history"].as_array().unwrap();
        assert!(history.len() > 2 && history.iter().all(|entry| entry["note"].is_null()), "{history:?}");
        let last = history.iter().filter(|entry| entry["action"] == "ERASED").count();
        assert_eq!(last, 1, "{history:?}");
    }
    let events = world.store.outbox_items().await;
    let told: Vec<_> = events.iter().filter(|item| item.text("detailType") == "PERSON_ERASED").collect();
    assert_eq!(told.len(), 1);

    // Again, it does nothing.
    let stored = dump(&world).await;
    assert_eq!(world.call(erase(&her)).await.body, erased.body);
    assert_eq!(dump(&world).await, stored);
}

#[tokio::test]
async fn what_was_answered_about_an_erased_person_is_not_answered_again() {
    let world = World::new().await;
    let (her, [sent, ..]) = quinella(&world).await;
    // One that changed nothing.
    let again = || post(&format!("{sent}/lose"), "nothing", &json!({"lostReason": "Zephyrine again."}));
    assert_eq!(world.call(again()).await.status, 200);
    assert_eq!(world.call(erase(&her)).await.status, 200);
    assert_eq!(left_in(&dump(&world).await), [""; 0]);
    assert_eq!(world.call(again()).await.code(), (410, "answer_erased"));
    let step = post(&format!("{sent}/reopen"), "step-1", &json!({}));
    assert_eq!(world.call(step).await.code(), (410, "answer_erased"));
    let other = post(&format!("{sent}/lose"), "nothing", &json!({"lostReason": "Another one."}));
    assert_eq!(world.call(other).await.code(), (422, "idempotency_key_reused"));
}

#[tokio::test]
async fn an_erased_person_is_nobody_from_then_on() {
    let world = World::new().await;
    let (her, [_, lead, ..]) = quinella(&world).await;
    assert_eq!(world.call(erase(&her)).await.status, 200);
    let path = format!("/api/people/{her}");
    let patched = call(OWNER, "PATCH", path.clone()).json(json!({"name": "Quinella"}));
    assert_eq!(world.call(patched).await.code(), (409, "person_erased"));
    let consent = json!({"channel": "EMAIL", "granted": false});
    let consented = call(OWNER, "PUT", format!("{path}/consent")).json(consent);
    assert_eq!(world.call(consented).await.code(), (409, "person_erased"));
    let credited = json!({"referrerPersonId": her, "referredName": "Bo"});
    let answered = world.call(call(OWNER, "POST", REFERRALS).json(credited)).await;
    assert_eq!(answered.body["errors"], json!([{"pointer": "/referrerPersonId", "code": "unknown_id"}]));
    let (_, bo) = sent_by_her(&world, "bo", "Bo").await;
    let moved = call(OWNER, "PATCH", lead.clone()).json(json!({"referredPersonId": bo}));
    assert_eq!(world.call(moved).await.status, 200);
    let linked = call(OWNER, "PATCH", lead).json(json!({"referredPersonId": her}));
    assert_eq!(
        world.call(linked).await.body["errors"],
        json!([{"pointer": "/referredPersonId", "code": "unknown_id"}])
    );
    // Who comes back under the address is somebody else.
    assert_ne!(bo, her);
    let found = world.call(call(OWNER, "GET", format!("/api/people?email={EMAIL}"))).await.body;
    assert_eq!((found["people"].as_array().unwrap().len(), &found["people"][0]["id"]), (1, &json!(bo)));
}

#[tokio::test]
async fn who_had_said_no_is_not_written_to_after_that() {
    let (email, phone) = (contact(EMAIL, "").keys().remove(0), contact("", PHONE).keys().remove(0));
    let granted = json!({"channel": "EMAIL", "granted": true, "consentTextId": "form-v1", "evidence": "said so"});
    let revoked = json!({"channel": "EMAIL", "granted": false});
    let blocked = json!({"doNotContact": true});
    // What she had said, and whether address and number stay closed.
    for (said, closed) in [
        (vec![], [false, false]),
        (vec![("/consent", &granted)], [false, false]),
        (vec![("/consent", &granted), ("/consent", &revoked)], [true, false]),
        (vec![("/consent", &granted), ("/consent", &revoked), ("/consent", &granted)], [false, false]),
        (vec![("", &blocked)], [true, true]),
    ] {
        let world = World::new().await;
        let (_, her) = sent_by_her(&world, "sent", "Bo").await;
        for (behind, body) in &said {
            let method = if behind.is_empty() { "PATCH" } else { "PUT" };
            let answered = world.call(call(OWNER, method, format!("/api/people/{her}{behind}")).json(body)).await;
            assert_eq!(answered.status, 200, "{}", answered.body);
        }
        assert_eq!(world.call(erase(&her)).await.status, 200);
        let ledger = world.store.ledger();
        let is_closed = [
            ledger.is_suppressed(&Fixtures::scope(), &email).await.unwrap(),
            ledger.is_suppressed(&Fixtures::scope(), &phone).await.unwrap(),
        ];
        assert_eq!(is_closed, closed, "{said:?}");
        assert_eq!(left_in(&dump(&world).await), [""; 0]);
    }
}

#[tokio::test]
async fn what_is_kept_is_shown_page_by_page() {
    let world = World::new().await;
    let (her, paths) = quinella(&world).await;
    let path = format!("/api/people/{her}/data");
    let whole = world.call(call(OWNER, "GET", path.clone())).await;
    assert_eq!(left_in(&whole.bytes()), WORDS);
    assert_eq!(whole.body["nextCursor"], Value::Null);
    assert_eq!(whole.body["person"]["id"], json!(her));
    assert_eq!(whole.body["consents"][0]["evidence"], "Zephyrine was there.");
    let referrals = whole.body["referrals"].as_array().unwrap();
    let mut ties: Vec<_> = referrals
        .iter()
        .map(|tied| (tied["referralId"].as_str().unwrap(), tied["tie"].as_str().unwrap(), tied["referral"].is_null()))
        .collect();
    let ids = paths.each_ref().map(|path| path.rsplit('/').next().unwrap());
    let mut wanted =
        vec![(ids[0], "REFERRER", false), (ids[1], "LEAD", false), (ids[2], "FORMER", true), (ids[3], "FORMER", false)];
    ties.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(ties, wanted);
    let thanks = referrals.iter().find(|tied| tied["tie"] == "REFERRER").unwrap();
    assert_eq!(thanks["messages"][0]["sentTo"], json!({"email": EMAIL, "phone": PHONE}));
    assert!(thanks["history"].as_array().unwrap().iter().any(|entry| entry["note"] == "Zephyrine moved away."));

    // What the last page leads to is the search for others that show her, and finds none.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for number in 0..5 {
        let page = world.call(call(OWNER, "GET", format!("{path}?limit=1{cursor}"))).await.body;
        seen.extend(page["referrals"].as_array().unwrap().clone());
        assert_eq!(page["person"], whole.body["person"]);
        let next = page["nextCursor"].as_str();
        assert_eq!(next.is_some(), number < 4);
        cursor = format!("&cursor={}", next.unwrap_or_default());
    }
    assert_eq!(seen, *referrals);
    let elsewhere =
        call(OWNER, "GET", format!("/api/people/person_111/data?limit=1{}", cursor.replace("cursor=", "cursor=A")));
    assert_eq!(world.call(elsewhere).await.code(), (400, "invalid_cursor"));
}

#[tokio::test]
async fn only_owners_and_admins_see_it_or_erase() {
    let world = World::new().await;
    let (her, _) = quinella(&world).await;
    let stored = dump(&world).await;
    for method in ["GET", "DELETE"] {
        let ask = |who, id: &str| call(who, method, format!("/api/people/{id}/data"));
        assert_eq!(world.call(ask(JANE, &her)).await.code(), (403, "forbidden"));
        let unknown = world.call(ask(JANE, "person_000")).await;
        assert_eq!(unknown.code(), (404, "not_found"));
        for other in [ask(OTHER, &her), ask(OWNER, "nonsense"), ask(OWNER, "person_000")] {
            assert_eq!(world.call(other).await.bytes(), unknown.bytes());
        }
        let wrong = call(OWNER, method, format!("/api/people/{her}/data?all=1"));
        assert_eq!(world.call(wrong).await.code(), (400, "invalid_query"));
    }
    assert_eq!(dump(&world).await, stored);
}

#[tokio::test]
async fn without_time_it_goes_on_where_it_ended() {
    let world = World::new().await;
    let (her, _) = quinella(&world).await;
    let person = PersonId::parse(&her).unwrap();
    let caller: Caller = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::OWNER, Role::Owner);
    let (mut after, mut calls, mut first) = (None, 0, None);
    loop {
        let request = ErasureRequest { person: &person, after, request_id: "request" };
        let ledger = world.store.ledger();
        let erasing = erase_person(&ledger, &SystemClock, &RandomIds, &caller, request, || false).await.unwrap();
        let Erasing::Done(Erased { erased_at, next }) = erasing else { panic!("{erasing:?}") };
        assert_eq!(*first.get_or_insert(erased_at), erased_at);
        calls += 1;
        let Some(place) = next else { break };
        after = Some(place);
    }
    // One referral each time.
    assert_eq!((calls, left_in(&dump(&world).await)), (4, vec![]));
}

#[tokio::test]
async fn an_answer_of_a_row_that_moved_is_not_remembered() {
    let world = World::new().await;
    let path = world.logged("Sam Lee").await;
    let id = ReferralId::parse(path.rsplit('/').next().unwrap()).unwrap();
    let ledger = world.store.ledger();
    let read = ledger.find_referral(&Fixtures::scope(), &id).await.unwrap().unwrap();
    assert_eq!(world.call(call(OWNER, "POST", format!("{path}/contact"))).await.status, 200);
    let stored = dump(&world).await;
    let request = IdempotentRequest::new(&["x"], "k", b"{}").unwrap();
    let at = SystemClock.now();
    let answer =
        RememberedAnswer { request, answer: "{}".to_owned(), about: Some(id), expires_at: at.plus_seconds(60) };
    let remembered = ledger.remember_answer(&Fixtures::scope(), &answer, &read, at).await;
    assert_eq!(remembered, Ok(RememberOutcome::Stale));
    assert_eq!(dump(&world).await, stored);
}

#[tokio::test]
async fn whatever_is_typed_while_somebody_is_erased_their_name_is_gone() {
    for _ in 0..4 {
        let world = World::new().await;
        let (her, [sent, lead, ..]) = quinella(&world).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..12 {
            let world = World { router: world.router.clone(), store: world.store.clone() };
            let (path, step) = (if number % 2 == 0 { sent.clone() } else { lead.clone() }, number % 3);
            tasks.spawn(async move {
                let key = format!("during-{number}");
                match step {
                    0 => world.call(post(&format!("{path}/reopen"), &key, &json!({}))).await,
                    1 => world.call(post(&format!("{path}/contact"), &key, &json!({}))).await,
                    _ => world.call(call(OWNER, "PATCH", path).json(json!({"notes": "Called back."}))).await,
                };
            });
        }
        let erased = world.call(erase(&her)).await;
        tasks.join_all().await;
        if erased.status != 200 {
            // It met others for too long, and says so.
            assert_eq!(erased.status, 503, "{}", erased.body);
            assert_eq!(world.call(erase(&her)).await.status, 200);
        }
        assert_eq!(left_in(&dump(&world).await), [""; 0]);
    }
}
