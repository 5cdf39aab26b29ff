//! Keyness: which terms mark a set of comments against the rest.
//!
//! The measure is the log-likelihood ratio G² of Dunning (1993, "Accurate methods for the statistics of surprise and
//! coincidence"), as Rayson & Garside (2000, "Comparing corpora using frequency profiling") use it for corpora, over
//! all four cells of the table and with Williams' correction and a sign, as textstat_keyness of quanteda gives it for
//! `measure = "lr"`.
//!
//! Counted are comments that hold a term, not its occurrences: a rule fires on a comment, and one writer who repeats
//! a word is no sign of anything.

/// A two by two table: comments with and without a term, in the target and in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Comments of the target with the term.
    pub target: usize,
    /// All comments of the target.
    pub target_total: usize,
    /// Comments of the reference with the term.
    pub reference: usize,
    /// All comments of the reference.
    pub reference_total: usize,
}

impl Table {
    /// Signed G² with Williams' correction: positive where the term is more frequent in the target than in the
    /// reference, negative where less; 0 where a side is empty or all comments or none hold the term.
    ///
    /// ```
    /// use jirei::keyness::Table;
    ///
    /// let table = Table { target: 8, target_total: 10, reference: 2, reference_total: 30 };
    /// assert!((table.keyness() - 18.811).abs() < 0.001);
    /// ```
    pub fn keyness(self) -> f64 {
        let g2 = self.g2();
        if g2 <= 0.0 {
            return 0.0;
        }
        let corrected = g2 / self.williams();
        if self.is_over() { corrected } else { -corrected }
    }

    /// G²: twice the sum over the cells of observed × ln(observed ÷ expected).
    pub fn g2(self) -> f64 {
        let [a, b, c, d] = self.cells();
        let total = a + b + c + d;
        let cell = |observed: f64, row: f64, column: f64| {
            let expected = row * column / total;
            if observed > 0.0 && expected > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
        };
        let sum = cell(a, a + b, a + c) + cell(b, a + b, b + d) + cell(c, c + d, a + c) + cell(d, c + d, b + d);
        (2.0 * sum).max(0.0)
    }

    /// Williams' correction, by which G² is divided so that it comes nearer to the chi-square distribution; 1 where a
    /// margin is empty.
    pub fn williams(self) -> f64 {
        let [a, b, c, d] = self.cells();
        let total = a + b + c + d;
        let margins = [a + b, c + d, a + c, b + d];
        if margins.contains(&0.0) {
            return 1.0;
        }
        let [with, without, target, reference] = margins.map(|margin| total / margin);
        1.0 + (with + without - 1.0) * (target + reference - 1.0) / (6.0 * total)
    }

    /// Whether the term is more frequent in the target than in the reference.
    pub fn is_over(self) -> bool {
        // Cross-multiplied, so that no side may be empty.
        self.target * self.reference_total > self.reference * self.target_total
    }

    /// With the term in target and reference, without it in target and reference.
    fn cells(self) -> [f64; 4] {
        let without = |total: usize, with: usize| total.saturating_sub(with);
        [
            self.target,
            self.reference,
            without(self.target_total, self.target),
            without(self.reference_total, self.reference),
        ]
        .map(|count| count as f64)
    }
}

/// G² from which a difference is unlikely to be chance at 5 % (chi-square, one degree of freedom).
pub const SIGNIFICANT: f64 = 3.841;
