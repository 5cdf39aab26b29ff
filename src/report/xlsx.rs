//! A workbook: an overview, every quote once, and one sheet a category.

use std::collections::HashSet;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{
    Appendix, Part, ReportError, Row, Table,
    printable::{looks_like_formula, one_line, printable},
};

/// Most UTF-16 units that a cell holds.
const CELL_LIMIT: usize = 32_767;
const TRUNCATED: &str = "…（以下略：Excelのセルに入る文字数を超えています）";

/// A column: its header and its width in characters.
struct Column {
    header: &'static str,
    width: f64,
}

const fn column(header: &'static str, width: f64) -> Column {
    Column { header, width }
}

const NUMBER: Column = column("番号", 8.0);
const PREFECTURE: Column = column("都道府県", 11.0);
const FACILITY: Column = column("医療機関", 14.0);
const QUESTION: Column = column("設問", 8.0);
const QUOTE: Column = column("事例", 80.0);
const SIMILAR: Column = column("ほか類似", 9.0);
const REFERENCE: Column = column("初出", 8.0);
const PART: Column = column("内訳", 20.0);
const HEADING: Column = column("区分", 24.0);
const CATEGORIES: Column = column("該当する区分", 24.0);
const ID: Column = column("回答ID", 14.0);

struct Styles {
    header: Format,
    text: Format,
    title: Format,
    plain: Format,
}

impl Styles {
    fn new() -> Self {
        let line = Color::RGB(0xD5DBE1);
        let text = Format::new()
            .set_font_name("游ゴシック")
            .set_align(FormatAlign::Top)
            .set_text_wrap()
            .set_border_bottom(FormatBorder::Hair)
            .set_border_bottom_color(line);
        Self {
            header: Format::new()
                .set_font_name("游ゴシック")
                .set_bold()
                .set_background_color(Color::RGB(0xE8EEF4))
                .set_align(FormatAlign::VerticalCenter)
                .set_border_bottom(FormatBorder::Thin)
                .set_border_bottom_color(Color::RGB(0x1F4E79)),
            text,
            title: Format::new().set_font_name("游ゴシック").set_bold().set_font_size(14),
            plain: Format::new().set_font_name("游ゴシック"),
        }
    }
}

pub(super) fn render(appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let styles = Styles::new();
    let mut workbook = Workbook::new();
    // Bytes must not depend on the clock.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title(one_line(&appendix.title)).set_creation_datetime(&created));

    let mut names = HashSet::new();
    overview(workbook.add_worksheet().set_name(sheet_name("概要", &mut names))?, appendix, &styles)?;
    let all = workbook.add_worksheet().set_name(sheet_name("全件", &mut names))?;
    every_quote(all, appendix, &styles)?;
    for table in appendix.tables() {
        let name = sheet_name(&format!("{}.{}", table.number, one_line(&table.short)), &mut names);
        let sheet = workbook.add_worksheet().set_name(name)?;
        category(sheet, appendix, table, &styles)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn overview(sheet: &mut Worksheet, appendix: &Appendix, styles: &Styles) -> Result<(), XlsxError> {
    let mut row = 0;
    write(sheet, row, 0, &one_line(&appendix.title), &styles.title)?;
    for line in appendix.survey_line.iter().chain(&appendix.source_line) {
        row += 1;
        write(sheet, row, 0, &one_line(line), &styles.plain)?;
    }
    row += 2;
    for (column, header) in (0..).zip(["番号", "区分", "該当", "この表の件数", "掲載", "ほか類似", "前書き"])
    {
        write(sheet, row, column, header, &styles.header)?;
    }
    for table in appendix.tables() {
        row += 1;
        sheet.write_number_with_format(row, 0, table.number as f64, &styles.text)?;
        write(sheet, row, 1, &one_line(&table.heading), &styles.text)?;
        for (column, number) in (2..).zip([table.coded, table.filed, table.printed(), table.similar()]) {
            sheet.write_number_with_format(row, column, number as f64, &styles.text)?;
        }
        let introduction: Vec<String> = table.introduction.iter().map(|paragraph| one_line(paragraph)).collect();
        write(sheet, row, 6, &introduction.join("\n"), &styles.text)?;
    }
    row += 2;
    let totals = appendix.totals;
    for (label, number) in [
        ("読み込んだコメント", totals.comments),
        ("いずれかの区分に入ったコメント", totals.filed),
        ("掲載した事例（重複を除く）", totals.quotes),
        ("ほか類似（重複を除く）", totals.similar),
    ] {
        write(sheet, row, 1, label, &styles.text)?;
        sheet.write_number_with_format(row, 2, number as f64, &styles.text)?;
        row += 1;
    }
    for line in appendix.legend() {
        row += 1;
        write(sheet, row, 1, &one_line(&line), &styles.plain)?;
    }
    for (column, width) in [(0, 8.0), (1, 52.0), (2, 10.0), (3, 14.0), (4, 10.0), (5, 10.0), (6, 60.0)] {
        sheet.set_column_width(column, width)?;
    }
    page_setup(sheet, appendix, "概要");
    Ok(())
}

fn every_quote(sheet: &mut Worksheet, appendix: &Appendix, styles: &Styles) -> Result<(), XlsxError> {
    let columns = [NUMBER, HEADING, PREFECTURE, FACILITY, QUESTION, QUOTE, SIMILAR, CATEGORIES, ID];
    let rows: Vec<_> = appendix.quotes().collect();
    fill(sheet, appendix, &columns, &rows, styles)?;
    page_setup(sheet, appendix, "全件");
    Ok(())
}

fn category(sheet: &mut Worksheet, appendix: &Appendix, table: &Table, styles: &Styles) -> Result<(), XlsxError> {
    let mut columns = vec![NUMBER, PREFECTURE, FACILITY, QUESTION, QUOTE, SIMILAR];
    if table.parts.len() > 1 {
        columns.insert(1, PART);
    }
    if table.rows().any(|row| row.reference.is_some()) {
        columns.push(REFERENCE);
    }
    columns.extend([CATEGORIES, ID]);
    let rows: Vec<_> =
        table.parts.iter().flat_map(|part| part.rows.iter().map(move |row| (table, part, row))).collect();
    fill(sheet, appendix, &columns, &rows, styles)?;
    page_setup(sheet, appendix, &format!("{}. {}", table.number, one_line(&table.heading)));
    Ok(())
}

fn fill(
    sheet: &mut Worksheet,
    appendix: &Appendix,
    columns: &[Column],
    rows: &[(&Table, &Part, &Row)],
    styles: &Styles,
) -> Result<(), XlsxError> {
    for (index, column) in (0..).zip(columns) {
        write(sheet, 0, index, column.header, &styles.header)?;
        sheet.set_column_width(index, column.width)?;
    }
    sheet.set_row_height(0, 22)?;
    for (line, (table, part, row)) in (1..).zip(rows) {
        for (index, column) in (0..).zip(columns) {
            let optional = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
            let text = match column.header {
                "番号" => row.label.clone(),
                "内訳" => optional(&part.heading),
                "区分" => one_line(&table.heading),
                "都道府県" => optional(&row.prefecture),
                "医療機関" => optional(&row.facility),
                "設問" => optional(&row.question),
                "初出" => optional(&row.reference),
                "該当する区分" => one_line(&appendix.short_names(row)),
                "回答ID" => one_line(row.comment.as_str()),
                "ほか類似" => {
                    sheet.write_number_with_format(line, index, row.similar as f64, &styles.text)?;
                    continue;
                }
                _ => printable(&row.quote).into_owned(),
            };
            write(sheet, line, index, &text, &styles.text)?;
        }
    }
    if rows.is_empty() {
        write(sheet, 1, 0, "該当なし", &styles.plain)?;
    }
    let last = (columns.len() - 1) as u16; // a dozen columns
    sheet.autofilter(0, 0, rows.len().max(1) as u32, last)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    Ok(())
}

fn page_setup(sheet: &mut Worksheet, appendix: &Appendix, heading: &str) {
    // `&` starts a code in headers; Excel takes no more than 255 characters there.
    let text = |text: &str| text.replace('&', "&&").chars().take(110).collect::<String>();
    sheet
        .set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_margins(0.5, 0.5, 0.8, 0.7, 0.3, 0.3)
        .set_header(format!("&L{}&R{}", text(&one_line(&appendix.title)), text(heading)))
        .set_footer("&C&P / &N");
}

/// Writes a string, whatever it looks like.
fn write(sheet: &mut Worksheet, row: u32, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
    let text = within_limit(text);
    let guarded;
    let format = if looks_like_formula(&text) {
        guarded = format.clone().set_quote_prefix();
        &guarded
    } else {
        format
    };
    if text.is_empty() {
        sheet.write_blank(row, column, format)?;
    } else {
        sheet.write_string_with_format(row, column, text, format)?;
    }
    Ok(())
}

fn within_limit(text: &str) -> String {
    if text.len() <= CELL_LIMIT || text.encode_utf16().count() <= CELL_LIMIT {
        return text.to_owned();
    }
    let room = CELL_LIMIT - TRUNCATED.encode_utf16().count();
    let mut used = 0;
    let kept = text.chars().take_while(|c| {
        used += c.len_utf16();
        used <= room
    });
    kept.chain(TRUNCATED.chars()).collect()
}

/// A name that Excel takes for a sheet and that is not taken yet.
fn sheet_name(name: &str, taken: &mut HashSet<String>) -> String {
    let clean: String = name.chars().map(|c| if "[]:*?/\\'".contains(c) { '・' } else { c }).collect();
    let mut candidate: String = clean.chars().take(31).collect();
    for n in 2.. {
        if taken.insert(candidate.to_lowercase()) {
            break;
        }
        candidate = clean.chars().take(27).collect::<String>() + &format!("({n})");
    }
    candidate
}
