//! The result for other programs: jsonl, csv and xlsx have the same fields.

use std::{collections::BTreeSet, io::Write, ops::Range};

use rust_xlsxwriter::{Color, Format, Workbook, Worksheet};
use serde_json::{Map, Value, json};

use super::{Shown, facet_key, facet_label};
use crate::{
    cli::table,
    search::{Hit, KwicLine},
};

const HEADERS: [&str; 11] = [
    "id",
    "prefecture",
    "facility",
    "question",
    "text",
    "categories",
    "primary",
    "good_quote",
    "position",
    "score",
    "highlights",
];
const XLSX_HEADERS: [(&str, f64); 11] = [
    ("番号", 12.0),
    ("都道府県", 10.0),
    ("施設", 14.0),
    ("設問", 7.0),
    ("回答", 70.0),
    ("分類", 28.0),
    ("主な分類", 14.0),
    ("引用候補", 9.0),
    ("取り込み順", 10.0),
    ("関連の強さ", 10.0),
    ("該当箇所", 14.0),
];
const TEXT: usize = 4;

const KWIC_HEADERS: [&str; 10] =
    ["id", "prefecture", "facility", "question", "left", "keyword", "right", "start", "end", "categories"];
const XLSX_KWIC_HEADERS: [(&str, f64); 10] = [
    ("番号", 12.0),
    ("都道府県", 10.0),
    ("施設", 14.0),
    ("設問", 7.0),
    ("前の文脈", 50.0),
    ("語", 16.0),
    ("後の文脈", 50.0),
    ("始まり（字）", 8.0),
    ("終わり（字）", 8.0),
    ("分類", 28.0),
];

const FACET_HEADERS: [&str; 4] = ["field", "value", "label", "count"];

/// The most characters that a cell takes.
const MAX_CELL: usize = 32_767;

pub(super) fn write_jsonl(out: &mut dyn Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    match &shown.concordance {
        Some(lines) => {
            let hits = shown.hits_by_id();
            for line in lines {
                let hit = hits.get(&line.comment).copied();
                let cells = kwic_cells(hit, line, |id| id.to_owned());
                let mut object: Map<String, Value> =
                    KWIC_HEADERS.iter().zip(cells).map(|(header, cell)| ((*header).to_owned(), json!(cell))).collect();
                object.insert("start".into(), json!(line.char_range.start));
                object.insert("end".into(), json!(line.char_range.end));
                if let Some(hit) = hit {
                    object.insert("prefecture".into(), json!(hit.comment.prefecture));
                    object.insert("facility".into(), json!(hit.comment.facility));
                    object.insert("question".into(), json!(hit.comment.question));
                    object.insert("categories".into(), json!(hit.categories));
                }
                writeln!(out, "{}", Value::Object(object))?;
            }
        }
        None => {
            for hit in &shown.result.hits {
                let mut line = serde_json::to_value(&hit.comment)?;
                line["categories"] = json!(hit.categories);
                line["primary"] = json!(hit.primary);
                line["good_quote"] = json!(hit.good_quote);
                line["position"] = json!(hit.position);
                line["score"] = json!(hit.score);
                line["highlights"] =
                    hit.highlights.iter().map(|range| json!({"start": range.start, "end": range.end})).collect();
                writeln!(out, "{line}")?;
            }
        }
    }
    if !shown.result.facets.is_empty() {
        let facets: Map<String, Value> = shown
            .result
            .facets
            .iter()
            .map(|facet| {
                let values: Map<String, Value> =
                    facet.values.iter().map(|value| (value.value.clone(), json!(value.count))).collect();
                (facet_key(&facet.field).to_owned(), json!(values))
            })
            .collect();
        let missing: Map<String, Value> = shown
            .result
            .facets
            .iter()
            .map(|facet| (facet_key(&facet.field).to_owned(), json!(facet.missing)))
            .collect();
        writeln!(out, "{}", json!({"total": shown.result.total, "facets": facets, "missing": missing}))?;
    }
    Ok(())
}

pub(super) fn write_csv(out: &mut dyn Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let id = |id: &str| id.to_owned();
    match &shown.concordance {
        Some(lines) => {
            out.write_all(&table::csv_line(KWIC_HEADERS)?)?;
            let hits = shown.hits_by_id();
            for line in lines {
                let hit = hits.get(&line.comment).copied();
                out.write_all(&table::csv_line(kwic_cells(hit, line, id))?)?;
            }
        }
        None => {
            let columns = columns(&shown.result.hits);
            out.write_all(&table::csv_line(HEADERS.iter().copied().chain(columns.iter().map(String::as_str)))?)?;
            for hit in &shown.result.hits {
                out.write_all(&table::csv_line(cells(hit, &columns, id))?)?;
            }
        }
    }
    Ok(())
}

/// The counts alone.
pub(super) fn write_facet_csv(out: &mut dyn Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    out.write_all(&table::csv_line(FACET_HEADERS)?)?;
    for facet in &shown.result.facets {
        let key = facet_key(&facet.field);
        for value in &facet.values {
            out.write_all(&table::csv_line([key, &value.value, &value.label, &value.count.to_string()])?)?;
        }
        if facet.missing > 0 {
            out.write_all(&table::csv_line([key, "", "", &facet.missing.to_string()])?)?;
        }
    }
    Ok(())
}

/// A workbook: the hits with what was found in red, the counts, and how it was searched.
pub(super) fn workbook(shown: &Shown<'_>) -> anyhow::Result<Vec<u8>> {
    let mut workbook = table::new_workbook()?;
    match &shown.concordance {
        Some(lines) => {
            let sheet = sheet(&mut workbook, "コンコーダンス", XLSX_KWIC_HEADERS, &[])?;
            let name = |id: &str| shown.category(id).to_owned();
            let hits = shown.hits_by_id();
            for (row, line) in (1..).zip(lines) {
                let hit = hits.get(&line.comment).copied();
                write_row(sheet, row, &kwic_cells(hit, line, name), &[7, 8], None)?;
            }
            sheet.autofilter(0, 0, lines.len() as u32, XLSX_KWIC_HEADERS.len() as u16 - 1)?;
        }
        None => {
            let hits = &shown.result.hits;
            let columns = columns(hits);
            let sheet = sheet(&mut workbook, "検索結果", XLSX_HEADERS, &columns)?;
            let name = |id: &str| shown.category(id).to_owned();
            for (row, hit) in (1..).zip(hits) {
                write_row(sheet, row, &cells(hit, &columns, name), &[8, 9], Some(hit))?;
            }
            sheet.autofilter(0, 0, hits.len() as u32, (XLSX_HEADERS.len() + columns.len()) as u16 - 1)?;
        }
    }
    if !shown.result.facets.is_empty() {
        let sheet = sheet(&mut workbook, "件数", [("項目", 16.0), ("値", 28.0), ("件数", 10.0)], &[])?;
        let mut row = 0;
        for facet in &shown.result.facets {
            let label = facet_label(&facet.field);
            let values = facet.values.iter().map(|value| (value.label.as_str(), value.count));
            let missing = Some(("（なし）", facet.missing)).filter(|(_, count)| *count > 0);
            for (value, count) in values.chain(missing) {
                row += 1;
                write_row(sheet, row, &[label.to_owned(), value.to_owned(), count.to_string()], &[2], None)?;
            }
        }
    }
    let sheet = sheet(&mut workbook, "条件", [("項目", 16.0), ("内容", 90.0)], &[])?;
    let mut conditions = vec![("検索語".to_owned(), shown.query.to_owned())];
    conditions.push(("件数".to_owned(), shown.result.total.to_string()));
    for expansion in &shown.result.expansions {
        conditions.push((format!("類義語（{}）", expansion.word), expansion.synonyms.join("・")));
    }
    conditions.extend(shown.result.notes.iter().map(|note| ("注記".to_owned(), note.to_string())));
    for (row, (name, value)) in (1..).zip(conditions) {
        write_row(sheet, row, &[name, value], &[], None)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn sheet<'w, const N: usize>(
    workbook: &'w mut Workbook,
    name: &str,
    headers: [(&str, f64); N],
    more: &[String],
) -> anyhow::Result<&'w mut Worksheet> {
    let (head, _) = table::formats();
    let sheet = workbook.add_worksheet();
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    let more = more.iter().map(|header| (header.as_str(), 16.0));
    for (column, (header, width)) in (0..).zip(headers.into_iter().chain(more)) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &head)?;
    }
    Ok(sheet)
}

fn write_row(
    sheet: &mut Worksheet,
    row: u32,
    cells: &[String],
    numbers: &[usize],
    marked: Option<&Hit>,
) -> anyhow::Result<()> {
    let (_, wrapped) = table::formats();
    for (column, cell) in cells.iter().enumerate() {
        let at = column as u16;
        let number = numbers.contains(&column).then(|| cell.parse::<f64>().ok()).flatten();
        let length = cell.chars().map(char::len_utf16).sum::<usize>();
        match (number, marked.filter(|hit| column == TEXT && !hit.highlights.is_empty() && length <= MAX_CELL)) {
            (Some(number), _) => sheet.write_number_with_format(row, at, number, &wrapped)?,
            (None, Some(hit)) => {
                let (plain, red) = (Format::new(), Format::new().set_bold().set_font_color(Color::Red));
                let pieces = pieces(&hit.comment.text, &hit.highlights);
                let pieces: Vec<(&Format, &str)> = pieces
                    .iter()
                    .map(|(is_marked, text)| (if *is_marked { &red } else { &plain }, text.as_str()))
                    .collect();
                sheet.write_rich_string_with_format(row, at, &pieces, &wrapped)?
            }
            (None, None) if length > MAX_CELL => {
                let mut kept = 0;
                let cut: String = cell
                    .chars()
                    .take_while(|c| {
                        kept += c.len_utf16();
                        kept < MAX_CELL
                    })
                    .collect();
                sheet.write_string_with_format(row, at, format!("{cut}…"), &wrapped)?
            }
            (None, None) => sheet.write_string_with_format(row, at, cell, &wrapped)?,
        };
    }
    Ok(())
}

/// A text cut where its marks begin and end; none of the pieces is empty.
fn pieces(text: &str, marks: &[Range<usize>]) -> Vec<(bool, String)> {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for (at, c) in text.chars().enumerate() {
        let is_marked = marks.iter().any(|mark| mark.contains(&at));
        match pieces.last_mut() {
            Some((same, piece)) if *same == is_marked => piece.push(c),
            _ => pieces.push((is_marked, c.to_string())),
        }
    }
    pieces
}

/// The headers of the responses' other columns, in order.
fn columns(hits: &[Hit]) -> Vec<String> {
    let names: BTreeSet<&str> =
        hits.iter().flat_map(|hit| hit.comment.attributes.iter().map(|(name, _)| name)).collect();
    names.into_iter().map(str::to_owned).collect()
}

fn cells(hit: &Hit, columns: &[String], category: impl Fn(&str) -> String) -> Vec<String> {
    let comment = &hit.comment;
    let of = |value: &Option<String>| value.clone().unwrap_or_default();
    let highlights: Vec<String> = hit.highlights.iter().map(|range| format!("{}-{}", range.start, range.end)).collect();
    let good_quote = hit.good_quote.map_or("", |good| if good { "はい" } else { "いいえ" });
    let mut cells = vec![
        comment.id.to_string(),
        of(&comment.prefecture),
        of(&comment.facility),
        of(&comment.question),
        comment.text.clone(),
        hit.categories.iter().map(|id| category(id)).collect::<Vec<_>>().join(";"),
        hit.primary.as_deref().map(&category).unwrap_or_default(),
        good_quote.to_owned(),
        hit.position.to_string(),
        format!("{:.3}", hit.score),
        highlights.join(";"),
    ];
    cells.extend(columns.iter().map(|name| comment.attributes.get(name).unwrap_or_default().to_owned()));
    cells
}

fn kwic_cells(hit: Option<&Hit>, line: &KwicLine, category: impl Fn(&str) -> String) -> Vec<String> {
    let of = |value: fn(&Hit) -> Option<&String>| hit.and_then(value).cloned().unwrap_or_default();
    let categories = hit.map(|hit| hit.categories.iter().map(|id| category(id)).collect::<Vec<_>>().join(";"));
    vec![
        line.comment.to_string(),
        of(|hit| hit.comment.prefecture.as_ref()),
        of(|hit| hit.comment.facility.as_ref()),
        of(|hit| hit.comment.question.as_ref()),
        line.left.clone(),
        line.keyword.clone(),
        line.right.clone(),
        line.char_range.start.to_string(),
        line.char_range.end.to_string(),
        categories.unwrap_or_default(),
    ]
}
