//! A list of differences as the person who decided gives it back.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use crate::{
    read::{ReadError, SheetRow, sheet_rows},
    review::{
        Problem, ReviewError,
        file::{cell_name, header_row, named_or_only_sheet},
        sheet::{ID, NOTE, PRIMARY, STATE_SHEET, TEXT, fingerprint, folded},
        state::{self, HiddenSheet, StateFault},
    },
};

use super::{Agreed, FORMAT_VERSION, LIST_SHEET, ListState, ListedRow, SIGNATURE, Word};

/// A list of differences, filled in.
#[derive(Debug)]
pub struct AdjudicationFile {
    pub(super) state: ListState,
    pub(super) sheet: String,
    pub(super) rows: Vec<AdjudicatedRow>,
    /// What is wrong with its cells, in their order: nothing of the file should then be applied.
    pub problems: Vec<Problem>,
    /// What the person should know, in Japanese: columns that are not read.
    pub notes: Vec<String>,
    /// How many comments were listed.
    pub listed: usize,
    /// Rows in which nothing is decided yet.
    pub pending: usize,
}

/// A row with the last word on its comment.
#[derive(Debug)]
pub(super) struct AdjudicatedRow {
    pub(super) number: u64,
    pub(super) listed: ListedRow,
    /// Every category, in report order.
    pub(super) words: Vec<CategoryWord>,
    /// Column and id; none where no section is left.
    pub(super) primary: (usize, Option<String>),
    /// Column and words; empty where nothing was written.
    pub(super) note: (usize, String),
}

/// The last word on a category of a comment.
#[derive(Debug)]
pub(super) struct CategoryWord {
    pub(super) column: usize,
    pub(super) category: String,
    pub(super) belongs: bool,
    /// Whether nobody wrote anything: neither coder gave it, and the cell is blank.
    is_blank: bool,
}

impl AdjudicationFile {
    /// Whether a workbook is such a list, as far as its hidden sheet tells.
    pub fn is_list(path: &Path) -> bool {
        sheet_rows(path, STATE_SHEET).is_ok_and(|rows| {
            rows.first().and_then(|(_, cells)| cells.first()).is_some_and(|cell| cell.as_deref() == Ok(SIGNATURE))
        })
    }

    /// Reads a list that `jirei review agreement` wrote, whatever a person, Excel or LibreOffice did to it since.
    ///
    /// # Errors
    ///
    /// When it is no such list; what is wrong with single cells is in [`AdjudicationFile::problems`].
    pub fn read(path: &Path) -> Result<Self, ReviewError> {
        let not_a_list = |reason: String| ReviewError::NotAList { path: path.to_owned(), reason };
        let state = match sheet_rows(path, STATE_SHEET) {
            Ok(rows) => rows,
            Err(ReadError::NoSuchSheet { .. }) => {
                return Err(not_a_list("書き出したときの状態を持つ隠しシートがありません".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let (state, listed) = parse_state(state).map_err(|fault| match fault {
            StateFault::TooNew => ReviewError::TooNew(path.to_owned()),
            StateFault::Damaged => not_a_list("隠しシートの中身が読めません".to_owned()),
        })?;
        let (sheet, rows) = named_or_only_sheet(path, LIST_SHEET)?
            .ok_or_else(|| not_a_list(format!("「{LIST_SHEET}」シートがありません")))?;
        let header = header_row(&rows)
            .ok_or_else(|| not_a_list(format!("「{sheet}」シートに「{ID}」と「{TEXT}」の見出しがありません")))?;
        let (columns, notes) = Columns::find(&rows[header], &state).map_err(&not_a_list)?;
        let mut reading = Reading {
            sheet: &sheet,
            state: &state,
            listed: &listed,
            columns,
            rows: Vec::new(),
            problems: Vec::new(),
            pending: 0,
            seen: HashMap::new(),
        };
        for (number, cells) in &rows[header + 1..] {
            reading.row(*number, cells);
        }
        let Reading { rows, mut problems, pending, .. } = reading;
        problems.sort();
        Ok(Self { listed: listed.len(), sheet, rows, problems, notes, pending, state })
    }

    /// How many comments have a last word.
    pub fn decided(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn cell(&self, row: u64, column: usize) -> String {
        cell_name(&self.sheet, row, column)
    }

    pub(super) fn problem(&self, row: u64, column: usize, message: String) -> Problem {
        Problem::new(&self.sheet, row, column, message)
    }

    pub(super) fn label<'f>(&'f self, category: &'f str) -> &'f str {
        let known = self.state.categories.iter().find(|known| known.id == category);
        known.map_or(category, |known| known.label.as_str())
    }
}

fn parse_state(rows: Vec<SheetRow>) -> Result<(ListState, HashMap<String, ListedRow>), StateFault> {
    let sheet = HiddenSheet::read(rows, 5, SIGNATURE, FORMAT_VERSION)?;
    let state = ListState {
        identity: sheet.value("casebook")?.to_owned(),
        written_at: sheet.value("written_at")?.to_owned(),
        coders: state::parse(sheet.value("coders")?)?,
        categories: sheet.list("categories")?,
    };
    let mut listed = HashMap::new();
    for (id, cells) in sheet.lines {
        listed.insert(id, state::parse(cells.first().ok_or(StateFault::Damaged)?)?);
    }
    Ok((state, listed))
}

/// Where the columns are that a person fills in.
struct Columns {
    id: usize,
    text: usize,
    primary: usize,
    /// In the order of the categories.
    categories: Vec<usize>,
    note: Option<usize>,
}

impl Columns {
    /// Gives the columns with what is to be known of others, or which one is missing or doubled.
    fn find(header: &SheetRow, state: &ListState) -> Result<(Self, Vec<String>), String> {
        let mut at: BTreeMap<String, usize> = BTreeMap::new();
        let mut unread = Vec::new();
        let ours: Vec<String> = [ID, TEXT, PRIMARY, NOTE]
            .into_iter()
            .chain(super::SHOWN)
            .chain(state.categories.iter().map(|category| category.label.as_str()))
            .map(folded)
            .collect();
        for (column, cell) in header.1.iter().enumerate() {
            let written = cell.as_deref().unwrap_or_default().trim();
            let name = folded(written);
            if name.is_empty() {
                continue;
            }
            if !ours.contains(&name) {
                unread.push(format!("「{written}」"));
            } else if at.insert(name, column).is_some() {
                return Err(format!("見出し「{written}」の列が二つあります"));
            }
        }
        let find = |header: &str| {
            at.get(&folded(header)).copied().ok_or_else(|| format!("見出し「{header}」の列がありません"))
        };
        let columns = Self {
            id: find(ID)?,
            text: find(TEXT)?,
            primary: find(PRIMARY)?,
            categories: state.categories.iter().map(|category| find(&category.label)).collect::<Result<_, _>>()?,
            note: find(NOTE).ok(),
        };
        let notes = match unread.is_empty() {
            true => Vec::new(),
            false => vec![format!("書き出したときにはない列{}は読みません", unread.join(""))],
        };
        Ok((columns, notes))
    }
}

/// Reading of a sheet under way.
struct Reading<'s> {
    sheet: &'s str,
    state: &'s ListState,
    listed: &'s HashMap<String, ListedRow>,
    columns: Columns,
    rows: Vec<AdjudicatedRow>,
    problems: Vec<Problem>,
    pending: usize,
    /// The row in which an id stood first.
    seen: HashMap<String, u64>,
}

impl Reading<'_> {
    fn problem(&mut self, row: u64, column: usize, message: impl Into<String>) {
        self.problems.push(Problem::new(self.sheet, row, column, message.into()));
    }

    fn row(&mut self, number: u64, cells: &[Result<String, String>]) {
        let empty = Ok(String::new());
        let cell = |column: usize| cells.get(column).unwrap_or(&empty);
        let Some(id) = self.text(number, self.columns.id, cell(self.columns.id)).map(|id| id.trim().to_owned()) else {
            return;
        };
        if id.is_empty() {
            // A line below the table in another column is a person's own business.
            let is_filled = |&column: &usize| cell(column).as_ref().map_or(true, |cell| !cell.trim().is_empty());
            if self.columns.categories.iter().chain([&self.columns.text, &self.columns.primary]).any(is_filled) {
                self.problem(number, self.columns.id, "番号がありません。元の番号に戻すか、この行を消してください");
            }
            return;
        }
        let Some(listed) = self.listed.get(&id) else {
            let message = format!(
                "番号「{id}」は書き出した一覧にない番号です。番号を書き換えたのなら元に戻し、ほかのファイルから写した行なら消してください"
            );
            return self.problem(number, self.columns.id, message);
        };
        if let Some(first) = self.seen.insert(id.clone(), number) {
            let first = cell_name(self.sheet, first, self.columns.id);
            let message = format!("番号「{id}」の行が {first} にもあります。どちらかの行を消してください");
            return self.problem(number, self.columns.id, message);
        }
        if fingerprint(cell(self.columns.text).as_deref().unwrap_or_default()) != listed.shown {
            let message = format!(
                "番号「{id}」のコメントの本文が書き換えられています。元の本文に戻してください（一部の列だけを並べ替えたときにもこうなります）"
            );
            self.problem(number, self.columns.text, message);
        }
        let before = self.problems.len();
        let note = self.columns.note.and_then(|column| Some((column, self.text(number, column, cell(column))?)));
        let note =
            note.map(|(column, note)| (column, note.replace("_x000D_", "").replace("\r\n", "\n").trim().to_owned()));
        let note = note.unwrap_or_default();
        let mut words = Vec::new();
        let mut open = Vec::new();
        let mut is_touched = !note.1.is_empty();
        for (index, category) in self.state.categories.iter().enumerate() {
            let column = self.columns.categories[index];
            let Some(text) = self.text(number, column, cell(column)) else { continue };
            let agreed = listed.agreed(&category.id);
            let word = Word::parse(text);
            let belongs = match (word, agreed) {
                (Some(Word::Open), agreed) if agreed.is_contested() => {
                    open.push((column, category.label.as_str()));
                    continue;
                }
                (Some(Word::In), _) => true,
                (Some(Word::Out), _) | (Some(Word::Blank), Agreed::Neither) => false,
                (Some(Word::Blank), Agreed::Both) => {
                    let message = format!(
                        "二人とも付けた「{}」の○が消えています。付けないなら「×」、そのままなら「○」にしてください",
                        category.label
                    );
                    self.problem(number, column, message);
                    continue;
                }
                (Some(Word::Blank), _) => {
                    let message = format!(
                        "「{}」は二人が食い違っていますが、空欄になっています。付けるなら「○」、付けないなら「×」、まだ決めないなら「？」にしてください",
                        category.label
                    );
                    self.problem(number, column, message);
                    continue;
                }
                (Some(Word::Open) | None, _) => {
                    let message = format!(
                        "「{}」は分類の欄に書ける言葉ではありません。付けるなら「○」、付けないなら「×」にしてください",
                        text.trim()
                    );
                    self.problem(number, column, message);
                    continue;
                }
            };
            is_touched |= agreed.is_contested() || belongs != (agreed == Agreed::Both);
            let is_blank = word == Some(Word::Blank);
            words.push(CategoryWord { column, category: category.id.clone(), belongs, is_blank });
        }
        let primary = self.primary(number, listed, &mut words, cell(self.columns.primary));
        if self.problems.len() > before {
            return;
        }
        let Some(primary) = primary else { return };
        if !(is_touched || primary.is_written) {
            self.pending += 1;
            return;
        }
        if open.is_empty() && primary.fault.is_none() {
            let primary = (self.columns.primary, primary.id);
            return self.rows.push(AdjudicatedRow { number, listed: listed.clone(), words, primary, note });
        }
        // Which sections are left to choose from is known once the categories are.
        let fault = primary.fault.filter(|_| open.is_empty());
        for (column, label) in open {
            let message = format!(
                "「{label}」がまだ「？」です。この行を決めるなら「○」か「×」にしてください（まだ決めないなら、この行の書き込みをすべて元に戻してください）"
            );
            self.problem(number, column, message);
        }
        if let Some(fault) = fault {
            self.problem(number, self.columns.primary, fault);
        }
    }

    /// The text of a cell, unless a formula failed in it.
    fn text<'c>(&mut self, row: u64, column: usize, cell: &'c Result<String, String>) -> Option<&'c str> {
        match cell {
            Ok(text) => Some(text),
            Err(error) => {
                self.problems.push(Problem::of_formula(self.sheet, row, column, error));
                None
            }
        }
    }

    /// The primary section of a row; a section that is chosen belongs, unless the row says that it does not.
    fn primary(
        &mut self,
        number: u64,
        listed: &ListedRow,
        words: &mut [CategoryWord],
        cell: &Result<String, String>,
    ) -> Option<Primary> {
        let state = self.state;
        let column = self.columns.primary;
        let text = self.text(number, column, cell)?;
        let wanted = folded(text);
        let agreed = (!listed.is_primary_contested()).then(|| listed.primaries[0].clone());
        let sections: Vec<&str> = state
            .categories
            .iter()
            .filter(|category| {
                category.is_section && words.iter().any(|word| word.belongs && word.category == category.id)
            })
            .map(|category| category.id.as_str())
            .collect();
        if wanted == "?" || wanted.is_empty() {
            let only = match &sections[..] {
                [] => Some(None),
                [only] => Some(Some((*only).to_owned())),
                _ => None,
            };
            let fault = only.is_none().then(|| {
                "主分類が決まっていません。付ける分類のうち、事例集で載せるものを一覧から選んでください".to_owned()
            });
            // Blank where both gave none is how the list was written.
            let is_written = wanted.is_empty() && agreed != Some(None);
            return Some(Primary { id: only.flatten(), is_written, fault });
        }
        let chosen = state.categories.iter().find(|category| folded(&category.label) == wanted);
        let fault = match chosen {
            None => format!("「{}」という分類はありません。主分類は一覧から選んでください", text.trim()),
            Some(category) if !category.is_section => {
                format!("「{}」は横断の分類なので、主分類にはできません。別の分類を選んでください", category.label)
            }
            Some(category) => {
                let is_written = agreed.flatten().as_deref() != Some(category.id.as_str());
                let fault = match words.iter_mut().find(|word| word.category == category.id) {
                    // As in a review: what is chosen here belongs, though its own cell was left blank.
                    Some(word) if word.is_blank => {
                        word.belongs = true;
                        None
                    }
                    Some(word) if !word.belongs => Some(format!(
                        "主分類にした「{}」が、同じ行の分類の欄では「×」になっています。どちらかを直してください",
                        category.label
                    )),
                    // Decided, or still open, which is told of its own cell.
                    Some(_) | None => None,
                };
                if let Some(fault) = fault {
                    self.problem(number, column, fault);
                    return None;
                }
                return Some(Primary { id: Some(category.id.clone()), is_written, fault: None });
            }
        };
        self.problem(number, column, fault);
        None
    }
}

/// What the cell of the primary section comes to.
struct Primary {
    id: Option<String>,
    /// Whether a person wrote it.
    is_written: bool,
    /// What is missing where the row is to be taken.
    fault: Option<String>,
}
