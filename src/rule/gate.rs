//! Gates: which span expressions, clauses and rules can hold at all, given the words and texts that were found.
//!
//! Every span expression and every clause has a gate. A hit opens the gate of its word or text; a gate of alternatives
//! is open when one of the gates below it is, a gate of parts that must occur together when all are. Of such parts only
//! the rarest leads on: from hits to rules there is one pass over the gates that lead on, in ascending order, each of
//! which stands after those below it that lead on too. All other gates are asked for from above, when something
//! depends on them. So the cost of a comment grows with its hits, and a rule costs nothing where its rarest word does
//! not occur.

use std::{collections::HashMap, ops::Range};

use serde::{Deserialize, Serialize};

use super::{
    compile::{Amount, Clause, Clauses, CompiledRule, Condition, SpanId, SpanNode},
    likelihood::Likelihoods,
    require::Requirement,
    syntax::Comparison,
};

/// Index of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct GateId(pub(super) u32);

impl GateId {
    /// The gate of what may hold without any hit.
    pub(super) const OPEN: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What opens a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Kind {
    /// A word or text that is found.
    Hit,
    /// One of the gates below.
    Any,
    /// All of the gates below, of which the first, the rarest, leads on.
    All,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Gate {
    kind: Kind,
    /// Where in [`Gates::neighbours`] the gates below begin; those above follow.
    below: u32,
    above: u32,
    end: u32,
}

/// The gates of a rule set. First come those that lead on to rules, up to the gates of the rules themselves; then
/// those of other words and texts; then those that are asked for, first of alternatives, then of parts that must occur
/// together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Gates {
    gates: Vec<Gate>,
    neighbours: Vec<GateId>,
    /// The gates of rules.
    of_rules: Range<u32>,
    /// By gate of `of_rules`.
    rules: Vec<u32>,
    /// The gate of each rule.
    of_rule: Vec<GateId>,
    /// The first gate that is asked for: here begin those of alternatives.
    any: u32,
    /// Here begin those of parts that must occur together.
    all: u32,
    /// For each gate from `any` to `all` where the gates below it begin in `masks`. Many are asked for in vain, and a mask
    /// tells of many gates at once.
    first_mask: Vec<u32>,
    masks: Vec<Mask>,
    /// The gate of each span expression.
    of_span: Vec<GateId>,
}

impl Gates {
    /// The gate of a span expression.
    pub(super) fn of(&self, span: SpanId) -> GateId {
        self.of_span[span.index()]
    }

    /// The gate of a rule.
    pub(super) fn of_rule(&self, rule: u32) -> GateId {
        self.of_rule[rule as usize]
    }

    /// The gates below a gate: of a union or of spelled-out texts those of the parts, in their order.
    pub(super) fn below(&self, gate: GateId) -> &[GateId] {
        let gate = &self.gates[gate.index()];
        &self.neighbours[gate.below as usize..gate.above as usize]
    }

    /// The gates below one that is asked for and that any of them opens.
    fn masks(&self, gate: GateId) -> &[Mask] {
        let at = (gate.0 - self.any) as usize;
        &self.masks[self.first_mask[at] as usize..self.first_mask[at + 1] as usize]
    }

    fn above(&self, gate: GateId) -> &[GateId] {
        let gate = &self.gates[gate.index()];
        &self.neighbours[gate.above as usize..gate.end as usize]
    }
}

/// Gates that share a word of a [`GateSet`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Mask {
    word: u32,
    bits: u64,
}

impl Mask {
    /// Gates, ascending, as masks.
    fn of(gates: &[GateId]) -> Vec<Self> {
        let mut masks: Vec<Self> = Vec::new();
        for &gate in gates {
            let (word, bit) = (gate.0 / 64, 1 << (gate.0 % 64));
            match masks.last_mut() {
                Some(mask) if mask.word == word => mask.bits |= bit,
                _ => masks.push(Self { word, bits: bit }),
            }
        }
        masks
    }
}

/// A set of gates. Few of many are in it: taking them out costs as much as there are, not as there could be.
#[derive(Debug)]
struct GateSet {
    words: Vec<u64>,
    /// A bit for each word that is not zero.
    used: Vec<u64>,
}

impl GateSet {
    fn new(gates: usize) -> Self {
        let words = gates.div_ceil(64);
        Self { words: vec![0; words], used: vec![0; words.div_ceil(64)] }
    }

    #[inline]
    fn contains(&self, gate: GateId) -> bool {
        self.words[gate.index() / 64] >> (gate.index() % 64) & 1 == 1
    }

    #[inline]
    fn insert(&mut self, gate: GateId) {
        let word = gate.index() / 64;
        self.words[word] |= 1 << (gate.index() % 64);
        self.used[word / 64] |= 1 << (word % 64);
    }

    fn clear(&mut self) {
        for (at, used) in self.used.iter_mut().enumerate() {
            while *used != 0 {
                self.words[at * 64 + used.trailing_zeros() as usize] = 0;
                *used &= *used - 1;
            }
        }
    }

    /// Takes out the smallest gate of those that share a word of `used`.
    fn take_first(&mut self, at: usize) -> Option<GateId> {
        let used = self.used[at];
        if used == 0 {
            return None;
        }
        let word = at * 64 + used.trailing_zeros() as usize;
        let bits = self.words[word];
        let rest = bits & (bits - 1);
        self.words[word] = rest;
        if rest == 0 {
            self.used[at] = used & (used - 1);
        }
        Some(GateId(word as u32 * 64 + bits.trailing_zeros()))
    }
}

/// Gates of alternatives that lead on to no more gates than these are left out on the way up: their parts lead to those
/// gates at once.
const MAX_LEADS: usize = 2;

/// What is open for one comment.
#[derive(Debug)]
pub(super) struct OpenGates {
    open: GateSet,
    /// Gates that lead on and are to be looked at.
    pending: GateSet,
    /// Gates that were asked for: what `open` says of them is final.
    answered: GateSet,
}

impl OpenGates {
    pub(super) fn new(gates: &Gates) -> Self {
        let set = || GateSet::new(gates.gates.len());
        Self { open: set(), pending: set(), answered: set() }
    }

    /// Closes all gates but the one that is always open.
    pub(super) fn reset(&mut self, gates: &Gates) {
        self.open.clear();
        self.pending.clear();
        self.answered.clear();
        self.hit(GateId::OPEN, gates);
    }

    /// Takes note that a word or text was found. [`settle`](Self::settle) comes after all hits.
    pub(super) fn hit(&mut self, gate: GateId, gates: &Gates) {
        self.open.insert(gate);
        if gate.0 < gates.of_rules.end {
            self.pending.insert(gate);
        }
    }

    /// Follows the hits to the rules that they wake.
    pub(super) fn settle(&mut self, gates: &Gates, woken: &mut Vec<u32>) {
        for at in 0..self.pending.used.len() {
            while let Some(gate) = self.pending.take_first(at) {
                if gates.gates[gate.index()].kind == Kind::All
                    && !gates.below(gate)[1..].iter().all(|&part| self.is_open(part, gates))
                {
                    continue;
                }
                self.open.insert(gate);
                if gate.0 >= gates.of_rules.start {
                    woken.push(gates.rules[(gate.0 - gates.of_rules.start) as usize]);
                }
                for &above in gates.above(gate) {
                    self.pending.insert(above);
                }
            }
        }
    }

    /// Whether a gate is open: to be asked when the hits are settled, and while they are only of what the gate that is
    /// being settled depends on.
    #[inline]
    pub(super) fn is_open(&mut self, gate: GateId, gates: &Gates) -> bool {
        self.open.contains(gate) || gate.0 >= gates.any && self.ask(gate, gates)
    }

    /// Asks for a gate, once a comment. Out of line: most gates are settled.
    #[inline(never)]
    fn ask(&mut self, gate: GateId, gates: &Gates) -> bool {
        if self.answered.contains(gate) {
            return false;
        }
        self.answered.insert(gate);
        let is_open = match gate.0 < gates.all {
            true => self.is_any_open(gates.masks(gate), gates),
            false => gates.below(gate).iter().all(|&part| self.is_open(part, gates)),
        };
        if is_open {
            self.open.insert(gate);
        }
        is_open
    }

    fn is_any_open(&mut self, masks: &[Mask], gates: &Gates) -> bool {
        masks.iter().any(|mask| {
            let at = mask.word as usize;
            self.open.words[at] & mask.bits != 0
                || (at as u32 + 1) * 64 > gates.any && self.is_any_of_mask_open(*mask, gates)
        })
    }

    /// Asks for the gates of a mask, none of which is known to be open.
    fn is_any_of_mask_open(&mut self, mask: Mask, gates: &Gates) -> bool {
        let mut bits = mask.bits & !self.answered.words[mask.word as usize];
        while bits != 0 {
            let gate = GateId(mask.word * 64 + bits.trailing_zeros());
            bits &= bits - 1;
            if self.is_open(gate, gates) {
                return true;
            }
        }
        false
    }
}

/// Builds the gates of span expressions, clauses and rules and sets those of the clauses; gives the gates of texts
/// too, and the rules that are evaluated for every comment. `likelihood` tells how probable a hit of a word is in a
/// comment.
pub(super) fn build(
    spans: &[SpanNode],
    requirements: &[Option<Requirement>],
    rules: &mut [CompiledRule],
    likelihoods: &Likelihoods,
    likelihood: impl Fn(&SpanNode) -> f32,
) -> (Gates, HashMap<String, GateId>, Vec<u32>) {
    let mut builder = Builder::default();
    builder.gate(Kind::Hit, Vec::new(), 1.0);
    for node in spans {
        let of = |part: &SpanId| builder.of_span[part.index()];
        let gate = match node {
            SpanNode::Text(text) => builder.text(text, likelihoods),
            SpanNode::Words(_) | SpanNode::Test(_) => builder.gate(Kind::Hit, Vec::new(), likelihood(node)),
            SpanNode::Regex(index) => requirements[*index]
                .as_ref()
                .map_or(GateId::OPEN, |requirement| builder.required(requirement, likelihoods)),
            SpanNode::Phrase(parts) | SpanNode::Ordered(parts, _) | SpanNode::Near(parts, _) => {
                let below = parts.iter().map(of).collect();
                builder.all(below)
            }
            // Never shared: its gates below stand for its parts.
            SpanNode::Union(parts) | SpanNode::FirstOf(parts) => {
                let below: Vec<GateId> = parts.iter().map(of).collect();
                let likelihood = builder.likelihood_of_any(&below);
                builder.gate(Kind::Any, below, likelihood)
            }
            SpanNode::Except(inner, _) | SpanNode::Feature(_, inner) | SpanNode::Aligned(_, inner) => of(inner),
        };
        builder.of_span.push(gate);
    }
    for rule in rules.iter_mut() {
        builder.clauses(&mut rule.unless);
        builder.clauses(&mut rule.alternatives);
    }
    let first_rule = builder.gates.len();
    let (mut woken, mut always) = (Vec::new(), Vec::new());
    for (index, rule) in rules.iter().enumerate() {
        let below = rule.alternatives.gates().to_vec();
        if below.contains(&GateId::OPEN) {
            always.push(index as u32);
        } else {
            woken.push(index as u32);
            builder.gate(Kind::Any, below, 1.0);
        }
    }
    let (gates, of_text) = builder.finish(first_rule, woken, rules);
    (gates, of_text, always)
}

#[derive(Default)]
struct Builder {
    /// What opens each gate, and the gates below it.
    gates: Vec<(Kind, Vec<GateId>)>,
    likelihoods: Vec<f32>,
    of_span: Vec<GateId>,
    of_text: HashMap<String, GateId>,
    /// Equal gates are the same gate.
    shared: HashMap<(Kind, Vec<GateId>), GateId>,
}

impl Builder {
    fn gate(&mut self, kind: Kind, below: Vec<GateId>, likelihood: f32) -> GateId {
        let id = GateId(self.gates.len() as u32);
        self.gates.push((kind, below));
        self.likelihoods.push(likelihood);
        id
    }

    fn text(&mut self, text: &str, likelihoods: &Likelihoods) -> GateId {
        if let Some(&gate) = self.of_text.get(text) {
            return gate;
        }
        let gate = self.gate(Kind::Hit, Vec::new(), likelihoods.of(text));
        self.of_text.insert(text.to_owned(), gate);
        gate
    }

    fn required(&mut self, requirement: &Requirement, likelihoods: &Likelihoods) -> GateId {
        match requirement {
            Requirement::Text(text) => self.text(text, likelihoods),
            Requirement::All(parts) => {
                let below = parts.iter().map(|part| self.required(part, likelihoods)).collect();
                self.all(below)
            }
            Requirement::Any(parts) => {
                let below = parts.iter().map(|part| self.required(part, likelihoods)).collect();
                self.any(below)
            }
        }
    }

    fn likelihood_of_any(&self, below: &[GateId]) -> f32 {
        below.iter().map(|gate| self.likelihoods[gate.index()]).sum::<f32>().min(1.0)
    }

    fn any(&mut self, mut below: Vec<GateId>) -> GateId {
        below.sort_unstable();
        below.dedup();
        if below.contains(&GateId::OPEN) {
            return GateId::OPEN;
        }
        let likelihood = self.likelihood_of_any(&below);
        self.joined(Kind::Any, below, likelihood)
    }

    fn all(&mut self, mut below: Vec<GateId>) -> GateId {
        // The rarest part leads on; then the next rarest tells most.
        let rarity = |gate: &GateId| (self.likelihoods[gate.index()], *gate);
        below.sort_by(|a, b| rarity(a).0.total_cmp(&rarity(b).0).then_with(|| a.cmp(b)));
        below.dedup();
        below.retain(|&gate| gate != GateId::OPEN);
        let likelihood = below.iter().map(|gate| self.likelihoods[gate.index()]).product();
        self.joined(Kind::All, below, likelihood)
    }

    fn joined(&mut self, kind: Kind, below: Vec<GateId>, likelihood: f32) -> GateId {
        match below[..] {
            [] => GateId::OPEN,
            [only] => only,
            _ => match self.shared.get(&(kind, below.clone())) {
                Some(&gate) => gate,
                None => {
                    let gate = self.gate(kind, below.clone(), likelihood);
                    self.shared.insert((kind, below), gate);
                    gate
                }
            },
        }
    }

    /// Sets the gates of alternatives; gives the one without which none of them can hold.
    fn clauses(&mut self, clauses: &mut Clauses) -> GateId {
        clauses.update(|clause| {
            self.clause(clause);
        });
        self.any(clauses.gates().to_vec())
    }

    /// Sets the gate of a clause and of all its parts; gives the one without which it cannot hold.
    fn clause(&mut self, clause: &mut Clause) -> GateId {
        clause.gate = match &mut clause.condition {
            Condition::Span(id) => self.of_span[id.index()],
            Condition::All(parts) => {
                let below = parts.iter_mut().map(|part| self.clause(part)).collect();
                self.all(below)
            }
            Condition::Any(parts) => self.clauses(parts),
            Condition::Within(_, inner) => self.clause(inner),
            Condition::Compare { sum, comparison, number } => {
                let wants_some = match comparison {
                    Comparison::Greater => true,
                    Comparison::AtLeast | Comparison::Equal => *number > 0,
                    Comparison::Less | Comparison::AtMost => false,
                };
                let counted = sum.iter().map(|amount| match amount {
                    Amount::Count(id) if wants_some => self.of_span[id.index()],
                    Amount::Count(_) | Amount::Characters | Amount::Morphemes => GateId::OPEN,
                });
                let counted = counted.collect();
                self.any(counted)
            }
            Condition::Not(inner) => {
                self.clause(inner);
                GateId::OPEN
            }
            Condition::Attribute { .. } | Condition::Rule(_) | Condition::Category(_) => GateId::OPEN,
        };
        clause.gate
    }

    /// Numbers the gates as [`Gates`] has them.
    fn finish(
        self,
        first_rule: usize,
        rules: Vec<u32>,
        compiled: &mut [CompiledRule],
    ) -> (Gates, HashMap<String, GateId>) {
        let leads_to = self.leads(first_rule);
        let numbering = Numbering::new(&self.gates, &leads_to);
        let number = |gate: GateId| numbering.numbers[gate.index()];
        for rule in compiled.iter_mut() {
            for clauses in [&mut rule.unless, &mut rule.alternatives] {
                clauses.update(|clause| renumber(clause, &number));
            }
        }
        let mut of_rule = vec![GateId::OPEN; compiled.len()];
        for (gate, &rule) in (first_rule..).zip(&rules) {
            of_rule[rule as usize] = numbering.numbers[gate];
        }
        let (mut gates, mut neighbours) = (Vec::with_capacity(self.gates.len()), Vec::new());
        for &gate in &numbering.order {
            let (kind, below) = &self.gates[gate];
            let start = neighbours.len() as u32;
            neighbours.extend(below.iter().map(|&gate| number(gate)));
            let middle = neighbours.len() as u32;
            neighbours.extend(leads_to[gate].iter().flatten().map(|&gate| numbering.numbers[gate]));
            gates.push(Gate { kind: *kind, below: start, above: middle, end: neighbours.len() as u32 });
        }
        let (mut first_mask, mut masks) = (vec![0], Vec::new());
        for &gate in &numbering.order[numbering.any..numbering.all] {
            let mut below: Vec<GateId> = self.gates[gate].1.iter().map(|&gate| number(gate)).collect();
            below.sort_unstable();
            masks.extend(Mask::of(&below));
            first_mask.push(masks.len() as u32);
        }
        let leading = numbering.leading as u32;
        let gates = Gates {
            gates,
            neighbours,
            of_rule,
            of_rules: leading - rules.len() as u32..leading,
            rules,
            any: numbering.any as u32,
            all: numbering.all as u32,
            first_mask,
            masks,
            of_span: self.of_span.into_iter().map(number).collect(),
        };
        (gates, self.of_text.into_iter().map(|(text, gate)| (text, number(gate))).collect())
    }

    /// From the rules down: the gates to which each one leads on; `None` for those that are not on the way up. Where
    /// alternatives lead on to hardly any gate, those below lead there at once.
    fn leads(&self, first_rule: usize) -> Vec<Option<Vec<usize>>> {
        let count = self.gates.len();
        let mut leads_to = vec![Some(Vec::new()); count];
        let mut onward_from = vec![Vec::new(); count];
        for gate in (0..count).rev() {
            let (kind, below) = &self.gates[gate];
            let is_rule = gate >= first_rule;
            let mut onward = std::mem::take(&mut onward_from[gate]);
            onward.sort_unstable();
            onward.dedup();
            let is_dead_end = !is_rule && onward.is_empty() && gate != GateId::OPEN.index();
            if is_dead_end || !is_rule && *kind == Kind::Any && onward.len() <= MAX_LEADS {
                leads_to[gate] = None;
            }
            let passed_on = match leads_to[gate] {
                Some(_) => &[gate][..],
                None => &onward,
            };
            // Of parts that must all be there only the first, the rarest, leads on.
            let leading = if *kind == Kind::All { &below[..1] } else { below };
            leading.iter().for_each(|below| onward_from[below.index()].extend(passed_on));
            if let Some(leads_to) = &mut leads_to[gate] {
                *leads_to = onward;
            }
        }
        leads_to
    }
}

/// The order in which [`Gates`] has the gates.
struct Numbering {
    order: Vec<usize>,
    numbers: Vec<GateId>,
    /// How many lead on.
    leading: usize,
    /// Where in `order` the gates of alternatives begin that are asked for, and those of parts that must occur together.
    any: usize,
    all: usize,
}

impl Numbering {
    fn new(gates: &[(Kind, Vec<GateId>)], leads_to: &[Option<Vec<usize>>]) -> Self {
        let rank = |&gate: &usize| match (&leads_to[gate], gates[gate].0) {
            (Some(_), _) => 0,
            (None, Kind::Hit) => 1,
            (None, Kind::Any) => 2,
            (None, Kind::All) => 3,
        };
        let mut order: Vec<usize> = (0..gates.len()).collect();
        order.sort_by_key(rank);
        let mut numbers = vec![GateId::OPEN; gates.len()];
        for (number, &gate) in (0..).zip(&order) {
            numbers[gate] = GateId(number);
        }
        let first_of = |of: u8| order.partition_point(|gate| rank(gate) < of);
        Self { leading: first_of(1), any: first_of(2), all: first_of(3), order, numbers }
    }
}

fn renumber(clause: &mut Clause, number: &impl Fn(GateId) -> GateId) {
    clause.gate = number(clause.gate);
    match &mut clause.condition {
        Condition::All(parts) => parts.iter_mut().for_each(|part| renumber(part, number)),
        Condition::Any(parts) => parts.update(|part| renumber(part, number)),
        Condition::Not(inner) | Condition::Within(_, inner) => renumber(inner, number),
        Condition::Span(_) | Condition::Compare { .. } | Condition::Attribute { .. } => {}
        Condition::Rule(_) | Condition::Category(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::{analyze::Analyzer, rule::RuleSet};

    static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
        let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
        RuleSet::embedded(&analyzer).expect("the embedded rules are correct")
    });

    fn by_definition(gates: &Gates, gate: GateId, known: &mut [Option<bool>]) -> bool {
        if let Some(known) = known[gate.index()] {
            return known;
        }
        let below = gates.below(gate);
        let is_open = match gates.gates[gate.index()].kind {
            Kind::Hit => false,
            Kind::Any => below.iter().any(|&part| by_definition(gates, part, known)),
            Kind::All => below.iter().all(|&part| by_definition(gates, part, known)),
        };
        known[gate.index()] = Some(is_open);
        is_open
    }

    fn hits_below(gates: &Gates, gate: GateId, hits: &mut Vec<GateId>) {
        match gates.gates[gate.index()].kind {
            Kind::Hit => hits.push(gate),
            Kind::Any | Kind::All => gates.below(gate).iter().for_each(|&part| hits_below(gates, part, hits)),
        }
    }

    proptest! {
        /// The gates of the rules of the program, comment after comment with the same buffers.
        #[test]
        fn gates_are_open_where_those_below_say_so(
            comments in prop::collection::vec(prop::collection::vec((any::<Index>(), 1..4usize), 0..8), 1..4),
            backwards: bool,
        ) {
            let gates = &RULES.gates;
            let count = gates.gates.len();
            let mut open = OpenGates::new(gates);
            for picked in &comments {
                // All that is below some gates, or all but every second or third of it.
                let mut hits = Vec::new();
                for (at, keep) in picked {
                    let mut below = Vec::new();
                    hits_below(gates, GateId(at.index(count) as u32), &mut below);
                    hits.extend(below.into_iter().enumerate().filter(|(n, _)| *keep == 1 || n % keep != 0).map(|(_, g)| g));
                }
                open.reset(gates);
                hits.iter().for_each(|&gate| open.hit(gate, gates));
                let mut woken = Vec::new();
                open.settle(gates, &mut woken);
                let mut known = vec![None; count];
                hits.iter().chain([&GateId::OPEN]).for_each(|gate| known[gate.index()] = Some(true));
                for at in 0..count {
                    let gate = GateId(if backwards { count - 1 - at } else { at } as u32);
                    prop_assert_eq!(open.is_open(gate, gates), by_definition(gates, gate, &mut known), "{:?}", gate);
                }
                woken.sort_unstable();
                let is_woken = |rule: &u32| known[gates.of_rule(*rule).index()] == Some(true);
                prop_assert_eq!(woken, gates.rules.iter().copied().filter(is_woken).collect::<Vec<_>>());
            }
        }
    }
}
