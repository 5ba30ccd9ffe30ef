//! Who somebody is.

use std::future::Future;

use super::StoreError;
use crate::domain::{
    id::{OrgId, UserId},
    organization::{AccountStatus, Member, Organization, PublishedProfile, Slug},
    profile::AgentProfile,
    scope::OrgScope,
};

/// The directory of published slugs.
pub trait ProfileDirectory: Send + Sync {
    /// None unless the slug's profile may receive referrals now. An answer may be up to 30 seconds old.
    fn find_open_profile(
        &self,
        slug: &Slug,
    ) -> impl Future<Output = Result<Option<PublishedProfile>, StoreError>> + Send;
}

/// The directory of logins: which member signs in as which subject of the identity provider.
pub trait LoginDirectory: Send + Sync {
    fn find_login(&self, subject: &str) -> impl Future<Output = Result<Option<(OrgId, UserId)>, StoreError>> + Send;
}

pub trait MemberDirectory: Send + Sync {
    fn find_member(
        &self,
        scope: &OrgScope,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send;

    fn find_organization(
        &self,
        scope: &OrgScope,
    ) -> impl Future<Output = Result<Option<Organization>, StoreError>> + Send;
}

/// A page of the organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organizations {
    pub scopes: Vec<OrgScope>,
    /// Rows that cannot be read. Each is in the log.
    pub unreadable: usize,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// All organizations, for what the clock does in each of them.
pub trait OrganizationList: Send + Sync {
    /// Suspended ones too.
    fn list_organizations(&self, after: Option<&str>)
    -> impl Future<Output = Result<Organizations, StoreError>> + Send;
}

/// All members of an organization.
pub trait MemberList: Send + Sync {
    /// Those who have left too, in no order.
    fn list_members(&self, scope: &OrgScope) -> impl Future<Output = Result<Vec<Member>, StoreError>> + Send;
}

/// A member with their organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub organization: Organization,
    pub member: Member,
}

impl Account {
    /// Whether its member may use the API.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.organization.status == AccountStatus::Active && self.member.status == AccountStatus::Active
    }
}

/// The accounts of those who call the API.
pub trait AccountDirectory: Send + Sync {
    /// None when the organization or the member is unknown. An answer may be up to 30 seconds old.
    fn find_account(
        &self,
        scope: &OrgScope,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;
}

/// What came of writing a profile. Everything but `Written` wrote nothing. When both others hold, the first is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileWriteOutcome {
    Written,
    /// The row moved, or came to be, since it was read. Read again.
    Stale,
    /// The slug belongs to another agent.
    SlugTaken,
}

/// The profiles of members, as their owners see them.
pub trait ProfileBook: Send + Sync {
    fn find_profile(
        &self,
        scope: &OrgScope,
        agent: &UserId,
    ) -> impl Future<Output = Result<Option<AgentProfile>, StoreError>> + Send;

    /// The profile with its present slug, in one transaction, which holds only while the stored version is one less; a
    /// first version only while there is none.
    fn write_profile(
        &self,
        scope: &OrgScope,
        profile: &AgentProfile,
    ) -> impl Future<Output = Result<ProfileWriteOutcome, StoreError>> + Send;
}
