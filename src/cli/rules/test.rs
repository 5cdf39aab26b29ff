//! `jirei rules test`: the examples beside the rules.

use serde_json::json;

use super::{Outcome, Shared, TextFormat, merged, place, place_json};
use crate::{
    cli::stdout,
    rule::{ExampleKind, ExampleOutcome, ExampleReport},
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
        let rules = shared.rule_set(&analyzer)?;
        let reports = rules.run_examples(&analyzer);
        let count = |outcome| reports.iter().filter(|report| report.outcome == outcome).count();
        let missed = count(ExampleOutcome::Missed);
        let falsely_matched = count(ExampleOutcome::FalselyMatched);
        let mended = count(ExampleOutcome::Mended);
        let failed: Vec<&ExampleReport> =
            reports.iter().filter(|report| report.outcome != ExampleOutcome::Passed).collect();
        let mut out = stdout();
        match self.format {
            TextFormat::Json => {
                let failures: Vec<serde_json::Value> = failed
                    .iter()
                    .map(|report| {
                        let value = json!({
                            "outcome": outcome_key(report.outcome),
                            "rule": report.rule,
                            "mark": mark(report.kind),
                            "text": report.text,
                        });
                        merged(value, place_json(&report.span))
                    })
                    .collect();
                let value = json!({
                    "examples": reports.len(),
                    "passed": reports.len() - failed.len(),
                    "false_negatives": missed,
                    "false_positives": falsely_matched,
                    "mended": mended,
                    "failures": failures,
                });
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
            TextFormat::Text => {
                for report in &failed {
                    let what = match report.outcome {
                        ExampleOutcome::Missed => "当たるはずの例に当たりません（見落とし）",
                        ExampleOutcome::FalselyMatched => "当たらないはずの例に当たります（誤り）",
                        ExampleOutcome::Mended => "既知の誤りがなくなりました。match か no_match に移してください",
                        ExampleOutcome::Passed => continue,
                    };
                    writeln!(out, "{}: {}: {what}\n    {}", place(&report.span), report.rule, report.text)?;
                }
                write!(out, "例 {} 件、うち失敗 {} 件", reports.len(), failed.len())?;
                if !failed.is_empty() {
                    write!(out, "（見落とし {missed}、誤り {falsely_matched}、直った既知の誤り {mended}）")?;
                }
                writeln!(out)?;
            }
        }
        out.flush()?;
        Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Findings })
    }
}

fn outcome_key(outcome: ExampleOutcome) -> &'static str {
    match outcome {
        ExampleOutcome::Passed => "passed",
        ExampleOutcome::Missed => "false_negative",
        ExampleOutcome::FalselyMatched => "false_positive",
        ExampleOutcome::Mended => "mended",
    }
}

fn mark(kind: ExampleKind) -> &'static str {
    match kind {
        ExampleKind::Match => "match",
        ExampleKind::NoMatch => "no_match",
        ExampleKind::KnownMiss => "known_miss",
        ExampleKind::KnownFalse => "known_false",
    }
}
