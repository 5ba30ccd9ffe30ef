//! The clock ends holding periods: a reward that nothing else holds becomes PENDING, and the agent is told.
//!
//! Each reward that waits has a note of its time. Whatever became of the reward meanwhile, the note goes once its time has
//! come; doing it again finds nothing to do.

use super::{
    actors::HOLD_RELEASE,
    attempts::{Attempts, gave_up, pause},
    revise::Cause,
};
use crate::{
    domain::{audit::Actor, referral::Referral, time::Timestamp},
    ports::{Clock, DueHold, HoldBook, HoldRelease, HoldReleaseOutcome, Ids, ReferralReader, Revised, StoreError},
};

/// Read at a time.
const PAGE: u32 = 25;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Released {
    /// Their holding period is over.
    pub released: usize,
    /// Notes of rewards that wait no longer, or until another time.
    pub dropped: usize,
    /// To be tried again by the next run.
    pub failed: usize,
}

/// Ends the holding periods that are over, for as long as `has_time` says so. One that fails keeps no other waiting.
///
/// # Errors
/// When it cannot be read which are over. What was done stays done.
pub async fn release_holds(
    store: &(impl HoldBook + ReferralReader),
    clock: &impl Clock,
    ids: &impl Ids,
    request_id: &str,
    has_time: impl Fn() -> bool,
) -> Result<Released, StoreError> {
    let now = clock.now();
    let mut count = Released::default();
    let mut after = None;
    loop {
        let due = store.due_holds(now, after.as_deref(), PAGE).await?;
        count.failed += due.unreadable;
        // Compared here too: a row says it better than the order of keys.
        for hold in due.holds.into_iter().filter(|hold| hold.until <= now) {
            if !has_time() {
                tracing::warn!("no time was left; the rest is the next run's");
                return Ok(count);
            }
            match release(store, clock, ids, &hold, request_id).await {
                Ok(true) => count.released += 1,
                Ok(false) => count.dropped += 1,
                Err(error) => {
                    tracing::error!(referral.id = %hold.referral, error.message = %error, "a reward stays held");
                    count.failed += 1;
                }
            }
        }
        if due.next.is_none() {
            return Ok(count);
        }
        after = due.next;
    }
}

/// False when there was nothing to do but to take the note away.
async fn release(
    store: &(impl HoldBook + ReferralReader),
    clock: &impl Clock,
    ids: &impl Ids,
    hold: &DueHold,
    request_id: &str,
) -> Result<bool, StoreError> {
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let at = clock.now();
        let before = store.find_referral(&hold.scope, &hold.referral).await?;
        let release = decide(ids, hold, before, request_id, at)?;
        match store.release_hold(&release).await? {
            HoldReleaseOutcome::Done => return Ok(release.referral.is_some()),
            HoldReleaseOutcome::Stale => pause().await,
        }
    }
    Err(gave_up("releasing a reward"))
}

fn decide(
    ids: &impl Ids,
    hold: &DueHold,
    before: Option<Referral>,
    request_id: &str,
    at: Timestamp,
) -> Result<HoldRelease, StoreError> {
    let read = before.as_ref().map(|referral| referral.version);
    let mut release = HoldRelease { hold: hold.clone(), read, referral: None, audit: vec![], events: vec![] };
    // A reward that is held until another time has another note.
    let is_this_one = |referral: &Referral| {
        referral.reward.as_ref().and_then(|reward| reward.hold_until).is_some_and(|until| until == hold.until)
    };
    let Some(before) = before.filter(is_this_one) else { return Ok(release) };
    let mut referral = before.clone();
    if !referral.end_holding(at) {
        return Ok(release);
    }
    referral.touch(at);
    let cause = Cause { at, actor: Actor::System(HOLD_RELEASE), request_id, event: None, note: None };
    // Where something else still holds it, the history says what does not any more.
    let fields: &[&str] = if before.reward_status == referral.reward_status { &["holdReasons"] } else { &[] };
    let traces = cause.traces(ids, &before, &referral, fields)?;
    release.audit = traces.audit;
    release.events = traces.events;
    release.referral = Some(Box::new(Revised::new(&before, referral)));
    Ok(release)
}
