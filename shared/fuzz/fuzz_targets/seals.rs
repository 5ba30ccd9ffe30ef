//! Hands the fuzzer's bytes to `seals::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::seals::check(data));
