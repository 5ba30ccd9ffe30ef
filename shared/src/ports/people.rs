//! People: reading and searching.

use std::future::Future;

use super::{Page, Position, StoreError};
use crate::domain::{
    contact::ContactKey,
    id::{PersonId, ReferralId},
    person::Person,
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

    /// At most `limit` people, newest first, after `after`.
    fn list_people(
        &self,
        scope: &OrgScope,
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
