//! Reading a JSON object field by field, so that every field that is wrong gets its own error.
//!
//! `validator` checks the shape of what was read, the domain's values parse the rest; both report here. The first error
//! of a field is the one that is told.

use serde_json::{Map, Value};
use validator::{ValidationErrors, ValidationErrorsKind};

use super::problem::{Code, FieldError, Problem};
use crate::domain::{
    change::Patch,
    contact::Contact,
    email::Email,
    phone::{Phone, Region},
    text::{InvalidText, Notes, PersonName, Reason},
};

/// Largest body, in bytes after base64 decoding.
pub const MAX_BODY_BYTES: usize = 32_768;

/// The fields of a body, and what is wrong with them.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Value>,
    /// JSON Pointer of the object that the fields are in.
    place: String,
    errors: Vec<FieldError>,
}

impl Fields {
    /// # Errors
    /// 413 for more than 32,768 bytes, 400 for what is not JSON (or nested too deep, or not UTF-8), 422 for JSON that is
    /// no object.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_BODY_BYTES {
            return Err(Problem::new(Code::BodyTooLarge));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self::new(map)),
            Ok(_) => Err(Problem::fields(Code::InvalidFields, vec![FieldError::new("", "object_expected")])),
            Err(_) => Err(Problem::new(Code::InvalidJson)),
        }
    }

    /// Fields that did not come as JSON.
    #[must_use]
    pub fn new(map: Map<String, Value>) -> Self {
        Self { map, place: String::new(), errors: Vec::new() }
    }

    /// Takes a text, trimmed. None when the field is absent, null, or nothing but white space.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.map.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(_) => {
                self.reject(name, "text_expected");
                None
            }
        }
    }

    /// Takes an id or a code: exactly as it was sent, because blank is none and white space is no part of one. None when the
    /// field is absent or null.
    pub fn code(&mut self, name: &str) -> Option<String> {
        self.patched_code(name).value()
    }

    /// Takes an id or a code of a merge patch, exactly as it was sent.
    pub fn patched_code(&mut self, name: &str) -> Patch<String> {
        match self.map.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(Value::String(text)) => Patch::Set(text),
            Some(_) => {
                self.reject(name, "text_expected");
                Patch::Keep
            }
        }
    }

    /// Takes a box: true when it is ticked. False when the field is absent or null.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.map.remove(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(ticked)) => ticked,
            Some(_) => {
                self.reject(name, "true_or_false_expected");
                false
            }
        }
    }

    /// Takes a text of a merge patch: absent keeps what is there, null and blank clear it.
    pub fn patched_text(&mut self, name: &str) -> Patch<String> {
        if !self.map.contains_key(name) {
            return Patch::Keep;
        }
        self.text(name).map_or(Patch::Clear, Patch::Set)
    }

    /// As [`Self::patched_text`], for a field that cannot be cleared.
    pub fn required_text(&mut self, name: &str) -> Patch<String> {
        let patch = self.patched_text(name);
        self.uncleared(name, patch)
    }

    /// As [`Self::patched_code`], for a field that cannot be cleared.
    pub fn required_code(&mut self, name: &str) -> Patch<String> {
        let patch = self.patched_code(name);
        self.uncleared(name, patch)
    }

    fn uncleared(&mut self, name: &str, patch: Patch<String>) -> Patch<String> {
        if patch == Patch::Clear {
            self.reject(name, "required");
        }
        patch.set()
    }

    /// Takes a whole number of a merge patch.
    pub fn patched_number(&mut self, name: &str) -> Patch<i64> {
        match self.map.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => value.as_i64().map_or_else(
                || {
                    self.reject(name, "whole_number_expected");
                    Patch::Keep
                },
                Patch::Set,
            ),
        }
    }

    /// Takes a box of a merge patch. None when the field is absent.
    pub fn patched_flag(&mut self, name: &str) -> Option<bool> {
        let value = self.map.remove(name)?;
        if value.as_bool().is_none() {
            self.reject(name, "true_or_false_expected");
        }
        value.as_bool()
    }

    /// Takes an object. `Clear` for null.
    pub fn object(&mut self, name: &str) -> Patch<Self> {
        match self.map.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(Value::Object(map)) => Patch::Set(Self { map, place: self.pointer(name), errors: Vec::new() }),
            Some(_) => {
                self.reject(name, "object_expected");
                Patch::Keep
            }
        }
    }

    /// Takes over what is wrong in an object that was taken with [`Self::object`], fields that nobody took included.
    pub fn close(&mut self, mut object: Self) {
        object.refuse_unknown();
        self.errors.append(&mut object.errors);
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.place, name.replace('~', "~0").replace('/', "~1"))
    }

    pub fn reject(&mut self, name: &str, code: &'static str) {
        if !self.is_rejected(name) {
            self.errors.push(FieldError::new(self.pointer(name), code));
        }
    }

    /// Whether the field is known to be wrong.
    #[must_use]
    pub fn is_rejected(&self, name: &str) -> bool {
        let pointer = self.pointer(name);
        self.errors.iter().any(|error| error.pointer == pointer)
    }

    /// Takes over what `validator` found.
    pub fn absorb(&mut self, result: Result<(), ValidationErrors>) {
        let Err(errors) = result else { return };
        for (field, kind) in errors.errors() {
            if let ValidationErrorsKind::Field(errors) = kind
                && let Some(error) = errors.first()
            {
                let code = match error.code.as_ref() {
                    "required" => "required",
                    "length" => "too_long",
                    _ => "invalid",
                };
                self.reject(&camel_case(field), code);
            }
        }
    }

    /// Refuses those of `names` that are there: the resource has them, but they are not the client's to set.
    pub fn refuse_read_only(&mut self, names: &[&str]) {
        for name in names {
            if self.map.remove(*name).is_some() {
                self.reject(name, "read_only");
            }
        }
    }

    /// Refuses every field that nobody took.
    pub fn refuse_unknown(&mut self) {
        let names: Vec<String> = self.map.keys().cloned().collect();
        for name in names {
            self.reject(&name, "unknown_field");
        }
    }

    pub fn name(&mut self, name: &str, text: Option<&str>) -> Option<PersonName> {
        match PersonName::parse(text?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.reject(name, text_code(error));
                None
            }
        }
    }

    pub fn notes(&mut self, name: &str, text: Option<&str>) -> Option<Notes> {
        match Notes::parse(text?) {
            Ok(value) => value,
            Err(error) => {
                self.reject(name, text_code(error));
                None
            }
        }
    }

    pub fn reason(&mut self, name: &str, text: Option<&str>) -> Option<Reason> {
        match Reason::parse(text?) {
            Ok(value) => value,
            Err(error) => {
                self.reject(name, text_code(error));
                None
            }
        }
    }

    /// Parses what was set, and rejects the field with `code` where that fails.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        text: Patch<String>,
        code: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Patch<T> {
        match text {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => parse(&text).map_or_else(
                || {
                    self.reject(name, code);
                    Patch::Keep
                },
                Patch::Set,
            ),
        }
    }

    pub fn contact(&mut self, email: (&str, Option<&str>), phone: (&str, Option<&str>), region: &Region) -> Contact {
        let address = email.1.map(Email::parse);
        if matches!(address, Some(Err(_))) {
            self.reject(email.0, "invalid_email");
        }
        let number = phone.1.map(|text| Phone::parse(text, region));
        if matches!(number, Some(Err(_))) {
            self.reject(phone.0, "invalid_phone");
        }
        Contact { email: address.and_then(Result::ok), phone: number.and_then(Result::ok) }
    }

    /// # Errors
    /// 422 naming each field that is wrong, ordered by pointer.
    pub fn finish(mut self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        Err(Problem::fields(Code::InvalidFields, self.errors))
    }
}

fn text_code(error: InvalidText) -> &'static str {
    match error {
        InvalidText::Empty => "required",
        InvalidText::TooLong => "too_long",
        InvalidText::ForbiddenCharacter => "forbidden_character",
    }
}

/// The wire's name of a Rust field.
#[must_use]
pub fn camel_case(field: &str) -> String {
    let mut parts = field.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut chars = part.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &[u8]) -> Result<(), Code> {
        Fields::parse(body).map(|_| ()).map_err(|problem| problem.code)
    }

    #[test]
    fn only_an_object_of_a_bounded_size_is_read() {
        assert_eq!(code(b"{}"), Ok(()));
        for body in
            [&b""[..], b"{", b"{\"a\":\"\xff\"}", b"\xef\xbb\xbf{}", b"{\"a\":1e999}", "[".repeat(200).as_bytes()]
        {
            assert_eq!(code(body), Err(Code::InvalidJson));
        }
        for body in ["[]", "null", "\"text\"", "1"] {
            assert_eq!(code(body.as_bytes()), Err(Code::InvalidFields));
        }
        let padded = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert_eq!(code(padded(MAX_BODY_BYTES).as_bytes()), Ok(()));
        assert_eq!(code(padded(MAX_BODY_BYTES + 1).as_bytes()), Err(Code::BodyTooLarge));
    }

    #[test]
    fn every_wrong_field_is_named_once_and_in_order() {
        let mut fields = Fields::parse(br#"{"b":1,"a":[],"c~/":"x","d":null,"e":"  "}"#).unwrap();
        for name in ["b", "a", "d", "e"] {
            assert_eq!(fields.text(name), None);
        }
        fields.reject("a", "second");
        fields.refuse_unknown();
        let problem = fields.finish().unwrap_err();
        let told: Vec<_> = problem.errors.iter().map(|e| (e.pointer.as_str(), e.code)).collect();
        assert_eq!(told, [("/a", "text_expected"), ("/b", "text_expected"), ("/c~0~1", "unknown_field")]);
    }

    #[test]
    fn names_of_the_wire() {
        assert_eq!(camel_case("referred_email"), "referredEmail");
        assert_eq!(camel_case("notes"), "notes");
    }
}
