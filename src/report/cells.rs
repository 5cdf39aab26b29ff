//! Cells of prefecture and kind of facility with so few institutions that they point at one.
//!
//! Statistical offices coarsen such cells rather than leave them out: the prefecture gives way to its region, and
//! where even the institutions so coarsened are too few in a region, to nothing. Only those that are coarsened
//! count for a region: the others stand under their prefectures and hide nobody.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::{
    comment::Comment,
    respondent::{Facility, Prefecture},
};

/// What is done with small cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SmallCells {
    /// Cells with fewer institutions than this are small; 0 and 1 make none so.
    pub threshold: usize,
    /// What is done with them.
    pub remedy: CellRemedy,
}

/// What is done with a small cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CellRemedy {
    /// The region stands for the prefecture, nothing where the region is too small as well.
    #[default]
    Region,
    /// The prefecture is not printed.
    Hide,
    /// It is printed as it is.
    Keep,
    /// The appendix is not written before a person has accepted it.
    Stop,
}

impl CellRemedy {
    /// Every remedy with its name in `appendix.toml`.
    pub(super) const NAMES: [(&str, Self); 4] =
        [("region", Self::Region), ("hide", Self::Hide), ("keep", Self::Keep), ("stop", Self::Stop)];
}

impl Default for SmallCells {
    /// Fewer than three institutions; their region is printed.
    fn default() -> Self {
        Self { threshold: 3, remedy: CellRemedy::Region }
    }
}

/// How exactly the place of an institution is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// As given.
    Prefecture,
    /// The region in place of the prefecture.
    Region,
    /// Not at all.
    Hidden,
}

/// A prefecture and a kind of facility with too few institutions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmallCell {
    /// Prefecture as given.
    pub prefecture: Option<String>,
    /// Kind of facility as given.
    pub facility: Option<String>,
    /// How many institutions of it answered.
    pub institutions: usize,
    /// How its place is printed.
    pub place: Place,
}

/// Prefecture and kind of facility of a comment.
type Cell<'c> = (Option<&'c str>, Option<&'c str>);

/// How every cell of a survey is printed.
pub(super) struct Cells<'c> {
    small: BTreeMap<Cell<'c>, (usize, Place)>,
    /// Kinds of facility that hardly anyone has.
    rare_facilities: HashSet<&'c str>,
}

impl<'c> Cells<'c> {
    pub(super) fn new(comments: impl Iterator<Item = &'c Comment>, settings: SmallCells) -> Self {
        let mut institutions: HashMap<Cell<'c>, HashSet<(&str, &str)>> = HashMap::new();
        for comment in comments {
            institutions.entry(cell(comment)).or_default().insert(institution(comment));
        }
        let counts: BTreeMap<Cell<'c>, usize> =
            institutions.into_iter().map(|(cell, institutions)| (cell, institutions.len())).collect();
        let is_small =
            |cell: &Cell<'_>, count: usize| cell.0.is_some() && count < settings.threshold && settings.threshold > 1;
        let mut regions: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        let mut facilities: HashMap<&str, usize> = HashMap::new();
        for (cell, &count) in &counts {
            if let Some(region) = cell.0.and_then(region).filter(|_| is_small(cell, count)) {
                *regions.entry((region, cell.1)).or_default() += count;
            }
            if let Some(facility) = cell.1 {
                *facilities.entry(facility).or_default() += count;
            }
        }
        let place = |cell: &Cell<'_>| match settings.remedy {
            CellRemedy::Keep | CellRemedy::Stop => Place::Prefecture,
            CellRemedy::Hide => Place::Hidden,
            CellRemedy::Region => {
                let in_region = cell.0.and_then(region).map_or(0, |region| regions[&(region, cell.1)]);
                if in_region < settings.threshold { Place::Hidden } else { Place::Region }
            }
        };
        let coarsens = matches!(settings.remedy, CellRemedy::Region | CellRemedy::Hide);
        // Every reader knows hospitals and clinics without number; another kind may be the only one.
        let is_rare = |name: &&str| Facility::parse(name).is_none() && facilities[name] < settings.threshold;
        Self {
            small: counts
                .iter()
                .filter(|(cell, count)| is_small(cell, **count))
                .map(|(cell, &count)| (*cell, (count, place(cell))))
                .collect(),
            rare_facilities: facilities.keys().copied().filter(|name| coarsens && is_rare(name)).collect(),
        }
    }

    /// The small cells, in order of their names.
    pub(super) fn small(&self) -> impl Iterator<Item = SmallCell> {
        self.small.iter().map(|(&(prefecture, facility), &(institutions, place))| SmallCell {
            prefecture: prefecture.map(str::to_owned),
            facility: facility.map(str::to_owned),
            institutions,
            place,
        })
    }

    /// The prefecture that is printed of a comment, or what stands for it, and how exact it is.
    pub(super) fn prefecture(&self, comment: &'c Comment) -> (Option<&'c str>, Place) {
        let (prefecture, facility) = cell(comment);
        match self.small.get(&(prefecture, facility)).map_or(Place::Prefecture, |(_, place)| *place) {
            Place::Prefecture => (prefecture, Place::Prefecture),
            Place::Region => (prefecture.and_then(region), Place::Region),
            Place::Hidden => (None, Place::Hidden),
        }
    }

    /// The kind of facility that is printed of a comment.
    pub(super) fn facility(&self, comment: &'c Comment) -> Option<&'c str> {
        comment.facility.as_deref().filter(|facility| !self.rare_facilities.contains(facility))
    }
}

fn cell(comment: &Comment) -> Cell<'_> {
    (comment.prefecture.as_deref(), comment.facility.as_deref())
}

/// The institution that gave a comment: its comments share an id but for the question at its end.
fn institution(comment: &Comment) -> (&str, &str) {
    let id = comment.id.as_str();
    let of_response = comment.question.as_deref().and_then(|question| id.strip_suffix(question)?.strip_suffix('-'));
    (&comment.origin.file, of_response.unwrap_or(id))
}

/// Regions with the code of the last prefecture of each.
const REGIONS: [(u8, &str); 6] =
    [(7, "北海道・東北"), (14, "関東"), (23, "中部"), (30, "近畿"), (39, "中国・四国"), (47, "九州・沖縄")];

/// The region of a prefecture; `None` for a name that is none.
fn region(prefecture: &str) -> Option<&'static str> {
    let code = Prefecture::parse(prefecture)?.code();
    REGIONS.iter().find(|(last, _)| code <= *last).map(|(_, name)| *name)
}

/// Where a printed prefecture or region stands in the order of JIS X 0401: a region after its prefectures, so that
/// the order gives none away; other names and none come last.
pub(super) fn rank(printed: Option<&str>) -> u16 {
    let Some(name) = printed else { return u16::MAX };
    if let Some((last, _)) = REGIONS.iter().find(|(_, region)| *region == name) {
        return u16::from(*last) * 2 + 1;
    }
    Prefecture::parse(name).map_or(u16::MAX - 1, |prefecture| u16::from(prefecture.code()) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::CommentId;

    fn comments(cells: &[(&str, &str, usize)]) -> Vec<Comment> {
        let mut comments = Vec::new();
        for (prefecture, facility, count) in cells {
            for n in 0..*count {
                for question in ["問7", "問13"] {
                    comments.push(Comment {
                        id: CommentId::new(format!("{prefecture}{facility}{n}-{question}")),
                        prefecture: Some((*prefecture).to_owned()),
                        facility: Some((*facility).to_owned()),
                        question: Some(question.to_owned()),
                        ..Comment::from_text("受付が止まった")
                    });
                }
            }
        }
        comments
    }

    #[track_caller]
    fn case(cells: &[(&str, &str, usize)], remedy: CellRemedy, expected: &[Option<&str>]) {
        let comments = comments(cells);
        let shown = Cells::new(comments.iter(), SmallCells { threshold: 3, remedy });
        let of_cell = cells.iter().map(|(prefecture, facility, _)| {
            let comment = comments.iter().find(|comment| cell(comment) == (Some(prefecture), Some(facility)));
            shown.prefecture(comment.unwrap()).0
        });
        assert_eq!(of_cell.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn small_cells_are_coarsened() {
        let cells = [("東京都", "病院", 5), ("埼玉県", "病院", 2), ("群馬県", "病院", 1), ("高知県", "病院", 2)];
        case(&cells, CellRemedy::Region, &[Some("東京都"), Some("関東"), Some("関東"), None]);
        case(&cells, CellRemedy::Hide, &[Some("東京都"), None, None, None]);
        case(&cells, CellRemedy::Keep, &[Some("東京都"), Some("埼玉県"), Some("群馬県"), Some("高知県")]);
        // Tokyo hides nobody: it stands there by name.
        case(&[("東京都", "病院", 5), ("埼玉県", "病院", 2)], CellRemedy::Region, &[Some("東京都"), None]);
        case(&[("東京都", "病院", 3), ("東京都", "歯科診療所", 1)], CellRemedy::Region, &[Some("東京都"), None]);
    }

    #[test]
    fn order_gives_no_prefecture_away() {
        assert!(rank(Some("神奈川県")) < rank(Some("関東")) && rank(Some("関東")) < rank(Some("新潟県")));
        assert!(rank(Some("沖縄県")) < rank(Some("九州・沖縄")) && rank(Some("北海道")) < rank(Some("青森県")));
        assert!(rank(Some("海外")) < rank(None));
    }

    #[test]
    fn kinds_that_hardly_anyone_has() {
        let comments = comments(&[("東京都", "病院", 9), ("東京都", "刑務所医務室", 1)]);
        let cells = Cells::new(comments.iter(), SmallCells::default());
        assert_eq!(cells.facility(&comments[0]), Some("病院"));
        assert_eq!(cells.facility(comments.last().unwrap()), None);
    }
}
