//! Consent that ends by itself, and what cannot bring it back.

use referrals::{
    domain::{
        audit::Actor,
        consent::{
            ConsentChange, ConsentChannel, ConsentDecision, ConsentEntry, ConsentMethod, ConsentText, FormConsent,
        },
        contact::ContactKey,
        id::{OrgId, PersonId},
        person::Person,
        person_change::PersonChange,
        scope::OrgScope,
        text::Reason,
        version::Expected,
    },
    ports::PersonEditor as _,
    usecase::{
        capture_referral::{Captured, Submission},
        revoke_consent::{Revocation, Revoked, revoke_consent},
    },
};
use referrals_testing::{Fixtures, Item, contact, name, submission};

use crate::{
    person_changes::{done, to_email},
    world::World,
};

const CHANNELS: [ConsentChannel; 2] = ConsentChannel::ALL;

pub fn one_click(channel: ConsentChannel) -> Revocation<'static> {
    Revocation {
        channel,
        address: None,
        method: ConsentMethod::OneClick,
        actor: Actor::Public,
        evidence: Reason::parse("request-9").unwrap(),
        request_id: "request-9",
    }
}

pub async fn revoke(world: &World, id: &str, revocation: &Revocation<'_>) -> Revoked {
    let id = PersonId::parse(id).unwrap();
    revoke_consent(&world.ledger, &*world.clock, &Fixtures::scope(), &id, revocation).await.unwrap()
}

/// A form of Pat's with both boxes ticked.
pub fn ticked(friend: &str) -> Submission {
    Submission {
        consent: FormConsent { email: true, sms: true, text: Some(ConsentText::FormV1) },
        ..submission(contact("pat@example.com", "+14155552671"), contact(friend, ""))
    }
}

/// Somebody who has agreed on both channels, by the form that created them.
async fn pat(world: &World) -> String {
    let Captured::Recorded(_, id) = world.submit(&ticked("sam@example.com")).await.unwrap() else { panic!() };
    let pat = world.referrer_of(&id).await;
    assert_eq!(agreed(world, pat.id.as_str()).await, [true, true]);
    pat.id.as_str().to_owned()
}

async fn agreed(world: &World, id: &str) -> [bool; 2] {
    let person = world.person(id).await;
    CHANNELS.map(|channel| person.has_consent(channel))
}

async fn revocations(world: &World, id: &str) -> Vec<Item> {
    let mut items = world.store.items().await;
    items.retain(|item| item.kind() == "CONSENT" && item.text("personId") == id && item.text("decision") == "REVOKED");
    items
}

#[tokio::test]
async fn one_channel_ends_and_the_other_goes_on() {
    for (channel, left) in CHANNELS.into_iter().zip([[false, true], [true, false]]) {
        let world = World::new().await;
        let pat = pat(&world).await;
        let version = world.person(&pat).await.version;
        let _ = world.store.calls.take();
        assert_eq!(revoke(&world, &pat, &one_click(channel)).await, Revoked::Revoked);
        assert_eq!(world.store.calls.take(), ["GetItem", "TransactWriteItems"]);
        assert_eq!((agreed(&world, &pat).await, world.person(&pat).await.version), (left, version + 1));
        let [entry] = &revocations(&world, &pat).await[..] else { panic!("not one entry") };
        let said = ["channel", "method", "actor", "requestId", "evidence"].map(|field| entry.text(field));
        assert_eq!(said, [channel.as_str(), "ONE_CLICK", "public", "request-9", "request-9"]);
    }
}

#[tokio::test]
async fn a_function_says_which_it_is() {
    let world = World::new().await;
    let pat = pat(&world).await;
    for (channel, method, said) in [
        (ConsentChannel::Email, ConsentMethod::Complaint, "COMPLAINT"),
        (ConsentChannel::Sms, ConsentMethod::Stop, "STOP"),
    ] {
        let revocation = Revocation { method, actor: Actor::System("some-function"), ..one_click(channel) };
        assert_eq!(revoke(&world, &pat, &revocation).await, Revoked::Revoked);
        let entries = revocations(&world, &pat).await;
        let entry = entries.iter().find(|entry| entry.text("channel") == channel.as_str()).unwrap();
        assert_eq!((entry.text("method"), entry.text("actor")), (said, "system:some-function"));
    }
}

#[tokio::test]
async fn who_has_no_consent_has_nothing_revoked() {
    let world = World::new().await;
    let pat = pat(&world).await;
    let revocation = one_click(ConsentChannel::Email);
    assert_eq!(revoke(&world, &pat, &revocation).await, Revoked::Revoked);
    let version = world.person(&pat).await.version;
    let again = Revocation { request_id: "request-10", ..revocation.clone() };
    for revocation in [&revocation, &again] {
        assert_eq!(revoke(&world, &pat, revocation).await, Revoked::AlreadyRevoked);
    }
    assert_eq!((revocations(&world, &pat).await.len(), world.person(&pat).await.version), (1, version));
    assert_eq!(revoke(&world, "person_nobody", &revocation).await, Revoked::Gone);
}

#[tokio::test]
async fn another_organization_has_no_such_person() {
    let world = World::new().await;
    let pat = pat(&world).await;
    let other = OrgScope::from_unsubscribe_link(OrgId::parse(Fixtures::OTHER_ORGANIZATION).unwrap());
    let (id, revocation) = (PersonId::parse(&pat).unwrap(), one_click(ConsentChannel::Email));
    let outcome = revoke_consent(&world.ledger, &*world.clock, &other, &id, &revocation).await.unwrap();
    assert_eq!((outcome, agreed(&world, &pat).await), (Revoked::Gone, [true, true]));
}

#[tokio::test]
async fn news_of_an_address_says_nothing_about_another() {
    let world = World::new().await;
    let pat = pat(&world).await;
    let key = |address: &str| contact(address, "").identity();
    let bounced = |address: Option<ContactKey>| Revocation {
        address,
        method: ConsentMethod::Bounce,
        ..one_click(ConsentChannel::Email)
    };
    assert_eq!(revoke(&world, &pat, &bounced(key("old@example.com"))).await, Revoked::AlreadyRevoked);
    assert_eq!(agreed(&world, &pat).await, [true, true]);
    assert_eq!(revoke(&world, &pat, &bounced(key("PAT@example.com"))).await, Revoked::Revoked);
    assert_eq!(agreed(&world, &pat).await, [false, true]);
}

#[tokio::test]
async fn a_form_never_overturns_a_revocation() {
    let world = World::new().await;
    let pat = pat(&world).await;
    for channel in CHANNELS {
        assert_eq!(revoke(&world, &pat, &one_click(channel)).await, Revoked::Revoked);
    }
    // Known by the address, known by the number alone, and the very same form once more.
    let by_number = Submission { referrer_contact: contact("", "+14155552671"), ..ticked("kim@example.com") };
    for form in [ticked("lou@example.com"), by_number, ticked("sam@example.com")] {
        world.submit(&form).await.unwrap();
        assert_eq!(agreed(&world, &pat).await, [false, false]);
    }
    // Under another address it is somebody new, who agrees for that address and not for Pat's number.
    let elsewhere = Submission {
        referrer_name: name("Pat Jones"),
        referrer_contact: contact("pat@example.org", "+14155552671"),
        ..ticked("max@example.com")
    };
    let Captured::Recorded(_, id) = world.submit(&elsewhere).await.unwrap() else { panic!() };
    let other = world.referrer_of(&id).await.id.as_str().to_owned();
    assert_eq!((agreed(&world, &other).await, agreed(&world, &pat).await), ([true, false], [false, false]));
    assert_eq!(revocations(&world, &pat).await.len(), 2);
}

#[tokio::test]
async fn an_agent_may_record_that_somebody_agreed_again() {
    let world = World::new().await;
    let pat = pat(&world).await;
    assert_eq!(revoke(&world, &pat, &one_click(ConsentChannel::Email)).await, Revoked::Revoked);
    let granted = PersonChange::Consent(ConsentChange {
        channel: ConsentChannel::Email,
        granted: true,
        text: Some(ConsentText::FormV1),
        evidence: Reason::parse("said so on the phone").unwrap(),
    });
    done(world.change_person(&Fixtures::owner(), &pat, &granted, &Expected::Any).await);
    assert_eq!(agreed(&world, &pat).await, [true, true]);
    // And the link in an old mail ends that too.
    assert_eq!(revoke(&world, &pat, &one_click(ConsentChannel::Email)).await, Revoked::Revoked);
    assert_eq!((agreed(&world, &pat).await, revocations(&world, &pat).await.len()), ([false, true], 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_gets_through_while_the_person_moves() {
    let world = World::new().await;
    let pat = pat(&world).await;
    let edits: Vec<_> = (0..8)
        .map(|number| {
            let (world, pat) = (world.clone(), pat.clone());
            let edit = PersonChange::Edit(crate::person_changes::renamed(&format!("Pat {number}")));
            tokio::spawn(
                async move { done(world.change_person(&Fixtures::owner(), &pat, &edit, &Expected::Any).await) },
            )
        })
        .collect();
    let revoking: Vec<_> = (0..4)
        .map(|_| {
            let (world, pat) = (world.clone(), pat.clone());
            tokio::spawn(async move { revoke(&world, &pat, &one_click(ConsentChannel::Email)).await })
        })
        .collect();
    for edit in edits {
        edit.await.unwrap();
    }
    let mut outcomes = Vec::new();
    for revocation in revoking {
        outcomes.push(revocation.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Revoked::Revoked).count(), 1, "{outcomes:?}");
    assert_eq!((agreed(&world, &pat).await, revocations(&world, &pat).await.len()), ([false, true], 1));
    // What was revoked for one address is not given back by going to another and back.
    done(world.edit_person(&pat, to_email("pat@example.net")).await);
    done(world.edit_person(&pat, to_email("pat@example.com")).await);
    assert_eq!(agreed(&world, &pat).await, [false, true]);
}

/// However often somebody refers: no version has to stand still for their "no".
#[tokio::test]
async fn a_revocation_holds_whatever_else_of_the_person_moved_since_they_were_read() {
    let world = World::new().await;
    let pat = pat(&world).await;
    let read = world.person(&pat).await;
    let edit = PersonChange::Edit(crate::person_changes::renamed("Pat Smith"));
    done(world.change_person(&Fixtures::owner(), &pat, &edit, &Expected::Any).await);
    let entry = |request_id: &str| ConsentEntry {
        person_id: read.id.clone(),
        channel: ConsentChannel::Email,
        decision: ConsentDecision::Revoked,
        method: ConsentMethod::OneClick,
        actor: "public".to_owned(),
        consent_text_id: None,
        at: read.updated_at,
        request_id: request_id.to_owned(),
        evidence: None,
    };
    let take_down = async |entry: &ConsentEntry| world.ledger.take_consent_down(&Fixtures::scope(), &read, entry).await;
    assert_eq!(take_down(&entry("click-1")).await, Ok(true));
    assert_eq!(take_down(&entry("click-2")).await, Ok(false), "it is off");
    let after = world.person(&pat).await;
    assert_eq!((after.version, after.name.as_str()), (read.version + 2, "Pat Smith"));
    assert_eq!((agreed(&world, &pat).await, revocations(&world, &pat).await.len()), ([false, true], 1));
    // What was agreed to for another address is another consent.
    let elsewhere = Person { phone: None, ..read.clone() };
    let sms = ConsentEntry { channel: ConsentChannel::Sms, ..entry("click-3") };
    assert_eq!(world.ledger.take_consent_down(&Fixtures::scope(), &elsewhere, &sms).await, Ok(false));
}
