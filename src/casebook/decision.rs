//! What people decide of a comment, and what stands of it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{codebook::CategoryKind, comment::CommentId};

use super::FrameCategory;

/// What a person says of a category of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The rules were right; it stays even if they change.
    Accept,
    /// It does not belong.
    Remove,
    /// It belongs, though the rules did not see it.
    Add,
    /// It is the section under which the quote is printed; it belongs, too.
    Primary,
    /// What was decided of it no longer holds: the rules have the word again.
    Leave,
}

impl Action {
    const ALL: [Self; 5] = [Self::Accept, Self::Remove, Self::Add, Self::Primary, Self::Leave];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Remove => "remove",
            Self::Add => "add",
            Self::Primary => "primary",
            Self::Leave => "leave",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// Why words are printed otherwise than they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplacementKind {
    /// They identify someone.
    Mask,
    /// They are a slip of the pen or of the keyboard.
    Correction,
}

impl ReplacementKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Correction => "correction",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Mask, Self::Correction].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a person says of a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Of one of its categories. Only a section can be [`Action::Primary`].
    Category {
        /// Id of the category.
        category: String,
        /// What is said of it.
        action: Action,
    },
    /// Whether to quote it: rather than others, not at all, or (`None`) neither any more.
    GoodQuote(Option<bool>),
    /// Something to remember; an empty text takes the note away.
    Note(String),
    /// Print other words in the place of some.
    Replace {
        /// Why.
        kind: ReplacementKind,
        /// Range in *characters* of the original text.
        char_range: Range<usize>,
        /// The words to print.
        text: String,
    },
    /// Print these words as they are, and offer no replacement of this kind for them again.
    Reject {
        /// What was offered.
        kind: ReplacementKind,
        /// Range in *characters* of the original text.
        char_range: Range<usize>,
    },
}

impl Judgement {
    /// Whether another on the same comment is of the same subject, so that the later of the two has the word.
    pub fn is_of_same_subject(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Category { category: a, action: x }, Self::Category { category: b, action: y }) => {
                a == b || (*x, *y) == (Action::Primary, Action::Primary)
            }
            (Self::GoodQuote(_), Self::GoodQuote(_)) | (Self::Note(_), Self::Note(_)) => true,
            (
                Self::Replace { char_range: a, .. } | Self::Reject { char_range: a, .. },
                Self::Replace { char_range: b, .. } | Self::Reject { char_range: b, .. },
            ) => overlap(a, b),
            _ => false,
        }
    }
}

/// A person's decision on a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The comment.
    pub comment: CommentId,
    /// What was decided.
    pub judgement: Judgement,
}

impl Decision {
    /// A decision on a category.
    pub fn category(comment: CommentId, category: impl Into<String>, action: Action) -> Self {
        Self { comment, judgement: Judgement::Category { category: category.into(), action } }
    }
}

/// Words to be printed in the place of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// Why.
    pub kind: ReplacementKind,
    /// Range in *characters* of the original text.
    pub char_range: Range<usize>,
    /// The words to print.
    pub text: String,
}

/// A place where a replacement was offered and declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedReplacement {
    /// What was offered.
    pub kind: ReplacementKind,
    /// Range in *characters* of the original text.
    pub char_range: Range<usize>,
}

/// What stands of the decisions on a comment: the last of each subject that was not taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Category to what was last said of it; [`Action::Leave`] is left out, a primary counts as accepted or added.
    pub categories: BTreeMap<String, Action>,
    /// The section that was decided to be the primary one.
    pub primary: Option<String>,
    /// Whether to quote the comment, where that was decided.
    pub good_quote: Option<bool>,
    /// The note, where there is one.
    pub note: Option<String>,
    /// Replacements in the order of the text, never overlapping. Those whose words are no longer in their place,
    /// since the text came in anew, are left out.
    pub replacements: Vec<Replacement>,
    /// Replacements that were declined, in the order of the text.
    pub rejected: Vec<RejectedReplacement>,
}

impl Standing {
    /// Takes the next decision. `original` are the words that a replacement was decided for, where it is one.
    pub(super) fn take(&mut self, judgement: Judgement, by_rules: Option<bool>, original: Option<&str>, text: &str) {
        match judgement {
            Judgement::Category { category, action } => self.take_category(category, action, by_rules),
            Judgement::GoodQuote(good_quote) => self.good_quote = good_quote,
            Judgement::Note(note) => self.note = Some(note).filter(|note| !note.is_empty()),
            Judgement::Replace { kind, char_range, text: words } => {
                if original != Some(slice(text, &char_range)) {
                    return;
                }
                self.rejected.retain(|rejected| (rejected.kind, &rejected.char_range) != (kind, &char_range));
                self.replacements.retain(|other| !overlap(&other.char_range, &char_range));
                let at = self.replacements.partition_point(|other| other.char_range.start < char_range.start);
                self.replacements.insert(at, Replacement { kind, char_range, text: words });
            }
            Judgement::Reject { kind, char_range } => {
                if original != Some(slice(text, &char_range)) {
                    return;
                }
                self.replacements.retain(|other| (other.kind, &other.char_range) != (kind, &char_range));
                self.rejected.retain(|rejected| (rejected.kind, &rejected.char_range) != (kind, &char_range));
                let key = |range: &Range<usize>| (range.start, range.end);
                let at = self.rejected.partition_point(|other| key(&other.char_range) <= key(&char_range));
                self.rejected.insert(at, RejectedReplacement { kind, char_range });
            }
        }
    }

    fn take_category(&mut self, category: String, action: Action, by_rules: Option<bool>) {
        if matches!(action, Action::Remove | Action::Leave) && self.primary.as_ref() == Some(&category) {
            self.primary = None;
        }
        match action {
            Action::Leave => {
                self.categories.remove(&category);
            }
            Action::Primary => {
                self.primary = Some(category.clone());
                let is_in = |action: &Action| matches!(action, Action::Accept | Action::Add);
                if !self.categories.get(&category).is_some_and(is_in) {
                    let given = by_rules.unwrap_or(false);
                    self.categories.insert(category, if given { Action::Accept } else { Action::Add });
                }
            }
            Action::Accept | Action::Remove | Action::Add => {
                self.categories.insert(category, action);
            }
        }
    }

    /// Applies the decisions to what the rules say. A primary that was removed gives way to the first section that is
    /// left.
    pub(super) fn apply(
        &self,
        categories: &mut Vec<Arc<str>>,
        primary: &mut Option<Arc<str>>,
        frame: &[FrameCategory],
    ) {
        if self.categories.is_empty() && self.primary.is_none() {
            return;
        }
        for (category, action) in &self.categories {
            match action {
                Action::Remove => categories.retain(|given| **given != **category),
                _ => {
                    if categories.iter().all(|given| **given != **category) {
                        categories.push(category.as_str().into());
                    }
                }
            }
        }
        let place = |id: &str| frame.iter().position(|category| &*category.id == id).unwrap_or(frame.len());
        categories.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
        if let Some(decided) = &self.primary {
            *primary = Some(decided.as_str().into());
        } else if primary.as_ref().is_none_or(|primary| !categories.contains(primary)) {
            let is_section =
                |id: &str| frame.get(place(id)).is_some_and(|category| category.kind == CategoryKind::Section);
            *primary = categories.iter().find(|id| is_section(id)).cloned();
        }
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a == b || (a.start < b.end && b.start < a.end)
}

/// The characters of a range; what lies beyond the end is left out.
pub(super) fn slice<'t>(text: &'t str, char_range: &Range<usize>) -> &'t str {
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let (start, end) = (byte(char_range.start), byte(char_range.end));
    text.get(start..end).unwrap_or_default()
}
