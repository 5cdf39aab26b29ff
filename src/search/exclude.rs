//! What must be absent, as tantivy can take it.
//!
//! In tantivy 0.27 the scorer that excludes asks the excluded one for documents that lie before its own, which phrases
//! do not allow: a debug build panics, a release build gives whatever comes. This wrapper answers such questions itself,
//! from what it was told before.

use tantivy::{
    DocId, DocSet, Score, SeekDangerResult, SegmentReader, TERMINATED,
    query::{EnableScoring, Explanation, Query, Scorer, Weight},
};

/// A query whose documents may be asked for in any order that does not go back past an answer.
#[derive(Debug)]
pub(super) struct Excluded(pub(super) Box<dyn Query>);

impl Clone for Excluded {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for Excluded {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let unscored = match scoring {
            EnableScoring::Enabled { searcher, .. } => EnableScoring::disabled_from_searcher(searcher),
            disabled @ EnableScoring::Disabled { .. } => disabled,
        };
        Ok(Box::new(ExcludedWeight(self.0.weight(unscored)?)))
    }
}

struct ExcludedWeight(Box<dyn Weight>);

impl Weight for ExcludedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.0.scorer(reader, boost)?;
        let next = inner.doc();
        Ok(Box::new(ExcludedScorer { inner, next, is_settled: true }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}

struct ExcludedScorer {
    inner: Box<dyn Scorer>,
    /// The document it stands on; or else no document before this one matches any more.
    next: DocId,
    /// Whether it stands there. Otherwise tantivy allows `seek_danger` only.
    is_settled: bool,
}

impl ExcludedScorer {
    fn ask(&mut self, target: DocId) -> bool {
        (self.next, self.is_settled) = match self.inner.seek_danger(target) {
            SeekDangerResult::Found => (target, true),
            SeekDangerResult::SeekLowerBound(bound) => (bound.min(TERMINATED), false),
        };
        self.is_settled
    }

    fn settle(&mut self) -> DocId {
        while !self.is_settled && self.next < TERMINATED {
            self.ask(self.next);
        }
        self.next
    }
}

impl DocSet for ExcludedScorer {
    fn advance(&mut self) -> DocId {
        if self.is_settled && self.next < TERMINATED {
            self.next = self.inner.advance();
        }
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.next < target && target < TERMINATED {
            self.ask(target);
        } else if self.next < target {
            (self.next, self.is_settled) = (TERMINATED, false);
        }
        self.settle()
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        if target < TERMINATED && (self.next < target || self.next == target && !self.is_settled) {
            self.ask(target);
        }
        if self.is_settled && self.next == target {
            SeekDangerResult::Found
        } else {
            SeekDangerResult::SeekLowerBound(self.next.max(target.saturating_add(1).min(TERMINATED)))
        }
    }

    fn doc(&self) -> DocId {
        self.next
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }

    fn cost(&self) -> u64 {
        self.inner.cost()
    }
}

impl Scorer for ExcludedScorer {
    fn score(&mut self) -> Score {
        0.0
    }
}
