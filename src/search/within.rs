//! The length of a comment as the last thing that is asked of what matches otherwise: one look into a column.

use std::ops::RangeInclusive;

use tantivy::{
    DocId, DocSet, Score, SeekDangerResult, SegmentReader, TERMINATED, Term,
    columnar::Column,
    query::{EnableScoring, Explanation, Query, Scorer, Weight},
};

/// Matches what its query matches where a column's value is in a range.
#[derive(Debug)]
pub(super) struct WithinQuery {
    pub(super) inner: Box<dyn Query>,
    /// Name of the column.
    pub(super) column: &'static str,
    pub(super) range: RangeInclusive<u64>,
}

impl Clone for WithinQuery {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), column: self.column, range: self.range.clone() }
    }
}

impl Query for WithinQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = self.inner.weight(scoring)?;
        Ok(Box::new(WithinWeight { inner, column: self.column, range: self.range.clone() }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.inner.query_terms(visitor);
    }
}

struct WithinWeight {
    inner: Box<dyn Weight>,
    column: &'static str,
    range: RangeInclusive<u64>,
}

impl Weight for WithinWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.inner.scorer(reader, boost)?;
        let column = reader.fast_fields().u64(self.column)?;
        let mut scorer = WithinScorer { inner, column, range: self.range.clone() };
        let first = scorer.inner.doc();
        scorer.settle(first);
        Ok(Box::new(scorer))
    }

    fn scorer_danger(
        &self,
        reader: &SegmentReader,
        target: DocId,
        boost: Score,
    ) -> tantivy::Result<(SeekDangerResult, Box<dyn Scorer>)> {
        let (result, inner) = self.inner.scorer_danger(reader, target, boost)?;
        let column = reader.fast_fields().u64(self.column)?;
        let scorer = WithinScorer { inner, column, range: self.range.clone() };
        Ok((scorer.confirm(target, result), Box::new(scorer)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.inner.explain(reader, doc)
    }
}

struct WithinScorer {
    inner: Box<dyn Scorer>,
    column: Column<u64>,
    range: RangeInclusive<u64>,
}

impl WithinScorer {
    fn accepts(&self, doc: DocId) -> bool {
        self.column.first(doc).is_some_and(|value| self.range.contains(&value))
    }

    fn settle(&mut self, mut doc: DocId) -> DocId {
        while doc != TERMINATED && !self.accepts(doc) {
            doc = self.inner.advance();
        }
        doc
    }

    fn confirm(&self, target: DocId, result: SeekDangerResult) -> SeekDangerResult {
        match result {
            SeekDangerResult::Found if !self.accepts(target) => SeekDangerResult::SeekLowerBound(target + 1),
            result => result,
        }
    }
}

impl DocSet for WithinScorer {
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
        self.inner.cost()
    }
}

impl Scorer for WithinScorer {
    fn score(&mut self) -> Score {
        self.inner.score()
    }
}
