//! Hands the fuzzer's bytes to `headers::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::headers::check(data));
