//! Reward policies, the queue of rewards, and those that wait for the clock.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use serde::Deserialize;

use super::{
    Ledger,
    error::store_error,
    keys,
    query::{Order, Placed, Wanted},
    referrals::row_at,
    rows::{DueHoldRow, from_item, to_item},
    transaction::{Committed, Transaction, primary},
};
use crate::{
    domain::{
        id::UserId,
        referral::{Referral, RewardStatus},
        reward::RewardPolicy,
        reward_lane::RewardLane,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{
        DueHold, DueHolds, HoldBook, HoldRelease, HoldReleaseOutcome, Page, PolicyBook, Position, RewardQueue,
        StoreError,
    },
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
        let item = to_item(policy, &keys::reward_policy(scope))?;
        let write = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let write = match policy.version.saturating_sub(1) {
            0 => write.condition_expression("attribute_not_exists(pk)"),
            read => write
                .condition_expression("version = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        };
        match write.send().await {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The referral has to be in the version that was read.
    Referral,
    Effect,
}

impl HoldBook for Ledger {
    async fn due_holds(&self, now: Timestamp, after: Option<&str>, limit: u32) -> Result<DueHolds, StoreError> {
        let operation = "reading due rewards";
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(|sort_key| primary(&keys::due_hold_after(sort_key))))
            .key_condition_expression("pk = :pk AND sk < :bound")
            .expression_attribute_values(":pk", AttributeValue::S(keys::DUE_HOLDS.to_owned()))
            .expression_attribute_values(":bound", AttributeValue::S(keys::due_until(now)))
            .send()
            .await
            .map_err(|error| store_error(operation, &error))?;
        let (mut holds, mut unreadable) = (Vec::new(), 0);
        for item in output.items.unwrap_or_default() {
            // One row that cannot be read keeps no other waiting.
            match from_item::<DueHoldRow>(operation, item) {
                Ok(row) => holds.push(DueHold {
                    scope: OrgScope::from_due_row(row.organization_id),
                    referral: row.referral_id,
                    until: row.until,
                }),
                Err(error) => {
                    tracing::error!(error.message = %error, "a due reward cannot be read");
                    unreadable += 1;
                }
            }
        }
        let next = output.last_evaluated_key.and_then(|mut key| key.remove(keys::SK));
        Ok(DueHolds { holds, unreadable, next: next.and_then(|sort_key| sort_key.as_s().ok().cloned()) })
    }

    async fn release_hold(&self, release: &HoldRelease) -> Result<HoldReleaseOutcome, StoreError> {
        let HoldRelease { hold, read, referral, audit, events } = release;
        let (scope, mut transaction) = (&hold.scope, Transaction::default());
        let row = keys::referral(scope, &hold.referral);
        match (referral, read) {
            (Some(referral), _) => {
                self.replace_referrals(&mut transaction, Part::Referral, scope, [&**referral])?;
            }
            // A reward that is held once more until the same time has its note written by whoever holds it.
            (None, Some(version)) => {
                let read = [(":read", AttributeValue::N(version.to_string()))];
                transaction.check(Part::Referral, &self.table, &row, "version = :read", [], read)?;
            }
            (None, None) => {
                transaction.check(Part::Referral, &self.table, &row, "attribute_not_exists(pk)", [], [])?;
            }
        }
        let due = keys::due_hold(hold.until, scope, &hold.referral);
        transaction.delete(Part::Effect, &self.table, primary(&due))?;
        for entry in audit {
            let keys = keys::audit(scope, &hold.referral, entry);
            transaction.create(Part::Effect, &self.table, to_item(entry, &keys)?)?;
        }
        for event in events {
            transaction.create(Part::Effect, &self.outbox_table, super::outbox::item(event)?)?;
        }
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => HoldReleaseOutcome::Done,
            Committed::Refused(_) => HoldReleaseOutcome::Stale,
        })
    }
}
