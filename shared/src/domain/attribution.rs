//! What advocates brought: figures of cells, which are sums over referrals.
//!
//! A referral belongs to one cell for ever: its month, its advocate, its agent, its channel. What it adds to that cell follows
//! from its row alone, so whoever replaces a row moves the cell by the difference, and whoever wants to prove a cell adds up
//! its rows.

use std::collections::BTreeMap;

use super::{
    calendar::Month,
    id::{PersonId, UserId},
    money::Currency,
    referral::{Channel, Referral, ReferralStatus, RewardStatus},
};

/// Which referrals are added up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    pub month: Month,
    pub advocate: PersonId,
    pub agent: UserId,
    pub channel: Channel,
}

impl CellId {
    #[must_use]
    pub fn of(referral: &Referral) -> Self {
        Self {
            month: referral.month,
            advocate: referral.referrer_person_id.clone(),
            agent: referral.agent_user_id.clone(),
            channel: referral.channel,
        }
    }
}

/// Sums of money in minor units, each currency for itself. Wider than any amount, so that no sum of amounts overflows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts(BTreeMap<Currency, i128>);

impl Amounts {
    pub fn add(&mut self, currency: &Currency, minor: i128) {
        let sum = self.0.entry(currency.clone()).or_default();
        *sum += minor;
        if *sum == 0 {
            self.0.remove(currency);
        }
    }

    /// In the order of the currencies' codes; none of them is nought.
    pub fn iter(&self) -> impl Iterator<Item = (&Currency, i128)> {
        self.0.iter().map(|(currency, minor)| (currency, *minor))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sums over some referrals, by their present status; or the difference of two such sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub referrals: i64,
    pub contacted: i64,
    pub qualified: i64,
    pub converted: i64,
    pub lost: i64,
    /// Converted, and tied to a deal. A deal belongs to one referral, so that is how many deals there are.
    pub deals_won: i64,
    /// A conversion was taken back, and has not come again.
    pub reversed: i64,
    /// Sale prices of the deals, as far as they are known.
    pub sales_volume: Amounts,
    /// Gross commissions of the deals, as far as they are known.
    pub gross_commission: Amounts,
    /// Of rewards that are PENDING and whose amount is known.
    pub rewards_pending: Amounts,
    /// Of rewards that are SENT or THANKED and whose amount is known.
    pub rewards_sent: Amounts,
}

impl Figures {
    /// What one referral adds.
    #[must_use]
    pub fn of(referral: &Referral) -> Self {
        let one = |holds: bool| i64::from(holds);
        let is = |status| one(referral.status == status);
        let is_converted = referral.status == ReferralStatus::Converted;
        let mut figures = Self {
            referrals: 1,
            contacted: is(ReferralStatus::Contacted),
            qualified: is(ReferralStatus::Qualified),
            converted: one(is_converted),
            lost: is(ReferralStatus::Lost),
            deals_won: one(is_converted && referral.resulting_deal_id.is_some()),
            reversed: one(referral.reversed),
            ..Self::default()
        };
        if let Some(revenue) = referral.conversion.as_ref().and_then(|conversion| conversion.revenue.as_ref()) {
            figures.sales_volume.add(&revenue.currency, revenue.sale_price_minor.unwrap_or(0).into());
            figures.gross_commission.add(&revenue.currency, revenue.gross_commission_minor.unwrap_or(0).into());
        }
        let amount = referral.reward.as_ref().and_then(|reward| reward.amount_minor);
        if let (Some(amount), Some(currency)) = (amount, &referral.reward_currency) {
            match referral.reward_status {
                RewardStatus::Pending => figures.rewards_pending.add(currency, amount.into()),
                RewardStatus::Sent | RewardStatus::Thanked => figures.rewards_sent.add(currency, amount.into()),
                RewardStatus::None | RewardStatus::Held | RewardStatus::Canceled => {}
            }
        }
        figures
    }

    /// The counts by the names under which they are told and stored.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, i64); 7] {
        [
            ("referrals", self.referrals),
            ("contacted", self.contacted),
            ("qualified", self.qualified),
            ("converted", self.converted),
            ("lost", self.lost),
            ("dealsWon", self.deals_won),
            ("reversed", self.reversed),
        ]
    }

    /// The sums of money by the names under which they are told and stored.
    #[must_use]
    pub fn amounts(&self) -> [(&'static str, &Amounts); 4] {
        [
            ("salesVolume", &self.sales_volume),
            ("grossCommission", &self.gross_commission),
            ("rewardsPending", &self.rewards_pending),
            ("rewardsSent", &self.rewards_sent),
        ]
    }

    /// None for a name that is no count's.
    pub fn count_mut(&mut self, name: &str) -> Option<&mut i64> {
        Some(match name {
            "referrals" => &mut self.referrals,
            "contacted" => &mut self.contacted,
            "qualified" => &mut self.qualified,
            "converted" => &mut self.converted,
            "lost" => &mut self.lost,
            "dealsWon" => &mut self.deals_won,
            "reversed" => &mut self.reversed,
            _ => return None,
        })
    }

    /// None for a name that is no sum of money's.
    pub fn amounts_mut(&mut self, name: &str) -> Option<&mut Amounts> {
        Some(match name {
            "salesVolume" => &mut self.sales_volume,
            "grossCommission" => &mut self.gross_commission,
            "rewardsPending" => &mut self.rewards_pending,
            "rewardsSent" => &mut self.rewards_sent,
            _ => return None,
        })
    }

    pub fn add(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, -1);
    }

    fn combine(&mut self, other: &Self, sign: i8) {
        for (name, count) in other.counts() {
            if let Some(own) = self.count_mut(name) {
                *own += count * i64::from(sign);
            }
        }
        for (name, amounts) in other.amounts() {
            if let Some(own) = self.amounts_mut(name) {
                for (currency, minor) in amounts.iter() {
                    own.add(currency, minor * i128::from(sign));
                }
            }
        }
    }

    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Those that may still become something.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.referrals - self.converted - self.lost
    }

    /// Which part of the referrals converted, in ten thousandths, rounded to the nearest. None where there are none.
    #[must_use]
    pub fn conversion_rate(&self) -> Option<i64> {
        (self.referrals > 0).then(|| (self.converted * 20_000 / self.referrals + 1) / 2)
    }
}

named! {
    /// By what figures are added up.
    #[derive(Default)]
    pub enum Grouping {
        #[default]
        Advocate = "advocate",
        Agent = "agent",
        Channel = "channel",
        Month = "month",
    }
}

/// A cell as it is stored. `version` counts its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub id: CellId,
    pub figures: Figures,
    pub version: u64,
}

#[cfg(test)]
mod tests;
