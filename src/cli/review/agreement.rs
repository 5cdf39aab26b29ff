//! `jirei review agreement`.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Outcome, now, refuse_existing};
use crate::{
    agreement::Estimate,
    casebook::{Casebook, Judgement, StoredDecision},
    cli::{
        output::{self, OutputFile},
        stdout, table,
    },
    comment::CommentId,
    review::{
        CoderCodings, Coders, Difference, ListInfo, ReviewCategory, ReviewFile, adjudication_workbook,
        codings_of_coder, codings_of_file, differences, pair_table, seen_by_first_alone, units,
    },
};

/// Bootstrap resamples for the interval of alpha.
const RESAMPLES: usize = 2000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 二人が別々に直した、同じコメントの Excel ファイル二つ（--coder を二つ指定すれば要らない）
    #[arg(value_name = "ファイル", required_unless_present = "coder", conflicts_with = "coder")]
    files: Vec<PathBuf>,
    /// 事例帳に判断を取り込んである人の名前（二回指定する）
    #[arg(long, value_name = "名前")]
    coder: Vec<String>,
    /// 事例帳のフォルダー（指定しなければ casebook。--coder で比べるとき）
    #[arg(long, value_name = "フォルダー")]
    casebook: Option<PathBuf>,
    /// 二人が食い違うコメントの一覧を書き出すファイル（.xlsx か .csv。.xlsx は、決めて書き込めば review import で取り込める）
    #[arg(short, long, value_name = "ファイル")]
    output: Option<PathBuf>,
    /// 同じ名前の .xlsx の一覧があれば置き換える（その一覧に書き込んだことは失われる）
    #[arg(long)]
    overwrite: bool,
    /// 区間を求めるくじの種
    #[arg(long, value_name = "数", default_value_t = 1)]
    seed: u64,
    /// 出力の形式（table、json）
    #[arg(long, value_enum, value_name = "形式", default_value = "table", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// The figures of one category, or of the primary section.
struct Line {
    id: Option<String>,
    label: String,
    units: u64,
    /// Given by both, by the first alone, by the second alone, by neither; for categories.
    counts: Option<[u64; 4]>,
    percent: Option<f64>,
    kappa: Option<Estimate>,
    alpha: Option<Estimate>,
}

/// How many comments a coder went through, and which of them the other did not.
struct Side<'c> {
    comments: usize,
    alone: Vec<&'c CommentId>,
}

impl<'c> Side<'c> {
    fn new(of: &'c CoderCodings, other: &CoderCodings) -> Self {
        Self { comments: of.comments.len(), alone: seen_by_first_alone(of, other) }
    }

    fn told_alone(&self) -> String {
        format!("{} 件: {}", self.alone.len(), table::first_ids(self.alone.iter().copied(), self.alone.len()))
    }
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        if let (Some(casebook), [_, ..]) = (&self.casebook, &self.files[..]) {
            anyhow::bail!(
                "ファイルと事例帳（--casebook {}）は一緒に指定できません（ファイルどうしを比べるなら --casebook は要りません。事例帳に取り込んだ判断を比べるなら、ファイルの代わりに --coder を二つ指定してください）",
                casebook.display()
            );
        }
        let list = self.output.as_deref().map(|path| ListFile::create(path, self.overwrite)).transpose()?;
        let (casebook, coders, first, second) = match (&self.files[..], &self.coder[..]) {
            ([first, second], _) => {
                if first.canonicalize().is_ok_and(|one| second.canonicalize().is_ok_and(|other| one == other)) {
                    anyhow::bail!(
                        "`{}` と `{}` は同じファイルです（二人が別々に直したファイルを一つずつ指定してください）",
                        first.display(),
                        second.display()
                    );
                }
                match (read(first)?, read(second)?) {
                    (Some((one, first)), Some((other, second))) => {
                        if one != other {
                            anyhow::bail!(
                                "二つのファイルは別々の事例帳から書き出したものです。同じ事例帳のファイルを指定してください"
                            );
                        }
                        // As an import names its source.
                        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        (one, Coders::Files([name(&self.files[0]), name(&self.files[1])]), first, second)
                    }
                    _ => {
                        eprintln!("上のセルを直してから、もう一度実行してください");
                        return Ok(Outcome::Findings);
                    }
                }
            }
            (_, [first, second]) => {
                let mut casebook = Casebook::open(self.casebook.as_deref().unwrap_or(Path::new("casebook")))?;
                let decisions = casebook.decisions()?;
                let of = |name: &String| {
                    let codings = codings_of_coder(&casebook, &decisions, name.trim())?;
                    if codings.comments.is_empty() {
                        let is_of_category =
                            |stored: &&StoredDecision| matches!(stored.decision.judgement, Judgement::Category { .. });
                        let known: BTreeSet<&str> = decisions
                            .iter()
                            .filter(|stored| stored.undone.is_none())
                            .filter(is_of_category)
                            .map(|stored| stored.coder.as_str())
                            .collect();
                        let known = known.into_iter().collect::<Vec<_>>().join("、");
                        anyhow::bail!(
                            "「{}」さんが分類を決めて、いまも有効なコメントはありません（有効な判断のある人: {}）",
                            name.trim(),
                            if known.is_empty() { "なし" } else { &known }
                        );
                    }
                    Ok(codings)
                };
                let (one, other) = (of(first)?, of(second)?);
                // Only a list that can come back needs it.
                let identity = match list.as_ref().is_some_and(|list| list.is_workbook) {
                    true => casebook.identity()?,
                    false => String::new(),
                };
                (identity, Coders::Names([first, second].map(|name| name.trim().to_owned())), one, other)
            }
            ([_, ..], _) => anyhow::bail!(
                "比べるファイルは、二人が別々に直したものを二つ指定してください（指定されたファイルは {} 個です）",
                self.files.len()
            ),
            _ => anyhow::bail!("--coder は二人分指定してください"),
        };
        let names = match &self.files[..] {
            [first, second] => [first, second].map(|path| path.display().to_string()),
            _ => [0, 1].map(|index| self.coder[index].clone()),
        };
        let sides = [Side::new(&first, &second), Side::new(&second, &first)];
        let units = sides[0].comments - sides[0].alone.len();
        if units == 0 {
            let [one, other] = &sides;
            anyhow::bail!(
                "二人がともに見たコメントがないので比べられません（{} は {}、{} は {}）。{}",
                names[0],
                one.told_alone(),
                names[1],
                other.told_alone(),
                match self.files.is_empty() {
                    true => "二人に同じコメントを見てもらってください",
                    false => "同じ書き出しファイルを二人に渡し、それぞれ直したものを指定してください",
                }
            );
        }
        let lines = lines(&first, &second, self.seed);
        let differing = differences(&first, &second);
        let mut out = stdout();
        match self.format {
            Format::Table => write_table(&mut out, &names, &sides, &lines, differing.len())?,
            Format::Json => {
                let of_line: Vec<Value> = lines.iter().map(as_json).collect();
                let alone = [&sides[0].alone, &sides[1].alone];
                let document = json!({
                    "coders": names,
                    "comments": units,
                    "seen_by_one": alone,
                    "differing": differing.len(),
                    "agreement": of_line,
                });
                writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
            }
        }
        out.flush()?;
        if let Some(list) = list {
            let count = differing.len();
            let is_workbook = list.is_workbook;
            let info = ListInfo { casebook: &casebook, written_at: &now()?, coders: &coders };
            list.write(&differing, &first.categories, info)?;
            let path = self.output.unwrap_or_default();
            eprintln!("食い違うコメント {count} 件の一覧を {} に書き出しました", path.display());
            if is_workbook && count > 0 {
                eprintln!(
                    "  「？」を決めて保存し、jirei review import {} --coder 決めた人の名前 で取り込めます",
                    path.display()
                );
            }
        }
        Ok(Outcome::Done)
    }
}

/// A file's casebook and codings; `None` where cells of it are wrong, which is then said.
fn read(path: &Path) -> anyhow::Result<Option<(String, CoderCodings)>> {
    let file = ReviewFile::read(path)?;
    for problem in &file.problems {
        eprintln!("{}: {problem}", path.display());
    }
    Ok(file.problems.is_empty().then(|| (file.casebook().to_owned(), codings_of_file(&file))))
}

fn lines(first: &CoderCodings, second: &CoderCodings, seed: u64) -> Vec<Line> {
    let categories = first.categories.iter().filter(|category| second.categories.iter().any(|c| c.id == category.id));
    let of = |id: Option<&str>, label: &str| {
        let table = pair_table(first, second, id);
        Line {
            id: id.map(str::to_owned),
            label: label.to_owned(),
            units: table.units(),
            counts: id.map(|_| [(1, 1), (1, 0), (0, 1), (0, 0)].map(|(a, b)| table.count(a, b))),
            percent: table.percent(),
            kappa: table.cohen_kappa(),
            alpha: units(first, second, id).alpha_with_interval(RESAMPLES, seed),
        }
    };
    let mut lines: Vec<Line> = categories.map(|category| of(Some(&category.id), &category.label)).collect();
    lines.push(of(None, "主分類"));
    lines
}

fn write_table(
    out: &mut dyn Write,
    names: &[String; 2],
    sides: &[Side<'_>; 2],
    lines: &[Line],
    differing: usize,
) -> anyhow::Result<()> {
    for (letter, (name, side)) in ["A", "B"].into_iter().zip(names.iter().zip(sides)) {
        write!(out, "{letter}: {name}（コメント {} 件", side.comments)?;
        match side.alone.is_empty() {
            true => writeln!(out, "）")?,
            false => writeln!(out, "、うち{}だけが見たもの {}）", letter, side.told_alone())?,
        }
    }
    let units = sides[0].comments - sides[0].alone.len();
    writeln!(out, "二人がともに見たコメント {units} 件を比べます。うち食い違うコメント {differing} 件\n")?;
    writeln!(
        out,
        "{}   両方  Aだけ  Bだけ   なし  {}  {}  アルファ係数（95%区間）",
        table::padded("分類", 16),
        table::right_aligned("一致率", 7),
        table::padded("カッパ係数（95%区間）", 24)
    )?;
    for line in lines {
        let counts = line.counts.map_or_else(
            || " ".repeat(28),
            |counts| counts.iter().map(|count| format!("{count:>7}")).collect::<String>(),
        );
        let percent = line.percent.map_or_else(|| "－".to_owned(), |percent| format!("{:.1}%", 100.0 * percent));
        writeln!(
            out,
            "{}{counts}  {}  {}  {}",
            table::padded(&line.label, 16),
            table::right_aligned(&percent, 7),
            table::padded(&estimate(line.kappa), 24),
            estimate(line.alpha)
        )?;
    }
    if lines.iter().any(|line| line.kappa.is_none()) {
        writeln!(out, "\n－: 二人とも全件に同じ値を付けていて、偶然と比べられません")?;
    }
    Ok(())
}

fn estimate(estimate: Option<Estimate>) -> String {
    estimate
        .map_or_else(|| "－".to_owned(), |Estimate { value, low, high }| format!("{value:.3}（{low:.3}～{high:.3}）"))
}

fn as_json(line: &Line) -> Value {
    let counts = line.counts.map(|[both, first, second, neither]| {
        json!({"both": both, "first_only": first, "second_only": second, "neither": neither})
    });
    json!({
        "category": line.id,
        "label": line.label,
        "n": line.units,
        "counts": counts,
        "percent_agreement": line.percent,
        "cohen_kappa": line.kappa,
        "krippendorff_alpha": line.alpha,
    })
}

/// The list of differences, in a form that its name tells.
struct ListFile {
    file: OutputFile,
    is_workbook: bool,
}

const HEADERS: [&str; 9] = ["id", "text", "only_a", "only_b", "both", "primary_a", "primary_b", "note_a", "note_b"];

impl ListFile {
    fn create(path: &Path, overwrite: bool) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        let is_workbook = match extension.as_deref() {
            Some("xlsx") => true,
            Some("csv") => false,
            _ => anyhow::bail!("一覧のファイルの名前は .xlsx か .csv で終えてください（`{}`）", path.display()),
        };
        if is_workbook {
            refuse_existing(path, overwrite)?;
        }
        Ok(Self { file: OutputFile::create(path)?, is_workbook })
    }

    fn write(
        mut self,
        differences: &[Difference<'_>],
        categories: &[ReviewCategory],
        info: ListInfo<'_>,
    ) -> anyhow::Result<()> {
        if self.is_workbook {
            return output::finish(self.file, &adjudication_workbook(differences, categories, info)?);
        }
        let rows = differences.iter().map(|difference| cells(difference, categories));
        self.file.write_all("\u{feff}".as_bytes())?;
        self.file.write_all(&table::csv_line(HEADERS)?)?;
        for row in rows {
            self.file.write_all(&table::csv_line(row)?)?;
        }
        self.file.commit()
    }
}

fn cells(difference: &Difference<'_>, categories: &[ReviewCategory]) -> [String; 9] {
    let label = |id: &str| {
        categories.iter().find(|category| category.id == id).map_or_else(|| id.to_owned(), |c| c.label.clone())
    };
    let labels = |ids: &[&str]| ids.iter().map(|id| label(id)).collect::<Vec<_>>().join("、");
    let Difference { comment, first, second } = difference;
    let primary = |primary: &Option<String>| primary.as_deref().map_or_else(String::new, label);
    [
        comment.to_string(),
        first.text.clone(),
        labels(&difference.only_first()),
        labels(&difference.only_second()),
        labels(&difference.both()),
        primary(&first.primary),
        primary(&second.primary),
        first.note.clone(),
        second.note.clone(),
    ]
}
