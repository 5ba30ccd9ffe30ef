//! Text typed by people: names, labels, notes, reasons, the words that a list of people is searched for, and the cells in
//! which text leaves for a spreadsheet.
//!
//! Text that was read is read again as the same, trimmed, within its length, and has no control characters; nothing of it is
//! in `Debug`; a person is found by their own name; no cell is a formula, and its value comes out as it went in.

use std::fmt::Debug;

use referrals::domain::{
    contact::Contact,
    filter::NameQuery,
    id::{OrgId, PersonId},
    person::Person,
    spreadsheet::{guarded, unguarded},
    text::{LABEL_MAX_CHARS, Label, NAME_MAX_CHARS, NOTES_MAX_CHARS, Notes, PersonName, REASON_MAX_CHARS, Reason},
    time::Timestamp,
};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    cell(&text);
    if let Ok(name) = PersonName::parse(&text) {
        line(name.as_str(), NAME_MAX_CHARS, &name);
        assert_eq!(PersonName::parse(name.as_str()).as_ref(), Ok(&name));
        searched(&name);
    }
    if let Ok(label) = Label::parse(&text) {
        line(label.as_str(), LABEL_MAX_CHARS, &label);
        assert_eq!(Label::parse(label.as_str()).as_ref(), Ok(&label));
    }
    if let Ok(notes) = Notes::parse(&text) {
        assert!(notes.is_none() || !text.trim().is_empty());
        if let Some(notes) = notes {
            lines(notes.as_str(), NOTES_MAX_CHARS, &notes);
            assert_eq!(Notes::parse(notes.as_str()), Ok(Some(notes)));
        }
    }
    if let Ok(Some(reason)) = Reason::parse(&text) {
        lines(reason.as_str(), REASON_MAX_CHARS, &reason);
        assert_eq!(Reason::parse(reason.as_str()), Ok(Some(reason)));
    }
}

fn line(text: &str, max_chars: usize, redacted: &impl Debug) {
    lines(text, max_chars, redacted);
    assert!(!text.contains(['\n', '\t', '\u{200B}', '\u{202E}', '\u{2066}', '\u{FEFF}']));
}

fn lines(text: &str, max_chars: usize, redacted: &impl Debug) {
    assert!(!text.is_empty() && text.trim() == text);
    assert!(text.chars().count() <= max_chars);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' || c == '\u{FFFD}'));
    assert!(format!("{redacted:?}").ends_with("(redacted)"));
}

fn searched(name: &PersonName) {
    let form = name.comparison_form();
    assert!(form.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace)));
    let (Ok(id), Ok(organization)) = (PersonId::parse("person_1"), OrgId::parse("org_1")) else { return };
    let Ok(at) = Timestamp::parse("2026-11-22T07:00:00Z") else { return };
    let person = Person::new(id, organization, name.clone(), Contact::default(), at);
    for words in [name.as_str(), &name.as_str().to_ascii_uppercase(), &form] {
        let query = NameQuery::new(words);
        assert!(query.admits(&person) && !query.admits_everybody());
    }
}

fn cell(value: &str) {
    let cell = guarded(value);
    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
    assert!(cell == value || cell.strip_prefix('\'') == Some(value));
    assert_eq!(unguarded(&cell), value);
    assert!(value.ends_with(unguarded(value)));
}
