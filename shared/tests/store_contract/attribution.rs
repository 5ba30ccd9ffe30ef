//! The report is what the ledger's rows add up to.

use std::collections::BTreeMap;

use fastrand::Rng;
use referrals::{
    domain::{
        access::Caller,
        attribution::{Figures, Grouping},
        calendar::{Month, Zone},
        filter::ReferralFilter,
        id::UserId,
        organization::Role,
        referral::{Channel, Referral},
    },
    ports::{AttributionReader as _, ReferralReader as _},
    usecase::report_attribution::{Group, Question, Reported, report_attribution},
};
use referrals_testing::Fixtures;
use serde_json::Value;

use crate::world::World;

pub const AGENTS: [&str; 3] = ["user_456", "user_789", "user_790"];

/// Figures by name; a sum of money by name and currency.
pub type Plain = BTreeMap<String, i128>;

pub fn plain(figures: &Figures) -> Plain {
    let counts = figures.counts().into_iter().map(|(name, count)| (name.to_owned(), i128::from(count)));
    let amounts = figures.amounts().into_iter().flat_map(|(name, amounts)| {
        amounts.iter().map(move |(currency, sum)| (format!("{name} {currency}"), sum)).collect::<Vec<_>>()
    });
    let open = [("open".to_owned(), i128::from(figures.open()))];
    counts.chain(amounts).chain(open).filter(|(_, number)| *number != 0).collect()
}

/// What a row counts as, by the words of the contract and not by the code's.
fn counted(row: &Value) -> Plain {
    let mut plain = Plain::from([("referrals".to_owned(), 1)]);
    let mut add = |name: String, number: i128| *plain.entry(name).or_default() += number;
    match row["status"].as_str().unwrap() {
        "RECEIVED" => add("open".into(), 1),
        status @ ("CONTACTED" | "QUALIFIED") => {
            add(status.to_lowercase(), 1);
            add("open".into(), 1);
        }
        "CONVERTED" => {
            add("converted".into(), 1);
            add("dealsWon".into(), i128::from(row["resultingDealId"].is_string()));
            let revenue = &row["conversion"]["revenue"];
            for (field, name) in [("salePriceMinor", "salesVolume"), ("grossCommissionMinor", "grossCommission")] {
                if let Some(minor) = revenue[field].as_i64() {
                    add(format!("{name} {}", revenue["currency"].as_str().unwrap()), minor.into());
                }
            }
        }
        "LOST" => add("lost".into(), 1),
        other => panic!("{other}"),
    }
    if row["reversed"] == true {
        add("reversed".into(), 1);
    }
    if let Some(minor) = row["reward"]["amountMinor"].as_i64() {
        let currency = row["rewardCurrency"].as_str().unwrap();
        match row["rewardStatus"].as_str().unwrap() {
            "PENDING" => add(format!("rewardsPending {currency}"), minor.into()),
            "SENT" | "THANKED" => add(format!("rewardsSent {currency}"), minor.into()),
            _ => {}
        }
    }
    plain.retain(|_, number| *number != 0);
    plain
}

fn add_all<'a>(parts: impl IntoIterator<Item = &'a Plain>) -> Plain {
    let mut sum = Plain::new();
    for (name, number) in parts.into_iter().flatten() {
        *sum.entry(name.clone()).or_default() += number;
    }
    sum.retain(|_, number| *number != 0);
    sum
}

/// Every row of the ledger.
pub async fn all_rows(world: &World) -> Vec<Referral> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let filter = ReferralFilter::default();
        let page = world.ledger.list_referrals(&Fixtures::scope(), &filter, after.as_ref(), 1_000).await.unwrap();
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

async fn report(world: &World, caller: &Caller, question: &Question) -> (Vec<(Group, Figures)>, Figures) {
    match report_attribution(&world.ledger, caller, question).await.unwrap() {
        Reported::Report { rows, totals } => (rows, totals),
        Reported::TooLarge => panic!("too large"),
    }
}

/// Compares every cell, and the report of every grouping and of some ranges and filters, with a plain recomputation.
pub async fn assert_report_is_right(world: &World, random: &mut Rng) {
    let rows = all_rows(world).await;
    // The month is the zone's, whatever the row says.
    let zone = Zone::parse("America/New_York").unwrap();
    let rows: Vec<(Referral, Plain)> = rows
        .into_iter()
        .map(|row| {
            assert_eq!(row.month, Month::of(row.created_at, &zone));
            let plain = counted(&serde_json::to_value(&row).unwrap());
            (row, plain)
        })
        .collect();
    let (first, last) = (Month::parse("1970-01").unwrap(), Month::parse("9999-12").unwrap());
    let mut wanted: BTreeMap<String, Vec<&Plain>> = BTreeMap::new();
    for (row, plain) in &rows {
        let cell = format!("{} {} {} {}", row.month, row.referrer_person_id, row.agent_user_id, row.channel.as_str());
        wanted.entry(cell).or_default().push(plain);
    }
    let wanted: BTreeMap<String, Plain> = wanted.into_iter().map(|(cell, parts)| (cell, add_all(parts))).collect();
    let cells = world.ledger.cells_between(&Fixtures::scope(), first, last).await.unwrap();
    let cells: BTreeMap<String, Plain> = cells
        .iter()
        .filter(|cell| !cell.figures.is_nothing())
        .map(|cell| {
            let id = &cell.id;
            let name = format!("{} {} {} {}", id.month, id.advocate, id.agent, id.channel.as_str());
            (name, plain(&cell.figures))
        })
        .collect();
    assert_eq!(cells, wanted);

    let months: Vec<Month> = rows.iter().map(|(row, _)| row.month).collect();
    let mut ranges = vec![(*months.iter().min().unwrap(), *months.iter().max().unwrap())];
    for _ in 0..2 {
        let (one, other) = (*random.choice(&months).unwrap(), *random.choice(&months).unwrap());
        ranges.push((one.min(other), one.max(other)));
    }
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    for (first, last) in ranges {
        for grouping in Grouping::ALL {
            for (caller, agent, channel) in [
                (Fixtures::owner(), None, None),
                (Fixtures::owner(), Some(AGENTS[0]), None),
                (Fixtures::owner(), None, Some(Channel::Widget)),
                (jane.clone(), None, None),
                (jane.clone(), Some(AGENTS[2]), None),
            ] {
                let question =
                    Question { first, last, agent: agent.map(|id| UserId::parse(id).unwrap()), channel, grouping };
                let mut wanted: BTreeMap<String, Vec<&Plain>> = BTreeMap::new();
                for (row, plain) in rows.iter().filter(|(row, _)| {
                    (first..=last).contains(&row.month)
                        && question.agent.as_ref().is_none_or(|agent| row.agent_user_id == *agent)
                        && (caller.role == Role::Owner || row.agent_user_id == caller.user)
                        && channel.is_none_or(|channel| row.channel == channel)
                }) {
                    let group = match grouping {
                        Grouping::Advocate => row.referrer_person_id.to_string(),
                        Grouping::Agent => row.agent_user_id.to_string(),
                        Grouping::Channel => row.channel.as_str().to_owned(),
                        Grouping::Month => row.month.to_string(),
                    };
                    wanted.entry(group).or_default().push(plain);
                }
                let wanted: BTreeMap<String, Plain> =
                    wanted.into_iter().map(|(group, parts)| (group, add_all(parts))).collect();
                let (rows, totals) = report(world, &caller, &question).await;
                let got: BTreeMap<String, Plain> = rows
                    .iter()
                    .map(|(group, figures)| {
                        let group = match group {
                            Group::Advocate(id, name) => {
                                assert!(name.is_some(), "{id} has a name");
                                id.to_string()
                            }
                            Group::Agent(id, name) => {
                                assert!(name.is_some(), "{id} has a name");
                                id.to_string()
                            }
                            Group::Channel(channel) => channel.as_str().to_owned(),
                            Group::Month(month) => month.to_string(),
                        };
                        (group, plain(figures))
                    })
                    .collect();
                assert_eq!((got.len(), &got), (rows.len(), &wanted), "{question:?}");
                assert_eq!(plain(&totals), add_all(wanted.values()), "{question:?}");
            }
        }
    }
}
