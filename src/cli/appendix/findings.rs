//! What the check found, told to the person who decides about it.

use std::{io::Write, path::Path};

use crate::{
    cli::stdout,
    report::{Appendix, EditKind, Place, RowFinding, Settings, SmallCell},
};

/// Lists findings by quote, in the order of print.
pub(super) fn list(open: &[RowFinding], cells: &[SmallCell], threshold: usize) -> std::io::Result<()> {
    let mut out = stdout();
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "―".to_owned());
    let mut last = None;
    for found in open {
        if last != Some(&found.comment) {
            writeln!(
                out,
                "{}　{}　{}・{}　コメント {}",
                found.label,
                found.heading,
                name(&found.prefecture),
                name(&found.facility),
                found.comment
            )?;
            last = Some(&found.comment);
        }
        let finding = &found.finding;
        writeln!(out, "  {}　{}", finding.kind.label(), found.marked())?;
        writeln!(out, "    案: 「{}」→「{}」", finding.text.replace(['\r', '\n'], " "), finding.mask)?;
    }
    if !cells.is_empty() {
        writeln!(out, "回答した医療機関が {threshold} 未満の都道府県と種類")?;
    }
    for cell in cells {
        writeln!(out, "  {}・{}　{} 機関", name(&cell.prefecture), name(&cell.facility), cell.institutions)?;
    }
    out.flush()
}

/// Says that nothing was written and what to do.
pub(super) fn explain_stop(
    open: &[RowFinding],
    cells: &[SmallCell],
    output: &Path,
    proposed: Option<&Path>,
    has_casebook: bool,
) {
    if !open.is_empty() {
        eprintln!(
            "個人や機関の特定につながるおそれのある {} か所が残っているので、{} は書き出していません",
            open.len(),
            output.display()
        );
        match proposed {
            Some(path) => eprintln!(
                "  {} の案を見直し（そのまま印刷してよい語は apply = false）、もう一度同じコマンドを実行してください",
                path.display()
            ),
            None if has_casebook => eprintln!(
                "  案のとおり伏せるなら --record-masks（判断は事例帳に残り、取り消せます）、語ごとに決めるなら --masks 控え.toml を付けてください"
            ),
            None => eprintln!(
                "  --masks 控え.toml を付けると伏字の案を書き出します。それを見直してから、もう一度実行してください"
            ),
        }
    }
    if !cells.is_empty() {
        eprintln!(
            "回答した医療機関が少ない {} 通りの都道府県と種類があるので、{} は書き出していません",
            cells.len(),
            output.display()
        );
        eprintln!(
            "  appendix.toml の [small_cells] で remedy = \"region\"（地方名にする）か \"hide\"（都道府県を示さない）を選べます"
        );
    }
    eprintln!("  承知のうえでそのまま書き出すなら --accept-findings を付けてください");
}

/// Says why a run that changed what it was made from cannot be recorded, and what to do.
pub(super) fn explain_unrecordable(output: &Path, masks: &Path) {
    eprintln!(
        "伏字の控え {} に案を書き足したので、{} は書き出していません（同じ指定で計算し直すと伏字が変わるので、実行の記録を残せません）",
        masks.display(),
        output.display()
    );
    eprintln!("  案を見直し（そのまま印刷してよい語は apply = false）、もう一度同じコマンドを実行してください");
}

/// Says how the print differs from what was given.
pub(super) fn tell_edits(appendix: &Appendix, settings: &Settings, stale: usize, masks: Option<&Path>) {
    let edits = |kind| appendix.quotes().flat_map(|(.., row)| &row.edits).filter(|edit| edit.kind == kind).count();
    let (masked, corrected) = (edits(EditKind::Mask), edits(EditKind::Correction));
    if masked + corrected > 0 {
        eprintln!("  伏せた語 {masked} か所、印刷のために直した所 {corrected} か所（原文は変えていません）");
    }
    let place = |place| appendix.quotes().filter(|(.., row)| row.place == place).count();
    let (region, hidden) = (place(Place::Region), place(Place::Hidden));
    if region + hidden > 0 {
        eprintln!(
            "  回答した医療機関が {} 未満の都道府県と種類 {} 通りでは、事例 {region} 件を地方名で、{hidden} 件を都道府県なしで示しました（appendix.toml の [small_cells] で変えられます）",
            settings.small_cells.threshold,
            appendix.small_cells.len()
        );
    }
    if let (1.., Some(path)) = (stale, masks) {
        eprintln!(
            "  伏字の控え {} の {stale} 項目は、コメントが見当たらないか文が変わっているので使っていません",
            path.display()
        );
    }
}
