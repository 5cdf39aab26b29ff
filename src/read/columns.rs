//! The mapping file that settles what each column of a table is (`--columns columns.toml`), and the proposal for it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::{
    ReadError, ReadOptions,
    account::{Account, Role},
    header,
};

/// What a mapping file says of the columns of a table.
///
/// ```
/// use jirei::read::ColumnMap;
/// let map = ColumnMap::parse(r#"
///     header_rows = [2, 3]
///     [columns]
///     "整理No." = "番号"
///     "C列" = "都道府県"
///     "お困りのこと" = "問7"
///     "担当者" = "使わない"
/// "#)?;
/// # Ok::<(), jirei::read::ReadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnMap {
    /// The worksheet.
    pub(super) sheet: Option<String>,
    /// First and last row of the header, from 1.
    pub(super) header_rows: Option<(u64, u64)>,
    /// Folded header, or letter with 列, to role.
    pub(super) columns: BTreeMap<String, MappedRole>,
    /// The same keys as written, for messages.
    written: BTreeMap<String, String>,
}

/// A role as the mapping file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MappedRole {
    Id,
    Prefecture,
    Facility,
    Question,
    Text,
    Answer(String),
    /// Free text whose header stands for the question.
    NamedAnswer,
    Attribute,
    Ignored,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sheet: Option<String>,
    header_rows: Option<Spanned<HeaderRows>>,
    columns: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HeaderRows {
    One(u64),
    Several(Vec<u64>),
}

impl ColumnMap {
    /// Reads a mapping file's text.
    ///
    /// # Errors
    ///
    /// [`ReadError::BadColumnMap`] with the line when it is not TOML or a value is not understood.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let line_of = |offset: usize| Some(text.get(..offset)?.matches('\n').count() + 1);
        let text_without_bom = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: File = toml::from_str(text_without_bom).map_err(|error| ReadError::BadColumnMap {
            line: error.span().and_then(|span| line_of(span.start)),
            message: format!(
                "書き方が正しくありません（{}）。「\"見出し\" = \"問7\"」の形で書いてください",
                error.message().trim()
            ),
        })?;
        let header_rows = match file.header_rows {
            None => None,
            Some(rows) => {
                let line = line_of(rows.span().start);
                let bad = || ReadError::BadColumnMap {
                    line,
                    message: "header_rows には見出しの行を 3 か [3, 4] のように書いてください".to_owned(),
                };
                let (first, last) = match rows.into_inner() {
                    HeaderRows::One(row) => (row, row),
                    HeaderRows::Several(rows) => (*rows.first().ok_or_else(bad)?, *rows.last().ok_or_else(bad)?),
                };
                if first == 0 || last < first || last - first > 9 {
                    return Err(bad());
                }
                Some((first, last))
            }
        };
        let mut columns = BTreeMap::new();
        let mut written = BTreeMap::new();
        for (column, role) in file.columns {
            let line = line_of(role.span().start);
            let value = role.into_inner();
            let role = parse_role(&value).ok_or_else(|| ReadError::BadColumnMap {
                line,
                message: format!(
                    "「{column}」の値「{value}」がわかりません。番号、都道府県、施設、設問、本文、問7 のような問番号、自由記載、属性、使わない のどれかにしてください"
                ),
            })?;
            let key = header::fold(&column);
            written.insert(key.clone(), column);
            columns.insert(key, role);
        }
        Ok(Self { sheet: file.sheet, header_rows, columns, written })
    }

    /// Reads a mapping file.
    ///
    /// # Errors
    ///
    /// As [`ColumnMap::parse`], and when the file cannot be read or is not UTF-8.
    pub fn from_path(path: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path).map_err(|error| ReadError::io(path, error))?;
        let text = String::from_utf8(bytes).map_err(|_| ReadError::BadColumnMap {
            line: None,
            message: format!("`{}` を UTF-8 で保存し直してください", path.display()),
        })?;
        Self::parse(&text)
    }

    pub(super) fn role_of(&self, header: &str, letter: &str) -> Option<&MappedRole> {
        self.columns.get(&header::fold(header)).or_else(|| self.columns.get(&header::fold(&format!("{letter}列"))))
    }

    /// A column of the map that the table does not have.
    pub(super) fn missing<'a>(&'a self, columns: &[super::ColumnAccount]) -> Option<&'a str> {
        self.written
            .iter()
            .find(|(key, _)| {
                !columns.iter().any(|column| {
                    header::fold(&column.header) == **key || header::fold(&format!("{}列", column.letter)) == **key
                })
            })
            .map(|(_, written)| written.as_str())
    }
}

fn parse_role(value: &str) -> Option<MappedRole> {
    Some(match header::fold(value).as_str() {
        "番号" | "回答番号" | "id" => MappedRole::Id,
        "都道府県" | "prefecture" => MappedRole::Prefecture,
        "施設" | "facility" => MappedRole::Facility,
        "設問" | "question" => MappedRole::Question,
        "本文" | "text" => MappedRole::Text,
        "自由記載" | "answer" => MappedRole::NamedAnswer,
        "属性" | "attribute" => MappedRole::Attribute,
        "使わない" | "無視" | "ignore" => MappedRole::Ignored,
        _ => MappedRole::Answer(header::question_of(value)?),
    })
}

/// The text of a mapping file that says what would be taken for what, to be edited and given with `--columns`.
///
/// Respondents' words are not in it: it tells of each column how many cells are filled, how many differ and how
/// long they are.
///
/// # Errors
///
/// As [`open`](super::open), except that a table without a recognisable text column is what this is for.
pub fn propose_columns(path: &Path, options: &ReadOptions) -> Result<String, ReadError> {
    let account = super::inspect(path, options)?;
    Ok(proposal(&account))
}

fn proposal(account: &Account) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {} の列の対応表（ひな型）", account.path.display());
    out.push_str(
        "# 右側を直して保存し、`--columns このファイル` を付けて実行してください。書かなかった列は自動で判断します。\n\
         #   番号 … 回答番号        都道府県・施設 … 回答した医療機関\n\
         #   問7 など … その問の自由記載（1行に1医療機関の表）\n\
         #   自由記載 … 問番号のない自由記載（見出しが設問の名前になります）\n\
         #   本文 … コメント、設問 … どの問への回答か（1行に1コメントの表）\n\
         #   属性 … 集計や絞り込みに使う列        使わない … 取り込まない列\n\
         # 見出しが空の列や長い見出しは \"C列\" のように列の記号でも書けます。\n\n",
    );
    let sheet = account
        .sheets
        .iter()
        .find(|sheet| sheet.left_out.is_none())
        .or_else(|| account.sheets.iter().max_by_key(|sheet| sheet.columns.len()));
    let Some(sheet) = sheet else {
        out.push_str("# このファイルに列はありません（1行が1コメントです）。\n[columns]\n");
        return out;
    };
    if let Some(name) = &sheet.name {
        let _ = writeln!(out, "sheet = {}", quote(name));
    }
    match sheet.header_rows {
        Some((first, last)) if first == last => {
            let _ = writeln!(out, "header_rows = {first}");
        }
        Some((first, last)) => {
            let _ = writeln!(out, "header_rows = [{first}, {last}]");
        }
        None => {}
    }
    out.push_str("\n[columns]\n");
    let mut keys = std::collections::HashSet::new();
    for column in &sheet.columns {
        let by_letter = column.header.is_empty() || column.header.chars().count() > 60;
        let mut key = if by_letter { format!("{}列", column.letter) } else { column.header.clone() };
        if !keys.insert(header::fold(&key)) {
            key = format!("{}列", column.letter);
            keys.insert(header::fold(&key));
        }
        let value = match &column.role {
            Role::Answer(question) if header::question_of(question).is_none() => "自由記載".to_owned(),
            role => role.to_string(),
        };
        let _ = writeln!(
            out,
            "{} = {}  # {}列、記入 {}、種類 {}、平均 {}字",
            quote(&key),
            quote(&value),
            column.letter,
            column.filled,
            column.distinct,
            column.mean_chars
        );
    }
    out
}

/// A TOML basic string.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
