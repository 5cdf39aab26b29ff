//! Details that have a form of their own: addresses of all kinds, numbers beside their label, dates, firms.

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};

use super::{DetailKind, words::WORDS};

/// A pattern over normalised text whose group `d`, or whole match, is a detail where `accept` agrees.
struct Form {
    kind: DetailKind,
    /// Whether only texts with a digit can match, which most have not.
    needs_digit: bool,
    pattern: Regex,
    accept: fn(&str, Range<usize>) -> bool,
}

/// Pieces that the patterns share. Normalised text has digits and letters in one width.
const PIECES: [(&str, &str); 6] = [
    // Typed as a hyphen, a minus, a dash or, with a Japanese keyboard, a long-vowel mark.
    ("{H}", r"[-ー―—−]"),
    ("{K}", r"[\p{Han}々ヶケヵ]"),
    // Numbers of addresses.
    ("{N}", "[0-9一二三四五六七八九十]"),
    // What joins a label and its number.
    ("{LINK}", r"[\s はがのもをでとだ:=（「『]{0,6}"),
    ("{ERA}", "(?:明治|大正|昭和|平成|令和)"),
    ("{FIRM}", "(?:株式会社|有限会社|合同会社|㈱|㈲|（株）|（有）|（同）)"),
];

/// Kind, whether it needs a digit, pattern, and whether a match is accepted.
type Row = (DetailKind, bool, &'static str, fn(&str, Range<usize>) -> bool);

/// What a number of a person, card, account or institution stands beside.
const NUMBER_LABELS: &str = "(?:被保険者(?:証)?の?(?:記号番号|記号・番号|記号|番号)?|保険証の?(?:記号番号|記号・番号|番号)|記号番号|記号・番号|記号|枝番|保険者番号|マイナンバー|個人番号|患者(?:番号|ID|No)|カルテ(?:番号|No|ID)|診察券の?(?:番号|No)?|医療機関(?:コード|番号)|受給者(?:証)?番号|負担者番号|免許証番号|口座(?:番号)?|(?:製造|シリアル|管理|整理|受付|登録|問い?合わ?せ)(?:番号|ナンバー|No)|ログインID|ID)";

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    use DetailKind::*;
    let table: [Row; 23] = [
        (Mail, false, r"[A-Za-z0-9][-A-Za-z0-9._%+]*@[A-Za-z0-9][-A-Za-z0-9.]*\.[A-Za-z]{2,}", always),
        (Web, false, r"(?:https?://|www\.)[-A-Za-z0-9._~:/?#@！？$&'*+,;=%]+", always),
        (
            Number,
            true,
            r"{LABEL}(?:証だと)?[.．]?{LINK}(?:No[.．]? ?)?(?P<d>[A-Za-z]{0,3}{H}?[0-9](?:[0-9 ]|{H})*[0-9])",
            |text, range| digits(&text[range.clone()]) >= 3 && !is_measure(text, range.end),
        ),
        (Number, true, r"(?:暗証番号|パスワード|PIN){LINK}(?P<d>[0-9]{4,16})", |text, range| {
            !is_measure(text, range.end)
        }),
        (Number, true, r"(?:^|[^-0-9])(?P<d>[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4})(?:$|[^-0-9円])", always),
        (
            Phone,
            true,
            r"(?:^|[^0-9])(?P<d>（?0[0-9]{1,4}(?:{H}|[）（ ])+[0-9]{1,4}(?:{H}|[）（ ])[0-9]{3,4})(?:$|[^0-9])",
            always,
        ),
        (Phone, true, r"(?:^|[^0-9])(?P<d>0[0-9]{9,10})(?:$|[^0-9])", always),
        (
            Phone,
            true,
            r"(?:電話番号|電話|携帯|[Tt][Ee][Ll]|[Ff][Aa][Xx]|内線){LINK}[.．]?(?P<d>[0-9]{2,4}{H}[0-9]{4})",
            always,
        ),
        (Address, true, r"(?P<d>〒{LINK}[0-9]{3}{H}?[0-9]{4})", always),
        (Address, true, r"郵便番号{LINK}(?P<d>[0-9]{3}{H}?[0-9]{4})", always),
        (Address, true, r"(?:^|[^-0-9A-Za-z])(?P<d>[0-9]{3}-[0-9]{4})(?:$|[^-0-9])", always),
        (
            Address,
            true,
            r"(?P<d>(?:{K}{2,3}[都道府県])?{K}{1,6}[市区郡][{K}ぁ-んァ-ヺ]{1,10}?{N}{1,4}(?:丁目|番地?|条|{H})(?:{N}|{H}|[番地号の条丁目]){0,10})",
            is_place,
        ),
        (
            Address,
            true,
            r"(?P<d>(?:{K}{1,4}[市区町村郡])?[{K}がヶ]{2,7}{N}{1,4}丁目(?:{N}{1,4}(?:番地?|{H}|の)?(?:{N}{1,4}号?)?)?)",
            is_place,
        ),
        (
            Address,
            true,
            r"(?P<d>(?:{K}{1,5}[都道府県市区町村郡]){0,3}(?:大字|字){K}{1,8}[0-9]{1,4}(?:番地?)?(?:{H}[0-9]{1,4})*)",
            is_place,
        ),
        (Address, true, r"(?P<d>{K}{1,6}[0-9]{1,4}番地(?:の?[0-9]{1,4})?)", is_place),
        (Address, true, r"(?P<d>[{K}が]{2,7}[0-9]{1,2}{H}[0-9]{1,3}{H}[0-9]{1,4}号?)", is_place),
        (Address, true, r"(?P<d>{K}{1,5}[町台丘][0-9]{1,3}{H}[0-9]{1,4})", is_place),
        (
            Date,
            true,
            r"(?P<d>(?:{ERA}(?:[0-9]{1,2}|元)年|[0-9]{4}年|[0-9]{4}[/.])[0-9]{1,2}[月/.][0-9]{1,2}日?) ?(?:生|うまれ)",
            always,
        ),
        (
            Date,
            true,
            r"(?:生年月日|誕生日|生まれ){LINK}(?P<d>(?:{ERA}|[TSHRtshr])?[.]?[0-9]{1,4}[年./-][0-9]{1,2}[月./-][0-9]{1,2}日?)",
            always,
        ),
        // Who was born before 1989 is given away by the era alone.
        (Date, true, r"(?P<d>(?:明治|大正|昭和|[TS][.]?)[0-9]{1,2}[年./][0-9]{1,2}[月./][0-9]{1,2}日?)", always),
        (Date, true, r"(?P<d>(?:(?:[0-9]{4}|{ERA}[0-9]{1,2})年)?[0-9]{1,2}月[0-9]{1,2}日)", beside_rare_event),
        (Vendor, false, r"(?P<d>{FIRM}[\p{Han}ァ-ヺーA-Za-z&・]{2,16})", always),
        (Vendor, false, r"(?P<d>[\p{Han}ァ-ヺーA-Za-z&・]{2,16}{FIRM})", always),
    ];
    table
        .into_iter()
        .map(|(kind, needs_digit, pattern, accept)| Form { kind, needs_digit, pattern: compiled(pattern), accept })
        .collect()
});

/// A pattern with its pieces filled in. Within brackets only the inside of a class may stand.
pub(super) fn compiled(pattern: &str) -> Regex {
    let mut source = pattern.replace("{LABEL}", NUMBER_LABELS);
    for (piece, class) in PIECES {
        source = source.replace(&format!("[{piece}"), class.strip_suffix(']').unwrap_or(class));
        source = source.replace(piece, class);
    }
    Regex::new(&source).expect("the patterns are constants and tested")
}

/// The detail of a match: its group `d`, or all of it.
pub(super) fn detail_of(captures: &Captures<'_>) -> Range<usize> {
    captures.name("d").or_else(|| captures.get(0)).expect("group 0 always takes part").range()
}

/// Details in a normalised text, in the order of the forms: the earlier one names the kind better.
pub(super) fn find(text: &str, found: &mut Vec<(DetailKind, Range<usize>)>) {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit()) || text.contains("丁目");
    for form in FORMS.iter().filter(|form| has_digit || !form.needs_digit) {
        let ranges = form.pattern.captures_iter(text).map(|captures| detail_of(&captures));
        found.extend(ranges.filter(|range| (form.accept)(text, range.clone())).map(|range| (form.kind, range)));
    }
}

fn always(_: &str, _: Range<usize>) -> bool {
    true
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether a number goes on as an amount: 8桁, 3回, 2つ, 12,000円.
fn is_measure(text: &str, end: usize) -> bool {
    text[end..].starts_with(['桁', '回', '件', '円', '人', '名', '台', '種', '個', 'つ', '文', ',', '%', '割'])
}

/// An address, not a remark on how addresses are written.
fn is_place(text: &str, range: Range<usize>) -> bool {
    let address = &text[range];
    let name = &address[..address.find(|c: char| c.is_ascii_digit()).unwrap_or(address.len())];
    let is_no_place = |word: &String| name.ends_with(word.as_str()) || name.starts_with(word.as_str());
    !name.starts_with("丁目") && !name.starts_with("番地") && !WORDS.not_places.iter().any(is_no_place)
}

/// An exact date singles a case out only beside something that seldom happens.
fn beside_rare_event(text: &str, range: Range<usize>) -> bool {
    // In its own sentence or the next: what stands further off is another matter.
    let start = text[..range.start].rfind('。').map_or(0, |at| at + '。'.len_utf8());
    let end = text[range.end..].match_indices('。').nth(1).map_or(text.len(), |(at, _)| range.end + at);
    WORDS.rare_events.iter().any(|word| text[start..end].contains(word.as_str()))
}
