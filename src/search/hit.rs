//! A comment that was found.

use std::ops::Range;

use tantivy::{
    DocAddress, Score, Searcher as TantivySearcher, TantivyDocument,
    schema::{Field, Value},
};

use crate::{
    comment::{Attributes, Comment, CommentId, Origin},
    index::{Fields, TokenMaker},
    normalize::Normalized,
};

use super::matcher::Matcher;

/// A comment that was found, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The comment as it came in.
    pub comment: Comment,
    /// Its place in the order in which comments came in, from 1.
    pub position: u64,
    /// Ids of its categories in report order.
    pub categories: Vec<String>,
    /// Id of its primary section.
    pub primary: Option<String>,
    /// Whether to quote it, where a person decided.
    pub good_quote: Option<bool>,
    /// BM25; 0 in report order.
    pub score: f32,
    /// What was looked for: ranges of *characters* of the comment's text, in order and apart.
    pub highlights: Vec<Range<usize>>,
}

impl Hit {
    pub(super) fn read(
        searcher: &TantivySearcher,
        fields: &Fields,
        address: DocAddress,
        score: Score,
    ) -> tantivy::Result<Self> {
        let document: TantivyDocument = searcher.doc(address)?;
        let first = |field: Field| document.get_first(field).and_then(|value| value.as_str()).map(str::to_owned);
        let attributes = first(fields.attributes).and_then(|json| serde_json::from_str::<Attributes>(&json).ok());
        Ok(Self {
            comment: Comment {
                id: CommentId::new(first(fields.id).unwrap_or_default()),
                prefecture: first(fields.prefecture),
                facility: first(fields.facility),
                question: first(fields.question),
                text: first(fields.text).unwrap_or_default(),
                attributes: attributes.unwrap_or_default(),
                origin: Origin::default(),
            },
            position: document.get_first(fields.position).and_then(|value| value.as_u64()).unwrap_or(0),
            categories: document
                .get_all(fields.category)
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect(),
            primary: first(fields.primary),
            good_quote: first(fields.good_quote).map(|term| term == Fields::good_quote_term(true)),
            score,
            highlights: Vec::new(),
        })
    }

    pub(super) fn highlight(&mut self, maker: &mut TokenMaker<'_>, matcher: &Matcher<'_>) {
        let analysis = maker.analyze(&self.comment.text);
        let found = matcher.find(maker, &analysis);
        self.highlights = char_ranges(&self.comment.text, &analysis.normalized, &matcher.highlights(&found));
    }
}

/// Ranges of the normalised text in characters of the original, in order and apart.
fn char_ranges(original: &str, normalized: &Normalized, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut chars: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    let (mut at_byte, mut at_char) = (0, 0);
    for range in ranges {
        let bytes = normalized.original_bytes(range.clone());
        // Replaced places widen, so a range may begin before the last one ended.
        if bytes.start < at_byte {
            (at_byte, at_char) = (0, 0);
        }
        at_char += original[at_byte..bytes.start].chars().count();
        let start = at_char;
        at_char += original[bytes.clone()].chars().count();
        at_byte = bytes.end;
        match chars.last_mut() {
            Some(last) if start < last.end => last.end = last.end.max(at_char),
            _ => chars.push(start..at_char),
        }
    }
    chars
}
