//! Whatever bytes a file holds, a reader answers or refuses: it does not panic.

use bakeoff_datasets::own::{BinaryLayout, Column, DataFormat, OwnData, Part, TableLayout, Target, TestRows, survey};
use image::ImageFormat;
use proptest::prelude::*;

use crate::common::{Folder, csv};
use crate::images::plain;

/// Loads, and surveys what was loaded, whose rows must be whole.
fn exercise(data: &OwnData) {
    if let Ok(own) = data.load() {
        assert_eq!(own.splits.train.len(), own.train_places.len());
        assert_eq!(own.splits.test.targets.len(), own.test_places.len());
        assert!(!survey(&own).to_string().is_empty());
    }
}

fn table(folder: &Folder, content: &[u8], layout: TableLayout) -> OwnData {
    folder.write("all", content);
    let test = TestRows::Share { share: 0.5, seed: 1 };
    OwnData { layout: DataFormat::Table(layout), train: vec![folder.part("all")], test }
}

proptest! {
    #[test]
    fn any_bytes_as_delimited_text(bytes: Vec<u8>, quoting: bool, header: bool, value: bool) {
        let folder = Folder::new();
        let target = Column::Number(1);
        let target = if value { Target::Value(target) } else { Target::Class(target) };
        let layout = TableLayout { quoting, header, text: Column::Number(0), target, ..csv() };
        exercise(&table(&folder, &bytes, layout));
    }

    #[test]
    fn any_text_of_marks_delimiters_and_line_ends_as_delimited_text(
        text in "([ab12\",\r\n]|é|\u{feff}){0,60}", quoting: bool, header: bool,
    ) {
        let folder = Folder::new();
        let target = Target::Class(Column::Number(1));
        let layout = TableLayout { quoting, header, text: Column::Number(0), target, ..csv() };
        exercise(&table(&folder, text.as_bytes(), layout));
    }

    #[test]
    fn any_bytes_as_idx_files(
        images: Vec<u8>, labels: Vec<u8>, sizes in [0..5_u8, 0..4_u8, 0..4_u8], kind in 0..10_u8,
    ) {
        let folder = Folder::new();
        let header = [0, 0, kind, 3, 0, 0, 0, sizes[0], 0, 0, 0, sizes[1], 0, 0, 0, sizes[2]];
        folder.write("images", [&header[..], &images].concat());
        folder.write("labels", [&[0, 0, kind, 1, 0, 0, 0, sizes[0]][..], &labels].concat());
        let part = Part { path: folder.path("images"), labels: Some(folder.path("labels")) };
        let layout = DataFormat::Idx { classes: None };
        exercise(&OwnData { layout, train: vec![part], test: TestRows::Share { share: 0.5, seed: 1 } });
    }

    #[test]
    fn any_bytes_as_records(bytes: Vec<u8>, height in 1..4_usize, label_bytes in 1..4_usize, named: bool) {
        let folder = Folder::new();
        folder.write("all", bytes);
        let classes = named.then(|| vec!["a".to_owned(), "b".to_owned()]);
        let layout = DataFormat::Binary(BinaryLayout { shape: [1, height, 2], label_bytes, label_byte: 0, classes });
        let test = TestRows::Share { share: 0.5, seed: 1 };
        exercise(&OwnData { layout, train: vec![folder.part("all")], test });
    }

    #[test]
    fn a_whole_image_with_any_bytes_changed(
        jpeg: bool, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in 0..40_usize,
    ) {
        let mut bytes = plain(9, 7, [1, 2, 3], if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png });
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(bytes.len() - cut);
        let folder = Folder::new();
        folder.write("train/a/1.png", &bytes);
        folder.write("train/b/1.png", plain(8, 8, [0; 3], ImageFormat::Png));
        let test = TestRows::Parts(vec![folder.part("train")]);
        exercise(&OwnData { layout: DataFormat::Images { side: 8 }, train: vec![folder.part("train")], test });
    }
}
