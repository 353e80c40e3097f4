//! Encodes raw inputs as the numbers that networks take. Everything that is learned here is learned from the training
//! rows only.

mod normalisation;
#[cfg(test)]
mod tests;

use bakeoff_datasets::{Images, Inputs, Text};
use serde::{Deserialize, Serialize};

use super::bert::BertShape;
use super::fused::NETWORK;
use super::images_on_device::ImagesOnDevice;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::encode::features::{Encoder, EncoderState, FeatureParams, Features};
use crate::encode::pairs::check_kind;
use crate::encode::pieces::{PieceText, PieceVocabulary, Pieces};
use crate::encode::vocabulary::Vocabulary;
use crate::encode::words::{self, Tokens, Words};
use crate::model::{InputShape, ModelError, Spec};

pub(crate) use self::normalisation::Normalisation;

/// How a network reads the texts of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextReading {
    /// One text.
    Single,
    /// Two texts in one sequence, with a separator between them.
    Joined,
    /// Two texts, each in a sequence of its own.
    Apart,
}

impl TextReading {
    /// How many sequences an example has.
    pub(crate) fn sequences(self) -> usize {
        if self == TextReading::Apart { 2 } else { 1 }
    }
}

/// What a network reads of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The pixels of an image, or the words of a text or of a pair.
    Raw(TextReading),
    /// The features of the classic models.
    Features,
    /// The word pieces of a text or of a pair, by the vocabulary of a pretrained encoder.
    Pieces,
    /// Pixels or words, and features beside them.
    RawWithFeatures(TextReading),
    /// Word pieces, and features beside them.
    PiecesWithFeatures,
}

impl From<TextReading> for Reading {
    fn from(texts: TextReading) -> Reading {
        Reading::Raw(texts)
    }
}

impl Reading {
    /// The same for inputs of this form: a text that is alone is read as such.
    pub(crate) fn of(self, input: &InputShape) -> Reading {
        match self {
            Reading::Raw(_) if !input.is_pairs() => Reading::Raw(TextReading::Single),
            Reading::RawWithFeatures(_) if !input.is_pairs() => Reading::RawWithFeatures(TextReading::Single),
            reading => reading,
        }
    }
}

/// The form of a network's input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InputForm {
    /// Images of this size.
    Images {
        /// Colour planes.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// Numbered words.
    Tokens {
        /// How many different tokens there are.
        vocabulary: usize,
        /// The largest number of tokens of a sequence.
        longest: usize,
        /// The mean number of tokens of a training sequence, at least one.
        typical: usize,
        /// What a sequence is.
        reading: TextReading,
    },
    /// Features.
    Features {
        /// How many an example has.
        width: usize,
    },
    /// The features of a row of a table.
    Columns {
        /// How many belong to the numbers, and then to each column of categories.
        groups: Vec<usize>,
    },
    /// Numbered word pieces, for a network of a published shape.
    Pieces {
        /// The shape.
        shape: BertShape,
        /// The mean number of pieces of a training example, at least one.
        typical: usize,
    },
    /// Inputs of another form, and features beside them.
    WithFeatures {
        /// The other form.
        raw: Box<InputForm>,
        /// How many features an example has.
        width: usize,
    },
}

/// What a saved [`InputEncoder`] stores beside its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum NetworkEncoderState {
    Images,
    Texts {
        /// The words, in the order of their numbers.
        words: Vec<String>,
        /// See [`InputForm::Tokens`].
        typical: usize,
    },
    Features(EncoderState),
    Pieces {
        /// The pieces, and how a text is cut into them.
        vocabulary: PieceVocabulary,
        /// See [`InputForm::Pieces`].
        shape: BertShape,
        /// See [`InputForm::Pieces`].
        typical: usize,
    },
    WithFeatures {
        /// What the network reads itself.
        raw: Box<NetworkEncoderState>,
        /// The features beside it.
        plain: EncoderState,
    },
}

/// An encoder fitted on the training inputs.
#[derive(Debug, Clone)]
pub(crate) enum InputEncoder {
    /// Pixels are standardised per colour plane.
    Images {
        /// The means and deviations to use.
        normalisation: Normalisation,
        /// The form of the images.
        form: InputForm,
    },
    /// Words are numbered.
    Texts {
        /// The number of each word.
        vocabulary: Vocabulary,
        /// See [`InputForm::Tokens`].
        typical: usize,
        /// See [`InputForm::Tokens`].
        reading: TextReading,
    },
    /// Features are computed.
    Features(Encoder),
    /// Texts are cut into pieces, by the vocabulary of a pretrained encoder.
    Pieces {
        /// What cuts them.
        pieces: Pieces,
        /// See [`InputForm::Pieces`].
        shape: BertShape,
        /// See [`InputForm::Pieces`].
        typical: usize,
        /// Whether an example is two texts.
        pairs: bool,
    },
    /// Inputs are encoded in one of the ways above, and features are computed too.
    WithFeatures {
        /// What encodes the inputs.
        raw: Box<InputEncoder>,
        /// What computes the features.
        plain: Encoder,
    },
}

/// Inputs in host memory, ready to be cut into batches.
#[derive(Debug, Clone)]
pub(crate) enum Encoded<'a> {
    /// The images as they are in the dataset. They are standardised when a batch is cut.
    Images {
        /// The images.
        images: &'a Images,
        /// The means and deviations that standardise them.
        normalisation: &'a Normalisation,
    },
    /// Standardised images on a device, which were uploaded once.
    ImagesOnDevice(Box<ImagesOnDevice>),
    /// The token numbers of each sequence.
    Tokens(Vec<Vec<u32>>),
    /// The token numbers of both sequences of each pair.
    Pairs(Vec<[Vec<u32>; 2]>),
    /// The features of each example, or what another network made of it.
    Features(Features),
    /// The pieces of each example.
    Pieces(Vec<PieceText>),
    /// Inputs that are encoded in one of the ways above, and the features of each example.
    WithFeatures(Box<Encoded<'a>>, Features),
}

impl InputEncoder {
    /// Learns from the training inputs.
    ///
    /// # Errors
    /// If features cannot be computed from them.
    pub(crate) fn fit(inputs: &Inputs, spec: &Spec, reading: Reading) -> Result<InputEncoder, ModelError> {
        let params = &spec.params;
        Ok(match (inputs, reading) {
            (_, Reading::Features) => {
                InputEncoder::Features(Encoder::fit(inputs, &FeatureParams::of(params, &spec.shape.input))?.0)
            }
            (_, Reading::Pieces | Reading::RawWithFeatures(_) | Reading::PiecesWithFeatures) => {
                unreachable!("such a network brings its encoder; see InputEncoder::pieces")
            }
            (Inputs::Table(_), Reading::Raw(_)) => {
                return Err(ModelError::Unsupported("this model reads no tables".to_owned()));
            }
            (Inputs::Images(images), Reading::Raw(_)) => {
                let &Images { channels, height, width, .. } = images;
                InputEncoder::Images {
                    normalisation: Normalisation::fit(images),
                    form: InputForm::Images { channels, height, width },
                }
            }
            (Inputs::Texts(texts), Reading::Raw(reading)) => {
                let (words, rare) = (params.int("vocabulary"), params.int("min_count"));
                let vocabulary = Vocabulary::fit(texts, Tokens::of(params), words, rare, params.int("max_tokens"));
                let tokens: usize = texts.iter().map(|text| length(&vocabulary, reading, text)).sum();
                let typical = tokens.div_ceil((texts.len() * reading.sequences()).max(1)).max(1);
                InputEncoder::Texts { vocabulary, typical, reading }
            }
        })
    }

    /// The encoder of a pretrained network, for examples of about `typical` pieces.
    ///
    /// # Errors
    /// Says what does not fit together.
    pub(crate) fn pieces(
        pieces: Pieces,
        shape: BertShape,
        typical: usize,
        pairs: bool,
    ) -> Result<InputEncoder, String> {
        if let Some(fault) = shape.fault(&BertShape::NAMES) {
            return Err(fault);
        }
        let (found, longest) = (pieces.vocabulary().pieces.len(), pieces.max_pieces());
        if found != shape.vocabulary {
            return Err(format!("a vocabulary of {found} pieces, expected the {} of the weights", shape.vocabulary));
        }
        if longest > shape.positions {
            let most = shape.positions;
            return Err(format!(
                "max_tokens is {longest}, but the weights are for at most {most} pieces: set max_tokens = {most}"
            ));
        }
        if !(1..=longest).contains(&typical) {
            return Err(format!("texts of {typical} pieces, expected 1 to {longest}"));
        }
        Ok(InputEncoder::Pieces { pieces, shape, typical, pairs })
    }

    /// Adds the learned arrays and returns everything else that was learned.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> NetworkEncoderState {
        match self {
            InputEncoder::Images { normalisation: Normalisation { mean, std }, .. } => {
                arrays.add("pixels.mean", &[mean.len()], mean.iter().copied());
                arrays.add("pixels.std", &[std.len()], std.iter().copied());
                NetworkEncoderState::Images
            }
            InputEncoder::Texts { vocabulary, typical, .. } => {
                NetworkEncoderState::Texts { words: vocabulary.words(), typical: *typical }
            }
            InputEncoder::Features(encoder) => NetworkEncoderState::Features(encoder.save(arrays)),
            InputEncoder::Pieces { pieces, shape, typical, .. } => NetworkEncoderState::Pieces {
                vocabulary: pieces.vocabulary().clone(),
                shape: *shape,
                typical: *typical,
            },
            InputEncoder::WithFeatures { raw, plain } => {
                let raw = Box::new(raw.save(arrays));
                NetworkEncoderState::WithFeatures { raw, plain: plain.save(arrays) }
            }
        }
    }

    /// Restores an encoder from what [`InputEncoder::save`] stored.
    ///
    /// # Errors
    /// If the stored encoder is not one for inputs of this form.
    pub(crate) fn load(
        state: NetworkEncoderState,
        spec: &Spec,
        reading: Reading,
        arrays: &mut ArraysIn,
    ) -> Result<InputEncoder, ModelError> {
        match (state, reading, spec.shape.input) {
            (
                NetworkEncoderState::WithFeatures { raw, plain },
                Reading::RawWithFeatures(_) | Reading::PiecesWithFeatures,
                input,
            ) => {
                let network = spec.params.model(NETWORK);
                let network = network.ok_or_else(|| arrays.refused("goes with parameters that name no network"))?;
                let of_raw = Spec { params: network.params().clone(), ..spec.clone() };
                let reading = match reading {
                    Reading::RawWithFeatures(texts) => Reading::Raw(texts),
                    _ => Reading::Pieces,
                };
                let raw = Box::new(InputEncoder::load(*raw, &of_raw, reading, arrays)?);
                let plain = Encoder::load(plain, &FeatureParams::of(&spec.params, &input), &input, arrays)?;
                Ok(InputEncoder::WithFeatures { raw, plain })
            }
            (NetworkEncoderState::Features(state), Reading::Features, input) => {
                let params = FeatureParams::of(&spec.params, &input);
                Ok(InputEncoder::Features(Encoder::load(state, &params, &input, arrays)?))
            }
            (NetworkEncoderState::Images, Reading::Raw(_), InputShape::Images { channels, height, width }) => {
                let (mean, std) = (arrays.take("pixels.mean", &[channels])?, arrays.take("pixels.std", &[channels])?);
                if std.iter().any(|&std: &f32| std <= 0.0) {
                    return Err(arrays.refused("a deviation of 'pixels.std' is not above zero"));
                }
                let normalisation = Normalisation { mean, std };
                Ok(InputEncoder::Images { normalisation, form: InputForm::Images { channels, height, width } })
            }
            (NetworkEncoderState::Texts { words, typical }, Reading::Raw(reading), InputShape::Texts { .. }) => {
                let longest = spec.params.int("max_tokens");
                let vocabulary = Vocabulary::of(words, Tokens::of(&spec.params), longest);
                match vocabulary {
                    Some(vocabulary) if (1..=longest).contains(&typical) => {
                        Ok(InputEncoder::Texts { vocabulary, typical, reading })
                    }
                    Some(_) => {
                        Err(arrays.refused(format!("goes with texts of {typical} words, expected 1 to {longest}")))
                    }
                    None => Err(arrays.refused("goes with a vocabulary that has a word twice")),
                }
            }
            (
                NetworkEncoderState::Pieces { vocabulary, shape, typical },
                Reading::Pieces,
                InputShape::Texts { pairs },
            ) => {
                let longest = spec.params.int("max_tokens");
                let pieces = Pieces::new(vocabulary, longest);
                pieces
                    .and_then(|pieces| InputEncoder::pieces(pieces, shape, typical, pairs))
                    .map_err(|what| arrays.refused(format!("goes with a pretrained encoder that cannot be: {what}")))
            }
            _ => Err(arrays.refused("goes with an encoder of another kind of inputs than the task has")),
        }
    }

    /// The form of input that a network for this encoder must take.
    pub(crate) fn form(&self) -> InputForm {
        match self {
            InputEncoder::Images { form, .. } => form.clone(),
            InputEncoder::Texts { vocabulary, typical, reading } => InputForm::Tokens {
                vocabulary: vocabulary.len(),
                longest: vocabulary.max_tokens(),
                typical: *typical,
                reading: *reading,
            },
            InputEncoder::Features(encoder) => match encoder.groups() {
                Some(groups) => InputForm::Columns { groups },
                None => InputForm::Features { width: encoder.width() },
            },
            InputEncoder::Pieces { shape, typical, .. } => InputForm::Pieces { shape: *shape, typical: *typical },
            InputEncoder::WithFeatures { raw, plain } => {
                InputForm::WithFeatures { raw: Box::new(raw.form()), width: plain.width() }
            }
        }
    }

    /// Encodes inputs of the kind that the encoder was fitted on.
    ///
    /// # Errors
    /// If the inputs are of another kind or size.
    pub(crate) fn encode<'a>(&'a self, inputs: &'a Inputs) -> Result<Encoded<'a>, ModelError> {
        match (self, inputs) {
            (InputEncoder::Images { normalisation, form }, Inputs::Images(images)) => {
                let &Images { channels, height, width, .. } = images;
                let found = InputShape::Images { channels, height, width };
                if let InputForm::Images { channels, height, width } = *form {
                    let fitted = InputShape::Images { channels, height, width };
                    if found != fitted {
                        return Err(ModelError::Failed(format!("fitted on {fitted}, asked to predict {found}")));
                    }
                }
                Ok(Encoded::Images { images, normalisation })
            }
            (InputEncoder::Texts { vocabulary, reading, .. }, Inputs::Texts(texts)) => {
                check_kind(texts, *reading != TextReading::Single)?;
                Ok(match reading {
                    TextReading::Apart => {
                        Encoded::Pairs(texts.iter().map(|text| vocabulary.encode_apart(text)).collect())
                    }
                    _ => Encoded::Tokens(texts.iter().map(|text| vocabulary.encode(text)).collect()),
                })
            }
            (InputEncoder::Features(encoder), inputs) => Ok(Encoded::Features(encoder.encode(inputs)?)),
            (InputEncoder::Pieces { pieces, pairs, .. }, Inputs::Texts(texts)) => {
                check_kind(texts, *pairs)?;
                Ok(Encoded::Pieces(texts.iter().map(|text| pieces.encode(text)).collect()))
            }
            (InputEncoder::WithFeatures { raw, plain }, inputs) => {
                Ok(Encoded::WithFeatures(Box::new(raw.encode(inputs)?), plain.encode(inputs)?))
            }
            _ => Err(ModelError::Failed("fitted on inputs of another kind than it was asked to predict".to_owned())),
        }
    }

    /// The tokens that a network reads of a text, as words or pieces of words. Empty for other inputs.
    pub(crate) fn token_names(&self, encoded: &Encoded<'_>, row: usize) -> Vec<String> {
        match (self, encoded) {
            (InputEncoder::Texts { vocabulary, .. }, Encoded::Tokens(texts)) => vocabulary.names(&texts[row]),
            (InputEncoder::Pieces { pieces, .. }, Encoded::Pieces(texts)) => {
                let known = &pieces.vocabulary().pieces;
                texts[row].ids.iter().map(|&id| known[id as usize].clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How many of these texts are truncated. `None` for images and for features, which are made of whole texts.
    pub(crate) fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        let (vocabulary, reading, texts) = match (self, inputs) {
            (InputEncoder::Texts { vocabulary, reading, .. }, Inputs::Texts(texts)) => (vocabulary, reading, texts),
            (InputEncoder::Pieces { pieces, .. }, Inputs::Texts(texts)) => {
                return Some(texts.iter().filter(|text| pieces.is_cut(text)).count());
            }
            (InputEncoder::WithFeatures { raw, .. }, _) => return raw.truncated(inputs),
            _ => return None,
        };
        let most = vocabulary.max_tokens();
        let cut = |text: &&Text| {
            // A text without a word becomes one unknown word.
            let count = |text: &str| Words::of(text, vocabulary.tokens()).iter().count().max(1);
            let (first, second) = (count(&text.first), text.second.as_deref().map_or(0, count));
            match reading {
                TextReading::Single => first > most,
                TextReading::Joined => first + 1 + second > most,
                TextReading::Apart => first.max(second) > most,
            }
        };
        Some(texts.iter().filter(cut).count())
    }

    /// How many of these texts contain no word that has a number: no word at all, or only words that were not learned.
    /// `None` for images.
    pub(crate) fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        match (self, inputs) {
            (InputEncoder::Features(encoder), _) => encoder.wordless(inputs),
            (InputEncoder::WithFeatures { raw, .. }, _) => raw.wordless(inputs),
            (InputEncoder::Texts { vocabulary, .. }, Inputs::Texts(texts)) => {
                Some(words::count_unread(texts, |text| !vocabulary.knows_a_word_of(text)))
            }
            (InputEncoder::Pieces { pieces, .. }, Inputs::Texts(texts)) => {
                Some(words::count_unread(texts, |text| !pieces.knows_a_piece_of(text)))
            }
            _ => None,
        }
    }
}

impl Encoded<'_> {
    /// The number of examples.
    pub(crate) fn len(&self) -> usize {
        match self {
            Encoded::Images { images, .. } => images.len(),
            Encoded::ImagesOnDevice(images) => images.len(),
            Encoded::Tokens(texts) => texts.len(),
            Encoded::Pairs(pairs) => pairs.len(),
            Encoded::Features(rows) => rows.len(),
            Encoded::Pieces(texts) => texts.len(),
            Encoded::WithFeatures(raw, _) => raw.len(),
        }
    }

    /// How many tokens an example has. 1 for images and features, which all have one size.
    pub(crate) fn length(&self, row: usize) -> usize {
        match self {
            Encoded::Images { .. } | Encoded::ImagesOnDevice(_) | Encoded::Features(_) => 1,
            Encoded::Tokens(texts) => texts[row].len(),
            Encoded::Pairs(pairs) => pairs[row][0].len().max(pairs[row][1].len()),
            Encoded::Pieces(texts) => texts[row].ids.len(),
            Encoded::WithFeatures(raw, _) => raw.length(row),
        }
    }
}

/// How many tokens an example has.
fn length(vocabulary: &Vocabulary, reading: TextReading, text: &Text) -> usize {
    match reading {
        TextReading::Apart => vocabulary.encode_apart(text).iter().map(Vec::len).sum(),
        _ => vocabulary.encode(text).len(),
    }
}
