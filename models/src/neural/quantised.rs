//! Weights as whole numbers of 8 bits, each times a scale: symmetric and linear, from -127 to 127 (Jacob et al. 2018, section 2.1, with
//! the zero point 0; Krishnamoorthi 2018, section 2.2, for a scale per output).

use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// The largest whole number. -128 is not used, so that a number and its negative are alike.
const MOST: f32 = 127.0;

/// Which numbers of a slot have a scale in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scales {
    /// Those of a column, in each of so many blocks of rows.
    Columns {
        /// Blocks of equally many rows.
        blocks: usize,
        /// Columns.
        columns: usize,
    },
    /// Those of a row.
    Rows {
        /// Rows.
        rows: usize,
    },
}

impl Scales {
    fn count(self) -> usize {
        match self {
            Scales::Columns { blocks, columns } => blocks * columns,
            Scales::Rows { rows } => rows,
        }
    }

    /// The scale of a number among `len`.
    fn of(self, at: usize, len: usize) -> usize {
        match self {
            Scales::Columns { blocks, columns } => at / (len / blocks) * columns + at % columns,
            Scales::Rows { rows } => at / (len / rows),
        }
    }
}

/// The whole numbers of a slot, and their scales.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantised {
    numbers: Vec<i8>,
    scales: Vec<f32>,
    form: Scales,
}

impl Quantised {
    /// The closest whole numbers. The largest of those with a scale in common is 127 or -127.
    pub(super) fn new(values: &[f32], form: Scales) -> Quantised {
        let mut largest = vec![0.0_f32; form.count()];
        for (at, value) in values.iter().enumerate() {
            let largest = &mut largest[form.of(at, values.len())];
            *largest = largest.max(value.abs());
        }
        // Numbers that are all zero stay zero with any scale.
        let scales: Vec<f32> =
            largest.iter().map(|largest| if *largest > 0.0 { largest / MOST } else { 1.0 }).collect();
        let rounded =
            |(at, value): (usize, &f32)| (value / scales[form.of(at, values.len())]).round().clamp(-MOST, MOST) as i8;
        Quantised { numbers: values.iter().enumerate().map(rounded).collect(), scales, form }
    }

    /// The numbers that they stand for.
    pub(super) fn values(&self) -> Vec<f32> {
        let value = |(at, number): (usize, &i8)| f32::from(*number) * self.scales[self.form.of(at, self.numbers.len())];
        self.numbers.iter().enumerate().map(value).collect()
    }

    /// Adds `name` and `{name}.scale`.
    pub(super) fn save(&self, name: &str, shape: &[usize], arrays: &mut ArraysOut) {
        arrays.add(name, shape, self.numbers.iter().copied());
        arrays.add(format!("{name}.scale"), &[self.scales.len()], self.scales.iter().copied());
    }

    /// Takes the arrays that [`Quantised::save`] added.
    ///
    /// # Errors
    /// If an array is missing or has another shape, or a scale is not above zero.
    pub(super) fn load(
        name: &str,
        shape: &[usize],
        form: Scales,
        arrays: &mut ArraysIn,
    ) -> Result<Quantised, ModelError> {
        let numbers = arrays.take::<i8>(name, shape)?;
        let scales = arrays.take::<f32>(&format!("{name}.scale"), &[form.count()])?;
        if scales.iter().any(|scale| *scale <= 0.0) {
            return Err(arrays.refused(format!("a scale of '{name}.scale' is not above zero")));
        }
        Ok(Quantised { numbers, scales, form })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_at_most_half_a_scale_away() {
        let values: Vec<f32> = (0..24).map(|at| (at as f32 * 0.37).sin() * (1 + at % 3) as f32).collect();
        for form in [
            Scales::Columns { blocks: 1, columns: 3 },
            Scales::Columns { blocks: 2, columns: 3 },
            Scales::Rows { rows: 8 },
        ] {
            let quantised = Quantised::new(&values, form);
            assert_eq!(quantised.scales.len(), form.count());
            for (at, (value, found)) in values.iter().zip(quantised.values()).enumerate() {
                let scale = quantised.scales[form.of(at, values.len())];
                assert!((value - found).abs() <= 0.5001 * scale, "{value} and {found} with {scale}");
            }
        }
    }

    #[test]
    fn the_largest_number_of_a_scale_is_exact_and_zeros_stay() {
        let quantised = Quantised::new(&[1.0, 0.0, -0.5, 0.0], Scales::Columns { blocks: 1, columns: 2 });
        assert_eq!(quantised.numbers, [127, 0, -64, 0]);
        assert_eq!(quantised.scales[1], 1.0);
    }
}
