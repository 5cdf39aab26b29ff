//! The part of `src/rule` that compiles rules.

#[path = "../src/rule/check.rs"]
mod check;
#[path = "../src/rule/compile.rs"]
mod compile;
#[path = "../src/rule/file.rs"]
mod file;
#[path = "../src/rule/gate.rs"]
mod gate;
#[path = "../src/rule/image.rs"]
mod image;
#[path = "../src/rule/parse.rs"]
mod parse;
#[path = "../src/rule/polarity.rs"]
mod polarity;
#[path = "../src/rule/require.rs"]
mod require;
#[path = "../src/rule/syntax.rs"]
pub mod syntax;

pub use compile::RuleSet;
