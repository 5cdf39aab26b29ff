//! Comments and the responses that they come from.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Identifies a comment within its survey: unique within one file and stable across imports of the same file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(String);

impl CommentId {
    /// An id as written.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One free-text answer of a response, as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Official name of the prefecture (東京都) where it was recognised, as written otherwise.
    pub prefecture: Option<String>,
    /// 病院, 医科診療所 or 歯科診療所 where it was recognised, as written otherwise.
    pub facility: Option<String>,
    /// The question that it answers, as 問 and a number in ASCII digits (問7), or as written.
    pub question: Option<String>,
    /// The answer, never altered.
    pub text: String,
    /// The other answers of the same response: column header to cell text. Shared by the response's comments.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Where it was read.
    #[serde(skip)]
    pub origin: Origin,
}

impl Comment {
    /// A comment with nothing known but its text; for tests, examples and `explain`.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            id: CommentId::new(""),
            prefecture: None,
            facility: None,
            question: None,
            text: text.into(),
            attributes: Attributes::default(),
            origin: Origin::default(),
        }
    }

    /// The value of a named attribute: `question`, `prefecture` and `facility` (or 設問, 都道府県, 施設), else
    /// the response's column of that name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        match name {
            "question" | "設問" => self.question.as_deref(),
            "prefecture" | "都道府県" => self.prefecture.as_deref(),
            "facility" | "施設" => self.facility.as_deref(),
            _ => self.attributes.get(name),
        }
    }

    /// The comment with attributes, named as for [`Comment::attribute`].
    pub fn with_attributes(mut self, attributes: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut others = Vec::new();
        for (name, value) in attributes {
            match name.as_str() {
                "question" | "設問" => self.question = Some(value),
                "prefecture" | "都道府県" => self.prefecture = Some(value),
                "facility" | "施設" => self.facility = Some(value),
                _ => others.push((name, value)),
            }
        }
        self.attributes = others.into_iter().collect();
        self
    }
}

/// Column header to cell text, sorted by header; cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Arc<BTreeMap<String, String>>);

impl Attributes {
    /// The value under a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Headers and values in the order of the headers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}

/// Where a comment was read: for messages, never part of a comment's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path of the file as the user gave it.
    pub file: Arc<str>,
    /// Name of the worksheet.
    pub sheet: Option<Arc<str>>,
    /// Row (workbooks) or line (text files) in the file, from 1; 0 where unknown.
    pub row: u64,
    /// Header or letter of the column.
    pub column: Option<Arc<str>>,
    /// Whether the response has no number of its own, so that the comment's id was made from its place in the file.
    pub is_unnumbered: bool,
}

impl fmt::Display for Origin {
    /// `file（シート「…」）row 行目「column」列`, leaving out what is unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(sheet) = &self.sheet {
            write!(f, "（シート「{sheet}」）")?;
        }
        if self.row > 0 {
            write!(f, " {}行目", self.row)?;
        }
        if let Some(column) = &self.column {
            write!(f, "「{column}」列")?;
        }
        Ok(())
    }
}
