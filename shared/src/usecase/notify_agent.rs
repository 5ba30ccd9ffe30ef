//! Tells the agent of a new lead, or of a reward that is due: by mail, and by SMS where they want that too.

use super::{
    office::{MessageStore, Office, Sent},
    send_message::send_message,
};
use crate::{
    domain::{
        consent::ConsentChannel,
        id::{EventId, ReferralId},
        message::{MessageId, MessageKind},
        referral::RewardStatus,
        scope::OrgScope,
    },
    ports::{Carrier, Clock, Ids, MemberDirectory, StoreError},
};

/// # Errors
/// When the store does not answer, or rows keep moving. The event is to be delivered again then.
pub async fn notify_agent(
    office: &Office<'_, impl MessageStore, impl MemberDirectory, impl Carrier, impl Clock, impl Ids>,
    scope: &OrgScope,
    referral: &ReferralId,
    kind: MessageKind,
    event: &EventId,
) -> Result<Sent, StoreError> {
    let Some(referral) = office.store.find_referral(scope, referral).await? else {
        return Ok(Sent::Ignored("the referral is gone"));
    };
    if kind == MessageKind::RewardReady && referral.reward_status != RewardStatus::Pending {
        return Ok(Sent::Ignored("the reward is not due any more"));
    }
    let mut sent = Sent::Ignored("nothing to tell");
    let member = office.directory.find_member(scope, &referral.agent_user_id).await?;
    let by_sms = member.is_some_and(|member| member.notify.sms);
    let channels = [(ConsentChannel::Email, true), (ConsentChannel::Sms, by_sms)];
    for (channel, _) in channels.into_iter().filter(|(_, is_wanted)| *is_wanted) {
        let id = MessageId::notice(referral.id.clone(), kind, channel, event.clone());
        sent = sent.and(send_message(office, scope, &referral, &id, event).await?);
    }
    Ok(sent)
}
