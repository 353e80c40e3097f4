//! Makes MRPC's files from Microsoft's, because they may not be redistributed.
//!
//! The rule is that of GLUE's authors. Rows whose pair of ids is among the dev ids make `dev.tsv`, in the order of the
//! training file; the others make `train.tsv`; `test.tsv` has a running number in place of the label. Blanks around a
//! row are cut off, and the byte-order mark before the header stays. The results hash to the published checksums.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::error::{DatasetError, NamedSource};
use crate::fetchable::{Download, Packing, Transport};
use crate::store::DataFile;

const TRAIN: &str = "msr_paraphrase_train.txt";
const TEST: &str = "msr_paraphrase_test.txt";
const DEV_IDS: &str = "mrpc_dev_ids.tsv";

pub(super) static TRANSPORT: Transport = Transport {
    folder: "MRPC",
    downloads: &[
        Download {
            url: "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_train.txt",
            name: TRAIN,
            packing: Packing::Plain,
            max_bytes: 1_047_044,
            files: &[DataFile::sha256(
                "glue/mrpc/msr_paraphrase_train.txt",
                1_047_044,
                "60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89",
            )],
        },
        Download {
            url: "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_test.txt",
            name: TEST,
            packing: Packing::Plain,
            max_bytes: 441_275,
            files: &[DataFile::sha256(
                "glue/mrpc/msr_paraphrase_test.txt",
                441_275,
                "a04e271090879aaba6423d65b94950c089298587d9c084bf9cd7439bd785f784",
            )],
        },
        Download {
            url: "https://firebasestorage.googleapis.com/v0/b/mtl-sentence-representations.appspot.com/o/\
                  data%2Fmrpc_dev_ids.tsv?alt=media&token=ec5c0836-31d5-48f4-b431-7480817f1adc",
            name: DEV_IDS,
            packing: Packing::Plain,
            max_bytes: 6_222,
            files: &[DataFile::sha256(
                "glue/mrpc/mrpc_dev_ids.tsv",
                6_222,
                "971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7",
            )],
        },
    ],
};

/// Writes `train.tsv`, `dev.tsv` and `test.tsv` beside the downloaded files in `folder`.
pub(super) fn derive(folder: &Path) -> Result<(), DatasetError> {
    let place = |name: &str| NamedSource {
        name: folder.join(name).display().to_string(),
        remedy: "get it with `bakeoff data fetch glue/mrpc`".to_owned(),
    };
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| place(name).unreadable(error));
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| DatasetError::Write { path, source })
    };
    let (train, dev) = divide(&read(TRAIN)?, &read(DEV_IDS)?, &place(TRAIN))?;
    write("train.tsv", train)?;
    write("dev.tsv", dev)?;
    write("test.tsv", number(&read(TEST)?, &place(TEST))?)
}

/// The training rows and the dev rows, each below the header.
fn divide(text: &str, dev_ids: &str, place: &NamedSource) -> Result<(String, String), DatasetError> {
    let dev_ids: HashSet<&str> = dev_ids.lines().collect();
    let header = text.lines().next().unwrap_or_default();
    let (mut train, mut dev) = (format!("{header}\n"), format!("{header}\n"));
    for row in rows(text, place) {
        let (row, [_, first, second, ..]) = row?;
        let into = if dev_ids.contains(format!("{first}\t{second}").as_str()) { &mut dev } else { &mut train };
        into.push_str(row);
        into.push('\n');
    }
    Ok((train, dev))
}

/// The test rows with their number, from 0, in place of the label.
fn number(text: &str, place: &NamedSource) -> Result<String, DatasetError> {
    let mut out = "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n".to_owned();
    for (index, row) in rows(text, place).enumerate() {
        let (_, [_, first_id, second_id, first, second]) = row?;
        out.push_str(&format!("{index}\t{first_id}\t{second_id}\t{first}\t{second}\n"));
    }
    Ok(out)
}

/// The rows below the header, whole and in their five columns.
fn rows<'a>(
    text: &'a str,
    place: &'a NamedSource,
) -> impl Iterator<Item = Result<(&'a str, [&'a str; 5]), DatasetError>> {
    text.lines().enumerate().skip(1).map(move |(index, line)| {
        let row = line.trim();
        let columns: Vec<&str> = row.split('\t').collect();
        let found = columns.len().to_string();
        let columns = columns
            .try_into()
            .map_err(|_| place.format(format!("line {}", index + 1), "5 columns separated by tabs", found))?;
        Ok((row, columns))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HEADER: &str = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String";

    fn place() -> NamedSource {
        NamedSource { name: "x.txt".to_owned(), remedy: "get it again".to_owned() }
    }

    #[test]
    fn rows_are_divided_by_the_pair_of_ids_in_the_order_of_the_training_file() {
        let text = format!("{HEADER}\n1\t1\t2\ta\tb\n0\t3\t4\tc\td \n1\t2\t1\te\tf\n0\t5\t6\tg\th\n");
        let (train, dev) = divide(&text, "5\t6\n3\t4\n", &place()).unwrap();
        assert_eq!(train, format!("{HEADER}\n1\t1\t2\ta\tb\n1\t2\t1\te\tf\n"));
        assert_eq!(dev, format!("{HEADER}\n0\t3\t4\tc\td\n0\t5\t6\tg\th\n"));
    }

    #[test]
    fn test_rows_are_numbered_and_lose_their_label() {
        let text = format!("{HEADER}\n1\t1\t2\ta\tb\n0\t3\t4\tc\td\n");
        let expected = "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta\tb\n1\t3\t4\tc\td\n";
        assert_eq!(number(&text, &place()).unwrap(), expected);
    }

    #[test]
    fn a_row_of_four_columns_is_refused_by_line() {
        let message = number(&format!("{HEADER}\n1\t1\t2\ta\tb\n0\t3\t4\tc\n"), &place()).unwrap_err().to_string();
        assert!(message.starts_with("x.txt, line 3: expected 5 columns separated by tabs, found 4;"), "{message}");
    }
}
