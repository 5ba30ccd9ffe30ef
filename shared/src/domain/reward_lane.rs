//! The queue of rewards that wait for somebody: in which lane a referral stands, and since when.

use super::{
    referral::{Referral, RewardStatus},
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RewardLane {
    /// To be sent.
    #[default]
    Pending,
    /// Sent, and nobody has been thanked yet.
    Sent,
    /// To be looked at, or the holding period goes on.
    Held,
}

impl RewardLane {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Sent, Self::Held];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Held => "held",
        }
    }

    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == text)
    }

    /// The status of the rewards in it.
    #[must_use]
    pub fn status(self) -> RewardStatus {
        match self {
            Self::Pending => RewardStatus::Pending,
            Self::Sent => RewardStatus::Sent,
            Self::Held => RewardStatus::Held,
        }
    }

    /// The lane that the referral stands in, and the time that gives its place there: when the reward came up, or was
    /// sent.
    #[must_use]
    pub fn of(referral: &Referral) -> Option<(Self, Timestamp)> {
        let lane = Self::ALL.into_iter().find(|lane| lane.status() == referral.reward_status)?;
        let since = match lane {
            Self::Pending | Self::Held => referral.reward.as_ref()?.due_at,
            Self::Sent => referral.reward_sent_at?,
        };
        Some((lane, since))
    }
}
