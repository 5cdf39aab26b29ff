//! `jirei rules explain`: why a text gets its categories, and why not others.

use std::io::Write;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::{Outcome, Shared, TextFormat, merged, one_line, place, place_json};
use crate::{
    cli::stdout,
    comment::Comment,
    read::header::question_value,
    respondent::{Facility, Prefecture},
    rule::syntax::Feature,
    rule::{
        ClauseOutcome, ExplainedCategory, ExplainedMorpheme, Explanation, Failure, FailureReason, Features, Matcher,
        RuleInfo, RuleSet, Strength, Verdict,
    },
    source::Span,
};

/// Columns of a clause that are shown.
const SHOWN_CLAUSE: usize = 48;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 説明する文
    #[arg(value_name = "文")]
    text: String,
    /// 設問（問11 など。規則が設問を見るとき）
    #[arg(long, value_name = "設問")]
    question: Option<String>,
    /// 都道府県（規則が都道府県を見るとき）
    #[arg(long, value_name = "都道府県")]
    prefecture: Option<String>,
    /// 施設（病院、医科診療所、歯科診療所。規則が施設を見るとき）
    #[arg(long, value_name = "施設")]
    facility: Option<String>,
    /// そのほかの列（「見出し=値」の形で、いくつでも）
    #[arg(long, value_name = "見出し=値")]
    attribute: Vec<String>,
    /// 出力の形式（text または json）
    #[arg(long, value_enum, default_value_t = TextFormat::Text, value_name = "形式", hide_possible_values = true)]
    format: TextFormat,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let mut attributes = Vec::new();
        for written in &self.attribute {
            let Some((name, value)) = written.split_once('=') else {
                anyhow::bail!("--attribute は「見出し=値」の形で書いてください（「{written}」に = がありません）");
            };
            attributes.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let mut comment = Comment::from_text(self.text).with_attributes(attributes);
        // As they are read from a file.
        if let Some(written) = self.question {
            comment.question = Some(question_value(&written));
        }
        if let Some(written) = self.prefecture {
            comment.prefecture = Some(Prefecture::parse(&written).map_or(written, |known| known.name().to_owned()));
        }
        if let Some(written) = self.facility {
            comment.facility = Some(Facility::parse(&written).map_or(written, |known| known.name().to_owned()));
        }
        let analysis = analyzer.worker().analyze(&comment.text);
        if analysis.morphemes.is_empty() {
            anyhow::bail!("調べる文が空です（調べるコメントの文を書いてください）");
        }
        let explanation = Matcher::new(&rules).explain(&analysis, &comment);
        let view = View { rules: &rules, infos: rules.rules().collect(), text: &comment.text };
        let mut out = stdout();
        match self.format {
            TextFormat::Text => view.write_text(&mut out, &explanation)?,
            TextFormat::Json => {
                let mut value = json!({
                    "text": comment.text,
                    "question": comment.question,
                    "prefecture": comment.prefecture,
                    "facility": comment.facility,
                    "attributes": comment.attributes,
                });
                value = merged(value, view.json(&explanation));
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
        }
        out.flush()?;
        Ok(Outcome::Done)
    }
}

struct View<'a> {
    rules: &'a RuleSet,
    infos: Vec<RuleInfo<'a>>,
    text: &'a str,
}

impl View<'_> {
    fn slice(&self, range: &std::ops::Range<usize>) -> String {
        self.text.chars().skip(range.start).take(range.len()).collect()
    }

    fn words(&self, clause: &ClauseOutcome) -> String {
        clause.char_ranges.iter().map(|range| format!("「{}」", one_line(&self.slice(range), 48))).collect()
    }

    fn sentence(&self, sentence: Option<usize>) -> String {
        sentence.map_or("コメント全体".to_owned(), |sentence| format!("{} 文目", sentence + 1))
    }

    fn write_text(&self, out: &mut dyn Write, explanation: &Explanation) -> anyhow::Result<()> {
        writeln!(out, "形態素")?;
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["範囲", "表層形", "基本形", "読み", "品詞", "活用形", "特徴"]);
        for morpheme in &explanation.morphemes {
            let pos = if morpheme.is_oov { format!("{}（未知語）", morpheme.pos) } else { morpheme.pos.clone() };
            table.add_row([
                format!("{}-{}", morpheme.char_range.start, morpheme.char_range.end),
                self.slice(&morpheme.char_range).replace(['\n', '\r', '\t'], " "),
                morpheme.base_form.clone(),
                morpheme.reading.clone().unwrap_or_default(),
                pos,
                morpheme.inflection_form.clone().unwrap_or_default(),
                morpheme.features.map(features_text).unwrap_or_default(),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
        for category in &explanation.categories {
            writeln!(out)?;
            self.write_category(out, category, explanation)?;
        }
        Ok(())
    }

    fn write_category(
        &self,
        out: &mut dyn Write,
        category: &ExplainedCategory,
        explanation: &Explanation,
    ) -> anyhow::Result<()> {
        let entry = &self.rules.codebook()[category.category];
        match category.verdict {
            Verdict::Given => {
                write!(out, "○ {}（{}）", entry.id, entry.short)?;
                if let Some(confidence) = category.confidence {
                    write!(out, "  確信度 {confidence:.3}")?;
                }
                if explanation.primary == Some(category.category) {
                    write!(out, "  主分類")?;
                }
                writeln!(out)?;
            }
            verdict => {
                let why = match verdict {
                    Verdict::WeakAlone => "弱い規則が 1 つだけでは付きません",
                    Verdict::Excluded => "除外の規則が取り消しました",
                    Verdict::Prevented => "unless が当たりました",
                    _ => "当たった規則はありません",
                };
                writeln!(out, "× {}（{}）  {why}", entry.id, entry.short)?;
            }
        }
        for firing in &category.firings {
            let info = &self.infos[firing.rule];
            let weak = if info.strength == Strength::Weak { "・弱い" } else { "" };
            let mark = if firing.excluded_by.is_some() { "取り消し" } else { "当たり" };
            writeln!(out, "    {mark} {}（{}{weak}） {}", info.id, self.sentence(firing.sentence), place(&info.span))?;
            self.write_held(out, &firing.clauses, &info.span)?;
            if let Some(exclusion) = &firing.excluded_by {
                let info = &self.infos[exclusion.rule];
                writeln!(out, "      ← 除外の規則 {} {}", info.id, place(&info.span))?;
                self.write_held(out, &exclusion.clauses, &info.span)?;
            }
        }
        for prevented in &category.prevented {
            let info = &self.infos[prevented.rule];
            writeln!(out, "    見送り {}（{}） {}", info.id, self.sentence(prevented.sentence), place(&info.span))?;
            self.write_held(out, &prevented.clauses, &info.span)?;
            writeln!(out, "      ← unless")?;
            self.write_held(out, &prevented.unless, &info.span)?;
        }
        if let Some(nearest) = &category.nearest {
            let info = &self.infos[nearest.rule];
            writeln!(
                out,
                "    いちばん近い規則 {}（{}） {}",
                info.id,
                self.sentence(nearest.sentence),
                place(&info.span)
            )?;
            for clause in nearest.clause.held_atoms() {
                self.write_clause(out, "○", clause, &self.words(clause), &info.span)?;
            }
            for failure in nearest.clause.failures() {
                let why = self.failure_text(failure, &explanation.morphemes);
                self.write_clause(out, "×", failure.clause, &why, &info.span)?;
            }
        }
        Ok(())
    }

    /// The clauses that held: of a conjunction its parts, of alternatives those that held.
    fn write_held(&self, out: &mut dyn Write, clauses: &[ClauseOutcome], rule: &Span) -> anyhow::Result<()> {
        let mut open: Vec<&ClauseOutcome> = clauses.iter().rev().collect();
        while let Some(clause) = open.pop() {
            use crate::rule::ClauseKind::{All, Any};
            if matches!(clause.kind, All | Any) && !clause.parts.is_empty() {
                open.extend(clause.parts.iter().rev().filter(|part| part.held));
            } else {
                self.write_clause(out, "○", clause, &self.words(clause), rule)?;
            }
        }
        Ok(())
    }

    /// What was found or not, then the clause, then its place: within the rule's file line and column suffice.
    fn write_clause(
        &self,
        out: &mut dyn Write,
        mark: &str,
        clause: &ClauseOutcome,
        remark: &str,
        rule: &Span,
    ) -> anyhow::Result<()> {
        let at = clause.span.line_column();
        let at = match clause.span.source == rule.source {
            true => format!("{}:{}", at.line, at.column),
            false => place(&clause.span),
        };
        let remark = if remark.is_empty() { String::new() } else { format!("{remark}  ") };
        writeln!(out, "      {mark} {remark}{}  {at}", one_line(clause.text(), SHOWN_CLAUSE))?;
        Ok(())
    }

    fn failure_text(&self, failure: Failure<'_>, morphemes: &[ExplainedMorpheme]) -> String {
        let clause = failure.clause;
        // What is there of it is said by its parts.
        let there = || clause.parts.iter().map(|part| self.words(part)).collect::<String>();
        match failure.reason {
            FailureReason::Absent => "見つかりません".to_owned(),
            FailureReason::Apart => format!("{}が離れすぎています", there()),
            FailureReason::Order => format!("{}の順序か距離が合いません", there()),
            FailureReason::NotAdjacent => format!("{}が隣り合っていません", there()),
            FailureReason::Excepted => format!("{}は except で除かれます", there()),
            FailureReason::NotAligned => format!("{}は語の切れ目にありません", there()),
            FailureReason::Feature(Feature::Asserted) => match contrary_to_fact(clause, morphemes).as_str() {
                "" => format!("{}は{}", there(), feature_failure(Feature::Asserted)),
                found => format!("{}は{found}として述べられています", there()),
            },
            FailureReason::Feature(feature) => format!("{}は{}", there(), feature_failure(feature)),
            FailureReason::Forbidden => format!("{}があるので当たりません", self.words(clause)),
            FailureReason::Number => match &clause.found {
                Some(number) => format!("数が合いません（{number}）"),
                None => "数が合いません".to_owned(),
            },
            FailureReason::Attribute => match &clause.found {
                Some(value) => format!("属性が合いません（「{value}」）"),
                None => "属性の値がありません".to_owned(),
            },
            FailureReason::Reference => "参照先の規則が当たっていません".to_owned(),
        }
    }

    fn json(&self, explanation: &Explanation) -> Value {
        let codebook = self.rules.codebook();
        let morphemes: Vec<Value> = explanation.morphemes.iter().map(|morpheme| self.morpheme_json(morpheme)).collect();
        let categories: Vec<Value> = explanation
            .categories
            .iter()
            .map(|category| {
                let firings: Vec<Value> = category
                    .firings
                    .iter()
                    .map(|firing| {
                        let excluded_by = firing.excluded_by.as_ref().map(|exclusion| {
                            merged(self.rule_json(exclusion.rule), json!({"clauses": self.clauses(&exclusion.clauses)}))
                        });
                        merged(
                            self.rule_json(firing.rule),
                            json!({
                                "sentence": firing.sentence,
                                "clauses": self.clauses(&firing.clauses),
                                "excluded_by": excluded_by,
                            }),
                        )
                    })
                    .collect();
                let prevented: Vec<Value> = category
                    .prevented
                    .iter()
                    .map(|prevented| {
                        merged(
                            self.rule_json(prevented.rule),
                            json!({
                                "sentence": prevented.sentence,
                                "clauses": self.clauses(&prevented.clauses),
                                "unless": self.clauses(&prevented.unless),
                            }),
                        )
                    })
                    .collect();
                let nearest = category.nearest.as_ref().map(|nearest| {
                    let failed: Vec<Value> = nearest
                        .clause
                        .failures()
                        .into_iter()
                        .map(|failure| {
                            merged(
                                json!({"text": failure.clause.text(), "reason": failure.reason.as_str()}),
                                place_json(&failure.clause.span),
                            )
                        })
                        .collect();
                    merged(
                        self.rule_json(nearest.rule),
                        json!({
                            "sentence": nearest.sentence,
                            "clause": self.clause_json(&nearest.clause),
                            "failed": failed,
                        }),
                    )
                });
                json!({
                    "category": codebook[category.category].id,
                    "given": category.verdict == Verdict::Given,
                    "verdict": category.verdict.as_str(),
                    "confidence": category.confidence,
                    "rules": firings,
                    "prevented": prevented,
                    "nearest": nearest,
                })
            })
            .collect();
        json!({
            "primary": explanation.primary.map(|category| &codebook[category].id),
            "morphemes": morphemes,
            "categories": categories,
        })
    }

    fn morpheme_json(&self, morpheme: &ExplainedMorpheme) -> Value {
        let features = morpheme.features.map(|features| {
            json!({
                "negated": features.negated(),
                "doubly_negated": features.doubly_negated(),
                "wished": features.wished,
                "supposed": features.supposed,
                "over": features.over,
            })
        });
        json!({
            "start": morpheme.char_range.start,
            "end": morpheme.char_range.end,
            "surface": self.slice(&morpheme.char_range),
            "base_form": morpheme.base_form,
            "reading": morpheme.reading,
            "pos": morpheme.pos,
            "inflection_form": morpheme.inflection_form,
            "is_oov": morpheme.is_oov,
            "sentence": morpheme.sentence,
            "features": features,
        })
    }

    fn rule_json(&self, rule: usize) -> Value {
        let info = &self.infos[rule];
        let strength = if info.strength == Strength::Weak { "weak" } else { "strong" };
        merged(json!({"rule": info.id, "strength": strength}), place_json(&info.span))
    }

    fn clauses(&self, clauses: &[ClauseOutcome]) -> Vec<Value> {
        clauses.iter().map(|clause| self.clause_json(clause)).collect()
    }

    fn clause_json(&self, clause: &ClauseOutcome) -> Value {
        let words: Vec<Value> = clause
            .char_ranges
            .iter()
            .map(|range| json!({"start": range.start, "end": range.end, "text": self.slice(range)}))
            .collect();
        merged(
            merged(
                json!({"text": clause.text(), "kind": clause.kind.as_str(), "held": clause.held}),
                place_json(&clause.span),
            ),
            json!({"words": words, "found": clause.found, "parts": self.clauses(&clause.parts)}),
        )
    }
}

fn features_text(features: Features) -> String {
    let mut names = Vec::new();
    if features.doubly_negated() {
        names.push("二重否定");
    } else if features.negated() {
        names.push("否定");
    }
    if features.wished {
        names.push("要望");
    }
    if features.supposed {
        names.push("仮定");
    }
    if features.over {
        names.push("過去のこと");
    }
    names.join("・")
}

/// Which of denial, wish and supposition keeps the places of a clause from being facts.
fn contrary_to_fact(clause: &ClauseOutcome, morphemes: &[ExplainedMorpheme]) -> String {
    let ends: Vec<usize> = clause.parts.iter().flat_map(|part| &part.char_ranges).map(|range| range.end).collect();
    let at_ends = morphemes
        .iter()
        .filter(|morpheme| ends.iter().any(|&end| morpheme.char_range.start < end && end <= morpheme.char_range.end));
    let features: Vec<Features> = at_ends.filter_map(|morpheme| morpheme.features).collect();
    let kinds = [
        ("否定", features.iter().any(|features| features.negated())),
        ("要望", features.iter().any(|features| features.wished)),
        ("仮定", features.iter().any(|features| features.supposed)),
    ];
    kinds.iter().filter(|(_, is_so)| *is_so).map(|&(name, _)| name).collect::<Vec<_>>().join("・")
}

fn feature_failure(feature: Feature) -> &'static str {
    match feature {
        Feature::Negated => "否定されていません",
        Feature::Affirmed => "否定されています",
        Feature::DoublyNegated => "二重に否定されていません",
        Feature::Wished => "要望ではありません",
        Feature::Supposed => "仮定ではありません",
        Feature::Asserted => "否定・要望・仮定のどれかです",
        Feature::Over => "過去のこととして述べられていません",
    }
}
