//! `jirei rules compare`: what changes from one rule folder to another.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Outcome, Shared, TableFormat, corpus::Corpus, merged, one_line};
use crate::{
    analyze::Analyzer,
    classify::Classification,
    cli::{input::InputArgs, read_rule_folder, stdout},
    rule::{Change, ComparedItem, Comparison, RuleSet},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 元の規則のフォルダー（「-」なら組み込みの規則）
    #[arg(value_name = "元のフォルダー")]
    old: PathBuf,
    /// 新しい規則のフォルダー（「-」なら組み込みの規則）
    #[arg(value_name = "新しいフォルダー")]
    new: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// 変わったコメントを、分類ごとにこの数まで並べる
    #[arg(long, value_name = "件数", default_value_t = 20)]
    limit: usize,
    /// 出力の形式（table または json）
    #[arg(long, value_enum, default_value_t = TableFormat::Table, value_name = "形式", hide_possible_values = true)]
    format: TableFormat,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let old = rule_set(&self.old, &analyzer)?;
        let new = rule_set(&self.new, &analyzer)?;
        let corpus = Corpus::read(&self.input)?;
        let classify = |rules: &RuleSet| -> Vec<Classification> {
            corpus.map(&analyzer, rules, |comment, analysis, matcher| matcher.classify(analysis, comment))
        };
        let (before, after) = (classify(&old), classify(&new));
        let items: Vec<ComparedItem<'_>> = before
            .iter()
            .zip(&after)
            .zip(&corpus.gold)
            .map(|((old, new), gold)| ComparedItem { old, new, gold: gold.as_ref() })
            .collect();
        let comparison = Comparison::build(old.codebook(), new.codebook(), &items);
        let mut out = stdout();
        match self.format {
            TableFormat::Table => {
                // A category that the new rules lack has the name that the old ones give it.
                let name = |id: &str| match new.codebook().index_of(id) {
                    Some(_) => new.codebook().short_of(id).to_owned(),
                    None => old.codebook().short_of(id).to_owned(),
                };
                write_table(&mut out, &comparison, &corpus, self.limit, name)?;
            }
            TableFormat::Json => {
                let value = merged(
                    json!({"old_version": old.version(), "new_version": new.version()}),
                    to_json(&comparison, &corpus),
                );
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
        }
        out.flush()?;
        Ok(if corpus.clean { Outcome::Done } else { Outcome::Findings })
    }
}

fn rule_set(folder: &Path, analyzer: &Analyzer) -> anyhow::Result<RuleSet> {
    Ok(match folder.as_os_str() == "-" {
        true => RuleSet::embedded(analyzer)?,
        false => RuleSet::from_sources(&read_rule_folder(folder)?, analyzer)?,
    })
}

fn write_table(
    out: &mut dyn Write,
    comparison: &Comparison,
    corpus: &Corpus,
    limit: usize,
    name: impl Fn(&str) -> String,
) -> anyhow::Result<()> {
    let has_gold = corpus.has_gold();
    let mut table = Table::new();
    let mut header = vec!["分類", "元", "新", "増えた", "減った"];
    if has_gold {
        header.extend(["よくなった", "悪くなった"]);
    }
    table.load_style(presets::NOTHING).set_header(header);
    for change in &comparison.categories {
        let (gained, lost) = (change.gained.len(), change.lost.len());
        let mut row = vec![format!("{}（{}）", change.category, name(&change.category))];
        row.extend([change.kept + lost, change.kept + gained, gained, lost].map(|count| count.to_string()));
        if has_gold {
            let count = |better| {
                change.gained.iter().chain(&change.lost).filter(|change| change.is_better == Some(better)).count()
            };
            row.extend([count(true), count(false)].map(|count| count.to_string()));
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    writeln!(out, "コメント {} 件、主分類の変わったコメント {} 件", comparison.comments, comparison.primary.len())?;
    let line = |out: &mut dyn Write, mark: &str, index: usize, is_better: Option<bool>| -> std::io::Result<()> {
        let comment = &corpus.comments[index];
        let verdict = match is_better {
            Some(true) => "（正解に近づく）",
            Some(false) => "（正解から離れる）",
            None => "",
        };
        writeln!(out, "  {mark} {}{verdict}  {}", comment.id, one_line(&comment.text, 120))
    };
    for change in &comparison.categories {
        if change.gained.is_empty() && change.lost.is_empty() {
            continue;
        }
        writeln!(out, "\n{}（{}）", change.category, name(&change.category))?;
        let changes =
            change.gained.iter().map(|gained| ("＋", gained)).chain(change.lost.iter().map(|lost| ("－", lost)));
        for (mark, change) in changes.take(limit) {
            line(out, mark, change.index, change.is_better)?;
        }
        write_rest(out, change.gained.len() + change.lost.len(), limit)?;
    }
    if !comparison.primary.is_empty() {
        writeln!(out, "\n主分類")?;
        for change in comparison.primary.iter().take(limit) {
            let name = |id: &Option<String>| id.as_deref().map_or_else(|| "なし".to_owned(), &name);
            line(out, &format!("{} → {}", name(&change.old), name(&change.new)), change.index, change.is_better)?;
        }
        write_rest(out, comparison.primary.len(), limit)?;
    }
    Ok(())
}

/// Says how many are not shown.
fn write_rest(out: &mut dyn Write, count: usize, limit: usize) -> std::io::Result<()> {
    match count.checked_sub(limit) {
        None | Some(0) => Ok(()),
        Some(rest) => writeln!(out, "  ほか {rest} 件（--limit で増やせます）"),
    }
}

fn to_json(comparison: &Comparison, corpus: &Corpus) -> Value {
    let comment = |index: usize| json!({"id": corpus.comments[index].id, "text": corpus.comments[index].text});
    let changes = |changes: &[Change]| -> Vec<Value> {
        changes.iter().map(|change| merged(comment(change.index), json!({"better": change.is_better}))).collect()
    };
    let categories: Vec<Value> = comparison
        .categories
        .iter()
        .map(|change| {
            json!({
                "category": change.category,
                "old": change.kept + change.lost.len(),
                "new": change.kept + change.gained.len(),
                "gained": changes(&change.gained),
                "lost": changes(&change.lost),
            })
        })
        .collect();
    let primary: Vec<Value> = comparison
        .primary
        .iter()
        .map(|change| {
            merged(comment(change.index), json!({"old": change.old, "new": change.new, "better": change.is_better}))
        })
        .collect();
    json!({"comments": comparison.comments, "categories": categories, "primary": primary})
}
