//! What a review workbook looks like: its sheets, columns and words, for those who write and those who read it.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{
    casebook::{Action, FrameCategory, StoredComment},
    codebook::CategoryKind,
    report::printable,
};

pub(super) use crate::read::STATE_SHEET;

pub(super) const REVIEW_SHEET: &str = "レビュー";
pub(super) const GUIDE_SHEET: &str = "使い方";

/// First cell of the state sheet.
pub(super) const SIGNATURE: &str = "jirei review";
/// Raised when the state sheet changes its form.
pub(super) const FORMAT_VERSION: u32 = 1;

pub(super) const ID: &str = "番号";
pub(super) const PREFECTURE: &str = "都道府県";
pub(super) const FACILITY: &str = "施設";
pub(super) const QUESTION: &str = "設問";
pub(super) const TEXT: &str = "回答";
pub(super) const CERTAINTY: &str = "確かさ";
pub(super) const PRIMARY: &str = "主分類";
pub(super) const GOOD_QUOTE: &str = "引用候補";
pub(super) const NOTE: &str = "メモ";
pub(super) const HEADERS: [&str; 9] = [ID, PREFECTURE, FACILITY, QUESTION, TEXT, CERTAINTY, PRIMARY, GOOD_QUOTE, NOTE];

/// Most UTF-16 units that a cell holds.
const CELL_LIMIT: usize = 32_767;
const TRUNCATED: &str = "…（以下略）";

/// A category as a column of the workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCategory {
    /// Its id.
    pub id: String,
    /// Its header, which no other column has.
    pub label: String,
    /// Whether it can be the primary section.
    pub is_section: bool,
}

/// The categories in report order, each with a header of its own.
pub(super) fn categories(frame: &[FrameCategory]) -> Vec<ReviewCategory> {
    let mut taken: Vec<String> = HEADERS.iter().map(|header| (*header).to_owned()).collect();
    frame
        .iter()
        .map(|category| {
            let mut label = crate::report::one_line(&category.short);
            if label.is_empty() || taken.contains(&label) {
                label = format!("{label}（{}）", category.id);
            }
            taken.push(label.clone());
            ReviewCategory { id: category.id.to_string(), label, is_section: category.kind == CategoryKind::Section }
        })
        .collect()
}

/// What a row's comment was when it was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExportedRow {
    pub(super) id: String,
    /// BLAKE3 of the comment's text.
    pub(super) text: String,
    /// BLAKE3 of the text cell, white space aside.
    pub(super) shown: String,
    pub(super) by_rules: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) decided: BTreeMap<String, Action>,
    pub(super) primary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decided_primary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) good_quote: Option<bool>,
    /// In a cell of its own, since it may be long.
    #[serde(skip)]
    pub(super) note: String,
}

impl ExportedRow {
    pub(super) fn of(comment: &StoredComment) -> Self {
        let text = &comment.comment.text;
        Self {
            id: comment.comment.id.to_string(),
            text: blake3::hash(text.as_bytes()).to_hex().to_string(),
            shown: fingerprint(&cell_text(text)),
            by_rules: comment.codings.iter().map(|coding| coding.category.to_string()).collect(),
            decided: comment.decided_categories.clone(),
            primary: comment.primary.as_ref().map(ToString::to_string),
            decided_primary: comment.decided_primary.clone(),
            good_quote: comment.good_quote,
            note: cell_text(comment.note.as_deref().unwrap_or_default()).into_owned(),
        }
    }

    pub(super) fn is_given(&self, category: &str) -> bool {
        self.by_rules.iter().any(|given| given == category)
    }

    /// What the cell of a category showed.
    pub(super) fn mark(&self, category: &str) -> Mark {
        Mark::of(self.is_given(category), self.decided.get(category).copied())
    }
}

/// What stands in the cell of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nobody and nothing gives it.
    Blank,
    /// The rules give it and nobody decided.
    ByRules,
    /// Accepted.
    Accept,
    /// Removed.
    Remove,
    /// Added.
    Add,
}

impl Mark {
    /// What the drop-down offers.
    pub(super) const OFFERED: [Self; 4] = [Self::ByRules, Self::Accept, Self::Remove, Self::Add];

    fn of(is_given: bool, decided: Option<Action>) -> Self {
        match decided {
            None | Some(Action::Leave) if is_given => Self::ByRules,
            None | Some(Action::Leave) => Self::Blank,
            Some(Action::Remove) => Self::Remove,
            Some(Action::Accept | Action::Add | Action::Primary) if is_given => Self::Accept,
            Some(Action::Accept | Action::Add | Action::Primary) => Self::Add,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Blank => "",
            Self::ByRules => "○",
            Self::Accept => "承認",
            Self::Remove => "外す",
            Self::Add => "追加",
        }
    }

    pub(super) fn parse(cell: &str) -> Option<Self> {
        let cell = folded(cell);
        if is_circle(&cell) {
            return Some(Self::ByRules);
        }
        [Self::Blank, Self::Accept, Self::Remove, Self::Add].into_iter().find(|mark| mark.word() == cell)
    }
}

/// What the cell of 引用候補 shows.
pub(super) fn good_quote_word(good_quote: Option<bool>) -> &'static str {
    match good_quote {
        None => "",
        Some(true) => "○",
        Some(false) => "×",
    }
}

/// The way back from [`good_quote_word`]; `None` for any other word.
pub(super) fn parse_good_quote(cell: &str) -> Option<Option<bool>> {
    let cell = folded(cell);
    match cell.as_str() {
        "" => Some(None),
        "×" | "✕" | "✖" | "x" | "X" => Some(Some(false)),
        "✓" | "✔" | "レ" => Some(Some(true)),
        other if is_circle(other) => Some(Some(true)),
        _ => None,
    }
}

pub(super) fn is_circle(folded: &str) -> bool {
    matches!(folded, "○" | "〇" | "◯" | "⚪")
}

/// A word of a cell without the differences that the eye does not see: width, spaces, variation selectors.
pub(super) fn folded(cell: &str) -> String {
    cell.nfkc().filter(|c| !c.is_whitespace() && !c.is_control() && !('\u{fe00}'..='\u{fe0f}').contains(c)).collect()
}

/// A text as a cell holds it: what cannot be shown is left out, what is too long is cut.
pub(super) fn cell_text(text: &str) -> Cow<'_, str> {
    let shown = printable(text);
    // A character of UTF-8 has at least one byte for each of its UTF-16 units.
    if shown.len() <= CELL_LIMIT || shown.encode_utf16().count() <= CELL_LIMIT {
        return shown;
    }
    let room = CELL_LIMIT - TRUNCATED.encode_utf16().count();
    let mut units = 0;
    let kept: String = shown
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= room
        })
        .collect();
    Cow::Owned(kept + TRUNCATED)
}

/// BLAKE3 of a text cell, without what programs change in passing: white space, line ends, escapes of characters.
pub(super) fn fingerprint(cell: &str) -> String {
    let plain: String = unescaped(cell).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    blake3::hash(plain.as_bytes()).to_hex().to_string()
}

/// A text without the escapes of OOXML (`_x000D_`), which some programs leave in; those written so by the respondent
/// go as well, which does no harm where both sides of a comparison lose them.
fn unescaped(cell: &str) -> Cow<'_, str> {
    if !cell.contains("_x") {
        return Cow::Borrowed(cell);
    }
    let cell = cell.replace("_x005F_", "_").replace("_x005f_", "_");
    let mut out = String::with_capacity(cell.len());
    let mut rest = cell.as_str();
    while let Some(at) = rest.find("_x") {
        let is_escape = rest
            .get(at + 2..at + 7)
            .is_some_and(|tail| tail.ends_with('_') && tail[..4].bytes().all(|digit| digit.is_ascii_hexdigit()));
        let end = if is_escape { at + 7 } else { at + 2 };
        out.push_str(&rest[..if is_escape { at } else { end }]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Name of a column: A, B, …, Z, AA, ….
pub(super) fn column_name(index: usize) -> String {
    let mut name = String::new();
    let mut rest = index + 1;
    while rest > 0 {
        name.insert(0, char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_people_type_them() {
        for (cell, expected) in [
            ("○", Some(Mark::ByRules)),
            (" 〇 ", Some(Mark::ByRules)),
            ("◯", Some(Mark::ByRules)),
            ("", Some(Mark::Blank)),
            ("　", Some(Mark::Blank)),
            ("承認", Some(Mark::Accept)),
            ("外す\n", Some(Mark::Remove)),
            ("追 加", Some(Mark::Add)),
            ("●", None),
            ("削除", None),
        ] {
            assert_eq!(Mark::parse(cell), expected, "{cell}");
        }
        for mark in Mark::OFFERED {
            assert_eq!(Mark::parse(mark.word()), Some(mark));
        }
        for (cell, expected) in [
            ("○", Some(Some(true))),
            ("×", Some(Some(false))),
            ("Ｘ", Some(Some(false))),
            ("", Some(None)),
            ("?", None),
        ] {
            assert_eq!(parse_good_quote(cell), expected, "{cell}");
        }
    }

    #[test]
    fn passing_changes_leave_the_fingerprint() {
        let of = |text: &str| fingerprint(text);
        assert_eq!(of("一行目\n二行目 "), of("一行目_x000D_\r\n二行目"));
        assert_eq!(of("_x0041_"), of("_x005F_x0041_"));
        assert_ne!(of("●が出る"), of("○が出る"));
        assert_ne!(of("a_xb"), of("ab"));
    }

    #[test]
    fn a_text_too_long_for_a_cell_is_cut() {
        let long = "𠮷".repeat(20_000);
        let cell = cell_text(&long);
        assert!(cell.encode_utf16().count() <= CELL_LIMIT);
        assert!(cell.ends_with(TRUNCATED));
        assert_eq!(cell_text("=1+1\r\n\u{7}"), "=1+1\n");
    }

    #[test]
    fn columns_have_names() {
        for (index, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(column_name(index), name);
        }
    }
}
