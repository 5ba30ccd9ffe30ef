//! People: reading and searching.

use std::future::Future;

use super::{Page, Position, StoreError};
use crate::domain::{
    contact::ContactKey,
    filter::NameQuery,
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
