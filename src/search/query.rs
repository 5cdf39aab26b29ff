//! The query language. Whatever a person types into a search box is a query; what could not be taken as meant is
//! read as plain words, and a [`Note`] says so.
//!
//! | written | meaning |
//! |---|---|
//! | `保険証 復活` | both words; each is analysed, a compound is a phrase |
//! | `"反映されない"` 「反映されない」 | exactly these words in this form, without other spellings |
//! | `-病院` `NOT 病院` | without |
//! | `停電 OR 回線` `停電 \| 回線` | either; binds closer than the blank between words |
//! | `(停電 OR 回線) 復旧` | brackets |
//! | `near(患者 説明, 5)` | at most five words apart, in any order |
//! | `再起*` | words that begin so |
//! | `都道府県:愛知` `prefecture:愛知,岐阜` | institutions in 愛知県; in either |
//! | `施設:歯科` `分類:display` `主分類:機器` `問:7` `id:A-1` | other fields, `facility:` `category:` `primary:` `question:` |
//! | `引用候補:はい` | marked to be quoted, `good_quote:` |
//! | `利用率:"40%以上"` | any column of the response, by its header or a part of it |
//! | `文字数:<80` `文字数:30-80` `文字数:80以内` | length of the comment, `length:` |
//!
//! Full-width signs, 、 。 ？ and ！ between words, and brackets or quotation marks without their other half do no harm.

use std::fmt;

/// A query as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub(crate) expression: Expression,
    notes: Vec<Note>,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Every comment.
    Everything,
    /// A bare word or compound, with its other spellings.
    Word(String),
    /// An exact phrase.
    Phrase(String),
    /// Words that begin so.
    Prefix(String),
    /// All operands within so many words of each other.
    Near {
        /// Words, phrases, prefixes, or alternatives of these.
        operands: Vec<Expression>,
        /// Greatest distance in words.
        distance: u32,
    },
    /// A field with one of some values.
    Field {
        /// Which.
        field: Field,
        /// The values, any of which will do.
        values: Vec<String>,
    },
    /// A column of the response, or else plain words.
    Attribute {
        /// The header.
        name: String,
        /// The values, any of which will do.
        values: Vec<String>,
        /// As written, for the case that there is no such column.
        written: String,
    },
    /// Length of the comment in characters, both ends included.
    Length {
        /// At least.
        at_least: u64,
        /// At most.
        at_most: u64,
    },
    /// Without.
    Not(Box<Expression>),
    /// All of these.
    All(Vec<Expression>),
    /// Any of these.
    Any(Vec<Expression>),
}

/// A field of a comment that a query can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// 都道府県.
    Prefecture,
    /// 施設.
    Facility,
    /// 問.
    Question,
    /// 分類: any of the comment's categories, by id or by the beginning of a name.
    Category,
    /// 主分類.
    Primary,
    /// 引用候補: whether a person decided to quote it (はい) or not to (いいえ).
    GoodQuote,
    /// The comment's id.
    Id,
}

impl Field {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "都道府県" | "県" | "府県" | "地域" | "prefecture" | "pref" => Self::Prefecture,
            "施設" | "施設種別" | "医療機関" | "facility" => Self::Facility,
            "問" | "設問" | "質問" | "question" | "q" => Self::Question,
            "分類" | "カテゴリ" | "カテゴリー" | "category" => Self::Category,
            "主分類" | "primary" => Self::Primary,
            "引用候補" | "引用" | "good_quote" => Self::GoodQuote,
            "id" | "番号" => Self::Id,
            _ => return None,
        })
    }
}

/// Something about a query that the person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A quotation mark is not closed: the phrase goes on to the end.
    OpenQuote,
    /// A bracket has no other half.
    UnbalancedBracket,
    /// `near( … )` could not be read: its words are looked for anywhere.
    Near,
    /// A length could not be read: it was left out.
    Length(String),
    /// There is no such field or column: the words themselves are looked for.
    UnknownField(String),
    /// No value of the field fits.
    UnknownValue {
        /// The field or column as written.
        field: String,
        /// The value as written.
        value: String,
    },
    /// Too many words begin so: the first ones were taken.
    ManyPrefixed(String),
    /// Nothing was found as written: words that differ in one character were taken.
    Fuzzy {
        /// The word as written.
        word: String,
        /// What was looked for instead.
        instead: Vec<String>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenQuote => f.write_str("引用符が閉じていないので、終わりまでを一つの語句として探しました"),
            Self::UnbalancedBracket => f.write_str("括弧の対応が取れないので、読める範囲で解釈しました"),
            Self::Near => f.write_str("near は `near(患者 説明, 5)` のように書きます。語をそれぞれ探しました"),
            Self::Length(written) => {
                write!(f, "文字数の条件 `{written}` を読めないので外しました（例: `文字数:<80`、`文字数:30-80`）")
            }
            Self::UnknownField(name) => {
                write!(f, "`{name}` という項目や列はないので、語としてそのまま探しました")
            }
            Self::UnknownValue { field, value } => write!(f, "`{field}` が `{value}` に当たるコメントはありません"),
            Self::ManyPrefixed(prefix) => {
                write!(f, "`{prefix}*` に当たる語が多いので、一部だけを探しました（もう少し長く書いてください）")
            }
            Self::Fuzzy { word, instead } => {
                write!(f, "`{word}` は見つからないので、一字違いの語で探しました: {}", instead.join("、"))
            }
        }
    }
}

impl Query {
    /// Reads a query. Never fails; an empty one asks for every comment.
    ///
    /// ```
    /// use jirei::search::{Expression, Query};
    /// let query = Query::parse("●　“氏名");
    /// assert_eq!(query.expression(), &Expression::All(vec![
    ///     Expression::Word("●".into()),
    ///     Expression::Phrase("氏名".into()),
    /// ]));
    /// assert_eq!(query.notes().len(), 1);
    /// ```
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser { chars: text.chars().collect(), at: 0, notes: Vec::new(), depth: 0 };
        let mut parts = Vec::new();
        while parser.at < parser.chars.len() {
            parts.extend(parser.all());
            if parser.peek() == Some(')') {
                parser.note(Note::UnbalancedBracket);
                parser.at += 1;
            }
        }
        Self { expression: all_of(parts), notes: parser.notes }
    }

    /// A query from its parts.
    pub fn from_expression(expression: Expression) -> Self {
        Self { expression, notes: Vec::new() }
    }

    /// Asks in addition that a field has one of some values; no values ask for nothing.
    #[must_use]
    pub fn with_filter(self, field: Field, values: &[String]) -> Self {
        if values.is_empty() {
            return self;
        }
        let filter = Expression::Field { field, values: values.to_vec() };
        let expression = match self.expression {
            Expression::Everything => filter,
            Expression::All(mut parts) => {
                parts.push(filter);
                Expression::All(parts)
            }
            other => Expression::All(vec![other, filter]),
        };
        Self { expression, notes: self.notes }
    }

    /// What is looked for.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// What could not be read as written.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// Brackets deeper than this are read as if they were not there.
const MAX_DEPTH: u32 = 50;

struct Parser {
    chars: Vec<char>,
    at: usize,
    notes: Vec<Note>,
    depth: u32,
}

/// The ASCII sign that a full-width or typographic one stands for.
fn sign(c: char) -> char {
    match c {
        '：' => ':',
        '（' => '(',
        '）' => ')',
        '＂' | '“' | '”' | '„' | '‟' | '〝' | '〟' => '"',
        '＊' => '*',
        '｜' => '|',
        '－' | '−' | '‐' | '‑' | '–' => '-',
        '＜' => '<',
        '＞' => '>',
        '＝' => '=',
        '，' => ',',
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    }
}

/// The sign that closes what a sign opens, where it opens a phrase.
fn closing_quote(c: char) -> Option<fn(char) -> bool> {
    match c {
        '「' => Some(|c| c == '」'),
        '『' => Some(|c| c == '』'),
        c if sign(c) == '"' => Some(|c| sign(c) == '"'),
        _ => None,
    }
}

/// Marks that stand between words and are looked for only where there is nothing else.
fn is_pause(c: char) -> bool {
    matches!(c, '、' | '。' | '？' | '！' | '?' | '!' | '，' | '．' | ';' | '；' | '」' | '』')
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied().map(sign)
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Everything up to a closing bracket or the end.
    fn all(&mut self) -> Vec<Expression> {
        let mut parts: Vec<Expression> = Vec::new();
        let mut alternatives = false;
        loop {
            self.skip_space();
            match self.peek() {
                None | Some(')') => return parts,
                Some('|') => {
                    self.at += 1;
                    alternatives = !parts.is_empty();
                    continue;
                }
                _ => {}
            }
            if self.keyword("OR") {
                alternatives = !parts.is_empty();
                continue;
            }
            if self.keyword("AND") {
                continue;
            }
            let Some(part) = self.unary() else { continue };
            if alternatives {
                alternatives = false;
                let before = parts.pop().expect("an OR counts only where something stands before it");
                parts.push(match before {
                    Expression::Any(mut choices) => {
                        choices.push(part);
                        Expression::Any(choices)
                    }
                    other => Expression::Any(vec![other, part]),
                });
            } else {
                parts.push(part);
            }
        }
    }

    /// Takes a word in capitals that stands alone; full-width letters too.
    fn keyword(&mut self, keyword: &str) -> bool {
        let mut at = self.at;
        for expected in keyword.chars() {
            let wide = char::from_u32(expected as u32 + 0xfee0);
            match self.chars.get(at) {
                Some(&c) if c == expected || Some(c) == wide => at += 1,
                _ => return false,
            }
        }
        if self.chars.get(at).is_some_and(|&c| !matches!(sign(c), ' ' | '(' | ')' | '"')) {
            return false;
        }
        self.at = at;
        true
    }

    fn unary(&mut self) -> Option<Expression> {
        let minus = self.peek() == Some('-');
        if minus || self.keyword("NOT") {
            if !minus {
                self.skip_space();
            }
            // However many dashes there are, they say it once.
            while self.peek() == Some('-') {
                self.at += 1;
            }
            // A dash that stands alone is punctuation.
            if matches!(self.peek(), None | Some(' ' | ')' | '|')) {
                return None;
            }
            return self.primary().map(|inner| match inner {
                Expression::Not(inner) => *inner,
                inner => Expression::Not(Box::new(inner)),
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Option<Expression> {
        let first = *self.chars.get(self.at)?;
        if let Some(closes) = closing_quote(first) {
            self.at += 1;
            return self.quoted(closes).map(Expression::Phrase);
        }
        if sign(first) == '(' {
            self.at += 1;
            return self.bracket();
        }
        if let Some(near) = self.near() {
            return near;
        }
        self.field().or_else(|| self.word())
    }

    fn quoted(&mut self, closes: fn(char) -> bool) -> Option<String> {
        let start = self.at;
        let end = self.chars[start..].iter().position(|&c| closes(c)).map(|length| start + length);
        if end.is_none() {
            self.note(Note::OpenQuote);
        }
        let end = end.unwrap_or(self.chars.len());
        self.at = (end + 1).min(self.chars.len());
        let text: String = self.chars[start..end].iter().collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn bracket(&mut self) -> Option<Expression> {
        if self.depth >= MAX_DEPTH {
            self.note(Note::UnbalancedBracket);
            return None;
        }
        self.depth += 1;
        let parts = self.all();
        self.depth -= 1;
        if self.peek() == Some(')') {
            self.at += 1;
        } else {
            self.note(Note::UnbalancedBracket);
        }
        (!parts.is_empty()).then(|| all_of(parts))
    }

    /// `near(a b, 5)`; the outer `None` where something else stands here.
    fn near(&mut self) -> Option<Option<Expression>> {
        let rest: String = self.chars[self.at..].iter().take(5).map(|&c| sign(half_width(c))).collect();
        if self.depth >= MAX_DEPTH || !rest.to_lowercase().starts_with("near(") {
            return None;
        }
        self.at += 5;
        let mut depth = 0;
        let start = self.at;
        let mut end = self.chars.len();
        for (at, &c) in self.chars.iter().enumerate().skip(start) {
            match sign(c) {
                '(' => depth += 1,
                ')' if depth == 0 => {
                    end = at;
                    break;
                }
                ')' => depth -= 1,
                _ => {}
            }
        }
        if end == self.chars.len() {
            self.note(Note::UnbalancedBracket);
        }
        self.at = (end + 1).min(self.chars.len());
        let inside = &self.chars[start..end];
        let comma = inside.iter().rposition(|&c| matches!(c, ',' | '，' | '、'));
        let distance = comma.and_then(|comma| {
            let digits: String = inside[comma + 1..].iter().map(|&c| half_width(c)).collect();
            Some((comma, digits.trim().parse::<u32>().ok()?))
        });
        let (words, distance) = match distance {
            Some((comma, distance)) => (&inside[..comma], distance),
            None => (inside, 10),
        };
        let words: Vec<char> = words.iter().map(|&c| if matches!(c, ',' | '，' | '、') { ' ' } else { c }).collect();
        let mut parser = Parser { chars: words, at: 0, notes: Vec::new(), depth: self.depth + 1 };
        let operands = parser.all();
        for note in parser.notes {
            self.note(note);
        }
        if operands.is_empty() {
            self.note(Note::Near);
            return Some(None);
        }
        Some(Some(if operands.len() > 1 && operands.iter().all(is_positional) {
            Expression::Near { operands, distance }
        } else {
            self.note(Note::Near);
            all_of(operands)
        }))
    }

    /// `name:value`, where the name is a field or may be a column.
    fn field(&mut self) -> Option<Expression> {
        let start = self.at;
        let colon = self.chars[start..].iter().position(|&c| {
            let c = sign(c);
            c == ':' || matches!(c, ' ' | '(' | ')' | '"' | '|') || is_pause(c)
        })?;
        if colon == 0 || sign(self.chars[start + colon]) != ':' {
            return None;
        }
        let name: String = self.chars[start..start + colon].iter().map(|&c| half_width(c)).collect();
        let is_length = matches!(name.to_lowercase().as_str(), "文字数" | "長さ" | "字数" | "length" | "chars");
        let field = Field::from_name(&name);
        self.at = start + colon + 1;
        if field.is_some() || is_length {
            self.skip_space();
        }
        let values = self.values();
        let written: String = self.chars[start..self.at].iter().collect();
        if is_length {
            let value = values.join(",");
            let length = parse_length(&value);
            if length.is_none() {
                self.note(Note::Length(written));
            }
            return Some(length.unwrap_or(Expression::Everything));
        }
        if values.is_empty() {
            self.at = start;
            return None;
        }
        Some(match field {
            Some(field) => Expression::Field { field, values },
            None => Expression::Attribute { name, values, written },
        })
    }

    /// Values separated by commas without a blank, each may be quoted.
    fn values(&mut self) -> Vec<String> {
        let mut values = Vec::new();
        loop {
            let value = match self.chars.get(self.at).and_then(|&c| closing_quote(c)) {
                Some(closes) => {
                    self.at += 1;
                    self.quoted(closes)
                }
                None => {
                    let length = self.chars[self.at..]
                        .iter()
                        .position(|&c| matches!(sign(c), ' ' | ')' | ',' | '|') || c == '、')
                        .unwrap_or(self.chars.len() - self.at);
                    let value: String = self.chars[self.at..self.at + length].iter().collect();
                    self.at += length;
                    Some(value)
                }
            };
            values.extend(value.filter(|value| !value.is_empty()));
            if matches!(self.chars.get(self.at), Some(',' | '，' | '、' | '|' | '｜'))
                && self.chars.get(self.at + 1).is_some_and(|&c| !matches!(sign(c), ' ' | ')'))
            {
                self.at += 1;
            } else {
                return values;
            }
        }
    }

    /// A run of characters; marks between words part it.
    fn word(&mut self) -> Option<Expression> {
        let start = self.at;
        while let Some(&c) = self.chars.get(self.at) {
            let between_digits = || {
                let digit = |at: Option<usize>| {
                    at.and_then(|at| self.chars.get(at)).is_some_and(|&c| half_width(c).is_ascii_digit())
                };
                digit(self.at.checked_sub(1)) && digit(Some(self.at + 1))
            };
            match sign(c) {
                ' ' | '(' | ')' | '|' => break,
                _ if closing_quote(c).is_some() => break,
                ',' if !between_digits() => break,
                _ if is_pause(c) && !between_digits() => break,
                _ => self.at += 1,
            }
        }
        if self.at == start {
            // A pause: it is the word where the query has nothing else.
            self.at += 1;
            let only = self.chars.iter().all(|&c| sign(c) == ' ' || is_pause(c) || c == ',');
            return only.then(|| Expression::Word(self.chars[start].to_string()));
        }
        let mut word: String = self.chars[start..self.at].iter().collect();
        let stars = word.chars().rev().take_while(|&c| sign(c) == '*').map(char::len_utf8).sum::<usize>();
        word.truncate(word.len() - stars);
        if word.is_empty() {
            return None;
        }
        Some(if stars > 0 { Expression::Prefix(word) } else { Expression::Word(word) })
    }
}

fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    }
}

fn all_of(mut parts: Vec<Expression>) -> Expression {
    parts.retain(|part| *part != Expression::Everything);
    match parts.len() {
        0 => Expression::Everything,
        1 => parts.remove(0),
        _ => Expression::All(parts),
    }
}

/// Whether an expression stands at places in the text, so that it can be near another.
fn is_positional(expression: &Expression) -> bool {
    match expression {
        Expression::Word(_) | Expression::Phrase(_) | Expression::Prefix(_) => true,
        Expression::Any(choices) => choices.iter().all(is_positional),
        _ => false,
    }
}

/// `<80`, `<=80`, `80以下`, `80字以内`, `80未満`, `>=30`, `30以上`, `30-80`, `30..80`; a bare number is the most.
fn parse_length(written: &str) -> Option<Expression> {
    let text: String = written
        .chars()
        .map(half_width)
        .filter(|c| !matches!(c, '字' | '文' | ' '))
        .collect::<String>()
        .replace('≦', "<=")
        .replace('≧', ">=")
        .replace(['〜', '～'], "~");
    let between = |at_least, at_most| Some(Expression::Length { at_least, at_most });
    let number = |text: &str| text.parse::<u64>().ok();
    if let Some(rest) = text.strip_prefix("<=") {
        return between(0, number(rest)?);
    }
    if let Some(rest) = text.strip_prefix('<') {
        return between(0, number(rest)?.checked_sub(1)?);
    }
    if let Some(rest) = text.strip_prefix(">=") {
        return between(number(rest)?, u64::MAX);
    }
    if let Some(rest) = text.strip_prefix('>') {
        return between(number(rest)?.checked_add(1)?, u64::MAX);
    }
    if let Some(rest) = text.strip_prefix('=') {
        return number(rest).and_then(|n| between(n, n));
    }
    for (ending, make) in [
        ("以下", (|n| Some((0, n))) as fn(u64) -> Option<(u64, u64)>),
        ("以内", |n| Some((0, n))),
        ("まで", |n| Some((0, n))),
        ("未満", |n| Some((0, n.checked_sub(1)?))),
        ("以上", |n| Some((n, u64::MAX))),
    ] {
        if let Some(rest) = text.strip_suffix(ending) {
            let (at_least, at_most) = make(number(rest)?)?;
            return between(at_least, at_most);
        }
    }
    for separator in ["..", "-", "~", "から"] {
        if let Some((low, high)) = text.split_once(separator) {
            let low = if low.is_empty() { 0 } else { number(low)? };
            let high = if high.is_empty() { u64::MAX } else { number(high)? };
            return between(low, high);
        }
    }
    between(0, number(&text)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The expression in a short form for tables.
    fn show(expression: &Expression) -> String {
        let list = |parts: &[Expression], sign: &str| parts.iter().map(show).collect::<Vec<_>>().join(sign);
        match expression {
            Expression::Everything => "*".into(),
            Expression::Word(word) => word.clone(),
            Expression::Phrase(phrase) => format!("“{phrase}”"),
            Expression::Prefix(prefix) => format!("{prefix}…"),
            Expression::Near { operands, distance } => format!("near{distance}[{}]", list(operands, " ")),
            Expression::Field { field, values } => format!("{field:?}={}", values.join("/")),
            Expression::Attribute { name, values, .. } => format!("@{name}={}", values.join("/")),
            Expression::Length { at_least, at_most } => match *at_most {
                u64::MAX => format!("{at_least}..="),
                at_most => format!("{at_least}..={at_most}"),
            },
            Expression::Not(inner) => format!("!{}", show(inner)),
            Expression::All(parts) => format!("({})", list(parts, " & ")),
            Expression::Any(parts) => format!("({})", list(parts, " | ")),
        }
    }

    #[track_caller]
    fn case(written: &str, expected: &str) {
        assert_eq!(show(&Query::parse(written).expression), expected, "{written}");
    }

    #[test]
    fn reads_queries() {
        case("", "*");
        case("　 ", "*");
        case("保険証　復活", "(保険証 & 復活)");
        case("\"反映されない\" 国保", "(“反映されない” & 国保)");
        case("「反映されない」", "“反映されない”");
        case("停電 OR 回線 復旧", "((停電 | 回線) & 復旧)");
        case("停電 ＯＲ 回線｜故障", "(停電 | 回線 | 故障)");
        case("（停電 OR 回線） -病院", "((停電 | 回線) & !病院)");
        case("患者 －病院", "(患者 & !病院)");
        case("NOT 病院", "!病院");
        case("-(a b)", "!(a & b)");
        case("near(患者 説明, 5)", "near5[患者 説明]");
        case("ＮＥＡＲ（患者、説明、５）", "near5[患者 説明]");
        case("near(患者 \"ご 説明\")", "near10[患者 “ご 説明”]");
        case("near(患者 (説明 OR 案内), 3)", "near3[患者 (説明 | 案内)]");
        case("再起動*", "再起動…");
        case("再起動＊ 停電", "(再起動… & 停電)");
        case("都道府県:愛知 施設：歯科 分類:display", "(Prefecture=愛知 & Facility=歯科 & Category=display)");
        case("prefecture: 愛知,岐阜", "Prefecture=愛知/岐阜");
        case("-分類:display 問:7", "(!Category=display & Question=7)");
        case("利用率:\"40%以上\"", "@利用率=40%以上");
        case("文字数:<80", "0..=79");
        case("文字数：＜＝８０", "0..=80");
        case("文字数:80字以内", "0..=80");
        case("length:30-80", "30..=80");
        case("文字数:30以上", "30..=");
        case("文字数:80", "0..=80");
    }

    #[test]
    fn what_people_type_is_never_an_error() {
        case("\"反映", "“反映”");
        case("反映\"", "反映");
        case("(停電", "停電");
        case("停電) 回線", "(停電 & 回線)");
        case("())(", "*");
        case("困った？　どうして！", "(困った & どうして)");
        case("？", "？");
        case("カードが、読めない。", "(カードが & 読めない)");
        case("OR", "*");
        case("OR 停電 OR", "停電");
        case("-", "*");
        case("- 停電", "停電");
        case("--停電", "!停電");
        case("--- 停電", "停電");
        case("NOT -停電", "!停電");
        case("1,000円 2.5割", "(1,000円 & 2.5割)");
        case("都道府県:", "都道府県:");
        case("文字数:たくさん 停電", "停電");
        case("near(停電", "停電");
        case("near()", "*");
        case("*", "*");
        case("http://a.example", "@http=//a.example");
        case("\"\"", "*");
    }

    #[test]
    fn nothing_is_too_long_or_too_deep() {
        for piece in ["(", "-", "near(", "\"", "NOT ", "都道府県:", "a|", "a OR ", "*", "near(a b) ", "😀", "？"]
        {
            let _ = Query::parse(&piece.repeat(10_000));
        }
    }

    #[test]
    fn says_what_it_could_not_read() {
        let notes = |text| Query::parse(text).notes().to_vec();
        assert_eq!(notes("\"反映"), [Note::OpenQuote]);
        assert_eq!(notes("(停電"), [Note::UnbalancedBracket]);
        assert_eq!(notes("停電)"), [Note::UnbalancedBracket]);
        assert_eq!(notes("near(停電)"), [Note::Near]);
        assert_eq!(notes("文字数:長め"), [Note::Length("文字数:長め".into())]);
        assert_eq!(notes("停電 OR 回線"), []);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a-z0-9\"「」（）(): :：,、*＊|<>　 患者ＯＲORnear]{0,40}") {
            let _ = Query::parse(&text);
        }

        #[test]
        fn no_unicode_makes_it_panic(text in "\\PC{0,40}") {
            let _ = Query::parse(&text);
        }
    }
}
