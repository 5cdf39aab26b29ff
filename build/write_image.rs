//! Compiled rules to bytes, which the library reads at its start.

use std::borrow::Cow;

use daachorse::{CharwiseDoubleArrayAhoCorasick, DoubleArrayAhoCorasick};

use super::{
    compile::{Place, RuleSet},
    file::Example,
    image::{ExampleImage, Image},
};
use crate::analyze::Analyzer;

impl RuleSet {
    /// The rule set as bytes, for [`from_image`](Self::from_image) of the same program.
    pub(crate) fn to_image(&self, analyzer: &Analyzer) -> Vec<u8> {
        let example = |example: &'_ Example| ExampleImage {
            kind: example.kind,
            text: Cow::Owned(example.text.clone()),
            attributes: Cow::Owned(example.attributes.clone()),
            place: Place::new(&self.sources, &example.span),
        };
        let image = Image {
            analyzer: Cow::Borrowed(analyzer.version()),
            version: Cow::Borrowed(&self.version),
            title: Cow::Borrowed(self.codebook.title()),
            categories: Cow::Borrowed(self.codebook.categories()),
            rules: Cow::Borrowed(&self.rules),
            examples: self.rules.iter().map(|rule| rule.examples.iter().map(example).collect()).collect(),
            spans: Cow::Borrowed(&self.spans),
            regexes: self.regexes.iter().map(|regex| Cow::Borrowed(regex.pattern.as_str())).collect(),
            gates: Cow::Borrowed(&self.gates),
            always: Cow::Borrowed(&self.always),
            vocabulary: Cow::Borrowed(&self.vocabulary),
        };
        let parts = [
            postcard::to_allocvec(&image).expect("every part of a rule set can be written"),
            self.word_automaton.as_ref().map(DoubleArrayAhoCorasick::serialize).unwrap_or_default(),
            self.text_automaton.as_ref().map(CharwiseDoubleArrayAhoCorasick::serialize).unwrap_or_default(),
        ];
        let lengths = parts.iter().flat_map(|part| (part.len() as u64).to_le_bytes());
        lengths.chain(parts.iter().flatten().copied()).collect()
    }
}
