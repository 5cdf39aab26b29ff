//! The workbook that goes out to a person.

use std::collections::HashSet;

use rust_xlsxwriter::{
    Color, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, DataValidationErrorStyle, DocProperties,
    ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    casebook::{FrameCategory, StoredComment},
    codebook::Codebook,
    report::printable,
};

use super::{
    ReviewError, certainty,
    sheet::{
        self, CERTAINTY, ExportedRow, FACILITY, FORMAT_VERSION, GOOD_QUOTE, GUIDE_SHEET, ID, Mark, NOTE, PREFECTURE,
        PRIMARY, QUESTION, REVIEW_SHEET, ReviewCategory, SIGNATURE, STATE_SHEET, TEXT, cell_text, good_quote_word,
    },
};

/// Most rows of a sheet under its header.
const MAX_ROWS: usize = 1_048_575;

const FONT: &str = "游ゴシック";

/// Widths of columns in digits, of which a full-width character takes two and a little more.
const TEXT_WIDTH: f64 = 54.0;
const NOTE_WIDTH: f64 = 36.0;
const GUIDE_WIDTH: f64 = 100.0;

/// Points of a line, and of the highest row.
const LINE_HEIGHT: f64 = 18.75;
const MAX_HEIGHT: f64 = 409.0;

/// What a workbook is made from, beside the comments.
#[derive(Debug, Clone, Copy)]
pub struct ExportInfo<'e> {
    /// [`crate::casebook::Casebook::identity`].
    pub casebook: &'e str,
    /// When, as the caller's clock has it (RFC 3339).
    pub exported_at: &'e str,
    /// The same for the person: the day by their clock.
    pub exported_on: &'e str,
    /// What part of the casebook it is, for the person: `●を含むコメント`, `5% の標本`.
    pub selection: &'e str,
}

struct Styles {
    head: Format,
    editable_head: Format,
    text: Format,
    center: Format,
    number: Format,
    input: Format,
    bold: Format,
    regular: Format,
}

impl Styles {
    fn new() -> Self {
        let line = Color::RGB(0xD5DBE1);
        let base = || {
            Format::new()
                .set_font_name(FONT)
                .set_align(FormatAlign::Top)
                .set_border_bottom(FormatBorder::Hair)
                .set_border_bottom_color(line)
        };
        let head = |color| {
            Format::new()
                .set_font_name(FONT)
                .set_bold()
                .set_text_wrap()
                .set_background_color(Color::RGB(color))
                .set_align(FormatAlign::VerticalCenter)
                .set_border_bottom(FormatBorder::Thin)
                .set_border_bottom_color(Color::RGB(0x1F_4E79))
        };
        Self {
            head: head(0x00E8_EEF4),
            editable_head: head(0x00FF_F2CC),
            // An apostrophe that is not shown: what looks like a formula stays text even when the cell is edited.
            text: base().set_text_wrap().set_quote_prefix(),
            center: base().set_align(FormatAlign::Center),
            number: base().set_num_format("0.00"),
            // Text, so that a note may begin with = or -.
            input: base().set_text_wrap().set_num_format("@"),
            bold: Format::new().set_font_name(FONT).set_bold().set_font_color(Color::RGB(0x00C0_0000)),
            regular: Format::new().set_font_name(FONT),
        }
    }
}

/// Columns of the review sheet.
struct Layout {
    categories: Vec<ReviewCategory>,
}

impl Layout {
    const ID: u16 = 0;
    const TEXT: u16 = 4;
    const CERTAINTY: u16 = 5;
    const PRIMARY: u16 = 6;
    const FIRST_CATEGORY: u16 = 7;

    fn good_quote(&self) -> u16 {
        Self::FIRST_CATEGORY + self.categories.len() as u16
    }

    fn note(&self) -> u16 {
        self.good_quote() + 1
    }
}

/// The comments as a workbook: the least certain first, equally certain ones in the order in which they came in.
/// Definitions of categories are taken from `codebook` where it has them.
///
/// # Errors
///
/// When there are more comments than rows, two ids cannot be told apart, or the workbook cannot be put together.
pub fn workbook(
    mut comments: Vec<StoredComment>,
    frame: &[FrameCategory],
    codebook: Option<&Codebook>,
    info: ExportInfo<'_>,
) -> Result<Vec<u8>, ReviewError> {
    if comments.len() > MAX_ROWS {
        return Err(ReviewError::TooManyRows(comments.len()));
    }
    let mut seen = HashSet::new();
    for comment in &comments {
        if !seen.insert(shown_id(comment)) {
            return Err(ReviewError::AmbiguousId(comment.comment.id.to_string()));
        }
    }
    comments
        .sort_by(|a, b| certainty(a, frame).total_cmp(&certainty(b, frame)).then_with(|| a.position.cmp(&b.position)));
    let layout = Layout { categories: sheet::categories(frame) };
    let styles = Styles::new();
    let mut workbook = Workbook::new();
    // Bytes must not depend on the clock.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title("コメントの確認と修正").set_creation_datetime(&created));
    review(workbook.add_worksheet(), &comments, frame, &layout, &styles)?;
    guide(workbook.add_worksheet(), &layout, frame, codebook, info, comments.len())?;
    state(workbook.add_worksheet(), &comments, &layout, info)?;
    Ok(workbook.save_to_buffer()?)
}

/// The id as its cell shows it.
fn shown_id(comment: &StoredComment) -> String {
    cell_text(comment.comment.id.as_str()).trim().to_owned()
}

fn review(
    sheet: &mut Worksheet,
    comments: &[StoredComment],
    frame: &[FrameCategory],
    layout: &Layout,
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name(REVIEW_SHEET)?.set_freeze_panes(1, Layout::TEXT + 1)?.set_row_height(0, 34)?;
    header(sheet, layout, styles)?;
    let label = |id: &str| layout.categories.iter().find(|category| category.id == id).map(|c| c.label.as_str());
    for (row, comment) in (1..).zip(comments) {
        let exported = ExportedRow::of(comment);
        let of = &comment.comment;
        sheet.write_string_with_format(row, Layout::ID, shown_id(comment), &styles.text)?;
        for (column, value) in [(1, &of.prefecture), (2, &of.facility), (3, &of.question)] {
            let value = value.as_deref().map(cell_text).unwrap_or_default();
            sheet.write_string_with_format(row, column, value, &styles.text)?;
        }
        write_text(sheet, row, comment, styles)?;
        let certainty = (f64::from(certainty(comment, frame)) * 100.0).round() / 100.0;
        sheet.write_number_with_format(row, Layout::CERTAINTY, certainty, &styles.number)?;
        let primary = exported.primary.as_deref().and_then(label).unwrap_or_default();
        sheet.write_string_with_format(row, Layout::PRIMARY, primary, &styles.center)?;
        for (column, category) in (Layout::FIRST_CATEGORY..).zip(&layout.categories) {
            sheet.write_string_with_format(row, column, exported.mark(&category.id).word(), &styles.center)?;
        }
        let good_quote = good_quote_word(exported.good_quote);
        sheet.write_string_with_format(row, layout.good_quote(), good_quote, &styles.center)?;
        let lines = lines(&cell_text(&of.text), TEXT_WIDTH).max(lines(&exported.note, NOTE_WIDTH));
        set_height(sheet, row, lines)?;
        sheet.write_string_with_format(row, layout.note(), exported.note, &styles.input)?;
    }
    let last = comments.len() as u32;
    sheet.autofilter(0, 0, last, layout.note())?;
    if last > 0 {
        drop_downs(sheet, layout, last)?;
        colours(sheet, layout, last)?;
    }
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    sheet.set_header("&C&A").set_footer("&C&P / &N");
    Ok(())
}

fn header(sheet: &mut Worksheet, layout: &Layout, styles: &Styles) -> Result<(), XlsxError> {
    let fixed =
        [(ID, 11.0), (PREFECTURE, 10.0), (FACILITY, 12.0), (QUESTION, 7.0), (TEXT, TEXT_WIDTH), (CERTAINTY, 8.0)];
    for (column, (header, width)) in (0..).zip(fixed) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &styles.head)?;
    }
    let labels = layout.categories.iter().map(|category| category.label.as_str());
    let editable = std::iter::once((PRIMARY, 12.0))
        .chain(labels.map(|label| (label, 9.5)))
        .chain([(GOOD_QUOTE, 9.5), (NOTE, NOTE_WIDTH)]);
    for (column, (header, width)) in (Layout::PRIMARY..).zip(editable) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &styles.editable_head)?;
    }
    Ok(())
}

/// The comment's text with the words on which the rules rest in bold.
fn write_text(sheet: &mut Worksheet, row: u32, comment: &StoredComment, styles: &Styles) -> Result<(), XlsxError> {
    let text = &comment.comment.text;
    let whole = cell_text(text);
    let mut marked = vec![false; text.chars().count()];
    for evidence in comment.codings.iter().flat_map(|coding| &coding.evidence) {
        if let Some(range) = marked.get_mut(evidence.char_range.clone()) {
            range.fill(true);
        }
    }
    let mut runs: Vec<(bool, String)> = Vec::new();
    // Excel shows a text of more than some thousand characters anyway only in part: no bold words beyond a cell.
    if printable(text) == whole && marked.contains(&true) {
        for (c, is_marked) in text.chars().zip(marked) {
            match runs.last_mut() {
                Some((bold, run)) if *bold == is_marked => run.push(c),
                _ => runs.push((is_marked, c.to_string())),
            }
        }
        for (_, run) in &mut runs {
            *run = printable(run).into_owned();
        }
        runs.retain(|(_, run)| !run.is_empty());
    }
    if runs.is_empty() {
        sheet.write_string_with_format(row, Layout::TEXT, whole, &styles.text)?;
    } else {
        let segments: Vec<(&Format, &str)> =
            runs.iter().map(|(bold, run)| (if *bold { &styles.bold } else { &styles.regular }, run.as_str())).collect();
        sheet.write_rich_string_with_format(row, Layout::TEXT, &segments, &styles.text)?;
    }
    Ok(())
}

/// About how many lines a text takes in a column; programs that do not fit rows to wrapped text need to be told.
pub(super) fn lines(text: &str, width: f64) -> usize {
    let room = (width / 1.1).max(1.0) as usize;
    text.lines().map(|line| line.width_cjk().div_ceil(room).max(1)).sum()
}

pub(super) fn set_height(sheet: &mut Worksheet, row: u32, lines: usize) -> Result<(), XlsxError> {
    if lines > 1 {
        sheet.set_row_height(row, (lines as f64 * LINE_HEIGHT).min(MAX_HEIGHT))?;
    }
    Ok(())
}

fn drop_downs(sheet: &mut Worksheet, layout: &Layout, last: u32) -> Result<(), XlsxError> {
    let sections: Vec<&str> =
        layout.categories.iter().filter(|category| category.is_section).map(|c| c.label.as_str()).collect();
    let stop = |validation: DataValidation, message: &str| {
        validation
            .set_error_style(DataValidationErrorStyle::Stop)
            .set_error_title("この欄に書ける言葉")?
            .set_error_message(message)
    };
    if !sections.is_empty() {
        // The list stands in the guide, since a list in the cell itself is limited to 255 characters.
        let first = GUIDE_SECTIONS_ROW + 1;
        let list = Formula::new(format!("='{GUIDE_SHEET}'!$A${first}:$A${}", first + sections.len() as u32 - 1));
        let validation = DataValidation::new().allow_list_formula(list);
        let validation = stop(validation, "一覧にある分類から選んでください。")?;
        sheet.add_data_validation(1, Layout::PRIMARY, last, Layout::PRIMARY, &validation)?;
    }
    if !layout.categories.is_empty() {
        let marks = Mark::OFFERED.map(Mark::word);
        let validation = DataValidation::new().allow_list_strings(&marks)?;
        let validation = stop(validation, "承認・外す・追加 のどれかを選んでください（くわしくは「使い方」シート）。")?;
        let last_category = layout.good_quote() - 1;
        sheet.add_data_validation(1, Layout::FIRST_CATEGORY, last, last_category, &validation)?;
    }
    let validation = DataValidation::new().allow_list_strings(&[Some(true), Some(false)].map(good_quote_word))?;
    let validation =
        stop(validation, "○（引用したい）か ×（引用しない）を選んでください。空欄なら、どちらでもありません。")?;
    sheet.add_data_validation(1, layout.good_quote(), last, layout.good_quote(), &validation)?;
    Ok(())
}

fn colours(sheet: &mut Worksheet, layout: &Layout, last: u32) -> Result<(), XlsxError> {
    if layout.categories.is_empty() {
        return Ok(());
    }
    let last_category = layout.good_quote() - 1;
    for (mark, ink, ground) in [
        (Mark::Accept, 0x001F_4E79, 0x00DD_EBF7),
        (Mark::Remove, 0x009C_0006, 0x00FF_C7CE),
        (Mark::Add, 0x0000_6100, 0x00C6_EFCE),
    ] {
        let format = Format::new().set_font_color(Color::RGB(ink)).set_background_color(Color::RGB(ground));
        let rule = ConditionalFormatCell::new()
            .set_rule(ConditionalFormatCellRule::EqualTo(mark.word().to_owned()))
            .set_format(format);
        sheet.add_conditional_format(1, Layout::FIRST_CATEGORY, last, last_category, &rule)?;
    }
    Ok(())
}

/// Row, from 0, of the first section in the guide: the drop-down of the primary section points there. Title, date, four
/// headings and four blank lines stand above it beside the lists.
const GUIDE_SECTIONS_ROW: u32 = (10 + STEPS.len() + COLUMNS.len() + MARKS.len()) as u32;

/// How to go about it.
const STEPS: [&str; 5] = [
    "「レビュー」シートの、見出しが黄色い列（主分類・各分類・引用候補・メモ）だけを書き換えます。正しいところはそのままでかまいません。",
    "並べ替え、絞り込み、行や列の非表示、要らない行の削除は自由です。見出しの言葉は変えないでください。",
    "xlsx のまま保存し、閉じてから取り込みます: jirei review import ファイル名 --coder お名前",
    "先に --dry-run を付けると、何が変わるかだけを確かめられます。取り込んだあとで取り消すこともできます（jirei review log、jirei review undo）。",
    "変えたセルだけが取り込まれます。同じファイルを二度取り込んでも、二重にはなりません。",
];

/// What the columns mean.
const COLUMNS: [(&str, &str); 7] = [
    (ID, "コメントの番号。取り込みのとき、この番号でコメントを見分けます。書き換えないでください。"),
    (
        TEXT,
        "コメントの本文。規則の根拠になった語が赤い太字です。書き換えないでください（書き換えると取り込めません）。",
    ),
    (
        CERTAINTY,
        "規則の判定がどれほど確かか（0～1）。小さいものから並んでいます。次のうちいちばん小さい値です: まだ人が決めていない分類それぞれの確信度、主分類が二つ以上の分類で競っているときは 1－（次点の確信度÷主分類の確信度）÷2、分類のない回答は 20÷（20＋文字数）。人が決めたところは確かなものとして数えます。",
    ),
    (
        PRIMARY,
        "事例集で、このコメントを載せる分類。変えるときは一覧から選びます。選んだ分類は、分類の欄に付いていなくても付きます。",
    ),
    ("各分類", "規則が付けた分類は「○」、付けていない分類は空欄です。直すところだけ、一覧から選びます（下の表）。"),
    (GOOD_QUOTE, "○＝事例集に引用したい　×＝引用しない　空欄＝決めていない。"),
    (NOTE, "気づいたこと。事例集には載りません。消すとメモもなくなります。"),
];

/// What the words in the cells of categories mean.
const MARKS: [(Mark, &str); 5] = [
    (
        Mark::ByRules,
        "規則が付けた分類。そのままなら、規則が変わると分類も変わることがあります。前に選んだ「承認」「外す」をやめて規則に任せるときも「○」に戻します。",
    ),
    (Mark::Accept, "規則のとおりでよい。規則が変わっても、この分類は残ります。"),
    (Mark::Remove, "この分類には当たらない。規則が変わっても、付きません。"),
    (Mark::Add, "規則は付けていないが、この分類に当たる。前に選んだ「追加」をやめるときは空欄に戻します。"),
    (Mark::Blank, "規則は付けておらず、人も決めていない。"),
];

fn guide(
    sheet: &mut Worksheet,
    layout: &Layout,
    frame: &[FrameCategory],
    codebook: Option<&Codebook>,
    info: ExportInfo<'_>,
    rows: usize,
) -> Result<(), XlsxError> {
    let plain = Format::new().set_font_name(FONT).set_align(FormatAlign::Top).set_text_wrap();
    let strong = plain.clone().set_bold();
    let title = Format::new().set_font_name(FONT).set_bold().set_font_size(14);
    let head = strong.clone().set_background_color(Color::RGB(0x00E8_EEF4));
    sheet.set_name(GUIDE_SHEET)?.set_column_width(0, 22)?.set_column_width(1, GUIDE_WIDTH)?;
    let mut entries: Vec<(String, String, &Format)> = Vec::new();
    let heading = |text: &str, more: &str| (text.to_owned(), more.to_owned(), &head);
    entries.push(("「レビュー」シートの使い方".to_owned(), String::new(), &title));
    entries.push(("書き出した日".to_owned(), format!("{}　{rows} 件　{}", info.exported_on, info.selection), &plain));
    entries.push((String::new(), String::new(), &plain));
    entries.push(heading("進め方", ""));
    entries.extend((1..).zip(STEPS).map(|(step, what)| (step.to_string(), what.to_owned(), &plain)));
    entries.push((String::new(), String::new(), &plain));
    entries.push(heading("列", "意味"));
    entries.extend(COLUMNS.iter().map(|(column, meaning)| ((*column).to_owned(), (*meaning).to_owned(), &plain)));
    entries.push((String::new(), String::new(), &plain));
    entries.push(heading("分類の欄の言葉", "意味"));
    let words = |mark: &Mark| if *mark == Mark::Blank { "（空欄）" } else { mark.word() }.to_owned();
    entries.extend(MARKS.iter().map(|(mark, meaning)| (words(mark), (*meaning).to_owned(), &plain)));
    entries.push((String::new(), String::new(), &plain));
    entries.push(heading("主分類になる分類", "定義"));
    debug_assert_eq!(entries.len(), GUIDE_SECTIONS_ROW as usize);
    let meaning = |category: &ReviewCategory| {
        let heading = frame.iter().find(|known| *known.id == *category.id).map_or("", |known| known.heading.as_str());
        let definition = codebook
            .and_then(|codebook| Some(codebook[codebook.index_of(&category.id)?].definition.as_str()))
            .unwrap_or_default();
        if definition.is_empty() { heading.to_owned() } else { format!("{heading}: {definition}") }
    };
    let of_kind = |is_section: bool| layout.categories.iter().filter(move |category| category.is_section == is_section);
    entries.extend(of_kind(true).map(|category| (category.label.clone(), meaning(category), &plain)));
    if of_kind(false).next().is_some() {
        entries.push((String::new(), String::new(), &plain));
        entries.push(heading("横断の分類", "定義（主分類にはなりません）"));
        entries.extend(of_kind(false).map(|category| (category.label.clone(), meaning(category), &plain)));
    }
    for (row, (first, second, format)) in (0..).zip(&entries) {
        let first_format = if std::ptr::eq(*format, &plain) { &strong } else { *format };
        if !first.is_empty() {
            sheet.write_string_with_format(row, 0, cell_text(first), first_format)?;
        }
        set_height(sheet, row, lines(second, GUIDE_WIDTH))?;
        if !second.is_empty() || std::ptr::eq(*format, &head) {
            sheet.write_string_with_format(row, 1, cell_text(second), format)?;
        }
    }
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn state(
    sheet: &mut Worksheet,
    comments: &[StoredComment],
    layout: &Layout,
    info: ExportInfo<'_>,
) -> Result<(), XlsxError> {
    let json =
        |value: serde_json::Result<String>| value.map_err(|error| XlsxError::ParameterError(format!("state: {error}")));
    sheet.set_name(STATE_SHEET)?.set_very_hidden(true);
    sheet.write_string(0, 0, SIGNATURE)?.write_string(0, 1, FORMAT_VERSION.to_string())?;
    sheet.write_string(1, 0, "casebook")?.write_string(1, 1, info.casebook)?;
    sheet.write_string(2, 0, "exported_at")?.write_string(2, 1, info.exported_at)?;
    for category in &layout.categories {
        // One a cell: a cell is limited.
        let column = layout.categories.iter().position(|other| other == category).unwrap_or(0) as u16 + 1;
        sheet.write_string(3, column, json(serde_json::to_string(category))?)?;
    }
    sheet.write_string(3, 0, "categories")?;
    for (row, comment) in (4..).zip(comments) {
        let exported = ExportedRow::of(comment);
        sheet.write_string(row, 0, shown_id(comment))?;
        sheet.write_string(row, 1, json(serde_json::to_string(&exported))?)?;
        if !exported.note.is_empty() {
            sheet.write_string(row, 2, exported.note)?;
        }
    }
    Ok(())
}
