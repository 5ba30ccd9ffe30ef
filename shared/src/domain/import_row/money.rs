//! What a row says of money: what the deal brought, and what the referrer got.

use super::cells::Cells;
use crate::domain::{
    import::Column,
    money::{Currency, MAX_MINOR},
    referral::{ReferralStatus, RewardStatus, RewardType},
    reward::{Conversion, Revenue},
    time::Timestamp,
};

/// The reward of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowReward {
    pub reward_type: RewardType,
    pub value: Option<i64>,
    /// What it was worth when it came up, where the row says so.
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
    pub status: RewardStatus,
    /// For one that was sent, and no other.
    pub sent_at: Option<Timestamp>,
}

impl Cells<'_> {
    /// None unless the referral converted.
    pub fn conversion(&mut self, status: ReferralStatus, received_at: Option<Timestamp>) -> Option<Conversion> {
        let sale_price_minor = self.number(Column::SalePriceMinor, MAX_MINOR);
        let gross_commission_minor = self.number(Column::GrossCommissionMinor, MAX_MINOR);
        let currency = self.currency(Column::Currency);
        let converted_at = self.time_of_outcome(Column::ConvertedAt, received_at);
        if status != ReferralStatus::Converted {
            return None;
        }
        let has_amount = sale_price_minor.is_some() || gross_commission_minor.is_some();
        if has_amount {
            self.require(Column::Currency);
        }
        let revenue = currency.filter(|_| has_amount).map(|currency| Revenue {
            currency,
            sale_price_minor,
            gross_commission_minor,
        });
        Some(Conversion { converted_at: converted_at.or(received_at)?, revenue })
    }

    pub fn reward(
        &mut self,
        status: ReferralStatus,
        reversed: bool,
        received_at: Option<Timestamp>,
        conversion: Option<&Conversion>,
    ) -> RowReward {
        let reward_type = self.parsed(Column::RewardType, "unknown_reward_type", RewardType::find).unwrap_or_default();
        let value = self.number(Column::RewardValue, reward_type.max_value());
        if reward_type == RewardType::None {
            // A value means something by its type only.
            self.refuse(Column::RewardValue, "out_of_range");
        }
        let amount = self.number(Column::RewardAmountMinor, MAX_MINOR);
        let reward_status = self.reward_status(status, reversed);
        let mut currency = self.currency(Column::RewardCurrency);
        let sent_at = self.time_of_outcome(Column::RewardSentAt, received_at);
        let is_sent = matches!(reward_status, RewardStatus::Sent | RewardStatus::Thanked);
        if !is_sent {
            self.refuse(Column::RewardSentAt, "not_sent");
        }
        if reward_status == RewardStatus::None {
            self.refuse(Column::RewardAmountMinor, "no_reward");
        } else {
            if self.code(Column::RewardType).is_none() || reward_type == RewardType::None {
                self.reject(Column::RewardType, "required");
            }
            if amount.is_none() && !matches!(reward_type, RewardType::None | RewardType::Custom) {
                self.require(Column::RewardValue);
            }
            // A share is of the commission's currency, unless it is told what it was worth.
            let is_counted = amount.is_some() || (value.is_some() && reward_type != RewardType::CommissionShare);
            if is_counted && currency.is_none() {
                currency = self.currency(Column::Currency);
                if currency.is_none() && self.code(Column::Currency).is_none() {
                    self.require(Column::RewardCurrency);
                }
            }
        }
        let happened_at = conversion.map(|conversion| conversion.converted_at).or(received_at);
        RowReward {
            reward_type,
            value,
            amount,
            currency,
            status: reward_status,
            sent_at: sent_at.or(happened_at).filter(|_| is_sent),
        }
    }

    /// What is held or canceled here has reasons and people behind it that a file does not have.
    fn reward_status(&mut self, status: ReferralStatus, reversed: bool) -> RewardStatus {
        let column = Column::RewardStatus;
        let reward_status = self.parsed(column, "unknown_reward_status", RewardStatus::find).unwrap_or_default();
        let is_converted = status == ReferralStatus::Converted;
        let is_possible = match reward_status {
            RewardStatus::None => true,
            RewardStatus::Held | RewardStatus::Canceled => {
                self.reject(column, "unsupported_reward_status");
                return RewardStatus::None;
            }
            RewardStatus::Pending => is_converted,
            RewardStatus::Sent | RewardStatus::Thanked => is_converted || reversed,
        };
        if !is_possible {
            self.reject(column, "not_converted");
        }
        reward_status
    }

    fn currency(&mut self, column: Column) -> Option<Currency> {
        self.parsed(column, "unknown_currency", |text| Currency::parse(text).ok())
    }
}
