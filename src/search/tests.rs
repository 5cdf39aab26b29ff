//! The index against the plain reading of a plan: every query gives the comments that reading all of them gives.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{matcher::Found, *};
use crate::{
    analyze::Analyzer,
    casebook::{Casebook, ImportSource},
    classify::{Classification, Coding},
    codebook::{Category, CategoryKind, Codebook},
    comment::Comment,
    index::Entry,
};

fn codebook() -> Codebook {
    let category = |id: &str| Category {
        id: id.into(),
        kind: CategoryKind::Section,
        heading: id.to_owned(),
        short: id.to_owned(),
        definition: String::new(),
    };
    let ids = [
        "data_lag",
        "display",
        "device",
        "operation_support",
        "system_confusion",
        "restore_card",
        "elderly",
        "complaint",
        "smartphone",
    ];
    Codebook::new("test".to_owned(), ids.map(category).to_vec()).unwrap()
}

fn entries(codebook: &Codebook) -> Vec<Entry> {
    include_str!("../../tests/fixtures/search/comments.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let some = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            let comment = Comment {
                id: CommentId::new(columns[0]),
                prefecture: some(columns[1]),
                facility: some(columns[2]),
                question: some(columns[3]),
                ..Comment::from_text(columns[6])
            };
            let codings = columns[4].split(',').filter_map(|id| codebook.index_of(id));
            let codings = codings.map(|category| Coding { category, confidence: 1.0, evidence: Vec::new() }).collect();
            Entry::new(comment, Classification { codings, primary: None })
        })
        .collect()
}

/// Reads a plan against one comment.
fn matches(plan: &Plan, text: &(&Matcher<'_>, Found), entry: &Entry, codebook: &Codebook) -> bool {
    match plan {
        Plan::Everything => true,
        Plan::Words(_) | Plan::Near { .. } => !text.0.highlights_of(&text.1, plan).is_empty(),
        Plan::Not(inner) => !matches(inner, text, entry, codebook),
        Plan::All(parts) => parts.iter().all(|part| matches(part, text, entry, codebook)),
        Plan::Any(parts) => parts.iter().any(|part| matches(part, text, entry, codebook)),
        Plan::Length { at_least, at_most } => {
            (*at_least..=*at_most).contains(&(entry.comment.text.chars().count() as u64))
        }
        Plan::Values { field, values } => {
            let comment = &entry.comment;
            let of_comment: Vec<&str> = match field {
                FilterField::Named(Field::Prefecture) => comment.prefecture.as_deref().into_iter().collect(),
                FilterField::Named(Field::Facility) => comment.facility.as_deref().into_iter().collect(),
                FilterField::Named(Field::Question) => comment.question.as_deref().into_iter().collect(),
                FilterField::Named(Field::Category) => {
                    entry.classification.categories().map(|category| &*codebook[category].id).collect()
                }
                FilterField::Named(Field::Primary | Field::GoodQuote) | FilterField::Attribute => Vec::new(),
                FilterField::Named(Field::Id) => vec![comment.id.as_str()],
            };
            values.iter().any(|value| of_comment.contains(&value.as_str()))
        }
    }
}

fn query() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "患者",
        "説明",
        "反映",
        "反映されない",
        "●",
        "カード",
        "カードリーダー",
        "保険証",
        "暗証番号",
        "資格",
        "困る",
        "停電",
        "の",
        "を",
        "ない",
        "確認",
        "届く",
        "ぱすわーど",
        "くろまる",
        "再起動",
        "職員",
        "時間",
        "た",
        "。",
        "高齢",
        "一",
        "顔",
        "無効",
        "した",
        "できない",
    ]);
    let leaf = prop_oneof![
        6 => word.clone().prop_map(str::to_owned),
        1 => (word.clone(), word.clone()).prop_map(|(a, b)| format!("\"{a}{b}\"")),
        1 => (word.clone(), word.clone()).prop_map(|(a, b)| format!("{a}{b}")),
        1 => word.clone().prop_map(|word| format!("\"{word}\"")),
        1 => word.clone().prop_map(|word| format!("{}*", word.chars().next().unwrap())),
        2 => (word.clone(), word, 0_u32..12).prop_map(|(a, b, distance)| format!("near({a} {b}, {distance})")),
        1 => prop::sample::select(vec![
            "都道府県:愛知", "施設:歯科,病院", "分類:device", "問:7", "文字数:<20", "文字数:15-30", "id:a01,a07", "施設:診療所",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("-({part})")),
        ]
    })
}

#[test]
fn a_thousand_queries_find_what_reading_everything_finds() {
    let folder = tempfile::tempdir().unwrap();
    let analyzer = Analyzer::embedded().unwrap();
    let mut maker = TokenMaker::new(&analyzer);
    let codebook = codebook();
    let all = entries(&codebook);
    let mut casebook = Casebook::open_or_create(folder.path()).unwrap();
    // Several imports and changes make several segments with deleted documents in them.
    for (name, part) in [("one", &all[..20]), ("two", &all[..45]), ("three", &all[..])] {
        let source = ImportSource {
            file: name.to_owned(),
            hash: name.to_owned(),
            imported_at: String::new(),
            dictionary: "d".to_owned(),
            rules: if name == "three" { "r2".to_owned() } else { "r1".to_owned() },
            corrected: false,
        };
        index::import(&mut casebook, &mut maker, &source, &codebook, part.to_vec()).unwrap();
    }
    let searcher = Searcher::open(folder.path(), "d").unwrap();
    let analyses: Vec<_> = all.iter().map(|entry| maker.analyze(&entry.comment.text)).collect();
    let inner = searcher.reader.0.searcher();
    assert_eq!(inner.num_docs(), 60);
    let maker = std::cell::RefCell::new(maker);
    let told_apart = std::cell::Cell::new(0);
    TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() })
        .run(&query(), |written| {
            let maker = &mut *maker.borrow_mut();
            let query = Query::parse(&written);
            let mut planner = Planner {
                searcher: &inner,
                fields: searcher.open.fields,
                frame: &searcher.open.info.frame,
                maker,
                synonyms: Some(&searcher.synonyms),
                readings: true,
                fuzzy: false,
                gave_way: false,
                notes: Vec::new(),
                expansions: Vec::new(),
            };
            let plan = planner.plan(query.expression()).unwrap();
            let matcher = Matcher::new(&plan);
            let expected: Vec<&str> = all
                .iter()
                .zip(&analyses)
                .filter(|(entry, analysis)| {
                    let found = (&matcher, matcher.find(maker, analysis));
                    matches(&plan, &found, entry, &codebook)
                })
                .map(|(entry, _)| entry.comment.id.as_str())
                .collect();
            for order in [HitOrder::Report, HitOrder::Relevance] {
                let options = SearchOptions {
                    limit: 100,
                    order,
                    fuzzy: false,
                    facets: if order == HitOrder::Report { vec![FacetField::Facility] } else { Vec::new() },
                    ..SearchOptions::default()
                };
                let result = searcher.search(maker, &query, &options).unwrap();
                let mut ids: Vec<&str> = result.hits.iter().map(|hit| hit.comment.id.as_str()).collect();
                if order == HitOrder::Relevance {
                    ids.sort_unstable();
                }
                prop_assert_eq!(&ids, &expected, "{} {:?}", &written, order);
                prop_assert_eq!(result.total as usize, expected.len(), "{}", &written);
            }
            told_apart.set(told_apart.get() + u32::from(!expected.is_empty() && expected.len() < 60));
            Ok(())
        })
        .unwrap();
    assert!(told_apart.get() > 300, "only {} queries told comments apart", told_apart.get());
}
