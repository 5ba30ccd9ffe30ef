//! What an advocate is owed for a referral that converted, and from which status a reward goes to which.
//!
//! What was sent is never un-sent. The product never says that a reward is legal; it records who said so.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use super::reward_policy::{
    ComplianceGate, DEFAULT_ATTRIBUTION_WINDOW_DAYS, MAX_DAYS, PolicyContent, RewardPolicy, RewardTerms,
    ThankYouChannel, WrongValue,
};
use super::{
    id::UserId,
    money::{Currency, share},
    referral::{Channel, Referral, ReferralStatus, RewardStatus, RewardType, RiskFlag},
    time::Timestamp,
};

named! {
    /// Why a reward waits.
    pub enum HoldReason {
        SelfReferral = "SELF_REFERRAL",
        HoldingPeriod = "HOLDING_PERIOD",
        Compliance = "COMPLIANCE",
    }
}

/// Who took a reward back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CanceledBy {
    /// For good.
    Agent,
    /// Until the deal is won again.
    Deal,
}

/// Who said that the law on referral fees allows this reward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    pub by: UserId,
    pub at: Timestamp,
}

/// Everything about a reward that came up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardDetails {
    pub terms: RewardTerms,
    /// When it came up; the place in its queue.
    pub due_at: Timestamp,
    /// In minor units of the referral's `rewardCurrency`. None for a share of a commission that nobody has told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hold_reasons: BTreeSet<HoldReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_by: Option<CanceledBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_acknowledged: Option<Acknowledgement>,
    #[serde(default)]
    pub reversed_after_send: bool,
}

/// What a deal brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revenue {
    pub currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_price_minor: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_commission_minor: Option<i64>,
}

/// When a referral converted, and what it brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    pub converted_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Revenue>,
}

/// Why a reward cannot go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewardRefused {
    /// No such edge from the reward's status.
    Transition(RewardStatus),
    /// Sending under the gate WARN needs `complianceAcknowledged`.
    AcknowledgementRequired,
}

/// What becomes of a reward that was asked to move.
pub type RewardMove = Result<bool, RewardRefused>;

impl Referral {
    /// The referral converted at `won_at`, which is known since `now`: its reward comes up, if it or the policy has one. A
    /// reward that was there before goes on under the terms of then. The holding period counts from the win.
    pub fn bring_up_reward(&mut self, policy: &RewardPolicy, won_at: Timestamp, now: Timestamp) {
        match (self.reward_status, self.reward.as_ref().and_then(|reward| reward.canceled_by)) {
            (RewardStatus::None, _) => {
                // It converted elsewhere, and whoever decided that there was no reward decided it there.
                if self.reward_type == RewardType::None && self.channel == Channel::Import && self.reversed {
                    return;
                }
                if self.reward_type == RewardType::None {
                    self.reward_type = policy.reward_type;
                    self.reward_value = policy.reward_value;
                }
                if self.reward_type == RewardType::None {
                    return;
                }
                self.reward = Some(RewardDetails {
                    terms: policy.terms(),
                    due_at: now,
                    amount_minor: None,
                    hold_reasons: BTreeSet::new(),
                    hold_until: None,
                    canceled_by: None,
                    compliance_acknowledged: None,
                    reversed_after_send: false,
                });
                if self.reward_type != RewardType::CommissionShare {
                    self.reward_currency = Some(policy.currency.clone());
                }
                self.queue_reward(won_at, now);
            }
            (RewardStatus::Canceled, Some(CanceledBy::Deal)) => self.queue_reward(won_at, now),
            (RewardStatus::Sent | RewardStatus::Thanked, _) => {
                if let Some(reward) = &mut self.reward {
                    reward.reversed_after_send = false;
                }
            }
            _ => {}
        }
        self.value_reward();
    }

    /// PENDING, or HELD for the reasons that there are.
    fn queue_reward(&mut self, won_at: Timestamp, now: Timestamp) {
        let is_own = self.risk_flags.contains(&RiskFlag::SelfReferral);
        let Some(reward) = &mut self.reward else { return };
        let days = reward.terms.holding_period_days;
        let hold_until = Some(won_at.plus_days(days.into())).filter(|until| days > 0 && *until > now);
        let reasons = [
            (is_own, HoldReason::SelfReferral),
            (hold_until.is_some(), HoldReason::HoldingPeriod),
            (reward.terms.compliance_gate == ComplianceGate::Hold, HoldReason::Compliance),
        ];
        reward.hold_reasons = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        reward.hold_until = hold_until;
        reward.canceled_by = None;
        reward.due_at = now;
        self.reward_status = if reward.hold_reasons.is_empty() { RewardStatus::Pending } else { RewardStatus::Held };
    }

    /// Referrer and referred turned out to be one person. A reward that was not sent waits until somebody has looked; one
    /// that somebody has released since is not held again for what was known then.
    pub fn flag_self_referral(&mut self) {
        let is_new = self.risk_flags.insert(RiskFlag::SelfReferral);
        if let (true, RewardStatus::Pending | RewardStatus::Held, Some(reward)) =
            (is_new, self.reward_status, &mut self.reward)
        {
            reward.hold_reasons.insert(HoldReason::SelfReferral);
            self.reward_status = RewardStatus::Held;
        }
    }

    /// Whether it is the record of something that happened: a deal, or a reward that somebody got.
    #[must_use]
    pub fn is_on_record(&self) -> bool {
        self.status == ReferralStatus::Converted || self.reward_sent_at.is_some()
    }

    /// What the reward is worth, once. A share of a commission is worth what the deal that is told first says.
    pub fn value_reward(&mut self) {
        let Some(reward) = &mut self.reward else { return };
        // What was sent was sent: nobody has weighed what is told since.
        let is_sent = matches!(self.reward_status, RewardStatus::Sent | RewardStatus::Thanked);
        if is_sent || reward.amount_minor.is_some() {
            return;
        }
        if self.reward_type != RewardType::CommissionShare {
            reward.amount_minor = self.reward_value;
            // An earlier type may have been counted otherwise.
            if let Some(currency) = &reward.terms.currency {
                self.reward_currency = Some(currency.clone());
            }
            return;
        }
        let revenue = self.conversion.as_ref().and_then(|conversion| conversion.revenue.as_ref());
        if let (Some(revenue), Some(basis_points)) = (revenue, self.reward_value)
            && let Some(commission) = revenue.gross_commission_minor
        {
            reward.amount_minor = Some(share(commission, basis_points));
            self.reward_currency = Some(revenue.currency.clone());
        }
    }

    /// The deal was taken back: QUALIFIED again, and what was not sent is not owed. What was sent is only marked.
    pub fn reverse(&mut self) {
        self.status = ReferralStatus::Qualified;
        self.conversion = None;
        self.reversed = true;
        let Some(reward) = &mut self.reward else { return };
        match self.reward_status {
            RewardStatus::Pending | RewardStatus::Held => {
                self.reward_status = RewardStatus::Canceled;
                reward.canceled_by = Some(CanceledBy::Deal);
                reward.hold_reasons.clear();
                reward.hold_until = None;
                // The deal that is won again is worth what it is worth then.
                reward.amount_minor = None;
            }
            RewardStatus::Sent | RewardStatus::Thanked => reward.reversed_after_send = true,
            RewardStatus::None | RewardStatus::Canceled => {}
        }
    }

    /// A user has the reward released, with a reason. False when it is pending already.
    ///
    /// # Errors
    /// When there is nothing to release.
    pub fn release_reward(&mut self) -> RewardMove {
        match (self.reward_status, &mut self.reward) {
            (RewardStatus::Held, Some(reward)) => {
                reward.hold_reasons.clear();
                reward.hold_until = None;
                self.reward_status = RewardStatus::Pending;
                Ok(true)
            }
            (RewardStatus::Pending, _) => Ok(false),
            (status, _) => Err(RewardRefused::Transition(status)),
        }
    }

    /// The holding period is over at `now`: its reason goes, and no other. False when nothing changes.
    pub fn end_holding(&mut self, now: Timestamp) -> bool {
        let (RewardStatus::Held, Some(reward)) = (self.reward_status, &mut self.reward) else { return false };
        if reward.hold_until.is_none_or(|until| until > now) || !reward.hold_reasons.remove(&HoldReason::HoldingPeriod)
        {
            return false;
        }
        reward.hold_until = None;
        if reward.hold_reasons.is_empty() {
            self.reward_status = RewardStatus::Pending;
        }
        true
    }

    /// An agent takes the reward back for good, with a reason, also one that its deal took back until it is won again. False
    /// when an agent has taken it back already.
    ///
    /// # Errors
    /// When it was sent, or there is none.
    pub fn cancel_reward(&mut self) -> RewardMove {
        match (self.reward_status, &mut self.reward) {
            (RewardStatus::Pending | RewardStatus::Held, Some(reward)) => {
                reward.hold_reasons.clear();
                reward.hold_until = None;
                reward.canceled_by = Some(CanceledBy::Agent);
                self.reward_status = RewardStatus::Canceled;
                Ok(true)
            }
            (RewardStatus::Canceled, Some(reward)) if reward.canceled_by == Some(CanceledBy::Deal) => {
                reward.canceled_by = Some(CanceledBy::Agent);
                Ok(true)
            }
            (RewardStatus::Canceled, _) => Ok(false),
            (status, _) => Err(RewardRefused::Transition(status)),
        }
    }

    /// The agent has sent the reward. False when that was said before: the first time stays.
    ///
    /// # Errors
    /// When it is not pending, or the law has to be acknowledged first.
    pub fn mark_reward_sent(&mut self, by: &UserId, acknowledges: bool, at: Timestamp) -> RewardMove {
        match (self.reward_status, &mut self.reward) {
            (RewardStatus::Sent | RewardStatus::Thanked, _) => Ok(false),
            (RewardStatus::Pending, Some(reward)) => {
                let asks =
                    reward.terms.compliance_gate == ComplianceGate::Warn && reward.compliance_acknowledged.is_none();
                if asks && !acknowledges {
                    return Err(RewardRefused::AcknowledgementRequired);
                }
                if acknowledges {
                    reward.compliance_acknowledged.get_or_insert_with(|| Acknowledgement { by: by.clone(), at });
                }
                self.reward_status = RewardStatus::Sent;
                self.reward_sent_at = Some(at);
                Ok(true)
            }
            (status, _) => Err(RewardRefused::Transition(status)),
        }
    }

    /// A thank-you was accepted. False when it is known already, or nothing was sent.
    pub fn mark_thanked(&mut self) -> bool {
        let changes = self.reward_status == RewardStatus::Sent;
        if changes {
            self.reward_status = RewardStatus::Thanked;
        }
        changes
    }
}

#[cfg(test)]
mod tests;
