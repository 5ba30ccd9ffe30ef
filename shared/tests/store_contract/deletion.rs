//! Deleting a wrong entry when what belongs to it is not as its row says.

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        id::{DealId, ReferralId},
        version::Expected,
    },
    ports::{Correction, CorrectionOutcome, LinkKeeper as _},
    store::{keys, transaction::primary},
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        delete_referral::Deletion,
    },
};
use referrals_testing::{Fixtures, contact};

use crate::world::World;

/// Two referrals of one referrer.
async fn two(world: &World) -> [ReferralId; 2] {
    let pat = || contact("pat@example.com", "");
    let first = world.capture(pat(), contact("sam@example.com", "")).await;
    [first, world.capture(pat(), contact("lou@example.com", "")).await]
}

/// Changes a row behind everybody's back.
async fn set(world: &World, keys: &keys::Keys, expression: &str, value: AttributeValue) {
    let update = world.store.client.update_item().table_name(&world.store.table);
    update
        .set_key(Some(primary(keys)))
        .update_expression(expression)
        .expression_attribute_values(":value", value)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_counter_that_drifted_to_zero_stays_there_and_its_person_has_a_new_version() {
    let world = World::new().await;
    let [first, _] = two(&world).await;
    let person = world.referrer_of(&first).await;
    let zero = AttributeValue::N("0".to_owned());
    set(&world, &keys::person(&Fixtures::scope(), &person.id), "SET totalReferrals = :value", zero).await;
    assert_eq!(world.delete(&first).await, Deletion::Done);
    let after = world.person(person.id.as_str()).await;
    assert_eq!((after.total_referrals, after.version), (0, person.version + 1));
    // Who had counted two links before does not write them now.
    let correction = Correction { person: person.id, read: person.version, total: 2, at: after.updated_at };
    let written = world.ledger.correct_total(&Fixtures::scope(), &correction).await;
    assert_eq!(written, Ok(CorrectionOutcome::Moved));
}

#[tokio::test]
async fn a_referrer_who_is_gone_holds_nothing_up() {
    let world = World::new().await;
    let [first, _] = two(&world).await;
    let person = world.referrer_of(&first).await;
    let delete = world.store.client.delete_item().table_name(&world.store.table);
    delete.set_key(Some(primary(&keys::person(&Fixtures::scope(), &person.id)))).send().await.unwrap();
    assert_eq!(world.delete(&first).await, Deletion::Done);
    assert!(world.rows("PERSON").await.is_empty(), "nobody comes back by it");
}

#[tokio::test]
async fn a_guard_that_became_another_referrals_stays() {
    let world = World::new().await;
    let [first, second] = two(&world).await;
    let pair = world.referral(&first).await.guarded_pair.unwrap();
    let guard = keys::pair_guard(&Fixtures::scope(), &pair);
    set(&world, &guard, "SET referralId = :value", AttributeValue::S(second.to_string())).await;
    assert_eq!(world.delete(&first).await, Deletion::Done);
    assert_eq!(world.rows("PAIR").await.len(), 2);
    assert_eq!(world.delete(&second).await, Deletion::Done);
    assert_eq!(world.rows("PAIR").await.len(), 1, "its own goes with it");
}

#[tokio::test]
async fn a_deal_that_says_something_else_holds_nothing_up() {
    let world = World::new().await;
    let [first, second] = two(&world).await;
    let link = async |deal: &str| {
        let deal = DealId::parse(deal).unwrap();
        let change = ReferralChange { resulting_deal_id: Patch::Set(deal), ..ReferralChange::default() };
        let request = ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-5", named: None };
        let (owner, found) = (Fixtures::owner(), world.referral(&first).await);
        change_referral(&world.ledger, &*world.clock, &RandomIds, &owner, found, &request).await.unwrap()
    };
    for deal in ["deal_1", "deal_2"] {
        assert!(matches!(link(deal).await, ChangeOutcome::Done(_)), "{deal}");
        let keys = keys::deal(&Fixtures::scope(), &DealId::parse(deal).unwrap());
        set(&world, &keys, "SET referralId = :value", AttributeValue::S(second.to_string())).await;
    }
    assert_eq!(world.delete(&first).await, Deletion::Done);
    let left: Vec<_> = world.rows("DEAL").await.iter().map(|row| row.text("referralId").to_owned()).collect();
    assert_eq!(left, [second.as_str(), second.as_str()], "what is another's stays another's");
}
