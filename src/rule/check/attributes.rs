//! Lints of attributes: names and values that no comment has as it is read.

use super::Lint;
use crate::{
    diagnostic::{Diagnostic, closest},
    read::header::{question_value, standard_attribute},
    respondent::{Facility, Prefecture, is_unanswered},
    rule::{
        file::{PatternText, Rule},
        syntax::Node,
    },
    source::Span,
};

/// What is wrong with a name or a value, and what to write.
type Fault = (&'static str, String, String);

impl Lint<'_> {
    /// A test that no comment passes, or every one.
    pub(super) fn attribute(
        &mut self,
        node: &Node,
        pattern: &PatternText,
        (name, values, negated): (&str, &[String], bool),
    ) {
        let faults =
            name_fault(name, values).into_iter().chain(values.iter().filter_map(|value| value_fault(name, value)));
        for (id, message, help) in faults {
            let what = match (negated, values.len()) {
                (false, 1) => "この条件は成り立ちません",
                (true, 1) => "この条件はつねに成り立ちます",
                _ => "その値は何も変えません",
            };
            self.warn(id, pattern, node, format!("{message}ので、{what}"), Some(help));
        }
    }

    /// Attributes of examples that no rule looks at, or with values that no comment has.
    pub(super) fn example_attributes(&mut self, rules: &[Rule]) {
        for example in rules.iter().flat_map(|rule| &rule.examples) {
            for (name, value) in &example.attributes {
                if !is_standard(name) && !self.attributes.contains(name) {
                    let known = STANDARD.iter().copied().chain(self.attributes.iter().map(String::as_str));
                    let message = format!("例の属性「{name}」はどの規則も見ていません");
                    let help = match closest(name, known) {
                        Some(close) => format!("「{close}」ではありませんか"),
                        None => "規則に「@」で書いた名前と同じにするか、消してください".to_owned(),
                    };
                    self.tell(&example.span, ("unused-attribute", message, help));
                } else if let Some((id, message, help)) = value_fault(name, value) {
                    self.tell(&example.span, (id, format!("{message}ので、この例のような回答はありません"), help));
                }
            }
        }
    }

    fn tell(&mut self, span: &Span, (id, message, help): Fault) {
        self.diagnostics.push(Diagnostic::warning(id, span.clone(), message).help(help));
    }
}

const STANDARD: [&str; 6] = ["question", "prefecture", "facility", "設問", "都道府県", "施設"];

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

/// A name that is nearly a standard one, or the header of a column that is read as one.
fn name_fault(name: &str, values: &[String]) -> Option<Fault> {
    const ID: &str = "attribute-name";
    if is_standard(name) {
        return None;
    }
    if let Some(standard) = standard_attribute(name) {
        // What was written of the institution is kept where it is not the official name.
        if standard == "facility"
            && !values.iter().any(|value| Facility::parse(value).is_some_and(|f| f.name() == value))
        {
            return None;
        }
        let help = format!("@{standard} と書いてください");
        return Some((ID, format!("「{name}」の列は {standard} として読まれ、この名前では残らない"), help));
    }
    let close = closest(name, STANDARD)?;
    Some((ID, format!("「{name}」という見出しの列がなければ値がない"), format!("「{close}」ではありませんか")))
}

/// A value that is read as another.
fn value_fault(name: &str, value: &str) -> Option<Fault> {
    const ID: &str = "attribute-value";
    let kept = match name {
        "question" | "設問" => question_value(value),
        "facility" | "施設" => Facility::parse(value)?.name().to_owned(),
        "prefecture" | "都道府県" => match Prefecture::parse(value) {
            Some(prefecture) => prefecture.name().to_owned(),
            None if is_unanswered(value) => return None,
            None => {
                let help = match closest(value, Prefecture::all().map(Prefecture::name)) {
                    Some(close) => format!("「{close}」ではありませんか"),
                    None => "「東京都」のように書いてください".to_owned(),
                };
                return Some((ID, format!("「{value}」という都道府県はない"), help));
            }
        },
        _ => return None,
    };
    if kept == value {
        return None;
    }
    Some((ID, format!("「{value}」は「{kept}」として読み込まれる"), format!("「{kept}」と書いてください")))
}
