//! A list of names, found in a text at one go.

use std::{collections::BTreeSet, ops::Range};

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};

/// Names by which a text is searched; of names that begin at the same place the longest counts.
pub(super) struct Names(Option<CharwiseDoubleArrayAhoCorasick<u32>>);

impl Names {
    /// Names as written; empty ones find nothing.
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: BTreeSet<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        Self((!names.is_empty()).then(|| {
            CharwiseDoubleArrayAhoCorasickBuilder::new()
                .match_kind(MatchKind::LeftmostLongest)
                .build(names)
                .expect("a list of names is small enough for the automaton, and has none that is empty or there twice")
        }))
    }

    /// Byte ranges of the names in a text, from left to right, never overlapping.
    pub(super) fn find(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.0.iter().flat_map(move |names| names.leftmost_find_iter(text)).map(|hit| hit.start()..hit.end())
    }
}
