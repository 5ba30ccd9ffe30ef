//! Hands the fuzzer's bytes to `text::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::text::check(data));
