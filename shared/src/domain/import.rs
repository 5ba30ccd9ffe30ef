//! Files of referrals from another system, and what became of their rows.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    id::{ImportId, OrgId, ReferralId, UserId},
    time::Timestamp,
};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 3_000_000;
/// Rows of one file at most.
pub const MAX_ROWS: usize = 5_000;
/// Largest row, in bytes of its cells: more than every column at its longest.
pub const MAX_ROW_BYTES: usize = 32_768;
/// Rows of one chunk at most: what one message has done.
pub const CHUNK_ROWS: usize = 100;
/// Bytes of the cells of one chunk at most, unless it is one row: an item of the store has room for 400 KB.
pub const CHUNK_BYTES: usize = 200_000;
/// How long an import and its report are kept.
pub const KEPT_SECONDS: i64 = 90 * 86_400;
/// How long rows wait to be imported: longer than a dead-letter queue keeps what asks for them, with room for a redrive.
pub const WAITING_SECONDS: i64 = 30 * 86_400;
/// The system that exports of this product name for the referrals that came in here.
pub const OWN_SYSTEM: &str = "winnerr";

named! {
    /// A column of a file.
    pub enum Column {
        SourceSystem = "sourceSystem",
        ExternalId = "externalId",
        ReferrerName = "referrerName",
        ReferrerEmail = "referrerEmail",
        ReferrerPhone = "referrerPhone",
        ReferredName = "referredName",
        ReferredEmail = "referredEmail",
        ReferredPhone = "referredPhone",
        AgentUserId = "agentUserId",
        AgentEmail = "agentEmail",
        Channel = "channel",
        Status = "status",
        ReceivedAt = "receivedAt",
        LostReason = "lostReason",
        DealId = "dealId",
        ConvertedAt = "convertedAt",
        SalePriceMinor = "salePriceMinor",
        GrossCommissionMinor = "grossCommissionMinor",
        Currency = "currency",
        Reversed = "reversed",
        RewardType = "rewardType",
        RewardValue = "rewardValue",
        RewardAmountMinor = "rewardAmountMinor",
        RewardCurrency = "rewardCurrency",
        RewardStatus = "rewardStatus",
        RewardSentAt = "rewardSentAt",
        Notes = "notes",
    }
}

impl Column {
    /// Whether a file has to have it. One of the agent's two has to be there too.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(
            self,
            Self::SourceSystem | Self::ExternalId | Self::ReferrerName | Self::ReferredName | Self::ReceivedAt
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FileFormat {
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// A row as it was written: the text of its cells, without those that are empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawRow {
    /// Of the file, where the row begins; the first is 1.
    pub line: u32,
    pub content: RowContent,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RowContent {
    Cells(BTreeMap<Column, String>),
    /// It is no row of the file's columns; why not.
    Unreadable(Vec<RowError>),
}

impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRow(line {}, redacted)", self.line)
    }
}

impl fmt::Debug for RowContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowContent(redacted)")
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowError {
    /// None when it is the row as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// Stable, in lower snake case.
    pub code: String,
}

impl RowError {
    #[must_use]
    pub fn of(column: Column, code: &str) -> Self {
        Self { column: Some(column), code: code.to_owned() }
    }

    #[must_use]
    pub fn of_row(code: &str) -> Self {
        Self { column: None, code: code.to_owned() }
    }
}

named! {
    pub enum RowOutcome {
        /// It is a referral now; in a dry run it would be.
        Created = "CREATED",
        /// It was imported before.
        Unchanged = "UNCHANGED",
        /// It was left out; its errors say why.
        Failed = "FAILED",
    }
}

/// What became of a row. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowReport {
    pub line: u32,
    pub outcome: RowOutcome,
    /// None for a row that failed, and for one that a dry run would create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<ReferralId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RowError>,
}

/// How many rows became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    pub created: u32,
    pub unchanged: u32,
    pub failed: u32,
}

impl RowCounts {
    #[must_use]
    pub fn of(reports: &[RowReport]) -> Self {
        let mut counts = Self::default();
        for report in reports {
            let count = match report.outcome {
                RowOutcome::Created => &mut counts.created,
                RowOutcome::Unchanged => &mut counts.unchanged,
                RowOutcome::Failed => &mut counts.failed,
            };
            *count += 1;
        }
        counts
    }

    #[must_use]
    pub fn done(self) -> u32 {
        self.created + self.unchanged + self.failed
    }
}

/// One uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    pub id: ImportId,
    pub organization_id: OrgId,
    pub created_by: UserId,
    pub format: FileFormat,
    /// Whether nothing is written but the report.
    pub dry_run: bool,
    /// Rows that the file has.
    pub rows: u32,
    pub chunks: u32,
    pub chunks_done: u32,
    /// Of the chunks that are done.
    #[serde(flatten)]
    pub counts: RowCounts,
    pub created_at: Timestamp,
    /// When the last chunk so far was done.
    pub updated_at: Timestamp,
    /// Counts changes.
    pub version: u64,
    /// Epoch seconds.
    pub expires_at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportStatus {
    Running,
    Completed,
}

impl Import {
    #[must_use]
    pub fn status(&self) -> ImportStatus {
        if self.chunks_done < self.chunks { ImportStatus::Running } else { ImportStatus::Completed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_name_alone() {
        for column in Column::ALL {
            assert_eq!(Column::find(column.as_str()), Some(column));
            assert_eq!(serde_json::to_string(&column).unwrap(), format!("\"{}\"", column.as_str()));
        }
        for name in ["", "Notes", " notes", "referrerConsentEmail"] {
            assert_eq!(Column::find(name), None, "{name:?}");
        }
    }

    #[test]
    fn rows_are_counted_by_outcome() {
        use RowOutcome::{Created, Failed, Unchanged};
        let report = |outcome| RowReport { line: 2, outcome, referral_id: None, errors: Vec::new() };
        let counts = RowCounts::of(&[Created, Failed, Created, Unchanged].map(report));
        assert_eq!((counts, counts.done()), (RowCounts { created: 2, unchanged: 1, failed: 1 }, 4));
    }

    #[test]
    fn an_outcome_is_found_by_its_name_alone() {
        for outcome in RowOutcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(RowOutcome::find(outcome.as_str()), Some(outcome));
        }
        assert_eq!(RowOutcome::find("created"), None);
    }

    #[test]
    fn rows_outlive_a_dead_letter_queue_and_the_report_outlives_the_rows() {
        // The longest that a queue keeps a message.
        let two_weeks = 14 * 86_400;
        assert!(two_weeks < WAITING_SECONDS && WAITING_SECONDS < KEPT_SECONDS);
    }

    #[test]
    fn an_import_runs_until_its_last_chunk_is_done() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let mut import = Import {
            id: ImportId::parse("imp_1").unwrap(),
            organization_id: OrgId::parse("org_1").unwrap(),
            created_by: UserId::parse("user_1").unwrap(),
            format: FileFormat::Csv,
            dry_run: false,
            rows: 150,
            chunks: 2,
            chunks_done: 0,
            counts: RowCounts::default(),
            created_at: at,
            updated_at: at,
            version: 1,
            expires_at: 0,
        };
        for (done, status) in [(0, ImportStatus::Running), (1, ImportStatus::Running), (2, ImportStatus::Completed)] {
            import.chunks_done = done;
            assert_eq!(import.status(), status, "{done}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_row() {
        let cells = BTreeMap::from([(Column::ReferrerName, "Pat Jones".to_owned())]);
        let row = RawRow { line: 7, content: RowContent::Cells(cells) };
        assert_eq!(format!("{row:?} {:?}", row.content), "RawRow(line 7, redacted) RowContent(redacted)");
    }
}
