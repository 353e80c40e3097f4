//! The recipe: the parameters of training, which all neural models share.

use super::schedule::Fall;
use crate::device::Device;
use crate::encode::words::Tokens;
use crate::model::Support;
use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Scale, Search, SearchDefault};

/// The rule that turns a gradient into a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101).
    AdamW,
    /// Stochastic gradient descent with momentum. Weight decay is added to the gradient, as in He et al. 2015.
    Sgd {
        /// The share of the last step that is kept.
        momentum: f64,
    },
}

/// The numbers in which products are computed. Everything else, the loss and the sums of a product included, is in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits with the exponent of 32 bits ("Mixed precision training", Micikevicius et al. 2018; Kalamkar et al. 2019). The weights
    /// are kept in 32 bits.
    Bf16,
}

/// The parameter `precision`.
pub(crate) const PRECISION: Param = Param {
    name: "precision",
    images: DefaultValue::Word("f32"),
    texts: DefaultValue::Word("f32"),
    tables: DefaultValue::Word("f32"),
    domain: Domain::Word(&["f32", "bf16"]),
    about: "numbers of the products: 32 bits, or bfloat16 on a card that has it; weights, normalisations and the loss are 32 bits",
    source: "bf16: Kalamkar et al. 2019",
    search: None,
};

impl Precision {
    /// That of a model with these parameters.
    pub(crate) fn of(params: &Resolved) -> Precision {
        if params.has(PRECISION.name) && params.word(PRECISION.name) == "bf16" {
            Precision::Bf16
        } else {
            Precision::F32
        }
    }

    /// Whether a model with these parameters can compute on this device. Whether a card has such numbers is known when it is open.
    pub(crate) fn supports(params: &Resolved, device: Device) -> Support {
        match (Precision::of(params), device) {
            (Precision::Bf16, Device::Cpu) => Support::No {
                reason: "precision = \"bf16\" is for graphics cards, and the processor computes in 32 bits".to_owned(),
            },
            (Precision::Bf16, Device::Wgpu(_)) => Support::No {
                reason: "precision = \"bf16\" is for cuda: the shading language of wgpu has no such numbers".to_owned(),
            },
            _ => Support::Yes,
        }
    }
}

/// The training settings of one fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recipe {
    /// Passes over the training rows.
    pub(crate) epochs: usize,
    /// Rows per step.
    pub(crate) batch: usize,
    /// Rows per shard of a step.
    pub(crate) shard: usize,
    /// The optimiser.
    pub(crate) rule: Rule,
    /// The highest learning rate.
    pub(crate) learning_rate: f64,
    /// How the learning rate falls after the warm-up.
    pub(crate) fall: Fall,
    /// By what the learning rate of each block is multiplied in the block before it.
    pub(crate) layer_decay: f64,
    /// The share of the steps that are warm-up.
    pub(crate) warmup: f64,
    /// Weight decay of matrices and kernels.
    pub(crate) weight_decay: f64,
    /// The largest norm of the gradient.
    pub(crate) clip: f64,
    /// Whether images are mirrored at random.
    pub(crate) flip: bool,
    /// By how many pixels images are shifted at most.
    pub(crate) crop: usize,
    /// The probability that a word is replaced by the unknown word.
    pub(crate) word_dropout: f64,
}

impl Recipe {
    /// Reads the parameters that [`params`] declares.
    pub(crate) fn read(params: &Resolved) -> Recipe {
        let rule = match params.word("optimizer") {
            "sgd" => Rule::Sgd { momentum: params.float("momentum") },
            _ => Rule::AdamW,
        };
        Recipe {
            epochs: params.int("epochs"),
            batch: params.int("batch"),
            shard: params.int("shard"),
            rule,
            learning_rate: params.float("learning_rate"),
            fall: Fall::Cosine,
            layer_decay: 1.0,
            warmup: params.float("warmup"),
            weight_decay: params.float("weight_decay"),
            clip: params.float("clip"),
            flip: params.switch("flip"),
            crop: params.int("crop"),
            word_dropout: params.float("word_dropout"),
        }
    }
}

/// A default for images, one for texts, one for tables, and the source of all.
#[derive(Clone, Copy)]
pub(crate) struct Choice(
    pub(crate) DefaultValue,
    pub(crate) DefaultValue,
    pub(crate) DefaultValue,
    pub(crate) &'static str,
);

/// The training parameters whose defaults each model chooses.
#[derive(Clone, Copy)]
pub(crate) struct Choices {
    pub(crate) epochs: Choice,
    pub(crate) optimizer: Choice,
    pub(crate) learning_rate: Choice,
    pub(crate) weight_decay: Choice,
}

/// What a search draws the dropout of a network from.
pub(crate) const DROPOUT: Search = Search::of_all(
    SearchDefault::Between(Scale::Uniform, 0.0, 0.5),
    "our own choice: none to one half, that of Srivastava et al. 2014 for hidden units",
);

/// The longest text that is read whole unless a suite says otherwise.
pub(super) const DEFAULT_MAX_TOKENS: i64 = 64;

/// How many parameters all neural models share.
pub(crate) const SHARED: usize = 17;

/// The parameters that all neural models share.
const fn shared(Choices { epochs, optimizer, learning_rate, weight_decay }: Choices) -> [Param; SHARED] {
    [
        Param {
            name: "epochs",
            images: epochs.0,
            texts: epochs.1,
            tables: epochs.2,
            domain: Domain::Int(1, 10_000),
            about: "passes over the training rows",
            source: epochs.3,
            search: None,
        },
        Param {
            name: "optimizer",
            images: optimizer.0,
            texts: optimizer.1,
            tables: optimizer.2,
            domain: Domain::Word(&["adamw", "sgd"]),
            about: "AdamW, or SGD with momentum",
            source: optimizer.3,
            search: None,
        },
        Param {
            name: "learning_rate",
            images: learning_rate.0,
            texts: learning_rate.1,
            tables: learning_rate.2,
            domain: Domain::Float(1e-6, 1e6),
            about: "highest learning rate, reached after the warm-up; falls to zero along a cosine",
            source: learning_rate.3,
            search: Some(Search::around(
                learning_rate.0,
                learning_rate.1,
                learning_rate.2,
                "our own choice: a tenth to ten times of the default; log-uniform as in Bergstra and Bengio 2012",
            )),
        },
        Param {
            name: "weight_decay",
            images: weight_decay.0,
            texts: weight_decay.1,
            tables: weight_decay.2,
            domain: Domain::Float(0.0, 1.0),
            about: "weight decay of matrices and kernels; norms, biases and embeddings have none",
            source: weight_decay.3,
            search: Some(Search::around(
                weight_decay.0,
                weight_decay.1,
                weight_decay.2,
                "our own choice: a tenth to ten times of the default; log-uniform as in Bergstra and Bengio 2012",
            )),
        },
        Param {
            name: "batch",
            images: DefaultValue::Int(128),
            texts: DefaultValue::Int(32),
            tables: DefaultValue::Int(128),
            domain: Domain::Int(1, 65_536),
            about: "training rows per step",
            source: "images: He et al. 2015; texts: Devlin et al. 2018; tables: the smallest of Gorishniy et al. 2021",
            search: None,
        },
        Param {
            name: "shard",
            images: DefaultValue::Int(32),
            texts: DefaultValue::Int(16),
            tables: DefaultValue::Int(32),
            domain: Domain::Int(1, 65_536),
            about: "rows of a step that one thread takes at a time, and over which batch normalisation takes its statistics",
            source: "ghost batches of 32: Hoffer et al. 2017; the result does not depend on the number of threads",
            search: None,
        },
        Param {
            name: "momentum",
            images: DefaultValue::Float(0.9),
            texts: DefaultValue::Float(0.9),
            tables: DefaultValue::Float(0.9),
            domain: Domain::Float(0.0, 0.999),
            about: "momentum of SGD; AdamW has its own",
            source: "He et al. 2015",
            search: None,
        },
        Param {
            name: "warmup",
            images: DefaultValue::Float(0.1),
            texts: DefaultValue::Float(0.1),
            tables: DefaultValue::Float(0.1),
            domain: Domain::Float(0.0, 0.9),
            about: "share of the steps over which the learning rate rises",
            source: "10 %: Devlin et al. 2018",
            search: None,
        },
        Param {
            name: "clip",
            images: DefaultValue::Float(1.0),
            texts: DefaultValue::Float(1.0),
            tables: DefaultValue::Float(1.0),
            domain: Domain::Float(1e-6, 1e9),
            about: "largest Euclidean norm of the gradient of all weights; a longer one is scaled down",
            source: "1.0: Devlin et al. 2018; the idea: Pascanu et al. 2013",
            search: None,
        },
        Param {
            name: "flip",
            images: DefaultValue::Bool(true),
            texts: DefaultValue::Bool(false),
            tables: DefaultValue::Bool(false),
            domain: Domain::Switch,
            about: "mirror training images at random; only for images",
            source: "He et al. 2015, section 4.2",
            search: None,
        },
        Param {
            name: "crop",
            images: DefaultValue::Int(4),
            texts: DefaultValue::Int(0),
            tables: DefaultValue::Int(0),
            domain: Domain::Int(0, 64),
            about: "shift training images by up to this many pixels each way, with a black border; only for images",
            source: "padding of 4 and a random crop: He et al. 2015, section 4.2",
            search: None,
        },
        Param {
            name: "word_dropout",
            images: DefaultValue::Float(0.0),
            texts: DefaultValue::Float(0.1),
            tables: DefaultValue::Float(0.0),
            domain: Domain::Float(0.0, 0.9),
            about: "probability that a training word is replaced by the unknown word; only for texts",
            source: "Iyyer et al. 2015; the rate is our own choice",
            search: Some(Search::of_texts(
                SearchDefault::Between(Scale::Uniform, 0.0, 0.3),
                "up to 0.3, that of Iyyer et al. 2015",
            )),
        },
        Tokens::param(
            "words+marks",
            "marks too: a question or a smile says much, and networks learn what to pass over",
        ),
        Param {
            name: "vocabulary",
            images: DefaultValue::Int(20_000),
            texts: DefaultValue::Int(20_000),
            tables: DefaultValue::Int(20_000),
            domain: Domain::Int(1, 1_000_000),
            about: "most words of the training texts that get an embedding of their own; only for texts",
            source: "our own choice; covers every word of SST-2",
            search: None,
        },
        Param {
            name: "max_tokens",
            images: DefaultValue::Int(DEFAULT_MAX_TOKENS),
            texts: DefaultValue::Int(DEFAULT_MAX_TOKENS),
            tables: DefaultValue::Int(DEFAULT_MAX_TOKENS),
            domain: Domain::Int(3, 4096),
            about: "longest text in words; the end of a longer one is cut off; only for texts",
            source: "the longest of SST-2 has 52 words",
            search: None,
        },
        Param {
            name: "min_count",
            images: DefaultValue::Int(2),
            texts: DefaultValue::Int(2),
            tables: DefaultValue::Int(2),
            domain: Domain::Int(1, 1000),
            about: "a word seen in fewer training texts is unknown, which also trains the unknown word; only for texts",
            source: "our own choice",
            search: None,
        },
        PRECISION,
    ]
}

/// The table of a model's parameters: its own, then those that all neural models share.
pub(crate) const fn table<const ALL: usize>(own: &[Param], choices: Choices) -> [Param; ALL] {
    assert!(own.len() + SHARED == ALL, "the table is as long as both parts");
    let shared = shared(choices);
    let mut all = [shared[0]; ALL];
    let mut index = 0;
    while index < ALL {
        all[index] = if index < own.len() { own[index] } else { shared[index - own.len()] };
        index += 1;
    }
    all
}
