//! `random-forest`: Breiman's random forest for classes and for numbers. Its features are HOG features or pixels of
//! images, or TF-IDF values of texts. Pairs of texts are encoded as in `encode/pairs.rs`. The features are dense, which
//! limits the training size.

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Targets};
use linfa::ParamGuard;
use ndarray::Array2;
use rayon::ThreadPool;

use crate::artefact::{self, ArraysOut, Loaded};
use crate::encode::features::{Encoder, EncoderState, FeatureParams, joined};
use crate::encode::images::ImageFeatures;
use crate::encode::words::Tokens;
use crate::forest::{
    Criterion, Forest, ForestError, ForestParams, ForestValidParams, Gini, Growth, MaxFeatures, Variance, most_probable,
};
use crate::model::{
    Device, Footprint, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape, TaskShape, Watch,
};
use crate::parallel::{self, Threads};
use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Scale, Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct RandomForest;

/// Bytes of one feature of a training row: its value and its bin.
const FEATURE_BYTES: u64 = size_of::<f32>() as u64 + 1;
/// The largest size in bytes of the features of all training rows.
const MOST_BYTES: u64 = 8 << 30;

/// The largest number of trees.
const MOST_TREES: i64 = 100_000;

const PARAMS: &[Param] = &[
    Param {
        name: "trees",
        images: DefaultValue::Int(200),
        texts: DefaultValue::Int(200),
        domain: Domain::Int(1, MOST_TREES),
        about: "number of trees",
        source: "more never overfit, only cost more (Breiman 2001)",
        search: None,
    },
    Param {
        name: "max_features",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 1.0),
        about: "share of the features that a node tries; 0 means the square root of their number for classes, and 1/3 for numbers",
        source: "Breiman's randomForest for R (Liaw and Wiener 2002)",
        search: Some(Search::of_all(
            SearchDefault::Between(Scale::Log, 0.01, 0.33),
            "our own choice: from below the square root of our numbers of features to Breiman's third for numbers",
        )),
    },
    Param {
        name: "max_depth",
        images: DefaultValue::Int(0),
        texts: DefaultValue::Int(0),
        domain: Domain::Int(0, 10_000),
        about: "largest number of decisions between root and leaf; 0 means no limit",
        source: "trees are grown in full (Breiman 2001)",
        search: None,
    },
    Param {
        name: "min_samples_leaf",
        images: DefaultValue::Int(1),
        texts: DefaultValue::Int(1),
        domain: Domain::Int(1, 1_000_000),
        about: "smallest number of distinct training rows in a leaf",
        source: "scikit-learn's default",
        search: Some(Search::of_all(SearchDefault::Between(Scale::Log, 1.0, 20.0), "our own choice")),
    },
    Param {
        name: "bins",
        images: DefaultValue::Int(256),
        texts: DefaultValue::Int(256),
        domain: Domain::Int(2, 256),
        about: "largest number of intervals for a feature's values",
        source: "as fine as one byte allows",
        search: None,
    },
    ImageFeatures::param(
        "auto",
        "validation tenths: CIFAR-10, 2,000 rows, HOG 0.441, both 0.424, pixels 0.396; grey digits, 1,797 rows, HOG 0.980, both \
         0.982, pixels 0.980",
    ),
    Tokens::param(
        "words-or-marks",
        "SST-2, 8,000 rows, three validation tenths: words 0.748, words and marks 0.733, scikit-learn's words 0.748",
    ),
    Param {
        name: "terms",
        images: DefaultValue::Int(2000),
        texts: DefaultValue::Int(2000),
        domain: Domain::Int(1, 100_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "no search trial on SST-2's validation rows was better (500 to 4,000)",
        search: Some(Search::of_texts(
            SearchDefault::Between(Scale::Log, 500.0, 4000.0),
            "our own choice: the values that were compared for the default",
        )),
    },
];

impl ModelEntry for RandomForest {
    fn name(&self) -> &'static str {
        "random-forest"
    }

    fn about(&self) -> &'static str {
        "random forest on image or text features (HOG and pixels, or TF-IDF)"
    }

    fn version(&self, device: Device) -> String {
        match device {
            Device::Cpu => "2 (linfa 0.8.1)".to_owned(),
        }
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        true
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        let features = FeatureParams::of(params, &shape.input);
        match features.supports(&shape.input, device) {
            Support::Yes => fits_in_memory(shape.train_rows, features.width(&shape.input)),
            no => no,
        }
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, _device: Device) -> Option<f64> {
        /// Seconds for each row, level of a tree and tried feature, measured at 2,000 to 8,000 rows.
        const STEP_S: f64 = 1.5e-8;
        let rows = shape.train_rows as f64;
        let features = FeatureParams::of(params, &shape.input).width(&shape.input) as f64;
        let tried = match (params.float("max_features"), shape.target) {
            (0.0, TargetShape::Classes(_)) => features.sqrt(),
            (0.0, TargetShape::Value) => features / 3.0,
            (share, _) => share * features,
        };
        Some(STEP_S * rows * rows.max(2.0).log2() * tried * params.int("trees") as f64 / threads as f64)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        let params = forest_params(spec)?;
        Ok(Box::new(ForestModel { spec: spec.clone(), params, pool: spec.threads.pool()?, fitted: None }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let Loaded { spec, state, mut arrays } = artefact::load::<EncoderState>(folder, self, threads, device)?;
        let features = FeatureParams::of(&spec.params, &spec.shape.input);
        let encoder = Encoder::load(state, &features, &spec.shape.input, &mut arrays)?;
        let width = match spec.shape.target {
            TargetShape::Classes(classes) => classes,
            TargetShape::Value => 1,
        };
        let forest = Forest::load(encoder.width(), width, &mut arrays)?;
        arrays.finish()?;
        let (params, pool) = (forest_params(&spec)?, spec.threads.pool()?);
        Ok(Box::new(ForestModel { spec, params, pool, fitted: Some((encoder, forest)) }))
    }
}

/// Whether memory suffices for `features` features of `rows` training rows.
fn fits_in_memory(rows: usize, features: usize) -> Support {
    let row = (features as u64).saturating_mul(FEATURE_BYTES);
    let bytes = row.saturating_mul(rows as u64);
    if bytes <= MOST_BYTES {
        return Support::Yes;
    }
    let most = MOST_BYTES / row;
    Support::No {
        reason: format!(
            "{features} features of {rows} training rows take {bytes} bytes, more than {MOST_BYTES}; at most {most} \
             rows fit: set train_size = {most} or less for the task"
        ),
    }
}

fn forest_params(spec: &Spec) -> Result<ForestValidParams, ModelError> {
    let params = &spec.params;
    let max_features = match (params.float("max_features"), spec.shape.target) {
        (0.0, TargetShape::Classes(_)) => MaxFeatures::Sqrt,
        (0.0, TargetShape::Value) => MaxFeatures::Share(1.0 / 3.0),
        (share, _) => MaxFeatures::Share(share),
    };
    let forest = ForestParams::default()
        .trees(params.int("trees"))
        .max_depth(Some(params.int("max_depth")).filter(|&depth| depth > 0))
        .min_samples_leaf(params.int("min_samples_leaf"))
        .max_features(max_features)
        .max_bins(params.int("bins"))
        .seed(spec.seed_for("forest"));
    Ok(forest.check()?)
}

impl From<ForestError> for ModelError {
    fn from(error: ForestError) -> ModelError {
        ModelError::Failed(error.to_string())
    }
}

struct ForestModel {
    spec: Spec,
    params: ForestValidParams,
    pool: Arc<ThreadPool>,
    fitted: Option<(Encoder, Forest)>,
}

impl Model for ForestModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fitted = None;
        let all = joined(train, validation);
        if all.is_empty() {
            return Err(ModelError::Failed("there is no training row".to_owned()));
        }
        let params = FeatureParams::of(&self.spec.params, &self.spec.shape.input);
        let (encoder, features) = self.pool.install(|| Encoder::fit(&all.inputs, &params))?;
        if let Support::No { reason } = fits_in_memory(features.len(), features.width()) {
            return Err(ModelError::Unsupported(reason));
        }
        let rows = features.into_dense();
        let forest = match &all.targets {
            Targets::Classes { labels, names } => self.grow::<Gini>(&rows, labels, names.len(), watch)?,
            Targets::Values(values) => self.grow::<Variance>(&rows, values, 1, watch)?,
        };
        self.fitted = Some((encoder, forest));
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let Some((encoder, forest)) = &self.fitted else {
            return Err(ModelError::Failed("predict before fit".to_owned()));
        };
        let means = self.pool.install(|| encoder.encode(inputs).map(|rows| forest.means(&rows.into_dense())))?;
        let (rows, cols) = means.dim();
        let probabilities = Matrix { rows, cols, data: means.into_raw_vec_and_offset().0 };
        Ok(match self.spec.shape.target {
            TargetShape::Value => Predictions::Values(probabilities.data),
            TargetShape::Classes(_) => Predictions::Classes {
                labels: (0..rows).map(|row| most_probable(probabilities.row(row)) as u16).collect(),
                probabilities: Some(probabilities),
            },
        })
    }

    fn threads(&self) -> Option<usize> {
        Some(self.pool.current_num_threads())
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let Some((encoder, forest)) = &self.fitted else {
            return Err(ModelError::Failed("save before fit".to_owned()));
        };
        let mut arrays = ArraysOut::default();
        let state = encoder.save(&mut arrays);
        forest.save(&mut arrays);
        artefact::save(folder, &RandomForest, &self.spec, state, &arrays)
    }

    fn footprint(&self) -> Footprint {
        self.fitted.as_ref().map_or_else(Footprint::default, |(_, forest)| Footprint {
            parameters: forest.parameters(),
            // A tree compares numbers and never multiplies them.
            flops_per_example: None,
        })
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|(encoder, _)| encoder.wordless(inputs))
    }
}

impl ForestModel {
    fn grow<C: Criterion>(
        &self,
        rows: &Array2<f32>,
        targets: &[C::Target],
        width: usize,
        watch: &mut dyn Watch,
    ) -> Result<Forest, ModelError> {
        let growth = self.pool.install(|| Growth::<C>::new(&self.params, &rows.view(), targets, width))?;
        let most = watch.spent().map_or(growth.trees(), |_| MOST_TREES as usize);
        let trees = parallel::map(&self.pool, most, watch, |index| growth.tree(index));
        Ok(growth.forest(trees))
    }
}
