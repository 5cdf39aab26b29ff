//! Runs that are killed, disks that are full or only for reading: what was there stays, and a plain run completes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jirei::{
    casebook::{Action, BatchInfo, Casebook, CasebookError, Decision, FILE},
    comment::CommentId,
    index,
    rule::RuleSet,
    search::Searcher,
    source::Source,
};

use crate::{
    cli::{Ran, jirei},
    common::{analyzer, maker},
    review::Book,
};

/// Moments at which a command is killed.
const MOMENTS: u64 = 100;

/// Moments at which a recoding is killed, which takes longer.
const RECODINGS: u64 = 40;

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jirei"));
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts a command and kills it after a while; whether it was still running.
fn killed_after(mut command: Command, delay: Duration) -> bool {
    let mut child = command.spawn().expect("the program starts");
    thread::sleep(delay);
    let was_running = child.try_wait().expect("a child").is_none();
    // SIGKILL: nothing of the program runs any more.
    let _ = child.kill();
    child.wait().expect("it ends");
    was_running
}

/// Kills a command at so many moments of its run and looks at what is left each time. `command` and `look` get
/// the number of the moment; the time that a run takes is measured with moment 0, which is not killed.
fn kill_at_many_moments(moments: u64, command: impl Fn(u64) -> Command, mut look: impl FnMut(u64)) {
    let since = Instant::now();
    assert!(command(0).status().expect("the program starts").success());
    let whole = since.elapsed();
    look(0);
    let mut numbers = Numbers(20_260_120);
    let mut killed = 0;
    for moment in 1..=moments {
        killed += u64::from(killed_after(command(moment), whole.mul_f64(numbers.next())));
        look(moment);
    }
    // However fast or slow the machine, not all moments come after the end.
    assert!(killed > 0, "no run was killed");
}

/// What a file brings at its nth correction: it grows, and some of its texts change.
fn corrected(step: u64) -> BTreeMap<String, String> {
    (0..150 + step)
        .map(|n| {
            let corrections = if n < 30 { (step + n) / 7 } else { 0 };
            let text = match n % 3 {
                0 => format!("{n}日の朝に端末が{corrections}回も止まり、再起動に時間がかかりました。"),
                1 => format!("氏名が●で表示され、{n}人の患者さんに{corrections}回確かめました。"),
                _ => format!("{n}人の方に操作を説明し、窓口で{corrections}回お待たせしました。"),
            };
            (format!("c{n:04}"), text)
        })
        .collect()
}

fn write_corrected(path: &Path, step: u64) {
    let lines: String = corrected(step)
        .iter()
        .map(|(id, text)| format!("{}\n", serde_json::json!({"id": id, "question": "問7", "text": text})))
        .collect();
    fs::write(path, lines).expect("writable");
}

/// Every comment of the record, which is whole; `None` where there is none yet.
fn comments(folder: &Path) -> Option<BTreeMap<String, String>> {
    let casebook = match Casebook::open(folder) {
        Ok(casebook) => casebook,
        // Killed before the record was made.
        Err(CasebookError::Missing(_) | CasebookError::NotACasebook(_)) => return None,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(casebook.check().expect("the check runs"), Vec::<String>::new());
    let mut all = BTreeMap::new();
    casebook
        .for_each(|stored| {
            let again = all.insert(stored.comment.id.to_string(), stored.comment.text);
            assert!(again.is_none(), "{} is there twice", stored.comment.id);
            Ok::<_, CasebookError>(())
        })
        .expect("the record reads");
    Some(all)
}

/// The index says what the record says, or it is told that it has to be made anew.
fn index_is_right_or_told(folder: &Path) {
    let casebook = Casebook::open(folder).expect("the casebook opens");
    match index::check(&casebook, analyzer().version()) {
        Ok(faults) => assert_eq!(faults, Vec::<String>::new()),
        Err(error) => assert!(error.needs_rebuild(), "{error}"),
    }
}

#[track_caller]
fn is_clean(folder: &Path, count: usize) {
    let ran = jirei(folder, &["casebook", "check"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(&format!("コメント {count} 件")), "{}", ran.stdout);
}

#[test]
fn imports_that_are_killed_lose_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let casebook = at.join("casebook");
    let mut last = 0;
    kill_at_many_moments(
        MOMENTS,
        |moment| {
            write_corrected(&at.join("a.jsonl"), moment);
            command(at, &["import", "a.jsonl"])
        },
        |moment| {
            // All of the file is in, or nothing of it.
            let found = comments(&casebook).expect("the first import was not killed");
            if found == corrected(moment) {
                last = moment;
            } else {
                assert!(found == corrected(last), "moment {moment}: neither as before nor as after");
            }
            index_is_right_or_told(&casebook);
            if moment % 20 == 0 {
                let ran = jirei(at, &["import", "a.jsonl"]);
                assert_eq!(ran.code, 0, "moment {moment}: {}", ran.stderr);
                last = moment;
                is_clean(at, corrected(moment).len());
                let (searcher, rebuilt) = Searcher::open_or_rebuild(&casebook, analyzer().version(), &mut maker())
                    .expect("the index is there");
                assert!(!rebuilt, "the import brought the index up to date");
                assert_eq!(searcher.comment_count(), corrected(moment).len() as u64);
            }
        },
    );
}

#[test]
fn a_first_import_that_is_killed_leaves_room_for_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    write_corrected(&at.join("a.jsonl"), 0);
    let since = Instant::now();
    assert_eq!(jirei(at, &["import", "a.jsonl", "--casebook", "whole"]).code, 0);
    let whole = since.elapsed();
    let mut numbers = Numbers(7);
    for moment in 0..20 {
        let name = format!("casebook{moment}");
        killed_after(command(at, &["import", "a.jsonl", "--casebook", &name]), whole.mul_f64(numbers.next()));
        let found = comments(&at.join(&name)).unwrap_or_default();
        assert!(found.is_empty() || found == corrected(0), "moment {moment}: {} comments", found.len());
        if moment % 5 == 0 {
            assert_eq!(jirei(at, &["import", "a.jsonl", "--casebook", &name]).code, 0);
            let ran = jirei(at, &["casebook", "check", "--casebook", &name]);
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains("コメント 150 件"), "{}", ran.stdout);
        }
    }
}

#[test]
fn rebuilds_that_are_killed_lose_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    write_corrected(&at.join("a.jsonl"), 0);
    assert_eq!(jirei(at, &["import", "a.jsonl"]).code, 0);
    let casebook = at.join("casebook");
    kill_at_many_moments(
        MOMENTS,
        |_| command(at, &["index", "rebuild"]),
        |moment| {
            assert!(comments(&casebook).expect("it is there") == corrected(0), "moment {moment}");
            index_is_right_or_told(&casebook);
            if moment % 20 == 0 {
                let ran = jirei(at, &["search", "端末", "--limit", "0"]);
                assert!(ran.code == 0 && ran.stdout.starts_with("50 件"), "{}{}", ran.stdout, ran.stderr);
                is_clean(at, 150);
            }
        },
    );
    // What killed runs left half done goes away.
    assert_eq!(jirei(at, &["index", "rebuild"]).code, 0);
    let mut names: Vec<_> = fs::read_dir(&casebook)
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    assert_eq!(names, [FILE, "index"]);
}

/// Whether a comment is to be quoted and what was decided of 機器, with its note.
type Decided = (String, Option<bool>, Option<Action>);

/// What a workbook says at its nth correction: a note on each of sixty comments, and by turns this or that of what is to
/// be quoted and of a category.
fn decided(step: u64) -> BTreeMap<String, Decided> {
    let is_even = step.is_multiple_of(2);
    (0..60)
        .map(|n| {
            let note = format!("{step}回目の見直し（{n}）");
            let good_quote = (n < 30).then_some(is_even);
            // The rules give 機器 to every third comment.
            let action = (n % 3 == 0).then_some(if is_even { Action::Accept } else { Action::Remove });
            (format!("c{n:04}"), (note, good_quote, action))
        })
        .collect()
}

fn write_decided(exported: &Book, path: &Path, step: u64) {
    let mut book = exported.clone();
    for (id, (note, good_quote, action)) in decided(step) {
        book.set(&id, "メモ", &note);
        if let Some(good_quote) = good_quote {
            book.set(&id, "引用候補", if good_quote { "○" } else { "×" });
        }
        if let Some(action) = action {
            assert_eq!(book.get(&id, "機器"), "○", "the rules give it");
            book.set(&id, "機器", if action == Action::Accept { "承認" } else { "外す" });
        }
    }
    book.save(path);
}

#[test]
fn reviews_that_are_killed_are_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    write_corrected(&at.join("a.jsonl"), 0);
    assert_eq!(jirei(at, &["import", "a.jsonl"]).code, 0);
    assert_eq!(jirei(at, &["review", "export", "-o", "exported.xlsx"]).code, 0);
    let exported = Book::open(&at.join("exported.xlsx"));
    let casebook = at.join("casebook");
    let import = ["review", "import", "review.xlsx", "--coder", "山田", "--conflicts", "overwrite"];
    // A note each; and of what goes by turns as much as differs from what stands.
    let news = |from: u64, to: u64| if from.abs_diff(to).is_multiple_of(2) { 60 } else { 60 + 30 + 20 };
    let (mut last, mut count) = (None, 0);
    kill_at_many_moments(
        MOMENTS,
        |moment| {
            write_decided(&exported, &at.join("review.xlsx"), moment);
            command(at, &import)
        },
        |moment| {
            // The record is whole, and no comment is lost or altered.
            assert!(comments(&casebook).expect("it is there") == corrected(0), "moment {moment}");
            let open = Casebook::open(&casebook).expect("the casebook opens");
            let mut found = BTreeMap::new();
            open.for_each(|stored| {
                if let Some(note) = stored.note {
                    let action = stored.decided_categories.get("device").copied();
                    found.insert(stored.comment.id.to_string(), (note, stored.good_quote, action));
                }
                Ok::<_, CasebookError>(())
            })
            .expect("the record reads");
            let decisions = open.decisions().expect("the record reads").len();
            let batches = open.batches().expect("the record reads");
            drop(open);
            if found == decided(moment) {
                count += last.map_or(110, |last| news(last, moment));
                last = Some(moment);
            } else {
                assert!(found == last.map(decided).unwrap_or_default(), "moment {moment}: neither before nor after");
            }
            assert_eq!(decisions, count, "moment {moment}: each decision is there once");
            assert_eq!(batches.iter().map(|batch| batch.standing).sum::<u64>(), count as u64, "moment {moment}");
            assert!(batches.iter().all(|batch| batch.decisions >= 60), "moment {moment}: half of a batch");
            index_is_right_or_told(&casebook);
            if moment % 20 == 0 {
                let ran = jirei(at, &import);
                assert_eq!(ran.code, 0, "moment {moment}: {}", ran.stderr);
                if last != Some(moment) {
                    count += last.map_or(110, |last| news(last, moment));
                    last = Some(moment);
                }
                let ran = jirei(at, &import);
                assert!(ran.code == 0 && ran.stderr.contains("取り込むものはありません"), "{}", ran.stderr);
                is_clean(at, 150);
                // Thirty are to be quoted at even moments, and search knows.
                let ran = jirei(at, &["search", "引用候補:はい", "--limit", "0"]);
                assert!(ran.code == 0 && ran.stdout.starts_with("30 件"), "{}{}", ran.stdout, ran.stderr);
            }
        },
    );
}

/// Rules that see 機器 in another third of the comments each time.
fn rules(step: u64) -> [(&'static str, String); 3] {
    let word = ["端末", "氏名", "窓口"][(step % 3) as usize];
    let rule = format!(
        "category = \"device\"\n[[rule]]\nid = \"word\"\nnote = \"{step}\"\npattern = \"'{word}'\"\nmatch = [\"{word}で困った。\"]\n"
    );
    [
        ("codebook.toml", include_str!("../rules/codebook.toml").to_owned()),
        ("polarity.toml", include_str!("../rules/polarity.toml").to_owned()),
        ("word.toml", rule),
    ]
}

#[test]
fn recodings_that_are_killed_leave_one_way_of_coding() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    write_corrected(&at.join("a.jsonl"), 0);
    assert_eq!(jirei(at, &["import", "a.jsonl"]).code, 0);
    let casebook = at.join("casebook");
    let info = BatchInfo { coder: "山田".into(), decided_at: "2026-02-01".into(), source: "試験".into() };
    let decision = Decision::category(CommentId::new("c0001"), "complaint", Action::Add);
    let mut open = Casebook::open(&casebook).expect("the casebook opens");
    index::decide(&mut open, &mut maker(), &info, &[decision]).expect("the decision is kept");
    drop(open);
    fs::create_dir(at.join("rules")).expect("writable");
    let version = |step| {
        let sources = rules(step).map(|(name, text)| Source::new(name, text));
        RuleSet::from_sources(&sources, analyzer()).expect("the rules are correct").version().to_owned()
    };
    let labels = |step: u64| -> BTreeMap<String, Vec<String>> {
        let of = |n: u64| {
            let device = (n % 3 == step % 3).then(|| "device".to_owned());
            device.into_iter().chain((n == 1).then(|| "complaint".to_owned())).collect()
        };
        (0..150).map(|n| (format!("c{n:04}"), of(n))).collect()
    };
    let mut last = 0;
    kill_at_many_moments(
        RECODINGS,
        |moment| {
            for (name, text) in rules(moment) {
                fs::write(at.join("rules").join(name), text).expect("writable");
            }
            command(at, &["casebook", "recode", "--rules", "rules"])
        },
        |moment| {
            assert!(comments(&casebook).expect("it is there") == corrected(0), "moment {moment}");
            let open = Casebook::open(&casebook).expect("the casebook opens");
            let coders = open.info().expect("the record reads").coders;
            let [coder] = &coders[..] else { panic!("moment {moment}: two ways of coding: {coders:?}") };
            if coder.rules == version(moment) {
                last = moment;
            } else {
                assert_eq!(coder.rules, version(last), "moment {moment}: neither before nor after");
            }
            assert_eq!(coder.comments, 150, "moment {moment}");
            let mut found = BTreeMap::new();
            open.for_each(|stored| {
                let categories = stored.categories.iter().map(ToString::to_string).collect();
                found.insert(stored.comment.id.to_string(), categories);
                Ok::<_, CasebookError>(())
            })
            .expect("the record reads");
            assert!(found == labels(last), "moment {moment}: labels of other rules");
            assert_eq!(open.decisions().expect("the record reads").len(), 1, "moment {moment}");
            drop(open);
            index_is_right_or_told(&casebook);
            if moment % 10 == 0 {
                let ran = jirei(at, &["casebook", "recode", "--rules", "rules"]);
                assert_eq!(ran.code, 0, "moment {moment}: {}", ran.stderr);
                last = moment;
                is_clean(at, 150);
                let ran = jirei(at, &["search", "category:device", "--limit", "0", "--rules", "rules"]);
                assert!(ran.code == 0 && ran.stdout.starts_with("50 件"), "{}{}", ran.stdout, ran.stderr);
            }
        },
    );
}

/// A small disk of its own; `None` with a notice where this process may not mount one.
struct Disk {
    // Dropped after the disk is taken away.
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Disk {
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("disk");
        fs::create_dir(&path).expect("writable");
        let option = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &option, "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("skipped: a disk of its own cannot be mounted here");
            return None;
        }
        Some(Self { _folder: folder, path })
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        // A process that another test is just starting holds copies of this one's open files for a moment, and a disk
        // with files that are open for writing is busy.
        let remounted = (0..100).any(|_| {
            let status = Command::new("mount").args(["-o", &options]).arg(&self.path).stderr(Stdio::null()).status();
            let is_done = status.expect("mount is there").success();
            if !is_done {
                thread::sleep(Duration::from_millis(50));
            }
            is_done
        });
        assert!(remounted, "remount");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[track_caller]
fn refused(at: &Path, arguments: &[&str], told: &[&str]) {
    let ran = jirei(at, arguments);
    assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    for words in told {
        assert!(ran.stderr.contains(words), "{arguments:?}: {words} is not in: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_full_disk_is_told_and_costs_nothing() {
    let Some(disk) = Disk::new("4m") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let casebook = disk.path.join("casebook");
    let name = casebook.to_str().expect("UTF-8");
    write_corrected(&at.join("small.jsonl"), 0);
    write_corrected(&at.join("large.jsonl"), 20_000);
    assert_eq!(jirei(at, &["import", "small.jsonl", "--casebook", name]).code, 0);
    for _ in 0..2 {
        refused(at, &["import", "large.jsonl", "--casebook", name], &["ディスクがいっぱい", "空き"]);
        assert!(comments(&casebook).expect("it is there") == corrected(0));
        let ran = jirei(at, &["casebook", "check", "--casebook", name]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        // What could not be finished takes up no room.
        let files = fs::read_dir(casebook.join("index")).expect("readable");
        let bytes: u64 = files.map(|file| file.and_then(|file| file.metadata()).expect("it is there").len()).sum();
        assert!(bytes < 1 << 20, "{bytes} bytes");
    }
    // Every remaining byte is taken: reading goes on.
    let filled = fs::write(disk.path.join("filler"), vec![b'x'; 8 << 20]);
    assert!(filled.is_err());
    assert!(comments(&casebook).expect("it is there") == corrected(0));
    for arguments in [&["casebook", "check"][..], &["casebook", "info"], &["appendix", "-o", "a.md"]] {
        let ran = jirei(at, &[arguments, &["--casebook", name]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
    refused(at, &["import", "large.jsonl", "--casebook", name], &["ディスクがいっぱい"]);
    refused(at, &["index", "rebuild", "--casebook", name], &["ディスクがいっぱい"]);
    refused(
        at,
        &["casebook", "backup", disk.path.join("copy").to_str().expect("UTF-8"), "--casebook", name],
        &["ディスクがいっぱい"],
    );
    assert!(!disk.path.join("copy").exists());
    let ran = jirei(at, &["search", "端末", "--limit", "0", "--casebook", name]);
    assert!(ran.code == 0 && ran.stdout.starts_with("50 件"), "{}{}", ran.stdout, ran.stderr);
    fs::remove_file(disk.path.join("filler")).expect("writable");
    disk.remount("size=200m");
    let ran = jirei(at, &["import", "large.jsonl", "--casebook", name]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(comments(&casebook).expect("it is there") == corrected(20_000));
    let ran = jirei(at, &["casebook", "check", "--casebook", name]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// What every command does with a casebook that can only be read, run by `run`.
#[track_caller]
fn is_read_where_nothing_is_written(run: impl Fn(&[&str]) -> Ran, name: &str) {
    let refused = |arguments: &[&str]| {
        let ran = run(&[arguments, &["--casebook", name]].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("読み取り専用") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    };
    refused(&["import", "b.jsonl"]);
    refused(&["index", "rebuild"]);
    refused(&["casebook", "recode"]);
    refused(&["search", "端末", "--add-category", "complaint", "--coder", "山田"]);
    for (arguments, told) in [
        (&["casebook", "info"][..], "索引: 記録と合っています"),
        (&["casebook", "check"], "索引: 記録と合っています"),
        (&["index", "info"], "索引: 使えます"),
        (&["search", "端末", "--limit", "0"], "50 件"),
        (&["search", "端末", "--kwic"], "端末"),
        (&["search", "--like", "c0000"], "c0"),
        (&["review", "log"], ""),
        (&["casebook", "backup", "copy.sqlite", "--overwrite"], ""),
        (&["appendix", "-o", "a.md", "--record"], ""),
    ] {
        let ran = run(&[arguments, &["--casebook", name]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(told), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
    let ran = run(&["appendix", "-o", "a.md", "--record", "--casebook", name]);
    assert!(ran.stderr.contains("実行の記録は事例帳の中には残していません"), "{}", ran.stderr);
    let ran = run(&["verify", "a.md.record.json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_medium_that_is_only_for_reading_is_read_and_searched() {
    let Some(disk) = Disk::new("16m") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let casebook = disk.path.join("事例 帳#1");
    let name = casebook.to_str().expect("UTF-8");
    write_corrected(&at.join("a.jsonl"), 0);
    write_corrected(&at.join("b.jsonl"), 1);
    assert_eq!(jirei(at, &["import", "a.jsonl", "--casebook", name]).code, 0);
    let found = jirei(at, &["search", "端末", "--casebook", name, "--format", "jsonl"]).stdout;
    disk.remount("ro");
    is_read_where_nothing_is_written(|arguments| jirei(at, arguments), name);
    assert_eq!(jirei(at, &["search", "端末", "--casebook", name, "--format", "jsonl"]).stdout, found);
    let new = disk.path.join("new");
    refused(at, &["import", "a.jsonl", "--casebook", new.to_str().expect("UTF-8")], &["作れません"]);

    // Without the files of its locks, as a copy may be.
    disk.remount("rw");
    for lock in [".tantivy-meta.lock", ".tantivy-writer.lock"] {
        let _ = fs::remove_file(casebook.join("index").join(lock));
    }
    // And the mark of a commit that was finished but for the mark itself.
    fs::write(casebook.join("index.pending"), "").expect("writable");
    disk.remount("ro");
    is_read_where_nothing_is_written(|arguments| jirei(at, arguments), name);

    // An index that is behind its record is not searched: what to do is said, and nobody is told that it will be mended.
    disk.remount("rw");
    let connection = rusqlite::Connection::open(casebook.join(FILE)).expect("the file opens");
    connection.execute("UPDATE meta SET value = '7' WHERE name = 'revision'", []).expect("the record goes on");
    drop(connection);
    disk.remount("ro");
    refused(at, &["search", "端末", "--casebook", name], &["読み取り専用", "記録の版 1 → 7", "コピーして"]);
    for arguments in [&["index", "info"][..], &["casebook", "check"]] {
        let ran = jirei(at, &[arguments, &["--casebook", name]].concat());
        assert_eq!(ran.code, 1, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("読み取り専用なので作れません"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("壊れて") && !ran.stdout.contains("作り直されます"), "{}", ran.stdout);
    }
    let ran = jirei(at, &["casebook", "info", "--casebook", name]);
    assert!(ran.code == 0 && ran.stdout.contains("読み取り専用なので作れません"), "{}", ran.stdout);
    disk.remount("rw");
    fs::remove_dir_all(casebook.join("index")).expect("writable");
    disk.remount("ro");
    refused(at, &["search", "端末", "--casebook", name], &["読み取り専用", "索引がない", "コピーして"]);

    // The log of a run that was killed can only be read where SQLite may write.
    disk.remount("rw");
    let connection = rusqlite::Connection::open(casebook.join(FILE)).expect("the file opens");
    connection.execute("UPDATE meta SET value = '1' WHERE name = 'revision'", []).expect("the record goes back");
    let log = casebook.join(format!("{FILE}-wal"));
    let written = fs::read(&log).expect("the log is open");
    drop(connection);
    fs::write(&log, written).expect("writable");
    let _ = fs::remove_file(casebook.join(format!("{FILE}-shm")));
    disk.remount("ro");
    refused(at, &["casebook", "info", "--casebook", name], &["casebook.sqlite-wal", "コピーして"]);
    disk.remount("rw");
    assert!(comments(&casebook).expect("it is there") == corrected(0));
    let ran = jirei(at, &["import", "b.jsonl", "--casebook", name]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Runs the program as somebody without rights; `None` with a notice where that cannot be had.
#[cfg(unix)]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn as_nobody(at: &Path, arguments: &[&str]) -> Option<Ran> {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let mut program = Command::new(env!("CARGO_BIN_EXE_jirei"));
    let output = program.args(arguments).current_dir(at).uid(NOBODY).gid(NOBODY).output();
    let Ok(output) = output else {
        eprintln!("skipped: the program cannot be run as somebody else here");
        return None;
    };
    Some(Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("results are UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    })
}

#[cfg(unix)]
#[test]
fn a_share_without_the_right_to_write_is_read_and_searched() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    let share = tempfile::tempdir().expect("a temporary folder");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    write_corrected(&at.join("a.jsonl"), 0);
    write_corrected(&at.join("b.jsonl"), 1);
    let casebook = share.path().join("casebook");
    let name = casebook.to_str().expect("UTF-8");
    assert_eq!(jirei(at, &["import", "a.jsonl", "--casebook", name]).code, 0);
    mode(share.path(), 0o755);
    mode(at, 0o777);
    if as_nobody(at, &["--version"]).is_none() {
        return;
    }
    let run = |arguments: &[&str]| as_nobody(at, arguments).expect("it ran before");
    is_read_where_nothing_is_written(run, name);
    // Files that are their owner's alone are no damage.
    let meta = casebook.join("index/meta.json");
    mode(&meta, 0o600);
    let ran = run(&["search", "端末", "--casebook", name]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("索引を読む権限がありません") && !ran.stderr.contains("壊れて"), "{}", ran.stderr);
    mode(&meta, 0o644);

    // Somebody who may write has the casebook open: its log is read along.
    let connection = rusqlite::Connection::open(casebook.join(FILE)).expect("the file opens");
    connection.execute("UPDATE meta SET value = value", []).expect("something is written");
    for arguments in [&["search", "端末", "--limit", "0"][..], &["casebook", "info"], &["casebook", "check"]] {
        let ran = run(&[arguments, &["--casebook", name]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
    // A writer's lock keeps nobody from reading the index.
    let ran = jirei(at, &["import", "b.jsonl", "--casebook", name]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = run(&["search", "端末", "--limit", "0", "--casebook", name]);
    assert!(ran.code == 0 && ran.stdout.starts_with("51 件"), "{}{}", ran.stdout, ran.stderr);
    drop(connection);
}
