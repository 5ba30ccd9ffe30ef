//! What each function costs: its start, its first event over TLS, and every one after that. The floor, a runtime client that
//! does nothing, is measured in turns with each, so that what happens on the machine happens to both.

use std::time::Duration;

use referrals_harness::{Answer, Function, Measured, Name, Row, Setup, World};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    statistics::{median, milliseconds, percentile},
    works::{WORKS, Work},
};

pub const COLD_STARTS: usize = 20;
pub const WARM_EVENTS: usize = 300;
/// So many follow each other without a pause, where they can.
const IN_A_ROW: usize = 20;
/// Of processor times. Whoever else is on the machine only ever adds to them, so the quicker ones say more.
const QUICKER: usize = 25;
/// With nothing due it makes one call and does nothing with the answer: what a call costs, whoever makes it.
const BARE: Name = Name::HoldRelease;
const FLOOR: &str = "bench-floor";
const FLOOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Processor times are those that a quarter does not exceed, wall times medians, but for what says otherwise.
#[derive(Debug, Serialize)]
pub struct Cost {
    name: &'static str,
    /// What it was given.
    event: &'static str,
    /// From exec to the first question for work.
    init_cpu_ms: f64,
    floor_init_cpu_ms: f64,
    init_wall_ms: f64,
    /// The first event of a process, connecting and TLS included.
    first_cpu_ms: f64,
    first_wall_ms: f64,
    warm_cpu_us: f64,
    floor_warm_cpu_us: f64,
    /// What as many calls cost whoever makes them, the floor included.
    bare_warm_cpu_us: f64,
    /// Warm in multiples of that: of what was measured within the same second, the median.
    warm_bare: f64,
    warm_p50_ms: f64,
    warm_p99_ms: f64,
    /// The most of all processes.
    peak_memory_mib: f64,
    floor_peak_memory_mib: f64,
    /// Of a warm event.
    calls: usize,
}

/// What was measured of a process, again and again.
#[derive(Debug, Default)]
struct Samples {
    starts: Vec<Duration>,
    starts_wall: Vec<Duration>,
    first: Vec<Duration>,
    first_wall: Vec<Duration>,
    warm: Vec<Duration>,
    warm_wall: Vec<Duration>,
    peak_memory_kib: u64,
}

impl Samples {
    fn cold(&mut self, measured: &Measured) {
        let start = measured.start.expect("a cold start");
        self.starts.push(start.processor);
        self.starts_wall.push(start.wall);
        self.first.push(measured.used.processor);
        self.first_wall.push(measured.used.wall);
        self.peak_memory_kib = self.peak_memory_kib.max(measured.peak_memory_kib);
    }

    /// Events in a row.
    fn warm(&mut self, row: &Row) {
        self.warm.push(row.each());
        self.warm_wall.extend(&row.walls);
        self.peak_memory_kib = self.peak_memory_kib.max(row.peak_memory_kib);
    }
}

/// Each function, or the one of this name.
pub async fn costs(setup: &Setup, only: Option<&str>) -> Vec<Cost> {
    let mut costs = Vec::new();
    for (name, work, event) in WORKS {
        if only.is_none_or(|only| only == name.as_str()) {
            eprintln!("{} ...", name.as_str());
            costs.push(Box::pin(cost(setup, name, work, event)).await);
        }
    }
    costs
}

async fn cost(setup: &Setup, name: Name, work: Work, event: &'static str) -> Cost {
    let mut world = World::start_with(setup.clone()).await;
    work.furnish(&mut world).await;
    let (mut own, mut floor) = (Samples::default(), Samples::default());
    let mut floor_function = Function::new(FLOOR, Vec::new());
    for _ in 0..COLD_STARTS {
        own.cold(&work.first(&mut world, name).await);
        floor_function.chill();
        floor.cold(&floor_function.invoke_measured(&json!({}), FLOOR_TIMEOUT).await.1);
    }
    // Another process than the one that is measured, which may be the same function.
    let (mut bare_function, bare_line) = world.another(BARE).await;
    bare_function.keep(bare_line);
    bare_function.invoke(&json!({}), BARE.timeout()).await;
    let (mut bare, mut calls, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WARM_EVENTS / IN_A_ROW {
        let before = calls.len();
        let rows = work.row(&mut world, name, IN_A_ROW, &mut calls).await;
        for row in &rows {
            own.warm(row);
        }
        let floor_row = in_a_row(&mut floor_function).await;
        let bare_row = in_a_row(&mut bare_function).await;
        floor.warm(&floor_row);
        let made = calls[before..].iter().sum::<usize>() / (calls.len() - before);
        let call = bare_row.each().saturating_sub(floor_row.each());
        let least = floor_row.each() + call * u32::try_from(made).expect("a few");
        let mean = rows.iter().map(Row::each).sum::<Duration>() / u32::try_from(rows.len()).expect("a few");
        bare.push(least);
        ratios.push(mean.div_duration_f64(least));
    }
    calls.sort_unstable();
    ratios.sort_unstable_by(f64::total_cmp);
    let quick_ms = |times: Vec<Duration>| milliseconds(percentile(times, QUICKER));
    Cost {
        name: name.as_str(),
        event,
        init_cpu_ms: quick_ms(own.starts),
        floor_init_cpu_ms: quick_ms(floor.starts),
        init_wall_ms: milliseconds(median(own.starts_wall)),
        first_cpu_ms: quick_ms(own.first),
        first_wall_ms: milliseconds(median(own.first_wall)),
        warm_cpu_us: quick_ms(own.warm) * 1e3,
        floor_warm_cpu_us: quick_ms(floor.warm) * 1e3,
        bare_warm_cpu_us: quick_ms(bare) * 1e3,
        warm_bare: ratios[ratios.len() / 2],
        warm_p50_ms: milliseconds(median(own.warm_wall.clone())),
        warm_p99_ms: milliseconds(percentile(own.warm_wall, 99)),
        peak_memory_mib: mib(own.peak_memory_kib),
        floor_peak_memory_mib: mib(floor.peak_memory_kib),
        calls: calls[calls.len() / 2],
    }
}

/// Events that ask for nothing.
async fn in_a_row(function: &mut Function) -> Row {
    let (answers, row) = function.invoke_in_a_row(&vec![json!({}); IN_A_ROW], FLOOR_TIMEOUT).await;
    assert!(answers.iter().all(|answer| *answer == Answer::Response(Value::Null)), "{answers:?}");
    row
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 KiB")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
