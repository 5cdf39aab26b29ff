//! Words near each other, in any order: what tantivy's phrase queries cannot say of alternatives and phrases.

use std::fmt;

use tantivy::{
    DocId, DocSet, Score, SeekDangerResult, SegmentReader, TantivyError, Term,
    postings::{Postings, SegmentPostings},
    query::{BooleanQuery, EnableScoring, Explanation, Occur, Query, Scorer, Weight},
    schema::IndexRecordOption,
};

use crate::index::Fields;

use super::{
    filtered::{DocTest, Filtered},
    plan::Leaf,
};

/// Whether every group has a place within `distance` of each other; places ascend within a group.
pub(super) fn are_near(groups: &[Vec<u32>], distance: u32) -> bool {
    groups.iter().flatten().any(|&start| window_holds(groups, start, distance))
}

/// Whether every group has a place from `start` to `start + distance`.
pub(super) fn window_holds(groups: &[Vec<u32>], start: u32, distance: u32) -> bool {
    groups.iter().all(|places| {
        let first = places.partition_point(|&place| place < start);
        places.get(first).is_some_and(|&place| place <= start.saturating_add(distance))
    })
}

/// Matches comments in which all groups stand near each other; ranked as if they had to occur anywhere.
pub(super) struct NearQuery {
    inner: Box<dyn Query>,
    groups: Vec<Vec<Vec<(usize, Term)>>>,
    distance: u32,
}

impl NearQuery {
    pub(super) fn new(groups: &[Leaf], distance: u32, fields: &Fields) -> Self {
        let clauses = groups.iter().map(|group| (Occur::Must, group.to_query(fields))).collect();
        let groups =
            groups.iter().map(|group| group.patterns.iter().map(|pattern| pattern.terms(fields)).collect()).collect();
        Self { inner: Box::new(BooleanQuery::new(clauses)), groups, distance }
    }
}

impl Clone for NearQuery {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), groups: self.groups.clone(), distance: self.distance }
    }
}

impl fmt::Debug for NearQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NearQuery").field("groups", &self.groups).field("distance", &self.distance).finish()
    }
}

impl Query for NearQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = self.inner.weight(scoring)?;
        Ok(Box::new(NearWeight { inner, groups: self.groups.clone(), distance: self.distance }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        for (_, term) in self.groups.iter().flatten().flatten() {
            visitor(term, true);
        }
    }
}

struct NearWeight {
    inner: Box<dyn Weight>,
    groups: Vec<Vec<Vec<(usize, Term)>>>,
    distance: u32,
}

impl Weight for NearWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(Filtered::new(self.inner.scorer(reader, boost)?, self.places(reader)?)))
    }

    fn scorer_danger(
        &self,
        reader: &SegmentReader,
        target: DocId,
        boost: Score,
    ) -> tantivy::Result<(SeekDangerResult, Box<dyn Scorer>)> {
        let (result, inner) = self.inner.scorer_danger(reader, target, boost)?;
        Ok(Filtered::after_seek(inner, self.places(reader)?, target, result))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!("document #{doc} does not match")));
        }
        Ok(Explanation::new("Near", scorer.score()))
    }
}

impl NearWeight {
    fn places(&self, reader: &SegmentReader) -> tantivy::Result<Places> {
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let mut patterns = Vec::new();
            for pattern in group {
                let mut terms = Vec::with_capacity(pattern.len());
                for (offset, term) in pattern {
                    let index = reader.inverted_index(term.field())?;
                    if let Some(postings) = index.read_postings(term, IndexRecordOption::WithFreqsAndPositions)? {
                        terms.push((*offset as u32, postings));
                    }
                }
                // A pattern with a term that this segment lacks cannot match here.
                if terms.len() == pattern.len() {
                    patterns.push(terms);
                }
            }
            groups.push(patterns);
        }
        let places = vec![Vec::new(); groups.len()];
        Ok(Places { groups, distance: self.distance, places, buffer: Vec::new() })
    }
}

/// Where the groups stand in a document.
struct Places {
    groups: Vec<Vec<Vec<(u32, SegmentPostings)>>>,
    distance: u32,
    places: Vec<Vec<u32>>,
    buffer: Vec<u32>,
}

impl DocTest for Places {
    /// Reading positions costs several times as much as reading documents.
    const COST: u64 = 4;

    fn passes(&mut self, doc: DocId) -> bool {
        for (group, places) in self.groups.iter_mut().zip(&mut self.places) {
            places.clear();
            for pattern in group {
                let from = places.len();
                for (index, (offset, postings)) in pattern.iter_mut().enumerate() {
                    if postings.doc() < doc {
                        postings.seek(doc);
                    }
                    if postings.doc() != doc {
                        places.truncate(from);
                        break;
                    }
                    postings.positions(&mut self.buffer);
                    if index == 0 {
                        places.extend(self.buffer.iter().filter_map(|place| place.checked_sub(*offset)));
                    } else {
                        let buffer = &self.buffer;
                        let mut kept = from;
                        for at in from..places.len() {
                            if buffer.binary_search(&(places[at] + *offset)).is_ok() {
                                places[kept] = places[at];
                                kept += 1;
                            }
                        }
                        places.truncate(kept);
                    }
                }
            }
            if places.is_empty() {
                return false;
            }
            places.sort_unstable();
        }
        are_near(&self.places, self.distance)
    }
}
