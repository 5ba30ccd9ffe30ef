//! A client's own name for a request, so that sending it twice does it once.

use thiserror::Error;

use super::digest::digest;

/// How long a key is remembered, in seconds (24 hours).
pub const REMEMBERED_SECONDS: i64 = 86_400;
const MAX_KEY_CHARS: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an idempotency key")]
pub struct InvalidIdempotencyKey;

/// One request under its key: what it was, not what it said. Both parts are digests, because a key is whatever somebody
/// chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Of scope and key.
    pub key: String,
    /// Of the body.
    pub body: String,
}

impl IdempotentRequest {
    /// `scope` is what the key is unique in: the route and whose it is.
    ///
    /// # Errors
    /// When the key is empty, over 255 characters, or holds anything but visible ASCII and spaces.
    pub fn new(scope: &[&str], key: &str, body: &[u8]) -> Result<Self, InvalidIdempotencyKey> {
        let readable = key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if key.trim().is_empty() || key.len() > MAX_KEY_CHARS || !readable {
            return Err(InvalidIdempotencyKey);
        }
        let parts: Vec<&[u8]> = scope.iter().map(|part| part.as_bytes()).chain([key.as_bytes()]).collect();
        Ok(Self { key: digest(&parts), body: digest(&[body]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_only_in_its_scope() {
        let request = |slug: &str, key: &str| IdempotentRequest::new(&["capture", slug], key, b"{}").unwrap();
        assert_eq!(request("jane", "k"), request("jane", "k"));
        assert_ne!(request("jane", "k").key, request("john", "k").key);
        assert_ne!(request("jane", "k").key, request("jane", "l").key);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["", "  ", "a\u{0}", "\u{e9}", &"k".repeat(256)] {
            assert_eq!(IdempotentRequest::new(&["capture"], key, b""), Err(InvalidIdempotencyKey), "{key:?}");
        }
        assert!(IdempotentRequest::new(&["capture"], &"k".repeat(255), b"").is_ok());
    }
}
