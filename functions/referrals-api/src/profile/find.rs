//! `GET /api/reputation/profile`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::profile::AgentProfile,
    http::{Authenticated, Code, Problem, ProblemBody},
    usecase,
};

use crate::{app::App, once::Answer, view::ProfileView};

/// The caller's own profile.
#[utoipa::path(
    get,
    path = "/api/reputation/profile",
    tag = "profile",
    responses(
        (status = 200, body = ProfileView, headers(("etag" = String))),
        (status = 404, description = "It was never written.", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub async fn find_profile(State(app): State<App>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let found = usecase::find_profile::find_profile(&app.ledger, &caller).await?;
    Ok(answer(found.ok_or(Code::NotFound)?).into_response())
}

pub fn answer(profile: AgentProfile) -> Answer {
    let version = profile.version;
    Answer::resource(StatusCode::OK, &ProfileView::from(profile), version)
}
