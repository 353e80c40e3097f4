//! One tree. It is grown on binned rows and predicts from plain numbers.

use rand::{Rng, RngExt};

use super::bins::Bins;
use super::criterion::Criterion;
use super::params::ForestValidParams;

/// Fewer rows than this are sorted by comparison, which is faster for so few than counting them into 256 bins.
const MIN_ROWS_TO_COUNT: usize = 48;
/// Looking up the bin of one row in a column takes as long as reading this many entries of a list in order.
const LIST_READS_PER_LOOKUP: usize = 8;
/// The feature number that marks a leaf.
const LEAF: u32 = u32::MAX;

/// A decision or a leaf. It has twelve bytes, so that five fit into a cache line.
#[derive(Debug, Clone, Copy)]
struct Node {
    feature: u32,
    /// A row goes left if its value is at most this threshold.
    threshold: f32,
    /// For a decision, the index of the left child; the right child follows it. For a leaf, the index of its first
    /// value.
    next: u32,
}

/// The decision of a node that is not a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    /// The feature that decides.
    pub(super) feature: usize,
    /// A row goes left if its value is at most this threshold.
    pub(super) threshold: f32,
    /// The index of the left child. The right child follows it.
    pub(super) left: usize,
}

/// A fitted tree.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    leaves: Vec<f32>,
    width: usize,
}

impl Tree {
    /// The leaf values for each row. The rows go down the tree together, so that while one waits for memory the others
    /// proceed.
    pub(super) fn predict<'a, const N: usize>(&'a self, rows: [&[f32]; N]) -> [&'a [f32]; N] {
        let mut places = [0; N];
        let mut moved = true;
        while moved {
            moved = false;
            for (place, row) in places.iter_mut().zip(rows) {
                let Node { feature, threshold, next } = self.nodes[*place];
                if feature != LEAF {
                    *place = next as usize + usize::from(row[feature as usize] > threshold);
                    moved = true;
                }
            }
        }
        places.map(|place| self.leaf(place))
    }

    /// The number of nodes, leaves included. The root is node 0, and every child comes after its parent.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The decision of a node. `None` for a leaf.
    pub(super) fn decision(&self, node: usize) -> Option<Decision> {
        let Node { feature, threshold, next } = self.nodes[node];
        (feature != LEAF).then_some(Decision { feature: feature as usize, threshold, left: next as usize })
    }

    /// The values of a leaf.
    pub(super) fn leaf(&self, node: usize) -> &[f32] {
        &self.leaves[self.nodes[node].next as usize..][..self.width]
    }

    /// The values of the leaf that a row reaches. `value` gives its value of a feature.
    pub(super) fn leaf_of(&self, value: impl Fn(usize) -> f32) -> &[f32] {
        let mut node = 0;
        while let Some(Decision { feature, threshold, left }) = self.decision(node) {
            node = left + usize::from(value(feature) > threshold);
        }
        self.leaf(node)
    }

    /// The same tree, in which the nodes for which `values` gives values are leaves with these values.
    pub(super) fn cut<'a>(&'a self, values: impl Fn(usize) -> Option<&'a [f32]>) -> Tree {
        let leaf = Node { feature: LEAF, threshold: 0.0, next: 0 };
        let mut tree = Tree { nodes: vec![leaf], leaves: Vec::new(), width: self.width };
        // Places in this tree and in the new one.
        let mut open = vec![(0, 0)];
        while let Some((old, new)) = open.pop() {
            match (values(old), self.decision(old)) {
                (None, Some(Decision { left, .. })) => {
                    let next = tree.nodes.len();
                    tree.nodes.extend([leaf, leaf]);
                    tree.nodes[new] = Node { next: next as u32, ..self.nodes[old] };
                    open.extend([(left + 1, next + 1), (left, next)]);
                }
                (cut, _) => {
                    tree.nodes[new].next = tree.leaves.len() as u32;
                    tree.leaves.extend_from_slice(cut.unwrap_or_else(|| self.leaf(old)));
                }
            }
        }
        tree
    }

    /// Appends the tree's numbers to those of other trees.
    pub(super) fn save(&self, all: &mut TreeNumbers) {
        all.nodes.push(u32::try_from(self.nodes.len()).expect("places are numbered by 32 bits"));
        all.leaves.push(u32::try_from(self.leaves.len()).expect("places are numbered by 32 bits"));
        all.features.extend(self.nodes.iter().map(|node| node.feature));
        all.thresholds.extend(self.nodes.iter().map(|node| node.threshold));
        all.next.extend(self.nodes.iter().map(|node| node.next));
        all.values.extend_from_slice(&self.leaves);
    }

    /// Builds a tree over `features` features from nodes (feature, threshold and next) and leaf values. A leaf has
    /// `width` values. `None` if an index is outside the tree, or if a prediction might not end.
    pub(super) fn load(
        nodes: impl Iterator<Item = (u32, f32, u32)>,
        leaves: &[f32],
        features: usize,
        width: usize,
    ) -> Option<Tree> {
        let nodes: Vec<Node> = nodes.map(|(feature, threshold, next)| Node { feature, threshold, next }).collect();
        let is_valid = |(place, node): (usize, &Node)| {
            let next = node.next as usize;
            if node.feature == LEAF {
                next.checked_add(width).is_some_and(|end| end <= leaves.len())
            } else {
                // Every child comes after its parent, so that a prediction cannot go in a circle.
                (node.feature as usize) < features && next > place && next + 1 < nodes.len()
            }
        };
        let sound = !nodes.is_empty() && nodes.iter().enumerate().all(is_valid);
        sound.then(|| Tree { leaves: leaves.to_vec(), width, nodes })
    }

    /// The number of learned numbers: two for each decision (a feature and a threshold), and the leaf values.
    pub(super) fn parameters(&self) -> usize {
        let decisions = self.nodes.iter().filter(|node| node.feature != LEAF).count();
        2 * decisions + self.leaves.len()
    }
}

/// The numbers of all trees of a forest.
#[derive(Debug, Default)]
pub(super) struct TreeNumbers {
    /// How many nodes each tree has.
    pub(super) nodes: Vec<u32>,
    /// How many leaf values each tree has.
    pub(super) leaves: Vec<u32>,
    /// The feature of each node; see [`Node`].
    pub(super) features: Vec<u32>,
    /// The threshold of each node.
    pub(super) thresholds: Vec<f32>,
    /// For each node, the index of its left child or, for a leaf, of its first value.
    pub(super) next: Vec<u32>,
    /// The values of all leaves.
    pub(super) values: Vec<f32>,
}

/// A node still to be grown: its place in the tree, and its range of rows.
struct OpenNode {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
}

/// The best split of a node.
struct NodeSplit {
    feature: usize,
    bin: u8,
}

/// The state of growing one tree. The buffers are reused from node to node.
pub(super) struct Grower<'a, C: Criterion> {
    bins: &'a Bins,
    params: &'a ForestValidParams,
    tries: usize,
    criterion: C,
    /// The distinct rows of the sample. Each node owns a range of them.
    rows: Vec<u32>,
    /// For each training row, its index in `rows`. A row that was not drawn has an index past the end.
    places: Vec<u32>,
    /// For each entry of `rows`, the target and how often the row was drawn.
    targets: Vec<(C::Target, u32)>,
    /// All features. Those that are tried at a node are swapped to the front.
    features: Vec<u32>,
    /// The rows of the present node (see [`key`]), sorted by bin.
    keys: Vec<u32>,
    spare: Vec<u32>,
}

/// The largest number of distinct rows of a tree: a row's place and its bin share one 32-bit word.
pub(super) const MOST_ROWS: usize = 1 << 24;

impl<'a, C: Criterion> Grower<'a, C> {
    /// Prepares to grow a tree from the rows of a sample. `draws` says how often each row was drawn.
    pub(super) fn new(
        bins: &'a Bins,
        targets: &[C::Target],
        params: &'a ForestValidParams,
        criterion: C,
        draws: &[u32],
    ) -> Self {
        let rows: Vec<u32> = (0..).zip(draws).filter(|(_, draws)| **draws > 0).map(|(row, _)| row).collect();
        let mut places = vec![u32::MAX; bins.rows()];
        (0..).zip(&rows).for_each(|(place, &row)| places[row as usize] = place);
        let targets: Vec<_> = rows.iter().map(|&row| (targets[row as usize], draws[row as usize])).collect();
        Grower {
            bins,
            params,
            tries: params.max_features.of(bins.features()),
            criterion,
            features: (0..).take(bins.features()).collect(),
            keys: vec![0; rows.len()],
            spare: vec![0; rows.len()],
            rows,
            places,
            targets,
        }
    }

    /// Grows the tree, depth first.
    pub(super) fn grow(mut self, rng: &mut impl Rng) -> Tree {
        let leaf = Node { feature: LEAF, threshold: 0.0, next: 0 };
        let mut tree = Tree { nodes: vec![leaf], leaves: Vec::new(), width: self.criterion.width() };
        let mut open = vec![OpenNode { node: 0, start: 0, end: self.rows.len(), depth: 0 }];
        while let Some(OpenNode { node, start, end, depth }) = open.pop() {
            self.criterion.enter(&self.targets[start..end]);
            let may_split = end - start >= 2 * self.params.min_samples_leaf
                && self.params.max_depth.is_none_or(|most| depth < most)
                && !self.criterion.is_pure();
            if let Some(split) = may_split.then(|| self.best_split(start, end, rng)).flatten() {
                let middle = self.partition(start, end, &split);
                let left = tree.nodes.len();
                tree.nodes.extend([leaf, leaf]);
                tree.nodes[node] = Node {
                    feature: split.feature as u32,
                    threshold: self.bins.edge(split.feature, split.bin),
                    next: left as u32,
                };
                open.push(OpenNode { node: left + 1, start: middle, end, depth: depth + 1 });
                open.push(OpenNode { node: left, start, end: middle, depth: depth + 1 });
            } else {
                tree.nodes[node].next = tree.leaves.len() as u32;
                self.criterion.write_leaf(&mut tree.leaves);
            }
        }
        tree
    }

    /// The best split over features drawn without replacement. As in scikit-learn, if none of the features that should
    /// be tried splits the node, more are drawn until one does.
    fn best_split(&mut self, start: usize, end: usize, rng: &mut impl Rng) -> Option<NodeSplit> {
        let mut best = None;
        let mut most = f64::NEG_INFINITY;
        for drawn in 0..self.features.len() {
            if drawn >= self.tries && best.is_some() {
                break;
            }
            let pick = rng.random_range(drawn..self.features.len());
            self.features.swap(drawn, pick);
            let feature = self.features[drawn] as usize;
            if let Some((worth, bin)) = self.best_bin(start, end, feature)
                && worth > most
            {
                most = worth;
                best = Some(NodeSplit { feature, bin });
            }
        }
        best
    }

    /// The best bin at which to split a feature, and the worth of that split.
    fn best_bin(&mut self, start: usize, end: usize, feature: usize) -> Option<(f64, u8)> {
        let listed = self.list_by_bin(start, end, feature);
        let (count, fewest) = (end - start, self.params.min_samples_leaf);
        let targets = &self.targets[start..end];
        let mut best = None;
        let mut most = f64::NEG_INFINITY;
        self.criterion.rewind();
        // The bins are visited from the highest down. The rows that are not listed are in the lowest bin and are never
        // visited.
        for (taken, at) in (1..).zip((0..listed).rev()) {
            let (target, weight) = targets[place_in(self.keys[at])];
            self.criterion.take(target, weight);
            let bin = bin_of(self.keys[at]);
            let below = if at > 0 { bin_of(self.keys[at - 1]) } else { 0 };
            if below < bin && taken >= fewest && count - taken >= fewest {
                let worth = self.criterion.worth();
                if worth > most {
                    most = worth;
                    // Half-way between the two values, as closely as bins allow.
                    best = Some((worth, u8::midpoint(below, bin - 1)));
                }
            }
        }
        best
    }

    /// Writes a node's rows to `keys`, sorted by their bin of a feature, and returns how many it wrote. It may leave
    /// out rows in bin zero.
    fn list_by_bin(&mut self, start: usize, end: usize, feature: usize) -> usize {
        let column = self.bins.column(feature);
        let rows = &self.rows[start..end];
        let mut listed = 0;
        if let Some(above_lowest_bin) = self.above_lowest_bin(feature, rows.len()) {
            for &(row, bin) in above_lowest_bin {
                let place = self.places[row as usize].wrapping_sub(start as u32);
                if (place as usize) < rows.len() {
                    self.spare[listed] = key(bin, place);
                    listed += 1;
                }
            }
        } else {
            for ((spare, &row), place) in self.spare.iter_mut().zip(rows).zip(0..) {
                *spare = key(column[row as usize], place);
            }
            listed = rows.len();
        }
        let (unsorted, sorted) = (&mut self.spare[..listed], &mut self.keys[..listed]);
        if listed < MIN_ROWS_TO_COUNT {
            unsorted.sort_unstable();
            sorted.copy_from_slice(unsorted);
        } else {
            sort_by_counting(unsorted, sorted);
        }
        listed
    }

    /// Reorders a node's rows so that those of the left child come first. Returns the index of the first row of the
    /// right child.
    fn partition(&mut self, start: usize, end: usize, split: &NodeSplit) -> usize {
        let column = self.bins.column(split.feature);
        let mut middle = end;
        if let Some(above_lowest_bin) = self.above_lowest_bin(split.feature, end - start) {
            for &(row, bin) in above_lowest_bin {
                let place = self.places[row as usize] as usize;
                if bin > split.bin && (start..end).contains(&place) {
                    middle -= 1;
                    self.swap(place, middle);
                }
            }
        } else {
            let mut place = start;
            while place < middle {
                if column[self.rows[place] as usize] > split.bin {
                    middle -= 1;
                    self.swap(place, middle);
                } else {
                    place += 1;
                }
            }
        }
        middle
    }

    /// The rows of a sparse feature above its lowest bin. `None` if the feature is not sparse, or if reading them is slower
    /// than looking up the bins of a node's `rows` rows.
    fn above_lowest_bin(&self, feature: usize, rows: usize) -> Option<&'a [(u32, u8)]> {
        self.bins
            .above_lowest_bin(feature)
            .filter(|above_lowest_bin| above_lowest_bin.len() < LIST_READS_PER_LOOKUP * rows)
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.rows.swap(a, b);
        self.targets.swap(a, b);
        self.places[self.rows[a] as usize] = a as u32;
        self.places[self.rows[b] as usize] = b as u32;
    }
}

/// A row of a node as one number. Such numbers sort by bin.
fn key(bin: u8, place: u32) -> u32 {
    u32::from(bin) << 24 | place
}

fn bin_of(key: u32) -> u8 {
    (key >> 24) as u8
}

fn place_in(key: u32) -> usize {
    (key & 0xff_ffff) as usize
}

fn sort_by_counting(unsorted: &[u32], sorted: &mut [u32]) {
    let mut places = [0_u32; 256];
    unsorted.iter().for_each(|&key| places[usize::from(bin_of(key))] += 1);
    let mut sum = 0;
    for place in &mut places {
        sum += std::mem::replace(place, sum);
    }
    for &key in unsorted {
        let place = &mut places[usize::from(bin_of(key))];
        sorted[*place as usize] = key;
        *place += 1;
    }
}
