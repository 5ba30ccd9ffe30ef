//! An agent asks for thank-yous that were not accepted to be tried again, with a reason.
//!
//! Nothing is sent here: the messages go back to QUEUED, and the event has them decided about anew. What was accepted, or is
//! on its way, is left alone, so that a thank-you still leaves at most once for each time that somebody asks.

use super::{
    attempts::{Attempts, gave_up, pause},
    find_referral::find_referral,
    record_referral::new_event,
    revise::Cause,
};
use crate::{
    domain::{
        access::Caller,
        audit::{Actor, AuditAction, AuditEntry, MessageNote},
        message::{Message, MessageKind, MessageStatus},
        referral::{Referral, RewardStatus},
        text::Reason,
        time::Timestamp,
        version::Expected,
    },
    events::{EventData as _, ThankYouRequestedV1},
    ports::{Clock, Ids, MessageBook, MessageWrite, MessageWriteOutcome, Named, ReferralReader, StoreError},
};

/// A request as it came in.
#[derive(Debug)]
pub struct ResendRequest<'a> {
    pub reason: &'a Reason,
    pub expected: &'a Expected,
    /// The gateway's id of the request.
    pub request_id: &'a str,
    pub named: Option<Named<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resending {
    /// They will be tried again. The referral, as it is.
    Requested(Box<Referral>),
    /// It went away meanwhile.
    Gone,
    /// It is in another version than the client expects.
    PreconditionFailed,
    /// There is nothing to be thanked for yet.
    NotSent,
    /// Each thank-you was accepted or is on its way, or there is none.
    Nothing,
    /// The client's name for the request has been used.
    KeyReused,
}

/// `found` is the referral as the caller was allowed to see it.
///
/// # Errors
/// As [`super::change_referral::change_referral`].
pub async fn resend_thanks(
    store: &(impl ReferralReader + MessageBook),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    found: Referral,
    request: &ResendRequest<'_>,
) -> Result<Resending, StoreError> {
    let at = clock.now();
    let id = found.id.clone();
    let mut found = Some(found);
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(referral) = found.take() else { return Ok(Resending::Gone) };
        if !request.expected.admits(referral.version) {
            return Ok(Resending::PreconditionFailed);
        }
        if !matches!(referral.reward_status, RewardStatus::Sent | RewardStatus::Thanked) {
            return Ok(Resending::NotSent);
        }
        let again = request_again(store.messages_of(&caller.scope, &id).await?, at);
        if again.is_empty() {
            return Ok(Resending::Nothing);
        }
        let write = write(ids, caller, &referral, again, request, at)?;
        match store.write_messages(&caller.scope, &id, &write).await? {
            MessageWriteOutcome::Written => return Ok(Resending::Requested(Box::new(referral))),
            MessageWriteOutcome::KeyUsed(_) => return Ok(Resending::KeyReused),
            MessageWriteOutcome::Stale => pause().await,
        }
        found = find_referral(store, caller, &id).await?;
    }
    Err(gave_up("asking for thanks again"))
}

/// The thank-yous that are to be tried again, with what they were before.
fn request_again(messages: Vec<Message>, at: Timestamp) -> Vec<(MessageStatus, Message)> {
    let thanks = messages.into_iter().filter(|message| message.kind == MessageKind::ThankYou);
    thanks
        .filter_map(|mut message| {
            let before = message.status;
            message.request_again(at).then_some((before, message))
        })
        .collect()
}

fn write(
    ids: &impl Ids,
    caller: &Caller,
    referral: &Referral,
    again: Vec<(MessageStatus, Message)>,
    request: &ResendRequest<'_>,
    at: Timestamp,
) -> Result<MessageWrite, StoreError> {
    let actor = Actor::Member(caller.user.clone());
    let cause = Cause { at, actor, request_id: request.request_id, event: None, note: None };
    let data = ThankYouRequestedV1 {
        referral_id: referral.id.clone(),
        referrer_person_id: referral.referrer_person_id.clone(),
        agent_user_id: referral.agent_user_id.clone(),
    };
    let event = new_event(cause.metadata(ids, referral, ThankYouRequestedV1::VERSION), data)?;
    let entry = |(before, message): &(MessageStatus, Message)| AuditEntry {
        from: Some(before.as_str().to_owned()),
        to: Some(message.status.as_str().to_owned()),
        note: Some(request.reason.clone()),
        message: Some(MessageNote { kind: message.kind, channel: message.channel, reason: None }),
        event_id: Some(event.id.as_str().to_owned()),
        ..cause.entry(AuditAction::MessageChanged)
    };
    Ok(MessageWrite {
        audit: again.iter().map(entry).collect(),
        messages: again.into_iter().map(|(_, message)| message).collect(),
        referral: None,
        unchanged: Some(referral.version),
        guard: None,
        events: vec![event],
        remembered: request.named.as_ref().map(|named| named.answer(referral, Some(&referral.id), at)),
        at,
    })
}
