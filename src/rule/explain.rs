//! Why a text gets its categories, and why not others: every rule evaluated clause by clause.
//!
//! The compiled rules keep places down to the clauses of a condition. What stands inside a span expression
//! (`near(a, neg(b))`) is read again from the rule file, so that each part has its place too.

use std::{collections::HashMap, ops::Range};

use super::{
    compile::{Amount, Clause, CompiledRule, Condition, SpanId, SpanNode},
    file::{RuleKind, Strength},
    matcher::{Context, Firing, Hit, MAX_EVIDENCE, Matcher, Window, in_window, to_characters, windows},
    parse::parse_pattern,
    polarity::Features,
    syntax::{Expr, Feature, Node, Quantity, Unit},
};
use crate::{
    analyze::{Analysis, WordClass},
    codebook::CategoryIndex,
    comment::Comment,
    source::Span,
};

/// Everything that is known of a text and the rules.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The morphemes, in the order of the text.
    pub morphemes: Vec<ExplainedMorpheme>,
    /// Every category, in code-frame order.
    pub categories: Vec<ExplainedCategory>,
    /// The primary section.
    pub primary: Option<CategoryIndex>,
}

/// A morpheme with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedMorpheme {
    /// Range in characters of the original text.
    pub char_range: Range<usize>,
    /// Its lemma.
    pub base_form: String,
    /// Its reading in katakana.
    pub reading: Option<String>,
    /// Its part of speech.
    pub pos: String,
    /// Its inflected form.
    pub inflection_form: Option<String>,
    /// Whether the dictionary does not know it.
    pub is_oov: bool,
    /// The sentence that holds it, from 0.
    pub sentence: usize,
    /// What is said of it, `None` for a function word or a symbol.
    pub features: Option<Features>,
}

/// How a category fared.
#[derive(Debug, Clone)]
pub struct ExplainedCategory {
    /// The category.
    pub category: CategoryIndex,
    /// Whether it is given, and if not why.
    pub verdict: Verdict,
    /// From 0 to 1, where it is given.
    pub confidence: Option<f32>,
    /// Its rules that fired, those included whose finding was taken away; in the order of the rules and sentences.
    pub firings: Vec<ExplainedFiring>,
    /// Its rules whose pattern held and whose `unless` kept them from firing.
    pub prevented: Vec<PreventedRule>,
    /// Where it is not given: of its other rules the one that came nearest, where any word of one is there.
    pub nearest: Option<NearestRule>,
}

/// Whether a category is given, and if not why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is given.
    Given,
    /// One weak rule fired, which does not suffice.
    WeakAlone,
    /// What fired was taken away by an exclusion.
    Excluded,
    /// A pattern held, but `unless` held too.
    Prevented,
    /// No rule fired.
    NoRule,
}

impl Verdict {
    /// English name, stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::WeakAlone => "weak_alone",
            Self::Excluded => "excluded",
            Self::Prevented => "prevented",
            Self::NoRule => "no_rule",
        }
    }
}

/// A rule that fired, in one sentence or in the comment.
#[derive(Debug, Clone)]
pub struct ExplainedFiring {
    /// Position of the rule in the rule set.
    pub rule: usize,
    /// The sentence, from 0; `None` for a rule over the whole comment.
    pub sentence: Option<usize>,
    /// The alternatives of its pattern that held.
    pub clauses: Vec<ClauseOutcome>,
    /// The exclusion that took its finding away.
    pub excluded_by: Option<Exclusion>,
}

/// An exclusion that fired.
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// Position of the excluding rule in the rule set.
    pub rule: usize,
    /// The alternatives of its pattern that held.
    pub clauses: Vec<ClauseOutcome>,
}

/// A rule whose pattern held and whose `unless` kept it from firing.
#[derive(Debug, Clone)]
pub struct PreventedRule {
    /// Position of the rule in the rule set.
    pub rule: usize,
    /// The sentence, from 0; `None` for a rule over the whole comment.
    pub sentence: Option<usize>,
    /// The alternatives of its pattern that held.
    pub clauses: Vec<ClauseOutcome>,
    /// What held of its `unless`.
    pub unless: Vec<ClauseOutcome>,
}

/// A rule that did not fire but nearly did.
#[derive(Debug, Clone)]
pub struct NearestRule {
    /// Position of the rule in the rule set.
    pub rule: usize,
    /// The sentence in which it came nearest, from 0; `None` for a rule over the whole comment.
    pub sentence: Option<usize>,
    /// The alternative of its pattern that came nearest.
    pub clause: ClauseOutcome,
}

/// How a clause of a pattern fared, with what it is made of.
#[derive(Debug, Clone)]
pub struct ClauseOutcome {
    /// Where it stands in the rule file.
    pub span: Span,
    /// What it is.
    pub kind: ClauseKind,
    /// Whether it held.
    pub held: bool,
    /// How near it came, from 0 (nothing of it is there) to 1 (it held).
    pub nearness: f32,
    /// Where it held, in characters of the original text; a few places at most.
    pub char_ranges: Vec<Range<usize>>,
    /// The number that was compared, or the comment's value of the attribute that was tested.
    pub found: Option<String>,
    /// What it is made of, where that is worth telling.
    pub parts: Vec<ClauseOutcome>,
}

/// What a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClauseKind {
    /// `a & b`.
    All,
    /// `a | b`.
    Any,
    /// `!a`.
    Not,
    /// `count(a) >= 2` and its like.
    Compare,
    /// `@question = 問11`.
    Attribute,
    /// `rule(…)`, `category(…)`.
    Reference,
    /// `sentence(a)`, `comment(a)`.
    Within,
    /// A word, a text, a regular expression, a concept.
    Atom,
    /// `a+b`.
    Phrase,
    /// `seq(a, b)`.
    Ordered,
    /// `near(a, b)`.
    Near,
    /// `except(a, b)`.
    Except,
    /// `start(a)`, `whole(a)`.
    Aligned,
    /// `neg(a)` and its like.
    Feature(Feature),
}

impl ClauseKind {
    /// English name, stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Not => "not",
            Self::Compare => "compare",
            Self::Attribute => "attribute",
            Self::Reference => "reference",
            Self::Within => "within",
            Self::Atom => "atom",
            Self::Phrase => "phrase",
            Self::Ordered => "seq",
            Self::Near => "near",
            Self::Except => "except",
            Self::Aligned => "aligned",
            Self::Feature(_) => "feature",
        }
    }

    fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Word(_) | Expr::Literal(_) | Expr::Regex(_) | Expr::Concept(_) => Self::Atom,
            Expr::Phrase(_) => Self::Phrase,
            Expr::Ordered { .. } => Self::Ordered,
            Expr::Near { .. } => Self::Near,
            Expr::Except(..) => Self::Except,
            Expr::Aligned(..) => Self::Aligned,
            Expr::Feature(feature, _) => Self::Feature(*feature),
            Expr::Any(_) => Self::Any,
            Expr::All(_) => Self::All,
            Expr::Not(_) => Self::Not,
            Expr::Compare { .. } => Self::Compare,
            Expr::Attribute { .. } => Self::Attribute,
            Expr::RuleRef(_) | Expr::CategoryRef(_) => Self::Reference,
            Expr::Within(..) => Self::Within,
        }
    }
}

/// A clause that kept a pattern from holding.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'c> {
    /// The clause.
    pub clause: &'c ClauseOutcome,
    /// Why it failed.
    pub reason: FailureReason,
}

/// Why a clause failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// Nothing of it is in the text.
    Absent,
    /// The parts of `near` are there, but not near each other.
    Apart,
    /// The parts of `seq` are there, but not in this order or distance.
    Order,
    /// The parts of a phrase are there, but do not follow each other.
    NotAdjacent,
    /// What `except` takes away overlaps it.
    Excepted,
    /// It is there, but not at the boundary of a morpheme.
    NotAligned,
    /// It is there, but without the feature.
    Feature(Feature),
    /// It must not be there, but is.
    Forbidden,
    /// The numbers do not compare so.
    Number,
    /// The comment's attribute is another.
    Attribute,
    /// The other rule did not fire.
    Reference,
}

impl FailureReason {
    /// English name, stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Apart => "apart",
            Self::Order => "order",
            Self::NotAdjacent => "not_adjacent",
            Self::Excepted => "excepted",
            Self::NotAligned => "not_aligned",
            Self::Feature(_) => "feature",
            Self::Forbidden => "forbidden",
            Self::Number => "number",
            Self::Attribute => "attribute",
            Self::Reference => "reference",
        }
    }
}

impl ClauseOutcome {
    /// The text of the clause in the rule file.
    pub fn text(&self) -> &str {
        self.span.source.text().get(self.span.byte_range.clone()).unwrap_or("")
    }

    /// What kept the clause from holding, as deep inside it as can be told; empty where it held.
    pub fn failures(&self) -> Vec<Failure<'_>> {
        let mut failures = Vec::new();
        self.collect_failures(&mut failures);
        failures
    }

    fn collect_failures<'c>(&'c self, failures: &mut Vec<Failure<'c>>) {
        if self.held {
            return;
        }
        let before = failures.len();
        let mut here = |reason| failures.push(Failure { clause: self, reason });
        match self.kind {
            ClauseKind::Atom => return here(FailureReason::Absent),
            ClauseKind::Compare => return here(FailureReason::Number),
            ClauseKind::Attribute => return here(FailureReason::Attribute),
            ClauseKind::Reference => return here(FailureReason::Reference),
            ClauseKind::Not => {
                let clause = self.parts.first().unwrap_or(self);
                failures.push(Failure { clause, reason: FailureReason::Forbidden });
                return;
            }
            ClauseKind::Any => {
                // Of alternatives the one that came nearest is worth telling, where anything of it is there.
                let nearest = self.parts.iter().filter(|part| part.nearness > 0.0);
                match nearest.reduce(|best, part| if part.nearness > best.nearness { part } else { best }) {
                    Some(part) => part.collect_failures(failures),
                    None => here(FailureReason::Absent),
                }
                return;
            }
            ClauseKind::Except => {
                if let Some(first) = self.parts.first() {
                    first.collect_failures(failures);
                }
            }
            _ => self.parts.iter().for_each(|part| part.collect_failures(failures)),
        }
        if failures.len() == before {
            let reason = match self.kind {
                _ if self.parts.is_empty() => FailureReason::Absent,
                ClauseKind::Near => FailureReason::Apart,
                ClauseKind::Ordered => FailureReason::Order,
                ClauseKind::Phrase => FailureReason::NotAdjacent,
                ClauseKind::Except => FailureReason::Excepted,
                ClauseKind::Aligned => FailureReason::NotAligned,
                ClauseKind::Feature(feature) => FailureReason::Feature(feature),
                _ => FailureReason::Absent,
            };
            failures.push(Failure { clause: self, reason });
        }
    }

    /// The clauses without parts that held, in their order: the words that made a rule fire.
    pub fn held_atoms(&self) -> Vec<&ClauseOutcome> {
        let mut atoms = Vec::new();
        let mut open = vec![self];
        while let Some(clause) = open.pop() {
            if clause.parts.is_empty() {
                if clause.held {
                    atoms.push(clause);
                }
            } else if clause.kind != ClauseKind::Not {
                open.extend(clause.parts.iter().rev());
            }
        }
        atoms
    }
}

impl Matcher<'_> {
    /// Explains a comment. `analysis` is the analysis of `comment.text`.
    pub fn explain(&mut self, analysis: &Analysis<'_>, comment: &Comment) -> Explanation {
        let classification = self.classify(analysis, comment);
        let firings = self.firings(analysis, comment);
        let context = Context { analysis, comment };
        let mut explainer = Explainer { matcher: self, context: &context, nearness: HashMap::new() };
        let morphemes = explainer.morphemes();
        let prevented = explainer.prevented();
        let nearest = explainer.nearest(&firings, &prevented);
        let rules = explainer.matcher.rules;
        let (excluding, assigning): (Vec<&Firing>, Vec<&Firing>) =
            firings.iter().partition(|firing| rules.rules[firing.rule as usize].kind == RuleKind::Exclude);
        let mut categories = Vec::new();
        for (category, _) in rules.codebook().iter() {
            let mut explained = Vec::new();
            for firing in assigning.iter().filter(|firing| rules.rules[firing.rule as usize].assigns(category)) {
                let by = excluding.iter().find(|by| explainer.matcher.excludes(by, firing, category, analysis));
                explained.push(ExplainedFiring {
                    rule: firing.rule as usize,
                    sentence: sentence(firing.unit, firing.sentence),
                    clauses: explainer.alternatives(firing),
                    excluded_by: by.map(|by| Exclusion { rule: by.rule as usize, clauses: explainer.alternatives(by) }),
                });
            }
            let prevented: Vec<PreventedRule> =
                prevented.iter().filter(|rule| rules.rules[rule.rule].assigns(category)).cloned().collect();
            let coding = classification.codings.iter().find(|coding| coding.category == category);
            let verdict = match coding {
                Some(_) => Verdict::Given,
                None if explained.iter().any(|firing| {
                    firing.excluded_by.is_none() && rules.rules[firing.rule].strength == Strength::Weak
                }) =>
                {
                    Verdict::WeakAlone
                }
                None if !explained.is_empty() => Verdict::Excluded,
                None if !prevented.is_empty() => Verdict::Prevented,
                None => Verdict::NoRule,
            };
            let nearest = match verdict {
                Verdict::Given => None,
                _ => nearest
                    .iter()
                    .filter(|near| rules.rules[near.rule].assigns(category))
                    .reduce(|best, near| if near.nearness > best.nearness { near } else { best })
                    .map(|near| explainer.nearest_rule(near)),
            };
            categories.push(ExplainedCategory {
                category,
                verdict,
                confidence: coding.map(|coding| coding.confidence),
                firings: explained,
                prevented,
                nearest,
            });
        }
        Explanation { morphemes, categories, primary: classification.primary }
    }
}

fn sentence(unit: Unit, sentence: usize) -> Option<usize> {
    (unit == Unit::Sentence).then_some(sentence)
}

/// A rule that did not fire, with the window and alternative in which it came nearest.
struct Near {
    rule: usize,
    window: Window,
    alternative: usize,
    nearness: f32,
}

struct Explainer<'e, 'r> {
    matcher: &'e mut Matcher<'r>,
    context: &'e Context<'e>,
    /// Nearness of span expressions by window, so that shared ones are looked at once.
    nearness: HashMap<(SpanId, Option<usize>), f32>,
}

impl<'r> Explainer<'_, 'r> {
    fn rule(&self, index: usize) -> &'r CompiledRule {
        &self.matcher.rules.rules[index]
    }

    fn morphemes(&self) -> Vec<ExplainedMorpheme> {
        let Context { analysis, comment } = self.context;
        let mut morphemes = Vec::new();
        for (index, morpheme) in analysis.morphemes.iter().enumerate() {
            let word = morpheme.word;
            let number = analysis.sentence_of(index as u32);
            let content = matches!(
                word.class,
                WordClass::Noun
                    | WordClass::VerbalNoun
                    | WordClass::AdjectivalNoun
                    | WordClass::Verb
                    | WordClass::Adjective
            );
            let features = analysis.sentences.get(number).filter(|_| content).map(|sentence| {
                let sentence = sentence.start as usize..sentence.end as usize;
                let next_end = analysis.sentences.get(number + 1).map_or(sentence.end, |next| next.end as usize);
                Features::at(&self.matcher.words, sentence, index, index, next_end)
            });
            let bytes = morpheme.byte_range.start as usize..morpheme.byte_range.end as usize;
            morphemes.push(ExplainedMorpheme {
                char_range: analysis.normalized.original_bytes(bytes),
                base_form: morpheme.base_form(analysis.text()).to_owned(),
                reading: word.reading.as_deref().map(str::to_owned),
                pos: word.pos.to_string(),
                inflection_form: word.inflection_form.as_deref().map(str::to_owned),
                is_oov: morpheme.is_oov(),
                sentence: number,
                features,
            });
        }
        to_characters(&comment.text, morphemes.iter_mut().map(|morpheme| &mut morpheme.char_range));
        morphemes
    }

    /// The alternatives of a rule that held where it fired.
    fn alternatives(&mut self, firing: &Firing) -> Vec<ClauseOutcome> {
        let window = Window { unit: firing.unit, sentence: firing.sentence };
        self.held(&self.rule(firing.rule as usize).alternatives, window)
    }

    fn held(&mut self, clauses: &[Clause], window: Window) -> Vec<ClauseOutcome> {
        clauses
            .iter()
            .filter_map(|clause| {
                let held = self.matcher.holds(clause, window, self.context, &mut None);
                held.then(|| self.outcome(clause, window))
            })
            .collect()
    }

    fn prevented(&mut self) -> Vec<PreventedRule> {
        let mut prevented = Vec::new();
        if self.context.analysis.morphemes.is_empty() {
            return prevented;
        }
        for (index, rule) in self.matcher.rules.rules.iter().enumerate() {
            if rule.kind != RuleKind::Assign || rule.unless.is_empty() {
                continue;
            }
            for window in windows(rule.unit, self.context.analysis) {
                let unless = self.held(&rule.unless, window);
                if unless.is_empty() {
                    continue;
                }
                let clauses = self.held(&rule.alternatives, window);
                if !clauses.is_empty() {
                    let sentence = sentence(rule.unit, window.sentence);
                    prevented.push(PreventedRule { rule: index, sentence, clauses, unless });
                }
            }
        }
        prevented
    }

    /// For every rule that gives a category and did not fire: where it came nearest, where anything of it is there.
    fn nearest(&mut self, firings: &[Firing], prevented: &[PreventedRule]) -> Vec<Near> {
        let mut found = Vec::new();
        // Nothing can be said of a comment without words.
        if self.context.analysis.morphemes.is_empty() {
            return found;
        }
        for (index, rule) in self.matcher.rules.rules.iter().enumerate() {
            if rule.kind != RuleKind::Assign
                || firings.iter().any(|firing| firing.rule as usize == index)
                || prevented.iter().any(|prevented| prevented.rule == index)
            {
                continue;
            }
            let mut best: Option<Near> = None;
            for window in windows(rule.unit, self.context.analysis) {
                for (alternative, clause) in rule.alternatives.iter().enumerate() {
                    let nearness = self.clause_nearness(clause, window).unwrap_or(0.0);
                    if nearness > best.as_ref().map_or(0.0, |best| best.nearness) {
                        best = Some(Near { rule: index, window, alternative, nearness });
                    }
                }
            }
            found.extend(best);
        }
        found
    }

    fn nearest_rule(&mut self, near: &Near) -> NearestRule {
        let rule = self.rule(near.rule);
        NearestRule {
            rule: near.rule,
            sentence: sentence(rule.unit, near.window.sentence),
            clause: self.outcome(&rule.alternatives[near.alternative], near.window),
        }
    }

    fn hits(&mut self, id: SpanId, window: Window) -> Vec<Hit> {
        self.matcher.resolve(id, self.context);
        let hits = self.matcher.hits(id).iter();
        hits.filter(|hit| in_window(self.context.analysis, hit, window)).copied().collect()
    }

    /// How near a clause came; `None` for one that holds without a word in the text (`!a`, `@question = 問7`), which
    /// brings its rule no nearer.
    fn clause_nearness(&mut self, clause: &Clause, window: Window) -> Option<f32> {
        let held = |explainer: &mut Self| explainer.matcher.holds(clause, window, explainer.context, &mut None);
        match &clause.condition {
            Condition::Span(id) => Some(self.span_nearness(*id, window)),
            Condition::All(parts) => {
                let parts: Vec<f32> = parts.iter().filter_map(|part| self.clause_nearness(part, window)).collect();
                (!parts.is_empty()).then(|| parts.iter().sum::<f32>() / parts.len() as f32)
            }
            Condition::Any(parts) => {
                parts.iter().filter_map(|part| self.clause_nearness(part, window)).reduce(f32::max)
            }
            Condition::Not(_) | Condition::Attribute { .. } => (!held(self)).then_some(0.0),
            // A length alone (`chars < 20`) is no word in the text either.
            Condition::Compare { sum, .. } if !sum.iter().any(|amount| matches!(amount, Amount::Count(_))) => {
                (!held(self)).then_some(0.0)
            }
            Condition::Compare { sum, .. } => {
                if held(self) {
                    return Some(1.0);
                }
                let some = sum.iter().any(|amount| match amount {
                    Amount::Count(id) => !self.hits(*id, window).is_empty(),
                    Amount::Characters | Amount::Morphemes => false,
                });
                Some(if some { 0.5 } else { 0.0 })
            }
            Condition::Rule(_) | Condition::Category(_) => Some(if held(self) { 1.0 } else { 0.0 }),
            Condition::Within(Unit::Comment, inner) => {
                self.clause_nearness(inner, Window { unit: Unit::Comment, sentence: 0 })
            }
            Condition::Within(Unit::Sentence, inner) => match window.unit {
                Unit::Sentence => self.clause_nearness(inner, window),
                Unit::Comment => windows(Unit::Sentence, self.context.analysis)
                    .filter_map(|window| self.clause_nearness(inner, window))
                    .reduce(f32::max),
            },
        }
    }

    fn span_nearness(&mut self, id: SpanId, window: Window) -> f32 {
        let key = (id, sentence(window.unit, window.sentence));
        if let Some(&known) = self.nearness.get(&key) {
            return known;
        }
        let nearness = if !self.hits(id, window).is_empty() {
            1.0
        } else {
            match &self.matcher.rules.spans[id.index()] {
                SpanNode::Words(_)
                | SpanNode::Test(_)
                | SpanNode::Text(_)
                | SpanNode::Regex(_)
                | SpanNode::FirstOf(_) => 0.0,
                SpanNode::Phrase(parts) | SpanNode::Ordered(parts, _) | SpanNode::Near(parts, _) => {
                    let sum: f32 = parts.iter().map(|&part| self.span_nearness(part, window)).sum();
                    0.95 * sum / parts.len().max(1) as f32
                }
                SpanNode::Except(inner, _) | SpanNode::Feature(_, inner) | SpanNode::Aligned(_, inner) => {
                    0.9 * self.span_nearness(*inner, window)
                }
                SpanNode::Union(parts) => {
                    parts.iter().map(|&part| self.span_nearness(part, window)).fold(0.0, f32::max)
                }
            }
        };
        self.nearness.insert(key, nearness);
        nearness
    }

    fn char_ranges(&self, hits: &[Hit]) -> Vec<Range<usize>> {
        let Context { analysis, comment } = self.context;
        let mut ranges: Vec<Range<usize>> = hits
            .iter()
            .take(MAX_EVIDENCE)
            .map(|hit| analysis.normalized.original_bytes(hit.start as usize..hit.end as usize))
            .collect();
        to_characters(&comment.text, ranges.iter_mut());
        ranges
    }

    fn outcome(&mut self, clause: &Clause, window: Window) -> ClauseOutcome {
        let mut hits = Some(Vec::new());
        let held = self.matcher.holds(clause, window, self.context, &mut hits);
        let span = clause.place.span(&self.matcher.rules.sources);
        let (kind, parts) = match &clause.condition {
            Condition::All(parts) => (ClauseKind::All, self.outcomes(parts, window)),
            Condition::Any(parts) => (ClauseKind::Any, self.outcomes(parts, window)),
            Condition::Not(inner) => (ClauseKind::Not, vec![self.outcome(inner, window)]),
            Condition::Within(unit, inner) => {
                let window = match unit {
                    Unit::Comment => Window { unit: Unit::Comment, sentence: 0 },
                    Unit::Sentence => self.best_sentence(inner, window),
                };
                (ClauseKind::Within, vec![self.outcome(inner, window)])
            }
            Condition::Attribute { .. } => (ClauseKind::Attribute, Vec::new()),
            Condition::Rule(_) | Condition::Category(_) => (ClauseKind::Reference, Vec::new()),
            Condition::Compare { sum, .. } => {
                let mut parts = Vec::new();
                if let Some(Node { expr: Expr::Compare { sum: quantities, .. }, .. }) = reread(&span) {
                    for (quantity, amount) in quantities.iter().zip(sum) {
                        if let (Quantity::Count(node), Amount::Count(id)) = (quantity, amount) {
                            parts.push(self.span_outcome(node, &span, *id, window));
                        }
                    }
                }
                (ClauseKind::Compare, parts)
            }
            Condition::Span(id) => {
                if let Some(node) = reread(&span) {
                    return self.span_outcome(&node, &span, *id, window);
                }
                (ClauseKind::Atom, Vec::new())
            }
        };
        let nearness = if held { 1.0 } else { self.clause_nearness(clause, window).unwrap_or(0.0) };
        let mut hits = hits.unwrap_or_default();
        hits.sort_unstable();
        hits.dedup();
        let found = self.found(&clause.condition, window);
        ClauseOutcome { span, kind, held, nearness, char_ranges: self.char_ranges(&hits), found, parts }
    }

    /// What a comparison or a test of an attribute had before it.
    fn found(&mut self, condition: &Condition, window: Window) -> Option<String> {
        match condition {
            Condition::Compare { sum, .. } => {
                let analysis = self.context.analysis;
                let morphemes = match window.unit {
                    Unit::Comment => &analysis.morphemes[..],
                    Unit::Sentence => analysis.sentences.get(window.sentence).map_or(&[][..], |sentence| {
                        &analysis.morphemes[sentence.start as usize..sentence.end as usize]
                    }),
                };
                let characters = || {
                    let (first, last) = (morphemes.first()?, morphemes.last()?);
                    let bytes = first.byte_range.start as usize..last.byte_range.end as usize;
                    Some(analysis.text().get(bytes)?.chars().count())
                };
                let number = |amount: &Amount| match amount {
                    Amount::Count(id) => self.hits(*id, window).len(),
                    Amount::Characters => characters().unwrap_or(0),
                    Amount::Morphemes => morphemes.len(),
                };
                Some(sum.iter().map(number).sum::<usize>().to_string())
            }
            Condition::Attribute { name, .. } => self.context.comment.attribute(name).map(str::to_owned),
            _ => None,
        }
    }

    fn outcomes(&mut self, clauses: &[Clause], window: Window) -> Vec<ClauseOutcome> {
        clauses.iter().map(|clause| self.outcome(clause, window)).collect()
    }

    /// The sentence in which a clause came nearest.
    fn best_sentence(&mut self, clause: &Clause, window: Window) -> Window {
        if window.unit == Unit::Sentence {
            return window;
        }
        let mut best = (Window { unit: Unit::Sentence, sentence: 0 }, -1.0);
        for window in windows(Unit::Sentence, self.context.analysis) {
            let nearness = match self.matcher.holds(clause, window, self.context, &mut None) {
                true => 1.0,
                false => self.clause_nearness(clause, window).unwrap_or(0.0),
            };
            if nearness > best.1 {
                best = (window, nearness);
            }
        }
        best.0
    }

    /// The outcome of a span expression, from its compiled form and the tree read again from the text at `base`.
    fn span_outcome(&mut self, node: &Node, base: &Span, id: SpanId, window: Window) -> ClauseOutcome {
        let start = base.byte_range.start;
        let span = Span::new(&base.source, start + node.byte_range.start..start + node.byte_range.end);
        let hits = self.hits(id, window);
        let kind = ClauseKind::of(&node.expr);
        let rules = self.matcher.rules;
        let pairs: Vec<(&Node, SpanId)> = match (&node.expr, &rules.spans[id.index()]) {
            (Expr::Phrase(nodes), SpanNode::Phrase(ids))
            | (Expr::Ordered { parts: nodes, .. }, SpanNode::Ordered(ids, _))
            | (Expr::Near { parts: nodes, .. }, SpanNode::Near(ids, _)) => {
                nodes.iter().zip(ids.iter().copied()).collect()
            }
            // Of a list of words it is enough to know whether one is there.
            (Expr::Any(nodes), SpanNode::Union(ids))
                if nodes.iter().any(|node| ClauseKind::of(&node.expr) != ClauseKind::Atom) =>
            {
                nodes.iter().zip(ids.iter().copied()).collect()
            }
            (Expr::Except(inner, outer), SpanNode::Except(inner_id, outer_id)) => {
                vec![(&**inner, *inner_id), (&**outer, *outer_id)]
            }
            (Expr::Feature(_, inner), SpanNode::Feature(_, inner_id))
            | (Expr::Aligned(_, inner), SpanNode::Aligned(_, inner_id)) => vec![(&**inner, *inner_id)],
            _ => Vec::new(),
        };
        let parts = pairs.into_iter().map(|(node, id)| self.span_outcome(node, base, id, window)).collect();
        ClauseOutcome {
            span,
            kind,
            held: !hits.is_empty(),
            nearness: self.span_nearness(id, window),
            char_ranges: self.char_ranges(&hits),
            found: None,
            parts,
        }
    }
}

/// The tree of a clause, read again from its place; `None` where the pattern stands in the file with escapes.
fn reread(span: &Span) -> Option<Node> {
    parse_pattern(span.source.text().get(span.byte_range.clone())?).ok()
}
