//! Lints of features: what `fact(…)` and its like can never find, or find anyway.

use std::collections::{BTreeMap, HashSet};

use super::Lint;
use crate::{
    analyze::WordClass,
    diagnostic::Diagnostic,
    rule::{
        file::{Concept, PatternText, RuleFiles},
        syntax::{Expr, Feature, Node},
    },
    source::Span,
};

/// Verbs of five rows that hardly ever stand in the passive or the causative: where their stem for a denial (わから)
/// stands, a denial follows. Of others (使わ, 間に合わ) 使われる, 間に合わせる may be meant.
const SELDOM_PASSIVE: [&str; 37] = [
    "わかる",
    "分かる",
    "判る",
    "解る",
    "つながる",
    "繋がる",
    "かかる",
    "掛かる",
    "変わる",
    "かわる",
    "始まる",
    "終わる",
    "止まる",
    "とまる",
    "決まる",
    "当たる",
    "上がる",
    "下がる",
    "直る",
    "治る",
    "なおる",
    "写る",
    "映る",
    "うつる",
    "要る",
    "動く",
    "効く",
    "利く",
    "済む",
    "すむ",
    "届く",
    "通る",
    "光る",
    "減る",
    "戻る",
    "はかどる",
    "なる",
];

/// A feature that is asked for around a node, and where.
type Asked = (Feature, Span);

/// Walks trees with the features asked for on the way; follows concepts, in which the fault often stands.
struct Walk<'l, 'a, 'f> {
    lint: &'l mut Lint<'a>,
    concepts: &'f BTreeMap<String, Concept>,
    /// Concepts with the features that they were already walked for.
    walked: HashSet<(&'f str, Vec<&'static str>)>,
    /// Places that were told of.
    told: HashSet<(String, usize)>,
}

impl Lint<'_> {
    pub(super) fn features(&mut self, files: &RuleFiles) {
        let mut walk = Walk { lint: self, concepts: &files.concepts, walked: HashSet::new(), told: HashSet::new() };
        let of_rules = files.rules.iter().flat_map(|rule| rule.patterns.iter().chain(&rule.unless));
        for pattern in of_rules.chain(files.concepts.values().flat_map(|concept| &concept.patterns)) {
            walk.node(&pattern.node, pattern, &mut Vec::new());
        }
    }

    /// Whether a text ends right before its own negator (`わから` in わからない), and with which verb.
    fn negated_stem(&mut self, text: &str) -> Option<String> {
        // An ending of godan verbs that only a negator or an auxiliary of voice follows.
        let open = text.chars().next_back().is_some_and(|c| "わかがさたなばまら".contains(c));
        let is_slight = text.chars().count() < 3 && !text.chars().any(|c| ('一'..='龥').contains(&c));
        if !open || is_slight {
            return None;
        }
        let denied = format!("{text}ない");
        let analysis = self.worker.analyze(&denied);
        // The normal form must be as long as what was written, else the place is not known.
        let at = analysis.morphemes.iter().position(|morpheme| morpheme.byte_range.end as usize == text.len())?;
        let stem = &analysis.morphemes[at];
        let is_stem = matches!(stem.word.class, WordClass::Verb | WordClass::VerbPart)
            && stem.word.inflection_form.as_deref().is_some_and(|form| form.starts_with("未然"))
            && analysis.morphemes.get(at + 1).is_some_and(|next| &*next.word.base_form == "ない");
        let base_form = stem.base_form(analysis.text());
        if !is_stem || !SELDOM_PASSIVE.contains(&base_form) {
            return None;
        }
        let (base_form, stem_start) = (base_form.to_owned(), stem.byte_range.start);
        // かか of かかる is also the stem of かく.
        let ends_as_verb = |worker: &mut crate::analyze::AnalysisWorker<'_>, ending: &str| {
            let whole = format!("{text}{ending}");
            let analysis = worker.analyze(&whole);
            analysis.morphemes.last().is_some_and(|last| {
                last.byte_range.start <= stem_start
                    && last.word.inflection_form.as_deref() == Some("基本形")
                    && matches!(last.word.class, WordClass::Verb | WordClass::VerbPart)
            })
        };
        let is_open = ["る", "う", "く", "む"].into_iter().any(|e| ends_as_verb(&mut self.worker, e));
        (!is_open).then_some(base_form)
    }
}

impl<'f> Walk<'_, '_, 'f> {
    fn node(&mut self, node: &Node, pattern: &PatternText, asked: &mut Vec<Asked>) {
        match &node.expr {
            Expr::Feature(feature, inner) => {
                let here = pattern.span(node.byte_range.clone());
                if let Some((outer, place)) = asked.iter().find(|(outer, _)| contradict(*outer, *feature)).cloned() {
                    let (outer, inner) = (name(outer), name(*feature));
                    let message = format!("{outer}( ) と {inner}( ) は両立しないので、けっして当たりません");
                    self.tell("constant-clause", here, message, "どちらか一方だけにしてください", place);
                    return;
                }
                let covers =
                    |outer: Feature| outer == *feature || outer == Feature::Affirmed && *feature == Feature::Asserted;
                if let Some((outer, place)) = asked.iter().find(|(outer, _)| covers(*outer)).cloned() {
                    let help = match *feature {
                        Feature::Negated => "二重否定は double(…) と書きます".to_owned(),
                        _ => format!("外側の {}( ) を外してください", name(outer)),
                    };
                    let message = format!("{}( ) の中の {}( ) は結果を変えません", name(outer), name(*feature));
                    self.tell("redundant-clause", here, message, &help, place);
                    return;
                }
                asked.push((*feature, here));
                self.node(inner, pattern, asked);
                asked.pop();
            }
            Expr::Any(parts) => parts.iter().for_each(|part| self.node(part, pattern, asked)),
            Expr::Aligned(_, inner) => self.node(inner, pattern, asked),
            Expr::Except(inner, outer) => {
                self.node(inner, pattern, asked);
                self.node(outer, pattern, &mut Vec::new());
            }
            // What is said of the whole is said of its last part, except by a prefix (未) before the first.
            Expr::Phrase(parts) | Expr::Ordered { parts, .. } => {
                let Some((last, before)) = parts.split_last() else { return };
                before.iter().for_each(|part| self.node(part, pattern, &mut Vec::new()));
                if let Expr::Literal(text) = &last.expr {
                    self.literal(text, last, pattern, asked);
                } else {
                    self.node(last, pattern, &mut Vec::new());
                }
            }
            Expr::Literal(text) => self.literal(text, node, pattern, asked),
            Expr::Concept(concept) if !asked.is_empty() => {
                let features: Vec<&str> = asked.iter().map(|&(feature, _)| name(feature)).collect();
                let concepts = self.concepts;
                if let Some((concept, Concept { patterns, .. })) = concepts.get_key_value(concept)
                    && self.walked.insert((concept, features))
                {
                    patterns.iter().for_each(|pattern| self.node(&pattern.node, pattern, asked));
                }
            }
            _ => node.expr.children().into_iter().for_each(|child| self.node(child, pattern, &mut Vec::new())),
        }
    }

    fn literal(&mut self, text: &str, node: &Node, pattern: &PatternText, asked: &[Asked]) {
        let wanted = asked.iter().find(|(feature, _)| matches!(feature, Feature::Asserted | Feature::Affirmed));
        let Some((feature, place)) = wanted.cloned() else { return };
        let Some(base_form) = self.lint.negated_stem(text) else { return };
        let message = format!(
            "'{text}' は打ち消しの「ない」の直前で終わるので、打ち消されていると見なされ、{}( ) の中ではまず当たりません",
            name(feature)
        );
        let help = format!("打ち消しまで含めて '{text}な' と書くか、neg({base_form}) と書いてください");
        self.tell("own-negator", pattern.span(node.byte_range.clone()), message, &help, place);
    }

    fn tell(&mut self, id: &'static str, place: Span, message: String, help: &str, asked: Span) {
        if !self.told.insert((place.source.path(), place.byte_range.start)) {
            return;
        }
        // The outer place is worth telling where it stands elsewhere.
        let is_elsewhere = asked.source != place.source || asked.line_column().line != place.line_column().line;
        let mut diagnostic = Diagnostic::warning(id, place, message).help(help);
        if is_elsewhere {
            diagnostic = diagnostic.related(asked, "外側の条件");
        }
        self.lint.diagnostics.push(diagnostic);
    }
}

/// Whether no hit has both features.
fn contradict(a: Feature, b: Feature) -> bool {
    use Feature::{Affirmed, Asserted, Negated, Supposed, Wished};
    let pair = |a, b| matches!((a, b), (Negated, Affirmed | Asserted) | (Wished | Supposed, Asserted));
    pair(a, b) || pair(b, a)
}

fn name(feature: Feature) -> &'static str {
    Feature::NAMES.iter().find(|(_, known)| *known == feature).map_or("", |(name, _)| name)
}
