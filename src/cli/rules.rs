//! `jirei rules`: tools for those who keep the rules.

use clap::Subcommand;

use super::{Outcome, Shared, stdout};
use crate::{
    comment::Comment,
    rule::{ExampleOutcome, Matcher},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 規則の誤りをすべて、場所とともに示す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Check,
    /// 規則に添えた例を試す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Test,
    /// ある文がどう分類され、なぜそうなるかを説明する
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// 説明する文
    #[arg(value_name = "文")]
    text: String,
    /// 設問（問11 など。規則が設問を見るとき）
    #[arg(long, value_name = "設問")]
    question: Option<String>,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let mut out = stdout();
        match self.command {
            Command::Check => {
                for warning in rules.warnings() {
                    writeln!(out, "{warning}")?;
                }
                writeln!(out, "規則 {} 件、警告 {} 件", rules.rules().count(), rules.warnings().len())?;
                out.flush()?;
                Ok(if rules.warnings().is_empty() { Outcome::Done } else { Outcome::Findings })
            }
            Command::Test => {
                let reports = rules.run_examples(&analyzer);
                let failed: Vec<_> = reports.iter().filter(|report| report.outcome != ExampleOutcome::Passed).collect();
                for report in &failed {
                    let place = report.span.line_column();
                    let what = match report.outcome {
                        ExampleOutcome::Missed => "当たるはずの例に当たりません（見落とし）",
                        ExampleOutcome::FalselyMatched => "当たらないはずの例に当たります（誤り）",
                        ExampleOutcome::Mended => "既知の誤りがなくなりました。match か no_match に移してください",
                        ExampleOutcome::Passed => continue,
                    };
                    writeln!(
                        out,
                        "{}:{}:{}: {}: {what}\n    {}",
                        report.span.source.path(),
                        place.line,
                        place.column,
                        report.rule,
                        report.text
                    )?;
                }
                writeln!(out, "例 {} 件、うち失敗 {} 件", reports.len(), failed.len())?;
                out.flush()?;
                Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Findings })
            }
            Command::Explain(explain) => {
                let mut comment = Comment::from_text(explain.text);
                comment.question = explain.question;
                let analysis = analyzer.worker().analyze(&comment.text);
                let traces = Matcher::new(&rules).trace(&analysis, &comment);
                let infos: Vec<_> = rules.rules().collect();
                for trace in traces.iter().filter(|trace| trace.fired || trace.clauses.len() > 1) {
                    let info = &infos[trace.rule];
                    let mark = if trace.fired { "○" } else { "×" };
                    writeln!(out, "{mark} {}", info.id)?;
                    for clause in &trace.clauses {
                        let text = clause.span.source.text().get(clause.span.byte_range.clone()).unwrap_or("");
                        writeln!(out, "    {} {text}", if clause.held { "○" } else { "×" })?;
                    }
                }
                out.flush()?;
                Ok(Outcome::Done)
            }
        }
    }
}
