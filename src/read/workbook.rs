//! Workbooks as rows of cells; the only user of calamine.
//!
//! calamine's reader of cells borrows the workbook, and its parser is not ours to trust with any file: it runs in
//! a thread of its own, which hands over row by row and may fail alone.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use calamine::{
    Data, DataType, ExcelDateTime, Ods, Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsx, XlsxError,
};

use super::{CellValue, Format, ProblemKind, ReadError, Row, RowEvent, RowSource};

/// Columns beyond this hold no survey.
const MAX_COLUMNS: u32 = 4096;

/// Limits on what a workbook unpacks to. Sheets are read as a stream, everything else is held in memory.
const MAX_SHEET: u64 = 1 << 30;
const MAX_PART: u64 = 256 << 20;

/// The format that a file's first bytes show; `None` when it is no workbook.
pub(super) fn format_of(head: &[u8]) -> Option<Format> {
    if head.starts_with(b"PK\x03\x04") {
        let is_ods = head.windows(39).take(200).any(|part| part == b"application/vnd.oasis.opendocument.spre");
        return Some(if is_ods { Format::Ods } else { Format::Xlsx });
    }
    head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]).then_some(Format::Xls)
}

/// Rows of a workbook's sheets, as its thread hands them over.
pub(super) struct WorkbookRows {
    events: Receiver<Event>,
    finished: bool,
    row: u64,
}

enum Event {
    Opened(Result<(), ReadError>),
    Row(RowEvent),
    Finished,
}

/// Opens a workbook; `sheet` is the only one to be read.
pub(super) fn open(path: &Path, format: Format, sheet: Option<String>) -> Result<WorkbookRows, ReadError> {
    match format {
        Format::Xls => refuse_encrypted(path)?,
        _ => refuse_bomb(path)?,
    }
    let (sender, events) = sync_channel(256);
    let job = Job { path: path.into(), sheet, sender };
    thread::Builder::new()
        .name("workbook".to_owned())
        .stack_size(8 << 20)
        .spawn(move || job.run(format))
        .map_err(|error| ReadError::io(path, error))?;
    match events.recv() {
        Ok(Event::Opened(Ok(()))) => Ok(WorkbookRows { events, finished: false, row: 0 }),
        Ok(Event::Opened(Err(error))) => Err(error),
        // The thread ended without a word: the parser met what it did not expect.
        _ => Err(ReadError::Damaged {
            path: path.into(), detail: "内部の構造が正しくありません".to_owned()
        }),
    }
}

/// The rows of one sheet, hidden or not, that hold anything.
pub(super) fn sheet_rows(path: &Path, sheet: &str) -> Result<Vec<Row>, ReadError> {
    let mut head = [0; 4096];
    let mut file = File::open(path).map_err(|error| ReadError::io(path, error))?;
    let read = file.read(&mut head).map_err(|error| ReadError::io(path, error))?;
    if read == 0 {
        return Err(ReadError::Empty(path.into()));
    }
    let format = format_of(&head[..read]).ok_or_else(|| ReadError::NotAWorkbook(path.into()))?;
    let mut events = open(path, format, Some(sheet.to_owned()))?;
    let mut rows = Vec::new();
    while let Some(event) = events.next_event() {
        match event {
            RowEvent::Row(row) => rows.push(row),
            RowEvent::Problem { kind, .. } => {
                return Err(ReadError::Damaged { path: path.into(), detail: kind.to_string() });
            }
            RowEvent::Sheet(_) | RowEvent::LeftOut { .. } => {}
        }
    }
    Ok(rows)
}

impl RowSource for WorkbookRows {
    fn next_event(&mut self) -> Option<RowEvent> {
        if self.finished {
            return None;
        }
        match self.events.recv() {
            Ok(Event::Row(event)) => {
                match &event {
                    RowEvent::Row(row) => self.row = row.number,
                    RowEvent::Sheet(_) => self.row = 0,
                    RowEvent::Problem { .. } | RowEvent::LeftOut { .. } => {}
                }
                Some(event)
            }
            Ok(Event::Opened(_)) => None,
            Ok(Event::Finished) => {
                self.finished = true;
                None
            }
            Err(_) => {
                self.finished = true;
                let kind = ProblemKind::ReadFailed("ブックの内部が壊れています".to_owned());
                Some(RowEvent::Problem { row: self.row + 1, kind })
            }
        }
    }
}

/// The sheet, never visible, in which workbooks that the program writes for a person keep what it has to know of them.
pub(crate) const STATE_SHEET: &str = "jirei";

/// An encrypted xlsx is a compound file with a stream of this name; an encrypted xls says so at its beginning.
fn refuse_encrypted(path: &Path) -> Result<(), ReadError> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut file = File::open(path).map_err(|error| ReadError::io(path, error))?;
    let mut window = Vec::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block).map_err(|error| ReadError::io(path, error))?;
        if read == 0 {
            return Ok(());
        }
        window.extend_from_slice(&block[..read]);
        if window.windows(name.len()).any(|part| part == name || begins_with_file_pass(part)) {
            return Err(ReadError::PasswordProtected(path.into()));
        }
        window.drain(..window.len().saturating_sub(name.len()));
    }
}

/// Whether a workbook of BIFF begins here whose first record, or the one after that it is write-protected, is
/// `FilePass` (MS-XLS 2.4.117). The reader knows those of RC4 alone and takes older ones for what they seem to say.
fn begins_with_file_pass(bytes: &[u8]) -> bool {
    let [0x09, 0x08, length, 0x00, 0x00, 0x05 | 0x06, 0x05, 0x00, ..] = bytes else { return false };
    let rest = bytes.get(4 + usize::from(*length)..).unwrap_or_default();
    rest.strip_prefix(&[0x86, 0x00, 0x00, 0x00]).unwrap_or(rest).starts_with(&[0x2f, 0x00])
}

/// Unpacks every part once without keeping it: the sizes that an archive declares may lie.
fn refuse_bomb(path: &Path) -> Result<(), ReadError> {
    let damaged = |detail: String| ReadError::Damaged { path: path.into(), detail };
    let file = File::open(path).map_err(|error| ReadError::io(path, error))?;
    let mut archive =
        zip::ZipArchive::new(BufReader::new(file)).map_err(|_| damaged("ZIP の目次が読めません".to_owned()))?;
    let mut total = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(zip::result::ZipError::PASSWORD_REQUIRED) => {
                ReadError::PasswordProtected(path.into())
            }
            _ => damaged("中身を取り出せません".to_owned()),
        })?;
        let name = part.name().map_err(|_| damaged("中身の名前が読めません".to_owned()))?.into_owned();
        // Pictures and the like are never opened.
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let limit = if name.contains("worksheets/") { MAX_SHEET } else { MAX_PART };
        let too_large =
            |part: String, limit: u64| ReadError::TooLarge { path: path.into(), part, limit_mib: limit >> 20 };
        if part.size() > limit {
            return Err(too_large(name, limit));
        }
        let unpacked = io::copy(&mut part.take(limit + 1), &mut io::sink())
            .map_err(|_| damaged(format!("「{name}」を展開できません")))?;
        total += unpacked;
        if unpacked > limit {
            return Err(too_large(name, limit));
        }
        if total > 2 * MAX_SHEET {
            return Err(too_large("全体".to_owned(), 2 * MAX_SHEET));
        }
    }
    Ok(())
}

struct Job {
    path: PathBuf,
    sheet: Option<String>,
    sender: SyncSender<Event>,
}

/// The other end was dropped: nobody wants more rows.
struct Unwanted;

impl Job {
    fn run(self, format: Format) {
        // Sending fails only when the reader was dropped; there is nobody to tell.
        let _ = self.read(format);
    }

    fn send(&self, event: RowEvent) -> Result<(), Unwanted> {
        self.sender.send(Event::Row(event)).map_err(|_| Unwanted)
    }

    fn opened(&self, result: Result<(), ReadError>) -> Result<(), Unwanted> {
        let failed = result.is_err();
        self.sender.send(Event::Opened(result)).map_err(|_| Unwanted)?;
        if failed { Err(Unwanted) } else { Ok(()) }
    }

    fn damaged(&self, detail: impl ToString) -> ReadError {
        ReadError::Damaged { path: self.path.clone(), detail: detail.to_string() }
    }

    fn read(&self, format: Format) -> Result<(), Unwanted> {
        let file = match File::open(&self.path) {
            Ok(file) => BufReader::new(file),
            Err(error) => return self.opened(Err(ReadError::io(&self.path, error))),
        };
        match format {
            Format::Xls => match Xls::new(file) {
                Ok(workbook) => self.read_ranges(workbook, value),
                Err(XlsError::Password) => self.opened(Err(ReadError::PasswordProtected(self.path.clone()))),
                Err(error) => self.opened(Err(self.damaged(error))),
            },
            Format::Ods => match Ods::new(file) {
                Ok(workbook) => self.read_ranges(workbook, value_of_ods),
                Err(calamine::OdsError::Password) => self.opened(Err(ReadError::PasswordProtected(self.path.clone()))),
                Err(error) => self.opened(Err(self.damaged(error))),
            },
            _ => match Xlsx::new(file) {
                Ok(workbook) => self.read_cells(workbook),
                Err(XlsxError::Password) => self.opened(Err(ReadError::PasswordProtected(self.path.clone()))),
                Err(error) => self.opened(Err(self.damaged(error))),
            },
        }?;
        self.sender.send(Event::Finished).map_err(|_| Unwanted)
    }

    /// The sheets to read, in their order; hidden ones and charts are told of.
    fn choose<RS, R>(&self, workbook: &R) -> Result<Vec<(String, Option<&'static str>)>, Unwanted>
    where
        RS: io::Read + io::Seek,
        R: Reader<RS>,
    {
        let sheets = workbook.sheets_metadata();
        if let Some(wanted) = &self.sheet {
            if !sheets.iter().any(|sheet| sheet.name == *wanted) {
                let sheets = sheets.iter().map(|sheet| sheet.name.clone()).collect();
                self.opened(Err(ReadError::NoSuchSheet { path: self.path.clone(), sheet: wanted.clone(), sheets }))?;
            }
            self.opened(Ok(()))?;
            return Ok(vec![(wanted.clone(), None)]);
        }
        let is_own = |sheet: &Sheet| sheet.name == STATE_SHEET && sheet.visible != SheetVisible::Visible;
        if sheets.iter().any(is_own) {
            self.opened(Err(ReadError::ForReview(self.path.clone())))?;
        }
        let chosen = sheets
            .iter()
            .map(|sheet| {
                let reason = match (&sheet.typ, &sheet.visible) {
                    (SheetType::WorkSheet, SheetVisible::Visible) => None,
                    (SheetType::WorkSheet, _) => Some("非表示のシート"),
                    _ => Some("表のシートではない"),
                };
                (sheet.name.clone(), reason)
            })
            .collect();
        self.opened(Ok(()))?;
        Ok(chosen)
    }

    /// Announces a sheet; whether it is to be read.
    fn begin(&self, name: &str, left_out: Option<&'static str>) -> Result<bool, Unwanted> {
        let sheet: Arc<str> = Arc::from(name);
        self.send(match left_out {
            Some(reason) => RowEvent::LeftOut { sheet, reason: reason.to_owned() },
            None => RowEvent::Sheet(sheet),
        })?;
        Ok(left_out.is_none())
    }

    /// Tells that a sheet cannot be read from a row on.
    fn failed(&self, row: u64, error: &impl ToString) -> Result<(), Unwanted> {
        self.send(RowEvent::Problem { row, kind: ProblemKind::ReadFailed(error.to_string()) })
    }

    fn read_cells(&self, mut workbook: Xlsx<BufReader<File>>) -> Result<(), Unwanted> {
        for (name, left_out) in self.choose(&workbook)? {
            if !self.begin(&name, left_out)? {
                continue;
            }
            let mut row = Row::default();
            let mut cells = match workbook.worksheet_cells_reader(&name) {
                Ok(cells) => cells,
                Err(error) => {
                    self.failed(1, &error)?;
                    continue;
                }
            };
            loop {
                let cell = match cells.next_cell() {
                    Ok(Some(cell)) => cell,
                    Ok(None) => break,
                    Err(error) => {
                        self.flush(&mut row)?;
                        self.failed(row.number + 1, &error)?;
                        break;
                    }
                };
                let (row_index, column) = cell.get_position();
                let number = u64::from(row_index) + 1;
                if number != row.number {
                    self.flush(&mut row)?;
                    row.number = number;
                }
                put(&mut row, column, value(cell.get_value()));
            }
            self.flush(&mut row)?;
        }
        Ok(())
    }

    /// Reads a workbook whose sheets come as a whole.
    fn read_ranges<R>(&self, mut workbook: R, value: fn(&Data) -> Option<CellValue>) -> Result<(), Unwanted>
    where
        R: Reader<BufReader<File>>,
        R::Error: ToString,
    {
        for (name, left_out) in self.choose(&workbook)? {
            if !self.begin(&name, left_out)? {
                continue;
            }
            let range = match workbook.worksheet_range(&name) {
                Ok(range) => range,
                Err(error) => {
                    self.failed(1, &error)?;
                    continue;
                }
            };
            let (first_row, first_column) = range.start().unwrap_or_default();
            for (offset, cells) in range.rows().enumerate() {
                let mut row = Row { number: u64::from(first_row) + offset as u64 + 1, cells: Vec::new() };
                for (column, cell) in (first_column..).zip(cells) {
                    put(&mut row, column, value(cell));
                }
                self.flush(&mut row)?;
            }
        }
        Ok(())
    }

    /// Sends the cells gathered so far, unless the row is blank: formatted empty rows are no rows.
    fn flush(&self, row: &mut Row) -> Result<(), Unwanted> {
        let cells = std::mem::take(&mut row.cells);
        if cells.iter().all(CellValue::is_blank) {
            return Ok(());
        }
        self.send(RowEvent::Row(Row { number: row.number, cells }))
    }
}

fn put(row: &mut Row, column: u32, value: Option<CellValue>) {
    let (Some(value), true) = (value, column < MAX_COLUMNS) else {
        return;
    };
    let column = column as usize;
    if row.cells.len() <= column {
        row.cells.resize(column + 1, CellValue::Text(String::new()));
    }
    row.cells[column] = value;
}

fn value(data: &impl DataType) -> Option<CellValue> {
    if data.is_empty() {
        return None;
    }
    if let Some(error) = data.get_error() {
        return Some(CellValue::Error(error.to_string()));
    }
    let number = || data.get_int().map(|number| number.to_string()).or_else(|| data.get_float().map(number_text));
    let time = || data.get_datetime().map(|time| time_text(&time));
    let iso = || data.get_datetime_iso().or_else(|| data.get_duration_iso()).map(str::to_owned);
    let text = data.get_string().map(str::to_owned).or_else(number).or_else(time).or_else(iso);
    text.or_else(|| data.get_bool().map(bool_text)).map(CellValue::Text)
}

/// As [`value`]; OpenDocument has no errors of its own, and a failed formula's is a text.
fn value_of_ods(data: &Data) -> Option<CellValue> {
    match value(data)? {
        CellValue::Text(text) => Some(CellValue::of_text(text)),
        value => Some(value),
    }
}

fn bool_text(value: bool) -> String {
    if value { "TRUE" } else { "FALSE" }.to_owned()
}

/// A number as its cell shows it: 28 rather than 28.0.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() }
}

fn time_text(time: &ExcelDateTime) -> String {
    let days = time.as_f64();
    // The last day that Excel knows is 9999-12-31.
    if !(0.0..2_958_466.0).contains(&days) {
        return number_text(days);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if days < 1.0 {
        return clock;
    }
    if days.fract() == 0.0 {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02} {clock}")
}
