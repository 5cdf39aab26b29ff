//! KWIC: each place that was found with what stands before and after it.

use std::ops::Range;

use crate::comment::CommentId;

use super::hit::Hit;

/// A line of the concordance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KwicLine {
    /// The comment.
    pub comment: CommentId,
    /// Characters of the comment's text that the keyword takes.
    pub char_range: Range<usize>,
    /// What stands before.
    pub left: String,
    /// What was found.
    pub keyword: String,
    /// What stands after.
    pub right: String,
}

/// What a concordance is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KwicOrder {
    /// As the hits come.
    #[default]
    Hits,
    /// By what stands before, read from the keyword backwards.
    Left,
    /// By what stands after.
    Right,
    /// By the keyword.
    Keyword,
}

/// The concordance of some hits with so many characters on either side; line breaks become blanks.
pub fn kwic(hits: &[Hit], context: usize, order: KwicOrder) -> Vec<KwicLine> {
    let mut lines: Vec<KwicLine> = hits.iter().flat_map(|hit| lines_of(hit, context)).collect();
    // Stable, so that equal contexts stay in the order of the hits.
    match order {
        KwicOrder::Hits => {}
        KwicOrder::Left => lines.sort_by(|a, b| a.left.chars().rev().cmp(b.left.chars().rev())),
        KwicOrder::Right => lines.sort_by(|a, b| a.right.cmp(&b.right)),
        KwicOrder::Keyword => lines.sort_by(|a, b| a.keyword.cmp(&b.keyword)),
    }
    lines
}

fn lines_of(hit: &Hit, context: usize) -> Vec<KwicLine> {
    let chars: Vec<char> = hit.comment.text.chars().collect();
    let text = |range: Range<usize>| -> String {
        chars[range].iter().map(|&c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect()
    };
    hit.highlights
        .iter()
        .map(|range| KwicLine {
            comment: hit.comment.id.clone(),
            char_range: range.clone(),
            left: text(range.start.saturating_sub(context)..range.start),
            keyword: text(range.clone()),
            right: text(range.end..(range.end + context).min(chars.len())),
        })
        .collect()
}
