//! What it takes to send a message, and what is left of it afterwards, whoever hears what became of it.

use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry, MessageNote},
        letter::Letter,
        message::{Message, MessageStatus, SkipReason},
        time::Timestamp,
    },
    metrics::{self, Unit},
    ports::{
        MessageBook, MessageWrite, PersonEditor, PersonReader, ProfileBook, RecipientGuard, ReferralReader,
        SuppressionList,
    },
};

/// What the store has to be able to do for messages.
pub trait MessageStore:
    ReferralReader + PersonReader + PersonEditor + ProfileBook + MessageBook + SuppressionList
{
}

impl<S: ReferralReader + PersonReader + PersonEditor + ProfileBook + MessageBook + SuppressionList> MessageStore for S {}

/// Everything that it takes to send.
#[derive(Debug)]
pub struct Office<'a, S, D, C, K, I> {
    pub store: &'a S,
    pub directory: &'a D,
    pub carrier: &'a C,
    pub clock: &'a K,
    pub ids: &'a I,
    /// How long whoever has claimed a message may take to send it. Longer than the function may run.
    pub claim_seconds: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// A decision was made, and what came of it is recorded.
    Done,
    /// It was made before.
    AlreadyDone,
    /// There is nothing to decide, with the reason.
    Ignored(&'static str),
    /// It was not taken, or somebody else is at it: to be tried again later.
    NotNow(&'static str),
}

impl Sent {
    /// Of two messages about one event.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |sent: &Self| match sent {
            Self::NotNow(_) => 3,
            Self::Done => 2,
            Self::AlreadyDone => 1,
            Self::Ignored(_) => 0,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// Whether a message may be sent, and what that was decided by.
pub(super) struct Decision {
    pub verdict: Result<Box<Letter>, SkipReason>,
    pub guard: Option<RecipientGuard>,
}

/// What became of messages, once it is written.
pub(super) fn count(write: &MessageWrite) {
    for message in &write.messages {
        let words = [("kind", message.kind.as_str()), ("outcome", message.status.as_str())];
        metrics::put(write.at, "Messages", Unit::Count, 1, &words);
    }
}

/// What became of a message, for the referral's history.
pub(super) fn entry(
    message: &Message,
    before: Option<MessageStatus>,
    request_id: &str,
    function: &'static str,
    at: Timestamp,
) -> AuditEntry {
    AuditEntry {
        at,
        actor: Actor::System(function).to_string(),
        action: AuditAction::MessageChanged,
        from: before.map(|status| status.as_str().to_owned()),
        to: Some(message.status.as_str().to_owned()),
        fields: Vec::new(),
        deal_id: None,
        note: None,
        message: Some(MessageNote { kind: message.kind, channel: message.channel, reason: message.reason.clone() }),
        request_id: request_id.to_owned(),
        event_id: None,
    }
}
