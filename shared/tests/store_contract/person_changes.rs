//! Correcting people, handing them over, and their consent.

use referrals::{
    domain::{
        change::Patch,
        consent::{ConsentChange, ConsentChannel, ConsentText, FormConsent},
        email::Email,
        id::UserId,
        organization::Role,
        person::Person,
        person_change::{PersonChange, PersonEdit},
        phone::{Phone, Region},
        text::Reason,
        version::Expected,
    },
    ports::PersonReader as _,
    usecase::{capture_referral::Captured, change_person::PersonOutcome},
};
use referrals_testing::{Fixtures, Item, contact, name, submission};

use crate::world::{World, person};

pub const ROBIN: &str = "person_111";

fn email(text: &str) -> Patch<Email> {
    Patch::Set(Email::parse(text).unwrap())
}

fn phone(text: &str) -> Patch<Phone> {
    Patch::Set(Phone::parse(text, &Region::default()).unwrap())
}

pub fn to_email(text: &str) -> PersonEdit {
    PersonEdit { email: email(text), ..PersonEdit::default() }
}

fn to_phone(phone: Patch<Phone>) -> PersonEdit {
    PersonEdit { phone, ..PersonEdit::default() }
}

pub fn renamed(text: &str) -> PersonEdit {
    PersonEdit { name: Some(name(text)), ..PersonEdit::default() }
}

fn to_owner(id: &str) -> PersonEdit {
    PersonEdit { owner_user_id: Patch::Set(UserId::parse(id).unwrap()), ..PersonEdit::default() }
}

#[track_caller]
pub fn done(outcome: PersonOutcome) -> Person {
    match outcome {
        PersonOutcome::Done(person) => *person,
        other => panic!("not done but {other:?}"),
    }
}

/// Who holds the address or the number.
pub async fn holder(world: &World, email: &str, phone: &str) -> Option<String> {
    let key = contact(email, phone).identity().unwrap();
    let holder = world.ledger.find_key_holder(&Fixtures::scope(), &key).await.unwrap();
    holder.map(|person| person.as_str().to_owned())
}

/// The entries of somebody's consent, oldest first.
async fn consents(world: &World, id: &str) -> Vec<Item> {
    let items = world.store.items().await;
    let mut entries: Vec<_> =
        items.into_iter().filter(|item| item.kind() == "CONSENT" && item.text("personId") == id).collect();
    entries.sort_by_key(|entry| entry.text("at").to_owned());
    entries
}

#[tokio::test]
async fn keys_move_with_what_they_are_keys_of() {
    let world = World::new().await;
    let edit = PersonEdit {
        email: email("r.park@example.com"),
        phone: phone("+14155552671"),
        name: Some(name("R. Park")),
        do_not_contact: Some(true),
        owner_user_id: Patch::Clear,
    };
    let after = done(world.edit_person(ROBIN, edit).await);
    assert_eq!(after, world.person(ROBIN).await);
    assert_eq!((after.version, after.do_not_contact, after.owner_user_id), (2, true, None));
    for (address, number) in [("r.park@example.com", ""), ("", "+14155552671")] {
        assert_eq!(holder(&world, address, number).await.as_deref(), Some(ROBIN));
    }
    // The next who comes with what Robin had is somebody new.
    assert_eq!(holder(&world, "robin.park@example.com", "").await, None);
    let id = world.capture(contact("robin.park@example.com", "+14155550199"), contact("sam@example.com", "")).await;
    assert_ne!(world.referrer_of(&id).await.id.as_str(), ROBIN);
    // And Robin cannot have it back.
    let back = world.edit_person(ROBIN, to_email("Robin.Park@example.com")).await;
    assert_eq!(back, PersonOutcome::ContactTaken);
    assert_eq!(world.person(ROBIN).await.version, 2);
}

#[tokio::test]
async fn another_spelling_of_an_address_is_the_same_key() {
    let world = World::new().await;
    let after = done(world.edit_person(ROBIN, to_email("Robin.Park@Example.com")).await);
    assert_eq!((after.email.unwrap().as_str(), after.version), ("Robin.Park@Example.com", 2));
    assert_eq!(holder(&world, "robin.park@example.com", "").await.as_deref(), Some(ROBIN));
}

#[tokio::test]
async fn what_was_given_up_can_be_taken_again() {
    let world = World::new().await;
    let gone = PersonEdit { email: Patch::Clear, phone: Patch::Clear, ..PersonEdit::default() };
    let after = done(world.edit_person(ROBIN, gone).await);
    assert_eq!((after.email, after.phone), (None, None));
    assert_eq!(world.store.items().await.iter().filter(|item| item.kind() == "CONTACT").count(), 0);
    done(world.edit_person(ROBIN, to_email("robin.park@example.com")).await);
    assert_eq!(holder(&world, "robin.park@example.com", "").await.as_deref(), Some(ROBIN));
}

#[tokio::test]
async fn a_number_of_somebody_else_stays_theirs_when_who_only_shows_it_changes() {
    let world = World::new().await;
    world.add_people(&[person("person_1", "Kim Bo", "kim@example.com", "+14155552671")]).await;
    for (friend, edit) in
        [("sam@example.com", to_phone(Patch::Clear)), ("max@example.com", to_phone(phone("+14155552672")))]
    {
        let id = world.capture(contact("pat@example.com", "+14155552671"), contact(friend, "")).await;
        let pat = world.referrer_of(&id).await;
        assert!(pat.phone.is_some());
        let after = done(world.edit_person(pat.id.as_str(), edit).await);
        assert_eq!((after.version, world.person(pat.id.as_str()).await.phone), (pat.version + 1, after.phone));
        assert_eq!(holder(&world, "", "+14155552671").await.as_deref(), Some("person_1"));
        done(world.edit_person(pat.id.as_str(), to_email(&format!("pat.{friend}"))).await);
    }
    // Kim keeps it until Kim gives it up; then it is free.
    done(world.edit_person("person_1", to_phone(Patch::Clear)).await);
    assert_eq!(holder(&world, "", "+14155552671").await, None);
}

#[tokio::test]
async fn an_address_of_somebody_else_is_refused_and_nothing_is_written() {
    let world = World::new().await;
    world.add_people(&[person("person_1", "Kim Bo", "kim@example.com", "+14155552671")]).await;
    let before = world.store.items().await.len();
    for edit in [
        to_email("KIM@example.com"),
        to_phone(phone("(415) 555-2671")),
        PersonEdit { email: email("new@example.com"), ..to_phone(phone("+14155552671")) },
    ] {
        assert_eq!(world.edit_person(ROBIN, edit).await, PersonOutcome::ContactTaken);
    }
    assert_eq!((world.store.items().await.len(), world.person(ROBIN).await.version), (before, 1));
    assert_eq!(holder(&world, "new@example.com", "").await, None);
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let before = world.person(ROBIN).await;
    let _ = world.store.calls.take();
    for edit in [PersonEdit::default(), renamed("Robin Park"), to_email("robin.park@example.com"), to_owner("user_789")]
    {
        assert_eq!(done(world.edit_person(ROBIN, edit).await), before);
    }
    // Each was read, and no more.
    assert!(world.store.calls.take().iter().all(|call| call == "GetItem"));
}

#[tokio::test]
async fn a_new_owner_is_an_active_member_of_the_same_organization() {
    let world = World::new().await;
    // Nobody, suspended, and of another organization.
    for owner in ["user_000", "user_791", "user_901"] {
        assert_eq!(world.edit_person(ROBIN, to_owner(owner)).await, PersonOutcome::UnknownOwner, "{owner}");
    }
    assert_eq!(world.person(ROBIN).await.version, 1);
    let after = done(world.edit_person(ROBIN, to_owner("user_790")).await);
    assert_eq!((after.owner_user_id.unwrap().as_str(), after.version), ("user_790", 2));
}

#[tokio::test]
async fn a_member_changes_only_their_own_people_and_keeps_them() {
    let world = World::new().await;
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    let ben = Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Member);
    let admin = Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Admin);
    let other = Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner);
    let unowned = PersonEdit { owner_user_id: Patch::Clear, ..PersonEdit::default() };
    let no = PersonOutcome::NotAllowed;
    let consent = PersonChange::Consent(ConsentChange {
        channel: ConsentChannel::Email,
        granted: false,
        text: None,
        evidence: None,
    });
    // person_111 is Jane's at first.
    for (caller, change, allowed) in [
        (&ben, PersonChange::Edit(renamed("B")), false),
        (&ben, consent.clone(), false),
        (&ben, PersonChange::Edit(to_owner("user_790")), false),
        (&other, PersonChange::Edit(renamed("B")), false),
        (&jane, PersonChange::Edit(renamed("J")), true),
        (&jane, consent.clone(), true),
        (&jane, PersonChange::Edit(to_owner("user_790")), false),
        (&jane, PersonChange::Edit(to_owner("user_789")), true),
        (&jane, PersonChange::Edit(unowned), true),
        // Nobody's now: whoever comes first.
        (&ben, PersonChange::Edit(renamed("B")), true),
        (&ben, PersonChange::Edit(to_owner("user_789")), false),
        (&ben, PersonChange::Edit(to_owner("user_790")), true),
        (&jane, PersonChange::Edit(renamed("J")), false),
        (&admin, PersonChange::Edit(to_owner("user_789")), true),
        (&admin, consent, true),
    ] {
        let before = world.person(ROBIN).await;
        let outcome = world.change_person(caller, ROBIN, &change, &Expected::Any).await;
        assert_eq!(outcome == no, !allowed, "{caller:?} {change:?}");
        if allowed {
            done(outcome);
        } else {
            assert_eq!(world.person(ROBIN).await, before);
        }
    }
}

#[tokio::test]
async fn consent_ends_with_the_address_that_it_was_given_for() {
    let world = World::new().await;
    let mut form = submission(contact("pat@example.com", "+14155552671"), contact("sam@example.com", ""));
    form.consent = FormConsent { email: true, sms: true, text: Some(ConsentText::FormV1) };
    let Captured::Recorded(_, id) = world.submit(&form).await.unwrap() else { panic!("not recorded") };
    let pat = world.referrer_of(&id).await.id.as_str().to_owned();
    // Another spelling, another name: the same address.
    done(world.edit_person(&pat, PersonEdit { email: email("PAT@example.com"), ..renamed("P. Jones") }).await);
    assert_eq!(consents(&world, &pat).await.len(), 2);

    let after = done(world.edit_person(&pat, to_email("p@example.com")).await);
    assert!(!after.email_marketing_consent && after.sms_marketing_consent);
    let entries = consents(&world, &pat).await;
    let last = entries.last().unwrap();
    assert_eq!(entries.len(), 3);
    for (attribute, value) in [
        ("channel", "EMAIL"),
        ("decision", "REVOKED"),
        ("method", "AGENT"),
        ("actor", Fixtures::OWNER),
        ("requestId", "request-3"),
        ("consentTextId", ""),
    ] {
        assert_eq!(last.text(attribute), value, "{attribute}");
    }
    let after = done(world.edit_person(&pat, to_phone(Patch::Clear)).await);
    assert!(!after.sms_marketing_consent);
    // What was never given is not taken.
    done(world.edit_person(&pat, to_email("pj@example.com")).await);
    assert_eq!(consents(&world, &pat).await.len(), 4);
    // The old address back is no consent back.
    assert!(!done(world.edit_person(&pat, to_email("pat@example.com")).await).email_marketing_consent);
}

fn says(channel: ConsentChannel, granted: bool) -> PersonChange {
    PersonChange::Consent(ConsentChange {
        channel,
        granted,
        text: granted.then_some(ConsentText::FormV1),
        evidence: granted.then(|| Reason::parse("told me at the closing").unwrap().unwrap()),
    })
}

#[tokio::test]
async fn each_decision_is_an_entry_that_stays() {
    let world = World::new().await;
    let owner = Fixtures::owner();
    for (version, granted) in [(2, true), (3, true), (4, false), (5, true)] {
        let change = says(ConsentChannel::Sms, granted);
        let after = done(world.change_person(&owner, ROBIN, &change, &Expected::OneOf(vec![version - 1])).await);
        assert_eq!((after.version, after.sms_marketing_consent), (version, granted));
        assert_eq!((after.clone(), after.email_marketing_consent), (world.person(ROBIN).await, false));
    }
    let entries = consents(&world, ROBIN).await;
    let said: Vec<_> = entries.iter().map(|entry| entry.text("decision")).collect();
    assert_eq!(said, ["GRANTED", "GRANTED", "REVOKED", "GRANTED"]);
    assert_eq!((entries[0].text("evidence"), entries[2].text("evidence")), ("told me at the closing", ""));
    assert!(entries.iter().all(|entry| entry.text("method") == "AGENT" && entry.text("channel") == "SMS"));
    let stale = world.change_person(&owner, ROBIN, &says(ConsentChannel::Sms, false), &Expected::OneOf(vec![4])).await;
    assert_eq!((stale, consents(&world, ROBIN).await.len()), (PersonOutcome::PreconditionFailed, 4));
}

#[tokio::test]
async fn consent_needs_somewhere_to_write_to() {
    let world = World::new().await;
    world.add_people(&[person("person_1", "Kim Bo", "kim@example.com", "")]).await;
    let owner = Fixtures::owner();
    let sms = world.change_person(&owner, "person_1", &says(ConsentChannel::Sms, true), &Expected::Any).await;
    assert_eq!((sms, consents(&world, "person_1").await.len()), (PersonOutcome::NoAddress, 0));
    // Saying no needs nothing.
    done(world.change_person(&owner, "person_1", &says(ConsentChannel::Sms, false), &Expected::Any).await);
    done(world.change_person(&owner, "person_1", &says(ConsentChannel::Email, true), &Expected::Any).await);
}
