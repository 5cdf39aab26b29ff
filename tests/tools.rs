//! The tools for those who keep the rules: explain, check, test, coverage, compare, suggest, from-khcoder.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use jirei::{
    analyze::Analysis,
    classify::Classification,
    codebook::Codebook,
    comment::Comment,
    evaluate::Gold,
    keyness::Table,
    rule::{
        ComparedItem, Comparison, CoverageItem, Explanation, FailureReason, KhConversion, Matcher, RuleSet, Side, Term,
        TermIndex, Verdict, convert_khcoder, parse_pattern,
    },
    source::Source,
};
use serde_json::Value;

use crate::support::{ANALYZER, CODEBOOK, POLARITY, classify, compile};

fn rules(text: &str) -> RuleSet {
    compile(text).unwrap_or_else(|error| panic!("{:?}", error.0))
}

fn analysis(text: &str) -> Analysis<'static> {
    ANALYZER.worker().analyze(text)
}

fn explain(rules: &RuleSet, text: &str) -> Explanation {
    Matcher::new(rules).explain(&analysis(text), &Comment::from_text(text))
}

fn slice(text: &str, range: &std::ops::Range<usize>) -> String {
    text.chars().skip(range.start).take(range.len()).collect()
}

// explain

const EXPLAINED: &str = r#"category = "a"

[concepts]
machine = "端末 | 機械"

[[rule]]
id = "fails"
pattern = "(near(<machine>, fact(故障))) & !'訓練'"
unless = "'試験中'"

[[rule]]
id = "hint"
category = "b"
strength = "weak"
pattern = "行列"

[[rule]]
id = "mark"
category = "l"
pattern = "表示 | 印字"

[[rule]]
id = "not_mark"
category = "l"
kind = "exclude"
pattern = "昨年"
"#;

#[track_caller]
fn verdicts(text: &str, expected: [Verdict; 3]) {
    let explanation = explain(&rules(EXPLAINED), text);
    let found: Vec<Verdict> = explanation.categories.iter().map(|category| category.verdict).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn explain_says_why_each_category_is_given_or_not() {
    use Verdict::{Excluded, Given, NoRule, Prevented, WeakAlone};
    verdicts("端末が故障した", [Given, NoRule, NoRule]);
    verdicts("端末は故障しない", [NoRule, NoRule, NoRule]);
    verdicts("試験中に端末が故障した", [Prevented, NoRule, NoRule]);
    verdicts("受付に行列ができた", [NoRule, WeakAlone, NoRule]);
    verdicts("表示が消えた", [NoRule, NoRule, Given]);
    verdicts("昨年は表示が消えた", [NoRule, NoRule, Excluded]);
    verdicts("", [NoRule, NoRule, NoRule]);
}

#[test]
fn explain_agrees_with_classify() {
    let rules = &*crate::support::RULES;
    for text in ["カードリーダーが故障した。氏名が●で出る。", "特になし", "", "暗証番号を忘れた方が多く、直してほしい"]
    {
        let comment = Comment::from_text(text);
        let explanation = explain(rules, text);
        let classification = classify(rules, &comment);
        let given: Vec<_> = explanation
            .categories
            .iter()
            .filter(|category| category.verdict == Verdict::Given)
            .map(|category| category.category)
            .collect();
        assert_eq!(given, classification.categories().collect::<Vec<_>>(), "{text}");
        assert_eq!(explanation.primary, classification.primary);
    }
}

#[test]
fn explain_places_the_clauses_that_fired() {
    let rules = rules(EXPLAINED);
    let text = "昨日、端末が故障した";
    let explanation = explain(&rules, text);
    let firing = &explanation.categories[0].firings[0];
    let clause = &firing.clauses[0];
    let near = &clause.parts[0];
    assert_eq!(clause.text(), "(near(<machine>, fact(故障))) & !'訓練'");
    assert_eq!(near.text(), "near(<machine>, fact(故障))");
    let place = near.span.line_column();
    assert_eq!((near.span.source.path().as_str(), place.line, place.column), ("t.toml", 8, 13));
    assert_eq!(near.char_ranges.iter().map(|range| slice(text, range)).collect::<Vec<_>>(), ["端末が故障"]);
    let atoms: Vec<(&str, String)> =
        clause.held_atoms().iter().map(|atom| (atom.text(), slice(text, &atom.char_ranges[0]))).collect();
    assert_eq!(atoms, [("<machine>", "端末".to_owned()), ("故障", "故障".to_owned())]);
}

#[track_caller]
fn failure(pattern: &str, text: &str, expected: &[(&str, FailureReason)]) {
    let rules = crate::support::pattern(pattern);
    let explanation = explain(&rules, text);
    let nearest = explanation.categories[0].nearest.as_ref().unwrap_or_else(|| panic!("{pattern}: nothing is near"));
    let found: Vec<(&str, FailureReason)> =
        nearest.clause.failures().into_iter().map(|failure| (failure.clause.text(), failure.reason)).collect();
    assert_eq!(found, expected, "{pattern}");
}

#[test]
fn explain_finds_the_clause_that_failed() {
    use FailureReason::*;
    use jirei::rule::syntax::Feature;
    failure("端末 & 停電", "端末が遅い", &[("停電", Absent)]);
    failure("near(端末, 停電)", "端末が遅い", &[("停電", Absent)]);
    failure("near(端末, 遅い)[1]", "端末がとても遅い", &[("near(端末, 遅い)[1]", Apart)]);
    failure("seq(遅い, 端末)", "端末がとても遅い", &[("seq(遅い, 端末)", Order)]);
    failure("端末+遅い", "端末がとても遅い", &[("端末+遅い", NotAdjacent)]);
    failure("neg(遅い)", "端末がとても遅い", &[("neg(遅い)", Feature(Feature::Negated))]);
    failure("except('端末', '端末が')", "端末が遅い", &[("except('端末', '端末が')", Excepted)]);
    failure("start('い端')", "古い端末が遅い", &[("start('い端')", NotAligned)]);
    failure("端末 & !遅い", "端末が遅い", &[("遅い", Forbidden)]);
    failure("count(端末) >= 2", "端末が遅い", &[("count(端末) >= 2", Number)]);
    failure("端末 & @question = 問7", "端末が遅い", &[("@question = 問7", Attribute)]);
    failure("(停電 | 故障) & 端末", "端末が遅い", &[("停電 | 故障", Absent)]);
    failure("comment(端末 & 停電)", "端末が遅い", &[("停電", Absent)]);
    failure("near((停電 | 雷)+復旧, 端末)", "端末が復旧した", &[("停電 | 雷", Absent)]);
}

#[test]
fn explain_says_nothing_is_near_where_nothing_is() {
    for pattern in ["停電", "!遅い", "chars < 3", "停電 & chars > 1", "停電 & !雷"] {
        let explanation = explain(&crate::support::pattern(pattern), "端末が遅い");
        assert!(explanation.categories[0].nearest.is_none(), "{pattern}");
    }
}

#[track_caller]
fn features(text: &str, base_form: &str, expected: (u8, bool, bool, bool)) {
    let explanation = explain(&rules(EXPLAINED), text);
    let morpheme = explanation
        .morphemes
        .iter()
        .find(|morpheme| morpheme.base_form == base_form)
        .unwrap_or_else(|| panic!("{text}: no {base_form}"));
    let found = morpheme.features.unwrap_or_else(|| panic!("{base_form} has no features"));
    assert_eq!((found.negations, found.wished, found.supposed, found.over), expected, "{text}");
}

#[test]
fn explain_tells_features_of_predicates() {
    features("端末が動く", "動く", (0, false, false, false));
    features("端末が動かない", "動く", (1, false, false, false));
    features("端末が動かないわけではない", "動く", (2, false, false, false));
    features("端末を直してほしい", "直す", (0, true, false, false));
    features("端末が動けば", "動く", (0, false, true, false));
    features("以前は故障したが今は故障しない", "故障", (0, false, false, true));
}

// coverage and compare

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

fn classified(rules: &RuleSet, text: &str) -> (Vec<usize>, Classification) {
    let comment = Comment::from_text(text);
    let mut matcher = Matcher::new(rules);
    let analysis = analysis(text);
    (matcher.fired_rules(&analysis, &comment), matcher.classify(&analysis, &comment))
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

// suggest

#[test]
fn keyness_is_what_the_formula_gives_by_hand() {
    // 8 of 10 comments against 2 of 30. Expected: 10·10/40 = 2.5, 10·30/40 = 7.5, 30·10/40 = 7.5, 30·30/40 = 22.5.
    // G² = 2 (8 ln 3.2 + 2 ln 0.2667 + 2 ln 0.2667 + 28 ln 1.2444)
    //    = 2 (9.30521 − 2.64351 − 2.64351 + 6.12329) = 20.2830.
    // Williams: q = 1 + (40/10 + 40/30 − 1)(40/10 + 40/30 − 1) / (6·40) = 1 + 4.3333² / 240 = 1.07824.
    let table = Table { target: 8, target_total: 10, reference: 2, reference_total: 30 };
    assert!((table.g2() - 20.2830).abs() < 1e-3, "{}", table.g2());
    assert!((table.williams() - 1.078_24).abs() < 1e-5, "{}", table.williams());
    assert!((table.keyness() - 18.8112).abs() < 1e-3, "{}", table.keyness());
}

#[test]
fn keyness_has_a_sign_and_no_gaps() {
    let table =
        |target, target_total, reference, reference_total| Table { target, target_total, reference, reference_total };
    let (over, under) = (table(8, 10, 2, 30).keyness(), table(2, 30, 8, 10).keyness());
    assert!(over > 0.0 && (over + under).abs() < 1e-9);
    for even in [table(0, 0, 0, 0), table(1, 1, 0, 0), table(5, 5, 7, 7), table(0, 3, 0, 9), table(2, 4, 5, 10)] {
        assert_eq!(even.keyness(), 0.0, "{even:?}");
    }
    assert!(table(3, 3, 0, 9).keyness().is_finite());
}

#[track_caller]
fn terms(text: &str, expected: &[&str]) {
    let found: Vec<String> = Term::of(&analysis(text)).into_iter().map(|term| term.base_forms).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn terms_are_content_words_and_neighbouring_ones() {
    terms("端末が故障した", &["する", "故障", "故障+する", "端末"]);
    terms("電話対応に追われた", &["対応", "追う", "電話", "電話+対応"]);
    // Not across the end of a sentence, a particle or a comma.
    terms("電話。対応は電話、窓口", &["対応", "窓口", "電話"]);
    terms("", &[]);
}

#[test]
fn suggestions_mark_the_target_and_can_be_pasted() {
    let texts =
        ["役場に電話した", "役場へ案内した", "役場の電話番号を聞かれた", "端末が遅い", "端末が故障した", "機械が古い"];
    let mut index = TermIndex::default();
    for text in texts {
        index.add(Term::of(&analysis(text)));
    }
    let side = |comment: usize| if comment < 3 { Side::Target } else { Side::Reference };
    let ranked = index.rank(side, 2);
    let found: Vec<(&str, usize, usize, bool)> = ranked
        .iter()
        .map(|s| (s.term.base_forms.as_str(), s.table.target, s.table.reference, s.keyness > 0.0))
        .collect();
    assert_eq!(found[0], ("役場", 3, 0, true));
    assert_eq!(*found.last().expect("the reference has words too"), ("端末", 0, 2, false));
    assert_eq!(ranked[0].examples, [0, 1, 2]);
    assert_eq!(ranked.last().map(|suggestion| suggestion.examples.as_slice()), Some(&[3, 4][..]));
    let mut worker = ANALYZER.worker();
    for text in texts {
        for term in Term::of(&analysis(text)) {
            let pattern = term.pattern(&mut worker);
            let rules = crate::support::pattern(&pattern);
            let given = classify(&rules, &Comment::from_text(text)).codings.len();
            assert_eq!(given, 1, "{pattern} in {text}");
        }
    }
}

#[test]
fn a_term_that_occurs_only_in_a_longer_one_is_left_out() {
    let mut index = TermIndex::default();
    for text in ["電話対応が多い", "電話対応に追われた", "端末が遅い"] {
        index.add(Term::of(&analysis(text)));
    }
    let ranked = index.rank(|comment| if comment < 2 { Side::Target } else { Side::Reference }, 2);
    assert_eq!(ranked.iter().map(|s| s.term.base_forms.as_str()).collect::<Vec<_>>(), ["電話+対応"]);
}

// from-khcoder

fn convert(text: &str) -> KhConversion {
    convert_khcoder(&Source::new("t.cod", text), Some("a"), &ANALYZER)
}

#[track_caller]
fn converted(condition: &str, expected: &str) {
    let conversion = convert(&format!("＊試験\n{condition}\n"));
    let diagnostics: Vec<String> = conversion.diagnostics.iter().map(ToString::to_string).collect();
    assert!(diagnostics.is_empty(), "{condition}: {diagnostics:?}");
    assert_eq!(conversion.rules[0].pattern, expected, "{condition}");
}

#[test]
fn khcoder_forms_become_ours() {
    converted("失敗", "失敗");
    converted("失敗 or 故障", "失敗 | 故障");
    converted("失敗 | 故障 & 停電".replace(" & 停電", "").as_str(), "失敗 | 故障");
    converted("失敗\nand 故障\n\nand　停電", "失敗 & 故障 & 停電");
    converted("失敗 and not 故障", "失敗 & !故障");
    converted("失敗 &! 故障", "失敗 & !故障");
    converted("失敗 |! 故障", "失敗 | !故障");
    converted("not ( 失敗 or 故障 )", "!(失敗 | 故障)");
    converted("! 失敗", "!失敗");
    converted("( 失敗 or 故障 ) and 停電", "(失敗 | 故障) & 停電");
    converted("NEAR(失敗-故障)", "near(失敗, 故障)[c]");
    converted("near(失敗-故障-停電)[5]", "near(失敗, 故障, 停電)[5c]");
    converted("near(失敗-故障)[b]", "near(失敗, 故障)");
    converted("near(失敗-故障)[b5]", "near(失敗, 故障)[5]");
    converted("seq(失敗-故障)[0]", "seq(失敗, 故障)[0c]");
    converted("seq(失敗-故障)[b0]", "seq(失敗, 故障)[0]");
    converted("顔+認証", "顔+認証");
    converted("愛 + 恋 >= 3", "count(愛) + count(恋) >= 3");
    converted("愛 + 恋", "愛 | 恋");
    converted("3 <= 愛", "count(愛) >= 3");
    converted("愛 + 1 > 3", "count(愛) > 2");
    converted("not 愛 >= 2", "!(count(愛) >= 2)");
    converted("near(失敗-故障) == 2", "count(near(失敗, 故障)[c]) == 2");
    converted("lw > 5 and lc <= 100", "words > 5 & chars <= 100");
    converted("'4けた'", "'4けた'");
    converted("'it''s'", "'it''s'");
    converted("'四 けた'", "'四 けた'");
    converted("\"and\"", "'and'");
    converted("反映-->サ変名詞", "反映-->サ変名詞");
    converted("使う->未然形", "使う->未然形");
    converted("使う=>使え", "使う=>使え");
    converted("行う-->未知語->連用形", "行う-->未知語->連用形");
    converted("<>種別-->病院", "@種別 = 病院");
    converted("<>利用率-->40%以上 and 失敗", "@利用率 = 40%以上 & 失敗");
    converted("<>区分 (新)-->あり".replace(' ', "_").as_str(), "@'区分_(新)' = あり");
}

#[test]
fn khcoder_comments_references_and_names() {
    let conversion = convert(
        "# 注釈\n\n＊受付の混乱\n混乱\n*Group-2\n<*受付の混乱> or <＊受付の混乱>\n＊☆\n停電\n＊受付の混雑\n列\n",
    );
    let rules: Vec<(&str, &str, &str)> =
        conversion.rules.iter().map(|rule| (rule.id.as_str(), rule.name.as_str(), rule.pattern.as_str())).collect();
    assert_eq!(
        rules,
        [
            ("uketsuke_no_konran", "受付の混乱", "混乱"),
            ("group_2", "Group-2", "rule(uketsuke_no_konran) | rule(uketsuke_no_konran)"),
            ("code_003", "☆", "停電"),
            ("uketsuke_no_konzatsu", "受付の混雑", "列"),
        ]
    );
    assert!(conversion.diagnostics.is_empty(), "{:?}", conversion.diagnostics);
}

#[track_caller]
fn trap(condition: &str, expected: &[(&str, usize, usize)], pattern: Option<&str>) {
    let conversion = convert(&format!("＊死\n死ぬ\n＊試験\n{condition}\n"));
    let found: Vec<(&str, usize, usize)> = conversion
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.span.line_column();
            (diagnostic.id, place.line, place.column)
        })
        .collect();
    assert_eq!(found, expected, "{condition}");
    assert_eq!(conversion.rules.get(1).map(|rule| rule.pattern.as_str()), pattern, "{condition}");
}

#[test]
fn khcoder_traps_are_reported_where_they_stand() {
    trap("(失敗 or 故障)", &[("kh-glued-bracket", 4, 1), ("kh-glued-bracket", 4, 10)], Some("失敗 | 故障"));
    trap("10 & 割", &[("kh-number-condition", 4, 1)], Some("割"));
    trap("１０ & 割", &[("kh-number-condition", 4, 1)], Some("割"));
    trap("失敗 or ●", &[("kh-other-class", 4, 7)], Some("失敗 | '●'"));
    trap("\"C++\"", &[("kh-quoted-plus", 4, 1)], Some("'C++'"));
    trap("＜＊死＞", &[("kh-full-width-code", 4, 1)], Some("rule(shi)"));
    trap("seq(失敗-故障){b}", &[("kh-braces", 4, 1)], Some("seq(失敗, 故障)"));
    trap("失敗 or 故障 and not 写真", &[("kh-mixed-and-or", 4, 7)], Some("失敗 | (故障 & !写真)"));
    trap("<*死> >= 2", &[("kh-code-compared", 4, 1)], None);
    trap("使えない", &[("kh-unknown-word", 4, 1)], Some("使えない"));
    trap("死ん", &[("kh-unknown-word", 4, 1)], Some("死ぬ"));
    trap("! 死ぬ >= 2", &[("kh-bang-comparison", 4, 1)], Some("!(count(死ぬ) >= 2)"));
    trap("失敗|故障", &[("kh-glued-operator", 4, 3)], Some("失敗 | 故障"));
    trap("死ぬ>=2", &[("kh-glued-operator", 4, 3)], Some("count(死ぬ) >= 2"));
    trap("!失敗", &[("kh-glued-operator", 4, 1)], Some("!失敗"));
    trap("失敗 ＆ 故障", &[("kh-full-width", 4, 4)], Some("失敗 & 故障"));
    trap("（失敗 ）", &[("kh-glued-bracket", 4, 1), ("kh-full-width", 4, 5)], Some("失敗"));
    trap("'50%'", &[("kh-string-wildcard", 4, 1)], Some("'50%'"));
    trap("'失敗' >= 2", &[("kh-string-count", 4, 1)], Some("count('失敗') >= 2"));
    trap("near(死ぬ-死ぬ)", &[("kh-repeated-word", 4, 1)], Some("near(死ぬ, 死ぬ)[c]"));
    trap("near(顔+認証-失敗)", &[("kh-operator-in-near", 4, 1)], Some("near(顔+認証, 失敗)[c]"));
    trap("near(失敗-故障)[d]", &[("kh-paragraph", 4, 1)], Some("near(失敗, 故障)[c]"));
    trap("C++", &[("kh-plus-in-word", 4, 1)], Some("'C++'"));
    trap("失敗-->名詞", &[("kh-class", 4, 1)], Some("失敗-->名詞"));
    trap("が", &[("kh-other-class", 4, 1)], Some("が"));
    trap("<>見出し1-->甲", &[("kh-heading", 4, 1)], Some("@見出し1 = 甲"));
}

#[test]
fn khcoder_refusals_have_a_reason_and_a_place() {
    trap("失敗 - 故障 > 1", &[("kh-arithmetic", 4, 4)], None);
    trap("失敗 > 故障", &[("kh-counts-compared", 4, 1)], None);
    trap("失敗 > 2 > 1", &[("kh-comparison-chain", 4, 1)], None);
    trap("( 失敗 or 故障 ) > 1", &[("kh-condition-compared", 4, 1)], None);
    trap("No. > 10", &[("kh-document-number", 4, 1)], None);
    trap("<>年齢<>", &[("kh-sort-variable", 4, 1)], None);
    trap("<*死亡>", &[("kh-unknown-code", 4, 1)], None);
    trap("<*試験>", &[("kh-reference-cycle", 4, 1)], None);
    trap("失敗 故障", &[("kh-missing-operator", 4, 4)], None);
    trap("失敗 and", &[("kh-missing-operand", 4, 4)], None);
    trap("or 失敗", &[("kh-missing-operand", 4, 1)], None);
    trap("( 失敗", &[("kh-bracket", 4, 1)], None);
    trap("失敗 )", &[("kh-bracket", 4, 4)], None);
    trap("失敗 or '故障", &[("kh-unclosed-quote", 4, 7)], None);
    trap("near(失敗)", &[("kh-near-parts", 4, 1)], None);
    trap("near(失敗-故障)[x]", &[("kh-near-option", 4, 1)], None);
    trap("near(失敗-->名詞-故障)", &[("kh-grammar-in-near", 4, 1)], None);
    trap("失敗-->助数詞", &[("kh-unknown-class", 4, 1)], None);
    trap("99999999999 & 失敗", &[("kh-number", 4, 1)], None);
    trap("10", &[("kh-constant", 4, 1), ("kh-number-condition", 4, 1)], None);
}

#[test]
fn khcoder_codes_are_refused_with_what_refers_to_them() {
    let conversion = convert("＊甲\n失敗 - 1\n＊乙\n<*甲>\n＊丙\n<*丁>\n＊丁\n停電\n＊甲\n故障\n条件\n＊戊\n");
    let found: Vec<(&str, usize, usize)> = conversion
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.span.line_column();
            (diagnostic.id, place.line, place.column)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("kh-arithmetic", 2, 4),
            ("kh-refused-reference", 4, 1),
            ("kh-forward-reference", 6, 1),
            ("kh-duplicate-code", 9, 1),
            ("kh-missing-operator", 11, 1),
            ("kh-empty-code", 12, 1),
        ]
    );
    assert_eq!(conversion.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["丙", "丁"]);
    assert_eq!(conversion.refused, 4);
    assert!(convert("失敗\n").diagnostics[0].id == "kh-no-name");
    assert!(convert("").rules.is_empty());
}

#[test]
fn khcoder_output_is_accepted_by_our_own_parser() {
    let text = "＊故障\n故障 or near(端末-停電)[b5] or '4\"けた' or '\\d'\n＊参照\n<*故障> and not <>種別-->病院\n＊だめ\nNo. > 1\n";
    let conversion = convert(text);
    for rule in &conversion.rules {
        assert!(parse_pattern(&rule.pattern).is_ok(), "{}", rule.pattern);
    }
    let rules = rules(&conversion.toml);
    assert_eq!(rules.rules().map(|rule| rule.id.to_string()).collect::<Vec<_>>(), ["koshou", "sanshou"]);
    assert_eq!(rules.rules().next().and_then(|rule| rule.note.map(str::to_owned)).as_deref(), Some("故障"));
    assert_eq!(classified(&rules, "端末が止まる。停電").1.codings.len(), 0);
    assert_eq!(classified(&rules, "停電で端末が止まる").0, [0, 1]);
    assert!(conversion.toml.contains("#   No. > 1"));
    // Twice the same bytes.
    assert_eq!(convert(text).toml, conversion.toml);
    // Without a category each code is one, and the code frame's lines are proposed.
    let own = convert_khcoder(&Source::new("t.cod", "＊故障\n故障\n"), None, &ANALYZER);
    assert!(own.toml.contains("category = \"koshou\"\n"));
    assert!(own.toml.contains("#   { id = \"koshou\", kind = \"list\", heading = \"故障\""));
}

#[test]
fn khcoder_bad_input_is_survived() {
    for text in [
        "＊",
        "＊甲\n'",
        "＊甲\n\"\"",
        "＊甲\n''",
        "＊甲\n(",
        "＊甲\n)",
        "＊甲\n+",
        "＊甲\n-->",
        "＊甲\n->",
        "＊甲\nnear()",
        "＊甲\nnear(",
        "＊甲\n<*>",
        "＊甲\n<>",
        "＊甲\n<>-->",
        "＊甲\n\u{0}\u{7f}",
        "＊甲\n&",
        "＊甲\n=>",
        "＊甲\n! ! ! 失敗",
        "\r\n＊甲\r\n失敗\r\n",
    ] {
        let conversion = convert(text);
        assert!(compile(&conversion.toml).is_ok(), "{text:?}: {}", conversion.toml);
    }
    let nested = format!("＊甲\n{}失敗{}\n", "( ".repeat(5000), " )".repeat(5000));
    assert_eq!(convert(&nested).diagnostics[0].id, "kh-too-deep");
    let glued = format!("＊甲\n{}失敗\n", "(".repeat(100_000));
    assert_eq!(convert(&glued).diagnostics[0].id, "kh-too-long");
}

// the commands

fn jirei(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jirei")).args(arguments).output().expect("the program was built for this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("output is JSON")
}

/// A folder of rules with the code frame and polarity lists of the tests.
fn folder(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("codebook.toml", CODEBOOK), ("polarity.toml", POLARITY), ("t.toml", rules)] {
        std::fs::write(folder.path().join(name), text).expect("a file in it");
    }
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

const GOOD: &str = r#"
[[rule]]
id = "fails"
category = "a"
pattern = "故障"
match = ["端末が故障した", "故障です"]
no_match = ["端末は速い", "停電した"]

[[rule]]
id = "slow"
category = "b"
pattern = "遅い"
match = ["端末が遅い", "遅いです"]
no_match = ["端末は速い", "停電した"]
"#;

#[test]
fn check_exits_0_clean_1_with_findings_2_without_rules() {
    let good = folder(GOOD);
    let output = jirei(&["rules", "check", "--rules", path(good.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("規則 2 件、誤り 0 件"), "{}", stdout(&output));
    let bad = folder(&GOOD.replace("\"遅い\"", "\"遅い &\"").replace("category = \"a\"", "category = \"z\""));
    let output = jirei(&["rules", "check", "--rules", path(bad.path())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("error[missing-operand]"), "{}", stdout(&output));
    assert!(output.stderr.is_empty());
    let output = jirei(&["rules", "check", "--format", "json", "--rules", path(bad.path())]);
    assert_eq!(json(&output)["rules"], Value::Null);
    assert_eq!(json(&output)["diagnostics"][0]["id"], "missing-operand");
    assert_eq!(jirei(&["rules", "check", "--rules", "/nonexistent"]).status.code(), Some(2));
}

#[test]
fn test_tells_false_negatives_from_false_positives() {
    let good = folder(GOOD);
    assert_eq!(jirei(&["rules", "test", "--rules", path(good.path())]).status.code(), Some(0));
    let bad = folder(&GOOD.replace("\"故障です\"", "\"壊れた\"").replacen("\"停電した\"", "\"故障中\"", 1));
    let output = jirei(&["rules", "test", "--rules", path(bad.path())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("t.toml:6:"), "{}", stdout(&output));
    assert!(stdout(&output).contains("例 8 件、うち失敗 2 件（見落とし 1、誤り 1、直った既知の誤り 0）"));
    let value = json(&jirei(&["rules", "test", "--format", "json", "--rules", path(bad.path())]));
    assert_eq!((&value["false_negatives"], &value["false_positives"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(value["failures"][0]["outcome"], "false_negative");
    assert_eq!(value["failures"][1]["outcome"], "false_positive");
    assert_eq!(value["failures"][1]["text"], "故障中");
}

#[test]
fn explain_writes_text_and_json() {
    let rules = folder(EXPLAINED);
    let text = "端末が故障した";
    let output = jirei(&["rules", "explain", text, "--rules", path(rules.path())]);
    assert_eq!(output.status.code(), Some(0));
    let shown = stdout(&output);
    assert!(shown.contains("○ a（甲）  確信度 0.900  primary"), "{shown}");
    assert!(shown.contains("t.toml:8:13  「端末が故障」"), "{shown}");
    assert!(shown.contains("× b（乙）  当たった規則はありません"), "{shown}");
    let value = json(&jirei(&["rules", "explain", text, "--format", "json", "--rules", path(rules.path())]));
    assert_eq!(value["primary"], "a");
    assert_eq!(value["categories"][0]["rules"][0]["rule"], "fails");
    assert_eq!(value["categories"][0]["rules"][0]["clauses"][0]["parts"][0]["words"][0]["text"], "端末が故障");
    assert_eq!(value["morphemes"][0]["surface"], "端末");
    assert_eq!(value["morphemes"][2]["features"]["negated"], false);
    let value =
        json(&jirei(&["rules", "explain", "端末は故障しない", "--format", "json", "--rules", path(rules.path())]));
    let failed = &value["categories"][0]["nearest"]["failed"][0];
    assert_eq!((&failed["text"], &failed["reason"]), (&Value::from("fact(故障)"), &Value::from("feature")));
    assert_eq!((&failed["line"], &failed["column"]), (&Value::from(8), &Value::from(29)));
}

/// A file of comments, of which the first three carry gold.
fn comments() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines = [
        r#"{"id":"c1","text":"端末が故障した","must":["a"],"may":[],"primary":["a"]}"#,
        r#"{"id":"c2","text":"端末が遅い","must":[],"may":[],"primary":[]}"#,
        r#"{"id":"c3","text":"役場に電話した","must":["b"],"may":[],"primary":["b"]}"#,
        r#"{"id":"c4","text":"役場へ案内した"}"#,
    ];
    let file = folder.path().join("c.jsonl");
    std::fs::write(&file, lines.join("\n")).expect("a file in it");
    let name = path(&file).to_owned();
    (folder, name)
}

#[test]
fn coverage_compare_and_suggest_read_gold_beside_comments() {
    let rules = folder(GOOD);
    let (_kept, file) = comments();
    let output =
        jirei(&["rules", "coverage", &file, "--format", "json", "--uncovered", "1", "--rules", path(rules.path())]);
    assert_eq!(output.status.code(), Some(0));
    let value = json(&output);
    assert_eq!((&value["comments"], &value["gold_comments"], &value["untouched"]), (&4.into(), &3.into(), &2.into()));
    assert_eq!(value["rules"][0]["precision"], 1.0);
    assert_eq!(value["rules"][1]["precision"], 0.0);
    assert_eq!(value["uncovered"], serde_json::json!([{"id": "c3", "text": "役場に電話した"}]));
    let table = stdout(&jirei(&["rules", "coverage", &file, "--uncovered", "9", "--rules", path(rules.path())]));
    assert!(table.contains("適合率") && table.contains("c4  役場へ案内した"), "{table}");

    let new = folder(&GOOD.replace("\"遅い\"", "\"役場\""));
    let output = jirei(&["rules", "compare", path(rules.path()), path(new.path()), &file, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let b = &json(&output)["categories"][1];
    assert_eq!((&b["category"], &b["old"], &b["new"]), (&"b".into(), &1.into(), &2.into()));
    assert_eq!((&b["gained"][0]["id"], &b["gained"][0]["better"]), (&"c3".into(), &true.into()));
    assert_eq!((&b["lost"][0]["id"], &b["lost"][0]["better"]), (&"c2".into(), &true.into()));
    let table = stdout(&jirei(&["rules", "compare", path(rules.path()), path(new.path()), &file]));
    assert!(table.contains("＋ c3（正解に近づく）  役場に電話した"), "{table}");

    let suggest = |more: &[&str]| {
        let mut arguments = vec!["rules", "suggest", file.as_str(), "--least", "1", "--format", "json"];
        arguments.extend(["--rules", path(rules.path())]);
        arguments.extend(more);
        let output = jirei(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        json(&output)
    };
    let value = suggest(&[]);
    assert_eq!((&value["groups"][0]["purpose"], &value["groups"][0]["target"]), (&"missed".into(), &1.into()));
    assert_eq!(value["groups"][0]["suggestions"][0]["examples"], serde_json::json!(["c3"]));
    assert_eq!((&value["groups"][1]["purpose"], &value["groups"][1]["target"]), (&"wrong".into(), &1.into()));
    let value = suggest(&["--category", "b", "--under"]);
    assert_eq!(value["groups"][0]["reference"], 2);
    let wrong = jirei(&["rules", "suggest", &file, "--category", "z", "--rules", path(rules.path())]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn suggest_without_gold_asks_for_the_uncovered() {
    let rules = folder(GOOD);
    let (_kept, file) = comments();
    let plain = file.replace("c.jsonl", "plain.csv");
    std::fs::write(&plain, "番号,回答\n1,役場に電話した\n2,役場へ案内した\n3,端末が遅い\n4,端末が故障した\n")
        .expect("written");
    let output = jirei(&["rules", "suggest", &plain, "--rules", path(rules.path())]);
    let shown = stdout(&output);
    assert!(
        shown.starts_with("分類の付かない回答に多い語（付いた回答と比べて）  対象 2 件、比べる回答 2 件"),
        "{shown}"
    );
    assert!(shown.contains("役場"), "{shown}");
}

#[track_caller]
fn from_khcoder(bytes: &[u8], code: i32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cod, toml) = (folder.path().join("r.cod"), folder.path().join("r.toml"));
    std::fs::write(&cod, bytes).expect("a file in it");
    let output = jirei(&["rules", "from-khcoder", path(&cod), "-o", path(&toml), "--category", "a"]);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::read_to_string(&toml).expect("the rule file was written");
    assert!(written.contains("id = \"uketsuke_no_konran\""), "{written}");
    assert!(written.contains("pattern = \"混乱 | 行列\""), "{written}");
}

#[test]
fn from_khcoder_reads_every_encoding_and_says_what_it_found() {
    let text = "＊受付の混乱\r\n混乱 or 行列\r\n";
    from_khcoder(text.as_bytes(), 0);
    from_khcoder(format!("\u{feff}{text}").as_bytes(), 0);
    // The same in CP932 and EUC-JP.
    let cp932 = b"\x81\x96\x8e\xf3\x95\x74\x82\xcc\x8d\xac\x97\x90\r\n\x8d\xac\x97\x90 or \x8d\x73\x97\xf1\r\n";
    from_khcoder(cp932, 0);
    let euc = b"\xa1\xf6\xbc\xf5\xc9\xd5\xa4\xce\xba\xae\xcd\xf0\r\n\xba\xae\xcd\xf0 or \xb9\xd4\xce\xf3\r\n";
    from_khcoder(euc, 0);
    from_khcoder(format!("{text}＊番号\nNo. > 3\n").as_bytes(), 1);
    assert_eq!(jirei(&["rules", "from-khcoder", "/nonexistent.cod"]).status.code(), Some(2));
}
