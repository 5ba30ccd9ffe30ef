//! Logs: one JSON object per line on standard output, which Lambda takes to CloudWatch.
//!
//! What is logged is chosen field by field where it is logged, from the list that the `tidy` test keeps; values with
//! personal data print as `redacted`. Libraries are not heard, because nobody knows what they would say, but for the
//! runtime's own errors.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{metrics, settings};

/// Starts logging and measuring for the function `name`. `LOG_LEVEL` is the level of our own code, `info` when absent or unknown.
pub fn start(name: &'static str) {
    metrics::start(name);
    let level = settings::optional("LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let ours = name.replace('-', "_");
    let targets = Targets::new()
        .with_target("lambda_runtime", LevelFilter::ERROR)
        .with_target("referrals", level)
        .with_target(ours, level);
    // A second start, as in tests, changes nothing.
    let started = tracing_subscriber::registry()
        .with(targets)
        .with(fmt::layer().json().without_time().flatten_event(true).with_current_span(true).with_span_list(false))
        .try_init();
    drop(started);
}
