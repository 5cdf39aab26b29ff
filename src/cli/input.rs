//! Input files of a command: opened one after the other, problems told as they come, accounts at the end.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    comment::Comment,
    read::{Account, ColumnMap, ReadOptions, Reader, open},
};

/// At most this many problems are shown one by one; the account counts them all.
const SHOWN_PROBLEMS: u64 = 50;

#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// 読み込むファイル（xlsx、xls、ods、csv、tsv、jsonl、事例集のテキスト）。いくつでも指定できる
    #[arg(value_name = "ファイル", required = true)]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: InputOptions,
}

#[derive(Debug, clap::Args)]
pub(super) struct InputOptions {
    /// 列の対応を書いたファイル（jirei columns が案を作る）
    #[arg(long, value_name = "map.toml")]
    columns: Option<PathBuf>,
    /// 読み込むシートの名前（指定しなければすべて）
    #[arg(long, value_name = "シート")]
    sheet: Option<String>,
}

impl InputOptions {
    /// The file with the map of columns.
    pub(super) fn column_map(&self) -> Option<&Path> {
        self.columns.as_deref()
    }

    pub(super) fn read_options(&self) -> anyhow::Result<ReadOptions> {
        let columns = self.columns.as_deref().map(ColumnMap::from_path).transpose()?;
        Ok(ReadOptions { columns, sheet: self.sheet.clone() })
    }
}

impl InputArgs {
    /// Every file that is read.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path).chain(self.options.column_map())
    }

    /// See [`open_files`].
    pub(super) fn open(&self) -> anyhow::Result<Input> {
        open_files(&self.files, &self.options)
    }

    /// As [`InputArgs::open`], each file by itself, with its path.
    pub(super) fn open_each(&self) -> anyhow::Result<Vec<(&Path, Input)>> {
        let readers = readers(&self.files, &self.options)?;
        Ok(self.files.iter().zip(readers).map(|(path, reader)| (path.as_path(), Input::new(vec![reader]))).collect())
    }
}

/// Opens all files before anything is read, so that a wrong path costs nothing.
pub(super) fn open_files(files: &[PathBuf], options: &InputOptions) -> anyhow::Result<Input> {
    let mut readers = readers(files, options)?;
    readers.reverse();
    Ok(Input::new(readers))
}

fn readers(files: &[PathBuf], options: &InputOptions) -> anyhow::Result<Vec<Reader>> {
    let options = options.read_options()?;
    Ok(files.iter().map(|path| open(path, &options)).collect::<Result<Vec<_>, _>>()?)
}

/// A bar on stderr, only when a person is watching and it takes long enough to be seen.
fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {human_pos} 件（{per_sec}、{elapsed}）")
            .expect("the template is a constant that indicatif reads"),
    );
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    bar
}

/// The comments of all input files, in order.
pub(super) struct Input {
    readers: Vec<Reader>,
    accounts: Vec<Account>,
    shown: u64,
    is_quiet: bool,
    progress: ProgressBar,
}

impl Input {
    /// Readers last first.
    fn new(readers: Vec<Reader>) -> Self {
        Self { readers, accounts: Vec::new(), shown: 0, is_quiet: false, progress: progress() }
    }

    /// Hash of the file that is read now.
    pub(super) fn hash(&self) -> &str {
        self.readers.last().map_or("", |reader| &reader.account().hash)
    }

    /// As given, but without a word to the person.
    pub(super) fn quiet(mut self) -> Self {
        self.progress.finish_and_clear();
        self.progress = ProgressBar::hidden();
        self.shown = SHOWN_PROBLEMS;
        self.is_quiet = true;
        self
    }

    /// Ends the progress without an account.
    pub(super) fn give_up(self) {
        self.progress.finish_and_clear();
    }

    /// The accounts of the files that were read to their end.
    pub(super) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Ends the progress, tells the accounts unless it is to be quiet, and gives whether everything was in order.
    pub(super) fn finish(self) -> bool {
        self.progress.finish_and_clear();
        if !self.is_quiet {
            let hidden =
                self.accounts.iter().map(|account| account.problem_count).sum::<u64>().saturating_sub(SHOWN_PROBLEMS);
            if hidden > 0 {
                eprintln!("ほか {hidden} 件の問題は表示していません");
            }
            for account in &self.accounts {
                eprintln!("{account}");
            }
        }
        self.accounts.iter().all(|account| account.problem_count == 0)
    }
}

impl Iterator for Input {
    type Item = Comment;

    fn next(&mut self) -> Option<Comment> {
        loop {
            match self.readers.last_mut()?.next() {
                Some(Ok(comment)) => {
                    self.progress.inc(1);
                    return Some(comment);
                }
                Some(Err(problem)) => {
                    self.shown += 1;
                    if self.shown <= SHOWN_PROBLEMS {
                        self.progress.suspend(|| eprintln!("{problem}"));
                    }
                }
                None => {
                    let reader = self.readers.pop().expect("`last_mut` found it");
                    self.accounts.push(reader.into_account());
                }
            }
        }
    }
}
