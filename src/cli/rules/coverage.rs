//! `jirei rules coverage`: what each rule does on a body of comments.

use std::io::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Outcome, Shared, TableFormat, corpus::Corpus, merged, one_line, place, place_json, round};
use crate::{
    classify::Classification,
    cli::{input::InputArgs, stdout},
    codebook::Codebook,
    rule::{Coverage, CoverageItem, Overlap, RuleInfo, RuleKind, RuleSet, Strength},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 出力の形式（table または json）
    #[arg(long, value_enum, default_value_t = TableFormat::Table, value_name = "形式", hide_possible_values = true)]
    format: TableFormat,
    /// どの規則も当たらない回答を、この数まで並べる
    #[arg(long, value_name = "件数", default_value_t = 0)]
    uncovered: usize,
    /// 重なりの大きい規則の組を、この数まで並べる
    #[arg(long, value_name = "件数", default_value_t = 10)]
    overlaps: usize,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let corpus = Corpus::read(&self.input)?;
        corpus.check_gold(rules.codebook())?;
        let outcomes: Vec<(Vec<usize>, Classification)> =
            corpus.map(&analyzer, &rules, |comment, analysis, matcher| {
                (matcher.fired_rules(analysis, comment), matcher.classify(analysis, comment))
            });
        let items: Vec<CoverageItem<'_>> = outcomes
            .iter()
            .zip(&corpus.gold)
            .map(|((fired, classification), gold)| CoverageItem {
                fired: fired.clone(),
                classification,
                gold: gold.as_ref(),
            })
            .collect();
        let coverage = rules.coverage(&items);
        let mut out = stdout();
        match self.format {
            TableFormat::Table => self.write_table(&mut out, &coverage, &rules, &corpus)?,
            TableFormat::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&self.json(&coverage, &rules, &corpus))?)?;
            }
        }
        out.flush()?;
        Ok(if corpus.clean { Outcome::Done } else { Outcome::Findings })
    }

    fn write_table(
        &self,
        out: &mut dyn Write,
        coverage: &Coverage,
        rules: &RuleSet,
        corpus: &Corpus,
    ) -> anyhow::Result<()> {
        let infos: Vec<RuleInfo<'_>> = rules.rules().collect();
        let mut table = Table::new();
        let mut header = vec!["規則", "分類", "種類", "当たり", "付与", "単独", "重なり"];
        if corpus.has_gold() {
            header.push("適合率");
        }
        table.load_style(presets::NOTHING).set_header(header);
        for (info, counts) in infos.iter().zip(&coverage.rules) {
            let mut row = vec![info.id.to_string(), categories(info, rules.codebook()), kind(info).to_owned()];
            let is_exclusion = info.kind == RuleKind::Exclude;
            row.push(counts.hits.to_string());
            // An exclusion gives nothing.
            row.extend([counts.given, counts.unique].map(|count| match is_exclusion {
                true => String::new(),
                false => count.to_string(),
            }));
            row.push(counts.overlapping.to_string());
            if corpus.has_gold() {
                row.push(counts.precision().map_or(String::new(), |precision| format!("{precision:.3}")));
            }
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(3) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(out, "{}", table.trim_fmt())?;
        writeln!(
            out,
            "回答 {} 件（正解つき {} 件）  分類のない回答 {} 件  どの規則も当たらない回答 {} 件",
            coverage.comments,
            coverage.gold_comments,
            coverage.uncategorised,
            coverage.untouched.len()
        )?;
        let idle: Vec<&RuleInfo<'_>> =
            infos.iter().zip(&coverage.rules).filter(|(_, counts)| counts.hits == 0).map(|(info, _)| info).collect();
        if !idle.is_empty() {
            writeln!(out, "\n一度も当たらない規則 {} 件", idle.len())?;
            for info in idle {
                writeln!(out, "  {}  {}", info.id, place(info.span))?;
            }
        }
        let overlaps = self.shown_overlaps(coverage);
        if !overlaps.is_empty() {
            writeln!(out, "\n同じ回答に当たる規則の組")?;
            for overlap in overlaps {
                writeln!(
                    out,
                    "  {} と {}: 両方 {} 件、どちらか {} 件（{:.0} %）",
                    infos[overlap.first].id,
                    infos[overlap.second].id,
                    overlap.both,
                    overlap.either,
                    100.0 * overlap.share()
                )?;
            }
        }
        if self.uncovered > 0 && !coverage.untouched.is_empty() {
            writeln!(out, "\nどの規則も当たらない回答")?;
            for &index in coverage.untouched.iter().take(self.uncovered) {
                let comment = &corpus.comments[index];
                writeln!(out, "  {}  {}", comment.id, one_line(&comment.text, 200))?;
            }
        }
        Ok(())
    }

    fn shown_overlaps<'c>(&self, coverage: &'c Coverage) -> &'c [Overlap] {
        &coverage.overlaps[..coverage.overlaps.len().min(self.overlaps)]
    }

    fn json(&self, coverage: &Coverage, rules: &RuleSet, corpus: &Corpus) -> Value {
        let infos: Vec<RuleInfo<'_>> = rules.rules().collect();
        let entries: Vec<Value> = infos
            .iter()
            .zip(&coverage.rules)
            .map(|(info, counts)| {
                let categories: Vec<&str> =
                    info.categories.iter().map(|&category| &*rules.codebook()[category].id).collect();
                merged(
                    json!({
                        "rule": info.id,
                        "categories": categories,
                        "kind": if info.kind == RuleKind::Exclude { "exclude" } else { "assign" },
                        "strength": if info.strength == Strength::Weak { "weak" } else { "strong" },
                        "hits": counts.hits,
                        "given": counts.given,
                        "unique": counts.unique,
                        "overlapping": counts.overlapping,
                        "right": counts.right,
                        "wrong": counts.wrong,
                        "precision": counts.precision().map(round),
                    }),
                    place_json(info.span),
                )
            })
            .collect();
        let idle: Vec<&str> = infos
            .iter()
            .zip(&coverage.rules)
            .filter(|(_, counts)| counts.hits == 0)
            .map(|(info, _)| &**info.id)
            .collect();
        let overlaps: Vec<Value> = self
            .shown_overlaps(coverage)
            .iter()
            .map(|overlap| {
                json!({
                    "first": infos[overlap.first].id,
                    "second": infos[overlap.second].id,
                    "both": overlap.both,
                    "either": overlap.either,
                    "jaccard": round(overlap.share()),
                })
            })
            .collect();
        let uncovered: Vec<Value> = coverage
            .untouched
            .iter()
            .take(self.uncovered)
            .map(|&index| json!({"id": corpus.comments[index].id, "text": corpus.comments[index].text}))
            .collect();
        json!({
            "comments": coverage.comments,
            "gold_comments": coverage.gold_comments,
            "uncategorised": coverage.uncategorised,
            "untouched": coverage.untouched.len(),
            "rules_version": rules.version(),
            "rules": entries,
            "without_hits": idle,
            "overlaps": overlaps,
            "uncovered": uncovered,
        })
    }
}

fn categories(info: &RuleInfo<'_>, codebook: &Codebook) -> String {
    match info.categories.len() == codebook.len() && codebook.len() > 1 {
        true => "*".to_owned(),
        false => info.categories.iter().map(|&category| &*codebook[category].id).collect::<Vec<_>>().join("・"),
    }
}

fn kind(info: &RuleInfo<'_>) -> &'static str {
    match (info.kind, info.strength) {
        (RuleKind::Assign, Strength::Strong) => "付与",
        (RuleKind::Assign, Strength::Weak) => "付与（弱）",
        (RuleKind::Exclude, Strength::Strong) => "除外",
        (RuleKind::Exclude, Strength::Weak) => "除外（弱）",
    }
}
