//! What a row may say, as tables.

mod round_trip;

use super::*;
use crate::domain::{
    calendar::Zone,
    change::{Patch, ReferralChange},
    deal::{DealNews, DealState},
    email::Email,
    id::OrgId,
    lifecycle::Step,
    money::{Currency, MAX_MINOR},
    organization::{AccountStatus, Notify, Role},
    phone::Region,
    reward::Revenue,
    reward_lane::RewardLane,
    text::Label,
};

const NOW: &str = "2026-11-22T07:00:00.000Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn organization() -> Organization {
    Organization {
        id: OrgId::parse("org_1").unwrap(),
        name: "Doe Realty Group".to_owned(),
        status: AccountStatus::Active,
        timezone: Zone::parse("America/New_York").unwrap(),
        default_region: Region::default(),
    }
}

fn member(user: &str, email: &str, status: AccountStatus) -> Member {
    Member {
        organization_id: OrgId::parse("org_1").unwrap(),
        user_id: UserId::parse(user).unwrap(),
        role: Role::Member,
        status,
        name: PersonName::parse("Jane Doe").unwrap(),
        email: Email::parse(email).unwrap(),
        phone: None,
        notify: Notify { new_referral: true, reward_ready: true, sms: false },
    }
}

fn policy() -> RewardPolicy {
    RewardPolicy { version: 4, holding_period_days: 0, ..RewardPolicy::default_of(OrgId::parse("org_1").unwrap()) }
}

fn with_ground<T>(act: impl FnOnce(&Ground<'_>) -> T) -> T {
    let members = [
        member("user_1", "jane@agents.example", AccountStatus::Active),
        member("user_2", "Cara@Agents.example", AccountStatus::Suspended),
        member("user_3", "office@agents.example", AccountStatus::Active),
        member("user_4", "office@agents.example", AccountStatus::Active),
    ];
    let (organization, policy) = (organization(), policy());
    act(&Ground { organization: &organization, members: &members, policy: &policy, now: at(NOW) })
}

type CellsOf = BTreeMap<Column, String>;

/// A row that is fine, with the cells of `text` instead of its own: `column=value`, one a line. An empty one is none.
fn cells(text: &[&str]) -> CellsOf {
    let plain = [
        "sourceSystem=crm",
        "externalId=17",
        "referrerName=Pat Jones",
        "referrerEmail=pat@example.com",
        "referredName=Sam Lee",
        "agentUserId=user_1",
        "receivedAt=2026-03-01T10:00:00Z",
    ];
    let mut cells = CellsOf::new();
    for cell in plain.iter().chain(text) {
        let (column, value) = cell.split_once('=').unwrap();
        cells.insert(Column::find(column).unwrap(), value.to_owned());
    }
    cells.retain(|_, value| !value.is_empty());
    cells
}

fn read(text: &[&str]) -> Result<ImportRow, Vec<RowError>> {
    with_ground(|ground| ImportRow::read(&cells(text), ground))
}

fn referral(text: &[&str]) -> Referral {
    with_ground(|ground| made(&cells(text), ground).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}")))
}

fn made(cells: &CellsOf, ground: &Ground<'_>) -> Result<Referral, Vec<RowError>> {
    let row = ImportRow::read(cells, ground)?;
    Ok(row.referral(ReferralId::parse("ref_1").unwrap(), PersonId::parse("person_1").unwrap(), ground))
}

/// `column code`, as told.
fn errors(text: &[&str]) -> Vec<String> {
    let told = |error: RowError| format!("{} {}", error.column.map_or("", Column::as_str), error.code);
    read(text).err().unwrap_or_default().into_iter().map(told).collect()
}

/// A deal that was won, and what it brought.
const WON: [&str; 5] =
    ["status=CONVERTED", "dealId=deal_1", "convertedAt=2026-05-02", "grossCommissionMinor=1250000", "currency=USD"];

fn won(text: &[&'static str]) -> Vec<&'static str> {
    WON.iter().chain(text).copied().collect()
}

#[test]
fn a_plain_row_is_a_referral_that_was_received() {
    let referral = referral(&["channel=Facebook ads", "notes=Call in the evening.\r\nNot on Sundays."]);
    assert_eq!(referral.created_at, at("2026-03-01T10:00:00Z"));
    assert_eq!((referral.updated_at, referral.version), (at(NOW), 1));
    assert_eq!((referral.month.to_string().as_str(), referral.channel), ("2026-03", Channel::Import));
    assert_eq!(referral.status, ReferralStatus::Received);
    assert_eq!(referral.notes.unwrap().as_str(), "Call in the evening.\nNot on Sundays.");
    let origin = referral.origin.unwrap();
    assert_eq!((origin.name(), origin.channel.as_ref().map(Label::as_str)), (("crm", "17"), Some("Facebook ads")));
    assert_eq!((referral.reward, referral.conversion, referral.guarded_pair), (None, None, None));
}

#[test]
fn the_month_is_the_organizations() {
    for (received, month, created) in [
        ("2026-03-01T04:59:59Z", "2026-02", "2026-03-01T04:59:59.000Z"),
        ("2026-03-01", "2026-03", "2026-03-01T05:00:00.000Z"),
        ("2026-03-01T00:30:00+02:00", "2026-02", "2026-02-28T22:30:00.000Z"),
    ] {
        let cell = format!("receivedAt={received}");
        let referral = referral(&[&cell]);
        assert_eq!((referral.month.to_string().as_str(), referral.created_at), (month, at(created)), "{received}");
    }
}

#[test]
fn what_has_to_be_there_is_asked_for() {
    for (missing, wanted) in [
        ("sourceSystem=", "sourceSystem required"),
        ("externalId= ", "externalId required"),
        ("referrerName=", "referrerName required"),
        ("referrerEmail=", "referrerEmail email_or_phone_required"),
        ("referredName=\t", "referredName required"),
        ("agentUserId=", "agentUserId required"),
        ("receivedAt=", "receivedAt required"),
    ] {
        assert_eq!(errors(&[missing]), [wanted], "{missing}");
    }
    assert_eq!(errors(&["referrerEmail=", "referrerPhone=(415) 555-2671"]), [""; 0]);
}

#[test]
fn a_wrong_cell_is_named_with_what_is_wrong() {
    for (cell, wanted) in [
        ("sourceSystem=a\u{202e}b", "forbidden_character"),
        ("referrerName=Pat\u{200b}", "forbidden_character"),
        ("referrerEmail=pat", "invalid_email"),
        ("referrerPhone=12", "invalid_phone"),
        ("referredEmail=sam@", "invalid_email"),
        ("referredPhone=none", "invalid_phone"),
        ("agentUserId=user_9", "unknown_id"),
        ("agentUserId=USER_1", "unknown_id"),
        ("agentEmail=nobody@agents.example", "unknown_agent"),
        ("agentEmail=office@agents.example", "other_agent"),
        ("agentEmail=jane", "invalid_email"),
        ("status=received", "unknown_status"),
        ("receivedAt=01.03.2026", "invalid_time"),
        ("receivedAt=2026-02-30", "invalid_time"),
        ("receivedAt=2026-03-01T10:00:00", "invalid_time"),
        ("receivedAt=1969-12-31T00:00:00Z", "invalid_time"),
        ("receivedAt=2026-11-22T07:00:00.001Z", "in_the_future"),
        ("receivedAt=2026-11-23", "in_the_future"),
        ("lostReason=Moved away", "only_when_lost"),
        ("dealId=17", "invalid_id"),
        ("convertedAt=2026-05-02", "not_converted"),
        ("salePriceMinor=1", "not_converted"),
        ("grossCommissionMinor=1", "not_converted"),
        ("currency=USD", "not_converted"),
        ("reversed=yes", "true_or_false_expected"),
        ("rewardType=giftcard", "unknown_reward_type"),
        ("rewardValue=1", "out_of_range"),
        ("rewardCurrency=usd", "unknown_currency"),
        ("rewardStatus=PAID", "unknown_reward_status"),
        ("rewardStatus=HELD", "unsupported_reward_status"),
        ("rewardStatus=CANCELED", "unsupported_reward_status"),
        ("rewardSentAt=2026-05-02", "not_sent"),
    ] {
        let column = cell.split_once('=').unwrap().0;
        let told = errors(&[cell]);
        assert_eq!(told.first(), Some(&format!("{column} {wanted}")), "{cell:?}: {told:?}");
    }
    let long = format!("notes={}", "x".repeat(4_001));
    assert_eq!(errors(&[&long]), ["notes too_long"]);
    assert_eq!(errors(&["externalId=17\n18"]), ["externalId forbidden_character"]);
    assert_eq!(errors(&["agentUserId=", "agentEmail=office@agents.example"]), ["agentEmail ambiguous_agent"]);
    assert_eq!(errors(&["referredEmail=PAT+x@example.com"]), [" self_referral"]);
}

#[test]
fn what_was_received_this_very_moment_is_not_in_the_future() {
    assert_eq!(referral(&["receivedAt=2026-11-22T07:00:00Z"]).created_at, at(NOW));
}

#[test]
fn a_won_deal_says_what_it_brought() {
    for (cell, wanted) in [
        ("dealId=", "dealId required"),
        ("convertedAt=2026-12-01", "convertedAt in_the_future"),
        ("convertedAt=soon", "convertedAt invalid_time"),
        ("salePriceMinor=-1", "salePriceMinor out_of_range"),
        ("salePriceMinor=9007199254740992", "salePriceMinor out_of_range"),
        ("salePriceMinor=99999999999999999999", "salePriceMinor out_of_range"),
        ("salePriceMinor=1.0", "salePriceMinor whole_number_expected"),
        ("salePriceMinor=1e6", "salePriceMinor whole_number_expected"),
        ("salePriceMinor=+5", "salePriceMinor whole_number_expected"),
        ("grossCommissionMinor=1,000", "grossCommissionMinor whole_number_expected"),
        ("currency=", "currency required"),
        ("currency=DOLLARS", "currency unknown_currency"),
        ("reversed=true", "reversed not_when_converted"),
        ("lostReason=Moved away", "lostReason only_when_lost"),
        ("rewardStatus=SENT", "rewardType required"),
    ] {
        assert_eq!(errors(&won(&[cell])), [wanted], "{cell}");
    }
    let referral = referral(&won(&["salePriceMinor=9007199254740991", "reversed=FALSE"]));
    let conversion = referral.conversion.unwrap();
    assert_eq!(conversion.converted_at, at("2026-05-02T04:00:00Z"));
    let revenue = conversion.revenue.unwrap();
    assert_eq!((revenue.sale_price_minor, revenue.gross_commission_minor), (Some(MAX_MINOR), Some(1_250_000)));
    assert_eq!(referral.resulting_deal_id.unwrap().as_str(), "deal_1");
}

#[test]
fn what_happened_on_the_day_itself_did_not_happen_before() {
    // The day begins before the hour at which the referral was received.
    let same_day = referral(&won(&["convertedAt=2026-03-01"]));
    assert_eq!(same_day.conversion.unwrap().converted_at, same_day.created_at);
    let nothing_said = referral(&won(&["convertedAt="]));
    assert_eq!(nothing_said.conversion.unwrap().converted_at, nothing_said.created_at);
    // A deal may be won before somebody writes down through whom it came.
    for (time, wanted) in [("2026-03-01T09:59:59Z", "2026-03-01T09:59:59Z"), ("2026-02-28", "2026-02-28T05:00:00Z")] {
        let before = referral(&won(&[format!("convertedAt={time}").leak()]));
        assert_eq!(before.conversion.unwrap().converted_at, at(wanted));
    }
}

#[test]
fn a_reward_is_worth_what_the_product_would_say() {
    let rows: [(&[&'static str], Option<i64>, Option<&str>); 10] = [
        (&["rewardType=gift_card", "rewardValue=5000"], Some(5_000), Some("USD")),
        (&["rewardType=gift_card", "rewardValue=5000", "rewardCurrency=EUR"], Some(5_000), Some("EUR")),
        (&["rewardType=commission_share", "rewardValue=250"], Some(31_250), Some("USD")),
        (&["rewardType=commission_share", "rewardValue=250", "rewardCurrency=USD"], Some(31_250), Some("USD")),
        // What is told goes before what would follow.
        (&["rewardType=commission_share", "rewardValue=250", "rewardAmountMinor=7"], Some(7), Some("USD")),
        (&["rewardType=commission_share", "rewardAmountMinor=7", "rewardCurrency=EUR"], Some(7), Some("EUR")),
        // What was weighed by another commission than the row tells of is not known.
        (&["rewardType=commission_share", "rewardValue=250", "rewardCurrency=EUR"], None, Some("EUR")),
        (&["rewardType=commission_share", "rewardValue=250", "grossCommissionMinor=", "currency="], None, None),
        (&["rewardType=custom"], None, Some("USD")),
        (&["rewardType=custom", "rewardValue=0"], Some(0), Some("USD")),
    ];
    for (reward, amount, currency) in rows {
        for status in ["PENDING", "SENT", "THANKED"] {
            let status_cell = format!("rewardStatus={status}");
            let mut text = won(reward);
            text.push(&status_cell);
            let referral = referral(&text);
            let details = referral.reward.as_ref().unwrap();
            assert_eq!(details.amount_minor, amount, "{text:?}");
            assert_eq!(referral.reward_currency.as_ref().map(Currency::as_str), currency, "{text:?}");
            assert_eq!((details.due_at, details.terms.policy_version), (at("2026-05-02T04:00:00Z"), 4));
            assert_eq!(referral.reward_status.as_str(), status);
            let sent_at = (status != "PENDING").then_some(at("2026-05-02T04:00:00Z"));
            assert_eq!(referral.reward_sent_at, sent_at, "{text:?}");
        }
    }
}

#[test]
fn a_reward_goes_with_its_referral() {
    let gift = ["rewardType=gift_card", "rewardValue=5000", "rewardCurrency=USD"];
    let with = |more: &[&'static str]| -> Vec<&'static str> { gift.iter().chain(more).copied().collect() };
    for (text, wanted) in [
        (with(&["rewardStatus=PENDING"]), "rewardStatus not_converted"),
        (with(&["rewardStatus=SENT"]), "rewardStatus not_converted"),
        (with(&["rewardStatus=PENDING", "reversed=true"]), "rewardStatus not_converted"),
        (won(&["rewardStatus=SENT", "rewardType=gift_card"]), "rewardValue required"),
        (won(&["rewardStatus=SENT", "rewardType=none"]), "rewardType required"),
        (won(&["rewardType=commission_share", "rewardValue=10001"]), "rewardValue out_of_range"),
        // A currency that nobody knows is told once.
        (
            won(&["rewardStatus=SENT", "rewardType=gift_card", "rewardValue=5", "currency=DOLLARS"]),
            "currency unknown_currency",
        ),
        (won(&["rewardType=gift_card", "rewardValue=5", "rewardSentAt=2026-06-01"]), "rewardSentAt not_sent"),
        (with(&["rewardAmountMinor=5000"]), "rewardAmountMinor no_reward"),
        (
            won(&["rewardType=custom", "rewardStatus=SENT", "rewardAmountMinor=1.5"]),
            "rewardAmountMinor whole_number_expected",
        ),
        (
            won(&["rewardType=gift_card", "rewardValue=5", "rewardStatus=SENT", "grossCommissionMinor=", "currency="]),
            "rewardCurrency required",
        ),
    ] {
        assert_eq!(errors(&text), [wanted], "{text:?}");
    }
    // Promised, and nothing due.
    let promised = referral(&gift);
    assert_eq!((promised.reward_status, promised.reward), (RewardStatus::None, None));
    // Its deal was taken back after the reward was sent.
    let kept = referral(&with(&["status=QUALIFIED", "reversed=TRUE", "rewardStatus=SENT", "dealId=deal_1"]));
    assert!(kept.reversed && kept.is_on_record());
    let reward = kept.reward.unwrap();
    assert_eq!((reward.reversed_after_send, reward.amount_minor), (true, Some(5_000)));
    assert_eq!((kept.conversion, kept.reward_sent_at), (None, Some(kept.created_at)));
}

#[test]
fn who_left_is_history_too() {
    for text in ["agentUserId=user_2", "agentUserId=\nagentEmail=cara@agents.EXAMPLE"] {
        let text: Vec<&str> = text.lines().collect();
        assert_eq!(referral(&text).agent_user_id.as_str(), "user_2", "{text:?}");
    }
}

#[test]
fn a_row_is_called_by_its_system_and_its_id_whatever_else_is_wrong() {
    let called = |text: &[&str]| ImportRow::origin_of(&cells(text)).map(|origin| origin.name() == ("crm", "17"));
    assert_eq!(called(&[]), Some(true));
    assert_eq!(called(&["sourceSystem= crm ", "status=GONE", "receivedAt="]), Some(true));
    for cell in ["sourceSystem=", "externalId=", "externalId= "] {
        assert_eq!(called(&[cell]), None, "{cell:?}");
    }
}
