//! `jirei verify`: computes again what a record says and compares.

use std::{
    ffi::OsString,
    io::Write,
    path::{Component, Path, PathBuf},
};

use anyhow::Context;
use clap::Parser;

use super::{Cli, Command, Outcome, args, import::KeptCounts, record, stdout};
use crate::{codebook::Codebook, record::RunRecord};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 実行の記録（--record で作った .record.json）
    #[arg(value_name = "記録")]
    record: PathBuf,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let unreadable = || format!("記録 `{}` を読めません", self.record.display());
        let bytes = std::fs::read(&self.record).with_context(unreadable)?;
        let Ok(text) = String::from_utf8(bytes) else {
            anyhow::bail!(
                "`{}` は実行の記録ではありません（UTF-8 の文字のファイルではありません。--record で作った .record.json を指定してください）",
                self.record.display()
            );
        };
        let recorded = RunRecord::parse(text.trim_start_matches('\u{feff}')).with_context(unreadable)?;
        // The record lies beside the output: where the run was started follows from it.
        if let Some(folder) = started_in(&self.record, &recorded) {
            std::env::set_current_dir(&folder)
                .with_context(|| format!("フォルダー `{}` に移れません", folder.display()))?;
        }
        let mut out = stdout();
        let mut differs = 0;
        if let Some(output) = &recorded.output {
            let path = Path::new(&output.path);
            if !path.exists() {
                writeln!(out, "出力 {} がありません", output.path)?;
                differs += 1;
            } else if record::digest(path)?.1 != output.hash {
                writeln!(out, "出力 {} が書き換えられています（記録のときの中身と違います）", output.path)?;
                differs += 1;
            }
        }
        let missing: Vec<&str> = recorded
            .inputs
            .iter()
            .map(|input| &input.path)
            .chain(recorded.settings.iter().map(|file| &file.path))
            .map(String::as_str)
            .filter(|path| !Path::new(path).exists())
            .collect();
        if !missing.is_empty() {
            for path in &missing {
                writeln!(out, "入力 {path} がありません")?;
            }
            out.flush()?;
            anyhow::bail!("ファイルがないので計算し直せません（記録のときと同じ場所に置いてください）");
        }
        // An import is computed from its files alone.
        if let Some(casebook) = recorded.casebook.as_ref().filter(|_| recorded.command != "import") {
            let folder = Path::new(&casebook.folder);
            let file = folder.join(crate::casebook::FILE);
            if !file.is_file() {
                out.flush()?;
                anyhow::bail!(
                    "記録のときの事例帳 {} がありません。元の場所に戻すか、控えを {} として置いてください",
                    folder.display(),
                    file.display()
                );
            }
        }
        let Recomputed { record: mut found, codebook, kept } = recompute(&recorded)?;
        if recorded.command == "import" {
            // The casebook goes on changing with later imports and decisions.
            found.casebook.clone_from(&recorded.casebook);
        }
        for difference in recorded.differences(&found, |id| codebook.short_of(id).to_owned()) {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "なし".to_owned());
            writeln!(
                out,
                "{}が違います: 記録 {} → いま {}",
                difference.place,
                shown(&difference.recorded),
                shown(&difference.found)
            )?;
            differs += 1;
        }
        if differs == 0 {
            writeln!(
                out,
                "記録のとおりです（{}、コメント {} 件、規則 {}、辞書 {}）",
                recorded.command, recorded.counts.comments, recorded.rules.version, recorded.dictionary.version
            )?;
        }
        if let Some(casebook) = recorded.casebook.as_ref().filter(|_| recorded.command == "import") {
            match kept.filter(|_| found.inputs == recorded.inputs) {
                None => writeln!(
                    out,
                    "事例帳 {} とは比べていません（{}）",
                    casebook.folder,
                    match Path::new(&casebook.folder).join(crate::casebook::FILE).is_file() {
                        true => "入力が記録のときと違います",
                        false => "いまはそこにありません",
                    }
                )?,
                Some(kept) => {
                    kept.write(&mut out, &casebook.folder)?;
                    differs += usize::from(!kept.is_accounted_for());
                }
            }
        }
        out.flush()?;
        Ok(if differs == 0 { Outcome::Done } else { Outcome::Findings })
    }
}

/// The folder in which the run was started, where the path of the output tells it.
fn started_in(record: &Path, recorded: &RunRecord) -> Option<PathBuf> {
    let output = match (&recorded.output, &recorded.casebook) {
        (Some(output), _) => Path::new(&output.path),
        (None, Some(casebook)) => Path::new(&casebook.folder),
        (None, None) => return None,
    };
    let record = record.canonicalize().ok()?;
    let beside = record.parent()?;
    // Started in the casebook itself: the record has the name of its folder.
    if recorded.output.is_none() && output.components().eq([Component::CurDir]) {
        let name = record.file_name()?.to_str()?.strip_suffix(".record.json")?;
        let names = [Some(name), name.rsplit_once('.').map(|(name, _)| name)];
        return names.into_iter().flatten().map(|name| beside.join(name)).find(|folder| folder.is_dir());
    }
    let folders = output.parent().filter(|parent| parent.is_relative())?;
    let mut folder = beside.to_path_buf();
    for part in folders.components().rev() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) if folder.file_name() == Some(name) => {
                folder.pop();
            }
            // The record was moved: beside it is the best guess.
            _ => return Some(beside.to_path_buf()),
        }
    }
    Some(folder)
}

/// A run as it is now.
struct Recomputed {
    record: RunRecord,
    codebook: Codebook,
    /// What the casebook has of the comments of an import, where there is one.
    kept: Option<KeptCounts>,
}

fn recompute(recorded: &RunRecord) -> anyhow::Result<Recomputed> {
    let arguments = std::iter::once("jirei").chain(recorded.arguments.iter().map(String::as_str));
    let cli = Cli::try_parse_from(args::arguments(arguments.map(OsString::from))).map_err(|_| {
        anyhow::anyhow!("記録にある指定（{}）を、この版のプログラムは受け付けません", recorded.arguments.join(" "))
    })?;
    let mut kept = None;
    let record = match cli.command {
        Command::Tag(args) => args.recompute(&cli.shared)?,
        Command::Import(args) => {
            let (record, counts) = args.recompute(&cli.shared)?;
            kept = counts;
            record
        }
        Command::Appendix(args) => args.recompute(&cli.shared)?,
        _ => anyhow::bail!("コマンド {} の記録は確かめられません", recorded.command),
    };
    let codebook = cli.shared.rule_set(&cli.shared.analyzer()?)?.codebook().clone();
    Ok(Recomputed { record, codebook, kept })
}
