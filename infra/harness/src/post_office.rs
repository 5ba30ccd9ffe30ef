//! A post office that keeps what it accepts: SES for mail (version 2, REST and JSON) and SNS for SMS (the query protocol,
//! a form in and XML out). It answers as AWS does, and fails with AWS's own errors.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::{Value, json};

use crate::http::{self, Reply};

const SEND_EMAIL: &str = "SendEmail";
const PUBLISH: &str = "Publish";
const IS_OPTED_OUT: &str = "CheckIfPhoneNumberIsOptedOut";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    Email,
    Sms,
}

impl Channel {
    pub(crate) const ALL: [Self; 2] = [Self::Email, Self::Sms];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Sms => "SMS",
        }
    }
}

/// One message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The office's id of it.
    pub id: String,
    pub channel: Channel,
    /// An address, or a number.
    pub to: String,
    /// A mail's tags; an SMS's attributes.
    pub tags: BTreeMap<String, String>,
    /// A mail's whole MIME text, or its subject and parts where it was handed over in parts; an SMS's text.
    pub body: String,
}

#[derive(Debug, Default)]
pub struct PostOffice {
    accepted: Mutex<Vec<Accepted>>,
    opted_out: Mutex<BTreeSet<String>>,
    /// For each of the next messages, the error that it is refused with.
    script: Mutex<VecDeque<Option<String>>>,
}

impl PostOffice {
    /// Everything that was accepted so far, in order.
    #[must_use]
    pub fn accepted(&self) -> Vec<Accepted> {
        self.locked().clone()
    }

    /// Keeps the message as if it had been sent.
    pub fn accept(&self, message: Accepted) {
        self.locked().push(message);
    }

    /// As if nothing had been accepted so far.
    pub fn forget(&self) {
        self.locked().clear();
    }

    /// The number has told its carrier to stop.
    pub fn opt_out(&self, number: &str) {
        self.opted_out.lock().unwrap().insert(number.to_owned());
    }

    #[must_use]
    pub fn has_opted_out(&self, number: &str) -> bool {
        self.opted_out.lock().unwrap().contains(number)
    }

    /// The next messages are refused with these errors (`MessageRejected`, `InvalidParameter`), or accepted where there is
    /// none; those behind them are accepted.
    pub fn script<'a>(&self, codes: impl IntoIterator<Item = Option<&'a str>>) {
        self.script.lock().unwrap().extend(codes.into_iter().map(|code| code.map(str::to_owned)));
    }

    /// What the request asks of the office. None when it is not for it.
    pub(crate) fn operation(request: &Request<Bytes>) -> Option<&'static str> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/v2/email/outbound-emails") => Some(SEND_EMAIL),
            (&Method::POST, "/") => {
                let form = form(request.body());
                [PUBLISH, IS_OPTED_OUT]
                    .into_iter()
                    .find(|known| form.get("Action").is_some_and(|action| action == known))
            }
            _ => None,
        }
    }

    /// Whether the operation is one of the office's.
    pub(crate) fn is_its(operation: &str) -> bool {
        [SEND_EMAIL, PUBLISH, IS_OPTED_OUT].contains(&operation)
    }

    pub(crate) fn answer(&self, operation: &str, body: &Bytes) -> Reply {
        if operation == IS_OPTED_OUT {
            let number = form(body).remove("phoneNumber").unwrap_or_default();
            let is_opted_out = self.has_opted_out(&number);
            return xml(StatusCode::OK, operation, &format!("<isOptedOut>{is_opted_out}</isOptedOut>"));
        }
        if let Some(code) = self.script.lock().unwrap().pop_front().flatten() {
            return error(operation, StatusCode::BAD_REQUEST, &code);
        }
        let id = ulid::Ulid::generate().to_string();
        let message = if operation == SEND_EMAIL { mail(id.clone(), body) } else { sms(id.clone(), body) };
        self.accept(message);
        if operation == SEND_EMAIL {
            http::json(StatusCode::OK, &json!({"MessageId": id}))
        } else {
            xml(StatusCode::OK, operation, &format!("<MessageId>{id}</MessageId>"))
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Accepted>> {
        self.accepted.lock().unwrap()
    }
}

/// The service's throttling error.
pub(crate) fn throttled(operation: &str) -> Reply {
    if operation == SEND_EMAIL {
        error(operation, StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException")
    } else {
        error(operation, StatusCode::TOO_MANY_REQUESTS, "Throttled")
    }
}

pub(crate) fn broken(operation: &str) -> Reply {
    let code = if operation == SEND_EMAIL { "InternalFailure" } else { "InternalError" };
    error(operation, StatusCode::INTERNAL_SERVER_ERROR, code)
}

fn error(operation: &str, status: StatusCode, code: &str) -> Reply {
    if operation == SEND_EMAIL {
        let mut reply = http::json(status, &json!({"message": "injected"}));
        reply.headers_mut().insert("x-amzn-errortype", HeaderValue::from_str(code).expect("a code"));
        return reply;
    }
    let body = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>injected</Message></Error>");
    document(status, &format!("<ErrorResponse {NAMESPACE}>{body}<RequestId>request</RequestId></ErrorResponse>"))
}

const NAMESPACE: &str = r#"xmlns="http://sns.amazonaws.com/doc/2010-03-31/""#;

fn xml(status: StatusCode, operation: &str, result: &str) -> Reply {
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    let metadata = "<ResponseMetadata><RequestId>request</RequestId></ResponseMetadata>";
    document(status, &format!("<{operation}Response {NAMESPACE}>{result}{metadata}</{operation}Response>"))
}

fn document(status: StatusCode, text: &str) -> Reply {
    let mut reply = Reply::new(Full::from(text.to_owned()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    reply
}

fn form(body: &Bytes) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

fn mail(id: String, body: &Bytes) -> Accepted {
    let request: Value = serde_json::from_slice(body).expect("SendEmail is JSON");
    let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let addresses = request["Destination"]["ToAddresses"].as_array().cloned().unwrap_or_default();
    let to: Vec<&str> = addresses.iter().filter_map(Value::as_str).collect();
    let tags = request["EmailTags"].as_array().cloned().unwrap_or_default();
    let tag = |tag: &Value, name: &str| tag[name].as_str().unwrap_or_default().to_owned();
    let raw = STANDARD.decode(text("/Content/Raw/Data")).expect("a mail is base64");
    let body = if raw.is_empty() {
        ["Subject/Data", "Body/Text/Data", "Body/Html/Data"]
            .map(|part| text(&format!("/Content/Simple/{part}")))
            .join("\n")
    } else {
        String::from_utf8(raw).expect("a mail is text")
    };
    Accepted {
        id,
        channel: Channel::Email,
        to: to.join(", "),
        tags: tags.iter().map(|entry| (tag(entry, "Name"), tag(entry, "Value"))).collect(),
        body,
    }
}

fn sms(id: String, body: &Bytes) -> Accepted {
    let mut form = form(body);
    let mut tags = BTreeMap::new();
    for number in 1.. {
        let prefix = format!("MessageAttributes.entry.{number}");
        let Some(name) = form.remove(&format!("{prefix}.Name")) else { break };
        tags.insert(name, form.remove(&format!("{prefix}.Value.StringValue")).unwrap_or_default());
    }
    let mut take = |name: &str| form.remove(name).unwrap_or_default();
    Accepted { id, channel: Channel::Sms, to: take("PhoneNumber"), tags, body: take("Message") }
}
