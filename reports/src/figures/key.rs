//! The key of a picture: what the numbers mean that it writes in place of names. It is drawn below the picture, so that the
//! picture is complete without the report.

use super::canvas::{Align, SMALL_MM, allowed_in_xml, extended, text_width, width_of};
use super::drawing::has_all_glyphs;
use super::frame::MARGIN_MM;
use super::style::Style;

const LINE_MM: f64 = 3.6;
const GAP_MM: f64 = 3.0;

/// A text of the key, with its left end and its line.
type Placed = (String, f64, usize);

/// The picture with a key of these numbers and names below it.
pub(crate) fn add_key(svg: &str, names: &[(&str, &str)], style: &Style) -> Result<String, String> {
    let width = width_of(svg)? - 2.0 * MARGIN_MM;
    let placed = place(&texts(names), width);
    let lines = placed.last().map_or(0, |(_, _, line)| line + 1);
    extended(style.look, svg, lines as f64 * LINE_MM + MARGIN_MM, |canvas| {
        for (text, x, line) in &placed {
            let at = (MARGIN_MM + x, (*line as f64 + 0.5) * LINE_MM);
            canvas.text(text, at, SMALL_MM, Align::Left, style.ink)?;
        }
        Ok(())
    })
}

/// `#1 = a name` for each name that the font can draw. The report has the others.
fn texts(names: &[(&str, &str)]) -> Vec<String> {
    let (drawn, others): (Vec<_>, Vec<_>) = names.iter().partition(|(_, name)| has_all_glyphs(&allowed_in_xml(name)));
    let mut texts: Vec<String> = drawn.iter().map(|(number, name)| format!("{number} = {name}")).collect();
    let numbers: Vec<&str> = others.iter().map(|(number, _)| *number).collect();
    if !numbers.is_empty() {
        texts.push(format!("{}: see the report", numbers.join(", ")));
    }
    texts
}

/// Places the texts in as many columns of one width as there is room for. A text that is longer than a line is broken.
fn place(texts: &[String], width_mm: f64) -> Vec<Placed> {
    let parts: Vec<String> = texts.iter().flat_map(|text| broken(text, width_mm)).collect();
    let widest = parts.iter().map(|part| text_width(part, SMALL_MM)).fold(0.0, f64::max);
    let column_mm = widest + GAP_MM;
    let columns = (((width_mm + GAP_MM) / column_mm) as usize).max(1);
    let at = |(index, part)| (part, (index % columns) as f64 * column_mm, index / columns);
    parts.into_iter().enumerate().map(at).collect()
}

/// The parts of a text, each as long as a line can have it. A part ends after a space if it has one.
fn broken(text: &str, width_mm: f64) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while text_width(rest, SMALL_MM) > width_mm {
        let ends = rest.char_indices().skip(1).map(|(end, _)| end);
        let longest = ends.take_while(|end| text_width(&rest[..*end], SMALL_MM) <= width_mm).last();
        let Some(longest) = longest.or_else(|| rest.char_indices().nth(1).map(|(end, _)| end)) else { break };
        // The space after the equals sign is no place for a break.
        let after_space = rest[..longest].rfind(' ').map(|space| space + 1).filter(|end| *end > longest / 2);
        let (part, after) = rest.split_at(after_space.unwrap_or(longest));
        parts.push(part.trim_end().to_owned());
        rest = after;
    }
    parts.push(rest.to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(placed: &[Placed]) -> Vec<usize> {
        placed.iter().map(|(_, _, line)| *line).collect()
    }

    #[test]
    fn texts_are_in_columns_of_one_width() {
        let placed = place(&["#1 = short", "#2 = as short", "#3 = x"].map(str::to_owned), 60.0);
        assert_eq!(lines(&placed), [0, 0, 1]);
        assert_eq!((placed[0].1, placed[2].1), (0.0, 0.0));
        assert!(placed[1].1 > text_width("#2 = as short", SMALL_MM), "{placed:?}");
        assert!(place(&[], 60.0).is_empty());
    }

    #[test]
    fn a_long_text_is_broken_at_spaces_and_nothing_is_lost() {
        let long = format!("#3 = {}", "customer complaint ".repeat(8).trim_end());
        let placed = place(&["#1 = short".to_owned(), long.clone()], 60.0);
        assert_eq!(lines(&placed), (0..placed.len()).collect::<Vec<_>>());
        assert!(placed.len() > 4 && placed.iter().all(|(text, _, _)| text_width(text, SMALL_MM) <= 60.0), "{placed:?}");
        let parts: Vec<&str> = placed[1..].iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(parts.join(" "), long);
    }

    #[test]
    fn a_text_without_spaces_is_broken_and_every_line_has_a_character() {
        let text = "x".repeat(100);
        let parts = broken(&text, 30.0);
        assert!(parts.len() > 3 && parts.concat() == text, "{parts:?}");
        assert_eq!(broken("abc", 0.1), ["a", "b", "c"]);
    }

    #[test]
    fn names_that_the_font_lacks_are_in_the_report() {
        let names = [("#1", "差评"), ("#2", "forest"), ("#3", "👍")];
        assert_eq!(texts(&names), ["#2 = forest", "#1, #3: see the report"]);
    }
}
