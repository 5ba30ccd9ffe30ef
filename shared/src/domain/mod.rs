//! Values and rules, without I/O: what is valid, what is the same, what may happen next.
//! Nothing here reads a clock, makes an id, or knows a store, a bus or HTTP.

#[macro_use]
mod named;

pub mod access;
pub mod attribution;
pub mod audit;
pub mod calendar;
pub mod change;
pub mod consent;
pub mod contact;
pub mod deal;
pub mod digest;
pub mod duplicate;
pub mod email;
pub mod erasure;
pub mod filter;
pub mod id;
pub mod idempotency;
pub mod import;
pub mod import_file;
pub mod import_row;
pub mod letter;
pub mod lifecycle;
pub mod message;
pub mod money;
pub mod organization;
pub mod person;
pub mod person_change;
pub mod phone;
pub mod profile;
pub mod rate_limit;
pub mod referral;
pub mod reward;
pub mod reward_action;
pub mod reward_lane;
pub mod reward_policy;
pub mod scope;
pub mod spreadsheet;
pub mod text;
pub mod time;
pub mod version;
