//! `report.html`: one self-contained file, which loads nothing from elsewhere.

mod controls;
mod document;
mod figures;

use maud::{Markup, html};

use crate::anchors::{HOW_TO_READ_ANCHORS, anchors_met};
use crate::cell::named_source;
use crate::claims::{HOW_TO_READ_VERDICTS, verdicts};
use crate::extra_tables::{ExtraTable, extra_tables};
use crate::figures::Picture;
use crate::format::{count, si};
use crate::interpretation::PAGE;
use crate::markdown::reproduce;
use crate::results::Results;
use crate::run_info::MachineInfo;
use crate::sections::{self, HOW_ROWS_ARE_USED, Section, TUNING, marks, planned, sections, sentence};
use crate::sheet::{HOW_TO_READ_SHEETS, Sheet};
use crate::table;

pub(crate) use controls::colours;
pub(crate) use document::document;

/// A part of the page: its heading, and what is below it.
struct Part {
    /// The name by which the table of contents refers to it.
    id: &'static str,
    title: &'static str,
    /// The identifiers and titles of what the table of contents lists below it.
    entries: Vec<(String, String)>,
    body: Markup,
}

/// The text of `report.html`.
pub(crate) fn html(results: &Results, pictures: &[Picture], sheets: &[Sheet], remarks: &[String]) -> String {
    let info = &results.info;
    let parts = parts(results, pictures, sheets);
    let body = html! {
        (head(results, &parts))
        (remarks_box("Before you read on", remarks))
        @for part in &parts {
            section aria-labelledby=(part.id) {
                h2 id=(part.id) { (part.title) }
                (part.body)
            }
        }
    };
    document(&format!("bakeoff {}: {}", info.suite, info.run), true, &body)
}

/// The parts of the page in the order in which a reader needs them: verdicts, results, then figures, then how they came about.
fn parts(results: &Results, pictures: &[Picture], sheets: &[Sheet]) -> Vec<Part> {
    let mut parts: Vec<Part> = claims(results).into_iter().chain(anchors(results)).collect();
    parts.push(headlines(results));
    parts.extend(extra_tables(results).into_iter().map(extra_table));
    parts.extend(tuning(results));
    parts.push(not_ranked(results));
    parts.extend(gaps(results));
    parts.push(Part::new("figures", "Figures", figures::figures(pictures)));
    parts.extend(generated_images(sheets));
    parts.extend(learned(results));
    parts.push(Part::new("provenance", "What was run", provenance(results)));
    parts.push(Part::new("parameters", "Parameters of each case", parameters(results)));
    parts
}

impl Part {
    fn new(id: &'static str, title: &'static str, body: Markup) -> Part {
        Part { id, title, entries: Vec::new(), body }
    }
}

fn head(results: &Results, parts: &[Part]) -> Markup {
    let info = &results.info;
    let finished = results.grid.trials().count();
    html! {
        header {
            (colours())
            h1 { "bakeoff: " (info.suite) }
            p.lead { (sentence(&info.about)) }
            p.muted {
                (finished) " of " (planned(results)) " · " (info.started) " · "
                (info.machine.cpu) ", " (count(info.machine.cpus, "processor")) " · energy: " (named_source(&info.energy))
            }
            @if finished == 0 {
                p { strong { "No case has finished, so there is nothing to compare yet." } }
            }
            (contents(parts))
        }
    }
}

/// The table of contents.
fn contents(parts: &[Part]) -> Markup {
    /// More entries than this are folded away.
    const SHOWN: usize = 12;
    let entries = |part: &Part| {
        html! { ul { @for (id, title) in &part.entries { li { a href={ "#" (id) } { (title) } } } } }
    };
    html! {
        nav aria-label="Contents" {
            ul {
                @for part in parts {
                    li {
                        a href={ "#" (part.id) } { (part.title) }
                        @match part.entries.len() {
                            0 | 1 => {}
                            n if n > SHOWN => details { summary { (count(n, "table")) } (entries(part)) },
                            _ => (entries(part)),
                        }
                    }
                }
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

/// The verdicts on claims, if the run measures any.
fn claims(results: &Results) -> Option<Part> {
    let (claims, findings) = verdicts(results)?;
    let body = html! {
        p.muted { (HOW_TO_READ_VERDICTS) }
        (table::html(&claims))
        details {
            summary { (count(findings.rows.len(), "comparison")) " behind the verdicts" }
            (table::html(&findings))
        }
    };
    Some(Part::new("claims", "Verdicts on claims", body))
}

/// The published numbers that the run meets, if it meets any.
fn anchors(results: &Results) -> Option<Part> {
    let met = anchors_met(results)?;
    let body = html! {
        p.muted { (HOW_TO_READ_ANCHORS) }
        (table::html(&met))
    };
    Some(Part::new("anchors", "Published numbers", body))
}

fn headlines(results: &Results) -> Part {
    let sections = sections(results);
    let id = |index: usize| format!("setting-{}", index + 1);
    let body = html! {
        @if !sections.is_empty() { (controls::controls(results)) }
        @for (index, section) in sections.iter().enumerate() { (headline(&id(index), section)) }
        h3 { "How to read the tables" }
        p { (marks(results).replace('`', "")) }
        p {
            "p50 and p99 are the median and the 99th percentile of the time from one raw example to its prediction. "
            "Memory is the largest of the whole case, training included."
        }
        p { (HOW_ROWS_ARE_USED) }
    };
    let entries = sections.iter().enumerate().map(|(index, section)| (id(index), section.title.clone())).collect();
    Part { entries, ..Part::new("results", "Results", body) }
}

fn headline(id: &str, section: &Section) -> Markup {
    html! {
        section.setting aria-labelledby=(id) {
            h3 id=(id) { (section.title) }
            p.muted { (section.lead) }
            (remarks_box("Before you trust this table", &section.warnings))
            (table::html(&section.table))
            @if let Some(beside) = &section.beside { p { (beside) } }
            @if let Some(pairs) = &section.pairs {
                details {
                    summary { "All pairs of models" }
                    (table::html(pairs))
                }
            }
        }
    }
}

fn extra_table(extra: ExtraTable) -> Part {
    let body = html! {
        (table::html(&extra.table))
        p { (extra.rule) (extra.of_run) }
    };
    Part::new(extra.id, extra.title, body)
}

fn tuning(results: &Results) -> Option<Part> {
    let table = sections::tuning(results)?;
    let body = html! {
        p { (TUNING) }
        (table::html(&table))
    };
    Some(Part::new("tuning", "Tuning", body))
}

fn not_ranked(results: &Results) -> Part {
    let body = match sections::not_ranked(results) {
        Some(table) => table::html(&table),
        None => html! { p { "Every finished case is ok." } },
    };
    Part::new("not-ranked", "Cases that are not ranked", body)
}

fn gaps(results: &Results) -> Option<Part> {
    let body = html! { ul { @for gap in &results.gaps { li { (gap) } } } };
    (!results.gaps.is_empty()).then(|| Part::new("missing", "Numbers that are missing", body))
}

/// The images that generators made, if there are any.
fn generated_images(sheets: &[Sheet]) -> Option<Part> {
    let body = html! {
        p.muted { (HOW_TO_READ_SHEETS) }
        div.figures {
            @for sheet in sheets {
                figure {
                    div.wide { img src=(sheet.address()) alt={ "generated images of " (sheet.case) }; }
                    figcaption { (sheet.caption()) }
                }
            }
        }
    };
    (!sheets.is_empty()).then(|| Part::new("generated", "Generated images", body))
}

/// Where to read what the models learned, if that was explained.
fn learned(results: &Results) -> Option<Part> {
    let explained = results.interpretation.as_ref()?;
    let models: usize = explained.tasks.iter().map(|task| task.models.len()).sum();
    let body = html! {
        p {
            a href=(PAGE) { (PAGE) } " shows " (count(models, "fitted model")) " side by side: which words or regions each of them "
            "uses, and the attention, the rules and the support vectors of those that have them."
        }
    };
    Some(Part::new("learned", "What the models learned", body))
}

/// What decides the costs of a machine, and its system.
fn described(machine: &MachineInfo) -> String {
    let MachineInfo { fingerprint, cpu, cpus, memory_bytes, os, arch } = machine;
    let (cpus, memory) = (count(*cpus, "processor"), si(*memory_bytes as f64, "B"));
    format!("{cpu}, {cpus}, {memory} of memory, {os}, {arch} (fingerprint {fingerprint})")
}

fn provenance(results: &Results) -> Markup {
    let info = &results.info;
    html! {
        dl {
            dt { "Run" } dd { (info.run) }
            dt { "Suite" } dd { (info.suite) }
            dt { "Started" } dd { (info.started) }
            dt { "bakeoff" } dd { (info.version) ", commit " (info.commit) }
            dt { "Compiler" } dd { (info.toolchain) }
            dt { "Machine" } dd { (described(&info.machine)) }
            @for device in info.devices.iter().filter(|device| device.fingerprint != info.machine.fingerprint) {
                dt { "Device " (device.device) } dd { (device.in_words()) }
            }
            @for node in results.nodes.all().iter().filter(|node| node.machine.fingerprint != info.machine.fingerprint) {
                dt { "Machine" } dd { (described(&node.machine)) }
            }
            dt { "Energy" } dd { (named_source(&info.energy)) }
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
        details open[results.grid.trials().count() <= 30] {
            summary { (count(results.grid.trials().count(), "case")) }
            (table::html(&sections::parameters(results)))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use plotters::style::RGBColor;

    use crate::figures::contrast;

    use super::document::STYLE_SHEET as STYLE;

    /// The light and the dark colour that the style declares for a name.
    fn declared(name: &str) -> [RGBColor; 2] {
        let (_, rest) = STYLE.split_once(&format!("--{name}: light-dark(")).unwrap();
        let (light, dark) = rest.split_once(')').unwrap().0.split_once(", ").unwrap();
        [light, dark].map(|hex| {
            let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            RGBColor(part(1), part(3), part(5))
        })
    }

    #[test]
    fn every_colour_of_text_has_contrast_on_every_background_in_light_and_dark() {
        for (text, least) in [("ink", 4.5), ("muted", 4.5), ("accent", 4.5), ("bad", 4.5), ("edge", 3.0)] {
            for background in ["paper", "shade"] {
                for (text_color, background_color) in declared(text).into_iter().zip(declared(background)) {
                    let found = contrast(text_color, background_color);
                    assert!(found >= least, "{text} on {background}: {found:.2}, WCAG 2.2 AA asks for {least}");
                }
            }
        }
        // No text has a colour that is not among these.
        let used =
            STYLE.split([' ', ';', '{']).zip(STYLE.split([' ', ';', '{']).skip(1)).filter(|(key, _)| *key == "color:");
        for (_, value) in used {
            let known = ["var(--ink)", "var(--muted)", "var(--accent)", "var(--bad)", "var(--paper)"];
            assert!(known.contains(&value), "color: {value}");
        }
    }
}
