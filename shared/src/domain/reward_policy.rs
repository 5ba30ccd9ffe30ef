//! What an organization gives for referrals, and under which terms.

use serde::{Deserialize, Serialize};

use super::{
    id::{OrgId, UserId},
    money::Currency,
    referral::RewardType,
    text::PersonName,
    time::Timestamp,
};

named! {
    /// Through which channels the referrer is thanked.
    pub enum ThankYouChannel {
        Email = "EMAIL",
        Sms = "SMS",
        Both = "BOTH",
    }
}

named! {
    /// What the law on referral fees asks of whoever sends a reward.
    pub enum ComplianceGate {
        Off = "OFF",
        /// Sending needs an acknowledgement.
        Warn = "WARN",
        /// A reward is held until somebody releases it.
        Hold = "HOLD",
    }
}

/// Days in which a referral can still lead to a deal, unless the policy says otherwise.
pub const DEFAULT_ATTRIBUTION_WINDOW_DAYS: u32 = 730;
/// Longest window or holding period, in days (ten years).
pub const MAX_DAYS: u32 = 3_650;

/// Why a value does not go with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongValue {
    Required,
    OutOfRange,
}

/// What somebody sets a policy to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyContent {
    pub reward_type: RewardType,
    pub reward_value: Option<i64>,
    pub currency: Currency,
    pub provider: Option<PersonName>,
    pub auto_thank: bool,
    pub thank_you_channel: ThankYouChannel,
    pub attribution_window_days: u32,
    pub holding_period_days: u32,
    pub compliance_gate: ComplianceGate,
}

impl PolicyContent {
    /// Nothing is worth nothing, and what is custom may be worth what no number says. Anything else has a value.
    ///
    /// # Errors
    /// When the value does not go with the type.
    pub fn check_value(&self) -> Result<(), WrongValue> {
        match (self.reward_type, self.reward_value) {
            (RewardType::None | RewardType::Custom, None) => Ok(()),
            (_, None) => Err(WrongValue::Required),
            (RewardType::None, Some(_)) => Err(WrongValue::OutOfRange),
            (reward_type, Some(value)) if (0..=reward_type.max_value()).contains(&value) => Ok(()),
            _ => Err(WrongValue::OutOfRange),
        }
    }
}

/// What an organization gives for referrals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardPolicy {
    pub organization_id: OrgId,
    pub reward_type: RewardType,
    /// Minor units of `currency`, or basis points for a commission share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward_value: Option<i64>,
    pub currency: Currency,
    /// Who fulfils it, in the organization's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<PersonName>,
    pub auto_thank: bool,
    pub thank_you_channel: ThankYouChannel,
    pub attribution_window_days: u32,
    pub holding_period_days: u32,
    pub compliance_gate: ComplianceGate,
    /// Zero until somebody has set the policy.
    pub version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<UserId>,
}

impl RewardPolicy {
    /// No deal that is won after `now` comes of what was created before this.
    #[must_use]
    pub fn window_start(&self, now: Timestamp) -> Timestamp {
        now.plus_days(-i64::from(self.attribution_window_days))
    }

    /// The policy of an organization that has set none: no reward.
    #[must_use]
    pub fn default_of(organization_id: OrgId) -> Self {
        Self {
            organization_id,
            reward_type: RewardType::None,
            reward_value: None,
            currency: Currency::us_dollar(),
            provider: None,
            auto_thank: true,
            thank_you_channel: ThankYouChannel::Email,
            attribution_window_days: DEFAULT_ATTRIBUTION_WINDOW_DAYS,
            holding_period_days: 0,
            compliance_gate: ComplianceGate::Warn,
            version: 0,
            updated_at: None,
            updated_by: None,
        }
    }

    /// The policy with other content, one version on. None when nothing is other than before.
    #[must_use]
    pub fn changed(&self, content: &PolicyContent, by: &UserId, at: Timestamp) -> Option<Self> {
        let content = content.clone();
        let mut next = Self {
            reward_type: content.reward_type,
            reward_value: content.reward_value,
            currency: content.currency,
            provider: content.provider,
            auto_thank: content.auto_thank,
            thank_you_channel: content.thank_you_channel,
            attribution_window_days: content.attribution_window_days,
            holding_period_days: content.holding_period_days,
            compliance_gate: content.compliance_gate,
            ..self.clone()
        };
        if next == *self {
            return None;
        }
        next.version = next.version.saturating_add(1);
        next.updated_at = next.updated_at.max(Some(at));
        next.updated_by = Some(by.clone());
        Some(next)
    }

    pub(super) fn terms(&self) -> RewardTerms {
        RewardTerms {
            policy_version: self.version,
            provider: self.provider.clone(),
            currency: Some(self.currency.clone()),
            auto_thank: self.auto_thank,
            thank_you_channel: self.thank_you_channel,
            compliance_gate: self.compliance_gate,
            holding_period_days: self.holding_period_days,
        }
    }
}

/// The policy as it was when the reward came up; later edits of the policy change nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardTerms {
    pub policy_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<PersonName>,
    /// What anything but a share is counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    pub auto_thank: bool,
    pub thank_you_channel: ThankYouChannel,
    pub compliance_gate: ComplianceGate,
    pub holding_period_days: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> PolicyContent {
        PolicyContent {
            reward_type: RewardType::None,
            reward_value: None,
            currency: Currency::us_dollar(),
            provider: None,
            auto_thank: true,
            thank_you_channel: ThankYouChannel::Email,
            attribution_window_days: DEFAULT_ATTRIBUTION_WINDOW_DAYS,
            holding_period_days: 0,
            compliance_gate: ComplianceGate::Warn,
        }
    }

    #[test]
    fn a_value_goes_with_its_type() {
        use RewardType::{AccountCredit, CommissionShare, Custom, GiftCard, None as Nothing};
        for (reward_type, value, wanted) in [
            (Nothing, None, Ok(())),
            (Nothing, Some(0), Err(WrongValue::OutOfRange)),
            (Custom, None, Ok(())),
            (Custom, Some(1), Ok(())),
            (GiftCard, None, Err(WrongValue::Required)),
            (GiftCard, Some(0), Ok(())),
            (GiftCard, Some(-1), Err(WrongValue::OutOfRange)),
            (AccountCredit, Some(9_007_199_254_740_991), Ok(())),
            (AccountCredit, Some(9_007_199_254_740_992), Err(WrongValue::OutOfRange)),
            (CommissionShare, None, Err(WrongValue::Required)),
            (CommissionShare, Some(10_000), Ok(())),
            (CommissionShare, Some(10_001), Err(WrongValue::OutOfRange)),
        ] {
            let content = PolicyContent { reward_type, reward_value: value, ..content() };
            assert_eq!(content.check_value(), wanted, "{reward_type:?} {value:?}");
        }
    }

    #[test]
    fn only_a_policy_that_is_other_is_a_new_version() {
        let (org, user) = (OrgId::parse("org_1").unwrap(), UserId::parse("user_1").unwrap());
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let policy = RewardPolicy::default_of(org);
        assert_eq!(policy.changed(&content(), &user, at), None, "what was never set is the default");
        let other = PolicyContent { holding_period_days: 14, ..content() };
        let next = policy.changed(&other, &user, at).unwrap();
        assert_eq!((next.version, next.updated_at, next.updated_by.as_ref()), (1, Some(at), Some(&user)));
        assert_eq!(next.changed(&other, &user, at.plus_seconds(1)), None);
    }

    #[test]
    fn every_part_of_a_policy_is_changed_by_itself() {
        let (org, user) = (OrgId::parse("org_1").unwrap(), UserId::parse("user_1").unwrap());
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let policy = RewardPolicy::default_of(org);
        let new = RewardPolicy { version: 1, updated_at: Some(at), updated_by: Some(user.clone()), ..policy.clone() };
        let same = content;
        let (currency, provider) = (Currency::parse("EUR").unwrap(), PersonName::parse("Gifts Inc.").ok());
        for (asked, wanted) in [
            (
                PolicyContent { reward_type: RewardType::Custom, ..same() },
                RewardPolicy { reward_type: RewardType::Custom, ..new.clone() },
            ),
            (PolicyContent { reward_value: Some(5), ..same() }, RewardPolicy { reward_value: Some(5), ..new.clone() }),
            (PolicyContent { currency: currency.clone(), ..same() }, RewardPolicy { currency, ..new.clone() }),
            (PolicyContent { provider: provider.clone(), ..same() }, RewardPolicy { provider, ..new.clone() }),
            (PolicyContent { auto_thank: false, ..same() }, RewardPolicy { auto_thank: false, ..new.clone() }),
            (
                PolicyContent { thank_you_channel: ThankYouChannel::Both, ..same() },
                RewardPolicy { thank_you_channel: ThankYouChannel::Both, ..new.clone() },
            ),
            (
                PolicyContent { attribution_window_days: 90, ..same() },
                RewardPolicy { attribution_window_days: 90, ..new.clone() },
            ),
            (
                PolicyContent { holding_period_days: 7, ..same() },
                RewardPolicy { holding_period_days: 7, ..new.clone() },
            ),
            (
                PolicyContent { compliance_gate: ComplianceGate::Hold, ..same() },
                RewardPolicy { compliance_gate: ComplianceGate::Hold, ..new.clone() },
            ),
        ] {
            assert_eq!(policy.changed(&asked, &user, at), Some(wanted));
        }
    }

    #[test]
    fn the_window_goes_back_from_now() {
        let mut policy = RewardPolicy::default_of(OrgId::parse("org_1").unwrap());
        policy.attribution_window_days = 2;
        let start = policy.window_start(Timestamp::parse("2026-11-23T07:00:00Z").unwrap());
        assert_eq!(start.to_string(), "2026-11-21T07:00:00.000Z");
    }

    #[test]
    fn names_on_the_wire_are_those_of_the_contract() {
        for channel in ThankYouChannel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.as_str());
            assert_eq!(ThankYouChannel::find(channel.as_str()), Some(channel));
        }
        for gate in ComplianceGate::ALL {
            assert_eq!(serde_json::to_value(gate).unwrap(), gate.as_str());
            assert_eq!(ComplianceGate::find(gate.as_str()), Some(gate));
        }
    }
}
