//! What can go wrong with the index.

use std::{
    io,
    path::{Path, PathBuf},
};

use tantivy::{TantivyError, directory::error::LockError};

use crate::casebook::CasebookError;

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
    /// The system does not let the files be read or put in place.
    #[error("事例帳 `{}` の索引のファイルを扱えません: {source}", folder.display())]
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

    pub(crate) fn from_tantivy(folder: &Path, error: TantivyError) -> Self {
        let at = folder.to_path_buf();
        match &error {
            TantivyError::LockFailure(LockError::IoError(source), _) => {
                Self::from_kind(folder, source.kind(), || error.to_string())
            }
            TantivyError::LockFailure(..) => Self::Locked(at),
            TantivyError::IoError(source) => Self::from_kind(folder, source.kind(), || error.to_string()),
            TantivyError::OpenWriteError(tantivy::directory::error::OpenWriteError::IoError { io_error, .. }) => {
                Self::from_kind(folder, io_error.kind(), || error.to_string())
            }
            _ => Self::Damaged { folder: at, message: error.to_string() },
        }
    }

    fn from_kind(folder: &Path, kind: io::ErrorKind, message: impl FnOnce() -> String) -> Self {
        let folder = folder.to_path_buf();
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(folder),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(folder),
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
