//! Small rows that have no type of their own in the domain, and the way between rows and items.
//! Referrals, people, members, organizations and profiles are stored as the domain's types; their keys come from `keys`.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{error::unreadable_row, keys::Keys, transaction::Attributes};
use crate::{
    domain::{
        id::{DealId, ImportId, OrgId, PersonId, ReferralId, UserId},
        import::{RawRow, RowReport},
        time::Timestamp,
    },
    ports::StoreError,
};

/// The person who holds an address or a number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactRow {
    pub person_id: PersonId,
}

/// The member who signs in as a subject of the identity provider.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginRow {
    pub organization_id: OrgId,
    pub user_id: UserId,
}

/// An address or a number that nothing is sent to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuppressionRow {
    pub since: Timestamp,
}

/// Guards one pair of referrer and referred, and counts what it held off.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairGuardRow {
    pub referral_id: ReferralId,
    pub duplicate_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_duplicate_at: Option<Timestamp>,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// What a named request was answered with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RememberedAnswerRow {
    /// Digest of the request's body.
    pub body: String,
    /// None where it showed somebody who was erased since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// From a referral to an answer that shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownAnswerRow {
    /// Of the request.
    pub key: String,
    /// Epoch seconds; the answer's own.
    pub expires_at: i64,
}

/// One event applied by one consumer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboxRow {
    pub applied_at: Timestamp,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// From a person to a referral: one that they sent, or one through which they came.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkRow {
    pub referral_id: ReferralId,
    /// When the referral was created.
    pub created_at: Timestamp,
}

/// From a person to a referral that is theirs no longer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerLinkRow {
    pub referral_id: ReferralId,
    /// When the referral was created.
    pub created_at: Timestamp,
    /// It was corrected to be about somebody else when it was taken from them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shows_another: bool,
}

/// From a person to a deal that names them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DealLinkRow {
    pub deal_id: DealId,
}

/// A reward that waits for the clock.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueHoldRow {
    pub organization_id: OrgId,
    pub referral_id: ReferralId,
    pub until: Timestamp,
}

/// What was imported under an origin.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OriginRow {
    pub referral_id: ReferralId,
    pub import_id: ImportId,
    /// Of the import's file.
    pub line: u32,
}

/// Rows of a file that wait to be imported.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportChunkRow {
    pub rows: Vec<RawRow>,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// What became of the rows of a chunk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReportRow {
    pub reports: Vec<RowReport>,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// An event that waits for the bus.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxRow {
    pub detail_type: String,
    pub occurred_at: Timestamp,
    pub detail: String,
}

/// A row with its keys.
///
/// # Errors
/// When the row cannot be an item, which no row of ours does.
pub fn to_item(row: &impl Serialize, keys: &Keys) -> Result<Attributes, StoreError> {
    let mut item: Attributes = serde_dynamo::to_item(row)
        .map_err(|_| StoreError::Failed { operation: "writing a row", reason: "a row that is no item".to_owned() })?;
    item.extend(keys.all().map(|(name, value)| (name.to_owned(), value)));
    Ok(item)
}

/// # Errors
/// When the item does not have the shape of the row.
pub fn from_item<R: DeserializeOwned>(operation: &'static str, item: Attributes) -> Result<R, StoreError> {
    serde_dynamo::from_item(item).map_err(|_| unreadable_row(operation))
}
