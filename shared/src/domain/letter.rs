//! What a message says, before it has a form: who writes to whom about what.

use super::{
    contact::{Contact, ContactKey},
    email::Email,
    id::PersonId,
    message::MessageId,
    money::Currency,
    phone::Phone,
    referral::{Referral, RewardType},
    scope::OrgScope,
    text::PersonName,
    time::Timestamp,
};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Email(Email),
    Phone(Phone),
}

impl Address {
    #[must_use]
    pub fn key(&self) -> ContactKey {
        match self {
            Self::Email(email) => ContactKey::Email(email.key()),
            Self::Phone(phone) => ContactKey::Phone(phone.clone()),
        }
    }

    #[must_use]
    pub fn to_contact(&self) -> Contact {
        match self {
            Self::Email(email) => Contact { email: Some(email.clone()), phone: None },
            Self::Phone(phone) => Contact { email: None, phone: Some(phone.clone()) },
        }
    }
}

/// In whose name a message is written. A reply goes to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub agent: String,
    pub brokerage: String,
    pub reply_to: Option<Email>,
}

/// A reward as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewardLine {
    pub reward_type: RewardType,
    /// Minor units and their currency, where they are known.
    pub amount: Option<(i64, Currency)>,
    /// Of the commission, where the reward is a share of it.
    pub basis_points: Option<i64>,
    pub provider: Option<PersonName>,
}

impl RewardLine {
    /// None where there is no reward.
    #[must_use]
    pub fn of(referral: &Referral) -> Option<Self> {
        if referral.reward_type == RewardType::None {
            return None;
        }
        let details = referral.reward.as_ref()?;
        let is_share = referral.reward_type == RewardType::CommissionShare;
        Some(Self {
            reward_type: referral.reward_type,
            amount: details.amount_minor.zip(referral.reward_currency.clone()),
            basis_points: referral.reward_value.filter(|_| is_share),
            provider: details.terms.provider.clone(),
        })
    }
}

/// One message, ready to be put into its form and to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub scope: OrgScope,
    pub id: MessageId,
    /// The claim under which it leaves.
    pub token: String,
    pub to: Address,
    pub signature: Signature,
    /// The one that is written to, when it is the referrer: their link to unsubscribe.
    pub referrer: PersonId,
    /// None when they were erased.
    pub referrer_name: Option<PersonName>,
    /// None when they were erased.
    pub referred_name: Option<PersonName>,
    pub reward: Option<RewardLine>,
    pub written_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        id::{OrgId, ReferralId, UserId},
        phone::Region,
        referral::{Channel, NewReferral},
        reward::RewardPolicy,
    };

    #[test]
    fn an_address_is_one_way_to_reach_somebody() {
        let email = Email::parse("Pat@example.com").unwrap();
        let phone = Phone::parse("+14155552671", &Region::default()).unwrap();
        for (address, contact) in [
            (Address::Email(email.clone()), Contact { email: Some(email), phone: None }),
            (Address::Phone(phone.clone()), Contact { email: None, phone: Some(phone) }),
        ] {
            assert_eq!(address.to_contact(), contact);
            assert_eq!(contact.keys(), [address.key()]);
        }
    }

    #[test]
    fn a_reward_is_told_as_far_as_it_is_known() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let organization = OrgId::parse("org_1").unwrap();
        for (reward_type, amount, basis_points) in [
            (RewardType::None, None, None),
            (RewardType::GiftCard, Some((250, Currency::us_dollar())), None),
            // Of a commission that nobody has told.
            (RewardType::CommissionShare, None, Some(250)),
        ] {
            let new = NewReferral {
                referrer_person_id: PersonId::parse("person_1").unwrap(),
                referred_name: PersonName::parse("Sam Lee").unwrap(),
                referred_contact: Contact::default(),
                agent_user_id: UserId::parse("user_1").unwrap(),
                channel: Channel::Manual,
                notes: None,
            };
            let id = ReferralId::parse("ref_1").unwrap();
            let mut referral = Referral::received(id, organization.clone(), new, at, &Zone::utc());
            let mut policy = RewardPolicy::default_of(organization.clone());
            (policy.reward_type, policy.reward_value) = (reward_type, Some(250));
            policy.provider = PersonName::parse("Gifts Inc.").ok();
            assert_eq!(RewardLine::of(&referral), None, "nothing came up");
            referral.bring_up_reward(&policy, at, at);
            let provider = policy.provider.clone();
            let line = RewardLine { reward_type, amount, basis_points, provider };
            assert_eq!(RewardLine::of(&referral), (reward_type != RewardType::None).then_some(line), "{reward_type:?}");
        }
    }
}
