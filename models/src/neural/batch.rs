//! Batches: which rows go together, and how rows become tensors. Training rows are augmented.

use bakeoff_datasets::Images;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::encoder::{Encoded, Normalisation};
use super::recipe::Recipe;
use crate::encode::features::Features;
use crate::encode::pieces::PieceText;
use crate::encode::vocabulary::{PAD, SEPARATOR, UNKNOWN};

/// What a network takes.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one per shard, never a list of them")]
pub(crate) enum Batch {
    /// Standardised pixels, `examples x height x width x channels`.
    Images(Tensor<4>),
    /// Texts, padded at their ends to the longest of the batch. Where pairs are read apart, all first texts come before all
    /// second ones.
    Texts(TextBatch),
    /// Features, or what another network made of each example, `examples x features`.
    Features(Tensor<2>),
    /// Inputs of one of the forms above, and their features, `examples x features`.
    WithFeatures(Box<Batch>, Tensor<2>),
}

/// A batch of texts.
#[derive(Debug, Clone)]
pub(crate) struct TextBatch {
    /// Token numbers, `examples x tokens`.
    pub(crate) ids: Tensor<2, Int>,
    /// The same token numbers, with each text's own tokens in reverse order.
    pub(crate) reversed: Tensor<2, Int>,
    /// `examples x tokens`: one where there is a token, zero where there is padding.
    pub(crate) mask: Tensor<2>,
    /// The number of tokens of each text.
    pub(crate) lengths: Vec<usize>,
    /// `examples x tokens`: zero in the first segment, which ends with a separator, one after it. Absent if no text has two
    /// segments.
    pub(crate) segments: Option<Tensor<2, Int>>,
}

/// The batches of one epoch. The rows are shuffled, and then rows of similar length are brought together so that there
/// is little padding. Rows that do not fill a shard are left out of the epoch, because batch normalisation would see
/// too few of them. If there are fewer rows than a shard has, there is one small batch.
pub(crate) fn epoch(encoded: &Encoded<'_>, recipe: &Recipe, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    /// How many batches exchange rows by length. More of them need less padding, but mix the rows less.
    const WINDOW: usize = 8;
    let mut rows: Vec<usize> = (0..encoded.len()).collect();
    rows.shuffle(rng);
    if rows.len() > recipe.shard {
        rows.truncate(rows.len() / recipe.shard * recipe.shard);
    }
    for window in rows.chunks_mut(recipe.batch * WINDOW) {
        window.sort_by_key(|&row| encoded.length(row));
    }
    let mut batches: Vec<Vec<usize>> = rows.chunks(recipe.batch).map(<[usize]>::to_vec).collect();
    batches.shuffle(rng);
    batches
}

/// The rows without augmentation.
pub(crate) fn plain(encoded: &Encoded<'_>, rows: &[usize], device: &Device) -> Batch {
    match encoded {
        Encoded::Images { .. } | Encoded::ImagesOnDevice(_) => {
            in_views(encoded, rows, &vec![View::PLAIN; rows.len()], device)
        }
        Encoded::Tokens(texts) => tokens(rows.iter().map(|&row| texts[row].clone()).collect(), device),
        Encoded::Pairs(pairs) => tokens(sides(pairs, rows).cloned().collect(), device),
        Encoded::Features(all) => Batch::Features(features(all, rows, device)),
        Encoded::Pieces(texts) => pieces(texts, rows, device),
        Encoded::WithFeatures(raw, all) => {
            Batch::WithFeatures(Box::new(plain(raw, rows, device)), features(all, rows, device))
        }
    }
}

/// The random numbers of augmentation: each shard of a batch has its own.
pub(crate) struct Draws {
    shards: Vec<ChaCha8Rng>,
    /// Rows of a shard.
    rows: usize,
}

impl Draws {
    /// Those of shards of `rows` rows each; the last one may have fewer.
    pub(crate) fn new(shards: Vec<ChaCha8Rng>, rows: usize) -> Draws {
        Draws { shards, rows }
    }

    /// Those of the row at this place of the batch.
    fn of(&mut self, place: usize) -> &mut ChaCha8Rng {
        &mut self.shards[place / self.rows]
    }
}

/// The rows with augmentation, and which of them were mirrored. Features are not augmented.
pub(crate) fn augmented(
    encoded: &Encoded<'_>,
    rows: &[usize],
    recipe: &Recipe,
    draws: &mut Draws,
    device: &Device,
) -> (Batch, Vec<bool>) {
    match encoded {
        Encoded::Images { .. } | Encoded::ImagesOnDevice(_) => {
            let views: Vec<View> = (0..rows.len()).map(|place| View::draw(recipe, draws.of(place))).collect();
            let mirrored = views.iter().map(|view| view.mirror).collect();
            (in_views(encoded, rows, &views, device), mirrored)
        }
        Encoded::Tokens(texts) => {
            let dropped = |(place, &row): (usize, &usize)| word_dropout(&texts[row], recipe, draws.of(place));
            let texts = rows.iter().enumerate().map(dropped).collect();
            (tokens(texts, device), vec![false; rows.len()])
        }
        Encoded::Pairs(pairs) => {
            let dropped = |(place, text): (usize, &Vec<u32>)| word_dropout(text, recipe, draws.of(place % rows.len()));
            let texts = sides(pairs, rows).enumerate().map(dropped).collect();
            (tokens(texts, device), vec![false; rows.len()])
        }
        Encoded::Features(all) => (Batch::Features(features(all, rows, device)), vec![false; rows.len()]),
        Encoded::Pieces(texts) => (pieces(texts, rows, device), vec![false; rows.len()]),
        Encoded::WithFeatures(raw, all) => {
            // The features of a mirrored image would be others.
            let unmirrored = Recipe { flip: false, ..*recipe };
            let (batch, mirrored) = augmented(raw, rows, &unmirrored, draws, device);
            (Batch::WithFeatures(Box::new(batch), features(all, rows, device)), mirrored)
        }
    }
}

fn features(all: &Features, rows: &[usize], device: &Device) -> Tensor<2> {
    let values = all.select(rows).into_dense();
    let shape = [rows.len(), all.width()];
    Tensor::from_data(TensorData::new(values.into_raw_vec_and_offset().0, shape), device)
}

/// All first texts of these rows, then all second ones.
fn sides<'a>(pairs: &'a [[Vec<u32>; 2]], rows: &'a [usize]) -> impl Iterator<Item = &'a Vec<u32>> {
    (0..2).flat_map(move |side| rows.iter().map(move |&row| &pairs[row][side]))
}

/// Replaces some words by the unknown word. Separators stay.
fn word_dropout(text: &[u32], recipe: &Recipe, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut drop = |token: u32| {
        let dropped = rng.random::<f64>() < recipe.word_dropout;
        if dropped && token != SEPARATOR { UNKNOWN } else { token }
    };
    text.iter().map(|&token| drop(token)).collect()
}

/// How an image is augmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) mirror: bool,
    pub(super) down: i32,
    pub(super) right: i32,
}

impl View {
    pub(super) const PLAIN: View = View { mirror: false, down: 0, right: 0 };

    fn draw(recipe: &Recipe, rng: &mut ChaCha8Rng) -> View {
        let crop = i32::try_from(recipe.crop).expect("the domain of crop is small");
        let mut shift = || if crop == 0 { 0 } else { rng.random_range(-crop..=crop) };
        let (down, right) = (shift(), shift());
        View { mirror: recipe.flip && rng.random::<bool>(), down, right }
    }

    /// Appends image `row`, `height x width x channels`, mirrored and then shifted. Pixels from beyond the image are
    /// black before they are standardised.
    pub(super) fn push(self, images: &Images, row: usize, normalisation: &Normalisation, out: &mut Vec<f32>) {
        let image = images.image(row);
        let (height, width) = (images.height, images.width);
        for y in 0..height {
            let from_y = y.checked_add_signed(-self.down as isize).filter(|&y| y < height);
            for x in 0..width {
                let from_x = x.checked_add_signed(-self.right as isize).filter(|&x| x < width);
                let from_x = from_x.map(|x| if self.mirror { width - 1 - x } else { x });
                for channel in 0..images.channels {
                    let pixel = match (from_y, from_x) {
                        (Some(y), Some(x)) => image[(channel * height + y) * width + x],
                        _ => 0,
                    };
                    out.push((f32::from(pixel) / 255.0 - normalisation.mean[channel]) / normalisation.std[channel]);
                }
            }
        }
    }
}

/// The images of these rows, each in its view. They are cut where they are: in host memory or on the device.
pub(super) fn in_views(encoded: &Encoded<'_>, rows: &[usize], views: &[View], device: &Device) -> Batch {
    match encoded {
        Encoded::Images { images, normalisation } => {
            let mut pixels = Vec::with_capacity(rows.len() * images.stride());
            for (&row, view) in rows.iter().zip(views) {
                view.push(images, row, normalisation, &mut pixels);
            }
            let shape = [rows.len(), images.height, images.width, images.channels];
            Batch::Images(Tensor::from_data(TensorData::new(pixels, shape), device))
        }
        Encoded::ImagesOnDevice(images) => Batch::Images(images.batch(rows, views, device)),
        _ => unreachable!("only images have views"),
    }
}

fn tokens(texts: Vec<Vec<u32>>, device: &Device) -> Batch {
    let ends: Vec<Option<usize>> = texts.iter().map(|text| text.iter().position(|&token| token == SEPARATOR)).collect();
    // A separator belongs to the first segment.
    let firsts: Vec<Option<usize>> = ends.into_iter().map(|end| end.map(|end| end + 1)).collect();
    text_batch(&texts, &firsts, device)
}

/// The pieces of these rows.
fn pieces(texts: &[PieceText], rows: &[usize], device: &Device) -> Batch {
    let ids: Vec<&[u32]> = rows.iter().map(|&row| texts[row].ids.as_slice()).collect();
    let firsts: Vec<Option<usize>> =
        rows.iter().map(|&row| Some(texts[row].first).filter(|&first| first < texts[row].ids.len())).collect();
    text_batch(&ids, &firsts, device)
}

/// `firsts` says how many tokens of each text belong to its first segment; `None` for a text that has no second one.
fn text_batch<T: AsRef<[u32]>>(texts: &[T], firsts: &[Option<usize>], device: &Device) -> Batch {
    let texts: Vec<&[u32]> = texts.iter().map(AsRef::as_ref).collect();
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(1);
    let shape = [texts.len(), longest];
    let padded = |text: &mut dyn Iterator<Item = u32>| -> Vec<i64> {
        text.chain(std::iter::repeat(PAD)).take(longest).map(i64::from).collect()
    };
    let ids: Vec<i64> = texts.iter().flat_map(|text| padded(&mut text.iter().copied())).collect();
    let reversed: Vec<i64> = texts.iter().flat_map(|text| padded(&mut text.iter().rev().copied())).collect();
    let mask: Vec<f32> =
        texts.iter().flat_map(|text| (0..longest).map(|at| if at < text.len() { 1.0 } else { 0.0 })).collect();
    Batch::Texts(TextBatch {
        segments: segments(firsts, longest).map(|ids| Tensor::from_data(TensorData::new(ids, shape), device)),
        lengths: texts.iter().map(|text| text.len()).collect(),
        ids: Tensor::from_data(TensorData::new(ids, shape), device),
        reversed: Tensor::from_data(TensorData::new(reversed, shape), device),
        mask: Tensor::from_data(TensorData::new(mask, shape), device),
    })
}

/// [`TextBatch::segments`], row by row.
fn segments(firsts: &[Option<usize>], longest: usize) -> Option<Vec<i64>> {
    firsts.iter().any(Option::is_some).then(|| {
        let segment = |first: Option<usize>, at: usize| i64::from(first.is_some_and(|first| at >= first));
        firsts.iter().flat_map(|&first| (0..longest).map(move |at| segment(first, at))).collect()
    })
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::Inputs;
    use rand::SeedableRng;

    use super::*;
    use crate::neural::recipe::Rule;
    use crate::neural::schedule::Fall;

    const RECIPE: Recipe = Recipe {
        epochs: 1,
        batch: 8,
        shard: 4,
        rule: Rule::AdamW,
        learning_rate: 1.0,
        fall: Fall::Cosine,
        layer_decay: 1.0,
        warmup: 0.0,
        weight_decay: 0.0,
        clip: 1.0,
        flip: false,
        crop: 0,
        word_dropout: 0.0,
    };

    /// A mean of zero and a deviation of one 255th, so that the values are those of the pixels.
    fn raw() -> Normalisation {
        Normalisation { mean: vec![0.0], std: vec![1.0 / 255.0] }
    }

    fn seen(view: View, images: &Images) -> Vec<i32> {
        let mut out = Vec::new();
        view.push(images, 0, &raw(), &mut out);
        out.into_iter().map(|value| value.round() as i32).collect()
    }

    #[test]
    fn an_image_is_mirrored_then_moved_and_padded_with_black() {
        let images = Images { channels: 1, height: 2, width: 3, pixels: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(seen(View::PLAIN, &images), [1, 2, 3, 4, 5, 6]);
        assert_eq!(seen(View { mirror: true, down: 0, right: 0 }, &images), [3, 2, 1, 6, 5, 4]);
        assert_eq!(seen(View { mirror: false, down: 1, right: -1 }, &images), [0, 0, 0, 2, 3, 0]);
        assert_eq!(seen(View { mirror: true, down: 0, right: 1 }, &images), [0, 3, 2, 0, 6, 5]);
    }

    #[test]
    fn augmentation_is_drawn_within_its_bounds_and_uses_them_all() {
        let recipe = Recipe { flip: true, crop: 2, ..RECIPE };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let views: Vec<View> = (0..500).map(|_| View::draw(&recipe, &mut rng)).collect();
        for bound in -2..=2 {
            assert!(views.iter().any(|view| view.down == bound) && views.iter().any(|view| view.right == bound));
        }
        assert!(views.iter().all(|view| view.down.abs() <= 2 && view.right.abs() <= 2));
        let mirrored = views.iter().filter(|view| view.mirror).count();
        assert!((200..300).contains(&mirrored), "{mirrored} of 500 are mirrored");
        assert!((0..500).all(|_| View::draw(&RECIPE, &mut rng) == View::PLAIN));
    }

    #[test]
    fn an_epoch_has_each_row_once_in_full_shards_with_like_lengths_together() {
        let texts: Vec<Vec<u32>> = (0..70).map(|row| vec![5; row % 7 + 1]).collect();
        let encoded = Encoded::Tokens(texts);
        let batches = epoch(&encoded, &RECIPE, &mut ChaCha8Rng::seed_from_u64(1));
        let mut rows: Vec<usize> = batches.concat();
        assert_eq!(rows.len(), 68, "two rows fill no shard of four");
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), 68, "no row comes twice");
        let spread = |rows: &Vec<usize>| {
            let lengths = rows.iter().map(|&row| encoded.length(row));
            lengths.clone().max().unwrap_or(0) - lengths.min().unwrap_or(0)
        };
        assert!(batches.iter().map(spread).max() <= Some(4), "one batch holds every length");
    }

    #[test]
    fn a_handful_of_rows_is_one_batch() {
        let encoded = Encoded::Tokens(vec![vec![5]; 3]);
        let batches = epoch(&encoded, &RECIPE, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(batches.concat().len(), 3);
    }

    #[test]
    fn padding_stays_at_the_end_in_both_directions() {
        let encoded = Encoded::Tokens(vec![vec![3, 4, 5], vec![6]]);
        let Batch::Texts(tokens) = plain(&encoded, &[0, 1], &Device::flex()) else {
            panic!("texts give tokens");
        };
        let ids = |tensor: Tensor<2, Int>| tensor.try_into_vec_as::<i64>();
        assert_eq!(ids(tokens.ids).expect("integers"), [3, 4, 5, 6, 0, 0]);
        assert_eq!(ids(tokens.reversed).expect("integers"), [5, 4, 3, 6, 0, 0]);
        assert_eq!(tokens.mask.try_into_vec_as::<f32>().expect("floats"), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn pairs_read_apart_come_as_all_first_texts_and_then_all_second_ones() {
        let pairs = vec![[vec![3], vec![4, 5]], [vec![6, 7], vec![8]], [vec![9], vec![9]]];
        let Batch::Texts(tokens) = plain(&Encoded::Pairs(pairs), &[1, 0], &Device::flex()) else {
            panic!("texts give tokens");
        };
        assert_eq!(tokens.ids.try_into_vec_as::<i64>().expect("integers"), [6, 7, 3, 0, 8, 0, 4, 5]);
        assert!(tokens.segments.is_none());
    }

    #[test]
    fn segments_change_after_the_separator_and_no_separator_is_dropped() {
        let encoded = Encoded::Tokens(vec![vec![3, SEPARATOR, 4, 5], vec![6, 7, SEPARATOR]]);
        let recipe = Recipe { word_dropout: 0.999_999, ..RECIPE };
        let mut draws = Draws::new(vec![ChaCha8Rng::seed_from_u64(1)], 2);
        let (Batch::Texts(tokens), _) = augmented(&encoded, &[0, 1], &recipe, &mut draws, &Device::flex()) else {
            panic!("texts give tokens");
        };
        let ids = |tensor: Tensor<2, Int>| tensor.try_into_vec_as::<i64>().expect("integers");
        assert_eq!(ids(tokens.ids), [1, 2, 1, 1, 1, 1, 2, 0]);
        assert_eq!(ids(tokens.segments.expect("there is a separator")), [0, 0, 1, 1, 0, 0, 0, 1]);
    }

    #[test]
    fn mirrored_rows_are_marked() {
        let pixels: Vec<u8> = std::iter::repeat_n([1, 2], 64).flatten().collect();
        let inputs = Inputs::Images(Images { channels: 1, height: 1, width: 2, pixels });
        let Inputs::Images(images) = &inputs else { unreachable!("made of images") };
        let (normalisation, rows) = (raw(), (0..64).collect::<Vec<_>>());
        let encoded = Encoded::Images { images, normalisation: &normalisation };
        let recipe = Recipe { flip: true, ..RECIPE };
        let mut draws = Draws::new(vec![ChaCha8Rng::seed_from_u64(1)], 64);
        let (Batch::Images(x), mirrored) = augmented(&encoded, &rows, &recipe, &mut draws, &Device::flex()) else {
            panic!("images give images");
        };
        let x = x.try_into_vec_as::<f32>().expect("floats");
        for (pair, mirrored) in x.chunks_exact(2).zip(mirrored) {
            assert_eq!(mirrored, pair[0] > pair[1]);
        }
    }
}
