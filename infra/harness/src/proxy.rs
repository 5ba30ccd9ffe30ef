//! Stands between the SDK and the engine: counts the calls, forwards them, and breaks those that the plan says.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, Uri, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    Bus, Fault, Plan, PostOffice,
    http::{self, Cut, Reply, Server},
};

/// One call, as it came and as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub operation: String,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// Where in a call something is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    BeforeForwarding,
    /// Forwarded, and not yet answered.
    AfterForwarding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Engine,
    Bus,
    PostOffice,
}

impl Service {
    /// What has to pass before a caller is sure to have given up.
    fn patience(self) -> Duration {
        match self {
            Self::Engine | Self::Bus => Duration::ZERO,
            // A sender waits four seconds and does not ask again.
            Self::PostOffice => Duration::from_millis(4_200),
        }
    }
}

type Action = Arc<dyn Fn() + Send + Sync>;

struct Trap {
    index: usize,
    stage: Stage,
    action: Action,
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    trap: Option<Trap>,
    has_sprung: bool,
    calls: Vec<Call>,
}

struct Inner {
    engine: String,
    bus: Arc<Bus>,
    post_office: Arc<PostOffice>,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Mutex<State>,
}

pub struct Proxy {
    inner: Arc<Inner>,
    server: Server,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.server.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Forwards `DynamoDB_20120810.*` to `engine`, and answers `AWSEvents.PutEvents` from `bus`, mail and SMS from
    /// `post_office`.
    pub async fn start(engine: &str, bus: Arc<Bus>, post_office: Arc<PostOffice>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let inner = Arc::new(Inner {
            engine: engine.to_owned(),
            bus,
            post_office,
            client: Client::builder(TokioExecutor::new()).build(connector),
            state: Mutex::default(),
        });
        let shared = inner.clone();
        let server = http::serve(move |request| shared.clone().handle(request)).await;
        Self { inner, server }
    }

    /// For `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Forgets calls, plan and trap, and follows `plan`.
    pub fn reset(&self, plan: Option<Plan>) {
        *self.inner.state() = State { plan, ..State::default() };
    }

    /// Nothing fails any more. The calls stay counted.
    pub fn heal(&self) {
        let mut state = self.inner.state();
        state.plan = None;
        state.trap = None;
    }

    /// Does `action` once, at this stage of the call `index`; the call is not answered.
    pub fn trap(&self, index: usize, stage: Stage, action: impl Fn() + Send + Sync + 'static) {
        self.inner.state().trap = Some(Trap { index, stage, action: Arc::new(action) });
    }

    /// Whether the trap's action has been done since the last reset.
    #[must_use]
    pub fn has_sprung(&self) -> bool {
        self.inner.state().has_sprung
    }

    /// The calls since the last reset, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.state().calls.clone()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn handle(self: Arc<Self>, request: Request<Bytes>) -> Result<Reply, Cut> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let (service, operation) = match (target.split_once('.'), PostOffice::operation(&request)) {
            (Some(("AWSEvents", operation)), _) => (Service::Bus, operation.to_owned()),
            (Some((_, operation)), _) => (Service::Engine, operation.to_owned()),
            (None, Some(operation)) => (Service::PostOffice, operation.to_owned()),
            (None, None) => panic!("no call that is known here: {} {}", request.method(), request.uri()),
        };
        let (index, fault, trapped) = self.count(&operation);
        if let Some((Stage::BeforeForwarding, action)) = &trapped {
            action();
            return Err(Cut);
        }
        if fault == Some(Fault::Refuse) {
            return Err(Cut);
        }
        if let Some(reply) = fault.and_then(|fault| fault.reply(&operation, index, request.body())) {
            return Ok(reply);
        }
        let reply = match service {
            Service::Bus => {
                let put = serde_json::from_slice(request.body()).expect("PutEvents is JSON");
                http::json(StatusCode::OK, &self.bus.put(&put))
            }
            Service::PostOffice => self.post_office.answer(&operation, request.body()),
            Service::Engine => self.forward(request).await,
        };
        if let Some((_, action)) = &trapped {
            action();
            return Err(Cut);
        }
        match fault {
            Some(Fault::ForwardAndDrop) => Err(Cut),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay.max(service.patience())).await;
                Ok(reply)
            }
            _ => Ok(reply),
        }
    }

    fn count(&self, operation: &str) -> (usize, Option<Fault>, Option<(Stage, Action)>) {
        let mut state = self.state();
        let index = state.calls.len();
        state.calls.push(Call { operation: operation.to_owned(), fault: None });
        let fault = state.plan.as_ref().and_then(|plan| plan.fault(&state.calls));
        let fault = fault.filter(|fault| fault.applies_to(operation));
        if let Some(call) = state.calls.last_mut() {
            call.fault = fault;
        }
        let trapped = state.trap.take_if(|trap| trap.index == index).map(|trap| (trap.stage, trap.action));
        state.has_sprung |= trapped.is_some();
        (index, fault, trapped)
    }

    async fn forward(&self, request: Request<Bytes>) -> Reply {
        let (mut parts, body) = request.into_parts();
        parts.uri = Uri::try_from(format!("{}{}", self.engine, parts.uri.path())).expect("the engine's address");
        parts.headers.remove(header::HOST);
        let response =
            self.client.request(Request::from_parts(parts, Full::new(body))).await.expect("the engine answers");
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.expect("the engine's whole answer").to_bytes();
        parts.headers.remove(header::TRANSFER_ENCODING);
        Reply::from_parts(parts, Full::new(body))
    }
}
