//! Identifiers. Ids that we make are prefixed ULIDs; ids that we accept match `[a-z]+_[A-Za-z0-9_-]{1,64}`.
//! An id is not personal data and may be logged.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ulid::Ulid;

/// The text is no id: it does not match `[a-z]+_[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an id")]
pub struct InvalidId;

fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, rest)| {
        !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && (1..=64).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When the text is no id.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_id(&text) { Ok(Self(text)) } else { Err(InvalidId) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident made as $prefix:literal) => {
        id!($(#[$doc])* $name);

        impl $name {
            #[must_use]
            pub fn from_ulid(ulid: Ulid) -> Self {
                Self(format!(concat!($prefix, "_{}"), ulid))
            }
        }
    };
}

id!(
    /// An organization: a brokerage or a team. Opaque to us.
    OrgId
);
id!(
    /// A member of an organization, usually an agent. Opaque to us.
    UserId
);
id!(
    /// A deal of the organization's transaction system. Opaque to us.
    DealId
);
id!(
    /// A contact of one organization.
    PersonId made as "person"
);
id!(
    /// One row of the ledger.
    ReferralId made as "ref"
);
id!(
    /// An event; made together with its outbox item and reused by every republication.
    EventId made as "evt"
);
id!(
    /// One uploaded file.
    ImportId made as "imp"
);
id!(
    /// What a public submission is answered with. Fresh each time, so that it tells nothing about what was stored.
    ReceiptId made as "rcpt"
);

impl EventId {
    /// For an event of somebody else whose own id is no id of ours; `digest` is what `digest::digest` gives.
    #[must_use]
    pub fn from_digest(digest: &str) -> Self {
        Self(format!("ext_{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::digest;

    #[test]
    fn accepts_the_ids_of_the_contract() {
        for text in ["person_111", "user_789", "ref_01K9ZZ", "org_a-b_C", "deal_1"] {
            assert!(PersonId::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("ref_{}", "a".repeat(65));
        for text in ["", "ref", "ref_", "_ref", "Ref_1", "r3f_1", "ref_ä", "ref_a b", "ref_a#b", "ref_a/b", &long] {
            assert_eq!(ReferralId::parse(text), Err(InvalidId), "{text:?}");
        }
    }

    #[test]
    fn a_stored_id_is_checked_again() {
        assert!(serde_json::from_str::<OrgId>("\"org_1#PERSON\"").is_err());
    }

    #[test]
    fn a_made_id_carries_its_prefix_and_is_an_id() {
        let id = EventId::from_ulid(Ulid::from_parts(1, 2));
        assert_eq!(id.as_str(), "evt_00000000010000000000000002");
        assert_eq!(EventId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn an_id_is_checked_in_both_its_parts_and_has_at_most_64_characters() {
        let longest = format!("ref_{}", "a".repeat(64));
        assert_eq!(ReferralId::parse(&longest).unwrap().to_string(), longest);
        assert_eq!(serde_json::from_str::<ReferralId>("\"ref_1\"").unwrap(), ReferralId::parse("ref_1").unwrap());
        let foreign = EventId::from_digest(&digest(&[b"somebody else's"]));
        assert_eq!(EventId::parse(foreign.as_str()), Ok(foreign));
    }
}
