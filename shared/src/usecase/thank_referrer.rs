//! Thanks the referrer for a referral whose reward was sent, on the channels of the policy of then.

use super::{
    office::{MessageStore, Office, Sent},
    send_message::send_message,
};
use crate::{
    domain::{
        consent::ConsentChannel,
        id::{EventId, ReferralId},
        message::MessageId,
        referral::RewardStatus,
        reward::ThankYouChannel,
        scope::OrgScope,
    },
    ports::{Carrier, Clock, Ids, MemberDirectory, StoreError},
};

/// # Errors
/// When the store does not answer, or rows keep moving. The event is to be delivered again then.
pub async fn thank_referrer(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    referral: &ReferralId,
    event: &EventId,
) -> Result<Sent, StoreError> {
    let Some(referral) = office.store.find_referral(scope, referral).await? else {
        return Ok(Sent::Ignored("the referral is gone"));
    };
    let is_sent = matches!(referral.reward_status, RewardStatus::Sent | RewardStatus::Thanked);
    let Some(reward) = referral.reward.as_ref().filter(|_| is_sent) else {
        return Ok(Sent::Ignored("no reward was sent"));
    };
    let channels: &[ConsentChannel] = match reward.terms.thank_you_channel {
        ThankYouChannel::Email => &[ConsentChannel::Email],
        ThankYouChannel::Sms => &[ConsentChannel::Sms],
        ThankYouChannel::Both => &ConsentChannel::ALL,
    };
    let mut sent = Sent::Ignored("no channel");
    for channel in channels {
        let id = MessageId::thank_you(referral.id.clone(), *channel);
        sent = sent.and(send_message(office, scope, &referral, &id, event).await?);
    }
    Ok(sent)
}
