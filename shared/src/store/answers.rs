//! Answers to requests that clients have named.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};

use super::{
    Ledger,
    error::store_error,
    keys,
    rows::{RememberedAnswerRow, from_item, to_item},
    transaction::{Attributes, Patience, Transaction},
};
use crate::{
    domain::{idempotency::IdempotentRequest, scope::OrgScope, time::Timestamp},
    ports::{AnswerBook, RememberedAnswer, StoreError, UsedKey},
};

/// Holds for a key that is free, or whose time is over: TTL may be two days late.
const IS_FREE: &str = "attribute_not_exists(pk) OR expiresAt <= :now";

fn item(scope: &OrgScope, answer: &RememberedAnswer) -> Result<Attributes, StoreError> {
    let row = RememberedAnswerRow {
        body: answer.request.body.clone(),
        answer: answer.answer.clone(),
        expires_at: answer.expires_at.epoch_seconds(),
    };
    to_item(&row, &keys::remembered_answer(scope, &answer.request))
}

fn now(at: Timestamp) -> (&'static str, AttributeValue) {
    (":now", AttributeValue::N(at.epoch_seconds().to_string()))
}

/// Reads the answer that was in the way.
pub(super) fn used_key(operation: &'static str, existing: Attributes) -> Result<UsedKey, StoreError> {
    let row: RememberedAnswerRow = from_item(operation, existing)?;
    Ok(UsedKey { body: row.body, answer: row.answer })
}

impl Ledger {
    /// Adds the answer to a transaction as `name`, unless the key has been used within its time.
    pub(super) fn remember<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        answer: &RememberedAnswer,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        transaction.put(name, &self.table, item(scope, answer)?, IS_FREE, [now(at)])
    }
}

impl AnswerBook for Ledger {
    async fn find_answer(
        &self,
        scope: &OrgScope,
        request: &IdempotentRequest,
        at: Timestamp,
    ) -> Result<Option<UsedKey>, StoreError> {
        let keys = keys::remembered_answer(scope, request);
        let row: Option<RememberedAnswerRow> = self.get("reading an answer", &keys).await?;
        let row = row.filter(|row| row.expires_at > at.epoch_seconds());
        Ok(row.map(|row| UsedKey { body: row.body, answer: row.answer }))
    }

    async fn remember_answer(
        &self,
        scope: &OrgScope,
        answer: &RememberedAnswer,
        at: Timestamp,
    ) -> Result<Option<UsedKey>, StoreError> {
        let operation = "remembering an answer";
        let mut patience = Patience::new();
        loop {
            let (name, value) = now(at);
            let result = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item(scope, answer)?))
                .condition_expression(IS_FREE)
                .expression_attribute_values(name, value)
                .send()
                .await;
            let Err(error) = result else { return Ok(None) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    return self.find_answer(scope, &answer.request, at).await;
                }
                // The same request is being answered in a transaction.
                Some(PutItemError::TransactionConflictException(_)) if patience.wait().await => {}
                _ => return Err(store_error(operation, &error)),
            }
        }
    }
}
