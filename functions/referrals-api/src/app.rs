//! The routes. An operation is one file and one line here.

use std::sync::Arc;

use axum::{Router, middleware};
use referrals::{
    http::{ClaimNames, Code, CursorKey, Problem},
    store::{AccountCache, Directory, Ledger},
    system::SystemClock,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{account, attribution, imports, openapi, people, profile, referrals as ledger, rewards};

/// What lives as long as the process.
#[derive(Debug, Clone)]
pub struct App {
    pub accounts: Arc<AccountCache<Directory, SystemClock>>,
    pub ledger: Ledger,
    pub cursor_key: CursorKey,
    pub claims: ClaimNames,
}

/// The operations with their description.
pub fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(ledger::list::list_referrals, ledger::log::log_referral))
        .routes(routes!(ledger::export::export_referrals))
        .routes(routes!(ledger::find::find_referral, ledger::edit::edit_referral, ledger::delete::delete_referral))
        .routes(routes!(ledger::contact::contact_referral))
        .routes(routes!(ledger::qualify::qualify_referral))
        .routes(routes!(ledger::reopen::reopen_referral))
        .routes(routes!(ledger::lose::lose_referral))
        .routes(routes!(ledger::convert::convert_referral))
        .routes(routes!(ledger::history::find_history))
        .routes(routes!(rewards::mark_sent::mark_reward_sent))
        .routes(routes!(rewards::release::release_reward))
        .routes(routes!(rewards::cancel::cancel_reward))
        .routes(routes!(rewards::resend_thanks::resend_thanks))
        .routes(routes!(rewards::list::list_rewards))
        .routes(routes!(rewards::policy::find_policy, rewards::policy::keep_policy))
        .routes(routes!(attribution::report::report_attribution))
        .routes(routes!(imports::start::start_import))
        .routes(routes!(imports::find::find_import))
        .routes(routes!(imports::list_rows::list_import_rows))
        .routes(routes!(people::list::list_people))
        .routes(routes!(people::find::find_person, people::edit::edit_person))
        .routes(routes!(people::consent::record_consent))
        .routes(routes!(profile::find::find_profile, profile::keep::keep_profile))
}

pub fn router(app: App) -> Router {
    let (router, _) = operations().split_for_parts();
    let router = router
        .fallback(async || Problem::new(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .with_state(app.clone());
    // Around the whole router, not its routes: nothing is answered to somebody unknown, and no `Allow` tells them which
    // routes there are.
    Router::new().fallback_service(router).layer(middleware::from_fn_with_state(app, account::admit))
}

#[cfg(test)]
mod isolation;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
