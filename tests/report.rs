//! The appendix: the model, and every format read back and compared with it.

use std::{
    collections::{BTreeMap, HashMap},
    io::{Cursor, Read},
};

use calamine::{Data, DataType, Reader, Xlsx};
use jirei::{
    classify::{Classification, Coding},
    codebook::{Category, CategoryKind, Codebook},
    comment::{Comment, CommentId},
    report::{
        Appendix, AppendixFormat, Choice, Copies, DetailFinder, DisclosureWords, Edit, EditKind, Options, RowFinding,
        Settings, group_similar, render,
    },
};
use quick_xml::events::Event;

use crate::support::ANALYZER;

fn codebook() -> Codebook {
    let category = |id: &str, kind, heading: &str, short: &str| Category {
        id: id.into(),
        kind,
        heading: heading.to_owned(),
        short: short.to_owned(),
        definition: String::new(),
    };
    Codebook::new(
        "マイナ保険証の医療現場での事例".to_owned(),
        vec![
            category("data_lag", CategoryKind::Section, "データ更新の遅れ", "データ遅れ"),
            category("display", CategoryKind::Section, "情報表示の問題", "表示"),
            category("device", CategoryKind::Section, "機器の不具合", "機器"),
            category("elderly", CategoryKind::List, "高齢の患者さんの事例", "高齢者"),
            category("smartphone", CategoryKind::List, "スマホマイナ保険証", "スマホ"),
        ],
    )
    .unwrap()
}

fn comment(
    id: &str,
    prefecture: Option<&str>,
    facility: Option<&str>,
    question: &str,
    text: &str,
    categories: &[&str],
) -> (Comment, Classification) {
    let codebook = codebook();
    let comment = Comment {
        id: CommentId::new(id),
        prefecture: prefecture.map(str::to_owned),
        facility: facility.map(str::to_owned),
        question: Some(question.to_owned()),
        ..Comment::from_text(text)
    };
    let mut codings: Vec<Coding> = categories
        .iter()
        .map(|id| Coding { category: codebook.index_of(id).unwrap(), confidence: 0.9, evidence: Vec::new() })
        .collect();
    // The first named is the primary one, should it be a section.
    let primary = codings.first().map(|coding| coding.category).filter(|c| codebook[*c].kind == CategoryKind::Section);
    codings.sort_by_key(|coding| coding.category);
    (comment, Classification { codings, primary })
}

fn small() -> Vec<(Comment, Classification)> {
    vec![
        comment(
            "a1",
            Some("東京都"),
            Some("医科診療所"),
            "問7",
            "転職して二か月たつのに前の保険者のまま出てきた。",
            &["data_lag"],
        ),
        comment(
            "a2",
            Some("北海道"),
            Some("歯科診療所"),
            "問7",
            "渡邉さまの「邉」が●になり、カルテと照らし合わせている。",
            &["display"],
        ),
        comment(
            "a3",
            Some("北海道"),
            Some("病院"),
            "問13",
            "朝から読み取り機が固まり、\n再起動を三度した。\n高齢の方が列をつくった。",
            &["device", "elderly"],
        ),
        comment("a4", None, Some("介護施設"), "問7", "カードを置くたびに認証エラーになる。", &["device"]),
        comment(
            "a5",
            Some("沖縄県"),
            None,
            "問7",
            "再起動のあいだ●の出る画面を見せるしかなかった。",
            &["device", "display"],
        ),
        comment(
            "a6",
            Some("大阪府"),
            Some("医科診療所"),
            "問11",
            "電子カルテの会社がまだ対応していない。",
            &["smartphone"],
        ),
        comment(
            "a7",
            Some("大阪府"),
            Some("医科診療所"),
            "問12",
            "スマホをかざして画面が割れたと言われた。",
            &["smartphone", "elderly"],
        ),
        comment("a8", Some("大阪府"), Some("医科診療所"), "問7", "特になし", &[]),
        comment("a9", Some("京都府"), Some("医科診療所"), "問7", "  \n ", &["device"]),
    ]
}

fn settings() -> Settings {
    Settings::parse_for(
        r#"
title = "マイナ保険証 事例集"
survey_line = "2025年8月実施、開業医への調査、N＝9"
source_line = "出典：創作の回答"
small_cells = { remedy = "keep" }

[introductions]
device = """
読み取り機や回線の不具合は、受付を止める。

復旧を待つあいだの対応も窓口が負う。
"""
"#,
        &codebook(),
    )
    .unwrap()
}

fn build(items: &[(Comment, Classification)]) -> Appendix {
    Appendix::build(items, &codebook(), &settings(), &Options::default())
}

fn bytes(appendix: &Appendix, format: AppendixFormat) -> Vec<u8> {
    render(appendix, format).unwrap()
}

fn text(appendix: &Appendix, format: AppendixFormat) -> String {
    String::from_utf8(bytes(appendix, format)).unwrap()
}

// ---- reading back: table id or number -> quotes with their notes cut off ----

/// What a table of any format shows: numbers and quotes in order.
type Shown = BTreeMap<String, Vec<(String, String)>>;

fn expected(appendix: &Appendix, line_break: &str) -> Shown {
    let tables = appendix.tables().map(|table| {
        let rows = table.rows().map(|row| (row.number.to_string(), row.quote.replace('\n', line_break))).collect();
        (table.number.to_string(), rows)
    });
    tables.collect()
}

fn number_of_label(label: &str) -> (String, String) {
    let (table, row) = label.split_once('-').unwrap();
    (table.to_owned(), row.to_owned())
}

fn shown_in_xlsx(bytes: &[u8]) -> Shown {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let mut shown = Shown::new();
    for name in workbook.sheet_names().to_vec() {
        let Some((number, _)) = name.split_once('.') else { continue };
        let range = workbook.worksheet_range(&name).unwrap();
        let mut rows = range.rows();
        let header: Vec<_> = rows.next().unwrap().iter().map(|cell| cell.to_string()).collect();
        let column = |name: &str| header.iter().position(|header| header == name).unwrap();
        let (label, quote) = (column("番号"), column("事例"));
        let rows = rows.filter(|row| row[label] != Data::String("該当なし".to_owned())).map(|row| {
            assert!(row[quote].is_string(), "{:?}", row[quote]);
            (number_of_label(&row[label].to_string()).1, row[quote].to_string())
        });
        shown.insert(number.to_owned(), rows.collect());
        assert!(workbook.worksheet_formula(&name).unwrap().is_empty(), "no formula anywhere");
    }
    shown
}

fn document_xml(bytes: &[u8]) -> String {
    part(bytes, "word/document.xml")
}

/// A part of a Word file or workbook.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut xml = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut xml).unwrap();
    xml
}

/// Reads headings and tables out of the Word file with a reader of its own.
fn shown_in_docx(bytes: &[u8]) -> Shown {
    let xml = document_xml(bytes);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut shown = Shown::new();
    let (mut style, mut paragraph, mut is_note, mut in_text) = (String::new(), String::new(), false, false);
    let (mut table, mut cells) = (String::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                "w:pStyle" => style = tag.attributes().next().unwrap().unwrap().value.to_string(),
                "w:rStyle" => is_note = true,
                "w:t" => in_text = true,
                _ => {}
            },
            Event::Text(text) if in_text && !is_note => paragraph.push_str(&text),
            Event::GeneralRef(name) if in_text && !is_note => {
                paragraph.push_str(match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" => "'",
                    other => panic!("{other}"),
                });
            }
            Event::End(tag) => match tag.name().as_ref() {
                "w:r" => is_note = false,
                "w:t" => in_text = false,
                "w:p" => {
                    let text = std::mem::take(&mut paragraph);
                    match style.as_str() {
                        "Heading1" => {
                            table = text.split_once('\u{3000}').unwrap().0.to_owned();
                            shown.insert(table.clone(), Vec::new());
                        }
                        "CaseNumber" => cells.push(text),
                        "Case" if cells.len() == 1 => cells.push(text),
                        "Case" => cells[1].extend(["\n", &text]),
                        _ => {}
                    }
                }
                "w:tr" if cells.len() == 2 => {
                    let quote = cells.pop().unwrap();
                    shown.get_mut(&table).unwrap().push((cells.pop().unwrap(), quote));
                }
                _ => {}
            },
            Event::Eof => return shown,
            _ => {}
        }
    }
}

fn shown_in_csv(bytes: &[u8]) -> Shown {
    let text = std::str::from_utf8(bytes).unwrap().strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|header| header == name).unwrap();
    let (label, quote) = (column("番号"), column("事例"));
    let mut shown = Shown::new();
    for record in reader.records() {
        let record = record.unwrap();
        let (table, number) = number_of_label(&record[label]);
        shown.entry(table).or_default().push((number, record[quote].to_owned()));
    }
    shown
}

fn shown_in_html(html: &str) -> Shown {
    let mut shown = Shown::new();
    for section in html.split("<section>").skip(1) {
        let heading = section.split_once("<h2 id=").unwrap().1;
        let number = between(heading, ">", ".").to_owned();
        let rows = section.split("<tr id=").skip(1).map(|row| {
            let quote = between(row, "<bdi class=\"quote\">", "</bdi>");
            (between(row, "<td class=\"no\">", "<").to_owned(), unescaped(quote))
        });
        shown.insert(number, rows.collect());
    }
    shown
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

fn unescaped(html: &str) -> String {
    let named = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    named.replace("&#x2f;", "/").replace("&amp;", "&")
}

fn shown_in_markdown(markdown: &str) -> Shown {
    let mut shown = Shown::new();
    let mut table = String::new();
    for line in markdown.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            table = heading.split_once(". ").unwrap().0.to_owned();
            shown.insert(table.clone(), Vec::new());
        } else if let Some(row) = line.strip_prefix(&format!("| {table}-")) {
            let (number, rest) = row.split_once(" | ").unwrap();
            let quote = rest.splitn(3, " | ").nth(2).unwrap().strip_suffix(" |").unwrap();
            shown.get_mut(&table).unwrap().push((number.to_owned(), quote.to_owned()));
        }
    }
    shown
}

fn shown_in_json(json: &str) -> Shown {
    let document: serde_json::Value = serde_json::from_str(json).unwrap();
    let tables = ["sections", "lists"].into_iter().flat_map(|key| document[key].as_array().unwrap());
    let shown = tables.map(|table| {
        let rows = table["parts"].as_array().unwrap().iter().flat_map(|part| part["rows"].as_array().unwrap());
        let rows = rows.map(|row| (row["number"].to_string(), row["quote"].as_str().unwrap().to_owned()));
        (table["number"].to_string(), rows.collect())
    });
    shown.collect()
}

/// Every format shows what the model says; tables without a row are left out where a format cannot show them.
#[track_caller]
fn all_formats_agree(appendix: &Appendix) {
    let expected = expected(appendix, "\n");
    assert_eq!(shown_in_json(&text(appendix, AppendixFormat::Json)), expected, "json");
    assert_eq!(shown_in_docx(&bytes(appendix, AppendixFormat::Docx)), expected, "docx");
    assert_eq!(shown_in_xlsx(&bytes(appendix, AppendixFormat::Xlsx)), expected, "xlsx");
    assert_eq!(shown_in_html(&text(appendix, AppendixFormat::Html)), expected, "html");
    let rows = |shown: &Shown| shown.values().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(rows(&shown_in_markdown(&text(appendix, AppendixFormat::Markdown))), rows(&expected), "md");
    let mut with_rows = expected;
    with_rows.retain(|_, rows| !rows.is_empty());
    assert_eq!(shown_in_csv(&bytes(appendix, AppendixFormat::Csv)), with_rows, "csv");
}

#[test]
fn model() {
    insta::assert_snapshot!(text(&build(&small()), AppendixFormat::Markdown));
}

#[test]
fn model_as_data() {
    insta::assert_snapshot!(text(&build(&small()[2..3]), AppendixFormat::Json));
}

#[test]
fn formats_agree() {
    all_formats_agree(&build(&small()));
}

#[test]
fn nothing_at_all() {
    let appendix = build(&[]);
    all_formats_agree(&appendix);
    assert_eq!(document_xml(&bytes(&appendix, AppendixFormat::Docx)).matches("該当なし").count(), 6);
    let empty = Codebook::new("空".to_owned(), Vec::new()).unwrap();
    let appendix = Appendix::build(&small(), &empty, &Settings::default(), &Options::default());
    for format in AppendixFormat::ALL {
        render(&appendix, format).unwrap();
    }
}

#[test]
fn same_input_same_bytes() {
    for format in AppendixFormat::ALL {
        assert_eq!(bytes(&build(&small()), format), bytes(&build(&small()), format), "{format}");
    }
}

#[test]
fn counts_agree_in_words() {
    let appendix = build(&small());
    for table in appendix.tables() {
        for format in [AppendixFormat::Html, AppendixFormat::Markdown] {
            assert!(text(&appendix, format).contains(&table.count_line()), "{format}");
        }
        assert!(document_xml(&bytes(&appendix, AppendixFormat::Docx)).contains(&table.count_line()));
    }
    let quotes: usize = appendix.sections.iter().map(|table| table.printed()).sum();
    assert_eq!(quotes, 5);
    assert_eq!((appendix.totals.comments, appendix.totals.filed, appendix.totals.quotes), (9, 7, 7));
}

#[test]
fn quotes_stand_once_and_lists_refer() {
    let appendix = build(&small());
    let printed: Vec<_> = appendix.quotes().map(|(.., row)| row.comment.as_str()).collect();
    assert_eq!(printed, ["a1", "a2", "a3", "a5", "a4", "a7", "a6"]);
    let references: Vec<_> =
        appendix.rows().filter_map(|(.., row)| Some((row.label.as_str(), row.reference.as_deref()?))).collect();
    assert_eq!(references, [("4-1", "3-1"), ("5-1", "4-2")]);
}

#[test]
fn docx_is_laid_out_for_print() {
    let docx = bytes(&build(&small()), AppendixFormat::Docx);
    let xml = document_xml(&docx);
    let tables = xml.matches("<w:tbl>").count();
    assert_eq!(xml.matches("<w:tblHeader/>").count(), tables, "each table repeats its header row");
    assert_eq!(xml.matches("<w:cantSplit/>").count(), xml.matches("<w:tr>").count());
    assert_eq!(xml.matches("PAGEREF").count(), 5);
    assert!(xml.contains("（問13）") && !xml.contains("（問7）"));
    let styles = part(&docx, "word/styles.xml");
    for style in xml.split("Style w:val=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0) {
        assert!(styles.contains(&format!("w:styleId=\"{style}\"")), "{style}");
    }
    // Every part is well-formed.
    let mut archive = zip::ZipArchive::new(Cursor::new(&docx)).unwrap();
    for i in 0..archive.len() {
        let mut xml = String::new();
        archive.by_index(i).unwrap().read_to_string(&mut xml).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        while !matches!(reader.read_event().unwrap(), Event::Eof) {}
    }
}

#[test]
fn words_that_no_format_may_stumble_over() {
    let long = "受付に列ができて昼休みがなくなった。".repeat(600);
    let rows = [
        "=HYPERLINK(\"http://example.com\",\"押す\")",
        "+81の番号が出る",
        "-患者の名が違う",
        "@SUM(A1)と入る",
        "＝全角でも",
        "<script>alert('x')</script>&amp; \"引用\"",
        "表の|縦線や*星*や[角](かっこ)と`逆引用`",
        "👨‍👩‍👧‍👦の絵文字と𠮷野家と葛󠄀城",
        "名前が مرحبا שלום と出る",
        "]]>と--><!--が入った",
        &long,
    ];
    let items: Vec<_> = (0..)
        .zip(rows)
        .map(|(i, text)| comment(&format!("b{i}"), Some("東京都"), Some("病院"), "問7", text, &["device"]))
        .collect();
    let appendix = build(&items);
    let expected_rows = expected(&appendix, "\n");
    assert_eq!(shown_in_docx(&bytes(&appendix, AppendixFormat::Docx)), expected_rows);
    assert_eq!(shown_in_xlsx(&bytes(&appendix, AppendixFormat::Xlsx)), expected_rows);
    assert_eq!(shown_in_html(&text(&appendix, AppendixFormat::Html)), expected_rows);
    assert_eq!(shown_in_json(&text(&appendix, AppendixFormat::Json)), expected_rows);
    let html = text(&appendix, AppendixFormat::Html);
    assert_eq!(html.matches("<script>").count(), 1, "but for the page's own");
    let markdown = text(&appendix, AppendixFormat::Markdown);
    assert!(!markdown.contains("<script") && markdown.contains("表の\\|縦線"));
    let csv = shown_in_csv(&bytes(&appendix, AppendixFormat::Csv));
    for ((_, cell), quote) in csv["3"].iter().zip(rows) {
        let guarded = quote.starts_with(['=', '+', '-', '@', '＝']);
        assert_eq!(*cell, if guarded { format!("'{quote}") } else { quote.to_owned() });
    }
    assert!(!document_xml(&bytes(&appendix, AppendixFormat::Docx)).contains("<w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:w=\"624\" w:type=\"dxa\"/></w:tcPr><w:p><w:pPr><w:pStyle w:val=\"CaseNumber\"/></w:pPr><w:r><w:t xml:space=\"preserve\">11<"));
}

/// A quote in every format that carries all of it, as it must be read back.
#[track_caller]
fn reads_back(quote: &str, expected_quote: &str) {
    let items = [comment("q", Some("東京都"), Some("病院"), "問7", quote, &["device"])];
    let appendix = build(&items);
    let row = vec![("1".to_owned(), expected_quote.to_owned())];
    assert_eq!(shown_in_docx(&bytes(&appendix, AppendixFormat::Docx))["3"], row, "docx");
    assert_eq!(shown_in_xlsx(&bytes(&appendix, AppendixFormat::Xlsx))["3"], row, "xlsx");
    assert_eq!(shown_in_html(&text(&appendix, AppendixFormat::Html))["3"], row, "html");
    assert_eq!(shown_in_json(&text(&appendix, AppendixFormat::Json))["3"][0].1, quote, "json keeps the words");
    let csv = &shown_in_csv(&bytes(&appendix, AppendixFormat::Csv))["3"][0].1;
    assert_eq!(csv.trim_start_matches('\''), expected_quote, "csv");
}

#[test]
fn a_quote_of_ten_thousand_characters() {
    let quote = "受付に列ができて昼休みがなくなった".repeat(600).chars().take(10_000).collect::<String>();
    reads_back(&quote, &quote);
    let items = [comment("q", Some("東京都"), Some("病院"), "問7", &quote, &["device"])];
    let xml = document_xml(&bytes(&build(&items), AppendixFormat::Docx));
    let rows = xml.matches("<w:tr>").count();
    assert_eq!(xml.matches("<w:cantSplit/>").count(), rows - 1, "taller than a page, its row may break");
}

#[test]
fn emoji_and_characters_beyond_the_first_plane() {
    for quote in ["👨‍👩‍👧‍👦で来院😀", "𠮷田の𠮷が●", "葛󠄀城市の葛󠄀", "🇯🇵の旗", "㍿と㈱と①"]
    {
        reads_back(quote, quote);
    }
}

#[test]
fn right_to_left_text() {
    reads_back("名前が مرحبا と出る", "名前が مرحبا と出る");
    reads_back("שלום", "שלום");
    reads_back("並びが\u{202e}逆\u{202c}になる", "並びが逆になる");
}

#[test]
fn nothing_becomes_a_formula() {
    for quote in [
        "=HYPERLINK(\"http://example.com\",\"押す\")",
        "+1+2",
        "-1+2",
        "@SUM(A1:A9)",
        "＝1＋1",
        "\t=1+1",
        "=cmd|' /C calc'!A0",
    ] {
        let items = [comment("q", Some("=1+1"), Some("@x"), "+問7", quote, &["device"])];
        let appendix = build(&items);
        let xlsx = bytes(&appendix, AppendixFormat::Xlsx);
        shown_in_xlsx(&xlsx); // asserts that no cell is a formula
        assert!(!part(&xlsx, "xl/worksheets/sheet5.xml").contains("<f>"), "{quote}");
        let csv = String::from_utf8(bytes(&appendix, AppendixFormat::Csv)).unwrap();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        for record in reader.records() {
            let record = record.unwrap();
            assert!(record.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '＝', '\t'])), "{record:?}");
        }
    }
}

#[test]
fn scripts_stay_words_in_html() {
    for quote in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</bdi></td></table><script>",
        "\"><svg/onload=x>",
    ] {
        reads_back(quote, quote);
        let items = [comment("q", Some("<b>都</b>"), Some("<i>院"), "問<13", quote, &["device"])];
        let settings = Settings::parse("title = \"<script>\"\nsource_line = \"<script>\"").unwrap();
        let appendix = Appendix::build(&items, &codebook(), &settings, &Options::default());
        let html = text(&appendix, AppendixFormat::Html);
        assert_eq!(html.matches("<script").count(), 1, "but for the page's own");
        assert!(!html.contains("<img") && !html.contains("<svg") && !html.contains("<b>") && !html.contains("<i>"));
    }
}

#[test]
fn an_empty_category_keeps_its_heading() {
    let appendix = build(&small()[..1]);
    for format in [AppendixFormat::Html, AppendixFormat::Markdown] {
        let text = text(&appendix, format);
        assert!(text.contains("機器の不具合") && text.contains("該当なし"), "{format}");
    }
    let xml = document_xml(&bytes(&appendix, AppendixFormat::Docx));
    assert!(xml.contains("3\u{3000}機器の不具合") && xml.contains("該当なし"));
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes(&appendix, AppendixFormat::Xlsx))).unwrap();
    let range = workbook.worksheet_range("3.機器").unwrap();
    assert_eq!(range.get((1, 0)), Some(&Data::String("該当なし".to_owned())));
}

#[test]
fn survey_source_and_introduction_stand_in_every_readable_format() {
    let appendix = build(&small());
    let docx = document_xml(&bytes(&appendix, AppendixFormat::Docx));
    let html = text(&appendix, AppendixFormat::Html);
    let markdown = text(&appendix, AppendixFormat::Markdown);
    let json = text(&appendix, AppendixFormat::Json);
    for words in ["2025年8月実施、開業医への調査", "出典：創作の回答", "復旧を待つあいだの対応も窓口が負う。"]
    {
        for (format, text) in [("docx", &docx), ("html", &html), ("md", &markdown), ("json", &json)] {
            assert!(text.contains(words), "{format}: {words}");
        }
    }
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes(&appendix, AppendixFormat::Xlsx))).unwrap();
    let overview = workbook.worksheet_range("概要").unwrap();
    let cells: Vec<String> = overview.cells().map(|(_, _, cell)| cell.to_string()).collect();
    for words in
        ["2025年8月実施、開業医への調査", "出典：創作の回答", "復旧を待つあいだの対応も窓口が負う。", "（問13）など"]
    {
        assert!(cells.iter().any(|cell| cell.contains(words)), "xlsx: {words}");
    }
    // The marker of a question other than the main one, wherever quotes are for reading.
    for (format, text) in [("docx", &docx), ("html", &html), ("md", &markdown)] {
        assert!(text.contains("（問13）") && !text.contains("（問7）"), "{format}");
    }
}

#[test]
fn numbers_are_the_same_in_every_format() {
    let mut items = many(200);
    items.extend(small());
    let appendix = build(&items);
    all_formats_agree(&appendix);
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes(&appendix, AppendixFormat::Xlsx))).unwrap();
    let overview = workbook.worksheet_range("概要").unwrap();
    let json: serde_json::Value = serde_json::from_str(&text(&appendix, AppendixFormat::Json)).unwrap();
    let number = |label: &str| {
        let row = overview.rows().find(|row| row.get(1).is_some_and(|cell| *cell == label)).unwrap();
        row[2].as_f64().unwrap() as u64
    };
    for (label, key) in [
        ("読み込んだコメント", "comments"),
        ("いずれかの区分に入ったコメント", "filed"),
        ("掲載した事例（重複を除く）", "quotes"),
        ("ほか類似（重複を除く）", "similar"),
    ] {
        assert_eq!(Some(number(label)), json["totals"][key].as_u64(), "{label}");
    }
    for (row, table) in overview.rows().skip_while(|row| row[0] != "番号").skip(1).zip(appendix.tables()) {
        let numbers: Vec<usize> = row[2..6].iter().map(|cell| cell.as_f64().unwrap() as usize).collect();
        assert_eq!(numbers, [table.coded, table.filed, table.printed(), table.similar()], "{}", table.heading);
    }
}

#[test]
fn characters_that_xml_cannot_carry() {
    let items = [comment(
        "c\u{1}",
        Some("東\u{0}京都"),
        Some("病\u{fffe}院"),
        "問\u{b}13",
        "前\u{0}\u{8}半\r\n後\u{1b}半\u{202e}",
        &["device"],
    )];
    let appendix = build(&items);
    let clean: Shown = shown_in_docx(&bytes(&appendix, AppendixFormat::Docx));
    assert_eq!(clean["3"], [("1".to_owned(), "前半\n後半".to_owned())]);
    for format in AppendixFormat::ALL {
        let bytes = bytes(&appendix, format);
        if let Ok(text) = String::from_utf8(bytes) {
            assert!(!text.contains(['\0', '\u{8}', '\u{1b}']), "{format}");
        }
    }
    assert_eq!(shown_in_xlsx(&bytes(&appendix, AppendixFormat::Xlsx)), clean);
    assert_eq!(shown_in_html(&text(&appendix, AppendixFormat::Html)), clean);
    assert_eq!(shown_in_json(&text(&appendix, AppendixFormat::Json))["3"][0].1, "前\u{0}\u{8}半\r\n後\u{1b}半\u{202e}");
}

#[test]
fn a_cell_holds_what_excel_allows() {
    let items = [comment("d", None, None, "問7", &"𠮷あ".repeat(20_000), &["device"])];
    let shown = shown_in_xlsx(&bytes(&build(&items), AppendixFormat::Xlsx));
    let quote = &shown["3"][0].1;
    assert!(quote.encode_utf16().count() <= 32_767 && quote.ends_with("超えています）"), "{}", quote.len());
}

#[track_caller]
fn settings_fault(text: &str, expected: &str) {
    assert_eq!(Settings::parse_for(text, &codebook()).unwrap_err().to_string(), expected);
}

#[test]
fn settings_faults_name_their_place() {
    settings_fault("title = 3", "1行9列: ここには文字列（\"…\"）を書いてください");
    settings_fault(
        "title = \"あ\"\n[introductions]\ndevise = \"い\"",
        "3行1列: 「devise」という区分はありません（区分は data_lag、display、device、elderly、smartphone です）",
    );
    settings_fault(
        "[[split]]\ncategory = \"smartphone\"\nquestion = \"問11\"\nothers = \"ほか\"",
        "1行1列: [[split]] に「answers」がありません",
    );
    settings_fault(
        "introductions = \"い\"\nsplit = 1",
        "1行17列: ここには表（[introductions]）を書いてください\n2行9列: ここには表の並び（[[split]]）を書いてください",
    );
    let error = Settings::parse("題名 = \"あ").unwrap_err();
    assert_eq!(error.faults().next().map(|(line, _, _)| line), Some(1));
}

#[test]
fn format_by_extension() {
    for format in AppendixFormat::ALL {
        assert_eq!(
            AppendixFormat::from_path(format!("x/事例集.{}", format.extension().to_uppercase()).as_ref()),
            Ok(format)
        );
    }
    let error = AppendixFormat::from_path("事例集".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "出力ファイルに拡張子がありません（使えるのは docx、xlsx、html、md、csv、json です）"
    );
}

/// Writes a document of some length to `JIREI_SAMPLE_DIR`, to be looked at.
#[test]
#[ignore = "writes files; run with JIREI_SAMPLE_DIR set to look at them"]
fn sample_to_look_at() {
    let folder = std::env::var_os("JIREI_SAMPLE_DIR").expect("JIREI_SAMPLE_DIR names a folder");
    let options = Options { copies: Copies::Print, ..Options::default() };
    let appendix = Appendix::build(&many(120), &codebook(), &settings(), &options);
    for format in AppendixFormat::ALL {
        let path = std::path::Path::new(&folder).join(format!("sample.{}", format.extension()));
        std::fs::write(path, bytes(&appendix, format)).unwrap();
    }
}

/// Invented comments in any number, of every length that occurs.
fn many(count: usize) -> Vec<(Comment, Classification)> {
    const PREFECTURES: [&str; 9] =
        ["北海道", "神奈川県", "東京都", "和歌山県", "鹿児島県", "愛知県", "大阪府", "沖縄県", "宮城県"];
    const FACILITIES: [&str; 3] = ["医科診療所", "歯科診療所", "病院"];
    const OPENINGS: [(&str, &str); 8] = [
        ("勤め先が変わったのに前の保険者が表示され、", "data_lag"),
        ("お名前の漢字が●に置きかわって出てしまい、", "display"),
        ("昼前に読み取り機が固まって動かなくなり、", "device"),
        ("VPNルーターのランプが消えていて、", "device"),
        ("フリガナの小さい「ッ」が大きく出るので、", "display"),
        ("負担割合が1割のはずが3割と返ってきて、", "data_lag"),
        ("顔認証で何度やり直しても「一致しません」となり、", "device"),
        ("後期高齢者医療に移ったばかりの方が「無効」とされ、", "data_lag"),
    ];
    const MIDDLES: [&str; 5] = [
        "確認の電話に手を取られた。",
        "その場では十割をいただくかどうか迷った末、後日あらためて来ていただくことにした。月末だったので返戻にもなった。",
        "受付が止まった。",
        "業者（サポート窓口）に電話しても三十分以上つながらず、PCとカードリーダーの再起動を繰り返しているうちに待合室が一杯になり、\n結局その日の午前中は手書きで受け付けた。翌日になって更新プログラム「Ver.2.0.1」が原因だと言われた。",
        "カルテと一件ずつ照らし合わせて手で直している。",
    ];
    const CLOSINGS: [&str; 4] = [
        "",
        "患者さんには申し訳ない気持ちになる。",
        "どうにかしてほしい！！",
        "同じことが月に5、6件はある（特に連休明け）。",
    ];
    (0..count)
        .map(|i| {
            let (opening, section) = OPENINGS[i % 8];
            let text = format!("{opening}{}{}", MIDDLES[i / 8 % 5], CLOSINGS[i / 3 % 4]);
            let (text, categories, question) = match i % 13 {
                4 => (format!("高齢の患者さんで、{text}"), vec![section, "elderly"], "問7"),
                7 => ("スマホで使えないのかと聞かれるが、まだ機器がない。".to_owned(), vec!["smartphone"], "問12"),
                9 => ("費用の割に使う人が少ないと思う。".to_owned(), vec!["smartphone"], "問11"),
                11 => (text, vec![section], "問13"),
                _ => (text, vec![section], "問7"),
            };
            let facility = FACILITIES[i * 7 / 3 % 3];
            let prefecture = (i % 17 != 16).then(|| PREFECTURES[i * 5 % 9]);
            comment(&format!("s{i:04}"), prefecture, Some(facility), question, &text, &categories)
        })
        .collect()
}

#[test]
fn near_copies_are_counted_once() {
    let mut items = small();
    items.push(comment(
        "e1",
        Some("東京都"),
        Some("病院"),
        "問7",
        "転職して二か月たつのに、前の保険者のまま出てきた",
        &["data_lag"],
    ));
    items.push(comment(
        "e2",
        Some("京都府"),
        Some("病院"),
        "問7",
        "転職して二か月たつのに前の保険者のままで出てきた。",
        &["data_lag", "elderly"],
    ));
    let appendix = build(&items);
    let section = &appendix.sections[0];
    assert_eq!(section.rows().map(|row| (row.comment.as_str(), row.similar)).collect::<Vec<_>>(), [("e2", 2)]);
    assert_eq!(section.count_line(), "N＝3件（掲載1件、ほか類似2件）");
    let in_list = appendix.lists[0].rows().find(|row| row.comment.as_str() == "e2").unwrap();
    assert_eq!(in_list.reference.as_deref(), Some("1-1"), "where it stands");
    all_formats_agree(&appendix);
    for format in [AppendixFormat::Html, AppendixFormat::Markdown] {
        assert!(text(&appendix, format).contains("ほか類似2件"), "{format}");
    }
    let apart = Options { copies: Copies::Print, ..Options::default() };
    let apart = Appendix::build(&items, &codebook(), &settings(), &apart);
    assert_eq!(apart.sections[0].printed(), 3);
}

#[test]
fn chosen_quotes() {
    let items = many(200);
    let choice = Choice::PerTable { count: 6, seed: 7 };
    let options = Options {
        choice,
        good_quotes: [CommentId::new("s0001")].into(),
        edits: [(
            CommentId::new("s0001"),
            vec![Edit { kind: EditKind::Mask, char_range: 0..3, printed: "（伏字）".to_owned() }],
        )]
        .into(),
        ..Options::default()
    };
    let appendix = Appendix::build(&items, &codebook(), &settings(), &options);
    assert!(appendix.tables().all(|table| table.parts.iter().all(|part| part.rows.len() <= 6)));
    let ticked = appendix.quotes().find(|(.., row)| row.comment.as_str() == "s0001").unwrap().2;
    assert!(ticked.edits.len() == 1 && ticked.quote.starts_with("（伏字）"));
    all_formats_agree(&appendix);
    assert_eq!(appendix, Appendix::build(&items, &codebook(), &settings(), &options));
}

/// Near-copies planted among comments that share many words are found, and nothing else is.
#[test]
fn planted_near_copies() {
    let nouns = [
        "カードリーダー",
        "パソコン",
        "ルーター",
        "顔認証",
        "電子証明書",
        "資格確認書",
        "限度額認定証",
        "レセプト",
        "暗証番号",
        "保険者番号",
        "画面",
        "回線",
    ];
    let verbs = [
        "が使えず困った",
        "が表示されなかった",
        "を持って来られない",
        "の更新が遅れている",
        "が固まってしまう",
        "で別の人と出た",
        "の説明に手間取った",
        "を忘れる方がいる",
    ];
    let places = ["朝の受付", "昼休み明け", "連休明け", "月初め", "夕方の混む時間", "往診先", "初診のとき", "検査の前"];
    let ends = [
        "ため列ができた",
        "ので電話で確かめた",
        "ことがありカルテと照らした",
        "ので翌日また来ていただいた",
        "せいで返戻になった",
        "ので紙に控えた",
    ];
    let mut texts = Vec::new();
    for (a, noun) in nouns.iter().enumerate() {
        for (b, verb) in verbs.iter().enumerate() {
            for (c, place) in places.iter().enumerate() {
                let other = nouns[(a + b + c + 1) % nouns.len()];
                let end = ends[(a * 3 + b + c * 5) % ends.len()];
                texts.push(format!("{place}に{noun}{verb}{end}。{other}のことは業者も知らないと言う。"));
            }
        }
    }
    let originals = texts.len();
    let edits: [fn(&str) -> String; 6] = [
        |text| text.replace('。', ""),
        |text| text.replace("業者も", "業者さんも"),
        |text| text.replacen("に", "には、", 1),
        |text| text.replace("言う", "いう").replace("ことは", "事は"),
        |text| text.chars().take(text.chars().count() - 3).collect(),
        |text| format!("・{}", text.replace("知らない", "しらない")),
    ];
    texts.extend((0..200).map(|i| edits[i % 6](&texts[i * 3])).collect::<Vec<_>>());
    let groups = group_similar(&texts);
    let found = (0..200).filter(|i| groups[originals + i] == i * 3).count();
    let wrong = groups[..originals].iter().enumerate().filter(|(i, group)| i != *group).count();
    assert!(found >= 190, "{found} of 200 found");
    assert!(wrong * 100 <= originals, "{wrong} of {originals} wrong");
}

#[test]
fn details_of_an_appendix() {
    let items = [
        comment("f1", Some("東京都"), Some("病院"), "問7", "田中さんの住所が古いまま。", &["device", "elderly"]),
        comment("f2", Some("東京都"), Some("病院"), "問7", "業者さんは03-1234-5678に出ない。", &["device"]),
        comment("f3", Some("東京都"), Some("病院"), "問7", "患者さんは困っている。", &["device"]),
    ];
    let finder = DetailFinder::new(&ANALYZER, &DisclosureWords::default());
    let findings = build(&items).find_details(&finder, &HashMap::new());
    let found: Vec<_> = findings.iter().map(|found| (found.label.as_str(), found.finding.text.as_str())).collect();
    assert_eq!(found, [("3-1", "田中"), ("3-2", "03-1234-5678")], "once a quote");

    let masked = |found: &RowFinding| {
        let finding = &found.finding;
        let edit = Edit { kind: EditKind::Mask, char_range: finding.char_range.clone(), printed: finding.mask.clone() };
        (found.comment.clone(), vec![edit])
    };
    let options = Options { edits: findings.iter().map(masked).collect(), ..Options::default() };
    let appendix = Appendix::build(&items, &codebook(), &settings(), &options);
    assert_eq!(appendix.find_details(&finder, &HashMap::new()), []);
    let quotes: Vec<_> = appendix.quotes().map(|(.., row)| (row.quote.as_str(), row.edits.len())).collect();
    assert_eq!(quotes[0], ("（氏名）さんの住所が古いまま。", 1));
    assert_eq!(quotes[2], ("患者さんは困っている。", 0));
    let kept = |range: std::ops::Range<usize>| HashMap::from([(CommentId::new("f1"), Vec::from([range]))]);
    assert_eq!(build(&items).find_details(&finder, &kept(0..2)).len(), 1, "a person left the name");
    assert_eq!(build(&items).find_details(&finder, &kept(0..1)).len(), 2, "half a name is not settled");
    assert!(!text(&appendix, AppendixFormat::Json).contains("田中"), "what is masked is told nowhere");
}

#[test]
fn workbook_is_ready_to_use() {
    let mut items = small();
    items.push(comment("g1", Some("東京都"), Some("病院"), "問7", "=1+1と出て止まる。", &["device"]));
    let xlsx = bytes(&build(&items), AppendixFormat::Xlsx);
    let workbook: Xlsx<_> = Xlsx::new(Cursor::new(&xlsx)).unwrap();
    let names = ["概要", "全件", "1.データ遅れ", "2.表示", "3.機器", "4.高齢者", "5.スマホ"];
    assert_eq!(workbook.sheet_names(), names);
    for sheet in 2..=7 {
        let xml = part(&xlsx, &format!("xl/worksheets/sheet{sheet}.xml"));
        assert!(xml.contains("state=\"frozen\"") && xml.contains("<autoFilter"), "sheet {sheet}");
    }
    assert_eq!(part(&xlsx, "xl/workbook.xml").matches("_xlnm.Print_Titles").count(), 6);
    assert!(part(&xlsx, "xl/styles.xml").contains("quotePrefix=\"1\""), "no formula even when typed again");
    assert!(part(&xlsx, "docProps/core.xml").contains("2000-01-01"));
}
