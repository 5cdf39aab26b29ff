//! `jirei rules`: tools for those who keep the rules, one file each.

mod check;
mod compare;
mod corpus;
mod coverage;
mod explain;
mod from_khcoder;
mod suggest;
mod test;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Outcome, Shared};
use crate::source::Span;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 規則の誤りをすべて、場所とともに示す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Check(check::Args),
    /// 規則に添えた例を試す
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Test(test::Args),
    /// ある文がどう分類され、なぜそうなるかを説明する
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Explain(explain::Args),
    /// 規則ごとに、当たったコメントの数・その規則だけが当たった数・重なりを数える
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Coverage(coverage::Args),
    /// 二つの規則フォルダーで、分類がどう変わるかを比べる
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Compare(compare::Args),
    /// 規則が拾えていないコメントに特徴的な語を、規則に書ける形で並べる
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Suggest(suggest::Args),
    /// KH Coder のコーディングルールを規則ファイルに変換する
    #[command(name = "from-khcoder", help_template = super::args::HELP_TEMPLATE)]
    FromKhcoder(from_khcoder::Args),
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Check(args) => args.run(shared),
            Command::Test(args) => args.run(shared),
            Command::Explain(args) => args.run(shared),
            Command::Coverage(args) => args.run(shared),
            Command::Compare(args) => args.run(shared),
            Command::Suggest(args) => args.run(shared),
            Command::FromKhcoder(args) => args.run(shared),
        }
    }
}

/// Output for a person or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TextFormat {
    Text,
    Json,
}

/// A table for a person or data for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    Table,
    Json,
}

/// A place as `file:line:column`.
fn place(span: &Span) -> String {
    let at = span.line_column();
    format!("{}:{}:{}", span.source.path(), at.line, at.column)
}

/// A place as the keys `file`, `line`, `column`.
fn place_json(span: &Span) -> Value {
    let at = span.line_column();
    json!({"file": span.source.path(), "line": at.line, "column": at.column})
}

/// The members of both objects, those of the first first.
fn merged(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Value::Object(first)
        }
        (first, _) => first,
    }
}

/// A share with four digits, as in the output of `evaluate`.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// A text on one line, cut to a width on screen.
fn one_line(text: &str, width: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    clipped(&line, width)
}

/// A line cut to a width on screen.
fn clipped(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < width
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

/// Where a word stands in a comment, with what is around it; the beginning where it is written otherwise there.
fn snippet(text: &str, word: &str, width: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(at) = line.find(word) else { return clipped(&line, width) };
    let around = width.saturating_sub(word.width()) / 2;
    let mut used = 0;
    let start = line[..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            used += c.width().unwrap_or(0);
            used < around
        })
        .last()
        .map_or(at, |(start, _)| start);
    let cut = if start > 0 { "…" } else { "" };
    format!("{cut}{}", clipped(&line[start..], width.saturating_sub(cut.width())))
}

#[cfg(test)]
mod tests {
    use super::{clipped, snippet};

    #[test]
    fn lines_are_cut_by_their_width() {
        assert_eq!(clipped("受付が混む", 10), "受付が混む");
        assert_eq!(clipped("受付が混む", 9), "受付が混…");
        assert_eq!(clipped("abc", 2), "a…");
    }

    #[test]
    fn snippets_show_the_word() {
        assert_eq!(snippet("朝から受付が混んで困る", "混ん", 16), "…付が混んで困る");
        assert_eq!(snippet("朝から\n混む", "無い", 30), "朝から 混む");
    }
}
