//! The appendix as data: which quote stands where, under which number.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use serde::Serialize;

use crate::{
    classify::Classification,
    codebook::{Category, CategoryIndex, CategoryKind, Codebook},
    comment::{Comment, CommentId},
};

use super::{
    cells::{self, Cells, Place, SmallCell},
    choose::{Candidate, Choice, Quality, choose},
    disclosure::{DetailFinder, RowFinding},
    edit::{self, Edit, EditKind},
    settings::{Settings, Split},
    similar::group_similar,
};

/// A case appendix: what is printed, in the order in which it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Appendix {
    /// Its title.
    pub title: String,
    /// What survey, when, of whom; one line.
    pub survey_line: Option<String>,
    /// Where the quotes come from, printed under each table.
    pub source_line: Option<String>,
    /// Numbers over all tables.
    pub totals: Totals,
    /// Cells with few institutions from which something is printed, and what is done with them; no format tells them.
    #[serde(skip)]
    pub small_cells: Vec<SmallCell>,
    /// The tables in which a quote is printed once, in code-frame order.
    pub sections: Vec<Table>,
    /// The tables that cut across, in code-frame order.
    pub lists: Vec<Table>,
}

/// Numbers over all tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Comments read.
    pub comments: usize,
    /// Comments that belong under a heading.
    pub filed: usize,
    /// Quotes printed, repetitions not counted.
    pub quotes: usize,
    /// Comments that a quote stands for because they say the same, repetitions not counted.
    pub similar: usize,
}

/// The quotes under a heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Id of the category.
    pub id: Arc<str>,
    /// Number of the heading, from 1, sections and lists counted through.
    pub number: usize,
    /// Section or list.
    pub kind: CategoryKind,
    /// The heading.
    pub heading: String,
    /// Short name, for tabs.
    pub short: String,
    /// Paragraphs before the table.
    pub introduction: Vec<String>,
    /// Comments that carry the category, wherever they are printed.
    pub coded: usize,
    /// Comments that belong in this table: for a section those of which it is the primary one, for a list
    /// those that carry it.
    pub filed: usize,
    /// The rows, in one part without a heading or in several with one each.
    pub parts: Vec<Part>,
}

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its heading, where the table has several parts.
    pub heading: Option<String>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A quote and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Number in the table, from 1, parts counted through.
    pub number: usize,
    /// Number of table and row (`1-23`), unique in the appendix.
    pub label: String,
    /// Prefecture, or what is printed for it where too few institutions of it answered.
    pub prefecture: Option<String>,
    /// How exact the prefecture is.
    pub place: Place,
    /// Kind of facility.
    pub facility: Option<String>,
    /// The question that it answers.
    pub question: Option<String>,
    /// Whether the question is printed behind the quote: it is neither the main one nor that of the part.
    pub shows_question: bool,
    /// The words, as written but for white space at the ends.
    pub quote: String,
    /// What was masked or corrected for print, in the order of the text; masked words are not told.
    pub edits: Vec<Edit>,
    /// Further comments that say the same and are not printed.
    pub similar: usize,
    /// Label of the row that printed the quote first, in lists.
    pub reference: Option<String>,
    /// Ids of the categories of the comment, in code-frame order.
    pub categories: Vec<Arc<str>>,
    /// Id of the comment.
    pub comment: CommentId,
    /// The comment's words as written.
    #[serde(skip)]
    pub original: String,
}

/// What is done with comments that say the same in the same words but for small edits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Copies {
    /// One is printed, the others are counted (「ほか類似n件」).
    #[default]
    Group,
    /// Each is printed.
    Print,
}

/// What the analyst decided about the appendix, beyond its texts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which quotes are printed.
    pub choice: Choice,
    /// What is done with near-copies.
    pub copies: Copies,
    /// Comments ticked as good quotes: they are chosen first.
    pub good_quotes: HashSet<CommentId>,
    /// Comments that are not to be quoted; they are counted.
    pub not_quoted: HashSet<CommentId>,
    /// What is masked or corrected in print.
    pub edits: HashMap<CommentId, Vec<Edit>>,
}

impl Appendix {
    /// Files comments under the headings of a code frame.
    ///
    /// A quote is printed under its primary section, and again in the lists that it carries with a reference
    /// to where it stood first; without a section it is printed in its lists alone. Rows stand by prefecture
    /// (order of JIS X 0401, then others, then unknown), kind of facility, and in the order given. Comments
    /// without a category or without words are left out. What is printed of a prefecture with few institutions is
    /// a matter of the settings.
    pub fn build(
        items: &[(Comment, Classification)],
        codebook: &Codebook,
        settings: &Settings,
        options: &Options,
    ) -> Self {
        let cells = Cells::new(items.iter().map(|(comment, _)| comment), settings.small_cells);
        let mut order: Vec<usize> = (0..items.len()).filter(|&i| !items[i].0.text.trim().is_empty()).collect();
        order.sort_by_cached_key(|&i| {
            let comment = &items[i].0;
            (cells::rank(cells.prefecture(comment).0), facility_rank(cells.facility(comment)), i)
        });

        let groups = match options.copies {
            Copies::Group => group_similar(&items.iter().map(|(comment, _)| &comment.text).collect::<Vec<_>>()),
            Copies::Print => (0..items.len()).collect(),
        };
        let builder = Builder { items, codebook, settings, options, groups, cells: &cells };

        let sections = codebook.iter().filter(|(_, category)| category.kind == CategoryKind::Section);
        let lists = codebook.iter().filter(|(_, category)| category.kind == CategoryKind::List);
        let mut printed_at: HashMap<usize, String> = HashMap::new();
        let mut tables = Vec::with_capacity(codebook.len());
        let mut filed_anywhere = HashSet::new();
        for (number, (index, category)) in (1..).zip(sections.chain(lists)) {
            let coded: Vec<usize> = order.iter().copied().filter(|&i| carries(&items[i].1, index)).collect();
            let filed: Vec<usize> = match category.kind {
                CategoryKind::Section => {
                    order.iter().copied().filter(|&i| section_of(&items[i].1, codebook) == Some(index)).collect()
                }
                CategoryKind::List => coded.clone(),
            };
            filed_anywhere.extend(filed.iter().copied());
            tables.push(Table {
                id: category.id.clone(),
                number,
                kind: category.kind,
                heading: category.heading.clone(),
                short: category.short.clone(),
                introduction: settings.introduction(&category.id).map(paragraphs).unwrap_or_default(),
                coded: coded.len(),
                filed: filed.len(),
                parts: builder.parts(number, category, &filed, &mut printed_at),
            });
        }

        let lists = tables.split_off(tables.partition_point(|table| table.kind == CategoryKind::Section));
        let mut appendix = Self {
            title: settings.title.clone().unwrap_or_else(|| codebook.title().to_owned()),
            survey_line: settings
                .survey_line
                .clone()
                .or_else(|| (!items.is_empty()).then(|| format!("自由記載の回答　N＝{}件", items.len()))),
            source_line: settings.source_line.clone(),
            totals: Totals { comments: items.len(), filed: filed_anywhere.len(), ..Totals::default() },
            small_cells: Vec::new(),
            sections: tables,
            lists,
        };
        let (quotes, similar) =
            appendix.quotes().fold((0, 0), |(quotes, similar), (_, _, row)| (quotes + 1, similar + row.similar));
        let by_id: HashMap<&CommentId, &Comment> = items.iter().map(|(comment, _)| (&comment.id, comment)).collect();
        let printed: HashSet<(Option<&str>, Option<&str>)> = appendix
            .rows()
            .filter_map(|(.., row)| by_id.get(&row.comment))
            .map(|comment| (comment.prefecture.as_deref(), comment.facility.as_deref()))
            .collect();
        let is_printed = |cell: &SmallCell| printed.contains(&(cell.prefecture.as_deref(), cell.facility.as_deref()));
        appendix.small_cells = cells.small().filter(is_printed).collect();
        appendix.totals.quotes = quotes;
        appendix.totals.similar = similar;
        appendix
    }

    /// Sections, then lists.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.sections.iter().chain(&self.lists)
    }

    /// Every quote where it is printed first.
    pub fn quotes(&self) -> impl Iterator<Item = (&Table, &Part, &Row)> {
        self.rows().filter(|(.., row)| row.reference.is_none())
    }

    /// Every row, repetitions in lists among them.
    pub fn rows(&self) -> impl Iterator<Item = (&Table, &Part, &Row)> {
        self.tables().flat_map(|table| {
            table.parts.iter().flat_map(move |part| part.rows.iter().map(move |row| (table, part, row)))
        })
    }

    /// Details in the quotes that may identify someone, in the order of print. Words that are masked already and
    /// those of `kept` (characters of the original text) are not told again; a quote that is repeated in lists is
    /// looked at once.
    pub fn find_details(
        &self,
        finder: &DetailFinder<'_>,
        kept: &HashMap<CommentId, Vec<Range<usize>>>,
    ) -> Vec<RowFinding> {
        let mut seen = HashSet::new();
        let rows: Vec<(&Table, &Row)> =
            self.rows().filter(|(.., row)| seen.insert(&row.comment)).map(|(table, _, row)| (table, row)).collect();
        let originals: Vec<&str> = rows.iter().map(|(_, row)| row.original.as_str()).collect();
        let findings = finder.find_all(&originals);
        rows.into_iter()
            .zip(findings)
            .flat_map(|((table, row), findings)| {
                let kept = kept.get(&row.comment);
                let is_open = move |at: usize| {
                    let masks = row.edits.iter().filter(|edit| edit.kind == EditKind::Mask);
                    let mut settled = masks.map(|edit| &edit.char_range).chain(kept.into_iter().flatten());
                    !settled.any(|range| range.contains(&at))
                };
                findings.into_iter().filter(move |finding| finding.char_range.clone().any(is_open)).map(|finding| {
                    RowFinding {
                        label: row.label.clone(),
                        heading: table.heading.clone(),
                        prefecture: row.prefecture.clone(),
                        facility: row.facility.clone(),
                        comment: row.comment.clone(),
                        original: row.original.clone(),
                        finding,
                    }
                })
            })
            .collect()
    }

    /// How to read the tables: order, marks. Only what occurs is explained.
    pub fn legend(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.rows().next().is_some() {
            lines.push("事例は都道府県順、医療機関の種類順に並べ、表ごとに番号を付けた。".to_owned());
        }
        if let Some(question) = self.rows().find_map(|(.., row)| row.question_note()) {
            lines.push(format!("{question}などは、その事例が書かれた設問を示す。"));
        }
        if self.rows().any(|(.., row)| row.similar > 0) {
            lines.push("「ほか類似n件」は、ほぼ同じ文面の回答がほかにn件あったことを示す。".to_owned());
        }
        if let Some(label) = self.rows().find_map(|(.., row)| row.reference.as_deref()) {
            lines.push(format!("「→{label}」などは、同じ事例がその番号（区分－事例）でも掲載されていることを示す。"));
        }
        if self.rows().any(|(.., row)| row.edits.iter().any(|edit| edit.kind == EditKind::Mask)) {
            lines.push("個人や機関が特定されるおそれのある語は、（氏名）などに置き換えた。".to_owned());
        }
        if self.rows().any(|(.., row)| row.place != Place::Prefecture) {
            lines.push(
                "回答した医療機関が少ない都道府県と種類の組み合わせでは、都道府県に代えて地方を示すか、示していない（―）。"
                    .to_owned(),
            );
        }
        lines
    }

    /// Short names of a row's categories, in code-frame order.
    pub(super) fn short_names(&self, row: &Row) -> String {
        let names: Vec<&str> = row
            .categories
            .iter()
            .map(|id| self.tables().find(|table| table.id == *id).map_or(&**id, |table| table.short.as_str()))
            .collect();
        names.join("、")
    }
}

impl Table {
    /// The rows of all parts.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.parts.iter().flat_map(|part| &part.rows)
    }

    /// Number of rows.
    pub fn printed(&self) -> usize {
        self.parts.iter().map(|part| part.rows.len()).sum()
    }

    /// Number of comments that rows stand for besides their own.
    pub fn similar(&self) -> usize {
        self.rows().map(|row| row.similar).sum()
    }

    /// The numbers in one line: `N＝35件（掲載20件、ほか類似4件）`.
    pub fn count_line(&self) -> String {
        let mut line = format!("N＝{}件", self.filed);
        if self.printed() != self.filed {
            line.push_str(&format!("（掲載{}件", self.printed()));
            if self.similar() > 0 {
                line.push_str(&format!("、ほか類似{}件", self.similar()));
            }
            line.push('）');
        }
        line
    }
}

impl Row {
    /// The question, as it stands behind the quote.
    pub(super) fn question_note(&self) -> Option<String> {
        self.question.as_ref().filter(|_| self.shows_question).map(|question| format!("（{question}）"))
    }

    /// How many comments say the same.
    pub(super) fn similar_note(&self) -> Option<String> {
        (self.similar > 0).then(|| format!("ほか類似{}件", self.similar))
    }

    /// Where the quote stood first.
    pub(super) fn reference_note(&self) -> Option<String> {
        self.reference.as_ref().map(|label| format!("→{label}"))
    }

    /// What follows the quote in print.
    pub(super) fn notes(&self) -> Vec<String> {
        [self.question_note(), self.similar_note(), self.reference_note()].into_iter().flatten().collect()
    }
}

/// The section under which a comment is printed: its primary, or, should it carry sections and no primary,
/// the first of them.
fn section_of(classification: &Classification, codebook: &Codebook) -> Option<CategoryIndex> {
    let is_section = |index: &CategoryIndex| codebook[*index].kind == CategoryKind::Section;
    classification.primary.filter(is_section).or_else(|| classification.categories().find(is_section))
}

fn carries(classification: &Classification, index: CategoryIndex) -> bool {
    classification.categories().any(|category| category == index)
}

/// What the rows of all tables are built from.
struct Builder<'a> {
    items: &'a [(Comment, Classification)],
    codebook: &'a Codebook,
    settings: &'a Settings,
    options: &'a Options,
    /// The first of its near-copies for each item.
    groups: Vec<usize>,
    cells: &'a Cells<'a>,
}

impl Builder<'_> {
    /// The parts of a table. `printed_at` knows the label under which a group of near-copies stood first.
    fn parts(
        &self,
        table: usize,
        category: &Category,
        filed: &[usize],
        printed_at: &mut HashMap<usize, String>,
    ) -> Vec<Part> {
        let split = self.settings.splits.iter().find(|split| *split.category == *category.id);
        let mut number = 0;
        let mut parts = Vec::new();
        for (heading, question, members) in self.split(filed, split) {
            let mut rows = Vec::new();
            for (i, similar) in self.chosen(&members) {
                number += 1;
                let mut row = self.row(i);
                row.number = number;
                row.label = format!("{table}-{number}");
                row.similar = similar;
                row.shows_question &= row.question.as_deref() != question;
                let first = printed_at.entry(self.groups[i]).or_insert_with(|| row.label.clone());
                row.reference = (category.kind == CategoryKind::List && *first != row.label).then(|| first.clone());
                rows.push(row);
            }
            parts.push(Part { heading: heading.map(str::to_owned), rows });
        }
        parts
    }

    /// Members by part, with its heading and question: what does not answer the question of the split comes
    /// first.
    fn split<'s>(
        &self,
        members: &[usize],
        split: Option<&'s Split>,
    ) -> Vec<(Option<&'s str>, Option<&'s str>, Vec<usize>)> {
        let Some(split) = split else { return vec![(None, None, members.to_vec())] };
        let is_answer = |&i: &usize| self.items[i].0.question.as_deref() == Some(split.question.as_str());
        let (answers, others) = members.iter().copied().partition(is_answer);
        vec![(Some(&split.others), None, others), (Some(&split.answers), Some(&split.question), answers)]
    }

    /// The members that are printed, in their order, each with the number of near-copies that it stands for.
    fn chosen(&self, members: &[usize]) -> Vec<(usize, usize)> {
        let mut copies: HashMap<usize, usize> = HashMap::new();
        let mut best: HashMap<usize, (Quality, usize)> = HashMap::new();
        for &i in members {
            if self.options.not_quoted.contains(&self.items[i].0.id) {
                continue;
            }
            let quality = self.quality(i);
            *copies.entry(self.groups[i]).or_default() += 1;
            let (best_quality, best) = best.entry(self.groups[i]).or_insert((quality, i));
            if quality > *best_quality {
                (*best_quality, *best) = (quality, i);
            }
        }
        let printed: Vec<usize> = members
            .iter()
            .copied()
            .filter(|&i| best.get(&self.groups[i]).is_some_and(|(_, best)| *best == i))
            .collect();
        let candidates: Vec<_> = printed
            .iter()
            .map(|&i| Candidate { comment: &self.items[i].0, quality: best[&self.groups[i]].0 })
            .collect();
        choose(&candidates, self.options.choice)
            .into_iter()
            .map(|n| (printed[n], copies[&self.groups[printed[n]]] - 1))
            .collect()
    }

    fn quality(&self, i: usize) -> Quality {
        let (comment, classification) = &self.items[i];
        Quality::new(&comment.text, classification.confidence(), self.options.good_quotes.contains(&comment.id))
    }

    /// The row of a comment but for its place.
    fn row(&self, i: usize) -> Row {
        let (comment, classification) = &self.items[i];
        let edits =
            self.options.edits.get(&comment.id).map_or(Vec::new(), |edits| edit::standing(&comment.text, edits));
        let printed = edit::edited(&comment.text, &edits);
        let is_main = comment.question.as_ref().is_none_or(|question| *question == self.settings.main_question);
        let (prefecture, place) = self.cells.prefecture(comment);
        Row {
            number: 0,
            label: String::new(),
            prefecture: prefecture.map(str::to_owned),
            place,
            facility: self.cells.facility(comment).map(str::to_owned),
            question: comment.question.clone(),
            shows_question: !is_main,
            quote: printed.trim().to_owned(),
            edits,
            similar: 0,
            reference: None,
            categories: classification.categories().map(|index| self.codebook[index].id.clone()).collect(),
            comment: comment.id.clone(),
            original: comment.text.clone(),
        }
    }
}

/// Blank lines part paragraphs; other line breaks are those of the editor and vanish.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map(str::trim) {
        match line {
            "" => paragraphs.push(String::new()),
            line => paragraphs.last_mut().expect("never empty").push_str(line),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// Order of kinds of facility: hospitals, medical and dental clinics, others, unknown.
fn facility_rank(facility: Option<&str>) -> usize {
    match facility {
        Some("病院") => 0,
        Some("医科診療所") => 1,
        Some("歯科診療所") => 2,
        Some(_) => 3,
        None => 4,
    }
}
