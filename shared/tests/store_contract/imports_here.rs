//! Rows about what is here already, and what becomes of imported history afterwards.

use fastrand::Rng;
use referrals::{
    domain::{
        deal::DealState,
        import::{RawRow, RowOutcome},
        referral::{ReferralStatus, RewardStatus, RewardType},
        reward::Revenue,
    },
    ports::PolicyBook as _,
    system::RandomIds,
    usecase::{delete_referral::Deletion, hear_of_deal::hear_of_deal, import_chunk::Worked},
};
use referrals_testing::{Fixtures, Upload, contact};

use crate::{
    attribution::{all_rows, assert_report_is_right},
    deals::told,
    world::World,
};

async fn outcome(world: &World, row: RawRow) -> RowOutcome {
    world.upload(&[row]).await[0].outcome
}

/// An export that somebody imports where it came from: what is here stays as it is, whatever the file says.
#[tokio::test]
async fn an_export_doubles_nothing_where_it_came_from() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let row = |line, name: &str| {
        let cells = [
            "sourceSystem=winnerr",
            &format!("externalId={id}"),
            &format!("referrerName={name}"),
            "referrerEmail=pat@example.com",
        ];
        Upload::row(line, &cells)
    };
    for dry_run in [true, false] {
        let upload = Upload::begin(&world.store, &[row(2, "Pat Jones"), row(3, "Someone Else")], dry_run).await;
        assert!(matches!(world.import(&upload, 1).await, Worked::Done(_)));
        for report in upload.report(&world.store, 1).await {
            assert_eq!((report.outcome, report.referral_id.as_ref()), (RowOutcome::Unchanged, Some(&id)));
        }
    }
    let person = world.referrer_of(&id).await;
    assert_eq!((all_rows(&world).await.len(), person.total_referrals), (1, 1));
    // What was deleted is brought back by it, under the same name, once.
    assert_eq!(world.delete(&id).await, Deletion::Done);
    assert_eq!(outcome(&world, row(2, "Pat Jones")).await, RowOutcome::Created);
    assert_eq!(outcome(&world, row(2, "Pat Jones")).await, RowOutcome::Unchanged);
    assert_report_is_right(&world, &mut Rng::new()).await;
}

/// A member may leave, or a region change, between two tries of one file.
#[tokio::test]
async fn what_is_here_is_unchanged_however_its_row_reads_now() {
    let world = World::new().await;
    let good = Upload::row(2, &["referrerEmail=pat@example.com"]);
    assert_eq!(outcome(&world, good).await, RowOutcome::Created);
    let bad = Upload::row(2, &["referrerEmail=pat@example.com", "agentUserId=user_nobody", "receivedAt=soon"]);
    assert_eq!(outcome(&world, bad).await, RowOutcome::Unchanged);
}

#[tokio::test]
async fn a_chunk_that_nobody_knows_is_not_called_done() {
    let world = World::new().await;
    let upload = Upload::begin(&world.store, &[Upload::row(2, &["referrerEmail=pat@example.com"])], false).await;
    assert_eq!(world.import(&upload, 9).await, Worked::Missing);
    assert!(matches!(world.import(&upload, 1).await, Worked::Done(_)));
    assert_eq!(world.import(&upload, 1).await, Worked::AlreadyDone);
}

/// Whoever decided elsewhere that there was no reward decided it: a deal that is taken back and won again here owes none.
#[tokio::test]
async fn history_without_a_reward_does_not_become_owed() {
    let world = World::new().await;
    let scope = Fixtures::scope();
    let mut policy = world.ledger.find_policy(&scope).await.unwrap();
    (policy.reward_type, policy.reward_value, policy.version) = (RewardType::GiftCard, Some(5_000), 1);
    assert_eq!(world.ledger.save_policy(&scope, &policy).await, Ok(true));
    let won = ["referrerEmail=pat@example.com", "status=CONVERTED", "dealId=deal_1"];
    let open = ["referrerEmail=pat@example.com", "status=QUALIFIED", "dealId=deal_2"];
    let reports = world.upload(&[Upload::row(2, &won), Upload::row(3, &open)]).await;
    let hear = async |deal: &str, revision, state| {
        let mut news = told(&format!("{deal}x{revision}"), revision, state, &[]);
        news.deal_id = referrals::domain::id::DealId::parse(deal).unwrap();
        news.news.revenue = None::<Revenue>;
        hear_of_deal(&world.ledger, &*world.clock, &RandomIds, &news).await.unwrap();
    };
    let now = async |place: usize| world.referral(reports[place].referral_id.as_ref().unwrap()).await;
    hear("deal_1", 1, DealState::Reopened).await;
    assert!(now(0).await.reversed);
    hear("deal_1", 2, DealState::Won).await;
    let again = now(0).await;
    assert_eq!((again.status, again.reversed), (ReferralStatus::Converted, false));
    assert_eq!((again.reward_status, again.reward_type), (RewardStatus::None, RewardType::None));
    // What was open when it came here is won here, under the policy.
    hear("deal_2", 1, DealState::Won).await;
    assert_eq!(now(1).await.reward_status, RewardStatus::Pending);
    assert_report_is_right(&world, &mut Rng::new()).await;
}
