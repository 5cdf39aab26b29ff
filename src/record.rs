//! The record of a run: what was read, with which rules and dictionary, what was counted and what came out, so that
//! numbers in a report can be accounted for and computed again. Data and comparison only; files are the caller's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    casebook::CoderCount,
    classify::Classification,
    codebook::{CategoryIndex, Codebook},
    comment::Comment,
    read::{Account, Role},
    report::{Appendix, EditKind, Place},
};

/// Version of the form of records. Raised when what is in one changes its meaning.
pub const FORMAT: u32 = 1;

/// The question of comments that have none, as records name it.
const NO_QUESTION: &str = "設問なし";

/// What a run read, used, counted and made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`FORMAT`].
    pub record: u32,
    /// Version of the program.
    pub program: String,
    /// The command (`tag`).
    pub command: String,
    /// The arguments of the program as they were given, the command among them.
    pub arguments: Vec<String>,
    /// When the run ended (RFC 3339). Never compared.
    pub ended_at: String,
    /// The rules.
    pub rules: Versioned,
    /// The dictionary.
    pub dictionary: Versioned,
    /// Files that say how to read or write: column map, settings.
    pub settings: Vec<FileHash>,
    /// Files that were read.
    pub inputs: Vec<InputRecord>,
    /// The casebook that was read or written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub casebook: Option<CasebookRecord>,
    /// What was counted.
    pub counts: Counts,
    /// What was printed, of a case appendix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appendix: Option<AppendixRecord>,
    /// The file that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputRecord>,
}

/// Rules or a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// Folder as given; `None` for those that the program carries.
    pub folder: Option<String>,
    /// Version as other outputs give it.
    pub version: String,
    /// BLAKE3 of the contents, in hexadecimal.
    pub hash: String,
}

/// A file and what was in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// Path as given.
    pub path: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
}

/// A file of comments: how it was taken, and its denominators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Path as given.
    pub path: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
    /// Number of its bytes.
    pub bytes: u64,
    /// Its make.
    pub format: String,
    /// Encoding of its characters, of text files.
    pub encoding: Option<String>,
    /// What separates its cells, of csv and tsv.
    pub delimiter: Option<char>,
    /// What columns were taken for; those kept as attributes are left out.
    pub columns: Vec<ColumnRecord>,
    /// Rows below the header, or lines, that hold anything: the responses, in wide form.
    pub rows: u64,
    /// Comments made.
    pub comments: u64,
    /// Empty cells in free-text columns.
    pub empty: u64,
    /// Cells that say 特になし and the like.
    pub nothing: u64,
    /// Responses that equal an earlier one.
    pub duplicates: u64,
    /// Problems met.
    pub problems: u64,
    /// Rows left out because of one.
    pub skipped_rows: u64,
}

/// A column and what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRecord {
    /// Worksheet, of workbooks.
    pub sheet: Option<String>,
    /// Letter in a spreadsheet (G).
    pub letter: String,
    /// Its header.
    pub header: String,
    /// What it was taken for.
    pub role: String,
}

/// The state of the casebook that a run read or left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasebookRecord {
    /// Folder as given.
    pub folder: String,
    /// Its revision.
    pub revision: u64,
    /// Its number of comments.
    pub comments: u64,
    /// The number of people's decisions that stand.
    pub decisions: u64,
    /// Rules and dictionaries that its comments were coded with, which need not be those of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coders: Vec<CoderCount>,
}

/// What was counted; every share in a report has its numerator and denominator here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Comments.
    pub comments: u64,
    /// Comments with at least one category.
    pub coded: u64,
    /// By question.
    pub questions: BTreeMap<String, QuestionCounts>,
    /// By id of the category, those without comments too.
    pub categories: BTreeMap<String, CategoryCounts>,
    /// BLAKE3 of every comment's id, categories and primary in order: whether single labels are the same.
    pub codings_hash: String,
}

/// Comments that answer a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionCounts {
    /// All of them: the denominator.
    pub comments: u64,
    /// Those with at least one category.
    pub coded: u64,
}

/// Comments of a category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryCounts {
    /// All of them.
    pub comments: u64,
    /// Those whose primary section it is.
    pub primary: u64,
}

/// What a case appendix prints; what it could print is in [`Counts`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendixRecord {
    /// Comments that belong under a heading.
    pub filed: u64,
    /// Quotes printed, repetitions in lists not counted.
    pub quotes: u64,
    /// Comments that a quote stands for because they say the same.
    pub similar: u64,
    /// Places in the quotes that are masked.
    pub masked: u64,
    /// Places in the quotes that are corrected for print.
    pub corrected: u64,
    /// Quotes under a region in the place of their prefecture.
    pub region: u64,
    /// Quotes without their prefecture.
    pub hidden: u64,
    /// Findings that were accepted as they are.
    pub open: u64,
    /// By id of the category, those without comments too.
    pub tables: BTreeMap<String, TableCounts>,
}

/// What a table of an appendix prints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounts {
    /// Comments that belong in it: the N of its count line.
    pub filed: u64,
    /// Rows printed, those that are repeated from a section among them.
    pub printed: u64,
    /// Comments that its rows stand for because they say the same.
    pub similar: u64,
}

impl AppendixRecord {
    /// What an appendix prints, with so many findings accepted.
    pub fn new(appendix: &Appendix, open: usize) -> Self {
        let edits = |kind| appendix.quotes().flat_map(|(.., row)| &row.edits).filter(|edit| edit.kind == kind).count();
        let places = |place| appendix.quotes().filter(|(.., row)| row.place == place).count();
        let tables = appendix.tables().map(|table| {
            let rows = || table.parts.iter().flat_map(|part| &part.rows);
            let counts = TableCounts {
                filed: table.filed as u64,
                printed: rows().count() as u64,
                similar: rows().map(|row| row.similar as u64).sum(),
            };
            (table.id.to_string(), counts)
        });
        Self {
            filed: appendix.totals.filed as u64,
            quotes: appendix.totals.quotes as u64,
            similar: appendix.totals.similar as u64,
            masked: edits(EditKind::Mask) as u64,
            corrected: edits(EditKind::Correction) as u64,
            region: places(Place::Region) as u64,
            hidden: places(Place::Hidden) as u64,
            open: open as u64,
            tables: tables.collect(),
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Path as given.
    pub path: String,
    /// Number of its bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
}

impl InputRecord {
    /// What an account says of a file that was read to its end.
    pub fn new(account: &Account) -> Self {
        let columns = account.sheets.iter().flat_map(|sheet| {
            sheet.columns.iter().filter(|column| !matches!(column.role, Role::Attribute | Role::Ignored)).map(
                |column| ColumnRecord {
                    sheet: sheet.name.clone(),
                    letter: column.letter.clone(),
                    header: column.header.clone(),
                    role: column.role.to_string(),
                },
            )
        });
        Self {
            path: account.path.display().to_string(),
            hash: account.hash.clone(),
            bytes: account.bytes,
            format: account.format.to_string(),
            encoding: account.encoding.map(|encoding| encoding.to_string()),
            delimiter: account.delimiter,
            columns: columns.collect(),
            rows: account.rows,
            comments: account.comments,
            empty: account.empty,
            nothing: account.nothing,
            duplicates: account.duplicate_count,
            problems: account.problem_count,
            skipped_rows: account.skipped_rows,
        }
    }
}

/// What a tally needs of a comment, so that it can be gathered on any thread.
#[derive(Debug, Clone)]
pub struct Counted {
    id: String,
    question: Option<String>,
    categories: Vec<CategoryIndex>,
    primary: Option<CategoryIndex>,
}

impl Counted {
    /// A comment with what holds of it.
    pub fn new(comment: &Comment, classification: &Classification) -> Self {
        Self {
            id: comment.id.to_string(),
            question: comment.question.clone(),
            categories: classification.categories().collect(),
            primary: classification.primary,
        }
    }
}

/// Counts comments; the order of adding matters to the hash alone.
#[derive(Debug, Clone)]
pub struct Tally<'c> {
    codebook: &'c Codebook,
    counts: Counts,
    hasher: blake3::Hasher,
}

impl<'c> Tally<'c> {
    /// Nothing counted yet.
    pub fn new(codebook: &'c Codebook) -> Self {
        let categories =
            codebook.categories().iter().map(|category| (category.id.to_string(), CategoryCounts::default())).collect();
        Self { codebook, counts: Counts { categories, ..Counts::default() }, hasher: blake3::Hasher::new() }
    }

    /// Counts a comment.
    pub fn add(&mut self, counted: &Counted) {
        let counts = &mut self.counts;
        let coded = u64::from(!counted.categories.is_empty());
        counts.comments += 1;
        counts.coded += coded;
        let question = counted.question.as_deref().unwrap_or(NO_QUESTION);
        if !counts.questions.contains_key(question) {
            counts.questions.insert(question.to_owned(), QuestionCounts::default());
        }
        if let Some(of_question) = counts.questions.get_mut(question) {
            of_question.comments += 1;
            of_question.coded += coded;
        }
        // Neither an id nor a category holds these characters.
        self.hasher.update(counted.id.as_bytes()).update(b"\n");
        for &category in &counted.categories {
            let id = &*self.codebook[category].id;
            self.hasher.update(id.as_bytes()).update(b" ");
            if let Some(of_category) = counts.categories.get_mut(id) {
                of_category.comments += 1;
            }
        }
        if let Some(primary) = counted.primary {
            let id = &*self.codebook[primary].id;
            self.hasher.update(b"> ").update(id.as_bytes());
            if let Some(of_category) = counts.categories.get_mut(id) {
                of_category.primary += 1;
            }
        }
        self.hasher.update(b"\n");
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        Counts { codings_hash: self.hasher.finalize().to_hex().to_string(), ..self.counts.clone() }
    }
}

/// A place in which two records differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where, as a JSON pointer (`/counts/comments`).
    pub pointer: String,
    /// Where, in Japanese.
    pub place: String,
    /// What the record says; `None` where it says nothing.
    pub recorded: Option<String>,
    /// What is found now; `None` where nothing is.
    pub found: Option<String>,
}

impl RunRecord {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// When the text is no record, or one of a later form.
    pub fn parse(json: &str) -> Result<Self, RecordError> {
        let value: Value = serde_json::from_str(json).map_err(RecordError::NoRecord)?;
        match value.get("record").and_then(Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => Err(RecordError::TooNew(format)),
            _ => serde_json::from_value(value).map_err(RecordError::NoRecord),
        }
    }

    /// As text, with a line feed at the end; the same record gives the same bytes.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a record is plain data");
        json.push('\n');
        json
    }

    /// Where another record of the same run differs; categories are told by the names that `name` gives to their ids.
    /// Arguments and the time are not compared.
    pub fn differences(&self, found: &Self, name: impl Fn(&str) -> String) -> Vec<Difference> {
        let value = |record: &Self| {
            let mut value = serde_json::to_value(record).expect("a record is plain data");
            for key in ["arguments", "ended_at"] {
                value.as_object_mut().map(|object| object.remove(key));
            }
            value
        };
        let mut differences = Vec::new();
        compare(&mut Vec::new(), Some(&value(self)), Some(&value(found)), &mut differences);
        for difference in &mut differences {
            difference.place = self.place(&difference.pointer, &name);
        }
        // Causes before their effects.
        const ORDER: [&str; 9] =
            ["program", "command", "rules", "dictionary", "settings", "inputs", "casebook", "counts", "appendix"];
        differences.sort_by_key(|difference| {
            let part = difference.pointer.split('/').nth(1);
            ORDER.iter().position(|name| part == Some(name)).unwrap_or(ORDER.len())
        });
        differences
    }

    /// A place of a record in the words of its readers.
    fn place(&self, pointer: &str, category_name: &impl Fn(&str) -> String) -> String {
        let parts: Vec<String> =
            pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let field = |name: &str| match name {
            "version" => "版",
            "hash" => "中身",
            "folder" => "フォルダー",
            "path" => "名前",
            "bytes" => "バイト数",
            "format" => "種類",
            "encoding" => "文字コード",
            "delimiter" => "区切り文字",
            "columns" => "列の読み方",
            "rows" => "行数",
            "comments" => "コメントの数",
            "coded" => "分類の付いたコメントの数",
            "primary" => "主な分類とするコメントの数",
            "empty" => "空欄の数",
            "nothing" => "「特になし」などの数",
            "duplicates" => "同じ内容の回答の数",
            "problems" => "問題の数",
            "skipped_rows" => "読み飛ばした行の数",
            "revision" => "記録の版",
            "decisions" => "人の判断の数",
            "codings_hash" => "コメントごとの分類",
            "coders" => "分類した規則と辞書",
            "filed" => "区分に入るコメントの数",
            "quotes" => "載せた事例の数",
            "printed" => "載せた行の数",
            "similar" => "ほかに類似するコメントの数",
            "masked" => "伏せた所の数",
            "corrected" => "印刷のために直した所の数",
            "region" => "地方名で示した事例の数",
            "hidden" => "都道府県を示さない事例の数",
            "open" => "承知のうえで残した所の数",
            _ => "項目",
        };
        let name_of = |files: &[&str], index: &str| {
            index.parse::<usize>().ok().and_then(|index| files.get(index).copied()).unwrap_or("?").to_owned()
        };
        match parts.as_slice() {
            ["program"] => "プログラムの版".to_owned(),
            ["command"] => "コマンド".to_owned(),
            ["rules", name] => format!("規則の{}", field(name)),
            ["dictionary", name] => format!("辞書の{}", field(name)),
            ["settings", index, rest @ ..] => {
                let files: Vec<&str> = self.settings.iter().map(|file| file.path.as_str()).collect();
                format!("設定ファイル {} の{}", name_of(&files, index), rest.first().map_or("有無", |name| field(name)))
            }
            ["inputs", index, rest @ ..] => {
                let files: Vec<&str> = self.inputs.iter().map(|file| file.path.as_str()).collect();
                format!("入力 {} の{}", name_of(&files, index), rest.first().map_or("有無", |name| field(name)))
            }
            ["casebook", rest @ ..] => format!("事例帳の{}", rest.first().map_or("有無", |name| field(name))),
            ["counts", "questions", question, rest @ ..] => {
                format!("{question} の{}", rest.first().map_or("有無", |name| field(name)))
            }
            ["counts", "categories", category, rest @ ..] => {
                format!("分類「{}」の{}", category_name(category), rest.first().map_or("有無", |name| field(name)))
            }
            ["counts", name] => format!("集計: {}", field(name)),
            ["appendix", "tables", table, rest @ ..] => {
                format!("事例集の表「{}」の{}", category_name(table), rest.first().map_or("有無", |name| field(name)))
            }
            ["appendix", rest @ ..] => format!("事例集の{}", rest.first().map_or("有無", |name| field(name))),
            ["output", rest @ ..] => format!("出力の{}", rest.first().map_or("有無", |name| field(name))),
            _ => pointer.to_owned(),
        }
    }
}

/// Walks two values side by side; numbers and texts are compared, what one lacks is told once.
fn compare(path: &mut Vec<String>, recorded: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    if recorded == found {
        return;
    }
    match (recorded, found) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                path.push(key.replace('~', "~0").replace('/', "~1"));
                compare(path, a.get(key), b.get(key), out);
                path.pop();
            }
        }
        // Columns and coders are told of as a whole.
        (Some(Value::Array(a)), Some(Value::Array(b)))
            if path.last().is_none_or(|key| !["columns", "coders"].contains(&key.as_str())) =>
        {
            for index in 0..a.len().max(b.len()) {
                path.push(index.to_string());
                compare(path, a.get(index), b.get(index), out);
                path.pop();
            }
        }
        _ => {
            let text = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            out.push(Difference {
                pointer: path.iter().map(|part| format!("/{part}")).collect(),
                place: String::new(),
                recorded: recorded.filter(|value| !value.is_null()).map(text),
                found: found.filter(|value| !value.is_null()).map(text),
            });
        }
    }
}

/// What of a text is no record.
fn no_record(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof if error.line() <= 1 && error.column() == 0 => "中身がありません".to_owned(),
        Category::Eof => format!("{}行目の途中で終わっています", error.line()),
        Category::Syntax => format!("{}行目が JSON の形をしていません", error.line()),
        Category::Data | Category::Io => "記録にあるはずの項目がないか、形が違います".to_owned(),
    }
}

/// Why a text is no record of a run.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no JSON, or lacks what every record has.
    #[error("実行の記録として読めません（--record で作った .record.json を指定してください）: {}", no_record(.0))]
    NoRecord(serde_json::Error),
    /// A later version of the program wrote it.
    #[error(
        "このプログラムより新しい版の記録です（記録の形式 {0}、読めるのは {FORMAT} まで）。プログラムを新しくしてください"
    )]
    TooNew(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        let versioned = || Versioned { folder: None, version: "1".to_owned(), hash: "h".to_owned() };
        let mut counts = Counts { comments: 3, coded: 2, ..Counts::default() };
        counts.questions.insert("問7/8".to_owned(), QuestionCounts { comments: 3, coded: 2 });
        RunRecord {
            record: FORMAT,
            program: "0.1.0".to_owned(),
            command: "tag".to_owned(),
            arguments: vec!["tag".to_owned(), "a.csv".to_owned()],
            ended_at: "2026-01-20T09:00:00Z".to_owned(),
            rules: versioned(),
            dictionary: versioned(),
            settings: vec![FileHash { path: "map.toml".to_owned(), hash: "m".to_owned() }],
            inputs: Vec::new(),
            casebook: None,
            counts,
            appendix: None,
            output: Some(OutputRecord { path: "out.csv".to_owned(), bytes: 10, hash: "o".to_owned() }),
        }
    }

    #[track_caller]
    fn case(change: impl FnOnce(&mut RunRecord), expected: &[(&str, Option<&str>, Option<&str>)]) {
        let mut other = record();
        change(&mut other);
        let differences = record().differences(&other, str::to_owned);
        let found: Vec<_> =
            differences.iter().map(|d| (d.place.as_str(), d.recorded.as_deref(), d.found.as_deref())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_differs_is_named() {
        case(|_| {}, &[]);
        case(|record| record.ended_at.clear(), &[]);
        case(|record| record.rules.version = "2".to_owned(), &[("規則の版", Some("1"), Some("2"))]);
        case(|record| record.settings[0].hash.clear(), &[("設定ファイル map.toml の中身", Some("m"), Some(""))]);
        case(|record| record.counts.coded = 1, &[("集計: 分類の付いたコメントの数", Some("2"), Some("1"))]);
        case(
            |record| record.counts.questions.get_mut("問7/8").expect("it is there").comments = 4,
            &[("問7/8 のコメントの数", Some("3"), Some("4"))],
        );
        case(|record| record.counts.questions.clear(), &[("問7/8 の有無", Some("{\"coded\":2,\"comments\":3}"), None)]);
        case(
            |record| record.output = None,
            &[("出力の有無", Some("{\"bytes\":10,\"hash\":\"o\",\"path\":\"out.csv\"}"), None)],
        );
    }

    #[test]
    fn a_record_reads_back() {
        assert_eq!(RunRecord::parse(&record().to_json()).expect("it is a record"), record());
        assert!(matches!(RunRecord::parse("{}"), Err(RecordError::NoRecord(_))));
        assert!(matches!(RunRecord::parse("{\"record\": 99}"), Err(RecordError::TooNew(99))));
    }
}
