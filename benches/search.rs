//! Time of searches in one process over a casebook that is there: `benches/search.sh` makes one and runs this.
//!
//! `search CASEBOOK QUERIES.jsonl [ROUNDS]` prints one line of JSON for each way of searching: milliseconds of the
//! first twenty hits with their total and highlights, the best of some rounds for each query.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

use std::{path::Path, time::Instant};

use jirei::{
    analyze::Analyzer,
    index::TokenMaker,
    search::{FacetField, Query, SearchOptions, Searcher},
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench` of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [casebook, queries, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: search CASEBOOK QUERIES.jsonl [ROUNDS] (benches/search.sh makes both)");
        return Ok(());
    };
    let rounds: usize = rest.first().map_or(Ok(5), |rounds| rounds.parse())?;
    let queries: Vec<String> = std::fs::read_to_string(queries)?
        .lines()
        .map(|line| Ok(serde_json::from_str::<Value>(line)?["jirei"].as_str().unwrap_or_default().to_owned()))
        .collect::<anyhow::Result<_>>()?;
    let analyzer = Analyzer::embedded()?;
    let mut maker = TokenMaker::new(&analyzer);
    let searcher = Searcher::open(Path::new(casebook), analyzer.version())?;
    let expanded = SearchOptions::default();
    let plain = SearchOptions { synonyms: false, readings: false, ..expanded.clone() };
    let faceted = SearchOptions { facets: FacetField::standard(), ..expanded.clone() };
    for (name, options) in [("synonyms and readings", &expanded), ("plain words", &plain), ("facets", &faceted)] {
        let mut times = vec![f64::INFINITY; queries.len()];
        let mut totals = vec![0; queries.len()];
        for _ in 0..rounds {
            for (index, query) in queries.iter().enumerate() {
                let start = Instant::now();
                let result = searcher.search(&mut maker, &Query::parse(query), options)?;
                times[index] = times[index].min(start.elapsed().as_secs_f64() * 1e3);
                totals[index] = result.total;
            }
        }
        let mut slowest: Vec<usize> = (0..queries.len()).collect();
        slowest.sort_by(|&a, &b| times[b].total_cmp(&times[a]));
        let slowest: Vec<Value> =
            slowest.iter().take(5).map(|&at| json!({"query": queries[at], "ms": round(times[at])})).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| round(times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]);
        let found = totals.iter().filter(|total| **total > 0).count();
        println!(
            "{}",
            json!({
                "engine": "jirei", "how": name, "comments": searcher.comment_count(), "queries": times.len(),
                "found": found, "hits": totals.iter().sum::<u64>(), "median_ms": at(0.5), "p99_ms": at(0.99),
                "mean_ms": round(times.iter().sum::<f64>() / times.len() as f64), "slowest": slowest,
            })
        );
    }
    Ok(())
}

fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}
