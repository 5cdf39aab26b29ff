//! A large table filled on first use.

use std::sync::OnceLock;

/// Entries a shelf.
const SHELF: usize = 64;

/// Some cells, made together.
type Shelf<T> = Box<[OnceLock<T>]>;

/// As many values as a dictionary has words, each made when it is first asked for, by whichever thread asks.
/// Only shelves that are used take memory: a table of single cells for 400,000 words would cost more at start
/// than the whole analysis of a comment.
pub(crate) struct Shelves<T> {
    shelves: Box<[OnceLock<Shelf<T>>]>,
    len: usize,
}

impl<T> Shelves<T> {
    /// An empty table for `len` values.
    pub(crate) fn new(len: usize) -> Self {
        Self { shelves: (0..len.div_ceil(SHELF)).map(|_| OnceLock::new()).collect(), len }
    }

    /// Number of values that it is for.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at an index below `len`, made by `make` if it is not there yet.
    pub(crate) fn get_or_init(&self, index: usize, make: impl FnOnce() -> T) -> &T {
        let shelf = self.shelves[index / SHELF].get_or_init(|| (0..SHELF).map(|_| OnceLock::new()).collect());
        shelf[index % SHELF].get_or_init(make)
    }
}
