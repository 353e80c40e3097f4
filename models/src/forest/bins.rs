//! Feature values sorted into at most 256 intervals (bins). A tree then reads one byte instead of a number.

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

/// A feature is sparse if fewer than one row in this many is above its lowest bin.
const MIN_ROWS_PER_ENTRY: usize = 4;

/// The training rows, feature by feature.
#[derive(Debug)]
pub(super) struct Bins {
    rows: usize,
    /// The bin of each value, `features x rows`. Bin `b` holds the values in `(edges[b - 1], edges[b]]`.
    columns: Vec<u8>,
    /// The inner edges of each feature in ascending order: one fewer than the feature has bins.
    edges: Vec<Vec<f32>>,
    /// For each sparse feature, the rows above its lowest bin with their bins. Most terms of texts are such features,
    /// because they occur in few texts.
    above_lowest_bin: Vec<Option<Vec<(u32, u8)>>>,
}

impl Bins {
    /// Sorts `rows x features` finite values into at most `most` bins per feature. Each bin holds about equally many
    /// rows.
    pub(super) fn new(values: &ArrayView2<'_, f32>, most: usize) -> Bins {
        let rows = values.nrows();
        let mut columns = vec![0; values.len()];
        let (edges, above_lowest_bin) = columns
            .par_chunks_mut(rows)
            .enumerate()
            .map(|(feature, bins)| {
                let column = values.index_axis(Axis(1), feature);
                let edges = edges(column, most);
                for (bin, &value) in bins.iter_mut().zip(column) {
                    *bin =
                        u8::try_from(edges.partition_point(|&edge| edge < value)).expect("there are at most 256 bins");
                }
                (edges, above_lowest_bin(bins))
            })
            .unzip();
        Bins { rows, columns, edges, above_lowest_bin }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.edges.len()
    }

    /// The bin of every row.
    pub(super) fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature * self.rows..][..self.rows]
    }

    /// The rows above the lowest bin with their bins. `None` if the feature is not sparse.
    pub(super) fn above_lowest_bin(&self, feature: usize) -> Option<&[(u32, u8)]> {
        self.above_lowest_bin[feature].as_deref()
    }

    /// The upper edge of a bin. A value that is at most this is in this bin or a lower one.
    pub(super) fn edge(&self, feature: usize, bin: u8) -> f32 {
        self.edges[feature][usize::from(bin)]
    }
}

/// The rows above the lowest bin with their bins, if they are few; see [`Bins::above_lowest_bin`].
fn above_lowest_bin(bins: &[u8]) -> Option<Vec<(u32, u8)>> {
    let count = bins.iter().filter(|&&bin| bin > 0).count();
    (count < bins.len() / MIN_ROWS_PER_ENTRY)
        .then(|| (0..).zip(bins).filter(|(_, bin)| **bin > 0).map(|(row, &bin)| (row, bin)).collect())
}

/// The inner edges of a feature's bins. If there are at most `most` distinct values, each has a bin of its own.
/// Otherwise the edges are at the quantiles of `values`. An edge is half-way between two neighbouring values.
fn edges(values: ArrayView1<'_, f32>, most: usize) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut edges: Vec<f32> = if distinct <= most {
        sorted.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| between(pair[0], pair[1])).collect()
    } else {
        (1..most)
            .filter_map(|quantile| {
                let low = sorted[quantile * sorted.len() / most - 1];
                // The next larger value, because equal values must share a bin.
                let above = sorted.partition_point(|&value| value <= low);
                sorted.get(above).map(|&high| between(low, high))
            })
            .collect()
    };
    edges.dedup();
    edges
}

/// A number in `[low, high)`: the midpoint, unless rounding makes it equal to `high`.
fn between(low: f32, high: f32) -> f32 {
    let middle = f32::midpoint(low, high);
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::Bins;

    #[test]
    fn few_distinct_values_have_a_bin_each() {
        let values = Array2::from_shape_vec((5, 1), vec![3.0, 1.0, 2.0, 1.0, 3.0]).expect("five values");
        let bins = Bins::new(&values.view(), 256);
        assert_eq!(bins.column(0), [2, 0, 1, 0, 2]);
        assert_eq!((bins.edge(0, 0), bins.edge(0, 1)), (1.5, 2.5));
    }

    proptest! {
        #[test]
        fn bins_keep_the_order_and_agree_with_their_edges(
            values in prop::collection::vec(-1e30_f32..1e30, 1..600), most in 2_usize..=256,
        ) {
            let rows = values.len();
            let matrix = Array2::from_shape_vec((rows, 1), values.clone()).expect("one column");
            let bins = Bins::new(&matrix.view(), most);
            let column = bins.column(0);
            prop_assert!(bins.edges[0].len() < most);
            prop_assert!(bins.edges[0].windows(2).all(|pair| pair[0] < pair[1]));
            for (&value, &bin) in values.iter().zip(column) {
                for edge in 0..bins.edges[0].len() {
                    prop_assert_eq!(value <= bins.edge(0, edge as u8), usize::from(bin) <= edge);
                }
            }
        }

        #[test]
        fn many_values_spread_evenly_over_all_bins(seed in 0_u32..1000) {
            let values: Vec<f32> = (0..2048_u32).map(|i| (i.wrapping_mul(2_654_435_761) ^ seed) as f32).collect();
            let matrix = Array2::from_shape_vec((2048, 1), values).expect("one column");
            let bins = Bins::new(&matrix.view(), 256);
            let mut counts = [0; 256];
            bins.column(0).iter().for_each(|&bin| counts[usize::from(bin)] += 1);
            prop_assert!(counts.iter().all(|&count| (4..=16).contains(&count)), "{:?}", counts);
        }
    }
}
