//! Recording decisions. Append-only: a decision is never altered, taking it back is a record too. A batch is one deed
//! of a person and holds the decisions made with it.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::{codebook::CategoryKind, comment::CommentId};

use super::{
    Casebook, CasebookError, FrameCategory, InCasebook,
    decision::{self, Action, Decision, Judgement, ReplacementKind, Standing},
    next_revision,
};

/// Who decides, when and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInfo {
    /// Who decides.
    pub coder: String,
    /// When, as the caller's clock has it (RFC 3339).
    pub decided_at: String,
    /// What it was done with, in a few words: `review.xlsx`, `検索: ●`.
    pub source: String,
}

/// What was recorded: numbers to take it back by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// Number of the batch; `None` where there was nothing to decide.
    pub batch: Option<i64>,
    /// Numbers of the decisions, in the order in which they were given.
    pub decisions: Vec<i64>,
}

/// A batch as the record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// Its number, in the order of deciding.
    pub number: i64,
    /// Who decided, when and with what.
    pub info: BatchInfo,
    /// How many decisions it holds.
    pub decisions: u64,
    /// How many of them were not taken back.
    pub standing: u64,
}

/// A decision as the record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// Its number, in the order of deciding.
    pub number: i64,
    /// Number of its batch.
    pub batch: i64,
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub coder: String,
    /// When (RFC 3339).
    pub decided_at: String,
    /// Of a category: whether the rules gave it (as the primary section, for [`Action::Primary`]) when it was decided.
    pub by_rules: Option<bool>,
    /// Whether the comment's text is another now; `None` where the text decided on is not known.
    pub text_changed: Option<bool>,
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
    /// Records the decisions of one deed, all or none. Bring the index up to date afterwards, or use
    /// [`crate::index::decide`], which does.
    ///
    /// # Errors
    ///
    /// When a comment is not in the casebook, a category is not in the code frame (or, for the primary, is not a
    /// section), a range is not within the text, or the record cannot be written.
    pub fn append_decisions(&mut self, info: &BatchInfo, decisions: &[Decision]) -> Result<Appended, CasebookError> {
        let frame = self.frame()?;
        let Self { folder, connection } = self;
        if decisions.is_empty() {
            return Ok(Appended::default());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        transaction
            .execute(
                "INSERT INTO batches (coder, decided_at, source) VALUES (?1, ?2, ?3)",
                params![info.coder, info.decided_at, info.source],
            )
            .in_casebook(folder)?;
        let batch = transaction.last_insert_rowid();
        let mut numbers = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let on = Subject::find(&transaction, &decision.comment).in_casebook(folder)?;
            let on = on.ok_or_else(|| CasebookError::UnknownComment(decision.comment.as_str().to_owned()))?;
            check(decision, &on, &frame)?;
            let row = DecisionRow::of(&decision.judgement, &on.text);
            append(&transaction, batch, &on, &row).in_casebook(folder)?;
            numbers.push(transaction.last_insert_rowid());
        }
        next_revision(&transaction).in_casebook(folder)?;
        transaction.commit().in_casebook(folder)?;
        Ok(Appended { batch: Some(batch), decisions: numbers })
    }

    /// Takes one decision back.
    ///
    /// # Errors
    ///
    /// When there is none of that number, it is undone already, or the record cannot be written.
    pub fn undo_decision(&mut self, number: i64, undo: &Undo) -> Result<(), CasebookError> {
        match self.undo("decision = ?1", number, undo)? {
            0 => Err(CasebookError::UnknownDecision(number)),
            _ => Ok(()),
        }
    }

    /// Takes back whatever still stands of a batch; gives how many decisions that were.
    ///
    /// # Errors
    ///
    /// When there is none of that number, nothing of it stands, or the record cannot be written.
    pub fn undo_batch(&mut self, number: i64, undo: &Undo) -> Result<u64, CasebookError> {
        match self.undo("batch = ?1", number, undo)? {
            0 => Err(CasebookError::UnknownBatch(number)),
            undone => Ok(undone),
        }
    }

    fn undo(&mut self, which: &str, number: i64, undo: &Undo) -> Result<u64, CasebookError> {
        let Self { folder, connection } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
        let undone = transaction
            .execute(
                &format!(
                    "INSERT INTO undone_decisions (decision, coder, undone_at) SELECT decision, ?2, ?3 FROM decisions
                     WHERE {which} AND decision NOT IN (SELECT decision FROM undone_decisions)"
                ),
                params![number, undo.coder, undo.at],
            )
            .in_casebook(folder)?;
        if undone > 0 {
            next_revision(&transaction).in_casebook(folder)?;
            transaction.commit().in_casebook(folder)?;
        }
        Ok(undone as u64)
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
                "SELECT action, category, kind, start_char, end_char, original, value,
                        decision, batch, id, batches.coder, decided_at, by_rules, text_hash, text,
                        undone_decisions.coder, undone_at
                 FROM decisions JOIN batches USING (batch) JOIN comments USING (position)
                 LEFT JOIN undone_decisions USING (decision) ORDER BY decision",
            )
            .in_casebook(&self.folder)?;
        let mut rows = statement.query([]).in_casebook(&self.folder)?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next().in_casebook(&self.folder)? {
            let stored = self.stored_decision(row).in_casebook(&self.folder)?;
            decisions.push(stored.ok_or_else(|| unreadable(&self.folder))?);
        }
        Ok(decisions)
    }

    fn stored_decision(&self, row: &Row<'_>) -> rusqlite::Result<Option<StoredDecision>> {
        let Some(judgement) = DecisionRow::read(row)?.judgement() else { return Ok(None) };
        let hash: Option<Vec<u8>> = row.get(13)?;
        let text: String = row.get(14)?;
        let undone = match (row.get(15)?, row.get(16)?) {
            (Some(coder), Some(at)) => Some(Undo { coder, at }),
            _ => None,
        };
        Ok(Some(StoredDecision {
            number: row.get(7)?,
            batch: row.get(8)?,
            decision: Decision { comment: CommentId::new(row.get::<_, String>(9)?), judgement },
            coder: row.get(10)?,
            decided_at: row.get(11)?,
            by_rules: row.get(12)?,
            text_changed: hash.map(|hash| hash != blake3::hash(text.as_bytes()).as_bytes()),
            undone,
        }))
    }

    /// Every batch in the order of deciding.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn batches(&self) -> Result<Vec<StoredBatch>, CasebookError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT batch, batches.coder, decided_at, source, count(decision), count(undone_at)
                 FROM batches LEFT JOIN decisions USING (batch) LEFT JOIN undone_decisions USING (decision)
                 GROUP BY batch ORDER BY batch",
            )
            .in_casebook(&self.folder)?;
        statement
            .query_map([], |row| {
                let (decisions, undone): (i64, i64) = (row.get(4)?, row.get(5)?);
                Ok(StoredBatch {
                    number: row.get(0)?,
                    info: BatchInfo { coder: row.get(1)?, decided_at: row.get(2)?, source: row.get(3)? },
                    decisions: decisions as u64,
                    standing: (decisions - undone) as u64,
                })
            })
            .and_then(Iterator::collect)
            .in_casebook(&self.folder)
    }
}

/// What stands of the decisions on a comment.
pub(super) fn standing(connection: &Connection, position: i64, text: &str) -> rusqlite::Result<Standing> {
    let mut statement = connection.prepare_cached(
        "SELECT action, category, kind, start_char, end_char, original, value, by_rules FROM decisions
         WHERE position = ?1 AND decision NOT IN (SELECT decision FROM undone_decisions) ORDER BY decision",
    )?;
    let mut rows = statement.query([position])?;
    let mut standing = Standing::default();
    while let Some(row) = rows.next()? {
        let decision = DecisionRow::read(row)?;
        // The schema admits no other words.
        let Some(judgement) = decision.judgement() else { continue };
        standing.take(judgement, row.get(7)?, decision.original.as_deref(), text);
    }
    Ok(standing)
}

fn unreadable(folder: &std::path::Path) -> CasebookError {
    CasebookError::Value { folder: folder.to_path_buf(), what: "decisions".to_owned() }
}

/// The comment that is decided on, as the record has it.
struct Subject {
    position: i64,
    text: String,
    rule_set: Option<i64>,
    rule_primary: Option<String>,
}

impl Subject {
    fn find(connection: &Connection, id: &CommentId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT position, text, rule_set, primary_category
                 FROM comments LEFT JOIN classifications USING (position) WHERE id = ?1",
            )?
            .query_row([id.as_str()], |row| {
                Ok(Self { position: row.get(0)?, text: row.get(1)?, rule_set: row.get(2)?, rule_primary: row.get(3)? })
            })
            .optional()
    }
}

/// Whether a decision can be made of this comment.
fn check(decision: &Decision, on: &Subject, frame: &[FrameCategory]) -> Result<(), CasebookError> {
    match &decision.judgement {
        Judgement::Category { category, action: action @ (Action::Accept | Action::Add | Action::Primary) }
            if !frame.is_empty() =>
        {
            let known = frame.iter().find(|known| *known.id == **category);
            let known = known.ok_or_else(|| CasebookError::UnknownCategory(category.clone()))?;
            if *action == Action::Primary && known.kind != CategoryKind::Section {
                return Err(CasebookError::NotASection(category.clone()));
            }
            Ok(())
        }
        Judgement::Replace { char_range, .. } | Judgement::Reject { char_range, .. } => {
            let chars = on.text.chars().count();
            if char_range.start < char_range.end && char_range.end <= chars {
                return Ok(());
            }
            Err(CasebookError::OutsideText {
                comment: decision.comment.as_str().to_owned(),
                char_range: char_range.clone(),
                chars,
            })
        }
        _ => Ok(()),
    }
}

/// A judgement in the columns of its table.
struct DecisionRow {
    action: String,
    category: Option<String>,
    kind: Option<String>,
    char_range: Option<Range<usize>>,
    original: Option<String>,
    value: Option<String>,
}

impl DecisionRow {
    fn of(judgement: &Judgement, text: &str) -> Self {
        let with = |action: &str| Self {
            action: action.to_owned(),
            category: None,
            kind: None,
            char_range: None,
            original: None,
            value: None,
        };
        let at = |action: &str, kind: ReplacementKind, char_range: &Range<usize>| Self {
            kind: Some(kind.as_str().to_owned()),
            char_range: Some(char_range.clone()),
            original: Some(decision::slice(text, char_range).to_owned()),
            ..with(action)
        };
        match judgement {
            Judgement::Category { category, action } => {
                Self { category: Some(category.clone()), ..with(action.as_str()) }
            }
            Judgement::GoodQuote(good) => {
                Self { value: good.map(|good| if good { "yes" } else { "no" }.to_owned()), ..with("good_quote") }
            }
            Judgement::Note(note) => Self { value: Some(note.clone()), ..with("note") },
            Judgement::Replace { kind, char_range, text } => {
                Self { value: Some(text.clone()), ..at("replace", *kind, char_range) }
            }
            Judgement::Reject { kind, char_range } => at("reject", *kind, char_range),
        }
    }

    /// Reads the first seven columns of a query.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let char_range = match (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<i64>>(4)?) {
            (Some(start), Some(end)) => Some(start as usize..end as usize),
            _ => None,
        };
        Ok(Self {
            action: row.get(0)?,
            category: row.get(1)?,
            kind: row.get(2)?,
            char_range,
            original: row.get(5)?,
            value: row.get(6)?,
        })
    }

    fn judgement(&self) -> Option<Judgement> {
        let kind = || self.kind.as_deref().and_then(ReplacementKind::parse);
        Some(match self.action.as_str() {
            "good_quote" => Judgement::GoodQuote(self.value.as_deref().map(|value| value == "yes")),
            "note" => Judgement::Note(self.value.clone()?),
            "replace" => {
                Judgement::Replace { kind: kind()?, char_range: self.char_range.clone()?, text: self.value.clone()? }
            }
            "reject" => Judgement::Reject { kind: kind()?, char_range: self.char_range.clone()? },
            action => Judgement::Category { category: self.category.clone()?, action: Action::parse(action)? },
        })
    }
}

fn append(transaction: &Transaction<'_>, batch: i64, on: &Subject, row: &DecisionRow) -> rusqlite::Result<()> {
    let by_rules = match (&row.category, on.rule_set) {
        (Some(category), Some(_)) if row.action == Action::Primary.as_str() => {
            Some(on.rule_primary.as_ref() == Some(category))
        }
        (Some(category), Some(_)) => Some(
            transaction
                .prepare_cached("SELECT 1 FROM codings WHERE position = ?1 AND category = ?2")?
                .exists(params![on.position, category])?,
        ),
        _ => None,
    };
    let range = row.char_range.as_ref();
    transaction
        .prepare_cached(
            "INSERT INTO decisions (batch, position, action, category, kind, start_char, end_char, original, value,
                                    by_rules, rule_set, text_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            batch,
            on.position,
            row.action,
            row.category,
            row.kind,
            range.map(|range| range.start as i64),
            range.map(|range| range.end as i64),
            row.original,
            row.value,
            by_rules,
            on.rule_set.filter(|_| by_rules.is_some()),
            &blake3::hash(on.text.as_bytes()).as_bytes()[..]
        ])?;
    Ok(())
}
