//! Hands the fuzzer's bytes to `time::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::time::check(data));
