//! What an agent may change of a referral, and what becomes of it.

use super::{
    email::Email,
    id::{DealId, PersonId},
    lifecycle::Step,
    phone::Phone,
    referral::{Referral, ReferralStatus, RewardStatus, RewardType},
    reward::{Conversion, RewardPolicy},
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
        if fields.is_empty() && !has_moved {
            return Ok(None);
        }
        if has_moved && next.status == ReferralStatus::Converted {
            next.conversion = Some(Conversion { converted_at: at, revenue: None });
            next.bring_up_reward(policy, at, at);
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
        if !matches!(self.reward_status, RewardStatus::None | RewardStatus::Pending) {
            return Err(Refused::RewardLocked);
        }
        match self.reward_value {
            Some(_) if self.reward_type == RewardType::None => Err(Refused::RewardValue),
            Some(value) if !(0..=self.reward_type.max_value()).contains(&value) => Err(Refused::RewardValue),
            _ => {
                if let Some(reward) = &mut self.reward {
                    reward.amount_minor = None;
                }
                self.value_reward();
                Ok(fields)
            }
        }
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
        // The history keeps the reason.
        self.lost_reason = None;
        if to == ReferralStatus::Lost {
            self.lost_reason = Some(change.lost_reason.clone().ok_or(Refused::LostReasonRequired)?);
        }
        self.status = to;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        contact::Contact,
        id::{OrgId, ReferralId, UserId},
        referral::{Channel, NewReferral},
    };

    const AT: &str = "2026-11-22T07:00:00Z";

    fn referral(status: ReferralStatus) -> Referral {
        let new = NewReferral {
            referrer_person_id: PersonId::parse("person_1").unwrap(),
            referred_name: PersonName::parse("Sam Lee").unwrap(),
            referred_contact: Contact::default(),
            agent_user_id: UserId::parse("user_1").unwrap(),
            channel: Channel::Manual,
            notes: None,
        };
        let at = Timestamp::parse(AT).unwrap();
        let mut referral =
            Referral::received(ReferralId::parse("ref_1").unwrap(), OrgId::parse("org_1").unwrap(), new, at);
        referral.status = status;
        referral.resulting_deal_id = (status == ReferralStatus::Converted).then(|| deal("deal_1"));
        referral.lost_reason = (status == ReferralStatus::Lost).then(|| reason("moved away"));
        referral
    }

    fn deal(id: &str) -> DealId {
        DealId::parse(id).unwrap()
    }

    fn reason(text: &str) -> Reason {
        Reason::parse(text).unwrap().unwrap()
    }

    fn change(referral: &Referral, change: &ReferralChange) -> Result<Option<Changed>, Refused> {
        let policy = RewardPolicy::default_of(referral.organization_id.clone());
        referral.changed(change, &policy, Timestamp::parse(AT).unwrap().plus_seconds(1))
    }

    /// Everything that a step could ask for, so that only the edge decides.
    fn step(step: Step) -> ReferralChange {
        ReferralChange {
            step: Some(step),
            lost_reason: (step.target() == ReferralStatus::Lost).then(|| reason("no answer")),
            resulting_deal_id: match step.target() {
                ReferralStatus::Converted => Patch::Set(deal("deal_1")),
                _ => Patch::Keep,
            },
            ..ReferralChange::default()
        }
    }

    #[test]
    fn every_step_from_every_status_moves_stays_or_is_refused() {
        let named = [Step::Contact, Step::Qualify, Step::Reopen, Step::Lose, Step::Convert];
        for from in ReferralStatus::ALL {
            for asked in named.into_iter().chain(ReferralStatus::ALL.map(Step::To)) {
                let before = referral(from);
                let outcome = change(&before, &step(asked));
                let to = asked.target();
                if to == from && asked != Step::To(ReferralStatus::Lost) {
                    assert_eq!(outcome, Ok(None), "{asked:?} from {from:?} changes nothing");
                } else if to == from {
                    assert_eq!(outcome.unwrap().unwrap().fields, ["lostReason"], "a patch corrects the reason");
                } else if asked.is_open_from(from) {
                    let changed = outcome.unwrap().unwrap();
                    assert_eq!(changed.referral.status, to);
                    assert_eq!(changed.referral.conversion.is_some(), to == ReferralStatus::Converted);
                    assert_eq!(changed.referral.version, before.version + 1);
                    assert!(changed.referral.updated_at > before.updated_at);
                    assert_eq!(changed.referral.lost_reason.is_some(), to == ReferralStatus::Lost);
                } else {
                    assert_eq!(outcome, Err(Refused::Transition { from, to }), "{asked:?} from {from:?}");
                }
            }
        }
    }

    #[test]
    fn converting_needs_a_deal_and_keeps_it() {
        let bare = ReferralChange { step: Some(Step::Convert), ..ReferralChange::default() };
        assert_eq!(change(&referral(ReferralStatus::Qualified), &bare), Err(Refused::DealRequired));
        let mut linked = referral(ReferralStatus::Qualified);
        linked.resulting_deal_id = Some(deal("deal_7"));
        let changed = change(&linked, &bare).unwrap().unwrap();
        assert_eq!((changed.fields, changed.referral.resulting_deal_id), (vec![], Some(deal("deal_7"))));

        let converted = referral(ReferralStatus::Converted);
        let with = |deal| ReferralChange { resulting_deal_id: deal, ..ReferralChange::default() };
        assert_eq!(change(&converted, &with(Patch::Clear)), Err(Refused::DealRequired));
        assert!(change(&converted, &with(Patch::Set(deal("deal_2")))).unwrap().is_some(), "a patch corrects the deal");
        let again = ReferralChange { step: Some(Step::Convert), ..with(Patch::Set(deal("deal_2"))) };
        assert_eq!(change(&converted, &again), Err(Refused::DealAlreadyLinked));
    }

    #[test]
    fn a_reason_comes_and_goes_with_lost() {
        let bare = ReferralChange { step: Some(Step::To(ReferralStatus::Lost)), ..ReferralChange::default() };
        assert_eq!(change(&referral(ReferralStatus::Received), &bare), Err(Refused::LostReasonRequired));
        let stray = ReferralChange { lost_reason: Some(reason("x")), ..ReferralChange::default() };
        assert_eq!(change(&referral(ReferralStatus::Received), &stray), Err(Refused::NotLost));
        let reopened = change(&referral(ReferralStatus::Lost), &step(Step::Reopen)).unwrap().unwrap();
        assert_eq!(reopened.referral.lost_reason, None);
    }

    #[test]
    fn a_patch_that_says_what_is_there_changes_nothing() {
        let before = referral(ReferralStatus::Contacted);
        let same = ReferralChange {
            step: Some(Step::To(ReferralStatus::Contacted)),
            referred_name: Some(before.referred_name.clone()),
            notes: Patch::Clear,
            ..ReferralChange::default()
        };
        assert_eq!(change(&before, &same), Ok(None));
        let other = ReferralChange { notes: Patch::Set(Notes::parse("hot").unwrap().unwrap()), ..same };
        assert_eq!(change(&before, &other).unwrap().unwrap().fields, ["notes"]);
    }

    #[test]
    fn nobody_is_their_own_lead() {
        let own = ReferralChange {
            referred_person_id: Patch::Set(PersonId::parse("person_1").unwrap()),
            ..ReferralChange::default()
        };
        assert_eq!(change(&referral(ReferralStatus::Received), &own), Err(Refused::SelfReferral));
    }

    #[test]
    fn a_reward_is_open_until_it_is_decided() {
        let with =
            |reward_type, reward_value| ReferralChange { reward_type, reward_value, ..ReferralChange::default() };
        let gift = with(Some(RewardType::GiftCard), Patch::Set(5_000));
        for status in RewardStatus::ALL {
            let mut before = referral(ReferralStatus::Converted);
            before.reward_status = status;
            let is_open = matches!(status, RewardStatus::None | RewardStatus::Pending);
            assert_eq!(change(&before, &gift).is_ok(), is_open, "{status:?}");
        }
        let before = change(&referral(ReferralStatus::Received), &gift).unwrap().unwrap().referral;
        let share = with(Some(RewardType::CommissionShare), Patch::Keep);
        assert_eq!(change(&before, &share).unwrap().unwrap().referral.reward_value, None);
        // The history names what is other now, however it was said.
        for value in [Patch::Keep, Patch::Clear] {
            let changed = change(&before, &with(Some(RewardType::Custom), value)).unwrap().unwrap();
            assert_eq!((changed.referral.reward_value, changed.fields), (None, vec!["rewardType", "rewardValue"]));
        }
        for (reward_type, value) in [
            (RewardType::CommissionShare, 10_001),
            (RewardType::GiftCard, -1),
            (RewardType::None, 1),
            (RewardType::Custom, i64::MAX),
        ] {
            let refused = change(&before, &with(Some(reward_type), Patch::Set(value)));
            assert_eq!(refused, Err(Refused::RewardValue), "{reward_type:?} {value}");
        }
        assert!(change(&before, &with(Some(RewardType::CommissionShare), Patch::Set(10_000))).is_ok());
    }
}
