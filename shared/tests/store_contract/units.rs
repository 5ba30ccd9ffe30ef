//! What each operation costs in capacity units, as the engine counts them. DATA_MODEL states these figures; a change
//! that makes an operation dearer fails here first.

use referrals::{
    domain::filter::{PeopleFilter, ReferralFilter},
    usecase::{find_referral::find_referral, list_people::list_people, list_referrals::list_referrals},
};
use referrals_testing::{Fixtures, contact, submission};

use crate::world::World;

#[tokio::test]
async fn operations_cost_what_the_data_model_says() {
    if std::env::var_os("CONTRACT_ENDPOINT").is_some() {
        return; // Engines count differently; the figures are dynoxide's, which follow AWS's rules.
    }
    let world = World::new().await;
    let calls = world.store.calls.clone();
    let form = |referrer: &str, referred: &str| submission(contact(referrer, ""), contact(referred, ""));
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
    find_referral(&world.ledger, &Fixtures::owner(), id).await.unwrap();
    row("one referral");
    insta::assert_snapshot!(table.join("\n"));
}
