//! The queue of rewards: each lane oldest first, and nothing in it that does not wait.

use referrals::{
    domain::{
        access::Caller,
        id::UserId,
        organization::Role,
        referral::{Referral, ReferralStatus, RewardStatus, RewardType},
        reward::{ComplianceGate, RewardPolicy},
        reward_lane::RewardLane,
    },
    ports::{Clock as _, Position},
    usecase::list_rewards::list_rewards,
};
use referrals_testing::{Bulk, Fixtures};

use crate::world::World;

const BEN: &str = "user_790";

/// Created in the order of the numbers, due in another; every third is Ben's.
fn row(world: &World, number: u32, status: RewardStatus) -> Referral {
    let mut row = Bulk::referral(number, &Bulk::person(0).id);
    if number.is_multiple_of(3) {
        row.agent_user_id = UserId::parse(BEN).unwrap();
    }
    let mut policy = RewardPolicy::default_of(row.organization_id.clone());
    policy.reward_type = RewardType::Custom;
    policy.compliance_gate = if status == RewardStatus::Held { ComplianceGate::Hold } else { ComplianceGate::Off };
    let due = world.clock.now().plus_seconds(i64::from(number * 7 % 10));
    row.status = ReferralStatus::Converted;
    if status == RewardStatus::None {
        return row;
    }
    row.bring_up_reward(&policy, due, due);
    match status {
        RewardStatus::Sent | RewardStatus::Thanked => {
            // Sent in the order of the numbers, whenever they were due.
            let at = world.clock.now().plus_seconds(100 + i64::from(number));
            assert_eq!(row.mark_reward_sent(&row.agent_user_id.clone(), false, at), Ok(true));
            assert_eq!(status == RewardStatus::Thanked && row.mark_thanked(), status == RewardStatus::Thanked);
        }
        RewardStatus::Canceled => assert_eq!(row.cancel_reward(), Ok(true)),
        _ => {}
    }
    assert_eq!(row.reward_status, status);
    row
}

async fn pages(world: &World, caller: &Caller, lane: RewardLane, limit: u32) -> Vec<Vec<String>> {
    let (mut pages, mut after): (_, Option<Position>) = (Vec::new(), None);
    loop {
        let page = list_rewards(&world.ledger, caller, lane, after.as_ref(), limit).await.unwrap();
        pages.push(page.items.into_iter().map(|row| row.id.to_string()).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn each_lane_has_its_own_oldest_first_and_once() {
    let world = World::new().await;
    let mut rows = Vec::new();
    for (place, status) in RewardStatus::ALL.into_iter().enumerate() {
        let first = u32::try_from(place).unwrap() * 10 + 1;
        rows.extend((first..first + 10).map(|number| row(&world, number, status)));
    }
    Bulk::put(&world.store, rows.iter().map(Bulk::row)).await;
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    let ben = Fixtures::caller(Fixtures::ORGANIZATION, BEN, Role::Member);
    let other = Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner);
    for lane in RewardLane::ALL {
        let mut waiting: Vec<_> = rows.iter().filter(|row| row.reward_status == lane.status()).collect();
        waiting.sort_by_key(|row| (RewardLane::of(row).unwrap().1, row.id.to_string()));
        for caller in [Fixtures::owner(), jane.clone(), ben.clone(), other.clone()] {
            let own = waiting.iter().filter(|row| caller.may_see(row)).map(|row| row.id.to_string());
            let own: Vec<String> = own.collect();
            assert_eq!(own.is_empty(), caller == other);
            for limit in [1, 3, 10, 100] {
                assert_eq!(pages(&world, &caller, lane, limit).await.concat(), own, "{lane:?} {limit}");
            }
        }
        let sizes: Vec<_> = pages(&world, &Fixtures::owner(), lane, 4).await.iter().map(Vec::len).collect();
        assert_eq!(sizes, [4, 4, 2], "{lane:?}");
        let _ = world.store.calls.take();
        list_rewards(&world.ledger, &Fixtures::owner(), lane, None, 4).await.unwrap();
        assert_eq!(world.store.calls.take(), ["Query"]);
    }
}
