//! How certain the rules' word on a comment is: those that it pays most to look at come first.

use crate::{
    casebook::{Action, FrameCategory, StoredComment},
    codebook::CategoryKind,
};

/// Characters of a comment without any category at which one half is left of its certainty.
const HALF_LENGTH: f32 = 20.0;

/// From 0 to 1: the least of
///
/// - the confidence of each category that the rules give and nobody has decided on;
/// - for the primary section, where nobody has decided on it: one minus half the ratio of the second-best section's
///   confidence to its own (0.5 where two sections are equally well founded);
/// - for a comment that the rules give nothing and nobody has decided on: 20 / (20 + its characters), since the longer
///   a text is the less likely it is about nothing.
///
/// What people have decided is certain; a section that they removed is no rival.
pub fn certainty(comment: &StoredComment, frame: &[FrameCategory]) -> f32 {
    let open = comment.codings.iter().filter(|coding| !comment.decided_categories.contains_key(&*coding.category));
    let mut least = open.map(|coding| coding.confidence).fold(1.0, f32::min);
    if comment.codings.is_empty() && comment.decided_categories.is_empty() {
        let length = comment.comment.text.trim().chars().count() as f32;
        least = least.min(HALF_LENGTH / (HALF_LENGTH + length));
    }
    if let (Some(primary), None) = (&comment.rule_primary, &comment.decided_primary) {
        let confidence = |id: &str| comment.codings.iter().find(|coding| *coding.category == *id).map(|c| c.confidence);
        let own = confidence(primary).unwrap_or(0.0).max(f32::EPSILON);
        let is_section = |id: &str| frame.iter().any(|known| *known.id == *id && known.kind == CategoryKind::Section);
        let rival = comment
            .codings
            .iter()
            .filter(|coding| {
                coding.category != *primary
                    && is_section(&coding.category)
                    && comment.decided_categories.get(&*coding.category) != Some(&Action::Remove)
            })
            .map(|coding| coding.confidence)
            .fold(0.0, f32::max);
        least = least.min(1.0 - 0.5 * (rival / own).min(1.0));
    }
    least.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{casebook::StoredCoding, comment::Comment};

    fn frame() -> Vec<FrameCategory> {
        [("a", CategoryKind::Section), ("b", CategoryKind::Section), ("l", CategoryKind::List)]
            .map(|(id, kind)| FrameCategory { id: id.into(), kind, heading: id.to_owned(), short: id.to_owned() })
            .to_vec()
    }

    fn comment(text: &str, codings: &[(&str, f32)]) -> StoredComment {
        StoredComment {
            comment: Comment::from_text(text),
            position: 1,
            codings: codings
                .iter()
                .map(|&(category, confidence)| StoredCoding { category: category.into(), confidence, evidence: vec![] })
                .collect(),
            rule_primary: codings.iter().find(|(id, _)| *id != "l").map(|(id, _)| (*id).into()),
            categories: Vec::new(),
            primary: None,
            good_quote: None,
            note: None,
            replacements: Vec::new(),
            rejected: Vec::new(),
            decided_categories: BTreeMap::new(),
            decided_primary: None,
        }
    }

    #[track_caller]
    fn case(codings: &[(&str, f32)], expected: f32) {
        let found = certainty(&comment("text", codings), &frame());
        assert!((found - expected).abs() < 1e-6, "{codings:?}: {found}");
    }

    #[test]
    fn the_weakest_point_counts() {
        case(&[("a", 0.9)], 0.9);
        case(&[("a", 0.9), ("l", 0.6)], 0.6);
        // A list is no rival of a section, another section is.
        case(&[("a", 0.9), ("l", 0.9)], 0.9);
        case(&[("a", 0.8), ("b", 0.8)], 0.5);
        case(&[("a", 0.8), ("b", 0.4)], 0.4);
        case(&[("a", 0.9), ("b", 0.9)], 0.5);
    }

    #[test]
    fn the_longer_a_text_without_category_the_less_certain() {
        let of = |text: &str| certainty(&comment(text, &[]), &frame());
        assert!((of(&"あ".repeat(20)) - 0.5).abs() < 1e-6);
        assert!(of("特になし") > 0.8);
        assert!(of(&"あ".repeat(200)) < 0.1);
    }

    #[test]
    fn what_is_decided_is_certain() {
        let mut decided = comment("text", &[("a", 0.6), ("b", 0.6)]);
        decided.decided_categories = [("a".to_owned(), Action::Accept), ("b".to_owned(), Action::Remove)].into();
        // A rival that was removed is none.
        assert!((certainty(&decided, &frame()) - 1.0).abs() < 1e-6);
        decided.decided_categories = [("a".to_owned(), Action::Accept), ("b".to_owned(), Action::Accept)].into();
        assert!((certainty(&decided, &frame()) - 0.5).abs() < 1e-6);
        decided.decided_primary = Some("a".to_owned());
        assert!((certainty(&decided, &frame()) - 1.0).abs() < 1e-6);
        let mut empty = comment("長い長い文", &[]);
        empty.decided_categories = [("a".to_owned(), Action::Remove)].into();
        assert!((certainty(&empty, &frame()) - 1.0).abs() < 1e-6);
    }
}
