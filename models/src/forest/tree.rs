//! One tree: grown on binned rows, asked with plain numbers.

use rand::{Rng, RngExt};

use super::bins::Bins;
use super::criterion::Criterion;
use super::params::ForestValidParams;

/// Fewer rows than this are sorted by comparison, which is then faster than counting them into 256 bins.
const MIN_ROWS_TO_COUNT: usize = 48;
/// Looking up the bin of one row, somewhere in a column, takes as long as going through this many rows of a list.
const COST_OF_A_LOOKUP: usize = 8;
/// Marks a leaf in place of a feature.
const LEAF: u32 = u32::MAX;

/// A decision, or a leaf. Twelve bytes, so that five fit into a cache line.
#[derive(Debug, Clone, Copy)]
struct Node {
    feature: u32,
    /// A row goes left if its value is at most this.
    threshold: f32,
    /// Decision: the left child; the right one follows it. Leaf: where its values start.
    next: u32,
}

/// A fitted tree.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    leaves: Vec<f32>,
    width: usize,
}

impl Tree {
    /// The leaf values that each row falls to. The rows go down together, so that one waits for the memory while
    /// others move.
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
        places.map(|place| &self.leaves[self.nodes[place].next as usize..][..self.width])
    }

    /// Its numbers, one after the other to those of other trees.
    pub(super) fn save(&self, all: &mut TreeNumbers) {
        all.nodes.push(u32::try_from(self.nodes.len()).expect("places are numbered by 32 bits"));
        all.leaves.push(u32::try_from(self.leaves.len()).expect("places are numbered by 32 bits"));
        all.features.extend(self.nodes.iter().map(|node| node.feature));
        all.thresholds.extend(self.nodes.iter().map(|node| node.threshold));
        all.next.extend(self.nodes.iter().map(|node| node.next));
        all.values.extend_from_slice(&self.leaves);
    }

    /// A tree over `features` with `width` values per leaf, of nodes (feature, threshold and next) and leaf values.
    /// `None` if a place is not within the tree, or going down it might not end.
    pub(super) fn load(
        nodes: impl Iterator<Item = (u32, f32, u32)>,
        leaves: &[f32],
        features: usize,
        width: usize,
    ) -> Option<Tree> {
        let nodes: Vec<Node> = nodes.map(|(feature, threshold, next)| Node { feature, threshold, next }).collect();
        let stands = |(place, node): (usize, &Node)| {
            let next = node.next as usize;
            if node.feature == LEAF {
                next.checked_add(width).is_some_and(|end| end <= leaves.len())
            } else {
                // Children come after their parent, so there is no way back.
                (node.feature as usize) < features && next > place && next + 1 < nodes.len()
            }
        };
        let sound = !nodes.is_empty() && nodes.iter().enumerate().all(stands);
        sound.then(|| Tree { leaves: leaves.to_vec(), width, nodes })
    }

    /// Decisions (a feature and a threshold each) and leaf values.
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
    /// Where the children of each node begin, or the values of a leaf.
    pub(super) next: Vec<u32>,
    /// The values of all leaves.
    pub(super) values: Vec<f32>,
}

/// A node yet to be made: its place in the tree and its rows.
struct OpenNode {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
}

/// Where a node is best split.
struct NodeSplit {
    feature: usize,
    bin: u8,
}

/// Everything that growing one tree needs; the buffers are reused from node to node.
pub(super) struct Grower<'a, C: Criterion> {
    bins: &'a Bins,
    params: &'a ForestValidParams,
    tries: usize,
    criterion: C,
    /// The bootstrap's distinct rows; every node owns a range of them.
    rows: Vec<u32>,
    /// Where each training row is in `rows`; beyond its end for a row that was not drawn.
    places: Vec<u32>,
    /// Beside `rows`: target, and how often the bootstrap drew the row.
    targets: Vec<(C::Target, u32)>,
    /// All features; the ones tried at a node are drawn to the front.
    features: Vec<u32>,
    /// Rows of the present node (see [`key`]) in the order of their bins.
    keys: Vec<u32>,
    spare: Vec<u32>,
}

/// The most distinct rows of a tree: places share a word with the bin.
pub(super) const MOST_ROWS: usize = 1 << 24;

impl<'a, C: Criterion> Grower<'a, C> {
    /// A bootstrap of as many rows as there are.
    pub(super) fn new(
        bins: &'a Bins,
        targets: &[C::Target],
        params: &'a ForestValidParams,
        criterion: C,
        rng: &mut impl Rng,
    ) -> Self {
        let mut draws = vec![0_u32; bins.rows()];
        for _ in 0..bins.rows() {
            draws[rng.random_range(0..bins.rows())] += 1;
        }
        let rows: Vec<u32> = (0..).zip(&draws).filter(|(_, draws)| **draws > 0).map(|(row, _)| row).collect();
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

    /// The best split over features drawn without replacement. As in scikit-learn, drawing goes on past the number to
    /// try until a feature was found that splits the node at all.
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

    /// The best place to split one feature, and what it is worth.
    fn best_bin(&mut self, start: usize, end: usize, feature: usize) -> Option<(f64, u8)> {
        let listed = self.list_by_bin(start, end, feature);
        let (count, fewest) = (end - start, self.params.min_samples_leaf);
        let targets = &self.targets[start..end];
        let mut best = None;
        let mut most = f64::NEG_INFINITY;
        self.criterion.rewind();
        // From the highest bin down: rows that are not listed are in the lowest and need not be looked at.
        for (taken, at) in (1..).zip((0..listed).rev()) {
            let (target, weight) = targets[place_in(self.keys[at])];
            self.criterion.take(target, weight);
            let bin = bin_of(self.keys[at]);
            let below = if at > 0 { bin_of(self.keys[at - 1]) } else { 0 };
            if below < bin && taken >= fewest && count - taken >= fewest {
                let worth = self.criterion.worth();
                if worth > most {
                    most = worth;
                    // Half-way between the two values, as far as bins can say.
                    best = Some((worth, u8::midpoint(below, bin - 1)));
                }
            }
        }
        best
    }

    /// Lists a node's rows in `keys` in the order of a feature's bins, and gives their number. Rows in bin zero may be
    /// left out.
    fn list_by_bin(&mut self, start: usize, end: usize, feature: usize) -> usize {
        let column = self.bins.column(feature);
        let rows = &self.rows[start..end];
        let mut listed = 0;
        if let Some(raised) = self.raised(feature, rows.len()) {
            for &(row, bin) in raised {
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

    /// Sorts a node's rows by the side they fall to and gives the place of the first on the right.
    fn partition(&mut self, start: usize, end: usize, split: &NodeSplit) -> usize {
        let column = self.bins.column(split.feature);
        let mut middle = end;
        if let Some(raised) = self.raised(split.feature, end - start) {
            for &(row, bin) in raised {
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

    /// A sparse feature's raised rows, if going through them is faster than through a node of `rows` rows.
    fn raised(&self, feature: usize, rows: usize) -> Option<&'a [(u32, u8)]> {
        self.bins.raised(feature).filter(|raised| raised.len() < COST_OF_A_LOOKUP * rows)
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.rows.swap(a, b);
        self.targets.swap(a, b);
        self.places[self.rows[a] as usize] = a as u32;
        self.places[self.rows[b] as usize] = b as u32;
    }
}

/// A row of a node as one number that sorts by bin.
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
