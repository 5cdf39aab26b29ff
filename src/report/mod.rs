//! The case appendix: quotes under the headings of the code frame, as one model ([`Appendix`]) that every
//! format is written from, so that the same numbers stand in all of them.
//!
//! Nothing here reads or writes a file: [`render`] gives bytes, and the same appendix gives the same bytes.

mod appendix;
mod cells;
mod choose;
mod coded;
mod csv;
mod disclosure;
mod docx;
mod edit;
mod html;
mod json;
mod markdown;
mod masks;
mod printable;
mod settings;
mod similar;
mod xlsx;

use std::{fmt, path::Path, str::FromStr};

use thiserror::Error;

pub use appendix::{Appendix, Copies, Options, Part, Row, Table, Totals};
pub use cells::{CellRemedy, Place, SmallCell, SmallCells};
pub use choose::Choice;
pub use coded::{CODED_HEADERS, CodedComment, QuotedEvidence, quoted_evidence};
pub use csv::guarded;
pub use disclosure::{DetailFinder, DetailKind, DisclosureWords, Finding, RowFinding, mask_details};
pub use docx::{Template, TemplateError, fill};
pub use edit::{Edit, EditKind, Offer, offered_corrections};
pub use masks::{Decided, MaskFile, propose};
pub use settings::{Settings, SettingsError, Split};
pub use similar::group_similar;

pub(crate) use printable::{one_line, printable};

/// A form in which an appendix can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppendixFormat {
    /// Word, for press.
    Docx,
    /// Excel, one sheet a category.
    Xlsx,
    /// One self-contained page.
    Html,
    /// Markdown tables.
    Markdown,
    /// One line a row, for other programs and for Excel.
    Csv,
    /// The model itself.
    Json,
}

impl AppendixFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Docx, Self::Xlsx, Self::Html, Self::Markdown, Self::Csv, Self::Json];

    /// The format that a file's name asks for by its extension, in either case.
    ///
    /// # Errors
    ///
    /// Where the name has no extension or one that is not known.
    ///
    /// ```
    /// use jirei::report::AppendixFormat;
    ///
    /// assert_eq!(AppendixFormat::from_path("事例集.docx".as_ref()), Ok(AppendixFormat::Docx));
    /// assert!(AppendixFormat::from_path("事例集.pdf".as_ref()).is_err());
    /// ```
    pub fn from_path(path: &Path) -> Result<Self, UnknownFormat> {
        match path.extension() {
            Some(extension) => extension.to_string_lossy().parse(),
            None => Err(UnknownFormat(String::new())),
        }
    }

    /// The extension that files of this format carry.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for AppendixFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for AppendixFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        match name.to_ascii_lowercase().as_str() {
            "docx" => Ok(Self::Docx),
            "xlsx" => Ok(Self::Xlsx),
            "html" | "htm" => Ok(Self::Html),
            "md" | "markdown" => Ok(Self::Markdown),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(UnknownFormat(name.to_owned())),
        }
    }
}

/// An extension that no format has; holds it, empty where there was none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct UnknownFormat(pub String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("出力ファイルに拡張子がありません")?;
        } else {
            write!(f, "拡張子「{}」の事例集は作れません", self.0)?;
        }
        f.write_str("（使えるのは docx、xlsx、html、md、csv、json です）")
    }
}

/// Why an appendix could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The container of the Word file.
    #[error("Wordファイルを組み立てられませんでした")]
    Docx(#[from] zip::result::ZipError),
    /// The Word file's parts.
    #[error("Wordファイルを組み立てられませんでした")]
    Io(#[from] std::io::Error),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The workbook.
    #[error("Excelファイルを組み立てられませんでした")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The page.
    #[error("HTMLを組み立てられませんでした")]
    Html(#[from] minijinja::Error),
    /// The table of lines.
    #[error("CSVを組み立てられませんでした")]
    Csv(#[from] ::csv::Error),
    /// The model as JSON.
    #[error("JSONを組み立てられませんでした")]
    Json(#[from] serde_json::Error),
}

/// The bytes of an appendix in a format: the same bytes for the same appendix.
///
/// # Errors
///
/// Where a writer of the format fails; no appendix that [`Appendix::build`] gives is known to.
pub fn render(appendix: &Appendix, format: AppendixFormat) -> Result<Vec<u8>, ReportError> {
    match format {
        AppendixFormat::Docx => docx::render(appendix),
        AppendixFormat::Xlsx => xlsx::render(appendix),
        AppendixFormat::Html => html::render(appendix),
        AppendixFormat::Markdown => Ok(markdown::render(appendix).into_bytes()),
        AppendixFormat::Csv => csv::render(appendix),
        AppendixFormat::Json => json::render(appendix),
    }
}
