//! What must be there wherever a clause holds, for clauses that rule each other out.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::key;
use crate::rule::{
    file::Concept,
    syntax::{Comparison, Distance, Expr, Node, Quantity, Unit},
};

/// What holds wherever some clause does.
#[derive(Debug, Clone, Default)]
pub(super) struct Demands {
    /// Clauses, as comparable texts.
    keys: HashSet<String>,
    /// Literals, whose parts are there too.
    texts: HashSet<String>,
}

impl Demands {
    fn join(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.texts.extend(other.texts);
    }

    /// What alternatives have in common.
    fn common(mut alternatives: impl Iterator<Item = Self>) -> Self {
        let Some(mut common) = alternatives.next() else { return Self::default() };
        for other in alternatives {
            common.keys.retain(|key| other.keys.contains(key));
            common.texts.retain(|text| other.texts.contains(text));
            if common.keys.is_empty() && common.texts.is_empty() {
                break;
            }
        }
        common
    }
}

/// The concepts, with what was found out about them.
pub(super) struct Concepts<'a> {
    concepts: &'a BTreeMap<String, Concept>,
    demands: HashMap<&'a str, Demands>,
}

impl<'a> Concepts<'a> {
    pub(super) fn new(concepts: &'a BTreeMap<String, Concept>) -> Self {
        Self { concepts, demands: HashMap::new() }
    }

    /// What holds in a unit wherever the node does.
    pub(super) fn demands(&mut self, node: &Node, unit: Unit) -> Demands {
        let mut demands = match &node.expr {
            Expr::All(parts) | Expr::Phrase(parts) => self.of_all(parts, unit),
            Expr::Ordered { parts, distance: Distance { unit: held_in, .. } }
            | Expr::Near { parts, distance: Distance { unit: held_in, .. } }
                if *held_in == Unit::Sentence || unit == Unit::Comment =>
            {
                self.of_all(parts, unit)
            }
            Expr::Except(inner, _) | Expr::Aligned(_, inner) | Expr::Feature(_, inner) => self.demands(inner, unit),
            Expr::Compare { sum, comparison, number } => match (&sum[..], comparison) {
                ([Quantity::Count(inner)], Comparison::AtLeast | Comparison::Equal) if *number > 0 => {
                    self.demands(inner, unit)
                }
                ([Quantity::Count(inner)], Comparison::Greater) => self.demands(inner, unit),
                _ => Demands::default(),
            },
            Expr::Any(parts) => Demands::common(parts.iter().map(|part| self.demands(part, unit))),
            Expr::Concept(name) => self.of_concept(name),
            // A text that ends a sentence may reach into the next unit.
            Expr::Literal(text) if !text.contains(['。', '！', '？', '!', '?', '\n']) => {
                Demands { texts: HashSet::from([text.clone()]), ..Demands::default() }
            }
            _ => Demands::default(),
        };
        demands.keys.insert(key(node));
        demands
    }

    fn of_all(&mut self, parts: &[Node], unit: Unit) -> Demands {
        let mut demands = Demands::default();
        parts.iter().for_each(|part| demands.join(self.demands(part, unit)));
        demands
    }

    fn of_concept(&mut self, name: &str) -> Demands {
        let Some((name, concept)) = self.concepts.get_key_value(name) else { return Demands::default() };
        if let Some(known) = self.demands.get(&**name) {
            return known.clone();
        }
        // One that leads back to itself demands nothing.
        self.demands.insert(name, Demands::default());
        let patterns = concept.patterns.iter();
        let demands = Demands::common(patterns.map(|pattern| self.demands(&pattern.node, Unit::Sentence)));
        self.demands.insert(name, demands.clone());
        demands
    }

    /// Whether a node holds wherever the demands are met.
    pub(super) fn is_met(&self, node: &Node, demands: &Demands) -> bool {
        self.is_met_beside(node, demands, &mut HashSet::new())
    }

    fn is_met_beside(&self, node: &Node, demands: &Demands, seen: &mut HashSet<&'a str>) -> bool {
        if demands.keys.contains(&key(node)) {
            return true;
        }
        match &node.expr {
            Expr::Any(parts) => parts.iter().any(|part| self.is_met_beside(part, demands, seen)),
            Expr::All(parts) => parts.iter().all(|part| self.is_met_beside(part, demands, seen)),
            Expr::Concept(name) => self.concepts.get_key_value(name).is_some_and(|(name, concept)| {
                seen.insert(name)
                    && concept.patterns.iter().any(|pattern| self.is_met_beside(&pattern.node, demands, seen))
            }),
            Expr::Literal(text) => demands.texts.iter().any(|held| held.contains(&**text)),
            _ => false,
        }
    }
}
