//! Several tests at once, where the share of false findings counts.

/// The adjustment of p-values by Benjamini and Hochberg: whoever rejects what is at most `q` has, in expectation, at most the share `q`
/// of false findings among all findings, and at most the probability `q` of any finding where nothing is true. Benjamini and Hochberg 1995,
/// "Controlling the false discovery rate"; as scipy's `false_discovery_control(method='bh')`.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    adjusted
}
