//! Rows of the ledger and of the outbox, as JSON objects with the names of their attributes.
//!
//! A row that can be read is written without loss: read, written and read again it is the same. Of the outbox only what is a
//! JSON object goes to the bus.

use referrals::{
    domain::{
        audit::AuditEntry,
        consent::ConsentEntry,
        deal::Deal,
        id::OrgId,
        import::Import,
        message::Message,
        organization::{Member, Organization},
        person::Person,
        profile::{AgentProfile, SlugRecord},
        referral::Referral,
        reward_policy::RewardPolicy,
        scope::OrgScope,
    },
    ports::{OutboxKey, OutboxRecord},
    store::{keys, outbox_record, rows},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub fn check(data: &[u8]) {
    let Ok(value) = serde_json::from_slice(data) else { return };
    row::<Referral>(&value);
    row::<Person>(&value);
    row::<Organization>(&value);
    row::<Member>(&value);
    row::<AgentProfile>(&value);
    row::<SlugRecord>(&value);
    row::<Deal>(&value);
    row::<Message>(&value);
    row::<AuditEntry>(&value);
    row::<ConsentEntry>(&value);
    row::<RewardPolicy>(&value);
    row::<Import>(&value);
    row::<rows::ContactRow>(&value);
    row::<rows::PairGuardRow>(&value);
    row::<rows::RememberedAnswerRow>(&value);
    row::<rows::LinkRow>(&value);
    row::<rows::FormerLinkRow>(&value);
    row::<rows::DueHoldRow>(&value);
    row::<rows::OriginRow>(&value);
    row::<rows::ImportChunkRow>(&value);
    row::<rows::ImportReportRow>(&value);
    outbox(&value);
}

fn stored<R: DeserializeOwned>(row: &impl Serialize) -> Option<R> {
    let scope = OrgScope::from_operator(OrgId::parse("org_1").ok()?);
    let item = rows::to_item(row, &keys::organization(&scope)).ok()?;
    rows::from_item("a row", item).ok()
}

fn row<R: Serialize + DeserializeOwned>(value: &Value) {
    let Some(row) = stored::<R>(value) else { return };
    let again = stored::<R>(&row);
    assert_eq!(again.and_then(|again| serde_json::to_value(again).ok()), serde_json::to_value(&row).ok());
}

fn outbox(value: &Value) {
    let key = OutboxKey { pk: String::new(), sk: String::new() };
    let row = stored::<rows::OutboxRow>(value);
    let detail = row.as_ref().map(|row| row.detail.clone()).unwrap_or_default();
    match outbox_record(key, row) {
        OutboxRecord::Entry(entry) => {
            assert!(entry.detail == detail && detail.trim_ascii().starts_with('{'));
        }
        OutboxRecord::Unreadable(_) => {
            assert!(serde_json::from_str::<serde_json::Map<String, Value>>(&detail).is_err());
        }
    }
}
