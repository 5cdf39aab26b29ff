//! The check of details that identify someone, on invented quotes. `planted.tsv` and `clean.txt` were written before the
//! check was tuned, `*_check.*` and `planted_last.tsv` to measure it, `*_first.*` are older.

use jirei::report::{DetailFinder, DetailKind, DisclosureWords, Finding, mask_details};

use crate::support::ANALYZER;

const PLANTED: [(&str, &str); 4] = [
    ("planted.tsv", include_str!("fixtures/disclosure/planted.tsv")),
    ("planted_check.tsv", include_str!("fixtures/disclosure/planted_check.tsv")),
    ("planted_last.tsv", include_str!("fixtures/disclosure/planted_last.tsv")),
    ("planted_first.tsv", include_str!("fixtures/disclosure/planted_first.tsv")),
];
const CLEAN: [(&str, &str); 3] = [
    ("clean.txt", include_str!("fixtures/disclosure/clean.txt")),
    ("clean_check.txt", include_str!("fixtures/disclosure/clean_check.txt")),
    ("clean_first.txt", include_str!("fixtures/disclosure/clean_first.txt")),
];

fn finder() -> DetailFinder<'static> {
    DetailFinder::new(&ANALYZER, &DisclosureWords::default())
}

/// Kind, words and text of each line.
fn planted(file: &str) -> Vec<(DetailKind, &str, &str)> {
    let kind = |name: &str| match name {
        "person" => DetailKind::Person,
        "phone" => DetailKind::Phone,
        "mail" => DetailKind::Mail,
        "web" => DetailKind::Web,
        "address" => DetailKind::Address,
        "number" => DetailKind::Number,
        "institution" => DetailKind::Institution,
        "vendor" => DetailKind::Vendor,
        "date" => DetailKind::Date,
        other => panic!("{other}"),
    };
    let lines = file.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.map(|cells| (kind(cells[0]), cells[1], cells[2])).collect()
}

/// Whether the findings cover a detail from its first character to its last.
fn covers(findings: &[Finding], text: &str, detail: &str) -> bool {
    let start = text[..text.find(detail).expect("the detail is in the text")].chars().count();
    let end = start + detail.chars().count();
    (start..end).all(|at| findings.iter().any(|finding| finding.char_range.contains(&at)))
}

#[test]
#[allow(clippy::print_stderr, reason = "figures for whoever tunes")]
fn planted_details_are_found() {
    let finder = finder();
    for (name, file) in PLANTED {
        let planted = planted(file);
        let (mut missed, mut misnamed) = (Vec::new(), Vec::new());
        for (kind, detail, text) in &planted {
            let findings = finder.find(text);
            if !covers(&findings, text, detail) {
                missed.push(format!("{kind:?} {detail}: {text} {findings:?}"));
            } else if !findings.iter().any(|finding| finding.kind == *kind) {
                misnamed.push(format!("{kind:?} {detail}: {text} {findings:?}"));
            }
        }
        eprintln!(
            "{name}: {} of {} found, {} under another kind",
            planted.len() - missed.len(),
            planted.len(),
            misnamed.len()
        );
        eprintln!("{}", missed.iter().chain(&misnamed).map(String::as_str).collect::<Vec<_>>().join("\n"));
        assert!(planted.len() >= 60 && missed.len() * 20 <= planted.len(), "{name}: {missed:#?}");
        assert!(misnamed.len() * 10 <= planted.len(), "{name}: {misnamed:#?}");
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "figures for whoever tunes")]
fn clean_quotes_raise_no_alarm() {
    let finder = finder();
    let gold = include_str!("../corpus/gold.jsonl");
    let gold: Vec<String> = gold
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["text"].as_str().expect("text").to_owned()
        })
        .collect();
    let sets = CLEAN.into_iter().map(|(name, file)| (name, file.lines().map(str::to_owned).collect::<Vec<_>>()));
    for (name, texts) in sets.chain([("gold.jsonl", gold)]) {
        let alarms: Vec<_> =
            texts.iter().map(|text| (text, finder.find(text))).filter(|(_, findings)| !findings.is_empty()).collect();
        eprintln!("{name}: {} of {} raise an alarm", alarms.len(), texts.len());
        for (text, findings) in &alarms {
            eprintln!("  {text} {:?}", findings.iter().map(|f| (f.kind, f.text.as_str())).collect::<Vec<_>>());
        }
        assert!(alarms.len() * 20 <= texts.len(), "{name}: {alarms:#?}");
    }
}

#[test]
fn ranges_count_characters_and_masks_leave_nothing() {
    let finder = finder();
    for (_, file) in PLANTED {
        for (_, _, text) in planted(file) {
            let findings = finder.find(text);
            for finding in &findings {
                let slice: String =
                    text.chars().skip(finding.char_range.start).take(finding.char_range.len()).collect();
                assert_eq!(slice, finding.text);
            }
            assert!(findings.windows(2).all(|pair| pair[0].char_range.end <= pair[1].char_range.start));
            let again = finder.find(&mask_details(text, &findings));
            assert!(again.is_empty(), "{text}: {again:?}");
        }
    }
}

#[test]
fn words_of_the_analyst() {
    let words = DisclosureWords { vendors: vec!["ﾐﾗｲｹｱ".to_owned()], harmless: vec!["富士通".to_owned()] };
    let finder = DetailFinder::new(&ANALYZER, &words);
    let found = |text: &str| finder.find(text).into_iter().map(|finding| finding.text).collect::<Vec<_>>();
    assert_eq!(found("ミライケアの端末が止まった。"), ["ミライケア"]);
    assert_eq!(found("富士通の端末が止まった。"), [""; 0]);
}
