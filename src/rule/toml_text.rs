//! Strings and faults of TOML, for people: where a character of a string stands in the file, and what the parser's
//! messages mean.

/// File offsets of the bytes of a TOML string, and of its end, where the string does not stand there as it reads:
/// `raw` is the value in the file with its quotes, at byte `start` of the file; `text` is what it reads as. `None`
/// where the two do not fit together.
pub(super) fn offsets(raw: &str, start: usize, text: &str) -> Option<Vec<usize>> {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes))?;
    let has_escapes = quotes.starts_with('"');
    let mut at = quotes.len();
    if quotes.len() == 3 {
        // A line break right after the quotes is no part of the string.
        at += raw[at..].len() - raw[at..].strip_prefix('\r').unwrap_or(&raw[at..]).len();
        at += usize::from(raw[at..].starts_with('\n'));
    }
    let mut offsets = Vec::with_capacity(text.len() + 1);
    for c in text.chars() {
        if has_escapes {
            at += line_continuation(&raw[at..]);
        }
        // A line break may be two bytes in the file and one in the string.
        if c == '\n' && raw[at..].starts_with("\r\n") {
            at += 1;
        }
        let written = match has_escapes && raw[at..].starts_with('\\') {
            true => match raw[at + 1..].chars().next()? {
                'x' => 4,
                'u' => 6,
                'U' => 10,
                _ => 2,
            },
            false if raw[at..].starts_with(c) => c.len_utf8(),
            false => return None,
        };
        // An escape is one place, whatever its length.
        offsets.extend(std::iter::repeat_n(start + at, c.len_utf8()));
        at += written;
        raw.get(at..)?;
    }
    offsets.push(start + at);
    Some(offsets)
}

/// Length of a backslash at the end of a line with the white space after it, which join two lines.
fn line_continuation(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix('\\') else { return 0 };
    if !after.starts_with(char::is_whitespace) {
        return 0;
    }
    rest.len() - after.trim_start().len()
}

/// What a message of the TOML parser means, and what to do.
pub(super) fn explained(message: &str) -> (String, Option<&'static str>) {
    let message = message.lines().next().unwrap_or("");
    let quotes =
        "文字列の中に「\"」や「\\」があるときは、外側を '''…''' で囲みます: pattern = '''/\\d割/ | \"4けた\"'''";
    let known: [(&[&str], &str, Option<&str>); 10] = [
        (&["unexpected key or value", "unexpected content"], "値が終わったあとに余分な文字があります", Some(quotes)),
        (&["missing escaped value", "too few unicode"], "「\\」のあとの文字が TOML の書き方に合いません", Some(quotes)),
        (
            &["invalid basic string", "invalid literal string", "invalid string"],
            "文字列の引用符が行の終わりまでに閉じていません",
            Some("終わりに引用符を付けてください。何行にもわたる文字列は '''…''' で囲みます"),
        ),
        (
            &["invalid multi-line"],
            "何行にもわたる文字列が閉じていません",
            Some("終わりに、始まりと同じ三重の引用符を付けてください"),
        ),
        (
            &["duplicate key"],
            "同じ項目が 2 回あります",
            Some("一方を消すか、1 つの並び [\"…\", \"…\"] にまとめてください"),
        ),
        (
            &["invalid unquoted key", "unquoted keys", "invalid key"],
            "項目の名前を読めません",
            Some("日本語の名前は \"読み取り機\" = \"…\" のように引用符で囲みます"),
        ),
        (
            &[
                "unquoted string",
                "missing opening quote",
                "invalid boolean",
                "invalid value",
                "string values must be quoted",
            ],
            "文字列が引用符で囲まれていません",
            Some("pattern = \"故障\" のように囲んでください"),
        ),
        (
            &["unclosed array", "missing comma between array", "unexpected `=` in array"],
            "並び [ … ] が閉じていないか、値のあいだのコンマがありません",
            Some("[\"…\", \"…\"] のように、値をコンマで区切り、「]」で閉じます"),
        ),
        (
            &["unclosed table", "unclosed inline table", "invalid table"],
            "見出しや表の括弧が閉じていません",
            Some("規則は [[rule]]、概念は [concepts] で始めます"),
        ),
        (
            &["missing assignment", "missing value", "extra `=`", "extra assignment"],
            "「項目 = 値」の形になっていません",
            Some("項目と値を「=」1 つで結びます: pattern = \"故障\""),
        ),
    ];
    // An array of tables is no array: longer names are told apart first.
    let message_of = |starts: &&[&str]| starts.iter().any(|start| message.starts_with(start));
    match known.iter().find(|(starts, ..)| message_of(starts) && !message.starts_with("unclosed array table")) {
        Some((_, meaning, help)) => ((*meaning).to_owned(), *help),
        None if message.starts_with("unclosed array table") => {
            ("見出しや表の括弧が閉じていません".to_owned(), Some("規則は [[rule]]、概念は [concepts] で始めます"))
        }
        None => (message.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::offsets;

    #[track_caller]
    fn case(raw: &str, text: &str, expected: &[usize]) {
        assert_eq!(offsets(raw, 0, text).as_deref(), Some(expected), "{raw}");
    }

    #[test]
    fn escapes_are_counted() {
        case(r#""a\"b""#, "a\"b", &[1, 2, 4, 5]);
        case(r#""\u3042b""#, "あb", &[1, 1, 1, 7, 8]);
        case(r"'a\b'", r"a\b", &[1, 2, 3, 4]);
        case("'''\na\r\nb'''", "a\nb", &[4, 6, 7, 8]);
        case("\"\"\"a\\\n  b\"\"\"", "ab", &[3, 8, 9]);
        assert_eq!(offsets("x", 0, "x"), None);
        assert_eq!(offsets("\"x\"", 0, "y"), None);
    }
}
