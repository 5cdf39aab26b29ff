//! Rules to a [`RuleSet`]: one automaton over base-form ids, one over text, a graph of shared span
//! expressions, and conditions over it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use daachorse::{CharwiseDoubleArrayAhoCorasick, DoubleArrayAhoCorasick};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::{
    file::{Concept, Example, PatternText, RuleFiles, RuleKind, Strength},
    gate::{GateId, Gates},
    likelihood::Likelihoods,
    polarity::{RoleTable, Roles},
    require::{self, Requirement},
    syntax::{Alignment, Comparison, Distance, Expr, Feature, Node, Quantity, Unit, WordShape, WordTest},
};
use crate::{
    analyze::{AnalysisWorker, Analyzer, Morpheme, Shelves, Word, WordClass},
    codebook::{Category, CategoryIndex, CategoryKind, Codebook},
    diagnostic::{Diagnostic, Severity, closest, sort},
    source::{Source, Span},
};

/// A compiled regular expression may take this much memory.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// Why rules cannot be used: every fault, sorted by place.
#[derive(Debug, thiserror::Error)]
#[error("規則に誤りがあります（{} 件）", .0.len())]
pub struct RuleSetError(pub Vec<Diagnostic>);

/// Compiled rules: classifies any number of comments, from any number of threads.
pub struct RuleSet {
    pub(super) codebook: Codebook,
    pub(super) version: String,
    /// The files, sorted by path.
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) rules: Vec<CompiledRule>,
    pub(super) spans: Vec<SpanNode>,
    pub(super) regexes: Vec<LazyRegex>,
    /// Sequences of base-form ids, as bytes; the values are gates.
    pub(super) word_automaton: Option<DoubleArrayAhoCorasick<u32>>,
    /// Texts in lower case; the values are gates.
    pub(super) text_automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    pub(super) gates: Gates,
    /// Rules whose gate is always open: they are evaluated for every comment.
    pub(super) always: Vec<u32>,
    pub(super) vocabulary: Vocabulary,
    pub(super) known: Shelves<WordInfo>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// What a rule is, for reports.
#[derive(Debug, Clone)]
pub struct RuleInfo<'r> {
    /// Its id.
    pub id: &'r Arc<str>,
    /// Its categories.
    pub categories: &'r [CategoryIndex],
    /// Where it stands.
    pub span: Span,
    /// What it does.
    pub kind: RuleKind,
    /// How much it says by itself.
    pub strength: Strength,
    /// The methodologist's note.
    pub note: Option<&'r str>,
    /// Its examples.
    pub examples: &'r [Example],
}

/// Index of a span expression in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SpanId(pub(super) u32);

impl SpanId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A span expression; equal ones are the same node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum SpanNode {
    /// A base form, answered by the vocabulary, or a sequence of them: a pattern of the word automaton.
    Words(Vec<u32>),
    /// A test of one morpheme, answered by the vocabulary.
    Test(WordTest),
    /// Text in lower case: a pattern of the text automaton.
    Text(String),
    /// Index into the regular expressions.
    Regex(usize),
    Phrase(Vec<SpanId>),
    Ordered(Vec<SpanId>, Distance),
    Near(Vec<SpanId>, Distance),
    Except(SpanId, SpanId),
    Aligned(Alignment, SpanId),
    Feature(Feature, SpanId),
    Union(Vec<SpanId>),
    /// Texts that a regular expression spells out: from left to right the first of them that stands there.
    FirstOf(Vec<SpanId>),
}

impl SpanNode {
    /// Whether it is a word or a text, which is found without a look at other nodes.
    pub(super) fn is_found(&self) -> bool {
        matches!(self, Self::Words(_) | Self::Test(_) | Self::Text(_))
    }
}

/// A condition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Condition {
    Span(SpanId),
    All(Vec<Clause>),
    Any(Clauses),
    Not(Box<Clause>),
    Compare { sum: Vec<Amount>, comparison: Comparison, number: u32 },
    Attribute { name: String, values: Vec<String>, negated: bool },
    Rule(u32),
    Category(CategoryIndex),
    Within(Unit, Box<Clause>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Amount {
    Count(SpanId),
    Characters,
    Morphemes,
}

/// A place in the rule files: the file's position, and the byte range in its text.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Place {
    source: u16,
    start: u32,
    end: u32,
}

impl Place {
    pub(super) fn new(sources: &[Arc<Source>], span: &Span) -> Self {
        let source = sources.iter().position(|source| Arc::ptr_eq(source, &span.source));
        Self {
            source: source.expect("a rule stands in one of the files") as u16,
            start: span.byte_range.start as u32,
            end: span.byte_range.end as u32,
        }
    }

    pub(super) fn span(self, sources: &[Arc<Source>]) -> Span {
        Span::new(&sources[usize::from(self.source)], self.start as usize..self.end as usize)
    }
}

/// A condition with its place, for `explain`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Clause {
    pub(super) condition: Condition,
    pub(super) place: Place,
    /// Whether it takes a regular expression or another rule to tell: of parts that must all hold, the others are
    /// tried first.
    pub(super) is_costly: bool,
    /// Where it is closed, the clause does not hold.
    pub(super) gate: GateId,
}

/// Clauses any of which may hold. Their gates stand side by side: most are closed, and then the clause need not be
/// looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Clauses {
    list: Vec<Clause>,
    gates: Vec<GateId>,
}

impl Clauses {
    fn new(list: Vec<Clause>) -> Self {
        let mut clauses = Self { list, gates: Vec::new() };
        clauses.update(|_| {});
        clauses
    }

    /// The gate of each clause.
    pub(super) fn gates(&self) -> &[GateId] {
        &self.gates
    }

    /// The clauses, each with its gate.
    pub(super) fn with_gates(&self) -> impl Iterator<Item = (&Clause, GateId)> {
        self.list.iter().zip(self.gates.iter().copied())
    }

    /// Changes the clauses.
    pub(super) fn update(&mut self, mut change: impl FnMut(&mut Clause)) {
        self.list.iter_mut().for_each(&mut change);
        self.gates = self.list.iter().map(|clause| clause.gate).collect();
    }
}

impl std::ops::Deref for Clauses {
    type Target = [Clause];

    fn deref(&self) -> &[Clause] {
        &self.list
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CompiledRule {
    pub(super) id: Arc<str>,
    pub(super) place: Place,
    pub(super) categories: Vec<CategoryIndex>,
    pub(super) alternatives: Clauses,
    pub(super) unless: Clauses,
    pub(super) unit: Unit,
    pub(super) strength: Strength,
    pub(super) kind: RuleKind,
    pub(super) concreteness: u8,
    pub(super) note: Option<String>,
    #[serde(skip)]
    pub(super) examples: Vec<Example>,
}

/// What rules know of a word.
#[derive(Debug, Clone, Default)]
pub(super) struct WordInfo {
    /// Id of its base form in the rules' vocabulary; 0 for a word of no rule.
    pub(super) id: u32,
    /// Gates of what it is a hit of: its base form alone, and tests that it passes.
    pub(super) gates: Box<[GateId]>,
    pub(super) roles: Roles,
}

/// Base forms that rules name, and tests of single morphemes.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Vocabulary {
    ids: BTreeMap<String, u32>,
    /// The node of a base form alone, by id.
    single: BTreeMap<u32, SpanId>,
    tests_by_base: BTreeMap<String, Vec<(WordTest, SpanId)>>,
    other_tests: Vec<(WordTest, SpanId)>,
    roles: RoleTable,
}

impl Vocabulary {
    fn id(&mut self, base_form: &str) -> u32 {
        let next = self.ids.len() as u32 + 1;
        *self.ids.entry(base_form.to_owned()).or_insert(next)
    }

    pub(super) fn info(&self, morpheme: &Morpheme<'_>, text: &str, gates: &Gates) -> WordInfo {
        let base_form = morpheme.base_form(text);
        let surface = morpheme.surface(text);
        let by_base = self.tests_by_base.get(base_form).map_or(&[][..], Vec::as_slice);
        let tests = by_base
            .iter()
            .chain(&self.other_tests)
            .filter(|(test, _)| test.passes(base_form, surface, morpheme.word, morpheme.is_oov()))
            .map(|&(_, node)| node);
        let id = self.ids.get(base_form).copied().unwrap_or(0);
        let nodes = self.single.get(&id).copied().into_iter().chain(tests);
        WordInfo {
            id,
            gates: nodes.map(|node| gates.of(node)).collect(),
            roles: self.roles.roles(base_form, morpheme.word),
        }
    }
}

impl WordTest {
    /// Whether a morpheme passes.
    pub(super) fn passes(&self, base_form: &str, surface: &str, word: &Word, is_oov: bool) -> bool {
        let shape = match &self.word {
            None => true,
            Some(WordShape::Exact(exact)) => base_form == exact,
            Some(WordShape::Prefix(prefix)) => base_form.starts_with(prefix.as_str()),
            Some(WordShape::Suffix(suffix)) => base_form.ends_with(suffix.as_str()),
        };
        shape
            && self.surface.as_deref().is_none_or(|wanted| surface == wanted)
            && self.reading.as_deref().is_none_or(|wanted| {
                word.reading.as_deref() == Some(wanted) || word.base_reading(surface).as_deref() == Some(wanted)
            })
            && self
                .form
                .as_deref()
                .is_none_or(|wanted| word.inflection_form.as_deref().is_some_and(|form| form.starts_with(wanted)))
            && self.pos.as_deref().is_none_or(|wanted| part_of_speech(wanted, word, is_oov))
    }
}

/// KH Coder's class names beside the levels of IPADIC.
fn part_of_speech(wanted: &str, word: &Word, is_oov: bool) -> bool {
    let pos = &*word.pos;
    let levels = |prefix: &str| pos.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    match wanted {
        "未知語" => is_oov,
        "サ変名詞" => levels("名詞-サ変接続"),
        "形容動詞" => levels("名詞-形容動詞語幹"),
        "固有名詞" => levels("名詞-固有名詞"),
        "組織名" => levels("名詞-固有名詞-組織"),
        "人名" => levels("名詞-固有名詞-人名"),
        "地名" => levels("名詞-固有名詞-地域"),
        "ナイ形容" => levels("名詞-ナイ形容詞語幹"),
        "副詞可能" => levels("名詞-副詞可能"),
        "代名詞" => levels("名詞-代名詞"),
        "否定助動詞" => {
            word.class == WordClass::Auxiliary && matches!(&*word.base_form, "ない" | "ぬ" | "ん" | "まい")
        }
        "形容詞（非自立）" | "形容詞-非自立" => levels("形容詞-非自立"),
        wanted => levels(wanted),
    }
}

/// Names that a part-of-speech test may use at its first level.
pub(super) const PART_OF_SPEECH_NAMES: [&str; 24] = [
    "名詞",
    "動詞",
    "形容詞",
    "副詞",
    "連体詞",
    "接続詞",
    "感動詞",
    "助詞",
    "助動詞",
    "接頭詞",
    "記号",
    "フィラー",
    "その他",
    "未知語",
    "サ変名詞",
    "形容動詞",
    "固有名詞",
    "組織名",
    "人名",
    "地名",
    "ナイ形容",
    "副詞可能",
    "代名詞",
    "否定助動詞",
];

/// Ids as bytes: three digits to the base of 128, the first marked, so that matches cannot straddle.
pub(super) fn push_id(bytes: &mut Vec<u8>, id: u32) {
    bytes.extend([0x80 | (id >> 14) as u8, (id >> 7 & 0x7f) as u8, (id & 0x7f) as u8]);
}

impl RuleSet {
    /// Compiles rule files that are known to be correct: neither lints nor regular expressions are tried.
    ///
    /// # Errors
    ///
    /// Every fault that is found all the same.
    pub(crate) fn from_trusted(sources: &[Arc<Source>], analyzer: &Analyzer) -> Result<Self, RuleSetError> {
        let files = RuleFiles::parse(sources).map_err(RuleSetError)?;
        Compiler::new(&files, analyzer, true).compile()
    }

    /// Reads, checks and compiles rule files.
    ///
    /// # Errors
    ///
    /// Every fault found, sorted by place; warnings are kept in [`RuleSet::warnings`].
    pub fn from_sources(sources: &[Arc<Source>], analyzer: &Analyzer) -> Result<Self, RuleSetError> {
        let files = RuleFiles::parse(sources).map_err(RuleSetError)?;
        Compiler::new(&files, analyzer, false).compile()
    }

    /// The code frame.
    pub fn codebook(&self) -> &Codebook {
        &self.codebook
    }

    /// Sixteen hexadecimal digits that change with any change of the files.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every rule, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo<'_>> {
        self.rules.iter().map(|rule| RuleInfo {
            id: &rule.id,
            categories: &rule.categories,
            span: rule.place.span(&self.sources),
            kind: rule.kind,
            strength: rule.strength,
            note: rule.note.as_deref(),
            examples: &rule.examples,
        })
    }

    /// What compiles but hardly means what it says.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// What the rules know of a morpheme; words of the dictionary are looked up once.
    pub(super) fn info<'s>(&'s self, morpheme: &Morpheme<'_>, text: &str, unknown: &'s mut WordInfo) -> &'s WordInfo {
        match morpheme.key {
            Some(key) => self.known.get_or_init(key.index(), || self.vocabulary.info(morpheme, text, &self.gates)),
            None => {
                *unknown = self.vocabulary.info(morpheme, text, &self.gates);
                unknown
            }
        }
    }
}

pub(super) struct Compiler<'f> {
    files: &'f RuleFiles,
    analyzer: &'f Analyzer,
    worker: AnalysisWorker<'f>,
    diagnostics: Vec<Diagnostic>,
    spans: Vec<SpanNode>,
    by_node: HashMap<SpanNode, SpanId>,
    regexes: Vec<LazyRegex>,
    requirements: Vec<Option<Requirement>>,
    likelihoods: Likelihoods,
    by_regex: HashMap<String, SpanNode>,
    vocabulary: Vocabulary,
    concepts: BTreeMap<&'f str, ConceptState>,
    rule_ids: HashMap<&'f str, u32>,
    /// Whether the files are those of the program, which its tests check: neither lints nor regular expressions
    /// need be tried at each start.
    trusted: bool,
}

#[derive(Clone, Copy)]
enum ConceptState {
    Open,
    Done(SpanId),
    /// Faulty, and told of.
    Failed,
}

impl<'f> Compiler<'f> {
    fn new(files: &'f RuleFiles, analyzer: &'f Analyzer, trusted: bool) -> Self {
        Self {
            trusted,
            files,
            analyzer,
            worker: analyzer.worker(),
            diagnostics: Vec::new(),
            spans: Vec::new(),
            by_node: HashMap::new(),
            regexes: Vec::new(),
            requirements: Vec::new(),
            likelihoods: Likelihoods::measured(
                files
                    .rules
                    .iter()
                    .flat_map(|rule| &rule.examples)
                    .map(|example| analyzer.normalizer().normalize(&example.text).text().to_ascii_lowercase()),
            ),
            by_regex: HashMap::new(),
            vocabulary: Vocabulary { roles: RoleTable::new(&files.polarity), ..Vocabulary::default() },
            concepts: BTreeMap::new(),
            rule_ids: HashMap::new(),
        }
    }

    fn compile(mut self) -> Result<RuleSet, RuleSetError> {
        let files = self.files;
        let mut seen: HashMap<&str, &Span> = HashMap::new();
        for (index, rule) in files.rules.iter().enumerate() {
            if let Some(first) = seen.insert(&rule.id, &rule.span) {
                let first = first.clone();
                self.diagnostics.push(
                    Diagnostic::error(
                        "duplicate-rule",
                        rule.span.clone(),
                        format!("規則「{}」はすでに定義されています", rule.id),
                    )
                    .help("どちらかの id を変えてください")
                    .related(first, "最初の定義"),
                );
            }
            self.rule_ids.entry(&rule.id).or_insert(index as u32);
        }
        let mut rules = Vec::new();
        for rule in &files.rules {
            let mut categories = Vec::new();
            for (id, span) in &rule.categories {
                if id == "*" && rule.kind == RuleKind::Exclude {
                    categories.extend(files.codebook.iter().map(|(index, _)| index));
                    continue;
                }
                match self.category(id, span.clone()) {
                    Some(category) => categories.push(category),
                    None => continue,
                }
            }
            let mut clauses = |patterns: &'f [PatternText]| {
                Clauses::new(patterns.iter().filter_map(|pattern| self.clause(&pattern.node, pattern)).collect())
            };
            let (alternatives, unless) = (clauses(&rule.patterns), clauses(&rule.unless));
            rules.push(CompiledRule {
                id: rule.id.clone(),
                place: Place::new(&files.sources, &rule.span),
                categories,
                alternatives,
                unless,
                unit: rule.unit,
                strength: rule.strength,
                kind: rule.kind,
                concreteness: rule.concreteness,
                note: rule.note.clone(),
                examples: rule.examples.clone(),
            });
        }
        for name in files.concepts.keys() {
            let span = files.concepts[name].span.clone();
            self.concept(name, &span);
        }
        self.check_rule_cycles(&rules);
        if !self.trusted {
            super::check::lint(files, self.analyzer, &mut self.diagnostics);
        }
        sort(&mut self.diagnostics);
        if self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(RuleSetError(self.diagnostics));
        }
        Ok(self.finish(rules))
    }

    fn finish(mut self, mut rules: Vec<CompiledRule>) -> RuleSet {
        let costly = costly_spans(&self.spans);
        for rule in &mut rules {
            rule.alternatives.update(|clause| clause.mark_cost(&costly));
            rule.unless.update(|clause| clause.mark_cost(&costly));
        }
        // Tests of single morphemes.
        for (index, node) in self.spans.iter().enumerate() {
            if let SpanNode::Test(test) = node {
                let id = SpanId(index as u32);
                match &test.word {
                    Some(WordShape::Exact(base)) => {
                        self.vocabulary.tests_by_base.entry(base.clone()).or_default().push((test.clone(), id));
                    }
                    _ => self.vocabulary.other_tests.push((test.clone(), id)),
                }
            }
        }
        let base_forms: HashMap<u32, &str> =
            self.vocabulary.ids.iter().map(|(base_form, &id)| (id, base_form.as_str())).collect();
        let likelihood = |node: &SpanNode| match node {
            SpanNode::Words(ids) => ids.iter().map(|id| self.likelihoods.of(stem(base_forms[id]))).product(),
            SpanNode::Test(WordTest { word: Some(WordShape::Exact(base_form)), .. }) => {
                self.likelihoods.of(stem(base_form))
            }
            _ => 0.5,
        };
        let (gates, text_gates, always) =
            super::gate::build(&self.spans, &self.requirements, &mut rules, &self.likelihoods, likelihood);
        let mut sequences: Vec<(Vec<u8>, u32)> = Vec::new();
        for (index, node) in self.spans.iter().enumerate() {
            let SpanNode::Words(ids) = node else { continue };
            let node = SpanId(index as u32);
            if let [only] = ids[..] {
                self.vocabulary.single.insert(only, node);
            } else {
                let mut bytes = Vec::new();
                ids.iter().for_each(|&id| push_id(&mut bytes, id));
                sequences.push((bytes, gates.of(node).0));
            }
        }
        let mut texts: Vec<(String, u32)> = text_gates.into_iter().map(|(text, gate)| (text, gate.0)).collect();
        texts.sort_unstable();
        const FITS: &str = "rule files are too small to overflow an automaton, and no pattern is empty or there twice";
        let (word_automaton, text_automaton) = rayon::join(
            || (!sequences.is_empty()).then(|| DoubleArrayAhoCorasick::with_values(sequences).expect(FITS)),
            || (!texts.is_empty()).then(|| CharwiseDoubleArrayAhoCorasick::with_values(texts).expect(FITS)),
        );
        RuleSet {
            codebook: self.files.codebook.clone(),
            sources: self.files.sources.clone(),
            version: self.files.version.clone(),
            rules,
            regexes: self.regexes,
            word_automaton,
            text_automaton,
            gates,
            always,
            known: Shelves::new(self.analyzer.word_count()),
            vocabulary: self.vocabulary,
            spans: self.spans,
            warnings: self.diagnostics,
        }
    }

    fn category(&mut self, id: &str, span: Span) -> Option<CategoryIndex> {
        let found = self.files.codebook.index_of(id);
        if found.is_none() {
            let categories = self.files.codebook.categories();
            let known = categories.iter().map(|category| &*category.id);
            let named = categories.iter().find(|category| category.heading == id || category.short == id);
            let mut diagnostic =
                Diagnostic::error("unknown-category", span, format!("分類「{id}」は codebook.toml にありません"));
            diagnostic.help = Some(match (named, closest(id, known.clone())) {
                _ if id == "*" => {
                    "すべての分類を指す「*」は、除外（kind = \"exclude\"）の規則にだけ書けます".to_owned()
                }
                (Some(Category { id, .. }), _) => format!("見出しではなく id の「{id}」を書いてください"),
                (None, Some(close)) => format!("「{close}」ではありませんか"),
                (None, None) => format!("分類は {} です", known.collect::<Vec<_>>().join("、")),
            });
            self.diagnostics.push(diagnostic);
        }
        found
    }

    fn intern(&mut self, node: SpanNode) -> SpanId {
        if let Some(&id) = self.by_node.get(&node) {
            return id;
        }
        let id = SpanId(self.spans.len() as u32);
        self.spans.push(node.clone());
        self.by_node.insert(node, id);
        id
    }

    fn clause(&mut self, node: &Node, pattern: &'f PatternText) -> Option<Clause> {
        let span = pattern.span(node.byte_range.clone());
        let condition = match &node.expr {
            Expr::All(parts) => Condition::All(self.clauses(parts, pattern)?),
            Expr::Any(parts) if !node.expr.is_span() => Condition::Any(Clauses::new(self.clauses(parts, pattern)?)),
            Expr::Not(inner) => Condition::Not(Box::new(self.clause(inner, pattern)?)),
            Expr::Within(unit, inner) => Condition::Within(*unit, Box::new(self.clause(inner, pattern)?)),
            Expr::Attribute { name, values, negated } => {
                Condition::Attribute { name: name.clone(), values: values.clone(), negated: *negated }
            }
            Expr::Compare { sum, comparison, number } => {
                let mut amounts = Vec::new();
                for quantity in sum {
                    amounts.push(match quantity {
                        Quantity::Count(inner) => Amount::Count(self.span(inner, pattern)?),
                        Quantity::Characters => Amount::Characters,
                        Quantity::Morphemes => Amount::Morphemes,
                    });
                }
                Condition::Compare { sum: amounts, comparison: *comparison, number: *number }
            }
            Expr::RuleRef(id) => match self.rule_ids.get(id.as_str()) {
                Some(&index) => Condition::Rule(index),
                None => {
                    let mut diagnostic = Diagnostic::error("unknown-rule", span, format!("規則「{id}」はありません"));
                    diagnostic.help =
                        closest(id, self.rule_ids.keys().copied()).map(|close| format!("「{close}」ではありませんか"));
                    self.diagnostics.push(diagnostic);
                    return None;
                }
            },
            Expr::CategoryRef(id) => Condition::Category(self.category(id, span.clone())?),
            _ => Condition::Span(self.span(node, pattern)?),
        };
        Some(Clause { condition, place: Place::new(&self.files.sources, &span), is_costly: false, gate: GateId::OPEN })
    }

    fn clauses(&mut self, nodes: &[Node], pattern: &'f PatternText) -> Option<Vec<Clause>> {
        // Every part is visited, so that each fault is found.
        let clauses: Vec<Option<Clause>> = nodes.iter().map(|node| self.clause(node, pattern)).collect();
        clauses.into_iter().collect()
    }

    fn span(&mut self, node: &Node, pattern: &'f PatternText) -> Option<SpanId> {
        let place = pattern.span(node.byte_range.clone());
        let compiled = match &node.expr {
            Expr::Word(test) => return self.word(test, place),
            Expr::Literal(text) => {
                let normalized = self.analyzer.normalizer().normalize(text).text().to_ascii_lowercase();
                if normalized.is_empty() {
                    let message = format!("「{text}」は、表記をそろえると空になります（どの回答にもない文字です）");
                    self.diagnostics.push(Diagnostic::error("empty-pattern", place, message));
                    return None;
                }
                SpanNode::Text(normalized)
            }
            Expr::Regex(text) => self.regex(text, place)?,
            Expr::Concept(name) => return self.concept(name, &place),
            Expr::Phrase(parts) => SpanNode::Phrase(self.span_list(parts, pattern)?),
            Expr::Ordered { parts, distance } => SpanNode::Ordered(self.span_list(parts, pattern)?, *distance),
            Expr::Near { parts, distance } => SpanNode::Near(self.span_list(parts, pattern)?, *distance),
            Expr::Except(a, b) => {
                let (a, b) = (self.span(a, pattern), self.span(b, pattern));
                SpanNode::Except(a?, b?)
            }
            Expr::Aligned(alignment, inner) => SpanNode::Aligned(*alignment, self.span(inner, pattern)?),
            Expr::Feature(feature, inner) => SpanNode::Feature(*feature, self.span(inner, pattern)?),
            Expr::Any(parts) => SpanNode::Union(self.span_list(parts, pattern)?),
            _ => unreachable!("the parser lets only span expressions stand here"),
        };
        Some(self.intern(compiled))
    }

    fn span_list(&mut self, nodes: &[Node], pattern: &'f PatternText) -> Option<Vec<SpanId>> {
        let ids: Vec<Option<SpanId>> = nodes.iter().map(|node| self.span(node, pattern)).collect();
        ids.into_iter().collect()
    }

    /// A word: its base form, or the base forms of the morphemes that the analyser makes of it.
    fn word(&mut self, test: &WordTest, place: Span) -> Option<SpanId> {
        if let Some(pos) = &test.pos {
            let first = pos.split('-').next().unwrap_or("");
            if !PART_OF_SPEECH_NAMES.contains(&first) && !pos.starts_with("形容詞（") {
                let mut diagnostic =
                    Diagnostic::error("unknown-pos", place, format!("「{pos}」という品詞はありません"));
                diagnostic.help = Some(match closest(first, PART_OF_SPEECH_NAMES) {
                    Some(close) => format!("「{close}」ではありませんか"),
                    None => format!("品詞は {} です", PART_OF_SPEECH_NAMES.join("、")),
                });
                self.diagnostics.push(diagnostic);
                return None;
            }
        }
        let plain = WordTest { word: test.word.clone(), ..WordTest::default() };
        if let (Some(WordShape::Exact(word)), true) = (&test.word, *test == plain) {
            let analysis = self.worker.analyze(word);
            let ids: Vec<u32> = analysis
                .morphemes
                .iter()
                .map(|morpheme| self.vocabulary.id(morpheme.base_form(analysis.text())))
                .collect();
            if ids.is_empty() {
                self.diagnostics.push(Diagnostic::error(
                    "empty-pattern",
                    place,
                    format!("「{word}」には語がありません"),
                ));
                return None;
            }
            return Some(self.intern(SpanNode::Words(ids)));
        }
        Some(self.intern(SpanNode::Test(test.clone())))
    }

    fn regex(&mut self, text: &str, place: Span) -> Option<SpanNode> {
        if let Some(node) = self.by_regex.get(text) {
            return Some(node.clone());
        }
        if !self.trusted && !self.check_regex(text, place) {
            return None;
        }
        let node = match require::spelled_out(text) {
            Some(texts) => SpanNode::FirstOf(texts.into_iter().map(|text| self.intern(SpanNode::Text(text))).collect()),
            None => {
                self.requirements.push(Requirement::of(text, &self.likelihoods));
                self.regexes.push(LazyRegex::new(text.to_owned()));
                SpanNode::Regex(self.regexes.len() - 1)
            }
        };
        self.by_regex.insert(text.to_owned(), node.clone());
        Some(node)
    }

    fn check_regex(&mut self, text: &str, place: Span) -> bool {
        let regex = match LazyRegex::build(text) {
            Ok(regex) => regex,
            Err(regex::Error::CompiledTooBig(_)) => {
                self.diagnostics.push(
                    Diagnostic::error("regex", place, "正規表現が大きすぎます")
                        .help("繰り返しの回数を減らすか、いくつかの正規表現に分けてください"),
                );
                return false;
            }
            Err(error) => {
                let fault = super::regex_fault::fault(text);
                let (what, range, help) = fault.unwrap_or_else(|| (error.to_string(), 0..text.len(), None));
                let start = place.byte_range.start + "/".len();
                let is_verbatim = place.source.text().get(start..start + text.len()) == Some(text);
                let place = match is_verbatim && !range.is_empty() {
                    true => Span::new(&place.source, start + range.start..start + range.end),
                    false => place,
                };
                let mut diagnostic = Diagnostic::error("regex", place, format!("正規表現の{what}"));
                diagnostic.help = help.map(str::to_owned);
                self.diagnostics.push(diagnostic);
                return false;
            }
        };
        let matches_nothing = regex_syntax::parse(text).is_ok_and(|hir| hir.properties().minimum_len() == Some(0));
        if regex.is_match("") || matches_nothing {
            let message = "正規表現が空の文字列にも当たります（すべての回答に当たります）";
            self.diagnostics.push(
                Diagnostic::error("regex-empty", place, message)
                    .help("「*」を「+」にするなど、必ず 1 文字は要るようにしてください"),
            );
            return false;
        }
        true
    }

    fn concept(&mut self, name: &str, place: &Span) -> Option<SpanId> {
        let files = self.files;
        let Some((name, concept)) = files.concepts.get_key_value(name) else {
            let mut diagnostic =
                Diagnostic::error("unknown-concept", place.clone(), format!("概念「{name}」は定義されていません"));
            let known = files.concepts.keys().map(String::as_str);
            diagnostic.help = Some(match closest(name, known) {
                Some(close) => format!("「{close}」ではありませんか"),
                None => "[concepts] に定義するか、語そのものを書いてください".to_owned(),
            });
            self.diagnostics.push(diagnostic);
            return None;
        };
        match self.concepts.get(name.as_str()) {
            Some(ConceptState::Done(id)) => return Some(*id),
            Some(ConceptState::Failed) => return None,
            Some(ConceptState::Open) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "concept-cycle",
                        place.clone(),
                        format!("概念「{name}」の参照をたどると「{name}」自身に戻ります"),
                    )
                    .help("どこか 1 か所の参照を消し、そこには語そのものを書いてください")
                    .related(concept.span.clone(), "定義"),
                );
                return None;
            }
            None => {}
        }
        self.concepts.insert(name, ConceptState::Open);
        let Concept { patterns, .. } = concept;
        let ids: Vec<Option<SpanId>> = patterns
            .iter()
            .map(|pattern| if pattern.node.expr.is_span() { self.span(&pattern.node, pattern) } else { None })
            .collect();
        let ids: Option<Vec<SpanId>> = ids.into_iter().collect();
        let id = ids.map(|ids| if ids.len() == 1 { ids[0] } else { self.intern(SpanNode::Union(ids)) });
        match id {
            Some(id) => self.concepts.insert(name, ConceptState::Done(id)),
            None => self.concepts.insert(name, ConceptState::Failed),
        };
        id
    }

    fn check_rule_cycles(&mut self, rules: &[CompiledRule]) {
        fn references(clause: &Clause, rules: &[CompiledRule], found: &mut Vec<(u32, Place)>) {
            match &clause.condition {
                Condition::Rule(index) => found.push((*index, clause.place)),
                Condition::Category(category) => {
                    for (index, rule) in rules.iter().enumerate() {
                        if rule.kind == RuleKind::Assign && rule.categories.contains(category) {
                            found.push((index as u32, clause.place));
                        }
                    }
                }
                Condition::All(parts) => parts.iter().for_each(|part| references(part, rules, found)),
                Condition::Any(parts) => parts.iter().for_each(|part| references(part, rules, found)),
                Condition::Not(inner) | Condition::Within(_, inner) => references(inner, rules, found),
                Condition::Span(_) | Condition::Compare { .. } | Condition::Attribute { .. } => {}
            }
        }
        let edges: Vec<Vec<(u32, Place)>> = rules
            .iter()
            .map(|rule| {
                let mut found = Vec::new();
                rule.alternatives
                    .iter()
                    .chain(rule.unless.iter())
                    .for_each(|clause| references(clause, rules, &mut found));
                found
            })
            .collect();
        // 0 unseen, 1 on the way, 2 done.
        let mut state = vec![0u8; rules.len()];
        for start in 0..rules.len() {
            let mut stack = vec![(start, 0usize)];
            if state[start] != 0 {
                continue;
            }
            state[start] = 1;
            while let Some((rule, next)) = stack.pop() {
                let Some((target, place)) = edges[rule].get(next) else {
                    state[rule] = 2;
                    continue;
                };
                stack.push((rule, next + 1));
                let target = *target as usize;
                match state[target] {
                    0 => {
                        state[target] = 1;
                        stack.push((target, 0));
                    }
                    1 => self.diagnostics.push(
                        Diagnostic::error(
                            "rule-cycle",
                            place.span(&self.files.sources),
                            match target == rule {
                                true => format!("規則「{}」が自分自身を参照しています", rules[target].id),
                                false => format!(
                                    "規則「{}」は「{}」を通じて自分自身を参照しています",
                                    rules[target].id, rules[rule].id
                                ),
                            },
                        )
                        .help("どこか 1 か所の参照を消してください")
                        .related(rules[target].place.span(&self.files.sources), "参照されている規則"),
                    ),
                    _ => {}
                }
            }
        }
    }
}

/// A regular expression that is compiled when it is first needed: most never are.
pub(super) struct LazyRegex {
    pub(super) pattern: String,
    compiled: OnceLock<Regex>,
}

impl LazyRegex {
    pub(super) fn new(pattern: String) -> Self {
        Self { pattern, compiled: OnceLock::new() }
    }

    fn build(pattern: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(pattern).size_limit(REGEX_SIZE_LIMIT).case_insensitive(true).build()
    }

    pub(super) fn get(&self) -> &Regex {
        self.compiled.get_or_init(|| Self::build(&self.pattern).expect("it was built once when the rules were checked"))
    }
}

/// What most forms of a word have in common: words that end in kana change them.
fn stem(base_form: &str) -> &str {
    let mut characters = base_form.chars();
    match characters.next_back() {
        Some('ぁ'..='ゖ') if characters.clone().next().is_some() => characters.as_str(),
        _ => base_form,
    }
}

/// For each span expression, whether a regular expression is part of it. Parts stand before what they are part of.
fn costly_spans(spans: &[SpanNode]) -> Vec<bool> {
    let mut costly: Vec<bool> = Vec::with_capacity(spans.len());
    for node in spans {
        let of = |part: &SpanId| costly[part.index()];
        costly.push(match node {
            SpanNode::Words(_) | SpanNode::Test(_) | SpanNode::Text(_) | SpanNode::FirstOf(_) => false,
            SpanNode::Regex(_) => true,
            SpanNode::Phrase(parts) | SpanNode::Union(parts) => parts.iter().any(of),
            SpanNode::Ordered(parts, _) | SpanNode::Near(parts, _) => parts.iter().any(of),
            SpanNode::Except(a, b) => of(a) || of(b),
            SpanNode::Feature(_, inner) | SpanNode::Aligned(_, inner) => of(inner),
        });
    }
    costly
}

impl Clause {
    fn mark_cost(&mut self, costly: &[bool]) {
        let marked = |clause: &mut Self| {
            clause.mark_cost(costly);
            clause.is_costly
        };
        self.is_costly = match &mut self.condition {
            Condition::Span(id) => costly[id.index()],
            Condition::All(parts) => parts.iter_mut().fold(false, |is_costly, part| marked(part) | is_costly),
            Condition::Any(parts) => {
                let mut is_costly = false;
                parts.update(|part| is_costly |= marked(part));
                is_costly
            }
            Condition::Not(inner) | Condition::Within(_, inner) => marked(inner),
            Condition::Compare { sum, .. } => {
                sum.iter().any(|amount| matches!(amount, Amount::Count(id) if costly[id.index()]))
            }
            Condition::Attribute { .. } => false,
            Condition::Rule(_) | Condition::Category(_) => true,
        };
    }
}

impl CompiledRule {
    /// Whether it gives a category.
    pub(super) fn assigns(&self, category: CategoryIndex) -> bool {
        self.kind == RuleKind::Assign && self.categories.contains(&category)
    }
}

/// Whether a category has a table of its own.
pub(super) fn is_section(codebook: &Codebook, category: CategoryIndex) -> bool {
    codebook[category].kind == CategoryKind::Section
}
