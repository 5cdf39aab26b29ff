//! Rules that stand in the shadow of others.

use std::collections::HashSet;

use super::{Lint, alternatives};
use crate::{
    diagnostic::Diagnostic,
    rule::{
        file::{Rule, RuleKind, Strength},
        syntax::{Expr, Node},
    },
};

struct Shape<'r> {
    rule: &'r Rule,
    categories: HashSet<&'r str>,
    alternatives: HashSet<String>,
    unless: HashSet<String>,
}

impl<'r> Shape<'r> {
    fn new(rule: &'r Rule) -> Self {
        Self {
            rule,
            categories: rule.categories.iter().map(|(id, _)| id.as_str()).collect(),
            alternatives: rule.patterns.iter().flat_map(|pattern| alternatives(&pattern.node)).collect(),
            unless: rule.unless.iter().flat_map(|pattern| alternatives(&pattern.node)).collect(),
        }
    }

    /// Whether the other fires wherever this one does, for the same categories.
    fn is_within(&self, other: &Self) -> bool {
        let same_kind = (self.rule.kind == RuleKind::Exclude) == (other.rule.kind == RuleKind::Exclude);
        same_kind
            && self.rule.unit == other.rule.unit
            && !self.alternatives.is_empty()
            && self.alternatives.is_subset(&other.alternatives)
            && other.unless.is_subset(&self.unless)
            && (self.categories.is_subset(&other.categories) || other.categories.contains("*"))
    }
}

impl Lint<'_> {
    /// Rules all of whose alternatives stand in another rule that does the same with no more conditions.
    pub(super) fn shadowed(&mut self, rules: &[Rule]) {
        let mut referred = HashSet::new();
        for rule in rules {
            rule.patterns.iter().chain(&rule.unless).for_each(|pattern| references(&pattern.node, &mut referred));
        }
        let shapes: Vec<Shape<'_>> = rules.iter().map(Shape::new).collect();
        for (index, shape) in shapes.iter().enumerate() {
            // A rule that others refer to is there for them.
            if referred.contains(&*shape.rule.id) {
                continue;
            }
            let over = shapes.iter().enumerate().find(|&(other_index, other)| {
                let equal = shape.is_within(other)
                    && other.is_within(shape)
                    && shape.rule.strength == other.rule.strength
                    && shape.rule.concreteness == other.rule.concreteness;
                // Of two rules with one id it was told already.
                other.rule.id != shape.rule.id
                    && shape.is_within(other)
                    // A strong rule says more than the weak one in which it stands, a more concrete one decides the
                    // primary section.
                    && (shape.rule.strength == Strength::Weak || other.rule.strength == Strength::Strong)
                    && shape.rule.concreteness <= other.rule.concreteness
                    // Of two equal rules only the later one is told of.
                    && (other_index < index || !equal)
            });
            let Some((_, other)) = over else { continue };
            let (id, other_id) = (&shape.rule.id, &other.rule.id);
            let counts_twice = other.rule.strength == Strength::Weak && shape.rule.kind == RuleKind::Assign;
            let (message, help) = match counts_twice {
                true => (
                    format!("弱い規則「{id}」が当たる所では弱い規則「{other_id}」も必ず当たり、2 つに数えられます"),
                    "同じ根拠を 2 度数えないように、条件を分けるか、1 つの規則にまとめてください",
                ),
                false => (
                    format!("規則「{id}」は「{other_id}」に含まれているので、結果を変えません"),
                    "消すか、条件を見直してください",
                ),
            };
            self.diagnostics.push(
                Diagnostic::warning("shadowed-rule", shape.rule.span.clone(), message)
                    .help(help)
                    .related(other.rule.span.clone(), "含んでいる規則"),
            );
        }
    }
}

fn references<'n>(node: &'n Node, found: &mut HashSet<&'n str>) {
    if let Expr::RuleRef(id) = &node.expr {
        found.insert(id);
    }
    node.expr.children().into_iter().for_each(|child| references(child, found));
}
