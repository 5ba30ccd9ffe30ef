//! What a change does to one row, field by field.

use std::collections::BTreeSet;

use super::{
    reference::{Refusal, Row},
    shape::Change,
};

pub fn edit(next: &mut Row, change: &Change) -> BTreeSet<&'static str> {
    let mut fields = BTreeSet::new();
    if let Some(name) = change.name.as_ref().filter(|name| **name != next.name) {
        next.name.clone_from(name);
        fields.insert("referredName");
    }
    if let Some(email) = change.email.as_ref().filter(|email| **email != next.contact.email) {
        next.contact.email.clone_from(email);
        fields.insert("referredContact");
    }
    if let Some(phone) = change.phone.as_ref().filter(|phone| **phone != next.contact.phone) {
        next.contact.phone.clone_from(phone);
        fields.insert("referredContact");
    }
    if let Some(notes) = change.notes.as_ref().filter(|notes| **notes != next.notes) {
        next.notes.clone_from(notes);
        fields.insert("notes");
    }
    fields
}

pub fn edit_deal_and_reason(next: &mut Row, change: &Change) -> Result<BTreeSet<&'static str>, Refusal> {
    let mut fields = BTreeSet::new();
    if let Some(deal) = change.deal.as_ref().filter(|deal| **deal != next.deal) {
        if change.by == "convert" && next.status == "CONVERTED" {
            return Err(Refusal::new(409, "deal_already_linked"));
        }
        next.deal.clone_from(deal);
        fields.insert("resultingDealId");
    }
    // Losing again changes nothing; a patch corrects the reason.
    if next.status == "LOST" && change.by == "patch" && change.reason.is_some() && change.reason != next.reason {
        next.reason.clone_from(&change.reason);
        fields.insert("lostReason");
    }
    Ok(fields)
}

pub fn edit_reward(next: &mut Row, change: &Change) -> Result<BTreeSet<&'static str>, Refusal> {
    let mut fields = BTreeSet::new();
    let before = next.reward_value;
    if let Some(kind) = change.reward_type.as_ref().filter(|kind| **kind != next.reward_type) {
        next.reward_type.clone_from(kind);
        next.reward_value = None;
        fields.insert("rewardType");
    }
    if let Some(value) = change.reward_value {
        next.reward_value = value;
    }
    if next.reward_value != before {
        fields.insert("rewardValue");
    }
    let is_taken_away = next.reward_type == "none" && next.reward.status == "PENDING";
    if !fields.is_empty() && (is_taken_away || !["NONE", "PENDING"].contains(&next.reward.status)) {
        return Err(Refusal::new(409, "reward_locked"));
    }
    let most = match next.reward_type.as_str() {
        "none" => -1,
        "commission_share" => 10_000,
        _ => (1 << 53) - 1,
    };
    if !fields.is_empty() && next.reward_value.is_some_and(|value| value < 0 || value > most) {
        return Err(Refusal::field("/rewardValue", "out_of_range"));
    }
    if !fields.is_empty() && next.reward.status == "PENDING" {
        next.reward.value(&next.reward_type, next.reward_value);
    }
    Ok(fields)
}

/// Where a member may take a referral by hand.
pub fn targets(from: &str) -> &'static [&'static str] {
    match from {
        "RECEIVED" => &["CONTACTED", "QUALIFIED", "CONVERTED", "LOST"],
        "CONTACTED" => &["QUALIFIED", "CONVERTED", "LOST"],
        "QUALIFIED" => &["CONTACTED", "CONVERTED", "LOST"],
        "LOST" => &["CONTACTED"],
        _ => &[],
    }
}

pub fn step(next: &mut Row, before: &Row, change: &Change) -> Result<(), Refusal> {
    let from = before.status;
    let all = ["RECEIVED", "CONTACTED", "QUALIFIED", "CONVERTED", "LOST"];
    let to = change.target.as_ref().map_or(from, |target| all.into_iter().find(|status| status == target).unwrap());
    // Only `reopen` takes up what was lost, and it takes up nothing else; a patch names the target only.
    let is_named_right = match change.by {
        "contact" => from != "LOST",
        "reopen" => from == "LOST",
        _ => true,
    };
    if to != from && !(is_named_right && targets(from).contains(&to)) {
        return Err(Refusal { edge: Some((from, to)), ..Refusal::new(409, "invalid_transition") });
    }
    if to == "CONVERTED" && next.deal.is_none() {
        return Err(Refusal::new(422, "deal_required"));
    }
    if to != "LOST" && change.reason.is_some() {
        return Err(Refusal::field("/lostReason", "only_when_lost"));
    }
    if to == "LOST" && from != "LOST" && change.reason.is_none() {
        return Err(Refusal::field("/lostReason", "required"));
    }
    if to != from {
        next.status = to;
        next.reason = if to == "LOST" { change.reason.clone() } else { None };
    }
    Ok(())
}
