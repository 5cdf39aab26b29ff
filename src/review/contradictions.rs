//! Decisions that the rules, or the texts, have since moved away from.

use std::collections::BTreeMap;

use crate::{
    casebook::{Action, Casebook, CasebookError, Judgement, StoredComment, StoredDecision},
    comment::CommentId,
};

/// How a decision stands to what is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContradictionKind {
    /// The rules said what the person said, and no longer do.
    Opposed,
    /// The rules said otherwise, and now say what the person said: nothing to do.
    Settled,
    /// The comment's text is another than the one that was decided on.
    TextChanged,
}

/// A standing decision that should be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Contradiction {
    /// Why.
    pub kind: ContradictionKind,
    /// The decision.
    pub decision: StoredDecision,
    /// Of a category: whether the rules give it now (as the primary section, where that was decided).
    pub by_rules_now: Option<bool>,
    /// The comment.
    pub comment: StoredComment,
}

/// Standing decisions for which what the rules say is no longer what it was when they were made, or whose comment's
/// text has changed since; by kind, then in the order of deciding. That a person removed what the rules gave and still
/// give is no contradiction.
///
/// # Errors
///
/// When the record cannot be read.
pub fn contradictions(casebook: &Casebook) -> Result<Vec<Contradiction>, CasebookError> {
    let mut last: BTreeMap<(CommentId, Subject), StoredDecision> = BTreeMap::new();
    for stored in casebook.decisions()?.into_iter().filter(|stored| stored.undone.is_none()) {
        let subject = Subject::of(&stored.decision.judgement);
        last.insert((stored.decision.comment.clone(), subject), stored);
    }
    let mut found = Vec::new();
    let mut comment: Option<StoredComment> = None;
    for ((id, _), decision) in last {
        if comment.as_ref().is_none_or(|comment| comment.comment.id != id) {
            comment = casebook.comment(&id)?;
        }
        let Some(comment) = &comment else { continue };
        let (mut kind, mut by_rules_now) = (None, None);
        if let Judgement::Category { category, action } = &decision.decision.judgement {
            if *action == Action::Leave {
                continue;
            }
            let now = if *action == Action::Primary {
                comment.rule_primary.as_deref() == Some(category)
            } else {
                comment.codings.iter().any(|coding| *coding.category == **category)
            };
            by_rules_now = Some(now);
            if decision.by_rules.is_some_and(|then| then != now) {
                let wanted = *action != Action::Remove;
                kind = Some(if now == wanted { ContradictionKind::Settled } else { ContradictionKind::Opposed });
            }
        }
        if decision.text_changed == Some(true) && kind != Some(ContradictionKind::Opposed) {
            kind = Some(ContradictionKind::TextChanged);
        }
        if let Some(kind) = kind {
            found.push(Contradiction { kind, decision, by_rules_now, comment: comment.clone() });
        }
    }
    found.sort_by_key(|contradiction| (contradiction.kind, contradiction.decision.number));
    Ok(found)
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Category(String),
    Primary,
    GoodQuote,
    Note,
    Replacement(usize, usize),
}

impl Subject {
    fn of(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Category { action: Action::Primary, .. } => Self::Primary,
            Judgement::Category { category, .. } => Self::Category(category.clone()),
            Judgement::GoodQuote(_) => Self::GoodQuote,
            Judgement::Note(_) => Self::Note,
            Judgement::Replace { char_range, .. } | Judgement::Reject { char_range, .. } => {
                Self::Replacement(char_range.start, char_range.end)
            }
        }
    }
}
