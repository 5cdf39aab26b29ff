//! A file of any bytes is read to its end, or refused.

#![no_main]

use std::io::Write;

use jirei::read::{ReadOptions, open};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a temporary file");
    file.write_all(bytes).and_then(|()| file.flush()).expect("the file takes the bytes");
    let Ok(mut reader) = open(file.path(), &ReadOptions::default()) else { return };
    let read = reader.by_ref().filter(Result::is_ok).count();
    // No line gives more than a few comments, so there are never more than bytes.
    assert!(read <= bytes.len());
});
