//! Markdown (GitHub's tables).

use std::fmt::Write;

use super::{
    Appendix, Row, Table,
    printable::{one_line, printable},
};

pub(super) fn render(appendix: &Appendix) -> String {
    let mut out = String::new();
    write(&mut out, appendix).expect("a String takes everything");
    out
}

fn write(out: &mut String, appendix: &Appendix) -> std::fmt::Result {
    writeln!(out, "# {}", escaped(&one_line(&appendix.title)))?;
    if let Some(line) = &appendix.survey_line {
        writeln!(out, "\n{}", escaped(&one_line(line)))?;
    }
    writeln!(out)?;
    for table in appendix.tables() {
        writeln!(out, "- [{}. {}](#{})", table.number, escaped(&one_line(&table.heading)), table.id)?;
    }
    for (i, line) in appendix.legend().iter().enumerate() {
        writeln!(out, "{}{}  ", if i == 0 { "\n" } else { "" }, escaped(line))?;
    }
    for table in appendix.tables() {
        self::table(out, table)?;
        if let Some(line) = &appendix.source_line {
            writeln!(out, "\n{}", escaped(&one_line(line)))?;
        }
    }
    Ok(())
}

fn table(out: &mut String, table: &Table) -> std::fmt::Result {
    let heading = escaped(&one_line(&table.heading));
    writeln!(out, "\n<a id=\"{}\"></a>\n\n## {}. {heading}", table.id, table.number)?;
    for paragraph in &table.introduction {
        writeln!(out, "\n{}", escaped(&one_line(paragraph)))?;
    }
    writeln!(out, "\n{}", table.count_line())?;
    for part in &table.parts {
        if let Some(heading) = &part.heading {
            writeln!(out, "\n### {}", escaped(&one_line(heading)))?;
        }
        if part.rows.is_empty() {
            writeln!(out, "\n該当なし")?;
            continue;
        }
        writeln!(out, "\n| 番号 | 都道府県 | 医療機関 | 事例 |\n|---:|---|---|---|")?;
        for row in &part.rows {
            self::row(out, row)?;
        }
    }
    Ok(())
}

fn row(out: &mut String, row: &Row) -> std::fmt::Result {
    let name = |name: &Option<String>| name.as_deref().map_or_else(|| "―".to_owned(), |name| escaped(&one_line(name)));
    write!(
        out,
        "| {} | {} | {} | {}",
        row.label,
        name(&row.prefecture),
        name(&row.facility),
        escaped(&printable(&row.quote))
    )?;
    for note in row.notes() {
        write!(out, " {}", escaped(&one_line(&note)))?;
    }
    writeln!(out, " |")
}

/// The text with everything that Markdown or HTML would read as markup taken literally, in one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => out.extend(['\\', c]),
            '\n' => out.push_str("<br>"),
            '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
