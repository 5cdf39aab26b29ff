//! Bringing a file's comments into the record: one transaction a file.

use std::{path::Path, sync::Arc};

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{
    classify::Classification,
    codebook::Codebook,
    comment::{Attributes, Comment, CommentId},
};

use super::{
    Casebook, CasebookError, FrameCategory, InCasebook, batch, frame_of, next_revision, read_meta, write_meta,
};

/// Repeated ids that a report names at most.
const NAMED: usize = 100;

/// A file that is about to come in, and who coded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSource {
    /// The file as the user named it.
    pub file: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
    /// When, as the caller's clock has it (RFC 3339).
    pub imported_at: String,
    /// Version of the dictionary.
    pub dictionary: String,
    /// Version of the rule set.
    pub rules: String,
}

/// What became of one comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// Its text, its institution or its response's answers changed.
    Updated,
    /// It is the same, but other rules coded it.
    Recoded,
    /// It is the same.
    Unchanged,
    /// Its id occurred before in this file: left out.
    Repeated,
}

/// What the record has of a comment that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// What became of it.
    pub change: Change,
    /// Its place in the order in which comments first came in, from 1.
    pub position: u64,
    /// Its categories, people's decisions applied, in report order.
    pub categories: Vec<Arc<str>>,
    /// Its primary section, people's decisions applied.
    pub primary: Option<Arc<str>>,
    /// Whether to quote it, where a person decided.
    pub good_quote: Option<bool>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Comments that are new.
    pub added: u64,
    /// Comments that changed.
    pub updated: u64,
    /// Comments that are the same but were coded by other rules.
    pub recoded: u64,
    /// Comments that are the same.
    pub unchanged: u64,
    /// Comments left out since their id occurred before in the file.
    pub repeated: u64,
    /// The first hundred of those ids.
    pub repeated_ids: Vec<CommentId>,
    /// Ids of the first hundred comments that changed.
    pub updated_ids: Vec<CommentId>,
    /// The record's revision afterwards.
    pub revision: u64,
}

impl ImportReport {
    /// Whether the record is another than before.
    pub fn changed(&self) -> bool {
        self.added + self.updated + self.recoded > 0
    }
}

/// An import under way: nothing is kept unless [`Import::commit`] succeeds.
#[derive(Debug)]
pub struct Import<'c> {
    transaction: Transaction<'c>,
    folder: &'c Path,
    import: i64,
    rule_set: i64,
    frame: Vec<FrameCategory>,
    frame_changed: bool,
    any_decisions: bool,
    known_file: bool,
    seen: Vec<u64>,
    last_response: Option<(Attributes, Option<i64>)>,
    report: ImportReport,
}

/// A comment as the record has it before the import.
struct Before {
    position: i64,
    text: String,
    prefecture: Option<String>,
    facility: Option<String>,
    question: Option<String>,
    response: Option<i64>,
    rule_set: Option<i64>,
}

impl Casebook {
    /// Begins to bring in a file. Other writers wait until the import is committed or dropped.
    ///
    /// # Errors
    ///
    /// When the record cannot be written, or another process writes for longer than one waits.
    pub fn begin_import(&mut self, source: &ImportSource, codebook: &Codebook) -> Result<Import<'_>, CasebookError> {
        let Self { folder, connection } = self;
        let folder = folder.as_path();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        Import::begin(transaction, folder, source, codebook)
            .in_casebook(folder)?
            .ok_or_else(|| CasebookError::Value { folder: folder.to_path_buf(), what: "meta: frame".to_owned() })
    }
}

impl<'c> Import<'c> {
    fn begin(
        transaction: Transaction<'c>,
        folder: &'c Path,
        source: &ImportSource,
        codebook: &Codebook,
    ) -> rusqlite::Result<Option<Self>> {
        let known_file = transaction
            .query_row(
                "SELECT 1 FROM imports WHERE hash = ?1 AND file = ?2 LIMIT 1",
                [&source.hash, &source.file],
                |_| Ok(()),
            )
            .optional()?
            .is_some();
        transaction.execute(
            "INSERT INTO imports (file, hash, imported_at) VALUES (?1, ?2, ?3)",
            [&source.file, &source.hash, &source.imported_at],
        )?;
        let import = transaction.last_insert_rowid();
        transaction.execute("INSERT OR IGNORE INTO rule_sets (version) VALUES (?1)", [&source.rules])?;
        let rule_set =
            transaction
                .query_row("SELECT rule_set FROM rule_sets WHERE version = ?1", [&source.rules], |row| row.get(0))?;
        let frame = frame_of(codebook);
        let Ok(frame_json) = serde_json::to_string(&frame) else { return Ok(None) };
        let frame_changed = read_meta(&transaction, "frame")? != frame_json
            || read_meta(&transaction, "dictionary")? != source.dictionary;
        if frame_changed {
            write_meta(&transaction, "frame", &frame_json)?;
            write_meta(&transaction, "dictionary", &source.dictionary)?;
        }
        let any_decisions =
            transaction.query_row("SELECT 1 FROM decisions LIMIT 1", [], |_| Ok(())).optional()?.is_some();
        Ok(Some(Self {
            transaction,
            folder,
            import,
            rule_set,
            frame,
            frame_changed,
            any_decisions,
            known_file,
            seen: Vec::new(),
            last_response: None,
            report: ImportReport::default(),
        }))
    }

    /// Takes one comment with what the rules say of it.
    ///
    /// # Errors
    ///
    /// When the record cannot be written; the import is then to be dropped.
    pub fn add(
        &mut self,
        comment: &Comment,
        classification: &Classification,
        codebook: &Codebook,
    ) -> Result<Recorded, CasebookError> {
        let (change, position) = self.record(comment, classification, codebook).in_casebook(self.folder)?;
        match change {
            Change::Added => self.report.added += 1,
            Change::Updated => {
                self.report.updated += 1;
                if self.report.updated_ids.len() < NAMED {
                    self.report.updated_ids.push(comment.id.clone());
                }
            }
            Change::Recoded => self.report.recoded += 1,
            Change::Unchanged => self.report.unchanged += 1,
            Change::Repeated => {
                self.report.repeated += 1;
                if self.report.repeated_ids.len() < NAMED {
                    self.report.repeated_ids.push(comment.id.clone());
                }
            }
        }
        let mut categories: Vec<Arc<str>> =
            classification.categories().map(|category| codebook[category].id.clone()).collect();
        let mut primary = classification.primary.map(|category| codebook[category].id.clone());
        let mut good_quote = None;
        if self.any_decisions && change != Change::Added {
            let standing = batch::standing(&self.transaction, position, &comment.text).in_casebook(self.folder)?;
            standing.apply(&mut categories, &mut primary, &self.frame);
            good_quote = standing.good_quote;
        }
        Ok(Recorded { change, position: position as u64, categories, primary, good_quote })
    }

    fn record(
        &mut self,
        comment: &Comment,
        classification: &Classification,
        codebook: &Codebook,
    ) -> rusqlite::Result<(Change, i64)> {
        let response = self.response(&comment.attributes)?;
        let before = self
            .transaction
            .prepare_cached(
                "SELECT position, text, prefecture, facility, question, response, rule_set
                 FROM comments LEFT JOIN classifications USING (position) WHERE id = ?1",
            )?
            .query_row([comment.id.as_str()], |row| {
                Ok(Before {
                    position: row.get(0)?,
                    text: row.get(1)?,
                    prefecture: row.get(2)?,
                    facility: row.get(3)?,
                    question: row.get(4)?,
                    response: row.get(5)?,
                    rule_set: row.get(6)?,
                })
            })
            .optional()?;
        let Some(before) = before else {
            self.transaction
                .prepare_cached(
                    "INSERT INTO comments (id, text, prefecture, facility, question, response, import)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    comment.id.as_str(),
                    comment.text,
                    comment.prefecture,
                    comment.facility,
                    comment.question,
                    response,
                    self.import
                ])?;
            let position = self.transaction.last_insert_rowid();
            self.first_sight(position);
            self.code(position, classification, codebook)?;
            return Ok((Change::Added, position));
        };
        let position = before.position;
        if !self.first_sight(position) {
            return Ok((Change::Repeated, position));
        }
        let same = before.text == comment.text
            && before.prefecture == comment.prefecture
            && before.facility == comment.facility
            && before.question == comment.question
            && before.response == response;
        if same && before.rule_set == Some(self.rule_set) {
            return Ok((Change::Unchanged, position));
        }
        if !same {
            self.transaction
                .prepare_cached(
                    "UPDATE comments SET text = ?2, prefecture = ?3, facility = ?4, question = ?5, response = ?6, import = ?7
                     WHERE position = ?1",
                )?
                .execute(params![
                    position,
                    comment.text,
                    comment.prefecture,
                    comment.facility,
                    comment.question,
                    response,
                    self.import
                ])?;
        }
        self.transaction.prepare_cached("DELETE FROM codings WHERE position = ?1")?.execute([position])?;
        self.code(position, classification, codebook)?;
        Ok((if same { Change::Recoded } else { Change::Updated }, position))
    }

    /// The row of a response's other answers; comments of one response come one after the other.
    fn response(&mut self, attributes: &Attributes) -> rusqlite::Result<Option<i64>> {
        if attributes.is_empty() {
            return Ok(None);
        }
        if let Some((last, row)) = &self.last_response
            && last == attributes
        {
            return Ok(*row);
        }
        let json =
            serde_json::to_string(attributes).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let hash = blake3::hash(json.as_bytes());
        self.transaction
            .prepare_cached("INSERT OR IGNORE INTO responses (hash, attributes) VALUES (?1, ?2)")?
            .execute(params![hash.as_bytes(), json])?;
        let row = self
            .transaction
            .prepare_cached("SELECT response FROM responses WHERE hash = ?1")?
            .query_row([hash.as_bytes()], |row| row.get(0))?;
        self.last_response = Some((attributes.clone(), Some(row)));
        Ok(Some(row))
    }

    /// Remembers that this file has the comment; `false` where it did already.
    fn first_sight(&mut self, position: i64) -> bool {
        let (word, bit) = (position as usize / 64, 1_u64 << (position as usize % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let is_new = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        is_new
    }

    fn code(&self, position: i64, classification: &Classification, codebook: &Codebook) -> rusqlite::Result<()> {
        self.transaction
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
            self.transaction
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

    /// Makes the import last. A file that brings nothing new and was there before leaves no trace.
    ///
    /// # Errors
    ///
    /// When the record cannot be written: it then stays as it was.
    pub fn commit(mut self) -> Result<ImportReport, CasebookError> {
        let folder = self.folder;
        self.finish().in_casebook(folder)?;
        if !self.report.changed() && !self.frame_changed && self.known_file {
            self.transaction.rollback().in_casebook(folder)?;
        } else {
            self.transaction.commit().in_casebook(folder)?;
        }
        Ok(self.report)
    }

    fn finish(&mut self) -> rusqlite::Result<()> {
        let report = &mut self.report;
        self.transaction.execute(
            "UPDATE imports SET added = ?2, updated = ?3, recoded = ?4, unchanged = ?5 WHERE import = ?1",
            params![
                self.import,
                report.added as i64,
                report.updated as i64,
                report.recoded as i64,
                report.unchanged as i64
            ],
        )?;
        report.revision = if report.changed() || self.frame_changed {
            next_revision(&self.transaction)?
        } else {
            read_meta(&self.transaction, "revision")?.parse().unwrap_or(0)
        };
        Ok(())
    }

    /// The revision of the record before this import.
    pub(crate) fn revision_before(&self) -> Result<u64, CasebookError> {
        Ok(read_meta(&self.transaction, "revision").in_casebook(self.folder)?.parse().unwrap_or(0))
    }

    /// The revision that the record will have once this import is committed as it stands.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn next_revision(&self) -> Result<u64, CasebookError> {
        Ok(self.revision_before()? + u64::from(self.report.changed() || self.frame_changed))
    }

    /// Whether anything has changed so far.
    pub fn changed(&self) -> bool {
        self.report.changed() || self.frame_changed
    }
}
