//! What a list of differences, filled in, would change in the casebook, and what stands in its way.

use std::path::Path;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    casebook::{Action, Casebook, Decision, FrameCategory, Judgement, StoredBatch, StoredComment, StoredDecision},
    comment::CommentId,
    review::{
        Change, Conflict, Review, ReviewError,
        changes::{is_said_by, last_word, quoted},
        file::belongs,
        sheet::{NOTE, PRIMARY, cell_text, fingerprint},
    },
};

use super::{AdjudicationFile, Coders, IN, ListState, OUT, file::AdjudicatedRow};

/// Compares a list with the casebook; changes nothing. `path` is for messages.
///
/// A row that is filled in is the last word on its comment: whatever the casebook says otherwise becomes a change, what
/// the two differed on in any case, so that it is the adjudicator's decision. The two coders' own decisions are there to
/// be overruled; what somebody else has decided since the list was written is a conflict.
///
/// # Errors
///
/// When it comes from another casebook, or the record cannot be read.
pub fn plan_adjudication(
    file: &AdjudicationFile,
    path: &Path,
    casebook: &mut Casebook,
    coder: &str,
) -> Result<Review, ReviewError> {
    if casebook.identity()? != file.state.identity {
        return Err(ReviewError::OtherCasebook(path.to_owned()));
    }
    let frame = casebook.frame()?;
    let record = Record { decisions: casebook.decisions()?, batches: casebook.batches()?, coder, list: &file.state };
    let mut review = Review { problems: file.problems.clone(), ..Review::default() };
    for row in &file.rows {
        let id = CommentId::new(row.listed.id.clone());
        let Some(comment) = casebook.comment(&id)? else {
            let message =
                format!("番号「{id}」のコメントは事例帳にありません（古い控えに戻した事例帳ではありませんか）");
            review.problems.push(file.problem(row.number, row.primary.0, message));
            continue;
        };
        let hash = blake3::hash(comment.comment.text.as_bytes()).to_hex();
        if row.listed.texts.iter().any(|text| text != hash.as_str()) {
            let message = format!(
                "番号「{id}」のコメントは、二人のどちらかが見たあとに本文が取り込み直されています。新しい本文で二人に決め直してもらってください"
            );
            review.problems.push(file.problem(row.number, row.primary.0, message));
            continue;
        }
        plan_row(file, row, &comment, &frame, &record, &mut review);
    }
    review.problems.sort();
    Ok(review)
}

/// What the casebook has on record of who decided what.
struct Record<'r> {
    decisions: Vec<StoredDecision>,
    batches: Vec<StoredBatch>,
    coder: &'r str,
    list: &'r ListState,
}

impl Record<'_> {
    /// Whether a decision is what the list was made to settle, or older: it may be overruled without a word.
    fn is_expected(&self, stored: &StoredDecision) -> bool {
        let moment = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        let is_older = match (moment(&stored.decided_at), moment(&self.list.written_at)) {
            (Some(decided), Some(written)) => decided <= written,
            _ => false,
        };
        let is_of_coders = || match &self.list.coders {
            Coders::Names(names) => names.contains(&stored.coder),
            Coders::Files(files) => {
                self.batches.iter().any(|batch| batch.number == stored.batch && files.contains(&batch.info.source))
            }
        };
        stored.coder == self.coder || is_older || is_of_coders()
    }

    /// Sorts a change in: nothing to do, something to do, or somebody else's word against it. `now` is what the casebook
    /// says in so many words, and whether that is the same.
    fn take(&self, change: Change, is_same: bool, now: String, review: &mut Review) {
        if is_same {
            if is_said_by(&self.decisions, &change.decision, self.coder) {
                review.already += 1;
            } else {
                review.changes.push(change);
            }
            return;
        }
        match last_word(&self.decisions, &change.decision).filter(|stored| !self.is_expected(stored)) {
            Some(by) => review.conflicts.push(Conflict { change, now, by: Some(by) }),
            None => review.changes.push(change),
        }
    }
}

fn plan_row(
    file: &AdjudicationFile,
    row: &AdjudicatedRow,
    comment: &StoredComment,
    frame: &[FrameCategory],
    record: &Record<'_>,
    review: &mut Review,
) {
    let id = &comment.comment.id;
    let mark = |belongs: bool| if belongs { IN } else { OUT }.to_owned();
    for word in &row.words {
        let agreed = row.listed.agreed(&word.category);
        let holds = comment.categories.iter().any(|given| **given == *word.category);
        if !agreed.is_contested() && word.belongs == holds {
            continue;
        }
        if word.belongs && frame.iter().all(|known| *known.id != *word.category) {
            let message = format!(
                "分類「{}」は、いまの規則にはありません。「×」にするか、この行を消してください",
                file.label(&word.category)
            );
            review.problems.push(file.problem(row.number, word.column, message));
            continue;
        }
        let by_rules = comment.codings.iter().any(|coding| *coding.category == *word.category);
        let action = match (word.belongs, by_rules) {
            (false, _) => Action::Remove,
            (true, true) => Action::Accept,
            (true, false) => Action::Add,
        };
        let change = Change {
            cell: file.cell(row.number, word.column),
            about: file.label(&word.category).to_owned(),
            before: agreed.word().to_owned(),
            after: mark(word.belongs),
            decision: Decision::category(id.clone(), word.category.clone(), action),
        };
        let decided = comment.decided_categories.get(&word.category).map(|action| belongs(*action));
        let now = decided.map_or_else(|| "判断なし".to_owned(), mark);
        record.take(change, decided == Some(word.belongs), now, review);
    }
    let (column, primary) = &row.primary;
    if let Some(primary) = primary {
        let is_contested = row.listed.is_primary_contested();
        let label = |primary: &Option<String>| {
            primary.as_deref().map_or_else(|| "空欄".to_owned(), |id| file.label(id).to_owned())
        };
        if is_contested || comment.primary.as_deref() != Some(primary) {
            let [first, second] = &row.listed.primaries;
            let before = match is_contested {
                true => format!("A {}・B {}", label(first), label(second)),
                false => label(first),
            };
            let judgement = Judgement::Category { category: primary.clone(), action: Action::Primary };
            let change = Change {
                cell: file.cell(row.number, *column),
                about: PRIMARY.to_owned(),
                before,
                after: file.label(primary).to_owned(),
                decision: Decision { comment: id.clone(), judgement },
            };
            let now = comment.decided_primary.as_deref().map_or("判断なし", |id| file.label(id)).to_owned();
            record.take(change, comment.decided_primary.as_ref() == Some(primary), now, review);
        }
    }
    let (column, note) = &row.note;
    if !note.is_empty() {
        let now = cell_text(comment.note.as_deref().unwrap_or_default()).into_owned();
        let change = Change {
            cell: file.cell(row.number, *column),
            about: NOTE.to_owned(),
            before: quoted(&now),
            after: quoted(note),
            decision: Decision { comment: id.clone(), judgement: Judgement::Note(note.clone()) },
        };
        record.take(change, fingerprint(&now) == fingerprint(note), quoted(&now), review);
    }
}
