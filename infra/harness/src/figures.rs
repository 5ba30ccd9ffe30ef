//! Figures are what the rows add up to, counted here by the contract's words and not by the code's.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::domain::{
    calendar::{Month, Zone},
    time::Timestamp,
};
use referrals_testing::Item;

/// Numbers by name, those that are nought left out.
type Numbers = BTreeMap<String, i64>;

pub fn violations(items: &[Item]) -> Vec<String> {
    let (mut wanted, mut found) = (BTreeMap::<String, Numbers>::new(), Vec::new());
    let zone = Zone::parse("America/New_York").unwrap();
    for row in items.iter().filter(|item| item.kind() == "REFERRAL") {
        let month = Month::of(Timestamp::parse(row.text("createdAt")).unwrap(), &zone).to_string();
        if row.text("month") != month {
            found.push(format!("{} counts in {} instead of {month}", row.text("id"), row.text("month")));
        }
        let parts = [row.text("referrerPersonId"), &month, row.text("agentUserId"), row.text("channel")];
        let cell = wanted.entry(parts.join(" ")).or_default();
        count(row, cell);
    }
    let mut cells = BTreeMap::new();
    for row in items.iter().filter(|item| item.kind() == "ATTRIBUTION") {
        let parts = [row.text("advocatePersonId"), row.text("month"), row.text("agentUserId"), row.text("channel")];
        let numbers: Numbers = row
            .0
            .iter()
            .filter(|(name, _)| *name != "version")
            .filter_map(|(name, value)| Some((name.clone(), value.as_n().ok()?.parse().ok()?)))
            .filter(|(_, number)| *number != 0)
            .collect();
        if !numbers.is_empty() {
            cells.insert(parts.join(" "), numbers);
        }
    }
    if cells != wanted {
        found.push(format!("the figures are {cells:?} instead of {wanted:?}"));
    }
    found
}

fn count(row: &Item, cell: &mut Numbers) {
    let mut add = |name: &str, number: i64| {
        if number != 0 {
            *cell.entry(name.to_owned()).or_default() += number;
        }
    };
    add("referrals", 1);
    match row.text("status") {
        "CONVERTED" => {
            add("converted", 1);
            add("dealsWon", i64::from(!row.text("resultingDealId").is_empty()));
            if let Some(revenue) = map(&row.0, "conversion").and_then(|conversion| map(conversion, "revenue")) {
                let currency = text(revenue, "currency");
                add(&format!("salesVolume{currency}"), number(revenue, "salePriceMinor"));
                add(&format!("grossCommission{currency}"), number(revenue, "grossCommissionMinor"));
            }
        }
        "RECEIVED" => {}
        status => add(&status.to_lowercase(), 1),
    }
    if row.0.get("reversed").is_some_and(|value| value.as_bool() == Ok(&true)) {
        add("reversed", 1);
    }
    let amount = map(&row.0, "reward").map_or(0, |reward| number(reward, "amountMinor"));
    let currency = row.text("rewardCurrency");
    match row.text("rewardStatus") {
        "PENDING" => add(&format!("rewardsPending{currency}"), amount),
        "SENT" | "THANKED" => add(&format!("rewardsSent{currency}"), amount),
        _ => {}
    }
}

type Attributes = HashMap<String, AttributeValue>;

fn map<'a>(item: &'a Attributes, name: &str) -> Option<&'a Attributes> {
    item.get(name).and_then(|value| value.as_m().ok())
}

fn text<'a>(item: &'a Attributes, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(item: &Attributes, name: &str) -> i64 {
    item.get(name).and_then(|value| value.as_n().ok()).map_or(0, |number| number.parse().unwrap())
}
