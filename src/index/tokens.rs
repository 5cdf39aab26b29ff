//! What the index holds of a text: the shared morphemes as tokens, each at a position.
//!
//! A morpheme gives its base form, its surface and the reading of its base form. A compound that the dictionary
//! keeps as one word (資格確認書) takes as many positions as it has parts and gives those too, so that 確認書 is
//! found in it while 資格確認書 stays a single term. Politeness (です, ます) has no position and the forms of
//! negation are one, so that 届かない finds 届きません.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::analyze::{Analysis, AnalysisWorker, Analyzer, Morpheme, Word, WordClass};

use super::kana::{comparable_reading, is_kana_only};

/// Separates positions in a packed field.
pub(super) const NEXT_POSITION: char = '\u{1f}';
/// Begins a token in a packed field.
pub(super) const TOKEN: char = '\u{1e}';
/// Begins the reading of a word that the text writes in kana: a query in kanji looks for those only, since any
/// reading would bring its homophones.
pub(crate) const WRITTEN_IN_KANA: char = '~';

/// Unknown words whose parts are remembered at most; there is no end to them.
const REMEMBERED_UNKNOWN: usize = 50_000;

/// A text's tokens in the form in which the index takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentTokens {
    pub(super) base: String,
    pub(super) surface: String,
    pub(super) reading: String,
}

/// One token, borrowed from its maker.
#[derive(Debug, Clone)]
pub(crate) struct Token<'t> {
    /// Position of its first part. Politeness stands at the position before its own, so −1 where it comes first.
    pub(crate) position: i32,
    /// Base form, in lower case.
    pub(crate) base: &'t str,
    /// Surface, in lower case; `None` where the parts stand for it.
    pub(crate) surface: Option<&'t str>,
    /// Comparable reading of the base form.
    pub(crate) reading: Option<&'t str>,
    /// Whether the text writes it in kana.
    pub(crate) in_kana: bool,
    /// Bytes of the normalised text.
    pub(crate) byte_range: Range<usize>,
    /// Class of the morpheme.
    pub(crate) class: WordClass,
    /// Whether it is a morpheme rather than part of one.
    pub(crate) is_whole: bool,
    /// Whether it is politeness: then its surface counts for exact phrases and nothing else.
    pub(crate) is_silent: bool,
}

/// Turns analyses into tokens. Keeps what it learnt of each word: one a thread.
pub struct TokenMaker<'a> {
    analyzer: &'a Analyzer,
    worker: AnalysisWorker<'a>,
    /// By word key, in shelves that are put up when first needed.
    known: Vec<Option<Box<Shelf>>>,
    unknown: HashMap<Box<str>, Entry>,
}

const SHELF: usize = 512;
type Shelf = [Option<Box<Entry>>; SHELF];

/// What a word gives to the index.
#[derive(Debug)]
struct Entry {
    base: Box<str>,
    surface: Box<str>,
    reading: Option<Box<str>>,
    in_kana: bool,
    parts: Box<[Part]>,
    positions: u32,
    silent: bool,
}

/// A part of a compound, smaller ones within larger ones.
#[derive(Debug, Clone)]
struct Part {
    base: Box<str>,
    reading: Option<Box<str>>,
    bytes: Range<usize>,
    position: u32,
    length: u32,
}

impl<'a> TokenMaker<'a> {
    /// A maker over an analyser's words.
    pub fn new(analyzer: &'a Analyzer) -> Self {
        Self { analyzer, worker: analyzer.worker(), known: Vec::new(), unknown: HashMap::new() }
    }

    /// The analyser whose words it knows.
    pub fn analyzer(&self) -> &'a Analyzer {
        self.analyzer
    }

    /// Analyses a text and makes its tokens.
    ///
    /// ```
    /// use jirei::{analyze::Analyzer, index::TokenMaker};
    /// let analyzer = Analyzer::embedded()?;
    /// let mut maker = TokenMaker::new(&analyzer);
    /// assert_eq!(maker.tokens("窓口で困った"), maker.tokens("窓口で困った"));
    /// assert_ne!(maker.tokens("窓口で困った"), maker.tokens("電話で困った"));
    /// # Ok::<(), jirei::analyze::AnalyzerError>(())
    /// ```
    pub fn tokens(&mut self, text: &str) -> DocumentTokens {
        let analysis = self.worker.analyze(text);
        self.tokens_of(&analysis)
    }

    /// Makes the tokens of an analysis that is at hand.
    pub fn tokens_of(&mut self, analysis: &Analysis<'_>) -> DocumentTokens {
        let length = analysis.text().len();
        let mut packed = DocumentTokens {
            base: String::with_capacity(length * 2),
            surface: String::with_capacity(length * 2),
            reading: String::with_capacity(length * 3),
        };
        let mut position = 0;
        self.visit(analysis, |token| {
            while position < token.position {
                packed.base.push(NEXT_POSITION);
                packed.surface.push(NEXT_POSITION);
                packed.reading.push(NEXT_POSITION);
                position += 1;
            }
            if let Some(surface) = token.surface {
                packed.surface.push(TOKEN);
                packed.surface.push_str(surface);
            }
            if token.is_silent {
                return;
            }
            packed.base.push(TOKEN);
            packed.base.push_str(token.base);
            if let Some(reading) = token.reading {
                packed.reading.push(TOKEN);
                packed.reading.push_str(reading);
                if token.in_kana {
                    packed.reading.push(TOKEN);
                    packed.reading.push(WRITTEN_IN_KANA);
                    packed.reading.push_str(reading);
                }
            }
        });
        packed
    }

    /// Analyses a text.
    pub fn analyze(&mut self, text: &str) -> Analysis<'a> {
        self.worker.analyze(text)
    }

    /// Shows the tokens of an analysis in the order of their positions, compounds before their parts.
    pub(crate) fn visit(&mut self, analysis: &Analysis<'_>, mut see: impl FnMut(Token<'_>)) {
        self.learn(analysis);
        let text = analysis.text();
        let mut position = 0;
        for morpheme in &analysis.morphemes {
            let entry = self.entry(morpheme, text).expect("every word of the analysis was learnt just now");
            let start = morpheme.byte_range.start as usize;
            let end = morpheme.byte_range.end as usize;
            let written_as_base = entry.surface == entry.base;
            see(Token {
                position: if entry.silent { position - 1 } else { position },
                base: &entry.base,
                surface: (entry.parts.is_empty() || !written_as_base).then_some(&entry.surface),
                reading: entry.reading.as_deref().filter(|_| !entry.silent),
                in_kana: entry.in_kana,
                byte_range: start..end,
                class: morpheme.word.class,
                is_whole: true,
                is_silent: entry.silent,
            });
            if entry.silent {
                continue;
            }
            for part in &entry.parts {
                see(Token {
                    position: position + part.position as i32,
                    base: &part.base,
                    surface: (written_as_base && part.length == 1).then_some(&part.base),
                    reading: part.reading.as_deref(),
                    in_kana: written_as_base && is_kana_only(&part.base),
                    byte_range: if written_as_base && part.bytes.end <= end - start {
                        start + part.bytes.start..start + part.bytes.end
                    } else {
                        start..end
                    },
                    class: WordClass::Noun,
                    is_whole: false,
                    is_silent: false,
                });
            }
            position += entry.positions as i32;
        }
    }

    /// Learns the words of an analysis that it does not know yet.
    fn learn(&mut self, analysis: &Analysis<'_>) {
        let text = analysis.text();
        if self.unknown.len() >= REMEMBERED_UNKNOWN {
            self.unknown.clear();
        }
        for morpheme in &analysis.morphemes {
            if self.entry(morpheme, text).is_some() {
                continue;
            }
            let surface = morpheme.surface(text);
            match morpheme.key {
                Some(key) => {
                    let entry = self.make_entry(surface, &morpheme.word.base_form, morpheme.word, false);
                    let shelf = key.index() / SHELF;
                    if self.known.len() <= shelf {
                        self.known.resize_with(shelf + 1, || None);
                    }
                    let shelf = self.known[shelf].get_or_insert_with(|| Box::new([const { None }; SHELF]));
                    shelf[key.index() % SHELF] = Some(Box::new(entry));
                }
                None => {
                    let entry = self.make_entry(surface, surface, morpheme.word, true);
                    self.unknown.insert(surface.into(), entry);
                }
            }
        }
    }

    fn entry(&self, morpheme: &Morpheme<'_>, text: &str) -> Option<&Entry> {
        match morpheme.key {
            Some(key) => self.known.get(key.index() / SHELF)?.as_ref()?[key.index() % SHELF].as_deref(),
            None => self.unknown.get(morpheme.surface(text)),
        }
    }

    fn make_entry(&mut self, surface: &str, base_form: &str, word: &Word, is_oov: bool) -> Entry {
        let base = canonical_base(base_form, word.class);
        let reading = if base == "ない" {
            Some("ナイ".to_owned())
        } else if is_oov {
            is_kana_only(surface).then(|| comparable_reading(surface))
        } else {
            base_reading(surface, base_form, word.reading.as_deref())
        };
        let mut parts = Vec::new();
        let positions = match word.class {
            WordClass::Noun | WordClass::VerbalNoun | WordClass::AdjectivalNoun => self.split(&base, 0, 0, &mut parts),
            _ => 1,
        };
        parts.sort_by_key(|part| (part.position, std::cmp::Reverse(part.length)));
        Entry {
            silent: word.class == WordClass::Auxiliary && matches!(&*base, "です" | "ます"),
            in_kana: is_kana_only(surface),
            surface: surface.to_lowercase().into(),
            base: base.into(),
            reading: reading.map(String::into_boxed_str),
            parts: parts.into(),
            positions,
        }
    }

    /// Adds the parts of a compound, and of its parts; gives the number of positions that it takes.
    fn split(&mut self, word: &str, byte: usize, position: u32, parts: &mut Vec<Part>) -> u32 {
        let Some(pieces) = self.pieces(word) else { return 1 };
        let mut at = position;
        for piece in pieces {
            let base = &word[piece.clone()];
            let reading = self.piece_reading(base);
            let bytes = byte + piece.start..byte + piece.end;
            let slot = parts.len();
            parts.push(Part { base: base.into(), reading, bytes: bytes.clone(), position: at, length: 1 });
            let length = self.split(base, bytes.start, at, parts);
            parts[slot].length = length;
            at += length;
        }
        at - position
    }

    fn piece_reading(&mut self, piece: &str) -> Option<Box<str>> {
        let analysis = self.worker.analyze(piece);
        let mut reading = String::new();
        for morpheme in &analysis.morphemes {
            let surface = morpheme.surface(analysis.text());
            match &morpheme.word.reading {
                Some(known) if !morpheme.is_oov() => reading.push_str(known),
                _ if is_kana_only(surface) => reading.push_str(surface),
                _ => return None,
            }
        }
        is_kana_only(&reading).then(|| comparable_reading(&reading).into())
    }

    /// The fewest words of the dictionary that make up a compound; `None` where it is none.
    fn pieces(&mut self, word: &str) -> Option<Vec<Range<usize>>> {
        let chars: Vec<char> = word.chars().collect();
        if !(3..=24).contains(&chars.len()) || chars.iter().any(|&c| Script::of(c) == Script::Other) {
            return None;
        }
        let bounds: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        let count = chars.len();
        // Cost of reaching each character, and from where: ten for each piece, one more for a piece of one character.
        let mut best: Vec<Option<(u32, usize)>> = vec![None; count + 1];
        best[0] = Some((0, 0));
        for start in 0..count {
            let Some((cost, _)) = best[start] else { continue };
            for end in start + 1..=count {
                let cost = cost + 10 + u32::from(end - start == 1);
                if end - start == count
                    || best[end].is_some_and(|(other, _)| other <= cost)
                    || !self.is_piece(&word[bounds[start]..bounds[end]], &chars, start..end)
                {
                    continue;
                }
                best[end] = Some((cost, start));
            }
        }
        let mut pieces = Vec::new();
        let mut end = count;
        while end > 0 {
            let (_, start) = best[end]?;
            pieces.push(bounds[start]..bounds[end]);
            end = start;
        }
        pieces.reverse();
        Some(pieces)
    }

    fn is_piece(&mut self, piece: &str, chars: &[char], range: Range<usize>) -> bool {
        let inside = &chars[range.clone()];
        let script = Script::of(inside[0]);
        if inside.len() == 1 {
            return range.start > 0
                && (inside[0] == 'の' && range.end < chars.len()
                    || script == Script::Kanji && range.end == chars.len() && range.start >= 2);
        }
        let uniform = inside.iter().all(|&c| Script::of(c) == script);
        let at_borders = |chars: &[char]| {
            (range.start == 0 || Script::of(chars[range.start - 1]) != script)
                && (range.end == chars.len() || Script::of(chars[range.end]) != script)
        };
        let whole_run = uniform && at_borders(chars);
        if uniform && script == Script::Katakana && inside.len() < 3 && !whole_run {
            return false;
        }
        let analysis = self.worker.analyze(piece);
        let [morpheme] = analysis.morphemes.as_slice() else { return false };
        let nominal = matches!(
            morpheme.word.class,
            WordClass::Noun | WordClass::VerbalNoun | WordClass::AdjectivalNoun | WordClass::NounPart
        );
        if morpheme.is_oov() { whole_run && script == Script::Katakana } else { nominal }
    }
}

/// A maker for each thread of rayon's pool, and one for a caller outside of it; made when the thread has work.
pub struct TokenMakers<'a> {
    analyzer: &'a Analyzer,
    makers: Vec<Mutex<Option<TokenMaker<'a>>>>,
}

impl<'a> TokenMakers<'a> {
    /// Room for a maker for each thread of the current pool.
    pub fn new(analyzer: &'a Analyzer) -> Self {
        Self { analyzer, makers: (0..=rayon::current_num_threads()).map(|_| Mutex::new(None)).collect() }
    }

    /// Analyses a text and makes its tokens.
    pub fn tokens(&self, text: &str) -> DocumentTokens {
        self.with(|maker| maker.tokens(text))
    }

    /// Makes the tokens of an analysis that is at hand.
    pub fn tokens_of(&self, analysis: &Analysis<'_>) -> DocumentTokens {
        self.with(|maker| maker.tokens_of(analysis))
    }

    fn with<T>(&self, work: impl FnOnce(&mut TokenMaker<'a>) -> T) -> T {
        let index = rayon::current_thread_index().map_or(0, |index| index + 1) % self.makers.len();
        // What a maker that panicked has learnt so far is as good as before.
        let mut maker = self.makers[index].lock().unwrap_or_else(PoisonError::into_inner);
        work(maker.get_or_insert_with(|| TokenMaker::new(self.analyzer)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Kanji,
    Katakana,
    Hiragana,
    Other,
}

impl Script {
    fn of(c: char) -> Self {
        match c {
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '々' => Self::Kanji,
            'ァ'..='ヺ' | 'ー' => Self::Katakana,
            'ぁ'..='ゖ' => Self::Hiragana,
            _ => Self::Other,
        }
    }
}

/// The base form as the index has it: in lower case, and one form for what only differs in style.
fn canonical_base(base_form: &str, class: WordClass) -> String {
    match (class, base_form) {
        (WordClass::Auxiliary, "ん" | "ぬ" | "ず" | "まい") => "ない".to_owned(),
        (WordClass::Adjective, "無い") => "ない".to_owned(),
        (WordClass::Verb | WordClass::VerbPart, "出来る") => "できる".to_owned(),
        _ => base_form.to_lowercase(),
    }
}

/// The reading of the base form: the dictionary gives that of the inflected surface (届か: トドカ), so the ending
/// that the surface writes in kana is exchanged for that of the base form (トドク).
fn base_reading(surface: &str, base_form: &str, reading: Option<&str>) -> Option<String> {
    let reading = reading?;
    if !is_kana_only(reading) {
        return None;
    }
    if surface == base_form {
        return Some(comparable_reading(reading));
    }
    let stem_end =
        surface.char_indices().rev().find(|&(_, c)| !matches!(c, 'ぁ'..='ゖ')).map_or(0, |(at, c)| at + c.len_utf8());
    let (stem, ending) = surface.split_at(stem_end);
    let ending: String = ending.chars().map(katakana).collect();
    match (reading.strip_suffix(&*ending), base_form.strip_prefix(stem)) {
        (Some(stem_reading), Some(base_ending)) if base_ending.chars().all(super::kana::is_kana) => {
            Some(comparable_reading(&format!("{stem_reading}{base_ending}")))
        }
        _ => Some(comparable_reading(reading)),
    }
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &[&str]) {
        let analyzer = Analyzer::embedded().unwrap();
        let mut maker = TokenMaker::new(&analyzer);
        let analysis = maker.analyze(text);
        let mut found = Vec::new();
        maker.visit(&analysis, |token| {
            found.push(format!(
                "{} {} {} {}",
                token.position,
                token.base,
                token.surface.unwrap_or("-"),
                token.reading.unwrap_or("-")
            ));
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn inflection_politeness_and_negation() {
        case("届きません", &["0 届く 届き トドク", "0 ます ませ -", "1 ない ん ナイ"]);
        case("届かない", &["0 届く 届か トドク", "1 ない ない ナイ"]);
    }

    #[test]
    fn compounds_give_their_parts() {
        case(
            "資格確認書",
            &[
                "0 資格確認書 - シカクカクニンショ",
                "0 資格 資格 シカク",
                "1 確認書 - カクニンショ",
                "1 確認 確認 カクニン",
                "2 書 書 ショ",
            ],
        );
    }
}
