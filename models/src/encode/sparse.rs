//! Rows in which most entries are zero (compressed sparse rows).

use ndarray::Array2;

use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// `N x width` values, of which only the non-zero ones are stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRows {
    /// The entries of row `i` are `entries[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>,
    /// `(column, value)`, with columns ascending within a row.
    entries: Vec<(u32, f32)>,
    width: usize,
}

impl SparseRows {
    /// No rows yet, and `width` columns.
    pub(crate) fn new(width: usize) -> SparseRows {
        SparseRows { starts: vec![0], entries: Vec::new(), width }
    }

    /// Appends a row. Its columns must ascend and be below the width.
    pub(crate) fn push(&mut self, row: &[(u32, f32)]) {
        self.entries.extend_from_slice(row);
        self.starts.push(self.entries.len());
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The entries of row `index`.
    pub(crate) fn row(&self, index: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[index]..self.starts[index + 1]]
    }

    /// All rows in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// The rows at the indices `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize]) -> SparseRows {
        let mut selected = SparseRows::new(self.width);
        rows.iter().for_each(|&row| selected.push(self.row(row)));
        selected
    }

    /// The transpose: for each column its `(row, value)` entries, with rows ascending.
    pub(crate) fn transpose(&self) -> SparseRows {
        let mut starts = vec![0; self.width + 1];
        for &(column, _) in &self.entries {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.width {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for (index, row) in self.iter().enumerate() {
            for &(column, value) in row {
                entries[next[column as usize]] = (index as u32, value);
                next[column as usize] += 1;
            }
        }
        SparseRows { starts, entries, width: self.len() }
    }

    /// All values, zeros included.
    pub(crate) fn to_dense(&self) -> Array2<f32> {
        let mut dense = Array2::zeros((self.len(), self.width));
        for (mut target, row) in dense.rows_mut().into_iter().zip(self.iter()) {
            for &(column, value) in row {
                target[column as usize] = value;
            }
        }
        dense
    }

    /// Adds the rows as arrays whose names begin with `name`.
    pub(crate) fn save(&self, name: &str, arrays: &mut ArraysOut) {
        let lengths = self.iter().map(|row| u32::try_from(row.len()).expect("columns are numbered by 32 bits"));
        arrays.add(format!("{name}.lengths"), &[self.len()], lengths);
        arrays.add(format!("{name}.columns"), &[self.entries.len()], self.entries.iter().map(|&(column, _)| column));
        arrays.add(format!("{name}.values"), &[self.entries.len()], self.entries.iter().map(|&(_, value)| value));
    }

    /// Takes the arrays that [`SparseRows::save`] added for rows of `width` columns.
    ///
    /// # Errors
    /// If the arrays are not such rows.
    pub(crate) fn load(name: &str, width: usize, arrays: &mut ArraysIn) -> Result<SparseRows, ModelError> {
        let lengths: Vec<u32> = arrays.take_list(&format!("{name}.lengths"))?;
        let columns: Vec<u32> = arrays.take_list(&format!("{name}.columns"))?;
        let values: Vec<f32> = arrays.take(&format!("{name}.values"), &[columns.len()])?;
        let mut rows = SparseRows::new(width);
        let mut entries = columns.into_iter().zip(values);
        for length in lengths {
            let row: Vec<(u32, f32)> = entries.by_ref().take(length as usize).collect();
            let ascending = row.windows(2).all(|pair| pair[0].0 < pair[1].0);
            let inside = row.last().is_none_or(|&(column, _)| (column as usize) < width);
            if row.len() != length as usize || !ascending || !inside {
                return Err(arrays.refused(format!("row {} of '{name}' is not of {width} columns", rows.len())));
            }
            rows.push(&row);
        }
        if entries.next().is_some() {
            return Err(arrays.refused(format!("'{name}' has more entries than its rows")));
        }
        Ok(rows)
    }

    /// The number of stored values.
    pub fn stored(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::SparseRows;

    #[test]
    fn a_transpose_holds_the_same_values() {
        let mut rows = SparseRows::new(3);
        rows.push(&[(0, 1.0), (2, 2.0)]);
        rows.push(&[]);
        rows.push(&[(1, 3.0), (2, 4.0)]);
        assert_eq!(rows.transpose().to_dense(), rows.to_dense().reversed_axes());
        assert_eq!(rows.transpose().transpose(), rows);
        assert_eq!(rows.select(&[2, 0]).row(0), &[(1, 3.0), (2, 4.0)]);
    }
}
