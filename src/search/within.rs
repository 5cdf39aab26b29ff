//! The length of a comment as the last thing that is asked of what matches otherwise: one look into a column.

use std::ops::RangeInclusive;

use tantivy::{
    DocId, Score, SeekDangerResult, SegmentReader, Term,
    columnar::Column,
    query::{EnableScoring, Explanation, Query, Scorer, Weight},
};

use super::filtered::{DocTest, Filtered};

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
        Ok(Box::new(Filtered::new(self.inner.scorer(reader, boost)?, self.values(reader)?)))
    }

    fn scorer_danger(
        &self,
        reader: &SegmentReader,
        target: DocId,
        boost: Score,
    ) -> tantivy::Result<(SeekDangerResult, Box<dyn Scorer>)> {
        let (result, inner) = self.inner.scorer_danger(reader, target, boost)?;
        Ok(Filtered::after_seek(inner, self.values(reader)?, target, result))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.inner.explain(reader, doc)
    }
}

impl WithinWeight {
    fn values(&self, reader: &SegmentReader) -> tantivy::Result<Values> {
        Ok(Values { column: reader.fast_fields().u64(self.column)?, range: self.range.clone() })
    }
}

struct Values {
    column: Column<u64>,
    range: RangeInclusive<u64>,
}

impl DocTest for Values {
    const COST: u64 = 1;

    fn passes(&mut self, doc: DocId) -> bool {
        self.column.first(doc).is_some_and(|value| self.range.contains(&value))
    }
}
