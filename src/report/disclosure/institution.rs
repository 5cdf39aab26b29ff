//! Names of medical institutions, offices and insurers, and of vendors and their products.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::analyze::{Analysis, Morpheme, WordClass};

use super::{
    DetailKind,
    forms::{compiled, detail_of},
    names::Names,
    words::WORDS,
};

/// Kinds of institution that a name stands before.
const KINDS: &str = "(?:総合病院|中央病院|市民病院|記念病院|赤十字病院|病院|クリニック|医院|診療所|歯科|薬局|ドラッグ|整骨院|接骨院|老人ホーム|デイサービス|訪問看護ステーション|ケアセンター|医師会|健康保険組合|健保組合|国保組合)";
/// Kinds of which a clinic calls itself by alone (佐藤内科).
const DEPARTMENTS: &str = "(?:心療内科|内科|整形外科|外科|眼科|小児科|皮膚科|耳鼻咽喉科|耳鼻科|産婦人科|泌尿器科)";

static NAMED: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        format!("(?P<d>(?P<name>[{{K}}ァ-ヺーA-Za-z]{{1,14}}?){KINDS}+)"),
        "(?P<d>(?P<name>{K}{1,5})(?:市|区|町|村)(?:役所|役場))".to_owned(),
        format!("(?P<d>(?P<name>[{{K}}ァ-ヺー]{{2,7}}?){DEPARTMENTS}{KINDS}*)(?:$|[^医師系用{{K}}])"),
        "(?P<d>(?:医療法人|社会福祉法人)(?:社団|財団)?(?P<name>[{K}ァ-ヺーぁ-ん]{1,10}会|[{K}ァ-ヺー]{2,8}))"
            .to_owned(),
        "(?P<d>(?P<name>[{K}ァ-ヺー]{2,8})(?:大学(?:医学部)?(?:附属|付属)病院))".to_owned(),
    ]
    .map(|pattern| compiled(&pattern))
});

static NAMED_IN_KANA: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        "(?P<name>[ぁ-ん]{{3,10}})(?:{{K}}{{0,2}})(?:{DEPARTMENTS}|こども|デンタル|レディース|メンタル)?(?:病院|クリニック|医院|診療所|歯科|内科|眼科|耳鼻科|整形外科|小児科|薬局)+"
    ))
});

/// Institutions in a normalised text.
pub(super) fn find(analysis: &Analysis<'_>, found: &mut Vec<(DetailKind, Range<usize>)>) {
    let text = analysis.text();
    for pattern in NAMED.iter() {
        for captures in pattern.captures_iter(text) {
            let (Some(name), range) = (captures.name("name"), detail_of(&captures)) else { continue };
            if is_name(analysis, &name.range(), &range) {
                found.push((DetailKind::Institution, range));
            }
        }
    }
    for captures in NAMED_IN_KANA.captures_iter(text) {
        let (Some(name), range) = (captures.name("name"), detail_of(&captures)) else { continue };
        if let Some(name) = name_in_kana(analysis, &name.range()) {
            let start = range.start + captures["name"].len() - name.len();
            found.push((DetailKind::Institution, start..range.end));
        }
    }
}

fn is_name(analysis: &Analysis<'_>, name: &Range<usize>, range: &Range<usize>) -> bool {
    let text = analysis.text();
    let words = &text[name.clone()];
    // 小|田|デンタル is made of common words, but the dictionary knows 小田.
    let is_known = |m: &Morpheme<'_>| {
        name.start <= m.byte_range.start as usize
            && m.byte_range.end as usize <= name.end
            && (m.word.pos.starts_with("名詞-固有名詞-人名") || m.word.pos.starts_with("名詞-固有名詞-地域"))
            && !WORDS.common_before_institution.contains(m.surface(text))
    };
    // Single letters are masks already: A病院, B医院.
    let is_letter = words.len() == 1 && words.as_bytes()[0].is_ascii_alphabetic();
    if is_letter || WORDS.is_common(words) && !analysis.morphemes.iter().any(is_known) {
        return false;
    }
    // 歯科 ends 医科歯科 and begins 歯科医師, 歯科用: then it names nothing.
    let follows = text[range.end..].chars().next();
    !(text[range.clone()].ends_with("歯科")
        && follows.is_some_and(|c| !"医のでにはがへとさも、。（）「」 ".contains(c)))
}

/// A name in hiragana without the particles before it; `None` where nothing is left that could be one.
fn name_in_kana<'t>(analysis: &'t Analysis<'_>, run: &Range<usize>) -> Option<&'t str> {
    const BEFORE: [&str; 8] = ["ところの", "となりの", "ちかくの", "の", "は", "が", "で", "から"];
    const NO_NAMES: [&str; 6] = ["かかりつけ", "こども", "ところ", "となり", "ちかく", "よその"];
    const ENDS: [&str; 14] = ["つけ", "て", "の", "な", "る", "い", "た", "に", "で", "は", "が", "も", "と", "を"];
    let text = analysis.text();
    let mut name = &text[run.clone()];
    for particle in BEFORE {
        name = name.strip_prefix(particle).filter(|rest| rest.chars().count() >= 3).unwrap_or(name);
    }
    let is_long = name.chars().count() >= 3;
    if !is_long || NO_NAMES.contains(&name) {
        return None;
    }
    if WORDS.kana_institutions.iter().any(|known| name.ends_with(known.as_str())) {
        return Some(name);
    }
    // Without a noun at its end it is a sentence that goes on: 使えない病院.
    let last = analysis.morphemes.iter().find(|m| m.byte_range.end as usize == run.end);
    let is_noun = last.is_some_and(|m| {
        matches!(m.word.class, WordClass::Noun | WordClass::VerbalNoun) && m.surface(text).chars().count() >= 2
    });
    (is_noun || !ENDS.iter().any(|end| name.ends_with(end))).then_some(name)
}

/// Vendors and products by name.
pub(super) struct Vendors(Names);

impl Vendors {
    /// The vendors of the word list and those of the analyst.
    pub(super) fn new(more: &[String]) -> Self {
        Self(Names::new(WORDS.vendors.iter().chain(more).map(String::as_str)))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<(DetailKind, Range<usize>)>) {
        let names = self.0.find(text).filter(|range| is_own_word(text, range));
        found.extend(names.map(|range| (DetailKind::Vendor, range)));
    }
}

/// Whether a name is no part of a longer word of the same script, nor the head of another word (日立つ, 東芝生).
fn is_own_word(text: &str, range: &Range<usize>) -> bool {
    let script = |c: char| match c {
        'ァ'..='ヺ' | 'ー' => 1,
        'A'..='Z' | 'a'..='z' | '0'..='9' => 2,
        _ => 0,
    };
    let touches = |inner: Option<char>, outer: Option<char>| match (inner, outer) {
        (Some(inner), Some(outer)) => script(inner) != 0 && script(inner) == script(outer),
        _ => false,
    };
    let word = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    let is_part = touches(word.chars().next(), before) || touches(word.chars().next_back(), after);
    let is_head = matches!(word, "日立" | "東芝") && after.is_some_and(|c| "つちてった生".contains(c));
    !is_part && !is_head
}
