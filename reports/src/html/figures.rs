//! The figures of the page.

use maud::{Markup, PreEscaped, html};

use crate::figures::Picture;
use crate::format::count;

/// The figures. Confusion matrices follow the others, because there may be many.
pub(super) fn figures(pictures: &[Picture]) -> Markup {
    let (matrices, others): (Vec<_>, Vec<_>) =
        pictures.iter().partition(|picture| picture.name.starts_with("confusion-"));
    html! {
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
            div.wide { (PreEscaped(&picture.svg)) }
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
