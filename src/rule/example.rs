//! The examples beside the rules, run as tests.

use rayon::prelude::*;

use super::{compile::RuleSet, file::ExampleKind, matcher::Matcher};
use crate::{analyze::Analyzer, comment::Comment, source::Span};

/// How one example came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExampleOutcome {
    /// As its mark says.
    Passed,
    /// Must match, does not: a false negative.
    Missed,
    /// Must not match, does: a false positive.
    FalselyMatched,
    /// Marked as a known fault of the rule, which is no longer there: the mark can become `match` or `no_match`.
    Mended,
}

/// An example with its outcome.
#[derive(Debug, Clone)]
pub struct ExampleReport {
    /// Id of the rule.
    pub rule: std::sync::Arc<str>,
    /// The example's text.
    pub text: String,
    /// Its mark.
    pub kind: ExampleKind,
    /// How it came out.
    pub outcome: ExampleOutcome,
    /// Where it stands.
    pub span: Span,
}

impl RuleSet {
    /// Runs the examples of every rule, in the order of the rules.
    pub fn run_examples(&self, analyzer: &Analyzer) -> Vec<ExampleReport> {
        let examples: Vec<(usize, &super::file::Example)> = self
            .rules
            .iter()
            .enumerate()
            .flat_map(|(index, rule)| rule.examples.iter().map(move |e| (index, e)))
            .collect();
        examples
            .par_iter()
            .map_init(
                || (analyzer.worker(), Matcher::new(self)),
                |(worker, matcher), &(index, example)| {
                    let comment = Comment::from_text(&example.text).with_attributes(example.attributes.clone());
                    let fired = matcher.fired_rules(&worker.analyze(&comment.text), &comment).contains(&index);
                    let outcome = match (example.kind, fired) {
                        (ExampleKind::Match, true) | (ExampleKind::NoMatch, false) => ExampleOutcome::Passed,
                        (ExampleKind::KnownMiss, false) | (ExampleKind::KnownFalse, true) => ExampleOutcome::Passed,
                        (ExampleKind::Match, false) => ExampleOutcome::Missed,
                        (ExampleKind::NoMatch, true) => ExampleOutcome::FalselyMatched,
                        (ExampleKind::KnownMiss, true) | (ExampleKind::KnownFalse, false) => ExampleOutcome::Mended,
                    };
                    ExampleReport {
                        rule: self.rules[index].id.clone(),
                        text: example.text.clone(),
                        kind: example.kind,
                        outcome,
                        span: example.span.clone(),
                    }
                },
            )
            .collect()
    }
}
