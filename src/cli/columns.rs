//! `jirei columns`: what the columns of a file would be taken for, as a map to edit.

use std::path::PathBuf;

use super::{Outcome, output, stdout};
use crate::read::{ReadOptions, propose_columns};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 調べるファイル
    #[arg(value_name = "ファイル")]
    file: PathBuf,
    /// 調べるシートの名前
    #[arg(long, value_name = "シート")]
    sheet: Option<String>,
    /// 書き出すファイル（指定しなければ画面に出す）
    #[arg(short, long, value_name = "map.toml")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        if let Some(path) = &self.output {
            output::refuse_inputs(path, [self.file.as_path()])?;
        }
        let options = ReadOptions { sheet: self.sheet, ..ReadOptions::default() };
        let proposal = propose_columns(&self.file, &options)?;
        match self.output {
            Some(path) => {
                output::write_file(&path, proposal.as_bytes())?;
                eprintln!(
                    "列の対応表の案を {} に書き出しました（右側を直して保存し、--columns {} を付けて使います）",
                    path.display(),
                    path.display()
                );
            }
            None => stdout().write_all(proposal.as_bytes())?,
        }
        Ok(Outcome::Done)
    }
}
