//! What no local engine does: DynamoDB cancels a transaction that meets another one at an item, and refuses a single write
//! that meets a transaction. A call is at its items while the engine does it, and for a while after that. Single writes do
//! not wait for each other here: DynamoDB takes a thousand a second at one item.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use hyper::{StatusCode, body::Bytes};
use serde_json::{Value, json};

use crate::http::{self, Reply};

/// Table and key.
type Item = (String, String);

#[derive(Debug, Default)]
struct State {
    /// By how many calls each item is being written.
    by_transactions: HashMap<Item, usize>,
    by_writes: HashMap<Item, usize>,
    conflicts: u64,
}

/// The items that are being written, and how often calls have met at one.
#[derive(Debug)]
pub struct Contention {
    /// How long a call stays at its items after the engine has done it.
    pub holds: Duration,
    state: Mutex<State>,
}

/// Gives the items free when it is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    contention: &'a Contention,
    items: Vec<Item>,
    is_transaction: bool,
}

impl Contention {
    #[must_use]
    pub fn new(holds: Duration) -> Self {
        Self { holds, state: Mutex::default() }
    }

    /// Calls that were refused because of another one, so far.
    #[must_use]
    pub fn conflicts(&self) -> u64 {
        self.state().conflicts
    }

    /// # Errors
    /// With DynamoDB's answer, when another call is at one of its items.
    pub(crate) fn hold(&self, operation: &str, request: &Bytes) -> Result<Option<Held<'_>>, Box<Reply>> {
        let is_transaction = operation == "TransactWriteItems";
        if !is_transaction && !["PutItem", "UpdateItem", "DeleteItem"].contains(&operation) {
            return Ok(None);
        }
        let body: Value = serde_json::from_slice(request).expect("a request to DynamoDB is JSON");
        let items: Vec<Item> = if is_transaction {
            let writes = body["TransactItems"].as_array().expect("a transaction has items");
            writes
                .iter()
                .map(|write| item(write.as_object().and_then(|it| it.values().next()).expect("a write")))
                .collect()
        } else {
            vec![item(&body)]
        };
        let mut state = self.state();
        let meets = |item: &Item| {
            state.by_transactions.contains_key(item) || (is_transaction && state.by_writes.contains_key(item))
        };
        let met: Vec<bool> = items.iter().map(meets).collect();
        if met.contains(&true) {
            state.conflicts += 1;
            return Err(Box::new(if is_transaction { canceled(&met) } else { refused() }));
        }
        for item in &items {
            *state.of(is_transaction).entry(item.clone()).or_default() += 1;
        }
        Ok(Some(Held { contention: self, items, is_transaction }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn of(&mut self, is_transaction: bool) -> &mut HashMap<Item, usize> {
        if is_transaction { &mut self.by_transactions } else { &mut self.by_writes }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.contention.state();
        let held = state.of(self.is_transaction);
        for item in &self.items {
            let left = held.get_mut(item).map_or(0, |calls| {
                *calls -= 1;
                *calls
            });
            if left == 0 {
                held.remove(item);
            }
        }
    }
}

fn item(write: &Value) -> Item {
    let key = write.get("Key").or(write.get("Item")).expect("a key or an item");
    let part = |name: &str| key[name]["S"].as_str().unwrap_or_default();
    (write["TableName"].as_str().unwrap_or_default().to_owned(), format!("{} {}", part("pk"), part("sk")))
}

fn canceled(met: &[bool]) -> Reply {
    let reason = |met: &bool| json!({"Code": if *met { "TransactionConflict" } else { "None" }});
    error("TransactionCanceledException", json!(met.iter().map(reason).collect::<Vec<_>>()))
}

fn refused() -> Reply {
    error("TransactionConflictException", Value::Null)
}

fn error(code: &str, reasons: Value) -> Reply {
    let name = format!("com.amazonaws.dynamodb.v20120810#{code}");
    let mut body = json!({"__type": name, "message": "another call is at one of the items"});
    if !reasons.is_null() {
        body["CancellationReasons"] = reasons;
    }
    http::json(StatusCode::BAD_REQUEST, &body)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn write(key: &str) -> Value {
        json!({"TableName": "t", "Key": {"pk": {"S": key}, "sk": {"S": "R"}}})
    }

    fn transaction(keys: &[&str]) -> Bytes {
        let items: Vec<Value> = keys.iter().map(|key| json!({"Update": write(key)})).collect();
        json!({"TransactItems": items}).to_string().into()
    }

    fn update(key: &str) -> Bytes {
        write(key).to_string().into()
    }

    async fn codes(reply: Reply) -> Vec<String> {
        let body: Value = serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let reasons = body["CancellationReasons"].as_array().cloned().unwrap_or_default();
        reasons.iter().map(|reason| reason["Code"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_transaction_is_canceled_where_it_meets_another_and_not_after_it() {
        let contention = Contention::new(Duration::ZERO);
        let first = contention.hold("TransactWriteItems", &transaction(&["a", "b"])).unwrap();
        let met = contention.hold("TransactWriteItems", &transaction(&["c", "b"])).unwrap_err();
        assert_eq!(codes(*met).await, ["None", "TransactionConflict"]);
        assert!(contention.hold("UpdateItem", &update("a")).is_err(), "a single write meets a transaction");
        assert!(contention.hold("GetItem", &update("a")).unwrap().is_none(), "a read meets nobody");
        assert!(
            contention.hold("TransactWriteItems", &transaction(&["c"])).is_ok(),
            "nothing is left of what was canceled"
        );
        drop(first);
        assert!(contention.hold("TransactWriteItems", &transaction(&["c", "b"])).is_ok());
        assert_eq!(contention.conflicts(), 2);
    }

    #[tokio::test]
    async fn single_writes_do_not_meet_each_other_but_a_transaction_meets_the_last_of_them() {
        let contention = Contention::new(Duration::ZERO);
        let first = contention.hold("UpdateItem", &update("a")).unwrap();
        let second = contention.hold("UpdateItem", &update("a")).unwrap();
        drop(first);
        assert!(contention.hold("TransactWriteItems", &transaction(&["a"])).is_err(), "the second is still at it");
        drop(second);
        assert!(contention.hold("TransactWriteItems", &transaction(&["a"])).is_ok());
        assert_eq!(contention.conflicts(), 1);
    }
}
