//! The worth of a split, by Gini's impurity for classes and by the variance for numbers.
//!
//! Both reduce to the same formula. The weighted impurity of two children falls as `sum_side Q(side) / W(side)` grows.
//! `W` is the weight of a side. `Q` is the sum of the squared weights of its classes for Gini, and the square of its
//! summed targets for the variance. The terms left out are the same for every split of a node (Breiman et al. 1984).

use super::most_probable;

/// Sums over a node's rows on the two sides of a split. One side holds the rows taken so far, the other the rest.
pub(crate) trait Criterion {
    /// The target of a row.
    type Target: Copy + Sync;

    /// A criterion for leaves of `width` values.
    fn new(width: usize) -> Self;
    /// The number of values in a leaf.
    fn width(&self) -> usize;
    /// Starts with a node's rows. None of them is taken yet.
    fn enter(&mut self, rows: &[(Self::Target, u32)]);
    /// Whether no split can improve this node.
    fn is_pure(&self) -> bool;
    /// Moves all rows back to the side of the rest.
    fn rewind(&mut self);
    /// Takes a row of this weight.
    fn take(&mut self, target: Self::Target, weight: u32);
    /// The worth of the present split; larger is better. Neither side may be empty.
    fn worth(&self) -> f64;
    /// The impurity of the node whose `rows` were entered, times their weight. It is Gini's impurity
    /// `1 - sum_class share²`, or the variance.
    fn cost(&self, rows: &[(Self::Target, u32)]) -> f64;
    /// The error of a prediction: one for a wrong class, or the squared difference of numbers.
    fn error(leaf: &[f32], target: Self::Target) -> f64;
    /// Appends the node's prediction to `out`: [`Criterion::width`] values.
    fn write_leaf(&self, out: &mut Vec<f32>);
}

/// Gini's impurity. Targets are class numbers, and a leaf holds the frequency of each class.
pub(crate) struct Gini {
    total: Vec<u32>,
    taken: Vec<u32>,
    rest: Vec<u32>,
    weight: u64,
    taken_weight: u64,
    square: u64,
    taken_square: u64,
    rest_square: u64,
}

impl Criterion for Gini {
    type Target = u16;

    fn new(classes: usize) -> Self {
        let none = vec![0; classes];
        Gini {
            total: none.clone(),
            taken: none.clone(),
            rest: none,
            weight: 0,
            taken_weight: 0,
            square: 0,
            taken_square: 0,
            rest_square: 0,
        }
    }

    fn width(&self) -> usize {
        self.total.len()
    }

    fn enter(&mut self, rows: &[(u16, u32)]) {
        self.total.fill(0);
        for &(class, weight) in rows {
            self.total[usize::from(class)] += weight;
        }
        self.weight = self.total.iter().map(|&w| u64::from(w)).sum();
        self.square = self.total.iter().map(|&w| u64::from(w) * u64::from(w)).sum();
        self.rewind();
    }

    fn is_pure(&self) -> bool {
        self.square == self.weight * self.weight
    }

    fn rewind(&mut self) {
        self.taken.fill(0);
        self.rest.copy_from_slice(&self.total);
        self.taken_weight = 0;
        self.taken_square = 0;
        self.rest_square = self.square;
    }

    fn take(&mut self, class: u16, weight: u32) {
        let (taken, rest) = (&mut self.taken[usize::from(class)], &mut self.rest[usize::from(class)]);
        let wide = u64::from(weight);
        // (n + w)² - n² and n² - (n - w)².
        self.taken_square += wide * (2 * u64::from(*taken) + wide);
        self.rest_square -= wide * (2 * u64::from(*rest) - wide);
        *taken += weight;
        *rest -= weight;
        self.taken_weight += wide;
    }

    fn worth(&self) -> f64 {
        self.taken_square as f64 / self.taken_weight as f64
            + self.rest_square as f64 / (self.weight - self.taken_weight) as f64
    }

    fn error(leaf: &[f32], class: u16) -> f64 {
        if most_probable(leaf) == usize::from(class) { 0.0 } else { 1.0 }
    }

    fn cost(&self, _rows: &[(u16, u32)]) -> f64 {
        self.weight as f64 - self.square as f64 / self.weight as f64
    }

    fn write_leaf(&self, out: &mut Vec<f32>) {
        out.extend(self.total.iter().map(|&w| w as f32 / self.weight as f32));
    }
}

/// Variance. Targets are numbers, and a leaf holds their mean.
pub(crate) struct Variance {
    sum: f64,
    taken_sum: f64,
    weight: u64,
    taken_weight: u64,
    lowest: f32,
    highest: f32,
}

impl Criterion for Variance {
    type Target = f32;

    fn new(_one: usize) -> Self {
        Variance { sum: 0.0, taken_sum: 0.0, weight: 0, taken_weight: 0, lowest: 0.0, highest: 0.0 }
    }

    fn width(&self) -> usize {
        1
    }

    fn enter(&mut self, rows: &[(f32, u32)]) {
        self.sum = rows.iter().map(|&(value, weight)| f64::from(value) * f64::from(weight)).sum();
        self.weight = rows.iter().map(|&(_, weight)| u64::from(weight)).sum();
        self.lowest = rows.iter().fold(f32::INFINITY, |low, &(value, _)| low.min(value));
        self.highest = rows.iter().fold(f32::NEG_INFINITY, |high, &(value, _)| high.max(value));
        self.rewind();
    }

    fn is_pure(&self) -> bool {
        self.lowest == self.highest
    }

    fn rewind(&mut self) {
        self.taken_sum = 0.0;
        self.taken_weight = 0;
    }

    fn take(&mut self, value: f32, weight: u32) {
        self.taken_sum += f64::from(value) * f64::from(weight);
        self.taken_weight += u64::from(weight);
    }

    fn worth(&self) -> f64 {
        let rest_sum = self.sum - self.taken_sum;
        self.taken_sum * self.taken_sum / self.taken_weight as f64
            + rest_sum * rest_sum / (self.weight - self.taken_weight) as f64
    }

    fn error(leaf: &[f32], value: f32) -> f64 {
        f64::from(leaf[0] - value).powi(2)
    }

    fn cost(&self, rows: &[(f32, u32)]) -> f64 {
        let mean = self.sum / self.weight as f64;
        rows.iter().map(|&(value, weight)| f64::from(weight) * (f64::from(value) - mean).powi(2)).sum()
    }

    fn write_leaf(&self, out: &mut Vec<f32>) {
        // Rounding must not move the mean of equal values out of their range.
        out.push(((self.sum / self.weight as f64) as f32).clamp(self.lowest, self.highest));
    }
}
