//! `explain`: what fired, and what came nearest.

use jirei::{
    comment::Comment,
    rule::{Explanation, FailureReason, Matcher, RuleSet, Verdict},
};

use super::{EXPLAINED, analysis, rules};
use crate::support::classify;

fn explain(rules: &RuleSet, text: &str) -> Explanation {
    Matcher::new(rules).explain(&analysis(text), &Comment::from_text(text))
}

fn slice(text: &str, range: &std::ops::Range<usize>) -> String {
    text.chars().skip(range.start).take(range.len()).collect()
}

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
    assert_eq!(near.text(), "(near(<machine>, fact(故障)))");
    let place = near.span.line_column();
    assert_eq!((near.span.source.path().as_str(), place.line, place.column), ("t.toml", 8, 12));
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
    failure("(停電 | 故障) & 端末", "端末が遅い", &[("(停電 | 故障)", Absent)]);
    failure("comment(端末 & 停電)", "端末が遅い", &[("停電", Absent)]);
    failure("near((停電 | 雷)+復旧, 端末)", "端末が復旧した", &[("(停電 | 雷)", Absent)]);
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
