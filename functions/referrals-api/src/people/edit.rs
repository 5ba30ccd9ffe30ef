//! `PATCH /api/people/{id}`: a JSON merge patch (RFC 7396). A field that is absent stays, null clears it.

use axum::{Extension, extract::State, response::Response};
use referrals::{
    domain::{
        email::Email,
        id::{PersonId, UserId},
        organization::Organization,
        person_change::{PersonChange, PersonEdit},
        phone::{Phone, Region},
    },
    http::{Authenticated, Fields, Problem},
};
use utoipa::ToSchema;

use super::change::change;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IfMatch, PersonPath},
    path_id::PathId,
    view::PersonView,
};

/// Fields of a person that other operations set, or nobody.
const READ_ONLY: [&str; 12] = [
    "id",
    "organizationId",
    "leadSource",
    "relationshipStage",
    "pipelineStage",
    "totalReferrals",
    "emailMarketingConsent",
    "smsMarketingConsent",
    "erasedAt",
    "createdAt",
    "updatedAt",
    "version",
];

#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Robin Park", "doNotContact": false}))]
#[expect(dead_code, reason = "describes the body")]
struct PersonPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Consent by e-mail was given for the address and ends with it.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Without `+` it is read in the organization's region. Consent by SMS was given for the number and ends with it.
    #[schema(max_length = 32)]
    phone: Option<String>,
    /// An active member. A plain member gives people to nobody but themselves.
    owner_user_id: Option<UserId>,
    #[schema(nullable = false)]
    do_not_contact: Option<bool>,
}

/// Corrects a person, or hands them over. A plain member changes people who are their own or nobody's.
#[utoipa::path(
    patch,
    path = "/api/people/{id}",
    tag = "people",
    params(PersonPath, IfMatch),
    request_body(content(
        (PersonPatch = "application/merge-patch+json"),
        (PersonPatch = "application/json")
    )),
    responses((status = 200, body = PersonView, headers(("etag" = String))))
)]
pub async fn edit_person(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(organization): Extension<Organization>,
    id: PathId<PersonId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let edit = read(incoming.merge_patch()?, &organization.default_region)?;
    change(&app, &caller, id, &incoming, &PersonChange::Edit(edit)).await
}

fn read(mut fields: Fields, region: &Region) -> Result<PersonEdit, Problem> {
    let name = fields.required_text("name").value();
    let name = fields.name("name", name.as_deref());
    let email = fields.patched_text("email");
    let email = fields.parsed("email", email, "invalid_email", |text| Email::parse(text).ok());
    let phone = fields.patched_text("phone");
    let phone = fields.parsed("phone", phone, "invalid_phone", |text| Phone::parse(text, region).ok());
    let owner = fields.patched_code("ownerUserId");
    let owner_user_id = fields.parsed("ownerUserId", owner, "unknown_id", |text| UserId::parse(text).ok());
    let do_not_contact = fields.patched_flag("doNotContact");
    fields.refuse_read_only(&READ_ONLY);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(PersonEdit { name, email, phone, owner_user_id, do_not_contact })
}
