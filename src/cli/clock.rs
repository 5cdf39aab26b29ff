//! The clock: times as records keep them, in UTC, and as people read them, by the clock of the machine.

use anyhow::Context;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The time now (RFC 3339).
pub(super) fn now() -> anyhow::Result<String> {
    rfc3339(OffsetDateTime::now_utc())
}

/// The time now, to the second (RFC 3339).
pub(super) fn this_second() -> anyhow::Result<String> {
    let now = OffsetDateTime::now_utc();
    rfc3339(now.replace_nanosecond(0).unwrap_or(now))
}

fn rfc3339(time: OffsetDateTime) -> anyhow::Result<String> {
    time.format(&Rfc3339).context("時刻を取得できません")
}

/// A time on record as the clock of this machine showed it, to the minute. What cannot be told stays as it is written.
pub(super) fn moment(on_record: &str) -> String {
    let local = |time: OffsetDateTime| Some(time.to_offset(UtcOffset::local_offset_at(time).ok()?));
    match OffsetDateTime::parse(on_record, &Rfc3339).ok().and_then(local) {
        Some(local) => format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute()),
        None => on_record.to_owned(),
    }
}
