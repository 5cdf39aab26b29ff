//! The file of masks and corrections that an analyst keeps where there is no casebook: proposals that the program
//! writes and a person edits. Each names its comment, its place and the words that stand there, so that nothing is
//! masked in a text that has changed.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    ops::Range,
};

use serde::Deserialize;

use crate::comment::{Comment, CommentId};

use super::{
    Edit, EditKind, Offer, Row, RowFinding, Table,
    settings::{Fault, SettingsError},
};

/// Characters of the quote that are shown on each side of the words.
const CONTEXT: usize = 24;

/// A file of masks, read.
///
/// ```
/// use jirei::report::MaskFile;
///
/// let file = MaskFile::parse("[[mask]]\napply = true\nprint = \"（氏名）\"\ncomment = \"1\"\nrange = [0, 2]\nwords = \"田中\"\ntext = \"x\"\n");
/// assert!(file.is_ok());
/// assert!(MaskFile::parse("[[mask]]\napply = 1").is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskFile {
    entries: Vec<(EditKind, Entry)>,
}

/// What a file of masks says of the comments at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// What is masked or corrected.
    pub edits: HashMap<CommentId, Vec<Edit>>,
    /// Words that a person leaves as they are: ranges in *characters* of the original text.
    pub kept: HashMap<CommentId, Vec<Range<usize>>>,
    /// Corrections that the file has, accepted or not: comment and range.
    pub offered: HashSet<(CommentId, usize, usize)>,
    /// Entries whose comment is not among those at hand or reads otherwise now.
    pub stale: usize,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    mask: Vec<Entry>,
    #[serde(default)]
    correction: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    apply: bool,
    print: String,
    words: String,
    comment: String,
    range: [usize; 2],
    text: String,
    #[serde(default, rename = "kind")]
    _kind: String,
    #[serde(default, rename = "quote")]
    _quote: String,
    #[serde(default, rename = "place")]
    _place: String,
}

impl MaskFile {
    /// Reads the text of a file of masks.
    ///
    /// # Errors
    ///
    /// The first fault, with its place.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let document: Document = toml::from_str(text).map_err(|error| {
            let message = format!("伏字の控えとして読めません（{}）", error.message());
            SettingsError { faults: vec![Fault::new(text, error.span().unwrap_or_default(), message)] }
        })?;
        let masks = document.mask.into_iter().map(|entry| (EditKind::Mask, entry));
        let corrections = document.correction.into_iter().map(|entry| (EditKind::Correction, entry));
        Ok(Self { entries: masks.chain(corrections).collect() })
    }

    /// What the file says of some comments.
    pub fn decide<'c>(&self, comments: impl IntoIterator<Item = &'c Comment>) -> Decided {
        let mut decided = Decided::default();
        if self.entries.is_empty() {
            return decided;
        }
        let by_id: HashMap<&str, &Comment> =
            comments.into_iter().map(|comment| (comment.id.as_str(), comment)).collect();
        for (kind, entry) in &self.entries {
            let [start, end] = entry.range;
            let range = start..end;
            let comment = by_id.get(entry.comment.as_str()).filter(|comment| {
                start < end && hash(&comment.text) == entry.text && slice(&comment.text, &range) == entry.words
            });
            let Some(comment) = comment else {
                decided.stale += 1;
                continue;
            };
            let id = comment.id.clone();
            if *kind == EditKind::Correction {
                decided.offered.insert((id.clone(), start, end));
            }
            match (entry.apply, kind) {
                (true, _) => {
                    let edit = Edit { kind: *kind, char_range: range, printed: entry.print.clone() };
                    decided.edits.entry(id).or_default().push(edit);
                }
                (false, EditKind::Mask) => decided.kept.entry(id).or_default().push(range),
                (false, EditKind::Correction) => {}
            }
        }
        decided
    }
}

/// The text that a file of masks gains by findings and by corrections that could be made: masks are set to be
/// applied, corrections are not. `is_new` puts the explanation at its head.
pub fn propose(findings: &[RowFinding], offers: &[(&Table, &Row, Offer)], is_new: bool) -> String {
    let mut out = String::new();
    write(&mut out, findings, offers, is_new).expect("a String takes everything");
    out
}

fn write(
    out: &mut String,
    findings: &[RowFinding],
    offers: &[(&Table, &Row, Offer)],
    is_new: bool,
) -> std::fmt::Result {
    if is_new {
        out.push_str(
            "# 伏字と校正の控え（jirei appendix --masks が書き足します。ご自分で直した所は書き換えません）\n\
             #\n\
             # [[mask]] は特定につながるおそれのある語です。apply = true なら print の語に置き換えて印刷し、\n\
             # 問題のない語なら apply = false にするとそのまま印刷します。\n\
             # [[correction]] は印刷のときだけ直せる所（余分な空白、誤変換）です。直すなら apply = true にしてください。\n\
             # comment・range・words・text は場所の控えなので変えないでください。回答の原文は変わりません。\n",
        );
    }
    for found in findings {
        let place = place(&found.label, &found.heading, found.prefecture.as_deref(), found.facility.as_deref());
        let finding = &found.finding;
        writeln!(out, "\n[[mask]]\napply = true\nprint = {}", quoted(&finding.mask))?;
        entry(out, &found.comment, &found.original, &finding.char_range, finding.kind.label(), &place)?;
    }
    for (table, row, offer) in offers {
        let place = place(&row.label, &table.heading, row.prefecture.as_deref(), row.facility.as_deref());
        let kind = if offer.printed.is_empty() { "余分な空白" } else { "誤記" };
        writeln!(out, "\n[[correction]]\napply = false\nprint = {}", quoted(&offer.printed))?;
        entry(out, &row.comment, &row.original, &offer.char_range, kind, &place)?;
    }
    Ok(())
}

fn entry(
    out: &mut String,
    comment: &CommentId,
    text: &str,
    range: &Range<usize>,
    kind: &str,
    place: &str,
) -> std::fmt::Result {
    writeln!(out, "words = {}", quoted(&slice(text, range)))?;
    writeln!(out, "kind = {}", quoted(kind))?;
    writeln!(out, "quote = {}", quoted(&marked(text, range)))?;
    writeln!(out, "place = {}", quoted(place))?;
    writeln!(out, "comment = {}", quoted(comment.as_str()))?;
    writeln!(out, "range = [{}, {}]", range.start, range.end)?;
    writeln!(out, "text = {}", quoted(&hash(text)))
}

fn place(label: &str, heading: &str, prefecture: Option<&str>, facility: Option<&str>) -> String {
    format!("{label} {heading}（{}・{}）", prefecture.unwrap_or("―"), facility.unwrap_or("―"))
}

/// A stretch of a text with the words of a range in 【】.
pub(super) fn marked(text: &str, range: &Range<usize>) -> String {
    let chars: Vec<char> = text.chars().collect();
    let start = range.start.saturating_sub(CONTEXT);
    let end = (range.end + CONTEXT).min(chars.len());
    let part = |range: Range<usize>| chars[range].iter().map(|c| if c.is_control() { ' ' } else { *c });
    let mut out = String::new();
    out.push_str(if start > 0 { "…" } else { "" });
    out.extend(part(start..range.start));
    out.push('【');
    out.extend(part(range.clone()));
    out.push('】');
    out.extend(part(range.end..end));
    out.push_str(if end < chars.len() { "…" } else { "" });
    out
}

fn slice(text: &str, range: &Range<usize>) -> String {
    text.chars().skip(range.start).take(range.len()).collect()
}

/// Changes with any change of the text.
fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl RowFinding {
    /// The quote around the finding, its words in 【】.
    pub fn marked(&self) -> String {
        marked(&self.original, &self.finding.char_range)
    }
}
