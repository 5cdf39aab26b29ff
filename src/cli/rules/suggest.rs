//! `jirei rules suggest`: words that mark the comments that the rules miss.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Outcome, Shared, corpus::Corpus, round, snippet};
use crate::{
    analyze::AnalysisWorker,
    classify::Classification,
    cli::{input::InputArgs, stdout},
    codebook::{CategoryIndex, Codebook},
    diagnostic::closest,
    evaluate::Gold,
    keyness::SIGNIFICANT,
    rule::{Side, Suggestion, Term, TermIndex},
};

/// Words of the line that can be pasted.
const PASTED: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// この分類についてだけ調べる（正解があれば見落としと誤り、なければこの分類が付いたコメント）
    #[arg(long, value_name = "分類")]
    category: Option<String>,
    /// 語を並べる数
    #[arg(long, value_name = "件数", default_value_t = 30)]
    limit: usize,
    /// この件数より少ないコメントにしか現れない語は出さない
    #[arg(long, value_name = "件数", default_value_t = 2)]
    least: usize,
    /// 対象のコメントに少ない語も並べる
    #[arg(long)]
    under: bool,
    /// 出力の形式（table、toml または json）。toml は、要らない行を消して規則に貼り付けられる
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "形式", hide_possible_values = true)]
    format: Format,
}

/// A table for a person, lines of a rule file, or data for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Toml,
    Json,
}

/// What the comments of the target have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// No category.
    Uncovered,
    /// The category asked for, without gold.
    Given,
    /// A category that gold wants is missing.
    Missed,
    /// A category that gold does not want.
    Wrong,
}

impl Purpose {
    fn key(self) -> &'static str {
        match self {
            Self::Uncovered => "uncovered",
            Self::Given => "given",
            Self::Missed => "missed",
            Self::Wrong => "wrong",
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Uncovered => "分類の付かないコメントに多い語（付いたコメントと比べて）",
            Self::Given => "この分類が付いたコメントに多い語（ほかのコメントと比べて）",
            Self::Missed => "見落としたコメントに多い語",
            Self::Wrong => "誤って付けたコメントに多い語",
        }
    }

    /// Where a rule takes such words.
    fn rule_key(self) -> &'static str {
        match self {
            Self::Wrong => "unless",
            Self::Uncovered | Self::Given | Self::Missed => "pattern",
        }
    }
}

struct Group {
    purpose: Purpose,
    target: usize,
    reference: usize,
    suggestions: Vec<Suggestion>,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let codebook = rules.codebook();
        let category = self.category.as_deref().map(|id| self.category(id, codebook)).transpose()?;
        let corpus = Corpus::read(&self.input)?;
        corpus.check_gold(codebook)?;
        let outcomes: Vec<(Classification, Vec<Term>)> = corpus.map(&analyzer, &rules, |comment, analysis, matcher| {
            (matcher.classify(analysis, comment), Term::of(analysis))
        });
        let mut terms = TermIndex::default();
        let mut classified = Vec::with_capacity(outcomes.len());
        for (classification, of_comment) in outcomes {
            classified.push(classification);
            terms.add(of_comment);
        }
        let purposes: &[Purpose] = match (corpus.has_gold(), category) {
            (true, _) => &[Purpose::Missed, Purpose::Wrong],
            (false, None) => &[Purpose::Uncovered],
            (false, Some(_)) => &[Purpose::Given],
        };
        let groups: Vec<Group> = purposes
            .iter()
            .map(|&purpose| {
                let side =
                    |index: usize| side(purpose, category, &classified[index], corpus.gold[index].as_ref(), codebook);
                let sides: Vec<Side> = (0..classified.len()).map(side).collect();
                let count = |wanted| sides.iter().filter(|&&side| side == wanted).count();
                let suggestions = self.cut(terms.rank(|index| sides[index], self.least.max(1)));
                Group { purpose, target: count(Side::Target), reference: count(Side::Reference), suggestions }
            })
            .collect();
        let mut worker = analyzer.worker();
        let mut out = stdout();
        match self.format {
            Format::Table => {
                for (index, group) in groups.iter().enumerate() {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    write_group(&mut out, group, &corpus, &mut worker)?;
                }
            }
            Format::Toml => {
                for (index, group) in groups.iter().enumerate() {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    write_toml(&mut out, group, &corpus, &mut worker)?;
                }
            }
            Format::Json => {
                let groups: Vec<Value> = groups.iter().map(|group| to_json(group, &corpus, &mut worker)).collect();
                let value = json!({
                    "comments": corpus.comments.len(),
                    "category": self.category,
                    "groups": groups,
                });
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
        }
        out.flush()?;
        Ok(if corpus.clean { Outcome::Done } else { Outcome::Findings })
    }

    fn category(&self, id: &str, codebook: &Codebook) -> anyhow::Result<CategoryIndex> {
        codebook.index_of(id).ok_or_else(|| {
            let hint = closest(id, codebook.categories().iter().map(|category| &*category.id))
                .map_or(String::new(), |close| format!("（「{close}」ではありませんか）"));
            anyhow::anyhow!("分類「{id}」は codebook.toml にありません{hint}")
        })
    }

    /// The first words that mark the target, then, where asked for, the last ones, which mark the reference.
    fn cut(&self, ranked: Vec<Suggestion>) -> Vec<Suggestion> {
        let (over, under): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|suggestion| suggestion.keyness > 0.0);
        let mut cut: Vec<Suggestion> = over.into_iter().take(self.limit).collect();
        if self.under {
            cut.extend(under.into_iter().rev().take(self.limit));
        }
        cut
    }
}

/// Where a comment stands. What is compared differs in nothing but what is asked for: a wrong coding with right ones
/// of the category, a missed one with comments that do not belong there.
fn side(
    purpose: Purpose,
    category: Option<CategoryIndex>,
    classification: &Classification,
    gold: Option<&Gold>,
    codebook: &Codebook,
) -> Side {
    let given = |category: CategoryIndex| classification.categories().any(|given| given == category);
    let listed = |ids: &[String], category: CategoryIndex| ids.iter().any(|id| **id == *codebook[category].id);
    match (purpose, gold, category) {
        (Purpose::Uncovered, ..) if classification.codings.is_empty() => Side::Target,
        (Purpose::Uncovered, ..) => Side::Reference,
        (Purpose::Given, _, Some(category)) if given(category) => Side::Target,
        (Purpose::Given, ..) => Side::Reference,
        (_, None, _) => Side::Left,
        (Purpose::Missed, Some(gold), Some(category)) => {
            match (listed(&gold.must, category), listed(&gold.may, category), given(category)) {
                (true, _, false) => Side::Target,
                (false, false, _) => Side::Reference,
                _ => Side::Left,
            }
        }
        (Purpose::Wrong, Some(gold), Some(category)) => {
            match (given(category), listed(&gold.must, category), listed(&gold.may, category)) {
                (true, false, false) => Side::Target,
                (true, true, _) => Side::Reference,
                _ => Side::Left,
            }
        }
        (Purpose::Missed, Some(gold), None) => {
            let missed = gold.must.iter().any(|id| codebook.index_of(id).is_some_and(|category| !given(category)));
            if missed { Side::Target } else { Side::Reference }
        }
        (Purpose::Wrong, Some(gold), None) => {
            let wrong = classification
                .categories()
                .any(|category| !listed(&gold.must, category) && !listed(&gold.may, category));
            match (classification.codings.is_empty(), wrong) {
                (true, _) => Side::Left,
                (false, true) => Side::Target,
                (false, false) => Side::Reference,
            }
        }
    }
}

fn examples<'c>(suggestion: &Suggestion, corpus: &'c Corpus) -> Vec<&'c str> {
    suggestion.examples.iter().map(|&index| corpus.comments[index].id.as_str()).collect()
}

fn write_group(
    out: &mut dyn Write,
    group: &Group,
    corpus: &Corpus,
    worker: &mut AnalysisWorker<'_>,
) -> anyhow::Result<()> {
    writeln!(out, "{}", heading(group))?;
    if group.suggestions.is_empty() {
        writeln!(out, "特徴的な語はありません")?;
        return Ok(());
    }
    let has_both = group.suggestions.iter().any(|suggestion| suggestion.keyness < 0.0);
    let mut table = Table::new();
    let mut header = vec!["書き方", "対象", "比較", "G²", "例"];
    if has_both {
        header.insert(1, "向き");
    }
    table.load_style(presets::NOTHING).set_header(header);
    let mut pasted = Vec::new();
    for suggestion in &group.suggestions {
        let pattern = suggestion.term.pattern(worker);
        let over = suggestion.keyness > 0.0;
        if over && suggestion.keyness >= SIGNIFICANT && pasted.len() < PASTED {
            pasted.push(pattern.clone());
        }
        let mut row = vec![
            pattern,
            suggestion.table.target.to_string(),
            suggestion.table.reference.to_string(),
            format!("{:.1}", suggestion.keyness),
            example(suggestion, corpus),
        ];
        if has_both {
            row.insert(1, if over { "多い" } else { "少ない" }.to_owned());
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(if has_both { 2 } else { 1 }).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    if !pasted.is_empty() {
        let line = pasted.join(" | ").replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(out, "規則に貼り付ける行（5 % 水準で偏りのある語）:\n{} = \"{line}\"", group.purpose.rule_key())?;
    }
    Ok(())
}

fn heading(group: &Group) -> String {
    format!("{}  対象 {} 件、比べるコメント {} 件", group.purpose.heading(), group.target, group.reference)
}

/// The first comment with the term, and the term in it.
fn example(suggestion: &Suggestion, corpus: &Corpus) -> String {
    let Some(&first) = suggestion.examples.first() else { return String::new() };
    let comment = &corpus.comments[first];
    format!("{}  {}", comment.id, snippet(&comment.text, &suggestion.term.surface, 34))
}

/// The words as an array that can stand in a rule, each with its numbers and an example beside it.
fn write_toml(
    out: &mut dyn Write,
    group: &Group,
    corpus: &Corpus,
    worker: &mut AnalysisWorker<'_>,
) -> anyhow::Result<()> {
    writeln!(out, "# {}\n{} = [", heading(group), group.purpose.rule_key())?;
    for suggestion in group.suggestions.iter().filter(|suggestion| suggestion.keyness > 0.0) {
        let pattern = suggestion.term.pattern(worker).replace('\\', "\\\\").replace('"', "\\\"");
        let table = suggestion.table;
        // A comment of TOML ends with the line and holds no control characters.
        let example: String = example(suggestion, corpus).chars().filter(|c| !c.is_control()).collect();
        writeln!(
            out,
            "  \"{pattern}\",  # 対象 {}、比較 {}、G² {:.1}  {example}",
            table.target, table.reference, suggestion.keyness
        )?;
    }
    writeln!(out, "]")?;
    Ok(())
}

fn to_json(group: &Group, corpus: &Corpus, worker: &mut AnalysisWorker<'_>) -> Value {
    let suggestions: Vec<Value> = group
        .suggestions
        .iter()
        .map(|suggestion| {
            json!({
                "pattern": suggestion.term.pattern(worker),
                "base_forms": suggestion.term.base_forms.split('+').collect::<Vec<_>>(),
                "direction": if suggestion.keyness > 0.0 { "over" } else { "under" },
                "target": suggestion.table.target,
                "reference": suggestion.table.reference,
                "keyness": round(suggestion.keyness),
                "significant": suggestion.keyness.abs() >= SIGNIFICANT,
                "examples": examples(suggestion, corpus),
            })
        })
        .collect();
    json!({
        "purpose": group.purpose.key(),
        "target": group.target,
        "reference": group.reference,
        "suggestions": suggestions,
    })
}
