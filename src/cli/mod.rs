//! The commands: one file each, with its arguments and what it does. Only this module prints.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line is where results are printed")]

mod appendix;
mod args;
mod casebook;
mod clock;
mod columns;
mod evaluate;
mod import;
mod index;
mod input;
mod licenses;
mod output;
mod record;
mod review;
mod rules;
mod search;
mod table;
mod tag;
mod tokens;
mod verify;

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::{
    analyze::Analyzer,
    fault,
    rule::{RuleSet, RuleSetError, embedded_rules},
    source::Source,
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Done.
    Done,
    /// Done, with findings: bad rows, failing examples.
    Findings,
}

#[derive(Debug, Parser)]
#[command(
    name = "jirei",
    version,
    about = "アンケートの自由記載を分類し、根拠を示し、事例集を作ります。",
    disable_help_subcommand = true,
    disable_help_flag = true,
    disable_version_flag = true,
    help_template = args::HELP_TEMPLATE,
    subcommand_help_heading = "コマンド",
    next_help_heading = "オプション",
)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Shared {
    /// 規則のフォルダー（指定しなければ組み込みの規則）
    #[arg(long, value_name = "フォルダー", global = true)]
    rules: Option<PathBuf>,
    /// lindera でコンパイルした IPADIC 形式の辞書のフォルダー（指定しなければ組み込みの辞書）
    #[arg(long, value_name = "フォルダー", global = true)]
    dictionary: Option<PathBuf>,
    /// 使うスレッドの数（指定しなければ CPU の数）
    #[arg(long, value_name = "数", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// 説明を表示する
    #[arg(short = 'h', long, global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// バージョンを表示する
    #[arg(short = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// The arguments of the process, for the record of the run.
    #[arg(skip)]
    arguments: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// コメントを分類し、根拠とともに書き出す
    #[command(help_template = args::HELP_TEMPLATE)]
    Tag(tag::Args),
    /// コメントを事例帳に取り込む（分類し、索引を作る）
    #[command(help_template = args::HELP_TEMPLATE)]
    Import(import::Args),
    /// 事例帳からコメントを探す
    #[command(help_template = args::HELP_TEMPLATE)]
    Search(search::Args),
    /// 分類別の事例集を作る
    #[command(help_template = args::HELP_TEMPLATE)]
    Appendix(appendix::Args),
    /// 事例帳を調べる・控えを作る・分類し直す
    #[command(help_template = args::HELP_TEMPLATE, subcommand_help_heading = "コマンド")]
    Casebook(casebook::Args),
    /// 事例帳の索引を作り直す
    #[command(help_template = args::HELP_TEMPLATE, subcommand_help_heading = "コマンド")]
    Index(index::Args),
    /// 分類を Excel で確かめて直し、事例帳に取り込む
    #[command(help_template = args::HELP_TEMPLATE, subcommand_help_heading = "コマンド")]
    Review(review::Args),
    /// ファイルの列が何として読まれるかを調べ、対応表の案を作る
    #[command(help_template = args::HELP_TEMPLATE)]
    Columns(columns::Args),
    /// 正解と比べ、分類の正確さを測る
    #[command(help_template = args::HELP_TEMPLATE)]
    Evaluate(evaluate::Args),
    /// 規則を調べる・試す・説明させる
    #[command(help_template = args::HELP_TEMPLATE, subcommand_help_heading = "コマンド")]
    Rules(rules::Args),
    /// 実行の記録のとおりになるかを、計算し直して確かめる
    #[command(help_template = args::HELP_TEMPLATE)]
    Verify(verify::Args),
    /// プログラムと組み込みの辞書のライセンスを表示する
    #[command(help_template = args::HELP_TEMPLATE)]
    Licenses,
    /// 文を形態素に分けて表示する
    #[command(help_template = args::HELP_TEMPLATE)]
    Tokens(tokens::Args),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let mut cli = match Cli::try_parse_from(args::arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return args::report(&error),
    };
    if let Some(threads) = cli.shared.threads {
        // Fails only when a pool exists already, which no command made so far.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    cli.shared.arguments =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    output::clean_up_when_interrupted();
    let result = match cli.command {
        Command::Tag(args) => args.run(&cli.shared),
        Command::Import(args) => args.run(&cli.shared),
        Command::Search(args) => args.run(&cli.shared),
        Command::Appendix(args) => args.run(&cli.shared),
        Command::Casebook(args) => args.run(&cli.shared),
        Command::Index(args) => args.run(&cli.shared),
        Command::Review(args) => args.run(&cli.shared),
        Command::Columns(args) => args.run(),
        Command::Evaluate(args) => args.run(&cli.shared),
        Command::Rules(args) => args.run(&cli.shared),
        Command::Verify(args) => args.run(),
        Command::Licenses => licenses::run(),
        Command::Tokens(args) => args.run(&cli.shared),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        // The reader of our output has gone (`| head`): nothing is left to say.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref::<RuleSetError>() {
                Some(RuleSetError(diagnostics)) => {
                    for diagnostic in diagnostics {
                        eprintln!("{diagnostic}");
                    }
                    eprintln!("エラー: 規則に誤りがあります（{} 件）", diagnostics.len());
                }
                None => {
                    eprintln!("エラー: {error}");
                    for cause in fault::causes(&error) {
                        eprintln!("  原因: {cause}");
                    }
                }
            }
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

impl Shared {
    fn analyzer(&self) -> anyhow::Result<Analyzer> {
        Ok(match &self.dictionary {
            None => Analyzer::embedded()?,
            Some(folder) => Analyzer::with_dictionary(folder)?,
        })
    }

    fn rule_set(&self, analyzer: &Analyzer) -> anyhow::Result<RuleSet> {
        match &self.rules {
            None => Ok(RuleSet::embedded(analyzer)?),
            Some(_) => self.checked_rule_set(analyzer),
        }
    }

    /// As `rule_set`, and the embedded rules are linted as any others, which takes its time.
    fn checked_rule_set(&self, analyzer: &Analyzer) -> anyhow::Result<RuleSet> {
        Ok(RuleSet::from_sources(&self.rule_sources()?, analyzer)?)
    }

    fn rule_sources(&self) -> anyhow::Result<Vec<Arc<Source>>> {
        match &self.rules {
            None => Ok(embedded_rules()),
            Some(folder) => read_rule_folder(folder),
        }
    }

    /// BLAKE3 of the names and contents of the rule files.
    fn rules_hash(&self) -> anyhow::Result<String> {
        let mut hasher = blake3::Hasher::new();
        for source in self.rule_sources()? {
            let path = source.path();
            let name = path.rsplit(['/', '\\']).next().unwrap_or(&path);
            for part in [name, source.text()] {
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// The `.toml` files of a folder, sorted by name.
fn read_rule_folder(folder: &std::path::Path) -> anyhow::Result<Vec<Arc<Source>>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("規則のフォルダー `{}` を開けません", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        // What editors keep beside an open file (`~$rules.toml`, `.#rules.toml`) is no rule file.
        let is_kept_aside = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['~', '.']));
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
            && !is_kept_aside
            && !path.is_dir()
        {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        anyhow::bail!("規則のフォルダー `{}` に .toml ファイルがありません", folder.display());
    }
    paths
        .into_iter()
        .map(|path| {
            let bytes =
                std::fs::read(&path).with_context(|| format!("規則ファイル `{}` を読めません", path.display()))?;
            let text = String::from_utf8(bytes).map_err(|error| {
                let line =
                    error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
                anyhow::anyhow!(
                    "規則ファイル `{}` の {line} 行目が UTF-8 ではありません（UTF-8 で保存し直してください）",
                    path.display()
                )
            })?;
            Ok(Source::new(path, text))
        })
        .collect()
}

/// Standard output, buffered unless a person is reading along.
fn stdout() -> Box<dyn Write> {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        Box::new(stdout.lock())
    } else {
        Box::new(io::BufWriter::with_capacity(1 << 16, stdout.lock()))
    }
}
