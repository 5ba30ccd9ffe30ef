//! `IMPORT_CHUNK_READY`, version 1: a part of an uploaded file waits to be imported. import-worker goes through it. The rows
//! themselves stay in the ledger.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::ImportId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportChunkReadyV1 {
    pub import_id: ImportId,
    /// Which part; the first is 1.
    pub chunk: u32,
}

impl EventData for ImportChunkReadyV1 {
    const DETAIL_TYPE: &'static str = "IMPORT_CHUNK_READY";
    const VERSION: u32 = 1;
}
