//! The readers as functions of bytes, for the fuzz targets in `fuzz/`, the property tests and the benchmark of loading only.

use std::io::{BufRead, Cursor, sink};

use crate::error::NamedSource;
use crate::fetch::unpack::{self, Wanted};
use crate::glue::QQP;
use crate::tsv::{GlueColumns, GlueTarget};
use crate::{cifar10, store, tsv};

fn place() -> NamedSource {
    NamedSource { name: "fuzzed".to_owned(), remedy: "none".to_owned() }
}

fn wanted() -> Vec<Wanted> {
    ["folder/a.tsv", "folder/b.tsv"].map(|member| Wanted { member: member.to_owned(), max_bytes: 1000 }).into()
}

/// Reads a tab-separated file: pairs with classes or a score, with a header or without.
pub fn tsv(data: &[u8]) {
    let classes = GlueTarget::Classes { words: &["0", "1"], names: &["no", "yes"] };
    let score = GlueTarget::Score { least: 0.0, most: 5.0 };
    let named =
        GlueColumns { columns: None, texts: &["a", "b"], target: Some("c"), empty_texts: true, broken_lines: false };
    let bare = GlueColumns { columns: Some(&["a", "b", "c"]), empty_texts: false, ..named };
    let broken = GlueColumns { broken_lines: true, ..named };
    let unlabelled = GlueColumns { target: None, ..bare };
    for (layout, kind) in [(named, classes), (broken, classes), (bare, score), (unlabelled, classes)] {
        if let Ok(table) = tsv::read(data, &place(), &layout, &kind) {
            assert!(!table.texts.is_empty());
            assert!(table.targets.is_none_or(|targets| targets.len() == table.texts.len()));
        }
    }
}

/// Reads a file in QQP's format and counts its rows. The file must have no fault.
pub fn questions(reader: impl BufRead) -> usize {
    QQP.read_train(reader, &place()).expect("the file is whole").len()
}

/// Reads CIFAR-10's binary version.
pub fn cifar10(data: &[u8]) {
    if let Ok(split) = cifar10::parse(data, &place()) {
        assert_eq!(split.len() * 3073, data.len());
    }
}

/// Unpacks a sample.
pub fn gzip(data: &[u8]) {
    let _ = store::gunzip(data, &place());
}

/// Takes members out of a zip archive.
pub fn zip(data: &[u8]) {
    let _ = unpack::zip(Cursor::new(data), &wanted(), &mut |_| Ok(sink()));
}

/// Takes members out of a gzipped tar archive. The bytes are tried as the tar archive and as the gzip file.
pub fn tar_gz(data: &[u8]) {
    let _ = unpack::tar_gz(data, &wanted(), &mut |_| Ok(sink()));
    let _ = unpack::tar(data, &wanted(), &mut |_| Ok(sink()));
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(data: Vec<u8>) {
            super::tsv(&data);
            super::tsv(&[b"a\tb\tc\n".as_slice(), &data].concat());
            super::cifar10(&data);
            super::gzip(&data);
            super::zip(&data);
            super::zip(&[b"PK\x05\x06".as_slice(), &data, &[0; 18]].concat());
            super::tar_gz(&data);
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&data).expect("memory takes every write");
            super::tar_gz(&encoder.finish().expect("memory takes every write"));
        }
    }
}
