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

use std::{path::PathBuf, sync::Arc};

use clap::Parser;
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
    /// Referrals in the large ledger.
    #[arg(long, default_value_t = 100_000)]
    large: u32,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Figures {
    floor: functions::Floor,
    functions: Vec<functions::Cost>,
    operations: Vec<operations::Cost>,
    follow_up: Option<operations::FollowUp>,
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
    let mut figures = Figures {
        floor: functions::floor().await,
        functions: functions::costs(&setup(&identity), arguments.function.as_deref()).await,
        operations: Vec::new(),
        follow_up: None,
        throughput: Vec::new(),
        contention: Vec::new(),
    };
    if arguments.function.is_none() {
        figures.throughput = throughput::rates(&setup(&identity)).await;
        figures.contention = contention::crowds(&setup(&identity)).await;
        figures.follow_up = Some(operations::follow_up().await);
        figures.operations = operations::costs(arguments.large).await;
    }
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&figures)?)?;
    Ok(())
}
