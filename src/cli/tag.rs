//! `jirei tag`: reads, classifies, writes; keeps nothing.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::ValueEnum;

use super::{
    Outcome, Shared,
    input::{Input, InputArgs},
    output::{self, OutputFile},
    record::{self, HashWriter, Mode, Recorder},
    table,
};
use crate::{
    pipeline::Pipeline,
    record::{Counted, RunRecord},
    report::{CODED_HEADERS, CodedComment},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 書き出すファイル（指定しなければ画面に出す）
    #[arg(short, long, value_name = "ファイル")]
    output: Option<PathBuf>,
    /// 出力の形式（jsonl、csv、xlsx、table）。指定しなければ拡張子で決まり、それもなければ jsonl
    #[arg(long, value_enum, value_name = "形式", hide_possible_values = true)]
    format: Option<Format>,
    /// 実行の記録（版、入力のハッシュ、件数など）を出力の隣に「出力の名前.record.json」として残す
    #[arg(long, requires = "output")]
    record: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
    Xlsx,
    Table,
}

/// Rows of an Excel worksheet, the header's not counted.
const MAX_XLSX_ROWS: u32 = 1_048_575;

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        Ok(self.tag(shared, Mode::Work)?.0)
    }

    /// What a record of this run says when it is made now; nothing is written.
    pub(super) fn recompute(&self, shared: &Shared) -> anyhow::Result<RunRecord> {
        self.tag(shared, Mode::Verify)?.1.context("記録に出力がありません")
    }

    fn tag(&self, shared: &Shared, mode: Mode) -> anyhow::Result<(Outcome, Option<RunRecord>)> {
        let format = self.format()?;
        if let Some(path) = &self.output {
            output::refuse_inputs(path, self.input.paths())?;
        }
        let analyzer = shared.analyzer()?;
        let rules = shared.rule_set(&analyzer)?;
        let pipeline = Pipeline::new(&analyzer, &rules);
        let mut recorder = match &self.output {
            Some(_) if self.record || mode == Mode::Verify => {
                let mut recorder = Recorder::new("tag", shared, &analyzer, &rules)?;
                recorder.setting(self.input.options.column_map())?;
                Some(recorder)
            }
            _ => None,
        };
        if mode == Mode::Verify {
            let mut input = self.input.open()?.quiet();
            let mut out = HashWriter::default();
            match format {
                Format::Xlsx => out.write_all(&workbook(&pipeline, &mut input, recorder.as_mut())?)?,
                _ => write_lines(&pipeline, &mut input, format, &mut out, recorder.as_mut())?,
            }
            let output = self.output.as_deref().map(|path| out.record(path));
            let record = recorder.map(|mut recorder| {
                recorder.inputs(input.accounts());
                recorder.finish(output)
            });
            return Ok((Outcome::Done, record.transpose()?));
        }
        let mut input;
        match self.output.as_deref().map(OutputFile::create).transpose()? {
            None => {
                input = self.input.open()?;
                // Not locked: the writing closure moves between threads.
                let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout());
                write_lines(&pipeline, &mut input, format, &mut out, None)?;
                out.flush()?;
            }
            Some(file) if format == Format::Xlsx => {
                input = self.input.open()?;
                output::finish(file, &workbook(&pipeline, &mut input, recorder.as_mut())?)?;
            }
            Some(mut file) => {
                input = self.input.open()?;
                write_lines(&pipeline, &mut input, format, &mut file, recorder.as_mut())?;
                file.commit()?;
            }
        }
        if let Some(recorder) = &mut recorder {
            recorder.inputs(input.accounts());
        }
        let comments: u64 = input.accounts().iter().map(|account| account.comments).sum();
        let clean = input.finish();
        if let Some(path) = &self.output {
            eprintln!("コメント {comments} 件を {} に書き出しました", path.display());
        }
        if let (Some(recorder), Some(path)) = (recorder, &self.output) {
            record::write(path, &recorder.finish(Some(record::output_record(path)?))?)?;
        }
        Ok((if clean { Outcome::Done } else { Outcome::Findings }, None))
    }

    fn format(&self) -> anyhow::Result<Format> {
        let extension = self.output.as_deref().and_then(|path| path.extension()).map(|e| e.to_ascii_lowercase());
        let by_extension = match extension.as_deref().and_then(|e| e.to_str()) {
            Some("jsonl" | "ndjson" | "json") => Some(Format::Jsonl),
            Some("csv") => Some(Format::Csv),
            Some("xlsx") => Some(Format::Xlsx),
            Some("txt") => Some(Format::Table),
            _ => None,
        };
        match (self.format.or(by_extension), &self.output) {
            (Some(Format::Xlsx), None) => {
                anyhow::bail!("xlsx は画面には出せません（-o で書き出すファイルを指定してください）")
            }
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::Jsonl),
            (None, Some(path)) => anyhow::bail!(
                "`{}` の拡張子からは形式がわかりません（jsonl、csv、xlsx、txt のどれかにするか --format を指定してください）",
                path.display()
            ),
        }
    }
}

/// Writes a form that has one line a comment.
fn write_lines(
    pipeline: &Pipeline<'_>,
    input: &mut Input,
    format: Format,
    out: &mut (dyn Write + Send),
    mut recorder: Option<&mut Recorder<'_>>,
) -> anyhow::Result<()> {
    let counts = recorder.is_some();
    let codebook = pipeline.rules().codebook();
    match format {
        Format::Csv => {
            out.write_all("\u{feff}".as_bytes())?;
            out.write_all(&table::csv_line(CODED_HEADERS)?)?;
        }
        Format::Table => writeln!(out, "{}", table_line("番号", "主分類", "分類", "コメント"))?,
        Format::Jsonl | Format::Xlsx => {}
    }
    pipeline.run(
        input,
        |comment, _, classification| -> anyhow::Result<(Vec<u8>, Option<Counted>)> {
            let counted = counts.then(|| Counted::new(&comment, &classification));
            let coded = CodedComment::new(&comment, &classification, codebook);
            let line = match format {
                Format::Jsonl | Format::Xlsx => {
                    let mut line = serde_json::to_vec(&coded)?;
                    line.push(b'\n');
                    line
                }
                Format::Csv => table::csv_line(coded.cells())?,
                Format::Table => {
                    let short = |category| codebook[category].short.as_str();
                    let primary = classification.primary.map_or("－", short);
                    let categories: Vec<&str> = classification.categories().map(short).collect();
                    let mut line = table_line(comment.id.as_str(), primary, &categories.join("・"), &comment.text);
                    line.push('\n');
                    line.into_bytes()
                }
            };
            Ok((line, counted))
        },
        |made| {
            let (line, counted) = made?;
            out.write_all(&line)?;
            if let (Some(recorder), Some(counted)) = (&mut recorder, counted) {
                recorder.count(&counted);
            }
            Ok::<(), anyhow::Error>(())
        },
    )
}

/// Columns of fixed width for the eye; the text is cut, which the other forms never do.
fn table_line(id: &str, primary: &str, categories: &str, text: &str) -> String {
    format!(
        "{} {} {} {}",
        table::padded(id, 12),
        table::padded(primary, 12),
        table::padded(categories, 28),
        table::padded(text, 80).trim_end()
    )
}

/// The comments as a workbook: a frozen header with filters, text as text.
fn workbook(
    pipeline: &Pipeline<'_>,
    input: &mut Input,
    mut recorder: Option<&mut Recorder<'_>>,
) -> anyhow::Result<Vec<u8>> {
    let counts = recorder.is_some();
    let codebook = pipeline.rules().codebook();
    let mut workbook = table::new_workbook()?;
    let (head, wrapped) = table::formats();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("回答")?.set_freeze_panes(1, 0)?;
    for (column, (header, width)) in (0..).zip(XLSX_COLUMNS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, header, &head)?;
    }
    let mut row = 0;
    pipeline.run(
        input,
        |comment, _, classification| {
            let mut cells = CodedComment::new(&comment, &classification, codebook).cells();
            let heading = |category| codebook[category].short.as_str();
            cells[5] = classification.categories().map(heading).collect::<Vec<_>>().join("・");
            cells[6] = classification.primary.map_or(String::new(), |category| heading(category).to_owned());
            (cells, counts.then(|| Counted::new(&comment, &classification)))
        },
        |(cells, counted)| {
            if let (Some(recorder), Some(counted)) = (&mut recorder, counted) {
                recorder.count(&counted);
            }
            row += 1;
            anyhow::ensure!(
                row <= MAX_XLSX_ROWS,
                "コメントが Excel の行数（1,048,576 行）を超えます（csv か jsonl で書き出してください）"
            );
            for (column, cell) in (0..).zip(cells) {
                if column == CONFIDENCE_COLUMN {
                    sheet.write_number_with_format(row, column, cell.parse::<f64>()?, &wrapped)?;
                } else {
                    sheet.write_string_with_format(row, column, cell, &wrapped)?;
                }
            }
            Ok(())
        },
    )?;
    sheet.autofilter(0, 0, row, XLSX_COLUMNS.len() as u16 - 1)?;
    Ok(workbook.save_to_buffer()?)
}

const XLSX_COLUMNS: [(&str, f64); 9] = [
    ("番号", 12.0),
    ("都道府県", 10.0),
    ("施設", 14.0),
    ("設問", 7.0),
    ("回答", 70.0),
    ("分類", 28.0),
    ("主な分類", 14.0),
    ("確信度", 8.0),
    ("根拠", 50.0),
];

const CONFIDENCE_COLUMN: u16 = 7;
