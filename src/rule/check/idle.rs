//! Rules that can change nothing, whatever the comment.

use super::Lint;
use crate::{
    diagnostic::Diagnostic,
    rule::{
        file::{Rule, RuleFiles, RuleKind, Strength},
        syntax::{Expr, Node},
    },
    source::Span,
};

impl Lint<'_> {
    pub(super) fn idle(&mut self, files: &RuleFiles) {
        for rule in &files.rules {
            match rule.kind {
                RuleKind::Exclude => self.idle_exclusion(rule, &files.rules),
                RuleKind::Assign if rule.strength == Strength::Weak => self.lone_weak_rule(rule, &files.rules),
                RuleKind::Assign => {}
            }
        }
        if let Some(first) = files.sources.first()
            && files.rules.is_empty()
            && files.concepts.is_empty()
        {
            let span = Span::new(first, 0..0);
            self.diagnostics.push(
                Diagnostic::warning("no-rules", span, "規則が 1 つもないので、どの回答にも分類が付きません")
                    .help("[[rule]] を書いた .toml ファイルを、codebook.toml と同じフォルダーに置いてください"),
            );
        }
        if !files.has_polarity
            && let Some(span) = files
                .rules
                .iter()
                .flat_map(|rule| &rule.patterns)
                .find_map(|pattern| feature(&pattern.node).map(|feature| pattern.span(feature.byte_range.clone())))
        {
            self.diagnostics.push(
                Diagnostic::warning(
                    "missing-polarity",
                    span,
                    "polarity.toml がないので、否定も要望も仮定も見分けられません",
                )
                .help("組み込みの規則の polarity.toml を、規則のフォルダーに写してください"),
            );
        }
    }

    /// An exclusion of what no rule gives.
    fn idle_exclusion(&mut self, rule: &Rule, rules: &[Rule]) {
        let is_weak = rule.strength == Strength::Weak;
        let takes = |other: &Rule| {
            other.kind == RuleKind::Assign
                && (!is_weak || other.strength == Strength::Weak)
                && rule
                    .categories
                    .iter()
                    .any(|(id, _)| id == "*" || other.categories.iter().any(|(other, _)| other == id))
        };
        if rules.iter().any(takes) {
            return;
        }
        let message = match is_weak {
            true => format!("弱い除外「{}」が取り消すのは弱い規則だけですが、その分類に弱い規則がありません", rule.id),
            false => format!("除外「{}」の分類を付ける規則がないので、何も取り消しません", rule.id),
        };
        let help = match is_weak {
            true => "strength = \"weak\" を消すか、除外ごと消してください",
            false => "category を確かめるか、除外を消してください",
        };
        self.diagnostics.push(Diagnostic::warning("idle-exclusion", rule.span.clone(), message).help(help));
    }

    /// A weak rule that has no other beside it.
    fn lone_weak_rule(&mut self, rule: &Rule, rules: &[Rule]) {
        let is_alone = |category: &str| {
            !rules.iter().any(|other| {
                other.id != rule.id
                    && other.kind == RuleKind::Assign
                    && other.categories.iter().any(|(id, _)| id == category)
            })
        };
        let Some((category, _)) = rule.categories.iter().find(|(category, _)| is_alone(category)) else { return };
        let message =
            format!("弱い規則「{}」のほかに分類「{category}」を付ける規則がないので、この分類は付きません", rule.id);
        self.diagnostics.push(
            Diagnostic::warning("lone-weak-rule", rule.span.clone(), message)
                .help("strength = \"weak\" を消すか、同じ分類の規則をもう 1 つ書いてください"),
        );
    }
}

fn feature(node: &Node) -> Option<&Node> {
    match &node.expr {
        Expr::Feature(..) => Some(node),
        expr => expr.children().into_iter().find_map(feature),
    }
}
