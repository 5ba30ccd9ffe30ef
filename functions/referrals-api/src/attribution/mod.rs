//! Which advocates brought what.

pub mod report;
mod sheet;
mod view;
