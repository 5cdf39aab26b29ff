//! From a search to work: all hits get a category or are marked to be quoted, as one batch that can be taken back.

use std::io::Write;

use anyhow::Context;

use super::{Args, Format, Shown, facet_label, is_unbounded, report_notes};
use crate::{
    casebook::{Action, BatchInfo, Casebook, Decision, FrameCategory, Judgement, StoredComment},
    cli::{Outcome, clock::now, stdout},
    index::{self, TokenMaker},
    search::{FacetField, HitOrder, Query, SearchOptions, Searcher},
};

impl Args {
    /// Decides upon all hits, or with `--dry-run` shows them and says what would be decided.
    pub(super) fn decide(
        &self,
        searcher: &Searcher,
        maker: &mut TokenMaker<'_>,
        query: &Query,
        written: &str,
        format: Format,
    ) -> anyhow::Result<Outcome> {
        if is_unbounded(query) {
            anyhow::bail!("すべてのコメントが対象になります（検索語か条件を指定してください）");
        }
        let coder = self.coder.as_deref().unwrap_or_default().trim();
        if coder.is_empty() {
            anyhow::bail!("--coder に判断する人の名前を指定してください");
        }
        let category = match &self.add_category {
            Some(written) => Some(category(&searcher.info().frame, written)?),
            None => None,
        };
        // What is decided upon is what was typed: no words but that, and in the order of coming in.
        let options = SearchOptions {
            limit: usize::MAX,
            order: HitOrder::Report,
            fuzzy: false,
            highlights: false,
            ..self.spellings()
        };
        let result = searcher.search(maker, query, &options)?;
        let mut casebook = Casebook::open(&self.casebook)?;
        let mut decisions = Vec::new();
        let (mut categorised, mut marked) = (0_u64, 0_u64);
        for hit in &result.hits {
            let id = &hit.comment.id;
            let stored = casebook.comment(id)?;
            let stored = stored.with_context(|| format!("番号「{id}」のコメントは事例帳にありません"))?;
            if let Some(category) = category
                && let Some(action) = missing_action(&stored, &category.id)
            {
                decisions.push(Decision::category(id.clone(), &*category.id, action));
                categorised += 1;
            }
            if self.mark_quote && stored.good_quote != Some(true) {
                decisions.push(Decision { comment: id.clone(), judgement: Judgement::GoodQuote(Some(true)) });
                marked += 1;
            }
        }
        let done = |sentence: &str| -> Vec<String> {
            let mut lines = Vec::new();
            let same = |count: u64| match result.total - count {
                0 => String::new(),
                same => format!("（すでにそうなっている {same} 件はそのまま）"),
            };
            if let Some(category) = category {
                let label = facet_label(&FacetField::Category);
                lines.push(format!(
                    "{categorised} 件に{label}「{}」を付け{sentence}{}",
                    category.short,
                    same(categorised)
                ));
            }
            if self.mark_quote {
                lines.push(format!("{marked} 件を引用候補にし{sentence}{}", same(marked)));
            }
            lines
        };
        if self.dry_run {
            let shown_options = SearchOptions { limit: self.limit, offset: self.offset, highlights: true, ..options };
            let shown = searcher.search(maker, query, &shown_options)?;
            report_notes(&shown);
            let shown = Shown { query: written, searcher, result: &shown, concordance: None, offset: self.offset };
            self.show(&shown, format)?;
            for line in done("ます") {
                eprintln!("{line}");
            }
            eprintln!("まだ記録していません（--dry-run を外すと記録します）");
            return Ok(Outcome::Done);
        }
        report_notes(&result);
        let info = BatchInfo {
            coder: coder.to_owned(),
            decided_at: now()?,
            source: format!("検索: {}", self.described(written)),
        };
        let appended = index::decide(&mut casebook, maker, &info, &decisions)?;
        let mut out = stdout();
        for line in done("ました") {
            writeln!(out, "{line}")?;
        }
        if let Some(batch) = appended.batch {
            let casebook = self.casebook.display();
            writeln!(out, "取り消すには: jirei review undo {batch} --casebook {casebook} --coder {coder}")?;
        }
        out.flush()?;
        Ok(Outcome::Done)
    }

    /// The query with the filters that were given as options.
    fn described(&self, written: &str) -> String {
        let filters = [
            ("都道府県", &self.prefecture),
            ("施設", &self.facility),
            ("分類", &self.category),
            ("問", &self.question),
        ];
        let filters = filters.into_iter().filter(|(_, values)| !values.is_empty());
        let parts = filters.map(|(name, values)| format!("{name}:{}", values.join(",")));
        Some(written.to_owned())
            .filter(|written| !written.is_empty())
            .into_iter()
            .chain(parts)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What must be decided for a comment to be in a category for good; `None` where that was decided before.
fn missing_action(stored: &StoredComment, category: &str) -> Option<Action> {
    if matches!(stored.decided_categories.get(category), Some(Action::Accept | Action::Add | Action::Primary)) {
        return None;
    }
    let by_rules = stored.codings.iter().any(|coding| &*coding.category == category);
    Some(if by_rules { Action::Accept } else { Action::Add })
}

/// A category by its id or one of its names.
fn category<'f>(frame: &'f [FrameCategory], written: &str) -> anyhow::Result<&'f FrameCategory> {
    let wanted = written.trim();
    frame
        .iter()
        .find(|category| &*category.id == wanted || category.short == wanted || category.heading == wanted)
        .with_context(|| {
            let names: Vec<String> =
                frame.iter().map(|category| format!("{}（{}）", category.id, category.short)).collect();
            format!("「{written}」という分類はありません（{} から選んでください）", names.join("、"))
        })
}
