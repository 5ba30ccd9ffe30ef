//! The link by which whoever got a message ends such messages: ids that only we can have put together. It does not
//! expire, because mail is read years later, and all that it allows is to revoke one consent.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::domain::{
    consent::ConsentChannel,
    id::{OrgId, PersonId},
    scope::OrgScope,
};

/// Not a token of ours: altered, cut short, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a token of an unsubscribe link")]
pub struct InvalidToken;

/// Whose messages on which channel end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeLink {
    pub scope: OrgScope,
    pub person: PersonId,
    pub channel: ConsentChannel,
}

/// The secret under which unsubscribe links are authenticated.
#[derive(Clone)]
pub struct UnsubscribeKey(Vec<u8>);

impl std::fmt::Debug for UnsubscribeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsubscribeKey(redacted)")
    }
}

const TAG_BYTES: usize = 32;

/// Authenticated together with the payload, so that nothing else sealed under the same secret is a link.
const PURPOSE: &[u8] = b"unsubscribe-link-v1";

impl UnsubscribeKey {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    fn mac(&self, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [PURPOSE, payload] {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }

    /// The token of the link; safe in a path as it is.
    #[must_use]
    pub fn seal(&self, scope: &OrgScope, person: &PersonId, channel: ConsentChannel) -> Option<String> {
        // No id and no channel has a space in it.
        let payload = format!("{} {} {}", channel.as_str(), scope.organization(), person);
        let mut sealed = self.mac(payload.as_bytes())?.finalize().into_bytes().to_vec();
        sealed.extend(payload.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// # Errors
    /// When the token was not sealed under this key.
    pub fn open(&self, token: &str) -> Result<UnsubscribeLink, InvalidToken> {
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let (tag, payload) = sealed.split_at_checked(TAG_BYTES).ok_or(InvalidToken)?;
        let mac = self.mac(payload).ok_or(InvalidToken)?;
        mac.verify_slice(tag).map_err(|_| InvalidToken)?;
        read(payload).ok_or(InvalidToken)
    }
}

fn read(payload: &[u8]) -> Option<UnsubscribeLink> {
    let mut parts = std::str::from_utf8(payload).ok()?.split(' ');
    let channel = ConsentChannel::find(parts.next()?)?;
    let organization = OrgId::parse(parts.next()?).ok()?;
    let person = PersonId::parse(parts.next()?).ok()?;
    let link = UnsubscribeLink { scope: OrgScope::from_unsubscribe_link(organization), person, channel };
    parts.next().is_none().then_some(link)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{domain::time::Timestamp, http::CursorKey, http::ListIdentity, ports::Position};

    fn link(organization: &str, person: &str, channel: ConsentChannel) -> UnsubscribeLink {
        UnsubscribeLink {
            scope: OrgScope::from_unsubscribe_link(OrgId::parse(organization).unwrap()),
            person: PersonId::parse(person).unwrap(),
            channel,
        }
    }

    fn seal(key: &UnsubscribeKey, link: &UnsubscribeLink) -> String {
        key.seal(&link.scope, &link.person, link.channel).unwrap()
    }

    fn sealed() -> (UnsubscribeKey, String) {
        let key = UnsubscribeKey::new("secret");
        let token = seal(&key, &link("org_1", "person_111", ConsentChannel::Email));
        (key, token)
    }

    #[test]
    fn links_that_are_out_stay_good() {
        let (key, token) = sealed();
        // What has been mailed has to be understood by every later version.
        assert_eq!(token, "hPnsJeGQMcdyyzJSVVOv2ylV3SQlNUsZ_FfGDu8Odw9FTUFJTCBvcmdfMSBwZXJzb25fMTEx");
        assert!(key.open(&token).is_ok());
    }

    #[test]
    fn a_token_is_worth_nothing_under_another_key() {
        let (_, token) = sealed();
        assert_eq!(UnsubscribeKey::new("other").open(&token), Err(InvalidToken));
        assert_eq!(UnsubscribeKey::new("").open(&token), Err(InvalidToken));
    }

    #[test]
    fn a_cursor_under_the_same_secret_is_no_link() {
        let now = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let position = Position { created_at: now, id: "person_111".to_owned() };
        let cursor = CursorKey::new("secret").seal(&ListIdentity::new(["people", "org_1"]), &position, now).unwrap();
        assert_eq!(sealed().0.open(&cursor), Err(InvalidToken));
    }

    #[test]
    fn only_a_whole_payload_is_read() {
        for payload in [
            "",
            "EMAIL",
            "EMAIL org_1",
            "EMAIL org_1 person_1 ",
            "EMAIL org_1 person_1 more",
            "FAX org_1 person_1",
            "EMAIL org person_1",
            "EMAIL org_1 person",
            "EMAIL  org_1 person_1",
        ] {
            assert_eq!(read(payload.as_bytes()), None, "{payload:?}");
        }
        assert_eq!(read(b"SMS org_1 person_1\xff"), None);
        assert_eq!(read(b"SMS org_1 person_1"), Some(link("org_1", "person_1", ConsentChannel::Sms)));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", UnsubscribeKey::new("secret")), "UnsubscribeKey(redacted)");
    }

    proptest! {
        #[test]
        fn a_token_leads_back_to_what_it_was_made_of(
            organization in "[a-z]{1,8}_[A-Za-z0-9_-]{1,64}",
            person in "[a-z]{1,8}_[A-Za-z0-9_-]{1,64}",
            email in any::<bool>(),
        ) {
            let channel = if email { ConsentChannel::Email } else { ConsentChannel::Sms };
            let link = link(&organization, &person, channel);
            let key = UnsubscribeKey::new("secret");
            let token = seal(&key, &link);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(key.open(&token), Ok(link));
        }

        #[test]
        fn an_altered_token_is_refused(place in 0_usize..400, letter in "[A-Za-z0-9_=+/-]") {
            let (key, token) = sealed();
            let place = place % token.len();
            let mut altered = token.clone();
            altered.replace_range(place..=place, &letter);
            prop_assume!(altered != token);
            prop_assert_eq!(key.open(&altered), Err(InvalidToken));
        }

        #[test]
        fn a_token_that_is_longer_or_shorter_is_refused(cut in 0_usize..400, more in "[A-Za-z0-9_=-]{1,8}") {
            let (key, token) = sealed();
            let cut = cut % token.len();
            prop_assert_eq!(key.open(&token[..cut]), Err(InvalidToken));
            prop_assert_eq!(key.open(&format!("{token}{more}")), Err(InvalidToken));
            prop_assert_eq!(key.open(&format!("{more}{token}")), Err(InvalidToken));
        }

        #[test]
        fn garbage_is_refused(text in "\\PC{0,200}") {
            prop_assert_eq!(sealed().0.open(&text), Err(InvalidToken));
        }
    }
}
