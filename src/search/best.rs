//! The first hits in order, found in one pass with the counts, or without looking at those that cannot be among them.

use std::{cmp::Ordering, collections::BinaryHeap};

use tantivy::{
    DocAddress, DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::Column,
    query::Weight,
};

use super::facet::{Counts, FacetCollector, SegmentCounts};

/// A place among the hits: better ones are greater.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) score: Score,
    /// The comment's place in the order of coming in.
    pub(super) position: u64,
    pub(super) address: DocAddress,
}

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.position.cmp(&self.position))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best places of some documents, the worst of them at hand.
struct Top {
    limit: usize,
    positions: Column<u64>,
    segment: SegmentOrdinal,
    heap: BinaryHeap<std::cmp::Reverse<Place>>,
}

impl Top {
    fn new(limit: usize, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<Self> {
        Ok(Self { limit, positions: reader.fast_fields().u64("position")?, segment, heap: BinaryHeap::new() })
    }

    fn offer(&mut self, doc: DocId, score: Score) {
        let is_full = self.heap.len() >= self.limit;
        let Some(worst) = self.heap.peek().filter(|_| is_full) else {
            if !is_full {
                self.heap.push(std::cmp::Reverse(self.place(doc, score)));
            }
            return;
        };
        if score < worst.0.score {
            return;
        }
        let place = self.place(doc, score);
        if place > worst.0 {
            self.heap.pop();
            self.heap.push(std::cmp::Reverse(place));
        }
    }

    fn place(&self, doc: DocId, score: Score) -> Place {
        let address = DocAddress::new(self.segment, doc);
        Place { score, position: self.positions.first(doc).unwrap_or(u64::MAX), address }
    }

    /// The score that must be exceeded. One as good as the worst may still come before it.
    fn threshold(&self) -> Score {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.limit => worst.0.score.next_down(),
            _ => Score::MIN,
        }
    }

    fn into_places(self) -> Vec<Place> {
        self.heap.into_iter().map(|place| place.0).collect()
    }
}

fn merged(places: impl IntoIterator<Item = Vec<Place>>, limit: usize) -> Vec<Place> {
    let mut merged: Vec<Place> = places.into_iter().flatten().collect();
    merged.sort_unstable_by(|a, b| b.cmp(a));
    merged.truncate(limit);
    merged
}

/// Counts all hits and keeps the best, best first.
pub(super) struct CountAndBest<'f> {
    pub(super) counter: FacetCollector<'f>,
    pub(super) limit: usize,
    /// Whether scores count; otherwise all are alike and come in the order of coming in.
    pub(super) is_ranked: bool,
}

impl Collector for CountAndBest<'_> {
    type Fruit = (Counts, Vec<Place>);
    type Child = CountAndBestOfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<CountAndBestOfSegment> {
        let counts = self.counter.for_segment(segment, reader)?;
        Ok(CountAndBestOfSegment { counts, top: Top::new(self.limit, segment, reader)? })
    }

    fn requires_scoring(&self) -> bool {
        self.is_ranked
    }

    fn merge_fruits(&self, segments: Vec<(Counts, Vec<Place>)>) -> tantivy::Result<Self::Fruit> {
        let (counts, places): (Vec<Counts>, Vec<Vec<Place>>) = segments.into_iter().unzip();
        Ok((self.counter.merge_fruits(counts)?, merged(places, self.limit)))
    }
}

/// See [`CountAndBest`].
pub(super) struct CountAndBestOfSegment {
    counts: SegmentCounts,
    top: Top,
}

impl SegmentCollector for CountAndBestOfSegment {
    type Fruit = (Counts, Vec<Place>);

    fn collect(&mut self, doc: DocId, score: Score) {
        self.counts.collect(doc, score);
        self.top.offer(doc, score);
    }

    fn harvest(self) -> Self::Fruit {
        (self.counts.harvest(), self.top.into_places())
    }
}

/// Keeps the best, best first, and passes over blocks of documents in which none can be.
pub(super) struct Best {
    pub(super) limit: usize,
}

impl Collector for Best {
    type Fruit = Vec<Place>;
    type Child = BestOfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<BestOfSegment> {
        Top::new(self.limit, segment, reader).map(BestOfSegment)
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<Vec<Place>>) -> tantivy::Result<Vec<Place>> {
        Ok(merged(segments, self.limit))
    }

    fn collect_segment(
        &self,
        weight: &dyn Weight,
        segment: u32,
        reader: &SegmentReader,
    ) -> tantivy::Result<Vec<Place>> {
        let mut top = Top::new(self.limit, segment, reader)?;
        let alive = reader.alive_bitset();
        weight.for_each_pruning(Score::MIN, reader, &mut |doc, score| {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                top.offer(doc, score);
            }
            top.threshold()
        })?;
        Ok(top.into_places())
    }
}

/// See [`Best`].
pub(super) struct BestOfSegment(Top);

impl SegmentCollector for BestOfSegment {
    type Fruit = Vec<Place>;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.0.offer(doc, score);
    }

    fn harvest(self) -> Vec<Place> {
        self.0.into_places()
    }
}
