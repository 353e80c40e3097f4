//! A matrix as the product of two smaller ones: the closest of this rank, by its singular values (Eckart and Young 1936).

/// Pairs of columns whose cosine is below this count as orthogonal.
const ORTHOGONAL: f64 = 1e-10;
/// The most passes over all pairs. Ten are usual.
const MOST_SWEEPS: usize = 60;

/// `(left, right)` with `rows x rank` and `rank x columns` numbers, whose product is the matrix of this rank that is closest to
/// `matrix`, `rows x columns` numbers. Both have the square roots of the singular values, so that their weights are of one size.
pub(super) fn factors(matrix: &[f32], columns: usize, rank: usize) -> (Vec<f32>, Vec<f32>) {
    let rows = matrix.len() / columns;
    if rows < columns {
        let transposed: Vec<f32> = (0..matrix.len()).map(|at| matrix[at % rows * columns + at / rows]).collect();
        let (left, right) = factors(&transposed, rows, rank);
        let flip = |part: &[f32], columns: usize| -> Vec<f32> {
            let rows = part.len() / columns;
            (0..part.len()).map(|at| part[at % rows * columns + at / rows]).collect()
        };
        return (flip(&right, rows), flip(&left, rank));
    }
    let mut scaled: Vec<Vec<f64>> =
        (0..columns).map(|column| (0..rows).map(|row| f64::from(matrix[row * columns + column])).collect()).collect();
    let mut turned: Vec<Vec<f64>> =
        (0..columns).map(|column| (0..columns).map(|row| if row == column { 1.0 } else { 0.0 }).collect()).collect();
    orthogonalise(&mut scaled, &mut turned);
    // The columns are now the left singular vectors times the singular values.
    let lengths: Vec<f64> = scaled.iter().map(|column| product(column, column).sqrt()).collect();
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&one, &other| lengths[other].total_cmp(&lengths[one]));
    order.truncate(rank);
    let root = |&column: &usize| lengths[column].sqrt();
    let left = (0..rows).flat_map(|row| {
        let scaled = &scaled;
        order
            .iter()
            .map(move |column| if root(column) > 0.0 { (scaled[*column][row] / root(column)) as f32 } else { 0.0 })
    });
    let left = left.collect();
    let right = order.iter().flat_map(|column| turned[*column].iter().map(move |value| (value * root(column)) as f32));
    (left, right.collect())
}

/// Turns pairs of columns until all are orthogonal (the one-sided Jacobi method: Hestenes 1958; Golub and Van Loan 2013, section
/// 8.6.3). `turned` takes part in each turn.
fn orthogonalise(columns: &mut [Vec<f64>], turned: &mut [Vec<f64>]) {
    for _ in 0..MOST_SWEEPS {
        let mut is_done = true;
        for first in 0..columns.len() {
            for second in first + 1..columns.len() {
                let (one, other) = (&columns[first], &columns[second]);
                let (a, b, c) = (product(one, one), product(other, other), product(one, other));
                if c.abs() <= ORTHOGONAL * (a * b).sqrt() {
                    continue;
                }
                is_done = false;
                let tau = (b - a) / (2.0 * c);
                let tangent = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let cosine = (1.0 + tangent * tangent).sqrt().recip();
                let turn = (cosine, cosine * tangent);
                rotate(columns, (first, second), turn);
                rotate(turned, (first, second), turn);
            }
        }
        if is_done {
            return;
        }
    }
}

fn product(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

fn rotate(columns: &mut [Vec<f64>], (first, second): (usize, usize), (cosine, sine): (f64, f64)) {
    let (before, after) = columns.split_at_mut(second);
    for (one, other) in before[first].iter_mut().zip(&mut after[0]) {
        (*one, *other) = (cosine * *one - sine * *other, sine * *one + cosine * *other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multiplied(left: &[f32], right: &[f32], rank: usize) -> Vec<f32> {
        let columns = right.len() / rank;
        left.chunks_exact(rank)
            .flat_map(|row| {
                (0..columns).map(move |column| (0..rank).map(|at| row[at] * right[at * columns + column]).sum::<f32>())
            })
            .collect()
    }

    fn error(matrix: &[f32], columns: usize, rank: usize) -> f32 {
        let (left, right) = factors(matrix, columns, rank);
        assert_eq!((left.len(), right.len()), (matrix.len() / columns * rank, rank * columns));
        let product = multiplied(&left, &right, rank);
        matrix.iter().zip(product).map(|(value, found)| (value - found).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn the_whole_rank_gives_the_matrix_and_less_gives_the_closest() {
        // Singular values 3, 2 and 1 on the diagonal, wide and tall.
        let wide = [3.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        for (matrix, columns) in
            [(wide.to_vec(), 4), (vec![3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 3)]
        {
            assert!(error(&matrix, columns, 3) < 1e-5);
            // The error is the root of the sum of the squares of the singular values that are left out.
            assert!((error(&matrix, columns, 2) - 1.0).abs() < 1e-5);
            assert!((error(&matrix, columns, 1) - 5.0_f32.sqrt()).abs() < 1e-5);
        }
    }

    #[test]
    fn a_matrix_with_dependent_columns_has_no_error_at_its_rank() {
        let matrix: Vec<f32> = (0..30).map(|at| (at / 5) as f32 * (at % 5) as f32 + (at % 5) as f32).collect();
        assert!(error(&matrix, 5, 1) < 1e-4);
        assert!(error(&[0.0; 12], 3, 2) == 0.0, "a matrix of zeros has no direction");
    }
}
