//! Who calls, from the claims that the gateway's authorizer has verified, and from nothing else.

use std::{collections::HashMap, hash::BuildHasher};

use axum::{
    extract::FromRequestParts,
    http::{Extensions, request::Parts},
};
use lambda_http::request::RequestContext;

use super::problem::{Code, Problem};
use crate::{
    domain::{
        access::Caller,
        id::{OrgId, UserId},
        organization::Role,
        scope::OrgScope,
    },
    settings::{self, SettingError},
};

/// The names under which an issuer puts organization, user and role into its access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    pub organization: String,
    pub user: String,
    pub role: String,
}

impl ClaimNames {
    /// # Errors
    /// When a name is missing.
    pub fn from_environment() -> Result<Self, SettingError> {
        Ok(Self {
            organization: settings::required("ORGANIZATION_CLAIM")?,
            user: settings::required("USER_CLAIM")?,
            role: settings::required("ROLE_CLAIM")?,
        })
    }
}

/// The caller whom the router has let in, or 401.
#[derive(Debug, Clone)]
pub struct Authenticated(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only the router's own layer puts a caller there.
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or(Problem::new(Code::Unauthenticated))
    }
}

/// Who calls, by the word of the gateway's authorizer.
///
/// # Errors
/// 401 without that word: closed, not open. Else as [`authenticate`].
pub fn caller_of(extensions: &Extensions, names: &ClaimNames) -> Result<Caller, Problem> {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.get::<RequestContext>() else {
        return Err(Problem::new(Code::Unauthenticated));
    };
    let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    authenticate(&jwt.ok_or(Problem::new(Code::Unauthenticated))?.claims, names)
}

/// Reads the claims strictly. The gateway writes every claim as text, a list as `[a b]`: no list is an id or a role.
///
/// # Errors
/// 401 for a token that is not an access token, 403 for one without exactly one organization, user and role.
pub fn authenticate<S: BuildHasher>(
    claims: &HashMap<String, String, S>,
    names: &ClaimNames,
) -> Result<Caller, Problem> {
    if claims.get("token_use").is_some_and(|token_use| token_use != "access") {
        return Err(Problem::new(Code::Unauthenticated));
    }
    let claim = |name: &String| claims.get(name).map(String::as_str).unwrap_or_default();
    let forbidden = || Problem::new(Code::Forbidden);
    let organization = OrgId::parse(claim(&names.organization)).map_err(|_| forbidden())?;
    let user = UserId::parse(claim(&names.user)).map_err(|_| forbidden())?;
    let role = Role::find(claim(&names.role)).ok_or_else(forbidden)?;
    Ok(Caller { scope: OrgScope::from_verified_claims(organization), user, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(claims: &[(&str, &str)]) -> Result<Caller, Code> {
        let names = ClaimNames { organization: "organization_id".into(), user: "user_id".into(), role: "role".into() };
        let claims: HashMap<_, _> =
            claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        authenticate(&claims, &names).map_err(|problem| problem.code)
    }

    #[test]
    fn a_complete_access_token_is_a_caller() {
        let claims = [("token_use", "access"), ("organization_id", "org_1"), ("user_id", "user_1"), ("role", "ADMIN")];
        let caller = check(&claims).unwrap();
        assert_eq!((caller.scope.organization().as_str(), caller.user.as_str()), ("org_1", "user_1"));
        // Other issuers do not say what a token is for.
        assert!(check(&claims[1..]).is_ok());
    }

    #[test]
    fn anything_less_is_not() {
        let rows: [(&[(&str, &str)], Code); 7] = [
            (&[], Code::Forbidden),
            (
                &[("token_use", "id"), ("organization_id", "org_1"), ("user_id", "user_1"), ("role", "OWNER")],
                Code::Unauthenticated,
            ),
            (&[("user_id", "user_1"), ("role", "OWNER")], Code::Forbidden),
            (&[("organization_id", "[org_1 org_2]"), ("user_id", "user_1"), ("role", "OWNER")], Code::Forbidden),
            (&[("organization_id", "org_1"), ("user_id", "user_1"), ("role", "[OWNER]")], Code::Forbidden),
            (&[("organization_id", "org_1"), ("user_id", "user_1"), ("role", "owner")], Code::Forbidden),
            (&[("organization_id", "org_1#PERSON"), ("user_id", "user_1"), ("role", "OWNER")], Code::Forbidden),
        ];
        for (claims, code) in rows {
            assert_eq!(check(claims).unwrap_err(), code, "{claims:?}");
        }
    }
}
