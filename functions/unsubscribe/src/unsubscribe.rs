//! `/u/{token}`: GET shows what would end, POST ends it. The token is all the proof there is and all that is needed: mail
//! programs post without cookies (RFC 8058), and people open links in browsers that know nothing of them.
//!
//! A GET changes and reads nothing, because virus scanners and previews follow links too.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request},
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{audit::Actor, consent::ConsentMethod, text::Reason},
    http::{MAX_BODY_BYTES, RequestId, UnsubscribeKey, UnsubscribeLink},
    ports::StoreError,
    store::Ledger,
    system::SystemClock,
    usecase::revoke_consent::{Revocation, revoke_consent},
};

use crate::page::Page;

const PREFIX: &str = "/u/";

/// What lives as long as the process.
#[derive(Debug)]
pub struct App {
    pub ledger: Ledger,
    pub key: UnsubscribeKey,
}

pub async fn handle(app: &App, request: Request<Body>) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = page(app, request).await.into_response();
    if is_head {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn page(app: &App, request: Request<Body>) -> Page {
    let (parts, body) = request.into_parts();
    let is_post = parts.method == Method::POST;
    if !is_post && ![Method::GET, Method::HEAD].contains(&parts.method) {
        return Page::MethodNotAllowed;
    }
    // `List-Unsubscribe=One-Click`, or the empty form of the page: neither says more than the path.
    if to_bytes(body, MAX_BODY_BYTES).await.is_err() {
        return Page::TooLarge;
    }
    let token = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let Ok(link) = app.key.open(token) else { return Page::NotFound };
    if !is_post {
        return Page::Ask(link.channel);
    }
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
    match unsubscribe(app, &link, request_id).await {
        Ok(()) => Page::Done(link.channel),
        Err(error) => {
            tracing::error!(error.message = %error, error.retryable = error.is_retryable(), "the store failed");
            if error.is_retryable() { Page::Busy } else { Page::Failed }
        }
    }
}

/// Who has unsubscribed before, or is not there any more, gets no more messages either.
async fn unsubscribe(app: &App, link: &UnsubscribeLink, request_id: &str) -> Result<(), StoreError> {
    let revocation = Revocation {
        channel: link.channel,
        address: None,
        method: ConsentMethod::OneClick,
        actor: Actor::Public,
        evidence: Reason::parse(request_id).ok().flatten(),
        request_id,
    };
    let outcome = revoke_consent(&app.ledger, &SystemClock, &link.scope, &link.person, &revocation).await?;
    tracing::info!(organization.id = %link.scope.organization(), event.outcome = ?outcome, "unsubscribed");
    Ok(())
}

#[cfg(test)]
mod tests;
