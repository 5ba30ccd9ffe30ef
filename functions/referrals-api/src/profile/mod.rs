//! The routes of the caller's own profile.

pub mod find;
pub mod keep;
