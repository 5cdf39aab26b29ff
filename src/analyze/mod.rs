//! Morphological analysis. The only user of lindera.
//!
//! Words are interned: each entry of the dictionary is read at most once, on first sight, into a [`Word`] that
//! all morphemes of it share. A comment is analysed once; rules, index and concordance share its morphemes.

mod dictionary;
mod domain;
mod sentence;
mod shelf;

use std::{ops::Range, path::Path};

use lindera::{
    dictionary::{Dictionary, UserDictionary, WordId},
    mode::Mode,
    segmenter::Segmenter,
    worker::SegmentWorker,
};

use lindera_dictionary::viterbi::LexType;

use crate::normalize::{Normalized, Normalizer};

pub use dictionary::AnalyzerError;
pub(crate) use shelf::Shelves;

/// What the dictionary says of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lemma (基本形). Equal to the surface where the dictionary gives none.
    pub base_form: Box<str>,
    /// Reading in katakana (読み), `None` where the dictionary gives none.
    pub reading: Option<Box<str>>,
    /// Part of speech (品詞), levels joined with `-`, e.g. `名詞-サ変接続`.
    pub pos: Box<str>,
    /// Inflection type (活用型), e.g. `五段・ラ行`.
    pub inflection_type: Option<Box<str>>,
    /// Inflected form (活用形), e.g. `未然形`.
    pub inflection_form: Option<Box<str>>,
    /// The part of speech in the classes that the polarity scan and the rules ask for.
    pub class: WordClass,
}

impl Word {
    /// Reading of the base form in katakana: ワカル for わから in わからない. `surface` is the form that stands in the
    /// text; `None` where the dictionary gives no reading.
    ///
    /// Endings are written in kana, so the reading changes as the writing does; 来る changes its stem too.
    pub fn base_reading(&self, surface: &str) -> Option<String> {
        let reading = self.reading.as_deref()?;
        let (base, common) = (&*self.base_form, common_prefix(surface, &self.base_form));
        if base == "来る" {
            return Some("クル".to_owned());
        }
        let (ending, base_ending) = (katakana(&surface[common..]), katakana(&base[common..]));
        Some(format!("{}{base_ending}", reading.strip_suffix(&*ending)?))
    }
}

/// Length in bytes of what two texts begin with.
fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum()
}

fn katakana(text: &str) -> String {
    let shifted = |c: char| char::from_u32(c as u32 + 0x60).expect("katakana stand 96 after hiragana");
    text.chars().map(|c| if ('ぁ'..='ゖ').contains(&c) { shifted(c) } else { c }).collect()
}

/// Coarse class of a word, from its part of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordClass {
    /// 名詞 that can stand alone.
    Noun,
    /// 名詞-サ変接続: makes a verb with する.
    VerbalNoun,
    /// 名詞-形容動詞語幹 and 名詞-ナイ形容詞語幹.
    AdjectivalNoun,
    /// 名詞-接尾, 名詞-非自立, 名詞-代名詞, 名詞-数 and the like.
    NounPart,
    /// 動詞-自立.
    Verb,
    /// 動詞-非自立 and 動詞-接尾.
    VerbPart,
    /// 形容詞.
    Adjective,
    /// 助動詞.
    Auxiliary,
    /// 助詞.
    Particle,
    /// 接頭詞.
    Prefix,
    /// 副詞, 連体詞, 接続詞, 感動詞, フィラー.
    Modifier,
    /// 記号 and anything else.
    Symbol,
}

/// Identifies a [`Word`] within its [`Analyzer`]: dense, from 0, below [`Analyzer::word_count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WordKey(pub(crate) u32);

impl WordKey {
    /// The key as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One morpheme of a comment.
#[derive(Debug, Clone)]
pub struct Morpheme<'a> {
    /// Byte range in the *normalised* text.
    pub byte_range: Range<u32>,
    /// Its dictionary entry; for an unknown word that of its character class.
    pub word: &'a Word,
    /// Key of the entry, `None` for an unknown word (未知語).
    pub key: Option<WordKey>,
}

impl Morpheme<'_> {
    /// Whether the dictionary does not know the word.
    pub fn is_oov(&self) -> bool {
        self.key.is_none()
    }

    /// The surface (表層形) in the normalised text.
    pub fn surface<'t>(&self, text: &'t str) -> &'t str {
        &text[self.byte_range.start as usize..self.byte_range.end as usize]
    }

    /// The lemma; the surface for an unknown word.
    pub fn base_form<'t>(&'t self, text: &'t str) -> &'t str {
        if self.is_oov() { self.surface(text) } else { &self.word.base_form }
    }
}

/// A comment's text, normalised and analysed.
#[derive(Debug, Clone)]
pub struct Analysis<'a> {
    /// The normalised text with the way back to the original.
    pub normalized: Normalized,
    /// Morphemes in the order of the text; white space yields none.
    pub morphemes: Vec<Morpheme<'a>>,
    /// Sentences as ranges of morpheme indices, in order, without gaps.
    pub sentences: Vec<Range<u32>>,
}

impl Analysis<'_> {
    /// The normalised text.
    pub fn text(&self) -> &str {
        self.normalized.text()
    }

    /// The sentence that holds a morpheme, as an index into `sentences`.
    pub fn sentence_of(&self, morpheme: u32) -> usize {
        self.sentences.partition_point(|sentence| sentence.end <= morpheme)
    }
}

/// Analyses text with a dictionary, the domain's user dictionary and the variant table.
pub struct Analyzer {
    version: String,
    normalizer: Normalizer,
    segmenter: Segmenter,
    /// Number of entries of the system dictionary: keys of user entries come after.
    system_words: usize,
    words: Shelves<Word>,
    unknown: Shelves<Word>,
}

impl Analyzer {
    /// The analyser with a compiled lindera dictionary from a folder, and the embedded domain dictionary and
    /// variant table.
    ///
    /// # Errors
    ///
    /// When the folder is missing or does not hold a dictionary of lindera's current format with the columns
    /// of IPADIC.
    pub fn with_dictionary(folder: &Path) -> Result<Self, AnalyzerError> {
        let mut analyzer = Self::build(dictionary::from_folder(folder)?)?;
        // Two dictionaries may bear the same name.
        analyzer.version = format!("{}-{}", analyzer.version, &analyzer.hash()[..8]);
        Ok(analyzer)
    }

    /// The analyser with a dictionary, the embedded domain dictionary and variant table.
    pub(crate) fn build(dictionary: Dictionary) -> Result<Self, AnalyzerError> {
        let user = domain::user_dictionary(&dictionary.metadata)?;
        let normalizer = Normalizer::new(domain::variants()?);
        let system_words = dictionary.prefix_dictionary.words_idx_data.len() / 4;
        let user_words = user.dict.words_idx_data.len() / 4;
        let version = format!("{}+{}", dictionary.metadata.name, domain::version());
        Ok(Self {
            version,
            normalizer,
            system_words,
            words: Shelves::new(system_words + user_words),
            unknown: Shelves::new(256),
            segmenter: Segmenter::new(Mode::Normal, dictionary, Some(user)),
        })
    }

    /// Names the dictionary and changes with the domain dictionary and the variant table: what was analysed under
    /// another version may have other morphemes.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// BLAKE3 of the system dictionary's words and costs, the domain dictionary and the variant table, in hexadecimal.
    /// Reads some tens of megabytes.
    pub fn hash(&self) -> String {
        let words = &self.segmenter.dictionary.prefix_dictionary;
        let mut hasher = blake3::Hasher::new();
        hasher.update(domain::version().as_bytes());
        for part in [&words.words_data, &words.words_idx_data, &words.vals_data] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Number of dictionary entries: every [`WordKey`] is below it.
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// A worker with buffers of its own: one a thread.
    pub fn worker(&self) -> AnalysisWorker<'_> {
        AnalysisWorker { analyzer: self, segment: self.segmenter.new_worker() }
    }

    /// The normaliser, for searches and literals that must be written as the texts are.
    pub fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    fn key(&self, id: WordId) -> Option<WordKey> {
        let index = id.id() as usize;
        let index = match id.lex_type() {
            LexType::System => index,
            LexType::User => self.system_words + index,
            LexType::Unknown => return None,
        };
        (index < self.words.len()).then_some(WordKey(index as u32))
    }

    fn word(&self, key: Option<WordKey>, id: WordId) -> &Word {
        let dictionary = &self.segmenter.dictionary;
        match key {
            Some(key) => self.words.get_or_init(key.index(), || {
                if key.index() < self.system_words {
                    Word::from_details(dictionary.word_details_iter(id.id() as usize))
                } else {
                    let user: &UserDictionary =
                        self.segmenter.user_dictionary.as_ref().expect("a user key comes from the user dictionary");
                    Word::from_details(user.word_details_iter(id.id() as usize))
                }
            }),
            None => {
                let slot = (id.id() as usize).min(self.unknown.len() - 1);
                self.unknown
                    .get_or_init(slot, || Word::from_details(dictionary.unknown_word_details_iter(id.id() as usize)))
            }
        }
    }
}

/// Analyses one text after the other with buffers that it keeps.
pub struct AnalysisWorker<'a> {
    analyzer: &'a Analyzer,
    segment: SegmentWorker,
}

impl<'a> AnalysisWorker<'a> {
    /// Normalises and analyses a text of any length. An empty text has no morphemes and no sentences.
    pub fn analyze(&mut self, text: &str) -> Analysis<'a> {
        let normalized = self.analyzer.normalizer.normalize(text);
        let mut morphemes = Vec::with_capacity(normalized.text().len() / 5);
        let tokens = self
            .segment
            .segment(normalized.text())
            .expect("segmenting reads memory only and has no failing path for valid UTF-8");
        for token in &tokens {
            let key = self.analyzer.key(token.word_id);
            morphemes.push(Morpheme {
                byte_range: token.byte_start as u32..token.byte_end as u32,
                word: self.analyzer.word(key, token.word_id),
                key,
            });
        }
        drop(tokens);
        let sentences = sentence::split(normalized.text(), &morphemes);
        Analysis { normalized, morphemes, sentences }
    }
}

impl Word {
    /// Reads the nine columns of IPADIC after the cost; lindera's `*` becomes `None`.
    fn from_details<'d>(details: impl Iterator<Item = &'d str>) -> Self {
        let mut columns = [""; 9];
        for (column, value) in columns.iter_mut().zip(details) {
            *column = if value == "*" { "" } else { value };
        }
        let [pos1, pos2, pos3, pos4, inflection_type, inflection_form, base_form, reading, _] = columns;
        let pos = [pos1, pos2, pos3, pos4].into_iter().filter(|level| !level.is_empty()).collect::<Vec<_>>().join("-");
        let some = |value: &str| (!value.is_empty()).then(|| value.into());
        Self {
            class: WordClass::from_pos(pos1, pos2),
            base_form: base_form.into(),
            reading: some(reading),
            pos: pos.into(),
            inflection_type: some(inflection_type),
            inflection_form: some(inflection_form),
        }
    }
}

impl WordClass {
    fn from_pos(pos1: &str, pos2: &str) -> Self {
        match (pos1, pos2) {
            ("名詞", "サ変接続") => Self::VerbalNoun,
            ("名詞", "形容動詞語幹" | "ナイ形容詞語幹") => Self::AdjectivalNoun,
            ("名詞", "接尾" | "非自立" | "代名詞" | "数" | "特殊" | "接続詞的" | "動詞非自立的") => {
                Self::NounPart
            }
            ("名詞", _) => Self::Noun,
            ("動詞", "自立") => Self::Verb,
            ("動詞", _) => Self::VerbPart,
            ("形容詞", _) => Self::Adjective,
            ("助動詞", _) => Self::Auxiliary,
            ("助詞", _) => Self::Particle,
            ("接頭詞", _) => Self::Prefix,
            ("副詞" | "連体詞" | "接続詞" | "感動詞" | "フィラー", _) => Self::Modifier,
            _ => Self::Symbol,
        }
    }
}
