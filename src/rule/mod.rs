//! Rules: read from TOML files, parsed into a tree with spans, checked as a whole, compiled to a [`RuleSet`].
//!
//! The language is described, form by form, in `docs/rules.md`.

mod check;
mod compare;
mod compile;
mod coverage;
mod example;
mod explain;
mod file;
mod gate;
mod image;
mod khcoder;
mod likelihood;
mod matcher;
mod parse;
mod polarity;
mod regex_fault;
mod require;
mod suggest;
pub mod syntax;
mod toml_text;

pub use crate::embedded::embedded_rules;
pub use compare::{CategoryChange, Change, ComparedItem, Comparison, PrimaryChange};
pub use compile::{RuleInfo, RuleSet, RuleSetError};
pub use coverage::{Coverage, CoverageItem, Overlap, RuleCoverage};
pub use example::{ExampleOutcome, ExampleReport};
pub use explain::{
    ClauseKind, ClauseOutcome, Exclusion, ExplainedCategory, ExplainedFiring, ExplainedMorpheme, Explanation, Failure,
    FailureReason, NearestRule, PreventedRule, Verdict,
};
pub use file::{Example, ExampleKind, RuleFiles, RuleKind, Strength};
pub use khcoder::{KhConversion, KhRule, convert_khcoder};
pub use matcher::Matcher;
pub use parse::parse_pattern;
pub use polarity::Features;
pub use suggest::{Side, Suggestion, Term, TermIndex};
