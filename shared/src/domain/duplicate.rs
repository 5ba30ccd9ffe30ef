//! When two submissions are one: the same organization, agent, referrer and referred within thirty days of the first.

use serde::{Deserialize, Serialize};

use super::{
    contact::{Contact, ContactKey},
    digest::digest,
    id::UserId,
    text::PersonName,
};

/// How long a pair is guarded, counted from its first referral, in seconds (30 days).
pub const GUARD_SECONDS: i64 = 30 * 86_400;

/// Identity of (agent, referrer, referred) as a digest, so that the guard's key holds no
/// address, number or name and has one length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairKey(String);

impl PairKey {
    /// The referred person is compared by e-mail address, else by number, else by name.
    #[must_use]
    pub fn new(agent: &UserId, referrer: &ContactKey, referred_name: &PersonName, referred: &Contact) -> Self {
        let [referrer_kind, referrer] = parts(referrer);
        let identity = referred.identity();
        let name = referred_name.comparison_form();
        let [referred_kind, referred] = identity.as_ref().map_or(["name", &name], parts);
        let parts = [agent.as_str(), referrer_kind, referrer, referred_kind, referred];
        Self(digest(&parts.map(str::as_bytes)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parts(key: &ContactKey) -> [&str; 2] {
    match key {
        ContactKey::Email(email) => ["email", email.as_str()],
        ContactKey::Phone(phone) => ["phone", phone.as_str()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::Email,
        phone::{Phone, Region},
        time::Timestamp,
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

    #[test]
    fn a_key_is_a_digest_and_guards_for_thirty_days() {
        let key = key("user_1", &email("pat@example.com"), "Sam Lee", &email("sam@example.com"));
        assert_eq!(key.as_str().len(), 43);
        let first = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        assert_eq!(first.plus_seconds(GUARD_SECONDS), Timestamp::parse("2026-12-22T07:00:00Z").unwrap());
    }
}
