//! Normalisation: brings the many ways of writing the same thing to one, and keeps the way back.
//!
//! The original text is never altered. Every range of the normalised text maps to a range of the original on
//! character boundaries, so that evidence, highlights and morphemes can be shown where they stand.
//!
//! What is done, in this order:
//!
//! 1. per character cluster: NFKC (full-width letters, half-width kana, composed dakuten, squared words),
//!    except where it would tear text apart or merge list marks with digits (`①`, `…`, `㈱` keep their kind);
//!    `⚫` and other black circles become `●` (○, ◯ and 〇 stay apart); brackets, `！` and `？` are full width;
//! 2. spaces and line breaks that copying from PDF or a narrow FAX sheet left inside a word go;
//! 3. look-alikes between katakana become what was meant (`カ一ド`, `カ―ド`, `工ラー`);
//! 4. iteration marks of kana are written out (`こゝ`);
//! 5. known slips are replaced by the variant table (`暗唱番号`).

use std::{collections::BTreeMap, ops::Range};

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Text brought to its normal form, with the way back to the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    text: String,
    map: OffsetMap,
}

impl Normalized {
    /// The normalised text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte range of the original that a byte range of the normalised text stands for.
    ///
    /// Both ends lie on character boundaries of the original. A range that touches a replaced place covers
    /// all of that place. An empty range gives an empty range.
    pub fn original_bytes(&self, range: Range<usize>) -> Range<usize> {
        if range.start >= range.end {
            let at = self.map.start_of(range.start);
            return at..at;
        }
        self.map.start_of(range.start)..self.map.end_of(range.end)
    }
}

/// How byte offsets of the normalised text lead back to the original.
///
/// Runs in order, without gaps in the normalised text. Within a run of equal lengths offsets correspond one to
/// one; any other run is replaced as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OffsetMap {
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    normal: u32,
    original: u32,
    normal_len: u32,
    original_len: u32,
    verbatim: bool,
}

impl OffsetMap {
    fn push(&mut self, run: Run) {
        if run.normal_len == 0 {
            return;
        }
        if let Some(last) = self.runs.last_mut()
            && last.verbatim
            && run.verbatim
            && last.original + last.original_len == run.original
        {
            last.normal_len += run.normal_len;
            last.original_len += run.original_len;
            return;
        }
        self.runs.push(run);
    }

    /// The run that holds the normalised byte `at`; the last run for the end of the text.
    fn run_at(&self, at: usize) -> Option<&Run> {
        let index = self.runs.partition_point(|run| run.normal as usize <= at);
        self.runs.get(index.checked_sub(1)?)
    }

    fn start_of(&self, at: usize) -> usize {
        match self.run_at(at) {
            None => 0,
            Some(run) => {
                let within = at - run.normal as usize;
                if within >= run.normal_len as usize {
                    (run.original + run.original_len) as usize
                } else if run.verbatim {
                    run.original as usize + within
                } else {
                    run.original as usize
                }
            }
        }
    }

    /// The original end of a range whose last normalised byte is `end - 1`.
    fn end_of(&self, end: usize) -> usize {
        match self.run_at(end - 1) {
            None => 0,
            Some(run) if run.verbatim => run.original as usize + (end - run.normal as usize),
            Some(run) => (run.original + run.original_len) as usize,
        }
    }
}

/// Brings text to its normal form.
pub struct Normalizer {
    variants: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    meant: Vec<String>,
}

impl Normalizer {
    /// A normaliser with pairs of slips and what is meant by them, both in normal form otherwise.
    pub fn new(variants: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut pairs = BTreeMap::new();
        for (written, meant) in variants {
            if !written.is_empty() && written != meant {
                pairs.entry(written).or_insert(meant);
            }
        }
        let variants = (!pairs.is_empty()).then(|| {
            CharwiseDoubleArrayAhoCorasickBuilder::new()
                .match_kind(MatchKind::LeftmostLongest)
                .build(pairs.keys())
                .expect("a variant table is small enough for the automaton, and has no key empty or twice")
        });
        Self { variants, meant: pairs.into_values().collect() }
    }

    /// Normalises a text.
    ///
    /// ```
    /// let normalizer = jirei::normalize::Normalizer::new([("暗唱番号".to_string(), "暗証番号".to_string())]);
    /// let normalized = normalizer.normalize("ｶｰﾄﾞの暗唱番号");
    /// assert_eq!(normalized.text(), "カードの暗証番号");
    /// assert_eq!(normalized.original_bytes(0.."カード".len()), 0.."ｶｰﾄﾞ".len());
    /// ```
    pub fn normalize(&self, original: &str) -> Normalized {
        let folded = fold(original);
        let Some(variants) = &self.variants else { return folded };
        let mut found = variants.leftmost_find_iter(&folded.text).peekable();
        if found.peek().is_none() {
            return folded;
        }
        let mut text = String::with_capacity(folded.text.len());
        let mut map = OffsetMap::default();
        let mut done = 0;
        for hit in found {
            copy(&folded, done..hit.start(), &mut text, &mut map);
            let meant = &self.meant[hit.value() as usize];
            let original = folded.original_bytes(hit.start()..hit.end());
            map.push(Run {
                normal: text.len() as u32,
                original: original.start as u32,
                normal_len: meant.len() as u32,
                original_len: original.len() as u32,
                verbatim: false,
            });
            text.push_str(meant);
            done = hit.end();
        }
        copy(&folded, done..folded.text.len(), &mut text, &mut map);
        Normalized { text, map }
    }
}

impl Normalizer {
    /// What a person would correct in a text before printing it: white space inside words and known slips, in the
    /// order of the text, never overlapping. Other spellings that are brought to one for matching are no faults.
    ///
    /// ```
    /// let normalizer = jirei::normalize::Normalizer::new([("暗唱番号".to_string(), "暗証番号".to_string())]);
    /// let slips = normalizer.slips("ｶｰﾄﾞの 暗唱番号");
    /// assert_eq!(slips.len(), 2);
    /// assert_eq!((slips[0].meant.as_str(), slips[1].meant.as_str()), ("", "暗証番号"));
    /// ```
    pub fn slips(&self, original: &str) -> Vec<Slip> {
        let folded = fold(original);
        let mut slips: Vec<Slip> = Vec::new();
        if let Some(variants) = &self.variants {
            slips.extend(variants.leftmost_find_iter(&folded.text).map(|hit| Slip {
                byte_range: folded.original_bytes(hit.start()..hit.end()),
                meant: self.meant[hit.value() as usize].clone(),
            }));
        }
        for pair in folded.map.runs.windows(2) {
            let dropped = (pair[0].original + pair[0].original_len) as usize..pair[1].original as usize;
            let words = &original[dropped.clone()];
            let is_gap = words.contains([' ', '\t', '\u{a0}', '\n']) && words.chars().all(char::is_whitespace);
            let is_part = |slip: &Slip| slip.byte_range.start <= dropped.start && dropped.end <= slip.byte_range.end;
            if is_gap && !slips.iter().any(is_part) {
                slips.push(Slip { byte_range: dropped, meant: String::new() });
            }
        }
        slips.sort_by_key(|slip| slip.byte_range.start);
        slips
    }
}

/// Words that were meant otherwise than they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Byte range of the original, on character boundaries.
    pub byte_range: Range<usize>,
    /// What was meant; empty where something goes.
    pub meant: String,
}

/// Copies a range of an already folded text with its runs.
fn copy(from: &Normalized, range: Range<usize>, text: &mut String, map: &mut OffsetMap) {
    if range.is_empty() {
        return;
    }
    let first = from.map.runs.partition_point(|run| (run.normal + run.normal_len) as usize <= range.start);
    for run in &from.map.runs[first..] {
        let start = range.start.max(run.normal as usize);
        let end = range.end.min((run.normal + run.normal_len) as usize);
        if start >= end {
            break;
        }
        let (original, original_len) = if run.verbatim {
            (run.original + (start as u32 - run.normal), (end - start) as u32)
        } else {
            (run.original, run.original_len)
        };
        map.push(Run {
            normal: (text.len() + start - range.start) as u32,
            original,
            normal_len: (end - start) as u32,
            original_len,
            verbatim: run.verbatim,
        });
    }
    text.push_str(&from.text[range]);
}

/// Steps 1 to 4: everything that looks at characters and their neighbours only.
fn fold(original: &str) -> Normalized {
    let mut text = String::with_capacity(original.len() + 8);
    let mut map = OffsetMap::default();
    let mut at = 0;
    let mut line_start = 0;
    while at < original.len() {
        let rest = &original[at..];
        let c = rest.chars().next().expect("`at` lies before the end on a boundary");
        let plain_len = c.len_utf8();
        let next = rest[plain_len..].chars().next();
        // The common case first: a character that is its own normal form and needs no look around.
        if is_plain(c) && !next.is_some_and(|next| is_combining_mark(next) || is_half_width_mark(next)) {
            push_verbatim(&mut text, &mut map, c, at);
            at += plain_len;
            continue;
        }
        let cluster_len = plain_len
            + rest[plain_len..]
                .chars()
                .take_while(|&mark| is_combining_mark(mark) || is_half_width_mark(mark))
                .map(char::len_utf8)
                .sum::<usize>();
        let cluster = &rest[..cluster_len];
        let previous = text.chars().next_back();
        let following = || following_char(&rest[cluster_len..]);
        let replaced = match c {
            ' ' | '\t' | '\u{a0}' if cluster_len == plain_len => space(previous, &rest[plain_len..]),
            '\r' | '\n' if cluster_len == plain_len => {
                let line_chars = original[line_start.min(at)..at].chars().count();
                line_break(c, previous, &rest[plain_len..], line_chars)
            }
            '\u{3000}' => Folded::Char(' '),
            c if c.is_control() || is_invisible(c) => Folded::Nothing,
            '⚫' | '⬤' | '🔴' | '🌑' | '\u{23fa}' => Folded::Char('●'),
            'ゝ' | 'ヽ' => previous.map_or(Folded::Char(c), Folded::Char),
            'ゞ' | 'ヾ' => previous.and_then(voiced).map_or(Folded::Char(c), Folded::Char),
            _ if cluster_len == plain_len
                && let Some(kana) = look_alike(c, previous, following()) =>
            {
                Folded::Char(kana)
            }
            c if keeps_its_kind(c) && cluster_len == plain_len => Folded::Char(c),
            _ => Folded::Nfkc,
        };
        let normal_start = text.len();
        match replaced {
            Folded::Nothing => {}
            Folded::Char(c) => text.push(c),
            Folded::Nfkc => {
                text.extend(cluster.nfkc().filter(|&c| !c.is_control() && !is_invisible(c)).map(after_nfkc))
            }
        }
        let normal_len = text.len() - normal_start;
        map.push(Run {
            normal: normal_start as u32,
            original: at as u32,
            normal_len: normal_len as u32,
            original_len: cluster_len as u32,
            verbatim: text[normal_start..] == *cluster,
        });
        if c == '\n' {
            line_start = at + plain_len;
        }
        at += cluster_len;
    }
    Normalized { text, map }
}

enum Folded {
    Nothing,
    Char(char),
    Nfkc,
}

fn push_verbatim(text: &mut String, map: &mut OffsetMap, c: char, original: usize) {
    let normal = text.len() as u32;
    let len = c.len_utf8() as u32;
    text.push(c);
    map.push(Run { normal, original: original as u32, normal_len: len, original_len: len, verbatim: true });
}

/// Characters that are copied without a second look: ASCII that stands for itself, hiragana, katakana other
/// than iteration marks, and kanji other than those that may be look-alikes of katakana.
fn is_plain(c: char) -> bool {
    match c {
        '!'..='~' => !matches!(c, '-' | '|' | '(' | ')' | '!' | '?'),
        'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' => true,
        '\u{4e00}'..='\u{9fff}' => {
            !matches!(c, '一' | '二' | '力' | '夕' | '卜' | '工' | '八' | '口' | '千' | '亠' | '才')
        }
        '。' | '、' | '「' | '」' | '・' | '●' | '々' => true,
        _ => false,
    }
}

fn is_half_width_mark(c: char) -> bool {
    matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// List marks and dots: NFKC would glue `②` to the digit after it and turn `…` into three full stops.
fn keeps_its_kind(c: char) -> bool {
    matches!(c, '①'..='⑳' | '⓪' | '㉑'..='㉟' | '㊱'..='㊿' | '❶'..='❿' | '…' | '‥' | '〇' | '○' | '◯')
}

/// Brackets and marks of emphasis are full width, as the dictionary has them: `(●)` would else be one unknown word.
fn after_nfkc(c: char) -> char {
    match c {
        '(' => '（',
        ')' => '）',
        '!' => '！',
        '?' => '？',
        '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' => '-',
        '\u{301c}' => '~',
        c => c,
    }
}

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー' | '\u{ff66}'..='\u{ff9d}')
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '々')
}

fn is_kana(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ') || is_katakana(c)
}

fn is_japanese(c: char) -> bool {
    is_kana(c) || is_kanji(c)
}

fn following_char(rest: &str) -> Option<char> {
    rest.chars().find(|c| !is_half_width_mark(*c))
}

/// A run of one ASCII space inside Japanese text is a scar of copying and goes; wider gaps separate.
fn space(previous: Option<char>, rest: &str) -> Folded {
    let next = rest.chars().next();
    match (previous, next) {
        (Some(previous), Some(next)) if is_japanese(previous) && is_japanese(next) => Folded::Nothing,
        (Some(previous), Some(next)) if is_japanese(previous) && matches!(next, '、' | '。' | '」') => {
            Folded::Nothing
        }
        _ => Folded::Char(' '),
    }
}

/// A line break inside a word goes; one that ends an item stays. A break is inside where the line is long
/// enough to have been wrapped, or where the next line goes on in hiragana after kanji or kana.
fn line_break(c: char, previous: Option<char>, rest: &str, line_chars: usize) -> Folded {
    if c == '\r' && rest.starts_with('\n') {
        return Folded::Nothing;
    }
    let next = rest.chars().next();
    let (Some(previous), Some(next)) = (previous, next) else { return Folded::Char('\n') };
    let goes_on = is_japanese(previous) && is_japanese(next);
    let wrapped = line_chars >= 12 || matches!(next, 'ぁ'..='ゖ');
    if goes_on && wrapped { Folded::Nothing } else { Folded::Char('\n') }
}

/// What a character that looks like a katakana or a long-vowel mark stands for among katakana.
fn look_alike(c: char, previous: Option<char>, next: Option<char>) -> Option<char> {
    // 「データ八カ所」: a number before a counter.
    if matches!(c, '一' | '二' | '八' | '千') && matches!(next, Some('カ' | 'ヶ' | 'ヵ' | 'ケ')) {
        return None;
    }
    let after = previous.is_some_and(is_katakana);
    let before = next.is_some_and(is_katakana);
    let before_long = matches!(next, Some('ー' | '一' | '―' | 'ｰ' | '─' | '—'));
    match c {
        '―' | '─' | '—' | '–' | '‐' | '−' | '-' | '－' | 'ｰ' | '|' => {
            (after && before).then_some('ー').or_else(|| {
                // At the end of a word only marks that nobody types as a dash: ｶｰﾄﾞﾘｰﾀﾞｰ is handled by NFKC.
                (after && matches!(c, '―' | '─') && next.is_none_or(|next| matches!(next, 'ぁ'..='ゖ' | '、' | '。')))
                    .then_some('ー')
            })
        }
        '一' => (after
            && (before
                || previous != Some('ー')
                    && next.is_none_or(|n| {
                        matches!(n, 'の' | 'が' | 'を' | 'に' | 'は' | 'で' | 'と' | 'も' | '、' | '。')
                    })))
        .then_some('ー'),
        _ if !(after && before || before_long) => None,
        '二' => Some('ニ'),
        '力' => Some('カ'),
        '夕' => Some('タ'),
        '卜' => Some('ト'),
        '工' => Some('エ'),
        '八' => Some('ハ'),
        '口' => Some('ロ'),
        '千' => Some('チ'),
        '才' => Some('オ'),
        _ => None,
    }
}

fn voiced(c: char) -> Option<char> {
    let mut composed = [c, '\u{3099}'].into_iter().nfc();
    let first = composed.next();
    if composed.next().is_none() { first } else { None }
}
