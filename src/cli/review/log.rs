//! `jirei review log`.

use std::io::Write;

use serde_json::json;

use super::{CasebookArgs, ListFormat, Outcome, described, moment};
use crate::{
    casebook::{Casebook, StoredBatch, StoredDecision},
    cli::{stdout, table},
    comment::CommentId,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    casebook: CasebookArgs,
    /// この作業の判断を一件ずつ並べる（いくつでも）
    #[arg(long, value_name = "番号")]
    batch: Vec<i64>,
    /// この番号のコメントについての判断を一件ずつ並べる（いくつでも）
    #[arg(long, value_name = "番号")]
    id: Vec<String>,
    /// この人のものだけ
    #[arg(long, value_name = "名前")]
    coder: Option<String>,
    /// 作業ごとにまとめず、すべての判断を一件ずつ並べる
    #[arg(long)]
    decisions: bool,
    /// 出力の形式（table、jsonl、csv）
    #[arg(long, value_enum, value_name = "形式", default_value = "table", hide_possible_values = true)]
    format: ListFormat,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let casebook = Casebook::open(&self.casebook.casebook)?;
        let by = |coder: &str| self.coder.as_deref().is_none_or(|wanted| wanted.trim() == coder);
        let mut out = stdout();
        if self.decisions || !self.batch.is_empty() || !self.id.is_empty() {
            let decisions = casebook.decisions()?;
            self.refuse_unknown(&casebook, &decisions)?;
            let wanted = decisions.iter().filter(|stored| {
                by(&stored.coder)
                    && (self.batch.is_empty() || self.batch.contains(&stored.batch))
                    && (self.id.is_empty() || self.id.iter().any(|id| *id == stored.decision.comment.as_str()))
            });
            self.write_decisions(&mut out, &casebook, &wanted.collect::<Vec<_>>())?;
        } else {
            let batches = casebook.batches()?;
            let wanted: Vec<&StoredBatch> = batches.iter().filter(|batch| by(&batch.info.coder)).collect();
            self.write_batches(&mut out, &wanted)?;
        }
        out.flush()?;
        Ok(Outcome::Done)
    }

    /// Refuses numbers that the casebook does not have; of a comment on which nothing was decided it says so.
    fn refuse_unknown(&self, casebook: &Casebook, decisions: &[StoredDecision]) -> anyhow::Result<()> {
        for batch in &self.batch {
            if decisions.iter().all(|stored| stored.batch != *batch) {
                anyhow::bail!(
                    "事例帳 {} に番号 {batch} の作業はありません（作業の番号は、--batch を付けない jirei review log で確かめられます）",
                    casebook.folder().display()
                );
            }
        }
        for id in &self.id {
            if decisions.iter().any(|stored| id == stored.decision.comment.as_str()) {
                continue;
            }
            if casebook.comment(&CommentId::new(id.as_str()))?.is_none() {
                anyhow::bail!(
                    "事例帳 {} に番号「{id}」のコメントはありません（コメントの番号は jirei search で確かめられます）",
                    casebook.folder().display()
                );
            }
            eprintln!("番号「{id}」のコメントについての判断はまだありません");
        }
        Ok(())
    }

    fn write_batches(&self, out: &mut dyn Write, batches: &[&StoredBatch]) -> anyhow::Result<()> {
        match self.format {
            ListFormat::Jsonl => {
                for batch in batches {
                    let line = json!({
                        "batch": batch.number,
                        "coder": batch.info.coder,
                        "decided_at": batch.info.decided_at,
                        "source": batch.info.source,
                        "decisions": batch.decisions,
                        "standing": batch.standing,
                    });
                    writeln!(out, "{line}")?;
                }
            }
            ListFormat::Csv => {
                out.write_all("\u{feff}".as_bytes())?;
                out.write_all(&table::csv_line(["batch", "coder", "decided_at", "source", "decisions", "standing"])?)?;
                for batch in batches {
                    out.write_all(&table::csv_line([
                        batch.number.to_string(),
                        batch.info.coder.clone(),
                        batch.info.decided_at.clone(),
                        batch.info.source.clone(),
                        batch.decisions.to_string(),
                        batch.standing.to_string(),
                    ])?)?;
                }
            }
            ListFormat::Table => {
                writeln!(out, "作業  いつ              だれが        判断  有効  何から")?;
                for batch in batches {
                    writeln!(
                        out,
                        "{:>4}  {}  {}  {:>4}  {:>4}  {}",
                        batch.number,
                        table::padded(&moment(&batch.info.decided_at), 17),
                        table::padded(&batch.info.coder, 12),
                        batch.decisions,
                        batch.standing,
                        batch.info.source
                    )?;
                }
            }
        }
        Ok(())
    }

    fn write_decisions(
        &self,
        out: &mut dyn Write,
        casebook: &Casebook,
        decisions: &[&StoredDecision],
    ) -> anyhow::Result<()> {
        let frame = casebook.frame()?;
        match self.format {
            ListFormat::Jsonl => {
                for stored in decisions {
                    let undone = stored.undone.as_ref().map(|undo| json!({"coder": undo.coder, "at": undo.at}));
                    let line = json!({
                        "decision": stored.number,
                        "batch": stored.batch,
                        "id": stored.decision.comment,
                        "judgement": stored.decision.judgement,
                        "coder": stored.coder,
                        "decided_at": stored.decided_at,
                        "by_rules": stored.by_rules,
                        "undone": undone,
                    });
                    writeln!(out, "{line}")?;
                }
            }
            ListFormat::Csv => {
                out.write_all("\u{feff}".as_bytes())?;
                let headers =
                    ["decision", "batch", "id", "about", "said", "coder", "decided_at", "undone_by", "undone_at"];
                out.write_all(&table::csv_line(headers)?)?;
                for stored in decisions {
                    let (about, said) = described(&stored.decision.judgement, &frame);
                    let undone = stored.undone.as_ref();
                    out.write_all(&table::csv_line([
                        stored.number.to_string(),
                        stored.batch.to_string(),
                        stored.decision.comment.to_string(),
                        about,
                        said,
                        stored.coder.clone(),
                        stored.decided_at.clone(),
                        undone.map_or_else(String::new, |undo| undo.coder.clone()),
                        undone.map_or_else(String::new, |undo| undo.at.clone()),
                    ])?)?;
                }
            }
            ListFormat::Table => {
                for stored in decisions {
                    let (about, said) = described(&stored.decision.judgement, &frame);
                    write!(
                        out,
                        "{:>5}  作業 {}  {}  {}  {about}: {said}  （{}）",
                        stored.number,
                        stored.batch,
                        moment(&stored.decided_at),
                        stored.decision.comment,
                        stored.coder
                    )?;
                    match &stored.undone {
                        Some(undo) => writeln!(out, "  {} {} さんが取り消し", moment(&undo.at), undo.coder)?,
                        None => writeln!(out)?,
                    }
                }
            }
        }
        Ok(())
    }
}
