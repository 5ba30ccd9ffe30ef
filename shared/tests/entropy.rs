//! Notices when aws-lc is built without the switch of `.cargo/config.toml`: its own jitter source then costs 32 to 45 ms
//! of CPU on the first random byte of every process, which is in the first TLS handshake. One test, so that the process
//! is fresh.
#![allow(clippy::unwrap_used)]

use std::fs;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// CPU time of this thread in nanoseconds, as Linux counts it: unlike the wall clock it does not hear the neighbours.
fn cpu_nanoseconds() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

#[test]
fn first_random_bytes_are_quick() {
    let Some(before) = cpu_nanoseconds() else { return };
    SystemRandom::new().fill(&mut [0; 32]).unwrap();
    let spent = cpu_nanoseconds().unwrap() - before;
    assert!(spent < 5_000_000, "the first random bytes took {spent} ns of CPU");
}
