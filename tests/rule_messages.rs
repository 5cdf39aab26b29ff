//! What a rule author is told: the mistakes that people make most often, each with its whole message.

use std::fmt::Write;

use jirei::{diagnostic::Diagnostic, rule::RuleSetError};

use crate::support::compile;

/// A rule file of one rule with a pattern, written as a TOML string of the file.
fn rule(pattern: &str) -> String {
    format!(
        "category = \"a\"\n\n[concepts]\n\"読み取り機\" = \"カードリーダー | 端末\"\n\n[[rule]]\nid = \"kosho\"\npattern = {pattern}\nunless = \"<読み取り機> & 訓練\"\nmatch = [\"端末が故障した\"]\nno_match = [\"端末の訓練\"]\n"
    )
}

fn diagnostics(rules: &str) -> Vec<Diagnostic> {
    match compile(rules) {
        Ok(rules) => rules.warnings().to_vec(),
        Err(RuleSetError(diagnostics)) => diagnostics,
    }
}

/// The mistakes, as (what the author did, the file).
fn mistakes() -> Vec<(&'static str, String)> {
    let two = |first: &str, second: &str| {
        format!(
            "category = \"a\"\n[[rule]]\n{first}\nmatch = [\"故障\"]\nno_match = [\"訓練\"]\n\n[[rule]]\n{second}\nmatch = [\"故障\"]\nno_match = [\"訓練\"]\n"
        )
    };
    vec![
        ("full-width operator", rule("\"端末の故障 ｜ 不調\"")),
        ("full-width brackets", rule("\"（故障 | 不調） & 受付\"")),
        ("words side by side", rule("\"受付 混雑\"")),
        ("quote not closed", rule("\"受付 & '混んで\"")),
        ("bracket not closed", rule("\"受付 & (混雑 | 行列\"")),
        ("bracket too many", rule("\"受付 & 混雑) | 行列\"")),
        ("operator at the end", rule("\"受付 | 混雑 |\"")),
        ("near as in KH Coder", rule("\"near(受付-混雑)[5]\"")),
        ("code as in KH Coder", rule("\"受付 & <*混雑のコード>\"")),
        ("variable as in KH Coder", rule("\"受付 & <>設問-->問11\"")),
        ("count as in KH Coder", rule("\"受付 & 混雑 >= 2\"")),
        ("function misspelt", rule("\"受付 & nera(端末, 故障)\"")),
        ("condition within a span", rule("\"near(端末, 故障 & 不調)\"")),
        ("concept misspelt", rule("\"故障 & <読取り機>\"")),
        ("part of speech misspelt", rule("\"受付 & 反映-->名司\"")),
        ("regular expression that is empty", rule("\"受付 & /[0-9]*割?/\"")),
        ("regular expression that is broken", rule("\"受付 & /10割(の/\"")),
        ("full-width digits in a regular expression", rule("\"受付 & /１０割/\"")),
        ("a word that is cut otherwise", rule("\"受付 & マイナンバーカードリーダー機-->名詞\"")),
        ("the reading in hiragana", rule("\"受付 & ~わかる\"")),
        ("a text that ends before its own negator", rule("\"near(受付, fact('わから'))\"")),
        ("a contradiction", rule("\"受付 & neg(aff(反映))\"")),
        ("a comparison that always holds", rule("\"受付 & count(故障) >= 0\"")),
        ("the same clause twice", rule("\"受付 & 故障 & 受付\"")),
        ("attribute without an operator", rule("\"受付 & @question 問11\"")),
        ("quotes of TOML within the pattern", rule("\"受付 & \"4けた\"\"")),
        ("backslash in a string of TOML", rule("\"受付 & /\\d割/\"")),
        ("string of TOML not closed", rule("\"受付 & 混雑")),
        ("array of TOML not closed", rule("[\"受付\", \"混雑\"")),
        ("a Japanese name without quotes", rule("\"受付\"").replace("\"読み取り機\" =", "読み取り機 =")),
        ("a Japanese comma", rule("\"near(端末、故障)\"")),
        ("key misspelt", rule("\"受付\"").replace("unless =", "unles =")),
        ("value misspelt", rule("\"受付\"").replace("[[rule]]", "[[rule]]\nstrength = \"week\"")),
        ("one bracket", rule("\"受付\"").replace("[[rule]]", "[rule]")),
        (
            "category misspelt",
            "category = \"b1\"\n[[rule]]\nid = \"t\"\npattern = \"受付\"\nmatch = [\"受付\"]\nno_match = [\"\"]\n"
                .to_owned(),
        ),
        ("id with a capital", rule("\"受付\"").replace("kosho", "Kosho-1")),
        ("no examples", "category = \"a\"\n[[rule]]\nid = \"t\"\npattern = \"受付\"\n".to_owned()),
        ("the same id twice", two("id = \"t\"\npattern = \"故障\"", "id = \"t\"\npattern = \"不調\"")),
        ("a rule within another", two("id = \"t\"\npattern = \"故障 | 不調\"", "id = \"u\"\npattern = \"不調\"")),
        (
            "rules that refer to each other",
            two("id = \"t\"\npattern = \"rule(u)\"", "id = \"u\"\npattern = \"故障 & rule(t)\""),
        ),
        (
            "a rule misspelt",
            two("id = \"device\"\npattern = \"故障\"", "id = \"u\"\npattern = \"不調 & rule(devise)\""),
        ),
        (
            "concepts that refer to each other",
            rule("\"<故障>\"").replace(
                "[concepts]\n",
                "[concepts]\n\"故障\" = \"不調 | <不具合>\"\n\"不具合\" = \"トラブル | <故障>\"\n",
            ),
        ),
        (
            "a concept that is not used",
            rule("\"受付\"").replace("[concepts]\n", "[concepts]\n\"窓口\" = \"受付 | カウンター\"\n"),
        ),
    ]
}

#[test]
fn frequent_mistakes() {
    let mut shown = String::new();
    for (what, rules) in mistakes() {
        let found = diagnostics(&rules);
        assert!(!found.is_empty(), "{what}: nothing is told");
        writeln!(shown, "# {what}\n").expect("a string takes everything");
        for diagnostic in found {
            writeln!(shown, "{diagnostic}").expect("a string takes everything");
        }
    }
    insta::assert_snapshot!(shown);
}
