//! Hands the fuzzer's bytes to `bus::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::bus::check(data));
