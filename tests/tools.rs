//! The tools for those who keep the rules: explain, check, test, coverage, compare, suggest, from-khcoder.

mod commands;
mod coverage;
mod explain;
mod khcoder;
mod suggest;

use jirei::{
    analyze::Analysis,
    classify::Classification,
    comment::Comment,
    rule::{Matcher, RuleSet},
};

use crate::support::{ANALYZER, compile};

fn rules(text: &str) -> RuleSet {
    compile(text).unwrap_or_else(|error| panic!("{:?}", error.0))
}

fn analysis(text: &str) -> Analysis<'static> {
    ANALYZER.worker().analyze(text)
}

/// The rules that fire on a text, and its classification.
fn classified(rules: &RuleSet, text: &str) -> (Vec<usize>, Classification) {
    let comment = Comment::from_text(text);
    let mut matcher = Matcher::new(rules);
    let analysis = analysis(text);
    (matcher.fired_rules(&analysis, &comment), matcher.classify(&analysis, &comment))
}

/// Rules of every kind, for what explains them.
const EXPLAINED: &str = r#"category = "a"

[concepts]
machine = "端末 | 機械"

[[rule]]
id = "fails"
pattern = "(near(<machine>, fact(故障))) & !'訓練'"
unless = "'試験中'"

[[rule]]
id = "hint"
category = "b"
strength = "weak"
pattern = "行列"

[[rule]]
id = "mark"
category = "l"
pattern = "表示 | 印字"

[[rule]]
id = "not_mark"
category = "l"
kind = "exclude"
pattern = "昨年"
"#;
