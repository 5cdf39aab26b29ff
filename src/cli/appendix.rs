//! `jirei appendix`: the categorised case appendix from files.

use std::path::PathBuf;

use anyhow::Context;

use super::{
    Outcome, Shared,
    casebook::tell_of_other_rules,
    input::{InputOptions, open_files},
    output,
};
use crate::{
    analyze::Analyzer,
    casebook::Casebook,
    classify::Classification,
    comment::Comment,
    pipeline::Pipeline,
    report::{Appendix, AppendixFormat, Choice, Copies, Options, Settings, render},
    rule::RuleSet,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 読み込むファイル（指定しなければ事例帳から作る）
    #[arg(value_name = "ファイル")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: InputOptions,
    /// 事例帳のフォルダー
    #[arg(long, value_name = "フォルダー", default_value = "casebook")]
    casebook: PathBuf,
    /// 書き出すファイル（拡張子で形式が決まる: docx、xlsx、html、md、csv、json）
    #[arg(short, long, value_name = "ファイル")]
    output: PathBuf,
    /// 表題・前書きなどの設定（appendix.toml）
    #[arg(long, value_name = "appendix.toml")]
    settings: Option<PathBuf>,
    /// 表ごとに選ぶ事例の数（指定しなければすべて）
    #[arg(long, value_name = "件数")]
    per_section: Option<usize>,
    /// 同じ条件の事例から選ぶときの種
    #[arg(long, value_name = "数", default_value_t = 0)]
    seed: u64,
    /// ほぼ同じ文の事例もまとめずにすべて印刷する
    #[arg(long)]
    all_copies: bool,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        // What can go wrong without reading a line goes wrong first.
        let format = AppendixFormat::from_path(&self.output)?;
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let settings = match &self.settings {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("設定ファイル `{}` を読めません", path.display()))?;
                let faults = |error: crate::report::SettingsError| {
                    let lines: Vec<String> = error
                        .faults()
                        .map(|(line, column, message)| format!("{}:{line}:{column}: {message}", path.display()))
                        .collect();
                    anyhow::anyhow!(lines.join("\n"))
                };
                Settings::parse_for(text.trim_start_matches('\u{feff}'), rules.codebook()).map_err(faults)?
            }
        };
        let file = output::OutputFile::create(&self.output)?;
        let (items, clean) = if self.files.is_empty() {
            (self.items_of_casebook(&analyzer, &rules)?, true)
        } else {
            self.items_of_files(&Pipeline::new(&analyzer, &rules))?
        };
        if items.is_empty() {
            anyhow::bail!("読み込めた回答が 1 件もありません（事例集は作っていません）");
        }
        let options = Options {
            choice: match self.per_section {
                None => Choice::All,
                Some(count) => Choice::PerTable { count, seed: self.seed },
            },
            copies: if self.all_copies { Copies::Print } else { Copies::Group },
            ..Options::default()
        };
        let appendix = Appendix::build(&items, rules.codebook(), &settings, &options);
        let bytes = render(&appendix, format)?;
        output::finish(file, &bytes)?;
        let totals = appendix.totals;
        eprintln!(
            "事例集を {} に書き出しました（回答 {} 件のうち分類のあるもの {} 件、事例 {} 件）",
            self.output.display(),
            totals.comments,
            totals.filed,
            totals.quotes
        );
        Ok(if clean { Outcome::Done } else { Outcome::Findings })
    }

    fn items_of_files(&self, pipeline: &Pipeline<'_>) -> anyhow::Result<(Vec<(Comment, Classification)>, bool)> {
        let mut input = open_files(&self.files, &self.options)?;
        let mut items = Vec::new();
        pipeline.run(
            input.by_ref(),
            |comment, _, classification| (comment, classification),
            |item| {
                items.push(item);
                Ok::<(), anyhow::Error>(())
            },
        )?;
        Ok((items, input.finish()))
    }

    fn items_of_casebook(
        &self,
        analyzer: &Analyzer,
        rules: &RuleSet,
    ) -> anyhow::Result<Vec<(Comment, Classification)>> {
        let casebook =
            Casebook::open(&self.casebook).context("読み込むファイルの指定がないので、事例帳から作ろうとしました")?;
        tell_of_other_rules(&casebook, analyzer, rules)?;
        let mut items = Vec::new();
        casebook.for_each(|stored| {
            let classification = stored.decided(rules.codebook());
            items.push((stored.comment, classification));
            Ok::<(), anyhow::Error>(())
        })?;
        Ok(items)
    }
}
