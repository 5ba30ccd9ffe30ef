//! Organizations, their members, and the slugs under which members are published.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    calendar::Zone,
    email::Email,
    id::{OrgId, UserId},
    phone::{Phone, Region},
    text::PersonName,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    Active,
    Suspended,
}

named! {
    pub enum Role {
        Owner = "OWNER",
        Admin = "ADMIN",
        Member = "MEMBER",
    }
}

impl Role {
    /// Whether other agents' referrals may be read and written.
    #[must_use]
    pub fn manages_others(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    pub status: AccountStatus,
    /// IANA name; months of reports are months of this zone.
    pub timezone: Zone,
    /// ISO 3166-1 alpha-2; numbers without `+` from the organization's own people are read in it.
    pub default_region: Region,
}

/// Which notices a member wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    pub new_referral: bool,
    pub reward_ready: bool,
    /// By SMS too, to the member's number.
    #[serde(default)]
    pub sms: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub organization_id: OrgId,
    pub user_id: UserId,
    pub role: Role,
    pub status: AccountStatus,
    pub name: PersonName,
    pub email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    pub notify: Notify,
}

/// The name under which an agent's profile is published: 3 to 63 characters of `a-z 0-9 -`, no hyphen at an end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a slug")]
pub struct InvalidSlug;

impl Slug {
    /// Byte for byte: nothing is trimmed, decoded or lower-cased.
    ///
    /// # Errors
    /// When the text is no slug.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (3..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A profile that may receive referrals now: published, and its organization is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedProfile {
    pub organization_id: OrgId,
    pub agent_user_id: UserId,
    pub display_name: PersonName,
    pub brokerage: PersonName,
    /// The organization's.
    pub timezone: Zone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_taken_byte_for_byte() {
        assert!(Slug::parse("jane-doe-realty").is_ok());
        for text in [
            "",
            "ab",
            "-abc",
            "abc-",
            "Jane-doe",
            "jane doe",
            " jane",
            "jane.",
            "..",
            "jane%20doe",
            "jane/doe",
            "jane\u{0}",
            "jäne",
            &"a".repeat(64),
        ] {
            assert_eq!(Slug::parse(text), Err(InvalidSlug), "{text:?}");
        }
    }

    #[test]
    fn roles_are_exact() {
        for text in ["owner", "OWNER ", "[OWNER]", "OWNER,ADMIN", ""] {
            assert_eq!(Role::find(text), None, "{text:?}");
        }
        for role in [Role::Owner, Role::Admin, Role::Member] {
            assert_eq!(Role::find(role.as_str()), Some(role));
        }
    }

    #[test]
    fn a_slug_has_3_to_63_characters() {
        for text in ["abc", "a-1", &"a".repeat(63)] {
            let slug = Slug::parse(text).unwrap();
            assert_eq!((slug.as_str(), slug.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn a_member_manages_nobody_else() {
        let managing = [Role::Owner, Role::Admin, Role::Member].map(Role::manages_others);
        assert_eq!(managing, [true, true, false]);
    }
}
