//! Page numbers for the table of contents before any word processor has laid the document out.
//!
//! Lines have exact heights and Japanese characters one width, so a line count comes near the truth; Word
//! puts its own numbers in their place when the contents are updated. Sizes are those of `styles.xml`, in
//! twentieths of a point.

use unicode_width::UnicodeWidthChar;

use crate::report::{
    Appendix, Part, Row, Table,
    printable::{one_line, printable},
};

use super::COLUMNS;

const PAGE_HEIGHT: usize = 16_838 - 1_418 - 1_304;
const TEXT_WIDTH: usize = super::TEXT_WIDTH as usize;
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
    let notes: String = row.notes().iter().map(|note| format!("\u{3000}{note}")).collect();
    let quote = printable(&row.quote);
    let mut quote_lines: Vec<String> = quote.lines().map(str::to_owned).collect();
    match quote_lines.last_mut() {
        Some(last) => last.push_str(&notes),
        None => quote_lines.push(notes),
    }
    let quote_lines: usize = quote_lines.iter().map(|line| lines(line, width(3), 190)).sum();
    let attribute = |text: &Option<String>, column| text.as_deref().map_or(1, |text| lines(text, width(column), 170));
    let count = quote_lines.max(attribute(&row.prefecture, 1)).max(attribute(&row.facility, 2));
    CELL_LINE * count + ROW_EXTRA
}

/// Lines that a text fills in a width, at a size of its characters, by the rules of Japanese line breaking:
/// 、 and 。 hang in the margin, closing signs start no line, opening ones end none, Latin words stay whole.
fn lines(text: &str, width: usize, size: usize) -> usize {
    /// Width of a character in quarters of the size.
    const FULL: usize = 4;
    let room = width * FULL / size;
    let mut lines = 1;
    let mut used = 0;
    let mut previous: Option<char> = None;
    let mut word = 0;
    for c in text.chars() {
        let own = c.width().unwrap_or(0) * FULL / 2;
        let gap = usize::from(previous.is_some_and(|previous| is_latin(previous) != is_latin(c)));
        word = if is_latin(c) { word + own } else { 0 };
        if used + gap + own <= room || matches!(c, '、' | '。' | '，' | '．') || c == ' ' {
            used += gap + own;
        } else {
            lines += 1;
            let carried = match previous {
                _ if word > own && word < room => word - own,
                Some(_) if starts_no_line(c) => FULL,
                Some(previous) if ends_no_line(previous) => FULL,
                _ => 0,
            };
            used = carried + own;
        }
        previous = Some(c);
    }
    lines
}

fn is_latin(c: char) -> bool {
    c.is_ascii_graphic()
}

fn starts_no_line(c: char) -> bool {
    "」』）】〉》〕］｝！？・：；ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョヶ)]}!?:;,.".contains(c)
}

fn ends_no_line(c: char) -> bool {
    "「『（【〈《〔［｛([{".contains(c)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: usize) {
        // Ten characters a line.
        assert_eq!(lines(text, 2_000, 200), expected, "{text}");
    }

    #[test]
    fn japanese_lines() {
        case("", 1);
        case("一二三四五六七八九十", 1);
        case("一二三四五六七八九十一", 2);
        case("一二三四五六七八九十。", 1);
        case("一二三四五六七八九「十」一二三四五六七八九", 3);
        case("一二三四五六七八 Windows 九", 2);
        case("Aoi", 1);
    }
}
