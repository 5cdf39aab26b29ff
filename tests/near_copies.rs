//! Near-copies among many comments: invented sentences put together anew, some comments copied with small edits.

use std::collections::HashSet;

use jirei::report::group_similar;

/// As many texts as asked for, no two of them equal, the same each time.
fn many(count: usize) -> Vec<String> {
    let gold = include_str!("../corpus/gold.jsonl").lines().map(|line| {
        let comment: serde_json::Value = serde_json::from_str(line).expect("JSON");
        comment["text"].as_str().expect("a text").to_owned()
    });
    let sentences: Vec<String> = gold
        .flat_map(|text| text.split_inclusive('。').map(str::to_owned).collect::<Vec<_>>())
        .filter(|sentence| sentence.chars().count() >= 8)
        .collect();
    assert!(sentences.len() > 500);
    // A linear congruential generator (Knuth's constants): random enough, and the same everywhere.
    let mut state: u64 = 20_260_129;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut seen = HashSet::new();
    let mut texts = Vec::with_capacity(count);
    while texts.len() < count {
        let parts: Vec<&str> = (0..2 + draw(2)).map(|_| sentences[draw(sentences.len())].as_str()).collect();
        let text = parts.concat();
        if seen.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts
}

/// What people change when they send the same twice, or copy from a neighbour.
const EDITS: [fn(&str) -> String; 10] = [
    |text| text.replace('。', ""),
    |text| text.replace('、', ""),
    |text| text.replacen('。', "。\n", 1),
    |text| format!("・{}", text.trim_end_matches('。')),
    |text| text.replacen("患者さん", "患者様", 1).replacen("た。", "ました。", 1).replacen('が', "は", 1),
    |text| text.chars().take(text.chars().count() - 3).collect(),
    |text| text.replacen('に', "には", 1).replacen('で', "でも", 1),
    |text| format!("{text}困る。"),
    |text| text.replace("できない", "出来ない").replace("いただ", "頂").replace('？', "?").replacen('の', "のの", 1),
    |text| {
        let middle = text.chars().count() / 2;
        text.chars().enumerate().filter(|(at, _)| *at != middle && *at != middle + 1).map(|(_, c)| c).collect()
    },
];

#[test]
#[allow(clippy::print_stderr, reason = "figures for whoever tunes")]
fn two_hundred_among_ten_thousand() {
    let mut texts = many(9_800);
    let originals = texts.len();
    let copies: Vec<(usize, String)> = (0..200)
        .map(|n| {
            let original = n * 47 + 13;
            (original, EDITS[n % EDITS.len()](&texts[original]))
        })
        .collect();
    texts.extend(copies.iter().map(|(_, copy)| copy.clone()));
    let groups = group_similar(&texts);
    let is_found = |n: usize| groups[originals + n] == groups[copies[n].0];
    let missed: Vec<_> = (0..200).filter(|&n| !is_found(n)).map(|n| (n % EDITS.len(), &copies[n].1)).collect();
    let wrong: Vec<_> = (0..originals).filter(|&i| groups[i] != i).map(|i| (&texts[i], &texts[groups[i]])).collect();
    eprintln!(
        "{} of 200 near-copies grouped, {} of {originals} others grouped wrongly",
        200 - missed.len(),
        wrong.len()
    );
    assert!(missed.len() <= 10, "{missed:#?}");
    assert!(wrong.len() * 100 <= originals, "{wrong:#?}");
}

#[test]
fn other_incidents_in_the_same_words_stay_apart() {
    let texts = many(400);
    let digits = |text: &str| text.chars().any(|c| c.is_ascii_digit());
    let numbers: Vec<&String> = texts.iter().filter(|text| digits(text)).collect();
    assert!(numbers.len() > 50);
    for text in numbers {
        let digit = text.chars().find(char::is_ascii_digit).expect("it has one");
        let other = char::from(b'0' + (digit as u8 - b'0' + 1) % 10);
        let changed = text.replacen(digit, &other.to_string(), 1);
        assert_eq!(group_similar(&[text.as_str(), &changed])[1], 1, "{text} / {changed}");
    }
}
