//! Normalisation: what becomes of a text, and the way back.

use jirei::normalize::Normalizer;
use proptest::prelude::*;

use crate::support::ANALYZER;

#[track_caller]
fn case(written: &str, normal: &str) {
    assert_eq!(ANALYZER.normalizer().normalize(written).text(), normal, "{written}");
}

#[test]
fn width_and_kana() {
    case("ｶｰﾄﾞﾘｰﾀﾞｰ", "カードリーダー");
    case("Ｗｉｎｄｏｗｓ", "Windows");
    case("１０割", "10割");
    case("ヒ\u{309a}ンホ\u{309a}ン", "ピンポン");
    case("ﾌﾘｶﾞﾅ", "フリガナ");
    case("㍑", "リットル");
}

#[test]
fn marks_keep_their_kind() {
    case("①2件", "①2件");
    case("…", "…");
    case("○◯〇", "○◯〇");
    case("⚫⬤●", "●●●");
    case("(●)!?", "（●）！？");
}

#[test]
fn spaces_and_lines() {
    case("分から ない", "分からない");
    case("カード リーダー", "カードリーダー");
    case("Windows 11", "Windows 11");
    case("回線断　割合ちがい", "回線断 割合ちがい");
    case("使え\nない", "使えない");
    case("忘れた\n期限切れ", "忘れた\n期限切れ");
    case("機械が止まって受付が大変に混雑し\n患者に迷惑", "機械が止まって受付が大変に混雑し患者に迷惑");
    case("a\r\nb", "a\nb");
}

#[test]
fn look_alikes_among_katakana() {
    case("マイナンバーカ一ド", "マイナンバーカード");
    case("サ―バ―", "サーバー");
    case("力ード", "カード");
    case("リ一ダ一が", "リーダーが");
    case("カード一枚", "カード一枚");
    case("データ八カ所", "データ八カ所");
    case("2-3日", "2-3日");
    case("能力テスト", "能力テスト");
}

#[test]
fn iteration_marks() {
    case("こゝろ", "こころ");
    case("たゞ", "ただ");
    case("人々", "人々");
}

#[test]
fn slips_of_the_variant_table() {
    case("暗唱番号", "暗証番号");
    case("つきつきり", "付きっきり");
}

#[test]
fn ranges_lead_back_over_two_replacements() {
    let normalizer = Normalizer::new([("カードリーダ".to_owned(), "読み取り機".to_owned())]);
    let original = "新ｶｰﾄﾞ ﾘｰﾀﾞが";
    let normalized = normalizer.normalize(original);
    assert_eq!(normalized.text(), "新読み取り機が");
    let start = "新".len();
    let range = normalized.original_bytes(start..start + "読み取り機".len());
    assert_eq!(&original[range], "ｶｰﾄﾞ ﾘｰﾀﾞ");
}

#[test]
fn invisible_characters_go() {
    case("\u{feff}保険\u{200b}証", "保険証");
    case("葛\u{e0100}飾", "葛飾");
    case("a\u{0}b\u{7}", "ab");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Every range of the normal form slices the original on character boundaries, in order, whatever the text.
    #[test]
    fn every_range_slices_the_original(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn every_range_slices_the_original_of_odd_japanese(
        text in "[ｱ-ﾟァ-ー゙゚ゝゞ一二力口ロ●⚫①㍑ 　\n\r\t。、a-c0-9!?()🈂👨‍👩‍👧𠮷\u{309a}\u{3099}\u{200d}\u{fe0f}暗唱番号つきり]{0,40}"
    ) {
        check(&text);
    }
}

fn check(text: &str) {
    let normalized = ANALYZER.normalizer().normalize(text);
    let normal = normalized.text();
    let mut reached = 0;
    for (at, c) in normal.char_indices() {
        let range = normalized.original_bytes(at..at + c.len_utf8());
        assert!(text.get(range.clone()).is_some(), "{text:?}: {range:?}");
        assert!(!range.is_empty() && range.end >= reached, "{text:?}: {c:?} goes back to {range:?}");
        reached = range.end;
    }
    assert_eq!(normalized.original_bytes(0..0).len(), 0);
    // A range of several characters covers those of its parts.
    if !normal.is_empty() {
        let whole = normalized.original_bytes(0..normal.len());
        assert!(whole.end >= reached && text.get(whole).is_some());
    }
    for morpheme in &ANALYZER.worker().analyze(text).morphemes {
        let range = morpheme.byte_range.start as usize..morpheme.byte_range.end as usize;
        assert!(normal.get(range.clone()).is_some());
        assert!(text.get(normalized.original_bytes(range)).is_some());
    }
}
