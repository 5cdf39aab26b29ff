//! The check for details that identify a patient or an institution, made before an appendix goes out.
//!
//! It looks for forms (telephone numbers, addresses, a number beside its label), for names that the dictionary
//! knows as such, and for names that their surroundings give away (さん, 様, クリニック). What it finds is offered
//! with a mask; a person decides. It reads the normalised text, so that width, look-alikes and spaces left by PDF
//! and FAX hide nothing; ranges count characters of the original.

mod forms;
mod institution;
mod names;
mod person;
mod words;

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    analyze::{Analysis, AnalysisWorker, Analyzer},
    comment::CommentId,
};

use institution::Vendors;

/// What a finding identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailKind {
    /// Mail address.
    Mail,
    /// Web address.
    Web,
    /// Telephone or fax number.
    Phone,
    /// Postal code or street address.
    Address,
    /// Number of a person, card, account or institution.
    Number,
    /// Date of birth, or an exact date beside a rare event.
    Date,
    /// Name of a medical institution, office or insurer.
    Institution,
    /// Name of a vendor or of its product.
    Vendor,
    /// Name of a person.
    Person,
}

impl DetailKind {
    /// Its name in messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mail => "メールアドレス",
            Self::Web => "ウェブの住所",
            Self::Phone => "電話番号",
            Self::Address => "住所",
            Self::Number => "番号",
            Self::Date => "日付",
            Self::Institution => "機関名",
            Self::Vendor => "業者名・製品名",
            Self::Person => "人名",
        }
    }

    /// What is proposed in its place.
    pub fn mask(self) -> &'static str {
        match self {
            Self::Mail => "（メールアドレス）",
            Self::Web => "（URL）",
            Self::Phone => "（電話番号）",
            Self::Address => "（住所）",
            Self::Number => "（番号）",
            Self::Date => "（日付）",
            Self::Institution => "（機関名）",
            Self::Vendor => "（業者名）",
            Self::Person => "（氏名）",
        }
    }
}

/// A detail that may identify someone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it identifies.
    pub kind: DetailKind,
    /// Range in *characters* of the text.
    pub char_range: Range<usize>,
    /// The words found.
    pub text: String,
    /// What is proposed in their place.
    pub mask: String,
}

/// A finding and the row that it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFinding {
    /// Label of the row where the quote stands first.
    pub label: String,
    /// Heading of its table.
    pub heading: String,
    /// Prefecture as printed.
    pub prefecture: Option<String>,
    /// Kind of facility as printed.
    pub facility: Option<String>,
    /// The comment.
    pub comment: CommentId,
    /// The comment's words as written; the finding's range counts in them.
    pub original: String,
    /// The finding.
    pub finding: Finding,
}

/// Words of the analyst for the check of details.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DisclosureWords {
    /// Names of vendors and products beyond those that are known.
    pub vendors: Vec<String>,
    /// Words that identify nobody, however they look.
    pub harmless: Vec<String>,
}

/// Finds details that may identify someone.
///
/// ```
/// use jirei::{analyze::Analyzer, report::{DetailFinder, DisclosureWords, mask_details}};
///
/// let analyzer = Analyzer::embedded()?;
/// let finder = DetailFinder::new(&analyzer, &DisclosureWords::default());
/// let text = "田中さんの件で03-1234-5678に電話した。業者さんは出ない。";
/// let findings = finder.find(text);
/// assert_eq!(mask_details(text, &findings), "（氏名）さんの件で（電話番号）に電話した。業者さんは出ない。");
/// # Ok::<(), jirei::analyze::AnalyzerError>(())
/// ```
pub struct DetailFinder<'a> {
    analyzer: &'a Analyzer,
    vendors: Vendors,
    harmless: Vec<String>,
}

impl<'a> DetailFinder<'a> {
    /// A finder that knows the analyst's words.
    pub fn new(analyzer: &'a Analyzer, words: &DisclosureWords) -> Self {
        let normalize = |words: &[String]| -> Vec<String> {
            words.iter().map(|word| analyzer.normalizer().normalize(word.trim()).text().to_owned()).collect()
        };
        Self { analyzer, vendors: Vendors::new(&normalize(&words.vendors)), harmless: normalize(&words.harmless) }
    }

    /// Details of a text, in the order of the text, never overlapping.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        self.find_with(&mut self.analyzer.worker(), text)
    }

    /// As [`DetailFinder::find`] for each text, on all cores.
    pub fn find_all<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Vec<Finding>> {
        let find = |worker: &mut AnalysisWorker<'a>, text: &T| self.find_with(worker, text.as_ref());
        texts.par_iter().with_min_len(32).map_init(|| self.analyzer.worker(), find).collect()
    }

    fn find_with(&self, worker: &mut AnalysisWorker<'a>, text: &str) -> Vec<Finding> {
        let analysis = worker.analyze(text);
        let mut found: Vec<(DetailKind, Range<usize>)> = Vec::new();
        forms::find(analysis.text(), &mut found);
        self.vendors.find(analysis.text(), &mut found);
        institution::find(&analysis, &mut found);
        person::find(&analysis, &mut found);
        for (kind, range) in &mut found {
            if matches!(kind, DetailKind::Address | DetailKind::Institution) {
                *range = from_start_of_name(&analysis, range.clone());
            }
        }
        // The earlier search names the kind better: among the findings of one place the first one stays, widened
        // by what the others add, so that nothing of a name is left beside its mask.
        let mut kept: Vec<(DetailKind, Range<usize>)> = Vec::new();
        for (kind, range) in found {
            let is_harmless = self.harmless.iter().any(|word| analysis.text()[range.clone()] == **word);
            if is_harmless || range.is_empty() {
                continue;
            }
            match kept.iter_mut().find(|(_, other)| range.start < other.end && other.start < range.end) {
                Some((_, other)) => *other = other.start.min(range.start)..other.end.max(range.end),
                None => kept.push((kind, range)),
            }
        }
        kept.sort_by_key(|(_, range)| range.start);
        kept.dedup_by(|(_, next), (_, range)| {
            let overlaps = next.start < range.end;
            if overlaps {
                range.end = range.end.max(next.end);
            }
            overlaps
        });
        let mut chars = CharCounter::new(text);
        kept.into_iter()
            .map(|(kind, range)| {
                let bytes = analysis.normalized.original_bytes(range);
                Finding {
                    kind,
                    char_range: chars.at(bytes.start)..chars.at(bytes.end),
                    text: text[bytes].to_owned(),
                    mask: kind.mask().to_owned(),
                }
            })
            .collect()
    }
}

/// The name of a place or an institution from its start: the patterns look for kanji and katakana, but it may begin
/// within a word (日の出) or in hiragana (ひかりの森クリニック, みどり市).
fn from_start_of_name(analysis: &Analysis<'_>, range: Range<usize>) -> Range<usize> {
    const ELSEWHERE: [&str; 8] = ["となり", "ちかく", "むかい", "うち", "ほか", "よそ", "ところ", "かかりつけ"];
    let text = analysis.text();
    let within = analysis
        .morphemes
        .iter()
        .find(|m| (m.byte_range.start as usize) < range.start && range.start < m.byte_range.end as usize);
    let mut start = within.map_or(range.start, |morpheme| morpheme.byte_range.start as usize);
    let first = start;
    let before = analysis.morphemes.iter().rev().skip_while(|m| m.byte_range.end as usize > first);
    let mut pending = None;
    for morpheme in before {
        let surface = morpheme.surface(text);
        let touches = morpheme.byte_range.end as usize == pending.unwrap_or(start);
        let is_kana = surface.chars().all(|c| ('ぁ'..='ん').contains(&c));
        if !touches || !is_kana || ELSEWHERE.contains(&surface) {
            break;
        }
        match surface {
            "の" | "が" if pending.is_none() => pending = Some(morpheme.byte_range.start as usize),
            _ if morpheme.word.pos.starts_with("名詞") && surface.chars().count() >= 2 => {
                start = morpheme.byte_range.start as usize;
                pending = None;
            }
            _ => break,
        }
    }
    start..range.end
}

/// Counts characters up to byte offsets that are asked for in ascending order.
pub(super) struct CharCounter<'t> {
    text: &'t str,
    byte: usize,
    count: usize,
}

impl<'t> CharCounter<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, byte: 0, count: 0 }
    }

    pub(super) fn at(&mut self, byte: usize) -> usize {
        self.count += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.count
    }
}

/// The text with each finding's mask in its place. The findings must be of this text and in its order.
pub fn mask_details(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut findings = findings.iter().peekable();
    for (i, c) in text.chars().enumerate() {
        while findings.next_if(|finding| finding.char_range.end <= i).is_some() {}
        match findings.peek() {
            Some(finding) if finding.char_range.start == i => out.push_str(&finding.mask),
            Some(finding) if finding.char_range.contains(&i) => {}
            _ => out.push(c),
        }
    }
    out
}
