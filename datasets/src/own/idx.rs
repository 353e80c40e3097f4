//! IDX, the format of MNIST: big-endian sizes, then bytes.
//!
//! A file holds two zero bytes, the type (0x08: unsigned bytes), the number of dimensions, each dimension as four
//! bytes, and the data (Yann LeCun, *The MNIST Database*, "File formats").

use std::path::Path;
use std::sync::Arc;

use super::{OwnError, Part, RawRows, RawTargets, RowPlace, bytes, kind, label_name};
use crate::example::{Images, Inputs};

const UNSIGNED_BYTES: u8 = 0x08;
/// The largest side in pixels. A file that states a larger one does not hold small pictures.
const MAX_SIDE: usize = 512;

pub(super) fn read(part: &Part, classes: Option<&[String]>) -> Result<RawRows, OwnError> {
    let labels_path = part
        .labels
        .as_deref()
        .ok_or_else(|| OwnError::format(&part.path.display(), "a file of labels beside the file of images", "none"))?;
    let (images, images_sum) = bytes::read(&part.path)?;
    let (labels, labels_sum) = bytes::read(labels_path)?;
    let ([count, height, width], pixels) = parse::<3>(&images, &part.path)?;
    let ([label_count], labels) = parse::<1>(&labels, labels_path)?;
    if count != label_count {
        let expected = format!("{count} labels, one for each image of {}", part.path.display());
        return Err(OwnError::format(&labels_path.display(), expected, label_count));
    }
    let place = part.path.display();
    if count == 0 {
        return Err(OwnError::format(&place, "an image", "none"));
    }
    if !(1..=MAX_SIDE).contains(&height) || !(1..=MAX_SIDE).contains(&width) {
        return Err(OwnError::format(
            &place,
            format!("images of 1 to {MAX_SIDE} pixels a side"),
            format!("{height} x {width}"),
        ));
    }
    let (file, labels_file): (Arc<Path>, Arc<Path>) = (part.path.as_path().into(), labels_path.into());
    let mut names = Vec::with_capacity(count);
    for (index, &label) in labels.iter().enumerate() {
        let place = RowPlace { file: Arc::clone(&labels_file), at: Some(("label", index + 1)) };
        names.push(label_name(label, classes, &place)?);
    }
    Ok(RawRows {
        inputs: Inputs::Images(Images { channels: 1, height, width, pixels: pixels.to_vec() }),
        targets: RawTargets::Classes(names),
        places: (1..=count).map(|number| RowPlace { file: Arc::clone(&file), at: Some(("image", number)) }).collect(),
        sizes: None,
        checksums: vec![(bytes::name(&part.path), images_sum), (bytes::name(labels_path), labels_sum)],
    })
}

/// The `N` dimensions and the data of a file.
fn parse<'a, const N: usize>(file: &'a [u8], path: &Path) -> Result<([usize; N], &'a [u8]), OwnError> {
    let place = path.display();
    let header = 4 + 4 * N;
    let expected = "an IDX file, which begins with two zero bytes";
    if let Some(kind) = kind::of_bytes(file) {
        return Err(OwnError::kind(path, expected, kind));
    }
    if file.len() < 4 || file[..2] != [0, 0] {
        return Err(match kind::of_text(file, path).or_else(|| kind::of_name(path)) {
            Some(kind) => OwnError::kind(path, expected, kind),
            None => OwnError::format(&place, expected, "another kind of file"),
        });
    }
    if file[2] != UNSIGNED_BYTES {
        return Err(OwnError::format(&place, "unsigned bytes (type 0x08)", format!("type {:#04x}", file[2])));
    }
    if usize::from(file[3]) != N {
        let what = if N == 1 { "labels (1 dimension)" } else { "grey images (3 dimensions)" };
        return Err(OwnError::format(&place, what, format!("{} dimensions", file[3])));
    }
    if file.len() < header {
        return Err(OwnError::format(&place, format!("a header of {header} bytes"), format!("{} bytes", file.len())));
    }
    let sizes: [usize; N] = std::array::from_fn(|index| {
        let at = 4 + 4 * index;
        u32::from_be_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize
    });
    let total = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let data = &file[header..];
    if total != Some(data.len()) {
        let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
        let expected = format!("{} bytes after the header", sizes.join(" x "));
        return Err(OwnError::format(&place, expected, data.len()));
    }
    Ok((sizes, data))
}
