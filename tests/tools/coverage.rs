//! `coverage` and `compare`: what rules do on a body of comments, and what changes between two sets of them.

use std::sync::Arc;

use jirei::{
    codebook::Codebook,
    evaluate::Gold,
    rule::{ComparedItem, Comparison, CoverageItem, RuleSet},
    source::Source,
};

use super::{classified, rules};
use crate::support::{ANALYZER, POLARITY};

const COVERED: &str = r#"
[[rule]]
id = "one"
category = "a"
pattern = "端末"

[[rule]]
id = "two"
category = "a"
pattern = "故障"

[[rule]]
id = "idle"
category = "b"
pattern = "停電"

[[rule]]
id = "out"
category = "a"
kind = "exclude"
pattern = "訓練"
"#;

fn gold(must: &[&str], may: &[&str], primary: &[&str]) -> Gold {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Gold { must: owned(must), may: owned(may), primary: owned(primary) }
}

#[test]
fn coverage_counts_hits_unique_hits_overlap_and_precision() {
    let rules = rules(COVERED);
    let comments = [
        ("端末が故障した", Some(gold(&["a"], &[], &["a"]))),
        ("端末が遅い", Some(gold(&[], &[], &[]))),
        ("端末が古い", Some(gold(&[], &["a"], &[]))),
        ("故障の訓練をした", Some(gold(&[], &[], &[]))),
        ("特になし", None),
    ];
    let outcomes: Vec<_> = comments.iter().map(|(text, _)| classified(&rules, text)).collect();
    let items: Vec<CoverageItem<'_>> = outcomes
        .iter()
        .zip(&comments)
        .map(|((fired, classification), (_, gold))| CoverageItem {
            fired: fired.clone(),
            classification,
            gold: gold.as_ref(),
        })
        .collect();
    let coverage = rules.coverage(&items);
    let counts: Vec<_> = coverage
        .rules
        .iter()
        .map(|rule| (rule.hits, rule.given, rule.unique, rule.overlapping, rule.precision()))
        .collect();
    assert_eq!(
        counts,
        [
            (3, 3, 2, 1, Some(0.5)),
            (2, 1, 0, 1, Some(1.0)),
            (0, 0, 0, 0, None),
            // An exclusion fires, and gives nothing.
            (1, 0, 0, 0, None),
        ]
    );
    let alone: Vec<_> = coverage.rules.iter().map(|rule| (rule.right_alone, rule.wrong_alone)).collect();
    assert_eq!(alone, [(0, 1), (0, 0), (0, 0), (0, 0)]);
    let wanted = CoverageItem { gold: comments[0].1.as_ref(), ..items[1].clone() };
    let coverage_of_wanted = rules.coverage(&[wanted]);
    assert_eq!((coverage_of_wanted.rules[0].right_alone, coverage_of_wanted.rules[0].wrong_alone), (1, 0));
    assert_eq!((coverage.comments, coverage.gold_comments, coverage.uncategorised), (5, 4, 2));
    assert_eq!(coverage.untouched, [4]);
    let overlaps: Vec<_> = coverage.overlaps.iter().map(|o| (o.first, o.second, o.both, o.either)).collect();
    assert_eq!(overlaps, [(0, 1, 1, 4)]);
}

#[test]
fn compare_lists_what_categories_gain_and_lose() {
    let old = rules(COVERED);
    let new = rules(&COVERED.replace("pattern = \"端末\"", "pattern = \"機械\"").replace("停電", "遅い"));
    let comments = [
        ("端末が故障した", None),
        ("端末が遅い", Some(gold(&["b"], &[], &["b"]))),
        ("機械が古い", Some(gold(&[], &["a"], &[]))),
    ];
    let before: Vec<_> = comments.iter().map(|(text, _)| classified(&old, text).1).collect();
    let after: Vec<_> = comments.iter().map(|(text, _)| classified(&new, text).1).collect();
    let items: Vec<ComparedItem<'_>> = before
        .iter()
        .zip(&after)
        .zip(&comments)
        .map(|((old, new), (_, gold))| ComparedItem { old, new, gold: gold.as_ref() })
        .collect();
    let comparison = Comparison::build(old.codebook(), new.codebook(), &items);
    let changes = |changes: &[jirei::rule::Change]| -> Vec<(usize, Option<bool>)> {
        changes.iter().map(|change| (change.index, change.is_better)).collect()
    };
    let [a, b, l] = &comparison.categories[..] else { panic!("three categories") };
    assert_eq!((a.kept, changes(&a.gained), changes(&a.lost)), (1, vec![(2, None)], vec![(1, Some(true))]));
    assert_eq!((b.kept, changes(&b.gained), changes(&b.lost)), (0, vec![(1, Some(true))], vec![]));
    assert_eq!((l.kept, l.gained.len(), l.lost.len()), (0, 0, 0));
    let primary: Vec<_> = comparison
        .primary
        .iter()
        .map(|change| (change.index, change.old.as_deref(), change.new.as_deref(), change.is_better))
        .collect();
    assert_eq!(primary, [(1, Some("a"), Some("b"), Some(true)), (2, None, Some("a"), Some(false))]);
}

#[test]
fn compare_keeps_categories_of_either_code_frame() {
    let frame = |ids: &[&str]| {
        let entries: Vec<String> = ids
            .iter()
            .map(|id| {
                format!("{{ id = \"{id}\", kind = \"section\", heading = \"\", short = \"\", definition = \"\" }}")
            })
            .collect();
        let text = format!("title = \"\"\ncategory = [{}]", entries.join(", "));
        let sources: Vec<Arc<Source>> =
            vec![Source::new("codebook.toml", text), Source::new("polarity.toml", POLARITY)];
        RuleSet::from_sources(&sources, &ANALYZER).unwrap_or_else(|error| panic!("{:?}", error.0))
    };
    let (old, new) = (frame(&["x", "y"]), frame(&["z", "x"]));
    let ids = |old: &Codebook, new: &Codebook| -> Vec<String> {
        Comparison::build(old, new, &[]).categories.into_iter().map(|change| change.category).collect()
    };
    assert_eq!(ids(old.codebook(), new.codebook()), ["z", "x", "y"]);
}
