//! What can go wrong with a call to AWS, and when it does.

use std::time::Duration;

use hyper::{StatusCode, body::Bytes};
use serde_json::{Value, json};

use crate::{
    Call, PostOffice,
    http::{self, Reply},
    post_office,
};

/// Gives each call a generator of its own, so that a seeded plan does not depend on how often it was asked.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Longer than one attempt of the SDK (2 s), shorter than two.
const PAST_ATTEMPT: Duration = Duration::from_millis(2_200);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The connection is closed; nothing was forwarded.
    Refuse,
    /// Forwarded, then closed without an answer.
    ForwardAndDrop,
    /// Forwarded, and answered after so long.
    Delay(Duration),
    /// 500; nothing was forwarded.
    ServerError,
    /// The service's throttling error; nothing was forwarded.
    Throttle,
    /// The write met another transaction; nothing was forwarded. What cannot conflict is forwarded.
    Conflict,
}

impl Fault {
    pub const ALL: [Self; 6] = [
        Self::Refuse,
        Self::ForwardAndDrop,
        Self::Delay(PAST_ATTEMPT),
        Self::ServerError,
        Self::Throttle,
        Self::Conflict,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::ForwardAndDrop => "forward and drop",
            Self::Delay(_) => "delay",
            Self::ServerError => "500",
            Self::Throttle => "throttle",
            Self::Conflict => "conflict",
        }
    }

    /// Whether the fault changes anything about a call of `operation`.
    #[must_use]
    pub fn applies_to(self, operation: &str) -> bool {
        self != Self::Conflict || matches!(operation, "TransactWriteItems" | "UpdateItem")
    }

    /// What is answered instead of forwarding, where the fault answers at all.
    pub(crate) fn reply(self, operation: &str, index: usize, body: &Bytes) -> Option<Reply> {
        if PostOffice::is_its(operation) {
            return match self {
                Self::ServerError => Some(post_office::broken(operation)),
                Self::Throttle => Some(post_office::throttled(operation)),
                Self::Refuse | Self::ForwardAndDrop | Self::Delay(_) | Self::Conflict => None,
            };
        }
        let is_bus = operation == "PutEvents";
        let error = |status: StatusCode, code: &str, more: Value| {
            let space = if is_bus { "" } else { "com.amazonaws.dynamodb.v20120810#" };
            let mut body = json!({"__type": format!("{space}{code}"), "message": "injected"});
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            Some(http::json(status, &body))
        };
        match self {
            Self::ServerError if is_bus => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalException", Value::Null),
            Self::ServerError => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", Value::Null),
            Self::Throttle if is_bus || index.is_multiple_of(2) => {
                error(StatusCode::BAD_REQUEST, "ThrottlingException", Value::Null)
            }
            Self::Throttle => error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException", Value::Null),
            Self::Conflict if operation == "TransactWriteItems" => {
                let request: Value = serde_json::from_slice(body).expect("a transaction is JSON");
                let items = request["TransactItems"].as_array().expect("a transaction has items").len();
                let reason = json!({"Code": "TransactionConflict", "Message": "injected"});
                let reasons = json!({"CancellationReasons": vec![reason; items]});
                error(StatusCode::BAD_REQUEST, "TransactionCanceledException", reasons)
            }
            Self::Conflict if operation == "UpdateItem" => {
                error(StatusCode::BAD_REQUEST, "TransactionConflictException", Value::Null)
            }
            Self::Refuse | Self::ForwardAndDrop | Self::Delay(_) | Self::Conflict => None,
        }
    }
}

/// How long a fault goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    Once,
    /// From its call on, until the proxy is healed.
    Persistent,
}

/// Which calls fail. Calls are counted from zero since the proxy was reset, each of the SDK's attempts as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    At {
        index: usize,
        fault: Fault,
        mode: Mode,
    },
    /// The nth call, from zero, of one operation: where the order of calls depends on chance.
    AtOperation {
        operation: String,
        nth: usize,
        fault: Fault,
        mode: Mode,
    },
    /// So many of a hundred calls, each with a fault that its index and the seed decide.
    Seeded {
        seed: u64,
        percent: u8,
    },
}

impl Plan {
    /// The fault that the last of `calls` is to meet.
    #[must_use]
    pub fn fault(&self, calls: &[Call]) -> Option<Fault> {
        let last = calls.len().checked_sub(1)?;
        let (target, fault, mode) = match self {
            Self::At { index, fault, mode } => (Some(*index), *fault, *mode),
            Self::AtOperation { operation, nth, fault, mode } => (place(calls, operation, *nth), *fault, *mode),
            Self::Seeded { seed, percent } => {
                let number = u64::try_from(calls.len()).unwrap_or(u64::MAX).wrapping_mul(SPREAD);
                let mut random = fastrand::Rng::with_seed(seed ^ number);
                return (random.u8(0..100) < *percent).then(|| Fault::ALL[random.usize(0..Fault::ALL.len())]);
            }
        };
        let is_met = target.is_some_and(|target| match mode {
            Mode::Once => last == target,
            Mode::Persistent => last >= target,
        });
        is_met.then_some(fault)
    }
}

/// Where the nth call of `operation` stands, if there was one.
#[must_use]
pub fn place(calls: &[Call], operation: &str, nth: usize) -> Option<usize> {
    calls.iter().enumerate().filter(|(_, call)| call.operation == operation).nth(nth).map(|(index, _)| index)
}
