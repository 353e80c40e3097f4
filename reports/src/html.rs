//! `report.html`: one self-contained file, which loads nothing from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::extra_tables::{self, ExtraTable};
use crate::figures::Picture;
use crate::format::{count, si};
use crate::markdown::reproduce;
use crate::results::Results;
use crate::sections::{self, HOW_ROWS_ARE_USED, Section, TUNING, marks, planned, sections, sentence};
use crate::table;

/// The text of `report.html`.
pub(crate) fn html(results: &Results, pictures: &[Picture], remarks: &[String]) -> String {
    let info = &results.info;
    let tables = extra_tables::extra_tables(results);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "bakeoff " (info.suite) ": " (info.run) }
                style { (PreEscaped(include_str!("html.css"))) }
            }
            body {
                main {
                    (head(results, &tables))
                    (remarks_box("Before you read on", remarks))
                    (headlines(results))
                    (figures(pictures))
                    (extra_tables(&tables))
                    (tuning(results))
                    (not_ranked(results))
                    (gaps(results))
                    (provenance(results))
                    (parameters(results))
                }
            }
        }
    };
    page.into_string()
}

fn head(results: &Results, tables: &[ExtraTable]) -> Markup {
    let info = &results.info;
    let finished = results.grid.trials().count();
    let searched = info.cases.iter().any(|case| case.trial.is_some());
    html! {
        header {
            h1 { "bakeoff: " (info.suite) }
            p.lead { (sentence(&info.about)) }
            p.muted {
                (finished) " of " (planned(results)) " · " (info.started) " · "
                (info.machine.cpu) ", " (count(info.machine.cpus, "processor")) " · energy: " (info.energy)
            }
            @if finished == 0 {
                p { strong { "No case has finished, so there is nothing to compare yet." } }
            }
            nav aria-label="Contents" {
                a href="#results" { "Results" }
                a href="#figures" { "Figures" }
                @for table in tables { a href={ "#" (table.id) } { (table.title) } }
                @if searched { a href="#tuning" { "Tuning" } }
                a href="#not-ranked" { "Not ranked" }
                a href="#provenance" { "What was run" }
                a href="#parameters" { "Parameters" }
            }
        }
    }
}

fn remarks_box(title: &str, remarks: &[String]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            aside.remarks aria-label="Remarks" {
                strong { (title) }
                ul { @for remark in remarks { li { (remark) } } }
            }
        }
    }
}

fn headlines(results: &Results) -> Markup {
    html! {
        h2 #results { "Results" }
        @for section in &sections(results) { (headline(section)) }
        h3 { "How to read the tables" }
        p { (marks(results).replace('`', "")) }
        p {
            "p50 and p99 are the median and the 99th percentile of the time from one raw example to its prediction. "
            "Memory is the largest of the whole case, training included."
        }
        p { (HOW_ROWS_ARE_USED) }
    }
}

fn headline(section: &Section) -> Markup {
    html! {
        section {
            h3 { (section.title) }
            p.muted { (section.lead) }
            (remarks_box("Before you trust this table", &section.warnings))
            (table::html(&section.table))
            @if let Some(beside) = &section.beside { p { (beside) } }
        }
    }
}

fn figures(pictures: &[Picture]) -> Markup {
    let (matrices, others): (Vec<_>, Vec<_>) =
        pictures.iter().partition(|picture| picture.name.starts_with("confusion-"));
    html! {
        h2 #figures { "Figures" }
        @if pictures.is_empty() { p { "There is nothing to draw yet." } }
        div.figures { @for picture in &others { (figure(picture, true)) } }
        @if let Some(first) = matrices.first() {
            h3 { "Confusion matrices" }
            p.muted { (first.caption) }
            details open[matrices.len() <= 12] {
                summary { (count(matrices.len(), "classification case")) }
                div.figures { @for picture in &matrices { (figure(picture, false)) } }
            }
        }
        p.muted { "The folder figures/ holds each figure as SVG, as PDF and as PNG with 300 dots per inch." }
    }
}

fn figure(picture: &Picture, captioned: bool) -> Markup {
    // A picture with two columns needs the whole width of the page.
    let whole = picture.svg.starts_with("<svg") && is_wide(&picture.svg);
    html! {
        figure.whole[whole] {
            (PreEscaped(&picture.svg))
            // The picture of a matrix contains its title.
            @if captioned || !picture.key.is_empty() {
                figcaption {
                    @if captioned { strong { (picture.title) } ". " (picture.caption) }
                    @if !picture.key.is_empty() { " " strong { "Key: " } (picture.key) "." }
                }
            }
        }
    }
}

/// Whether the picture is wider than a column. Its width is the first attribute of the SVG.
fn is_wide(svg: &str) -> bool {
    let width = svg.trim_start_matches("<svg width=\"").split("mm").next().and_then(|width| width.parse::<f64>().ok());
    width.is_some_and(|width| width > 100.0)
}

fn extra_tables(tables: &[ExtraTable]) -> Markup {
    html! {
        @for ExtraTable { id, title, rule, table } in tables {
            h2 id=(id) { (title) }
            (table::html(table))
            p { (rule) }
        }
    }
}

fn tuning(results: &Results) -> Markup {
    html! {
        @if let Some(table) = sections::tuning(results) {
            h2 #tuning { "Tuning" }
            p { (TUNING) }
            (table::html(&table))
        }
    }
}

fn not_ranked(results: &Results) -> Markup {
    html! {
        h2 #not-ranked { "Cases that are not ranked" }
        @match sections::not_ranked(results) {
            Some(table) => (table::html(&table)),
            None => p { "Every finished case is ok." },
        }
    }
}

fn gaps(results: &Results) -> Markup {
    html! {
        @if !results.gaps.is_empty() {
            h2 #missing { "Numbers that are missing" }
            ul { @for gap in &results.gaps { li { (gap) } } }
        }
    }
}

fn provenance(results: &Results) -> Markup {
    let info = &results.info;
    let machine = &info.machine;
    html! {
        h2 #provenance { "What was run" }
        dl {
            dt { "Run" } dd { (info.run) }
            dt { "Suite" } dd { (info.suite) }
            dt { "Started" } dd { (info.started) }
            dt { "bakeoff" } dd { (info.version) ", commit " (info.commit) }
            dt { "Compiler" } dd { (info.toolchain) }
            dt { "Machine" } dd { (machine.cpu) ", " (count(machine.cpus, "processor")) ", " (si(machine.memory_bytes as f64, "B")) " of memory, " (machine.os) ", " (machine.arch) " (fingerprint " (machine.fingerprint) ")" }
            dt { "Energy" } dd { (info.energy) }
            @for (library, version) in &info.libraries { dt { (library) } dd { (version) } }
        }
        h3 { "Reproduce and cite" }
        pre { (reproduce(info)) }
        p {
            "Cite the program with its version and commit, the run by its name (" (info.run) "), and the datasets with "
            "their own papers. Compare costs only with those of runs that have the same machine fingerprint."
        }
        details {
            summary { "Checksums of the data (" (count(info.datasets.len(), "file")) ")" }
            (table::html(&sections::checksums(results)))
        }
        details { summary { "The suite as resolved" } pre { (info.suite_toml) } }
    }
}

fn parameters(results: &Results) -> Markup {
    html! {
        h2 #parameters { "Parameters of each case" }
        details open[results.grid.trials().count() <= 30] {
            summary { (count(results.grid.trials().count(), "case")) }
            (table::html(&sections::parameters(results)))
        }
    }
}
