//! Keys of referrals, and of what stands in a referral's partition.

use std::fmt::Write as _;

use super::{
    AGENT_PK, BY_AGENT, BY_LIST, BY_REWARD, BY_STATUS, Keys, LIST_PK, LIST_SK, Listing, REWARD_PK, REWARD_SK,
    STATUS_SK, listing::place, org,
};
use crate::domain::{
    audit::AuditEntry,
    duplicate::PairKey,
    id::{ReferralId, UserId},
    message::MessageId,
    referral::{Referral, ReferralStatus},
    reward_lane::RewardLane,
    scope::OrgScope,
};

/// Sort key of a referral's row.
pub const REFERRAL: &str = "REFERRAL";
/// Prefix of the entries of a referral's history.
pub const AUDIT: &str = "AUDIT#";
/// Prefix of the messages about a referral.
pub const MESSAGE: &str = "MESSAGE#";

#[must_use]
pub fn referral_partition(scope: &OrgScope, id: &ReferralId) -> String {
    format!("{}#REFERRAL#{id}", org(scope))
}

/// Table key only.
#[must_use]
pub fn referral(scope: &OrgScope, id: &ReferralId) -> Keys {
    Keys::new(referral_partition(scope, id), REFERRAL)
}

#[must_use]
pub fn referral_row(scope: &OrgScope, row: &Referral) -> Keys {
    let in_lists = place(row.created_at, row.id.as_str());
    let keys = referral(scope, &row.id)
        .and(LIST_PK, referrals(scope).partition)
        .and(STATUS_SK, format!("{}{in_lists}", referrals_in(scope, row.status).prefix))
        .and(AGENT_PK, referrals_of(scope, &row.agent_user_id).partition)
        .and(LIST_SK, in_lists);
    match RewardLane::of(row) {
        Some((lane, since)) => {
            keys.and(REWARD_PK, rewards_in(scope, lane).partition).and(REWARD_SK, place(since, row.id.as_str()))
        }
        None => keys,
    }
}

/// The organization's referrals in one lane of the rewards' queue.
#[must_use]
pub fn rewards_in(scope: &OrgScope, lane: RewardLane) -> Listing {
    let partition = format!("{}#REWARDS#{}", org(scope), lane.status().as_str());
    Listing { index: BY_REWARD, partition, prefix: String::new() }
}

/// All referrals of the organization.
#[must_use]
pub fn referrals(scope: &OrgScope) -> Listing {
    Listing { index: BY_LIST, partition: format!("{}#REFERRALS", org(scope)), prefix: String::new() }
}

/// The organization's referrals of one status.
#[must_use]
pub fn referrals_in(scope: &OrgScope, status: ReferralStatus) -> Listing {
    Listing { index: BY_STATUS, prefix: format!("{}#", status.as_str()), ..referrals(scope) }
}

/// The referrals to one agent.
#[must_use]
pub fn referrals_of(scope: &OrgScope, agent: &UserId) -> Listing {
    Listing { index: BY_AGENT, partition: format!("{}#AGENT#{agent}", org(scope)), prefix: String::new() }
}

/// One change of a referral. A request makes at most one entry of a kind per referral.
#[must_use]
pub fn audit(scope: &OrgScope, referral: &ReferralId, entry: &AuditEntry) -> Keys {
    let mut sort = format!("{AUDIT}{}#{}#{}", entry.at, entry.request_id, entry.action.as_str());
    if let Some(message) = &entry.message {
        // One event may be told on two channels in one millisecond.
        let _ = write!(sort, "#{}#{}", message.kind.as_str(), message.channel.as_str());
    }
    Keys::new(referral_partition(scope, referral), sort)
}

/// A message about a referral.
#[must_use]
pub fn message(scope: &OrgScope, id: &MessageId) -> Keys {
    let mut sort = format!("{MESSAGE}{}#{}", id.kind.as_str(), id.channel.as_str());
    if let Some(event) = &id.event {
        let _ = write!(sort, "#{event}");
    }
    Keys::new(referral_partition(scope, &id.referral), sort)
}

#[must_use]
pub fn pair_guard(scope: &OrgScope, pair: &PairKey) -> Keys {
    Keys::new(format!("{}#PAIR#{}", org(scope), pair.as_str()), "PAIR")
}
