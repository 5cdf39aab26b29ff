//! `jirei review undo`.

use super::{CasebookArgs, Outcome, Shared, coder, described, moment, now};
use crate::{
    casebook::{Casebook, FrameCategory, StoredDecision, Undo},
    index::{self, TokenMaker},
};

/// Later decisions that are told one by one.
const LATER_TOLD: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 取り消す作業の番号（jirei review log で確かめられる）
    #[arg(value_name = "作業", required_unless_present = "decision", conflicts_with = "decision")]
    batch: Option<i64>,
    /// 取り消す判断の番号（一件だけ）
    #[arg(long, value_name = "番号")]
    decision: Option<i64>,
    /// 取り消す人の名前（記録に残る）
    #[arg(long, value_name = "名前")]
    coder: String,
    #[command(flatten)]
    casebook: CasebookArgs,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let undo = Undo { coder: coder(&self.coder)?, at: now()? };
        let mut casebook = Casebook::open(&self.casebook.casebook)?;
        let analyzer = shared.analyzer()?;
        let mut maker = TokenMaker::new(&analyzer);
        let folder = self.casebook.casebook.display();
        let before = casebook.decisions()?;
        let is_meant = |stored: &StoredDecision| match (self.batch, self.decision) {
            (_, Some(decision)) => stored.number == decision,
            (batch, None) => batch == Some(stored.batch),
        };
        let meant = || before.iter().filter(|stored| is_meant(stored));
        if let (true, Some(last)) = (meant().all(|stored| stored.undone.is_some()), meant().next_back())
            && let Some(undo) = &last.undone
        {
            anyhow::bail!(
                "{}は、{} さんが {} に取り消しています（jirei review log --batch {}{} で確かめられます）",
                self.decision.map_or_else(|| format!("作業 {} の判断", last.batch), |number| format!("判断 {number} ")),
                undo.coder,
                moment(&undo.at),
                last.batch,
                self.casebook.option()
            );
        }
        match (self.batch, self.decision) {
            (_, Some(decision)) => {
                index::undo_decision(&mut casebook, &mut maker, decision, &undo)?;
                let batch = before.iter().find(|stored| stored.number == decision).map_or(0, |stored| stored.batch);
                let of = origin(&casebook, batch)?;
                eprintln!("事例帳 {folder} の判断 {decision} を取り消しました（作業 {batch}: {of}）");
            }
            (Some(batch), None) => {
                let undone = index::undo_batch(&mut casebook, &mut maker, batch, &undo)?;
                let of = origin(&casebook, batch)?;
                eprintln!("事例帳 {folder} の作業 {batch}（{of}）の判断 {undone} 個を取り消しました");
            }
            // clap asks for one of them.
            (None, None) => {}
        }
        self.tell_of_later(&before, is_meant, &casebook.frame()?);
        Ok(Outcome::Done)
    }

    /// Says where somebody decided later on what was taken back: that still stands.
    fn tell_of_later(
        &self,
        before: &[StoredDecision],
        is_undone: impl Fn(&StoredDecision) -> bool,
        frame: &[FrameCategory],
    ) {
        let standing = || before.iter().filter(|stored| stored.undone.is_none());
        let undone: Vec<_> = standing().filter(|stored| is_undone(stored)).collect();
        let is_later = |later: &StoredDecision, earlier: &StoredDecision| {
            later.number > earlier.number
                && later.decision.comment == earlier.decision.comment
                && later.decision.judgement.is_of_same_subject(&earlier.decision.judgement)
        };
        let later: Vec<_> = standing()
            .filter(|stored| !is_undone(stored) && undone.iter().any(|undone| is_later(stored, undone)))
            .collect();
        if later.is_empty() {
            return;
        }
        eprintln!(
            "注意: 取り消したのと同じ項目を、あとから決め直した判断が {} 個あり、そちらは有効なままです",
            later.len()
        );
        for stored in later.iter().take(LATER_TOLD) {
            let (about, said) = described(&stored.decision.judgement, frame);
            eprintln!(
                "  判断 {}（作業 {}、{} さん、{}）  {}  {about}: {said}",
                stored.number,
                stored.batch,
                stored.coder,
                moment(&stored.decided_at),
                stored.decision.comment
            );
        }
        if later.len() > LATER_TOLD {
            eprintln!("  ほか {} 個（jirei review log --decisions で確かめられます）", later.len() - LATER_TOLD);
        }
        eprintln!(
            "  それも取り消すなら: jirei review undo --decision 番号{} --coder {}",
            self.casebook.option(),
            self.coder.trim()
        );
    }
}

/// Whose deed a batch was, when and with what.
fn origin(casebook: &Casebook, batch: i64) -> anyhow::Result<String> {
    let batches = casebook.batches()?;
    let info = batches.iter().find(|stored| stored.number == batch).map(|stored| &stored.info);
    Ok(info
        .map_or_else(String::new, |info| format!("{} さん、{}、{}", info.coder, moment(&info.decided_at), info.source)))
}
