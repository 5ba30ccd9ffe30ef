//! Stands between the SDK and the engine: counts the calls, forwards them, and breaks those that the plan says. Over TLS,
//! with what each call costs, and with what calls do to each other at one item, where that is asked for.

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
    Bus, Contention, Fault, Identity, Plan, PostOffice,
    http::{self, Cut, Reply, Server},
    meter,
};

/// One call, as it came and as it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub operation: String,
    /// The fault that it met.
    pub fault: Option<Fault>,
    /// Capacity units, where they are counted; 0 otherwise.
    pub units: f64,
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
    counts_units: bool,
    contention: Option<Arc<Contention>>,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Mutex<State>,
}

/// How a proxy differs from a wire.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// TLS, instead of plain HTTP.
    pub identity: Option<Arc<Identity>>,
    /// Asks the engine what each call costs.
    pub counts_units: bool,
    /// Calls that meet at one item, whichever proxy they come through.
    pub contention: Option<Arc<Contention>>,
}

pub struct Proxy {
    inner: Arc<Inner>,
    server: Server,
    scheme: &'static str,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.server.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Forwards `DynamoDB_20120810.*` to `engine`, and answers `AWSEvents.PutEvents` from `bus`, mail and SMS from
    /// `post_office`.
    pub async fn start(engine: &str, bus: Arc<Bus>, post_office: Arc<PostOffice>, line: Line) -> Self {
        let tls = line.identity.as_deref().map(Identity::acceptor);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let inner = Arc::new(Inner {
            engine: engine.to_owned(),
            bus,
            post_office,
            counts_units: line.counts_units,
            contention: line.contention,
            client: Client::builder(TokioExecutor::new()).build(connector),
            state: Mutex::default(),
        });
        let shared = inner.clone();
        let server = http::serve(tls, move |request| shared.clone().handle(request)).await;
        Self { inner, server, scheme }
    }

    /// For `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address)
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
    pub fn trap<R>(&self, index: usize, stage: Stage, action: impl Fn() -> R + Send + Sync + 'static) {
        let action = Arc::new(move || drop(action()));
        self.inner.state().trap = Some(Trap { index, stage, action });
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
            Service::Engine => self.write_alone(request, &operation, index).await?,
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
        state.calls.push(Call { operation: operation.to_owned(), fault: None, units: 0.0 });
        let fault = state.plan.as_ref().and_then(|plan| plan.fault(&state.calls));
        let fault = fault.filter(|fault| fault.applies_to(operation));
        if let Some(call) = state.calls.last_mut() {
            call.fault = fault;
        }
        let trapped = state.trap.take_if(|trap| trap.index == index).map(|trap| (trap.stage, trap.action));
        state.has_sprung |= trapped.is_some();
        (index, fault, trapped)
    }

    /// Refused, where another call is at one of its items.
    async fn write_alone(&self, request: Request<Bytes>, operation: &str, index: usize) -> Result<Reply, Cut> {
        let Some(contention) = &self.contention else { return self.forward(request, index).await };
        match contention.hold(operation, request.body()) {
            Err(refusal) => Ok(*refusal),
            Ok(None) => self.forward(request, index).await,
            Ok(Some(_held)) => {
                let reply = self.forward(request, index).await;
                tokio::time::sleep(contention.holds).await;
                reply
            }
        }
    }

    /// Cut, where the engine is away.
    async fn forward(&self, request: Request<Bytes>, index: usize) -> Result<Reply, Cut> {
        let (mut parts, mut body) = request.into_parts();
        if self.counts_units {
            body = meter::ask(&body);
            parts.headers.remove(header::CONTENT_LENGTH);
        }
        parts.uri = Uri::try_from(format!("{}{}", self.engine, parts.uri.path())).expect("the engine's address");
        parts.headers.remove(header::HOST);
        let response = self.client.request(Request::from_parts(parts, Full::new(body))).await.map_err(|_| Cut)?;
        let (mut parts, body) = response.into_parts();
        let mut body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        parts.headers.remove(header::TRANSFER_ENCODING);
        if self.counts_units && parts.status.is_success() {
            let units;
            (body, units) = meter::take(&body);
            parts.headers.remove(header::CONTENT_LENGTH);
            // A reset may have come meanwhile.
            if let Some(call) = self.state().calls.get_mut(index) {
                call.units = units;
            }
        }
        Ok(Reply::from_parts(parts, Full::new(body)))
    }
}
