//! What a regular expression needs: texts without which it cannot match, found by the automaton, so that it is tried
//! only where they occur.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::likelihood::Likelihoods;

/// Texts that every match holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requirement {
    /// This text, whatever the case of its ASCII letters; in lower case.
    Text(String),
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
}

/// A part of a regular expression is written out as its texts where they are at most so many.
const MAX_TEXTS: usize = 256;

/// Of parts that must all be there, so many of the rarest are asked for.
const MAX_PARTS: usize = 3;

/// A part that is this probable tells too little to be asked for beside rarer ones.
const TELLS_NOTHING: f32 = 0.5;

impl Requirement {
    /// What the expression needs; `None` where nothing is known of it.
    pub(super) fn of(pattern: &str, likelihoods: &Likelihoods) -> Option<Self> {
        Self::of_hir(&parse(pattern)?, likelihoods)
    }

    fn of_hir(hir: &Hir, likelihoods: &Likelihoods) -> Option<Self> {
        if let Some(texts) = texts(hir) {
            return Self::one_of(texts);
        }
        match hir.kind() {
            HirKind::Capture(capture) => Self::of_hir(&capture.sub, likelihoods),
            HirKind::Repetition(repetition) if repetition.min > 0 => Self::of_hir(&repetition.sub, likelihoods),
            HirKind::Concat(parts) => Self::of_concat(parts, likelihoods),
            HirKind::Alternation(parts) => parts
                .iter()
                .map(|part| Self::of_hir(part, likelihoods))
                .collect::<Option<Vec<_>>>()
                .map(|parts| Self::joined(parts, Self::Any)),
            _ => None,
        }
    }

    /// Neighbours that can be written out are, together; each such run and each other part must be there.
    fn of_concat(parts: &[Hir], likelihoods: &Likelihoods) -> Option<Self> {
        let mut needed: Vec<Self> = Vec::new();
        let mut run = vec![String::new()];
        for part in parts {
            match texts(part) {
                Some(texts) if run.len() * texts.len() <= MAX_TEXTS => {
                    run = run.iter().flat_map(|left| texts.iter().map(move |right| format!("{left}{right}"))).collect();
                }
                Some(texts) => needed.extend(Self::one_of(std::mem::replace(&mut run, texts))),
                None => {
                    needed.extend(Self::one_of(std::mem::replace(&mut run, vec![String::new()])));
                    needed.extend(Self::of_hir(part, likelihoods));
                }
            }
        }
        needed.extend(Self::one_of(run));
        let likelihood = |part: &Self| part.likelihood(likelihoods);
        let rarest = needed.iter().map(likelihood).fold(1.0, f32::min);
        if rarest < TELLS_NOTHING {
            needed.retain(|part| likelihood(part) < TELLS_NOTHING);
        }
        needed.sort_by(|a, b| likelihood(a).total_cmp(&likelihood(b)));
        needed.truncate(MAX_PARTS);
        (!needed.is_empty()).then(|| Self::joined(needed, Self::All))
    }

    /// One of these texts; a text that holds another of them says no more than that one.
    fn one_of(texts: Vec<String>) -> Option<Self> {
        let mut shortest: Vec<String> = Vec::new();
        let mut texts: Vec<String> = texts.into_iter().map(|text| text.to_ascii_lowercase()).collect();
        texts.sort_by_key(String::len);
        for text in texts {
            if text.is_empty() {
                return None;
            }
            if !shortest.iter().any(|shorter| text.contains(shorter.as_str())) {
                shortest.push(text);
            }
        }
        (!shortest.is_empty()).then(|| Self::joined(shortest.into_iter().map(Self::Text).collect(), Self::Any))
    }

    fn joined(mut parts: Vec<Self>, join: impl FnOnce(Vec<Self>) -> Self) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { join(parts) }
    }

    fn likelihood(&self, likelihoods: &Likelihoods) -> f32 {
        let of = |part: &Self| part.likelihood(likelihoods);
        match self {
            Self::Text(text) => likelihoods.of(text),
            Self::All(parts) => parts.iter().map(of).product(),
            Self::Any(parts) => parts.iter().map(of).sum::<f32>().min(1.0),
        }
    }
}

/// As the expressions of rules are built: blind to case.
pub(super) fn parse(pattern: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new().case_insensitive(true).build().parse(pattern).ok()
}

/// Whether it tells capitals of ASCII from small letters all the same, as `(?-i:PC)` does: else a letter is a class of
/// both.
fn tells_cases_apart(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.iter().any(u8::is_ascii_alphabetic),
        HirKind::Class(Class::Unicode(class)) => {
            let has = |letter: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&letter));
            ('a'..='z').any(|letter| has(letter) != has(letter.to_ascii_uppercase()))
        }
        kind => kind.subs().iter().any(tells_cases_apart),
    }
}

/// Everything that an expression matches, in lower case, where that is few texts: those that it prefers come first.
/// `None` where it looks at what stands around them.
pub(super) fn spelled_out(pattern: &str) -> Option<Vec<String>> {
    let hir = parse(pattern)?;
    if !hir.properties().look_set().is_empty() || tells_cases_apart(&hir) {
        return None;
    }
    let mut spelled: Vec<String> = Vec::new();
    for text in texts(&hir)? {
        let text = text.to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if !spelled.contains(&text) {
            spelled.push(text);
        }
    }
    Some(spelled)
}

/// Everything that an expression matches, where that is few texts, those that it prefers first; what it looks at
/// around them is left out.
fn texts(hir: &Hir) -> Option<Vec<String>> {
    let texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => vec![std::str::from_utf8(&literal.0).ok()?.to_owned()],
        HirKind::Class(Class::Unicode(class)) => {
            let count: usize = class.ranges().iter().map(|range| range.len()).sum();
            if count > MAX_TEXTS {
                return None;
            }
            let characters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            let mut texts: Vec<String> =
                characters.filter(|c| !is_folded_away(*c)).map(|c| c.to_ascii_lowercase().to_string()).collect();
            texts.sort_unstable();
            texts.dedup();
            texts
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Capture(capture) => texts(&capture.sub)?,
        HirKind::Repetition(repetition) => {
            let most = repetition.max.filter(|&most| most <= 4)?;
            let once = texts(&repetition.sub)?;
            let mut repeated = vec![String::new()];
            for times in (0..most).rev() {
                let more = product(&once, &repeated)?;
                let enough = (times >= repetition.min).then(String::new);
                repeated = match repetition.greedy {
                    true => more.into_iter().chain(enough).collect(),
                    false => enough.into_iter().chain(more).collect(),
                };
            }
            repeated
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![String::new()], |left, part| product(&left, &texts(part)?))?
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
                if all.len() > MAX_TEXTS {
                    return None;
                }
            }
            all
        }
    };
    (texts.len() <= MAX_TEXTS).then_some(texts)
}

/// Letters that are variants of ASCII ones: normalised text has none, so that they need not be looked for.
fn is_folded_away(c: char) -> bool {
    matches!(c, 'ſ' | '\u{212a}')
}

fn product(left: &[String], right: &[String]) -> Option<Vec<String>> {
    (left.len() * right.len() <= MAX_TEXTS)
        .then(|| left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(pattern: &str) -> Option<Requirement> {
        Requirement::of(pattern, &Likelihoods::default())
    }

    fn text(text: &str) -> Requirement {
        Requirement::Text(text.to_owned())
    }

    #[test]
    fn alternatives_are_written_out() {
        assert_eq!(
            requirement("(?:読|書)(?:めな|けな)い?"),
            Some(Requirement::Any(vec![text("書めな"), text("書けな"), text("読めな"), text("読けな")]))
        );
    }

    #[test]
    fn both_ends_of_a_gap_are_needed() {
        assert_eq!(
            requirement("調子[^。]{0,5}(?:悪|変)"),
            Some(Requirement::All(vec![text("調子"), Requirement::Any(vec![text("変"), text("悪")])]))
        );
    }

    #[test]
    fn common_kana_are_not_asked_for_beside_rare_words() {
        assert_eq!(requirement("の[^。]{0,5}磁気"), Some(text("磁気")));
    }

    /// As the regular expression engine prefers them: alternatives in their order, more repeats first unless lazy.
    #[test]
    fn texts_are_spelled_out_in_the_order_of_preference() {
        let spelled = |pattern| spelled_out(pattern).expect("few texts");
        assert_eq!(spelled("読め(?:ない)?"), ["読めない", "読め"]);
        assert_eq!(spelled("読め(?:ない)??"), ["読め", "読めない"]);
        assert_eq!(spelled("(?:止|止ま)る{1,2}"), ["止るる", "止る", "止まるる", "止まる"]);
        assert_eq!(spelled("[BA]C"), ["ac", "bc"]);
        assert_eq!(spelled("(?:pc|PC|P)"), ["pc", "p"]);
    }

    #[test]
    fn what_looks_around_or_goes_on_is_not_spelled_out() {
        for pattern in ["^端末", "端末$", "端末+", "端.末", r"端末\b", "(?-i:PC)", "[ァ-ヶ]{2}"] {
            assert_eq!(spelled_out(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn a_part_that_may_be_absent_is_not_needed() {
        assert_eq!(requirement("(?:磁気)?.+"), None);
        assert_eq!(requirement("磁気|.+"), None);
    }

    #[test]
    fn case_is_folded_as_the_automaton_does() {
        assert_eq!(requirement("PC"), Some(text("pc")));
        assert_eq!(requirement("α線"), Some(Requirement::Any(vec![text("Α線"), text("α線")])));
    }
}
