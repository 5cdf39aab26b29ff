//! Coding the comments of the record anew, after the rules or the dictionary changed. What people decided stays.

use std::{path::Path, sync::Arc};

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

use crate::{classify::Classification, codebook::Codebook};

use super::{
    Casebook, CasebookError, Coder, InCasebook, Recorded, batch,
    coding::{Coding, Labels},
    import::Change,
    next_revision,
    read::{Reader, StoredComment},
    read_meta,
};

/// Positions that are looked at together.
const BLOCK: i64 = 4096;

/// What coding anew did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecodeReport {
    /// Comments that other rules or another dictionary had coded.
    pub recoded: u64,
    /// Those whose categories or primary changed by it.
    pub relabelled: u64,
    /// Categories that were given or taken, in report order; those that are no longer in the frame come last.
    pub categories: Vec<CategoryChange>,
    /// The record's revision afterwards.
    pub revision: u64,
}

/// In how many comments the rules see a category now and did not before, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryChange {
    /// Id of the category.
    pub category: Arc<str>,
    /// Comments that have it now.
    pub gained: u64,
    /// Comments that had it.
    pub lost: u64,
}

/// A recoding under way: nothing is kept unless [`Recoding::commit`] succeeds.
#[derive(Debug)]
pub struct Recoding<'c> {
    transaction: Transaction<'c>,
    folder: &'c Path,
    coding: Coding,
    last: i64,
    report: RecodeReport,
}

impl Casebook {
    /// How many comments other rules or another dictionary coded.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn coded_otherwise(&self, coder: &Coder) -> Result<u64, CasebookError> {
        let sql = "SELECT count(*) FROM comments
             LEFT JOIN classifications USING (position) LEFT JOIN rule_sets USING (rule_set)
             WHERE version IS NOT ?1 OR dictionary IS NOT ?2";
        let count = self.connection.query_row(sql, [&coder.rules, &coder.dictionary], |row| row.get::<_, i64>(0));
        count.map(|count| count as u64).in_casebook(&self.folder)
    }

    /// Begins to code anew. Other writers wait until the recoding is committed or dropped.
    ///
    /// # Errors
    ///
    /// When the record cannot be written, or another process writes for longer than one waits.
    pub fn begin_recoding(&mut self, coder: &Coder, codebook: &Codebook) -> Result<Recoding<'_>, CasebookError> {
        let Self { folder, connection } = self;
        let folder = folder.as_path();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        let coding = Coding::begin(&transaction, coder, codebook)
            .in_casebook(folder)?
            .ok_or_else(|| CasebookError::Value { folder: folder.to_path_buf(), what: "meta: frame".to_owned() })?;
        Ok(Recoding { transaction, folder, coding, last: 0, report: RecodeReport::default() })
    }
}

impl Recoding<'_> {
    /// The next comments that other rules or another dictionary coded, some thousand at most; none at the end.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn next_block(&mut self) -> Result<Vec<StoredComment>, CasebookError> {
        let next = "SELECT position FROM comments LEFT JOIN classifications USING (position)
                    WHERE position > ?1 AND rule_set IS NOT ?2 ORDER BY position LIMIT 1";
        let first: Option<i64> = self
            .transaction
            .prepare_cached(next)
            .and_then(|mut statement| {
                statement.query_row([self.last, self.coding.rule_set], |row| row.get(0)).optional()
            })
            .in_casebook(self.folder)?;
        let Some(first) = first else { return Ok(Vec::new()) };
        self.last = first + BLOCK - 1;
        let same: Vec<u64> = self
            .transaction
            .prepare_cached(
                "SELECT position FROM classifications
                 WHERE position BETWEEN ?1 AND ?2 AND rule_set = ?3 ORDER BY position",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([first, self.last, self.coding.rule_set], |row| row.get::<_, i64>(0))?
                    .map(|position| position.map(|position| position as u64))
                    .collect()
            })
            .in_casebook(self.folder)?;
        let mut block = Vec::new();
        let reader = Reader { connection: &self.transaction, folder: self.folder };
        reader.for_each_in(first, self.last, |stored| {
            if same.binary_search(&stored.position).is_err() {
                block.push(stored);
            }
            Ok::<_, CasebookError>(())
        })?;
        Ok(block)
    }

    /// Takes what the rules now say of a comment.
    ///
    /// # Errors
    ///
    /// When the record cannot be written; the recoding is then to be dropped.
    pub fn put(
        &mut self,
        stored: &StoredComment,
        classification: &Classification,
        codebook: &Codebook,
    ) -> Result<Recorded, CasebookError> {
        let position = stored.position as i64;
        let before =
            self.coding.replace(&self.transaction, position, classification, codebook).in_casebook(self.folder)?;
        let now = Labels::new(classification, codebook);
        self.report.recoded += 1;
        let is_other = before != now;
        if is_other {
            self.report.relabelled += 1;
            for category in &now.categories {
                if !before.categories.contains(category) {
                    self.count(category).gained += 1;
                }
            }
            for category in &before.categories {
                if !now.categories.contains(category) {
                    self.count(category).lost += 1;
                }
            }
        }
        let Labels { mut categories, mut primary } = now;
        let standing = batch::standing(&self.transaction, position, &stored.comment.text).in_casebook(self.folder)?;
        standing.apply(&mut categories, &mut primary, &self.coding.frame);
        let change = if is_other { Change::Recoded } else { Change::Unchanged };
        Ok(Recorded {
            change,
            renamed: None,
            position: stored.position,
            categories,
            primary,
            good_quote: standing.good_quote,
        })
    }

    fn count(&mut self, category: &Arc<str>) -> &mut CategoryChange {
        let counts = &mut self.report.categories;
        let at = counts.iter().position(|count| count.category == *category).unwrap_or_else(|| {
            counts.push(CategoryChange { category: category.clone(), gained: 0, lost: 0 });
            counts.len() - 1
        });
        &mut counts[at]
    }

    /// Whether anything has changed so far.
    pub fn changed(&self) -> bool {
        self.report.recoded > 0 || self.coding.is_new_frame
    }

    /// The revision of the record before.
    pub(crate) fn revision_before(&self) -> Result<u64, CasebookError> {
        Ok(read_meta(&self.transaction, "revision").in_casebook(self.folder)?.parse().unwrap_or(0))
    }

    /// Makes the new codings last.
    ///
    /// # Errors
    ///
    /// When the record cannot be written: it then stays as it was.
    pub fn commit(mut self) -> Result<RecodeReport, CasebookError> {
        self.report.revision = if self.changed() {
            next_revision(&self.transaction).in_casebook(self.folder)?
        } else {
            self.revision_before()?
        };
        let frame = &self.coding.frame;
        let place = |id: &str| frame.iter().position(|category| &*category.id == id).unwrap_or(frame.len());
        self.report
            .categories
            .sort_by(|a, b| (place(&a.category), &a.category).cmp(&(place(&b.category), &b.category)));
        self.transaction.commit().in_casebook(self.folder)?;
        Ok(self.report)
    }
}
