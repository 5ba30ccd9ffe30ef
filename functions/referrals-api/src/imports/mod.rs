//! Files of referrals from other systems: taking one in, and what became of it.

pub mod find;
pub mod list_rows;
pub mod start;
mod view;

use referrals::{
    domain::access::Caller,
    http::{Code, Problem},
};

/// Asked before anything else, so that nobody else learns which imports there are.
///
/// # Errors
/// 403 for members who do not import.
fn allowed(caller: &Caller) -> Result<(), Problem> {
    if caller.may_import() { Ok(()) } else { Err(Problem::new(Code::Forbidden)) }
}
