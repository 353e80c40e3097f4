//! Which numbers are outliers.

use super::quantile;

/// The number above which a reading is an outlier: the third quartile and three times the distance between the quartiles. Tukey
/// 1977, *Exploratory Data Analysis*, calls what is beyond it "far out". `None` without a reading.
pub fn upper_fence(sorted: &[f64]) -> Option<f64> {
    if sorted.is_empty() {
        return None;
    }
    let [first, third] = [0.25, 0.75].map(|share| quantile(sorted, share));
    Some(third + 3.0 * (third - first))
}

#[cfg(test)]
mod tests {
    use super::upper_fence;

    #[test]
    fn the_fence_is_three_quartile_distances_above_the_third_quartile() {
        assert_eq!(upper_fence(&[]), None);
        assert_eq!(upper_fence(&[1.0, 2.0, 3.0, 4.0, 5.0]), Some(4.0 + 3.0 * 2.0));
        assert_eq!(upper_fence(&[2.0, 2.0, 2.0, 50.0]), Some(14.0 + 3.0 * 12.0));
        let mostly_equal: Vec<f64> = [vec![2.0; 99], vec![50.0]].concat();
        assert_eq!(upper_fence(&mostly_equal), Some(2.0));
    }
}
