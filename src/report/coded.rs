//! Coded comments, one a line: what `tag` writes.

use serde::Serialize;

use super::printable::printable;
use crate::{classify::Classification, codebook::Codebook, comment::Comment};

/// A comment with its codings, as the JSON contract has it.
///
/// ```json
/// {"id":"28-問7","prefecture":"東京都","facility":"病院","question":"問7","text":"…",
///  "categories":["display"],"primary":"display","confidence":0.9,
///  "evidence":[{"category":"display","rule":"display_dot","start":3,"end":4,"text":"●"}]}
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct CodedComment<'a> {
    #[serde(flatten)]
    comment: &'a Comment,
    categories: Vec<&'a str>,
    primary: Option<&'a str>,
    confidence: f32,
    evidence: Vec<QuotedEvidence<'a>>,
}

/// A piece of evidence with the words that it points at. `start` and `end` count characters of the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuotedEvidence<'a> {
    /// Id of the category.
    pub category: &'a str,
    /// Id of the rule.
    pub rule: &'a str,
    /// First character.
    pub start: usize,
    /// Character after the last one.
    pub end: usize,
    /// The words.
    pub text: &'a str,
}

/// Headers of the table form, in the order of [`CodedComment::cells`].
pub const CODED_HEADERS: [&str; 9] =
    ["id", "prefecture", "facility", "question", "text", "categories", "primary", "confidence", "evidence"];

impl<'a> CodedComment<'a> {
    /// Joins a comment with what the rules say of it.
    pub fn new(comment: &'a Comment, classification: &'a Classification, codebook: &'a Codebook) -> Self {
        Self {
            comment,
            categories: classification.categories().map(|category| &*codebook[category].id).collect(),
            primary: classification.primary.map(|category| &*codebook[category].id),
            confidence: classification.confidence(),
            evidence: quoted_evidence(comment, classification, codebook),
        }
    }

    /// As cells of a table, beside [`CODED_HEADERS`]: several categories are joined with `;`, evidence reads
    /// `category:rule「words」`.
    pub fn cells(&self) -> [String; 9] {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let evidence: Vec<String> = self
            .evidence
            .iter()
            .map(|e| format!("{}:{}「{}」", e.category, e.rule, e.text.replace('\n', " ")))
            .collect();
        [
            self.comment.id.to_string(),
            optional(&self.comment.prefecture),
            optional(&self.comment.facility),
            optional(&self.comment.question),
            printable(&self.comment.text).into_owned(),
            self.categories.join(";"),
            self.primary.unwrap_or_default().to_owned(),
            format!("{:.3}", self.confidence),
            evidence.join(" "),
        ]
    }
}

/// The evidence of a classification with the words that it points at, in code-frame order, then in that of the text.
pub fn quoted_evidence<'a>(
    comment: &'a Comment,
    classification: &'a Classification,
    codebook: &'a Codebook,
) -> Vec<QuotedEvidence<'a>> {
    let mut offsets: Vec<usize> = classification
        .codings
        .iter()
        .flat_map(|coding| coding.evidence.iter().flat_map(|e| [e.char_range.start, e.char_range.end]))
        .collect();
    offsets.sort_unstable();
    offsets.dedup();
    // Bytes of the listed characters, in one pass over the text.
    let mut bytes = Vec::with_capacity(offsets.len());
    let mut wanted = offsets.iter().copied().peekable();
    let boundaries = comment.text.char_indices().map(|(byte, _)| byte).chain(std::iter::once(comment.text.len()));
    for (character, byte) in boundaries.enumerate() {
        if wanted.next_if_eq(&character).is_some() {
            bytes.push(byte);
        }
    }
    let byte = |character: usize| {
        offsets.binary_search(&character).ok().and_then(|at| bytes.get(at)).copied().unwrap_or(comment.text.len())
    };
    classification
        .codings
        .iter()
        .flat_map(|coding| coding.evidence.iter().map(move |evidence| (coding, evidence)))
        .map(|(coding, evidence)| QuotedEvidence {
            category: &codebook[coding.category].id,
            rule: &evidence.rule,
            start: evidence.char_range.start,
            end: evidence.char_range.end,
            text: &comment.text[byte(evidence.char_range.start)..byte(evidence.char_range.end)],
        })
        .collect()
}
