//! Gates: which span expressions, clauses and rules can hold at all, given the words and texts that were found.
//!
//! Every span expression has a gate, and so has every clause that cannot hold without some hit. A hit opens the gate
//! of its word or text; alternatives are open when one of the gates below them is, parts that must occur together when
//! all are. A gate stands after those below it, so that one pass in ascending order settles them all. Of parts that
//! must occur together only the rarest one leads on: the others are looked at when that one is open. So the cost of a
//! comment grows with its hits, and a rule costs nothing where its rarest word does not occur.

use std::{collections::HashMap, ops::Range};

use serde::{Deserialize, Serialize};

use super::{
    compile::{Amount, Clause, CompiledRule, Condition, SpanId, SpanNode},
    require::Requirement,
    syntax::Comparison,
};

/// Index of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct GateId(u32);

impl GateId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A way from a gate to one above it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Edge {
    to: GateId,
    /// Of a union above: the list of its open parts, and which part this is.
    part: Option<(u32, SpanId)>,
}

/// A gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Gate {
    /// Gates to look at when this one is open: a range of [`Gates::edges`].
    above: Range<u32>,
    /// Gates that must all be open: a range of [`Gates::parts`]; empty where any edge opens the gate.
    all_of: Range<u32>,
    /// The rule that it wakes.
    wakes: Option<u32>,
}

/// The gates of a rule set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Gates {
    gates: Vec<Gate>,
    edges: Vec<Edge>,
    parts: Vec<GateId>,
    /// The gate of each span expression.
    of_span: Vec<GateId>,
    /// The list of open parts of each span expression that is a union.
    union_of_span: Vec<Option<u32>>,
    unions: u32,
    /// Regular expressions of which nothing is known before they are tried.
    always: Vec<GateId>,
}

impl Gates {
    /// The gate of a span expression.
    pub(super) fn of(&self, span: SpanId) -> GateId {
        self.of_span[span.index()]
    }
}

fn in_range<'l, T>(list: &'l [T], range: &Range<u32>) -> &'l [T] {
    &list[range.start as usize..range.end as usize]
}

/// What is open for one comment.
#[derive(Debug, Default)]
pub(super) struct OpenGates {
    /// A bit for each gate.
    open: Vec<u64>,
    /// Gates to look at, a bit each.
    pending: Vec<u64>,
    /// Open parts of unions, valid where the union is open.
    parts: Vec<Vec<SpanId>>,
    /// Rules that were woken, ascending.
    pub(super) woken: Vec<u32>,
}

impl OpenGates {
    pub(super) fn new(gates: &Gates) -> Self {
        let words = gates.gates.len().div_ceil(64);
        Self {
            open: vec![0; words],
            pending: vec![0; words],
            parts: vec![Vec::new(); gates.unions as usize],
            ..Self::default()
        }
    }

    /// Closes all gates but those that are always open.
    pub(super) fn reset(&mut self, gates: &Gates) {
        self.open.fill(0);
        self.pending.fill(0);
        self.woken.clear();
        for &gate in &gates.always {
            self.hit(gate);
        }
    }

    /// Takes note that a word or text was found. [`settle`](Self::settle) comes after all hits.
    pub(super) fn hit(&mut self, gate: GateId) {
        self.pending[gate.index() / 64] |= 1 << (gate.index() % 64);
    }

    /// Whether a gate is open.
    pub(super) fn is_open(&self, gate: GateId) -> bool {
        self.open[gate.index() / 64] >> (gate.index() % 64) & 1 == 1
    }

    /// The open parts of a union whose gate is open.
    pub(super) fn open_parts(&self, union: SpanId, gates: &Gates) -> &[SpanId] {
        gates.union_of_span[union.index()].map_or(&[], |list| &self.parts[list as usize])
    }

    /// Opens every gate that the hits open.
    pub(super) fn settle(&mut self, gates: &Gates) {
        for word in 0..self.pending.len() {
            while self.pending[word] != 0 {
                let bit = self.pending[word].trailing_zeros();
                self.pending[word] &= self.pending[word] - 1;
                let gate = &gates.gates[word * 64 + bit as usize];
                if !in_range(&gates.parts, &gate.all_of).iter().all(|&below| self.is_open(below)) {
                    continue;
                }
                self.open[word] |= 1 << bit;
                self.woken.extend(gate.wakes);
                for edge in in_range(&gates.edges, &gate.above) {
                    let (at, bit) = (edge.to.index() / 64, 1 << (edge.to.index() % 64));
                    if let Some((list, part)) = edge.part {
                        let list = &mut self.parts[list as usize];
                        if self.pending[at] & bit == 0 {
                            list.clear();
                        }
                        list.push(part);
                    }
                    self.pending[at] |= bit;
                }
            }
        }
        self.woken.sort_unstable();
    }
}

/// Builds the gates of span expressions, clauses and rules and sets those of the clauses; gives the gates of texts
/// too, and the rules that have no gate. `likelihood` tells how probable a hit of a word or text is in a comment.
pub(super) fn build(
    spans: &[SpanNode],
    requirements: &[Option<Requirement>],
    rules: &mut [CompiledRule],
    likelihood: impl Fn(&SpanNode) -> f32,
) -> (Gates, HashMap<String, GateId>, Vec<u32>) {
    let mut builder = Builder::default();
    for node in spans {
        let gate = match node {
            SpanNode::Text(text) => builder.text(text),
            SpanNode::Words(_) | SpanNode::Test(_) => builder.gate(likelihood(node)),
            SpanNode::Regex(index) => match &requirements[*index] {
                Some(requirement) => builder.required(requirement),
                None => {
                    let gate = builder.gate(1.0);
                    builder.always.push(gate);
                    gate
                }
            },
            SpanNode::Phrase(parts) | SpanNode::Ordered(parts, _) | SpanNode::Near(parts, _) => {
                let below = parts.iter().map(|part| builder.of_span[part.index()]).collect();
                builder.joined(true, below)
            }
            SpanNode::Union(parts) => builder.union(parts),
            SpanNode::Except(inner, _) | SpanNode::Feature(_, inner) | SpanNode::Aligned(_, inner) => {
                builder.of_span[inner.index()]
            }
        };
        if !matches!(node, SpanNode::Union(_)) {
            builder.union_of_span.push(None);
        }
        builder.of_span.push(gate);
    }
    let mut always = Vec::new();
    for (index, rule) in rules.iter_mut().enumerate() {
        for clause in &mut rule.unless {
            builder.clause(clause);
        }
        let gates: Vec<Option<GateId>> = rule.alternatives.iter_mut().map(|clause| builder.clause(clause)).collect();
        match gates.into_iter().collect::<Option<Vec<GateId>>>() {
            None => always.push(index as u32),
            Some(below) => {
                let gate = builder.any_of(&below);
                builder.wakes[gate.index()] = Some(index as u32);
            }
        }
    }
    let (gates, of_text) = builder.finish();
    (gates, of_text, always)
}

#[derive(Default)]
struct Builder {
    above: Vec<Vec<Edge>>,
    all_of: Vec<Vec<GateId>>,
    wakes: Vec<Option<u32>>,
    likelihoods: Vec<f32>,
    of_span: Vec<GateId>,
    union_of_span: Vec<Option<u32>>,
    unions: u32,
    always: Vec<GateId>,
    of_text: HashMap<String, GateId>,
    /// Gates by (all or one, gates below): equal ones are the same gate.
    shared: HashMap<(bool, Vec<GateId>), GateId>,
}

impl Builder {
    fn finish(self) -> (Gates, HashMap<String, GateId>) {
        let (mut gates, mut edges, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for ((above, all_of), wakes) in self.above.into_iter().zip(self.all_of).zip(self.wakes) {
            let (first_edge, first_part) = (edges.len() as u32, parts.len() as u32);
            edges.extend(above);
            parts.extend(all_of);
            gates.push(Gate { above: first_edge..edges.len() as u32, all_of: first_part..parts.len() as u32, wakes });
        }
        let Self { of_span, union_of_span, unions, always, of_text, .. } = self;
        (Gates { gates, edges, parts, of_span, union_of_span, unions, always }, of_text)
    }

    fn gate(&mut self, likelihood: f32) -> GateId {
        let id = GateId(self.above.len() as u32);
        self.above.push(Vec::new());
        self.all_of.push(Vec::new());
        self.wakes.push(None);
        self.likelihoods.push(likelihood);
        id
    }

    fn text(&mut self, text: &str) -> GateId {
        if let Some(&gate) = self.of_text.get(text) {
            return gate;
        }
        let gate = self.gate(text_likelihood(text));
        self.of_text.insert(text.to_owned(), gate);
        gate
    }

    fn required(&mut self, requirement: &Requirement) -> GateId {
        match requirement {
            Requirement::Text(text) => self.text(text),
            Requirement::All(parts) | Requirement::Any(parts) => {
                let below = parts.iter().map(|part| self.required(part)).collect();
                self.joined(matches!(requirement, Requirement::All(_)), below)
            }
        }
    }

    /// A gate that any of those below opens.
    fn any_of(&mut self, below: &[GateId]) -> GateId {
        let likelihood = below.iter().map(|gate| self.likelihoods[gate.index()]).sum::<f32>().min(1.0);
        let gate = self.gate(likelihood);
        for part in below {
            self.above[part.index()].push(Edge { to: gate, part: None });
        }
        gate
    }

    /// The gate of a union, which keeps a list of its open parts.
    fn union(&mut self, parts: &[SpanId]) -> GateId {
        let list = self.unions;
        self.unions += 1;
        let below: Vec<GateId> = parts.iter().map(|part| self.of_span[part.index()]).collect();
        let likelihood = below.iter().map(|gate| self.likelihoods[gate.index()]).sum::<f32>().min(1.0);
        let gate = self.gate(likelihood);
        for (&below, &part) in below.iter().zip(parts) {
            self.above[below.index()].push(Edge { to: gate, part: Some((list, part)) });
        }
        self.union_of_span.push(Some(list));
        gate
    }

    fn joined(&mut self, all: bool, mut below: Vec<GateId>) -> GateId {
        below.sort_unstable();
        below.dedup();
        if let [only] = below[..] {
            return only;
        }
        if let Some(&gate) = self.shared.get(&(all, below.clone())) {
            return gate;
        }
        let gate = if all {
            // The rarest part leads on; then the next rarest tells most.
            let mut parts = below.clone();
            parts.sort_by(|a, b| self.likelihoods[a.index()].total_cmp(&self.likelihoods[b.index()]));
            let likelihood = parts.iter().map(|gate| self.likelihoods[gate.index()]).product();
            let gate = self.gate(likelihood);
            self.above[parts[0].index()].push(Edge { to: gate, part: None });
            self.all_of[gate.index()] = parts.split_off(1);
            gate
        } else {
            self.any_of(&below)
        };
        self.shared.insert((all, below), gate);
        gate
    }

    /// The gate without which a clause cannot hold; `None` where it may hold without any hit. Sets the gates of the
    /// clause and of all its parts.
    fn clause(&mut self, clause: &mut Clause) -> Option<GateId> {
        clause.gate = match &mut clause.condition {
            Condition::Span(id) => Some(self.of_span[id.index()]),
            Condition::All(parts) => {
                let below: Vec<GateId> = parts.iter_mut().filter_map(|part| self.clause(part)).collect();
                (!below.is_empty()).then(|| self.joined(true, below))
            }
            Condition::Any(parts) => {
                let below: Vec<Option<GateId>> = parts.iter_mut().map(|part| self.clause(part)).collect();
                let below: Option<Vec<GateId>> = below.into_iter().collect();
                below.map(|below| self.joined(false, below))
            }
            Condition::Within(_, inner) => self.clause(inner),
            Condition::Compare { sum, comparison, number } => {
                let wants_some = match comparison {
                    Comparison::Greater => true,
                    Comparison::AtLeast | Comparison::Equal => *number > 0,
                    Comparison::Less | Comparison::AtMost => false,
                };
                let counted: Option<Vec<GateId>> = sum
                    .iter()
                    .map(|amount| match amount {
                        Amount::Count(id) => Some(self.of_span[id.index()]),
                        Amount::Characters | Amount::Morphemes => None,
                    })
                    .collect();
                counted.filter(|_| wants_some).map(|counted| self.joined(false, counted))
            }
            Condition::Not(inner) => {
                self.clause(inner);
                None
            }
            Condition::Attribute { .. } | Condition::Rule(_) | Condition::Category(_) => None,
        };
        clause.gate
    }
}

/// How probable it is that a comment holds a text, as an order of magnitude: by the scripts of its characters, kana
/// being common and kanji rare, and those after the first far likelier than by chance.
pub(super) fn text_likelihood(text: &str) -> f32 {
    /// Characters of a usual comment.
    const LENGTH: f32 = 60.0;
    let chances = text.chars().map(|c| match c {
        'ぁ'..='ゖ' | '、' | '。' => (0.03, 0.15),
        'ァ'..='ヺ' | 'ー' => (0.008, 0.1),
        '一'..='鿿' => (0.004, 0.05),
        _ => (0.006, 0.1),
    });
    let chance: f32 = chances.enumerate().map(|(at, (first, later))| if at == 0 { first } else { later }).product();
    (LENGTH * chance).min(1.0)
}
