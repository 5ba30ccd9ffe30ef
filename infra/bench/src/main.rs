//! Measures the functions' release binaries and writes what it found as JSON: `infra/bench/bench.py` judges it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr
)]

mod contention;
mod functions;
mod operations;
mod statistics;
mod throughput;
mod works;

use std::{path::PathBuf, sync::Arc};

use clap::{Parser, ValueEnum};
use referrals_harness::{Identity, Line, Setup};
use serde::Serialize;

/// Measures the functions' release binaries.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the figures go, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// Of the functions, only the one of this name; nothing else is measured then.
    #[arg(long)]
    function: Option<String>,
    /// Only this; all of them otherwise.
    #[arg(long)]
    part: Option<Part>,
    /// Referrals in the large ledger.
    #[arg(long, default_value_t = 100_000)]
    large: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Functions,
    Throughput,
    Contention,
    Operations,
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
struct Figures {
    cold_starts: usize,
    warm_events: usize,
    /// Certificates that a process loads.
    roots: usize,
    functions: Vec<functions::Cost>,
    operations: Vec<operations::Cost>,
    follow_ups: Vec<operations::FollowUp>,
    /// Referrals in the large ledger.
    large: u32,
    throughput: Vec<throughput::Rate>,
    contention: Vec<contention::Crowd>,
}

/// As on AWS: TLS, and the log level that the template sets.
fn setup(identity: &Arc<Identity>) -> Setup {
    let line = Line { identity: Some(identity.clone()), ..Line::default() };
    Setup { line, log_level: "info", ..Setup::default() }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let identity = Arc::new(Identity::new());
    let setup = setup(&identity);
    let only = arguments.function.as_ref().map(|_| Part::Functions).or(arguments.part);
    let wanted = |part| only.is_none_or(|only| only == part);
    let mut figures = Figures {
        cold_starts: functions::COLD_STARTS,
        warm_events: functions::WARM_EVENTS,
        roots: identity.roots(),
        ..Figures::default()
    };
    if wanted(Part::Functions) {
        figures.functions = functions::costs(&setup, arguments.function.as_deref()).await;
    }
    if figures.functions.is_empty() && wanted(Part::Functions) {
        return Err("there is no such function".into());
    }
    if wanted(Part::Throughput) {
        figures.throughput = throughput::rates(&setup).await;
    }
    if wanted(Part::Contention) {
        figures.contention = contention::crowds(&setup).await;
    }
    if wanted(Part::Operations) {
        figures.follow_ups = operations::follow_ups().await;
        figures.large = arguments.large;
        figures.operations = operations::costs(arguments.large).await;
    }
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&figures)?)?;
    Ok(())
}
