//! What the system says, in Japanese.

use std::io::{Error, ErrorKind};

/// Why the system did not do what it was asked for.
pub(crate) fn of_io(error: &Error) -> String {
    let told = match error.kind() {
        ErrorKind::NotFound => "見つかりません。名前とフォルダーを確かめてください",
        ErrorKind::PermissionDenied => "権限がありません。ほかのソフトで開いていれば閉じ、権限を確かめてください",
        ErrorKind::IsADirectory => "フォルダーです。中のファイルを指定してください",
        ErrorKind::NotADirectory => "フォルダーではありません",
        ErrorKind::AlreadyExists => "同じ名前のファイルがすでにあります",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "ディスクがいっぱいです。空きを作ってください",
        ErrorKind::ReadOnlyFilesystem => "読み取り専用の場所です",
        ErrorKind::InvalidFilename => "ファイル名が長すぎるか、使えない文字があります",
        ErrorKind::UnexpectedEof => "ファイルが途中で終わっています",
        _ => return error.to_string(),
    };
    told.to_owned()
}

/// What lies behind an error, from the nearest cause to the farthest, each said once and not again after the error.
pub(crate) fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    for cause in error.chain().skip(1) {
        let cause = cause.downcast_ref::<Error>().map_or_else(|| cause.to_string(), of_io);
        if !said.iter().any(|said| said.contains(&cause)) {
            said.push(cause);
        }
    }
    said.split_off(1)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::causes;

    #[test]
    fn causes_are_told_once_and_in_japanese() {
        let missing = std::fs::read("no such file").context("読めません").expect_err("it is missing");
        assert_eq!(causes(&missing), ["見つかりません。名前とフォルダーを確かめてください"]);
        let twice = anyhow::anyhow!("同じこと").context("読めません: 同じこと");
        assert_eq!(causes(&twice), Vec::<String>::new());
    }
}
