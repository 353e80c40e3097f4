//! `report.html` as a page: what it promises before its script runs. `scripts/check-page` looks at it in a browser.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use bakeoff_reports::{FIGURES, Results, RunDir, Style, build};
use common::{Plan, SMALL, write_run};
use tempfile::TempDir;

/// A run that gives the page every part: faults, search trials, several sizes and a target.
const EVERYTHING: Plan = Plan { trials: 2, axes: true, examples: 60, ..SMALL };

/// The run [`EVERYTHING`] and its page. It is made once, because the pictures take seconds.
fn everything() -> &'static (TempDir, RunDir, String) {
    static MADE: OnceLock<(TempDir, RunDir, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (dir, page) = page(folder.path(), &EVERYTHING);
        (folder, dir, page)
    })
}

fn page(folder: &Path, plan: &Plan) -> (RunDir, String) {
    let dir = write_run(folder, plan);
    build(&dir).unwrap();
    let page = fs::read_to_string(dir.report_path()).unwrap();
    (dir, page)
}

/// The values of an attribute, in the order of the page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    page.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The opening tag of the element that contains this text.
fn tag_before<'a>(page: &'a str, text: &str) -> &'a str {
    let text_at = page.find(&format!(">{text}")).unwrap_or_else(|| panic!("{text} is not in the page"));
    let tag_at = page[..text_at].rfind('<').unwrap();
    &page[tag_at..=text_at]
}

#[test]
fn the_page_refers_to_nothing_outside_itself_and_forbids_requests() {
    let (_, _, page) = everything();
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"));
    for link in values(page, "href") {
        assert!(link.starts_with('#') || link == "data:,", "{link}");
    }
    for way in [" src=", " srcset=", " action=", "url(", "@import", "fetch(", "XMLHttpRequest", "import(", "<iframe"] {
        assert!(!page.contains(way), "the page has {way}");
    }
    assert_eq!((page.matches("<script>").count(), page.matches("</script>").count()), (1, 1));
}

#[test]
fn images_of_generators_are_in_the_page_itself_and_beside_their_case() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, page) = page(folder.path(), &SMALL);
    assert!(!page.contains("Generated images"), "there is no sheet");
    let case = Results::load(&dir).unwrap().grid.trials().next().unwrap().2.case.clone();
    let pixels: Vec<u8> = (0..4 * 3 * 5 * 6).map(|value| value as u8).collect();
    bakeoff_reports::replace(&dir.sheet_path(&case), &bakeoff_reports::sheet(&pixels, [3, 5, 6]).unwrap()).unwrap();
    build(&dir).unwrap();
    let page = fs::read_to_string(dir.report_path()).unwrap();
    assert!(page.contains(">Generated images</h2>"));
    let sources = values(&page, "src");
    assert_eq!(sources.len(), 1);
    // The signature of a PNG file.
    assert!(sources[0].starts_with("data:image/png;base64,iVBORw0KGgo"), "{}", &sources[0][..60]);
    assert_eq!(values(&page, "alt"), [format!("generated images of {case}")]);
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(markdown.contains(&format!("(samples/{case}.png)")), "{markdown}");
    dir.remove_cases(&[case.as_str()].into()).unwrap();
    assert!(!dir.sheet_path(&case).exists(), "a case that is run again loses its sheet");
}

#[test]
fn headings_are_in_order_and_results_come_before_figures() {
    let (_, _, page) = everything();
    let levels: Vec<u32> = page
        .match_indices("<h")
        .filter_map(|(at, _)| page[at + 2..].chars().next().and_then(|level| level.to_digit(10)))
        .collect();
    assert_eq!(levels[0], 1);
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a level is left out: {levels:?}");
    let parts = ["results", "train-and-test", "time-to-target", "tuning", "not-ranked", "figures", "provenance"];
    let places: Vec<usize> = parts.iter().map(|id| page.find(&format!("<h2 id=\"{id}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_table_of_contents_has_every_part_and_every_table_of_results_and_leads_there() {
    let (_, dir, page) = everything();
    let (nav, _) = page.split_once("<nav").unwrap().1.split_once("</nav>").unwrap();
    let linked: Vec<&str> = values(nav, "href").into_iter().map(|link| &link[1..]).collect();
    let headings: Vec<&str> = page.split("<h2 id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let of_settings: Vec<&str> = page.split("<h3 id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(of_settings.len(), Results::load(dir).unwrap().grid.settings.len());
    let with_id: Vec<&str> = headings.iter().chain(&of_settings).copied().collect();
    assert!(linked.len() == with_id.len() && linked.iter().all(|id| with_id.contains(id)), "{linked:?} {with_id:?}");
}

#[test]
fn every_figure_has_a_text_that_stands_for_it() {
    let (_, _, page) = everything();
    let pictures: Vec<&str> = page.split("<svg ").skip(1).collect();
    assert!(pictures.len() > 10, "{}", pictures.len());
    for picture in pictures {
        let (head, rest) = picture.split_once('>').unwrap();
        assert!(head.contains("role=\"img\""), "{head}");
        let title = rest.trim_start().strip_prefix("<title>").unwrap().split('<').next().unwrap();
        assert!(title.len() > 3, "{title}");
    }
}

#[test]
fn a_row_says_what_it_is_about_and_sorts_by_all_digits_of_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, page) = page(folder.path(), &SMALL);
    let results = Results::load(&dir).unwrap();
    let mut rows = 0;
    for (index, setting) in results.grid.settings.iter().enumerate() {
        for (label, cell) in results.grid.row(index) {
            let about = format!(
                "data-setting=\"{}\" data-model=\"{}\" data-status=\"{}\">",
                setting.title, results.grid.labels[label], cell.status
            );
            let row = page.split(&about).nth(1).unwrap_or_else(|| panic!("no row has {about}"));
            let row = row.split("</tr>").next().unwrap();
            for (phase, metric) in [("fit", "fit_s"), ("predict-batch", "throughput")] {
                let Some(mean) = cell.mean(phase, metric) else { continue };
                assert!(row.contains(&format!("data-sort=\"{}\"", mean.mean)), "{metric} of {about} is not in {row}");
                rows += 1;
            }
        }
    }
    assert!(rows > 20, "{rows}");
    assert!(tag_before(&page, "predictions/s").contains("data-first=\"descending\""));
    assert!(!tag_before(&page, "fit<").contains("data-first"), "the shortest fit comes first");
}

#[test]
fn estimated_joules_are_not_divided_by_each_other_and_measured_ones_have_their_column_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, before) = page(folder.path(), &Plan { tasks: 1, faults: false, ..SMALL });
    assert!(!tag_before(&before, "J to fit (estimate ± 40 %)").contains("data-cost"));
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.label == "svm" && row.phase == "fit" && row.metric == "energy_j") {
        row.source = "rapl".to_owned();
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap();
    let after = fs::read_to_string(dir.report_path()).unwrap();
    assert!(tag_before(&after, "J to fit (rapl)").contains("data-cost"));
    assert!(after.contains("J/prediction (estimate ± 40 %)") && !after.contains("estimate, rapl"));
}

#[test]
fn names_of_a_user_are_text_in_the_page_and_no_markup() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 2, ..SMALL });
    let mut info = dir.info().unwrap();
    let mut records = dir.records().unwrap().rows;
    let name = "a\"><script>alert(1)</script>";
    info.cases.iter_mut().filter(|case| case.label == "resnet").for_each(|case| case.label = name.to_owned());
    records.iter_mut().filter(|row| row.label == "resnet").for_each(|row| row.label = name.to_owned());
    dir.write_info(&info).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap();
    let page = fs::read_to_string(dir.report_path()).unwrap();
    assert!(!page.contains("<script>alert"), "a name became markup");
    assert!(page.contains("data-model=\"a&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""));
}

#[test]
fn a_point_of_every_figure_names_its_model_and_its_cases() {
    let (_, dir, _) = everything();
    let results = Results::load(dir).unwrap();
    // A matrix has one case, which its title names. No parameter varies here, so there is no ablation. A win is of two models.
    for figure in FIGURES.iter().filter(|figure| !["confusion", "ablation", "wins"].contains(&figure.name())) {
        for picture in figure.draw(&results, &Style::default()).unwrap().pictures {
            let points: Vec<&str> =
                picture.svg.split("<circle ").skip(1).filter(|part| part.contains("<title>")).collect();
            assert!(!points.is_empty(), "{} has no points", picture.name);
            for point in points {
                let words = point.split_once("<title>").unwrap().1.split("</title>").next().unwrap();
                let (name, rest) = words.split_once('\n').unwrap();
                let (model, _) = name.split_once(" on ").unwrap();
                let cases = rest.lines().last().unwrap();
                assert!(results.grid.labels.iter().any(|label| label == model), "{words}");
                assert!(results.info.cases.iter().any(|case| cases.contains(&case.case)), "{words}");
            }
        }
    }
}

#[test]
fn a_cell_of_a_confusion_matrix_says_how_many_examples_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    build(&dir).unwrap();
    let results = Results::load(&dir).unwrap();
    let case = "sst2.svm.n2000.s1.cpu";
    let svg = fs::read_to_string(dir.path().join(format!("figures/confusion-{case}.svg"))).unwrap();
    let counts = &results.answers[case].confusion;
    let total: u64 = counts[0].iter().sum();
    assert!(counts[0][1] > 0, "the made-up model makes errors");
    let words = format!("<title>{} of {total} of class negative\nwere predicted as positive</title>", counts[0][1]);
    assert!(svg.contains(&words), "{words}");
}

#[test]
fn figures_have_as_many_points_as_models_with_a_score() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    build(&dir).unwrap();
    let results = Results::load(&dir).unwrap();
    let scored = results.rankings.iter().flat_map(|ranking| &ranking.models).filter(|model| model.primary.is_some());
    let svg = fs::read_to_string(folder.path().join("figures/quality.svg")).unwrap();
    assert_eq!(svg.matches("</title></circle>").count(), scored.count());
    assert!(svg.contains("\nnot ranked: below-floor\ncase "), "a hollow marker says why it is hollow");
}
