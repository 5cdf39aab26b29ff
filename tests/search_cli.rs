//! `jirei search` as a user meets it: every example of its pages, what is written, what is decided.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use calamine::{Reader, open_workbook_auto};
use tempfile::TempDir;

use crate::cli::{Ran, jirei};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A folder with a casebook of the sample survey; each caller gets a copy.
fn sample() -> TempDir {
    static SAMPLE: OnceLock<TempDir> = OnceLock::new();
    let made = SAMPLE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::copy(Path::new(ROOT).join("corpus/sample_survey.csv"), folder.path().join("sample_survey.csv"))
            .expect("the sample is part of the repository");
        let ran = jirei(folder.path(), &["import", "sample_survey.csv"]);
        assert!(ran.code < 2, "{}", ran.stderr);
        folder
    });
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(made.path(), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("writable");
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("writable");
        }
    }
}

fn search(folder: &TempDir, arguments: &[&str]) -> Ran {
    jirei(folder.path(), &[&["search"], arguments].concat())
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// A command line as a shell takes it apart.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A line without the categories, which change with the rules.
fn without_categories(line: &str) -> &str {
    match line.rfind("  [") {
        Some(at) if line.ends_with(']') => &line[..at],
        _ => line,
    }
}

/// Whether lines are as the page has them; `…` alone stands for any lines, and at the end of one for its rest.
fn agrees(page: &[&str], output: &[&str]) -> bool {
    match (page.split_first(), output.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=output.len()).any(|skipped| agrees(rest, &output[skipped..])),
        (Some((line, rest)), Some((found, more))) => {
            let (line, found) = (without_categories(line), without_categories(found));
            let same = line == found || line.strip_suffix(" …").is_some_and(|start| found.starts_with(start));
            same && agrees(rest, more)
        }
        _ => false,
    }
}

/// Runs every command of a page and looks up every query of its tables.
fn check_page(page: &str) -> (usize, usize) {
    let folder = sample();
    let text = fs::read_to_string(Path::new(ROOT).join("docs").join(page)).expect("the page is there");
    let (mut commands, mut queries) = (0, 0);
    let mut wrong = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().expect("a block ends");
        for part in block.split("$ ").filter(|part| !part.is_empty()) {
            let mut expected: Vec<&str> = part.trim_end().lines().collect();
            let command = expected.remove(0);
            let words = words(command);
            let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            let ran = jirei(folder.path(), &arguments);
            let found: Vec<&str> = ran.stdout.trim_end().trim_start_matches('\u{feff}').lines().collect();
            if ran.code > 1 || !agrees(&expected, &found) {
                wrong.push(format!("$ {command}\n{}{}", ran.stdout, ran.stderr));
            }
            commands += 1;
        }
    }
    for row in text.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (query, rest) = row.split_once('`').expect("a query ends");
        if query.starts_with("--") {
            continue;
        }
        let query = query.replace("\\|", "|");
        let count = rest.trim_end_matches('|').rsplit('|').next().expect("a row has cells").trim();
        let ran = search(&folder, &["--limit", "0", "--", &query]);
        let found = ran.stdout.trim_end();
        let fits = if count.is_empty() { found.ends_with(" 件") } else { found == format!("{count} 件") };
        if ran.code != 0 || !fits {
            wrong.push(format!("{query}: {count} expected, found {found} {}", ran.stderr));
        }
        queries += 1;
    }
    assert!(wrong.is_empty(), "{page}\n{}", wrong.join("\n"));
    (commands, queries)
}

#[test]
fn the_japanese_page_is_right() {
    let (commands, queries) = check_page("search.ja.md");
    assert!(commands >= 12 && queries >= 30, "{commands} commands, {queries} queries");
}

#[test]
fn the_english_page_is_right() {
    let (commands, queries) = check_page("search.md");
    assert!(commands >= 5 && queries >= 20, "{commands} commands, {queries} queries");
}

#[test]
fn no_line_on_screen_is_wider_than_eighty_columns() {
    use unicode_width::UnicodeWidthStr;
    let folder = sample();
    for arguments in [
        &["の", "--limit", "200", "--facets"][..],
        &["の", "--limit", "300", "--kwic"],
        &["資格確認書 OR カードリーダー", "--limit", "300", "--kwic", "--sort", "left"],
        &["--like", "204-問7", "--limit", "100"],
    ] {
        let ran = search(&folder, arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.lines().count() > 20, "{}", ran.stdout);
        for line in ran.stdout.lines() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
        }
    }
}

#[test]
fn every_form_has_the_same_fields() {
    let folder = sample();
    let plain = search(&folder, &["停電", "--format", "jsonl"]);
    let expected = lines(&plain.stdout);
    assert_eq!(expected.len(), 3);
    for hit in &expected {
        let text: Vec<char> = hit["text"].as_str().expect("a text").chars().collect();
        let mark = &hit["highlights"][0];
        let (start, end) = (mark["start"].as_u64().expect("a number"), mark["end"].as_u64().expect("a number"));
        assert_eq!(text[start as usize..end as usize].iter().collect::<String>(), "停電");
    }
    let columns: Vec<String> =
        expected[0]["attributes"].as_object().expect("the sample has columns").keys().cloned().collect();
    assert!(columns.len() > 2, "{columns:?}");
    for name in ["out.csv", "out.xlsx"] {
        let ran = search(&folder, &["停電", "-o", name]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        let rows: Vec<Vec<String>> = if name.ends_with("csv") {
            let bytes = fs::read(folder.path().join(name)).expect("the file is there");
            csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(&bytes[3..])
                .records()
                .map(|record| record.expect("csv").iter().map(str::to_owned).collect())
                .collect()
        } else {
            let mut book = open_workbook_auto(folder.path().join(name)).expect("a workbook");
            assert_eq!(book.sheet_names(), ["検索結果", "条件"]);
            let range = book.worksheet_range("検索結果").expect("the sheet is there");
            range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
        };
        assert_eq!(rows.len(), 4, "{name}");
        let header = &rows[0];
        assert!(columns.iter().all(|column| header.contains(column)), "{header:?}");
        for (row, hit) in rows[1..].iter().zip(&expected) {
            for (at, key) in [(0, "id"), (1, "prefecture"), (2, "facility"), (3, "question"), (4, "text")] {
                assert_eq!(row[at], hit[key].as_str().unwrap_or_default(), "{name} {key}");
            }
            assert_eq!(row[8], hit["position"].to_string(), "{name}");
            for column in &columns {
                let at = header.iter().position(|header| header == column).expect("looked up above");
                assert_eq!(row[at], hit["attributes"][column].as_str().unwrap_or_default(), "{name} {column}");
            }
        }
    }
}

#[test]
fn counts_follow_the_query_in_every_form() {
    let folder = sample();
    let ran =
        search(&folder, &["患者", "--facet", "都道府県", "--facet", "利用率", "--format", "jsonl", "--limit", "100"]);
    let all = lines(&ran.stdout);
    let (last, hits) = all.split_last().expect("there are lines");
    assert_eq!(last["total"].as_u64(), Some(hits.len() as u64));
    for (key, of) in [
        ("prefecture", (|hit| hit["prefecture"].as_str()) as fn(&serde_json::Value) -> Option<&str>),
        ("問3 マイナ保険証の利用率", |hit| hit["attributes"]["問3 マイナ保険証の利用率"].as_str()),
    ] {
        let counts = last["facets"][key].as_object().expect("it was asked for");
        assert!(counts.len() > 3, "{counts:?}");
        for (value, count) in counts {
            let plain = hits.iter().filter(|hit| of(hit) == Some(value)).count();
            assert_eq!(count.as_u64(), Some(plain as u64), "{key} {value}");
        }
        let missing = hits.iter().filter(|hit| of(hit).is_none()).count();
        assert_eq!(last["missing"][key].as_u64(), Some(missing as u64), "{key}");
    }
    let ran = search(&folder, &["患者", "--facets", "-o", "counts.xlsx"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut book = open_workbook_auto(folder.path().join("counts.xlsx")).expect("a workbook");
    let range = book.worksheet_range("件数").expect("the counts have a sheet");
    assert!(range.rows().any(|row| row[0] == *"施設" && row[2] == 20.0), "{range:?}");
    let ran = search(&folder, &["患者", "--facet", "血液型"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("血液型") && ran.stderr.contains("利用率"), "{}", ran.stderr);
}

#[test]
fn a_concordance_is_sorted_over_all_hits() {
    let folder = sample();
    let of = |sort: &str, limit: &str| {
        let ran = search(&folder, &["カード", "--kwic", "--sort", sort, "--limit", limit, "--format", "jsonl"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        lines(&ran.stdout)
    };
    for (sort, key) in [("right", "right"), ("keyword", "keyword")] {
        let all = of(sort, "1000");
        assert!(all.len() > 20);
        assert!(all.is_sorted_by_key(|line| line[key].as_str().map(str::to_owned)), "{sort}");
        assert_eq!(of(sort, "5"), all[..5], "the first of all, not of the first hits");
    }
    let left = of("left", "1000");
    assert!(left.is_sorted_by_key(|line| line["left"].as_str().map(|left| left.chars().rev().collect::<String>())));
    let ran = search(&folder, &["カード", "--sort", "left"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn results_and_remarks_go_apart() {
    let folder = sample();
    let ran = search(&folder, &["暗証番号", "--format", "jsonl"]);
    assert!(ran.stderr.contains("パスワード") && lines(&ran.stdout).len() > 5, "{}", ran.stderr);
    let ran = search(&folder, &["\"停電", "--no-synonyms", "--format", "jsonl"]);
    assert_eq!(ran.stderr.matches("引用符").count(), 1, "{}", ran.stderr);
    let ran = search(&folder, &["停電", "-台風", "--no-synonyms", "--limit", "0"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("2 件\n", ""));
    let ran = search(&folder, &["停電", "--limt", "3"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = search(&folder, &["--like", "ない番号"]);
    assert!(ran.code == 2 && ran.stderr.contains("ない番号"), "{}", ran.stderr);
}

#[test]
fn nothing_that_is_typed_is_an_error() {
    let folder = sample();
    let long = "停電 カードリーダー ".repeat(1_000);
    let deep = "(".repeat(10_000);
    for query in [
        "",
        "　",
        "？",
        "！！",
        "…",
        "・",
        "：",
        "（",
        "」",
        "\"",
        "“停電",
        "停電”",
        "の",
        "です",
        "は が を",
        "😀",
        "👨‍👩‍👧",
        "都道府県：",
        "施設:",
        "文字数:",
        "文字数:<",
        "near",
        "near(",
        "near(,)",
        "near(a b, 99999999999)",
        "*",
        "-",
        "- -",
        "OR",
        "AND OR NOT",
        "((()",
        "\\",
        "'",
        "%",
        "<b>",
        "a:b:c",
        ":::",
        "NULL",
        "\u{0}",
        "\u{200b}",
        "ﾞ",
        "々",
        "ー",
        &long,
        &deep,
    ] {
        if query.contains('\u{0}') {
            continue;
        }
        let ran = search(&folder, &["--limit", "3", "--", query]);
        let shown: String = query.chars().take(30).collect();
        assert_eq!(ran.code, 0, "{shown}: {}", ran.stderr);
        assert!(ran.stdout.contains(" 件"), "{shown}: {}", ran.stdout);
    }
}

#[test]
fn a_search_becomes_one_batch_of_decisions() {
    let folder = sample();
    let count = |query: &str| search(&folder, &[query, "--no-synonyms", "--limit", "0"]).stdout;
    let before = count("停電 分類:クレーム");
    let decide = ["停電", "--no-synonyms", "--add-category", "クレーム", "--mark-quote"];
    let ran = search(&folder, &[&decide[..], &["--coder", "山田", "--dry-run", "--limit", "1"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("3 件（うち 1 件を表示）") && ran.stderr.contains("3 件を引用候補"),
        "{}",
        ran.stderr
    );
    assert_eq!(count("停電 分類:クレーム"), before, "nothing was recorded");
    assert_eq!(count("引用候補:はい"), "0 件\n");
    let ran = search(&folder, &[&decide[..], &["--coder", "山田", "--limit", "1"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("review undo 1 "), "{}", ran.stdout);
    assert_eq!(count("停電 分類:クレーム"), "3 件\n", "all hits, not those that are shown");
    assert_eq!(count("引用候補:はい"), "3 件\n");
    let ran = search(&folder, &[&decide[..], &["--coder", "鈴木"]].concat());
    assert!(ran.stdout.contains("0 件を引用候補") && !ran.stdout.contains("undo"), "{}", ran.stdout);
    {
        use jirei::{
            analyze::Analyzer,
            casebook::{Casebook, Undo},
            index::{TokenMaker, undo_batch},
        };
        let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
        let mut casebook = Casebook::open(&folder.path().join("casebook")).expect("it is there");
        let decisions = casebook.decisions().expect("readable");
        assert_eq!(decisions.len(), 6);
        assert!(decisions.iter().all(|stored| stored.batch == 1 && stored.coder == "山田"), "{decisions:?}");
        let undo = Undo { coder: "鈴木".to_owned(), at: "2026-01-15T09:00:00Z".to_owned() };
        let undone = undo_batch(&mut casebook, &mut TokenMaker::new(&analyzer), 1, &undo).expect("it stands");
        assert_eq!(undone, 6);
    }
    assert_eq!(count("停電 分類:クレーム"), before, "taken back as a whole");
    assert_eq!(count("引用候補:はい"), "0 件\n");
}

#[test]
fn decisions_need_a_name_and_a_condition() {
    let folder = sample();
    for (arguments, said) in [
        (&["停電", "--mark-quote"][..], "--coder"),
        (&["停電", "--mark-quote", "--coder", " "], "--coder"),
        (&["", "--mark-quote", "--coder", "山田"], "条件"),
        (&["停電", "--add-category", "未知", "--coder", "山田"], "未知"),
        (&["停電", "--dry-run"], "--add-category"),
    ] {
        let ran = search(&folder, arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    // A slip finds nothing here, rather than something else.
    let ran = search(&folder, &["パスワート", "--mark-quote", "--coder", "山田"]);
    assert!(ran.stdout.starts_with("0 件を"), "{}", ran.stdout);
}

/// An import that runs beside the test until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be done already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn search_works_while_another_process_imports() {
    let folder = sample();
    let mut line = 0;
    let mut file = |name: &str, comments: usize| -> PathBuf {
        let mut text = String::new();
        for _ in 0..comments {
            line += 1;
            text.push_str(&format!(
                "{{\"id\":\"n{line}\",\"text\":\"停電から{line}日目、回線が戻らず電話で確認した。\"}}\n"
            ));
        }
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writable");
        path
    };
    let files: Vec<PathBuf> = (0..4).map(|number| file(&format!("more{number}.jsonl"), 400)).collect();
    let import = Command::new(env!("CARGO_BIN_EXE_jirei"))
        .arg("import")
        .args(&files)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut import = Running(import);
    let mut seen = Vec::new();
    let mut done = false;
    while !done {
        done = import.0.try_wait().expect("it can be asked").is_some();
        let ran = search(&folder, &["停電", "--no-synonyms", "--limit", "0"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let total: u64 = ran.stdout.trim_end_matches(" 件\n").parse().expect("a number of hits");
        seen.push(total);
    }
    assert!(import.0.wait().expect("it has ended").success());
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.iter().all(|total| (total - 3) % 400 == 0), "whole files or nothing: {seen:?}");
    assert_eq!(seen.last(), Some(&1_603), "{seen:?}");
}
