//! Folders of images.

use std::fs;
use std::io::Cursor;

use bakeoff_datasets::own::{InputSurvey, Layout, survey};
use bakeoff_datasets::{Images, Inputs, Split};
use image::{DynamicImage, ImageFormat, Luma, Rgb, RgbImage};

use crate::common::{Folder, classes};

const LAYOUT: Layout = Layout::Images { side: 8 };

/// An image of one colour.
pub(crate) fn plain(width: u32, height: u32, colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    encoded(&RgbImage::from_pixel(width, height, Rgb(colour)).into(), format)
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Two classes with one good image each, in `train` and `test`.
fn good() -> Folder {
    let folder = Folder::new();
    for split in ["train", "test"] {
        folder.write(&format!("{split}/cat/1.png"), plain(20, 10, [200, 100, 50], ImageFormat::Png));
        folder.write(&format!("{split}/dog/1.JPEG"), plain(8, 8, [0, 0, 250], ImageFormat::Jpeg));
    }
    folder
}

fn images(split: &Split) -> &Images {
    let Inputs::Images(images) = &split.inputs else { panic!("not images") };
    images
}

#[test]
fn png_and_jpeg_become_planes_of_the_stated_side() {
    let own = good().load(LAYOUT).unwrap();
    let train = images(&own.splits.train);
    assert_eq!((train.channels, train.height, train.width, train.len()), (3, 8, 8, 2));
    let cat = train.image(0);
    assert!(cat[..64].iter().all(|&red| red == 200) && cat[64..128].iter().all(|&green| green == 100));
    let dog = train.image(1);
    assert!(dog[..128].iter().all(|&other| other < 8) && dog[128..].iter().all(|&blue| blue > 242), "{dog:?}");
    assert_eq!(classes(&own.splits.train), ["cat", "dog"]);
    assert_eq!(survey(&own).inputs, InputSurvey::Images([3, 8, 8], Some([[8, 8], [20, 10]])));
    assert_eq!(own.checksums.keys().collect::<Vec<_>>(), ["test: test", "train: train"]);
}

#[test]
fn grey_images_of_sixteen_bits_and_transparent_ones_become_rgb() {
    let folder = good();
    let grey = image::ImageBuffer::<Luma<u16>, Vec<u16>>::from_pixel(8, 8, Luma([257 * 77]));
    folder.write("train/cat/1.png", encoded(&DynamicImage::ImageLuma16(grey), ImageFormat::Png));
    let clear = image::RgbaImage::from_pixel(8, 8, image::Rgba([9, 8, 7, 0]));
    folder.write("train/dog/0.png", encoded(&clear.into(), ImageFormat::Png));
    let own = folder.load(LAYOUT).unwrap();
    let train = images(&own.splits.train);
    assert!(train.image(0).iter().all(|&value| value == 77));
    assert_eq!([train.image(1)[0], train.image(1)[64], train.image(1)[128]], [9, 8, 7]);
}

#[test]
fn an_image_is_turned_as_its_camera_says() {
    // Red on the left and blue on the right; the camera says: turn it clockwise by a right angle.
    let image = RgbImage::from_fn(32, 16, |x, _| Rgb(if x < 16 { [250, 0, 0] } else { [0, 0, 250] }));
    let plain = encoded(&image.into(), ImageFormat::Jpeg);
    let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let folder = good();
    folder.write("train/cat/1.jpg", [&plain[..2], exif, &plain[2..]].concat());
    fs::remove_file(folder.path("train/cat/1.png")).unwrap();
    let own = folder.load(LAYOUT).unwrap();
    let cat = images(&own.splits.train).image(0);
    assert!(cat[..16].iter().all(|&red| red > 200) && cat[48..64].iter().all(|&red| red < 50), "{cat:?}");
    assert_eq!(survey(&own).inputs, InputSurvey::Images([3, 8, 8], Some([[8, 8], [16, 32]])));
}

#[test]
fn another_image_name_or_class_changes_the_checksum() {
    let sum = |folder: &Folder| folder.load(LAYOUT).unwrap().checksums["train: train"].clone();
    let folder = good();
    let before = sum(&folder);
    assert_eq!(before, sum(&good()));
    fs::rename(folder.path("train/cat/1.png"), folder.path("train/cat/2.png")).unwrap();
    assert_ne!(before, sum(&folder));
    let folder = good();
    folder.write("train/cat/1.png", plain(20, 10, [200, 100, 51], ImageFormat::Png));
    assert_ne!(before, sum(&folder));
}

#[test]
fn hidden_files_are_passed_over() {
    let folder = good();
    folder.write("train/.DS_Store", "x");
    folder.write("train/cat/.hidden", "x");
    assert_eq!(folder.load(LAYOUT).unwrap().splits.train.len(), 2);
}

#[test]
fn what_is_no_image_is_refused_by_path() {
    for (name, content, expected) in [
        (
            "train/cat/2.png",
            &b"<html>"[..],
            "train/cat/2.png: expected a PNG or JPEG image, found another kind of file",
        ),
        ("train/cat/2.jpg", b"", "train/cat/2.jpg: expected data, found an empty file"),
        (
            "train/cat/notes.txt",
            b"x",
            "train/cat/notes.txt: expected an image: .png, .jpg or .jpeg, found another kind",
        ),
        ("train/cat/more/1.png", b"x", "train/cat/more: expected an image: .png, .jpg or .jpeg, found a folder"),
        ("train/stray.png", b"x", "train/stray.png: expected only folders here, one for each class, found a file"),
    ] {
        let folder = good();
        folder.write(name, content);
        assert!(folder.refusal(LAYOUT).starts_with(expected), "{}", folder.refusal(LAYOUT));
    }
}

#[test]
fn an_image_cut_short_is_refused_by_path() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let folder = good();
        let whole = plain(40, 40, [1, 2, 3], format);
        folder.write("train/cat/2.png", &whole[..20]);
        let message = folder.refusal(LAYOUT);
        assert!(message.starts_with("train/cat/2.png: expected a whole PNG or JPEG image, found"), "{message}");
        // Among the pixels; the end of a PNG, unlike that of a JPEG, is a chunk of its own after them.
        let end = if format == ImageFormat::Png { 12 + 8 } else { 2 };
        for kept in [whole.len() - end - 4, whole.len() - end] {
            folder.write("train/cat/2.png", &whole[..kept]);
            let message = folder.refusal(LAYOUT);
            assert!(message.starts_with("train/cat/2.png: expected a whole PNG or JPEG image, found"), "{message}");
        }
    }
}

/// A PNG's beginning that claims a size; no pixel follows.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    let header = [b"IHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&header);
    bytes.extend(&header);
    bytes.extend(sum.sum().to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    bytes
}

#[test]
fn an_image_fifty_thousand_pixels_wide_is_refused_before_it_is_decoded() {
    for (width, height) in [(50_000, 10), (10, 50_000), (16_000, 16_000)] {
        let folder = good();
        folder.write("train/cat/2.png", claiming(width, height));
        let message = folder.refusal(LAYOUT);
        assert!(message.starts_with("train/cat/2.png: expected 1 to 16384 pixels a side"), "{message}");
        assert!(message.ends_with(&format!("found {width} x {height} pixels")), "{message}");
    }
}

#[test]
fn an_image_of_zero_size_is_refused_by_path() {
    let folder = good();
    folder.write("train/cat/2.png", claiming(0, 5));
    assert!(folder.refusal(LAYOUT).starts_with("train/cat/2.png: expected"), "{}", folder.refusal(LAYOUT));
}

#[test]
fn a_png_with_more_beside_its_pixels_than_any_needs_is_refused_by_path() {
    let whole = plain(8, 8, [1, 2, 3], ImageFormat::Png);
    let profile = [b"iCCPprofile\0\0".to_vec(), vec![0; 17 << 20]].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&profile);
    let size = (profile.len() as u32 - 4).to_be_bytes();
    let header = 8 + 12 + 13;
    let chunk = [&size[..], &profile, &sum.sum().to_be_bytes()].concat();
    let folder = good();
    folder.write("train/cat/2.png", [&whole[..header], &chunk, &whole[header..]].concat());
    let message = folder.refusal(LAYOUT);
    assert!(message.starts_with("train/cat/2.png: expected a whole PNG or JPEG image, found"), "{message}");
    assert!(message.contains("imit"), "{message}");
}

#[test]
fn a_class_folder_with_a_control_character_is_refused_and_shown_without_it() {
    let folder = good();
    fs::create_dir(folder.path("train/eel\u{1b}[31m")).unwrap();
    let expected =
        "train: expected the name of a class, without control characters, found the folder \"eel\\u{1b}[31m\"";
    assert_eq!(folder.refusal(LAYOUT), expected);
}

#[test]
fn an_empty_folder_or_class_and_a_missing_folder_are_refused_by_path() {
    let folder = good();
    fs::create_dir(folder.path("train/eel")).unwrap();
    assert!(
        folder.refusal(LAYOUT).starts_with("train/eel: expected an image: .png, .jpg or .jpeg, found an empty folder")
    );
    let folder = Folder::new();
    fs::create_dir(folder.path("train")).unwrap();
    assert_eq!(folder.refusal(LAYOUT), "train: expected a folder for each class, found an empty folder");
    fs::remove_dir(folder.path("train")).unwrap();
    assert!(folder.refusal(LAYOUT).starts_with("cannot read train: No such file"));
}

#[test]
fn a_class_folder_of_the_test_alone_is_refused_by_name() {
    let folder = good();
    folder.write("test/eel/1.png", plain(8, 8, [1, 1, 1], ImageFormat::Png));
    let message = folder.refusal(LAYOUT);
    assert!(
        message.starts_with("test/eel/1.png: expected a class of the training rows (cat, dog), found 'eel'"),
        "{message}"
    );
}
