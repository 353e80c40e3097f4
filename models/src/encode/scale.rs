//! Standard scaling: every feature to mean zero and variance one over the training rows.

use ndarray::{Array1, ArrayView2, ArrayViewMut2, Axis};

/// Means and standard deviations of the training rows.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    mean: Array1<f32>,
    deviation: Array1<f32>,
}

impl Scale {
    /// Learns from `rows` (`N x features`, `N > 0`). A constant feature keeps its unit and becomes zero.
    pub(crate) fn fit(rows: &ArrayView2<'_, f32>) -> Scale {
        // In f64: a sum over many rows loses too much in f32.
        let rows = rows.mapv(f64::from);
        let mean = rows.mean_axis(Axis(0)).expect("there is a training row");
        let deviation = rows.std_axis(Axis(0), 0.0).mapv(|d| if d > 1e-12 { d as f32 } else { 1.0 });
        Scale { mean: mean.mapv(|m| m as f32), deviation }
    }

    /// Scales `rows` in place.
    pub(crate) fn apply(&self, rows: &mut ArrayViewMut2<'_, f32>) {
        *rows -= &self.mean;
        *rows /= &self.deviation;
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.mean.len() + self.deviation.len()) as u64 * size_of::<f32>() as u64
    }
}
