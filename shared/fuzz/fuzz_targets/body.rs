//! Hands the fuzzer's bytes to `body::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::body::check(data));
