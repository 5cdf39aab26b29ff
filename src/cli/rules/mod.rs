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
    /// 規則ごとに、当たった回答の数・その規則だけが当たった数・重なりを数える
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Coverage(coverage::Args),
    /// 二つの規則フォルダーで、分類がどう変わるかを比べる
    #[command(help_template = super::args::HELP_TEMPLATE)]
    Compare(compare::Args),
    /// 規則が拾えていない回答に特徴的な語を、規則に書ける形で並べる
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

/// A text on one line, cut after about `most` characters.
fn one_line(text: &str, most: usize) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(most) {
        line.truncate(at);
        line.push('…');
    }
    line
}
