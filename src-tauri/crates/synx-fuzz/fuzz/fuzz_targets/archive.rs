#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| synx_fuzz::archive(bytes));
