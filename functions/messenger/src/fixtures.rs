//! Letters for tests.

use referrals::{
    domain::{
        consent::ConsentChannel,
        email::Email,
        id::{EventId, PersonId, ReferralId},
        letter::{Address, Letter, RewardLine, Signature},
        message::{MessageId, MessageKind},
        money::Currency,
        referral::RewardType,
        text::PersonName,
        time::Timestamp,
    },
    http::UnsubscribeKey,
};

use referrals_testing::Fixtures;

use crate::settings::Settings;

#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub agent: &'a str,
    pub brokerage: &'a str,
    pub referrer: &'a str,
    pub referred: &'a str,
}

pub fn settings() -> Settings {
    Settings {
        sender: "referrals@mail.example.com".to_owned(),
        public_url: "https://referrals.example.com".to_owned(),
        agent_page: "https://agents.example.com/referrals/{referralId}?from=mail&page=1".to_owned(),
        configuration_set: Some("referrals".to_owned()),
        sms_origination: None,
        unsubscribe_key: UnsubscribeKey::new("for tests"),
    }
}

pub fn letter(kind: MessageKind, names: Names<'_>) -> Letter {
    let referral = ReferralId::parse("ref_1").unwrap();
    let channel = ConsentChannel::Email;
    let id = match kind {
        MessageKind::ThankYou => MessageId::thank_you(referral, channel),
        _ => MessageId::notice(referral, kind, channel, EventId::parse("evt_1").unwrap()),
    };
    let name = |text: &str| PersonName::parse(text).unwrap();
    Letter {
        scope: Fixtures::scope(),
        id,
        token: "01KAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        to: Address::Email(Email::parse("pat@example.com").unwrap()),
        signature: Signature {
            agent: names.agent.to_owned(),
            brokerage: names.brokerage.to_owned(),
            reply_to: Some(Email::parse("jane@doe.example").unwrap()),
        },
        referrer: PersonId::parse("person_1").unwrap(),
        referrer_name: Some(name(names.referrer)),
        referred_name: (!names.referred.is_empty()).then(|| name(names.referred)),
        reward: Some(RewardLine {
            reward_type: RewardType::GiftCard,
            amount: Some((5_000, Currency::us_dollar())),
            basis_points: None,
            provider: None,
        }),
        written_at: Timestamp::parse("2026-11-22T07:00:00Z").unwrap(),
    }
}
