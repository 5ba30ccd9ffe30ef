//! Writing a lead's entry into the pipeline.

use std::future::Future;

use super::{Revised, StoreError};
use crate::{
    domain::{
        audit::AuditEntry,
        contact::ContactKey,
        id::{EventId, PersonId, ReferralId},
        person::Person,
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// Everything that one lead's entry into the pipeline writes, in one transaction. Rows that are replaced carry the
/// version that they will have; the transaction holds only while the stored version is one less.
#[derive(Debug, Clone)]
pub struct PipelineWrite {
    /// The event being handled: recorded in the inbox, so that it is applied once.
    pub event_id: EventId,
    pub consumer: &'static str,
    pub at: Timestamp,
    /// The referral, linked to its lead.
    pub referral: Revised,
    /// The lead, when new, with the contact keys that they shall hold.
    pub new_lead: Option<(Person, Vec<ContactKey>)>,
    /// The lead, when known already and changed.
    pub known_lead: Option<Person>,
    /// The referrer, when they become an advocate by this.
    pub new_advocate: Option<PersonId>,
    /// Other referrals of the same lead that this one contests.
    pub contested: Vec<Revised>,
    pub audit: Vec<(ReferralId, AuditEntry)>,
    pub event: NewEvent,
}

/// What came of a [`PipelineWrite`]. Everything but `Entered` wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineWriteOutcome {
    Entered,
    /// The event is in the inbox: it was applied before.
    AlreadyApplied,
    /// A row moved since it was read, or a contact key was taken meanwhile. Read again.
    Stale,
}

/// Writing a lead's entry into the pipeline.
pub trait PipelineRecorder: Send + Sync {
    fn enter(
        &self,
        scope: &OrgScope,
        write: &PipelineWrite,
    ) -> impl Future<Output = Result<PipelineWriteOutcome, StoreError>> + Send;
}
