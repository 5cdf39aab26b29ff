//! The domain's tables: user dictionary and variant table, compiled in from `dictionaries/`.

use std::fmt::Write as _;

use lindera::dictionary::{Metadata, UserDictionary};
use lindera_dictionary::builder::user_dictionary::UserDictionaryBuilderOptions;
use serde::Deserialize;

use super::AnalyzerError;

const DOMAIN: &str = include_str!("../../dictionaries/domain.csv");
const VARIANTS: &str = include_str!("../../dictionaries/variants.csv");

/// A line of `dictionaries/domain.csv`.
#[derive(Debug, Deserialize)]
struct DomainEntry {
    surface: String,
    base_form: String,
    reading: String,
    part_of_speech: String,
    cost: Option<i16>,
}

/// A line of `dictionaries/variants.csv`.
#[derive(Debug, Deserialize)]
struct Variant {
    written: String,
    meant: String,
}

fn rows<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<Vec<(u64, T)>, AnalyzerError> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().cloned().map_err(|error| fault(file, 1, error.to_string()))?;
    reader
        .records()
        .map(|record| {
            let record = record
                .map_err(|error| fault(file, error.position().map_or(0, csv::Position::line), error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let row = record.deserialize(Some(&headers)).map_err(|error| fault(file, line, error.to_string()))?;
            Ok((line, row))
        })
        .collect()
}

fn fault(file: &'static str, line: u64, message: String) -> AnalyzerError {
    AnalyzerError::Table { file, line, message }
}

/// Eight hexadecimal digits that change with any change of the tables.
pub(super) fn version() -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(DOMAIN.as_bytes()).update(&[0]).update(VARIANTS.as_bytes());
    hasher.finalize().to_hex()[..8].to_owned()
}

/// Pairs (as written, as meant) of the variant table.
pub(super) fn variants() -> Result<Vec<(String, String)>, AnalyzerError> {
    Ok(rows::<Variant>("dictionaries/variants.csv", VARIANTS)?
        .into_iter()
        .map(|(_, row)| (row.written, row.meant))
        .collect())
}

/// The domain dictionary in lindera's form, made for the context ids of the system dictionary.
pub(super) fn user_dictionary(metadata: &Metadata) -> Result<UserDictionary, AnalyzerError> {
    let mut detailed = String::new();
    for (line, entry) in rows::<DomainEntry>("dictionaries/domain.csv", DOMAIN)? {
        let levels: Vec<&str> = entry.part_of_speech.split('-').chain(std::iter::repeat("*")).take(4).collect();
        let quoted = [&entry.surface, &entry.base_form, &entry.reading].iter().any(|field| field.contains(['"', ',']));
        if entry.surface.is_empty() || quoted {
            return Err(fault("dictionaries/domain.csv", line, "表層形が空か、引用符・コンマを含んでいます".into()));
        }
        let cost = entry.cost.unwrap_or(DEFAULT_COST);
        writeln!(
            detailed,
            "{},{left},{right},{cost},{},*,*,{},{},{}",
            entry.surface,
            levels.join(","),
            entry.base_form,
            entry.reading,
            entry.reading,
            left = metadata.default_left_context_id,
            right = metadata.default_right_context_id,
        )
        .expect("writing to a string cannot fail");
    }
    UserDictionaryBuilderOptions::default()
        .user_dictionary_fields_num(metadata.user_dictionary_schema.field_count())
        .dictionary_fields_num(metadata.dictionary_schema.field_count())
        .default_left_context_id(metadata.default_left_context_id)
        .default_right_context_id(metadata.default_right_context_id)
        .builder()
        .build_from_reader(detailed.as_bytes())
        .map_err(AnalyzerError::Domain)
}

/// Cost of an entry that gives none: a term wins wherever it stands. Short or risky ones give their own.
const DEFAULT_COST: i16 = -10_000;
