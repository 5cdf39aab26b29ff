//! Sentence boundaries over morphemes.

use std::ops::Range;

use super::Morpheme;

/// Splits after 。！？ and at line breaks, wide gaps, arrows and list marks; a closing bracket stays with the
/// sentence that it closes. 「・」 splits only where it begins an item (after a boundary or at the start).
pub(super) fn split(text: &str, morphemes: &[Morpheme<'_>]) -> Vec<Range<u32>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (index, morpheme) in morphemes.iter().enumerate() {
        let index = index as u32;
        let surface = morpheme.surface(text);
        let gap = index.checked_sub(1).map(|previous| {
            &text[morphemes[previous as usize].byte_range.end as usize..morpheme.byte_range.start as usize]
        });
        let after_gap =
            gap.is_some_and(|gap| gap.contains('\n') || gap.contains(' ') && !is_ascii_word(text, morpheme));
        if index > start
            && (after_gap || opens_item(surface) || ends_sentence(morphemes, index - 1, text) && !closes(surface))
        {
            sentences.push(start..index);
            start = index;
        }
    }
    if (start as usize) < morphemes.len() {
        sentences.push(start..morphemes.len() as u32);
    }
    sentences
}

fn is_ascii_word(text: &str, morpheme: &Morpheme<'_>) -> bool {
    let before = text[..morpheme.byte_range.start as usize].trim_end().chars().next_back();
    let first = morpheme.surface(text).chars().next();
    let ascii = |c: Option<char>| c.is_some_and(|c| c.is_ascii());
    ascii(before) || ascii(first)
}

/// Whether the morpheme is a sentence's last: its mark, or a bracket that closes right after the mark.
fn ends_sentence(morphemes: &[Morpheme<'_>], index: u32, text: &str) -> bool {
    let mut at = index;
    loop {
        let surface = morphemes[at as usize].surface(text);
        if surface.ends_with(['。', '！', '？', '．']) {
            return true;
        }
        if !closes(surface) || at == 0 {
            return false;
        }
        at -= 1;
    }
}

fn closes(surface: &str) -> bool {
    surface.starts_with(['」', '』', '）', '”', '。', '！', '？', '】', '"'])
}

/// List marks that always begin an item. 「・」 also stands inside names, so it does not.
fn opens_item(surface: &str) -> bool {
    surface.starts_with(|c| matches!(c, '①'..='⑳' | '❶'..='❿' | '→' | '⇒' | '※' | '◆' | '←'))
}
