//! Imports: taking a file in, working through its chunks, and reading what became of it.

use std::future::Future;

use super::{ReferrerWrite, RememberedAnswer, StoreError, UsedKey};
use crate::{
    domain::{
        audit::AuditEntry,
        contact::ContactKey,
        id::{ImportId, PersonId, ReferralId},
        import::{Import, RawRow, RowOutcome, RowReport},
        referral::{Origin, Referral},
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// A file that was taken in.
#[derive(Debug, Clone)]
pub struct NewImport {
    pub import: Import,
    /// The first is number 1.
    pub chunks: Vec<Vec<RawRow>>,
    /// One for each chunk.
    pub events: Vec<NewEvent>,
    pub remembered: Option<RememberedAnswer>,
}

/// Everything but `Begun` left nothing that anybody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginOutcome {
    Begun,
    KeyUsed(UsedKey),
}

/// Imports, for those who upload them.
pub trait ImportDesk: Send + Sync {
    /// The chunks first; then, in one transaction, the import and the events that start the work.
    fn begin_import(
        &self,
        scope: &OrgScope,
        new: &NewImport,
    ) -> impl Future<Output = Result<BeginOutcome, StoreError>> + Send;

    /// Strongly consistent.
    fn find_import(
        &self,
        scope: &OrgScope,
        id: &ImportId,
    ) -> impl Future<Output = Result<Option<Import>, StoreError>> + Send;

    /// At most `limit` rows that are done, those of one outcome where one is given, in the order of the file, behind the
    /// line `after`; and whether there are more.
    fn list_import_rows(
        &self,
        scope: &OrgScope,
        id: &ImportId,
        outcome: Option<RowOutcome>,
        after: u32,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<RowReport>, bool), StoreError>> + Send;
}

/// A part of an import that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// As it was when the chunk was read.
    pub import: Import,
    pub number: u32,
    pub rows: Vec<RawRow>,
}

/// What became a referral, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub referral: ReferralId,
    pub import: ImportId,
    /// Of the import's file.
    pub line: u32,
}

/// One imported referral, in one transaction. No event and no guard: it is history.
#[derive(Debug, Clone)]
pub struct ImportedWrite {
    /// Has an [`Origin`], and the deal that it is to be linked to.
    pub referral: Referral,
    pub import: ImportId,
    pub line: u32,
    /// Whoever is credited becomes an advocate too.
    pub referrer: ReferrerWrite,
    pub audit: AuditEntry,
}

/// What came of an [`ImportedWrite`]. Everything but `Recorded` wrote nothing. When several reasons hold, the first in
/// this order is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedOutcome {
    Recorded,
    /// Something with this origin was imported before.
    Known(Imported),
    /// The deal belongs to another referral.
    DealTaken,
    /// A key of the person to be created belongs to somebody already.
    KeyTaken {
        key: ContactKey,
        holder: PersonId,
    },
    /// The person to be credited is not there.
    ReferrerMissing,
}

/// Chunks of imports, for those who work through them.
pub trait ImportRecorder: Send + Sync {
    /// None when it is done, or was never there. Strongly consistent.
    fn find_chunk(
        &self,
        scope: &OrgScope,
        id: &ImportId,
        number: u32,
    ) -> impl Future<Output = Result<Option<Chunk>, StoreError>> + Send;

    /// What has these origins, one by one in their order. The channel of an origin makes no difference. Strongly
    /// consistent.
    fn find_imported(
        &self,
        scope: &OrgScope,
        origins: &[Origin],
    ) -> impl Future<Output = Result<Vec<Option<Imported>>, StoreError>> + Send;

    fn record_imported(
        &self,
        scope: &OrgScope,
        write: &ImportedWrite,
    ) -> impl Future<Output = Result<ImportedOutcome, StoreError>> + Send;

    /// Whether the chunk has its report.
    fn is_finished(
        &self,
        scope: &OrgScope,
        id: &ImportId,
        number: u32,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Replaces the chunk's rows by their report and counts them, in one transaction. False when that was done before.
    fn finish_chunk(
        &self,
        scope: &OrgScope,
        chunk: &Chunk,
        reports: &[RowReport],
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
