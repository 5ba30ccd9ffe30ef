//! What holds of every row whoever wrote it: one organization, one history, legal steps. By the contract's words and not
//! by the code's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use referrals_testing::{Fixtures, Item};

use crate::{
    BusEntry, Channel, Submitted,
    rows::{imported_as, is_erased, last},
};

const SOURCE: &str = "winnerr.referrals";

/// Where a referral may go.
const STATUSES: [(&str, &[&str]); 5] = [
    ("RECEIVED", &["CONTACTED", "QUALIFIED", "LOST", "CONVERTED"]),
    ("CONTACTED", &["QUALIFIED", "LOST", "CONVERTED"]),
    ("QUALIFIED", &["CONTACTED", "LOST", "CONVERTED"]),
    ("LOST", &["CONTACTED", "CONVERTED"]),
    ("CONVERTED", &["QUALIFIED"]),
];

/// Where a reward may go.
const REWARDS: [(&str, &[&str]); 6] = [
    ("NONE", &["PENDING", "HELD"]),
    ("HELD", &["PENDING", "CANCELED"]),
    ("PENDING", &["CANCELED", "SENT"]),
    ("CANCELED", &["PENDING", "HELD"]),
    ("SENT", &["THANKED"]),
    ("THANKED", &[]),
];

/// Kinds of rows that the fixtures give an organization, which nobody else uses here.
const FURNITURE: [&str; 5] = ["ORGANIZATION", "MEMBER", "PROFILE", "SLUG", "LOGIN"];

/// When, from where and to where.
type Step<'a> = (&'a str, &'a str, &'a str);

pub(crate) fn violations(
    items: &[Item],
    bus: &[BusEntry],
    unsubscribed: &[Submitted],
    former_holders: &HashMap<String, String>,
) -> Vec<String> {
    let mut found = everything_is_of_one_organization(items);
    found.extend(each_step_is_legal(items));
    found.extend(history_and_bus_name_the_same_events(items, bus));
    found.extend(who_was_thanked_got_a_message(items));
    found.extend(consent_ended_once(items, unsubscribed, former_holders));
    found
}

/// Each key of a row names the organization of the row itself, and nobody's row is the bystander's (I5).
fn everything_is_of_one_organization(items: &[Item]) -> Vec<String> {
    let mut found = Vec::new();
    for item in items {
        let texts = item.0.iter().filter_map(|(name, value)| Some((name, value.as_s().ok()?)));
        let named: BTreeSet<&str> = texts
            .filter_map(|(name, text)| match name.as_str() {
                "organizationId" => Some(text.as_str()),
                _ => text.strip_prefix("ORG#")?.split('#').next(),
            })
            .collect();
        let is_furniture = FURNITURE.contains(&item.kind());
        if named.len() != 1 || (!is_furniture && named.first() != Some(&Fixtures::ORGANIZATION)) {
            found.push(format!("a row {} is of {named:?}", item.kind()));
        }
        found.extend(item.unscoped_keys().iter().map(|key| format!("a row {} is at {key}", item.kind())));
    }
    found
}

/// Each referral went from step to step as the contract allows it, and is where its history ends (I6).
fn each_step_is_legal(items: &[Item]) -> Vec<String> {
    let mut steps: BTreeMap<(String, &str), Vec<Step<'_>>> = BTreeMap::new();
    for entry in items.iter().filter(|item| item.kind() == "AUDIT") {
        let step = (entry.text("at"), entry.text("from"), entry.text("to"));
        steps.entry((last(entry.text("pk")), entry.text("action"))).or_default().push(step);
    }
    let mut found = Vec::new();
    for row in items.iter().filter(|item| item.kind() == "REFERRAL" && !is_imported(item)) {
        let ways = [
            ("STATUS_CHANGED", "status", "RECEIVED", &STATUSES[..]),
            ("REWARD_CHANGED", "rewardStatus", "NONE", &REWARDS[..]),
        ];
        for (action, attribute, first, table) in ways {
            let mut way = steps.remove(&(row.text("id").to_owned(), action)).unwrap_or_default();
            way.sort_by_key(|(at, ..)| *at);
            let mut place = first;
            for (_, from, to) in &way {
                let is_legal = table.iter().any(|(step, targets)| step == from && targets.contains(to));
                if *from != place || !is_legal {
                    found.push(format!("{} went from {place}: {from} to {to}", row.text("id")));
                }
                place = to;
            }
            if row.text(attribute) != place {
                found.push(format!("{} is {}, and its history ends with {place}", row.text("id"), row.text(attribute)));
            }
        }
    }
    found
}

/// Every event that a history names is on the bus, and every event of ours there is named by one (I1).
fn history_and_bus_name_the_same_events(items: &[Item], bus: &[BusEntry]) -> Vec<String> {
    let named: BTreeSet<String> = items
        .iter()
        .filter(|item| item.kind() == "AUDIT" && !item.text("eventId").is_empty())
        .map(|entry| entry.text("eventId").to_owned())
        .collect();
    // A file's parts are of no referral, and neither is who was erased.
    let of_others = ["IMPORT_CHUNK_READY", "PERSON_ERASED"];
    let ours = bus.iter().filter(|entry| entry.source == SOURCE && !of_others.contains(&&*entry.detail_type));
    let told: BTreeSet<String> = ours.map(|entry| entry.metadata("id")).collect();
    let untold = named.difference(&told).map(|event| format!("{event} was never told"));
    untold.chain(told.difference(&named).map(|event| format!("{event} is in no history"))).collect()
}

/// THANKED is who has a message that was accepted (I7).
fn who_was_thanked_got_a_message(items: &[Item]) -> Vec<String> {
    let accepted: BTreeSet<&str> = items
        .iter()
        .filter(|item| item.kind() == "MESSAGE" && item.text("kind") == "THANK_YOU")
        .filter(|row| row.text("status") == "SUBMITTED")
        .map(|row| row.text("referralId"))
        .collect();
    let thanked = items.iter().filter(|row| row.kind() == "REFERRAL" && row.text("rewardStatus") == "THANKED");
    let silent = thanked.filter(|row| !accepted.contains(row.text("id")));
    silent.map(|row| format!("{} is thanked without a message", row.text("id"))).collect()
}

/// Whom the clock has erased is in nothing but captures that are over, and each of these who was not is in something else.
/// `asked` are the ids of those who were erased on request.
pub(crate) fn who_is_kept_is_needed(items: &[Item], asked: &[String]) -> Vec<String> {
    let (mut over, mut open) = (BTreeSet::new(), BTreeSet::new());
    for row in items.iter().filter(|item| item.kind() == "REFERRAL") {
        let side = if row.text("expiredAt").is_empty() { &mut open } else { &mut over };
        side.extend(["referrerPersonId", "referredPersonId"].map(|who| row.text(who).to_owned()));
    }
    let is_worked_on = |id: &str| {
        items.iter().any(|row| row.kind() == "REFERRAL" && row.text("id") == id && row.text("expiredAt").is_empty())
    };
    let former = items.iter().filter(|item| item.kind() == "FORMER" && is_worked_on(item.text("referralId")));
    let deals = items.iter().filter(|item| item.kind() == "DEAL_OF");
    open.extend(former.chain(deals).map(|link| last(link.text("pk"))));
    let mut found = Vec::new();
    for person in items.iter().filter(|item| item.kind() == "PERSON") {
        let id = person.text("id");
        let is_erased = is_erased(person);
        if is_erased && open.contains(id) && !asked.iter().any(|other| other == id) {
            found.push(format!("{id} was erased and is needed"));
        }
        if !is_erased && over.contains(id) && !open.contains(id) {
            found.push(format!("{id} is kept and nobody needs them"));
        }
        let told = ["name", "email", "phone"].map(|field| person.text(field));
        if is_erased && told != ["Erased person", "", ""] {
            found.push(format!("{id} was erased and is known"));
        }
    }
    found
}

/// Who has unsubscribed agrees to mail no more, by one entry, and to SMS as before.
fn consent_ended_once(
    items: &[Item],
    unsubscribed: &[Submitted],
    former_holders: &HashMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for form in unsubscribed {
        let email = form.referrer.email.as_str();
        let Some(person) = items.iter().find(|row| row.kind() == "PERSON" && row.text("email") == email) else {
            let id = former_holders.get(email).map(String::as_str).unwrap_or_default();
            if !items.iter().any(|item| is_erased(item) && item.text("id") == id) {
                found.push("somebody who has unsubscribed is gone".to_owned());
            }
            continue;
        };
        let flag = |name: &str| person.0.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
        let agrees = (flag("emailMarketingConsent"), flag("smsMarketingConsent"));
        let id = person.text("id");
        let ended: Vec<(&str, &str)> = items
            .iter()
            .filter(|entry| entry.kind() == "CONSENT" && last(entry.text("pk")) == id)
            .filter(|entry| entry.text("decision") == "REVOKED")
            .map(|entry| (entry.text("channel"), entry.text("method")))
            .collect();
        if agrees != (false, form.agrees_to(Channel::Sms)) || ended != [("EMAIL", "ONE_CLICK")] {
            found.push(format!("{id} has unsubscribed: agrees {agrees:?} after {ended:?}"));
        }
    }
    found
}

fn is_imported(row: &Item) -> bool {
    imported_as(row).is_some()
}
