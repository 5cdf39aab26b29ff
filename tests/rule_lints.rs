//! Lints of rule files, each where it must speak and where it must not, and files that are hardly rule files.

use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

use jirei::{diagnostic::Diagnostic, rule::RuleSetError};

use crate::support::{CODEBOOK, POLARITY, compile};

fn diagnostics(rules: &str) -> Vec<Diagnostic> {
    match compile(rules) {
        Ok(rules) => rules.warnings().to_vec(),
        Err(RuleSetError(diagnostics)) => diagnostics,
    }
}

/// A file of one rule whose pattern stands in line 4, in literal quotes of TOML.
fn rule(pattern: &str) -> String {
    format!(
        "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = '''{pattern}'''\nmatch = [\"カード\"]\nno_match = [\"\"]\n"
    )
}

/// What is told of a pattern: ids with the character of the pattern at which they point.
fn told(pattern: &str) -> Vec<(&'static str, usize)> {
    diagnostics(&rule(pattern))
        .iter()
        .map(|d| (d.id, d.span.line_column().column - "pattern = '''".len() - 1))
        .collect()
}

#[track_caller]
fn case(pattern: &str, expected: &[(&'static str, usize)]) {
    assert_eq!(told(pattern), expected, "{pattern}");
}

#[test]
fn texts_that_end_before_their_own_negator() {
    case("fact('わから')", &[("own-negator", 5)]);
    case("near(カード, aff('番号がわから' | 忘れる))", &[("own-negator", 14)]);
    case("fact(seq(番号, 'わから'))", &[("own-negator", 13)]);
    case("fact(start('つながら'))", &[("own-negator", 11)]);
    // Denials are asked for, or in the text, or the text goes on otherwise too.
    for pattern in [
        "neg('わから')",
        "'わから'",
        "fact('わからな')",
        "fact('使わ')",
        "fact('かか')",
        "fact('忘れ')",
        "fact(わからない)",
    ] {
        case(pattern, &[]);
    }
    case("fact(except('番号', 'わから'))", &[]);
}

#[test]
fn texts_that_end_before_their_own_negator_in_concepts() {
    let rules = "category = \"a\"\n[concepts]\ntrouble = \"'わから' | 忘れる\"\n[[rule]]\nid = \"t\"\npattern = \"near(番号, fact(<trouble>))\"\nmatch = [\"カード\"]\nno_match = [\"\"]\n";
    let found = diagnostics(rules);
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.id, only.span.line_column().line), ("own-negator", 3));
    let related = only.related.as_ref().expect("the rule is named").0.line_column();
    assert_eq!((related.line, related.column), (6, 21));
}

#[test]
fn features_that_contradict_or_repeat_each_other() {
    case("aff(neg(反映))", &[("constant-clause", 4)]);
    case("neg(カード | aff(反映))", &[("constant-clause", 10)]);
    case("fact(wish(直す))", &[("constant-clause", 5)]);
    case("hypo(whole('直') | fact('直す'))", &[("constant-clause", 18)]);
    case("neg(neg(反映))", &[("redundant-clause", 4)]);
    case("aff(fact(反映))", &[("redundant-clause", 4)]);
    for pattern in [
        "wish(neg(反映))",
        "fact(near(カード, neg(反映)))",
        "neg(反映) & aff(カード)",
        "fact(aff(反映))",
        "double(neg(反映))",
    ] {
        case(pattern, &[]);
    }
}

#[test]
fn clauses_that_cannot_change_the_result() {
    case("カード & カード", &[("repeated-clause", 6)]);
    case("カード | 番号 | カード", &[("repeated-clause", 11)]);
    case("カード & !カード", &[("constant-clause", 6)]);
    case("カード | !カード", &[("constant-clause", 6), ("no-evidence", 6)]);
    case("カード | (カード & 番号)", &[("redundant-clause", 6)]);
    case("(カード | 番号) & カード", &[("redundant-clause", 0)]);
    case("カード & count(番号) >= 0", &[("constant-clause", 6)]);
    case("カード & count(番号) < 0", &[("constant-clause", 6)]);
    case("カード & chars >= 1", &[("constant-clause", 6)]);
    case("カード & words < 1", &[("constant-clause", 6)]);
    case("count(カード) >= 1", &[("redundant-clause", 0)]);
    case("カード & count(番号) == 0", &[("redundant-clause", 6)]);
    case("カード & @question = 問11 & @question in {問7, 問12}", &[("constant-clause", 24)]);
    case("カード & @question = 問11 & @question != 問11", &[("constant-clause", 24)]);
    case("whole(カード)", &[("redundant-clause", 0)]);
    case("カード & sentence(番号)", &[("redundant-clause", 6)]);
    for pattern in [
        "カード | (番号 & 患者)",
        "count(カード) >= 2",
        "カード & chars >= 2",
        "カード & @question in {問7, 問11} & @question != 問11",
        "カード & comment(番号)",
        "whole('カード')",
        "count(カード) + count(番号) >= 1",
    ] {
        case(pattern, &[]);
    }
}

#[test]
fn alternatives_that_the_rule_itself_forbids() {
    let of = |unless: &str| -> Vec<(&'static str, usize)> {
        let file = format!("{}unless = {unless}\n", rule("カード & 番号 | 患者"));
        diagnostics(&file).iter().map(|d| (d.id, d.span.line_column().line)).collect()
    };
    assert_eq!(of("\"番号\""), [("constant-clause", 4)]);
    assert_eq!(of("[\"停電\", \"患者\"]"), [("constant-clause", 4)]);
    assert_eq!(of("\"停電\""), []);
}

#[test]
fn conditions_that_cannot_hold_together() {
    let of = |pattern: &str, rest: &str| -> Vec<(&'static str, usize)> {
        let file =
            format!("{}{rest}\n[concepts]\nx = \"故障\"\ny = \"故障 | 不調\"\nz = \"<x> | <y>\"\n", rule(pattern));
        let told = diagnostics(&file);
        told.iter().filter(|d| d.id != "unused-concept").map(|d| (d.id, d.span.line_column().line)).collect()
    };
    let never = [("constant-clause", 4)];
    for (pattern, unless) in [
        ("near(端末, 故障)", "故障"),
        ("near(端末, 故障)", "<z>"),
        ("fact(<x>)", "故障"),
        ("端末+故障 & 受付", "停電 | 故障"),
        ("seq(端末, except(故障, '故障中'))", "端末 & 故障"),
        ("count(故障) >= 2", "故障"),
        ("'社会保険' & 受付", "'保険'"),
        ("<y>", "<z>"),
    ] {
        assert_eq!(of(pattern, &format!("unless = \"{unless}\"")), never, "{pattern} unless {unless}");
    }
    for (pattern, unless) in [
        ("<y>", "故障"),
        ("near(端末, 故障)[c]", "故障"),
        ("故障", "fact(故障)"),
        ("'保険'", "'社会保険'"),
        ("'故障。修理'", "'修理'"),
        ("count(故障) < 2", "故障"),
        ("受付 & !故障", "故障"),
    ] {
        assert_eq!(of(pattern, &format!("unless = \"{unless}\"")), [], "{pattern} unless {unless}");
    }
    for pattern in ["near(端末, 故障) & !故障", "故障 & !<x>", "故障 & !(故障 | 不調)", "<x> & !<z>"] {
        assert_eq!(of(pattern, ""), never, "{pattern}");
    }
    for pattern in ["端末 & !故障", "<y> & !<x>", "故障 & !neg(故障)"] {
        assert_eq!(of(pattern, ""), [], "{pattern}");
    }
}

#[test]
fn conditions_without_a_word_to_show() {
    case("!カード", &[("no-evidence", 0)]);
    case("カード | !番号 & !患者", &[("no-evidence", 6)]);
    for pattern in ["カード & !番号", "!!(カード)", "@question = 問11", "chars < 5"] {
        case(pattern, &[]);
    }
}

#[test]
fn attributes_as_no_comment_has_them() {
    for (test, id, proposal) in [
        ("@prefecture = 東京", "attribute-value", "「東京都」と書いてください"),
        ("@都道府県 in {大阪府, 大坂府}", "attribute-value", "「大阪府」ではありませんか"),
        ("@facility != クリニック", "attribute-value", "「医科診療所」と書いてください"),
        ("@question = 7", "attribute-value", "「問7」と書いてください"),
        ("@prefectur = 東京都", "attribute-name", "「prefecture」ではありませんか"),
        ("@都道府県名 = 東京都", "attribute-name", "@prefecture と書いてください"),
        ("@施設種別 = 病院", "attribute-name", "@facility と書いてください"),
    ] {
        let found = diagnostics(&rule(&format!("カード & {test}")));
        let [only] = &found[..] else { panic!("{test}: {found:?}") };
        assert_eq!((only.id, only.help.as_deref()), (id, Some(proposal)), "{test}");
    }
    for test in [
        "@prefecture in {東京都, 無回答}",
        "@facility = 歯科診療所",
        "@facility = 訪問看護",
        "@question = 問11",
        "@'利用率' = '40%以上'",
        "@施設種別 = クリニック",
    ] {
        case(&format!("カード & {test}"), &[]);
    }
}

#[test]
fn attributes_of_examples() {
    let of = |example: &str| -> Vec<&'static str> {
        let file = rule("カード & @question = 問11 & @利用率 = 高い").replace("\"カード\"", example);
        diagnostics(&file).iter().map(|d| d.id).collect()
    };
    assert_eq!(of("{ text = \"カード\", questoin = \"問11\" }"), ["unused-attribute"]);
    assert_eq!(of("{ text = \"カード\", question = \"11\" }"), ["attribute-value"]);
    assert_eq!(of("{ text = \"カード\", question = 11 }"), ["wrong-type"]);
    assert_eq!(of("{ text = \"カード\", question = \"問11\", \"利用率\" = \"高い\" }"), Vec::<&str>::new());
}

#[test]
fn examples_that_contradict_or_repeat_each_other() {
    let of = |examples: &str| -> Vec<(&'static str, usize)> {
        let file = format!("category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\n{examples}\n");
        diagnostics(&file).iter().map(|d| (d.id, d.span.line_column().line)).collect()
    };
    assert_eq!(of("match = [\"カード\"]\nno_match = [\"番号\", \"カード\"]"), [("contradicting-example", 6)]);
    assert_eq!(of("match = [\"カード\", \"カード\"]\nno_match = [\"番号\"]"), [("repeated-example", 5)]);
    assert_eq!(of("match = [\"カード\", { text = \"カード\", question = \"問7\" }]\nno_match = [\"番号\"]"), []);
}

#[test]
fn rules_that_change_nothing() {
    let of = |first: &str, second: &str| -> Vec<(&'static str, usize)> {
        let examples = "match = [\"カード\"]\nno_match = [\"\"]";
        let file = format!(
            "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"カード\"\n{examples}\n{first}\n[[rule]]\nid = \"u\"\npattern = \"番号\"\n{examples}\n{second}\n"
        );
        diagnostics(&file).iter().map(|d| (d.id, d.span.line_column().line)).collect()
    };
    let exclude = "kind = \"exclude\"";
    assert_eq!(of("", &format!("{exclude}\ncategory = \"b\"")), [("idle-exclusion", 9)]);
    assert_eq!(of("", &format!("{exclude}\nstrength = \"weak\"")), [("idle-exclusion", 9)]);
    assert_eq!(of(exclude, &format!("{exclude}\ncategory = \"*\"")), [("idle-exclusion", 3), ("idle-exclusion", 9)]);
    assert_eq!(of("", exclude), []);
    assert_eq!(of("", &format!("{exclude}\ncategory = \"*\"")), []);
    assert_eq!(of("strength = \"weak\"", "category = \"b\""), [("lone-weak-rule", 3)]);
    assert_eq!(of("strength = \"weak\"", exclude), [("lone-weak-rule", 3)]);
    assert_eq!(of("strength = \"weak\"", "strength = \"weak\""), []);
    assert_eq!(of("strength = \"weak\"", ""), []);
}

#[test]
fn expressions_and_texts_that_are_read_otherwise() {
    for (pattern, id, proposal) in [
        ("/\\\\d割/", "dead-term", "「\\d」と書いてください"),
        ("/\\(紙\\)/", "dead-term", "「（」と書いてください"),
        ("/困る!/", "dead-term", "「！」と書いてください"),
        ("/資格 確認/", "dead-term", "「資格確認」と書いてください"),
        ("'故障|不調'", "quoted-operator", "'故障' | '不調' のように"),
        ("'故障 & 端末'", "quoted-operator", "'故障' & '端末' のように"),
    ] {
        let found = diagnostics(&rule(pattern));
        let [only] = &found[..] else { panic!("{pattern}: {found:?}") };
        assert_eq!(only.id, id, "{pattern}");
        assert!(only.help.as_deref().is_some_and(|help| help.contains(proposal)), "{pattern}: {only:?}");
    }
    let backspace = diagnostics(&rule("x").replace("'''x'''", "\"/\\b割/\""));
    assert!(backspace.iter().any(|d| d.id == "dead-term" && d.message.contains("U+0008")), "{backspace:?}");
    for pattern in ["/[(（]紙[)）]/", "/困る！?/", "'Q&A'", "/USB メモリ/", "/(?:紙)/"] {
        case(pattern, &[]);
    }
}

#[test]
fn words_with_a_star_inside_and_lengths_of_kh_coder() {
    case("カード*機", &[("syntax", 0)]);
    for (pattern, proposal) in [("カード & lw >= 3", "words >= 3"), ("カード & LC < 20", "chars < 20")] {
        let found = diagnostics(&rule(pattern));
        assert!(found[0].help.as_deref().is_some_and(|help| help.contains(proposal)), "{pattern}: {found:?}");
    }
}

#[test]
fn dead_terms_say_what_to_write() {
    for (pattern, id, proposal) in [
        ("カードリーダー機-->名詞", "dead-term", "'カードリーダー機'"),
        ("~わかる", "dead-term", "~ワカル"),
        ("/[０-９]+割/", "dead-term", "/[0-9]+割/"),
        ("反映する-->動詞", "dead-term", "'反映する'"),
        ("'　'", "empty-pattern", "文字列"),
    ] {
        let found = diagnostics(&rule(pattern));
        let help = found.iter().find(|d| d.id == id).and_then(|d| d.help.clone());
        assert!(help.as_deref().is_some_and(|help| help.contains(proposal)), "{pattern}: {found:?}");
    }
    // Any form of a verb is found by its reading.
    case("~ワカル", &[]);
}

#[test]
fn regular_expressions_that_are_empty_or_broken() {
    for pattern in ["/a*/", "/(a|)/", "/^/", "/x?y?/"] {
        case(pattern, &[("regex-empty", 0)]);
    }
    case("/割(の/", &[("regex", 2)]);
    case("カード | /[割/", &[("regex", 7)]);
    case("/(?=割)/", &[("regex", 1)]);
    case("/割{2,1}/", &[("regex", 2)]);
    case("/(?:a{1000}){1000}/", &[("regex", 0)]);
}

/// Ids of what is told of two rules, with the line, and the line of the other place.
#[track_caller]
fn pair(first: &str, second: &str, expected: &[(&'static str, usize, Option<usize>)]) {
    let examples = "match = [\"カード\"]\nno_match = [\"\"]\n";
    let file = format!("category = \"a\"\n[[rule]]\nid = \"t\"\n{first}\n{examples}[[rule]]\n{second}\n{examples}");
    let found: Vec<_> = diagnostics(&file)
        .iter()
        .map(|d| (d.id, d.span.line_column().line, d.related.as_ref().map(|(span, _)| span.line_column().line)))
        .collect();
    assert_eq!(found, expected, "{file}");
}

#[test]
fn rules_in_the_shadow_of_others() {
    pair("pattern = \"カード | 番号\"", "id = \"u\"\npattern = \"番号\"", &[("shadowed-rule", 8, Some(3))]);
    pair(
        "pattern = \"カード\"",
        "id = \"u\"\npattern = \"カード\"\nunless = \"番号\"",
        &[("shadowed-rule", 8, Some(3))],
    );
    pair(
        "pattern = \"カード\"\ncategory = [\"a\", \"b\"]",
        "id = \"u\"\npattern = \"カード\"",
        &[("shadowed-rule", 9, Some(3))],
    );
    // Two weak rules of which one is in the other count twice: worth telling too.
    pair(
        "pattern = \"カード | 番号\"\nstrength = \"weak\"",
        "id = \"u\"\npattern = \"番号\"\nstrength = \"weak\"",
        &[("shadowed-rule", 9, Some(3))],
    );
    // Other categories, a strong rule beside a weak one, a more concrete one, one that others refer to, are not.
    pair("pattern = \"カード\"", "id = \"u\"\npattern = \"カード\"\ncategory = \"b\"", &[]);
    pair(
        "pattern = \"カード\"\nstrength = \"weak\"",
        "id = \"u\"\npattern = \"カード\"",
        &[("shadowed-rule", 3, Some(9))],
    );
    pair(
        "pattern = \"カード\"",
        "id = \"u\"\npattern = \"カード\"\nconcreteness = \"detail\"",
        &[("shadowed-rule", 3, Some(8))],
    );
    pair("pattern = \"カード | rule(u) & 患者\"", "id = \"u\"\npattern = \"カード\"", &[]);
}

#[test]
fn names_that_stand_twice_or_turn_in_a_circle() {
    pair("pattern = \"カード\"", "id = \"t\"\npattern = \"番号\"", &[("duplicate-rule", 8, Some(3))]);
    pair("pattern = \"rule(u)\"", "id = \"u\"\npattern = \"rule(t)\"", &[("rule-cycle", 9, Some(3))]);
    pair("pattern = \"rule(t)\"", "id = \"u\"\npattern = \"番号\"", &[("rule-cycle", 4, Some(3))]);
    pair(
        "pattern = \"category(a)\"",
        "id = \"u\"\npattern = \"番号\"\ncategory = \"b\"",
        &[("rule-cycle", 4, Some(3))],
    );
    let concepts = "[concepts]\nx = \"カード | <y>\"\ny = \"<z>\"\nz = \"<x> | 番号\"\n";
    let found = diagnostics(concepts);
    let [only] = &found[..] else { panic!("a circle is told of once: {found:?}") };
    assert_eq!((only.id, only.span.line_column().line), ("concept-cycle", 4));
    let twice = diagnostics("[concepts]\nx = \"カード\"\n\"x\" = \"番号\"\n");
    assert_eq!(twice[0].id, "toml");
}

#[test]
fn unknown_names_come_with_a_proposal() {
    let file = |pattern: &str| {
        format!("category = \"a\"\n[concepts]\nreader = \"端末\"\n[[rule]]\nid = \"device\"\npattern = \"{pattern}\"\n")
    };
    for (pattern, id, proposal) in [
        ("<reder>", "unknown-concept", "reader"),
        ("rule(devise)", "unknown-rule", "device"),
        ("category(al)", "unknown-category", "a"),
        ("カード-->名司", "unknown-pos", "名詞"),
        ("ner(カード, 番号)", "unknown-function", "near"),
    ] {
        let found = diagnostics(&file(pattern));
        let help = found.iter().find(|d| d.id == id).and_then(|d| d.help.clone());
        assert_eq!(help, Some(format!("「{proposal}」ではありませんか")), "{pattern}: {found:?}");
    }
    // What is not close is not guessed; where there are few names all are told.
    let found = diagnostics(&file("category(zzz)"));
    let help = found.iter().find(|d| d.id == "unknown-category").and_then(|d| d.help.clone());
    assert_eq!(help.as_deref(), Some("分類は a、b、l です"));
    for (category, proposal) in
        [("甲", "見出しではなく id の「a」を書いてください"), ("*", "除外（kind = \"exclude\"）")]
    {
        let found = diagnostics(&file("端末").replace("category = \"a\"", &format!("category = \"{category}\"")));
        let help = found.iter().find(|d| d.id == "unknown-category").and_then(|d| d.help.clone());
        assert!(help.as_deref().is_some_and(|help| help.contains(proposal)), "{category}: {found:?}");
    }
}

#[test]
fn places_hold_in_strings_with_escapes() {
    let place = |line: &str| {
        let found = diagnostics(&format!("category = \"a\"\n[[rule]]\nid = \"t\"\n{line}\n"));
        let fault = found.iter().find(|d| d.id == "unknown-concept").unwrap_or_else(|| panic!("{found:?}"));
        let text = fault.span.source.text()[fault.span.byte_range.clone()].to_owned();
        (fault.span.line_column().line, fault.span.line_column().column, text)
    };
    let found = |line, column| (line, column, "<無い>".to_owned());
    assert_eq!(place(r#"pattern = "\"4けた\" & <無い>""#), found(4, 22));
    assert_eq!(place(r#"pattern = "'\u4e00' | <無い>""#), found(4, 23));
    assert_eq!(place("pattern = '''\nカード |\r\n<無い>'''"), found(6, 1));
    assert_eq!(place("pattern = \"\"\"カード | \\\n   <無い>\"\"\""), found(5, 4));
}

// Files that are hardly rule files, through the command.

fn check(file: &[u8]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in
        [("codebook.toml", CODEBOOK.as_bytes()), ("polarity.toml", POLARITY.as_bytes()), ("t.toml", file)]
    {
        fs::write(folder.path().join(name), text).expect("a file in it");
    }
    Command::new(env!("CARGO_BIN_EXE_jirei"))
        .args(["rules", "check", "--rules"])
        .arg(folder.path())
        .output()
        .expect("the program was built for this test")
}

/// What `rules check` says of a file, and with which status it ends.
#[track_caller]
fn checked(file: &[u8], status: i32, said: &[&str]) {
    let began = Instant::now();
    let output = check(file);
    // No minutes: the bound is far above what a slow machine takes.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{shown}");
    for said in said {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

const GOOD: &str = "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"端末 & 故障\"\nmatch = [\"端末の故障\"]\nno_match = [\"端末\"]\n";

#[test]
fn byte_order_mark_line_ends_and_tabs() {
    let clean = "規則 1 件、誤り 0 件、警告 0 件";
    checked(GOOD.as_bytes(), 0, &[clean]);
    checked(format!("\u{feff}{GOOD}").as_bytes(), 0, &[clean]);
    checked(GOOD.replace('\n', "\r\n").as_bytes(), 0, &[clean]);
    checked(format!("\u{feff}{}", GOOD.replace('\n', "\r\n")).as_bytes(), 0, &[clean]);
    checked(GOOD.replace(" = ", "\t=\t").replace("端末 & 故障", "端末\t&\t故障").as_bytes(), 0, &[clean]);
    checked(GOOD.replace("\"端末 & 故障\"", "'''\r\n\t端末 &   # 機械\r\n\t故障\r\n'''").as_bytes(), 0, &[clean]);
    // The caret stands under the place whatever stands before it.
    let fault = format!("\u{feff}{}", GOOD.replace('\n', "\r\n").replace("端末 & 故障", "端末\t& <故障>"));
    checked(
        fault.as_bytes(),
        1,
        &["t.toml:4:17: error[unknown-concept]", "4 | pattern = \"端末 & <故障>\"", "  |                   ^^^^^^"],
    );
}

#[test]
fn other_encodings() {
    checked(b"category = \"\x8e\x96\x97\xe1\"\n", 2, &["t.toml", "1 行目", "UTF-8"]);
    let wide: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    checked(&[&b"\xff\xfe"[..], &wide].concat(), 2, &["t.toml", "UTF-8"]);
    checked(b"", 1, &["規則 0 件", "warning[no-rules]"]);
}

#[test]
fn full_width_operators_brackets_and_quotes() {
    for (pattern, proposal) in [
        ("端末＆故障", "端末&故障"),
        ("（端末 ｜ 画面）＆ 故障", "(端末 | 画面)& 故障"),
        ("ｎｅａｒ（端末，故障）", "ｎｅａｒ(端末,故障)"),
        ("near（端末，故障）［５］", "near(端末,故障)[５]"),
        ("！端末", "!端末"),
        ("＜端末＞", "<端末>"),
        ("端末＊", "端末*"),
        ("「端末」 | 故障", "'端末' | 故障"),
        ("count(端末) ≧ 2", "count(端末) >= 2"),
    ] {
        let file = GOOD.replace("端末 & 故障", pattern);
        checked(file.as_bytes(), 1, &["error[full-width]", &format!("半角で {proposal} と書いてください")]);
    }
    checked(GOOD.replace("端末 & 故障", "“端末").as_bytes(), 1, &["error[full-width]", "半角の「\"」にしてください"]);
    // Full-width space separates like any other.
    checked(GOOD.replace("端末 & 故障", "端末　&　故障").as_bytes(), 0, &[]);
    checked(GOOD.replace("端末 & 故障", "near(端末、故障)").as_bytes(), 1, &["near(端末, 故障)"]);
}

#[test]
fn quotes_and_brackets_that_are_open() {
    checked(GOOD.replace("端末 & 故障", "端末 & '故障").as_bytes(), 1, &["t.toml:4:17: error[unclosed-quote]"]);
    checked(GOOD.replace("故障\"\nmatch", "故障\nmatch").as_bytes(), 1, &["error[toml]", "t.toml:4:"]);
    checked(GOOD.replace("端末 & 故障", "near(端末, (故障)").as_bytes(), 1, &["t.toml:4:16: error[unclosed-bracket]"]);
    checked(GOOD.replace("match = [\"端末の故障\"]", "match = [\"端末の故障\"").as_bytes(), 1, &["error[toml]"]);
}

#[test]
fn examples_that_are_missing_or_misplaced() {
    checked(GOOD.replace("match = [\"端末の故障\"]\n", "").as_bytes(), 1, &["warning[missing-example]", "（match）"]);
    checked(GOOD.replace("no_match = [\"端末\"]\n", "").as_bytes(), 1, &["warning[missing-example]", "（no_match）"]);
    checked(GOOD.replace("[\"端末の故障\"]", "\"端末の故障\"").as_bytes(), 1, &["error[wrong-type]", "[\"…\", \"…\"]"]);
    checked(GOOD.replace("[\"端末の故障\"]", "[{ txt = \"端末\" }]").as_bytes(), 1, &["error[wrong-type]", "text"]);
}

#[test]
fn lists_that_are_empty() {
    for empty in ["pattern = []", "pattern = \"<x>\"\n[concepts]\nx = []"] {
        checked(GOOD.replace("pattern = \"端末 & 故障\"", empty).as_bytes(), 1, &["error[empty-pattern]"]);
    }
    checked(format!("{GOOD}note = [\"覚え書き\"]\n").as_bytes(), 1, &["t.toml:7:8: error[wrong-type]", "引用符"]);
}

/// What `rules check` says of a folder with these files, and with which status it ends.
#[track_caller]
fn folder_checked(files: &[(&str, &str)], status: i32, said: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file in it");
    }
    fs::create_dir(folder.path().join("old.toml")).expect("a folder in it");
    let output = Command::new(env!("CARGO_BIN_EXE_jirei"))
        .args(["rules", "check", "--rules"])
        .arg(folder.path())
        .output()
        .expect("the program was built for this test");
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{shown}");
    for said in said {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    shown.into_owned()
}

#[test]
fn files_beside_the_rules() {
    let with = |name: &'static str, text: &'static str| {
        [("codebook.toml", CODEBOOK), ("polarity.toml", POLARITY), ("t.toml", GOOD), (name, text)]
    };
    let clean = "規則 1 件、誤り 0 件、警告 0 件";
    // What editors keep beside an open file.
    folder_checked(&with("~$t.toml", "\u{5}Yamada\0\0"), 0, &[clean]);
    folder_checked(&with(".#t.toml", "yamada@pc"), 0, &[clean]);
    folder_checked(&with("t.toml.bak", GOOD), 0, &[clean]);
    // Of another program.
    let said = ["Cargo.toml:1:1: error[not-a-rule-file]", "フォルダーの外に移してください", "誤り 1 件"];
    folder_checked(&with("Cargo.toml", "[package]\nname = \"x\"\n"), 1, &said);
    // A copy is told of by its ids alone.
    let shown = folder_checked(&with("t のコピー.toml", GOOD), 1, &["error[duplicate-rule]", "誤り 1 件、警告 0 件"]);
    assert!(!shown.contains("shadowed-rule"), "{shown}");
    let upper = [("codebook.toml", CODEBOOK), ("polarity.toml", POLARITY), ("T.TOML", GOOD)];
    folder_checked(&upper, 0, &[clean]);
    let denied = GOOD.replace("端末 & 故障", "fact(故障)");
    folder_checked(&[("codebook.toml", CODEBOOK), ("t.toml", &denied)], 1, &["t.toml:4:12: warning[missing-polarity]"]);
    folder_checked(&[("codebook.toml", CODEBOOK), ("t.toml", GOOD)], 0, &[clean]);
}

#[test]
fn faults_of_the_code_frame_are_told_at_once() {
    let codebook = |text| [("codebook.toml", text), ("polarity.toml", POLARITY), ("t.toml", GOOD)];
    folder_checked(
        &codebook(
            "[[category]]\nid = \"a\"\nkind = \"sectoin\"\nheading = 1\n\n[[category]]\nid = \"b c\"\nkind = \"list\"\nheading = \"乙\"\nshort = \"乙\"\ndefinition = \"\"\nmemo = \"\"\n",
        ),
        1,
        &[
            "codebook.toml:1:1: error[missing-key]: codebook.toml に title がありません",
            "codebook.toml:1:1: error[missing-key]: 分類に short がありません",
            "codebook.toml:1:1: error[missing-key]: 分類に definition がありません",
            "codebook.toml:3:8: error[wrong-value]",
            "「section」ではありませんか",
            "codebook.toml:4:11: error[wrong-type]",
            "codebook.toml:7:6: error[category-id]",
            "codebook.toml:12:1: error[unknown-key]: 分類に「memo」という項目はありません",
            "誤り 7 件",
        ],
    );
    let twice = CODEBOOK.replace("id = \"l\"", "id = \"a\"");
    folder_checked(&codebook(&twice), 1, &["codebook.toml:6:10: error[duplicate-category]", "最初の定義"]);
    folder_checked(&codebook("title = \"題\"\n"), 1, &["error[missing-key]", "[[category]]"]);
    folder_checked(&codebook("title = \"題\"\n[category]\nid = \"a\"\n"), 1, &["error[wrong-type]", "[[category]]"]);
    let polarity = |text| [("codebook.toml", CODEBOOK), ("polarity.toml", text), ("t.toml", GOOD)];
    folder_checked(
        &polarity("negator = [\"ない\"]\nwishes = \"たい\"\nabsences = [1]\n"),
        1,
        &[
            "polarity.toml:1:1: error[unknown-key]",
            "「negators」ではありませんか",
            "polarity.toml:2:10: error[wrong-type]",
            "polarity.toml:3:13: error[wrong-type]",
        ],
    );
}

#[test]
fn huge_files_and_patterns() {
    let huge = format!("{GOOD}# {}\n", "x".repeat(10 << 20));
    checked(huge.as_bytes(), 1, &["error[file-too-large]", "分けてください"]);
    let long = GOOD.replace("端末 & 故障", &"端末 | ".repeat(20_000));
    checked(long.as_bytes(), 1, &["error[pattern-too-long]"]);
    // As long as it may be.
    let words: Vec<String> = (0..4_000).map(|n| format!("'語{n}'")).collect();
    checked(GOOD.replace("端末 & 故障", &words.join("|")).as_bytes(), 0, &[]);
    let rules: String = (0..3_000)
        .map(|n| {
            format!(
                "[[rule]]\nid = \"r{n}\"\npattern = \"'語{n}' & !'別{n}'\"\nmatch = [\"語{n}\"]\nno_match = [\"別\"]\n"
            )
        })
        .collect();
    checked(format!("category = \"a\"\n{rules}").as_bytes(), 0, &["規則 3000 件"]);
}

#[test]
fn hostile_expressions_and_nesting() {
    for regex in ["(?:a{1000}){1000}", "((((a{50}){50}){50}){50})", "(?:[^x]{200}){200}", "\\\\pL{5000}"] {
        checked(GOOD.replace("端末 & 故障", &format!("/{regex}/")).as_bytes(), 1, &["error[regex]"]);
    }
    // No backtracking: nothing to wait for.
    checked(GOOD.replace("端末 & 故障", "/(a+)+$|(a|aa)+b/").as_bytes(), 0, &[]);
    for nested in [
        format!("{}端末{}", "(".repeat(1000), ")".repeat(1000)),
        format!("{}端末", "!".repeat(1000)),
        format!("{}端末{}", "neg(".repeat(1000), ")".repeat(1000)),
        format!("{}端末", "not ".repeat(1000)),
        format!("{}端末{}", "comment(".repeat(1000), ")".repeat(1000)),
    ] {
        checked(GOOD.replace("端末 & 故障", &nested).as_bytes(), 1, &["error[too-deep]"]);
    }
    let nested = format!("/{}a{}/", "(".repeat(1000), ")".repeat(1000));
    checked(GOOD.replace("端末 & 故障", &nested).as_bytes(), 1, &["error[regex]"]);
    checked(format!("x = {}1{}\n", "[".repeat(1000), "]".repeat(1000)).as_bytes(), 1, &["error["]);
    // Concepts that double with each step: shared, not copied.
    let concepts: String = (1..200).map(|n| format!("c{n} = \"<c{}> | near(<c{}>, 端末)\"\n", n - 1, n - 1)).collect();
    let file = format!("{GOOD}[concepts]\nc0 = \"故障\"\n{concepts}").replace("端末 & 故障", "<c199> & 端末");
    checked(file.as_bytes(), 0, &[]);
}
