//! Delimited text as rows of cells.
//!
//! Cut here rather than by a csv library, because analysts' files break in ways that must be told by line: the
//! line number of each row is exact whatever the line ends, and a quote that is never closed costs one row
//! instead of swallowing the rest of the file.

use std::{
    collections::HashMap,
    io::{self, BufRead, Cursor, Read},
};

use super::{
    CellValue, Row, RowEvent, RowSource,
    encoding::{ByteSource, CellDecoder},
    problem::ProblemKind,
};

/// The longest row, in bytes. Ten texts of a megabyte fit; beyond it a quote was left open.
const MAX_ROW: usize = 32 << 20;

/// How often an unclosed quote is repaired; a file with more is not what it says it is.
const MAX_UNCLOSED: u32 = 50;

/// Rows of a delimited text file.
pub(super) struct DelimitedRows {
    input: ByteSource,
    pushed_back: Cursor<Vec<u8>>,
    decoder: CellDecoder,
    delimiter: u8,
    line_end: u8,
    line: u64,
    unclosed: u32,
    failed: bool,
}

impl DelimitedRows {
    pub(super) fn new(input: ByteSource, decoder: CellDecoder, delimiter: char, line_end: u8) -> Self {
        Self {
            input,
            pushed_back: Cursor::default(),
            decoder,
            // Delimiters are chosen from `,`, tab and `;`.
            delimiter: u8::try_from(delimiter).unwrap_or(b','),
            line_end,
            line: 1,
            unclosed: 0,
            failed: false,
        }
    }

    /// Appends the next line with its end, at most up to [`MAX_ROW`].
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        let limit = (MAX_ROW + 1) as u64;
        let read = (&mut self.pushed_back).take(limit).read_until(self.line_end, line)?;
        if read > 0 && line.ends_with(&[self.line_end]) {
            return Ok(read);
        }
        Ok(read + (&mut self.input).take(limit).read_until(self.line_end, line)?)
    }

    fn read_row(&mut self) -> io::Result<Option<RowEvent>> {
        loop {
            let number = self.line;
            let mut raw = Vec::new();
            let mut splitter = Splitter::new(self.delimiter);
            let mut first_line = 0;
            let closed = loop {
                let start = raw.len();
                if self.read_line(&mut raw)? == 0 {
                    break start == 0 || !splitter.in_quotes();
                }
                if first_line == 0 {
                    first_line = raw.len();
                }
                self.line += 1;
                splitter.feed(&raw[start..]);
                if !splitter.in_quotes() {
                    break true;
                }
                if raw.len() > MAX_ROW {
                    break false;
                }
            };
            if raw.is_empty() {
                return Ok(None);
            }
            if raw.len() > MAX_ROW && closed {
                return Ok(Some(RowEvent::Problem { row: number, kind: ProblemKind::RowTooLong }));
            }
            if !closed {
                self.unclosed += 1;
                if self.unclosed > MAX_UNCLOSED {
                    self.failed = true;
                    return Ok(Some(RowEvent::Problem { row: number, kind: ProblemKind::TooManyOpenQuotes }));
                }
                // Read on from the line after the one with the quote.
                let mut rest = raw.split_off(first_line);
                let position = usize::try_from(self.pushed_back.position()).unwrap_or(usize::MAX);
                rest.extend_from_slice(self.pushed_back.get_ref().get(position..).unwrap_or_default());
                self.pushed_back = Cursor::new(rest);
                self.line = number + 1;
                return Ok(Some(RowEvent::Problem { row: number, kind: ProblemKind::OpenQuote }));
            }
            let fields = splitter.finish();
            if fields.iter().all(|field| field.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            let cells = fields
                .into_iter()
                .map(|field| match self.decoder.decode(&field) {
                    Ok(text) => CellValue::of_text(text),
                    Err(_) => CellValue::Undecodable,
                })
                .collect();
            return Ok(Some(RowEvent::Row(Row { number, cells })));
        }
    }
}

impl RowSource for DelimitedRows {
    fn next_event(&mut self) -> Option<RowEvent> {
        if self.failed {
            return None;
        }
        match self.read_row() {
            Ok(event) => event,
            Err(error) => {
                self.failed = true;
                Some(RowEvent::Problem { row: self.line, kind: ProblemKind::ReadFailed(error.to_string()) })
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote within quotes: the end of the field or the first half of `""`.
    QuoteInQuotes,
}

/// Finds the fields of a row in bytes that come line by line.
struct Splitter {
    delimiter: u8,
    state: State,
    fields: Vec<Vec<u8>>,
    field: Vec<u8>,
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, state: State::FieldStart, fields: Vec::new(), field: Vec::new() }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::FieldStart, b'"') => State::Quoted,
                (State::Quoted, b'"') => State::QuoteInQuotes,
                (State::Quoted, _) => {
                    self.field.push(byte);
                    State::Quoted
                }
                (State::QuoteInQuotes, b'"') => {
                    self.field.push(b'"');
                    State::Quoted
                }
                (_, byte) if byte == self.delimiter => {
                    self.fields.push(std::mem::take(&mut self.field));
                    State::FieldStart
                }
                // What follows a closing quote is kept rather than lost: `"引用"の後`.
                (State::FieldStart | State::Plain | State::QuoteInQuotes, _) => {
                    self.field.push(byte);
                    State::Plain
                }
            };
        }
    }

    fn in_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        // One line end only: others belong to a quoted cell.
        self.field.pop_if(|byte| *byte == b'\n');
        self.field.pop_if(|byte| *byte == b'\r');
        self.fields.push(self.field);
        self.fields
    }
}

/// Finds the delimiter from the beginning of a file: the one that cuts most rows into the same number of cells.
/// `None` when nothing speaks for any.
pub(super) fn sniff_delimiter(head: &str) -> Option<char> {
    [',', '\t', ';']
        .into_iter()
        .filter_map(|delimiter| {
            let rows = count_fields(head, delimiter);
            let mut counts: HashMap<usize, usize> = HashMap::new();
            for fields in &rows {
                *counts.entry(*fields).or_default() += 1;
            }
            let (fields, agreeing) =
                counts.into_iter().max_by_key(|&(fields, agreeing)| (fields > 1, agreeing, fields))?;
            if fields < 2 {
                return None;
            }
            // In thousandths of the rows, so that the comparison is exact.
            let share = agreeing * 1000 / rows.len();
            Some((share * (fields - 1).min(10), delimiter))
        })
        .max_by_key(|&(score, delimiter)| (score, delimiter == ','))
        .map(|(_, delimiter)| delimiter)
}

/// The number of cells of each of the first rows.
fn count_fields(head: &str, delimiter: char) -> Vec<usize> {
    let mut rows = Vec::new();
    let (mut fields, mut blank) = (1, true);
    let (mut quoted, mut field_start, mut after_quote) = (false, true, false);
    for c in head.chars() {
        if quoted {
            quoted = c != '"';
            after_quote = !quoted;
            continue;
        }
        match c {
            // A field's opening quote, or the second of a pair within quotes.
            '"' if field_start || after_quote => quoted = true,
            '\n' | '\r' => {
                if !blank {
                    rows.push(fields);
                }
                if rows.len() >= 50 {
                    return rows;
                }
                fields = 1;
            }
            c if c == delimiter => fields += 1,
            _ => {}
        }
        after_quote = false;
        field_start = c == delimiter || matches!(c, '\n' | '\r');
        blank = matches!(c, '\n' | '\r');
    }
    if !blank && !quoted {
        rows.push(fields);
    }
    rows
}

/// The byte that ends a line: old Macintosh files know only the carriage return.
pub(super) fn sniff_line_end(head: &str) -> u8 {
    if head.contains('\r') && !head.contains('\n') { b'\r' } else { b'\n' }
}
