//! Documents that match a query and pass a test besides.

use tantivy::{DocId, DocSet, Score, SeekDangerResult, TERMINATED, query::Scorer};

/// What is asked of a document that matches otherwise. Documents come in ascending order.
pub(super) trait DocTest: Send + 'static {
    /// How many times a test costs as much as a look at the next document.
    const COST: u64;

    fn passes(&mut self, doc: DocId) -> bool;
}

/// The documents of a scorer that pass a test, scored as it does.
pub(super) struct Filtered<T> {
    inner: Box<dyn Scorer>,
    test: T,
}

impl<T: DocTest> Filtered<T> {
    /// Stands at the first document that passes.
    pub(super) fn new(inner: Box<dyn Scorer>, test: T) -> Self {
        let mut filtered = Self { inner, test };
        let first = filtered.inner.doc();
        filtered.settle(first);
        filtered
    }

    /// Takes a scorer that was sent to `target`, with what it said.
    pub(super) fn after_seek(
        inner: Box<dyn Scorer>,
        test: T,
        target: DocId,
        result: SeekDangerResult,
    ) -> (SeekDangerResult, Box<dyn Scorer>) {
        let mut filtered = Self { inner, test };
        (filtered.confirm(target, result), Box::new(filtered))
    }

    /// Goes on from a candidate to the first document that passes.
    fn settle(&mut self, mut doc: DocId) -> DocId {
        while doc != TERMINATED && !self.test.passes(doc) {
            doc = self.inner.advance();
        }
        doc
    }

    fn confirm(&mut self, target: DocId, result: SeekDangerResult) -> SeekDangerResult {
        match result {
            SeekDangerResult::Found if !self.test.passes(target) => SeekDangerResult::SeekLowerBound(target + 1),
            result => result,
        }
    }
}

impl<T: DocTest> DocSet for Filtered<T> {
    fn advance(&mut self) -> DocId {
        let doc = self.inner.advance();
        self.settle(doc)
    }

    fn seek(&mut self, target: DocId) -> DocId {
        let doc = self.inner.seek(target);
        self.settle(doc)
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        let result = self.inner.seek_danger(target);
        self.confirm(target, result)
    }

    fn doc(&self) -> DocId {
        self.inner.doc()
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }

    fn cost(&self) -> u64 {
        self.inner.cost() * T::COST
    }
}

impl<T: DocTest> Scorer for Filtered<T> {
    fn score(&mut self) -> Score {
        self.inner.score()
    }
}
