//! `jirei search`: comments of the casebook by words, institution, question and category.

use std::{io::Write, path::PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::{Outcome, Shared, output::OutputFile, stdout, table};
use crate::{
    index::TokenMaker,
    search::{FacetField, Field, Hit, HitOrder, KwicOrder, Query, SearchOptions, SearchResult, Searcher, kwic},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 探す語（例: 「● 氏名」「"資格確認書" -期限」「near(患者 説明, 5)」「分類:display 文字数:<80」）。「-」で始まるときは -- のあとに書く
    #[arg(value_name = "検索語", required = true)]
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
    /// 表示する件数
    #[arg(long, value_name = "件数", default_value_t = 20)]
    limit: usize,
    /// 取り込んだ順に並べる（指定しなければ関連の強い順）
    #[arg(long)]
    in_order: bool,
    /// 都道府県・施設・設問・分類ごとの件数も示す
    #[arg(long)]
    facets: bool,
    /// 前後の文脈つきで並べる（KWIC コンコーダンス）
    #[arg(long)]
    kwic: bool,
    /// 類義語では探さない
    #[arg(long)]
    no_synonyms: bool,
    /// 書き出すファイル（拡張子で形式が決まる: jsonl、csv、xlsx）
    #[arg(short, long, value_name = "ファイル")]
    output: Option<PathBuf>,
    /// 出力の形式（table、jsonl、csv、xlsx）
    #[arg(long, value_enum, value_name = "形式", hide_possible_values = true)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Jsonl,
    Csv,
    Xlsx,
}

/// Characters on either side of a keyword in the concordance.
const KWIC_CONTEXT: usize = 24;

const HEADERS: [&str; 8] = ["id", "prefecture", "facility", "question", "text", "categories", "primary", "score"];

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let format = self.format()?;
        let analyzer = shared.analyzer()?;
        let mut maker = TokenMaker::new(&analyzer);
        let (searcher, rebuilt) = Searcher::open_or_rebuild(&self.casebook, analyzer.version(), &mut maker)?;
        if rebuilt {
            eprintln!("索引を作り直しました（{}）", self.casebook.display());
        }
        let query = Query::parse(&self.query.join(" "))
            .with_filter(Field::Prefecture, &self.prefecture)
            .with_filter(Field::Facility, &self.facility)
            .with_filter(Field::Category, &self.category)
            .with_filter(Field::Question, &self.question);
        let options = SearchOptions {
            limit: self.limit,
            order: if self.in_order { HitOrder::Report } else { HitOrder::Relevance },
            facets: if self.facets { FacetField::standard() } else { Vec::new() },
            synonyms: !self.no_synonyms,
            ..SearchOptions::default()
        };
        let result = searcher.search(&mut maker, &query, &options)?;
        for note in query.notes().iter().chain(&result.notes) {
            eprintln!("{note}");
        }
        for expansion in &result.expansions {
            eprintln!(
                "「{}」は {} でも探しました（--no-synonyms で止められます）",
                expansion.word,
                expansion.synonyms.join("・")
            );
        }
        match (&self.output, format) {
            (None, _) => {
                let mut out = stdout();
                self.write(&mut out, format, &result)?;
                out.flush()?;
            }
            (Some(path), Format::Xlsx) => {
                let file = OutputFile::create(path)?;
                super::output::finish(file, &table::workbook("検索結果", &HEADERS, result.hits.iter().map(cells))?)?;
            }
            (Some(path), _) => {
                let mut file = OutputFile::create(path)?;
                self.write(&mut file, format, &result)?;
                file.commit()?;
            }
        }
        Ok(Outcome::Done)
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

    fn write(&self, out: &mut dyn Write, format: Format, result: &SearchResult) -> anyhow::Result<()> {
        match format {
            Format::Table => self.write_table(out, result),
            Format::Csv | Format::Xlsx => {
                out.write_all("\u{feff}".as_bytes())?;
                out.write_all(&table::csv_line(HEADERS)?)?;
                for hit in &result.hits {
                    out.write_all(&table::csv_line(cells(hit))?)?;
                }
                Ok(())
            }
            Format::Jsonl => {
                for hit in &result.hits {
                    let mut line = serde_json::to_value(&hit.comment)?;
                    line["categories"] = json!(hit.categories);
                    line["primary"] = json!(hit.primary);
                    line["score"] = json!(hit.score);
                    line["highlights"] =
                        hit.highlights.iter().map(|range| json!({"start": range.start, "end": range.end})).collect();
                    writeln!(out, "{line}")?;
                }
                if self.facets {
                    let facets: serde_json::Map<String, serde_json::Value> = result
                        .facets
                        .iter()
                        .map(|facet| {
                            let values: serde_json::Map<String, serde_json::Value> =
                                facet.values.iter().map(|value| (value.value.clone(), json!(value.count))).collect();
                            (facet_key(&facet.field).to_owned(), json!(values))
                        })
                        .collect();
                    writeln!(out, "{}", json!({"total": result.total, "facets": facets}))?;
                }
                Ok(())
            }
        }
    }

    fn write_table(&self, out: &mut dyn Write, result: &SearchResult) -> anyhow::Result<()> {
        writeln!(out, "{} 件（うち {} 件を表示）", result.total, result.hits.len())?;
        if self.kwic {
            for line in kwic(&result.hits, KWIC_CONTEXT, KwicOrder::default()) {
                let left = table::right_aligned(&line.left, 2 * KWIC_CONTEXT);
                writeln!(out, "{left} 【{}】 {}  {}", line.keyword, line.right, line.comment)?;
            }
        } else {
            for hit in &result.hits {
                let of = |value: &Option<String>| value.clone().unwrap_or_else(|| "－".to_owned());
                let comment = &hit.comment;
                writeln!(
                    out,
                    "\n{}  {} {} {}  [{}]",
                    comment.id,
                    of(&comment.prefecture),
                    of(&comment.facility),
                    of(&comment.question),
                    hit.categories.join(", ")
                )?;
                writeln!(out, "  {}", marked(hit).replace('\n', "\n  "))?;
            }
        }
        for facet in &result.facets {
            let values: Vec<String> =
                facet.values.iter().take(12).map(|value| format!("{} {}", value.label, value.count)).collect();
            let more = facet.values.len().saturating_sub(12);
            let more = if more > 0 { format!("、ほか {more}") } else { String::new() };
            writeln!(out, "\n{}: {}{more}", facet_label(&facet.field), values.join("、"))?;
        }
        Ok(())
    }
}

/// The text with 【】 around what was looked for.
fn marked(hit: &Hit) -> String {
    let characters: Vec<char> = hit.comment.text.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    for range in &hit.highlights {
        text.extend(&characters[at..range.start]);
        text.push('【');
        text.extend(&characters[range.clone()]);
        text.push('】');
        at = range.end;
    }
    text.extend(&characters[at..]);
    text
}

fn cells(hit: &Hit) -> [String; 8] {
    let comment = &hit.comment;
    let of = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        comment.id.to_string(),
        of(&comment.prefecture),
        of(&comment.facility),
        of(&comment.question),
        comment.text.clone(),
        hit.categories.join(";"),
        of(&hit.primary),
        format!("{:.3}", hit.score),
    ]
}

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
