//! The functions around one engine and one bus, and what has been done with them so far.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use referrals_testing::{Fixtures, TestStore};
use serde_json::Value;

use crate::{
    Answer, Bus, Function, Line, Measured, Plan, PostOffice, Proxy, Stage, Submitted, UploadedFile,
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
    HoldRelease,
    CaptureExpiry,
    ReferralsApi,
    LedgerReconcile,
    Unsubscribe,
    TokenClaims,
}

impl Name {
    pub const ALL: [Self; 14] = [
        Self::PublicCapture,
        Self::EventRelay,
        Self::OutboxSweeper,
        Self::PipelineEntry,
        Self::DealWon,
        Self::Messenger,
        Self::DeliveryFeedback,
        Self::ImportWorker,
        Self::HoldRelease,
        Self::CaptureExpiry,
        Self::ReferralsApi,
        Self::LedgerReconcile,
        Self::Unsubscribe,
        Self::TokenClaims,
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
            Self::HoldRelease => "hold-release",
            Self::CaptureExpiry => "capture-expiry",
            Self::ReferralsApi => "referrals-api",
            Self::LedgerReconcile => "ledger-reconcile",
            Self::Unsubscribe => "unsubscribe",
            Self::TokenClaims => "token-claims",
        }
    }

    /// As in the template.
    #[must_use]
    pub fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::OutboxSweeper | Self::HoldRelease | Self::LedgerReconcile => 50,
            Self::ImportWorker => 60,
            Self::CaptureExpiry => 300,
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

/// What may be chosen of a world.
#[derive(Debug, Clone)]
pub struct Setup {
    pub line: Line,
    /// `LOG_LEVEL` of the functions.
    pub log_level: &'static str,
    /// Where an engine runs that is not this process.
    pub engine: Option<String>,
    /// What the functions' environment has otherwise than usual.
    pub variables: Vec<(&'static str, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        // The most that an operator can turn on: none of it may tell who somebody is.
        Self { line: Line::default(), log_level: "trace", engine: None, variables: Vec::new() }
    }
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
    /// Who has ended their consent to mail.
    pub(crate) unsubscribed: Vec<Submitted>,
    /// Who held an address before people were erased.
    pub(crate) former_holders: HashMap<String, String>,
    /// Ids of people who were erased because somebody asked for it.
    pub(crate) erased: Vec<String>,
    /// How many requests of agents had a name of their own.
    pub(crate) named_requests: usize,
    /// The files that were taken in.
    pub(crate) imports: Vec<UploadedFile>,
    /// Ids of outbox items that were made unreadable.
    pub(crate) unreadable: Vec<String>,
    pub(crate) counter: u32,
    setup: Setup,
    functions: HashMap<Name, Function>,
    /// Whose invocations are measured, and what they used.
    measured: Option<(Name, Vec<Measured>)>,
}

impl World {
    /// Starts the engine with the template's tables and the demo organizations; processes start when they are invoked.
    pub async fn start() -> Self {
        // On the heap: it is a large future, in that of every test.
        Box::pin(Self::start_with(Setup::default())).await
    }

    /// The same, with what was chosen.
    pub async fn start_with(setup: Setup) -> Self {
        let store = match &setup.engine {
            Some(endpoint) => TestStore::start_at(endpoint.clone()).await,
            None => TestStore::start().await,
        };
        Fixtures::load(&store).await;
        deals::promise(&store).await;
        let (bus, post_office) = (Arc::new(Bus::default()), Arc::new(PostOffice::default()));
        let engine = store.settings.endpoint_url.clone().expect("the engine's address");
        let proxy = Proxy::start(&engine, bus.clone(), post_office.clone(), setup.line.clone()).await;
        let functions = Name::ALL.map(|name| (name, Function::new(name.as_str(), environment(&store, &proxy, &setup))));
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
            unsubscribed: Vec::new(),
            former_holders: HashMap::new(),
            erased: Vec::new(),
            named_requests: 0,
            imports: Vec::new(),
            unreadable: Vec::new(),
            counter: 0,
            setup,
            functions: functions.into(),
            measured: None,
        }
    }

    /// One more environment of a function, as Lambda starts them, with a proxy of its own.
    pub async fn another(&self, name: Name) -> (Function, Proxy) {
        let engine = self.store.settings.endpoint_url.clone().expect("the engine's address");
        let line = self.setup.line.clone();
        let proxy = Proxy::start(&engine, self.bus.clone(), self.post_office.clone(), line).await;
        (Function::new(name.as_str(), environment(&self.store, &proxy, &self.setup)), proxy)
    }

    /// One invocation, whatever comes of it.
    pub async fn invoke(&mut self, name: Name, event: &Value) -> Answer {
        let Some((_, measured)) = self.measured.as_mut().filter(|(wanted, _)| *wanted == name) else {
            return self.function(name).invoke(event, name.timeout()).await;
        };
        let function = self.functions.get_mut(&name).expect("every function is there");
        let (answer, used) = function.invoke_measured(event, name.timeout()).await;
        measured.push(used);
        answer
    }

    /// From now on what invocations of the function use is measured. What those since the last such call have used.
    pub fn measure(&mut self, name: Name) -> Vec<Measured> {
        self.measured.replace((name, Vec::new())).map(|(_, measured)| measured).unwrap_or_default()
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

    /// How often each function has been called so far.
    #[must_use]
    pub fn invocations(&self) -> BTreeMap<Name, u64> {
        self.functions.iter().map(|(name, function)| (*name, function.invocations())).collect()
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

    pub fn function(&mut self, name: Name) -> &mut Function {
        self.functions.get_mut(&name).expect("every function is there")
    }
}

fn environment(store: &TestStore, proxy: &Proxy, setup: &Setup) -> Vec<(&'static str, String)> {
    // No test is about the limits: nobody reaches them.
    let unlimited = || "1000000".to_owned();
    let mut environment = vec![
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
        ("LOG_LEVEL", setup.log_level.to_owned()),
        ("METRICS_NAMESPACE", "test".to_owned()),
        ("SENDER_ADDRESS", "referrals@mail.example".to_owned()),
        ("PUBLIC_URL", "https://referrals.example".to_owned()),
        ("UNSUBSCRIBE_KEY", "for tests".to_owned()),
        ("CONFIGURATION_SET", "mail".to_owned()),
        // A redelivery comes when nobody is at it any more: the queue hides a message for longer than a claim holds.
        ("CLAIM_SECONDS", "0".to_owned()),
        // As fast as it goes.
        ("IMPORT_ROWS_PER_SECOND", "0".to_owned()),
        // Whatever is open when it runs.
        ("CAPTURE_RETENTION", "PT0.001S".to_owned()),
        ("CURSOR_KEY", "for tests".to_owned()),
        ("ORGANIZATION_CLAIM", "organization_id".to_owned()),
        ("USER_CLAIM", "user_id".to_owned()),
        ("ROLE_CLAIM", "role".to_owned()),
    ];
    if let Some(identity) = &setup.line.identity {
        environment.push(("SSL_CERT_FILE", identity.bundle()));
    }
    environment.extend(setup.variables.iter().cloned());
    environment
}
