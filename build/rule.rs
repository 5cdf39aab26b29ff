//! The part of `src/rule` that compiles rules.

/// The rules that are compiled here are not linted: the tests do that.
mod check {
    use super::file::RuleFiles;
    use crate::{analyze::Analyzer, diagnostic::Diagnostic};

    pub(super) fn lint(_: &RuleFiles, _: &Analyzer, _: &mut Vec<Diagnostic>) {}
}
#[path = "../src/rule/compile.rs"]
mod compile;
#[path = "../src/rule/file.rs"]
mod file;
#[path = "../src/rule/gate.rs"]
mod gate;
#[path = "../src/rule/image.rs"]
mod image;
#[path = "../src/rule/likelihood.rs"]
mod likelihood;
#[path = "../src/rule/parse.rs"]
mod parse;
#[path = "../src/rule/polarity.rs"]
mod polarity;
#[path = "../src/rule/regex_fault.rs"]
mod regex_fault;
#[path = "../src/rule/require.rs"]
mod require;
#[path = "../src/rule/syntax.rs"]
pub mod syntax;
#[path = "../src/rule/toml_text.rs"]
mod toml_text;
mod write_image;

pub use compile::RuleSet;
