//! `appendix.toml`: the texts that an analyst keeps for the appendix.

use std::{collections::BTreeMap, fmt, ops::Range};

use serde::Serialize;
use thiserror::Error;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::codebook::Codebook;

use super::{
    cells::{CellRemedy, SmallCells},
    disclosure::DisclosureWords,
};

/// Texts and layout of an appendix that the comments do not give.
///
/// ```
/// use jirei::report::Settings;
///
/// let settings = Settings::parse(
///     r#"
///     title = "マイナ保険証 事例集"
///     survey_line = "2025年8月実施、N＝1,045"
///
///     [introductions]
///     device = "機器の不具合は業者の対応を待つほかない。"
///     "#,
/// )
/// .unwrap();
/// assert_eq!(settings.title.as_deref(), Some("マイナ保険証 事例集"));
/// assert_eq!(Settings::parse("titel = \"\"").unwrap_err().to_string(), "1行1列: 「titel」という設定はありません（使えるのは title、survey_line、source_line、main_question、introductions、split、small_cells、disclosure です）");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Title; the code frame's where there is none.
    pub title: Option<String>,
    /// What survey, when, of whom.
    pub survey_line: Option<String>,
    /// Line under each table.
    pub source_line: Option<String>,
    /// The question that goes without saying behind a quote.
    pub main_question: String,
    /// Introduction by category id; a blank line parts paragraphs.
    pub introductions: BTreeMap<String, String>,
    /// Tables that stand in two parts.
    pub splits: Vec<Split>,
    /// What is done with cells of few institutions.
    pub small_cells: SmallCells,
    /// Words for the check of details that identify someone.
    pub disclosure: DisclosureWords,
}

/// A table in two parts: the answers to one question stand apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Id of the category.
    pub category: String,
    /// The question whose answers stand apart.
    pub question: String,
    /// Heading of its answers.
    pub answers: String,
    /// Heading of all others, which come first.
    pub others: String,
}

impl Default for Settings {
    /// 問7 is the main question; the list of smartphones keeps the reasons for not introducing them (問11) apart.
    fn default() -> Self {
        Self {
            title: None,
            survey_line: None,
            source_line: None,
            main_question: "問7".to_owned(),
            introductions: BTreeMap::new(),
            splits: vec![Split {
                category: "smartphone".to_owned(),
                question: "問11".to_owned(),
                answers: "導入しない主な理由".to_owned(),
                others: "患者さんからのクレーム・事例".to_owned(),
            }],
            small_cells: SmallCells::default(),
            disclosure: DisclosureWords::default(),
        }
    }
}

impl Settings {
    /// Reads the text of an `appendix.toml`; what it leaves out keeps its default.
    ///
    /// # Errors
    ///
    /// Holds every fault of the file, in the order of the file; where it is no TOML, the first.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            SettingsError {
                faults: vec![Fault::new(text, at, format!("TOMLとして読めません（{}）", error.message()))]
            }
        })?;
        let mut reader = Reader { text, faults: Vec::new() };
        let settings = reader.settings(document.get_ref());
        reader.finish(settings)
    }

    /// As [`Settings::parse`], and every category named must be one of the code frame's.
    ///
    /// # Errors
    ///
    /// As [`Settings::parse`].
    pub fn parse_for(text: &str, codebook: &Codebook) -> Result<Self, SettingsError> {
        let settings = Self::parse(text)?;
        let document = DeTable::parse(text).expect("it was read a line ago");
        let mut reader = Reader { text, faults: Vec::new() };
        reader.check_categories(document.get_ref(), codebook);
        reader.finish(settings)
    }

    /// The introduction of a category.
    pub fn introduction(&self, category: &str) -> Option<&str> {
        self.introductions.get(category).map(String::as_str)
    }
}

/// What is wrong with an `appendix.toml` or a file of masks; one line a fault, the file's name left to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct SettingsError {
    pub(super) faults: Vec<Fault>,
}

impl SettingsError {
    /// Line, column (both from 1, columns in characters) and message of every fault.
    pub fn faults(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.faults.iter().map(|fault| (fault.line, fault.column, fault.message.as_str()))
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (line, column, message)) in self.faults().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{line}行{column}列: {message}")?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    start: usize,
    line: usize,
    column: usize,
    message: String,
}

impl Fault {
    pub(super) fn new(text: &str, at: Range<usize>, message: String) -> Self {
        let mut start = at.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            start,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        }
    }
}

const KEYS: [&str; 8] =
    ["title", "survey_line", "source_line", "main_question", "introductions", "split", "small_cells", "disclosure"];
const CELL_KEYS: [&str; 2] = ["threshold", "remedy"];
const DISCLOSURE_KEYS: [&str; 2] = ["vendors", "harmless"];
const SPLIT_KEYS: [&str; 4] = ["category", "question", "answers", "others"];

struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn settings(&mut self, document: &DeTable<'_>) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "title" => settings.title = self.line(value),
                "survey_line" => settings.survey_line = self.line(value),
                "source_line" => settings.source_line = self.line(value),
                "main_question" => settings.main_question = self.line(value).unwrap_or_default(),
                "introductions" => settings.introductions = self.introductions(value),
                "split" => settings.splits = self.splits(value),
                "small_cells" => settings.small_cells = self.small_cells(value),
                "disclosure" => settings.disclosure = self.disclosure(value),
                unknown => self.unknown(key.span(), unknown, &KEYS),
            }
        }
        settings
    }

    fn introductions(&mut self, value: &Spanned<DeValue<'_>>) -> BTreeMap<String, String> {
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(value, "表（[introductions]）");
            return BTreeMap::new();
        };
        table.iter().filter_map(|(key, value)| Some((key.get_ref().to_string(), self.string(value)?))).collect()
    }

    fn small_cells(&mut self, value: &Spanned<DeValue<'_>>) -> SmallCells {
        let mut cells = SmallCells::default();
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(value, "表（[small_cells]）");
            return cells;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "threshold" => match value.get_ref().as_integer().and_then(|n| n.as_str().parse().ok()) {
                    Some(threshold) => cells.threshold = threshold,
                    None => self.mistyped(value, "0以上の整数"),
                },
                "remedy" => {
                    let name = value.get_ref().as_str();
                    match CellRemedy::NAMES.iter().find(|(known, _)| Some(*known) == name) {
                        Some((_, remedy)) => cells.remedy = *remedy,
                        None => self.mistyped(value, " \"region\"、\"hide\"、\"keep\"、\"stop\" のどれか"),
                    }
                }
                unknown => self.unknown(key.span(), unknown, &CELL_KEYS),
            }
        }
        cells
    }

    fn disclosure(&mut self, value: &Spanned<DeValue<'_>>) -> DisclosureWords {
        let mut words = DisclosureWords::default();
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(value, "表（[disclosure]）");
            return words;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "vendors" => words.vendors = self.strings(value),
                "harmless" => words.harmless = self.strings(value),
                unknown => self.unknown(key.span(), unknown, &DISCLOSURE_KEYS),
            }
        }
        words
    }

    fn strings(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(value, "文字列の並び（[\"…\", \"…\"]）");
            return Vec::new();
        };
        array.iter().filter_map(|value| self.line(value)).collect()
    }

    fn splits(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Split> {
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(value, "表の並び（[[split]]）");
            return Vec::new();
        };
        array.iter().filter_map(|value| self.split(value)).collect()
    }

    fn split(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Split> {
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(value, "表（[[split]]）");
            return None;
        };
        for key in table.keys().filter(|key| !SPLIT_KEYS.contains(&key.get_ref().as_ref())) {
            self.unknown(key.span(), key.get_ref(), &SPLIT_KEYS);
        }
        let mut field = |name: &str| {
            let found = table.iter().find(|(key, _)| key.get_ref() == name);
            if found.is_none() {
                self.fault(value.span(), format!("[[split]] に「{name}」がありません"));
            }
            found.and_then(|(_, value)| self.line(value))
        };
        let [category, question, answers, others] = SPLIT_KEYS.map(&mut field);
        Some(Split { category: category?, question: question?, answers: answers?, others: others? })
    }

    fn check_categories(&mut self, document: &DeTable<'_>, codebook: &Codebook) {
        let ids: Vec<&str> = codebook.categories().iter().map(|category| &*category.id).collect();
        for (key, value) in document {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("introductions", DeValue::Table(table)) => {
                    for key in table.keys().filter(|key| !ids.contains(&key.get_ref().as_ref())) {
                        self.unknown_category(key.span(), key.get_ref(), &ids);
                    }
                }
                ("split", DeValue::Array(array)) => {
                    let categories = array.iter().filter_map(|value| value.get_ref().as_table()?.get("category"));
                    for value in categories {
                        if let Some(id) = value.get_ref().as_str().filter(|id| !ids.contains(id)) {
                            self.unknown_category(value.span(), id, &ids);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// A text of one line, `None` where it is blank.
    fn line(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let line = super::printable::one_line(&self.string(value)?);
        (!line.is_empty()).then_some(line)
    }

    fn string(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.mistyped(value, "文字列（\"…\"）");
        }
        text
    }

    fn mistyped(&mut self, value: &Spanned<DeValue<'_>>, expected: &str) {
        self.fault(value.span(), format!("ここには{expected}を書いてください"));
    }

    fn unknown(&mut self, at: Range<usize>, name: &str, known: &[&str]) {
        self.fault(at, format!("「{name}」という設定はありません（使えるのは {} です）", known.join("、")));
    }

    fn unknown_category(&mut self, at: Range<usize>, id: &str, known: &[&str]) {
        self.fault(at, format!("「{id}」という区分はありません（区分は {} です）", known.join("、")));
    }

    fn fault(&mut self, at: Range<usize>, message: String) {
        self.faults.push(Fault::new(self.text, at, message));
    }

    fn finish(mut self, settings: Settings) -> Result<Settings, SettingsError> {
        self.faults.sort_by_key(|fault| fault.start);
        if self.faults.is_empty() { Ok(settings) } else { Err(SettingsError { faults: self.faults }) }
    }
}
