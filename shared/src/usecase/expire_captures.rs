//! The clock closes captures that nobody took up, and takes out the people in them: whom nobody needs, nobody keeps.
//!
//! People first, and the referral last, because being RECEIVED is what it is found by: whoever dies in between comes back.

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
        referral::{Referral, ReferralStatus},
        time::Timestamp,
    },
    ports::{
        Clock, Ids, OrganizationList, PersonData, PersonRevisionOutcome, PersonalData, ReferralReader, Revised,
        StoreError, TieKind,
    },
};

/// Read at a time.
const PAGE: u32 = 25;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    pub captures: usize,
    /// People of whom nothing else was known.
    pub people: usize,
    /// To be tried again by the next run.
    pub failed: usize,
}

/// Closes what came in before `cutoff` and is RECEIVED still, of every organization, for as long as `has_time` says so. One
/// that fails keeps no other waiting.
///
/// # Errors
/// When it cannot be read which there are. What was done stays done.
pub async fn expire_captures(
    store: &(impl OrganizationList + ReferralReader + PersonalData),
    clock: &impl Clock,
    ids: &impl Ids,
    cutoff: Timestamp,
    request_id: &str,
    has_time: impl Fn() -> bool,
) -> Result<Expired, StoreError> {
    let mut count = Expired::default();
    let filter = ReferralFilter { status: Some(ReferralStatus::Received), to: Some(cutoff), ..Default::default() };
    let mut next_organizations = None;
    loop {
        let organizations = store.list_organizations(next_organizations.as_deref()).await?;
        for scope in &organizations.scopes {
            let eraser = Eraser { store, clock, ids, scope, actor: Actor::System(CAPTURE_EXPIRY), request_id };
            let expirer = Expirer { eraser, cutoff };
            let mut after = None;
            loop {
                let page = store.list_referrals(scope, &filter, after.as_ref(), PAGE).await?;
                for listed in page.items.iter().filter(|listed| listed.is_untriaged_since(cutoff)) {
                    if !has_time() {
                        tracing::warn!("no time was left; the rest is the next run's");
                        return Ok(count);
                    }
                    if let Err(error) = expirer.expire(&listed.id, &mut count).await {
                        tracing::error!(referral.id = %listed.id, error.message = %error, "a capture stays open");
                        count.failed += 1;
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        next_organizations = organizations.next;
        if next_organizations.is_none() {
            return Ok(count);
        }
    }
}

struct Expirer<'a, S, C, I> {
    eraser: Eraser<'a, S, C, I>,
    cutoff: Timestamp,
}

impl<S: ReferralReader + PersonalData, C: Clock, I: Ids> Expirer<'_, S, C, I> {
    async fn expire(&self, id: &ReferralId, count: &mut Expired) -> Result<(), StoreError> {
        let Some(referral) = self.find(id).await? else { return Ok(()) };
        let lead = referral.referred_person_id.filter(|lead| *lead != referral.referrer_person_id);
        for person in lead.iter().chain([&referral.referrer_person_id]) {
            count.people += usize::from(self.erase(person, id).await?);
        }
        count.captures += usize::from(self.close(id).await?);
        Ok(())
    }

    /// None once somebody has taken it up.
    async fn find(&self, id: &ReferralId) -> Result<Option<Referral>, StoreError> {
        let found = self.eraser.store.find_referral(self.eraser.scope, id).await?;
        Ok(found.filter(|referral| referral.is_untriaged_since(self.cutoff)))
    }

    /// False where the person is needed still. While the referral `id` is taken up in the same moment, nobody is erased.
    async fn erase(&self, person: &PersonId, id: &ReferralId) -> Result<bool, StoreError> {
        let Eraser { store, scope, clock, .. } = self.eraser;
        let mut has_erased = false;
        let mut attempts = Attempts::begin(clock);
        while attempts.go_on() {
            let Some(referral) = self.find(id).await? else { return Ok(false) };
            let Some(found) = store.find_person_data(scope, person).await? else { return Ok(false) };
            if found.person.is_erased() {
                // By this run, or by one that died after it.
                for tie in &found.ties {
                    self.eraser.erase_referral(&tie.referral, person).await?;
                }
                return Ok(has_erased);
            }
            if self.is_needed(&found).await? {
                return Ok(false);
            }
            let unchanged = Some((referral.id, referral.version));
            has_erased = self.eraser.try_row(found, unchanged).await? == PersonRevisionOutcome::Written;
            if !has_erased {
                pause().await;
            }
        }
        Err(gave_up("erasing a person of an expired capture"))
    }

    /// Whether anything is known of somebody but captures that nobody took up.
    async fn is_needed(&self, found: &PersonData) -> Result<bool, StoreError> {
        let PersonData { person, deals, ties, .. } = found;
        let was_known_before = ties.first().is_none_or(|first| person.created_at < first.created_at);
        if was_known_before || !deals.is_empty() || person.updated_at >= self.cutoff {
            return Ok(true);
        }
        for tie in ties.iter().rev().filter(|tie| tie.kind != TieKind::Former) {
            let referral = self.eraser.store.find_referral(self.eraser.scope, &tie.referral).await?;
            let is_spent =
                |referral: &Referral| referral.expired_at.is_some() || referral.is_untriaged_since(self.cutoff);
            if referral.is_some_and(|referral| !is_spent(&referral)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn close(&self, id: &ReferralId) -> Result<bool, StoreError> {
        let (ids, cutoff) = (self.eraser.ids, self.cutoff);
        self.eraser
            .take_out(id, |data, at| {
                let before = data.referral.as_ref().filter(|referral| referral.is_untriaged_since(cutoff));
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
