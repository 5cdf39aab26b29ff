//! The account of an import: what was taken from a file and as what, and what was not.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use super::{encoding::TextEncoding, problem::RowProblem};

/// The make of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// Cells separated by commas (or by what [`Account::delimiter`] says).
    Csv,
    /// Cells separated by tabs.
    Tsv,
    /// Excel since 2007.
    Xlsx,
    /// Excel until 2003.
    Xls,
    /// OpenDocument spreadsheet.
    Ods,
    /// A published case appendix as text.
    Report,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jsonl => "JSON Lines",
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Xlsx => "Excel ブック（xlsx）",
            Self::Xls => "Excel 97-2003 ブック（xls）",
            Self::Ods => "OpenDocument 表計算（ods）",
            Self::Report => "事例集のテキスト",
        })
    }
}

/// What a column is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The number of the response, or of the comment.
    Id,
    /// The prefecture.
    Prefecture,
    /// The kind of institution.
    Facility,
    /// Which question the comment answers (long form).
    Question,
    /// The comment, in long form.
    Text,
    /// Answers to this question become comments (wide form).
    Answer(String),
    /// Kept with the response.
    Attribute,
    /// Not read.
    Ignored,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("番号"),
            Self::Prefecture => f.write_str("都道府県"),
            Self::Facility => f.write_str("施設"),
            Self::Question => f.write_str("設問"),
            Self::Text => f.write_str("本文"),
            Self::Answer(question) => f.write_str(question),
            Self::Attribute => f.write_str("属性"),
            Self::Ignored => f.write_str("使わない"),
        }
    }
}

/// A column and what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnAccount {
    /// Its letter in a spreadsheet (G).
    pub letter: String,
    /// Its header; those of two rows are joined by a space.
    pub header: String,
    /// What it was taken for.
    pub role: Role,
    /// Non-empty cells among the first rows.
    pub filled: usize,
    /// Different values among them.
    pub distinct: usize,
    /// Their mean length in characters.
    pub mean_chars: usize,
}

/// A worksheet, or the one table of a text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetAccount {
    /// Name of the worksheet.
    pub name: Option<String>,
    /// Rows of the header, first and last, from 1. `None` when the sheet was left out.
    pub header_rows: Option<(u64, u64)>,
    /// The columns in their order.
    pub columns: Vec<ColumnAccount>,
    /// Why the sheet was left out.
    pub left_out: Option<String>,
}

/// Two responses with the same answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// Worksheet of the later one.
    pub sheet: Option<String>,
    /// Row of the later one.
    pub row: u64,
    /// Row of the earlier one.
    pub first_row: u64,
}

/// How many rows or problems of a kind are listed; the rest are only counted, so that memory stays bounded.
pub const LISTED: usize = 1000;

/// What an import took from a file. Complete once the [`Reader`](super::Reader) has given its last comment.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 hash of its bytes, in hexadecimal.
    pub hash: String,
    /// Its make.
    pub format: Format,
    /// How its characters are written (text files).
    pub encoding: Option<TextEncoding>,
    /// What separates its cells (csv and tsv).
    pub delimiter: Option<char>,
    /// Its worksheets or its one table.
    pub sheets: Vec<SheetAccount>,
    /// Rows below the header, or lines, that hold anything.
    pub rows: u64,
    /// Comments made.
    pub comments: u64,
    /// Empty cells in free-text columns.
    pub empty: u64,
    /// Cells in free-text columns that say 特になし, なし, - and the like.
    pub nothing: u64,
    /// Number of rows without a number of their own, where others have one.
    pub unnumbered_count: u64,
    /// The first [`LISTED`] of them: worksheet and row.
    pub unnumbered: Vec<(Option<String>, u64)>,
    /// Number of responses that equal an earlier one.
    pub duplicate_count: u64,
    /// The first [`LISTED`] of them.
    pub duplicates: Vec<Duplicate>,
    /// Prefectures that were not recognised, with the rows (the first [`LISTED`] of each).
    pub unknown_prefectures: BTreeMap<String, Vec<u64>>,
    /// Facilities that were not recognised, with the rows (the first [`LISTED`] of each).
    pub unknown_facilities: BTreeMap<String, Vec<u64>>,
    /// Number of problems.
    pub problem_count: u64,
    /// Number of rows or lines that were left out because of one.
    pub skipped_rows: u64,
    /// The first [`LISTED`] problems.
    #[serde(serialize_with = "problems_as_text")]
    pub problems: Vec<RowProblem>,
}

fn problems_as_text<S: serde::Serializer>(problems: &[RowProblem], serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeSeq;
    #[derive(Serialize)]
    struct Problem<'a> {
        id: &'static str,
        sheet: Option<&'a str>,
        row: u64,
        column: Option<&'a str>,
        message: String,
    }
    let mut list = serializer.serialize_seq(Some(problems.len()))?;
    for problem in problems {
        list.serialize_element(&Problem {
            id: problem.kind.id(),
            sheet: problem.origin.sheet.as_deref(),
            row: problem.origin.row,
            column: problem.origin.column.as_deref(),
            message: problem.kind.to_string(),
        })?;
    }
    list.end()
}

impl Account {
    pub(super) fn new(path: PathBuf, bytes: u64, hash: String, format: Format) -> Self {
        Self {
            path,
            bytes,
            hash,
            format,
            encoding: None,
            delimiter: None,
            sheets: Vec::new(),
            rows: 0,
            comments: 0,
            empty: 0,
            nothing: 0,
            unnumbered_count: 0,
            unnumbered: Vec::new(),
            duplicate_count: 0,
            duplicates: Vec::new(),
            unknown_prefectures: BTreeMap::new(),
            unknown_facilities: BTreeMap::new(),
            problem_count: 0,
            skipped_rows: 0,
            problems: Vec::new(),
        }
    }

    pub(super) fn add_problem(&mut self, problem: &RowProblem) {
        self.problem_count += 1;
        self.skipped_rows += u64::from(problem.kind.skips_row());
        if self.problems.len() < LISTED {
            self.problems.push(problem.clone());
        }
    }

    pub(super) fn add_unnumbered(&mut self, sheet: Option<&str>, row: u64) {
        self.unnumbered_count += 1;
        if self.unnumbered.len() < LISTED {
            self.unnumbered.push((sheet.map(str::to_owned), row));
        }
    }

    pub(super) fn add_duplicate(&mut self, sheet: Option<&str>, row: u64, first_row: u64) {
        self.duplicate_count += 1;
        if self.duplicates.len() < LISTED {
            self.duplicates.push(Duplicate { sheet: sheet.map(str::to_owned), row, first_row });
        }
    }

    /// Notes a value that was not recognised. Returns without noting when there are too many different ones.
    pub(super) fn add_unknown(unknown: &mut BTreeMap<String, Vec<u64>>, value: &str, row: u64) {
        if let Some(rows) = unknown.get_mut(value) {
            if rows.len() < LISTED && rows.last() != Some(&row) {
                rows.push(row);
            }
        } else if unknown.len() < LISTED {
            unknown.insert(value.to_owned(), vec![row]);
        }
    }

    /// Whether everything was read without a remark.
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }
}

impl fmt::Display for Account {
    /// Some lines in Japanese: what was taken as what, counts, and what to look at. Problems are counted only:
    /// they were given one by one while reading.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.format)?;
        if let Some(encoding) = self.encoding {
            write!(f, "、文字コード {encoding}")?;
        }
        match self.delimiter {
            Some('\t') => write!(f, "、タブ区切り")?,
            Some(',') => write!(f, "、コンマ区切り")?,
            Some(delimiter) => write!(f, "、「{delimiter}」区切り")?,
            None => {}
        }
        writeln!(f)?;
        for sheet in &self.sheets {
            let name = sheet.name.as_ref().map_or_else(|| "表".to_owned(), |name| format!("シート「{name}」"));
            if let Some(reason) = &sheet.left_out {
                writeln!(f, "  {name}: 読んでいません（{reason}）")?;
                continue;
            }
            match sheet.header_rows {
                Some((first, last)) if first == last => write!(f, "  {name}: 見出しは{first}行目")?,
                Some((first, last)) => write!(f, "  {name}: 見出しは{first}～{last}行目")?,
                None => write!(f, "  {name}")?,
            }
            let mut attributes = 0;
            for column in &sheet.columns {
                match &column.role {
                    Role::Attribute => attributes += 1,
                    Role::Ignored => {}
                    role => write!(f, "、{}列「{}」→{role}", column.letter, short(&column.header))?,
                }
            }
            writeln!(f, "、ほか属性 {attributes}列")?;
        }
        write!(f, "  行 {}、コメント {}", self.rows, self.comments)?;
        if self.empty + self.nothing > 0 {
            write!(f, "、空欄 {}、「特になし」など {}", self.empty, self.nothing)?;
        }
        writeln!(f)?;
        if self.unnumbered_count > 0 {
            let several = self.sheets.iter().filter(|sheet| sheet.left_out.is_none()).count() > 1;
            let shown: Vec<String> = self
                .unnumbered
                .iter()
                .take(5)
                .map(|(sheet, row)| match sheet {
                    Some(sheet) if several => format!("「{sheet}」の{row}行目"),
                    _ => format!("{row}行目"),
                })
                .collect();
            let more = if self.unnumbered_count > 5 { " ほか" } else { "" };
            writeln!(
                f,
                "  番号のない行 {}件（{}{more}）。並び順で仮の番号を付けました。元のファイルに番号を書き足すと、行が動いても同じコメントとわかります",
                self.unnumbered_count,
                shown.join("、")
            )?;
        }
        if self.duplicate_count > 0 {
            let shown: Vec<String> = self
                .duplicates
                .iter()
                .take(5)
                .map(|duplicate| format!("{}行目＝{}行目", duplicate.row, duplicate.first_row))
                .collect();
            let more = if self.duplicate_count > 5 { " ほか" } else { "" };
            writeln!(f, "  同じ内容の回答 {}件（{}{more}）。除いていません", self.duplicate_count, shown.join("、"))?;
        }
        for (what, unknown) in [("都道府県", &self.unknown_prefectures), ("施設", &self.unknown_facilities)] {
            for (value, rows) in unknown.iter().take(20) {
                let shown: Vec<String> = rows.iter().take(5).map(u64::to_string).collect();
                let more = if rows.len() > 5 { " ほか" } else { "" };
                writeln!(
                    f,
                    "  {what}がわからない値「{}」: {}行目{more}（書かれたまま取り込みました）",
                    short(value),
                    shown.join("、")
                )?;
            }
        }
        if self.problem_count > 0 {
            writeln!(f, "  問題 {}件、読み飛ばした行 {}", self.problem_count, self.skipped_rows)?;
        }
        write!(f, "  {} バイト、BLAKE3 {}", self.bytes, self.hash)
    }
}

fn short(text: &str) -> String {
    super::problem::excerpt(text, 30)
}
