//! Comments of input files in memory, with gold where a JSON Lines file carries it.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::Context;
use rayon::prelude::*;
use serde::Deserialize;

use crate::{
    analyze::{Analysis, Analyzer},
    cli::input::InputArgs,
    codebook::Codebook,
    comment::Comment,
    evaluate::{Gold, UnknownGoldCategory},
    rule::{Matcher, RuleSet},
};

/// The comments of all input files.
pub(super) struct Corpus {
    pub(super) comments: Vec<Comment>,
    /// The gold of each comment.
    pub(super) gold: Vec<Option<Gold>>,
    /// Whether every row could be read.
    pub(super) clean: bool,
}

#[derive(Deserialize)]
struct GoldLine {
    must: Option<Vec<String>>,
    #[serde(default)]
    may: Vec<String>,
    #[serde(default)]
    primary: Option<serde_json::Value>,
}

impl Corpus {
    pub(super) fn read(input: &InputArgs) -> anyhow::Result<Self> {
        let mut opened = input.open()?;
        let comments: Vec<Comment> = opened.by_ref().collect();
        let clean = opened.finish();
        if comments.is_empty() {
            anyhow::bail!("読み込めたコメントが 1 件もありません");
        }
        let mut by_line: HashMap<(String, u64), Gold> = HashMap::new();
        for path in &input.files {
            let is_lines = path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| {
                ["jsonl", "ndjson", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            });
            if is_lines {
                read_gold(path, &mut by_line)?;
            }
        }
        let gold = comments
            .iter()
            .map(|comment| by_line.remove(&(comment.origin.file.to_string(), comment.origin.row)))
            .collect();
        Ok(Self { comments, gold, clean })
    }

    /// Whether the gold of any comment is known.
    pub(super) fn has_gold(&self) -> bool {
        self.gold.iter().any(Option::is_some)
    }

    /// Fails where gold names a category that the code frame does not have.
    pub(super) fn check_gold(&self, codebook: &Codebook) -> anyhow::Result<()> {
        for (comment, gold) in self.comments.iter().zip(&self.gold) {
            for category in gold.iter().flat_map(|gold| gold.must.iter().chain(&gold.may)) {
                if codebook.index_of(category).is_none() {
                    return Err(UnknownGoldCategory { comment: comment.id.clone(), category: category.clone() }.into());
                }
            }
        }
        Ok(())
    }

    /// Analyses every comment on all cores; what `make` gives, in the order of the comments.
    pub(super) fn map<T: Send>(
        &self,
        analyzer: &Analyzer,
        rules: &RuleSet,
        make: impl Fn(&Comment, &Analysis<'_>, &mut Matcher<'_>) -> T + Sync,
    ) -> Vec<T> {
        self.comments
            .par_iter()
            .with_min_len(64)
            .map_init(
                || (analyzer.worker(), Matcher::new(rules)),
                |(worker, matcher), comment| make(comment, &worker.analyze(&comment.text), matcher),
            )
            .collect()
    }
}

/// Reads the gold of a JSON Lines file by line; lines that hold none, or that cannot be read, are left to the reader.
fn read_gold(path: &Path, by_line: &mut HashMap<(String, u64), Gold>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("`{}` を開けません", path.display()))?;
    let mut reader = BufReader::new(file);
    let name = path.display().to_string();
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        if reader.read_until(b'\n', &mut line).with_context(|| format!("`{}` を読めません", path.display()))? == 0
        {
            return Ok(());
        }
        // Category ids are ASCII whatever the encoding of the texts.
        let text = String::from_utf8_lossy(&line);
        let Ok(gold) = serde_json::from_str::<GoldLine>(text.trim_start_matches('\u{feff}')) else { continue };
        // In the output of `tag`, `primary` is a single id: without `must` a line is no gold.
        if let Some(must) = gold.must {
            let primary = gold.primary.and_then(|primary| serde_json::from_value(primary).ok()).unwrap_or_default();
            by_line.insert((name.clone(), number), Gold { must, may: gold.may, primary });
        }
    }
}
