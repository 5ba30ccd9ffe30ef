//! What the use cases need from the outside, as small traits named by role, and the one error that all stores share.
//! Adapters live in `store` and `aws`; nothing here knows which.

mod answers;
mod attribution;
mod directory;
mod events;
mod imports;
mod ledger;
mod links;
mod messages;
mod people;
mod personal_data;
mod pipeline;
mod recording;
mod revision;
mod rewards;

use std::future::Future;

use thiserror::Error;
use ulid::Ulid;

use crate::domain::{organization::Slug, rate_limit::Limits, time::Timestamp};

pub use answers::{AnswerBook, Named, RememberOutcome, RememberedAnswer, UsedKey};
pub use attribution::{AttributionKeeper, AttributionReader, CellCorrection, Revised};
pub use directory::{
    Account, AccountDirectory, LoginDirectory, MemberDirectory, MemberList, OrganizationList, Organizations,
    ProfileBook, ProfileDirectory, ProfileWriteOutcome,
};
pub use events::{EventPublisher, Outbox, OutboxEntry, OutboxKey, OutboxRecord, Publication};
pub use imports::{
    BeginOutcome, Chunk, ImportDesk, ImportRecorder, Imported, ImportedOutcome, ImportedWrite, NewImport,
};
pub use ledger::{History, Page, Position, ReferralReader};
pub use links::{Correction, CorrectionOutcome, Link, LinkKeeper, RestoreOutcome};
pub use messages::{Carrier, MessageBook, MessageWrite, MessageWriteOutcome, RecipientGuard, SuppressionList};
pub use people::{PersonEditor, PersonReader, PersonRevisionOutcome};
pub use personal_data::{
    PersonData, PersonErasure, PersonalData, Place, ReferralData, ReferralErasure, ShownAnswer, Tie, TieKind,
};
pub use pipeline::{PipelineRecorder, PipelineWrite, PipelineWriteOutcome};
pub use recording::{PairGuard, ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, Repetition};
pub use revision::{
    FormerLead, LeadMove, ReferralEditor, ReferralRemoval, ReferralRevision, RemovalOutcome, RevisionOutcome,
};
pub use rewards::{
    DealBook, DueHold, DueHolds, HoldBook, HoldRelease, HoldReleaseOutcome, NewsOutcome, PolicyBook, RewardQueue,
    SettleOutcome, Settlement,
};

/// A store or a bus did not do what was asked. Nothing was changed, unless the answer was lost on the way: callers
/// repeat only what is safe to repeat. No variant carries personal data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Throttled, unreachable, timed out, or in conflict for longer than the time budget. Repeating may help.
    #[error("{operation} is not available now ({reason})")]
    Unavailable { operation: &'static str, reason: String },
    /// Refused for good: a bug, a missing permission, a row that cannot be read. Repeating does not help.
    #[error("{operation} failed ({reason})")]
    Failed { operation: &'static str, reason: String },
}

impl StoreError {
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub trait Ids: Send + Sync {
    /// A new ULID whose time part is `at`.
    fn ulid(&self, at: Timestamp) -> Ulid;
}

/// Whether a request may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    Refused { retry_after_seconds: u32 },
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// A client network, as a keyed hash: an address of the internet is somebody's personal data.
    Network(&'a str),
    /// A published slug.
    Slug(&'a Slug),
}

/// Counting requests.
pub trait RateLimiter: Send + Sync {
    /// Counts a request, unless that would be one more than the limits allow. Exact under any concurrency.
    fn admit(
        &self,
        counted: Counted<'_>,
        limits: Limits,
        at: Timestamp,
    ) -> impl Future<Output = Result<Admission, StoreError>> + Send;
}
