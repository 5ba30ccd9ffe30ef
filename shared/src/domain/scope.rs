//! The organization that an operation may touch. Every repository call takes one, and every key starts with it.

use super::{id::OrgId, organization::PublishedProfile, profile::SlugRecord};

/// Proof that an organization was not taken from client input. Few sources can make one: verified claims, the
/// record of a published slug, an authenticated unsubscribe link, what the clock goes through, and an event from the bus (to
/// which only the account's own roles may put). The `tidy` test keeps each constructor to its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgScope(OrgId);

impl OrgScope {
    /// For claims that the gateway's authorizer has verified.
    #[must_use]
    pub fn from_verified_claims(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For the organization that the record of a slug names.
    #[must_use]
    pub fn from_slug_record(record: &SlugRecord) -> Self {
        Self(record.organization_id.clone())
    }

    /// For the organization of a profile that takes referrals.
    #[must_use]
    pub fn from_published_profile(profile: &PublishedProfile) -> Self {
        Self(profile.organization_id.clone())
    }

    /// For an event that came over our own bus.
    #[must_use]
    pub fn from_bus_event(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For the organization that the login directory names for whoever signs in.
    #[must_use]
    pub fn from_login_directory(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For the organization in an unsubscribe link whose authenticity has been checked.
    #[must_use]
    pub fn from_unsubscribe_link(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For the organization that a row names which we wrote ourselves and which waits for the clock.
    #[must_use]
    pub fn from_due_row(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For an organization in the list of all, which the clock goes through.
    #[must_use]
    pub fn from_organization_list(organization: OrgId) -> Self {
        Self(organization)
    }

    /// For the operator's command, which runs with the operator's own credentials.
    #[must_use]
    pub fn from_operator(organization: OrgId) -> Self {
        Self(organization)
    }

    #[must_use]
    pub fn organization(&self) -> &OrgId {
        &self.0
    }
}
