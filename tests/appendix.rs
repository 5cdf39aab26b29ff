//! `jirei appendix` as a user meets it: the check before anything is written, masks, corrections, small cells, the
//! user's template, and the placement of the published report.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use jirei::{
    casebook::{BatchInfo, Casebook, Decision, Judgement},
    comment::CommentId,
};
use serde_json::Value;
use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    cli::{Ran, jirei},
    support::shared_corpus,
};

const NAMED: &str = "田中さんのカードを置くと端末が固まった。";
const PHONED: &str = "端末の業者は03-1234-5678に出ない。";
const SPACED: &str = "カー ドリーダーが動かず暗唱番号も入らない。";

/// A folder with a survey of nine institutions in one cell.
fn survey(texts: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut lines = String::new();
    for n in 0..9 {
        let text =
            texts.get(n).copied().map_or_else(|| format!("読み取り機が{n}回固まって再起動した。"), str::to_owned);
        let line = serde_json::json!({
            "id": format!("{n}-問7"), "prefecture": "東京都", "facility": "病院", "question": "問7", "text": text,
        });
        lines.push_str(&format!("{line}\n"));
    }
    fs::write(folder.path().join("in.jsonl"), lines).expect("writable");
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    jirei(folder.path(), &[&["appendix"], arguments].concat())
}

fn json(folder: &TempDir, name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.path().join(name)).expect("written")).expect("JSON")
}

/// Every row of a JSON appendix, sections before lists.
fn rows(appendix: &Value) -> Vec<Value> {
    let tables = ["sections", "lists"].into_iter().flat_map(|key| appendix[key].as_array().expect("tables"));
    let parts = tables.flat_map(|table| table["parts"].as_array().expect("parts"));
    parts.flat_map(|part| part["rows"].as_array().expect("rows").clone()).collect()
}

fn row(appendix: &Value, comment: &str) -> Value {
    rows(appendix).into_iter().find(|row| row["comment"] == comment).unwrap_or_else(|| panic!("{comment} is printed"))
}

#[test]
fn findings_stop_the_appendix() {
    let folder = survey(&[NAMED, PHONED]);
    fs::write(folder.path().join("a.docx"), "the appendix of last week").expect("writable");
    let ran = run(&folder, &["in.jsonl", "-o", "a.docx"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for shown in
        ["【田中】さん", "「田中」→「（氏名）」", "【03-1234-5678】", "電話番号", "東京都・病院", "コメント 0-問7"]
    {
        assert!(ran.stdout.contains(shown), "{shown}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("2 か所") && ran.stderr.contains("--masks"), "{}", ran.stderr);
    let left = fs::read(folder.path().join("a.docx")).expect("still there");
    assert_eq!(left, b"the appendix of last week", "nothing is written over it");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 2, "no temporary file is left");
}

#[test]
fn findings_may_be_accepted() {
    let folder = survey(&[NAMED]);
    let ran = run(&folder, &["in.jsonl", "-o", "a.md", "--accept-findings"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("【田中】") && ran.stderr.contains("1 か所を、そのまま"), "{}", ran.stderr);
    assert!(fs::read_to_string(folder.path().join("a.md")).expect("written").contains("田中さん"));
}

#[test]
fn masks_are_proposed_edited_and_applied() {
    let folder = survey(&[NAMED, PHONED]);
    let arguments = ["in.jsonl", "-o", "a.json", "--masks", "masks.toml"];
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let path = folder.path().join("masks.toml");
    let proposal = fs::read_to_string(&path).expect("written");
    assert_eq!(proposal.matches("\n[[mask]]\n").count(), 2, "{proposal}");
    assert!(proposal.contains("words = \"田中\"") && proposal.contains("range = [0, 2]"), "{proposal}");

    // The analyst has other words for the name and lets the number stand.
    let edited = proposal.replacen("（氏名）", "Ａ", 1);
    let at = edited.rfind("apply = true").expect("two masks");
    fs::write(&path, format!("{}apply = false{}", &edited[..at], &edited[at + 12..])).expect("writable");
    let ran = run(&folder, &arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&path).expect("readable").matches("\n[[mask]]\n").count(), 2, "nothing is added");
    let appendix = json(&folder, "a.json");
    let masked = row(&appendix, "0-問7");
    assert_eq!(masked["quote"], "Ａさんのカードを置くと端末が固まった。");
    assert_eq!(
        masked["edits"],
        serde_json::json!([{"kind": "mask", "char_range": {"start": 0, "end": 2}, "printed": "Ａ"}])
    );
    assert_eq!(row(&appendix, "1-問7")["quote"], PHONED);
    assert!(!appendix.to_string().contains("田中"), "what is masked is told nowhere");

    // A text that has changed is not masked in the wrong place: its finding is open again.
    let input = folder.path().join("in.jsonl");
    let changed = fs::read_to_string(&input).expect("readable").replace("田中さんの", "昨日、田中さんの");
    fs::write(&input, changed).expect("writable");
    let ran = run(&folder, &["in.jsonl", "-o", "b.json", "--masks", "masks.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(fs::read_to_string(&path).expect("readable").contains("range = [3, 5]"));
}

#[test]
fn a_broken_file_of_masks_names_its_line() {
    let folder = survey(&[]);
    fs::write(folder.path().join("masks.toml"), "[[mask]]\napply = true\nprint = 3\n").expect("writable");
    let ran = run(&folder, &["in.jsonl", "-o", "a.md", "--masks", "masks.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("masks.toml:3:"), "{}", ran.stderr);
}

#[test]
fn corrections_are_offered_and_made_only_in_print() {
    let folder = survey(&[SPACED]);
    let arguments = ["in.jsonl", "-o", "a.json", "--masks", "masks.toml"];
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 0, "corrections stop nothing: {}", ran.stderr);
    assert_eq!(row(&json(&folder, "a.json"), "0-問7")["quote"], SPACED);
    let path = folder.path().join("masks.toml");
    let proposal = fs::read_to_string(&path).expect("written");
    assert_eq!(proposal.matches("[[correction]]\napply = false").count(), 2, "{proposal}");
    fs::write(&path, proposal.replace("apply = false", "apply = true")).expect("writable");
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let corrected = row(&json(&folder, "a.json"), "0-問7");
    assert_eq!(corrected["quote"], "カードリーダーが動かず暗証番号も入らない。");
    let kinds: Vec<_> =
        corrected["edits"].as_array().expect("a list").iter().map(|edit| edit["kind"].clone()).collect();
    assert_eq!(kinds, ["correction", "correction"]);
    assert!(fs::read_to_string(folder.path().join("in.jsonl")).expect("readable").contains("カー ド"));
}

#[test]
fn masks_are_decisions_in_a_casebook() {
    let folder = survey(&[NAMED, SPACED]);
    assert_eq!(jirei(folder.path(), &["import", "in.jsonl", "--casebook", "book"]).code, 0);
    let stopped = run(&folder, &["--casebook", "book", "-o", "a.json"]);
    assert_eq!(stopped.code, 1, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("--record-masks"), "{}", stopped.stderr);
    let arguments = ["--casebook", "book", "-o", "a.json", "--record-masks", "--coder", "編集 花子"];
    let ran = run(&folder, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(row(&json(&folder, "a.json"), "0-問7")["quote"], "（氏名）さんのカードを置くと端末が固まった。");
    let again = run(&folder, &["--casebook", "book", "-o", "b.json"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "the decision stands: {}", again.stderr);

    let mut casebook = Casebook::open(&folder.path().join("book")).expect("a casebook");
    let decisions = casebook.decisions().expect("readable");
    assert_eq!((decisions.len(), decisions[0].coder.as_str()), (1, "編集 花子"));
    let stored = casebook.comment(&CommentId::new("0-問7")).expect("readable").expect("a comment");
    assert_eq!(stored.comment.text, NAMED, "the original stays");

    // A tick goes before every other quality, a refusal keeps a quote out.
    let info = BatchInfo { coder: "編集".into(), decided_at: "2026-01-01T00:00:00Z".into(), source: "試験".into() };
    let judged = |id: &str, good| Decision { comment: CommentId::new(id), judgement: Judgement::GoodQuote(Some(good)) };
    let first = run(&folder, &["--casebook", "book", "-o", "c.json", "--per-section", "1"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let best = rows(&json(&folder, "c.json"))[0]["comment"].as_str().expect("an id").to_owned();
    let other = if best == "5-問7" { "6-問7" } else { "5-問7" };
    casebook.append_decisions(&info, &[judged(other, true)]).expect("recorded");
    assert_eq!(run(&folder, &["--casebook", "book", "-o", "c.json", "--per-section", "1"]).code, 0);
    assert_eq!(rows(&json(&folder, "c.json"))[0]["comment"], other);
    casebook.append_decisions(&info, &[judged(other, false)]).expect("recorded");
    assert_eq!(run(&folder, &["--casebook", "book", "-o", "c.json"]).code, 0);
    assert!(rows(&json(&folder, "c.json")).iter().all(|row| row["comment"] != other));
}

#[test]
fn cells_of_few_institutions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut lines = String::new();
    for (prefecture, count) in [("東京都", 4), ("埼玉県", 1), ("栃木県", 2), ("高知県", 1)] {
        for n in 0..count {
            lines.push_str(&format!(
                "{{\"id\":\"{prefecture}{n}\",\"prefecture\":\"{prefecture}\",\"facility\":\"病院\",\"text\":\"端末が{n}回固まり{prefecture}の業者も来ない。\"}}\n"
            ));
        }
    }
    fs::write(folder.path().join("in.jsonl"), lines).expect("writable");
    let printed = |arguments: &[&str]| {
        let ran = run(&folder, &[&["in.jsonl", "-o", "a.json", "--all-copies"], arguments].concat());
        let printed = (ran.code == 0)
            .then(|| rows(&json(&folder, "a.json")).iter().map(|row| row["prefecture"].clone()).collect::<Vec<_>>());
        (ran, printed)
    };
    let (ran, regions) = printed(&[]);
    let expected = serde_json::json!(["東京都", "東京都", "東京都", "東京都", "関東", "関東", "関東", null]);
    assert_eq!(Value::from(regions.expect("written")), expected);
    assert!(ran.stderr.contains("事例 3 件を地方名で、1 件を都道府県なしで"), "{}", ran.stderr);

    let settings = folder.path().join("appendix.toml");
    fs::write(&settings, "[small_cells]\nremedy = \"keep\"\n").expect("writable");
    let (_, kept) = printed(&["--settings", "appendix.toml"]);
    assert_eq!(kept.expect("written")[7], "高知県");
    fs::write(&settings, "[small_cells]\nremedy = \"stop\"\n").expect("writable");
    let (ran, none) = printed(&["--settings", "appendix.toml"]);
    assert_eq!((ran.code, none), (1, None));
    assert!(ran.stdout.contains("高知県・病院　1 機関") && !ran.stdout.contains("東京都"), "{}", ran.stdout);
    let (ran, _) = printed(&["--settings", "appendix.toml", "--accept-findings"]);
    assert_eq!(ran.code, 0);
    fs::write(&settings, "[small_cells]\nremedy = \"地方\"\nthreshold = -1\n").expect("writable");
    let (ran, _) = printed(&["--settings", "appendix.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("appendix.toml:2:10") && ran.stderr.contains("appendix.toml:3:13"), "{}", ran.stderr);
}

#[test]
fn the_sample_survey_can_go_to_press() {
    let folder = survey(&[]);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sample_survey.csv");
    let ran = run(&folder, &[sample, "-o", "appendix.docx"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
}

// ---- the user's template ----

const W: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#;
const STYLES: &str = r#"<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/><w:rPr><w:color w:val="FF0000"/></w:rPr></w:style></w:styles>"#;

/// A Word file as Word would save it, with the given paragraphs and header.
fn docx(paragraphs: &str, header: &str) -> Vec<u8> {
    let parts = [
        ("[Content_Types].xml", r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#.to_owned()),
        ("_rels/.rels", r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#.to_owned()),
        ("word/document.xml", format!(r#"<?xml version="1.0"?><w:document {W}><w:body>{paragraphs}<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:left="1701" w:right="1701"/></w:sectPr></w:body></w:document>"#)),
        ("word/_rels/document.xml.rels", r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#.to_owned()),
        ("word/styles.xml", STYLES.to_owned()),
        ("word/header1.xml", format!("<w:hdr {W}>{header}</w:hdr>")),
        ("word/media/image1.png", "not really a picture".to_owned()),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).expect("a part");
        archive.write_all(text.as_bytes()).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn part(path: &Path, name: &str) -> String {
    let mut archive = ZipArchive::new(fs::File::open(path).expect("written")).expect("a Word file");
    let mut text = String::new();
    archive.by_name(name).expect("the part").read_to_string(&mut text).expect("UTF-8");
    text
}

/// Fills a template and gives what was run and the folder.
fn filled(template: &[u8]) -> (Ran, TempDir) {
    let folder = survey(&[]);
    fs::write(folder.path().join("t.docx"), template).expect("writable");
    fs::write(folder.path().join("appendix.toml"), "title = \"窓口の<声>\"\nsurvey_line = \"2025年8月\"\n")
        .expect("writable");
    let ran = run(&folder, &["in.jsonl", "-o", "a.docx", "--template", "t.docx", "--settings", "appendix.toml"]);
    (ran, folder)
}

#[test]
fn a_template_is_filled_and_its_styles_stay() {
    // Word cuts placeholders at spelling marks and where the cursor once stood.
    let cut = r#"<w:p w:rsidR="00A1"><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t>集：{</w:t></w:r><w:proofErr w:type="spellStart"/><w:r><w:t>{表</w:t></w:r><w:proofErr w:type="spellEnd"/><w:r><w:rPr><w:i/></w:rPr><w:t xml:space="preserve">題}} &amp; </w:t></w:r><w:r><w:t>{{ 調査 }}（全｛｛回答数｝｝件）</w:t></w:r></w:p>"#;
    let template = docx(
        &format!("{cut}{}{}{}", paragraph("{{目次}}"), paragraph("{{body}}"), paragraph("おわりに")),
        &paragraph("{{title}}"),
    );
    let (ran, folder) = filled(&template);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let path = folder.path().join("a.docx");
    let xml = part(&path, "word/document.xml");
    assert!(xml.contains(r#"<w:rPr><w:b/></w:rPr><w:t xml:space="preserve">集：窓口の&lt;声&gt;</w:t>"#), "{xml}");
    assert!(xml.contains(r#"<w:i/></w:rPr><w:t xml:space="preserve"> &amp; </w:t>"#), "{xml}");
    assert!(
        xml.contains("2025年8月（全9件）") && xml.contains("おわりに") && !xml.contains("{{") && !xml.contains("｛｛")
    );
    assert!(xml.contains(r#"<w:pStyle w:val="1"/>"#), "the template's heading");
    assert!(xml.contains("<w:tblHeader/>") && xml.contains(r#"<w:tblW w:w="8504" w:type="dxa"/>"#), "fits the margins");
    assert!(xml.contains("読み取り機が3回固まって"));
    assert!(part(&path, "word/header1.xml").contains("窓口の&lt;声&gt;"));
    assert_eq!(part(&path, "word/styles.xml"), STYLES);
    assert_eq!(part(&path, "word/media/image1.png"), "not really a picture");
    let mut reader = quick_xml::Reader::from_str(&xml);
    while !matches!(reader.read_event().expect("well-formed"), quick_xml::events::Event::Eof) {}
    let bytes = fs::read(&path).expect("written");
    let again = run(&folder, &["in.jsonl", "-o", "a.docx", "--template", "t.docx", "--settings", "appendix.toml"]);
    assert_eq!((again.code, fs::read(&path).expect("written")), (0, bytes), "the same bytes");
}

#[test]
fn one_table_can_be_placed_alone() {
    let (ran, folder) = filled(&docx(&format!("{}{}", paragraph("機器"), paragraph("{{事例:device}}")), ""));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(part(&folder.path().join("a.docx"), "word/document.xml").matches("<w:tbl>").count(), 1);
}

#[track_caller]
fn template_fault(template: &[u8], message: &str) {
    let (ran, folder) = filled(template);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("t.docx") && ran.stderr.contains(message), "{}", ran.stderr);
    assert!(!folder.path().join("a.docx").exists());
}

#[test]
fn templates_that_cannot_be_filled() {
    template_fault(b"just a text", "Word（.docx）のファイルではありません");
    template_fault(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "古い形式（.doc）");
    template_fault(&docx(&paragraph("ひな形"), ""), "事例を差し込む位置がありません");
    template_fault(&docx(&paragraph("{{表題}}"), ""), "事例を差し込む位置がありません");
    template_fault(
        &docx(&format!("{}{}", paragraph("{{事列}}"), paragraph("{{事例}}")), ""),
        "{{事列}} という差し込み項目はありません",
    );
    template_fault(&docx(&paragraph("表は{{事例}}のとおり"), ""), "その行（段落）だけに");
    template_fault(&docx(&format!("{}{}", paragraph("{{事例}}"), paragraph("{{body}}")), ""), "二か所");
    template_fault(&docx(&paragraph("{{事例}}"), &paragraph("{{目次}}")), "本文に書いてください");
    template_fault(&docx(&paragraph("{{事例:devise}}"), ""), "{{事例:devise}}");
    template_fault(&docx("<w:p><w:r><w:t>{{事例}}</w:r></w:p>", ""), "壊れています");
    let folder = survey(&[]);
    let ran = run(&folder, &["in.jsonl", "-o", "a.html", "--template", "t.docx"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Word（.docx）に書き出すときだけ"), "{}", ran.stderr);
}

// ---- the published report ----

/// The report numbers its six sections in the order of the code frame, in words of its own.
#[test]
#[allow(clippy::print_stderr, reason = "a figure for whoever keeps the rules")]
fn placement_agrees_with_the_published_report() {
    let Some(path) = shared_corpus("report_tables_dev.txt") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = path.to_str().expect("a path in UTF-8");
    let ran = run(&folder, &[path, "-o", "a.json", "--all-copies", "--accept-findings"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let appendix = json(&folder, "a.json");
    let sections = appendix["sections"].as_array().expect("sections");
    let tagged = jirei(folder.path(), &["tag", path]);
    let (mut all, mut agree) = (0, 0);
    for line in tagged.stdout.lines() {
        let comment: Value = serde_json::from_str(line).expect("JSON");
        let heading = comment["attributes"]["見出し"].as_str().unwrap_or_default();
        let number = heading.split_once('.').and_then(|(number, _)| number.parse::<usize>().ok());
        let Some(section) = number.and_then(|number| sections.get(number.checked_sub(1)?)) else { continue };
        all += 1;
        let parts = section["parts"].as_array().expect("parts");
        let mut rows = parts.iter().flat_map(|part| part["rows"].as_array().expect("rows"));
        agree += usize::from(rows.any(|row| row["comment"] == comment["id"]));
    }
    eprintln!("{agree} of {all} comments stand in the section of the report");
    assert!(all >= 40 && agree * 100 >= all * 90, "{agree} of {all}");
}
