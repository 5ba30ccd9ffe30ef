//! Rows of a CSV file (RFC 4180), as spreadsheets and other systems write them: any line end, quoted cells of several lines.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        import::{Column, RawRow, RowContent, RowError},
        spreadsheet::unguarded,
    },
    FileError, Lines, Place, Rows, put, unknown_name,
};

pub(super) fn read(text: &str) -> Result<Vec<RawRow>, Vec<FileError>> {
    let lines = record_lines(text)?;
    let mut lines = lines.into_iter();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let (Some(line), Some(Ok(header))) = (lines.next(), records.next()) else {
        return Err(FileError::at(1, "no_rows"));
    };
    let columns = read_header(line, &header)?;
    let mut rows = Rows::default();
    let mut end = line.saturating_add(1);
    for (record, line) in records.zip(lines) {
        // The text is UTF-8 and rows may have any length: nothing else can go wrong.
        let content = match record {
            Ok(record) if record.len() == columns.len() => RowContent::Cells(cells(&columns, &record)),
            _ => RowContent::Unreadable(vec![RowError::of_row("wrong_field_count")]),
        };
        rows.add(line, content)?;
        end = line;
    }
    rows.finish(end)
}

fn cells(columns: &[Column], record: &csv::StringRecord) -> BTreeMap<Column, String> {
    let mut cells = BTreeMap::new();
    for (column, cell) in columns.iter().zip(record) {
        put(&mut cells, *column, unguarded(cell));
    }
    cells
}

/// The columns in the order of the file. All that is wrong with them is told at once.
fn read_header(line: u32, header: &csv::StringRecord) -> Result<Vec<Column>, Vec<FileError>> {
    let (mut columns, mut known, mut errors) = (Vec::new(), BTreeSet::new(), Vec::new());
    for name in header {
        let error = match Column::find(name) {
            Some(column) if known.insert(column) => {
                columns.push(column);
                continue;
            }
            Some(column) => FileError { place: Place::Column(column), code: "repeated_column" },
            // What it is called is not said: it may be anything.
            None => FileError { place: Place::Line(line), code: unknown_name(name) },
        };
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    let required = Column::ALL.iter().copied().filter(|column| column.is_required());
    let names_agent = known.contains(&Column::AgentUserId) || known.contains(&Column::AgentEmail);
    let missing = required.chain((!names_agent).then_some(Column::AgentUserId));
    errors.extend(
        missing
            .filter(|column| !known.contains(column))
            .map(|column| FileError { place: Place::Column(column), code: "required" }),
    );
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first byte of a record. A line with nothing in it is none.
    Record,
    Cell,
    InCell,
    InQuotes,
    /// Behind a quote that ends the cell, unless another one follows.
    BehindQuotes,
}

/// The line where each record begins. A quote that is missing makes one cell of all that follows, and rows would be lost in it
/// without a word: where quotes do not fit together the file is refused.
fn record_lines(text: &str) -> Result<Vec<u32>, Vec<FileError>> {
    let (mut at, mut lines, mut begins) = (At::Record, Lines::default(), Vec::new());
    // Where the last quoted cell began; the first quote within a cell that is not quoted, and whether they are odd in number.
    let (mut quoted, mut loose, mut is_odd) = (1, None, false);
    for byte in text.bytes() {
        if at == At::Record && !matches!(byte, b'\r' | b'\n') {
            begins.push(lines.line);
        }
        at = match (at, byte) {
            (At::Record | At::Cell, b'"') => {
                quoted = lines.line;
                At::InQuotes
            }
            (At::InQuotes, b'"') => At::BehindQuotes,
            (At::InQuotes, _) | (At::BehindQuotes, b'"') => At::InQuotes,
            (_, b',') => At::Cell,
            (_, b'\r' | b'\n') => At::Record,
            (At::BehindQuotes, _) => return Err(FileError::at(quoted, "unbalanced_quotes")),
            (At::InCell, b'"') => {
                loose = loose.or(Some(lines.line));
                is_odd = !is_odd;
                At::InCell
            }
            _ => At::InCell,
        };
        lines.pass(byte);
    }
    if at == At::InQuotes {
        return Err(FileError::at(quoted, "unbalanced_quotes"));
    }
    match loose.filter(|_| is_odd) {
        Some(line) => Err(FileError::at(line, "unbalanced_quotes")),
        None => Ok(begins),
    }
}
