//! When two submissions are one: the same organization, agent, referrer and referred within thirty days of the first.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{
    contact::{Contact, ContactKey},
    id::UserId,
    text::PersonName,
};

/// How long a pair is guarded, counted from its first referral, in seconds (30 days).
pub const GUARD_SECONDS: i64 = 30 * 86_400;

/// Identity of (agent, referrer, referred) as a SHA-256 digest in base64url, so that the guard's key holds no
/// address, number or name and has one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairKey(String);

impl PairKey {
    /// The referred person is compared by e-mail address, else by number, else by name.
    #[must_use]
    pub fn new(agent: &UserId, referrer: &ContactKey, referred_name: &PersonName, referred: &Contact) -> Self {
        let mut digest = Sha256::new();
        let mut part = |kind: &str, value: &str| {
            // The length goes first: no two different parts can run together into the same bytes.
            for text in [kind, value] {
                digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                digest.update(text.as_bytes());
            }
        };
        part("agent", agent.as_str());
        let mut contact = |key: &ContactKey| match key {
            ContactKey::Email(email) => part("email", email.as_str()),
            ContactKey::Phone(phone) => part("phone", phone.as_str()),
        };
        contact(referrer);
        match referred.identity() {
            Some(key) => contact(&key),
            None => part("name", &referred_name.comparison_form()),
        }
        Self(URL_SAFE_NO_PAD.encode(digest.finalize()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::Email,
        phone::{Phone, Region},
    };

    fn email(text: &str) -> Contact {
        Contact { email: Some(Email::parse(text).unwrap()), phone: None }
    }

    fn key(agent: &str, referrer: &Contact, name: &str, referred: &Contact) -> PairKey {
        PairKey::new(
            &UserId::parse(agent).unwrap(),
            &referrer.identity().unwrap(),
            &PersonName::parse(name).unwrap(),
            referred,
        )
    }

    #[test]
    fn spelling_makes_no_difference() {
        let first = key("user_1", &email("pat@example.com"), "Sam Lee", &email("sam@example.com"));
        let again = key("user_1", &email("PAT@example.com"), "Samuel", &email("Sam@Example.com"));
        assert_eq!(first, again);
        let by_name = key("user_1", &email("pat@example.com"), "Sam Lee", &Contact::default());
        assert_eq!(by_name, key("user_1", &email("pat@example.com"), "  sam   LEE", &Contact::default()));
    }

    #[test]
    fn each_part_makes_a_difference() {
        let number = Contact { email: None, phone: Some(Phone::parse("+14155552671", &Region::default()).unwrap()) };
        let keys = [
            key("user_1", &email("pat@example.com"), "Sam Lee", &email("sam@example.com")),
            key("user_2", &email("pat@example.com"), "Sam Lee", &email("sam@example.com")),
            key("user_1", &email("kim@example.com"), "Sam Lee", &email("sam@example.com")),
            key("user_1", &email("pat@example.com"), "Sam Lee", &email("sam2@example.com")),
            key("user_1", &email("pat@example.com"), "Sam Lee", &Contact::default()),
            key("user_1", &email("pat@example.com"), "Sam Lee", &number),
            key("user_1", &number, "Sam Lee", &email("pat@example.com")),
        ];
        for (i, one) in keys.iter().enumerate() {
            for (j, other) in keys.iter().enumerate() {
                assert_eq!(one == other, i == j, "{i} {j}");
            }
        }
    }
}
