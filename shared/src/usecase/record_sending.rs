//! What a provider has answered becomes what the message says; the first thank-you that is accepted makes the reward
//! THANKED.

use super::{
    attempts::{Attempts, gave_up, pause},
    office::{count, entry},
    revise::Cause,
};
use crate::{
    domain::{
        audit::Actor,
        id::EventId,
        message::{Message, MessageId, MessageKind, Sending},
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Clock, Ids, MessageBook, MessageWrite, MessageWriteOutcome, ReferralReader, Revised, StoreError},
};

/// False when the message has gone on since the claim `token`: then the answer changes nothing.
#[expect(clippy::too_many_arguments, reason = "two callers, and what they know has no other use together")]
pub(super) async fn record_sending(
    store: &(impl ReferralReader + MessageBook),
    clock: &impl Clock,
    ids: &impl Ids,
    scope: &OrgScope,
    id: &MessageId,
    token: &str,
    sending: &Sending,
    event: &EventId,
    function: &'static str,
) -> Result<bool, StoreError> {
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let at = clock.now();
        let Some(mut message) = store.find_message(scope, id).await? else { return Ok(false) };
        let before = message.status;
        if !message.answered(token, sending, at) {
            return Ok(false);
        }
        let mut write = MessageWrite {
            audit: vec![entry(&message, Some(before), event.as_str(), function, at)],
            messages: vec![],
            referral: None,
            unchanged: None,
            guard: None,
            events: vec![],
            remembered: None,
            at,
        };
        if matches!(sending, Sending::Accepted(_)) {
            thank(store, ids, scope, &message, event, function, &mut write, at).await?;
        }
        write.messages.push(message);
        match store.write_messages(scope, &id.referral, &write).await? {
            MessageWriteOutcome::Written => {
                count(&write);
                return Ok(true);
            }
            _ => pause().await,
        }
    }
    Err(gave_up("recording a message"))
}

#[expect(clippy::too_many_arguments, reason = "a part of the one above")]
async fn thank(
    store: &impl ReferralReader,
    ids: &impl Ids,
    scope: &OrgScope,
    message: &Message,
    event: &EventId,
    function: &'static str,
    write: &mut MessageWrite,
    at: Timestamp,
) -> Result<(), StoreError> {
    if message.kind != MessageKind::ThankYou {
        return Ok(());
    }
    let Some(before) = store.find_referral(scope, &message.referral_id).await? else { return Ok(()) };
    let mut referral = before.clone();
    if !referral.mark_thanked() {
        return Ok(());
    }
    referral.touch(at);
    let actor = Actor::System(function);
    let cause = Cause { at, actor, request_id: event.as_str(), event: Some(event), note: None };
    let traces = cause.traces(ids, &before, &referral, &[])?;
    write.audit.extend(traces.audit);
    write.events.extend(traces.events);
    write.referral = Some(Box::new(Revised::new(&before, referral)));
    Ok(())
}
