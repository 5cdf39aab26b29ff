//! Gates: which span expressions and rules can hold at all, given the words and texts that were found.
//!
//! Every span expression has a gate, and so has every clause of a rule that cannot hold without some hit. A hit
//! opens the gate of its word or text; a gate opens those above it once enough of the gates below it are open:
//! one of them for alternatives, all of them for parts that must occur together. So the cost of a comment grows
//! with its hits, not with the number of rules, and an alternative among hundreds is looked at only when it is open.

use std::collections::HashMap;

use super::{
    compile::{Amount, Clause, CompiledRule, Condition, SpanId, SpanNode},
    syntax::Comparison,
};

/// Index of a gate. The gate of a span expression has the expression's own index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GateId(u32);

impl GateId {
    /// The gate of a span expression.
    pub(super) fn of(span: SpanId) -> Self {
        Self(span.0)
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The gates of a rule set.
#[derive(Debug, Default)]
pub(super) struct Gates {
    /// Gates above each gate, one gate after the other.
    above: Vec<GateId>,
    /// Where the gates above a gate begin in `above`; one more than there are gates.
    above_starts: Vec<u32>,
    /// How many different gates below must be open.
    needed: Vec<u16>,
    /// The rule that an open gate wakes.
    wakes: Vec<Option<u32>>,
    /// Regular expressions of which nothing is known before they are tried.
    always: Vec<GateId>,
    /// Whether the gate belongs to a union, which keeps a list of its open parts.
    is_union: Vec<bool>,
}

impl Gates {
    fn above(&self, gate: GateId) -> &[GateId] {
        let range = self.above_starts[gate.index()] as usize..self.above_starts[gate.index() + 1] as usize;
        &self.above[range]
    }
}

/// What is open for one comment.
#[derive(Debug, Default)]
pub(super) struct OpenGates {
    stamp: u32,
    /// Stamp and number of open gates below, by gate.
    counts: Vec<(u32, u16)>,
    /// Open parts of unions, valid where the count's stamp is that of the comment.
    parts: Vec<Vec<SpanId>>,
    /// Rules that were woken.
    pub(super) woken: Vec<u32>,
    queue: Vec<GateId>,
}

impl OpenGates {
    pub(super) fn new(gates: &Gates) -> Self {
        Self {
            counts: vec![(0, 0); gates.needed.len()],
            parts: vec![Vec::new(); gates.is_union.len()],
            ..Self::default()
        }
    }

    /// Closes all gates but those that are always open.
    pub(super) fn reset(&mut self, gates: &Gates) {
        self.stamp += 1;
        self.woken.clear();
        for &gate in &gates.always {
            self.open(gate, gates);
        }
    }

    /// Whether a gate is open.
    pub(super) fn is_open(&self, gate: GateId, gates: &Gates) -> bool {
        let (stamp, count) = self.counts[gate.index()];
        stamp == self.stamp && count >= gates.needed[gate.index()]
    }

    /// The open parts of a union whose gate is open.
    pub(super) fn open_parts(&self, union: SpanId) -> &[SpanId] {
        &self.parts[union.index()]
    }

    /// Opens a gate for which a word, a text or a required text was found.
    pub(super) fn open(&mut self, gate: GateId, gates: &Gates) {
        if self.is_open(gate, gates) {
            return;
        }
        self.counts[gate.index()] = (self.stamp, gates.needed[gate.index()]);
        self.queue.push(gate);
        while let Some(opened) = self.queue.pop() {
            if let Some(rule) = gates.wakes[opened.index()] {
                self.woken.push(rule);
            }
            for &above in gates.above(opened) {
                let at = above.index();
                if self.counts[at].0 != self.stamp {
                    self.counts[at] = (self.stamp, 0);
                    if gates.is_union.get(at) == Some(&true) {
                        self.parts[at].clear();
                    }
                }
                if gates.is_union.get(at) == Some(&true) {
                    self.parts[at].push(SpanId(opened.0));
                }
                self.counts[at].1 += 1;
                if self.counts[at].1 == gates.needed[at] {
                    self.queue.push(above);
                }
            }
        }
    }
}

/// Builds the gates of span expressions and rules, and lists the rules that have none.
pub(super) fn build(
    spans: &[SpanNode],
    regex_literals: &[Option<Vec<String>>],
    rules: &[CompiledRule],
) -> (Gates, Vec<u32>) {
    let mut builder = Builder { gates: Gates::default(), above: Vec::new(), shared: HashMap::new() };
    for node in spans {
        let id = builder.gate(1);
        builder.gates.is_union.push(matches!(node, SpanNode::Union(_)));
        match node {
            SpanNode::Words(_) | SpanNode::Test(_) | SpanNode::Text(_) => {}
            SpanNode::Regex(index) => {
                if regex_literals[*index].is_none() {
                    builder.gates.always.push(id);
                }
            }
            SpanNode::Phrase(parts) | SpanNode::Ordered(parts, _) | SpanNode::Near(parts, _) => {
                builder.needs_all(id, parts.iter().map(|&part| GateId::of(part)).collect());
            }
            SpanNode::Union(parts) => builder.needs_one(id, parts.iter().map(|&part| GateId::of(part)).collect()),
            SpanNode::Except(inner, _) | SpanNode::Feature(_, inner) | SpanNode::Aligned(_, inner) => {
                builder.needs_one(id, vec![GateId::of(*inner)]);
            }
        }
    }
    let mut always = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let gates: Option<Vec<GateId>> = rule.alternatives.iter().map(|clause| builder.clause(clause)).collect();
        match gates {
            None => always.push(index as u32),
            Some(below) => {
                let gate = builder.gate(1);
                builder.needs_one(gate, below);
                builder.gates.wakes[gate.index()] = Some(index as u32);
            }
        }
    }
    let Builder { mut gates, above, .. } = builder;
    gates.above_starts.push(0);
    for above in above {
        gates.above.extend(above);
        gates.above_starts.push(gates.above.len() as u32);
    }
    (gates, always)
}

struct Builder {
    gates: Gates,
    above: Vec<Vec<GateId>>,
    /// Gates of conditions by (all or one, gates below): equal ones are the same gate.
    shared: HashMap<(bool, Vec<GateId>), GateId>,
}

impl Builder {
    fn gate(&mut self, needed: u16) -> GateId {
        let id = GateId(self.gates.needed.len() as u32);
        self.gates.needed.push(needed);
        self.above.push(Vec::new());
        self.gates.wakes.push(None);
        id
    }

    /// Each of the gates below opens this one; repeats count once.
    fn needs_one(&mut self, gate: GateId, mut below: Vec<GateId>) {
        below.sort_unstable();
        below.dedup();
        for part in below {
            self.above[part.index()].push(gate);
        }
    }

    /// All of the gates below open this one together; repeats count once.
    fn needs_all(&mut self, gate: GateId, mut below: Vec<GateId>) {
        below.sort_unstable();
        below.dedup();
        self.gates.needed[gate.index()] = below.len() as u16;
        for part in below {
            self.above[part.index()].push(gate);
        }
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
        let gate = self.gate(1);
        if all {
            self.needs_all(gate, below.clone());
        } else {
            self.needs_one(gate, below.clone());
        }
        self.shared.insert((all, below), gate);
        gate
    }

    /// The gate without which a clause cannot hold; `None` where it may hold without any hit.
    fn clause(&mut self, clause: &Clause) -> Option<GateId> {
        match &clause.condition {
            Condition::Span(id) => Some(GateId::of(*id)),
            Condition::All(parts) => {
                let below: Vec<GateId> = parts.iter().filter_map(|part| self.clause(part)).collect();
                (!below.is_empty()).then(|| self.joined(true, below))
            }
            Condition::Any(parts) => {
                let below: Option<Vec<GateId>> = parts.iter().map(|part| self.clause(part)).collect();
                Some(self.joined(false, below?))
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
                        Amount::Count(id) => Some(GateId::of(*id)),
                        Amount::Characters | Amount::Morphemes => None,
                    })
                    .collect();
                if wants_some { Some(self.joined(false, counted?)) } else { None }
            }
            Condition::Not(_) | Condition::Attribute { .. } | Condition::Rule(_) | Condition::Category(_) => None,
        }
    }
}
