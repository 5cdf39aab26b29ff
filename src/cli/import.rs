//! `jirei import`: files into the casebook; read, classified, indexed.

use std::{
    collections::HashSet,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc,
};

use anyhow::Context;

use super::{
    Outcome, Shared,
    casebook::{open_for_writing, recode, tell},
    clock::this_second,
    input::{Input, InputArgs},
    record::{self, Recorder},
    table::first_ids,
};
use crate::{
    analyze::Analyzer,
    casebook::{self, Casebook, Coder, ImportReport, ImportSource, Kept},
    comment::{Comment, CommentId},
    index::{Entry, TokenMaker, TokenMakers, import_if},
    pipeline::Pipeline,
    record::{CasebookRecord, Counted, RunRecord},
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
    /// 実行の記録を「事例帳の名前.record.json」（2 回目からは「事例帳の名前.2.record.json」など）としても残す（事例帳の中にはいつも残る）
    #[arg(long)]
    record: bool,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        if self.survey.as_ref().is_some_and(|survey| survey.trim().is_empty()) {
            anyhow::bail!("--survey に名前を書いてください（番号の前に「名前/」が付きます）");
        }
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        let mut recorder = Recorder::new("import", shared, &analyzer, &rules)?;
        recorder.setting(self.input.options.column_map())?;
        let inputs = self.input.open_each()?;
        let casebook = open_for_writing(&self.casebook, true)?;
        let mut importer = Importer {
            args: &self,
            analyzer: &analyzer,
            pipeline: &pipeline,
            makers: TokenMakers::new(&analyzer),
            maker: TokenMaker::new(&analyzer),
            casebook,
            recorder,
            is_on_record: false,
        };
        let mut clean = true;
        let mut stopped = Ok(());
        for (path, input) in inputs {
            match importer.import(path, input) {
                Ok(was_clean) => clean &= was_clean,
                Err(error) => {
                    stopped = Err(error);
                    break;
                }
            }
        }
        let Importer { mut casebook, mut recorder, is_on_record, .. } = importer;
        // Files before the one that failed are in: the record says so.
        if is_on_record || (self.record && stopped.is_ok()) {
            recorder.casebook(casebook_record(&casebook)?);
            let record = recorder.finish(None)?;
            casebook.append_run(&record.ended_at, &record.to_json())?;
            if self.record {
                record::write_to(&record::next_beside(&self.casebook)?, &record)?;
            }
        }
        stopped?;
        // Comments of other files were coded by the rules of their day: labels of two kinds cannot be counted together.
        let coder = Coder { rules: rules.version().to_owned(), dictionary: analyzer.version().to_owned() };
        if casebook.coded_otherwise(&coder)? > 0 {
            tell(&recode(&mut casebook, &analyzer, &rules)?, rules.codebook());
        }
        Ok(if clean { Outcome::Done } else { Outcome::Findings })
    }

    /// What a record of this run says when the files are read and classified now, and what the casebook, if it is there,
    /// has of their comments. Its state is left out of the record: it goes on changing.
    pub(super) fn recompute(&self, shared: &Shared) -> anyhow::Result<(RunRecord, Option<KeptCounts>)> {
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        let mut recorder = Recorder::new("import", shared, &analyzer, &rules)?;
        recorder.setting(self.input.options.column_map())?;
        let mut casebook = match self.casebook.join(casebook::FILE).is_file() {
            true => Some(Casebook::open(&self.casebook)?),
            false => None,
        };
        let mut kept = KeptCounts::default();
        for (_, input) in self.input.open_each()? {
            let mut input = input.quiet();
            // Only the first comment of an id came in.
            let mut seen = HashSet::new();
            pipeline.run(
                input.by_ref().map(|comment| self.named(comment)),
                |comment, _, classification| (Counted::new(&comment, &classification), comment),
                |(counted, comment)| {
                    recorder.count(&counted);
                    if let Some(casebook) = casebook.as_mut().filter(|_| seen.insert(comment.id.clone())) {
                        kept.count(casebook.kept(&comment)?);
                    }
                    Ok::<(), anyhow::Error>(())
                },
            )?;
            recorder.inputs(input.accounts());
        }
        Ok((recorder.finish(None)?, casebook.map(|_| kept)))
    }

    /// A comment under the name of its survey.
    fn named(&self, mut comment: Comment) -> Comment {
        if let Some(survey) = &self.survey {
            comment.id = CommentId::new(format!("{}/{}", survey.trim(), comment.id));
        }
        comment
    }

    /// Whether the file may come in: two surveys that number their responses alike must not overwrite each other.
    fn agree(&self, report: &ImportReport) -> anyhow::Result<()> {
        if self.corrected || !report.looks_foreign() {
            return Ok(());
        }
        anyhow::bail!(
            "事例帳 `{}` に同じ番号のコメントがありますが、{} 件の本文がまったく違います。別の調査のファイルではありませんか（このファイルは取り込んでいません）\n  別の調査なら --survey 名前 を付けるか、別の事例帳（--casebook）に取り込んでください\n  同じ調査の訂正版なら --corrected を付けてください",
            self.casebook.display(),
            report.unlike
        )
    }
}

/// What a casebook has of the comments that an import brought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeptCounts {
    same: u64,
    corrected: u64,
    otherwise: u64,
    gone: u64,
}

impl KeptCounts {
    fn count(&mut self, kept: Kept) {
        *match kept {
            Kept::Same => &mut self.same,
            Kept::Corrected => &mut self.corrected,
            Kept::Otherwise => &mut self.otherwise,
            Kept::Gone => &mut self.gone,
        } += 1;
    }

    /// Whether later imports account for all that is not as it came.
    pub(super) fn is_accounted_for(self) -> bool {
        self.otherwise + self.gone == 0
    }

    pub(super) fn write(self, out: &mut dyn Write, folder: &str) -> io::Result<()> {
        let Self { same, corrected, otherwise, gone } = self;
        writeln!(
            out,
            "事例帳 {folder}: このとき取り込んだコメント {} 件のうち、そのまま {same} 件、あとの取り込みで訂正 {corrected} 件、見つからない {gone} 件",
            same + corrected + otherwise + gone
        )?;
        if otherwise > 0 {
            writeln!(
                out,
                "  ほかに {otherwise} 件は、取り込んだあとに内容が変わっていますが、訂正した取り込みの記録がありません（jirei casebook check で調べてください）"
            )?;
        }
        if gone > 0 {
            writeln!(
                out,
                "  見つからないコメントがあるのは、取り込む前の控えに戻したときか、別の事例帳が同じ場所にあるときです（取り込み直すには jirei import）"
            )?;
        }
        Ok(())
    }
}

/// The state of a casebook for a record.
pub(super) fn casebook_record(casebook: &Casebook) -> anyhow::Result<CasebookRecord> {
    let info = casebook.info()?;
    Ok(CasebookRecord {
        folder: casebook.folder().display().to_string(),
        revision: info.revision,
        comments: info.comments,
        decisions: info.decisions,
        coders: info.coders,
    })
}

/// Brings files in, one after the other.
struct Importer<'a, 'c> {
    args: &'a Args,
    analyzer: &'a Analyzer,
    pipeline: &'a Pipeline<'c>,
    /// Tokens are made where the text is analysed, so that it is analysed once.
    makers: TokenMakers<'a>,
    maker: TokenMaker<'a>,
    casebook: Casebook,
    recorder: Recorder<'a>,
    /// Whether any import is on record by itself.
    is_on_record: bool,
}

impl Importer<'_, '_> {
    /// Brings a file in; whether all was in order.
    fn import(&mut self, path: &Path, mut input: Input) -> anyhow::Result<bool> {
        let Self { args, analyzer, pipeline, makers, maker, casebook, recorder, is_on_record } = self;
        let rules = pipeline.rules();
        let source = ImportSource {
            file: path.display().to_string(),
            hash: input.hash().to_owned(),
            imported_at: this_second()?,
            dictionary: analyzer.version().to_owned(),
            rules: rules.version().to_owned(),
            corrected: args.corrected,
        };
        let mut noted = recorder.clone();
        let (sender, receiver) = mpsc::sync_channel::<Option<Entry>>(QUEUE);
        let report = std::thread::scope(|scope| {
            let comments = input.by_ref().map(|comment| args.named(comment));
            let makers = &*makers;
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
            let entries = std::iter::from_fn(|| match receiver.recv() {
                Ok(entry) => entry.map(|entry| {
                    noted.count(&Counted::new(&entry.comment, &entry.classification));
                    Ok(entry)
                }),
                Err(_) => Some(Err(anyhow::anyhow!("分類の途中で止まりました（このファイルは取り込んでいません）"))),
            });
            import_if(casebook, maker, &source, rules.codebook(), entries, |report| args.agree(report))
        })
        .with_context(|| format!("`{}` を取り込めませんでした", path.display()));
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                input.give_up();
                return Err(error);
            }
        };
        noted.inputs(input.accounts());
        *recorder = noted;
        *is_on_record |= report.is_on_record;
        let clean = input.finish();
        self.tell(path, &report);
        Ok(clean && report.repeated == 0)
    }

    fn tell(&self, path: &Path, report: &ImportReport) {
        eprintln!(
            "  事例帳 {}: 追加 {} 件、更新 {} 件、分類し直し {} 件（うち分類が変わった {} 件）、変わらず {} 件",
            self.args.casebook.display(),
            report.added,
            report.updated,
            report.recoded,
            report.relabelled,
            report.unchanged
        );
        if !report.is_on_record {
            eprintln!("  前に取り込んだファイルと同じなので、取り込みの回数には数えません");
        }
        let named = |ids: &[CommentId], count: u64| first_ids(ids, count as usize);
        if report.updated > 0 {
            let ids = named(&report.updated_ids, report.updated);
            eprintln!("  更新したコメント: {ids}（前の内容も残してあります）");
        }
        if report.renamed > 0 {
            let ids = named(&report.renamed_ids, report.renamed);
            eprintln!(
                "  番号のないコメント {} 件は、別のファイルにある同じ位置のコメントとは別のコメントとして追加しました（{ids}）。同じ調査の訂正版なら、事例帳を控えから戻して --corrected を付けて取り込んでください",
                report.renamed
            );
        }
        for absent in &report.absent {
            eprintln!(
                "  以前の {} にあったコメント {} 件は、今回の {} にはありません（事例帳には残してあります）",
                absent.file,
                absent.comments,
                path.display()
            );
        }
        if report.repeated > 0 {
            let ids = named(&report.repeated_ids, report.repeated);
            eprintln!("  同じ番号のコメント {} 件は取り込んでいません（{ids}）", report.repeated);
        }
    }
}
