//! The commands: output, JSON and exit codes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::EXPLAINED;
use crate::support::{CODEBOOK, POLARITY};

fn jirei(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jirei")).args(arguments).output().expect("the program was built for this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// A folder of rules with the code frame and polarity lists of the tests.
struct Rules(TempDir);

impl Rules {
    fn new(rules: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [("codebook.toml", CODEBOOK), ("polarity.toml", POLARITY), ("t.toml", rules)] {
            fs::write(folder.path().join(name), text).expect("a file in it");
        }
        Self(folder)
    }

    fn path(&self) -> &str {
        path(self.0.path())
    }

    /// `jirei rules …` with this folder, which must end with a code.
    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> Output {
        let output = jirei(&[&["rules"], arguments, &["--rules", self.path()]].concat());
        assert_eq!(output.status.code(), Some(code), "{}{}", stdout(&output), stderr(&output));
        output
    }

    /// What it writes for people.
    #[track_caller]
    fn text(&self, arguments: &[&str], code: i32) -> String {
        stdout(&self.run(arguments, code))
    }

    /// What it writes for programs.
    #[track_caller]
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat(), code);
        serde_json::from_str(&stdout(&output)).expect("output is JSON")
    }
}

const GOOD: &str = r#"
[[rule]]
id = "fails"
category = "a"
pattern = "故障"
match = ["端末が故障した", "故障です"]
no_match = ["端末は速い", "停電した"]

[[rule]]
id = "slow"
category = "b"
pattern = "遅い"
match = ["端末が遅い", "遅いです"]
no_match = ["端末は速い", "停電した"]
"#;

#[test]
fn check_exits_0_clean_1_with_findings_2_without_rules() {
    let good = Rules::new(GOOD);
    let shown = good.text(&["check"], 0);
    assert!(shown.contains("規則 2 件、誤り 0 件"), "{shown}");
    let bad = Rules::new(&GOOD.replace("\"遅い\"", "\"遅い &\"").replace("category = \"a\"", "category = \"z\""));
    let output = bad.run(&["check"], 1);
    assert!(stdout(&output).contains("error[missing-operand]"), "{}", stdout(&output));
    assert!(output.stderr.is_empty());
    let value = bad.json(&["check"], 1);
    assert_eq!((&value["rules"], &value["diagnostics"][0]["id"]), (&Value::Null, &json!("missing-operand")));
    assert_eq!(jirei(&["rules", "check", "--rules", "/nonexistent"]).status.code(), Some(2));
}

#[test]
fn test_tells_false_negatives_from_false_positives() {
    Rules::new(GOOD).run(&["test"], 0);
    let bad = Rules::new(&GOOD.replace("\"故障です\"", "\"壊れた\"").replacen("\"停電した\"", "\"故障中\"", 1));
    let shown = bad.text(&["test"], 1);
    assert!(shown.contains("t.toml:6:"), "{shown}");
    assert!(shown.contains("例 8 件、うち失敗 2 件（見落とし 1、誤り 1、直った既知の誤り 0）"), "{shown}");
    let value = bad.json(&["test"], 1);
    assert_eq!((&value["false_negatives"], &value["false_positives"]), (&json!(1), &json!(1)));
    assert_eq!(value["failures"][0]["outcome"], "false_negative");
    assert_eq!(value["failures"][1]["outcome"], "false_positive");
    assert_eq!(value["failures"][1]["text"], "故障中");
}

#[test]
fn test_tells_of_known_faults_that_are_mended() {
    let known = "known_miss = [\"端末がだめ\", \"故障だ\"]\nknown_false = [\"故障の訓練\", \"訓練\"]\n\n";
    let rules = Rules::new(&GOOD.replacen("\n\n", &format!("\n{known}"), 1));
    let value = rules.json(&["test"], 1);
    assert_eq!((&value["mended"], &value["passed"]), (&json!(2), &json!(10)));
    let marks: Vec<(&Value, &Value)> = value["failures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|failure| (&failure["mark"], &failure["text"]))
        .collect();
    assert_eq!(marks, [(&json!("known_miss"), &json!("故障だ")), (&json!("known_false"), &json!("訓練"))]);
}

#[test]
fn explain_writes_text_and_json() {
    let rules = Rules::new(EXPLAINED);
    let text = "端末が故障した";
    let shown = rules.text(&["explain", text], 0);
    assert!(shown.contains("○ a（甲）  確信度 0.900  主分類"), "{shown}");
    assert!(shown.contains("○ 「端末が故障」  (near(<machine>, fact(故障)))  8:12"), "{shown}");
    assert!(shown.contains("× b（乙）  当たった規則はありません"), "{shown}");
    let value = rules.json(&["explain", text], 0);
    assert_eq!(value["primary"], "a");
    let fired = &value["categories"][0]["rules"][0];
    assert_eq!(fired["rule"], "fails");
    assert_eq!(fired["clauses"][0]["parts"][0]["words"][0]["text"], "端末が故障");
    assert_eq!(value["morphemes"][0]["surface"], "端末");
    assert_eq!(value["morphemes"][2]["features"]["negated"], false);
    let value = rules.json(&["explain", "端末は故障しない"], 0);
    let failed = &value["categories"][0]["nearest"]["failed"][0];
    assert_eq!((&failed["text"], &failed["reason"]), (&json!("fact(故障)"), &json!("feature")));
    assert_eq!((&failed["line"], &failed["column"]), (&json!(8), &json!(29)));
}

#[test]
fn explain_wants_a_text() {
    let output = jirei(&["rules", "explain", "　"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("調べる文が空です"));
}

#[test]
fn explain_says_what_was_found_instead() {
    let examples = "match = [\"端末\"]\nno_match = [\"停電\"]\n";
    let rule = |id: &str, category: &str, pattern: &str| {
        format!("[[rule]]\nid = \"{id}\"\ncategory = \"{category}\"\npattern = \"{pattern}\"\n{examples}")
    };
    let rules = Rules::new(
        &[
            rule("fact", "a", "端末 & fact(故障)"),
            rule("many", "b", "端末 & count(故障) + chars >= 30 & @question = 問7"),
            rule("where", "l", "端末 & @prefecture = 東京都 & @facility = 病院 & @利用率 = 高い"),
        ]
        .concat(),
    );
    for (text, why) in [
        ("端末が故障しない", "「故障」は否定として述べられています"),
        ("端末が故障したら困る", "「故障」は仮定として述べられています"),
        ("端末が故障してほしい", "「故障」は要望として述べられています"),
    ] {
        let shown = rules.text(&["explain", text], 0);
        assert!(shown.contains(why), "{why}: {shown}");
    }
    let shown = rules.text(&["explain", "端末が故障", "--question", "8", "--prefecture", "大阪"], 0);
    for why in
        ["数が合いません（6）", "属性が合いません（「問8」）", "属性が合いません（「大阪府」）", "属性の値がありません"]
    {
        assert!(shown.contains(why), "{why}: {shown}");
    }
    let given = ["--prefecture", "東京", "--facility", "病院", "--attribute", "利用率=高い"];
    let value = rules.json(&[&["explain", "端末"][..], &given].concat(), 0);
    assert_eq!(value["categories"][2]["given"], true, "{value}");
    assert_eq!((&value["prefecture"], &value["attributes"]), (&json!("東京都"), &json!({"利用率": "高い"})));
    let refused = rules.run(&["explain", "端末", "--attribute", "利用率"], 2);
    assert!(stderr(&refused).contains("「見出し=値」"), "{}", stderr(&refused));
    let two = rules.run(&["explain", "端末", "故障"], 2);
    assert!(stderr(&two).contains("「故障」は余分です"), "{}", stderr(&two));
}

#[test]
fn attributes_of_examples_may_have_japanese_names() {
    let rules = Rules::new(
        "[[rule]]\nid = \"t\"\ncategory = \"a\"\npattern = \"故障 & @question = 問11\"\nmatch = [{ text = \"故障\", \"設問\" = \"問11\" }]\nno_match = [\"故障\"]\n",
    );
    rules.text(&["test"], 0);
}

#[test]
fn explain_fits_a_narrow_screen() {
    let words = (0..30).map(|n| format!("'語{n}'")).collect::<Vec<_>>().join(" | ");
    let rules = Rules::new(&EXPLAINED.replace("\"表示 | 印字\"", &format!("\"表示 & ({words})\"")));
    let shown = rules.text(&["explain", "表示が語3だけ消えて、受付の端末は動かない"], 0);
    let widest = shown.lines().map(unicode_width::UnicodeWidthStr::width).max();
    assert!(widest <= Some(100), "{shown}");
}

/// A file of comments, of which the first three carry gold.
fn comments() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines = [
        r#"{"id":"c1","text":"端末が故障した","must":["a"],"may":[],"primary":["a"]}"#,
        r#"{"id":"c2","text":"端末が遅い","must":[],"may":[],"primary":[]}"#,
        r#"{"id":"c3","text":"役場に電話した","must":["b"],"may":[],"primary":["b"]}"#,
        r#"{"id":"c4","text":"役場へ案内した"}"#,
    ];
    let file = folder.path().join("c.jsonl");
    fs::write(&file, lines.join("\n")).expect("a file in it");
    (folder, file)
}

#[test]
fn coverage_counts_and_lists_what_no_rule_touches() {
    let rules = Rules::new(GOOD);
    let (_kept, file) = comments();
    let file = path(&file);
    let value = rules.json(&["coverage", file, "--uncovered", "1"], 0);
    assert_eq!((&value["comments"], &value["gold_comments"], &value["untouched"]), (&json!(4), &json!(3), &json!(2)));
    assert_eq!(value["rules"][0]["precision"], 1.0);
    assert_eq!(value["rules"][1]["precision"], 0.0);
    assert_eq!(value["uncovered"], json!([{"id": "c3", "text": "役場に電話した"}]));
    let table = rules.text(&["coverage", file, "--uncovered", "9"], 0);
    for said in ["適合率", "a（甲）", "  fails", "c4  役場へ案内した"] {
        assert!(table.contains(said), "{said}: {table}");
    }
}

#[test]
fn coverage_writes_a_matrix_of_comments_and_codes() {
    let rules = Rules::new(GOOD);
    let (kept, file) = comments();
    let matrix = kept.path().join("m.csv");
    rules.run(&["coverage", path(&file), "--matrix", path(&matrix)], 0);
    let written = fs::read_to_string(&matrix).expect("the matrix was written");
    let lines =
        ["\u{feff}id,a,b,l,rule:fails,rule:slow", "c1,1,0,0,1,0", "c2,0,1,0,0,1", "c3,0,0,0,0,0", "c4,0,0,0,0,0"];
    assert_eq!(written.lines().collect::<Vec<_>>(), lines);
    rules.run(&["coverage", path(&file), "--matrix", "/nonexistent/m.csv"], 2);
}

#[test]
fn compare_tells_gains_and_losses_and_whether_they_are_right() {
    let (old, new) = (Rules::new(GOOD), Rules::new(&GOOD.replace("\"遅い\"", "\"役場\"")));
    let (_kept, file) = comments();
    let compare = |more: &[&str]| {
        let output = jirei(&[&["rules", "compare", old.path(), new.path(), path(&file)], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let value: Value = serde_json::from_str(&compare(&["--format", "json"])).expect("output is JSON");
    let b = &value["categories"][1];
    assert_eq!((&b["category"], &b["old"], &b["new"]), (&json!("b"), &json!(1), &json!(2)));
    assert_eq!((&b["gained"][0]["id"], &b["gained"][0]["better"]), (&json!("c3"), &json!(true)));
    assert_eq!((&b["lost"][0]["id"], &b["lost"][0]["better"]), (&json!("c2"), &json!(true)));
    let table = compare(&[]);
    assert!(table.contains("＋ c3（正解に近づく）  役場に電話した"), "{table}");
    assert!(compare(&["--limit", "1"]).contains("ほか 2 件"), "two of three changes are not shown");
}

#[test]
fn suggest_finds_words_of_what_gold_misses() {
    let rules = Rules::new(GOOD);
    let (_kept, file) = comments();
    let suggest = ["suggest", path(&file), "--least", "1"];
    let value = rules.json(&suggest, 0);
    assert_eq!((&value["groups"][0]["purpose"], &value["groups"][0]["target"]), (&json!("missed"), &json!(1)));
    assert_eq!(value["groups"][0]["suggestions"][0]["examples"], json!(["c3"]));
    assert_eq!((&value["groups"][1]["purpose"], &value["groups"][1]["target"]), (&json!("wrong"), &json!(1)));
    let value = rules.json(&[&suggest[..], &["--category", "b", "--under"]].concat(), 0);
    assert_eq!(value["groups"][0]["reference"], 2);
    rules.run(&[&suggest[..], &["--category", "z"]].concat(), 2);
}

#[test]
fn suggest_without_gold_asks_for_the_uncovered() {
    let rules = Rules::new(GOOD);
    let (kept, _) = comments();
    let plain = kept.path().join("plain.csv");
    fs::write(&plain, "番号,回答\n1,役場に電話した\n2,役場へ案内した\n3,端末が遅い\n4,端末が故障した\n")
        .expect("written");
    let shown = rules.text(&["suggest", path(&plain)], 0);
    assert!(
        shown.starts_with("分類の付かないコメントに多い語（付いたコメントと比べて）  対象 2 件、比べるコメント 2 件"),
        "{shown}"
    );
    assert!(shown.contains("役場に電話した"), "the word stands in its comment: {shown}");
    // As lines of a rule file, which can be pasted as they are.
    let lines = rules.text(&["suggest", path(&plain), "--format", "toml"], 0);
    let rule = format!("[[rule]]\nid = \"proposed\"\ncategory = \"a\"\n{lines}");
    let proposed = Rules::new(&rule);
    let shown = proposed.text(&["coverage", path(&plain)], 0);
    assert!(shown.contains("  proposed"), "{rule}\n{shown}");
}

#[track_caller]
fn from_khcoder(bytes: &[u8], code: i32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cod, toml) = (folder.path().join("r.cod"), folder.path().join("r.toml"));
    fs::write(&cod, bytes).expect("a file in it");
    let output = jirei(&["rules", "from-khcoder", path(&cod), "-o", path(&toml), "--category", "a"]);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    let written = fs::read_to_string(&toml).expect("the rule file was written");
    assert!(written.contains("id = \"uketsuke_no_konran\""), "{written}");
    assert!(written.contains("pattern = \"混乱 | 行列\""), "{written}");
}

#[test]
fn from_khcoder_reads_every_encoding_and_says_what_it_found() {
    let text = "＊受付の混乱\r\n混乱 or 行列\r\n";
    from_khcoder(text.as_bytes(), 0);
    from_khcoder(format!("\u{feff}{text}").as_bytes(), 0);
    // The same in CP932 and EUC-JP.
    let cp932 = b"\x81\x96\x8e\xf3\x95\x74\x82\xcc\x8d\xac\x97\x90\r\n\x8d\xac\x97\x90 or \x8d\x73\x97\xf1\r\n";
    from_khcoder(cp932, 0);
    let euc = b"\xa1\xf6\xbc\xf5\xc9\xd5\xa4\xce\xba\xae\xcd\xf0\r\n\xba\xae\xcd\xf0 or \xb9\xd4\xce\xf3\r\n";
    from_khcoder(euc, 0);
    from_khcoder(format!("{text}＊番号\nNo. > 3\n").as_bytes(), 1);
    assert_eq!(jirei(&["rules", "from-khcoder", "/nonexistent.cod"]).status.code(), Some(2));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (empty, toml) = (folder.path().join("empty.cod"), folder.path().join("r.toml"));
    fs::write(&empty, "\r\n").expect("a file in it");
    let output = jirei(&["rules", "from-khcoder", path(&empty), "-o", path(&toml)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("コードが 1 つもありません"));
    assert!(!toml.exists());
}
