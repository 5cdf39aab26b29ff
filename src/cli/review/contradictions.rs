//! `jirei review contradictions`.

use std::io::Write;

use serde_json::json;

use super::{CasebookArgs, ListFormat, Outcome, described, moment};
use crate::{
    casebook::Casebook,
    cli::{stdout, table},
    review::{Contradiction, ContradictionKind, contradictions},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    casebook: CasebookArgs,
    /// 出力の形式（table、jsonl、csv）
    #[arg(long, value_enum, value_name = "形式", default_value = "table", hide_possible_values = true)]
    format: ListFormat,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let casebook = Casebook::open(&self.casebook.casebook)?;
        let frame = casebook.frame()?;
        let found = contradictions(&casebook)?;
        let mut out = stdout();
        if self.format == ListFormat::Csv {
            out.write_all("\u{feff}".as_bytes())?;
            let headers = [
                "kind",
                "decision",
                "id",
                "about",
                "said",
                "by_rules_then",
                "by_rules_now",
                "coder",
                "decided_at",
                "text",
            ];
            out.write_all(&table::csv_line(headers)?)?;
        }
        let mut last_kind = None;
        for contradiction in &found {
            let Contradiction { kind, decision, by_rules_now, comment } = contradiction;
            let (about, said) = described(&decision.decision.judgement, &frame);
            match self.format {
                ListFormat::Jsonl => {
                    let line = json!({
                        "kind": name(*kind),
                        "decision": decision.number,
                        "id": decision.decision.comment,
                        "judgement": decision.decision.judgement,
                        "by_rules_then": decision.by_rules,
                        "by_rules_now": by_rules_now,
                        "coder": decision.coder,
                        "decided_at": decision.decided_at,
                        "text": comment.comment.text,
                    });
                    writeln!(out, "{line}")?;
                }
                ListFormat::Csv => out.write_all(&table::csv_line([
                    name(*kind).to_owned(),
                    decision.number.to_string(),
                    decision.decision.comment.to_string(),
                    about,
                    said,
                    given(decision.by_rules).to_owned(),
                    given(*by_rules_now).to_owned(),
                    decision.coder.clone(),
                    decision.decided_at.clone(),
                    comment.comment.text.clone(),
                ])?)?,
                ListFormat::Table => {
                    if last_kind.replace(*kind) != Some(*kind) {
                        writeln!(out, "{}", heading(*kind))?;
                    }
                    let rules = match (decision.by_rules, by_rules_now) {
                        (Some(then), Some(now)) => format!("、規則 {} → {}", mark(then), mark(*now)),
                        _ => String::new(),
                    };
                    writeln!(
                        out,
                        "  判断 {}  {}  {about}: {said}（{}、{}{rules}）\n    {}",
                        decision.number,
                        decision.decision.comment,
                        decision.coder,
                        moment(&decision.decided_at),
                        crate::report::one_line(&comment.comment.text)
                    )?;
                }
            }
        }
        out.flush()?;
        let count = |kind| found.iter().filter(|contradiction| contradiction.kind == kind).count();
        let (opposed, settled, changed) = (
            count(ContradictionKind::Opposed),
            count(ContradictionKind::Settled),
            count(ContradictionKind::TextChanged),
        );
        eprintln!("規則が離れた判断 {opposed} 件、規則が追いついた判断 {settled} 件、本文が変わった判断 {changed} 件");
        Ok(if opposed + changed > 0 { Outcome::Findings } else { Outcome::Done })
    }
}

fn name(kind: ContradictionKind) -> &'static str {
    match kind {
        ContradictionKind::Opposed => "opposed",
        ContradictionKind::Settled => "settled",
        ContradictionKind::TextChanged => "text_changed",
    }
}

fn heading(kind: ContradictionKind) -> &'static str {
    match kind {
        ContradictionKind::Opposed => "規則が判断から離れたもの（判断のときは同じだった）",
        ContradictionKind::Settled => "規則が判断に追いついたもの（判断のときは違っていた。そのままでよい）",
        ContradictionKind::TextChanged => "判断のあとで本文が取り込み直されたもの（本文を読み直してください）",
    }
}

fn given(by_rules: Option<bool>) -> &'static str {
    match by_rules {
        Some(true) => "1",
        Some(false) => "0",
        None => "",
    }
}

fn mark(by_rules: bool) -> &'static str {
    if by_rules { "○" } else { "なし" }
}
