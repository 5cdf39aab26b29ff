//! The check for details that identify a patient or an institution, made before an appendix goes out.
//!
//! It looks for forms (telephone numbers, addresses, a number beside its label) and for names where their
//! surroundings give them away (さん, 様, クリニック). What it finds is offered with a mask; a person decides.

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};
use serde::Serialize;

use crate::comment::CommentId;

use super::Appendix;

/// What a finding identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailKind {
    /// Mail address.
    Mail,
    /// Web address.
    Web,
    /// Telephone or fax number.
    Phone,
    /// Postal code or street address.
    Address,
    /// Number of a person, card, account or institution.
    Number,
    /// Date of birth, or an exact date beside a rare event.
    Date,
    /// Name of a medical institution, office or insurer.
    Institution,
    /// Name of a vendor or of its product.
    Vendor,
    /// Name of a person.
    Person,
}

impl DetailKind {
    /// Its name in messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mail => "メールアドレス",
            Self::Web => "ウェブの住所",
            Self::Phone => "電話番号",
            Self::Address => "住所",
            Self::Number => "番号",
            Self::Date => "日付",
            Self::Institution => "機関名",
            Self::Vendor => "業者名・製品名",
            Self::Person => "人名",
        }
    }

    /// What is proposed in its place.
    pub fn mask(self) -> &'static str {
        match self {
            Self::Mail => "（メールアドレス）",
            Self::Web => "（URL）",
            Self::Phone => "（電話番号）",
            Self::Address => "（住所）",
            Self::Number => "（番号）",
            Self::Date => "（日付）",
            Self::Institution => "（機関名）",
            Self::Vendor => "（業者名）",
            Self::Person => "（氏名）",
        }
    }
}

/// A detail that may identify someone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it identifies.
    pub kind: DetailKind,
    /// Range in *characters* of the text.
    pub char_range: Range<usize>,
    /// The words found.
    pub text: String,
    /// What is proposed in their place.
    pub mask: String,
}

/// A finding and the row that it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFinding {
    /// Label of the row where the quote stands first.
    pub label: String,
    /// The comment.
    pub comment: CommentId,
    /// The quote that the range counts in.
    pub quote: String,
    /// The finding.
    pub finding: Finding,
}

/// Details of a text that may identify someone, in the order of the text, never overlapping.
///
/// ```
/// use jirei::report::{find_details, mask_details};
///
/// let text = "田中さんの件で03-1234-5678に電話した。業者さんは出ない。";
/// let findings = find_details(text);
/// assert_eq!(mask_details(text, &findings), "（氏名）さんの件で（電話番号）に電話した。業者さんは出ない。");
/// ```
pub fn find_details(text: &str) -> Vec<Finding> {
    let mut found: Vec<(DetailKind, Range<usize>)> = Vec::new();
    for detector in DETECTORS.iter() {
        for captures in detector.pattern.captures_iter(text) {
            let found_at = captures.name("d").or_else(|| captures.get(0)).expect("group 0 always takes part");
            if let Some(range) = (detector.refine)(text, &captures, found_at.range()) {
                found.push((detector.kind, range));
            }
        }
    }
    // The earlier detector names the kind better; among the findings of one place the first one stays.
    let mut kept: Vec<(DetailKind, Range<usize>)> = Vec::new();
    for (kind, range) in found {
        if kept.iter().all(|(_, other)| range.end <= other.start || other.end <= range.start) {
            kept.push((kind, range));
        }
    }
    kept.sort_by_key(|(_, range)| range.start);
    let chars = |byte: usize| text[..byte].chars().count();
    kept.into_iter()
        .map(|(kind, range)| Finding {
            kind,
            char_range: chars(range.start)..chars(range.end),
            text: text[range].to_owned(),
            mask: kind.mask().to_owned(),
        })
        .collect()
}

/// The text with each finding's mask in its place. The findings must be of this text and in its order.
pub fn mask_details(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut findings = findings.iter().peekable();
    for (i, c) in text.chars().enumerate() {
        while findings.next_if(|finding| finding.char_range.end <= i).is_some() {}
        match findings.peek() {
            Some(finding) if finding.char_range.start == i => out.push_str(&finding.mask),
            Some(finding) if finding.char_range.contains(&i) => {}
            _ => out.push(c),
        }
    }
    out
}

impl Appendix {
    /// Details in the quotes that may identify someone, in the order of print; a quote that is repeated in
    /// lists is looked at once.
    pub fn find_details(&self) -> Vec<RowFinding> {
        let mut seen = std::collections::HashSet::new();
        let mut findings = Vec::new();
        for (_, _, row) in self.rows() {
            if !seen.insert((&row.comment, &row.quote)) {
                continue;
            }
            findings.extend(find_details(&row.quote).into_iter().map(|finding| RowFinding {
                label: row.label.clone(),
                comment: row.comment.clone(),
                quote: row.quote.clone(),
                finding,
            }));
        }
        findings
    }
}

/// A pattern whose group `d`, or whole match, is a detail where `refine` agrees.
struct Detector {
    kind: DetailKind,
    pattern: Regex,
    /// Gives the byte range of the detail.
    refine: fn(&str, &Captures<'_>, Range<usize>) -> Option<Range<usize>>,
}

/// What the patterns are written with, in either width.
const PIECES: [(&str, &str); 7] = [
    ("{D}", "[0-9０-９]"),
    ("{H}", "[-－‐‑–—―−ー\u{ff70}]"),
    ("{A}", "[A-Za-z0-9Ａ-Ｚａ-ｚ０-９]"),
    ("{K}", r"[\p{Han}々ヶ]"),
    ("{T}", "[ァ-ヺー]"),
    ("{N}", "[0-9０-９一二三四五六七八九十]"),
    ("{LINK}", r"[\s　はがのをで:：=＝（(「『]{0,5}"),
];

static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    use DetailKind::*;
    vec![
        detector(
            Mail,
            r"{A}[-A-Za-z0-9Ａ-Ｚａ-ｚ０-９._%+．＿]*[@＠]{A}[-A-Za-z0-9Ａ-Ｚａ-ｚ０-９.．]*[.．][A-Za-zＡ-Ｚａ-ｚ]{2,}",
            as_found,
        ),
        detector(Web, r"(?:https?://|www\.)[-A-Za-z0-9._~:/?#@!$&'*+,;=%]+", as_found),
        detector(
            Number,
            r"(?:被保険者(?:証)?(?:の)?(?:記号|番号|記号番号)|保険証(?:の)?(?:記号番号|番号)|記号(?:・)?番号|記号|枝番|保険者番号|マイナンバー|個人番号|患者番号|患者ID|患者ＩＤ|カルテ(?:番号|No|ＮＯ|NO)|診察券(?:番号)?|医療機関コード|医療機関番号|受給者番号|負担者番号|免許証番号|口座(?:番号)?|製造番号|シリアル(?:番号|ナンバー)?|管理番号|整理番号|受付番号|登録番号|ログインID|ID)[.．]?{LINK}(?P<d>[A-Za-zＡ-Ｚ]{0,3}{H}?{D}(?:{D}|{H}|[ 　])*{D})",
            long_number(3),
        ),
        detector(Number, r"(?:暗証番号|パスワード|PIN)(?:{LINK})(?P<d>{D}{4,})", long_number(4)),
        detector(Number, r"(?:^|[^0-9０-９])(?P<d>{D}{4}[-－ 　]?{D}{4}[-－ 　]?{D}{4})(?:$|[^0-9０-９])", as_found),
        detector(
            Phone,
            r"(?:^|[^0-9０-９])(?P<d>[(（]?[0０]{D}{1,4}(?:{H}|[)）(（ 　]){D}{1,4}(?:{H}|[)）(（ 　]){D}{3,4})(?:$|[^0-9０-９])",
            as_found,
        ),
        detector(Phone, r"(?:^|[^0-9０-９])(?P<d>[0０]{D}{9,10})(?:$|[^0-9０-９])", as_found),
        detector(
            Phone,
            r"(?:電話番号|電話|携帯|ＴＥＬ|TEL|Tel|tel|℡|ＦＡＸ|FAX|内線){LINK}[.．]?(?P<d>{D}{2,4}{H}{D}{4})",
            as_found,
        ),
        detector(Address, r"〒\s*(?P<d>{D}{3}{H}?{D}{4})", as_found),
        detector(Address, r"(?:^|[^0-9０-９A-Za-z])(?P<d>{D}{3}[-－]{D}{4})(?:$|[^0-9０-９-])", as_found),
        detector(
            Address,
            r"(?P<d>(?:{K}{2,3}[都道府県])?{K}{1,6}[市区郡][{K}ぁ-んァ-ヺ]{1,8}?{N}{1,4}(?:丁目|番地?|条|{H})(?:{N}|{H}|[番地号の条丁目]){0,10})",
            place,
        ),
        detector(Address, r"(?P<d>{K}{2,6}{N}{1,4}丁目(?:{N}{1,4}(?:番地?|{H}|の)?(?:{N}{1,4}号?)?)?)", place),
        detector(Address, r"(?P<d>{K}{1,6}{D}{1,4}番地(?:の?{D}{1,4})?)", place),
        detector(Address, r"(?P<d>{K}{2,6}{D}{1,2}[-－]{D}{1,3}[-－]{D}{1,4})", place),
        detector(
            Date,
            r"(?P<d>(?:大正|昭和|平成|令和|{D}{4}年?)(?:{D}{1,2}|元)?年?{D}{1,2}月{D}{1,2}日)(?:生|うまれ)",
            as_found,
        ),
        detector(
            Date,
            r"(?:生年月日|誕生日){LINK}(?P<d>(?:大正|昭和|平成|令和|[TSHRＴＳＨＲ])?[.．]?{D}{1,4}[年.．/／-]{D}{1,2}[月.．/／-]{D}{1,2}日?)",
            as_found,
        ),
        detector(Date, r"(?P<d>(?:大正|昭和|[TSＴＳ][.．]?){D}{1,2}[年.．/／]{D}{1,2}[月.．/／]{D}{1,2}日?)", as_found),
        detector(Date, r"(?P<d>(?:(?:{D}{4}|令和{D}{1,2}|平成{D}{1,2})年)?{D}{1,2}月{D}{1,2}日)", beside_rare_event),
        detector(
            Vendor,
            r"(?P<d>(?:株式会社|有限会社|合同会社|㈱|㈲|[（(]株[）)]|[（(]有[）)])[\p{Han}ァ-ヺーA-Za-zＡ-Ｚａ-ｚ]{2,16})",
            as_found,
        ),
        detector(
            Vendor,
            r"(?P<d>[\p{Han}ァ-ヺーA-Za-zＡ-Ｚａ-ｚ]{2,16}(?:株式会社|有限会社|合同会社|㈱|㈲|[（(]株[）)]|[（(]有[）)]))",
            as_found,
        ),
        detector(Vendor, VENDORS, own_word),
        detector(
            Institution,
            r"(?P<d>(?P<name>[{K}ァ-ヺーA-Za-zＡ-Ｚａ-ｚ]{1,14}?)(?:総合病院|中央病院|市民病院|記念病院|赤十字病院|病院|クリニック|医院|診療所|歯科|薬局|ドラッグ|整骨院|接骨院|老人ホーム|デイサービス|訪問看護ステーション|ケアセンター|医師会|健康保険組合|健保組合|国保組合))",
            institution,
        ),
        detector(
            Institution,
            r"(?P<d>(?P<name>[ぁ-ん]{3,8})(?:病院|クリニック|医院|診療所|歯科|内科|眼科|耳鼻科|整形外科|小児科|薬局))",
            institution_in_kana,
        ),
        detector(Institution, r"(?P<d>(?P<name>{K}{1,5})(?:市|区|町|村)(?:役所|役場))", institution),
        detector(
            Institution,
            r"(?P<d>(?P<name>[{K}ァ-ヺー]{2,7}?)(?:心療内科|内科|整形外科|外科|眼科|小児科|皮膚科|耳鼻咽喉科|耳鼻科|産婦人科|泌尿器科))(?:$|[^医師系用{K}])",
            institution,
        ),
        detector(
            Institution,
            r"(?P<d>(?:医療法人|社会福祉法人)(?:社団|財団)?(?P<name>[{K}ァ-ヺー]{2,8}))",
            institution,
        ),
        detector(Person, r"(?P<d>{K}{1,4}[ 　]{K}{1,4})(?:さん|様|さま|氏|くん|ちゃん)", person_beside_label),
        detector(Person, r"(?:^|[^\p{Han}々])(?P<d>{K})様(?:$|[^子式々相態変な])", lone_kanji),
        detector(
            Person,
            r"(?P<d>{K}{1,8}|[ァ-ヺー・]{2,12})(?:[ 　]?)(?:さん|サン|様|さま|氏|君|くん|ちゃん|殿|先生)(?P<after>.?)",
            person,
        ),
        detector(Person, KANA_SURNAMES, person_in_kana),
        detector(
            Person,
            r"(?:氏名|名前|患者名|担当者?|院長|医師|看護師|事務長|事務員)(?:は|が|の|：|:|、|「|（|\s)*(?P<d>{K}{2,6})",
            person_beside_label,
        ),
        detector(
            Person,
            r"(?P<d>{K}{2,6})(?:という|と言う|と名乗る|とおっしゃる)(?:名前の)?(?:患者|方|女性|男性|高齢)",
            person_beside_label,
        ),
        detector(Person, r"(?P<d>{K}{3,6})", full_name),
    ]
});

const VENDORS: &str = r"(?P<d>富士通(?:Japan|ジャパン)?|ＮＴＴ(?:東日本|西日本|データ)?|NTT(?:東日本|西日本|データ|東|西)?|日立(?:製作所|システムズ)?|パナソニック(?:コネクト)?|Panasonic|アルメックス|マイナタッチ|キヤノン(?:マーケティング|メディカル)?|キャノン|Canon|カオラ|[Cc]aora|Hi-CARA|ハイカラ|EXC-9200|アトラス情報|アルプスシステム|ＰＨＣ|PHC|メディコム|Medicom|EMシステムズ|ダイナミクス|ＯＲＣＡ|ORCA|オルカ|日医標準レセプト(?:ソフト)?|BML|メディカルワークス|クリプラ|CLIUS|デジカル|エムスリー|M3|ユヤマ|湯山製作所|三菱電機|東芝|リコー|エプソン|ＮＥＣ|NEC|ソフトバンク|ＫＤＤＩ|KDDI|ＵＳＥＮ|USEN|モリタ|ヨシダ|ノーザ|ミック|デンタルシステムズ|オプテック|ケアネット|バッファロー|ヤマハ|シスコ|Cisco|富士フイルム|コニカミノルタ|島津製作所|ソニー|アイ・オー・データ)";

const KANA_SURNAMES: &str = r"(?P<before>.?)(?P<d>さとう|すずき|たかはし|たなか|わたなべ|いとう|やまもと|なかむら|こばやし|かとう|よしだ|やまだ|ささき|やまぐち|まつもと|いのうえ|きむら|しみず|はやし|さいとう|やまざき|やまさき|あべ|いけだ|はしもと|いしかわ|やました|おがわ|いしい|はせがわ|ごとう|おかだ|こんどう|まえだ|ふじた|えんどう|あおき|さかもと|むらかみ|おおた|かねこ|ふじい|ふくだ|にしむら|みうら|たけうち|なかがわ|おかもと|まつだ|はらだ|なかの)(?:さん|様|さま|氏|くん|ちゃん)";

fn detector(
    kind: DetailKind,
    pattern: &str,
    refine: fn(&str, &Captures<'_>, Range<usize>) -> Option<Range<usize>>,
) -> Detector {
    let mut source = pattern.to_owned();
    for (piece, class) in PIECES {
        // Within brackets only the inside of a class may stand.
        source = source.replace(&format!("[{piece}"), class.strip_suffix(']').unwrap_or(class));
        source = source.replace(piece, class);
    }
    Detector { kind, pattern: Regex::new(&source).expect("the patterns are constants and tested"), refine }
}

fn as_found(_: &str, _: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    Some(range)
}

/// At least so many digits.
fn long_number(least: usize) -> fn(&str, &Captures<'_>, Range<usize>) -> Option<Range<usize>> {
    fn digits(text: &str) -> usize {
        text.chars().filter(|c| c.is_ascii_digit() || ('０'..='９').contains(c)).count()
    }
    match least {
        3 => |text, _, range| (digits(&text[range.clone()]) >= 3).then_some(range),
        _ => |text, _, range| (digits(&text[range.clone()]) >= 4).then_some(range),
    }
}

/// An address, not a remark on how addresses are written.
fn place(text: &str, _: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    const NOT_PLACES: [&str; 16] = [
        "住所",
        "表記",
        "表示",
        "全角",
        "半角",
        "漢数字",
        "数字",
        "番号",
        "令和",
        "平成",
        "昭和",
        "月",
        "午前",
        "午後",
        "登録",
        "以下",
    ];
    let name = text[range.clone()].split(|c: char| c.is_ascii_digit() || ('０'..='９').contains(&c)).next()?;
    (!NOT_PLACES.iter().any(|word| name.ends_with(word) || name.starts_with(word))).then_some(range)
}

/// An exact date singles a case out only beside something that seldom happens.
fn beside_rare_event(text: &str, _: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    const RARE: [&str; 16] = [
        "死亡",
        "亡くな",
        "逝去",
        "救急",
        "搬送",
        "警察",
        "逮捕",
        "事故",
        "手術",
        "訴訟",
        "弁護士",
        "虐待",
        "妊娠",
        "出産",
        "難病",
        "感染",
    ];
    RARE.iter().any(|word| text.contains(word)).then_some(range)
}

/// A vendor's name that is no part of a longer word of the same script.
fn own_word(text: &str, _: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let script = |c: char| match c {
        'ァ'..='ヺ' | 'ー' => 1,
        'A'..='Z' | 'a'..='z' | '0'..='9' | 'Ａ'..='Ｚ' => 2,
        _ => 0,
    };
    let touches = |inner: Option<char>, outer: Option<char>| match (inner, outer) {
        (Some(inner), Some(outer)) => script(inner) != 0 && script(inner) == script(outer),
        _ => false,
    };
    let word = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    (!touches(word.chars().next(), before) && !touches(word.chars().next_back(), after)).then_some(range)
}

/// Words that stand before 病院, 薬局, 市役所 without naming one.
static COMMON_BEFORE_INSTITUTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "^(?:グループ|循環器|消化器|呼吸器|神経|脳神経|脳|心臓血管|心臓|形成|口腔|糖尿病|腎臓|血液|心療|老年|放射線|胃腸|内分泌|血管|肛門|乳腺|美容|為|立|大学|医大|総合|中核|基幹|地域|大|大型|大手|中小|小|小規模|他|別|多|近隣|近所|近医|民間|公立|公的|市立|県立|町立|村立|国立|都立|府立|道立|市民|県内|市内|区内|町内|院内|院外|院|一般|個人|医科|歯科|内科|外科|精神科|精神|眼科|専門|調剤|門前|保険|保険医療機関|各|当|某|同|同一|前|次|両|全|全国|無床|有床|小児|動物|田舎|都市|市中|急性期|慢性期|療養型|療養|紹介先|転院先|救急|公共|複数|最寄|最初|以前|今回|当該|指定|連携|開業|地元|隣|遠方|町|街|老人|高齢者|特別養護|有料|介護|訪問|看護|通所|併設|系列|小児科|皮膚科|整形外科|整形|耳鼻科|耳鼻咽喉科|産婦人科|産科|婦人科|泌尿器科|循環器|循環器科|消化器|消化器科|リハビリ|リハ|口腔外科|矯正|矯正歯科|かかりつけ|ほか|その他|皆|我々|私達|患者|職員|受付|対応|利用|受診|入院|通院|往診|在宅|外来|休日|夜間|月|年|日|回|件|人|軒|つ|以外|以上|以下|来院|特に|国民|企業|社会|協会|郡市|都道府県|県|府|都|道|市|区|村|日本|本|現|元|旧|新|後|先|側|場合|時|際|中|数|何|自分|家族|医師|歯科医師|薬剤師|住所地|居住|住民|担当|管轄|該当|相手|近く|所|住|遠|田|等|機関|病院|診療所|医院|クリニック|薬局|デンタル|メンタル|ペイン|レディース|ファミリー|ドクター|ネット|オンライン|スマホ|カード|マイナ|マイナンバー|マイナ保険証|保険証|チェーン|ドラッグ|センター)+$",
    )
    .expect("a constant that is tested")
});

fn institution(text: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let name = captures.name("name")?.as_str();
    if COMMON_BEFORE_INSTITUTION.is_match(name) || name.chars().all(|c| c.is_ascii_alphabetic()) && name.len() == 1 {
        return None;
    }
    // 歯科 ends 医科歯科 and begins 歯科医師, 歯科用: then it names nothing.
    let follows = text[range.end..].chars().next();
    if text[range.clone()].ends_with("歯科") && follows.is_some_and(|c| !"医のでにはがへと、。（）「」 　".contains(c))
    {
        return None;
    }
    // Single letters are masks already: A病院, Ｂ医院.
    let is_letter = |c: char| c.is_ascii_alphabetic() || ('Ａ'..='Ｚ').contains(&c);
    let mut chars = name.chars();
    (!(chars.next().is_some_and(is_letter) && chars.next().is_none())).then_some(range)
}

fn institution_in_kana(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let name = captures.name("name")?;
    // A particle before the name belongs to the sentence.
    let mut rest = name.as_str();
    for particle in ["ところの", "となりの", "ちかくの", "の", "は", "が", "で", "を", "や", "から"]
    {
        if let Some(stripped) = rest.strip_prefix(particle).filter(|stripped| stripped.chars().count() >= 3) {
            rest = stripped;
        }
    }
    const COMMON: [&str; 15] =
        ["かかりつけ", "つけ", "の", "な", "る", "い", "た", "に", "で", "は", "が", "も", "と", "を", "って"];
    let is_common =
        COMMON.iter().any(|end| rest.ends_with(end)) && !["ふれあい", "あさひの", "いきいき"].contains(&rest);
    let start = name.end() - rest.len();
    (!is_common && rest.chars().count() >= 3).then_some(start..range.end)
}

const SURNAMES: &str = "佐藤 鈴木 高橋 髙橋 田中 伊藤 渡辺 渡邊 渡邉 渡部 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 清水 林 斎藤 斉藤 齋藤 齊藤 山崎 山﨑 阿部 安部 池田 橋本 石川 山下 小川 石井 長谷川 後藤 岡田 近藤 前田 藤田 遠藤 青木 坂本 村上 太田 大田 金子 藤井 福田 西村 三浦 竹内 中川 岡本 松田 原田 中野 小野 田村 藤原 中山 石田 小島 和田 森田 内田 柴田 酒井 原 高木 髙木 横山 安藤 宮崎 宮﨑 上田 島田 工藤 大野 宮本 杉山 今井 丸山 増田 高田 村田 平野 大塚 菅原 武田 新井 小山 野口 松井 千葉 岩崎 桜井 佐野 木下 松尾 菊地 菊池 野村 渡瀬 河野 久保 古川 松浦 市川 水野 小松 山中 吉川 福島 五十嵐 永井 川口 浜田 濱田 辻 矢野 大西 土屋 東 内藤 服部 平田 岩田 西田 川上 大橋 森 本田 久保田 川崎 川﨑 中島 中嶋 樋口 秋山 熊谷 関 石原 荒井 永田 須藤 小池 星野 早川 栗原 吉村 望月 大谷 西川 尾崎 松下 浅野 小西 松村 三宅 大久保 黒田 堀 片山 菅野 川村 荒木 本間 榎本 白石 成田 沢田 澤田 飯田 広瀬 廣瀬 田口 南 北村 谷口 大島 坂口 横田 金城 比嘉 島袋 大城 宮城 新垣 玉城 上原 益子 増子 堤 奥村 奥田 児玉 富田 坂井 柳田 藤本 藤川 滝沢 榊原";

const GIVEN_NAME_ENDS: &str = "子美恵香奈菜花江枝代世郎男夫雄介助也哉樹輝一二三治司志史士朗太翔斗人彦之幸弘宏博隆孝明昭和正清実誠勇茂進豊健学修勝剛";

fn surname_at_end(run: &str) -> Option<&'static str> {
    SURNAMES.split(' ').filter(|surname| run.ends_with(surname)).max_by_key(|surname| surname.len())
}

fn surname_at_start(run: &str) -> Option<&'static str> {
    SURNAMES.split(' ').filter(|surname| run.starts_with(surname)).max_by_key(|surname| surname.len())
}

/// What stands before さん and 様 without being a name: roles, relatives, bodies.
const NOT_PERSONS: [&str; 77] = [
    "親御",
    "学生",
    "研修生",
    "実習生",
    "三者三",
    "受験生",
    "患者",
    "業者",
    "皆",
    "奥",
    "客",
    "娘",
    "息子",
    "家族",
    "本人",
    "母",
    "父",
    "兄",
    "姉",
    "弟",
    "妹",
    "祖母",
    "祖父",
    "孫",
    "嫁",
    "爺",
    "婆",
    "旦那",
    "御主人",
    "主人",
    "夫",
    "妻",
    "親",
    "子",
    "坊",
    "赤",
    "神",
    "同",
    "模",
    "仕",
    "多",
    "異",
    "王",
    "有",
    "一",
    "各",
    "何",
    "以前",
    "従来",
    "彼",
    "摂",
    "諸",
    "担当",
    "職員",
    "事務",
    "受付",
    "薬局",
    "役所",
    "役場",
    "病院",
    "医院",
    "保険",
    "会社",
    "協会",
    "組合",
    "先方",
    "相手",
    "銀行",
    "施設",
    "他院",
    "当院",
    "前院",
    "今回",
    "外国",
    "両",
    "女",
    "男",
];
const ROLE_ENDS: &str = "者員師士屋婦長役主方係手客族徒童課庁局社店所院省署会国県市区町村府都人医機関庫部科側達々名上";
const ROLES_IN_KATAKANA: [&str; 34] = [
    "モデル",
    "スマホ",
    "グループ",
    "アシスタント",
    "スタッフ",
    "ヘルパー",
    "ドクター",
    "ナース",
    "ケアマネ",
    "ベンダー",
    "メーカー",
    "ディーラー",
    "サポート",
    "パート",
    "ママ",
    "パパ",
    "リハビリ",
    "メンテナンス",
    "マイナ",
    "クリニック",
    "システム",
    "ソフト",
    "プロ",
    "アルバイト",
    "ケアマネジャ",
    "バイト",
    "ヤクルト",
    "オペ",
    "レセコン",
    "オンライン",
    "ケアマネージャ",
    "コンビニ",
    "クレーマー",
    "ジイ",
];

fn person(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let run = captures.name("d")?.as_str();
    let honorific = &captures.get(0)?.as_str()[run.len()..];
    let after = captures.name("after").map_or("", |after| after.as_str());
    let honorific = honorific.trim_start_matches([' ', '　']);
    // 様子, 様式, 様々, 氏名, 氏族, 君主.
    let goes_on = (honorific.starts_with('様') && ["子", "式", "々", "相", "態", "変"].contains(&after))
        || (honorific.starts_with('氏') && ["名", "族", "素"].contains(&after))
        || (honorific.starts_with('君') && after == "主");
    if goes_on {
        return None;
    }
    let is_kanji = run.chars().next().is_some_and(|c| !('ァ'..='ヺ').contains(&c) && c != 'ー' && c != '・');
    if !is_kanji {
        // Names have neither long vowels at their end nor the small vowels of loan words.
        let is_loan = run.ends_with('ー') || run.contains(['ァ', 'ィ', 'ゥ', 'ェ', 'ォ']);
        let is_role = ROLES_IN_KATAKANA.iter().any(|role| run.ends_with(role));
        return (!is_loan && !is_role && !run.starts_with('・') && run.chars().count() >= 2).then_some(range);
    }
    if let Some(surname) = surname_at_end(run) {
        let is_whole = surname.chars().count() > 1 || run == surname;
        if is_whole && !(run == "南" || run == "東") {
            return Some(range.end - surname.len()..range.end);
        }
    }
    let is_role = NOT_PERSONS.iter().any(|word| run.ends_with(word))
        || run.chars().next_back().is_some_and(|last| ROLE_ENDS.contains(last))
        || (honorific.starts_with("先生") && run.chars().count() < 2)
        || (honorific.starts_with('殿') || honorific.starts_with('君'))
        || run.chars().count() < 2;
    // A run with a known surname at its head is a full name, whatever its end.
    let is_full_name = surname_at_start(run).is_some_and(|surname| surname.chars().count() > 1 && surname != run);
    ((!is_role || is_full_name) && run.chars().count() <= 6).then_some(range)
}

/// A name of one character before 様; what stands there as a word is none.
fn lone_kanji(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    const WORDS: &str = "客皆奥神娘母父兄姉妹弟孫嫁子王有同一各何親医人者方夫妻女男両多異仕模今外左右上下前後無別逆";
    (!captures.name("d")?.as_str().contains(|c| WORDS.contains(c))).then_some(range)
}

fn person_in_kana(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    // Hiragana before it is the rest of another word, but for particles.
    let before = captures.name("before")?.as_str().chars().next();
    let is_own = before.is_none_or(|c| !('ぁ'..='ん').contains(&c) || "のはがにでとをやもへ".contains(c));
    is_own.then_some(range)
}

/// A run of kanji that begins with a surname of two characters and more.
fn person_beside_label(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let surname = surname_at_start(captures.name("d")?.as_str())?;
    (surname.chars().count() > 1).then_some(range)
}

/// A surname and a given name of two or three characters, or of one that ends given names.
fn full_name(_: &str, captures: &Captures<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let run = captures.name("d")?.as_str();
    let surname = surname_at_start(run).filter(|surname| surname.chars().count() > 1)?;
    let given = &run[surname.len()..];
    let ends_like_a_name = given.chars().next_back().is_some_and(|last| GIVEN_NAME_ENDS.contains(last));
    (ends_like_a_name && (2..=3).contains(&given.chars().count())).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted details: the text, and what is to be found in it.
    const PLANTED: [(&str, DetailKind, &str); 68] = [
        ("医療法人青嵐会の受付で断られたそうだ。", DetailKind::Institution, "青嵐会"),
        ("東野整形外科から紹介された。", DetailKind::Institution, "東野整形外科"),
        ("にこにこ歯科から来た人は使えた。", DetailKind::Institution, "にこにこ歯科"),
        ("中島　健一様の健が●。", DetailKind::Person, "中島　健一"),
        ("柊様の漢字が出ない。", DetailKind::Person, "柊"),
        ("和泉さんの「泉」が違う。", DetailKind::Person, "和泉"),
        ("業者の窓口03-1234-5678は話し中だった。", DetailKind::Phone, "03-1234-5678"),
        ("携帯０９０－１２３４－５６７８に連絡をと言われた。", DetailKind::Phone, "０９０－１２３４－５６７８"),
        ("0120-444-555へ何度かけても通じない。", DetailKind::Phone, "0120-444-555"),
        ("(0852)12-3456に電話した。", DetailKind::Phone, "(0852)12-3456"),
        ("FAXは22-3456へお願いします。", DetailKind::Phone, "22-3456"),
        ("09012345678が患者の番号です。", DetailKind::Phone, "09012345678"),
        ("℡ 45-6789 まで。", DetailKind::Phone, "45-6789"),
        ("返事は uketsuke@example.jp までください。", DetailKind::Mail, "uketsuke@example.jp"),
        ("ｍａｉｌ＠ｅｘａｍｐｌｅ．ｃｏｍに送った。", DetailKind::Mail, "ｍａｉｌ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("https://example.com/oshirase に書いてある。", DetailKind::Web, "https://example.com/oshirase"),
        ("〒123-4567の方が旧住所で出た。", DetailKind::Address, "123-4567"),
        ("郵便番号987-6543と出る。", DetailKind::Address, "987-6543"),
        ("架空市緑町3丁目4-5に越したのに反映されない。", DetailKind::Address, "架空市緑町3丁目4-5"),
        ("緑ヶ丘二丁目にお住まいの方です。", DetailKind::Address, "緑ヶ丘二丁目"),
        ("青葉区桜台１２－３の患者です。", DetailKind::Address, "青葉区桜台１２－３"),
        ("大字松原120番地の方が不一致。", DetailKind::Address, "大字松原120番地"),
        ("北山町1-2-34から越してこられた。", DetailKind::Address, "北山町1-2-34"),
        ("被保険者番号12345678が無効だった。", DetailKind::Number, "12345678"),
        ("記号・番号は「12-3456」だった。", DetailKind::Number, "12-3456"),
        ("保険者番号：06123456で返戻。", DetailKind::Number, "06123456"),
        ("カルテ番号 20417 の方です。", DetailKind::Number, "20417"),
        ("暗証番号は4649だと窓口で大声で言われた。", DetailKind::Number, "4649"),
        ("診察券番号Ａ０１２３の方。", DetailKind::Number, "Ａ０１２３"),
        ("1234 5678 9012と紙に書いて持って来られた。", DetailKind::Number, "1234 5678 9012"),
        ("医療機関コード1234567に届いた。", DetailKind::Number, "1234567"),
        ("シリアル番号XY-10293の機械。", DetailKind::Number, "XY-10293"),
        ("患者ID 88012 が二重になった。", DetailKind::Number, "88012"),
        ("昭和12年3月4日生まれの方。", DetailKind::Date, "昭和12年3月4日"),
        ("生年月日S20.1.15と違っていた。", DetailKind::Date, "S20.1.15"),
        ("8月15日に救急で来た方が無効だった。", DetailKind::Date, "8月15日"),
        ("2025年10月3日に亡くなった方の資格が有効だった。", DetailKind::Date, "2025年10月3日"),
        ("みどり山クリニックでも同じだった。", DetailKind::Institution, "山クリニック"),
        ("さくらクリニックから転院の方。", DetailKind::Institution, "さくらクリニック"),
        ("隣のひまわり歯科でも止まった。", DetailKind::Institution, "ひまわり歯科"),
        ("架空中央病院から紹介された。", DetailKind::Institution, "架空中央病院"),
        ("山田医院です。機械が止まりました。", DetailKind::Institution, "山田医院"),
        ("松風会病院の受付で断られた。", DetailKind::Institution, "松風会病院"),
        ("架空区役所で更新できないと言われた。", DetailKind::Institution, "架空区役所"),
        ("アオゾラ薬局で薬を断られた。", DetailKind::Institution, "アオゾラ薬局"),
        ("青空自動車健康保険組合の対応が遅い。", DetailKind::Institution, "青空自動車健康保険組合"),
        ("佐藤内科クリニックから電話が来た。", DetailKind::Institution, "佐藤内科クリニック"),
        ("富士通の機械が固まる。", DetailKind::Vendor, "富士通"),
        ("ＮＴＴ東日本に問い合わせた。", DetailKind::Vendor, "ＮＴＴ東日本"),
        ("パナソニックのカードリーダーは遅い。", DetailKind::Vendor, "パナソニック"),
        ("株式会社アオゾラシステムに頼んだ。", DetailKind::Vendor, "株式会社アオゾラシステム"),
        ("ミドリ電機㈱が来ない。", DetailKind::Vendor, "ミドリ電機㈱"),
        ("レセコンはORCAを使っている。", DetailKind::Vendor, "ORCA"),
        ("アルメックスの端末。", DetailKind::Vendor, "アルメックス"),
        ("田中さんのカードが読めない。", DetailKind::Person, "田中"),
        ("渡邉様が●と出る。", DetailKind::Person, "渡邉"),
        ("本日鈴木様が来られた。", DetailKind::Person, "鈴木"),
        ("山口和子さんのフリガナが違う。", DetailKind::Person, "山口和子"),
        ("スズキイチロウ様と出る。", DetailKind::Person, "スズキイチロウ"),
        ("患者のたなかさんは操作できない。", DetailKind::Person, "たなか"),
        ("林さんは毎回カードを忘れる。", DetailKind::Person, "林"),
        ("グエンさんは在留カードだけだった。", DetailKind::Person, "グエン"),
        ("金子さんの●が直らない。", DetailKind::Person, "金子"),
        ("担当の小林氏が来た。", DetailKind::Person, "小林"),
        ("氏名：高橋一郎で登録されている。", DetailKind::Person, "高橋一郎"),
        ("伊藤先生が手で直している。", DetailKind::Person, "伊藤"),
        ("中村美香の「美」が出ない。", DetailKind::Person, "中村美香"),
        ("鬼頭さんという方の字が出ない。", DetailKind::Person, "鬼頭"),
    ];

    #[test]
    fn planted_details_are_found() {
        let missed: Vec<_> = PLANTED
            .iter()
            .filter(|(text, kind, detail)| {
                !find_details(text).iter().any(|finding| finding.kind == *kind && finding.text.contains(detail))
            })
            .map(|(text, ..)| (text, find_details(text)))
            .collect();
        assert!(missed.is_empty(), "{missed:#?}");
    }

    #[test]
    fn ranges_count_characters() {
        for (text, ..) in PLANTED {
            for finding in find_details(text) {
                let slice: String =
                    text.chars().skip(finding.char_range.start).take(finding.char_range.len()).collect();
                assert_eq!(slice, finding.text);
            }
            let findings = find_details(text);
            let masked = mask_details(text, &findings);
            assert!(findings.iter().all(|finding| !masked.contains(&finding.text)), "{masked}");
        }
    }

    #[test]
    fn clean_quotes_raise_no_alarm() {
        const CLEAN: [&str; 74] = [
            "患者さんが業者さんに電話してくださいと言った。",
            "お客様ではなく患者様です。",
            "皆様が困っている。皆さんも同じ。",
            "奥様の保険証と取り違えた。",
            "息子さんに来てもらった。",
            "お子さんの顔認証ができない。",
            "ご家族様の同伴が要る。",
            "高齢者の方々はお一人様では操作できない。",
            "同様のことが多い。仕様が変わった。",
            "画面の様子がおかしい。様々な機種がある。",
            "受付スタッフさんが付き添う。",
            "ヘルパーさんが代わりに操作した。",
            "ケアマネさんから電話があった。",
            "後期高齢者様の負担割合が違う。",
            "氏名の一部が●になる。患者氏名が違う。",
            "氏名は漢字で出るがフリガナが違う。",
            "名前が旧姓のまま出る。",
            "赤ちゃんの写真がない。",
            "大学病院から紹介された方。",
            "他の病院では使えたと言われた。",
            "近隣のクリニックも同じ。",
            "かかりつけ医院で断られた。",
            "歯科医院なので月に数回しか来ない。",
            "医科診療所と歯科診療所で違う。",
            "調剤薬局でも使えなかった。",
            "門前薬局から電話が来た。",
            "内科クリニックですが高齢者が多い。",
            "総合病院では受付が混むそうだ。",
            "A病院とB医院で違う表示が出た。",
            "整形外科病院のため杖の方が多い。",
            "市役所で手続きするように案内した。",
            "区役所へ行っても即日では直らない。",
            "役場で更新してもらった。",
            "協会けんぽに電話した。",
            "国民健康保険組合に切り替えた方。",
            "12月2日から保険証が使えなくなった。",
            "2025年8月1日に負担割合が変わった。",
            "住所の1丁目が１－と出る。",
            "住所3丁目の書き方が違う。",
            "全角と半角の1-2-3が違う。",
            "番地の表記が違う。",
            "暗証番号4桁を忘れた。",
            "暗証番号を3回間違えてロックされた。",
            "保険者番号8桁を手で入れる。",
            "エラー番号が出て動かない。",
            "記号と番号を手で入力している。",
            "10割で13000円いただいた。",
            "午前9時から12時まで止まった。",
            "月に20～30件ある。",
            "令和7年12月に期限が切れた。",
            "75歳以上の方は操作できない。",
            "問13に書いたとおり。",
            "待ち時間が15-20分のびた。",
            "カードリーダーが2台とも固まった。",
            "ルーターを再起動した。",
            "電子カルテの会社に頼んだ。",
            "レセコン業者さんが来ない。",
            "NHKで見た話と違う。",
            "Windowsの更新のあと動かない。",
            "VPNが切れる。",
            "顔認証で別の人が通った。",
            "資格確認書を持って来た。",
            "保険証なら出すだけでよかった。",
            "ご本人様が来られない。",
            "担当者が替わるたびに説明する。",
            "事務員が2名必要になった。",
            "医師会からの通知を読んだ。",
            "小児科なので保護者が操作する。",
            "眼科で視力の弱い方が多い。",
            "田舎の診療所なので電波が弱い。",
            "機械が古く、メーカーさんも来ない。",
            "うちの歯科には読み取り機が一台しかない。",
            "どこの病院でも同じだと思う。",
            "当院の様な小さい医院では無理。",
        ];
        let alarms: Vec<_> =
            CLEAN.iter().map(|text| (text, find_details(text))).filter(|(_, f)| !f.is_empty()).collect();
        assert!(alarms.is_empty(), "{alarms:#?}");
    }
}
