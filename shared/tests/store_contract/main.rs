//! What the use cases promise, on a real engine. `cargo test` runs it on dynoxide in this process; with
//! `CONTRACT_ENDPOINT` the same suite runs on any other engine, as `make test` does on the local stack's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod attribution;
mod capture;
mod claims;
mod deal_links;
mod deal_orders;
mod deals;
mod deletion;
mod entry;
mod erasing;
mod erasing_races;
mod expiry;
mod expiry_races;
mod export;
mod holds;
mod import_desk;
mod imports;
mod imports_here;
mod limits;
mod lists;
mod logging;
mod meanwhile;
mod office;
mod outbox;
mod page_cost;
mod people;
mod person_changes;
mod person_races;
mod profiles;
mod reconcile;
mod reconcile_figures;
mod revocations;
mod rewards;
mod units;
mod world;
