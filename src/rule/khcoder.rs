//! KH Coder's coding rules to ours.
//!
//! A coding-rule file is read as KH Coder reads it: the same tokens, the same precedence. Where KH Coder silently
//! does something else than what is written, the place is reported; what the author meant is converted where that is
//! plain. What our language does not express is refused with a reason, and the rest is converted all the same.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use super::{
    parse::parse_pattern,
    syntax::{Comparison, Expr, Node, WordShape, WordTest},
};
use crate::{
    analyze::{AnalysisWorker, Analyzer, WordClass},
    diagnostic::{Diagnostic, closest, sort},
    source::{Source, Span},
};

/// Brackets and negations may nest this deep.
const MAX_DEPTH: usize = 40;

/// A file with more codes than this is converted up to here.
const MAX_CODES: usize = 5_000;

/// The longest token that is not in quotes, in characters.
const MAX_TOKEN: usize = 500;

/// The longest id made of a name.
const MAX_ID: usize = 40;

/// What became of a coding-rule file.
#[derive(Debug, Clone)]
pub struct KhConversion {
    /// The rule file, which our parser accepts; codes that were refused stand in it as comments.
    pub toml: String,
    /// The codes that were converted, in their order.
    pub rules: Vec<KhRule>,
    /// Number of codes that were refused.
    pub refused: usize,
    /// Traps (warnings) and refusals (errors), sorted by place; ids begin with `kh-`.
    pub diagnostics: Vec<Diagnostic>,
}

/// A converted code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KhRule {
    /// Id of the rule.
    pub id: String,
    /// Name of the code without its mark.
    pub name: String,
    /// The pattern, over the whole comment.
    pub pattern: String,
}

/// Converts a coding-rule file. The rules get the category named; without one each code is a category of its own,
/// as in KH Coder, and the lines for `codebook.toml` stand at the end of the file as comments.
///
/// ```
/// use jirei::{analyze::Analyzer, rule::convert_khcoder, source::Source};
///
/// let source = Source::new("a.cod", "＊故障\n故障 or near(動く-ない)[5]\n");
/// let conversion = convert_khcoder(&source, Some("device"), &Analyzer::embedded()?);
/// assert_eq!(conversion.rules[0].pattern, "故障 | near(動く, ない)[5c]");
/// assert!(conversion.diagnostics.is_empty());
/// # Ok::<(), jirei::analyze::AnalyzerError>(())
/// ```
pub fn convert_khcoder(source: &Arc<Source>, category: Option<&str>, analyzer: &Analyzer) -> KhConversion {
    let mut converter = Converter {
        source,
        worker: analyzer.worker(),
        diagnostics: Vec::new(),
        ids: Vec::new(),
        positions: HashMap::new(),
    };
    let codes = converter.codes();
    converter.name_codes(&codes);
    let mut converted: Vec<Option<Converted>> = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        let is_duplicate = converter.positions.get(&code.key) != Some(&index);
        let result = converter.code(index, code, &codes);
        converted.push(if is_duplicate { None } else { result });
    }
    converter.check_references(&codes, &mut converted);
    sort(&mut converter.diagnostics);
    let mut rules = Vec::new();
    for ((code, id), outcome) in codes.iter().zip(&converter.ids).zip(&converted) {
        if let Some(Converted { pattern, .. }) = outcome {
            rules.push(KhRule { id: id.clone(), name: code.name.clone(), pattern: pattern.clone() });
        }
    }
    let toml = write_toml(source, category, &codes, &converter.ids, &converted);
    KhConversion { toml, refused: codes.len() - rules.len(), rules, diagnostics: converter.diagnostics }
}

/// A code as it stands in the file.
struct Code {
    /// Without its mark.
    name: String,
    /// What references and repeats are compared by.
    key: String,
    name_range: Range<usize>,
    /// The condition with the byte offset of each character; line ends are spaces.
    body: Vec<(usize, char)>,
    /// The lines as written, for the comment of a refused code.
    lines: Vec<String>,
}

struct Converted {
    pattern: String,
    /// Positions of the codes that it refers to, and where.
    references: Vec<(usize, Range<usize>)>,
}

/// Characters with their byte offsets: what tokens are cut from.
type Piece<'p> = &'p [(usize, char)];

fn range_of(piece: Piece<'_>) -> Range<usize> {
    match (piece.first(), piece.last()) {
        (Some(&(start, _)), Some(&(last, c))) => start..last + c.len_utf8(),
        _ => 0..0,
    }
}

fn text_of(piece: Piece<'_>) -> String {
    piece.iter().map(|&(_, c)| c).collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word, string, phrase, near or seq as a span of ours; whether it is a string.
    Span(String, bool),
    /// `lw`, `lc`.
    Length(&'static str),
    /// A test of an attribute.
    Attribute(String),
    /// Another code, by position.
    Code(usize),
    Number(u32),
    Open,
    Close,
    And,
    Or,
    Not,
    /// `!`, which binds tighter than comparisons.
    Bang,
    Compare(Comparison),
    Plus,
    /// `-`, `*`, `/`.
    Arithmetic(char),
    /// A token that was refused, with the diagnostic already made.
    Refused,
}

/// A code was refused; why is in the diagnostics.
struct Refused;

struct Converter<'c> {
    source: &'c Arc<Source>,
    worker: AnalysisWorker<'c>,
    diagnostics: Vec<Diagnostic>,
    ids: Vec<String>,
    /// The first code of each key.
    positions: HashMap<String, usize>,
}

impl Converter<'_> {
    fn trap(&mut self, id: &'static str, range: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warning(id, Span::new(self.source, range), message).help(help));
    }

    fn refuse(&mut self, id: &'static str, range: Range<usize>, message: impl Into<String>) -> Refused {
        self.diagnostics.push(Diagnostic::error(id, Span::new(self.source, range), message));
        Refused
    }

    /// The codes with their conditions: `#` in the first column begins a comment, blank lines are nothing, a line
    /// that begins with `＊` or `*` names a code.
    fn codes(&mut self) -> Vec<Code> {
        let mut codes: Vec<Code> = Vec::new();
        let mut offset = 0;
        let mut has_nameless = false;
        for line in self.source.text().split_inclusive('\n') {
            let start = offset;
            offset += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if let Some(name) = line.strip_prefix(['＊', '*']) {
                let name = name.trim();
                let name_range = start..start + line.trim_end().len();
                if name.is_empty() {
                    self.refuse("kh-empty-name", name_range.clone(), "コード名がありません");
                }
                let code = Code {
                    name: name.to_owned(),
                    key: reference_key(name),
                    name_range: name_range.clone(),
                    body: Vec::new(),
                    lines: vec![line.to_owned()],
                };
                if codes.len() == MAX_CODES {
                    self.refuse("kh-too-many-codes", name_range, format!("コードが多すぎます（{MAX_CODES} 件まで）"));
                    break;
                }
                let first = *self.positions.entry(code.key.clone()).or_insert(codes.len());
                if first < codes.len() {
                    let (first, here) = (codes[first].name_range.clone(), code.name_range.clone());
                    self.diagnostics.push(
                        Diagnostic::error(
                            "kh-duplicate-code",
                            Span::new(self.source, here),
                            format!("コード「{name}」はすでにあります"),
                        )
                        .related(Span::new(self.source, first), "最初のコード"),
                    );
                }
                codes.push(code);
                continue;
            }
            match codes.last_mut() {
                Some(code) => {
                    code.body.extend(line.char_indices().map(|(at, c)| (start + at, c)));
                    code.body.push((start + line.len(), ' '));
                    code.lines.push(line.to_owned());
                }
                None if !has_nameless => {
                    has_nameless = true;
                    self.refuse(
                        "kh-no-name",
                        start..start + line.len(),
                        "最初のコード名（「＊」で始まる行）より前に条件があります",
                    );
                }
                None => {}
            }
        }
        codes
    }

    /// Ids of the rules: the name in Roman letters where every word of it has a reading, else a number.
    fn name_codes(&mut self, codes: &[Code]) {
        let mut used: HashSet<String> = HashSet::new();
        for (index, code) in codes.iter().enumerate() {
            let base = self.romanised(&code.name).unwrap_or_else(|| format!("code_{:03}", index + 1));
            let mut id = base.clone();
            let mut number = 2;
            while !used.insert(id.clone()) {
                id = format!("{base}_{number}");
                number += 1;
            }
            self.ids.push(id);
        }
    }

    fn romanised(&mut self, name: &str) -> Option<String> {
        let analysis = self.worker.analyze(name);
        let text = analysis.text();
        let mut words: Vec<String> = Vec::new();
        for morpheme in &analysis.morphemes {
            let surface = morpheme.surface(text);
            if surface.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                words.push(surface.to_ascii_lowercase());
            } else if surface.chars().any(char::is_alphanumeric) {
                words.push(romaji(morpheme.word.reading.as_deref().filter(|_| !morpheme.is_oov()).unwrap_or(surface))?);
            }
        }
        let mut id = words.join("_");
        id.truncate(MAX_ID);
        let id = id.trim_matches('_').to_owned();
        (!id.is_empty()).then_some(id)
    }

    /// Converts one code; `None` where it was refused.
    fn code(&mut self, index: usize, code: &Code, codes: &[Code]) -> Option<Converted> {
        if code.body.is_empty() {
            self.refuse("kh-empty-code", code.name_range.clone(), format!("コード「{}」に条件がありません", code.name));
            return None;
        }
        let mut tokens = Vec::new();
        for piece in split(&code.body) {
            self.token(piece, codes, &mut tokens);
        }
        let references: Vec<(usize, Range<usize>)> = tokens
            .iter()
            .filter_map(|(token, range)| match token {
                Token::Code(target) => Some((*target, range.clone())),
                _ => None,
            })
            .collect();
        for (target, range) in &references {
            if *target > index {
                self.trap(
                    "kh-forward-reference",
                    range.clone(),
                    format!("コード「{}」はこれより下にあります", codes[*target].name),
                    "KH Coder は上にあるコードしか参照できません。ここでは順序を問わず参照できます",
                );
            }
        }
        if tokens.iter().any(|(token, _)| *token == Token::Refused) {
            return None;
        }
        let end = range_of(&code.body).end.saturating_sub(1);
        let mut parser = Parser { converter: self, tokens: &tokens, at: 0, depth: 0, end };
        let value = parser.any().ok()?;
        if let Some((token, range)) = tokens.get(parser.at) {
            match token {
                Token::Close => self.refuse("kh-bracket", range.clone(), "対応する「(」がありません"),
                _ => self.refuse("kh-missing-operator", range.clone(), "前の語とのあいだに演算子がありません"),
            };
            return None;
        }
        let range = tokens.first().map_or(0..0, |first| first.1.start..tokens[tokens.len() - 1].1.end);
        let condition = self.condition(value, range.clone());
        let pattern = match condition {
            Condition::Constant(holds) => {
                let what =
                    if holds { "どの回答にも当たります" } else { "どの回答にも当たりません" };
                self.refuse("kh-constant", range, format!("この条件は{what}"));
                return None;
            }
            Condition::Pattern { text, .. } => text,
        };
        match parse_pattern(&pattern) {
            Err(error) => {
                self.refuse("kh-not-expressible", range, format!("この条件は書き表せません（{}）", error.message));
                None
            }
            Ok(node) if self.has_blank_text(&node) => {
                self.refuse("kh-empty-word", range, "表記をそろえると空になる語があります（制御文字など）");
                None
            }
            Ok(_) => Some(Converted { pattern, references }),
        }
    }

    /// Whether a text is of characters alone that the normal form does not have.
    fn has_blank_text(&mut self, node: &Node) -> bool {
        match &node.expr {
            Expr::Literal(text) => self.worker.analyze(text).text().is_empty(),
            _ => node.expr.children().into_iter().any(|child| self.has_blank_text(child)),
        }
    }

    /// Refuses codes that refer to refused ones, or to themselves through others.
    fn check_references(&mut self, codes: &[Code], converted: &mut [Option<Converted>]) {
        let mut done = vec![false; converted.len()];
        loop {
            let mut changed = false;
            for index in 0..converted.len() {
                let Some(code) = &converted[index] else { continue };
                let refused = code.references.iter().find(|(target, _)| converted[*target].is_none()).cloned();
                if let Some((target, range)) = refused {
                    let name = &codes[target].name;
                    self.refuse(
                        "kh-refused-reference",
                        range,
                        format!("参照しているコード「{name}」が変換できないので、このコードも変換できません"),
                    );
                    converted[index] = None;
                    changed = true;
                } else if !done[index] && code.references.iter().all(|(target, _)| done[*target]) {
                    done[index] = true;
                    changed = true;
                }
            }
            if changed {
                continue;
            }
            // What is left refers to itself, or to something that does: one is refused, and what hangs on it follows.
            let stuck = (0..converted.len()).find(|&index| converted[index].is_some() && !done[index]);
            let Some(stuck) = stuck else { return };
            if let Some((_, range)) = converted[stuck].as_ref().and_then(|code| code.references.first().cloned()) {
                let name = &codes[stuck].name;
                self.refuse("kh-reference-cycle", range, format!("コード「{name}」の参照がめぐっています"));
            }
            converted[stuck] = None;
        }
    }

    /// Classifies a token as KH Coder does and adds what it stands for.
    fn token(&mut self, piece: Piece<'_>, codes: &[Code], tokens: &mut Vec<(Token, Range<usize>)>) {
        let Some(&(_, first)) = piece.first() else { return };
        let range = range_of(piece);
        let text = text_of(piece);
        if let Some(token) = operator(&text) {
            tokens.extend(token.into_iter().map(|token| (token, range.clone())));
            return;
        }
        if let Some((token, meant)) = full_width_operator(&text) {
            self.trap(
                "kh-full-width",
                range.clone(),
                format!("全角の「{text}」は演算子ではなく語として扱われ、KH Coder では当たりません"),
                format!("半角の「{meant}」として変換しました"),
            );
            tokens.push((token, range));
            return;
        }
        if matches!(first, '\'' | '"') {
            match closing_quote(piece) {
                None => {
                    self.refuse("kh-unclosed-quote", range.clone(), format!("引用符「{first}」が閉じていません"));
                    tokens.push((Token::Refused, range));
                }
                Some(end) if end + 1 == piece.len() => {
                    let inner = text_of(&piece[1..end]);
                    let token = match first {
                        '\'' => self.string(&inner.replace("''", "'"), &range),
                        _ => self.protected(&inner.replace("\"\"", "\""), &range),
                    };
                    tokens.push((token, range));
                }
                Some(end) if piece.len() - end > MAX_TOKEN => {
                    self.refuse(
                        "kh-too-long",
                        range.clone(),
                        format!("空白のない部分が長すぎます（{MAX_TOKEN} 字まで）"),
                    );
                    tokens.push((Token::Refused, range));
                }
                Some(end) => {
                    let (quoted, rest) = piece.split_at(end + 1);
                    self.glued(rest, &text);
                    self.token(quoted, codes, tokens);
                    self.token(rest, codes, tokens);
                }
            }
            return;
        }
        if piece.len() > MAX_TOKEN {
            self.refuse("kh-too-long", range.clone(), format!("空白のない部分が長すぎます（{MAX_TOKEN} 字まで）"));
            tokens.push((Token::Refused, range));
            return;
        }
        // Brackets and `!` that stand right at the token: KH Coder takes the whole for a word.
        if matches!(first, '(' | '（' | '!' | '！') {
            self.glued(&piece[..1], &text);
            tokens.push((if matches!(first, '!' | '！') { Token::Bang } else { Token::Open }, range_of(&piece[..1])));
            self.token(&piece[1..], codes, tokens);
            return;
        }
        let opened = piece.iter().filter(|(_, c)| matches!(c, '(' | '（')).count();
        let closed = piece.iter().filter(|(_, c)| matches!(c, ')' | '）')).count();
        if closed > opened && matches!(piece[piece.len() - 1].1, ')' | '）') {
            let (rest, bracket) = piece.split_at(piece.len() - 1);
            self.glued(bracket, &text);
            self.token(rest, codes, tokens);
            tokens.push((Token::Close, range_of(bracket)));
            return;
        }
        if let Some(name) = full_width_reference(&text) {
            self.trap(
                "kh-full-width-code",
                range.clone(),
                format!("全角の「{text}」はコードの参照ではなく語として扱われ、KH Coder では当たりません"),
                format!("<*{name}> として変換しました"),
            );
            let token = self.reference(name, &range, codes);
            tokens.push((token, range));
            return;
        }
        if let Some(token) = self.classified(&text, &range, codes) {
            tokens.push((token, range));
            return;
        }
        // Operators inside a word.
        if let Some(at) = piece.iter().position(|(_, c)| matches!(c, '&' | '|' | '>' | '<' | '=')) {
            let is_mark = |c: char| matches!(c, '&' | '|' | '>' | '<' | '=' | '!');
            let length = piece[at..].iter().take_while(|(_, c)| is_mark(*c)).count();
            let mark = &piece[at..at + length];
            if operator(&text_of(mark)).is_some() {
                self.glued(mark, &text);
                for part in [&piece[..at], mark, &piece[at + length..]] {
                    self.token(part, codes, tokens);
                }
                return;
            }
        }
        let token = match text.contains('+') {
            true => self.phrase(&text, &range),
            false => Token::Span(self.word(&text, &range), false),
        };
        tokens.push((token, range));
    }

    fn glued(&mut self, mark: Piece<'_>, token: &str) {
        let mark_text = text_of(mark);
        let id = match mark.first().map(|&(_, c)| c) {
            Some('(' | ')' | '（' | '）') => "kh-glued-bracket",
            _ => "kh-glued-operator",
        };
        self.trap(
            id,
            range_of(mark),
            format!("「{mark_text}」の前後に空白がないので、KH Coder では「{token}」全体が語になり、当たりません"),
            format!("「{mark_text}」を演算子として変換しました"),
        );
    }

    /// The classes that are told by their form; `None` for phrases and words.
    fn classified(&mut self, text: &str, range: &Range<usize>, codes: &[Code]) -> Option<Token> {
        let lower = text.to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("<>") {
            if let Some((name, value)) =
                rest.split_once("-->").filter(|(name, value)| !name.is_empty() && !value.is_empty())
            {
                let heading = name.strip_prefix("見出し").or_else(|| name.strip_prefix("heading"));
                if heading.is_some_and(|level| matches!(level, "1" | "2" | "3" | "4" | "5")) {
                    self.trap(
                        "kh-heading",
                        range.clone(),
                        format!("見出し「{name}」の条件です"),
                        format!("属性にしました。「{name}」という列のあるファイルで使えます"),
                    );
                }
                return Some(Token::Attribute(format!("@{} = {}", attribute(name), attribute(value))));
            }
            if rest.len() > 2 && rest.ends_with("<>") {
                self.refuse(
                    "kh-sort-variable",
                    range.clone(),
                    format!("「{text}」は並べ替えのための外部変数で、条件ではありません"),
                );
                return Some(Token::Refused);
            }
        }
        match lower.as_str() {
            "lw" => return Some(Token::Length("words")),
            "lc" => return Some(Token::Length("chars")),
            "no." => {
                self.refuse("kh-document-number", range.clone(), "文書番号（No.）による条件は書き表せません");
                return Some(Token::Refused);
            }
            _ => {}
        }
        if !text.starts_with('<') && (text.contains("->") || text.contains("=>")) {
            return Some(self.grammar(text, range));
        }
        if let Some(name) = text.strip_prefix("<*").or_else(|| text.strip_prefix("<＊"))
            && let Some(name) = name.strip_suffix('>')
        {
            return Some(self.reference(name, range, codes));
        }
        for (head, name) in [("near(", "near"), ("seq(", "seq")] {
            if lower.starts_with(head) {
                return Some(self.near(name, &text[head.len()..], range));
            }
        }
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ('０'..='９').contains(&c));
        if digits {
            let ascii: String = text
                .chars()
                .map(|c| match c {
                    '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
                    c => c,
                })
                .collect();
            return Some(match ascii.parse() {
                Ok(number) => Token::Number(number),
                Err(_) => {
                    self.refuse("kh-number", range.clone(), format!("数「{text}」が大きすぎます"));
                    Token::Refused
                }
            });
        }
        None
    }

    fn reference(&mut self, name: &str, range: &Range<usize>, codes: &[Code]) -> Token {
        match self.positions.get(&reference_key(name)) {
            Some(&index) => Token::Code(index),
            None => {
                let known = codes.iter().map(|code| code.name.as_str());
                let mut diagnostic = Diagnostic::error(
                    "kh-unknown-code",
                    Span::new(self.source, range.clone()),
                    format!("コード「{name}」はありません"),
                );
                diagnostic.help = closest(name, known).map(|close| format!("「{close}」ではありませんか"));
                self.diagnostics.push(diagnostic);
                Token::Refused
            }
        }
    }

    /// `'文字列'`.
    fn string(&mut self, text: &str, range: &Range<usize>) -> Token {
        if text.trim().is_empty() {
            self.refuse("kh-empty-word", range.clone(), "引用符の中が空です");
            return Token::Refused;
        }
        if text.contains(['%', '_']) {
            self.trap(
                "kh-string-wildcard",
                range.clone(),
                "文字列の中の「%」は任意の文字列に、「_」は任意の 1 文字に、KH Coder では当たります",
                "文字そのものとして変換しました。任意の文字にするには /正規表現/ を使います",
            );
        }
        Token::Span(literal(text), true)
    }

    /// `"…"`: a word, whatever it looks like; only a phrase stays one.
    fn protected(&mut self, text: &str, range: &Range<usize>) -> Token {
        if text.trim().is_empty() {
            self.refuse("kh-empty-word", range.clone(), "引用符の中が空です");
            return Token::Refused;
        }
        if text.contains('+') {
            self.trap(
                "kh-quoted-plus",
                range.clone(),
                format!("\"{text}\" は引用符で囲んでも、KH Coder では「+」で結んだ語の並びになります"),
                "文字列として変換しました",
            );
            return Token::Span(literal(text), false);
        }
        Token::Span(self.word(text, range), false)
    }

    /// A word as a pattern; tells where KH Coder would not find it.
    fn word(&mut self, text: &str, range: &Range<usize>) -> String {
        let analysis = self.worker.analyze(text);
        let normalized = analysis.text();
        let bases: Vec<String> = analysis.morphemes.iter().map(|m| m.base_form(normalized).to_owned()).collect();
        let first = analysis.morphemes.first().map(|morpheme| morpheme.word);
        let surface_is_whole = analysis.morphemes.first().is_some_and(|m| m.surface(normalized) == normalized);
        let is_normalized = normalized == text;
        // Particles, auxiliaries, marks, and of the other small classes all but adverbs and interjections.
        let is_other = first.is_some_and(|word| match word.class {
            WordClass::Particle | WordClass::Auxiliary | WordClass::Symbol | WordClass::Prefix => true,
            WordClass::Modifier => !word.pos.starts_with("副詞") && !word.pos.starts_with("感動詞"),
            _ => false,
        });
        let others = is_other && bases.len() == 1 && !matches!(bases[0].as_str(), "ない" | "ぬ" | "ん" | "まい");
        if !text.chars().any(char::is_alphanumeric) {
            self.trap(
                "kh-other-class",
                range.clone(),
                format!("記号「{text}」は品詞が「その他」なので、KH Coder の初期設定では当たりません"),
                "文字列として変換しました",
            );
            return literal(text);
        }
        if others {
            self.trap(
                "kh-other-class",
                range.clone(),
                format!(
                    "「{text}」は助詞・助動詞・接続詞など（品詞「その他」）なので、KH Coder の初期設定では当たりません"
                ),
                "語として変換しました",
            );
        } else if bases.len() > 1 {
            self.trap(
                "kh-unknown-word",
                range.clone(),
                format!(
                    "「{text}」は {} に分かれるので、強制抽出にしていなければ KH Coder では当たりません",
                    bases.join("＋")
                ),
                "この並びの語として変換しました",
            );
        } else if surface_is_whole && is_normalized && bases[0] != text {
            self.trap(
                "kh-unknown-word",
                range.clone(),
                format!("「{text}」は活用した形なので、KH Coder では当たりません"),
                format!("基本形の「{}」として変換しました", bases[0]),
            );
            return plain_word(&bases[0]);
        }
        plain_word(text)
    }

    /// `a+b`.
    fn phrase(&mut self, text: &str, range: &Range<usize>) -> Token {
        let parts: Vec<&str> = text.split('+').collect();
        if parts.iter().any(|part| part.is_empty()) {
            self.trap(
                "kh-plus-in-word",
                range.clone(),
                format!("「{text}」は「+」で結んだ語の並びとして扱われ、KH Coder では当たりません"),
                "文字列として変換しました",
            );
            return Token::Span(literal(text), false);
        }
        self.repeated(&parts, "語の並び", range);
        let parts: Vec<String> = parts.iter().map(|part| self.word(part, range)).collect();
        Token::Span(parts.join("+"), false)
    }

    fn repeated(&mut self, parts: &[&str], what: &str, range: &Range<usize>) {
        if let Some(word) =
            parts.iter().enumerate().find(|(at, word)| parts[..*at].contains(word)).map(|(_, word)| word)
        {
            self.trap(
                "kh-repeated-word",
                range.clone(),
                format!("{what}に同じ語「{word}」が 2 回あり、KH Coder では正しく数えられません"),
                "そのまま変換しました。ここでは別々の 2 か所に当たります",
            );
        }
    }

    /// `語-->品詞`, `語->活用形`, `語=>表層形` and their combinations.
    fn grammar(&mut self, text: &str, range: &Range<usize>) -> Token {
        if text.to_ascii_lowercase().starts_with("near(") || text.to_ascii_lowercase().starts_with("seq(") {
            self.refuse(
                "kh-grammar-in-near",
                range.clone(),
                "near・seq の中の品詞や活用形の指定は、KH Coder では語として扱われて当たりません",
            );
            return Token::Refused;
        }
        let (word, pos, rest) = match text.split_once("-->") {
            Some((word, rest)) => {
                let end = rest.find("->").into_iter().chain(rest.find("=>")).min().unwrap_or(rest.len());
                (word, Some(&rest[..end]), &rest[end..])
            }
            None => {
                let at = text.find("->").into_iter().chain(text.find("=>")).min().unwrap_or(text.len());
                (&text[..at], None, &text[at..])
            }
        };
        let detail = match (rest.strip_prefix("->"), rest.strip_prefix("=>")) {
            (Some(form), _) => format!("->{form}"),
            (None, Some(surface)) => format!("=>{surface}"),
            (None, None) => String::new(),
        };
        let class = match pos.map(|pos| self.class(pos, range)) {
            None => String::new(),
            Some(Some(class)) => class,
            Some(None) => return Token::Refused,
        };
        if plain_word(word) != word {
            self.refuse(
                "kh-grammar-word",
                range.clone(),
                format!("語「{word}」に品詞や活用形を付けた条件は書き表せません"),
            );
            return Token::Refused;
        }
        let pattern = format!("{word}{class}{detail}");
        if parse_pattern(&pattern).is_err() {
            self.refuse("kh-not-expressible", range.clone(), format!("「{text}」は書き表せません"));
            return Token::Refused;
        }
        Token::Span(pattern, false)
    }

    /// A class name of KH Coder as `-->…`; `None` where there is no such class.
    fn class(&mut self, pos: &str, range: &Range<usize>) -> Option<String> {
        let wider = match pos {
            "サ変名詞" | "形容動詞" | "固有名詞" | "組織名" | "人名" | "地名" | "ナイ形容" | "副詞可能" | "未知語"
            | "感動詞" | "副詞" | "否定助動詞" | "代名詞" => return Some(format!("-->{pos}")),
            "名詞" | "名詞B" | "名詞C" => "名詞",
            "動詞" | "動詞B" => "動詞",
            "形容詞" | "形容詞B" | "形容詞（非自立）" | "形容詞(非自立)" => "形容詞",
            "副詞B" => "副詞",
            "タグ" => {
                self.trap(
                    "kh-class",
                    range.clone(),
                    "品詞「タグ」（強制抽出した語）に当たるものがありません",
                    "品詞を問わない語として変換しました",
                );
                return Some(String::new());
            }
            "その他" => {
                self.trap(
                    "kh-other-class",
                    range.clone(),
                    "品詞「その他」の語は、KH Coder の初期設定では当たりません",
                    "品詞を問わない語として変換しました",
                );
                return Some(String::new());
            }
            _ => {
                self.refuse("kh-unknown-class", range.clone(), format!("KH Coder に「{pos}」という品詞はありません"));
                return None;
            }
        };
        self.trap(
            "kh-class",
            range.clone(),
            format!("KH Coder の品詞「{pos}」は、ここの「{wider}」より狭い分け方です"),
            format!("「-->{wider}」として変換しました"),
        );
        Some(format!("-->{wider}"))
    }

    /// `near(a-b)[n]`, `seq(a-b)[n]`: what follows the opening bracket.
    fn near(&mut self, name: &str, rest: &str, range: &Range<usize>) -> Token {
        let Some((inside, option)) = rest.rsplit_once(')') else {
            self.refuse("kh-bracket", range.clone(), format!("「{name}(」が「)」で閉じられていません"));
            return Token::Refused;
        };
        let words: Vec<&str> = inside.split('-').collect();
        if words.len() < 2 || words.iter().any(|word| word.trim().is_empty()) {
            self.refuse(
                "kh-near-parts",
                range.clone(),
                format!("{name} の中を読めません（語を「-」で 2 つ以上つないだ形ではありません）"),
            );
            return Token::Refused;
        }
        let braces = option.strip_prefix('{').and_then(|option| option.strip_suffix('}'));
        if let Some(option) = braces {
            self.trap(
                "kh-braces",
                range.clone(),
                format!("「{{{option}}}」は {name} の指定として読まれず、KH Coder ではエラーになるか当たりません"),
                format!("「[{option}]」として変換しました"),
            );
        }
        let plain =
            if option.is_empty() { Some("") } else { option.strip_prefix('[').and_then(|o| o.strip_suffix(']')) };
        let Some(option) = braces.or(plain) else {
            self.refuse("kh-near-option", range.clone(), format!("{name} の指定「{option}」を読めません"));
            return Token::Refused;
        };
        let lower = option.to_ascii_lowercase();
        let digits = lower.trim_start_matches(['b', 'd']);
        let unit = &lower[..lower.len() - digits.len()];
        let number: Option<u32> = if digits.is_empty() { Some(10) } else { digits.parse().ok() };
        let (Some(number), "" | "b" | "d") = (number, unit) else {
            self.refuse("kh-near-option", range.clone(), format!("{name} の指定「[{option}]」を読めません"));
            return Token::Refused;
        };
        if unit == "d" {
            self.trap(
                "kh-paragraph",
                range.clone(),
                "段落（[d]）という単位はここにはありません",
                "回答全体（[c]）として変換しました。文の中に限るなら [b] です",
            );
        }
        self.repeated(&words, name, range);
        let mut parts = Vec::new();
        for word in words {
            if word.contains('+') || word.contains('|') {
                self.trap(
                    "kh-operator-in-near",
                    range.clone(),
                    format!("{name} の中の「{word}」は 1 つの語として扱われ、KH Coder では当たりません"),
                    "語の並び（+）、どちらか（|）として変換しました",
                );
                let alternatives: Vec<String> = word
                    .split('|')
                    .map(|alternative| {
                        let words: Vec<String> = alternative.split('+').map(|word| self.word(word, range)).collect();
                        words.join("+")
                    })
                    .collect();
                parts.push(alternatives.join(" | "));
            } else {
                parts.push(self.word(word, range));
            }
        }
        let option = match (number, unit) {
            (10, "b") => String::new(),
            (number, "b") => format!("[{number}]"),
            (10, _) => "[c]".to_owned(),
            (number, _) => format!("[{number}c]"),
        };
        Token::Span(format!("{name}({}){option}", parts.join(", ")), false)
    }

    /// A value as a condition: a number that is not zero is true.
    fn condition(&mut self, value: Value, range: Range<usize>) -> Condition {
        match value {
            Value::Condition(condition) => condition,
            Value::Code(text) => Condition::pattern(text, Level::Atom),
            Value::Amount(Amount { terms, constant }) => {
                if terms.is_empty() || constant > 0 {
                    self.trap(
                        "kh-number-condition",
                        range,
                        format!(
                            "数「{constant}」は条件としてはいつも{}です",
                            if constant > 0 { "成り立つもの" } else { "成り立たないもの" }
                        ),
                        format!("語として探すなら '{constant}' のように引用符で囲みます"),
                    );
                    return Condition::Constant(constant > 0);
                }
                let parts: Vec<String> = terms
                    .iter()
                    .map(|term| match term {
                        Term::Count(span, _) => span.clone(),
                        Term::Length(name) => format!("{name} > 0"),
                    })
                    .collect();
                let level = if parts.len() > 1 { Level::Or } else { Level::Atom };
                Condition::pattern(parts.join(" | "), level)
            }
        }
    }
}

/// A condition as a pattern of ours.
enum Condition {
    Constant(bool),
    Pattern { text: String, level: Level },
}

impl Condition {
    fn pattern(text: String, level: Level) -> Self {
        Self::Pattern { text, level }
    }
}

/// What binds a pattern together, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Compare,
    Atom,
}

enum Value {
    Amount(Amount),
    Code(String),
    Condition(Condition),
}

/// A sum of counts, lengths and a number.
#[derive(Default)]
struct Amount {
    terms: Vec<Term>,
    constant: u32,
}

enum Term {
    /// Hits of a span; whether it is a string.
    Count(String, bool),
    Length(&'static str),
}

/// The precedence is that of MySQL's expressions: brackets, `!`, sums, comparisons, `not`, `and`, `or`.
struct Parser<'p, 'c> {
    converter: &'p mut Converter<'c>,
    tokens: &'p [(Token, Range<usize>)],
    at: usize,
    depth: usize,
    /// Byte offset of the end of the code.
    end: usize,
}

type Parsed<T> = Result<T, Refused>;

impl Parser<'_, '_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    /// From the start of a token to the end of the one before the current.
    fn range_since(&self, start: usize) -> Range<usize> {
        let last = self.at.saturating_sub(1).max(start).min(self.tokens.len().saturating_sub(1));
        match (self.tokens.get(start), self.tokens.get(last)) {
            (Some((_, first)), Some((_, last))) => first.start..last.end,
            _ => self.end..self.end + 1,
        }
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let range = self.range_since(self.at);
            return Err(self.converter.refuse("kh-too-deep", range, "括弧や否定の入れ子が深すぎます"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Parsed<Value> {
        let start = self.at;
        let first = self.all()?;
        if self.peek() != Some(&Token::Or) {
            return Ok(first.0);
        }
        let first_range = self.range_since(start);
        let mut mixed = first.1.then(|| first_range.clone());
        let mut conditions = vec![self.converter.condition(first.0, first_range)];
        while self.take(&Token::Or) {
            let start = self.at;
            let (value, is_and) = self.all()?;
            let range = self.range_since(start);
            if is_and && mixed.is_none() {
                mixed = Some(range.clone());
            }
            conditions.push(self.converter.condition(value, range));
        }
        if let Some(range) = mixed {
            self.converter.trap(
                "kh-mixed-and-or",
                range,
                "and は or より先に結び付くので、or の反対側は単独で当たります",
                "KH Coder と同じ結び付きで変換し、括弧を補いました",
            );
        }
        if conditions.iter().any(|condition| matches!(condition, Condition::Constant(true))) {
            return Ok(Value::Condition(Condition::Constant(true)));
        }
        Ok(Value::Condition(joined(conditions, " | ", Level::Or)))
    }

    /// A conjunction, and whether it is one.
    fn all(&mut self) -> Parsed<(Value, bool)> {
        let start = self.at;
        let first = self.not()?;
        if self.peek() != Some(&Token::And) {
            return Ok((first, false));
        }
        let range = self.range_since(start);
        let mut conditions = vec![self.converter.condition(first, range)];
        while self.take(&Token::And) {
            let start = self.at;
            let value = self.not()?;
            let range = self.range_since(start);
            conditions.push(self.converter.condition(value, range));
        }
        if conditions.iter().any(|condition| matches!(condition, Condition::Constant(false))) {
            return Ok((Value::Condition(Condition::Constant(false)), true));
        }
        Ok((Value::Condition(joined(conditions, " & ", Level::And)), true))
    }

    fn not(&mut self) -> Parsed<Value> {
        let start = self.at;
        if self.take(&Token::Not) {
            let value = self.deeper(Self::not)?;
            return Ok(self.negated(value, start));
        }
        if self.take(&Token::Bang) {
            let operand = self.at;
            let value = self
                .deeper(|parser| if parser.peek() == Some(&Token::Bang) { parser.not() } else { parser.primary() })?;
            if !matches!(self.peek(), Some(Token::Compare(_) | Token::Plus)) {
                return Ok(self.negated(value, start));
            }
            self.at = operand;
            let value = self.comparison()?;
            let range = self.range_since(start);
            self.converter.trap(
                "kh-bang-comparison",
                range,
                "「!」は比較より先に結び付くので、KH Coder では「! 語」と数を比べることになり、当たりません",
                "比較全体の否定として変換しました。not なら KH Coder でもこの意味になります",
            );
            return Ok(self.negated(value, start));
        }
        self.comparison()
    }

    fn negated(&mut self, value: Value, start: usize) -> Value {
        let range = self.range_since(start);
        Value::Condition(match self.converter.condition(value, range) {
            Condition::Constant(holds) => Condition::Constant(!holds),
            Condition::Pattern { text, level: Level::Atom } => Condition::pattern(format!("!{text}"), Level::Atom),
            Condition::Pattern { text, .. } => Condition::pattern(format!("!({text})"), Level::Atom),
        })
    }

    fn comparison(&mut self) -> Parsed<Value> {
        let start = self.at;
        let left = self.sum()?;
        let Some(&Token::Compare(comparison)) = self.peek() else { return Ok(left) };
        self.at += 1;
        let right = self.sum()?;
        let range = self.range_since(start);
        if matches!(self.peek(), Some(Token::Compare(_))) {
            return Err(self.converter.refuse("kh-comparison-chain", range, "比較を続けて書いた条件は書き表せません"));
        }
        let (left, right) = match (left, right) {
            (Value::Amount(left), Value::Amount(right)) => (left, right),
            (Value::Code(_), _) | (_, Value::Code(_)) => {
                return Err(self.converter.refuse(
                    "kh-code-compared",
                    range,
                    "コードは当たるか当たらないかだけなので、数と比べる条件は成り立ちません",
                ));
            }
            _ => {
                return Err(self.converter.refuse("kh-condition-compared", range, "条件と数を比べることはできません"));
            }
        };
        let (amount, comparison, number) = match (left.terms.is_empty(), right.terms.is_empty()) {
            (true, true) => {
                let holds = comparison.holds(left.constant, right.constant);
                self.converter.trap(
                    "kh-number-condition",
                    range,
                    "数どうしの比較なので、回答によって変わりません",
                    "取り除きました",
                );
                return Ok(Value::Condition(Condition::Constant(holds)));
            }
            (false, false) => {
                return Err(self.converter.refuse(
                    "kh-counts-compared",
                    range,
                    "語の数どうしを比べる条件は書き表せません（右には数しか書けません）",
                ));
            }
            (false, true) => (left, comparison, right.constant),
            (true, false) => (right, flipped(comparison), left.constant),
        };
        let Some(number) = number.checked_sub(amount.constant) else {
            // The sum is at least its own constant.
            let holds = matches!(comparison, Comparison::Greater | Comparison::AtLeast);
            return Ok(Value::Condition(Condition::Constant(holds)));
        };
        if amount.terms.iter().any(|term| matches!(term, Term::Count(_, true))) {
            self.converter.trap(
                "kh-string-count",
                range,
                "KH Coder は文字列を含む文の数を数えますが、ここでは文字列の出現数を数えます",
                "1 文に 2 回以上現れる回答で数が違うことがあります",
            );
        }
        let sum: Vec<String> = amount
            .terms
            .iter()
            .map(|term| match term {
                Term::Count(span, _) => format!("count({span})"),
                Term::Length(name) => (*name).to_owned(),
            })
            .collect();
        let text = format!("{} {} {number}", sum.join(" + "), comparison_mark(comparison));
        Ok(Value::Condition(Condition::pattern(text, Level::Compare)))
    }

    fn sum(&mut self) -> Parsed<Value> {
        let start = self.at;
        let first = self.primary()?;
        match self.peek() {
            Some(&Token::Arithmetic(mark)) => {
                let range = self.tokens[self.at].1.clone();
                return Err(self.converter.refuse(
                    "kh-arithmetic",
                    range,
                    format!("引き算・掛け算・割り算（{mark}）は書き表せません"),
                ));
            }
            Some(Token::Plus) => {}
            _ => return Ok(first),
        }
        let mut values = vec![first];
        while self.take(&Token::Plus) {
            values.push(self.primary()?);
        }
        let mut total = Amount::default();
        for value in values {
            match value {
                Value::Amount(amount) => {
                    total.terms.extend(amount.terms);
                    total.constant = total.constant.saturating_add(amount.constant);
                }
                Value::Code(_) | Value::Condition(_) => {
                    let range = self.range_since(start);
                    return Err(self.converter.refuse("kh-condition-compared", range, "条件を足すことはできません"));
                }
            }
        }
        Ok(Value::Amount(total))
    }

    fn primary(&mut self) -> Parsed<Value> {
        let Some((token, range)) = self.tokens.get(self.at).cloned() else {
            let range = self.range_since(self.tokens.len().saturating_sub(1));
            return Err(self.converter.refuse("kh-missing-operand", range, "このあとに語がありません"));
        };
        self.at += 1;
        let amount = |term| Ok(Value::Amount(Amount { terms: vec![term], constant: 0 }));
        match token {
            Token::Span(span, is_string) => amount(Term::Count(span, is_string)),
            Token::Length(name) => amount(Term::Length(name)),
            Token::Number(number) => Ok(Value::Amount(Amount { terms: Vec::new(), constant: number })),
            Token::Attribute(text) => Ok(Value::Condition(Condition::pattern(text, Level::Compare))),
            Token::Code(index) => Ok(Value::Code(format!("rule({})", self.converter.ids[index]))),
            Token::Open => {
                let inner = self.deeper(Self::any)?;
                if !self.take(&Token::Close) {
                    return Err(self.converter.refuse("kh-bracket", range, "「(」が「)」で閉じられていません"));
                }
                Ok(inner)
            }
            Token::Refused => Err(Refused),
            _ => Err(self.converter.refuse("kh-missing-operand", range, "この前に語がありません")),
        }
    }
}

/// Conditions joined; constants that change nothing have been decided to be left out.
fn joined(conditions: Vec<Condition>, mark: &str, level: Level) -> Condition {
    let mut parts: Vec<(String, Level)> = conditions
        .into_iter()
        .filter_map(|condition| match condition {
            Condition::Constant(_) => None,
            Condition::Pattern { text, level } => Some((text, level)),
        })
        .collect();
    if parts.len() < 2 {
        // All that is left of an `or` without a true part is false, of an `and` without a false part true.
        return parts
            .pop()
            .map_or(Condition::Constant(level == Level::And), |(text, level)| Condition::pattern(text, level));
    }
    let texts: Vec<String> = parts
        .into_iter()
        .map(|(text, inner)| match inner {
            Level::Compare | Level::Atom => text,
            inner if inner == level => text,
            _ => format!("({text})"),
        })
        .collect();
    Condition::pattern(texts.join(mark), level)
}

fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Equal => Comparison::Equal,
    }
}

fn comparison_mark(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Equal => "==",
    }
}

fn operator(text: &str) -> Option<Vec<Token>> {
    Some(match text.to_ascii_lowercase().as_str() {
        "and" | "&" => vec![Token::And],
        "or" | "|" => vec![Token::Or],
        "not" => vec![Token::Not],
        "&!" => vec![Token::And, Token::Not],
        "|!" => vec![Token::Or, Token::Not],
        "!" => vec![Token::Bang],
        "(" => vec![Token::Open],
        ")" => vec![Token::Close],
        ">" => vec![Token::Compare(Comparison::Greater)],
        ">=" => vec![Token::Compare(Comparison::AtLeast)],
        "<" => vec![Token::Compare(Comparison::Less)],
        "<=" => vec![Token::Compare(Comparison::AtMost)],
        "==" | "=" => vec![Token::Compare(Comparison::Equal)],
        "+" => vec![Token::Plus],
        "-" => vec![Token::Arithmetic('-')],
        "*" => vec![Token::Arithmetic('*')],
        "/" => vec![Token::Arithmetic('/')],
        _ => return None,
    })
}

fn full_width_operator(text: &str) -> Option<(Token, &'static str)> {
    Some(match text {
        "（" => (Token::Open, "("),
        "）" => (Token::Close, ")"),
        "＆" => (Token::And, "&"),
        "｜" => (Token::Or, "|"),
        "！" => (Token::Bang, "!"),
        "＋" => (Token::Plus, "+"),
        "＞" => (Token::Compare(Comparison::Greater), ">"),
        "＞＝" | "≧" => (Token::Compare(Comparison::AtLeast), ">="),
        "＜" => (Token::Compare(Comparison::Less), "<"),
        "＜＝" | "≦" => (Token::Compare(Comparison::AtMost), "<="),
        "＝" | "＝＝" => (Token::Compare(Comparison::Equal), "=="),
        _ => return None,
    })
}

/// The name in `＜＊死＞`, `＜*死＞` and the like, where any of the brackets is full width.
fn full_width_reference(text: &str) -> Option<&str> {
    let inside = text.strip_prefix(['<', '＜'])?.strip_suffix(['>', '＞'])?;
    let name = inside.strip_prefix(['*', '＊'])?;
    (text.starts_with('＜') || text.ends_with('＞')).then_some(name)
}

/// Cuts a condition at spaces; what begins with a quote goes on to its end.
fn split(body: &[(usize, char)]) -> Vec<Piece<'_>> {
    let is_space = |c: char| matches!(c, ' ' | '　' | '\t' | '\u{a0}');
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < body.len() {
        if is_space(body[at].1) {
            at += 1;
            continue;
        }
        let start = at;
        if matches!(body[at].1, '\'' | '"') {
            at = closing_quote(&body[at..]).map_or(body.len(), |end| at + end + 1);
        }
        while at < body.len() && !is_space(body[at].1) {
            at += 1;
        }
        let mut end = at;
        // An unclosed quote runs to the end, where the spaces of line ends are.
        while end > start + 1 && is_space(body[end - 1].1) {
            end -= 1;
        }
        pieces.push(&body[start..end]);
    }
    pieces
}

/// The position of the quote that closes the one at the start; doubled quotes are text.
fn closing_quote(piece: Piece<'_>) -> Option<usize> {
    let quote = piece.first()?.1;
    let mut at = 1;
    while at < piece.len() {
        if piece[at].1 == quote {
            if piece.get(at + 1).is_none_or(|&(_, next)| next != quote) {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// What names of codes are compared by: without marks, spaces and case.
fn reference_key(name: &str) -> String {
    name.trim_start_matches(['*', '＊']).trim().to_lowercase()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A word as it stands in a pattern: itself where that is read as one word, text in quotes otherwise.
fn plain_word(text: &str) -> String {
    let plain = WordTest { word: Some(WordShape::Exact(text.to_owned())), ..WordTest::default() };
    match parse_pattern(text) {
        Ok(node) if node.expr == Expr::Word(plain) => text.to_owned(),
        _ => literal(text),
    }
}

/// A name or value of an attribute as it stands in a pattern.
fn attribute(text: &str) -> String {
    let plain = plain_word(text);
    // `in` and `not` are words of the attribute test itself.
    if matches!(text, "in" | "not") { literal(text) } else { plain }
}

/// Kana in Roman letters (Hepburn), lower case; `None` where a character has no sound.
fn romaji(kana: &str) -> Option<String> {
    const SOUNDS: [(&str, &str); 82] = [
        ("ア", "a"),
        ("イ", "i"),
        ("ウ", "u"),
        ("エ", "e"),
        ("オ", "o"),
        ("カ", "ka"),
        ("キ", "ki"),
        ("ク", "ku"),
        ("ケ", "ke"),
        ("コ", "ko"),
        ("サ", "sa"),
        ("シ", "shi"),
        ("ス", "su"),
        ("セ", "se"),
        ("ソ", "so"),
        ("タ", "ta"),
        ("チ", "chi"),
        ("ツ", "tsu"),
        ("テ", "te"),
        ("ト", "to"),
        ("ナ", "na"),
        ("ニ", "ni"),
        ("ヌ", "nu"),
        ("ネ", "ne"),
        ("ノ", "no"),
        ("ハ", "ha"),
        ("ヒ", "hi"),
        ("フ", "fu"),
        ("ヘ", "he"),
        ("ホ", "ho"),
        ("マ", "ma"),
        ("ミ", "mi"),
        ("ム", "mu"),
        ("メ", "me"),
        ("モ", "mo"),
        ("ヤ", "ya"),
        ("ユ", "yu"),
        ("ヨ", "yo"),
        ("ラ", "ra"),
        ("リ", "ri"),
        ("ル", "ru"),
        ("レ", "re"),
        ("ロ", "ro"),
        ("ワ", "wa"),
        ("ヰ", "i"),
        ("ヱ", "e"),
        ("ヲ", "o"),
        ("ン", "n"),
        ("ガ", "ga"),
        ("ギ", "gi"),
        ("グ", "gu"),
        ("ゲ", "ge"),
        ("ゴ", "go"),
        ("ザ", "za"),
        ("ジ", "ji"),
        ("ズ", "zu"),
        ("ゼ", "ze"),
        ("ゾ", "zo"),
        ("ダ", "da"),
        ("ヂ", "ji"),
        ("ヅ", "zu"),
        ("デ", "de"),
        ("ド", "do"),
        ("バ", "ba"),
        ("ビ", "bi"),
        ("ブ", "bu"),
        ("ベ", "be"),
        ("ボ", "bo"),
        ("パ", "pa"),
        ("ピ", "pi"),
        ("プ", "pu"),
        ("ペ", "pe"),
        ("ポ", "po"),
        ("ヴ", "vu"),
        ("ー", ""),
        ("ャ", "ya"),
        ("ュ", "yu"),
        ("ョ", "yo"),
        ("ァ", "a"),
        ("ィ", "i"),
        ("ェ", "e"),
        ("ォ", "o"),
    ];
    let mut out = String::new();
    let mut doubled = false;
    for c in kana.chars() {
        // Hiragana stands 0x60 below katakana.
        let c = if ('ぁ'..='ゖ').contains(&c) { char::from_u32(c as u32 + 0x60)? } else { c };
        if c == 'ッ' {
            doubled = true;
            continue;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        let sound = SOUNDS.iter().find(|(kana, _)| kana.starts_with(c))?.1;
        let small = matches!(c, 'ャ' | 'ュ' | 'ョ' | 'ァ' | 'ィ' | 'ェ' | 'ォ');
        if small && out.ends_with(['i', 'u', 'e', 'o']) {
            out.pop();
            let takes_y = sound.len() == 2 && !out.ends_with("sh") && !out.ends_with("ch") && !out.ends_with('j');
            out.push_str(if takes_y { sound } else { &sound[sound.len() - 1..] });
        } else {
            if std::mem::take(&mut doubled)
                && let Some(first) = sound.chars().next()
            {
                out.push(if first == 'c' { 't' } else { first });
            }
            out.push_str(sound);
        }
    }
    (!out.is_empty()).then_some(out)
}

fn write_toml(
    source: &Source,
    category: Option<&str>,
    codes: &[Code],
    ids: &[String],
    converted: &[Option<Converted>],
) -> String {
    let mut out = format!("# KH Coder のコーディングルール {} から変換\n", comment_line(&source.path()));
    if let Some(category) = category {
        out.push_str(&format!("category = {}\n", toml_string(category)));
    }
    for ((code, id), outcome) in codes.iter().zip(ids).zip(converted) {
        out.push('\n');
        match outcome {
            Some(Converted { pattern, .. }) => {
                out.push_str(&format!("[[rule]]\nid = {}\n", toml_string(id)));
                if category.is_none() {
                    out.push_str(&format!("category = {}\n", toml_string(id)));
                }
                out.push_str(&format!("note = {}\n", toml_string(&code.name)));
                out.push_str("scope = \"comment\"\n");
                out.push_str(&format!("pattern = {}\n", toml_string(pattern)));
            }
            None => {
                out.push_str("# 変換できなかったコード\n");
                for line in &code.lines {
                    out.push_str(&format!("#   {}\n", comment_line(line)));
                }
            }
        }
    }
    if category.is_none() && converted.iter().any(Option::is_some) {
        out.push_str("\n# codebook.toml に加える分類（「# 」を消し、kind と definition を決めてください）\n");
        for ((code, id), outcome) in codes.iter().zip(ids).zip(converted) {
            if outcome.is_some() {
                let name = toml_string(&code.name);
                out.push_str(&format!(
                    "#\n# [[category]]\n# id = {}\n# kind = \"list\"\n# heading = {name}\n# short = {name}\n# definition = \"\"\n",
                    toml_string(id)
                ));
            }
        }
    }
    out
}

/// A line without the control characters that TOML forbids in comments.
fn comment_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
