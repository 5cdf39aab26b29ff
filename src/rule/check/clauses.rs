//! Lints of clauses: those that always hold, never do, or add nothing to the others.

use std::collections::HashMap;

use super::{Lint, key};
use crate::{
    diagnostic::Diagnostic,
    rule::{
        file::{PatternText, Rule, RuleKind},
        syntax::{Comparison, Expr, Node, Quantity, Unit},
    },
};

const ALWAYS: &str = "つねに成り立ちます";
const NEVER: &str = "けっして成り立ちません";

impl Lint<'_> {
    /// A comparison that every number passes, or none, or that says what the words alone say.
    pub(super) fn comparison(
        &mut self,
        node: &Node,
        pattern: &PatternText,
        (sum, comparison, number): (&[Quantity], Comparison, u32),
    ) {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
        // A unit that is evaluated has at least one morpheme.
        let least = u32::from(sum.iter().any(|quantity| !matches!(quantity, Quantity::Count(_))));
        let constant = match (comparison, number) {
            (AtLeast, number) if number <= least => Some(ALWAYS),
            (Greater, number) if number < least => Some(ALWAYS),
            (Less, number) if number <= least => Some(NEVER),
            (AtMost | Equal, number) if number < least => Some(NEVER),
            _ => None,
        };
        if let Some(what) = constant {
            let help = Some("数か、比較の向きを確かめてください".into());
            self.warn("constant-clause", pattern, node, format!("この比較は{what}"), help);
            return;
        }
        let ([Quantity::Count(inner)], Some(at_least_one)) = (
            sum,
            match (comparison, number) {
                (AtLeast, 1) | (Greater, 0) => Some(true),
                (Less, 1) | (AtMost | Equal, 0) => Some(false),
                _ => None,
            },
        ) else {
            return;
        };
        let word = pattern.text(inner.byte_range.clone());
        let plain = match (at_least_one, matches!(inner.expr, Expr::Any(_))) {
            (true, _) => word.to_owned(),
            (false, true) => format!("!({word})"),
            (false, false) => format!("!{word}"),
        };
        self.warn(
            "redundant-clause",
            pattern,
            node,
            "この比較は、語があるかないかだけを見るのと同じです".into(),
            Some(format!("{plain} と書いてください")),
        );
    }

    /// Parts of `&` and `|` that add nothing, or that contradict each other.
    pub(super) fn parts(&mut self, parts: &[Node], whole: &Expr, pattern: &PatternText) {
        let mut seen: HashMap<String, &Node> = HashMap::new();
        for part in parts {
            if let Some(first) = seen.get(&key(part)) {
                let span = pattern.span(part.byte_range.clone());
                let first = pattern.span(first.byte_range.clone());
                self.diagnostics.push(
                    Diagnostic::warning("repeated-clause", span, "同じ条件が 2 回あります")
                        .help("一方を消してください")
                        .related(first, "最初のもの"),
                );
            } else {
                seen.insert(key(part), part);
            }
        }
        let is_all = matches!(whole, Expr::All(_));
        for part in parts {
            if let Expr::Not(inner) = &part.expr
                && seen.contains_key(&key(inner))
            {
                let what = if is_all { NEVER } else { ALWAYS };
                self.warn(
                    "constant-clause",
                    pattern,
                    part,
                    format!("同じ条件とその否定が並んでいるので、{what}"),
                    Some("どちらかを消してください".into()),
                );
            } else if let Expr::Not(inner) = &part.expr
                && is_all
                && self.is_denied_beside(inner, part, parts)
            {
                self.warn(
                    "constant-clause",
                    pattern,
                    part,
                    format!("打ち消したものはほかの条件に必ず含まれるので、全体は{NEVER}"),
                    Some("どちらかを見直してください".into()),
                );
            }
            // a | (a & b), a & (a | b): the second part decides nothing.
            let inner = match &part.expr {
                Expr::All(inner) if !is_all => inner,
                Expr::Any(inner) if is_all => inner,
                _ => continue,
            };
            if let Some(same) = inner.iter().find(|inner| seen.contains_key(&key(inner))) {
                let word = pattern.text(same.byte_range.clone()).to_owned();
                let what = if is_all { "必ず成り立つ" } else { "すでに足りている" };
                self.warn(
                    "redundant-clause",
                    pattern,
                    part,
                    format!("「{word}」だけで{what}ので、この部分は結果を変えません"),
                    Some("この部分を消すか、「&」と「|」のどちらにするつもりだったかを確かめてください".into()),
                );
            }
        }
        if is_all {
            self.attributes(parts, pattern);
        }
    }

    /// Whether what a part denies holds wherever one of the other parts does.
    fn is_denied_beside(&mut self, denied: &Node, part: &Node, parts: &[Node]) -> bool {
        parts.iter().filter(|other| other.byte_range != part.byte_range).any(|other| {
            let demands = self.concepts.demands(other, Unit::Sentence);
            self.concepts.is_met(denied, &demands)
        })
    }

    /// Tests of one attribute that no value passes together.
    fn attributes(&mut self, parts: &[Node], pattern: &PatternText) {
        let mut left: HashMap<&str, Vec<&String>> = HashMap::new();
        let test = |part: &Node| match &part.expr {
            Expr::Attribute { name, values, negated } => Some((name.clone(), values.clone(), *negated)),
            _ => None,
        };
        let tests: Vec<_> = parts.iter().filter_map(|part| Some((part, test(part)?))).collect();
        // Sets of wanted values first, what is not wanted then.
        for is_negated in [false, true] {
            for (part, (name, values, negated)) in &tests {
                if *negated != is_negated {
                    continue;
                }
                match left.get_mut(name.as_str()) {
                    Some(left) => {
                        left.retain(|value| values.contains(value) != is_negated);
                        if left.is_empty() {
                            self.warn(
                                "constant-clause",
                                pattern,
                                part,
                                format!("属性「{name}」がほかの条件と同時に満たす値はないので、{NEVER}"),
                                Some("どれかの値でよいときは @question in {問11, 問12} のように書きます".into()),
                            );
                            return;
                        }
                    }
                    None if !is_negated => {
                        left.insert(name, values.iter().collect());
                    }
                    None => {}
                }
            }
        }
    }

    /// `sentence(…)` and `comment(…)` that change nothing.
    pub(super) fn units(&mut self, node: &Node, unit: Unit, pattern: &PatternText) {
        let mut unit_inside = unit;
        if let Expr::Within(inner, _) = &node.expr {
            if *inner == unit {
                let (name, word) = match unit {
                    Unit::Sentence => ("sentence", "文"),
                    Unit::Comment => ("comment", "回答全体"),
                };
                self.warn(
                    "redundant-clause",
                    pattern,
                    node,
                    format!("ここの単位はもともと{word}なので、{name}( ) は結果を変えません"),
                    Some(format!("{name}( ) を外してください")),
                );
            }
            unit_inside = *inner;
        }
        node.expr.children().into_iter().for_each(|child| self.units(child, unit_inside, pattern));
    }

    /// Alternatives of a rule's patterns that its own `unless` takes away.
    pub(super) fn forbidden(&mut self, rule: &Rule) {
        for (pattern, top) in tops(rule) {
            let demands = self.concepts.demands(top, rule.unit);
            let Some(by) = rule.unless.iter().find(|unless| self.concepts.is_met(&unless.node, &demands)) else {
                continue;
            };
            let span = pattern.span(top.byte_range.clone());
            let message = "成り立つときは unless も必ず成り立つので、けっして当たりません";
            self.diagnostics.push(
                Diagnostic::warning("constant-clause", span, message)
                    .help("pattern か unless のどちらかを見直してください")
                    .related(by.span(by.node.byte_range.clone()), "unless"),
            );
        }
    }

    /// Alternatives that only deny: they hold nearly everywhere, and have no words to show for it.
    pub(super) fn without_words(&mut self, rule: &Rule) {
        let denies = |node: &Node| matches!(&node.expr, Expr::Not(inner) if !matches!(inner.expr, Expr::Not(_)));
        if rule.kind == RuleKind::Exclude {
            return;
        }
        for (pattern, top) in tops(rule) {
            if conjuncts(top).iter().all(denies) {
                let message = "打ち消しだけの条件は、ほとんどの回答で成り立ち、根拠となる語もありません";
                let help = "あるはずの語を「&」で添えてください: 端末 & !故障";
                self.warn("no-evidence", pattern, top, message.to_owned(), Some(help.to_owned()));
            }
        }
    }

    /// `start(…)` and `whole(…)` around what meets the boundaries of morphemes anyway.
    pub(super) fn alignment(&mut self, node: &Node, inner: &Node, pattern: &PatternText) {
        let is_word = |node: &Node| matches!(node.expr, Expr::Word(_));
        let is_aligned = is_word(inner) || matches!(&inner.expr, Expr::Any(parts) if parts.iter().all(is_word));
        if is_aligned {
            self.warn(
                "redundant-clause",
                pattern,
                node,
                "語はもともと形態素の切れ目に当たるので、start( ) や whole( ) は結果を変えません".into(),
                Some("外すか、文字列にしてください: start('込んで')".into()),
            );
        }
    }
}

/// The alternatives of a rule's patterns.
fn tops(rule: &Rule) -> impl Iterator<Item = (&PatternText, &Node)> {
    rule.patterns.iter().flat_map(|pattern| {
        let tops = match &pattern.node.expr {
            Expr::Any(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&pattern.node),
        };
        tops.iter().map(move |top| (pattern, top))
    })
}

fn conjuncts(node: &Node) -> &[Node] {
    match &node.expr {
        Expr::All(parts) => parts,
        _ => std::slice::from_ref(node),
    }
}
