//! Every range of the normalised text leads to character boundaries of the original, in order.

#![no_main]

use std::sync::LazyLock;

use jirei::analyze::Analyzer;
use libfuzzer_sys::fuzz_target;

static ANALYZER: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::embedded().expect("the dictionary is embedded"));

fuzz_target!(|original: &str| {
    let analysis = ANALYZER.worker().analyze(original);
    let text = analysis.text();
    let mut reached = 0;
    for morpheme in &analysis.morphemes {
        let range = morpheme.byte_range.start as usize..morpheme.byte_range.end as usize;
        assert!(text.get(range.clone()).is_some(), "a morpheme lies on character boundaries");
        let there = analysis.normalized.original_bytes(range);
        assert!(original.get(there.clone()).is_some(), "{there:?} is no range of the original");
        assert!(there.end >= reached, "morphemes keep their order");
        reached = there.end;
    }
    // Sentences cover all morphemes without gaps.
    let mut next = 0;
    for sentence in &analysis.sentences {
        assert_eq!(sentence.start, next);
        next = sentence.end;
    }
    assert_eq!(next as usize, analysis.morphemes.len());
});
