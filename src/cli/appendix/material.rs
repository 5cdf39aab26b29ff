//! What an appendix is made of: comments with their codings, and what people decided about their print.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::{
    casebook::{Casebook, ReplacementKind},
    classify::Classification,
    cli::{input::Input, record::Recorder},
    codebook::Codebook,
    comment::{Comment, CommentId},
    pipeline::Pipeline,
    report::{Edit, MaskFile},
};

#[derive(Default)]
pub(super) struct Material {
    pub(super) items: Vec<(Comment, Classification)>,
    pub(super) good_quotes: HashSet<CommentId>,
    pub(super) not_quoted: HashSet<CommentId>,
    pub(super) edits: HashMap<CommentId, Vec<Edit>>,
    /// Words that stay though they were found: ranges in characters.
    pub(super) kept: HashMap<CommentId, Vec<Range<usize>>>,
    /// Corrections that a person has seen.
    pub(super) offered: HashSet<(CommentId, usize, usize)>,
    /// Entries of the file of masks that fit no comment.
    pub(super) stale: usize,
    /// Whether every row of the input could be read.
    pub(super) clean: bool,
}

impl Material {
    pub(super) fn of_files(
        mut input: Input,
        pipeline: &Pipeline<'_>,
        recorder: Option<&mut Recorder<'_>>,
    ) -> anyhow::Result<Self> {
        let mut items = Vec::new();
        pipeline.run(
            input.by_ref(),
            |comment, _, classification| (comment, classification),
            |item| {
                items.push(item);
                Ok::<(), anyhow::Error>(())
            },
        )?;
        if let Some(recorder) = recorder {
            recorder.inputs(input.accounts());
        }
        Ok(Self { items, clean: input.finish(), ..Self::default() })
    }

    pub(super) fn of_casebook(casebook: &Casebook, codebook: &Codebook) -> anyhow::Result<Self> {
        let mut material = Self { clean: true, ..Self::default() };
        casebook.for_each(|stored| {
            let id = &stored.comment.id;
            match stored.good_quote {
                Some(true) => material.good_quotes.insert(id.clone()),
                Some(false) => material.not_quoted.insert(id.clone()),
                None => false,
            };
            if !stored.replacements.is_empty() {
                let edits = stored.replacements.iter().map(|replacement| Edit {
                    kind: replacement.kind.into(),
                    char_range: replacement.char_range.clone(),
                    printed: replacement.text.clone(),
                });
                material.edits.insert(id.clone(), edits.collect());
            }
            for rejected in &stored.rejected {
                let range = rejected.char_range.clone();
                match rejected.kind {
                    ReplacementKind::Mask => material.kept.entry(id.clone()).or_default().push(range),
                    ReplacementKind::Correction => {
                        material.offered.insert((id.clone(), range.start, range.end));
                    }
                }
            }
            let classification = stored.decided(codebook);
            material.items.push((stored.comment, classification));
            Ok::<(), anyhow::Error>(())
        })?;
        Ok(material)
    }

    /// Adds what a file of masks says.
    pub(super) fn decide(&mut self, file: &MaskFile) {
        let decided = file.decide(self.items.iter().map(|(comment, _)| comment));
        for (id, edits) in decided.edits {
            self.edits.entry(id).or_default().extend(edits);
        }
        for (id, ranges) in decided.kept {
            self.kept.entry(id).or_default().extend(ranges);
        }
        self.offered.extend(decided.offered);
        self.stale = decided.stale;
    }
}
