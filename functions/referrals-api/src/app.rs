//! The routes. An operation is one file and one line here.

use axum::{Router, extract::FromRef, middleware, routing::get};
use referrals::{
    http::{Authenticated, ClaimNames, Code, CursorKey, Problem},
    store::{Directory, Ledger},
};

use crate::{find_person, find_referral, list_people, list_referrals, log_referral};

/// What lives as long as the process.
#[derive(Debug, Clone, FromRef)]
pub struct App {
    pub directory: Directory,
    pub ledger: Ledger,
    pub cursor_key: CursorKey,
    pub claims: ClaimNames,
}

pub fn router(app: App) -> Router {
    Router::new()
        .route("/api/reputation/referrals", get(list_referrals::list_referrals).post(log_referral::log_referral))
        .route("/api/reputation/referrals/{id}", get(find_referral::find_referral))
        .route("/api/people", get(list_people::list_people))
        .route("/api/people/{id}", get(find_person::find_person))
        .fallback(async || Problem::new(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        // Around everything, the fallbacks included: nothing is answered to somebody unknown.
        .layer(middleware::from_extractor_with_state::<Authenticated, App>(app.clone()))
        .with_state(app)
}

#[cfg(test)]
mod tests;
