//! Names of persons: by what the dictionary knows as a name, and by what stands around it (さん, 様, a label, a title).

use std::{ops::Range, sync::LazyLock};

use crate::analyze::{Analysis, Morpheme};

use super::{DetailKind, names::Names, words::WORDS};

/// After a name that the dictionary knows, without さん.
const TITLES: [&str; 16] = [
    "先生",
    "医師",
    "医",
    "院長",
    "副院長",
    "看護",
    "事務",
    "事務長",
    "主任",
    "課長",
    "係長",
    "部長",
    "会長",
    "技師",
    "衛生",
    "ドクター",
];
/// Before a name, with a particle or a mark between: 受付の小宮山が, 患者：田中.
const LABELS: [&str; 22] = [
    "氏名",
    "名前",
    "患者",
    "担当",
    "担当者",
    "医",
    "院長",
    "医師",
    "看護師",
    "師",
    "員",
    "事務長",
    "事務",
    "受付",
    "職員",
    "スタッフ",
    "士",
    "長",
    "窓口",
    "妻",
    "夫",
    "さん",
];
/// Ends of a run of kanji that is a role or a body: 担当者様, 当院様.
const ROLE_ENDS: &str = "者員師士屋婦長役主方係手客族徒童課庁局社店所院省署会国県市区町村府都人医機関庫部科側達々名上";

/// Persons in a normalised text.
pub(super) fn find(analysis: &Analysis<'_>, found: &mut Vec<(DetailKind, Range<usize>)>) {
    let scan = Scan { text: analysis.text(), morphemes: &analysis.morphemes };
    for at in 0..scan.morphemes.len() {
        if scan.is_honorific(at)
            && let Some(range) = scan.before_honorific(at)
        {
            found.push((DetailKind::Person, range));
        }
        if scan.is_surname(at)
            && let Some(range) = scan.bare_name(at)
        {
            found.push((DetailKind::Person, range));
        }
    }
    in_hiragana(analysis.text(), found);
}

struct Scan<'a> {
    text: &'a str,
    morphemes: &'a [Morpheme<'a>],
}

impl Scan<'_> {
    fn surface(&self, at: usize) -> &str {
        self.morphemes[at].surface(self.text)
    }

    fn chars(&self, at: usize) -> usize {
        self.surface(at).chars().count()
    }

    fn pos(&self, at: usize) -> &str {
        if self.morphemes[at].is_oov() { "名詞-未知" } else { &self.morphemes[at].word.pos }
    }

    fn range(&self, first: usize, last: usize) -> Range<usize> {
        self.morphemes[first].byte_range.start as usize..self.morphemes[last].byte_range.end as usize
    }

    /// What stands between a morpheme and the one before it.
    fn gap_before(&self, at: usize) -> &str {
        &self.text[self.morphemes[at - 1].byte_range.end as usize..self.morphemes[at].byte_range.start as usize]
    }

    fn is_honorific(&self, at: usize) -> bool {
        (self.pos(at) == "名詞-接尾-人名" && self.surface(at) != "家")
            || at > 0 && self.pos(at - 1).starts_with("名詞") && self.surface(at) == "サン"
    }

    fn is_surname(&self, at: usize) -> bool {
        self.pos(at) == "名詞-固有名詞-人名-姓"
    }

    fn is_personal(&self, at: usize) -> bool {
        self.pos(at).starts_with("名詞-固有名詞-人名")
    }

    /// The name that an honorific closes.
    fn before_honorific(&self, honorific: usize) -> Option<Range<usize>> {
        let mut first = honorific;
        while first > 0 && self.may_be_of_name(first - 1, first == honorific) {
            match self.gap_before(first) {
                "" => {}
                // Between family and given name.
                " " if self.is_personal(first - 1) || self.is_katakana(first - 1) => {}
                " " if first == honorific => {}
                _ => break,
            }
            first -= 1;
        }
        // A mark between two parts belongs to neither at the start.
        while first < honorific && self.surface(first) == "・" {
            first += 1;
        }
        if first == honorific {
            return None;
        }
        // Words before the first part that the dictionary knows as a name belong to the sentence, kanji that it
        // takes apart to the name.
        let named = (first..honorific).find(|&at| self.is_personal(at));
        let start = match named {
            Some(at) if !self.is_katakana(first) => at,
            _ => first,
        };
        let range = self.range(start, honorific - 1);
        let name = &self.text[range.clone()];
        let is_known = (start..honorific).any(|at| self.is_personal(at));
        (!WORDS.not_persons.contains(name) && (is_known || self.is_name_like(start, name))).then_some(range)
    }

    /// Whether a run of parts that the dictionary does not know as a name reads like one.
    fn is_name_like(&self, first: usize, name: &str) -> bool {
        let count = name.chars().count();
        if name.chars().all(is_katakana) {
            // Names have neither long vowels at their end nor the small vowels of loan words.
            let is_loan = name.ends_with('ー') || name.contains(['ァ', 'ィ', 'ゥ', 'ェ', 'ォ']);
            let is_role = WORDS.not_persons.iter().any(|word| name.ends_with(word.as_str()));
            return !is_loan && !is_role && count >= 2;
        }
        let ends_like_a_role = name.chars().next_back().is_some_and(|last| ROLE_ENDS.contains(last));
        let goes_on_from_noun =
            first > 0 && self.gap_before(first).is_empty() && self.pos(first - 1).starts_with("名詞");
        match count {
            1 => {
                const WORDS: &str = "客皆奥神娘母父兄姉妹弟孫嫁子王有同一各何親医人者方夫妻女男両多異仕模今外左右上下前後無別逆君姫坊殿";
                !name.contains(|c| WORDS.contains(c)) && name.chars().all(is_kanji) && !goes_on_from_noun
            }
            2..=6 => !ends_like_a_role && !goes_on_from_noun && !name.contains("●"),
            _ => false,
        }
    }

    /// Whether a morpheme can be a part of a name before an honorific.
    fn may_be_of_name(&self, at: usize, is_last: bool) -> bool {
        let surface = self.surface(at);
        let pos = self.pos(at);
        if pos.starts_with("名詞-固有名詞") {
            // Places are names of persons only right before さん; 東京都 is none.
            return is_last || !pos.contains("地域") && !pos.contains("組織") || self.is_katakana(at);
        }
        if surface == "・" {
            return !is_last && at > 0 && self.is_katakana(at - 1);
        }
        let is_oov = self.morphemes[at].is_oov();
        let all_kanji = surface.chars().all(is_kanji);
        (is_oov && (all_kanji || self.is_katakana(at)))
            // 井|河様, 柊様: kanji that the dictionary takes one by one.
            || pos.starts_with("名詞") && all_kanji && self.chars(at) == 1 && !matches!(pos, "名詞-数" | "名詞-非自立-一般")
    }

    /// A family name without an honorific: with its given name, before a title, behind a label.
    fn bare_name(&self, at: usize) -> Option<Range<usize>> {
        let next = at + 1 < self.morphemes.len();
        let touches = next && matches!(self.gap_before(at + 1), "" | " ");
        let is_long = self.chars(at) >= 2;
        // Part of a longer word: 土屋|根, 金|子ども.
        let after_name = if touches && self.is_personal(at + 1) { at + 2 } else { at + 1 };
        let ends = after_name >= self.morphemes.len()
            || !self.gap_before(after_name).is_empty()
            || self.pos(after_name).starts_with("助")
            || self.pos(after_name).starts_with("記号");
        if touches && self.pos(at + 1) == "名詞-固有名詞-人名-名" && is_long && self.chars(at + 1) >= 2 && ends
        {
            return Some(self.range(at, at + 1));
        }
        if touches && self.gap_before(at + 1).is_empty() {
            let title = self.surface(at + 1);
            if TITLES.contains(&title) && (is_long || title == "先生") {
                return Some(self.range(at, at));
            }
        }
        if !is_long || !ends {
            return None;
        }
        let last = after_name - 1;
        (self.is_labelled(at) || self.is_called(after_name)).then(|| self.range(at, last))
    }

    /// Whether a label stands before: 受付の小宮山, 氏名：高橋.
    fn is_labelled(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        let label = match self.surface(before) {
            "の" | "は" | "が" | "：" | ":" | "「" | "（" => before.checked_sub(1),
            _ => Some(before),
        };
        label.is_some_and(|label| LABELS.contains(&self.surface(label)))
    }

    /// Whether it is said to be someone's name: 〜という患者.
    fn is_called(&self, after: usize) -> bool {
        const CALLED: [&str; 4] = ["という", "と言う", "と名乗る", "とおっしゃる"];
        const PERSONS: [&str; 7] = ["患者", "方", "女性", "男性", "高齢", "人", "名前"];
        let rest = self.morphemes.get(after).map_or("", |m| &self.text[m.byte_range.start as usize..]);
        let called = CALLED.iter().find_map(|words| rest.strip_prefix(words));
        called.is_some_and(|rest| PERSONS.iter().any(|person| rest.starts_with(person)))
    }

    fn is_katakana(&self, at: usize) -> bool {
        self.surface(at).chars().all(is_katakana)
    }
}

/// Family names in hiragana, which the analyser takes for other words.
fn in_hiragana(text: &str, found: &mut Vec<(DetailKind, Range<usize>)>) {
    static NAMES: LazyLock<Names> = LazyLock::new(|| Names::new(WORDS.kana_surnames.iter().map(String::as_str)));
    for hit in NAMES.find(text) {
        let honorific = ["さん", "様", "さま", "氏", "くん", "ちゃん"].iter().any(|h| text[hit.end..].starts_with(h));
        // Hiragana before it is the rest of another word, but for particles.
        let before = text[..hit.start].chars().next_back();
        let is_own = before.is_none_or(|c| !('ぁ'..='ん').contains(&c) || "のはがにでとをやもへ".contains(c));
        if honorific && is_own {
            found.push((DetailKind::Person, hit));
        }
    }
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '々' | 'ヶ')
}

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー' | '・')
}
