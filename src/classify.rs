//! Classification: a rule set and an analysed comment give codings, each with its evidence.

use std::{ops::Range, sync::Arc};

use serde::Serialize;

use crate::codebook::CategoryIndex;

/// What a rule set says of one comment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classification {
    /// One coding a category, in code-frame order.
    pub codings: Vec<Coding>,
    /// The section under which the comment's quote is printed: that of its most concrete incident.
    pub primary: Option<CategoryIndex>,
}

impl Classification {
    /// The categories, in code-frame order.
    pub fn categories(&self) -> impl Iterator<Item = CategoryIndex> {
        self.codings.iter().map(|coding| coding.category)
    }

    /// Confidence of the whole: that of its least certain coding; 1 where there is none.
    pub fn confidence(&self) -> f32 {
        self.codings.iter().map(|coding| coding.confidence).fold(1.0, f32::min)
    }
}

/// A category given to a comment, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    /// The category.
    pub category: CategoryIndex,
    /// From 0 to 1: one minus the product of what each rule that fired leaves open.
    pub confidence: f32,
    /// What fired, in the order of the text; empty only where a person gave the category.
    pub evidence: Vec<Evidence>,
}

/// A place in the original text that made a rule fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Id of the rule.
    pub rule: Arc<str>,
    /// Range in *characters* of the original text.
    pub char_range: Range<usize>,
}
