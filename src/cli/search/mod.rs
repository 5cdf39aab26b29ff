//! `jirei search`: comments of the casebook by words, institution, question and category; what is found can be
//! decided upon.

mod decide;
mod export;
mod screen;

use std::{collections::HashMap, io::Write, path::PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::{
    Outcome, Shared,
    output::{self, OutputFile},
    stdout,
};
use crate::{
    comment::CommentId,
    index::TokenMaker,
    search::{
        Expression, FacetField, Field, Hit, HitOrder, KwicLine, KwicOrder, Note, Query, SearchOptions, SearchResult,
        Searcher, kwic,
    },
};

/// Comments whose concordance can be sorted by context.
const MAX_SORTED: usize = 100_000;
/// Columns of the responses with more different answers than this are counted only when they are asked for by name.
const FEW_ANSWERS: usize = 20;
/// Characters on either side of a keyword in the concordance.
const KWIC_CONTEXT: usize = 40;

const QUERY_HELP: &str = "\
検索語の書き方:
  保険証 復活              両方の語があるもの（活用形・読み・類義語も探します。くろまる＝●、ぱすわーど＝パスワード）
  \"反映されない\"           このとおりの語句（「」でもよい。端末では全体を '…' で囲む）
  -病院                    この語がないもの（英字で始まる語は -- のあとに書く）
  停電 OR 回線             どちらかがあるもの（ (停電 OR 回線) 復旧 のように括弧でまとめられる）
  near(患者 説明, 5)       5 語以内に近くあるもの
  再起*                    「再起」で始まる語
  都道府県:愛知 施設:歯科 分類:表示 主分類:機器 問:7 引用候補:はい id:12-7
                           項目で絞る（都道府県:愛知,岐阜 のようにいくつでも）
  利用率:\"40%以上\"         回答の列で絞る（列の見出し:値）
  文字数:<80               文字数で絞る（文字数:30-80、文字数:50以上 とも）
  例: jirei search '● 氏名 都道府県:愛知 施設:歯科 文字数:<80'
  詳しくは docs/search.ja.md をご覧ください。
";

#[derive(Debug, clap::Args)]
#[command(after_help = QUERY_HELP)]
pub(super) struct Args {
    /// 探す語。書き方は下にあります
    #[arg(
        value_name = "検索語",
        required_unless_present_any = ["like", "prefecture", "facility", "category", "question"]
    )]
    query: Vec<String>,
    /// 事例帳のフォルダー
    #[arg(long, value_name = "フォルダー", default_value = "casebook")]
    casebook: PathBuf,
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
    /// この番号のコメントに似たものを、似た順に探す
    #[arg(long, value_name = "番号")]
    like: Option<String>,
    /// 表示する件数
    #[arg(long, value_name = "件数", default_value_t = 20)]
    limit: usize,
    /// 先頭から飛ばす件数
    #[arg(long, value_name = "件数", default_value_t = 0)]
    offset: usize,
    /// 並べ方: relevance（関連の強い順。指定しなければこの順）、report（取り込んだ順）。--kwic では left（前の文脈）、right（後の文脈）、keyword（語）も
    #[arg(long, value_enum, value_name = "順", hide_possible_values = true)]
    sort: Option<Sort>,
    /// 前後の文脈つきで一か所一行に並べる（KWIC コンコーダンス）
    #[arg(long)]
    kwic: bool,
    /// 都道府県・施設・設問・分類と、答えの種類が少ない列ごとの件数も示す
    #[arg(long)]
    facets: bool,
    /// この項目か列ごとの件数も示す（都道府県、分類、列の見出しなど。いくつでも）
    #[arg(long, value_name = "項目")]
    facet: Vec<String>,
    /// 類義語では探さない
    #[arg(long)]
    no_synonyms: bool,
    /// 読みが同じ語では探さない
    #[arg(long)]
    no_readings: bool,
    /// 見つからないとき、一字違いの語で探し直さない
    #[arg(long)]
    no_fuzzy: bool,
    /// 書き出すファイル（拡張子で形式が決まる: jsonl、csv、xlsx）
    #[arg(short, long, value_name = "ファイル")]
    output: Option<PathBuf>,
    /// 出力の形式（table、jsonl、csv、xlsx）
    #[arg(long, value_enum, value_name = "形式", hide_possible_values = true)]
    format: Option<Format>,
    /// 見つかったコメントすべてにこの分類を付ける（--coder が要る。まとめて取り消せる）
    #[arg(long, value_name = "分類", requires = "coder", conflicts_with = "like")]
    add_category: Option<String>,
    /// 見つかったコメントすべてを引用候補にする（--coder が要る。まとめて取り消せる）
    #[arg(long, requires = "coder", conflicts_with = "like")]
    mark_quote: bool,
    /// 判断する人の名前
    #[arg(long, value_name = "名前")]
    coder: Option<String>,
    /// --add-category、--mark-quote で何件がどうなるかを示すだけで、記録しない
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Relevance,
    Report,
    Left,
    Right,
    Keyword,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Jsonl,
    Csv,
    Xlsx,
}

/// What is shown: the result, and its concordance where that was asked for.
struct Shown<'s> {
    query: &'s str,
    searcher: &'s Searcher,
    result: &'s SearchResult,
    concordance: Option<Vec<KwicLine>>,
    offset: usize,
}

impl Shown<'_> {
    /// The short name of a category, as the reports have it.
    fn category<'n>(&'n self, id: &'n str) -> &'n str {
        self.searcher
            .info()
            .frame
            .iter()
            .find(|category| &*category.id == id)
            .map_or(id, |category| category.short.as_str())
    }

    fn hits_by_id(&self) -> HashMap<&CommentId, &Hit> {
        self.result.hits.iter().map(|hit| (&hit.comment.id, hit)).collect()
    }
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        if self.dry_run && self.add_category.is_none() && !self.mark_quote {
            anyhow::bail!("--dry-run は --add-category か --mark-quote と一緒に指定してください");
        }
        let format = self.format()?;
        let sort = self.sort()?;
        let analyzer = shared.analyzer()?;
        let mut maker = TokenMaker::new(&analyzer);
        let (searcher, rebuilt) = Searcher::open_or_rebuild(&self.casebook, analyzer.version(), &mut maker)?;
        if rebuilt {
            eprintln!("索引を作り直しました（{}）", self.casebook.display());
        }
        let written = self.query.join(" ");
        let query = Query::parse(&written)
            .with_filter(Field::Prefecture, &self.prefecture)
            .with_filter(Field::Facility, &self.facility)
            .with_filter(Field::Category, &self.category)
            .with_filter(Field::Question, &self.question);
        if self.add_category.is_some() || self.mark_quote {
            return self.decide(&searcher, &mut maker, &query, &written, format);
        }
        let options = SearchOptions {
            limit: self.limit,
            offset: self.offset,
            order: if sort == Sort::Report { HitOrder::Report } else { HitOrder::Relevance },
            facets: self.facet_fields(&searcher)?,
            ..self.spellings()
        };
        if self.kwic {
            self.run_concordance(&searcher, &mut maker, &query, &written, options, sort, format)?;
        } else {
            let result = self.search(&searcher, &mut maker, &query, &options)?;
            report_notes(&result);
            let shown =
                Shown { query: &written, searcher: &searcher, result: &result, concordance: None, offset: self.offset };
            self.show(&shown, format)?;
        }
        Ok(Outcome::Done)
    }

    #[allow(clippy::too_many_arguments, reason = "what the command has put together so far")]
    fn run_concordance(
        &self,
        searcher: &Searcher,
        maker: &mut TokenMaker<'_>,
        query: &Query,
        written: &str,
        options: SearchOptions,
        sort: Sort,
        format: Format,
    ) -> anyhow::Result<()> {
        let order = match sort {
            Sort::Left => KwicOrder::Left,
            Sort::Right => KwicOrder::Right,
            Sort::Keyword => KwicOrder::Keyword,
            Sort::Relevance | Sort::Report => KwicOrder::Hits,
        };
        // Which lines come first is known only when all are there; in the order of hits one line a hit is enough.
        let wanted = self.offset.saturating_add(self.limit);
        let limit = if order == KwicOrder::Hits { wanted } else { MAX_SORTED };
        let hits = if order == KwicOrder::Hits { options.order } else { HitOrder::Report };
        let options = SearchOptions { limit, offset: 0, order: hits, ..options };
        let result = self.search(searcher, maker, query, &options)?;
        report_notes(&result);
        if order != KwicOrder::Hits && result.total > MAX_SORTED as u64 {
            eprintln!(
                "件数が多いので、取り込んだ順に {MAX_SORTED} 件までの中で並べました（条件を足して絞ってください）"
            );
        }
        let lines = kwic(&result.hits, KWIC_CONTEXT, order).into_iter().skip(self.offset).take(self.limit).collect();
        let shown = Shown { query: written, searcher, result: &result, concordance: Some(lines), offset: self.offset };
        self.show(&shown, format)
    }

    fn search(
        &self,
        searcher: &Searcher,
        maker: &mut TokenMaker<'_>,
        query: &Query,
        options: &SearchOptions,
    ) -> anyhow::Result<SearchResult> {
        match &self.like {
            None => Ok(searcher.search(maker, query, options)?),
            Some(id) => searcher
                .similar(maker, &CommentId::new(id), query, options)?
                .with_context(|| format!("番号「{id}」のコメントは事例帳 {} にありません", self.casebook.display())),
        }
    }

    fn spellings(&self) -> SearchOptions {
        SearchOptions {
            synonyms: !self.no_synonyms,
            readings: !self.no_readings,
            fuzzy: !self.no_fuzzy,
            ..SearchOptions::default()
        }
    }

    fn facet_fields(&self, searcher: &Searcher) -> anyhow::Result<Vec<FacetField>> {
        let mut fields = if self.facets { FacetField::standard() } else { Vec::new() };
        if !self.facets && self.facet.is_empty() {
            return Ok(fields);
        }
        let columns = searcher.attributes()?;
        if self.facets {
            let few = columns.iter().filter(|column| (2..=FEW_ANSWERS).contains(&column.values));
            fields.extend(few.map(|column| FacetField::Attribute(column.name.clone())));
        }
        for name in &self.facet {
            let field = FacetField::from_name(name, &columns).with_context(|| {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let names = if names.is_empty() { String::new() } else { format!("、{}", names.join("、")) };
                format!("「{name}」という項目や列はありません（都道府県、施設、設問、分類、主分類{names} から選んでください）")
            })?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(fields)
    }

    fn sort(&self) -> anyhow::Result<Sort> {
        let sort = self.sort.unwrap_or(Sort::Relevance);
        if !self.kwic && matches!(sort, Sort::Left | Sort::Right | Sort::Keyword) {
            anyhow::bail!("文脈や語で並べるのは KWIC だけです（--kwic も付けてください）");
        }
        Ok(sort)
    }

    fn format(&self) -> anyhow::Result<Format> {
        let extension = self.output.as_deref().and_then(|path| path.extension()).and_then(|e| e.to_str());
        let by_extension = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("jsonl" | "json") => Some(Format::Jsonl),
            Some("csv") => Some(Format::Csv),
            Some("xlsx") => Some(Format::Xlsx),
            _ => None,
        };
        match self.format.or(by_extension).unwrap_or(Format::Table) {
            Format::Xlsx if self.output.is_none() => {
                anyhow::bail!("xlsx は画面には出せません（-o で書き出すファイルを指定してください）")
            }
            format => Ok(format),
        }
    }

    fn show(&self, shown: &Shown<'_>, format: Format) -> anyhow::Result<()> {
        if format == Format::Csv && !shown.result.facets.is_empty() && self.limit > 0 {
            eprintln!(
                "csv には件数の表が入りません（--limit 0 なら件数だけを書き出します。xlsx なら別のシートに入ります）"
            );
        }
        match (&self.output, format) {
            (None, _) => {
                let mut out = stdout();
                self.write(&mut out, format, shown)?;
                out.flush()?;
            }
            (Some(path), Format::Xlsx) => {
                let file = OutputFile::create(path)?;
                output::finish(file, &export::workbook(shown)?)?;
            }
            (Some(path), _) => {
                let mut file = OutputFile::create(path)?;
                self.write(&mut file, format, shown)?;
                file.commit()?;
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn Write, format: Format, shown: &Shown<'_>) -> anyhow::Result<()> {
        match format {
            Format::Table => screen::write(out, shown, self.like.as_deref()),
            Format::Csv | Format::Xlsx if self.limit == 0 => export::write_facet_csv(out, shown),
            Format::Csv | Format::Xlsx => export::write_csv(out, shown),
            Format::Jsonl => export::write_jsonl(out, shown),
        }
    }
}

/// Says how the query was taken.
fn report_notes(result: &SearchResult) {
    for note in &result.notes {
        eprintln!("{note}");
        if matches!(note, Note::Fuzzy { .. }) {
            eprintln!("  （--no-fuzzy で止められます）");
        }
    }
    for expansion in &result.expansions {
        eprintln!(
            "「{}」は {} でも探しました（--no-synonyms で止められます）",
            expansion.word,
            expansion.synonyms.join("・")
        );
    }
}

/// Whether a query asks for everything.
fn is_unbounded(query: &Query) -> bool {
    *query.expression() == Expression::Everything
}

/// The key of a facet in JSON and csv.
fn facet_key(field: &FacetField) -> &str {
    match field {
        FacetField::Prefecture => "prefecture",
        FacetField::Facility => "facility",
        FacetField::Question => "question",
        FacetField::Category => "category",
        FacetField::Primary => "primary",
        FacetField::Attribute(name) => name,
    }
}

/// The name of a facet for people.
fn facet_label(field: &FacetField) -> &str {
    match field {
        FacetField::Prefecture => "都道府県",
        FacetField::Facility => "施設",
        FacetField::Question => "設問",
        FacetField::Category => "分類",
        FacetField::Primary => "主な分類",
        FacetField::Attribute(name) => name,
    }
}
