//! `jirei review import`: a review workbook, or a list of differences that somebody has settled.

use std::{io::Write, path::PathBuf};

use clap::ValueEnum;

use super::{CasebookArgs, Outcome, Shared, coder, moment, now};
use crate::{
    casebook::{BatchInfo, Casebook},
    cli::stdout,
    index::{TokenMaker, decide},
    review::{AdjudicationFile, Conflict, Review, ReviewError, ReviewFile, plan, plan_adjudication},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// jirei review export で書き出して直した Excel ファイルか、jirei review agreement の一覧に決めたことを書いたもの
    #[arg(value_name = "ファイル")]
    file: PathBuf,
    /// 直した人の名前（記録に残る）
    #[arg(long, value_name = "名前")]
    coder: String,
    #[command(flatten)]
    casebook: CasebookArgs,
    /// 何が変わるかを示すだけで、取り込まない
    #[arg(long)]
    dry_run: bool,
    /// 書き出したあとにほかの判断が入ったセルをどうするか（stop: 取り込みをやめる、keep: 今の判断を残す、overwrite: ファイルのとおりにする）
    #[arg(long, value_enum, value_name = "方法", default_value = "stop", hide_possible_values = true)]
    conflicts: Conflicts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Conflicts {
    Stop,
    Keep,
    Overwrite,
}

impl Args {
    pub(super) fn run(self, shared: &Shared) -> anyhow::Result<Outcome> {
        let coder = coder(&self.coder)?;
        let mut casebook = Casebook::open(&self.casebook.casebook)?;
        let read = match AdjudicationFile::is_list(&self.file) {
            true => self.settled(&mut casebook, &coder),
            false => self.reviewed(&mut casebook, &coder),
        };
        let (told_of_file, notes, mut review) = match read {
            Ok(read) => read,
            // The file is at fault as a whole, as its cells may be.
            Err(
                error @ (ReviewError::NotAReview { .. }
                | ReviewError::NotAList { .. }
                | ReviewError::OtherCasebook(_)
                | ReviewError::TooNew(_)),
            ) => {
                eprintln!("{error}");
                return Ok(Outcome::Findings);
            }
            Err(error) => return Err(error.into()),
        };
        for note in &notes {
            eprintln!("{note}");
        }
        for problem in &review.problems {
            eprintln!("{problem}");
        }
        let mut out = stdout();
        let stops = !review.problems.is_empty() || self.conflicts == Conflicts::Stop && !review.conflicts.is_empty();
        for conflict in &review.conflicts {
            eprintln!("{}", told(conflict));
        }
        let kept = review.conflicts.len();
        if self.conflicts == Conflicts::Overwrite {
            review.overwrite();
        }
        for change in &review.changes {
            let comment = &change.decision.comment;
            writeln!(out, "{}  {comment}  {}: {} → {}", change.cell, change.about, change.before, change.after)?;
        }
        out.flush()?;
        eprintln!(
            "{}: {told_of_file}（取り込む {}、すでに同じ {}、食い違い {}）",
            self.file.display(),
            review.changes.len(),
            review.already,
            kept
        );
        if stops {
            return Ok(refuse(&review));
        }
        if self.dry_run {
            eprintln!("--dry-run なので、何も取り込んでいません");
            return Ok(Outcome::Done);
        }
        if review.changes.is_empty() {
            eprintln!("取り込むものはありません");
            return Ok(Outcome::Done);
        }
        let analyzer = shared.analyzer()?;
        let source = self.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let info = BatchInfo { coder, decided_at: now()?, source };
        let appended = decide(&mut casebook, &mut TokenMaker::new(&analyzer), &info, &review.decisions())?;
        let batch = appended.batch.unwrap_or_default();
        eprintln!(
            "{} 個の判断を、作業 {batch} として取り込みました（取り消すには: jirei review undo {batch}{} --coder {}）",
            appended.decisions.len(),
            self.casebook.option(),
            info.coder
        );
        Ok(Outcome::Done)
    }
}

/// What a file holds in a few words, what the person should know, and what it comes to.
type Read = (String, Vec<String>, Review);

impl Args {
    fn reviewed(&self, casebook: &mut Casebook, coder: &str) -> Result<Read, ReviewError> {
        let file = ReviewFile::read(&self.file)?;
        let review = plan(&file, &self.file, casebook, coder)?;
        let told = format!(
            "書き出した {} 件のうち {} 件の行があり、変えたセルは {} 個",
            file.exported,
            file.rows(),
            file.edits()
        );
        Ok((told, file.notes, review))
    }

    fn settled(&self, casebook: &mut Casebook, coder: &str) -> Result<Read, ReviewError> {
        let file = AdjudicationFile::read(&self.file)?;
        let review = plan_adjudication(&file, &self.file, casebook, coder)?;
        let told = format!(
            "食い違いの一覧 {} 件のうち、決まっているコメントは {} 件、まだ「？」のコメントは {} 件",
            file.listed,
            file.decided(),
            file.pending
        );
        Ok((told, file.notes, review))
    }
}

/// Says why nothing was taken.
fn refuse(review: &Review) -> Outcome {
    if !review.problems.is_empty() {
        eprintln!(
            "直すところが {} か所あるので、何も取り込んでいません。上のセルを直して、もう一度取り込んでください",
            review.problems.len()
        );
    } else {
        eprintln!(
            "書き出したあとにほかの判断が入ったセルが {} 個あるので、何も取り込んでいません。今の判断を残すなら --conflicts keep、ファイルのとおりにするなら --conflicts overwrite を付けてください",
            review.conflicts.len()
        );
    }
    Outcome::Findings
}

fn told(conflict: &Conflict) -> String {
    let Conflict { change, now, by } = conflict;
    let by = match by {
        Some(by) => format!("{} さん、{}、判断 {}", by.coder, moment(&by.decided_at), by.number),
        None => "前の判断が取り消されました".to_owned(),
    };
    format!(
        "{}: 「{}」の{}は、書き出したあとに「{now}」に変わっています（{by}）。ファイルでは「{}」です",
        change.cell, change.decision.comment, change.about, change.after
    )
}
