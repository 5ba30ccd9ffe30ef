//! Asking for thank-yous again, over HTTP.

use referrals::{
    domain::{
        consent::ConsentChannel,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId},
        message::{Claim, Message, MessageId, MessageStatus, Sending, SkipReason},
        organization::Role,
    },
    ports::{MessageBook as _, MessageWrite, MessageWriteOutcome},
};

use super::{
    rewards::{events, in_status},
    *,
};

fn channel(name: &str) -> ConsentChannel {
    if name == "SMS" { ConsentChannel::Sms } else { ConsentChannel::Email }
}

fn thanks(organization: &str, referral: &str, name: &str) -> Message {
    let id = MessageId::thank_you(ReferralId::parse(referral).unwrap(), channel(name));
    let person = PersonId::parse("person_111").unwrap();
    Message::new(OrgId::parse(organization).unwrap(), id, Some(person), SystemClock.now())
}

async fn write(world: &World, organization: &str, referral: &str, messages: Vec<Message>) {
    let scope = Fixtures::caller(organization, Fixtures::OWNER, Role::Owner).scope;
    let write = MessageWrite {
        messages,
        referral: None,
        unchanged: None,
        guard: None,
        audit: vec![],
        events: vec![],
        remembered: None,
        at: SystemClock.now(),
    };
    let referral = ReferralId::parse(referral).unwrap();
    let written = world.store.ledger().write_messages(&scope, &referral, &write).await;
    assert_eq!(written, Ok(MessageWriteOutcome::Written));
}

/// Thank-yous that were not allowed, as the messenger leaves them.
pub(in super::super) async fn skipped_thanks(world: &World, organization: &str, referral: &str, channels: &[&str]) {
    let skipped = channels.iter().map(|name| {
        let mut message = thanks(organization, referral, name);
        message.skip(SkipReason::NoConsent, SystemClock.now());
        message
    });
    write(world, organization, referral, skipped.collect()).await;
}

/// Brings a message into a state.
type Making<'a> = &'a dyn Fn(&mut Message);

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn resend(path: &str) -> Call {
    call(JANE, "POST", format!("{path}/reward/resend-thanks")).json(json!({"reason": "they agreed now"}))
}

#[tokio::test]
async fn only_for_a_reward_that_was_sent() {
    let world = World::new().await;
    for status in ["NONE", "PENDING", "HELD", "CANCELED"] {
        let path = in_status(&world, status).await;
        assert_eq!(world.call(resend(&path)).await.code(), (409, "reward_not_sent"), "{status}");
    }
    for status in ["SENT", "THANKED"] {
        let path = in_status(&world, status).await;
        assert_eq!(world.call(resend(&path)).await.code(), (409, "nothing_to_resend"), "{status}");
        skipped_thanks(&world, Fixtures::ORGANIZATION, id_of(&path), &["EMAIL"]).await;
        assert_eq!(world.call(resend(&path)).await.status, 200, "{status}");
    }
    let path = in_status(&world, "SENT").await;
    let bare = call(JANE, "POST", format!("{path}/reward/resend-thanks")).json(json!({}));
    assert_eq!(world.call(bare).await.body["errors"], json!([{"pointer": "/reason", "code": "required"}]));
    assert_eq!(world.call(resend(&path).header("if-match", "\"1\"")).await.code(), (412, "precondition_failed"));
    let others = Call { who: BEN, ..resend(&path) };
    assert_eq!(world.call(others).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn what_is_over_is_asked_for_again_and_what_is_not_is_left_alone() {
    let world = World::new().await;
    let at = SystemClock.now();
    let claim = || Claim { token: "t".to_owned(), until: at.plus_seconds(60) };
    let states: [(&str, Making<'_>); 6] = [
        ("SKIPPED", &|message| message.skip(SkipReason::NoConsent, at)),
        ("FAILED", &|message| {
            message.claim(claim(), Contact::default(), at);
            assert!(message.answered("t", &Sending::Refused("NO".to_owned()), at));
        }),
        ("UNKNOWN", &|message| message.give_up(at)),
        ("CLAIMED", &|message| message.claim(claim(), Contact::default(), at)),
        ("SUBMITTED", &|message| {
            message.claim(claim(), Contact::default(), at);
            assert!(message.answered("t", &Sending::Accepted("id".to_owned()), at));
        }),
        ("QUEUED", &|_| {}),
    ];
    for (status, make) in states {
        let path = in_status(&world, "SENT").await;
        let mut message = thanks(Fixtures::ORGANIZATION, id_of(&path), "EMAIL");
        make(&mut message);
        assert_eq!(message.status.as_str(), status);
        // As the first that is kept of it.
        message.version = 1;
        write(&world, Fixtures::ORGANIZATION, id_of(&path), vec![message.clone()]).await;
        let answered = world.call(resend(&path)).await;
        let kept = world.store.ledger().find_message(&Fixtures::scope(), &message.id()).await.unwrap().unwrap();
        if ["SKIPPED", "FAILED", "UNKNOWN"].contains(&status) {
            assert_eq!(answered.status, 200, "{status}");
            assert_eq!((kept.status, kept.requested, kept.version), (MessageStatus::Queued, true, 2), "{status}");
        } else {
            assert_eq!(answered.code(), (409, "nothing_to_resend"), "{status}");
            assert_eq!(kept, message, "{status}");
        }
    }
    assert_eq!(events(&world, "THANK_YOU_REQUESTED").await, 3);
}

#[tokio::test]
async fn both_channels_are_one_event_and_each_stands_in_the_history() {
    let world = World::new().await;
    let path = in_status(&world, "SENT").await;
    let before = world.call(call(JANE, "GET", path.clone())).await;
    skipped_thanks(&world, Fixtures::ORGANIZATION, id_of(&path), &["EMAIL", "SMS"]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let world = World { router: world.router.clone(), store: world.store.clone() };
        let request = resend(&path).header("idempotency-key", "again-1");
        tasks.spawn(async move { world.call(request).await.bytes() });
    }
    for answer in tasks.join_all().await {
        assert_eq!(answer, before.bytes(), "the referral itself is as it was");
    }
    let again = world.call(resend(&path)).await;
    assert_eq!(again.code(), (409, "nothing_to_resend"), "they are on their way");
    assert_eq!(events(&world, "THANK_YOU_REQUESTED").await, 1);
    let history = world.call(call(JANE, "GET", format!("{path}/history"))).await.body;
    let told = history["history"].as_array().unwrap().iter().filter(|entry| entry["action"] == "MESSAGE_CHANGED");
    let told: Vec<_> = told.map(|entry| json!([entry["from"], entry["to"], entry["note"], entry["message"]])).collect();
    let note = |channel| json!(["SKIPPED", "QUEUED", "they agreed now", {"kind": "THANK_YOU", "channel": channel, "reason": null}]);
    assert_eq!(told, [note("EMAIL"), note("SMS")]);
}
