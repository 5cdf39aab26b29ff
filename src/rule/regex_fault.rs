//! Faults of regular expressions, for people.

use std::ops::Range;

use regex_syntax::{Parser, ast::ErrorKind, hir};

/// What is wrong with a regular expression, where in its text (bytes), and what to do; `None` where it can be read.
pub(super) fn fault(text: &str) -> Option<(String, Range<usize>, Option<&'static str>)> {
    match Parser::new().parse(text).err()? {
        regex_syntax::Error::Parse(error) => {
            let (message, help) = syntax(error.kind());
            let span = error.span();
            Some((message, span.start.offset..span.end.offset, help))
        }
        regex_syntax::Error::Translate(error) => {
            let span = error.span();
            let message = match error.kind() {
                hir::ErrorKind::UnicodePropertyNotFound | hir::ErrorKind::UnicodePropertyValueNotFound => {
                    "文字の種類の名前がありません".to_owned()
                }
                kind => kind.to_string(),
            };
            Some((
                message,
                span.start.offset..span.end.offset,
                Some("漢字は \\p{Han}、ひらがなは \\p{Hiragana}、カタカナは \\p{Katakana} です"),
            ))
        }
        error => Some((error.to_string(), 0..text.len(), None)),
    }
}

fn syntax(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let (message, help) = match kind {
        ErrorKind::GroupUnclosed => {
            ("「(」が閉じていません", "「)」で閉じてください。文字としての括弧は「\\(」と書きます")
        }
        ErrorKind::GroupUnopened => {
            ("「)」に対応する「(」がありません", "余分な「)」を消してください。文字としての括弧は「\\)」と書きます")
        }
        ErrorKind::ClassUnclosed => {
            ("「[」が閉じていません", "「]」で閉じてください。文字としての括弧は「\\[」と書きます")
        }
        ErrorKind::ClassRangeInvalid => ("文字の範囲の始めと終わりが逆です", "[0-9] のように小さい方から書きます"),
        ErrorKind::RepetitionMissing => (
            "繰り返し（*、+、?）の前に何もありません",
            "繰り返す文字を前に書いてください。文字としての「*」は「\\*」と書きます",
        ),
        ErrorKind::RepetitionCountInvalid
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountUnclosed => ("繰り返しの回数を読めません", "{2}、{2,5} のように書きます"),
        ErrorKind::EscapeUnrecognized | ErrorKind::EscapeUnexpectedEof | ErrorKind::ClassEscapeInvalid => (
            "「\\」のあとの文字に意味がありません",
            "数字は \\d、空白は \\s です。文字としての「\\」は「\\\\」と書きます",
        ),
        ErrorKind::UnsupportedLookAround => {
            ("先読み・後読み（(?=…)、(?!…)、(?<=…)、(?<!…)）は使えません", "except(a, b) や unless で除いてください")
        }
        ErrorKind::UnsupportedBackreference => {
            ("後方参照（\\1 など）は使えません", "繰り返しになる形をそのまま並べてください")
        }
        ErrorKind::NestLimitExceeded(_) => {
            ("括弧の入れ子が深すぎます", "いくつかの正規表現に分けて「|」で並べてください")
        }
        other => return (other.to_string(), None),
    };
    (message.to_owned(), Some(help))
}
