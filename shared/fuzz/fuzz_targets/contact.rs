//! Hands the fuzzer's bytes to `contact::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::contact::check(data));
