//! Looking after a casebook: commands, records of runs, several processes at once.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use jirei::{
    casebook::{Action, Casebook, CasebookError, CategoryChange, Coder, Decision, FILE},
    index,
};

use crate::{
    cli::{Ran, jirei},
    common::{DICTIONARY, casebook, classification, codebook, entries, import, maker, source},
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sample_survey.csv");

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = jirei(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran
}

#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32, told: &[&str]) -> Ran {
    let ran = jirei(folder, arguments);
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    for words in told {
        assert!(ran.stdout.contains(words) || ran.stderr.contains(words), "{words}: {}{}", ran.stdout, ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

/// Comments as JSON lines: the same words with numbers, so that every text is another.
fn lines(range: std::ops::Range<usize>) -> String {
    range
        .map(|n| {
            let text = match n % 3 {
                0 => format!("{n}日の朝にカードリーダーが故障し、再起動に{n}分かかった。"),
                1 => format!("氏名が●で表示され、{n}人の患者さんに確かめた。"),
                _ => format!("説明に{n}分かかり、窓口が混んだ。"),
            };
            format!("{}\n", serde_json::json!({"id": format!("c{n}"), "question": "問7", "text": text}))
        })
        .collect()
}

#[test]
fn info_check_and_backup() {
    let folder = folder();
    let at = folder.path();
    ends(at, &["casebook", "info"], 2, &["casebook", "jirei import"]);
    done(at, &["import", SAMPLE]);
    let info = done(at, &["casebook", "info"]);
    for words in ["コメント: 539 件", "sample_survey.csv", "追加 539", "索引: 記録と合っています"] {
        assert!(info.stdout.contains(words), "{words}: {}", info.stdout);
    }
    let json: serde_json::Value =
        serde_json::from_str(&done(at, &["casebook", "info", "--format", "json"]).stdout).expect("JSON");
    assert_eq!((&json["comments"], &json["files"][0]["added"]), (&539.into(), &539.into()));
    assert_eq!((&json["index"]["usable"], &json["runs"]), (&true.into(), &1.into()));
    done(at, &["casebook", "check"]);
    done(at, &["index", "info"]);

    done(at, &["casebook", "backup", "copy.sqlite"]);
    let copy = fs::read(at.join("copy.sqlite")).expect("the copy is there");
    ends(at, &["casebook", "backup", "copy.sqlite"], 2, &["copy.sqlite", "すでにあります", "--overwrite"]);
    assert_eq!(fs::read(at.join("copy.sqlite")).expect("the copy is there"), copy);
    done(at, &["casebook", "backup", "copy.sqlite", "--overwrite"]);
    ends(at, &["casebook", "backup", "nowhere/copy.sqlite"], 2, &["nowhere", "フォルダー"]);
    ends(at, &["casebook", "backup", "casebook/casebook.sqlite", "--overwrite"], 2, &["そのもの"]);
    let mut names: Vec<_> =
        fs::read_dir(at).expect("readable").map(|entry| entry.expect("readable").file_name()).collect();
    names.sort();
    assert_eq!(names, ["casebook", "copy.sqlite"]);

    // The copy by itself is a casebook.
    fs::create_dir(at.join("restored")).expect("writable");
    fs::rename(at.join("copy.sqlite"), at.join("restored").join(FILE)).expect("writable");
    let check = done(at, &["casebook", "check", "--casebook", "restored"]);
    assert!(check.stdout.contains("コメント 539 件"), "{}", check.stdout);
    let hits = done(at, &["search", "カードリーダー", "--casebook", "restored", "--format", "jsonl"]);
    assert_eq!(hits.stdout, done(at, &["search", "カードリーダー", "--format", "jsonl"]).stdout);
}

#[test]
fn an_older_record_in_the_place_of_a_newer_is_noticed() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    done(at, &["casebook", "backup", "copy.sqlite"]);
    fs::write(at.join("a.jsonl"), lines(0..60)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(at.join("casebook").join(format!("{FILE}{end}")));
    }
    fs::rename(at.join("copy.sqlite"), at.join("casebook").join(FILE)).expect("writable");
    ends(at, &["index", "info"], 1, &["記録の版 2 → 1", "作り直"]);
    done(at, &["casebook", "check"]);
    let search = done(at, &["search", "窓口", "--limit", "100"]);
    assert!(search.stdout.starts_with("10 件") && search.stderr.contains("索引を作り直しました"), "{}", search.stdout);
    done(at, &["index", "info"]);
}

#[test]
fn a_damaged_index_is_told_and_made_anew() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    let before = done(at, &["search", "窓口", "--format", "jsonl"]).stdout;
    let store = fs::read_dir(at.join("casebook/index"))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "store"))
        .expect("an index has a store");
    let mut bytes = fs::read(&store).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&store, bytes).expect("writable");
    ends(at, &["casebook", "check"], 1, &["索引", "壊れています", "jirei index rebuild", "記録: 傷みはありません"]);
    done(at, &["index", "rebuild"]);
    done(at, &["casebook", "check"]);
    fs::remove_dir_all(at.join("casebook/index")).expect("writable");
    let again = done(at, &["search", "窓口", "--format", "jsonl"]);
    assert!(again.stderr.contains("索引を作り直しました"), "{}", again.stderr);
    assert_eq!(again.stdout, before);
}

#[test]
fn a_truncated_record_is_told_and_left_alone() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..200)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    let record = at.join("casebook").join(FILE);
    let whole = fs::read(&record).expect("readable");
    for bytes in
        [whole[..whole.len() / 2].to_vec(), whole[..100].to_vec(), [b"x".repeat(200), whole[200..].to_vec()].concat()]
    {
        fs::write(&record, &bytes).expect("writable");
        for arguments in [
            &["casebook", "check"][..],
            &["import", "a.jsonl"],
            &["casebook", "backup", "copy.sqlite"],
            &["index", "rebuild"],
            &["casebook", "recode"],
        ] {
            let ran = jirei(at, arguments);
            assert_ne!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("壊れて") || said.contains("傷み"), "{arguments:?}: {said}");
            assert!(fs::read(&record).expect("readable") == bytes, "{arguments:?} altered the record");
        }
        assert!(!at.join("copy.sqlite").exists());
    }
    for from in [4096, 8192, 3 * 4096] {
        let mut bytes = whole.clone();
        bytes[from..].fill(0xff);
        fs::write(&record, &bytes).expect("writable");
        let ran = jirei(at, &["casebook", "backup", "copy.sqlite"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("壊れて") && ran.stderr.contains("控えから戻して"), "{from}: {}", ran.stderr);
        assert!(!ran.stderr.contains(".jirei-") && !ran.stderr.contains("書けません"), "{from}: {}", ran.stderr);
    }
    fs::write(&record, &whole).expect("writable");
    done(at, &["casebook", "check"]);
}

#[test]
fn info_counts_imports_as_import_tells_them() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    fs::write(at.join("b.jsonl"), lines(0..30)).expect("writable");
    let not_counted = "取り込みの回数には数えません";
    assert!(!done(at, &["import", "a.jsonl"]).stderr.contains(not_counted));
    assert!(done(at, &["import", "a.jsonl"]).stderr.contains(not_counted));
    // Another name is an import of its own, though nothing of it is new; the run is on record like any other.
    assert!(!done(at, &["import", "b.jsonl"]).stderr.contains(not_counted));
    done(at, &["import", "a.jsonl", "--record"]);
    let info = done(at, &["casebook", "info"]).stdout;
    for words in ["取り込み: 2 回（ファイル名は 2 通り", "実行の記録: 3 件（import 3 件。"] {
        assert!(info.contains(words), "{words}: {info}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&done(at, &["casebook", "info", "--format", "json"]).stdout).expect("JSON");
    assert_eq!((&json["runs"], &json["runs_by_command"]["import"]), (&3.into(), &3.into()));
}

#[test]
fn times_are_told_by_the_clock_of_the_machine() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..3)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    let record = at.join("casebook").join(FILE);
    let connection = rusqlite::Connection::open(record).expect("the file opens");
    connection.execute("UPDATE imports SET imported_at = '2026-01-20T20:05:09Z'", []).expect("writable");
    drop(connection);
    done(at, &["search", "●", "--add-category", "display", "--coder", "山田"]);
    let told = |zone: &str, arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_jirei")).args(arguments).env("TZ", zone).current_dir(at).output();
        String::from_utf8(ran.expect("it runs").stdout).expect("UTF-8")
    };
    // Without a clock that is set by `TZ`, as on Windows, only the form can be looked at.
    if cfg!(unix) {
        let info = told("JST-9", &["casebook", "info"]);
        assert!(info.contains("  2026-01-21 05:05 a.jsonl: "), "{info}");
        let log = |zone| told(zone, &["review", "log"]);
        assert_ne!(log("JST-9"), log("UTC0"));
    }
    assert!(!told("JST-9", &["review", "log"]).contains("UTC"));
    // What programs read stays as it is on record.
    assert!(told("JST-9", &["casebook", "info", "--format", "json"]).contains("2026-01-20T20:05:09Z"));
}

#[test]
fn a_corrected_file_under_another_name_tells_what_it_lacks() {
    let folder = folder();
    let at = folder.path();
    let absent = |ran: &Ran| {
        let told = ran.stderr.lines().filter_map(|line| line.trim().strip_prefix("以前の "));
        told.map(|line| line.split("、").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    fs::write(at.join("b.jsonl"), lines(3..30).replace("氏名が●", "お名前が●")).expect("writable");
    assert_eq!(absent(&done(at, &["import", "b.jsonl"])), ["a.jsonl にあったコメント 3 件は"]);
    // An excerpt, or more of the same survey, replaces nothing.
    fs::write(at.join("c.jsonl"), lines(0..10)).expect("writable");
    assert_eq!(absent(&done(at, &["import", "c.jsonl"])), [""; 0]);
    fs::write(at.join("d.jsonl"), lines(30..60)).expect("writable");
    assert_eq!(absent(&done(at, &["import", "d.jsonl"])), [""; 0]);
}

#[test]
fn corrected_texts_keep_what_they_replace() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    fs::write(at.join("a.jsonl"), lines(3..31).replace("氏名が●", "お名前が●")).expect("writable");
    let ran = done(at, &["import", "a.jsonl"]);
    for words in [
        "追加 1 件、更新 9 件",
        "変わらず 18 件",
        "更新したコメント: c4、c7",
        "以前の a.jsonl にあったコメント 3 件は、今回の",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    assert!(done(at, &["casebook", "info"]).stdout.contains("訂正の前の本文: 9 件"));
    let connection = rusqlite::Connection::open(at.join("casebook").join(FILE)).expect("the file opens");
    let kept: String = connection
        .query_row(
            "SELECT former_comments.text FROM former_comments JOIN comments USING (position) WHERE id = 'c4'",
            [],
            |row| row.get(0),
        )
        .expect("the former text is there");
    assert!(kept.starts_with("氏名が●"), "{kept}");
    assert!(connection.execute("DELETE FROM former_comments", []).is_err());
    drop(connection);
    done(at, &["casebook", "check"]);
}

#[test]
fn another_survey_with_the_same_numbers_is_refused() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("2024.jsonl"), lines(0..30)).expect("writable");
    let other: String = (0..30)
        .map(|n| {
            format!(
                "{}\n",
                serde_json::json!({"id": format!("c{n}"), "text": format!("往診の車が雪で{n}度も動けませんでした。")})
            )
        })
        .collect();
    fs::write(at.join("2025.jsonl"), other).expect("writable");
    done(at, &["import", "2024.jsonl"]);
    let before = done(at, &["casebook", "info", "--format", "json"]).stdout;
    ends(at, &["import", "2025.jsonl"], 2, &["30 件の本文", "別の調査", "--survey", "--corrected"]);
    assert_eq!(done(at, &["casebook", "info", "--format", "json"]).stdout, before);
    done(at, &["import", "2025.jsonl", "--survey", "2025"]);
    let hits = done(at, &["search", "往診", "--limit", "1", "--sort", "report", "--format", "jsonl"]).stdout;
    assert!(hits.contains("\"2025/c0\""), "{hits}");
    done(at, &["casebook", "check"]);
    let ran = done(at, &["import", "2025.jsonl", "--corrected"]);
    assert!(ran.stderr.contains("更新 30 件"), "{}", ran.stderr);
    done(at, &["casebook", "check"]);
}

#[test]
fn answers_without_a_number_meet_no_others() {
    let folder = folder();
    let at = folder.path();
    let csv = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(number, text)| format!("{number},東京,{text}\n"));
        "回答番号,都道府県,問7 事例\n".to_owned() + &rows.collect::<String>()
    };
    let first = [("1", "端末が朝から止まりました。"), ("", "氏名が●で表示されました。"), ("3", "窓口が混みました。")];
    let second =
        [("11", "雪で往診に行けませんでした。"), ("", "説明に時間がかかります。"), ("13", "停電で困りました。")];
    fs::write(at.join("a.csv"), csv(&first)).expect("writable");
    fs::write(at.join("b.csv"), csv(&second)).expect("writable");
    let ran = done(at, &["import", "a.csv"]);
    assert!(ran.stderr.contains("番号のない行 1件（3行目）"), "{}", ran.stderr);
    let ran = done(at, &["import", "b.csv"]);
    for words in ["追加 3 件、更新 0 件", "番号のないコメント 1 件は、別のファイル", "行2-問7@2", "--corrected"]
    {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let all = done(at, &["search", "", "--sort", "report", "--format", "jsonl", "--limit", "20"]).stdout;
    for (_, text) in first.iter().chain(&second) {
        assert!(all.contains(text), "{text}: {all}");
    }
    // The same files, a copy under another name, and longer ones add nothing twice; a correction stays one.
    for file in ["a.csv", "b.csv"] {
        let ran = done(at, &["import", file]);
        assert!(ran.stderr.contains("追加 0 件、更新 0 件") && ran.stderr.contains("変わらず 3 件"), "{}", ran.stderr);
    }
    let longer: Vec<_> = second.iter().copied().chain([("", "再起動しました。")]).collect();
    fs::write(at.join("b2.csv"), csv(&longer)).expect("writable");
    let ran = done(at, &["import", "b2.csv"]);
    assert!(
        ran.stderr.contains("追加 1 件、更新 0 件") && !ran.stderr.contains("別のコメントとして"),
        "{}",
        ran.stderr
    );
    fs::write(at.join("b.csv"), csv(&second).replace("時間がかかります", "とても時間がかかります")).expect("writable");
    let ran = done(at, &["import", "b.csv"]);
    assert!(ran.stderr.contains("追加 0 件、更新 1 件") && ran.stderr.contains("行2-問7@2"), "{}", ran.stderr);
    fs::write(at.join("c.csv"), csv(&first).replace("●で表示", "黒丸で表示")).expect("writable");
    let ran = done(at, &["import", "c.csv", "--corrected"]);
    assert!(ran.stderr.contains("追加 0 件、更新 1 件、"), "{}", ran.stderr);
    assert!(done(at, &["casebook", "check"]).stdout.contains("コメント 7 件"));
    let ran = done(at, &["tag", "a.csv", "-o", "t.csv"]);
    assert!(ran.stderr.contains("番号のない行 1件（3行目）"), "{}", ran.stderr);
}

#[test]
fn a_survey_has_a_name() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..3)).expect("writable");
    for name in ["", " \u{3000}"] {
        ends(at, &["import", "a.jsonl", "--survey", name], 2, &["--survey に名前を書いてください"]);
    }
    assert!(!at.join("casebook").exists());
}

#[test]
fn another_survey_is_refused_however_small() {
    let folder = folder();
    let at = folder.path();
    let file = |texts: [&str; 3]| {
        let rows = texts.iter().enumerate().map(|(n, text)| format!("{n},{text}\n"));
        "回答番号,問7 事例\n".to_owned() + &rows.collect::<String>()
    };
    let texts = ["端末が朝から止まりました。", "氏名が●で表示されました。", "窓口がとても混みました。"];
    fs::write(at.join("a.csv"), file(texts)).expect("writable");
    done(at, &["import", "a.csv"]);
    let others = ["雪で往診に行けない日が続く。", "説明する職員が足りない。", "停電の備えを考えたい。"];
    fs::write(at.join("b.csv"), file(others)).expect("writable");
    ends(at, &["import", "b.csv"], 2, &["3 件の本文", "別の調査", "--survey", "--corrected"]);
    // One rewritten and one corrected among three, and all corrected, are no other survey.
    fs::write(at.join("c.csv"), file([others[0], "氏名が黒丸で表示されました。", texts[2]])).expect("writable");
    assert!(done(at, &["import", "c.csv"]).stderr.contains("更新 2 件"));
    done(at, &["import", "b.csv", "--corrected"]);
}

#[test]
fn bad_rows_are_told_and_the_good_ones_go_in() {
    let folder = folder();
    let at = folder.path();
    let mut csv = "回答番号,都道府県,問7 事例\n1,東京,端末が朝から止まりました。\n".as_bytes().to_vec();
    csv.extend("2,大阪,区切り,が多い行です。\n3,千葉,NULの\0ある行です。\n".as_bytes());
    csv.extend(encoding_rs::SHIFT_JIS.encode("4,京都,途中から文字コードが違います。\n").0.iter());
    csv.extend("5,福岡,窓口がとても混みました。\n".as_bytes());
    fs::write(at.join("a.csv"), csv).expect("writable");
    let ran = ends(at, &["import", "a.csv"], 1, &["追加 2 件", "3行目", "4行目", "5行目", "読み飛ばした行 3"]);
    assert!(ran.stderr.contains("NUL") && ran.stderr.contains("文字コード"), "{}", ran.stderr);
    assert!(done(at, &["casebook", "check"]).stdout.contains("コメント 2 件"));
}

#[test]
fn other_rules_code_what_is_there_anew() {
    let folder = casebook();
    let mut casebook = Casebook::open(folder.path()).expect("the casebook opens");
    index::decide(
        &mut casebook,
        &mut maker(),
        &jirei::casebook::BatchInfo {
            coder: "山田".to_owned(),
            decided_at: "2026-02-01".to_owned(),
            source: "試験".to_owned(),
        },
        &[Decision::category(entries()[15].comment.id.clone(), "complaint", Action::Add)],
    )
    .expect("the decision is kept");
    let before: BTreeMap<String, Vec<Arc<str>>> =
        all(&casebook).into_iter().map(|(id, categories, _)| (id, categories)).collect();
    let coder = Coder { rules: "test-rules-2".to_owned(), dictionary: DICTIONARY.to_owned() };
    assert_eq!(casebook.coded_otherwise(&coder).expect("the record reads"), 60);
    let book = codebook();
    // The new rules see device where the old ones saw display, and nothing else.
    let classify = |stored: &jirei::casebook::StoredComment| {
        let was_display = stored.codings.iter().any(|coding| &*coding.category == "display");
        let now = classification(&book, if was_display { &["device"] } else { &[] });
        (now, jirei::index::TokenMaker::new(crate::common::analyzer()).tokens(&stored.comment.text))
    };
    let report = index::recode(&mut casebook, &mut maker(), &coder, &book, classify).expect("the recoding succeeds");
    let of_display = before.values().filter(|categories| categories.iter().any(|id| &**id == "display")).count() as u64;
    assert!(of_display > 0);
    assert_eq!((report.recoded, report.revision), (60, 3));
    let display = report.categories.iter().find(|change| &*change.category == "display").expect("display changed");
    assert_eq!(*display, CategoryChange { category: "display".into(), gained: 0, lost: of_display });
    for (id, categories, primary) in all(&casebook) {
        let was_display = before[&id].iter().any(|category| &**category == "display");
        let mut expected: Vec<&str> = if was_display { vec!["device"] } else { vec![] };
        if id == "a16" {
            expected.push("complaint");
        }
        let categories: Vec<&str> = categories.iter().map(|category| &**category).collect();
        assert_eq!(categories, expected, "{id}");
        assert!(primary.is_none_or(|primary| categories.contains(&&*primary)));
    }
    // The index says the same without having been made anew, and all is coded by the new rules.
    assert_eq!(index::check(&casebook, DICTIONARY).expect("the check runs"), Vec::<String>::new());
    assert_eq!(index::state(folder.path(), DICTIONARY).expect("the index is there").rules, "test-rules-2");
    assert_eq!(casebook.coded_otherwise(&coder).expect("the record reads"), 0);
    let again = index::recode(&mut casebook, &mut maker(), &coder, &book, |_| unreachable!("nothing is left to code"));
    assert_eq!(again.expect("nothing is to be done").recoded, 0);
    // Another dictionary is another coder, and all of the index is made anew.
    let other = Coder { dictionary: "test-dictionary-2".to_owned(), ..coder };
    let report = index::recode(&mut casebook, &mut maker(), &other, &book, classify).expect("the recoding succeeds");
    assert_eq!(report.recoded, 60);
    assert_eq!(index::check(&casebook, "test-dictionary-2").expect("the check runs"), Vec::<String>::new());
}

/// Id, categories and primary.
type Labelled = (String, Vec<Arc<str>>, Option<Arc<str>>);

fn all(casebook: &Casebook) -> Vec<Labelled> {
    let mut all = Vec::new();
    casebook
        .for_each(|stored| {
            all.push((stored.comment.id.to_string(), stored.categories, stored.primary));
            Ok::<_, CasebookError>(())
        })
        .expect("the record reads");
    all
}

#[test]
fn an_import_by_other_rules_codes_the_rest_anew() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    fs::write(at.join("b.jsonl"), lines(30..40)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    let rules = at.join("rules");
    fs::create_dir(&rules).expect("writable");
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("readable") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            fs::copy(&path, rules.join(path.file_name().expect("a file has a name"))).expect("writable");
        }
    }
    let codebook = rules.join("codebook.toml");
    let text = fs::read_to_string(&codebook).expect("readable");
    fs::write(&codebook, format!("# 版を変える\n{text}")).expect("writable");
    let ran = done(at, &["import", "b.jsonl", "--rules", "rules"]);
    assert!(ran.stderr.contains("30 件を分類し直しました（分類が変わったコメント 0 件"), "{}", ran.stderr);
    done(at, &["casebook", "check"]);
    let ran = done(at, &["appendix", "-o", "a.md"]);
    assert!(ran.stderr.contains("別の規則か辞書"), "{}", ran.stderr);
    let ran = done(at, &["casebook", "recode"]);
    assert!(ran.stderr.contains("40 件を分類し直しました"), "{}", ran.stderr);
    assert!(done(at, &["casebook", "recode"]).stderr.contains("変えたものはありません"));
    let ran = done(at, &["appendix", "-o", "a.md"]);
    assert!(!ran.stderr.contains("別の規則か辞書"), "{}", ran.stderr);
}

#[test]
fn every_older_schema_is_brought_up_to_date() {
    for old in [
        include_str!("fixtures/casebook/v1.sql"),
        include_str!("fixtures/casebook/v2.sql"),
        include_str!("fixtures/casebook/v3.sql"),
    ] {
        let folder = folder();
        let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file is made");
        connection.execute_batch(old).expect("the old casebook is made");
        let decisions: Option<i64> = connection.query_row("SELECT count(*) FROM decisions", [], |row| row.get(0)).ok();
        drop(connection);
        let casebook = Casebook::open(folder.path()).expect("the casebook opens");
        assert_eq!(casebook.check().expect("the check runs"), Vec::<String>::new());
        let info = casebook.info().expect("the record reads");
        assert_eq!((info.schema, info.comments), (4, 2));
        assert_eq!((info.decisions + info.undone_decisions) as i64, decisions.unwrap_or(0));
        assert_eq!(info.coders[0].dictionary, "");
        drop(casebook);
        // What was coded by an unknown dictionary is coded again with the next file.
        import(folder.path(), &source("comments.tsv"), entries()).expect("the import succeeds");
        let mut casebook = Casebook::open(folder.path()).expect("the casebook opens");
        let coder = source("").coder();
        assert_eq!(casebook.coded_otherwise(&coder).expect("the record reads"), 2);
        let classify = |stored: &jirei::casebook::StoredComment| {
            (classification(&codebook(), &[]), maker().tokens(&stored.comment.text))
        };
        let report = index::recode(&mut casebook, &mut maker(), &coder, &codebook(), classify);
        assert_eq!(report.expect("the recoding succeeds").recoded, 2);
        assert_eq!(casebook.check().expect("the check runs"), Vec::<String>::new());
        assert_eq!(index::check(&casebook, DICTIONARY).expect("the check runs"), Vec::<String>::new());
    }
}

#[test]
fn an_index_that_says_otherwise_is_found_out() {
    let folder = casebook();
    let casebook = Casebook::open(folder.path()).expect("the casebook opens");
    assert_eq!(index::check(&casebook, DICTIONARY).expect("the check runs"), Vec::<String>::new());
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file opens");
    connection.execute("UPDATE comments SET text = '別の文' WHERE id = 'a05'", []).expect("the text is altered");
    connection.execute("DELETE FROM codings WHERE position = 16", []).expect("the coding goes");
    let faults = index::check(&casebook, DICTIONARY).expect("the check runs");
    assert_eq!(faults, ["索引のコメント a05 が記録と違います", "索引のコメント a16 が記録と違います"]);
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM classifications WHERE position = 16")
        .expect("the classification goes");
    let faults = casebook.check().expect("the check runs");
    assert!(faults.iter().any(|fault| fault.contains("分類した記録のないコメントが 1 件")), "{faults:?}");
}

// Records of runs.

#[test]
fn a_record_says_what_was_done_and_is_verified() {
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("out")).expect("writable");
    fs::copy(SAMPLE, at.join("s.csv")).expect("writable");
    for output in ["out/a.jsonl", "out/a.csv", "out/a.xlsx"] {
        done(at, &["tag", "s.csv", "-o", output, "--record"]);
        let path = format!("{output}.record.json");
        let text = fs::read_to_string(at.join(&path)).expect("the record is there");
        let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&record["command"], &record["record"]), (&"tag".into(), &1.into()));
        assert_eq!(record["inputs"][0]["hash"], blake3::hash(&fs::read(SAMPLE).expect("readable")).to_hex().as_str());
        assert_eq!((&record["inputs"][0]["rows"], &record["inputs"][0]["comments"]), (&330.into(), &539.into()));
        assert_eq!(record["counts"]["comments"], 539);
        let questions = record["counts"]["questions"].as_object().expect("an object");
        let of_questions: u64 = questions.values().filter_map(|count| count["comments"].as_u64()).sum();
        assert_eq!(of_questions, 539);
        let written = fs::read(at.join(output)).expect("the output is there");
        assert_eq!(record["output"]["hash"], blake3::hash(&written).to_hex().as_str());
        // From any folder, with any number of threads in the run.
        ends(at, &["verify", &path], 0, &["記録のとおりです", "539"]);
        ends(&at.join("out"), &["verify", &at.join(&path).display().to_string()], 0, &["記録のとおりです"]);
    }
    // What was counted is what was written.
    let tagged = fs::read_to_string(at.join("out/a.jsonl")).expect("the output is there");
    let record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(at.join("out/a.jsonl.record.json")).expect("the record is there"))
            .expect("JSON");
    for (category, counts) in record["counts"]["categories"].as_object().expect("an object") {
        let lines = tagged.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let (mut comments, mut primary) = (0_u64, 0_u64);
        for line in lines {
            let categories = line["categories"].as_array().expect("an array");
            comments += u64::from(categories.iter().any(|id| id == category.as_str()));
            primary += u64::from(line["primary"] == category.as_str());
        }
        assert_eq!((&counts["comments"], &counts["primary"]), (&comments.into(), &primary.into()), "{category}");
    }

    // The output is altered, then the input, then both rules and input are gone.
    fs::write(at.join("out/a.jsonl"), "x").expect("writable");
    ends(at, &["verify", "out/a.jsonl.record.json"], 1, &["出力 out/a.jsonl が書き換えられています"]);
    shorten(&at.join("s.csv"));
    ends(
        at,
        &["verify", "out/a.csv.record.json"],
        1,
        &[
            "入力 s.csv の中身が違います",
            "入力 s.csv の行数が違います: 記録 330 → いま",
            "集計: コメントの数",
            "出力の中身",
        ],
    );
    fs::remove_file(at.join("s.csv")).expect("writable");
    ends(at, &["verify", "out/a.csv.record.json"], 2, &["入力 s.csv がありません", "計算し直せません"]);
    ends(at, &["verify", "out/a.csv"], 2, &["記録"]);
    ends(at, &["verify", "nothing.json"], 2, &["nothing.json"]);
    ends(at, &["tag", SAMPLE, "--record"], 2, &["--output"]);
}

#[test]
fn imports_are_on_record() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl", "--record"]);
    ends(at, &["verify", "casebook.record.json"], 0, &["記録のとおりです", "30"]);
    let runs = Casebook::open(&at.join("casebook")).expect("the casebook opens").runs().expect("the record reads");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].1, fs::read_to_string(at.join("casebook.record.json")).expect("the record is there"));
    // Nothing new is no new entry.
    done(at, &["import", "a.jsonl"]);
    let casebook = Casebook::open(&at.join("casebook")).expect("the casebook opens");
    assert_eq!(casebook.runs().expect("the record reads").len(), 1);
    let connection = rusqlite::Connection::open(at.join("casebook").join(FILE)).expect("the file opens");
    assert!(connection.execute("DELETE FROM runs", []).is_err());
    fs::write(at.join("a.jsonl"), lines(1..30)).expect("writable");
    ends(at, &["verify", "casebook.record.json"], 1, &["入力 a.jsonl の中身", "記録 30 → いま 29"]);
}

#[test]
fn an_import_is_looked_up_in_its_casebook() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    fs::write(at.join("b.jsonl"), lines(3..33).replace("氏名が●", "お名前が●")).expect("writable");
    done(at, &["import", "a.jsonl", "--record"]);
    done(at, &["casebook", "backup", "early.sqlite"]);
    let verify = |record: &str, code: i32, told: &str| ends(at, &["verify", record], code, &[told]);
    verify("casebook.record.json", 0, "取り込んだコメント 30 件のうち、そのまま 30 件、");
    done(at, &["import", "b.jsonl", "--record"]);
    done(at, &["search", "●", "--add-category", "display", "--coder", "山田"]);
    verify("casebook.record.json", 0, "そのまま 21 件、あとの取り込みで訂正 9 件、見つからない 0 件");
    verify("casebook.2.record.json", 0, "そのまま 30 件、あとの取り込みで訂正 0 件、見つからない 0 件");

    // An older copy in its place has less, and nothing accounts for that.
    fs::rename(at.join("casebook"), at.join("moved")).expect("writable");
    fs::create_dir(at.join("casebook")).expect("writable");
    fs::copy(at.join("early.sqlite"), at.join("casebook").join(FILE)).expect("writable");
    verify("casebook.record.json", 0, "そのまま 30 件");
    ends(at, &["verify", "casebook.2.record.json"], 1, &["内容が変わって", "見つからない 3 件"]);

    // Without the casebook the files alone are compared.
    fs::remove_dir_all(at.join("casebook")).expect("writable");
    verify("casebook.record.json", 0, "事例帳 casebook とは比べていません（いまはそこにありません）");
}

#[test]
fn records_of_imports_stand_beside_one_another() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..5)).expect("writable");
    fs::write(at.join("b.jsonl"), lines(0..9)).expect("writable");
    done(at, &["import", "a.jsonl", "--casebook", "tcb/", "--record"]);
    let first = fs::read(at.join("tcb.record.json")).expect("the record is there");
    let ran = done(at, &["import", "b.jsonl", "--casebook", "tcb", "--record"]);
    assert!(ran.stderr.contains("tcb.2.record.json"), "{}", ran.stderr);
    assert!(fs::read(at.join("tcb.record.json")).expect("the record is there") == first);
    done(&at.join("tcb"), &["import", "../a.jsonl", "--casebook", ".", "--record"]);
    assert!(!at.join("tcb/.record.json").exists() && !at.join("tcb/..record.json").exists());
    ends(at, &["verify", "tcb.record.json"], 0, &["記録のとおりです", "5 件"]);
    ends(at, &["verify", "tcb.2.record.json"], 0, &["記録のとおりです", "9 件"]);
    ends(at, &["verify", "tcb.3.record.json"], 0, &["記録のとおりです", "5 件"]);
}

#[test]
fn causes_are_told_once_and_in_japanese() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("empty.json"), "").expect("writable");
    fs::write(at.join("half.json"), "{\"record\": 1,\n").expect("writable");
    fs::write(at.join("other.json"), "{}").expect("writable");
    fs::write(at.join("text.json"), "abc").expect("writable");
    fs::write(at.join("a.docx"), b"PK\x03\x04\xff\xfe").expect("writable");
    fs::create_dir(at.join("bad")).expect("writable");
    fs::write(at.join("bad").join(FILE), "x".repeat(5000)).expect("writable");
    for (arguments, told) in [
        (&["verify", "nai.json"][..], "見つかりません"),
        (&["verify", "a.docx"], "実行の記録ではありません"),
        (&["verify", "bad"], "フォルダーです"),
        (&["verify", "empty.json"], "中身がありません"),
        (&["verify", "half.json"], "途中で終わっています"),
        (&["verify", "other.json"], "項目がない"),
        (&["verify", "text.json"], "JSON の形"),
        (&["tag", SAMPLE, "--rules", "nai"], "見つかりません"),
        (&["casebook", "info", "--casebook", "bad"], "壊れています"),
    ] {
        let ran = ends(at, arguments, 2, &[]);
        assert_eq!(ran.stderr.matches(told).count(), 1, "{arguments:?}: {}", ran.stderr);
        for english in ["os error", "utf-8", "EOF", "missing field", "not a database", "Error code"] {
            assert!(!ran.stderr.contains(english), "{arguments:?}: {}", ran.stderr);
        }
    }
}

/// What lies in a folder and below, each file with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
    files
}

/// Leaves the first 200 lines of a file.
fn shorten(path: &Path) {
    let text = fs::read_to_string(path).expect("readable");
    fs::write(path, text.lines().take(200).collect::<Vec<_>>().join("\n")).expect("writable");
}

fn record_of(at: &Path, output: &str) -> serde_json::Value {
    let text = fs::read_to_string(at.join(format!("{output}.record.json"))).expect("the record is there");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn an_appendix_from_files_is_on_record() {
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("out")).expect("writable");
    fs::copy(SAMPLE, at.join("s.csv")).expect("writable");
    fs::write(at.join("appendix.toml"), "title = \"事例集\"\n[small_cells]\nremedy = \"hide\"\n").expect("writable");
    // A Word file of somebody's own, with a date of its own in its container.
    fs::write(at.join("our.docx"), template()).expect("writable");
    let with = |output: &'static str, more: &[&'static str]| {
        let fixed = ["appendix", "s.csv", "-o", output, "--settings", "appendix.toml", "--accept-findings", "--record"];
        [&fixed, more].concat()
    };
    for (output, more) in [
        ("out/a.docx", &[][..]),
        ("out/a.xlsx", &[]),
        ("out/a.html", &["--all-copies"]),
        ("out/a.md", &["--per-section", "5", "--seed", "3"]),
        ("out/a.csv", &[]),
        ("out/a.json", &[]),
        ("out/b.docx", &["--template", "our.docx"]),
    ] {
        done(at, &with(output, more));
        let before = tree(at);
        let path = format!("{output}.record.json");
        let ran = ends(&at.join("out"), &["verify", &at.join(&path).display().to_string()], 0, &["記録のとおりです"]);
        assert_eq!(ran.stderr, "", "{output}: a recomputation is silent");
        assert!(tree(at) == before, "{output}: a recomputation writes nothing");
    }
    let record = record_of(at, "out/b.docx");
    assert_eq!((&record["command"], &record["counts"]["comments"]), (&"appendix".into(), &539.into()));
    assert_eq!(record["inputs"][0]["hash"], blake3::hash(&fs::read(SAMPLE).expect("readable")).to_hex().as_str());
    let settings: Vec<&str> =
        record["settings"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str()).collect();
    assert_eq!(settings, ["appendix.toml", "our.docx"]);
    assert_eq!(record["casebook"], serde_json::Value::Null);

    // What is on record is what the model says.
    let model: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("out/a.json")).expect("written")).expect("JSON");
    let record = record_of(at, "out/a.json");
    for key in ["filed", "quotes", "similar"] {
        assert_eq!(record["appendix"][key], model["totals"][key], "{key}");
    }
    let tables = ["sections", "lists"].into_iter().flat_map(|key| model[key].as_array().expect("tables"));
    let mut hidden = 0;
    for table in tables {
        let counts = &record["appendix"]["tables"][table["id"].as_str().expect("an id")];
        let parts = table["parts"].as_array().expect("parts").iter();
        let rows: Vec<_> = parts.flat_map(|part| part["rows"].as_array().expect("rows")).collect();
        assert_eq!((&counts["filed"], &counts["printed"]), (&table["filed"], &rows.len().into()), "{table}");
        hidden += rows.iter().filter(|row| row["reference"].is_null() && row["place"] == "hidden").count();
    }
    assert_eq!(record["appendix"]["hidden"], hidden);
    assert!(hidden > 0);

    // Each thing that it was made from, and what came out.
    fs::write(at.join("out/a.html"), "x").expect("writable");
    ends(at, &["verify", "out/a.html.record.json"], 1, &["出力 out/a.html が書き換えられています"]);
    let settings = fs::read_to_string(at.join("appendix.toml")).expect("readable");
    fs::write(at.join("appendix.toml"), settings.replace("hide", "keep")).expect("writable");
    ends(
        at,
        &["verify", "out/a.json.record.json"],
        1,
        &["設定ファイル appendix.toml の中身", "事例集の都道府県を示さない事例の数", "→ いま 0", "出力の中身"],
    );
    fs::write(at.join("appendix.toml"), settings).expect("writable");
    done(at, &["verify", "out/a.json.record.json"]);
    shorten(&at.join("s.csv"));
    ends(
        at,
        &["verify", "out/a.csv.record.json"],
        1,
        &[
            "入力 s.csv の中身",
            "集計: コメントの数",
            "事例集の区分に入るコメントの数",
            "事例集の表「機器」の",
            "出力の中身",
        ],
    );
    fs::remove_file(at.join("our.docx")).expect("writable");
    ends(at, &["verify", "out/b.docx.record.json"], 2, &["our.docx がありません"]);
}

/// A Word file to be filled, whose parts say when they were saved.
fn template() -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::from_date_and_time(2025, 8, 9, 10, 11, 12).expect("a date"));
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#,
        ),
        (
            "word/document.xml",
            r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>{{表題}}</w:t></w:r></w:p><w:p><w:r><w:t>{{事例}}</w:t></w:r></w:p></w:body></w:document>"#,
        ),
    ] {
        archive.start_file(name, options).expect("a part");
        std::io::Write::write_all(&mut archive, content.as_bytes()).expect("a part");
    }
    archive.finish().expect("an archive").into_inner()
}

#[test]
fn masks_on_record_are_those_in_force() {
    let folder = folder();
    let at = folder.path();
    let text = "田中さんのカードを置くと、カー ドリーダーが固まった。";
    fs::write(
        at.join("a.jsonl"),
        format!("{}{}\n", lines(0..30), serde_json::json!({"id": "m1", "question": "問7", "text": text})),
    )
    .expect("writable");
    let arguments = ["appendix", "a.jsonl", "-o", "a.json", "--masks", "masks.toml", "--record"];
    ends(at, &arguments, 1, &["案を見直し"]);
    assert!(!at.join("a.json.record.json").exists(), "what was not written is not on record");
    done(at, &arguments);
    let record = record_of(at, "a.json");
    assert_eq!((&record["appendix"]["masked"], &record["appendix"]["open"]), (&1.into(), &0.into()));
    done(at, &["verify", "a.json.record.json"]);
    let masks = fs::read_to_string(at.join("masks.toml")).expect("readable");
    let before = tree(at);
    fs::write(at.join("masks.toml"), masks.replacen("\napply = true", "\napply = false", 1)).expect("writable");
    ends(
        at,
        &["verify", "a.json.record.json"],
        1,
        &["設定ファイル masks.toml の中身", "事例集の伏せた所の数が違います: 記録 1 → いま 0"],
    );
    fs::write(at.join("masks.toml"), &masks).expect("writable");
    assert!(tree(at) == before, "a recomputation proposes nothing");

    // A first run that proposes masks but prints without them could not be computed again.
    let arguments = ["appendix", "a.jsonl", "-o", "b.json", "--masks", "more.toml", "--accept-findings", "--record"];
    ends(at, &arguments, 1, &["more.toml に案を書き足したので", "b.json は書き出していません"]);
    assert!(at.join("more.toml").exists() && !at.join("b.json").exists());
    done(at, &arguments);
    done(at, &["verify", "b.json.record.json"]);
}

#[test]
fn an_appendix_from_a_casebook_is_on_record_in_it() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    let runs = || Casebook::open(&at.join("casebook")).expect("it opens").runs().expect("the record reads");
    done(at, &["appendix", "-o", "a.md"]);
    assert_eq!(runs().len(), 1, "only what is asked for is on record");
    done(at, &["appendix", "-o", "a.docx", "--record"]);
    let kept = runs();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[1].1, fs::read_to_string(at.join("a.docx.record.json")).expect("the record is there"));
    let record = record_of(at, "a.docx");
    assert_eq!((&record["casebook"]["revision"], &record["casebook"]["comments"]), (&1.into(), &30.into()));
    assert_eq!(record["casebook"]["coders"][0]["comments"], 30);
    assert_eq!(record["inputs"], serde_json::json!([]));
    ends(at, &["verify", "a.docx.record.json"], 0, &["記録のとおりです", "appendix", "30"]);
    let both = ["appendix", "--casebook", "casebook", "a.jsonl", "-o", "both.md"];
    ends(at, &both, 2, &["ファイル（a.jsonl）と事例帳（--casebook casebook）は一緒に指定できません", "jirei import"]);
    assert!(!at.join("both.md").exists());
    assert_eq!(runs(), kept, "a recomputation is not on record");
    done(at, &["casebook", "check"]);

    // A person decides: the casebook is another, and so is what it gives.
    let mut casebook = Casebook::open(&at.join("casebook")).expect("it opens");
    let info =
        jirei::casebook::BatchInfo { coder: "山田".into(), decided_at: "2026-02-01".into(), source: "試験".into() };
    let decision = Decision::category(jirei::comment::CommentId::new("c0"), "device", Action::Remove);
    index::decide(&mut casebook, &mut maker(), &info, &[decision]).expect("the decision is kept");
    drop(casebook);
    ends(
        at,
        &["verify", "a.docx.record.json"],
        1,
        &["事例帳の記録の版が違います: 記録 1 → いま 2", "事例帳の人の判断の数", "事例集の表「機器」の", "出力の中身"],
    );

    // Masks that are recorded as decisions on the way are part of the state that is on record.
    let named = serde_json::json!({"id": "m1", "question": "問7", "text": "田中さんのカードを置くと端末が固まった。"});
    fs::write(at.join("m.jsonl"), format!("{named}\n")).expect("writable");
    done(at, &["import", "m.jsonl"]);
    done(at, &["appendix", "-o", "m.json", "--record-masks", "--coder", "山田", "--record"]);
    assert_eq!(record_of(at, "m.json")["appendix"]["masked"], 1);
    let before = runs();
    done(at, &["verify", "m.json.record.json"]);
    // Taken back, they are not recorded again by a recomputation: nothing would be written now.
    done(at, &["review", "undo", "2", "--coder", "山田"]);
    let decisions = || Casebook::open(&at.join("casebook")).expect("it opens").decisions().expect("it reads").len();
    let decided = decisions();
    ends(at, &["verify", "m.json.record.json"], 1, &["事例集の伏せた所の数が違います: 記録 1 → いま 0", "出力の有無"]);
    assert_eq!((decisions(), runs()), (decided, before));

    // The casebook is gone: nothing else is to be made in its place.
    fs::rename(at.join("casebook"), at.join("moved")).expect("the folder is moved");
    let ran = ends(
        at,
        &["verify", "m.json.record.json"],
        2,
        &["記録のときの事例帳 casebook がありません", "元の場所に戻すか", "控えを casebook/casebook.sqlite として"],
    );
    assert!(!ran.stderr.contains("jirei import"), "{}", ran.stderr);
}

// Several processes at once.

#[test]
fn readers_go_on_and_a_second_writer_waits_its_turn() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("a.jsonl"), lines(0..30)).expect("writable");
    fs::write(at.join("b.jsonl"), lines(30..60)).expect("writable");
    done(at, &["import", "a.jsonl"]);
    // This process writes; the others are processes of their own.
    let connection = rusqlite::Connection::open(at.join("casebook").join(FILE)).expect("the file opens");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the lock is ours");
    connection.execute("UPDATE meta SET value = value", []).expect("something is written");
    for arguments in [
        &["search", "窓口"][..],
        &["casebook", "info"],
        &["casebook", "check"],
        &["appendix", "-o", "a.md"],
        &["casebook", "backup", "copy.sqlite"],
    ] {
        done(at, arguments);
    }
    let mut second = Command::new(env!("CARGO_BIN_EXE_jirei"))
        .args(["import", "b.jsonl"])
        .current_dir(at)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut messages = BufReader::new(second.stderr.take().expect("it is piped")).lines();
    let told = messages.next().expect("it says something").expect("messages are UTF-8");
    assert!(told.contains("別のプロセスが書き込み中です") && told.contains("待っています"), "{told}");
    assert!(second.try_wait().expect("a child").is_none());
    connection.execute_batch("ROLLBACK").expect("the lock is given back");
    let rest: Vec<String> = messages.map(|line| line.expect("messages are UTF-8")).collect();
    assert!(second.wait().expect("it ends").success(), "{rest:?}");
    assert!(done(at, &["casebook", "check"]).stdout.contains("コメント 60 件"));
}

#[test]
fn imports_at_the_same_time_all_come_in() {
    let folder = folder();
    let at = folder.path();
    let children: Vec<_> = (0..4)
        .map(|n| {
            let name = format!("{n}.jsonl");
            fs::write(at.join(&name), lines(n * 50..n * 50 + 60)).expect("writable");
            let mut command = Command::new(env!("CARGO_BIN_EXE_jirei"));
            command.args(["import", &name]).current_dir(at).stderr(Stdio::piped());
            command.spawn().expect("the program starts")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Each shares ten comments with the next.
    assert!(done(at, &["casebook", "check"]).stdout.contains("コメント 210 件"));
    let found = done(at, &["search", "カードリーダー", "--limit", "0"]).stdout;
    assert!(found.starts_with("70 件"), "{found}");
}
