//! Folders of images.

use std::fs;
use std::io::Cursor;

use bakeoff_datasets::own::{DataFormat, InputSurvey, survey};
use bakeoff_datasets::{Images, Inputs, Split};
use image::{DynamicImage, ImageFormat, Luma, Rgb, RgbImage};

use crate::common::{Folder, classes};

const LAYOUT: DataFormat = DataFormat::Images { side: 8 };

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
fn what_is_no_image_is_refused_by_path_with_what_it_is_and_what_to_do() {
    let ftyp = |brand: &str| format!("\0\0\0\x18ftyp{brand}\0\0\0\0mif1{brand}").into_bytes();
    let heic = ftyp("heic");
    let avif = ftyp("avif");
    for (name, content, what, remedy) in [
        (
            "cat/2.webp",
            &b"RIFF\x24\0\0\0WEBPVP8 "[..],
            "a WebP image",
            "find train -name '*.webp' -exec magick mogrify",
        ),
        ("cat/2.jpg", b"RIFF\x24\0\0\0WEBPVP8L", "a WebP image", "`magick train/cat/2.jpg train/cat/2.png`"),
        ("cat/2.HEIC", &heic, "a HEIC image", "-name '*.HEIC' -exec magick mogrify"),
        ("cat/2.avif", &avif, "an AVIF image", "-name '*.avif' -exec magick mogrify"),
        ("cat/2.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "a BMP image", "magick mogrify"),
        ("cat/2.gif", b"GIF89a\x01\0\x01\0\0", "a GIF image", "magick mogrify"),
        ("cat/2.tif", b"II*\0\x08\0\0\0", "a TIFF image", "-name '*.tif' -exec magick mogrify"),
        ("cat/2.png", b"MM\0*\0\0\0\x08", "a TIFF image", "`magick train/cat/2.png train/cat/2-converted.png`"),
        ("cat/2.jxl", b"\xff\x0a\xfa\x1f", "a JPEG XL image", "magick mogrify"),
        ("cat/2.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG drawing", "rsvg-convert"),
        ("cat/2.png", b"<?xml version=\"1.0\"?>\n<svg/>", "an SVG drawing", "rsvg-convert"),
        ("cat/2.png", b"\n<!DOCTYPE html>\n<title>404</title>", "a web page", "a download that failed"),
        ("cat/2.jpg", b"<html>", "a web page", "a download that failed"),
        ("cat/2.jpg", b"", "an empty file", "get the image again"),
        ("cat/2.jpg", b"{\"error\": \"rate limit\"}", "JSON", "remove it"),
        (
            "cat/2.jpg",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "a pointer of Git LFS in place of the file",
            "`git lfs pull`",
        ),
        ("cat/2.jpg", b"%PDF-1.7\n", "a PDF document", "remove it"),
        (
            "cat/2.zip",
            b"PK\x03\x04\x14\0\0\0\0\0",
            "a zip archive",
            "unpack it, such as with `unzip train/cat/2.zip -d 2-unpacked`",
        ),
        ("cat/2.mp4", &ftyp("isom"), "a film", "ffmpeg -i train/cat/2.mp4 train/cat/2-%04d.png"),
        ("cat/notes.txt", b"x", "a text file", "remove it"),
        (
            "cat/Thumbs.db",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an old Excel workbook or another old Office file",
            "remove",
        ),
        ("cat/Thumbs.db", b"\xd0\xcf\x11\xe0", "an old Excel workbook or another old Office file", "remove"),
        ("cat/Thumbs.db", b"??", "another kind of file", "remove"),
        ("cat/2", b"??", "another kind of file", "remove it"),
        ("cat/2.jfif", &plain(8, 8, [0; 3], ImageFormat::Jpeg), "a JPEG image", "rename it to end in .jpg"),
        ("stray.png", b"x", "an image beside the folders of the classes", "into the folder of its class"),
        ("labels.csv", b"x", "a file beside the folders of the classes", "remove it"),
    ] {
        let folder = good();
        let path = format!("train/{name}");
        folder.write(&path, content);
        let message = folder.refusal(LAYOUT);
        let expected = "train and test: expected only images that end in .png, .jpg or .jpeg, in a folder for each class, found \
                        something else:\n  ";
        assert!(message.starts_with(&format!("{expected}{path}: {what}; ")), "{name}: {message}");
        assert!(message.contains(remedy), "{name}: '{remedy}' is not in: {message}");
    }
    let folder = good();
    folder.write("train/cat/more/1.png", b"x");
    assert!(
        folder.refusal(LAYOUT).contains("\n  train/cat/more: a folder in the folder of a class; move its images up")
    );
}

#[test]
fn everything_that_is_no_image_is_said_at_once_by_kind() {
    let folder = good();
    for name in ["train/cat/a.webp", "train/cat/b.webp", "test/dog/c.webp"] {
        folder.write(name, b"RIFF\x24\0\0\0WEBPVP8 ");
    }
    folder.write("test/cat/2.jpg", b"<html>");
    folder.write("train/cat/3.jpg", b"");
    folder.write("train/dog/4.png", b"");
    let message = folder.refusal(LAYOUT);
    let expected = [
        "train and test: expected only images that end in .png, .jpg or .jpeg, in a folder for each class, found 6 others:",
        "  train/cat/a.webp and 2 more like it: a WebP image; convert it, such as with `find train test -name '*.webp' -exec magick \
         mogrify -format png {} +` (ImageMagick), and remove the original",
        "  test/cat/2.jpg: a web page; a download that failed: get the image again or remove the file",
        "  train/cat/3.jpg and 1 more like it: an empty file; get the image again, or remove the file",
    ];
    assert_eq!(message, expected.join("\n"));
}

#[test]
fn images_that_a_search_by_name_misses_are_converted_by_name() {
    let webp = b"RIFF\x24\0\0\0WEBPVP8 ";
    let folder = good();
    for name in ["train/cat/w1.jpg", "train/cat/w2.webp", "test/dog/w3.png", "train/dog/w4.WEBP"] {
        folder.write(name, webp);
    }
    let message = folder.refusal(LAYOUT);
    for line in [
        "  train/cat/w2.webp and 1 more like it: a WebP image; convert it, such as with `find train \\( -name '*.WEBP' -o -name \
         '*.webp' \\) -exec magick mogrify -format png {} +` (ImageMagick), and remove the original",
        "  train/cat/w1.jpg and 1 more like it: a WebP image; convert it, such as with `magick train/cat/w1.jpg \
         train/cat/w1.png; magick test/dog/w3.png test/dog/w3-converted.png` (ImageMagick), and remove the original",
    ] {
        assert!(message.lines().any(|found| found == line), "{line} is not in {message}");
    }
    // An image that is there is not replaced.
    let folder = good();
    folder.write("train/cat/1.webp", webp);
    let command = "`magick train/cat/1.webp train/cat/1-converted.png`";
    assert!(folder.refusal(LAYOUT).contains(command), "{}", folder.refusal(LAYOUT));
}

#[cfg(unix)]
#[test]
fn dead_links_are_named_as_such() {
    use std::os::unix::fs::symlink;
    let folder = good();
    symlink("../nowhere/5.png", folder.path("train/cat/5.png")).unwrap();
    symlink("/gone/6.png", folder.path("train/cat/6.png")).unwrap();
    symlink("/gone/eel", folder.path("train/eel")).unwrap();
    let message = folder.refusal(LAYOUT);
    let expected = "  train/eel and 2 more like it: a symbolic link to /gone/eel, which does not exist; restore the target, \
                    or remove the link";
    assert!(message.ends_with(expected), "{message}");
    // A link that leads somewhere is as good as what it leads to.
    let folder = good();
    symlink(folder.path("train/cat/1.png"), folder.path("train/cat/5.png")).unwrap();
    assert_eq!(folder.load(LAYOUT).unwrap().splits.train.len(), 3);
}

#[test]
fn a_file_in_place_of_the_folder_is_named_by_its_kind() {
    for (content, expected) in [
        (
            &b"PK\x03\x04\x14\0\0\0\0\0"[..],
            "found a zip archive, which bakeoff does not read: unpack it first (`unzip train -d train-unpacked`)",
        ),
        (
            b"\x1f\x8b\x08\0",
            "found a gzip file, which bakeoff does not read: unpack it first (`gzip -dc train > train-unpacked`)",
        ),
        (b"PAR1\x15\x04\0", "found a Parquet file, which bakeoff does not read: convert it to CSV"),
        (b"a,b\n", "found a file"),
    ] {
        let folder = good();
        fs::remove_dir_all(folder.path("train")).unwrap();
        folder.write("train", content);
        let message = folder.refusal(LAYOUT);
        let start = "train: expected a folder that holds a folder of images for each class, ";
        assert!(message.starts_with(&format!("{start}{expected}")), "{message}");
    }
}

#[test]
fn composed_and_decomposed_names_of_class_folders_are_one_class() {
    let folder = good();
    let image = plain(8, 8, [1, 1, 1], ImageFormat::Png);
    folder.write("train/caf\u{e9}/1.png", &image);
    folder.write("test/cafe\u{301}/1.png", &image);
    let own = folder.load(LAYOUT).unwrap();
    assert_eq!(classes(&own.splits.train), ["caf\u{e9}", "cat", "dog"]);
    assert_eq!(classes(&own.splits.test), ["caf\u{e9}", "cat", "dog"]);
    // Also within one folder.
    folder.write("train/cafe\u{301}/2.png", &image);
    let own = folder.load(LAYOUT).unwrap();
    assert_eq!(classes(&own.splits.train), ["caf\u{e9}", "caf\u{e9}", "cat", "dog"]);
}

#[test]
fn class_folders_that_look_alike_are_refused_with_their_code_points() {
    for name in ["cat\u{200b}", "cat ", "ca\u{ad}t"] {
        let folder = good();
        folder.write(&format!("train/{name}/1.png"), plain(8, 8, [1, 1, 1], ImageFormat::Png));
        let message = folder.refusal(LAYOUT);
        assert!(message.starts_with(&format!("train/{name}/1.png: the class '{name}' (U+0063 U+0061")), "{message}");
        assert!(
            message.contains("looks like 'cat' (U+0063 U+0061 U+0074) but is a different name: they differ only"),
            "{message}"
        );
        assert!(message.ends_with("(the other is in train/cat/1.png)"), "{message}");
    }
}

#[test]
fn the_number_of_broken_images_is_said_with_the_first_of_them() {
    let folder = good();
    let whole = plain(40, 40, [1, 2, 3], ImageFormat::Png);
    for name in ["2", "3", "4"] {
        folder.write(&format!("train/cat/{name}.png"), &whole[..60]);
    }
    let message = folder.refusal(LAYOUT);
    assert!(message.starts_with("train/cat/2.png: expected a whole PNG or JPEG image, found"), "{message}");
    assert!(message.ends_with("; 2 more files cannot be read either"), "{message}");
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
    let expected = "train: expected a class name with visible characters and no control characters, found the \
                    folder \"eel\\u{1b}[31m\"";
    assert_eq!(folder.refusal(LAYOUT), expected);
}

#[test]
fn an_empty_folder_or_class_and_a_missing_folder_are_refused_by_path() {
    let folder = good();
    fs::create_dir(folder.path("train/eel")).unwrap();
    let message = folder.refusal(LAYOUT);
    assert!(
        message.contains("\n  train/eel: an empty folder; put the images of that class in or remove it"),
        "{message}"
    );
    let folder = good();
    fs::remove_dir_all(folder.path("train")).unwrap();
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
