//! Who signs in: the organization, user and role that go into an access token.

use crate::{
    domain::{
        id::{OrgId, UserId},
        organization::{AccountStatus, Role},
        scope::OrgScope,
    },
    ports::{LoginDirectory, MemberDirectory, StoreError},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claims {
    Granted {
        organization: OrgId,
        user: UserId,
        role: Role,
    },
    /// No claims: the token opens nothing. The reason is a code for the log.
    Withheld(&'static str),
}

/// # Errors
/// When the store does not answer; the sign-in fails then.
pub async fn issue_claims(
    store: &(impl LoginDirectory + MemberDirectory),
    subject: &str,
) -> Result<Claims, StoreError> {
    let Some((organization, user)) = store.find_login(subject).await? else {
        return Ok(Claims::Withheld("unknown_login"));
    };
    let scope = OrgScope::from_login_directory(organization.clone());
    let Some(member) = store.find_member(&scope, &user).await? else {
        return Ok(Claims::Withheld("unknown_member"));
    };
    if member.status != AccountStatus::Active {
        return Ok(Claims::Withheld("suspended_member"));
    }
    let organization_is_active =
        store.find_organization(&scope).await?.is_some_and(|organization| organization.status == AccountStatus::Active);
    if !organization_is_active {
        return Ok(Claims::Withheld("suspended_organization"));
    }
    Ok(Claims::Granted { organization, user, role: member.role })
}
