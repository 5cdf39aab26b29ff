//! What a review workbook would change in the casebook, and what stands in its way.

use std::path::Path;

use crate::{
    casebook::{Action, Casebook, Decision, Judgement, StoredComment, StoredDecision},
    comment::CommentId,
};

use super::{
    Problem, ReviewError, ReviewFile,
    file::{Edit, ReviewRow, Target, belongs, shown},
    sheet::{Mark, cell_text, fingerprint, good_quote_word},
};

/// A cell that becomes a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The cell with its sheet: `レビュー!D12`.
    pub cell: String,
    /// What the cell is about: the category's name, 主分類, 引用候補 or メモ.
    pub about: String,
    /// What it showed when it was exported.
    pub before: String,
    /// What it shows now.
    pub after: String,
    /// The decision.
    pub decision: Decision,
}

/// A change of something that somebody else has decided since the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What the file says.
    pub change: Change,
    /// What the casebook says now.
    pub now: String,
    /// The decision that says so, unless it is that an older one was taken back.
    pub by: Option<StoredDecision>,
}

/// What a review workbook comes to.
#[derive(Debug, Default)]
pub struct Review {
    /// What is to be decided, in the order of the cells.
    pub changes: Vec<Change>,
    /// Cells whose change stands in the casebook already.
    pub already: usize,
    /// What somebody else has decided otherwise since.
    pub conflicts: Vec<Conflict>,
    /// What is wrong with the cells, those of [`ReviewFile::problems`] included: nothing is to be applied then.
    pub problems: Vec<Problem>,
}

/// Compares a workbook with the casebook that it was exported from; changes nothing. `path` is for messages.
///
/// A cell counts where it is other than when it was exported. Where the casebook says what it said at the export the
/// cell becomes a change; so it does where the casebook says the same already but by somebody else, for two coders'
/// agreement is to be seen. Where `coder` said the same nothing is to be done, and all else is a conflict.
///
/// # Errors
///
/// When it comes from another casebook, or the record cannot be read.
pub fn plan(file: &ReviewFile, path: &Path, casebook: &mut Casebook, coder: &str) -> Result<Review, ReviewError> {
    if casebook.identity()? != file.identity {
        return Err(ReviewError::OtherCasebook(path.to_owned()));
    }
    let frame = casebook.frame()?;
    let mut review = Review { problems: file.problems.clone(), ..Review::default() };
    let decisions = casebook.decisions()?;
    for row in file.rows.iter().filter(|row| !row.edits.is_empty()) {
        let id = CommentId::new(row.exported.id.clone());
        let Some(comment) = casebook.comment(&id)? else {
            let message =
                format!("番号「{id}」のコメントは事例帳にありません（古い控えに戻した事例帳ではありませんか）");
            review.problems.push(file.problem(row.number, row.edits[0].column, message));
            continue;
        };
        if blake3::hash(comment.comment.text.as_bytes()).to_hex().as_str() != row.exported.text {
            let message = format!(
                "番号「{id}」のコメントは、書き出したあとに本文が取り込み直されています。新しい本文を見て決められるように、書き出し直してください"
            );
            review.problems.push(file.problem(row.number, row.edits[0].column, message));
            continue;
        }
        for edit in &row.edits {
            if let Target::Category(category, action) = &edit.to
                && !matches!(action, Action::Leave | Action::Remove)
                && frame.iter().all(|known| *known.id != **category)
            {
                let message =
                    format!("分類「{}」は、いまの規則にはありません。元の値に戻してください", file.label(category));
                review.problems.push(file.problem(row.number, edit.column, message));
                continue;
            }
            let change = change(file, row, edit);
            match compare(row, edit, &comment) {
                Standing::Same if is_said_by(&decisions, &change.decision, coder) => review.already += 1,
                Standing::Same => review.changes.push(change),
                Standing::AsExported => review.changes.push(change),
                Standing::Otherwise => {
                    let now = now(file, edit, &comment);
                    review.conflicts.push(Conflict { by: last_word(&decisions, &change.decision), now, change });
                }
            }
        }
    }
    review.problems.sort();
    Ok(review)
}

/// How the casebook stands to a cell.
enum Standing {
    /// It says what the cell says.
    Same,
    /// It says what it said when the cell was exported.
    AsExported,
    /// Something else.
    Otherwise,
}

impl Standing {
    fn of<T: PartialEq>(now: &T, exported: &T, wanted: &T) -> Self {
        if now == wanted {
            Self::Same
        } else if now == exported {
            Self::AsExported
        } else {
            Self::Otherwise
        }
    }
}

fn compare(row: &ReviewRow, edit: &Edit, comment: &StoredComment) -> Standing {
    match &edit.to {
        Target::Category(category, action) => {
            // Accepted or added: either says that it belongs.
            let word = |action: Option<Action>| action.filter(|action| *action != Action::Leave).map(belongs);
            Standing::of(
                &word(comment.decided_categories.get(category).copied()),
                &word(row.exported.decided.get(category).copied()),
                &word(Some(*action)),
            )
        }
        Target::Primary(category) => {
            Standing::of(&comment.decided_primary, &row.exported.decided_primary, &Some(category.clone()))
        }
        Target::GoodQuote(good_quote) => Standing::of(&comment.good_quote, &row.exported.good_quote, good_quote),
        Target::Note(note) => {
            let now = cell_text(comment.note.as_deref().unwrap_or_default()).into_owned();
            Standing::of(&fingerprint(&now), &fingerprint(&row.exported.note), &fingerprint(note))
        }
    }
}

fn change(file: &ReviewFile, row: &ReviewRow, edit: &Edit) -> Change {
    let exported = &row.exported;
    let (about, before, after, judgement) = match &edit.to {
        Target::Category(category, action) => {
            let after = match action {
                Action::Leave if exported.is_given(category) => Mark::ByRules,
                Action::Leave => Mark::Blank,
                Action::Remove => Mark::Remove,
                Action::Accept => Mark::Accept,
                Action::Add | Action::Primary => Mark::Add,
            };
            let judgement = Judgement::Category { category: category.clone(), action: *action };
            (
                file.label(category).to_owned(),
                shown(exported.mark(category)).to_owned(),
                shown(after).to_owned(),
                judgement,
            )
        }
        Target::Primary(category) => {
            let before = exported.primary.as_deref().map_or("空欄", |primary| file.label(primary)).to_owned();
            let judgement = Judgement::Category { category: category.clone(), action: Action::Primary };
            (super::sheet::PRIMARY.to_owned(), before, file.label(category).to_owned(), judgement)
        }
        Target::GoodQuote(good_quote) => {
            let word = |good_quote| Some(good_quote_word(good_quote)).filter(|word| !word.is_empty()).unwrap_or("空欄");
            let judgement = Judgement::GoodQuote(*good_quote);
            let (before, after) = (word(exported.good_quote), word(*good_quote));
            (super::sheet::GOOD_QUOTE.to_owned(), before.to_owned(), after.to_owned(), judgement)
        }
        Target::Note(note) => {
            (super::sheet::NOTE.to_owned(), quoted(&exported.note), quoted(note), Judgement::Note(note.clone()))
        }
    };
    let decision = Decision { comment: CommentId::new(exported.id.clone()), judgement };
    Change { cell: file.cell(row.number, edit.column), about, before, after, decision }
}

/// What the casebook says now of what a cell is about.
fn now(file: &ReviewFile, edit: &Edit, comment: &StoredComment) -> String {
    match &edit.to {
        Target::Category(category, _) => match comment.decided_categories.get(category) {
            None | Some(Action::Leave) => "判断なし",
            Some(Action::Remove) => Mark::Remove.word(),
            Some(Action::Accept) => Mark::Accept.word(),
            Some(Action::Add | Action::Primary) => Mark::Add.word(),
        }
        .to_owned(),
        Target::Primary(_) => comment.decided_primary.as_deref().map_or("判断なし", |id| file.label(id)).to_owned(),
        Target::GoodQuote(_) => {
            Some(good_quote_word(comment.good_quote)).filter(|word| !word.is_empty()).unwrap_or("空欄").to_owned()
        }
        Target::Note(_) => quoted(comment.note.as_deref().unwrap_or_default()),
    }
}

fn is_primary(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::Category { action: Action::Primary, .. })
}

pub(super) fn quoted(note: &str) -> String {
    if note.is_empty() { "空欄".to_owned() } else { format!("「{}」", crate::report::one_line(note)) }
}

/// Whether the coder's own last decision on what a decision is about says the same; also where there is none because
/// nobody ever decided.
pub(super) fn is_said_by(decisions: &[StoredDecision], decision: &Decision, coder: &str) -> bool {
    let all: Vec<&StoredDecision> = on_subject(decisions, decision).collect();
    match all.iter().find(|stored| stored.coder == coder) {
        None => all.is_empty(),
        Some(own) => match (&own.decision.judgement, &decision.judgement) {
            (
                Judgement::Category { category, action },
                Judgement::Category { category: wanted_category, action: wanted },
            ) if *action != Action::Leave && *wanted != Action::Leave => {
                category == wanted_category && belongs(*action) == belongs(*wanted)
            }
            (own, wanted) => own == wanted,
        },
    }
}

/// The last decision on what a decision is about, unless it was taken back.
pub(super) fn last_word(decisions: &[StoredDecision], on: &Decision) -> Option<StoredDecision> {
    on_subject(decisions, on).next().cloned()
}

/// The decisions on what a decision is about that were not taken back, the last first.
fn on_subject<'d>(decisions: &'d [StoredDecision], on: &'d Decision) -> impl Iterator<Item = &'d StoredDecision> {
    decisions.iter().rev().filter(|stored| {
        stored.undone.is_none()
            && stored.decision.comment == on.comment
            && match (&stored.decision.judgement, &on.judgement) {
                (Judgement::Category { category, .. }, Judgement::Category { category: wanted, action }) => {
                    if *action == Action::Primary { is_primary(&stored.decision.judgement) } else { category == wanted }
                }
                (Judgement::GoodQuote(_), Judgement::GoodQuote(_)) | (Judgement::Note(_), Judgement::Note(_)) => true,
                _ => false,
            }
    })
}

impl Review {
    /// The decisions to record, in an order in which each counts: primary sections come after the categories.
    pub fn decisions(&self) -> Vec<Decision> {
        let mut decisions: Vec<Decision> = self.changes.iter().map(|change| change.decision.clone()).collect();
        decisions.sort_by_key(|decision| is_primary(&decision.judgement));
        decisions
    }

    /// Takes the conflicts as changes: the file has the last word.
    pub fn overwrite(&mut self) {
        self.changes.extend(self.conflicts.drain(..).map(|conflict| conflict.change));
    }
}
