//! How often a model wins on every seed by luck alone.

/// The probability that all runs of one given model beat all runs of another, with `seeds` seeds each and nothing that
/// pairs them, if both are equally good: `1 / C(2n, n)`, because each choice of the better half of the `2n` runs is
/// equally likely. It is 1/2, 1/6, 1/20 and 1/70 for 1 to 4 seeds. It is one-sided: that one of the two beats the other
/// so, whichever it is, is twice as likely. Scores are taken to have no ties.
///
/// `None` without a seed.
pub fn chance_of_separation(seeds: u32) -> Option<f64> {
    // C(2n, n) is the product of (n + i) / i.
    (seeds > 0).then(|| (1..=seeds).map(|i| f64::from(i) / (f64::from(seeds) + f64::from(i))).product())
}

/// The probability that the same model wins on each of `seeds` paired seeds, whichever of the two it is, if both are
/// equally good: `2^(1-n)`, that is 1, 1/2, 1/4 and 1/8 for 1 to 4 seeds. It is two-sided: that one given model wins on
/// each is half as likely. It is also the p of the sign test (Conover 1999, section 3.4) of such a result. Scores are
/// taken to have no ties.
///
/// `None` without a seed.
pub fn chance_of_sweep(seeds: u32) -> Option<f64> {
    (seeds > 0).then(|| 0.5_f64.powf(f64::from(seeds) - 1.0))
}
