//! Hands the fuzzer's bytes to `rows::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::rows::check(data));
