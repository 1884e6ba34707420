//! See [`leadledger_fuzz::entry`].

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    leadledger_fuzz::entry(bytes);
});
