//! Hands the fuzzer's bytes to `edge::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::edge::check(data));
