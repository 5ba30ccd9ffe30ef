//! Rows of a file of JSON Lines: one object a line, its values plain.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    super::import::{Column, RawRow, RowContent, RowError},
    FileError, Rows, add_error, put, unknown_name,
};

pub(super) fn read(text: &str) -> Result<Vec<RawRow>, Vec<FileError>> {
    let mut rows = Rows::default();
    // An object of one line holds no line end, so each of them, CR alone too, ends one.
    let mut number = 0_u32;
    for lines in text.split('\n') {
        // The CR of a CRLF is no line of its own.
        for line in lines.strip_suffix('\r').unwrap_or(lines).split('\r') {
            number = number.saturating_add(1);
            if !line.trim().is_empty() {
                rows.add(number, content(line))?;
            }
        }
    }
    rows.finish(1)
}

fn content(line: &str) -> RowContent {
    let Ok(Members(members)) = serde_json::from_str(line) else {
        return RowContent::Unreadable(vec![RowError::of_row("malformed_json")]);
    };
    let (mut cells, mut seen, mut errors) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, value) in members {
        let Some(column) = Column::find(&name) else {
            add_error(&mut errors, RowError::of_row(unknown_name(&name)));
            continue;
        };
        if seen.contains(&column) {
            add_error(&mut errors, RowError::of(column, "repeated_column"));
            continue;
        }
        seen.push(column);
        match text_of(value.get()) {
            Ok(Some(text)) => put(&mut cells, column, &text),
            Ok(None) => {}
            Err(code) => add_error(&mut errors, RowError::of(column, code)),
        }
    }
    if errors.is_empty() { RowContent::Cells(cells) } else { RowContent::Unreadable(errors) }
}

/// The text of a value: a string's own, a number or a boolean as it is written. None for null.
fn text_of(json: &str) -> Result<Option<String>, &'static str> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'[' | b'{') => Err("not_text"),
        // Half of a surrogate pair is found only here.
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| "malformed_json"),
        _ => Ok(Some(json.to_owned())),
    }
}

/// The members of an object, as often as they are there.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
