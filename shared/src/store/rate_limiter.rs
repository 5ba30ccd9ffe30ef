//! Counters of fixed windows. One item holds one long window of one client, with a counter for each minute in it, so
//! that both limits are one conditional update: exactly the limit is admitted, however many come at once.
//!
//! A window's start is part of the key, so a window that is over counts as empty whether or not TTL has removed it.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::{error::store_error, keys, transaction::primary};
use crate::{
    domain::{rate_limit::Limits, time::Timestamp},
    ports::{Admission, Counted, RateLimiter, StoreError},
};

/// Items outlive their window a little, so that clocks may differ.
const GRACE_SECONDS: i64 = 300;
const TOTAL: &str = "total";

#[derive(Debug, Clone)]
pub struct RateLimitTable {
    client: Client,
    table: String,
}

impl RateLimitTable {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl RateLimiter for RateLimitTable {
    async fn admit(&self, counted: Counted<'_>, limits: Limits, at: Timestamp) -> Result<Admission, StoreError> {
        let place = limits.place(at);
        let number = |value: i64| AttributeValue::N(value.to_string());
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary(&keys::rate_limit(counted, place.window_start))))
            .update_expression("SET expiresAt = :expires ADD #total :one, #minute :one")
            .condition_expression(
                "(attribute_not_exists(#total) OR #total < :window) \
                 AND (attribute_not_exists(#minute) OR #minute < :minute)",
            )
            .expression_attribute_names("#total", TOTAL)
            .expression_attribute_names("#minute", format!("m{}", place.minute))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":window", number(i64::from(limits.per_window)))
            .expression_attribute_values(":minute", number(i64::from(limits.per_minute)))
            .expression_attribute_values(":expires", number(limits.window_end(place) + GRACE_SECONDS))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = result else { return Ok(Admission::Admitted) };
        if let SdkError::ServiceError(service) = &error
            && let UpdateItemError::ConditionalCheckFailedException(refused) = service.err()
        {
            let total = refused.item().and_then(|item| item.get(TOTAL)).and_then(|total| total.as_n().ok());
            let total = total.and_then(|total| total.parse().ok()).unwrap_or(0);
            return Ok(Admission::Refused { retry_after_seconds: limits.retry_after_seconds(place, total) });
        }
        Err(store_error("counting a request", &error))
    }
}
