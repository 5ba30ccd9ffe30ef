//! What an agent may change of a referral, and what becomes of it.

use super::{
    email::Email,
    id::{DealId, PersonId},
    lifecycle::Step,
    phone::Phone,
    referral::{Referral, ReferralStatus, RewardStatus, RewardType},
    reward::{Conversion, RewardPolicy, RewardRefused},
    reward_action::RewardAction,
    text::{Notes, PersonName, Reason},
    time::Timestamp,
};

/// What a merge patch says of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Nothing: the field stays.
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// What was set.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// As a patch that cannot clear.
    #[must_use]
    pub fn set(self) -> Self {
        match self {
            Self::Clear => Self::Keep,
            patch => patch,
        }
    }
}

impl<T: Clone + PartialEq> Patch<T> {
    /// Whether `field` is another one now.
    pub(super) fn apply(&self, field: &mut Option<T>) -> bool {
        let wanted = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        };
        let changes = *field != wanted;
        *field = wanted;
        changes
    }
}

/// A change of one referral; every value in it is valid by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralChange {
    pub step: Option<Step>,
    pub lost_reason: Option<Reason>,
    pub resulting_deal_id: Patch<DealId>,
    pub referred_name: Option<PersonName>,
    pub referred_email: Patch<Email>,
    pub referred_phone: Patch<Phone>,
    pub referred_person_id: Patch<PersonId>,
    pub notes: Patch<Notes>,
    pub reward_type: Option<RewardType>,
    pub reward_value: Patch<i64>,
    pub reward_action: Option<RewardAction>,
}

impl ReferralChange {
    /// What was given as the reason.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.reward_action.as_ref().and_then(RewardAction::reason).or(self.lost_reason.as_ref())
    }
}

/// Why a change cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No such edge.
    Transition { from: ReferralStatus, to: ReferralStatus },
    /// A referral converts by a deal, and stays with one.
    DealRequired,
    /// Converting again, with another deal, is not the way to correct one.
    DealAlreadyLinked,
    /// A referral is lost for a reason.
    LostReasonRequired,
    /// The reason belongs to a referral that is lost.
    NotLost,
    /// The reward was decided.
    RewardLocked,
    /// More than there is to give, or a value without a type.
    RewardValue,
    /// Nobody is their own lead.
    SelfReferral,
    /// The reward cannot go there.
    RewardTransition { from: RewardStatus, to: RewardStatus },
    /// The law on referral fees has to be acknowledged before the reward is sent.
    AcknowledgementRequired,
}

/// A referral after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub referral: Referral,
    /// The contract's names of the fields that are other now, without those that move by themselves.
    pub fields: Vec<&'static str>,
}

impl Referral {
    /// The referral after `change`, one version on. None when nothing is other than before.
    ///
    /// # Errors
    /// When the rules forbid it.
    pub fn changed(
        &self,
        change: &ReferralChange,
        policy: &RewardPolicy,
        at: Timestamp,
    ) -> Result<Option<Changed>, Refused> {
        let mut next = self.clone();
        let fields = next.edit(change)?;
        let has_moved = next.step(change, self)?;
        let reward_has_moved = match &change.reward_action {
            Some(action) => next.act_on_reward(action, at)?,
            None => false,
        };
        if fields.is_empty() && !has_moved && !reward_has_moved {
            return Ok(None);
        }
        if has_moved && next.status == ReferralStatus::Converted {
            next.conversion = Some(Conversion { converted_at: at, revenue: None });
            next.bring_up_reward(policy, at, at);
            next.reversed = false;
        }
        next.touch(at);
        Ok(Some(Changed { referral: next, fields }))
    }

    fn edit(&mut self, change: &ReferralChange) -> Result<Vec<&'static str>, Refused> {
        let mut fields = Vec::new();
        if let Some(name) = &change.referred_name
            && *name != self.referred_name
        {
            self.referred_name = name.clone();
            self.referred_erased = false;
            fields.push("referredName");
        }
        let email = change.referred_email.apply(&mut self.referred_contact.email);
        let phone = change.referred_phone.apply(&mut self.referred_contact.phone);
        if email || phone {
            fields.push("referredContact");
        }
        if change.referred_person_id.apply(&mut self.referred_person_id) {
            if self.referred_person_id.as_ref() == Some(&self.referrer_person_id) {
                return Err(Refused::SelfReferral);
            }
            fields.push("referredPersonId");
        }
        if change.notes.apply(&mut self.notes) {
            fields.push("notes");
        }
        if change.resulting_deal_id.apply(&mut self.resulting_deal_id) {
            if change.step == Some(Step::Convert) && self.status == ReferralStatus::Converted {
                return Err(Refused::DealAlreadyLinked);
            }
            fields.push("resultingDealId");
            // What the other deal brought went with it.
            if let Some(conversion) = &mut self.conversion {
                conversion.revenue = None;
            }
            if let (RewardType::CommissionShare, RewardStatus::Pending | RewardStatus::Held, Some(reward)) =
                (self.reward_type, self.reward_status, &mut self.reward)
            {
                reward.amount_minor = None;
            }
        }
        if let (ReferralStatus::Lost, Some(reason)) = (self.status, &change.lost_reason)
            // Losing what is lost already changes nothing; a patch corrects the reason.
            && change.step != Some(Step::Lose)
            && self.lost_reason.as_ref() != Some(reason)
        {
            self.lost_reason = Some(reason.clone());
            fields.push("lostReason");
        }
        fields.extend(self.edit_reward(change)?);
        Ok(fields)
    }

    fn edit_reward(&mut self, change: &ReferralChange) -> Result<Vec<&'static str>, Refused> {
        let before = (self.reward_type, self.reward_value);
        if let Some(reward_type) = change.reward_type
            && reward_type != self.reward_type
        {
            self.reward_type = reward_type;
            // A value means one thing in basis points and another in minor units: it never outlives its type.
            self.reward_value = None;
        }
        change.reward_value.apply(&mut self.reward_value);
        let mut fields = Vec::new();
        if self.reward_type != before.0 {
            fields.push("rewardType");
        }
        if self.reward_value != before.1 {
            fields.push("rewardValue");
        }
        if fields.is_empty() {
            return Ok(fields);
        }
        // A reward that is due is taken back by canceling it, with a reason.
        let is_taken_away = self.reward_type == RewardType::None && self.reward_status == RewardStatus::Pending;
        if is_taken_away || !matches!(self.reward_status, RewardStatus::None | RewardStatus::Pending) {
            return Err(Refused::RewardLocked);
        }
        match self.reward_value {
            Some(_) if self.reward_type == RewardType::None => Err(Refused::RewardValue),
            Some(value) if !(0..=self.reward_type.max_value()).contains(&value) => Err(Refused::RewardValue),
            _ => {
                if let Some(reward) = &mut self.reward {
                    reward.amount_minor = None;
                    // A share is of no currency until somebody tells the commission.
                    self.reward_currency = None;
                }
                self.value_reward();
                Ok(fields)
            }
        }
    }

    fn act_on_reward(&mut self, action: &RewardAction, at: Timestamp) -> Result<bool, Refused> {
        action.apply(self, at).map_err(|refused| match refused {
            RewardRefused::Transition(from) => Refused::RewardTransition { from, to: action.target() },
            RewardRefused::AcknowledgementRequired => Refused::AcknowledgementRequired,
        })
    }

    /// Moves, keeps the lost reason with its status, and asks for a deal where there has to be one.
    fn step(&mut self, change: &ReferralChange, before: &Self) -> Result<bool, Refused> {
        let from = before.status;
        let to = change.step.map_or(from, Step::target);
        if to != from && !change.step.is_some_and(|step| step.is_open_from(from)) {
            return Err(Refused::Transition { from, to });
        }
        if to == ReferralStatus::Converted && self.resulting_deal_id.is_none() {
            return Err(Refused::DealRequired);
        }
        if to != ReferralStatus::Lost && change.lost_reason.is_some() {
            return Err(Refused::NotLost);
        }
        if to == from {
            return Ok(false);
        }
        self.leave_lost();
        if to == ReferralStatus::Lost {
            self.lost_reason = Some(change.lost_reason.clone().ok_or(Refused::LostReasonRequired)?);
        }
        self.status = to;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
