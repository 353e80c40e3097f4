//! A folder for each class, with PNG and JPEG images in it.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use rayon::prelude::*;

use super::{CLASS_NAME, OwnError, Place, RawTargets, Rows, bytes, is_class_name};
use crate::checksum::sha256;
use crate::example::{Images, Inputs};

/// The widest and highest image that is decoded.
const MOST_PIXELS_A_SIDE: u32 = 16_384;
/// Bytes of one decoded image.
const MOST_DECODED_BYTES: u64 = 256 << 20;
/// Bytes that a PNG may hold beside its pixels: a colour profile, texts.
const MOST_BESIDE_BYTES: u64 = 16 << 20;
/// Bytes of all images after resizing.
const MOST_TOTAL_BYTES: usize = 4 << 30;
const CHANNELS: usize = 3;

pub(super) fn read(folder: &Path, side: usize) -> Result<Rows, OwnError> {
    let files = find(folder)?;
    let stride = CHANNELS * side * side;
    if files.len() > MOST_TOTAL_BYTES / stride {
        let found = format!("{} images of {CHANNELS} x {side} x {side}: make size smaller", files.len());
        return Err(OwnError::format(&folder.display(), format!("at most {MOST_TOTAL_BYTES} bytes of pixels"), found));
    }
    let mut pixels = vec![0; files.len() * stride];
    let read: Vec<Result<Seen, OwnError>> = pixels
        .par_chunks_mut(stride)
        .zip(&files)
        .map(|(pixels, file)| read_image(&file.path, side as u32, pixels))
        .collect();
    // In the order of the files, so that the first fault is the same one every time.
    let seen = read.into_iter().collect::<Result<Vec<Seen>, OwnError>>()?;
    let area = |seen: &&Seen| u64::from(seen.size[0]) * u64::from(seen.size[1]);
    let smallest = seen.iter().min_by_key(area).map(|seen| seen.size);
    let largest = seen.iter().max_by_key(area).map(|seen| seen.size);
    Ok(Rows {
        inputs: Inputs::Images(Images { channels: CHANNELS, height: side, width: side, pixels }),
        targets: RawTargets::Classes(files.iter().map(|file| file.class.clone()).collect()),
        places: files.iter().map(|file| Place { file: file.path.as_path().into(), at: None }).collect(),
        sizes: smallest.zip(largest).map(|(smallest, largest)| [smallest, largest]),
        checksums: vec![(bytes::name(folder), sum_of(&files, &seen))],
    })
}

/// An image and its class.
struct File {
    path: PathBuf,
    class: String,
}

/// What is kept of an image beside its pixels.
struct Seen {
    size: [u32; 2],
    sha256: String,
}

/// The sha256 of the list of images, a line each: class, name and sha256.
fn sum_of(files: &[File], seen: &[Seen]) -> String {
    let line = |(file, seen): (&File, &Seen)| format!("{}/{} {}\n", file.class, bytes::name(&file.path), seen.sha256);
    sha256(files.iter().zip(seen).map(line).collect::<String>().as_bytes())
}

/// The images of a folder, by class and then by name. Names that begin with a dot are passed over.
fn find(folder: &Path) -> Result<Vec<File>, OwnError> {
    let mut files = Vec::new();
    for class_folder in entries(folder)? {
        if !class_folder.is_dir() {
            let expected = "only folders here, one for each class";
            return Err(OwnError::format(&class_folder.display(), expected, "a file"));
        }
        let class = class_folder.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let class = class.ok_or_else(|| OwnError::format(&class_folder.display(), "a name in UTF-8", "another"))?;
        if !is_class_name(&class) {
            return Err(OwnError::format(&folder.display(), CLASS_NAME, format!("the folder {class:?}")));
        }
        let before = files.len();
        for path in entries(&class_folder)? {
            let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default().to_ascii_lowercase();
            if !path.is_file() || !["png", "jpg", "jpeg"].contains(&extension.as_str()) {
                let found = if path.is_dir() { "a folder" } else { "another kind of file" };
                return Err(OwnError::format(&path.display(), "an image: .png, .jpg or .jpeg", found));
            }
            files.push(File { path, class: class.clone() });
        }
        if files.len() == before {
            return Err(OwnError::format(&class_folder.display(), "an image: .png, .jpg or .jpeg", "an empty folder"));
        }
    }
    if files.is_empty() {
        return Err(OwnError::format(&folder.display(), "a folder for each class", "an empty folder"));
    }
    Ok(files)
}

/// What is in a folder, sorted, without what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, OwnError> {
    let unreadable = |source| OwnError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Decodes an image into `pixels`, three planes of `side` x `side`.
fn read_image(path: &Path, side: u32, pixels: &mut [u8]) -> Result<Seen, OwnError> {
    let data = bytes::read_stored(path)?;
    let image = decode(&data, path)?;
    let size = [image.width(), image.height()];
    let image: RgbImage = if size == [side, side] {
        image.into_rgb8()
    } else {
        image.resize_exact(side, side, FilterType::Triangle).into_rgb8()
    };
    let plane = pixels.len() / CHANNELS;
    for (at, pixel) in image.pixels().enumerate() {
        for channel in 0..CHANNELS {
            pixels[channel * plane + at] = pixel.0[channel];
        }
    }
    Ok(Seen { size, sha256: sha256(&data) })
}

/// Decodes an image whose size is within the limits, turned as its camera says.
fn decode(data: &[u8], path: &Path) -> Result<DynamicImage, OwnError> {
    let place = path.display();
    let broken = |error: image::ImageError| OwnError::format(&place, "a whole PNG or JPEG image", error);
    let reader = ImageReader::new(Cursor::new(data)).with_guessed_format();
    let mut reader = reader.map_err(|source| OwnError::Read { path: path.to_owned(), source })?;
    let format = reader.format();
    if !matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(OwnError::format(&place, "a PNG or JPEG image", "another kind of file"));
    }
    // Pixels are not in this limit of the PNG decoder; a profile that is larger when unpacked is passed over.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BESIDE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let sides = 1..=MOST_PIXELS_A_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) || decoder.total_bytes() > MOST_DECODED_BYTES {
        let expected =
            format!("1 to {MOST_PIXELS_A_SIDE} pixels a side and at most {MOST_DECODED_BYTES} bytes decoded");
        return Err(OwnError::format(&place, expected, format!("{width} x {height} pixels")));
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if format == Some(ImageFormat::Jpeg) && !reaches_end(data) {
        return Err(OwnError::format(&place, "a whole PNG or JPEG image", "a JPEG cut short"));
    }
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether a JPEG has its end; the decoder fills up in grey what is missing. It is a row of segments that say how long they
/// are, and of compressed data, in which the first byte of a marker is followed by zero or a restart.
fn reaches_end(jpeg: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&[first, second]) = jpeg.get(at..).and_then(<[u8]>::first_chunk) {
        match (first, second) {
            (0xff, 0xd9) => return true,
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let Some(&length) = jpeg.get(at + 2..).and_then(<[u8]>::first_chunk) else { return false };
                at += 2 + usize::from(u16::from_be_bytes(length));
            }
            _ => at += 1,
        }
    }
    false
}
