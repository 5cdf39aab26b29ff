//! `jirei evaluate`: the rules against gold.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::{Outcome, Shared, stdout};
use crate::{
    classify::Classification,
    codebook::Codebook,
    comment::Comment,
    evaluate::{Counts, Evaluation, Gold, evaluate, section_ids},
    pipeline::Pipeline,
    report::quoted_evidence,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 正解つきのコメント（JSON Lines）。いくつでも指定できる
    #[arg(value_name = "ファイル", required = true)]
    files: Vec<PathBuf>,
    /// 出力の形式（table または json）
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "形式", hide_possible_values = true)]
    format: Format,
    /// 正解と違うコメントを、根拠とともに並べる
    #[arg(long)]
    errors: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Deserialize)]
struct GoldLine {
    #[serde(flatten)]
    comment: Comment,
    #[serde(flatten)]
    gold: Gold,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let mut lines = Vec::new();
        for path in &self.files {
            let file = File::open(path).with_context(|| format!("`{}` を開けません", path.display()))?;
            for (number, line) in BufReader::new(file).lines().enumerate() {
                let line = line.with_context(|| {
                    format!("{}:{}: 読めません（UTF-8 で保存されていますか）", path.display(), number + 1)
                })?;
                if line.trim().is_empty() {
                    continue;
                }
                let line: GoldLine = serde_json::from_str(line.trim_start_matches('\u{feff}'))
                    .with_context(|| format!("{}:{}: 正解の行として読めません", path.display(), number + 1))?;
                lines.push(line);
            }
        }
        if lines.is_empty() {
            anyhow::bail!("コメントが 1 件もありません");
        }
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        let classified: Vec<Classification> =
            lines.par_iter().map(|line| pipeline.classify(&line.comment, |_, classification| classification)).collect();
        let items =
            lines.iter().zip(&classified).map(|(line, classification)| (&line.comment.id, &line.gold, classification));
        let evaluation = evaluate(rules.codebook(), items)?;
        let mut out = stdout();
        match self.format {
            Format::Json => {
                self.write_json(&mut out, &evaluation, &lines, &classified, rules.codebook(), rules.version())?
            }
            Format::Table => {
                write_table(&mut out, &evaluation, rules.codebook())?;
                if self.errors {
                    write_errors(&mut out, &evaluation, &lines, &classified, rules.codebook())?;
                }
            }
        }
        out.flush()?;
        Ok(Outcome::Done)
    }

    fn write_json(
        &self,
        out: &mut dyn Write,
        evaluation: &Evaluation,
        lines: &[GoldLine],
        classified: &[Classification],
        codebook: &Codebook,
        rules_version: &str,
    ) -> anyhow::Result<()> {
        let counts = |counts: Counts| {
            json!({
                "tp": counts.true_positive, "fp": counts.false_positive, "fn": counts.false_negative,
                "support": counts.support(),
                "precision": round(counts.precision()), "recall": round(counts.recall()), "f1": round(counts.f1()),
            })
        };
        let categories: serde_json::Map<String, serde_json::Value> =
            evaluation.categories.iter().map(|(id, c)| (id.clone(), counts(*c))).collect();
        let mut value = json!({
            "comments": evaluation.comments,
            "rules_version": rules_version,
            "categories": categories,
            "micro": counts(evaluation.micro),
            "macro_f1": round(evaluation.macro_f1),
            "primary_accuracy": round(evaluation.primary_accuracy),
            "exact_match": round(evaluation.exact_match),
            "uncategorised": evaluation.uncategorised,
            "uncategorised_tagged": evaluation.uncategorised_tagged,
            "primary_confusion": evaluation.primary_confusion,
        });
        if self.errors {
            let errors: Vec<serde_json::Value> = evaluation
                .differences
                .iter()
                .map(|difference| {
                    let mut value = serde_json::to_value(difference).expect("a difference is plain data");
                    value["text"] = json!(lines[difference.index].comment.text);
                    value["evidence"] = json!(quoted_evidence(
                        &lines[difference.index].comment,
                        &classified[difference.index],
                        codebook
                    ));
                    value
                })
                .collect();
            value["errors"] = json!(errors);
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        Ok(())
    }
}

fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn write_table(out: &mut dyn Write, evaluation: &Evaluation, codebook: &Codebook) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["分類", "TP", "FP", "FN", "適合率", "再現率", "F1"]);
    let row = |name: String, counts: Counts| {
        let mut row = vec![name];
        row.extend([counts.true_positive, counts.false_positive, counts.false_negative].map(|n| n.to_string()));
        row.extend([counts.precision(), counts.recall(), counts.f1()].map(|share| format!("{share:.3}")));
        row
    };
    for (id, counts) in &evaluation.categories {
        table.add_row(row(format!("{id}（{}）", codebook.short_of(id)), *counts));
    }
    table.add_row(row("合計（micro）".to_owned(), evaluation.micro));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "コメント {} 件  macro F1 {:.3}  主分類の正解率 {:.3}  完全一致 {:.3}",
        evaluation.comments, evaluation.macro_f1, evaluation.primary_accuracy, evaluation.exact_match
    )?;
    writeln!(
        out,
        "分類のないコメント {} 件のうち、分類を付けたもの {} 件",
        evaluation.uncategorised, evaluation.uncategorised_tagged
    )?;
    let mut names = section_ids(codebook);
    names.push("none".to_owned());
    let mut confusion = Table::new();
    let shown = |id: &String| if id == "none" { "なし".to_owned() } else { codebook.short_of(id).to_owned() };
    let header: Vec<String> =
        std::iter::once("主分類（行: 正解、列: 判定）".to_owned()).chain(names.iter().map(shown)).collect();
    confusion.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    for wanted in &names {
        let given = evaluation.primary_confusion.get(wanted);
        let cells =
            names.iter().map(|name| given.and_then(|given| given.get(name)).map_or(String::new(), usize::to_string));
        confusion.add_row(std::iter::once(shown(wanted)).chain(cells));
    }
    for column in confusion.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{confusion}")?;
    Ok(())
}

fn write_errors(
    out: &mut dyn Write,
    evaluation: &Evaluation,
    lines: &[GoldLine],
    classified: &[Classification],
    codebook: &Codebook,
) -> anyhow::Result<()> {
    let shown = |ids: &[String]| ids.iter().map(|id| codebook.short_of(id)).collect::<Vec<_>>().join("・");
    for difference in &evaluation.differences {
        let comment = &lines[difference.index].comment;
        write!(out, "\n{}", difference.id)?;
        if let Some(question) = &comment.question {
            write!(out, "（{question}）")?;
        }
        writeln!(out, " {}", comment.text.replace('\n', "⏎"))?;
        if !difference.missing.is_empty() {
            writeln!(out, "  付かなかった: {}", shown(&difference.missing))?;
        }
        if !difference.wrong.is_empty() {
            writeln!(out, "  余分に付いた: {}", shown(&difference.wrong))?;
        }
        if let Some(primary) = &difference.wrong_primary {
            writeln!(
                out,
                "  主分類: 判定 {}、正解 {}",
                primary.given.as_deref().map_or("なし", |id| codebook.short_of(id)),
                if primary.wanted.is_empty() { "なし".to_owned() } else { shown(&primary.wanted) }
            )?;
        }
        for item in quoted_evidence(comment, &classified[difference.index], codebook) {
            writeln!(out, "    {} ← {}「{}」", codebook.short_of(item.category), item.rule, item.text)?;
        }
    }
    Ok(())
}
