//! The pages that describe the rule language: every example on them is run, and every form of the language has one.
//!
//! Blocks marked `toml` are whole rule files, whose own examples must come out without a warning. Tables whose last two
//! columns are 「matches」 and 「does not match」 hold a pattern and texts; the concepts and rules that it names are
//! those of the page's first block. A table of text, categories and primary belongs to the block before it.

use std::{collections::BTreeSet, sync::Arc};

use jirei::{
    comment::Comment,
    rule::{ExampleOutcome, Matcher, RuleSet, embedded_rules, parse_pattern, syntax::*},
    source::Source,
};

use crate::support::{ANALYZER, POLARITY, classify};

const PAGES: [(&str, &str); 2] =
    [("rules.md", include_str!("../docs/rules.md")), ("rules.ja.md", include_str!("../docs/rules.ja.md"))];

/// Compiles a rule file of a page with the code frame of the program.
#[track_caller]
fn compile(name: &str, rules: &str) -> RuleSet {
    let codebook = embedded_rules().into_iter().find(|source| source.path().ends_with("codebook.toml"));
    let sources: Vec<Arc<Source>> = vec![
        codebook.expect("the program carries a code frame"),
        Source::new("polarity.toml", POLARITY),
        Source::new(name, rules),
    ];
    RuleSet::from_sources(&sources, &ANALYZER).unwrap_or_else(|error| {
        panic!("{}\n{rules}", error.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// A block of a page.
enum Part {
    Toml(String),
    /// Header and rows.
    Table(Vec<String>, Vec<Vec<String>>),
}

/// The parts of a page that hold examples, in their order.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "```toml" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            parts.push(Part::Toml(block.join("\n") + "\n"));
        } else if line.starts_with("```") {
            lines.by_ref().find(|line| *line == "```");
        } else if line.starts_with('|') {
            let header = cells(line);
            let mut rows = Vec::new();
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            parts.push(Part::Table(header, rows.split_off(1)));
        }
    }
    parts
}

/// The cells of a row; `\|` is a bar within a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').replace("\\|", "\u{1}");
    let row = row.strip_suffix('|').expect("a row ends with a bar");
    row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// A text of a table, with attributes after ` @`.
fn comment(cell: &str) -> Comment {
    let mut parts = cell.split(" @");
    let mut comment = Comment::from_text(parts.next().unwrap_or("").trim());
    for attribute in parts {
        let (name, value) = attribute.split_once('=').expect("an attribute is written name=value");
        match name {
            "question" => comment.question = Some(value.to_owned()),
            "prefecture" => comment.prefecture = Some(value.to_owned()),
            "facility" => comment.facility = Some(value.to_owned()),
            name => {
                comment.attributes = [(name.to_owned(), value.to_owned())].into_iter().collect();
            }
        }
    }
    comment
}

/// Whether the example's rule fires.
fn fires(rules: &RuleSet, comment: &Comment) -> bool {
    let example = rules.rules().position(|rule| &**rule.id == "example").expect("it was written into the file");
    Matcher::new(rules).fired_rules(&ANALYZER.worker().analyze(&comment.text), comment).contains(&example)
}

fn first_block(page: &str) -> String {
    let first = parts(page).into_iter().find_map(|part| match part {
        Part::Toml(block) => Some(block),
        Part::Table(..) => None,
    });
    first.expect("a page begins with a rule file")
}

/// The patterns of the tables with the texts that match and those that do not.
fn rows(page: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let texts = |cell: &str| cell.split("<br>").map(str::to_owned).filter(|text| !text.is_empty()).collect::<Vec<_>>();
    let mut found = Vec::new();
    for part in parts(page) {
        let Part::Table(header, rows) = part else { continue };
        if !header.last().is_some_and(|last| matches!(last.as_str(), "does not match" | "当たらない文")) {
            continue;
        }
        for row in rows {
            assert_eq!(row.len(), header.len(), "{row:?}");
            let [.., matching, other] = &row[..] else { panic!("{row:?}") };
            found.push((row[0].trim_matches('`').to_owned(), texts(matching), texts(other)));
        }
    }
    found
}

#[test]
fn the_code_frames_of_the_pages_can_be_used() {
    let rule =
        "[[rule]]\nid = \"t\"\ncategory = \"device\"\npattern = \"端末\"\nmatch = [\"端末\"]\nno_match = [\"\"]\n";
    for (name, page) in PAGES {
        let frame = page.split("```toml codebook.toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let frame = frame.unwrap_or_else(|| panic!("{name} shows no code frame"));
        let sources = [Source::new("codebook.toml", frame), Source::new("t.toml", rule)];
        let rules = RuleSet::from_sources(&sources, &ANALYZER).unwrap_or_else(|error| panic!("{name}: {:?}", error.0));
        assert!(rules.warnings().is_empty(), "{name}: {:?}", rules.warnings());
    }
}

#[test]
fn the_files_of_the_pages_come_out() {
    for (name, page) in PAGES {
        for part in parts(page) {
            let Part::Toml(block) = part else { continue };
            let rules = compile(name, &block);
            let warnings: Vec<String> = rules.warnings().iter().map(ToString::to_string).collect();
            assert!(warnings.is_empty(), "{name}: {}", warnings.join("\n"));
            for report in rules.run_examples(&ANALYZER) {
                assert_eq!(report.outcome, ExampleOutcome::Passed, "{name}: {}: {}", report.rule, report.text);
            }
        }
    }
}

#[test]
fn the_patterns_of_the_pages_match_what_they_say() {
    let mut wrong = Vec::new();
    for (name, page) in PAGES {
        let first = first_block(page);
        for (pattern, matching, other) in rows(page) {
            assert!(!matching.is_empty() && !other.is_empty(), "{name}: {pattern} has no example");
            let rules = compile(
                name,
                &format!("{first}\n[[rule]]\nid = \"example\"\ncategory = \"elderly\"\npattern = '''{pattern}'''\n"),
            );
            for (texts, wanted) in [(matching, true), (other, false)] {
                for text in texts {
                    if fires(&rules, &comment(&text)) != wanted {
                        let what = if wanted { "does not match" } else { "matches" };
                        wrong.push(format!("{name}: {pattern} {what} {text}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_classifications_of_the_pages_come_out() {
    for (name, page) in PAGES {
        let mut block = String::new();
        let mut tables = 0;
        for part in parts(page) {
            let rows = match part {
                Part::Toml(toml) => {
                    block = toml;
                    continue;
                }
                Part::Table(header, rows) if matches!(header[0].as_str(), "text" | "回答") && header.len() == 3 => {
                    rows
                }
                Part::Table(..) => continue,
            };
            tables += 1;
            let rules = compile(name, &block);
            for row in rows {
                let found = classify(&rules, &comment(&row[0]));
                let id = |category| rules.codebook()[category].id.to_string();
                let categories: Vec<String> = found.categories().map(id).collect();
                assert_eq!(categories.join(" "), row[1], "{name}: {}", row[0]);
                assert_eq!(found.primary.map(id).unwrap_or_default(), row[2], "{name}: {}", row[0]);
            }
        }
        assert!(tables > 0, "{name} shows no classification");
    }
}

/// The forms of the language that a tree shows. No arm stands for the rest: a new form must be named here.
fn forms(node: &Node, found: &mut BTreeSet<&'static str>) {
    let distance = |distance: &Distance| match (distance.morphemes, distance.unit) {
        (Some(10), Unit::Sentence) => "distance by default",
        (Some(_), Unit::Sentence) => "distance",
        (None, Unit::Sentence) => "any distance",
        (Some(10), Unit::Comment) => "across sentences",
        (_, Unit::Comment) => "distance across sentences",
    };
    match &node.expr {
        Expr::Word(WordTest { word, reading, pos, form, surface }) => {
            found.insert(match word {
                Some(WordShape::Exact(word)) if ANALYZER.worker().analyze(word).morphemes.len() > 1 => {
                    "several morphemes"
                }
                Some(WordShape::Exact(_)) => "word",
                Some(WordShape::Prefix(_)) => "beginning of a word",
                Some(WordShape::Suffix(_)) => "end of a word",
                None => "any word",
            });
            let tests = [(reading, "reading"), (pos, "part of speech"), (form, "inflected form"), (surface, "surface")];
            found.extend(tests.into_iter().filter(|(test, _)| test.is_some()).map(|(_, name)| name));
        }
        Expr::Literal(_) => drop(found.insert("literal")),
        Expr::Regex(_) => drop(found.insert("regular expression")),
        Expr::Concept(_) => drop(found.insert("concept")),
        Expr::Phrase(_) => drop(found.insert("phrase")),
        Expr::Ordered { distance: within, .. } => found.extend(["ordered", distance(within)]),
        Expr::Near { parts, distance: within } => {
            found.extend(["near", distance(within)]);
            if parts.windows(2).any(|pair| pair[0].expr == pair[1].expr) {
                found.insert("a word twice");
            }
        }
        Expr::Except(..) => drop(found.insert("except")),
        Expr::Aligned(Alignment::Start, _) => drop(found.insert("start")),
        Expr::Aligned(Alignment::Both, _) => drop(found.insert("whole")),
        Expr::Feature(feature, _) => {
            found.extend(Feature::NAMES.iter().find(|(_, known)| known == feature).map(|(name, _)| name));
        }
        Expr::Any(_) if node.expr.is_span() => drop(found.insert("alternatives")),
        Expr::Any(_) => drop(found.insert("or")),
        Expr::All(_) => drop(found.insert("and")),
        Expr::Not(inner) if matches!(inner.expr, Expr::Not(_)) => drop(found.insert("condition without evidence")),
        Expr::Not(_) => drop(found.insert("not")),
        Expr::Compare { sum, comparison, .. } => {
            found.insert(if sum.len() > 1 { "sum" } else { "comparison" });
            found.extend(sum.iter().map(|quantity| match quantity {
                Quantity::Count(_) => "count",
                Quantity::Characters => "chars",
                Quantity::Morphemes => "words",
            }));
            found.insert(match comparison {
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Equal => "==",
            });
        }
        Expr::Attribute { values, negated, .. } => {
            found.insert(match (negated, values.len() > 1) {
                (false, false) => "attribute",
                (true, false) => "other attribute",
                (false, true) => "attribute in a set",
                (true, true) => "attribute not in a set",
            });
        }
        Expr::RuleRef(_) => drop(found.insert("rule")),
        Expr::CategoryRef(_) => drop(found.insert("category")),
        Expr::Within(Unit::Sentence, _) => drop(found.insert("sentence")),
        Expr::Within(Unit::Comment, _) => drop(found.insert("comment")),
    }
    node.expr.children().into_iter().for_each(|child| forms(child, found));
}

/// Every form, by the name that [`forms`] gives it.
const FORMS: [&str; 56] = [
    "word",
    "several morphemes",
    "beginning of a word",
    "end of a word",
    "any word",
    "reading",
    "part of speech",
    "inflected form",
    "surface",
    "literal",
    "regular expression",
    "concept",
    "phrase",
    "ordered",
    "near",
    "distance by default",
    "distance",
    "any distance",
    "across sentences",
    "distance across sentences",
    "a word twice",
    "except",
    "start",
    "whole",
    "neg",
    "aff",
    "double",
    "wish",
    "hypo",
    "fact",
    "over",
    "alternatives",
    "or",
    "and",
    "not",
    "condition without evidence",
    "sum",
    "comparison",
    "count",
    "chars",
    "words",
    ">",
    ">=",
    "<",
    "<=",
    "==",
    "attribute",
    "other attribute",
    "attribute in a set",
    "attribute not in a set",
    "rule",
    "category",
    "sentence",
    "comment",
    "unless",
    "scope",
];

#[test]
fn every_form_of_the_language_has_an_example() {
    for (name, page) in PAGES {
        let mut found = BTreeSet::new();
        for (pattern, ..) in rows(page) {
            forms(&parse_pattern(&pattern).unwrap_or_else(|error| panic!("{pattern}: {error:?}")), &mut found);
        }
        let blocks: String = parts(page)
            .into_iter()
            .filter_map(|part| match part {
                Part::Toml(block) => Some(block),
                Part::Table(..) => None,
            })
            .collect();
        for (key, form) in [("unless =", "unless"), ("scope =", "scope")] {
            if blocks.contains(key) {
                found.insert(form);
            }
        }
        let missing: Vec<&str> = FORMS.into_iter().filter(|form| !found.contains(form)).collect();
        assert!(missing.is_empty(), "{name} has no example of {missing:?}");
        let unnamed: Vec<&str> = found.into_iter().filter(|form| !FORMS.contains(form)).collect();
        assert!(unnamed.is_empty(), "{unnamed:?} is not among the forms");
        // Keys of rules, and values other than the defaults.
        for written in [
            "id =",
            "category =",
            "pattern =",
            "note =",
            "match =",
            "no_match =",
            "known_miss =",
            "known_false =",
            "scope = \"comment\"",
            "strength = \"weak\"",
            "kind = \"exclude\"",
            "category = \"*\"",
            "concreteness = \"wish\"",
            "concreteness = \"general\"",
            "[concepts]",
        ] {
            assert!(blocks.contains(written), "{name} has no example of {written}");
        }
    }
}
