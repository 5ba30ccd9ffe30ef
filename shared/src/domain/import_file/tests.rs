use proptest::prelude::*;

use super::*;

const HEADER: &str = "sourceSystem,externalId,referrerName,referredName,receivedAt,agentEmail,notes";

fn csv(text: &str) -> Result<Vec<RawRow>, Vec<FileError>> {
    read(text.as_bytes(), FileFormat::Csv)
}

fn rows(text: &str) -> Vec<RawRow> {
    csv(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"))
}

fn json(text: &str) -> Result<Vec<RawRow>, Vec<FileError>> {
    read(text.as_bytes(), FileFormat::JsonLines)
}

fn cell(row: &RawRow, column: Column) -> Option<&str> {
    match &row.content {
        RowContent::Cells(cells) => cells.get(&column).map(String::as_str),
        RowContent::Unreadable(errors) => panic!("line {}: {errors:?}", row.line),
    }
}

fn errors(row: &RawRow) -> Vec<(Option<Column>, &str)> {
    match &row.content {
        RowContent::Cells(_) => Vec::new(),
        RowContent::Unreadable(errors) => errors.iter().map(|error| (error.column, error.code.as_str())).collect(),
    }
}

fn lines(rows: &[RawRow]) -> Vec<u32> {
    rows.iter().map(|row| row.line).collect()
}

/// Line and code of the one thing that is wrong.
fn refused(result: Result<Vec<RawRow>, Vec<FileError>>) -> (u32, &'static str) {
    match result.unwrap_err().as_slice() {
        [FileError { place: Place::Line(line), code }] => (*line, code),
        others => panic!("{others:?}"),
    }
}

#[test]
fn a_row_is_the_text_of_its_cells_without_those_that_are_blank() {
    let read =
        rows(&format!("{HEADER}\ncrm,1, Pat ,\"Lee, \"\"Sam\"\"\",2024,a@b.c,\"a\nb\"\ncrm,2,'=Pat,'n Sync, ,,\n"));
    assert_eq!(lines(&read), [2, 4]);
    assert_eq!(cell(&read[0], Column::ReferrerName), Some(" Pat "));
    assert_eq!(cell(&read[0], Column::ReferredName), Some("Lee, \"Sam\""));
    assert_eq!(cell(&read[0], Column::Notes), Some("a\nb"));
    // A spreadsheet's guard is off; a name's own apostrophe is not.
    assert_eq!(cell(&read[1], Column::ReferrerName), Some("=Pat"));
    assert_eq!(cell(&read[1], Column::ReferredName), Some("'n Sync"));
    for column in [Column::ReceivedAt, Column::AgentEmail, Column::Notes, Column::Status] {
        assert_eq!(cell(&read[1], column), None);
    }
}

#[test]
fn any_line_end_and_a_byte_order_mark_are_fine() {
    for end in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{FEFF}"] {
            for tail in ["", end, &end.repeat(3)] {
                let text =
                    format!("{mark}{HEADER}{end}a,1,P,S,t,m,{end}{end}a,2,P,S,t,m,\"x{end}y\"{end}a,3,P,S,t,m,{tail}");
                let read = rows(&text);
                assert_eq!(lines(&read), [2, 4, 6], "{text:?}");
                assert_eq!(cell(&read[1], Column::Notes), Some(format!("x{end}y").as_str()));
                let text = format!("{mark}{{\"externalId\":1}}{end}{end}{{\"externalId\":2}}{tail}");
                assert_eq!(lines(&json(&text).unwrap()), [1, 3], "{text:?}");
            }
        }
    }
}

#[test]
fn a_row_with_other_cells_than_the_header_is_that_rows_failure() {
    let read = rows(&format!("{HEADER}\na,1,P,S,t,m\na,2,P,S,t,m,n\n   \na,3,P,S,t,m,n,x\n"));
    assert_eq!(lines(&read), [2, 3, 4, 5]);
    for place in [0, 2, 3] {
        assert_eq!(errors(&read[place]), [(None, "wrong_field_count")]);
    }
    assert_eq!(cell(&read[1], Column::Notes), Some("n"));
}

#[test]
fn every_wrong_column_is_told_and_none_is_quoted() {
    let column = |column, code| FileError { place: Place::Column(column), code };
    let line = |code| FileError { place: Place::Line(1), code };
    let without = |names: &[&str]| HEADER.split(',').filter(|name| !names.contains(name)).collect::<Vec<_>>().join(",");
    for (header, wanted) in [
        (format!("{HEADER},colour,Notes,"), vec![line("unknown_column")]),
        (HEADER.replace(',', ";"), {
            let required = [Column::SourceSystem, Column::ExternalId, Column::ReferrerName, Column::ReferredName];
            let mut all = vec![line("unknown_column")];
            all.extend(required.map(|own| column(own, "required")));
            all.extend([column(Column::ReceivedAt, "required"), column(Column::AgentUserId, "required")]);
            all
        }),
        (format!("{HEADER},referrerConsentEmail"), vec![line("consent_not_importable")]),
        (format!("{HEADER},SMS_CONSENT,x"), vec![line("consent_not_importable"), line("unknown_column")]),
        (format!("{HEADER},notes,notes"), vec![column(Column::Notes, "repeated_column")]),
        (without(&["externalId"]), vec![column(Column::ExternalId, "required")]),
        (without(&["agentEmail"]), vec![column(Column::AgentUserId, "required")]),
        (HEADER.replace("notes", " notes"), vec![line("unknown_column")]),
    ] {
        assert_eq!(csv(&format!("{header}\na,1,P,S,t,m,n\n")).unwrap_err(), wanted, "{header}");
    }
    assert!(csv(&format!("{},agentUserId\na,1,P,S,t,m,n\n", without(&["agentEmail"]))).is_ok());
    let all: Vec<_> = Column::ALL.iter().map(|column| column.as_str()).collect();
    assert_eq!(rows(&format!("{}\n{}\n", all.join(","), "x,".repeat(all.len() - 1) + "x")).len(), 1);
}

#[test]
fn a_file_that_is_none_is_refused_with_its_line() {
    let row = "a,1,P,S,t,m,n\n";
    for (text, wanted) in [
        (String::new(), (1, "no_rows")),
        ("\u{FEFF}\r\n\r\n".to_owned(), (1, "no_rows")),
        (HEADER.to_owned(), (2, "no_rows")),
        (format!("\n{HEADER}\n\n\n"), (3, "no_rows")),
        (format!("{HEADER}\n{row}a,2,P,\"S,t,m,n\n{row}"), (3, "unbalanced_quotes")),
        (format!("{HEADER}\n{row}a,2,P,\"S,t,m,n\n{row}a,3,P,\"S\",t,m,n\n"), (3, "unbalanced_quotes")),
        (format!("{HEADER}\na,1,\"P\" x,S,t,m,n\n"), (2, "unbalanced_quotes")),
        (format!("{HEADER}\n{row}a,1,5\" P,S,t,m,n\n"), (3, "unbalanced_quotes")),
        (format!("{HEADER}\n{}\n", row.repeat(MAX_ROWS)), (0, "")),
        (format!("{HEADER}\n{}\n", row.repeat(MAX_ROWS + 1)), (5_002, "too_many_rows")),
        (format!("{HEADER}\n{row}a,1,P,S,t,m,{}\n", "x".repeat(MAX_ROW_BYTES - 5)), (3, "row_too_large")),
        (format!("{HEADER}\n{row}a,1,P,S,t,m,Jos\u{FFFD}\n"), (3, "not_utf8")),
    ] {
        if wanted.0 == 0 {
            assert_eq!(rows(&text).len(), MAX_ROWS);
        } else {
            assert_eq!(refused(csv(&text)), wanted, "{text:.300}");
        }
    }
    for (text, wanted) in [
        (String::new(), (1, "no_rows")),
        ("\r\n \r\n".to_owned(), (1, "no_rows")),
        ("1\n".repeat(MAX_ROWS + 1), (5_001, "too_many_rows")),
        (format!("{{}}\n{{\"notes\":\"{}\"}}", "x".repeat(MAX_ROW_BYTES + 1)), (2, "row_too_large")),
    ] {
        assert_eq!(refused(json(&text)), wanted, "{text:.300}");
    }
    assert_eq!(json(&"1\n".repeat(MAX_ROWS)).unwrap().len(), MAX_ROWS);
    assert_eq!(rows(&format!("{HEADER}\n{row}a,1,P,S,t,m,{}\n", "x".repeat(MAX_ROW_BYTES - 6))).len(), 2);
    // Quotes within a cell are that cell's own as long as they are even: nothing can be lost between them.
    let read = rows(&format!("{HEADER}\na,1,Pat \"Patty\" Jones,S,t,m,n\n"));
    assert_eq!(cell(&read[0], Column::ReferrerName), Some("Pat \"Patty\" Jones"));
}

#[test]
fn bytes_that_are_no_utf_8_are_named_by_their_line() {
    let latin1 = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>();
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, line) in [
        (latin1(&format!("{HEADER}\r\na,1,P,S,t,m,n\r\na,2,José,S,t,m,n\r\n")), 3),
        ([&[0xFF, 0xFE][..], &utf16].concat(), 1),
        ([HEADER.as_bytes(), b"\na,1,P,S,t,m,\xE2\x82"].concat(), 2),
        ([HEADER.as_bytes(), b"\ra,1\xC0\x80"].concat(), 2),
    ] {
        for format in [FileFormat::Csv, FileFormat::JsonLines] {
            assert_eq!(refused(read(&bytes, format)), (line, "not_utf8"), "{bytes:?}");
        }
    }
    // Zero bytes are UTF-8; whether a name may hold one is the row's affair.
    let zero = rows(&format!("{HEADER}\na,1,P\0,S,t,m,n\n"));
    assert_eq!(cell(&zero[0], Column::ReferrerName), Some("P\0"));
}

#[test]
fn a_line_of_json_is_an_object_of_plain_values() {
    let read = json(
        "{\"externalId\": 4711, \"rewardValue\": 1.50e3, \"reversed\": true, \"notes\": null, \"referrerName\": \"=1\\n2\",\"status\":\"  \"}",
    )
    .unwrap();
    for (column, wanted) in [
        (Column::ExternalId, Some("4711")),
        (Column::RewardValue, Some("1.50e3")),
        (Column::Reversed, Some("true")),
        (Column::Notes, None),
        // No spreadsheet has touched it: a leading apostrophe would be the value's own.
        (Column::ReferrerName, Some("=1\n2")),
        (Column::Status, None),
    ] {
        assert_eq!(cell(&read[0], column), wanted, "{column:?}");
    }
    let quoted = json("{\"notes\":\"'=1\"}").unwrap();
    assert_eq!(cell(&quoted[0], Column::Notes), Some("'=1"));
    for (line, wanted) in [
        ("{", vec![(None, "malformed_json")]),
        ("{} {}", vec![(None, "malformed_json")]),
        ("[]", vec![(None, "malformed_json")]),
        ("7", vec![(None, "malformed_json")]),
        ("{\"notes\":\"\u{1}\"}", vec![(None, "malformed_json")]),
        ("{\"notes\":NaN}", vec![(None, "malformed_json")]),
        ("{\"notes\":\"\\ud800\"}", vec![(Some(Column::Notes), "malformed_json")]),
        (
            "{\"notes\":[\"a\"],\"status\":{}}",
            vec![(Some(Column::Notes), "not_text"), (Some(Column::Status), "not_text")],
        ),
        ("{\"notes\":\"a\",\"notes\":\"a\"}", vec![(Some(Column::Notes), "repeated_column")]),
        (
            "{\"colour\":1,\"Notes\":2,\"emailConsent\":true}",
            vec![(None, "unknown_column"), (None, "consent_not_importable")],
        ),
    ] {
        let read = json(&format!("{{\"externalId\":\"1\"}}\n{line}")).unwrap();
        assert_eq!((read[0].line, read[1].line, errors(&read[1])), (1, 2, wanted), "{line}");
    }
    // However much somebody sends that is not ours, what is said of it stays small.
    let many: Vec<_> = (0..10_000).map(|number| format!("\"k{number}\":{number}")).collect();
    assert_eq!(errors(&json(&format!("{{{}}}", many.join(","))).unwrap()[0]).len(), 1);
}

#[test]
fn chunks_hold_every_row_once_in_order_and_have_their_bounds() {
    let row = |line: usize, bytes: usize| RawRow {
        line: u32::try_from(line).unwrap(),
        content: RowContent::Cells([(Column::Notes, "x".repeat(bytes))].into()),
    };
    for (sizes, wanted) in [
        (vec![1; 100], vec![100]),
        (vec![1; 101], vec![100, 1]),
        (vec![CHUNK_BYTES / 2; 3], vec![2, 1]),
        (vec![CHUNK_BYTES, 1], vec![1, 1]),
        (vec![CHUNK_BYTES + 1, 1], vec![1, 1]),
        (vec![], vec![]),
    ] {
        let all: Vec<_> = sizes.iter().enumerate().map(|(place, bytes)| row(place, *bytes)).collect();
        let chunks = chunks(all.clone());
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), wanted);
        assert!(chunks.concat() == all);
    }
}

#[test]
fn what_is_wrong_with_a_row_takes_room_in_its_chunk_too() {
    let errors = vec![RowError::of(Column::Notes, "not_text"); 80];
    let row = RawRow { line: 1, content: RowContent::Unreadable(errors) };
    let sizes: Vec<_> = chunks(vec![row; 100]).iter().map(Vec::len).collect();
    assert_eq!(sizes, [39, 39, 22]);
}

/// A transaction has room for a hundred writes: the import, its answer, and one event for each chunk.
#[test]
fn a_file_has_never_more_chunks_than_a_transaction_has_room_for() {
    // The worst there is: rows that fill a chunk by their number, and as many as there are that fill it by their bytes.
    let large = crate::domain::import::MAX_BYTES / MAX_ROW_BYTES;
    let sizes = std::iter::repeat_n(MAX_ROW_BYTES, large).chain(std::iter::repeat_n(0, MAX_ROWS - large));
    let rows =
        sizes.map(|bytes| RawRow { line: 1, content: RowContent::Cells([(Column::Notes, "x".repeat(bytes))].into()) });
    let chunks = chunks(rows.collect());
    assert!((50..=68).contains(&chunks.len()), "{}", chunks.len());
}

/// Cells of one row: any text that a file can carry.
fn any_cells(columns: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-z'=+,;\"\r\n\t \\-é🏡]{0,8}", columns)
}

proptest! {
    #[test]
    fn whatever_is_written_as_csv_comes_back_with_its_lines(
        table in proptest::collection::vec(any_cells(7), 1..8),
        (end, marked, quoted) in (0_usize..3, any::<bool>(), any::<bool>()),
    ) {
        let terminator = [csv::Terminator::Any(b'\n'), csv::Terminator::CRLF, csv::Terminator::Any(b'\r')][end];
        let style = if quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).quote_style(style).from_writer(Vec::new());
        writer.write_record(HEADER.split(',')).unwrap();
        let mut wanted_lines = Vec::new();
        for cells in &table {
            writer.flush().unwrap();
            let written = String::from_utf8(writer.get_ref().clone()).unwrap();
            let ends = written.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count();
            wanted_lines.push(u32::try_from(ends).unwrap() + 1);
            writer.write_record(cells).unwrap();
        }
        let mut bytes = if marked { "\u{FEFF}".as_bytes().to_vec() } else { Vec::new() };
        bytes.extend(writer.into_inner().unwrap());
        let read = read(&bytes, FileFormat::Csv).unwrap();
        prop_assert_eq!(lines(&read), wanted_lines);
        let columns: Vec<_> = HEADER.split(',').map(|name| Column::find(name).unwrap()).collect();
        for (row, cells) in read.iter().zip(&table) {
            for (column, written) in columns.iter().zip(cells) {
                let value = crate::domain::spreadsheet::unguarded(written);
                prop_assert_eq!(cell(row, *column), Some(value).filter(|value| !value.trim().is_empty()));
            }
        }
    }

    #[test]
    fn whatever_is_written_as_json_comes_back(table in proptest::collection::vec(any_cells(3), 1..8)) {
        let columns = [Column::ExternalId, Column::Notes, Column::ReferrerName];
        let mut text = String::new();
        for cells in &table {
            let members = columns.iter().zip(cells).map(|(column, cell)| (column.as_str().to_owned(), cell.clone().into()));
            text.push_str(&serde_json::Value::Object(members.collect()).to_string());
            text.push_str("\r\n");
        }
        let read = json(&text).unwrap();
        prop_assert_eq!(read.len(), table.len());
        for (row, cells) in read.iter().zip(&table) {
            for (column, value) in columns.iter().zip(cells) {
                prop_assert_eq!(cell(row, *column), Some(value.as_str()).filter(|value| !value.trim().is_empty()));
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a,\"\r\n{}:]{0,60}") {
        for format in [FileFormat::Csv, FileFormat::JsonLines] {
            let _ = read(&bytes, format);
            let _ = read(format!("{HEADER}\n{text}").as_bytes(), format);
        }
    }

    /// Two readings of one text: where rows begin, and what is in them.
    #[test]
    fn as_many_rows_begin_as_there_are(text in "[ab,\"\r\n]{0,40}") {
        let text = format!("{HEADER}\na\n{text}\n");
        let Ok(read) = csv(&text) else { return Ok(()) };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        prop_assert_eq!(read.len(), reader.records().count());
        prop_assert!(lines(&read).is_sorted_by(|one, next| one < next), "{:?}", lines(&read));
    }
}
