//! The OpenAPI document of the public form.

use referrals::{
    domain::organization::Slug,
    http::{ProblemBody, openapi::complete},
};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Winnerr Referrals: the public form",
        version = "1",
        description = "What the referral form on an agent's profile and the widget on their site post to. Errors are RFC 9457 \
                       problems with a stable `code`; the gateway in front answers some requests itself, as `{\"message\": …}`."
    ),
    servers((url = "/")),
    security(()),
    tags((name = "public", description = "Open to everybody, rate-limited by network and by slug.")),
    components(schemas(ProblemBody, Slug)),
    paths(crate::capture::handle)
)]
struct Document;

#[test]
fn the_committed_document_is_what_the_code_says() {
    let document = complete(Document::openapi());
    referrals_testing::assert_committed("infra/openapi/public-api.json", &document.to_pretty_json().unwrap());
}
