//! The Lambda Runtime API for one process: hands out invocations and takes their answers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http_body_util::Full;
use hyper::{Method, Request, StatusCode, body::Bytes, header::HeaderValue};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    Answer,
    http::{self, Cut, Reply, Server},
};

const PREFIX: &str = "/2018-06-01/runtime/";

#[derive(Debug)]
pub struct Invocation {
    pub id: String,
    /// Epoch milliseconds.
    pub deadline: u128,
    pub event: String,
}

#[derive(Debug)]
pub struct RuntimeApi {
    pub server: Server,
    pub invocations: mpsc::UnboundedSender<Invocation>,
    /// With the id of the invocation; an error before the first one has none.
    pub answers: mpsc::UnboundedReceiver<(String, Answer)>,
    /// How often the process has asked for an invocation.
    pub polls: watch::Receiver<u64>,
    /// How many it got.
    pub handed_out: Arc<AtomicU64>,
}

struct Inner {
    waiting: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answered: mpsc::UnboundedSender<(String, Answer)>,
    polled: watch::Sender<u64>,
    handed_out: Arc<AtomicU64>,
}

impl RuntimeApi {
    pub async fn start() -> Self {
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let ((polled, polls), handed_out) = (watch::channel(0), Arc::<AtomicU64>::default());
        let inner = Arc::new(Inner { waiting: Mutex::new(waiting), answered, polled, handed_out: handed_out.clone() });
        let server = http::serve(None, move |request| inner.clone().handle(request)).await;
        Self { server, invocations, answers, polls, handed_out }
    }
}

impl Inner {
    async fn handle(self: Arc<Self>, request: Request<Bytes>) -> Result<Reply, Cut> {
        let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let steps: Vec<&str> = path.split('/').collect();
        let body = || serde_json::from_slice::<Value>(request.body()).unwrap_or_default();
        let (id, answer) = match (request.method(), steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => return self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => (*id, Answer::Response(body())),
            (&Method::POST, ["invocation", id, "error"]) => (*id, Answer::Error(body())),
            (&Method::POST, ["init", "error"]) => ("", Answer::Error(body())),
            _ => panic!("no part of the Runtime API: {} {}", request.method(), request.uri()),
        };
        self.answered.send((id.to_owned(), answer)).map_err(|_| Cut)?;
        Ok(http::json(StatusCode::ACCEPTED, &serde_json::json!({"status": "OK"})))
    }

    async fn next(&self) -> Result<Reply, Cut> {
        self.polled.send_modify(|polls| *polls += 1);
        let invocation = self.waiting.lock().await.recv().await.ok_or(Cut)?;
        self.handed_out.fetch_add(1, Ordering::Relaxed);
        let mut reply = Reply::new(Full::from(invocation.event));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", invocation.id),
            ("lambda-runtime-deadline-ms", invocation.deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:test".to_owned()),
        ] {
            reply.headers_mut().insert(name, HeaderValue::from_str(&value).expect("a header"));
        }
        Ok(reply)
    }
}
