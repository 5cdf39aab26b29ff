//! Rows of a table as comments: wide (one row per institution) or long (one row per comment).

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{
    CellValue, Common, ProblemKind, Row, RowEvent, RowSource,
    account::{Role, SheetAccount},
    answer::is_nothing,
    columns::ColumnMap,
    header::{self, Layout, question_value},
    problem::{excerpt, suspicious_character},
};
use crate::comment::{Attributes, Comment, CommentId, Origin};

/// A table is recognised from this many rows, or from so many bytes of them.
const SAMPLE_ROWS: usize = 1000;
const SAMPLE_BYTES: usize = 8 << 20;

/// Texts shorter than this are the same by chance.
const DUPLICATE_CHARS: usize = 10;

pub(super) struct Table {
    source: Box<dyn RowSource>,
    map: Option<ColumnMap>,
    /// Whether rows come from delimited text, where a missing or extra cell means a shift.
    is_delimited: bool,
    /// A sheet that was announced and not yet recognised.
    pending: Option<Option<Arc<str>>>,
    active: Option<Active>,
    sheets_read: usize,
}

/// The table being read.
struct Active {
    sheet: Option<Arc<str>>,
    layout: Layout,
    columns: Vec<Column>,
    buffered: VecDeque<Row>,
    ordinal: u64,
    width: usize,
    /// Prefix of ids that are made from ordinals, so that two sheets do not give the same.
    id_prefix: String,
}

/// What a row needs to know of a column.
struct Column {
    header: Arc<str>,
    /// What comments of this column add to the id of the response.
    label: String,
    /// Whether two responses may differ here and still be the same.
    is_volatile: bool,
}

impl Table {
    pub(super) fn new(source: Box<dyn RowSource>, map: Option<ColumnMap>, is_delimited: bool) -> Self {
        let pending = is_delimited.then_some(None);
        Self { source, map, is_delimited, pending, active: None, sheets_read: 0 }
    }

    /// Whether a table was recognised.
    pub(super) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Moves on to the next table that can be recognised; `false` when there is none.
    pub(super) fn open_table(&mut self, common: &mut Common) -> bool {
        loop {
            let Some(sheet) = self.pending.take() else {
                match self.source.next_event() {
                    Some(RowEvent::Sheet(name)) => self.pending = Some(Some(name)),
                    Some(RowEvent::Problem { row, kind }) => common.problem(None, row, None, kind),
                    Some(RowEvent::LeftOut { sheet, reason }) => common.account.sheets.push(left_out(&sheet, reason)),
                    Some(RowEvent::Row(_)) => {}
                    None => return false,
                }
                continue;
            };
            let (sample, mut others) = self.sample(sheet.as_ref(), common);
            let layout = header::recognise(&sample, self.map.as_ref(), !self.is_delimited);
            let mut sheet_account = SheetAccount {
                name: sheet.as_deref().map(str::to_owned),
                header_rows: None,
                columns: Vec::new(),
                left_out: None,
            };
            let Some(layout) = layout else {
                sheet_account.left_out = Some("空です".to_owned());
                common.account.sheets.push(sheet_account);
                common.account.sheets.append(&mut others);
                continue;
            };
            let (first, last) = layout.header;
            sheet_account.header_rows = Some((sample[first].number, sample[last].number));
            sheet_account.columns.clone_from(&layout.columns);
            if !layout.has_text {
                sheet_account.left_out = Some("自由記載の列が見つかりません".to_owned());
                common.account.sheets.push(sheet_account);
                common.account.sheets.append(&mut others);
                continue;
            }
            common.account.sheets.push(sheet_account);
            common.account.sheets.append(&mut others);
            self.sheets_read += 1;
            let id_prefix = match &sheet {
                Some(name) if self.sheets_read > 1 => format!("{name}!"),
                _ => String::new(),
            };
            self.active = Some(Active {
                columns: columns(&layout),
                width: layout.columns.len(),
                buffered: sample.into_iter().skip(last + 1).collect(),
                sheet,
                layout,
                ordinal: 0,
                id_prefix,
            });
            return true;
        }
    }

    /// The first rows of a sheet.
    /// Sheets that follow it and are left out come along, to be told of after it.
    fn sample(&mut self, sheet: Option<&Arc<str>>, common: &mut Common) -> (Vec<Row>, Vec<SheetAccount>) {
        let (mut sample, mut others) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while sample.len() < SAMPLE_ROWS && bytes < SAMPLE_BYTES {
            match self.source.next_event() {
                Some(RowEvent::Row(row)) => {
                    bytes += row.cells.iter().map(|cell| cell.as_text().len()).sum::<usize>();
                    sample.push(row);
                }
                Some(RowEvent::Problem { row, kind }) => common.problem(sheet, row, None, kind),
                Some(RowEvent::Sheet(name)) => {
                    self.pending = Some(Some(name));
                    break;
                }
                Some(RowEvent::LeftOut { sheet, reason }) => others.push(left_out(&sheet, reason)),
                None => break,
            }
        }
        (sample, others)
    }

    /// Reads one row and queues what it gives; `false` at the end.
    pub(super) fn advance(&mut self, common: &mut Common) -> bool {
        let Some(active) = &mut self.active else {
            return self.open_table(common);
        };
        let row = match active.buffered.pop_front() {
            Some(row) => row,
            // The sample ended with the sheet: what follows belongs to the next.
            None if self.pending.is_some() => {
                self.active = None;
                return true;
            }
            None => match self.source.next_event() {
                Some(RowEvent::Row(row)) => row,
                Some(RowEvent::Problem { row, kind }) => {
                    common.problem(active.sheet.as_ref(), row, None, kind);
                    return true;
                }
                Some(RowEvent::Sheet(name)) => {
                    self.pending = Some(Some(name));
                    self.active = None;
                    return true;
                }
                Some(RowEvent::LeftOut { sheet, reason }) => {
                    common.account.sheets.push(left_out(&sheet, reason));
                    return true;
                }
                None => return false,
            },
        };
        active.read_row(row, self.is_delimited, common);
        true
    }
}

fn left_out(sheet: &str, reason: String) -> SheetAccount {
    SheetAccount { name: Some(sheet.to_owned()), header_rows: None, columns: Vec::new(), left_out: Some(reason) }
}

fn columns(layout: &Layout) -> Vec<Column> {
    let mut labels = HashSet::new();
    layout
        .columns
        .iter()
        .map(|column| {
            let mut label = match &column.role {
                Role::Answer(question) => excerpt(question, 24).replace(' ', ""),
                _ => String::new(),
            };
            if !label.is_empty() {
                let base = label.clone();
                let mut count = 1;
                while !labels.insert(label.clone()) {
                    count += 1;
                    label = format!("{base}-{count}");
                }
            }
            Column {
                header: Arc::from(column.header.as_str()),
                label,
                is_volatile: matches!(column.role, Role::Id | Role::Ignored) || header::is_time(&column.header),
            }
        })
        .collect()
}

impl Active {
    fn read_row(&mut self, mut row: Row, is_delimited: bool, common: &mut Common) {
        if row.filled() == 0 {
            return;
        }
        self.ordinal += 1;
        common.account.rows += 1;
        let sheet = self.sheet.clone();
        let found = row.cells.len();
        if is_delimited {
            let extra = (self.width..found).any(|index| !row.is_blank(index));
            if extra {
                let kind = ProblemKind::TooManyCells { expected: self.width, found };
                return common.problem(sheet.as_ref(), row.number, None, kind);
            }
        }
        for (index, cell) in row.cells.iter_mut().enumerate() {
            let header = || self.columns.get(index).map(|column| &*column.header);
            match cell {
                CellValue::Undecodable => {
                    let kind = ProblemKind::Undecodable(common.encoding_name());
                    return common.problem(sheet.as_ref(), row.number, header(), kind);
                }
                CellValue::Error(error) => {
                    let kind = ProblemKind::CellError {
                        // Lines of a text file are not the rows of the sheet that it came from.
                        cell: (!is_delimited).then(|| format!("{}{}", header::letter(index), row.number)),
                        error: (*error).clone(),
                    };
                    common.problem(sheet.as_ref(), row.number, header(), kind);
                    *cell = CellValue::Text(String::new());
                }
                CellValue::Text(text) => match suspicious_character(text) {
                    Some(ProblemKind::Nul) => {
                        return common.problem(sheet.as_ref(), row.number, header(), ProblemKind::Nul);
                    }
                    Some(kind) => common.problem(sheet.as_ref(), row.number, header(), kind),
                    None => {}
                },
            }
        }
        if is_delimited && found < self.width {
            let kind = ProblemKind::TooFewCells { expected: self.width, found };
            common.problem(sheet.as_ref(), row.number, None, kind);
        }

        let value = |role: &Role| {
            let cell = row.text(self.layout.position(role)?).trim();
            (!cell.is_empty()).then(|| cell.to_owned())
        };
        let number = value(&Role::Id);
        let is_unnumbered = number.is_none();
        let has_numbers = self.layout.position(&Role::Id).is_some();
        let response = number.unwrap_or_else(|| match has_numbers {
            // A number of its own kind: it must not equal another row's id.
            true => format!("{}行{}", self.id_prefix, self.ordinal),
            false => format!("{}{}", self.id_prefix, self.ordinal),
        });
        let prefecture = common.prefecture(value(&Role::Prefecture), row.number);
        let (facility, changed) = common.facility(value(&Role::Facility), row.number);
        let row_question = value(&Role::Question).map(|question| question_value(&question));

        let mut attributes: Vec<(String, String)> = Vec::new();
        for (index, cell) in row.cells.iter().enumerate() {
            let header = match self.layout.columns.get(index) {
                Some(column) if column.role == Role::Attribute => column.header.clone(),
                Some(_) => continue,
                // Beyond the header of a worksheet, cells do not shift: kept under their letter.
                None => format!("{}列", header::letter(index)),
            };
            let text = cell.as_text().trim();
            if !text.is_empty() {
                attributes.push((header, text.to_owned()));
            }
        }
        if let Some((written, index)) = changed.zip(self.layout.position(&Role::Facility)) {
            attributes.push((self.layout.columns[index].header.clone(), written));
        }

        let mut answers = Vec::new();
        for (index, column) in self.layout.columns.iter().enumerate() {
            if !matches!(column.role, Role::Text | Role::Answer(_)) {
                continue;
            }
            let text = row.text(index);
            if text.trim().is_empty() {
                common.account.empty += 1;
            } else if is_nothing(text) {
                common.account.nothing += 1;
            } else {
                answers.push(index);
            }
        }
        let long_enough = answers.iter().any(|&index| row.text(index).chars().nth(DUPLICATE_CHARS - 1).is_some());
        if long_enough {
            let mut hasher = DefaultHasher::new();
            sheet.hash(&mut hasher);
            for (index, column) in self.columns.iter().enumerate().filter(|(_, column)| !column.is_volatile) {
                let cell = row.text(index).trim();
                if !cell.is_empty() {
                    (column.header.as_ref(), cell).hash(&mut hasher);
                }
            }
            if let Some(first) = common.note_duplicate(hasher.finish(), sheet.as_deref(), row.number) {
                attributes.push((super::DUPLICATE_ATTRIBUTE.to_owned(), format!("{first}行目と同じ内容")));
            }
        }

        let attributes = Attributes::from_iter(attributes);
        if is_unnumbered && has_numbers && !answers.is_empty() {
            common.account.add_unnumbered(sheet.as_deref(), row.number);
        }
        for index in answers {
            let (account, column) = (&self.layout.columns[index], &self.columns[index]);
            let (question, id) = match &account.role {
                Role::Answer(question) => (Some(question.clone()), format!("{response}-{}", column.label)),
                _ => match &row_question {
                    Some(question) if self.layout.id_repeats => {
                        (Some(question.clone()), format!("{response}-{question}"))
                    }
                    question => (question.clone(), response.clone()),
                },
            };
            let text = match &mut row.cells[index] {
                CellValue::Text(text) => std::mem::take(text),
                _ => String::new(),
            };
            // Several rows under one number and nothing to tell them apart: numbered without a remark.
            let is_response = self.layout.is_long && self.layout.id_repeats && row_question.is_none();
            let comment = Comment {
                id: CommentId::new(id),
                prefecture: prefecture.clone(),
                facility: facility.clone(),
                question,
                text,
                attributes: attributes.clone(),
                origin: Origin { is_unnumbered, ..common.origin(sheet.as_ref(), row.number, Some(&column.header)) },
            };
            common.comment_with_id(comment, sheet.as_ref(), !is_response);
        }
    }
}
