//! Page numbers for the table of contents before any word processor has laid the document out.
//!
//! Lines have exact heights and Japanese characters one width, so a line count comes near the truth; Word
//! puts its own numbers in their place when the contents are updated. Sizes are those of `styles.xml`, in
//! twentieths of a point.

use unicode_width::UnicodeWidthStr;

use crate::report::{
    Appendix, Part, Row, Table,
    printable::{one_line, printable},
};

use super::COLUMNS;

const PAGE_HEIGHT: usize = 16_838 - 1_418 - 1_304;
const TEXT_WIDTH: usize = 9_638;
const CELL_MARGINS: usize = 2 * 85;
/// Height of a line in a table, and of what a row has above and below.
const CELL_LINE: usize = 300;
const ROW_EXTRA: usize = 2 * 50 + 10;

/// The page on which each table starts, in the order of [`Appendix::tables`].
pub(super) fn foreseen(appendix: &Appendix) -> Vec<usize> {
    let mut page = 1 + front_height(appendix) / PAGE_HEIGHT;
    appendix
        .tables()
        .map(|table| {
            let first = page + 1;
            page = first + further_pages(table, appendix.source_line.as_deref());
            first
        })
        .collect()
}

fn front_height(appendix: &Appendix) -> usize {
    let legend: usize = appendix.legend().iter().map(|line| 320 * lines(line, TEXT_WIDTH - 190, 190)).sum();
    680 + 580 + 1_040 + 420 * appendix.tables().count() + 360 + 1_040 + legend
}

/// How many pages a table takes beyond its first.
fn further_pages(table: &Table, source_line: Option<&str>) -> usize {
    let mut cursor = Cursor { page: 0, used: 0 };
    cursor.place(480 * lines(&super::heading(table), TEXT_WIDTH, 300) + 300);
    for paragraph in &table.introduction {
        let count = lines(&one_line(paragraph), TEXT_WIDTH, 210);
        (0..count).for_each(|_| cursor.place(360));
        cursor.used += 60;
    }
    cursor.place(440);
    for part in &table.parts {
        if part.heading.is_some() {
            cursor.place(740);
        }
        if part.rows.is_empty() {
            cursor.place(480);
        } else {
            self::part(&mut cursor, part);
        }
    }
    cursor.place(100 + 300 * source_line.map_or(1, |line| lines(line, TEXT_WIDTH, 170)));
    cursor.page
}

fn part(cursor: &mut Cursor, part: &Part) {
    let header = CELL_LINE + ROW_EXTRA;
    cursor.place(header);
    for row in &part.rows {
        let height = row_height(row);
        let page = cursor.page;
        cursor.place(height);
        if cursor.page > page {
            // The header row is repeated on each page.
            cursor.used += header;
        }
    }
}

fn row_height(row: &Row) -> usize {
    let width = |column: usize| COLUMNS[column].1 as usize - CELL_MARGINS;
    let notes: String = row.notes().concat();
    let quote = printable(&row.quote);
    let quote_lines = match quote.lines().count() {
        0 | 1 => lines(&format!("{quote}{notes}"), width(3), 190),
        _ => quote.lines().map(|line| lines(line, width(3), 190)).sum(),
    };
    let attribute = |text: &Option<String>, column| text.as_deref().map_or(1, |text| lines(text, width(column), 170));
    let count = quote_lines.max(attribute(&row.prefecture, 1)).max(attribute(&row.facility, 2));
    CELL_LINE * count + ROW_EXTRA
}

/// Lines that a text fills in a width, at a size of its characters.
fn lines(text: &str, width: usize, size: usize) -> usize {
    (text.width() * size / 2).div_ceil(width / size * size).max(1)
}

struct Cursor {
    page: usize,
    used: usize,
}

impl Cursor {
    /// Places a block where it fits, or on the next page; what is taller than a page runs over several.
    fn place(&mut self, height: usize) {
        if self.used + height > PAGE_HEIGHT {
            self.page += 1;
            self.used = 0;
        }
        self.page += height / PAGE_HEIGHT;
        self.used += height % PAGE_HEIGHT;
    }
}
