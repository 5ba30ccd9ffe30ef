//! E-mail addresses: one form to write to, one key to compare by. `Debug` never shows them.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use validator::ValidateEmail;

/// Longest address, in bytes of UTF-8 (RFC 5321 path limit less the brackets).
pub const EMAIL_MAX_BYTES: usize = 254;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

/// An address as typed: trimmed, NFC. `Debug` is redacted. Deserializing does not check: rows hold parsed values only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// Identity of an address: NFC, lower case, IDNA domain. `+tag` is part of it. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailKey(String);

impl Email {
    /// # Errors
    /// When no mail could be sent to it: not `local@domain`, a local part that is not plain ASCII (SES sends to no
    /// other), a domain that IDNA refuses, or over 254 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let address: String = text.trim().nfc().collect();
        let (local, domain) = address.rsplit_once('@').ok_or(InvalidEmail)?;
        let domain = idna::domain_to_ascii(domain).map_err(|_| InvalidEmail)?;
        let comparable = format!("{local}@{domain}");
        // A quoted local part could hold anything, white space and a second @ included; nobody types one into a form.
        let plain = !local.contains(['"', '@', ',', ';', '<', '>', '(', ')', '\\'])
            && !local.chars().any(|c| c.is_whitespace() || c.is_control());
        if plain
            && domain.contains('.')
            && address.len() <= EMAIL_MAX_BYTES
            && comparable.len() <= EMAIL_MAX_BYTES
            && comparable.validate_email()
        {
            Ok(Self(address))
        } else {
            Err(InvalidEmail)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the wire wants it: the domain in its ASCII form.
    #[must_use]
    pub fn wire_form(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        format!("{local}@{}", idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned()))
    }

    #[must_use]
    pub fn key(&self) -> EmailKey {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
        EmailKey(format!("{}@{domain}", local.to_lowercase()).nfc().collect())
    }
}

impl EmailKey {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mailbox behind the address: the key without `+tag`. Only for telling whether somebody referred themselves.
    #[must_use]
    pub fn mailbox(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => {
                let mailbox = local.split_once('+').map_or(local, |(mailbox, _)| mailbox);
                format!("{mailbox}@{domain}")
            }
            None => self.0.clone(),
        }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(redacted)")
    }
}

impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).unwrap().key().as_str().to_owned()
    }

    #[test]
    fn one_address_has_one_key() {
        for text in ["pat@example.com", " Pat@Example.COM ", "PAT@EXAMPLE.com"] {
            assert_eq!(key(text), "pat@example.com");
        }
        assert_eq!(key("Joerg@Mu\u{308}ller.example"), "joerg@xn--mller-kva.example");
    }

    #[test]
    fn a_tag_is_identity_but_not_a_second_mailbox() {
        assert_eq!(key("pat+a@example.com"), "pat+a@example.com");
        assert_eq!(Email::parse("pat+a@example.com").unwrap().key().mailbox(), "pat@example.com");
    }

    #[test]
    fn what_cannot_be_written_to_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "pat",
            "@example.com",
            "pat@",
            "pat@localhost",
            "pat@exa mple.com",
            "pat jones@example.com",
            "pat@example..com",
            "a@b@example.com",
            "\"a b\"@example.com",
            "pat@example.com\r\nBcc: x@example.com",
            "<pat@example.com>",
            "jörg@example.com",
            "pat@-example.com",
            "pat,sam@example.com",
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_bytes() {
        let of = |last: usize| {
            format!("{}@{}.{}.{}.example", "a".repeat(60), "b".repeat(63), "c".repeat(63), "d".repeat(last))
        };
        assert_eq!((of(57).len(), of(58).len()), (EMAIL_MAX_BYTES, EMAIL_MAX_BYTES + 1));
        assert!(Email::parse(&of(57)).is_ok());
        assert_eq!(Email::parse(&of(58)), Err(InvalidEmail));
    }

    #[test]
    fn an_address_stays_as_it_was_typed_and_the_wire_has_its_domain_in_ascii() {
        let typed = Email::parse(" Pat@Müller.example ").unwrap();
        assert_eq!((typed.as_str(), typed.wire_form().as_str()), ("Pat@Müller.example", "Pat@xn--mller-kva.example"));
        assert_eq!(Email::parse("Pat@example.com").unwrap().wire_form(), "Pat@example.com");
    }

    #[test]
    fn debug_shows_nothing() {
        let email = Email::parse("pat@example.com").unwrap();
        assert_eq!(format!("{email:?} {:?}", email.key()), "Email(redacted) EmailKey(redacted)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).map(|again| again.key()), Ok(email.key()));
                prop_assert!(!email.as_str().contains(['\r', '\n']));
            }
        }
    }
}
