//! A pretrained text encoder as it is published: its shape, its tokenizer and its weights, each in a file.

mod config;
#[cfg(test)]
mod tests;
mod tokenizer;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use bakeoff_datasets::{DataFile, Fetchable, PRETRAINED, PretrainedEncoder, Store};

pub(crate) use self::weights::PretrainedWeights;
use crate::encode::pieces::{PieceVocabulary, Pieces};
use crate::model::ModelError;
use crate::names::nearest;
use crate::neural::bert::BertShape;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// The names of the encoders that `bakeoff data fetch` gets.
pub(crate) const NAMES: &[&str] = &["minilm", "bert-base"];

/// As its `config.json` says.
const SHAPE_OF_MINILM: BertShape = BertShape {
    vocabulary: 30_522,
    width: 384,
    layers: 6,
    heads: 12,
    feed_forward: 1536,
    positions: 512,
    segments: 2,
    epsilon: 1e-12,
};

/// As its `config.json` says; also Devlin et al. 2018, section 3.
const SHAPE_OF_BERT_BASE: BertShape = BertShape { width: 768, layers: 12, feed_forward: 3072, ..SHAPE_OF_MINILM };

/// Where a pretrained encoder is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// In the data folder.
    Published(&'static str),
    /// In a folder of the user's.
    Folder(PathBuf),
}

/// A pretrained encoder that was read. Its weights are read by name.
pub(crate) struct Pretrained {
    /// Its shape.
    pub(crate) shape: BertShape,
    /// Its pieces, and how texts are cut.
    pub(crate) vocabulary: PieceVocabulary,
    /// Its weights.
    pub(crate) weights: PretrainedWeights,
    /// The file of the pieces, for messages.
    tokenizer: PathBuf,
}

impl Pretrained {
    /// What cuts texts into at most `max_pieces` pieces.
    ///
    /// # Errors
    /// Names the file that lacks a piece or has one twice.
    pub(crate) fn pieces(&self, max_pieces: usize) -> Result<Pieces, ModelError> {
        Pieces::new(self.vocabulary.clone(), max_pieces).map_err(|what| fault(&self.tokenizer, what))
    }
}

impl Place {
    /// What a suite calls `weights`.
    pub(crate) fn of(written: &str) -> Place {
        match NAMES.iter().find(|name| **name == written) {
            Some(name) => Place::Published(name),
            None => Place::Folder(PathBuf::from(written)),
        }
    }

    /// The encoder that was fetched, if it is one.
    pub(crate) fn published(&self) -> Option<&'static PretrainedEncoder> {
        match self {
            Place::Published(name) => PRETRAINED.iter().find(|encoder| encoder.id() == *name).copied(),
            Place::Folder(_) => None,
        }
    }

    /// The published files; none for a folder of the user's.
    pub(crate) fn files(&self) -> &'static [DataFile] {
        self.published().map_or(&[], Fetchable::files)
    }

    /// The files of a user's folder; none if the encoder is a published one.
    ///
    /// # Errors
    /// If a file is missing.
    pub(crate) fn own_files(&self) -> Result<Vec<PathBuf>, ModelError> {
        let Place::Folder(folder) = self else { return Ok(Vec::new()) };
        let file = |name: &str| {
            let path = folder.join(name);
            is_there(&path).map(|()| path)
        };
        [CONFIG, TOKENIZER, WEIGHTS].into_iter().map(file).collect()
    }

    /// The shape, which is enough for a forecast. That of a published encoder is known before it is fetched.
    ///
    /// # Errors
    /// If the file of a user's folder is missing or is not the one expected.
    pub(crate) fn shape(&self) -> Result<BertShape, ModelError> {
        match self {
            Place::Published("minilm") => Ok(SHAPE_OF_MINILM),
            Place::Published("bert-base") => Ok(SHAPE_OF_BERT_BASE),
            Place::Published(_) | Place::Folder(_) => self.read_shape(),
        }
    }

    /// The file of a user's folder that says the shape; `None` for a published encoder, whose shape is known.
    pub(crate) fn own_config(&self) -> Option<PathBuf> {
        match self {
            Place::Published(_) => None,
            Place::Folder(folder) => Some(folder.join(CONFIG)),
        }
    }

    fn read_shape(&self) -> Result<BertShape, ModelError> {
        let (path, bytes) = self.file(CONFIG)?;
        config::parse(&bytes).map_err(|what| fault(&path, what))
    }

    /// Reads all files.
    ///
    /// # Errors
    /// Names the file that is missing, broken or of another encoder.
    pub(crate) fn read(&self) -> Result<Pretrained, ModelError> {
        let shape = self.read_shape()?;
        let (tokenizer, bytes) = self.file(TOKENIZER)?;
        let vocabulary = tokenizer::parse(&bytes).map_err(|what| fault(&tokenizer, what))?;
        let found = vocabulary.pieces.len();
        if found != shape.vocabulary {
            let expected = shape.vocabulary;
            let what = format!(
                "has {found} pieces, but {CONFIG} beside it says vocab_size {expected}: take both from one encoder"
            );
            return Err(fault(&tokenizer, what));
        }
        let (path, bytes) = self.file(WEIGHTS)?;
        Ok(Pretrained { shape, vocabulary, weights: PretrainedWeights::new(path, bytes)?, tokenizer })
    }

    /// A file's path and its bytes.
    fn file(&self, name: &str) -> Result<(PathBuf, Vec<u8>), ModelError> {
        match self {
            Place::Folder(folder) => {
                let path = folder.join(name);
                let bytes = read(&path)?;
                Ok((path, bytes))
            }
            Place::Published(_) => {
                let store = Store::embedded();
                let file = self.files().iter().find(|file| file.base() == name);
                let file = file.ok_or_else(|| ModelError::Failed(format!("no published encoder has {name}")))?;
                let failed = |error: bakeoff_datasets::DatasetError| ModelError::Failed(error.to_string());
                let bytes = store.read(file).map_err(failed)?.into_owned();
                Ok((store.data().map_err(failed)?.join(file.name), bytes))
            }
        }
    }
}

/// Reads a file of a user's folder.
fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    is_there(path)?;
    fs::read(path).map_err(|error| fault(path, format!("cannot be read: {error}")))
}

/// # Errors
/// Says where the file was looked for, and what `weights` can be.
fn is_there(path: &Path) -> Result<(), ModelError> {
    if path.is_file() {
        return Ok(());
    }
    if path.ends_with(WEIGHTS) {
        weights::refuse_pickle(path)?;
    }
    let place = match std::path::absolute(path) {
        Ok(absolute) if path.is_relative() => format!(
            "it was looked for at {}, because the path in `weights` is relative to the folder in which bakeoff runs; ",
            absolute.display()
        ),
        _ => String::new(),
    };
    let folder = path.parent().unwrap_or(path);
    let is_word = folder.components().count() == 1 && !folder.exists();
    let near = if is_word { nearest(&folder.to_string_lossy(), NAMES.iter().copied()) } else { None };
    let did_you_mean = near.map_or(String::new(), |near| format!("; did you mean '{near}'?"));
    let names = NAMES.join(", ");
    let expected = format!("one of {names}, or the path of a folder with {CONFIG}, {TOKENIZER} and {WEIGHTS}");
    Err(fault(path, format!("is not there; {place}`weights` is {expected}{did_you_mean}")))
}

fn fault(path: &Path, what: impl Into<String>) -> ModelError {
    ModelError::Artefact { path: path.to_owned(), what: what.into() }
}
