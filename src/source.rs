//! Text files with a name, and places in them.

use std::{ops::Range, path::PathBuf, sync::Arc};

/// A text with the path that the user knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: String,
}

/// A place in a source: byte range of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The source.
    pub source: Arc<Source>,
    /// Byte range in its text, on character boundaries.
    pub byte_range: Range<usize>,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// A source; a byte order mark at the start of the text is dropped.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Arc::new(Self { path: path.into(), text })
    }

    /// The path as the user gave it, with `/` between folders.
    pub fn path(&self) -> String {
        self.path.display().to_string().replace('\\', "/")
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset; an offset inside a character or past the end counts as the place
    /// before it.
    pub fn line_column(&self, byte: usize) -> LineColumn {
        let before = &self.text[..floor_char_boundary(&self.text, byte)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        LineColumn { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// The line that holds a byte offset, without its end, and the byte offset at which it starts.
    pub fn line_at(&self, byte: usize) -> (usize, &str) {
        let byte = floor_char_boundary(&self.text, byte);
        let start = self.text[..byte].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[byte..].find('\n').map_or(self.text.len(), |at| byte + at);
        (start, self.text[start..end].trim_end_matches('\r'))
    }
}

impl Span {
    /// A place in a source.
    pub fn new(source: &Arc<Source>, byte_range: Range<usize>) -> Self {
        Self { source: source.clone(), byte_range }
    }

    /// Line and column of its start.
    pub fn line_column(&self) -> LineColumn {
        self.source.line_column(self.byte_range.start)
    }
}

fn floor_char_boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
