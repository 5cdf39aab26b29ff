//! Finds the header of a table and what each of its columns holds, from the words of the header and from the
//! cells below it.

use std::{collections::HashSet, sync::LazyLock};

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::{
    Row,
    account::{ColumnAccount, Role},
    answer::is_nothing,
    columns::{ColumnMap, MappedRole},
};
use crate::respondent::{Facility, Prefecture};

/// How many rows are looked at for a header.
const HEADER_SEARCH: usize = 30;

/// The columns of a table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Rows of the header in the sample, first and last.
    pub(super) header: (usize, usize),
    pub(super) columns: Vec<ColumnAccount>,
    /// Whether one row is one comment.
    pub(super) is_long: bool,
    /// Whether the id column numbers responses that have several rows (long form).
    pub(super) id_repeats: bool,
    /// Whether any column holds free text.
    pub(super) has_text: bool,
}

impl Layout {
    pub(super) fn position(&self, role: &Role) -> Option<usize> {
        self.columns.iter().position(|column| column.role == *role)
    }
}

/// A header cell in the form in which it is compared: NFKC, no spaces, small letters.
pub(super) fn fold(header: &str) -> String {
    circled_to_sub(header)
        .nfkc()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect()
}

/// NFKC would make 問72 of 問7②.
fn circled_to_sub(header: &str) -> String {
    let mut out = String::with_capacity(header.len());
    for c in header.chars() {
        match c {
            '①'..='⑳' => {
                let number = u32::from(c) - u32::from('①') + 1;
                let glued = out.chars().next_back().is_some_and(|before| before.is_numeric());
                out.push_str(&format!("{}{number}", if glued { "-" } else { "" }));
            }
            c => out.push(c),
        }
    }
    out
}

static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\[【(〔<《「『■●◆・]*(?:設問|質問|問い|問|question|q)\.?([0-9]{1,3})(?:[-‐−–ー_の]([0-9]{1,2})|\(([0-9]{1,2})\))?")
        .expect("the pattern is constant and tested")
});
static LEADING_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([0-9]{1,2})[.)、:](?:[^0-9]|$)").expect("the pattern is constant and tested"));

/// The question that a header or a cell of a question column names, as 問 and its number in ASCII digits.
pub(super) fn question_of(header: &str) -> Option<String> {
    let folded = fold(header);
    if let Some(found) = QUESTION.captures(&folded) {
        let number: u32 = found[1].parse().ok()?;
        let sub = found.get(2).or_else(|| found.get(3)).and_then(|sub| sub.as_str().parse::<u32>().ok());
        return Some(match sub {
            Some(sub) => format!("問{number}-{sub}"),
            None => format!("問{number}"),
        });
    }
    let number: u32 = LEADING_NUMBER.captures(&folded)?[1].parse().ok()?;
    Some(format!("問{number}"))
}

/// The attribute as which a column with this header is read.
pub(crate) fn standard_attribute(header: &str) -> Option<&'static str> {
    match word_of(header)? {
        Word::Question => Some("question"),
        Word::Prefecture => Some("prefecture"),
        Word::Facility => Some("facility"),
        Word::Id | Word::Text | Word::Identity => None,
    }
}

/// The question of a comment as it is kept: 問7 where it can be recognised, as written otherwise.
pub(crate) fn question_value(written: &str) -> String {
    let folded = fold(written);
    if !folded.is_empty() && folded.len() <= 3 && folded.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("問{}", folded.trim_start_matches('0'));
    }
    question_of(written).unwrap_or_else(|| written.trim().to_owned())
}

/// What a header says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Id,
    Prefecture,
    Facility,
    Question,
    Text,
    /// Never free text, however varied: names, addresses, times.
    Identity,
}

fn word_of(header: &str) -> Option<Word> {
    let folded = fold(header);
    let key: String = folded
        .trim_start_matches(['【', '[', '(', '■', '●', '*', '※'])
        .trim_end_matches(['】', ']', ')', '*', ':', '※'])
        .to_owned();
    Some(match key.as_str() {
        "回答番号" | "回答id" | "回答no" | "回答no." | "番号" | "no" | "no." | "id" | "整理番号" | "通し番号"
        | "管理番号" | "受付番号" | "連番" | "通番" | "#" | "responseid" | "commentid" | "コメント番号"
        | "コメントid" | "事例番号" | "票番号" | "調査票番号" => Word::Id,
        "都道府県"
        | "都道府県名"
        | "県"
        | "県名"
        | "府県"
        | "府県名"
        | "prefecture"
        | "pref"
        | "所在都道府県"
        | "都道府県(所在地)" => Word::Prefecture,
        "医療機関の種類"
        | "医療機関種別"
        | "医療機関の種別"
        | "医療機関区分"
        | "医療機関の区分"
        | "施設種別"
        | "施設の種類"
        | "施設の種別"
        | "施設区分"
        | "施設"
        | "種別"
        | "種類"
        | "区分"
        | "診療所・病院"
        | "医科歯科"
        | "医科・歯科"
        | "医科・歯科・病院"
        | "facility"
        | "facilitytype"
        | "開設形態"
        | "医療機関形態"
        | "施設形態"
        | "医科/歯科" => Word::Facility,
        "設問" | "設問番号" | "質問" | "質問番号" | "問" | "問番号" | "question" | "設問no" | "設問no." => {
            Word::Question
        }
        "本文"
        | "自由記載"
        | "自由記述"
        | "自由回答"
        | "自由意見"
        | "自由記入"
        | "コメント"
        | "内容"
        | "記載内容"
        | "回答内容"
        | "回答"
        | "意見"
        | "ご意見"
        | "ご意見・ご要望"
        | "意見・要望"
        | "事例"
        | "具体的事例"
        | "具体例"
        | "具体的な内容"
        | "テキスト"
        | "text"
        | "comment"
        | "comments"
        | "answer"
        | "記述"
        | "記述内容"
        | "自由記載欄"
        | "自由記述欄"
        | "自由回答欄"
        | "備考" => Word::Text,
        _ => {
            static IDENTITY: LazyLock<Regex> = LazyLock::new(|| {
                Regex::new(
                    "医療機関名|施設名|病院名|診療所名|医院名|名称|氏名|お名前|名前|院長|担当者|記入者|住所|所在地|郵便番号|電話|tel|fax|メール|mail|日時|日付|年月日|回答日|記入日|受付日|タイムスタンプ|timestamp|url|^時刻|ipアドレス",
                )
                .expect("the pattern is constant and tested")
            });
            return (question_of(header).is_none() && IDENTITY.is_match(&key)).then_some(Word::Identity);
        }
    })
}

/// Whether a cell is a word that heads a column.
pub(super) fn is_known(cell: &str) -> bool {
    word_of(cell).is_some()
}

/// Whether a header names a time: two copies of a response differ there.
pub(super) fn is_time(header: &str) -> bool {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("日時|日付|回答日|記入日|受付日|受信日|時刻|タイムスタンプ|timestamp")
            .expect("the pattern is constant and tested")
    });
    question_of(header).is_none() && TIME.is_match(&fold(header))
}

/// Whether the words of a question's header ask for text.
fn asks_for_text(header: &str) -> bool {
    static ASKS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("自由|記述|記載|記入|事例|理由|内容|意見|要望|具体|詳し|詳細|コメント|お書き|書いて|ご記入")
            .expect("the pattern is constant and tested")
    });
    ASKS.is_match(&fold(header))
}

/// What the cells of a column are like.
#[derive(Debug, Clone, Default)]
struct Content {
    filled: usize,
    distinct: usize,
    mean_chars: usize,
    hiragana_permille: usize,
    prefectures: usize,
    facilities: usize,
}

impl Content {
    fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut content = Self::default();
        let mut seen = HashSet::new();
        let (mut chars, mut hiragana) = (0, 0);
        for cell in cells.filter(|cell| !cell.trim().is_empty() && !is_nothing(cell)) {
            content.filled += 1;
            seen.insert(cell.trim());
            // A text of a megabyte says in its first thousand characters what it is.
            for c in cell.trim().chars().take(1000) {
                chars += 1;
                hiragana += usize::from(('ぁ'..='ん').contains(&c));
            }
            content.prefectures += usize::from(Prefecture::parse_name(cell).is_some());
            content.facilities += usize::from(Facility::parse(cell).is_some());
        }
        content.distinct = seen.len();
        content.mean_chars = chars / content.filled.max(1);
        content.hiragana_permille = hiragana * 1000 / chars.max(1);
        content
    }

    /// Long, varied Japanese: names and addresses have hardly any hiragana, choices repeat.
    fn is_free_text(&self) -> bool {
        self.reads_as_text()
            && (self.distinct * 2 >= self.filled || (self.distinct >= 30 && self.distinct * 4 >= self.filled))
            && (self.filled >= 3 || self.mean_chars >= 15)
    }

    /// Phrases rather than names, numbers or single words.
    fn reads_as_text(&self) -> bool {
        self.mean_chars >= 8 && self.hiragana_permille >= 180
    }

    /// Few distinct short answers, or numbers.
    fn is_choice(&self) -> bool {
        self.filled > 0
            && !self.is_free_text()
            && (self.hiragana_permille == 0 && self.mean_chars <= 6
                || (self.filled >= 4 && self.distinct * 2 <= self.filled)
                || (self.mean_chars <= 5 && self.distinct <= 10))
    }
}

/// Recognises the table of which `sample` holds the first rows. `None` when there is no row at all. `widen` makes
/// columns of cells beyond the header.
pub(super) fn recognise(sample: &[Row], map: Option<&ColumnMap>, widen: bool) -> Option<Layout> {
    let header = match map.and_then(|map| map.header_rows) {
        Some((first, last)) => sample
            .iter()
            .position(|row| row.number >= first && row.number <= last)
            .map(|start| (start, sample.iter().rposition(|row| row.number <= last).unwrap_or(start))),
        None => find_header(sample),
    };
    let (first, last) = header?;
    let mut headers = join_header(&sample[first..=last]);
    let data = &sample[last + 1..];
    if widen {
        let filled = |row: &Row| row.cells.iter().rposition(|cell| !cell.is_blank()).map_or(0, |index| index + 1);
        let width = data.iter().map(filled).max().unwrap_or(0).max(headers.len());
        headers.resize(width, String::new());
    }
    let mut columns: Vec<ColumnAccount> = Vec::with_capacity(headers.len());
    let mut contents = Vec::with_capacity(headers.len());
    for (index, header) in headers.into_iter().enumerate() {
        let content = Content::of(data.iter().map(|row| row.text(index)));
        columns.push(ColumnAccount {
            letter: letter(index),
            header,
            role: Role::Attribute,
            filled: content.filled,
            distinct: content.distinct,
            mean_chars: content.mean_chars,
        });
        contents.push(content);
    }
    let mut is_long = assign_roles(&mut columns, &contents);
    if let Some(map) = map {
        apply_map(&mut columns, map);
        is_long = columns.iter().any(|column| column.role == Role::Text);
    }
    for column in &mut columns {
        if column.header.is_empty() && column.role == Role::Attribute {
            if column.filled == 0 {
                column.role = Role::Ignored
            } else {
                column.header = format!("{}列", column.letter)
            }
        }
    }
    let has_text = columns.iter().any(|column| matches!(column.role, Role::Text | Role::Answer(_)));
    let id_repeats = columns.iter().any(|column| {
        column.role == Role::Id && column.distinct < column.filled && column.distinct * 10 <= column.filled * 9
    });
    Some(Layout { header: (first, last), columns, is_long, id_repeats, has_text })
}

fn assign_roles(columns: &mut [ColumnAccount], contents: &[Content]) -> bool {
    let words: Vec<Option<Word>> = columns.iter().map(|column| word_of(&column.header)).collect();
    let first_with = |word: &Word| words.iter().position(|found| found.as_ref() == Some(word));
    for (word, role) in [
        (Word::Id, Role::Id),
        (Word::Prefecture, Role::Prefecture),
        (Word::Facility, Role::Facility),
        (Word::Question, Role::Question),
    ] {
        if let Some(index) = first_with(&word) {
            columns[index].role = role;
        }
    }
    // A column of choices, or of the question's own wording, is not the number of the question.
    for (word, role, count) in [
        (Word::Prefecture, Role::Prefecture, contents.iter().map(|c| c.prefectures).collect::<Vec<_>>()),
        (Word::Facility, Role::Facility, contents.iter().map(|c| c.facilities).collect()),
    ] {
        if first_with(&word).is_none() {
            let by_content = (0..columns.len()).find(|&index| {
                columns[index].role == Role::Attribute
                    && contents[index].filled > 0
                    && count[index] * 10 >= contents[index].filled * 8
            });
            if let Some(index) = by_content {
                columns[index].role = role;
            }
        }
    }

    let mut answers = Vec::new();
    let mut text_words = Vec::new();
    for index in 0..columns.len() {
        if columns[index].role != Role::Attribute || columns[index].header.is_empty() {
            continue;
        }
        let (content, header) = (&contents[index], &columns[index].header);
        let question = question_of(header);
        let is_answer = match (&question, &words[index]) {
            (_, Some(Word::Identity)) => false,
            (None, Some(Word::Text)) => {
                text_words.push(index);
                false
            }
            (Some(_), _) if content.filled == 0 => asks_for_text(header),
            (Some(_), _) => {
                content.is_free_text() || (!content.is_choice() && (asks_for_text(header) || content.reads_as_text()))
            }
            (None, _) => content.is_free_text(),
        };
        if is_answer {
            answers.push((index, question.unwrap_or_else(|| header.clone())));
        }
    }
    // A bare 「問7」 with a handful of short answers is free text when nothing else is and it is no choice.
    if answers.is_empty() && text_words.is_empty() {
        for index in 0..columns.len() {
            let question = question_of(&columns[index].header);
            if let Some(question) = question
                && columns[index].role == Role::Attribute
                && !contents[index].is_choice()
                && contents[index].mean_chars >= 5
            {
                answers.push((index, question));
            }
        }
    }
    // One column named as text and none numbered: one row is one comment.
    let has_question = columns.iter().any(|column| column.role == Role::Question);
    let numbered = answers.iter().any(|(index, _)| question_of(&columns[*index].header).is_some());
    if !text_words.is_empty() && (has_question || !numbered) {
        let index = *text_words
            .iter()
            .max_by_key(|&&index| {
                (contents[index].is_free_text(), contents[index].mean_chars, std::cmp::Reverse(index))
            })
            .expect("the list is not empty");
        let others: Vec<_> =
            text_words.iter().filter(|&&other| other != index && contents[other].is_free_text()).collect();
        if has_question || (others.is_empty() && answers.is_empty()) {
            columns[index].role = Role::Text;
            return true;
        }
    }
    for index in text_words {
        // 「備考」 beside 問7 is a comment column only when it reads like one.
        if contents[index].is_free_text() {
            answers.push((index, columns[index].header.clone()));
        }
    }
    answers.sort();
    for (index, question) in answers {
        columns[index].role = Role::Answer(question);
    }
    // In wide form the header names the question; a column of that name is an answer like others.
    for column in columns.iter_mut().filter(|column| column.role == Role::Question) {
        column.role = Role::Attribute;
    }
    false
}

fn apply_map(columns: &mut [ColumnAccount], map: &ColumnMap) {
    // What the map names, it settles: a role that it gives to one column is taken from others.
    for (role, mapped) in [
        (Role::Id, MappedRole::Id),
        (Role::Prefecture, MappedRole::Prefecture),
        (Role::Facility, MappedRole::Facility),
        (Role::Question, MappedRole::Question),
        (Role::Text, MappedRole::Text),
    ] {
        if map.columns.values().any(|found| *found == mapped) {
            for column in columns.iter_mut().filter(|column| column.role == role) {
                column.role = Role::Attribute;
            }
        }
    }
    for column in columns.iter_mut() {
        let Some(mapped) = map.role_of(&column.header, &column.letter) else {
            continue;
        };
        column.role = match mapped {
            MappedRole::Id => Role::Id,
            MappedRole::Prefecture => Role::Prefecture,
            MappedRole::Facility => Role::Facility,
            MappedRole::Question => Role::Question,
            MappedRole::Text => Role::Text,
            MappedRole::Answer(question) => Role::Answer(question.clone()),
            MappedRole::NamedAnswer => Role::Answer(column.header.clone()),
            MappedRole::Attribute => Role::Attribute,
            MappedRole::Ignored => Role::Ignored,
        };
    }
    // A map that names no text column by 本文 but questions is wide, and the other way round.
    if map.columns.values().any(|found| matches!(found, MappedRole::Answer(_) | MappedRole::NamedAnswer)) {
        for column in columns.iter_mut().filter(|column| column.role == Role::Text) {
            if map.role_of(&column.header, &column.letter).is_none() {
                column.role = Role::Attribute;
            }
        }
    }
}

/// The rows of the header in the sample.
fn find_header(sample: &[Row]) -> Option<(usize, usize)> {
    let search = &sample[..sample.len().min(HEADER_SEARCH)];
    let known = |row: &Row| {
        (0..row.cells.len())
            .filter(|&index| {
                let cell = row.text(index);
                cell.chars().count() <= 200
                    && (question_of(cell).is_some() || word_of(cell).is_some_and(|word| word != Word::Identity))
            })
            .count()
    };
    let scores: Vec<usize> = search.iter().map(known).collect();
    let best = scores.iter().copied().max().unwrap_or(0);
    let main = if best > 0 {
        scores.iter().position(|score| *score == best)?
    } else {
        // No word is known: the first row with two short cells, or with one where the table has one column.
        let width = search.iter().map(Row::filled).max().unwrap_or(0);
        search.iter().position(|row| {
            row.filled() >= width.min(2) && row.cells.iter().all(|cell| cell.as_text().chars().count() <= 120)
        })?
    };

    // A second row below: it fills blanks of the first (its merged cells), and where the first names the
    // respondent it has nothing.
    if let (Some(upper), Some(lower)) = (search.get(main), search.get(main + 1)) {
        let fills = (0..lower.cells.len()).any(|index| upper.is_blank(index) && !lower.is_blank(index) && index > 0);
        let respondent: Vec<usize> = (0..upper.cells.len())
            .filter(|&index| matches!(word_of(upper.text(index)), Some(Word::Id | Word::Prefecture | Word::Facility)))
            .collect();
        let is_header = !respondent.is_empty()
            && respondent.iter().all(|&index| lower.is_blank(index))
            && lower.cells.iter().all(|cell| cell.as_text().chars().count() <= 40);
        if fills && is_header && follows(upper, lower) {
            return Some((main, main + 1));
        }
    }
    // A row of group headings above: more than a title, and it says something that the main row does not.
    if let Some(above) = main.checked_sub(1) {
        let (upper, lower) = (&search[above], &search[main]);
        let names_blank = (0..upper.cells.len()).any(|index| !upper.is_blank(index) && lower.is_blank(index));
        let has_question = (0..upper.cells.len()).any(|index| question_of(upper.text(index)).is_some());
        if follows(upper, lower) && upper.filled() >= 2 && (names_blank || has_question) {
            return Some((above, main));
        }
    }
    Some((main, main))
}

/// Whether no blank row lies between two. Rows of text are numbered by their first line and may have several.
fn follows(upper: &Row, lower: &Row) -> bool {
    let breaks: usize = upper.cells.iter().map(|cell| cell.as_text().matches('\n').count()).sum();
    let distance = lower.number.saturating_sub(upper.number);
    distance == 1 || distance == 1 + breaks as u64
}

/// One header per column; those of two rows are joined, and a merged cell above counts for all columns below it.
fn join_header(rows: &[Row]) -> Vec<String> {
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let clean = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut headers = vec![String::new(); width];
    for (depth, row) in rows.iter().enumerate() {
        let is_last = depth + 1 == rows.len();
        let mut merged = String::new();
        for (index, header) in headers.iter_mut().enumerate() {
            let mut cell = clean(row.text(index));
            if is_last {
                merged.clear();
            } else if cell.is_empty() && rows.get(depth + 1).is_some_and(|below| !below.is_blank(index)) {
                cell.clone_from(&merged);
            } else {
                merged.clone_from(&cell);
            }
            if !cell.is_empty() && *header != cell {
                // A group's heading (基本情報, 自由記載) says nothing that the column does not say better; the
                // number of a question above does.
                let says_all = question_of(&cell).is_some() || word_of(&cell).is_some();
                if question_of(header).is_none() && says_all {
                    header.clear();
                }
                if !header.is_empty() {
                    header.push(' ');
                }
                header.push_str(&cell);
            }
        }
    }
    while headers.last().is_some_and(String::is_empty) {
        headers.pop();
    }
    // The same header twice would hide one column behind the other.
    let mut seen = HashSet::new();
    for (index, header) in headers.iter_mut().enumerate() {
        if !header.is_empty() && !seen.insert(header.clone()) {
            *header = format!("{header}（{}列）", letter(index));
            seen.insert(header.clone());
        }
    }
    headers
}

/// The letter of a column, from 0 (A, B … Z, AA …).
pub(super) fn letter(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).expect("a remainder of 26 fits a byte")));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => break,
        }
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn question(header: &str, expected: Option<&str>) {
        assert_eq!(question_of(header).as_deref(), expected, "{header}");
    }

    #[test]
    fn questions_of_headers() {
        question("問7. 特筆すべき事例", Some("問7"));
        question("問７（自由記載）", Some("問7"));
        question("Q7", Some("問7"));
        question("Ｑ１３　ご意見", Some("問13"));
        question("【問6】クレーム", Some("問6"));
        question("設問 10", Some("問10"));
        question("問7②", Some("問7-2"));
        question("問7(2) 自由記載", Some("問7-2"));
        question("問7-1", Some("問7-1"));
        question("問7（自由記載）", Some("問7"));
        question("7. 特筆すべき事例", Some("問7"));
        question("問7.2025年の事例", Some("問7"));
        question("2025年度", None);
        question("問題点", None);
        question("質問", None);
        question("10.5", None);
    }

    #[test]
    fn letters_of_columns() {
        for (index, expected) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")] {
            assert_eq!(letter(index), expected);
        }
    }
}
