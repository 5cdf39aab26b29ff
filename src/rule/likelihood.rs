//! How probable it is that a comment holds a text, as an order of magnitude: what is rare is looked for first.

use std::collections::HashMap;

/// Probabilities measured on texts of the rules' own domain, which their examples are: in a survey on cards, カード is
/// common.
#[derive(Debug, Default)]
pub(super) struct Likelihoods {
    /// By run of one to three characters the number of texts that hold it, and the last of them.
    held_by: HashMap<u64, (u32, u32)>,
    texts: u32,
}

/// What the scripts of a text make one think weighs as much as so many texts.
const PRIOR: f32 = 20.0;

/// Characters of the longest runs that are counted. A longer text is as probable as the rarest run in it.
const LONGEST: usize = 3;

impl Likelihoods {
    /// Measures on texts, which are normalised and in lower case.
    pub(super) fn measured(texts: impl Iterator<Item = String>) -> Self {
        let mut likelihoods = Self::default();
        for text in texts {
            likelihoods.texts += 1;
            let number = likelihoods.texts;
            for run in runs(&text, 1..=LONGEST) {
                let (count, last) = likelihoods.held_by.entry(run).or_insert((0, 0));
                if *last != number {
                    (*count, *last) = (*count + 1, number);
                }
            }
        }
        likelihoods
    }

    /// How probable it is that a comment holds a text in lower case.
    pub(super) fn of(&self, text: &str) -> f32 {
        let length = text.chars().count().min(LONGEST);
        let held = runs(text, length..=length).map(|run| self.held_by.get(&run).map_or(0, |&(count, _)| count)).min();
        (held.unwrap_or(0) as f32 + PRIOR * by_script(text)) / (self.texts as f32 + PRIOR)
    }
}

/// Runs of characters of the given lengths, at most three, as numbers.
fn runs(text: &str, lengths: std::ops::RangeInclusive<usize>) -> impl Iterator<Item = u64> {
    lengths.flat_map(move |length| {
        let starts = text.char_indices().map(|(at, _)| at);
        starts.filter_map(move |at| {
            let mut run = text[at..].chars().take(length);
            // No character is 0, so that runs of different lengths differ.
            let number = run.try_fold((0, 0), |(number, count), c| Some((number << 21 | u64::from(c), count + 1)));
            number.filter(|&(_, count)| count == length).map(|(number, _)| number)
        })
    })
}

/// By the scripts of its characters, kana being common and kanji rare, and those after the first far likelier than by
/// chance.
fn by_script(text: &str) -> f32 {
    /// Characters of a usual comment.
    const LENGTH: f32 = 60.0;
    let chances = text.chars().map(|c| match c {
        'ぁ'..='ゖ' | '、' | '。' => (0.03, 0.15),
        'ァ'..='ヺ' | 'ー' => (0.008, 0.1),
        '一'..='鿿' => (0.004, 0.05),
        _ => (0.006, 0.1),
    });
    let chance: f32 = chances.enumerate().map(|(at, (first, later))| if at == 0 { first } else { later }).product();
    (LENGTH * chance).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_texts_hold_is_common() {
        let texts = (0..100).map(|number| format!("カード{}", if number < 5 { "と磁気" } else { "" }));
        let likelihoods = Likelihoods::measured(texts);
        assert!(likelihoods.of("カード") > 0.8);
        assert!((0.02..0.1).contains(&likelihoods.of("磁気")));
        assert!(likelihoods.of("磁石") < 0.02);
        // A run that is nowhere makes a longer text rare.
        assert!(likelihoods.of("カードと磁石") < 0.02);
    }

    #[test]
    fn without_texts_the_script_tells() {
        let likelihoods = Likelihoods::default();
        assert!(likelihoods.of("の") > likelihoods.of("磁"));
        assert!(likelihoods.of("磁") > likelihoods.of("磁気"));
    }

    #[test]
    fn a_text_counts_once() {
        let likelihoods = Likelihoods::measured(["ああああ".to_owned(), "い".to_owned()].into_iter());
        assert_eq!(likelihoods.held_by[&u64::from('あ')].0, 1);
    }
}
