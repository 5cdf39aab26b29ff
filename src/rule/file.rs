//! Rule files: TOML to rules and concepts, every value with its place.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    parse::{PatternError, parse_pattern},
    polarity::PolarityWords,
    syntax::{Node, Unit},
};
use crate::{
    codebook::{Category, CategoryKind, Codebook},
    diagnostic::{Diagnostic, closest},
    source::{Source, Span},
};

/// A rule file larger than this is refused.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// A pattern with the file that it stands in.
#[derive(Debug, Clone)]
pub(crate) struct PatternText {
    pub(crate) node: Node,
    place: Place,
}

/// How byte ranges of a TOML string lead to byte ranges of its file.
#[derive(Debug, Clone)]
struct Place {
    source: Arc<Source>,
    value: Range<usize>,
    /// File offset of the string's first byte, where the string stands in the file without escapes.
    verbatim_at: Option<usize>,
    /// File offset of each of its bytes and of its end, where it stands there with escapes.
    offsets: Option<Vec<usize>>,
}

impl Place {
    fn new(source: &Arc<Source>, value: Range<usize>, text: &str) -> Self {
        let raw = source.text().get(value.clone()).unwrap_or("");
        let verbatim_at = raw.find(text).map(|at| value.start + at);
        let offsets = match verbatim_at {
            Some(_) => None,
            None => super::toml_text::offsets(raw, value.start, text),
        };
        Self { source: source.clone(), value, verbatim_at, offsets }
    }

    fn span(&self, range: Range<usize>) -> Span {
        match self.verbatim_at {
            Some(at) => Span::new(&self.source, at + range.start..at + range.end),
            None => {
                let at = |byte: usize| self.offsets.as_ref()?.get(byte).copied();
                let range = at(range.start).zip(at(range.end)).map(|(start, end)| start..end);
                Span::new(&self.source, range.unwrap_or_else(|| self.value.clone()))
            }
        }
    }
}

impl PatternText {
    /// The place in the file of a byte range of the pattern.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        self.place.span(range)
    }

    /// The text of a byte range of the pattern, as it stands in the file.
    pub(crate) fn text(&self, range: Range<usize>) -> &str {
        self.place.source.text().get(self.span(range).byte_range).unwrap_or("")
    }
}

/// What a rule does when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RuleKind {
    /// Gives its categories.
    #[default]
    Assign,
    /// Takes its categories away: what other rules found in the same unit no longer counts.
    Exclude,
}

/// How much a rule says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Strength {
    /// Suffices alone.
    #[default]
    Strong,
    /// Counts only together with another rule of the category.
    Weak,
}

/// What an example says of its rule; the four marks of Semgrep's tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExampleKind {
    /// `match`: the rule must fire.
    Match,
    /// `no_match`: the rule must not fire.
    NoMatch,
    /// `known_miss`: the rule ought to fire, but does not yet.
    KnownMiss,
    /// `known_false`: the rule ought not to fire, but still does.
    KnownFalse,
}

impl ExampleKind {
    const KEYS: [(&'static str, Self); 4] = [
        ("match", Self::Match),
        ("no_match", Self::NoMatch),
        ("known_miss", Self::KnownMiss),
        ("known_false", Self::KnownFalse),
    ];
}

/// An example beside a rule.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it says.
    pub kind: ExampleKind,
    /// The comment.
    pub text: String,
    /// Attributes of the comment (`question`, …).
    pub attributes: BTreeMap<String, String>,
    /// Where it stands.
    pub span: Span,
}

/// A rule as written.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) span: Span,
    pub(crate) categories: Vec<(String, Span)>,
    pub(crate) patterns: Vec<PatternText>,
    pub(crate) unless: Vec<PatternText>,
    pub(crate) unit: Unit,
    pub(crate) strength: Strength,
    pub(crate) kind: RuleKind,
    pub(crate) concreteness: u8,
    pub(crate) note: Option<String>,
    pub(crate) examples: Vec<Example>,
}

/// A named set of words.
#[derive(Debug, Clone)]
pub(crate) struct Concept {
    pub(crate) span: Span,
    pub(crate) patterns: Vec<PatternText>,
}

/// A folder of rule files, read and parsed, not yet checked as a whole.
#[derive(Debug)]
pub struct RuleFiles {
    pub(crate) codebook: Codebook,
    pub(crate) rules: Vec<Rule>,
    pub(crate) concepts: BTreeMap<String, Concept>,
    pub(crate) polarity: PolarityWords,
    /// Whether there is a `polarity.toml`.
    pub(crate) has_polarity: bool,
    /// blake3 over paths and texts.
    pub(crate) version: String,
    /// The files, sorted by path.
    pub(crate) sources: Vec<Arc<Source>>,
}

impl RuleFiles {
    /// Reads rule files. One of them is `codebook.toml`, one `polarity.toml`; the others hold concepts and rules.
    ///
    /// # Errors
    ///
    /// Every fault found, sorted by place.
    pub fn parse(sources: &[Arc<Source>]) -> Result<Self, Vec<Diagnostic>> {
        let mut hasher = blake3::Hasher::new();
        let mut sources: Vec<_> = sources.to_vec();
        sources.sort_by_key(|source| source.path());
        for source in &sources {
            hasher.update(file_name(source).as_bytes());
            hasher.update(&[0]);
            hasher.update(source.text().replace('\r', "").as_bytes());
            hasher.update(&[0]);
        }
        // Files do not know of each other until they are merged.
        let parts: Vec<FileReader> = sources.par_iter().map(FileReader::read).collect();
        let mut reader = FileReader::default();
        for part in parts {
            reader.merge(part);
        }
        let nowhere = || sources.first().map(|source| Span::new(source, 0..0));
        if sources.iter().all(|source| file_name(source) != "codebook.toml")
            && let Some(span) = nowhere()
        {
            reader.diagnostics.push(
                Diagnostic::error(
                    "missing-codebook",
                    span,
                    "規則のフォルダーに codebook.toml（分類の一覧）がありません",
                )
                .help(CATEGORY_HELP),
            );
        }
        if !reader.diagnostics.is_empty() {
            crate::diagnostic::sort(&mut reader.diagnostics);
            if reader.diagnostics.iter().any(|d| d.severity == crate::diagnostic::Severity::Error) {
                return Err(reader.diagnostics);
            }
        }
        let Some(codebook) = reader.codebook else { return Err(reader.diagnostics) };
        Ok(Self {
            codebook,
            rules: reader.rules,
            concepts: reader.concepts,
            has_polarity: reader.polarity.is_some(),
            polarity: reader.polarity.unwrap_or_default(),
            version: hasher.finalize().to_hex()[..16].to_owned(),
            sources,
        })
    }
}

/// What one file, or all of them, hold.
#[derive(Default)]
struct FileReader {
    diagnostics: Vec<Diagnostic>,
    rules: Vec<Rule>,
    concepts: BTreeMap<String, Concept>,
    codebook: Option<Codebook>,
    polarity: Option<PolarityWords>,
}

/// The last part of a source's path.
fn file_name(source: &Source) -> String {
    source.path().rsplit('/').next().unwrap_or_default().to_owned()
}

/// What a code frame is made of.
const CATEGORY_HELP: &str =
    "[[category]] に id・kind・heading・short・definition を書いた codebook.toml を置いてください";

const FILE_KEYS: [&str; 3] = ["category", "concepts", "rule"];

const RULE_KEYS: [&str; 13] = [
    "id",
    "category",
    "pattern",
    "unless",
    "scope",
    "strength",
    "kind",
    "concreteness",
    "note",
    "match",
    "no_match",
    "known_miss",
    "known_false",
];

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

impl FileReader {
    fn read(source: &Arc<Source>) -> Self {
        let mut reader = Self::default();
        if source.text().len() > MAX_FILE_BYTES {
            let span = Span::new(source, 0..0);
            reader.diagnostics.push(
                Diagnostic::error("file-too-large", span, "規則ファイルが大きすぎます（4 MB まで）")
                    .help("話題ごとにいくつかのファイルに分けてください"),
            );
            return reader;
        }
        match file_name(source).as_str() {
            "codebook.toml" => reader.codebook = reader.codebook(source),
            "polarity.toml" => reader.polarity = reader.polarity(source),
            _ => reader.rule_file(source),
        }
        reader
    }

    fn merge(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.rules.extend(other.rules);
        self.codebook = self.codebook.take().or(other.codebook);
        self.polarity = self.polarity.take().or(other.polarity);
        for (name, concept) in other.concepts {
            self.add_concept(name, concept);
        }
    }

    fn add_concept(&mut self, name: String, concept: Concept) {
        match self.concepts.get(&name) {
            Some(first) => self.diagnostics.push(
                Diagnostic::error("duplicate-concept", concept.span, format!("概念「{name}」はすでに定義されています"))
                    .help("どちらかの名前を変えるか、1 つにまとめてください")
                    .related(first.span.clone(), "最初の定義"),
            ),
            None => {
                self.concepts.insert(name, concept);
            }
        }
    }

    fn error(
        &mut self,
        id: &'static str,
        source: &Arc<Source>,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::error(id, Span::new(source, range), message));
        self.diagnostics.last_mut().expect("one was pushed just now")
    }

    fn toml_error(&mut self, source: &Arc<Source>, error: &toml::de::Error) {
        let range = error.span().unwrap_or(0..0);
        let (message, help) = super::toml_text::explained(error.message());
        let message = format!("TOML として読めません: {message}");
        self.error("toml", source, range, message).help = help.map(str::to_owned);
    }

    /// The items of a file; `None` where it is no TOML.
    fn table<'i>(&mut self, source: &'i Arc<Source>) -> Option<DeTable<'i>> {
        let (table, errors) = DeTable::parse_recoverable(source.text());
        // What is read wrong after a fault is no fault of its own: of neighbouring lines the first is told of.
        let mut last_line = None;
        for error in &errors {
            let line = source.line_column(error.span().map_or(0, |span| span.start)).line;
            if last_line.is_none_or(|last| line > last + 1) {
                self.toml_error(source, error);
            }
            last_line = Some(line);
        }
        errors.is_empty().then(|| table.into_inner())
    }

    fn unknown_keys(&mut self, source: &Arc<Source>, table: &DeTable<'_>, whose: &str, known: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let help = closest(name, known.iter().copied()).map(|close| format!("「{close}」ではありませんか"));
                self.error("unknown-key", source, key.span(), format!("{whose}「{name}」という項目はありません"))
                    .help = help;
            }
        }
    }

    /// The text of an item that must be there, with its place; `whole` is the place of what lacks it.
    fn required(
        &mut self,
        source: &Arc<Source>,
        (table, whole): (&DeTable<'_>, &Range<usize>),
        (whose, key, example): (&str, &str, &str),
    ) -> Option<(String, Range<usize>)> {
        let Some(value) = table.get(key) else {
            self.error("missing-key", source, whole.clone(), format!("{whose} {key} がありません")).help =
                Some(format!("{key} = \"{example}\" のように書いてください"));
            return None;
        };
        Some((self.string(source, value)?, value.span()))
    }

    fn codebook(&mut self, source: &Arc<Source>) -> Option<Codebook> {
        let table = self.table(source)?;
        let faults = self.diagnostics.len();
        self.unknown_keys(source, &table, "codebook.toml に", &["title", "category"]);
        let title = self.required(source, (&table, &(0..0)), ("codebook.toml に", "title", "マイナ保険証の事例"));
        let mut categories: Vec<Category> = Vec::new();
        let mut places: Vec<Range<usize>> = Vec::new();
        let items = table.get("category").map(|value| (value.span(), value.get_ref().as_array()));
        match items {
            Some((_, Some(items))) if !items.is_empty() => {
                for item in items.iter() {
                    let Some(table) = item.get_ref().as_table() else {
                        self.error("wrong-type", source, item.span(), "分類は [[category]] で始めます");
                        continue;
                    };
                    let Some((category, place)) = self.category(source, item.span(), table) else { continue };
                    match categories.iter().position(|other| other.id == category.id) {
                        Some(first) => {
                            let message = format!("分類「{}」はすでに定義されています", category.id);
                            let first = Span::new(source, places[first].clone());
                            let diagnostic = self.error("duplicate-category", source, place, message);
                            diagnostic.help = Some("どちらかの id を変えるか、消してください".into());
                            diagnostic.related = Some((first, "最初の定義".into()));
                        }
                        None => {
                            categories.push(category);
                            places.push(place);
                        }
                    }
                }
            }
            Some((range, None)) => {
                self.error("wrong-type", source, range, "分類は [category] ではなく [[category]] で始めます").help =
                    Some("角括弧を 2 重にしてください".into());
            }
            _ => {
                self.error("missing-key", source, 0..0, "codebook.toml に分類（[[category]]）がありません").help =
                    Some(CATEGORY_HELP.into());
            }
        }
        if self.diagnostics.len() > faults {
            return None;
        }
        Some(Codebook::new(title?.0, categories).expect("no id stands twice"))
    }

    /// A category of the code frame, and the place of its id.
    fn category(
        &mut self,
        source: &Arc<Source>,
        range: Range<usize>,
        table: &DeTable<'_>,
    ) -> Option<(Category, Range<usize>)> {
        self.unknown_keys(source, table, "分類に", &["id", "kind", "heading", "short", "definition"]);
        let header = range.start..(range.start + "[[category]]".len()).min(range.end);
        let mut text = |key, example| self.required(source, (table, &header), ("分類に", key, example));
        let id = text("id", "device");
        let heading = text("heading", "機器の不具合");
        let short = text("short", "機器");
        let definition = text("definition", "機械・回線・認識の不具合");
        if let Some((id, range)) = &id
            && (id.is_empty() || id.contains(|c: char| c.is_whitespace() || c == '*'))
        {
            self.error("category-id", source, range.clone(), "分類の id が空か、空白や「*」を含んでいます").help =
                Some("英小文字・数字・下線で id = \"device\" のように書いてください".into());
        }
        let kinds = [("section", CategoryKind::Section), ("list", CategoryKind::List)];
        let kind = match table.contains_key("kind") {
            true => self.choice(source, table, "kind", &kinds),
            false => {
                self.error("missing-key", source, header, "分類に kind がありません").help = Some(
                    "独立した節なら kind = \"section\"、節をまたぐ一覧なら kind = \"list\" と書いてください".into(),
                );
                None
            }
        };
        let (id, range) = id?;
        let (heading, short, definition) = (heading?.0, short?.0, definition?.0);
        Some((Category { id: id.into(), kind: kind?, heading, short, definition }, range))
    }

    fn polarity(&mut self, source: &Arc<Source>) -> Option<PolarityWords> {
        let table = self.table(source)?;
        let faults = self.diagnostics.len();
        self.unknown_keys(source, &table, "polarity.toml に", &PolarityWords::KEYS);
        for value in table.values() {
            match value.get_ref() {
                DeValue::Array(_) => drop(self.strings(source, value)),
                _ => {
                    self.error("wrong-type", source, value.span(), "語の並び（[\"…\", \"…\"]）を書く所です");
                }
            }
        }
        if self.diagnostics.len() > faults {
            return None;
        }
        toml::from_str(source.text()).inspect_err(|error| self.toml_error(source, error)).ok()
    }

    fn rule_file(&mut self, source: &Arc<Source>) {
        let Some(table) = self.table(source) else { return };
        if !table.is_empty() && !table.keys().any(|key| closest(key.get_ref(), FILE_KEYS).is_some()) {
            let message = "規則ファイルではないようです（category、[concepts]、[[rule]] のどれもありません）";
            self.error("not-a-rule-file", source, 0..0, message).help =
                Some("規則のフォルダーの外に移してください。フォルダーの .toml はすべて規則として読まれます".into());
            return;
        }
        self.unknown_keys(source, &table, "", &FILE_KEYS);
        let default_category = table.get("category").map(|value| self.categories(source, value)).unwrap_or_default();
        if let Some(value) = table.get("concepts") {
            match value.get_ref().as_table() {
                Some(concepts) => {
                    for (name, value) in concepts {
                        self.concept(source, name, value);
                    }
                }
                None => {
                    self.error("wrong-type", source, value.span(), "concepts は表（[concepts]）でなければなりません");
                }
            }
        }
        if let Some(value) = table.get("rule") {
            match value.get_ref().as_array() {
                Some(rules) => {
                    for value in rules.iter() {
                        match value.get_ref().as_table() {
                            Some(table) => self.rule(source, value.span(), table, &default_category),
                            None => {
                                self.error("wrong-type", source, value.span(), "規則は [[rule]] で始めます");
                            }
                        }
                    }
                }
                None => {
                    self.error("wrong-type", source, value.span(), "規則は [rule] ではなく [[rule]] で始めます").help =
                        Some("角括弧を 2 重にしてください".into());
                }
            }
        }
    }

    fn concept(&mut self, source: &Arc<Source>, name: &Key<'_>, value: &Value<'_>) {
        let patterns = self.some_patterns(source, value);
        let span = Span::new(source, name.span());
        let name = name.get_ref().to_string();
        for pattern in &patterns {
            if !pattern.node.expr.is_span() {
                self.diagnostics.push(
                    Diagnostic::error(
                        "not-a-span",
                        pattern.span(pattern.node.byte_range.clone()),
                        "概念には条件（&、!、比較など）を書けません",
                    )
                    .help("語や '文字列' を「|」で並べてください。条件は規則の pattern に書きます"),
                );
            }
        }
        self.add_concept(name, Concept { span, patterns });
    }

    fn rule(
        &mut self,
        source: &Arc<Source>,
        range: Range<usize>,
        table: &DeTable<'_>,
        default_category: &[(String, Span)],
    ) {
        let faults = self.diagnostics.len();
        self.unknown_keys(source, table, "規則に", &RULE_KEYS);
        let header = range.start..(range.start + "[[rule]]".len()).min(range.end.max(range.start + 1));
        let (id, id_range) = match table.get("id") {
            Some(value) => match value.get_ref().as_str() {
                Some(id)
                    if !id.is_empty()
                        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') =>
                {
                    (id.to_owned(), value.span())
                }
                _ => {
                    let proposal = value.get_ref().as_str().and_then(proposed_id);
                    self.error("rule-id", source, value.span(), "規則の id は英小文字・数字・下線で書きます").help =
                        proposal.map(|id| format!("たとえば id = \"{id}\" と書いてください"));
                    return;
                }
            },
            None => {
                self.error("missing-id", source, header, "規則に id がありません").help =
                    Some("id = \"device_failure\" のように付けてください".into());
                return;
            }
        };
        let categories = match table.get("category") {
            Some(value) => self.categories(source, value),
            None if default_category.is_empty() => {
                self.error("missing-category", source, id_range.clone(), format!("規則「{id}」に分類がありません"))
                    .help =
                    Some("規則に category = \"…\" を書くか、ファイルの先頭に category = \"…\" を書いてください".into());
                Vec::new()
            }
            None => default_category.to_vec(),
        };
        let patterns = match table.get("pattern") {
            Some(value) => self.some_patterns(source, value),
            None => {
                self.error(
                    "missing-pattern",
                    source,
                    id_range.clone(),
                    format!("規則「{id}」に pattern がありません"),
                )
                .help = Some("pattern = \"near(端末, 故障)\" のように、何に当たるかを書いてください".into());
                Vec::new()
            }
        };
        let unless = table.get("unless").map(|value| self.patterns(source, value)).unwrap_or_default();
        let unit = self.choice(source, table, "scope", &[("sentence", Unit::Sentence), ("comment", Unit::Comment)]);
        let strength =
            self.choice(source, table, "strength", &[("strong", Strength::Strong), ("weak", Strength::Weak)]);
        let kind = self.choice(source, table, "kind", &[("assign", RuleKind::Assign), ("exclude", RuleKind::Exclude)]);
        let concreteness = self.choice(
            source,
            table,
            "concreteness",
            &[("incident", 2u8), ("detail", 3), ("general", 1), ("wish", 0)],
        );
        let note = table.get("note").and_then(|value| self.string(source, value));
        let mut examples = Vec::new();
        for (key, kind) in ExampleKind::KEYS {
            if let Some(value) = table.get(key) {
                self.examples(source, value, kind, &mut examples);
            }
        }
        if self.diagnostics.len() > faults && patterns.is_empty() {
            return;
        }
        let default_concreteness = 2;
        self.rules.push(Rule {
            id: id.into(),
            span: Span::new(source, id_range),
            categories,
            patterns,
            unless,
            unit: unit.unwrap_or_default(),
            strength: strength.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            concreteness: concreteness.unwrap_or(default_concreteness),
            note,
            examples,
        });
    }

    fn choice<T: Copy>(
        &mut self,
        source: &Arc<Source>,
        table: &DeTable<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let value = table.get(key)?;
        let found = value.get_ref().as_str();
        let choice = choices.iter().find(|(name, _)| Some(*name) == found).map(|&(_, choice)| choice);
        if choice.is_none() {
            let names = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join("、");
            // Another first letter is no slip but another word: `include` does not mean `exclude`.
            let close = found.and_then(|found| {
                closest(
                    found,
                    choices.iter().map(|&(name, _)| name).filter(|name| name.chars().next() == found.chars().next()),
                )
            });
            self.error("wrong-value", source, value.span(), format!("「{key}」に書けるのは {names} です")).help =
                close.map(|close| format!("「{close}」ではありませんか"));
        }
        choice
    }

    fn string(&mut self, source: &Arc<Source>, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.error("wrong-type", source, value.span(), "文字列を書く所です").help =
                Some("引用符 \"…\" で囲んでください".into());
        }
        text
    }

    /// A string or an array of strings, with their places.
    fn strings(&mut self, source: &Arc<Source>, value: &Value<'_>) -> Vec<(String, Range<usize>)> {
        let mut strings = Vec::new();
        match value.get_ref() {
            DeValue::String(text) => strings.push((text.to_string(), value.span())),
            DeValue::Array(items) => {
                for item in items.iter() {
                    strings.extend(self.string(source, item).map(|text| (text, item.span())));
                }
            }
            _ => {
                self.error("wrong-type", source, value.span(), "文字列か、文字列の並び（[\"…\", \"…\"]）を書く所です");
            }
        }
        strings
    }

    fn categories(&mut self, source: &Arc<Source>, value: &Value<'_>) -> Vec<(String, Span)> {
        self.strings(source, value).into_iter().map(|(id, range)| (id, Span::new(source, range))).collect()
    }

    /// Patterns of which there must be one.
    fn some_patterns(&mut self, source: &Arc<Source>, value: &Value<'_>) -> Vec<PatternText> {
        if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
            self.error("empty-pattern", source, value.span(), "パターンが空です").help =
                Some("語か '文字列' を書いてください".into());
        }
        self.patterns(source, value)
    }

    fn patterns(&mut self, source: &Arc<Source>, value: &Value<'_>) -> Vec<PatternText> {
        let mut patterns = Vec::new();
        for (text, range) in self.strings(source, value) {
            let place = Place::new(source, range, &text);
            match parse_pattern(&text) {
                Ok(node) => patterns.push(PatternText { node, place }),
                Err(error) => {
                    let PatternError { id, byte_range, message, help } = error;
                    let mut diagnostic = Diagnostic::error(id, place.span(byte_range), message);
                    diagnostic.help = help;
                    self.diagnostics.push(diagnostic);
                }
            }
        }
        patterns
    }

    fn examples(&mut self, source: &Arc<Source>, value: &Value<'_>, kind: ExampleKind, examples: &mut Vec<Example>) {
        let DeValue::Array(items) = value.get_ref() else {
            self.error("wrong-type", source, value.span(), "例は並び [\"…\", \"…\"] で書きます").help =
                Some("1 つだけでも [ ] で囲んでください".into());
            return;
        };
        for item in items.iter() {
            let span = Span::new(source, item.span());
            match item.get_ref() {
                DeValue::String(text) => {
                    examples.push(Example { kind, text: text.to_string(), attributes: BTreeMap::new(), span });
                }
                DeValue::Table(table) => {
                    let mut attributes: BTreeMap<String, String> = table
                        .iter()
                        .filter_map(|(key, value)| Some((key.get_ref().to_string(), self.string(source, value)?)))
                        .collect();
                    match attributes.remove("text") {
                        Some(text) => examples.push(Example { kind, text, attributes, span }),
                        None => {
                            self.error("wrong-type", source, item.span(), "例の表には text が要ります");
                        }
                    }
                }
                _ => {
                    self.error(
                        "wrong-type",
                        source,
                        item.span(),
                        "例は文字列か { text = \"…\", question = \"…\" } で書きます",
                    );
                }
            }
        }
    }
}

/// An id that may be meant by one that is none.
fn proposed_id(id: &str) -> Option<String> {
    let id: String =
        id.to_lowercase().chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' }).collect();
    let id = id.trim_matches('_').to_owned();
    (!id.is_empty()).then_some(id)
}
