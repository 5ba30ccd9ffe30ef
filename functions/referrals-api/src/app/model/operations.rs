//! Operations of a sequence, as they are sent.

use serde_json::Value;

use super::{
    super::tests::{Call, call},
    reference::{Actor, Organization},
};
use crate::app::tests::REFERRALS;

#[derive(Debug, Clone)]
pub enum Operation {
    Log(Value),
    /// One of the five steps, on a referral.
    Step(&'static str, String, Option<Value>),
    Patch(String, Value),
    /// Something about a referral's reward.
    Reward(&'static str, String, Value),
    /// The whole policy.
    Policy(Value),
    Delete(String),
    Get(String),
    History(String),
    /// With filters; pages of so many.
    List(Vec<(&'static str, String)>, usize),
    People(usize),
    Person(String),
    /// Through the public form of the actor's organization.
    Capture(Capture),
    /// The event of this row reaches the pipeline, so many times.
    Enter(usize, usize),
}

impl Operation {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Step(step, ..) => step,
            Self::Patch(..) => "patch",
            Self::Reward(action, ..) => action,
            Self::Policy(_) => "policy",
            Self::Delete(_) => "delete",
            Self::Get(_) => "get",
            Self::History(_) => "history",
            Self::List(..) => "list",
            Self::People(_) => "people",
            Self::Person(_) => "person",
            Self::Capture(_) => "capture",
            Self::Enter(..) => "enter",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Capture {
    pub name: &'static str,
    pub email: &'static str,
    pub phone: &'static str,
    pub friend: &'static str,
    pub friend_email: &'static str,
    pub friend_phone: &'static str,
    pub is_widget: bool,
    /// How many days from now.
    pub day: i64,
}

/// The version that the client says it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    None,
    Any,
    Current,
    CurrentAmongOthers,
    Stale,
    Weak,
    Garbage,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Json,
    MergePatch,
    Text,
    Broken,
    Array,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub actor: Actor,
    pub operation: Operation,
    pub tag: Tag,
    /// The client's name for the request.
    pub name: Option<&'static str>,
    pub wire: Wire,
}

impl Step {
    pub fn method_and_path(&self) -> (&'static str, String) {
        match &self.operation {
            Operation::Log(_) => ("POST", REFERRALS.to_owned()),
            Operation::Step(step, id, _) => ("POST", format!("{REFERRALS}/{id}/{step}")),
            Operation::Reward(action, id, _) => ("POST", format!("{REFERRALS}/{id}/reward/{action}")),
            Operation::Policy(_) => ("PUT", "/api/reputation/reward-policy".to_owned()),
            Operation::Patch(id, _) => ("PATCH", format!("{REFERRALS}/{id}")),
            Operation::Delete(id) => ("DELETE", format!("{REFERRALS}/{id}")),
            Operation::Get(id) => ("GET", format!("{REFERRALS}/{id}")),
            Operation::History(id) => ("GET", format!("{REFERRALS}/{id}/history")),
            Operation::Person(id) => ("GET", format!("/api/people/{id}")),
            Operation::List(..) => ("GET", REFERRALS.to_owned()),
            Operation::People(_) => ("GET", "/api/people".to_owned()),
            Operation::Capture(_) | Operation::Enter(..) => unreachable!("not sent over this router"),
        }
    }

    /// What is sent as the body; empty for none.
    pub fn body(&self) -> String {
        let body = match &self.operation {
            Operation::Log(body)
            | Operation::Policy(body)
            | Operation::Patch(_, body)
            | Operation::Reward(_, _, body)
            | Operation::Step(_, _, Some(body)) => body.to_string(),
            _ => return String::new(),
        };
        match self.wire {
            Wire::Broken => body[..body.len() - 1].to_owned(),
            Wire::Array => format!("[{body}]"),
            _ => body,
        }
    }

    /// The request; `version` is the row's.
    pub fn call(&self, orgs: &[Organization], version: u64) -> Call {
        let (method, path) = self.method_and_path();
        let mut request = call((orgs[self.actor.org].id, self.actor.user, self.actor.role), method, path);
        let body = self.body();
        if !body.is_empty() {
            request.body = Some(body);
            let media = match self.wire {
                Wire::Text => "text/plain",
                Wire::MergePatch => "application/merge-patch+json",
                _ => "application/json",
            };
            request = request.header("content-type", media);
        }
        if let Some(name) = self.name {
            request = request.header("idempotency-key", name);
        }
        match self.tag {
            Tag::None => request,
            Tag::Any => request.header("if-match", "*"),
            Tag::Current => request.header("if-match", format!("\"{version}\"")),
            Tag::CurrentAmongOthers => request.header("if-match", format!("\"900\", \"{version}\"")),
            Tag::Stale => request.header("if-match", format!("\"{}\"", version + 1)),
            Tag::Weak => request.header("if-match", format!("W/\"{version}\"")),
            Tag::Garbage => request.header("if-match", "latest"),
        }
    }

    /// Whether the tag admits the row as it is.
    pub fn admits(&self) -> bool {
        matches!(self.tag, Tag::None | Tag::Any | Tag::Current | Tag::CurrentAmongOthers)
    }
}
