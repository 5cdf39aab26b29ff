//! Finds out how a text file is encoded and gives its bytes in a form whose cells can be decoded one by one.
//!
//! In UTF-8, CP932 and EUC-JP no byte of a longer character equals a comma, tab, quote or line end, so a table is
//! cut into cells as bytes and each cell is decoded alone: one undecodable cell costs one row. UTF-16 and
//! ISO-2022-JP do not have this property and are turned into UTF-8 on the way.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, DecoderResult, EUC_JP, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use serde::Serialize;

/// How the characters of a text file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextEncoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// Shift_JIS as Windows writes it; Excel's default for csv in Japan.
    Cp932,
    /// EUC-JP.
    EucJp,
    /// ISO-2022-JP, as in old mail.
    Iso2022Jp,
}

impl TextEncoding {
    fn encoding(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 | Self::Utf8Bom => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Cp932 => SHIFT_JIS,
            Self::EucJp => EUC_JP,
            Self::Iso2022Jp => ISO_2022_JP,
        }
    }

    /// Whether the bytes must become UTF-8 before they can be cut at commas and line ends.
    fn is_transcoded(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be | Self::Iso2022Jp)
    }

    fn bom_length(self, head: &[u8]) -> usize {
        match self {
            Self::Utf8Bom => 3,
            Self::Utf16Le if head.starts_with(&[0xff, 0xfe]) => 2,
            Self::Utf16Be if head.starts_with(&[0xfe, 0xff]) => 2,
            _ => 0,
        }
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8（BOM付き）",
            Self::Utf16Le => "UTF-16（LE）",
            Self::Utf16Be => "UTF-16（BE）",
            Self::Cp932 => "Shift_JIS（CP932）",
            Self::EucJp => "EUC-JP",
            Self::Iso2022Jp => "ISO-2022-JP（JIS）",
        })
    }
}

/// What one pass over a file tells.
#[derive(Debug)]
pub(super) struct Survey {
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// Its BLAKE3 hash in hexadecimal.
    pub(super) hash: String,
    /// Its first 64 KiB.
    pub(super) head: Vec<u8>,
    valid_utf8: bool,
}

const HEAD: usize = 64 * 1024;

/// Reads the whole file once: length, hash, first bytes, whether it is UTF-8. Leaves the file at its start.
pub(super) fn survey(file: &mut File) -> io::Result<Survey> {
    let mut hasher = blake3::Hasher::new();
    let mut head = Vec::new();
    let mut bytes = 0;
    let mut utf8 = Utf8Check::default();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let block = &buffer[..read];
        hasher.update(block);
        utf8.feed(block);
        if head.len() < HEAD {
            head.extend_from_slice(&block[..block.len().min(HEAD - head.len())]);
        }
        bytes += read as u64;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(Survey { bytes, hash: hasher.finalize().to_hex().to_string(), head, valid_utf8: utf8.is_valid() })
}

/// Whether a stream of blocks is UTF-8; a character may lie across two blocks.
#[derive(Default)]
struct Utf8Check {
    invalid: bool,
    rest: Vec<u8>,
}

impl Utf8Check {
    fn feed(&mut self, block: &[u8]) {
        if self.invalid {
            return;
        }
        let mut block = block;
        while !self.rest.is_empty() && !block.is_empty() {
            self.rest.push(block[0]);
            block = &block[1..];
            match std::str::from_utf8(&self.rest) {
                Ok(_) => self.rest.clear(),
                Err(error) if error.error_len().is_some() => {
                    self.invalid = true;
                    return;
                }
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(block) {
            match error.error_len() {
                Some(_) => self.invalid = true,
                None => self.rest = block[error.valid_up_to()..].to_vec(),
            }
        }
    }

    fn is_valid(&self) -> bool {
        !self.invalid && self.rest.is_empty()
    }
}

/// Decides the encoding; `None` when the file is no text in any encoding known here. Leaves the file at its start.
pub(super) fn detect(file: &mut File, survey: &Survey) -> io::Result<Option<TextEncoding>> {
    let head = &survey.head[..];
    if head.starts_with(&[0xff, 0xfe]) {
        return Ok(Some(TextEncoding::Utf16Le));
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Ok(Some(TextEncoding::Utf16Be));
    }
    let bom = head.starts_with(&[0xef, 0xbb, 0xbf]);
    // UTF-16 without a mark: every ASCII character (comma, digit, line end) has a zero byte on the same side.
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if !bom && head.len() >= 4 && even + odd > head.len() / 20 {
        if even.max(odd) < 10 * even.min(odd) {
            return Ok(None);
        }
        return Ok(Some(if odd > even { TextEncoding::Utf16Le } else { TextEncoding::Utf16Be }));
    }
    if survey.valid_utf8 && !head.windows(2).any(|pair| pair == b"\x1b$") {
        return Ok(Some(if bom { TextEncoding::Utf8Bom } else { TextEncoding::Utf8 }));
    }

    // The whole file goes to the detector: the first Japanese character may come late, and a prefix misleads.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut lines = [MalformedLines::new(UTF_8), MalformedLines::new(SHIFT_JIS), MalformedLines::new(EUC_JP)];
    let mut reader = BufReader::with_capacity(256 * 1024, &mut *file);
    let mut line = Vec::new();
    let mut total = 0u64;
    loop {
        line.clear();
        // A line is cut at 1 MiB: only a count is wanted, and a file without line ends must not fill the memory.
        if (&mut reader).take(1 << 20).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        detector.feed(&line, false);
        total += 1;
        for counter in &mut lines {
            counter.feed(&line);
        }
    }
    detector.feed(&[], true);
    drop(reader);
    file.seek(SeekFrom::Start(0))?;

    // Told `jp`: without it, half-width katakana is taken for Cyrillic.
    let guess = detector.guess(Some(b"jp"), Utf8Detection::Allow);
    if guess == ISO_2022_JP {
        return Ok(Some(TextEncoding::Iso2022Jp));
    }
    if survey.valid_utf8 {
        return Ok(Some(if bom { TextEncoding::Utf8Bom } else { TextEncoding::Utf8 }));
    }
    let [utf8, cp932, euc_jp] = lines.map(|counter| counter.malformed);
    let legacy = if euc_jp < cp932 || (euc_jp == cp932 && guess == EUC_JP) {
        (TextEncoding::EucJp, euc_jp)
    } else {
        (TextEncoding::Cp932, cp932)
    };
    // A mark at the start, or fewer broken lines as UTF-8: a UTF-8 file with damage.
    let utf8 = (if bom { TextEncoding::Utf8Bom } else { TextEncoding::Utf8 }, utf8);
    let (encoding, malformed) = if bom || utf8.1 < legacy.1 { utf8 } else { legacy };
    Ok((malformed * 2 <= total).then_some(encoding))
}

struct MalformedLines {
    encoding: &'static encoding_rs::Encoding,
    malformed: u64,
}

impl MalformedLines {
    fn new(encoding: &'static encoding_rs::Encoding) -> Self {
        Self { encoding, malformed: 0 }
    }

    fn feed(&mut self, line: &[u8]) {
        if line.is_ascii() {
            return;
        }
        if self.encoding.decode_without_bom_handling_and_without_replacement(line).is_none() {
            self.malformed += 1;
        }
    }
}

/// Reads a whole text file in the encoding that its bytes show, without its byte order mark; `None` when it is no text
/// in any encoding known here. What cannot be decoded is replaced by U+FFFD.
///
/// # Errors
///
/// When the file cannot be opened or read.
pub fn read_text(path: &Path) -> io::Result<Option<(String, TextEncoding)>> {
    let mut file = File::open(path)?;
    let survey = survey(&mut file)?;
    let Some(encoding) = detect(&mut file, &survey)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let bytes = &bytes[encoding.bom_length(&bytes).min(bytes.len())..];
    let (text, _) = encoding.encoding().decode_without_bom_handling(bytes);
    Ok(Some((text.into_owned(), encoding)))
}

/// Decodes the cells of a [`ByteSource`].
#[derive(Debug, Clone, Copy)]
pub(super) struct CellDecoder {
    encoding: TextEncoding,
}

/// A cell that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable;

impl CellDecoder {
    /// The text of a cell.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<String, Undecodable> {
        if bytes.is_ascii() {
            return String::from_utf8(bytes.to_vec()).map_err(|_| Undecodable);
        }
        if self.encoding.is_transcoded() || matches!(self.encoding, TextEncoding::Utf8 | TextEncoding::Utf8Bom) {
            return String::from_utf8(bytes.to_vec()).map_err(|_| Undecodable);
        }
        // UTF-8 pasted into a CP932 file decodes without an error, to nonsense. No text of two or more Japanese
        // characters in CP932 or EUC-JP is by chance well-formed UTF-8 of three-byte characters.
        if std::str::from_utf8(bytes).is_ok_and(|text| text.chars().filter(|c| c.len_utf8() >= 3).count() >= 2) {
            return Err(Undecodable);
        }
        self.encoding
            .encoding()
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(Cow::into_owned)
            .ok_or(Undecodable)
    }
}

/// The bytes of a text file from behind its byte order mark, to be cut into lines and cells.
pub(super) type ByteSource = Box<dyn BufRead + Send>;

/// Opens the bytes of a text file for cutting, with the decoder for its cells.
pub(super) fn byte_source(
    mut file: File,
    encoding: TextEncoding,
    head: &[u8],
) -> io::Result<(ByteSource, CellDecoder)> {
    file.seek(SeekFrom::Start(encoding.bom_length(head) as u64))?;
    let decoder = CellDecoder { encoding };
    let reader: ByteSource = if encoding.is_transcoded() {
        Box::new(BufReader::with_capacity(128 * 1024, Transcoder::new(file, encoding)))
    } else {
        Box::new(BufReader::with_capacity(128 * 1024, file))
    };
    Ok((reader, decoder))
}

/// Bytes in another encoding as UTF-8. What is malformed becomes the byte 0xFF, which no UTF-8 holds, so that
/// the cell that it stands in fails to decode, and only that cell.
struct Transcoder<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_start: usize,
    out: Vec<u8>,
    out_start: usize,
    at_end: bool,
    finished: bool,
}

impl<R: Read> Transcoder<R> {
    fn new(input: R, encoding: TextEncoding) -> Self {
        Self {
            input,
            decoder: encoding.encoding().new_decoder_without_bom_handling(),
            raw: Vec::new(),
            raw_start: 0,
            out: Vec::new(),
            out_start: 0,
            at_end: false,
            finished: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.out_start = 0;
        while self.out.is_empty() && !self.finished {
            if self.raw_start == self.raw.len() && !self.at_end {
                self.raw.resize(64 * 1024, 0);
                self.raw_start = 0;
                let read = self.input.read(&mut self.raw)?;
                self.raw.truncate(read);
                self.at_end = read == 0;
            }
            let mut block = [0; 8 * 1024];
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.raw[self.raw_start..], &mut block, self.at_end);
            self.raw_start += read;
            self.out.extend_from_slice(&block[..written]);
            match result {
                DecoderResult::Malformed(..) => self.out.push(0xff),
                DecoderResult::InputEmpty if self.at_end => self.finished = true,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.out_start == self.out.len() {
            self.fill()?;
        }
        let length = buffer.len().min(self.out.len() - self.out_start);
        buffer[..length].copy_from_slice(&self.out[self.out_start..self.out_start + length]);
        self.out_start += length;
        Ok(length)
    }
}

/// The first 64 KiB as text, for guessing only: what cannot be decoded is replaced.
pub(super) fn head_text(head: &[u8], encoding: TextEncoding) -> String {
    let mut decoder = encoding.encoding().new_decoder_with_bom_removal();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(head.len()).unwrap_or(head.len() * 3));
    let (result, _, _) = decoder.decode_to_string(head, &mut text, false);
    debug_assert_eq!(result, CoderResult::InputEmpty);
    text
}
