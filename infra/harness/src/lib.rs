//! For tests and the bench: the functions' real binaries, run as Lambda runs them, with a proxy before the engine that makes AWS
//! fail on demand, a driver that moves work as AWS would, and the checks of what must hold when all is quiet again.
//! Failing fast is what a test wants, so panics are fine here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc
)]

mod api;
mod binary;
mod bus;
mod client;
mod consumers;
mod contention;
mod deals;
mod delivery;
mod durable;
mod fault;
mod figures;
mod host;
mod http;
mod imports;
mod invariants;
mod lanes;
mod laws;
mod letters;
mod messages;
mod meter;
mod portrait;
mod post_office;
mod proxy;
mod redelivery;
mod requests;
mod rows;
mod runtime_api;
mod scenario;
mod tls;
mod usage;
mod world;

pub use api::{Called, Method};
pub use bus::{Bus, BusEntry};
pub use client::{Posted, Submitted};
pub use contention::Contention;
pub use durable::DurableEngine;
pub use fault::{Fault, Mode, Plan, place};
pub use host::{Answer, Function};
pub use imports::{FileRow, UploadedFile};
pub use invariants::violations;
pub use lanes::each_seed;
pub use letters::News;
pub use portrait::Portrait;
pub use post_office::{Accepted, Channel, PostOffice};
pub use proxy::{Call, Line, Proxy, Stage};
pub use redelivery::{Redelivered, Redelivery};
pub use requests::{first_page_of_walk, one_click, sign_in};
pub use scenario::{Scenario, Work};
pub use tls::Identity;
pub use usage::{Measured, Row, Start, Usage};
pub use world::{Carrier, Name, Setup, World};
