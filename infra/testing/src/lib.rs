//! For tests only: a real engine with the tables of `template.yaml`, demo organizations in it, and a count of calls.
//! Failing fast is what a test wants, so panics are fine here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc
)]

mod bulk;
mod calls;
mod committed;
mod engine;
mod fixtures;
mod imports;
mod queue;
mod setting;
mod tables;

pub use bulk::Bulk;
pub use calls::CallCounter;
pub use committed::assert_committed;
pub use engine::{Item, TestStore, serve_file};
pub use fixtures::{Fixtures, STARTED_AT, TestClock, contact, name, submission};
pub use imports::Upload;
pub use queue::{batch, failed, in_a_minute};
pub use setting::setting;
pub use tables::{Rule, rules};
