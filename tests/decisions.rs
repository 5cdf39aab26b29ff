//! What people decide: it stands whatever comes in, and can be taken back.

use std::path::Path;

use jirei::{
    casebook::{
        Action, Appended, BatchInfo, Casebook, Decision, FILE, Judgement, RejectedReplacement, Replacement,
        ReplacementKind, StoredComment, Undo,
    },
    comment::CommentId,
    index,
    search::{HitOrder, Query, SearchOptions, Searcher},
};

use crate::common::{DICTIONARY, casebook, classification, codebook, entries, import, maker, source};

fn search(folder: &Path, query: &str) -> Vec<String> {
    let searcher = Searcher::open(folder, DICTIONARY).expect("the index is there");
    let options = SearchOptions { limit: 100, order: HitOrder::Report, fuzzy: false, ..SearchOptions::default() };
    let result = searcher.search(&mut maker(), &Query::parse(query), &options).expect("the search runs");
    result.hits.iter().map(|hit| hit.comment.id.to_string()).collect()
}

fn open(folder: &Path) -> Casebook {
    Casebook::open(folder).expect("the casebook opens")
}

fn info(coder: &str) -> BatchInfo {
    BatchInfo {
        coder: coder.to_owned(),
        decided_at: "2026-02-01T10:00:00+09:00".to_owned(),
        source: "review.xlsx".to_owned(),
    }
}

fn undo() -> Undo {
    Undo { coder: "佐藤".to_owned(), at: "2026-02-02T10:00:00+09:00".to_owned() }
}

fn of_category(comment: &str, category: &str, action: Action) -> Decision {
    Decision::category(CommentId::new(comment), category, action)
}

fn of(comment: &str, judgement: Judgement) -> Decision {
    Decision { comment: CommentId::new(comment), judgement }
}

fn decide(folder: &Path, decisions: &[Decision]) -> Appended {
    index::decide(&mut open(folder), &mut maker(), &info("山田"), decisions).expect("the decisions are kept")
}

fn comment(folder: &Path, id: &str) -> StoredComment {
    open(folder).comment(&CommentId::new(id)).expect("the record reads").expect("the comment is there")
}

fn categories(folder: &Path, id: &str) -> (String, Option<String>) {
    let stored = comment(folder, id);
    let ids: Vec<&str> = stored.categories.iter().map(|id| &**id).collect();
    (ids.join(" "), stored.primary.map(|id| id.to_string()))
}

#[track_caller]
fn says(error: &dyn std::error::Error, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{message}` does not say `{word}`");
    }
}

#[test]
fn people_overrule_the_rules_for_good() {
    let folder = casebook();
    let decisions = [
        of_category("a16", "device", Action::Remove),
        of_category("a16", "operation_support", Action::Add),
        of_category("a47", "complaint", Action::Add),
        of_category("a18", "device", Action::Accept),
    ];
    let appended = decide(folder.path(), &decisions);
    assert_eq!(appended.decisions.len(), 4);
    assert_eq!(search(folder.path(), "id:a16 分類:device"), [""; 0]);
    assert_eq!(search(folder.path(), "主分類:operation_support 再起動"), ["a16"]);
    assert_eq!(search(folder.path(), "分類:complaint 便利"), ["a47"]);

    // Other rules, the same file, and a rebuild leave them standing.
    let mut by_new_rules = source("comments.tsv");
    by_new_rules.rules = "test-rules-2".to_owned();
    let mut without_device = entries();
    without_device[17].classification = classification(&codebook(), &[]);
    import(folder.path(), &by_new_rules, without_device).expect("the import succeeds");
    let mut casebook = open(folder.path());
    for _ in 0..2 {
        assert_eq!(search(folder.path(), "id:a16 分類:device"), [""; 0]);
        assert_eq!(search(folder.path(), "主分類:operation_support 再起動"), ["a16"]);
        assert_eq!(search(folder.path(), "主分類:device 停電"), ["a18"]);
        index::rebuild(&mut casebook, &mut maker()).expect("the rebuild succeeds");
    }

    let number = appended.decisions[2];
    index::undo_decision(&mut casebook, &mut maker(), number, &undo()).expect("the decision is taken back");
    assert_eq!(search(folder.path(), "分類:complaint 便利"), [""; 0]);
    let again = index::undo_decision(&mut casebook, &mut maker(), number, &undo()).expect_err("it is undone already");
    says(&again, &["取り消されています"]);
    let kept = casebook.decisions().expect("the record reads");
    assert_eq!(kept.iter().map(|stored| stored.decision.clone()).collect::<Vec<_>>(), decisions);
    assert_eq!(kept[2].undone, Some(undo()));
    // What the rules said then, not what they say now.
    assert_eq!(kept.iter().map(|stored| stored.by_rules).collect::<Vec<_>>(), [true, false, false, true].map(Some));
}

#[test]
fn a_batch_is_taken_back_as_a_whole() {
    let folder = casebook();
    let first = decide(folder.path(), &[of_category("a16", "complaint", Action::Add)]);
    let before = categories(folder.path(), "a16");
    let batch = decide(
        folder.path(),
        &[
            of_category("a16", "complaint", Action::Remove),
            of_category("a16", "display", Action::Primary),
            of("a17", Judgement::GoodQuote(Some(true))),
        ],
    );
    assert_eq!(search(folder.path(), "引用候補:はい"), ["a17"]);
    assert_eq!(categories(folder.path(), "a16").1.as_deref(), Some("display"));
    let mut casebook = open(folder.path());
    index::undo_decision(&mut casebook, &mut maker(), batch.decisions[2], &undo()).expect("one is taken back");
    let undone = index::undo_batch(&mut casebook, &mut maker(), batch.batch.expect("there was something"), &undo());
    assert_eq!(undone.expect("the rest is taken back"), 2);
    assert_eq!(categories(folder.path(), "a16"), before);
    assert_eq!(search(folder.path(), "引用候補:はい"), [""; 0]);
    assert_eq!(search(folder.path(), "id:a16 分類:complaint"), ["a16"]);
    let batches = casebook.batches().expect("the record reads");
    let counts: Vec<_> = batches.iter().map(|batch| (batch.number, batch.decisions, batch.standing)).collect();
    assert_eq!(counts, [(first.batch.expect("a batch"), 1, 1), (batch.batch.expect("a batch"), 3, 0)]);
    assert_eq!(batches[1].info, info("山田"));
    for number in [batch.batch.expect("a batch"), 99] {
        let error = index::undo_batch(&mut casebook, &mut maker(), number, &undo()).expect_err("nothing stands");
        says(&error, &[&number.to_string(), "jirei review log"]);
    }
    // What leads nowhere leaves the index as it is.
    assert!(!folder.path().join("index.pending").exists());
}

#[test]
fn nothing_decided_is_no_batch() {
    let folder = casebook();
    let revision = open(folder.path()).revision().expect("the record reads");
    assert_eq!(decide(folder.path(), &[]), Appended::default());
    assert_eq!(open(folder.path()).revision().expect("the record reads"), revision);
    assert_eq!(open(folder.path()).batches().expect("the record reads"), []);
}

#[test]
fn the_last_word_on_each_subject_counts() {
    let folder = casebook();
    let path = folder.path();
    let by_rules = categories(path, "a16");
    assert_eq!(by_rules, ("device".to_owned(), Some("device".to_owned())));
    let cases = [
        ("display", Action::Primary, "display device", "display"),
        ("display", Action::Accept, "display device", "display"),
        ("device", Action::Remove, "display", "display"),
        ("device", Action::Leave, "display device", "display"),
        // A primary that is removed gives way to the rules' own.
        ("display", Action::Remove, "device", "device"),
        ("display", Action::Primary, "display device", "display"),
        ("operation_support", Action::Primary, "display device operation_support", "operation_support"),
        ("operation_support", Action::Leave, "display device", "device"),
        ("display", Action::Leave, "device", "device"),
    ];
    for (category, action, expected, primary) in cases {
        decide(path, &[of_category("a16", category, action)]);
        let (found, found_primary) = categories(path, "a16");
        let mut expected: Vec<&str> = expected.split(' ').collect();
        expected.sort_unstable();
        let mut ids: Vec<&str> = found.split(' ').collect();
        ids.sort_unstable();
        assert_eq!((ids, found_primary.as_deref()), (expected, Some(primary)), "{category} {action:?}");
    }

    let good = |path: &Path| comment(path, "a16").good_quote;
    for decided in [Some(true), Some(false), None] {
        decide(path, &[of("a16", Judgement::GoodQuote(decided))]);
        assert_eq!(good(path), decided);
    }
    for (note, expected) in [("一つ目", Some("一つ目")), ("=二つ目", Some("=二つ目")), ("", None)] {
        decide(path, &[of("a16", Judgement::Note(note.to_owned()))]);
        assert_eq!(comment(path, "a16").note.as_deref(), expected);
    }
}

#[test]
fn replacements_never_overlap_and_hold_for_the_words_they_were_made_for() {
    let folder = casebook();
    let path = folder.path();
    let mut changed = entries();
    changed[0].comment.text = "田中さんの氏名が●●と出た".to_owned();
    import(path, &source("names.tsv"), changed.clone()).expect("the import succeeds");
    let replace =
        |kind, char_range, text: &str| of("a01", Judgement::Replace { kind, char_range, text: text.to_owned() });
    let (mask, correction) = (ReplacementKind::Mask, ReplacementKind::Correction);
    decide(path, &[replace(correction, 7..8, "は"), replace(mask, 0..2, "（氏名）"), replace(mask, 0..4, "（患者）")]);
    let expected = [
        Replacement { kind: mask, char_range: 0..4, text: "（患者）".to_owned() },
        Replacement { kind: correction, char_range: 7..8, text: "は".to_owned() },
    ];
    assert_eq!(comment(path, "a01").replacements, expected);

    let reject = |kind, char_range| of("a01", Judgement::Reject { kind, char_range });
    decide(path, &[reject(correction, 7..8), reject(mask, 5..7)]);
    let stored = comment(path, "a01");
    assert_eq!(stored.replacements, expected[..1]);
    let rejected = [
        RejectedReplacement { kind: mask, char_range: 5..7 },
        RejectedReplacement { kind: correction, char_range: 7..8 },
    ];
    assert_eq!(stored.rejected, rejected);
    // A change of mind.
    decide(path, &[replace(correction, 7..8, "は")]);
    let stored = comment(path, "a01");
    assert_eq!((stored.replacements, stored.rejected), (expected.to_vec(), rejected[..1].to_vec()));

    // The text came in anew: what it was decided for is no longer there, but the mask still is.
    changed[0].comment.text = "田中さんの苗字も●●と出た".to_owned();
    import(path, &source("names.tsv"), changed).expect("the import succeeds");
    let stored = comment(path, "a01");
    assert_eq!((stored.replacements, stored.rejected), (expected[..1].to_vec(), Vec::new()));
    let decisions = open(path).decisions().expect("the record reads");
    assert!(decisions.iter().all(|stored| stored.text_changed == Some(true)));
}

#[test]
fn what_cannot_be_decided_is_told_and_nothing_is_kept() {
    let folder = casebook();
    let good = of_category("a16", "complaint", Action::Add);
    let of_range = |char_range| of("a16", Judgement::Reject { kind: ReplacementKind::Mask, char_range });
    let cases: [(Decision, &[&str]); 6] = [
        (of_category("zzz", "device", Action::Add), &["zzz"]),
        (of_category("a16", "ない分類", Action::Add), &["ない分類", "分類"]),
        (of_category("a16", "elderly", Action::Primary), &["elderly", "主分類"]),
        (of_range(0..999), &["a16", "1 文字目から 999 文字目"]),
        (of_range(2..2), &["a16"]),
        (of("zzz", Judgement::GoodQuote(None)), &["zzz"]),
    ];
    for (bad, words) in cases {
        let result = index::decide(&mut open(folder.path()), &mut maker(), &info("山田"), &[good.clone(), bad]);
        says(&result.expect_err("it cannot be decided"), words);
        let casebook = open(folder.path());
        assert_eq!(casebook.decisions().expect("the record reads"), []);
        assert_eq!(casebook.batches().expect("the record reads"), []);
    }
}

#[test]
fn decisions_cannot_be_altered() {
    let folder = casebook();
    let mut casebook = open(folder.path());
    let appended = casebook.append_decisions(&info("山田"), &[of_category("a01", "device", Action::Add)]);
    let number = appended.expect("the decision is kept").decisions[0];
    casebook.undo_decision(number, &undo()).expect("it is taken back");
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file opens");
    for sql in [
        "UPDATE decisions SET action = 'remove'",
        "DELETE FROM decisions",
        "UPDATE undone_decisions SET coder = ''",
        "DELETE FROM undone_decisions",
        "UPDATE batches SET coder = ''",
        "DELETE FROM batches",
    ] {
        assert!(connection.execute(sql, []).is_err(), "{sql}");
    }
}

#[test]
fn decisions_of_an_older_casebook_are_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file is made");
    connection.execute_batch(include_str!("fixtures/casebook/v2.sql")).expect("the old casebook is made");
    drop(connection);
    let mut casebook = open(folder.path());
    assert_eq!(casebook.check().expect("the check runs"), Vec::<String>::new());
    let decisions = casebook.decisions().expect("the record reads");
    let picture: Vec<_> = decisions
        .iter()
        .map(|stored| (stored.number, stored.batch, stored.coder.as_str(), stored.by_rules, stored.undone.is_some()))
        .collect();
    assert_eq!(
        picture,
        [
            (1, 1, "山田", Some(true), false),
            (2, 1, "山田", Some(false), false),
            (3, 2, "佐藤", Some(false), true),
            (4, 3, "山田", Some(false), false),
        ]
    );
    assert_eq!(decisions[1].decision, of_category("o1", "device", Action::Add));
    assert_eq!(decisions[1].decided_at, "2026-02-01T10:00:00+09:00");
    assert_eq!(decisions[1].text_changed, None);
    let batches = casebook.batches().expect("the record reads");
    let counts: Vec<_> = batches.iter().map(|batch| (batch.decisions, batch.standing)).collect();
    assert_eq!(counts, [(2, 2), (1, 0), (1, 1)]);
    assert_eq!(categories(folder.path(), "o1").0, "device");
    assert_eq!(categories(folder.path(), "o2").0, "display");
    casebook.undo_batch(1, &undo()).expect("the old batch is taken back");
    assert_eq!(categories(folder.path(), "o1"), ("data_lag".to_owned(), Some("data_lag".to_owned())));
}

#[test]
fn an_import_keeps_what_was_decided_in_the_index() {
    let folder = casebook();
    decide(folder.path(), &[of("a16", Judgement::GoodQuote(Some(true))), of("a17", Judgement::GoodQuote(Some(false)))]);
    let mut changed = entries();
    changed[15].comment.text = "あとから直した文章".to_owned();
    import(folder.path(), &source("more.tsv"), changed).expect("the import succeeds");
    for _ in 0..2 {
        assert_eq!(search(folder.path(), "引用候補:○"), ["a16"]);
        assert_eq!(search(folder.path(), "引用候補:はい 文章"), ["a16"]);
        assert_eq!(search(folder.path(), "good_quote:no"), ["a17"]);
        index::rebuild(&mut open(folder.path()), &mut maker()).expect("the rebuild succeeds");
    }
}
