//! Text typed by people: names, notes and reasons. Text is data: normalized, bounded, and refused or cleaned where a character
//! could act as a command to whatever shows it later. `Debug` never shows it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longest name, in Unicode scalar values after trimming.
pub const NAME_MAX_CHARS: usize = 200;
/// Longest label, in Unicode scalar values after trimming.
pub const LABEL_MAX_CHARS: usize = 200;
/// Longest notes, in Unicode scalar values after trimming.
pub const NOTES_MAX_CHARS: usize = 4_000;
/// Longest reason or evidence, in Unicode scalar values after trimming.
pub const REASON_MAX_CHARS: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidText {
    #[error("empty")]
    Empty,
    #[error("too long")]
    TooLong,
    #[error("a character that cannot be shown")]
    ForbiddenCharacter,
}

/// What stands where a decoder could not read on. A file with one in it is refused (see `import_file`), so none is kept:
/// what is exported can be imported.
pub(super) const REPLACEMENT: char = '\u{FFFD}';

/// Control characters, bidirectional overrides and isolates, and zero-width characters: invisible in a name, and a
/// way to make one name look like another. And what stands for a lost one.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | REPLACEMENT | '\u{E0000}'..='\u{E007F}')
}

/// A person's name as typed: NFC, trimmed, 1 to 200 characters. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(String);

impl PersonName {
    /// # Errors
    /// Empty after trimming, over 200 characters, or with a character that a name cannot have.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        line(text, NAME_MAX_CHARS).map(Self)
    }

    /// What stands where a name was taken out.
    #[must_use]
    pub fn erased() -> Self {
        Self("Erased person".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two spellings of one name are compared: lower case, runs of white space as one space, NFC.
    #[must_use]
    pub fn comparison_form(&self) -> String {
        comparison_form(&self.0)
    }
}

/// As [`PersonName::comparison_form`], for text that need not be a name.
pub(super) fn comparison_form(text: &str) -> String {
    let lower = text.nfc().collect::<String>().to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    words.join(" ").nfc().collect()
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(redacted)")
    }
}

/// What another system calls something: NFC, trimmed, one line of 1 to 200 characters. `Debug` is redacted: some systems
/// name a record after a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// # Errors
    /// Empty after trimming, over 200 characters, or with a character that cannot be shown.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        line(text, LABEL_MAX_CHARS).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Label(redacted)")
    }
}

/// Text of one line, in which nothing deceives.
fn line(text: &str, max_chars: usize) -> Result<String, InvalidText> {
    let line: String = text.trim().nfc().collect();
    if line.is_empty() {
        return Err(InvalidText::Empty);
    }
    if line.chars().count() > max_chars {
        return Err(InvalidText::TooLong);
    }
    if line.chars().any(is_deceptive) {
        return Err(InvalidText::ForbiddenCharacter);
    }
    Ok(line)
}

/// Free-form notes: NFC, trimmed, line ends as `\n`, other control characters removed, U+FFFD as `?`, at most 4,000
/// characters.
/// `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notes(String);

impl Notes {
    /// None when nothing but white space was typed.
    ///
    /// # Errors
    /// Over 4,000 characters.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidText> {
        Ok(cleaned(text, NOTES_MAX_CHARS)?.map(Self))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes(redacted)")
    }
}

/// Why an agent did something, or how they know: cleaned as [`Notes`], at most 500 characters. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// None when nothing but white space was typed.
    ///
    /// # Errors
    /// Over 500 characters.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidText> {
        Ok(cleaned(text, REASON_MAX_CHARS)?.map(Self))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason(redacted)")
    }
}

/// Text of several lines. Pasting brings vertical tabs and the like; losing one is better than losing what was typed. What
/// was lost before shows as a question mark.
fn cleaned(text: &str, max_chars: usize) -> Result<Option<String>, InvalidText> {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    // What stood between a letter and its accent is gone before the two become one.
    let clean = lines.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control());
    let clean: String = clean.map(|c| if c == REPLACEMENT { '?' } else { c }).nfc().collect();
    let clean = clean.trim();
    if clean.chars().count() > max_chars {
        return Err(InvalidText::TooLong);
    }
    Ok(Some(clean.to_owned()).filter(|clean| !clean.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_trimmed_and_normalized() {
        assert_eq!(PersonName::parse("  Zoe\u{308} Pa\u{301}l ").unwrap().as_str(), "Zoë Pál");
    }

    #[test]
    fn names_that_deceive_are_refused() {
        for text in [
            "Pat\u{0}",
            "Pat\r\nBcc: x",
            "Pat\u{202E}tac",
            "P\u{200B}at",
            "Pat\u{2066}",
            "\u{FEFF}Pat",
            "Pa\u{AD}t",
            "Jos\u{FFFD}",
        ] {
            assert_eq!(PersonName::parse(text), Err(InvalidText::ForbiddenCharacter), "{text:?}");
        }
        assert_eq!(PersonName::parse(" \t "), Err(InvalidText::Empty));
    }

    #[test]
    fn the_limit_counts_characters() {
        assert!(PersonName::parse(&"é".repeat(200)).is_ok());
        assert_eq!(PersonName::parse(&"é".repeat(201)), Err(InvalidText::TooLong));
        assert!(Label::parse(&"é".repeat(200)).is_ok());
        assert_eq!(Label::parse(&"é".repeat(201)), Err(InvalidText::TooLong));
        assert!(Notes::parse(&"é".repeat(4_000)).is_ok());
        assert_eq!(Notes::parse(&"é".repeat(4_001)), Err(InvalidText::TooLong));
        assert!(Reason::parse(&"é".repeat(500)).is_ok());
        assert_eq!(Reason::parse(&"é".repeat(501)), Err(InvalidText::TooLong));
    }

    #[test]
    fn notes_keep_lines_and_lose_other_controls() {
        let notes = Notes::parse(" a\r\nb\rc\u{0B}d\u{0} ").unwrap().unwrap();
        assert_eq!(notes.as_str(), "a\nb\ncd");
        assert_eq!(Notes::parse("Jos\u{FFFD} called").unwrap().unwrap().as_str(), "Jos? called");
        assert_eq!(Notes::parse(" \r\n "), Ok(None));
        assert_eq!(Notes::parse("Zoe\u{0}\u{308}").unwrap().unwrap().as_str(), "Zoë");
    }

    #[test]
    fn debug_shows_nothing() {
        let shown =
            format!("{:?} {:?} {:?}", PersonName::parse("Pat Jones"), Notes::parse("a condo"), Reason::parse("moved"));
        let shown = format!("{shown} {:?}", Label::parse("pat-1"));
        for kind in ["PersonName", "Notes", "Reason", "Label"] {
            assert!(shown.contains(&format!("{kind}(redacted)")), "{kind} in {shown}");
        }
        assert!(
            !shown.contains("Pat") && !shown.contains("pat") && !shown.contains("condo") && !shown.contains("moved"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn a_parsed_name_parses_to_itself(text in ".{0,210}") {
            if let Ok(name) = PersonName::parse(&text) {
                prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn comparison_ignores_case_and_spacing(words in proptest::collection::vec("[a-zà-ý]{1,8}", 1..4)) {
            let plain = PersonName::parse(&words.join(" ")).unwrap();
            let loud = PersonName::parse(&words.join("   ").to_uppercase()).unwrap();
            prop_assert_eq!(plain.comparison_form(), loud.comparison_form());
        }
    }
}
