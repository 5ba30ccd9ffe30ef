//! Hands the fuzzer's bytes to `codes::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::codes::check(data));
