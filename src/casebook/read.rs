//! Reading the record, comment by comment.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::{
    classify::{Classification, Coding, Evidence},
    codebook::Codebook,
    comment::{Attributes, Comment, CommentId, Origin},
};

use super::{
    Action, Casebook, CasebookError, FrameCategory, InCasebook, RejectedReplacement, Replacement, batch, import,
};

/// A comment as the record has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredComment {
    /// The comment; its origin is the file that brought it last.
    pub comment: Comment,
    /// Its place in the order in which comments first came in, from 1.
    pub position: u64,
    /// What the rules say, in report order.
    pub codings: Vec<StoredCoding>,
    /// The primary section by the rules.
    pub rule_primary: Option<Arc<str>>,
    /// Its categories, people's decisions applied, in report order.
    pub categories: Vec<Arc<str>>,
    /// Its primary section, people's decisions applied.
    pub primary: Option<Arc<str>>,
    /// Whether to quote it, where a person decided: rather than others, or not at all.
    pub good_quote: Option<bool>,
    /// A person's note.
    pub note: Option<String>,
    /// What to print in the place of some words: in the order of the text, never overlapping.
    pub replacements: Vec<Replacement>,
    /// Replacements that a person declined: not to be offered again.
    pub rejected: Vec<RejectedReplacement>,
    /// What people decided of its categories, as far as it stands: category to the last word on it.
    pub decided_categories: BTreeMap<String, Action>,
    /// The primary section as a person decided it.
    pub decided_primary: Option<String>,
}

/// A category that the rules gave.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCoding {
    /// Id of the category.
    pub category: Arc<str>,
    /// From 0 to 1.
    pub confidence: f32,
    /// What fired.
    pub evidence: Vec<Evidence>,
}

impl StoredComment {
    /// What the rules said, by the indices of a codebook; categories that it lacks are left out.
    pub fn classification(&self, codebook: &Codebook) -> Classification {
        let mut codings: Vec<Coding> = self
            .codings
            .iter()
            .filter_map(|coding| {
                Some(Coding {
                    category: codebook.index_of(&coding.category)?,
                    confidence: coding.confidence,
                    evidence: coding.evidence.clone(),
                })
            })
            .collect();
        codings.sort_by_key(|coding| coding.category);
        let primary = self.rule_primary.as_deref().and_then(|id| codebook.index_of(id));
        Classification { codings, primary }
    }

    /// What holds: the rules' codings with people's decisions applied. A category that a person added has no
    /// evidence and is certain.
    pub fn decided(&self, codebook: &Codebook) -> Classification {
        let by_rules = self.classification(codebook);
        let mut codings: Vec<Coding> = self
            .categories
            .iter()
            .filter_map(|id| codebook.index_of(id))
            .map(|category| {
                let by_rule = by_rules.codings.iter().find(|coding| coding.category == category);
                by_rule.cloned().unwrap_or(Coding { category, confidence: 1.0, evidence: Vec::new() })
            })
            .collect();
        codings.sort_by_key(|coding| coding.category);
        Classification { codings, primary: self.primary.as_deref().and_then(|id| codebook.index_of(id)) }
    }
}

/// What has become of a comment since a file brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is as it came.
    Same,
    /// A later import corrected it; what came is kept as a former text.
    Corrected,
    /// It is another, and no import accounts for that.
    Otherwise,
    /// It is not there.
    Gone,
}

/// Evidence as JSON in the record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EvidenceRow {
    pub(super) rule: Arc<str>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Casebook {
    /// Number of comments.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn comment_count(&self) -> Result<u64, CasebookError> {
        self.connection
            .query_row("SELECT count(*) FROM comments", [], |row| row.get::<_, i64>(0))
            .map(|count| count as u64)
            .in_casebook(&self.folder)
    }

    /// The comment of an id.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn comment(&self, id: &CommentId) -> Result<Option<StoredComment>, CasebookError> {
        let position: Option<i64> = self
            .connection
            .prepare_cached("SELECT position FROM comments WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id.as_str()], |row| row.get(0)).optional())
            .in_casebook(&self.folder)?;
        let Some(position) = position else { return Ok(None) };
        let mut found = None;
        self.reader().for_each_in(position, position, |comment| {
            found = Some(comment);
            Ok::<_, CasebookError>(())
        })?;
        Ok(found)
    }

    /// What has become of a comment that a file brought.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn kept(&self, comment: &Comment) -> Result<Kept, CasebookError> {
        let attributes = match comment.attributes.is_empty() {
            true => None,
            false => Some(serde_json::to_string(&comment.attributes).expect("answers are plain data")),
        };
        let is_it = |row: &Row<'_>| -> rusqlite::Result<bool> {
            Ok(row.get_ref(0)?.as_str()? == comment.text
                && row.get::<_, Option<String>>(1)? == comment.prefecture
                && row.get::<_, Option<String>>(2)? == comment.facility
                && row.get::<_, Option<String>>(3)? == comment.question
                && row.get::<_, Option<String>>(4)? == attributes)
        };
        let is_former = |position: i64| -> rusqlite::Result<bool> {
            let mut former = self.connection.prepare_cached(
                "SELECT text, prefecture, facility, question, attributes
                 FROM former_comments LEFT JOIN responses USING (response) WHERE position = ?1",
            )?;
            let mut rows = former.query([position])?;
            while let Some(row) = rows.next()? {
                if is_it(row)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let kept = || -> rusqlite::Result<Kept> {
            let mut current = self.connection.prepare_cached(
                "SELECT text, prefecture, facility, question, attributes, position
                 FROM comments LEFT JOIN responses USING (response) WHERE id = ?1",
            )?;
            let mut kept = Kept::Gone;
            for id in import::ids_for(comment) {
                let found = current.query_row([id.as_str()], |row| Ok((is_it(row)?, row.get(5)?))).optional()?;
                match found {
                    None => break,
                    Some((true, _)) => return Ok(Kept::Same),
                    Some((false, position)) if is_former(position)? => kept = Kept::Corrected,
                    Some(_) if kept == Kept::Gone => kept = Kept::Otherwise,
                    Some(_) => {}
                }
            }
            Ok(kept)
        };
        kept().in_casebook(&self.folder)
    }

    /// Shows every comment in the order in which they first came in, one at a time.
    ///
    /// # Errors
    ///
    /// When the record cannot be read, or with what `see` gives back.
    pub fn for_each<E: From<CasebookError>>(&self, see: impl FnMut(StoredComment) -> Result<(), E>) -> Result<(), E> {
        self.reader().for_each_in(i64::MIN, i64::MAX, see)
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { connection: &self.connection, folder: &self.folder }
    }
}

/// Reads with a connection that may be within a transaction.
pub(crate) struct Reader<'c> {
    pub(super) connection: &'c Connection,
    pub(super) folder: &'c Path,
}

impl Reader<'_> {
    pub(crate) fn revision(&self) -> Result<u64, CasebookError> {
        let value = super::read_meta(self.connection, "revision").in_casebook(self.folder)?;
        value.parse().map_err(|_| self.value(format!("meta: revision = `{value}`")))
    }

    pub(crate) fn frame(&self) -> Result<Vec<FrameCategory>, CasebookError> {
        let json = super::read_meta(self.connection, "frame").in_casebook(self.folder)?;
        serde_json::from_str(&json).map_err(|error| self.value(format!("meta: frame: {error}")))
    }

    pub(crate) fn rules(&self) -> Result<String, CasebookError> {
        let sql = "SELECT version FROM rule_sets WHERE rule_set IN (SELECT rule_set FROM classifications) ORDER BY rule_set DESC LIMIT 1";
        let version = self.connection.query_row(sql, [], |row| row.get(0)).optional().in_casebook(self.folder)?;
        Ok(version.unwrap_or_default())
    }

    fn value(&self, what: String) -> CasebookError {
        CasebookError::Value { folder: self.folder.to_path_buf(), what }
    }

    /// Shows the comments between two positions. Comments, codings and decisions are read side by side in one
    /// order, so that memory stays bounded.
    pub(crate) fn for_each_in<E: From<CasebookError>>(
        &self,
        first: i64,
        last: i64,
        mut see: impl FnMut(StoredComment) -> Result<(), E>,
    ) -> Result<(), E> {
        let frame = self.frame()?;
        let mut decided = self.decided_positions(first, last)?.into_iter().peekable();
        let prepare = |sql| self.connection.prepare_cached(sql).in_casebook(self.folder);
        let mut comments = prepare(
            "SELECT position, id, text, prefecture, facility, question, attributes, primary_category, file
             FROM comments LEFT JOIN responses USING (response) LEFT JOIN classifications USING (position)
             JOIN imports USING (import) WHERE position BETWEEN ?1 AND ?2 ORDER BY position",
        )?;
        let mut codings = prepare(
            "SELECT position, category, confidence, evidence FROM codings
             WHERE position BETWEEN ?1 AND ?2 ORDER BY position, ordinal",
        )?;
        let mut comments = comments.query([first, last]).in_casebook(self.folder)?;
        let mut codings = codings.query([first, last]).in_casebook(self.folder)?;
        let mut next_coding = self.coding(codings.next().in_casebook(self.folder)?)?;
        let mut files = Files::default();
        while let Some(row) = comments.next().in_casebook(self.folder)? {
            let (position, mut stored) = self.stored(row, &mut files)?;
            while let Some((of, coding)) = next_coding.take_if(|(of, _)| *of <= position) {
                if of == position {
                    stored.codings.push(coding);
                }
                next_coding = self.coding(codings.next().in_casebook(self.folder)?)?;
            }
            stored.categories = stored.codings.iter().map(|coding| coding.category.clone()).collect();
            stored.primary = stored.rule_primary.clone();
            if decided.next_if(|decided| *decided == position).is_some() {
                let standing =
                    batch::standing(self.connection, position, &stored.comment.text).in_casebook(self.folder)?;
                standing.apply(&mut stored.categories, &mut stored.primary, &frame);
                stored.good_quote = standing.good_quote;
                stored.note = standing.note;
                stored.replacements = standing.replacements;
                stored.rejected = standing.rejected;
                stored.decided_categories = standing.categories;
                stored.decided_primary = standing.primary;
            }
            see(stored)?;
        }
        Ok(())
    }

    /// Positions of the comments that anything was decided of, in order.
    fn decided_positions(&self, first: i64, last: i64) -> Result<Vec<i64>, CasebookError> {
        self.connection
            .prepare_cached(
                "SELECT DISTINCT position FROM decisions WHERE position BETWEEN ?1 AND ?2 ORDER BY position",
            )
            .and_then(|mut statement| statement.query_map([first, last], |row| row.get(0)).and_then(Iterator::collect))
            .in_casebook(self.folder)
    }

    fn stored(&self, row: &Row<'_>, files: &mut Files) -> Result<(i64, StoredComment), CasebookError> {
        let read = || -> rusqlite::Result<_> {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                (row.get(3)?, row.get(4)?, row.get(5)?),
                row.get::<_, Option<String>>(6)?,
                row.get::<_, Option<String>>(7)?,
                row.get::<_, String>(8)?,
            ))
        };
        let (position, id, text, (prefecture, facility, question), attributes, primary, file) =
            read().in_casebook(self.folder)?;
        let attributes = match attributes {
            None => Attributes::default(),
            Some(json) => {
                serde_json::from_str(&json).map_err(|error| self.value(format!("responses: attributes: {error}")))?
            }
        };
        let comment = Comment {
            id: CommentId::new(id),
            prefecture,
            facility,
            question,
            text,
            attributes,
            origin: Origin { file: files.shared(&file), ..Origin::default() },
        };
        let stored = StoredComment {
            comment,
            position: position as u64,
            codings: Vec::new(),
            rule_primary: primary.map(Into::into),
            categories: Vec::new(),
            primary: None,
            good_quote: None,
            note: None,
            replacements: Vec::new(),
            rejected: Vec::new(),
            decided_categories: BTreeMap::new(),
            decided_primary: None,
        };
        Ok((position, stored))
    }

    fn coding(&self, row: Option<&Row<'_>>) -> Result<Option<(i64, StoredCoding)>, CasebookError> {
        let Some(row) = row else { return Ok(None) };
        let read = || -> rusqlite::Result<(i64, String, f64, String)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let (position, category, confidence, evidence) = read().in_casebook(self.folder)?;
        let evidence: Vec<EvidenceRow> =
            serde_json::from_str(&evidence).map_err(|error| self.value(format!("codings: evidence: {error}")))?;
        let evidence =
            evidence.into_iter().map(|row| Evidence { rule: row.rule, char_range: row.start..row.end }).collect();
        Ok(Some((position, StoredCoding { category: category.into(), confidence: confidence as f32, evidence })))
    }
}

/// Gives equal file names the same allocation.
#[derive(Default)]
struct Files(Option<Arc<str>>);

impl Files {
    fn shared(&mut self, file: &str) -> Arc<str> {
        match &self.0 {
            Some(last) if **last == *file => last.clone(),
            _ => {
                let file: Arc<str> = file.into();
                self.0 = Some(file.clone());
                file
            }
        }
    }
}
