//! What a ledger says, without the ids and times that are different each time: two that went through the same are alike.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_testing::Item;

use crate::{World, rows::last};

/// Lines, sorted.
pub type Portrait = Vec<String>;

/// What a reward or a deal is told of on its way depends on which news overtakes which; where it ends does not.
const ON_THE_WAY: &str = "REWARD_READY";

/// The row's attributes that count, by kind. People are named by their addresses, referrals by two of them.
const COUNTS: [(&str, &[&str]); 8] = [
    (
        "REFERRAL",
        &["status", "rewardStatus", "resultingDealId", "riskFlags", "channel", "referrerPersonId", "referredPersonId"],
    ),
    ("PERSON", &["email", "totalReferrals", "relationshipStage", "leadSource", "doNotContact"]),
    ("ATTRIBUTION", &["advocatePersonId", "month", "agentUserId", "channel"]),
    ("MESSAGE", &["referralId", "kind", "channel", "status", "reason", "delivery"]),
    ("CONSENT", &["pk", "channel", "decision", "method"]),
    ("SUPPRESSED", &["reason"]),
    ("DEAL", &["dealId", "referralId", "appliedRevision"]),
    ("LEAD_OF", &["pk", "referralId"]),
];

impl World {
    /// What came of everything so far.
    pub async fn portrait(&self) -> Portrait {
        let items = self.store.items().await;
        let names = names(&items);
        let mut lines: Vec<String> = items.iter().filter_map(|item| line(item, &names)).collect();
        let mails = self.post_office.accepted().into_iter().filter_map(|mail| {
            let kind = mail.tags.get("message_kind").cloned().unwrap_or_default();
            (kind != ON_THE_WAY).then(|| format!("sent {:?} {kind} to {}", mail.channel, mail.to))
        });
        lines.extend(mails);
        lines.sort();
        lines
    }
}

fn line(item: &Item, names: &HashMap<String, String>) -> Option<String> {
    let (kind, attributes) = COUNTS.iter().find(|(kind, _)| *kind == item.kind())?;
    if *kind == "MESSAGE" && item.text("kind") == ON_THE_WAY {
        return None;
    }
    let mut parts: BTreeMap<&str, String> = attributes.iter().map(|name| (*name, value(item, name, names))).collect();
    if *kind == "ATTRIBUTION" {
        // Every number of it, whatever it is called; nought is as good as none.
        let numbers = item.0.iter().filter(|(name, value)| *name != "version" && value.is_n());
        let told = numbers.filter(|(_, value)| value.as_n().is_ok_and(|number| number != "0"));
        parts.extend(told.map(|(name, _)| (name.as_str(), value(item, name, names))));
    }
    let parts: Vec<String> = parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(format!("{kind} {}", parts.join(" ")))
}

fn value(item: &Item, name: &str, names: &HashMap<String, String>) -> String {
    let text = match item.0.get(name) {
        Some(AttributeValue::S(text)) if name == "pk" => last(text),
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
        Some(AttributeValue::Bool(flag)) => flag.to_string(),
        Some(AttributeValue::L(entries)) => {
            let mut entries: Vec<&str> =
                entries.iter().filter_map(|entry| entry.as_s().ok()).map(String::as_str).collect();
            entries.sort_unstable();
            entries.join("+")
        }
        Some(AttributeValue::Ss(entries)) => {
            let mut entries = entries.clone();
            entries.sort();
            entries.join("+")
        }
        _ => String::new(),
    };
    names.get(&text).cloned().unwrap_or(text)
}

/// Ids of people and referrals, and what they are called here.
fn names(items: &[Item]) -> HashMap<String, String> {
    let people = items.iter().filter(|item| item.kind() == "PERSON");
    let mut names: HashMap<String, String> =
        people.map(|row| (row.text("id").to_owned(), row.text("email").to_owned())).collect();
    let referrals: Vec<(String, String)> = items
        .iter()
        .filter(|item| item.kind() == "REFERRAL")
        .map(|row| {
            let ends = [row.text("referrerPersonId"), row.text("referredPersonId")];
            let ends = ends.map(|id| names.get(id).map_or("", String::as_str));
            (row.text("id").to_owned(), ends.join(">"))
        })
        .collect();
    names.extend(referrals);
    names
}
