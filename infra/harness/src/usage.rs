//! What a process uses of the machine, as Linux counts it for the process: unlike the clock on the wall it does not hear
//! the neighbours.

use std::time::Duration;

use nix::{time::ClockId, unistd::Pid};

/// A process rests when its processor time stands still for so long.
const STILL: Duration = Duration::from_micros(300);

/// From the start of a process to its first question for work.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub processor: Duration,
    pub wall: Duration,
}

/// From an event to the next question for work; `wall` ends with the answer.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub processor: Duration,
    pub wall: Duration,
}

/// What one invocation used.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Of a cold start.
    pub start: Option<Start>,
    pub used: Usage,
    /// The most that the process has had in memory so far.
    pub peak_memory_kib: u64,
}

/// What invocations in a row have used, together and each.
#[derive(Debug, Clone)]
pub struct Row {
    pub processor: Duration,
    pub walls: Vec<Duration>,
    pub peak_memory_kib: u64,
}

impl Row {
    /// Processor time of each, on average.
    #[must_use]
    pub fn each(&self) -> Duration {
        self.processor / u32::try_from(self.walls.len()).expect("a few")
    }
}

/// Of all its threads, those that have ended included.
pub(crate) fn processor_time(process: u32) -> Duration {
    let process = Pid::from_raw(process.try_into().expect("a process id"));
    let clock = ClockId::pid_cpu_clock_id(process).expect("a process that runs");
    clock.now().expect("the process's clock").into()
}

pub(crate) fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process that runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the most it had");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Waits until the process does nothing.
pub(crate) async fn rests(process: u32) {
    let mut before = processor_time(process);
    loop {
        tokio::time::sleep(STILL).await;
        let now = processor_time(process);
        if now == before {
            return;
        }
        before = now;
    }
}
