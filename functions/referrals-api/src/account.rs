//! Who is let in: a caller whose token the gateway has verified, and whose account is open. Around every route.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use referrals::{
    http::{Code, Problem, caller_of},
    ports::AccountDirectory as _,
};

use crate::app::App;

/// Puts the caller and their organization where handlers find them.
///
/// # Errors
/// 401 without a verified token, 403 for one without a member, and for a suspended account.
pub async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let caller = caller_of(request.extensions(), &app.claims)?;
    let account = app.accounts.find_account(&caller.scope, &caller.user).await?;
    let account = account.ok_or(Code::Forbidden)?;
    if !account.is_open() {
        return Err(Problem::new(Code::AccountSuspended));
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(account.organization);
    Ok(next.run(request).await)
}
