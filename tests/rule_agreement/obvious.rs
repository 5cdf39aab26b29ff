//! The slow, obvious matcher.

use std::{collections::HashMap, sync::LazyLock};

use jirei::{
    analyze::{Analysis, Morpheme, WordClass},
    comment::Comment,
    rule::{parse_pattern, syntax::*},
};
use regex::RegexBuilder;

use crate::support::{ANALYZER, POLARITY};

/// A rule as it was made.
#[derive(Debug, Clone)]
pub(super) struct ObviousRule {
    pub(super) patterns: Vec<String>,
    pub(super) unless: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) is_comment: bool,
    pub(super) is_weak: bool,
    pub(super) excludes: bool,
    pub(super) concreteness: &'static str,
}

impl ObviousRule {
    pub(super) fn toml(&self, id: &str) -> String {
        let scope = if self.is_comment { "comment" } else { "sentence" };
        let strength = if self.is_weak { "weak" } else { "strong" };
        let kind = if self.excludes { "exclude" } else { "assign" };
        format!(
            "[[rule]]\nid = {id:?}\ncategory = {:?}\nscope = {scope:?}\nstrength = {strength:?}\nkind = {kind:?}\n\
             concreteness = {:?}\npattern = {:?}\nunless = {:?}\n",
            self.categories, self.concreteness, self.patterns, self.unless
        )
    }

    pub(super) fn parsed(&self) -> ParsedRule<'_> {
        let parse = |patterns: &[String]| -> Vec<Node> {
            patterns.iter().map(|pattern| parse_pattern(pattern).expect("generated patterns are correct")).collect()
        };
        ParsedRule { patterns: parse(&self.patterns), unless: parse(&self.unless), rule: self }
    }
}

pub(super) struct ParsedRule<'r> {
    rule: &'r ObviousRule,
    patterns: Vec<Node>,
    unless: Vec<Node>,
}

/// Bytes of the normalised text, and the first and the last morpheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
}

/// A unit: a sentence, or the whole comment.
type Window = Option<usize>;

/// A rule that fired in a unit, with its evidence.
struct Firing<'r> {
    rule: &'r ObviousRule,
    window: Window,
    places: Vec<Place>,
}

pub(super) struct Obvious<'a> {
    analysis: &'a Analysis<'a>,
    comment: &'a Comment,
    /// The first is called `referring`, the others `r0`, `r1`, …
    rules: &'a [ParsedRule<'a>],
    concepts: HashMap<&'a str, &'a Node>,
}

impl<'a> Obvious<'a> {
    pub(super) fn new(
        analysis: &'a Analysis<'a>,
        comment: &'a Comment,
        rules: &'a [ParsedRule<'a>],
        concepts: &'a [(&'a str, Node)],
    ) -> Self {
        Self { analysis, comment, rules, concepts: concepts.iter().map(|(name, node)| (*name, node)).collect() }
    }

    // What a comment gets.

    pub(super) fn fired_rules(&self) -> Vec<usize> {
        (0..self.rules.len()).filter(|&rule| self.fires(rule)).collect()
    }

    /// The categories in the order of the code frame, and the primary section; `None` where a rule found more places
    /// than evidence is given for.
    pub(super) fn classification(&self) -> Option<(Vec<String>, Option<String>)> {
        let mut firings = Vec::new();
        for rule in self.rules {
            for window in self.windows(rule.rule.is_comment) {
                if let Some(places) = self.firing(rule, window) {
                    if places.len() > 8 {
                        return None;
                    }
                    firings.push(Firing { rule: rule.rule, window, places });
                }
            }
        }
        let mut categories = Vec::new();
        let mut primary: Option<(u8, usize, &str)> = None;
        for category in ["a", "b", "l"] {
            let names = |firing: &&Firing<'_>| firing.rule.categories.iter().any(|name| name == category);
            let excluding: Vec<&Firing<'_>> = firings.iter().filter(|f| f.rule.excludes).filter(names).collect();
            let found: Vec<&Firing<'_>> = firings
                .iter()
                .filter(|firing| !firing.rule.excludes)
                .filter(names)
                .filter(|firing| !excluding.iter().any(|by| self.takes_away(by, firing)))
                .collect();
            // A strong rule, or two different weak ones.
            let mut weak: Vec<*const ObviousRule> =
                found.iter().filter(|f| f.rule.is_weak).map(|f| std::ptr::from_ref(f.rule)).collect();
            weak.sort_unstable();
            weak.dedup();
            if weak.len() < 2 && found.iter().all(|firing| firing.rule.is_weak) {
                continue;
            }
            categories.push(category.to_owned());
            if category == "l" {
                continue;
            }
            // The most concrete, then the first in the text, then the first of the code frame.
            let concreteness = |firing: &Firing<'_>| match firing.rule.concreteness {
                "detail" => 3,
                "incident" => 2,
                "general" => 1,
                _ => 0,
            };
            let most = found.iter().map(|firing| concreteness(firing)).max().unwrap_or(0);
            let first = found
                .iter()
                .filter(|firing| concreteness(firing) == most)
                .flat_map(|firing| firing.places.iter().map(|place| place.start))
                .min()
                .unwrap_or(usize::MAX);
            let is_better = primary.is_none_or(|(best, at, _)| most > best || most == best && first < at);
            if is_better {
                primary = Some((most, first, category));
            }
        }
        Some((categories, primary.map(|(.., category)| category.to_owned())))
    }

    /// An exclusion takes away what was found in the same unit; of a finding in the whole comment, what lies in its
    /// sentence altogether. A weak one takes away weak ones only.
    fn takes_away(&self, by: &Firing<'_>, firing: &Firing<'_>) -> bool {
        let same_unit = match (by.window, firing.window) {
            (None, _) => true,
            (Some(by), Some(sentence)) => by == sentence,
            (Some(by), None) => firing.places.iter().all(|place| self.sentence(place.first) == by),
        };
        same_unit && (!by.rule.is_weak || firing.rule.is_weak)
    }

    fn fires(&self, rule: usize) -> bool {
        let rule = &self.rules[rule];
        self.windows(rule.rule.is_comment).into_iter().any(|window| self.firing(rule, window).is_some())
    }

    /// The evidence of a rule that fires in a unit: the places of all alternatives that hold, the whole unit where
    /// there are none; of places that lie in one another the widest.
    fn firing(&self, rule: &ParsedRule<'_>, window: Window) -> Option<Vec<Place>> {
        if self.analysis.morphemes.is_empty() || rule.unless.iter().any(|node| self.holds(node, window).is_some()) {
            return None;
        }
        let held: Vec<Vec<Place>> = rule.patterns.iter().filter_map(|node| self.holds(node, window)).collect();
        if held.is_empty() {
            return None;
        }
        let mut places = held.concat();
        if places.is_empty() {
            places.push(self.whole(window));
        }
        places.sort_unstable();
        places.dedup();
        let all = places.clone();
        places.retain(|place| {
            let wider = |other: &Place| {
                other.start <= place.start
                    && place.end <= other.end
                    && (other.start, other.end) != (place.start, place.end)
            };
            !all.iter().any(wider)
        });
        Some(places)
    }

    // Conditions.

    fn windows(&self, is_comment: bool) -> Vec<Window> {
        if is_comment { vec![None] } else { (0..self.analysis.sentences.len()).map(Some).collect() }
    }

    fn morphemes_of(&self, window: Window) -> Vec<usize> {
        (0..self.analysis.morphemes.len())
            .filter(|&index| window.is_none_or(|sentence| self.sentence(index) == sentence))
            .collect()
    }

    fn whole(&self, window: Window) -> Place {
        let morphemes = self.morphemes_of(window);
        let (first, last) = (morphemes[0], morphemes[morphemes.len() - 1]);
        Place { start: self.range(first).0, end: self.range(last).1, first, last }
    }

    /// The evidence of a condition that holds in a unit.
    fn holds(&self, node: &Node, window: Window) -> Option<Vec<Place>> {
        let when = |holds: bool| holds.then(Vec::new);
        match &node.expr {
            Expr::All(parts) => {
                let held: Option<Vec<_>> = parts.iter().map(|part| self.holds(part, window)).collect();
                held.map(|held| held.concat())
            }
            Expr::Any(parts) if !node.expr.is_span() => {
                let held: Vec<_> = parts.iter().filter_map(|part| self.holds(part, window)).collect();
                (!held.is_empty()).then(|| held.concat())
            }
            Expr::Not(inner) => when(self.holds(inner, window).is_none()),
            Expr::Compare { sum, comparison, number } => {
                let mut places = Vec::new();
                let mut total = 0;
                for quantity in sum {
                    total += match quantity {
                        Quantity::Count(inner) => {
                            let counted = self.inside(inner, window);
                            places.extend(&counted);
                            counted.len()
                        }
                        Quantity::Characters => {
                            let whole = self.whole(window);
                            self.analysis.text()[whole.start..whole.end].chars().count()
                        }
                        Quantity::Morphemes => self.morphemes_of(window).len(),
                    };
                }
                let number = *number as usize;
                let holds = match comparison {
                    Comparison::Greater => total > number,
                    Comparison::AtLeast => total >= number,
                    Comparison::Less => total < number,
                    Comparison::AtMost => total <= number,
                    Comparison::Equal => total == number,
                };
                holds.then_some(places)
            }
            Expr::Attribute { name, values, negated } => {
                let value = match name.as_str() {
                    "question" => self.comment.question.clone(),
                    "prefecture" => self.comment.prefecture.clone(),
                    "facility" => self.comment.facility.clone(),
                    name => self
                        .comment
                        .attributes
                        .iter()
                        .find(|(known, _)| *known == name)
                        .map(|(_, value)| value.to_string()),
                };
                when(value.is_some_and(|value| values.contains(&value)) != *negated)
            }
            Expr::RuleRef(id) => {
                let index: usize = id.trim_start_matches('r').parse().expect("only numbered rules are referred to");
                when(self.fires(index + 1))
            }
            Expr::CategoryRef(category) => {
                let gives = |rule: &ParsedRule<'_>| !rule.rule.excludes && rule.rule.categories.contains(category);
                when((0..self.rules.len()).any(|index| gives(&self.rules[index]) && self.fires(index)))
            }
            Expr::Within(Unit::Comment, inner) => self.holds(inner, None),
            Expr::Within(Unit::Sentence, inner) => match window {
                Some(_) => self.holds(inner, window),
                None => {
                    let held: Vec<_> =
                        self.windows(false).into_iter().filter_map(|window| self.holds(inner, window)).collect();
                    (!held.is_empty()).then(|| held.concat())
                }
            },
            _ => {
                let inside = self.inside(node, window);
                (!inside.is_empty()).then_some(inside)
            }
        }
    }

    /// The places of a span in a unit: those that begin there.
    fn inside(&self, node: &Node, window: Window) -> Vec<Place> {
        let is_inside = |place: &Place| window.is_none_or(|sentence| self.sentence(place.first) == sentence);
        self.places(node).into_iter().filter(is_inside).collect()
    }

    // Spans.

    fn sentence(&self, morpheme: usize) -> usize {
        self.analysis.sentences.iter().position(|s| s.contains(&(morpheme as u32))).expect("sentences have no gaps")
    }

    fn range(&self, morpheme: usize) -> (usize, usize) {
        let range = &self.analysis.morphemes[morpheme].byte_range;
        (range.start as usize, range.end as usize)
    }

    fn of_morphemes(&self, first: usize, last: usize) -> Place {
        Place { start: self.range(first).0, end: self.range(last).1, first, last }
    }

    /// A place of text: with the morphemes that it touches, those beside it where it touches none.
    fn of_bytes(&self, start: usize, end: usize) -> Place {
        let count = self.analysis.morphemes.len();
        let touched: Vec<usize> = (0..count).filter(|&i| self.range(i).0 < end && self.range(i).1 > start).collect();
        let (first, last) = match touched[..] {
            [] => {
                let after = (0..count).find(|&i| self.range(i).1 > start).unwrap_or(count - 1);
                (after, after)
            }
            [first, ..] => (first, touched[touched.len() - 1]),
        };
        Place { start, end, first, last }
    }

    fn places(&self, node: &Node) -> Vec<Place> {
        let text = self.analysis.text();
        let mut found = match &node.expr {
            Expr::Word(test) => self.words(test),
            Expr::Literal(literal) => (0..text.len())
                .filter(|&at| text.get(at..at + literal.len()).is_some_and(|found| found.eq_ignore_ascii_case(literal)))
                .map(|at| self.of_bytes(at, at + literal.len()))
                .collect(),
            Expr::Regex(pattern) => {
                let regex = RegexBuilder::new(pattern).case_insensitive(true).build();
                let regex = regex.expect("generated expressions are correct");
                regex.find_iter(text).map(|found| self.of_bytes(found.start(), found.end())).collect()
            }
            Expr::Concept(name) => self.places(self.concepts[name.as_str()]),
            Expr::Any(parts) => parts.iter().flat_map(|part| self.places(part)).collect(),
            Expr::Phrase(parts) => self
                .joined(parts, |left, right| right.start >= left.end && text[left.end..right.start].trim().is_empty()),
            Expr::Ordered { parts, distance } => {
                self.joined(parts, |left, right| right.start >= left.end && self.near_enough(left, right, *distance))
            }
            Expr::Near { parts, distance } => self.near(parts, *distance),
            Expr::Except(a, b) => {
                let others = self.places(b);
                let is_free = |place: &Place| !others.iter().any(|o| o.start < place.end && place.start < o.end);
                self.places(a).into_iter().filter(is_free).collect()
            }
            Expr::Aligned(alignment, inner) => {
                let begins = |place: &Place| (0..self.analysis.morphemes.len()).any(|i| self.range(i).0 == place.start);
                let ends = |place: &Place| (0..self.analysis.morphemes.len()).any(|i| self.range(i).1 == place.end);
                self.places(inner)
                    .into_iter()
                    .filter(|place| begins(place) && (*alignment == Alignment::Start || ends(place)))
                    .collect()
            }
            Expr::Feature(feature, inner) => {
                self.places(inner).into_iter().filter(|place| self.has(*feature, place)).collect()
            }
            other => panic!("{other:?} has no places"),
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    fn words(&self, test: &WordTest) -> Vec<Place> {
        let text = self.analysis.text();
        let morphemes = &self.analysis.morphemes;
        let plain = WordTest { word: test.word.clone(), ..WordTest::default() };
        if let (Some(WordShape::Exact(word)), true) = (&test.word, *test == plain) {
            let alone = ANALYZER.worker().analyze(word);
            let wanted: Vec<String> = alone.morphemes.iter().map(|m| m.base_form(alone.text()).to_owned()).collect();
            return (0..morphemes.len())
                .filter(|&i| {
                    wanted
                        .iter()
                        .enumerate()
                        .all(|(k, base)| morphemes.get(i + k).is_some_and(|morpheme| morpheme.base_form(text) == base))
                })
                .map(|i| self.of_morphemes(i, i + wanted.len() - 1))
                .collect();
        }
        let passes = |morpheme: &Morpheme<'_>| {
            let base = morpheme.base_form(text);
            let shape = match &test.word {
                None => true,
                Some(WordShape::Exact(word)) => base == word,
                Some(WordShape::Prefix(prefix)) => base.starts_with(prefix.as_str()),
                Some(WordShape::Suffix(suffix)) => base.ends_with(suffix.as_str()),
            };
            let pos = match test.pos.as_deref() {
                None => true,
                Some("サ変名詞") => morpheme.word.pos.starts_with("名詞-サ変接続"),
                Some(pos) => morpheme.word.pos.split('-').next() == Some(pos),
            };
            let form =
                |form: &String| morpheme.word.inflection_form.as_deref().is_some_and(|f| f.starts_with(form.as_str()));
            let reading = |wanted: &String| {
                let of_base = ANALYZER.worker().analyze(base).morphemes.first().and_then(|m| m.word.reading.clone());
                morpheme.word.reading.as_deref() == Some(wanted) || of_base.as_deref() == Some(wanted)
            };
            shape
                && pos
                && test.form.as_ref().is_none_or(form)
                && test.surface.as_ref().is_none_or(|surface| morpheme.surface(text) == surface)
                && test.reading.as_ref().is_none_or(reading)
        };
        (0..morphemes.len()).filter(|&i| passes(&morphemes[i])).map(|i| self.of_morphemes(i, i)).collect()
    }

    fn near_enough(&self, left: &Place, right: &Place, distance: Distance) -> bool {
        distance.morphemes.is_none_or(|most| right.first.saturating_sub(left.last) <= most as usize)
            && (distance.unit == Unit::Comment || self.sentence(left.last) == self.sentence(right.first))
    }

    fn joined(&self, parts: &[Node], follows: impl Fn(&Place, &Place) -> bool) -> Vec<Place> {
        let mut joined = self.places(&parts[0]);
        for part in &parts[1..] {
            let right = self.places(part);
            joined = joined
                .iter()
                .flat_map(|left| right.iter().filter(|right| follows(left, right)).map(|right| union(left, right)))
                .collect();
        }
        joined
    }

    /// From each place of the first part: of the other parts the first that has a place near one taken already, and
    /// apart from them, takes the one nearest to the first part's; until each has one.
    fn near(&self, parts: &[Node], distance: Distance) -> Vec<Place> {
        let mut found = Vec::new();
        for first in self.places(&parts[0]) {
            let mut taken = vec![first];
            let mut open: Vec<&Node> = parts[1..].iter().collect();
            loop {
                let next = open.iter().enumerate().find_map(|(at, part)| {
                    let mut places = self.places(part);
                    places
                        .retain(|place| taken.iter().all(|other| place.end <= other.start || other.end <= place.start));
                    places.retain(|place| {
                        taken.iter().any(|other| match place.start < other.start {
                            true => self.near_enough(place, other, distance),
                            false => self.near_enough(other, place, distance),
                        })
                    });
                    places.sort_by_key(|place| place.start.abs_diff(first.start));
                    places.first().map(|place| (at, *place))
                });
                let Some((at, place)) = next else { break };
                open.remove(at);
                taken.push(place);
            }
            if open.is_empty() {
                found.push(taken.iter().skip(1).fold(first, |whole, place| union(&whole, place)));
            }
        }
        found
    }

    // Polarity.

    fn has(&self, feature: Feature, place: &Place) -> bool {
        let said = self.said_of(place);
        let denied = said.denials % 2 == 1;
        match feature {
            Feature::Negated => denied,
            Feature::Affirmed => !denied,
            Feature::DoublyNegated => said.denials >= 2,
            Feature::Wished => said.wished,
            Feature::Supposed => said.supposed,
            Feature::Asserted => !denied && !said.wished && !said.supposed,
            Feature::Over => self.is_over(place),
        }
    }

    fn is(&self, morpheme: usize, list: &str) -> bool {
        let morpheme = &self.analysis.morphemes[morpheme];
        let base = morpheme.base_form(self.analysis.text());
        let listed = LISTS[list].iter().any(|word| word == base);
        use WordClass::*;
        let class = morpheme.word.class;
        match list {
            // A verb or filler that merely shares the spelling denies nothing.
            "negators" => {
                listed && matches!(class, Auxiliary | Particle | Adjective | Noun | AdjectivalNoun | VerbPart)
            }
            "negative_prefixes" => listed && class == Prefix,
            "transparent" => {
                listed
                    || matches!(class, Auxiliary | VerbPart)
                    || morpheme.word.pos.starts_with("助詞-接続助詞") && matches!(base, "て" | "で" | "ちゃ" | "じゃ")
            }
            "suppositions" => {
                let form = morpheme.word.inflection_form.as_deref().unwrap_or("");
                listed || class == Auxiliary && form.starts_with("仮定")
            }
            _ => listed,
        }
    }

    /// The scan to the right of a place.
    fn said_of(&self, place: &Place) -> Said {
        let class = |i: usize| self.analysis.morphemes[i].word.class;
        let particle = |i: usize| class(i) == WordClass::Particle;
        let base = |i: usize| self.analysis.morphemes[i].base_form(self.analysis.text());
        let conjunctive =
            |i: usize| particle(i) && matches!(base(i), "て" | "で" | "ば" | "と" | "は" | "ちゃ" | "じゃ" | "ては");
        let comma = |i: usize| &*self.analysis.morphemes[i].word.pos == "記号-読点" || base(i) == ",";
        let sentence = &self.analysis.sentences[self.sentence(place.last)];
        let end = (sentence.end as usize).min(place.last + 1 + 18);
        let mut said = Said::default();
        if place.first > sentence.start as usize && self.is(place.first - 1, "negative_prefixes") {
            said.denials += 1;
        }
        use WordClass::*;
        let after = place.last + 1;
        let is_verbal = matches!(class(place.last), Verb | VerbPart | Adjective | Auxiliary);
        // A verb before a particle that links nouns stands for a noun (置き忘れはない).
        let mut nominal =
            !is_verbal || after < sentence.end as usize && particle(after) && self.is(after, "noun_links");
        let mut at = after;
        while at < end {
            if self.is(at, "negators") {
                // An obligation: なければならない.
                let mut then = at + 1;
                while then < end && conjunctive(then) {
                    then += 1;
                }
                if then > at + 1 && then < end && self.is(then, "obligations") {
                    at = then + 1;
                    while at < end && (self.is(at, "negators") || self.is(at, "transparent")) {
                        at += 1;
                    }
                    nominal = false;
                    continue;
                }
                said.denials += 1;
                nominal = false;
            } else if nominal && self.is(at, "absences") {
                said.denials += 1;
                return said;
            } else if self.is(at, "wishes") {
                said.wished = true;
                nominal = false;
            } else if self.is(at, "suppositions") {
                said.supposed = true;
                return said;
            } else if nominal && self.is(at, "occurrences") {
                nominal = !matches!(class(at), Verb | Adjective);
            } else if self.is(at, "transparent") {
                nominal &= class(at) != Verb;
            } else {
                let link = self.is(at, "noun_links");
                let near_comma = comma(at) && at <= place.last + 3;
                let passes = if nominal { link || near_comma } else { link && said.denials > 0 };
                if !passes {
                    return said;
                }
            }
            at += 1;
        }
        said
    }

    /// A mark of the past before, and after, in this sentence or the next: from a word for now on a denial or that it
    /// is over; without one, that it is over.
    fn is_over(&self, place: &Place) -> bool {
        let index = self.sentence(place.last);
        let sentence = &self.analysis.sentences[index];
        let end = self.analysis.sentences.get(index + 1).unwrap_or(sentence).end as usize;
        if !(sentence.start as usize..place.first).any(|i| self.is(i, "past_marks")) {
            return false;
        }
        let mut rest = place.last + 1..end;
        match rest.clone().find(|&i| self.is(i, "now_marks")) {
            Some(now) => (now..end).any(|i| self.is(i, "negators") || self.is(i, "resolutions")),
            None => rest.any(|i| self.is(i, "resolutions")),
        }
    }
}

#[derive(Default)]
struct Said {
    denials: usize,
    wished: bool,
    supposed: bool,
}

fn union(a: &Place, b: &Place) -> Place {
    Place { start: a.start.min(b.start), end: a.end.max(b.end), first: a.first.min(b.first), last: a.last.max(b.last) }
}

/// The lists of `polarity.toml`.
static LISTS: LazyLock<HashMap<String, Vec<String>>> =
    LazyLock::new(|| toml::from_str(POLARITY).expect("the lists are TOML"));
