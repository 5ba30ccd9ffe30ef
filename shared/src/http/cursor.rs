//! Where a list goes on: a position that only we can write, bound to the list it came from.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use crate::{domain::time::Timestamp, ports::Position};

/// A cursor can be used for a day.
const LIFETIME_SECONDS: i64 = 86_400;

/// Not a cursor of this list: altered, expired, of another organization, or taken under other filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

/// The secret under which cursors are authenticated.
#[derive(Clone)]
pub struct CursorKey(Vec<u8>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(redacted)")
    }
}

/// What a cursor is bound to: route, organization, and every filter, the caller's own narrowing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListIdentity(Vec<String>);

impl ListIdentity {
    #[must_use]
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(parts.into_iter().map(str::to_owned).collect())
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    /// Creation time of the last row.
    t: Timestamp,
    /// Its id.
    i: String,
    /// Epoch seconds after which the cursor is refused.
    e: i64,
}

const TAG_BYTES: usize = 32;

impl CursorKey {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    fn mac(&self, list: &ListIdentity, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in list.0.iter().map(String::as_bytes).chain([payload]) {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }

    /// The cursor for the page after `position`.
    #[must_use]
    pub fn seal(&self, list: &ListIdentity, position: &Position, now: Timestamp) -> Option<String> {
        let payload = Payload {
            t: position.created_at,
            i: position.id.clone(),
            e: now.plus_seconds(LIFETIME_SECONDS).epoch_seconds(),
        };
        let payload = serde_json::to_vec(&payload).ok()?;
        let mut sealed = self.mac(list, &payload)?.finalize().into_bytes().to_vec();
        sealed.extend(payload);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// # Errors
    /// When the cursor was not sealed for this list, or has expired.
    pub fn open(&self, list: &ListIdentity, cursor: &str, now: Timestamp) -> Result<Position, InvalidCursor> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (tag, payload) = sealed.split_at_checked(TAG_BYTES).ok_or(InvalidCursor)?;
        let mac = self.mac(list, payload).ok_or(InvalidCursor)?;
        mac.verify_slice(tag).map_err(|_| InvalidCursor)?;
        let payload: Payload = serde_json::from_slice(payload).map_err(|_| InvalidCursor)?;
        if payload.e <= now.epoch_seconds() {
            return Err(InvalidCursor);
        }
        Ok(Position { created_at: payload.t, id: payload.i })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn sealed() -> (CursorKey, ListIdentity, Position, Timestamp, String) {
        let (key, list) = (CursorKey::new("secret"), ListIdentity::new(["referrals", "org_1", "RECEIVED"]));
        let position = Position { created_at: at("2026-11-22T07:00:00.123Z"), id: "ref_1".to_owned() };
        let now = at("2026-11-22T08:00:00Z");
        let cursor = key.seal(&list, &position, now).unwrap();
        (key, list, position, now, cursor)
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let (key, list, position, now, cursor) = sealed();
        assert_eq!(key.open(&list, &cursor, now), Ok(position));
        assert!(!cursor.contains(['+', '/', '=']), "{cursor}");
    }

    #[test]
    fn a_cursor_is_worth_nothing_elsewhere_or_later() {
        let (key, list, _, now, cursor) = sealed();
        for other in
            [&["referrals", "org_2", "RECEIVED"][..], &["referrals", "org_1", "LOST"], &["referrals", "org_1RECEIVED"]]
        {
            let other = ListIdentity::new(other.iter().copied());
            assert_eq!(key.open(&other, &cursor, now), Err(InvalidCursor));
        }
        assert_eq!(CursorKey::new("other").open(&list, &cursor, now), Err(InvalidCursor));
        assert_eq!(key.open(&list, &cursor, at("2026-11-23T08:00:00Z")), Err(InvalidCursor));
    }

    proptest! {
        #[test]
        fn an_altered_cursor_is_refused(place in 0_usize..200, letter in "[A-Za-z0-9_-]") {
            let (key, list, _, now, cursor) = sealed();
            let place = place % cursor.len();
            let mut altered = cursor.clone();
            altered.replace_range(place..=place, &letter);
            // The last letter may carry bits that decode to nothing.
            prop_assume!(altered != cursor && place + 1 < cursor.len());
            prop_assert_eq!(key.open(&list, &altered, now), Err(InvalidCursor));
        }

        #[test]
        fn garbage_is_refused(text in "\\PC{0,80}") {
            let (key, list, _, now, _) = sealed();
            prop_assert_eq!(key.open(&list, &text, now), Err(InvalidCursor));
        }
    }
}
