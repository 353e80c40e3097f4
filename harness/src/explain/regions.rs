//! Images as grids of regions, and regions permuted among them.

use std::ops::Range;

use bakeoff_datasets::{Images, Inputs};
use bakeoff_reports::{Part, ShownInput};
use rand_chacha::ChaCha8Rng;

use super::{Permuted, below};

/// Images whose regions are permuted.
#[derive(Debug)]
pub(super) struct Regions {
    images: Images,
    grid: usize,
}

impl Regions {
    /// Divides images into `grid x grid` regions.
    ///
    /// # Errors
    /// If a region would have no pixel.
    pub(super) fn new(images: Images, grid: usize) -> Result<Regions, String> {
        let side = images.height.min(images.width);
        if grid == 0 || grid > side {
            let Images { height, width, .. } = images;
            return Err(format!(
                "images of {height} x {width} pixels cannot be divided into {grid} x {grid} regions: give 1 to {side} (--grid)"
            ));
        }
        Ok(Regions { images, grid })
    }

    pub(super) fn inputs(&self) -> Inputs {
        Inputs::Images(self.images.clone())
    }

    pub(super) fn shown(&self, row: usize) -> ShownInput {
        let Images { channels, height, width, .. } = self.images;
        ShownInput::Image { channels, height, width, pixels: self.images.image(row).to_vec(), grid: self.grid }
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        let part = |at: usize| Part::Region { row: at / self.grid, column: at % self.grid };
        (0..self.grid * self.grid).map(part).collect()
    }

    pub(super) fn permuted(&self, part: usize, sources: &[usize]) -> Permuted {
        let rows: Vec<usize> = (0..sources.len()).filter(|&row| sources[row] != row).collect();
        let variants = rows.iter().map(|&row| (row, part, sources[row]));
        let inputs = self.with_regions(variants);
        Permuted { rows, inputs }
    }

    pub(super) fn variants(&self, row: usize, repeats: usize, rng: &mut ChaCha8Rng) -> (usize, Inputs) {
        let parts = self.grid * self.grid;
        let count = self.images.len();
        let mut other = || (row + 1 + below(count - 1, rng)) % count;
        let variants: Vec<(usize, usize, usize)> =
            (0..parts).flat_map(|part| vec![part; repeats]).map(|part| (row, part, other())).collect();
        (parts, self.with_regions(variants.into_iter()))
    }

    /// Images (first of a triple) with a region (second) of another image (third).
    fn with_regions(&self, variants: impl Iterator<Item = (usize, usize, usize)>) -> Inputs {
        let Images { channels, height, width, .. } = self.images;
        let mut pixels = Vec::new();
        for (row, part, source) in variants {
            let start = pixels.len();
            pixels.extend_from_slice(self.images.image(row));
            let (down, across) = (self.side(part / self.grid, height), self.side(part % self.grid, width));
            for line in (0..channels).flat_map(|plane| down.clone().map(move |line| plane * height + line)) {
                let place = line * width + across.start..line * width + across.end;
                pixels[start + place.start..start + place.end].copy_from_slice(&self.images.image(source)[place]);
            }
        }
        Inputs::Images(Images { channels, height, width, pixels })
    }

    /// The pixels of the region with this number along a side of this length.
    fn side(&self, number: usize, length: usize) -> Range<usize> {
        number * length / self.grid..(number + 1) * length / self.grid
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_region_comes_from_the_source_in_every_plane() {
        // Two images of 2 planes, 2 x 3 pixels: zeros, and ones to twelve.
        let pixels = std::iter::repeat_n(0, 12).chain(1..=12).collect();
        let regions = Regions::new(Images { channels: 2, height: 2, width: 3, pixels }, 2).unwrap();
        let Permuted { rows, inputs } = regions.permuted(1, &[1, 1]);
        assert_eq!(rows, [0]);
        let Inputs::Images(images) = inputs else { panic!("they are images") };
        // The upper right region has the second and the third column.
        assert_eq!(images.pixels, [0, 2, 3, 0, 0, 0, 0, 8, 9, 0, 0, 0]);
        assert_eq!(regions.parts().len(), 4);
    }

    #[test]
    fn every_pixel_is_in_one_region() {
        let regions = Regions::new(Images { channels: 1, height: 7, width: 7, pixels: vec![0; 49] }, 3).unwrap();
        let all: Vec<usize> = (0..3).flat_map(|number| regions.side(number, 7)).collect();
        assert_eq!(all, (0..7).collect::<Vec<_>>());
    }
}
