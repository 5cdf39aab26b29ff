//! Kana: what is written in it, and its one form for comparing readings.

/// Whether a character is hiragana, katakana or the long-vowel mark.
pub(crate) fn is_kana(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー')
}

/// Whether a text is written in kana only; an empty one is not.
pub(crate) fn is_kana_only(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_kana)
}

/// The katakana in which readings are compared: hiragana become katakana, ヂ and ヅ become ジ and ズ, and a long
/// vowel at the end of a longer word goes (カードリーダー, カードリーダ).
pub(crate) fn comparable_reading(text: &str) -> String {
    let mut reading: String = text
        .chars()
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            c => c,
        })
        .map(|c| match c {
            'ヂ' => 'ジ',
            'ヅ' => 'ズ',
            c => c,
        })
        .collect();
    if reading.ends_with('ー') && reading.chars().count() > 3 {
        reading.truncate(reading.len() - 'ー'.len_utf8());
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_one_form() {
        assert_eq!(comparable_reading("ぱすわーど"), "パスワード");
        assert_eq!(comparable_reading("カードリーダー"), "カードリーダ");
        assert_eq!(comparable_reading("カー"), "カー");
        assert_eq!(comparable_reading("つづき"), "ツズキ");
        assert!(is_kana_only("クロまる") && !is_kana_only("黒まる") && !is_kana_only(""));
    }
}
