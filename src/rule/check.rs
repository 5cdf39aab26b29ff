//! Lints over rule files as a whole: what compiles but cannot mean what it says.

use super::file::RuleFiles;
use crate::{analyze::Analyzer, diagnostic::Diagnostic};

pub(super) fn lint(_files: &RuleFiles, _analyzer: &Analyzer, _diagnostics: &mut Vec<Diagnostic>) {}
