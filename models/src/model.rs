//! The interface between the instrument and what it measures. Every model is a [`ModelEntry`] that builds a [`Model`].

use std::fmt;
use std::path::{Path, PathBuf};

use bakeoff_datasets::{Alphabet, DataFile, Images, Inputs, Split};

use serde::{Deserialize, Serialize};

pub use crate::device::Device;
use crate::parallel::Threads;
use crate::params::{Param, ParamError, Resolved};
use crate::reason::Reason;

/// The form of a task's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputShape {
    /// Images of this size.
    Images {
        /// Colour planes.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// Texts.
    Texts {
        /// Whether each example is two texts that the task compares.
        pairs: bool,
    },
    /// Rows of a table.
    Table {
        /// Columns of numbers.
        numbers: usize,
        /// Columns of categories.
        categories: usize,
    },
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputShape::Images { channels: 1, height, width } => write!(f, "grey images of {height} x {width} pixels"),
            InputShape::Images { channels, height, width } => {
                write!(f, "images of {height} x {width} pixels with {channels} channels")
            }
            InputShape::Texts { pairs: false } => write!(f, "texts"),
            InputShape::Texts { pairs: true } => write!(f, "pairs of texts"),
            InputShape::Table { numbers, categories } => write!(f, "rows of {}", columns(*numbers, *categories)),
        }
    }
}

/// `3 numbers and 1 category`: what a row of a table with so many columns of each kind has.
pub fn columns(numbers: usize, categories: usize) -> String {
    let count = |count: usize, one: &str, more: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {more}")),
    };
    let parts = [count(numbers, "number", "numbers"), count(categories, "category", "categories")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

impl InputShape {
    /// Whether an example is a row of a table.
    pub fn is_table(self) -> bool {
        matches!(self, InputShape::Table { .. })
    }

    /// Whether an example is two texts that the task compares.
    pub fn is_pairs(self) -> bool {
        matches!(self, InputShape::Texts { pairs: true })
    }
}

/// The form of a task's targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetShape {
    /// One of this many classes.
    Classes(usize),
    /// A real number.
    Value,
}

impl fmt::Display for TargetShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetShape::Classes(count) => write!(f, "one of {count} classes"),
            TargetShape::Value => write!(f, "a number"),
        }
    }
}

/// What a model must know about a task before it sees data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskShape {
    /// The form of the inputs.
    pub input: InputShape,
    /// The form of the targets.
    pub target: TargetShape,
    /// Rows to learn from, validation included.
    pub train_rows: usize,
    /// Whether mirroring an image changes the sign of its target, as it does for an angle. If `false`, the target stays
    /// the same.
    pub mirror_negates: bool,
    /// The characters of the task, if each of its texts is a sequence of them and its classes are the characters that may come
    /// next. `None` for every other task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<Alphabet>,
}

/// Whether a model can do a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It can do the task.
    Yes,
    /// It cannot do the task.
    No {
        /// The reason, in words for the report.
        reason: String,
    },
}

/// Everything from which a model is built.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The task's form.
    pub shape: TaskShape,
    /// The model's parameters, checked and complete.
    pub params: Resolved,
    /// Where the model computes.
    pub device: Device,
    /// The processor threads that the model may use. Models built from clones of a spec share them.
    pub threads: Threads,
    /// The root of all of the model's random choices; see [`Spec::seed_for`].
    pub seed: u64,
}

impl Spec {
    /// The seed of one axis of randomness (`"init"`, `"order"`, `"dropout"`, …). Each axis has its own, so that a
    /// change in how one axis is used leaves the others as they were. The seed is FNV-1a of the axis, mixed with the
    /// root by SplitMix64 (Steele et al. 2014).
    pub fn seed_for(&self, axis: &str) -> u64 {
        let hash =
            axis.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut z = (self.seed ^ hash).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A dense matrix in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// `rows x cols` values.
    pub data: Vec<f32>,
}

impl Matrix {
    /// Row `index`.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.cols..][..self.cols]
    }
}

/// One prediction per example, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// For a task with classes.
    Classes {
        /// The most likely class of each example.
        labels: Vec<u16>,
        /// `examples x classes`, with rows that sum to one. `None` if the model gives no probabilities.
        probabilities: Option<Matrix>,
    },
    /// For a regression task, in the unit of the targets.
    Values(Vec<f32>),
}

impl Predictions {
    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        match self {
            Predictions::Classes { labels, .. } => labels.is_empty(),
            Predictions::Values(values) => values.is_empty(),
        }
    }
}

/// How large a fitted model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// How many numbers were learned: weights, support vectors and coefficients, thresholds and leaf values.
    pub parameters: u64,
    /// The multiply-adds of one prediction, times two. `None` if they cannot be counted.
    pub flops_per_example: Option<u64>,
    /// The bytes of weights that one prediction reads at least once, without tables of embeddings, of which it reads a few rows. `None`
    /// if they depend on the example.
    pub weight_bytes: Option<u64>,
}

/// Why a model could not do its work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The loss or a prediction is not a finite number.
    #[error("in epoch {epoch}: {what} is not a finite number; try a smaller learning rate")]
    Diverged {
        /// Counted from 1.
        epoch: usize,
        /// What is not finite.
        what: String,
    },
    /// The model cannot do what was asked of it.
    #[error("{0}")]
    Unsupported(String),
    /// The budget was used up before the model had learned anything that can predict.
    #[error("{0}")]
    OverBudget(String),
    /// A library's error.
    #[error("{0}")]
    Failed(String),
    /// What [`Watch::interrupted`] gave is no state of this fit.
    #[error("{0}")]
    State(String),
    /// A file of a model that cannot be written or read: of a saved model, or of a pretrained encoder.
    #[error("{}: {what}", path.display())]
    Artefact {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// What a model reports after each pass over the training rows.
#[derive(Debug)]
pub struct EpochReport<'a> {
    /// Counted from 1.
    pub epoch: usize,
    /// How many epochs there will be.
    pub epochs: usize,
    /// Mean training loss over the epoch.
    pub train_loss: f64,
    /// Predictions of the validation rows, in order.
    pub validation: &'a Predictions,
}

/// What observes a fit: the instrument scores its epochs and shows its progress.
pub trait Watch {
    /// Scores an epoch on the validation rows. A larger score is better, for any metric. A model with epochs calls this
    /// after each epoch and keeps the best one. The time of the validation pass is part of the fit.
    ///
    /// # Errors
    /// [`ModelError::Diverged`] if the report holds a number that is not finite. The fit then ends.
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError>;

    /// Scores an epoch of a part of the model, such as the network whose features another part learns from. It is no epoch of the
    /// model itself, so no curve is recorded.
    ///
    /// # Errors
    /// See [`Watch::epoch`].
    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epoch(report)
    }

    /// Reports the progress of a fit without epochs, such as trees grown or pairs solved: `done` of `total` steps.
    fn progress(&mut self, done: usize, total: usize);

    /// The share of the fit's budget that is used up, from 0 to 1 and beyond. `None` if there is no budget. With one, a model
    /// that can always learn more goes on until its budget is used up, whatever its parameters say about epochs or trees.
    fn spent(&mut self) -> Option<f64> {
        None
    }

    /// The seconds until the case is ended, whatever its fit has learned by then. `None` if nothing ends it.
    fn seconds_left(&mut self) -> Option<f64> {
        None
    }

    /// The state of this fit that a call of [`Watch::checkpoint`] gave to an earlier process. A model whose fit can go on
    /// asks for it before it begins. `None` for a fit that was not interrupted.
    fn interrupted(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Offers the state after an epoch, from which another process can go on with this fit. `state` gives its bytes, and
    /// is called only if they are to be kept.
    ///
    /// # Errors
    /// Those of `state`.
    fn checkpoint(&mut self, _state: &dyn Fn() -> Result<Vec<u8>, ModelError>) -> Result<(), ModelError> {
        Ok(())
    }
}

/// A method that learns, built for one task.
pub trait Model {
    /// Learns from `train`. `validation` is for choosing among epochs or parameters. A model that chooses nothing may
    /// learn from it too, because both were given as training rows. A second call starts afresh.
    ///
    /// # Errors
    /// If the fit diverges or a library fails.
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError>;

    /// Learns from `train`, and from the inputs of further training rows whose targets are withheld. By default, it ignores the
    /// latter. A model whose entry asks for such rows ([`ModelEntry::unlabelled`]) is fitted by this method.
    ///
    /// # Errors
    /// See [`Model::fit`].
    fn fit_with_unlabelled(
        &mut self,
        train: &Split,
        validation: &Split,
        _unlabelled: &Inputs,
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        self.fit(train, validation, watch)
    }

    /// Learns as much as [`Model::pooled`] needs. A pretrained network that stays as it is learns nothing, and has a head of random
    /// weights.
    ///
    /// # Errors
    /// See [`Model::fit`].
    fn fit_pooled(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fit(train, validation, watch)
    }

    /// What the head of the fitted network takes of each input, `examples x width`: the features that it has learned. `None` for a
    /// model that is not one network.
    ///
    /// # Errors
    /// See [`Model::predict`].
    fn pooled(&mut self, _inputs: &Inputs) -> Result<Option<Matrix>, ModelError> {
        Ok(None)
    }

    /// One prediction per example, in order, in host memory. The device has finished when this returns.
    ///
    /// # Errors
    /// If there was no fit or a library fails.
    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError>;

    /// Sends inputs to where the model computes, and waits for an answer that nothing is computed for, so that the instrument can
    /// measure what sending costs. `false` for a model of this process, which sends nothing.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn echo(&mut self, _inputs: &Inputs) -> Result<bool, ModelError> {
        Ok(false)
    }

    /// Saves the fitted model to a folder that does not exist yet, with everything that a prediction needs. See
    /// [`ModelEntry::load`].
    ///
    /// # Errors
    /// If there was no fit, if the folder exists, or if it cannot be written.
    fn save(&self, folder: &Path) -> Result<(), ModelError>;

    /// How large the fitted model is.
    fn footprint(&self) -> Footprint;

    /// How many processor threads the model computes on. They are fewer than [`Spec::threads`] if the system starts no
    /// more. `None` for a model that starts no threads.
    fn threads(&self) -> Option<usize> {
        None
    }

    /// How many of `inputs` are longer than the fitted model reads, so that their ends are ignored. `None` for a model
    /// that reads inputs of any length.
    fn truncated(&self, _inputs: &Inputs) -> Option<usize> {
        None
    }

    /// How many of `inputs` have a text in which the fitted model finds no word that it reads. Its prediction for such
    /// a text does not depend on the text. `None` for a model that reads no words.
    fn wordless(&self, _inputs: &Inputs) -> Option<usize> {
        None
    }

    /// Images that the fitted model makes up, `count` of them, of the size of those that it learned from. They are the same every
    /// time. `None` for a model that makes no images, or before a fit.
    ///
    /// # Errors
    /// If a library fails.
    fn images(&self, _count: usize) -> Result<Option<Images>, ModelError> {
        Ok(None)
    }

    /// The fitted model as rules that people can read, if it is made of rules. `classes` are the names of the task's
    /// classes; it is empty if a number is predicted. `None` for a model that is not made of rules, or before a fit.
    fn rules(&self, _classes: &[String]) -> Option<String> {
        None
    }

    /// How the fitted model came to its answer for each of `inputs`, in order. `classes` is as for [`Model::rules`]. `None` for
    /// a model that cannot show it.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn reasons(&mut self, _inputs: &Inputs, _classes: &[String]) -> Result<Option<Vec<Reason>>, ModelError> {
        Ok(None)
    }

    /// How many support vectors the fitted model keeps. `None` for a model that keeps none.
    fn support_vectors(&self) -> Option<usize> {
        None
    }
}

/// The name of the parameter that is [`ModelEntry::unlabelled`].
pub const UNLABELLED: &str = "unlabelled";

/// A model's entry in the registry: what it is, what it accepts and how to build it.
pub trait ModelEntry: Sync {
    /// The name in suites, on the command line and in records.
    fn name(&self) -> &str;
    /// One line on the method.
    fn about(&self) -> &str;
    /// The version of our code, and the library whose kernels run on `device`, such as `1 (burn 0.22.1)`. Records of
    /// different versions are not compared.
    fn version(&self, device: Device) -> String;
    /// Every parameter, with default, domain and source.
    fn params(&self) -> &[Param];
    /// The parameters for a task of this form: the defaults, replaced by what is written.
    ///
    /// # Errors
    /// On an unknown name or a value outside its domain.
    fn resolve(&self, shape: &TaskShape, written: &toml::Table) -> Result<Resolved, ParamError> {
        Resolved::new(self.params(), shape, written)
    }
    /// Whether a fit learns from the validation rows as it learns from the training rows. `false` if it only predicts
    /// them, to choose among epochs.
    fn learns_from_validation(&self) -> bool;
    /// Whether the model can do tasks of this shape, at this training size, with these parameters and on `device`.
    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support;
    /// Checks what the domain of a single parameter cannot express, such as that the number of heads divides the width.
    /// It is called when a suite is planned.
    ///
    /// # Errors
    /// Names the parameter at fault.
    fn check(&self, _params: &Resolved) -> Result<(), ParamError> {
        Ok(())
    }
    /// Checks the parameters against the files that they name, as far as these are there. It is called when a suite is planned. A fitted
    /// model needs these files no more, so it is not called when one is loaded.
    ///
    /// # Errors
    /// Names the parameter at fault, and the file.
    fn check_files(&self, _params: &Resolved) -> Result<(), ParamError> {
        Ok(())
    }
    /// The files of the data folder that a fit with these parameters reads beside its rows. They are looked for before a
    /// suite runs. By default, they are those of the models that are values of parameters.
    fn files(&self, params: &Resolved) -> Vec<&'static DataFile> {
        params.models().flat_map(|model| model.entry().files(model.params())).collect()
    }
    /// The datasets whose training rows the weights from which a fit with these parameters starts have learned from, by their ids.
    /// `None` for a model that starts from no published weights. By default, they are those of the models that are values of
    /// parameters.
    fn seen(&self, params: &Resolved) -> Option<Vec<&'static str>> {
        params
            .models()
            .filter_map(|model| model.entry().seen(model.params()))
            .reduce(|one, other| [one, other].concat())
    }
    /// The other files that a fit with these parameters reads beside its rows. By default, they are those of the models that are
    /// values of parameters.
    ///
    /// # Errors
    /// If a file is missing, or is of a kind that is refused.
    fn own_files(&self, params: &Resolved) -> Result<Vec<PathBuf>, ModelError> {
        let files = params.models().map(|model| model.entry().own_files(model.params()));
        Ok(files.collect::<Result<Vec<_>, _>>()?.concat())
    }
    /// How many training rows without their targets a fit with these parameters asks for, beside the rows of its case. See
    /// [`UNLABELLED`].
    fn unlabelled(&self, _params: &Resolved) -> usize {
        0
    }
    /// The width of what [`Model::pooled`] gives. `None` for a model that is not one network, or if the files that say it are not
    /// there.
    fn pooled_width(&self, _shape: &TaskShape, _params: &Resolved) -> Option<usize> {
        None
    }
    /// The seconds of a fit on `device` with this many processor threads, within a factor of about three. The user sees
    /// them before a long run. `None` if this was not measured.
    fn fit_s(&self, _shape: &TaskShape, _params: &Resolved, _threads: usize, _device: Device) -> Option<f64> {
        None
    }
    /// An unfitted model.
    ///
    /// # Errors
    /// If the shape or the device is not supported.
    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError>;
    /// Loads the fitted model that [`Model::save`] wrote to a folder. Its predictions are those of the saved model, to
    /// the last bit, on any number of threads.
    ///
    /// # Errors
    /// Names the file that is missing, cut off, changed, or of another model, version or format.
    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError>;
}
