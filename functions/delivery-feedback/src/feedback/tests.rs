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
use referrals_testing::{Fixtures, Item, TestStore, batch, contact, failed, in_a_minute, submission};
use serde_json::{Value, json};

use super::*;

mod world;

use world::World;

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
    assert_eq!(failed, (0..bodies.len() - 1).map(|place| format!("message-{place}")).collect::<Vec<_>>());
    let message = world.message(&world.thank_you()).await;
    assert_eq!((message.status, message.delivery), (MessageStatus::Submitted, Some(DeliveryNews::Bounced)));
    assert_eq!((world.agreed().await, world.is_suppressed().await), ([true, true], false));
}

#[tokio::test]
async fn a_store_that_does_not_answer_sends_the_message_back() {
    let store = TestStore::start().await;
    let nowhere = Ledger::new(store.client.clone(), "no-such-table".to_owned(), "no-such-table".to_owned());
    let response = handle(&nowhere, &batch(&[GOLDEN[0].1.to_owned()]), in_a_minute()).await;
    assert_eq!(failed(&response), ["message-0"]);
}
