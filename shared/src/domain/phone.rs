//! Phone numbers in E.164. `Debug` never shows them.
//!
//! The first number a process parses costs about 4 ms for the numbering plan's metadata, so nothing here is touched
//! before somebody gives a number.

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest input, in Unicode scalar values.
pub const PHONE_MAX_CHARS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a phone number")]
pub struct InvalidPhone;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an ISO 3166-1 alpha-2 region")]
pub struct InvalidRegion;

/// The region in which a number without `+` is read: ISO 3166-1 alpha-2, upper case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

impl Region {
    /// # Errors
    /// When the text is not two capital letters.
    pub fn parse(text: &str) -> Result<Self, InvalidRegion> {
        // The shape only: looking it up would load the numbering plan wherever an organization's row is read. A region
        // that does not exist reads no number without `+`.
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRegion)
        }
    }
}

impl Default for Region {
    fn default() -> Self {
        Self("US".to_owned())
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidRegion;

    fn try_from(text: String) -> Result<Self, InvalidRegion> {
        Self::parse(&text)
    }
}

/// A valid number in E.164, for example `+14155552671`. `Debug` is redacted. Deserializing does not check: rows hold
/// parsed values only.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people type it; one without `+` is a number of `region`.
    ///
    /// # Errors
    /// When the numbering plan has no such number, it has an extension, or the text is over 32 characters.
    pub fn parse(text: &str, region: &Region) -> Result<Self, InvalidPhone> {
        if text.chars().count() > PHONE_MAX_CHARS {
            return Err(InvalidPhone);
        }
        let region = rlibphonenumber::Region::from_str(&region.0).ok();
        let number = PHONE_NUMBER_UTIL.parse(text.trim(), region).map_err(|_| InvalidPhone)?;
        if !number.extension().is_empty() || !PHONE_NUMBER_UTIL.is_valid_number(&number) {
            return Err(InvalidPhone);
        }
        Ok(Self(PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for text in ["(415) 555-2671", "415.555.2671", "+1 415 555 2671", " 4155552671 ", "1-415-555-2671"] {
            assert_eq!(Phone::parse(text, &Region::default()).unwrap().as_str(), "+14155552671", "{text}");
        }
    }

    #[test]
    fn the_region_matters_only_without_a_plus() {
        let gb = Region::parse("GB").unwrap();
        assert_eq!(Phone::parse("020 7946 0958", &gb).unwrap().as_str(), "+442079460958");
        assert_eq!(Phone::parse("+1 415 555 2671", &gb).unwrap().as_str(), "+14155552671");
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for text in [
            "",
            "12",
            "555-2671",
            "+",
            "abc",
            "+999 1234567",
            "(415) 555-2671 ext. 5",
            "+1 415 555 267",
            "4155552671\r\n4155552671",
            &"4".repeat(33),
        ] {
            assert_eq!(Phone::parse(text, &Region::default()), Err(InvalidPhone), "{text:?}");
        }
    }

    #[test]
    fn regions_are_two_capitals() {
        assert!(Region::parse("DE").is_ok());
        assert_eq!(Phone::parse("020 7946 0958", &Region::parse("ZZ").unwrap()), Err(InvalidPhone));
        for text in ["", "us", "USA", "001"] {
            assert_eq!(Region::parse(text), Err(InvalidRegion), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_what_was_typed() {
        let number = "4155552671";
        assert!(Phone::parse(&format!("{number:>32}"), &Region::default()).is_ok());
        assert_eq!(Phone::parse(&format!("{number:>33}"), &Region::default()), Err(InvalidPhone));
    }

    #[test]
    fn what_is_stored_is_a_region_and_debug_shows_no_number() {
        assert_eq!(serde_json::from_str::<Region>("\"US\"").unwrap(), Region::default());
        assert!(serde_json::from_str::<Region>("\"us\"").is_err());
        assert_eq!(format!("{:?}", Phone::parse("+14155552671", &Region::default()).unwrap()), "Phone(redacted)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,34}") {
            if let Ok(phone) = Phone::parse(&text, &Region::default()) {
                prop_assert!(phone.as_str().starts_with('+'));
                prop_assert_eq!(Phone::parse(phone.as_str(), &Region::default()), Ok(phone));
            }
        }
    }
}
