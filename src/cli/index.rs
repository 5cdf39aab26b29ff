//! `jirei index`: the index of a casebook.

use std::io::Write;

use clap::Subcommand;

use super::{
    Outcome, Shared,
    args::HELP_TEMPLATE,
    casebook::{Folder, open_for_writing},
    stdout,
};
use crate::{
    casebook::Casebook,
    index::{self, TokenMaker},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 事例帳の記録から索引を作り直す
    #[command(help_template = HELP_TEMPLATE)]
    Rebuild(Folder),
    /// 索引が何から作られ、使えるかどうかを示す
    #[command(help_template = HELP_TEMPLATE)]
    Info(Folder),
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        match self.command {
            Command::Rebuild(Folder { casebook: folder }) => {
                let mut casebook = open_for_writing(&folder, false)?;
                let mut maker = TokenMaker::new(&analyzer);
                index::rebuild_with(&mut casebook, &mut maker, analyzer.version())?;
                eprintln!("索引を作り直しました（{}、コメント {} 件）", folder.display(), casebook.comment_count()?);
                Ok(Outcome::Done)
            }
            Command::Info(Folder { casebook: folder }) => {
                // A casebook that is none is another matter than an index that is behind.
                let casebook = Casebook::open(&folder)?;
                let mut out = stdout();
                let outcome = match index::state(&folder, analyzer.version()) {
                    Ok(info) => {
                        writeln!(
                            out,
                            "索引: 使えます（形式 {}、辞書 {}、規則 {}、記録の版 {}）",
                            info.schema, info.dictionary, info.rules, info.revision
                        )?;
                        Outcome::Done
                    }
                    Err(error) if error.needs_rebuild() && casebook.is_read_only() => {
                        writeln!(out, "{}", error.unwritable(&folder))?;
                        Outcome::Findings
                    }
                    Err(error) if error.needs_rebuild() => {
                        writeln!(out, "{error}")?;
                        writeln!(out, "次に使うときに作り直されます（いま作るなら jirei index rebuild）")?;
                        Outcome::Findings
                    }
                    Err(error) => return Err(error.into()),
                };
                out.flush()?;
                Ok(outcome)
            }
        }
    }
}
