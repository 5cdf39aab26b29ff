//! The list that goes out to the person who decides.

use rust_xlsxwriter::{
    Color, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, DataValidationErrorStyle, DocProperties,
    ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};

use crate::review::{
    ReviewError,
    codings::Difference,
    export::{lines, set_height},
    sheet::{GUIDE_SHEET, ID, NOTE, PRIMARY, ReviewCategory, STATE_SHEET, TEXT, cell_text},
};

use super::{Coders, FORMAT_VERSION, IN, LIST_SHEET, ListedRow, OPEN, OUT, SHOWN, SIGNATURE};

/// Most rows of a sheet under its header.
const MAX_ROWS: usize = 1_048_575;

/// Widths of columns in digits.
const TEXT_WIDTH: f64 = 54.0;
const SHOWN_WIDTH: f64 = 14.0;

/// Column of the primary section; those of the categories follow, then the note.
const PRIMARY_COLUMN: u16 = 2 + SHOWN.len() as u16;
const FIRST_CATEGORY: u16 = PRIMARY_COLUMN + 1;

/// What a list is made from, beside the differences.
#[derive(Debug, Clone, Copy)]
pub struct ListInfo<'i> {
    /// [`crate::casebook::Casebook::identity`].
    pub casebook: &'i str,
    /// When, as the caller's clock has it (RFC 3339).
    pub written_at: &'i str,
    /// Who coded.
    pub coders: &'i Coders,
}

/// How to go about it.
const STEPS: [&str; 7] = [
    "「食い違い」シートの、見出しが黄色い列（主分類・各分類・メモ）だけを書き換えます。二人の分類が食い違うセルは「？」になっています。",
    "分類の「？」を、付けるなら ○、付けないなら × にします。二人が一致したセル（○か空欄）も、誤りなら ○ か × に変えられます。",
    "主分類の「？」は一覧から選びます。残る分類（横断の分類を除く）が一つだけなら「？」のままでかまいません。",
    "行の一部だけを決めることはできません。まだ決めていない行は、すべて「？」のままにしておけば、あとで取り込めます。",
    "メモには決めた理由を書けます（事例帳のメモになります）。",
    "並べ替え、絞り込み、列の移動、要らない行の削除は自由です。番号・回答・見出しは変えないでください。",
    "xlsx のまま保存し、閉じてから取り込みます: jirei review import ファイル名 --coder お名前（先に --dry-run を付けると、何が変わるかだけを確かめられます）",
];

/// The comments on which two coders differ as a workbook to be filled in and imported.
///
/// # Errors
///
/// When there are more comments than rows, or the workbook cannot be put together.
pub fn adjudication_workbook(
    differences: &[Difference<'_>],
    categories: &[ReviewCategory],
    info: ListInfo<'_>,
) -> Result<Vec<u8>, ReviewError> {
    if differences.len() > MAX_ROWS {
        return Err(ReviewError::TooManyRows(differences.len()));
    }
    let mut workbook = Workbook::new();
    // Bytes must not depend on the clock.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title("食い違う分類の一覧").set_creation_datetime(&created));
    list(workbook.add_worksheet(), differences, categories)?;
    guide(workbook.add_worksheet(), categories, info)?;
    state(workbook.add_worksheet(), differences, categories, info)?;
    Ok(workbook.save_to_buffer()?)
}

/// Row, from 0, of the first section in the guide, where the drop-down of the primary section points.
const GUIDE_SECTIONS_ROW: u32 = 6 + STEPS.len() as u32;

fn list(sheet: &mut Worksheet, differences: &[Difference<'_>], categories: &[ReviewCategory]) -> Result<(), XlsxError> {
    let head = |color| {
        let format = Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(color));
        format.set_align(FormatAlign::VerticalCenter).set_border_bottom(FormatBorder::Thin)
    };
    let (fixed_head, editable_head) = (head(0x00E8_EEF4), head(0x00FF_F2CC));
    // An apostrophe that is not shown: what looks like a formula stays text even when the cell is edited.
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_quote_prefix();
    let center = Format::new().set_align(FormatAlign::Top).set_align(FormatAlign::Center);
    let input = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_num_format("@");
    sheet.set_name(LIST_SHEET)?.set_freeze_panes(1, 2)?.set_row_height(0, 34)?;
    let note = FIRST_CATEGORY + categories.len() as u16;
    let fixed = [(ID, 11.0), (TEXT, TEXT_WIDTH)].into_iter().chain(SHOWN.map(|header| (header, SHOWN_WIDTH)));
    for (column, (header, width)) in (0..).zip(fixed) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &fixed_head)?;
    }
    let editable = std::iter::once((PRIMARY, 12.0))
        .chain(categories.iter().map(|category| (category.label.as_str(), 9.5)))
        .chain([(NOTE, 36.0)]);
    for (column, (header, width)) in (PRIMARY_COLUMN..).zip(editable) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &editable_head)?;
    }
    for (row, difference) in (1..).zip(differences) {
        let listed = ListedRow::of(difference);
        let (text, shown) = (&difference.first.text, shown(difference, categories));
        let height = shown.iter().map(|cell| lines(cell, SHOWN_WIDTH)).max().unwrap_or(1);
        set_height(sheet, row, lines(text, TEXT_WIDTH).max(height))?;
        for (column, cell) in (0..).zip([listed.id.clone(), text.clone()].into_iter().chain(shown)) {
            sheet.write_string_with_format(row, column, cell_text(&cell), &wrapped)?;
        }
        let primary = match &listed.primaries[0] {
            _ if listed.is_primary_contested() => OPEN,
            Some(primary) => label(primary, categories),
            None => "",
        };
        sheet.write_string_with_format(row, PRIMARY_COLUMN, primary, &center)?;
        for (column, category) in (FIRST_CATEGORY..).zip(categories) {
            sheet.write_string_with_format(row, column, listed.agreed(&category.id).cell(), &center)?;
        }
        sheet.write_string_with_format(row, note, "", &input)?;
    }
    let last = differences.len() as u32;
    sheet.autofilter(0, 0, last, note)?;
    if last > 0 && !categories.is_empty() {
        drop_downs(sheet, categories, last)?;
        let open = Format::new().set_background_color(Color::RGB(0x00FF_E699)).set_bold();
        let rule =
            ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::EqualTo(OPEN.to_owned())).set_format(open);
        sheet.add_conditional_format(1, PRIMARY_COLUMN, last, note - 1, &rule)?;
    }
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

/// What the two gave, in the order of the columns that show it.
fn shown(difference: &Difference<'_>, categories: &[ReviewCategory]) -> [String; SHOWN.len()] {
    let labels = |ids: &[&str]| ids.iter().map(|id| label(id, categories)).collect::<Vec<_>>().join("、");
    let primary =
        |primary: &Option<String>| primary.as_deref().map_or_else(String::new, |id| label(id, categories).to_owned());
    [
        labels(&difference.only_first()),
        labels(&difference.only_second()),
        labels(&difference.both()),
        primary(&difference.first.primary),
        primary(&difference.second.primary),
        difference.first.note.clone(),
        difference.second.note.clone(),
    ]
}

fn label<'c>(id: &'c str, categories: &'c [ReviewCategory]) -> &'c str {
    categories.iter().find(|category| category.id == id).map_or(id, |category| category.label.as_str())
}

fn drop_downs(sheet: &mut Worksheet, categories: &[ReviewCategory], last: u32) -> Result<(), XlsxError> {
    let stop = |validation: DataValidation, message: &str| {
        let validation = validation.set_error_style(DataValidationErrorStyle::Stop);
        validation.set_error_title("この欄に書ける言葉")?.set_error_message(message)
    };
    let sections = categories.iter().filter(|category| category.is_section).count() as u32;
    if sections > 0 {
        let first = GUIDE_SECTIONS_ROW + 1;
        let list = Formula::new(format!("='{GUIDE_SHEET}'!$A${first}:$A${}", first + sections - 1));
        let validation = stop(DataValidation::new().allow_list_formula(list), "一覧にある分類から選んでください。")?;
        sheet.add_data_validation(1, PRIMARY_COLUMN, last, PRIMARY_COLUMN, &validation)?;
    }
    let validation = DataValidation::new().allow_list_strings(&[IN, OUT])?;
    let validation = stop(validation, "○（付ける）か ×（付けない）を選んでください。")?;
    let last_category = FIRST_CATEGORY + categories.len() as u16 - 1;
    sheet.add_data_validation(1, FIRST_CATEGORY, last, last_category, &validation)?;
    Ok(())
}

fn guide(sheet: &mut Worksheet, categories: &[ReviewCategory], info: ListInfo<'_>) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap();
    sheet.set_name(GUIDE_SHEET)?.set_column_width(0, 100)?;
    let [first, second] = info.coders.names();
    sheet.write_string_with_format(0, 0, "食い違いを決める人へ", &bold)?;
    sheet.write_string(1, 0, format!("A: {first}"))?.write_string(2, 0, format!("B: {second}"))?;
    for (row, step) in (4..).zip(STEPS) {
        sheet.write_string_with_format(row, 0, step, &wrapped)?;
    }
    sheet.write_string_with_format(GUIDE_SECTIONS_ROW - 1, 0, "主分類にできる分類", &bold)?;
    let sections = categories.iter().filter(|category| category.is_section);
    for (row, category) in (GUIDE_SECTIONS_ROW..).zip(sections) {
        sheet.write_string(row, 0, &category.label)?;
    }
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn state(
    sheet: &mut Worksheet,
    differences: &[Difference<'_>],
    categories: &[ReviewCategory],
    info: ListInfo<'_>,
) -> Result<(), XlsxError> {
    fn json(value: &impl serde::Serialize) -> Result<String, XlsxError> {
        serde_json::to_string(value).map_err(|error| XlsxError::ParameterError(format!("state: {error}")))
    }
    sheet.set_name(STATE_SHEET)?.set_very_hidden(true);
    sheet.write_string(0, 0, SIGNATURE)?.write_string(0, 1, FORMAT_VERSION.to_string())?;
    sheet.write_string(1, 0, "casebook")?.write_string(1, 1, info.casebook)?;
    sheet.write_string(2, 0, "written_at")?.write_string(2, 1, info.written_at)?;
    sheet.write_string(3, 0, "coders")?.write_string(3, 1, json(info.coders)?)?;
    sheet.write_string(4, 0, "categories")?;
    for (column, category) in (1..).zip(categories) {
        // One a cell: a cell is limited.
        sheet.write_string(4, column, json(category)?)?;
    }
    for (row, difference) in (5..).zip(differences) {
        let listed = ListedRow::of(difference);
        sheet.write_string(row, 0, cell_text(&listed.id).trim())?.write_string(row, 1, json(&listed)?)?;
    }
    Ok(())
}
