//! What each operation costs in capacity units, as the engine counts them. DATA_MODEL states these figures; a change
//! that makes an operation dearer fails here first.

use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        consent::{ConsentChange, ConsentChannel},
        email::Email,
        filter::{PeopleFilter, ReferralFilter},
        id::{DealId, ReferralId},
        lifecycle::Step,
        money::Currency,
        organization::Slug,
        person_change::{PersonChange, PersonEdit},
        profile::ProfileContent,
        referral::RewardType,
        reward::{ComplianceGate, PolicyContent, ThankYouChannel},
        reward_action::RewardAction,
        reward_lane::RewardLane,
        version::Expected,
    },
    ports::ProfileDirectory as _,
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        find_referral::find_referral,
        keep_policy::keep_policy,
        keep_profile::keep_profile,
        list_people::list_people,
        list_referrals::list_referrals,
        list_rewards::list_rewards,
    },
};
use referrals_testing::{Fixtures, Upload, contact, name, submission};

use crate::world::World;

fn no_reward() -> PolicyContent {
    PolicyContent {
        reward_type: RewardType::None,
        reward_value: None,
        currency: Currency::us_dollar(),
        provider: None,
        auto_thank: true,
        thank_you_channel: ThankYouChannel::Email,
        attribution_window_days: 730,
        holding_period_days: 0,
        compliance_gate: ComplianceGate::Warn,
    }
}

/// Found and changed, as the API does it.
async fn change(world: &World, id: &ReferralId, change: &ReferralChange) {
    let owner = Fixtures::owner();
    let found = find_referral(&world.ledger, &owner, id).await.unwrap().unwrap();
    let request = ChangeRequest { change, expected: &Expected::Any, request_id: "request-5", named: None };
    let changed = change_referral(&world.ledger, &*world.clock, &RandomIds, &owner, found, &request).await;
    assert!(matches!(changed, Ok(ChangeOutcome::Done(_))));
}

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
    let gift = PolicyContent { reward_type: RewardType::GiftCard, reward_value: Some(5_000), ..no_reward() };
    keep_policy(&world.ledger, &*world.clock, &Fixtures::owner(), &gift, &Expected::Any).await.unwrap();
    row("a reward policy set");
    let won = ReferralChange {
        step: Some(Step::Convert),
        resulting_deal_id: Patch::Set(DealId::parse("deal_1").unwrap()),
        ..ReferralChange::default()
    };
    change(&world, id, &won).await;
    row("a conversion by which a reward comes up");
    list_rewards(&world.ledger, &Fixtures::owner(), RewardLane::Pending, None, 25).await.unwrap();
    row("list of 1 reward");
    let action = RewardAction::MarkSent { by: Fixtures::owner().user, acknowledges: true };
    change(&world, id, &ReferralChange { reward_action: Some(action), ..ReferralChange::default() }).await;
    row("a reward marked sent");
    let row_of = |line: u32, who: &str| Upload::row(line, &[&format!("referrerEmail={who}@example.com")]);
    let [one, two] = [&[row_of(2, "val")][..], &[row_of(3, "uma"), row_of(4, "uma")]];
    for (operation, rows) in [
        ("import of 1 row, new referrer", one),
        ("import of 2 rows of one new referrer", two),
        ("import of 2 rows that are there", two),
    ] {
        let upload = Upload::begin(&world.store, rows, false).await;
        world.import(&upload, 1).await;
        row(operation);
    }
    insta::assert_snapshot!(table.join("\n"));
}
