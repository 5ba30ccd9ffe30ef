//! The ledger's row: who referred whom, to which agent, through which channel, and what became of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    calendar::{Month, Zone},
    contact::Contact,
    duplicate::PairKey,
    id::{DealId, OrgId, PersonId, ReferralId, UserId},
    money::Currency,
    person::LeadSource,
    reward::{Conversion, RewardDetails},
    text::{Label, Notes, PersonName, Reason},
    time::Timestamp,
};

named! {
    pub enum ReferralStatus {
        Received = "RECEIVED",
        Contacted = "CONTACTED",
        Qualified = "QUALIFIED",
        Converted = "CONVERTED",
        Lost = "LOST",
    }
}

named! {
    /// Where a referral came from.
    pub enum Channel {
        /// The form on the agent's public profile.
        PublicProfile = "PUBLIC_PROFILE",
        /// The widget on the agent's own site.
        Widget = "WIDGET",
        /// Logged by the agent.
        Manual = "MANUAL",
        /// Brought over from a prior system.
        Import = "IMPORT",
    }
}

impl Channel {
    /// The channels that a public submission may name.
    #[must_use]
    pub fn find_public(text: &str) -> Option<Self> {
        Self::find(text).filter(|channel| channel.is_public())
    }

    /// Whether anybody may send a referral through it, without signing in.
    #[must_use]
    pub fn is_public(self) -> bool {
        matches!(self, Self::PublicProfile | Self::Widget)
    }
}

named! {
    /// Something about a referral that a person should look at. A flag is never taken back: what was done about it is in the
    /// history.
    pub enum RiskFlag {
        /// Referrer and referred turned out to be one person.
        SelfReferral = "SELF_REFERRAL",
        /// Somebody else referred the same person too.
        Contested = "CONTESTED",
        /// An agent logged what looks like a referral that is there already.
        PossibleDuplicate = "POSSIBLE_DUPLICATE",
        /// A phone number of the new person belongs to somebody else.
        PossibleDuplicatePerson = "POSSIBLE_DUPLICATE_PERSON",
    }
}

named! {
    /// What an advocate gets for a referral that converts.
    #[derive(Default)]
    pub enum RewardType {
        GiftCard = "gift_card",
        CommissionShare = "commission_share",
        AccountCredit = "account_credit",
        Custom = "custom",
        #[default]
        None = "none",
    }
}

impl RewardType {
    /// The largest value: basis points of the whole commission, or minor units of a currency that exact JSON numbers
    /// hold in every language.
    #[must_use]
    pub fn max_value(self) -> i64 {
        match self {
            Self::None => 0,
            Self::CommissionShare => 10_000,
            Self::GiftCard | Self::AccountCredit | Self::Custom => 9_007_199_254_740_991,
        }
    }
}

named! {
    #[derive(Default)]
    pub enum RewardStatus {
        #[default]
        None = "NONE",
        Pending = "PENDING",
        Held = "HELD",
        Canceled = "CANCELED",
        Sent = "SENT",
        Thanked = "THANKED",
    }
}

/// One referral. `version` counts changes and is the entity tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referral {
    pub id: ReferralId,
    pub organization_id: OrgId,
    pub referrer_person_id: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referred_person_id: Option<PersonId>,
    pub referred_name: PersonName,
    #[serde(default)]
    pub referred_contact: Contact,
    /// Who was referred was taken out: the name says so, and is nobody's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub referred_erased: bool,
    pub agent_user_id: UserId,
    pub channel: Channel,
    /// Where an imported row came from, and through which channel it came in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
    pub status: ReferralStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resulting_deal_id: Option<DealId>,
    pub resulting_lead_source: LeadSource,
    pub reward_type: RewardType,
    pub reward_status: RewardStatus,
    /// Minor units of `reward_currency`, or basis points for a commission share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward_currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward_sent_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risk_flags: BTreeSet<RiskFlag>,
    /// Why and how a reward is due; nothing before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardDetails>,
    /// What its deal brought, once it converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// It had converted, and its deal was taken back since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reversed: bool,
    /// The guard that this referral set up, so that deleting the one takes down the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guarded_pair: Option<PairKey>,
    /// Since when it is closed because nobody took it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// In which month it was created, as the organization counted months then. It counts in that month for ever.
    pub month: Month,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// What an imported row was called in the system that it came from. At most one referral of an organization has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    pub source_system: Label,
    pub external_id: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Label>,
}

impl Origin {
    /// What makes it one: the channel is only told about it.
    #[must_use]
    pub fn name(&self) -> (&str, &str) {
        (self.source_system.as_str(), self.external_id.as_str())
    }
}

/// What is known when a referral is captured or logged.
#[derive(Debug, Clone)]
pub struct NewReferral {
    pub referrer_person_id: PersonId,
    pub referred_name: PersonName,
    pub referred_contact: Contact,
    pub agent_user_id: UserId,
    pub channel: Channel,
    pub notes: Option<Notes>,
}

impl Referral {
    /// Every referral starts as RECEIVED, without a reward.
    #[must_use]
    pub fn received(id: ReferralId, organization_id: OrgId, new: NewReferral, at: Timestamp, zone: &Zone) -> Self {
        Self {
            id,
            organization_id,
            referrer_person_id: new.referrer_person_id,
            referred_person_id: None,
            referred_name: new.referred_name,
            referred_contact: new.referred_contact,
            referred_erased: false,
            agent_user_id: new.agent_user_id,
            channel: new.channel,
            origin: None,
            status: ReferralStatus::Received,
            lost_reason: None,
            resulting_deal_id: None,
            resulting_lead_source: LeadSource::Referral,
            reward_type: RewardType::None,
            reward_status: RewardStatus::None,
            reward_value: None,
            reward_currency: None,
            reward_sent_at: None,
            notes: new.notes,
            risk_flags: BTreeSet::new(),
            reward: None,
            conversion: None,
            reversed: false,
            guarded_pair: None,
            expired_at: None,
            created_at: at,
            month: Month::of(at, zone),
            updated_at: at,
            version: 1,
        }
    }

    /// Marks one more change at `at`.
    pub fn touch(&mut self, at: Timestamp) {
        self.version = self.version.saturating_add(1);
        self.updated_at = self.updated_at.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_those_of_the_contract() {
        let json = |value: &dyn erased::Erased| value.json();
        assert_eq!(json(&Channel::PublicProfile), "\"PUBLIC_PROFILE\"");
        assert_eq!(json(&RewardType::GiftCard), "\"gift_card\"");
        assert_eq!(json(&RewardStatus::Thanked), "\"THANKED\"");
        assert_eq!(json(&RiskFlag::PossibleDuplicatePerson), "\"POSSIBLE_DUPLICATE_PERSON\"");
        for status in ReferralStatus::ALL {
            assert_eq!(json(&status), format!("\"{}\"", status.as_str()));
            assert_eq!(ReferralStatus::find(status.as_str()), Some(status));
        }
        assert_eq!(ReferralStatus::find("received"), None);
        for channel in Channel::ALL {
            assert_eq!(
                (json(&channel), Channel::find(channel.as_str())),
                (format!("\"{}\"", channel.as_str()), Some(channel))
            );
        }
        for reward in RewardType::ALL {
            assert_eq!(
                (json(&reward), RewardType::find(reward.as_str())),
                (format!("\"{}\"", reward.as_str()), Some(reward))
            );
        }
        for status in RewardStatus::ALL {
            assert_eq!(
                (json(&status), RewardStatus::find(status.as_str())),
                (format!("\"{}\"", status.as_str()), Some(status))
            );
        }
    }

    #[test]
    fn only_the_two_public_channels_are_taken_from_the_public() {
        assert_eq!(Channel::find_public("WIDGET"), Some(Channel::Widget));
        for text in ["MANUAL", "IMPORT", "widget", ""] {
            assert_eq!(Channel::find_public(text), None, "{text:?}");
        }
    }

    mod erased {
        pub trait Erased {
            fn json(&self) -> String;
        }
        impl<T: serde::Serialize> Erased for T {
            fn json(&self) -> String {
                serde_json::to_string(self).unwrap()
            }
        }
    }
}
