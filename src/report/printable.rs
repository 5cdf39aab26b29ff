//! What can be printed of a respondent's words, and guards against words that a program would run.

use std::borrow::Cow;

/// The text without characters that XML cannot carry, that print as nothing or that turn the text around
/// them: controls but for line break and tab, noncharacters, marks that override the direction. Line ends
/// become `\n`. Right-to-left text itself stays.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c == '\r' || !is_printable(c)) {
        return Cow::Borrowed(text);
    }
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    Cow::Owned(unix.chars().filter(|&c| is_printable(c)).collect())
}

/// As [`printable`], with line ends and tabs as spaces: for headings, names of sheets, labels.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).split(['\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a spreadsheet could take the cell for a formula; also with the full-width signs, which Excel folds.
pub(super) fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%'])
}

fn is_printable(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}' => false,
        '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => true, // flags made of tag characters
        c => !c.is_control() && u32::from(c) & 0xfffe != 0xfffe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(printable(text), expected);
    }

    #[test]
    fn keeps_what_prints() {
        case("氏名が●で出る\n困る", "氏名が●で出る\n困る");
        case("👨‍👩‍👧 葛󠄀城市 שלום", "👨‍👩‍👧 葛󠄀城市 שלום");
        case("一行目\r\n二行目\r三行目\u{b}四行目", "一行目\n二行目\n三行目\n四行目");
        case("a\0b\u{1}c\u{7f}d\u{9f}e\u{fffe}f\u{ffff}g\u{1ffff}h", "abcdefgh");
        case("受付\u{202e}逆さ\u{202c}", "受付逆さ");
        assert_eq!(one_line(" 見出し\r\n\tの 続き\n"), "見出し の 続き");
    }

    #[test]
    fn knows_formulas() {
        for text in ["=1+1", "+81", "-1", "@SUM(1)", "\t=1", "＝1", "－患者"] {
            assert!(looks_like_formula(text), "{text}");
        }
        for text in ["", "患者=1", "ー", "●", "・受付"] {
            assert!(!looks_like_formula(text), "{text}");
        }
    }
}
