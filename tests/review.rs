//! Corrections in a workbook: exactly the cells that were changed come back, whatever was done to the rows.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use calamine::{Reader, Xlsx, open_workbook};
use jirei::{
    casebook::{Action, Casebook, CasebookError, FILE, StoredComment},
    comment::CommentId,
    index,
    review::{ContradictionKind, contradictions},
};
use rust_xlsxwriter::Workbook;
use tempfile::TempDir;

use crate::{
    cli::{Ran, jirei},
    common::{casebook, classification, codebook, entries, import, maker, source},
};

const SHEET: &str = "レビュー";
const LIST: &str = "食い違い";

/// A workbook as rows of text, as a person would change it in any program.
#[derive(Clone)]
pub(crate) struct Book {
    sheets: Vec<(String, Vec<Vec<String>>)>,
}

impl Book {
    pub(crate) fn open(path: &Path) -> Self {
        let mut workbook: Xlsx<_> = open_workbook(path).expect("the workbook opens");
        let names = workbook.sheet_names();
        let sheets = names
            .into_iter()
            .map(|name| {
                let range = workbook.worksheet_range(&name).expect("the sheet reads");
                let (last_row, last_column) = range.end().unwrap_or_default();
                let cell = |row, column| range.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
                let rows = (0..=last_row).map(|row| (0..=last_column).map(|column| cell(row, column)).collect());
                (name, rows.collect())
            })
            .collect();
        Self { sheets }
    }

    fn rows(&mut self) -> &mut Vec<Vec<String>> {
        &mut self.sheets.iter_mut().find(|(name, _)| name == SHEET || name == LIST).expect("the sheet is there").1
    }

    fn column(&mut self, header: &str) -> usize {
        self.rows()[0].iter().position(|cell| cell == header).unwrap_or_else(|| panic!("no column {header}"))
    }

    fn row(&mut self, id: &str) -> usize {
        self.rows().iter().position(|row| row[0] == id).unwrap_or_else(|| panic!("no row {id}"))
    }

    pub(crate) fn get(&mut self, id: &str, header: &str) -> String {
        let (row, column) = (self.row(id), self.column(header));
        self.rows()[row][column].clone()
    }

    pub(crate) fn set(&mut self, id: &str, header: &str, value: &str) -> &mut Self {
        let (row, column) = (self.row(id), self.column(header));
        self.rows()[row][column] = value.to_owned();
        self
    }

    /// Turns the rows under the header around and about.
    fn shuffle(&mut self) -> &mut Self {
        let rows = self.rows();
        rows[1..].reverse();
        let turn = rows.len() / 3;
        rows[1..].rotate_left(turn);
        self
    }

    pub(crate) fn save(&self, path: &Path) {
        let mut workbook = Workbook::new();
        for (name, rows) in &self.sheets {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).expect("a name").set_hidden(name == "jirei");
            for (row, cells) in (0..).zip(rows) {
                for (column, cell) in (0..).zip(cells) {
                    if !cell.is_empty() {
                        sheet.write_string(row, column, cell).expect("the cell is written");
                    }
                }
            }
        }
        workbook.save(path).expect("the workbook is saved");
    }
}

/// The invented casebook with a workbook of all its comments.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: casebook() };
        let ran = desk.run(&["export", "-o", "review.xlsx"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        desk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["review"];
        all.extend(arguments);
        if !arguments.iter().any(|argument| argument.ends_with(".xlsx") && arguments[0] == "agreement") {
            all.extend(["--casebook", "."]);
        }
        jirei(self.path(), &all)
    }

    fn import(&self, name: &str) -> Ran {
        self.run(&["import", name, "--coder", "山田"])
    }

    fn book(&self) -> Book {
        Book::open(&self.file("review.xlsx"))
    }

    fn casebook(&self) -> Casebook {
        Casebook::open(self.path()).expect("the casebook opens")
    }

    fn decisions(&self) -> usize {
        self.casebook().decisions().expect("the record reads").len()
    }

    fn comment(&self, id: &str) -> StoredComment {
        self.casebook().comment(&CommentId::new(id)).expect("the record reads").expect("the comment is there")
    }

    /// All that counts of all comments.
    fn picture(&self) -> Vec<StoredComment> {
        let mut all = Vec::new();
        self.casebook()
            .for_each(|comment| {
                all.push(comment);
                Ok::<_, CasebookError>(())
            })
            .expect("the record reads");
        all
    }
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

/// Thirty cells of each kind, with the ids whose rows hold none.
fn thirty_changes(book: &mut Book) -> HashSet<String> {
    for id in ["a01", "a02", "a03", "a04", "a05"] {
        book.set(id, "表示", "承認");
    }
    for id in ["a16", "a17", "a18", "a19"] {
        book.set(id, "機器", "外す");
    }
    for id in ["a06", "a07", "a08", "a09"] {
        book.set(id, "表示", "追加");
    }
    // The same row twice and more.
    book.set("a16", "操作支援", "追加").set("a16", "主分類", "操作支援").set("a16", "引用候補", "○");
    book.set("a16", "メモ", "=再起動では\n直らない例");
    book.set("a21", "主分類", "操作支援").set("a24", "主分類", "制度");
    for id in ["a25", "a26", "a27"] {
        book.set(id, "引用候補", "○");
    }
    for id in ["a28", "a29"] {
        book.set(id, "引用候補", "×");
    }
    for id in ["a30", "a31", "a32"] {
        book.set(id, "メモ", "事例集の前書きに");
    }
    book.set("a33", "クレーム", "追加").set("a34", "クレーム", "外す").set("a12", "クレーム", " 承認 ");
    let changed: HashSet<String> = (1..=34).map(|number| format!("a{number:02}")).collect();
    let ids: Vec<String> = book.rows()[1..].iter().map(|row| row[0].clone()).collect();
    ids.into_iter().filter(|id| !changed.contains(id)).collect()
}

#[test]
fn thirty_changed_cells_give_thirty_decisions() {
    let desk = Desk::new();
    let mut book = desk.book();
    let untouched = thirty_changes(&mut book);
    assert!(untouched.len() > 20);
    book.shuffle();
    // Some of the untouched rows are thrown away, and the columns stand in another order.
    let gone: HashSet<String> = untouched.into_iter().take(10).collect();
    book.rows().retain(|row| !gone.contains(&row[0]));
    for row in book.rows() {
        row.swap(0, 4);
        row.swap(7, 12);
        row.push(String::new());
    }
    let last = book.rows()[0].len() - 1;
    book.rows()[0][last] = "確認した日".to_owned();
    book.rows()[1][last] = "2026-02-01".to_owned();
    book.save(&desk.file("changed.xlsx"));

    let before = desk.picture();
    let dry = desk.run(&["import", "changed.xlsx", "--coder", "山田", "--dry-run"]);
    assert_eq!((dry.code, dry.stdout.lines().count()), (0, 30), "{}{}", dry.stdout, dry.stderr);
    says(&dry.stdout, &["a16  機器: ○ → 外す", "a06  表示: 空欄 → 追加", "a24  主分類: 操作支援 → 制度"]);
    says(&dry.stderr, &["50 件の行", "変えたセルは 30 個", "何も取り込んでいません", "確認した日"]);
    assert_eq!(desk.picture(), before);
    assert_eq!(desk.decisions(), 0);

    let ran = desk.import("changed.xlsx");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, dry.stdout);
    says(&ran.stderr, &["jirei review undo 1 --casebook . --coder 山田"]);
    assert_eq!(desk.decisions(), 30);
    let batches = desk.casebook().batches().expect("the record reads");
    assert_eq!((batches.len(), batches[0].decisions, batches[0].info.source.as_str()), (1, 30, "changed.xlsx"));
    assert_eq!(batches[0].info.coder, "山田");
    let comment = desk.comment("a16");
    assert_eq!(comment.categories.iter().map(|id| &**id).collect::<Vec<_>>(), ["operation_support"]);
    assert_eq!(comment.primary.as_deref(), Some("operation_support"));
    assert_eq!((comment.good_quote, comment.note.as_deref()), (Some(true), Some("=再起動では\n直らない例")));
    assert_eq!(desk.comment("a24").primary.as_deref(), Some("system_confusion"));
    assert_eq!(desk.comment("a28").good_quote, Some(false));
    assert_eq!(desk.comment("a12").decided_categories.get("complaint"), Some(&Action::Accept));
    let found = jirei(desk.path(), &["search", "引用候補:はい", "--casebook", ".", "--format", "jsonl"]);
    assert_eq!(found.stdout.lines().count(), 4, "{}", found.stderr);

    // The same file again, and the one that was exported before: nothing is left to do.
    let again = desk.import("changed.xlsx");
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    says(&again.stderr, &["すでに同じ 30", "取り込むものはありません"]);
    assert_eq!(desk.import("review.xlsx").code, 0);
    assert_eq!(desk.decisions(), 30);

    // What is exported now shows what was decided, and nothing of it counts as changed.
    assert_eq!(desk.run(&["export", "-o", "next.xlsx"]).code, 0);
    let mut next = Book::open(&desk.file("next.xlsx"));
    for (id, header, expected) in [
        ("a16", "機器", "外す"),
        ("a16", "操作支援", "追加"),
        ("a16", "主分類", "操作支援"),
        ("a16", "メモ", "=再起動では\n直らない例"),
        ("a12", "クレーム", "承認"),
        ("a28", "引用候補", "×"),
        ("a13", "データ遅れ", "○"),
    ] {
        assert_eq!(next.get(id, header), expected, "{id} {header}");
    }
    let ran = desk.import("next.xlsx");
    says(&ran.stderr, &["変えたセルは 0 個"]);

    // Back to the rules' own: decisions of their own, which leave it to them.
    next.set("a16", "機器", "○").set("a06", "表示", "").set("a16", "メモ", "").set("a28", "引用候補", "");
    next.save(&desk.file("back.xlsx"));
    let ran = desk.import("back.xlsx");
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 4), "{}", ran.stderr);
    assert_eq!(desk.comment("a06").categories, before[5].categories);
    assert!(desk.comment("a16").categories.iter().any(|id| &**id == "device"));
    assert_eq!((desk.comment("a16").note, desk.comment("a28").good_quote), (None, None));

    // Both batches taken back: as before all.
    for (batch, file) in [("2", "back.xlsx"), ("1", "changed.xlsx")] {
        let ran = desk.run(&["undo", batch, "--coder", "佐藤"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        says(&ran.stderr, &[&format!("事例帳 . の作業 {batch}（山田 さん、20"), file]);
    }
    assert_eq!(desk.picture(), before);
    let ran = desk.run(&["undo", "1", "--coder", "佐藤"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["作業 1 の判断は、佐藤 さんが 20", "に取り消しています"]);
    // And the file could be applied once more.
    assert_eq!(desk.import("changed.xlsx").stdout.lines().count(), 30);
}

#[test]
fn decisions_outlive_new_rules_and_a_new_file() {
    let desk = Desk::new();
    let mut book = desk.book();
    thirty_changes(&mut book);
    book.save(&desk.file("changed.xlsx"));
    assert_eq!(desk.import("changed.xlsx").code, 0);
    let decided = |desk: &Desk| {
        let of = |comment: StoredComment| {
            (comment.decided_categories, comment.decided_primary, comment.good_quote, comment.note)
        };
        desk.picture().into_iter().map(of).collect::<Vec<_>>()
    };
    let before = decided(&desk);
    assert_eq!(contradictions(&desk.casebook()).expect("the record reads"), []);

    // Rules that see devices nowhere and displays everywhere; one text is corrected.
    let mut by_new_rules = source("comments.tsv");
    by_new_rules.rules = "test-rules-2".to_owned();
    let mut recoded = entries();
    for entry in &mut recoded {
        entry.classification = classification(&codebook(), &["display"]);
    }
    recoded[29].comment.text.push_str("（追記あり）");
    import(desk.path(), &by_new_rules, recoded).expect("the import succeeds");
    index::rebuild(&mut desk.casebook(), &mut maker()).expect("the rebuild succeeds");
    assert_eq!(decided(&desk), before);
    assert_eq!(desk.comment("a16").primary.as_deref(), Some("operation_support"));

    let found = contradictions(&desk.casebook()).expect("the record reads");
    let of_kind = |kind| {
        let ids = found.iter().filter(move |found| found.kind == kind);
        ids.map(|found| found.decision.decision.comment.to_string()).collect::<Vec<_>>()
    };
    // Accepted, and now not given; the primary sections were not the rules' then and are not now.
    assert_eq!(of_kind(ContradictionKind::Opposed), ["a12"]);
    // Added, and now given; removed, and now not given.
    let settled: HashSet<String> = of_kind(ContradictionKind::Settled).into_iter().collect();
    let expected = ["a06", "a07", "a08", "a09", "a16", "a17", "a18", "a19", "a34"];
    assert_eq!(settled, HashSet::from(expected.map(str::to_owned)));
    assert_eq!(of_kind(ContradictionKind::TextChanged), ["a30"]);
    let ran = desk.run(&["contradictions"]);
    assert_eq!(ran.code, 1);
    says(&ran.stdout, &["規則が判断から離れたもの", "a12  クレーム: 承認", "規則 ○ → なし", "a30"]);
    says(&ran.stderr, &["離れた判断 1 件", "追いついた判断 9 件", "本文が変わった判断 1 件"]);
    for format in ["jsonl", "csv"] {
        let ran = desk.run(&["contradictions", "--format", format]);
        assert_eq!(ran.stdout.lines().count(), 11 + usize::from(format == "csv"), "{}", ran.stdout);
    }
}

#[test]
fn what_cannot_be_right_is_refused_by_cell() {
    let desk = Desk::new();
    type Change = fn(&mut Book);
    let cases: [(&str, Change, &[&str]); 17] = [
        (
            "text",
            |book| {
                book.set("a16", "回答", "カードリーダーは快調です。");
            },
            &["!E", "本文", "元の本文"],
        ),
        (
            "unknown id",
            |book| {
                book.set("a16", "番号", "z99");
            },
            &["!A", "z99", "元に戻"],
        ),
        (
            "no id",
            |book| {
                book.set("a16", "番号", "");
            },
            &["!A", "番号がありません"],
        ),
        (
            "doubled row",
            |book| {
                let row = book.row("a16");
                let copy = book.rows()[row].clone();
                book.rows().push(copy);
            },
            &["レビュー!A62", "a16", "どちらか"],
        ),
        (
            "a renamed heading",
            |book| {
                let column = book.set("a16", "機器", "外す").column("機器");
                book.rows()[0][column] = "器械".to_owned();
            },
            &["レビュー!J1", "「器械」", "見出し「機器」の列が見当たりません", "元に戻"],
        ),
        (
            "an emptied heading",
            |book| {
                let column = book.set("a16", "機器", "外す").column("機器");
                book.rows()[0][column].clear();
            },
            &["レビュー!J1", "見出しが空", "見出し「機器」の列が見当たりません"],
        ),
        (
            "an id over another",
            |book| {
                book.set("a16", "番号", "a17");
            },
            &["a17", "本文"],
        ),
        (
            "an unknown word",
            |book| {
                book.set("a16", "機器", "削除");
            },
            &["!J", "「削除」", "承認・外す・追加"],
        ),
        (
            "a circle taken away",
            |book| {
                book.set("a16", "機器", "");
            },
            &["!J", "機器", "外す"],
        ),
        (
            "a circle by hand",
            |book| {
                book.set("a16", "表示", "○");
            },
            &["!I", "表示", "追加"],
        ),
        (
            "accepted what is not there",
            |book| {
                book.set("a16", "表示", "承認");
            },
            &["!I", "追加"],
        ),
        (
            "no primary",
            |book| {
                book.set("a16", "主分類", "");
            },
            &["!G", "主分類", "外す"],
        ),
        (
            "an unknown primary",
            |book| {
                book.set("a16", "主分類", "その他");
            },
            &["!G", "「その他」", "一覧"],
        ),
        (
            "a list as primary",
            |book| {
                book.set("a16", "主分類", "高齢者");
            },
            &["!G", "高齢者", "横断"],
        ),
        (
            "a primary that is removed",
            |book| {
                book.set("a16", "主分類", "表示").set("a16", "表示", "外す");
            },
            &["!G", "表示", "外す"],
        ),
        (
            "a quote that is neither",
            |book| {
                book.set("a16", "引用候補", "たぶん");
            },
            &["!Q", "「たぶん」", "×"],
        ),
        (
            "a header twice",
            |book| {
                let column = book.column("データ遅れ");
                book.rows()[0][column] = "機器".to_owned();
            },
            &["レビュー!J1", "機器", "H1"],
        ),
    ];
    for (name, change, words) in cases {
        let mut book = desk.book();
        // A good change beside the bad one: all or nothing.
        book.set("a01", "表示", "承認");
        change(&mut book);
        book.save(&desk.file("bad.xlsx"));
        let ran = desk.import("bad.xlsx");
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        says(&ran.stderr, words);
        says(&ran.stderr, &["何も取り込んでいません"]);
        assert_eq!(desk.decisions(), 0, "{name}");
    }

    // Every problem is told at once, in the order of the cells.
    let mut book = desk.book();
    book.set("a01", "表示", "？").set("a02", "表示", "？").set("a03", "引用候補", "？");
    book.save(&desk.file("bad.xlsx"));
    let ran = desk.import("bad.xlsx");
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("レビュー!")).collect();
    assert_eq!(told.len(), 3, "{}", ran.stderr);
    says(&ran.stderr, &["3 か所"]);
    let rows = ["a01", "a02", "a03"].map(|id| book.row(id) + 1);
    let expected: Vec<String> = {
        let mut cells = vec![(rows[0], "I"), (rows[1], "I"), (rows[2], "Q")];
        cells.sort_unstable();
        cells.into_iter().map(|(row, column)| format!("レビュー!{column}{row}:")).collect()
    };
    for (line, cell) in told.iter().zip(expected) {
        assert!(line.starts_with(&cell), "{line} is not of {cell}");
    }
}

#[test]
fn what_does_no_harm_is_taken() {
    let desk = Desk::new();
    let mut book = desk.book();
    // A title above, a sum below, a renamed sheet, a column thrown away, line ends and spaces of another program.
    let width = book.rows()[0].len();
    let mut title = vec![String::new(); width];
    title[1] = "二月の見直し".to_owned();
    book.rows().insert(0, title);
    book.rows().push(vec![String::new(); width]);
    let text = book.rows()[2][4].clone();
    book.rows()[2][4] = format!("{text}_x000D_\n ");
    let gone = book.rows()[1].iter().position(|cell| cell == "スマホ").expect("the column is there");
    for row in book.rows() {
        if row.len() > gone {
            row.remove(gone);
        }
    }
    let row = book.rows().iter().position(|row| row[0] == "a16").expect("the row is there");
    let column = book.rows()[1].iter().position(|cell| cell == "機器").expect("the column is there");
    book.rows()[row][column] = "外す".to_owned();
    let sheet = book.sheets.iter_mut().find(|(name, _)| name == SHEET).expect("the sheet is there");
    sheet.0 = "山田 見直し済み".to_owned();
    book.save(&desk.file("changed.xlsx"));
    let ran = desk.import("changed.xlsx");
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "{}", ran.stderr);
    says(&ran.stdout, &["山田 見直し済み!J", "a16  機器: ○ → 外す"]);
    says(&ran.stderr, &["「スマホ」の列が見当たらない"]);

    // A column of one's own.
    let mut book = desk.book();
    book.rows()[0].push("人数".to_owned());
    book.rows()[1].push("3".to_owned());
    book.save(&desk.file("more.xlsx"));
    let ran = desk.import("more.xlsx");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stderr, &["「人数」は読みません"]);
}

#[test]
fn a_foreign_workbook_is_refused() {
    let desk = Desk::new();
    let other = Desk::new();
    fs::copy(other.file("review.xlsx"), desk.file("other.xlsx")).expect("the file is copied");
    let ran = desk.import("other.xlsx");
    assert_eq!(ran.code, 1);
    says(&ran.stderr, &["other.xlsx", "別の事例帳"]);

    let mut book = desk.book();
    book.sheets.retain(|(name, _)| name != "jirei");
    book.save(&desk.file("bare.xlsx"));
    let ran = desk.import("bare.xlsx");
    assert_eq!(ran.code, 1);
    says(&ran.stderr, &["bare.xlsx", "jirei review export", "隠しシート"]);

    let mut book = desk.book();
    book.sheets.retain(|(name, _)| name != SHEET);
    book.save(&desk.file("bare.xlsx"));
    says(&desk.import("bare.xlsx").stderr, &["「レビュー」シートがありません"]);

    let mut book = desk.book();
    book.rows()[0][0] = "No.".to_owned();
    book.save(&desk.file("bare.xlsx"));
    says(&desk.import("bare.xlsx").stderr, &["「番号」", "見出し"]);

    fs::write(desk.file("text.xlsx"), "番号,回答\n").expect("the file is written");
    let ran = desk.import("text.xlsx");
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["text.xlsx"]);
    let ran = desk.import("missing.xlsx");
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["missing.xlsx"]);
    assert_eq!(desk.run(&["import", "review.xlsx", "--coder", " "]).code, 2);
    assert_eq!(desk.decisions(), 0);
}

#[test]
fn what_others_decided_since_is_a_conflict() {
    let desk = Desk::new();
    let mut first = desk.book();
    first.set("a16", "機器", "外す").set("a17", "引用候補", "○").set("a18", "メモ", "停電の例").set(
        "a21",
        "主分類",
        "操作支援",
    );
    first.save(&desk.file("first.xlsx"));
    assert_eq!(desk.run(&["import", "first.xlsx", "--coder", "佐藤"]).code, 0);
    let mut second = desk.book();
    second
        .set("a16", "機器", "承認")
        .set("a17", "引用候補", "○")
        .set("a18", "メモ", "雷の例")
        .set("a01", "表示", "承認");
    second.set("a21", "主分類", "機器").set("a22", "機器", "承認");
    second.save(&desk.file("second.xlsx"));
    // The primary of a21 is as it was exported: no change of the second coder's.
    let ran = desk.import("second.xlsx");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(
        &ran.stderr,
        &[
            "取り込む 3、すでに同じ 0、食い違い 2",
            "佐藤 さん",
            "「外す」に変わっています",
            "「停電の例」",
            "--conflicts",
        ],
    );
    assert_eq!(desk.decisions(), 4);
    let dry = desk.run(&["import", "second.xlsx", "--coder", "山田", "--conflicts", "overwrite", "--dry-run"]);
    assert_eq!((dry.code, dry.stdout.lines().count()), (0, 5), "{}", dry.stderr);
    let ran = desk.run(&["import", "second.xlsx", "--coder", "山田", "--conflicts", "keep"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{}", ran.stderr);
    assert_eq!(desk.comment("a16").decided_categories.get("device"), Some(&Action::Remove));
    let ran = desk.run(&["import", "second.xlsx", "--coder", "山田", "--conflicts", "overwrite"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2), "{}", ran.stderr);
    assert_eq!(desk.comment("a16").decided_categories.get("device"), Some(&Action::Accept));
    assert_eq!(desk.comment("a18").note.as_deref(), Some("雷の例"));
    assert_eq!(desk.decisions(), 9);

    // A text that came in anew must be read anew.
    let mut changed = entries();
    changed[18].comment.text = "ルーターは直った。".to_owned();
    import(desk.path(), &source("more.tsv"), changed).expect("the import succeeds");
    let mut late = desk.book();
    late.set("a19", "機器", "外す");
    late.save(&desk.file("late.xlsx"));
    let ran = desk.import("late.xlsx");
    assert_eq!(ran.code, 1);
    says(&ran.stderr, &["!J", "a19", "書き出し直して"]);
}

#[test]
fn decisions_are_listed_and_taken_back_one_by_one() {
    let desk = Desk::new();
    let mut book = desk.book();
    book.set("a16", "機器", "外す").set("a16", "主分類", "表示").set("a17", "メモ", "一行目\n二行目");
    book.save(&desk.file("first.xlsx"));
    assert_eq!(desk.import("first.xlsx").code, 0);
    let ran = desk.run(&["log"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2));
    says(&ran.stdout, &["山田", "first.xlsx", "   3"]);
    let ran = desk.run(&["log", "--batch", "1"]);
    says(&ran.stdout, &["a16  機器: 外す", "a16  主分類: 表示", "a17  メモ: 一行目 二行目"]);
    // The primary comes last, so that it counts whatever else is said in its row.
    assert!(ran.stdout.lines().last().is_some_and(|line| line.contains("主分類")), "{}", ran.stdout);
    let number = desk.casebook().decisions().expect("the record reads")[0].number.to_string();
    let ran = desk.run(&["undo", "--decision", &number, "--coder", "佐藤"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stderr, &[&format!("事例帳 . の判断 {number} を"), "作業 1: 山田 さん、20", "first.xlsx"]);
    assert!(desk.comment("a16").categories.iter().any(|id| &**id == "device"));
    says(&desk.run(&["log", "--id", "a16"]).stdout, &["佐藤 さんが取り消し"]);
    let lines = desk.run(&["log", "--decisions", "--format", "jsonl"]).stdout;
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["judgement"]["category"]["action"], "remove");
    assert_eq!((first["by_rules"].as_bool(), first["undone"]["coder"].as_str()), (Some(true), Some("佐藤")));
    assert_eq!(desk.run(&["log", "--decisions", "--format", "csv"]).stdout.lines().count(), 4);
    assert_eq!(desk.run(&["log", "--coder", "だれか"]).stdout.lines().count(), 1);
    for (arguments, words) in [
        (["log", "--batch", "77"], &["番号 77 の作業はありません", "jirei review log"][..]),
        (["log", "--id", "nai"], &["番号「nai」のコメントはありません", "jirei search"]),
    ] {
        let ran = desk.run(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        says(&ran.stderr, words);
    }
    let ran = desk.run(&["log", "--id", "a01"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    says(&ran.stderr, &["番号「a01」のコメントについての判断はまだありません"]);
    assert_eq!(desk.run(&["undo", "--coder", "佐藤"]).code, 2);
    let ran = desk.run(&["undo", "99", "--coder", "佐藤"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["99", "jirei review log"]);
}

/// A part of the workbook as it lies in the file.
fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).expect("the file opens")).expect("a zip archive");
    let mut text = String::new();
    archive.by_name(name).expect("the part is there").read_to_string(&mut text).expect("the part reads");
    text
}

#[test]
fn the_workbook_is_ready_to_work_in() {
    let desk = Desk::new();
    let mut changed = entries();
    changed[0].comment.text = "=1+1 のように●が出る".to_owned();
    changed[1].comment.text = "-くろまる\r\n@二行目 _x0041_ <b>&".to_owned();
    changed[2].comment.prefecture = Some("+愛知".to_owned());
    import(desk.path(), &source("formulas.tsv"), changed).expect("the import succeeds");
    assert_eq!(desk.run(&["export", "-o", "review.xlsx", "--overwrite"]).code, 0);
    let path = desk.file("review.xlsx");
    let sheet = part(&path, "xl/worksheets/sheet1.xml");
    for piece in [
        "<autoFilter ref=\"A1:R61\"/>",
        "state=\"frozen\"",
        "topLeftCell=\"F2\"",
        "sqref=\"H2:P61\"",
        "sqref=\"G2:G61\"",
        "sqref=\"Q2:Q61\"",
        "○,承認,外す,追加",
        "<conditionalFormatting",
        "customHeight",
    ] {
        assert!(sheet.contains(piece), "no {piece}");
    }
    // Nothing is calculated.
    assert!(!sheet.contains("<f>"));
    assert!(part(&path, "xl/workbook.xml").contains("name=\"jirei\" sheetId=\"3\" state=\"veryHidden\""));
    let styles = part(&path, "xl/styles.xml");
    assert!(styles.contains("wrapText=\"1\"") && styles.contains("quotePrefix=\"1\""));
    // The words that the rules rest on are bold.
    let strings = part(&path, "xl/sharedStrings.xml");
    assert!(strings.contains("<r><rPr><b/>"), "no bold words");

    let mut book = desk.book();
    assert_eq!(book.get("a01", "回答"), "=1+1 のように●が出る");
    assert_eq!(book.get("a03", "都道府県"), "+愛知");
    let headers = book.rows()[0].clone();
    assert_eq!(headers[..8], ["番号", "都道府県", "施設", "設問", "回答", "確かさ", "主分類", "データ遅れ"]);
    assert_eq!(headers[headers.len() - 2..], ["引用候補", "メモ"]);
    // The drop-down of the primary section points at the sections, and at nothing else.
    let guide = &book.sheets.iter().find(|(name, _)| name == "使い方").expect("the guide is there").1;
    let list = sheet.split("<formula1>'使い方'!").nth(1).and_then(|rest| rest.split('<').next()).expect("a list");
    let rows: Vec<usize> = list.replace("$A$", "").split(':').map(|row| row.parse().expect("a row")).collect();
    let sections: Vec<&str> = guide[rows[0] - 1..rows[1]].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(sections, ["データ遅れ", "表示", "機器", "操作支援", "制度", "保険証復活"]);
    // As it came, nothing is changed.
    says(&desk.import("review.xlsx").stderr, &["変えたセルは 0 個"]);

    // The least certain first.
    let column = book.column("確かさ");
    let certainties: Vec<f64> = book.rows()[1..].iter().map(|row| row[column].parse().expect("a number")).collect();
    assert!(certainties.is_sorted(), "{certainties:?}");
    assert!(certainties[0] < certainties[59]);
    let same = fs::read(&path).expect("the file reads");
    assert_eq!(desk.run(&["export", "-o", "review.xlsx", "--overwrite"]).code, 0);
    // Another moment is written down in it, nothing else.
    assert_eq!(fs::read(&path).expect("the file reads").len().abs_diff(same.len()) / 64, 0);
}

#[test]
fn a_part_can_be_exported() {
    let desk = Desk::new();
    let ids = |desk: &Desk, arguments: &[&str]| {
        let mut all = vec!["export", "-o", "part.xlsx", "--overwrite"];
        all.extend(arguments);
        let ran = desk.run(&all);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let mut ids: Vec<String> =
            Book::open(&desk.file("part.xlsx")).rows()[1..].iter().map(|row| row[0].clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&desk, &["停電"]), ["a18", "a52"]);
    assert_eq!(ids(&desk, &["--category", "display", "--prefecture", "愛知"]), ["a01", "a02"]);
    let first = ids(&desk, &["--sample", "5%", "--seed", "7"]);
    assert_eq!(first.len(), 3);
    assert_eq!(ids(&desk, &["--sample", "5%", "--seed", "7"]), first);
    assert_eq!(ids(&desk, &["--sample", "12"]).len(), 12);
    assert_ne!(ids(&desk, &["--sample", "12"]), ids(&desk, &["--sample", "12", "--seed", "1"]));
    let mut book = desk.book();
    book.set("a18", "機器", "承認").set("a52", "メモ", "見た");
    book.save(&desk.file("changed.xlsx"));
    assert_eq!(desk.import("changed.xlsx").code, 0);
    // A note is no decision on categories.
    assert_eq!(ids(&desk, &["停電", "--undecided"]), ["a52"]);
    for (arguments, words) in [
        (&["export", "-o", "part.csv"][..], &["part.csv", ".xlsx"][..]),
        (&["export", "停電 隕石", "-o", "none.xlsx"], &["書き出すコメントがありません"]),
        (&["export", "-o", "none.xlsx", "--sample", "多め"], &["--sample", "「5%」のような割合か"]),
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        says(&ran.stderr, words);
    }
}

#[test]
fn a_corrected_workbook_is_not_replaced_unasked() {
    let desk = Desk::new();
    let list = differing(&desk);
    list.save(&desk.file("list.xlsx"));
    for (name, arguments) in [
        ("A.xlsx", &["export", "-o", "A.xlsx"][..]),
        ("list.xlsx", &["agreement", "A.xlsx", "B.xlsx", "-o", "list.xlsx"]),
    ] {
        let corrected = fs::read(desk.file(name)).expect("the file reads");
        let ran = desk.run(arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        says(&ran.stderr, &[name, "すでにあります", "直しは失われます", "別の名前", "--overwrite"]);
        assert!(fs::read(desk.file(name)).expect("the file reads") == corrected, "{name} is another");
    }
    // A list that is only for reading can be written anew.
    for name in ["list.csv", "list.csv"] {
        assert_eq!(desk.run(&["agreement", "A.xlsx", "B.xlsx", "-o", name]).code, 0);
    }
    let ran = desk.run(&["agreement", "A.xlsx", "B.xlsx", "-o", "list.xlsx", "--overwrite"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(desk.run(&["export", "-o", "A.xlsx", "--overwrite"]).code, 0);
    says(&desk.import("A.xlsx").stderr, &["変えたセルは 0 個"]);
}

#[test]
fn a_casebook_is_known_from_its_making() {
    let identity = |folder: &Path| {
        let connection = rusqlite::Connection::open(folder.join(FILE)).expect("the file opens");
        connection.query_row("SELECT value FROM meta WHERE name = 'identity'", [], |row| row.get::<_, String>(0)).ok()
    };
    // What is exported after a backup comes back to what is restored from it; a writer is nothing to wait for.
    let folder = casebook();
    let at = folder.path();
    fs::create_dir(at.join("restored")).expect("the folder is made");
    let to = format!("restored/{FILE}");
    assert_eq!(jirei(at, &["casebook", "backup", &to, "--casebook", "."]).code, 0);
    let mut open = Casebook::open(at).expect("the casebook opens");
    let lock = open.lock().expect("nobody writes");
    let ran = jirei(at, &["review", "export", "-o", "review.xlsx", "--casebook", "."]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    drop(lock);
    let mut book = Book::open(&at.join("review.xlsx"));
    book.set("a16", "機器", "外す").save(&at.join("review.xlsx"));
    let ran = jirei(at, &["review", "import", "review.xlsx", "--coder", "山田", "--casebook", "restored"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "{}", ran.stderr);
    assert_eq!(identity(&at.join("restored")), identity(at));

    // One of an older version gets it when it is opened, unless somebody writes just then.
    let forget = || {
        let connection = rusqlite::Connection::open(at.join(FILE)).expect("the file opens");
        connection.execute("DELETE FROM meta WHERE name = 'identity'", []).expect("the record is written");
    };
    forget();
    let lock = open.lock().expect("nobody writes");
    drop(Casebook::open(at).expect("the casebook opens"));
    drop(lock);
    assert_eq!(identity(at), None);
    drop(Casebook::open(at).expect("the casebook opens"));
    let drawn = identity(at);
    assert_eq!(drawn.as_ref().map(String::len), Some(32));
    drop(Casebook::open(at).expect("the casebook opens"));
    assert_eq!(identity(at), drawn);
}

#[test]
fn a_workbook_saved_by_libreoffice_comes_back() {
    // Exported, changed in three cells, sorted and saved by LibreOffice 7.4.
    let desk = Desk::new();
    fs::write(desk.file("libreoffice.xlsx"), include_bytes!("fixtures/review/libreoffice.xlsx"))
        .expect("the file is written");
    let connection = rusqlite::Connection::open(desk.file(FILE)).expect("the file opens");
    connection
        .execute("UPDATE meta SET value = '00112233445566778899aabbccddeeff' WHERE name = 'identity'", [])
        .expect("the identity is that of the fixture");
    drop(connection);
    let ran = desk.import("libreoffice.xlsx");
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{}{}", ran.stdout, ran.stderr);
    says(&ran.stdout, &["a16  機器: ○ → 外す", "a01  引用候補: 空欄 → ○", "a47  メモ: 空欄 → 「-便利な例」"]);
}

#[test]
fn agreement_of_two_files_is_as_worked_by_hand() {
    let desk = Desk::new();
    // Of 60 comments the rules give display to a01 to a05 and more; both coders start from that.
    let mut first = desk.book();
    let column = first.column("表示");
    let given = first.rows()[1..].iter().filter(|row| row[column] == "○").count();
    first.set("a01", "表示", "外す").set("a06", "表示", "追加").set("a07", "表示", "追加").set("a02", "表示", "承認");
    first.set("a06", "メモ", "迷った");
    first.save(&desk.file("A.xlsx"));
    let mut second = desk.book();
    second.shuffle();
    second.set("a06", "表示", "追加").set("a08", "表示", "追加").set("a16", "主分類", "表示");
    second.save(&desk.file("B.xlsx"));
    // Display: both given−1 and a06, and nothing else; A alone a07; B alone a01, a08 and a16 (by its primary).
    let (n, both, only_a, only_b) = (60.0, given as f64, 1.0, 3.0);
    let neither = n - both - only_a - only_b;
    let (p_o, p_a, p_b) = ((both + neither) / n, (both + only_a) / n, (both + only_b) / n);
    let p_e = p_a * p_b + (1.0 - p_a) * (1.0 - p_b);
    let kappa = (p_o - p_e) / (1.0 - p_e);
    let ones = 2.0 * both + only_a + only_b;
    let alpha = 1.0 - (2.0 * n - 1.0) * 2.0 * (only_a + only_b) / (2.0 * ones * (2.0 * n - ones));

    let ran = desk.run(&["agreement", "A.xlsx", "B.xlsx", "--format", "json", "-o", "list.xlsx"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((report["comments"].as_u64(), report["differing"].as_u64()), (Some(60), Some(4)));
    let lines = report["agreement"].as_array().expect("a list");
    assert_eq!(lines.len(), 10);
    let line = |id: &str| lines.iter().find(|line| line["category"] == id).expect("the category is there");
    let display = line("display");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    assert_eq!(
        display["counts"],
        serde_json::json!({
            "both": given, "first_only": 1, "second_only": 3, "neither": 60 - given - 4
        })
    );
    assert!((number(&display["percent_agreement"]) - p_o).abs() < 1e-9);
    assert!((number(&display["cohen_kappa"]["value"]) - kappa).abs() < 1e-9, "{display}");
    assert!((number(&display["krippendorff_alpha"]["value"]) - alpha).abs() < 1e-9, "{display}");
    for coefficient in ["cohen_kappa", "krippendorff_alpha"] {
        let estimate = &display[coefficient];
        let (value, low, high) = (number(&estimate["value"]), number(&estimate["low"]), number(&estimate["high"]));
        assert!(low < value && value < high && high - low < 0.7, "{estimate}");
    }
    // Where both left the rules' labels they agree; nobody was given smartphone, so nothing is said of chance there.
    assert_eq!(number(&line("data_lag")["cohen_kappa"]["value"]), 1.0);
    // The primary section: a01 lost its only one with A, a07 got one there, a16 another with B.
    let primary = lines.last().expect("the primary section");
    assert!(primary["category"].is_null());
    assert!((number(&primary["percent_agreement"]) - 57.0 / 60.0).abs() < 1e-9, "{primary}");

    let mut list = Book::open(&desk.file("list.xlsx"));
    let rows = std::mem::take(&mut list.sheets[0].1);
    let by_id: BTreeMap<&str, &Vec<String>> = rows.iter().map(|row| (row[0].as_str(), row)).collect();
    assert_eq!(by_id.keys().copied().collect::<Vec<_>>(), ["a01", "a07", "a08", "a16", "番号"]);
    assert_eq!(by_id["a01"][2..7], ["", "表示", "", "", "表示"]);
    assert_eq!(by_id["a16"][2..7], ["", "表示", "機器", "機器", "表示"]);

    let again = desk.run(&["agreement", "A.xlsx", "B.xlsx", "--format", "json"]);
    assert_eq!(again.stdout, ran.stdout);
    let table = desk.run(&["agreement", "A.xlsx", "B.xlsx"]);
    says(&table.stdout, &["60 件", "食い違うコメント 4 件", "カッパ係数", "表示", "主分類"]);

    // The same from the casebook: each coder's decisions, by name; both decided on a06 alone.
    assert_eq!(desk.run(&["import", "A.xlsx", "--coder", "山田"]).code, 0);
    let ran = desk.run(&["import", "B.xlsx", "--coder", "佐藤", "--conflicts", "overwrite"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = desk.run(&["agreement", "--coder", "山田", "--coder", "佐藤"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stdout, &["ともに見たコメント 1 件を比べます。うち食い違うコメント 0 件", "－"]);
    let mut third = desk.book();
    third.set("a01", "表示", "承認").set("a07", "表示", "外す").set("a02", "表示", "承認");
    third.save(&desk.file("C.xlsx"));
    let ran = desk.run(&["import", "C.xlsx", "--coder", "鈴木", "--conflicts", "overwrite"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = desk.run(&["agreement", "--coder", "山田", "--coder", "鈴木", "-o", "list.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stdout, &["ともに見たコメント 3 件を比べます。うち食い違うコメント 2 件"]);
    assert_eq!(fs::read_to_string(desk.file("list.csv")).expect("the list reads").lines().count(), 3);
    let ran = desk.run(&["agreement", "--coder", "山田", "--coder", "だれか"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["だれか", "山田"]);
}

#[test]
fn agreement_says_which_comments_only_one_went_through() {
    let desk = Desk::new();
    for (name, ids) in [("a.xlsx", &["a01", "a02", "a03"][..]), ("b.xlsx", &["a03", "a04"]), ("c.xlsx", &["a05"])] {
        let mut book = desk.book();
        let header = book.rows()[0].clone();
        book.rows().retain(|row| *row == header || ids.contains(&row[0].as_str()));
        book.save(&desk.file(name));
    }
    let ran = desk.run(&["agreement", "a.xlsx", "b.xlsx"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told = [
        "A: a.xlsx（コメント 3 件、うちAだけが見たもの 2 件: a01、a02）",
        "B: b.xlsx（コメント 2 件、うちBだけが見たもの 1 件: a04）",
        "ともに見たコメント 1 件を比べます",
    ];
    says(&ran.stdout, &told);
    let json = desk.run(&["agreement", "a.xlsx", "review.xlsx", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["comments"], json["seen_by_one"][0].as_array().map(Vec::len)), (&3.into(), Some(0)));
    assert_eq!(json["seen_by_one"][1].as_array().map(Vec::len), Some(57));
    let ran = desk.run(&["agreement", "b.xlsx", "c.xlsx"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["b.xlsx は 2 件: a03、a04", "c.xlsx は 1 件: a05", "同じ書き出しファイルを二人に"]);
}

#[test]
fn what_was_decided_later_is_told_when_the_earlier_is_undone() {
    let desk = Desk::new();
    let decide = |changes: &[(&str, &str, &str)], coder: &str| {
        let mut book = desk.book();
        for (id, header, value) in changes {
            book.set(id, header, value);
        }
        book.save(&desk.file("changed.xlsx"));
        let ran = desk.run(&["import", "changed.xlsx", "--coder", coder]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(desk.run(&["export", "-o", "review.xlsx", "--overwrite"]).code, 0);
    };
    decide(&[("a01", "表示", "外す"), ("a06", "表示", "追加"), ("a16", "メモ", "一言")], "山田");
    decide(&[("a06", "機器", "追加"), ("a16", "機器", "外す")], "佐藤");
    decide(&[("a06", "表示", "")], "佐藤");
    // Of the first batch's decisions, one was decided anew; other categories are another matter.
    let ran = desk.run(&["undo", "1", "--coder", "山田"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stderr, &["あとから決め直した判断が 1 個あり、", "作業 3、佐藤 さん", "a06  表示: "]);
    says(&ran.stderr, &["jirei review undo --decision 番号 --casebook . --coder 山田"]);
    let ran = desk.run(&["undo", "2", "--coder", "山田"]);
    assert!(!ran.stderr.contains("決め直した"), "{}", ran.stderr);
}

/// Two coders' workbooks `A.xlsx` and `B.xlsx` that differ on four comments, and the list of these.
fn differing(desk: &Desk) -> Book {
    let mut first = desk.book();
    first.set("a01", "表示", "外す").set("a06", "表示", "追加").set("a07", "表示", "追加");
    first.set("a07", "メモ", "迷った");
    first.save(&desk.file("A.xlsx"));
    let mut second = desk.book();
    second.set("a06", "表示", "追加").set("a08", "表示", "追加").set("a16", "主分類", "表示");
    second.save(&desk.file("B.xlsx"));
    let ran = desk.run(&["agreement", "A.xlsx", "B.xlsx", "-o", "list.xlsx"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    says(&ran.stderr, &["食い違うコメント 4 件", "jirei review import list.xlsx"]);
    Book::open(&desk.file("list.xlsx"))
}

#[test]
fn a_settled_list_becomes_decisions() {
    let desk = Desk::new();
    let mut list = differing(&desk);
    for (id, header, expected) in [
        ("a01", "表示", "？"),
        ("a01", "主分類", "？"),
        ("a07", "Aのメモ", "迷った"),
        ("a08", "表示", "？"),
        ("a16", "表示", "？"),
        ("a16", "機器", "○"),
        ("a16", "制度", ""),
        ("a16", "Aの主分類", "機器"),
        ("a16", "Bの主分類", "表示"),
        ("a16", "主分類", "？"),
    ] {
        assert_eq!(list.get(id, header), expected, "{id} {header}");
    }
    // As it was written nothing is decided.
    let ran = desk.run(&["import", "list.xlsx", "--coder", "鈴木"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    says(
        &ran.stderr,
        &["一覧 4 件のうち、決まっているコメントは 0 件、まだ「？」のコメントは 4 件", "取り込むものはありません"],
    );

    // Both coders' own words come in first, and are there to be overruled.
    assert_eq!(desk.run(&["import", "A.xlsx", "--coder", "山田"]).code, 0);
    assert_eq!(desk.run(&["import", "B.xlsx", "--coder", "佐藤"]).code, 0);
    let before = desk.decisions();
    // The primary of a01 follows from what is left, that of a07 from nothing being left; a08 is put off.
    list.set("a01", "表示", "○").set("a07", "表示", "×");
    list.set("a16", "表示", "Ｘ").set("a16", "主分類", "機器").set("a16", "メモ", "機器だけの話");
    // Sorted, with a title above and a column of somebody's own, under another name of the sheet.
    list.shuffle();
    let width = list.rows()[0].len();
    for row in list.rows() {
        row.swap(1, 9);
        row.push(String::new());
    }
    list.rows()[0][width] = "相談した日".to_owned();
    let mut title = vec![String::new(); width + 1];
    title[1] = "三月の見直し".to_owned();
    let mut settled = list.clone();
    settled.rows().insert(0, title);
    settled.sheets.iter_mut().find(|(name, _)| name == LIST).expect("the sheet is there").0 = "決めたもの".to_owned();
    settled.save(&desk.file("settled.xlsx"));
    let pictured = desk.picture();
    let dry = desk.run(&["import", "settled.xlsx", "--coder", "鈴木", "--dry-run"]);
    assert_eq!((dry.code, dry.stdout.lines().count()), (0, 6), "{}{}", dry.stdout, dry.stderr);
    says(
        &dry.stdout,
        &[
            "決めたもの!",
            "a01  表示: Bだけ → ○",
            "a01  主分類: A 空欄・B 表示 → 表示",
            "a07  表示: Aだけ → ×",
            "a16  表示: Bだけ → ×",
            "a16  主分類: A 機器・B 表示 → 機器",
            "a16  メモ: 空欄 → 「機器だけの話」",
        ],
    );
    says(
        &dry.stderr,
        &["決まっているコメントは 3 件、まだ「？」のコメントは 1 件", "相談した日", "何も取り込んでいません"],
    );
    assert_eq!((desk.picture(), desk.decisions()), (pictured, before));

    let ran = desk.run(&["import", "settled.xlsx", "--coder", "鈴木"]);
    assert_eq!((ran.code, &ran.stdout), (0, &dry.stdout), "{}", ran.stderr);
    assert_eq!(desk.decisions(), before + 6);
    let last = desk.casebook().batches().expect("the record reads").pop().expect("there are batches");
    assert_eq!((last.info.coder.as_str(), last.info.source.as_str(), last.decisions), ("鈴木", "settled.xlsx", 6));
    let categories = |id| desk.comment(id).categories.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(categories("a01"), ["display"]);
    assert_eq!(desk.comment("a01").decided_categories.get("display"), Some(&Action::Accept));
    assert_eq!((categories("a07"), desk.comment("a07").primary), (Vec::<String>::new(), None));
    assert_eq!(categories("a16"), ["device"]);
    assert_eq!(desk.comment("a16").primary.as_deref(), Some("device"));
    assert_eq!(desk.comment("a16").note.as_deref(), Some("機器だけの話"));
    // What was put off is as the coders left it.
    assert!(categories("a08").iter().any(|id| id == "display"));

    // Again there is nothing to do; and the rest can come later, from the list as it was first named.
    let again = desk.run(&["import", "settled.xlsx", "--coder", "鈴木"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    says(&again.stderr, &["すでに同じ 6"]);
    list.set("a08", "表示", "○");
    list.save(&desk.file("list.xlsx"));
    let ran = desk.run(&["import", "list.xlsx", "--coder", "鈴木"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "{}{}", ran.stdout, ran.stderr);
    says(&ran.stdout, &["a08  表示: Bだけ → ○"]);
    assert_eq!(desk.comment("a08").decided_categories.get("display"), Some(&Action::Add));

    // Somebody else who decided since is not overruled without a word; nor is the adjudicator by another.
    assert_eq!(desk.run(&["export", "-o", "later.xlsx"]).code, 0);
    let mut later = Book::open(&desk.file("later.xlsx"));
    later.set("a01", "表示", "外す").save(&desk.file("later.xlsx"));
    assert_eq!(desk.run(&["import", "later.xlsx", "--coder", "高橋"]).code, 0);
    let before = desk.decisions();
    let ran = desk.run(&["import", "list.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["「a01」の表示は", "「×」に変わっています", "高橋 さん", "ファイルでは「○」", "--conflicts"]);
    list.set("a08", "表示", "×").save(&desk.file("other.xlsx"));
    let ran = desk.run(&["import", "other.xlsx", "--coder", "田村"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["「a08」の表示は", "鈴木 さん"]);
    assert_eq!(desk.decisions(), before);
    let ran = desk.run(&["import", "list.xlsx", "--coder", "鈴木", "--conflicts", "overwrite"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(categories("a01"), ["display"]);
}

#[test]
fn a_settled_list_is_the_last_word_even_without_the_coders_files() {
    let desk = Desk::new();
    let mut first = desk.book();
    // Both add 表示 to a17, and differ on クレーム.
    first.set("a17", "表示", "追加").set("a17", "クレーム", "追加").save(&desk.file("A.xlsx"));
    let mut second = desk.book();
    second.set("a17", "表示", "追加").save(&desk.file("B.xlsx"));
    assert_eq!(desk.run(&["agreement", "A.xlsx", "B.xlsx", "-o", "list.xlsx"]).code, 0);
    let mut list = Book::open(&desk.file("list.xlsx"));
    assert_eq!((list.get("a17", "表示"), list.get("a17", "クレーム")), ("○".to_owned(), "？".to_owned()));
    // And a third thing that neither saw.
    list.set("a17", "クレーム", "○").set("a17", "制度", "○").save(&desk.file("list.xlsx"));
    let ran = desk.run(&["import", "list.xlsx", "--coder", "鈴木"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{}{}", ran.stdout, ran.stderr);
    says(&ran.stdout, &["a17  表示: 二人とも○ → ○", "a17  制度: 二人とも空欄 → ○", "a17  クレーム: Aだけ → ○"]);
    let categories: Vec<String> = desk.comment("a17").categories.iter().map(ToString::to_string).collect();
    assert_eq!(categories, ["display", "device", "system_confusion", "complaint"]);

    // By name, too; the text form is for reading.
    assert_eq!(desk.run(&["import", "A.xlsx", "--coder", "山田", "--conflicts", "keep"]).code, 0);
    let mut third = desk.book();
    third.set("a17", "機器", "外す").set("a17", "クレーム", "外す").save(&desk.file("C.xlsx"));
    assert_eq!(desk.run(&["import", "C.xlsx", "--coder", "佐藤", "--conflicts", "overwrite"]).code, 0);
    let ran = desk.run(&["agreement", "--coder", "山田", "--coder", "佐藤", "-o", "names.xlsx", "--casebook", "."]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut list = Book::open(&desk.file("names.xlsx"));
    assert_eq!(list.get("a17", "機器"), "？");
    for header in ["表示", "機器", "クレーム"] {
        list.set("a17", header, "○");
    }
    list.set("a17", "主分類", "機器").save(&desk.file("names.xlsx"));
    let ran = desk.run(&["import", "names.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let comment = desk.comment("a17");
    assert_eq!(comment.primary.as_deref(), Some("device"));
    assert!(comment.categories.iter().any(|id| &**id == "complaint"), "{:?}", comment.categories);
    assert_eq!(desk.run(&["agreement", "--coder", "山田", "--coder", "佐藤", "-o", "names.csv"]).code, 0);
    let ran = desk.run(&["import", "names.csv", "--coder", "鈴木"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    says(&ran.stderr, &["names.csv"]);
}

#[test]
fn a_settled_list_is_refused_by_cell() {
    let desk = Desk::new();
    let list = differing(&desk);
    type Change = fn(&mut Book);
    let cases: [(&str, Change, &[&str]); 16] = [
        (
            "text",
            |book| {
                book.set("a16", "回答", "カードリーダーは快調です。");
            },
            &["食い違い!B", "本文", "元の本文"],
        ),
        (
            "unknown id",
            |book| {
                book.set("a16", "番号", "z99");
            },
            &["食い違い!A", "z99", "一覧にない番号"],
        ),
        (
            "a comment that is not in the list",
            |book| {
                book.set("a16", "番号", "a02");
            },
            &["食い違い!A", "a02", "一覧にない番号"],
        ),
        (
            "no id",
            |book| {
                book.set("a16", "番号", "");
            },
            &["食い違い!A", "番号がありません"],
        ),
        (
            "doubled row",
            |book| {
                let row = book.row("a16");
                let copy = book.rows()[row].clone();
                book.rows().push(copy);
            },
            &["食い違い!A6", "a16", "どちらか"],
        ),
        (
            "an unknown word",
            |book| {
                book.set("a16", "表示", "Aのとおり");
            },
            &["食い違い!L", "「Aのとおり」", "○", "×"],
        ),
        (
            "a circle taken away",
            |book| {
                book.set("a16", "機器", "");
            },
            &["食い違い!M", "機器", "○が消えています"],
        ),
        (
            "an open cell emptied",
            |book| {
                book.set("a16", "表示", "");
            },
            &["食い違い!L", "表示", "空欄"],
        ),
        (
            "a question where there was none",
            |book| {
                book.set("a16", "制度", "？");
            },
            &["食い違い!", "「？」は分類の欄に書ける言葉ではありません"],
        ),
        (
            "half of a row",
            |book| {
                book.set("a16", "主分類", "機器");
            },
            &["食い違い!L", "「表示」がまだ「？」"],
        ),
        (
            "a note alone",
            |book| {
                book.set("a16", "メモ", "あとで");
            },
            &["食い違い!L", "「表示」がまだ「？」"],
        ),
        (
            "no primary of two sections",
            |book| {
                book.set("a16", "表示", "○");
            },
            &["食い違い!J", "主分類が決まっていません"],
        ),
        (
            "a primary that does not belong",
            |book| {
                book.set("a16", "表示", "×").set("a16", "主分類", "表示");
            },
            &["食い違い!J", "表示", "「×」になっています"],
        ),
        (
            "a list as primary",
            |book| {
                book.set("a16", "表示", "○").set("a16", "主分類", "高齢者");
            },
            &["食い違い!J", "高齢者", "横断"],
        ),
        (
            "an unknown primary",
            |book| {
                book.set("a16", "表示", "○").set("a16", "主分類", "その他");
            },
            &["食い違い!J", "「その他」", "一覧"],
        ),
        (
            "a primary by a cell that says no",
            |book| {
                book.set("a16", "表示", "×").set("a16", "制度", "×").set("a16", "主分類", "制度");
            },
            &["食い違い!J", "制度", "「×」になっています"],
        ),
    ];
    for (name, change, words) in cases {
        let mut book = list.clone();
        // A good row beside the bad one: all or nothing.
        book.set("a08", "表示", "○");
        change(&mut book);
        book.save(&desk.file("bad.xlsx"));
        let ran = desk.run(&["import", "bad.xlsx", "--coder", "鈴木"]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        says(&ran.stderr, words);
        says(&ran.stderr, &["何も取り込んでいません"]);
        assert_eq!(desk.decisions(), 0, "{name}");
    }

    // As a whole: another casebook's, without its hidden sheet or a column that is needed.
    let other = Desk::new();
    differing(&other);
    fs::copy(other.file("list.xlsx"), desk.file("other.xlsx")).expect("the file is copied");
    let ran = desk.run(&["import", "other.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["other.xlsx", "別の事例帳"]);
    let mut bare = list.clone();
    bare.sheets.retain(|(name, _)| name != "jirei");
    bare.save(&desk.file("bare.xlsx"));
    let ran = desk.run(&["import", "bare.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["隠しシート"]);
    let mut bare = list.clone();
    let column = bare.column("機器");
    bare.rows()[0][column] = "器械".to_owned();
    bare.save(&desk.file("bare.xlsx"));
    let ran = desk.run(&["import", "bare.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["bare.xlsx", "見出し「機器」の列がありません", "jirei review agreement"]);

    // A text that came in anew since the coders read it is not decided by what they read.
    let mut changed = entries();
    changed[7].comment.text = "ルーターは直った。".to_owned();
    import(desk.path(), &source("more.tsv"), changed).expect("the import succeeds");
    let mut late = list;
    late.set("a08", "表示", "○").save(&desk.file("late.xlsx"));
    let ran = desk.run(&["import", "late.xlsx", "--coder", "鈴木"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    says(&ran.stderr, &["食い違い!J", "a08", "取り込み直されています"]);
    assert_eq!(desk.decisions(), 0);
}

#[test]
fn agreement_needs_files_of_one_casebook_without_faults() {
    let desk = Desk::new();
    let other = Desk::new();
    fs::copy(other.file("review.xlsx"), desk.file("other.xlsx")).expect("the file is copied");
    let ran = desk.run(&["agreement", "review.xlsx", "other.xlsx"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["別々の事例帳"]);
    let mut book = desk.book();
    book.set("a01", "表示", "？");
    book.save(&desk.file("bad.xlsx"));
    let ran = desk.run(&["agreement", "review.xlsx", "bad.xlsx"]);
    assert_eq!(ran.code, 1);
    says(&ran.stderr, &["bad.xlsx", "レビュー!I", "？"]);
    let ran = desk.run(&["agreement", "review.xlsx", "other.xlsx", "--casebook", "."]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &["--casebook .", "一緒に指定できません", "--coder"]);
    for (files, words) in [
        (&["review.xlsx"][..], &["二つ指定", "1 個"][..]),
        (&["review.xlsx", "bad.xlsx", "other.xlsx"], &["二つ指定", "3 個"]),
        (&["review.xlsx", "./review.xlsx"], &["`./review.xlsx` は同じファイルです", "二人が別々に直した"]),
    ] {
        let ran = desk.run(&[&["agreement"][..], files].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        says(&ran.stderr, words);
    }
    let ran = desk.run(&["agreement", "review.xlsx", "review.xlsx", "-o", "list.txt"]);
    assert_eq!(ran.code, 2);
    says(&ran.stderr, &[".xlsx"]);
}
