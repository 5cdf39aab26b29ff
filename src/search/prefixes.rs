//! The terms with which a text begins, found in one walk through the index's dictionary.

use tantivy_fst::Automaton;

/// Accepts what the text begins with, except nothing at all.
pub(super) struct PrefixesOf<'t>(pub(super) &'t [u8]);

impl Automaton for PrefixesOf<'_> {
    /// Bytes of the text that were read; `None` after any other byte.
    type State = Option<usize>;

    fn start(&self) -> Option<usize> {
        Some(0)
    }

    fn is_match(&self, state: &Option<usize>) -> bool {
        state.is_some_and(|read| read > 0)
    }

    fn can_match(&self, state: &Option<usize>) -> bool {
        state.is_some()
    }

    fn accept(&self, state: &Option<usize>, byte: u8) -> Option<usize> {
        state.filter(|&read| self.0.get(read) == Some(&byte)).map(|read| read + 1)
    }
}
