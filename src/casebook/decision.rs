//! What people decide over the rules. Append-only: a decision is never altered, taking it back is a record too.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::{codebook::CategoryKind, comment::CommentId};

use super::{Casebook, CasebookError, FrameCategory, InCasebook, next_revision};

/// What a person says of a category of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The rules were right; it stays even if they change.
    Accept,
    /// It does not belong.
    Remove,
    /// It belongs, though the rules did not see it.
    Add,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Remove => "remove",
            Self::Add => "add",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Accept, Self::Remove, Self::Add].into_iter().find(|action| action.as_str() == text)
    }
}

/// A person's decision on one category of one comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The comment.
    pub comment: CommentId,
    /// Id of the category.
    pub category: String,
    /// What was decided.
    pub action: Action,
    /// Who decided.
    pub coder: String,
    /// When, as the caller's clock has it (RFC 3339).
    pub decided_at: String,
}

/// A decision as the record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// Its number, in the order of deciding.
    pub number: i64,
    /// What was decided.
    pub decision: Decision,
    /// Who took it back and when.
    pub undone: Option<Undo>,
}

/// That a decision was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// By whom.
    pub coder: String,
    /// When.
    pub at: String,
}

impl Casebook {
    /// Records decisions, all or none; gives their numbers. Bring the index up to date afterwards.
    ///
    /// # Errors
    ///
    /// When a comment is not in the casebook or the record cannot be written.
    pub fn append_decisions(&mut self, decisions: &[Decision]) -> Result<Vec<i64>, CasebookError> {
        let Self { folder, connection } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        let mut numbers = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let position: Option<i64> = transaction
                .prepare_cached("SELECT position FROM comments WHERE id = ?1")
                .and_then(|mut statement| statement.query_row([decision.comment.as_str()], |row| row.get(0)).optional())
                .in_casebook(folder)?;
            let position =
                position.ok_or_else(|| CasebookError::UnknownComment(decision.comment.as_str().to_owned()))?;
            transaction
                .prepare_cached(
                    "INSERT INTO decisions (position, category, action, coder, decided_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        position,
                        decision.category,
                        decision.action.as_str(),
                        decision.coder,
                        decision.decided_at
                    ])
                })
                .in_casebook(folder)?;
            numbers.push(transaction.last_insert_rowid());
        }
        if !numbers.is_empty() {
            next_revision(&transaction).in_casebook(folder)?;
        }
        transaction.commit().in_casebook(folder)?;
        Ok(numbers)
    }

    /// Takes a decision back.
    ///
    /// # Errors
    ///
    /// When there is none of that number, it is undone already, or the record cannot be written.
    pub fn undo_decision(&mut self, number: i64, undo: &Undo) -> Result<(), CasebookError> {
        let Self { folder, connection } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        let standing = transaction
            .query_row(
                "SELECT 1 FROM decisions WHERE decision = ?1 AND decision NOT IN (SELECT decision FROM undone_decisions)",
                [number],
                |_| Ok(()),
            )
            .optional()
            .in_casebook(folder)?;
        if standing.is_none() {
            return Err(CasebookError::UnknownDecision(number));
        }
        transaction
            .execute(
                "INSERT INTO undone_decisions (decision, coder, undone_at) VALUES (?1, ?2, ?3)",
                params![number, undo.coder, undo.at],
            )
            .in_casebook(folder)?;
        next_revision(&transaction).in_casebook(folder)?;
        transaction.commit().in_casebook(folder)
    }

    /// Every decision in the order of deciding, those that were taken back too.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn decisions(&self) -> Result<Vec<StoredDecision>, CasebookError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT decision, id, category, action, decisions.coder, decided_at, undone_decisions.coder, undone_at
                 FROM decisions JOIN comments USING (position) LEFT JOIN undone_decisions USING (decision)
                 ORDER BY decision",
            )
            .in_casebook(&self.folder)?;
        statement
            .query_map([], |row| {
                let undone = match (row.get(6)?, row.get(7)?) {
                    (Some(coder), Some(at)) => Some(Undo { coder, at }),
                    _ => None,
                };
                let action: String = row.get(3)?;
                Ok(StoredDecision {
                    number: row.get(0)?,
                    decision: Decision {
                        comment: CommentId::new(row.get::<_, String>(1)?),
                        category: row.get(2)?,
                        // The schema admits no other word.
                        action: Action::parse(&action).unwrap_or(Action::Accept),
                        coder: row.get(4)?,
                        decided_at: row.get(5)?,
                    },
                    undone,
                })
            })
            .and_then(Iterator::collect)
            .in_casebook(&self.folder)
    }
}

/// The decisions on a comment that stand: the last of each category that was not taken back.
pub(super) fn standing(connection: &Connection, position: i64) -> rusqlite::Result<BTreeMap<String, Action>> {
    let mut statement = connection.prepare_cached(
        "SELECT category, action FROM decisions
         WHERE position = ?1 AND decision NOT IN (SELECT decision FROM undone_decisions) ORDER BY decision",
    )?;
    let rows = statement.query_map([position], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut standing = BTreeMap::new();
    for row in rows {
        let (category, action) = row?;
        if let Some(action) = Action::parse(&action) {
            standing.insert(category, action);
        }
    }
    Ok(standing)
}

/// Applies decisions to what the rules say. A primary that was removed gives way to the first section that is left.
pub(super) fn apply(
    categories: &mut Vec<Arc<str>>,
    primary: &mut Option<Arc<str>>,
    decisions: &BTreeMap<String, Action>,
    frame: &[FrameCategory],
) {
    if decisions.is_empty() {
        return;
    }
    for (category, action) in decisions {
        match action {
            Action::Remove => categories.retain(|given| **given != **category),
            Action::Accept | Action::Add => {
                if categories.iter().all(|given| **given != **category) {
                    categories.push(category.as_str().into());
                }
            }
        }
    }
    let place = |id: &str| frame.iter().position(|category| &*category.id == id).unwrap_or(frame.len());
    categories.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    if primary.as_ref().is_none_or(|primary| !categories.contains(primary)) {
        let is_section = |id: &str| frame.get(place(id)).is_some_and(|category| category.kind == CategoryKind::Section);
        *primary = categories.iter().find(|id| is_section(id)).cloned();
    }
}
