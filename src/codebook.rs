//! The code frame: the categories of a report, their order and what belongs to each. It is data
//! (`codebook.toml` of a rule folder), so that another survey brings its own.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

/// Position of a category in its [`Codebook`], which is the report's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CategoryIndex(pub(crate) u16);

impl CategoryIndex {
    /// The position as an index, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Whether a category has a table of its own or cuts across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CategoryKind {
    /// A table in which each quote is printed once, under its primary category.
    Section,
    /// A table that cuts across the sections.
    List,
}

/// A category of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// English identifier, stable in every output (`data_lag`).
    pub id: Arc<str>,
    /// Section or list.
    pub kind: CategoryKind,
    /// Heading in the report.
    pub heading: String,
    /// Short name for tables on screen.
    pub short: String,
    /// What belongs.
    pub definition: String,
}

/// The categories in report order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codebook {
    title: String,
    categories: Vec<Category>,
    by_id: HashMap<Arc<str>, CategoryIndex>,
}

impl Codebook {
    /// Builds a codebook; `Err` holds the id that occurs twice.
    pub fn new(title: String, categories: Vec<Category>) -> Result<Self, Arc<str>> {
        let mut by_id = HashMap::new();
        for (index, category) in categories.iter().enumerate() {
            let index = CategoryIndex(u16::try_from(index).expect("a code frame has fewer than 65,536 categories"));
            if by_id.insert(category.id.clone(), index).is_some() {
                return Err(category.id.clone());
            }
        }
        Ok(Self { title, categories, by_id })
    }

    /// Name of the code frame.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The categories in report order.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// Every category with its index, in report order.
    pub fn iter(&self) -> impl Iterator<Item = (CategoryIndex, &Category)> {
        self.categories.iter().enumerate().map(|(index, category)| (CategoryIndex(index as u16), category))
    }

    /// The index of a category id.
    pub fn index_of(&self, id: &str) -> Option<CategoryIndex> {
        self.by_id.get(id).copied()
    }

    /// The short name of a category; the id itself where the codebook lacks it.
    pub fn short_of<'c>(&'c self, id: &'c str) -> &'c str {
        self.index_of(id).map_or(id, |index| self[index].short.as_str())
    }

    /// Number of categories.
    pub fn len(&self) -> usize {
        self.categories.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty()
    }
}

impl std::ops::Index<CategoryIndex> for Codebook {
    type Output = Category;

    fn index(&self, index: CategoryIndex) -> &Category {
        &self.categories[index.index()]
    }
}
