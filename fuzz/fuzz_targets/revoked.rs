#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| armring_fuzz_bodies::revoked(data));
