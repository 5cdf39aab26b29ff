//! Everything that is tested from outside the crate, one module a topic.

mod analyze;
mod appendix;
mod care;
mod casebook;
mod cli;
mod common;
mod crash;
mod decisions;
mod disclosure;
mod gold;
mod near_copies;
mod normalize;
mod read;
mod report;
mod review;
mod rule_agreement;
mod rule_docs;
mod rule_lints;
mod rule_messages;
mod rules;
mod search;
mod search_cli;
mod support;
mod tools;
