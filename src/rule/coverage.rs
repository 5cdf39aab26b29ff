//! What each rule does on a body of comments: how often it fires, how often it is the only one, with which others
//! it overlaps, and how often it is right where gold is known.

use std::collections::HashMap;

use super::{compile::RuleSet, file::RuleKind};
use crate::{classify::Classification, codebook::CategoryIndex, evaluate::Gold};

/// What the rules say of one comment.
#[derive(Debug, Clone)]
pub struct CoverageItem<'a> {
    /// The rules that fired, exclusions included, as positions in the rule set; ascending.
    pub fired: Vec<usize>,
    /// The classification.
    pub classification: &'a Classification,
    /// The agreed coding, where it is known.
    pub gold: Option<&'a Gold>,
}

/// What the rules do on a body of comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Number of comments.
    pub comments: usize,
    /// Number of comments with gold.
    pub gold_comments: usize,
    /// One entry a rule, in the order of the rule set.
    pub rules: Vec<RuleCoverage>,
    /// Pairs of rules that fire in the same comments: most comments in common first, then the greater share of
    /// those of either, then in the order of the rules.
    pub overlaps: Vec<Overlap>,
    /// Positions of the comments in which no rule fires, exclusions counted as rules.
    pub untouched: Vec<usize>,
    /// Number of comments without a category.
    pub uncategorised: usize,
}

/// What one rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleCoverage {
    /// Comments in which it fires.
    pub hits: usize,
    /// Of these, comments in which it helps to give a category: it was not taken away, and not weak and alone.
    pub given: usize,
    /// Of these, comments that get a category from it alone.
    pub unique: usize,
    /// Comments in which it fires together with another rule for a category of its own.
    pub overlapping: usize,
    /// Categories that it helps to give and that gold wants.
    pub right: usize,
    /// Categories that it helps to give and that gold neither wants nor allows.
    pub wrong: usize,
    /// Of the right ones, those that it alone gives.
    pub right_alone: usize,
    /// Of the wrong ones, those that it alone gives.
    pub wrong_alone: usize,
}

impl RuleCoverage {
    /// Share of the categories given that gold wants; `None` where gold decides none.
    pub fn precision(&self) -> Option<f64> {
        let decided = self.right + self.wrong;
        (decided > 0).then(|| self.right as f64 / decided as f64)
    }
}

/// Two rules that fire in the same comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The earlier rule, as a position in the rule set.
    pub first: usize,
    /// The later rule.
    pub second: usize,
    /// Comments in which both fire.
    pub both: usize,
    /// Comments in which either fires.
    pub either: usize,
}

impl Overlap {
    /// Jaccard's coefficient: the comments in common among those of either.
    pub fn share(&self) -> f64 {
        if self.either == 0 { 0.0 } else { self.both as f64 / self.either as f64 }
    }
}

impl RuleSet {
    /// Counts what every rule does. Categories of gold that the code frame does not have count nowhere.
    pub fn coverage(&self, items: &[CoverageItem<'_>]) -> Coverage {
        let mut rules = vec![RuleCoverage::default(); self.rules.len()];
        let mut pairs: HashMap<(usize, usize), usize> = HashMap::new();
        let mut untouched = Vec::new();
        let (mut gold_comments, mut uncategorised) = (0, 0);
        let positions: HashMap<&str, usize> =
            self.rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
        let contains =
            |ids: &[String], category: CategoryIndex| ids.iter().any(|id| **id == *self.codebook()[category].id);
        for (index, item) in items.iter().enumerate() {
            gold_comments += usize::from(item.gold.is_some());
            uncategorised += usize::from(item.classification.codings.is_empty());
            if item.fired.is_empty() {
                untouched.push(index);
            }
            for (at, &first) in item.fired.iter().enumerate() {
                rules[first].hits += 1;
                let shares = |&&second: &&usize| second != first && self.share_category(first, second);
                rules[first].overlapping += usize::from(item.fired.iter().any(|second| shares(&second)));
                for &second in &item.fired[at + 1..] {
                    if self.share_category(first, second) {
                        *pairs.entry((first, second)).or_default() += 1;
                    }
                }
            }
            let (mut given, mut unique) = (Vec::new(), Vec::new());
            for coding in &item.classification.codings {
                let mut givers: Vec<usize> =
                    coding.evidence.iter().filter_map(|evidence| positions.get(&*evidence.rule).copied()).collect();
                givers.sort_unstable();
                givers.dedup();
                if let [only] = givers[..] {
                    unique.push(only);
                }
                if let Some(gold) = item.gold {
                    let is_right = contains(&gold.must, coding.category);
                    let is_wrong = !is_right && !contains(&gold.may, coding.category);
                    for &giver in &givers {
                        let rule = &mut rules[giver];
                        rule.right += usize::from(is_right);
                        rule.wrong += usize::from(is_wrong);
                        if givers.len() == 1 {
                            rule.right_alone += usize::from(is_right);
                            rule.wrong_alone += usize::from(is_wrong);
                        }
                    }
                }
                given.extend(givers);
            }
            for (list, is_unique) in [(&mut given, false), (&mut unique, true)] {
                list.sort_unstable();
                list.dedup();
                for &rule in &*list {
                    *(if is_unique { &mut rules[rule].unique } else { &mut rules[rule].given }) += 1;
                }
            }
        }
        let mut overlaps: Vec<Overlap> = pairs
            .into_iter()
            .map(|((first, second), both)| Overlap {
                first,
                second,
                both,
                either: rules[first].hits + rules[second].hits - both,
            })
            .collect();
        overlaps.sort_by(|a, b| {
            b.both
                .cmp(&a.both)
                .then_with(|| b.share().total_cmp(&a.share()))
                .then_with(|| (a.first, a.second).cmp(&(b.first, b.second)))
        });
        Coverage { comments: items.len(), gold_comments, rules, overlaps, untouched, uncategorised }
    }

    /// Whether two rules of the same kind speak of a common category.
    fn share_category(&self, first: usize, second: usize) -> bool {
        let (first, second) = (&self.rules[first], &self.rules[second]);
        let same_kind = (first.kind == RuleKind::Assign) == (second.kind == RuleKind::Assign);
        same_kind && first.categories.iter().any(|category| second.categories.contains(category))
    }
}
