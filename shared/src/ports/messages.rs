//! Messages: what is kept of them, and who carries them.

use std::future::Future;

use super::{RememberedAnswer, Revised, StoreError, UsedKey};
use crate::{
    domain::{
        audit::AuditEntry,
        contact::ContactKey,
        id::{PersonId, ReferralId},
        letter::Letter,
        message::{Message, MessageId, Sending},
        phone::Phone,
        scope::OrgScope,
        time::Timestamp,
    },
    events::NewEvent,
};

/// What has to be true of the recipient in the moment of a decision, as it was when the decision was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientGuard {
    pub person: PersonId,
    /// None where there is no such person.
    pub version: Option<u64>,
    /// The address or number, and whether it is suppressed.
    pub suppression: Option<(ContactKey, bool)>,
}

/// Everything that one step of messages of one referral writes, in one transaction. Rows that are replaced carry the
/// version that they will have; the transaction holds only while the stored version is one less.
#[derive(Debug, Clone)]
pub struct MessageWrite {
    pub messages: Vec<Message>,
    /// The referral, when it becomes another by this.
    pub referral: Option<Box<Revised>>,
    /// The version of a referral that has to stay as it was read.
    pub unchanged: Option<u64>,
    pub guard: Option<RecipientGuard>,
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
    /// The answer to a request that a client has named.
    pub remembered: Option<RememberedAnswer>,
    pub at: Timestamp,
}

/// What came of a [`MessageWrite`]. Everything but `Written` wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageWriteOutcome {
    Written,
    KeyUsed(UsedKey),
    /// A row moved since it was read. Read again.
    Stale,
}

/// The messages of referrals. Reads are strongly consistent.
pub trait MessageBook: Send + Sync {
    fn find_message(
        &self,
        scope: &OrgScope,
        id: &MessageId,
    ) -> impl Future<Output = Result<Option<Message>, StoreError>> + Send;

    /// The messages about the referral, in no order.
    fn messages_of(
        &self,
        scope: &OrgScope,
        referral: &ReferralId,
    ) -> impl Future<Output = Result<Vec<Message>, StoreError>> + Send;

    fn write_messages(
        &self,
        scope: &OrgScope,
        referral: &ReferralId,
        write: &MessageWrite,
    ) -> impl Future<Output = Result<MessageWriteOutcome, StoreError>> + Send;
}

/// Addresses and numbers that nothing is sent to, whoever has them.
pub trait SuppressionList: Send + Sync {
    /// Strongly consistent.
    fn is_suppressed(
        &self,
        scope: &OrgScope,
        key: &ContactKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Doing it again changes nothing.
    fn suppress(
        &self,
        scope: &OrgScope,
        key: &ContactKey,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Mail and SMS. Nothing is repeated here: whether a message left decides what may be done next.
pub trait Carrier: Send + Sync {
    fn send(&self, letter: &Letter) -> impl Future<Output = Sending> + Send;

    /// Whether the number has told its carrier to stop.
    fn is_opted_out(&self, number: &Phone) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
