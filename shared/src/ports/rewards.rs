//! Deals and what is owed for them: reading and writing.

use std::future::Future;

use super::{Page, Position, Revised, StoreError};
use crate::{
    domain::{
        audit::AuditEntry,
        deal::Deal,
        id::{DealId, PersonId, ReferralId, UserId},
        referral::Referral,
        reward::RewardPolicy,
        reward_lane::RewardLane,
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// The organizations' reward policies.
pub trait PolicyBook: Send + Sync {
    /// The default where none was set.
    fn find_policy(&self, scope: &OrgScope) -> impl Future<Output = Result<RewardPolicy, StoreError>> + Send;

    /// Replaces the policy whose version is one less. False when another version is there.
    fn save_policy(
        &self,
        scope: &OrgScope,
        policy: &RewardPolicy,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The rewards that wait for somebody.
pub trait RewardQueue: Send + Sync {
    /// At most `limit` referrals in the lane, oldest first, after `after`; those of one agent where one is given. There
    /// may be fewer, and still a place to go on from: the work for one page is bounded.
    fn list_rewards(
        &self,
        scope: &OrgScope,
        lane: RewardLane,
        agent: Option<&UserId>,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Referral>, StoreError>> + Send;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsOutcome {
    Recorded,
    /// The deal moved since it was read. Read again.
    Stale,
}

/// What the news of a deal makes of its referral, in one transaction. All rows are replaced in the versions that were
/// read.
#[derive(Debug, Clone)]
pub struct Settlement {
    pub deal: Deal,
    /// None when the news changes nothing about it.
    pub referral: Option<Box<Revised>>,
    /// A lost deal from which the referral goes over to this one.
    pub let_go: Option<Box<Deal>>,
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleOutcome {
    Settled,
    /// A row moved since it was read. Read again.
    Stale,
}

/// Deals that were heard of.
pub trait DealBook: Send + Sync {
    /// Strongly consistent: what was committed before is seen.
    fn find_deal(&self, scope: &OrgScope, id: &DealId)
    -> impl Future<Output = Result<Option<Deal>, StoreError>> + Send;

    /// Writes a deal with its news, and which people it names. Its version is one more than the one that was read. The
    /// revision in it is what an inbox is elsewhere: the same news is no news.
    fn record_news(
        &self,
        scope: &OrgScope,
        deal: &Deal,
    ) -> impl Future<Output = Result<NewsOutcome, StoreError>> + Send;

    /// The deals that name the person, as far as they were heard of. Strongly consistent.
    fn deals_of(
        &self,
        scope: &OrgScope,
        person: &PersonId,
    ) -> impl Future<Output = Result<Vec<DealId>, StoreError>> + Send;

    fn settle(
        &self,
        scope: &OrgScope,
        settlement: &Settlement,
    ) -> impl Future<Output = Result<SettleOutcome, StoreError>> + Send;
}

/// A reward that waits for the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHold {
    pub scope: OrgScope,
    pub referral: ReferralId,
    pub until: Timestamp,
}

/// Some of the rewards whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHolds {
    pub holds: Vec<DueHold>,
    /// Notes that cannot be read. Each is in the log.
    pub unreadable: usize,
    /// Where it goes on; None at the end.
    pub next: Option<String>,
}

/// What the clock makes of one that was due. The note that it waits goes in any case.
#[derive(Debug, Clone)]
pub struct HoldRelease {
    pub hold: DueHold,
    /// The version of the referral that was read; None when there was none. It holds only while that is so.
    pub read: Option<u64>,
    /// The referral, when it becomes another by this.
    pub referral: Option<Box<Revised>>,
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReleaseOutcome {
    Done,
    /// The referral moved since it was read. Read again.
    Stale,
}

/// Rewards of all organizations that wait for the clock.
pub trait HoldBook: Send + Sync {
    /// At most `limit` whose time has come at `now`, the longest due first, from where `after` says.
    fn due_holds(
        &self,
        now: Timestamp,
        after: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<DueHolds, StoreError>> + Send;

    /// In one transaction.
    fn release_hold(
        &self,
        release: &HoldRelease,
    ) -> impl Future<Output = Result<HoldReleaseOutcome, StoreError>> + Send;
}
