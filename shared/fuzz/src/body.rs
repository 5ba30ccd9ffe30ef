//! A JSON body, read field by field.
//!
//! What is no JSON object is refused as a whole. Every field that is wrong is told once, in the order of the pointers, and so
//! is every field that nobody knows; what is taken is trimmed, and has the type that was asked for.

use std::collections::BTreeSet;

use referrals::{
    domain::{change::Patch, email::Email, phone::Region},
    http::{Code, Fields, MAX_BODY_BYTES},
};
use serde_json::{Map, Value};

const KNOWN: [&str; 12] = [
    "referrerName",
    "referrerEmail",
    "referrerPhone",
    "notes",
    "reason",
    "consentTextId",
    "referrerEmailConsent",
    "rewardValue",
    "published",
    "agentUserId",
    "referrer",
    "id",
];

pub fn check(data: &[u8]) {
    let object = match serde_json::from_slice(data) {
        _ if data.len() > MAX_BODY_BYTES => Err(Code::BodyTooLarge),
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Code::InvalidFields),
        Err(_) => Err(Code::InvalidJson),
    };
    match (Fields::parse(data), object) {
        (Ok(fields), Ok(object)) => read(fields, &object),
        (fields, object) => assert_eq!(fields.err().map(|problem| problem.code), object.err()),
    }
}

fn read(mut fields: Fields, object: &Map<String, Value>) {
    let own = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = fields.text("referrerName");
    assert_eq!(name.as_deref().unwrap_or_default(), own("referrerName").trim());
    let parsed = fields.name("referrerName", name.as_deref());
    assert_eq!(parsed.is_none(), name.is_none() || fields.is_rejected("referrerName"));

    let (email, phone) = (fields.text("referrerEmail"), fields.text("referrerPhone"));
    let (email, phone) = (("referrerEmail", email.as_deref()), ("referrerPhone", phone.as_deref()));
    let contact = fields.contact(email, phone, &Region::default());
    assert_eq!(contact.email, email.1.and_then(|text| Email::parse(text).ok()));

    if let Patch::Set(text) = fields.patched_text("notes") {
        assert!(!text.is_empty() && text.trim() == text);
        let _ = fields.notes("notes", Some(&text));
    }
    let reason = fields.required_text("reason");
    assert!(
        reason != Patch::Clear
            && (!object.contains_key("reason") || reason != Patch::Keep || fields.is_rejected("reason"))
    );
    assert_eq!(fields.code("consentTextId").unwrap_or_default(), own("consentTextId"));
    let is_ticked = object.get("referrerEmailConsent") == Some(&Value::Bool(true));
    assert_eq!(fields.flag("referrerEmailConsent"), is_ticked);
    if let Patch::Set(number) = fields.patched_number("rewardValue") {
        assert_eq!(object.get("rewardValue").and_then(Value::as_i64), Some(number));
    }
    assert_eq!(fields.patched_flag("published"), object.get("published").and_then(Value::as_bool));
    assert_ne!(fields.required_code("agentUserId"), Patch::Clear);
    if let Patch::Set(mut referrer) = fields.object("referrer") {
        let _ = (referrer.text("name"), referrer.text("email"), referrer.text("phone"));
        fields.close(referrer);
    }
    fields.refuse_read_only(&["id"]);
    fields.refuse_unknown();

    let problem = fields.finish().err();
    assert!(problem.as_ref().is_none_or(|problem| problem.code == Code::InvalidFields && !problem.errors.is_empty()));
    let errors = problem.map(|problem| problem.errors).unwrap_or_default();
    assert!(errors.is_sorted_by(|one, other| one.pointer < other.pointer));
    let told: BTreeSet<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    for name in object.keys().filter(|name| !KNOWN.contains(&name.as_str()) || *name == "id") {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        assert!(told.contains(pointer.as_str()));
    }
    assert!(told.iter().all(|pointer| pointer.starts_with('/')));
}
