//! The one way of every message: decided, claimed, sent, recorded.
//!
//! The claim is written before anything is sent, in a transaction that holds only while the recipient is as they were when
//! the decision was made. So a thank-you leaves at most once and never against a revocation that was written before the
//! claim; a notice to an agent leaves at least once.

use super::{
    actors::MESSENGER,
    attempts::{Attempts, gave_up, pause},
    decide_notice::decide_notice,
    decide_thank_you::decide_thank_you,
    office::{MessageStore, Office, Sent, count, entry},
    record_sending::record_sending,
    revoke_consent::{Revocation, revoke_consent},
};
use crate::{
    domain::{
        audit::Actor,
        consent::{ConsentChannel, ConsentMethod},
        id::{EventId, PersonId},
        message::{Claim, Message, MessageId, MessageKind, MessageStatus, NextStep, Sending, SkipReason},
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{
        Carrier, Clock, Ids, MemberDirectory, MessageBook, MessageWrite, MessageWriteOutcome, RecipientGuard,
        StoreError,
    },
};

/// Sends the message `id` about `referral`, or records why not.
pub(super) async fn send_message(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    referral: &Referral,
    id: &MessageId,
    event: &EventId,
) -> Result<Sent, StoreError> {
    let mut attempts = Attempts::begin(office.clock);
    while attempts.go_on() {
        let at = office.clock.now();
        let known = office.store.find_message(scope, id).await?;
        let mut message = known.unwrap_or_else(|| begin(scope, referral, id, at));
        let before = message.status;
        match message.next_step(at) {
            NextStep::Nothing => return Ok(Sent::AlreadyDone),
            NextStep::Wait => return Ok(Sent::NotNow("somebody else is sending it")),
            NextStep::GiveUp => {
                message.give_up(at);
                tell_of_doubt(id);
                if write(office.store, scope, message, before, None, event, at).await? {
                    return Ok(Sent::Done);
                }
                pause().await;
                continue;
            }
            NextStep::Decide => {}
        }
        let token = office.ids.ulid(at).to_string();
        let mut decision = match id.kind {
            MessageKind::ThankYou => decide_thank_you(office, scope, referral, &message, &token, at).await?,
            MessageKind::NewReferral | MessageKind::RewardReady => {
                decide_notice(office, scope, referral, id, &token, at).await?
            }
        };
        let is_stopped = matches!(decision.verdict, Err(SkipReason::OptedOut)) && id.kind == MessageKind::ThankYou;
        if let Some(guard) = decision.guard.take_if(|_| is_stopped) {
            // First, because nobody comes back to a message that was decided about. The person is in another version then,
            // and a skip needs none.
            stop(office, scope, &guard, event).await?;
        }
        match &decision.verdict {
            Err(reason) => message.skip(*reason, at),
            Ok(letter) => {
                let until = at.plus_seconds(office.claim_seconds);
                message.claim(Claim { token: token.clone(), until }, letter.to.to_contact(), at);
            }
        }
        if !write(office.store, scope, message, before, decision.guard, event, at).await? {
            pause().await;
            continue;
        }
        let Ok(letter) = decision.verdict else { return Ok(Sent::Done) };
        let sending = office.carrier.send(&letter).await;
        record_sending(office.store, office.clock, office.ids, scope, id, &token, &sending, event, MESSENGER).await?;
        if matches!(sending, Sending::NoAnswer(_)) && id.kind.is_at_most_once() {
            tell_of_doubt(id);
        }
        return Ok(match sending {
            Sending::NotTaken(_) => Sent::NotNow("it was not taken"),
            Sending::NoAnswer(_) if !id.kind.is_at_most_once() => Sent::NotNow("no answer came"),
            _ => Sent::Done,
        });
    }
    Err(gave_up("sending a message"))
}

/// An alarm counts this line: an agent has to decide.
fn tell_of_doubt(id: &MessageId) {
    tracing::error!(referral.id = %id.referral, "a message may or may not have left");
}

/// Whoever has told their carrier to stop has taken their consent back, for the number that was asked about.
async fn stop(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    guard: &RecipientGuard,
    event: &EventId,
) -> Result<(), StoreError> {
    let revocation = Revocation {
        channel: ConsentChannel::Sms,
        address: guard.suppression.as_ref().map(|(number, _)| number.clone()),
        method: ConsentMethod::Stop,
        actor: Actor::System(MESSENGER),
        evidence: None,
        request_id: event.as_str(),
    };
    revoke_consent(office.store, office.clock, scope, &guard.person, &revocation).await.map(|_| ())
}

fn begin(scope: &OrgScope, referral: &Referral, id: &MessageId, at: Timestamp) -> Message {
    let thanked: Option<PersonId> = (id.kind == MessageKind::ThankYou).then(|| referral.referrer_person_id.clone());
    Message::new(scope.organization().clone(), id.clone(), thanked, at)
}

/// False when a row moved since it was read.
async fn write(
    store: &impl MessageBook,
    scope: &OrgScope,
    message: Message,
    before: MessageStatus,
    guard: Option<RecipientGuard>,
    event: &EventId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    // A claim is no news to anybody: what comes of it is.
    let is_told = message.status != MessageStatus::Claimed;
    let audit = is_told.then(|| entry(&message, Some(before), event.as_str(), MESSENGER, at)).into_iter().collect();
    let id = message.id();
    let write = MessageWrite {
        messages: vec![message],
        referral: None,
        unchanged: None,
        guard,
        audit,
        events: vec![],
        remembered: None,
        at,
    };
    let is_written = store.write_messages(scope, &id.referral, &write).await? == MessageWriteOutcome::Written;
    if is_written && is_told {
        count(&write);
    }
    Ok(is_written)
}
