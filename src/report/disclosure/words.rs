//! The lists of `dictionaries/disclosure.toml`.

use std::{collections::HashSet, sync::LazyLock};

use serde::Deserialize;

const FILE: &str = include_str!("../../../dictionaries/disclosure.toml");

/// Words that the check knows, each list described in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) vendors: Vec<String>,
    pub(super) kana_surnames: Vec<String>,
    pub(super) kana_institutions: Vec<String>,
    pub(super) not_persons: HashSet<String>,
    pub(super) common_before_institution: HashSet<String>,
    pub(super) rare_events: Vec<String>,
    pub(super) not_places: Vec<String>,
}

pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| toml::from_str(FILE).expect("the lists are compiled in and tested"));

impl Words {
    /// Whether a text is made of nothing but words that stand before 病院 or 薬局 without naming one.
    pub(super) fn is_common(&self, text: &str) -> bool {
        // Ends that a row of common words can reach, from left to right.
        let mut reached: HashSet<usize> = HashSet::from([0]);
        for (start, _) in text.char_indices() {
            if !reached.contains(&start) {
                continue;
            }
            for (length, c) in text[start..].char_indices() {
                let end = start + length + c.len_utf8();
                if self.common_before_institution.contains(&text[start..end]) {
                    reached.insert(end);
                }
            }
        }
        reached.contains(&text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_common_words() {
        for text in ["大学", "循環器内科", "民間総合", "特別養護老人"] {
            assert!(WORDS.is_common(text), "{text}");
        }
        for text in ["大川", "南が丘総合"] {
            assert!(!WORDS.is_common(text), "{text}");
        }
    }
}
