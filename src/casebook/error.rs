//! What can go wrong with the record, said to the person who waits for it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the casebook could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum CasebookError {
    /// The folder does not exist.
    #[error("事例帳のフォルダー `{}` がありません（名前を確かめるか、`jirei import ファイル --casebook {}` で作ってください）", .0.display(), .0.display())]
    Missing(PathBuf),
    /// A file where a folder should be: a backup, or the record itself.
    #[error("`{}` はファイルです（--casebook には事例帳のフォルダーを指定してください。事例帳の控えなら、新しいフォルダーに casebook.sqlite という名前で置いて、そのフォルダーを指定してください）", .0.display())]
    NotAFolder(PathBuf),
    /// The folder, or the file in it, is something else.
    #[error("`{}` は事例帳ではありません（`casebook.sqlite` のあるフォルダーを指定してください）", .0.display())]
    NotACasebook(PathBuf),
    /// A later version of the program made it.
    #[error("`{}` はこのプログラムより新しい版で作られています（記録の形式 {found}、読めるのは {known} まで）。プログラムを新しくしてください", folder.display())]
    TooNew {
        /// The casebook's folder.
        folder: PathBuf,
        /// Its schema version.
        found: u32,
        /// The version that this program knows.
        known: u32,
    },
    /// Another process holds the record.
    #[error("事例帳 `{}` は別のプロセスが書き込み中です（終わるのを待って、もう一度実行してください）", .0.display())]
    Locked(PathBuf),
    /// The SQLite file is not whole.
    #[error("`{}` が壊れています（{what}）。控えから戻してください。このファイルには手を加えていません", folder.join(super::FILE).display())]
    Damaged {
        /// The casebook's folder.
        folder: PathBuf,
        /// What SQLite finds.
        what: &'static str,
    },
    /// No room is left.
    #[error("ディスクがいっぱいで、事例帳 `{}` に書き込めません（空きを作って、もう一度実行してください。記録は元のままです）", .0.display())]
    DiskFull(PathBuf),
    /// The folder or file may not be written.
    #[error("事例帳 `{}` に書き込めません（読み取り専用でないか、フォルダーの権限を確かめてください）", .0.display())]
    ReadOnly(PathBuf),
    /// The folder may not be written, and without that the log that a stopped run left cannot be read.
    #[error("事例帳 `{}` には書き込みの途中で止まった記録（casebook.sqlite-wal）が残っていて、読み取り専用のままでは読めません（フォルダーごと書き込める場所にコピーして、そのフォルダーを --casebook に指定してください）", .0.display())]
    Unclosed(PathBuf),
    /// The folder cannot be made.
    #[error("事例帳のフォルダー `{}` を作れません: {}", folder.display(), crate::fault::of_io(source))]
    Create {
        /// The folder as given.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A comment id that the casebook does not have.
    #[error("事例帳に id `{0}` のコメントはありません")]
    UnknownComment(String),
    /// A decision that the casebook does not have, or that is already undone.
    #[error("番号 {0} の判断はないか、すでに取り消されています（番号は `jirei review log` で確かめられます）")]
    UnknownDecision(i64),
    /// A batch that the casebook does not have, or of which nothing stands any more.
    #[error("番号 {0} の作業はないか、すでに取り消されています（番号は `jirei review log` で確かめられます）")]
    UnknownBatch(i64),
    /// A category that the casebook's code frame does not have.
    #[error("事例帳の分類に `{0}` はありません")]
    UnknownCategory(String),
    /// A list was to be the primary section.
    #[error("分類 `{0}` は横断の表なので、主分類にはできません")]
    NotASection(String),
    /// A range that the text does not have.
    #[error("id `{comment}` のコメントに {} 文字目から {} 文字目まではありません（全部で {chars} 文字）", char_range.start + 1, char_range.end)]
    OutsideText {
        /// Id of the comment.
        comment: String,
        /// The range, in characters.
        char_range: std::ops::Range<usize>,
        /// How many characters the text has.
        chars: usize,
    },
    /// A value in the record that this program did not write.
    #[error("事例帳 `{}` の記録に読めない値があります（{what}）。控えから戻してください", folder.display())]
    Value {
        /// The casebook's folder.
        folder: PathBuf,
        /// Table, column and what is wrong.
        what: String,
    },
    /// The copy cannot be written.
    #[error("控え `{}` を書けません（{}）", path.display(), backup_cause(error))]
    Backup {
        /// The copy.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// The copy is not whole, since the record is not.
    #[error("事例帳 `{}` の記録が壊れているため、控えは作りませんでした（{fault}）。以前の控えから戻してください（jirei casebook check で詳しく調べられます）", folder.display())]
    BackupFaulty {
        /// The casebook's folder.
        folder: PathBuf,
        /// The first fault.
        fault: String,
    },
    /// Anything else that SQLite says.
    #[error("事例帳 `{}` を読み書きできません: {error}", folder.display())]
    Sqlite {
        /// The casebook's folder.
        folder: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
}

impl CasebookError {
    /// Whether another process writes, so that waiting helps.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// Why a path is no folder.
    pub(crate) fn no_folder(path: &Path) -> Self {
        match path.is_file() {
            true => Self::NotAFolder(path.to_path_buf()),
            false => Self::Missing(path.to_path_buf()),
        }
    }

    /// What goes wrong while a record is copied: a copy is new, so damage in it is that of the record.
    pub(super) fn from_backup(folder: &Path, path: &Path, error: rusqlite::Error) -> Self {
        match damage(&error) {
            Some(what) => Self::Damaged { folder: folder.to_path_buf(), what },
            None => Self::Backup { path: path.to_path_buf(), error },
        }
    }

    pub(super) fn from_sqlite(folder: &Path, source: rusqlite::Error) -> Self {
        let folder = folder.to_path_buf();
        // SQLite has no room for the file that the processes share.
        if source.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::DiskFull(folder);
        }
        if is_unwritable(&source) {
            return Self::ReadOnly(folder);
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(folder),
            Some(ErrorCode::DiskFull) => Self::DiskFull(folder),
            _ => match damage(&source) {
                Some(what) => Self::Damaged { folder, what },
                None => Self::Sqlite { folder, error: source },
            },
        }
    }
}

fn backup_cause(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "ディスクがいっぱいです。空きを作るか、別のディスクに作ってください".to_owned(),
        _ if is_unwritable(error) => "フォルダーがあるか、書き込めるかを確かめてください".to_owned(),
        _ => error.to_string(),
    }
}

/// What is wrong with a file that SQLite takes for damaged.
fn damage(error: &rusqlite::Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        ErrorCode::NotADatabase => Some("事例帳のファイルの形をしていません"),
        ErrorCode::DatabaseCorrupt => Some("中のデータが欠けているか、書き換わっています"),
        _ => None,
    }
}

/// Whether SQLite says that a file or its folder may not be written.
pub(super) fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen))
}

/// Adds the folder to what SQLite says.
pub(super) trait InCasebook<T> {
    fn in_casebook(self, folder: &Path) -> Result<T, CasebookError>;
}

impl<T> InCasebook<T> for Result<T, rusqlite::Error> {
    fn in_casebook(self, folder: &Path) -> Result<T, CasebookError> {
        self.map_err(|source| CasebookError::from_sqlite(folder, source))
    }
}
