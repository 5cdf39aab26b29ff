//! Alternatives that are looked up rather than listed.
//!
//! tantivy's own union lists all documents of all alternatives, some thousands ahead. Where a filter leaves few
//! candidates that is most of the work, above all for phrases, whose positions it reads in every document. This union
//! asks each alternative for the candidates alone.

use tantivy::{
    DocId, DocSet, Score, SeekDangerResult, SegmentReader, TERMINATED, TantivyError, Term,
    query::{EnableScoring, Explanation, Query, Scorer, Weight},
};

/// Matches what any of its queries matches; the score is the sum of theirs.
#[derive(Debug)]
pub(super) struct AnyQuery(Vec<Box<dyn Query>>);

impl AnyQuery {
    pub(super) fn new(choices: Vec<Box<dyn Query>>) -> Self {
        Self(choices)
    }
}

impl Clone for AnyQuery {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|query| query.box_clone()).collect())
    }
}

impl Query for AnyQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let weights = self.0.iter().map(|query| query.weight(scoring)).collect::<tantivy::Result<_>>()?;
        Ok(Box::new(AnyWeight(weights)))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.0.iter().for_each(|query| query.query_terms(visitor));
    }
}

struct AnyWeight(Vec<Box<dyn Weight>>);

impl Weight for AnyWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut scorer = AnyScorer { choices: Vec::with_capacity(self.0.len()), doc: TERMINATED };
        for weight in &self.0 {
            let inner = weight.scorer(reader, boost)?;
            let next = inner.doc();
            scorer.choices.push(Choice { inner, next, is_settled: true });
        }
        scorer.settle();
        Ok(Box::new(scorer))
    }

    fn scorer_danger(
        &self,
        reader: &SegmentReader,
        target: DocId,
        boost: Score,
    ) -> tantivy::Result<(SeekDangerResult, Box<dyn Scorer>)> {
        let mut scorer = AnyScorer { choices: Vec::with_capacity(self.0.len()), doc: TERMINATED };
        for weight in &self.0 {
            let (result, inner) = weight.scorer_danger(reader, target, boost)?;
            let mut choice = Choice { inner, next: target, is_settled: false };
            choice.take(target, result);
            scorer.choices.push(choice);
        }
        Ok((scorer.result_at(target), Box::new(scorer)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!("document #{doc} does not match")));
        }
        Ok(Explanation::new("Any", scorer.score()))
    }
}

/// An alternative and what is known of it.
struct Choice {
    inner: Box<dyn Scorer>,
    /// The document it stands on; or else no document before this one matches any more.
    next: DocId,
    /// Whether it stands there. Otherwise tantivy allows `seek_danger` only.
    is_settled: bool,
}

impl Choice {
    fn take(&mut self, target: DocId, result: SeekDangerResult) {
        (self.next, self.is_settled) = match result {
            SeekDangerResult::Found => (target, true),
            SeekDangerResult::SeekLowerBound(bound) => (bound.min(TERMINATED), false),
        };
    }

    /// Whether it matches the document, which is not before any that was asked for.
    fn matches(&mut self, target: DocId) -> bool {
        if self.next < target || self.next == target && !self.is_settled && target < TERMINATED {
            let result = self.inner.seek_danger(target);
            self.take(target, result);
        }
        self.is_settled && self.next == target
    }

    /// Goes on to a document that matches.
    fn settle(&mut self) {
        while !self.is_settled && self.next < TERMINATED {
            let target = self.next;
            let result = self.inner.seek_danger(target);
            self.take(target, result);
        }
    }
}

struct AnyScorer {
    choices: Vec<Choice>,
    doc: DocId,
}

impl AnyScorer {
    fn settle(&mut self) -> DocId {
        self.choices.iter_mut().for_each(Choice::settle);
        self.doc = self.choices.iter().map(|choice| choice.next).min().unwrap_or(TERMINATED);
        self.doc
    }

    fn result_at(&mut self, target: DocId) -> SeekDangerResult {
        let found = self.choices.iter().any(|choice| choice.is_settled && choice.next == target);
        if found {
            self.doc = target;
            return SeekDangerResult::Found;
        }
        let bound = self.choices.iter().map(|choice| choice.next).min().unwrap_or(TERMINATED);
        SeekDangerResult::SeekLowerBound(bound)
    }
}

impl DocSet for AnyScorer {
    fn advance(&mut self) -> DocId {
        for choice in &mut self.choices {
            if choice.is_settled && choice.next == self.doc {
                choice.next = choice.inner.advance();
            }
        }
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        for choice in &mut self.choices {
            if choice.next < target {
                if choice.is_settled {
                    choice.next = choice.inner.seek(target);
                } else if target < TERMINATED {
                    choice.matches(target);
                } else {
                    choice.next = TERMINATED;
                }
            }
        }
        self.settle()
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        if target >= TERMINATED {
            return SeekDangerResult::SeekLowerBound(target);
        }
        // Each is asked, for all that match count for the score.
        for choice in &mut self.choices {
            choice.matches(target);
        }
        self.result_at(target)
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.choices.iter().map(|choice| choice.inner.size_hint()).fold(0, u32::saturating_add)
    }

    fn cost(&self) -> u64 {
        self.choices.iter().map(|choice| choice.inner.cost()).sum()
    }
}

impl Scorer for AnyScorer {
    fn score(&mut self) -> Score {
        let here = self.choices.iter_mut().filter(|choice| choice.is_settled && choice.next == self.doc);
        here.map(|choice| choice.inner.score()).sum()
    }
}
