//! Hands the fuzzer's bytes to `import_file::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| referrals_fuzz::import_file::check(data));
