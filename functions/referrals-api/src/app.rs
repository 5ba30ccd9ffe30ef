//! The routes. An operation is one file and one line here.

use std::sync::Arc;

use axum::{Router, middleware, routing::MethodRouter};
use referrals::{
    http::{ClaimNames, Code, CursorKey, Problem},
    store::{AccountCache, Directory, Ledger},
    system::SystemClock,
};

use crate::{account, attribution, imports, people, profile, referrals as ledger, rewards};

/// What lives as long as the process.
#[derive(Debug, Clone)]
pub struct App {
    pub accounts: Arc<AccountCache<Directory, SystemClock>>,
    pub ledger: Ledger,
    pub cursor_key: CursorKey,
    pub claims: ClaimNames,
}

/// The one list of operations: what is served here is what the OpenAPI document and the tests of all operations know.
macro_rules! operations {
    ($with:ident) => {
        $with! {
            "/api/reputation/referrals" { get: ledger::list::list_referrals, post: ledger::log::log_referral }
            "/api/reputation/referrals.csv" { get: ledger::export::export_referrals }
            "/api/reputation/referrals/{id}" {
                get: ledger::find::find_referral,
                patch: ledger::edit::edit_referral,
                delete: ledger::delete::delete_referral
            }
            "/api/reputation/referrals/{id}/contact" { post: ledger::contact::contact_referral }
            "/api/reputation/referrals/{id}/qualify" { post: ledger::qualify::qualify_referral }
            "/api/reputation/referrals/{id}/reopen" { post: ledger::reopen::reopen_referral }
            "/api/reputation/referrals/{id}/lose" { post: ledger::lose::lose_referral }
            "/api/reputation/referrals/{id}/convert" { post: ledger::convert::convert_referral }
            "/api/reputation/referrals/{id}/history" { get: ledger::history::find_history }
            "/api/reputation/referrals/{id}/reward/mark-sent" { post: rewards::mark_sent::mark_reward_sent }
            "/api/reputation/referrals/{id}/reward/release" { post: rewards::release::release_reward }
            "/api/reputation/referrals/{id}/reward/cancel" { post: rewards::cancel::cancel_reward }
            "/api/reputation/referrals/{id}/reward/resend-thanks" { post: rewards::resend_thanks::resend_thanks }
            "/api/reputation/rewards" { get: rewards::list::list_rewards }
            "/api/reputation/reward-policy" { get: rewards::policy::find_policy, put: rewards::policy::keep_policy }
            "/api/reputation/attribution" { get: attribution::report::report_attribution }
            "/api/reputation/imports" { post: imports::start::start_import }
            "/api/reputation/imports/{id}" { get: imports::find::find_import }
            "/api/reputation/imports/{id}/rows" { get: imports::list_rows::list_import_rows }
            "/api/people" { get: people::list::list_people }
            "/api/people/{id}" { get: people::find::find_person, patch: people::edit::edit_person }
            "/api/people/{id}/data" { get: people::data::gather_data, delete: people::erase::erase_person }
            "/api/people/{id}/consent" { put: people::consent::record_consent }
            "/api/reputation/profile" { get: profile::find::find_profile, put: profile::keep::keep_profile }
        }
    };
}
#[cfg(test)]
pub(crate) use operations;

macro_rules! serve {
    ($($path:literal { $($method:ident: $($handler:ident)::+),+ })+) => {
        Router::new()$(.route($path, MethodRouter::new()$(.$method($($handler)::+))+))+
    };
}

pub fn router(app: App) -> Router {
    let router = operations!(serve)
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
