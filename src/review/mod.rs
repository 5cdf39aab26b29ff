//! People's corrections: comments of a casebook as a workbook, the least certain first, and what was changed in it back
//! into the casebook. What the import needs to know of a row lies in a hidden sheet under the comment's id, so that
//! rows may be sorted, hidden and deleted.

mod adjudication;
mod certainty;
mod changes;
mod codings;
mod contradictions;
mod export;
mod file;
mod sample;
mod sheet;
mod state;

pub use adjudication::{AdjudicationFile, Coders, ListInfo, adjudication_workbook, plan_adjudication};
pub use certainty::certainty;
pub use changes::{Change, Conflict, Review, plan};
pub use codings::{
    CoderCodings, Codings, Difference, codings_of_coder, codings_of_file, differences, pair_table, seen_by_first_alone,
    units,
};
pub use contradictions::{Contradiction, ContradictionKind, contradictions};
pub use export::{ExportInfo, workbook};
pub use file::{Problem, ReviewFile};
pub use sample::{Sample, sample};
pub use sheet::ReviewCategory;

use std::path::PathBuf;

use rust_xlsxwriter::XlsxError;

use crate::{casebook::CasebookError, read::ReadError};

/// Why a review could not be written or read at all; what is wrong in single cells are [`Problem`]s.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file cannot be opened as a workbook.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The record cannot be read.
    #[error(transparent)]
    Casebook(#[from] CasebookError),
    /// The workbook was not written by `jirei review export`, or its hidden sheet is gone.
    #[error("`{}` は jirei review export で書き出したファイルではありません（{reason}）。書き出したファイルそのものを直して保存してください", path.display())]
    NotAReview {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The workbook was not written by `jirei review agreement`, or not all of it is there.
    #[error("`{}` は jirei review agreement の一覧として読めません（{reason}）。書き出した一覧そのものに書き込んで保存してください", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A later version of the program wrote it.
    #[error("`{}` はこのプログラムより新しい版で書き出されています。プログラムを新しくしてください", .0.display())]
    TooNew(PathBuf),
    /// It was exported from another casebook.
    #[error("`{}` は別の事例帳から書き出したファイルです（`--casebook` で、書き出したときの事例帳を指定してください）", .0.display())]
    OtherCasebook(PathBuf),
    /// More comments than a sheet has rows.
    #[error("{0} 件は一つのシートに入りません（1,048,575 件まで。`--prefecture` や `--sample` で分けてください）")]
    TooManyRows(usize),
    /// Two ids that look the same in a sheet.
    #[error(
        "番号「{0}」と見分けのつかない番号がもう一つあるため、書き出せません（取り込む前のファイルで番号を直してください）"
    )]
    AmbiguousId(String),
    /// The workbook could not be put together.
    #[error("ブックを書き出せません: {0}")]
    Xlsx(#[from] XlsxError),
}
