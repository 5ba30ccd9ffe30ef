//! One message through every turn that it can take.

use referrals::{
    domain::{audit::Actor, consent::ConsentMethod, message::MessageStatus},
    ports::{MessageWrite, MessageWriteOutcome},
    usecase::revoke_consent::{Revocation, Revoked, revoke_consent},
};

use super::*;

pub async fn revoke(world: &World, person: &PersonId, channel: ConsentChannel) -> Revoked {
    let revocation = Revocation {
        channel,
        address: None,
        method: ConsentMethod::OneClick,
        actor: Actor::Public,
        evidence: None,
        request_id: "request",
    };
    let ledger = world.store.ledger();
    revoke_consent(&ledger, &SystemClock, &Fixtures::scope(), person, &revocation).await.unwrap()
}

async fn willing(world: &World) -> PersonId {
    let fields = json!({
        "email": "pat@example.com", "phone": "+14155550101",
        "emailMarketingConsent": true, "smsMarketingConsent": true,
    });
    world.person("person_willing", fields).await
}

fn events_of(items: &[referrals_testing::Item]) -> Vec<String> {
    let mut types: Vec<String> = items.iter().map(|item| item.text("detailType").to_owned()).collect();
    types.sort();
    types
}

#[tokio::test]
async fn a_thank_you_leaves_once_however_often_it_is_asked_for() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Email, true).await;
    let app = world.app(20);
    let asked = |number: usize| event("REWARD_SENT", &referral.id, &format!("evt_{number}"));
    let once = event("REWARD_SENT", &referral.id, "evt_same");
    let events: Vec<Value> = (0..5).map(asked).chain([once.clone(), once]).collect();
    // Two functions, each with the whole batch, at once.
    let (first, second) = (batch(&events), batch(&events));
    let (one, other) = tokio::join!(handle(&app, &first, in_a_minute()), handle(&app, &second, in_a_minute()));
    drop((one, other));
    for again in &events {
        assert!(deliver(&app, again).await);
    }
    let letters = world.carrier.take();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].signature.agent.as_str(), letters[0].signature.brokerage.as_str()),
        ("Jane Doe", "Doe Realty Group")
    );
    assert_eq!(letters[0].signature.reply_to.as_ref().unwrap().as_str(), "jane.doe@doe-realty.example");
    assert_eq!(world.referral(&referral.id).await.reward_status, RewardStatus::Thanked);
    assert_eq!(events_of(&world.store.outbox_items().await), ["REFERRER_THANKED"]);
    assert_eq!(world.told(&referral.id).await, ["THANK_YOU EMAIL SUBMITTED -"]);
}

#[tokio::test]
async fn what_the_provider_answers_decides_what_the_message_says() {
    let world = World::start().await;
    let person = willing(&world).await;
    let app = world.app(20);
    let code = || "Code".to_owned();
    let rows = [
        (Sending::Refused(code()), true, MessageStatus::Failed, "FAILED Code"),
        (Sending::NoAnswer(code()), true, MessageStatus::Unknown, "UNKNOWN Code"),
        (Sending::NotTaken(code()), false, MessageStatus::Queued, "QUEUED Code"),
    ];
    for (place, (sending, is_done, status, told)) in rows.into_iter().enumerate() {
        let referral = world.rewarded(&format!("ref_{place}"), &person, ThankYouChannel::Email, true).await;
        let asked = event("REWARD_SENT", &referral.id, &format!("evt_{place}"));
        world.carrier.answers.lock().unwrap().push(sending.clone());
        assert_eq!(deliver(&app, &asked).await, is_done, "{sending:?}");
        assert_eq!(world.thank_you(&referral.id, ConsentChannel::Email).await.unwrap().status, status);
        assert_eq!(world.referral(&referral.id).await.reward_status, RewardStatus::Sent);
        // Delivered again, only what certainly did not leave is sent.
        assert!(deliver(&app, &asked).await);
        let is_sent_again = status == MessageStatus::Queued;
        assert_eq!(world.carrier.take().len(), 1 + usize::from(is_sent_again), "{sending:?}");
        let told_now = world.told(&referral.id).await;
        assert_eq!(told_now[0], format!("THANK_YOU EMAIL {told}"));
        assert_eq!(told_now.len(), 1 + usize::from(is_sent_again));
    }
}

#[tokio::test]
async fn both_channels_with_one_consent_send_one_and_skip_one() {
    let world = World::start().await;
    let fields = json!({"email": "pat@example.com", "phone": "+14155550101", "smsMarketingConsent": true});
    let person = world.person("person_half", fields).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Both, true).await;
    assert!(deliver(&world.app(20), &event("REWARD_SENT", &referral.id, "evt_1")).await);
    let told = world.told(&referral.id).await;
    assert!(told.contains(&"THANK_YOU EMAIL SKIPPED NO_CONSENT".to_owned()), "{told:?}");
    assert!(told.contains(&"THANK_YOU SMS SUBMITTED -".to_owned()), "{told:?}");
    assert_eq!(world.referral(&referral.id).await.reward_status, RewardStatus::Thanked);
}

#[tokio::test]
async fn an_accepted_channel_is_not_lost_on_one_that_is_not_taken() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Both, true).await;
    let app = world.app(20);
    let asked = event("REWARD_SENT", &referral.id, "evt_1");
    world.carrier.answers.lock().unwrap().push(Sending::NotTaken("Throttled".to_owned()));
    assert!(!deliver(&app, &asked).await, "the mail was not taken, so the event comes again");
    assert!(deliver(&app, &asked).await);
    let letters = world.carrier.take();
    let channels: Vec<_> = letters.iter().map(|letter| letter.id.channel).collect();
    assert_eq!(channels, [ConsentChannel::Email, ConsentChannel::Sms, ConsentChannel::Email]);
}

#[tokio::test]
async fn a_claim_is_waited_for_and_then_given_up_and_its_late_answer_still_counts() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Email, true).await;
    let asked = event("REWARD_SENT", &referral.id, "evt_1");
    // Whoever claimed it died before an answer came.
    let mut message = begin(&referral);
    let claim = |until| referrals::domain::message::Claim { token: "dead".to_owned(), until };
    message.claim(
        claim(SystemClock.now().plus_seconds(60)),
        referrals::domain::contact::Contact::default(),
        SystemClock.now(),
    );
    write(&world, &message).await;
    assert!(!deliver(&world.app(20), &asked).await, "somebody else is at it");
    let mut message = world.thank_you(&referral.id, ConsentChannel::Email).await.unwrap();
    message.claim(claim(SystemClock.now()), referrals::domain::contact::Contact::default(), SystemClock.now());
    write(&world, &message).await;
    assert!(deliver(&world.app(20), &asked).await);
    assert!(world.carrier.take().is_empty(), "nobody knows whether it left, so it does not leave again");
    assert_eq!(world.told(&referral.id).await, ["THANK_YOU EMAIL UNKNOWN CLAIM_RAN_OUT"]);
    assert!(deliver(&world.app(20), &asked).await, "and that is that");
    assert!(world.carrier.take().is_empty());
}

#[tokio::test]
async fn what_an_agent_asks_for_again_is_decided_again_by_the_same_rules() {
    let world = World::start().await;
    let person = willing(&world).await;
    let app = world.app(20);
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Email, false).await;
    assert!(deliver(&app, &event("REWARD_SENT", &referral.id, "evt_1")).await);
    assert_eq!(world.told(&referral.id).await, ["THANK_YOU EMAIL SKIPPED POLICY_OFF"]);
    let ask_again = async |number: usize| {
        let mut message = world.thank_you(&referral.id, ConsentChannel::Email).await.unwrap();
        assert!(message.request_again(SystemClock.now()));
        write(&world, &message).await;
        assert!(deliver(&app, &event("THANK_YOU_REQUESTED", &referral.id, &format!("evt_again{number}"))).await);
    };
    revoke(&world, &person, ConsentChannel::Email).await;
    ask_again(1).await;
    assert!(world.carrier.take().is_empty(), "asking does not stand in for consent");
    assert_eq!(world.told(&referral.id).await.last().unwrap(), "THANK_YOU EMAIL SKIPPED NO_CONSENT");
}

#[tokio::test]
async fn a_number_that_opted_out_has_its_consent_taken_back() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Sms, true).await;
    *world.carrier.opted_out.lock().unwrap() = true;
    assert!(deliver(&world.app(20), &event("REWARD_SENT", &referral.id, "evt_1")).await);
    assert!(world.carrier.take().is_empty());
    assert_eq!(world.told(&referral.id).await, ["THANK_YOU SMS SKIPPED OPTED_OUT"]);
    let found = referrals::ports::PersonReader::find_person(&world.store.ledger(), &Fixtures::scope(), &person).await;
    let found = found.unwrap().unwrap();
    assert!(!found.has_consent(ConsentChannel::Sms) && found.has_consent(ConsentChannel::Email));
}

/// Its number has opted out, and before anybody can act on that the person's row cannot be read any more.
struct OptedOutAndAway<'a>(&'a World, &'a PersonId);

impl OptedOutAndAway<'_> {
    async fn name_is(&self, name: aws_sdk_dynamodb::types::AttributeValue) {
        let key = referrals::store::keys::person(&Fixtures::scope(), self.1);
        self.0
            .store
            .client
            .update_item()
            .table_name(&self.0.store.table)
            .set_key(Some(referrals::store::transaction::primary(&key)))
            .update_expression("SET #name = :name")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", name)
            .send()
            .await
            .unwrap();
    }
}

impl Carrier for OptedOutAndAway<'_> {
    async fn send(&self, _: &Letter) -> Sending {
        panic!("nothing is sent")
    }

    async fn is_opted_out(&self, _: &Phone) -> Result<bool, StoreError> {
        self.name_is(aws_sdk_dynamodb::types::AttributeValue::Bool(true)).await;
        Ok(true)
    }
}

#[tokio::test]
async fn a_number_that_opted_out_is_not_forgotten_when_the_revocation_fails_at_first() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Sms, true).await;
    let asked = event("REWARD_SENT", &referral.id, "evt_1");
    let (ledger, directory) = (world.store.ledger(), world.store.directory());
    let app = App { ledger, directory, carrier: OptedOutAndAway(&world, &person), claim_seconds: 20 };
    let response = handle(&app, &batch(std::slice::from_ref(&asked)), in_a_minute()).await;
    assert_eq!(response.batch_item_failures.len(), 1);
    app.carrier.name_is(aws_sdk_dynamodb::types::AttributeValue::S("Pat Jones".to_owned())).await;
    *world.carrier.opted_out.lock().unwrap() = true;
    assert!(deliver(&world.app(20), &asked).await);
    let found = referrals::ports::PersonReader::find_person(&world.store.ledger(), &Fixtures::scope(), &person).await;
    assert!(!found.unwrap().unwrap().has_consent(ConsentChannel::Sms));
    assert_eq!(world.told(&referral.id).await, ["THANK_YOU SMS SKIPPED OPTED_OUT"]);
}

#[tokio::test]
async fn agents_are_told_at_least_once_on_the_channels_they_want() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Email, true).await;
    let app = world.app(20);
    let entered = event("LEAD_ENTERED_PIPELINE", &referral.id, "evt_lead");
    world.carrier.answers.lock().unwrap().push(Sending::NoAnswer("TIMEOUT".to_owned()));
    assert!(!deliver(&app, &entered).await, "perhaps untold is not told");
    assert!(deliver(&app, &entered).await);
    assert!(deliver(&app, &entered).await);
    let letters = world.carrier.take();
    assert_eq!(letters.len(), 2);
    for letter in letters {
        assert_eq!(letter.id.kind, MessageKind::NewReferral);
        assert_eq!(letter.to.to_contact().email.unwrap().as_str(), "jane.doe@doe-realty.example");
    }
    assert!(deliver(&app, &event("REWARD_READY", &referral.id, "evt_old")).await);
    assert!(world.carrier.take().is_empty(), "what was sent is not due");
}

#[tokio::test]
async fn what_cannot_be_read_goes_back_and_blocks_nothing() {
    let world = World::start().await;
    let person = willing(&world).await;
    let referral = world.rewarded("ref_1", &person, ThankYouChannel::Email, true).await;
    let good = event("REWARD_SENT", &referral.id, "evt_1");
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let bad = [
        json!("not json"),
        with("/source", json!("somebody.else")),
        with("/detail-type", json!("REFERRAL_RECEIVED")),
        with("/detail/metadata/version", json!(2)),
        with("/detail/data", json!({})),
    ];
    let events: Vec<Value> = bad.iter().cloned().chain([good]).collect();
    let response = handle(&world.app(20), &batch(&events), in_a_minute()).await;
    assert_eq!(response.batch_item_failures.len(), bad.len());
    assert_eq!(world.carrier.take().len(), 1);
}

fn begin(referral: &Referral) -> Message {
    let id = MessageId::thank_you(referral.id.clone(), ConsentChannel::Email);
    Message::new(referral.organization_id.clone(), id, Some(referral.referrer_person_id.clone()), SystemClock.now())
}

async fn write(world: &World, message: &Message) {
    let write = MessageWrite {
        messages: vec![message.clone()],
        referral: None,
        unchanged: None,
        guard: None,
        audit: vec![],
        events: vec![],
        remembered: None,
        at: SystemClock.now(),
    };
    let ledger = world.store.ledger();
    let outcome = ledger.write_messages(&Fixtures::scope(), &message.referral_id, &write).await.unwrap();
    assert_eq!(outcome, MessageWriteOutcome::Written);
}
