//! Reads GLUE's tab-separated files: one example a line, no quoting.
//!
//! Quotation marks are plain characters, and a tab always ends a column. A byte order mark and carriage returns at line ends are
//! skipped, and blanks around a text are dropped. The last line may lack its newline.

use std::io::BufRead;
use std::sync::Arc;

use crate::delimited::{RecordFault, RecordReader, Syntax};
use crate::error::{DatasetError, NamedSource};
use crate::example::{Targets, Text};

const SYNTAX: Syntax =
    Syntax { delimiter: b'\t', quoting: false, carriage_return_ends: false, skips_empty_lines: false };
/// How many characters of a faulty line an error shows.
const SHOWN: usize = 60;

/// Which columns of a file make an example.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GlueColumns {
    /// The columns of a file without a header line; `None` if the first line names them.
    pub(crate) columns: Option<&'static [&'static str]>,
    /// The column of the text, or of each of the two texts.
    pub(crate) texts: &'static [&'static str],
    /// The column of the target; `None` in files that hide it.
    pub(crate) target: Option<&'static str>,
    /// Whether the file has lines whose text is empty.
    pub(crate) empty_texts: bool,
    /// Whether the file has lines with another number of columns than its header, which are customarily left out.
    pub(crate) broken_lines: bool,
}

/// What the target column holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GlueTarget {
    /// One of these words, with the names of the classes in the same order.
    Classes { words: &'static [&'static str], names: &'static [&'static str] },
    /// A number between `least` and `most`.
    Score { least: f32, most: f32 },
}

/// The texts, and the targets if their column is named.
pub(crate) struct TextRows {
    pub(crate) texts: Vec<Text>,
    pub(crate) targets: Option<Targets>,
}

/// Reads a whole file; `place` names it in errors.
pub(crate) fn read(
    reader: impl BufRead,
    place: &NamedSource,
    layout: &GlueColumns,
    kind: &GlueTarget,
) -> Result<TextRows, DatasetError> {
    let mut records = RecordReader::new(reader, SYNTAX);
    let next = |records: &mut RecordReader<_>| records.next().map_err(|fault| refusal(place, fault));
    let columns = match layout.columns {
        Some(names) => ColumnPositions::find(names.iter().copied(), layout).expect("a layout names its own columns"),
        None => {
            let there = next(&mut records)?;
            header(&records, there, place, layout)?
        }
    };
    let mut texts = Vec::new();
    let mut answers = TargetsRead::new(kind);
    while next(&mut records)? {
        let fault = |(expected, found): (String, String)| place.format(line(&records), &expected, found);
        if records.len() != columns.count {
            if layout.broken_lines {
                continue;
            }
            let expected = format!("{} columns separated by tabs", columns.count);
            return Err(fault((expected, format!("{} in {}", records.len(), excerpt(&whole(&records))))));
        }
        let mut text = |index: usize| match records.field(index).trim() {
            "" if !layout.empty_texts => Err(fault(("a text".to_owned(), "an empty one".to_owned()))),
            text => Ok(text.to_owned()),
        };
        texts.push(Text { first: text(columns.first)?, second: columns.second.map(&mut text).transpose()? });
        if let Some(target) = columns.target {
            answers.push(records.field(target), kind).map_err(fault)?;
        }
    }
    if texts.is_empty() {
        return Err(place.format(line(&records), "an example", "the end of the file"));
    }
    Ok(TextRows { texts, targets: layout.target.map(|_| answers.into_targets(kind)) })
}

fn line<R: BufRead>(records: &RecordReader<R>) -> String {
    format!("line {}", records.line())
}

/// The whole line of the record.
fn whole<R: BufRead>(records: &RecordReader<R>) -> String {
    records.fields().collect::<Vec<_>>().join("\t")
}

fn refusal(place: &NamedSource, fault: RecordFault) -> DatasetError {
    match fault {
        RecordFault::Read(error) => place.unreadable(error),
        RecordFault::Text { line, expected, found } => place.format(format!("line {line}"), &expected, found),
    }
}

/// Where the columns of a layout are.
struct ColumnPositions {
    count: usize,
    first: usize,
    second: Option<usize>,
    target: Option<usize>,
}

impl ColumnPositions {
    /// `None` if a column is not among `names`.
    fn find<'a>(names: impl Iterator<Item = &'a str>, layout: &GlueColumns) -> Option<ColumnPositions> {
        let names: Vec<&str> = names.collect();
        let at = |name: &str| names.iter().position(|&column| column == name);
        Some(ColumnPositions {
            count: names.len(),
            first: at(layout.texts[0])?,
            second: match layout.texts.get(1) {
                Some(name) => Some(at(name)?),
                None => None,
            },
            target: match layout.target {
                Some(name) => Some(at(name)?),
                None => None,
            },
        })
    }
}

/// The columns as the first record names them, if there is a record.
fn header<R: BufRead>(
    records: &RecordReader<R>,
    is_there: bool,
    place: &NamedSource,
    layout: &GlueColumns,
) -> Result<ColumnPositions, DatasetError> {
    let wanted: Vec<&str> = layout.texts.iter().copied().chain(layout.target).collect();
    let expected = format!("a header with the columns {}", wanted.join(", "));
    if !is_there {
        return Err(place.format(line(records), &expected, "the end of the file"));
    }
    let columns = ColumnPositions::find(records.fields(), layout);
    columns.ok_or_else(|| place.format(line(records), &expected, excerpt(&whole(records))))
}

/// The beginning of a line, in quotation marks.
fn excerpt(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &line[..end]),
        None => format!("{line:?}"),
    }
}

/// The targets that were read so far.
enum TargetsRead {
    Labels(Vec<u16>),
    Values(Vec<f32>),
}

impl TargetsRead {
    fn new(kind: &GlueTarget) -> TargetsRead {
        match kind {
            GlueTarget::Classes { .. } => TargetsRead::Labels(Vec::new()),
            GlueTarget::Score { .. } => TargetsRead::Values(Vec::new()),
        }
    }

    /// Adds a target. The error is what was expected and what was found.
    fn push(&mut self, cell: &str, kind: &GlueTarget) -> Result<(), (String, String)> {
        match (self, *kind) {
            (TargetsRead::Labels(labels), GlueTarget::Classes { words, .. }) => {
                let label = words.iter().position(|&word| word == cell);
                let label = label.ok_or_else(|| (format!("a label, one of {}", words.join(", ")), excerpt(cell)))?;
                labels.push(label as u16);
            }
            (TargetsRead::Values(values), GlueTarget::Score { least, most }) => {
                let value = cell.parse().ok().filter(|value| (least..=most).contains(value));
                values.push(value.ok_or_else(|| (format!("a score in {least}..={most}"), excerpt(cell)))?);
            }
            _ => unreachable!("the answers were made for this kind"),
        }
        Ok(())
    }

    fn into_targets(self, kind: &GlueTarget) -> Targets {
        match (self, kind) {
            (TargetsRead::Labels(labels), GlueTarget::Classes { names, .. }) => {
                let names: Arc<[String]> = names.iter().map(|&name| name.to_owned()).collect();
                Targets::Classes { labels, names }
            }
            (TargetsRead::Values(values), _) => Targets::Values(values),
            (TargetsRead::Labels(_), GlueTarget::Score { .. }) => unreachable!("the answers were made for this kind"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SINGLE: GlueColumns = GlueColumns {
        columns: None,
        texts: &["sentence"],
        target: Some("label"),
        empty_texts: false,
        broken_lines: false,
    };
    const PAIRS: GlueColumns = GlueColumns {
        columns: None,
        texts: &["first", "second"],
        target: Some("score"),
        empty_texts: false,
        broken_lines: false,
    };
    const BINARY: GlueTarget = GlueTarget::Classes { words: &["0", "1"], names: &["negative", "positive"] };
    const SCORE: GlueTarget = GlueTarget::Score { least: 0.0, most: 5.0 };

    fn place() -> NamedSource {
        NamedSource { name: "x.tsv".to_owned(), remedy: "get it again".to_owned() }
    }

    fn read_single(data: &[u8]) -> Result<TextRows, DatasetError> {
        read(data, &place(), &SINGLE, &BINARY)
    }

    fn first(table: &TextRows) -> Vec<&str> {
        table.texts.iter().map(|text| text.first.as_str()).collect()
    }

    /// The message for `body` under a good header.
    fn refusal(body: &[u8]) -> String {
        let error = read_single(&[b"sentence\tlabel\n", body].concat()).err();
        error.unwrap_or_else(|| panic!("{} was accepted", String::from_utf8_lossy(body))).to_string()
    }

    #[test]
    fn quotation_marks_are_plain_characters_and_blanks_around_a_text_go() {
        let table = read_single(b"sentence\tlabel\n\"a \"\" b \t1\n` c ' \t0\n").unwrap();
        assert_eq!(first(&table), ["\"a \"\" b", "` c '"]);
        let Some(Targets::Classes { labels, names }) = &table.targets else { panic!("not classes") };
        assert_eq!((labels.as_slice(), names[1].as_str()), (&[1, 0][..], "positive"));
    }

    #[test]
    fn columns_are_found_by_the_names_in_the_header() {
        let data = "index\tscore\tsecond\tfirst\n0\t2.5\tb\ta\n1\t5\td\tc\n";
        let table = read(data.as_bytes(), &place(), &PAIRS, &SCORE).unwrap();
        assert_eq!(table.texts[1], Text { first: "c".to_owned(), second: Some("d".to_owned()) });
        assert_eq!(table.targets, Some(Targets::Values(vec![2.5, 5.0])));
    }

    #[test]
    fn a_file_without_a_header_line_has_the_columns_of_its_layout() {
        let layout = GlueColumns { columns: Some(&["source", "label", "mark", "sentence"]), ..SINGLE };
        let table = read(&b"gj04\t1\t\tHe left.\ngj04\t0\t*\tLeft he."[..], &place(), &layout, &BINARY).unwrap();
        assert_eq!(first(&table), ["He left.", "Left he."]);
    }

    #[test]
    fn a_layout_without_a_target_gives_none() {
        let layout = GlueColumns { target: None, ..SINGLE };
        let table = read(&b"index\tsentence\n0\ta\n"[..], &place(), &layout, &BINARY).unwrap();
        assert!(table.targets.is_none());
        assert_eq!(first(&table), ["a"]);
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_at_line_ends_are_passed_over() {
        let table = read_single(b"\xef\xbb\xbfsentence\tlabel\r\na\t1\r\nb\t0\r\n").unwrap();
        assert_eq!(first(&table), ["a", "b"]);
    }

    #[test]
    fn the_last_line_may_lack_its_newline() {
        assert_eq!(first(&read_single(b"sentence\tlabel\na\t1\nb\t0").unwrap()), ["a", "b"]);
    }

    #[test]
    fn only_a_line_feed_ends_a_line() {
        let text = "a\u{2028}b\u{85}c\rd\u{b}e";
        let table = read_single(format!("sentence\tlabel\n{text}\t1\n").as_bytes()).unwrap();
        assert_eq!(first(&table), [text]);
    }

    #[test]
    fn a_file_without_the_header_is_refused() {
        for data in ["a fine film\t1\n", "sentence\n", "label\n"] {
            let message = read_single(data.as_bytes()).err().unwrap().to_string();
            let expected = "x.tsv, line 1: expected a header with the columns sentence, label, found ";
            assert!(message.starts_with(&format!("{expected}{:?}", data.trim_end())), "{message}");
        }
    }

    #[test]
    fn an_empty_file_is_refused() {
        let message = read_single(b"").err().unwrap().to_string();
        assert!(message.contains("line 1: expected a header") && message.contains("found the end"), "{message}");
        let layout = GlueColumns { columns: Some(&["sentence", "label"]), ..SINGLE };
        let message = read(&b""[..], &place(), &layout, &BINARY).err().unwrap().to_string();
        assert!(message.contains("line 1: expected an example, found the end of the file"), "{message}");
    }

    #[test]
    fn a_file_with_a_header_only_is_refused() {
        assert!(refusal(b"").contains("line 2: expected an example, found the end of the file"), "{}", refusal(b""));
    }

    #[test]
    fn too_few_or_too_many_columns_are_refused_by_line() {
        for (body, columns) in [(&b"a\t1\nb\n"[..], 1), (b"a\t1\nb\t1\t0\n", 3), (b"a\t1\n\n", 1)] {
            let message = refusal(body);
            let expected = format!("x.tsv, line 3: expected 2 columns separated by tabs, found {columns} in ");
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    fn a_label_outside_the_set_is_refused_by_line() {
        for (label, shown) in [("2", r#""2""#), ("", r#""""#), ("positive", r#""positive""#), ("1 ", r#""1 ""#)] {
            let message = refusal(format!("a\t{label}\n").as_bytes());
            assert!(message.contains(&format!("line 2: expected a label, one of 0, 1, found {shown};")), "{message}");
        }
    }

    #[test]
    fn a_score_that_is_no_number_or_outside_its_range_is_refused_by_line() {
        for score in ["5.1", "-0.1", "NaN", "inf", "three", ""] {
            let data = format!("first\tsecond\tscore\na\tb\t{score}\n");
            let message = read(data.as_bytes(), &place(), &PAIRS, &SCORE).err().unwrap().to_string();
            assert!(message.contains(&format!("line 2: expected a score in 0..=5, found {score:?};")), "{message}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_by_line() {
        let message = refusal(b"ok\t1\nclich\xe9s\t0\n");
        assert!(
            message.contains("line 3: expected text in UTF-8, found the byte 0xe9, which is not valid UTF-8 there;"),
            "{message}"
        );
    }

    #[test]
    fn a_nul_byte_is_refused_by_line() {
        assert!(refusal(b"ok\t1\na\0b\t0\n").contains("line 3: expected text, found a NUL byte;"));
    }

    #[test]
    fn an_empty_text_is_refused_by_line_unless_the_layout_knows_of_some() {
        assert!(refusal(b"  \t1\n").contains("line 2: expected a text, found an empty one;"));
        let layout = GlueColumns { empty_texts: true, ..SINGLE };
        let table = read(&b"sentence\tlabel\n \t1\n"[..], &place(), &layout, &BINARY).unwrap();
        assert_eq!(first(&table), [""]);
    }

    #[test]
    fn a_line_of_ten_megabytes_is_refused_before_it_is_read() {
        let mut data = b"sentence\tlabel\n".to_vec();
        data.resize(10 << 20, b'a');
        data.extend(b"\t1\n");
        let message = read_single(&data).err().unwrap().to_string();
        assert!(message.contains("line 2: expected at most 1048576 bytes in a row, found more;"), "{message}");
        assert!(message.len() < 200, "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_examples_or_an_error(data: Vec<u8>, header: bool) {
            let data = if header { [b"sentence\tlabel\n".as_slice(), &data].concat() } else { data };
            if let Ok(table) = read_single(&data) {
                prop_assert!(!table.texts.is_empty());
                prop_assert_eq!(table.targets.map(|targets| targets.len()), Some(table.texts.len()));
            }
        }

        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(("[a-z\"'` ]{0,20}x", 0..2_usize), 1..20)) {
            let body: String = rows.iter().map(|(text, label)| format!("{text}\t{label}\n")).collect();
            let table = read_single(format!("sentence\tlabel\n{body}").as_bytes()).unwrap();
            let expected: Vec<&str> = rows.iter().map(|(text, _)| text.trim()).collect();
            prop_assert_eq!(first(&table), expected);
        }
    }
}
