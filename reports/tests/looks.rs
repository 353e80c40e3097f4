//! Figures for papers and slides: their widths, their type, their folders, and their PDFs.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/apart.rs"]
mod apart;
mod common;
#[path = "common/drawn.rs"]
mod drawn;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/renamed.rs"]
mod renamed;
#[path = "common/written.rs"]
mod written;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use apart::assert_texts_are_apart;
use bakeoff_reports::{Look, build, build_with};
use common::{Plan, SMALL, write_run};
use drawn::drawn;
use flate2::read::ZlibDecoder;
use pictures::{has_text, parse, texts};
use renamed::rename;
use resvg::usvg::{Group, Node};
use written::pictures;

/// Runs with one panel, with several and with every kind of figure.
const RUNS: &[Plan] = &[
    Plan { tasks: 1, models: 1, seeds: 1, examples: 100, faults: false, trials: 2, axes: false },
    Plan { trials: 3, axes: true, ..SMALL },
    Plan { tasks: 3, models: 8, seeds: 3, examples: 100, faults: false, trials: 0, axes: false },
];

/// A run of few pictures.
const FEW: Plan = Plan { tasks: 3, models: 3, seeds: 1, examples: 100, faults: false, trials: 2, axes: false };

/// The sizes of a picture's type, in points. An SVG pixel is 3/4 of a point.
fn type_sizes(group: &Group, found: &mut Vec<f32>) {
    for node in group.children() {
        match node {
            Node::Group(group) => type_sizes(group, found),
            Node::Text(text) => {
                let scale = text.abs_transform().get_scale().1;
                found.extend(text.layouted().iter().map(|span| 0.75 * scale * span.font_size.get()));
            }
            _ => {}
        }
    }
}

#[test]
fn pictures_of_a_look_have_its_width_and_its_type_and_no_text_is_cut_or_hidden() {
    const MM_PER_POINT: f32 = 25.4 / 72.0;
    let looks =
        [(Look::PaperSingle, 3.3, 8.0, 9.2), (Look::PaperDouble, 6.9, 8.0, 9.2), (Look::Slides, 12.3, 16.0, 18.4)];
    for (look, width_in, least_pt, most_pt) in looks {
        for plan in RUNS {
            let folder = tempfile::tempdir().unwrap();
            let drawn = drawn(&write_run(folder.path(), plan), look);
            assert!(drawn.len() > 5, "{look:?}: {} pictures", drawn.len());
            for (name, svg) in drawn {
                let tree = parse(&svg);
                let width = tree.size().width() * 0.75 * MM_PER_POINT / 25.4;
                assert!((width - width_in).abs() < 0.005, "{look:?}: {name} is {width} in wide");
                let height = tree.size().height() * 0.75 * MM_PER_POINT / 25.4;
                let (_, tallest_in) = TALLEST_IN.into_iter().find(|(other, _)| *other == look).unwrap();
                assert!(height <= tallest_in + 0.005, "{look:?}: {name} is {height} in tall");
                let mut sizes = Vec::new();
                type_sizes(tree.root(), &mut sizes);
                let are_right = sizes.iter().all(|pt| (least_pt - 0.05..=most_pt).contains(pt));
                assert!(are_right && !sizes.is_empty(), "{look:?}: {name} has type of {sizes:?} pt");
                assert_texts_are_apart(&format!("{look:?}: {name}"), &svg);
            }
        }
    }
}

/// The height in inches that a page leaves for a picture.
const TALLEST_IN: [(Look, f32); 3] = [(Look::PaperSingle, 5.5), (Look::PaperDouble, 5.5), (Look::Slides, 6.5)];

#[test]
fn a_picture_of_many_panels_is_several_that_fit_a_page_and_no_panel_is_lost() {
    let plan = Plan { tasks: 9, models: 4, seeds: 3, examples: 40, ..SMALL };
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &plan);
    let tasks: Vec<String> = dir.info().unwrap().tasks.into_iter().map(|task| task.name).collect();
    for (look, tallest_in) in TALLEST_IN {
        let drawn = drawn(&dir, look);
        for figure in ["quality", "latency", "accuracy-latency", "curves"] {
            let is_part = |name: &str| {
                name.strip_prefix(figure).is_some_and(|rest| rest.is_empty() || rest[1..].parse::<usize>().is_ok())
            };
            let parts: Vec<&(String, String)> = drawn.iter().filter(|(name, _)| is_part(name)).collect();
            assert!(parts.len() > 1, "{look:?}: {figure} is one picture");
            for (name, svg) in &parts {
                let height = parse(svg).size().height() / 96.0;
                assert!(height <= tallest_in + 0.005, "{look:?}: {name} is {height} in tall");
            }
            for task in &tasks {
                let panels = parts.iter().filter(|(_, svg)| has_text(svg, task)).count();
                assert_eq!(panels, 1, "{look:?}: the panel of {task} in {figure}");
            }
        }
    }
}

#[test]
fn every_look_has_the_pictures_of_the_report_in_its_own_folder_and_leaves_the_report_as_it_is() {
    // The pictures stay under the target folder, where a person can look at them.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("looks");
    let _ = fs::remove_dir_all(&folder);
    let plan = Plan { tasks: 2, models: 8, seeds: 3, examples: 200, faults: true, trials: 3, axes: false };
    let dir = write_run(&folder, &plan);
    build(&dir).unwrap();
    // Panels that a page has no room for are in further pictures.
    let whole = |name: &str| match name.rsplit_once('-') {
        Some((whole, part)) if part.parse::<usize>().is_ok() => whole.to_owned(),
        _ => name.to_owned(),
    };
    let names = |look: Look| -> BTreeSet<String> {
        pictures(&folder.join(look.folder())).iter().map(|(name, _)| whole(name)).collect()
    };
    let report = fs::read(dir.report_path()).unwrap();
    for look in Look::ALL {
        build_with(&dir, look).unwrap();
        assert_eq!(names(look), names(Look::Web), "{look:?}");
        assert!(fs::read(dir.report_path()).unwrap() == report, "{look:?} changes the report");
    }
}

#[test]
fn a_later_report_draws_every_look_again_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &FEW);
    build_with(&dir, Look::PaperDouble).unwrap();
    let mine = folder.path().join("figures/paper-double/mine.pdf");
    fs::write(&mine, "").unwrap();
    rename(&dir, &[("resnet", "renamed")]);
    let mut records = dir.records().unwrap().rows;
    records.retain(|record| record.metric != "fit_s");
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build_with(&dir, Look::PaperSingle).unwrap();
    for look in [Look::PaperSingle, Look::PaperDouble] {
        let drawn = pictures(&folder.path().join(look.folder()));
        assert!(drawn.iter().any(|(name, svg)| name == "quality" && has_text(svg, "renamed")), "{look:?}");
        assert!(!drawn.iter().any(|(name, _)| name == "accuracy-fit-time"), "{look:?} has a picture that must go");
    }
    assert!(mine.exists(), "a file of somebody else must stay");
    assert!(!folder.path().join(Look::Slides.folder()).exists(), "nobody asked for slides");
}

/// The streams of a PDF, unpacked.
fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
    let find = |from: usize, what: &[u8]| {
        pdf[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = find(from, b"\nstream\n") {
        let start = start + b"\nstream\n".len();
        let end = find(start, b"endstream").unwrap();
        let mut bytes = Vec::new();
        // Metadata is not packed.
        if ZlibDecoder::new(&pdf[start..end]).read_to_end(&mut bytes).is_ok() {
            found.push(bytes);
        }
        from = end;
    }
    found
}

/// The characters that a reader of the PDF can select, from the tables that say what each glyph means (ISO 32000, 9.10.3).
fn selectable(pdf: &[u8]) -> BTreeSet<char> {
    let mut found = BTreeSet::new();
    for table in streams(pdf).iter().filter_map(|stream| std::str::from_utf8(stream).ok()) {
        for line in table.lines().filter(|line| line.starts_with('<')) {
            let Some(hex) = line.rsplit('<').next().and_then(|last| last.strip_suffix('>')) else { continue };
            let digits: Vec<u16> = hex
                .as_bytes()
                .chunks(4)
                .map(|four| u16::from_str_radix(std::str::from_utf8(four).unwrap(), 16).unwrap())
                .collect();
            found.extend(char::decode_utf16(digits).map(Result::unwrap));
        }
    }
    found
}

fn assert_embeds(pdf_path: &Path, svg: &str) {
    let pdf = fs::read(pdf_path).unwrap();
    let name = pdf_path.display();
    let has = |what: &str| pdf.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(pdf.starts_with(b"%PDF-1."), "{name}");
    assert!(has("DejaVuSans") && has("/FontFile2"), "{name} embeds no font");
    assert!(!has("/Type3"), "{name} has a font that journals refuse");
    let mut written = Vec::new();
    texts(parse(svg).root(), &mut written);
    let selectable = selectable(&pdf);
    for c in written.iter().flat_map(|(text, _)| text.chars()).filter(|c| !c.is_whitespace()) {
        assert!(selectable.contains(&c), "{name}: '{c}' cannot be selected");
    }
}

#[test]
fn the_pdf_of_a_picture_embeds_its_font_and_its_text_can_be_selected() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &FEW);
    rename(&dir, &[("negative", "Ελλάδα"), ("positive", "café ²"), ("lstm", "差评")]);
    build_with(&dir, Look::PaperSingle).unwrap();
    for look in [Look::Web, Look::PaperSingle] {
        let figures = folder.path().join(look.folder());
        for (name, svg) in pictures(&figures) {
            assert_embeds(&figures.join(format!("{name}.pdf")), &svg);
        }
    }
}

#[test]
fn the_page_of_a_pdf_is_as_large_as_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    build_with(&write_run(folder.path(), &FEW), Look::PaperSingle).unwrap();
    let figures = folder.path().join(Look::PaperSingle.folder());
    for (name, svg) in pictures(&figures) {
        let size = parse(&svg).size();
        let pdf = fs::read(figures.join(format!("{name}.pdf"))).unwrap();
        let text = String::from_utf8_lossy(&pdf);
        let (_, rest) = text.split_once("/MediaBox[").unwrap();
        let numbers = rest.split_once(']').unwrap().0.split_whitespace().map(|number| number.parse::<f32>().unwrap());
        let page: Vec<f32> = numbers.collect();
        let expected = [0.0, 0.0, 0.75 * size.width(), 0.75 * size.height()];
        assert!(page.iter().zip(expected).all(|(one, other)| (one - other).abs() < 0.01), "{name}: {page:?}");
    }
}
