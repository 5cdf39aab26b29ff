//! Files of every make: the same survey in each, what goes wrong in each, and the account of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jirei::{
    comment::Comment,
    read::{
        Account, ColumnMap, DUPLICATE_ATTRIBUTE, Format, ReadError, ReadOptions, TextEncoding, open, propose_columns,
    },
    respondent::{Facility, Prefecture},
};
use proptest::prelude::*;
use rust_xlsxwriter::{Format as CellFormat, Formula, Workbook};
use tempfile::TempDir;

/// A file in a folder that goes away with it.
struct Fixture {
    folder: TempDir,
    path: PathBuf,
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    Fixture { folder, path }
}

fn workbook(mut workbook: Workbook) -> Fixture {
    file("調査.xlsx", workbook.save_to_buffer().unwrap())
}

#[expect(clippy::print_stderr, reason = "a test that tests nothing must say so")]
fn skipped(absent: &Path) {
    eprintln!("skipped: {} is absent", absent.display());
}

struct Outcome {
    comments: Vec<Comment>,
    problems: Vec<String>,
    account: Account,
}

#[track_caller]
fn read_with(path: &Path, options: &ReadOptions) -> Outcome {
    let mut reader = open(path, options).unwrap_or_else(|error| panic!("{error}"));
    let (mut comments, mut problems) = (Vec::new(), Vec::new());
    for item in reader.by_ref() {
        match item {
            Ok(comment) => comments.push(comment),
            // Messages begin with the path, which lies in a temporary folder.
            Err(problem) => {
                let message = problem.to_string();
                problems.push(
                    message[message.find(path.to_str().unwrap()).unwrap() + path.to_str().unwrap().len()..].to_owned(),
                );
            }
        }
    }
    let account = reader.into_account();
    assert_eq!(account.comments, comments.len() as u64);
    assert_eq!(account.problem_count, problems.len() as u64);
    Outcome { comments, problems, account }
}

#[track_caller]
fn read(path: &Path) -> Outcome {
    read_with(path, &ReadOptions::default())
}

#[track_caller]
fn refused(path: &Path, options: &ReadOptions) -> ReadError {
    match open(path, options) {
        Ok(_) => panic!("the file was read"),
        Err(error) => error,
    }
}

fn ids(outcome: &Outcome) -> Vec<&str> {
    outcome.comments.iter().map(|comment| comment.id.as_str()).collect()
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome.comments.iter().map(|comment| comment.text.as_str()).collect()
}

fn columns(toml: &str) -> ReadOptions {
    ReadOptions { columns: Some(ColumnMap::parse(toml).unwrap()), ..ReadOptions::default() }
}

// The same survey in every make.

const HEADER: [&str; 7] = [
    "回答番号",
    "都道府県",
    "医療機関の種類",
    "問5 トラブルの有無",
    "問6 クレームの内容",
    "問７（自由記載）",
    "問13. ご意見",
];

const SURVEY: [[&str; 7]; 6] = [
    ["1", "東京", "医科診療所（無床）", "あった", "", "氏名の﨑が●で表示され、毎回手で直しています。", "特になし"],
    [
        "2",
        "ｵｵｻｶ",
        "歯科",
        "あった",
        "待たされた方が「前の方が早かった」とお怒りでした。",
        "読み取り機が固まり、\n再起動に10分かかった。",
        "",
    ],
    ["3", "北海道", "病院", "なかった", "", "なし", "-"],
    [
        "5",
        "無回答",
        "医科",
        "あった",
        "",
        "「無効」と出たが、前月に届けは済んでいた。",
        "以前の仕組みに戻すべきだと考えます。",
    ],
    ["8", "関東", "薬局", "わからない", "", "ありません", "説明に人手をとられて困っている。"],
    ["9", "13", "クリニック", "あった", "", "暗証番号を忘れた方が多く、窓口が混みます。", ""],
];

fn delimited(delimiter: char) -> String {
    let mut out = String::new();
    for row in std::iter::once(&HEADER).chain(&SURVEY) {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| {
                if cell.contains(['\n', '"', delimiter]) {
                    format!("\"{}\"", cell.replace('"', "\"\""))
                } else {
                    (*cell).to_owned()
                }
            })
            .collect();
        out.push_str(&cells.join(&delimiter.to_string()));
        out.push_str("\r\n");
    }
    out
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
    let (bytes, _, replaced) = encoding.encode(text);
    assert!(!replaced);
    bytes.into_owned()
}

/// With a title, a blank row and column, and a header of two rows whose cells are merged.
fn merged_workbook() -> Fixture {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("表紙").unwrap().write(0, 0, "令和7年度 実態調査").unwrap();
    let sheet = book.add_worksheet().set_name("回答").unwrap();
    let plain = CellFormat::new();
    sheet.write(0, 1, "マイナ保険証 実態調査 集計表").unwrap();
    for (column, header) in HEADER.iter().enumerate() {
        let column = u16::try_from(column).unwrap() + 1;
        match column {
            5 => {
                sheet.merge_range(2, 5, 2, 7, "自由記載", &plain).unwrap();
                sheet.write(3, 5, *header).unwrap();
            }
            6 | 7 => {
                sheet.write(3, column, *header).unwrap();
            }
            _ => {
                sheet.merge_range(2, column, 3, column, header, &plain).unwrap();
            }
        }
    }
    for (row, cells) in SURVEY.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let (row, column) = (u32::try_from(row).unwrap() + 4, u16::try_from(column).unwrap() + 1);
            match cell.parse::<f64>() {
                Ok(number) => sheet.write(row, column, number).unwrap(),
                Err(_) => sheet.write(row, column, *cell).unwrap(),
            };
        }
    }
    workbook(book)
}

#[track_caller]
fn same_survey(fixture: &Fixture, format: Format, encoding: Option<TextEncoding>, delimiter: Option<char>) {
    let outcome = read(&fixture.path);
    assert_eq!(outcome.problems, [] as [&str; 0]);
    assert_eq!(ids(&outcome), ["1-問7", "2-問6", "2-問7", "5-問7", "5-問13", "8-問13", "9-問7"]);
    let first = &outcome.comments[0];
    assert_eq!(first.prefecture.as_deref(), Some("東京都"));
    assert_eq!(first.facility.as_deref(), Some("医科診療所"));
    assert_eq!(first.question.as_deref(), Some("問7"));
    assert_eq!(first.text, SURVEY[0][5]);
    assert_eq!(first.attribute("医療機関の種類"), Some("医科診療所（無床）"));
    assert_eq!(first.attribute("問5 トラブルの有無"), Some("あった"));
    assert_eq!(outcome.comments[2].text, SURVEY[1][5]);
    assert_eq!(outcome.comments[2].prefecture.as_deref(), Some("大阪府"));
    assert_eq!(outcome.comments[3].prefecture.as_deref(), Some("無回答"));
    assert_eq!(outcome.comments[6].prefecture.as_deref(), Some("東京都"));
    let account = &outcome.account;
    assert_eq!((account.format, account.encoding, account.delimiter), (format, encoding, delimiter));
    assert_eq!((account.rows, account.comments, account.empty, account.nothing), (6, 7, 7, 4));
    assert_eq!(account.unknown_prefectures.keys().collect::<Vec<_>>(), ["関東"]);
    assert_eq!(account.unknown_facilities.keys().collect::<Vec<_>>(), ["薬局"]);
    assert_eq!(account.hash, blake3_of(&fixture.path));
}

fn blake3_of(path: &Path) -> String {
    blake3::hash(&fs::read(path).unwrap()).to_hex().to_string()
}

#[test]
fn one_survey_in_every_make() {
    use TextEncoding::{Cp932, EucJp, Utf8, Utf8Bom, Utf16Be, Utf16Le};
    let (csv, tsv) = (delimited(','), delimited('\t'));
    let with_mark = format!("\u{feff}{csv}");
    same_survey(&file("a.csv", &csv), Format::Csv, Some(Utf8), Some(','));
    same_survey(&file("a.csv", with_mark), Format::Csv, Some(Utf8Bom), Some(','));
    same_survey(&file("a.csv", encoded(&csv, encoding_rs::SHIFT_JIS)), Format::Csv, Some(Cp932), Some(','));
    same_survey(&file("a.csv", encoded(&csv, encoding_rs::EUC_JP)), Format::Csv, Some(EucJp), Some(','));
    same_survey(&file("a.tsv", &tsv), Format::Tsv, Some(Utf8), Some('\t'));
    same_survey(&file("a.csv", &tsv), Format::Tsv, Some(Utf8), Some('\t'));
    same_survey(&file("a.tsv", utf16(&tsv, false, true)), Format::Tsv, Some(Utf16Le), Some('\t'));
    same_survey(&file("a.txt", utf16(&tsv, false, true)), Format::Tsv, Some(Utf16Le), Some('\t'));
    same_survey(&file("a.tsv", utf16(&tsv, true, true)), Format::Tsv, Some(Utf16Be), Some('\t'));
    same_survey(&file("a.csv", delimited(';')), Format::Csv, Some(Utf8), Some(';'));
    same_survey(&merged_workbook(), Format::Xlsx, None, None);
    // A BIFF8 workbook with merged cells, as Excel 97 to 2003 kept them.
    same_survey(&file("a.xls", include_bytes!("fixtures/read/survey.xls")), Format::Xls, None, None);
}

#[test]
fn one_survey_gets_the_same_labels_in_every_make() {
    let (csv, tsv) = (delimited(','), delimited('\t'));
    let makes = [
        file("a.csv", encoded(&csv, encoding_rs::SHIFT_JIS)),
        file("a.csv", format!("\u{feff}{csv}")),
        file("a.tsv", utf16(&tsv, false, true)),
        merged_workbook(),
        file("a.xls", include_bytes!("fixtures/read/survey.xls")),
    ];
    let labelled = |fixture: &Fixture| -> Vec<_> {
        let comments = read(&fixture.path).comments.into_iter();
        comments
            .map(|comment| {
                let classification = crate::support::classify(&crate::support::RULES, &comment);
                (Comment { origin: jirei::comment::Origin::default(), ..comment }, classification)
            })
            .collect()
    };
    let first = labelled(&makes[0]);
    assert_eq!(first.len(), 7);
    assert!(first.iter().filter(|(_, classification)| !classification.codings.is_empty()).count() >= 5);
    for other in &makes[1..] {
        assert_eq!(labelled(other), first, "{}", other.path.display());
    }
}

#[test]
fn cells_of_old_workbooks() {
    let outcome = read(&file("a.xls", include_bytes!("fixtures/read/cells.xls")).path);
    assert_eq!(ids(&outcome), ["1-問7", "2-問7", "4-問7"]);
    assert_eq!(texts(&outcome)[1..], ["20251001", "端末が朝から止まりました。"]);
    assert_eq!(outcome.comments[0].prefecture.as_deref(), Some("東京都"));
    assert_eq!(outcome.comments[0].attribute("記入日"), Some("2025-12-01"));
    assert_eq!(outcome.comments[0].attribute("利用率"), Some("12.5"));
    assert_eq!(
        outcome.problems,
        [
            "（シート「回答」） 4行目「問7 事例」列: セル E4 がエラー（#REF!）です。この欄は空欄として扱いました。元の表の数式を直してください",
        ]
    );
}

#[test]
fn a_workbook_of_excel_97_with_a_password_is_told() {
    let whole = include_bytes!("fixtures/read/survey.xls");
    let first = whole.windows(8).position(|bytes| bytes == b"\x09\x08\x10\0\0\x06\x05\0").expect("its beginning") + 20;
    // The kinds of encryption: XOR, RC4.
    for kind in 0..2 {
        let mut locked = whole.to_vec();
        locked[first..first + 6].copy_from_slice(&[0x2f, 0, 2, 0, kind, 0]);
        let locked = file("locked.xls", &locked);
        assert_eq!(refused(&locked.path, &ReadOptions::default()).id(), "password-protected", "{kind}");
    }
}

#[test]
fn a_workbook_with_a_password_is_told() {
    let locked = file("a.xlsx", include_bytes!("fixtures/read/locked.xlsx"));
    assert_eq!(refused(&locked.path, &ReadOptions::default()).id(), "password-protected");
    // Both ways in which LibreOffice encrypts: the whole container, and each part of it.
    for locked in [
        file("a.xlsx", include_bytes!("fixtures/read/libreoffice-locked.xlsx")),
        file("a.ods", include_bytes!("fixtures/read/libreoffice-locked.ods")),
    ] {
        let error = refused(&locked.path, &ReadOptions::default());
        assert_eq!(error.id(), "password-protected");
        assert!(error.to_string().contains("LibreOffice なら"), "{error}");
    }
}

/// What `fixtures/read/libreoffice.py` had LibreOffice 7.4 save: two sheets with a title, a blank column before the
/// table, merged headers of two rows, dates, a number for an answer, a formula that gives one and one that fails.
#[test]
fn one_survey_saved_by_libreoffice_in_every_make() {
    let east = [
        ("1-問7", "東京都", "医科診療所", "氏名の﨑が●で表示され、毎朝三人分を手で直しています。"),
        ("2-問7", "神奈川県", "歯科診療所", "読み取り機が固まり、\n「再起動」に10分かかった。"),
        ("4-問7", "千葉県", "医科診療所", "20251001"),
        ("4-問13", "千葉県", "医科診療所", "以前の仕組みに戻すべきだと考えます。"),
        ("5-問7", "埼玉県", "薬局", "暗証番号を忘れた方が多く、窓口が混みます。"),
        ("6-問7", "無回答", "医科診療所", "ＩＣチップが読めず､ｶｰﾄﾞを三回置き直した。"),
        ("6-問13", "無回答", "医科診療所", "説明に人手をとられて困っている。"),
    ];
    let west = [
        ("1-問7", "大阪府", "病院", "回線が昼に切れて、受付が十五分止まりました。"),
        ("2-問13", "福岡県", "歯科診療所", "機械の数が足りない。\n\n費用の補助がほしい。"),
    ];
    /// The comments without where they came from.
    fn bare(outcome: Outcome) -> Vec<Comment> {
        let comments = outcome.comments.into_iter();
        comments.map(|comment| Comment { origin: jirei::comment::Origin::default(), ..comment }).collect()
    }
    #[track_caller]
    fn says(comments: &[Comment], expected: &[(&str, &str, &str, &str)]) {
        let found: Vec<_> = comments
            .iter()
            .map(|comment| {
                let of = |value: &Option<String>| value.clone().unwrap_or_default();
                (comment.id.to_string(), of(&comment.prefecture), of(&comment.facility), comment.text.clone())
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(id, prefecture, facility, text)| {
                ((*id).to_owned(), (*prefecture).to_owned(), (*facility).to_owned(), (*text).to_owned())
            })
            .collect();
        assert_eq!(found, expected);
    }

    let mut whole = None;
    for (name, bytes, format) in [
        ("a.xlsx", &include_bytes!("fixtures/read/libreoffice.xlsx")[..], Format::Xlsx),
        ("a.ods", include_bytes!("fixtures/read/libreoffice.ods"), Format::Ods),
        ("a.xls", include_bytes!("fixtures/read/libreoffice.xls"), Format::Xls),
    ] {
        let outcome = read(&file(name, bytes).path);
        assert_eq!(
            outcome.problems,
            [
                "（シート「東日本」） 9行目「問13. ご意見」列: セル I9 がエラー（#DIV/0!）です。この欄は空欄として扱いました。元の表の数式を直してください",
                "（シート「西日本」） 5行目「問7 内容」列: 番号「1-問7」はシート「東日本」の5行目と重複しています。「1-問7#2」として取り込みました",
            ],
            "{name}"
        );
        let account = &outcome.account;
        assert_eq!(account.format, format);
        assert_eq!((account.rows, account.comments, account.empty, account.nothing), (8, 9, 4, 3), "{name}");
        assert_eq!((account.skipped_rows, account.duplicate_count), (0, 0), "{name}");
        assert_eq!(account.unknown_facilities.keys().collect::<Vec<_>>(), ["薬局"], "{name}");
        let columns: Vec<String> =
            account.sheets.iter().flat_map(|sheet| sheet.columns.iter().map(|column| format!("{column:?}"))).collect();
        let origins: Vec<_> = outcome
            .comments
            .iter()
            .map(|comment| (comment.origin.sheet.as_deref().map(str::to_owned), comment.origin.row))
            .collect();
        let found = (bare(outcome), origins, columns);
        match &whole {
            None => {
                says(&found.0[..7], &east);
                let renamed = ("1-問7#2", west[0].1, west[0].2, west[0].3);
                says(&found.0[7..], &[renamed, west[1]]);
                let first = &found.0[0];
                for (header, value) in [
                    ("記入日", "2025-12-01"),
                    ("利用率", "12.5"),
                    ("問7 有無", "あった"),
                    ("医療機関の種類", "医科診療所（無床）"),
                ] {
                    assert_eq!(first.attribute(header), Some(value), "{header}");
                }
                assert_eq!(found.0[2].attribute("利用率"), Some("0.5"));
                assert_eq!(found.1[0], (Some("東日本".to_owned()), 5));
                whole = Some(found);
            }
            Some(whole) => assert!(found == *whole, "{name}: {found:#?}"),
        }
    }

    // Each sheet by itself as text: the same comments, attributes and numbers.
    let whole = whole.expect("the workbooks were read").0;
    for (first, second, encoding) in [
        (
            &include_bytes!("fixtures/read/libreoffice-cp932-1.csv")[..],
            &include_bytes!("fixtures/read/libreoffice-cp932-2.csv")[..],
            TextEncoding::Cp932,
        ),
        (
            include_bytes!("fixtures/read/libreoffice-utf8-1.csv"),
            include_bytes!("fixtures/read/libreoffice-utf8-2.csv"),
            TextEncoding::Utf8,
        ),
    ] {
        let outcome = read(&file("a.csv", first).path);
        assert_eq!((outcome.account.format, outcome.account.encoding), (Format::Csv, Some(encoding)));
        // A line further down than in the sheet, since an answer above has two.
        assert_eq!(
            outcome.problems,
            [
                " 10行目「問13. ご意見」列: この欄がエラー（#DIV/0!）です。この欄は空欄として扱いました。元の表の数式を直してください"
            ]
        );
        let account = &outcome.account;
        assert_eq!((account.rows, account.comments, account.empty, account.nothing), (6, 7, 2, 3));
        assert_eq!(bare(outcome), whole[..7]);
        let outcome = read(&file("a.csv", second).path);
        assert_eq!(outcome.problems, [] as [&str; 0]);
        assert_eq!((outcome.account.rows, outcome.account.empty, outcome.account.nothing), (2, 2, 0));
        let mut comments = bare(outcome);
        assert_eq!(comments[0].id.as_str(), "1-問7");
        comments[0].id = whole[7].id.clone();
        assert_eq!(comments, whole[7..]);
    }
}

#[test]
fn errors_of_formulas_are_no_answers() {
    for error in
        ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "Err:502", " #REF! ", "エラー:508"]
    {
        let outcome =
            read(&file("a.csv", format!("回答番号,問7 事例\n1,端末が朝から止まりました。\n2,{error}\n")).path);
        assert_eq!(ids(&outcome), ["1-問7"], "{error}");
        assert_eq!(outcome.problems.len(), 1, "{error}");
        assert!(outcome.problems[0].contains(error.trim()), "{}", outcome.problems[0]);
    }
    for text in ["#N/Aと表示されました。", "Err:502が出る", "#困っています", "エラー:50a", "Err:"]
    {
        let outcome = read(&file("a.csv", format!("回答番号,問7 事例\n1,端末が朝から止まりました。\n2,{text}\n")).path);
        assert_eq!(texts(&outcome)[1..], [text], "{:?}", outcome.problems);
    }
}

#[test]
fn a_million_empty_formatted_rows_are_no_rows() {
    let mut book = Workbook::new();
    let format = CellFormat::new().set_bold();
    let sheet = book.add_worksheet_with_constant_memory().unwrap();
    sheet.write(0, 0, "回答番号").unwrap().write(0, 1, "問7 事例").unwrap();
    sheet.write(1, 0, 1).unwrap().write(1, 1, "端末が朝から止まりました。").unwrap();
    for row in 2..1_000_002 {
        sheet.write_blank(row, 1, &format).unwrap();
    }
    sheet.write(1_000_002, 0, 2).unwrap().write(1_000_002, 1, "窓口がとても混みました。").unwrap();
    let outcome = read(&workbook(book).path);
    assert_eq!((ids(&outcome), outcome.account.rows), (vec!["1-問7", "2-問7"], 2));
    assert_eq!(outcome.comments[1].origin.row, 1_000_003);
}

#[test]
fn undeclared_utf16_and_old_line_ends() {
    let csv = delimited(',');
    let outcome = read(&file("a.csv", utf16(&csv, false, false)).path);
    assert_eq!((outcome.comments.len(), outcome.account.encoding), (7, Some(TextEncoding::Utf16Le)));
    let outcome = read(
        &file("a.csv", "回答番号,都道府県,問7 事例\r1,東京,端末が毎朝止まってしまいます。\r2,大阪,受付が混みます。\r")
            .path,
    );
    assert_eq!(ids(&outcome), ["1-問7", "2-問7"]);
    assert_eq!(outcome.comments[0].text, "端末が毎朝止まってしまいます。");
}

#[test]
fn long_form() {
    let outcome = read(
        &file(
            "a.csv",
            "id,prefecture,facility,question,text\nc1,Tokyo,病院,Q7,端末が止まった\nc2,,内科,13,\nc3,12,NA,問９,●が出る\nc4,千葉,歯科,その他,特になし\n",
        )
        .path,
    );
    assert_eq!(ids(&outcome), ["c1", "c3"]);
    assert_eq!(outcome.comments[0].question.as_deref(), Some("問7"));
    assert_eq!(outcome.comments[1].question.as_deref(), Some("問9"));
    assert_eq!(outcome.comments[1].prefecture.as_deref(), Some("千葉県"));
    assert_eq!(outcome.comments[1].facility.as_deref(), Some("NA"));
    assert_eq!((outcome.account.empty, outcome.account.nothing), (1, 1));
    assert_eq!(outcome.account.unknown_facilities["内科"], [3]);

    // Several rows for one response.
    let rows: String = (1..=12)
        .map(|n| format!("{n},東京都,病院,問7,端末が{n}回止まった\n{n},東京都,病院,問13,保険証が{n}倍よい\n"))
        .collect();
    let outcome = read(&file("a.csv", format!("回答番号,都道府県,種別,設問,自由記載\n{rows}")).path);
    assert_eq!(outcome.problems, [] as [&str; 0]);
    assert_eq!(ids(&outcome)[..3], ["1-問7", "1-問13", "2-問7"]);
}

#[test]
fn one_text_column_is_enough() {
    let outcome = read(&file("a.csv", "コメント\n端末が止まった\n窓口が混む\n").path);
    assert_eq!((ids(&outcome), texts(&outcome)), (vec!["1", "2"], vec!["端末が止まった", "窓口が混む"]));
    // By content alone.
    let rows = "受付で操作を説明するのに時間がかかりました。,大阪,丸山医院\n画面に別の方の住所が出て困りました。,東京,川上病院\n前の保険証のほうがよかったと言われます。,千葉,谷内科\n";
    let outcome = read(&file("a.csv", format!("お困りごと,場所,先\n{rows}")).path);
    assert_eq!(outcome.comments.len(), 3);
    assert_eq!(outcome.comments[0].question.as_deref(), Some("お困りごと"));
    assert_eq!(outcome.comments[0].prefecture.as_deref(), Some("大阪府"));
    assert_eq!(outcome.comments[0].attribute("先"), Some("丸山医院"));
}

#[test]
fn choices_are_not_comments() {
    let rows: String = (0..20)
        .map(|n| {
            format!(
                "{n},東京,{},{n}日に端末が止まりとても困りました\n",
                ["画面の不具合があった", "操作がわからなかった"][n % 2]
            )
        })
        .collect();
    let outcome = read(&file("a.csv", format!("No.,都道府県,問6,問7\n{rows}")).path);
    assert_eq!(outcome.comments.len(), 20);
    assert!(outcome.comments.iter().all(|comment| comment.question.as_deref() == Some("問7")));
    assert_eq!(outcome.comments[0].attribute("問6"), Some("画面の不具合があった"));
}

#[test]
fn the_sample_survey() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sample_survey.csv"));
    if !path.exists() {
        skipped(path);
        return;
    }
    let outcome = read(path);
    assert_eq!(outcome.problems, [] as [&str; 0]);
    let questions: std::collections::BTreeSet<_> =
        outcome.comments.iter().filter_map(|comment| comment.question.as_deref()).collect();
    assert_eq!(questions.into_iter().collect::<Vec<_>>(), ["問10", "問11", "問12", "問13", "問6", "問7"]);
    assert!(outcome.account.unknown_prefectures.is_empty(), "{:?}", outcome.account.unknown_prefectures);
}

#[test]
fn jsonl_lines_are_comments() {
    let outcome = read(
        &file(
            "a.jsonl",
            concat!(
                "{\"id\":\"c1\",\"prefecture\":\"東京\",\"facility\":\"歯科\",\"question\":\"Q7\",\"text\":\"特になし\",\"must\":[],\"may\":[],\"primary\":[],\"利用率\":12.5}\n",
                "\n",
                "{\"id\":2,\"prefecture\":null,\"facility\":null,\"question\":null,\"text\":\"\"}\r\n",
                "{\"text\":\"  端末\\n停止 \",\"attributes\":{\"問5\":\"あった\",\"問8\":null},\"選択\":[\"ア\",\"イ\"]}",
            ),
        )
        .path,
    );
    assert_eq!(outcome.problems, [] as [&str; 0]);
    assert_eq!(ids(&outcome), ["c1", "2", "4"]);
    assert_eq!(texts(&outcome), ["特になし", "", "  端末\n停止 "]);
    assert_eq!(outcome.comments[0].prefecture.as_deref(), Some("東京都"));
    assert_eq!(outcome.comments[0].attribute("施設（記載）"), Some("歯科"));
    assert_eq!(outcome.comments[0].attribute("利用率"), Some("12.5"));
    assert_eq!(outcome.comments[0].attribute("must"), None);
    assert_eq!(outcome.comments[2].attribute("問5"), Some("あった"));
    assert_eq!(outcome.comments[2].attribute("選択"), Some("ア、イ"));
    assert_eq!((outcome.account.rows, outcome.account.nothing), (3, 0));
}

#[test]
fn rows_that_are_wrong() {
    #[track_caller]
    fn case(name: &str, bytes: impl AsRef<[u8]>, expected_ids: &[&str], expected: &[&str]) {
        let outcome = read(&file(name, bytes).path);
        assert_eq!(outcome.problems, expected);
        assert_eq!(ids(&outcome), expected_ids);
    }
    let head = "回答番号,都道府県,問7 事例\n";
    let good = |n: u32| format!("{n},東京,端末が{n}回も止まってしまいました。\n");
    let with = |row: &[u8]| [head.as_bytes(), good(1).as_bytes(), row, good(3).as_bytes()].concat();

    case(
        "a.jsonl",
        "{\"id\":\"1\",\"text\":\"よい\"}\n{\"id\":\"2\",\"text\":\n{\"id\":\"3\"}\n[1]\n{\"id\":\"5\",\"text\":5}\n{\"id\":[],\"text\":\"\"}\n{\"id\":\"1\",\"text\":\"また\"}\n",
        &["1", "1#2"],
        &[
            " 2行目: JSON として読めません（17文字目付近、行が途中で終わっています）。この行は読み飛ばしました",
            " 3行目: `text` がありません。この行は読み飛ばしました",
            " 4行目: JSON として読めません（1行に1つのオブジェクト {…} が要ります）。この行は読み飛ばしました",
            " 5行目: `text` は文字列でなければなりません。この行は読み飛ばしました",
            " 6行目: `id` は文字列か null でなければなりません。この行は読み飛ばしました",
            " 7行目: 番号「1」は1行目と重複しています。「1#2」として取り込みました",
        ],
    );
    case(
        "a.jsonl",
        b"{\"text\":\"\xe3\x81\x82\"}\n{\"text\":\"\xff\"}\n",
        &["1"],
        &[
            " 2行目: 文字コードが途中で変わっているか壊れているため読めません（ファイル全体はUTF-8）。この行は読み飛ばしました。元のファイルを直して保存し直してください",
        ],
    );
    case(
        "a.csv",
        with("2,東京,端末,が止まった\n".as_bytes()),
        &["1-問7", "3-問7"],
        &[
            " 3行目: 列が4個あり、見出し（3列）より多いです。回答の中の区切り文字が引用符で囲まれていないかもしれません。この行は読み飛ばしました",
        ],
    );
    case(
        "a.csv",
        with("2,東京\n".as_bytes()),
        &["1-問7", "3-問7"],
        &[
            " 3行目: 列が2個しかなく、見出し（3列）より少ないです。足りない列は空欄として取り込みました。回答の途中で改行されていないか確かめてください",
        ],
    );
    case(
        "a.csv",
        with(b"2,\xe6\x9d\xb1\xe4\xba\xac,a\0b\n"),
        &["1-問7", "3-問7"],
        &[
            " 3行目「問7 事例」列: NUL 文字（文字コード 0）が入っています。この行は読み飛ばしました。元のファイルが壊れていないか確かめてください",
        ],
    );
    case(
        "a.csv",
        with("2,東京,垂直タブ\u{b}が入っている\n".as_bytes()),
        &["1-問7", "2-問7", "3-問7"],
        &[" 3行目「問7 事例」列: 制御文字（U+000B）が入っています。回答はそのまま取り込みました"],
    );
    case(
        "a.csv",
        with("2,東京,\"閉じない引用符がある\n".as_bytes()),
        &["1-問7", "3-問7"],
        &[" 3行目: 引用符（\"）が閉じていません。この行は読み飛ばし、次の行から読みました"],
    );
    case(
        "a.csv",
        with("1,東京,同じ番号がもう一つある\n".as_bytes()),
        &["1-問7", "1-問7#2", "3-問7"],
        &[" 3行目「問7 事例」列: 番号「1-問7」は2行目と重複しています。「1-問7#2」として取り込みました"],
    );
    // The encoding changes in the middle, both ways.
    let other = encoded("2,東京,途中から文字コードが違う\n", encoding_rs::SHIFT_JIS);
    case(
        "a.csv",
        with(&other),
        &["1-問7", "3-問7"],
        &[
            " 3行目「都道府県」列: 文字コードが途中で変わっているか壊れているため読めません（ファイル全体はUTF-8）。この行は読み飛ばしました。元のファイルを直して保存し直してください",
        ],
    );
    let mut mixed = encoded(&format!("{head}{}{}", good(1), good(2)), encoding_rs::SHIFT_JIS);
    mixed.extend_from_slice("3,東京,途中から文字コードが違う\n".as_bytes());
    case(
        "a.csv",
        mixed,
        &["1-問7", "2-問7"],
        &[
            " 4行目「都道府県」列: 文字コードが途中で変わっているか壊れているため読めません（ファイル全体はShift_JIS（CP932））。この行は読み飛ばしました。元のファイルを直して保存し直してください",
        ],
    );
}

#[test]
fn long_texts_are_read() {
    let long = "あ".repeat(400_000);
    let outcome = read(&file("a.csv", format!("id,text\n1,{long}\n2,\"{long}\"\n")).path);
    assert_eq!(outcome.comments.iter().map(|comment| comment.text.len()).collect::<Vec<_>>(), [1_200_000; 2]);
    let outcome = read(&file("a.jsonl", format!("{{\"id\":\"1\",\"text\":\"{long}\"}}\n")).path);
    assert_eq!(outcome.comments[0].text.len(), 1_200_000);
    let mut book = Workbook::new();
    let cell = "い".repeat(32_767);
    book.add_worksheet().write(0, 0, "本文").unwrap().write(1, 0, &cell).unwrap();
    assert_eq!(read(&workbook(book).path).comments[0].text, cell);
}

#[test]
fn identical_responses_are_flagged() {
    let row = "東京,病院,あった,二度送られた回答の文面です。,ご意見も同じです。";
    let csv = format!(
        "回答番号,都道府県,種別,問5,問7 事例,問13 ご意見\n1,{row}\n2,大阪,病院,あった,ほかの回答の文面です。,\n3,{row}\n"
    );
    let outcome = read(&file("a.csv", csv).path);
    assert_eq!(ids(&outcome), ["1-問7", "1-問13", "2-問7", "3-問7", "3-問13"]);
    assert_eq!(outcome.comments[3].attribute(DUPLICATE_ATTRIBUTE), Some("2行目と同じ内容"));
    assert_eq!(outcome.comments[0].attribute(DUPLICATE_ATTRIBUTE), None);
    assert_eq!(outcome.account.duplicate_count, 1);
    assert!(outcome.account.to_string().contains("同じ内容の回答 1件（4行目＝2行目）"), "{}", outcome.account);
}

#[test]
fn cells_of_workbooks() {
    let mut book = Workbook::new();
    let date = CellFormat::new().set_num_format("yyyy/mm/dd");
    let sheet = book.add_worksheet().set_name("回答").unwrap();
    for (column, header) in ["回答番号", "都道府県", "記入日", "利用率", "問7 事例"].iter().enumerate()
    {
        sheet.write(0, u16::try_from(column).unwrap(), *header).unwrap();
    }
    sheet.write(1, 0, 1).unwrap().write(1, 1, 13).unwrap().write_with_format(1, 2, 45992, &date).unwrap();
    sheet.write(1, 3, 12.5).unwrap().write(1, 4, Formula::new("=A1").set_result("計算で出た文です。")).unwrap();
    sheet
        .write(2, 0, 2)
        .unwrap()
        .write(2, 3, Formula::new("=Z1").set_result("#REF!"))
        .unwrap()
        .write(2, 4, 20251001)
        .unwrap();
    sheet.write(3, 0, 3).unwrap().write(3, 4, Formula::new("=Z1").set_result("#REF!")).unwrap();
    // Formatted and empty, far below; and a stray remark beside the table.
    for row in 4..3000 {
        sheet.write_blank(row, 4, &date).unwrap();
    }
    sheet
        .write(3000, 0, 4)
        .unwrap()
        .write(3000, 4, "ずっと下の行にある回答です。")
        .unwrap()
        .write(3000, 8, "要確認")
        .unwrap();
    let hidden = book.add_worksheet().set_name("作業用").unwrap();
    hidden.set_hidden(true).write(0, 0, "本文").unwrap().write(1, 0, "隠れた行").unwrap();
    let outcome = read(&workbook(book).path);
    assert_eq!(ids(&outcome), ["1-問7", "2-問7", "4-問7"]);
    assert_eq!(outcome.comments[0].text, "計算で出た文です。");
    assert_eq!(outcome.comments[0].attribute("記入日"), Some("2025-12-01"));
    assert_eq!(outcome.comments[0].attribute("利用率"), Some("12.5"));
    assert_eq!(outcome.comments[1].text, "20251001");
    assert_eq!(outcome.comments[2].attribute("I列"), Some("要確認"));
    assert_eq!(outcome.comments[2].origin.row, 3001);
    assert_eq!(
        outcome.problems,
        [
            "（シート「回答」） 3行目「利用率」列: セル D3 がエラー（#REF!）です。この欄は空欄として扱いました。元の表の数式を直してください",
            "（シート「回答」） 4行目「問7 事例」列: セル E4 がエラー（#REF!）です。この欄は空欄として扱いました。元の表の数式を直してください",
        ]
    );
    assert_eq!(outcome.account.sheets[1].left_out.as_deref(), Some("非表示のシート"));
    assert_eq!(outcome.account.rows, 4);
}

#[test]
fn several_sheets() {
    let mut book = Workbook::new();
    for name in ["東日本", "西日本"] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        sheet.write(0, 0, "都道府県").unwrap().write(0, 1, "問7 事例").unwrap();
        sheet.write(1, 0, "東京").unwrap().write(1, 1, format!("{name}の端末が止まりました。")).unwrap();
    }
    let fixture = workbook(book);
    let outcome = read(&fixture.path);
    assert_eq!(ids(&outcome), ["1-問7", "西日本!1-問7"]);
    let only = ReadOptions { sheet: Some("西日本".to_owned()), ..ReadOptions::default() };
    assert_eq!(texts(&read_with(&fixture.path, &only)), ["西日本の端末が止まりました。"]);
    let none = ReadOptions { sheet: Some("中部".to_owned()), ..ReadOptions::default() };
    assert!(
        refused(&fixture.path, &none)
            .to_string()
            .ends_with("シート「中部」はありません。あるシート: 「東日本」「西日本」")
    );
}

#[test]
fn files_that_are_refused() {
    #[track_caller]
    fn case(fixture: &Fixture, id: &str, message: &str) {
        let error = refused(&fixture.path, &ReadOptions::default());
        assert_eq!(error.id(), id);
        assert_eq!(error.to_string().replace(fixture.path.to_str().unwrap(), "P"), message);
    }
    let gone = file("a.csv", "");
    fs::remove_file(&gone.path).unwrap();
    case(&gone, "not-found", "`P` が見つかりません。ファイル名とフォルダーを確かめてください");
    let mut folder = file("a.csv", "");
    folder.path = folder.folder.path().to_owned();
    case(&folder, "is-directory", "`P` はフォルダーです。中のファイルを指定してください");
    case(
        &file("a.docx", "x"),
        "unknown-extension",
        "`P` の種類がわかりません（拡張子: .docx）。読めるのは xlsx, xls, ods, csv, tsv, jsonl, txt です。Excel で開けるファイルなら xlsx か csv で保存し直してください",
    );
    case(&file("a.csv", ""), "empty-file", "`P` は空です。書き出しが途中で終わっていないか確かめてください");
    case(&file("a.jsonl", " \r\n\n"), "empty-file", "`P` は空です。書き出しが途中で終わっていないか確かめてください");
    case(&file("a.csv", "\u{feff}"), "empty-file", "`P` は空です。書き出しが途中で終わっていないか確かめてください");
    let noise: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 23) as u8 | 1).collect();
    case(
        &file("a.csv", noise),
        "undecodable",
        "`P` の文字コードがわかりません（UTF-8, Shift_JIS, EUC-JP, UTF-16 のどれでも読めません）。Excel で開いて「CSV UTF-8（コンマ区切り）」か xlsx で保存し直してください",
    );
    case(
        &file("a.csv", "回答番号,利用率\n1,12\n2,30\n"),
        "no-text-column",
        "`P` の中で、自由記載の列がどれかわかりません。見つかった見出し: 「回答番号」「利用率」。`jirei columns P -o columns.toml` で対応表のひな型を作り、自由記載の列を「問7」か「自由記載」に直して、`--columns columns.toml` を付けて実行してください",
    );
    case(
        &file("a.xlsx", "ただの文"),
        "not-a-workbook",
        "`P` は Excel のファイルの形をしていません。Excel で開けるなら「名前を付けて保存」で xlsx にし、開けないなら元のファイルをもらい直してください",
    );
    case(
        &file("a.xlsx", b"PK\x03\x04 broken"),
        "damaged-workbook",
        "`P` は壊れているため開けません（ZIP の目次が読めません）。Excel で開いて保存し直すか、元のファイルをもらい直してください",
    );
    let mut encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    encrypted.resize(1024, 0);
    encrypted.extend(utf16("EncryptedPackage", false, false));
    case(
        &file("a.xlsx", encrypted),
        "password-protected",
        "`P` はパスワードで保護されています。Excel なら「ファイル」→「情報」→「ブックの保護」で、LibreOffice なら「名前を付けて保存」の「パスワード付きで保存」で、パスワードを外して保存してください",
    );
    case(
        &file("a.txt", "ただの文章です。\n表はありません。\n"),
        "no-report-rows",
        "`P` に、事例集の表の行（番号、都道府県、種別、事例）が見つかりません。アンケートの表なら、拡張子を csv か tsv にしてください",
    );
    let mut empty = Workbook::new();
    empty.add_worksheet();
    case(&workbook(empty), "empty-file", "`P` は空です。書き出しが途中で終わっていないか確かめてください");
}

#[test]
fn bombs_are_refused() {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("xl/sharedStrings.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..300 {
        archive.write_all(&block).unwrap();
    }
    let bomb = archive.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    let error = refused(&file("a.xlsx", bomb).path, &ReadOptions::default()).to_string();
    assert!(error.contains("展開すると大きくなりすぎます（「xl/sharedStrings.xml」が 256 MiB を超えます）"), "{error}");
}

#[test]
fn a_map_settles_columns() {
    let csv = "通番,所,種,備考A,備考B,担当\n7,東京,歯科,短い,12,山田\n8,大阪,病院,文,34,川上\n";
    let map = "[columns]\n\"通番\" = \"番号\"\n\"所\" = \"都道府県\"\n\"種\" = \"施設\"\n\"備考A\" = \"問7\"\n\"E列\" = \"自由記載\"\n\"担当\" = \"使わない\"\n";
    let fixture = file("a.csv", csv);
    let outcome = read_with(&fixture.path, &columns(map));
    assert_eq!(ids(&outcome), ["7-問7", "7-備考B", "8-問7", "8-備考B"]);
    assert_eq!(outcome.comments[0].facility.as_deref(), Some("歯科診療所"));
    assert_eq!(outcome.comments[0].attribute("担当"), None);
    let wrong = refused(&fixture.path, &columns("[columns]\n\"無い列\" = \"問7\"\n")).to_string();
    assert!(wrong.contains("「無い列」列が") && wrong.contains("「備考A」"), "{wrong}");
    // Where the header is.
    let titled = file("a.csv", format!("あ,い,う,え,お,か\n{csv}"));
    assert_eq!(read_with(&titled.path, &columns(&format!("header_rows = 2\n{map}"))).comments.len(), 4);
}

#[test]
fn maps_that_are_wrong() {
    #[track_caller]
    fn case(map: &str, expected: &str) {
        assert_eq!(ColumnMap::parse(map).unwrap_err().to_string(), expected);
    }
    case(
        "[columns]\n\"a\" = \"問7\"\n\"b\" = \"なぞ\"\n",
        "列の対応表 3行目: 「b」の値「なぞ」がわかりません。番号、都道府県、施設、設問、本文、問7 のような問番号、自由記載、属性、使わない のどれかにしてください",
    );
    case(
        "header_rows = [4, 3]\n[columns]\n",
        "列の対応表 1行目: header_rows には見出しの行を 3 か [3, 4] のように書いてください",
    );
    let broken = ColumnMap::parse("[columns]\n\"a\" = 問7\n").unwrap_err().to_string();
    assert!(broken.starts_with("列の対応表 2行目: 書き方が正しくありません"), "{broken}");
}

#[test]
fn a_proposal_is_a_map_that_changes_nothing() {
    for fixture in
        [file("a.csv", delimited(',')), merged_workbook(), file("b.csv", "id,設問,本文\n1,問7,端末が止まる\n")]
    {
        let proposal = propose_columns(&fixture.path, &ReadOptions::default()).unwrap();
        let (plain, mapped) = (read(&fixture.path), read_with(&fixture.path, &columns(&proposal)));
        assert_eq!(plain.comments, mapped.comments, "{proposal}");
    }
    let proposal = propose_columns(&file("a.csv", delimited(',')).path, &ReadOptions::default()).unwrap();
    assert!(proposal.contains("\"問７（自由記載）\" = \"問7\"  # F列、記入 4、種類 4、平均 22字"), "{proposal}");
    assert!(proposal.contains("\"問5 トラブルの有無\" = \"属性\""), "{proposal}");
    let proposal = propose_columns(&file("a.csv", "回答番号,利用率\n1,12\n").path, &ReadOptions::default()).unwrap();
    assert!(proposal.contains("\"利用率\" = \"属性\""), "{proposal}");
}

// The published appendix as text.

const APPENDIX: &str = "【高齢の患者さんの事例】\n\n1\t東京都\t医科診療所\t画面の字が小さく、読めないと言われる\n3 \u{20}山梨県\t歯科診療所\t操作の途中で手が止まり、\n付き添いが要る。\n\u{c}\n- 12 -\n4大阪府\t病院\t\u{25cf}（くろまる）が出た。\t\n\n5\t\t医科診療所\t県名のない行。\n\n問7、問13 トラブル事例\n\n2 富山県 医科診療所  1年前に変わったのに\n\t\t古いまま。\n佐賀県\t\t種別のない行。\n\n1. データ更新の遅れ\n\n番号\t都道府県\t種別\t事例\n愛知県\t医科診療所\t①役所で誤り。\n②割合が違う。\n\n問12 スマホ\n沖縄県\t歯科\tスマホは無理。\n";

#[test]
fn an_appendix_reads_back() {
    for text in [APPENDIX.as_bytes().to_vec(), encoded(&APPENDIX.replace('\n', "\r\n"), encoding_rs::SHIFT_JIS)] {
        let outcome = read(&file("事例集.txt", text).path);
        assert_eq!(outcome.problems, [] as [&str; 0]);
        assert_eq!(outcome.account.format, Format::Report);
        let rows: Vec<_> = outcome
            .comments
            .iter()
            .map(|c| {
                (
                    c.id.as_str(),
                    c.prefecture.as_deref(),
                    c.facility.as_deref(),
                    c.attribute("見出し").unwrap(),
                    c.text.as_str(),
                )
            })
            .collect();
        let (elderly, trouble) = ("高齢の患者さんの事例", "問7、問13 トラブル事例");
        assert_eq!(
            rows,
            [
                ("1-1", Some("東京都"), Some("医科診療所"), elderly, "画面の字が小さく、読めないと言われる"),
                ("1-3", Some("山梨県"), Some("歯科診療所"), elderly, "操作の途中で手が止まり、付き添いが要る。"),
                ("1-4", Some("大阪府"), Some("病院"), elderly, "●（くろまる）が出た。"),
                ("1-5", None, Some("医科診療所"), elderly, "県名のない行。"),
                ("2-2", Some("富山県"), Some("医科診療所"), trouble, "1年前に変わったのに古いまま。"),
                ("2-3", Some("佐賀県"), None, trouble, "種別のない行。"),
                ("3-1", Some("愛知県"), Some("医科診療所"), "1. データ更新の遅れ", "①役所で誤り。②割合が違う。"),
                ("4-1", Some("沖縄県"), Some("歯科診療所"), "問12 スマホ", "スマホは無理。"),
            ]
        );
        assert_eq!(outcome.comments[7].question.as_deref(), Some("問12"));
        assert_eq!(outcome.comments[4].question, None);
    }
}

#[test]
fn the_published_report_reads_back() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let (tables, lines) = (folder.join("report_tables_dev.txt"), folder.join("report_dev.jsonl"));
    if !tables.exists() || !lines.exists() {
        skipped(folder);
        return;
    }
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let (tables, lines) = (read(&tables), read(&lines));
    assert_eq!((tables.comments.len(), tables.problems.len(), lines.problems.len()), (114, 0, 0));
    let expected = lines.comments.iter().filter(|comment| comment.prefecture.as_deref() != Some("大阪府"));
    for (found, expected) in tables.comments.iter().zip(expected) {
        let same = bare(&found.text) == bare(&expected.text)
            && found.prefecture == expected.prefecture
            && found.facility == expected.facility
            && found.attribute("見出し").is_some();
        // Not the texts themselves: they are respondents' words.
        assert!(same, "line {} differs from {}", found.origin.row, expected.id);
    }
}

#[test]
fn prefectures_and_facilities() {
    assert_eq!(Prefecture::all().count(), 47);
    for prefecture in Prefecture::all() {
        let short = prefecture.name().trim_end_matches(['都', '府', '県']);
        let short = if short == "京" { "京都" } else { short };
        let katakana: String =
            prefecture.kana().chars().map(|c| char::from_u32(u32::from(c) + 0x60).unwrap()).collect();
        let code = format!("{:02}", prefecture.code());
        for written in [prefecture.name(), short, prefecture.kana(), &katakana, prefecture.romaji(), &code] {
            assert_eq!(Prefecture::parse(written), Some(prefecture), "{written}");
        }
    }
    for (written, expected) in [
        ("ﾄｳｷｮｳ", Some("東京都")),
        ("Tōkyō-to", Some("東京都")),
        (" 京 都 ", Some("京都府")),
        ("OSAKA", Some("大阪府")),
        ("２７", Some("大阪府")),
        ("27.大阪府", Some("大阪府")),
        ("27 東京都", None),
        ("48", None),
        ("0", None),
        ("", None),
        ("東京都新宿区", None),
    ] {
        assert_eq!(Prefecture::parse(written).map(Prefecture::name), expected, "{written}");
    }
    use Facility::{DentalClinic, Hospital, MedicalClinic};
    for (written, expected) in [
        ("医科", Some(MedicalClinic)),
        ("医科診療所（無床）", Some(MedicalClinic)),
        ("医科有床診療所", Some(MedicalClinic)),
        ("クリニック", Some(MedicalClinic)),
        ("1. 医科診療所", Some(MedicalClinic)),
        ("歯科クリニック", Some(DentalClinic)),
        ("歯科医院", Some(DentalClinic)),
        ("病院", Some(Hospital)),
        ("医科有床診療所(病院含む)", None),
        ("内科", None),
        ("無回答", None),
    ] {
        assert_eq!(Facility::parse(written), expected, "{written}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever the bytes, a file is read or refused.
    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        start in proptest::sample::select(vec![&b""[..], b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"id,text\n", b"{\"text\":\"", "東京都\t病院\t".as_bytes()]),
        name in proptest::sample::select(vec!["a.csv", "a.tsv", "a.txt", "a.jsonl", "a.xlsx", "a.xls", "a.ods"]),
    ) {
        let fixture = file(name, [start, &bytes].concat());
        if let Ok(reader) = open(&fixture.path, &ReadOptions::default()) {
            let _ = reader.count();
        }
        let _ = propose_columns(&fixture.path, &ReadOptions::default());
    }

    /// The same for what looks like a table.
    #[test]
    fn no_table_panics(text in "[あア漢a1,\t\n\r\"●.問()（）。 \u{0}]{0,200}") {
        for name in ["a.csv", "a.tsv", "a.txt"] {
            let fixture = file(name, format!("回答番号,問7 事例\n{text}"));
            if let Ok(reader) = open(&fixture.path, &ReadOptions::default()) {
                let _ = reader.count();
            }
        }
    }
}

#[test]
fn headers_of_two_rows() {
    #[track_caller]
    fn case(csv: &str, expected: &[(&str, &str)], attribute: (&str, &str)) {
        let outcome = read(&file("a.csv", csv).path);
        let found: Vec<_> =
            outcome.comments.iter().map(|comment| (comment.id.as_str(), comment.text.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(outcome.comments[0].attribute(attribute.0), Some(attribute.1));
        assert_eq!(outcome.comments[0].prefecture.as_deref(), Some("東京都"));
    }
    let data = "1,東京,病院,あった,端末が朝から止まりました。,\n2,大阪,歯科,なかった,,以前の仕組みに戻してください。\n";
    let expected = [("1-問7", "端末が朝から止まりました。"), ("2-問13", "以前の仕組みに戻してください。")];
    // Merged cells: the upper row names the question, the lower one its parts.
    for upper in ["問7", "\"問7\n事例\""] {
        let outcome = read(&file("a.csv", format!("回答番号,都道府県,種別,{upper},,問13\n,,,有無,内容,\n{data}")).path);
        assert_eq!(ids(&outcome), ["1-問7", "2-問13"], "{upper}");
    }
    case(&format!("回答番号,都道府県,種別,問7,,問13\n,,,有無,内容,\n{data}"), &expected, ("問7 有無", "あった"));
    // Group headings above, with a title and a blank line over them.
    case(
        &format!("実態調査,,,,,\n\n基本情報,,,選択,自由記載,\n回答番号,都道府県,種別,問5,問7,問13\n{data}"),
        &expected,
        ("問5", "あった"),
    );
    // Question numbers above, wording below.
    case(
        &format!(",,,問5,問7,問13\n回答番号,都道府県,種別,有無,特筆すべき事例,ご意見\n{data}"),
        &expected,
        ("問5 有無", "あった"),
    );
}

#[test]
fn opendocument_sheets() {
    use std::io::Write;
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: &[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(|text| cell(text)).collect::<String>())
    };
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content \
         xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
         <table:table table:name=\"回答\">{}<table:table-row table:number-rows-repeated=\"1000000\">\
         <table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row></table:table>\
         </office:spreadsheet></office:body></office:document-content>",
        [
            row(&["回答番号", "都道府県", "問7 事例"]),
            row(&["1", "東京", "氏名が●で表示されて困りました。"]),
            row(&["2", "大阪", "特になし"])
        ]
        .concat()
    );
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, text) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>",
        ),
        ("content.xml", &content),
    ] {
        archive.start_file(name, stored).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let outcome = read(&file("a.ods", archive.finish().unwrap().into_inner()).path);
    assert_eq!(outcome.account.format, Format::Ods);
    assert_eq!(ids(&outcome), ["1-問7"]);
    assert_eq!((outcome.account.rows, outcome.account.nothing), (2, 1));
}

/// For checking memory and time by hand: `cargo nextest run --run-ignored only a_million`.
#[test]
#[ignore = "takes a minute"]
fn a_million_comments_in_little_memory() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let (jsonl, csv) = (folder.path().join("a.jsonl"), folder.path().join("a.csv"));
    let mut lines = std::io::BufWriter::new(fs::File::create(&jsonl).unwrap());
    let mut rows = std::io::BufWriter::new(fs::File::create(&csv).unwrap());
    writeln!(rows, "回答番号,都道府県,種別,問5,問7 事例").unwrap();
    for n in 0..1_000_000 {
        let text = format!("端末が{n}回も止まってしまい、窓口で患者さんをお待たせしました。");
        writeln!(lines, "{{\"id\":\"c{n}\",\"prefecture\":\"東京都\",\"question\":\"問7\",\"text\":\"{text}\"}}")
            .unwrap();
        writeln!(rows, "{n},東京都,病院,あった,{text}").unwrap();
    }
    lines.flush().unwrap();
    rows.flush().unwrap();
    for path in [jsonl, csv] {
        let reader = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(reader.filter(Result::is_ok).count(), 1_000_000);
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 200_000, "{kilobytes} kB");
    }
}
