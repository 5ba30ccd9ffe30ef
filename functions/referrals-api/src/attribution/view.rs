//! A report as JSON.

use referrals::{
    domain::{
        attribution::{Amounts, Figures, Grouping},
        calendar::Month,
        id::{PersonId, UserId},
        referral::Channel,
    },
    usecase::report_attribution::Group,
};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributionReport {
    /// First month of the report, in the organization's time zone.
    pub from: Month,
    /// Last month, included.
    pub to: Month,
    pub group_by: Grouping,
    /// Months and channels in their order; advocates and agents with the most deals first, then the most referrals.
    pub rows: Vec<AttributionRow>,
    /// The sum of the rows.
    pub totals: FiguresView,
}

/// What one advocate, agent, channel or month brought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributionRow {
    #[serde(flatten)]
    group: GroupView,
    #[serde(flatten)]
    figures: FiguresView,
}

/// Whose figures they are: as the report is grouped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum GroupView {
    #[serde(rename_all = "camelCase")]
    Advocate {
        advocate_person_id: PersonId,
        /// Null when the person is gone.
        advocate_name: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Agent {
        agent_user_id: UserId,
        /// Null when the member is gone.
        agent_name: Option<String>,
    },
    Channel {
        channel: Channel,
    },
    Month {
        month: Month,
    },
}

/// Referrals that were created in the report's months, by their present status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FiguresView {
    referrals: i64,
    contacted: i64,
    qualified: i64,
    converted: i64,
    lost: i64,
    /// Neither converted nor lost.
    open: i64,
    /// Converted ones among all, with four decimals; null where there are none.
    #[schema(minimum = 0, maximum = 1, example = 0.25)]
    conversion_rate: Option<f64>,
    /// Converted ones that are tied to a deal.
    deals_won: i64,
    /// Sale prices of the deals, as far as they are known.
    sales_volume: Vec<AmountView>,
    /// Gross commissions of the deals, as far as they are known.
    gross_commission: Vec<AmountView>,
    /// Rewards that are to be sent, as far as their amount is known.
    rewards_pending: Vec<AmountView>,
    /// Rewards that were sent, as far as their amount is known.
    rewards_sent: Vec<AmountView>,
    /// A conversion was taken back with its deal, and has not come again.
    reversed: i64,
}

/// A sum of money; each currency is one of its own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AmountView {
    #[schema(pattern = "^[A-Z]{3}$", example = "USD")]
    currency: String,
    /// In minor units, for example cents.
    #[schema(value_type = i64, example = 1_250_000)]
    amount_minor: i128,
}

impl From<(Group, Figures)> for AttributionRow {
    fn from((group, figures): (Group, Figures)) -> Self {
        Self { group: GroupView::from(group), figures: FiguresView::from(&figures) }
    }
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        match group {
            Group::Advocate(advocate_person_id, name) => {
                Self::Advocate { advocate_person_id, advocate_name: name.map(|name| name.as_str().to_owned()) }
            }
            Group::Agent(agent_user_id, name) => {
                Self::Agent { agent_user_id, agent_name: name.map(|name| name.as_str().to_owned()) }
            }
            Group::Channel(channel) => Self::Channel { channel },
            Group::Month(month) => Self::Month { month },
        }
    }
}

impl From<&Figures> for FiguresView {
    fn from(figures: &Figures) -> Self {
        let amounts = |amounts: &Amounts| {
            let view = |(currency, amount_minor): (&referrals::domain::money::Currency, i128)| AmountView {
                currency: currency.as_str().to_owned(),
                amount_minor,
            };
            amounts.iter().map(view).collect()
        };
        Self {
            referrals: figures.referrals,
            contacted: figures.contacted,
            qualified: figures.qualified,
            converted: figures.converted,
            lost: figures.lost,
            open: figures.open(),
            conversion_rate: figures
                .conversion_rate()
                .and_then(|rate| i32::try_from(rate).ok())
                .map(|rate| f64::from(rate) / 10_000.0),
            deals_won: figures.deals_won,
            sales_volume: amounts(&figures.sales_volume),
            gross_commission: amounts(&figures.gross_commission),
            rewards_pending: amounts(&figures.rewards_pending),
            rewards_sent: amounts(&figures.rewards_sent),
            reversed: figures.reversed,
        }
    }
}
