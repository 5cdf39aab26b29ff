//! Lints over rule files as a whole: what compiles but cannot mean what it says.

mod attributes;
mod clauses;
mod demands;
mod features;
mod idle;
mod shadow;

use std::collections::{HashMap, HashSet};

use regex_syntax::hir::{Hir, HirKind};

use self::demands::Concepts;
use super::{
    compile::PART_OF_SPEECH_NAMES,
    file::{Example, ExampleKind, PatternText, Rule, RuleFiles},
    require::parse,
    syntax::{Expr, Node, Quantity, WordShape, WordTest},
};
use crate::{
    analyze::{AnalysisWorker, Analyzer},
    diagnostic::Diagnostic,
};

/// Texts in which a word is tried where it never shows itself alone.
const CARRIERS: [(&str, &str); 5] = [("", ""), ("", "が"), ("", "を"), ("この", "は"), ("また", "、")];

pub(super) fn lint(files: &RuleFiles, analyzer: &Analyzer, diagnostics: &mut Vec<Diagnostic>) {
    let mut lint = Lint {
        worker: analyzer.worker(),
        analyzer,
        diagnostics,
        concepts: Concepts::new(&files.concepts),
        used: HashSet::new(),
        attributes: HashSet::new(),
    };
    for rule in &files.rules {
        for pattern in rule.patterns.iter().chain(&rule.unless) {
            lint.node(&pattern.node, pattern);
        }
        // `unless` is often shared by rules of either scope.
        rule.patterns.iter().for_each(|pattern| lint.units(&pattern.node, rule.unit, pattern));
        lint.forbidden(rule);
        lint.without_words(rule);
        lint.same_alternatives(&rule.patterns);
        lint.examples(rule);
    }
    for concept in files.concepts.values() {
        for pattern in &concept.patterns {
            lint.node(&pattern.node, pattern);
        }
        lint.same_alternatives(&concept.patterns);
    }
    lint.features(files);
    lint.unused_concepts(files);
    lint.example_attributes(&files.rules);
    lint.shadowed(&files.rules);
    lint.idle(files);
}

struct Lint<'a> {
    worker: AnalysisWorker<'a>,
    analyzer: &'a Analyzer,
    diagnostics: &'a mut Vec<Diagnostic>,
    concepts: Concepts<'a>,
    /// Concepts that are used.
    used: HashSet<String>,
    /// Attributes that are tested.
    attributes: HashSet<String>,
}

impl Lint<'_> {
    fn warn(&mut self, id: &'static str, pattern: &PatternText, node: &Node, message: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::warning(id, pattern.span(node.byte_range.clone()), message);
        diagnostic.help = help;
        self.diagnostics.push(diagnostic);
    }

    fn node(&mut self, node: &Node, pattern: &PatternText) {
        match &node.expr {
            Expr::Word(test) => self.word(test, node, pattern),
            Expr::Literal(text) => self.literal(text, node, pattern),
            Expr::Regex(text) => self.regex(text, node, pattern),
            Expr::Concept(name) => {
                self.used.insert(name.clone());
            }
            Expr::Any(parts) | Expr::All(parts) => self.parts(parts, &node.expr, pattern),
            Expr::Compare { sum, comparison, number } => self.comparison(node, pattern, (sum, *comparison, *number)),
            Expr::Aligned(_, inner) => self.alignment(node, inner, pattern),
            Expr::Attribute { name, values, negated } => {
                self.attributes.insert(name.clone());
                self.attribute(node, pattern, (name, values, *negated));
            }
            _ => {}
        }
        for child in node.expr.children() {
            self.node(child, pattern);
        }
    }

    /// A word that the analyser never yields as the test wants it.
    fn word(&mut self, test: &WordTest, node: &Node, pattern: &PatternText) {
        if let Some(reading) = &test.reading
            && !reading.chars().all(|c| matches!(c, 'ァ'..='ヴ' | 'ー'))
        {
            let help = Some("読みは「~ワカル」のようにカタカナで書きます".into());
            self.warn(
                "dead-term",
                pattern,
                node,
                format!("読み「{reading}」は解析の結果に現れません（読みはカタカナです）"),
                help,
            );
            return;
        }
        // A part of speech that there is not is an error of its own.
        let is_known = |pos: &str| PART_OF_SPEECH_NAMES.contains(&pos.split('-').next().unwrap_or(""));
        if test.pos.as_deref().is_some_and(|pos| !is_known(pos)) {
            return;
        }
        let Some(shape) = &test.word else { return };
        let (WordShape::Exact(word) | WordShape::Prefix(word) | WordShape::Suffix(word)) = shape;
        let normal = self.analyzer.normalizer().normalize(word).text().to_owned();
        if normal != *word {
            let help = Some(format!("「{normal}」と書いてください"));
            self.warn(
                "dead-term",
                pattern,
                node,
                format!("「{word}」は正規化で「{normal}」になるので、書かれた形では現れません"),
                help,
            );
            return;
        }
        let WordShape::Exact(word) = shape else { return };
        let plain = *test == WordTest { word: test.word.clone(), ..WordTest::default() };
        let mut seen: Vec<Vec<(String, String)>> = Vec::new();
        let mut satisfied = false;
        for (before, after) in CARRIERS {
            let text = format!("{before}{word}{after}");
            let analysis = self.worker.analyze(&text);
            let (from, to) = (before.len() as u32, (before.len() + word.len()) as u32);
            let inside: Vec<_> =
                analysis.morphemes.iter().filter(|m| m.byte_range.start < to && m.byte_range.end > from).collect();
            let whole = inside.first().is_some_and(|m| m.byte_range.start == from)
                && inside.last().is_some_and(|m| m.byte_range.end == to);
            let bases: Vec<(String, String)> =
                inside.iter().map(|m| (m.base_form(analysis.text()).to_owned(), m.word.pos.to_string())).collect();
            satisfied |= if plain {
                // The pattern is the sequence found alone: it lives where some sentence yields it too.
                whole
                    && !(before.is_empty() && after.is_empty())
                    && seen.first().is_some_and(|alone| same_bases(alone, &bases))
            } else {
                whole && inside.len() == 1 && {
                    let m = inside[0];
                    let without_surface = WordTest { surface: None, form: None, ..test.clone() };
                    without_surface.passes(m.base_form(analysis.text()), m.surface(analysis.text()), m.word, m.is_oov())
                }
            };
            seen.push(bases);
        }
        if satisfied {
            return;
        }
        let shown = |bases: &[(String, String)]| {
            bases
                .iter()
                .map(|(base, pos)| format!("{base}（{}）", pos.split('-').next().unwrap_or("")))
                .collect::<Vec<_>>()
                .join("＋")
        };
        let found = shown(seen.get(1).map_or(&[][..], Vec::as_slice));
        let message = if plain {
            format!("「{word}」は文の中ではこの形に切れません（たとえば {found} になります）")
        } else {
            format!("「{word}」がこの条件の 1 語になることはありません（解析すると {found}）")
        };
        let help = if plain || seen[0].len() > 1 {
            format!("文字列として探すなら '{word}' と書いてください")
        } else {
            let (base, pos) = &seen[0][0];
            format!("基本形と品詞を確かめてください: {base}-->{pos}")
        };
        self.warn("dead-term", pattern, node, message, Some(help));
    }

    fn literal(&mut self, text: &str, node: &Node, pattern: &PatternText) {
        let normal = self.analyzer.normalizer().normalize(text).text().to_owned();
        if normal.trim().is_empty() {
            let message = format!("「'{text}'」は正規化すると空になるので、どこにも当たりません");
            let help = Some("記号や空白だけでなく、探す文字を書いてください".into());
            self.warn("dead-term", pattern, node, message, help);
            return;
        }
        // Q&A is one word.
        let is_list = |mark: &str| text.split(mark).filter(|part| !part.trim().is_empty()).count() > 1;
        if let Some(mark) = ["|", " & "].into_iter().find(|mark| is_list(mark)) {
            let words: Vec<String> = text.split(mark).map(|part| format!("'{}'", part.trim())).collect();
            let mark = mark.trim();
            let message = format!("引用符の中の「{mark}」は演算子ではなく、文字そのものとして探します");
            let help = format!("{} のように、語ごとに引用符で囲んでください", words.join(&format!(" {mark} ")));
            self.warn("quoted-operator", pattern, node, message, Some(help));
        }
    }

    /// Characters that the normal form never holds.
    fn regex(&mut self, text: &str, node: &Node, pattern: &PatternText) {
        let is_dead = |c: char| {
            matches!(
                c,
                '\u{ff10}'..='\u{ff19}'
                    | '\u{ff21}'..='\u{ff5a}'
                    | '\u{ff61}'..='\u{ff9f}'
                    | '⚫'
                    | '⬤'
                    | '\u{3000}'
            )
        };
        if let Some((told, help)) = self.misread(text) {
            return self.warn("dead-term", pattern, node, told, Some(help));
        }
        let Some(dead) = text.chars().find(|&c| is_dead(c)) else { return };
        let mended: String = text
            .chars()
            .map(|c| match is_dead(c) {
                true => self.analyzer.normalizer().normalize(&c.to_string()).text().to_owned(),
                false => c.to_string(),
            })
            .collect();
        let help = match mended.chars().count() <= 60 {
            true => format!("正規化した文に合わせて /{mended}/ と書いてください"),
            false => "正規化した文に合わせて、英数字は半角、カナは全角で書いてください".to_owned(),
        };
        self.warn("dead-term", pattern, node, format!("正規表現の「{dead}」は正規化した文には現れません"), Some(help));
    }

    /// What a regular expression finds otherwise than its author means, and what to write.
    fn misread(&self, text: &str) -> Option<(String, String)> {
        if let Some(control) = text.chars().find(|c| c.is_control() && !c.is_whitespace()) {
            return Some((
                format!("正規表現に制御文字（U+{:04X}）が入っていて、どの文にも当たりません", u32::from(control)),
                "TOML の \"…\" の中では「\\」が特別な意味を持ちます。外側を '''…''' で囲んでください".to_owned(),
            ));
        }
        let doubled = [r"\\d", r"\\w", r"\\s", r"\\b", r"\\p"].into_iter().find(|doubled| text.contains(doubled));
        if let Some(doubled) = doubled {
            return Some((
                format!("正規表現の「{doubled}」は「\\」の文字そのものを探します"),
                format!("「{}」と書いてください（TOML の '…' や '''…''' の中では「\\」を重ねません）", &doubled[1..]),
            ));
        }
        // Classes often list a character in all its widths.
        let mut texts = Vec::new();
        literals(&parse(text)?, &mut texts);
        let normal = |text: &str| self.analyzer.normalizer().normalize(text).text().to_owned();
        if let Some(spaced) = texts.iter().find(|text| text.trim().contains(' ') && !normal(text).contains(' ')) {
            return Some((
                format!("「{spaced}」の空白は正規化で詰められるので、この形では現れません"),
                format!("「{}」と書いてください", normal(spaced)),
            ));
        }
        let (dead, meant) = texts.iter().flat_map(|text| text.chars()).filter(char::is_ascii).find_map(|c| {
            let meant = normal(c.encode_utf8(&mut [0; 4]));
            (!meant.starts_with(c)).then_some((c, meant))
        })?;
        Some((
            format!("半角の「{dead}」は正規化で「{meant}」になるので、正規化した文には現れません"),
            format!("正規表現の中でも「{meant}」と書いてください"),
        ))
    }

    fn same_alternatives(&mut self, patterns: &[PatternText]) {
        let mut seen: HashMap<String, &PatternText> = HashMap::new();
        for pattern in patterns {
            if let Some(first) = seen.insert(key(&pattern.node), pattern) {
                let span = pattern.span(pattern.node.byte_range.clone());
                let first = first.span(first.node.byte_range.clone());
                self.diagnostics.push(
                    Diagnostic::warning("repeated-clause", span, "同じパターンが 2 回あります")
                        .help("一方を消してください")
                        .related(first, "最初のもの"),
                );
            }
        }
    }

    /// Examples that contradict or repeat each other.
    fn repeated_examples(&mut self, rule: &Rule) {
        let fires = |kind| matches!(kind, ExampleKind::Match | ExampleKind::KnownMiss);
        let mut seen: HashMap<_, &Example> = HashMap::new();
        for example in &rule.examples {
            let Some(first) = seen.insert((&example.text, &example.attributes), example) else { continue };
            let (id, message, help) = if fires(first.kind) == fires(example.kind) {
                ("repeated-example", "同じ例が 2 回あります", "一方を消してください")
            } else {
                (
                    "contradicting-example",
                    "同じ文が、当たるはずの例と当たらないはずの例の両方にあります",
                    "どちらかから消してください",
                )
            };
            self.diagnostics.push(
                Diagnostic::warning(id, example.span.clone(), message)
                    .help(help)
                    .related(first.span.clone(), "最初のもの"),
            );
        }
    }

    fn examples(&mut self, rule: &Rule) {
        self.repeated_examples(rule);
        let has = |kind| rule.examples.iter().any(|example| example.kind == kind);
        let missing = match (
            has(ExampleKind::Match) || has(ExampleKind::KnownMiss),
            has(ExampleKind::NoMatch) || has(ExampleKind::KnownFalse),
        ) {
            (true, true) => return,
            (false, false) => "match と no_match",
            (false, true) => "match",
            (true, false) => "no_match",
        };
        self.diagnostics.push(
            Diagnostic::warning(
                "missing-example",
                rule.span.clone(),
                format!("規則「{}」に例（{missing}）がありません", rule.id),
            )
            .help("当たるはずの文を match に、当たらないはずの文を no_match に書いてください"),
        );
    }

    fn unused_concepts(&mut self, files: &RuleFiles) {
        for (name, concept) in &files.concepts {
            if !self.used.contains(name) {
                self.diagnostics.push(
                    Diagnostic::warning(
                        "unused-concept",
                        concept.span.clone(),
                        format!("概念「{name}」はどこでも使われていません"),
                    )
                    .help("使うか、消してください"),
                );
            }
        }
    }
}

/// The texts that a regular expression spells out.
fn literals(hir: &Hir, found: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Literal(literal) => found.extend(String::from_utf8(literal.0.to_vec())),
        HirKind::Capture(capture) => literals(&capture.sub, found),
        HirKind::Repetition(repetition) => literals(&repetition.sub, found),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| literals(part, found)),
        _ => {}
    }
}

fn same_bases(a: &[(String, String)], b: &[(String, String)]) -> bool {
    a.iter().map(|(base, _)| base).eq(b.iter().map(|(base, _)| base))
}

/// The alternatives of a pattern at its top, as comparable texts.
fn alternatives(node: &Node) -> Vec<String> {
    match &node.expr {
        Expr::Any(parts) => parts.iter().flat_map(alternatives).collect(),
        _ => vec![key(node)],
    }
}

/// A text that is equal for trees that are equal but for their places, and for the order of `&` and `|`.
fn key(node: &Node) -> String {
    let children = |nodes: &[Node]| nodes.iter().map(key).collect::<Vec<_>>();
    let sorted = |nodes: &[Node]| {
        let mut keys = children(nodes);
        keys.sort();
        keys.dedup();
        keys.join(",")
    };
    match &node.expr {
        Expr::Any(parts) => format!("any({})", sorted(parts)),
        Expr::All(parts) => format!("all({})", sorted(parts)),
        Expr::Phrase(parts) => format!("phrase({})", children(parts).join(",")),
        Expr::Ordered { parts, distance } => format!("seq({};{distance:?})", children(parts).join(",")),
        Expr::Near { parts, distance } => format!("near({};{distance:?})", sorted(parts)),
        Expr::Except(a, b) => format!("except({},{})", key(a), key(b)),
        Expr::Aligned(alignment, inner) => format!("{alignment:?}({})", key(inner)),
        Expr::Feature(feature, inner) => format!("{feature:?}({})", key(inner)),
        Expr::Not(inner) => format!("not({})", key(inner)),
        Expr::Within(unit, inner) => format!("{unit:?}({})", key(inner)),
        Expr::Compare { sum, comparison, number } => {
            let sum: Vec<String> = sum
                .iter()
                .map(|quantity| match quantity {
                    Quantity::Count(inner) => format!("count({})", key(inner)),
                    other => format!("{other:?}"),
                })
                .collect();
            format!("compare({},{comparison:?},{number})", sum.join("+"))
        }
        other => format!("{other:?}"),
    }
}
