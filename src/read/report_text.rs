//! A published case appendix as its text layer gives it: rows of number, prefecture, facility and quote, separated
//! by tabs or spaces, under headings, with quotes broken over lines and page breaks between.

use std::{
    collections::HashSet,
    io::{self, BufRead},
    sync::LazyLock,
};

use regex::Regex;

use super::{
    Common, ProblemKind,
    encoding::{ByteSource, CellDecoder},
    header::{self, question_of},
    problem::suspicious_character,
};
use crate::{
    comment::{Attributes, Comment, CommentId},
    respondent::{Facility, Prefecture},
};

/// The attribute with the heading that a quote stood under.
const HEADING: &str = "見出し";

/// Rows in their order; an appendix is small, so all are held.
pub(super) struct ReportRows {
    rows: std::vec::IntoIter<Quote>,
}

#[derive(Debug, Default, PartialEq)]
struct Quote {
    line: u64,
    table: usize,
    /// Its number where none is printed.
    place: usize,
    number: Option<String>,
    heading: Option<String>,
    prefecture: Option<String>,
    facility: Option<String>,
    text: String,
}

/// Whether a text is an appendix rather than a table with a header saved under the name .txt.
pub(super) fn is_report(head: &str) -> bool {
    let lines: Vec<&str> = head.lines().filter(|line| !line.trim().is_empty()).take(60).collect();
    let tabs = |line: &str| line.matches('\t').count();
    let header = lines.iter().find(|line| {
        let known = line.split('\t').filter(|cell| header::is_known(cell)).count();
        tabs(line) >= 1 && known >= 2
    });
    let Some(header) = header else { return true };
    // A table has as many tabs in every row as in its header; an appendix has headings and broken quotes.
    let alike = lines.iter().filter(|line| tabs(line) == tabs(header)).count();
    alike * 10 < lines.len() * 7
}

impl ReportRows {
    pub(super) fn read(mut input: ByteSource, decoder: CellDecoder, common: &mut Common) -> io::Result<Self> {
        let mut parser = Parser::default();
        let mut bytes = Vec::new();
        let mut line = 0;
        loop {
            bytes.clear();
            line += 1;
            if input.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            match decoder.decode(&bytes) {
                Err(_) => {
                    let kind = ProblemKind::Undecodable(common.encoding_name());
                    common.problem(None, line, None, kind);
                }
                Ok(text) => {
                    // Form feeds are page breaks.
                    let text = text.replace('\u{c}', "");
                    match suspicious_character(&text) {
                        Some(ProblemKind::Nul) => {
                            common.problem(None, line, None, ProblemKind::Nul);
                            continue;
                        }
                        Some(kind) => common.problem(None, line, None, kind),
                        None => {}
                    }
                    parser.line(line, &text);
                }
            }
        }
        Ok(Self { rows: parser.finish().into_iter() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    pub(super) fn advance(&mut self, common: &mut Common) -> bool {
        let Some(quote) = self.rows.next() else {
            return false;
        };
        common.account.rows += 1;
        if quote.text.is_empty() {
            common.account.empty += 1;
            return true;
        }
        let number = quote.number.clone().unwrap_or_else(|| quote.place.to_string());
        let (facility, changed) = common.facility(quote.facility, quote.line);
        let attributes = [
            quote.heading.clone().map(|heading| (HEADING.to_owned(), heading)),
            quote.number.map(|number| ("番号".to_owned(), number)),
            changed.map(|written| ("施設（記載）".to_owned(), written)),
        ];
        let comment = Comment {
            id: CommentId::new(format!("{}-{number}", quote.table)),
            prefecture: common.prefecture(quote.prefecture, quote.line),
            facility,
            question: quote.heading.as_deref().and_then(only_question),
            text: quote.text,
            attributes: Attributes::from_iter(attributes.into_iter().flatten()),
            origin: common.origin(None, quote.line, None),
        };
        common.comment(comment, None);
        true
    }
}

/// The question of a heading that names exactly one.
fn only_question(heading: &str) -> Option<String> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("問[0-9０-９]+").expect("the pattern is constant and tested"));
    let mut found = NUMBER.find_iter(heading);
    let (first, second) = (found.next()?, found.next());
    second.is_none().then(|| question_of(first.as_str())).flatten()
}

#[derive(Default)]
struct Parser {
    quotes: Vec<Quote>,
    heading: Option<String>,
    table: usize,
    place: usize,
    /// Whether a quote was begun since the last heading, to which further lines belong.
    is_open: bool,
    after_blank: bool,
}

impl Parser {
    fn line(&mut self, number: u64, line: &str) {
        let line = line.trim_end_matches(['\n', '\r']);
        let trimmed = line.trim();
        if trimmed.is_empty() {
            self.after_blank = true;
            return;
        }
        let after_blank = std::mem::take(&mut self.after_blank);
        if is_page_number(trimmed) {
            self.after_blank = after_blank;
            return;
        }
        if let Some(mut quote) = parse_row(line) {
            self.place += 1;
            quote.line = number;
            quote.table = self.table.max(1);
            quote.place = self.place;
            quote.heading.clone_from(&self.heading);
            self.quotes.push(quote);
            self.is_open = true;
            return;
        }
        let has_tab = line.trim_end().contains('\t');
        if has_tab && trimmed.split('\t').filter(|cell| header::is_known(cell)).count() >= 2 {
            return;
        }
        let last = self.quotes.last_mut().filter(|_| self.is_open);
        let is_short = trimmed.chars().count() <= 40 && !trimmed.ends_with(['。', '、', '！', '？']);
        let is_heading = !has_tab
            && (looks_like_heading(trimmed)
                || match &last {
                    None => is_short,
                    Some(quote) => after_blank && is_short && quote.text.ends_with(['。', '！', '？', '」', '）', ')']),
                });
        match last {
            Some(quote) if !is_heading => append(&mut quote.text, trimmed),
            _ if is_heading => {
                self.heading = Some(trimmed.trim_matches(['【', '】']).trim().to_owned());
                self.table += 1;
                self.place = 0;
                self.is_open = false;
            }
            // Running text before the first table.
            _ => {}
        }
    }

    /// The quotes; those without a printed number get one that no other of their table has.
    fn finish(mut self) -> Vec<Quote> {
        let mut taken: HashSet<(usize, String)> =
            self.quotes.iter().filter_map(|quote| Some((quote.table, quote.number.clone()?))).collect();
        for quote in self.quotes.iter_mut().filter(|quote| quote.number.is_none()) {
            while !taken.insert((quote.table, quote.place.to_string())) {
                quote.place += 1;
            }
        }
        self.quotes
    }
}

/// Joins a broken quote: Japanese has no space at a line's end.
fn append(text: &mut String, more: &str) {
    let is_latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if is_latin(text.chars().next_back()) && is_latin(more.chars().next()) {
        text.push(' ');
    }
    text.push_str(more);
}

fn is_page_number(line: &str) -> bool {
    let bare = line.trim_matches(['-', '－', '‐', '―', ' ', '　']);
    bare.len() <= 3 && !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit())
}

fn looks_like_heading(line: &str) -> bool {
    static HEADINGS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:【[^】]+】|[0-9０-９]{1,2}[.．]\s*[^0-9０-９\s].*|[■◆▼□◇][^。]*|第[0-9０-９一二三四五六七八九十]+[章節].*|(?:問|Q)[0-9０-９]+.*)$")
            .expect("the pattern is constant and tested")
    });
    line.chars().count() <= 70 && !line.ends_with(['。', '、']) && HEADINGS.is_match(line)
}

/// The row that begins in a line.
fn parse_row(line: &str) -> Option<Quote> {
    let filled = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    if cells.len() >= 3 {
        let (number, rest) = split_number(cells[0]);
        // Number in a cell of its own, or before the prefecture, or a blank first cell.
        let (number, cells) = match (number, rest) {
            (Some(number), "") => (Some(number), cells[1..].to_vec()),
            (None, "") if Prefecture::parse_name(cells[1]).is_some() => (None, cells[1..].to_vec()),
            (number, rest) => (number, std::iter::once(rest).chain(cells[1..].iter().copied()).collect()),
        };
        if let [prefecture, facility, text @ ..] = &cells[..] {
            let known_prefecture = Prefecture::parse_name(prefecture).is_some();
            let known_facility = Facility::parse(facility).is_some();
            let plausible = (known_prefecture || prefecture.is_empty() || prefecture.chars().count() <= 5)
                && (known_facility || facility.chars().count() <= 14);
            let certain = known_prefecture || known_facility || (number.is_some() && !prefecture.is_empty());
            if plausible && certain && !text.is_empty() {
                let text: Vec<&str> = text.iter().copied().filter(|cell| !cell.is_empty()).collect();
                return Some(Quote {
                    number,
                    prefecture: filled(prefecture),
                    facility: filled(facility),
                    text: text.join(" "),
                    ..Quote::default()
                });
            }
        }
    }
    static SPACED: LazyLock<Regex> = LazyLock::new(|| {
        let names: Vec<&str> = Prefecture::all().map(Prefecture::name).collect();
        Regex::new(&format!(
            r"^\s*(?:([0-9０-９]{{1,4}})[.．)）]?)?\s*({})\s*((?:(?:医科|歯科)(?:無床|有床)?(?:診療所|医院)?|病院|診療所)(?:[（(][^（()）]{{1,8}}[）)])?)\s+(\S.*)$",
            names.join("|")
        ))
        .expect("the pattern is constant and tested")
    });
    let row = SPACED.captures(line)?;
    Some(Quote {
        number: row.get(1).map(|number| number.as_str().to_owned()),
        prefecture: filled(&row[2]),
        facility: filled(&row[3]),
        text: row[4].trim().to_owned(),
        ..Quote::default()
    })
}

fn split_number(cell: &str) -> (Option<String>, &str) {
    let end = cell.find(|c: char| !c.is_ascii_digit() && !('０'..='９').contains(&c)).unwrap_or(cell.len());
    if end == 0 || cell[..end].chars().count() > 4 {
        return (None, cell);
    }
    (Some(cell[..end].to_owned()), cell[end..].trim_start_matches(['.', '．', ')', '）', ' ', '　']))
}
