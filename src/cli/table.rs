//! Tables that several commands write: csv as Excel opens it, workbooks, columns for the eye.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::guarded;

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

/// A workbook of one sheet: frozen header with filters, text as text.
pub(super) fn workbook<const N: usize>(
    sheet_name: &str,
    headers: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> anyhow::Result<Vec<u8>> {
    let mut workbook = new_workbook()?;
    let (head, wrapped) = formats();
    let sheet = workbook.add_worksheet();
    sheet.set_name(sheet_name)?.set_freeze_panes(1, 0)?;
    for (column, header) in (0..).zip(headers) {
        sheet.set_column_width(column, if *header == "text" { 70.0 } else { 14.0 })?;
        sheet.write_string_with_format(0, column, *header, &head)?;
    }
    let mut last = 0;
    for (row, cells) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string_with_format(row, column, cell, &wrapped)?;
        }
        last = row;
    }
    sheet.autofilter(0, 0, last, N as u16 - 1)?;
    Ok(workbook.save_to_buffer()?)
}

/// A cell of a fixed width on screen; what is longer is cut.
pub(super) fn padded(text: &str, width: usize) -> String {
    let mut cell = String::new();
    let mut used = 0;
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let wide = c.width().unwrap_or(0);
        if used + wide > width.saturating_sub(1) {
            cell.push('…');
            used += 1;
            break;
        }
        cell.push(c);
        used += wide;
    }
    cell.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cell
}

/// A text moved to the right edge of a width on screen.
pub(super) fn right_aligned(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}
