//! The mail's provider tells what became of a message: delivered, returned, complained about.
//!
//! Events come late, twice and in any order. Each step is harmless when it is done again, and the note, by which an event is
//! known to be done, comes last: whoever dies in between leaves the rest to the next delivery.

use super::{
    actors::DELIVERY_FEEDBACK,
    attempts::{Attempts, gave_up, pause},
    office::entry,
    record_sending::record_sending,
    revoke_consent::{Revocation, revoke_consent},
};
use crate::{
    domain::{
        audit::{Actor, AuditEntry, MessageNote},
        consent::{ConsentChannel, ConsentMethod},
        contact::ContactKey,
        message::{Message, MessageKind, MessageStatus, Sending},
        scope::OrgScope,
        text::Reason,
    },
    events::DeliveryTold,
    ports::{
        Clock, Ids, MessageBook, MessageWrite, MessageWriteOutcome, PersonEditor, PersonReader, ReferralReader,
        StoreError, SuppressionList,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    Done,
    /// The same or worse is known.
    AlreadyDone,
    /// There is nothing to note, with the reason.
    Ignored(&'static str),
}

/// # Errors
/// When the store does not answer, or rows keep moving.
pub async fn hear_of_delivery(
    store: &(impl ReferralReader + MessageBook + SuppressionList + PersonReader + PersonEditor),
    clock: &impl Clock,
    ids: &impl Ids,
    told: &DeliveryTold,
) -> Result<Noted, StoreError> {
    let scope = OrgScope::from_bus_event(told.organization_id.clone());
    let Some(message) = store.find_message(&scope, &told.message).await? else {
        return Ok(Noted::Ignored("no such message"));
    };
    let claimed = message.claim.as_ref().map(|claim| claim.token.as_str());
    let is_earlier = matches!((claimed, told.token.as_deref()), (Some(own), Some(other)) if own != other);
    if is_earlier {
        // Where the earlier attempt went is not known any more. A complaint is the person's word all the same.
        if told.ends_consent == Some(ConsentMethod::Complaint) {
            revoke(store, clock, &scope, &message, told, ConsentMethod::Complaint, None).await?;
        }
        return Ok(Noted::Ignored("it is about an earlier attempt"));
    }
    if let Some(token) = claimed
        && matches!(message.status, MessageStatus::Claimed | MessageStatus::Unknown | MessageStatus::Queued)
    {
        // Nothing is heard of what was not accepted.
        let accepted = Sending::Accepted(told.provider_message_id.clone());
        record_sending(store, clock, ids, &scope, &told.message, token, &accepted, &told.event_id, DELIVERY_FEEDBACK)
            .await?;
    }
    if let Some(method) = told.ends_consent {
        end_consent(store, clock, &scope, &message, told, method).await?;
    }
    note(store, clock, &scope, told).await
}

/// Nothing more is sent to the address that was thanked. An agent's own is left alone: whoever works here has to hear of
/// referrals.
async fn end_consent(
    store: &(impl SuppressionList + PersonReader + PersonEditor),
    clock: &impl Clock,
    scope: &OrgScope,
    message: &Message,
    told: &DeliveryTold,
    method: ConsentMethod,
) -> Result<(), StoreError> {
    let address = match message.channel {
        ConsentChannel::Email => message.sent_to.email.as_ref().map(|email| ContactKey::Email(email.key())),
        ConsentChannel::Sms => message.sent_to.phone.clone().map(ContactKey::Phone),
    };
    let Some(address) = address.filter(|_| message.kind == MessageKind::ThankYou) else { return Ok(()) };
    // The address is suppressed last, so both was done: what somebody has agreed to since is not ended by an event that
    // comes again.
    if store.is_suppressed(scope, &address).await? {
        return Ok(());
    }
    // A mailbox that is gone ends what was agreed to for it; a complaint is the person's word.
    let only_for = (method == ConsentMethod::Bounce).then(|| address.clone());
    revoke(store, clock, scope, message, told, method, only_for).await?;
    store.suppress(scope, &address, clock.now()).await
}

async fn revoke(
    store: &(impl PersonReader + PersonEditor),
    clock: &impl Clock,
    scope: &OrgScope,
    message: &Message,
    told: &DeliveryTold,
    method: ConsentMethod,
    address: Option<ContactKey>,
) -> Result<(), StoreError> {
    let Some(person) = &message.person_id else { return Ok(()) };
    let revocation = Revocation {
        channel: message.channel,
        address,
        method,
        actor: Actor::System(DELIVERY_FEEDBACK),
        evidence: Reason::parse(&told.provider_message_id).ok().flatten(),
        request_id: told.event_id.as_str(),
    };
    revoke_consent(store, clock, scope, person, &revocation).await.map(|_| ())
}

async fn note(
    store: &impl MessageBook,
    clock: &impl Clock,
    scope: &OrgScope,
    told: &DeliveryTold,
) -> Result<Noted, StoreError> {
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let at = clock.now();
        let Some(mut message) = store.find_message(scope, &told.message).await? else {
            return Ok(Noted::Ignored("no such message"));
        };
        let before = message.delivery;
        if !message.hear(told.news, at) {
            return Ok(Noted::AlreadyDone);
        }
        let reason = told.code.map(str::to_owned);
        let heard = AuditEntry {
            from: before.map(|news| news.as_str().to_owned()),
            to: Some(told.news.as_str().to_owned()),
            message: Some(MessageNote { kind: message.kind, channel: message.channel, reason }),
            ..entry(&message, None, told.event_id.as_str(), DELIVERY_FEEDBACK, at)
        };
        let write = MessageWrite {
            messages: vec![message],
            referral: None,
            unchanged: None,
            guard: None,
            audit: vec![heard],
            events: vec![],
            remembered: None,
            at,
        };
        match store.write_messages(scope, &told.message.referral, &write).await? {
            MessageWriteOutcome::Written => return Ok(Noted::Done),
            _ => pause().await,
        }
    }
    Err(gave_up("noting a delivery"))
}
