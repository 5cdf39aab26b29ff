//! Finding comments: query language, hits with highlights, facets, concordance.
//!
//! Search reads the index only. [`Searcher::open`] does not touch the record; where the index is missing, damaged
//! or behind, the error says so and [`Searcher::open_or_rebuild`] makes it anew first.

mod any;
mod best;
mod exclude;
mod facet;
mod filtered;
mod hit;
mod kwic;
mod matcher;
mod near;
mod plan;
mod prefixes;
mod query;
mod synonyms;
#[cfg(test)]
mod tests;
mod within;

use std::path::{Path, PathBuf};

use tantivy::{IndexReader, ReloadPolicy, Searcher as TantivySearcher, collector::TopDocs};

use crate::comment::CommentId;
use crate::index::{self, Fields, InIndex, IndexError, IndexInfo, OpenIndex, TokenMaker, guarded};

pub use facet::{AttributeColumn, Facet, FacetField, FacetValue};
pub use hit::Hit;
pub use kwic::{KwicLine, KwicOrder, kwic};
pub use plan::Expansion;
pub use query::{Expression, Field, Note, Query};
pub use synonyms::Synonyms;

use best::{Best, CountAndBest};
use facet::{Counts, FacetCollector};
use matcher::Matcher;
use plan::{FilterField, Plan, Planner};

/// The order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HitOrder {
    /// Best first (BM25), equal ones in report order. A query that only filters gives report order.
    #[default]
    Relevance,
    /// The order in which comments came in.
    Report,
}

/// How to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOptions {
    /// Hits to give at most.
    pub limit: usize,
    /// Hits to pass over before the first.
    pub offset: usize,
    /// Their order.
    pub order: HitOrder,
    /// What to count all hits by.
    pub facets: Vec<FacetField>,
    /// Whether bare words find their synonyms.
    pub synonyms: bool,
    /// Whether bare words find what is read alike.
    pub readings: bool,
    /// Whether words that differ in one character are taken where nothing is found.
    pub fuzzy: bool,
    /// Whether to mark what was looked for.
    pub highlights: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            limit: 20,
            offset: 0,
            order: HitOrder::default(),
            facets: Vec::new(),
            synonyms: true,
            readings: true,
            fuzzy: true,
            highlights: true,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// The hits asked for.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total: u64,
    /// The counts asked for, in that order.
    pub facets: Vec<Facet>,
    /// What the person should know of how the query was taken.
    pub notes: Vec<Note>,
    /// Words that were looked for with their synonyms.
    pub expansions: Vec<Expansion>,
}

/// An open index. Sees the index as it was when opened, or at the last [`Searcher::reload`].
#[derive(Debug)]
pub struct Searcher {
    folder: PathBuf,
    open: OpenIndex,
    reader: Reader,
    synonyms: Synonyms,
}

struct Reader(IndexReader);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Searcher {
    /// Opens a casebook for searching, without opening the record.
    ///
    /// # Errors
    ///
    /// When the folder is missing or no casebook; or with an error for which [`IndexError::needs_rebuild`] is true
    /// when the index is missing, damaged, behind the record, or made by another dictionary.
    pub fn open(folder: &Path, dictionary: &str) -> Result<Self, IndexError> {
        let open = OpenIndex::open(folder, dictionary)?;
        let reader = guarded(folder, || {
            open.index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().in_index(folder)
        })?;
        Ok(Self { folder: folder.to_path_buf(), open, reader: Reader(reader), synonyms: Synonyms::embedded() })
    }

    /// As [`Searcher::open`], but makes the index anew from the record where that is needed; says whether it was.
    ///
    /// # Errors
    ///
    /// When the folder is missing or no casebook, the record cannot be read, or the index cannot be written, which for
    /// a medium that is only for reading is [`IndexError::Unwritable`].
    pub fn open_or_rebuild(
        folder: &Path,
        dictionary: &str,
        maker: &mut TokenMaker<'_>,
    ) -> Result<(Self, bool), IndexError> {
        match Self::open(folder, dictionary) {
            Ok(searcher) => Ok((searcher, false)),
            Err(error) if error.needs_rebuild() => {
                let rebuilt = match index::ensure(folder, maker, dictionary) {
                    Err(refused) if refused.is_read_only() => return Err(error.unwritable(folder)),
                    ensured => ensured?,
                };
                Ok((Self::open(folder, dictionary)?, rebuilt))
            }
            Err(error) => Err(error),
        }
    }

    /// Uses another table of synonyms.
    #[must_use]
    pub fn with_synonyms(self, synonyms: Synonyms) -> Self {
        Self { synonyms, ..self }
    }

    /// What made the index.
    pub fn info(&self) -> &IndexInfo {
        &self.open.info
    }

    /// Number of comments.
    pub fn comment_count(&self) -> u64 {
        self.reader.0.searcher().num_docs()
    }

    /// The columns of the responses by which hits can be counted, in the order of their headers.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn attributes(&self) -> Result<Vec<AttributeColumn>, IndexError> {
        guarded(&self.folder, || {
            let searcher = self.reader.0.searcher();
            let terms = plan::values(&searcher, self.open.fields.attribute).in_index(&self.folder)?;
            let mut columns: Vec<AttributeColumn> = Vec::new();
            for (name, _) in terms.iter().filter_map(|term| Fields::split_attribute(term)) {
                match columns.last_mut().filter(|column| column.name == name) {
                    Some(column) => column.values += 1,
                    None => columns.push(AttributeColumn { name: name.to_owned(), values: 1 }),
                }
            }
            Ok(columns)
        })
    }

    /// Takes in what was committed since.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn reload(&self) -> Result<(), IndexError> {
        self.reader.0.reload().in_index(&self.folder)
    }

    /// Searches.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn search(
        &self,
        maker: &mut TokenMaker<'_>,
        query: &Query,
        options: &SearchOptions,
    ) -> Result<SearchResult, IndexError> {
        guarded(&self.folder, || {
            let searcher = self.reader.0.searcher();
            let result = self.run(&searcher, maker, query, options, false).in_index(&self.folder)?;
            let result = result.expect("a search as written is always run");
            if result.total == 0 && options.fuzzy {
                let again = self.run(&searcher, maker, query, options, true).in_index(&self.folder)?;
                if let Some(again) = again.filter(|again| again.total > 0) {
                    return Ok(again);
                }
            }
            Ok(result)
        })
    }

    /// Comments that share their telling words with a comment, the most alike first, among those of a query;
    /// `None` where there is no comment of that id. Words that are rare here and frequent in the comment count most.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn similar(
        &self,
        maker: &mut TokenMaker<'_>,
        id: &CommentId,
        among: &Query,
        options: &SearchOptions,
    ) -> Result<Option<SearchResult>, IndexError> {
        guarded(&self.folder, || self.run_similar(maker, id, among, options).in_index(&self.folder))
    }

    fn run_similar(
        &self,
        maker: &mut TokenMaker<'_>,
        id: &CommentId,
        among: &Query,
        options: &SearchOptions,
    ) -> tantivy::Result<Option<SearchResult>> {
        let searcher = self.reader.0.searcher();
        let fields = &self.open.fields;
        let this = Plan::Values { field: FilterField::Named(Field::Id), values: vec![id.as_str().to_owned()] };
        let found = searcher.search(&*this.to_query(fields), &TopDocs::with_limit(1).order_by_score())?;
        let Some(&(_, address)) = found.first() else { return Ok(None) };
        let text = Hit::read(&searcher, fields, address, 0.0)?.comment.text;
        let mut planner = Planner {
            searcher: &searcher,
            fields: *fields,
            frame: &self.open.info.frame,
            maker,
            synonyms: options.synonyms.then_some(&self.synonyms),
            readings: options.readings,
            fuzzy: false,
            gave_way: false,
            notes: among.notes().to_vec(),
            expansions: Vec::new(),
        };
        let telling = planner.telling_words(&text)?;
        let among = planner.plan(among.expression())?;
        let Planner { notes, expansions, .. } = planner;
        let plan = Plan::All(vec![Plan::Any(telling), Plan::Not(Box::new(this)), among]);
        self.run_plan(&searcher, maker, &plan, options, notes, expansions).map(Some)
    }

    /// Searches as written; or with words that differ in one character, where some give way to such, else `None`.
    fn run(
        &self,
        searcher: &TantivySearcher,
        maker: &mut TokenMaker<'_>,
        query: &Query,
        options: &SearchOptions,
        fuzzy: bool,
    ) -> tantivy::Result<Option<SearchResult>> {
        let fields = &self.open.fields;
        let mut planner = Planner {
            searcher,
            fields: *fields,
            frame: &self.open.info.frame,
            maker,
            synonyms: options.synonyms.then_some(&self.synonyms),
            readings: options.readings,
            fuzzy,
            gave_way: false,
            notes: query.notes().to_vec(),
            expansions: Vec::new(),
        };
        let plan = planner.plan(query.expression())?;
        let Planner { notes, expansions, gave_way, .. } = planner;
        if fuzzy && !gave_way {
            return Ok(None);
        }
        self.run_plan(searcher, maker, &plan, options, notes, expansions).map(Some)
    }

    fn run_plan(
        &self,
        searcher: &TantivySearcher,
        maker: &mut TokenMaker<'_>,
        plan: &Plan,
        options: &SearchOptions,
        notes: Vec<Note>,
        expansions: Vec<Expansion>,
    ) -> tantivy::Result<SearchResult> {
        let fields = &self.open.fields;
        let counter = FacetCollector { fields: &options.facets };
        let is_ranked = options.order == HitOrder::Relevance && plan.is_ranked();
        let limit = options.offset.saturating_add(options.limit);
        let pruning = if is_ranked && options.facets.is_empty() { plan.to_pruning_query(fields) } else { None };
        let (counts, places) = if options.limit == 0 {
            (searcher.search(&*plan.to_query(fields), &counter)?, Vec::new())
        } else if let Some(query) = pruning {
            let counts = Counts { hits: query.count(searcher)? as u64, by_field: Vec::new() };
            (counts, searcher.search(&*query, &Best { limit })?)
        } else {
            searcher.search(&*plan.to_query(fields), &CountAndBest { counter, limit, is_ranked })?
        };
        let total = counts.hits;
        let facets = facet::facets(&options.facets, counts, &self.open.info.frame);
        let matcher = Matcher::new(plan);
        let mut hits = Vec::new();
        for place in places.into_iter().skip(options.offset) {
            let mut hit = Hit::read(searcher, fields, place.address, place.score)?;
            if options.highlights && plan.is_ranked() {
                hit.highlight(maker, &matcher);
            }
            hits.push(hit);
        }
        Ok(SearchResult { hits, total, facets, notes, expansions })
    }
}
