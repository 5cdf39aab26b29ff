//! Words for rules: the terms that mark some comments against others, written as they stand in a pattern.

use std::collections::HashMap;

use super::{
    parse::parse_pattern,
    syntax::{Expr, WordShape, WordTest},
};
use crate::{
    analyze::{Analysis, AnalysisWorker, Morpheme, WordClass},
    keyness::Table,
};

/// The longest compound, in morphemes.
const LONGEST: usize = 3;

/// At most this many comments are named for a suggestion.
const EXAMPLES: usize = 5;

/// On which side of a comparison a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// One of those whose words are asked for.
    Target,
    /// One of those that they are compared with.
    Reference,
    /// Neither.
    Left,
}

/// A term of a comment: a content word, or neighbouring ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Its base forms joined with `+`.
    pub base_forms: String,
    /// How it is written here, normalised.
    pub surface: String,
}

impl Term {
    /// The terms of a comment, each once, sorted: its content words, and compounds of up to three morphemes that
    /// follow each other without a particle between them.
    pub fn of(analysis: &Analysis<'_>) -> Vec<Self> {
        let text = analysis.text();
        let morphemes = &analysis.morphemes;
        let mut terms = Vec::new();
        for (first, morpheme) in morphemes.iter().enumerate() {
            if is_content(morpheme, text) {
                terms.push(Self::new(&morphemes[first..=first], text));
            }
            if !can_begin(morpheme) {
                continue;
            }
            let sentence = analysis.sentence_of(first as u32);
            for last in first + 1..(first + LONGEST).min(morphemes.len()) {
                let follows = morphemes[last - 1].byte_range.end == morphemes[last].byte_range.start;
                if !follows || !can_continue(&morphemes[last]) || analysis.sentence_of(last as u32) != sentence {
                    break;
                }
                let parts = &morphemes[first..=last];
                if morphemes[last].word.class != WordClass::Prefix && parts.iter().any(|part| is_content(part, text)) {
                    terms.push(Self::new(parts, text));
                }
            }
        }
        terms.sort();
        terms.dedup_by(|a, b| a.base_forms == b.base_forms);
        terms
    }

    fn new(morphemes: &[Morpheme<'_>], text: &str) -> Self {
        let base_forms = morphemes.iter().map(|morpheme| morpheme.base_form(text)).collect::<Vec<_>>().join("+");
        let surface = morphemes.iter().map(|morpheme| morpheme.surface(text)).collect();
        Self { base_forms, surface }
    }

    /// The term as a pattern: base forms where each is read as the one word that it is, the text in quotes otherwise.
    pub fn pattern(&self, worker: &mut AnalysisWorker<'_>) -> String {
        let mut is_word = |base_form: &str| {
            let plain = WordTest { word: Some(WordShape::Exact(base_form.to_owned())), ..WordTest::default() };
            let parsed = parse_pattern(base_form).is_ok_and(|node| node.expr == Expr::Word(plain));
            parsed && {
                let analysis = worker.analyze(base_form);
                matches!(&analysis.morphemes[..], [only] if only.base_form(analysis.text()) == base_form)
            }
        };
        match self.base_forms.split('+').all(&mut is_word) {
            true => self.base_forms.clone(),
            false => format!("'{}'", self.surface.replace('\'', "''")),
        }
    }
}

fn is_content(morpheme: &Morpheme<'_>, text: &str) -> bool {
    let class = match morpheme.word.class {
        WordClass::Noun
        | WordClass::VerbalNoun
        | WordClass::AdjectivalNoun
        | WordClass::Verb
        | WordClass::Adjective => true,
        WordClass::Modifier => morpheme.word.pos.starts_with("副詞"),
        _ => false,
    };
    let base_form = morpheme.base_form(text);
    let mut chars = base_form.chars();
    // A single kana, or digits and marks that the dictionary calls a noun, says nothing.
    let slight = match (chars.next(), chars.next()) {
        (Some(only), None) => ('ぁ'..='ヿ').contains(&only),
        _ => !base_form.chars().any(char::is_alphabetic),
    };
    class && (!slight || base_form == "●")
}

fn can_begin(morpheme: &Morpheme<'_>) -> bool {
    can_continue(morpheme) && !morpheme.word.pos.starts_with("名詞-接尾")
}

fn can_continue(morpheme: &Morpheme<'_>) -> bool {
    // の, こと and the like are nouns to the dictionary, but make no compounds.
    let is_formal = morpheme.word.pos.starts_with("名詞-非自立");
    !is_formal
        && matches!(
            morpheme.word.class,
            WordClass::Noun
                | WordClass::VerbalNoun
                | WordClass::AdjectivalNoun
                | WordClass::NounPart
                | WordClass::Prefix
                | WordClass::Verb
                | WordClass::Adjective
        )
}

/// A term that is more frequent on one side than on the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The term.
    pub term: Term,
    /// In how many comments it stands.
    pub table: Table,
    /// Signed log-likelihood: see [`Table::keyness`].
    pub keyness: f64,
    /// Positions of comments with the term: of the target where it marks the target, of the reference otherwise.
    pub examples: Vec<usize>,
}

/// Counts terms over comments, and ranks them.
#[derive(Debug, Default)]
pub struct TermIndex {
    ids: HashMap<String, u32>,
    terms: Vec<Term>,
    comments: Vec<Vec<u32>>,
}

impl TermIndex {
    /// Adds the next comment with its terms.
    pub fn add(&mut self, terms: Vec<Term>) {
        let mut ids = Vec::with_capacity(terms.len());
        for term in terms {
            let next = self.terms.len() as u32;
            let id = *self.ids.entry(term.base_forms.clone()).or_insert(next);
            if id == next {
                self.terms.push(term);
            }
            ids.push(id);
        }
        self.comments.push(ids);
    }

    /// The terms by keyness, the highest first, then by their base forms. Left out are terms in fewer than `least`
    /// comments of the side that they mark, and those that occur only within a longer term of the list.
    pub fn rank(&self, side: impl Fn(usize) -> Side, least: usize) -> Vec<Suggestion> {
        let mut counts = vec![[0usize; 2]; self.terms.len()];
        let mut totals = [0usize; 2];
        let mut examples: Vec<[Vec<usize>; 2]> = vec![Default::default(); self.terms.len()];
        for (index, terms) in self.comments.iter().enumerate() {
            let at = match side(index) {
                Side::Target => 0,
                Side::Reference => 1,
                Side::Left => continue,
            };
            totals[at] += 1;
            for &term in terms {
                counts[term as usize][at] += 1;
                let examples = &mut examples[term as usize][at];
                if examples.len() < EXAMPLES {
                    examples.push(index);
                }
            }
        }
        let mut ranked = Vec::new();
        for ((term, [target, reference]), [of_target, of_reference]) in self.terms.iter().zip(counts).zip(examples) {
            let table = Table { target, target_total: totals[0], reference, reference_total: totals[1] };
            let (count, examples) = if table.is_over() { (target, of_target) } else { (reference, of_reference) };
            let keyness = table.keyness();
            if count >= least && keyness != 0.0 {
                ranked.push(Suggestion { term: term.clone(), table, keyness, examples });
            }
        }
        let longer = |term: &Term| term.base_forms.matches('+').count();
        ranked.sort_by(|a, b| {
            b.keyness
                .total_cmp(&a.keyness)
                .then_with(|| longer(&b.term).cmp(&longer(&a.term)))
                .then_with(|| a.term.base_forms.cmp(&b.term.base_forms))
        });
        // Terms with equal counts have equal keyness and stand together, the longer ones first.
        let mut kept: Vec<Suggestion> = Vec::with_capacity(ranked.len());
        for suggestion in ranked {
            let needle = format!("+{}+", suggestion.term.base_forms);
            let within = kept.iter().rev().take_while(|other| other.keyness == suggestion.keyness).any(|other| {
                other.table == suggestion.table && format!("+{}+", other.term.base_forms).contains(&needle)
            });
            if !within {
                kept.push(suggestion);
            }
        }
        kept
    }
}
