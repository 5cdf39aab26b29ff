//! Answers that say that there is nothing to say.

use unicode_normalization::UnicodeNormalization;

/// Whether a cell says 特になし, なし, - and the like: an answer, but no comment.
pub(super) fn is_nothing(cell: &str) -> bool {
    if cell.len() > 90 {
        return false;
    }
    let folded: String =
        cell.nfkc().filter(|c| !c.is_whitespace() && !c.is_control()).flat_map(char::to_lowercase).collect();
    let key = folded.trim_matches(|c: char| {
        matches!(c, '。' | '.' | '、' | ',' | '!' | '(' | ')' | '「' | '」' | '"' | '…' | '・' | '*')
    });
    if key.is_empty()
        || key.chars().all(|c| matches!(c, '-' | 'ー' | '―' | '—' | '–' | '‐' | '−' | '─' | '/' | '\\' | '×' | '〃'))
    {
        return true;
    }
    let key = key.strip_suffix("です").unwrap_or(key);
    let key = key.strip_prefix("今のところ").or_else(|| key.strip_prefix("現在")).unwrap_or(key);
    let key = key.strip_prefix("は").unwrap_or(key).trim_start_matches('、');
    matches!(
        key,
        "特になし"
            | "特に無し"
            | "とくになし"
            | "とくに無し"
            | "特に"
            | "なし"
            | "無し"
            | "無"
            | "ない"
            | "無い"
            | "特にない"
            | "特に無い"
            | "とくにない"
            | "特にありません"
            | "とくにありません"
            | "特に有りません"
            | "特にございません"
            | "とくにございません"
            | "ありません"
            | "有りません"
            | "ございません"
            | "該当なし"
            | "該当無し"
            | "該当せず"
            | "該当しない"
            | "回答なし"
            | "無回答"
            | "未回答"
            | "記入なし"
            | "未記入"
            | "記載なし"
            | "n/a"
            | "na"
            | "nil"
            | "none"
            | "nothing"
            | "null"
            | "欠損値"
            | "missing"
            | "特記事項なし"
            | "特記なし"
            | "特記事項はありません"
    )
}

#[cfg(test)]
mod tests {
    use super::is_nothing;

    #[test]
    fn nothing_and_something() {
        for cell in [
            "特になし",
            "特に無し。",
            "なし",
            " - ",
            "ー",
            "ありません",
            "とくにございません",
            "N/A",
            "―",
            "（なし）",
            "今のところなし",
            "特にありません。",
            "無回答",
        ] {
            assert!(is_nothing(cell), "{cell}");
        }
        for cell in ["特にトラブルなし", "対応なしで困った", "ない袖は振れません", "●", "エラーはない", "0", "同上"]
        {
            assert!(!is_nothing(cell), "{cell}");
        }
    }
}
