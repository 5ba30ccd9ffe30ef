use super::*;
use crate::domain::{
    calendar::Zone,
    contact::Contact,
    id::{OrgId, PersonId, ReferralId},
    referral::{Channel, NewReferral},
    text::PersonName,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(seconds)
}

fn policy() -> RewardPolicy {
    let mut policy = RewardPolicy::default_of(OrgId::parse("org_1").unwrap());
    policy.reward_type = RewardType::GiftCard;
    policy.reward_value = Some(5_000);
    policy.compliance_gate = ComplianceGate::Off;
    policy.version = 3;
    policy
}

fn converted() -> Referral {
    let new = NewReferral {
        referrer_person_id: PersonId::parse("person_1").unwrap(),
        referred_name: PersonName::parse("Sam Lee").unwrap(),
        referred_contact: Contact::default(),
        agent_user_id: user(),
        channel: Channel::Manual,
        notes: None,
    };
    let mut referral = Referral::received(
        ReferralId::parse("ref_1").unwrap(),
        OrgId::parse("org_1").unwrap(),
        new,
        at(0),
        &Zone::utc(),
    );
    referral.status = ReferralStatus::Converted;
    referral.conversion = Some(Conversion { converted_at: at(0), revenue: None });
    referral
}

fn user() -> UserId {
    UserId::parse("user_1").unwrap()
}

fn rewarded(policy: &RewardPolicy) -> Referral {
    let mut referral = converted();
    referral.bring_up_reward(policy, at(0), at(0));
    referral
}

fn in_status(status: RewardStatus) -> Referral {
    let mut policy = policy();
    if status == RewardStatus::Held {
        policy.compliance_gate = ComplianceGate::Hold;
    }
    let mut referral = rewarded(&policy);
    match status {
        RewardStatus::None => return converted(),
        RewardStatus::Pending | RewardStatus::Held => {}
        RewardStatus::Canceled => assert_eq!(referral.cancel_reward(), Ok(true)),
        RewardStatus::Sent => assert_eq!(referral.mark_reward_sent(&user(), false, at(9)), Ok(true)),
        RewardStatus::Thanked => {
            assert_eq!(referral.mark_reward_sent(&user(), false, at(9)), Ok(true));
            assert!(referral.mark_thanked());
        }
    }
    assert_eq!(referral.reward_status, status);
    referral
}

#[test]
fn every_action_from_every_status_moves_stays_or_is_refused() {
    use RewardStatus::{Canceled, Held, None, Pending, Sent, Thanked};
    let refused = |status| Err(RewardRefused::Transition(status));
    for status in RewardStatus::ALL {
        let before = in_status(status);
        let mut after = before.clone();
        let sent = match status {
            Pending => Ok(true),
            Sent | Thanked => Ok(false),
            None | Held | Canceled => refused(status),
        };
        assert_eq!(after.mark_reward_sent(&user(), false, at(20)), sent, "{status:?}");
        assert_eq!(after.reward_status, if sent == Ok(true) { Sent } else { status });
        let first = matches!(status, Sent | Thanked).then(|| at(9));
        assert_eq!(after.reward_sent_at, if sent == Ok(true) { Some(at(20)) } else { first }, "the first time stays");

        let mut after = before.clone();
        let canceled = match status {
            Pending | Held => Ok(true),
            Canceled => Ok(false),
            None | Sent | Thanked => refused(status),
        };
        assert_eq!(after.cancel_reward(), canceled, "{status:?}");
        assert_eq!(after.reward_status, if canceled == Ok(true) { Canceled } else { status });

        let mut after = before.clone();
        let released = match status {
            Held => Ok(true),
            Pending => Ok(false),
            None | Canceled | Sent | Thanked => refused(status),
        };
        assert_eq!(after.release_reward(), released, "{status:?}");
        assert_eq!(after.reward_status, if released == Ok(true) { Pending } else { status });

        let mut after = before.clone();
        assert_eq!(after.mark_thanked(), status == Sent, "{status:?}");

        let mut after = before.clone();
        after.reverse();
        assert_eq!(after.status, ReferralStatus::Qualified);
        let reversed = if matches!(status, Pending | Held) { Canceled } else { status };
        assert_eq!(after.reward_status, reversed, "{status:?}");
        let is_marked = after.reward.as_ref().is_some_and(|reward| reward.reversed_after_send);
        assert_eq!(is_marked, matches!(status, Sent | Thanked), "{status:?}");

        // Won again.
        after.status = ReferralStatus::Converted;
        after.bring_up_reward(&policy(), at(30), at(30));
        let again = match status {
            None | Pending => Pending,
            Held => Held,
            Canceled => Canceled,
            Sent => Sent,
            Thanked => Thanked,
        };
        assert_eq!(after.reward_status, again, "{status:?}: what an agent took back stays so");
        assert!(!after.reward.is_some_and(|reward| reward.reversed_after_send));
    }
}

#[test]
fn each_reason_holds_by_itself_and_goes_by_itself() {
    for bits in 0..8_u8 {
        let is = |bit: u8| bits & (1 << bit) != 0;
        let mut policy = policy();
        policy.holding_period_days = if is(0) { 14 } else { 0 };
        policy.compliance_gate = if is(1) { ComplianceGate::Hold } else { ComplianceGate::Warn };
        let mut referral = converted();
        if is(2) {
            referral.risk_flags.insert(RiskFlag::SelfReferral);
        }
        referral.bring_up_reward(&policy, at(0), at(5));
        let wanted: BTreeSet<HoldReason> =
            [(is(0), HoldReason::HoldingPeriod), (is(1), HoldReason::Compliance), (is(2), HoldReason::SelfReferral)]
                .into_iter()
                .filter_map(|(holds, reason)| holds.then_some(reason))
                .collect();
        let reward = referral.reward.clone().unwrap();
        assert_eq!(reward.hold_reasons, wanted, "{bits:03b}");
        let status = if wanted.is_empty() { RewardStatus::Pending } else { RewardStatus::Held };
        assert_eq!(referral.reward_status, status, "{bits:03b}");

        let end = 14 * 86_400;
        assert_eq!(reward.hold_until, is(0).then(|| at(end)), "{bits:03b}");
        assert!(!referral.clone().end_holding(at(end - 1)), "{bits:03b}");
        let mut after = referral.clone();
        assert_eq!(after.end_holding(at(end)), is(0), "{bits:03b}");
        let still_held = is(1) || is(2);
        assert_eq!(after.reward_status == RewardStatus::Held, still_held, "{bits:03b}");
    }
    // Told of late, the period may be over already.
    let mut policy = policy();
    policy.holding_period_days = 14;
    let mut late = converted();
    late.bring_up_reward(&policy, at(0), at(14 * 86_400));
    assert_eq!(late.reward_status, RewardStatus::Pending);
}

#[test]
fn the_policy_of_the_win_is_the_rewards() {
    let mut referral = rewarded(&policy());
    let first = referral.clone();
    let mut other = policy();
    other.reward_value = Some(1);
    other.compliance_gate = ComplianceGate::Hold;
    other.version = 4;
    referral.bring_up_reward(&other, at(50), at(50));
    assert_eq!(referral, first, "coming up twice is coming up once");
    referral.reverse();
    referral.status = ReferralStatus::Converted;
    referral.bring_up_reward(&other, at(60), at(60));
    let reward = referral.reward.unwrap();
    assert_eq!(
        (reward.terms.policy_version, reward.amount_minor, referral.reward_value),
        (3, Some(5_000), Some(5_000))
    );
}

#[test]
fn a_reward_of_its_own_goes_before_the_policys() {
    let mut none = policy();
    none.reward_type = RewardType::None;
    none.reward_value = None;
    assert_eq!(rewarded(&none).reward_status, RewardStatus::None);
    let mut own = converted();
    (own.reward_type, own.reward_value) = (RewardType::Custom, Some(700));
    own.bring_up_reward(&none, at(0), at(0));
    assert_eq!((own.reward_status, own.reward.unwrap().amount_minor), (RewardStatus::Pending, Some(700)));
}

#[test]
fn a_share_is_worth_what_the_first_told_commission_says() {
    let mut policy = policy();
    (policy.reward_type, policy.reward_value) = (RewardType::CommissionShare, Some(250));
    let mut referral = rewarded(&policy);
    assert_eq!((referral.reward.as_ref().unwrap().amount_minor, &referral.reward_currency), (None, &None));
    let revenue = |commission| Revenue {
        currency: Currency::parse("EUR").unwrap(),
        sale_price_minor: None,
        gross_commission_minor: Some(commission),
    };
    for (commission, worth) in [(1_234_567, 30_864), (99, 30_864)] {
        referral.conversion = Some(Conversion { converted_at: at(0), revenue: Some(revenue(commission)) });
        referral.value_reward();
        assert_eq!(referral.reward.as_ref().unwrap().amount_minor, Some(worth));
        assert_eq!(referral.reward_currency.as_ref().map(Currency::as_str), Some("EUR"));
    }
}

#[test]
fn under_warn_the_law_is_acknowledged_once() {
    let mut policy = policy();
    policy.compliance_gate = ComplianceGate::Warn;
    let mut referral = rewarded(&policy);
    let asked = referral.mark_reward_sent(&user(), false, at(7));
    assert_eq!(asked, Err(RewardRefused::AcknowledgementRequired));
    assert_eq!(referral.mark_reward_sent(&user(), true, at(8)), Ok(true));
    let acknowledged = referral.reward.as_ref().unwrap().compliance_acknowledged.clone();
    assert_eq!(acknowledged, Some(Acknowledgement { by: user(), at: at(8) }));
    assert_eq!(referral.mark_reward_sent(&user(), false, at(9)), Ok(false));
}

#[test]
fn a_self_referral_that_is_noticed_late_holds_what_was_not_sent_once() {
    use RewardStatus::{Held, Pending};
    for status in RewardStatus::ALL {
        let mut referral = in_status(status);
        referral.flag_self_referral();
        let is_due = matches!(status, Pending | Held);
        assert_eq!(referral.reward_status, if is_due { Held } else { status }, "{status:?}");
        let holds =
            referral.reward.as_ref().is_some_and(|reward| reward.hold_reasons.contains(&HoldReason::SelfReferral));
        assert_eq!(holds, is_due, "{status:?}");
        if is_due {
            assert_eq!(referral.release_reward(), Ok(true));
            referral.flag_self_referral();
            assert_eq!(referral.reward_status, Pending, "somebody has looked, and nothing new is known");
        }
    }
}

#[test]
fn what_was_sent_stays_on_record_when_its_deal_is_taken_back() {
    for status in RewardStatus::ALL {
        let mut referral = in_status(status);
        assert!(referral.is_on_record());
        referral.reverse();
        assert_eq!(referral.is_on_record(), matches!(status, RewardStatus::Sent | RewardStatus::Thanked), "{status:?}");
    }
}

#[test]
fn what_was_reversed_elsewhere_without_a_reward_gets_none_here() {
    for bits in 0..8_u8 {
        let is = |bit: u8| bits & (1 << bit) != 0;
        let mut referral = converted();
        // What it was called there may be gone: it goes when somebody in it is erased.
        referral.channel = if is(0) { Channel::Import } else { Channel::Manual };
        referral.reversed = is(1);
        if is(2) {
            (referral.reward_type, referral.reward_value) = (RewardType::Custom, Some(700));
        }
        referral.bring_up_reward(&policy(), at(0), at(0));
        let has_none = is(0) && is(1) && !is(2);
        assert_eq!(referral.reward.is_none(), has_none, "{bits:03b}");
        let reward_type = match (has_none, is(2)) {
            (true, _) => RewardType::None,
            (false, true) => RewardType::Custom,
            (false, false) => RewardType::GiftCard,
        };
        assert_eq!(referral.reward_type, reward_type, "{bits:03b}");
    }
}

#[test]
fn without_a_holding_period_nothing_waits_for_a_win_that_is_dated_ahead() {
    let mut referral = converted();
    referral.bring_up_reward(&policy(), at(60), at(0));
    assert_eq!((referral.reward_status, referral.reward.unwrap().hold_until), (RewardStatus::Pending, None));
}

#[test]
fn what_a_deal_took_back_can_be_taken_back_for_good() {
    let mut referral = rewarded(&policy());
    referral.reverse();
    assert_eq!(referral.reward.as_ref().unwrap().canceled_by, Some(CanceledBy::Deal));
    assert_eq!((referral.cancel_reward(), referral.cancel_reward()), (Ok(true), Ok(false)));
    assert_eq!(referral.reward.as_ref().unwrap().canceled_by, Some(CanceledBy::Agent));
    referral.bring_up_reward(&policy(), at(30), at(30));
    assert_eq!(referral.reward_status, RewardStatus::Canceled);
}
