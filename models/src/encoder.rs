//! `encoder`: a pretrained text encoder, BERT-shaped, under a head of ours.
//!
//! A text is read as `[CLS] text [SEP]`, a pair as `[CLS] first [SEP] second [SEP]` with a segment for each text (Devlin et
//! al. 2018). Unlike BERT's own fine-tuning, attention weights are not dropped.

use std::path::{Path, PathBuf};

use bakeoff_datasets::{DataFile, Inputs, Split};

use crate::encode::pieces::FEWEST_PIECES;
use crate::model::{
    Device, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape,
    TaskShape, Watch,
};
use crate::neural::bert::{BertNet, design};
use crate::neural::encoder::{InputEncoder, Reading};
use crate::neural::network::Network;
use crate::neural::recipe::{DROPOUT, PRECISION, Precision, Recipe, Rule};
use crate::neural::schedule::Fall;
use crate::neural::weights::WeightLayout;
use crate::neural::{Neural, seconds, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, ParamError, Resolved};
use crate::pretrained::{NAMES, Place, PretrainedWeights};
use crate::reason::Reason;
use crate::search::{Scale, Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct Encoder;

/// A parameter with one default, for the model has no tasks on images.
const fn param(
    name: &'static str,
    default: DefaultValue,
    domain: Domain,
    about: &'static str,
    source: &'static str,
    search: Option<Search>,
) -> Param {
    Param { name, images: default, texts: default, tables: default, domain, about, source, search }
}

static PARAMS: [Param; 16] = [
    param(
        "weights",
        DefaultValue::Word("minilm"),
        Domain::WordOrFolder(NAMES),
        "the pretrained encoder: one that `bakeoff data fetch` gets, or a folder with config.json, tokenizer.json and \
         model.safetensors of a BERT-shaped one",
        "our own choice: the smallest that is published with a licence",
        None,
    ),
    param(
        "mode",
        DefaultValue::Word("fine-tune"),
        Domain::Word(&["fine-tune", "frozen", "scratch"]),
        "fine-tune: all weights learn, from the pretrained ones; frozen: only the head learns; scratch: all learn, from random \
         ones",
        "fine-tune: Devlin et al. 2018",
        None,
    ),
    param(
        "pooling",
        DefaultValue::Word("mean"),
        Domain::Word(&["mean", "class"]),
        "what is classified: the mean of all pieces, or the first piece after a layer that the encoder must have",
        "mean: Reimers and Gurevych 2019; class: Devlin et al. 2018",
        Some(Search::of_texts(SearchDefault::Words(&["mean", "class"]), "both of ours")),
    ),
    param(
        "epochs",
        DefaultValue::Int(4),
        Domain::Int(1, 10_000),
        "passes over the training rows",
        "the most of the grid of Devlin et al. 2018, appendix A.3",
        Some(Search::of_texts(SearchDefault::Between(Scale::Uniform, 2.0, 4.0), "Devlin et al. 2018, appendix A.3")),
    ),
    param(
        "learning_rate",
        DefaultValue::Float(5e-5),
        Domain::Float(1e-7, 1.0),
        "highest learning rate, reached after the warm-up; falls to zero along a line",
        "Devlin et al. 2018, appendix A.3",
        Some(Search::of_texts(
            SearchDefault::Between(Scale::Log, 2e-5, 5e-4),
            "from the least of Devlin et al. 2018 to ten times their most, for encoders smaller than theirs",
        )),
    ),
    param(
        "head_epochs",
        DefaultValue::Int(50),
        Domain::Int(1, 10_000),
        "passes over the training rows if mode is frozen, where a pass is cheap; not used otherwise",
        "our own choice",
        None,
    ),
    param(
        "head_learning_rate",
        DefaultValue::Float(2e-3),
        Domain::Float(1e-6, 10.0),
        "highest learning rate if mode is frozen; if it is fine-tune, only fusion uses it, for the layers over plain features",
        "our own choice",
        Some(Search::of_texts(
            SearchDefault::Between(Scale::Log, 2e-4, 2e-2),
            "our own choice: a tenth to ten times of the default",
        )),
    ),
    param(
        "layer_decay",
        DefaultValue::Float(1.0),
        Domain::Float(0.1, 1.0),
        "by what the learning rate of each block is multiplied in the block before it, and that of the first block in the \
         embeddings",
        "1: Devlin et al. 2018; the idea: Howard and Ruder 2018",
        Some(Search::of_texts(
            SearchDefault::Between(Scale::Uniform, 0.8, 1.0),
            "0.8 to 1: Clark et al. 2020 and Sun et al. 2019, for BERTs of all sizes",
        )),
    ),
    param(
        "weight_decay",
        DefaultValue::Float(0.01),
        Domain::Float(0.0, 1.0),
        "weight decay of matrices; norms, biases and embeddings have none",
        "Devlin et al. 2018",
        None,
    ),
    param(
        "batch",
        DefaultValue::Int(32),
        Domain::Int(1, 65_536),
        "training rows per step",
        "Devlin et al. 2018",
        Some(Search::of_texts(SearchDefault::Between(Scale::Log, 16.0, 32.0), "Devlin et al. 2018, appendix A.3")),
    ),
    param(
        "shard",
        DefaultValue::Int(16),
        Domain::Int(1, 65_536),
        "rows of a step that one thread takes at a time",
        "our own choice: two threads have one each; the result does not depend on the number of threads",
        None,
    ),
    param(
        "warmup",
        DefaultValue::Float(0.1),
        Domain::Float(0.0, 0.9),
        "share of the steps over which the learning rate rises",
        "10 %: Devlin et al. 2018",
        None,
    ),
    param(
        "clip",
        DefaultValue::Float(1.0),
        Domain::Float(1e-6, 1e9),
        "largest Euclidean norm of the gradient of all weights; a longer one is scaled down",
        "Devlin et al. 2018, their code",
        None,
    ),
    param(
        "dropout",
        DefaultValue::Float(0.1),
        Domain::Float(0.0, 0.9),
        "dropout of embeddings, of each sublayer's output and before the head",
        "Devlin et al. 2018",
        Some(DROPOUT),
    ),
    param(
        "max_tokens",
        DefaultValue::Int(128),
        Domain::Int(FEWEST_PIECES as i64, 4096),
        "longest example in word pieces, those around the texts included; the ends of longer ones are cut off",
        "Devlin et al. 2018, appendix A.2",
        None,
    ),
    PRECISION,
];

impl ModelEntry for Encoder {
    fn name(&self) -> &'static str {
        "encoder"
    }

    fn about(&self) -> &'static str {
        "pretrained text encoder (Devlin et al. 2018), fine-tuned, frozen or learned from scratch"
    }

    fn version(&self, device: Device) -> String {
        version(1, device)
    }

    fn params(&self) -> &'static [Param] {
        &PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        match shape.input {
            InputShape::Texts { .. } => Precision::supports(params, device),
            InputShape::Images { .. } => Support::No { reason: "a text encoder reads no images".to_owned() },
            InputShape::Table { .. } => Support::No { reason: "a text encoder reads no tables".to_owned() },
        }
    }

    fn check_files(&self, params: &Resolved) -> Result<(), ParamError> {
        let place = Place::of(params.word("weights"));
        let config = place.own_config();
        if config.as_ref().is_some_and(|path| !path.is_file()) {
            // `own_files` says what is missing.
            return Ok(());
        }
        let fault = |error: ModelError| ParamError::File { name: "weights".to_owned(), what: error.to_string() };
        let most = place.shape().map_err(fault)?.positions;
        let found = params.int("max_tokens");
        if found <= most {
            return Ok(());
        }
        let of = config.map_or_else(|| params.word("weights").to_owned(), |path| path.display().to_string());
        Err(ParamError::Domain {
            name: "max_tokens".to_owned(),
            found: found.to_string(),
            expected: format!("at most {most}, the max_position_embeddings of {of}: set max_tokens = {most}"),
        })
    }

    fn files(&self, params: &Resolved) -> Vec<&'static DataFile> {
        Place::of(params.word("weights")).files().iter().collect()
    }

    fn seen(&self, params: &Resolved) -> Option<Vec<&'static str>> {
        // Random weights have seen nothing.
        let published = Place::of(params.word("weights")).published().filter(|_| params.word("mode") != "scratch");
        published.map(|encoder| encoder.seen().to_vec())
    }

    fn own_files(&self, params: &Resolved) -> Result<Vec<PathBuf>, ModelError> {
        Place::of(params.word("weights")).own_files()
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        /// The number of pieces of a text of GLUE, because the texts themselves are not read here. The mean training row of CoLA has
        /// 11 pieces, that of SST-2 13, that of STS-B 28 in two texts, and that of MRPC 53 in two.
        const TYPICAL_PIECES: usize = 14;
        let texts = if shape.input.is_pairs() { 2 } else { 1 };
        let outputs = match shape.target {
            TargetShape::Classes(classes) => classes,
            TargetShape::Value => 1,
        };
        let shape_of_weights = Place::of(params.word("weights")).shape().ok()?;
        let forward = BertNet::new(shape_of_weights, texts * TYPICAL_PIECES, params, outputs).multiply_adds();
        let passes = if params.word("mode") == "frozen" { 1 } else { 3 * params.int("epochs") };
        Some(seconds(forward, passes * shape.train_rows, params, threads, device))
    }

    fn pooled_width(&self, _shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(Place::of(params.word("weights")).shape().ok()?.width)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(PretrainedModel {
            spec: spec.clone(),
            neural: Neural::new(&Encoder, spec, design, Reading::Pieces)?,
        }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load(&Encoder, (folder, threads, device), design, Reading::Pieces)?))
    }
}

/// How the weights learn.
pub(crate) fn recipe(params: &Resolved) -> Recipe {
    let is_frozen = params.word("mode") == "frozen";
    let (epochs, learning_rate) =
        if is_frozen { ("head_epochs", "head_learning_rate") } else { ("epochs", "learning_rate") };
    Recipe {
        epochs: params.int(epochs),
        batch: params.int("batch"),
        shard: params.int("shard"),
        rule: Rule::AdamW,
        learning_rate: params.float(learning_rate),
        fall: Fall::Linear,
        layer_decay: params.float("layer_decay"),
        warmup: params.float("warmup"),
        weight_decay: params.float("weight_decay"),
        clip: params.float("clip"),
        flip: false,
        crop: 0,
        word_dropout: 0.0,
    }
}

/// A network that starts from pretrained weights.
struct PretrainedModel {
    spec: Spec,
    neural: Neural,
}

impl Model for PretrainedModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        let (encoder, weights) = pretrained(&self.spec, train)?;
        let params = &self.spec.params;
        let (learning, seed) = ((encoder, recipe(params)), self.spec.seed_for("init"));
        let start = |layout: &WeightLayout| weights.gather(layout, seed);
        match params.word("mode") {
            "frozen" => self.neural.fit_head(learning, start, (train, validation), watch),
            "scratch" => {
                self.neural.fit_encoded(learning, |layout| Ok(layout.initial(seed)), (train, validation), watch)
            }
            _ => self.neural.fit_encoded(learning, start, (train, validation), watch),
        }
    }

    fn fit_pooled(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        if self.spec.params.word("mode") != "frozen" {
            return self.fit(train, validation, watch);
        }
        let (encoder, weights) = pretrained(&self.spec, train)?;
        let seed = self.spec.seed_for("init");
        self.neural.fit_nothing(encoder, |layout| weights.gather(layout, seed), &train.targets)
    }

    fn pooled(&mut self, inputs: &Inputs) -> Result<Option<Matrix>, ModelError> {
        self.neural.pooled(inputs)
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        self.neural.predict(inputs)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.neural.save(folder)
    }

    fn footprint(&self) -> Footprint {
        self.neural.footprint()
    }

    fn threads(&self) -> Option<usize> {
        self.neural.threads()
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.neural.truncated(inputs)
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.neural.wordless(inputs)
    }

    fn reasons(&mut self, inputs: &Inputs, classes: &[String]) -> Result<Option<Vec<Reason>>, ModelError> {
        self.neural.reasons(inputs, classes)
    }
}

/// The encoder of the training texts, and the weights as they were published. `spec` has the parameters of this model.
///
/// # Errors
/// Names the file that is missing or broken, or says what does not fit together.
pub(crate) fn pretrained(spec: &Spec, train: &Split) -> Result<(InputEncoder, PretrainedWeights), ModelError> {
    let params = &spec.params;
    let pretrained = Place::of(params.word("weights")).read()?;
    let pieces = pretrained.pieces(params.int("max_tokens"))?;
    let Inputs::Texts(texts) = &train.inputs else {
        return Err(ModelError::Unsupported("a text encoder reads no images".to_owned()));
    };
    let count: usize = texts.iter().map(|text| pieces.encode(text).ids.len()).sum();
    let typical = count.div_ceil(texts.len().max(1)).max(1);
    let pairs = spec.shape.input.is_pairs();
    let encoder = InputEncoder::pieces(pieces, pretrained.shape, typical, pairs).map_err(ModelError::Failed)?;
    Ok((encoder, pretrained.weights))
}
