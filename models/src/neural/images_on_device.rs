//! Images that were uploaded to a device once. A batch is gathered there, augmentation included.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batch::View;
use super::encoder::Encoded;

/// More bytes than this are not uploaded as a whole: a card has other uses for its memory. All of CIFAR-10 is 0.6 GB.
const MOST_BYTES: u64 = 1 << 30;

/// Standardised images on a device.
#[derive(Debug, Clone)]
pub(crate) struct ImagesOnDevice {
    /// `pixels x channels`: those of all images, row by row, and last a black one.
    pixels: Tensor<2>,
    images: usize,
    height: usize,
    width: usize,
}

impl ImagesOnDevice {
    pub(crate) fn len(&self) -> usize {
        self.images
    }

    /// The images of these rows, each in its view, `examples x height x width x channels`.
    pub(super) fn batch(&self, rows: &[usize], views: &[View], device: &Device) -> Tensor<4> {
        let (examples, height, width) = (rows.len(), self.height, self.width);
        let whole = |number: usize| i32::try_from(number).expect("MOST_BYTES bounds the number of pixels");
        // Of each example: its first pixel, how far it is moved down and right, and whether it is mirrored.
        let mut given: Vec<i32> = rows.iter().map(|row| whole(row * height * width)).collect();
        given.extend(views.iter().map(|view| view.down));
        given.extend(views.iter().map(|view| view.right));
        given.extend(views.iter().map(|view| i32::from(view.mirror)));
        let here = self.pixels.device();
        let given = Tensor::<2, Int>::from_data(TensorData::new(given, [4, examples]), &here);
        let of = |index: usize| -> Tensor<2, Int> { given.clone().narrow(0, index, 1).reshape([examples, 1]) };
        let along = |side: usize, moved: Tensor<2, Int>| -> Tensor<2, Int> {
            let at = Tensor::<1, Int>::arange(0..whole(side).into(), &here).reshape([1, side]);
            at.expand([examples, side]) - moved.expand([examples, side])
        };
        let (y, x) = (along(height, of(1)), along(width, of(2)));
        let outside = |at: &Tensor<2, Int>, side: usize| {
            at.clone().lower_elem(0).bool_or(at.clone().greater_equal_elem(whole(side)))
        };
        let shape = [examples, height, width];
        let outside = outside(&y, height)
            .reshape([examples, height, 1])
            .expand(shape)
            .bool_or(outside(&x, width).reshape([examples, 1, width]).expand(shape));
        // `x` counts from the right in a mirrored image.
        let mirror = of(3).expand([examples, width]);
        let x = x.clone() + mirror * (x * -2 + (whole(width) - 1));
        let pixel: Tensor<3, Int> =
            (of(0).expand([examples, height]) + y * whole(width)).reshape([examples, height, 1]).expand(shape)
                + x.reshape([examples, 1, width]).expand(shape);
        let [pixels, channels] = self.pixels.dims();
        let pixel = pixel.mask_fill(outside, whole(pixels - 1)).flatten(0, 2);
        let batch = self.pixels.clone().select(0, pixel).reshape([examples, height, width, channels]);
        if device.is_autodiff() { batch.autodiff() } else { batch }
    }
}

impl<'a> Encoded<'a> {
    /// The same rows, with images on the device if they fit into a tensor there, which may have `most` bytes. Texts are small, and stay in
    /// host memory.
    pub(super) fn uploaded(self, device: &Device, most: u64) -> Encoded<'a> {
        match self {
            Encoded::Images { images, normalisation }
                if ((images.len() + 1) * images.stride() * size_of::<f32>()) as u64 <= most.min(MOST_BYTES) =>
            {
                let (height, width, channels) = (images.height, images.width, images.channels);
                let mut numbers = Vec::with_capacity((images.len() * height * width + 1) * channels);
                for row in 0..images.len() {
                    View::PLAIN.push(images, row, normalisation, &mut numbers);
                }
                numbers.extend((0..channels).map(|channel| -normalisation.mean[channel] / normalisation.std[channel]));
                let shape = [images.len() * height * width + 1, channels];
                let pixels = Tensor::from_data(TensorData::new(numbers, shape), device);
                Encoded::ImagesOnDevice(Box::new(ImagesOnDevice { pixels, images: images.len(), height, width }))
            }
            Encoded::WithFeatures(raw, features) => {
                Encoded::WithFeatures(Box::new(raw.uploaded(device, most)), features)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::Images;

    use super::super::batch::{self, Batch};
    use super::super::encoder::Normalisation;
    use super::*;

    #[test]
    fn views_that_a_device_gathers_are_those_that_are_cut_in_host_memory() {
        let (channels, height, width) = (2, 4, 5);
        let pixels: Vec<u8> = (0..3 * channels * height * width).map(|at| (at * 37 % 251) as u8).collect();
        let images = Images { channels, height, width, pixels };
        let normalisation = Normalisation { mean: vec![0.4, 0.5], std: vec![0.2, 0.3] };
        let encoded = Encoded::Images { images: &images, normalisation: &normalisation };
        let device = Device::flex();
        let uploaded = encoded.clone().uploaded(&device, u64::MAX);
        assert!(matches!(uploaded, Encoded::ImagesOnDevice(_)));
        assert!(matches!(encoded.clone().uploaded(&device, 400), Encoded::Images { .. }), "they have 480 bytes");
        let rows = [2, 0, 1, 2, 0];
        let view = |mirror, down, right| View { mirror, down, right };
        let views =
            [View::PLAIN, view(true, 0, 0), view(false, 1, -2), view(true, -3, 1), view(true, 2, 4), view(false, 9, 0)];
        for view in views {
            let cut = |encoded: &Encoded<'_>| match batch::in_views(encoded, &rows, &[view; 5], &device) {
                Batch::Images(images) => images.try_into_vec_as::<f32>().expect("floats"),
                _ => panic!("images are a batch of images"),
            };
            assert_eq!(cut(&uploaded), cut(&encoded), "{view:?}");
        }
    }
}
