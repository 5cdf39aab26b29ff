//! Faults in rules, code frame or dictionaries: data, collected and shown together.

use std::fmt;

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use crate::source::Span;

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The rules cannot be used.
    Error,
    /// The rules can be used, but hardly mean what they say.
    Warning,
}

impl Severity {
    /// English name, stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One fault: what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable English id, e.g. `unknown-concept`.
    pub id: &'static str,
    /// How grave.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong, in Japanese, without a full stop; the user's text in 「」.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Another place that belongs to it, and why.
    pub related: Option<(Span, String)>,
}

impl Diagnostic {
    /// An error.
    pub fn error(id: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { id, severity: Severity::Error, span, message: message.into(), help: None, related: None }
    }

    /// A warning.
    pub fn warning(id: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(id, span, message) }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    pub fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related = Some((span, note.into()));
        self
    }

    /// As one JSON object: `id`, `severity`, `file`, `line`, `column`, `message`, `help`, `related`.
    pub fn to_json(&self) -> serde_json::Value {
        let place = self.span.line_column();
        json!({
            "id": self.id,
            "severity": self.severity.as_str(),
            "file": self.span.source.path(),
            "line": place.line,
            "column": place.column,
            "message": self.message,
            "help": self.help,
            "related": self.related.as_ref().map(|(span, note)| {
                let place = span.line_column();
                json!({"file": span.source.path(), "line": place.line, "column": place.column, "note": note})
            }),
        })
    }
}

impl fmt::Display for Diagnostic {
    /// `file:line:column: error[id]: message`, then the line with a caret under the place, then help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.span.line_column();
        let path = self.span.source.path();
        writeln!(
            f,
            "{path}:{}:{}: {}[{}]: {}",
            place.line,
            place.column,
            self.severity.as_str(),
            self.id,
            self.message
        )?;
        let (line_start, line) = self.span.source.line_at(self.span.byte_range.start);
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let text = &self.span.source.text();
        // A place may be the end of the line itself, which is two bytes at times.
        let line_end = (line_start + line.len().max(1)).max(self.span.byte_range.start);
        let end = self.span.byte_range.end.clamp(self.span.byte_range.start, line_end);
        let before = text.get(line_start..self.span.byte_range.start).unwrap_or("");
        let marked = text.get(self.span.byte_range.start..end.min(text.len())).unwrap_or("");
        // A line of a rule file may be very long: show what stands around the place.
        let (shown, before) = window(line, before);
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", shown.replace('\t', " "))?;
        writeln!(f, "{margin} | {}{}", " ".repeat(before.width()), "^".repeat(marked.width().clamp(1, 60)))?;
        if let Some((span, note)) = &self.related {
            let place = span.line_column();
            writeln!(f, "{margin} = {note}: {}:{}:{}", span.source.path(), place.line, place.column)?;
        }
        if let Some(help) = &self.help {
            writeln!(f, "{margin} = help: {help}")?;
        }
        Ok(())
    }
}

/// The part of a long line that holds the place after `before`, at most about 100 characters.
fn window<'a>(line: &'a str, before: &'a str) -> (&'a str, &'a str) {
    const AROUND: usize = 60;
    let skipped = before.chars().count().saturating_sub(AROUND);
    let start = before.char_indices().nth(skipped).map_or(0, |(at, _)| at);
    let start = if before.is_empty() { 0 } else { start };
    let rest = &line[start.min(line.len())..];
    let end = rest.char_indices().nth(2 * AROUND).map_or(rest.len(), |(at, _)| at);
    (&rest[..end], &before[start..])
}

/// Sorts by path and place, drops repeats.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span.source.path(), d.span.byte_range.start, d.id, d.message.clone());
        key(a).cmp(&key(b))
    });
    diagnostics.dedup();
}

/// The closest of the known names, where it is close enough to be meant.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        // Of a name of two or three characters one may be wrong.
        .filter(|&(similarity, _)| similarity >= if name.chars().count() <= 3 { 0.5 } else { 0.6 })
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
