//! A user's Word file as template: `{{表題}}`, `{{事例}}` and the like are filled in, all else stays as it is, byte
//! for byte. Word likes to cut a placeholder into several runs; it is looked for in the text of the whole paragraph.

use std::{
    collections::HashSet,
    io::{Cursor, Read, Write as _},
    ops::Range,
    sync::LazyLock,
};

use quick_xml::{Reader, escape::escape, events::Event};
use regex::Regex;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use zip::{ZipArchive, ZipWriter, result::ZipError};

use crate::report::{Appendix, ReportError, printable::one_line};

use super::{Body, NAMESPACE, dress::Dress, file_options};

/// Largest part that is read, unpacked.
const MOST_BYTES: u64 = 64 << 20;

/// Why a file cannot be a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// Some other file.
    #[error("Word（.docx）のファイルではありません。Word で「名前を付けて保存」を選び、.docx で保存してください")]
    NotDocx,
    /// A file of Word before 2007, or one with a password.
    #[error("古い形式（.doc）か、パスワード付きの Word ファイルです。パスワードを外して .docx で保存し直してください")]
    OldOrEncrypted,
    /// With macros.
    #[error("マクロ付きの Word ファイル（.docm）です。.docx で保存し直してください")]
    Macros,
    /// The other flavour of the format.
    #[error("「厳密な Open XML 文書」で保存されています。ふつうの「Word 文書（.docx）」で保存し直してください")]
    Strict,
    /// A part is broken; holds its name.
    #[error("Word ファイルの中の {0} が壊れています。Word で開いて保存し直してください")]
    Broken(String),
    /// Nowhere to put the cases.
    #[error("事例を差し込む位置がありません。事例の表を入れたい所に、その行だけで {{{{事例}}}} と書いてください")]
    NoPlaceholder,
    /// A name that is not known; holds it.
    #[error(
        "{{{{{0}}}}} という差し込み項目はありません（使えるのは {{{{表題}}}}、{{{{調査}}}}、{{{{出典}}}}、{{{{回答数}}}}、{{{{分類数}}}}、{{{{事例数}}}}、{{{{類似数}}}}、{{{{目次}}}}、{{{{凡例}}}}、{{{{事例}}}}、{{{{事例:区分ID}}}} です）"
    )]
    Unknown(String),
    /// A placeholder for paragraphs or tables that shares its paragraph; holds it.
    #[error("{{{{{0}}}}} は、その行（段落）だけに書いてください（前後に文字があると表を差し込めません）")]
    NotAlone(String),
    /// A placeholder for tables outside of the document's text; holds it.
    #[error("{{{{{0}}}}} は本文に書いてください（ヘッダーやフッターには差し込めません）")]
    NotInBody(String),
    /// The same tables twice; holds the placeholder.
    #[error("{{{{{0}}}}} が二か所にあるか、{{{{事例}}}} と重なっています（同じ表は一度しか差し込めません）")]
    Twice(String),
}

/// What a placeholder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Title,
    SurveyLine,
    SourceLine,
    Comments,
    Filed,
    Quotes,
    Similar,
    Contents,
    Legend,
    Body,
    /// The table of a category.
    Table(String),
}

impl Item {
    fn parse(name: &str) -> Option<Self> {
        let name: String = name.nfkc().collect::<String>().trim().to_lowercase();
        if let Some((head, id)) = name.split_once(':') {
            return matches!(head.trim(), "事例" | "body").then(|| Self::Table(id.trim().to_owned()));
        }
        Some(match name.as_str() {
            "表題" | "題名" | "タイトル" | "title" => Self::Title,
            "調査" | "survey_line" | "survey" => Self::SurveyLine,
            "出典" | "source_line" | "source" => Self::SourceLine,
            "回答数" | "comments" => Self::Comments,
            "分類数" | "filed" => Self::Filed,
            "事例数" | "quotes" => Self::Quotes,
            "類似数" | "similar" => Self::Similar,
            "目次" | "contents" => Self::Contents,
            "凡例" | "legend" => Self::Legend,
            "事例" | "本文" | "body" => Self::Body,
            _ => return None,
        })
    }

    /// Whether it takes whole paragraphs.
    fn is_block(&self) -> bool {
        matches!(self, Self::Contents | Self::Legend | Self::Body | Self::Table(_))
    }

    fn words(&self, appendix: &Appendix) -> String {
        let line = |line: &Option<String>| line.as_deref().map(one_line).unwrap_or_default();
        match self {
            Self::Title => one_line(&appendix.title),
            Self::SurveyLine => line(&appendix.survey_line),
            Self::SourceLine => line(&appendix.source_line),
            Self::Comments => appendix.totals.comments.to_string(),
            Self::Filed => appendix.totals.filed.to_string(),
            Self::Quotes => appendix.totals.quotes.to_string(),
            Self::Similar => appendix.totals.similar.to_string(),
            Self::Contents | Self::Legend | Self::Body | Self::Table(_) => String::new(),
        }
    }
}

/// A template, checked.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    /// The part with the styles.
    styles: String,
    /// Parts with placeholders: name and text.
    parts: Vec<(String, String)>,
    /// `[Content_Types].xml`, where it must say document instead of template.
    content_types: Option<String>,
}

impl Template {
    /// Checks that a file can be a template.
    ///
    /// # Errors
    ///
    /// Where it is no Word file, has no placeholder for the cases, or one that cannot be filled.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, TemplateError> {
        // The container of Word 97, and of encrypted files of any age.
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(TemplateError::OldOrEncrypted);
        }
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).map_err(|_| TemplateError::NotDocx)?;
        let types = read(&mut archive, "[Content_Types].xml")?.ok_or(TemplateError::NotDocx)?;
        if types.contains("macroEnabled") {
            return Err(TemplateError::Macros);
        }
        if !types.contains("wordprocessingml.") {
            return Err(TemplateError::NotDocx);
        }
        let relations = read(&mut archive, "_rels/.rels")?.ok_or(TemplateError::NotDocx)?;
        let document = target(&relations, "/officeDocument").unwrap_or_else(|| "word/document.xml".to_owned());
        let text = read(&mut archive, &document)?.ok_or(TemplateError::NotDocx)?;
        if text.contains("http://purl.oclc.org/ooxml/") {
            return Err(TemplateError::Strict);
        }
        if !text.contains(&format!("xmlns:w=\"{NAMESPACE}\"")) {
            return Err(TemplateError::Broken(document));
        }
        let (folder, name) = document.rsplit_once('/').unwrap_or(("", &document));
        let relations = read(&mut archive, &format!("{folder}/_rels/{name}.rels"))?.unwrap_or_default();
        let styles = target(&relations, "/styles").unwrap_or_else(|| "styles.xml".to_owned());
        let styles = if styles.contains('/') { styles } else { format!("{folder}/{styles}") };
        let styles = read(&mut archive, &styles)?.unwrap_or_default();

        let mut names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
        names.retain(|name| {
            let file = name.rsplit_once('/').map_or(name.as_str(), |(_, file)| file);
            file.ends_with(".xml") && (file.starts_with("header") || file.starts_with("footer"))
        });
        names.sort();
        let mut parts = vec![(document.clone(), text)];
        for name in names {
            if let Some(text) = read(&mut archive, &name)? {
                parts.push((name, text));
            }
        }
        parts.retain(|(name, text)| *name == document || text.contains('{') || text.contains('｛'));
        check(&parts, &document)?;
        let content_types = types
            .contains("wordprocessingml.template.main+xml")
            .then(|| types.replace("wordprocessingml.template.main+xml", "wordprocessingml.document.main+xml"));
        Ok(Self { bytes, styles, parts, content_types })
    }
}

/// The template with an appendix in its placeholders: the same bytes for the same appendix and template.
///
/// # Errors
///
/// Where a placeholder names a category that the appendix lacks, or the container cannot be written.
pub fn fill(template: &Template, appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let mut changed: Vec<(&str, String)> = Vec::new();
    for (name, xml) in &template.parts {
        let dress = Dress::of_template(&template.styles);
        let body = Body::new(dress, text_width(xml), largest_id(xml));
        let filled = fill_part(xml, name, appendix, body)?;
        changed.push((name, filled));
    }
    if let Some(types) = &template.content_types {
        changed.push(("[Content_Types].xml", types.clone()));
    }
    let mut archive = ZipArchive::new(Cursor::new(&template.bytes))?;
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index)?;
        let name = file.name()?.into_owned();
        match changed.iter().find(|(changed, _)| *changed == name) {
            None => out.raw_copy_file(file)?,
            Some((_, xml)) => {
                drop(file);
                out.start_file(name, file_options())?;
                out.write_all(xml.as_bytes())?;
            }
        }
    }
    Ok(out.finish()?.into_inner())
}

fn fill_part(xml: &str, name: &str, appendix: &Appendix, mut body: Body) -> Result<String, ReportError> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for paragraph in paragraphs(xml).map_err(|_| TemplateError::Broken(name.to_owned()))? {
        let found = paragraph.placeholders();
        if let Some((_, Some(item), _)) = found.iter().find(|(.., item, _)| item.as_ref().is_some_and(Item::is_block)) {
            body.xml.clear();
            match item {
                Item::Contents => body.contents(appendix),
                Item::Legend => body.legend(appendix),
                Item::Table(id) => {
                    let table = appendix.tables().find(|table| table.id.eq_ignore_ascii_case(id));
                    let table = table.ok_or_else(|| TemplateError::Unknown(format!("事例:{id}")))?;
                    body.tables(appendix, &[table])
                }
                _ => body.tables(appendix, &appendix.tables().collect::<Vec<_>>()),
            }
            .expect("a String takes everything");
            // A section ends with its last paragraph, which carries its layout.
            if let Some(section) = &paragraph.section {
                body.xml.push_str(&format!("<w:p><w:pPr>{}</w:pPr></w:p>", &xml[section.clone()]));
            }
            edits.push((paragraph.range.clone(), std::mem::take(&mut body.xml)));
        } else if !found.is_empty() {
            let replacements: Vec<(Range<usize>, String)> =
                found.into_iter().filter_map(|(range, item, _)| Some((range, item?.words(appendix)))).collect();
            edits.extend(paragraph.rewritten(&replacements));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(xml.len());
    let mut done = 0;
    for (range, text) in edits {
        out.push_str(&xml[done..range.start]);
        out.push_str(&text);
        done = range.end;
    }
    out.push_str(&xml[done..]);
    Ok(out)
}

/// Whether every placeholder is known and stands where it can be filled.
fn check(parts: &[(String, String)], document: &str) -> Result<(), TemplateError> {
    let mut tables: HashSet<String> = HashSet::new();
    for (name, xml) in parts {
        for paragraph in paragraphs(xml).map_err(|_| TemplateError::Broken(name.clone()))? {
            for (range, item, written) in paragraph.placeholders() {
                let item = item.ok_or_else(|| TemplateError::Unknown(written.clone()))?;
                if !item.is_block() {
                    continue;
                }
                if name != document {
                    return Err(TemplateError::NotInBody(written));
                }
                let text = paragraph.text();
                let around = [&text[..range.start], &text[range.end..]];
                if around.iter().any(|text| !text.trim().is_empty()) {
                    return Err(TemplateError::NotAlone(written));
                }
                let table = match item {
                    Item::Body => "",
                    Item::Table(ref id) => id,
                    _ => continue,
                };
                let is_double = tables.contains("") || table.is_empty() && !tables.is_empty();
                if is_double || !tables.insert(table.to_owned()) {
                    return Err(TemplateError::Twice(written));
                }
            }
        }
    }
    if tables.is_empty() { Err(TemplateError::NoPlaceholder) } else { Ok(()) }
}

/// A paragraph with its own text, that of paragraphs within it (text boxes) left out.
#[derive(Debug, Default)]
struct Paragraph {
    /// Bytes of the part.
    range: Range<usize>,
    texts: Vec<Text>,
    /// Layout of the section that it ends.
    section: Option<Range<usize>>,
}

/// A `w:t` element.
#[derive(Debug)]
struct Text {
    /// Bytes of the part from the start of its tag to the end of its content.
    range: Range<usize>,
    text: String,
}

impl Paragraph {
    fn text(&self) -> String {
        self.texts.iter().map(|text| text.text.as_str()).collect()
    }

    /// Byte ranges of placeholders in the paragraph's text, what they stand for, and their names as written.
    fn placeholders(&self) -> Vec<(Range<usize>, Option<Item>, String)> {
        static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"[{｛]{2}([^{}｛｝]{1,60})[}｝]{2}").expect("the pattern is constant and tested")
        });
        let text = self.text();
        let found = PLACEHOLDER.captures_iter(&text).map(|captures| {
            let name = captures[1].trim();
            let range = captures.get(0).expect("group 0 always takes part").range();
            (range, Item::parse(name), name.to_owned())
        });
        found.collect()
    }

    /// The text elements that change when words take the place of ranges of the paragraph's text: the words stand
    /// where the range begins, in the format of its first character.
    fn rewritten(&self, replacements: &[(Range<usize>, String)]) -> Vec<(Range<usize>, String)> {
        let mut edits = Vec::new();
        let mut start = 0;
        for element in &self.texts {
            let end = start + element.text.len();
            let mut text = String::new();
            let mut done = start;
            for (range, words) in replacements.iter().filter(|(range, _)| range.start < end && start < range.end) {
                text.push_str(&element.text[done.max(start) - start..range.start.max(start) - start]);
                if range.start >= start {
                    text.push_str(words);
                }
                done = range.end.min(end);
            }
            if done > start {
                text.push_str(&element.text[done - start..]);
                let xml = format!(r#"<w:t xml:space="preserve">{}"#, escape(&text));
                edits.push((element.range.clone(), xml));
            }
            start = end;
        }
        edits
    }
}

/// The paragraphs of a part, each after those within it.
fn paragraphs(xml: &str) -> Result<Vec<Paragraph>, quick_xml::Error> {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Paragraph> = Vec::new();
    let mut closed = Vec::new();
    let mut text: Option<Text> = None;
    let mut section = 0;
    loop {
        let start = reader.buffer_position() as usize;
        let event = reader.read_event()?;
        let end = reader.buffer_position() as usize;
        match event {
            Event::Start(tag) => match tag.name().as_ref() {
                "w:p" => open.push(Paragraph { range: start..end, ..Paragraph::default() }),
                "w:t" => text = Some(Text { range: start..end, text: String::new() }),
                "w:sectPr" => section = start,
                _ => {}
            },
            Event::Text(content) => {
                if let Some(text) = &mut text {
                    text.text.push_str(&content);
                }
            }
            Event::GeneralRef(name) => {
                if let Some(text) = &mut text {
                    match (&*name, name.resolve_char_ref()) {
                        (_, Ok(Some(c))) => text.text.push(c),
                        ("lt", _) => text.text.push('<'),
                        ("gt", _) => text.text.push('>'),
                        ("amp", _) => text.text.push('&'),
                        ("quot", _) => text.text.push('"'),
                        ("apos", _) => text.text.push('\''),
                        _ => {}
                    }
                }
            }
            Event::CData(content) => {
                if let Some(text) = &mut text {
                    text.text.push_str(&content);
                }
            }
            Event::End(tag) => match tag.name().as_ref() {
                "w:t" => {
                    if let (Some(mut text), Some(paragraph)) = (text.take(), open.last_mut()) {
                        text.range.end = start;
                        paragraph.texts.push(text);
                    }
                }
                "w:sectPr" => {
                    if let Some(paragraph) = open.last_mut() {
                        paragraph.section = Some(section..end);
                    }
                }
                "w:p" => {
                    if let Some(mut paragraph) = open.pop() {
                        paragraph.range.end = end;
                        closed.push(paragraph);
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(closed),
            _ => {}
        }
    }
}

/// Width between the margins of the last section, in twentieths of a point; that of A4 where it is not told.
fn text_width(xml: &str) -> u32 {
    let section = xml.rfind("<w:sectPr").map_or("", |start| &xml[start..]);
    let number = |element: &str, attribute: &str| -> Option<u32> {
        let element = &section[section.find(&format!("<{element} "))?..];
        let element = &element[..element.find('>')?];
        let value = element.split_once(&format!("w:{attribute}=\""))?.1;
        value[..value.find('"')?].parse().ok()
    };
    let width = number("w:pgSz", "w").zip(number("w:pgMar", "left")).zip(number("w:pgMar", "right"));
    width
        .and_then(|((page, left), right)| page.checked_sub(left + right))
        .filter(|width| *width >= 4_000)
        .unwrap_or(super::TEXT_WIDTH)
}

/// The largest number of a bookmark.
fn largest_id(xml: &str) -> usize {
    let ids = xml.match_indices("<w:bookmarkStart ").filter_map(|(start, _)| {
        let element = &xml[start..start + xml[start..].find('>')?];
        let value = element.split_once("w:id=\"")?.1;
        value[..value.find('"')?].parse().ok()
    });
    ids.max().unwrap_or(0)
}

/// The text of a part; `None` where it is missing.
fn read(archive: &mut ZipArchive<Cursor<&Vec<u8>>>, name: &str) -> Result<Option<String>, TemplateError> {
    let broken = || TemplateError::Broken(name.to_owned());
    let file = match archive.by_name(name) {
        Ok(file) => file,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(_) => return Err(broken()),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|_| broken())?;
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    Ok(Some(text.trim_start_matches('\u{feff}').to_owned()))
}

/// The target of a relationship whose type ends so.
fn target(relations: &str, kind: &str) -> Option<String> {
    let relation = relations
        .split("<Relationship ")
        .skip(1)
        .find(|relation| relation.split('>').next().is_some_and(|relation| relation.contains(&format!("{kind}\""))))?;
    let value = relation.split('>').next()?.split_once("Target=\"")?.1;
    Some(value[..value.find('"')?].trim_start_matches('/').to_owned())
}
