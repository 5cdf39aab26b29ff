//! Compiled rules as bytes, so that the program starts with the rules that it carries instead of compiling them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use daachorse::{CharwiseDoubleArrayAhoCorasick, DoubleArrayAhoCorasick};
use serde::{Deserialize, Serialize};

use super::{
    compile::{CompiledRule, LazyRegex, Place, RuleSet, SpanNode, Vocabulary},
    file::{Example, ExampleKind},
    gate::Gates,
};
use crate::{
    analyze::{Analyzer, Shelves},
    codebook::{Category, Codebook},
    source::Source,
};

/// A rule set without what is made anew at each start.
#[derive(Serialize, Deserialize)]
pub(super) struct Image<'a> {
    /// Version of the analyser whose morphemes the words are sequences of.
    pub(super) analyzer: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) title: Cow<'a, str>,
    pub(super) categories: Cow<'a, [Category]>,
    pub(super) rules: Cow<'a, [CompiledRule]>,
    /// By rule.
    pub(super) examples: Vec<Vec<ExampleImage<'a>>>,
    pub(super) spans: Cow<'a, [SpanNode]>,
    pub(super) regexes: Vec<Cow<'a, str>>,
    pub(super) gates: Cow<'a, Gates>,
    pub(super) always: Cow<'a, [u32]>,
    pub(super) vocabulary: Cow<'a, Vocabulary>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ExampleImage<'a> {
    pub(super) kind: ExampleKind,
    pub(super) text: Cow<'a, str>,
    pub(super) attributes: Cow<'a, BTreeMap<String, String>>,
    pub(super) place: Place,
}

impl RuleSet {
    /// A rule set from bytes, with the files that it was compiled from; `None` where it was compiled for an analyser
    /// of another version, or the bytes are of another program.
    pub(crate) fn from_image(bytes: &[u8], mut sources: Vec<Arc<Source>>, analyzer: &Analyzer) -> Option<Self> {
        let (lengths, mut rest) = bytes.split_at_checked(24)?;
        let mut parts = lengths.chunks_exact(8).map(|length| {
            let length = u64::from_le_bytes(length.try_into().ok()?);
            let (part, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            rest = after;
            Some(part)
        });
        let (image, words, texts) = (parts.next()??, parts.next()??, parts.next()??);
        // Half of the work each: a start is waited for.
        let (image, automata) = rayon::join(
            || postcard::from_bytes::<Image<'_>>(image).ok(),
            || -> Option<_> {
                let words = match words {
                    [] => None,
                    words => Some(DoubleArrayAhoCorasick::deserialize(words).ok()?.0),
                };
                let texts = match texts {
                    [] => None,
                    texts => Some(CharwiseDoubleArrayAhoCorasick::deserialize(texts).ok()?.0),
                };
                Some((words, texts))
            },
        );
        let (image, (word_automaton, text_automaton)) = (image?, automata?);
        if image.analyzer != analyzer.version() {
            return None;
        }
        sources.sort_by_key(|source| source.path());
        let mut rules = image.rules.into_owned();
        for (rule, examples) in rules.iter_mut().zip(image.examples) {
            rule.examples = examples
                .into_iter()
                .map(|example| Example {
                    kind: example.kind,
                    text: example.text.into_owned(),
                    attributes: example.attributes.into_owned(),
                    span: example.place.span(&sources),
                })
                .collect();
        }
        Some(Self {
            codebook: Codebook::new(image.title.into_owned(), image.categories.into_owned()).ok()?,
            version: image.version.into_owned(),
            sources,
            rules,
            spans: image.spans.into_owned(),
            regexes: image.regexes.into_iter().map(|pattern| LazyRegex::new(pattern.into_owned())).collect(),
            word_automaton,
            text_automaton,
            gates: image.gates.into_owned(),
            always: image.always.into_owned(),
            vocabulary: image.vocabulary.into_owned(),
            known: Shelves::new(analyzer.word_count()),
            warnings: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Analyzer, RuleSet};

    /// So that a program that is built again is the same program.
    #[test]
    fn the_same_files_give_the_same_bytes() {
        let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
        let bytes = || {
            let rules =
                RuleSet::from_sources(&crate::rule::embedded_rules(), &analyzer).expect("the rules are correct");
            postcard::to_allocvec(&(&rules.rules, &rules.spans, &rules.gates, &rules.always, &rules.vocabulary))
                .expect("every part of a rule set can be written")
        };
        assert!(bytes() == bytes());
    }
}
