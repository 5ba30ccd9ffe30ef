//! An agent's tools: requests as the gateway hands them on, with the claims that it has verified.

use referrals_testing::Fixtures;
use serde_json::{Value, json};

use crate::{Answer, Name, World};

const GOLDEN: &str = include_str!("../../../events/http/list-referrals.json");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// 502 when the function gave no answer, as the gateway says then.
    pub status: u64,
    /// Null when it is no JSON.
    pub body: Value,
}

impl World {
    /// What the gateway makes of a request by the demo organization's owner. `target` is path and query.
    pub fn request(&mut self, method: Method, target: &str, body: Option<&Value>) -> Value {
        let mut event: Value = serde_json::from_str(GOLDEN).expect("a golden event");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        event["rawPath"] = path.into();
        event["rawQueryString"] = query.into();
        event["queryStringParameters"] = Value::Null;
        event["requestContext"]["http"]["method"] = method.as_str().into();
        event["requestContext"]["http"]["path"] = path.into();
        event["requestContext"]["requestId"] = format!("request{}=", self.number()).into();
        event["requestContext"]["authorizer"]["jwt"]["claims"]["user_id"] = Fixtures::OWNER.into();
        if let Some(body) = body {
            event["headers"]["content-type"] = json!("application/json");
            event["body"] = body.to_string().into();
        }
        event
    }

    /// One request to referrals-api.
    pub async fn call(&mut self, method: Method, target: &str, body: Option<&Value>) -> Called {
        let event = self.request(method, target, body);
        match self.invoke(Name::ReferralsApi, &event).await {
            Answer::Response(answer) => Called {
                status: answer["statusCode"].as_u64().unwrap_or_default(),
                body: serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default(),
            },
            Answer::Error(_) | Answer::Died | Answer::TimedOut => Called { status: 502, body: Value::Null },
        }
    }
}
