//! What every event carries: `detail = {metadata, data}`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::EventData;
use crate::domain::{
    id::{EventId, OrgId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Made once, with the outbox item; every republication carries the same.
    pub id: EventId,
    /// Version of `data`.
    pub version: u32,
    pub occurred_at: Timestamp,
    pub organization_id: OrgId,
    /// Id of the aggregate that the event is about.
    pub subject: String,
    /// Version of the aggregate after the change.
    pub aggregate_version: u64,
    /// The event that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// W3C trace context, when the request carried one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The `detail` of an event on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail<D> {
    pub metadata: Metadata,
    pub data: D,
}

/// A message is not an event that we can read. Carries no part of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnreadableEvent {
    #[error("the message is not a JSON event of the expected shape")]
    Malformed,
    #[error("version {0} of the event is not known here")]
    UnknownVersion(u32),
}

impl<D: EventData> Detail<D> {
    /// Reads a detail of type `D`. The version is looked at first: data of another version is never misread.
    ///
    /// # Errors
    /// When the JSON is not of this shape or of another version.
    pub fn parse(json: &str) -> Result<Self, UnreadableEvent> {
        #[derive(Deserialize)]
        struct Versioned {
            metadata: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let versioned: Versioned = serde_json::from_str(json).map_err(|_| UnreadableEvent::Malformed)?;
        if versioned.metadata.version != D::VERSION {
            return Err(UnreadableEvent::UnknownVersion(versioned.metadata.version));
        }
        serde_json::from_str(json).map_err(|_| UnreadableEvent::Malformed)
    }
}

/// An event on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub id: EventId,
    pub detail_type: &'static str,
    pub occurred_at: Timestamp,
    /// `{"metadata":{…},"data":{…}}`.
    pub detail: String,
}

impl NewEvent {
    /// # Errors
    /// Never for the types of this module; JSON of plain structs cannot fail.
    pub fn new<D: EventData>(metadata: Metadata, data: D) -> Result<Self, serde_json::Error> {
        let (id, occurred_at) = (metadata.id.clone(), metadata.occurred_at);
        let detail = serde_json::to_string(&Detail { metadata, data })?;
        Ok(Self { id, detail_type: D::DETAIL_TYPE, occurred_at, detail })
    }
}
