//! What an agent may do about a reward that came up, and where it can go from each status.

use super::{
    id::UserId,
    referral::{Referral, RewardStatus},
    reward::RewardMove,
    text::Reason,
    time::Timestamp,
};

/// What an agent asks for. What the clock, a deal or a thank-you does to a reward is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RewardAction {
    /// It was sent. `acknowledges` that the law on referral fees was thought of.
    MarkSent { by: UserId, acknowledges: bool },
    /// It waits no longer.
    Release(Reason),
    /// It is taken back.
    Cancel(Reason),
}

impl RewardAction {
    #[must_use]
    pub fn target(&self) -> RewardStatus {
        match self {
            Self::MarkSent { .. } => RewardStatus::Sent,
            Self::Release(_) => RewardStatus::Pending,
            Self::Cancel(_) => RewardStatus::Canceled,
        }
    }

    /// Why it is done, where that has to be said.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::MarkSent { .. } => None,
            Self::Release(reason) | Self::Cancel(reason) => Some(reason),
        }
    }

    /// False when it was done before.
    ///
    /// # Errors
    /// When the reward's status, or the law, does not allow it.
    pub fn apply(&self, referral: &mut Referral, at: Timestamp) -> RewardMove {
        match self {
            Self::MarkSent { by, acknowledges } => referral.mark_reward_sent(by, *acknowledges, at),
            Self::Release(_) => referral.release_reward(),
            Self::Cancel(_) => referral.cancel_reward(),
        }
    }
}

/// Where an agent can take a reward from `from`.
#[must_use]
pub fn targets(from: RewardStatus) -> &'static [RewardStatus] {
    match from {
        RewardStatus::Pending => &[RewardStatus::Canceled, RewardStatus::Sent],
        RewardStatus::Held => &[RewardStatus::Pending, RewardStatus::Canceled],
        RewardStatus::None | RewardStatus::Canceled | RewardStatus::Sent | RewardStatus::Thanked => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId},
        referral::{Channel, NewReferral, RewardType},
        reward::{ComplianceGate, RewardPolicy, RewardRefused},
        text::PersonName,
    };

    fn referral(status: RewardStatus) -> Referral {
        let organization = OrgId::parse("org_1").unwrap();
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let new = NewReferral {
            referrer_person_id: PersonId::parse("person_1").unwrap(),
            referred_name: PersonName::parse("Sam Lee").unwrap(),
            referred_contact: Contact::default(),
            agent_user_id: UserId::parse("user_1").unwrap(),
            channel: Channel::Manual,
            notes: None,
        };
        let mut referral =
            Referral::received(ReferralId::parse("ref_1").unwrap(), organization.clone(), new, at, &Zone::utc());
        let mut policy = RewardPolicy::default_of(organization);
        policy.reward_type = RewardType::Custom;
        policy.compliance_gate = if status == RewardStatus::Held { ComplianceGate::Hold } else { ComplianceGate::Off };
        if status != RewardStatus::None {
            referral.bring_up_reward(&policy, at, at);
            referral.reward_status = status;
        }
        referral
    }

    #[test]
    fn an_action_goes_where_the_targets_say_and_nowhere_else() {
        let reason = || Reason::parse("because").unwrap().unwrap();
        let by = UserId::parse("user_1").unwrap();
        for from in RewardStatus::ALL {
            for action in [
                RewardAction::MarkSent { by: by.clone(), acknowledges: false },
                RewardAction::Release(reason()),
                RewardAction::Cancel(reason()),
            ] {
                let is_said = !matches!(action, RewardAction::MarkSent { .. });
                assert_eq!(action.reason().map(Reason::as_str), is_said.then_some("because"), "{action:?}");
                let mut after = referral(from);
                let at = after.created_at;
                let outcome = action.apply(&mut after, at);
                let is_there =
                    from == action.target() || (from, action.target()) == (RewardStatus::Thanked, RewardStatus::Sent);
                if targets(from).contains(&action.target()) {
                    assert_eq!((outcome, after.reward_status), (Ok(true), action.target()), "{action:?} from {from:?}");
                } else if is_there {
                    assert_eq!((outcome, after), (Ok(false), referral(from)), "{action:?} from {from:?}");
                } else {
                    let refused = Err(RewardRefused::Transition(from));
                    assert_eq!((outcome, after), (refused, referral(from)), "{action:?} from {from:?}");
                }
            }
        }
    }
}
