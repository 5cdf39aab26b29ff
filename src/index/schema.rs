//! The index's fields, and the adapter that hands it our own tokens.

use tantivy::{
    schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{Token, TokenStream, Tokenizer},
};

use super::tokens::{NEXT_POSITION, TOKEN};

/// Raised with every change of the fields or of the tokens that go into them.
pub(super) const SCHEMA_VERSION: u32 = 2;

/// Name under which the adapter is registered.
pub(super) const PACKED: &str = "jirei_packed";

/// The fields of a comment in the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) id: Field,
    pub(crate) base: Field,
    pub(crate) surface: Field,
    pub(crate) reading: Field,
    pub(crate) text: Field,
    pub(crate) prefecture: Field,
    pub(crate) facility: Field,
    pub(crate) question: Field,
    pub(crate) category: Field,
    pub(crate) primary: Field,
    pub(crate) good_quote: Field,
    pub(crate) attribute: Field,
    pub(crate) attributes: Field,
    pub(crate) chars: Field,
    pub(crate) position: Field,
}

impl Fields {
    /// Header and value of an answer as one term.
    pub(crate) fn attribute_term(name: &str, value: &str) -> String {
        format!("{name}{NEXT_POSITION}{value}")
    }

    /// Whether to quote, as a term that a person can ask for.
    pub(crate) fn good_quote_term(good_quote: bool) -> &'static str {
        if good_quote { "はい" } else { "いいえ" }
    }

    /// The way back from [`Fields::attribute_term`].
    pub(crate) fn split_attribute(term: &str) -> Option<(&str, &str)> {
        term.split_once(NEXT_POSITION)
    }
}

/// The schema and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let words = |fieldnorms| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(PACKED)
                .set_fieldnorms(fieldnorms)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let key = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::Basic),
        )
    };
    let value = || key().set_fast("raw").set_stored();
    let fields = Fields {
        id: builder.add_text_field("id", key().set_stored()),
        base: builder.add_text_field("base", words(true)),
        surface: builder.add_text_field("surface", words(true)),
        reading: builder.add_text_field("reading", words(true)),
        text: builder.add_text_field("text", STORED),
        prefecture: builder.add_text_field("prefecture", value()),
        facility: builder.add_text_field("facility", value()),
        question: builder.add_text_field("question", value()),
        category: builder.add_text_field("category", value()),
        primary: builder.add_text_field("primary", value()),
        good_quote: builder.add_text_field("good_quote", value()),
        attribute: builder.add_text_field("attribute", key().set_fast("raw")),
        attributes: builder.add_text_field("attributes", STORED),
        chars: builder.add_u64_field("chars", FAST),
        position: builder.add_u64_field("position", FAST | STORED),
    };
    (builder.build(), fields)
}

/// Unpacks what [`super::DocumentTokens`] packed: each token's text in turn, in one buffer.
#[derive(Debug, Clone, Default)]
pub(super) struct PackedTokenizer {
    token: Token,
}

impl Tokenizer for PackedTokenizer {
    type TokenStream<'a> = PackedStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PackedStream<'a> {
        self.token.reset();
        PackedStream { rest: text, position: 0, token: &mut self.token }
    }
}

/// See [`PackedTokenizer`].
pub(super) struct PackedStream<'a> {
    rest: &'a str,
    position: usize,
    token: &'a mut Token,
}

impl TokenStream for PackedStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some(rest) = self.rest.strip_prefix(NEXT_POSITION) {
            self.position += 1;
            self.rest = rest;
        }
        let Some(rest) = self.rest.strip_prefix(TOKEN) else { return false };
        let end = rest.find([NEXT_POSITION, TOKEN]).unwrap_or(rest.len());
        self.token.text.clear();
        self.token.text.push_str(&rest[..end]);
        self.token.position = self.position;
        self.rest = &rest[end..];
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_tokens_come_out_at_their_positions() {
        let mut tokenizer = PackedTokenizer::default();
        let mut stream = tokenizer.token_stream("\u{1e}資格確認書\u{1e}資格\u{1f}\u{1e}確認\u{1f}\u{1f}\u{1e}が");
        let mut found = Vec::new();
        while stream.advance() {
            found.push((stream.token().position, stream.token().text.clone()));
        }
        let expected = [(0, "資格確認書"), (0, "資格"), (1, "確認"), (3, "が")];
        assert_eq!(found, expected.map(|(position, text)| (position, text.to_owned())));
    }
}
