//! What coders gave to the same comments, and where they differ.

use std::collections::BTreeMap;

use crate::{
    agreement::{PairTable, Units},
    casebook::{Action, Casebook, CasebookError, Judgement, StoredDecision},
    codebook::CategoryKind,
    comment::CommentId,
};

use super::{
    ReviewFile,
    file::belongs,
    sheet::{ReviewCategory, categories},
};

/// A coder's codings of comments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoderCodings {
    /// The categories that were in question, in report order.
    pub categories: Vec<ReviewCategory>,
    /// The comments that the coder went through.
    pub comments: BTreeMap<CommentId, Codings>,
}

/// What a coder gave to a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codings {
    /// The comment's text, as the coder saw it.
    pub text: String,
    /// BLAKE3 of the comment's text on record, in hexadecimal.
    pub text_hash: String,
    /// Ids of its categories, in report order.
    pub categories: Vec<String>,
    /// Its primary section.
    pub primary: Option<String>,
    /// The coder's note.
    pub note: String,
}

/// The codings in a review workbook as it stands: the rules' labels where the coder left them, the coder's where not.
pub fn codings_of_file(file: &ReviewFile) -> CoderCodings {
    let comments = file
        .rows
        .iter()
        .map(|row| {
            let given: Vec<String> =
                file.categories.iter().map(|category| &category.id).filter(|id| row.is_in(id)).cloned().collect();
            let primary = row.primary_edit().map(str::to_owned).or_else(|| row.exported.primary.clone());
            let sections = file.categories.iter().filter(|category| category.is_section).map(|c| c.id.as_str());
            let note = row.edits.iter().find_map(|edit| match &edit.to {
                super::file::Target::Note(note) => Some(note.clone()),
                _ => None,
            });
            let codings = Codings {
                text: row.text.clone(),
                text_hash: row.exported.text.clone(),
                primary: primary_of(primary, &given, sections),
                categories: given,
                note: note.unwrap_or_else(|| row.exported.note.clone()),
            };
            (CommentId::new(row.exported.id.clone()), codings)
        })
        .collect();
    CoderCodings { categories: file.categories.clone(), comments }
}

/// What a person's decisions in the casebook make of the rules' labels: each comment of which the person decided any
/// category, that decision where there is one, what the rules say now where there is none.
///
/// # Errors
///
/// When the record cannot be read.
pub fn codings_of_coder(
    casebook: &Casebook,
    decisions: &[StoredDecision],
    coder: &str,
) -> Result<CoderCodings, CasebookError> {
    let frame = casebook.frame()?;
    let mut decided: BTreeMap<&CommentId, (BTreeMap<&str, Action>, Option<&str>)> = BTreeMap::new();
    for stored in decisions.iter().filter(|stored| stored.coder == coder && stored.undone.is_none()) {
        let Judgement::Category { category, action } = &stored.decision.judgement else { continue };
        let (categories, primary) = decided.entry(&stored.decision.comment).or_default();
        if *action == Action::Primary {
            *primary = Some(category);
        } else if matches!(action, Action::Remove | Action::Leave) && *primary == Some(category) {
            *primary = None;
        }
        categories.insert(category, *action);
    }
    let mut comments = BTreeMap::new();
    for (id, (actions, primary)) in decided {
        let Some(comment) = casebook.comment(id)? else { continue };
        let given: Vec<String> = frame
            .iter()
            .map(|category| &*category.id)
            .filter(|id| match actions.get(id) {
                None | Some(Action::Leave) => comment.codings.iter().any(|coding| *coding.category == **id),
                Some(action) => belongs(*action),
            })
            .map(str::to_owned)
            .collect();
        let sections = frame.iter().filter(|category| category.kind == CategoryKind::Section).map(|c| &*c.id);
        let primary = primary.map(str::to_owned).or_else(|| comment.rule_primary.as_ref().map(ToString::to_string));
        let codings = Codings {
            text_hash: blake3::hash(comment.comment.text.as_bytes()).to_hex().to_string(),
            text: comment.comment.text,
            primary: primary_of(primary, &given, sections),
            categories: given,
            note: String::new(),
        };
        comments.insert(id.clone(), codings);
    }
    Ok(CoderCodings { categories: categories(&frame), comments })
}

/// A primary section that is not among the categories gives way to the first section that is.
fn primary_of<'s>(
    primary: Option<String>,
    given: &[String],
    mut sections: impl Iterator<Item = &'s str>,
) -> Option<String> {
    primary
        .filter(|primary| given.contains(primary))
        .or_else(|| sections.find(|section| given.iter().any(|given| given == section)).map(str::to_owned))
}

/// The comments that both coders went through.
fn shared<'c>(
    first: &'c CoderCodings,
    second: &'c CoderCodings,
) -> impl Iterator<Item = (&'c CommentId, &'c Codings, &'c Codings)> {
    first.comments.iter().filter_map(|(id, codings)| Some((id, codings, second.comments.get(id)?)))
}

/// The comments that the first coder went through and the second did not.
pub fn seen_by_first_alone<'c>(first: &'c CoderCodings, second: &CoderCodings) -> Vec<&'c CommentId> {
    first.comments.keys().filter(|id| !second.comments.contains_key(*id)).collect()
}

/// Both coders' values of the comments that both went through: for a category 1 where it was given and 0 where not;
/// for `None` the place of the primary section, 0 where there is none.
pub fn pair_table(first: &CoderCodings, second: &CoderCodings, category: Option<&str>) -> PairTable {
    pairs(first, second, category).into_iter().collect()
}

/// As [`pair_table`], for Krippendorff's alpha.
pub fn units(first: &CoderCodings, second: &CoderCodings, category: Option<&str>) -> Units {
    pairs(first, second, category).into_iter().map(|(first, second)| [first, second]).collect()
}

fn pairs(first: &CoderCodings, second: &CoderCodings, category: Option<&str>) -> Vec<(usize, usize)> {
    let value = |codings: &Codings| match category {
        Some(category) => usize::from(codings.categories.iter().any(|given| given == category)),
        None => codings.primary.as_ref().map_or(0, |primary| {
            first.categories.iter().position(|known| known.id == *primary).map_or(usize::MAX, |place| place + 1)
        }),
    };
    shared(first, second).map(|(_, first, second)| (value(first), value(second))).collect()
}

/// A comment on which two coders differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'c> {
    /// The comment.
    pub comment: &'c CommentId,
    /// The first coder's codings.
    pub first: &'c Codings,
    /// The second's.
    pub second: &'c Codings,
}

impl<'c> Difference<'c> {
    /// Categories that the first coder alone gave.
    pub fn only_first(&self) -> Vec<&'c str> {
        only(self.first, self.second)
    }

    /// Categories that both gave.
    pub fn both(&self) -> Vec<&'c str> {
        let given = self.first.categories.iter().filter(|category| self.second.categories.contains(category));
        given.map(String::as_str).collect()
    }

    /// Categories that the second coder alone gave.
    pub fn only_second(&self) -> Vec<&'c str> {
        only(self.second, self.first)
    }
}

fn only<'c>(of: &'c Codings, not: &Codings) -> Vec<&'c str> {
    of.categories.iter().filter(|category| !not.categories.contains(category)).map(String::as_str).collect()
}

/// The comments on which they differ in a category or in the primary section, by id.
pub fn differences<'c>(first: &'c CoderCodings, second: &'c CoderCodings) -> Vec<Difference<'c>> {
    shared(first, second)
        .filter(|(_, first, second)| first.categories != second.categories || first.primary != second.primary)
        .map(|(comment, first, second)| Difference { comment, first, second })
        .collect()
}
