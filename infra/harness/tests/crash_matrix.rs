//! Crash matrix: each function, at each of its pieces of work, meets each fault at each of its calls to AWS, once and for
//! as long as the invocation lasts. Then the fault is over, whoever asked asks again, and when all is quiet everything
//! must hold: no event lost, no effect twice, nothing personal outside the ledger.
//!
//! The short form leaves out delays that go on, and conflicts of calls that cannot conflict; of a deal's pieces of work it
//! takes one of each pair of faults that nothing tells apart but the SDK, whose way with them the other functions show.
//! Of messages it takes every fault at every call to the post office, where the kinds of failure mean different things; at
//! writes the same as of a deal; and of reads those of a thank-you by mail and of what is heard of it, each failing for good,
//! because a read that fails leaves nothing behind; so it is of the functions that are called. Of pieces of work that go another's way (the notice of a reward, a
//! complaint, the mail of a thank-you on both channels) it takes little or nothing. A thank-you of which nobody knows whether it left is printed, and only some faults may lead there.
//!
//! `CRASH_MATRIX=full` takes those too; `CRASH_MATRIX_LANES` says how many cells run at once (most of a cell is waiting), and
//! `CRASH_MATRIX_ONLY=EnterNew` takes one piece of work.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Instant,
};

use referrals_harness::{Call, Fault, Mode, Name, Plan, Scenario, World, place, violations};
use referrals_testing::setting;

/// The functions whose work comes with a call.
const CALLED: [Name; 6] = [
    Name::ReferralsApi,
    Name::Unsubscribe,
    Name::TokenClaims,
    Name::LedgerReconcile,
    Name::HoldRelease,
    Name::CaptureExpiry,
];

/// Cells after which a lane takes a fresh engine: looking at everything takes longer the more there is.
const CELLS_PER_WORLD: usize = 16;

#[derive(Debug, Clone)]
struct Cell {
    scenario: Scenario,
    operation: String,
    /// Which of the calls of this operation, from zero: in which shard of the outbox an event lies is chance, and with it
    /// the order of a sweep's calls.
    nth: usize,
    fault: Fault,
    mode: Mode,
}

/// What came of a cell.
#[derive(Debug)]
struct Outcome {
    cell: Cell,
    /// Whether the call was made.
    is_hit: bool,
    /// Whether the fault changed anything about it.
    is_injected: bool,
    /// What a sender was at when the fault began.
    phase: Phase,
    /// The thank-yous of which nobody knows whether they left, each with the reason.
    doubts: Vec<String>,
    found: Vec<String>,
}

/// What a sender is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Deciding,
    /// The transaction before which nothing leaves.
    Claiming,
    Sending,
    /// Everything between the provider's answer and the transaction that records it.
    Recording,
}

impl Phase {
    /// Of the last of `calls`.
    fn of(calls: &[Call]) -> Self {
        let is_send = |call: &&Call| ["SendEmail", "Publish"].contains(&call.operation.as_str());
        let is_write = |call: &&Call| call.operation == "TransactWriteItems";
        let Some((last, before)) = calls.split_last() else { return Self::Deciding };
        let mark = before.iter().rev().find(|call| is_send(call) || is_write(call));
        match mark.as_ref().is_some_and(is_send) {
            _ if is_send(&last) => Self::Sending,
            true => Self::Recording,
            false if is_write(&last) => Self::Claiming,
            false => Self::Deciding,
        }
    }

    /// Whether a thank-you may be in doubt after such a fault: it may have left, or a claim was written of which nobody
    /// came to know what followed.
    fn may_leave_doubt(self, cell: &Cell) -> bool {
        let is_answer_lost = matches!(cell.fault, Fault::ForwardAndDrop | Fault::Delay(_));
        let goes_on = cell.mode == Mode::Persistent;
        match self {
            Self::Deciding => false,
            // Once: the SDK repeats the transaction under its token, and learns that it was written.
            Self::Claiming => goes_on && is_answer_lost,
            // A throttled message has not left, which can be recorded unless that is throttled too.
            Self::Sending => goes_on || !matches!(cell.fault, Fault::Throttle | Fault::Conflict),
            // What was written is known, whether or not the answer came back.
            Self::Recording => goes_on && !(is_answer_lost && cell.operation == "TransactWriteItems"),
        }
    }
}

impl Outcome {
    fn is_in_doubt_unexpectedly(&self) -> bool {
        !self.doubts.is_empty() && !self.phase.may_leave_doubt(&self.cell)
    }
}

async fn run(world: &mut World, cell: Cell) -> Outcome {
    let mut outcome = Outcome {
        cell,
        is_hit: false,
        is_injected: false,
        phase: Phase::Deciding,
        doubts: Vec::new(),
        found: Vec::new(),
    };
    if let Err(failure) = attempt(world, &mut outcome).await {
        outcome.found.push(failure);
    }
    outcome.found.extend(violations(world).await);
    outcome
}

async fn attempt(world: &mut World, outcome: &mut Outcome) -> Result<(), String> {
    let Cell { scenario, operation, nth, fault, mode } = outcome.cell.clone();
    let work = scenario.prepare(world).await?;
    world.arm(scenario.function(), Some(Plan::AtOperation { operation: operation.clone(), nth, fault, mode }));
    let posted = scenario.act(world, &work).await;
    let calls = world.proxy.calls();
    let met = place(&calls, &operation, nth);
    outcome.phase = Phase::of(&calls[..met.map_or(0, |index| index + 1)]);
    outcome.is_hit = met.is_some();
    outcome.is_injected = met.is_some_and(|index| calls[index].fault == Some(fault));
    scenario.finish(world, &work, posted).await?;
    if scenario.function() == Name::Messenger {
        outcome.doubts = world.doubts().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let begun = Instant::now();
    let is_full = setting::<String>("CRASH_MATRIX").is_some_and(|form| form == "full");
    let only: Option<String> = setting("CRASH_MATRIX_ONLY");
    let lanes = setting("CRASH_MATRIX_LANES").unwrap_or(16);
    let mut cells = Vec::new();
    let mut all_cells = 0;
    for scenario in Scenario::ALL {
        if only.as_ref().is_some_and(|only| *only != format!("{scenario:?}")) {
            continue;
        }
        let calls = scenario.calls().await.unwrap();
        println!("{} {scenario:?}: {}", scenario.function().as_str(), calls.join(" "));
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for operation in &calls {
            let count = counted.entry(operation).or_default();
            let nth = *count;
            *count += 1;
            for fault in Fault::ALL {
                for mode in [Mode::Once, Mode::Persistent] {
                    all_cells += 1;
                    if is_full || is_short(scenario, operation, fault, mode) {
                        cells.push(Cell { scenario, operation: operation.clone(), nth, fault, mode });
                    }
                }
            }
        }
    }
    // The slowest first, so that no lane is left with one at the end.
    cells.sort_by_key(|cell| (cell.mode, matches!(cell.fault, Fault::Delay(_))));
    cells.reverse();
    let planned = cells.len();
    let (unclear, mut outcomes): (Vec<_>, Vec<_>) =
        all(cells, lanes).await.into_iter().partition(Outcome::is_in_doubt_unexpectedly);
    // A machine with more to do than it can loses answers by itself: what the fault alone does is seen when nothing else
    // is at work.
    println!("{} cells are played again, one by one", unclear.len());
    outcomes.extend(all(unclear.into_iter().map(|outcome| outcome.cell).collect(), 1).await);
    report(&outcomes);
    let unexpected = report_doubts(&outcomes);
    let (run, took) = (outcomes.len(), begun.elapsed().as_secs_f64());
    println!("crash matrix: {run} of {planned} cells in {took:.1} s; the full form has {all_cells}");
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|Outcome { cell, is_hit, is_injected, found, .. }| {
            !found.is_empty() || !is_hit || *is_injected != cell.fault.applies_to(&cell.operation)
        })
        .collect();
    assert!(failed.is_empty(), "{} cells: {failed:#?}", failed.len());
    assert_eq!(outcomes.len(), planned);
    assert!(unexpected.is_empty(), "a thank-you is in doubt: {unexpected:#?}");
}

/// Whether the short form takes a cell.
fn is_short(scenario: Scenario, operation: &str, fault: Fault, mode: Mode) -> bool {
    if !fault.applies_to(operation) {
        return false;
    }
    match (fault, mode) {
        (Fault::Delay(_), Mode::Persistent) => false,
        _ if scenario.function() == Name::ImportWorker => {
            // A row is written as a capture is; a chunk that could not be read is left as it was.
            let is_read = operation != "TransactWriteItems";
            if is_read { fault == Fault::Refuse && mode == Mode::Persistent } else { fault != Fault::Throttle }
        }
        _ if CALLED.contains(&scenario.function()) => {
            let goes_on = mode == Mode::Persistent;
            // Of a walk, which is mostly reading, only what it corrects.
            let is_walk = matches!(scenario, Scenario::Reconcile | Scenario::ExpireCapture);
            let is_read = operation != "TransactWriteItems";
            if is_read { !is_walk && goes_on && fault == Fault::Refuse } else { is_like_a_deal(fault, mode) }
        }
        // It makes the calls of a reversal.
        _ if scenario == Scenario::WinAgain => false,
        _ if matches!(scenario.function(), Name::Messenger | Name::DeliveryFeedback) => {
            is_short_of_messages(scenario, operation, fault, mode)
        }
        _ if scenario.function() == Name::DealWon => is_like_a_deal(fault, mode),
        _ => true,
    }
}

/// The same of a message.
fn is_short_of_messages(scenario: Scenario, operation: &str, fault: Fault, mode: Mode) -> bool {
    let is_post = ["SendEmail", "Publish", "CheckIfPhoneNumberIsOptedOut"].contains(&operation);
    let is_read = ["GetItem", "BatchGetItem", "Query"].contains(&operation);
    let goes_on = mode == Mode::Persistent;
    let is_for_good = goes_on && matches!(fault, Fault::Refuse | Fault::ForwardAndDrop);
    match scenario {
        // What is said of mail is said of it alone.
        Scenario::ThankOnBoth if operation == "SendEmail" => false,
        // They go the ways of a notice of a lead and of a bounce.
        Scenario::NoticeOfReward | Scenario::HearComplaint => !is_read && is_for_good,
        // A thank-you by mail and what is heard of it read what the others do.
        _ if is_read && scenario.function() == Name::Messenger && scenario != Scenario::ThankByMail => false,
        _ if is_post => true,
        _ if is_read => goes_on && fault == Fault::Refuse,
        _ => is_like_a_deal(fault, mode),
    }
}

/// Nothing but the SDK tells these faults from those that are left.
fn is_like_a_deal(fault: Fault, mode: Mode) -> bool {
    !matches!((fault, mode), (Fault::ServerError | Fault::Throttle, _) | (Fault::Refuse, Mode::Once))
}

/// Runs the cells in lanes, each with a world of its own.
async fn all(cells: Vec<Cell>, lanes: usize) -> Vec<Outcome> {
    let cells = Arc::new(Mutex::new(VecDeque::from(cells)));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..lanes {
        let cells = cells.clone();
        running.spawn(async move {
            let mut outcomes = Vec::new();
            let mut world = World::start().await;
            let mut in_world = 0;
            loop {
                let Some(cell) = cells.lock().unwrap().pop_front() else { return outcomes };
                if in_world == CELLS_PER_WORLD {
                    world = World::start().await;
                    in_world = 0;
                }
                in_world += 1;
                let outcome = run(&mut world, cell).await;
                if !outcome.found.is_empty() {
                    // What one cell broke is not held against the next.
                    in_world = CELLS_PER_WORLD;
                }
                outcomes.push(outcome);
            }
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

/// Prints the cells after which nobody knows whether a thank-you left. Those that should not have ended so.
fn report_doubts(outcomes: &[Outcome]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut unexpected = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.doubts.is_empty()) {
        let Outcome { cell, phase, doubts, .. } = outcome;
        let Cell { scenario, operation, nth, fault, mode } = cell;
        let place = format!("{scenario:?} {operation}[{nth}] {phase:?} {} {mode:?}", fault.name());
        let line = format!("{place}: {}", doubts.join(", "));
        if outcome.is_in_doubt_unexpectedly() {
            unexpected.push(line.clone());
        }
        lines.push(line);
    }
    lines.sort();
    println!("{} cells end with a thank-you in doubt", lines.len());
    for line in lines {
        println!("  {line}");
    }
    unexpected
}

/// Cells by function and fault: hit of all, and how many of those the fault could change anything about.
fn report(outcomes: &[Outcome]) {
    let mut table: BTreeMap<(&str, &str, Mode), [usize; 4]> = BTreeMap::new();
    for outcome in outcomes {
        let key = (outcome.cell.scenario.function().as_str(), outcome.cell.fault.name(), outcome.cell.mode);
        let row = table.entry(key).or_default();
        let facts = [true, outcome.is_hit, outcome.is_injected, outcome.found.is_empty()];
        for (count, holds) in row.iter_mut().zip(facts) {
            *count += usize::from(holds);
        }
    }
    println!(
        "{:<18}{:<18}{:<12}{:>6}{:>6}{:>10}{:>7}",
        "function", "fault", "mode", "cells", "hit", "injected", "hold"
    );
    for ((function, fault, mode), [cells, hit, injected, hold]) in table {
        println!("{function:<18}{fault:<18}{:<12}{cells:>6}{hit:>6}{injected:>10}{hold:>7}", format!("{mode:?}"));
    }
}
