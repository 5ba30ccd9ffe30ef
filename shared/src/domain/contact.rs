//! How somebody can be reached, and the keys by which two mentions of one person are matched.

use serde::{Deserialize, Serialize};

use super::{
    email::{Email, EmailKey},
    phone::Phone,
};

/// An e-mail address, a phone number, both or neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// Identity of a person within an organization. At most one person holds each key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ContactKey {
    Email(EmailKey),
    Phone(Phone),
}

impl Contact {
    /// Email first: it is the stronger identity.
    #[must_use]
    pub fn keys(&self) -> Vec<ContactKey> {
        let email = self.email.as_ref().map(|email| ContactKey::Email(email.key()));
        let phone = self.phone.clone().map(ContactKey::Phone);
        email.into_iter().chain(phone).collect()
    }

    /// The key that decides who this is: the e-mail address when one was given, else the phone number.
    #[must_use]
    pub fn identity(&self) -> Option<ContactKey> {
        self.keys().into_iter().next()
    }

    /// What of `contact` is held under one of `keys`: an address or a number that nobody else has.
    #[must_use]
    pub fn of_keys(contact: &Self, keys: &[ContactKey]) -> Self {
        let held = |key: &ContactKey| keys.contains(key);
        Self {
            email: contact.email.clone().filter(|email| held(&ContactKey::Email(email.key()))),
            phone: contact.phone.clone().filter(|phone| held(&ContactKey::Phone(phone.clone()))),
        }
    }

    /// Whether both are visibly one person: the same mailbox (a `+tag` makes no difference) or the same number.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        let mailbox = |contact: &Self| contact.email.as_ref().map(|email| email.key().mailbox());
        let same_mailbox = mailbox(self).is_some() && mailbox(self) == mailbox(other);
        let same_number = self.phone.is_some() && self.phone == other.phone;
        same_mailbox || same_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(email: &str, phone: &str) -> Contact {
        Contact {
            email: (!email.is_empty()).then(|| Email::parse(email).unwrap()),
            phone: (!phone.is_empty()).then(|| Phone::parse(phone, &crate::domain::phone::Region::default()).unwrap()),
        }
    }

    #[test]
    fn email_decides_when_both_are_given() {
        let both = contact("Pat@Example.com", "+14155552671");
        assert!(matches!(both.identity(), Some(ContactKey::Email(key)) if key.as_str() == "pat@example.com"));
        assert_eq!(both.keys().len(), 2);
        assert!(matches!(contact("", "+14155552671").identity(), Some(ContactKey::Phone(_))));
        assert_eq!(contact("", "").identity(), None);
    }

    #[test]
    fn referring_oneself_is_seen_through_tags_and_spellings() {
        let rows = [
            (contact("pat@example.com", ""), contact("PAT+friend@example.com", ""), true),
            (contact("a@example.com", "+14155552671"), contact("b@example.com", "(415) 555-2671"), true),
            (contact("pat@example.com", ""), contact("sam@example.com", ""), false),
            (contact("pat@example.com", ""), contact("", "+14155552671"), false),
            (contact("", ""), contact("", ""), false),
        ];
        for (one, other, same) in rows {
            assert_eq!(one.is_same_person(&other), same);
            assert_eq!(other.is_same_person(&one), same);
        }
    }

    #[test]
    fn of_two_ways_to_reach_somebody_only_the_held_ones_stay() {
        let both = contact("Pat@example.com", "+14155552671");
        let keys = both.keys();
        for (held, wanted) in [
            (&keys[..], both.clone()),
            (&keys[..1], contact("Pat@example.com", "")),
            (&keys[1..], contact("", "+14155552671")),
            (&[], contact("", "")),
        ] {
            assert_eq!(Contact::of_keys(&both, held), wanted);
        }
    }
}
