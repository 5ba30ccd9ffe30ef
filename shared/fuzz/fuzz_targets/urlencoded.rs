//! Hands the fuzzer's bytes to `urlencoded::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::urlencoded::check(data));
