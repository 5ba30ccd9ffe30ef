//! A wrong entry goes away. Its history stays, and the referrer's count goes back.

use super::{
    attempts::{Attempts, gave_up, pause},
    find_referral::find_referral,
};
use crate::{
    domain::{
        access::Caller,
        audit::{Actor, AuditAction, AuditEntry},
        referral::Referral,
        version::Expected,
    },
    ports::{Clock, ReferralEditor, ReferralReader, ReferralRemoval, RemovalOutcome, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    Done,
    /// Only owners and admins delete.
    NotAllowed,
    /// It is in another version than the client expects.
    PreconditionFailed,
    /// It produced a deal, or a reward that was sent: no wrong entry.
    Converted,
    /// Somebody else deleted it meanwhile.
    Gone,
}

/// `found` is the referral as the caller was allowed to see it.
///
/// # Errors
/// As [`super::change_referral::change_referral`].
pub async fn delete_referral(
    store: &(impl ReferralReader + ReferralEditor),
    clock: &impl Clock,
    caller: &Caller,
    found: Referral,
    expected: &Expected,
    request_id: &str,
) -> Result<Deletion, StoreError> {
    if !caller.role.manages_others() {
        return Ok(Deletion::NotAllowed);
    }
    let at = clock.now();
    let id = found.id.clone();
    let mut found = Some(found);
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(referral) = found.take() else { return Ok(Deletion::Gone) };
        if !expected.admits(referral.version) {
            return Ok(Deletion::PreconditionFailed);
        }
        if referral.is_on_record() {
            return Ok(Deletion::Converted);
        }
        let audit = AuditEntry {
            at,
            actor: Actor::Member(caller.user.clone()).to_string(),
            action: AuditAction::Deleted,
            from: Some(referral.status.as_str().to_owned()),
            to: None,
            fields: Vec::new(),
            deal_id: None,
            note: None,
            message: None,
            request_id: request_id.to_owned(),
            event_id: None,
        };
        let removal = ReferralRemoval { referral, audit };
        match store.remove_referral(&caller.scope, &removal).await? {
            RemovalOutcome::Removed => return Ok(Deletion::Done),
            RemovalOutcome::Stale => pause().await,
        }
        found = find_referral(store, caller, &id).await?;
    }
    Err(gave_up("deleting a referral"))
}
