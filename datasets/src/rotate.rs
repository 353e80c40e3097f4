//! Rotates images by known angles, which makes a regression task on images.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::example::{Images, Inputs, Split, Targets};

/// The largest angle, in degrees, to either side.
pub const MAX_DEGREES: f64 = 60.0;

/// Rotates each image about its centre by an angle of its own. `seed` draws the angles uniformly from ±[`MAX_DEGREES`].
/// The targets are the angles in degrees, positive for images that are turned counter-clockwise as seen.
///
/// Pixels are interpolated bilinearly. Beyond its border, an image is continued by its reflection. The random numbers
/// come from ChaCha8, sine and cosine from one implementation, and the rest is IEEE arithmetic. So the same images and
/// seed give the same bytes on every platform.
pub fn rotate(images: &Images, seed: u64) -> Split {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = Vec::with_capacity(images.pixels.len());
    let mut angles = Vec::with_capacity(images.len());
    for index in 0..images.len() {
        // The 53 bits that a double holds: uniform in [0, 1).
        let share = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        // The angle is rounded to the precision of the target first, so that the image is turned by exactly the angle
        // to predict.
        let degrees = ((2.0 * share - 1.0) * MAX_DEGREES) as f32;
        turn(images, index, f64::from(degrees), &mut pixels);
        angles.push(degrees);
    }
    Split { inputs: Inputs::Images(Images { pixels, ..*images }), targets: Targets::Values(angles) }
}

/// Appends image `index`, turned counter-clockwise by `degrees`, to `out`.
fn turn(images: &Images, index: usize, degrees: f64, out: &mut Vec<u8>) {
    let (height, width) = (images.height, images.width);
    let (sin, cos) = libm::sincos(degrees.to_radians());
    let (centre_y, centre_x) = ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0);
    let mut taps = Vec::with_capacity(height * width);
    for row in 0..height {
        for column in 0..width {
            let (dy, dx) = (row as f64 - centre_y, column as f64 - centre_x);
            // Row numbers grow downwards, so this rotation gives the place in the source that a pixel comes from.
            taps.push(tap(centre_y + dx * sin + dy * cos, centre_x + dx * cos - dy * sin, height, width));
        }
    }
    for plane in images.image(index).chunks(height * width) {
        out.extend(taps.iter().map(|tap| {
            let value: f64 = tap.iter().map(|&(offset, weight)| f64::from(plane[offset]) * weight).sum();
            (value + 0.5) as u8
        }));
    }
}

/// The four pixels of a plane around the point (`y`, `x`), with their weights.
fn tap(y: f64, x: f64, height: usize, width: usize) -> [(usize, f64); 4] {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = (y - top, x - left);
    let (y0, y1) = (reflect(top as i64, height), reflect(top as i64 + 1, height));
    let (x0, x1) = (reflect(left as i64, width), reflect(left as i64 + 1, width));
    [
        (y0 * width + x0, (1.0 - down) * (1.0 - right)),
        (y0 * width + x1, (1.0 - down) * right),
        (y1 * width + x0, down * (1.0 - right)),
        (y1 * width + x1, down * right),
    ]
}

/// The place within `0..size` that mirrors `index` at the outer edges: … 1 0 | 0 1 … n-1 | n-1 n-2 …
fn reflect(index: i64, size: usize) -> usize {
    let within = index.rem_euclid(2 * size as i64) as usize;
    if within < size { within } else { 2 * size - 1 - within }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn images(side: usize, pixels: Vec<u8>) -> Images {
        Images { channels: 1, height: side, width: side, pixels }
    }

    fn turned(side: usize, pixels: Vec<u8>, degrees: f64) -> Vec<u8> {
        let mut out = Vec::new();
        turn(&images(side, pixels), 0, degrees, &mut out);
        out
    }

    fn parts(split: &Split) -> (&[u8], &[f32]) {
        match (&split.inputs, &split.targets) {
            (Inputs::Images(images), Targets::Values(angles)) => (&images.pixels, angles),
            _ => panic!("not images with values"),
        }
    }

    /// Deterministic pixels with no pattern.
    fn noise(count: usize) -> Vec<u8> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        (0..count).map(|_| random.next_u64() as u8).collect()
    }

    #[test]
    fn a_positive_angle_turns_counter_clockwise() {
        assert_eq!(turned(2, vec![1, 2, 3, 4], 90.0), [2, 4, 1, 3]);
        assert_eq!(turned(2, vec![1, 2, 3, 4], -90.0), [3, 1, 4, 2]);
        // A bright dot to the right of the centre moves up.
        let mut dot = vec![0; 81];
        dot[4 * 9 + 8] = 255;
        let up = turned(9, dot, 45.0);
        let brightest = (0..81).max_by_key(|&at| up[at]);
        assert_eq!(brightest, Some(9 + 7), "{up:?}");
    }

    #[test]
    fn no_angle_changes_nothing_and_half_a_turn_reverses() {
        let pixels = noise(32 * 32);
        assert_eq!(turned(32, pixels.clone(), 0.0), pixels);
        let reversed: Vec<u8> = pixels.iter().rev().copied().collect();
        assert_eq!(turned(32, pixels, 180.0), reversed);
    }

    #[test]
    fn turning_one_way_is_turning_the_mirror_image_the_other_way() {
        let mirror = |pixels: &[u8]| -> Vec<u8> {
            pixels.chunks(16).flat_map(|row| row.iter().rev().copied().collect::<Vec<_>>()).collect()
        };
        let pixels = noise(16 * 16);
        let there = mirror(&turned(16, pixels.clone(), 37.0));
        let back = turned(16, mirror(&pixels), -37.0);
        assert!(there.iter().zip(&back).all(|(a, b)| a.abs_diff(*b) <= 1), "{there:?}\n{back:?}");
    }

    #[test]
    fn the_border_is_its_reflection() {
        assert_eq!((-4..8).map(|at| reflect(at, 3)).collect::<Vec<_>>(), [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
        // An even picture stays even, without black corners.
        assert_eq!(turned(32, vec![200; 32 * 32], 45.0), vec![200; 32 * 32]);
    }

    #[test]
    fn each_pixel_is_the_mean_of_four_at_the_middle_between_them() {
        assert_eq!(tap(0.5, 0.5, 2, 2), [(0, 0.25), (1, 0.25), (2, 0.25), (3, 0.25)]);
    }

    #[test]
    fn angles_are_finite_uniform_and_in_range() {
        let split = rotate(&images(1, vec![0; 20_000]), 7);
        let (_, angles) = parts(&split);
        assert!(angles.iter().all(|angle| angle.abs() <= MAX_DEGREES as f32));
        // Each of twelve equal bins holds 1,667 of 20,000 in expectation, with a deviation of 39.
        let mut bins = [0_usize; 12];
        for angle in angles {
            bins[(((angle + 60.0) / 10.0) as usize).min(11)] += 1;
        }
        assert!(bins.iter().all(|&count| count.abs_diff(1_667) < 200), "{bins:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_examples_and_another_seed_others() {
        let images = images(8, noise(8 * 8 * 3));
        assert_eq!(rotate(&images, 1), rotate(&images, 1));
        assert_ne!(rotate(&images, 1), rotate(&images, 2));
    }

    #[test]
    fn the_bytes_are_the_same_on_every_platform() {
        let split = rotate(&images(32, noise(32 * 32 * 50)), 11);
        let (pixels, angles) = parts(&split);
        let mut hash = Sha256::new();
        hash.update(pixels);
        angles.iter().for_each(|angle| hash.update(angle.to_le_bytes()));
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "d097069a317dd9b4e7bc983c782b935aeadf307cd65330cb8bd7fd0265551f63");
    }
}
