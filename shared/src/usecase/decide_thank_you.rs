//! Whether the referrer may be thanked on a channel, now.

use super::office::{Decision, MessageStore, Office};
use crate::{
    domain::{
        consent::ConsentChannel,
        contact::ContactKey,
        id::UserId,
        letter::{Address, Letter, RewardLine, Signature},
        message::{Message, SkipReason},
        organization::{AccountStatus, Organization},
        person::Person,
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{Carrier, Clock, Ids, MemberDirectory, RecipientGuard, StoreError},
};

pub(super) async fn decide_thank_you(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    referral: &Referral,
    message: &Message,
    token: &str,
    at: Timestamp,
) -> Result<Decision, StoreError> {
    let thanks_by_itself = referral.reward.as_ref().is_some_and(|reward| reward.terms.auto_thank);
    if !thanks_by_itself && !message.requested {
        return Ok(Decision { verdict: Err(SkipReason::PolicyOff), guard: None });
    }
    let organization = office.directory.find_organization(scope).await?;
    let Some(organization) = organization.filter(|found| found.status == AccountStatus::Active) else {
        return Ok(Decision { verdict: Err(SkipReason::AccountClosed), guard: None });
    };
    let id = &referral.referrer_person_id;
    let person = office.store.find_person(scope, id).await?;
    let mut guard =
        RecipientGuard { person: id.clone(), version: person.as_ref().map(|found| found.version), suppression: None };
    let verdict = match person {
        None => Err(SkipReason::NoAddress),
        Some(person) => match address_of(&person, message.channel) {
            Err(reason) => Err(reason),
            Ok(to) => {
                let key = to.key();
                let is_suppressed = office.store.is_suppressed(scope, &key).await?;
                guard.suppression = Some((key.clone(), is_suppressed));
                match may_write(&person, message.channel, is_suppressed) {
                    Err(reason) => Err(reason),
                    Ok(()) if is_opted_out(office, &key).await? => Err(SkipReason::OptedOut),
                    Ok(()) => Ok(Box::new(Letter {
                        scope: scope.clone(),
                        id: message.id(),
                        token: token.to_owned(),
                        to,
                        signature: sign(office, scope, &referral.agent_user_id, organization).await?,
                        referrer: person.id,
                        referrer_name: Some(person.name),
                        referred_name: referral.known_referred_name().cloned(),
                        reward: RewardLine::of(referral),
                        written_at: at,
                    })),
                }
            }
        },
    };
    Ok(Decision { verdict, guard: Some(guard) })
}

/// Do Not Contact goes before everything; then there has to be somewhere to write to.
fn address_of(person: &Person, channel: ConsentChannel) -> Result<Address, SkipReason> {
    if person.do_not_contact {
        return Err(SkipReason::DoNotContact);
    }
    let address = match channel {
        ConsentChannel::Email => person.email.clone().map(Address::Email),
        ConsentChannel::Sms => person.phone.clone().map(Address::Phone),
    };
    address.ok_or(SkipReason::NoAddress)
}

fn may_write(person: &Person, channel: ConsentChannel, is_suppressed: bool) -> Result<(), SkipReason> {
    if is_suppressed {
        return Err(SkipReason::Suppressed);
    }
    if person.has_consent(channel) { Ok(()) } else { Err(SkipReason::NoConsent) }
}

async fn is_opted_out(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    key: &ContactKey,
) -> Result<bool, StoreError> {
    match key {
        ContactKey::Email(_) => Ok(false),
        ContactKey::Phone(number) => office.carrier.is_opted_out(number).await,
    }
}

/// In the agent's name, as their profile has it.
pub(super) async fn sign(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    agent: &UserId,
    organization: Organization,
) -> Result<Signature, StoreError> {
    let profile = office.store.find_profile(scope, agent).await?;
    let member = office.directory.find_member(scope, agent).await?;
    let reply_to = member.as_ref().map(|member| member.email.clone());
    Ok(match (profile, member) {
        (Some(profile), _) => Signature {
            agent: profile.display_name.as_str().to_owned(),
            brokerage: profile.brokerage.as_str().to_owned(),
            reply_to,
        },
        (None, Some(member)) => {
            Signature { agent: member.name.as_str().to_owned(), brokerage: organization.name, reply_to }
        }
        (None, None) => Signature { agent: organization.name.clone(), brokerage: organization.name, reply_to },
    })
}
