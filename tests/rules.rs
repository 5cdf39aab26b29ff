//! The rule language: every form, every diagnostic with its place.

use jirei::{
    comment::Comment,
    rule::{RuleSetError, parse_pattern},
};
use proptest::prelude::*;

use crate::support::{ANALYZER, RULES, classify, compile, pattern};

#[track_caller]
fn fires(written: &str, text: &str) {
    assert!(
        !classify(&pattern(written), &Comment::from_text(text)).codings.is_empty(),
        "{written} should match {text}"
    );
}

#[track_caller]
fn silent(written: &str, text: &str) {
    let found = classify(&pattern(written), &Comment::from_text(text));
    assert!(found.codings.is_empty(), "{written} should not match {text}: {found:?}");
}

#[test]
fn words() {
    fires("反映", "まだ反映されていません");
    fires("使う", "使わなかった");
    fires("使えない", "使えなかった");
    silent("使えない", "使える");
    fires("カード*", "カードリーダーが古い");
    silent("カード*", "診察券");
    fires("*認証", "顔認証");
    fires("反映-->サ変名詞", "反映が遅い");
    fires("反映-->名詞-サ変接続", "反映が遅い");
    silent("反映-->動詞", "反映が遅い");
    fires("*-->未知語", "ﾇﾌﾟﾗﾊﾞが出た");
    fires("使う->未然形", "使わない");
    silent("使う->未然形", "使った");
    fires("使う=>使っ", "使った");
    fires("~ワカル", "分かる");
    fires("~ワカル", "判る");
    fires("資格確認書", "資格確認書が届く");
}

#[test]
fn texts() {
    fires("'認証'", "顔認証");
    fires("'４けた'", "4けた");
    fires("/[0-9]+割/", "１０割");
    silent("/[0-9]+割/", "割引");
    fires("'it''s'", "it's");
    fires("'暗唱番号'", "暗証番号");
    fires("'windows'", "Ｗｉｎｄｏｗｓ");
}

#[test]
fn spans() {
    fires("顔認証+できない", "顔認証できない");
    fires("カード+を+忘れる", "カードを忘れた");
    silent("カード+忘れる", "カードを忘れた");
    fires("seq(カード, 忘れる)[2]", "カードを忘れた");
    silent("seq(忘れる, カード)", "カードを忘れた");
    silent("seq(カード, 忘れる)[1]", "カードを家に忘れた");
    fires("near(忘れる, カード)", "カードを忘れた");
    silent("near(カード, 忘れる)", "カードがある。忘れた");
    fires("near(カード, 忘れる)[c]", "カードがある。忘れた");
    fires("near(カード, カード)", "カードとカードを重ねた");
    silent("near(カード, カード)", "カードを重ねた");
    fires("except(高齢, '後期高齢')", "高齢の患者");
    silent("except('高齢', '後期高齢')", "後期高齢の保険");
    fires("start('込んで')", "受付が込んでいる");
    silent("start('込んで')", "思い込んでいる");
    silent("whole('カー')", "カードがある");
    fires("seq(暗証番号 | パスワード, (忘れる | 'わから'))", "パスワードがわからない");
}

#[test]
fn conditions() {
    fires("カード & 忘れる", "忘れた、カードを");
    silent("カード & 忘れる", "カードがある。忘れた");
    fires("comment(カード & 忘れる)", "カードがある。忘れた");
    fires("カード & !忘れる", "カードがある");
    fires("カード&(忘れる|なくす)", "カードをなくした");
    fires("カード and not 忘れる or 番号", "番号を忘れた");
    fires("count(カード | 番号) >= 2", "カードと番号");
    silent("count(カード) + count(番号) >= 3", "カードと番号");
    fires("カード & chars < 8", "カードがない");
    silent("カード & chars < 8", "カードがないと困ります");
    fires("カード & words <= 3", "カードがない");
}

#[test]
fn polarity() {
    for text in [
        "反映されない",
        "反映せず",
        "反映できていない",
        "未反映",
        "反映がまだされておらず",
        "反映していません",
        "反映がない",
        "反映されていなかった",
        "反映はまだされていない",
        "反映されぬまま",
        "反映できず困る",
    ] {
        fires("neg(反映)", text);
        silent("aff(反映)", text);
    }
    for text in [
        "反映された",
        "反映が遅い",
        "反映されないことはない",
        "反映しなければならない",
        "反映しないといけない",
        "反映に時間がかかり困る",
    ] {
        silent("neg(反映)", text);
    }
    fires("double(反映)", "反映されないわけではない");
    for text in [
        "エラーは一度も起きていない",
        "エラーはない",
        "エラーなし",
        "エラーになったことは一度もない",
        "エラーが出ていません",
    ] {
        silent("aff(エラー)", text);
    }
    for text in ["エラーが出て確認できない", "エラーで読めない", "エラー", "エラーになり、使えない"]
    {
        fires("aff(エラー)", text);
    }
    fires("wish(改善)", "改善してほしい");
    fires("wish(改善)", "改善していただきたい");
    fires("wish(直す)", "直すべきだ");
    silent("wish(改善)", "改善した");
    fires("hypo(反映)", "反映されれば助かる");
    fires("hypo(反映)", "反映されたら助かる");
    silent("fact(反映)", "反映してほしい");
    fires("fact(故障)", "故障した");
    fires("over(エラー)", "以前はエラーが出たが今は出ない");
    silent("over(エラー)", "以前からエラーが出る");
}

#[test]
fn attributes_and_references() {
    let rules = compile(
        r#"
        category = "a"
        [[rule]]
        id = "by_question"
        pattern = "'対応' & @question in {問11, 問12} & @'利用率' != '10%'"
        [[rule]]
        id = "by_rule"
        category = "b"
        pattern = "'業者' & rule(by_question)"
        "#,
    )
    .expect("correct rules");
    let mut comment = Comment::from_text("業者が対応していない");
    assert!(classify(&rules, &comment).codings.is_empty());
    comment.question = Some("問11".into());
    assert_eq!(classify(&rules, &comment).codings.len(), 2);
    comment.attributes = [("利用率".to_owned(), "10%".to_owned())].into_iter().collect();
    assert!(classify(&rules, &comment).codings.is_empty());
}

#[test]
fn strength_exclusion_and_primary() {
    let rules = compile(
        r#"
        [[rule]]
        id = "weak_one"
        category = "a"
        strength = "weak"
        pattern = "混雑"
        [[rule]]
        id = "weak_two"
        category = "a"
        strength = "weak"
        pattern = "行列"
        [[rule]]
        id = "wish"
        category = "b"
        concreteness = "wish"
        pattern = "保険証"
        [[rule]]
        id = "strong"
        category = ["a", "l"]
        pattern = "故障"
        [[rule]]
        id = "none"
        category = "*"
        kind = "exclude"
        pattern = "'昔の話'"
        "#,
    )
    .expect("correct rules");
    let ids = |text: &str| {
        let found = classify(&rules, &Comment::from_text(text));
        let name = |c: jirei::codebook::CategoryIndex| rules.codebook()[c].id.to_string();
        (found.categories().map(name).collect::<Vec<_>>(), found.primary.map(name))
    };
    assert_eq!(ids("混雑した"), (vec![], None));
    assert_eq!(ids("混雑して行列になった"), (vec!["a".into()], Some("a".into())));
    assert_eq!(ids("保険証がよい。故障した"), (vec!["a".into(), "b".into(), "l".into()], Some("a".into())));
    assert_eq!(ids("故障したのは昔の話。保険証"), (vec!["b".into()], Some("b".into())));
    let strong = classify(&rules, &Comment::from_text("故障"));
    assert_eq!(strong.codings[0].confidence, 0.9);
    assert_eq!(classify(&rules, &Comment::from_text("混雑、行列")).codings[0].confidence, 0.75);
}

#[test]
fn evidence_slices_the_original() {
    let text = "※ｶｰﾄﾞﾘｰﾀﾞｰが　暗唱番号エラー";
    let found = classify(&pattern("カードリーダー | '暗証番号'"), &Comment::from_text(text));
    let words: Vec<String> = found.codings[0]
        .evidence
        .iter()
        .map(|e| text.chars().skip(e.char_range.start).take(e.char_range.len()).collect())
        .collect();
    assert_eq!(words, ["ｶｰﾄﾞﾘｰﾀﾞｰ", "暗唱番号"]);
}

#[test]
fn an_empty_comment_has_no_category() {
    silent("カード | 'x' | /y/ | *-->名詞", "");
    silent("chars < 100", "");
    silent("!(カード)", " ");
}

/// A rule file with one fault: id, line and column of the diagnostic.
#[track_caller]
fn fault(rules: &str, id: &str, line: usize, column: usize) {
    let diagnostics = match compile(rules) {
        Ok(rules) => rules.warnings().to_vec(),
        Err(RuleSetError(diagnostics)) => diagnostics,
    };
    let found: Vec<_> =
        diagnostics.iter().map(|d| (d.id, d.span.line_column().line, d.span.line_column().column)).collect();
    assert!(found.contains(&(id, line, column)), "{id} at {line}:{column} is not among {found:?}");
}

fn with_pattern(written: &str) -> String {
    format!(
        "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"{written}\"\nmatch = [\"カード\"]\nno_match = [\"\"]\n"
    )
}

#[test]
fn faults_have_their_place() {
    let at = |written: &str, id: &str, column: usize| fault(&with_pattern(written), id, 4, column + 12);
    at("カード (忘れる", "missing-operator", 4);
    at("カード & (忘れる", "unclosed-bracket", 6);
    at("カード)", "unopened-bracket", 3);
    at("カード 忘れる", "missing-operator", 4);
    at("'カード", "unclosed-quote", 0);
    at("カード |", "missing-operand", 4);
    at("カード ｜ 忘れる", "full-width", 4);
    at("（カード）", "full-width", 0);
    at("<読み取り機>", "unknown-concept", 0);
    at("rule(nothing)", "unknown-rule", 0);
    at("category(nothing)", "unknown-category", 0);
    at("nera(カード, 忘れる)", "unknown-function", 0);
    at("near(カード)", "arguments", 0);
    at("near(カード, 忘れる)[x]", "distance", 15);
    at("near(カード & 忘れる, 番号)", "not-a-span", 5);
    at("カード-->名刺", "unknown-pos", 0);
    at("/[/", "regex", 1);
    at("/カード*|/", "regex-empty", 0);
    at("count(カード)", "comparison", 0);
    at("@question 問11", "attribute", 0);
    fault(&with_pattern(""), "empty-pattern", 4, 11);
    at("カード & カード", "repeated-clause", 6);
    at("カード & !カード", "constant-clause", 6);
    at("count(カード) >= 0", "constant-clause", 0);
    at("反映する-->動詞", "dead-term", 0);
    at("~わかる", "dead-term", 0);
    at("/[０-９]/", "dead-term", 0);
}

#[test]
fn faults_of_files_have_their_place() {
    fault("categry = \"a\"\n", "unknown-key", 1, 1);
    fault("category = \"z\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\n", "unknown-category", 1, 12);
    fault("category = \"a\"\n[[rule]]\npattern = \"カード\"\n", "missing-id", 2, 1);
    fault("category = \"a\"\n[[rule]]\nid = \"T-1\"\npattern = \"カード\"\n", "rule-id", 3, 6);
    fault("[[rule]]\nid = \"t\"\npattern = \"カード\"\n", "missing-category", 2, 6);
    fault("category = \"a\"\n[[rule]]\nid = \"t\"\n", "missing-pattern", 3, 6);
    fault("category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\nstrength = \"very\"\n", "wrong-value", 5, 12);
    fault("category = \"a\"\n[[rule]]\nid = \"t\"\npattern = 3\n", "wrong-type", 4, 11);
    fault("category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\n", "missing-example", 3, 6);
    fault("category = \"a\"\n[concepts]\nx = \"<y>\"\ny = \"<x>\"\n", "concept-cycle", 4, 6);
    fault("[concepts]\nx = \"カード\"\n", "unused-concept", 2, 1);
    fault("x = [\n", "toml", 1, 6);
    let twice =
        "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\n[[rule]]\nid = \"t\"\npattern = \"番号\"\n";
    fault(twice, "duplicate-rule", 6, 6);
    let cycle =
        "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"rule(u)\"\n[[rule]]\nid = \"u\"\npattern = \"rule(t)\"\n";
    fault(cycle, "rule-cycle", 7, 12);
    let shadow = "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード | 番号\"\n[[rule]]\nid = \"u\"\npattern = \"番号\"\n";
    fault(shadow, "shadowed-rule", 6, 6);
}

#[test]
fn a_fault_is_shown_under_japanese_text() {
    let rules = "category = \"a\"\r\n[concepts]\r\n\"読み取り機\" = \"カードリーダー\"\r\n[[rule]]\r\nid = \"t\"\r\npattern = \"故障 & <読取り機>\"\r\n";
    let Err(RuleSetError(diagnostics)) = compile(&format!("\u{feff}{rules}")) else { panic!("the concept is unknown") };
    let shown = diagnostics.iter().find(|d| d.id == "unknown-concept").expect("told of").to_string();
    let expected = "t.toml:6:17: error[unknown-concept]: 概念「読取り機」は定義されていません\n  |\n6 | pattern = \"故障 & <読取り機>\"\n  |                   ^^^^^^^^^^\n  = help: 「読み取り機」ではありませんか\n";
    assert_eq!(shown, expected);
}

#[test]
fn every_fault_is_told_at_once() {
    let Err(RuleSetError(diagnostics)) = compile(
        "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"<x> & <y>\"\n[[rule]]\nid = \"u\"\npattern = \"/(/\"\n",
    ) else {
        panic!("three faults")
    };
    let ids: Vec<_> = diagnostics.iter().map(|d| d.id).filter(|id| *id != "missing-example").collect();
    assert_eq!(ids, ["unknown-concept", "unknown-concept", "regex"]);
}

#[test]
fn hostile_patterns_end_soon() {
    let deep = format!("{}カード{}", "(".repeat(1000), ")".repeat(1000));
    assert_eq!(parse_pattern(&deep).expect_err("too deep").id, "too-deep");
    assert_eq!(parse_pattern(&"!".repeat(1000)).expect_err("too deep").id, "too-deep");
    assert_eq!(parse_pattern(&"カード|".repeat(100_000)).expect_err("too long").id, "pattern-too-long");
    fault(&with_pattern("/(?:a{1000}){1000}/"), "regex", 4, 12);
    let huge = format!("# {}\n", "x".repeat(5 << 20));
    fault(&huge, "file-too-large", 1, 1);
}

#[test]
fn another_word_is_no_slip() {
    let rules = with_pattern("カード").replace("id = \"t\"", "id = \"t\"\nkind = \"include\"");
    let Err(RuleSetError(diagnostics)) = compile(&rules) else { panic!("there is no such kind") };
    assert_eq!((diagnostics[0].id, &diagnostics[0].help), ("wrong-value", &None));
}

#[test]
fn the_place_of_a_fault_is_of_whole_characters() {
    let text = "カード |　";
    let error = parse_pattern(text).expect_err("an operand is missing");
    assert_eq!(text.get(error.byte_range), Some("　"));
    let text = "<　>都道府県";
    let error = parse_pattern(text).expect_err("no such form");
    assert_eq!(text.get(error.byte_range), Some("<　>"));
    let Err(RuleSetError(diagnostics)) = compile("a=\r\n") else { panic!("a value is missing") };
    assert!(diagnostics[0].to_string().contains("error[toml]"), "{}", diagnostics[0]);
}

proptest! {
    #[test]
    fn no_pattern_panics(text in "[カード忘れるa-c0-9()\\[\\]{}|&!,+<>='\"/@~*. 　\n#-]{0,40}") {
        match parse_pattern(&text) {
            Ok(node) => prop_assert!(text.get(node.byte_range).is_some()),
            Err(error) => prop_assert!(text.get(error.byte_range.clone()).is_some(), "{error:?}"),
        }
    }

    #[test]
    fn every_fault_of_a_file_can_be_shown(text in "([\\[\\]='\"# \t　{},.]|\r?\n|\r|rule|id|pattern|カード|category|a){0,24}") {
        if let Err(RuleSetError(diagnostics)) = compile(&text) {
            for diagnostic in diagnostics {
                prop_assert!(diagnostic.to_string().contains(diagnostic.id));
            }
        }
    }
}

#[test]
fn the_rules_of_the_repository_are_all_embedded_and_clean() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("rules/ is there");
    let embedded = jirei::rule::embedded_rules();
    let files = folder.filter(|e| e.as_ref().is_ok_and(|e| e.path().extension().is_some_and(|x| x == "toml"))).count();
    assert_eq!(files, embedded.len());
    let rules = jirei::rule::RuleSet::from_sources(&embedded, &ANALYZER).expect("the embedded rules are correct");
    let warnings: Vec<String> = rules.warnings().iter().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
}

#[test]
fn the_examples_of_the_rules_come_out() {
    let reports = RULES.run_examples(&ANALYZER);
    let failed: Vec<String> = reports
        .iter()
        .filter(|r| r.outcome != jirei::rule::ExampleOutcome::Passed)
        .map(|r| format!("{} {:?}: {}", r.rule, r.outcome, r.text))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for rule in RULES.rules() {
        let count = |kind| rule.examples.iter().filter(|e| e.kind == kind).count();
        use jirei::rule::ExampleKind::{Match, NoMatch};
        assert!(count(Match) >= 2 && count(NoMatch) >= 2, "{} has fewer than two examples each way", rule.id);
    }
}

#[test]
fn what_an_expression_spells_out_is_found_as_the_expression_finds_it() {
    let expressions = [
        "カ|カード",
        "カード|カ",
        "カード??",
        "(?:カ|ド){1,2}",
        "(?:カ|ド){1,2}?",
        "(?:カ|カー)(?:ード|ド)",
        "ああ",
        "あ|ああ",
        "番号(?:|カ)",
        "pc|PCカ",
        "(?-i:PC)",
        "[a-p&&[^P]]c",
        "[[a-d]&&[Cd]]x",
    ];
    for expression in expressions {
        let rules = pattern(&format!("/{expression}/"));
        let regex = regex::RegexBuilder::new(expression).case_insensitive(true).build().expect("it is correct");
        for text in ["カードカード", "ああああああ", "番号カ番号", "pcカPCカPc", "ドカカド", "cxとax"]
        {
            let analysis = ANALYZER.worker().analyze(text);
            assert_eq!(analysis.text(), text);
            let characters = |byte: usize| text[..byte].chars().count();
            let wanted: Vec<_> =
                regex.find_iter(text).map(|found| characters(found.start())..characters(found.end())).collect();
            let found = classify(&rules, &Comment::from_text(text));
            let found: Vec<_> =
                found.codings.iter().flat_map(|coding| &coding.evidence).map(|e| e.char_range.clone()).collect();
            assert_eq!(found, wanted, "/{expression}/ on {text}");
        }
    }
}

#[test]
fn what_can_match_nothing_or_everything_is_refused() {
    for (pattern, fault) in [("'\u{200b}'", "empty-pattern"), (r"/\b/", "regex-empty"), ("/^$/", "regex-empty")] {
        let pattern = pattern.replace('\\', "\\\\");
        let error = compile(&format!("[[rule]]\nid = \"r\"\ncategory = \"a\"\npattern = \"{pattern}\"\n"));
        let error = error.err().expect("refused");
        assert!(error.0.iter().any(|diagnostic| diagnostic.id == fault), "{pattern}: {:?}", error.0);
    }
}
