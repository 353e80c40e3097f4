//! Minimal cost-complexity pruning (Breiman et al. 1984, section 3.3).
//!
//! The cost of a node is its impurity times its share of the training rows. A branch is worth its leaves if they save
//! at least `alpha` of cost for each leaf more than one. Its effective alpha is that saving per leaf,
//! `(R(t) - R(T_t)) / (leaves(T_t) - 1)`. The branch with the smallest effective alpha, the weakest link, is cut first.
//! That changes the effective alpha of the nodes above it. The conventions are those of scikit-learn's `ccp_alpha`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ndarray::ArrayView2;

use super::criterion::Criterion;
use super::tree::{Decision, Tree};

/// A tree in full, and all that is needed to prune it.
pub(super) struct PrunableTree {
    tree: Tree,
    /// What each node predicts as a leaf, `nodes x width`.
    values: Vec<f32>,
    width: usize,
    links: Vec<WeakestLink>,
}

impl PrunableTree {
    /// Sends the training rows at the indices `sample` down a tree that was grown from them.
    pub(super) fn new<C: Criterion>(
        tree: Tree,
        rows: &ArrayView2<'_, f32>,
        targets: &[C::Target],
        sample: &[usize],
        width: usize,
    ) -> PrunableTree {
        let mut criterion = C::new(width);
        let (mut costs, mut values) = (Vec::with_capacity(tree.len()), Vec::with_capacity(tree.len() * width));
        let mut at_node = vec![Vec::new(); tree.len()];
        at_node[0] = sample.to_vec();
        for node in 0..tree.len() {
            let own = std::mem::take(&mut at_node[node]);
            let weighted: Vec<(C::Target, u32)> = own.iter().map(|&row| (targets[row], 1)).collect();
            criterion.enter(&weighted);
            costs.push(criterion.cost(&weighted) / sample.len() as f64);
            criterion.write_leaf(&mut values);
            if let Some(Decision { feature, threshold, left }) = tree.decision(node) {
                (at_node[left], at_node[left + 1]) =
                    own.into_iter().partition(|&row| rows[[row, feature]] <= threshold);
            }
        }
        let children: Vec<Option<usize>> =
            (0..tree.len()).map(|node| tree.decision(node).map(|decision| decision.left)).collect();
        let links = weakest_links(&children, &costs);
        PrunableTree { tree, values, width, links }
    }

    /// The smallest subtree among those with the least cost plus `alpha` for each leaf. The whole tree if `alpha` is zero.
    pub(super) fn pruned(&self, alpha: f64) -> Tree {
        let mut is_cut = vec![false; self.tree.len()];
        if alpha > 0.0 {
            self.links.iter().take_while(|link| link.alpha <= alpha).for_each(|link| is_cut[link.node] = true);
        }
        self.tree.cut(|node| is_cut[node].then(|| &self.values[node * self.width..][..self.width]))
    }

    /// At most `most` different alphas in ascending order, for as many different subtrees: from zero, for the whole tree, to
    /// infinity, for the root alone. Each is the geometric mean of the alphas between which its subtree is the best one
    /// (Breiman et al. 1984, section 3.4.2).
    pub(super) fn alphas(&self, most: usize) -> Vec<f64> {
        let mut ends: Vec<f64> = self.links.iter().map(|link| link.alpha).collect();
        ends.dedup_by(|alpha, before| *alpha - *before < 1e-12);
        let between = ends.windows(2).map(|pair| (pair[0] * pair[1]).sqrt());
        let all: Vec<f64> = std::iter::once(0.0).chain(between).chain([f64::INFINITY]).collect();
        let steps = most.min(all.len()) - 1;
        (0..=steps).map(|step| all[step * (all.len() - 1) / steps]).collect()
    }
}

/// A branch that is cut when alpha reaches its effective alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
struct WeakestLink {
    node: usize,
    alpha: f64,
}

/// The branches in the order in which a growing alpha cuts them, the root last. `children` has the left child of each
/// decision, which its right child follows; children come after their parents. `costs` are those of the nodes as leaves.
fn weakest_links(children: &[Option<usize>], costs: &[f64]) -> Vec<WeakestLink> {
    let nodes = children.len();
    let mut parents = vec![None; nodes];
    for (node, left) in children.iter().enumerate() {
        if let Some(left) = *left {
            parents[left] = Some(node);
            parents[left + 1] = Some(node);
        }
    }
    // The cost and the leaves of each branch, as far as it is not yet cut.
    let (mut branch, mut leaves) = (costs.to_vec(), vec![1_usize; nodes]);
    for node in (0..nodes).rev() {
        if let Some(left) = children[node] {
            branch[node] = branch[left] + branch[left + 1];
            leaves[node] = leaves[left] + leaves[left + 1];
        }
    }
    let effective =
        |node: usize, branch: &[f64], leaves: &[usize]| (costs[node] - branch[node]) / (leaves[node] - 1) as f64;
    let mut weakest: BinaryHeap<Reverse<Candidate>> = (0..nodes)
        .filter(|&node| children[node].is_some())
        .map(|node| Reverse(Candidate { alpha: effective(node, &branch, &leaves), node, leaves: leaves[node] }))
        .collect();
    let mut is_below_a_cut = vec![false; nodes];
    let mut links = Vec::new();
    let mut alpha = 0.0_f64;
    while let Some(Reverse(candidate)) = weakest.pop() {
        let node = candidate.node;
        // Entries of branches that have changed since are out of date. Their number of leaves tells.
        if is_below_a_cut[node] || leaves[node] == 1 || candidate.leaves != leaves[node] {
            continue;
        }
        // It cannot fall but for rounding.
        alpha = alpha.max(candidate.alpha);
        links.push(WeakestLink { node, alpha });
        (branch[node], leaves[node]) = (costs[node], 1);
        let mut below: Vec<usize> = children[node].into_iter().flat_map(|left| [left, left + 1]).collect();
        while let Some(child) = below.pop() {
            if !std::mem::replace(&mut is_below_a_cut[child], true) {
                below.extend(children[child].into_iter().flat_map(|left| [left, left + 1]));
            }
        }
        let mut above = parents[node];
        while let Some(node) = above {
            if let Some(left) = children[node] {
                branch[node] = branch[left] + branch[left + 1];
                leaves[node] = leaves[left] + leaves[left + 1];
            }
            let alpha = effective(node, &branch, &leaves);
            weakest.push(Reverse(Candidate { alpha, node, leaves: leaves[node] }));
            above = parents[node];
        }
    }
    links
}

/// A branch with its effective alpha at the time when it had so many leaves.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    alpha: f64,
    node: usize,
    leaves: usize,
}

impl Ord for Candidate {
    /// By effective alpha. Of equal ones, the node nearer to the root is the smaller one: cutting it cuts the other too.
    fn cmp(&self, other: &Candidate) -> std::cmp::Ordering {
        self.alpha.total_cmp(&other.alpha).then(self.node.cmp(&other.node)).then(self.leaves.cmp(&other.leaves))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    //! Compares with scikit-learn's trees; scripts/make-fixtures/classic.py grew and pruned them. No feature of its rows
    //! has more than 256 values, so that each value has a bin of its own and both sides try the same splits.

    use linfa::ParamGuard;
    use ndarray::{Array2, Axis};
    use serde_json::Value;

    use super::super::{ForestParams, ForestValidParams, Gini, Growth, MaxFeatures, Variance, most_probable};
    use super::*;

    const SEEDS: u64 = 50;

    fn fixture(name: &str) -> Value {
        let text = match name {
            "digits" => include_str!("../../tests/fixtures/digits.json"),
            "diabetes" => include_str!("../../tests/fixtures/diabetes.json"),
            _ => include_str!("../../tests/fixtures/trees.json"),
        };
        serde_json::from_str(text).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    fn rows(value: &Value) -> Array2<f32> {
        let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column] as f32)
    }

    fn params(fewest: usize, seed: u64) -> ForestValidParams {
        let params = ForestParams::default().max_features(MaxFeatures::Share(1.0)).min_samples_leaf(fewest).seed(seed);
        params.check().unwrap()
    }

    fn leaves(tree: &Tree) -> f64 {
        tree.len().div_ceil(2) as f64
    }

    fn predictions<'a>(tree: &'a Tree, rows: &Array2<f32>) -> Vec<&'a [f32]> {
        rows.axis_iter(Axis(0)).map(|row| tree.predict([row.to_slice().unwrap()])[0]).collect()
    }

    /// The impurity of the leaves of a tree in which some branches are cut.
    fn impurity(children: &[Option<usize>], costs: &[f64], is_cut: &[bool]) -> f64 {
        let mut open = vec![0];
        let mut sum = 0.0;
        while let Some(node) = open.pop() {
            match children[node].filter(|_| !is_cut[node]) {
                Some(left) => open.extend([left, left + 1]),
                None => sum += costs[node],
            }
        }
        sum
    }

    #[test]
    fn the_weakest_links_of_scikit_learns_tree_are_cut_at_its_alphas_and_leave_its_impurities() {
        let shape = &fixture("trees")["digits_shape"];
        let left = shape["left"].as_array().unwrap().iter();
        let children: Vec<Option<usize>> = left.map(|left| left.as_u64().map(|left| left as usize)).collect();
        let costs = numbers(&shape["costs"]);
        let mut is_cut = vec![false; children.len()];
        let mut ours: Vec<[f64; 2]> = Vec::new();
        for link in weakest_links(&children, &costs) {
            is_cut[link.node] = true;
            ours.pop_if(|[alpha, _]| link.alpha - *alpha < 1e-9);
            ours.push([link.alpha, impurity(&children, &costs, &is_cut)]);
        }
        let theirs: Vec<Vec<f64>> = shape["steps"].as_array().unwrap().iter().map(numbers).collect();
        assert!(theirs.len() > 30 && ours.len() == theirs.len(), "{} steps, not {}", ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours[0] - theirs[0]).abs() < 1e-9 && (ours[1] - theirs[1]).abs() < 1e-9, "{ours:?}, {theirs:?}");
        }
    }

    /// Panics unless the means over as many seeds agree to four standard errors of their difference and this much more. Scores of
    /// test rows need more, because a threshold between the same two values may be another one.
    #[track_caller]
    fn assert_alike(what: &str, case: &Value, name: &str, ours: f64, more: f64) {
        let (theirs, deviation) = (case[name].as_f64().unwrap(), case[format!("{name}_deviation")].as_f64().unwrap());
        assert_eq!(case["seeds"].as_u64(), Some(SEEDS));
        let most = 4.0 * deviation * (2.0 / SEEDS as f64).sqrt() + more + 1e-9;
        assert!((ours - theirs).abs() <= most, "{what}: {name} is {ours}, not within {most} of {theirs}");
    }

    #[test]
    fn pruned_trees_on_digits_have_scikit_learns_accuracy_and_leaves() {
        let digits = fixture("digits");
        let labels = |part: &str| numbers(&digits[part]["labels"]).into_iter().map(|v| v as u16).collect::<Vec<_>>();
        let (train, labels, test, wanted) =
            (rows(&digits["train"]["rows"]), labels("train"), rows(&digits["test"]["rows"]), labels("test"));
        for case in fixture("trees")["digits"].as_array().unwrap() {
            let alpha = case["alpha"].as_f64().unwrap();
            let (mut accuracy, mut count) = (0.0, 0.0);
            for seed in 0..SEEDS {
                let params = params(1, seed);
                let growth = Growth::<Gini>::new(&params, &train.view(), &labels, 10).unwrap();
                let tree = growth.pruned_tree(&train.view(), alpha);
                let found = predictions(&tree, &test).into_iter().map(|leaf| most_probable(leaf) as u16);
                let right = found.zip(&wanted).filter(|(found, wanted)| found == *wanted).count();
                accuracy += right as f64 / wanted.len() as f64 / SEEDS as f64;
                count += leaves(&tree) / SEEDS as f64;
            }
            assert_alike(&format!("alpha {alpha}"), case, "accuracy", accuracy, 0.01);
            assert_alike(&format!("alpha {alpha}"), case, "leaves", count, 0.0);
        }
    }

    #[test]
    fn pruned_trees_on_diabetes_have_scikit_learns_errors_and_leaves() {
        let diabetes = fixture("diabetes");
        let values = |part: &str| numbers(&diabetes[part]["values"]).into_iter().map(|v| v as f32).collect::<Vec<_>>();
        let (train, values, test, wanted) =
            (rows(&diabetes["train"]["rows"]), values("train"), rows(&diabetes["test"]["rows"]), values("test"));
        for case in fixture("trees")["diabetes"].as_array().unwrap() {
            let alpha = case["alpha"].as_f64().unwrap();
            let (mut mse, mut train_mse) = (0.0, 0.0);
            for seed in 0..SEEDS {
                let params = params(case["min_samples_leaf"].as_u64().unwrap() as usize, seed);
                let growth = Growth::<Variance>::new(&params, &train.view(), &values, 1).unwrap();
                let tree = growth.pruned_tree(&train.view(), alpha);
                let error = |rows: &Array2<f32>, wanted: &[f32]| {
                    let squares = predictions(&tree, rows).into_iter().zip(wanted);
                    squares.map(|(leaf, wanted)| f64::from(leaf[0] - wanted).powi(2)).sum::<f64>() / wanted.len() as f64
                };
                mse += error(&test, &wanted) / SEEDS as f64;
                train_mse += error(&train, &values) / SEEDS as f64;
                assert!(numbers(&case["leaves"]).contains(&leaves(&tree)), "alpha {alpha}: {} leaves", leaves(&tree));
            }
            assert_alike(&format!("alpha {alpha}"), case, "train_mse", train_mse, 0.01);
            assert_alike(&format!("alpha {alpha}"), case, "mse", mse, 0.03 * mse);
        }
    }

    #[test]
    fn an_alpha_of_zero_cuts_nothing_and_a_large_one_leaves_the_root() {
        // No single split of exclusive or saves anything.
        let rows = ndarray::array![[0.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let (params, labels) = (params(1, 1), [0, 1, 1, 0]);
        let growth = Growth::<Gini>::new(&params, &rows.view(), &labels, 2).unwrap();
        let tree = |alpha| growth.pruned_tree(&rows.view(), alpha);
        assert_eq!([0.0, 0.16, 0.17].map(|alpha| leaves(&tree(alpha))), [4.0, 4.0, 1.0], "a third of 0.5 is saved");
        assert_eq!(tree(1.0).predict([&[0.0, 0.0]])[0], [0.5, 0.5]);
    }

    /// A scrambled number below 1,000 (SplitMix64, Steele et al. 2014).
    fn chance(seed: usize) -> usize {
        let mut z = (seed as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % 1000) as usize
    }

    #[test]
    fn cross_validation_keeps_what_holds_for_other_rows_and_cuts_what_is_chance() {
        let rows = Array2::from_shape_fn((400, 4), |(row, column)| (chance(row + 1000 * column) % 200) as f32);
        let params = params(1, 1);
        // The first feature says it all, but for a tenth of the labels.
        let is_high = |row: usize| rows[[row, 0]] > 99.0;
        let labels: Vec<u16> =
            (0..400).map(|row| u16::from(is_high(row) != chance(row + 50_000).is_multiple_of(10))).collect();
        let growth = Growth::<Gini>::new(&params, &rows.view(), &labels, 2).unwrap();
        let (whole, tree) = (growth.pruned_tree(&rows.view(), 0.0), growth.cross_validated_tree(&rows.view()));
        assert!(
            leaves(&tree) >= 2.0 && leaves(&tree) < leaves(&whole) / 2.0,
            "{} of {}",
            leaves(&tree),
            leaves(&whole)
        );
        let agrees = |row: &usize| (most_probable(tree.leaf_of(|feature| rows[[*row, feature]])) == 1) == is_high(*row);
        assert!((0..400).filter(agrees).count() > 360);
        // Nothing says anything about these numbers.
        let values: Vec<f32> = (0..400).map(|row| chance(row + 90_000) as f32).collect();
        let growth = Growth::<Variance>::new(&params, &rows.view(), &values, 1).unwrap();
        let (whole, tree) = (growth.pruned_tree(&rows.view(), 0.0), growth.cross_validated_tree(&rows.view()));
        assert!(leaves(&tree) < leaves(&whole) / 5.0, "{} of {}", leaves(&tree), leaves(&whole));
    }

    #[test]
    fn one_row_and_one_class_can_be_cross_validated() {
        let rows = ndarray::array![[1.0_f32]];
        let params = params(1, 1);
        let growth = Growth::<Gini>::new(&params, &rows.view(), &[0], 1).unwrap();
        assert_eq!(leaves(&growth.cross_validated_tree(&rows.view())), 1.0);
    }
}
