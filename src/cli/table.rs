//! Tables that several commands write: csv as Excel opens it, workbooks, columns for the eye.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{comment::CommentId, report::guarded};

/// Ids that a message names at most.
const FIRST_IDS: usize = 5;

/// A line of csv; what a spreadsheet would calculate gets an apostrophe before it.
pub(super) fn csv_line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for cell in cells {
        writer.write_field(guarded(cell.as_ref()).as_ref())?;
    }
    writer.write_record(None::<&[u8]>)?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// An empty workbook whose bytes do not depend on the clock.
pub(super) fn new_workbook() -> anyhow::Result<Workbook> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2026, 1, 1)?));
    Ok(workbook)
}

/// Formats of a header and of a cell.
pub(super) fn formats() -> (Format, Format) {
    let head = Format::new().set_bold().set_background_color("#E7EDF5");
    (head, Format::new().set_text_wrap().set_align(FormatAlign::Top))
}

/// The first ids of so many.
pub(super) fn first_ids<'i>(ids: impl IntoIterator<Item = &'i CommentId>, count: usize) -> String {
    let shown: Vec<&str> = ids.into_iter().take(FIRST_IDS).map(CommentId::as_str).collect();
    format!("{}{}", shown.join("、"), if count > shown.len() { " ほか" } else { "" })
}

/// A cell of a fixed width on screen; what is longer is cut.
pub(super) fn padded(text: &str, width: usize) -> String {
    let mut cell = cut(text, width);
    cell.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
    cell
}

/// A text of at most a width on screen; what is longer is cut and ends in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut cut = String::new();
    let mut used = 0;
    let mut rest = text.chars().map(|c| if c.is_control() { ' ' } else { c }).peekable();
    while let Some(c) = rest.next() {
        let wide = c.width().unwrap_or(0);
        let is_last = rest.peek().is_none();
        if used + wide > width.saturating_sub(usize::from(!is_last)) {
            if width > 0 {
                cut.push('…');
            }
            break;
        }
        cut.push(c);
        used += wide;
    }
    cut
}

/// Columns that a text takes on screen.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A text moved to the right edge of a width on screen.
pub(super) fn right_aligned(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}
