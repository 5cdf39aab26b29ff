//! Counts by prefecture, facility, question, category and the columns of the responses.

use std::collections::BTreeMap;

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::StrColumn,
};

use crate::{casebook::FrameCategory, index::Fields};

use super::{
    plan::{fitting_headers, folded},
    query::Field,
};

/// What hits are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FacetField {
    /// 都道府県.
    Prefecture,
    /// 施設.
    Facility,
    /// 問.
    Question,
    /// 分類; a comment counts under each of its categories.
    Category,
    /// 主分類.
    Primary,
    /// A column of the responses.
    Attribute(String),
}

impl FacetField {
    /// The fields that every survey has.
    pub fn standard() -> Vec<Self> {
        vec![Self::Prefecture, Self::Facility, Self::Question, Self::Category, Self::Primary]
    }

    /// The field that a person names, among these columns of the responses where it is no field that every survey
    /// has.
    pub fn from_name(name: &str, columns: &[AttributeColumn]) -> Option<Self> {
        Some(match Field::from_name(name) {
            Some(Field::Prefecture) => Self::Prefecture,
            Some(Field::Facility) => Self::Facility,
            Some(Field::Question) => Self::Question,
            Some(Field::Category) => Self::Category,
            Some(Field::Primary) => Self::Primary,
            Some(Field::GoodQuote | Field::Id) | None => {
                let headers: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                Self::Attribute(fitting_headers(&folded(name), &headers).into_iter().next()?)
            }
        })
    }

    fn column(&self) -> &'static str {
        match self {
            Self::Prefecture => "prefecture",
            Self::Facility => "facility",
            Self::Question => "question",
            Self::Category => "category",
            Self::Primary => "primary",
            Self::Attribute(_) => "attribute",
        }
    }
}

/// A column of the responses that hits can be counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeColumn {
    /// Its header.
    pub name: String,
    /// Number of different answers in it.
    pub values: usize,
}

/// The counts of one field over all hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// What is counted by.
    pub field: FacetField,
    /// The values: categories in report order, others by falling count and then by value.
    pub values: Vec<FacetValue>,
    /// Hits without a value.
    pub missing: u64,
}

/// A value and its hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// The value as stored: for categories the id.
    pub value: String,
    /// How it is shown: for categories the short name.
    pub label: String,
    /// Number of hits.
    pub count: u64,
}

/// Counts hits, and their values field by field.
pub(super) struct FacetCollector<'f> {
    pub(super) fields: &'f [FacetField],
}

/// Number of hits, then for each field its counts and the hits without a value.
pub(super) struct Counts {
    pub(super) hits: u64,
    pub(super) by_field: Vec<(BTreeMap<String, u64>, u64)>,
}

impl Collector for FacetCollector<'_> {
    type Fruit = Counts;
    type Child = SegmentCounts;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentCounts> {
        let columns = self
            .fields
            .iter()
            .map(|field| {
                let column = segment.fast_fields().str(field.column())?;
                let ords = column.as_ref().map_or(0, |column| column.dictionary().num_terms());
                let of_header = match field {
                    FacetField::Attribute(name) => Some(name.clone()),
                    _ => None,
                };
                let counted = match (&of_header, &column) {
                    (Some(header), Some(column)) => counted_ords(column, header)?,
                    _ => Vec::new(),
                };
                Ok(ColumnCounts { column, counts: vec![0; ords], missing: 0, of_header, counted })
            })
            .collect::<tantivy::Result<_>>()?;
        Ok(SegmentCounts { hits: 0, columns })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Counts>) -> tantivy::Result<Counts> {
        let mut merged = Counts { hits: 0, by_field: vec![(BTreeMap::new(), 0); self.fields.len()] };
        for segment in segments {
            merged.hits += segment.hits;
            for ((counts, missing), (more, also_missing)) in merged.by_field.iter_mut().zip(segment.by_field) {
                *missing += also_missing;
                for (value, count) in more {
                    *counts.entry(value).or_default() += count;
                }
            }
        }
        Ok(merged)
    }
}

/// Which ordinals belong to a header.
fn counted_ords(column: &StrColumn, header: &str) -> tantivy::Result<Vec<bool>> {
    let mut counted = vec![false; column.dictionary().num_terms()];
    let mut term = String::new();
    for (ord, counted) in counted.iter_mut().enumerate() {
        term.clear();
        column.ord_to_str(ord as u64, &mut term)?;
        *counted = Fields::split_attribute(&term).is_some_and(|(name, _)| name == header);
    }
    Ok(counted)
}

/// The counts of one segment.
pub(super) struct SegmentCounts {
    hits: u64,
    columns: Vec<ColumnCounts>,
}

struct ColumnCounts {
    column: Option<StrColumn>,
    counts: Vec<u64>,
    missing: u64,
    of_header: Option<String>,
    counted: Vec<bool>,
}

impl SegmentCollector for SegmentCounts {
    type Fruit = Counts;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.hits += 1;
        for column in &mut self.columns {
            let mut found = false;
            if let Some(values) = &column.column {
                for ord in values.ords().values_for_doc(doc) {
                    if column.of_header.is_none() || column.counted[ord as usize] {
                        column.counts[ord as usize] += 1;
                        found = true;
                    }
                }
            }
            column.missing += u64::from(!found);
        }
    }

    fn harvest(self) -> Counts {
        let by_field = self
            .columns
            .into_iter()
            .map(|column| {
                let mut counts = BTreeMap::new();
                for (ord, &count) in column.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    let mut value = String::new();
                    let Some(values) = &column.column else { continue };
                    // An ordinal that was counted is in the column's dictionary.
                    if values.ord_to_str(ord as u64, &mut value).unwrap_or(false) {
                        if column.of_header.is_some()
                            && let Some((_, answer)) = Fields::split_attribute(&value)
                        {
                            value = answer.to_owned();
                        }
                        counts.insert(value, count);
                    }
                }
                (counts, column.missing)
            })
            .collect();
        Counts { hits: self.hits, by_field }
    }
}

/// Brings counts into the form in which they are shown.
pub(super) fn facets(fields: &[FacetField], counts: Counts, frame: &[FrameCategory]) -> Vec<Facet> {
    fields
        .iter()
        .zip(counts.by_field)
        .map(|(field, (counts, missing))| {
            let is_category = matches!(field, FacetField::Category | FacetField::Primary);
            let place = |id: &str| frame.iter().position(|category| &*category.id == id);
            let mut values: Vec<FacetValue> = counts
                .into_iter()
                .map(|(value, count)| {
                    let label = place(&value).filter(|_| is_category).map(|place| frame[place].short.clone());
                    FacetValue { label: label.unwrap_or_else(|| value.clone()), value, count }
                })
                .collect();
            if is_category {
                values.sort_by_key(|value| place(&value.value).unwrap_or(frame.len()));
            } else {
                values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            }
            Facet { field: field.clone(), values, missing }
        })
        .collect()
}
