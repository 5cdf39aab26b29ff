//! Matching: one pass over a comment gives all hits of words and texts; rules that a hit wakes are evaluated
//! from the positions of hits.

use std::ops::Range;

use super::{
    compile::{
        Amount, Clause, Clauses, CompiledRule, Condition, RuleSet, SpanId, SpanNode, WordInfo, is_section, push_id,
    },
    file::{RuleKind, Strength},
    gate::{GateId, OpenGates},
    polarity::{Polarity, Roles, is_over, scan},
    syntax::{Alignment, Distance, Feature, Unit},
};
use crate::{
    analyze::{Analysis, WordClass},
    classify::{Classification, Coding, Evidence},
    codebook::CategoryIndex,
    comment::Comment,
};

/// A place where a span expression matches: bytes of the normalised text, and the morphemes that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Weight of a strong and of a weak rule in the confidence.
const STRONG: f32 = 0.9;
const WEAK: f32 = 0.5;

/// At most this many places are given as evidence for one clause.
pub(super) const MAX_EVIDENCE: usize = 8;

/// Matches a rule set against one comment after the other, with buffers that it keeps: one a thread.
pub struct Matcher<'r> {
    pub(super) rules: &'r RuleSet,
    /// Words and texts that were found, with their gates. Those of a gate stand in the order of the text.
    found: Vec<(GateId, Hit)>,
    /// Gate and position in `found`, as one number, ascending.
    order: Vec<u64>,
    /// The gates of `found`, ascending, and the hits in the order of their gates.
    found_gates: Vec<GateId>,
    found_hits: Vec<Hit>,
    /// Whether a span node is a word or a text.
    is_found: Vec<bool>,
    /// Where the hits of other span nodes are that were asked for.
    resolved: Vec<Resolved>,
    /// Lists of hits, of which the first `lists_used` are of this comment.
    lists: Vec<Vec<Hit>>,
    lists_used: u32,
    stamp: u32,
    pub(super) words: Vec<(Roles, WordClass)>,
    id_bytes: Vec<u8>,
    /// For each byte of the text the first morpheme that ends after it.
    morpheme_at: Vec<u32>,
    /// The text in lower case, where it has capitals.
    lower_case: String,
    gates: OpenGates,
    /// Rules that may fire, ascending.
    woken: Vec<u32>,
    outcomes: Vec<Option<bool>>,
    touched_outcomes: Vec<u32>,
}

/// The list of a span node's hits, for the comment whose stamp it is.
#[derive(Clone, Copy, Default)]
struct Resolved {
    stamp: u32,
    list: u32,
}

/// A rule that fired, in one unit.
pub(super) struct Firing {
    pub(super) rule: u32,
    pub(super) unit: Unit,
    pub(super) sentence: usize,
    pub(super) hits: Vec<Hit>,
}

pub(super) struct Context<'c> {
    pub(super) analysis: &'c Analysis<'c>,
    pub(super) comment: &'c Comment,
}

#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) unit: Unit,
    pub(super) sentence: usize,
}

impl<'r> Matcher<'r> {
    /// A matcher for a rule set.
    pub fn new(rules: &'r RuleSet) -> Self {
        Self {
            rules,
            found: Vec::new(),
            order: Vec::new(),
            found_gates: Vec::new(),
            found_hits: Vec::new(),
            is_found: rules.spans.iter().map(SpanNode::is_found).collect(),
            resolved: vec![Resolved::default(); rules.spans.len()],
            lists: Vec::new(),
            lists_used: 0,
            stamp: 0,
            words: Vec::new(),
            id_bytes: Vec::new(),
            morpheme_at: Vec::new(),
            lower_case: String::new(),
            gates: OpenGates::new(&rules.gates),
            woken: Vec::new(),
            outcomes: vec![None; rules.rules.len()],
            touched_outcomes: Vec::new(),
        }
    }

    /// Classifies a comment. `analysis` is the analysis of `comment.text`.
    pub fn classify(&mut self, analysis: &Analysis<'_>, comment: &Comment) -> Classification {
        let firings = self.firings(analysis, comment);
        if firings.is_empty() {
            return Classification::default();
        }
        let (excluding, firings): (Vec<_>, Vec<_>) =
            firings.into_iter().partition(|firing| self.rule(firing).kind == RuleKind::Exclude);
        let mut codings: Vec<(Coding, Vec<&Firing>)> = Vec::new();
        for (category, _) in self.rules.codebook().iter() {
            let of_category: Vec<&Firing> = firings
                .iter()
                .filter(|firing| self.rule(firing).assigns(category))
                .filter(|firing| !excluding.iter().any(|by| self.excludes(by, firing, category, analysis)))
                .collect();
            let mut distinct: Vec<u32> = of_category.iter().map(|firing| firing.rule).collect();
            distinct.sort_unstable();
            distinct.dedup();
            let strong = distinct.iter().any(|&rule| self.rules.rules[rule as usize].strength == Strength::Strong);
            if !strong && distinct.len() < 2 {
                continue;
            }
            let open = distinct.iter().fold(1.0f32, |open, &rule| match self.rules.rules[rule as usize].strength {
                Strength::Strong => open * (1.0 - STRONG),
                Strength::Weak => open * (1.0 - WEAK),
            });
            let confidence = ((1.0 - open) * 1000.0).round() / 1000.0;
            let mut coding = Coding { category, confidence, evidence: Vec::new() };
            for firing in &of_category {
                let id = &self.rule(firing).id;
                coding.evidence.extend(firing.hits.iter().map(|hit| Evidence {
                    rule: id.clone(),
                    char_range: analysis.normalized.original_bytes(hit.start as usize..hit.end as usize),
                }));
            }
            codings.push((coding, of_category));
        }
        let primary = self.primary(&codings);
        let mut codings: Vec<Coding> = codings.into_iter().map(|(coding, _)| coding).collect();
        to_characters(
            &comment.text,
            codings.iter_mut().flat_map(|coding| &mut coding.evidence).map(|e| &mut e.char_range),
        );
        for coding in &mut codings {
            coding.evidence.sort_by(|a, b| {
                (a.char_range.start, a.char_range.end, &a.rule).cmp(&(b.char_range.start, b.char_range.end, &b.rule))
            });
            coding.evidence.dedup();
        }
        Classification { codings, primary }
    }

    /// The rules that fire on a comment, exclusions included, as positions in the rule set; ascending.
    pub fn fired_rules(&mut self, analysis: &Analysis<'_>, comment: &Comment) -> Vec<usize> {
        let mut rules: Vec<usize> = self.firings(analysis, comment).iter().map(|firing| firing.rule as usize).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    pub(super) fn rule(&self, firing: &Firing) -> &'r CompiledRule {
        &self.rules.rules[firing.rule as usize]
    }

    pub(super) fn firings(&mut self, analysis: &Analysis<'_>, comment: &Comment) -> Vec<Firing> {
        self.find_hits(analysis);
        let context = Context { analysis, comment };
        let rules = self.rules;
        // Nothing can be said of a comment without words, not even that it is short.
        if analysis.morphemes.is_empty() {
            return Vec::new();
        }
        let mut firings = Vec::new();
        let mut open: Vec<&Clause> = Vec::new();
        for at in 0..self.woken.len() {
            let index = self.woken[at];
            let rule = &rules.rules[index as usize];
            open.clear();
            open.extend(
                rule.alternatives.with_gates().filter(|&(_, gate)| self.is_open(gate)).map(|(clause, _)| clause),
            );
            for window in windows(rule.unit, analysis) {
                let mut hits = Some(Vec::new());
                let mut fires = false;
                for alternative in &open {
                    // Every alternative is evaluated: each that holds is evidence.
                    fires |= self.holds(alternative, window, &context, &mut hits);
                }
                if fires && !self.any_holds(&rule.unless, window, &context, &mut None) {
                    let mut hits = hits.unwrap_or_default();
                    if hits.is_empty() {
                        hits.extend(whole(window, analysis));
                    }
                    keep_widest(&mut hits);
                    firings.push(Firing { rule: index, unit: rule.unit, sentence: window.sentence, hits });
                }
            }
        }
        firings
    }

    /// Whether an exclusion that fired takes a category from another firing: in the same unit, and not a strong
    /// one by a weak one.
    pub(super) fn excludes(
        &self,
        by: &Firing,
        firing: &Firing,
        category: CategoryIndex,
        analysis: &Analysis<'_>,
    ) -> bool {
        let excluder = self.rule(by);
        excluder.categories.contains(&category)
            && (excluder.strength == Strength::Strong || self.rule(firing).strength == Strength::Weak)
            && (by.unit == Unit::Comment
                || firing.unit == Unit::Sentence && firing.sentence == by.sentence
                || firing.hits.iter().all(|hit| analysis.sentence_of(hit.first) == by.sentence))
    }

    /// The section of the most concrete incident; of several the one that comes first in the text, then in the
    /// code frame.
    fn primary(&self, codings: &[(Coding, Vec<&Firing>)]) -> Option<CategoryIndex> {
        let mut best: Option<((u8, std::cmp::Reverse<u32>), CategoryIndex)> = None;
        for (coding, firings) in codings {
            if !is_section(self.rules.codebook(), coding.category) {
                continue;
            }
            let concreteness = firings.iter().map(|firing| self.rule(firing).concreteness).max().unwrap_or(0);
            let position = firings
                .iter()
                .filter(|firing| self.rule(firing).concreteness == concreteness)
                .flat_map(|firing| &firing.hits)
                .map(|hit| hit.start)
                .min()
                .unwrap_or(u32::MAX);
            let rank = (concreteness, std::cmp::Reverse(position));
            if best.is_none_or(|(best, _)| rank > best) {
                best = Some((rank, coding.category));
            }
        }
        best.map(|(_, category)| category)
    }

    /// The single pass: hits of all words and texts, and the rules that they wake.
    fn find_hits(&mut self, analysis: &Analysis<'_>) {
        self.stamp += 1;
        self.lists_used = 0;
        self.words.clear();
        self.id_bytes.clear();
        self.gates.reset(&self.rules.gates);
        for outcome in self.touched_outcomes.drain(..) {
            self.outcomes[outcome as usize] = None;
        }
        let rules = self.rules;
        let text = analysis.text();
        let mut unknown = WordInfo::default();
        self.morpheme_at.clear();
        self.found.clear();
        for (index, morpheme) in analysis.morphemes.iter().enumerate() {
            let info = rules.info(morpheme, text, &mut unknown);
            push_id(&mut self.id_bytes, info.id);
            self.words.push((info.roles, morpheme.word.class));
            self.morpheme_at.resize(morpheme.byte_range.end as usize, index as u32);
            let hit = Hit {
                start: morpheme.byte_range.start,
                end: morpheme.byte_range.end,
                first: index as u32,
                last: index as u32,
            };
            for &gate in &info.gates {
                self.gates.hit(gate, &rules.gates);
                self.found.push((gate, hit));
            }
        }
        if let Some(automaton) = &rules.word_automaton {
            for found in automaton.find_overlapping_iter(&self.id_bytes) {
                let (first, last) = (found.start() / 3, found.end() / 3 - 1);
                let hit = Hit {
                    start: analysis.morphemes[first].byte_range.start,
                    end: analysis.morphemes[last].byte_range.end,
                    first: first as u32,
                    last: last as u32,
                };
                let gate = GateId(found.value());
                self.gates.hit(gate, &rules.gates);
                self.found.push((gate, hit));
            }
        }
        if let Some(automaton) = &rules.text_automaton
            && !analysis.morphemes.is_empty()
        {
            let text = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.lower_case.clear();
                self.lower_case.push_str(text);
                self.lower_case.make_ascii_lowercase();
                self.lower_case.as_str()
            } else {
                text
            };
            for found in automaton.find_overlapping_iter(text) {
                let gate = GateId(found.value());
                self.gates.hit(gate, &rules.gates);
                self.found.push((gate, self.hit_of_bytes(analysis, found.start(), found.end())));
            }
        }
        self.sort_found();
        self.woken.clear();
        self.woken.extend(&rules.always);
        self.gates.settle(&rules.gates, &mut self.woken);
        self.woken.sort_unstable();
    }

    /// Puts what was found in the order of its gates.
    fn sort_found(&mut self) {
        self.order.clear();
        self.order.extend((0u64..).zip(&self.found).map(|(at, (gate, _))| u64::from(gate.0) << 32 | at));
        self.order.sort_unstable();
        self.found_gates.clear();
        self.found_hits.clear();
        for &key in &self.order {
            let (gate, hit) = self.found[key as u32 as usize];
            self.found_gates.push(gate);
            self.found_hits.push(hit);
        }
    }

    /// The hits of a node over the whole comment, sorted, without repeats. It must have been
    /// [resolved](Self::resolve), unless it is a word or a text.
    pub(super) fn hits(&self, node: SpanId) -> &[Hit] {
        if !self.is_found[node.index()] {
            return &self.lists[self.resolved[node.index()].list as usize];
        }
        let gate = self.rules.gates.of(node);
        let first = self.found_gates.partition_point(|&of| of < gate);
        let count = self.found_gates[first..].partition_point(|&of| of == gate);
        &self.found_hits[first..first + count]
    }

    /// Makes the hits of a node.
    pub(super) fn resolve(&mut self, node: SpanId, context: &Context<'_>) {
        let index = node.index();
        if self.is_found[index] || self.resolved[index].stamp == self.stamp {
            return;
        }
        let list = self.lists_used;
        self.lists_used += 1;
        self.resolved[index] = Resolved { stamp: self.stamp, list };
        if self.lists.len() == list as usize {
            self.lists.push(Vec::new());
        }
        let mut hits = std::mem::take(&mut self.lists[list as usize]);
        hits.clear();
        let rules = self.rules;
        // Behind a closed gate there are none.
        if self.is_open(rules.gates.of(node)) {
            self.compute(node, context, &mut hits);
            hits.sort_unstable();
            hits.dedup();
        }
        self.lists[list as usize] = hits;
    }

    fn compute(&mut self, id: SpanId, context: &Context<'_>, hits: &mut Vec<Hit>) {
        let rules = self.rules;
        match &rules.spans[id.index()] {
            SpanNode::Words(_) | SpanNode::Test(_) | SpanNode::Text(_) => {}
            SpanNode::Regex(index) => {
                if !context.analysis.morphemes.is_empty() {
                    let found = rules.regexes[*index].get().find_iter(context.analysis.text());
                    hits.extend(found.map(|found| self.hit_of_bytes(context.analysis, found.start(), found.end())));
                }
            }
            SpanNode::Union(parts) => {
                for (&part, &gate) in parts.iter().zip(rules.gates.below(rules.gates.of(id))) {
                    if self.is_open(gate) {
                        self.resolve(part, context);
                        hits.extend_from_slice(self.hits(part));
                    }
                }
            }
            SpanNode::FirstOf(texts) => self.first_of(id, texts, hits),
            SpanNode::Phrase(parts) => {
                self.chain(parts, context, hits, |_, left, right, text| adjacent(left, right, text));
            }
            SpanNode::Ordered(parts, distance) => {
                let distance = *distance;
                self.chain(parts, context, hits, move |analysis, left, right, _| {
                    right.start >= left.end && within(analysis, left, right, distance)
                });
            }
            SpanNode::Near(parts, distance) => self.near(parts, *distance, context, hits),
            SpanNode::Except(inner, outer) => {
                self.resolve(*inner, context);
                self.resolve(*outer, context);
                let outer = self.hits(*outer);
                let inner = self.hits(*inner).iter();
                hits.extend(
                    inner.filter(|hit| !outer.iter().any(|other| other.start < hit.end && hit.start < other.end)),
                );
            }
            SpanNode::Aligned(alignment, inner) => {
                self.resolve(*inner, context);
                let morphemes = &context.analysis.morphemes;
                let begins = |hit: &Hit| morphemes[hit.first as usize].byte_range.start == hit.start;
                let ends = |hit: &Hit| {
                    *alignment == Alignment::Start || morphemes[hit.last as usize].byte_range.end == hit.end
                };
                hits.extend(self.hits(*inner).iter().filter(|hit| begins(hit) && ends(hit)));
            }
            SpanNode::Feature(feature, inner) => {
                self.resolve(*inner, context);
                let inner = self.hits(*inner);
                hits.extend(inner.iter().filter(|hit| self.has_feature(*feature, hit, context)));
            }
        }
    }

    /// As a regular expression finds alternatives: the leftmost, of several there the one that it names first, and on
    /// from its end.
    fn first_of(&mut self, id: SpanId, texts: &[SpanId], hits: &mut Vec<Hit>) {
        let gates = &self.rules.gates;
        let mut found: Vec<(u32, usize, Hit)> = Vec::new();
        for (preference, (&text, &gate)) in texts.iter().zip(gates.below(gates.of(id))).enumerate() {
            if self.is_open(gate) {
                found.extend(self.hits(text).iter().map(|&hit| (hit.start, preference, hit)));
            }
        }
        found.sort_unstable();
        let mut reached = 0;
        for (start, _, hit) in found {
            if start >= reached {
                reached = hit.end;
                hits.push(hit);
            }
        }
    }

    /// The hit for a byte range of the normalised text of an analysis that has morphemes.
    fn hit_of_bytes(&self, analysis: &Analysis<'_>, start: usize, end: usize) -> Hit {
        let last_morpheme = analysis.morphemes.len() as u32 - 1;
        // White space after the last morpheme belongs to none.
        let at = |byte: usize| self.morpheme_at.get(byte).copied().unwrap_or(last_morpheme);
        let first = at(start);
        let mut last = at(end.max(start + 1) - 1);
        if analysis.morphemes[last as usize].byte_range.start as usize >= end {
            last = last.saturating_sub(1);
        }
        Hit { start: start as u32, end: end as u32, first, last: last.max(first) }
    }

    fn is_open(&mut self, gate: GateId) -> bool {
        self.gates.is_open(gate, &self.rules.gates)
    }

    /// Joins parts left to right; of each joined hit only the span counts.
    fn chain(
        &mut self,
        parts: &[SpanId],
        context: &Context<'_>,
        hits: &mut Vec<Hit>,
        follows: impl Fn(&Analysis<'_>, &Hit, &Hit, &str) -> bool,
    ) {
        let Some((&first, rest)) = parts.split_first() else { return };
        self.resolve(first, context);
        let mut joined: Vec<Hit> = self.hits(first).to_vec();
        for &part in rest {
            if joined.is_empty() {
                return;
            }
            self.resolve(part, context);
            let mut next = Vec::new();
            let rights = self.hits(part);
            for left in &joined {
                for right in rights {
                    if follows(context.analysis, left, right, context.analysis.text()) {
                        next.push(Hit {
                            start: left.start,
                            end: right.end.max(left.end),
                            first: left.first,
                            last: right.last.max(left.last),
                        });
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            joined = next;
        }
        hits.extend(joined);
    }

    /// Parts in any order: grown from each hit of the first part by the nearest hit of a part not yet found.
    fn near(&mut self, parts: &[SpanId], distance: Distance, context: &Context<'_>, hits: &mut Vec<Hit>) {
        for &part in parts {
            self.resolve(part, context);
            if self.hits(part).is_empty() {
                return;
            }
        }
        let Some((&first, rest)) = parts.split_first() else { return };
        for start in self.hits(first) {
            let mut whole = *start;
            let mut used = vec![*start];
            let mut open: Vec<SpanId> = rest.to_vec();
            while !open.is_empty() {
                // Every part must stand near one that was found before it, and must be a place of its own.
                let next = open.iter().enumerate().find_map(|(index, part)| {
                    self.hits(*part)
                        .iter()
                        .filter(|hit| used.iter().all(|other| other.end <= hit.start || hit.end <= other.start))
                        .filter(|hit| {
                            used.iter().any(|other| {
                                let (left, right) =
                                    if other.start <= hit.start { (other, *hit) } else { (*hit, other) };
                                within(context.analysis, left, right, distance)
                            })
                        })
                        .min_by_key(|hit| hit.start.abs_diff(start.start))
                        .map(|hit| (index, *hit))
                });
                let Some((index, hit)) = next else { break };
                open.remove(index);
                used.push(hit);
                whole = Hit {
                    start: whole.start.min(hit.start),
                    end: whole.end.max(hit.end),
                    first: whole.first.min(hit.first),
                    last: whole.last.max(hit.last),
                };
            }
            if open.is_empty() {
                hits.push(whole);
            }
        }
    }

    fn has_feature(&self, feature: Feature, hit: &Hit, context: &Context<'_>) -> bool {
        let analysis = context.analysis;
        let index = analysis.sentence_of(hit.last);
        let sentence = &analysis.sentences[index];
        let sentence = sentence.start as usize..sentence.end as usize;
        let (first, last) = (hit.first as usize, hit.last as usize);
        if feature == Feature::Over {
            let next_end = analysis.sentences.get(index + 1).map_or(sentence.end, |next| next.end as usize);
            return is_over(&self.words, sentence, first.max(analysis.sentences[index].start as usize), last, next_end);
        }
        let polarity: Polarity = scan(&self.words, sentence, first, last);
        match feature {
            Feature::Negated => polarity.negated(),
            Feature::Affirmed => !polarity.negated(),
            Feature::DoublyNegated => polarity.doubly_negated(),
            Feature::Wished => polarity.wished,
            Feature::Supposed => polarity.supposed,
            Feature::Asserted => !polarity.negated() && !polarity.wished && !polarity.supposed,
            Feature::Over => unreachable!("answered above"),
        }
    }

    /// Whether a rule fires anywhere in the comment.
    pub(super) fn fires(&mut self, index: u32, context: &Context<'_>) -> bool {
        let rules = self.rules;
        if !self.is_open(rules.gates.of_rule(index)) {
            return false;
        }
        if let Some(outcome) = self.outcomes[index as usize] {
            return outcome;
        }
        let rule = &rules.rules[index as usize];
        let fires = windows(rule.unit, context.analysis).any(|window| {
            self.any_holds(&rule.alternatives, window, context, &mut None)
                && !self.any_holds(&rule.unless, window, context, &mut None)
        });
        self.outcomes[index as usize] = Some(fires);
        self.touched_outcomes.push(index);
        fires
    }

    /// Whether one of the clauses holds in a window; adds the hits that made them hold where they are asked for.
    fn any_holds(
        &mut self,
        clauses: &Clauses,
        window: Window,
        context: &Context<'_>,
        found: &mut Option<Vec<Hit>>,
    ) -> bool {
        let mut held = false;
        for (clause, gate) in clauses.with_gates() {
            held |= self.is_open(gate) && self.holds(clause, window, context, found);
            if held && found.is_none() {
                break;
            }
        }
        held
    }

    /// Whether a clause holds in a window; adds the hits that made it hold where they are asked for.
    pub(super) fn holds(
        &mut self,
        clause: &Clause,
        window: Window,
        context: &Context<'_>,
        found: &mut Option<Vec<Hit>>,
    ) -> bool {
        match &clause.condition {
            Condition::Span(node) => {
                self.resolve(*node, context);
                let hits = self.hits(*node);
                let inside = hits.iter().filter(|hit| in_window(context.analysis, hit, window));
                match found {
                    None => inside.clone().next().is_some(),
                    Some(found) => {
                        let before = found.len();
                        found.extend(inside.take(MAX_EVIDENCE));
                        found.len() > before
                    }
                }
            }
            Condition::All(parts) => {
                let before = found.as_ref().map_or(0, Vec::len);
                let (costly, cheap) = (parts.iter().filter(|p| p.is_costly), parts.iter().filter(|p| !p.is_costly));
                let held = cheap.chain(costly).all(|part| self.holds(part, window, context, found));
                if !held && let Some(found) = found {
                    found.truncate(before);
                }
                held
            }
            Condition::Any(parts) => self.any_holds(parts, window, context, found),
            Condition::Not(inner) => !(self.is_open(inner.gate) && self.holds(inner, window, context, &mut None)),
            Condition::Compare { sum, comparison, number } => {
                let mut total = 0u32;
                let mut counted: Vec<Hit> = Vec::new();
                for amount in sum {
                    total += match amount {
                        Amount::Count(node) => {
                            self.resolve(*node, context);
                            let before = counted.len();
                            counted
                                .extend(self.hits(*node).iter().filter(|hit| in_window(context.analysis, hit, window)));
                            (counted.len() - before) as u32
                        }
                        Amount::Characters => characters(window, context.analysis),
                        Amount::Morphemes => match window.unit {
                            Unit::Comment => context.analysis.morphemes.len() as u32,
                            Unit::Sentence => {
                                context.analysis.sentences.get(window.sentence).map_or(0, |s| s.len() as u32)
                            }
                        },
                    };
                }
                let held = comparison.holds(total, *number);
                if held && let Some(found) = found {
                    found.extend(counted.into_iter().take(MAX_EVIDENCE));
                }
                held
            }
            Condition::Attribute { name, values, negated } => {
                let value = context.comment.attribute(name);
                value.is_some_and(|value| values.iter().any(|wanted| wanted == value)) != *negated
            }
            Condition::Rule(index) => self.fires(*index, context),
            Condition::Category(category) => (0..self.woken.len()).any(|at| {
                let index = self.woken[at];
                self.rules.rules[index as usize].assigns(*category) && self.fires(index, context)
            }),
            Condition::Within(Unit::Comment, inner) => {
                self.holds(inner, Window { unit: Unit::Comment, sentence: 0 }, context, found)
            }
            Condition::Within(Unit::Sentence, inner) => match window.unit {
                Unit::Sentence => self.holds(inner, window, context, found),
                Unit::Comment => {
                    let mut held = false;
                    for window in windows(Unit::Sentence, context.analysis) {
                        held |= self.holds(inner, window, context, found);
                    }
                    held
                }
            },
        }
    }
}

/// Sorts hits and drops those that lie inside another: what is shown once need not be shown in parts.
fn keep_widest(hits: &mut Vec<Hit>) {
    hits.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    let mut reached = 0;
    hits.retain(|hit| {
        let is_new = hit.end > reached;
        reached = reached.max(hit.end);
        is_new
    });
}

pub(super) fn windows(unit: Unit, analysis: &Analysis<'_>) -> impl Iterator<Item = Window> + use<> {
    let count = match unit {
        Unit::Comment => 1,
        Unit::Sentence => analysis.sentences.len().max(1),
    };
    (0..count).map(move |sentence| Window { unit, sentence })
}

pub(super) fn in_window(analysis: &Analysis<'_>, hit: &Hit, window: Window) -> bool {
    match window.unit {
        Unit::Comment => true,
        Unit::Sentence => analysis.sentences.get(window.sentence).is_some_and(|sentence| sentence.contains(&hit.first)),
    }
}

fn whole(window: Window, analysis: &Analysis<'_>) -> Option<Hit> {
    let sentence = match window.unit {
        Unit::Comment => 0..analysis.morphemes.len() as u32,
        Unit::Sentence => analysis.sentences.get(window.sentence)?.clone(),
    };
    let (first, last) = (sentence.start, sentence.end.checked_sub(1)?);
    Some(Hit {
        start: analysis.morphemes.get(first as usize)?.byte_range.start,
        end: analysis.morphemes.get(last as usize)?.byte_range.end,
        first,
        last,
    })
}

fn characters(window: Window, analysis: &Analysis<'_>) -> u32 {
    whole(window, analysis)
        .map_or(0, |hit| analysis.text()[hit.start as usize..hit.end as usize].chars().count() as u32)
}

fn adjacent(left: &Hit, right: &Hit, text: &str) -> bool {
    right.start >= left.end && text[left.end as usize..right.start as usize].chars().all(char::is_whitespace)
}

/// Whether `right`, which starts no earlier than `left`, stands within the distance of it.
fn within(analysis: &Analysis<'_>, left: &Hit, right: &Hit, distance: Distance) -> bool {
    let near = distance.morphemes.is_none_or(|most| right.first.saturating_sub(left.last) <= most);
    near && match distance.unit {
        Unit::Comment => true,
        Unit::Sentence => analysis.sentence_of(left.last) == analysis.sentence_of(right.first),
    }
}

/// Turns byte ranges of a text into character ranges, in one pass over it.
pub(super) fn to_characters<'a>(text: &str, ranges: impl Iterator<Item = &'a mut Range<usize>>) {
    let mut ranges: Vec<&mut Range<usize>> = ranges.collect();
    let mut offsets: Vec<usize> = ranges.iter().flat_map(|range| [range.start, range.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut counted = Vec::with_capacity(offsets.len());
    let (mut at, mut characters) = (0, 0);
    for &offset in &offsets {
        characters += text[at..offset].chars().count();
        at = offset;
        counted.push(characters);
    }
    let count = |byte: usize| counted[offsets.binary_search(&byte).expect("every offset was listed")];
    for range in &mut ranges {
        **range = count(range.start)..count(range.end);
    }
}
