//! What a change makes of a referral, for every status.

use super::*;
use crate::domain::{
    calendar::Zone,
    contact::Contact,
    id::{OrgId, ReferralId, UserId},
    money::Currency,
    phone::Region,
    referral::{Channel, NewReferral},
    reward::Revenue,
};

const AT: &str = "2026-11-22T07:00:00Z";

fn referral(status: ReferralStatus) -> Referral {
    let new = NewReferral {
        referrer_person_id: PersonId::parse("person_1").unwrap(),
        referred_name: PersonName::parse("Sam Lee").unwrap(),
        referred_contact: Contact::default(),
        agent_user_id: UserId::parse("user_1").unwrap(),
        channel: Channel::Manual,
        notes: None,
    };
    let at = Timestamp::parse(AT).unwrap();
    let mut referral =
        Referral::received(ReferralId::parse("ref_1").unwrap(), OrgId::parse("org_1").unwrap(), new, at, &Zone::utc());
    referral.status = status;
    referral.resulting_deal_id = (status == ReferralStatus::Converted).then(|| deal("deal_1"));
    referral.lost_reason = (status == ReferralStatus::Lost).then(|| reason("moved away"));
    referral
}

fn deal(id: &str) -> DealId {
    DealId::parse(id).unwrap()
}

fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap().unwrap()
}

fn change(referral: &Referral, change: &ReferralChange) -> Result<Option<Changed>, Refused> {
    let policy = RewardPolicy::default_of(referral.organization_id.clone());
    referral.changed(change, &policy, Timestamp::parse(AT).unwrap().plus_seconds(1))
}

/// Everything that a step could ask for, so that only the edge decides.
fn step(step: Step) -> ReferralChange {
    ReferralChange {
        step: Some(step),
        lost_reason: (step.target() == ReferralStatus::Lost).then(|| reason("no answer")),
        resulting_deal_id: match step.target() {
            ReferralStatus::Converted => Patch::Set(deal("deal_1")),
            _ => Patch::Keep,
        },
        ..ReferralChange::default()
    }
}

#[test]
fn every_step_from_every_status_moves_stays_or_is_refused() {
    let named = [Step::Contact, Step::Qualify, Step::Reopen, Step::Lose, Step::Convert];
    for from in ReferralStatus::ALL {
        for asked in named.into_iter().chain(ReferralStatus::ALL.map(Step::To)) {
            let before = referral(from);
            let outcome = change(&before, &step(asked));
            let to = asked.target();
            if to == from && asked != Step::To(ReferralStatus::Lost) {
                assert_eq!(outcome, Ok(None), "{asked:?} from {from:?} changes nothing");
            } else if to == from {
                assert_eq!(outcome.unwrap().unwrap().fields, ["lostReason"], "a patch corrects the reason");
            } else if asked.is_open_from(from) {
                let changed = outcome.unwrap().unwrap();
                assert_eq!(changed.referral.status, to);
                assert_eq!(changed.referral.conversion.is_some(), to == ReferralStatus::Converted);
                assert_eq!(changed.referral.version, before.version + 1);
                assert!(changed.referral.updated_at > before.updated_at);
                assert_eq!(changed.referral.lost_reason.is_some(), to == ReferralStatus::Lost);
            } else {
                assert_eq!(outcome, Err(Refused::Transition { from, to }), "{asked:?} from {from:?}");
            }
        }
    }
}

#[test]
fn converting_needs_a_deal_and_keeps_it() {
    let bare = ReferralChange { step: Some(Step::Convert), ..ReferralChange::default() };
    assert_eq!(change(&referral(ReferralStatus::Qualified), &bare), Err(Refused::DealRequired));
    let mut linked = referral(ReferralStatus::Qualified);
    linked.resulting_deal_id = Some(deal("deal_7"));
    let changed = change(&linked, &bare).unwrap().unwrap();
    assert_eq!((changed.fields, changed.referral.resulting_deal_id), (vec![], Some(deal("deal_7"))));

    let converted = referral(ReferralStatus::Converted);
    let with = |deal| ReferralChange { resulting_deal_id: deal, ..ReferralChange::default() };
    assert_eq!(change(&converted, &with(Patch::Clear)), Err(Refused::DealRequired));
    assert!(change(&converted, &with(Patch::Set(deal("deal_2")))).unwrap().is_some(), "a patch corrects the deal");
    let again = ReferralChange { step: Some(Step::Convert), ..with(Patch::Set(deal("deal_2"))) };
    assert_eq!(change(&converted, &again), Err(Refused::DealAlreadyLinked));
}

#[test]
fn a_reason_comes_and_goes_with_lost() {
    let bare = ReferralChange { step: Some(Step::To(ReferralStatus::Lost)), ..ReferralChange::default() };
    assert_eq!(change(&referral(ReferralStatus::Received), &bare), Err(Refused::LostReasonRequired));
    let stray = ReferralChange { lost_reason: Some(reason("x")), ..ReferralChange::default() };
    assert_eq!(change(&referral(ReferralStatus::Received), &stray), Err(Refused::NotLost));
    let mut lost = referral(ReferralStatus::Lost);
    lost.expired_at = Some(lost.created_at);
    let reopened = change(&lost, &step(Step::Reopen)).unwrap().unwrap();
    assert_eq!((reopened.referral.lost_reason, reopened.referral.expired_at), (None, None));
}

#[test]
fn a_patch_that_says_what_is_there_changes_nothing() {
    let before = referral(ReferralStatus::Contacted);
    let same = ReferralChange {
        step: Some(Step::To(ReferralStatus::Contacted)),
        referred_name: Some(before.referred_name.clone()),
        notes: Patch::Clear,
        ..ReferralChange::default()
    };
    assert_eq!(change(&before, &same), Ok(None));
    let other = ReferralChange { notes: Patch::Set(Notes::parse("hot").unwrap().unwrap()), ..same };
    assert_eq!(change(&before, &other).unwrap().unwrap().fields, ["notes"]);
}

#[test]
fn a_field_of_a_patch_stays_is_cleared_or_is_set() {
    for (patch, value, set, is_other, after) in [
        (Patch::Keep, None, Patch::Keep, false, Some(1)),
        (Patch::Clear, None, Patch::Keep, true, None),
        (Patch::Set(1), Some(1), Patch::Set(1), false, Some(1)),
        (Patch::Set(2), Some(2), Patch::Set(2), true, Some(2)),
    ] {
        let mut field = Some(1);
        assert_eq!((patch.apply(&mut field), field), (is_other, after), "{patch:?}");
        assert_eq!((patch.clone().value(), patch.clone().set()), (value, set), "{patch:?}");
    }
}

#[test]
fn the_reason_for_a_reward_goes_before_the_reason_for_the_loss() {
    let release = Some(RewardAction::Release(reason("looked at")));
    let lost = Some(reason("no answer"));
    for (reward_action, lost_reason, wanted) in [
        (None, None, None),
        (None, lost.clone(), Some("no answer")),
        (release.clone(), None, Some("looked at")),
        (release, lost, Some("looked at")),
    ] {
        let change = ReferralChange { lost_reason, reward_action, ..ReferralChange::default() };
        assert_eq!(change.reason().map(Reason::as_str), wanted);
    }
}

#[test]
fn a_field_that_is_other_is_named_by_itself() {
    let none = ReferralChange::default;
    let email = Patch::Set(Email::parse("sam@example.com").unwrap());
    let phone = Patch::Set(Phone::parse("+14155552671", &Region::default()).unwrap());
    for (asked, wanted) in [
        (ReferralChange { referred_name: PersonName::parse("Samuel Lee").ok(), ..none() }, "referredName"),
        (ReferralChange { referred_email: email, ..none() }, "referredContact"),
        (ReferralChange { referred_phone: phone, ..none() }, "referredContact"),
        (
            ReferralChange { referred_person_id: Patch::Set(PersonId::parse("person_2").unwrap()), ..none() },
            "referredPersonId",
        ),
        (ReferralChange { notes: Patch::Set(Notes::parse("hot").unwrap().unwrap()), ..none() }, "notes"),
        (ReferralChange { resulting_deal_id: Patch::Set(deal("deal_1")), ..none() }, "resultingDealId"),
        (ReferralChange { reward_type: Some(RewardType::Custom), ..none() }, "rewardType"),
    ] {
        let before = referral(ReferralStatus::Received);
        let changed = change(&before, &asked).unwrap().unwrap();
        assert_eq!(changed.fields, [wanted]);
        assert_eq!((changed.referral.version, changed.referral.status), (before.version + 1, before.status));
        assert_eq!(change(&changed.referral, &asked), Ok(None), "{wanted} said again");
    }
}

#[test]
fn what_another_deal_brought_and_weighed_goes_with_it() {
    let other = ReferralChange { resulting_deal_id: Patch::Set(deal("deal_2")), ..ReferralChange::default() };
    let revenue =
        Revenue { currency: Currency::us_dollar(), sale_price_minor: None, gross_commission_minor: Some(10_000) };
    let mut policy = RewardPolicy::default_of(OrgId::parse("org_1").unwrap());
    for reward_type in [RewardType::CommissionShare, RewardType::GiftCard] {
        (policy.reward_type, policy.reward_value) = (reward_type, Some(100));
        for status in RewardStatus::ALL {
            let mut before = referral(ReferralStatus::Converted);
            let at = before.created_at;
            before.conversion = Some(Conversion { converted_at: at, revenue: Some(revenue.clone()) });
            before.bring_up_reward(&policy, at, at);
            assert_eq!(before.reward.as_ref().unwrap().amount_minor, Some(100));
            before.reward_status = status;
            let after = change(&before, &other).unwrap().unwrap().referral;
            assert_eq!(after.conversion, Some(Conversion { converted_at: at, revenue: None }));
            let is_open = matches!(status, RewardStatus::Pending | RewardStatus::Held);
            let is_unweighed = reward_type == RewardType::CommissionShare && is_open;
            assert_eq!(after.reward.unwrap().amount_minor.is_none(), is_unweighed, "{reward_type:?} {status:?}");
        }
    }
}

#[test]
fn a_lost_reason_is_corrected_by_a_patch_alone() {
    let lost = referral(ReferralStatus::Lost);
    for (step, text, is_other) in
        [(None, "no answer", true), (None, "moved away", false), (Some(Step::Lose), "no answer", false)]
    {
        let asked = ReferralChange { step, lost_reason: Some(reason(text)), ..ReferralChange::default() };
        let fields = change(&lost, &asked).unwrap().map(|changed| changed.fields);
        assert_eq!(fields, is_other.then(|| vec!["lostReason"]), "{step:?} {text}");
    }
}

#[test]
fn a_reward_that_cannot_go_there_says_from_where_to_where() {
    let act = |reward_action| ReferralChange { reward_action: Some(reward_action), ..ReferralChange::default() };
    let user = UserId::parse("user_1").unwrap();
    let send = |acknowledges| act(RewardAction::MarkSent { by: user.clone(), acknowledges });
    let mut due = referral(ReferralStatus::Converted);
    let refused = Refused::RewardTransition { from: RewardStatus::None, to: RewardStatus::Sent };
    assert_eq!(change(&due, &send(true)), Err(refused));
    // The default policy asks for an acknowledgement.
    let mut policy = RewardPolicy::default_of(due.organization_id.clone());
    policy.reward_type = RewardType::Custom;
    due.bring_up_reward(&policy, due.created_at, due.created_at);
    assert_eq!(change(&due, &send(false)), Err(Refused::AcknowledgementRequired));
    let sent = change(&due, &send(true)).unwrap().unwrap();
    assert_eq!((sent.referral.reward_status, sent.fields), (RewardStatus::Sent, vec![]));
    assert_eq!(change(&sent.referral, &send(true)), Ok(None), "the first time stays");
}

#[test]
fn what_converts_again_brings_its_reward_up_and_is_reversed_no_more() {
    let mut before = referral(ReferralStatus::Qualified);
    (before.reversed, before.reward_type) = (true, RewardType::Custom);
    let after = change(&before, &step(Step::Convert)).unwrap().unwrap().referral;
    assert_eq!((after.reversed, after.reward_status), (false, RewardStatus::Pending));
    let converted_at = before.created_at.plus_seconds(1);
    assert_eq!(after.conversion, Some(Conversion { converted_at, revenue: None }));
    // A patch that does not move it does not bring it up again.
    let noted = ReferralChange { notes: Patch::Set(Notes::parse("x").unwrap().unwrap()), ..ReferralChange::default() };
    let converted = referral(ReferralStatus::Converted);
    assert_eq!(change(&converted, &noted).unwrap().unwrap().referral.conversion, None);
}

#[test]
fn nobody_is_their_own_lead() {
    let own = ReferralChange {
        referred_person_id: Patch::Set(PersonId::parse("person_1").unwrap()),
        ..ReferralChange::default()
    };
    assert_eq!(change(&referral(ReferralStatus::Received), &own), Err(Refused::SelfReferral));
}

#[test]
fn a_reward_is_open_until_it_is_decided() {
    let with = |reward_type, reward_value| ReferralChange { reward_type, reward_value, ..ReferralChange::default() };
    let gift = with(Some(RewardType::GiftCard), Patch::Set(5_000));
    for status in RewardStatus::ALL {
        let mut before = referral(ReferralStatus::Converted);
        before.reward_status = status;
        let is_open = matches!(status, RewardStatus::None | RewardStatus::Pending);
        assert_eq!(change(&before, &gift).is_ok(), is_open, "{status:?}");
    }
    let before = change(&referral(ReferralStatus::Received), &gift).unwrap().unwrap().referral;
    let share = with(Some(RewardType::CommissionShare), Patch::Keep);
    assert_eq!(change(&before, &share).unwrap().unwrap().referral.reward_value, None);
    // The history names what is other now, however it was said.
    for value in [Patch::Keep, Patch::Clear] {
        let changed = change(&before, &with(Some(RewardType::Custom), value)).unwrap().unwrap();
        assert_eq!((changed.referral.reward_value, changed.fields), (None, vec!["rewardType", "rewardValue"]));
    }
    for (reward_type, value) in [
        (RewardType::CommissionShare, 10_001),
        (RewardType::GiftCard, -1),
        (RewardType::None, 1),
        (RewardType::None, 0),
        (RewardType::Custom, i64::MAX),
    ] {
        let refused = change(&before, &with(Some(reward_type), Patch::Set(value)));
        assert_eq!(refused, Err(Refused::RewardValue), "{reward_type:?} {value}");
    }
    assert!(change(&before, &with(Some(RewardType::CommissionShare), Patch::Set(10_000))).is_ok());
    // One that is due is canceled, with a reason, and not edited away.
    let none = with(Some(RewardType::None), Patch::Keep);
    assert!(change(&before, &none).is_ok());
    let due = Referral { reward_status: RewardStatus::Pending, ..before };
    assert_eq!(change(&due, &none), Err(Refused::RewardLocked));
}
