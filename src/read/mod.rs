//! Files of every make as comments: xlsx, xls, ods, csv, tsv, jsonl and the text of a published appendix.
//!
//! A file is read twice: once for its hash and encoding, once row by row. Nothing is kept of a row that was given
//! out but a few bytes to notice repeated ids and responses, so a million comments take little memory.
//!
//! What is guessed (encoding, delimiter, header, what each column holds) is said in the [`Account`], and a
//! [`ColumnMap`] settles it.

mod account;
mod answer;
mod columns;
mod csv;
mod encoding;
pub(crate) mod header;
mod jsonl;
mod problem;
mod report_text;
mod table;
mod workbook;

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    fmt,
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::Arc,
};

pub use self::{
    account::{Account, ColumnAccount, Duplicate, Format, LISTED, Role, SheetAccount},
    columns::{ColumnMap, propose_columns},
    encoding::{TextEncoding, read_text},
    problem::{ProblemKind, ReadError, RowProblem},
};
pub(crate) use workbook::STATE_SHEET;

use crate::{
    comment::{Comment, CommentId, Origin},
    respondent::{Facility, Prefecture, is_unanswered},
};

/// The attribute that says of a comment that its response equals an earlier one, and in which row that one stands.
pub const DUPLICATE_ATTRIBUTE: &str = "重複の疑い";

/// What is known of a file before it is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What the columns of a table are; recognised where it is silent.
    pub columns: Option<ColumnMap>,
    /// The only worksheet to read; all visible ones otherwise.
    pub sheet: Option<String>,
}

/// The comments of a file in their order, with the problems met between them.
///
/// A problem does not end the reading. Those that cost a row and mere remarks come the same way;
/// [`ProblemKind::skips_row`] tells them apart.
pub struct Reader {
    source: Source,
    common: Common,
}

enum Source {
    Jsonl(jsonl::JsonLines),
    Table(Box<table::Table>),
    Report(report_text::ReportRows),
}

/// Opens a file.
///
/// A workbook is recognised by its content whatever its name; text by its name. Ids of comments are those of the
/// file where it has them: as written in jsonl and in long tables, `回答番号-問7` in wide ones. Where there are
/// none, responses are numbered in their order.
///
/// ```
/// use std::io::Write;
/// use jirei::read::{ReadOptions, open};
///
/// let mut file = tempfile::Builder::new().suffix(".csv").tempfile()?;
/// writeln!(file, "回答番号,都道府県,種別,問5,問7（自由記載）")?;
/// writeln!(file, "28,東京,医科,あった,氏名が●で表示され困った")?;
/// writeln!(file, "29,大阪,歯科,なかった,特になし")?;
/// file.flush()?;
///
/// let mut reader = open(file.path(), &ReadOptions::default())?;
/// let comments: Vec<_> = reader.by_ref().collect::<Result<_, _>>()?;
/// assert_eq!(comments.len(), 1);
/// assert_eq!(comments[0].id.as_str(), "28-問7");
/// assert_eq!(comments[0].prefecture.as_deref(), Some("東京都"));
/// assert_eq!(comments[0].attribute("問5"), Some("あった"));
/// assert_eq!(reader.account().nothing, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When nothing of the file can be read; what is wrong in single rows comes from the [`Reader`].
pub fn open(path: &Path, options: &ReadOptions) -> Result<Reader, ReadError> {
    let reader = prepare(path, options)?;
    let sheets = &reader.common.account.sheets;
    if let Source::Table(table) = &reader.source {
        // The map must fit: a header misspelt in it would silently be left to guessing.
        if let (Some(map), Some(sheet)) = (&options.columns, sheets.iter().max_by_key(|sheet| sheet.columns.len()))
            && let Some(column) = map.missing(&sheet.columns)
        {
            return Err(ReadError::NoSuchColumn {
                path: path.into(),
                column: column.to_owned(),
                headers: headers_of(sheet),
            });
        }
        if !table.is_active() {
            let Some(sheet) = sheets.iter().find(|sheet| !sheet.columns.is_empty()) else {
                return Err(match reader.common.account.problems.first() {
                    Some(RowProblem { kind: ProblemKind::ReadFailed(detail), .. }) => {
                        ReadError::Damaged { path: path.into(), detail: detail.clone() }
                    }
                    _ => ReadError::Empty(path.into()),
                });
            };
            return Err(ReadError::NoTextColumn { path: path.into(), headers: headers_of(sheet) });
        }
    }
    Ok(reader)
}

fn headers_of(sheet: &SheetAccount) -> Vec<String> {
    sheet.columns.iter().map(|column| column.header.clone()).filter(|header| !header.is_empty()).collect()
}

/// A row of a workbook's sheet that holds anything: its number from 1, and its cells from column A on as text, `Err`
/// where a formula failed.
pub(crate) type SheetRow = (u64, Vec<Result<String, String>>);

/// The rows of one sheet of a workbook, hidden or not.
///
/// # Errors
///
/// When the file is no workbook, is damaged or protected, or has no such sheet.
pub(crate) fn sheet_rows(path: &Path, sheet: &str) -> Result<Vec<SheetRow>, ReadError> {
    let cell = |value: CellValue| match value {
        CellValue::Text(text) => Ok(text),
        CellValue::Error(error) => Err(error),
        CellValue::Undecodable => Err(String::new()),
    };
    let rows = workbook::sheet_rows(path, sheet)?;
    Ok(rows.into_iter().map(|row| (row.number, row.cells.into_iter().map(cell).collect())).collect())
}

/// What would be taken for what, without reading on.
fn inspect(path: &Path, options: &ReadOptions) -> Result<Account, ReadError> {
    Ok(prepare(path, options)?.common.account)
}

fn prepare(path: &Path, options: &ReadOptions) -> Result<Reader, ReadError> {
    let metadata = std::fs::metadata(path).map_err(|error| ReadError::io(path, error))?;
    if metadata.is_dir() {
        return Err(ReadError::IsDirectory(path.into()));
    }
    if !metadata.is_file() {
        return Err(ReadError::NotAFile(path.into()));
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let named = match extension.as_deref() {
        Some("jsonl" | "ndjson") => Named::Jsonl,
        Some("csv") => Named::Table(','),
        Some("tsv" | "tab") => Named::Table('\t'),
        Some("txt") => Named::Text,
        Some("xlsx" | "xlsm" | "xls" | "ods") => Named::Workbook,
        _ => {
            let extension = extension.map_or_else(|| "なし".to_owned(), |extension| format!(".{extension}"));
            return Err(ReadError::UnknownExtension { path: path.into(), extension });
        }
    };
    let mut file = File::open(path).map_err(|error| ReadError::io(path, error))?;
    let survey = encoding::survey(&mut file).map_err(|error| ReadError::io(path, error))?;
    if survey.bytes == 0 {
        return Err(ReadError::Empty(path.into()));
    }
    let origin_path: Arc<str> = Arc::from(path.to_string_lossy());
    let account = |format| Account::new(path.into(), survey.bytes, survey.hash.clone(), format);
    let sheet = options.sheet.clone().or_else(|| options.columns.as_ref().and_then(|map| map.sheet.clone()));

    if let Some(format) = workbook::format_of(&survey.head) {
        let rows = workbook::open(path, format, sheet)?;
        let mut common = Common::new(origin_path, account(format));
        let mut table = table::Table::new(Box::new(rows), options.columns.clone(), false);
        table.open_table(&mut common);
        return Ok(Reader { source: Source::Table(Box::new(table)), common });
    }
    if named == Named::Workbook {
        return Err(ReadError::NotAWorkbook(path.into()));
    }

    let detected = encoding::detect(&mut file, &survey).map_err(|error| ReadError::io(path, error))?;
    let encoding = detected.ok_or_else(|| ReadError::Undecodable(path.into()))?;
    let head = encoding::head_text(&survey.head, encoding);
    let head = head.trim_start_matches('\u{feff}');
    if head.chars().all(char::is_whitespace) && survey.bytes <= survey.head.len() as u64 {
        return Err(ReadError::Empty(path.into()));
    }
    let (input, decoder) =
        encoding::byte_source(file, encoding, &survey.head).map_err(|error| ReadError::io(path, error))?;
    let format = match named {
        Named::Jsonl => Format::Jsonl,
        Named::Text if report_text::is_report(head) => Format::Report,
        _ => Format::Csv,
    };
    let mut common = Common::new(origin_path, account(format));
    common.account.encoding = Some(encoding);
    let source = match format {
        Format::Jsonl => Source::Jsonl(jsonl::JsonLines::new(input, decoder)),
        Format::Report => {
            let rows = report_text::ReportRows::read(input, decoder, &mut common)
                .map_err(|error| ReadError::io(path, error))?;
            if rows.is_empty() {
                return Err(ReadError::NoReportRows(path.into()));
            }
            Source::Report(rows)
        }
        _ => {
            let by_name = if let Named::Table(delimiter) = named { delimiter } else { '\t' };
            let delimiter = csv::sniff_delimiter(head).unwrap_or(by_name);
            common.account.format = if delimiter == '\t' { Format::Tsv } else { Format::Csv };
            common.account.delimiter = Some(delimiter);
            let rows = csv::DelimitedRows::new(input, decoder, delimiter, csv::sniff_line_end(head));
            let mut table = table::Table::new(Box::new(rows), options.columns.clone(), true);
            table.open_table(&mut common);
            Source::Table(Box::new(table))
        }
    };
    Ok(Reader { source, common })
}

/// What the name of a file says.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    Jsonl,
    Table(char),
    Text,
    Workbook,
}

impl Reader {
    /// What was taken from the file so far; complete when the iterator has ended.
    pub fn account(&self) -> &Account {
        &self.common.account
    }

    /// The complete account, when the comments have been read.
    pub fn into_account(self) -> Account {
        self.common.account
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("account", &self.common.account).finish_non_exhaustive()
    }
}

impl Iterator for Reader {
    type Item = Result<Comment, RowProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.common.out.pop_front() {
                return Some(item);
            }
            let goes_on = match &mut self.source {
                Source::Jsonl(lines) => lines.advance(&mut self.common),
                Source::Table(table) => table.advance(&mut self.common),
                Source::Report(rows) => rows.advance(&mut self.common),
            };
            if !goes_on && self.common.out.is_empty() {
                return None;
            }
        }
    }
}

/// A row of a file.
#[derive(Clone, Copy)]
struct Place {
    row: u32,
    /// Number of the sheet among those that gave comments, from 1; 0 where there is none.
    sheet: u16,
}

/// What all formats share: the account, the queue of results, and what was seen before.
struct Common {
    file: Arc<str>,
    account: Account,
    out: VecDeque<Result<Comment, RowProblem>>,
    /// Hash of each id, with the place where it came first and how often it came. Hashes instead of texts: a
    /// million ids must not fill the memory, and two of 2^64 do not meet by chance.
    ids: HashMap<u64, (Place, u32)>,
    /// The sheets from which comments came, in their order.
    sheets: Vec<Arc<str>>,
    /// Hash of each response or comment, with its row.
    responses: HashMap<u64, u32>,
    /// The last name of a sheet or column, so that a million origins share it.
    names: Vec<Arc<str>>,
}

impl Common {
    fn new(file: Arc<str>, account: Account) -> Self {
        Self {
            file,
            account,
            out: VecDeque::new(),
            ids: HashMap::new(),
            sheets: Vec::new(),
            responses: HashMap::new(),
            names: Vec::new(),
        }
    }

    fn encoding_name(&self) -> String {
        self.account.encoding.map_or_else(String::new, |encoding| encoding.to_string())
    }

    fn origin(&mut self, sheet: Option<&Arc<str>>, row: u64, column: Option<&str>) -> Origin {
        let column = column.filter(|column| !column.is_empty()).map(|column| {
            self.names.iter().find(|name| &***name == column).cloned().unwrap_or_else(|| {
                let name: Arc<str> = Arc::from(column);
                self.names.push(name.clone());
                name
            })
        });
        Origin { file: self.file.clone(), sheet: sheet.cloned(), row, column, is_unnumbered: false }
    }

    fn problem(&mut self, sheet: Option<&Arc<str>>, row: u64, column: Option<&str>, kind: ProblemKind) {
        let problem = RowProblem { origin: self.origin(sheet, row, column), kind };
        self.account.add_problem(&problem);
        self.out.push_back(Err(problem));
    }

    /// The official name, or what was written where it is not known.
    fn prefecture(&mut self, written: Option<String>, row: u64) -> Option<String> {
        let written = written.filter(|written| !written.trim().is_empty())?;
        if let Some(prefecture) = Prefecture::parse(&written) {
            return Some(prefecture.name().to_owned());
        }
        if !is_unanswered(&written) {
            Account::add_unknown(&mut self.account.unknown_prefectures, &written, row);
        }
        Some(written)
    }

    /// The official name, or what was written where it is not known; and what was written where that differs.
    fn facility(&mut self, written: Option<String>, row: u64) -> (Option<String>, Option<String>) {
        let Some(written) = written.filter(|written| !written.trim().is_empty()) else {
            return (None, None);
        };
        if let Some(facility) = Facility::parse(&written) {
            let changed = (written.trim() != facility.name()).then_some(written);
            return (Some(facility.name().to_owned()), changed);
        }
        if !is_unanswered(&written) {
            Account::add_unknown(&mut self.account.unknown_facilities, &written, row);
        }
        (Some(written), None)
    }

    /// The row where the same response stood before.
    fn note_duplicate(&mut self, hash: u64, sheet: Option<&str>, row: u64) -> Option<u64> {
        let row_number = u32::try_from(row).unwrap_or(u32::MAX);
        match self.responses.entry(hash) {
            Entry::Vacant(entry) => {
                entry.insert(row_number);
                None
            }
            Entry::Occupied(entry) => {
                let first = u64::from(*entry.get());
                self.account.add_duplicate(sheet, row, first);
                Some(first)
            }
        }
    }

    /// Queues a comment of a format in which one line is one comment.
    fn comment(&mut self, comment: Comment, sheet: Option<&Arc<str>>) {
        if comment.text.chars().nth(9).is_some() {
            let mut hasher = DefaultHasher::new();
            (&comment.prefecture, &comment.facility, &comment.question, &comment.text).hash(&mut hasher);
            self.note_duplicate(hasher.finish(), sheet.map(|sheet| &**sheet), comment.origin.row);
        }
        self.comment_with_id(comment, sheet, true);
    }

    /// Queues a comment under an id that no other has.
    fn comment_with_id(&mut self, mut comment: Comment, sheet: Option<&Arc<str>>, report_repeated: bool) {
        if let Some(sheet) = sheet
            && self.sheets.last() != Some(sheet)
        {
            self.sheets.push(sheet.clone());
        }
        let place = Place {
            row: u32::try_from(comment.origin.row).unwrap_or(u32::MAX),
            sheet: sheet.map_or(0, |_| u16::try_from(self.sheets.len()).unwrap_or(0)),
        };
        let hash_of = |id: &str| {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            hasher.finish()
        };
        if let Some((first, count)) = self.ids.get_mut(&hash_of(comment.id.as_str())) {
            let (first, mut number) = (*first, *count);
            let id = comment.id.as_str().to_owned();
            let renamed = loop {
                number += 1;
                let renamed = format!("{id}#{number}");
                if !self.ids.contains_key(&hash_of(&renamed)) {
                    break renamed;
                }
            };
            self.ids.insert(hash_of(&id), (first, number));
            if report_repeated {
                let elsewhere = usize::from(first.sheet).checked_sub(1).filter(|_| first.sheet != place.sheet);
                let kind = ProblemKind::DuplicateId {
                    id,
                    first_sheet: elsewhere.and_then(|index| self.sheets.get(index)).map(ToString::to_string),
                    first_row: u64::from(first.row),
                    renamed: renamed.clone(),
                };
                let column = comment.origin.column.clone();
                self.problem(sheet, comment.origin.row, column.as_deref(), kind);
            }
            comment.id = CommentId::new(renamed);
        }
        self.ids.insert(hash_of(comment.id.as_str()), (place, 1));
        self.account.comments += 1;
        self.out.push_back(Ok(comment));
    }
}

/// A row of a table.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Row (workbook) or first line (text) in the file, from 1.
    number: u64,
    cells: Vec<CellValue>,
}

impl Row {
    fn text(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", CellValue::as_text)
    }

    fn is_blank(&self, index: usize) -> bool {
        self.cells.get(index).is_none_or(CellValue::is_blank)
    }

    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_blank()).count()
    }
}

/// A cell of a table.
#[derive(Debug, Clone)]
enum CellValue {
    Text(String),
    /// A formula's error, as the cell shows it.
    Error(String),
    /// Bytes that are no text.
    Undecodable,
}

/// What spreadsheets show where a formula failed; LibreOffice has numbers beside them (`Err:502`).
const CELL_ERRORS: [&str; 9] =
    ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"];

impl CellValue {
    /// A cell of a file that holds text alone, where a failed formula has left its error as one.
    fn of_text(text: String) -> Self {
        let shown = text.trim();
        let is_numbered = || {
            let number = shown.strip_prefix("Err:").or_else(|| shown.strip_prefix("エラー:"));
            number.is_some_and(|number| number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit()))
        };
        if CELL_ERRORS.contains(&shown) || is_numbered() { Self::Error(shown.to_owned()) } else { Self::Text(text) }
    }

    fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Error(_) | Self::Undecodable => "",
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// What a table's file gives, one after the other.
enum RowEvent {
    /// A worksheet begins.
    Sheet(Arc<str>),
    /// A worksheet is not read.
    LeftOut {
        sheet: Arc<str>,
        reason: String,
    },
    Row(Row),
    Problem {
        row: u64,
        kind: ProblemKind,
    },
}

/// Gives the rows of a table one by one.
trait RowSource: Send {
    fn next_event(&mut self) -> Option<RowEvent>;
}
