//! Queries over the invented comments: what must come back and what must not.

use std::collections::{BTreeMap, BTreeSet};

use jirei::{
    index::Entry,
    search::{FacetField, Field, HitOrder, KwicOrder, Note, Query, SearchOptions, SearchResult, Searcher, kwic},
};

use crate::common::{DICTIONARY, casebook, codebook, entries, maker};

struct Fixture {
    _folder: tempfile::TempDir,
    searcher: Searcher,
}

fn open() -> Fixture {
    let folder = casebook();
    let searcher = Searcher::open(folder.path(), DICTIONARY).expect("the index is there");
    Fixture { _folder: folder, searcher }
}

impl Fixture {
    fn search(&self, query: &str, options: &SearchOptions) -> SearchResult {
        self.searcher.search(&mut maker(), &Query::parse(query), options).expect("the search runs")
    }

    fn ids(&self, query: &str) -> Vec<String> {
        let options = SearchOptions { limit: 100, order: HitOrder::Report, ..SearchOptions::default() };
        ids(&self.search(query, &options))
    }

    fn marked(&self, query: &str, id: &str) -> Vec<String> {
        let options = SearchOptions { limit: 100, ..SearchOptions::default() };
        let result = self.search(query, &options);
        let hit = result.hits.iter().find(|hit| hit.comment.id.as_str() == id);
        let hit = hit.unwrap_or_else(|| panic!("{query} does not find {id}"));
        let chars: Vec<char> = hit.comment.text.chars().collect();
        hit.highlights.iter().map(|range| chars[range.clone()].iter().collect()).collect()
    }
}

fn ids(result: &SearchResult) -> Vec<String> {
    result.hits.iter().map(|hit| hit.comment.id.to_string()).collect()
}

/// Each query with exactly the comments that it must find, in report order.
const QUERIES: &[(&str, &str)] = &[
    // ● in all its names, and its look-alikes apart
    ("●", "a01 a02 a03 a04 a05"),
    ("黒丸", "a01 a02 a03 a04 a05"),
    ("くろまる", "a01 a02 a03 a04 a05"),
    ("クロマル", "a01 a02 a03 a04 a05"),
    ("⚫", "a01 a02 a03 a04 a05"),
    ("○", "a06"),
    ("◯", "a07"),
    // base forms, negation, politeness
    ("反映", "a08 a09 a10 a11 a48"),
    ("反映する", "a08 a09 a10 a11 a48"),
    ("反映されない", "a08 a09"),
    ("反映されません", "a08 a09"),
    ("\"反映されない\"", "a09"),
    ("届かない", "a15 a45"),
    ("届きません", "a15 a45"),
    ("届いた", "a12 a14 a15 a45"),
    ("困った", "a01 a47"),
    ("\"困った\"", "a01"),
    // readings
    ("ぱすわーど", "a31 a32"),
    ("かおにんしょう", "a17 a21"),
    ("あんしょうばんごう", "a21 a30"),
    ("ていでん", "a18 a52"),
    ("とどかない", "a15 a45"),
    // spelling and width
    ("カードリーダー", "a16 a17 a23 a45"),
    ("ｶｰﾄﾞﾘｰﾀﾞｰ", "a16 a17 a23 a45"),
    ("カードリーダ", "a16 a17 a23 a45"),
    ("vpn", "a22"),
    ("ＶＰＮ", "a22"),
    // parts of compounds
    ("確認書", "a33 a41"),
    ("資格確認書", "a33 a41"),
    ("証明書", "a35"),
    ("お知らせ", "a33 a34"),
    // several words, without, either, brackets
    ("停電 復旧", "a18"),
    ("停電　-照明", "a18"),
    ("停電 －照明", "a18"),
    ("停電 OR 故障", "a18 a19 a52"),
    ("(停電 OR 故障) 回線", "a18"),
    ("（停電　ＯＲ　故障）　-回線", "a19 a52"),
    ("返戻 -国保 -保険者", "a14"),
    // near
    ("near(患者 説明, 4)", ""),
    ("near(患者 説明, 5)", "a25"),
    ("near(説明 患者 , 6)", "a24 a25"),
    ("near(職員 説明, 2)", "a60"),
    ("near(\"患者さん\" 怒る, 4)", "a12 a60"),
    // prefix
    ("再起*", "a16 a20 a48"),
    ("スマ*", "a43 a44"),
    ("ネット*", "a20"),
    // fields
    ("都道府県:愛知 施設:歯科", "a01 a08 a16 a26 a39"),
    ("都道府県：愛知　施設：歯科　分類：表示", "a01"),
    ("prefecture:愛知,岐阜 分類:display", "a01 a02 a03"),
    ("県:京都", "a18 a19"),
    ("主分類:display -都道府県:愛知県", "a03 a04 a05 a53 a54"),
    ("分類:クレーム", "a12 a34 a49 a60"),
    ("category:elderly 施設:病院", "a21"),
    ("問:11", "a43 a44"),
    ("問:12 -特になし", "a45"),
    ("設問:問１２", "a45 a46"),
    ("利用率:\"40%以上\" 分類:display", "a01 a02 a05"),
    ("利用率:20%未満 施設:歯科", "a03 a38"),
    ("id:a07,a09", "a07 a09"),
    ("文字数:<6", "a46"),
    ("文字数:4以内", "a46"),
    ("文字数:12-14 都道府県:愛知", "a39 a51"),
    // what people type
    ("停電？", "a18 a52"),
    ("「回線が復旧」", "a18"),
    ("\"回線が復旧", "a18"),
    ("(停電", "a18 a52"),
    ("停電、回線。", "a18"),
    ("-", "*"),
    ("", "*"),
    ("該当しない語の羅列xyz", ""),
];

#[test]
fn queries_find_what_they_must_and_nothing_else() {
    let fixture = open();
    let all: Vec<String> = entries().iter().map(|entry| entry.comment.id.to_string()).collect();
    let mut wrong = Vec::new();
    for (query, expected) in QUERIES {
        let options = SearchOptions {
            limit: 100,
            order: HitOrder::Report,
            synonyms: false,
            fuzzy: false,
            ..SearchOptions::default()
        };
        let result = fixture.search(query, &options);
        let expected: Vec<String> = match *expected {
            "*" => all.clone(),
            expected => expected.split_whitespace().map(str::to_owned).collect(),
        };
        let found = ids(&result);
        if found != expected {
            wrong.push(format!("{query}\n  expected {expected:?}\n  found    {found:?}"));
        }
        assert_eq!(result.total as usize, found.len(), "{query}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn relevance_and_report_order_give_the_same_comments() {
    let fixture = open();
    for (query, _) in QUERIES {
        let with = |order| {
            let options = SearchOptions { limit: 100, order, ..SearchOptions::default() };
            ids(&fixture.search(query, &options)).into_iter().collect::<BTreeSet<_>>()
        };
        assert_eq!(with(HitOrder::Relevance), with(HitOrder::Report), "{query}");
    }
}

#[test]
fn pages_follow_each_other() {
    let fixture = open();
    for query in ["患者", "都道府県:愛知", "●", "", "カード OR 保険証"] {
        for order in [HitOrder::Relevance, HitOrder::Report] {
            let whole = SearchOptions { limit: 100, order, ..SearchOptions::default() };
            let whole = ids(&fixture.search(query, &whole));
            let mut pages = Vec::new();
            for offset in (0..whole.len() + 3).step_by(3) {
                let page = SearchOptions { limit: 3, offset, order, ..SearchOptions::default() };
                pages.extend(ids(&fixture.search(query, &page)));
            }
            assert_eq!(pages, whole, "{query} {order:?}");
        }
    }
}

#[test]
fn highlights_mark_the_original() {
    let fixture = open();
    assert_eq!(fixture.marked("黒丸", "a01"), ["●"]);
    assert_eq!(fixture.marked("黒丸", "a05"), ["⚫", "⚫"]);
    assert_eq!(fixture.marked("●", "a03"), ["くろまる"]);
    assert_eq!(fixture.marked("カードリーダー", "a23"), ["ｶｰﾄﾞﾘｰﾀﾞｰ"]);
    assert_eq!(fixture.marked("反映されない", "a08"), ["反映されず"]);
    assert_eq!(fixture.marked("証明書", "a35"), ["証明書"]);
    assert_eq!(fixture.marked("ぱすわーど", "a32"), ["パスワード"]);
    assert_eq!(fixture.marked("vpn", "a22"), ["ＶＰＮ"]);
    assert_eq!(fixture.marked("停電 復旧", "a18"), ["停電", "復旧"]);
    assert_eq!(fixture.marked("near(職員 説明, 2)", "a60"), ["職員", "説明"]);
    assert_eq!(fixture.marked("停電 -照明", "a18"), ["停電"]);
    assert!(fixture.marked("都道府県:愛知", "a01").is_empty());
}

#[test]
fn synonyms_are_used_shown_and_can_be_switched_off() {
    let fixture = open();
    let with = fixture.search("暗証番号", &SearchOptions { order: HitOrder::Report, ..SearchOptions::default() });
    assert!(ids(&with).contains(&"a32".to_owned()), "{:?}", ids(&with));
    assert!(with.expansions[0].synonyms.contains(&"パスワード".to_owned()), "{:?}", with.expansions);
    assert_eq!(fixture.marked("暗証番号", "a32"), ["パスワード"]);
    let without = SearchOptions { order: HitOrder::Report, synonyms: false, ..SearchOptions::default() };
    let without = fixture.search("暗証番号", &without);
    assert_eq!(ids(&without), ["a21", "a30"]);
    assert!(without.expansions.is_empty());
}

#[test]
fn a_slip_finds_the_nearest_word_and_says_so() {
    let fixture = open();
    let result = fixture.search("パスワート", &SearchOptions::default());
    assert!(ids(&result).contains(&"a32".to_owned()), "{:?}", ids(&result));
    assert!(matches!(&result.notes[..], [Note::Fuzzy { word, .. }] if word == "パスワート"), "{:?}", result.notes);
    let strict = SearchOptions { fuzzy: false, ..SearchOptions::default() };
    assert_eq!(fixture.search("パスワート", &strict).total, 0);
}

#[test]
fn notes_name_what_does_not_fit() {
    let fixture = open();
    let notes = |query: &str| fixture.search(query, &SearchOptions::default()).notes;
    assert!(matches!(&notes("都道府県:火星")[..], [Note::UnknownValue { .. }]));
    assert!(matches!(&notes("担当:停電")[..], [Note::UnknownField(name)] if name == "担当"));
    assert_eq!(notes("停電"), []);
}

#[test]
fn filters_can_be_added_by_the_program() {
    let fixture = open();
    let query = Query::parse("停電 OR 故障")
        .with_filter(Field::Prefecture, &["京都".to_owned(), "愛知".to_owned()])
        .with_filter(Field::Category, &[]);
    let options = SearchOptions { order: HitOrder::Report, ..SearchOptions::default() };
    let result = fixture.searcher.search(&mut maker(), &query, &options).expect("the search runs");
    assert_eq!(ids(&result), ["a18", "a19"]);
}

#[test]
fn hits_carry_the_comment_as_it_came_in() {
    let fixture = open();
    let result = fixture.search("id:a12", &SearchOptions::default());
    let entry = entries().into_iter().find(|entry| entry.comment.id.as_str() == "a12").expect("a12 is in the fixture");
    let hit = &result.hits[0];
    assert_eq!(hit.comment, entry.comment);
    assert_eq!(hit.categories, ["data_lag", "complaint"]);
    assert_eq!(hit.primary.as_deref(), Some("data_lag"));
    assert_eq!(hit.position, 12);
    let with_attributes = fixture.search("id:a01", &SearchOptions::default());
    assert_eq!(with_attributes.hits[0].comment.attributes.get("利用率"), Some("40%以上"));
}

#[test]
fn facets_equal_a_plain_count() {
    let fixture = open();
    let mut fields = FacetField::standard();
    fields.push(FacetField::Attribute("利用率".into()));
    let codebook = codebook();
    for (query, _) in QUERIES {
        let options = SearchOptions { limit: 100, facets: fields.clone(), fuzzy: false, ..SearchOptions::default() };
        let result = fixture.search(query, &options);
        let found: BTreeSet<String> = ids(&result).into_iter().collect();
        let records: Vec<Entry> =
            entries().into_iter().filter(|entry| found.contains(entry.comment.id.as_str())).collect();
        for (facet, field) in result.facets.iter().zip(&fields) {
            let mut plain: BTreeMap<String, u64> = BTreeMap::new();
            let mut missing = 0;
            for Entry { comment, classification, .. } in &records {
                let id = |category| codebook[category].id.to_string();
                let values: Vec<String> = match field {
                    FacetField::Prefecture => comment.prefecture.iter().cloned().collect(),
                    FacetField::Facility => comment.facility.iter().cloned().collect(),
                    FacetField::Question => comment.question.iter().cloned().collect(),
                    FacetField::Category => classification.categories().map(id).collect(),
                    FacetField::Primary => classification.primary.into_iter().map(id).collect(),
                    FacetField::Attribute(name) => {
                        comment.attributes.get(name).map(str::to_owned).into_iter().collect()
                    }
                };
                missing += u64::from(values.is_empty());
                for value in values {
                    *plain.entry(value).or_default() += 1;
                }
            }
            let counted: BTreeMap<String, u64> =
                facet.values.iter().map(|value| (value.value.clone(), value.count)).collect();
            assert_eq!(counted, plain, "{query} {field:?}");
            assert_eq!(facet.missing, missing, "{query} {field:?}");
        }
    }
}

#[test]
fn categories_are_shown_by_name_in_report_order() {
    let fixture = open();
    let options = SearchOptions { facets: vec![FacetField::Category], ..SearchOptions::default() };
    let result = fixture.search("", &options);
    let labels: Vec<&str> = result.facets[0].values.iter().map(|value| value.label.as_str()).collect();
    let expected: Vec<String> = codebook().categories().iter().map(|category| category.short.clone()).collect();
    assert_eq!(labels, expected);
}

#[test]
fn concordance_shows_and_sorts_contexts() {
    let fixture = open();
    let options = SearchOptions { limit: 100, order: HitOrder::Report, ..SearchOptions::default() };
    let result = fixture.search("停電", &options);
    let lines = kwic(&result.hits, 6, KwicOrder::Hits);
    let shown: Vec<_> =
        lines.iter().map(|line| (line.left.as_str(), line.keyword.as_str(), line.right.as_str())).collect();
    assert_eq!(
        shown,
        [("", "停電", "のあと回線が"), ("との指摘あり。", "停電", "ではない。")]
            .map(|(l, k, r)| { (if l.is_empty() { l } else { "の指摘あり。" }, k, r) })
    );
    let result = fixture.search("患者", &options);
    let by_right = kwic(&result.hits, 10, KwicOrder::Right);
    assert!(by_right.is_sorted_by(|a, b| a.right <= b.right));
    let by_left = kwic(&result.hits, 10, KwicOrder::Left);
    assert!(by_left.is_sorted_by_key(|line| line.left.chars().rev().collect::<String>()));
}

#[test]
fn similar_comments_share_their_telling_words() {
    let fixture = open();
    let id = |id: &str| jirei::comment::CommentId::new(id);
    let options = SearchOptions { limit: 3, ..SearchOptions::default() };
    let similar = |of: &str, among: &str| {
        fixture.searcher.similar(&mut maker(), &id(of), &Query::parse(among), &options).expect("the search runs")
    };
    let like_a08 = similar("a08", "").expect("a08 is there");
    assert!(ids(&like_a08).contains(&"a10".to_owned()), "{:?}", ids(&like_a08));
    assert!(!ids(&like_a08).contains(&"a08".to_owned()));
    let among = similar("a08", "施設:病院").expect("a08 is there");
    assert!(among.hits.iter().all(|hit| hit.comment.facility.as_deref() == Some("病院")));
    assert_eq!(similar("zzz", ""), None);
}

#[test]
fn an_exact_phrase_takes_no_other_spelling() {
    let fixture = open();
    assert_eq!(fixture.ids("\"黒丸\""), ["a02"]);
    assert_eq!(fixture.ids("\"くろまる\""), ["a03"]);
    assert_eq!(fixture.ids("\"ぱすわーど\""), ["a31"]);
}
