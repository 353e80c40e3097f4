//! `report --style` and `--column`: figures for papers and slides.

use std::fs;

use crate::common::{Bench, exits, stderr, stdout};

/// A bench with a finished run in `out`.
fn finished() -> Bench {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    bench
}

#[test]
fn report_writes_the_figures_of_a_look_into_its_folder_and_says_where() {
    let bench = finished();
    let report = fs::read(bench.path("out/report.html")).unwrap();
    for (arguments, folder) in [
        (&["--style", "paper"][..], "figures/paper-single"),
        (&["--style", "paper", "--column", "single"], "figures/paper-single"),
        (&["--style", "paper", "--column", "double"], "figures/paper-double"),
        (&["--style", "slides"], "figures/slides"),
    ] {
        let output = bench.run(&[&["report", "out"], arguments].concat());
        exits(&output, 0);
        assert!(stdout(&output).ends_with(&format!("figures: out/{folder}\n")), "{}", stdout(&output));
        for ending in ["svg", "png", "pdf"] {
            assert!(bench.path(&format!("out/{folder}/quality.{ending}")).is_file(), "{folder}: {ending}");
        }
    }
    assert!(fs::read(bench.path("out/report.html")).unwrap() == report, "the report stays as it is");
    assert!(!stdout(&bench.run(&["report", "out", "--style", "web"])).contains("figures: "));
}

#[test]
fn an_unknown_style_or_a_column_without_a_paper_is_wrong_usage_that_names_the_choices() {
    let bench = finished();
    for (arguments, named) in [
        (&["--style", "poster"][..], &["'poster'", "web, paper, slides"][..]),
        (&["--style", "paper", "--column", "triple"], &["'triple'", "single, double"]),
        (&["--column", "double"], &["--style is not paper", "add --style paper"]),
        (&["--style", "slides", "--column", "single"], &["--style is not paper", "leave --column out"]),
        (&["--bib", "--style", "paper"], &["--bib prints references and draws no figure", "leave out --bib"]),
        (&["--bib", "--style", "web"], &["--bib prints references and draws no figure"]),
        (&["--bib", "--column", "double"], &["takes no --style and no --column"]),
    ] {
        let output = bench.run(&[&["report", "out"], arguments].concat());
        exits(&output, 2);
        for part in named {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
    }
    assert!(!bench.path("out/figures/slides").exists());
    assert!(!bench.path("out/figures/paper-single").exists());
}
