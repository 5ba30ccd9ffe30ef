//! The queue of rewards that wait for somebody: in which lane a referral stands, and since when.

use super::{
    referral::{Referral, RewardStatus},
    time::Timestamp,
};

named! {
    #[derive(Default)]
    pub enum RewardLane {
        /// To be sent.
        #[default]
        Pending = "pending",
        /// Sent, and nobody has been thanked yet.
        Sent = "sent",
        /// To be looked at, or the holding period goes on.
        Held = "held",
    }
}

impl RewardLane {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId, UserId},
        referral::{Channel, NewReferral, RewardType},
        reward::RewardPolicy,
        text::PersonName,
    };

    #[test]
    fn a_lane_is_found_by_its_name_alone() {
        assert_eq!(RewardLane::ALL.map(RewardLane::as_str), ["pending", "sent", "held"]);
        for lane in RewardLane::ALL {
            assert_eq!(RewardLane::find(lane.as_str()), Some(lane));
        }
        assert_eq!(RewardLane::find("PENDING"), None);
    }

    #[test]
    fn a_reward_waits_in_its_lane_since_it_came_up_or_was_sent() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let (came_up, sent) = (at.plus_seconds(10), at.plus_seconds(20));
        let organization = OrgId::parse("org_1").unwrap();
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
        let mut policy = RewardPolicy::default_of(organization);
        policy.reward_type = RewardType::Custom;
        referral.bring_up_reward(&policy, at, came_up);
        referral.reward_sent_at = Some(sent);
        for status in RewardStatus::ALL {
            referral.reward_status = status;
            let wanted = match status {
                RewardStatus::Pending => Some((RewardLane::Pending, came_up)),
                RewardStatus::Held => Some((RewardLane::Held, came_up)),
                RewardStatus::Sent => Some((RewardLane::Sent, sent)),
                RewardStatus::None | RewardStatus::Canceled | RewardStatus::Thanked => None,
            };
            assert_eq!(RewardLane::of(&referral), wanted, "{status:?}");
        }
    }
}
