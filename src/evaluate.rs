//! Classifications against gold: counts, precision, recall, F1, as defined for multi-label coding with
//! borderline labels.
//!
//! A `must` that is missing is a false negative; a predicted category in neither `must` nor `may` is a false
//! positive; a predicted `may` counts nowhere. The primary section is right when it is one of those listed, or
//! null where none is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    classify::Classification,
    codebook::{CategoryIndex, CategoryKind, Codebook},
    comment::CommentId,
};

/// The agreed coding of a comment: category ids as they stand in a gold line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gold {
    /// Categories that must be given.
    pub must: Vec<String>,
    /// Categories that may be given or not.
    pub may: Vec<String>,
    /// Sections any of which is right as the primary; empty where there is none.
    pub primary: Vec<String>,
}

/// Counts of one category, or of all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Predicted and in `must`.
    pub true_positive: usize,
    /// Predicted and in neither `must` nor `may`.
    pub false_positive: usize,
    /// In `must` and not predicted.
    pub false_negative: usize,
}

impl Counts {
    /// Share of the predicted that is right; 1 where nothing was predicted.
    pub fn precision(self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_positive)
    }

    /// Share of the wanted that was predicted; 1 where nothing was wanted.
    pub fn recall(self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_negative)
    }

    /// Harmonic mean of precision and recall; 1 where nothing was predicted or wanted.
    pub fn f1(self) -> f64 {
        ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)
    }

    /// Comments of which the category was wanted.
    pub fn support(self) -> usize {
        self.true_positive + self.false_negative
    }

    fn add(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// A comment whose classification differs from gold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Position among the comments given, from 0.
    pub index: usize,
    /// Its id.
    pub id: CommentId,
    /// Wanted and not given.
    pub missing: Vec<String>,
    /// Given and not wanted.
    pub wrong: Vec<String>,
    /// The primary given, where it is not right.
    pub wrong_primary: Option<WrongPrimary>,
}

/// A primary section that is not one of those that gold lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongPrimary {
    /// What was given.
    pub given: Option<String>,
    /// What gold lists.
    pub wanted: Vec<String>,
}

/// The whole comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of comments.
    pub comments: usize,
    /// Counts by category id, in code-frame order.
    pub categories: Vec<(String, Counts)>,
    /// Counts added up over the categories.
    pub micro: Counts,
    /// Mean of the categories' F1, over those that gold or the coder uses.
    pub macro_f1: f64,
    /// Share of comments with a right primary section.
    pub primary_accuracy: f64,
    /// Share of comments with every category right.
    pub exact_match: f64,
    /// Comments without any category in `must` or `may`.
    pub uncategorised: usize,
    /// Of these, comments that were given one all the same.
    pub uncategorised_tagged: usize,
    /// (wanted, given) to number of comments, for the primary section; `none` stands for null. Where gold lists
    /// several, the given one counts as wanted if it is listed, else the first.
    pub primary_confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// What differs, in the order of the comments.
    pub differences: Vec<Difference>,
}

/// A gold category that the code frame does not have: position of the comment and the id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("正解の分類「{category}」は codebook.toml にありません（回答 {comment}）")]
pub struct UnknownGoldCategory {
    /// Id of the comment.
    pub comment: CommentId,
    /// The unknown category.
    pub category: String,
}

/// Compares classifications with gold.
///
/// # Errors
///
/// When gold names a category that the code frame does not have.
pub fn evaluate<'a>(
    codebook: &Codebook,
    items: impl IntoIterator<Item = (&'a CommentId, &'a Gold, &'a Classification)>,
) -> Result<Evaluation, UnknownGoldCategory> {
    let mut counts = vec![Counts::default(); codebook.len()];
    let mut evaluation = Evaluation {
        comments: 0,
        categories: Vec::new(),
        micro: Counts::default(),
        macro_f1: 0.0,
        primary_accuracy: 0.0,
        exact_match: 0.0,
        uncategorised: 0,
        uncategorised_tagged: 0,
        primary_confusion: BTreeMap::new(),
        differences: Vec::new(),
    };
    let (mut right_primary, mut exact) = (0, 0);
    for (index, (id, gold, classification)) in items.into_iter().enumerate() {
        let resolve = |names: &[String]| -> Result<Vec<CategoryIndex>, UnknownGoldCategory> {
            names
                .iter()
                .map(|name| {
                    codebook
                        .index_of(name)
                        .ok_or_else(|| UnknownGoldCategory { comment: id.clone(), category: name.clone() })
                })
                .collect()
        };
        let (must, may, primary) = (resolve(&gold.must)?, resolve(&gold.may)?, resolve(&gold.primary)?);
        evaluation.comments += 1;
        let predicted: Vec<CategoryIndex> = classification.categories().collect();
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        for (category, entry) in codebook.iter() {
            match (predicted.contains(&category), must.contains(&category), may.contains(&category)) {
                (true, true, _) => counts[category.index()].true_positive += 1,
                (true, false, false) => {
                    counts[category.index()].false_positive += 1;
                    wrong.push(entry.id.to_string());
                }
                (false, true, _) => {
                    counts[category.index()].false_negative += 1;
                    missing.push(entry.id.to_string());
                }
                _ => {}
            }
        }
        if must.is_empty() && may.is_empty() {
            evaluation.uncategorised += 1;
            evaluation.uncategorised_tagged += usize::from(!predicted.is_empty());
        }
        let given = classification.primary;
        let primary_right = match given {
            None => primary.is_empty(),
            Some(given) => primary.contains(&given),
        };
        right_primary += usize::from(primary_right);
        let name = |category: Option<CategoryIndex>| category.map_or("none".to_owned(), |c| codebook[c].id.to_string());
        let wanted = if primary_right { given } else { primary.first().copied() };
        *evaluation.primary_confusion.entry(name(wanted)).or_default().entry(name(given)).or_default() += 1;
        exact += usize::from(missing.is_empty() && wrong.is_empty());
        let wrong_primary = (!primary_right).then(|| WrongPrimary {
            given: given.map(|category| codebook[category].id.to_string()),
            wanted: gold.primary.clone(),
        });
        if !missing.is_empty() || !wrong.is_empty() || wrong_primary.is_some() {
            evaluation.differences.push(Difference { index, id: id.clone(), missing, wrong, wrong_primary });
        }
    }
    for (category, entry) in codebook.iter() {
        let counts = counts[category.index()];
        evaluation.micro.add(counts);
        evaluation.categories.push((entry.id.to_string(), counts));
    }
    let used: Vec<f64> =
        counts.iter().filter(|counts| counts.support() + counts.false_positive > 0).map(|counts| counts.f1()).collect();
    evaluation.macro_f1 = if used.is_empty() { 1.0 } else { used.iter().sum::<f64>() / used.len() as f64 };
    evaluation.primary_accuracy = ratio(right_primary, evaluation.comments);
    evaluation.exact_match = ratio(exact, evaluation.comments);
    Ok(evaluation)
}

/// Ids of the sections, for the confusion table.
pub fn section_ids(codebook: &Codebook) -> Vec<String> {
    codebook
        .categories()
        .iter()
        .filter(|category| category.kind == CategoryKind::Section)
        .map(|category| category.id.to_string())
        .collect()
}
