//! A pattern is read or refused with a place inside it.

#![no_main]

use jirei::rule::parse_pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_pattern(text) {
        Ok(node) => assert!(text.get(node.byte_range).is_some()),
        Err(error) => {
            assert!(text.get(error.byte_range.clone()).is_some(), "{error:?}");
            assert!(!error.message.is_empty());
        }
    }
});
