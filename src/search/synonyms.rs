//! The synonym table of `dictionaries/synonyms.csv`: groups of words that mean the same to the one who searches.

use std::collections::HashMap;

use crate::index::kana::{comparable_reading, is_kana_only};

const SYNONYMS: &str = include_str!("../../dictionaries/synonyms.csv");

/// Groups of words that find each other.
#[derive(Debug, Clone, Default)]
pub struct Synonyms {
    groups: Vec<Vec<String>>,
    group_of: HashMap<String, Vec<usize>>,
}

impl Synonyms {
    /// The table that comes with the program.
    pub fn embedded() -> Self {
        Self::parse(SYNONYMS)
    }

    /// Reads a table: a header `terms`, then one group a line, its words separated by `|`. Lines that begin with
    /// `#` and groups of a single word say nothing.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.starts_with('#'));
        let groups = lines
            .skip_while(|line| line.is_empty())
            .skip(1)
            .map(|line| line.split('|').map(|term| term.trim().to_owned()).filter(|term| !term.is_empty()).collect());
        Self::from_groups(groups)
    }

    /// A table of given groups.
    pub fn from_groups(groups: impl IntoIterator<Item = Vec<String>>) -> Self {
        let groups: Vec<Vec<String>> = groups.into_iter().filter(|group| group.len() > 1).collect();
        let mut group_of: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            for term in group {
                for key in keys(term) {
                    let indices = group_of.entry(key).or_default();
                    if indices.last() != Some(&index) {
                        indices.push(index);
                    }
                }
            }
        }
        Self { groups, group_of }
    }

    /// The other words of a word's groups, in the table's order. A word in kana is the same in either kana.
    pub fn of(&self, word: &str) -> Vec<&str> {
        let written = word.to_lowercase();
        let mut found: Vec<&str> = Vec::new();
        for group in keys(word).into_iter().filter_map(|key| self.group_of.get(&key)).flatten() {
            for term in &self.groups[*group] {
                if term.to_lowercase() != written && !found.contains(&term.as_str()) {
                    found.push(term);
                }
            }
        }
        found
    }
}

/// What a word is looked up by: as written, and where it is written in kana by its reading.
fn keys(word: &str) -> Vec<String> {
    let mut keys = vec![word.to_lowercase()];
    if is_kana_only(word) {
        keys.extend(Some(comparable_reading(word)).filter(|reading| *reading != keys[0]));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_find_the_others_of_their_groups() {
        let synonyms = Synonyms::parse("terms\n# 番号\n暗証番号|パスワード|PIN\n停電\nPIN|ピン\n");
        assert_eq!(synonyms.of("pin"), ["暗証番号", "パスワード", "ピン"]);
        assert_eq!(synonyms.of("パスワード"), ["暗証番号", "PIN"]);
        assert_eq!(synonyms.of("ぱすわーど"), ["暗証番号", "パスワード", "PIN"]);
        assert!(synonyms.of("停電").is_empty());
    }
}
