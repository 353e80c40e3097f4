//! Reads a folder of PNG and JPEG images for each class.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use rayon::prelude::*;

use super::kind::{self, Family, FileKind, HEAD_BYTES};
use super::names::normalized;
use super::{CLASS_NAME, OwnError, RawRows, RawTargets, RowPlace, bytes, is_class_name};
use crate::checksum::sha256;
use crate::example::{Images, Inputs};

/// The largest side of an image, in pixels.
const MAX_PIXELS_A_SIDE: u32 = 16_384;
/// The largest decoded image, in bytes.
const MAX_DECODED_BYTES: u64 = 256 << 20;
/// The largest number of bytes that a PNG may hold beside its pixels, such as a colour profile or texts.
const MAX_BESIDE_BYTES: u64 = 16 << 20;
/// The largest size of all images after resizing, in bytes.
const MAX_TOTAL_BYTES: usize = 4 << 30;
const CHANNELS: usize = 3;

pub(super) fn read(folder: &Path, side: usize) -> Result<RawRows, OwnError> {
    let Listing { files, strays } = list(folder)?;
    refuse(&[folder], &strays)?;
    let stride = CHANNELS * side * side;
    if files.len() > MAX_TOTAL_BYTES / stride {
        let found = format!("{} images of {CHANNELS} x {side} x {side}: make size smaller", files.len());
        return Err(OwnError::format(&folder.display(), format!("at most {MAX_TOTAL_BYTES} bytes of pixels"), found));
    }
    let mut pixels = vec![0; files.len() * stride];
    let read: Vec<Result<ImageFacts, OwnError>> = pixels
        .par_chunks_mut(stride)
        .zip(&files)
        .map(|(pixels, file)| read_image(&file.path, side as u32, pixels))
        .collect();
    let broken = read.iter().filter(|read| read.is_err()).count();
    // The results are in the order of the files, so that the error is always that of the same file.
    let seen =
        read.into_iter().collect::<Result<Vec<ImageFacts>, OwnError>>().map_err(|error| error.and_more(broken - 1))?;
    let area = |seen: &&ImageFacts| u64::from(seen.size[0]) * u64::from(seen.size[1]);
    let smallest = seen.iter().min_by_key(area).map(|seen| seen.size);
    let largest = seen.iter().max_by_key(area).map(|seen| seen.size);
    Ok(RawRows {
        inputs: Inputs::Images(Images { channels: CHANNELS, height: side, width: side, pixels }),
        targets: RawTargets::Classes(files.iter().map(|file| file.class.clone()).collect()),
        places: files.iter().map(|file| RowPlace { file: file.path.as_path().into(), at: None }).collect(),
        sizes: smallest.zip(largest).map(|(smallest, largest)| [smallest, largest]),
        checksums: vec![(bytes::name(folder), sum_of(&files, &seen))],
    })
}

/// An image and its class.
struct ImageFile {
    path: PathBuf,
    class: String,
}

/// What is kept about an image beside its pixels.
struct ImageFacts {
    size: [u32; 2],
    sha256: String,
}

/// The sha256 of the list of images, one line each: class, name and sha256.
fn sum_of(files: &[ImageFile], seen: &[ImageFacts]) -> String {
    let line = |(file, seen): (&ImageFile, &ImageFacts)| {
        format!("{}/{} {}\n", file.class, bytes::name(&file.path), seen.sha256)
    };
    sha256(files.iter().zip(seen).map(line).collect::<String>().as_bytes())
}

/// The images of a folder, by class and then by name, and everything else in it. Names that begin with a dot are
/// skipped.
struct Listing {
    files: Vec<ImageFile>,
    strays: Vec<Stray>,
}

fn list(folder: &Path) -> Result<Listing, OwnError> {
    if folder.is_file() {
        let head = head(folder).map_err(|source| OwnError::read(folder, source))?;
        let expected = "a folder that holds a folder of images for each class";
        return Err(
            match kind::of_bytes(&head).or_else(|| kind::of_text(&head, folder)).or_else(|| kind::of_name(folder)) {
                Some(kind) => OwnError::kind(folder, expected, kind),
                None => OwnError::format(&folder.display(), expected, "a file"),
            },
        );
    }
    let mut listing = Listing { files: Vec::new(), strays: Vec::new() };
    let mut class_folders = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            class_folders.push((class_of(&path)?, path));
        } else {
            listing.strays.push(stray_beside_classes(path));
        }
    }
    // Sorted by the normalized name of the class. Another system may store a name in another normalization form, and
    // the order of the classes must be the same there.
    class_folders.sort();
    for (class, class_folder) in class_folders {
        let before = listing.files.len() + listing.strays.len();
        for path in entries(&class_folder)? {
            if path.is_file() && has_image_ending(&path) {
                listing.files.push(ImageFile { path, class: class.clone() });
            } else {
                listing.strays.push(stray_in_class(path));
            }
        }
        if listing.files.len() + listing.strays.len() == before {
            listing.strays.push(Stray::new(
                class_folder,
                "an empty folder",
                "put the images of that class in or remove it",
            ));
        }
    }
    Ok(listing)
}

/// The name of the class that a folder holds.
fn class_of(folder: &Path) -> Result<String, OwnError> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| OwnError::format(&folder.display(), "a name in UTF-8", "another"))?;
    if is_class_name(name) {
        return Ok(normalized(name).into_owned());
    }
    let parent = folder.parent().unwrap_or(folder);
    Err(OwnError::format(&parent.display(), CLASS_NAME, format!("the folder {name:?}")))
}

fn has_image_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|text| text.to_str()).unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].contains(&ending.as_str())
}

/// A file or folder that does not belong into a folder of images.
struct Stray {
    path: PathBuf,
    /// What it is.
    what: String,
    remedy: StrayRemedy,
}

enum StrayRemedy {
    Steps(&'static str),
    OfKind(FileKind),
}

impl Stray {
    fn new(path: PathBuf, what: impl Into<String>, steps: &'static str) -> Stray {
        Stray { path, what: what.into(), remedy: StrayRemedy::Steps(steps) }
    }

    fn of_kind(path: PathBuf, kind: FileKind) -> Stray {
        Stray { path, what: kind.what.to_owned(), remedy: StrayRemedy::OfKind(kind) }
    }
}

fn stray_beside_classes(path: PathBuf) -> Stray {
    const TO_A_CLASS: &str = "put each image into the folder of its class";
    match unusual(&path) {
        Some((what, steps)) => Stray::new(path, what, steps),
        None if has_image_ending(&path) => Stray::new(path, "an image beside the folders of the classes", TO_A_CLASS),
        None => Stray::new(path, "a file beside the folders of the classes", "remove it, or move it elsewhere"),
    }
}

fn stray_in_class(path: PathBuf) -> Stray {
    if path.is_dir() {
        let steps = "move its images up, or name the folder above it if its own name is the class";
        return Stray::new(path, "a folder in the folder of a class", steps);
    }
    if let Some((what, steps)) = unusual(&path) {
        return Stray::new(path, what, steps);
    }
    match head(&path) {
        Err(error) => {
            Stray::new(path, format!("a file that cannot be read ({error})"), "give permission, or remove it")
        }
        Ok(head) => by_content(&path, &head)
            .or_else(|| kind::of_name(&path).map(|kind| Stray::of_kind(path.clone(), kind)))
            .unwrap_or_else(|| Stray::new(path, "another kind of file", "remove it, or move it elsewhere")),
    }
}

/// If `path` is not a file that can be read, such as a dead link or a pipe: what it is, and what to do.
fn unusual(path: &Path) -> Option<(String, &'static str)> {
    if path.is_file() {
        return None;
    }
    match fs::read_link(path) {
        Ok(target) => {
            let what = format!("a symbolic link to {}, which does not exist", target.display());
            Some((what, "restore the target, or remove the link"))
        }
        Err(_) => Some(("no regular file".to_owned(), "remove it, or move it elsewhere")),
    }
}

/// What a file in a class folder is by its content. `None` if its first bytes do not show that.
fn by_content(path: &Path, head: &[u8]) -> Option<Stray> {
    if head.is_empty() {
        return Some(Stray::new(path.to_owned(), "an empty file", "get the image again, or remove the file"));
    }
    let kind = kind::of_bytes(head).or_else(|| kind::of_text(head, path))?;
    Some(Stray::of_kind(path.to_owned(), kind))
}

/// The beginning of a file.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    fs::File::open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Refuses folders that hold anything but PNG and JPEG images. The error lists everything else by kind.
pub(super) fn check(folders: &[&Path]) -> Result<(), OwnError> {
    let mut found = Vec::new();
    for folder in folders {
        let Listing { files, strays } = list(folder)?;
        let is_empty = files.is_empty() && strays.is_empty();
        if is_empty {
            return Err(OwnError::format(&folder.display(), "a folder for each class", "an empty folder"));
        }
        found.extend(strays);
        let by_content = |file: &ImageFile| {
            let head = match head(&file.path) {
                Ok(head) => head,
                // The fault is reported with its reason when the file is read.
                Err(_) => return None,
            };
            by_content(&file.path, &head).filter(|stray| !stray.is_image())
        };
        found.par_extend(files.par_iter().filter_map(by_content));
    }
    refuse(folders, &found)
}

impl Stray {
    fn is_image(&self) -> bool {
        matches!(self.remedy, StrayRemedy::OfKind(FileKind { family: Family::ReadImage, .. }))
    }

    /// Whether this is an image to be converted whose name does not have the usual ending of its kind. A search by
    /// ending would miss it.
    fn is_misnamed(&self) -> bool {
        matches!(self.remedy, StrayRemedy::OfKind(kind) if kind.family == Family::OtherImage && !kind.is_named_so(&self.path))
    }
}

/// One error for all strays. It names the first file of each kind, how many more there are, and what to do.
fn refuse(folders: &[&Path], strays: &[Stray]) -> Result<(), OwnError> {
    if strays.is_empty() {
        return Ok(());
    }
    let mut kinds: BTreeMap<(&str, bool), Vec<&Stray>> = BTreeMap::new();
    for stray in strays {
        // The description of a link says where it leads, but all links count as one kind.
        let kind = if stray.what.starts_with("a symbolic link") { "a symbolic link" } else { &stray.what };
        kinds.entry((kind, stray.is_misnamed())).or_default().push(stray);
    }
    let mut found = match strays.len() {
        1 => "something else:".to_owned(),
        count => format!("{count} others:"),
    };
    for alike in kinds.values() {
        let first = alike[0];
        let more = if alike.len() > 1 { format!(" and {} more like it", alike.len() - 1) } else { String::new() };
        let remedy = match first.remedy {
            StrayRemedy::Steps(steps) => steps.to_owned(),
            StrayRemedy::OfKind(kind) => {
                let files: Vec<&Path> = alike.iter().map(|stray| stray.path.as_path()).collect();
                kind.remedy_in_folders(folders, &files)
            }
        };
        found.push_str(&format!("\n  {}{more}: {}; {remedy}", first.path.display(), first.what));
    }
    let place: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let expected = "only images that end in .png, .jpg or .jpeg, in a folder for each class";
    Err(OwnError::format(&place.join(" and "), expected, found))
}

/// The paths in a folder, sorted, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, OwnError> {
    let unreadable = |source| OwnError::read(folder, source);
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
fn read_image(path: &Path, side: u32, pixels: &mut [u8]) -> Result<ImageFacts, OwnError> {
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
    Ok(ImageFacts { size, sha256: sha256(&data) })
}

/// Decodes an image whose size is within the limits, and rotates it by the orientation that the camera recorded.
fn decode(data: &[u8], path: &Path) -> Result<DynamicImage, OwnError> {
    let place = path.display();
    let broken = |error: image::ImageError| OwnError::format(&place, "a whole PNG or JPEG image", error);
    let reader = ImageReader::new(Cursor::new(data)).with_guessed_format();
    let mut reader = reader.map_err(|source| OwnError::read(path, source))?;
    let format = reader.format();
    if !matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(OwnError::format(&place, "a PNG or JPEG image", "another kind of file"));
    }
    // This limit of the PNG decoder does not cover pixels. A profile that is larger when unpacked is skipped.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BESIDE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let sides = 1..=MAX_PIXELS_A_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) || decoder.total_bytes() > MAX_DECODED_BYTES {
        let expected = format!("1 to {MAX_PIXELS_A_SIDE} pixels a side and at most {MAX_DECODED_BYTES} bytes decoded");
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

/// Whether a JPEG has its end. This must be checked, because the decoder fills what is missing with grey. A JPEG is a
/// sequence of segments that state their lengths, and of compressed data, in which the first byte of a marker is
/// followed by zero or a restart.
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
