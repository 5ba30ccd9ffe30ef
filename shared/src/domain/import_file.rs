//! From the bytes of an uploaded file to its rows. What is wrong with the file as a whole is found here, before anything is
//! stored; what is wrong with one row stays with that row. Nothing that is said of a file quotes it.

mod csv_rows;
mod json_lines;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    import::{CHUNK_BYTES, CHUNK_ROWS, Column, FileFormat, MAX_ROW_BYTES, MAX_ROWS, RawRow, RowContent, RowError},
    text::REPLACEMENT,
};

/// What of a file is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first is 1.
    Line(u32),
    /// One of ours, in the file's first line.
    Column(Column),
}

/// Why a file is no file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileError {
    pub place: Place,
    /// Stable, in lower snake case.
    pub code: &'static str,
}

impl FileError {
    fn at(line: u32, code: &'static str) -> Vec<Self> {
        vec![Self { place: Place::Line(line), code }]
    }
}

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// All rows, in the order of the file.
///
/// # Errors
/// When it is no file of rows: what is wrong, and where. Never for what is wrong with a row alone.
pub fn read(bytes: &[u8], format: FileFormat) -> Result<Vec<RawRow>, Vec<FileError>> {
    let text = decode(bytes)?;
    match format {
        FileFormat::Csv => csv_rows::read(text),
        FileFormat::JsonLines => json_lines::read(text),
    }
}

fn decode(bytes: &[u8]) -> Result<&str, Vec<FileError>> {
    // Whatever carries a file as text puts that where the bytes were no UTF-8.
    let wrong = match std::str::from_utf8(bytes) {
        Ok(text) => match text.find(REPLACEMENT) {
            None => return Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)),
            Some(place) => place,
        },
        Err(error) => error.valid_up_to(),
    };
    let mut lines = Lines::default();
    bytes.iter().take(wrong).for_each(|byte| lines.pass(*byte));
    Err(FileError::at(lines.line, "not_utf8"))
}

/// Counts lines that end with LF, CRLF, or CR alone.
#[derive(Debug, Clone, Copy)]
struct Lines {
    line: u32,
    after_cr: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { line: 1, after_cr: false }
    }
}

impl Lines {
    fn pass(&mut self, byte: u8) {
        if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
            self.line = self.line.saturating_add(1);
        }
        self.after_cr = byte == b'\r';
    }
}

/// The rows so far. Bounded: a file with too many is not read to its end.
#[derive(Default)]
struct Rows(Vec<RawRow>);

impl Rows {
    /// # Errors
    /// When this row makes the file one that is not taken.
    fn add(&mut self, line: u32, content: RowContent) -> Result<(), Vec<FileError>> {
        if self.0.len() == MAX_ROWS {
            return Err(FileError::at(line, "too_many_rows"));
        }
        let row = RawRow { line, content };
        if bytes_of(&row) > MAX_ROW_BYTES {
            return Err(FileError::at(line, "row_too_large"));
        }
        self.0.push(row);
        Ok(())
    }

    /// `end` is the line where the first row would have been, were there one.
    fn finish(self, end: u32) -> Result<Vec<RawRow>, Vec<FileError>> {
        if self.0.is_empty() { Err(FileError::at(end, "no_rows")) } else { Ok(self.0) }
    }
}

/// A name that is none of ours. Consent is not brought along from elsewhere: whoever has it has to show it.
fn unknown_name(name: &str) -> &'static str {
    if name.to_lowercase().contains("consent") { "consent_not_importable" } else { "unknown_column" }
}

/// A cell with nothing but white space says nothing.
fn put(cells: &mut BTreeMap<Column, String>, column: Column, text: &str) {
    if !text.trim().is_empty() {
        cells.insert(column, text.to_owned());
    }
}

/// About what an error of a row takes.
const ERROR_BYTES: usize = 64;

fn bytes_of(row: &RawRow) -> usize {
    match &row.content {
        RowContent::Cells(cells) => cells.values().map(String::len).sum(),
        RowContent::Unreadable(errors) => errors.len() * ERROR_BYTES,
    }
}

fn add_error(errors: &mut Vec<RowError>, error: RowError) {
    // One unknown name says as much as a thousand.
    if !errors.contains(&error) {
        errors.push(error);
    }
}

/// The rows in parts, each small enough to be stored as one and done by one message.
#[must_use]
pub fn chunks(rows: Vec<RawRow>) -> Vec<Vec<RawRow>> {
    let mut chunks: Vec<Vec<RawRow>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let own = bytes_of(&row);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_ROWS && bytes + own <= CHUNK_BYTES => {
                bytes += own;
                chunk.push(row);
            }
            _ => {
                bytes = own;
                chunks.push(vec![row]);
            }
        }
    }
    chunks
}
