//! `jirei review`: people's corrections, to a workbook and back.

mod agreement;
mod contradictions;
mod export;
mod import;
mod log;
mod undo;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::{
    Outcome, Shared,
    clock::{moment, now},
};
use crate::casebook::{Action, FrameCategory, Judgement, ReplacementKind};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// コメントを、分類を確かめて直すための Excel ファイルに書き出す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Export(export::Args),
    /// 直した Excel ファイルを取り込む（変えたセルだけ）
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Import(import::Args),
    /// 人の判断を、作業ごとに、または一件ずつ並べる
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Log(log::Args),
    /// 作業をまるごと、または判断を一件だけ取り消す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Undo(undo::Args),
    /// 判断のあとで規則の判定や本文が変わったものを並べる
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Contradictions(contradictions::Args),
    /// 二人の分類がどれほど一致するかを測る
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Agreement(agreement::Args),
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Export(args) => args.run(shared),
            Command::Import(args) => args.run(shared),
            Command::Log(args) => args.run(),
            Command::Undo(args) => args.run(shared),
            Command::Contradictions(args) => args.run(),
            Command::Agreement(args) => args.run(),
        }
    }
}

/// The casebook of a command.
#[derive(Debug, clap::Args)]
struct CasebookArgs {
    /// 事例帳のフォルダー
    #[arg(long, value_name = "フォルダー", default_value = "casebook")]
    casebook: PathBuf,
}

impl CasebookArgs {
    /// The option as a command to be typed needs it: nothing where it names what is meant without it.
    fn option(&self) -> String {
        match self.casebook == Path::new("casebook") {
            true => String::new(),
            false => format!(" --casebook {}", self.casebook.display()),
        }
    }
}

/// Keeps a workbook in which somebody may have corrected something from being replaced unasked.
fn refuse_existing(path: &Path, overwrite: bool) -> anyhow::Result<()> {
    if path.is_file() && !overwrite {
        anyhow::bail!(
            "`{}` がすでにあります。置き換えると、そのファイルに書き込んだ直しは失われます（別の名前にするか、置き換えてよければ --overwrite を付けてください）",
            path.display()
        );
    }
    Ok(())
}

/// A list for the eye or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Table,
    Jsonl,
    Csv,
}

/// Somebody's name as they gave it.
fn coder(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() {
        anyhow::bail!("--coder に名前を書いてください（だれの判断かを記録に残します）");
    }
    Ok(name.to_owned())
}

/// The short name of a category, or its id where it has none.
fn category_name<'f>(frame: &'f [FrameCategory], id: &'f str) -> &'f str {
    frame.iter().find(|category| *category.id == *id).map_or(id, |category| category.short.as_str())
}

/// A judgement in a few words: what it is about, and what was said.
fn described(judgement: &Judgement, frame: &[FrameCategory]) -> (String, String) {
    match judgement {
        Judgement::Category { category, action: Action::Primary } => {
            ("主分類".to_owned(), category_name(frame, category).to_owned())
        }
        Judgement::Category { category, action } => {
            let said = match action {
                Action::Accept => "承認",
                Action::Remove => "外す",
                Action::Add | Action::Primary => "追加",
                Action::Leave => "規則に任せる",
            };
            (category_name(frame, category).to_owned(), said.to_owned())
        }
        Judgement::GoodQuote(good_quote) => {
            let said = match good_quote {
                Some(true) => "○",
                Some(false) => "×",
                None => "決めない",
            };
            ("引用候補".to_owned(), said.to_owned())
        }
        Judgement::Note(note) if note.is_empty() => ("メモ".to_owned(), "消す".to_owned()),
        Judgement::Note(note) => ("メモ".to_owned(), crate::report::one_line(note)),
        Judgement::Replace { kind, char_range, text } => {
            (replacement_name(*kind, char_range), format!("「{}」と印刷", crate::report::one_line(text)))
        }
        Judgement::Reject { kind, char_range } => (replacement_name(*kind, char_range), "元のまま印刷".to_owned()),
    }
}

fn replacement_name(kind: ReplacementKind, char_range: &std::ops::Range<usize>) -> String {
    let kind = match kind {
        ReplacementKind::Mask => "伏せ字",
        ReplacementKind::Correction => "表記の訂正",
    };
    format!("{kind}（{}～{}文字目）", char_range.start + 1, char_range.end)
}
