//! `jirei review undo`.

use super::{CasebookArgs, Outcome, Shared, coder, now};
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
        match (self.batch, self.decision) {
            (_, Some(decision)) => {
                index::undo_decision(&mut casebook, &mut maker, decision, &undo)?;
                eprintln!("判断 {decision} を取り消しました");
            }
            (Some(batch), None) => {
                let undone = index::undo_batch(&mut casebook, &mut maker, batch, &undo)?;
                eprintln!("作業 {batch} の判断 {undone} 個を取り消しました");
            }
            // clap asks for one of them.
            (None, None) => {}
        }
        Ok(Outcome::Done)
    }
}
