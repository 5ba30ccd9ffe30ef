//! Winnerr Referrals: what all functions share. Dependencies point one way:
//! functions → `usecase`, and `http`, `queue`, `store`, `aws` beside it → `ports` → `events` → `domain`.

pub mod aws;
pub mod domain;
pub mod events;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod ports;
pub mod queue;
pub mod settings;
pub mod store;
pub mod system;
pub mod usecase;
