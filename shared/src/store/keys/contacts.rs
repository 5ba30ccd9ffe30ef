//! Keys by addresses and numbers.

use super::{Keys, org};
use crate::domain::{contact::ContactKey, digest::digest, scope::OrgScope};

/// Uniqueness of an address or a number within the organization.
#[must_use]
pub fn contact(scope: &OrgScope, key: &ContactKey) -> Keys {
    let (kind, address) = parts(key);
    Keys::new(format!("{}#CONTACT#{kind}#{address}", org(scope)), "CONTACT")
}

/// An address or a number that the organization sends nothing to. It outlives the person, so it is a digest: whoever has
/// the address can ask for it, and nobody reads it here.
#[must_use]
pub fn suppression(scope: &OrgScope, key: &ContactKey) -> Keys {
    let (kind, address) = parts(key);
    let hidden = digest(&[b"suppressed", scope.organization().as_str().as_bytes(), address.as_bytes()]);
    Keys::new(format!("{}#SUPPRESSED#{kind}#{hidden}", org(scope)), "SUPPRESSED")
}

fn parts(key: &ContactKey) -> (&'static str, &str) {
    match key {
        ContactKey::Email(email) => ("EMAIL", email.as_str()),
        ContactKey::Phone(phone) => ("PHONE", phone.as_str()),
    }
}
