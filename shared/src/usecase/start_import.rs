//! Takes in a file of referrals from another system. Its rows are imported later, chunk by chunk; here nothing of it is taken
//! unless the whole file can be read.

use super::record_referral::new_event;
use crate::{
    domain::{
        access::Caller,
        id::{EventId, ImportId},
        import::{FileFormat, Import, KEPT_SECONDS, RowCounts},
        import_file::{self, FileError},
    },
    events::{EventData as _, ImportChunkReadyV1, Metadata, NewEvent},
    ports::{BeginOutcome, Clock, Ids, ImportDesk, Named, NewImport, StoreError},
};

/// A file as it was uploaded.
#[derive(Debug)]
pub struct Upload<'a> {
    pub format: FileFormat,
    pub bytes: &'a [u8],
    /// Whether it is only to be told what would become of its rows.
    pub dry_run: bool,
    pub named: Option<Named<'a, Import>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It waits to be worked through.
    Begun(Box<Import>),
    /// It is no file of rows; why not. Nothing was stored.
    Refused(Vec<FileError>),
    /// The client's name for the request has been used.
    KeyReused,
}

/// For those who [may import](Caller::may_import).
///
/// # Errors
/// When the store does not answer. Nothing was begun then, unless the answer to the last write was lost.
pub async fn start_import(
    store: &impl ImportDesk,
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    upload: &Upload<'_>,
) -> Result<Started, StoreError> {
    let rows = match import_file::read(upload.bytes, upload.format) {
        Ok(rows) => rows,
        Err(errors) => return Ok(Started::Refused(errors)),
    };
    let at = clock.now();
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let chunks = import_file::chunks(rows);
    let import = Import {
        id: ImportId::from_ulid(ids.ulid(at)),
        organization_id: caller.scope.organization().clone(),
        created_by: caller.user.clone(),
        format: upload.format,
        dry_run: upload.dry_run,
        rows: count,
        chunks: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
        chunks_done: 0,
        counts: RowCounts::default(),
        created_at: at,
        updated_at: at,
        version: 1,
        expires_at: at.plus_seconds(KEPT_SECONDS).epoch_seconds(),
    };
    let events = (1..=import.chunks).map(|chunk| ready(ids, &import, chunk)).collect::<Result<_, _>>()?;
    let remembered = upload.named.as_ref().map(|named| named.answer(&import, None, at));
    let new = NewImport { import, chunks, events, remembered };
    Ok(match store.begin_import(&caller.scope, &new).await? {
        BeginOutcome::Begun => Started::Begun(Box::new(new.import)),
        BeginOutcome::KeyUsed(_) => Started::KeyReused,
    })
}

fn ready(ids: &impl Ids, import: &Import, chunk: u32) -> Result<NewEvent, StoreError> {
    let metadata = Metadata {
        id: EventId::from_ulid(ids.ulid(import.created_at)),
        version: ImportChunkReadyV1::VERSION,
        occurred_at: import.created_at,
        organization_id: import.organization_id.clone(),
        subject: import.id.as_str().to_owned(),
        aggregate_version: import.version,
        causation_id: None,
        traceparent: None,
    };
    new_event(metadata, ImportChunkReadyV1 { import_id: import.id.clone(), chunk })
}
