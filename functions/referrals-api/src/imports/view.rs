//! An import as the API shows it.

use referrals::domain::{
    id::{ImportId, UserId},
    import::{FileFormat, Import, ImportStatus},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportCountsView {
    /// That the file has.
    total: u32,
    done: u32,
    /// That are referrals now; in a dry run: would be.
    created: u32,
    /// That were imported before.
    unchanged: u32,
    /// That were left out; the report says why.
    failed: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportView {
    id: ImportId,
    status: ImportStatus,
    format: FileFormat,
    dry_run: bool,
    rows: ImportCountsView,
    created_by: UserId,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Import> for ImportView {
    fn from(import: &Import) -> Self {
        let counts = import.counts;
        Self {
            id: import.id.clone(),
            status: import.status(),
            format: import.format,
            dry_run: import.dry_run,
            rows: ImportCountsView {
                total: import.rows,
                done: counts.done(),
                created: counts.created,
                unchanged: counts.unchanged,
                failed: counts.failed,
            },
            created_by: import.created_by.clone(),
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}
