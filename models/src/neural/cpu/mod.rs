//! Code that computes on the processor and on no other device.
//!
//! The library's backend for the processor spends most of a training step on copies between layouts. So loops of our
//! own compute the functions that networks are made of. Each function is a [`kernel`], and most of its work is a
//! [`product`]. [`pools`] are the threads, and [`lockstep`] is for threads that work on one sequence together.
//!
//! The modules are private. Networks, recipe and training loop see only what is exported below. No file outside this
//! folder names a thread pool, a vector instruction or the library's backend.
//!
//! Nothing here knows of other devices. [`super::functions`] is the only caller of the tensor functions, and chooses between them and those
//! of [`super::portable`], which are their reference in the tests here.

mod attention;
mod convolution;
mod dropout;
mod gelu;
mod kernel;
mod layer_norm;
mod linear;
mod lockstep;
mod math;
mod normalisation;
mod optimizer;
mod peak;
mod pools;
mod product;
mod recurrence;

/// Functions of tensors. They are differentiable if the tensors are.
pub(crate) use self::{
    attention::attend,
    convolution::convolve,
    dropout::dropout,
    gelu::gelu,
    layer_norm::layer_norm,
    linear::linear,
    normalisation::{normalise, standardise},
    recurrence::{recur_gru, recur_lstm},
};
/// Work on flat vectors of weights, and the threads that a fit runs on.
pub(crate) use self::{
    optimizer::{ADAM, Optimizer, Pace, clip},
    pools::Pools,
    product::add,
};

/// Work for measuring the machine.
pub use self::peak::PeakWork;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Source files in a folder and below it.
    fn sources(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder of the sources") {
            let path = entry.expect("an entry of it").path();
            match path.is_dir() {
                true => found.extend(sources(&path)),
                false => found.push(path),
            }
        }
        found
    }

    #[test]
    fn outside_the_fence_no_network_names_what_is_the_processors_own() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let fence = root.join("neural/cpu");
        let (mut within, mut outside) = (0, 0);
        for path in sources(&root) {
            let source = fs::read_to_string(&path).expect("a source file");
            let of_networks = path.starts_with(root.join("neural")) || source.contains("use crate::neural::");
            let words: Vec<&str> =
                ["rayon", "pulp", "burn::backend"].into_iter().filter(|word| source.contains(word)).collect();
            match path.starts_with(&fence) {
                true => within += words.len(),
                false if of_networks => {
                    outside += 1;
                    assert!(
                        words.is_empty(),
                        "{} names {words:?}: that belongs into {}",
                        path.display(),
                        fence.display()
                    );
                }
                false => {}
            }
        }
        assert!(within > 3 && outside > 10, "the sources are elsewhere: {within} words, {outside} files");
    }
}
