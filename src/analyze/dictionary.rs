//! The system dictionary: embedded, or from a folder.

use std::path::{Path, PathBuf};

use lindera::dictionary::{Dictionary, load_fs_dictionary};

/// Why an analyser could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzerError {
    /// The embedded dictionary does not load.
    #[error("組み込みの辞書を読めません（プログラムが壊れています。入れ直してください）: {0}")]
    Embedded(#[source] lindera::error::LinderaError),
    /// The folder does not hold a usable dictionary.
    #[error("`{}` を辞書として読めません（lindera 6 で作った IPADIC 形式の辞書のフォルダーを指定してください）: {source}", folder.display())]
    Folder {
        /// The folder as given.
        folder: PathBuf,
        /// What lindera says.
        source: lindera::error::LinderaError,
    },
    /// The folder's dictionary has other columns than IPADIC.
    #[error("`{}` は IPADIC と列の並びが違う辞書です（{found} 列目までが品詞・活用・基本形・読みになっている必要があります）", folder.display())]
    Schema {
        /// The folder as given.
        folder: PathBuf,
        /// How many columns it has.
        found: usize,
    },
    /// The domain dictionary or the variant table has a fault.
    #[error("{file}:{line}: {message}")]
    Table {
        /// File name below `dictionaries/`.
        file: &'static str,
        /// Line from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// lindera refuses the domain dictionary.
    #[error("利用者辞書（dictionaries/domain.csv）を組み立てられません: {0}")]
    Domain(#[source] lindera::error::LinderaError),
}

pub(super) fn from_folder(folder: &Path) -> Result<Dictionary, AnalyzerError> {
    let dictionary =
        load_fs_dictionary(folder).map_err(|source| AnalyzerError::Folder { folder: folder.to_path_buf(), source })?;
    let found = dictionary.metadata.dictionary_schema.field_count();
    if found < 13 {
        return Err(AnalyzerError::Schema { folder: folder.to_path_buf(), found });
    }
    Ok(dictionary)
}
