//! `/r/{agentSlug}`: the referral form as a page of its own, that works without scripts. GET shows it; POST takes what a
//! browser sends of it, by the same rules and behind the same limits as the API, and answers with a page.
//!
//! Whose form it is stands on every page with a form, so the slug is looked up before the limits count: there is nothing to
//! learn here that GET does not tell.

mod page;
mod typed;

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header, request::Parts},
    response::Response,
};
use referrals::{
    domain::{id::ReceiptId, organization::Slug},
    http::{Code, Problem, RequestId, SourceIp, require_form},
    ports::ProfileDirectory as _,
    usecase::capture_referral::Arrival,
};

use self::typed::{MAX_ENCODED_BYTES, Typed};
use crate::{etag, form, submit::App, wording::Language};

const ROOT: &str = "/r";
const PREFIX: &str = "/r/";

pub fn is_at(path: &str) -> bool {
    path == ROOT || path.starts_with(PREFIX)
}

pub async fn handle(app: &App, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let language = language(&parts);
    let answered = answer(app, &parts, body, language).await;
    let mut response = answered.unwrap_or_else(|problem| page::message(language, &problem));
    // Only the form as it is first seen has one.
    let etag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
    if etag.is_some_and(|etag| etag::is_known(&parts.headers, etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answer(app: &App, parts: &Parts, body: Body, language: Language) -> Result<Response, Problem> {
    let is_look = [Method::GET, Method::HEAD].contains(&parts.method);
    if !is_look && parts.method != Method::POST {
        return Err(Problem::new(Code::MethodNotAllowed).with_header(header::ALLOW, "GET, HEAD, POST"));
    }
    // Byte for byte from the path, as the API takes it.
    let slug = Slug::parse(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default()).map_err(|_| Code::NotFound);
    if is_look {
        let profile = app.profiles.find_open_profile(&slug?).await?.ok_or(Code::NotFound)?;
        return Ok(page::empty_form(language, &profile));
    }
    require_form(&parts.headers)?;
    let body = to_bytes(body, MAX_ENCODED_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
    let typed = Typed::read(&body)?;
    let slug = slug?;
    let profile = match app.profiles.find_open_profile(&slug).await {
        Ok(profile) => profile.ok_or(Code::NotFound)?,
        // Without a name in its heading, but with everything that was typed.
        Err(error) => return Ok(page::refused_form(language, None, &typed, &Problem::from(error))),
    };
    match submit(app, parts, &slug, &typed).await {
        Ok(receipt) => Ok(page::done(language, &receipt)),
        // The profile was withdrawn a moment ago.
        Err(problem) if problem.code == Code::NotFound => Err(problem),
        Err(problem) => Ok(page::refused_form(language, Some(&profile), &typed, &problem)),
    }
}

async fn submit(app: &App, parts: &Parts, slug: &Slug, typed: &Typed) -> Result<ReceiptId, Problem> {
    let fields = typed.fields()?;
    app.admit(parts.extensions.get::<SourceIp>()).await?;
    let submission = form::read(fields, &app.settings.region)?;
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
    // A page that is sent twice says the same of the same two people, which is one referral without a name for it.
    app.submit(Some(slug), &submission, Arrival { request_id, named: None }).await
}

/// `?lang=` before what the browser prefers.
fn language(parts: &Parts) -> Language {
    let query = parts.uri.query().unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang");
    let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(asked.as_ref().map(|(_, tag)| tag.as_ref()), accepted)
}

#[cfg(test)]
mod tests;
