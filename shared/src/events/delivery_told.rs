//! What SES tells of a mail that it has accepted, as the rule on the account's default bus hands it on: ids and codes. SES's
//! own event names addresses; the rule leaves them out, so that none rests in a queue.

use serde::Deserialize;

use super::{UnreadableEvent, deal_told::foreign_event_id};
use crate::domain::{
    consent::{ConsentChannel, ConsentMethod},
    id::{EventId, OrgId, ReferralId},
    message::{DeliveryNews, MessageId, MessageKind},
};

/// `source` of SES's events. Nobody but AWS can put one of that source on a bus.
pub const SES_SOURCE: &str = "aws.ses";

/// One event about one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTold {
    pub event_id: EventId,
    pub organization_id: OrgId,
    pub message: MessageId,
    /// The claim under which the mail left; None where it carries none.
    pub token: Option<String>,
    /// SES's own id of the mail.
    pub provider_message_id: String,
    pub news: DeliveryNews,
    /// More about the news, in SES's words.
    pub code: Option<&'static str>,
    /// By what consent to the channel ends with this, if it does.
    pub ends_consent: Option<ConsentMethod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flat {
    message_id: String,
    tags: Tags,
    bounce_type: Option<BounceType>,
}

/// SES gives each tag as a list; a mail has one of each. Tags that SES adds are left alone.
#[derive(Deserialize)]
struct Tags {
    organization: [OrgId; 1],
    referral: [ReferralId; 1],
    message_kind: [MessageKind; 1],
    channel: [ConsentChannel; 1],
    event: Option<[EventId; 1]>,
    token: Option<[String; 1]>,
}

#[derive(Deserialize)]
enum BounceType {
    /// The mailbox does not exist, or takes nothing any more.
    Permanent,
    /// It was full, or answered that somebody is away.
    Transient,
    /// SES could not tell.
    #[serde(other)]
    Undetermined,
}

impl BounceType {
    fn code(&self) -> &'static str {
        match self {
            Self::Permanent => "Permanent",
            Self::Transient => "Transient",
            Self::Undetermined => "Undetermined",
        }
    }
}

impl DeliveryTold {
    /// `bus_id` is the bus's own id of the event.
    ///
    /// # Errors
    /// When the type is not one of a mail's way, or the JSON is not of this shape.
    pub fn parse(detail_type: &str, bus_id: &str, json: &str) -> Result<Self, UnreadableEvent> {
        let flat: Flat = serde_json::from_str(json).map_err(|_| UnreadableEvent::Malformed)?;
        let Tags { organization: [organization_id], referral: [referral], message_kind: [kind], .. } = flat.tags;
        let [channel] = flat.tags.channel;
        let message = match (kind, flat.tags.event) {
            (MessageKind::ThankYou, _) => MessageId::thank_you(referral, channel),
            (MessageKind::NewReferral | MessageKind::RewardReady, Some([event])) => {
                MessageId::notice(referral, kind, channel, event)
            }
            (MessageKind::NewReferral | MessageKind::RewardReady, None) => return Err(UnreadableEvent::Malformed),
        };
        let (news, code, ends_consent) = match (detail_type, &flat.bounce_type) {
            ("Email Delivered", _) => (DeliveryNews::Delivered, None, None),
            ("Email Bounced", Some(bounce)) => {
                let ends = matches!(bounce, BounceType::Permanent).then_some(ConsentMethod::Bounce);
                (DeliveryNews::Bounced, Some(bounce.code()), ends)
            }
            // SES took it and then found something in it. It never leaves, and that says nothing about the address.
            ("Email Rejected", _) => (DeliveryNews::Bounced, Some("Rejected"), None),
            ("Email Complaint Received", _) => (DeliveryNews::Complained, None, Some(ConsentMethod::Complaint)),
            _ => return Err(UnreadableEvent::Malformed),
        };
        Ok(Self {
            event_id: foreign_event_id(bus_id),
            organization_id,
            message,
            token: flat.tags.token.map(|[token]| token),
            provider_message_id: flat.message_id,
            news,
            code,
            ends_consent,
        })
    }
}
