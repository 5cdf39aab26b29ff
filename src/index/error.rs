//! What can go wrong with the index.

use std::{
    io,
    path::{Path, PathBuf},
};

use tantivy::{
    TantivyError,
    directory::error::{LockError, OpenReadError, OpenWriteError},
};

use crate::casebook::CasebookError;

use super::directory::is_unwritable;

/// Why the index could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none yet.
    #[error("事例帳 `{}` に索引がありません（記録から作り直します）", .0.display())]
    Missing(PathBuf),
    /// The record has changed since, or other versions made it.
    #[error("事例帳 `{}` の索引が記録より古くなっています（{reason}。記録から作り直します）", folder.display())]
    Outdated {
        /// The casebook's folder.
        folder: PathBuf,
        /// What differs.
        reason: String,
    },
    /// Its files are not whole.
    #[error("事例帳 `{}` の索引が壊れています（記録は無事です。記録から作り直します）: {message}", folder.display())]
    Damaged {
        /// The casebook's folder.
        folder: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Another process writes it.
    #[error("事例帳 `{}` の索引は別のプロセスが書き込み中です（終わるのを待って、もう一度実行してください）", .0.display())]
    Locked(PathBuf),
    /// No room is left.
    #[error("ディスクがいっぱいで、事例帳 `{}` の索引を書けません（空きを作って、もう一度実行してください。記録は元のままです）", .0.display())]
    DiskFull(PathBuf),
    /// The folder may not be written.
    #[error("事例帳 `{}` の索引を書けません（読み取り専用でないか、フォルダーの権限を確かめてください）", .0.display())]
    ReadOnly(PathBuf),
    /// Its files may not be read.
    #[error("事例帳 `{}` の索引を読む権限がありません（フォルダーの権限を確かめるか、書き込める人が `jirei index rebuild` で作り直してください）", .0.display())]
    Unreadable(PathBuf),
    /// It has to be made anew, and nothing can be written there.
    #[error("事例帳 `{}` を検索するには索引を作り直す必要がありますが、読み取り専用なので作れません（フォルダーごと書き込める場所にコピーして、そのフォルダーを --casebook に指定してください）。理由: {reason}", folder.display())]
    Unwritable {
        /// The casebook's folder.
        folder: PathBuf,
        /// Why the index that is there cannot be used.
        reason: String,
    },
    /// The system does not let the files be read or put in place.
    #[error("事例帳 `{}` の索引のファイルを扱えません: {}", folder.display(), crate::fault::of_io(source))]
    Io {
        /// The casebook's folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The record cannot be read or written.
    #[error(transparent)]
    Casebook(#[from] CasebookError),
}

impl IndexError {
    /// Whether making the index anew from the record helps.
    pub fn needs_rebuild(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Outdated { .. } | Self::Damaged { .. })
    }

    /// That nothing can be written there to mend this.
    pub(crate) fn unwritable(self, folder: &Path) -> Self {
        let reason = match self {
            Self::Missing(_) => "索引がない".to_owned(),
            Self::Outdated { reason, .. } => reason,
            Self::Damaged { message, .. } => format!("索引が壊れている: {message}"),
            other => return other,
        };
        Self::Unwritable { folder: folder.to_path_buf(), reason }
    }

    /// Whether the folder, or the record in it, may not be written.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::ReadOnly(_) | Self::Casebook(CasebookError::ReadOnly(_)))
    }

    pub(crate) fn from_tantivy(folder: &Path, error: TantivyError) -> Self {
        let at = folder.to_path_buf();
        match &error {
            TantivyError::LockFailure(LockError::IoError(source), _) => {
                Self::from_kind(folder, source.kind(), || error.to_string())
            }
            TantivyError::LockFailure(..) => Self::Locked(at),
            TantivyError::IoError(source) => Self::from_kind(folder, source.kind(), || error.to_string()),
            TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, .. }) => {
                Self::from_kind(folder, io_error.kind(), || error.to_string())
            }
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. })
                if io_error.kind() == io::ErrorKind::PermissionDenied =>
            {
                Self::Unreadable(at)
            }
            _ => Self::Damaged { folder: at, message: error.to_string() },
        }
    }

    /// The same, or why the system refused to write a file, where it did and tantivy told something else.
    pub(super) fn refused(self, refusal: Option<io::ErrorKind>) -> Self {
        match (self, refusal) {
            (Self::Damaged { folder, message }, Some(kind)) => Self::from_kind(&folder, kind, || message),
            (error, _) => error,
        }
    }

    fn from_kind(folder: &Path, kind: io::ErrorKind, message: impl FnOnce() -> String) -> Self {
        let folder = folder.to_path_buf();
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(folder),
            kind if is_unwritable(kind) => Self::ReadOnly(folder),
            _ => Self::Damaged { folder, message: message() },
        }
    }

    pub(super) fn from_io(folder: &Path, source: io::Error) -> Self {
        match source.kind() {
            kind @ (io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem) => Self::from_kind(folder, kind, String::new),
            _ => Self::Io { folder: folder.to_path_buf(), source },
        }
    }
}

/// Adds the folder to what tantivy or the system says.
pub(crate) trait InIndex<T> {
    fn in_index(self, folder: &Path) -> Result<T, IndexError>;
}

impl<T> InIndex<T> for Result<T, TantivyError> {
    fn in_index(self, folder: &Path) -> Result<T, IndexError> {
        self.map_err(|error| IndexError::from_tantivy(folder, error))
    }
}

impl<T> InIndex<T> for io::Result<T> {
    fn in_index(self, folder: &Path) -> Result<T, IndexError> {
        self.map_err(|error| IndexError::from_io(folder, error))
    }
}
