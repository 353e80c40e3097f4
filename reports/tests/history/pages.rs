//! The pages of a history.

use bakeoff_reports::{EpochLine, History, MadeFile, Rules, add_epochs, history_pages};

use crate::{Bench, name, quiet, scaled, series};

fn pages(history: &History) -> Vec<MadeFile> {
    history_pages(history, &Rules::default(), |_| true).unwrap()
}

fn text(page: &MadeFile) -> &str {
    std::str::from_utf8(&page.bytes).unwrap()
}

/// Thirty nights, with a step of the fits that is found, and one of the memory that was accepted.
fn nights() -> Bench {
    let bench = Bench::new();
    for n in 1..=30 {
        bench.add(n, move |record| {
            quiet(n)(record);
            scaled("fit_s", if n >= 15 { 1.2 } else { 1.0 })(record);
            scaled("peak_memory_bytes", if n >= 20 { 2.0 } else { 1.0 })(record);
        });
    }
    let history = bench.read();
    let memory: Vec<EpochLine> = history
        .series
        .iter()
        .filter(|series| series.key.quantity.metric == "peak_memory_bytes")
        .map(|series| EpochLine {
            series: series.id.clone(),
            named: series.key.to_string(),
            from: name(20),
            why: "keeps <all> rows".to_owned(),
            accepted: "2026-01-25T09:00:00Z".to_owned(),
        })
        .collect();
    assert!(!memory.is_empty());
    add_epochs(&bench.history(), &memory).unwrap();
    bench
}

#[test]
fn a_task_has_a_page_with_every_series_and_the_commit_of_each_point() {
    let history = nights().read();
    let pages = pages(&history);
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names, ["index.html", "cifar10.html"]);
    assert!(text(&pages[0]).contains("<a href=\"cifar10.html\">cifar10</a>"));
    let page = text(&pages[1]);
    assert_eq!(page.matches("<svg ").count(), history.series.len());
    for run in &history.runs {
        let points = history.series.len();
        assert_eq!(
            page.matches(&format!("commit {}\n", run.commit)).count(),
            points,
            "{}: each of its points",
            run.run
        );
        assert!(page.contains(&format!("<code>{}</code>", run.run)), "{}: the table has it", run.run);
    }
    for series in &history.series {
        assert!(page.contains(&format!("<code>{}</code>", series.id)), "{}", series.key);
    }
}

#[test]
fn segments_say_since_when_and_since_which_commit_a_series_is_where_it_is() {
    let history = nights().read();
    let segments = |metric: &str| series(&history, metric).segments(&Rules::default());
    let fit = segments("fit_s");
    assert_eq!(fit.iter().map(|one| one.points.clone()).collect::<Vec<_>>(), [0..14, 14..30]);
    assert_eq!((fit[0].change, fit[1].why.as_deref()), (None, None));
    assert!((fit[1].change.unwrap() - 0.2).abs() < 0.01, "{:?}", fit[1]);
    let accuracy = history.series.iter().find(|one| one.key.quantity.is_quality()).unwrap().segments(&Rules::default());
    assert_eq!((accuracy.len(), accuracy[0].level), (1, None), "a score has no level");
    let page = &pages(&history)[1];
    assert!(text(page).contains("+20"), "the change of the fits");
    assert!(text(page).contains("accepted: keeps &lt;all&gt; rows"), "the reason of the epoch, escaped");
    assert!(!text(page).contains("<all>"));
}

#[test]
fn every_point_is_in_one_segment() {
    let history = nights().read();
    for series in &history.series {
        let points: Vec<usize> = series.segments(&Rules::default()).into_iter().flat_map(|one| one.points).collect();
        assert_eq!(points, (0..series.points.len()).collect::<Vec<_>>(), "{}", series.key);
    }
}

#[test]
fn pages_load_nothing_from_elsewhere_and_have_light_and_dark_colours() {
    for page in pages(&nights().read()) {
        let text = text(&page);
        assert!(text.contains("default-src 'none'"), "{}", page.name);
        assert!(text.contains("color-scheme: light dark") && text.contains("name=\"colours\""));
        for attribute in ["src=\"", "href=\""] {
            for place in text.split(attribute).skip(1) {
                let address = place.split('"').next().unwrap();
                let is_here = address.starts_with('#') || address.starts_with("data:") || address.ends_with(".html");
                assert!(is_here && !address.contains("//"), "{}: {address}", page.name);
            }
        }
    }
}

#[test]
fn only_the_series_that_are_asked_for_are_shown() {
    let history = nights().read();
    let pages = history_pages(&history, &Rules::default(), |one| one.key.quantity.metric == "fit_s").unwrap();
    assert_eq!(text(&pages[1]).matches("<svg ").count(), 2, "two models");
    let none = history_pages(&history, &Rules::default(), |_| false).unwrap();
    assert_eq!(none.len(), 1);
    assert!(text(&none[0]).contains("There is no series yet."));
}
