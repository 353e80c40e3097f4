//! SST-2: is a phrase from a film review positive or negative?

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::example::{Inputs, Split, Splits, Targets, Text};
use crate::store::{DataFile, Store};

const CLASSES: &[&str] = &["negative", "positive"];
const HEADER: &str = "sentence\tlabel";

static FILES: [DataFile; 2] = [
    DataFile {
        name: "sst2-train.tsv.gz",
        sha256: "eaf62b2645c4b6bdf230bf98768edf59f8e7808928deaf4fb6e666dee1e1467a",
        embedded: include_bytes!("../samples/sst2-train.tsv.gz"),
    },
    DataFile {
        name: "sst2-dev.tsv.gz",
        sha256: "1910405b42e134ea662931e1f5167eb337a1616efa0b01afe2bf10883c6ebe7f",
        embedded: include_bytes!("../samples/sst2-dev.tsv.gz"),
    },
];

/// The sample of SST-2 in this repository: 16,000 training phrases and all 872 dev sentences.
///
/// The dev sentences are the test split: GLUE keeps the labels of its own test file to itself.
pub struct Sst2;

impl Dataset for Sst2 {
    fn id(&self) -> &'static str {
        "sst2"
    }

    fn about(&self) -> &'static str {
        "phrases from film reviews, positive or negative: 16,000 training phrases and the 872 dev sentences of SST-2"
    }

    fn files(&self) -> &'static [DataFile] {
        &FILES
    }

    fn licence(&self) -> &'static str {
        "none stated with the data"
    }

    fn citation(&self) -> &'static str {
        "Richard Socher et al. Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank. EMNLP \
         2013. In the layout of: Alex Wang et al. GLUE. ICLR 2019."
    }

    fn classes(&self) -> &'static [&'static str] {
        CLASSES
    }

    fn train_rows(&self) -> usize {
        16_000
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |file| parse(&store.read_gzip(file)?, &store.place(file));
        Ok(Splits { train: read(&FILES[0])?, test: read(&FILES[1])? })
    }
}

/// Reads GLUE's layout: a header, then a phrase, a tab and a label in each line. Quotation marks are plain characters.
/// `place` names the file in errors.
fn parse(data: &[u8], place: &str) -> Result<Split, DatasetError> {
    let broken = |line: usize, expected: &str, found: String| DatasetError::Format {
        place: place.to_owned(),
        at: format!("line {line}"),
        expected: expected.to_owned(),
        found,
    };
    let mut lines = data.split(|&byte| byte == b'\n').zip(1..).collect::<Vec<_>>();
    // A file that ends as it should leaves an empty piece after its last newline.
    if let Some((rest, line)) = lines.pop_if(|(piece, _)| !piece.is_empty()) {
        return Err(broken(line, "a newline at the end", format!("{:?}", String::from_utf8_lossy(rest))));
    }
    lines.pop();
    let found_header = lines.first().map(|(line, _)| String::from_utf8_lossy(line));
    if found_header.as_deref() != Some(HEADER) {
        let found = found_header.map_or("the end of the file".to_owned(), |line| format!("{line:?}"));
        return Err(broken(1, &format!("the header {HEADER:?}"), found));
    }
    if lines.len() == 1 {
        return Err(broken(2, "an example", "the end of the file".to_owned()));
    }
    let mut texts = Vec::with_capacity(lines.len());
    let mut labels = Vec::with_capacity(lines.len());
    for &(bytes, line) in &lines[1..] {
        let (text, label) = parse_line(bytes).map_err(|(expected, found)| broken(line, expected, found))?;
        texts.push(Text { first: text.to_owned(), second: None });
        labels.push(label);
    }
    let names: Arc<[String]> = CLASSES.iter().map(|&name| name.to_owned()).collect();
    Ok(Split { inputs: Inputs::Texts(texts), targets: Targets::Classes { labels, names } })
}

/// The phrase, without the blank that most of them end with, and the label; or what was expected and what was found.
fn parse_line(bytes: &[u8]) -> Result<(&str, u16), (&'static str, String)> {
    let line = str::from_utf8(bytes)
        .map_err(|error| ("UTF-8", format!("another byte {:#04x}", bytes[error.valid_up_to()])))?;
    let columns: Vec<&str> = line.split('\t').collect();
    let &[text, label] = columns.as_slice() else {
        return Err(("2 columns separated by a tab", columns.len().to_string()));
    };
    let label = match label {
        "0" => 0,
        "1" => 1,
        _ => return Err(("a label that is 0 or 1", format!("{label:?}"))),
    };
    let text = text.trim();
    if text.is_empty() { Err(("a sentence", "an empty one".to_owned())) } else { Ok((text, label)) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The message for `body` under a good header.
    fn refusal(body: &[u8]) -> String {
        parse(&[b"sentence\tlabel\n", body].concat(), "x.tsv").unwrap_err().to_string()
    }

    #[test]
    fn quotation_marks_are_plain_characters() {
        let split = parse(b"sentence\tlabel\n\"a \"\" b \t1\n` c ' \t0\n", "x").unwrap();
        let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
        assert_eq!(
            (texts[0].first.as_str(), texts[1].first.as_str(), &texts[0].second),
            ("\"a \"\" b", "` c '", &None)
        );
        let Targets::Classes { labels, names } = &split.targets else { panic!("not classes") };
        assert_eq!((labels.as_slice(), names[1].as_str()), (&[1, 0][..], "positive"));
    }

    #[test]
    fn a_file_without_the_header_is_refused() {
        let message = parse(b"a fine film\t1\n", "x.tsv").unwrap_err().to_string();
        assert!(
            message.starts_with(r#"x.tsv, line 1: expected the header "sentence\tlabel", found "a fine film\t1""#),
            "{message}"
        );
        let message = parse(b"", "x.tsv").unwrap_err().to_string();
        assert!(message.contains("line 1: expected the header") && message.contains("found the end"), "{message}");
    }

    #[test]
    fn a_file_with_no_example_is_refused() {
        assert!(refusal(b"").contains("line 2: expected an example, found the end of the file"), "{}", refusal(b""));
    }

    #[test]
    fn a_wrong_number_of_columns_is_refused_by_line() {
        for (body, columns) in [(&b"a\t1\nb\n"[..], 1), (b"a\t1\nb\t1\t0\n", 3), (b"a\t1\n\n", 1)] {
            let message = refusal(body);
            let expected = format!("x.tsv, line 3: expected 2 columns separated by a tab, found {columns};");
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    fn a_label_other_than_0_or_1_is_refused_by_line() {
        for (label, shown) in [("2", r#""2""#), ("", r#""""#), ("1\r", r#""1\r""#), ("positive", r#""positive""#)] {
            let message = refusal(format!("a\t{label}\n").as_bytes());
            assert!(message.contains(&format!("line 2: expected a label that is 0 or 1, found {shown};")), "{message}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_by_line() {
        let message = refusal(b"ok\t1\nclich\xe9s\t0\n");
        assert!(message.contains("line 3: expected UTF-8, found another byte 0xe9;"), "{message}");
    }

    #[test]
    fn an_empty_sentence_is_refused_by_line() {
        assert!(refusal(b"  \t1\n").contains("line 2: expected a sentence, found an empty one;"));
    }

    #[test]
    fn a_file_cut_within_a_line_is_refused() {
        let message = refusal(b"a\t1\nb\t1");
        assert!(message.contains(r#"line 3: expected a newline at the end, found "b\t1";"#), "{message}");
    }
}
