//! Published weights: reads safetensors files that PyTorch wrote.

use safetensors::{Dtype, SafeTensors};

use super::weights::WeightLayout;
use crate::model::ModelError;

/// Reads the values of all slots of `layout` from a file that has the same names.
///
/// PyTorch stores a linear layer as `outputs x inputs` and a kernel as `outputs x inputs x height x width`. Slots are
/// `inputs x outputs` and `height x width x inputs x outputs`.
///
/// # Errors
/// If the file is broken, or if a tensor is missing, is not of 32-bit floats or has another shape.
pub(crate) fn read(bytes: &[u8], layout: &WeightLayout) -> Result<Vec<f32>, ModelError> {
    let failed = |what: String| ModelError::Failed(format!("failed to read the weights: {what}"));
    let file = SafeTensors::deserialize(bytes).map_err(|error| failed(error.to_string()))?;
    layout.gather(|name, shape| {
        let tensor = file.tensor(name).map_err(|error| failed(format!("'{name}': {error}")))?;
        let order: Vec<usize> = match shape.len() {
            2 => vec![1, 0],
            4 => vec![2, 3, 1, 0],
            rank => (0..rank).collect(),
        };
        let found: Vec<usize> = order.iter().filter_map(|&axis| tensor.shape().get(axis).copied()).collect();
        if tensor.dtype() != Dtype::F32 || found != shape || tensor.shape().len() != shape.len() {
            let (dtype, theirs) = (tensor.dtype(), tensor.shape());
            return Err(failed(format!("'{name}' is {dtype:?} {theirs:?}, expected F32 for a slot of {shape:?}")));
        }
        Ok(permuted(tensor.data(), tensor.shape(), &order))
    })
}

/// Little-endian floats of the given shape, with the axes in the order `order`.
fn permuted(bytes: &[u8], shape: &[usize], order: &[usize]) -> Vec<f32> {
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let target: Vec<(usize, usize)> = order.iter().map(|&axis| (shape[axis], stride(axis))).collect();
    let count = shape.iter().product();
    let mut values = Vec::with_capacity(count);
    for mut index in 0..count {
        let mut source = 0;
        for &(size, stride) in target.iter().rev() {
            source += index % size * stride;
            index /= size;
        }
        let number: [u8; 4] = bytes[4 * source..][..4].try_into().expect("a slice of four bytes");
        values.push(f32::from_le_bytes(number));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::weights::Init;

    fn file(name: &str, shape: Vec<usize>, values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = safetensors::tensor::TensorView::new(Dtype::F32, shape, &bytes).expect("shape and bytes agree");
        safetensors::serialize([(name, view)], None).expect("a file in memory")
    }

    #[test]
    fn matrices_are_transposed_and_kernels_end_with_their_outputs() {
        let mut layout = WeightLayout::default();
        layout.matrix("fc", &[3, 2], Init::Constant(0.0));
        let values = read(&file("fc", vec![2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), &layout);
        assert_eq!(values, Ok(vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));

        let mut layout = WeightLayout::default();
        layout.matrix("conv", &[1, 2, 1, 2], Init::Constant(0.0));
        let values = read(&file("conv", vec![2, 1, 1, 2], &[0.0, 1.0, 2.0, 3.0]), &layout);
        assert_eq!(values, Ok(vec![0.0, 2.0, 1.0, 3.0]));
    }

    #[test]
    fn another_shape_is_refused_by_name() {
        let mut layout = WeightLayout::default();
        layout.matrix("fc", &[3, 2], Init::Constant(0.0));
        let error = read(&file("fc", vec![3, 2], &[0.0; 6]), &layout).expect_err("the shape is not transposed");
        assert!(error.to_string().contains("'fc' is F32 [3, 2], expected F32 for a slot of [3, 2]"), "{error}");
        assert!(read(&file("other", vec![2, 3], &[0.0; 6]), &layout).is_err());
    }
}
