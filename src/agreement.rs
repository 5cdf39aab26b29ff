//! How far coders agree: percent agreement, Cohen's kappa and Krippendorff's alpha for nominal values, with intervals.
//!
//! All intervals are for 95 %. Coefficients are `None` where they are not defined: where nothing was coded, or where
//! everything got one and the same value, so that there is nothing to agree on.

use std::collections::BTreeMap;

use serde::Serialize;

/// The 97.5 % point of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A coefficient and the interval that it lies in with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The coefficient.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What two coders gave to the same units: rows are the first coder's values, columns the second's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairTable {
    counts: BTreeMap<(usize, usize), u64>,
}

impl FromIterator<(usize, usize)> for PairTable {
    /// Counts pairs of values, one a unit.
    fn from_iter<I: IntoIterator<Item = (usize, usize)>>(pairs: I) -> Self {
        let mut counts = BTreeMap::new();
        for pair in pairs {
            *counts.entry(pair).or_default() += 1;
        }
        Self { counts }
    }
}

impl PairTable {
    /// Number of units.
    pub fn units(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Units to which the coders gave these two values.
    pub fn count(&self, first: usize, second: usize) -> u64 {
        self.counts.get(&(first, second)).copied().unwrap_or(0)
    }

    /// Share of the units to which both gave the same value; `None` without units.
    pub fn percent(&self) -> Option<f64> {
        let same: u64 = self.counts.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
        (self.units() > 0).then(|| same as f64 / self.units() as f64)
    }

    /// Cohen's kappa: κ = (p_o − p_e) / (1 − p_e), p_o the share of units with equal values, p_e the share that two
    /// coders would have in common who spread their own values by chance (Cohen, J. 1960: A coefficient of agreement
    /// for nominal scales. Educational and Psychological Measurement 20, 37–46).
    ///
    /// The interval is κ ± 1.96 standard errors, cut to −1…1, with the large-sample standard error for κ ≠ 0 of
    /// Fleiss, J. L., Cohen, J., Everitt, B. S. 1969: Large sample standard errors of kappa and weighted kappa.
    /// Psychological Bulletin 72, 323–327 (their formula 13):
    ///
    /// ```text
    /// var κ = { Σᵢ pᵢᵢ [1 − (pᵢ. + p.ᵢ)(1 − κ)]² + (1 − κ)² Σᵢ≠ⱼ pᵢⱼ (p.ᵢ + pⱼ.)² − [κ − p_e (1 − κ)]² } / n (1 − p_e)²
    /// ```
    pub fn cohen_kappa(&self) -> Option<Estimate> {
        let n = self.units() as f64;
        let observed = self.percent()?;
        let (mut rows, mut columns) = (BTreeMap::new(), BTreeMap::new());
        for (&(a, b), &count) in &self.counts {
            *rows.entry(a).or_insert(0.0) += count as f64 / n;
            *columns.entry(b).or_insert(0.0) += count as f64 / n;
        }
        let share = |margin: &BTreeMap<usize, f64>, value: usize| margin.get(&value).copied().unwrap_or(0.0);
        let expected: f64 = rows.iter().map(|(&value, row)| row * share(&columns, value)).sum();
        // Shares are sums of fractions: a margin of everything may miss 1 by a rounding.
        if 1.0 - expected < 1e-12 {
            return None;
        }
        let kappa = (observed - expected) / (1.0 - expected);
        let rest = 1.0 - kappa;
        let mut sum = 0.0;
        for (&(a, b), &count) in &self.counts {
            let cell = count as f64 / n;
            sum += if a == b {
                cell * (1.0 - (share(&rows, a) + share(&columns, a)) * rest).powi(2)
            } else {
                cell * rest.powi(2) * (share(&columns, a) + share(&rows, b)).powi(2)
            };
        }
        let variance = (sum - (kappa - expected * rest).powi(2)) / (n * (1.0 - expected).powi(2));
        let margin = Z * variance.max(0.0).sqrt();
        Some(Estimate { value: kappa, low: (kappa - margin).max(-1.0), high: (kappa + margin).min(1.0) })
    }
}

/// The values that coders gave to units; a unit holds one value of each coder who coded it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    /// Each kind of unit (its values, sorted) with how often it occurs.
    kinds: BTreeMap<Vec<usize>, usize>,
}

impl<V: IntoIterator<Item = usize>> FromIterator<V> for Units {
    /// Takes the values unit by unit; a coder who gave none is left out of the unit.
    fn from_iter<I: IntoIterator<Item = V>>(units: I) -> Self {
        let mut kinds = BTreeMap::new();
        for unit in units {
            let mut values: Vec<usize> = unit.into_iter().collect();
            values.sort_unstable();
            // A value that nothing can be compared with does not count.
            if values.len() > 1 {
                *kinds.entry(values).or_default() += 1;
            }
        }
        Self { kinds }
    }
}

/// What a kind of unit adds to the coincidences: its share that differs, and its values.
struct Kind<'k> {
    differing: f64,
    values: &'k [usize],
}

impl Units {
    /// Krippendorff's alpha for nominal values: α = 1 − D_o / D_e. With o_ck the coincidences of values c and k within
    /// units (each unit of m values adds 1 / (m − 1) for each of its ordered pairs), n_c their sums and n all of them,
    /// D_o = Σ_{c≠k} o_ck / n and D_e = Σ_{c≠k} n_c n_k / (n (n − 1)) (Krippendorff, K. 2011: Computing Krippendorff's
    /// alpha-reliability, University of Pennsylvania, section on nominal data; Content Analysis, 3rd ed. 2013, ch. 12).
    pub fn alpha(&self) -> Option<f64> {
        let kinds = self.weighed();
        alpha(kinds.iter().zip(self.kinds.values().copied()))
    }

    /// Alpha with a percentile interval from a bootstrap over the units: as many units as there are are drawn with
    /// replacement, `resamples` times. The same `seed` gives the same interval. Resamples in which every value is
    /// the same have no alpha and are left out; with fewer than half of them left the interval is −1…1.
    pub fn alpha_with_interval(&self, resamples: usize, seed: u64) -> Option<Estimate> {
        let value = self.alpha()?;
        let kinds = self.weighed();
        let drawn_from: Vec<usize> =
            self.kinds.values().enumerate().flat_map(|(kind, &count)| std::iter::repeat_n(kind, count)).collect();
        let mut random = SplitMix64(seed);
        let mut counts = vec![0_usize; kinds.len()];
        let mut alphas: Vec<f64> = Vec::with_capacity(resamples);
        for _ in 0..resamples {
            counts.fill(0);
            for _ in 0..drawn_from.len() {
                counts[drawn_from[random.below(drawn_from.len())]] += 1;
            }
            alphas.extend(alpha(kinds.iter().zip(counts.iter().copied())));
        }
        if alphas.is_empty() || alphas.len() < resamples.div_ceil(2) {
            return Some(Estimate { value, low: -1.0, high: 1.0 });
        }
        alphas.sort_by(f64::total_cmp);
        let at = |share: f64| alphas[((share * alphas.len() as f64) as usize).min(alphas.len() - 1)];
        Some(Estimate { value, low: at(0.025), high: at(0.975) })
    }

    fn weighed(&self) -> Vec<Kind<'_>> {
        self.kinds
            .keys()
            .map(|values| {
                let m = values.len() as f64;
                let equal_pairs: f64 =
                    values.chunk_by(|a, b| a == b).map(|equal| (equal.len() * (equal.len() - 1)) as f64).sum();
                Kind { differing: m - equal_pairs / (m - 1.0), values }
            })
            .collect()
    }
}

fn alpha<'k>(kinds: impl Iterator<Item = (&'k Kind<'k>, usize)>) -> Option<f64> {
    let (mut differing, mut of_value) = (0.0, BTreeMap::<usize, f64>::new());
    for (kind, count) in kinds {
        if count > 0 {
            differing += kind.differing * count as f64;
            for &value in kind.values {
                *of_value.entry(value).or_default() += count as f64;
            }
        }
    }
    let n: f64 = of_value.values().sum();
    let unlike = n * n - of_value.values().map(|count| count * count).sum::<f64>();
    (unlike > 0.0).then(|| 1.0 - (n - 1.0) * differing / unlike)
}

/// SplitMix64 (Steele, Lea, Flood 2014): a generator whose numbers are the same everywhere and for good.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The high half of the product; the bias is below 2^-32 for any number of comments.
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} is not {expected}");
    }

    fn pairs(table: &[&[u64]]) -> PairTable {
        let cells =
            table.iter().enumerate().flat_map(|(a, row)| row.iter().enumerate().map(move |(b, n)| ((a, b), *n)));
        PairTable { counts: cells.filter(|(_, n)| *n > 0).collect() }
    }

    fn units(coders: &[&str]) -> Units {
        let length = coders[0].len();
        (0..length)
            .map(|unit| {
                let values = coders.iter().map(move |coder| usize::from(coder.as_bytes()[unit]));
                values.filter(|&value| value != usize::from(b'.')).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn kappa_of_published_tables() {
        // Worked by hand: p_o = 35/50, p_e = 0.5·0.6 + 0.5·0.4 = 0.5, κ = 0.2/0.5.
        let table = pairs(&[&[20, 5], &[10, 15]]);
        close(table.percent().expect("there are units"), 0.7);
        close(table.cohen_kappa().expect("it is defined").value, 0.4);
        // Fleiss, Cohen, Everitt 1969: 200 cases, κ = .429, variance .002885.
        let kappa = pairs(&[&[106, 10, 4], &[22, 28, 10], &[2, 12, 6]]).cohen_kappa().expect("it is defined");
        close(kappa.value, 0.429);
        close(((kappa.high - kappa.low) / 2.0 / Z).powi(2) * 1000.0, 2.885);
        // The example of ci.kappa in the R package statpsych: SE .07345, .5317 to .8196.
        let kappa = pairs(&[&[31, 12], &[4, 58]]).cohen_kappa().expect("it is defined");
        close(kappa.value, 0.675_676);
        close(kappa.low, 0.531_721);
        close(kappa.high, 0.819_630);
    }

    #[test]
    fn kappa_at_the_limits() {
        assert_eq!(PairTable::default().percent(), None);
        assert_eq!(PairTable::default().cohen_kappa(), None);
        // Everything got the same value: there is nothing that chance would not give.
        assert_eq!(pairs(&[&[7]]).cohen_kappa(), None);
        assert_eq!(pairs(&[&[7]]).percent(), Some(1.0));
        assert_eq!(pairs(&[&[3, 0], &[0, 4]]).cohen_kappa(), Some(Estimate { value: 1.0, low: 1.0, high: 1.0 }));
        close(pairs(&[&[0, 5], &[5, 0]]).cohen_kappa().expect("it is defined").value, -1.0);
        // One coder is constant, the other is not: no better than chance.
        close(pairs(&[&[6, 4]]).cohen_kappa().expect("it is defined").value, 0.0);
        let table: PairTable = [(0, 0), (0, 1), (1, 1), (1, 1)].into_iter().collect();
        assert_eq!((table.units(), table.count(1, 1), table.count(1, 0)), (4, 2, 0));
    }

    #[test]
    fn alpha_of_krippendorffs_own_examples() {
        // Krippendorff 2011, A: two observers, ten units, binary data.
        close(units(&["0100000010", "1110010000"]).alpha().expect("it is defined"), 0.095);
        // B: two observers, twelve units, five values.
        close(units(&["aabbdcccedda", "babbbccceddd"]).alpha().expect("it is defined"), 0.692);
        // C: four observers, twelve units, five values, some missing; the last unit has one value alone.
        let four = units(&["123321412...", "1233224125.3", ".3332342251.", "12332441251."]);
        close(four.alpha().expect("it is defined"), 0.743);
    }

    #[test]
    fn alpha_at_the_limits() {
        assert_eq!(Units::default().alpha(), None);
        assert_eq!(units(&["000", "000"]).alpha(), None);
        assert_eq!(units(&["01.", "..1"]).alpha(), None);
        close(units(&["0011", "0011"]).alpha().expect("it is defined"), 1.0);
        // 900 zeros and 1,100 ones, 100 units that differ: 1 − 1999·200 / (2·900·1100).
        let many: Units = (0..1000).map(|i| [i % 2, if i % 10 == 0 { (i + 1) % 2 } else { i % 2 }]).collect();
        close(many.alpha().expect("it is defined"), 0.798_081);
    }

    #[test]
    fn intervals_hold_alpha_and_repeat() {
        let data = units(&["aabbdcccedda", "babbbccceddd"]);
        let first = data.alpha_with_interval(2000, 1).expect("it is defined");
        assert_eq!(data.alpha_with_interval(2000, 1), Some(first));
        assert_ne!(data.alpha_with_interval(2000, 2), Some(first));
        assert!(first.low < first.value && first.value < first.high, "{first:?}");
        // About two standard errors either way; twelve units tell little.
        assert!((0.25..0.5).contains(&first.low) && (0.9..=1.0).contains(&first.high), "{first:?}");
        let many: Units = (0..1000).map(|i| [i % 2, if i % 10 == 0 { (i + 1) % 2 } else { i % 2 }]).collect();
        let estimate = many.alpha_with_interval(1000, 1).expect("it is defined");
        // The share that differs is 0.1 ± 1.96·√(0.1·0.9/1000); alpha is about 1 − 2·that.
        assert!((estimate.low - 0.763).abs() < 0.01 && (estimate.high - 0.837).abs() < 0.01, "{estimate:?}");
        // A category that one unit alone has: more than a third of the resamples lack it.
        let rare = units(&["1000000000", "1000000000"]).alpha_with_interval(500, 3).expect("it is defined");
        assert_eq!((rare.low, rare.high), (1.0, 1.0));
        assert_eq!(units(&["00", "00"]).alpha_with_interval(100, 1), None);
    }
}
