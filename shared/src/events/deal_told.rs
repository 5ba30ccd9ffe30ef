//! What the organization's transaction system tells of deals. Not ours: any `source`, a flat detail, fields that we do not
//! know are left alone.

use serde::Deserialize;

use super::UnreadableEvent;
use crate::domain::{
    deal::{DealNews, DealState},
    digest::digest,
    id::{DealId, EventId, OrgId, PersonId, ReferralId, UserId},
    money::{Currency, MAX_MINOR},
    reward::Revenue,
    time::Timestamp,
};

/// People of one deal; more are no deal.
const MAX_PEOPLE: usize = 25;

/// One event about a deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealTold {
    pub event_id: EventId,
    pub organization_id: OrgId,
    pub deal_id: DealId,
    pub news: DealNews,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flat {
    organization_id: OrgId,
    deal_id: DealId,
    deal_revision: u64,
    at: Option<Timestamp>,
    won_at: Option<Timestamp>,
    agent_user_id: Option<UserId>,
    person_ids: Option<Vec<PersonId>>,
    referral_id: Option<ReferralId>,
    currency: Option<Currency>,
    sale_price_minor: Option<i64>,
    gross_commission_minor: Option<i64>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    id: Option<String>,
}

/// The state that an event of that type tells, if it is about deals at all.
#[must_use]
pub fn deal_state(detail_type: &str) -> Option<DealState> {
    match detail_type {
        "DEAL_WON" | "deal.won" | "deal.closed_won" => Some(DealState::Won),
        "DEAL_REOPENED" => Some(DealState::Reopened),
        "DEAL_LOST" => Some(DealState::Lost),
        _ => None,
    }
}

impl DealTold {
    /// `bus_id` is the bus's own id of the event: it stands in where the event brings none.
    ///
    /// # Errors
    /// When the JSON is not of this shape, or an amount is negative, too large to be exact, or without a currency.
    pub fn parse(state: DealState, bus_id: &str, json: &str) -> Result<Self, UnreadableEvent> {
        let flat: Flat = serde_json::from_str(json).map_err(|_| UnreadableEvent::Malformed)?;
        let amounts = [flat.sale_price_minor, flat.gross_commission_minor];
        let are_exact = amounts.iter().flatten().all(|amount| (0..=MAX_MINOR).contains(amount));
        let has_amount = amounts.iter().any(Option::is_some);
        // Who tells both may mean the message by the one; the win is what counts.
        let at = flat.won_at.or(flat.at).ok_or(UnreadableEvent::Malformed)?;
        let mut person_ids = flat.person_ids.unwrap_or_default();
        if !are_exact || (has_amount && flat.currency.is_none()) || person_ids.len() > MAX_PEOPLE {
            return Err(UnreadableEvent::Malformed);
        }
        let revenue = flat.currency.filter(|_| has_amount).map(|currency| Revenue {
            currency,
            sale_price_minor: flat.sale_price_minor,
            gross_commission_minor: flat.gross_commission_minor,
        });
        let own_id = flat.metadata.and_then(|metadata| metadata.id);
        person_ids.sort();
        person_ids.dedup();
        Ok(Self {
            event_id: foreign_event_id(own_id.as_deref().unwrap_or(bus_id)),
            organization_id: flat.organization_id,
            deal_id: flat.deal_id,
            news: DealNews {
                revision: flat.deal_revision,
                state,
                at,
                agent_user_id: flat.agent_user_id,
                person_ids,
                named_referral_id: flat.referral_id,
                revenue,
            },
        })
    }
}

/// Somebody else's id of an event may be any text: as one of ours if it is one, else by its digest.
pub(super) fn foreign_event_id(text: &str) -> EventId {
    EventId::parse(text).unwrap_or_else(|_| EventId::from_digest(&digest(&[text.as_bytes()])))
}
