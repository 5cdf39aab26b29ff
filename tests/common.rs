//! A casebook of invented comments.

use std::{path::Path, sync::OnceLock};

use jirei::{
    analyze::Analyzer,
    casebook::{Casebook, ImportReport, ImportSource},
    classify::{Classification, Coding, Evidence},
    codebook::{Category, Codebook},
    comment::{Attributes, Comment, CommentId, Origin},
    index::{self, Entry, IndexError, TokenMaker},
};

/// The version strings that the tests pass in.
pub(crate) const DICTIONARY: &str = "test-dictionary-1";

pub(crate) fn analyzer() -> &'static Analyzer {
    static ANALYZER: OnceLock<Analyzer> = OnceLock::new();
    ANALYZER.get_or_init(|| Analyzer::embedded().expect("the embedded dictionary loads"))
}

pub(crate) fn maker() -> TokenMaker<'static> {
    TokenMaker::new(analyzer())
}

pub(crate) fn codebook() -> Codebook {
    #[derive(serde::Deserialize)]
    struct File {
        title: String,
        category: Vec<Category>,
    }
    let file: File = toml::from_str(include_str!("../rules/codebook.toml")).expect("the codebook is TOML");
    Codebook::new(file.title, file.category).expect("its ids are unique")
}

/// The invented comments with the categories that the fixture gives them.
pub(crate) fn entries() -> Vec<Entry> {
    let codebook = codebook();
    include_str!("fixtures/search/comments.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [id, prefecture, facility, question, categories, rate, text] = columns[..] else {
                panic!("not seven columns: {line}");
            };
            let some = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            let attributes: Attributes = some(rate).into_iter().map(|rate| ("利用率".to_owned(), rate)).collect();
            let comment = Comment {
                id: CommentId::new(id),
                prefecture: some(prefecture),
                facility: some(facility),
                question: some(question),
                text: text.to_owned(),
                attributes,
                origin: Origin::default(),
            };
            let ids: Vec<&str> = categories.split(',').filter(|id| !id.is_empty()).collect();
            Entry::new(comment, classification(&codebook, &ids))
        })
        .collect()
}

/// A classification with the given categories, the first of which is the primary.
pub(crate) fn classification(codebook: &Codebook, ids: &[&str]) -> Classification {
    let mut codings: Vec<Coding> = ids
        .iter()
        .map(|id| Coding {
            category: codebook.index_of(id).expect("the category is in the codebook"),
            confidence: 0.75,
            evidence: vec![Evidence { rule: format!("{id}.test").into(), char_range: 0..2 }],
        })
        .collect();
    let primary = codings.first().map(|coding| coding.category);
    codings.sort_by_key(|coding| coding.category);
    Classification { codings, primary }
}

pub(crate) fn source(file: &str) -> ImportSource {
    ImportSource {
        file: file.to_owned(),
        hash: format!("hash of {file}"),
        imported_at: "2026-01-15T09:00:00+09:00".to_owned(),
        dictionary: DICTIONARY.to_owned(),
        rules: "test-rules-1".to_owned(),
        corrected: false,
    }
}

pub(crate) fn import(folder: &Path, source: &ImportSource, entries: Vec<Entry>) -> Result<ImportReport, IndexError> {
    let mut casebook = Casebook::open_or_create(folder)?;
    index::import(&mut casebook, &mut maker(), source, &codebook(), entries)
}

/// A casebook of all invented comments in a folder that goes with it.
pub(crate) fn casebook() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    import(folder.path(), &source("comments.tsv"), entries()).expect("the import succeeds");
    folder
}
