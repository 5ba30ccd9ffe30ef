//! Digests of several parts: one length, and nothing of what went in can be read back from a key that holds one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// SHA-256 of the parts, in base64url (43 characters). Each part goes in with its length, so that no two lists of parts
/// run together into the same bytes.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// A secret under which guessable values, such as addresses of the internet, are turned into digests that cannot be
/// reversed by trying them all.
#[derive(Clone)]
pub struct HashKey(Vec<u8>);

impl HashKey {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    /// HMAC-SHA-256 of the text, in base64url (43 characters).
    #[must_use]
    pub fn hash(&self, text: &str) -> String {
        // HMAC takes keys of every length.
        Hmac::<Sha256>::new_from_slice(&self.0)
            .map(|mut mac| {
                mac.update(text.as_bytes());
                URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
            })
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"a", b""]), digest(&[b"a"]));
        assert_eq!(digest(&[b"a", b"b"]).len(), 43);
    }

    #[test]
    fn another_key_is_another_hash() {
        assert_ne!(HashKey::new("one").hash("203.0.113.7"), HashKey::new("two").hash("203.0.113.7"));
        assert_eq!(HashKey::new("one").hash("203.0.113.7"), HashKey::new("one").hash("203.0.113.7"));
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        assert_eq!(format!("{:?}", HashKey::new("secret")), "HashKey(redacted)");
    }
}
