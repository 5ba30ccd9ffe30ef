//! One message to one person on one channel, from the decision to send it to what became of it.
//!
//! `QUEUED → CLAIMED → SUBMITTED`, or `SKIPPED`, `FAILED`, `UNKNOWN`. A message is claimed before it is sent, so that a
//! thank-you leaves at most once: a claim that ran out says that nobody knows whether it left, and it is not sent again by
//! itself. A notice to an agent leaves at least once: there, a claim that ran out is claimed again.

use serde::{Deserialize, Serialize};

use super::{
    consent::ConsentChannel,
    contact::Contact,
    id::{EventId, OrgId, PersonId, ReferralId},
    time::Timestamp,
};

named! {
    pub enum MessageKind {
        /// Tells the agent that a referral has become a lead.
        NewReferral = "NEW_REFERRAL",
        /// Tells the agent that a reward is due.
        RewardReady = "REWARD_READY",
        /// Thanks the referrer for a referral whose reward was sent.
        ThankYou = "THANK_YOU",
    }
}

impl MessageKind {
    /// Whether it must never leave twice. Otherwise it must leave at least once.
    #[must_use]
    pub fn is_at_most_once(self) -> bool {
        self == Self::ThankYou
    }
}

named! {
    pub enum MessageStatus {
        /// It is to be sent, or was not taken for the moment.
        Queued = "QUEUED",
        /// Somebody is about to send it, or died doing so.
        Claimed = "CLAIMED",
        /// The provider has accepted it.
        Submitted = "SUBMITTED",
        /// It may not be sent, for the reason given.
        Skipped = "SKIPPED",
        /// The provider has refused it for good.
        Failed = "FAILED",
        /// Nobody knows whether it left. It is never sent again by itself.
        Unknown = "UNKNOWN",
    }
}

named! {
    /// Why a message may not be sent.
    pub enum SkipReason {
        /// The policy thanks nobody by itself.
        PolicyOff = "POLICY_OFF",
        DoNotContact = "DO_NOT_CONTACT",
        NoAddress = "NO_ADDRESS",
        /// Mail to the address came back, or was complained about.
        Suppressed = "SUPPRESSED",
        /// The number has told its carrier to stop.
        OptedOut = "OPTED_OUT",
        NoConsent = "NO_CONSENT",
        /// The member wants no such notice.
        NotWanted = "NOT_WANTED",
        /// The organization, or the member who should have been told, is suspended or gone.
        AccountClosed = "ACCOUNT_CLOSED",
    }
}

/// Queued for so long, nobody is trying any more: five receives of a queue are over long before.
const FORGOTTEN_SECONDS: i64 = 3_600;

/// What the provider has said about a message since it accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryNews {
    Delivered,
    Bounced,
    Complained,
}

impl DeliveryNews {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "DELIVERED",
            Self::Bounced => "BOUNCED",
            Self::Complained => "COMPLAINED",
        }
    }
}

/// Which message: at most one thank-you per referral and channel, one notice per event and channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId {
    pub referral: ReferralId,
    pub kind: MessageKind,
    pub channel: ConsentChannel,
    /// The event that the agent is told of; None for a thank-you.
    pub event: Option<EventId>,
}

impl MessageId {
    #[must_use]
    pub fn thank_you(referral: ReferralId, channel: ConsentChannel) -> Self {
        Self { referral, kind: MessageKind::ThankYou, channel, event: None }
    }

    #[must_use]
    pub fn notice(referral: ReferralId, kind: MessageKind, channel: ConsentChannel, event: EventId) -> Self {
        Self { referral, kind, channel, event: Some(event) }
    }
}

/// Who is about to send, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub token: String,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub organization_id: OrgId,
    pub referral_id: ReferralId,
    pub kind: MessageKind,
    pub channel: ConsentChannel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Who is thanked; None for a notice to a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    pub status: MessageStatus,
    /// Why it is in that status: a skip reason, or the provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kept after the claim is over: an answer that comes late is told by its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Where it was sent, since the claim.
    #[serde(default)]
    pub sent_to: Contact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryNews>,
    /// Whether an agent has asked for it by hand: then the policy's `autoThank` is not asked.
    #[serde(default)]
    pub requested: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// What is to be done about a message now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Decide, and claim it if it may be sent.
    Decide,
    /// Somebody else holds it.
    Wait,
    /// The claim ran out, and nobody knows whether the message left.
    GiveUp,
    /// Nothing any more.
    Nothing,
}

/// What came of handing a message to its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// Accepted, under the provider's id.
    Accepted(String),
    /// Refused for good, with the provider's code.
    Refused(String),
    /// Not taken for the moment: nothing left.
    NotTaken(String),
    /// The call was made, and no answer came.
    NoAnswer(String),
}

impl Message {
    /// A message that nobody has decided about.
    #[must_use]
    pub fn new(organization_id: OrgId, id: MessageId, person_id: Option<PersonId>, at: Timestamp) -> Self {
        Self {
            organization_id,
            referral_id: id.referral,
            kind: id.kind,
            channel: id.channel,
            event_id: id.event,
            person_id,
            status: MessageStatus::Queued,
            reason: None,
            claim: None,
            sent_to: Contact::default(),
            provider_message_id: None,
            delivery: None,
            requested: false,
            created_at: at,
            updated_at: at,
            version: 0,
        }
    }

    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId {
            referral: self.referral_id.clone(),
            kind: self.kind,
            channel: self.channel,
            event: self.event_id.clone(),
        }
    }

    #[must_use]
    pub fn next_step(&self, now: Timestamp) -> NextStep {
        match (self.status, &self.claim) {
            (MessageStatus::Claimed, Some(claim)) if now < claim.until => NextStep::Wait,
            (MessageStatus::Claimed, _) if self.kind.is_at_most_once() => NextStep::GiveUp,
            (MessageStatus::Queued | MessageStatus::Claimed, _) => NextStep::Decide,
            _ => NextStep::Nothing,
        }
    }

    fn becomes(&mut self, status: MessageStatus, reason: Option<String>, at: Timestamp) {
        self.status = status;
        self.reason = reason;
        self.updated_at = self.updated_at.max(at);
        self.version = self.version.saturating_add(1);
    }

    pub fn claim(&mut self, claim: Claim, sent_to: Contact, at: Timestamp) {
        self.claim = Some(claim);
        self.sent_to = sent_to;
        self.becomes(MessageStatus::Claimed, None, at);
    }

    pub fn skip(&mut self, reason: SkipReason, at: Timestamp) {
        self.becomes(MessageStatus::Skipped, Some(reason.as_str().to_owned()), at);
    }

    /// The claim ran out.
    pub fn give_up(&mut self, at: Timestamp) {
        self.becomes(MessageStatus::Unknown, Some("CLAIM_RAN_OUT".to_owned()), at);
    }

    /// An agent asks for it to be sent, or decided about, once more. False while it is on its way or has been accepted.
    pub fn request_again(&mut self, at: Timestamp) -> bool {
        let is_over = match (self.status, &self.claim) {
            (MessageStatus::Skipped | MessageStatus::Failed | MessageStatus::Unknown, _) => true,
            // Whoever had it is dead, or its event is among the dead letters.
            (MessageStatus::Claimed, Some(claim)) => claim.until <= at,
            (MessageStatus::Queued, _) => self.updated_at.plus_seconds(FORGOTTEN_SECONDS) <= at,
            _ => false,
        };
        if is_over {
            self.requested = true;
            self.becomes(MessageStatus::Queued, None, at);
        }
        is_over
    }

    /// What the provider answered to the claim `token`. False when the message has gone on since: then the answer
    /// changes nothing. An acceptance is taken even after the claim ran out.
    pub fn answered(&mut self, token: &str, sending: &Sending, at: Timestamp) -> bool {
        let is_own = self.claim.as_ref().is_some_and(|claim| claim.token == token);
        let is_open = match self.status {
            MessageStatus::Claimed => true,
            // Asked for again or not: what has left does not have to leave once more.
            MessageStatus::Unknown | MessageStatus::Queued => matches!(sending, Sending::Accepted(_)),
            _ => false,
        };
        if !is_own || !is_open {
            return false;
        }
        let (status, reason) = match sending {
            Sending::Accepted(id) => {
                self.provider_message_id = Some(id.clone());
                (MessageStatus::Submitted, None)
            }
            Sending::Refused(code) => (MessageStatus::Failed, Some(code.clone())),
            Sending::NoAnswer(code) if self.kind.is_at_most_once() => (MessageStatus::Unknown, Some(code.clone())),
            Sending::NotTaken(code) | Sending::NoAnswer(code) => (MessageStatus::Queued, Some(code.clone())),
        };
        self.becomes(status, reason, at);
        true
    }

    /// What the provider has said since. False when that is known, or less than what is known.
    pub fn hear(&mut self, news: DeliveryNews, at: Timestamp) -> bool {
        let rank = |news: Option<DeliveryNews>| match news {
            None => 0,
            Some(DeliveryNews::Delivered) => 1,
            // A mailbox may take a message first and return it later; a complaint comes last.
            Some(DeliveryNews::Bounced) => 2,
            Some(DeliveryNews::Complained) => 3,
        };
        let is_news = rank(Some(news)) > rank(self.delivery);
        if is_news {
            self.delivery = Some(news);
            self.updated_at = self.updated_at.max(at);
            self.version = self.version.saturating_add(1);
        }
        is_news
    }
}

#[cfg(test)]
mod tests;
