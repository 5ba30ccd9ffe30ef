//! Referrals, people and profiles as the API shows them. Every field is always there; what is not known is null.

use std::collections::BTreeSet;

use referrals::domain::{
    audit::{AuditAction, AuditEntry, MessageNote},
    consent::ConsentChannel,
    contact::Contact,
    email::Email,
    id::{DealId, EventId, OrgId, PersonId, ReferralId, UserId},
    message::MessageKind,
    money::Currency,
    organization::Slug,
    person::{LeadSource, Person, PipelineStage, RelationshipStage},
    phone::Phone,
    profile::AgentProfile,
    referral::{Channel, Referral, ReferralStatus, RewardStatus, RewardType, RiskFlag},
    text::{Label, Notes, PersonName, Reason},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rewards::view::{ConversionView, RewardView};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactView {
    email: Option<Email>,
    phone: Option<Phone>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferralView {
    id: ReferralId,
    organization_id: OrgId,
    referrer_person_id: PersonId,
    referred_person_id: Option<PersonId>,
    referred_name: PersonName,
    referred_contact: ContactView,
    agent_user_id: UserId,
    channel: Channel,
    /// Of an imported referral, the system that it came from; null for others.
    source_system: Option<Label>,
    /// What it is called there.
    external_id: Option<Label>,
    /// The channel through which it came in there, in that system's own words, when it said one.
    original_channel: Option<Label>,
    status: ReferralStatus,
    lost_reason: Option<Reason>,
    resulting_deal_id: Option<DealId>,
    resulting_lead_source: LeadSource,
    reward_type: RewardType,
    reward_status: RewardStatus,
    /// Minor units of `rewardCurrency`, or basis points for a commission share.
    reward_value: Option<i64>,
    /// ISO 4217.
    #[schema(example = "USD")]
    reward_currency: Option<Currency>,
    reward_sent_at: Option<Timestamp>,
    /// Since the reward came up; null before.
    reward: Option<RewardView>,
    /// What the deal brought; null unless the referral is CONVERTED.
    conversion: Option<ConversionView>,
    /// It had converted, and its deal was taken back since.
    reversed: bool,
    notes: Option<Notes>,
    #[schema(value_type = Vec<RiskFlag>)]
    risk_flags: BTreeSet<RiskFlag>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The entity tag, without its quotes.
    version: u64,
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        Self { email: contact.email, phone: contact.phone }
    }
}

impl From<Referral> for ReferralView {
    fn from(row: Referral) -> Self {
        let (source_system, external_id, original_channel) = match row.origin.map(|origin| *origin) {
            Some(origin) => (Some(origin.source_system), Some(origin.external_id), origin.channel),
            None => (None, None, None),
        };
        Self {
            id: row.id,
            organization_id: row.organization_id,
            referrer_person_id: row.referrer_person_id,
            referred_person_id: row.referred_person_id,
            referred_name: row.referred_name,
            referred_contact: row.referred_contact.into(),
            agent_user_id: row.agent_user_id,
            channel: row.channel,
            source_system,
            external_id,
            original_channel,
            status: row.status,
            lost_reason: row.lost_reason,
            resulting_deal_id: row.resulting_deal_id,
            resulting_lead_source: row.resulting_lead_source,
            reward_type: row.reward_type,
            reward_status: row.reward_status,
            reward_value: row.reward_value,
            reward_currency: row.reward_currency,
            reward_sent_at: row.reward_sent_at,
            reward: row.reward.map(RewardView::from),
            conversion: row.conversion.map(ConversionView::from),
            reversed: row.reversed,
            notes: row.notes,
            risk_flags: row.risk_flags,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    id: PersonId,
    organization_id: OrgId,
    name: PersonName,
    email: Option<Email>,
    phone: Option<Phone>,
    lead_source: Option<LeadSource>,
    relationship_stage: Option<RelationshipStage>,
    pipeline_stage: Option<PipelineStage>,
    owner_user_id: Option<UserId>,
    /// How many referrals this person has sent.
    total_referrals: u32,
    email_marketing_consent: bool,
    sms_marketing_consent: bool,
    do_not_contact: bool,
    /// Since when nothing is known of this person any more; null for others.
    erased_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

impl From<Person> for PersonView {
    fn from(row: Person) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            email: row.email,
            phone: row.phone,
            lead_source: row.lead_source,
            relationship_stage: row.relationship_stage,
            pipeline_stage: row.pipeline_stage,
            owner_user_id: row.owner_user_id,
            total_referrals: row.total_referrals,
            email_marketing_consent: row.email_marketing_consent,
            sms_marketing_consent: row.sms_marketing_consent,
            do_not_contact: row.do_not_contact,
            erased_at: row.erased_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    slug: Slug,
    organization_id: OrgId,
    agent_user_id: UserId,
    display_name: PersonName,
    brokerage: PersonName,
    published: bool,
    updated_at: Timestamp,
    version: u64,
}

impl From<AgentProfile> for ProfileView {
    fn from(row: AgentProfile) -> Self {
        Self {
            slug: row.slug,
            organization_id: row.organization_id,
            agent_user_id: row.agent_user_id,
            display_name: row.display_name,
            brokerage: row.brokerage,
            published: row.published,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageNoteView {
    kind: MessageKind,
    channel: ConsentChannel,
    /// Why it was not sent, or the provider's code.
    #[schema(example = "NO_CONSENT")]
    reason: Option<String>,
}

impl From<MessageNote> for MessageNoteView {
    fn from(note: MessageNote) -> Self {
        Self { kind: note.kind, channel: note.channel, reason: note.reason }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntryView {
    at: Timestamp,
    /// A member's id, `public`, or `system:` and a function.
    #[schema(example = "user_789")]
    actor: String,
    action: AuditAction,
    /// A code or an id: what it was before.
    from: Option<String>,
    /// A code or an id: what it is since.
    to: Option<String>,
    /// Names of the fields that changed.
    fields: Vec<String>,
    /// The deal that the referral was linked to by this.
    deal_id: Option<DealId>,
    /// The reason that was given.
    note: Option<Reason>,
    /// The message that was sent, or was not: `from` and `to` are its statuses, or what was heard of its delivery.
    message: Option<MessageNoteView>,
    request_id: String,
    /// The event that told the bus.
    event_id: Option<EventId>,
}

impl From<AuditEntry> for HistoryEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            from: entry.from,
            to: entry.to,
            fields: entry.fields,
            deal_id: entry.deal_id,
            note: entry.note,
            message: entry.message.map(MessageNoteView::from),
            request_id: entry.request_id,
            event_id: entry.event_id.and_then(|id| EventId::parse(&id).ok()),
        }
    }
}
