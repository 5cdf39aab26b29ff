//! A rule file compiles, or every fault of it can be shown; what compiles classifies.

#![no_main]

use std::sync::LazyLock;

use jirei::{
    analyze::Analyzer,
    comment::Comment,
    rule::{Matcher, RuleSet, RuleSetError},
    source::Source,
};
use libfuzzer_sys::fuzz_target;

static ANALYZER: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::embedded().expect("the dictionary is embedded"));

fuzz_target!(|text: &str| {
    let mut sources = jirei::rule::embedded_rules();
    sources.retain(|source| source.path().ends_with("codebook.toml") || source.path().ends_with("polarity.toml"));
    sources.push(Source::new("fuzz.toml", text));
    match RuleSet::from_sources(&sources, &ANALYZER) {
        Ok(rules) => {
            for warning in rules.warnings() {
                assert!(!warning.to_string().is_empty());
            }
            let comment = Comment::from_text("カードリーダーが故障し、受付が混雑した。以前は動いたが今は使えない。");
            let analysis = ANALYZER.worker().analyze(&comment.text);
            let mut matcher = Matcher::new(&rules);
            let found = matcher.classify(&analysis, &comment);
            assert_eq!(found, matcher.classify(&analysis, &comment), "a matcher keeps nothing from comment to comment");
            matcher.explain(&analysis, &comment);
        }
        Err(RuleSetError(diagnostics)) => {
            assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                assert!(!diagnostic.to_string().is_empty());
            }
        }
    }
});
