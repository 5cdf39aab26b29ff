//! The list of comments on which two coders differ, as a workbook in which a third person writes the last word, and the
//! way back into the casebook. As with a review, what the import needs to know lies in a hidden sheet under the
//! comment's id.

mod file;
mod plan;
mod workbook;

use serde::{Deserialize, Serialize};

pub use file::AdjudicationFile;
pub use plan::plan_adjudication;
pub use workbook::{ListInfo, adjudication_workbook};

use super::{
    codings::{Codings, Difference},
    sheet::{ReviewCategory, cell_text, fingerprint, folded, is_circle},
};

pub(super) const LIST_SHEET: &str = "食い違い";

/// First cell of the hidden sheet.
pub(super) const SIGNATURE: &str = "jirei adjudication";
/// Raised when the hidden sheet changes its form.
const FORMAT_VERSION: u32 = 1;

/// Columns that show what the coders gave, behind id and text.
const SHOWN: [&str; 7] = ["Aだけ", "Bだけ", "両方", "Aの主分類", "Bの主分類", "Aのメモ", "Bのメモ"];

/// What a contested cell shows until somebody decides.
const OPEN: &str = "？";
const OUT: &str = "×";
const IN: &str = "○";

/// Who coded, as far as it is known to the casebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coders {
    /// The names of their files: those may be imported, under whatever name of a person.
    Files([String; 2]),
    /// Their names in the casebook.
    Names([String; 2]),
}

impl Coders {
    fn names(&self) -> &[String; 2] {
        let (Self::Files(names) | Self::Names(names)) = self;
        names
    }
}

/// A comment of the list, as the hidden sheet keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ListedRow {
    id: String,
    /// BLAKE3 of the text that each coder read.
    texts: [String; 2],
    /// Fingerprint of the text cell.
    shown: String,
    /// Ids of the categories that each gave.
    categories: [Vec<String>; 2],
    primaries: [Option<String>; 2],
}

/// How two coders stand to a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreed {
    Both,
    Neither,
    OnlyFirst,
    OnlySecond,
}

impl Agreed {
    fn is_contested(self) -> bool {
        matches!(self, Self::OnlyFirst | Self::OnlySecond)
    }

    /// What the cell shows when the list is written.
    fn cell(self) -> &'static str {
        match self {
            Self::Both => IN,
            Self::Neither => "",
            Self::OnlyFirst | Self::OnlySecond => OPEN,
        }
    }

    /// For a message: what the two gave.
    fn word(self) -> &'static str {
        match self {
            Self::Both => "二人とも○",
            Self::Neither => "二人とも空欄",
            Self::OnlyFirst => "Aだけ",
            Self::OnlySecond => "Bだけ",
        }
    }
}

impl ListedRow {
    fn of(difference: &Difference<'_>) -> Self {
        let both = [difference.first, difference.second];
        Self {
            id: difference.comment.to_string(),
            texts: both.map(|codings: &Codings| codings.text_hash.clone()),
            shown: fingerprint(&cell_text(&difference.first.text)),
            categories: both.map(|codings| codings.categories.clone()),
            primaries: both.map(|codings| codings.primary.clone()),
        }
    }

    fn agreed(&self, category: &str) -> Agreed {
        let [first, second] = &self.categories;
        let gives = |given: &Vec<String>| given.iter().any(|given| given == category);
        match (gives(first), gives(second)) {
            (true, true) => Agreed::Both,
            (false, false) => Agreed::Neither,
            (true, false) => Agreed::OnlyFirst,
            (false, true) => Agreed::OnlySecond,
        }
    }

    fn is_primary_contested(&self) -> bool {
        self.primaries[0] != self.primaries[1]
    }
}

/// What a person writes into the cell of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    In,
    Out,
    Open,
    Blank,
}

impl Word {
    /// Reads what people type; the words of the review workbook count as well.
    fn parse(cell: &str) -> Option<Self> {
        let cell = folded(cell);
        match cell.as_str() {
            "" => Some(Self::Blank),
            "?" => Some(Self::Open),
            "×" | "✕" | "✖" | "x" | "X" | "外す" => Some(Self::Out),
            "承認" | "追加" => Some(Self::In),
            other if is_circle(other) => Some(Self::In),
            _ => None,
        }
    }
}

/// What the list says when it is written: the casebook, the time, who coded, and the categories.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ListState {
    identity: String,
    written_at: String,
    coders: Coders,
    categories: Vec<ReviewCategory>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_people_type_them() {
        for (cell, expected) in [
            ("○", Some(Word::In)),
            (" 〇", Some(Word::In)),
            ("追加", Some(Word::In)),
            ("×", Some(Word::Out)),
            ("Ｘ", Some(Word::Out)),
            ("外す", Some(Word::Out)),
            ("？", Some(Word::Open)),
            ("?", Some(Word::Open)),
            ("　", Some(Word::Blank)),
            ("A", None),
            ("●", None),
        ] {
            assert_eq!(Word::parse(cell), expected, "{cell}");
        }
        for agreed in [Agreed::Both, Agreed::Neither, Agreed::OnlyFirst, Agreed::OnlySecond] {
            let word = Word::parse(agreed.cell());
            assert_eq!(word == Some(Word::Open), agreed.is_contested(), "{agreed:?}");
        }
    }
}
