//! How paragraphs, notes and tables are dressed: by the styles of our own document, or, in a user's template, by the
//! template's styles of the same names. A template's styles stay as they are: what it lacks is formatted directly,
//! in the template's fonts.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event};

/// Our own styles, the source of direct formatting too.
pub(super) const STYLES: &str = include_str!("styles.xml");

/// Formatting for each of our styles.
pub(super) struct Dress {
    /// Properties of a paragraph (with their element) and of its runs (without), by our style id.
    paragraphs: HashMap<String, (String, String)>,
    /// Properties of a note's run, without their element.
    pub(super) note: String,
    /// Style of a table; empty where it is formatted directly.
    pub(super) table_style: String,
    /// Borders and cell margins of a table, where it is formatted directly.
    pub(super) table_borders: String,
    pub(super) table_margins: String,
    /// Borders, shading and alignment of a header cell, where it is formatted directly.
    pub(super) header_cell: String,
}

impl Dress {
    /// For our own document, whose styles are [`STYLES`].
    pub(super) fn own() -> Self {
        Self::of(|own| Some(own.id.clone()))
    }

    /// For a template with a part of styles.
    pub(super) fn of_template(styles: &str) -> Self {
        let theirs: HashMap<(String, String), String> =
            styles_of(styles).into_iter().map(|style| ((style.kind, style.name.to_lowercase()), style.id)).collect();
        Self::of(|own| theirs.get(&(own.kind.clone(), own.name.to_lowercase())).cloned())
    }

    /// `known` gives the id under which a document has a style of ours.
    fn of(known: impl Fn(&Style) -> Option<String>) -> Self {
        let mut dress = Self {
            paragraphs: HashMap::new(),
            note: String::new(),
            table_style: String::new(),
            table_borders: String::new(),
            table_margins: String::new(),
            header_cell: String::new(),
        };
        for own in styles_of(STYLES) {
            let id = known(&own);
            let definition = definition(&own.id);
            match (own.kind.as_str(), id) {
                ("paragraph", Some(id)) => {
                    let properties = format!(r#"<w:pPr><w:pStyle w:val="{id}"/></w:pPr>"#);
                    dress.paragraphs.insert(own.id, (properties, String::new()));
                }
                ("paragraph", None) => {
                    let properties =
                        inner(definition, "w:pPr").map_or(String::new(), |p| format!("<w:pPr>{p}</w:pPr>"));
                    dress.paragraphs.insert(own.id, (properties, run_properties(definition)));
                }
                ("character", Some(id)) if own.id == "CaseNote" => dress.note = format!(r#"<w:rStyle w:val="{id}"/>"#),
                ("character", None) if own.id == "CaseNote" => dress.note = run_properties(definition),
                ("table", Some(id)) if own.id == "CaseTable" => {
                    dress.table_style = format!(r#"<w:tblStyle w:val="{id}"/>"#);
                }
                ("table", None) if own.id == "CaseTable" => {
                    dress.table_borders = element(definition, "w:tblBorders").to_owned();
                    dress.table_margins = element(definition, "w:tblCellMar").to_owned();
                    let header = definition.split_once("<w:tblStylePr").map_or("", |(_, rest)| rest);
                    dress.header_cell = inner(header, "w:tcPr").unwrap_or_default().to_owned();
                }
                _ => {}
            }
        }
        dress
    }

    /// Properties of a paragraph (with their element) and of its runs (without) for a style of ours.
    pub(super) fn paragraph(&self, style: &str) -> (&str, &str) {
        self.paragraphs.get(style).map_or(("", ""), |(paragraph, run)| (paragraph, run))
    }
}

struct Style {
    kind: String,
    id: String,
    name: String,
}

/// The styles of a part, those without a name left out.
fn styles_of(xml: &str) -> Vec<Style> {
    let mut reader = Reader::from_str(xml);
    let mut styles = Vec::new();
    let mut current: Option<(String, String)> = None;
    loop {
        let (tag, is_start) = match reader.read_event() {
            Ok(Event::Start(tag)) => (tag, true),
            Ok(Event::Empty(tag)) => (tag, false),
            Ok(Event::Eof) | Err(_) => return styles,
            Ok(_) => continue,
        };
        let attribute = |name: &str| {
            let found = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == name);
            found.map(|attribute| attribute.value.to_string())
        };
        match tag.name().as_ref() {
            "w:style" if is_start => {
                current = attribute("w:type").zip(attribute("w:styleId"));
            }
            "w:name" => {
                if let (Some((kind, id)), Some(name)) = (current.take(), attribute("w:val")) {
                    styles.push(Style { kind, id, name });
                }
            }
            _ => {}
        }
    }
}

/// The definition of a style of ours.
fn definition(id: &str) -> &'static str {
    let start = STYLES.find(&format!("w:styleId=\"{id}\"")).unwrap_or(STYLES.len());
    let rest = &STYLES[start..];
    &rest[..rest.find("</w:style>").unwrap_or(rest.len())]
}

/// An element of our styles with its tags; empty where there is none.
fn element<'x>(xml: &'x str, name: &str) -> &'x str {
    let Some(start) = xml.find(&format!("<{name}>")) else { return "" };
    let end = format!("</{name}>");
    xml[start..].find(&end).map_or("", |at| &xml[start..start + at + end.len()])
}

/// What stands within an element of our styles.
fn inner<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let element = element(xml, name);
    element.strip_prefix(&format!("<{name}>"))?.strip_suffix(&format!("</{name}>"))
}

/// Run properties of a style of ours without its fonts: a template has its own.
fn run_properties(definition: &str) -> String {
    let properties = inner(definition, "w:rPr").unwrap_or_default();
    match properties.strip_prefix("<w:rFonts ").and_then(|rest| rest.split_once("/>")) {
        Some((_, rest)) => rest.to_owned(),
        None => properties.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_keeps_its_styles() {
        let theirs = r#"<w:styles><w:style w:type="paragraph" w:styleId="1"><w:name w:val="Heading 1"/></w:style>
            <w:style w:type="character" w:styleId="a9"><w:name w:val="事例"/></w:style></w:styles>"#;
        let dress = Dress::of_template(theirs);
        assert_eq!(dress.paragraph("Heading1"), (r#"<w:pPr><w:pStyle w:val="1"/></w:pPr>"#, ""));
        let (paragraph, run) = dress.paragraph("Case");
        assert!(paragraph.contains("<w:spacing") && !paragraph.contains("pStyle"), "a style of characters is another");
        assert!(run.contains("<w:sz ") && !run.contains("rFonts"), "{run}");
        assert!(dress.note.contains("<w:color") && dress.table_borders.contains("<w:insideH"));
        assert!(dress.header_cell.contains("<w:shd") && dress.table_style.is_empty());
        assert_eq!(Dress::own().paragraph("Case"), (r#"<w:pPr><w:pStyle w:val="Case"/></w:pPr>"#, ""));
    }
}
