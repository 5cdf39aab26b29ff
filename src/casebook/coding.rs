//! Writing what rules say of comments, for import and recoding alike.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::{classify::Classification, codebook::Codebook};

use super::{FrameCategory, frame_of, read_meta, write_meta};

/// The rules and the dictionary that code a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coder {
    /// Version of the rule set.
    pub rules: String,
    /// Version of the dictionary.
    pub dictionary: String,
}

/// A coder within a transaction: its row, and the code frame that it codes under.
#[derive(Debug)]
pub(super) struct Coding {
    pub(super) rule_set: i64,
    pub(super) frame: Vec<FrameCategory>,
    /// Whether the record had another frame or dictionary before.
    pub(super) is_new_frame: bool,
}

impl Coding {
    /// Makes the coder and its frame those of the record; `None` where the frame is no JSON.
    pub(super) fn begin(
        transaction: &Connection,
        coder: &Coder,
        codebook: &Codebook,
    ) -> rusqlite::Result<Option<Self>> {
        transaction.execute(
            "INSERT OR IGNORE INTO rule_sets (version, dictionary) VALUES (?1, ?2)",
            [&coder.rules, &coder.dictionary],
        )?;
        let rule_set = transaction.query_row(
            "SELECT rule_set FROM rule_sets WHERE version = ?1 AND dictionary = ?2",
            [&coder.rules, &coder.dictionary],
            |row| row.get(0),
        )?;
        let frame = frame_of(codebook);
        let Ok(json) = serde_json::to_string(&frame) else { return Ok(None) };
        let is_new_frame =
            read_meta(transaction, "frame")? != json || read_meta(transaction, "dictionary")? != coder.dictionary;
        if is_new_frame {
            write_meta(transaction, "frame", &json)?;
            write_meta(transaction, "dictionary", &coder.dictionary)?;
        }
        Ok(Some(Self { rule_set, frame, is_new_frame }))
    }

    /// Writes what the coder says of a comment in place of what another said; gives its labels until now.
    pub(super) fn replace(
        &self,
        transaction: &Connection,
        position: i64,
        classification: &Classification,
        codebook: &Codebook,
    ) -> rusqlite::Result<Labels> {
        let before = Labels::of(transaction, position)?;
        transaction.prepare_cached("DELETE FROM codings WHERE position = ?1")?.execute([position])?;
        self.write(transaction, position, classification, codebook)?;
        Ok(before)
    }

    /// Writes what the coder says of a comment that has no codings.
    pub(super) fn write(
        &self,
        transaction: &Connection,
        position: i64,
        classification: &Classification,
        codebook: &Codebook,
    ) -> rusqlite::Result<()> {
        transaction
            .prepare_cached(
                "INSERT INTO classifications (position, rule_set, primary_category) VALUES (?1, ?2, ?3)
                 ON CONFLICT (position) DO UPDATE
                 SET rule_set = excluded.rule_set, primary_category = excluded.primary_category",
            )?
            .execute(params![
                position,
                self.rule_set,
                classification.primary.map(|category| &*codebook[category].id)
            ])?;
        for (ordinal, coding) in classification.codings.iter().enumerate() {
            let evidence: Vec<_> = coding
                .evidence
                .iter()
                .map(|evidence| super::read::EvidenceRow {
                    rule: evidence.rule.clone(),
                    start: evidence.char_range.start,
                    end: evidence.char_range.end,
                })
                .collect();
            let evidence = serde_json::to_string(&evidence)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            transaction
                .prepare_cached(
                    "INSERT INTO codings (position, ordinal, category, confidence, evidence) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    position,
                    ordinal as i64,
                    &*codebook[coding.category].id,
                    f64::from(coding.confidence),
                    evidence
                ])?;
        }
        Ok(())
    }
}

/// A comment's categories and primary by rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) categories: Vec<Arc<str>>,
    pub(super) primary: Option<Arc<str>>,
}

impl Labels {
    /// Those that the record has.
    fn of(transaction: &Connection, position: i64) -> rusqlite::Result<Self> {
        let mut statement =
            transaction.prepare_cached("SELECT category FROM codings WHERE position = ?1 ORDER BY ordinal")?;
        let categories = statement
            .query_map([position], |row| row.get::<_, String>(0))?
            .map(|category| category.map(Into::into))
            .collect::<rusqlite::Result<_>>()?;
        let primary = transaction
            .prepare_cached("SELECT primary_category FROM classifications WHERE position = ?1")?
            .query_row([position], |row| row.get::<_, Option<String>>(0))
            .optional()?
            .flatten()
            .map(Into::into);
        Ok(Self { categories, primary })
    }

    /// Those of a classification.
    pub(super) fn new(classification: &Classification, codebook: &Codebook) -> Self {
        Self {
            categories: classification.categories().map(|category| codebook[category].id.clone()).collect(),
            primary: classification.primary.map(|category| codebook[category].id.clone()),
        }
    }
}
