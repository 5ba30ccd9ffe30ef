//! One `TransactWriteItems` whose writes have names, so that a cancellation reason is read by name and not by counting.
//! Conflicts with other transactions are repeated here, because the SDK does not.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use tokio::time::Instant;

use super::{error::store_error, keys};
use crate::ports::StoreError;

pub type Attributes = HashMap<String, AttributeValue>;

const OPERATION: &str = "TransactWriteItems";

/// How long conflicts are repeated, from the first attempt.
pub const CONFLICT_BUDGET: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Writes with names of type `N`.
#[derive(Debug)]
pub struct Transaction<N> {
    names: Vec<N>,
    writes: Vec<TransactWriteItem>,
}

/// How a transaction ended, when the store answered.
#[derive(Debug)]
pub enum Committed<N> {
    Done,
    /// Nothing was written. The conditions that did not hold, with the items that were in the way.
    Refused(Vec<Refusal<N>>),
}

#[derive(Debug)]
pub struct Refusal<N> {
    pub name: N,
    pub existing: Attributes,
}

impl<N> Default for Transaction<N> {
    fn default() -> Self {
        Self { names: Vec::new(), writes: Vec::new() }
    }
}

impl<N: Copy + PartialEq> Transaction<N> {
    fn push(&mut self, name: N, write: TransactWriteItem) {
        self.names.push(name);
        self.writes.push(write);
    }

    /// Writes an item whose key must be free.
    ///
    /// # Errors
    /// Never, for complete requests; the SDK's builders cannot tell.
    pub fn create(&mut self, name: N, table: &str, item: Attributes) -> Result<(), StoreError> {
        self.put(name, table, item, "attribute_not_exists(pk)", [])
    }

    /// Writes an item whatever was there.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn write(&mut self, name: N, table: &str, item: Attributes) -> Result<(), StoreError> {
        let put = Put::builder().table_name(table).set_item(Some(item)).build().map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Writes an item under a condition.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn put<const K: usize>(
        &mut self,
        name: N,
        table: &str,
        item: Attributes,
        condition: &str,
        values: [(&str, AttributeValue); K],
    ) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(some_values(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// # Errors
    /// As [`Self::create`].
    pub fn update<const K: usize>(
        &mut self,
        name: N,
        table: &str,
        keys: &keys::Keys,
        expression: &str,
        condition: &str,
        values: [(&str, AttributeValue); K],
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(primary(keys)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(some_values(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Adds to numbers of an item, which is made where there is none. `constants` are what the item has in any case.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn add(
        &mut self,
        name: N,
        table: &str,
        keys: &keys::Keys,
        constants: impl IntoIterator<Item = (String, AttributeValue)>,
        amounts: impl IntoIterator<Item = (String, AttributeValue)>,
    ) -> Result<(), StoreError> {
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        let mut clause = |attribute: String, value: AttributeValue, between: &str| {
            let place = names.len();
            names.insert(format!("#n{place}"), attribute);
            values.insert(format!(":v{place}"), value);
            format!("#n{place}{between}:v{place}")
        };
        let sets: Vec<String> = constants.into_iter().map(|(name, value)| clause(name, value, " = ")).collect();
        let adds: Vec<String> = amounts.into_iter().map(|(name, value)| clause(name, value, " ")).collect();
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(primary(keys)))
            .update_expression(format!("SET {} ADD {}", sets.join(", "), adds.join(", ")))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Holds only while a condition on another item does.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn check<const A: usize, const K: usize>(
        &mut self,
        name: N,
        table: &str,
        keys: &keys::Keys,
        condition: &str,
        attributes: [(&str, &str); A],
        values: [(&str, AttributeValue); K],
    ) -> Result<(), StoreError> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(primary(keys)))
            .condition_expression(condition)
            .set_expression_attribute_names((A > 0).then(|| {
                attributes.into_iter().map(|(name, attribute)| (name.to_owned(), attribute.to_owned())).collect()
            }))
            .set_expression_attribute_values(some_values(values))
            .build()
            .map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// # Errors
    /// As [`Self::create`].
    pub fn delete(&mut self, name: N, table: &str, key: Attributes) -> Result<(), StoreError> {
        let delete = Delete::builder().table_name(table).set_key(Some(key)).build().map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// Deletes an item under a condition.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn delete_if<const K: usize>(
        &mut self,
        name: N,
        table: &str,
        keys: &keys::Keys,
        condition: &str,
        values: [(&str, AttributeValue); K],
    ) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(primary(keys)))
            .condition_expression(condition)
            .set_expression_attribute_values(some_values(values))
            .build()
            .map_err(|_| incomplete())?;
        self.push(name, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// Commits, repeating conflicts with jitter for at most [`CONFLICT_BUDGET`].
    ///
    /// # Errors
    /// When the store does not answer, refuses for good, or the conflict outlives its budget. Only the first of these
    /// leaves open whether the writes took place.
    pub async fn commit(self, client: &Client) -> Result<Committed<N>, StoreError> {
        let mut patience = Patience::new();
        loop {
            let Err(error) = client.transact_write_items().set_transact_items(Some(self.writes.clone())).send().await
            else {
                return Ok(Committed::Done);
            };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    canceled.cancellation_reasons()
                }
                _ => return Err(store_error(OPERATION, &error)),
            };
            let refusals = self.refusals(reasons);
            if !refusals.is_empty() {
                return Ok(Committed::Refused(refusals));
            }
            let code = reasons.iter().filter_map(CancellationReason::code).find(|code| *code != "None");
            match code {
                Some(code @ ("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")) => {
                    if !patience.wait().await {
                        return Err(StoreError::Unavailable { operation: OPERATION, reason: code.to_owned() });
                    }
                }
                code => {
                    let reason = code.or(error.code()).unwrap_or("canceled without a reason").to_owned();
                    return Err(StoreError::Failed { operation: OPERATION, reason });
                }
            }
        }
    }

    fn refusals(&self, reasons: &[CancellationReason]) -> Vec<Refusal<N>> {
        self.names
            .iter()
            .zip(reasons)
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(name, reason)| Refusal { name: *name, existing: reason.item().cloned().unwrap_or_default() })
            .collect()
    }
}

/// Pauses between attempts that met a conflict: growing, with jitter, and within one budget.
#[derive(Debug)]
pub struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    #[must_use]
    pub fn new() -> Self {
        Self { deadline: Instant::now() + CONFLICT_BUDGET, pause: FIRST_PAUSE }
    }

    /// False, at once, when the budget has no room for another pause.
    pub async fn wait(&mut self) -> bool {
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        if Instant::now() + pause >= self.deadline {
            return false;
        }
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

/// The table key as the SDK wants it.
#[must_use]
pub fn primary(keys: &keys::Keys) -> Attributes {
    keys.primary().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn some_values<const K: usize>(values: [(&str, AttributeValue); K]) -> Option<Attributes> {
    (K > 0).then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn incomplete() -> StoreError {
    StoreError::Failed { operation: OPERATION, reason: "an incomplete request".to_owned() }
}
