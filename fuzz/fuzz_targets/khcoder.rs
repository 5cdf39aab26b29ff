//! Whatever a coding-rule file holds, what comes out is a rule file that our parser accepts.

#![no_main]

use std::sync::LazyLock;

use jirei::{
    analyze::Analyzer,
    rule::{convert_khcoder, parse_pattern},
    source::Source,
};
use libfuzzer_sys::fuzz_target;

static ANALYZER: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::embedded().expect("the dictionary is embedded"));

fuzz_target!(|text: &str| {
    let conversion = convert_khcoder(&Source::new("fuzz.cod", text), Some("device"), &ANALYZER);
    for rule in &conversion.rules {
        assert!(parse_pattern(&rule.pattern).is_ok(), "{}", rule.pattern);
    }
    for diagnostic in &conversion.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
    }
});
