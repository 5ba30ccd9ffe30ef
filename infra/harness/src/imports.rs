//! The office that brings its history: files of rows, and what has to have become of them.

use std::collections::{BTreeMap, BTreeSet};

use referrals::{
    domain::import::{CHUNK_ROWS, Column, Import, RawRow, RowContent, RowCounts, RowOutcome, RowReport},
    events::{EventData as _, ImportChunkReadyV1, SOURCE},
    store::rows::{ImportReportRow, from_item},
};
use referrals_testing::{Item, Upload};
use serde_json::{Value, json};

use crate::{
    Submitted, World,
    client::Somebody,
    rows::{holders, imported_as, last},
    world::BUS,
};

/// A row, as it stands in a file.
#[derive(Debug, Clone)]
pub struct FileRow {
    /// What it is called in the other system.
    name: String,
    pub(crate) referrer: Somebody,
    referred: Somebody,
    is_wrong: bool,
}

impl FileRow {
    fn raw(&self, line: u32) -> RawRow {
        let mut cells: BTreeMap<Column, String> = [
            (Column::SourceSystem, "old crm".to_owned()),
            (Column::ExternalId, self.name.clone()),
            (Column::ReferrerName, self.referrer.name.clone()),
            (Column::ReferrerEmail, self.referrer.email.clone()),
            (Column::ReferredName, self.referred.name.clone()),
            (Column::ReferredEmail, self.referred.email.clone()),
            (Column::AgentUserId, "user_789".to_owned()),
            (Column::ReceivedAt, if self.is_wrong { "yesterday" } else { "2025-04-01" }.to_owned()),
        ]
        .into();
        cells.extend(self.referrer.phone.clone().map(|phone| (Column::ReferrerPhone, phone)));
        RawRow { line, content: RowContent::Cells(cells) }
    }
}

/// A file that was taken in.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    pub upload: Upload,
    pub(crate) rows: Vec<FileRow>,
}

impl UploadedFile {
    /// What the bus hands on of a chunk that waits; the first is number 1.
    #[must_use]
    pub fn envelope(&self, chunk: u32) -> Value {
        let event = self.upload.event(chunk);
        json!({
            "version": "0",
            "id": format!("bus-{}", event.metadata.id),
            "source": SOURCE,
            "detail-type": ImportChunkReadyV1::DETAIL_TYPE,
            "detail": event,
        })
    }

    fn valid(&self) -> impl Iterator<Item = &FileRow> {
        self.rows.iter().filter(|row| !row.is_wrong)
    }
}

impl World {
    /// Rows that nobody has imported, so many of each advocate in turn. Every tenth advocate has a number too, while there
    /// are numbers.
    pub fn history(&mut self, rows: usize, of_each: usize) -> Vec<FileRow> {
        let mut history = Vec::with_capacity(rows);
        let mut referrer = None;
        for place in 0..rows {
            let number = self.number();
            if place.is_multiple_of(of_each) {
                let area = ((place / of_each).is_multiple_of(10) && number < 10_000).then_some("415");
                referrer = Some(Somebody::new("Val", area, number));
            }
            let referred = Somebody::new("Kit", None, number);
            let referrer = referrer.clone().expect("the first row has one");
            history.push(FileRow { name: format!("lead {number}"), referrer, referred, is_wrong: false });
        }
        history
    }

    /// A row that cannot be imported, of the same advocate.
    pub fn wrong_row(&mut self, of: &FileRow) -> FileRow {
        FileRow { name: format!("lead {}", self.number()), is_wrong: true, ..of.clone() }
    }

    /// A form of a row's advocate, who sends somebody else.
    pub fn fill_in_of(&mut self, row: &FileRow) -> Submitted {
        let referred = Somebody::new("Sam", None, self.number());
        self.distinct(Submitted {
            referrer: row.referrer.clone(),
            referred,
            key: None,
            agrees_to_sms: false,
            is_logged: false,
        })
    }

    /// Takes a file in, in chunks of at most so many rows; nobody is told of it yet.
    pub async fn upload(&mut self, rows: &[FileRow], chunk_rows: usize) -> UploadedFile {
        let raw: Vec<RawRow> = (2..).zip(rows).map(|(line, row)| row.raw(line)).collect();
        let upload = Upload::begin_in_chunks_of(chunk_rows.min(CHUNK_ROWS), &self.store, &raw, false).await;
        let file = UploadedFile { upload, rows: rows.to_vec() };
        self.imports.push(file.clone());
        file
    }

    /// Tells that the file's chunks wait.
    pub fn announce(&mut self, file: &UploadedFile) {
        for chunk in 1..=file.upload.import.chunks {
            let event = file.upload.event(chunk);
            let detail = serde_json::to_string(&event).expect("an event is JSON");
            let entry = json!({
                "EventBusName": BUS, "Source": SOURCE, "DetailType": ImportChunkReadyV1::DETAIL_TYPE, "Detail": detail,
            });
            self.bus.put(&json!({"Entries": [entry]}));
        }
    }
}

/// The advocates that files named in rows that were right.
pub(crate) fn advocates(files: &[UploadedFile]) -> impl Iterator<Item = &Somebody> {
    files.iter().flat_map(UploadedFile::valid).map(|row| &row.referrer)
}

/// What does not hold about imports: each row of each file has one outcome, what was right is one referral whoever brought
/// it how often, and the counts are those of the rows.
pub(crate) fn violations(items: &[Item], files: &[UploadedFile]) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |holds: bool, violation: String| {
        if !holds {
            found.push(violation);
        }
    };
    let of_kind = |kind: &'static str| items.iter().filter(move |item| item.kind() == kind);
    expect(of_kind("CHUNK").count() == 0, "chunks wait".to_owned());
    let mut referrals: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for row in of_kind("REFERRAL") {
        if let Some(name) = imported_as(row) {
            referrals.entry(name).or_default().push(row);
        }
    }
    let names: BTreeSet<String> = files.iter().flat_map(UploadedFile::valid).map(|row| row.name.clone()).collect();
    expect(referrals.keys().eq(&names), format!("{} names of {} were imported", referrals.len(), names.len()));
    let (origins, rows) = (of_kind("ORIGIN").count(), referrals.values().map(Vec::len).sum::<usize>());
    expect(
        (origins, rows) == (names.len(), names.len()),
        format!("{origins} origins and {rows} rows of {}", names.len()),
    );
    let entries: Vec<String> =
        of_kind("AUDIT").filter(|row| row.text("action") == "IMPORTED").map(|row| last(row.text("pk"))).collect();
    let told: BTreeSet<&String> = entries.iter().collect();
    expect((entries.len(), told.len()) == (rows, rows), format!("{} entries of {rows} imported rows", entries.len()));

    let holders = holders(items);
    let mut reports: BTreeMap<String, Vec<RowReport>> = BTreeMap::new();
    for row in of_kind("REPORT") {
        let report: ImportReportRow = from_item("a check", row.0.clone()).expect("a report");
        reports.entry(last(row.text("pk"))).or_default().extend(report.reports);
    }
    let mut created: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let id = file.upload.import.id.as_str();
        let of_file = reports.remove(id).unwrap_or_default();
        let by_line: BTreeMap<u32, &RowReport> = of_file.iter().map(|report| (report.line, report)).collect();
        let are_all = by_line.keys().copied().eq((2..).take(file.rows.len()));
        expect(are_all && of_file.len() == file.rows.len(), format!("{id} reports {} rows", of_file.len()));
        let head = items.iter().find(|item| item.kind() == "IMPORT" && last(item.text("pk")) == id);
        let import: Option<Import> = head.and_then(|head| from_item("a check", head.0.clone()).ok());
        let wanted = (file.upload.import.chunks, RowCounts::of(&of_file));
        let counted = import.map(|import| (import.chunks_done, import.counts));
        expect(counted == Some(wanted), format!("{id} counts {counted:?} instead of {wanted:?}"));
        for (line, row) in (2..).zip(&file.rows) {
            let Some(report) = by_line.get(&line) else { continue };
            expect(
                row.is_wrong == (report.outcome == RowOutcome::Failed) && row.is_wrong != report.errors.is_empty(),
                format!("line {line} of {id} is {:?}", report.outcome),
            );
            if row.is_wrong {
                continue;
            }
            *created.entry(&row.name).or_default() += usize::from(report.outcome == RowOutcome::Created);
            let referral = referrals.get(&row.name).and_then(|rows| rows.first());
            let is_it = referral.is_some_and(|referral| {
                report.referral_id.as_ref().is_some_and(|id| id.as_str() == referral.text("id"))
                    && holders
                        .get(&row.referrer.email)
                        .is_some_and(|holder| holder == referral.text("referrerPersonId"))
                    && (referral.text("channel"), referral.number("version")) == ("IMPORT", 1)
            });
            expect(is_it, format!("line {line} of {id} is another referral"));
        }
    }
    let wrong = created.values().filter(|count| **count != 1).count();
    expect(wrong == 0, format!("{wrong} rows were not created once"));
    expect(reports.is_empty(), format!("{} reports of no file", reports.len()));
    found
}
