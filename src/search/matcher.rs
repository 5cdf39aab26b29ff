//! Finds in a text what a plan looks for: for highlights, and as the plain reading of a plan that tests hold
//! the index against.

use std::{collections::HashMap, ops::Range};

use crate::{
    analyze::Analysis,
    index::{TokenMaker, tokens::WRITTEN_IN_KANA},
};

use super::{
    near::window_holds,
    plan::{Channel, Leaf, Pattern, Plan},
};

/// Finds the places of one plan in any number of texts.
#[derive(Debug)]
pub(super) struct Matcher<'p> {
    plan: &'p Plan,
    /// The words that the plan looks for, each with its channel, numbered.
    words: HashMap<&'p str, Vec<(Channel, usize)>>,
    numbers: HashMap<(Channel, &'p str), usize>,
}

/// Where a text has the words of a plan.
#[derive(Debug)]
pub(super) struct Found {
    /// For each word its positions, ascending, and the bytes of the normalised text there.
    places: Vec<Vec<Place>>,
}

/// A place where a word or a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    position: u32,
    bytes: Range<usize>,
}

impl<'p> Matcher<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let mut matcher = Self { plan, words: HashMap::new(), numbers: HashMap::new() };
        matcher.collect(plan);
        matcher
    }

    fn collect(&mut self, plan: &'p Plan) {
        let leaves = match plan {
            Plan::Words(leaf) => std::slice::from_ref(leaf),
            Plan::Near { groups, .. } => groups.as_slice(),
            Plan::Not(inner) => return self.collect(inner),
            Plan::All(parts) | Plan::Any(parts) => return parts.iter().for_each(|part| self.collect(part)),
            Plan::Everything | Plan::Values { .. } | Plan::Length { .. } => return,
        };
        for pattern in leaves.iter().flat_map(|leaf| &leaf.patterns) {
            for (_, word) in &pattern.words {
                let next = self.numbers.len();
                let number = *self.numbers.entry((pattern.channel, word.as_str())).or_insert(next);
                if number == next {
                    let bare = word.strip_prefix(WRITTEN_IN_KANA).unwrap_or(word);
                    self.words.entry(bare).or_default().push((pattern.channel, number));
                    if bare.len() != word.len() && pattern.channel != Channel::Reading {
                        // The mark means something in readings only; elsewhere it is a character.
                        self.words.entry(word).or_default().push((pattern.channel, number));
                    }
                }
            }
        }
    }

    /// Looks a text through.
    pub(super) fn find(&self, maker: &mut TokenMaker<'_>, analysis: &Analysis<'_>) -> Found {
        let mut places = vec![Vec::new(); self.numbers.len()];
        let marked: Vec<bool> = {
            let mut marked = vec![false; self.numbers.len()];
            for (&(channel, word), &number) in &self.numbers {
                marked[number] = channel == Channel::Reading && word.starts_with(WRITTEN_IN_KANA);
            }
            marked
        };
        maker.visit(analysis, |token| {
            let mut note = |channel: Channel, word: &str| {
                for &(of, number) in self.words.get(word).into_iter().flatten() {
                    if of == channel && (!marked[number] || token.in_kana) {
                        let place = Place { position: token.position.max(0) as u32, bytes: token.byte_range.clone() };
                        places[number].push(place);
                    }
                }
            };
            if let Some(surface) = token.surface {
                note(Channel::Surface, surface);
            }
            if !token.is_silent {
                note(Channel::Base, token.base);
            }
            if let Some(reading) = token.reading {
                note(Channel::Reading, reading);
            }
        });
        Found { places }
    }

    fn word<'f>(&self, found: &'f Found, channel: Channel, word: &str) -> &'f [Place] {
        self.numbers.get(&(channel, word)).map_or(&[], |&number| &found.places[number])
    }

    fn pattern_places(&self, found: &Found, pattern: &Pattern, into: &mut Vec<Place>) {
        let Some(((first_offset, first), rest)) = pattern.words.split_first() else { return };
        'starts: for place in self.word(found, pattern.channel, first) {
            let Some(start) = place.position.checked_sub(*first_offset) else { continue };
            let mut bytes = place.bytes.clone();
            for (offset, word) in rest {
                let places = self.word(found, pattern.channel, word);
                let at = places.partition_point(|place| place.position < start + offset);
                match places.get(at) {
                    Some(place) if place.position == start + offset => {
                        bytes = bytes.start.min(place.bytes.start)..bytes.end.max(place.bytes.end);
                    }
                    _ => continue 'starts,
                }
            }
            into.push(Place { position: start, bytes });
        }
    }

    fn leaf_places(&self, found: &Found, leaf: &Leaf) -> Vec<Place> {
        let mut places = Vec::new();
        for pattern in &leaf.patterns {
            self.pattern_places(found, pattern, &mut places);
        }
        places.sort_by_key(|place| (place.position, place.bytes.start, place.bytes.end));
        places
    }

    /// The places of a leaf, or of the groups of a `near` that are near each other.
    fn places(&self, found: &Found, plan: &Plan) -> Vec<Place> {
        match plan {
            Plan::Words(leaf) => self.leaf_places(found, leaf),
            Plan::Near { groups, distance } => {
                let groups: Vec<Vec<Place>> = groups.iter().map(|group| self.leaf_places(found, group)).collect();
                let positions: Vec<Vec<u32>> =
                    groups.iter().map(|places| places.iter().map(|place| place.position).collect()).collect();
                let mut near = Vec::new();
                for start in positions.iter().flatten().copied() {
                    if window_holds(&positions, start, *distance) {
                        let window = start..=start.saturating_add(*distance);
                        near.extend(groups.iter().flatten().filter(|place| window.contains(&place.position)).cloned());
                    }
                }
                near
            }
            _ => Vec::new(),
        }
    }

    /// Byte ranges of the normalised text that the plan looks for, in order and apart.
    pub(super) fn highlights(&self, found: &Found) -> Vec<Range<usize>> {
        self.highlights_of(found, self.plan)
    }

    /// As [`Matcher::highlights`] for a part of the plan.
    pub(super) fn highlights_of(&self, found: &Found, part: &Plan) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        part.for_each_positive(&mut |part| {
            ranges.extend(self.places(found, part).into_iter().map(|place| place.bytes))
        });
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}
