//! The record and its index: nothing lost, nothing twice.

use std::{collections::BTreeMap, fs, path::Path, sync::mpsc, thread};

use jirei::{
    casebook::{Action, BatchInfo, Casebook, CasebookError, Decision, FILE, StoredComment},
    index::{self, Entry, IndexError},
    search::{HitOrder, Query, SearchOptions, Searcher},
};

use crate::common::{DICTIONARY, casebook, classification, codebook, entries, import, maker, source};

fn stored(folder: &Path) -> Vec<StoredComment> {
    let casebook = Casebook::open(folder).expect("the casebook opens");
    let mut all = Vec::new();
    casebook
        .for_each(|comment| {
            all.push(comment);
            Ok::<_, CasebookError>(())
        })
        .expect("the record reads");
    assert_eq!(casebook.check().expect("the check runs"), Vec::<String>::new());
    all
}

fn find(searcher: &Searcher, query: &str) -> Vec<String> {
    let options = SearchOptions { limit: 100, order: HitOrder::Report, fuzzy: false, ..SearchOptions::default() };
    let result = searcher.search(&mut maker(), &Query::parse(query), &options).expect("the search runs");
    result.hits.iter().map(|hit| hit.comment.id.to_string()).collect()
}

fn search(folder: &Path, query: &str) -> Vec<String> {
    find(&Searcher::open(folder, DICTIONARY).expect("the index is there"), query)
}

/// Everything that a few queries find, to tell two indexes apart.
fn picture(folder: &Path) -> BTreeMap<String, Vec<String>> {
    ["", "●", "反映されない", "分類:device 再起動", "都道府県:愛知", "near(職員 説明, 2)", "利用率:20%未満"]
        .into_iter()
        .map(|query| (query.to_owned(), search(folder, query)))
        .collect()
}

#[track_caller]
fn says(error: &dyn std::error::Error, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{message}` does not say `{word}`");
    }
}

#[test]
fn what_goes_in_comes_out() {
    let folder = casebook();
    let all = stored(folder.path());
    let codebook = codebook();
    assert_eq!(all.len(), entries().len());
    for (place, (stored, entry)) in all.iter().zip(entries()).enumerate() {
        assert_eq!(stored.position, place as u64 + 1);
        assert_eq!(&*stored.comment.origin.file, "comments.tsv");
        let mut comment = stored.comment.clone();
        comment.origin = entry.comment.origin.clone();
        assert_eq!(comment, entry.comment);
        assert_eq!(stored.classification(&codebook), entry.classification);
        assert_eq!(stored.primary, stored.rule_primary);
    }
    let casebook = Casebook::open(folder.path()).expect("the casebook opens");
    let one = casebook.comment(&entries()[11].comment.id).expect("the record reads").expect("a12 is there");
    assert_eq!(one, all[11]);
    assert_eq!(casebook.comment_count().expect("the record reads"), 60);
    assert_eq!(casebook.rule_versions().expect("the record reads"), ["test-rules-1"]);
    assert_eq!(casebook.frame().expect("the record reads").len(), codebook.len());
}

#[test]
fn the_same_file_again_adds_nothing() {
    let folder = casebook();
    let before = (stored(folder.path()), picture(folder.path()), fs::read(folder.path().join("index/meta.json")).ok());
    let report = import(folder.path(), &source("comments.tsv"), entries()).expect("the import succeeds");
    assert_eq!((report.added, report.updated, report.recoded, report.unchanged), (0, 0, 0, 60));
    assert!(!report.changed());
    let after = (stored(folder.path()), picture(folder.path()), fs::read(folder.path().join("index/meta.json")).ok());
    assert_eq!(before, after);
}

#[test]
fn a_corrected_and_longer_file_brings_what_changed() {
    let folder = casebook();
    let mut changed = entries();
    changed[0].comment.text = "氏名が欠けて表示される。".to_owned();
    changed[1].comment.prefecture = Some("三重県".to_owned());
    changed.push(Entry::new(
        jirei::comment::Comment { id: jirei::comment::CommentId::new("b01"), ..changed[15].comment.clone() },
        changed[15].classification.clone(),
    ));
    let report = import(folder.path(), &source("corrected.tsv"), changed).expect("the import succeeds");
    assert_eq!((report.added, report.updated, report.recoded, report.unchanged), (1, 2, 0, 58));
    let updated: Vec<_> = report.updated_ids.iter().map(|id| id.as_str()).collect();
    assert_eq!(updated, ["a01", "a02"]);
    assert_eq!(search(folder.path(), "●"), ["a02", "a03", "a04", "a05"]);
    assert_eq!(search(folder.path(), "都道府県:三重"), ["a02", "a04"]);
    assert_eq!(search(folder.path(), "再起動 固まる"), ["a16", "b01"]);
    assert_eq!(search(folder.path(), "").len(), 61);
    // The index that was added to finds what one made anew finds.
    let grown = picture(folder.path());
    let mut casebook = Casebook::open(folder.path()).expect("the casebook opens");
    index::rebuild(&mut casebook, &mut maker()).expect("the rebuild succeeds");
    assert_eq!(picture(folder.path()), grown);
}

#[test]
fn other_rules_code_anew() {
    let folder = casebook();
    let codebook = codebook();
    let mut recoded = entries();
    for entry in &mut recoded {
        entry.classification = classification(&codebook, &["restore_card"]);
    }
    let mut by_new_rules = source("comments.tsv");
    by_new_rules.rules = "test-rules-2".to_owned();
    let report = import(folder.path(), &by_new_rules, recoded).expect("the import succeeds");
    assert_eq!((report.added, report.updated, report.recoded, report.unchanged), (0, 0, 60, 0));
    assert_eq!(search(folder.path(), "分類:restore_card").len(), 60);
    assert_eq!(search(folder.path(), "分類:device").len(), 0);
    let searcher = Searcher::open(folder.path(), DICTIONARY).expect("the index is there");
    assert_eq!(searcher.info().rules, "test-rules-2");
}

#[test]
fn an_id_twice_in_a_file_is_left_out_and_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut twice = entries();
    twice[5].comment.id = twice[0].comment.id.clone();
    let report = import(folder.path(), &source("twice.tsv"), twice).expect("the import succeeds");
    assert_eq!((report.added, report.repeated), (59, 1));
    assert_eq!(report.repeated_ids[0].as_str(), "a01");
    assert_eq!(search(folder.path(), "id:a01 ●"), ["a01"]);
}

#[test]
fn an_import_that_fails_leaves_nothing() {
    let folder = casebook();
    let before = (stored(folder.path()), picture(folder.path()));
    let mut casebook = Casebook::open(folder.path()).expect("the casebook opens");
    let mut changed = entries();
    changed[3].comment.text = "途中まで読めた".to_owned();
    let failing = changed
        .into_iter()
        .take(10)
        .map(Ok)
        .chain([Err(IndexError::from(CasebookError::UnknownComment("途中で止まった".into())))]);
    let result = index::try_import(&mut casebook, &mut maker(), &source("broken.tsv"), &codebook(), failing);
    assert!(result.is_err());
    drop(casebook);
    assert_eq!((stored(folder.path()), picture(folder.path())), before);
}

#[test]
fn entries_with_tokens_are_not_analysed_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut maker = maker();
    let with_tokens: Vec<Entry> = entries()
        .into_iter()
        .map(|entry| {
            let tokens = maker.tokens(&entry.comment.text);
            Entry::with_tokens(entry.comment, entry.classification, tokens)
        })
        .collect();
    import(folder.path(), &source("comments.tsv"), with_tokens).expect("the import succeeds");
    assert_eq!(picture(folder.path()), picture(casebook().path()));
}

#[test]
fn a_missing_or_damaged_index_is_made_anew() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("no folder", |index| fs::remove_dir_all(index).expect("the folder goes")),
        ("no meta.json", |index| fs::remove_file(index.join("meta.json")).expect("the file goes")),
        ("broken meta.json", |index| fs::write(index.join("meta.json"), b"{").expect("the file is written")),
        ("empty meta.json", |index| fs::write(index.join("meta.json"), b"").expect("the file is written")),
        ("a segment file less", |index| fs::remove_file(a_file(index, "store")).expect("the file goes")),
        ("a truncated segment file", |index| {
            let file = a_file(index, "idx");
            let bytes = fs::read(&file).expect("the file reads");
            fs::write(&file, &bytes[..bytes.len() / 2]).expect("the file is written");
        }),
        ("an empty segment file", |index| fs::write(a_file(index, "term"), b"").expect("the file is written")),
    ];
    for (name, damage) in damages {
        let folder = casebook();
        let before = picture(folder.path());
        damage(&folder.path().join("index"));
        let error = Searcher::open(folder.path(), DICTIONARY).expect_err(name);
        assert!(error.needs_rebuild(), "{name}: {error}");
        says(&error, &["索引", "作り直します"]);
        let (searcher, rebuilt) =
            Searcher::open_or_rebuild(folder.path(), DICTIONARY, &mut maker()).expect("the rebuild succeeds");
        assert!(rebuilt, "{name}");
        assert_eq!(searcher.comment_count(), 60);
        drop(searcher);
        assert_eq!(picture(folder.path()), before, "{name}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder reads").count(), 2 + wal_files(folder.path()));
    }
}

fn wal_files(folder: &Path) -> usize {
    ["-wal", "-shm"].iter().filter(|end| folder.join(format!("{FILE}{end}")).exists()).count()
}

fn a_file(index: &Path, extension: &str) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(index)
        .expect("the folder reads")
        .map(|entry| entry.expect("the entry reads").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files.remove(0)
}

#[test]
fn no_flipped_byte_goes_unnoticed_or_makes_it_panic() {
    let folder = casebook();
    let index = folder.path().join("index");
    let mut files: Vec<_> =
        fs::read_dir(&index).expect("the folder reads").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension != "lock" && extension != "json"));
    files.sort();
    assert!(files.len() >= 6);
    for path in files {
        let good = fs::read(&path).expect("the file reads");
        for step in 0..8 {
            let mut bytes = good.clone();
            let at = step * (bytes.len() - 1) / 7;
            bytes[at] ^= 0xff;
            fs::write(&path, &bytes).expect("the file is written");
            let error = Searcher::open(folder.path(), DICTIONARY).expect_err("a byte is flipped");
            assert!(error.needs_rebuild(), "{} at {at}: {error}", path.display());
        }
        fs::write(&path, &good).expect("the file is written");
    }
    assert_eq!(search(folder.path(), "停電"), ["a18", "a52"]);
}

#[test]
fn an_index_of_another_dictionary_or_revision_is_made_anew() {
    let folder = casebook();
    let error = Searcher::open(folder.path(), "other-dictionary").expect_err("the dictionary differs");
    says(&error, &["辞書", DICTIONARY, "other-dictionary"]);
    let (searcher, rebuilt) =
        Searcher::open_or_rebuild(folder.path(), "other-dictionary", &mut maker()).expect("the rebuild succeeds");
    assert!(rebuilt);
    assert_eq!(searcher.info().dictionary, "other-dictionary");
    drop(searcher);

    // A crash between the two commits: the record is ahead and the mark is there.
    let copy = folder.path().join("index");
    let kept = tempfile::tempdir().expect("a temporary folder");
    copy_folder(&copy, kept.path());
    let mut more = entries();
    more[0].comment.text = "あとから直した文章".to_owned();
    let mut of_other = source("more.tsv");
    of_other.dictionary = "other-dictionary".to_owned();
    import(folder.path(), &of_other, more).expect("the import succeeds");
    fs::remove_dir_all(&copy).expect("the folder goes");
    copy_folder(kept.path(), &copy);
    fs::write(folder.path().join("index.pending"), b"").expect("the mark is written");
    let error = Searcher::open(folder.path(), "other-dictionary").expect_err("the index is behind");
    assert!(error.needs_rebuild());
    let (searcher, rebuilt) =
        Searcher::open_or_rebuild(folder.path(), "other-dictionary", &mut maker()).expect("the rebuild succeeds");
    assert!(rebuilt);
    assert_eq!(find(&searcher, "文章 直す"), ["a01"]);

    // A crash after both: only the mark is left, and nothing needs to be made.
    drop(searcher);
    fs::write(folder.path().join("index.pending"), b"").expect("the mark is written");
    let (_, rebuilt) =
        Searcher::open_or_rebuild(folder.path(), "other-dictionary", &mut maker()).expect("the index is there");
    assert!(!rebuilt);
    assert!(!folder.path().join("index.pending").exists());
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is made");
    for entry in fs::read_dir(from).expect("the folder reads") {
        let path = entry.expect("the entry reads").path();
        fs::copy(&path, to.join(path.file_name().expect("a file has a name"))).expect("the file is copied");
    }
}

#[test]
fn an_import_without_an_index_makes_one() {
    let folder = casebook();
    fs::remove_dir_all(folder.path().join("index")).expect("the folder goes");
    let mut more = entries();
    more[0].comment.text = "あとから直した文章".to_owned();
    import(folder.path(), &source("more.tsv"), more).expect("the import succeeds");
    assert_eq!(search(folder.path(), "").len(), 60);
    assert_eq!(search(folder.path(), "文章 直す"), ["a01"]);
}

#[test]
fn an_older_casebook_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file is made");
    connection.execute_batch(include_str!("fixtures/casebook/v1.sql")).expect("the old casebook is made");
    drop(connection);
    let all = stored(folder.path());
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].comment.attributes.get("利用率"), Some("20%未満"));
    assert_eq!(all[0].codings[0].evidence[0].char_range, 6..11);
    let (searcher, rebuilt) =
        Searcher::open_or_rebuild(folder.path(), DICTIONARY, &mut maker()).expect("the index is made");
    assert!(rebuilt);
    assert_eq!(find(&searcher, "反映 分類:data_lag"), ["o1"]);
    let mut casebook = Casebook::open(folder.path()).expect("the casebook opens");
    let info =
        BatchInfo { coder: "山田".to_owned(), decided_at: "2026-02-01".to_owned(), source: "試験".to_owned() };
    let decision = Decision::category(jirei::comment::CommentId::new("o2"), "device", Action::Add);
    let appended = casebook.append_decisions(&info, &[decision]).expect("the new tables are there");
    assert_eq!((appended.batch, appended.decisions), (Some(1), vec![1]));
}

#[test]
fn a_newer_casebook_is_left_alone() {
    let folder = casebook();
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file opens");
    connection.pragma_update(None, "user_version", 99).expect("the version is set");
    drop(connection);
    says(&Casebook::open(folder.path()).expect_err("it is newer"), &["新しい版", "99"]);
}

#[test]
fn what_is_no_casebook_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("ない");
    for error in [
        IndexError::from(Casebook::open(&missing).expect_err("it is missing")),
        Searcher::open(&missing, DICTIONARY).expect_err("it is missing"),
        Searcher::open_or_rebuild(&missing, DICTIONARY, &mut maker()).map(drop).expect_err("it is missing"),
    ] {
        says(&error, &["ありません", "jirei import"]);
    }
    let file = folder.path().join("0120.sqlite");
    std::fs::write(&file, "").expect("the file is written");
    for error in [
        IndexError::from(Casebook::open(&file).expect_err("it is a file")),
        IndexError::from(Casebook::open_or_create(&file).expect_err("it is a file")),
        Searcher::open(&file, DICTIONARY).expect_err("it is a file"),
        Searcher::open_or_rebuild(&file, DICTIONARY, &mut maker()).map(drop).expect_err("it is a file"),
    ] {
        says(&error, &["0120.sqlite` はファイルです", "フォルダーを指定", "控えなら", "casebook.sqlite という名前"]);
    }
    for error in [
        IndexError::from(Casebook::open(folder.path()).expect_err("it is empty")),
        Searcher::open(folder.path(), DICTIONARY).expect_err("it is empty"),
    ] {
        says(&error, &["事例帳ではありません"]);
    }
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file is made");
    connection.execute_batch("CREATE TABLE other (a)").expect("the table is made");
    drop(connection);
    says(&Casebook::open(folder.path()).expect_err("it is something else"), &["事例帳ではありません"]);
    says(&Casebook::open_or_create(folder.path()).expect_err("it is something else"), &["事例帳ではありません"]);
}

#[test]
fn a_damaged_record_is_told_and_untouched() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("no SQLite", |bytes| bytes[..100].fill(b'x')),
        ("truncated", |bytes| bytes.truncate(bytes.len() / 2)),
        ("overwritten", |bytes| {
            let end = bytes.len();
            bytes[200..end].fill(0xff);
        }),
    ];
    for (name, damage) in damages {
        let folder = casebook();
        let file = folder.path().join(FILE);
        let connection = rusqlite::Connection::open(&file).expect("the file opens");
        connection.pragma_update(None, "journal_mode", "DELETE").expect("the log is closed");
        drop(connection);
        let mut bytes = fs::read(&file).expect("the file reads");
        damage(&mut bytes);
        fs::write(&file, &bytes).expect("the file is written");
        let result = Casebook::open(folder.path()).and_then(|casebook| {
            let mut count = 0;
            casebook.for_each(|_| {
                count += 1;
                Ok::<_, CasebookError>(())
            })?;
            let faults = casebook.check()?;
            assert!(count < 60 || !faults.is_empty(), "{name}: nothing is noticed");
            Ok(())
        });
        if let Err(error) = result {
            says(&error, &["壊れています", "控え"]);
        }
        // Search needs the index alone.
        assert_eq!(search(folder.path(), "停電"), ["a18", "a52"]);
    }
}

#[test]
fn search_goes_on_while_another_imports() {
    let folder = casebook();
    let path = folder.path().to_path_buf();
    let searcher = Searcher::open(folder.path(), DICTIONARY).expect("the index is there");
    let (to_import, from_main) = mpsc::channel::<()>();
    let (to_main, from_import) = mpsc::channel::<()>();
    let importer = thread::spawn(move || {
        let mut more = entries();
        more[17].comment.text = "雷で止まった".to_owned();
        let half = more.len() / 2;
        let entries = more.into_iter().enumerate().map(move |(place, entry)| {
            if place == half {
                to_main.send(()).expect("the test waits");
                from_main.recv().expect("the test goes on");
            }
            entry
        });
        let mut casebook = Casebook::open(&path).expect("the casebook opens");
        index::import(&mut casebook, &mut maker(), &source("more.tsv"), &codebook(), entries)
    });
    from_import.recv().expect("the import begins");
    assert_eq!(find(&searcher, "停電"), ["a18", "a52"]);
    assert_eq!(search(folder.path(), "停電"), ["a18", "a52"]);
    assert_eq!(stored(folder.path()).len(), 60);
    to_import.send(()).expect("the import waits");
    importer.join().expect("the import does not panic").expect("the import succeeds");
    searcher.reload().expect("the index is there");
    assert_eq!(find(&searcher, "停電"), ["a52"]);
    assert_eq!(search(folder.path(), "停電"), ["a52"]);
}

#[test]
fn a_second_writer_is_told() {
    let folder = casebook();
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file opens");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the lock is ours");
    let error = import(folder.path(), &source("more.tsv"), entries()).expect_err("the record is locked");
    says(&error, &["別のプロセス", "もう一度"]);
}
