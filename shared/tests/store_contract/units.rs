//! What each operation costs in capacity units, as the engine counts them. DATA_MODEL states these figures; a change
//! that makes an operation dearer fails here first.

use referrals::{
    domain::{
        change::Patch,
        consent::{ConsentChange, ConsentChannel},
        email::Email,
        filter::{PeopleFilter, ReferralFilter},
        organization::Slug,
        person_change::{PersonChange, PersonEdit},
        profile::ProfileContent,
        version::Expected,
    },
    ports::ProfileDirectory as _,
    usecase::{
        find_referral::find_referral, keep_profile::keep_profile, list_people::list_people,
        list_referrals::list_referrals,
    },
};
use referrals_testing::{Fixtures, contact, name, submission};

use crate::world::World;

#[tokio::test]
async fn operations_cost_what_the_data_model_says() {
    if std::env::var_os("CONTRACT_ENDPOINT").is_some() {
        return; // Engines count differently; the figures are dynoxide's, which follow AWS's rules.
    }
    let world = World::new().await;
    let calls = world.store.calls.clone();
    let form = |referrer: &str, referred: &str| submission(contact(referrer, ""), contact(referred, ""));
    let by_address = PeopleFilter { contact: contact("robin.park@example.com", ""), ..PeopleFilter::default() };
    let mut table = Vec::new();
    let mut row = |operation: &str| table.push(format!("{operation}: {}", calls.take_units()));

    world.submit(&form("warm@example.com", "up@example.com")).await.unwrap();
    let _ = world.store.calls.take_units();
    world.submit(&form("pat@example.com", "sam@example.com")).await.unwrap();
    row("capture, new referrer, address only");
    world
        .submit(&submission(contact("kim@example.com", "+14155552671"), contact("sam@example.com", "")))
        .await
        .unwrap();
    row("capture, new referrer, address and number");
    world.submit(&form("pat@example.com", "lou@example.com")).await.unwrap();
    row("capture, returning referrer");
    world.submit(&form("pat@example.com", "lou@example.com")).await.unwrap();
    row("capture, repetition");
    let events = world.received_events().await;
    let _ = world.store.calls.take_units();
    world.enter(&events[1]).await;
    row("pipeline entry, new lead");
    world.enter(&events[2]).await;
    row("pipeline entry, known lead, contested");
    world.enter(&events[2]).await;
    row("pipeline entry, delivered again");
    let id = &events[1].data.referral_id;
    list_referrals(&world.ledger, &Fixtures::owner(), &ReferralFilter::default(), None, 25).await.unwrap();
    row("list of 4 referrals");
    list_people(&world.ledger, &Fixtures::owner(), &PeopleFilter::default(), None, 25).await.unwrap();
    row("list of 5 people");
    list_people(&world.ledger, &Fixtures::owner(), &by_address, None, 25).await.unwrap();
    row("a person by address");
    world.edit_person("person_111", PersonEdit { name: Some(name("R. Park")), ..PersonEdit::default() }).await;
    row("a person's name changed");
    let address = Patch::Set(Email::parse("r.park@example.com").unwrap());
    world.edit_person("person_111", PersonEdit { email: address, ..PersonEdit::default() }).await;
    row("a person's address changed");
    let consent = ConsentChange { channel: ConsentChannel::Email, granted: false, text: None, evidence: None };
    world.change_person(&Fixtures::owner(), "person_111", &PersonChange::Consent(consent), &Expected::Any).await;
    row("consent recorded");
    world.store.directory().find_open_profile(&Fixtures::slug()).await.unwrap();
    row("a slug resolved");
    let content = |display_name: &str| ProfileContent {
        slug: Slug::parse("olivia-grant").unwrap(),
        display_name: name(display_name),
        brokerage: name("Doe Realty Group"),
        published: true,
    };
    for (operation, name) in [("a profile made", "Olivia"), ("a profile changed", "O. Grant")] {
        let clock = &*world.clock;
        keep_profile(&world.ledger, clock, &Fixtures::owner(), &content(name), &Expected::Any).await.unwrap();
        row(operation);
    }
    find_referral(&world.ledger, &Fixtures::owner(), id).await.unwrap();
    row("one referral");
    insta::assert_snapshot!(table.join("\n"));
}
