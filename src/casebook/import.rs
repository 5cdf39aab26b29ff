//! Bringing a file's comments into the record: one transaction a file.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{
    classify::Classification,
    codebook::Codebook,
    comment::{Attributes, Comment, CommentId},
};

use super::{
    Casebook, CasebookError, Coder, InCasebook, batch,
    coding::{Coding, Labels},
    next_revision, read_meta,
};

/// Repeated ids that a report names at most.
const NAMED: usize = 100;

/// Fewer rewritten texts than this are taken for corrections, unless hardly any is not rewritten.
const FOREIGN: u64 = 5;

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
    /// Whether it is said to correct what is on record: answers without a number are then matched by their place even
    /// where another file brought them.
    pub corrected: bool,
}

impl ImportSource {
    /// The rules and the dictionary.
    pub fn coder(&self) -> Coder {
        Coder { rules: self.rules.clone(), dictionary: self.dictionary.clone() }
    }
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
    /// The id that it got, where the one that was made for it belongs to an answer of another file.
    pub renamed: Option<CommentId>,
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
    /// Those of the changed whose text has little in common with what it was: another survey with the same numbers?
    pub unlike: u64,
    /// Comments that an earlier version of the file brought and this one does not have; they stay.
    pub absent: Vec<Absent>,
    /// Comments that are the same but were coded by other rules.
    pub recoded: u64,
    /// Those of the recoded whose categories or primary changed by it.
    pub relabelled: u64,
    /// Comments that are the same.
    pub unchanged: u64,
    /// Comments left out since their id occurred before in the file.
    pub repeated: u64,
    /// The first hundred of those ids.
    pub repeated_ids: Vec<CommentId>,
    /// Ids of the first hundred comments that changed.
    pub updated_ids: Vec<CommentId>,
    /// Comments without a number that are new, under another id since another file's answer has the one of their place.
    pub renamed: u64,
    /// The first hundred of those ids.
    pub renamed_ids: Vec<CommentId>,
    /// Whether the import is on record by itself. One of a file that was there before, under this name, leaves no trace
    /// when it brings nothing new.
    pub is_on_record: bool,
    /// The record's revision afterwards.
    pub revision: u64,
}

/// Comments that an earlier version of a file had and this one does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The earlier version, as the user named it.
    pub file: String,
    /// How many.
    pub comments: u64,
}

impl ImportReport {
    /// Whether the record is another than before.
    pub fn changed(&self) -> bool {
        self.added + self.updated + self.recoded > 0
    }

    /// Whether the file looks like another survey that numbers its responses alike: most of the comments that it
    /// shares with the record, by id, have a text that is nothing like the one on record; three in four of a few.
    pub fn looks_foreign(&self) -> bool {
        let shared = self.updated + self.recoded + self.unchanged;
        match self.unlike {
            0 => false,
            1..FOREIGN => self.unlike * 4 >= shared * 3,
            _ => self.unlike * 2 > shared,
        }
    }
}

/// An import under way: nothing is kept unless [`Import::commit`] succeeds.
#[derive(Debug)]
pub struct Import<'c> {
    transaction: Transaction<'c>,
    folder: &'c Path,
    import: i64,
    file: String,
    corrected: bool,
    /// Whether another version of the file came in before under this name.
    is_new_version: bool,
    /// Files on record to the comments that each brought and this file has.
    shared: BTreeMap<String, u64>,
    coding: Coding,
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
    /// The file that brought it as it is.
    file: String,
}

impl Before {
    /// Whether a comment with the answers of this row of `responses` is the same in everything but its id.
    fn equals(&self, comment: &Comment, response: Option<i64>) -> bool {
        self.text == comment.text
            && self.prefecture == comment.prefecture
            && self.facility == comment.facility
            && self.question == comment.question
            && self.response == response
    }
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
        let is_new_version = !known_file
            && transaction
                .query_row("SELECT 1 FROM imports WHERE file = ?1 LIMIT 1", [&source.file], |_| Ok(()))
                .optional()?
                .is_some();
        transaction.execute(
            "INSERT INTO imports (file, hash, imported_at) VALUES (?1, ?2, ?3)",
            [&source.file, &source.hash, &source.imported_at],
        )?;
        let import = transaction.last_insert_rowid();
        let Some(coding) = Coding::begin(&transaction, &source.coder(), codebook)? else { return Ok(None) };
        let any_decisions =
            transaction.query_row("SELECT 1 FROM decisions LIMIT 1", [], |_| Ok(())).optional()?.is_some();
        Ok(Some(Self {
            transaction,
            folder,
            import,
            file: source.file.clone(),
            corrected: source.corrected,
            is_new_version,
            coding,
            any_decisions,
            shared: BTreeMap::new(),
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
        let folder = self.folder;
        let response = self.response(&comment.attributes).in_casebook(folder)?;
        let renamed = self.renamed(comment, response).in_casebook(folder)?;
        let id = renamed.as_ref().unwrap_or(&comment.id);
        let (change, position) = self.record(id, comment, response, classification, codebook).in_casebook(folder)?;
        match change {
            Change::Added => {
                self.report.added += 1;
                if let Some(id) = &renamed {
                    self.report.renamed += 1;
                    if self.report.renamed_ids.len() < NAMED {
                        self.report.renamed_ids.push(id.clone());
                    }
                }
            }
            Change::Updated => {
                self.report.updated += 1;
                if self.report.updated_ids.len() < NAMED {
                    self.report.updated_ids.push(id.clone());
                }
            }
            Change::Recoded => self.report.recoded += 1,
            Change::Unchanged => self.report.unchanged += 1,
            Change::Repeated => {
                self.report.repeated += 1;
                if self.report.repeated_ids.len() < NAMED {
                    self.report.repeated_ids.push(id.clone());
                }
            }
        }
        let Labels { mut categories, mut primary } = Labels::new(classification, codebook);
        let mut good_quote = None;
        if self.any_decisions && change != Change::Added {
            let standing = batch::standing(&self.transaction, position, &comment.text).in_casebook(self.folder)?;
            standing.apply(&mut categories, &mut primary, &self.coding.frame);
            good_quote = standing.good_quote;
        }
        Ok(Recorded { change, renamed, position: position as u64, categories, primary, good_quote })
    }

    /// Another id for a comment without a number, where the one of its place is taken: places of different files have
    /// nothing to do with each other. `None` where it keeps its own, since nobody has it, this file brought it before,
    /// or the other file's answer is the same in everything.
    fn renamed(&self, comment: &Comment, response: Option<i64>) -> rusqlite::Result<Option<CommentId>> {
        if !comment.origin.is_unnumbered || self.corrected {
            return Ok(None);
        }
        let own = |id: CommentId| Some(id).filter(|id| *id != comment.id);
        let mut same = None;
        for id in ids_for(comment) {
            match self.before(&id).optional()? {
                None => return Ok(own(same.unwrap_or(id))),
                Some(before) if before.file == self.file => return Ok(own(id)),
                Some(before) if same.is_none() && before.equals(comment, response) => same = Some(id),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    fn record(
        &mut self,
        id: &CommentId,
        comment: &Comment,
        response: Option<i64>,
        classification: &Classification,
        codebook: &Codebook,
    ) -> rusqlite::Result<(Change, i64)> {
        let import = self.import;
        let columns = params![
            id.as_str(),
            comment.text,
            comment.prefecture,
            comment.facility,
            comment.question,
            response,
            import
        ];
        let added = self
            .transaction
            .prepare_cached(
                "INSERT INTO comments (id, text, prefecture, facility, question, response, import)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(columns)?;
        if added > 0 {
            let position = self.transaction.last_insert_rowid();
            self.first_sight(position);
            self.coding.write(&self.transaction, position, classification, codebook)?;
            return Ok((Change::Added, position));
        }
        let before = self.before(id)?;
        let position = before.position;
        if !self.first_sight(position) {
            return Ok((Change::Repeated, position));
        }
        *self.shared.entry(before.file.clone()).or_default() += 1;
        let same = before.equals(comment, response);
        if same && before.rule_set == Some(self.coding.rule_set) {
            return Ok((Change::Unchanged, position));
        }
        if !same {
            self.transaction
                .prepare_cached(
                    "INSERT INTO former_comments
                     SELECT position, ?2, import, text, prefecture, facility, question, response
                     FROM comments WHERE position = ?1",
                )?
                .execute([position, import])?;
            self.transaction
                .prepare_cached(
                    "UPDATE comments SET text = ?2, prefecture = ?3, facility = ?4, question = ?5, response = ?6, import = ?7
                     WHERE id = ?1",
                )?
                .execute(columns)?;
        }
        let labels = self.coding.replace(&self.transaction, position, classification, codebook)?;
        if !same {
            self.report.unlike += u64::from(!alike(&before.text, &comment.text));
            return Ok((Change::Updated, position));
        }
        self.report.relabelled += u64::from(labels != Labels::new(classification, codebook));
        Ok((Change::Recoded, position))
    }

    fn before(&self, id: &CommentId) -> rusqlite::Result<Before> {
        self.transaction
            .prepare_cached(
                "SELECT position, text, prefecture, facility, question, response, rule_set, file
                 FROM comments JOIN imports USING (import) LEFT JOIN classifications USING (position) WHERE id = ?1",
            )?
            .query_row([id.as_str()], |row| {
                Ok(Before {
                    position: row.get(0)?,
                    text: row.get(1)?,
                    prefecture: row.get(2)?,
                    facility: row.get(3)?,
                    question: row.get(4)?,
                    response: row.get(5)?,
                    rule_set: row.get(6)?,
                    file: row.get(7)?,
                })
            })
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

    /// Makes the import last. A file that brings nothing new and was there before leaves no trace.
    ///
    /// # Errors
    ///
    /// When the record cannot be written: it then stays as it was.
    pub fn commit(mut self) -> Result<ImportReport, CasebookError> {
        let folder = self.folder;
        self.finish().in_casebook(folder)?;
        self.report.is_on_record = self.changed() || !self.known_file;
        if self.report.is_on_record {
            self.transaction.commit().in_casebook(folder)?;
        } else {
            self.transaction.rollback().in_casebook(folder)?;
        }
        Ok(self.report)
    }

    fn finish(&mut self) -> rusqlite::Result<()> {
        self.report.absent = self.absent()?;
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
        report.revision = if report.changed() || self.coding.is_new_frame {
            next_revision(&self.transaction)?
        } else {
            read_meta(&self.transaction, "revision")?.parse().unwrap_or(0)
        };
        Ok(())
    }

    /// Comments of earlier versions of this file that it does not have. A file of the same name is one, and so is one of
    /// another name where most of what it brought is in this file: less than that may be an excerpt.
    fn absent(&self) -> rusqlite::Result<Vec<Absent>> {
        if self.known_file || !self.is_new_version && self.shared.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.transaction.prepare(
            "SELECT file, position FROM comments JOIN imports USING (import) WHERE import <> ?1 ORDER BY import",
        )?;
        let mut rows = statement.query([self.import])?;
        let mut absent: Vec<Absent> = Vec::new();
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(1)? as usize;
            if self.seen.get(position / 64).is_some_and(|word| word & 1 << (position % 64) != 0) {
                continue;
            }
            let file = row.get_ref(0)?.as_str()?;
            match absent.iter_mut().find(|absent| absent.file == file) {
                Some(absent) => absent.comments += 1,
                None => absent.push(Absent { file: file.to_owned(), comments: 1 }),
            }
        }
        let has_most = |absent: &Absent| self.shared.get(&absent.file).is_some_and(|shared| *shared > absent.comments);
        absent.retain(|absent| absent.file == self.file || has_most(absent));
        Ok(absent)
    }

    /// What has come of the import so far.
    pub fn report(&self) -> &ImportReport {
        &self.report
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
        Ok(self.revision_before()? + u64::from(self.report.changed() || self.coding.is_new_frame))
    }

    /// Whether anything has changed so far.
    pub fn changed(&self) -> bool {
        self.report.changed() || self.coding.is_new_frame
    }
}

/// The ids under which a comment may be on record: its own and, where it has no number, those that it gets where another
/// file's answer has that, without end.
pub(super) fn ids_for(comment: &Comment) -> impl Iterator<Item = CommentId> {
    let others = (2..).map(|number| CommentId::new(format!("{}@{number}", comment.id)));
    std::iter::once(comment.id.clone()).chain(comment.origin.is_unnumbered.then_some(others).into_iter().flatten())
}

/// Whether two texts have three in ten of their pairs of neighbouring characters in common (Dice's coefficient).
fn alike(a: &str, b: &str) -> bool {
    let pairs = |text: &str| {
        let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let mut pairs: Vec<(char, char)> = chars.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.sort_unstable();
        pairs
    };
    let (a, b) = (pairs(a), pairs(b));
    let (mut shared, mut at) = (0, 0);
    for pair in &a {
        while b.get(at).is_some_and(|other| other < pair) {
            at += 1;
        }
        if b.get(at) == Some(pair) {
            (shared, at) = (shared + 1, at + 1);
        }
    }
    20 * shared >= 3 * (a.len() + b.len())
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn corrections_are_told_from_other_texts() {
        assert!(alike("端末が朝から止まった。", "端末が、朝から止まっていた。"));
        assert!(alike("端末が止まった", "端末が止まった。午後も同じことがあり、窓口で待たせた。"));
        assert!(!alike("端末が朝から止まった。", "氏名が●で表示される。"));
        assert!(alike("", ""));
    }
}
