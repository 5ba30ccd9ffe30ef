//! The address book's routes.

pub mod find;
pub mod list;
