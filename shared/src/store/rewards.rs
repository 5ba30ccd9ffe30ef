//! Reward policies, the queue of rewards, and those that wait for the clock.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use serde::Deserialize;

use super::{
    Ledger,
    error::store_error,
    keys,
    query::{Order, Placed, Wanted},
    referrals::row_at,
    rows::{DueHoldRow, to_item},
    transaction::Transaction,
};
use crate::{
    domain::{
        id::UserId,
        referral::{Referral, RewardStatus},
        reward::RewardPolicy,
        reward_lane::RewardLane,
        scope::OrgScope,
    },
    ports::{Page, PolicyBook, Position, RewardQueue, StoreError},
};

/// A referral as it stands in the queue of rewards.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Queued(Referral);

impl Placed for Queued {
    fn position(&self) -> Position {
        // Whatever is in the index has a place there.
        let since = RewardLane::of(&self.0).map_or(self.0.updated_at, |(_, since)| since);
        Position { created_at: since, id: self.0.id.as_str().to_owned() }
    }
}

impl RewardQueue for Ledger {
    async fn list_rewards(
        &self,
        scope: &OrgScope,
        lane: RewardLane,
        agent: Option<&UserId>,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        let operation = "listing rewards";
        let listing = keys::rewards_in(scope, lane);
        let admits = |row: &Queued| agent.is_none_or(|agent| *agent == row.0.agent_user_id);
        let wanted = Wanted {
            listing: &listing,
            order: Order::OldestFirst,
            from: None,
            to: None,
            admits: agent.is_some().then_some(&admits),
            after: after.map(|position| row_at(scope, position).map(|row| (row, position))).transpose()?,
            limit,
        };
        let page = self.page(operation, wanted).await?;
        Ok(Page { items: page.items.into_iter().map(|queued| queued.0).collect(), next: page.next })
    }
}

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
