//! Near-copies: comments that say the same in the same words but for small edits.
//!
//! Candidates come from MinHash signatures of character trigrams cut into bands (Broder 1997; Leskovec,
//! Rajaraman and Ullman, Mining of Massive Datasets, ch. 3); each is then verified by edit distance. What
//! tells incidents apart, numbers and negation, must be the same in both.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

/// Bands of a signature and hashes of a band: trigram sets that share half of their members meet in a band
/// with a probability of 99.5 %, those that share 2 % with one of 0.03 %.
const BANDS: usize = 40;
const ROWS: usize = 3;

/// Share of equal hashes below which a pair is not verified.
const LEAST_AGREEMENT: f32 = 0.2;

/// Largest weighted edit distance by length. An edit of kanji, katakana or Latin weighs more: it more often
/// makes another thing of the sentence than one of hiragana.
const MOST_EDITS: f32 = 0.2;
const CONTENT_WEIGHT: u32 = 3;
const KANA_WEIGHT: u32 = 2;

/// Texts shorter than this must be equal but for spelling of width, case, space and punctuation.
const LEAST_CHARS: usize = 8;

/// Texts longer than this are compared by their trigrams; edit distance takes the square of the length.
const MOST_CHARS: usize = 1_000;
const LEAST_JACCARD: f32 = 0.7;

/// Spellings and degrees of politeness that make no difference, longer ones first.
const SAME: [(&str, &str); 17] = [
    ("ませんでした", "なかった"),
    ("ません", "ない"),
    ("ました", "た"),
    ("でした", "だった"),
    ("出来", "でき"),
    ("無い", "ない"),
    ("無かった", "なかった"),
    ("頂", "いただ"),
    ("下さ", "くださ"),
    ("患者様", "患者さん"),
    ("患者さま", "患者さん"),
    ("為", "ため"),
    ("居る", "いる"),
    ("居た", "いた"),
    ("貰", "もら"),
    ("分から", "わから"),
    ("解ら", "わから"),
];

/// For each text the index of the first one that it is a near-copy of, its own where it is the first.
///
/// The same texts give the same groups. Texts without a letter are groups of their own.
///
/// ```
/// use jirei::report::group_similar;
///
/// let groups = group_similar(&[
///     "カードリーダーが反応せず、何度も再起動した。",
///     "転職後の保険者が反映されていない。",
///     "カードリーダーが反応せず、 何度も再起動しました",
/// ]);
/// assert_eq!(groups, [0, 1, 0]);
/// ```
pub fn group_similar<T: AsRef<str> + Sync>(texts: &[T]) -> Vec<usize> {
    let keys: Vec<Key> = texts.par_iter().map(|text| Key::new(text.as_ref())).collect();
    let mut groups = Vec::with_capacity(texts.len());
    let mut exact: HashMap<&[char], usize> = HashMap::new();
    // Only the first of a group is looked up, so that a chain of small edits does not join different texts.
    let mut bands: HashMap<(usize, [u64; ROWS]), Vec<usize>> = HashMap::new();
    for (i, key) in keys.iter().enumerate() {
        if key.chars.is_empty() {
            groups.push(i);
            continue;
        }
        if let Some(&first) = exact.get(key.chars.as_slice()) {
            groups.push(first);
            continue;
        }
        let own_bands =
            || key.signature.chunks_exact(ROWS).enumerate().map(|(n, rows)| (n, [rows[0], rows[1], rows[2]]));
        let mut candidates: Vec<usize> = own_bands().filter_map(|band| bands.get(&band)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let first = candidates.into_iter().find(|&other| key.is_near_copy_of(&keys[other])).unwrap_or(i);
        if first == i {
            for band in own_bands() {
                bands.entry(band).or_default().push(i);
            }
        }
        exact.insert(&key.chars, first);
        groups.push(first);
    }
    groups
}

/// What is compared of a text.
struct Key {
    /// Letters, digits and signs that stand for letters (●), width and case folded.
    chars: Vec<char>,
    /// Empty where the text is too short to have near-copies.
    signature: Vec<u64>,
    /// Numerals in order of value, so that 一割 and 1割 are the same.
    numerals: Vec<char>,
    negations: usize,
}

impl Key {
    fn new(text: &str) -> Self {
        let mut folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
        for (written, same) in SAME {
            if folded.contains(written) {
                folded = folded.replace(written, same);
            }
        }
        let chars: Vec<char> = folded.chars().filter(|c| c.is_alphanumeric() || "●○ー々".contains(*c)).collect();
        let mut numerals: Vec<char> = chars.iter().filter_map(|&c| numeral(c)).collect();
        numerals.sort_unstable();
        let signature = if chars.len() < LEAST_CHARS { Vec::new() } else { signature(&chars) };
        Self { negations: negations(&folded), chars, signature, numerals }
    }

    fn is_near_copy_of(&self, other: &Self) -> bool {
        let longer = self.chars.len().max(other.chars.len());
        if self.numerals != other.numerals
            || self.negations != other.negations
            || self.chars.len().abs_diff(other.chars.len()) as f32 > MOST_EDITS * longer as f32
        {
            return false;
        }
        let agreeing = self.signature.iter().zip(&other.signature).filter(|(a, b)| a == b).count();
        if (agreeing as f32) < LEAST_AGREEMENT * self.signature.len() as f32 {
            return false;
        }
        if longer > MOST_CHARS {
            return jaccard(&self.chars, &other.chars) >= LEAST_JACCARD;
        }
        let most = (MOST_EDITS * longer as f32 * KANA_WEIGHT as f32) as u32;
        weighted_edits(&self.chars, &other.chars, most) <= most
    }
}

fn signature(chars: &[char]) -> Vec<u64> {
    let shingles: HashSet<u64> = shingles(chars).collect();
    let lowest = |seed: u64| shingles.iter().map(|shingle| mix(shingle ^ mix(seed))).min();
    (0..(BANDS * ROWS) as u64).map(|seed| lowest(seed).unwrap_or_default()).collect()
}

fn shingles(chars: &[char]) -> impl Iterator<Item = u64> {
    chars.windows(3).map(|window| window.iter().fold(0, |hash, &c| mix(hash ^ u64::from(c))))
}

/// Finaliser of SplitMix64.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn jaccard(a: &[char], b: &[char]) -> f32 {
    let (a, b): (HashSet<u64>, HashSet<u64>) = (shingles(a).collect(), shingles(b).collect());
    let both = a.intersection(&b).count();
    both as f32 / (a.len() + b.len() - both).max(1) as f32
}

/// Edit distance with weights; anything above `most` once it is known to be above.
fn weighted_edits(a: &[char], b: &[char], most: u32) -> u32 {
    // Equal ends cost nothing and are most of a near-copy.
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);

    let mut previous: Vec<u32> = std::iter::once(0)
        .chain(b.iter().scan(0, |sum, &c| {
            *sum += weight(c);
            Some(*sum)
        }))
        .collect();
    let mut current = previous.clone();
    for &from in a {
        current[0] = previous[0] + weight(from);
        let mut least = current[0];
        for (j, &to) in b.iter().enumerate() {
            let change = if from == to { 0 } else { weight(from).max(weight(to)) };
            current[j + 1] = (previous[j] + change).min(previous[j + 1] + weight(from)).min(current[j] + weight(to));
            least = least.min(current[j + 1]);
        }
        if least > most {
            return least;
        }
        std::mem::swap(&mut previous, &mut current);
    }
    previous[b.len()]
}

fn weight(c: char) -> u32 {
    if matches!(c, '\u{3041}'..='\u{3096}' | 'ー') { KANA_WEIGHT } else { CONTENT_WEIGHT }
}

fn numeral(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '一' => Some('1'),
        '二' => Some('2'),
        '三' => Some('3'),
        '四' => Some('4'),
        '五' => Some('5'),
        '六' => Some('6'),
        '七' => Some('7'),
        '八' => Some('8'),
        '九' => Some('9'),
        '十' | '百' | '千' | '万' | '半' | '両' => Some(c),
        _ => None,
    }
}

/// Marks of negation.
fn negations(text: &str) -> usize {
    const MARKS: [&str; 12] =
        ["ない", "なかっ", "なく", "なけれ", "せず", "れず", "きず", "えず", "らず", "かず", "未", "不"];
    MARKS.iter().map(|mark| text.matches(mark).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(a: &str, b: &str, expected: bool) {
        assert_eq!(group_similar(&[a, b])[1] == 0, expected, "{a} / {b}");
    }

    #[test]
    fn near_copies() {
        case("顔認証が通らず、暗証番号も忘れていた。", "顔認証が通らず、 暗証番号も忘れていた", true);
        case("顔認証がまた通らず、暗証番号も忘れていた。", "顔認証が通らず、暗唱番号も忘れていた。", true);
        case("資格確認が出来ないので10割をお預かりした。", "資格確認ができないので１０割をお預かりしました。", true);
        case(
            "カードリーダーの前で立ち止まる方が多く受付が混む",
            "カードリーダ－の前で立ち止まる方が多く、受付が混みます。",
            true,
        );
        case("ｶｰﾄﾞを置いたまま帰られた", "カードを置いたまま帰られた", true);
        case("特になし", "特に、なし。", true);
        case("負担割合が一割と出た方が実際は三割だった", "負担割合が1割と出た方が実際は3割だった", true);
    }

    #[test]
    fn different_incidents_in_the_same_words() {
        case("負担割合が1割と表示されたが3割だった。", "負担割合が3割と表示されたが2割だった。", false);
        case("カードリーダーが使える日は助かる。", "カードリーダーが使えない日は困る。", false);
        case("パソコンが固まり再起動した。", "顔認証の機械が固まり再起動した。", false);
        case("姓が変わったのに前の姓で出る。", "住所が変わったのに前の住所で出る。", false);
        case("月に二件ほど無効と表示された。", "月に五件ほど無効と表示された。", false);
        case("特になし", "特に多し", false);
        case("", "", false);
        case("？？", "！！", false);
    }

    #[test]
    fn long_texts_and_no_chains() {
        let long = "受付に列ができて昼休みがなくなった。業者に電話したがつながらない。".repeat(60);
        case(&long, &long.replacen("昼休み", "休けい", 2), true);
        let chain = [
            "患者さんが受付で操作に困る",
            "患者さんが窓口で操作に困る",
            "患者さんが窓口で説明に困る",
            "付添さんが窓口で説明に困る",
        ];
        assert_eq!(group_similar(&chain)[3], 3);
    }
}
