//! Help and errors of the argument parser in Japanese.

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

pub(super) const HELP_TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}{after-help}";

/// The program's arguments. In a search a word that must be absent begins with a minus, which the parser would take for
/// an option: where none can be meant, the full-width minus stands for it, which the query takes as the same.
pub(super) fn arguments(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let (mut is_search, mut is_plain) = (false, false);
    given.map(move |argument| {
        let Some(text) = argument.to_str().filter(|_| !is_plain) else { return argument };
        is_plain = text == "--";
        let follows = text.strip_prefix('-').and_then(|rest| rest.chars().next());
        let absent = is_search && follows.is_some_and(|first| first != '-' && !first.is_ascii_alphabetic());
        is_search |= text == "search";
        if absent { OsString::from(format!("－{}", &text[1..])) } else { argument }
    })
}

/// The few words of help that clap writes itself and offers no setting for.
fn translated(help: &str) -> String {
    [
        ("[OPTIONS]", "[オプション]"),
        ("<COMMAND>", "<コマンド>"),
        ("[COMMAND]", "[コマンド]"),
        ("\nArguments:\n", "\n引数:\n"),
        ("\nOptions:\n", "\nオプション:\n"),
        ("\nCommands:\n", "\nコマンド:\n"),
        ("[default: ", "[指定しなければ "),
    ]
    .into_iter()
    .fold(help.to_owned(), |text, (english, japanese)| text.replace(english, japanese))
}

/// Prints what the parser has to say and gives the exit code: help and version are results, all else is an error.
pub(super) fn report(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe is the reader's business.
        let _ = write!(std::io::stdout(), "{}", translated(&error.render().to_string()));
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        eprint!("{}", translated(&error.render().to_string()));
        return ExitCode::from(2);
    }
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(ContextValue::Number(number)) => number.to_string(),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let message = match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            format!("「{argument}」は余分です（空白を含むものは引用符で囲んでください）")
        }
        ErrorKind::UnknownArgument => format!("「{argument}」というオプションはありません"),
        ErrorKind::InvalidSubcommand => {
            format!("「{}」というコマンドはありません", context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("{argument} を指定してください"),
        ErrorKind::MissingSubcommand => "コマンドを指定してください".to_owned(),
        ErrorKind::InvalidValue if value.is_empty() => format!("「{argument}」に値がありません"),
        ErrorKind::InvalidValue => {
            format!(
                "「{argument}」に「{value}」は指定できません（指定できる値: {}）",
                context(ContextKind::ValidValue).replace(' ', "、")
            )
        }
        ErrorKind::ValueValidation => {
            // What numbers of the standard library say is English.
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            let reason = reason.filter(|reason| !reason.is_ascii()).map(|reason| format!("（{reason}）"));
            format!("「{argument}」に「{value}」は指定できません{}", reason.unwrap_or_default())
        }
        ErrorKind::ArgumentConflict => {
            format!("「{argument}」は「{}」と一緒に指定できません", context(ContextKind::PriorArg))
        }
        ErrorKind::TooFewValues | ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues => {
            format!("「{argument}」の値の数が合いません")
        }
        ErrorKind::InvalidUtf8 => "引数に UTF-8 ではない文字があります".to_owned(),
        _ => error.to_string(),
    };
    eprintln!("エラー: {message}");
    let suggestion = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .into_iter()
        .map(context)
        .find(|text| !text.is_empty());
    if let Some(suggestion) = suggestion {
        eprintln!("  「{suggestion}」ではありませんか");
    }
    // Of the command that was meant: the words before the first placeholder or option.
    let usage = context(ContextKind::Usage);
    let words = usage.split_whitespace().skip_while(|word| !word.starts_with("jirei")).skip(1);
    let command = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let command: String = command.map(|word| format!(" {word}")).collect();
    eprintln!("  使い方は jirei{command} --help で表示されます");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_minus_is_no_option() {
        let given =
            ["jirei", "--threads", "1", "search", "停電", "-台風", "-(", "-h", "--limit", "3", "-", "--", "-雷"];
        let expected =
            ["jirei", "--threads", "1", "search", "停電", "－台風", "－(", "-h", "--limit", "3", "-", "--", "-雷"];
        assert_eq!(arguments(given.into_iter().map(OsString::from)).collect::<Vec<_>>(), expected);
    }
}
