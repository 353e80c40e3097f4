//! A random forest (Breiman 2001) behind linfa's traits. Each tree learns from a bootstrap sample, each node draws
//! features anew, values are binned, and the trees are grown in parallel. The same seed grows the same forest on any
//! number of threads. A single tree learns from all rows, tries all features at each node, and can be pruned and
//! printed.

mod bins;
mod criterion;
pub(crate) mod model;
mod params;
mod pruning;
mod rules;
mod tree;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Axis, Data, Ix2};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use bins::Bins;
pub(crate) use criterion::{Criterion, Gini, Variance};
pub use params::{ForestError, ForestParams, ForestValidParams, MaxFeatures};
use pruning::PrunableTree;
use tree::{Grower, MOST_ROWS, Tree, TreeNumbers};

use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// How many rows one task predicts. They all go down one tree before the next, so that the tree stays in the cache.
const ROWS_PER_TASK: usize = 64;
/// How many rows go down a tree at the same time.
const ROWS_PER_GROUP: usize = 8;

/// A forest to be grown. Its trees can be grown in any order.
pub(crate) struct Growth<'a, C: Criterion> {
    bins: Bins,
    targets: &'a [C::Target],
    params: &'a ForestValidParams,
    /// The number of values in a leaf: the number of classes, or one for numbers.
    width: usize,
}

impl<'a, C: Criterion> Growth<'a, C> {
    /// Bins the values of `N x features` rows. `width` is the number of classes, or one for numbers.
    pub(crate) fn new(
        params: &'a ForestValidParams,
        rows: &ArrayView2<'_, f32>,
        targets: &'a [C::Target],
        width: usize,
    ) -> Result<Self, ForestError> {
        if rows.is_empty() || rows.nrows() > MOST_ROWS {
            return Err(ForestError::Size { rows: rows.nrows(), features: rows.ncols(), most: MOST_ROWS });
        }
        if targets.len() != rows.nrows() {
            return Err(ForestError::Targets { rows: rows.nrows(), targets: targets.len() });
        }
        if let Some(row) = rows.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite())) {
            return Err(ForestError::NotFinite { what: "a feature", row });
        }
        Ok(Growth { bins: Bins::new(rows, params.max_bins), targets, params, width })
    }

    /// How many trees the forest shall have.
    pub(crate) fn trees(&self) -> usize {
        self.params.trees
    }

    /// Grows tree `index`. Its random choices depend on the seed and this number only.
    pub(crate) fn tree(&self, index: usize) -> Tree {
        let mut rng = ChaCha8Rng::seed_from_u64(self.params.seed);
        rng.set_stream(index as u64);
        // A bootstrap sample of as many rows as there are.
        let mut draws = vec![0; self.bins.rows()];
        for _ in 0..draws.len() {
            draws[rng.random_range(0..self.bins.rows())] += 1;
        }
        self.grow(&draws, &mut rng)
    }

    /// Grows one tree from all `rows`, and prunes it. See [`pruning`].
    pub(crate) fn pruned_tree(&self, rows: &ArrayView2<'_, f32>, alpha: f64) -> Tree {
        self.prunable_tree(rows, |_| true).pruned(alpha)
    }

    /// The same with the alpha under which trees that are grown without a fold of the rows have the smallest error on it,
    /// summed over all folds. Of equal ones, the largest alpha.
    pub(crate) fn cross_validated_tree(&self, rows: &ArrayView2<'_, f32>) -> Tree {
        /// As many as Breiman et al. 1984 (section 3.4.2) advise at the least.
        const FOLDS: usize = 5;
        /// A large tree has thousands of subtrees.
        const MOST_ALPHAS: usize = 50;
        let mut order: Vec<usize> = (0..rows.nrows()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.params.seed);
        rng.set_stream(1);
        order.shuffle(&mut rng);
        let mut fold_of = vec![0; rows.nrows()];
        (0..).zip(&order).for_each(|(place, &row)| fold_of[row] = place % FOLDS);
        let whole = self.prunable_tree(rows, |_| true);
        let alphas = whole.alphas(MOST_ALPHAS);
        let errors = |fold: usize| -> Vec<f64> {
            let held: Vec<usize> = (0..rows.nrows()).filter(|&row| fold_of[row] == fold).collect();
            if held.is_empty() || held.len() == rows.nrows() {
                return vec![0.0; alphas.len()];
            }
            let tree = self.prunable_tree(rows, |row| fold_of[row] != fold);
            let error = |alpha: &f64| {
                let tree = tree.pruned(*alpha);
                let leaf = |row: usize| tree.leaf_of(|feature| rows[[row, feature]]);
                held.iter().map(|&row| C::error(leaf(row), self.targets[row])).sum()
            };
            alphas.iter().map(error).collect()
        };
        let errors: Vec<Vec<f64>> = (0..FOLDS).into_par_iter().map(errors).collect();
        let total = |index: usize| errors.iter().map(|errors| errors[index]).sum::<f64>();
        let best = (0..alphas.len()).rev().min_by(|&a, &b| total(a).total_cmp(&total(b)));
        whole.pruned(best.map_or(0.0, |best| alphas[best]))
    }

    /// Grows one tree from those rows that `is_used` names. The seed decides only among splits that are worth the same.
    fn prunable_tree(&self, rows: &ArrayView2<'_, f32>, is_used: impl Fn(usize) -> bool) -> PrunableTree {
        let sample: Vec<usize> = (0..self.bins.rows()).filter(|&row| is_used(row)).collect();
        let mut draws = vec![0; self.bins.rows()];
        sample.iter().for_each(|&row| draws[row] = 1);
        let tree = self.grow(&draws, &mut ChaCha8Rng::seed_from_u64(self.params.seed));
        PrunableTree::new::<C>(tree, rows, self.targets, &sample, self.width)
    }

    fn grow(&self, draws: &[u32], rng: &mut ChaCha8Rng) -> Tree {
        Grower::new(&self.bins, self.targets, self.params, C::new(self.width), draws).grow(rng)
    }

    /// Makes the forest of these trees.
    pub(crate) fn forest(&self, trees: Vec<Tree>) -> Forest {
        Forest { trees, features: self.bins.features(), width: self.width }
    }

    fn grow_all(&self) -> Forest {
        self.forest((0..self.trees()).into_par_iter().map(|index| self.tree(index)).collect())
    }
}

/// A fitted forest. It predicts the mean of the leaf values over its trees.
#[derive(Debug, Clone)]
pub struct Forest {
    trees: Vec<Tree>,
    features: usize,
    width: usize,
}

impl Forest {
    /// The mean over all trees for each of `N x features` rows: class probabilities (`N x classes`), or one number.
    ///
    /// # Panics
    /// If the rows have another number of features than the training rows.
    pub fn means<D: Data<Elem = f32> + Sync>(&self, rows: &ArrayBase<D, Ix2>) -> Array2<f32> {
        assert_eq!(rows.ncols(), self.features, "a forest predicts rows of as many features as it was grown on");
        let rows = rows.as_standard_layout();
        let mut means = Array2::zeros((rows.nrows(), self.width));
        means
            .axis_chunks_iter_mut(Axis(0), ROWS_PER_TASK)
            .into_par_iter()
            .zip(rows.axis_chunks_iter(Axis(0), ROWS_PER_TASK))
            .for_each(|(mut means, rows)| {
                let rows = rows.rows().into_iter().map(|row| row.to_slice().expect("the rows are in standard layout"));
                let rows: Vec<&[f32]> = rows.collect();
                let (groups, rest) = rows.as_chunks::<ROWS_PER_GROUP>();
                let mut sums = vec![0.0_f64; rows.len() * self.width];
                let add = |(leaf, sum): (&[f32], &mut [f64])| {
                    sum.iter_mut().zip(leaf).for_each(|(sum, &value)| *sum += f64::from(value));
                };
                for tree in &self.trees {
                    let mut sums = sums.chunks_exact_mut(self.width);
                    for &group in groups {
                        tree.predict(group).into_iter().zip(sums.by_ref()).for_each(add);
                    }
                    for &row in rest {
                        tree.predict([row]).into_iter().zip(sums.by_ref()).for_each(add);
                    }
                }
                let sums = sums.iter().map(|sum| (sum / self.trees.len() as f64) as f32);
                means.iter_mut().zip(sums).for_each(|(mean, value)| *mean = value);
            });
        means
    }

    /// Adds all learned arrays.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) {
        let mut all = TreeNumbers::default();
        self.trees.iter().for_each(|tree| tree.save(&mut all));
        arrays.add("trees.nodes", &[all.nodes.len()], all.nodes);
        arrays.add("trees.leaves", &[all.leaves.len()], all.leaves);
        arrays.add("nodes.feature", &[all.features.len()], all.features);
        arrays.add("nodes.threshold", &[all.thresholds.len()], all.thresholds);
        arrays.add("nodes.next", &[all.next.len()], all.next);
        arrays.add("leaves", &[all.values.len()], all.values);
    }

    /// Takes the arrays that [`Forest::save`] added for a forest over `features` features with `width` values per leaf.
    ///
    /// # Errors
    /// If the arrays are not those of such a forest.
    pub(crate) fn load(features: usize, width: usize, arrays: &mut ArraysIn) -> Result<Forest, ModelError> {
        let nodes: Vec<u32> = arrays.take_list("trees.nodes")?;
        let leaves: Vec<u32> = arrays.take("trees.leaves", &[nodes.len()])?;
        let feature: Vec<u32> = arrays.take_list("nodes.feature")?;
        let count = feature.len();
        let threshold: Vec<f32> = arrays.take("nodes.threshold", &[count])?;
        let next: Vec<u32> = arrays.take("nodes.next", &[count])?;
        let values: Vec<f32> = arrays.take_list("leaves")?;
        let (mut node, mut leaf) = (0, 0);
        let mut trees = Vec::new();
        for (nodes, leaves) in nodes.into_iter().zip(leaves) {
            let (own, own_values) = (node..node + nodes as usize, leaf..leaf + leaves as usize);
            (node, leaf) = (own.end, own_values.end);
            let tree = (own.end <= count && own_values.end <= values.len()).then(|| {
                let nodes = own.map(|place| (feature[place], threshold[place], next[place]));
                Tree::load(nodes, &values[own_values], features, width)
            });
            let tree = tree
                .flatten()
                .ok_or_else(|| arrays.refused(format!("tree {} has an index outside itself", trees.len())))?;
            trees.push(tree);
        }
        if trees.is_empty() || node != count || leaf != values.len() {
            return Err(arrays.refused("the trees have other nodes and leaves than they say, or there is none"));
        }
        Ok(Forest { trees, features, width })
    }

    /// The first tree as rules. `features` are the names of the features, and `leaf` describes the values of a leaf.
    pub(crate) fn rules(&self, features: &[String], leaf: impl Fn(&[f32]) -> String) -> String {
        rules::rules(&self.trees[0], features, leaf)
    }

    /// How a row goes down the first tree. `value` gives its value of a feature; the rest is as for [`Forest::rules`].
    pub(crate) fn path(
        &self,
        features: &[String],
        value: impl Fn(usize) -> f32,
        leaf: impl Fn(&[f32]) -> String,
    ) -> Vec<String> {
        rules::path(&self.trees[0], features, value, leaf)
    }

    /// How many numbers were learned: a feature and a threshold for each decision, and the leaf values.
    pub fn parameters(&self) -> u64 {
        self.trees.iter().map(|tree| tree.parameters() as u64).sum()
    }
}

/// A forest that predicts the most probable class.
#[derive(Debug, Clone)]
pub struct ForestClassifier(pub Forest);

/// A forest that predicts a number.
#[derive(Debug, Clone)]
pub struct ForestRegressor(pub Forest);

impl<D: Data<Elem = f32>> Fit<ArrayBase<D, Ix2>, Array1<usize>, ForestError> for ForestValidParams {
    type Object = ForestClassifier;

    /// Classes are numbered from zero. Their number is the largest label plus one.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Array1<usize>>) -> Result<ForestClassifier, ForestError> {
        let labels = dataset
            .targets()
            .iter()
            .map(|&label| u16::try_from(label).map_err(|_| ForestError::Class { label }))
            .collect::<Result<Vec<u16>, ForestError>>()?;
        let classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let growth = Growth::<Gini>::new(self, &dataset.records().view(), &labels, classes)?;
        Ok(ForestClassifier(growth.grow_all()))
    }
}

impl<D: Data<Elem = f32>> Fit<ArrayBase<D, Ix2>, Array1<f32>, ForestError> for ForestValidParams {
    type Object = ForestRegressor;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Array1<f32>>) -> Result<ForestRegressor, ForestError> {
        let values = dataset.targets().to_vec();
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(ForestError::NotFinite { what: "the target", row });
        }
        let growth = Growth::<Variance>::new(self, &dataset.records().view(), &values, 1)?;
        Ok(ForestRegressor(growth.grow_all()))
    }
}

impl<D: Data<Elem = f32> + Sync> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for ForestClassifier {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        for (label, probabilities) in labels.iter_mut().zip(self.0.means(rows).rows()) {
            *label = most_probable(probabilities.as_slice().expect("a new array is contiguous"));
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}

impl<D: Data<Elem = f32> + Sync> PredictInplace<ArrayBase<D, Ix2>, Array1<f32>> for ForestRegressor {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, values: &mut Array1<f32>) {
        values.assign(&self.0.means(rows).column(0));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f32> {
        Array1::zeros(rows.nrows())
    }
}

/// The class with the largest probability. If several are equal, the first of them.
pub(crate) fn most_probable(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (class, &probability) in probabilities.iter().enumerate() {
        if probability > probabilities[best] {
            best = class;
        }
    }
    best
}
