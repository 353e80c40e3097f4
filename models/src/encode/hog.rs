//! Histograms of oriented gradients: images to features (Dalal and Triggs, CVPR 2005).
//!
//! The conventions are those of scikit-image's `hog`, so that features can be compared number by number. The gradient
//! of a pixel is that of the colour channel in which it is largest. A pixel votes with its whole magnitude for one of
//! nine unsigned orientations of its own cell, without interpolation. Blocks of 2 x 2 cells overlap by one cell and are
//! normalised by L2-Hys.

use bakeoff_datasets::Images;
use ndarray::Array2;
use rayon::prelude::*;

/// Side of a cell in pixels.
const CELL: usize = 8;
/// Number of orientations over 180°.
const ORIENTATIONS: usize = 9;
/// Side of a block in cells.
const BLOCK: usize = 2;
/// L2-Hys limits the components of a normalised block to this.
const CLIP: f32 = 0.2;
/// Keeps the norm of an empty block above zero, for pixels in 0..=1.
const EPSILON: f32 = 1e-5;

/// The smallest side in pixels of an image that contains a whole block.
pub(crate) const SMALLEST_SIDE: usize = CELL * BLOCK;

/// The number of features of an image: 324 for 32 x 32 pixels.
pub(crate) fn width(image_height: usize, image_width: usize) -> usize {
    let blocks = |side: usize| side / CELL + 1 - BLOCK;
    blocks(image_height) * blocks(image_width) * BLOCK * BLOCK * ORIENTATIONS
}

/// A name for each feature of an image: its range of angles, its cell, and the block that normalises it. Rows and columns
/// are counted from 0.
pub(crate) fn feature_names(image_height: usize, image_width: usize) -> Vec<String> {
    let blocks_wide = image_width / CELL + 1 - BLOCK;
    let name = |index: usize| {
        let (place, angle) = (index / ORIENTATIONS, index % ORIENTATIONS * 180 / ORIENTATIONS);
        let (block, cell) = (place / (BLOCK * BLOCK), place % (BLOCK * BLOCK));
        let (top, left) = (block / blocks_wide, block % blocks_wide);
        let (row, column) = (top + cell / BLOCK, left + cell % BLOCK);
        let to = angle + 180 / ORIENTATIONS;
        format!("gradients at {angle} to {to} degrees in cell {row}, {column} of block {top}, {left}")
    };
    (0..width(image_height, image_width)).map(name).collect()
}

/// One row of features per image. Sides must be at least [`SMALLEST_SIDE`].
pub(crate) fn hog(images: &Images) -> Array2<f32> {
    let width = width(images.height, images.width);
    let mut features = Array2::zeros((images.len(), width));
    let rows = features.as_slice_mut().expect("a new array is contiguous");
    rows.par_chunks_mut(width).enumerate().for_each(|(index, row)| {
        let cells = cell_histograms(images, images.image(index));
        write_blocks(&cells, images.width / CELL, row);
    });
    features
}

/// The votes for each cell and orientation, row by row, divided by the number of pixels in a cell.
fn cell_histograms(images: &Images, pixels: &[u8]) -> Vec<[f32; ORIENTATIONS]> {
    let (cells_high, cells_wide) = (images.height / CELL, images.width / CELL);
    let mut cells = vec![[0.0; ORIENTATIONS]; cells_high * cells_wide];
    for y in 0..cells_high * CELL {
        for x in 0..cells_wide * CELL {
            let (down, across) = strongest_gradient(images, pixels, y, x);
            let magnitude = down.hypot(across);
            cells[y / CELL * cells_wide + x / CELL][orientation(down, across)] += magnitude / (CELL * CELL) as f32;
        }
    }
    cells
}

/// The central difference (down, across) in the channel in which it is largest, in units of the full pixel range. It is
/// zero at the border.
fn strongest_gradient(images: &Images, pixels: &[u8], y: usize, x: usize) -> (f32, f32) {
    let (height, width) = (images.height, images.width);
    let mut strongest = (0, 0);
    let mut largest = 0;
    for plane in pixels.chunks_exact(height * width) {
        let at = |y: usize, x: usize| i32::from(plane[y * width + x]);
        let down = if y == 0 || y + 1 == height { 0 } else { at(y + 1, x) - at(y - 1, x) };
        let across = if x == 0 || x + 1 == width { 0 } else { at(y, x + 1) - at(y, x - 1) };
        let squared = down * down + across * across;
        if squared > largest {
            largest = squared;
            strongest = (down, across);
        }
    }
    (strongest.0 as f32 / 255.0, strongest.1 as f32 / 255.0)
}

/// The bin of a gradient's angle, modulo 180°.
fn orientation(down: f32, across: f32) -> usize {
    let degrees = f64::from(down).atan2(f64::from(across)).to_degrees();
    let unsigned = if degrees < 0.0 { degrees + 180.0 } else { degrees };
    // 180° counts as 0°.
    (unsigned * ORIENTATIONS as f64 / 180.0) as usize % ORIENTATIONS
}

/// Writes the normalised blocks one after the other, in the order block row, block column, cell row, cell column,
/// orientation.
fn write_blocks(cells: &[[f32; ORIENTATIONS]], cells_wide: usize, out: &mut [f32]) {
    let blocks_wide = cells_wide + 1 - BLOCK;
    for (index, block) in out.chunks_exact_mut(BLOCK * BLOCK * ORIENTATIONS).enumerate() {
        let (top, left) = (index / blocks_wide, index % blocks_wide);
        for (place, part) in block.chunks_exact_mut(ORIENTATIONS).enumerate() {
            part.copy_from_slice(&cells[(top + place / BLOCK) * cells_wide + left + place % BLOCK]);
        }
        normalise(block);
        block.iter_mut().for_each(|v| *v = v.min(CLIP));
        normalise(block);
    }
}

fn normalise(block: &mut [f32]) {
    let norm = (block.iter().map(|v| v * v).sum::<f32>() + EPSILON * EPSILON).sqrt();
    block.iter_mut().for_each(|v| *v /= norm);
}
