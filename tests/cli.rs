//! The commands as a user meets them: output, messages, exit codes.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::support::shared_corpus;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sample_survey.csv");
const GOLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/gold.jsonl");

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program in a folder of its own.
pub(crate) fn jirei(folder: &Path, arguments: &[&str]) -> Ran {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_jirei"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("results are UTF-8"),
        stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

#[test]
fn tag_writes_the_contract() {
    let folder = folder();
    let input = "{\"id\":\"1\",\"prefecture\":\"東京都\",\"facility\":\"病院\",\"question\":\"問7\",\"text\":\"※氏名が●で表示される\"}\n";
    fs::write(folder.path().join("in.jsonl"), input).expect("writable");
    let ran = jirei(folder.path(), &["tag", "in.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = &lines(&ran.stdout)[0];
    for (key, value) in
        [("id", "1"), ("prefecture", "東京都"), ("facility", "病院"), ("question", "問7"), ("primary", "display")]
    {
        assert_eq!(line[key], value, "{line}");
    }
    assert_eq!(line["categories"][0], "display");
    assert!(line["confidence"].as_f64().is_some_and(|c| c > 0.0 && c <= 1.0));
    let evidence = &line["evidence"][0];
    let (start, end) = (evidence["start"].as_u64().expect("a number"), evidence["end"].as_u64().expect("a number"));
    let text: String = "※氏名が●で表示される".chars().skip(start as usize).take((end - start) as usize).collect();
    assert_eq!(evidence["text"], text.as_str());
    assert_eq!(evidence["category"], "display");
    assert!(evidence["rule"].is_string());
}

#[test]
fn tag_is_the_same_whatever_the_number_of_threads() {
    let folder = folder();
    let one = jirei(folder.path(), &["tag", SAMPLE, "--threads", "1"]);
    let four = jirei(folder.path(), &["tag", SAMPLE, "--threads", "4"]);
    assert_eq!(one.code, 0, "{}", one.stderr);
    assert_eq!(one.stdout, four.stdout);
    assert!(lines(&one.stdout).len() > 500);
}

#[test]
fn tag_writes_csv_and_xlsx_that_read_back() {
    let folder = folder();
    let plain = lines(&jirei(folder.path(), &["tag", SAMPLE]).stdout);
    for name in ["out.csv", "out.xlsx"] {
        let ran = jirei(folder.path(), &["tag", SAMPLE, "-o", name]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let again = jirei(folder.path(), &["tag", name]);
        let again = lines(&again.stdout);
        assert_eq!(again.len(), plain.len(), "{name}");
        for (a, b) in plain.iter().zip(&again) {
            assert_eq!(
                (&a["id"], &a["categories"], &a["primary"]),
                (&b["id"], &b["categories"], &b["primary"]),
                "{name}"
            );
        }
    }
    let csv = fs::read(folder.path().join("out.csv")).expect("written");
    assert!(csv.starts_with("\u{feff}id,prefecture,facility,question,text,categories".as_bytes()));
}

#[test]
fn formulas_stay_text_in_csv() {
    let folder = folder();
    fs::write(folder.path().join("in.jsonl"), "{\"id\":\"1\",\"text\":\"=HYPERLINK(\\\"x\\\") 故障\"}\n")
        .expect("writable");
    let ran = jirei(folder.path(), &["tag", "in.jsonl", "--format", "csv"]);
    assert!(ran.stdout.contains("'=HYPERLINK"), "{}", ran.stdout);
}

#[test]
fn the_table_is_for_the_eye() {
    let ran = jirei(folder().path(), &["tag", SAMPLE, "--format", "table"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("番号"), "{}", ran.stdout.lines().next().unwrap_or(""));
}

#[test]
fn appendix_in_every_format() {
    let folder = folder();
    for name in ["a.docx", "a.xlsx", "a.html", "a.md", "a.csv", "a.json"] {
        let ran = jirei(folder.path(), &["appendix", SAMPLE, "-o", name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let bytes = fs::read(folder.path().join(name)).expect("written");
        jirei(folder.path(), &["appendix", SAMPLE, "-o", name]);
        assert_eq!(bytes, fs::read(folder.path().join(name)).expect("written"), "{name} differs from run to run");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("readable").collect();
    assert_eq!(left.len(), 6, "no temporary file is left");
}

#[test]
fn a_file_that_was_written_is_told() {
    let folder = folder();
    for (arguments, told) in [
        (["tag", SAMPLE, "-o", "a.csv"], "コメント 539 件を a.csv に書き出しました"),
        (["tag", SAMPLE, "-o", "a.xlsx"], "コメント 539 件を a.xlsx に書き出しました"),
        (["columns", SAMPLE, "-o", "map.toml"], "列の対応表の案を map.toml に書き出しました"),
    ] {
        let ran = jirei(folder.path(), &arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    for arguments in [["tag", SAMPLE], ["columns", SAMPLE]] {
        assert!(!jirei(folder.path(), &arguments).stderr.contains("書き出しました"));
    }
}

#[test]
fn what_is_no_file_of_a_survey_is_told_with_what_to_do() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("~$a.xlsx"), "owner").expect("writable");
    fs::write(at.join("empty.xlsx"), "").expect("writable");
    assert_eq!(jirei(at, &["import", SAMPLE]).code, 0);
    assert_eq!(jirei(at, &["review", "export", "-o", "review.xlsx"]).code, 0);
    refused(at, &["tag", "~$a.xlsx"], 2, &["一時ファイル"]);
    refused(at, &["tag", "*.xlsx"], 2, &["一つずつ"]);
    refused(at, &["review", "import", "empty.xlsx", "--coder", "山田"], 2, &["`empty.xlsx` は空です"]);
    refused(at, &["import", "review.xlsx"], 2, &["review.xlsx", "jirei review import"]);
    assert_eq!(jirei(at, &["tag", "review.xlsx", "--sheet", "レビュー"]).code, 0);
    refused(at, &["review", "import", "review.xlsx"], 2, &["--coder", "jirei review import --help"]);
}

#[test]
fn evaluate_as_table_and_json() {
    let folder = folder();
    let table = jirei(folder.path(), &["evaluate", GOLD, "--errors"]);
    assert_eq!(table.code, 0, "{}", table.stderr);
    for words in ["合計（micro）", "display（表示）", "  主分類: 判定 なし、正解 "] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
    let of_primary =
        table.stdout.split("主分類（行: 正解、列: 判定）").nth(1).and_then(|rest| rest.split("\n\n").next());
    assert!(of_primary.is_some_and(|matrix| matrix.contains("制度") && !matrix.contains("system_confusion")));
    let json = jirei(folder.path(), &["evaluate", GOLD, "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["comments"], 605);
    assert!(value["micro"]["f1"].as_f64().is_some_and(|f1| f1 > 0.9));
    assert_eq!(value["categories"].as_object().map(serde_json::Map::len), Some(9));
}

#[test]
fn tokens_show_what_the_analyser_sees() {
    let ran = jirei(folder().path(), &["tokens", "暗唱番号を忘れた", "--format", "jsonl"]);
    let tokens = lines(&ran.stdout);
    assert_eq!(tokens[0]["surface"], "暗唱番号");
    assert_eq!(tokens[0]["base_form"], "暗証番号");
    assert_eq!((tokens[0]["start"].as_u64(), tokens[0]["end"].as_u64()), (Some(0), Some(4)));
    assert_eq!(tokens[2]["reading"], "ワスレ");
}

/// One clear Japanese message, the exit code, and nothing half-written.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, told: &[&str]) {
    let ran = jirei(folder, arguments);
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    for words in told {
        assert!(ran.stderr.contains(words), "{arguments:?}: {words} is not in: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn bad_input_is_told_of() {
    let folder = folder();
    let at = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).expect("writable");
    write("empty.csv", b"");
    write("words.doc", b"x");
    write(
        "broken.jsonl",
        b"{\"id\":\"1\",\"text\":\"\xe3\x82\xab\xe3\x83\xbc\xe3\x83\x89\"}\n{oops\n{\"id\":\"3\",\"text\":\"x\"}\n",
    );
    write("binary.csv", &[0x81, 0xff, 0x00, 0x81, 0x0a, 0xff, 0xfe, 0x00, 0x01]);
    write("closed.csv", "番号,問5\n1,あった\n2,なかった\n".as_bytes());
    refused(at, &["tag", "missing.csv"], 2, &["missing.csv"]);
    refused(at, &["tag", "empty.csv"], 2, &["empty.csv"]);
    refused(at, &["tag", "words.doc"], 2, &["words.doc"]);
    refused(at, &["tag", "binary.csv"], 2, &["binary.csv"]);
    refused(at, &["tag", "closed.csv"], 2, &["closed.csv", "--columns"]);
    refused(at, &["tag", "broken.jsonl"], 1, &["broken.jsonl", "2行目"]);
    refused(at, &["tag", "."], 2, &["フォルダー"]);
    refused(at, &["tag", SAMPLE, "-o", "nowhere/out.csv"], 2, &["nowhere", "フォルダー"]);
    refused(at, &["tag", SAMPLE, "-o", "out.pdf"], 2, &["out.pdf", "拡張子"]);
    refused(at, &["appendix", SAMPLE, "-o", "out.pdf"], 2, &["pdf", "docx"]);
    refused(at, &["appendix", SAMPLE, "-o", "nowhere/out.docx"], 2, &["nowhere"]);
    refused(at, &["evaluate", "broken.jsonl"], 2, &["broken.jsonl:2"]);
    refused(at, &["tag", SAMPLE, "--rules", "nowhere"], 2, &["nowhere", "規則"]);
    refused(at, &["tag", SAMPLE, "--dictionary", "nowhere"], 2, &["nowhere", "辞書"]);
    refused(at, &["tga"], 2, &["tga", "コマンドはありません"]);
    refused(at, &["tag", "--nothing"], 2, &["--nothing"]);
    refused(at, &["tag"], 2, &["ファイル"]);
    refused(at, &["tag", SAMPLE, "--format", "pdf"], 2, &["pdf", "jsonl"]);
    assert!(!at.join("nowhere").exists());
}

#[cfg(unix)]
#[test]
fn an_output_that_cannot_be_replaced_stays_whole() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).expect("writable");
    fs::write(locked.join("out.csv"), "old").expect("writable");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).expect("own folder");
    let ran = jirei(folder.path(), &["tag", SAMPLE, "-o", "locked/out.csv"]);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).expect("own folder");
    // Root may write anywhere: then the file is replaced as a whole.
    let content = fs::read_to_string(locked.join("out.csv")).expect("there");
    match ran.code {
        2 => assert_eq!(content, "old"),
        code => assert!(code == 0 && content.lines().count() > 500),
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = folder();
    let line =
        |id: usize| format!("{}\n", serde_json::json!({"id": id.to_string(), "text": "カードリーダーが故障した。"}));
    fs::write(folder.path().join("in.jsonl"), (0..60_000).map(line).collect::<String>()).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_jirei"))
        .args(["tag", "in.jsonl", "-o", "out.jsonl"])
        .current_dir(folder.path())
        .spawn()
        .expect("the program starts");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(folder.path()).expect("readable");
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    };
    while names().len() < 2 && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The file is there a moment before it is noted as unfinished.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    let status = child.wait().expect("it ends");
    // A run that ended before the signal came has written its file; any other has left nothing.
    let done = names().contains(&"out.jsonl".to_owned());
    assert!(done || (interrupted.success() && status.code() == Some(130)), "{status}");
    assert_eq!(names().len(), 1 + usize::from(done), "{:?}", names());
}

#[test]
fn a_megabyte_of_text_and_control_characters_pass() {
    let folder = folder();
    let long = "カードリーダーが故障した。".repeat(30_000);
    let input = format!(
        "{}\n{}\n",
        serde_json::json!({"id": "1", "text": long}),
        serde_json::json!({"id": "2", "text": "故\u{7}障\u{1b}した"})
    );
    fs::write(folder.path().join("in.jsonl"), input).expect("writable");
    let ran = jirei(folder.path(), &["tag", "in.jsonl"]);
    assert!(ran.code <= 1, "{}", ran.stderr);
    let tagged = lines(&ran.stdout);
    assert_eq!(tagged.len(), 2);
    assert_eq!(tagged[0]["categories"][0], "device");
}

#[test]
fn help_is_japanese() {
    let ran = jirei(folder().path(), &["--help"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("使い方") && ran.stdout.contains("事例集"));
    for english in ["Usage", "Options", "Commands", "Print help"] {
        assert!(!ran.stdout.contains(english), "{}", ran.stdout);
    }
    for command in ["tag", "appendix", "columns", "evaluate", "rules", "tokens"] {
        let ran = jirei(folder().path(), &[command, "--help"]);
        assert_eq!(ran.code, 0);
        for english in ["Usage", "Options", "Commands", "Arguments", "default", "possible values"] {
            assert!(!ran.stdout.contains(english), "{command}: {}", ran.stdout);
        }
    }
}

#[test]
fn the_published_appendix_reads_back() {
    let Some(path) = shared_corpus("report_tables_dev.txt") else { return };
    let ran = jirei(folder().path(), &["tag", path.to_str().expect("a UTF-8 path")]);
    assert_eq!(lines(&ran.stdout).len(), 114, "{}", ran.stderr);
}

#[test]
fn an_output_never_takes_the_place_of_what_is_read() {
    let folder = folder();
    let at = folder.path();
    let kept = [("s.csv", fs::read(SAMPLE).expect("readable")), ("m.toml", b"# map".to_vec())];
    let others = [("t.docx", b"template".to_vec()), ("set.md", b"# settings".to_vec()), ("r.cod", b"* a".to_vec())];
    for (name, bytes) in kept.iter().chain(&others) {
        fs::write(at.join(name), bytes).expect("writable");
    }
    let refused: [&[&str]; 9] = [
        &["tag", "s.csv", "-o", "s.csv"],
        &["tag", "s.csv", "-o", "./s.csv", "--record"],
        &["tag", "s.csv", "--columns", "m.toml", "--format", "csv", "-o", "m.toml"],
        &["columns", "s.csv", "-o", "s.csv"],
        &["rules", "coverage", "s.csv", "--matrix", "s.csv"],
        &["rules", "from-khcoder", "r.cod", "-o", "r.cod"],
        &["appendix", "s.csv", "-o", "s.csv"],
        &["appendix", "s.csv", "--template", "t.docx", "-o", "t.docx"],
        &["appendix", "s.csv", "--settings", "set.md", "-o", "set.md"],
    ];
    for arguments in refused {
        let ran = jirei(at, arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("読み込むファイルです"), "{arguments:?}: {}", ran.stderr);
    }
    for (name, bytes) in kept.iter().chain(&others) {
        assert_eq!(fs::read(at.join(name)).expect("readable"), *bytes, "{name}");
    }

    assert_eq!(jirei(at, &["import", "s.csv", "--casebook", "book"]).code, 0);
    let record = fs::read(at.join("book/casebook.sqlite")).expect("readable");
    for arguments in [
        &["search", "カード", "--casebook", "book", "--format", "csv", "-o", "book/casebook.sqlite"][..],
        &["tag", "s.csv", "--format", "csv", "-o", "book/casebook.sqlite"],
    ] {
        let ran = jirei(at, arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("事例帳のデータベースです"), "{}", ran.stderr);
    }
    assert_eq!(fs::read(at.join("book/casebook.sqlite")).expect("readable"), record);
    let ran = jirei(at, &["casebook", "backup", "s.csv", "--overwrite", "--casebook", "book"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("控えではない"), "{}", ran.stderr);
    assert_eq!(fs::read(at.join("s.csv")).expect("readable"), kept[0].1);
}
