//! What somebody typed, as a browser sends it (`application/x-www-form-urlencoded`).

use std::collections::BTreeMap;

use percent_encoding::percent_decode;
use referrals::http::{Code, Fields, MAX_BODY_BYTES, Problem};
use serde_json::{Map, Value};

/// Largest body as it is sent. The encoding makes three bytes of each that is not plain ASCII, which nobody typed: what it
/// says is measured against [`MAX_BODY_BYTES`] like any body.
pub const MAX_ENCODED_BYTES: usize = 3 * MAX_BODY_BYTES;

pub const TEXTS: [&str; 9] = [
    "referrerName",
    "referrerEmail",
    "referrerPhone",
    "referredName",
    "referredEmail",
    "referredPhone",
    "notes",
    "consentTextId",
    "website",
];
pub const BOXES: [&str; 2] = ["referrerEmailConsent", "referrerSmsConsent"];
const TICKED: &str = "true";

/// By the name of the field; of fields that the form does not have, nothing. Not for the logs.
#[derive(Default)]
pub struct Typed {
    values: BTreeMap<&'static str, String>,
    /// Of all names and values.
    bytes: usize,
}

impl Typed {
    /// # Errors
    /// 400 for what is not UTF-8.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        // The parser would put replacement characters in place of what it cannot read, and they would be stored.
        if percent_decode(body).decode_utf8().is_err() {
            return Err(Problem::new(Code::BadRequest));
        }
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            typed.bytes += name.len() + value.len();
            if let Some(known) = TEXTS.into_iter().chain(BOXES).find(|known| *known == name) {
                typed.values.insert(known, value.into_owned());
            }
        }
        Ok(typed)
    }

    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A box that is not ticked is not sent. Whatever is neither is not consent.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == TICKED
    }

    /// The fields, as the API's body would have them. The page's channel is the one that is meant when none is named.
    ///
    /// # Errors
    /// 413 for more than 32,768 bytes of names and values.
    pub fn fields(&self) -> Result<Fields, Problem> {
        if self.bytes > MAX_BODY_BYTES {
            return Err(Problem::new(Code::BodyTooLarge));
        }
        let texts = TEXTS.into_iter().map(|name| (name.to_owned(), Value::from(self.get(name))));
        let boxes = BOXES.into_iter().filter(|name| self.values.contains_key(name)).map(|name| {
            let value = if self.is_ticked(name) { Value::from(true) } else { Value::from(self.get(name)) };
            (name.to_owned(), value)
        });
        Ok(Fields::new(texts.chain(boxes).collect::<Map<_, _>>()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(body: &[u8]) -> Option<Code> {
        Typed::read(body).and_then(|typed| typed.fields()).err().map(|problem| problem.code)
    }

    #[test]
    fn what_the_form_does_not_have_is_not_read() {
        let typed =
            Typed::read(b"referrerName=Pat+Jones&channel=WIDGET&referrerSmsConsent=true&id=1&notes=a%0D%0Ab").unwrap();
        assert_eq!(typed.get("referrerName"), "Pat Jones");
        assert_eq!(typed.get("notes"), "a\r\nb");
        assert_eq!(typed.values.len(), 3);
        assert!(typed.is_ticked("referrerSmsConsent") && !typed.is_ticked("referrerEmailConsent"));
    }

    #[test]
    fn only_a_tick_is_a_tick() {
        for (value, ticked) in
            [("true", true), ("false", false), ("", false), ("on", false), ("TRUE", false), ("1", false)]
        {
            let typed = Typed::read(format!("referrerEmailConsent={value}").as_bytes()).unwrap();
            assert_eq!(typed.is_ticked("referrerEmailConsent"), ticked, "{value}");
            let mut fields = typed.fields().unwrap();
            assert_eq!(fields.flag("referrerEmailConsent"), ticked, "{value}");
            // What is neither is told instead of taken for a no.
            assert_eq!(fields.is_rejected("referrerEmailConsent"), !ticked, "{value}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_not_read() {
        for body in [&b"notes=%FF"[..], b"notes=%C3", b"notes=\xff", b"%ED%A0%80=x"] {
            assert_eq!(code(body), Some(Code::BadRequest));
        }
        assert_eq!(code(b"notes=%C3%A9%F0%9F%98%80&&==&%&%zz"), None);
    }

    #[test]
    fn the_encoding_is_not_measured_but_what_it_says_is() {
        let body = |char: &str, chars: usize| format!("notes={}", char.repeat(chars));
        let room = MAX_BODY_BYTES - "notes".len();
        for (char, bytes) in [("x", 1), ("%C3%A9", 2), ("%F0%9F%98%80", 4)] {
            assert_eq!(code(body(char, room / bytes).as_bytes()), None, "{char}");
            assert_eq!(code(body(char, room / bytes + 1).as_bytes()), Some(Code::BodyTooLarge), "{char}");
        }
        assert_eq!(code("&a=b".repeat(MAX_BODY_BYTES / 2 + 1).as_bytes()), Some(Code::BodyTooLarge));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_comes_back(name in any::<String>(), notes in any::<String>()) {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("referrerName", &name)
                .append_pair("notes", &notes)
                .finish();
            let typed = Typed::read(body.as_bytes()).unwrap();
            prop_assert_eq!((typed.get("referrerName"), typed.get("notes")), (name.as_str(), notes.as_str()));
        }

        #[test]
        fn no_bytes_do_any_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(typed) = Typed::read(&body) {
                let _ = typed.fields();
            }
        }
    }
}
