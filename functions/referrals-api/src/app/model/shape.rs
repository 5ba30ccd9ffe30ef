//! What a body says, before anything is looked up: read by the contract's words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    operations::{Operation, Step, Wire},
    reference::{Contact, Refusal},
    words::{address_of, name_of, number_of, text_of},
};

type Errors = BTreeMap<String, &'static str>;

/// What an agent logs.
#[derive(Debug, Clone)]
pub struct Entry {
    /// An id, or a name and how to reach them.
    pub referrer: Result<String, (String, Contact)>,
    pub agent: Option<String>,
    pub friend: String,
    pub contact: Contact,
    pub notes: Option<String>,
}

/// A field of a patch: None stays, `Some(None)` is cleared.
pub type Patched<T> = Option<Option<T>>;

/// What is to become of a referral.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The step by its name; `patch` for a patch.
    pub by: &'static str,
    pub target: Option<String>,
    pub reason: Option<String>,
    pub deal: Patched<String>,
    pub name: Option<String>,
    pub email: Patched<String>,
    pub phone: Patched<String>,
    pub lead: Patched<String>,
    pub notes: Patched<String>,
    pub reward_type: Option<String>,
    pub reward_value: Patched<i64>,
}

/// How the body came.
pub fn wire(step: &Step) -> Result<(), Refusal> {
    if step.body().is_empty() {
        return Ok(());
    }
    let is_patch = matches!(step.operation, Operation::Patch(..));
    match step.wire {
        Wire::Text => Err(Refusal::new(415, "unsupported_media_type")),
        Wire::MergePatch if !is_patch => Err(Refusal::new(415, "unsupported_media_type")),
        Wire::Broken => Err(Refusal::new(400, "invalid_json")),
        Wire::Array => Err(Refusal::field("", "object_expected")),
        Wire::Json | Wire::MergePatch => Ok(()),
    }
}

fn reject(errors: &mut Errors, pointer: &str, code: &'static str) {
    errors.entry(pointer.to_owned()).or_insert(code);
}

/// Absent stays, null and blank clear.
fn patched(body: &Value, name: &str, place: &str, errors: &mut Errors) -> Patched<String> {
    match body.get(name)? {
        Value::Null => Some(None),
        Value::String(text) if text.trim().is_empty() => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => {
            reject(errors, &format!("{place}/{name}"), "text_expected");
            None
        }
    }
}

fn word(body: &Value, name: &str, place: &str, errors: &mut Errors) -> Option<String> {
    patched(body, name, place, errors).flatten()
}

fn known(body: &Value, names: &[&str], place: &str, errors: &mut Errors) {
    for name in body.as_object().unwrap().keys() {
        if !names.contains(&name.as_str()) {
            let read_only = ["id", "agentUserId", "channel", "rewardStatus", "rewardSentAt", "riskFlags", "version"];
            let is_read_only = names.contains(&"rewardType") && read_only.contains(&name.as_str());
            reject(errors, &format!("{place}/{name}"), if is_read_only { "read_only" } else { "unknown_field" });
        }
    }
}

fn required_name(body: &Value, name: &str, place: &str, errors: &mut Errors) -> String {
    let pointer = format!("{place}/{name}");
    let Some(typed) = word(body, name, place, errors) else {
        reject(errors, &pointer, "required");
        return String::new();
    };
    let Some((shown, _)) = name_of(&typed) else {
        reject(errors, &pointer, "forbidden_character");
        return String::new();
    };
    shown.to_owned()
}

fn contact(body: &Value, (email, phone): (&str, &str), place: &str, region: &str, errors: &mut Errors) -> Contact {
    let address = word(body, email, place, errors).and_then(|typed| {
        let address = address_of(&typed).map(|address| address.shown.to_owned());
        address.or_else(|| {
            reject(errors, &format!("{place}/{email}"), "invalid_email");
            None
        })
    });
    let number = word(body, phone, place, errors).and_then(|typed| {
        let number = number_of(&typed, region).map(str::to_owned);
        number.or_else(|| {
            reject(errors, &format!("{place}/{phone}"), "invalid_phone");
            None
        })
    });
    Contact { email: address, phone: number }
}

fn is_id(text: &str) -> bool {
    text.contains('_') && !text.contains([' ', '#'])
}

pub fn entry(body: &Value, region: &str) -> Result<Entry, Refusal> {
    let mut errors = Errors::new();
    let names = [
        "referrerPersonId",
        "referrer",
        "agentUserId",
        "channel",
        "referredName",
        "referredEmail",
        "referredPhone",
        "notes",
    ];
    known(body, &names, "", &mut errors);
    let id = word(body, "referrerPersonId", "", &mut errors);
    let described = body.get("referrer").filter(|object| !object.is_null());
    match (&id, described) {
        (None, None) => reject(&mut errors, "/referrerPersonId", "required"),
        (Some(id), _) if !is_id(id) => reject(&mut errors, "/referrerPersonId", "unknown_id"),
        (Some(_), Some(_)) => reject(&mut errors, "/referrer", "either_id_or_description"),
        _ => {}
    }
    let described = described.map(|object| {
        known(object, &["name", "email", "phone"], "/referrer", &mut errors);
        let name = required_name(object, "name", "/referrer", &mut errors);
        (name, contact(object, ("email", "phone"), "/referrer", region, &mut errors))
    });
    let agent = word(body, "agentUserId", "", &mut errors);
    if agent.as_ref().is_some_and(|agent| !is_id(agent)) {
        reject(&mut errors, "/agentUserId", "unknown_id");
    }
    if word(body, "channel", "", &mut errors).is_some_and(|channel| channel != "MANUAL") {
        reject(&mut errors, "/channel", "unknown_channel");
    }
    let friend = required_name(body, "referredName", "", &mut errors);
    let friend_contact = contact(body, ("referredEmail", "referredPhone"), "", region, &mut errors);
    let notes = word(body, "notes", "", &mut errors).and_then(|typed| text_of(&typed).map(str::to_owned));
    if !errors.is_empty() {
        return Err(Refusal::fields(errors));
    }
    if described.as_ref().is_some_and(|(_, contact)| contact.is_same(&friend_contact)) {
        return Err(Refusal::new(422, "self_referral"));
    }
    let referrer = described.map_or_else(|| Ok(id.unwrap_or_default()), Err);
    Ok(Entry { referrer, agent, friend, contact: friend_contact, notes })
}

pub fn step(name: &'static str, body: Option<&Value>) -> Result<Change, Refusal> {
    let empty = Value::Object(serde_json::Map::new());
    let body = body.unwrap_or(&empty);
    let mut errors = Errors::new();
    let mut change = Change { by: name, ..Change::default() };
    let target = match name {
        "contact" | "reopen" => "CONTACTED",
        "qualify" => "QUALIFIED",
        "lose" => "LOST",
        _ => "CONVERTED",
    };
    change.target = Some(target.to_owned());
    match name {
        "lose" => {
            known(body, &["lostReason"], "", &mut errors);
            change.reason = reason(body, &mut errors);
            if change.reason.is_none() {
                reject(&mut errors, "/lostReason", "required");
            }
        }
        "convert" => {
            known(body, &["resultingDealId"], "", &mut errors);
            change.deal = deal(body, &mut errors).flatten().map(Some);
        }
        _ => known(body, &[], "", &mut errors),
    }
    if errors.is_empty() { Ok(change) } else { Err(Refusal::fields(errors)) }
}

/// Whether the law is acknowledged; a reason where there has to be one.
pub fn reward(action: &str, body: &Value) -> Result<bool, Refusal> {
    let mut errors = Errors::new();
    if action == "mark-sent" {
        known(body, &["complianceAcknowledged"], "", &mut errors);
    } else {
        known(body, &["reason"], "", &mut errors);
        if word(body, "reason", "", &mut errors).is_none() {
            reject(&mut errors, "/reason", "required");
        }
    }
    if errors.is_empty() { Ok(body["complianceAcknowledged"] == true) } else { Err(Refusal::fields(errors)) }
}

fn reason(body: &Value, errors: &mut Errors) -> Option<String> {
    let typed = word(body, "lostReason", "", errors)?;
    if typed.len() > 500 {
        reject(errors, "/lostReason", "too_long");
        return None;
    }
    text_of(&typed).map(str::to_owned)
}

fn deal(body: &Value, errors: &mut Errors) -> Patched<String> {
    let deal = patched(body, "resultingDealId", "", errors);
    if deal.as_ref().is_some_and(|deal| deal.as_ref().is_some_and(|deal| !is_id(deal))) {
        reject(errors, "/resultingDealId", "invalid_id");
    }
    deal
}

const STATUSES: [&str; 5] = ["RECEIVED", "CONTACTED", "QUALIFIED", "CONVERTED", "LOST"];
const REWARDS: [&str; 5] = ["gift_card", "commission_share", "account_credit", "custom", "none"];

pub fn patch(body: &Value, region: &str) -> Result<Change, Refusal> {
    let mut errors = Errors::new();
    let names = [
        "status",
        "lostReason",
        "resultingDealId",
        "referredName",
        "referredContact",
        "referredPersonId",
        "notes",
        "rewardType",
        "rewardValue",
    ];
    known(body, &names, "", &mut errors);
    // These can be changed, but not cleared.
    for name in ["status", "lostReason", "referredName", "rewardType"] {
        if patched(body, name, "", &mut errors) == Some(None) {
            reject(&mut errors, &format!("/{name}"), "required");
        }
    }
    let mut change = Change { by: "patch", ..Change::default() };
    change.target = word(body, "status", "", &mut errors);
    if change.target.as_ref().is_some_and(|status| !STATUSES.contains(&status.as_str())) {
        reject(&mut errors, "/status", "unknown_status");
    }
    change.reason = reason(body, &mut errors);
    change.deal = deal(body, &mut errors);
    if word(body, "referredName", "", &mut errors).is_some() {
        change.name = Some(required_name(body, "referredName", "", &mut errors));
    }
    match body.get("referredContact") {
        None => {}
        Some(Value::Null) => (change.email, change.phone) = (Some(None), Some(None)),
        Some(object @ Value::Object(_)) => {
            known(object, &["email", "phone"], "/referredContact", &mut errors);
            let said = contact(object, ("email", "phone"), "/referredContact", region, &mut errors);
            change.email = object.get("email").map(|_| said.email);
            change.phone = object.get("phone").map(|_| said.phone);
        }
        Some(_) => reject(&mut errors, "/referredContact", "object_expected"),
    }
    change.lead = patched(body, "referredPersonId", "", &mut errors);
    if change.lead.as_ref().is_some_and(|lead| lead.as_ref().is_some_and(|lead| !is_id(lead))) {
        reject(&mut errors, "/referredPersonId", "unknown_id");
    }
    change.notes =
        patched(body, "notes", "", &mut errors).map(|typed| typed.and_then(|typed| text_of(&typed).map(str::to_owned)));
    change.reward_type = word(body, "rewardType", "", &mut errors);
    if change.reward_type.as_ref().is_some_and(|kind| !REWARDS.contains(&kind.as_str())) {
        reject(&mut errors, "/rewardType", "unknown_reward_type");
    }
    change.reward_value = match body.get("rewardValue") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) if value.is_i64() => Some(value.as_i64()),
        Some(_) => {
            reject(&mut errors, "/rewardValue", "whole_number_expected");
            None
        }
    };
    if errors.is_empty() { Ok(change) } else { Err(Refusal::fields(errors)) }
}
