//! `jirei review export`.

use std::{collections::HashSet, path::PathBuf};

use super::{CasebookArgs, Outcome, Shared, moment, now, refuse_existing};
use crate::{
    casebook::{Casebook, CasebookError, StoredComment},
    cli::output::{self, OutputFile},
    index::TokenMaker,
    review::{ExportInfo, Sample, sample, workbook},
    search::{Field, HitOrder, Query, SearchOptions, Searcher},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 書き出すコメントを絞る検索語（jirei search と同じ。指定しなければすべて）
    #[arg(value_name = "検索語")]
    query: Vec<String>,
    /// 書き出す Excel ファイル（.xlsx）
    #[arg(short, long, value_name = "ファイル")]
    output: PathBuf,
    /// 同じ名前のファイルがあれば置き換える（そのファイルに書き込んだ直しは失われる）
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    casebook: CasebookArgs,
    /// 都道府県で絞る（いくつでも）
    #[arg(long, value_name = "都道府県")]
    prefecture: Vec<String>,
    /// 施設で絞る（いくつでも）
    #[arg(long, value_name = "施設")]
    facility: Vec<String>,
    /// 分類で絞る（display などの id か名前。いくつでも）
    #[arg(long, value_name = "分類")]
    category: Vec<String>,
    /// 設問で絞る（いくつでも）
    #[arg(long, value_name = "設問")]
    question: Vec<String>,
    /// まだだれも分類を決めていないコメントだけ
    #[arg(long)]
    undecided: bool,
    /// くじ引きで選んだ一部だけ（「5%」か「200」のように）
    #[arg(long, value_name = "割合か件数")]
    sample: Option<Sample>,
    /// くじ引きの種（同じ種なら同じコメントが選ばれる）
    #[arg(long, value_name = "数", default_value_t = 0)]
    seed: u64,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let extension = self.output.extension().and_then(|extension| extension.to_str());
        if !extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
            anyhow::bail!("書き出すファイルの名前は .xlsx で終えてください（`{}`）", self.output.display());
        }
        refuse_existing(&self.output, self.overwrite)?;
        let folder = &self.casebook.casebook;
        let mut casebook = Casebook::open(folder)?;
        let file = OutputFile::create(&self.output)?;
        let analyzer = shared.analyzer()?;
        let wanted = self.found(&mut TokenMaker::new(&analyzer), analyzer.version())?;
        let mut comments: Vec<StoredComment> = Vec::new();
        casebook.for_each(|comment| {
            let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(comment.comment.id.as_str()));
            let is_open = comment.decided_categories.is_empty() && comment.decided_primary.is_none();
            if is_wanted && (is_open || !self.undecided) {
                comments.push(comment);
            }
            Ok::<_, CasebookError>(())
        })?;
        let all = comments.len();
        if let Some(size) = self.sample {
            comments = sample(comments, size, self.seed, |comment| &comment.comment.id);
        }
        if comments.is_empty() {
            anyhow::bail!("書き出すコメントがありません（条件をゆるめるか、先に jirei import で取り込んでください）");
        }
        let count = comments.len();
        let frame = casebook.frame()?;
        let rules = shared.rule_set(&analyzer)?;
        let (exported_at, selection) = (now()?, self.selection(all));
        let exported_on = moment(&exported_at);
        let info = ExportInfo {
            casebook: &casebook.identity()?,
            exported_at: &exported_at,
            exported_on: exported_on.split(' ').next().unwrap_or_default(),
            selection: &selection,
        };
        output::finish(file, &workbook(comments, &frame, Some(rules.codebook()), info)?)?;
        eprintln!("{} 件を {} に書き出しました（確かでないものから並べてあります）", count, self.output.display());
        Ok(Outcome::Done)
    }

    /// The ids that the query and the filters find; `None` without any.
    fn found(&self, maker: &mut TokenMaker<'_>, dictionary: &str) -> anyhow::Result<Option<HashSet<String>>> {
        let filters = [&self.prefecture, &self.facility, &self.category, &self.question];
        if self.query.is_empty() && filters.iter().all(|filter| filter.is_empty()) {
            return Ok(None);
        }
        let (searcher, _) = Searcher::open_or_rebuild(&self.casebook.casebook, dictionary, maker)?;
        let query = Query::parse(&self.query.join(" "))
            .with_filter(Field::Prefecture, &self.prefecture)
            .with_filter(Field::Facility, &self.facility)
            .with_filter(Field::Category, &self.category)
            .with_filter(Field::Question, &self.question);
        let options = SearchOptions {
            limit: usize::try_from(searcher.comment_count())?.max(1),
            order: HitOrder::Report,
            highlights: false,
            ..SearchOptions::default()
        };
        let result = searcher.search(maker, &query, &options)?;
        for note in query.notes().iter().chain(&result.notes) {
            eprintln!("{note}");
        }
        Ok(Some(result.hits.into_iter().map(|hit| hit.comment.id.to_string()).collect()))
    }

    /// What part of the casebook this is.
    fn selection(&self, all: usize) -> String {
        let mut parts = Vec::new();
        if !self.query.is_empty() {
            parts.push(format!("検索: {}", self.query.join(" ")));
        }
        for filter in [&self.prefecture, &self.facility, &self.category, &self.question] {
            if !filter.is_empty() {
                parts.push(filter.join("・"));
            }
        }
        if self.undecided {
            parts.push("分類を決めていないコメント".to_owned());
        }
        match self.sample {
            Some(Sample::Percent(percent)) => parts.push(format!("{all} 件からくじで {percent}%（種 {}）", self.seed)),
            Some(Sample::Count(_)) => parts.push(format!("{all} 件からくじで選んだもの（種 {}）", self.seed)),
            None => {}
        }
        parts.join("、")
    }
}
