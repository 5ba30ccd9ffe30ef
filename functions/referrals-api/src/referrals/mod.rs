//! The ledger's routes.

pub mod change;
pub mod contact;
pub mod convert;
pub mod delete;
pub mod edit;
pub mod export;
pub mod find;
pub mod history;
pub mod list;
pub mod log;
pub mod lose;
pub mod qualify;
pub mod reopen;
