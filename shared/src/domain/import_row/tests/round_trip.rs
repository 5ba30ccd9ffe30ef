//! What this product has written itself, read again; and rows of whatever cells.

use proptest::prelude::*;

use super::*;

/// What somebody does with a referral here.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Step(Step),
    Won(Option<i64>),
    Reopened,
    Promise(RewardType, Option<i64>),
    MarkSent,
    MarkThanked,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        prop::sample::select(vec![Step::Contact, Step::Qualify, Step::Lose, Step::Reopen, Step::Convert])
            .prop_map(Happens::Step),
        prop::option::of(0..=MAX_MINOR).prop_map(Happens::Won),
        Just(Happens::Reopened),
        (prop::sample::select(RewardType::ALL.to_vec()), prop::option::of(0..10_000_i64))
            .prop_map(|(reward_type, value)| Happens::Promise(reward_type, value)),
        Just(Happens::MarkSent),
        Just(Happens::MarkThanked),
    ]
}

fn act(referral: &mut Referral, act: Happens, number: u64, policy: &RewardPolicy) {
    let now = referral.created_at.plus_seconds(60 * i64::try_from(number).unwrap());
    let deal = DealId::parse("deal_1").unwrap();
    let news = |state, commission: Option<i64>| DealNews {
        revision: number,
        state,
        at: now,
        agent_user_id: None,
        person_ids: vec![],
        named_referral_id: None,
        revenue: commission.map(|commission| Revenue {
            currency: Currency::parse("EUR").unwrap(),
            sale_price_minor: None,
            gross_commission_minor: Some(commission),
        }),
    };
    let mut change = ReferralChange::default();
    match act {
        Happens::Step(step) => {
            change.step = Some(step);
            change.resulting_deal_id = if step == Step::Convert { Patch::Set(deal) } else { Patch::Keep };
            change.lost_reason = (step == Step::Lose).then(|| Reason::parse("Moved").unwrap().unwrap());
        }
        Happens::Promise(reward_type, value) => {
            change.reward_type = Some(reward_type);
            change.reward_value = value.map_or(Patch::Clear, Patch::Set);
        }
        Happens::Won(commission) => {
            referral.hear_of(&deal, &news(DealState::Won, commission), policy, now);
            return;
        }
        Happens::Reopened => {
            referral.hear_of(&deal, &news(DealState::Reopened, None), policy, now);
            return;
        }
        Happens::MarkSent => {
            let _ = referral.mark_reward_sent(&UserId::parse("user_1").unwrap(), true, now);
            return;
        }
        Happens::MarkThanked => {
            referral.mark_thanked();
            return;
        }
    }
    if let Ok(Some(changed)) = referral.changed(&change, policy, now) {
        *referral = changed.referral;
    }
}

/// As the export writes it.
fn exported(referral: &Referral) -> CellsOf {
    let mut cells = cells(&["externalId=ref_9", "sourceSystem=winnerr", "channel=MANUAL"]);
    let mut cell = |column, value: Option<String>| {
        cells.extend(value.map(|value| (column, value)));
    };
    cell(Column::ReceivedAt, Some(referral.created_at.to_string()));
    cell(Column::Status, Some(referral.status.as_str().to_owned()));
    cell(Column::LostReason, referral.lost_reason.as_ref().map(|reason| reason.as_str().to_owned()));
    cell(Column::DealId, referral.resulting_deal_id.as_ref().map(|deal| deal.as_str().to_owned()));
    let conversion = referral.conversion.as_ref();
    let revenue = conversion.and_then(|conversion| conversion.revenue.as_ref());
    cell(Column::ConvertedAt, conversion.map(|conversion| conversion.converted_at.to_string()));
    cell(Column::GrossCommissionMinor, revenue.and_then(|it| it.gross_commission_minor).map(|it| it.to_string()));
    cell(Column::Currency, revenue.map(|revenue| revenue.currency.as_str().to_owned()));
    cell(Column::Reversed, Some(referral.reversed.to_string()));
    cell(Column::RewardType, Some(referral.reward_type.as_str().to_owned()));
    cell(Column::RewardValue, referral.reward_value.map(|value| value.to_string()));
    let amount = referral.reward.as_ref().and_then(|reward| reward.amount_minor);
    cell(Column::RewardAmountMinor, amount.map(|amount| amount.to_string()));
    cell(Column::RewardCurrency, referral.reward_currency.as_ref().map(|currency| currency.as_str().to_owned()));
    cell(Column::RewardStatus, Some(referral.reward_status.as_str().to_owned()));
    cell(Column::RewardSentAt, referral.reward_sent_at.map(|at| at.to_string()));
    cells
}

/// What a file does not say.
fn is_told_whole(referral: &Referral) -> bool {
    let is_share = referral.reward_type == RewardType::CommissionShare;
    let revenue = referral.conversion.as_ref().and_then(|conversion| conversion.revenue.as_ref());
    let now = revenue.and_then(|it| it.gross_commission_minor).zip(referral.reward_value);
    let amount = referral.reward.as_ref().and_then(|reward| reward.amount_minor);
    match referral.reward_status {
        RewardStatus::None => true,
        RewardStatus::Held | RewardStatus::Canceled => false,
        // A patch can take the value away from a reward that is due.
        _ if amount.is_none() && !is_share => {
            referral.reward_value.is_some() || referral.reward_type == RewardType::Custom
        }
        // A share that nobody could weigh when it was sent can be weighed by a commission that was told since.
        _ => amount.is_some() || (now.is_none() && referral.reward_value.is_some()),
    }
}

proptest! {
    #[test]
    fn what_happened_here_can_be_brought_here_again(
        steps in prop::collection::vec(happens(), 0..8),
        gift in any::<bool>(),
    ) {
        let mut policy = policy();
        if gift {
            (policy.reward_type, policy.reward_value) = (RewardType::GiftCard, Some(5_000));
        }
        let mut original = referral(&[]);
        for (number, step) in (1..).zip(steps) {
            act(&mut original, step, number, &policy);
        }
        prop_assume!(is_told_whole(&original));
        let again = with_ground(|ground| made(&exported(&original), &Ground { policy: &policy, ..*ground }));
        prop_assert!(again.is_ok(), "{:?} of {original:?}", again.err());
        let again = again.unwrap();
        // What is only known here, and when what was due became known.
        original.origin.clone_from(&again.origin);
        (original.version, original.updated_at) = (again.version, again.updated_at);
        if let (Some(reward), Some(other)) = (&mut original.reward, &again.reward) {
            reward.due_at = other.due_at;
            reward.compliance_acknowledged = None;
            reward.terms = other.terms.clone();
        }
        prop_assert_eq!(again, original);
    }

    #[test]
    fn whatever_the_cells_say_a_referral_is_whole(
        texts in prop::collection::btree_map(
            prop::sample::select(Column::ALL.to_vec()),
            prop::sample::select(vec![
                "", " ", "USD", "EUR", "true", "CONVERTED", "LOST", "QUALIFIED", "SENT", "PENDING", "THANKED", "deal_1",
                "2026-03-01", "2026-04-01T00:00:00Z", "5000", "0", "-1", "gift_card", "commission_share", "custom", "none",
                "user_1", "jane@agents.example", "+14155552671", "x\u{0}", "=1+1",
            ]),
            0..26,
        ),
    ) {
        let mut row = cells(&[]);
        row.extend(texts.into_iter().map(|(column, text)| (column, text.to_owned())));
        match with_ground(|ground| made(&row, ground)) {
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                let columns: BTreeSet<_> = errors.iter().map(|error| error.column).collect();
                prop_assert_eq!(columns.len(), errors.len(), "each column once");
            }
            Ok(referral) => {
                let is_won = referral.status == ReferralStatus::Converted;
                prop_assert_eq!(referral.conversion.is_some(), is_won);
                prop_assert!(!is_won || referral.resulting_deal_id.is_some());
                prop_assert_eq!(referral.reward.is_some(), referral.reward_status != RewardStatus::None);
                let is_waiting = matches!(referral.reward_status, RewardStatus::Pending | RewardStatus::Sent);
                prop_assert_eq!(RewardLane::of(&referral).is_some(), is_waiting);
                let is_sent = matches!(referral.reward_status, RewardStatus::Sent | RewardStatus::Thanked);
                prop_assert_eq!(referral.reward_sent_at.is_some(), is_sent);
                prop_assert!(referral.reward_sent_at.is_none_or(|sent| sent >= referral.created_at));
                let amount = referral.reward.as_ref().and_then(|reward| reward.amount_minor);
                prop_assert!(amount.is_none() || referral.reward_currency.is_some());
            }
        }
    }
}
