//! What a device compiles and chooses before a fit is timed.

use bakeoff_datasets::{Inputs, Split};

use crate::device::Device;
use crate::model::{EpochReport, ModelEntry, ModelError, Spec, Watch};

/// How many steps a device is prepared by. Each is of texts of another length.
const STEPS: usize = 4;

/// Has a card compile the kernels of a fit on such rows, and choose among them, which a library does when it first needs them. For that, a
/// model like the one of `spec` is fitted on few of the rows, for one epoch, and is thrown away. On the processor there is nothing to do.
///
/// # Errors
/// See [`crate::Model::fit`].
pub fn prepare(entry: &dyn ModelEntry, spec: &Spec, train: &Split, validation: &Split) -> Result<(), ModelError> {
    if spec.device == Device::Cpu {
        return Ok(());
    }
    let mut spec = spec.clone();
    for (name, most) in [("epochs", 1), ("head_epochs", 1), ("ensemble", 1)] {
        spec.params.limit(name, most);
    }
    let batch = if spec.params.has("batch") { spec.params.int("batch") } else { 1 };
    // The last step of an epoch may have fewer rows, and so another shape.
    let few = evenly_by_length(train, STEPS * batch + train.len() % batch);
    spec.shape.train_rows = few.len() + validation.len();
    match entry.build(&spec)?.fit(&few, validation, &mut Nobody) {
        // It takes steps of full length from the start, as the fit does not.
        Err(ModelError::Diverged { .. }) => Ok(()),
        prepared => prepared,
    }
}

/// So many rows of a split, evenly from its shortest text to its longest one. Images come in their order.
fn evenly_by_length(split: &Split, rows: usize) -> Split {
    let mut order: Vec<usize> = (0..split.len()).collect();
    if let Inputs::Texts(texts) = &split.inputs {
        order.sort_by_key(|&row| texts[row].first.len() + texts[row].second.as_ref().map_or(0, String::len));
    }
    let rows = rows.min(order.len());
    split.select(&(0..rows).map(|at| order[at * order.len() / rows]).collect::<Vec<_>>())
}

/// Who is told of a fit that nobody looks at.
struct Nobody;

impl Watch for Nobody {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(0.0)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::{Targets, Text};

    use super::*;

    #[test]
    fn a_device_is_prepared_by_texts_of_every_length() {
        let text = |length: usize| Text { first: "a".repeat(length), second: None };
        let inputs = Inputs::Texts([9, 1, 8, 2, 7, 3, 6, 4, 5, 0].map(text).to_vec());
        let split = Split { inputs, targets: Targets::Values(vec![0.0; 10]) };
        let lengths = |split: &Split| match &split.inputs {
            Inputs::Texts(texts) => texts.iter().map(|text| text.first.len()).collect::<Vec<_>>(),
            _ => panic!("they are texts"),
        };
        assert_eq!(lengths(&evenly_by_length(&split, 5)), [0, 2, 4, 6, 8]);
        assert_eq!(lengths(&evenly_by_length(&split, 99)).len(), 10);
    }
}
