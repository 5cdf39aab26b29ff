//! Which quotes are printed where not all are.

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use crate::comment::Comment;

use super::similar::mix;

/// How many quotes are printed in a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// All.
    #[default]
    All,
    /// The best ones with a fair spread: kinds of facility in proportion, as many prefectures as possible.
    PerTable {
        /// Most quotes of a table, of each part where it has parts.
        count: usize,
        /// Decides between quotes that are equal in everything else.
        seed: u64,
    },
}

/// A quote that could be printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'c> {
    pub(super) comment: &'c Comment,
    pub(super) quality: Quality,
}

/// How well a comment serves as a quote; the greater the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quality {
    ticked: bool,
    score: u32,
}

impl Quality {
    /// A tick comes before all; then length within limits, concreteness and confidence together.
    pub(super) fn new(text: &str, confidence: f32, ticked: bool) -> Self {
        let confidence = (confidence.clamp(0.0, 1.0) * 20.0) as u32;
        Self { ticked, score: length_score(text) + concreteness(text) + confidence }
    }
}

/// Positions of the chosen candidates, in ascending order; the same for the same candidates and seed.
pub(super) fn choose(candidates: &[Candidate<'_>], choice: Choice) -> Vec<usize> {
    let Choice::PerTable { count, seed } = choice else { return (0..candidates.len()).collect() };
    if candidates.len() <= count {
        return (0..candidates.len()).collect();
    }
    let facilities = Classes::new(candidates.iter().map(|candidate| candidate.comment.facility.as_deref()));
    let prefectures = Classes::new(candidates.iter().map(|candidate| candidate.comment.prefecture.as_deref()));
    let available = facilities.count(0..candidates.len());
    let lots: Vec<u64> = candidates
        .iter()
        .map(|candidate| {
            candidate.comment.id.as_str().bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)))
        })
        .collect();

    let mut from_facility = vec![0; available.len()];
    let mut from_prefecture = prefectures.count(0..0);
    let mut left: Vec<usize> = (0..candidates.len()).collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(count);
    while chosen.len() < count {
        // Sainte-Laguë: the kind of facility that is furthest behind its share comes next. Among its quotes
        // the least-heard prefecture, then the best quote. A tick goes before all.
        let rank = |i: usize| {
            let facility = facilities.of[i];
            let share = (available[facility] * 1_000_000) / (2 * from_facility[facility] + 1);
            let heard = from_prefecture[prefectures.of[i]];
            let quality = candidates[i].quality;
            (quality.ticked, share, Reverse(heard), quality, lots[i], Reverse(i))
        };
        let best = (0..left.len()).max_by_key(|&n| rank(left[n])).expect("more candidates than places");
        let best = left.swap_remove(best);
        from_facility[facilities.of[best]] += 1;
        from_prefecture[prefectures.of[best]] += 1;
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen
}

/// Names as numbers from 0.
struct Classes {
    /// The number of each candidate's name.
    of: Vec<usize>,
    names: usize,
}

impl Classes {
    fn new<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut numbers: HashMap<Option<&str>, usize> = HashMap::new();
        let of = names
            .map(|name| {
                let next = numbers.len();
                *numbers.entry(name).or_insert(next)
            })
            .collect();
        Self { of, names: numbers.len() }
    }

    /// How many of the candidates carry each name.
    fn count(&self, candidates: Range<usize>) -> Vec<usize> {
        let mut counts = vec![0; self.names];
        candidates.for_each(|i| counts[self.of[i]] += 1);
        counts
    }
}

/// Up to 40: full from 25 to 140 characters, which stand in one to four lines of the table.
fn length_score(text: &str) -> u32 {
    match text.chars().filter(|c| !c.is_whitespace()).count() {
        0..=7 => 0,
        8..=14 => 12,
        15..=24 => 28,
        25..=140 => 40,
        141..=220 => 26,
        221..=400 => 12,
        _ => 0,
    }
}

/// Up to 40: what happened, in words that could only be said of it; less for opinions.
fn concreteness(text: &str) -> u32 {
    let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let mut score = 10;
    // How many, how long, how much.
    if text.chars().any(|c| c.is_ascii_digit() || ('０'..='９').contains(&c)) || has(&["割", "回", "件", "時間", "日"])
    {
        score += 10;
    }
    // Something that happened, told in the past.
    if has(&["した", "った", "れた", "いた", "きた", "けた", "えた", "んだ"]) {
        score += 10;
    }
    // Words that were shown or said.
    if has(&["「", "『", "●", "エラー", "無効"]) {
        score += 5;
    }
    // A person who was there.
    if has(&["患者", "さん", "方が", "方の", "家族", "スタッフ"]) {
        score += 5;
    }
    if has(&["ほしい", "欲しい", "べき", "と思う", "と思い", "思います", "反対", "すべて", "全て"])
    {
        score -= 8;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::CommentId;

    fn comments() -> Vec<Comment> {
        let prefectures = ["東京都", "大阪府", "愛知県", "北海道", "福岡県"];
        (0..100)
            .map(|i| Comment {
                id: CommentId::new(i.to_string()),
                prefecture: Some(prefectures[if i < 60 { 0 } else { i % 5 }].to_owned()),
                facility: Some(["医科診療所", "歯科診療所", "病院"][if i % 10 == 0 { 2 } else { i % 2 }].to_owned()),
                ..Comment::from_text(format!("カードを{i}回かざしても「無効」と出て受付が止まった。"))
            })
            .collect()
    }

    fn chosen(comments: &[Comment], seed: u64, ticked: &[usize]) -> Vec<usize> {
        let candidates: Vec<_> = comments
            .iter()
            .enumerate()
            .map(|(i, comment)| Candidate { comment, quality: Quality::new(&comment.text, 0.9, ticked.contains(&i)) })
            .collect();
        choose(&candidates, Choice::PerTable { count: 20, seed })
    }

    #[test]
    fn spreads_over_prefectures_and_facilities() {
        let comments = comments();
        let chosen = chosen(&comments, 0, &[]);
        assert_eq!(chosen.len(), 20);
        let count = |f: &dyn Fn(&Comment) -> bool| chosen.iter().filter(|&&i| f(&comments[i])).count();
        for prefecture in ["東京都", "大阪府", "愛知県", "北海道", "福岡県"] {
            let count = count(&|comment| comment.prefecture.as_deref() == Some(prefecture));
            assert!((3..=6).contains(&count), "{prefecture}: {count}");
        }
        assert_eq!(count(&|comment| comment.facility.as_deref() == Some("病院")), 2);
    }

    #[test]
    fn ticks_come_first_and_seed_decides_the_rest() {
        let comments = comments();
        let ticked = [3, 5, 7, 9];
        assert!(ticked.iter().all(|i| chosen(&comments, 0, &ticked).contains(i)));
        assert_eq!(chosen(&comments, 1, &[]), chosen(&comments, 1, &[]));
        assert_ne!(chosen(&comments, 1, &[]), chosen(&comments, 2, &[]));
    }

    #[test]
    fn quality() {
        let quality = |text| Quality::new(text, 0.9, false);
        assert!(quality("昼前に「認証エラー」が続き、3人の患者さんに待っていただいた。") > quality("エラーが多い。"));
        assert!(
            quality("氏名の一部が●になり、その都度カルテで確かめた。")
                > quality("すべて元に戻してほしいと思います。何もかも反対です。")
        );
        assert!(
            Quality::new("だめ", 0.1, true) > quality("昼前に「認証エラー」が続き、3人の患者さんに待っていただいた。")
        );
    }
}
