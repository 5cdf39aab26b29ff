//! The tree of a pattern.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A node with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub expr: Expr,
    /// Byte range in the pattern's text.
    pub byte_range: Range<usize>,
}

/// A pattern or a part of one. Span expressions have places in the text (hits); conditions are true or false.
/// A span expression used as a condition is true where it has a hit.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `反映`, `反映-->名詞`, `*-->名詞`, `使う->未然形`, `*=>使え`, `カード*`, `~ワカル`: one word, or the sequence of
    /// morphemes that the analyser makes of it.
    Word(WordTest),
    /// `'4けた'` or `"4けた"`: text, anywhere in the normalised comment.
    Literal(String),
    /// `/[0-9]+割/`: regular expression on the normalised text.
    Regex(String),
    /// `<故障>`: a named concept.
    Concept(String),
    /// `a+b`: one right after the other.
    Phrase(Vec<Node>),
    /// `seq(a, b)[n]`: in this order, at most `gap` morphemes from the end of one to the start of the next.
    Ordered {
        /// The parts in order.
        parts: Vec<Node>,
        /// The distance.
        distance: Distance,
    },
    /// `near(a, b)[n]`: in any order, each within the distance of the one before it.
    Near {
        /// The parts.
        parts: Vec<Node>,
        /// The distance.
        distance: Distance,
    },
    /// `except(a, b)`: hits of `a` that no hit of `b` overlaps.
    Except(Box<Node>, Box<Node>),
    /// `start(a)`, `whole(a)`: hits that begin, that begin and end, where a morpheme does.
    Aligned(Alignment, Box<Node>),
    /// `neg(a)` and its like: hits whose predicate has the feature.
    Feature(Feature, Box<Node>),
    /// `a | b`.
    Any(Vec<Node>),
    /// `a & b`: condition.
    All(Vec<Node>),
    /// `!a`: condition.
    Not(Box<Node>),
    /// `count(a) + count(b) >= 2`, `chars < 30`: condition.
    Compare {
        /// Terms of the sum on the left.
        sum: Vec<Quantity>,
        /// The comparison.
        comparison: Comparison,
        /// The number on the right.
        number: u32,
    },
    /// `@question in {問11, 問12}`: condition on the comment's attributes.
    Attribute {
        /// Name of the attribute.
        name: String,
        /// Values, any of which fits.
        values: Vec<String>,
        /// `!=`, `not in`.
        negated: bool,
    },
    /// `rule(id)`: whether another rule fires, in the comment.
    RuleRef(String),
    /// `category(id)`: whether any rule of a category fires, in the comment.
    CategoryRef(String),
    /// `sentence(a)`, `comment(a)`: the condition in another unit than the rule's.
    Within(Unit, Box<Node>),
}

/// A test of single morphemes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WordTest {
    /// The word as written (its base form, or a text of several morphemes), `None` for `*`.
    pub word: Option<WordShape>,
    /// Reading in katakana: `~ワカル`.
    pub reading: Option<String>,
    /// Part of speech: the first levels of IPADIC joined with `-`, or a class name of KH Coder.
    pub pos: Option<String>,
    /// Inflected form: begins so (`未然形`).
    pub form: Option<String>,
    /// Surface.
    pub surface: Option<String>,
}

/// A word, or the beginning or the end of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WordShape {
    /// The base form.
    Exact(String),
    /// `カード*`: base forms that begin so.
    Prefix(String),
    /// `*認証`: base forms that end so.
    Suffix(String),
}

/// How far apart parts may stand, and in which unit they must stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Distance {
    /// Morphemes, counted from the last one of a part to the first one of the next; `None` for any number.
    pub morphemes: Option<u32>,
    /// The unit that holds them all.
    pub unit: Unit,
}

impl Default for Distance {
    /// Ten morphemes, KH Coder's default, within one sentence.
    fn default() -> Self {
        Self { morphemes: Some(10), unit: Unit::Sentence }
    }
}

/// A unit of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Unit {
    /// 文.
    #[default]
    Sentence,
    /// The whole comment (回答).
    Comment,
}

/// Where a hit must meet the boundaries of morphemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Alignment {
    /// At its start: `start('込んで')` is not inside 思い込んで.
    Start,
    /// At its start and at its end.
    Both,
}

/// A feature of the predicate at a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Feature {
    /// `neg`: denied (反映されない, 未反映, エラーはない).
    Negated,
    /// `aff`: not denied.
    Affirmed,
    /// `double`: denied twice (ないことはない, ないわけではない).
    DoublyNegated,
    /// `wish`: wished for (てほしい, たい, べき).
    Wished,
    /// `hypo`: supposed (たら, れば, 場合).
    Supposed,
    /// `fact`: neither wished nor supposed nor denied.
    Asserted,
    /// `over`: belongs to the past and is said to be over (以前は…今は…ない).
    Over,
}

impl Feature {
    /// Every feature with its name in patterns.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("neg", Self::Negated),
        ("aff", Self::Affirmed),
        ("double", Self::DoublyNegated),
        ("wish", Self::Wished),
        ("hypo", Self::Supposed),
        ("fact", Self::Asserted),
        ("over", Self::Over),
    ];
}

/// A number that a comparison adds up.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// `count(a)`: number of hits.
    Count(Box<Node>),
    /// `chars`: characters of the unit's normalised text.
    Characters,
    /// `words`: morphemes of the unit.
    Morphemes,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
}

impl Comparison {
    /// Whether `left` stands in this relation to `right`.
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
        }
    }
}

impl Expr {
    /// Whether it has places in the text and so may stand inside `+`, `seq`, `near`, `except`, `count` and features.
    pub fn is_span(&self) -> bool {
        match self {
            Self::Word(_)
            | Self::Literal(_)
            | Self::Regex(_)
            | Self::Concept(_)
            | Self::Phrase(_)
            | Self::Ordered { .. }
            | Self::Near { .. }
            | Self::Except(..)
            | Self::Aligned(..)
            | Self::Feature(..) => true,
            Self::Any(parts) => parts.iter().all(|part| part.expr.is_span()),
            Self::All(_)
            | Self::Not(_)
            | Self::Compare { .. }
            | Self::Attribute { .. }
            | Self::RuleRef(_)
            | Self::CategoryRef(_)
            | Self::Within(..) => false,
        }
    }

    /// The parts directly below.
    pub fn children(&self) -> Vec<&Node> {
        match self {
            Self::Phrase(parts) | Self::Any(parts) | Self::All(parts) => parts.iter().collect(),
            Self::Ordered { parts, .. } | Self::Near { parts, .. } => parts.iter().collect(),
            Self::Except(a, b) => vec![a, b],
            Self::Feature(_, inner) | Self::Aligned(_, inner) | Self::Not(inner) | Self::Within(_, inner) => {
                vec![inner]
            }
            Self::Compare { sum, .. } => sum
                .iter()
                .filter_map(|quantity| match quantity {
                    Quantity::Count(inner) => Some(&**inner),
                    Quantity::Characters | Quantity::Morphemes => None,
                })
                .collect(),
            Self::Word(_)
            | Self::Literal(_)
            | Self::Regex(_)
            | Self::Concept(_)
            | Self::Attribute { .. }
            | Self::RuleRef(_)
            | Self::CategoryRef(_) => Vec::new(),
        }
    }
}
