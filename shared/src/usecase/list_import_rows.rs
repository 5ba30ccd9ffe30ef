//! What became of the rows of an uploaded file, in the order of the file, as far as they are done.

use super::find_import::find_import;
use crate::{
    domain::{
        access::Caller,
        id::ImportId,
        import::{Import, RowOutcome, RowReport},
    },
    ports::{Clock, ImportDesk, StoreError},
};

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRows {
    pub outcome: Option<RowOutcome>,
    /// Only those behind this line.
    pub after: u32,
    pub limit: u32,
}

/// A page of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPage {
    pub import: Import,
    pub rows: Vec<RowReport>,
    /// Whether there are more now. While the import runs there may be more later, before these too.
    pub has_more: bool,
}

/// For those who [may import](Caller::may_import). None for an import that there is not, or not any more.
///
/// # Errors
/// When the store does not answer.
pub async fn list_import_rows(
    store: &impl ImportDesk,
    clock: &impl Clock,
    caller: &Caller,
    id: &ImportId,
    wanted: WantedRows,
) -> Result<Option<ReportPage>, StoreError> {
    let Some(import) = find_import(store, clock, caller, id).await? else { return Ok(None) };
    let WantedRows { outcome, after, limit } = wanted;
    let (rows, has_more) = store.list_import_rows(&caller.scope, id, outcome, after, limit).await?;
    Ok(Some(ReportPage { import, rows, has_more }))
}
