//! A review workbook as a person gives it back: which cells are other than they were, and what is wrong with them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    path::Path,
};

use crate::{
    casebook::Action,
    read::{ReadError, SheetRow, sheet_rows},
};

use super::{
    ReviewError,
    sheet::{
        ExportedRow, FORMAT_VERSION, GOOD_QUOTE, GUIDE_SHEET, HEADERS, ID, Mark, NOTE, PRIMARY, REVIEW_SHEET,
        ReviewCategory, SIGNATURE, STATE_SHEET, TEXT, column_name, fingerprint, folded, parse_good_quote,
    },
    state::{self, HiddenSheet, StateFault},
};

/// Rows in which the header is looked for: a person may have put a title above it.
const HEADER_ROWS: usize = 30;

/// What is wrong with a cell, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Row, from 1.
    row: u64,
    /// Column, from 0.
    column: usize,
    /// The cell with its sheet: `レビュー!D12`.
    pub cell: String,
    /// What is wrong and what to do, in Japanese.
    pub message: String,
}

impl Problem {
    pub(super) fn new(sheet: &str, row: u64, column: usize, message: String) -> Self {
        Self { row, column, cell: cell_name(sheet, row, column), message }
    }

    /// Of a cell whose formula failed.
    pub(super) fn of_formula(sheet: &str, row: u64, column: usize, error: &str) -> Self {
        let message =
            format!("数式のエラー（{error}）になっています。文字として書くときは、先頭に ' を付けて書き直してください");
        Self::new(sheet, row, column, message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cell, self.message)
    }
}

/// A review workbook.
#[derive(Debug)]
pub struct ReviewFile {
    pub(super) identity: String,
    /// When it was exported (RFC 3339).
    pub exported_at: String,
    pub(super) sheet: String,
    pub(super) categories: Vec<ReviewCategory>,
    pub(super) rows: Vec<ReviewRow>,
    /// What is wrong with its cells, in their order: nothing of the file should then be applied.
    pub problems: Vec<Problem>,
    /// What the person should know, in Japanese: columns that are not read or are gone.
    pub notes: Vec<String>,
    /// How many comments were exported.
    pub exported: usize,
}

/// A row whose comment is known.
#[derive(Debug)]
pub(super) struct ReviewRow {
    pub(super) number: u64,
    pub(super) exported: ExportedRow,
    pub(super) text: String,
    pub(super) edits: Vec<Edit>,
}

/// A cell that is other than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// From 0.
    pub(super) column: usize,
    pub(super) to: Target,
}

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Of a category; [`Action::Leave`] leaves it to the rules.
    Category(String, Action),
    /// This primary section.
    Primary(String),
    GoodQuote(Option<bool>),
    Note(String),
}

impl ReviewRow {
    /// What was decided of a category, with what is decided in the file.
    pub(super) fn action(&self, category: &str) -> Option<Action> {
        let edited = self.edits.iter().find_map(|edit| match &edit.to {
            Target::Category(of, action) if of == category => Some(*action),
            _ => None,
        });
        edited.or_else(|| self.exported.decided.get(category).copied()).filter(|action| *action != Action::Leave)
    }

    /// Whether the comment is in a category when the file is applied.
    pub(super) fn is_in(&self, category: &str) -> bool {
        if self.primary_edit() == Some(category) {
            return true;
        }
        match self.action(category) {
            None => self.exported.is_given(category),
            Some(action) => belongs(action),
        }
    }

    pub(super) fn primary_edit(&self) -> Option<&str> {
        self.edits.iter().find_map(|edit| match &edit.to {
            Target::Primary(category) => Some(category.as_str()),
            _ => None,
        })
    }
}

/// Whether an action says that the category belongs.
pub(super) fn belongs(action: Action) -> bool {
    matches!(action, Action::Accept | Action::Add | Action::Primary)
}

impl ReviewFile {
    /// Reads a workbook that `jirei review export` wrote, whatever a person, Excel or LibreOffice did to it since.
    ///
    /// # Errors
    ///
    /// When it is no such workbook; what is wrong with single cells is in [`ReviewFile::problems`].
    pub fn read(path: &Path) -> Result<Self, ReviewError> {
        let not_a_review = |reason: String| ReviewError::NotAReview { path: path.to_owned(), reason };
        let state = match sheet_rows(path, STATE_SHEET) {
            Ok(rows) => rows,
            Err(ReadError::NoSuchSheet { .. }) => {
                return Err(not_a_review("書き出したときの状態を持つ隠しシートがありません".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let state = State::parse(state).map_err(|fault| match fault {
            StateFault::TooNew => ReviewError::TooNew(path.to_owned()),
            StateFault::Damaged => not_a_review("隠しシートの中身が読めません".to_owned()),
        })?;
        let (sheet, rows) = named_or_only_sheet(path, REVIEW_SHEET)?
            .ok_or_else(|| not_a_review(format!("「{REVIEW_SHEET}」シートがありません")))?;
        let header = header_row(&rows)
            .ok_or_else(|| not_a_review(format!("「{sheet}」シートに「{ID}」と「{TEXT}」の見出しがありません")))?;
        let mut reading = Reading::new(sheet, &state, &rows[header], &rows[header + 1..])?;
        for (number, cells) in &rows[header + 1..] {
            reading.row(*number, cells);
        }
        let Reading { sheet, rows, mut problems, notes, .. } = reading;
        problems.sort();
        Ok(Self {
            identity: state.identity,
            exported_at: state.exported_at,
            sheet,
            exported: state.rows.len(),
            categories: state.categories,
            rows,
            problems,
            notes,
        })
    }

    /// Identity of the casebook that it was exported from.
    pub fn casebook(&self) -> &str {
        &self.identity
    }

    /// How many of the exported comments are in the file.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// How many cells were changed.
    pub fn edits(&self) -> usize {
        self.rows.iter().map(|row| row.edits.len()).sum()
    }

    pub(super) fn label<'f>(&'f self, category: &'f str) -> &'f str {
        self.categories.iter().find(|known| known.id == category).map_or(category, |known| known.label.as_str())
    }

    pub(super) fn cell(&self, row: u64, column: usize) -> String {
        cell_name(&self.sheet, row, column)
    }

    pub(super) fn problem(&self, row: u64, column: usize, message: String) -> Problem {
        Problem::new(&self.sheet, row, column, message)
    }
}

/// A sheet by its name; or the only one that is not the program's own, since there is no doubt about a renamed one then.
pub(super) fn named_or_only_sheet(path: &Path, name: &str) -> Result<Option<(String, Vec<SheetRow>)>, ReviewError> {
    match sheet_rows(path, name) {
        Ok(rows) => Ok(Some((name.to_owned(), rows))),
        Err(ReadError::NoSuchSheet { sheets, .. }) => {
            let mut others = sheets.iter().filter(|sheet| ![GUIDE_SHEET, STATE_SHEET].contains(&sheet.as_str()));
            match (others.next(), others.next()) {
                (Some(only), None) => Ok(Some((only.clone(), sheet_rows(path, only)?))),
                _ => Ok(None),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the header stands among the first rows.
pub(super) fn header_row(rows: &[SheetRow]) -> Option<usize> {
    rows.iter()
        .take(HEADER_ROWS)
        .position(|(_, cells)| [ID, TEXT].iter().all(|header| cells.iter().any(|cell| is_header(cell, header))))
}

pub(super) fn cell_name(sheet: &str, row: u64, column: usize) -> String {
    format!("{sheet}!{}{row}", column_name(column))
}

fn is_header(cell: &Result<String, String>, header: &str) -> bool {
    cell.as_ref().is_ok_and(|cell| folded(cell) == folded(header))
}

/// The hidden sheet.
struct State {
    identity: String,
    exported_at: String,
    categories: Vec<ReviewCategory>,
    rows: HashMap<String, ExportedRow>,
}

impl State {
    fn parse(rows: Vec<SheetRow>) -> Result<Self, StateFault> {
        let sheet = HiddenSheet::read(rows, 4, SIGNATURE, FORMAT_VERSION)?;
        let (identity, exported_at) = (sheet.value("casebook")?.to_owned(), sheet.value("exported_at")?.to_owned());
        let categories = sheet.list("categories")?;
        let mut exported = HashMap::new();
        for (id, cells) in sheet.lines {
            let mut row: ExportedRow = state::parse(cells.first().ok_or(StateFault::Damaged)?)?;
            row.note = cells.get(1).cloned().unwrap_or_default();
            exported.insert(id, row);
        }
        Ok(Self { identity, exported_at, categories, rows: exported })
    }
}

/// Where the columns are.
#[derive(Default)]
struct Columns {
    id: usize,
    text: usize,
    primary: Option<usize>,
    good_quote: Option<usize>,
    note: Option<usize>,
    /// Index of the category to its column.
    categories: BTreeMap<usize, usize>,
}

/// Reading of a sheet under way.
struct Reading<'s> {
    sheet: String,
    state: &'s State,
    columns: Columns,
    rows: Vec<ReviewRow>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    /// The row in which an id stood first.
    seen: HashMap<String, u64>,
}

impl<'s> Reading<'s> {
    fn new(sheet: String, state: &'s State, header: &SheetRow, below: &[SheetRow]) -> Result<Self, ReviewError> {
        let mut reading = Self {
            sheet,
            state,
            columns: Columns::default(),
            rows: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            seen: HashMap::new(),
        };
        let (number, cells) = header;
        let mut at: BTreeMap<String, usize> = BTreeMap::new();
        let mut unread = Vec::new();
        // Columns that may be one of ours under another heading.
        let mut unknown = Vec::new();
        for (column, cell) in cells.iter().enumerate() {
            let written = cell.as_deref().unwrap_or_default();
            let name = folded(written);
            if name.is_empty() {
                let is_filled = |cells: &[Result<String, String>]| {
                    cells.get(column).is_some_and(|cell| cell.as_ref().map_or(true, |cell| !cell.trim().is_empty()))
                };
                if below.iter().any(|(_, cells)| is_filled(cells)) {
                    unknown.push((column, "見出しが空です".to_owned()));
                }
                continue;
            }
            let is_ours = HEADERS.iter().any(|header| folded(header) == name)
                || state.categories.iter().any(|category| folded(&category.label) == name);
            if !is_ours {
                unread.push(format!("「{}」", written.trim()));
                unknown.push((column, format!("「{}」は書き出したときにない見出しです", written.trim())));
            } else if let Some(first) = at.get(&name) {
                let first = cell_name(&reading.sheet, *number, *first);
                let message =
                    format!("見出し「{}」の列が {first} にもあります。片方の列を消してください", written.trim());
                reading.problem(*number, column, message);
            } else {
                at.insert(name, column);
            }
        }
        let find = |header: &str| at.get(&folded(header)).copied();
        let mut gone = Vec::new();
        let mut optional = |header: &str| {
            let column = find(header);
            if column.is_none() {
                gone.push(format!("「{header}」"));
            }
            column
        };
        let primary = optional(PRIMARY);
        let categories = state
            .categories
            .iter()
            .enumerate()
            .filter_map(|(index, category)| Some((index, optional(&category.label)?)))
            .collect();
        let (good_quote, note) = (optional(GOOD_QUOTE), optional(NOTE));
        // The header was chosen for having both.
        let (id, text) = (find(ID).unwrap_or_default(), find(TEXT).unwrap_or_default());
        reading.columns = Columns { id, text, primary, good_quote, note, categories };
        if !gone.is_empty() && !unknown.is_empty() {
            let gone = gone.join("");
            for (column, what) in unknown {
                let message = format!(
                    "{what}。一方で、見出し{gone}の列が見当たりません。見出しを書き換えたのなら元に戻し、そうでなければこの列を消してください"
                );
                reading.problem(*number, column, message);
            }
            return Ok(reading);
        }
        if !gone.is_empty() {
            reading
                .notes
                .push(format!("見出し{}の列が見当たらないので、その列の修正はないものとして扱います", gone.join("")));
        }
        if !unread.is_empty() {
            reading.notes.push(format!("書き出したときにはない列{}は読みません", unread.join("")));
        }
        Ok(reading)
    }

    fn problem(&mut self, row: u64, column: usize, message: impl Into<String>) {
        self.problems.push(Problem::new(&self.sheet, row, column, message.into()));
    }

    fn row(&mut self, number: u64, cells: &[Result<String, String>]) {
        let state = self.state;
        let empty = Ok(String::new());
        let cell = |column: usize| cells.get(column).unwrap_or(&empty);
        let id = match cell(self.columns.id) {
            Ok(id) => id.trim().to_owned(),
            Err(error) => {
                let message = format!("番号が数式のエラー（{error}）になっています。元の番号に戻してください");
                return self.problem(number, self.columns.id, message);
            }
        };
        if id.is_empty() {
            // A line of another column than ours, a sum below the table, is a person's own business.
            let ours = [Some(self.columns.text), self.columns.primary, self.columns.good_quote, self.columns.note];
            let ours: BTreeSet<usize> =
                ours.into_iter().flatten().chain(self.columns.categories.values().copied()).collect();
            if ours.iter().any(|&column| cell(column).as_ref().map_or(true, |cell| !cell.trim().is_empty())) {
                let message = "番号がありません。元の番号に戻すか、この行を消してください";
                self.problem(number, self.columns.id, message);
            }
            return;
        }
        let Some(exported) = state.rows.get(&id) else {
            let message = format!(
                "番号「{id}」は書き出したファイルにない番号です。番号を書き換えたのなら元に戻し、ほかのファイルから写した行なら消してください"
            );
            return self.problem(number, self.columns.id, message);
        };
        if let Some(first) = self.seen.get(&id) {
            let first = cell_name(&self.sheet, *first, self.columns.id);
            let message = format!("番号「{id}」の行が {first} にもあります。どちらかの行を消してください");
            return self.problem(number, self.columns.id, message);
        }
        self.seen.insert(id.clone(), number);
        let text = cell(self.columns.text).as_deref().unwrap_or_default();
        if fingerprint(text) != exported.shown {
            let message = format!(
                "番号「{id}」のコメントの本文が書き換えられています。元の本文に戻してください（一部の列だけを並べ替えたときにもこうなります）"
            );
            self.problem(number, self.columns.text, message);
        }
        let mut row = ReviewRow { number, exported: exported.clone(), text: text.to_owned(), edits: Vec::new() };
        self.read_categories(&mut row, &cell);
        if let Some(column) = self.columns.good_quote {
            self.read_good_quote(&mut row, column, cell(column));
        }
        if let Some(column) = self.columns.note {
            self.read_note(&mut row, column, cell(column));
        }
        // Last, since a primary section must not be removed in the same row.
        if let Some(column) = self.columns.primary {
            self.read_primary(&mut row, column, cell(column));
        }
        self.rows.push(row);
    }

    /// The text of a cell, unless a formula failed in it.
    fn text<'c>(&mut self, row: u64, column: usize, cell: &'c Result<String, String>) -> Option<&'c str> {
        match cell {
            Ok(text) => Some(text),
            Err(error) => {
                self.problems.push(Problem::of_formula(&self.sheet, row, column, error));
                None
            }
        }
    }

    fn read_categories<'c>(&mut self, row: &mut ReviewRow, cell: &impl Fn(usize) -> &'c Result<String, String>) {
        let state = self.state;
        for (index, category) in state.categories.iter().enumerate() {
            let Some(&column) = self.columns.categories.get(&index) else { continue };
            let Some(text) = self.text(row.number, column, cell(column)) else { continue };
            let (label, is_given) = (&category.label, row.exported.is_given(&category.id));
            let before = row.exported.mark(&category.id);
            let Some(mark) = Mark::parse(text) else {
                let message = format!(
                    "「{}」は分類の欄に書ける言葉ではありません。「{}」に戻すか、承認・外す・追加 から選んでください",
                    text.trim(),
                    shown(before)
                );
                self.problem(row.number, column, message);
                continue;
            };
            if mark == before {
                continue;
            }
            let was_in = matches!(before, Mark::Accept | Mark::Add);
            let action = match mark {
                Mark::Blank if is_given => {
                    let message = format!(
                        "規則が付けた「{label}」の○が消えています。外すなら「外す」、そのままなら「○」を選んでください"
                    );
                    self.problem(row.number, column, message);
                    continue;
                }
                Mark::ByRules if !is_given => {
                    let message = format!(
                        "規則は「{label}」を付けていないので「○」にはできません。付けるなら「追加」、そのままなら空欄にしてください"
                    );
                    self.problem(row.number, column, message);
                    continue;
                }
                Mark::Accept if !is_given && !was_in => {
                    let message = format!(
                        "規則は「{label}」を付けていないので「承認」にはできません。付けるなら「追加」、そのままなら空欄にしてください"
                    );
                    self.problem(row.number, column, message);
                    continue;
                }
                // The same said with the other word.
                Mark::Accept | Mark::Add if was_in => continue,
                Mark::Blank | Mark::ByRules => Action::Leave,
                Mark::Add if !is_given => Action::Add,
                Mark::Accept | Mark::Add => Action::Accept,
                Mark::Remove => Action::Remove,
            };
            row.edits.push(Edit { column, to: Target::Category(category.id.clone(), action) });
        }
    }

    fn read_good_quote(&mut self, row: &mut ReviewRow, column: usize, cell: &Result<String, String>) {
        let Some(text) = self.text(row.number, column, cell) else { return };
        match parse_good_quote(text) {
            None => {
                let message = format!(
                    "「{}」は引用候補の欄に書ける言葉ではありません。○（引用したい）、×（引用しない）、空欄 のどれかにしてください",
                    text.trim()
                );
                self.problem(row.number, column, message);
            }
            Some(good_quote) if good_quote != row.exported.good_quote => {
                row.edits.push(Edit { column, to: Target::GoodQuote(good_quote) });
            }
            Some(_) => {}
        }
    }

    fn read_note(&mut self, row: &mut ReviewRow, column: usize, cell: &Result<String, String>) {
        let Some(text) = self.text(row.number, column, cell) else { return };
        if fingerprint(text) != fingerprint(&row.exported.note) {
            let note = text.replace("_x000D_", "").replace("\r\n", "\n").trim().to_owned();
            row.edits.push(Edit { column, to: Target::Note(note) });
        }
    }

    fn read_primary(&mut self, row: &mut ReviewRow, column: usize, cell: &Result<String, String>) {
        let Some(text) = self.text(row.number, column, cell) else { return };
        let wanted = folded(text);
        let of = |id: &str| self.state.categories.iter().find(|category| category.id == id);
        let before = row.exported.primary.as_deref().and_then(of).map_or("", |category| category.label.as_str());
        if wanted == folded(before) {
            return;
        }
        let message = if wanted.is_empty() {
            format!(
                "主分類は空欄にはできません。「{before}」に戻すか、別の分類を選んでください（この分類に当たらないなら、その列で「外す」を選びます）"
            )
        } else {
            let chosen = self.state.categories.iter().find(|category| folded(&category.label) == wanted);
            match chosen {
                None => format!("「{}」という分類はありません。主分類は一覧から選んでください", text.trim()),
                Some(category) if !category.is_section => {
                    format!("「{}」は横断の分類なので、主分類にはできません。別の分類を選んでください", category.label)
                }
                Some(category) if row.action(&category.id) == Some(Action::Remove) => format!(
                    "主分類にした「{}」が、同じ行の分類の欄では「外す」になっています。どちらかを直してください",
                    category.label
                ),
                Some(category) => {
                    row.edits.push(Edit { column, to: Target::Primary(category.id.clone()) });
                    return;
                }
            }
        };
        self.problem(row.number, column, message);
    }
}

/// A mark for a message.
pub(super) fn shown(mark: Mark) -> &'static str {
    if mark == Mark::Blank { "空欄" } else { mark.word() }
}
