//! Analysis: domain terms are one morpheme, sentences end where people end them.

use jirei::analyze::{Analyzer, AnalyzerError};

use crate::support::ANALYZER;

#[track_caller]
fn one_morpheme(written: &str, base_form: &str) {
    let analysis = ANALYZER.worker().analyze(&format!("その{written}の件"));
    let found =
        analysis.morphemes.iter().any(|m| m.base_form(analysis.text()) == base_form && m.word.reading.is_some());
    let all: Vec<_> = analysis.morphemes.iter().map(|m| m.surface(analysis.text())).collect();
    assert!(found, "{written}: {all:?}");
}

#[test]
fn domain_terms() {
    for (written, base_form) in [
        ("マイナ保険証", "マイナ保険証"),
        ("マイナンバー保険証", "マイナ保険証"),
        ("ﾏｲﾅﾝﾊﾞｰｶｰﾄﾞ", "マイナンバーカード"),
        ("マイナカード", "マイナンバーカード"),
        ("資格確認書", "資格確認書"),
        ("資格情報のお知らせ", "資格情報のお知らせ"),
        ("オンライン資格確認", "オンライン資格確認"),
        ("オン資", "オンライン資格確認"),
        ("電子証明書", "電子証明書"),
        ("暗証番号", "暗証番号"),
        ("暗唱番号", "暗証番号"),
        ("顔認証", "顔認証"),
        ("カードリーダ", "カードリーダー"),
        ("限度額認定証", "限度額認定証"),
        ("負担割合", "負担割合"),
        ("高齢受給者証", "高齢受給者証"),
        ("後期高齢者", "後期高齢者"),
        ("被保険者資格申立書", "被保険者資格申立書"),
        ("不詳レセプト", "不詳レセプト"),
        ("返戻", "返戻"),
        ("公費", "公費"),
        ("医療証", "医療証"),
        ("社保", "社保"),
        ("国保", "国保"),
        ("スマホ保険証", "スマホ保険証"),
        ("汎用カードリーダー", "汎用カードリーダー"),
        ("くろまる", "●"),
        ("黒丸", "●"),
        ("⚫", "●"),
    ] {
        one_morpheme(written, base_form);
    }
}

#[track_caller]
fn sentences(text: &str, expected: &[&str]) {
    let analysis = ANALYZER.worker().analyze(text);
    let found: Vec<&str> = analysis
        .sentences
        .iter()
        .map(|s| {
            let first = &analysis.morphemes[s.start as usize];
            let last = &analysis.morphemes[s.end as usize - 1];
            &analysis.text()[first.byte_range.start as usize..last.byte_range.end as usize]
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn sentence_boundaries() {
    sentences("機械が止まった。受付が混んだ", &["機械が止まった。", "受付が混んだ"]);
    sentences("「なぜだ！」と言われた", &["「なぜだ！」", "と言われた"]);
    sentences("①回線断　②字が●", &["①回線断", "②字が●"]);
    sentences("忘れた\n期限切れ", &["忘れた", "期限切れ"]);
    sentences("画面２割→請求は３割", &["画面2割", "→請求は3割"]);
    sentences("", &[]);
}

#[test]
fn a_megabyte_is_analysed() {
    let text = "カードリーダーが止まった。".repeat(30_000);
    let analysis = ANALYZER.worker().analyze(&text);
    assert_eq!(analysis.sentences.len(), 30_000);
    let long = "あ".repeat(1 << 20);
    assert!(!ANALYZER.worker().analyze(&long).morphemes.is_empty());
}

#[test]
fn a_folder_without_dictionary_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = Analyzer::with_dictionary(folder.path()).err().expect("an empty folder holds no dictionary");
    assert!(matches!(error, AnalyzerError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("辞書として読めません"), "{error}");
}

#[track_caller]
fn base_reading(text: &str, surface: &str, expected: &str) {
    let analysis = ANALYZER.worker().analyze(text);
    let text = analysis.text();
    let morpheme = analysis.morphemes.iter().find(|m| m.surface(text) == surface).expect("the morpheme is there");
    assert_eq!(morpheme.word.base_reading(surface).as_deref(), Some(expected), "{surface} in {text}");
}

#[test]
fn base_forms_have_a_reading() {
    base_reading("番号が分からない", "分から", "ワカル");
    base_reading("番号がわかった", "わかっ", "ワカル");
    base_reading("確認した", "し", "スル");
    base_reading("患者が来ない", "来", "クル");
    base_reading("患者が来れば", "来れ", "クル");
    base_reading("確認が出来ない", "出来", "デキル");
    base_reading("反応が無かった", "無かっ", "ナイ");
    base_reading("受付が混む", "受付", "ウケツケ");
}
