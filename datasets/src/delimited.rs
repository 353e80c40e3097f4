//! Delimited text: records of fields, with the lines on which they begin.
//!
//! One reader serves the published files, in which a quotation mark is a plain character and every line counts, and those
//! of users, which may be CSV (RFC 4180) of any origin.

use std::io::{self, BufRead};
use std::ops::Range;

use memchr::{memchr, memchr2};

/// The largest size of a record. In a longer one, a line end is missing or a quotation mark is never closed.
pub(crate) const MAX_RECORD_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How many characters of a faulty record an error shows.
const SHOWN: usize = 20;

/// The syntax of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// The character between two fields, which must be ASCII.
    pub(crate) delimiter: u8,
    /// Whether a field may stand in double quotation marks. Such a field may hold delimiters, line ends and doubled
    /// marks. A mark anywhere else is refused.
    pub(crate) quoting: bool,
    /// Whether a carriage return alone ends a record. One before a line feed is never part of a record.
    pub(crate) carriage_return_ends: bool,
    /// Whether empty lines are skipped. Otherwise an empty line is a record of one empty field.
    pub(crate) skips_empty_lines: bool,
}

/// Why a record could not be read.
#[derive(Debug)]
pub(crate) enum RecordFault {
    /// The reader failed.
    Read(io::Error),
    /// The text breaks the syntax, in a line counted from 1.
    Text { line: usize, expected: String, found: String },
}

/// Reads records one by one. A byte order mark at the beginning is skipped.
pub(crate) struct RecordReader<R> {
    reader: R,
    syntax: Syntax,
    /// The bytes of the record, its end included.
    raw: Vec<u8>,
    /// The text of all fields, and the range of each field in it.
    text: String,
    fields: Vec<Range<usize>>,
    is_at_start: bool,
    /// The line on which the record begins, and the line on which the next one begins.
    line: usize,
    next_line: usize,
}

impl<R: BufRead> RecordReader<R> {
    pub(crate) fn new(reader: R, syntax: Syntax) -> RecordReader<R> {
        RecordReader {
            reader,
            syntax,
            raw: Vec::new(),
            text: String::new(),
            fields: Vec::new(),
            is_at_start: true,
            line: 1,
            next_line: 1,
        }
    }

    /// Reads the next record. Returns `false` if there is none.
    pub(crate) fn next(&mut self) -> Result<bool, RecordFault> {
        loop {
            self.raw.clear();
            self.line = self.next_line;
            self.read_line()?;
            if self.raw.is_empty() {
                return Ok(false);
            }
            if std::mem::take(&mut self.is_at_start) {
                self.check_start()?;
            }
            let is_empty = self.content_len() == 0;
            if !(is_empty && self.syntax.skips_empty_lines) {
                break;
            }
        }
        if self.syntax.quoting {
            // Marks come in pairs: within an open one, a line end is part of the field.
            let mut marks = count_marks(&self.raw);
            while marks % 2 == 1 {
                let before = self.raw.len();
                let read = self.read_line().map_err(|fault| self.stray_mark().unwrap_or(fault))?;
                if read == 0 {
                    let expected =
                        "quotation marks in pairs (RFC 4180; set quoting = false if they are plain characters)";
                    let open = || self.fault(expected, format!("{marks} in this row"));
                    return Err(self.stray_mark().unwrap_or_else(open));
                }
                marks += count_marks(&self.raw[before..]);
            }
        }
        self.split()?;
        Ok(true)
    }

    /// The line on which the record begins. After the last record, the line on which the file ends.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn field(&self, number: usize) -> &str {
        &self.text[self.fields[number].clone()]
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| &self.text[field.clone()])
    }

    fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> RecordFault {
        RecordFault::Text { line: self.line, expected: expected.into(), found: found.into() }
    }

    /// The fault of a mark that neither encloses a field nor is doubled within one. It explains more than the fault of
    /// a record that does not end.
    fn stray_mark(&self) -> Option<RecordFault> {
        let at = stray_mark(&self.raw, self.syntax.delimiter)?;
        let expected = "quotation marks around a whole field, doubled within it (RFC 4180; set quoting = false if they are plain \
                        characters)";
        let start = (0..=at).rev().find(|&start| str::from_utf8(&self.raw[start..]).is_ok()).unwrap_or(at);
        let near: String = String::from_utf8_lossy(&self.raw[start..]).trim_end().chars().take(SHOWN).collect();
        Some(self.fault(expected, format!("another before {near:?}")))
    }

    /// Appends the bytes up to and including the next line end to the record. Returns their number.
    fn read_line(&mut self) -> Result<usize, RecordFault> {
        let before = self.raw.len();
        let carriage_return_ends = self.syntax.carriage_return_ends;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(RecordFault::Read(error)),
            };
            let end = if carriage_return_ends { memchr2(b'\n', b'\r', available) } else { memchr(b'\n', available) };
            let taken = end.map_or(available.len(), |end| end + 1);
            let is_too_long = self.raw.len() + taken > MAX_RECORD_BYTES;
            self.raw.extend_from_slice(&available[..taken.min(MAX_RECORD_BYTES)]);
            self.reader.consume(taken);
            if is_too_long {
                let is_open = self.syntax.quoting && count_marks(&self.raw) % 2 == 1;
                let hint = if is_open { "; is a quotation mark left open?" } else { "" };
                return Err(self.fault(format!("at most {MAX_RECORD_BYTES} bytes in a row"), format!("more{hint}")));
            }
            if end.is_some() || taken == 0 {
                break;
            }
        }
        // The line feed after a carriage return may be in the next buffer.
        if carriage_return_ends && self.raw.ends_with(b"\r") && self.raw.len() > before {
            let next = self.reader.fill_buf().map_err(RecordFault::Read)?;
            if next.first() == Some(&b'\n') {
                self.raw.push(b'\n');
                self.reader.consume(1);
            }
        }
        self.next_line += usize::from(self.raw.len() > before && self.raw.ends_with(b"\n"));
        Ok(self.raw.len() - before)
    }

    /// Skips a byte order mark, and refuses those of other encodings than UTF-8.
    fn check_start(&mut self) -> Result<(), RecordFault> {
        if self.raw.starts_with(b"\xff\xfe") || self.raw.starts_with(b"\xfe\xff") {
            return Err(self.fault("UTF-8", "UTF-16: save the file as UTF-8"));
        }
        if self.raw.starts_with(BYTE_ORDER_MARK) {
            self.raw.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// The length of the record without its line end.
    fn content_len(&self) -> usize {
        let content = self.raw.strip_suffix(b"\n").unwrap_or(&self.raw);
        content.strip_suffix(b"\r").unwrap_or(content).len()
    }

    /// Finds the fields of the record.
    fn split(&mut self) -> Result<(), RecordFault> {
        let content = &self.raw[..self.content_len()];
        let line_of = |at: usize| self.line + content[..at].iter().filter(|&&byte| byte == b'\n').count();
        if let Some(at) = content.iter().position(|&byte| byte == 0) {
            return Err(RecordFault::Text {
                line: line_of(at),
                expected: "text".to_owned(),
                found: "a NUL byte".to_owned(),
            });
        }
        let content = str::from_utf8(content).map_err(|error| {
            let at = error.valid_up_to();
            let found = format!("the byte {:#04x}, which is not valid UTF-8 there", content[at]);
            RecordFault::Text { line: line_of(at), expected: "text in UTF-8".to_owned(), found }
        })?;
        self.text.clear();
        self.fields.clear();
        if !self.syntax.quoting || !content.contains('"') {
            self.text.push_str(content);
            let mut start = 0;
            for field in content.split(char::from(self.syntax.delimiter)) {
                self.fields.push(start..start + field.len());
                start += field.len() + 1;
            }
            return Ok(());
        }
        if let Some(fault) = self.stray_mark() {
            return Err(fault);
        }
        let mut start = 0;
        let mut is_quoted = false;
        let mut characters = content.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '"' if is_quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    self.text.push('"');
                }
                '"' => is_quoted = !is_quoted,
                c if !is_quoted && c == char::from(self.syntax.delimiter) => {
                    self.fields.push(start..self.text.len());
                    start = self.text.len();
                }
                c => self.text.push(c),
            }
        }
        self.fields.push(start..self.text.len());
        Ok(())
    }
}

fn count_marks(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'"').count()
}

/// The index of the byte after a mark that neither encloses a field nor is doubled within one.
fn stray_mark(record: &[u8], delimiter: u8) -> Option<usize> {
    #[derive(PartialEq)]
    enum FieldState {
        Start,
        Plain,
        Quoted,
        /// After a mark in a quoted field: the end of the field, or the first of two marks.
        AfterMark,
    }
    let mut state = FieldState::Start;
    for (at, &byte) in record.iter().enumerate() {
        state = match (state, byte) {
            (FieldState::Start | FieldState::AfterMark, b'"') => FieldState::Quoted,
            (FieldState::Quoted, b'"') => FieldState::AfterMark,
            (FieldState::Quoted, _) => FieldState::Quoted,
            (FieldState::Plain, b'"') => return Some(at + 1),
            (_, byte) if byte == delimiter => FieldState::Start,
            (FieldState::AfterMark, b'\r' | b'\n') => FieldState::AfterMark,
            (FieldState::AfterMark, _) => return Some(at),
            (FieldState::Start | FieldState::Plain, _) => FieldState::Plain,
        };
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    const CSV: Syntax = Syntax { delimiter: b',', quoting: true, carriage_return_ends: true, skips_empty_lines: true };
    const PLAIN: Syntax =
        Syntax { delimiter: b'\t', quoting: false, carriage_return_ends: false, skips_empty_lines: false };

    /// Every record with its line. The buffer is small, so that every boundary between two of its fills is tested.
    fn records(text: &[u8], syntax: Syntax, buffer: usize) -> Result<Vec<(usize, Vec<String>)>, RecordFault> {
        let mut reader = RecordReader::new(BufReader::with_capacity(buffer, text), syntax);
        let mut records = Vec::new();
        while reader.next()? {
            assert_eq!(reader.fields().count(), reader.len());
            records.push((reader.line(), reader.fields().map(str::to_owned).collect()));
        }
        Ok(records)
    }

    #[test]
    fn records_and_lines_are_the_same_whatever_the_size_of_the_buffer() {
        let text = "\u{feff}a,b\r\n\r\n\"c, \"\"d\"\"\r\nand e\",f\rg,h\n\n\"\",é\n";
        for buffer in 1..text.len() {
            let records = records(text.as_bytes(), CSV, buffer).unwrap();
            let expected =
                [(1, vec!["a", "b"]), (3, vec!["c, \"d\"\r\nand e", "f"]), (4, vec!["g", "h"]), (6, vec!["", "é"])];
            assert_eq!(records, expected.map(|(line, fields)| (line, fields.into_iter().map(str::to_owned).collect())));
        }
    }

    #[test]
    fn without_quoting_every_line_is_a_record() {
        let records = records(b"\"a\tb\"\r\n\nc\rd\te", PLAIN, 3).unwrap();
        let expected = [(1, vec!["\"a", "b\""]), (2, vec![""]), (3, vec!["c\rd", "e"])];
        assert_eq!(records, expected.map(|(line, fields)| (line, fields.into_iter().map(str::to_owned).collect())));
    }

    #[test]
    fn a_mark_that_is_never_closed_is_found_in_time_in_proportion_to_the_file() {
        let text = format!("a,\"b\n{}", "c\n".repeat(MAX_RECORD_BYTES));
        let Err(RecordFault::Text { line: 1, found, .. }) = records(text.as_bytes(), CSV, 1 << 16) else {
            panic!("taken")
        };
        assert_eq!(found, "more; is a quotation mark left open?");
    }

    proptest! {
        #[test]
        fn whatever_fields_are_written_as_csv_they_are_read_as_they_were(
            rows in prop::collection::vec(prop::collection::vec("[ab,\"\r\n é]{0,6}", 2..4), 1..6), buffer in 1..20_usize,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let read = records(&writer.into_inner().unwrap(), CSV, buffer).unwrap();
            prop_assert_eq!(read.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>(), rows);
        }

        #[test]
        fn text_that_csv_takes_and_this_reader_takes_is_read_alike(text in "([ab1\",\r\n]){0,40}", buffer in 1..20_usize) {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            if let Ok(ours) = records(text.as_bytes(), CSV, buffer) {
                prop_assert_eq!(ours.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>(), theirs);
            }
        }
    }
}
