//! The result for the eye: eighty columns, a wide character takes two.

use std::io::Write;

use unicode_width::UnicodeWidthChar;

use super::{Shown, facet_label};
use crate::{
    cli::table,
    search::{Facet, Hit, KwicLine},
};

const WIDTH: usize = 80;
/// Values of a facet that are shown.
const SHOWN_VALUES: usize = 12;

pub(super) fn write(out: &mut dyn Write, shown: &Shown<'_>, like: Option<&str>) -> anyhow::Result<()> {
    let total = shown.result.total;
    let count =
        if let Some(id) = like { format!("{id} に似たコメント {total} 件") } else { format!("{total} 件") };
    match &shown.concordance {
        Some(lines) => {
            writeln!(out, "{count}（{} か所を表示）", lines.len())?;
            write_concordance(out, lines)?;
        }
        None => {
            let hits = &shown.result.hits;
            let from = shown.offset + usize::from(!hits.is_empty());
            match (hits.len() as u64 == total, shown.offset) {
                _ if hits.is_empty() => writeln!(out, "{count}")?,
                (true, _) => writeln!(out, "{count}")?,
                (false, 0) => writeln!(out, "{count}（うち {} 件を表示）", hits.len())?,
                (false, offset) => writeln!(out, "{count}（うち {from}～{} 件目を表示）", offset + hits.len())?,
            }
            for (number, hit) in (from..).zip(hits) {
                write_hit(out, shown, number, hit)?;
            }
        }
    }
    for facet in &shown.result.facets {
        write_facet(out, facet)?;
    }
    Ok(())
}

fn write_hit(out: &mut dyn Write, shown: &Shown<'_>, number: usize, hit: &Hit) -> anyhow::Result<()> {
    let comment = &hit.comment;
    let of: Vec<&str> = [&comment.prefecture, &comment.facility, &comment.question]
        .into_iter()
        .filter_map(|value| value.as_deref())
        .collect();
    let mut head = format!("{number}. {}  {}", comment.id, of.join("・"));
    if !hit.categories.is_empty() {
        let primary = hit.primary.as_deref();
        let names: Vec<String> = hit
            .categories
            .iter()
            .map(|id| format!("{}{}", if primary == Some(id) { "*" } else { "" }, shown.category(id)))
            .collect();
        head.push_str(&format!("  [{}]", names.join("・")));
    }
    if hit.good_quote == Some(true) {
        head.push_str("  引用候補");
    }
    writeln!(out)?;
    for (index, line) in wrapped(&head, WIDTH - 6).into_iter().enumerate() {
        writeln!(out, "{}{line}", if index == 0 { "" } else { "    " })?;
    }
    for paragraph in marked(hit).lines() {
        for line in wrapped(paragraph, WIDTH - 6) {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

fn write_concordance(out: &mut dyn Write, lines: &[KwicLine]) -> anyhow::Result<()> {
    let id_width = lines.iter().map(|line| table::width(line.comment.as_str())).max().unwrap_or(0).min(14);
    // The keywords stand below each other, a little left of the middle, since they take room to the right.
    let left_width = (WIDTH - id_width - 1 - 12) / 2;
    for line in lines {
        let left = fitted_left(&line.left, left_width);
        let keyword = format!("【{}】", table::cut(&line.keyword, 20));
        let used = id_width + 1 + left_width + table::width(&keyword);
        let right = table::cut(&line.right, WIDTH.saturating_sub(used));
        let id = table::padded(line.comment.as_str(), id_width + 1);
        writeln!(out, "{}", format!("{id}{}{keyword}{right}", table::right_aligned(&left, left_width)).trim_end())?;
    }
    Ok(())
}

/// The end of a text that fits a width.
fn fitted_left(text: &str, width: usize) -> String {
    let mut used = 0;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        from = at;
    }
    text[from..].to_owned()
}

fn write_facet(out: &mut dyn Write, facet: &Facet) -> anyhow::Result<()> {
    let mut values: Vec<String> =
        facet.values.iter().take(SHOWN_VALUES).map(|value| format!("{} {}", value.label, value.count)).collect();
    let more = facet.values.len().saturating_sub(SHOWN_VALUES);
    if more > 0 {
        values.push(format!("ほか {more} 種"));
    }
    if facet.missing > 0 {
        values.push(format!("なし {}", facet.missing));
    }
    let text = if values.is_empty() { "－".to_owned() } else { values.join("、") };
    writeln!(out, "\n{}", facet_label(&facet.field))?;
    for line in wrapped(&text, WIDTH - 6) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

/// The text with 【】 around what was looked for.
fn marked(hit: &Hit) -> String {
    let characters: Vec<char> = hit.comment.text.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    for range in &hit.highlights {
        text.extend(&characters[at..range.start]);
        text.push('【');
        text.extend(&characters[range.clone()]);
        text.push('】');
        at = range.end;
    }
    text.extend(&characters[at..]);
    text
}

/// Lines of at most a width. None begins with a mark that closes or pauses, nor ends with one that opens.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        let wide = c.width().unwrap_or(0);
        let line = lines.last_mut().expect("there is always one");
        if used + wide > width && !is_closing(c) {
            let mut next = String::new();
            while let Some(last) = line.chars().next_back().filter(|&last| is_opening(last) && line.len() > 3) {
                line.pop();
                next.insert(0, last);
            }
            used = table::width(&next);
            lines.push(next);
        }
        lines.last_mut().expect("there is always one").push(c);
        used += wide;
    }
    lines
}

fn is_closing(c: char) -> bool {
    matches!(
        c,
        '、' | '。' | '」' | '』' | '）' | '】' | '！' | '？' | '，' | '．' | '・' | 'ー' | ',' | '.' | ')' | ']'
    )
}

fn is_opening(c: char) -> bool {
    matches!(c, '「' | '『' | '（' | '【' | '(' | '[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_japanese_lines_break() {
        assert_eq!(wrapped("停電のあと、回線が", 10), ["停電のあと、", "回線が"]);
        assert_eq!(wrapped("停電のあ【回線】が", 10), ["停電のあ", "【回線】が"]);
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("abc", 1).concat(), "abc");
    }

    #[test]
    fn the_left_context_keeps_its_end() {
        assert_eq!(fitted_left("あいうえお", 5), "えお");
        assert_eq!(fitted_left("abc", 5), "abc");
    }
}
