//! Who answered: the prefecture and the kind of institution, in the many ways in which they are written.

use std::fmt;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// One of the 47 prefectures, ordered as in JIS X 0401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefecture(u8);

impl Prefecture {
    /// All of them, from 北海道 (1) to 沖縄県 (47).
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=47).map(Self)
    }

    /// The prefecture of a JIS X 0401 code.
    pub fn from_code(code: u8) -> Option<Self> {
        (1..=47).contains(&code).then_some(Self(code))
    }

    /// Recognises a prefecture in any of its usual spellings: official name, without 都府県, kana of any width,
    /// Hepburn, code, or code and name.
    ///
    /// ```
    /// use jirei::respondent::Prefecture;
    /// for written in ["東京", "東京都", "ﾄｳｷｮｳ", "とうきょうと", "Tokyo", "13", "13 東京都"] {
    ///     assert_eq!(Prefecture::parse(written).map(Prefecture::name), Some("東京都"));
    /// }
    /// assert_eq!(Prefecture::parse("関東"), None);
    /// ```
    pub fn parse(written: &str) -> Option<Self> {
        // Longer than any spelling of any prefecture: not worth normalising (a cell may hold a megabyte).
        if written.len() > 96 {
            return None;
        }
        if let Some(index) = TABLE.iter().position(|(name, ..)| *name == written) {
            return u8::try_from(index + 1).ok().map(Self);
        }
        let key = fold(written);
        let (digits, rest) = key.split_at(key.find(|c: char| !c.is_ascii_digit()).unwrap_or(key.len()));
        let rest = rest.trim_start_matches(['.', ':', '_', '-', '、', ',', ')']);
        let code = digits.parse::<u8>().ok().and_then(Self::from_code);
        match (digits.is_empty(), rest.is_empty()) {
            (true, _) => Self::from_name(rest),
            (false, true) => code,
            (false, false) => code.filter(|code| Self::from_name(rest) == Some(*code)),
        }
    }

    /// Like [`Prefecture::parse`], but a bare number is not a prefecture: for guessing what a column holds.
    pub(crate) fn parse_name(written: &str) -> Option<Self> {
        Self::parse(written).filter(|_| written.chars().any(|c| c.is_alphabetic()))
    }

    fn from_name(key: &str) -> Option<Self> {
        let index = TABLE.iter().position(|&(name, kana, romaji)| {
            let bare = strip_suffix(name, &["都", "府", "県"]);
            let kana_bare = strip_suffix(kana, &["と", "ふ", "けん"]);
            let romaji_bare = ["-to", "-fu", "-ken", "to", "fu", "ken", "pref.", "prefecture"]
                .iter()
                .any(|suffix| key.strip_suffix(suffix).map(|bare| bare.trim_end_matches('-')) == Some(romaji));
            key == name || key == bare || key == kana || key == kana_bare || key == romaji || romaji_bare
        })?;
        u8::try_from(index + 1).ok().map(Self)
    }

    /// Its code in JIS X 0401, from 1 to 47.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Its official name (東京都).
    pub fn name(self) -> &'static str {
        TABLE[usize::from(self.0) - 1].0
    }

    /// Its name in hiragana (とうきょうと).
    pub fn kana(self) -> &'static str {
        TABLE[usize::from(self.0) - 1].1
    }

    /// Its name in Hepburn without a suffix, in small letters (tokyo).
    pub fn romaji(self) -> &'static str {
        TABLE[usize::from(self.0) - 1].2
    }
}

impl fmt::Display for Prefecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of institution that the report tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facility {
    /// 病院
    Hospital,
    /// 医科診療所
    MedicalClinic,
    /// 歯科診療所
    DentalClinic,
}

impl Facility {
    /// Recognises the labels that surveys use. What could be either (内科, 医科有床診療所(病院含む)) is not
    /// recognised: it stays as written.
    ///
    /// ```
    /// use jirei::respondent::Facility;
    /// assert_eq!(Facility::parse("医科診療所（無床）"), Some(Facility::MedicalClinic));
    /// assert_eq!(Facility::parse("歯科"), Some(Facility::DentalClinic));
    /// assert_eq!(Facility::parse("内科"), None);
    /// ```
    pub fn parse(written: &str) -> Option<Self> {
        if written.len() > 96 {
            return None;
        }
        match written {
            "医科診療所" => return Some(Self::MedicalClinic),
            "歯科診療所" => return Some(Self::DentalClinic),
            "病院" => return Some(Self::Hospital),
            _ => {}
        }
        let key = fold(written);
        // A code before the label, as in 「1. 医科診療所」.
        let key = match key.split_once(['.', ':', ')']) {
            Some((code, label)) if code.chars().all(|c| c.is_ascii_digit()) => label,
            _ => &key,
        };
        let (label, note) = match key.split_once('(') {
            Some((label, note)) => (label, note.trim_end_matches(')')),
            None => (key, ""),
        };
        if !matches!(note, "" | "無床" | "有床" | "無床診療所" | "有床診療所" | "医科" | "歯科") {
            return None;
        }
        match (label, note) {
            ("病院", "" | "医科") | ("一般病院" | "医科病院", "") => Some(Self::Hospital),
            ("歯科" | "歯科診療所" | "歯科医院" | "歯科クリニック", "" | "無床" | "有床" | "歯科")
            | ("診療所" | "医院" | "クリニック", "歯科") => Some(Self::DentalClinic),
            (
                "医科"
                | "医科診療所"
                | "医科医院"
                | "医科クリニック"
                | "クリニック"
                | "診療所"
                | "医院"
                | "無床診療所"
                | "有床診療所"
                | "医科無床診療所"
                | "医科有床診療所"
                | "医科無床"
                | "医科有床",
                "" | "無床" | "有床" | "無床診療所" | "有床診療所" | "医科",
            ) => Some(Self::MedicalClinic),
            _ => None,
        }
    }

    /// The name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hospital => "病院",
            Self::MedicalClinic => "医科診療所",
            Self::DentalClinic => "歯科診療所",
        }
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a prefecture or facility says that none was given (無回答, NA …): kept as written and not reported as unknown.
pub fn is_unanswered(written: &str) -> bool {
    written.len() <= 48
        && matches!(
            fold(written).as_str(),
            "" | "無回答"
                | "未回答"
                | "未記入"
                | "記入なし"
                | "回答なし"
                | "不明"
                | "na"
                | "n/a"
                | "-"
                | "ー"
                | "."
        )
}

/// NFKC, katakana to hiragana, no macrons, small letters, no spaces.
fn fold(written: &str) -> String {
    let folded: String = written
        .nfkc()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ァ'..='ヶ' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            _ => c,
        })
        .collect();
    if folded.chars().any(|c| ('\u{c0}'..'\u{250}').contains(&c)) {
        return folded.nfd().filter(|c| !is_combining_mark(*c)).collect();
    }
    // Katakana words such as クリニック must survive: only kana spellings of prefectures want hiragana.
    if folded.contains("くりにっく") { folded.replace("くりにっく", "クリニック") } else { folded }
}

fn strip_suffix<'a>(name: &'a str, suffixes: &[&str]) -> &'a str {
    // 北海道 has no short form, and 京都府 loses only its last character.
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// JIS X 0401: official name, reading, Hepburn without a suffix.
const TABLE: [(&str, &str, &str); 47] = [
    ("北海道", "ほっかいどう", "hokkaido"),
    ("青森県", "あおもりけん", "aomori"),
    ("岩手県", "いわてけん", "iwate"),
    ("宮城県", "みやぎけん", "miyagi"),
    ("秋田県", "あきたけん", "akita"),
    ("山形県", "やまがたけん", "yamagata"),
    ("福島県", "ふくしまけん", "fukushima"),
    ("茨城県", "いばらきけん", "ibaraki"),
    ("栃木県", "とちぎけん", "tochigi"),
    ("群馬県", "ぐんまけん", "gunma"),
    ("埼玉県", "さいたまけん", "saitama"),
    ("千葉県", "ちばけん", "chiba"),
    ("東京都", "とうきょうと", "tokyo"),
    ("神奈川県", "かながわけん", "kanagawa"),
    ("新潟県", "にいがたけん", "niigata"),
    ("富山県", "とやまけん", "toyama"),
    ("石川県", "いしかわけん", "ishikawa"),
    ("福井県", "ふくいけん", "fukui"),
    ("山梨県", "やまなしけん", "yamanashi"),
    ("長野県", "ながのけん", "nagano"),
    ("岐阜県", "ぎふけん", "gifu"),
    ("静岡県", "しずおかけん", "shizuoka"),
    ("愛知県", "あいちけん", "aichi"),
    ("三重県", "みえけん", "mie"),
    ("滋賀県", "しがけん", "shiga"),
    ("京都府", "きょうとふ", "kyoto"),
    ("大阪府", "おおさかふ", "osaka"),
    ("兵庫県", "ひょうごけん", "hyogo"),
    ("奈良県", "ならけん", "nara"),
    ("和歌山県", "わかやまけん", "wakayama"),
    ("鳥取県", "とっとりけん", "tottori"),
    ("島根県", "しまねけん", "shimane"),
    ("岡山県", "おかやまけん", "okayama"),
    ("広島県", "ひろしまけん", "hiroshima"),
    ("山口県", "やまぐちけん", "yamaguchi"),
    ("徳島県", "とくしまけん", "tokushima"),
    ("香川県", "かがわけん", "kagawa"),
    ("愛媛県", "えひめけん", "ehime"),
    ("高知県", "こうちけん", "kochi"),
    ("福岡県", "ふくおかけん", "fukuoka"),
    ("佐賀県", "さがけん", "saga"),
    ("長崎県", "ながさきけん", "nagasaki"),
    ("熊本県", "くまもとけん", "kumamoto"),
    ("大分県", "おおいたけん", "oita"),
    ("宮崎県", "みやざきけん", "miyazaki"),
    ("鹿児島県", "かごしまけん", "kagoshima"),
    ("沖縄県", "おきなわけん", "okinawa"),
];
