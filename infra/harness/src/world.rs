//! The functions around one engine and one bus, and what has been done with them so far.

use std::{collections::HashMap, sync::Arc, time::Duration};

use referrals_testing::{Fixtures, TestStore};
use serde_json::Value;

use crate::{
    Answer, Bus, Function, Plan, PostOffice, Proxy, Stage, Submitted, UploadedFile,
    consumers::Queues,
    deals::{self, ToldDeal},
    delivery::Stream,
    letters::Thanks,
};

pub(crate) const BUS: &str = "test-events";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    PublicCapture,
    EventRelay,
    OutboxSweeper,
    PipelineEntry,
    DealWon,
    Messenger,
    DeliveryFeedback,
    ImportWorker,
}

impl Name {
    pub const ALL: [Self; 8] = [
        Self::PublicCapture,
        Self::EventRelay,
        Self::OutboxSweeper,
        Self::PipelineEntry,
        Self::DealWon,
        Self::Messenger,
        Self::DeliveryFeedback,
        Self::ImportWorker,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicCapture => "public-capture",
            Self::EventRelay => "event-relay",
            Self::OutboxSweeper => "outbox-sweeper",
            Self::PipelineEntry => "pipeline-entry",
            Self::DealWon => "deal-won",
            Self::Messenger => "messenger",
            Self::DeliveryFeedback => "delivery-feedback",
            Self::ImportWorker => "import-worker",
        }
    }

    /// As in the template.
    #[must_use]
    pub fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::OutboxSweeper => 50,
            Self::ImportWorker => 60,
            _ => 15,
        })
    }
}

/// Who takes events from the outbox to the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Relay,
    /// The relay's event source is disabled.
    Sweeper,
}

/// An engine, a bus, a proxy before both, and the functions.
#[derive(Debug)]
pub struct World {
    pub store: TestStore,
    pub bus: Arc<Bus>,
    pub post_office: Arc<PostOffice>,
    pub proxy: Proxy,
    pub carrier: Carrier,
    pub(crate) stream: Stream,
    pub(crate) queues: Queues,
    /// Each pair of referrer and referred that was submitted, once.
    pub(crate) submissions: Vec<Submitted>,
    pub(crate) deals: Vec<ToldDeal>,
    /// Who is to be thanked, in the order in which their rewards were sent.
    pub(crate) thanks: Vec<Thanks>,
    /// Whether the last of them is what the present piece of work is about.
    pub(crate) is_thanking: bool,
    /// The files that were taken in.
    pub(crate) imports: Vec<UploadedFile>,
    /// Ids of outbox items that were made unreadable.
    pub(crate) unreadable: Vec<String>,
    pub(crate) counter: u32,
    functions: HashMap<Name, Function>,
}

impl World {
    /// Starts the engine with the template's tables and the demo organizations; processes start when they are invoked.
    pub async fn start() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        deals::promise(&store).await;
        let (bus, post_office) = (Arc::new(Bus::default()), Arc::new(PostOffice::default()));
        let engine = store.settings.endpoint_url.clone().expect("the engine's address");
        let proxy = Proxy::start(&engine, bus.clone(), post_office.clone()).await;
        let functions = Name::ALL.map(|name| (name, Function::new(name.as_str(), environment(&store, &proxy))));
        Self {
            store,
            bus,
            post_office,
            proxy,
            carrier: Carrier::Relay,
            stream: Stream::default(),
            queues: Queues::default(),
            submissions: Vec::new(),
            deals: Vec::new(),
            thanks: Vec::new(),
            is_thanking: false,
            imports: Vec::new(),
            unreadable: Vec::new(),
            counter: 0,
            functions: functions.into(),
        }
    }

    /// One more environment of a function, as Lambda starts them, with a proxy of its own.
    pub async fn another(&self, name: Name) -> (Function, Proxy) {
        let engine = self.store.settings.endpoint_url.clone().expect("the engine's address");
        let proxy = Proxy::start(&engine, self.bus.clone(), self.post_office.clone()).await;
        (Function::new(name.as_str(), environment(&self.store, &proxy)), proxy)
    }

    /// One invocation, whatever comes of it.
    pub(crate) async fn invoke(&mut self, name: Name, event: &Value) -> Answer {
        self.function(name).invoke(event, name.timeout()).await
    }

    /// Makes the next invocation of the function a cold start that follows `plan`; calls count from zero.
    pub fn arm(&mut self, name: Name, plan: Option<Plan>) {
        self.function(name).chill();
        if plan.is_some() {
            self.doubt();
        }
        self.proxy.reset(plan);
    }

    /// Makes the next invocation of the function a cold start that is killed at this call.
    pub fn arm_kill(&mut self, name: Name, call: usize, stage: Stage) {
        self.arm(name, None);
        self.doubt();
        let kill = self.function(name).killer();
        self.proxy.trap(call, stage, kill);
    }

    /// What all functions have written so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.functions.values().map(Function::log).collect()
    }

    /// A number that this world has not given before.
    pub(crate) fn number(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    fn function(&mut self, name: Name) -> &mut Function {
        self.functions.get_mut(&name).expect("every function is there")
    }
}

fn environment(store: &TestStore, proxy: &Proxy) -> Vec<(&'static str, String)> {
    // No test is about the limits: nobody reaches them.
    let unlimited = || "1000000".to_owned();
    vec![
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_ENDPOINT_URL", proxy.endpoint()),
        ("TABLE_NAME", store.table.clone()),
        ("OUTBOX_TABLE_NAME", store.outbox_table.clone()),
        ("RATE_LIMIT_TABLE_NAME", store.rate_limit_table.clone()),
        ("EVENT_BUS", BUS.to_owned()),
        ("SWEEP_AFTER_SECONDS", "0".to_owned()),
        ("DEFAULT_REGION", "US".to_owned()),
        ("IP_HASH_KEY", "for tests".to_owned()),
        ("CAPTURE_IP_PER_MINUTE", unlimited()),
        ("CAPTURE_IP_PER_HOUR", unlimited()),
        ("CAPTURE_SLUG_PER_MINUTE", unlimited()),
        ("CAPTURE_SLUG_PER_DAY", unlimited()),
        // The most that an operator can turn on: none of it may tell who somebody is.
        ("LOG_LEVEL", "trace".to_owned()),
        ("SENDER_ADDRESS", "referrals@mail.example".to_owned()),
        ("PUBLIC_URL", "https://referrals.example".to_owned()),
        ("UNSUBSCRIBE_KEY", "for tests".to_owned()),
        ("CONFIGURATION_SET", "mail".to_owned()),
        // A redelivery comes when nobody is at it any more: the queue hides a message for longer than a claim holds.
        ("CLAIM_SECONDS", "0".to_owned()),
        // As fast as it goes.
        ("IMPORT_ROWS_PER_SECOND", "0".to_owned()),
    ]
}
