//! From a query to what the index holds: words become patterns over its terms, with their other spellings.

use std::collections::{BTreeMap, BTreeSet};

use tantivy::{
    DocSet, Searcher as TantivySearcher, TERMINATED, Term,
    query::{
        AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, EnableScoring, Occur, PhraseQuery, Query as TantivyQuery,
        RangeQuery, TermQuery, TermSetQuery,
    },
    schema::{Field as TantivyField, IndexRecordOption},
};
use unicode_normalization::UnicodeNormalization;

use crate::{
    analyze::WordClass,
    casebook::FrameCategory,
    index::{
        Fields, TokenMaker,
        kana::{comparable_reading, is_kana_only},
        tokens::WRITTEN_IN_KANA,
    },
};

use super::{
    any::AnyQuery,
    exclude::Excluded,
    near::NearQuery,
    prefixes::PrefixesOf,
    query::{Expression, Field, Note},
    synonyms::Synonyms,
    within::WithinQuery,
};

/// Terms that a prefix stands for at most, alone and within a phrase.
const MAX_PREFIXED: usize = 500;
const MAX_PREFIXED_IN_PHRASE: usize = 50;
/// Ways to cut a reading into words that are looked for at most.
const MAX_CUTS: usize = 8;
/// Readings longer than this many characters are not cut.
const MAX_CUT_CHARS: usize = 20;
/// Words that are taken to tell a comment from the others.
const TELLING_WORDS: usize = 15;
/// Terms of an alternative that are listed one by one; more are a set, which has no ranking.
const MAX_LISTED: usize = 16;

/// Which of a token's faces a pattern looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Channel {
    Base,
    Surface,
    Reading,
}

impl Channel {
    pub(super) fn field(self, fields: &Fields) -> TantivyField {
        match self {
            Self::Base => fields.base,
            Self::Surface => fields.surface,
            Self::Reading => fields.reading,
        }
    }
}

/// Terms at offsets from a common start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pattern {
    pub(super) channel: Channel,
    pub(super) words: Vec<(u32, String)>,
}

/// Something that stands at places in a text, in any of some spellings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Leaf {
    pub(super) patterns: Vec<Pattern>,
}

/// A query over the index's terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Everything,
    Words(Leaf),
    Near { groups: Vec<Leaf>, distance: u32 },
    Values { field: FilterField, values: Vec<String> },
    Length { at_least: u64, at_most: u64 },
    Not(Box<Plan>),
    All(Vec<Plan>),
    Any(Vec<Plan>),
}

/// A field whose values are taken whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterField {
    Named(Field),
    Attribute,
}

/// What a word was looked for as, beside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The word as written.
    pub word: String,
    /// Its synonyms.
    pub synonyms: Vec<String>,
}

/// Makes plans.
pub(super) struct Planner<'p, 'a> {
    pub(super) searcher: &'p TantivySearcher,
    pub(super) fields: Fields,
    pub(super) frame: &'p [FrameCategory],
    pub(super) maker: &'p mut TokenMaker<'a>,
    pub(super) synonyms: Option<&'p Synonyms>,
    pub(super) readings: bool,
    /// Whether words that are not found give way to those that differ in one character.
    pub(super) fuzzy: bool,
    /// Whether any word gave way.
    pub(super) gave_way: bool,
    pub(super) notes: Vec<Note>,
    pub(super) expansions: Vec<Expansion>,
}

/// A token of the query.
struct Typed {
    position: i32,
    base: String,
    reading: Option<String>,
    class: WordClass,
    bytes: std::ops::Range<usize>,
}

impl Planner<'_, '_> {
    pub(super) fn plan(&mut self, expression: &Expression) -> tantivy::Result<Plan> {
        Ok(match expression {
            Expression::Everything => Plan::Everything,
            Expression::Word(word) => all(self.word(word)?.into_iter().map(Plan::Words).collect()),
            Expression::Phrase(phrase) => Plan::Words(self.phrase(phrase)),
            Expression::Prefix(prefix) => Plan::Words(self.prefix(prefix)?),
            Expression::Near { operands, distance } => {
                let mut groups = Vec::new();
                for operand in operands {
                    groups.extend(self.positional(operand)?);
                }
                Plan::Near { groups, distance: *distance }
            }
            Expression::Field { field, values } => self.field(*field, values)?,
            Expression::Attribute { name, values, written } => self.attribute(name, values, written)?,
            Expression::Length { at_least, at_most } => Plan::Length { at_least: *at_least, at_most: *at_most },
            Expression::Not(inner) => Plan::Not(Box::new(self.plan(inner)?)),
            Expression::All(parts) => {
                Plan::All(parts.iter().map(|part| self.plan(part)).collect::<tantivy::Result<_>>()?)
            }
            Expression::Any(parts) => {
                Plan::Any(parts.iter().map(|part| self.plan(part)).collect::<tantivy::Result<_>>()?)
            }
        })
    }

    /// An operand of `near` as groups of which each must be near.
    fn positional(&mut self, expression: &Expression) -> tantivy::Result<Vec<Leaf>> {
        Ok(match expression {
            Expression::Word(word) => self.word(word)?,
            Expression::Phrase(phrase) => vec![self.phrase(phrase)],
            Expression::Prefix(prefix) => vec![self.prefix(prefix)?],
            Expression::Any(choices) => {
                let mut merged = Leaf::default();
                for choice in choices {
                    for leaf in self.positional(choice)? {
                        merged.patterns.extend(leaf.patterns);
                    }
                }
                vec![merged]
            }
            // The parser lets nothing else in; what a program puts in matches nothing.
            _ => vec![Leaf::default()],
        })
    }

    /// A bare word: one leaf for each stretch between marks such as ・.
    fn word(&mut self, word: &str) -> tantivy::Result<Vec<Leaf>> {
        let analysis = self.maker.analyze(word);
        let text = analysis.text().to_owned();
        let mut stretches: Vec<Vec<Typed>> = vec![Vec::new()];
        let mut only_marks: Vec<Typed> = Vec::new();
        self.maker.visit(&analysis, |token| {
            if !token.is_whole || token.is_silent {
                return;
            }
            let typed = Typed {
                position: token.position,
                base: token.base.to_owned(),
                reading: token.reading.map(str::to_owned),
                class: token.class,
                bytes: token.byte_range.clone(),
            };
            if is_mark(&text[token.byte_range]) {
                stretches.push(Vec::new());
                only_marks.push(typed);
            } else {
                stretches.last_mut().expect("there is always one").push(typed);
            }
        });
        stretches.retain(|stretch| !stretch.is_empty());
        if stretches.is_empty() {
            // Marks only: they are what is looked for. Only politeness: its words as they stand.
            if only_marks.is_empty() {
                return Ok(vec![self.phrase(word)]);
            }
            stretches.push(only_marks);
        }
        let mut leaves = Vec::with_capacity(stretches.len());
        for mut stretch in stretches {
            let whole = stretch[0].bytes.start..stretch[stretch.len() - 1].bytes.end;
            drop_inflection(&mut stretch);
            leaves.push(self.stretch(&text, &stretch, &text[whole])?);
        }
        if let [leaf] = leaves.as_mut_slice()
            && self.fuzzy
        {
            self.make_fuzzy(word, leaf)?;
        }
        Ok(leaves)
    }

    /// A word without its inflection; `whole` is with it, for a word typed in kana may be cut up wrongly.
    fn stretch(&mut self, text: &str, typed: &[Typed], whole: &str) -> tantivy::Result<Leaf> {
        let (Some(first), Some(last)) = (typed.first(), typed.last()) else { return Ok(Leaf::default()) };
        let written = &text[first.bytes.start..last.bytes.end];
        let base = Pattern {
            channel: Channel::Base,
            words: typed.iter().map(|token| ((token.position - first.position) as u32, token.base.clone())).collect(),
        };
        let mut patterns = Vec::new();
        let mut readings_cover_base = false;
        let particles_only = typed
            .iter()
            .all(|token| matches!(token.class, WordClass::Particle | WordClass::Auxiliary | WordClass::Symbol));
        if self.readings && !particles_only && written.chars().count() > 1 {
            let readings: Option<Vec<&str>> = typed.iter().map(|token| token.reading.as_deref()).collect();
            if is_kana_only(written) {
                if let Some(readings) = readings {
                    readings_cover_base = typed
                        .iter()
                        .zip(&readings)
                        .all(|(token, reading)| comparable_reading(&token.base) == **reading);
                    let words = base.words.iter().zip(readings).map(|((at, _), reading)| (*at, reading.to_owned()));
                    patterns.push(Pattern { channel: Channel::Reading, words: words.collect() });
                }
                patterns
                    .extend(self.cuts(&comparable_reading(if is_kana_only(whole) { whole } else { written }), None)?);
            } else if let Some(readings) = readings {
                patterns.extend(self.cuts(&readings.concat(), Some(WRITTEN_IN_KANA))?);
            }
        }
        if !readings_cover_base {
            patterns.insert(0, base);
        }
        if let Some(synonyms) = self.synonyms {
            let mut found: Vec<String> = synonyms.of(written).into_iter().map(str::to_owned).collect();
            if found.is_empty() {
                let bases: String = typed.iter().map(|token| token.base.as_str()).collect();
                found = synonyms.of(&bases).into_iter().map(str::to_owned).collect();
            }
            if found.is_empty() && is_kana_only(whole) {
                // What looked like an inflection may have been the end of the word.
                found = synonyms.of(whole).into_iter().map(str::to_owned).collect();
            }
            for synonym in &found {
                patterns.push(self.base_pattern(synonym));
            }
            let expansion = Expansion { word: written.to_owned(), synonyms: found };
            if !expansion.synonyms.is_empty() && !self.expansions.contains(&expansion) {
                self.expansions.push(expansion);
            }
        }
        self.leaf(patterns)
    }

    /// The patterns whose every term occurs, each once.
    fn leaf(&self, patterns: Vec<Pattern>) -> tantivy::Result<Leaf> {
        let mut leaf = Leaf::default();
        for pattern in patterns {
            if pattern.words.is_empty() || leaf.patterns.contains(&pattern) {
                continue;
            }
            let field = pattern.channel.field(&self.fields);
            let mut all_occur = true;
            for (_, word) in &pattern.words {
                all_occur = all_occur && self.occurs(field, word)?;
            }
            if all_occur {
                leaf.patterns.push(pattern);
            }
        }
        Ok(leaf)
    }

    fn occurs(&self, field: TantivyField, word: &str) -> tantivy::Result<bool> {
        let term = Term::from_field_text(field, word);
        for segment in self.searcher.segment_readers() {
            if segment.inverted_index(field)?.get_term_info(&term)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Base forms of a text, as they stand.
    fn base_pattern(&mut self, text: &str) -> Pattern {
        let analysis = self.maker.analyze(text);
        let mut words = Vec::new();
        self.maker.visit(&analysis, |token| {
            if token.is_whole && !token.is_silent {
                words.push((token.position as u32, token.base.to_owned()));
            }
        });
        Pattern { channel: Channel::Base, words }
    }

    /// A phrase as written.
    fn phrase(&mut self, phrase: &str) -> Leaf {
        let analysis = self.maker.analyze(phrase);
        let mut words: Vec<(i32, String)> = Vec::new();
        self.maker.visit(&analysis, |token| {
            if let Some(surface) = token.surface {
                words.push((token.position, surface.to_owned()));
            }
        });
        let start = words.iter().map(|(position, _)| *position).min().unwrap_or(0);
        let words: Vec<_> = words.into_iter().map(|(position, word)| ((position - start) as u32, word)).collect();
        if words.is_empty() {
            return Leaf::default();
        }
        Leaf { patterns: vec![Pattern { channel: Channel::Surface, words }] }
    }

    fn prefix(&mut self, prefix: &str) -> tantivy::Result<Leaf> {
        let analysis = self.maker.analyze(prefix);
        let text = analysis.text().to_lowercase();
        let mut words: Vec<(i32, String, usize)> = Vec::new();
        self.maker.visit(&analysis, |token| {
            if token.is_whole && !token.is_silent {
                words.push((token.position, token.base.to_owned(), token.byte_range.start));
            }
        });
        let mut patterns: BTreeSet<Pattern> = BTreeSet::new();
        let single = |channel, word| Pattern { channel, words: vec![(0, word)] };
        let (terms, cut) = self.terms_with_prefix(self.fields.base, &text, MAX_PREFIXED)?;
        let mut too_many = cut;
        patterns.extend(terms.into_iter().map(|term| single(Channel::Base, term)));
        if self.readings && is_kana_only(&text) {
            let reading = comparable_reading(&text);
            let (terms, cut) = self.terms_with_prefix(self.fields.reading, &reading, MAX_PREFIXED)?;
            too_many |= cut;
            patterns.extend(terms.into_iter().map(|term| single(Channel::Reading, term)));
        }
        if let [before @ .., (last_position, _, last_start)] = words.as_slice()
            && let Some((first, ..)) = before.first()
            && let Some(last) = text.get(*last_start..)
        {
            let (terms, cut) = self.terms_with_prefix(self.fields.base, last, MAX_PREFIXED_IN_PHRASE)?;
            too_many |= cut;
            for term in terms {
                let mut words: Vec<_> =
                    before.iter().map(|(position, base, _)| ((position - first) as u32, base.clone())).collect();
                words.push(((last_position - first) as u32, term));
                patterns.insert(Pattern { channel: Channel::Base, words });
            }
        }
        if too_many {
            self.notes.push(Note::ManyPrefixed(prefix.to_owned()));
        }
        Ok(Leaf { patterns: patterns.into_iter().collect() })
    }

    /// Terms that begin so, in order, and whether there are more.
    fn terms_with_prefix(
        &self,
        field: TantivyField,
        prefix: &str,
        most: usize,
    ) -> tantivy::Result<(Vec<String>, bool)> {
        let mut found = BTreeSet::new();
        if prefix.is_empty() {
            return Ok((Vec::new(), false));
        }
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let mut stream = index.terms().range().ge(prefix.as_bytes()).into_stream()?;
            let mut taken = 0;
            while taken <= most && stream.advance() {
                let Ok(term) = std::str::from_utf8(stream.key()) else { break };
                if !term.starts_with(prefix) {
                    break;
                }
                found.insert(term.to_owned());
                taken += 1;
            }
        }
        let more = found.len() > most;
        Ok((found.into_iter().take(most).collect(), more))
    }

    /// The words that tell a text from the others, as alternatives.
    pub(super) fn telling_words(&mut self, text: &str) -> tantivy::Result<Vec<Plan>> {
        let analysis = self.maker.analyze(text);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        self.maker.visit(&analysis, |token| {
            let tells = matches!(
                token.class,
                WordClass::Noun
                    | WordClass::VerbalNoun
                    | WordClass::AdjectivalNoun
                    | WordClass::Verb
                    | WordClass::Adjective
            );
            if token.is_whole && tells {
                *counts.entry(token.base.to_owned()).or_default() += 1;
            }
        });
        let all = self.searcher.num_docs() as f64;
        let mut weighed = Vec::with_capacity(counts.len());
        for (word, count) in counts {
            let found = self.searcher.doc_freq(&Term::from_field_text(self.fields.base, &word))?;
            weighed.push((f64::from(count) * (1.0 + all / (1.0 + found as f64)).ln(), word));
        }
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        weighed.truncate(TELLING_WORDS);
        let word =
            |word| Plan::Words(Leaf { patterns: vec![Pattern { channel: Channel::Base, words: vec![(0, word)] }] });
        Ok(weighed.into_iter().map(|(_, base)| word(base)).collect())
    }

    /// Ways to cut a reading into readings that the index has, those of fewest words first.
    fn cuts(&self, reading: &str, mark: Option<char>) -> tantivy::Result<Vec<Pattern>> {
        let count = reading.chars().count();
        if !(2..=MAX_CUT_CHARS).contains(&count) {
            return Ok(Vec::new());
        }
        let marked = |word: &str| mark.into_iter().chain(word.chars()).collect::<String>();
        // From the end: where the words that begin at each byte end, longest first; the fewest and the most words to
        // the end of the reading.
        let mut ends: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut to_end: BTreeMap<usize, (usize, usize)> = BTreeMap::from([(reading.len(), (0, 0))]);
        for (start, _) in reading.char_indices().rev() {
            let lengths = self.reading_lengths(&marked(&reading[start..]), mark.map_or(0, char::len_utf8))?;
            let found: Vec<usize> = lengths.into_iter().rev().map(|length| start + length).collect();
            let words = found.iter().filter_map(|end| to_end.get(end)).copied();
            if let Some((fewest, most)) = words.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
                to_end.insert(start, (fewest + 1, most + 1));
            }
            ends.insert(start, found);
        }
        let Some(&(fewest, most)) = to_end.get(&0) else { return Ok(Vec::new()) };
        // What is typed in kana is found in any writing, where cuts into many words are accidents; kana in a text is
        // often cut up by the analyser.
        let most = if mark.is_some() { most } else { most.min(fewest + 1) };
        let mut patterns = Vec::new();
        for words in fewest..=most {
            let mut open = vec![vec![0]];
            while let Some(path) = open.pop()
                && patterns.len() < MAX_CUTS
            {
                let start = *path.last().expect("a path begins with its start");
                if start == reading.len() {
                    let words = path.windows(2).zip(0..).map(|(cut, at)| (at, marked(&reading[cut[0]..cut[1]])));
                    patterns.push(Pattern { channel: Channel::Reading, words: words.collect() });
                    continue;
                }
                let left = words - path.len();
                for &end in ends[&start].iter().rev() {
                    // The end must be reached with exactly the words that are left after this one.
                    if to_end.get(&end).is_some_and(|(fewest, most)| (*fewest..=*most).contains(&left)) {
                        let mut longer = path.clone();
                        longer.push(end);
                        open.push(longer);
                    }
                }
            }
        }
        // Two short words side by side are more often an accident than the word that was meant.
        patterns.retain(|pattern| pattern.words.len() == 1 || count >= 4);
        Ok(patterns)
    }

    /// Lengths in bytes of the readings with which a text begins after its mark, shortest first.
    fn reading_lengths(&self, text: &str, mark: usize) -> tantivy::Result<BTreeSet<usize>> {
        let mut lengths = BTreeSet::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.reading)?;
            let mut stream = index.terms().search(PrefixesOf(text.as_bytes())).into_stream()?;
            while stream.advance() {
                lengths.extend(stream.key().len().checked_sub(mark).filter(|length| *length > 0));
            }
        }
        Ok(lengths)
    }

    /// Whether a leaf matches any comment at all.
    fn is_found(&self, leaf: &Leaf) -> tantivy::Result<bool> {
        let query = leaf.to_query(&self.fields);
        let weight = query.weight(EnableScoring::disabled_from_searcher(self.searcher))?;
        for segment in self.searcher.segment_readers() {
            let mut scorer = weight.scorer(segment, 1.0)?;
            let mut doc = scorer.doc();
            while doc != TERMINATED && segment.is_deleted(doc) {
                doc = scorer.advance();
            }
            if doc != TERMINATED {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn make_fuzzy(&mut self, word: &str, leaf: &mut Leaf) -> tantivy::Result<()> {
        let typed: Vec<char> = word.nfkc().flat_map(char::to_lowercase).collect();
        if typed.len() < 3 || self.is_found(leaf)? {
            return Ok(());
        }
        let mut instead = BTreeSet::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.base)?;
            let mut stream = index.terms().stream()?;
            while stream.advance() {
                let Ok(term) = std::str::from_utf8(stream.key()) else { continue };
                let chars = term.chars().count();
                if chars >= 3 && chars.abs_diff(typed.len()) <= 1 && differs_in_one(&typed, term) {
                    instead.insert(term.to_owned());
                }
            }
        }
        if instead.is_empty() {
            return Ok(());
        }
        let instead: Vec<String> = instead.into_iter().take(10).collect();
        leaf.patterns =
            instead.iter().map(|term| Pattern { channel: Channel::Base, words: vec![(0, term.clone())] }).collect();
        self.notes.push(Note::Fuzzy { word: word.to_owned(), instead });
        self.gave_way = true;
        Ok(())
    }

    fn field(&mut self, field: Field, values: &[String]) -> tantivy::Result<Plan> {
        let stored = match field {
            Field::Id => {
                return Ok(Plan::Values { field: FilterField::Named(field), values: values.to_vec() });
            }
            Field::Prefecture => self.values(self.fields.prefecture)?,
            Field::Facility => self.values(self.fields.facility)?,
            Field::Question => self.values(self.fields.question)?,
            Field::Category => self.values(self.fields.category)?,
            Field::Primary => self.values(self.fields.primary)?,
            // Either may be asked for before anybody has decided so.
            Field::GoodQuote => [true, false].map(|good| Fields::good_quote_term(good).to_owned()).to_vec(),
        };
        let mut chosen = Vec::new();
        for value in values {
            let fitting = match field {
                Field::Category | Field::Primary => self.fitting_categories(value, &stored),
                Field::Question => fitting(&question(value), &stored, question),
                Field::GoodQuote => fitting(&folded(good_quote(value)), &stored, folded),
                _ => fitting(&folded(value), &stored, folded),
            };
            if fitting.is_empty() {
                self.notes.push(Note::UnknownValue { field: field_name(field).to_owned(), value: value.clone() });
            }
            chosen.extend(fitting);
        }
        chosen.sort();
        chosen.dedup();
        Ok(Plan::Values { field: FilterField::Named(field), values: chosen })
    }

    fn fitting_categories(&self, value: &str, stored: &[String]) -> Vec<String> {
        let wanted = folded(value);
        let ids = |fits: &dyn Fn(&FrameCategory) -> bool| -> Vec<String> {
            self.frame.iter().filter(|category| fits(category)).map(|category| category.id.to_string()).collect()
        };
        let steps: [&dyn Fn(&FrameCategory) -> bool; 4] = [
            &|category| folded(&category.id) == wanted,
            &|category| folded(&category.short) == wanted || folded(&category.heading) == wanted,
            &|category| {
                folded(&category.id).starts_with(&wanted)
                    || folded(&category.short).starts_with(&wanted)
                    || folded(&category.heading).starts_with(&wanted)
            },
            &|category| folded(&category.short).contains(&wanted) || folded(&category.heading).contains(&wanted),
        ];
        let found = steps.into_iter().map(ids).find(|found| !found.is_empty());
        found.unwrap_or_else(|| fitting(&wanted, stored, folded))
    }

    fn attribute(&mut self, name: &str, values: &[String], written: &str) -> tantivy::Result<Plan> {
        let wanted = folded(name);
        let stored = self.values(self.fields.attribute)?;
        let pairs: Vec<(&str, &str)> = stored.iter().filter_map(|term| Fields::split_attribute(term)).collect();
        let headers: BTreeSet<String> = pairs.iter().map(|(header, _)| (*header).to_owned()).collect();
        let headers = fitting_headers(&wanted, &headers.into_iter().collect::<Vec<_>>());
        let of_name: Vec<(&str, &str)> =
            pairs.into_iter().filter(|(header, _)| headers.iter().any(|fits| fits == header)).collect();
        if of_name.is_empty() {
            if !written.contains("//") {
                self.notes.push(Note::UnknownField(name.to_owned()));
            }
            let words = self.word(written)?;
            return Ok(all(words.into_iter().map(Plan::Words).collect()));
        }
        let mut chosen = BTreeSet::new();
        for value in values {
            let existing: Vec<String> = of_name.iter().map(|(_, value)| (*value).to_owned()).collect();
            let fitting = fitting(&folded(value), &existing, folded);
            if fitting.is_empty() {
                self.notes.push(Note::UnknownValue { field: name.to_owned(), value: value.clone() });
            }
            for (header, value) in &of_name {
                if fitting.iter().any(|fits| fits == value) {
                    chosen.insert(Fields::attribute_term(header, value));
                }
            }
        }
        Ok(Plan::Values { field: FilterField::Attribute, values: chosen.into_iter().collect() })
    }

    fn values(&self, field: TantivyField) -> tantivy::Result<Vec<String>> {
        values(self.searcher, field)
    }
}

/// Every value of a field, in order.
pub(super) fn values(searcher: &TantivySearcher, field: TantivyField) -> tantivy::Result<Vec<String>> {
    let mut values = BTreeSet::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().stream()?;
        while stream.advance() {
            if let Ok(value) = std::str::from_utf8(stream.key()) {
                values.insert(value.to_owned());
            }
        }
    }
    Ok(values.into_iter().collect())
}

fn all(mut plans: Vec<Plan>) -> Plan {
    if plans.len() == 1 { plans.remove(0) } else { Plan::All(plans) }
}

/// Marks that part words without meaning anything themselves. ●, ○ and their like are words.
fn is_mark(surface: &str) -> bool {
    surface.chars().all(|c| {
        matches!(
            c,
            '、' | '。'
                | '・'
                | ','
                | '.'
                | '?'
                | '!'
                | ':'
                | ';'
                | '/'
                | '\\'
                | '~'
                | '…'
                | '‥'
                | '「'
                | '」'
                | '『'
                | '』'
                | '('
                | ')'
                | '['
                | ']'
                | '【'
                | '】'
                | '<'
                | '>'
                | '{'
                | '}'
                | '"'
                | '\''
                | '='
                | '+'
                | '*'
                | '-'
                | '|'
                | '_'
                | '^'
                | '`'
                | '“'
                | '”'
                | '‘'
                | '’'
                | '―'
                | '—'
                | ' '
                | '\n'
        )
    })
}

/// A bare word is looked for in every form: tense, the connection to what follows and する after its noun go,
/// negation stays.
fn drop_inflection(typed: &mut Vec<Typed>) {
    while typed.len() > 1 {
        let last = &typed[typed.len() - 1];
        let before = &typed[typed.len() - 2];
        let goes = match last.class {
            WordClass::Particle => true,
            WordClass::Auxiliary => matches!(last.base.as_str(), "た" | "だ" | "う" | "たい"),
            WordClass::VerbPart => matches!(last.base.as_str(), "いる" | "てる" | "おる" | "しまう" | "ある" | "くる"),
            WordClass::Verb => last.base == "する" && before.class == WordClass::VerbalNoun,
            _ => false,
        };
        if !goes {
            return;
        }
        typed.pop();
    }
}

pub(super) fn folded(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// A question's number where it is one of 問7, Q7, 7 and the like.
fn question(text: &str) -> String {
    let text = folded(text);
    let rest = text.trim_start_matches(['問', '第', 'q', 'Q']).trim_start_matches(['.', '-']).trim_end_matches('問');
    if rest.is_empty() { text } else { rest.to_owned() }
}

/// The values that are equal; else those that begin so; else those that hold it.
fn fitting(wanted: &str, stored: &[String], fold: impl Fn(&str) -> String) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let steps: [fn(&str, &str) -> bool; 3] = [
        |value, wanted| value == wanted,
        |value, wanted| value.starts_with(wanted),
        |value, wanted| value.contains(wanted),
    ];
    steps
        .into_iter()
        .map(|fits| stored.iter().filter(|value| fits(&fold(value), wanted)).cloned().collect::<Vec<_>>())
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// はい or いいえ for the other ways to say so.
fn good_quote(value: &str) -> &str {
    match value.to_lowercase().as_str() {
        "○" | "◯" | "yes" | "true" | "1" => Fields::good_quote_term(true),
        "×" | "no" | "false" | "0" => Fields::good_quote_term(false),
        _ => value,
    }
}

/// The headers that a person means by a name: 利用率 stands for 問3 マイナ保険証の利用率 where there is no 利用率.
pub(super) fn fitting_headers(wanted: &str, headers: &[String]) -> Vec<String> {
    let fits = fitting(wanted, headers, folded);
    // A single character stands in too many headers to mean one of them.
    if wanted.chars().count() > 1 { fits } else { fits.into_iter().filter(|header| folded(header) == wanted).collect() }
}

fn field_name(field: Field) -> &'static str {
    match field {
        Field::Prefecture => "都道府県",
        Field::Facility => "施設",
        Field::Question => "問",
        Field::Category => "分類",
        Field::Primary => "主分類",
        Field::GoodQuote => "引用候補",
        Field::Id => "id",
    }
}

/// Whether a term is a word with one character put in, left out or exchanged.
fn differs_in_one(typed: &[char], term: &str) -> bool {
    let term: Vec<char> = term.chars().collect();
    let (short, long) = if typed.len() <= term.len() { (typed, term.as_slice()) } else { (term.as_slice(), typed) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 => same < short.len() && short[same + 1..] == long[same + 1..],
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}

impl Pattern {
    pub(super) fn terms(&self, fields: &Fields) -> Vec<(usize, Term)> {
        let field = self.channel.field(fields);
        self.words.iter().map(|(offset, word)| (*offset as usize, Term::from_field_text(field, word))).collect()
    }

    fn to_query(&self, fields: &Fields) -> Box<dyn TantivyQuery> {
        let mut terms = self.terms(fields);
        if terms.len() == 1 {
            return Box::new(TermQuery::new(terms.remove(0).1, IndexRecordOption::WithFreqs));
        }
        Box::new(PhraseQuery::new_with_offset(terms))
    }
}

impl Leaf {
    pub(super) fn to_query(&self, fields: &Fields) -> Box<dyn TantivyQuery> {
        let mut queries = self.phrases(fields);
        match self.terms(fields) {
            Ok(terms) => queries.extend(terms),
            Err(set) => queries.push(set),
        }
        any(queries)
    }

    /// The patterns of one word: each by itself, or where there are many as one set.
    #[allow(clippy::type_complexity, reason = "either form is said once and taken apart at once")]
    fn terms(&self, fields: &Fields) -> Result<Vec<Box<dyn TantivyQuery>>, Box<dyn TantivyQuery>> {
        let single: Vec<&Pattern> = self.patterns.iter().filter(|pattern| pattern.words.len() == 1).collect();
        if single.len() > MAX_LISTED {
            let terms = single.iter().flat_map(|pattern| pattern.terms(fields)).map(|(_, term)| term);
            return Err(Box::new(TermSetQuery::new(terms)));
        }
        Ok(single.into_iter().map(|pattern| pattern.to_query(fields)).collect())
    }

    fn phrases(&self, fields: &Fields) -> Vec<Box<dyn TantivyQuery>> {
        let phrases = self.patterns.iter().filter(|pattern| pattern.words.len() > 1);
        phrases.map(|pattern| pattern.to_query(fields)).collect()
    }
}

fn any(mut queries: Vec<Box<dyn TantivyQuery>>) -> Box<dyn TantivyQuery> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(AnyQuery::new(queries)),
    }
}

impl Plan {
    /// Whether anything in it can be ranked: words that must or may occur.
    pub(super) fn is_ranked(&self) -> bool {
        match self {
            Self::Words(_) | Self::Near { .. } => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_ranked),
            _ => false,
        }
    }

    /// Where the plan is nothing but alternative words: a query that can pass over blocks of documents in which no
    /// good hit can be.
    pub(super) fn to_pruning_query(&self, fields: &Fields) -> Option<Box<dyn TantivyQuery>> {
        let mut terms = Vec::new();
        self.collect_terms(fields, &mut terms).then(|| -> Box<dyn TantivyQuery> {
            match terms.len() {
                0 => Box::new(EmptyQuery),
                1 => terms.remove(0),
                _ => Box::new(BooleanQuery::union(terms)),
            }
        })
    }

    fn collect_terms(&self, fields: &Fields, terms: &mut Vec<Box<dyn TantivyQuery>>) -> bool {
        match self {
            Self::Words(leaf) if leaf.patterns.iter().all(|pattern| pattern.words.len() == 1) => {
                leaf.terms(fields).map(|more| terms.extend(more)).is_ok()
            }
            Self::Any(parts) => parts.iter().all(|part| part.collect_terms(fields, terms)),
            _ => false,
        }
    }

    /// Shows the words that are looked for, not those that must be absent.
    pub(super) fn for_each_positive<'p>(&'p self, see: &mut impl FnMut(&'p Plan)) {
        match self {
            Self::Words(_) | Self::Near { .. } => see(self),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.for_each_positive(see)),
            _ => {}
        }
    }

    pub(super) fn to_query(&self, fields: &Fields) -> Box<dyn TantivyQuery> {
        // What only selects takes no part in the ranking.
        let unranked = |query: Box<dyn TantivyQuery>| Box::new(ConstScoreQuery::new(query, 0.0));
        match self {
            Self::Everything => unranked(Box::new(AllQuery)),
            Self::Words(leaf) => leaf.to_query(fields),
            Self::Near { groups, distance } => Box::new(NearQuery::new(groups, *distance, fields)),
            Self::Values { field, values } => {
                let field = match field {
                    FilterField::Attribute => fields.attribute,
                    FilterField::Named(Field::Prefecture) => fields.prefecture,
                    FilterField::Named(Field::Facility) => fields.facility,
                    FilterField::Named(Field::Question) => fields.question,
                    FilterField::Named(Field::Category) => fields.category,
                    FilterField::Named(Field::Primary) => fields.primary,
                    FilterField::Named(Field::GoodQuote) => fields.good_quote,
                    FilterField::Named(Field::Id) => fields.id,
                };
                let mut terms = values.iter().map(|value| Term::from_field_text(field, value));
                match values.len() {
                    0 => Box::new(EmptyQuery),
                    1..=8 => unranked(Box::new(BooleanQuery::union(
                        terms
                            .map(|term| -> Box<dyn TantivyQuery> {
                                Box::new(TermQuery::new(term, IndexRecordOption::Basic))
                            })
                            .collect(),
                    ))),
                    _ => unranked(Box::new(TermSetQuery::new(terms.by_ref()))),
                }
            }
            Self::Length { at_least, at_most } => {
                let bound = |value| std::ops::Bound::Included(Term::from_field_u64(fields.chars, value));
                let upper = if *at_most == u64::MAX { std::ops::Bound::Unbounded } else { bound(*at_most) };
                if at_least > at_most {
                    return Box::new(EmptyQuery);
                }
                unranked(Box::new(RangeQuery::new(bound(*at_least), upper)))
            }
            Self::Not(_) => Self::all_to_query(std::slice::from_ref(self), fields),
            Self::All(parts) => Self::all_to_query(parts, fields),
            Self::Any(parts) => any(parts.iter().map(|part| part.to_query(fields)).collect()),
        }
    }

    fn all_to_query(parts: &[Self], fields: &Fields) -> Box<dyn TantivyQuery> {
        let (lengths, parts): (Vec<&Self>, Vec<&Self>) = parts
            .iter()
            .filter(|part| **part != Self::Everything)
            .partition(|part| matches!(part, Self::Length { .. }));
        let is_wanted = |part: &&Self| !matches!(part, Self::Not(_));
        let mut clauses: Vec<(Occur, Box<dyn TantivyQuery>)> = Vec::with_capacity(parts.len() + 1);
        for part in &parts {
            match part {
                Self::Not(inner) => clauses.push((Occur::MustNot, Box::new(Excluded(inner.to_query(fields))))),
                part => clauses.push((Occur::Must, part.to_query(fields))),
            }
        }
        // Lengths alone are looked up in their column; beside anything else they are asked for last.
        let listed = if parts.iter().any(is_wanted) { 0 } else { lengths.len().min(1) };
        clauses.extend(lengths[..listed].iter().map(|length| (Occur::Must, length.to_query(fields))));
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
        }
        let mut query: Box<dyn TantivyQuery> = match clauses.as_mut_slice() {
            [(Occur::Must, _)] => clauses.remove(0).1,
            _ => Box::new(BooleanQuery::new(clauses)),
        };
        for length in &lengths[listed..] {
            if let Self::Length { at_least, at_most } = length {
                query = Box::new(WithinQuery { inner: query, column: "chars", range: *at_least..=*at_most });
            }
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_apart() {
        let typed: Vec<char> = "顔認正".chars().collect();
        for (term, expected) in
            [("顔認証", true), ("顔認正", false), ("顔認", true), ("顔認証正", true), ("認証正", false)]
        {
            assert_eq!(differs_in_one(&typed, term), expected, "{term}");
        }
    }

    #[test]
    fn questions_are_numbers() {
        for (written, expected) in
            [("7", "7"), ("問７", "7"), ("Q7", "7"), ("第7問", "7"), ("問11", "11"), ("自由記載", "自由記載")]
        {
            assert_eq!(question(written), expected, "{written}");
        }
    }
}
