//! What leads to messages and follows them: rewards that agents have sent, and what the mail's provider tells of a mail.

use referrals::{
    domain::{
        change::ReferralChange,
        id::{ReferralId, UserId},
        organization::Role,
        reward::{RewardPolicy, ThankYouChannel},
        reward_action::RewardAction,
        version::Expected,
    },
    ports::{PolicyBook as _, ReferralReader as _},
    system::{RandomIds, SystemClock},
    usecase::change_referral::{ChangeOutcome, ChangeRequest, change_referral},
};
use referrals_testing::Fixtures;
use serde_json::{Map, Value, json};

use crate::{Accepted, Channel, Fault, Mode, Name, Plan, Scenario, Submitted, World, rows::referral_of};

/// What SES tells of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Delivered,
    /// For good.
    Bounced,
    Complained,
}

impl News {
    /// As the ledger knows it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "DELIVERED",
            Self::Bounced => "BOUNCED",
            Self::Complained => "COMPLAINED",
        }
    }

    fn detail_type(self) -> &'static str {
        match self {
            Self::Delivered => "Email Delivered",
            Self::Bounced => "Email Bounced",
            Self::Complained => "Email Complaint Received",
        }
    }

    /// How the referrer's consent to mail ends with it.
    pub(crate) fn ends_consent(self) -> Option<&'static str> {
        match self {
            Self::Delivered => None,
            Self::Bounced => Some("BOUNCE"),
            Self::Complained => Some("COMPLAINT"),
        }
    }
}

/// Somebody who is to be thanked, and what is known about it.
#[derive(Debug, Clone)]
pub(crate) struct Thanks {
    pub form: Submitted,
    /// Where, by the policy of then.
    pub channels: Vec<Channel>,
    /// Whether their number has told its carrier to stop.
    pub is_stopped: bool,
    /// What was told of the mail.
    pub news: Option<News>,
    /// Whether something has gone wrong while it was at work: only then nobody may know whether a message has left.
    pub may_be_in_doubt: bool,
}

impl Scenario {
    /// Brings work with messages to the function's door.
    pub(crate) async fn prepare_letters(self, world: &mut World) -> Result<(), String> {
        match self {
            Self::NoticeOfLead => {
                world.capture().await?;
                world.relay().await;
                world.enter().await;
                world.open_post(true);
                world.relay().await;
            }
            Self::NoticeOfReward => {
                world.deal(&["DEAL_WON"]).await?;
                world.consume(Name::DealWon).await;
                world.open_post(true);
                world.relay().await;
            }
            Self::ThankByMail => {
                let form = world.fill_in_agreeing(false);
                world.reward(&form, ThankYouChannel::Email).await?;
            }
            Self::ThankOnBoth => {
                let form = world.fill_in_agreeing(true);
                world.reward(&form, ThankYouChannel::Both).await?;
            }
            Self::ThankWithoutConsent => {
                let form = world.fill_in();
                world.reward(&form, ThankYouChannel::Both).await?;
            }
            Self::ThankStopped => {
                let form = world.fill_in_agreeing(true);
                world.stop(&form);
                world.reward(&form, ThankYouChannel::Sms).await?;
            }
            _ => {
                let form = world.fill_in_agreeing(false);
                world.reward(&form, ThankYouChannel::Email).await?;
                if self == Self::HearAfterDoubt {
                    world.lose_the_answer().await;
                }
                world.settle().await?;
                world.hear(match self {
                    Self::HearBounce => News::Bounced,
                    Self::HearComplaint => News::Complained,
                    _ => News::Delivered,
                });
            }
        }
        Ok(())
    }
}

impl World {
    /// A form that becomes a lead, a deal and a reward that an agent has sent: the event of that is on its way to
    /// messenger.
    pub(crate) async fn reward(&mut self, form: &Submitted, channel: ThankYouChannel) -> Result<(), String> {
        let deal = self.win(form, channel).await?;
        self.mark_sent(deal).await?;
        self.expect_thanks(deal, channel);
        self.relay().await;
        Ok(())
    }

    /// The same by steps that nobody is told to wait between: a form, its deal, and a reward that is sent.
    ///
    /// # Errors
    /// When one of them does not work.
    pub async fn thank_for_one(&mut self) -> Result<(), String> {
        let form = self.fill_in_agreeing(false);
        let deal = self.win(&form, ThankYouChannel::Email).await?;
        self.mark_sent(deal).await?;
        self.expect_thanks(deal, ThankYouChannel::Email);
        Ok(())
    }

    /// A form that becomes a lead and a deal, which brings up a reward.
    pub(crate) async fn win(&mut self, form: &Submitted, channel: ThankYouChannel) -> Result<usize, String> {
        self.promise_thanks(channel).await;
        self.submit(form).await?;
        self.settle().await?;
        let deal = self.deal_of(form);
        self.tell(deal, "DEAL_WON").await;
        self.settle().await?;
        Ok(deal)
    }

    /// The reward of the deal is sent, or about to be: its referrer is to be thanked, by messenger.
    pub(crate) fn expect_thanks(&mut self, deal: usize, channel: ThankYouChannel) {
        let form = self.deals[deal].form.clone();
        self.deals[deal].is_rewarded = true;
        let number = form.referrer.phone.as_deref();
        self.thanks.push(Thanks {
            channels: match channel {
                ThankYouChannel::Email => vec![Channel::Email],
                ThankYouChannel::Sms => vec![Channel::Sms],
                ThankYouChannel::Both => Channel::ALL.to_vec(),
            },
            is_stopped: number.is_some_and(|number| self.post_office.has_opted_out(number)),
            news: None,
            may_be_in_doubt: false,
            form,
        });
        self.is_thanking = true;
        self.open_post(true);
    }

    /// The referrer's number tells its carrier to stop.
    pub(crate) fn stop(&mut self, form: &Submitted) {
        self.post_office.opt_out(form.referrer.phone.as_deref().expect("a number"));
    }

    /// Rewards that come up from now on are thanked for there.
    async fn promise_thanks(&self, channel: ThankYouChannel) {
        self.promise(|policy| policy.thank_you_channel = channel).await;
    }

    /// Rewards that come up from now on wait for so many days.
    pub(crate) async fn promise_hold(&self, days: u32) {
        self.promise(|policy| policy.holding_period_days = days).await;
    }

    /// For how long a deal may come of a referral.
    pub(crate) async fn promise_window(&self, days: u32) {
        self.promise(|policy| policy.attribution_window_days = days).await;
    }

    async fn promise(&self, change: impl FnOnce(&mut RewardPolicy)) {
        let (ledger, scope) = (self.store.ledger(), Fixtures::scope());
        let before = ledger.find_policy(&scope).await.expect("the policy");
        let mut policy = before.clone();
        change(&mut policy);
        if policy != before {
            policy.version += 1;
            assert_eq!(ledger.save_policy(&scope, &policy).await, Ok(true));
        }
    }

    /// The agent says that the reward was sent. Nothing goes wrong with that here.
    async fn mark_sent(&mut self, deal: usize) -> Result<(), String> {
        let items = self.store.items().await;
        let referral = referral_of(&items, &self.deals[deal].form).ok_or("the deal's referral is not there")?;
        let id = ReferralId::parse(referral.text("id")).expect("an id");
        let (ledger, scope) = (self.store.ledger(), Fixtures::scope());
        let found = ledger.find_referral(&scope, &id).await.expect("an answer").ok_or("the referral is not there")?;
        let by = UserId::parse(Fixtures::AGENT).expect("an id");
        let action = RewardAction::MarkSent { by, acknowledges: true };
        let request = ChangeRequest {
            change: &ReferralChange { reward_action: Some(action), ..ReferralChange::default() },
            expected: &Expected::Any,
            request_id: &format!("request{}=", self.number()),
            named: None,
        };
        let agent = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
        match change_referral(&ledger, &SystemClock, &RandomIds, &agent, found, &request).await {
            Ok(ChangeOutcome::Done(_)) => Ok(()),
            other => Err(format!("the reward could not be marked as sent: {other:?}")),
        }
    }

    /// The thank-you leaves, and nobody knows.
    pub(crate) async fn lose_the_answer(&mut self) {
        let plan = Plan::AtOperation {
            operation: "SendEmail".to_owned(),
            nth: 0,
            fault: Fault::ForwardAndDrop,
            mode: Mode::Once,
        };
        self.arm(Name::Messenger, Some(plan));
        self.consume(Name::Messenger).await;
        self.proxy.reset(None);
    }

    /// SES tells of the last thank-you that it has accepted.
    ///
    /// # Panics
    /// When there was none.
    pub fn hear(&mut self, news: News) {
        let mails = self.post_office.accepted();
        let mail =
            mails.iter().rev().find(|mail| is_thank_you(mail) && mail.channel == Channel::Email).expect("a mail");
        self.thanks.last_mut().expect("somebody was thanked").news = Some(news);
        self.hear_of(mail, news);
    }

    /// SES tells of a mail, in the form that the rules give it.
    pub fn hear_of(&mut self, mail: &Accepted, news: News) {
        let mut tags: Map<String, Value> =
            mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        tags.insert("ses:operation".to_owned(), json!(["SendEmail"]));
        tags.insert("ses:caller-identity".to_owned(), json!(["messenger"]));
        let mut detail = json!({"messageId": mail.id, "tags": tags});
        if news == News::Bounced {
            detail["bounceType"] = "Permanent".into();
        }
        let id = format!("5d2b9c1e-7a64-4f0b-8f6e-{:012}", self.number());
        let event = json!({"id": id, "source": "aws.ses", "detail-type": news.detail_type(), "detail": detail});
        self.enqueue(Name::DeliveryFeedback, event.to_string());
    }

    /// Something goes wrong while the last one is to be thanked.
    pub(crate) fn doubt(&mut self) {
        if let Some(thanks) = self.thanks.last_mut().filter(|_| self.is_thanking) {
            thanks.may_be_in_doubt = true;
        }
    }
}

/// Of an SMS its attributes tell no more than that.
pub(crate) fn is_thank_you(message: &Accepted) -> bool {
    let tag = |name: &str| message.tags.get(name).map(String::as_str);
    match message.channel {
        Channel::Email => tag("message_kind") == Some("THANK_YOU"),
        Channel::Sms => tag("AWS.SNS.SMS.SMSType") == Some("Promotional"),
    }
}
