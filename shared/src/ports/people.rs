//! People: reading, searching and changing.

use std::future::Future;

use super::{Page, Position, StoreError};
use crate::domain::{
    consent::ConsentEntry,
    contact::ContactKey,
    filter::NameQuery,
    id::{PersonId, ReferralId},
    person::Person,
    person_change::ChangedPerson,
    scope::OrgScope,
};

/// Reading people.
pub trait PersonReader: Send + Sync {
    fn find_person(
        &self,
        scope: &OrgScope,
        id: &PersonId,
    ) -> impl Future<Output = Result<Option<Person>, StoreError>> + Send;

    /// Those of the people who are there, in no order. The ids have to differ from each other.
    fn find_people(
        &self,
        scope: &OrgScope,
        ids: &[PersonId],
    ) -> impl Future<Output = Result<Vec<Person>, StoreError>> + Send;

    /// At most `limit` people, newest first, after `after`. A name that few have may give fewer, none even, and still a
    /// place to go on from: the work for one page is bounded.
    fn list_people(
        &self,
        scope: &OrgScope,
        name: &NameQuery,
        after: Option<&Position>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Person>, StoreError>> + Send;

    /// The person who holds the key.
    fn find_key_holder(
        &self,
        scope: &OrgScope,
        key: &ContactKey,
    ) -> impl Future<Output = Result<Option<PersonId>, StoreError>> + Send;

    /// The referrals through which a person came, oldest first.
    fn referrals_of_lead(
        &self,
        scope: &OrgScope,
        lead: &PersonId,
    ) -> impl Future<Output = Result<Vec<ReferralId>, StoreError>> + Send;
}

/// What came of changing a person. Everything but `Written` wrote nothing. When several reasons hold, the first in this
/// order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonRevisionOutcome {
    Written,
    /// The row moved since it was read. Read again.
    Stale,
    /// An address or a number belongs to somebody else.
    ContactTaken,
    /// The new owner is no active member of the organization.
    OwnerMissing,
}

/// Changing people who are there.
pub trait PersonEditor: Send + Sync {
    /// The row, the keys, the consent entries and the check of a new owner in one transaction, which holds only while
    /// the stored version is one less than the person's. A released key goes only where this person holds it.
    fn revise_person(
        &self,
        scope: &OrgScope,
        changed: &ChangedPerson,
    ) -> impl Future<Output = Result<PersonRevisionOutcome, StoreError>> + Send;

    /// Takes a consent down, with the entry that says why, whatever else moves on the row meanwhile. False where it is not
    /// on, or is for another address by now than `person` has.
    fn take_consent_down(
        &self,
        scope: &OrgScope,
        person: &Person,
        entry: &ConsentEntry,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
