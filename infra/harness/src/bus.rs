//! An event bus that keeps what it is given and answers entry by entry, as EventBridge does.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use serde_json::{Value, json};

/// One accepted entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEntry {
    /// The bus's own id: another one each time the same event is put.
    pub id: String,
    pub bus: String,
    pub source: String,
    pub detail_type: String,
    pub detail: String,
}

impl BusEntry {
    /// The event as a rule hands it to a queue.
    #[must_use]
    pub fn envelope(&self) -> String {
        // The detail as it is: it may be anything that the publisher sent.
        format!(
            "{{\"version\":\"0\",\"id\":{},\"detail-type\":{},\"source\":{},\"account\":\"123456789012\",\
             \"time\":\"2026-11-22T07:00:00Z\",\"region\":\"us-east-1\",\"resources\":[],\"detail\":{}}}",
            json!(self.id),
            json!(self.detail_type),
            json!(self.source),
            self.detail
        )
    }

    /// A text of the detail's metadata; empty when it is not there.
    #[must_use]
    pub fn metadata(&self, name: &str) -> String {
        self.detail()["metadata"][name].as_str().unwrap_or_default().to_owned()
    }

    /// The version of what it is about, once that had happened.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.detail()["metadata"]["aggregateVersion"].as_u64().unwrap_or_default()
    }

    fn detail(&self) -> Value {
        serde_json::from_str(&self.detail).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub struct Bus {
    entries: Mutex<Vec<BusEntry>>,
    /// For each of the next entries, the code it fails with.
    script: Mutex<VecDeque<Option<String>>>,
}

impl Bus {
    /// Every entry accepted so far, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<BusEntry> {
        self.entries_from(0)
    }

    /// Those behind so many.
    #[must_use]
    pub fn entries_from(&self, place: usize) -> Vec<BusEntry> {
        self.locked()[place..].to_vec()
    }

    /// The next entries fail with these codes, or are accepted where there is none; those behind them are accepted.
    pub fn script<'a>(&self, codes: impl IntoIterator<Item = Option<&'a str>>) {
        self.script.lock().unwrap().extend(codes.into_iter().map(|code| code.map(str::to_owned)));
    }

    /// Answers a `PutEvents`.
    pub fn put(&self, request: &Value) -> Value {
        let mut failed = 0;
        let mut answers = Vec::new();
        for entry in request["Entries"].as_array().into_iter().flatten() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            if let Some(code) = self.script.lock().unwrap().pop_front().flatten() {
                failed += 1;
                answers.push(json!({"ErrorCode": code, "ErrorMessage": "scripted"}));
                continue;
            }
            let id = ulid::Ulid::generate().to_string();
            answers.push(json!({"EventId": id}));
            self.locked().push(BusEntry {
                id,
                bus: text("EventBusName"),
                source: text("Source"),
                detail_type: text("DetailType"),
                detail: text("Detail"),
            });
        }
        json!({"FailedEntryCount": failed, "Entries": answers})
    }

    fn locked(&self) -> MutexGuard<'_, Vec<BusEntry>> {
        self.entries.lock().unwrap()
    }
}
