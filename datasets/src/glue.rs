//! The nine tasks of GLUE: one table, one reader.
//!
//! GLUE does not publish the targets of its test files. The official dev file is therefore the test split here, and validation
//! rows come out of the training file. The test files' inputs can be loaded to predict them for the leaderboard.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::dataset::Dataset;
use crate::error::{DatasetError, NamedSource};
use crate::example::{Inputs, Split, Splits};
use crate::fetchable::{Fetchable, Transport};
use crate::store::{DataFile, Store};
use crate::tsv::{self, GlueColumns, GlueTarget};

mod mrpc;
mod table;
#[cfg(test)]
mod tests;

pub use table::{COLA, MNLI, MRPC, QNLI, QQP, RTE, SST2, STSB, WNLI};

type Derive = fn(&Path) -> Result<(), DatasetError>;

/// A task of GLUE.
#[derive(Debug)]
pub struct Glue {
    id: &'static str,
    about: &'static str,
    licence: &'static str,
    citation: &'static str,
    kind: GlueTarget,
    /// The columns of the files with targets. Files that hide them name the texts in the same way, in a header line.
    layout: GlueColumns,
    train_rows: usize,
    test_rows: usize,
    /// The training file, the dev file, the files of `further` and the files of `hidden`, in this order.
    files: &'static [DataFile],
    /// Names and rows of further test splits.
    further: &'static [(&'static str, usize)],
    /// Names of the splits with hidden targets.
    hidden: &'static [&'static str],
    transport: &'static Transport,
    /// Makes the files that no address offers, in the folder of the downloaded ones.
    derive: Option<Derive>,
}

/// How many bytes of a file are read at a time.
const BUFFER_BYTES: usize = 1 << 18;

impl Glue {
    /// Reads a file that has targets.
    pub(crate) fn read_train(&self, reader: impl BufRead, place: &NamedSource) -> Result<Split, DatasetError> {
        let table = tsv::read(reader, place, &self.layout, &self.kind)?;
        let targets = table.targets.expect("the layout names a target");
        Ok(Split { inputs: Inputs::Texts(table.texts), targets })
    }

    /// Reads a file whose targets are hidden.
    fn read_hidden(&self, reader: impl BufRead, place: &NamedSource) -> Result<Inputs, DatasetError> {
        // The leaderboard expects a prediction for every line.
        let layout = GlueColumns { columns: None, target: None, broken_lines: false, ..self.layout };
        Ok(Inputs::Texts(tsv::read(reader, place, &layout, &self.kind)?.texts))
    }
}

fn buffered(store: &Store, file: &DataFile) -> Result<impl BufRead, DatasetError> {
    Ok(BufReader::with_capacity(BUFFER_BYTES, store.open(file)?))
}

impl Fetchable for Glue {
    fn id(&self) -> &'static str {
        self.id
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn files(&self) -> &'static [DataFile] {
        self.files
    }

    fn licence(&self) -> &'static str {
        self.licence
    }

    fn citation(&self) -> &'static str {
        self.citation
    }

    fn transport(&self) -> Option<&'static Transport> {
        Some(self.transport)
    }

    fn derive(&self, folder: &Path) -> Result<(), DatasetError> {
        self.derive.map_or(Ok(()), |derive| derive(folder))
    }
}

impl Dataset for Glue {
    fn classes(&self) -> &'static [&'static str] {
        match self.kind {
            GlueTarget::Classes { names, .. } => names,
            GlueTarget::Score { .. } => &[],
        }
    }

    fn train_rows(&self) -> usize {
        self.train_rows
    }

    fn test_rows(&self) -> usize {
        self.test_rows
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |file: &DataFile| self.read_train(buffered(store, file)?, &store.place(file));
        let counted = |file: &DataFile, rows: usize| {
            let split = read(file)?;
            if split.len() == rows {
                return Ok(split);
            }
            Err(store.place(file).format("the end", &format!("{rows} examples"), split.len().to_string()))
        };
        let further = self.further.iter().zip(&self.files[2..]);
        Ok(Splits {
            train: counted(&self.files[0], self.train_rows)?,
            test: counted(&self.files[1], self.test_rows)?,
            further: further
                .map(|(&(name, rows), file)| Ok((name, counted(file, rows)?)))
                .collect::<Result<_, DatasetError>>()?,
        })
    }

    fn load_hidden(&self, store: &Store) -> Result<Vec<(&'static str, Inputs)>, DatasetError> {
        let files = &self.files[2 + self.further.len()..];
        let read = |(&name, file): (&&'static str, &DataFile)| {
            Ok((name, self.read_hidden(buffered(store, file)?, &store.place(file))?))
        };
        self.hidden.iter().zip(files).map(read).collect()
    }
}
