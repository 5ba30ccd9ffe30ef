//! Whether an agent is told of something on a channel, and where.

use super::office::{Decision, MessageStore, Office};
use crate::{
    domain::{
        consent::ConsentChannel,
        letter::{Address, Letter, RewardLine, Signature},
        message::{MessageId, MessageKind, SkipReason},
        organization::{AccountStatus, Member},
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Carrier, Clock, Ids, MemberDirectory, StoreError},
};

pub(super) async fn decide_notice(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    referral: &Referral,
    id: &MessageId,
    token: &str,
    at: Timestamp,
) -> Result<Decision, StoreError> {
    // A notice is about the agent's own work: nobody's consent is asked, and no other row has to stand still.
    let decided = |verdict| Decision { verdict, guard: None };
    let organization = office.directory.find_organization(scope).await?;
    let member = office.directory.find_member(scope, &referral.agent_user_id).await?;
    let (Some(organization), Some(member)) = (
        organization.filter(|found| found.status == AccountStatus::Active),
        member.filter(|found| found.status == AccountStatus::Active),
    ) else {
        return Ok(decided(Err(SkipReason::AccountClosed)));
    };
    if !wants(&member, id) {
        return Ok(decided(Err(SkipReason::NotWanted)));
    }
    let to = match (id.channel, member.phone) {
        (ConsentChannel::Email, _) => Address::Email(member.email),
        (ConsentChannel::Sms, Some(number)) => Address::Phone(number),
        (ConsentChannel::Sms, None) => return Ok(decided(Err(SkipReason::NoAddress))),
    };
    if let Address::Phone(number) = &to
        && office.carrier.is_opted_out(number).await?
    {
        return Ok(decided(Err(SkipReason::OptedOut)));
    }
    let referrer = office.store.find_person(scope, &referral.referrer_person_id).await?;
    Ok(decided(Ok(Box::new(Letter {
        scope: scope.clone(),
        id: id.clone(),
        token: token.to_owned(),
        to,
        signature: Signature { agent: member.name.as_str().to_owned(), brokerage: organization.name, reply_to: None },
        referrer: referral.referrer_person_id.clone(),
        referrer_name: referrer.filter(|person| !person.is_erased()).map(|person| person.name),
        referred_name: referral.known_referred_name().cloned(),
        reward: RewardLine::of(referral).filter(|_| id.kind == MessageKind::RewardReady),
        written_at: at,
    }))))
}

fn wants(member: &Member, id: &MessageId) -> bool {
    let by_kind = match id.kind {
        MessageKind::NewReferral => member.notify.new_referral,
        MessageKind::RewardReady => member.notify.reward_ready,
        MessageKind::ThankYou => false,
    };
    by_kind && (id.channel == ConsentChannel::Email || member.notify.sms)
}
