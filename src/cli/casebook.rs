//! `jirei casebook`: looking after the casebook.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::{Outcome, Shared, args::HELP_TEMPLATE, clock::moment, stdout};
use crate::{
    analyze::Analyzer,
    casebook::{Casebook, CasebookError, CasebookInfo, Coder, RecodeReport},
    codebook::Codebook,
    index::{self, TokenMaker, TokenMakers},
    pipeline::Pipeline,
    rule::RuleSet,
};

/// How long to wait without a word for another process that writes.
const SILENT: Duration = Duration::from_secs(1);

/// How long to wait in all: longer than any import takes.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 事例帳に何が入っているかを示す
    #[command(help_template = HELP_TEMPLATE)]
    Info(InfoArgs),
    /// 事例帳の記録と索引に傷みや食い違いがないかを調べる
    #[command(help_template = HELP_TEMPLATE)]
    Check(Folder),
    /// 事例帳の控えを1つのファイルに作り、読めることを確かめる
    #[command(help_template = HELP_TEMPLATE)]
    Backup(BackupArgs),
    /// 規則や辞書が変わったとき、事例帳のコメントを分類し直す（人が決めた分類は変わらない）
    #[command(help_template = HELP_TEMPLATE)]
    Recode(Folder),
}

/// Which casebook.
#[derive(Debug, clap::Args)]
pub(super) struct Folder {
    /// 事例帳のフォルダー
    #[arg(long, value_name = "フォルダー", default_value = "casebook")]
    pub(super) casebook: PathBuf,
}

#[derive(Debug, clap::Args)]
struct InfoArgs {
    #[command(flatten)]
    folder: Folder,
    /// 出力の形式（text または json）
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "形式", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Debug, clap::Args)]
struct BackupArgs {
    /// 控えのファイル（例: 控え/casebook-0120.sqlite）
    #[arg(value_name = "ファイル")]
    file: PathBuf,
    #[command(flatten)]
    folder: Folder,
    /// 同じ名前のファイルがあれば置き換える
    #[arg(long)]
    overwrite: bool,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Info(args) => info(&args, shared),
            Command::Check(folder) => check(&folder.casebook, shared),
            Command::Backup(args) => backup(&args),
            Command::Recode(folder) => recode_command(&folder.casebook, shared),
        }
    }
}

/// Opens a casebook to write into it. Where another process writes, says so and waits for it.
pub(super) fn open_for_writing(folder: &Path, create: bool) -> anyhow::Result<Casebook> {
    let mut casebook = if create { Casebook::open_or_create(folder)? } else { Casebook::open(folder)? };
    await_turn(&mut casebook)?;
    Ok(casebook)
}

/// Waits until nobody else writes into a casebook, and says so where it takes a while.
pub(super) fn await_turn(casebook: &mut Casebook) -> anyhow::Result<()> {
    casebook.set_patience(SILENT)?;
    let locked = match casebook.lock() {
        Ok(_) => false,
        Err(error) if error.is_locked() => true,
        Err(error) => return Err(error.into()),
    };
    if locked {
        eprintln!(
            "事例帳 {} は別のプロセスが書き込み中です。終わるのを待っています（やめるときは Ctrl+C）",
            casebook.folder().display()
        );
    }
    casebook.set_patience(PATIENCE)?;
    Ok(())
}

fn info(args: &InfoArgs, shared: &Shared) -> anyhow::Result<Outcome> {
    let folder = &args.folder.casebook;
    let casebook = Casebook::open(folder)?;
    let info = casebook.info()?;
    let state = index::state(folder, shared.analyzer()?.version()).map_err(|error| match casebook.is_read_only() {
        true => error.unwritable(folder),
        false => error,
    });
    let mut out = stdout();
    match args.format {
        Format::Json => {
            let mut value = serde_json::to_value(&info)?;
            value["folder"] = json!(folder);
            value["index"] = match &state {
                Ok(info) => {
                    json!({"usable": true, "schema": info.schema, "dictionary": info.dictionary, "rules": info.rules, "revision": info.revision})
                }
                Err(error) => json!({"usable": false, "reason": error.to_string()}),
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        }
        Format::Text => {
            write_info(&mut out, folder, &info)?;
            match state {
                Ok(_) => writeln!(out, "索引: 記録と合っています")?,
                Err(error) => writeln!(out, "索引: {error}")?,
            }
        }
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn write_info(out: &mut dyn Write, folder: &Path, info: &CasebookInfo) -> std::io::Result<()> {
    writeln!(
        out,
        "事例帳: {}（記録の形式 {}、版 {}、{} バイト）",
        folder.display(),
        info.schema,
        info.revision,
        info.bytes
    )?;
    writeln!(out, "コメント: {} 件", info.comments)?;
    if info.former_comments > 0 {
        writeln!(out, "訂正の前の本文: {} 件（残してあります）", info.former_comments)?;
    }
    writeln!(out, "人の判断: {} 件（ほかに取り消し {} 件）", info.decisions, info.undone_decisions)?;
    for coder in &info.coders {
        let dictionary = if coder.dictionary.is_empty() { "不明" } else { &coder.dictionary };
        writeln!(out, "分類した規則: {}（辞書 {dictionary}）: {} 件", coder.rules, coder.comments)?;
    }
    let names: BTreeSet<&str> = info.files.iter().map(|file| file.file.as_str()).collect();
    writeln!(
        out,
        "取り込み: {} 回（ファイル名は {} 通り。同じファイルを取り込み直しただけの回は数えません）",
        info.files.len(),
        names.len()
    )?;
    for file in &info.files {
        writeln!(
            out,
            "  {} {}: 追加 {}、更新 {}、分類し直し {}、変わらず {}（BLAKE3 {}…）",
            moment(&file.imported_at),
            file.file,
            file.added,
            file.updated,
            file.recoded,
            file.unchanged,
            file.hash.get(..16).unwrap_or(&file.hash)
        )?;
    }
    let commands: Vec<String> =
        info.runs_by_command.iter().map(|(command, runs)| format!("{command} {runs} 件")).collect();
    match commands.is_empty() {
        true => writeln!(out, "実行の記録: 0 件"),
        false => writeln!(
            out,
            "実行の記録: {} 件（{}。一度に取り込んだファイルはまとめて 1 件です）",
            info.runs,
            commands.join("、")
        ),
    }
}

fn check(folder: &Path, shared: &Shared) -> anyhow::Result<Outcome> {
    let casebook = Casebook::open(folder)?;
    let mut out = stdout();
    let faults = casebook.check()?;
    for fault in &faults {
        writeln!(out, "記録: {fault}")?;
    }
    if !faults.is_empty() {
        writeln!(out, "記録に傷みがあります（{} 件）。控えから戻してください", faults.len())?;
        out.flush()?;
        return Ok(Outcome::Findings);
    }
    writeln!(out, "記録: 傷みはありません（コメント {} 件）", casebook.comment_count()?)?;
    let outcome = match index::check(&casebook, shared.analyzer()?.version()) {
        Ok(faults) if faults.is_empty() => {
            writeln!(out, "索引: 記録と合っています")?;
            Outcome::Done
        }
        Ok(faults) => {
            for fault in &faults {
                writeln!(out, "{fault}")?;
            }
            writeln!(out, "索引が記録と違います。jirei index rebuild で作り直してください（記録は無事です）")?;
            Outcome::Findings
        }
        Err(error) if error.needs_rebuild() && casebook.is_read_only() => {
            writeln!(out, "索引: {}", error.unwritable(folder))?;
            Outcome::Findings
        }
        // Behind or absent is what a stopped run leaves; the next command that needs it makes it anew.
        Err(error @ (index::IndexError::Missing(_) | index::IndexError::Outdated { .. })) => {
            writeln!(out, "索引: {error}")?;
            writeln!(out, "索引は次に使うときに作り直されます（いま作るなら jirei index rebuild）")?;
            Outcome::Done
        }
        Err(error @ index::IndexError::Damaged { .. }) => {
            writeln!(out, "索引: {error}")?;
            writeln!(out, "jirei index rebuild で作り直してください（記録は無事です）")?;
            Outcome::Findings
        }
        Err(error) => return Err(error.into()),
    };
    out.flush()?;
    Ok(outcome)
}

fn backup(args: &BackupArgs) -> anyhow::Result<Outcome> {
    let to = &args.file;
    let folder = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        anyhow::bail!("控えを置くフォルダー `{}` がありません（先にフォルダーを作ってください）", folder.display());
    }
    if to.is_dir() {
        anyhow::bail!("`{}` はフォルダーです（控えのファイル名を指定してください）", to.display());
    }
    let exists = || {
        format!(
            "`{}` がすでにあります（別の名前にするか、置き換えてよければ --overwrite を付けてください）",
            to.display()
        )
    };
    if to.exists() && !args.overwrite {
        anyhow::bail!(exists());
    }
    if to.exists() && !super::output::is_database(to) {
        anyhow::bail!("`{}` は控えではないので置き換えません（別の名前を指定してください）", to.display());
    }
    let casebook = Casebook::open(&args.folder.casebook)?;
    if to.canonicalize().is_ok_and(|to| {
        args.folder.casebook.join(crate::casebook::FILE).canonicalize().is_ok_and(|record| record == to)
    }) {
        anyhow::bail!("`{}` は事例帳そのものです（控えは別の場所に作ってください）", to.display());
    }
    // Beside its place and then put there: whatever happens, no half of a copy has the name of one.
    let unfinished = tempfile::Builder::new()
        .prefix(".jirei-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .with_context(|| format!("控えを置くフォルダー `{}` に書き込めません", folder.display()))?
        .into_temp_path();
    let comments = casebook.backup(&unfinished).map_err(|error| match error {
        CasebookError::Backup { error, .. } => CasebookError::Backup { path: to.clone(), error },
        error => error,
    })?;
    super::output::make_readable(&unfinished);
    let placed = if args.overwrite { unfinished.persist(to) } else { unfinished.persist_noclobber(to) };
    placed.map_err(|error| error.error).with_context(|| {
        if to.exists() && !args.overwrite { exists() } else { format!("控え `{}` を置けません", to.display()) }
    })?;
    let bytes = std::fs::metadata(to).with_context(|| format!("控え `{}` を読めません", to.display()))?.len();
    eprintln!("控え {} を作り、読めることを確かめました（コメント {comments} 件、{bytes} バイト）", to.display());
    Ok(Outcome::Done)
}

fn recode_command(folder: &Path, shared: &Shared) -> anyhow::Result<Outcome> {
    let analyzer = shared.analyzer()?;
    let rules = shared.rule_set(&analyzer)?;
    let mut casebook = open_for_writing(folder, false)?;
    let report = recode(&mut casebook, &analyzer, &rules)?;
    if report.recoded == 0 {
        eprintln!(
            "すべてのコメントが、いまの規則（{}）と辞書（{}）で分類されています。変えたものはありません",
            rules.version(),
            analyzer.version()
        );
    } else {
        tell(&report, rules.codebook());
    }
    Ok(Outcome::Done)
}

/// Codes what other rules or another dictionary coded.
pub(super) fn recode(casebook: &mut Casebook, analyzer: &Analyzer, rules: &RuleSet) -> anyhow::Result<RecodeReport> {
    let coder = Coder { rules: rules.version().to_owned(), dictionary: analyzer.version().to_owned() };
    let pipeline = Pipeline::new(analyzer, rules);
    let makers = TokenMakers::new(analyzer);
    let mut maker = TokenMaker::new(analyzer);
    let report = index::recode(casebook, &mut maker, &coder, rules.codebook(), |stored| {
        pipeline.classify(&stored.comment, |analysis, classification| (classification, makers.tokens_of(analysis)))
    })?;
    Ok(report)
}

/// Says what coding anew changed.
pub(super) fn tell(report: &RecodeReport, codebook: &Codebook) {
    eprintln!(
        "規則か辞書が変わったので {} 件を分類し直しました（分類が変わったコメント {} 件。人が決めた分類はそのままです）",
        report.recoded, report.relabelled
    );
    for change in &report.categories {
        eprintln!(
            "  {}: 新しく付いた {} 件、外れた {} 件",
            codebook.short_of(&change.category),
            change.gained,
            change.lost
        );
    }
}

/// Says where a casebook was coded by other rules than these.
pub(super) fn tell_of_other_rules(
    casebook: &Casebook,
    analyzer: &Analyzer,
    rules: &RuleSet,
) -> Result<(), CasebookError> {
    let coder = Coder { rules: rules.version().to_owned(), dictionary: analyzer.version().to_owned() };
    let otherwise = casebook.coded_otherwise(&coder)?;
    if otherwise > 0 {
        eprintln!(
            "注意: 事例帳の {otherwise} 件は、いまとは別の規則か辞書で分類されています（jirei casebook recode で分類し直せます）"
        );
    }
    Ok(())
}
