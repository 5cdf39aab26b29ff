//! Time of each stage on the sample survey's comments: `cargo bench`.

use divan::{Bencher, counter::ItemsCount};
use jirei::{
    analyze::Analyzer,
    comment::Comment,
    read::{ReadOptions, open},
    rule::{Matcher, RuleSet},
};

fn main() {
    divan::main();
}

fn comments() -> Vec<Comment> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sample_survey.csv");
    let reader = open(path.as_ref(), &ReadOptions::default()).expect("the sample is part of the repository");
    reader.filter_map(Result::ok).collect()
}

#[divan::bench]
fn start_analyzer(bencher: Bencher<'_, '_>) {
    bencher.bench(Analyzer::embedded);
}

#[divan::bench]
fn compile_embedded_rules(bencher: Bencher<'_, '_>) {
    let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
    bencher.bench(|| RuleSet::embedded(&analyzer).map(|rules| rules.rules().count()));
}

#[divan::bench]
fn normalize(bencher: Bencher<'_, '_>) {
    let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
    let comments = comments();
    bencher.counter(ItemsCount::new(comments.len())).bench(|| {
        comments.iter().map(|comment| analyzer.normalizer().normalize(&comment.text).text().len()).sum::<usize>()
    });
}

#[divan::bench]
fn analyze(bencher: Bencher<'_, '_>) {
    let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
    let comments = comments();
    let mut worker = analyzer.worker();
    bencher
        .counter(ItemsCount::new(comments.len()))
        .bench_local(|| comments.iter().map(|comment| worker.analyze(&comment.text).morphemes.len()).sum::<usize>());
}

#[divan::bench]
fn classify(bencher: Bencher<'_, '_>) {
    let analyzer = Analyzer::embedded().expect("the embedded dictionary loads");
    let rules = RuleSet::embedded(&analyzer).expect("the embedded rules are correct");
    let comments = comments();
    let mut worker = analyzer.worker();
    let analyses: Vec<_> = comments.iter().map(|comment| worker.analyze(&comment.text)).collect();
    let mut matcher = Matcher::new(&rules);
    bencher.counter(ItemsCount::new(comments.len())).bench_local(|| {
        let classified =
            comments.iter().zip(&analyses).map(|(c, analysis)| matcher.classify(analysis, c).codings.len());
        classified.sum::<usize>()
    });
}
