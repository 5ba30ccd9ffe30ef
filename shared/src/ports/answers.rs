//! Answers to requests that clients have named, so that sending one twice does it once.

use std::{fmt, future::Future};

use super::StoreError;
use crate::domain::{
    id::ReferralId,
    idempotency::{IdempotentRequest, REMEMBERED_SECONDS},
    referral::Referral,
    scope::OrgScope,
    time::Timestamp,
};

/// What a request with an idempotency key was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedAnswer {
    pub request: IdempotentRequest,
    /// What makes the same answer again: for a capture its receipt.
    pub answer: String,
    /// The referral that the answer shows, so that it can be found when one of its people is erased.
    pub about: Option<ReferralId>,
    pub expires_at: Timestamp,
}

/// An idempotency key that has been used, with another body or the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// Digest of the body that it was used with.
    pub body: String,
    /// None where it showed somebody who was erased since.
    pub answer: Option<String>,
}

/// What came of remembering the answer to a request that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RememberOutcome {
    Remembered,
    /// The key has been used: so it was answered.
    KeyUsed(UsedKey),
    /// The referral moved since it was read. Read again.
    Stale,
}

/// A request that the client has named, and how its answer is written down once it is known what came of it: a referral, if
/// nothing else is said.
pub struct Named<'a, T = Referral> {
    pub request: &'a IdempotentRequest,
    pub write_down: &'a (dyn Fn(&T) -> String + Send + Sync),
}

impl<T> fmt::Debug for Named<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("request", self.request).finish_non_exhaustive()
    }
}

impl<T> Named<'_, T> {
    #[must_use]
    pub fn answer(&self, outcome: &T, about: Option<&ReferralId>, at: Timestamp) -> RememberedAnswer {
        RememberedAnswer {
            request: self.request.clone(),
            answer: (self.write_down)(outcome),
            about: about.cloned(),
            expires_at: at.plus_seconds(REMEMBERED_SECONDS),
        }
    }
}

/// The answers that are remembered. A write remembers its own in its transaction; this is for asking, and for requests
/// that write nothing else.
pub trait AnswerBook: Send + Sync {
    fn find_answer(
        &self,
        scope: &OrgScope,
        request: &IdempotentRequest,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<UsedKey>, StoreError>> + Send;

    /// Holds only while the referral is in the version that was read, so that no answer shows what was erased meanwhile.
    fn remember_answer(
        &self,
        scope: &OrgScope,
        answer: &RememberedAnswer,
        read: &Referral,
        at: Timestamp,
    ) -> impl Future<Output = Result<RememberOutcome, StoreError>> + Send;
}
