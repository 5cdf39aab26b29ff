//! The engine against a slow, obvious matcher that is written from `docs/rules.md`: it walks the trees over all
//! morphemes and knows neither automata nor gates nor sharing. They must agree on random rules and texts.

mod obvious;

use jirei::{
    comment::Comment,
    rule::{Matcher, parse_pattern},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use self::obvious::{Obvious, ObviousRule};
use crate::support::{ANALYZER, compile};

/// Words of the random texts.
const WORDS: [&str; 34] = [
    "カード",
    "を",
    "忘れた",
    "番号",
    "が",
    "患者",
    "顔認証",
    "できない",
    "。",
    "資格確認書",
    " ",
    "で",
    "確認",
    "、",
    "は",
    "使え",
    "ない",
    "なかった",
    "わけではない",
    "反映",
    "未",
    "して",
    "ほしい",
    "すれば",
    "場合",
    "以前",
    "今は",
    "解消した",
    "エラー",
    "出る",
    "PC",
    "pc",
    "\u{3000}",
    "\n",
];

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "カード",
        "忘れる",
        "番号",
        "'ード'",
        "'番'",
        "患者",
        "顔認証",
        "'認証で'",
        "できない",
        "資格確認書",
        "'確認'",
        "が",
        "'。カ'",
        "カ*",
        "*証",
        "*-->名詞",
        "反映-->サ変名詞",
        "*->未然形",
        "使える=>使え",
        "~ワスレル",
        "/番.を|[カ反]/",
        "'pc'",
        "反映",
        "エラー",
        "<one>",
        "<two>",
        "<three>",
    ])
    .prop_map(str::to_owned)
}

/// Expressions that spell out few texts, that do not, and that look around.
fn regex() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        "カ",
        "カード",
        "ード",
        "番号",
        "な",
        "ない",
        "PC",
        "c",
        "[ーP]",
        ".",
        "[^カ]",
        "^",
        "$",
        r"\b",
        r"\s",
        "(?-i:pc)",
    ]);
    let repeat = prop::sample::select(vec!["?", "??", "{0,2}", "{1,2}?", "{2}", "+", "*?"]);
    text.prop_map(str::to_owned)
        .prop_recursive(3, 8, 2, move |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}{b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
                (inner, repeat.clone()).prop_map(|(a, repeat)| format!("(?:{a}){repeat}")),
            ]
        })
        // None matches the empty text.
        .prop_map(|text| match regex_syntax::parse(&text).map(|hir| hir.properties().minimum_len()) {
            Ok(Some(1..)) => format!("/{text}/"),
            _ => format!("/カ(?:{text})/"),
        })
}

fn span() -> impl Strategy<Value = String> {
    prop_oneof![6 => leaf(), 1 => regex()].prop_recursive(3, 12, 3, |inner| {
        let feature =
            prop::sample::select(vec!["neg", "aff", "double", "wish", "hypo", "fact", "over", "start", "whole"]);
        let distance = prop::sample::select(vec!["", "[0]", "[1]", "[2]", "[4]", "[c]", "[0c]", "[1c]", "[3c]"]);
        let (a, b, c) = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (a, b).prop_map(|(a, b)| format!("({a} | {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})+({b})")),
            (inner.clone(), inner.clone(), distance.clone()).prop_map(|(a, b, d)| format!("seq({a}, {b}){d}")),
            (inner.clone(), inner.clone(), distance.clone()).prop_map(|(a, b, d)| format!("near({a}, {b}){d}")),
            (inner.clone(), inner.clone(), c, distance).prop_map(|(a, b, c, d)| format!("near({a}, {b}, {c}){d}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("except({a}, {b})")),
            (inner, feature).prop_map(|(a, name)| format!("{name}({a})")),
        ]
    })
}

/// A condition; `references` may be used in it.
fn condition(references: Vec<&'static str>) -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec![">", ">=", "<", "<=", "=="]);
    let length = prop::sample::select(vec!["chars", "words"]);
    let simple = prop::sample::select(
        [
            "@question = 問7",
            "@question in {問7, 問11}",
            "@facility != 病院",
            "@'利用率' not in {'10%', '20%'}",
            "@prefecture == 東京都",
        ]
        .into_iter()
        .chain(references)
        .map(str::to_owned)
        .collect::<Vec<_>>(),
    );
    let leaf = prop_oneof![
        5 => span(),
        1 => simple,
        1 => (span(), span(), comparison.clone(), 0..4u8).prop_map(|(a, b, c, n)| format!("count({a}) + count({b}) {c} {n}")),
        1 => (span(), length, comparison, 0..14u8).prop_map(|(a, l, c, n)| format!("count({a}) + {l} {c} {n}")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} & {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("sentence({a})")),
            inner.prop_map(|a| format!("comment({a})")),
        ]
    })
}

/// The keys of a rule but for its id, as TOML, and as the obvious matcher takes them.
fn rule(references: Vec<&'static str>, categories: Vec<&'static str>) -> impl Strategy<Value = ObviousRule> {
    (
        prop::collection::vec(condition(references.clone()), 1..3),
        prop::collection::vec(condition(references), 0..2),
        prop::sample::select(categories),
        any::<(bool, bool)>(),
        prop::sample::select(vec!["incident", "incident", "detail", "general", "wish"]),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(patterns, unless, categories, (is_comment, is_weak), concreteness, excludes)| ObviousRule {
            patterns,
            unless,
            categories: categories.split(' ').map(str::to_owned).collect(),
            is_comment,
            is_weak,
            excludes,
            concreteness,
        })
}

fn comment() -> impl Strategy<Value = Comment> {
    (
        prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..14),
        prop::sample::select(vec![None, Some("問7"), Some("問11"), Some("問12")]),
        prop::sample::select(vec![None, Some("病院"), Some("医科診療所")]),
        prop::sample::select(vec![None, Some("10%"), Some("40%")]),
    )
        .prop_map(|(words, question, facility, rate)| {
            let mut comment = Comment::from_text(words.concat());
            comment.question = question.map(str::to_owned);
            comment.facility = facility.map(str::to_owned);
            comment.prefecture = Some("東京都".to_owned());
            comment.attributes = rate.map(|rate| ("利用率".to_owned(), rate.to_owned())).into_iter().collect();
            comment
        })
}

fn concepts() -> impl Strategy<Value = [String; 3]> {
    // Concepts refer to each other, in either order.
    let plain = || prop::sample::select(vec!["カード | 番号", "near(カード, 忘れる)[3]", "'番' | neg(反映)", "エラー"]);
    (plain(), plain())
        .prop_map(|(a, b)| [a.to_owned(), format!("<one> | {b}"), "seq(<two>, <one>)[2] | 確認".to_owned()])
}

/// That matchers agree says something only where rules sometimes fire and sometimes do not.
#[test]
fn random_rules_fire_and_do_not() {
    let mut runner = TestRunner::deterministic();
    let (mut fired, mut all) = (0, 0);
    for _ in 0..100 {
        let mut make = || (rule(vec![], vec!["a"]).new_tree(&mut runner), comment().new_tree(&mut runner));
        let (Ok(rule), Ok(comment)) = make() else { panic!("the strategies reject nothing") };
        let (rule, comment) = (rule.current(), comment.current());
        let concepts = "[concepts]\none = \"カード\"\ntwo = \"番号\"\nthree = \"確認\"\n";
        let rules = compile(&format!("{concepts}{}", rule.toml("t"))).expect("generated rules are correct");
        let analysis = ANALYZER.worker().analyze(&comment.text);
        fired += Matcher::new(&rules).fired_rules(&analysis, &comment).len();
        all += 1;
    }
    assert!((all / 5..all * 4 / 5).contains(&fired), "{fired} of {all}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_obvious_matcher(
        concepts in concepts(),
        plain in prop::collection::vec(rule(vec![], vec!["a", "b", "a b"]), 3),
        // Rules that refer to others have a category that none of those asks for.
        referring in rule(vec!["rule(r0)", "rule(r2)", "category(a)", "category(b)"], vec!["l"]),
        comments in prop::collection::vec(comment(), 4),
        fillers in 0..40usize,
    ) {
        let rules: Vec<ObviousRule> = std::iter::once(referring).chain(plain).collect();
        let mut file = format!(
            "[concepts]\none = {:?}\ntwo = {:?}\nthree = {:?}\n", concepts[0], concepts[1], concepts[2]
        );
        // The rule that refers stands first, its targets after it.
        for (index, rule) in rules.iter().enumerate() {
            let id = if index == 0 { "referring".to_owned() } else { format!("r{}", index - 1) };
            file.push_str(&rule.toml(&id));
        }
        // Rules that never fire: gates come to stand at any place of their words, and lead on to few gates or many.
        for filler in 0..fillers {
            let pattern = match filler % 3 {
                0 => format!("'絶無{filler}'"),
                1 => "(<one> | <two>) & @question = 問99".to_owned(),
                _ => format!("near(<three>, '絶無{filler}')"),
            };
            file.push_str(&format!("[[rule]]\nid = \"f{filler}\"\ncategory = \"l\"\npattern = {pattern:?}\n"));
        }
        let compiled = compile(&file).map_err(|error| {
            TestCaseError::fail(error.0.iter().map(ToString::to_string).collect::<String>())
        })?;
        let obvious_rules: Vec<_> = rules.iter().map(ObviousRule::parsed).collect();
        let concepts: Vec<_> = ["one", "two", "three"]
            .into_iter()
            .zip(&concepts)
            .map(|(name, pattern)| (name, parse_pattern(pattern).expect("generated concepts are correct")))
            .collect();
        // One matcher for all comments, twice over: nothing of one may be left for the next.
        let mut matcher = Matcher::new(&compiled);
        for comment in comments.iter().chain(comments.iter().rev()) {
            let analysis = ANALYZER.worker().analyze(&comment.text);
            let obvious = Obvious::new(&analysis, comment, &obvious_rules, &concepts);
            prop_assert_eq!(
                matcher.fired_rules(&analysis, comment), obvious.fired_rules(),
                "rules that fire on {:?}\n{}", comment, file
            );
            let found = matcher.classify(&analysis, comment);
            let id = |category| compiled.codebook()[category].id.to_string();
            let Some((categories, primary)) = obvious.classification() else { continue };
            prop_assert_eq!(found.categories().map(id).collect::<Vec<_>>(), categories, "on {:?}\n{}", comment, file);
            prop_assert_eq!(found.primary.map(id), primary, "primary of {:?}\n{}", comment, file);
        }
    }
}
