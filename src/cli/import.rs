//! `jirei import`: files into the casebook; read, classified, indexed.

use std::{
    path::PathBuf,
    sync::{Mutex, mpsc},
};

use anyhow::Context;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Outcome, Shared, input::InputArgs};
use crate::{
    casebook::{Casebook, ImportSource},
    index::{Entry, TokenMaker, import},
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
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let inputs = self.input.open_each()?;
        let mut casebook = Casebook::open_or_create(&self.casebook)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        // Tokens are made where the text is analysed, so that it is analysed once.
        let makers: Vec<Mutex<TokenMaker<'_>>> =
            (0..=rayon::current_num_threads()).map(|_| Mutex::new(TokenMaker::new(&analyzer))).collect();
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
            let (sender, receiver) = mpsc::sync_channel::<Entry>(QUEUE);
            let report = std::thread::scope(|scope| {
                let (pipeline, makers, input) = (&pipeline, &makers, &mut input);
                scope.spawn(move || {
                    // An import that failed no longer receives: the rest need not be classified.
                    let _ = pipeline.run(
                        input,
                        |comment, analysis, classification| {
                            let index = rayon::current_thread_index().map_or(0, |index| index + 1) % makers.len();
                            let mut maker = makers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                            Entry::with_tokens(comment, classification, maker.tokens_of(analysis))
                        },
                        |entry| sender.send(entry).map_err(drop),
                    );
                });
                import(&mut casebook, &mut maker, &source, rules.codebook(), receiver)
            })?;
            clean &= input.finish();
            eprintln!(
                "  事例帳 {}: 追加 {} 件、更新 {} 件、分類し直し {} 件、変わらず {} 件",
                self.casebook.display(),
                report.added,
                report.updated,
                report.recoded,
                report.unchanged
            );
            if report.repeated > 0 {
                let ids: Vec<&str> = report.repeated_ids.iter().take(5).map(|id| id.as_str()).collect();
                eprintln!("  同じ番号の回答 {} 件は取り込んでいません（{}）", report.repeated, ids.join("、"));
                clean = false;
            }
        }
        Ok(if clean { Outcome::Done } else { Outcome::Findings })
    }
}
