//! The address book's routes.

mod change;
pub mod consent;
pub mod edit;
pub mod find;
pub mod list;
