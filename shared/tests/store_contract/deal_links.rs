//! Which referral a deal belongs to: by name, by link, by its people; and what agents do meanwhile.

use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        deal::{DealNews, DealState},
        id::{DealId, OrgId, PersonId, ReferralId},
        lifecycle::Step,
        referral::{Referral, ReferralStatus, RewardStatus},
        reward_action::RewardAction,
        text::Reason,
        time::Timestamp,
    },
    events::{DealTold, Detail, ReferralLinkedV1},
    ports::{DealBook as _, Revised, SettleOutcome, Settlement},
    usecase::{delete_referral::Deletion, settle_deal::Settled},
};
use referrals_testing::{Fixtures, contact};

use crate::deals::{Deals, told};

fn deal(id: &str) -> DealId {
    DealId::parse(id).unwrap()
}

/// News of another deal.
fn of(id: &str, told: DealTold) -> DealTold {
    DealTold { deal_id: deal(id), ..told }
}

fn naming(referral: &ReferralId, told: DealTold) -> DealTold {
    DealTold { news: DealNews { named_referral_id: Some(referral.clone()), ..told.news }, ..told }
}

fn states(referral: &Referral) -> (ReferralStatus, RewardStatus) {
    (referral.status, referral.reward_status)
}

const WON: (ReferralStatus, RewardStatus) = (ReferralStatus::Converted, RewardStatus::Pending);
const REVERSED: (ReferralStatus, RewardStatus) = (ReferralStatus::Qualified, RewardStatus::Canceled);

impl Deals {
    /// Somebody else sends the same friend.
    async fn rival(&self) -> ReferralId {
        self.world.clock.advance_seconds(1);
        let rival = self.world.capture(contact("kim@example.com", ""), contact("sam@example.com", "")).await;
        let event = self.world.event_of(&rival).await;
        self.world.enter(&event).await;
        rival
    }

    /// The agent takes the reward back for good.
    async fn cancel(&self) -> Referral {
        self.world.clock.advance_seconds(1);
        let reason = Reason::parse("the friend was known").unwrap().unwrap();
        let reward_action = Some(RewardAction::Cancel(reason));
        self.change(&ReferralChange { reward_action, ..ReferralChange::default() }).await
    }

    /// The lead that the last `REFERRAL_LINKED` names.
    async fn linked_person(&self) -> Option<PersonId> {
        let mut items = self.world.store.outbox_items().await;
        items.sort_by(|one, other| one.text("sk").cmp(other.text("sk")));
        let last = items.iter().rfind(|item| item.text("detailType") == "REFERRAL_LINKED")?;
        Detail::<ReferralLinkedV1>::parse(last.text("detail")).unwrap().data.person_id
    }

    async fn patch_deal(&self, id: &str) -> Referral {
        let resulting_deal_id = Patch::Set(deal(id));
        self.change(&ReferralChange { resulting_deal_id, ..ReferralChange::default() }).await
    }
}

#[tokio::test]
async fn the_referral_that_is_named_goes_before_the_oldest_one() {
    let deals = Deals::new().await.entered().await;
    let (lead, rival) = (deals.lead().await, deals.rival().await);
    assert_eq!(deals.hear(&naming(&rival, told("1", 1, DealState::Won, &[&lead]))).await, Settled::Done);
    assert_eq!(deals.now().await.status, ReferralStatus::Received);
    assert_eq!(states(&deals.world.referral(&rival).await), WON);
}

#[tokio::test]
async fn a_name_that_nobody_has_leaves_the_people_to_look_at() {
    let deals = Deals::new().await.entered().await;
    let nobody = ReferralId::parse("ref_nobody").unwrap();
    assert_eq!(deals.hear(&naming(&nobody, told("1", 1, DealState::Won, &[&deals.lead().await]))).await, Settled::Done);
    assert_eq!(states(&deals.now().await), WON);
}

/// Whoever names a referral means that one: a rival's is not converted in its place.
#[tokio::test]
async fn a_deal_that_names_a_referral_of_another_deal_is_left_alone() {
    let deals = Deals::new().await.entered().await;
    let (lead, rival) = (deals.lead().await, deals.rival().await);
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    let before = (deals.now().await, deals.world.referral(&rival).await);
    let second = naming(&deals.referral, of("deal_2", told("2", 1, DealState::Won, &[&lead])));
    assert_eq!(deals.hear(&second).await, Settled::Ignored("the referral that it names is another deal's"));
    assert_eq!((deals.now().await, deals.world.referral(&rival).await), before);
    // An agent has named a deal that nobody has heard of yet: it may still be won.
    let deals = Deals::new().await.entered().await;
    deals.patch_deal("deal_9").await;
    let named = naming(&deals.referral, told("1", 1, DealState::Won, &[]));
    assert!(matches!(deals.hear(&named).await, Settled::Ignored(_)));
    let by_people = told("2", 2, DealState::Won, &[&deals.lead().await]);
    assert_eq!(deals.hear(&by_people).await, Settled::Ignored("no referral of this deal"));
    assert_eq!(deals.now().await.status, ReferralStatus::Received);
}

#[tokio::test]
async fn a_deal_of_nobody_here_matches_nothing() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    let mut foreign = told("1", 1, DealState::Won, &[&lead]);
    foreign.organization_id = OrgId::parse(Fixtures::OTHER_ORGANIZATION).unwrap();
    foreign = naming(&deals.referral, foreign);
    assert_eq!(deals.hear(&foreign).await, Settled::Ignored("no referral of this deal"));
    let stranger = PersonId::parse("person_stranger").unwrap();
    let nobodys = of("deal_2", told("2", 1, DealState::Won, &[&stranger]));
    assert_eq!(deals.hear(&nobodys).await, Settled::Ignored("no referral of this deal"));
    assert_eq!(deals.now().await.version, 2);
}

#[tokio::test]
async fn a_deal_without_people_waits_for_the_agent_who_names_it() {
    let deals = Deals::new().await.entered().await;
    assert_eq!(deals.hear(&told("1", 0, DealState::Won, &[])).await, Settled::Ignored("no referral of this deal"));
    deals.patch_deal("deal_1").await;
    assert_eq!(deals.events("REFERRAL_LINKED").await, 1);
    assert_eq!(deals.link(None, Some(&deal("deal_1"))).await, Settled::Done);
    assert_eq!(states(&deals.now().await), WON);
    assert_eq!(deals.link(None, Some(&deal("deal_1"))).await, Settled::AlreadyDone);
    assert_eq!(deals.events("REFERRAL_LINKED").await, 1, "it does not go round");
}

/// What a reversal has done is done: told again, it does not undo what an agent has done since.
#[tokio::test]
async fn a_reversal_that_is_told_again_does_not_undo_the_agent() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    let reopened = told("2", 2, DealState::Reopened, &[&lead]);
    deals.hear(&reopened).await;
    assert_eq!(states(&deals.now().await), REVERSED);
    deals.step(Step::Convert, None).await;
    let converted = deals.now().await;
    for news in [&reopened, &told("1", 1, DealState::Won, &[&lead])] {
        assert_eq!(deals.hear(news).await, Settled::AlreadyDone);
    }
    assert_eq!(deals.link(Some(&lead), Some(&deal("deal_1"))).await, Settled::AlreadyDone);
    assert_eq!(deals.now().await, converted);
    // News is news.
    deals.hear(&told("3", 3, DealState::Lost, &[])).await;
    assert_eq!(states(&deals.now().await), REVERSED);
}

#[tokio::test]
async fn an_agent_who_corrects_the_deal_is_followed() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    let mut other = of("deal_2", told("2", 7, DealState::Won, &[]));
    other.news.revenue.as_mut().unwrap().gross_commission_minor = Some(2_000_000);
    deals.hear(&other).await;
    let moved = deals.patch_deal("deal_2").await;
    assert_eq!(moved.conversion.unwrap().revenue, None);
    assert_eq!(deals.link(None, Some(&deal("deal_2"))).await, Settled::Done);
    let referral = deals.now().await;
    assert_eq!((states(&referral), &referral.reward.as_ref().unwrap().amount_minor), (WON, &Some(50_000)));
    // The deal that it was before goes its own way.
    for news in [told("1", 1, DealState::Won, &[&lead]), told("3", 2, DealState::Lost, &[&lead])] {
        assert!(matches!(deals.hear(&news).await, Settled::Ignored(_)));
    }
    assert_eq!(deals.now().await, referral);
    // And back again: what the first deal says is said to the referral anew.
    deals.hear(&told("4", 3, DealState::Won, &[])).await;
    deals.patch_deal("deal_1").await;
    assert_eq!(deals.link(None, Some(&deal("deal_1"))).await, Settled::Done);
    assert_eq!(deals.now().await.reward.unwrap().amount_minor, Some(31_250));
    assert_eq!((deals.events("REWARD_READY").await, deals.events("REWARD_CANCELED").await), (1, 0));
}

#[tokio::test]
async fn a_deal_whose_referral_was_deleted_is_anothers() {
    let deals = Deals::new().await.entered().await;
    let (lead, rival) = (deals.lead().await, deals.rival().await);
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    deals.hear(&told("2", 2, DealState::Reopened, &[&lead])).await;
    assert_eq!(deals.world.delete(&deals.referral).await, Deletion::Done);
    assert_eq!(
        deals.hear(&told("2", 2, DealState::Reopened, &[&lead])).await,
        Settled::Ignored("no referral of this deal")
    );
    assert_eq!(deals.hear(&told("3", 3, DealState::Won, &[&lead])).await, Settled::Done);
    assert_eq!(states(&deals.world.referral(&rival).await), WON);
}

#[tokio::test]
async fn what_an_agent_cancels_after_the_deal_did_stays_canceled() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    deals.hear(&told("2", 2, DealState::Reopened, &[&lead])).await;
    let before = deals.now().await.version;
    assert_eq!(deals.cancel().await.version, before + 1);
    assert_eq!(deals.cancel().await.version, before + 1, "once");
    let notes = deals.world.rows("AUDIT").await;
    let notes: Vec<_> = notes.iter().filter(|entry| entry.text("note") == "the friend was known").collect();
    assert_eq!(notes.iter().map(|entry| entry.text("action")).collect::<Vec<_>>(), ["REWARD_CHANGED"]);
    deals.hear(&told("3", 3, DealState::Won, &[&lead])).await;
    assert_eq!(states(&deals.now().await), (ReferralStatus::Converted, RewardStatus::Canceled));
    assert_eq!((deals.events("REWARD_READY").await, deals.events("REWARD_CANCELED").await), (1, 1));
}

/// Later news may name other people. What was credited stays credited: moving it is an agent's.
#[tokio::test]
async fn a_deal_that_moves_to_other_people_keeps_its_referral() {
    let deals = Deals::new().await.entered().await;
    deals.hear(&told("1", 1, DealState::Won, &[&deals.lead().await])).await;
    let second = deals.world.capture(contact("kim@example.com", ""), contact("lou@example.com", "")).await;
    deals.world.enter_all().await;
    let lou = deals.world.lead_of(&second).await.id;
    deals.hear(&told("2", 2, DealState::Won, &[&lou])).await;
    assert_eq!(states(&deals.now().await), WON);
    assert_eq!(deals.world.referral(&second).await.status, ReferralStatus::Received);
    deals.hear(&told("3", 3, DealState::Lost, &[&lou])).await;
    assert_eq!(states(&deals.now().await), REVERSED);
}

/// A lost deal holds nobody: the next one of the same people is credited, whichever of the two is heard of first.
#[tokio::test]
async fn after_a_lost_deal_the_next_one_counts() {
    for is_won_first in [false, true] {
        let deals = Deals::new().await.entered().await;
        let lead = deals.lead().await;
        deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
        let lost = told("2", 2, DealState::Lost, &[]);
        let next = of("deal_2", told("3", 1, DealState::Won, &[&lead]));
        let order = if is_won_first { [&next, &lost] } else { [&lost, &next] };
        for news in order {
            deals.hear(news).await;
        }
        let referral = deals.now().await;
        assert_eq!((states(&referral), referral.resulting_deal_id), (WON, Some(deal("deal_2"))), "{is_won_first}");
        assert_eq!((deals.events("REWARD_READY").await, deals.events("REWARD_CANCELED").await), (2, 1));
        let first = deals.world.ledger.find_deal(&Fixtures::scope(), &deal("deal_1")).await.unwrap().unwrap();
        assert_eq!(first.referral_id, None);
        // Whatever becomes of the first now, it is nobody's.
        let again = told("4", 3, DealState::Won, &[&lead]);
        assert_eq!(deals.hear(&again).await, Settled::Ignored("no referral of this deal"));
    }
}

#[tokio::test]
async fn a_reopened_deal_keeps_its_referral() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    deals.hear(&told("2", 2, DealState::Reopened, &[&lead])).await;
    assert!(matches!(deals.hear(&of("deal_2", told("3", 1, DealState::Won, &[&lead]))).await, Settled::Ignored(_)));
    deals.hear(&told("4", 3, DealState::Won, &[])).await;
    let referral = deals.now().await;
    assert_eq!((states(&referral), referral.resulting_deal_id), (WON, Some(deal("deal_1"))));
}

/// One name for two messages is the sender's mistake: neither is lost.
#[tokio::test]
async fn two_deals_under_one_event_id_are_both_heard_of() {
    let deals = Deals::new().await.entered().await;
    deals.hear(&told("1", 1, DealState::Won, &[])).await;
    let second = of("deal_2", told("1", 1, DealState::Won, &[&deals.lead().await]));
    assert_eq!(deals.hear(&second).await, Settled::Done);
    assert_eq!(states(&deals.now().await), WON);
}

#[tokio::test]
async fn news_that_changes_nothing_changes_no_version() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    let before = deals.now().await;
    assert_eq!(deals.hear(&told("2", 2, DealState::Won, &[&lead])).await, Settled::Done);
    assert_eq!(deals.hear(&told("2", 2, DealState::Won, &[&lead])).await, Settled::AlreadyDone);
    assert_eq!(deals.now().await, before);
}

#[tokio::test]
async fn what_was_sent_is_marked_and_not_taken_back() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.hear(&told("1", 1, DealState::Won, &[&lead])).await;
    let (scope, before) = (Fixtures::scope(), deals.now().await);
    let mut referral = before.clone();
    let at = Timestamp::parse("2026-12-26T12:00:00Z").unwrap();
    assert_eq!(referral.mark_reward_sent(&Fixtures::owner().user, true, at), Ok(true));
    referral.touch(at);
    let mut own = deals.world.ledger.find_deal(&scope, &deal("deal_1")).await.unwrap().unwrap();
    own.version += 1;
    let sent = Some(Box::new(Revised::new(&before, referral)));
    let sent = Settlement { deal: own, referral: sent, let_go: None, audit: vec![], events: vec![] };
    assert_eq!(deals.world.ledger.settle(&scope, &sent).await, Ok(SettleOutcome::Settled));
    for (revision, state, status, is_marked) in [
        (2, DealState::Reopened, ReferralStatus::Qualified, true),
        (3, DealState::Won, ReferralStatus::Converted, false),
        (4, DealState::Lost, ReferralStatus::Qualified, true),
    ] {
        deals.hear(&told(&revision.to_string(), revision, state, &[&lead])).await;
        let referral = deals.now().await;
        assert_eq!(states(&referral), (status, RewardStatus::Sent), "{revision}");
        assert_eq!(referral.reward.unwrap().reversed_after_send, is_marked, "{revision}");
    }
    assert_eq!((deals.events("REWARD_READY").await, deals.events("REWARD_CANCELED").await), (1, 0));
}

/// A link by mistake kept the right deal away. When it goes, what was heard of the lead is looked at again.
#[tokio::test]
async fn a_deal_that_was_in_nobodys_way_any_more_is_found() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    deals.patch_deal("deal_9").await;
    assert_eq!(deals.hear(&told("1", 1, DealState::Won, &[&lead])).await, Settled::Ignored("no referral of this deal"));
    deals.change(&ReferralChange { resulting_deal_id: Patch::Clear, ..ReferralChange::default() }).await;
    assert_eq!(deals.linked_person().await.as_ref(), Some(&lead));
    assert_eq!(deals.link(Some(&lead), None).await, Settled::Done);
    assert_eq!(states(&deals.now().await), WON);
}

/// Lost too long ago to be won by itself; what the deal brought is added when an agent says that it was won.
#[tokio::test]
async fn an_agent_who_converts_hears_what_the_deal_had_brought() {
    let deals = Deals::new().await.entered().await;
    deals.patch_deal("deal_1").await;
    let lost = ReferralChange {
        step: Some(Step::Lose),
        lost_reason: Reason::parse("gone").unwrap(),
        ..ReferralChange::default()
    };
    deals.change(&lost).await;
    let mut late = told("1", 1, DealState::Won, &[]);
    late.news.at = late.news.at.plus_seconds(3_000 * 86_400);
    assert!(matches!(deals.hear(&late).await, Settled::Ignored(_)));
    let step = |step| ReferralChange { step: Some(step), ..ReferralChange::default() };
    deals.change(&step(Step::Reopen)).await;
    deals.change(&step(Step::Convert)).await;
    assert_eq!(deals.now().await.conversion.unwrap().revenue, None);
    assert_eq!(deals.link(None, Some(&deal("deal_1"))).await, Settled::Done);
    assert!(deals.now().await.conversion.unwrap().revenue.is_some());
    assert_eq!(deals.events("REFERRAL_LINKED").await, 3, "of the link, the reopening and the conversion");
}
