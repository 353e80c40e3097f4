//! Standard scaling of features to mean zero and variance one over the training rows.

use ndarray::{Array1, ArrayView2, ArrayViewMut2, Axis};

use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// The means and standard deviations of the training rows.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    mean: Array1<f32>,
    deviation: Array1<f32>,
}

impl Scale {
    /// Learns from `rows` (`N x features`, `N > 0`). A constant feature is divided by one and becomes zero.
    pub(crate) fn fit(rows: &ArrayView2<'_, f32>) -> Scale {
        // In f64, because a sum over many rows is too inexact in f32.
        let rows = rows.mapv(f64::from);
        let mean = rows.mean_axis(Axis(0)).expect("there is a training row");
        // Rounding leaves a constant feature a deviation far below its size.
        let deviation = rows.std_axis(Axis(0), 0.0);
        let is_constant = |(d, m): (&f64, &f64)| *d <= 1e-12 * m.abs() || *d < f64::from(f32::MIN_POSITIVE);
        let deviation =
            deviation.iter().zip(&mean).map(|of| if is_constant(of) { 1.0 } else { *of.0 as f32 }).collect();
        Scale { mean: mean.mapv(|m| m as f32), deviation }
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        self.mean.len()
    }

    /// Scales `rows` in place.
    pub(crate) fn apply(&self, rows: &mut ArrayViewMut2<'_, f32>) {
        *rows -= &self.mean;
        *rows /= &self.deviation;
    }

    /// Adds the means and deviations as arrays whose names begin with `name`.
    pub(crate) fn save(&self, name: &str, arrays: &mut ArraysOut) {
        arrays.add(format!("{name}.mean"), &[self.mean.len()], self.mean.iter().copied());
        arrays.add(format!("{name}.deviation"), &[self.deviation.len()], self.deviation.iter().copied());
    }

    /// Takes the arrays that [`Scale::save`] added for this many features.
    ///
    /// # Errors
    /// If they are missing or have another shape.
    pub(crate) fn load(name: &str, features: usize, arrays: &mut ArraysIn) -> Result<Scale, ModelError> {
        let mean = arrays.take(&format!("{name}.mean"), &[features])?;
        let deviation: Vec<f32> = arrays.take(&format!("{name}.deviation"), &[features])?;
        if deviation.iter().any(|&deviation| deviation <= 0.0) {
            return Err(arrays.refused(format!("a deviation of '{name}' is not above zero")));
        }
        Ok(Scale { mean: mean.into(), deviation: deviation.into() })
    }
}
