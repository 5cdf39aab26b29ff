//! `jirei review undo`.

use super::{CasebookArgs, Outcome, Shared, coder, moment, now};
use crate::{
    casebook::{Casebook, Undo},
    index::{self, TokenMaker},
};

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
        match (self.batch, self.decision) {
            (_, Some(decision)) => {
                index::undo_decision(&mut casebook, &mut maker, decision, &undo)?;
                let decisions = casebook.decisions()?;
                let batch = decisions.iter().find(|stored| stored.number == decision).map_or(0, |stored| stored.batch);
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
        Ok(Outcome::Done)
    }
}

/// Whose deed a batch was, when and with what.
fn origin(casebook: &Casebook, batch: i64) -> anyhow::Result<String> {
    let batches = casebook.batches()?;
    let info = batches.iter().find(|stored| stored.number == batch).map(|stored| &stored.info);
    Ok(info
        .map_or_else(String::new, |info| format!("{} さん、{}、{}", info.coder, moment(&info.decided_at), info.source)))
}
