//! Finds in a text what a plan looks for: for highlights, and as the plain reading of a plan that tests hold
//! the index against.

use std::ops::Range;

use crate::{
    analyze::Analysis,
    index::{TokenMaker, tokens::WRITTEN_IN_KANA},
};

use super::{
    near::window_holds,
    plan::{Channel, Leaf, Pattern, Plan},
};

/// A text's tokens, ready to be looked through.
#[derive(Debug)]
pub(super) struct TokenizedText {
    tokens: Vec<TextToken>,
    /// Where the tokens of each position begin; one more at the end.
    starts: Vec<usize>,
}

#[derive(Debug)]
struct TextToken {
    position: u32,
    base: Option<Box<str>>,
    surface: Option<Box<str>>,
    reading: Option<Box<str>>,
    in_kana: bool,
    bytes: Range<usize>,
}

/// A place where a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    position: u32,
    bytes: Range<usize>,
}

impl TokenizedText {
    pub(super) fn new(maker: &mut TokenMaker<'_>, analysis: &Analysis<'_>) -> Self {
        let mut tokens = Vec::new();
        maker.visit(analysis, |token| {
            tokens.push(TextToken {
                position: token.position.max(0) as u32,
                base: (!token.is_silent).then(|| token.base.into()),
                surface: token.surface.map(Into::into),
                reading: token.reading.map(Into::into),
                in_kana: token.in_kana,
                bytes: token.byte_range,
            });
        });
        let positions = tokens.last().map_or(0, |token: &TextToken| token.position as usize + 1);
        let starts = (0..=positions)
            .map(|position| tokens.partition_point(|token| (token.position as usize) < position))
            .collect();
        Self { tokens, starts }
    }

    fn at(&self, position: u32) -> &[TextToken] {
        match self.starts.get(position as usize..position as usize + 2) {
            Some(&[start, end]) => &self.tokens[start..end],
            _ => &[],
        }
    }

    fn pattern_at(&self, pattern: &Pattern, start: u32) -> Option<Range<usize>> {
        let mut bytes: Option<Range<usize>> = None;
        for (offset, word) in &pattern.words {
            let found = self.at(start + offset).iter().find(|token| token.is(pattern.channel, word))?;
            bytes = Some(match bytes {
                None => found.bytes.clone(),
                Some(all) => all.start.min(found.bytes.start)..all.end.max(found.bytes.end),
            });
        }
        bytes
    }

    fn places(&self, leaf: &Leaf) -> Vec<Place> {
        let mut places = Vec::new();
        for pattern in &leaf.patterns {
            for position in 0..self.starts.len().saturating_sub(1) as u32 {
                if let Some(bytes) = self.pattern_at(pattern, position) {
                    places.push(Place { position, bytes });
                }
            }
        }
        places.sort_by_key(|place| (place.position, place.bytes.start, place.bytes.end));
        places
    }

    /// The places of a leaf, or of the groups of a `near` that are near each other.
    fn plan_places(&self, plan: &Plan) -> Vec<Place> {
        match plan {
            Plan::Words(leaf) => self.places(leaf),
            Plan::Near { groups, distance } => {
                let groups: Vec<Vec<Place>> = groups.iter().map(|group| self.places(group)).collect();
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

    /// Byte ranges of the normalised text that a plan looks for, in order and apart.
    pub(super) fn highlights(&self, plan: &Plan) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        plan.for_each_positive(&mut |part| ranges.extend(self.plan_places(part).into_iter().map(|place| place.bytes)));
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

impl TextToken {
    fn is(&self, channel: Channel, word: &str) -> bool {
        match channel {
            Channel::Base => self.base.as_deref() == Some(word),
            Channel::Surface => self.surface.as_deref() == Some(word),
            Channel::Reading => match word.strip_prefix(WRITTEN_IN_KANA) {
                Some(word) => self.in_kana && self.reading.as_deref() == Some(word),
                None => self.reading.as_deref() == Some(word),
            },
        }
    }
}
