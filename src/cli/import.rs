//! `jirei import`: files into the casebook; read, classified, indexed.

use std::{path::PathBuf, sync::mpsc};

use anyhow::Context;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Outcome, Shared,
    casebook::{open_for_writing, recode, tell},
    input::InputArgs,
};
use crate::{
    casebook::{Coder, ImportReport, ImportSource},
    comment::CommentId,
    index::{Entry, TokenMaker, TokenMakers, import_if},
    pipeline::Pipeline,
};

/// Entries on their way between the classifying threads and the writing one.
const QUEUE: usize = 8192;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 事例帳のフォルダー（なければ作る）
    #[arg(long, value_name = "フォルダー", default_value = "casebook")]
    casebook: PathBuf,
    /// 番号が重なる別の調査を同じ事例帳に入れるときの名前（番号の前に「名前/」が付く）
    #[arg(long, value_name = "名前")]
    survey: Option<String>,
    /// 本文の多くが入れ替わっていても、同じ調査の訂正版として取り込む
    #[arg(long)]
    corrected: bool,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let inputs = self.input.open_each()?;
        let mut casebook = open_for_writing(&self.casebook, true)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        // Tokens are made where the text is analysed, so that it is analysed once.
        let makers = TokenMakers::new(&analyzer);
        let mut maker = TokenMaker::new(&analyzer);
        let mut clean = true;
        for (path, mut input) in inputs {
            let source = ImportSource {
                file: path.display().to_string(),
                hash: input.hash().to_owned(),
                imported_at: OffsetDateTime::now_utc().format(&Rfc3339).context("時刻を取得できません")?,
                dictionary: analyzer.version().to_owned(),
                rules: rules.version().to_owned(),
            };
            let (sender, receiver) = mpsc::sync_channel::<Option<Entry>>(QUEUE);
            let report = std::thread::scope(|scope| {
                let (pipeline, makers, input) = (&pipeline, &makers, &mut input);
                let comments = input.map(|mut comment| {
                    if let Some(survey) = &self.survey {
                        comment.id = CommentId::new(format!("{survey}/{}", comment.id));
                    }
                    comment
                });
                scope.spawn(move || {
                    let classified = pipeline.run(
                        comments,
                        |comment, analysis, classification| {
                            Entry::with_tokens(comment, classification, makers.tokens_of(analysis))
                        },
                        |entry| sender.send(Some(entry)).map_err(drop),
                    );
                    // An import that failed no longer receives: the rest need not be classified.
                    if classified.is_ok() {
                        let _ = sender.send(None);
                    }
                });
                // Without the mark of the end, what came is not all: nothing of it may be kept.
                let entries = std::iter::from_fn(|| {
                    let stopped = || Some(Err(anyhow::anyhow!("分類の途中で止まりました（何も取り込んでいません）")));
                    receiver.recv().map_or_else(|_| stopped(), |entry| entry.map(Ok))
                });
                import_if(&mut casebook, &mut maker, &source, rules.codebook(), entries, |report| self.agree(report))
            })?;
            clean &= input.finish();
            eprintln!(
                "  事例帳 {}: 追加 {} 件、更新 {} 件、分類し直し {} 件（うち分類が変わった {} 件）、変わらず {} 件",
                self.casebook.display(),
                report.added,
                report.updated,
                report.recoded,
                report.relabelled,
                report.unchanged
            );
            if report.updated > 0 {
                let ids: Vec<&str> = report.updated_ids.iter().take(5).map(|id| id.as_str()).collect();
                let more = if report.updated > 5 { " ほか" } else { "" };
                eprintln!("  更新した回答: {}{more}（前の内容も残してあります）", ids.join("、"));
            }
            if report.absent > 0 {
                eprintln!(
                    "  以前の {} にあった回答 {} 件は、今回のファイルにはありません（事例帳には残してあります）",
                    path.display(),
                    report.absent
                );
            }
            if report.repeated > 0 {
                let ids: Vec<&str> = report.repeated_ids.iter().take(5).map(|id| id.as_str()).collect();
                eprintln!("  同じ番号の回答 {} 件は取り込んでいません（{}）", report.repeated, ids.join("、"));
                clean = false;
            }
        }
        // Comments of other files were coded by the rules of their day: labels of two kinds cannot be counted together.
        let coder = Coder { rules: rules.version().to_owned(), dictionary: analyzer.version().to_owned() };
        if casebook.coded_otherwise(&coder)? > 0 {
            tell(&recode(&mut casebook, &analyzer, &rules)?);
        }
        Ok(if clean { Outcome::Done } else { Outcome::Findings })
    }

    /// Whether the file may come in: two surveys that number their responses alike must not overwrite each other.
    fn agree(&self, report: &ImportReport) -> anyhow::Result<()> {
        if self.corrected || !report.looks_foreign() {
            return Ok(());
        }
        anyhow::bail!(
            "事例帳 `{}` に同じ番号の回答がありますが、{} 件の本文がまったく違います。別の調査のファイルではありませんか（何も取り込んでいません）\n  別の調査なら --survey 名前 を付けるか、別の事例帳（--casebook）に取り込んでください\n  同じ調査の訂正版なら --corrected を付けてください",
            self.casebook.display(),
            report.unlike
        )
    }
}
