//! The stages from comment to classification, run over a stream on all cores, in the order of the stream.

use std::sync::Mutex;

use rayon::prelude::*;

use crate::{
    analyze::{Analysis, AnalysisWorker, Analyzer},
    classify::Classification,
    comment::Comment,
    rule::{Matcher, RuleSet},
};

/// Comments that are in memory at a time, twice over: one block is classified while the next one is read.
const BLOCK: usize = 4096;

/// Bytes of text after which a block is closed early, so that a few very long texts do not fill the memory.
const BLOCK_BYTES: usize = 4 << 20;

/// At most so many comments a thread analyses before it classifies them: dictionary and rules would drive each other out of its
/// cache.
const BATCH: usize = 64;

/// Classifies comments with one analyser and one rule set.
pub struct Pipeline<'a> {
    analyzer: &'a Analyzer,
    rules: &'a RuleSet,
    /// One for each thread of rayon's pool, and one for a caller outside of it; made when the thread has work.
    workers: Vec<Mutex<Option<(AnalysisWorker<'a>, Matcher<'a>)>>>,
}

impl<'a> Pipeline<'a> {
    /// A pipeline with room for a worker for each thread of the current pool.
    pub fn new(analyzer: &'a Analyzer, rules: &'a RuleSet) -> Self {
        let workers = (0..=rayon::current_num_threads()).map(|_| Mutex::new(None)).collect();
        Self { analyzer, rules, workers }
    }

    /// The rule set.
    pub fn rules(&self) -> &'a RuleSet {
        self.rules
    }

    /// Classifies one comment and hands everything that is known of it to `make`.
    pub fn classify<T>(&self, comment: &Comment, make: impl FnOnce(&Analysis<'a>, Classification) -> T) -> T {
        self.with_worker(|worker, matcher| {
            let analysis = worker.analyze(&comment.text);
            let classification = matcher.classify(&analysis, comment);
            make(&analysis, classification)
        })
    }

    fn with_worker<T>(&self, work: impl FnOnce(&mut AnalysisWorker<'a>, &mut Matcher<'a>) -> T) -> T {
        let index = rayon::current_thread_index().map_or(0, |index| index + 1);
        // A worker that panicked left buffers that the next comment clears.
        let mut pair = self.workers[index % self.workers.len()].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (worker, matcher) = pair.get_or_insert_with(|| (self.analyzer.worker(), Matcher::new(self.rules)));
        work(worker, matcher)
    }

    /// Classifies a stream: `make` runs on all cores, `sink` gets what it made in the order of the stream. Only
    /// some thousand comments are in memory at a time.
    ///
    /// # Errors
    ///
    /// The first error of `sink`, which ends the run.
    pub fn run<T: Send, E: Send>(
        &self,
        comments: impl Iterator<Item = Comment> + Send,
        make: impl Fn(Comment, &Analysis<'a>, Classification) -> T + Sync,
        mut sink: impl FnMut(T) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let mut comments = comments;
        let mut block = next_block(&mut comments);
        let mut made: Vec<T> = Vec::new();
        while !block.is_empty() || !made.is_empty() {
            let written = std::mem::take(&mut made);
            let current = std::mem::take(&mut block);
            let classify = || -> Vec<T> {
                // A block of few long comments is work for every thread too.
                let batch = current.len().div_ceil(4 * rayon::current_num_threads()).clamp(1, BATCH);
                current
                    .into_par_iter()
                    .chunks(batch)
                    .flat_map_iter(|batch| {
                        self.with_worker(|worker, matcher| {
                            let analyses: Vec<_> = batch.iter().map(|comment| worker.analyze(&comment.text)).collect();
                            let classified = batch.into_iter().zip(&analyses).map(|(comment, analysis)| {
                                let classification = matcher.classify(analysis, &comment);
                                make(comment, analysis, classification)
                            });
                            classified.collect::<Vec<T>>()
                        })
                    })
                    .collect()
            };
            // While a block is classified, the one before is written and the next one is read.
            let (outcome, now_made) = rayon::join(
                || {
                    let outcome = written.into_iter().try_for_each(&mut sink);
                    (outcome, next_block(&mut comments))
                },
                classify,
            );
            outcome.0?;
            block = outcome.1;
            made = now_made;
        }
        Ok(())
    }
}

fn next_block(comments: &mut impl Iterator<Item = Comment>) -> Vec<Comment> {
    let mut block = Vec::new();
    let mut bytes = 0;
    while block.len() < BLOCK && bytes < BLOCK_BYTES {
        let Some(comment) = comments.next() else { break };
        bytes += comment.text.len();
        block.push(comment);
    }
    block
}
