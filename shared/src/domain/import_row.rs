//! A row of a file as the referral that this product would have, or everything that is wrong with it.

mod cells;
mod money;

use std::collections::{BTreeMap, BTreeSet};

use cells::{Cells, When};
use money::RowReward;

use super::{
    contact::Contact,
    id::{DealId, PersonId, ReferralId, UserId},
    import::{Column, RowError},
    organization::{Member, Organization},
    referral::{Channel, NewReferral, Origin, Referral, ReferralStatus, RewardStatus, RewardType},
    reward::{Conversion, RewardDetails, RewardPolicy, RewardTerms},
    text::{Label, Notes, PersonName, Reason},
    time::Timestamp,
};

/// What a row is read against.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    pub organization: &'a Organization,
    /// Those who have left too: what they did is history.
    pub members: &'a [Member],
    /// The present one: nobody knows under which terms another system gave its rewards.
    pub policy: &'a RewardPolicy,
    pub now: Timestamp,
}

/// A row that can be a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub origin: Origin,
    pub referrer_name: PersonName,
    /// At least one of address and number.
    pub referrer_contact: Contact,
    pub referred_name: PersonName,
    pub referred_contact: Contact,
    pub agent_user_id: UserId,
    pub status: ReferralStatus,
    pub received_at: Timestamp,
    pub lost_reason: Option<Reason>,
    pub deal_id: Option<DealId>,
    /// For one that converted, and no other.
    pub conversion: Option<Conversion>,
    pub reversed: bool,
    reward: RowReward,
    pub notes: Option<Notes>,
}

impl ImportRow {
    /// What the row is called where it comes from, whatever else is wrong with it.
    #[must_use]
    pub fn origin_of(cells: &BTreeMap<Column, String>) -> Option<Origin> {
        let label = |column| cells.get(&column).and_then(|text| Label::parse(text).ok());
        let (source_system, external_id) = (label(Column::SourceSystem)?, label(Column::ExternalId)?);
        Some(Origin { source_system, external_id, channel: None })
    }

    /// # Errors
    /// Everything that is wrong, at most once for each column, in the order of the columns.
    pub fn read(cells: &BTreeMap<Column, String>, ground: &Ground<'_>) -> Result<Self, Vec<RowError>> {
        let mut cells = Cells::new(cells, ground);
        let source_system = cells.label(Column::SourceSystem);
        let external_id = cells.label(Column::ExternalId);
        cells.require(Column::SourceSystem);
        cells.require(Column::ExternalId);
        let channel = cells.label(Column::Channel);
        let referrer_name = cells.name(Column::ReferrerName);
        let referrer_contact = cells.contact(Column::ReferrerEmail, Column::ReferrerPhone);
        if cells.text(Column::ReferrerEmail).is_none() && cells.text(Column::ReferrerPhone).is_none() {
            cells.reject(Column::ReferrerEmail, "email_or_phone_required");
        }
        let referred_name = cells.name(Column::ReferredName);
        let referred_contact = cells.contact(Column::ReferredEmail, Column::ReferredPhone);
        let agent_user_id = cells.agent();
        let notes = cells.notes(Column::Notes);
        let received_at = cells.time(Column::ReceivedAt).map(When::at);
        cells.require(Column::ReceivedAt);

        let known = cells.parsed(Column::Status, "unknown_status", ReferralStatus::find);
        let is_status_known = known.is_some() || cells.code(Column::Status).is_none();
        // Of a status that nobody knows it is not said what does not go with it.
        let otherwise = if is_status_known { ReferralStatus::Received } else { ReferralStatus::Converted };
        let status = known.unwrap_or(otherwise);
        let lost_reason = cells.reason(Column::LostReason);
        let deal_id = cells.parsed(Column::DealId, "invalid_id", |text| DealId::parse(text).ok());
        let reversed = cells.flag(Column::Reversed);
        let conversion = cells.conversion(status, received_at);
        let reward = cells.reward(status, reversed, received_at, conversion.as_ref());
        if is_status_known {
            cells.check_status(status, reversed);
        }
        if referrer_contact.is_same_person(&referred_contact) {
            cells.reject_row("self_referral");
        }
        let errors = cells.finish();
        match (source_system, external_id, referrer_name, referred_name, agent_user_id, received_at) {
            (
                Some(source_system),
                Some(external_id),
                Some(referrer_name),
                Some(referred_name),
                Some(agent_user_id),
                Some(received_at),
            ) if errors.is_empty() => Ok(Self {
                origin: Origin { source_system, external_id, channel },
                referrer_name,
                referrer_contact,
                referred_name,
                referred_contact,
                agent_user_id,
                status,
                received_at,
                lost_reason,
                deal_id,
                conversion,
                reversed,
                reward,
                notes,
            }),
            _ => Err(errors),
        }
    }

    /// The referral as it would stand here, had all of it happened here.
    #[must_use]
    pub fn referral(&self, id: ReferralId, referrer: PersonId, ground: &Ground<'_>) -> Referral {
        let new = NewReferral {
            referrer_person_id: referrer,
            referred_name: self.referred_name.clone(),
            referred_contact: self.referred_contact.clone(),
            agent_user_id: self.agent_user_id.clone(),
            channel: Channel::Import,
            notes: self.notes.clone(),
        };
        let organization = ground.organization;
        let mut referral =
            Referral::received(id, organization.id.clone(), new, self.received_at, &organization.timezone);
        referral.origin = Some(Box::new(self.origin.clone()));
        referral.status = self.status;
        referral.lost_reason.clone_from(&self.lost_reason);
        referral.resulting_deal_id.clone_from(&self.deal_id);
        referral.conversion.clone_from(&self.conversion);
        referral.reversed = self.reversed;
        self.give_reward(&mut referral, ground.policy);
        // It changed when it came here, not when it happened.
        referral.updated_at = ground.now.max(self.received_at);
        referral
    }

    fn give_reward(&self, referral: &mut Referral, policy: &RewardPolicy) {
        let reward = &self.reward;
        referral.reward_type = reward.reward_type;
        referral.reward_value = reward.value;
        referral.reward_currency.clone_from(&reward.currency);
        if reward.status == RewardStatus::None {
            return;
        }
        let is_share = reward.reward_type == RewardType::CommissionShare;
        let policy_terms = policy.terms();
        let currency = reward.currency.clone().filter(|_| !is_share).or(policy_terms.currency.clone());
        referral.reward = Some(RewardDetails {
            terms: RewardTerms { currency, ..policy_terms },
            due_at: self.conversion.as_ref().map_or(self.received_at, |conversion| conversion.converted_at),
            amount_minor: reward.amount,
            hold_reasons: BTreeSet::new(),
            hold_until: None,
            canceled_by: None,
            compliance_acknowledged: None,
            reversed_after_send: self.reversed,
        });
        // A share in another currency than the commission's was weighed by something that the row does not tell.
        let revenue = self.conversion.as_ref().and_then(|conversion| conversion.revenue.as_ref());
        let is_of_other_money =
            is_share && revenue.zip(reward.currency.as_ref()).is_some_and(|(r, c)| r.currency != *c);
        if !is_of_other_money {
            // It is weighed as long as it is due, and stays so when it is sent.
            referral.reward_status = RewardStatus::Pending;
            referral.value_reward();
        }
        referral.reward_status = reward.status;
        referral.reward_sent_at = reward.sent_at;
    }
}

#[cfg(test)]
mod tests;
