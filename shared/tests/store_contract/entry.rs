//! A received referral enters the pipeline.

use std::collections::BTreeSet;

use referrals::{
    domain::{
        audit::AuditAction,
        id::{PersonId, ReferralId, UserId},
        person::{LeadSource, PipelineStage, RelationshipStage},
        referral::{ReferralStatus, RewardStatus, RewardType, RiskFlag},
        reward::{HoldReason, RewardPolicy},
    },
    ports::ReferralReader as _,
    usecase::enter_pipeline::Entered,
};
use referrals_testing::{Bulk, Fixtures, contact, name, submission};

use crate::world::World;

#[tokio::test]
async fn a_stranger_becomes_a_lead_at_the_top_of_the_agents_pipeline() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "+14155552672")).await;
    assert_eq!(world.enter(&world.event_of(&id).await).await, Entered::Done);

    let lead = world.lead_of(&id).await;
    assert_eq!(lead.name.as_str(), "Sam Lee");
    assert_eq!(lead.lead_source, Some(LeadSource::Referral));
    assert_eq!(lead.relationship_stage, Some(RelationshipStage::Advocate));
    assert_eq!(lead.pipeline_stage, Some(PipelineStage::Lead));
    assert_eq!(lead.owner_user_id.as_ref().map(UserId::as_str), Some(Fixtures::AGENT));
    assert!(!lead.email_marketing_consent && !lead.sms_marketing_consent);
    assert_eq!(world.referrer_of(&id).await.relationship_stage, Some(RelationshipStage::Advocate));
    assert_eq!(world.referral(&id).await.version, 2);

    let outbox = world.store.outbox_items().await;
    let entered: Vec<_> = outbox.iter().filter(|item| item.text("detailType") == "LEAD_ENTERED_PIPELINE").collect();
    assert_eq!(entered.len(), 1);
    assert!(entered[0].text("detail").contains(lead.id.as_str()));
}

#[tokio::test]
async fn five_deliveries_are_one_lead_and_one_event() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let event = world.event_of(&id).await;
    assert_eq!(world.enter(&event).await, Entered::Done);
    let before = world.store.items().await.len();
    for _ in 0..4 {
        assert_eq!(world.enter(&event).await, Entered::AlreadyDone);
    }
    assert_eq!(world.store.items().await.len(), before);
    assert_eq!((world.referral(&id).await.version, world.store.outbox_items().await.len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_deliveries_at_once_are_one_lead_and_one_event() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let event = world.event_of(&id).await;
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let (world, event) = (world.clone(), event.clone());
            tokio::spawn(async move { world.enter(&event).await })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(task.await.unwrap() == Entered::Done);
    }
    assert_eq!(done, 1);
    assert_eq!((world.rows("PERSON").await.len(), world.rows("LEAD_OF").await.len()), (2, 1));
    assert_eq!(world.store.outbox_items().await.len(), 2);
}

#[tokio::test]
async fn a_known_person_gains_only_what_is_absent() {
    let world = World::new().await;
    // person_111 has an owner, and no stage and no source.
    let id = world.capture(contact("pat@example.com", ""), contact("robin.park@example.com", "")).await;
    world.enter(&world.event_of(&id).await).await;
    let lead = world.lead_of(&id).await;
    assert_eq!(lead.id, Fixtures::person_111());
    assert_eq!((lead.name.as_str(), lead.total_referrals), ("Robin Park", 0));
    assert_eq!(lead.pipeline_stage, Some(PipelineStage::Lead));
    assert_eq!(lead.lead_source, Some(LeadSource::Referral));
}

#[tokio::test]
async fn a_person_without_any_contact_is_still_a_lead() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("", "")).await;
    world.enter(&world.event_of(&id).await).await;
    let lead = world.lead_of(&id).await;
    assert_eq!((lead.name.as_str(), lead.email.is_none(), lead.phone.is_none()), ("Sam Lee", true, true));
}

#[tokio::test]
async fn a_number_of_somebody_else_leaves_the_new_lead_without_that_key() {
    let world = World::new().await;
    // The number is person_111's.
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "+14155550199")).await;
    world.enter(&world.event_of(&id).await).await;
    assert_ne!(world.lead_of(&id).await.id, Fixtures::person_111());
    assert_eq!(world.referral(&id).await.risk_flags, BTreeSet::from([RiskFlag::PossibleDuplicatePerson]));
}

#[tokio::test]
async fn two_referrers_of_one_person_contest_each_other() {
    let world = World::new().await;
    let first = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let second = world.capture(contact("kim@example.com", ""), contact("sam@example.com", "")).await;
    world.enter_all().await;
    assert_eq!(world.lead_of(&first).await.id, world.lead_of(&second).await.id);
    for id in [&first, &second] {
        assert_eq!(world.referral(id).await.risk_flags, BTreeSet::from([RiskFlag::Contested]));
    }
    let flagged = world.rows("AUDIT").await.into_iter().filter(|row| row.text("action") == "FLAGGED").count();
    assert_eq!(flagged, 1, "the first referral's history says that it was contested");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn referrals_of_one_known_person_that_arrive_together_all_see_each_other() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for referrer in ["a@example.com", "b@example.com", "c@example.com"] {
        ids.push(world.capture(contact(referrer, ""), contact("robin.park@example.com", "")).await);
    }
    let events = world.received_events().await;
    let tasks: Vec<_> = events
        .into_iter()
        .map(|event| {
            let world = world.clone();
            tokio::spawn(async move { world.enter(&event).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Entered::Done);
    }
    for id in &ids {
        assert!(world.referral(id).await.risk_flags.contains(&RiskFlag::Contested), "{id}");
    }
}

#[tokio::test]
async fn the_same_referrer_again_contests_nothing() {
    let world = World::new().await;
    let mut by_name = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    let first = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    by_name.referred_contact = contact("sam@example.com", "");
    world.clock.advance_seconds(40 * 86_400);
    let second = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    world.enter_all().await;
    for id in [&first, &second] {
        assert!(world.referral(id).await.risk_flags.is_empty());
    }
}

#[tokio::test]
async fn somebody_who_turns_out_to_have_referred_themselves_is_flagged() {
    let world = World::new().await;
    // The form shows an address and, for the friend, a number: both are person_111's.
    let mut form = submission(contact("robin.park@example.com", ""), contact("", "+14155550199"));
    form.referred_name = name("R. Park");
    let referrals::usecase::capture_referral::Captured::Recorded(_, id) = world.submit(&form).await.unwrap() else {
        panic!("not recorded")
    };
    assert_eq!(world.enter(&world.event_of(&id).await).await, Entered::Done);
    assert_eq!(world.referral(&id).await.risk_flags, BTreeSet::from([RiskFlag::SelfReferral]));
    let person = world.lead_of(&id).await;
    assert_eq!((person.total_referrals, person.pipeline_stage), (1, Some(PipelineStage::Lead)));
}

#[tokio::test]
async fn an_address_of_the_referrers_own_under_a_tag_is_flagged() {
    let world = World::new().await;
    world.capture(contact("pat@example.com", "+14155552671"), contact("kim@example.com", "")).await;
    // By number alone: only the person whom it leads to shows whose mailbox the friend's is.
    let id = world.capture(contact("", "+14155552671"), contact("pat+friend@example.com", "")).await;
    assert!(world.referral(&id).await.risk_flags.is_empty());
    world.enter(&world.event_of(&id).await).await;
    assert_eq!(world.referral(&id).await.risk_flags, BTreeSet::from([RiskFlag::SelfReferral]));
    assert_ne!(world.lead_of(&id).await.id, world.referrer_of(&id).await.id);
}

#[tokio::test]
async fn an_event_about_nothing_is_ignored_and_stays_within_its_organization() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let mut event = world.event_of(&id).await;
    event.data.referral_id = ReferralId::parse("ref_00000000000000000000000000").unwrap();
    assert!(matches!(world.enter(&event).await, Entered::Ignored(_)));
    // The right referral under the wrong organization is nobody's.
    let mut foreign = world.event_of(&id).await;
    foreign.metadata.organization_id = Fixtures::caller(
        Fixtures::OTHER_ORGANIZATION,
        Fixtures::OTHER_OWNER,
        referrals::domain::organization::Role::Owner,
    )
    .scope
    .organization()
    .clone();
    assert!(matches!(world.enter(&foreign).await, Entered::Ignored(_)));
    assert_eq!(world.rows("PERSON").await.len(), 1);
}

#[tokio::test]
async fn entering_costs_a_bounded_number_of_calls() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let event = world.event_of(&id).await;
    let _ = world.store.calls.take();
    world.enter(&event).await;
    let calls = world.store.calls.take();
    assert_eq!(calls.iter().filter(|call| *call == "TransactWriteItems").count(), 1, "{calls:?}");
    assert_eq!(calls.len(), 4, "{calls:?}");
    let _: PersonId = world.lead_of(&id).await.id;
}

/// Converted by hand, and due, before its lead came in.
#[tokio::test]
async fn a_self_referral_that_is_noticed_here_holds_a_reward_that_is_due() {
    let world = World::new().await;
    let pat = || contact("pat@example.com", "+14155552671");
    world.capture(pat(), contact("lou@example.com", "")).await;
    // Only the referrer's own row shows that the number is theirs.
    let id = world.capture(contact("pat@example.com", ""), contact("", "+14155552671")).await;
    let mut referral = world.referral(&id).await;
    let mut policy = RewardPolicy::default_of(referral.organization_id.clone());
    policy.reward_type = RewardType::GiftCard;
    referral.status = ReferralStatus::Converted;
    referral.bring_up_reward(&policy, referral.created_at, referral.created_at);
    assert_eq!(referral.reward_status, RewardStatus::Pending);
    Bulk::put(&world.store, [Bulk::row(&referral)]).await;
    assert_eq!(world.enter(&world.event_of(&id).await).await, Entered::Done);
    let after = world.referral(&id).await;
    assert_eq!(after.reward_status, RewardStatus::Held);
    assert_eq!(after.reward.unwrap().hold_reasons, BTreeSet::from([HoldReason::SelfReferral]));
    let history = world.ledger.find_history(&Fixtures::scope(), &id).await.unwrap().entries;
    let held: Vec<_> = history.iter().filter(|entry| entry.action == AuditAction::RewardChanged).collect();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].from.as_deref(), held[0].to.as_deref()), (Some("PENDING"), Some("HELD")));
}
