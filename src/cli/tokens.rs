//! `jirei tokens`: how the analyser reads a text.

use std::io::Read;

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::json;

use super::{Outcome, Shared, stdout};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 調べる文（「-」なら標準入力から読む）
    #[arg(value_name = "文")]
    text: String,
    /// 出力の形式
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "形式", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Jsonl,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let text = match self.text.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("標準入力を読めません")?;
                text
            }
            _ => self.text,
        };
        let analyzer = shared.analyzer()?;
        let analysis = analyzer.worker().analyze(&text);
        let normalized = analysis.text();
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["範囲", "表層形", "基本形", "読み", "品詞", "活用形"]);
        let mut out = stdout();
        for morpheme in &analysis.morphemes {
            let range = morpheme.byte_range.start as usize..morpheme.byte_range.end as usize;
            let original = analysis.normalized.original_bytes(range);
            let start = text[..original.start].chars().count();
            let end = start + text[original.clone()].chars().count();
            let word = morpheme.word;
            let pos = if morpheme.is_oov() { format!("{}（未知語）", word.pos) } else { word.pos.to_string() };
            match self.format {
                Format::Table => {
                    table.add_row([
                        format!("{start}-{end}"),
                        text[original].replace(['\n', '\r', '\t'], " "),
                        morpheme.base_form(normalized).to_owned(),
                        word.reading.as_deref().unwrap_or("").to_owned(),
                        pos,
                        word.inflection_form.as_deref().unwrap_or("").to_owned(),
                    ]);
                }
                Format::Jsonl => {
                    let line = json!({
                        "start": start,
                        "end": end,
                        "surface": &text[original],
                        "normalized": morpheme.surface(normalized),
                        "base_form": morpheme.base_form(normalized),
                        "reading": word.reading,
                        "pos": word.pos,
                        "inflection_type": word.inflection_type,
                        "inflection_form": word.inflection_form,
                        "is_oov": morpheme.is_oov(),
                    });
                    writeln!(out, "{line}")?;
                }
            }
        }
        if matches!(self.format, Format::Table) {
            writeln!(out, "{}", table.trim_fmt())?;
        }
        out.flush()?;
        Ok(Outcome::Done)
    }
}
