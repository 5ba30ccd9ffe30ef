//! What of the OpenAPI document belongs to no single operation. The committed document is written by the test below.

use referrals::{
    domain::{
        attribution::Grouping,
        id::{ImportId, PersonId, ReferralId},
        reward_lane::RewardLane,
    },
    http::ProblemBody,
};
use utoipa::{
    IntoParams, Modify, OpenApi, ToSchema,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::attribution::report::ReportFormat;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Winnerr Referrals: the agent's API",
        version = "1",
        description = "What an agent's tools call. Errors are RFC 9457 problems with a stable `code`. The gateway in front \
                       answers some requests itself, as `{\"message\": …}`: 401 without a valid token, 413 above 10 MB, 429 \
                       when it throttles. Ids of another organization are answered like ids that nobody has."
    ),
    servers((url = "/")),
    security(("bearer" = [])),
    tags(
        (name = "referrals", description = "The ledger: who referred whom, and what became of it."),
        (name = "rewards", description = "What advocates are owed for referrals that converted."),
        (name = "attribution", description = "What advocates brought."),
        (name = "imports", description = "Files of referrals from other systems. For owners and admins."),
        (name = "people", description = "The address book: advocates and leads."),
        (name = "profile", description = "The caller's own public profile.")
    ),
    components(schemas(ProblemBody, Grouping, ReportFormat, RewardLane)),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token whose claims name one organization, the member and the role."))
            .build();
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(scheme).into());
    }
}

/// The document to which the router adds its operations.
pub fn document() -> openapi::OpenApi {
    Document::openapi()
}

/// An empty object.
#[derive(Debug, ToSchema)]
#[schema(example = json!({}))]
pub struct EmptyForm {}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct ReferralPath {
    #[param(value_type = ReferralId)]
    id: ReferralId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct ImportPath {
    id: ImportId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct PersonPath {
    id: PersonId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IdempotencyKey {
    /// The client's own name for this request. Sent again within 24 hours, it is answered again and not done again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$")]
    idempotency_key: Option<String>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IfMatch {
    /// Entity tags of which the resource has to be in one, or `*`.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::app::operations;

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let document = referrals::http::openapi::complete(operations().into_openapi());
        referrals_testing::assert_committed("infra/openapi/agent-api.json", &document.to_pretty_json().unwrap());
    }
}
