//! What several topics need: the embedded analyser and rules, made once, and the shared corpus.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use jirei::{
    analyze::Analyzer,
    classify::Classification,
    comment::Comment,
    rule::{Matcher, RuleSet, RuleSetError},
    source::Source,
};

/// The embedded analyser.
pub(crate) static ANALYZER: LazyLock<Analyzer> =
    LazyLock::new(|| Analyzer::embedded().expect("the embedded dictionary is part of the build"));

/// The embedded rules.
pub(crate) static RULES: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::embedded(&ANALYZER).expect("the embedded rules are part of the build"));

/// A code frame of two sections and a list, for rules written in tests.
pub(crate) const CODEBOOK: &str = r#"
title = "試験"
category = [
  { id = "a", kind = "section", heading = "甲", short = "甲", definition = "" },
  { id = "b", kind = "section", heading = "乙", short = "乙", definition = "" },
  { id = "l", kind = "list", heading = "表", short = "表", definition = "" },
]
"#;

/// The polarity lists that the program carries.
pub(crate) const POLARITY: &str = include_str!("../../rules/polarity.toml");

/// Compiles one rule file, named `t.toml`, with [`CODEBOOK`] and [`POLARITY`].
pub(crate) fn compile(rules: &str) -> Result<RuleSet, RuleSetError> {
    let sources: Vec<Arc<Source>> = vec![
        Source::new("codebook.toml", CODEBOOK),
        Source::new("polarity.toml", POLARITY),
        Source::new("t.toml", rules),
    ];
    RuleSet::from_sources(&sources, &ANALYZER)
}

/// A rule set of one rule for category `a` with a pattern.
pub(crate) fn pattern(pattern: &str) -> RuleSet {
    let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
    compile(&format!("[[rule]]\nid = \"t\"\ncategory = \"a\"\npattern = \"{quoted}\"\n"))
        .unwrap_or_else(|error| panic!("{pattern}: {:?}", error.0))
}

/// What a rule set says of a comment.
pub(crate) fn classify(rules: &RuleSet, comment: &Comment) -> Classification {
    let analysis = ANALYZER.worker().analyze(&comment.text);
    Matcher::new(rules).classify(&analysis, comment)
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
/// A file of the shared corpus, `None` with a printed notice where the folder is absent.
pub(crate) fn shared_corpus(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")).join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}
