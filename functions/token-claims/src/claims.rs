//! Cognito's pre-token-generation trigger, version `V2_0`.

use std::collections::HashMap;

use aws_lambda_events::cognito::{
    ClaimsAndScopeOverrideDetailsV2, CognitoAccessTokenGenerationV2, CognitoEventUserPoolsPreTokenGenV2,
    CognitoIdTokenGenerationV2,
};
use referrals::{
    http::ClaimNames,
    ports::StoreError,
    store::Directory,
    usecase::issue_claims::{Claims, issue_claims},
};

/// # Errors
/// When the directory does not answer: the sign-in fails, rather than end in a token that opens nothing.
pub async fn handle(
    directory: &Directory,
    names: &ClaimNames,
    mut event: CognitoEventUserPoolsPreTokenGenV2,
) -> Result<CognitoEventUserPoolsPreTokenGenV2, StoreError> {
    let subject = event.request.user_attributes.get("sub").cloned().unwrap_or_default();
    let mut access = CognitoAccessTokenGenerationV2::default();
    match issue_claims(directory, &subject).await? {
        Claims::Granted { organization, user, role } => {
            tracing::info!(organization.id = %organization, user.id = %user, "claims granted");
            access.claims_to_add_or_override = HashMap::from([
                (names.organization.clone(), organization.as_str().into()),
                (names.user.clone(), user.as_str().into()),
                (names.role.clone(), role.as_str().into()),
            ]);
        }
        Claims::Withheld(reason) => {
            tracing::warn!(claims.reason = reason, "claims withheld");
            // Whatever else might put claims of these names into the token.
            access.claims_to_suppress = vec![names.organization.clone(), names.user.clone(), names.role.clone()];
        }
    }
    let mut details = ClaimsAndScopeOverrideDetailsV2::default();
    // The id token and the groups stay as they are: what is left out here, Cognito would take away.
    details.id_token_generation = Some(CognitoIdTokenGenerationV2::default());
    details.group_override_details = event.request.group_configuration.clone();
    details.access_token_generation = Some(access);
    event.response.claims_and_scope_override_details = Some(details);
    Ok(event)
}

#[cfg(test)]
mod tests;
