//! What can be wrong with a file, a row or a cell, and how it is said to an office worker.

use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use crate::comment::Origin;

/// A file that cannot be read at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing at the path.
    #[error("`{}` が見つかりません。{}", .0.display(), not_found_advice(.0))]
    NotFound(PathBuf),
    /// A folder was given.
    #[error("`{}` はフォルダーです。中のファイルを指定してください", .0.display())]
    IsDirectory(PathBuf),
    /// Neither a file nor a folder.
    #[error("`{}` は通常のファイルではないので読めません。いったんファイルに保存してください", .0.display())]
    NotAFile(PathBuf),
    /// The operating system refuses.
    #[error("`{}` を開く権限がありません。Excel などで開いていれば閉じ、ファイルの権限を確かめてください", .0.display())]
    Denied(PathBuf),
    /// Any other failure of the operating system.
    #[error("`{}` を読めません（{}）。ほかのソフトで開いていれば閉じてから、もう一度実行してください", path.display(), crate::fault::of_io(error))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The name does not end in a known way.
    #[error(
        "`{}` の種類がわかりません（拡張子: {extension}）。読めるのは xlsx, xls, ods, csv, tsv, jsonl, txt です。Excel で開けるファイルなら xlsx か csv で保存し直してください",
        path.display()
    )]
    UnknownExtension {
        /// The file.
        path: PathBuf,
        /// Its extension, or 「なし」.
        extension: String,
    },
    /// No bytes, or nothing but blanks.
    #[error("`{}` は空です。書き出しが途中で終わっていないか確かめてください", .0.display())]
    Empty(PathBuf),
    /// No known encoding fits.
    #[error(
        "`{}` の文字コードがわかりません（UTF-8, Shift_JIS, EUC-JP, UTF-16 のどれでも読めません）。Excel で開いて「CSV UTF-8（コンマ区切り）」か xlsx で保存し直してください",
        .0.display()
    )]
    Undecodable(PathBuf),
    /// The name says workbook, the content is something else.
    #[error("`{}` は Excel のファイルの形をしていません。{}", .0.display(), not_a_workbook_advice(.0))]
    NotAWorkbook(PathBuf),
    /// The workbook is damaged.
    #[error(
        "`{}` は壊れているため開けません（{detail}）。Excel で開いて保存し直すか、元のファイルをもらい直してください",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        detail: String,
    },
    /// The workbook is encrypted.
    #[error(
        "`{}` はパスワードで保護されています。Excel なら「ファイル」→「情報」→「ブックの保護」で、LibreOffice なら「名前を付けて保存」の「パスワード付きで保存」で、パスワードを外して保存してください",
        .0.display()
    )]
    PasswordProtected(PathBuf),
    /// The program itself wrote the workbook, for a person to correct labels in it.
    #[error(
        "`{}` は jirei review で書き出したファイルで、調査の回答のファイルではありません。直しを取り込むなら jirei review import を使ってください（本文をもう一度読むなら --sheet でシートの名前を指定してください）",
        .0.display()
    )]
    ForReview(PathBuf),
    /// The workbook unpacks to more than a survey can be.
    #[error(
        "`{}` は展開すると大きくなりすぎます（「{part}」が {limit_mib} MiB を超えます）。壊れているか、悪意のあるファイルかもしれません。必要なシートだけを新しいブックにコピーするか、csv で保存し直してください",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The part of the archive.
        part: String,
        /// The limit in MiB.
        limit_mib: u64,
    },
    /// The workbook has no such sheet.
    #[error("`{}` にシート「{sheet}」はありません。あるシート: {}", path.display(), quoted(sheets))]
    NoSuchSheet {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        sheet: String,
        /// The names that there are.
        sheets: Vec<String>,
    },
    /// No column could be recognised as free text.
    #[error(
        "`{}` の中で、自由記載の列がどれかわかりません。見つかった見出し: {}。`jirei columns {} -o columns.toml` で対応表のひな型を作り、自由記載の列を「問7」か「自由記載」に直して、`--columns columns.toml` を付けて実行してください",
        path.display(), quoted(headers), path.display()
    )]
    NoTextColumn {
        /// The file.
        path: PathBuf,
        /// The headers of its first table.
        headers: Vec<String>,
    },
    /// The text has no rows of a case appendix.
    #[error(
        "`{}` に、事例集の表の行（番号、都道府県、種別、事例）が見つかりません。アンケートの表なら、拡張子を csv か tsv にしてください",
        .0.display()
    )]
    NoReportRows(PathBuf),
    /// The mapping of columns does not fit the file.
    #[error("列の対応表: 「{column}」列が `{}` にありません。見つかった見出し: {}", path.display(), quoted(headers))]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// The column of the mapping.
        column: String,
        /// The headers that there are.
        headers: Vec<String>,
    },
    /// The mapping of columns cannot be read.
    #[error("列の対応表{}: {message}", line.map(|line| format!(" {line}行目")).unwrap_or_default())]
    BadColumnMap {
        /// Line in the mapping file, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
}

fn not_found_advice(path: &Path) -> &'static str {
    // The shells of Windows hand these on as they are.
    match path.to_string_lossy().contains(['*', '?']) {
        true => "`*` や `?` を使ってまとめて指定することはできません。ファイルの名前を一つずつ書いてください",
        false => "ファイル名とフォルダーを確かめてください",
    }
}

fn not_a_workbook_advice(path: &Path) -> &'static str {
    match path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("~$")) {
        true => {
            "Excel でブックを開いているあいだだけできる一時ファイルです。「~$」の付かない名前のファイルを指定してください"
        }
        false => "Excel で開けるなら「名前を付けて保存」で xlsx にし、開けないなら元のファイルをもらい直してください",
    }
}

impl ReadError {
    /// A stable English name of the kind of error.
    pub fn id(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::IsDirectory(_) => "is-directory",
            Self::NotAFile(_) => "not-a-file",
            Self::Denied(_) => "permission-denied",
            Self::Io { .. } => "read-failed",
            Self::UnknownExtension { .. } => "unknown-extension",
            Self::Empty(_) => "empty-file",
            Self::Undecodable(_) => "undecodable",
            Self::NotAWorkbook(_) => "not-a-workbook",
            Self::Damaged { .. } => "damaged-workbook",
            Self::PasswordProtected(_) => "password-protected",
            Self::ForReview(_) => "review-workbook",
            Self::TooLarge { .. } => "too-large",
            Self::NoSuchSheet { .. } => "no-such-sheet",
            Self::NoTextColumn { .. } => "no-text-column",
            Self::NoReportRows(_) => "no-report-rows",
            Self::NoSuchColumn { .. } => "no-such-column",
            Self::BadColumnMap { .. } => "bad-column-map",
        }
    }

    pub(super) fn io(path: &Path, error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound(path.into()),
            std::io::ErrorKind::PermissionDenied => Self::Denied(path.into()),
            std::io::ErrorKind::IsADirectory => Self::IsDirectory(path.into()),
            _ => Self::Io { path: path.into(), error },
        }
    }
}

fn quoted(names: &[String]) -> String {
    /// A message is read by a person: more headers than this hide the rest of it.
    const SHOWN: usize = 30;
    if names.is_empty() {
        return "（なし）".to_owned();
    }
    let mut list: String = names.iter().take(SHOWN).map(|name| format!("「{}」", excerpt(name, 40))).collect();
    if names.len() > SHOWN {
        list.push_str(&format!(" ほか{}列", names.len() - SHOWN));
    }
    list
}

/// The beginning of a text on one line, for messages.
pub(super) fn excerpt(text: &str, chars: usize) -> String {
    let mut line: String =
        text.chars().take(chars).map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    if text.chars().nth(chars).is_some() {
        line.push('…');
    }
    line
}

/// Something wrong in one place of a file. The run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{origin}: {kind}")]
pub struct RowProblem {
    /// File, sheet, row and column.
    pub origin: Origin,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong in a row or cell.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "id", content = "detail", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// A line that is not JSON.
    #[error("JSON として読めません（{0}）。この行は読み飛ばしました")]
    BrokenJson(String),
    /// A JSON line without `text`.
    #[error("`text` がありません。この行は読み飛ばしました")]
    NoText,
    /// A JSON value of another type than expected.
    #[error("`{key}` は{expected}でなければなりません。この行は読み飛ばしました")]
    WrongType {
        /// The key.
        key: String,
        /// What is expected, in Japanese.
        expected: &'static str,
    },
    /// Bytes that are no text in the file's encoding.
    #[error(
        "文字コードが途中で変わっているか壊れているため読めません（ファイル全体は{0}）。この行は読み飛ばしました。元のファイルを直して保存し直してください"
    )]
    Undecodable(String),
    /// A NUL character.
    #[error(
        "NUL 文字（文字コード 0）が入っています。この行は読み飛ばしました。元のファイルが壊れていないか確かめてください"
    )]
    Nul,
    /// A control character that no text needs.
    #[error("制御文字（U+{0:04X}）が入っています。回答はそのまま取り込みました")]
    ControlCharacter(u32),
    /// More cells than headers: what stands where cannot be told.
    #[error(
        "列が{found}個あり、見出し（{expected}列）より多いです。回答の中の区切り文字が引用符で囲まれていないかもしれません。この行は読み飛ばしました"
    )]
    TooManyCells {
        /// Number of headers.
        expected: usize,
        /// Number of cells.
        found: usize,
    },
    /// Fewer cells than headers: taken as blank.
    #[error(
        "列が{found}個しかなく、見出し（{expected}列）より少ないです。足りない列は空欄として取り込みました。回答の途中で改行されていないか確かめてください"
    )]
    TooFewCells {
        /// Number of headers.
        expected: usize,
        /// Number of cells.
        found: usize,
    },
    /// A cell whose formula failed.
    #[error(
        "{}がエラー（{error}）です。この欄は空欄として扱いました。元の表の数式を直してください",
        cell.as_ref().map_or_else(|| "この欄".to_owned(), |cell| format!("セル {cell} "))
    )]
    CellError {
        /// Name of the cell (G12), in workbooks.
        cell: Option<String>,
        /// What the cell shows.
        error: String,
    },
    /// A quotation mark that is never closed.
    #[error("引用符（\"）が閉じていません。この行は読み飛ばし、次の行から読みました")]
    OpenQuote,
    /// So many unclosed quotation marks that the rest was not read.
    #[error(
        "閉じていない引用符（\"）が多すぎるため、この行から後は読んでいません。区切り文字と引用符を確かめてください"
    )]
    TooManyOpenQuotes,
    /// A row beyond any survey's.
    #[error("1行が長すぎます（32 MiB 超）。この行は読み飛ばしました")]
    RowTooLong,
    /// An id that was there before.
    #[error(
        "番号「{id}」は{}{first_row}行目と重複しています。「{renamed}」として取り込みました",
        first_sheet.as_ref().map_or_else(String::new, |sheet| format!("シート「{sheet}」の"))
    )]
    DuplicateId {
        /// The id as written.
        id: String,
        /// Sheet of the first comment with this id, where it is another.
        first_sheet: Option<String>,
        /// Row of the first comment with this id, 0 where unknown.
        first_row: u64,
        /// The id that the comment was given.
        renamed: String,
    },
    /// The file could not be read to its end.
    #[error("ここから後を読めませんでした（{0}）。ここまでの行は取り込みました")]
    ReadFailed(String),
}

impl ProblemKind {
    /// A stable English name of the kind of problem.
    pub fn id(&self) -> &'static str {
        match self {
            Self::BrokenJson(_) => "broken-json",
            Self::NoText => "no-text",
            Self::WrongType { .. } => "wrong-type",
            Self::Undecodable(_) => "undecodable",
            Self::Nul => "nul",
            Self::ControlCharacter(_) => "control-character",
            Self::TooManyCells { .. } => "too-many-cells",
            Self::TooFewCells { .. } => "too-few-cells",
            Self::CellError { .. } => "cell-error",
            Self::OpenQuote => "open-quote",
            Self::TooManyOpenQuotes => "too-many-open-quotes",
            Self::RowTooLong => "row-too-long",
            Self::DuplicateId { .. } => "duplicate-id",
            Self::ReadFailed(_) => "read-failed",
        }
    }

    /// Whether the row was left out, as opposed to taken in with a remark.
    pub fn skips_row(&self) -> bool {
        !matches!(
            self,
            Self::ControlCharacter(_) | Self::TooFewCells { .. } | Self::CellError { .. } | Self::DuplicateId { .. }
        )
    }
}

/// The first character that no survey answer holds, as a problem.
pub(super) fn suspicious_character(text: &str) -> Option<ProblemKind> {
    let found = text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))?;
    // NUL outweighs another control character before it: it costs the row.
    if text.contains('\0') {
        return Some(ProblemKind::Nul);
    }
    Some(ProblemKind::ControlCharacter(u32::from(found)))
}
