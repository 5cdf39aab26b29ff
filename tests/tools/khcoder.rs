//! `from-khcoder`: every form, every trap, every refusal.

use jirei::{
    rule::{KhConversion, convert_khcoder, parse_pattern},
    source::Source,
};

use super::{classified, rules};
use crate::support::{ANALYZER, compile};

fn convert(text: &str) -> KhConversion {
    convert_khcoder(&Source::new("t.cod", text), Some("a"), &ANALYZER)
}

#[track_caller]
fn converted(condition: &str, expected: &str) {
    let conversion = convert(&format!("＊試験\n{condition}\n"));
    let diagnostics: Vec<String> = conversion.diagnostics.iter().map(ToString::to_string).collect();
    assert!(diagnostics.is_empty(), "{condition}: {diagnostics:?}");
    assert_eq!(conversion.rules[0].pattern, expected, "{condition}");
}

#[test]
fn khcoder_forms_become_ours() {
    converted("失敗", "失敗");
    converted("失敗 or 故障", "失敗 | 故障");
    converted("失敗 | 故障", "失敗 | 故障");
    converted("失敗\nand 故障\n\nand　停電", "失敗 & 故障 & 停電");
    converted("失敗 and not 故障", "失敗 & !故障");
    converted("失敗 &! 故障", "失敗 & !故障");
    converted("失敗 |! 故障", "失敗 | !故障");
    converted("not ( 失敗 or 故障 )", "!(失敗 | 故障)");
    converted("! 失敗", "!失敗");
    converted("( 失敗 or 故障 ) and 停電", "(失敗 | 故障) & 停電");
    converted("NEAR(失敗-故障)", "near(失敗, 故障)[c]");
    converted("near(失敗-故障-停電)[5]", "near(失敗, 故障, 停電)[5c]");
    converted("near(失敗-故障)[b]", "near(失敗, 故障)");
    converted("near(失敗-故障)[b5]", "near(失敗, 故障)[5]");
    converted("seq(失敗-故障)[0]", "seq(失敗, 故障)[0c]");
    converted("seq(失敗-故障)[b0]", "seq(失敗, 故障)[0]");
    converted("顔+認証", "顔+認証");
    converted("愛 + 恋 >= 3", "count(愛) + count(恋) >= 3");
    converted("愛 + 恋", "愛 | 恋");
    converted("3 <= 愛", "count(愛) >= 3");
    converted("愛 + 1 > 3", "count(愛) > 2");
    converted("not 愛 >= 2", "!(count(愛) >= 2)");
    converted("near(失敗-故障) == 2", "count(near(失敗, 故障)[c]) == 2");
    converted("lw > 5 and lc <= 100", "words > 5 & chars <= 100");
    converted("'4けた'", "'4けた'");
    converted("'it''s'", "'it''s'");
    converted("'四 けた'", "'四 けた'");
    converted("\"and\"", "'and'");
    converted("反映-->サ変名詞", "反映-->サ変名詞");
    converted("使う->未然形", "使う->未然形");
    converted("使う=>使え", "使う=>使え");
    converted("行う-->未知語->連用形", "行う-->未知語->連用形");
    converted("<>種別-->病院", "@種別 = 病院");
    converted("<>利用率-->40%以上 and 失敗", "@利用率 = 40%以上 & 失敗");
    converted("<>区分 (新)-->あり".replace(' ', "_").as_str(), "@'区分_(新)' = あり");
}

#[test]
fn khcoder_comments_references_and_names() {
    let conversion = convert(
        "# 注釈\n\n＊受付の混乱\n混乱\n*Group-2\n<*受付の混乱> or <＊受付の混乱>\n＊☆\n停電\n＊受付の混雑\n列\n",
    );
    let rules: Vec<(&str, &str, &str)> =
        conversion.rules.iter().map(|rule| (rule.id.as_str(), rule.name.as_str(), rule.pattern.as_str())).collect();
    assert_eq!(
        rules,
        [
            ("uketsuke_no_konran", "受付の混乱", "混乱"),
            ("group_2", "Group-2", "rule(uketsuke_no_konran) | rule(uketsuke_no_konran)"),
            ("code_003", "☆", "停電"),
            ("uketsuke_no_konzatsu", "受付の混雑", "列"),
        ]
    );
    assert!(conversion.diagnostics.is_empty(), "{:?}", conversion.diagnostics);
}

#[track_caller]
fn trap(condition: &str, expected: &[(&str, usize, usize)], pattern: Option<&str>) {
    let conversion = convert(&format!("＊死\n死ぬ\n＊試験\n{condition}\n"));
    let found: Vec<(&str, usize, usize)> = conversion
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.span.line_column();
            (diagnostic.id, place.line, place.column)
        })
        .collect();
    assert_eq!(found, expected, "{condition}");
    assert_eq!(conversion.rules.get(1).map(|rule| rule.pattern.as_str()), pattern, "{condition}");
}

#[test]
fn khcoder_traps_are_reported_where_they_stand() {
    trap("(失敗 or 故障)", &[("kh-glued-bracket", 4, 1), ("kh-glued-bracket", 4, 10)], Some("失敗 | 故障"));
    trap("10 & 割", &[("kh-number-condition", 4, 1)], Some("割"));
    trap("１０ & 割", &[("kh-number-condition", 4, 1)], Some("割"));
    trap("失敗 or ●", &[("kh-other-class", 4, 7)], Some("失敗 | '●'"));
    trap("\"C++\"", &[("kh-quoted-plus", 4, 1)], Some("'C++'"));
    trap("＜＊死＞", &[("kh-full-width-code", 4, 1)], Some("rule(shi)"));
    trap("seq(失敗-故障){b}", &[("kh-braces", 4, 1)], Some("seq(失敗, 故障)"));
    trap("失敗 or 故障 and not 写真", &[("kh-mixed-and-or", 4, 7)], Some("失敗 | (故障 & !写真)"));
    trap("<*死> >= 2", &[("kh-code-compared", 4, 1)], None);
    trap("使えない", &[("kh-unknown-word", 4, 1)], Some("使えない"));
    trap("死ん", &[("kh-unknown-word", 4, 1)], Some("死ぬ"));
    trap("! 死ぬ >= 2", &[("kh-bang-comparison", 4, 1)], Some("!(count(死ぬ) >= 2)"));
    trap("失敗|故障", &[("kh-glued-operator", 4, 3)], Some("失敗 | 故障"));
    trap("死ぬ>=2", &[("kh-glued-operator", 4, 3)], Some("count(死ぬ) >= 2"));
    trap("!失敗", &[("kh-glued-operator", 4, 1)], Some("!失敗"));
    trap("失敗 ＆ 故障", &[("kh-full-width", 4, 4)], Some("失敗 & 故障"));
    trap("（失敗 ）", &[("kh-glued-bracket", 4, 1), ("kh-full-width", 4, 5)], Some("失敗"));
    trap("'50%'", &[("kh-string-wildcard", 4, 1)], Some("'50%'"));
    trap("'失敗' >= 2", &[("kh-string-count", 4, 1)], Some("count('失敗') >= 2"));
    trap("near(死ぬ-死ぬ)", &[("kh-repeated-word", 4, 1)], Some("near(死ぬ, 死ぬ)[c]"));
    trap("near(顔+認証-失敗)", &[("kh-operator-in-near", 4, 1)], Some("near(顔+認証, 失敗)[c]"));
    trap("near(失敗-故障)[d]", &[("kh-paragraph", 4, 1)], Some("near(失敗, 故障)[c]"));
    trap("C++", &[("kh-plus-in-word", 4, 1)], Some("'C++'"));
    trap("失敗-->名詞", &[("kh-class", 4, 1)], Some("失敗-->名詞"));
    trap("が", &[("kh-other-class", 4, 1)], Some("が"));
    trap("<>見出し1-->甲", &[("kh-heading", 4, 1)], Some("@見出し1 = 甲"));
}

#[test]
fn khcoder_refusals_have_a_reason_and_a_place() {
    trap("失敗 - 故障 > 1", &[("kh-arithmetic", 4, 4)], None);
    trap("失敗 > 故障", &[("kh-counts-compared", 4, 1)], None);
    trap("失敗 > 2 > 1", &[("kh-comparison-chain", 4, 1)], None);
    trap("( 失敗 or 故障 ) > 1", &[("kh-condition-compared", 4, 1)], None);
    trap("No. > 10", &[("kh-document-number", 4, 1)], None);
    trap("<>年齢<>", &[("kh-sort-variable", 4, 1)], None);
    trap("<*死亡>", &[("kh-unknown-code", 4, 1)], None);
    trap("<*試験>", &[("kh-reference-cycle", 4, 1)], None);
    trap("失敗 故障", &[("kh-missing-operator", 4, 4)], None);
    trap("失敗 and", &[("kh-missing-operand", 4, 4)], None);
    trap("or 失敗", &[("kh-missing-operand", 4, 1)], None);
    trap("( 失敗", &[("kh-bracket", 4, 1)], None);
    trap("失敗 )", &[("kh-bracket", 4, 4)], None);
    trap("失敗 or '故障", &[("kh-unclosed-quote", 4, 7)], None);
    trap("near(失敗)", &[("kh-near-parts", 4, 1)], None);
    trap("near(失敗-故障)[x]", &[("kh-near-option", 4, 1)], None);
    trap("near(失敗-->名詞-故障)", &[("kh-grammar-in-near", 4, 1)], None);
    trap("失敗-->助数詞", &[("kh-unknown-class", 4, 1)], None);
    trap("99999999999 & 失敗", &[("kh-number", 4, 1)], None);
    trap("10", &[("kh-constant", 4, 1), ("kh-number-condition", 4, 1)], None);
}

#[test]
fn khcoder_codes_are_refused_with_what_refers_to_them() {
    let conversion = convert("＊甲\n失敗 - 1\n＊乙\n<*甲>\n＊丙\n<*丁>\n＊丁\n停電\n＊甲\n故障\n条件\n＊戊\n");
    let found: Vec<(&str, usize, usize)> = conversion
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.span.line_column();
            (diagnostic.id, place.line, place.column)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("kh-arithmetic", 2, 4),
            ("kh-refused-reference", 4, 1),
            ("kh-forward-reference", 6, 1),
            ("kh-duplicate-code", 9, 1),
            ("kh-missing-operator", 11, 1),
            ("kh-empty-code", 12, 1),
        ]
    );
    assert_eq!(conversion.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["丙", "丁"]);
    assert_eq!(conversion.refused, 4);
    assert!(convert("失敗\n").diagnostics[0].id == "kh-no-name");
    assert!(convert("").rules.is_empty());
}

#[test]
fn khcoder_output_is_accepted_by_our_own_parser() {
    let text = "＊故障\n故障 or near(端末-停電)[b5] or '4\"けた' or '\\d'\n＊参照\n<*故障> and not <>種別-->病院\n＊だめ\nNo. > 1\n";
    let conversion = convert(text);
    for rule in &conversion.rules {
        assert!(parse_pattern(&rule.pattern).is_ok(), "{}", rule.pattern);
    }
    let rules = rules(&conversion.toml);
    assert_eq!(rules.rules().map(|rule| rule.id.to_string()).collect::<Vec<_>>(), ["koshou", "sanshou"]);
    assert_eq!(rules.rules().next().and_then(|rule| rule.note.map(str::to_owned)).as_deref(), Some("故障"));
    assert_eq!(classified(&rules, "端末が止まる。停電").1.codings.len(), 0);
    assert_eq!(classified(&rules, "停電で端末が止まる").0, [0, 1]);
    assert!(conversion.toml.contains("#   No. > 1"));
    // Twice the same bytes.
    assert_eq!(convert(text).toml, conversion.toml);
    // Without a category each code is one, and the code frame's lines are proposed.
    let own = convert_khcoder(&Source::new("t.cod", "＊故障\n故障\n"), None, &ANALYZER);
    assert!(own.toml.contains("category = \"koshou\"\n"));
    let frame = "# [[category]]\n# id = \"koshou\"\n# kind = \"list\"\n# heading = \"故障\"\n# short = \"故障\"\n# definition = \"\"\n";
    assert!(own.toml.contains(frame), "{}", own.toml);
}

#[test]
fn khcoder_bad_input_is_survived() {
    for text in [
        "＊",
        "＊甲\n'",
        "＊甲\n\"\"",
        "＊甲\n''",
        "＊甲\n(",
        "＊甲\n)",
        "＊甲\n+",
        "＊甲\n-->",
        "＊甲\n->",
        "＊甲\nnear()",
        "＊甲\nnear(",
        "＊甲\n<*>",
        "＊甲\n<>",
        "＊甲\n<>-->",
        "＊甲\n\u{0}\u{7f}",
        "＊甲\n&",
        "＊甲\n=>",
        "＊甲\n! ! ! 失敗",
        "\r\n＊甲\r\n失敗\r\n",
    ] {
        let conversion = convert(text);
        assert!(compile(&conversion.toml).is_ok(), "{text:?}: {}", conversion.toml);
    }
    let nested = format!("＊甲\n{}失敗{}\n", "( ".repeat(5000), " )".repeat(5000));
    assert_eq!(convert(&nested).diagnostics[0].id, "kh-too-deep");
    let glued = format!("＊甲\n{}失敗\n", "(".repeat(100_000));
    assert_eq!(convert(&glued).diagnostics[0].id, "kh-too-long");
}
