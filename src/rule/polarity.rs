//! Polarity: whether a predicate is denied, wished for, supposed or over.
//!
//! From a hit the scan walks right over auxiliaries and light words and counts what denies. The words and
//! their roles are data (`rules/polarity.toml`).

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};

use crate::analyze::{Word, WordClass};

/// The word lists of `polarity.toml`: base forms by role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolarityWords {
    /// Auxiliaries and adjectives that deny: ない, ぬ, ん.
    negators: Vec<String>,
    /// Prefixes that deny the noun after them: 未, 不.
    negative_prefixes: Vec<String>,
    /// Nouns that deny the noun before them: なし, 皆無.
    absences: Vec<String>,
    /// Light words that the scan passes: する, できる, こと, まだ.
    transparent: Vec<String>,
    /// Particles that the scan passes between a noun and its predicate: が, は, も.
    noun_links: Vec<String>,
    /// Predicates that say no more of a noun than that it happens: ある, 起きる, 出る.
    occurrences: Vec<String>,
    /// What makes a wish: ほしい, たい, べき.
    wishes: Vec<String>,
    /// What makes a supposition: ば, 場合.
    suppositions: Vec<String>,
    /// What follows 「なければ」「ないと」 in an obligation: なる, いける, だめ.
    obligations: Vec<String>,
    /// Words that set the past against now: 以前, 当初.
    past_marks: Vec<String>,
    /// Words that set now against the past: 今, 現在.
    now_marks: Vec<String>,
    /// Predicates that say that something is over: 解消, 直る.
    resolutions: Vec<String>,
}

impl PolarityWords {
    /// The items of `polarity.toml`.
    pub(super) const KEYS: [&'static str; 12] = [
        "negators",
        "negative_prefixes",
        "absences",
        "transparent",
        "noun_links",
        "occurrences",
        "wishes",
        "suppositions",
        "obligations",
        "past_marks",
        "now_marks",
        "resolutions",
    ];
}

/// What a word does in the scan: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Roles(u16);

impl Roles {
    const NEGATOR: Self = Self(1);
    const NEGATIVE_PREFIX: Self = Self(1 << 1);
    const ABSENCE: Self = Self(1 << 2);
    const TRANSPARENT: Self = Self(1 << 3);
    const NOUN_LINK: Self = Self(1 << 4);
    const OCCURRENCE: Self = Self(1 << 5);
    const WISH: Self = Self(1 << 6);
    const SUPPOSITION: Self = Self(1 << 7);
    const OBLIGATION: Self = Self(1 << 8);
    const PAST_MARK: Self = Self(1 << 9);
    const NOW_MARK: Self = Self(1 << 10);
    const RESOLUTION: Self = Self(1 << 11);
    /// て, で, ば, と, ては, ちゃ: between a negator and what makes it an obligation.
    const CONJUNCTIVE: Self = Self(1 << 12);
    /// 、 and the like.
    const COMMA: Self = Self(1 << 13);

    fn has(self, role: Self) -> bool {
        self.0 & role.0 != 0
    }

    fn add(&mut self, role: Self) {
        self.0 |= role.0;
    }
}

/// Base forms with their roles.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RoleTable(BTreeMap<String, Roles>);

impl RoleTable {
    pub(crate) fn new(words: &PolarityWords) -> Self {
        let mut table = Self::default();
        for (list, role) in [
            (&words.negators, Roles::NEGATOR),
            (&words.negative_prefixes, Roles::NEGATIVE_PREFIX),
            (&words.absences, Roles::ABSENCE),
            (&words.transparent, Roles::TRANSPARENT),
            (&words.noun_links, Roles::NOUN_LINK),
            (&words.occurrences, Roles::OCCURRENCE),
            (&words.wishes, Roles::WISH),
            (&words.suppositions, Roles::SUPPOSITION),
            (&words.obligations, Roles::OBLIGATION),
            (&words.past_marks, Roles::PAST_MARK),
            (&words.now_marks, Roles::NOW_MARK),
            (&words.resolutions, Roles::RESOLUTION),
        ] {
            for word in list {
                table.0.entry(word.clone()).or_default().add(role);
            }
        }
        table
    }

    /// The roles of a word with its base form (the surface for an unknown word).
    pub(crate) fn roles(&self, base_form: &str, word: &Word) -> Roles {
        let mut roles = self.0.get(base_form).copied().unwrap_or_default();
        // An ordinary noun 無 or adjective ない denies as the list says; a verb or noun that merely shares the
        // spelling of a negating auxiliary (「ん」 as filler) does not.
        if roles.has(Roles::NEGATOR)
            && !matches!(
                word.class,
                WordClass::Auxiliary
                    | WordClass::Particle
                    | WordClass::Adjective
                    | WordClass::Noun
                    | WordClass::AdjectivalNoun
                    | WordClass::VerbPart
            )
        {
            roles.0 &= !Roles::NEGATOR.0;
        }
        if roles.has(Roles::NEGATIVE_PREFIX) && word.class != WordClass::Prefix {
            roles.0 &= !Roles::NEGATIVE_PREFIX.0;
        }
        match word.class {
            WordClass::Auxiliary | WordClass::VerbPart => roles.add(Roles::TRANSPARENT),
            WordClass::Particle
                if word.pos.starts_with("助詞-接続助詞")
                    && matches!(&*word.base_form, "て" | "で" | "ちゃ" | "じゃ") =>
            {
                roles.add(Roles::TRANSPARENT);
            }
            _ => {}
        }
        if word.class == WordClass::Particle
            && matches!(base_form, "て" | "で" | "ば" | "と" | "は" | "ちゃ" | "じゃ" | "ては")
        {
            roles.add(Roles::CONJUNCTIVE);
        }
        if word.inflection_form.as_deref().is_some_and(|form| form.starts_with("仮定"))
            && word.class == WordClass::Auxiliary
        {
            roles.add(Roles::SUPPOSITION);
        }
        if &*word.pos == "記号-読点" || base_form == "," {
            roles.add(Roles::COMMA);
        }
        roles
    }
}

/// What the scan found at a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Polarity {
    /// How many times it is denied, obligations not counted.
    pub(crate) negations: u8,
    pub(crate) wished: bool,
    pub(crate) supposed: bool,
}

impl Polarity {
    pub(crate) fn negated(self) -> bool {
        self.negations % 2 == 1
    }

    pub(crate) fn doubly_negated(self) -> bool {
        self.negations >= 2
    }
}

/// What is said of the predicate at a place in the text: the scan's findings, for people to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Features {
    /// How many times it is denied, obligations not counted.
    pub negations: u8,
    /// Wished for (直してほしい).
    pub wished: bool,
    /// Supposed (直れば).
    pub supposed: bool,
    /// Told of the past and said to be over.
    pub over: bool,
}

impl Features {
    /// Denied: an odd number of times.
    pub fn negated(self) -> bool {
        self.negations % 2 == 1
    }

    /// Denied twice or more.
    pub fn doubly_negated(self) -> bool {
        self.negations >= 2
    }

    /// The findings for a hit that covers the morphemes `first..=last` of a sentence; `next_end` is the end of the
    /// sentence after it.
    pub(crate) fn at(
        words: &[(Roles, WordClass)],
        sentence: Range<usize>,
        first: usize,
        last: usize,
        next_end: usize,
    ) -> Self {
        let Polarity { negations, wished, supposed } = scan(words, sentence.clone(), first, last);
        let over = is_over(words, sentence.clone(), first.max(sentence.start), last, next_end);
        Self { negations, wished, supposed, over }
    }
}

/// How far the scan walks.
const REACH: usize = 18;

/// Scans from a hit that covers the morphemes `first..=last`, within its sentence.
pub(crate) fn scan(words: &[(Roles, WordClass)], sentence: Range<usize>, first: usize, last: usize) -> Polarity {
    let mut polarity = Polarity::default();
    if first > sentence.start && words[first - 1].0.has(Roles::NEGATIVE_PREFIX) {
        polarity.negations += 1;
    }
    let verbal =
        matches!(words[last].1, WordClass::Verb | WordClass::VerbPart | WordClass::Adjective | WordClass::Auxiliary);
    // 「置き忘れはない」: a verb before a particle that links nouns stands for a noun.
    let next = words.get(last + 1).filter(|_| last + 1 < sentence.end);
    let mut nominal =
        !verbal || next.is_some_and(|(roles, class)| *class == WordClass::Particle && roles.has(Roles::NOUN_LINK));
    // A hit may itself end in a negator (使えない): what it says is denied as the pattern means it.
    let mut at = last + 1;
    let end = sentence.end.min(last + 1 + REACH);
    while at < end {
        let (roles, class) = words[at];
        if roles.has(Roles::NEGATOR) {
            // なければならない, ないといけない, なくてはだめ: an obligation, not a denial.
            let mut ahead = at + 1;
            while ahead < end && words[ahead].0.has(Roles::CONJUNCTIVE) {
                ahead += 1;
            }
            if ahead > at + 1 && ahead < end && words[ahead].0.has(Roles::OBLIGATION) {
                at = ahead + 1;
                while at < end && (words[at].0.has(Roles::NEGATOR) || words[at].0.has(Roles::TRANSPARENT)) {
                    at += 1;
                }
                nominal = false;
                continue;
            }
            polarity.negations += 1;
            nominal = false;
        } else if roles.has(Roles::ABSENCE) && nominal {
            polarity.negations += 1;
            break;
        } else if roles.has(Roles::WISH) {
            polarity.wished = true;
            nominal = false;
        } else if roles.has(Roles::SUPPOSITION) {
            polarity.supposed = true;
            break;
        } else if nominal && roles.has(Roles::OCCURRENCE) {
            nominal = !matches!(class, WordClass::Verb | WordClass::Adjective);
        } else if roles.has(Roles::TRANSPARENT) {
            if matches!(class, WordClass::Verb) {
                nominal = false;
            }
        } else {
            // A noun reaches its predicate over particles, and over a comma right after them (「エラーは、」).
            let near_comma = roles.has(Roles::COMMA) && at <= last + 3;
            let link = roles.has(Roles::NOUN_LINK);
            let passes = if nominal { link || near_comma } else { link && polarity.negations > 0 };
            if !passes {
                break;
            }
        }
        at += 1;
    }
    polarity
}

/// Whether what a hit tells belongs to the past and is said to be over: a past mark before it, and after it,
/// in the sentence or the next, a word for now with a denial or a resolution.
pub(crate) fn is_over(
    words: &[(Roles, WordClass)],
    sentence: Range<usize>,
    first: usize,
    last: usize,
    next_end: usize,
) -> bool {
    let past = words[sentence.start..first].iter().any(|(roles, _)| roles.has(Roles::PAST_MARK));
    if !past {
        return false;
    }
    let rest = &words[(last + 1).min(next_end)..next_end];
    let now = rest.iter().position(|(roles, _)| roles.has(Roles::NOW_MARK));
    let resolved = |words: &[(Roles, WordClass)]| words.iter().any(|(roles, _)| roles.has(Roles::RESOLUTION));
    match now {
        Some(now) => rest[now..].iter().any(|(roles, _)| roles.has(Roles::NEGATOR) || roles.has(Roles::RESOLUTION)),
        None => resolved(rest),
    }
}
