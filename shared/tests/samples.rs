//! The sample files of referrals, read as the demo organization would: the clean ones have no fault, and the other one has just
//! those that its report tells.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use referrals::domain::{
    id::OrgId,
    import::{FileFormat, RawRow, RowContent, RowError, RowOutcome, RowReport},
    import_file,
    import_row::{Ground, ImportRow},
    organization::{Member, Organization},
    reward::RewardPolicy,
    time::Timestamp,
};
use serde_json::Value;

/// Of each row: its line, and what is wrong with it.
fn read(file: &str, format: FileFormat) -> Vec<(u32, Vec<RowError>)> {
    let demo: Value = serde_json::from_str(include_str!("../../infra/local/demo.json")).unwrap();
    let organization: Organization = serde_json::from_value(demo["organizations"][0].clone()).unwrap();
    let members: Vec<Member> = serde_json::from_value(demo["members"].clone()).unwrap();
    let policy = RewardPolicy::default_of(OrgId::parse("org_winnerr_demo").unwrap());
    let now = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
    let ground = Ground { organization: &organization, members: &members, policy: &policy, now };
    let errors = |row: &RawRow| match &row.content {
        RowContent::Cells(cells) => ImportRow::read(cells, &ground).err().unwrap_or_default(),
        RowContent::Unreadable(errors) => errors.clone(),
    };
    let rows = import_file::read(file.as_bytes(), format).unwrap();
    rows.iter().map(|row| (row.line, errors(row))).collect()
}

#[test]
fn the_clean_samples_have_no_fault() {
    let csv = read(include_str!("../../events/import/referrals.csv"), FileFormat::Csv);
    let lines = read(include_str!("../../events/import/referrals.jsonl"), FileFormat::JsonLines);
    assert_eq!((csv.len(), lines.len()), (12, 3));
    for (line, errors) in csv.into_iter().chain(lines) {
        assert_eq!(errors, [], "line {line}");
    }
}

#[test]
fn the_faults_of_the_other_sample_are_those_of_its_report() {
    let report: Value = serde_json::from_str(include_str!("../../events/import/errors.report.json")).unwrap();
    let mut expected: Vec<RowReport> = serde_json::from_value(report["rows"].clone()).unwrap();
    for row in &mut expected {
        assert_eq!(row.outcome == RowOutcome::Failed, !row.errors.is_empty(), "line {}", row.line);
        // That somebody else has the deal is known to the ledger alone.
        row.errors.retain(|error| error.code != "deal_already_attributed");
    }
    let told: Vec<_> = expected.into_iter().map(|row| (row.line, row.errors)).collect();
    assert_eq!(read(include_str!("../../events/import/errors.csv"), FileFormat::Csv), told);
}
