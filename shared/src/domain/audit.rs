//! The append-only history of a referral.

use serde::{Deserialize, Serialize};

use super::{
    consent::ConsentChannel,
    id::{DealId, UserId},
    message::MessageKind,
    text::Reason,
    time::Timestamp,
};

named! {
    pub enum AuditAction {
        /// The referral came in.
        Received = "RECEIVED",
        /// It was brought over from a prior system.
        Imported = "IMPORTED",
        /// The referred person was found or created and linked.
        LeadLinked = "LEAD_LINKED",
        /// A risk flag was raised.
        Flagged = "FLAGGED",
        /// The status moved; other fields may have changed with it.
        StatusChanged = "STATUS_CHANGED",
        /// Fields were changed.
        Edited = "EDITED",
        /// The row was deleted as a wrong entry.
        Deleted = "DELETED",
        /// The reward's status moved.
        RewardChanged = "REWARD_CHANGED",
        /// A message about the referral was sent, or was not, or more was heard of it.
        MessageChanged = "MESSAGE_CHANGED",
        /// What was known of a person was taken out.
        Erased = "ERASED",
    }
}

/// What the name of one of our functions begins with, as an actor. No member's id has a colon.
const SYSTEM: &str = "system:";

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody from outside, through a public form.
    Public,
    /// A member of the organization.
    Member(UserId),
    /// One of our own functions, by name.
    System(&'static str),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Member(user) => f.write_str(user.as_str()),
            Self::System(function) => write!(f, "{SYSTEM}{function}"),
        }
    }
}

/// Which message an entry is about, and why it is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageNote {
    pub kind: MessageKind,
    pub channel: ConsentChannel,
    /// A skip reason, or the provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One change. `from` and `to` are codes or ids; only `note` may hold what somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub at: Timestamp,
    pub actor: String,
    pub action: AuditAction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The contract's names of the fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The deal that the referral was linked to by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<DealId>,
    /// The reason that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Reason>,
    /// The message that the entry is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageNote>,
    /// The gateway's request id, or the id of the event that caused the change.
    pub request_id: String,
    /// The event that the same transaction put into the outbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl AuditEntry {
    /// Whether a member did it: not somebody from outside, and not one of our functions.
    #[must_use]
    pub fn is_by_member(&self) -> bool {
        self.actor != Actor::Public.to_string() && !self.actor.starts_with(SYSTEM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_history_are_those_of_the_contract() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
        let member = Actor::Member(UserId::parse("user_1").unwrap());
        let names = [Actor::Public, member, Actor::System("messages")].map(|actor| actor.to_string());
        assert_eq!(names, ["public", "user_1", "system:messages"]);
    }
}
