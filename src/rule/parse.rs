//! The pattern language: text to tree.
//!
//! The lexer is built from winnow's combinators; the grammar has three levels of precedence and is walked by
//! hand over the tokens, so that every message can say what was expected where.

use std::ops::Range;

use winnow::{
    LocatingSlice, Parser,
    combinator::{alt, delimited, preceded, repeat},
    error::{ContextError, ErrMode},
    stream::Location,
    token::{any, none_of, one_of, take_while},
};

use super::syntax::{Alignment, Comparison, Distance, Expr, Feature, Node, Quantity, Unit, WordShape, WordTest};

/// Brackets and `!` may nest this deep; patterns of people stay far below.
const MAX_DEPTH: usize = 64;

/// A pattern longer than this is refused before it is read.
const MAX_PATTERN_BYTES: usize = 64 * 1024;

/// A fault in a pattern: id, place, message and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// Stable id, e.g. `unclosed-bracket`.
    pub id: &'static str,
    /// Byte range in the pattern.
    pub byte_range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl PatternError {
    fn new(id: &'static str, byte_range: Range<usize>, message: impl Into<String>) -> Self {
        Self { id, byte_range, message: message.into(), help: None }
    }

    fn star(byte_range: Range<usize>) -> Self {
        Self::new("syntax", byte_range, "「*」は語の前か後ろの一方にだけ付けられます")
            .help("語の途中を探すときは '文字列' か /正規表現/ を使います")
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Regex(String),
    /// `<名前>`
    Concept(String),
    /// `-->`, `->`, `=>`
    Arrow(&'static str),
    /// Operators and brackets.
    Mark(&'static str),
}

impl Token {
    fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("「{word}」"),
            Self::Quoted(text) => format!("「'{text}'」"),
            Self::Regex(text) => format!("「/{text}/」"),
            Self::Concept(name) => format!("「<{name}>」"),
            Self::Arrow(mark) | Self::Mark(mark) => format!("「{mark}」"),
        }
    }
}

type Input<'i> = LocatingSlice<&'i str>;
type Lexed<T> = Result<T, ErrMode<ContextError>>;

/// Characters that end a word.
const SPECIAL: [char; 24] = [
    '(', ')', '[', ']', '{', '}', '|', '&', '!', ',', '+', '<', '>', '=', '\'', '"', '/', '@', '~', '-', '#', ' ',
    '\t', '\n',
];

/// Full-width marks that people type for operators, with what is meant.
const FULL_WIDTH: [(char, &str); 31] = [
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('｜', "|"),
    ('＆', "&"),
    ('！', "!"),
    ('，', ","),
    ('＋', "+"),
    ('＜', "<"),
    ('＞', ">"),
    ('＝', "="),
    ('＠', "@"),
    ('＊', "*"),
    ('～', "~"),
    ('／', "/"),
    ('＇', "'"),
    ('‘', "'"),
    ('’', "'"),
    ('＂', "\""),
    ('“', "\""),
    ('”', "\""),
    ('「', "'"),
    ('」', "'"),
    ('『', "'"),
    ('』', "'"),
    ('≧', ">="),
    ('≦', "<="),
    ('≠', "!="),
];

fn is_word_char(c: char) -> bool {
    !SPECIAL.contains(&c) && !c.is_whitespace() && !c.is_control() && !FULL_WIDTH.iter().any(|&(wide, _)| wide == c)
}

fn word(input: &mut Input<'_>) -> Lexed<Token> {
    take_while(1.., is_word_char).map(|text: &str| Token::Word(text.to_owned())).parse_next(input)
}

fn hyphenated(input: &mut Input<'_>) -> Lexed<Token> {
    let level = || take_while(1.., is_word_char);
    let more = repeat::<_, _, (), _, _>(0.., preceded('-', level()));
    (level(), more).take().map(|text: &str| Token::Word(text.to_owned())).parse_next(input)
}

fn quoted(input: &mut Input<'_>) -> Lexed<Token> {
    let by = |quote: char| {
        delimited(
            quote,
            repeat(0.., alt(((quote, quote).value(quote), none_of(quote)))).fold(String::new, |mut text, c| {
                text.push(c);
                text
            }),
            quote,
        )
    };
    alt((by('\''), by('"'))).map(Token::Quoted).parse_next(input)
}

fn regex(input: &mut Input<'_>) -> Lexed<Token> {
    let text = repeat(
        1..,
        alt((
            preceded('\\', any).map(|c: char| if c == '/' { "/".to_owned() } else { format!("\\{c}") }),
            none_of(['/', '\\', '\n']).map(String::from),
        )),
    )
    .fold(String::new, |mut text: String, part: String| {
        text.push_str(&part);
        text
    });
    delimited('/', text, '/').map(Token::Regex).parse_next(input)
}

fn concept(input: &mut Input<'_>) -> Lexed<Token> {
    delimited('<', take_while(1.., is_word_char), '>')
        .map(|name: &str| Token::Concept(name.to_owned()))
        .parse_next(input)
}

fn mark(input: &mut Input<'_>) -> Lexed<Token> {
    alt((
        alt(("-->".value("-->"), "->".value("->"), "=>".value("=>"))).map(Token::Arrow),
        alt((">=".value(">="), "<=".value("<="), "==".value("=="), "!=".value("!="))).map(Token::Mark),
        one_of(['(', ')', '[', ']', '{', '}', '|', '&', '!', ',', '+', '<', '>', '=', '@', '~'])
            .map(|c: char| Token::Mark(MARKS.iter().find(|mark| mark.starts_with(c)).expect("every mark is listed"))),
    ))
    .parse_next(input)
}

const MARKS: [&str; 16] = ["(", ")", "[", "]", "{", "}", "|", "&", "!", ",", "+", "<", ">", "=", "@", "~"];

fn lex(text: &str) -> Result<Vec<(Token, Range<usize>)>, PatternError> {
    tokens(text).map_err(|at| lex_error(text, at))
}

/// The tokens of a pattern, or the byte offset of what is none.
fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, usize> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    loop {
        let _: Lexed<&str> = take_while(0.., |c: char| c.is_whitespace()).parse_next(&mut input);
        if input.is_empty() {
            return Ok(tokens);
        }
        let start = input.current_token_start();
        // A comment runs to the end of the line.
        if input.starts_with('#') {
            let _: Lexed<&str> = take_while(0.., |c| c != '\n').parse_next(&mut input);
            continue;
        }
        // After an arrow stands a part of speech, an inflected form or a surface: 名詞-サ変接続 is one value.
        let token = if matches!(tokens.last(), Some((Token::Arrow(_), _))) {
            alt((quoted, hyphenated)).parse_next(&mut input)
        } else {
            // The first character decides, so that thousands of words are not tried as everything else first.
            match text[start..].chars().next() {
                Some('\'' | '"') => quoted.parse_next(&mut input),
                Some('/') => regex.parse_next(&mut input),
                Some('<') => alt((concept, mark)).parse_next(&mut input),
                Some(c) if is_word_char(c) => word.parse_next(&mut input),
                _ => mark.parse_next(&mut input),
            }
        };
        match token {
            Ok(token) => tokens.push((token, start..input.current_token_start())),
            Err(_) => return Err(start),
        }
    }
}

fn lex_error(text: &str, at: usize) -> PatternError {
    let c = text[at..].chars().next().unwrap_or(' ');
    let here = at..at + c.len_utf8();
    if let Some((_, meant)) = FULL_WIDTH.iter().find(|&&(wide, _)| wide == c) {
        let mended = half_width(text, at).filter(|mended| mended.chars().count() <= MAX_PROPOSAL);
        let proposal = match mended {
            Some(mended) => format!("半角で {mended} と書いてください"),
            None => format!("半角の「{meant}」にしてください"),
        };
        return PatternError::new("full-width", here, format!("全角の「{c}」は演算子や引用符になりません"))
            .help(format!("{proposal}。文字そのものを探すときは '{c}' のように引用符で囲みます"));
    }
    match c {
        '\'' | '"' => PatternError::new("unclosed-quote", at..text.len(), format!("引用符「{c}」が閉じていません"))
            .help(format!("終わりに「{c}」を付けてください。引用符そのものを探すときは 2 つ続けて書きます")),
        '-' if in_kh_list(&text[..at]) => PatternError::new("syntax", here, "「-」で語を並べることはできません")
            .help("near(受付, 混雑) のように、語は半角のコンマで区切ります（KH Coder の「-」に当たります）"),
        '/' => PatternError::new("unclosed-regex", at..text.len(), "正規表現の「/」が閉じていません")
            .help("終わりに「/」を付けてください。「/」そのものは「\\/」と書きます"),
        '-' => PatternError::new("syntax", here, "「-」は演算子になりません")
            .help("品詞は「語-->品詞」、活用形は「語->活用形」と書きます。文字そのものは '-' のように引用符で囲みます"),
        _ => PatternError::new("syntax", here, format!("「{c}」はここに書けません")),
    }
}

/// A proposal longer than this is not shown.
const MAX_PROPOSAL: usize = 60;

/// The pattern with the full-width mark at `at`, and those after it that would be told of next, in half width.
fn half_width(text: &str, at: usize) -> Option<String> {
    let mut text = text.to_owned();
    let mut at = at;
    for _ in 0..MAX_PROPOSAL {
        let wide = text[at..].chars().next()?;
        let (_, meant) = FULL_WIDTH.iter().find(|&&(known, _)| known == wide)?;
        text.replace_range(at..at + wide.len_utf8(), meant);
        // A quote is mended with the one that closes it.
        let closes = |c: char| FULL_WIDTH.iter().any(|(known, closing)| *known == c && closing == meant);
        if let ("'" | "\"", Some(end)) = (*meant, text[at + meant.len()..].find(closes)) {
            let end = at + meant.len() + end;
            let closing = text[end..].chars().next().map_or(0, char::len_utf8);
            text.replace_range(end..end + closing, meant);
        }
        match tokens(&text) {
            Ok(_) => return Some(text),
            Err(next) => at = next,
        }
    }
    None
}

/// Whether a list of KH Coder (`near(a-b)`) is open at the end of a text.
fn in_kh_list(before: &str) -> bool {
    let open = ["near(", "seq("].into_iter().filter_map(|name| before.rfind(name)).max();
    open.is_some_and(|open| !before[open..].contains(')'))
}

/// Reads a pattern.
///
/// # Errors
///
/// The first fault, with its place.
pub fn parse_pattern(text: &str) -> Result<Node, PatternError> {
    if text.len() > MAX_PATTERN_BYTES {
        return Err(PatternError::new("pattern-too-long", 0..0, "パターンが長すぎます（64 KB まで）")
            .help("概念（[concepts]）や複数の規則に分けてください"));
    }
    let tokens = lex(text)?;
    if tokens.is_empty() {
        return Err(PatternError::new("empty-pattern", 0..text.len(), "パターンが空です")
            .help("語か '文字列' を書いてください"));
    }
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at)..text.len();
    let mut parser = PatternParser { tokens: &tokens, at: 0, last, depth: 0 };
    let node = parser.any()?;
    match parser.peek() {
        None => Ok(node),
        Some((Token::Mark(")"), range)) => {
            Err(PatternError::new("unopened-bracket", range, "「)」に対応する「(」がありません")
                .help("余分な「)」を消すか、始まりに「(」を付けてください"))
        }
        Some((Token::Mark(">" | ">=" | "<" | "<=" | "==" | "="), range)) => {
            let of_kh = match &parser.tokens[parser.at - 1].0 {
                Token::Word(word) if word.eq_ignore_ascii_case("lw") => Some("語の数は words >= 3 のように書きます"),
                Token::Word(word) if word.eq_ignore_ascii_case("lc") => Some("文字の数は chars < 20 のように書きます"),
                _ => None,
            };
            let plain = "count(混雑) >= 2 のように、数える語を count( ) で囲みます";
            Err(PatternError::new("comparison", range, "語の数を比べるには count(…) が要ります")
                .help(of_kh.unwrap_or(plain)))
        }
        Some((token, range)) => Err(PatternError::new(
            "missing-operator",
            range,
            format!("{}の前に演算子がありません", token.describe()),
        )
        .help(
            "前の語と「&」（両方ある）、「|」（どちらかがある）、「+」（すぐ後ろに続く）のどれかで結んでください。空白を含む文字列は '…' で囲みます",
        )),
    }
}

struct PatternParser<'t> {
    tokens: &'t [(Token, Range<usize>)],
    at: usize,
    /// The last character.
    last: Range<usize>,
    depth: usize,
}

impl PatternParser<'_> {
    fn peek(&self) -> Option<(Token, Range<usize>)> {
        self.tokens.get(self.at).cloned()
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.tokens.get(self.at), Some((Token::Mark(found), _)) if *found == mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some((Token::Word(found), _)) if found == word)
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &'static str, opened: &Range<usize>) -> Result<usize, PatternError> {
        match self.peek() {
            Some((Token::Mark(found), range)) if found == mark => {
                self.at += 1;
                Ok(range.end)
            }
            Some((token, range)) => Err(PatternError::new(
                "syntax",
                range,
                format!("「{mark}」があるはずの所に{}があります", token.describe()),
            )),
            None => {
                let open = match mark {
                    "]" => "[",
                    "}" => "{",
                    _ => "(",
                };
                Err(PatternError::new("unclosed-bracket", opened.clone(), format!("「{open}」が閉じていません"))
                    .help(format!("対応する終わりの所に「{mark}」を付けてください")))
            }
        }
    }

    fn nested<T>(
        &mut self,
        at: &Range<usize>,
        inner: impl FnOnce(&mut Self) -> Result<T, PatternError>,
    ) -> Result<T, PatternError> {
        if self.depth >= MAX_DEPTH {
            return Err(PatternError::new(
                "too-deep",
                at.clone(),
                format!("括弧や「!」の入れ子が深すぎます（{MAX_DEPTH} 段まで）"),
            )
            .help("内側を概念（[concepts]）や別の規則に分けてください"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Node, PatternError> {
        self.joined(&["|", "or"], Self::all, Expr::Any)
    }

    fn all(&mut self) -> Result<Node, PatternError> {
        self.joined(&["&", "and"], Self::not, Expr::All)
    }

    fn joined(
        &mut self,
        operators: &[&str; 2],
        part: fn(&mut Self) -> Result<Node, PatternError>,
        make: fn(Vec<Node>) -> Expr,
    ) -> Result<Node, PatternError> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.is_mark(operators[0]) || self.is_word(operators[1]) {
            self.at += 1;
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let byte_range = parts[0].byte_range.start..parts[parts.len() - 1].byte_range.end;
        Ok(Node { expr: make(parts), byte_range })
    }

    fn not(&mut self) -> Result<Node, PatternError> {
        if !(self.is_mark("!") || self.is_word("not")) {
            return self.phrase();
        }
        let range = self.tokens[self.at].1.clone();
        self.at += 1;
        let inner = self.nested(&range, Self::not)?;
        let byte_range = range.start..inner.byte_range.end;
        Ok(Node { expr: Expr::Not(Box::new(inner)), byte_range })
    }

    fn phrase(&mut self) -> Result<Node, PatternError> {
        let first = self.primary()?;
        if !self.is_mark("+") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_mark("+") {
            parts.push(self.primary()?);
        }
        for part in &parts {
            span_only(part, "「+」")?;
        }
        let byte_range = parts[0].byte_range.start..parts[parts.len() - 1].byte_range.end;
        Ok(Node { expr: Expr::Phrase(parts), byte_range })
    }

    fn primary(&mut self) -> Result<Node, PatternError> {
        let Some((token, range)) = self.peek() else {
            return Err(PatternError::new("missing-operand", self.last.clone(), "パターンが途中で終わっています")
                .help("語か '文字列' を続けてください"));
        };
        self.at += 1;
        let node = |expr| Ok(Node { expr, byte_range: range.clone() });
        match token {
            Token::Quoted(text) if text.trim().is_empty() => {
                Err(PatternError::new("empty-pattern", range, "引用符の中が空です")
                    .help("探す文字列を引用符の中に書いてください"))
            }
            Token::Quoted(text) => node(Expr::Literal(text)),
            Token::Regex(text) => node(Expr::Regex(text)),
            Token::Concept(name) if name.starts_with(['*', '＊']) => {
                Err(PatternError::new("syntax", range, "「<*コード名>」の書き方は使えません")
                    .help("ほかの規則は rule(規則の id)、分類は category(分類の id)、概念は <概念の名前> で参照します"))
            }
            Token::Concept(name) => node(Expr::Concept(name)),
            Token::Mark("(") => {
                let inner = self.nested(&range, Self::any)?;
                let end = self.expect_mark(")", &range)?;
                Ok(Node { expr: inner.expr, byte_range: range.start..end })
            }
            Token::Mark("<") if self.is_mark(">") => Err(PatternError::new(
                "syntax",
                range.start..self.tokens[self.at].1.end,
                "「<>変数-->値」の書き方は使えません",
            )
            .help("回答の属性は @問 = 問11、@都道府県 in {東京都, 大阪府} のように、列の名前に「@」を付けて書きます")),
            Token::Mark("@") => self.attribute(range),
            Token::Mark("~") => match self.peek() {
                Some((Token::Word(reading), end)) => {
                    self.at += 1;
                    let test = WordTest { reading: Some(reading), ..WordTest::default() };
                    self.word_grammar(test, range.start..end.end)
                }
                _ => Err(PatternError::new("syntax", range, "「~」のあとに読みがありません")
                    .help("~ワカル のように読みをカタカナで書きます")),
            },
            Token::Word(word) => self.word(word, range),
            Token::Mark(mark @ (")" | "|" | "&" | "," | "+" | "]" | "}")) => {
                Err(PatternError::new("missing-operand", range, format!("「{mark}」の前に語がありません"))
                    .help(format!("「{mark}」の前に語か '文字列' を書くか、余分な「{mark}」を消してください")))
            }
            token => Err(PatternError::new("syntax", range, format!("{}はここに書けません", token.describe()))),
        }
    }

    fn word(&mut self, word: String, range: Range<usize>) -> Result<Node, PatternError> {
        let call = self.is_mark("(");
        match word.as_str() {
            "chars" | "words" if !call => return self.comparison(Some(&word), range),
            "and" | "or" | "not" => {
                return Err(PatternError::new("missing-operand", range, format!("「{word}」の前に語がありません"))
                    .help(format!("語としての「{word}」を探すときは '{word}' のように引用符で囲みます")));
            }
            _ if !call => return self.shaped_word(word, range),
            _ => {}
        }
        let open = self.tokens[self.at].1.clone();
        match word.as_str() {
            "count" => self.comparison(Some(&word), range),
            "seq" | "near" => {
                let (parts, end) = self.arguments(&open)?;
                if parts.len() < 2 {
                    return Err(PatternError::new(
                        "arguments",
                        range.start..end,
                        format!("「{word}」には語が 2 つ以上要ります"),
                    )
                    .help(comma_help(&parts, &word)));
                }
                for part in &parts {
                    span_only(part, &word)?;
                }
                let (distance, end) = self.distance(end)?;
                let expr =
                    if word == "seq" { Expr::Ordered { parts, distance } } else { Expr::Near { parts, distance } };
                Ok(Node { expr, byte_range: range.start..end })
            }
            "except" => {
                let (mut parts, end) = self.arguments(&open)?;
                if parts.len() != 2 {
                    return Err(PatternError::new(
                        "arguments",
                        range.start..end,
                        "「except」には語がちょうど 2 つ要ります",
                    )
                    .help("except(高齢, 後期高齢者) のように、探すものと除くものを半角のコンマで区切ります"));
                }
                for part in &parts {
                    span_only(part, "except")?;
                }
                let second = parts.remove(1);
                Ok(Node {
                    expr: Expr::Except(Box::new(parts.remove(0)), Box::new(second)),
                    byte_range: range.start..end,
                })
            }
            "start" | "whole" => {
                let alignment = if word == "start" { Alignment::Start } else { Alignment::Both };
                let (inner, end) = self.one_span(&word, &range, &open)?;
                Ok(Node { expr: Expr::Aligned(alignment, Box::new(inner)), byte_range: range.start..end })
            }
            "rule" | "category" => {
                self.at += 1;
                let Some((Token::Word(id), _)) = self.peek() else {
                    return Err(PatternError::new("arguments", open, format!("「{word}」には id が要ります"))
                        .help(format!("{word}(id) のように書きます")));
                };
                self.at += 1;
                let end = self.expect_mark(")", &open)?;
                let expr = if word == "rule" { Expr::RuleRef(id) } else { Expr::CategoryRef(id) };
                Ok(Node { expr, byte_range: range.start..end })
            }
            "sentence" | "comment" => {
                self.at += 1;
                let inner = self.nested(&open, Self::any)?;
                let end = self.expect_mark(")", &open)?;
                let unit = if word == "sentence" { Unit::Sentence } else { Unit::Comment };
                Ok(Node { expr: Expr::Within(unit, Box::new(inner)), byte_range: range.start..end })
            }
            name => {
                if !name.is_ascii() {
                    let message = "「(」の前に演算子がありません";
                    return Err(PatternError::new("missing-operator", open, message)
                        .help("「&」（両方）か「|」（どちらか）か「+」（隣り合う）で結んでください"));
                }
                let Some(&(_, feature)) = Feature::NAMES.iter().find(|(known, _)| *known == name) else {
                    let known =
                        ["seq", "near", "except", "start", "whole", "count", "rule", "category", "sentence", "comment"];
                    let known = known.into_iter().chain(Feature::NAMES.iter().map(|&(name, _)| name));
                    let help = match crate::diagnostic::closest(name, known) {
                        Some(close) => format!("「{close}」ではありませんか"),
                        None => "関数は seq、near、except、start、whole、count、neg、aff、fact、wish、hypo、double、over などです".to_owned(),
                    };
                    return Err(PatternError::new(
                        "unknown-function",
                        range,
                        format!("「{name}」という関数はありません"),
                    )
                    .help(help));
                };
                let (inner, end) = self.one_span(name, &range, &open)?;
                Ok(Node { expr: Expr::Feature(feature, Box::new(inner)), byte_range: range.start..end })
            }
        }
    }

    /// `(a)` of a function with one span, and the byte at which it ends.
    fn one_span(
        &mut self,
        name: &str,
        range: &Range<usize>,
        open: &Range<usize>,
    ) -> Result<(Node, usize), PatternError> {
        let (mut parts, end) = self.arguments(open)?;
        if parts.len() != 1 {
            let message = format!("「{name}」には語がちょうど 1 つ要ります");
            return Err(PatternError::new("arguments", range.start..end, message)
                .help(format!("{name}(a | b) のように「|」で並べます")));
        }
        span_only(&parts[0], name)?;
        Ok((parts.remove(0), end))
    }

    fn shaped_word(&mut self, word: String, range: Range<usize>) -> Result<Node, PatternError> {
        let shape = match (word.strip_prefix('*'), word.strip_suffix('*')) {
            (Some(""), _) => None,
            (Some(suffix), None) => Some(WordShape::Suffix(suffix.to_owned())),
            (None, Some(prefix)) => Some(WordShape::Prefix(prefix.to_owned())),
            (Some(_), Some(_)) => return Err(PatternError::star(range)),
            (None, None) => Some(WordShape::Exact(word.clone())),
        };
        if let Some(WordShape::Exact(bare) | WordShape::Prefix(bare) | WordShape::Suffix(bare)) = &shape
            && bare.contains('*')
        {
            return Err(PatternError::star(range));
        }
        let bare = shape.is_none();
        let node = self.word_grammar(WordTest { word: shape, ..WordTest::default() }, range.clone())?;
        if bare && matches!(&node.expr, Expr::Word(test) if *test == WordTest::default()) {
            return Err(PatternError::new("syntax", range, "「*」だけではすべての語に当たります")
                .help("*-->名詞 のように品詞などを付けてください"));
        }
        Ok(node)
    }

    fn word_grammar(&mut self, mut test: WordTest, mut range: Range<usize>) -> Result<Node, PatternError> {
        while let Some((Token::Arrow(arrow), arrow_range)) = self.peek() {
            self.at += 1;
            let (Some((Token::Word(value) | Token::Quoted(value), value_range)), true) =
                (self.peek(), self.tokens.get(self.at).is_some_and(|next| next.1.start == arrow_range.end))
            else {
                return Err(PatternError::new("syntax", arrow_range, format!("「{arrow}」のあとに値がありません"))
                    .help("語-->品詞、語->活用形、語=>表層形 と、空白を入れずに書きます"));
            };
            self.at += 1;
            range.end = value_range.end;
            match arrow {
                "-->" => test.pos = Some(value),
                "->" => test.form = Some(value),
                _ => test.surface = Some(value),
            }
        }
        Ok(Node { expr: Expr::Word(test), byte_range: range })
    }

    /// `( a , b )`: the parts and the byte at which the closing bracket ends.
    fn arguments(&mut self, open: &Range<usize>) -> Result<(Vec<Node>, usize), PatternError> {
        self.at += 1;
        let mut parts = vec![self.nested(open, Self::any)?];
        while self.take_mark(",") {
            parts.push(self.nested(open, Self::any)?);
        }
        let end = self.expect_mark(")", open)?;
        Ok((parts, end))
    }

    /// `[5]`, `[c]`, `[5c]`, `[b]`, `[0]`: KH Coder's options, `c` for the comment.
    fn distance(&mut self, end: usize) -> Result<(Distance, usize), PatternError> {
        let mut distance = Distance::default();
        if !self.is_mark("[") {
            return Ok((distance, end));
        }
        let open = self.tokens[self.at].1.clone();
        self.at += 1;
        let wrong = |range: Range<usize>| {
            PatternError::new("distance", range, "距離の指定を読めません").help(
                "[5] は 5 形態素以内、[b] は文の中、[c] は回答全体、[0] は距離を問わない、[5c] のように続けて書けます。数字は半角です",
            )
        };
        let Some((Token::Word(option), range)) = self.peek() else { return Err(wrong(open)) };
        self.at += 1;
        let digits: String = option.chars().filter(char::is_ascii_digit).collect();
        let letters: String = option.chars().filter(|c| !c.is_ascii_digit()).collect();
        match letters.as_str() {
            "" | "b" => {}
            "c" | "d" => distance.unit = Unit::Comment,
            _ => return Err(wrong(range)),
        }
        if !digits.is_empty() {
            let number: u32 = digits.parse().map_err(|_| wrong(range))?;
            distance.morphemes = (number > 0).then_some(number);
        }
        let end = self.expect_mark("]", &open)?;
        Ok((distance, end))
    }

    /// `count(a) + chars >= 3`, from its first term, which has been taken.
    fn comparison(&mut self, first: Option<&str>, range: Range<usize>) -> Result<Node, PatternError> {
        let mut name = first.map(str::to_owned);
        let mut sum = Vec::new();
        loop {
            match name.as_deref() {
                Some("chars") => sum.push(Quantity::Characters),
                Some("words") => sum.push(Quantity::Morphemes),
                _ => {
                    let open = self.tokens.get(self.at).map_or(range.clone(), |token| token.1.clone());
                    if !self.is_mark("(") {
                        return Err(PatternError::new("arguments", range, "「count」には (語) が要ります"));
                    }
                    let (mut parts, end) = self.arguments(&open)?;
                    if parts.len() != 1 {
                        return Err(PatternError::new(
                            "arguments",
                            range.start..end,
                            "「count」には語がちょうど 1 つ要ります",
                        ));
                    }
                    span_only(&parts[0], "count")?;
                    sum.push(Quantity::Count(Box::new(parts.remove(0))));
                }
            }
            if !self.take_mark("+") {
                break;
            }
            match self.peek() {
                Some((Token::Word(next), _)) if matches!(next.as_str(), "count" | "chars" | "words") => {
                    self.at += 1;
                    name = Some(next);
                }
                other => {
                    let range = other.map_or(range, |(_, range)| range);
                    return Err(PatternError::new(
                        "comparison",
                        range,
                        "数を足せるのは count(…)、chars、words だけです",
                    ));
                }
            }
        }
        let comparison = match self.peek() {
            Some((Token::Mark(mark), _)) => match mark {
                ">" => Some(Comparison::Greater),
                ">=" => Some(Comparison::AtLeast),
                "<" => Some(Comparison::Less),
                "<=" => Some(Comparison::AtMost),
                "==" | "=" => Some(Comparison::Equal),
                _ => None,
            },
            _ => None,
        };
        let Some(comparison) = comparison else {
            return Err(PatternError::new("comparison", range, "数のあとに比較がありません")
                .help("count(a) >= 2 のように書きます"));
        };
        self.at += 1;
        match self.peek() {
            Some((Token::Word(number), number_range)) if number.parse::<u32>().is_ok() => {
                self.at += 1;
                let number = number.parse().expect("checked just above");
                Ok(Node { expr: Expr::Compare { sum, comparison, number }, byte_range: range.start..number_range.end })
            }
            other => {
                let range = other.map_or(range, |(_, range)| range);
                Err(PatternError::new("comparison", range, "比較の右には 0 以上の半角の整数を書きます"))
            }
        }
    }

    /// `@name = value`, `@name in {a, b}`, `@name != value`, `@name not in {a, b}`.
    fn attribute(&mut self, at: Range<usize>) -> Result<Node, PatternError> {
        let help = "@question = 問11、@prefecture in {東京都, 大阪府}、@facility != 病院 のように書きます";
        let wrong = |range: Range<usize>, message: &str| PatternError::new("attribute", range, message).help(help);
        let name = match self.peek() {
            Some((Token::Word(name) | Token::Quoted(name), _)) => name,
            _ => return Err(wrong(at, "「@」のあとに属性の名前がありません")),
        };
        self.at += 1;
        let (negated, set) = match self.peek() {
            Some((Token::Mark("=" | "=="), _)) => (false, false),
            Some((Token::Mark("!="), _)) => (true, false),
            Some((Token::Word(word), _)) if word == "in" => (false, true),
            Some((Token::Word(word), _)) if word == "not" => {
                self.at += 1;
                (true, true)
            }
            _ => {
                let end = self.tokens[self.at - 1].1.end;
                let message = format!("属性「{name}」のあとに「=」「!=」「in」「not in」のどれかが要ります");
                return Err(wrong(at.start..end, &message));
            }
        };
        self.at += 1;
        let value = |parser: &mut Self| match parser.peek() {
            Some((Token::Word(value) | Token::Quoted(value), range)) => {
                parser.at += 1;
                Ok((value, range.end))
            }
            _ => Err(wrong(at.clone(), "属性の値がありません")),
        };
        let mut values = Vec::new();
        let end = if set {
            let open = self.tokens.get(self.at).map_or(at.clone(), |token| token.1.clone());
            if !self.take_mark("{") {
                return Err(wrong(open, "「in」のあとに「{」がありません"));
            }
            loop {
                values.push(value(self)?.0);
                if !self.take_mark(",") {
                    break;
                }
            }
            self.expect_mark("}", &open)?
        } else {
            let (only, value_end) = value(self)?;
            values.push(only);
            value_end
        };
        Ok(Node { expr: Expr::Attribute { name, values, negated }, byte_range: at.start..end })
    }
}

fn span_only(node: &Node, inside: &str) -> Result<(), PatternError> {
    if node.expr.is_span() {
        return Ok(());
    }
    let inside =
        if inside.starts_with('「') { format!("{inside}でつなぐ中") } else { format!("{inside}( ) の中") };
    Err(PatternError::new(
        "not-a-span",
        node.byte_range.clone(),
        format!("{inside}に条件（&、!、比較、@、rule など）は書けません"),
    )
    .help("中には語・文字列・概念・seq・near など位置のあるものだけを書き、条件は外で & で結びます: near(端末, 故障) & 不調"))
}

/// What to do where `near` or `seq` has one part: perhaps its comma is a Japanese one.
fn comma_help(parts: &[Node], name: &str) -> String {
    match parts {
        [Node { expr: Expr::Word(WordTest { word: Some(WordShape::Exact(word)), .. }), .. }] if word.contains('、') => {
            format!("語は半角のコンマで区切ります: {name}({})", word.replace('、', ", "))
        }
        _ => format!("{name}(端末, 故障) のように、語は半角のコンマで区切ります"),
    }
}
