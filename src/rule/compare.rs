//! Two rule sets on the same comments: what each category gains and loses.

use crate::{classify::Classification, codebook::Codebook, evaluate::Gold};

/// A comment as two rule sets see it.
#[derive(Debug, Clone)]
pub struct ComparedItem<'a> {
    /// What the old rules say.
    pub old: &'a Classification,
    /// What the new rules say.
    pub new: &'a Classification,
    /// The agreed coding, where it is known.
    pub gold: Option<&'a Gold>,
}

/// What changes from one rule set to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Number of comments.
    pub comments: usize,
    /// Every category of either code frame: those of the new one in its order, then those that only the old one has.
    pub categories: Vec<CategoryChange>,
    /// Comments whose primary section changes, in their order.
    pub primary: Vec<PrimaryChange>,
}

/// What a category gains and loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryChange {
    /// Its id.
    pub category: String,
    /// Comments that have it with both.
    pub kept: usize,
    /// Comments that have it with the new rules only.
    pub gained: Vec<Change>,
    /// Comments that have it with the old rules only.
    pub lost: Vec<Change>,
}

/// A comment that a category gains or loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Position of the comment.
    pub index: usize,
    /// Whether gold welcomes the change; `None` where it is not known or leaves it open.
    pub is_better: Option<bool>,
}

/// A comment whose primary section changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryChange {
    /// Position of the comment.
    pub index: usize,
    /// The section with the old rules.
    pub old: Option<String>,
    /// The section with the new rules.
    pub new: Option<String>,
    /// Whether gold welcomes the change; `None` where it is not known or both are right or wrong.
    pub is_better: Option<bool>,
}

impl Comparison {
    /// Compares; categories correspond by their ids.
    pub fn build(old: &Codebook, new: &Codebook, items: &[ComparedItem<'_>]) -> Self {
        let mut ids: Vec<&str> = new.categories().iter().map(|category| &*category.id).collect();
        ids.extend(old.categories().iter().map(|category| &*category.id).filter(|id| new.index_of(id).is_none()));
        let has = |codebook: &Codebook, classification: &Classification, id: &str| {
            codebook.index_of(id).is_some_and(|index| classification.categories().any(|category| category == index))
        };
        let categories = ids
            .into_iter()
            .map(|id| {
                let mut change =
                    CategoryChange { category: id.to_owned(), kept: 0, gained: Vec::new(), lost: Vec::new() };
                for (index, item) in items.iter().enumerate() {
                    let wanted = item.gold.and_then(|gold| match gold.must.iter().any(|must| must == id) {
                        true => Some(true),
                        false if gold.may.iter().any(|may| may == id) => None,
                        false => Some(false),
                    });
                    match (has(old, item.old, id), has(new, item.new, id)) {
                        (true, true) => change.kept += 1,
                        (false, true) => change.gained.push(Change { index, is_better: wanted }),
                        (true, false) => change.lost.push(Change { index, is_better: wanted.map(|wanted| !wanted) }),
                        (false, false) => {}
                    }
                }
                change
            })
            .collect();
        let primary = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let name = |codebook: &Codebook, classification: &Classification| {
                    classification.primary.map(|category| codebook[category].id.to_string())
                };
                let (before, after) = (name(old, item.old), name(new, item.new));
                if before == after {
                    return None;
                }
                let is_better = item.gold.and_then(|gold| {
                    let right = |primary: &Option<String>| match primary {
                        None => gold.primary.is_empty(),
                        Some(id) => gold.primary.contains(id),
                    };
                    (right(&before) != right(&after)).then(|| right(&after))
                });
                Some(PrimaryChange { index, old: before, new: after, is_better })
            })
            .collect();
        Self { comments: items.len(), categories, primary }
    }
}
