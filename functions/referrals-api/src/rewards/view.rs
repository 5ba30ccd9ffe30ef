//! Rewards and what their deals brought, as the API shows them.

use std::collections::BTreeSet;

use referrals::domain::{
    id::{OrgId, UserId},
    money::Currency,
    referral::RewardType,
    reward::{
        Acknowledgement, ComplianceGate, Conversion, HoldReason, RewardDetails, RewardPolicy, RewardTerms,
        ThankYouChannel,
    },
    text::PersonName,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The policy as it was when the reward came up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewardTermsView {
    policy_version: u64,
    /// Who fulfils it.
    #[schema(example = "Giftly")]
    provider: Option<PersonName>,
    /// Whether the referrer is thanked by itself once the reward is sent.
    auto_thank: bool,
    thank_you_channel: ThankYouChannel,
    compliance_gate: ComplianceGate,
    holding_period_days: u32,
}

impl From<RewardTerms> for RewardTermsView {
    fn from(terms: RewardTerms) -> Self {
        Self {
            policy_version: terms.policy_version,
            provider: terms.provider,
            auto_thank: terms.auto_thank,
            thank_you_channel: terms.thank_you_channel,
            compliance_gate: terms.compliance_gate,
            holding_period_days: terms.holding_period_days,
        }
    }
}

/// Who recorded, before sending, that they had thought of the law on referral fees.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcknowledgementView {
    by: UserId,
    at: Timestamp,
}

impl From<Acknowledgement> for AcknowledgementView {
    fn from(acknowledgement: Acknowledgement) -> Self {
        Self { by: acknowledgement.by, at: acknowledgement.at }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewardView {
    /// When it came up: its place in the queue.
    due_at: Timestamp,
    /// What it is worth, in minor units of `rewardCurrency`. Null for a share of a commission that nobody has told.
    amount_minor: Option<i64>,
    /// Why it waits, while it is HELD.
    #[schema(value_type = Vec<HoldReason>)]
    hold_reasons: BTreeSet<HoldReason>,
    /// When the holding period ends by itself.
    hold_until: Option<Timestamp>,
    /// The deal was taken back after the reward had been sent.
    reversed_after_send: bool,
    compliance_acknowledged: Option<AcknowledgementView>,
    terms: RewardTermsView,
}

impl From<RewardDetails> for RewardView {
    fn from(reward: RewardDetails) -> Self {
        Self {
            due_at: reward.due_at,
            amount_minor: reward.amount_minor,
            hold_reasons: reward.hold_reasons,
            hold_until: reward.hold_until,
            reversed_after_send: reward.reversed_after_send,
            compliance_acknowledged: reward.compliance_acknowledged.map(AcknowledgementView::from),
            terms: reward.terms.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversionView {
    converted_at: Timestamp,
    /// Of both amounts. Null until the deal has told what it brought.
    currency: Option<Currency>,
    sale_price_minor: Option<i64>,
    gross_commission_minor: Option<i64>,
}

impl From<Conversion> for ConversionView {
    fn from(conversion: Conversion) -> Self {
        let (currency, sale_price_minor, gross_commission_minor) =
            conversion.revenue.map_or((None, None, None), |told| {
                (Some(told.currency), told.sale_price_minor, told.gross_commission_minor)
            });
        Self { converted_at: conversion.converted_at, currency, sale_price_minor, gross_commission_minor }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    organization_id: OrgId,
    reward_type: RewardType,
    /// Minor units of `currency`, or basis points for a commission share.
    reward_value: Option<i64>,
    currency: Currency,
    #[schema(example = "Giftly")]
    provider: Option<PersonName>,
    auto_thank: bool,
    thank_you_channel: ThankYouChannel,
    attribution_window_days: u32,
    holding_period_days: u32,
    compliance_gate: ComplianceGate,
    /// Null until somebody has set the policy, as is who.
    updated_at: Option<Timestamp>,
    updated_by: Option<UserId>,
    /// The entity tag, without its quotes. 0 until somebody has set the policy.
    version: u64,
}

impl From<RewardPolicy> for PolicyView {
    fn from(policy: RewardPolicy) -> Self {
        Self {
            organization_id: policy.organization_id,
            reward_type: policy.reward_type,
            reward_value: policy.reward_value,
            currency: policy.currency,
            provider: policy.provider,
            auto_thank: policy.auto_thank,
            thank_you_channel: policy.thank_you_channel,
            attribution_window_days: policy.attribution_window_days,
            holding_period_days: policy.holding_period_days,
            compliance_gate: policy.compliance_gate,
            updated_at: policy.updated_at,
            updated_by: policy.updated_by,
            version: policy.version,
        }
    }
}
