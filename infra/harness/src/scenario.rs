//! What a function is doing when something goes wrong.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::{Carrier, Name, Posted, Submitted, World, violations};

/// One function at one piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    CaptureStranger,
    CaptureReturning,
    CaptureRepeated,
    CaptureNamed,
    RelayOne,
    /// More than one `PutEvents` takes.
    RelayEleven,
    /// One readable event and one that nobody can read.
    RelayPoison,
    SweepOne,
    SweepPoison,
    EnterNew,
    EnterContested,
    /// A deal is won whose person is a lead.
    WinLinked,
    /// A person becomes a lead whose deal was won before.
    WinBeforeLink,
    /// A deal that was won is reopened.
    WinReversed,
    /// A deal that was reopened is won.
    WinAgain,
    /// The agent is told of a new lead.
    NoticeOfLead,
    /// The agent is told of a reward that is due.
    NoticeOfReward,
    /// A reward was sent whose referrer has agreed to mail.
    ThankByMail,
    /// One whose referrer has agreed to mail and SMS.
    ThankOnBoth,
    /// One whose referrer has agreed to nothing.
    ThankWithoutConsent,
    /// One whose referrer has agreed to SMS, and told the carrier to stop since.
    ThankStopped,
    /// The thank-you has reached its mailbox.
    HearDelivered,
    /// The mailbox is gone.
    HearBounce,
    /// The referrer complains of it.
    HearComplaint,
    /// It has reached its mailbox, and nobody knew that it had left.
    HearAfterDoubt,
    /// A part of a file: two rows of a new advocate, and one that is wrong.
    ImportChunk,
    /// An agent logs a referral, in a request that has a name.
    LogNamed,
    /// An agent has reached a lead.
    ChangeStatus,
    /// An agent has sent a reward: the referrer is thanked.
    MarkSent,
    /// A referrer ends their consent by the link in a mail.
    UnsubscribeOnce,
    /// A member signs in.
    SignIn,
    /// Counter and figures have drifted.
    Reconcile,
    /// A holding period is over.
    ReleaseHold,
    /// Somebody who sent a friend is erased.
    ErasePerson,
    /// Nobody took a capture up for as long as captures are kept.
    ExpireCapture,
}

/// What the function is to do.
#[derive(Debug, Clone)]
pub enum Work {
    Form(Submitted),
    /// It waits in the stream, the outbox or the queue.
    Waiting,
    /// What the function is called with.
    Call(Value),
}

impl Scenario {
    pub const ALL: [Self; 35] = [
        Self::CaptureStranger,
        Self::CaptureReturning,
        Self::CaptureRepeated,
        Self::CaptureNamed,
        Self::RelayOne,
        Self::RelayEleven,
        Self::RelayPoison,
        Self::SweepOne,
        Self::SweepPoison,
        Self::EnterNew,
        Self::EnterContested,
        Self::WinLinked,
        Self::WinBeforeLink,
        Self::WinReversed,
        Self::WinAgain,
        Self::NoticeOfLead,
        Self::NoticeOfReward,
        Self::ThankByMail,
        Self::ThankOnBoth,
        Self::ThankWithoutConsent,
        Self::ThankStopped,
        Self::HearDelivered,
        Self::HearBounce,
        Self::HearComplaint,
        Self::HearAfterDoubt,
        Self::ImportChunk,
        Self::LogNamed,
        Self::ChangeStatus,
        Self::MarkSent,
        Self::UnsubscribeOnce,
        Self::SignIn,
        Self::Reconcile,
        Self::ReleaseHold,
        Self::ErasePerson,
        Self::ExpireCapture,
    ];

    #[must_use]
    pub fn function(self) -> Name {
        match self {
            Self::CaptureStranger | Self::CaptureReturning | Self::CaptureRepeated | Self::CaptureNamed => {
                Name::PublicCapture
            }
            Self::RelayOne | Self::RelayEleven | Self::RelayPoison => Name::EventRelay,
            Self::SweepOne | Self::SweepPoison => Name::OutboxSweeper,
            Self::EnterNew | Self::EnterContested => Name::PipelineEntry,
            Self::WinLinked | Self::WinBeforeLink | Self::WinReversed | Self::WinAgain => Name::DealWon,
            Self::NoticeOfLead
            | Self::NoticeOfReward
            | Self::ThankByMail
            | Self::ThankOnBoth
            | Self::ThankWithoutConsent
            | Self::ThankStopped => Name::Messenger,
            Self::HearDelivered | Self::HearBounce | Self::HearComplaint | Self::HearAfterDoubt => {
                Name::DeliveryFeedback
            }
            Self::ImportChunk => Name::ImportWorker,
            Self::LogNamed | Self::ChangeStatus | Self::MarkSent | Self::ErasePerson => Name::ReferralsApi,
            Self::UnsubscribeOnce => Name::Unsubscribe,
            Self::SignIn => Name::TokenClaims,
            Self::Reconcile => Name::LedgerReconcile,
            Self::ReleaseHold => Name::HoldRelease,
            Self::ExpireCapture => Name::CaptureExpiry,
        }
    }

    /// The functions that have a piece of work here.
    #[must_use]
    pub fn functions() -> BTreeSet<Name> {
        Self::ALL.map(Self::function).into()
    }

    /// Brings the work to the function's door.
    ///
    /// # Errors
    /// When that alone does not work.
    pub async fn prepare(self, world: &mut World) -> Result<Work, String> {
        world.proxy.reset(None);
        world.open_post(false);
        world.is_thanking = false;
        let is_sweep = self.function() == Name::OutboxSweeper;
        world.carrier = if is_sweep { Carrier::Sweeper } else { Carrier::Relay };
        Ok(match self {
            Self::CaptureStranger => Work::Form(world.fill_in()),
            Self::CaptureNamed => Work::Form(world.fill_in_named()),
            Self::CaptureReturning => {
                let first = world.known().await?;
                Work::Form(world.fill_in_again(&first))
            }
            Self::CaptureRepeated => Work::Form(world.known().await?),
            Self::RelayOne | Self::SweepOne => {
                world.capture().await?;
                Work::Waiting
            }
            Self::RelayEleven => {
                for _ in 0..11 {
                    world.capture().await?;
                }
                Work::Waiting
            }
            Self::RelayPoison | Self::SweepPoison => {
                world.capture().await?;
                world.put_unreadable().await;
                Work::Waiting
            }
            Self::EnterNew => {
                world.capture().await?;
                world.relay().await;
                Work::Waiting
            }
            Self::EnterContested => {
                let first = world.known().await?;
                let rival = world.fill_in_rival(&first);
                world.submit(&rival).await?;
                world.relay().await;
                Work::Waiting
            }
            Self::WinLinked => {
                world.deal(&["DEAL_WON"]).await?;
                Work::Waiting
            }
            Self::WinReversed => {
                world.deal(&["DEAL_WON", "DEAL_REOPENED"]).await?;
                Work::Waiting
            }
            Self::WinAgain => {
                world.deal(&["DEAL_WON", "DEAL_REOPENED", "DEAL_WON"]).await?;
                Work::Waiting
            }
            Self::WinBeforeLink => {
                let first = world.known().await?;
                let later = world.fill_in_about_referrer(&first);
                let deal = world.deal_of(&later);
                world.tell(deal, "DEAL_WON").await;
                world.settle().await?;
                world.submit(&later).await?;
                world.relay().await;
                world.enter().await;
                // What entering has announced, on its way to whom it may concern.
                world.relay().await;
                Work::Waiting
            }
            Self::ImportChunk => {
                let mut rows = world.history(2, 2);
                rows.push(world.wrong_row(&rows[0]));
                let file = world.upload(&rows, rows.len()).await;
                world.announce(&file);
                Work::Waiting
            }
            // On the heap: they are large futures, in that of every piece of work.
            _ if self.begins_with_a_call() => Work::Call(Box::pin(self.prepare_call(world)).await?),
            _ => {
                Box::pin(self.prepare_letters(world)).await?;
                Work::Waiting
            }
        })
    }

    fn begins_with_a_call(self) -> bool {
        matches!(
            self.function(),
            Name::ReferralsApi
                | Name::Unsubscribe
                | Name::TokenClaims
                | Name::LedgerReconcile
                | Name::HoldRelease
                | Name::CaptureExpiry
        )
    }

    /// One invocation of the function. What came back, where somebody called.
    pub async fn act(self, world: &mut World, work: &Work) -> Option<Posted> {
        match (self.function(), work) {
            (_, Work::Form(form)) => return Some(world.post(form).await),
            (Name::LedgerReconcile, Work::Call(event)) => return Some(world.walk(event).await),
            (function, Work::Call(event)) => return Some(world.invoke(function, event).await.into()),
            (Name::EventRelay, Work::Waiting) => drop(world.relay().await),
            (Name::OutboxSweeper, Work::Waiting) => drop(world.sweep().await),
            (consumer, Work::Waiting) => drop(world.consume(consumer).await),
        }
        None
    }

    /// After the fault: whoever asked asks again, and everything goes its way.
    ///
    /// # Errors
    /// When it does not, or a repeated request is answered otherwise than the first.
    pub async fn finish(self, world: &mut World, work: &Work, first: Option<Posted>) -> Result<(), String> {
        world.proxy.heal();
        if let Work::Form(form) = work {
            let taken = match &first {
                Some(posted) if posted.status < 500 => posted.clone(),
                _ => world.submit(form).await?,
            };
            if taken.status != 201 {
                return Err(format!("a form was refused: {taken:?}"));
            }
            if form.key.is_some() {
                let again = world.submit(form).await?;
                if again != taken {
                    return Err(format!("a named request was answered {taken:?}, and then {again:?}"));
                }
            }
        }
        if let (Work::Call(event), Some(first)) = (work, first) {
            Box::pin(self.finish_call(world, event, first)).await?;
        }
        world.settle().await
    }
}

impl Scenario {
    /// The calls of a cold process when nothing fails, in a world of its own.
    ///
    /// # Errors
    /// When it does not work even then.
    pub async fn calls(self) -> Result<Vec<String>, String> {
        let mut world = World::start().await;
        let work = self.prepare(&mut world).await?;
        world.arm(self.function(), None);
        let posted = self.act(&mut world, &work).await;
        let calls = world.proxy.calls().into_iter().map(|call| call.operation).collect();
        self.finish(&mut world, &work, posted).await?;
        let found = violations(&world).await;
        if found.is_empty() { Ok(calls) } else { Err(format!("without a fault: {found:#?}")) }
    }
}

impl World {
    /// A submission that was taken and has become a lead.
    async fn known(&mut self) -> Result<Submitted, String> {
        let form = self.capture().await?;
        self.settle().await?;
        Ok(form)
    }

    /// News of a deal of a lead, all of it done but the last.
    pub(crate) async fn deal(&mut self, news: &[&'static str]) -> Result<(), String> {
        let form = self.known().await?;
        let deal = self.deal_of(&form);
        for detail_type in news {
            self.settle().await?;
            self.tell(deal, detail_type).await;
        }
        Ok(())
    }

    pub(crate) async fn capture(&mut self) -> Result<Submitted, String> {
        let form = self.fill_in();
        self.submit(&form).await?;
        Ok(form)
    }

    /// Puts an item into the outbox that no event can be read from.
    async fn put_unreadable(&mut self) {
        let id = format!("evt_0000000000000000000000{:04}", self.number());
        self.store
            .client
            .put_item()
            .table_name(&self.store.outbox_table)
            .item("pk", AttributeValue::S("PENDING#0".to_owned()))
            .item("sk", AttributeValue::S(id.clone()))
            .item("detail", AttributeValue::S("{".to_owned()))
            .send()
            .await
            .expect("the engine takes the item");
        self.unreadable.push(id);
    }
}
