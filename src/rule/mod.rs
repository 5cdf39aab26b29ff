//! Rules: read from TOML files, parsed into a tree with spans, checked as a whole, compiled to a [`RuleSet`].
//!
//! The language is described, form by form, in `docs/rules.md`.

mod check;
mod compile;
mod example;
mod explain;
mod file;
mod matcher;
mod parse;
mod polarity;
pub mod syntax;

pub use compile::{RuleInfo, RuleSet, RuleSetError};
pub use example::{ExampleOutcome, ExampleReport};
pub use explain::{
    ClauseKind, ClauseOutcome, Exclusion, ExplainedCategory, ExplainedFiring, ExplainedMorpheme, Explanation, Failure,
    FailureReason, NearestRule, PreventedRule, Verdict,
};
pub use file::{Example, ExampleKind, RuleFiles, RuleKind, Strength, embedded_rules};
pub use matcher::{ClauseTrace, Matcher, RuleTrace};
pub use parse::parse_pattern;
pub use polarity::Features;
