//! Reward policies, and rewards that wait for the clock.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};

use super::{
    Ledger,
    error::store_error,
    keys,
    rows::{DueHoldRow, to_item},
    transaction::Transaction,
};
use crate::{
    domain::{
        referral::{Referral, RewardStatus},
        reward::RewardPolicy,
        scope::OrgScope,
    },
    ports::{PolicyBook, StoreError},
};

impl PolicyBook for Ledger {
    async fn find_policy(&self, scope: &OrgScope) -> Result<RewardPolicy, StoreError> {
        let found = self.get("reading a reward policy", &keys::reward_policy(scope)).await?;
        Ok(found.unwrap_or_else(|| RewardPolicy::default_of(scope.organization().clone())))
    }

    async fn save_policy(&self, scope: &OrgScope, policy: &RewardPolicy) -> Result<bool, StoreError> {
        let operation = "writing a reward policy";
        let read = policy.version.saturating_sub(1);
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(policy, &keys::reward_policy(scope))?))
            .condition_expression("version = :read OR (:read = :never AND attribute_not_exists(pk))")
            .expression_attribute_values(":read", AttributeValue::N(read.to_string()))
            .expression_attribute_values(":never", AttributeValue::N("0".to_owned()))
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(store_error(operation, &error)),
            },
        }
    }
}

impl Ledger {
    /// Puts a held reward among those whose time comes, until it has come.
    pub(super) fn wait_for_the_clock<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        referral: &Referral,
    ) -> Result<(), StoreError> {
        let until = referral.reward.as_ref().and_then(|reward| reward.hold_until);
        let Some(until) = until.filter(|_| referral.reward_status == RewardStatus::Held) else { return Ok(()) };
        let row = DueHoldRow { organization_id: scope.organization().clone(), referral_id: referral.id.clone(), until };
        transaction.write(name, &self.table, to_item(&row, &keys::due_hold(until, scope, &referral.id))?)
    }
}
