//! `PERSON_ERASED`, version 1: what was known of a person is being taken out. Whoever has copied it does the same.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::PersonId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonErasedV1 {
    pub person_id: PersonId,
}

impl EventData for PersonErasedV1 {
    const DETAIL_TYPE: &'static str = "PERSON_ERASED";
    const VERSION: u32 = 1;
}
