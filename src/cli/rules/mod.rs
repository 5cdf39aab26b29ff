//! `jirei rules`: tools for those who keep the rules, one file each.

mod check;
mod explain;
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
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Check(args) => args.run(shared),
            Command::Test(args) => args.run(shared),
            Command::Explain(args) => args.run(shared),
        }
    }
}

/// Output for a person or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TextFormat {
    Text,
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

/// A text on one line, cut after about `most` characters.
fn one_line(text: &str, most: usize) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(most) {
        line.truncate(at);
        line.push('…');
    }
    line
}
