use referrals::{
    domain::{
        access::Caller,
        change::Patch,
        consent::{ConsentChange, ConsentChannel, ConsentText, FormConsent},
        contact::ContactKey,
        email::Email,
        id::{EventId, PersonId, ReferralId},
        message::{Claim, DeliveryNews, Message, MessageId, MessageKind, MessageStatus, Sending},
        organization::Role,
        person_change::{PersonChange, PersonEdit},
        referral::RewardStatus,
        text::Reason,
        version::Expected,
    },
    ports::{
        Clock as _, MessageBook as _, MessageWrite, MessageWriteOutcome, PersonReader as _, ReferralReader as _,
        SuppressionList as _,
    },
    usecase::{
        capture_referral::{Arrival, Capture, Captured, Submission},
        change_person::{PersonOutcome, PersonRequest, change_person},
    },
};
use referrals_testing::{Fixtures, Item, TestStore, contact, submission};
use serde_json::{Value, json};

use super::*;

/// As SES puts them on the bus, and as they reach the queue.
const GOLDEN: [(&str, &str); 3] = [
    (
        include_str!("../../../../events/ses/delivered.json"),
        include_str!("../../../../events/ses/delivered.queued.json"),
    ),
    (include_str!("../../../../events/ses/bounced.json"), include_str!("../../../../events/ses/bounced.queued.json")),
    (
        include_str!("../../../../events/ses/complained.json"),
        include_str!("../../../../events/ses/complained.queued.json"),
    ),
];
const TOKEN: &str = "01KAMF0T00DEMTKEN000000001";
const ADDRESS: &str = "pat@example.com";

struct World {
    store: TestStore,
    ledger: Ledger,
    referral: ReferralId,
    pat: PersonId,
}

impl World {
    /// Pat, who has agreed on both channels, has sent a friend; the reward was sent.
    async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
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
            ..submission(contact(ADDRESS, "+14155552671"), contact("sam@example.com", ""))
        };
        let arrival = Arrival { request_id: "request", named: None };
        let captured = capture.capture(Some(&Fixtures::slug()), &form, arrival).await.unwrap();
        let Captured::Recorded(_, referral) = captured else { panic!("not recorded") };
        let pat = ledger.find_referral(&Fixtures::scope(), &referral).await.unwrap().unwrap().referrer_person_id;
        let world = Self { store, ledger, referral, pat };
        let mut row = world.ledger.find_referral(&Fixtures::scope(), &world.referral).await.unwrap().unwrap();
        row.reward_status = RewardStatus::Sent;
        row.touch(SystemClock.now());
        world.write(vec![], Some(row)).await;
        world
    }

    async fn write(&self, messages: Vec<Message>, referral: Option<referrals::domain::referral::Referral>) {
        let at = SystemClock.now();
        let write =
            MessageWrite { messages, referral, guard: None, audit: vec![], events: vec![], remembered: None, at };
        let outcome = self.ledger.write_messages(&Fixtures::scope(), &self.referral, &write).await.unwrap();
        assert_eq!(outcome, MessageWriteOutcome::Written);
    }

    fn thank_you(&self) -> MessageId {
        MessageId::thank_you(self.referral.clone(), ConsentChannel::Email)
    }

    fn notice(&self) -> MessageId {
        let event = EventId::parse("evt_1").unwrap();
        MessageId::notice(self.referral.clone(), MessageKind::NewReferral, ConsentChannel::Email, event)
    }

    /// Somebody has claimed the message and was not heard of since.
    async fn claimed(&self, id: MessageId) {
        let at = SystemClock.now();
        let thanked = (id.kind == MessageKind::ThankYou).then(|| self.pat.clone());
        let mut message = Message::new(Fixtures::scope().organization().clone(), id, thanked, at);
        let claim = Claim { token: TOKEN.to_owned(), until: at.plus_seconds(60) };
        message.claim(claim, contact(ADDRESS, ""), at);
        self.write(vec![message], None).await;
    }

    async fn message(&self, id: &MessageId) -> Message {
        self.ledger.find_message(&Fixtures::scope(), id).await.unwrap().unwrap()
    }

    async fn edit_message(&self, id: &MessageId, edit: impl FnOnce(&mut Message)) {
        let mut message = self.message(id).await;
        edit(&mut message);
        self.write(vec![message], None).await;
    }

    async fn change_pat(&self, change: PersonChange) {
        let caller: Caller = Fixtures::owner();
        let pat = self.ledger.find_person(&Fixtures::scope(), &self.pat).await.unwrap().unwrap();
        let request = PersonRequest { change: &change, expected: &Expected::Any, request_id: "edit" };
        let outcome = change_person(&self.ledger, &SystemClock, &caller, pat, &request).await.unwrap();
        assert!(matches!(outcome, PersonOutcome::Done(_)), "{outcome:?}");
    }

    async fn grant_email(&self) {
        let evidence = Reason::parse("said so on the phone").unwrap();
        let text = Some(ConsentText::FormV1);
        let change = ConsentChange { channel: ConsentChannel::Email, granted: true, text, evidence };
        self.change_pat(PersonChange::Consent(change)).await;
    }

    async fn move_to(&self, address: &str) {
        let email = Patch::Set(Email::parse(address).unwrap());
        self.change_pat(PersonChange::Edit(PersonEdit { email, ..PersonEdit::default() })).await;
    }

    /// Email, SMS.
    async fn agreed(&self) -> [bool; 2] {
        let pat = self.ledger.find_person(&Fixtures::scope(), &self.pat).await.unwrap().unwrap();
        ConsentChannel::ALL.map(|channel| pat.has_consent(channel))
    }

    async fn is_suppressed(&self) -> bool {
        self.ledger.is_suppressed(&Fixtures::scope(), &address()).await.unwrap()
    }

    async fn rows(&self, keep: impl Fn(&Item) -> bool) -> Vec<Item> {
        let mut items = self.store.items().await;
        items.retain(keep);
        items.sort_by_key(|item| item.text("at").to_owned());
        items
    }

    async fn revocations(&self) -> Vec<[String; 3]> {
        let rows = self.rows(|item| item.kind() == "CONSENT" && item.text("decision") == "REVOKED").await;
        rows.iter().map(|row| ["channel", "method", "actor"].map(|field| row.text(field).to_owned())).collect()
    }

    /// What the history says of messages: from, to.
    async fn history(&self) -> Vec<(String, String)> {
        let rows = self.rows(|item| item.kind() == "AUDIT" && item.text("action") == "MESSAGE_CHANGED").await;
        rows.iter().map(|row| (row.text("from").to_owned(), row.text("to").to_owned())).collect()
    }

    async fn thanked(&self) -> usize {
        let items = self.store.outbox_items().await;
        items.iter().filter(|item| item.text("detailType") == "REFERRER_THANKED").count()
    }

    async fn hear(&self, bodies: &[Value]) -> Vec<String> {
        let bodies: Vec<_> = bodies.iter().map(Value::to_string).collect();
        failed(&handle(&self.ledger, &batch(&bodies), in_a_minute()).await)
    }

    /// The golden event of that kind about this world's thank-you.
    fn event(&self, queued: &str) -> Value {
        let mut event: Value = serde_json::from_str(queued).unwrap();
        event["detail"]["tags"]["referral"] = json!([self.referral]);
        event
    }

    fn delivered(&self) -> Value {
        self.event(GOLDEN[0].1)
    }

    fn bounced(&self, bounce_type: &str) -> Value {
        let mut event = self.event(GOLDEN[1].1);
        event["id"] = json!(format!("{bounce_type}-bounce"));
        event["detail"]["bounceType"] = json!(bounce_type);
        event
    }

    fn complained(&self) -> Value {
        self.event(GOLDEN[2].1)
    }
}

fn address() -> ContactKey {
    contact(ADDRESS, "").identity().unwrap()
}

fn batch(bodies: &[String]) -> SqsEvent {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(place, body)| json!({"messageId": place.to_string(), "body": body, "attributes": {}, "messageAttributes": {}}))
        .collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

#[allow(clippy::disallowed_methods)]
fn in_a_minute() -> SystemTime {
    SystemTime::now() + std::time::Duration::from_mins(1)
}

fn failed(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

fn revoked(method: &str) -> Vec<[String; 3]> {
    vec![["EMAIL", method, "system:delivery-feedback"].map(str::to_owned)]
}

fn said(history: &[(&str, &str)]) -> Vec<(String, String)> {
    history.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

#[test]
fn what_reaches_the_queue_names_no_address() {
    for (put, queued) in GOLDEN {
        let (put, queued): (Value, Value) = (serde_json::from_str(put).unwrap(), serde_json::from_str(queued).unwrap());
        assert!(put.to_string().contains('@') && !queued.to_string().contains('@'));
        assert_eq!((&put["id"], &put["detail-type"]), (&queued["id"], &queued["detail-type"]));
        let mail = &put["detail"]["mail"];
        assert_eq!((&mail["messageId"], &mail["tags"]), (&queued["detail"]["messageId"], &queued["detail"]["tags"]));
        assert_eq!(put["detail"]["bounce"]["bounceType"], queued["detail"]["bounceType"]);
    }
}

#[tokio::test]
async fn the_golden_events_are_read_and_their_message_is_nobodys() {
    let store = TestStore::start().await;
    let bodies = GOLDEN.map(|(_, queued)| queued.to_owned());
    let response = handle(&store.ledger(), &batch(&bodies), in_a_minute()).await;
    assert!(failed(&response).is_empty());
    assert!(store.items().await.is_empty());
}

#[tokio::test]
async fn whatever_is_heard_proves_that_the_mail_was_accepted() {
    for status in [MessageStatus::Claimed, MessageStatus::Unknown, MessageStatus::Queued] {
        let world = World::new().await;
        let id = world.thank_you();
        world.claimed(id.clone()).await;
        if status != MessageStatus::Claimed {
            world.edit_message(&id, |message| message.give_up(SystemClock.now())).await;
        }
        if status == MessageStatus::Queued {
            // An agent has asked for it again, and it has not left again yet.
            world.edit_message(&id, |message| assert!(message.request_again(SystemClock.now()))).await;
        }
        for _ in 0..2 {
            assert!(world.hear(&[world.delivered()]).await.is_empty());
        }
        let message = world.message(&id).await;
        assert_eq!((message.status, message.delivery), (MessageStatus::Submitted, Some(DeliveryNews::Delivered)));
        assert!(message.provider_message_id.unwrap().starts_with("0100019aad2f1c00-"));
        let referral = world.ledger.find_referral(&Fixtures::scope(), &world.referral).await.unwrap().unwrap();
        assert_eq!((referral.reward_status, world.thanked().await), (RewardStatus::Thanked, 1));
        let history = world.history().await;
        assert_eq!(history, said(&[(status.as_str(), "SUBMITTED"), ("", "DELIVERED")]));
        assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
    }
}

#[tokio::test]
async fn a_mailbox_that_is_gone_and_a_complaint_end_consent_and_nothing_else_does() {
    for (news, reason, ends) in [
        ("DELIVERED", "", false),
        ("BOUNCED", "Transient", false),
        ("BOUNCED", "Undetermined", false),
        ("BOUNCED", "Permanent", true),
        ("COMPLAINED", "", true),
    ] {
        let world = World::new().await;
        world.claimed(world.thank_you()).await;
        let event = match news {
            "DELIVERED" => world.delivered(),
            "BOUNCED" => world.bounced(reason),
            _ => world.complained(),
        };
        for _ in 0..2 {
            assert!(world.hear(std::slice::from_ref(&event)).await.is_empty());
        }
        assert_eq!((world.agreed().await, world.is_suppressed().await), ([!ends, true], ends), "{event}");
        let method = if news == "COMPLAINED" { "COMPLAINT" } else { "BOUNCE" };
        assert_eq!(world.revocations().await, if ends { revoked(method) } else { Vec::new() });
        assert_eq!(world.history().await.last().unwrap().1, news);
        let notes = world.rows(|item| item.kind() == "AUDIT" && item.text("to") == news).await;
        let note = notes[0].0["message"].as_m().unwrap();
        assert_eq!(note.get("reason").and_then(|reason| reason.as_s().ok()).map_or("", String::as_str), reason);
    }
}

#[tokio::test]
async fn events_come_twice_and_in_any_order() {
    for order in 0..24_usize {
        let world = World::new().await;
        world.claimed(world.thank_you()).await;
        let mut events =
            vec![world.delivered(), world.bounced("Transient"), world.bounced("Permanent"), world.complained()];
        let (mut mixed, mut rest) = (Vec::new(), order);
        for left in (1..=4).rev() {
            mixed.push(events.remove(rest % left));
            rest /= left;
        }
        let all = [mixed.clone(), mixed].concat();
        assert!(world.hear(&all).await.is_empty());
        let message = world.message(&world.thank_you()).await;
        assert_eq!((message.status, message.delivery), (MessageStatus::Submitted, Some(DeliveryNews::Complained)));
        assert_eq!((world.agreed().await, world.is_suppressed().await), ([false, true], true));
        assert_eq!((world.revocations().await.len(), world.thanked().await), (1, 1));
    }
}

#[tokio::test]
async fn what_an_earlier_delivery_left_undone_is_done() {
    let world = World::new().await;
    world.claimed(world.thank_you()).await;
    // Accepted and revoked, and then it died.
    let accepted = Sending::Accepted("mail-1".to_owned());
    world
        .edit_message(&world.thank_you(), |message| {
            assert!(message.answered(TOKEN, &accepted, SystemClock.now()));
        })
        .await;
    world
        .change_pat(PersonChange::Consent(ConsentChange {
            channel: ConsentChannel::Email,
            granted: false,
            text: None,
            evidence: None,
        }))
        .await;
    assert!(world.hear(&[world.bounced("Permanent")]).await.is_empty());
    assert!(world.is_suppressed().await);
    assert_eq!(world.message(&world.thank_you()).await.delivery, Some(DeliveryNews::Bounced));
    // What was agreed to since is not ended by the same event.
    world.grant_email().await;
    assert!(world.hear(&[world.bounced("Permanent")]).await.is_empty());
    assert_eq!(world.agreed().await, [true, true]);
}

#[tokio::test]
async fn a_bounce_is_of_an_address_and_a_complaint_of_a_person() {
    for (is_complaint, left) in [(false, [true, true]), (true, [false, true])] {
        let world = World::new().await;
        world.claimed(world.thank_you()).await;
        world.move_to("pat@example.org").await;
        world.grant_email().await;
        let event = if is_complaint { world.complained() } else { world.bounced("Permanent") };
        assert!(world.hear(&[event]).await.is_empty());
        assert_eq!((world.agreed().await, world.is_suppressed().await), (left, true));
    }
}

#[tokio::test]
async fn news_of_an_earlier_attempt_is_not_this_ones() {
    let world = World::new().await;
    world.claimed(world.thank_you()).await;
    let earlier = |mut event: Value| {
        event["detail"]["tags"]["token"] = json!(["01KAMF0T00DEMTKEN000000000"]);
        event
    };
    assert!(world.hear(&[earlier(world.delivered()), earlier(world.bounced("Permanent"))]).await.is_empty());
    let message = world.message(&world.thank_you()).await;
    assert_eq!((message.status, message.delivery), (MessageStatus::Claimed, None));
    assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
    // But who complains has had enough, of whichever attempt.
    assert!(world.hear(&[earlier(world.complained())]).await.is_empty());
    assert_eq!((world.agreed().await, world.revocations().await), ([false, true], revoked("COMPLAINT")));
    assert_eq!(world.message(&world.thank_you()).await.delivery, None);
    // Without a token it cannot be told, and is taken as this one's.
    let mut untold = world.delivered();
    untold["detail"]["tags"].as_object_mut().unwrap().remove("token");
    assert!(world.hear(&[untold]).await.is_empty());
    assert_eq!(world.message(&world.thank_you()).await.status, MessageStatus::Submitted);
}

#[tokio::test]
async fn a_notice_to_an_agent_is_noted_and_no_more() {
    let world = World::new().await;
    let id = world.notice();
    world.claimed(id.clone()).await;
    let about = |mut event: Value| {
        event["detail"]["tags"]["message_kind"] = json!(["NEW_REFERRAL"]);
        event["detail"]["tags"]["event"] = json!(["evt_1"]);
        event
    };
    assert!(world.hear(&[about(world.bounced("Permanent")), about(world.complained())]).await.is_empty());
    let message = world.message(&id).await;
    assert_eq!((message.status, message.delivery), (MessageStatus::Submitted, Some(DeliveryNews::Complained)));
    assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
    assert_eq!(world.thanked().await, 0);
}

#[tokio::test]
async fn another_organization_hears_nothing() {
    let world = World::new().await;
    world.claimed(world.thank_you()).await;
    let mut event = world.complained();
    let other = Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner);
    event["detail"]["tags"]["organization"] = json!([other.scope.organization()]);
    assert!(world.hear(&[event]).await.is_empty());
    assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
    assert_eq!(world.message(&world.thank_you()).await.status, MessageStatus::Claimed);
}

#[tokio::test]
async fn a_batch_names_only_the_messages_that_failed() {
    let world = World::new().await;
    world.claimed(world.thank_you()).await;
    let good = world.bounced("Permanent");
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let mut rejected = world.delivered();
    rejected["detail-type"] = json!("Email Rejected");
    let bodies = [
        json!("text"),
        with("/source", json!("winnerr.referrals")),
        with("/detail-type", json!("Email Opened")),
        with("/detail", json!([])),
        with("/detail/messageId", Value::Null),
        with("/detail/bounceType", Value::Null),
        with("/detail/tags/organization", json!(["org_1#PERSON"])),
        with("/detail/tags/referral", json!([])),
        with("/detail/tags/referral", json!([world.referral, world.referral])),
        with("/detail/tags/message_kind", json!(["GREETING"])),
        // A notice is about an event.
        with("/detail/tags/message_kind", json!(["NEW_REFERRAL"])),
        with("/detail/tags/channel", json!("EMAIL")),
        rejected,
    ];
    let failed = world.hear(&bodies).await;
    assert_eq!(failed, (0..bodies.len() - 1).map(|place| place.to_string()).collect::<Vec<_>>());
    let message = world.message(&world.thank_you()).await;
    assert_eq!((message.status, message.delivery), (MessageStatus::Submitted, Some(DeliveryNews::Bounced)));
    assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
}

#[tokio::test]
async fn a_store_that_does_not_answer_sends_the_message_back() {
    let store = TestStore::start().await;
    let nowhere = Ledger::new(store.client.clone(), "no-such-table".to_owned(), "no-such-table".to_owned());
    let response = handle(&nowhere, &batch(&[GOLDEN[0].1.to_owned()]), in_a_minute()).await;
    assert_eq!(failed(&response), ["0"]);
}
