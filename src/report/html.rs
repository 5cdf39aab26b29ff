//! One self-contained page: nothing is loaded from elsewhere.

use std::sync::OnceLock;

use minijinja::{AutoEscape, Environment, value::Serde};
use serde::Serialize;

use super::{
    Appendix, ReportError, Row, Table,
    printable::{one_line, printable},
};

const TEMPLATE: &str = include_str!("appendix.html");

#[derive(Serialize)]
struct Page<'a> {
    title: String,
    survey_line: Option<String>,
    source_line: Option<String>,
    legend: Vec<String>,
    tables: Vec<Section<'a>>,
}

#[derive(Serialize)]
struct Section<'a> {
    id: &'a str,
    number: usize,
    heading: String,
    introduction: Vec<String>,
    count_line: String,
    parts: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    heading: Option<String>,
    rows: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    number: usize,
    label: &'a str,
    prefecture: String,
    facility: String,
    quote: String,
    question: Option<String>,
    similar: usize,
    reference: Option<&'a str>,
}

pub(super) fn render(appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let line = |line: &Option<String>| line.as_deref().map(one_line);
    let page = Page {
        title: one_line(&appendix.title),
        survey_line: line(&appendix.survey_line),
        source_line: line(&appendix.source_line),
        legend: appendix.legend().iter().map(|line| one_line(line)).collect(),
        tables: appendix.tables().map(section).collect(),
    };
    let html = environment().get_template("appendix.html")?.render(Serde(&page))?;
    Ok(html.into_bytes())
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_template("appendix.html", TEMPLATE).expect("the template is compiled in and tested");
        environment
    })
}

fn section(table: &Table) -> Section<'_> {
    Section {
        id: &table.id,
        number: table.number,
        heading: one_line(&table.heading),
        introduction: table.introduction.iter().map(|paragraph| one_line(paragraph)).collect(),
        count_line: table.count_line(),
        parts: table
            .parts
            .iter()
            .map(|part| Group {
                heading: part.heading.as_deref().map(one_line),
                rows: part.rows.iter().map(entry).collect(),
            })
            .collect(),
    }
}

fn entry(row: &Row) -> Entry<'_> {
    let name = |name: &Option<String>| name.as_deref().map_or_else(|| "―".to_owned(), one_line);
    Entry {
        number: row.number,
        label: &row.label,
        prefecture: name(&row.prefecture),
        facility: name(&row.facility),
        quote: printable(&row.quote).into_owned(),
        question: row.question_note().as_deref().map(one_line),
        similar: row.similar,
        reference: row.reference.as_deref(),
    }
}
