//! The clock closes captures that nobody took up, and takes out the people in them: whom nobody needs, nobody keeps.
//!
//! People first, and the referral last, because being RECEIVED is what it is found by: whoever dies in between comes back.

use std::collections::HashSet;

use super::{
    actors::CAPTURE_EXPIRY,
    attempts::{Attempts, gave_up, pause},
    eraser::{Eraser, Rest},
};
use crate::{
    domain::{
        audit::{Actor, AuditAction},
        filter::ReferralFilter,
        id::{PersonId, ReferralId},
        referral::ReferralStatus,
        time::Timestamp,
    },
    ports::{
        Clock, Ids, OrganizationList, PersonData, PersonRevisionOutcome, PersonalData, PolicyBook, ReferralData,
        ReferralReader, Revised, StoreError,
    },
};

/// Read at a time.
const PAGE: u32 = 25;
/// Captures of one person that one transaction can have an eye on, the open ones first.
const MAX_WATCHED: usize = 40;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    pub captures: usize,
    /// People of whom nothing else was known.
    pub people: usize,
    /// To be tried again by the next run.
    pub failed: usize,
    /// There was no time for the rest.
    pub ran_out: bool,
}

/// Closes what came in before `cutoff`, and before its organization's attribution window, and is RECEIVED still, of every
/// organization, for as long as `has_time` says so. What fails keeps nothing else waiting.
///
/// # Errors
/// When it cannot be read which organizations there are. What was done stays done.
pub async fn expire_captures(
    store: &(impl OrganizationList + PolicyBook + ReferralReader + PersonalData),
    clock: &impl Clock,
    ids: &impl Ids,
    cutoff: Timestamp,
    request_id: &str,
    has_time: impl Fn() -> bool,
) -> Result<Expired, StoreError> {
    let now = clock.now();
    let mut count = Expired::default();
    let mut next = None;
    loop {
        let organizations = store.list_organizations(next.as_deref()).await?;
        count.failed += organizations.unreadable;
        for scope in &organizations.scopes {
            let eraser = Eraser { store, clock, ids, scope, actor: Actor::System(CAPTURE_EXPIRY), request_id };
            match expire_in(eraser, cutoff, now, &mut count, &has_time).await {
                Ok(true) => {}
                Ok(false) => {
                    count.ran_out = true;
                    return Ok(count);
                }
                Err(error) => {
                    let organization = scope.organization();
                    tracing::error!(organization.id = %organization, error.message = %error, "captures stay open");
                    count.failed += 1;
                }
            }
        }
        next = organizations.next;
        if next.is_none() {
            return Ok(count);
        }
    }
}

/// Those of one organization. False when there was no time for all.
async fn expire_in<S: PolicyBook + ReferralReader + PersonalData>(
    eraser: Eraser<'_, S, impl Clock, impl Ids>,
    cutoff: Timestamp,
    now: Timestamp,
    count: &mut Expired,
    has_time: impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let (store, scope) = (eraser.store, eraser.scope);
    // As long as a deal may come of it, somebody may be owed a reward.
    let cutoff = cutoff.min(store.find_policy(scope).await?.window_start(now));
    let filter = ReferralFilter { status: Some(ReferralStatus::Received), to: Some(cutoff), ..Default::default() };
    let mut expirer = Expirer { eraser, cutoff, done: HashSet::new() };
    let mut after = None;
    loop {
        let page = store.list_referrals(scope, &filter, after.as_ref(), PAGE).await?;
        for listed in page.items.iter().filter(|listed| listed.is_open_since(cutoff)) {
            if !has_time() {
                return Ok(false);
            }
            if let Err(error) = expirer.expire(&listed.id, count).await {
                tracing::error!(referral.id = %listed.id, error.message = %error, "a capture stays open");
                count.failed += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(true);
        }
    }
}

/// Whether somebody may go.
enum Need {
    /// Nothing is known of them but captures that are over, and these, open still, in the versions that were read.
    None(Vec<(ReferralId, u64)>),
    /// Something was done about them lately. Another day it may be long ago.
    Lately,
    Known,
}

struct Expirer<'a, S, C, I> {
    eraser: Eraser<'a, S, C, I>,
    cutoff: Timestamp,
    /// Erased people whose referrals this run has been through.
    done: HashSet<PersonId>,
}

impl<S: ReferralReader + PersonalData, C: Clock, I: Ids> Expirer<'_, S, C, I> {
    async fn expire(&mut self, id: &ReferralId, count: &mut Expired) -> Result<(), StoreError> {
        let Some(referral) = self.find(id).await?.referral.filter(|referral| referral.expired_at.is_none()) else {
            return Ok(());
        };
        let lead = referral.referred_person_id.filter(|lead| *lead != referral.referrer_person_id);
        let people: Vec<PersonId> = lead.into_iter().chain([referral.referrer_person_id]).collect();
        for person in &people {
            let found = self.eraser.store.find_person_data(self.eraser.scope, person).await?;
            // Of most nothing was heard for long: why they may be needed is asked when they are about to go.
            let is_recent = |found: &PersonData| found.person.updated_at >= self.cutoff && !found.person.is_erased();
            let Some(found) = found.filter(is_recent) else { continue };
            if matches!(self.need_of(&found).await?, Need::Lately) {
                // Closed, nobody would come back for them.
                return Ok(());
            }
        }
        for person in &people {
            count.people += usize::from(self.erase(person, id).await?);
        }
        count.captures += usize::from(self.close(id).await?);
        Ok(())
    }

    /// Empty once somebody has taken it up.
    async fn find(&self, id: &ReferralId) -> Result<ReferralData, StoreError> {
        let found = self.eraser.store.find_referral_data(self.eraser.scope, id).await?;
        Ok(if is_untriaged(&found, self.cutoff) { found } else { ReferralData::default() })
    }

    /// Whoever is needed stays. While one of their captures is taken up in the same moment, nobody is erased.
    async fn erase(&mut self, person: &PersonId, id: &ReferralId) -> Result<bool, StoreError> {
        let (store, scope) = (self.eraser.store, self.eraser.scope);
        let mut has_erased = false;
        let mut attempts = Attempts::begin(self.eraser.clock);
        while attempts.go_on() {
            if self.done.contains(person) {
                return Ok(has_erased);
            }
            let Some(found) = store.find_person_data(scope, person).await? else { return Ok(has_erased) };
            if found.person.is_erased() {
                // By this run, or by one that died after it. Whatever became of the capture since then, it is brought to its end.
                self.eraser.forget_evidence(&found).await?;
                for tie in &found.ties {
                    self.eraser.erase_referral(tie, person).await?;
                }
                self.done.insert(person.clone());
                return Ok(has_erased);
            }
            if self.find(id).await?.referral.is_none() {
                return Ok(false);
            }
            let Need::None(watched) = self.need_of(&found).await? else { return Ok(false) };
            has_erased = self.eraser.try_row(found, watched).await? == PersonRevisionOutcome::Written;
            if !has_erased {
                pause().await;
            }
        }
        Err(gave_up("erasing a person of an expired capture"))
    }

    async fn need_of(&self, found: &PersonData) -> Result<Need, StoreError> {
        let PersonData { person, deals, ties, .. } = found;
        let was_known_before = ties.first().is_none_or(|first| person.created_at < first.created_at);
        if was_known_before || !deals.is_empty() {
            return Ok(Need::Known);
        }
        let (mut watched, mut over) = (Vec::new(), Vec::new());
        for tie in ties.iter().rev() {
            let found = self.eraser.store.find_referral_data(self.eraser.scope, &tie.referral).await?;
            let is_open = is_untriaged(&found, self.cutoff);
            match found.referral {
                None => {}
                // It may be opened again.
                Some(referral) if referral.expired_at.is_some() => over.push((referral.id, referral.version)),
                Some(referral) if is_open => watched.push((referral.id, referral.version)),
                Some(_) => return Ok(Need::Known),
            }
        }
        // Who is in more has to wait until some of them are closed.
        if watched.len() > MAX_WATCHED {
            return Ok(Need::Known);
        }
        watched.extend(over);
        watched.truncate(MAX_WATCHED);
        Ok(if person.updated_at >= self.cutoff { Need::Lately } else { Need::None(watched) })
    }

    async fn close(&self, id: &ReferralId) -> Result<bool, StoreError> {
        let (ids, cutoff) = (self.eraser.ids, self.cutoff);
        self.eraser
            .take_out(id, |data, at| {
                let before = data.referral.as_ref().filter(|_| is_untriaged(data, cutoff));
                let Some(before) = before else { return Ok(None) };
                let (after, cause) = (before.expired(at), self.eraser.cause(at));
                let mut traces = cause.traces(ids, before, &after, &[])?;
                traces.audit.push(cause.entry(AuditAction::Erased));
                let row = Some(Box::new(Revised::new(before, after)));
                Ok(Some(Rest { row, messages: Vec::new(), audit: traces.audit, events: traces.events }))
            })
            .await
    }
}

fn is_untriaged(found: &ReferralData, cutoff: Timestamp) -> bool {
    found.referral.as_ref().is_some_and(|referral| referral.is_untriaged_since(cutoff, &found.entries))
}
