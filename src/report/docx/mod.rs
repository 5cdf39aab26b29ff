//! The Word file: OOXML written directly, because the repeating header row, the table style and the ready
//! table of contents are beyond what docx crates offer.
//!
//! Layout is in `styles.xml` alone, so that the user can restyle the document in Word; lines have exact
//! heights there, which is also what lets [`pages`] foresee the page numbers of the contents.

mod dress;
mod pages;
mod template;

use std::{
    collections::HashSet,
    fmt::{self, Write as _},
    io::{Cursor, Write as _},
};

use quick_xml::escape::escape;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{
    Appendix, Part, ReportError, Row, Table,
    printable::{one_line, printable},
};

const NAMESPACE: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// Width between the margins of A4 portrait, 20 mm each, in twentieths of a point.
const TEXT_WIDTH: u32 = 9_638;

/// The columns with their widths in twentieths of a point; the last one takes what is left.
const COLUMNS: [(&str, u32); 4] = [("番号", 624), ("都道府県", 1204), ("医療機関", 1134), ("事例", 6676)];

/// A row with more characters than this may break over pages: it could be taller than one.
const UNBROKEN_CHARS: usize = 900;

pub use template::{Template, TemplateError, fill};

use dress::Dress;

pub(super) fn render(appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let mut body = Body::new(Dress::own(), TEXT_WIDTH, 0);
    body.document(appendix).expect("a String takes everything");
    let mut header = String::new();
    header_part(&mut header, appendix).expect("a String takes everything");
    let mut core = String::new();
    core_part(&mut core, appendix).expect("a String takes everything");

    let parts: [(&str, &str); 10] = [
        ("[Content_Types].xml", include_str!("content_types.xml")),
        ("_rels/.rels", include_str!("package.rels")),
        ("docProps/core.xml", &core),
        ("word/document.xml", &body.xml),
        ("word/_rels/document.xml.rels", include_str!("document.rels")),
        ("word/styles.xml", dress::STYLES),
        ("word/settings.xml", include_str!("settings.xml")),
        ("word/fontTable.xml", include_str!("fontTable.xml")),
        ("word/header1.xml", &header),
        ("word/footer1.xml", include_str!("footer.xml")),
    ];
    let options = file_options();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(name, options)?;
        archive.write_all(content.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Bytes must not depend on the clock.
fn file_options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

struct Body {
    xml: String,
    dress: Dress,
    /// Widths of the columns.
    columns: [u32; 4],
    /// Number of the last bookmark.
    bookmarks: usize,
}

impl Body {
    /// For a document with a width between its margins and bookmarks up to a number.
    fn new(dress: Dress, text_width: u32, bookmarks: usize) -> Self {
        let mut columns = COLUMNS.map(|(_, width)| width);
        columns[3] = text_width.saturating_sub(columns[..3].iter().sum()).max(1_000);
        Self { xml: String::new(), dress, columns, bookmarks }
    }

    fn document(&mut self, appendix: &Appendix) -> fmt::Result {
        write!(
            self.xml,
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{NAMESPACE}" xmlns:r="{RELATIONSHIPS}"><w:body>"#
        )?;
        self.paragraph("Title", &one_line(&appendix.title))?;
        if let Some(line) = &appendix.survey_line {
            self.paragraph("Subtitle", &one_line(line))?;
        }
        self.contents(appendix)?;
        self.legend(appendix)?;
        self.tables(appendix, &appendix.tables().collect::<Vec<_>>())?;
        self.xml.push_str(concat!(
            r#"<w:sectPr><w:headerReference w:type="default" r:id="rId4"/><w:footerReference w:type="default" r:id="rId5"/>"#,
            r#"<w:footerReference w:type="first" r:id="rId5"/><w:pgSz w:w="11906" w:h="16838"/>"#,
            r#"<w:pgMar w:top="1418" w:right="1134" w:bottom="1304" w:left="1134" w:header="737" w:footer="624" w:gutter="0"/>"#,
            r#"<w:titlePg/></w:sectPr></w:body></w:document>"#,
        ));
        Ok(())
    }

    fn legend(&mut self, appendix: &Appendix) -> fmt::Result {
        let legend = appendix.legend();
        if !legend.is_empty() {
            self.paragraph("TOCHeading", "凡例")?;
        }
        legend.iter().try_for_each(|line| self.paragraph("Legend", &format!("・{}", one_line(line))))
    }

    fn tables(&mut self, appendix: &Appendix, tables: &[&Table]) -> fmt::Result {
        let referred: HashSet<&str> = appendix.rows().filter_map(|(.., row)| row.reference.as_deref()).collect();
        tables.iter().try_for_each(|table| self.table(table, appendix.source_line.as_deref(), &referred))
    }

    /// The table of contents as Word would have built it, so that it shows before anything is updated and
    /// follows when it is.
    fn contents(&mut self, appendix: &Appendix) -> fmt::Result {
        self.xml.push_str(
            r#"<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/><w:docPartUnique/></w:docPartObj></w:sdtPr><w:sdtContent>"#,
        );
        self.paragraph("TOCHeading", "目次")?;
        let pages = pages::foreseen(appendix);
        for (i, (table, page)) in appendix.tables().zip(pages).enumerate() {
            self.paragraph_start("TOC1");
            if i == 0 {
                self.field_start(r#" TOC \o "1-1" \h \z \u "#);
            }
            write!(self.xml, r#"<w:hyperlink w:anchor="{}" w:history="1">"#, heading_bookmark(table))?;
            self.styled_run("TOC1", &heading(table))?;
            self.xml.push_str("<w:r><w:tab/></w:r>");
            self.field_start(&format!(r" PAGEREF {} \h ", heading_bookmark(table)));
            self.styled_run("TOC1", &page.to_string())?;
            self.field_end();
            self.xml.push_str("</w:hyperlink></w:p>");
        }
        self.xml.push_str("<w:p>");
        if appendix.tables().next().is_some() {
            self.field_end();
        }
        self.xml.push_str("</w:p></w:sdtContent></w:sdt>");
        Ok(())
    }

    fn table(&mut self, table: &Table, source_line: Option<&str>, referred: &HashSet<&str>) -> fmt::Result {
        self.paragraph_start("Heading1");
        let id = self.bookmark_start(&heading_bookmark(table))?;
        self.styled_run("Heading1", &heading(table))?;
        self.bookmark_end(id)?;
        self.xml.push_str("</w:p>");
        for paragraph in &table.introduction {
            self.paragraph("Introduction", &one_line(paragraph))?;
        }
        self.paragraph("CaseCount", &table.count_line())?;
        for part in &table.parts {
            if let Some(heading) = &part.heading {
                self.paragraph("Heading2", &one_line(heading))?;
            }
            if part.rows.is_empty() {
                self.paragraph("CaseNone", "該当なし")?;
            } else {
                self.rows(part, referred)?;
            }
        }
        match source_line {
            Some(line) => self.paragraph("SourceLine", &one_line(line)),
            // Word wants a paragraph between tables and at the end.
            None => self.paragraph("SourceLine", ""),
        }
    }

    fn rows(&mut self, part: &Part, referred: &HashSet<&str>) -> fmt::Result {
        let total: u32 = self.columns.iter().sum();
        write!(
            self.xml,
            r#"<w:tbl><w:tblPr>{}<w:tblW w:w="{total}" w:type="dxa"/>{}<w:tblLayout w:type="fixed"/>{}<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/></w:tblPr><w:tblGrid>"#,
            self.dress.table_style, self.dress.table_borders, self.dress.table_margins
        )?;
        for width in self.columns {
            write!(self.xml, r#"<w:gridCol w:w="{width}"/>"#)?;
        }
        self.xml.push_str("</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>");
        for (column, (header, _)) in COLUMNS.into_iter().enumerate() {
            let properties = self.dress.header_cell.clone();
            self.cell_start(column, &properties)?;
            self.paragraph("CaseHeader", header)?;
            self.xml.push_str("</w:tc>");
        }
        self.xml.push_str("</w:tr>");
        for row in &part.rows {
            self.row(row, referred.contains(row.label.as_str()))?;
        }
        self.xml.push_str("</w:tbl>");
        Ok(())
    }

    fn row(&mut self, row: &Row, is_referred: bool) -> fmt::Result {
        let name = |name: &Option<String>| name.as_deref().map_or_else(|| "―".to_owned(), one_line);
        let quote = printable(&row.quote);
        self.xml.push_str("<w:tr><w:trPr>");
        if quote.chars().count() <= UNBROKEN_CHARS && quote.lines().count() <= UNBROKEN_CHARS / 30 {
            self.xml.push_str("<w:cantSplit/>");
        }
        self.xml.push_str("</w:trPr>");
        let attributes = [
            ("CaseNumber", row.number.to_string()),
            ("CaseAttribute", name(&row.prefecture)),
            ("CaseAttribute", name(&row.facility)),
        ];
        for (column, (style, text)) in attributes.into_iter().enumerate() {
            self.cell_start(column, "")?;
            self.paragraph(style, &text)?;
            self.xml.push_str("</w:tc>");
        }
        self.cell_start(3, "")?;
        self.paragraph_start("Case");
        let bookmark = is_referred.then(|| self.bookmark_start(&row_bookmark(&row.label))).transpose()?;
        if let Some(id) = bookmark {
            self.bookmark_end(id)?;
        }
        for (i, line) in quote.lines().enumerate() {
            if i > 0 {
                // A line break in its stead would stretch the line before it.
                self.xml.push_str("</w:p>");
                self.paragraph_start("Case");
            }
            self.line(line)?;
        }
        let note_properties = self.dress.note.clone();
        if let Some(question) = row.question_note() {
            self.run(&one_line(&question), &note_properties)?;
        }
        if let Some(similar) = row.similar_note() {
            self.run(&format!("\u{3000}{similar}"), &note_properties)?;
        }
        if let (Some(label), Some(note)) = (&row.reference, row.reference_note()) {
            write!(self.xml, r#"<w:hyperlink w:anchor="{}" w:history="1">"#, row_bookmark(label))?;
            self.run(&format!("\u{3000}{note}"), &note_properties)?;
            self.xml.push_str("</w:hyperlink>");
        }
        self.xml.push_str("</w:p></w:tc></w:tr>");
        Ok(())
    }

    /// A line of words; what runs from right to left in runs of its own, as Word wants it.
    fn line(&mut self, line: &str) -> fmt::Result {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_rtl = is_right_to_left(first);
            let end = rest.find(|c| is_right_to_left(c) != is_rtl).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            let (_, properties) = self.dress.paragraph("Case");
            let properties = format!("{properties}{}", if is_rtl { "<w:rtl/>" } else { "" });
            self.run(run, &properties)?;
            rest = tail;
        }
        Ok(())
    }

    /// `properties` are those that a cell of the header row has beside its width.
    fn cell_start(&mut self, column: usize, properties: &str) -> fmt::Result {
        write!(self.xml, r#"<w:tc><w:tcPr><w:tcW w:w="{}" w:type="dxa"/>{properties}</w:tcPr>"#, self.columns[column])
    }

    fn paragraph(&mut self, style: &str, text: &str) -> fmt::Result {
        self.paragraph_start(style);
        if !text.is_empty() {
            self.styled_run(style, text)?;
        }
        self.xml.push_str("</w:p>");
        Ok(())
    }

    fn paragraph_start(&mut self, style: &str) {
        self.xml.push_str("<w:p>");
        self.xml.push_str(self.dress.paragraph(style).0);
    }

    /// A run as those of a paragraph of a style are.
    fn styled_run(&mut self, style: &str, text: &str) -> fmt::Result {
        let (_, properties) = self.dress.paragraph(style);
        run(&mut self.xml, text, properties)
    }

    fn run(&mut self, text: &str, properties: &str) -> fmt::Result {
        run(&mut self.xml, text, properties)
    }

    fn field_start(&mut self, instruction: &str) {
        self.xml.push_str(r#"<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve">"#);
        self.xml.push_str(&escape(instruction));
        self.xml.push_str(r#"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>"#);
    }

    fn field_end(&mut self) {
        self.xml.push_str(r#"<w:r><w:fldChar w:fldCharType="end"/></w:r>"#);
    }

    fn bookmark_start(&mut self, name: &str) -> Result<usize, fmt::Error> {
        self.bookmarks += 1;
        write!(self.xml, r#"<w:bookmarkStart w:id="{}" w:name="{name}"/>"#, self.bookmarks)?;
        Ok(self.bookmarks)
    }

    fn bookmark_end(&mut self, id: usize) -> fmt::Result {
        write!(self.xml, r#"<w:bookmarkEnd w:id="{id}"/>"#)
    }
}

fn run(xml: &mut String, text: &str, properties: &str) -> fmt::Result {
    xml.push_str("<w:r>");
    if !properties.is_empty() {
        write!(xml, "<w:rPr>{properties}</w:rPr>")?;
    }
    write!(xml, r#"<w:t xml:space="preserve">{}</w:t></w:r>"#, escape(text))
}

fn header_part(xml: &mut String, appendix: &Appendix) -> fmt::Result {
    write!(
        xml,
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:hdr xmlns:w="{NAMESPACE}"><w:p><w:pPr><w:pStyle w:val="Header"/></w:pPr>"#
    )?;
    run(xml, &one_line(&appendix.title), "")?;
    xml.push_str("</w:p></w:hdr>");
    Ok(())
}

fn core_part(xml: &mut String, appendix: &Appendix) -> fmt::Result {
    write!(
        xml,
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:language>ja-JP</dc:language></cp:coreProperties>"#,
        escape(one_line(&appendix.title))
    )
}

fn heading(table: &Table) -> String {
    format!("{}\u{3000}{}", table.number, one_line(&table.heading))
}

/// Word's own name for what a table of contents points at.
fn heading_bookmark(table: &Table) -> String {
    format!("_Toc{:08}", table.number)
}

fn row_bookmark(label: &str) -> String {
    format!("case_{}", label.replace('-', "_"))
}

fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}
