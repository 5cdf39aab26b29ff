//! Words that are printed in the place of others: masks and corrections. The record keeps what was written.

use std::ops::Range;

use serde::Serialize;

use crate::normalize::Normalizer;

use super::disclosure::CharCounter;

/// Why words are printed otherwise than they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EditKind {
    /// They identify someone.
    Mask,
    /// They are a slip, or a space that a PDF or FAX left.
    Correction,
}

/// Other words for a place of a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Why.
    pub kind: EditKind,
    /// Range in *characters* of the original text.
    pub char_range: Range<usize>,
    /// The words to print.
    pub printed: String,
}

/// A correction that could be made; it is made only where a person accepts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// Range in *characters* of the original text.
    pub char_range: Range<usize>,
    /// The words as written.
    pub written: String,
    /// The words to print; empty for a space that goes.
    pub printed: String,
}

/// The edits of a text that are carried out, in its order: of those that overlap the masks, then the earlier ones.
/// Edits beyond the end of the text are left out.
pub(super) fn standing(text: &str, edits: &[Edit]) -> Vec<Edit> {
    let length = text.chars().count();
    let mut sorted: Vec<&Edit> =
        edits.iter().filter(|edit| !edit.char_range.is_empty() && edit.char_range.end <= length).collect();
    sorted.sort_by_key(|edit| (edit.kind, edit.char_range.start, edit.char_range.end));
    let mut kept: Vec<Edit> = Vec::with_capacity(sorted.len());
    for edit in sorted {
        let overlaps =
            |other: &Edit| edit.char_range.start < other.char_range.end && other.char_range.start < edit.char_range.end;
        if !kept.iter().any(overlaps) {
            kept.push(edit.clone());
        }
    }
    kept.sort_by_key(|edit| edit.char_range.start);
    kept
}

/// The text with the edits carried out; they must be as [`standing`] gives them.
pub(super) fn edited(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut edits = edits.iter().peekable();
    for (at, c) in text.chars().enumerate() {
        while edits.next_if(|edit| edit.char_range.end <= at).is_some() {}
        match edits.peek() {
            Some(edit) if edit.char_range.start == at => out.push_str(&edit.printed),
            Some(edit) if edit.char_range.contains(&at) => {}
            _ => out.push(c),
        }
    }
    out
}

/// Corrections that a text could do with: spaces and line breaks inside words, and known slips.
///
/// ```
/// use jirei::{analyze::Analyzer, report::offered_corrections};
///
/// let analyzer = Analyzer::embedded()?;
/// let offers = offered_corrections("カー ドの暗唱番号", analyzer.normalizer());
/// let offers: Vec<_> = offers.iter().map(|offer| (offer.written.as_str(), offer.printed.as_str())).collect();
/// assert_eq!(offers, [(" ", ""), ("暗唱番号", "暗証番号")]);
/// # Ok::<(), jirei::analyze::AnalyzerError>(())
/// ```
pub fn offered_corrections(text: &str, normalizer: &Normalizer) -> Vec<Offer> {
    let mut chars = CharCounter::new(text);
    let slips = normalizer.slips(text).into_iter();
    slips
        .map(|slip| Offer {
            char_range: chars.at(slip.byte_range.start)..chars.at(slip.byte_range.end),
            written: text[slip.byte_range].to_owned(),
            printed: slip.meant,
        })
        .collect()
}
