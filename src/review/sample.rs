//! Drawing a part of the comments for a check.

use std::str::FromStr;

use crate::comment::CommentId;

/// How many comments to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// So many of a hundred, rounded up.
    Percent(f64),
    /// So many.
    Count(usize),
}

impl FromStr for Sample {
    type Err = String;

    /// Reads `5%`, `５％` or `200`.
    fn from_str(text: &str) -> Result<Self, String> {
        use unicode_normalization::UnicodeNormalization;
        let folded: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
        let wrong = || "「5%」のような割合か「200」のような件数で指定してください".to_owned();
        match folded.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.parse().map_err(|_| wrong())?;
                (percent > 0.0 && percent <= 100.0).then_some(Self::Percent(percent)).ok_or_else(wrong)
            }
            None => {
                let count: usize = folded.parse().map_err(|_| wrong())?;
                (count > 0).then_some(Self::Count(count)).ok_or_else(wrong)
            }
        }
    }
}

/// Keeps a simple random sample. Which comments are in it depends on the seed and their ids alone, not on their order:
/// each gets a lot, and the lowest lots are drawn.
pub fn sample<T>(items: Vec<T>, sample: Sample, seed: u64, id: impl Fn(&T) -> &CommentId) -> Vec<T> {
    let wanted = match sample {
        Sample::Percent(percent) => (items.len() as f64 * percent / 100.0).ceil() as usize,
        Sample::Count(count) => count,
    };
    let mut drawn: Vec<([u8; 32], T)> = items
        .into_iter()
        .map(|item| {
            let mut lot = blake3::Hasher::new();
            lot.update(&seed.to_le_bytes()).update(id(&item).as_str().as_bytes());
            (*lot.finalize().as_bytes(), item)
        })
        .collect();
    drawn.sort_by_key(|(lot, _)| *lot);
    drawn.truncate(wanted);
    drawn.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<usize>) -> Vec<CommentId> {
        range.map(|i| CommentId::new(i.to_string())).collect()
    }

    #[test]
    fn sizes_are_read() {
        for (text, expected) in [
            ("5%", Some(Sample::Percent(5.0))),
            ("２．５ ％", Some(Sample::Percent(2.5))),
            ("200", Some(Sample::Count(200))),
            ("0", None),
            ("0%", None),
            ("101%", None),
            ("-5%", None),
            ("NaN%", None),
            ("すこし", None),
        ] {
            assert_eq!(text.parse::<Sample>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_seed_and_the_ids_decide() {
        let draw = |items: Vec<CommentId>, seed| {
            let mut drawn: Vec<String> =
                sample(items, Sample::Percent(5.0), seed, |id| id).iter().map(ToString::to_string).collect();
            drawn.sort();
            drawn
        };
        let first = draw(ids(0..200), 1);
        assert_eq!(first.len(), 10);
        let mut reversed = ids(0..200);
        reversed.reverse();
        assert_eq!(draw(reversed, 1), first);
        assert_ne!(draw(ids(0..200), 2), first);
        assert_eq!(draw(ids(0..1), 1).len(), 1);
        assert_eq!(sample(ids(0..5), Sample::Count(9), 0, |id| id).len(), 5);
        // Every comment has the same chance: half of a thousand from either half.
        let low = sample(ids(0..1000), Sample::Count(500), 7, |id| id);
        let low = low.iter().filter(|id| id.as_str().parse::<usize>().is_ok_and(|id| id < 500)).count();
        assert!((200..300).contains(&low), "{low}");
    }
}
