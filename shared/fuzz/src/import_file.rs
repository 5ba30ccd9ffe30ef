//! Files of referrals: CSV, or JSON Lines where the first byte is a brace; and each row as the referral that it would be.
//!
//! A file is refused with a place and a code of the contract, or has rows within the bounds, each once in a chunk. A row written
//! to a file of either kind is read again as the same.

use std::collections::BTreeMap;

use referrals::domain::{
    import::{CHUNK_ROWS, Column, FileFormat, MAX_ROW_BYTES, MAX_ROWS, RawRow, RowContent},
    import_file::{FileError, Place, chunks, read},
    spreadsheet::guarded,
};

use super::import_row;

type Cells = BTreeMap<Column, String>;

const CODES: [&str; 9] = [
    "not_utf8",
    "unbalanced_quotes",
    "no_rows",
    "too_many_rows",
    "row_too_large",
    "unknown_column",
    "repeated_column",
    "required",
    "consent_not_importable",
];

pub fn check(data: &[u8]) {
    let format = if data.starts_with(b"{") { FileFormat::JsonLines } else { FileFormat::Csv };
    // Whatever ends a line, there are no more of them.
    let lines = 1 + data.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    let is_place = |line: u32| line >= 1 && usize::try_from(line).is_ok_and(|line| line <= lines + 1);
    let is_told = |error: &FileError| match error.place {
        Place::Line(line) => is_place(line) && CODES.contains(&error.code),
        Place::Column(_) => CODES.contains(&error.code),
    };
    let rows = match read(data, format) {
        Ok(rows) => rows,
        Err(errors) => return assert!(!errors.is_empty() && errors.iter().all(is_told)),
    };
    assert!((1..=MAX_ROWS).contains(&rows.len()) && rows.iter().all(|row| is_place(row.line)));
    assert!(rows.is_sorted_by(|one, other| one.line < other.line));
    let cells: Vec<&Cells> = rows.iter().filter_map(cells_of).collect();
    for cells in &cells {
        assert!(cells.values().all(|text| !text.trim().is_empty()));
        assert!(cells.values().map(String::len).sum::<usize>() <= MAX_ROW_BYTES);
        import_row::check(cells);
    }
    // A file does not hold what stands for text that could not be read.
    let writable: Vec<&Cells> =
        cells.into_iter().filter(|cells| !cells.values().any(|text| text.contains('\u{FFFD}'))).collect();
    written_again(&writable);
    let parts = chunks(rows.clone());
    assert!(parts.iter().all(|part| (1..=CHUNK_ROWS).contains(&part.len())));
    assert!(parts.concat() == rows);
}

fn cells_of(row: &RawRow) -> Option<&Cells> {
    match &row.content {
        RowContent::Cells(cells) => Some(cells),
        RowContent::Unreadable(errors) => {
            assert!(!errors.is_empty());
            None
        }
    }
}

fn written_again(rows: &[&Cells]) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut lines = Vec::new();
    let _ = writer.write_record(Column::ALL.iter().map(|column| column.as_str()));
    for cells in rows {
        let text = |column| cells.get(column).map(|text| guarded(text).into_owned()).unwrap_or_default();
        let _ = writer.write_record(Column::ALL.iter().map(text));
        lines.extend(serde_json::to_vec(cells).unwrap_or_default());
        lines.push(b'\n');
    }
    for (file, format) in [(writer.into_inner().unwrap_or_default(), FileFormat::Csv), (lines, FileFormat::JsonLines)] {
        let again = read(&file, format).unwrap_or_default();
        assert!(again.iter().filter_map(cells_of).eq(rows.iter().copied()), "{format:?}");
    }
}
