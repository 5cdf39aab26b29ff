//! `suggest`: keyness, terms, and what is proposed.

use jirei::{
    comment::Comment,
    keyness::Table,
    rule::{Side, Term, TermIndex},
};

use super::analysis;
use crate::support::{ANALYZER, classify};

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
    // Not with a formal noun.
    terms("電話するのが遅い", &["する", "遅い", "電話", "電話+する"]);
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
