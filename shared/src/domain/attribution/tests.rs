use proptest::prelude::*;

use super::*;
use crate::domain::{
    calendar::Zone,
    contact::Contact,
    id::{DealId, OrgId, ReferralId},
    referral::NewReferral,
    reward::{Conversion, Revenue, RewardDetails, RewardPolicy},
    text::PersonName,
    time::Timestamp,
};

fn referral(status: ReferralStatus) -> Referral {
    let new = NewReferral {
        referrer_person_id: PersonId::parse("person_1").unwrap(),
        referred_name: PersonName::parse("Sam Lee").unwrap(),
        referred_contact: Contact::default(),
        agent_user_id: UserId::parse("user_1").unwrap(),
        channel: Channel::Widget,
        notes: None,
    };
    let at = Timestamp::parse("2026-12-01T03:00:00Z").unwrap();
    let (id, organization) = (ReferralId::parse("ref_1").unwrap(), OrgId::parse("org_1").unwrap());
    let mut referral = Referral::received(id, organization, new, at, &Zone::parse("America/New_York").unwrap());
    referral.status = status;
    referral
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn a_figure_is_told_and_set_by_one_name() {
    let mut figures = Figures::default();
    let names = figures.counts().map(|(name, _)| name);
    for (number, name) in (1..).zip(names) {
        *figures.count_mut(name).unwrap() = number;
    }
    assert_eq!(figures.counts().map(|(_, count)| count), [1, 2, 3, 4, 5, 6, 7]);
    let names = figures.amounts().map(|(name, _)| name);
    for (minor, name) in (1..).zip(names) {
        figures.amounts_mut(name).unwrap().add(&currency("USD"), minor);
    }
    let us_dollar = currency("USD");
    let told = figures.amounts().map(|(_, amounts)| (amounts.is_empty(), amounts.iter().collect::<Vec<_>>()));
    assert_eq!(told, [1, 2, 3, 4].map(|minor| (false, vec![(&us_dollar, minor)])));
    assert!(figures.count_mut("salesVolume").is_none() && figures.amounts_mut("referrals").is_none());
    assert!(!figures.is_nothing());
}

#[test]
fn a_referral_counts_in_its_month_and_by_its_status() {
    assert_eq!(CellId::of(&referral(ReferralStatus::Lost)).month.to_string(), "2026-11");
    for (status, wanted) in [
        (ReferralStatus::Received, [1, 0, 0, 0, 0, 0, 0]),
        (ReferralStatus::Contacted, [1, 1, 0, 0, 0, 0, 0]),
        (ReferralStatus::Qualified, [1, 0, 1, 0, 0, 0, 0]),
        (ReferralStatus::Converted, [1, 0, 0, 1, 0, 0, 0]),
        (ReferralStatus::Lost, [1, 0, 0, 0, 1, 0, 0]),
    ] {
        let figures = Figures::of(&referral(status));
        assert_eq!(figures.counts().map(|(_, count)| count), wanted, "{status:?}");
        assert_eq!(figures.open(), i64::from(wanted[3] + wanted[4] == 0), "{status:?}");
    }
    let reversed = Referral { reversed: true, ..referral(ReferralStatus::Qualified) };
    assert_eq!(Figures::of(&reversed).counts().map(|(_, count)| count), [1, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn money_counts_where_it_is_known() {
    let mut won = referral(ReferralStatus::Converted);
    won.resulting_deal_id = DealId::parse("deal_1").ok();
    let revenue = Revenue { currency: currency("EUR"), sale_price_minor: Some(40), gross_commission_minor: None };
    won.conversion = Some(Conversion { converted_at: won.created_at, revenue: Some(revenue) });
    won.reward_currency = Some(currency("USD"));
    let policy = RewardPolicy::default_of(won.organization_id.clone());
    won.bring_up_reward(&policy, won.created_at, won.created_at);
    won.reward = Some(RewardDetails {
        terms: policy.terms(),
        due_at: won.created_at,
        amount_minor: Some(5),
        hold_reasons: std::collections::BTreeSet::new(),
        hold_until: None,
        canceled_by: None,
        compliance_acknowledged: None,
        reversed_after_send: false,
    });
    for (status, pending, sent) in [
        (RewardStatus::Pending, Some(5), None),
        (RewardStatus::Held, None, None),
        (RewardStatus::Canceled, None, None),
        (RewardStatus::Sent, None, Some(5)),
        (RewardStatus::Thanked, None, Some(5)),
    ] {
        won.reward_status = status;
        let figures = Figures::of(&won);
        let only = |amounts: &Amounts| amounts.iter().next().map(|(_, minor)| minor);
        assert_eq!((figures.deals_won, only(&figures.sales_volume)), (1, Some(40)), "{status:?}");
        assert!(figures.gross_commission.is_empty(), "{status:?}");
        assert_eq!((only(&figures.rewards_pending), only(&figures.rewards_sent)), (pending, sent), "{status:?}");
    }
}

#[test]
fn a_rate_is_rounded_to_the_nearest_ten_thousandth() {
    for (converted, referrals, wanted) in [
        (0, 0, None),
        (0, 3, Some(0)),
        (1, 3, Some(3_333)),
        (2, 3, Some(6_667)),
        (1, 20_000, Some(1)),
        (3, 3, Some(10_000)),
    ] {
        let figures = Figures { referrals, converted, ..Figures::default() };
        assert_eq!(figures.conversion_rate(), wanted, "{converted} of {referrals}");
    }
}

fn figures() -> impl Strategy<Value = Figures> {
    let amounts = || proptest::collection::vec((0..3_usize, -5..5_i64), 0..4);
    (proptest::collection::vec(-3..3_i64, 7), amounts(), amounts(), amounts(), amounts()).prop_map(
        |(counts, sales, commission, pending, sent)| {
            let mut figures = Figures::default();
            for ((name, _), count) in Figures::default().counts().into_iter().zip(counts) {
                *figures.count_mut(name).unwrap() = count;
            }
            for ((name, _), sums) in Figures::default().amounts().into_iter().zip([sales, commission, pending, sent]) {
                for (code, minor) in sums {
                    figures.amounts_mut(name).unwrap().add(&currency(["USD", "EUR", "JPY"][code]), minor.into());
                }
            }
            figures
        },
    )
}

proptest! {
    #[test]
    fn what_is_added_can_be_taken_away(one in figures(), two in figures()) {
        let mut sum = one.clone();
        sum.add(&two);
        let mut other_way = two.clone();
        other_way.add(&one);
        prop_assert_eq!(&sum, &other_way);
        sum.subtract(&two);
        prop_assert_eq!(&sum, &one);
        sum.subtract(&one);
        prop_assert!(sum.is_nothing());
    }
}

#[test]
fn names_on_the_wire_are_those_of_the_contract() {
    for grouping in Grouping::ALL {
        assert_eq!(serde_json::to_value(grouping).unwrap(), grouping.as_str());
        assert_eq!(Grouping::find(grouping.as_str()), Some(grouping));
    }
    assert_eq!(Grouping::find("Agent"), None);
}
