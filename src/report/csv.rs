//! One line a row, as Excel opens it: UTF-8 with byte order mark, CRLF, nothing that becomes a formula.

use std::borrow::Cow;

use super::{
    Appendix, ReportError,
    printable::{looks_like_formula, printable},
};

const HEADER: [&str; 12] = [
    "区分ID",
    "区分",
    "内訳",
    "番号",
    "都道府県",
    "医療機関",
    "設問",
    "事例",
    "ほか類似",
    "初出",
    "該当する区分",
    "回答ID",
];

pub(super) fn render(appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(HEADER)?;
    for (table, part, row) in appendix.rows() {
        let similar = row.similar.to_string();
        let categories = appendix.short_names(row);
        let cells = [
            &*table.id,
            &table.heading,
            part.heading.as_deref().unwrap_or_default(),
            &row.label,
            row.prefecture.as_deref().unwrap_or_default(),
            row.facility.as_deref().unwrap_or_default(),
            row.question.as_deref().unwrap_or_default(),
            &row.quote,
            &similar,
            row.reference.as_deref().unwrap_or_default(),
            &categories,
            row.comment.as_str(),
        ];
        writer.write_record(cells.map(|cell| guarded(cell).into_owned()))?;
    }
    Ok(writer.into_inner().map_err(|error| error.into_error())?)
}

/// A cell as a csv file carries it: without characters that no file can hold, and with an apostrophe before what a
/// spreadsheet would calculate.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let cell = printable(cell);
    if looks_like_formula(&cell) { Cow::Owned(format!("'{cell}")) } else { cell }
}
