//! `jirei appendix`: the categorised case appendix from files or from the casebook, once nothing in it identifies
//! anyone.

mod findings;
mod material;

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{
    Outcome, Shared,
    casebook::{await_turn, tell_of_other_rules},
    clock::now,
    import::casebook_record,
    input::{InputOptions, open_files},
    output,
    record::{self, Mode, Recorder},
};
use crate::{
    analyze::Analyzer,
    casebook::{BatchInfo, Casebook, CasebookError, Decision, Judgement, ReplacementKind},
    codebook::Codebook,
    index::{self, TokenMaker},
    pipeline::Pipeline,
    record::{AppendixRecord, Counted, RunRecord},
    report::{
        Appendix, AppendixFormat, CellRemedy, Choice, Copies, DetailFinder, EditKind, MaskFile, Options, RowFinding,
        Settings, SettingsError, Template, fill, offered_corrections, propose, render,
    },
};

use material::Material;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 読み込むファイル（指定しなければ事例帳から作る）
    #[arg(value_name = "ファイル")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: InputOptions,
    /// 事例帳のフォルダー（指定しなければ casebook。ファイルと一緒には指定できない）
    #[arg(long, value_name = "フォルダー")]
    casebook: Option<PathBuf>,
    /// 書き出すファイル（拡張子で形式が決まる: docx、xlsx、html、md、csv、json）
    #[arg(short, long, value_name = "ファイル")]
    output: PathBuf,
    /// 表題・前書きなどの設定（appendix.toml）
    #[arg(long, value_name = "appendix.toml")]
    settings: Option<PathBuf>,
    /// ひな形にする Word ファイル（{{表題}}、{{事例}} などの差し込み位置を書いておく）
    #[arg(long, value_name = "ひな形.docx")]
    template: Option<PathBuf>,
    /// 表ごとに選ぶ事例の数（指定しなければすべて）
    #[arg(long, value_name = "件数", value_parser = clap::value_parser!(u32).range(1..))]
    per_section: Option<u32>,
    /// 同じ条件の事例から選ぶときの種
    #[arg(long, value_name = "数", default_value_t = 0)]
    seed: u64,
    /// ほぼ同じ文の事例もまとめずにすべて印刷する
    #[arg(long)]
    all_copies: bool,
    /// 伏字と校正の控え。見つかった語と直せる所の案を書き足し、書いてあるとおりに印刷する
    #[arg(long, value_name = "masks.toml")]
    masks: Option<PathBuf>,
    /// 見つかった語を案のとおり伏せる判断を、事例帳に記録する
    #[arg(long)]
    record_masks: bool,
    /// 判断を記録する人の名前
    #[arg(long, value_name = "名前", requires = "record_masks")]
    coder: Option<String>,
    /// 特定につながる語が残っていても、承知のうえで書き出す
    #[arg(long)]
    accept_findings: bool,
    /// 実行の記録（版、入力のハッシュ、件数など）を出力の隣に「出力の名前.record.json」として残す（事例帳から作るときは、事例帳の中にも）
    #[arg(long)]
    record: bool,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        Ok(self.make(shared, Mode::Work)?.0)
    }

    /// What a record of this run says when it is made now; nothing is written, decided or proposed.
    pub(super) fn recompute(&self, shared: &Shared) -> anyhow::Result<RunRecord> {
        self.make(shared, Mode::Verify)?.1.context("記録に出力がありません")
    }

    fn make(&self, shared: &Shared, mode: Mode) -> anyhow::Result<(Outcome, Option<RunRecord>)> {
        // What can go wrong without reading a line goes wrong first.
        let format = AppendixFormat::from_path(&self.output)?;
        if self.template.is_some() && format != AppendixFormat::Docx {
            anyhow::bail!("--template は Word（.docx）に書き出すときだけ使えます（出力先の拡張子は .{format} です）");
        }
        if let (Some(casebook), [file, ..]) = (&self.casebook, &self.files[..]) {
            anyhow::bail!(
                "ファイル（{}）と事例帳（--casebook {}）は一緒に指定できません（どちらか一方から作ります。ファイルも事例帳に入れるなら、先に jirei import で取り込んでください）",
                file.display(),
                casebook.display()
            );
        }
        if self.record_masks && !self.files.is_empty() {
            anyhow::bail!(
                "--record-masks は事例帳から作るときだけ使えます（ファイルから作るときは --masks 控え.toml を使ってください）"
            );
        }
        let read = [&self.template, &self.settings, &self.masks].into_iter().flatten().map(PathBuf::as_path);
        output::refuse_inputs(
            &self.output,
            self.files.iter().map(PathBuf::as_path).chain(self.options.column_map()).chain(read),
        )?;
        let template = self.template.as_deref().map(read_template).transpose()?;
        let mask_file = self.masks.as_deref().map(read_masks).transpose()?.flatten();
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let settings = self.settings(rules.codebook())?;
        let mut recorder = match self.record || mode == Mode::Verify {
            true => Some(Recorder::new("appendix", shared, &analyzer, &rules)?),
            false => None,
        };
        if mode == Mode::Work {
            // Told before the work is done, should it not be possible.
            drop(output::OutputFile::create(&self.output)?);
        }
        let mut casebook = match self.files.is_empty() {
            true => Some(
                Casebook::open(self.casebook_folder())
                    .context("読み込むファイルの指定がないので、事例帳から作ろうとしました")?,
            ),
            false => None,
        };
        let mut material = match &casebook {
            Some(casebook) => {
                if mode == Mode::Work {
                    tell_of_other_rules(casebook, &analyzer, &rules)?;
                }
                Material::of_casebook(casebook, rules.codebook())?
            }
            None => {
                let mut input = open_files(&self.files, &self.options)?;
                if mode == Mode::Verify {
                    input = input.quiet();
                }
                Material::of_files(input, &Pipeline::new(&analyzer, &rules), recorder.as_mut())?
            }
        };
        if material.items.is_empty() {
            anyhow::bail!("読み込めたコメントが 1 件もありません（事例集は作っていません）");
        }
        if let Some(file) = &mask_file {
            material.decide(file);
        }

        let options = self.options(&mut material);
        let mut appendix = Appendix::build(&material.items, rules.codebook(), &settings, &options);
        let finder = DetailFinder::new(&analyzer, &settings.disclosure);
        let mut open = appendix.find_details(&finder, &material.kept);
        if self.record_masks
            && mode == Mode::Work
            && let Some(casebook) = &mut casebook
            && !open.is_empty()
        {
            self.record_masks(casebook, &analyzer, &open)?;
            let mut recorded = Material::of_casebook(casebook, rules.codebook())?;
            if let Some(file) = &mask_file {
                recorded.decide(file);
            }
            let options = self.options(&mut recorded);
            appendix = Appendix::build(&recorded.items, rules.codebook(), &settings, &options);
            open = appendix.find_details(&finder, &recorded.kept);
            material = recorded;
        }
        let cells = match settings.small_cells.remedy {
            CellRemedy::Stop => appendix.small_cells.as_slice(),
            _ => &[],
        };
        let is_open = !open.is_empty() || !cells.is_empty();

        if mode == Mode::Work {
            let proposed = self.propose(&appendix, &material, analyzer.normalizer(), &open, mask_file.is_none())?;
            findings::list(&open, cells, settings.small_cells.threshold)?;
            if is_open && !self.accept_findings {
                findings::explain_stop(&open, cells, &self.output, proposed.as_deref(), casebook.is_some());
                return Ok((Outcome::Findings, None));
            }
            // The masks just proposed would be in force when the run is computed again.
            if let (Some(masks), true, false) = (&proposed, self.record, open.is_empty()) {
                findings::explain_unrecordable(&self.output, masks);
                return Ok((Outcome::Findings, None));
            }
        }
        let bytes = match (&template, is_open && !self.accept_findings) {
            (_, true) => None,
            (Some(template), _) => Some(fill(template, &appendix).map_err(|error| {
                anyhow::anyhow!("ひな形 `{}`: {error}", self.template.as_deref().unwrap_or(Path::new("")).display())
            })?),
            (None, _) => Some(render(&appendix, format)?),
        };
        if let (Mode::Work, Some(bytes)) = (mode, &bytes) {
            output::write_file(&self.output, bytes)?;
            let totals = appendix.totals;
            eprintln!(
                "事例集を {} に書き出しました（コメント {} 件のうち分類のあるもの {} 件、事例 {} 件）",
                self.output.display(),
                totals.comments,
                totals.filed,
                totals.quotes
            );
            if is_open {
                eprintln!("  特定につながるおそれのある {} か所を、そのまま書き出しています", open.len() + cells.len());
            }
            findings::tell_edits(&appendix, &settings, material.stale, self.masks.as_deref());
        }
        let record = match recorder {
            None => None,
            Some(mut recorder) => {
                for (comment, classification) in &material.items {
                    recorder.count(&Counted::new(comment, classification));
                }
                recorder.setting(self.options.column_map().filter(|_| !self.files.is_empty()))?;
                recorder.setting(self.settings.as_deref())?;
                recorder.setting(self.template.as_deref())?;
                // As it is now, with what was proposed; where nothing ever was, there is none.
                recorder.setting(self.masks.as_deref().filter(|path| path.exists()))?;
                if let Some(casebook) = &casebook {
                    recorder.casebook(casebook_record(casebook)?);
                }
                recorder.appendix(AppendixRecord::new(&appendix, open.len() + cells.len()));
                Some(recorder.finish(bytes.map(|bytes| record::output_of(&self.output, &bytes)))?)
            }
        };
        if let (Mode::Work, Some(record)) = (mode, &record) {
            record::write(&self.output, record)?;
            if let Some(casebook) = &mut casebook {
                keep(casebook, record)?;
            }
        }
        Ok((if material.clean { Outcome::Done } else { Outcome::Findings }, record))
    }

    fn casebook_folder(&self) -> &Path {
        self.casebook.as_deref().unwrap_or(Path::new("casebook"))
    }

    fn settings(&self, codebook: &Codebook) -> anyhow::Result<Settings> {
        let Some(path) = &self.settings else { return Ok(Settings::default()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("設定ファイル `{}` を読めません", path.display()))?;
        Settings::parse_for(text.trim_start_matches('\u{feff}'), codebook).map_err(|error| with_path(path, &error))
    }

    /// Takes the decisions out of the material.
    fn options(&self, material: &mut Material) -> Options {
        Options {
            choice: match self.per_section {
                None => Choice::All,
                Some(count) => Choice::PerTable { count: count as usize, seed: self.seed },
            },
            copies: if self.all_copies { Copies::Print } else { Copies::Group },
            good_quotes: std::mem::take(&mut material.good_quotes),
            not_quoted: std::mem::take(&mut material.not_quoted),
            edits: std::mem::take(&mut material.edits),
        }
    }

    /// Records the proposed masks as decisions: the comments stay as they are.
    fn record_masks(&self, casebook: &mut Casebook, analyzer: &Analyzer, open: &[RowFinding]) -> anyhow::Result<()> {
        let coder =
            self.coder.clone().or_else(|| ["USERNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok()));
        let info = BatchInfo {
            coder: coder.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "不明".to_owned()),
            decided_at: now()?,
            source: "appendix --record-masks".to_owned(),
        };
        let decisions: Vec<Decision> = open
            .iter()
            .map(|found| Decision {
                comment: found.comment.clone(),
                judgement: Judgement::Replace {
                    kind: ReplacementKind::Mask,
                    char_range: found.finding.char_range.clone(),
                    text: found.finding.mask.clone(),
                },
            })
            .collect();
        let appended = index::decide(casebook, &mut TokenMaker::new(analyzer), &info, &decisions)?;
        eprintln!(
            "{} か所を伏せる判断を事例帳 {} に記録しました（判断した人: {}、まとまりの番号 {}）",
            decisions.len(),
            self.casebook_folder().display(),
            info.coder,
            appended.batch.unwrap_or_default()
        );
        Ok(())
    }

    /// Adds what is not in the file of masks yet; the path, where something was added.
    fn propose(
        &self,
        appendix: &Appendix,
        material: &Material,
        normalizer: &crate::normalize::Normalizer,
        open: &[RowFinding],
        is_new: bool,
    ) -> anyhow::Result<Option<PathBuf>> {
        let Some(path) = &self.masks else { return Ok(None) };
        let is_settled = |row: &crate::report::Row, range: &std::ops::Range<usize>| {
            material.offered.contains(&(row.comment.clone(), range.start, range.end))
                || row.edits.iter().any(|edit| edit.char_range.start < range.end && range.start < edit.char_range.end)
        };
        let offers: Vec<_> = appendix
            .quotes()
            .flat_map(|(table, _, row)| {
                let offers = offered_corrections(&row.original, normalizer).into_iter();
                offers.filter(|offer| !is_settled(row, &offer.char_range)).map(move |offer| (table, row, offer))
            })
            .collect();
        if open.is_empty() && offers.is_empty() {
            return Ok(None);
        }
        let mut text = match is_new {
            true => String::new(),
            false => std::fs::read_to_string(path)
                .with_context(|| format!("伏字の控え `{}` を読めません", path.display()))?,
        };
        text.push_str(&propose(open, &offers, is_new));
        output::write_file(path, text.as_bytes())?;
        eprintln!(
            "伏字の控え {} に案を書き足しました（伏せる語 {} か所、校正 {} か所）",
            path.display(),
            open.len(),
            offers.len()
        );
        Ok(Some(path.clone()))
    }
}

/// Keeps the record of a run in the casebook that it was made from.
fn keep(casebook: &mut Casebook, record: &RunRecord) -> anyhow::Result<()> {
    let kept = await_turn(casebook).and_then(|()| Ok(casebook.append_run(&record.ended_at, &record.to_json())?));
    match kept {
        // A medium only for reading: beside the output is where the record can be.
        Err(error) if matches!(error.downcast_ref(), Some(CasebookError::ReadOnly(_))) => {
            eprintln!(
                "  事例帳 {} は読み取り専用なので、実行の記録は事例帳の中には残していません",
                casebook.folder().display()
            );
            Ok(())
        }
        kept => kept.context("事例集と実行の記録は書き出しましたが、記録を事例帳の中に残せませんでした"),
    }
}

fn read_template(path: &Path) -> anyhow::Result<Template> {
    let bytes = std::fs::read(path).with_context(|| format!("ひな形 `{}` を読めません", path.display()))?;
    Template::parse(bytes).map_err(|error| anyhow::anyhow!("ひな形 `{}`: {error}", path.display()))
}

/// The file of masks, `None` where there is none yet.
fn read_masks(path: &Path) -> anyhow::Result<Option<MaskFile>> {
    if !path.exists() {
        return Ok(None);
    }
    let text =
        std::fs::read_to_string(path).with_context(|| format!("伏字の控え `{}` を読めません", path.display()))?;
    MaskFile::parse(text.trim_start_matches('\u{feff}')).map(Some).map_err(|error| with_path(path, &error))
}

fn with_path(path: &Path, error: &SettingsError) -> anyhow::Error {
    let lines: Vec<String> = error
        .faults()
        .map(|(line, column, message)| format!("{}:{line}:{column}: {message}", path.display()))
        .collect();
    anyhow::anyhow!(lines.join("\n"))
}

impl From<ReplacementKind> for EditKind {
    fn from(kind: ReplacementKind) -> Self {
        match kind {
            ReplacementKind::Mask => Self::Mask,
            ReplacementKind::Correction => Self::Correction,
        }
    }
}
