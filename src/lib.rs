//! jirei reads the free-text answers of a survey, files each under the categories of a code frame, says why,
//! finds quotes and writes the categorised case appendix.
//!
//! Data goes one way; a module uses only those above it:
//!
//! ```text
//! source, diagnostic        where things stand in a file, and what is said of them
//! comment                   a response's free-text answer
//! read                      xlsx, csv, jsonl -> comments
//! normalize                 text -> normalised text and the way back
//! analyze                   normalised text -> morphemes (the only user of lindera)
//! keyness                   which terms mark some comments against others
//! codebook, rule            the code frame and its rules, compiled to a RuleSet
//! classify                  morphemes -> codings with evidence
//! evaluate                  codings against gold
//! agreement                 how far coders agree
//! casebook, index, search   the record, and finding things in it
//! report                    the appendix
//! record                    what a run read, used and counted, to be computed again
//! review                    people's corrections, to a workbook and back
//! pipeline                  the stages from comment to classification, on all cores, in order
//! embedded                  what the program carries: dictionary and rules
//! cli                       the commands
//! ```

pub mod agreement;
pub mod analyze;
pub mod casebook;
pub mod classify;
pub mod cli;
pub mod codebook;
pub mod comment;
pub mod diagnostic;
mod embedded;
pub mod evaluate;
mod fault;
pub mod index;
pub mod keyness;
pub mod normalize;
pub mod pipeline;
pub mod read;
pub mod record;
pub mod report;
pub mod respondent;
pub mod review;
pub mod rule;
pub mod search;
pub mod source;
