//! One JSON object per line: each line is a comment.

use std::io::{self, BufRead, Read};

use serde_json::{Map, Value};

use super::{
    Common, ProblemKind,
    encoding::{ByteSource, CellDecoder},
    header::question_value,
    problem::suspicious_character,
};
use crate::comment::{Attributes, Comment, CommentId, Origin};

/// The longest line, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Keys that gold and tagged files carry beside the comment: codings, which are no attributes of a response.
const CODINGS: [&str; 7] = ["must", "may", "primary", "categories", "confidence", "evidence", "origin"];

pub(super) struct JsonLines {
    input: ByteSource,
    decoder: CellDecoder,
    line: u64,
    buffer: Vec<u8>,
    failed: bool,
}

impl JsonLines {
    pub(super) fn new(input: ByteSource, decoder: CellDecoder) -> Self {
        Self { input, decoder, line: 0, buffer: Vec::new(), failed: false }
    }

    /// Reads the next line that is not blank and queues its comment or problem; `false` at the end.
    pub(super) fn advance(&mut self, common: &mut Common) -> bool {
        if self.failed {
            return false;
        }
        self.line += 1;
        self.buffer.clear();
        let read = match (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.buffer) {
            Ok(0) => return false,
            Ok(read) => read as u64,
            Err(error) => return self.fail(common, &error),
        };
        if read == MAX_LINE && !self.buffer.ends_with(b"\n") {
            common.problem(None, self.line, None, ProblemKind::RowTooLong);
            common.account.rows += 1;
            if let Err(error) = self.skip_line() {
                return self.fail(common, &error);
            }
            return true;
        }
        if self.buffer.iter().all(u8::is_ascii_whitespace) {
            return true;
        }
        common.account.rows += 1;
        match self.parse_line(common) {
            Ok(comment) => common.comment(comment, None),
            Err(kind) => common.problem(None, self.line, None, kind),
        }
        true
    }

    fn fail(&mut self, common: &mut Common, error: &io::Error) -> bool {
        self.failed = true;
        common.problem(None, self.line, None, ProblemKind::ReadFailed(error.to_string()));
        true
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let block = self.input.fill_buf()?;
            if block.is_empty() {
                return Ok(());
            }
            let end = block.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(block.len(), |end| end + 1);
            self.input.consume(length);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn parse_line(&self, common: &mut Common) -> Result<Comment, ProblemKind> {
        let line = self.decoder.decode(&self.buffer).map_err(|_| ProblemKind::Undecodable(common.encoding_name()))?;
        let line = line.trim_end();
        if line.contains('\0') {
            return Err(ProblemKind::Nul);
        }
        let mut object: Map<String, Value> = match serde_json::from_str(line) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                return Err(ProblemKind::BrokenJson("1行に1つのオブジェクト {…} が要ります".to_owned()));
            }
            Err(error) => return Err(ProblemKind::BrokenJson(json_message(&error, line))),
        };
        let text = match object.remove("text") {
            Some(Value::String(text)) => text,
            None | Some(Value::Null) => return Err(ProblemKind::NoText),
            Some(_) => {
                return Err(ProblemKind::WrongType { key: "text".to_owned(), expected: "文字列" });
            }
        };
        match suspicious_character(&text) {
            Some(ProblemKind::Nul) => return Err(ProblemKind::Nul),
            Some(kind) => common.problem(None, self.line, Some("text"), kind),
            None => {}
        }
        let mut scalar = |key: &str| match object.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(ProblemKind::WrongType { key: key.to_owned(), expected: "文字列か null " }),
        };
        let id = scalar("id")?.filter(|id| !id.is_empty());
        let prefecture = scalar("prefecture")?;
        let facility = scalar("facility")?;
        let question = scalar("question")?;
        let mut attributes: Vec<(String, String)> = Vec::new();
        if let Some(nested) = object.remove("attributes") {
            match nested {
                Value::Object(nested) => {
                    attributes.extend(nested.into_iter().filter_map(|(key, value)| Some((key, as_text(value)?))));
                }
                Value::Null => {}
                _ => {
                    return Err(ProblemKind::WrongType {
                        key: "attributes".to_owned(), expected: "オブジェクト"
                    });
                }
            }
        }
        for (key, value) in object {
            if !CODINGS.contains(&key.as_str())
                && let Some(value) = as_text(value)
            {
                attributes.push((key, value));
            }
        }
        let (facility, changed) = common.facility(facility, self.line);
        attributes.extend(changed.map(|written| ("施設（記載）".to_owned(), written)));
        let is_unnumbered = id.is_none();
        if is_unnumbered {
            common.account.add_unnumbered(None, self.line);
        }
        Ok(Comment {
            id: CommentId::new(id.unwrap_or_else(|| self.line.to_string())),
            prefecture: common.prefecture(prefecture, self.line),
            facility,
            question: question.filter(|question| !question.trim().is_empty()).map(|question| question_value(&question)),
            text,
            attributes: Attributes::from_iter(attributes),
            origin: Origin { is_unnumbered, ..common.origin(None, self.line, None) },
        })
    }
}

/// The text of an attribute's value; lists of texts are joined as choices are.
fn as_text(value: Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text,
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.into_iter().filter_map(as_text).collect::<Vec<_>>().join("、")
        }
        other => other.to_string(),
    })
}

fn json_message(error: &serde_json::Error, line: &str) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "行が途中で終わっています",
        _ => "引用符、コンマ、括弧を確かめてください",
    };
    // serde_json counts bytes, and the line end as a line of its own.
    let column = if error.line() == 1 { error.column() } else { line.len() };
    let before = line.char_indices().take_while(|(start, _)| *start < column).count();
    format!("{}文字目付近、{what}", before.max(1))
}
