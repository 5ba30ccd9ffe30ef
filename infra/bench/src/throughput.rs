//! Captures at the same time: each environment takes one after the other, as Lambda's do, and all write into one ledger.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use referrals_harness::{Answer, Function, Name, Posted, Setup, World};
use serde::Serialize;
use serde_json::Value;

use crate::statistics::{median, milliseconds, percentile};

const AT_ONCE: [usize; 3] = [1, 8, 32];
const CAPTURES: usize = 640;
const TIMEOUT: Duration = Duration::from_secs(15);

/// Of functions, engine and measuring program together on this machine: ratios between the lines say more than each.
#[derive(Debug, Serialize)]
pub struct Rate {
    at_once: usize,
    captures: usize,
    per_second: f64,
    cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub async fn rates(setup: &Setup) -> Vec<Rate> {
    let mut rates = Vec::new();
    for at_once in AT_ONCE {
        eprintln!("captures, {at_once} at once ...");
        rates.push(rate(setup, at_once).await);
    }
    rates
}

async fn rate(setup: &Setup, at_once: usize) -> Rate {
    let mut world = World::start_with(setup.clone()).await;
    let mut environments = environments(&mut world, at_once).await;
    let forms: VecDeque<Value> = (0..CAPTURES).map(|_| event(&mut world)).collect();
    let forms = Arc::new(Mutex::new(forms));
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    while let Some(mut function) = environments.pop() {
        let forms = forms.clone();
        running.spawn(async move {
            let mut measured = Vec::new();
            let before = function.processor_time();
            loop {
                let Some(form) = forms.lock().unwrap().pop_front() else { break };
                let begun = Instant::now();
                let posted: Posted = function.invoke(&form, TIMEOUT).await.into();
                assert_eq!(posted.status, 201, "{posted:?}");
                measured.push(begun.elapsed());
            }
            (measured, function.processor_time().saturating_sub(before))
        });
    }
    let done = running.join_all().await;
    let wall = begun.elapsed();
    let processor: Duration = done.iter().map(|(_, processor)| *processor).sum();
    let measured: Vec<Duration> = done.into_iter().flat_map(|(measured, _)| measured).collect();
    assert_eq!(measured.len(), CAPTURES);
    let captures = u32::try_from(CAPTURES).expect("a few");
    Rate {
        at_once,
        captures: CAPTURES,
        per_second: f64::from(captures) / wall.as_secs_f64(),
        cpu_us: milliseconds(processor / captures) * 1e3,
        p50_ms: milliseconds(median(measured.clone())),
        p99_ms: milliseconds(percentile(measured, 99)),
    }
}

/// So many environments of public-capture, each of which has worked before.
pub async fn environments(world: &mut World, count: usize) -> Vec<Function> {
    let mut environments = Vec::new();
    for _ in 0..count {
        let (mut function, proxy) = world.another(Name::PublicCapture).await;
        function.keep(proxy);
        let form = event(world);
        let answer = function.invoke(&form, TIMEOUT).await;
        assert!(matches!(&answer, Answer::Response(answer) if answer["statusCode"] == 201), "{answer:?}");
        environments.push(function);
    }
    environments
}

/// A form about two people that nobody knows.
fn event(world: &mut World) -> Value {
    let form = world.fill_in();
    world.attempt(&form)
}
