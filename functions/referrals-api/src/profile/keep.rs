//! `PUT /api/reputation/profile`: the whole profile, made when it is not there yet.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{organization::Slug, profile::ProfileContent},
    http::{Authenticated, Code, FieldError, Fields, Problem},
    system::SystemClock,
    usecase::keep_profile::{KeptProfile, keep_profile as keep},
};
use utoipa::ToSchema;
use validator::Validate;

use super::find::answer;
use crate::{app::App, incoming::Incoming, openapi::IfMatch, view::ProfileView};

/// Fields of a profile that nobody sets.
const READ_ONLY: [&str; 4] = ["organizationId", "agentUserId", "updatedAt", "version"];

#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"slug": "jane-doe-realty", "displayName": "Jane Doe", "brokerage": "Doe Realty Group", "published": true}))]
struct ProfileForm {
    /// The name in the profile's address. An old one goes on leading here and stays the agent's; ten may be held.
    #[validate(required)]
    #[schema(required = true, nullable = false, value_type = Slug)]
    slug: Option<String>,
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Jane Doe")]
    display_name: Option<String>,
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Doe Realty Group")]
    brokerage: Option<String>,
    /// Withdrawing closes the public form within 30 seconds.
    #[validate(required)]
    #[schema(required = true, nullable = false)]
    published: Option<bool>,
}

/// Writes the caller's own profile. Every field is required.
#[utoipa::path(
    put,
    path = "/api/reputation/profile",
    tag = "profile",
    params(IfMatch),
    request_body = ProfileForm,
    responses((status = 200, body = ProfileView, headers(("etag" = String))))
)]
pub async fn keep_profile(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let content = read(incoming.json()?)?;
    match keep(&app.ledger, &SystemClock, &caller, &content, &incoming.expected()).await? {
        KeptProfile::Done(profile) => Ok(answer(*profile).into_response()),
        KeptProfile::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
        KeptProfile::SlugTaken => Err(Problem::new(Code::SlugTaken)),
        KeptProfile::TooManySlugs => {
            Err(Problem::fields(Code::InvalidFields, vec![FieldError::new("/slug", "too_many_slugs")]))
        }
    }
}

fn read(mut fields: Fields) -> Result<ProfileContent, Problem> {
    let form = ProfileForm {
        slug: fields.code("slug"),
        display_name: fields.text("displayName"),
        brokerage: fields.text("brokerage"),
        published: fields.patched_flag("published"),
    };
    fields.absorb(form.validate());
    fields.refuse_read_only(&READ_ONLY);
    fields.refuse_unknown();
    let slug = form.slug.as_deref().map(Slug::parse);
    if matches!(slug, Some(Err(_))) {
        fields.reject("slug", "invalid_slug");
    }
    let display_name = fields.name("displayName", form.display_name.as_deref());
    let brokerage = fields.name("brokerage", form.brokerage.as_deref());
    fields.finish()?;
    let (Some(Ok(slug)), Some(display_name), Some(brokerage), Some(published)) =
        (slug, display_name, brokerage, form.published)
    else {
        // Required above; finish() has answered already.
        return Err(Problem::new(Code::InvalidFields));
    };
    Ok(ProfileContent { slug, display_name, brokerage, published })
}
