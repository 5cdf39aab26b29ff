//! `jirei rules coverage`: what each rule does on a body of comments.

use std::{io::Write, path::PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Outcome, Shared, TableFormat, corpus::Corpus, merged, one_line, place, place_json, round};
use crate::{
    classify::Classification,
    cli::{input::InputArgs, output, stdout, table::csv_line},
    codebook::{CategoryIndex, Codebook},
    rule::{Coverage, CoverageItem, Overlap, RuleInfo, RuleKind, RuleSet, Strength},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 出力の形式（table または json）
    #[arg(long, value_enum, default_value_t = TableFormat::Table, value_name = "形式", hide_possible_values = true)]
    format: TableFormat,
    /// どの規則も当たらないコメントを、この数まで並べる
    #[arg(long, value_name = "件数", default_value_t = 0)]
    uncovered: usize,
    /// 重なりの大きい規則の組を、この数まで並べる
    #[arg(long, value_name = "件数", default_value_t = 10)]
    overlaps: usize,
    /// コメント × 分類・規則の表（当たれば 1）を書き出す。KH Coder の「文書×コード」に当たる
    #[arg(long, value_name = "ファイル.csv")]
    matrix: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        if let Some(path) = &self.matrix {
            output::refuse_inputs(path, self.input.paths())?;
        }
        let matrix = self.matrix.as_deref().map(output::OutputFile::create).transpose()?;
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let corpus = Corpus::read(&self.input)?;
        corpus.check_gold(rules.codebook())?;
        let outcomes: Vec<(Vec<usize>, Classification)> =
            corpus.map(&analyzer, &rules, |comment, analysis, matcher| {
                (matcher.fired_rules(analysis, comment), matcher.classify(analysis, comment))
            });
        if let Some(file) = matrix {
            output::finish(file, &matrix_csv(&rules, &corpus, &outcomes)?)?;
        }
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
        writeln!(
            out,
            "コメント {} 件（正解つき {} 件）  分類のないコメント {} 件  どの規則も当たらないコメント {} 件\n",
            coverage.comments,
            coverage.gold_comments,
            coverage.uncategorised,
            coverage.untouched.len()
        )?;
        let mut table = Table::new();
        let mut header = vec!["規則", "当たり", "付与", "単独", "重なり"];
        if corpus.has_gold() {
            header.extend(["適合率", "単独で正", "単独で誤"]);
        }
        table.load_style(presets::NOTHING).set_header(header);
        let mut group = None;
        for (info, counts) in infos.iter().zip(&coverage.rules).filter(|(_, counts)| counts.hits > 0) {
            // The rules of a file have mostly one category: it is said once.
            let categories = categories(info, rules.codebook());
            if group.as_ref() != Some(&categories) {
                table.add_row([categories.clone()]);
                group = Some(categories);
            }
            let is_exclusion = info.kind == RuleKind::Exclude;
            let mut row = vec![format!("  {}{}", info.id, kind(info)), counts.hits.to_string()];
            // An exclusion gives nothing.
            row.extend([counts.given, counts.unique].map(|count| match is_exclusion {
                true => String::new(),
                false => count.to_string(),
            }));
            row.push(counts.overlapping.to_string());
            if corpus.has_gold() {
                row.push(counts.precision().map_or(String::new(), |precision| format!("{precision:.3}")));
                row.extend([counts.right_alone, counts.wrong_alone].map(|count| match count {
                    0 => String::new(),
                    count => count.to_string(),
                }));
            }
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_padding((0, 1));
        }
        writeln!(out, "{}", table.trim_fmt())?;
        let idle: Vec<&RuleInfo<'_>> =
            infos.iter().zip(&coverage.rules).filter(|(_, counts)| counts.hits == 0).map(|(info, _)| info).collect();
        if !idle.is_empty() {
            writeln!(out, "\n一度も当たらない規則 {} 件", idle.len())?;
            for info in idle {
                writeln!(out, "  {}  {}", info.id, place(&info.span))?;
            }
        }
        let overlaps = self.shown_overlaps(coverage);
        if !overlaps.is_empty() {
            writeln!(out, "\n同じコメントに当たる規則の組")?;
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(["両方", "どちらか", "割合", "規則の組"]);
            for overlap in overlaps {
                table.add_row([
                    overlap.both.to_string(),
                    overlap.either.to_string(),
                    format!("{:.0} %", 100.0 * overlap.share()),
                    format!("{}\n{}", infos[overlap.first].id, infos[overlap.second].id),
                ]);
            }
            for column in table.column_iter_mut().take(3) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            writeln!(out, "{}", table.trim_fmt())?;
        }
        if self.uncovered == 0 && !coverage.untouched.is_empty() {
            writeln!(out, "\nどの規則も当たらないコメントは --uncovered 20 のように付けると読めます")?;
        }
        if self.uncovered > 0 && !coverage.untouched.is_empty() {
            writeln!(out, "\nどの規則も当たらないコメント")?;
            for &index in coverage.untouched.iter().take(self.uncovered) {
                let comment = &corpus.comments[index];
                writeln!(out, "  {}  {}", comment.id, one_line(&comment.text, 120))?;
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
                        "right_alone": counts.right_alone,
                        "wrong_alone": counts.wrong_alone,
                    }),
                    place_json(&info.span),
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

/// One line a comment, as Excel opens it: 1 where it has the category, where the rule fires.
fn matrix_csv(rules: &RuleSet, corpus: &Corpus, outcomes: &[(Vec<usize>, Classification)]) -> anyhow::Result<Vec<u8>> {
    let mark = |holds: bool| if holds { "1" } else { "0" }.to_owned();
    let mut header = vec!["id".to_owned()];
    header.extend(rules.codebook().categories().iter().map(|category| category.id.to_string()));
    header.extend(rules.rules().map(|rule| format!("rule:{}", rule.id)));
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(csv_line(&header)?);
    for (comment, (fired, classification)) in corpus.comments.iter().zip(outcomes) {
        let mut line = vec![comment.id.to_string()];
        let has = |index| classification.categories().any(|category| category == index);
        line.extend(rules.codebook().iter().map(|(index, _)| mark(has(index))));
        line.extend((0..rules.rules().count()).map(|rule| mark(fired.binary_search(&rule).is_ok())));
        bytes.extend(csv_line(&line)?);
    }
    Ok(bytes)
}

fn categories(info: &RuleInfo<'_>, codebook: &Codebook) -> String {
    match info.categories.len() == codebook.len() && codebook.len() > 1 {
        true => "すべての分類".to_owned(),
        false => {
            let name = |&category: &CategoryIndex| format!("{}（{}）", codebook[category].id, codebook[category].short);
            info.categories.iter().map(name).collect::<Vec<_>>().join("・")
        }
    }
}

/// What is unusual about a rule.
fn kind(info: &RuleInfo<'_>) -> &'static str {
    match (info.kind, info.strength) {
        (RuleKind::Assign, Strength::Strong) => "",
        (RuleKind::Assign, Strength::Weak) => "（弱）",
        (RuleKind::Exclude, Strength::Strong) => "（除外）",
        (RuleKind::Exclude, Strength::Weak) => "（除外・弱）",
    }
}
