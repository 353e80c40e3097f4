//! A model of trees on features: `random-forest` and `decision-tree`.

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Targets};
use ndarray::{Array2, ArrayView1};
use rayon::ThreadPool;

use super::{Criterion, Forest, ForestError, ForestValidParams, Gini, Growth, Variance, most_probable};
use crate::artefact::{self, ArraysOut, Loaded};
use crate::encode::classic::{self, ClassicEncoder, ClassicState, Numbers};
use crate::encode::features::joined;
use crate::model::{
    Device, Footprint, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape, TaskShape, Watch,
};
use crate::parallel::{self, Threads};
use crate::params::Resolved;
use crate::reason::Reason;
use crate::target_scale::TargetScale;

/// Bytes of one feature of a training row: its value and its bin.
const FEATURE_BYTES: u64 = size_of::<f32>() as u64 + 1;
/// The largest size in bytes of the features of all training rows.
const MOST_BYTES: u64 = 8 << 30;

/// The largest number of trees.
pub(crate) const MOST_TREES: i64 = 100_000;

/// How a model grows its trees from all of its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Growing {
    /// Each tree from a bootstrap sample, as many as the parameters say or a budget allows.
    Forest,
    /// One tree from all rows, pruned.
    PrunedTree {
        /// See [`super::pruning`]. If a number is predicted, it is that for targets in standard deviations, so that it does
        /// not depend on their unit. `None` if cross-validation is to choose it.
        alpha: Option<f64>,
    },
}

/// See [`ModelEntry::supports`]: whether the features can be computed and their values fit into memory.
pub(crate) fn supports(shape: &TaskShape, params: &Resolved, device: Device) -> Support {
    match classic::supports(shape, params, device) {
        Support::Yes => fits_in_memory(shape.train_rows, classic::width(shape, params)),
        no => no,
    }
}

/// Whether memory suffices for `features` features of `rows` training rows.
fn fits_in_memory(rows: usize, features: usize) -> Support {
    // How many features a network has is not known if its files are not there.
    let row = (features.max(1) as u64).saturating_mul(FEATURE_BYTES);
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

impl From<ForestError> for ModelError {
    fn from(error: ForestError) -> ModelError {
        ModelError::Failed(error.to_string())
    }
}

/// Trees behind an encoder.
pub(crate) struct TreeModel {
    entry: &'static dyn ModelEntry,
    spec: Spec,
    params: ForestValidParams,
    growing: Growing,
    pool: Arc<ThreadPool>,
    fitted: Option<(ClassicEncoder, Forest)>,
}

impl TreeModel {
    /// An unfitted model of `entry`.
    ///
    /// # Errors
    /// If the task is not supported, or no thread can be started.
    pub(crate) fn new(
        entry: &'static dyn ModelEntry,
        spec: &Spec,
        params: ForestValidParams,
        growing: Growing,
    ) -> Result<TreeModel, ModelError> {
        if let Support::No { reason } = entry.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(TreeModel { entry, spec: spec.clone(), params, growing, pool: spec.threads.pool()?, fitted: None })
    }

    /// Loads the fitted model of `entry` that was saved to this folder. `build` gives the parameters that follow from
    /// its spec.
    ///
    /// # Errors
    /// See [`ModelEntry::load`].
    pub(crate) fn load(
        entry: &'static dyn ModelEntry,
        (folder, threads, device): (&Path, Threads, Device),
        build: impl FnOnce(&Spec) -> Result<(ForestValidParams, Growing), ModelError>,
    ) -> Result<TreeModel, ModelError> {
        let (loaded, folders) = artefact::parts::load::<ClassicState>(folder, entry, threads, device)?;
        let Loaded { spec, state, mut arrays } = loaded;
        let encoder = ClassicEncoder::load(state, &folders, &spec, &mut arrays)?;
        let width = match spec.shape.target {
            TargetShape::Classes(classes) => classes,
            TargetShape::Value => 1,
        };
        let forest = Forest::load(encoder.width(), width, &mut arrays)?;
        let (params, growing) = build(&spec)?;
        if growing != Growing::Forest && forest.trees.len() != 1 {
            return Err(arrays.refused(format!("holds {} trees, expected one", forest.trees.len())));
        }
        arrays.finish()?;
        let pool = spec.threads.pool()?;
        Ok(TreeModel { entry, spec, params, growing, pool, fitted: Some((encoder, forest)) })
    }
}

impl Model for TreeModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fitted = None;
        let all = joined(train, validation);
        if all.is_empty() {
            return Err(ModelError::Failed("there is no training row".to_owned()));
        }
        let (encoder, features) =
            ClassicEncoder::fit(&self.spec, (train, validation, &all.inputs), Numbers::AsTheyAre, &self.pool, watch)?;
        if let Support::No { reason } = fits_in_memory(features.len(), features.width()) {
            return Err(ModelError::Unsupported(reason));
        }
        let rows = features.into_dense();
        let forest = match &all.targets {
            Targets::Classes { labels, names } => self.grow::<Gini>(&rows, labels, (names.len(), 1.0), watch)?,
            Targets::Values(values) => {
                let unit = TargetScale::fit(values).deviation.powi(2);
                self.grow::<Variance>(&rows, values, (1, unit), watch)?
            }
        };
        self.fitted = Some((encoder, forest));
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let Some((encoder, forest)) = &mut self.fitted else {
            return Err(ModelError::Failed("predict before fit".to_owned()));
        };
        let features = encoder.encode(inputs, &self.pool)?;
        let means = self.pool.install(|| forest.means(&features.into_dense()));
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
        artefact::parts::save(folder, self.entry, &self.spec, (state, &arrays), &encoder.parts())
    }

    fn footprint(&self) -> Footprint {
        // A tree compares numbers and never multiplies them.
        let own = |forest: &Forest| Footprint { parameters: forest.parameters(), ..Footprint::default() };
        self.fitted.as_ref().map_or_else(Footprint::default, |(encoder, forest)| encoder.footprint(own(forest)))
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|(encoder, _)| encoder.wordless(inputs))
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|(encoder, _)| encoder.truncated(inputs))
    }

    fn rules(&self, classes: &[String]) -> Option<String> {
        let (encoder, forest) = self.fitted.as_ref().filter(|_| self.growing != Growing::Forest)?;
        let target = self.spec.shape.target;
        Some(forest.rules(&encoder.feature_names(), |values| leaf(target, values, classes)))
    }

    fn reasons(&mut self, inputs: &Inputs, classes: &[String]) -> Result<Option<Vec<Reason>>, ModelError> {
        let Some((encoder, forest)) = self.fitted.as_mut().filter(|_| self.growing != Growing::Forest) else {
            return Ok(None);
        };
        let rows = encoder.encode(inputs, &self.pool)?.into_dense();
        let (names, target) = (encoder.feature_names(), self.spec.shape.target);
        let path = |row: ArrayView1<'_, f32>| {
            forest.path(&names, |feature| row[feature], |values| leaf(target, values, classes))
        };
        Ok(Some(rows.rows().into_iter().map(|row| Reason::Path(path(row))).collect()))
    }
}

/// The values of a leaf, in words.
fn leaf(target: TargetShape, values: &[f32], classes: &[String]) -> String {
    match target {
        TargetShape::Value => values[0].to_string(),
        TargetShape::Classes(_) => {
            let class = most_probable(values);
            let name = classes.get(class).map_or_else(|| format!("class {class}"), String::clone);
            format!("{name} ({:.2})", values[class])
        }
    }
}

impl TreeModel {
    /// Grows the trees. `width` is the number of values in a leaf, and `unit` the impurity for which alpha is meant.
    fn grow<C: Criterion>(
        &self,
        rows: &Array2<f32>,
        targets: &[C::Target],
        (width, unit): (usize, f64),
        watch: &mut dyn Watch,
    ) -> Result<Forest, ModelError> {
        let params = &self.params;
        let growth = self.pool.install(|| Growth::<C>::new(params, &rows.view(), targets, width))?;
        let trees = match self.growing {
            Growing::Forest => {
                let most = watch.spent().map_or(growth.trees(), |_| MOST_TREES as usize);
                parallel::map(&self.pool, most, watch, |index| growth.tree(index))
            }
            Growing::PrunedTree { alpha } => {
                let tree = match alpha {
                    Some(alpha) => growth.pruned_tree(&rows.view(), alpha * unit),
                    None => self.pool.install(|| growth.cross_validated_tree(&rows.view())),
                };
                watch.progress(1, 1);
                vec![tree]
            }
        };
        Ok(growth.forest(trees))
    }
}
