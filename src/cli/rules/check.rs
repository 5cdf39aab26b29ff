//! `jirei rules check`: every fault of the rules.

use serde_json::json;

use super::{Outcome, Shared, TextFormat};
use crate::{
    cli::stdout,
    diagnostic::{Diagnostic, Severity},
    rule::RuleSetError,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 出力の形式（text または json）
    #[arg(long, value_enum, default_value_t = TextFormat::Text, value_name = "形式", hide_possible_values = true)]
    format: TextFormat,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        // Faults are what this command is asked for: its result, not its failure.
        let (rules, diagnostics): (Option<usize>, Vec<Diagnostic>) = match shared.checked_rule_set(&analyzer) {
            Ok(rules) => (Some(rules.rules().count()), rules.warnings().to_vec()),
            Err(error) => match error.downcast::<RuleSetError>() {
                Ok(RuleSetError(diagnostics)) => (None, diagnostics),
                Err(error) => return Err(error),
            },
        };
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let warnings = diagnostics.len() - errors;
        let mut out = stdout();
        match self.format {
            TextFormat::Json => {
                let value = json!({
                    "rules": rules,
                    "errors": errors,
                    "warnings": warnings,
                    "diagnostics": diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
                });
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
            TextFormat::Text => {
                for diagnostic in &diagnostics {
                    writeln!(out, "{diagnostic}")?;
                }
                match rules {
                    Some(rules) => writeln!(out, "規則 {rules} 件、誤り 0 件、警告 {warnings} 件")?,
                    None => writeln!(out, "誤り {errors} 件、警告 {warnings} 件")?,
                }
            }
        }
        out.flush()?;
        Ok(if diagnostics.is_empty() { Outcome::Done } else { Outcome::Findings })
    }
}
