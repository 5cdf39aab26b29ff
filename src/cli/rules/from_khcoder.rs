//! `jirei rules from-khcoder`: KH Coder's coding rules to a rule file.

use std::path::PathBuf;

use anyhow::Context;

use super::{Outcome, Shared};
use crate::{
    cli::{output, stdout},
    read::read_text,
    rule::convert_khcoder,
    source::Source,
};

/// A coding-rule file larger than this is refused.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// At most this many diagnostics are shown.
const SHOWN: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// KH Coder のコーディングルール・ファイル（UTF-8、Shift_JIS、EUC-JP）
    #[arg(value_name = "ファイル.cod")]
    file: PathBuf,
    /// 書き出す規則ファイル（指定しなければ画面に出す）
    #[arg(short, long, value_name = "ファイル.toml")]
    output: Option<PathBuf>,
    /// 規則に付ける分類の id（指定しなければコードごとに 1 つの分類にする）
    #[arg(long, value_name = "分類")]
    category: Option<String>,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let unreadable = || format!("`{}` を読めません", self.file.display());
        if std::fs::metadata(&self.file).with_context(unreadable)?.len() > MAX_FILE_BYTES {
            anyhow::bail!("`{}` が大きすぎます（1 MB まで）", self.file.display());
        }
        let Some((text, encoding)) = read_text(&self.file).with_context(unreadable)? else {
            anyhow::bail!("`{}` はテキストファイルではありません", self.file.display());
        };
        if let Some(path) = &self.output {
            output::refuse_inputs(path, [self.file.as_path()])?;
        }
        let file = self.output.as_deref().map(output::OutputFile::create).transpose()?;
        let analyzer = shared.analyzer()?;
        let source = Source::new(&self.file, text);
        let conversion = convert_khcoder(&source, self.category.as_deref(), &analyzer);
        if conversion.rules.is_empty() && conversion.diagnostics.is_empty() {
            anyhow::bail!(
                "`{}` にはコードが 1 つもありません（「＊」で始まるコード名の行と、その下の条件の行を書いたファイルを指定してください）",
                self.file.display()
            );
        }
        match file {
            Some(file) => output::finish(file, conversion.toml.as_bytes())?,
            None => {
                let mut out = stdout();
                out.write_all(conversion.toml.as_bytes())?;
                out.flush()?;
            }
        }
        for diagnostic in conversion.diagnostics.iter().take(SHOWN) {
            eprintln!("{diagnostic}");
        }
        if conversion.diagnostics.len() > SHOWN {
            eprintln!("ほか {} 件の注意は表示していません", conversion.diagnostics.len() - SHOWN);
        }
        eprintln!(
            "{}（{encoding}）: 変換した規則 {} 件、変換できなかったコード {} 件、注意 {} 件",
            self.file.display(),
            conversion.rules.len(),
            conversion.refused,
            conversion.diagnostics.len()
        );
        Ok(if conversion.diagnostics.is_empty() { Outcome::Done } else { Outcome::Findings })
    }
}
