//! The address book's routes.

mod change;
pub mod consent;
pub mod data;
pub mod edit;
pub mod erase;
pub mod find;
pub mod list;
