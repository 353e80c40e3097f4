//! The pictures of `interpretation.html`: what models use of the same inputs, side by side.

use plotters::style::RGBColor;

use super::Picture;
use super::axis::AxisScale;
use super::canvas::{Align, Canvas, Rect, SMALL_MM, TEXT_MM, page};
use super::confusion::{ink_on, shade};
use super::frame::MARGIN_MM;
use super::style::Style;
use crate::error::ReportError;
use crate::interpretation::{
    ExplainedAnswer, ExplainedModel, ExplainedTask, Importance, Part, ShownAttention, ShownInput,
};
use crate::metric::metric;

/// The width of a picture.
const WIDTH_MM: f64 = 180.0;
/// The most models that have room beside each other.
const MOST_ABREAST: usize = 6;
/// The height of a row of words.
const ROW_MM: f64 = 4.2;
/// The height of a heading.
const HEAD_MM: f64 = 5.5;
/// The width of the names of words.
const NAMES_MM: f64 = 30.0;
/// The largest side of an image or of a grid of regions.
const IMAGE_MM: f64 = 26.0;
/// The space between two things abreast.
const GAP_MM: f64 = 3.0;
/// The most tokens of which a matrix of attention is drawn. With more, a cell is smaller than its name.
const MOST_TOKENS: usize = 40;

/// White for 0, blue for numbers above it and orange for those below, full at `most`.
fn diverging(value: f64, most: f64) -> RGBColor {
    let share = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 };
    let end = if share >= 0.0 { RGBColor(0, 114, 178) } else { RGBColor(213, 94, 0) };
    let mix = |to: u8| (255.0 + (f64::from(to) - 255.0) * share.abs()).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

/// The largest absolute number.
fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().filter(|number| number.is_finite()).fold(0.0, |largest, number| largest.max(number.abs()))
}

/// The importance of each part for every model, in as many pictures as the models need.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn importance_pictures(task: &ExplainedTask, style: &Style) -> Result<Vec<Picture>, ReportError> {
    let is_of_words =
        |model: &ExplainedModel| matches!(model.importances.first().map(|first| &first.part), Some(Part::Word { .. }));
    let models: Vec<(usize, &ExplainedModel)> =
        task.models.iter().enumerate().filter(|(_, model)| !model.importances.is_empty()).collect();
    let parts: Vec<&[(usize, &ExplainedModel)]> = models.chunks(MOST_ABREAST).collect();
    let unit = metric(&task.metric).map_or(task.metric.as_str(), |metric| metric.title);
    let picture = |(index, part): (usize, &&[(usize, &ExplainedModel)])| {
        let of_words = part.iter().all(|(_, model)| is_of_words(model));
        let caption = if of_words {
            format!(
                "By how much {unit} is worse if a word is permuted among the test rows. A bar is the mean over the repeats, its \
                 line the standard deviation to both sides. The number of test rows with the word is in brackets."
            )
        } else {
            format!(
                "By how much {unit} is worse if a region is permuted among the images, the mean over the repeats. Blue is worse, \
                 orange is better, and the scale is the same for all models."
            )
        };
        let whole = Picture::new("importance", format!("Permutation importance on {}", task.title), caption);
        let picture = whole.part(index, parts.len());
        let svg =
            if of_words { draw_words(task, part, style, &picture) } else { draw_regions(task, part, style, &picture) };
        picture.drawn(svg)
    };
    parts.iter().enumerate().map(picture).collect()
}

fn draw_words(
    task: &ExplainedTask,
    models: &[(usize, &ExplainedModel)],
    style: &Style,
    picture: &Picture,
) -> Result<String, String> {
    let rows = models.iter().map(|(_, model)| model.importances.len()).max().unwrap_or(0);
    let ends = |importance: &Importance| {
        let (mean, deviation) = (importance.mean().unwrap_or(0.0), importance.deviation().unwrap_or(0.0));
        [mean - deviation, mean + deviation]
    };
    // The same scale in every picture of the task.
    let all = task.models.iter().flat_map(|model| model.importances.iter().flat_map(ends));
    let scale = AxisScale::around(all.chain([0.0]), false).ok_or("there is no number to draw")?;
    let column = (WIDTH_MM - 2.0 * MARGIN_MM - NAMES_MM) / models.len() as f64;
    let height = 2.0 * MARGIN_MM + HEAD_MM + rows as f64 * ROW_MM + HEAD_MM;
    let top = MARGIN_MM + HEAD_MM;
    let bottom = top + rows as f64 * ROW_MM;
    page(style.look, (WIDTH_MM, height), &picture.title, &picture.caption, |canvas| {
        for (place, (label, model)) in models.iter().enumerate() {
            let left = MARGIN_MM + NAMES_MM + place as f64 * column;
            let scale = scale.between(left + GAP_MM, left + column - GAP_MM);
            let name = canvas.fit(&model.label, TEXT_MM, column - GAP_MM);
            canvas.text(&name, (left + GAP_MM, MARGIN_MM + 2.4), TEXT_MM, Align::Left, style.ink)?;
            for (number, tick) in scale.ticks(4, "") {
                let at = scale.at(number);
                canvas.line(&[(at, top), (at, bottom)], 0.1, style.grid)?;
                canvas.text(&tick, (at, bottom + 2.4), SMALL_MM, Align::Centre, style.ink)?;
            }
            let zero = scale.at(0.0);
            canvas.line(&[(zero, top), (zero, bottom)], 0.2, style.muted)?;
            let (color, _) = style.model(*label);
            for (row, importance) in model.importances.iter().enumerate() {
                let middle = top + (row as f64 + 0.5) * ROW_MM;
                if place == 0 {
                    let word = canvas.fit(&crate::interpretation::named(&importance.part), SMALL_MM, NAMES_MM - 1.0);
                    canvas.text(&word, (left - 1.0, middle), SMALL_MM, Align::Right, style.ink)?;
                }
                let Some(mean) = importance.mean() else { continue };
                let (from, to) = (zero.min(scale.at(mean)), zero.max(scale.at(mean)));
                canvas.fill(Rect { x: from, y: middle - 1.1, w: to - from, h: 2.2 }, color)?;
                let [low, high] = ends(importance);
                canvas.line(&[(scale.at(low), middle), (scale.at(high), middle)], 0.2, style.ink)?;
                let place = Rect { x: left, y: middle - ROW_MM / 2.0, w: column, h: ROW_MM };
                canvas.area(
                    place,
                    &format!("{}\n{}: {mean:+.4}", model.label, crate::interpretation::named(&importance.part)),
                );
            }
        }
        Ok(())
    })
}

fn draw_regions(
    task: &ExplainedTask,
    models: &[(usize, &ExplainedModel)],
    style: &Style,
    picture: &Picture,
) -> Result<String, String> {
    let most = largest(task.models.iter().flat_map(|model| model.importances.iter().filter_map(Importance::mean)));
    let height = 2.0 * MARGIN_MM + HEAD_MM + IMAGE_MM + HEAD_MM;
    page(style.look, (WIDTH_MM, height), &picture.title, &picture.caption, |canvas| {
        for (place, (_, model)) in models.iter().enumerate() {
            let left = MARGIN_MM + place as f64 * (IMAGE_MM + GAP_MM);
            let name = canvas.fit(&model.label, TEXT_MM, IMAGE_MM);
            canvas.text(&name, (left, MARGIN_MM + 2.4), TEXT_MM, Align::Left, style.ink)?;
            let values: Vec<f64> = model.importances.iter().map(|part| part.mean().unwrap_or(0.0)).collect();
            let grid = (values.len() as f64).sqrt().round() as usize;
            let square = Rect { x: left, y: MARGIN_MM + HEAD_MM, w: IMAGE_MM, h: IMAGE_MM };
            draw_grid(canvas, style, square, [grid, grid], &values, |value| diverging(value, most))?;
        }
        let remark = format!("full blue: a loss of {most:.4}");
        let below = (MARGIN_MM, MARGIN_MM + HEAD_MM + IMAGE_MM + 2.8);
        canvas.text(&remark, below, SMALL_MM, Align::Left, style.muted)
    })
}

/// Draws `rows x columns` numbers as coloured cells.
fn draw_grid(
    canvas: &Canvas<'_>,
    style: &Style,
    place: Rect,
    [rows, columns]: [usize; 2],
    values: &[f64],
    color: impl Fn(f64) -> RGBColor,
) -> Result<(), String> {
    let (w, h) = (place.w / columns.max(1) as f64, place.h / rows.max(1) as f64);
    for (at, value) in values.iter().enumerate().take(rows * columns) {
        let (row, column) = (at / columns, at % columns);
        let cell = Rect { x: place.x + column as f64 * w, y: place.y + row as f64 * h, w, h };
        canvas.fill(cell, color(*value))?;
        canvas.area(cell, &format!("row {}, column {}: {value:.4}", row + 1, column + 1));
    }
    outline(canvas, style, place)
}

fn outline(canvas: &Canvas<'_>, style: &Style, place: Rect) -> Result<(), String> {
    let Rect { x, y, .. } = place;
    let corners = [(x, y), (place.right(), y), (place.right(), place.bottom()), (x, place.bottom()), (x, y)];
    canvas.line(&corners, 0.1, style.muted)
}

/// An example with what each model's answer depends on, and where attention went.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn example_picture(task: &ExplainedTask, index: usize, style: &Style) -> Result<Picture, ReportError> {
    let example = &task.examples[index];
    let caption = "Blue parts hold the answer: without them, the model is less sure of it, changes it more often, or predicts a \
        smaller number. Orange parts speak against it. Each part is replaced by that of other test rows, and the colour is the mean \
        change. The scale is that of each model by itself. Grey-blue is attention rollout: how much of what the head reads comes \
        from each token.";
    let title = format!("Test row {} of {}", example.row, task.title);
    let picture = Picture::new(format!("example-{index}"), title, caption);
    let answers: Vec<(&ExplainedModel, &ExplainedAnswer)> =
        task.models.iter().filter_map(|model| Some((model, model.answers.get(index)?))).collect();
    let svg = match &example.input {
        ShownInput::Texts(texts) => draw_texts(texts, &answers, style, &picture),
        ShownInput::Image { .. } => draw_images(&example.input, &answers, style, &picture),
    };
    picture.drawn(svg)
}

/// Words with their colours, which are laid out as lines of text.
struct ColouredText {
    heading: String,
    words: Vec<(String, RGBColor, String)>,
}

fn draw_texts(
    texts: &[Vec<String>],
    answers: &[(&ExplainedModel, &ExplainedAnswer)],
    style: &Style,
    picture: &Picture,
) -> Result<String, String> {
    let mut blocks = Vec::new();
    for (model, answer) in answers {
        let most = largest(answer.changes.iter().copied());
        let mut changes = answer.changes.iter().copied();
        let mut words = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            if place > 0 {
                words.push(("/".to_owned(), plotters::style::WHITE, "the second text".to_owned()));
            }
            words.extend(text.iter().map(|word| {
                let change = changes.next().unwrap_or(0.0);
                (word.clone(), diverging(change, most), format!("{word}: {change:+.4}"))
            }));
        }
        blocks.push(ColouredText { heading: format!("{}: {}", model.label, answer.answer), words });
        if let Some(ShownAttention { tokens, rollout, patches: None, .. }) = &answer.attention {
            let most = largest(rollout.iter().map(|share| f64::from(*share)));
            let words = tokens.iter().zip(rollout).map(|(token, share)| {
                let strength = if most > 0.0 { f64::from(*share) / most } else { 0.0 };
                (token.clone(), shade(strength), format!("{token}: {share:.4}"))
            });
            blocks
                .push(ColouredText { heading: format!("{}: attention rollout", model.label), words: words.collect() });
        }
    }
    /// The space around a word.
    const PAD_MM: f64 = 0.8;
    let room = WIDTH_MM - 2.0 * MARGIN_MM;
    // Places are known before the page is, because they decide its height.
    let mut top = MARGIN_MM;
    let mut laid = Vec::new();
    for block in &blocks {
        let heading = top;
        top += HEAD_MM;
        let mut left = MARGIN_MM;
        for (word, color, words) in &block.words {
            let width = super::canvas::text_width(word, SMALL_MM).min(room - 2.0 * PAD_MM) + 2.0 * PAD_MM;
            if left + width > MARGIN_MM + room {
                (left, top) = (MARGIN_MM, top + ROW_MM);
            }
            laid.push((Rect { x: left, y: top, w: width, h: ROW_MM - 0.6 }, word, *color, words));
            left += width;
        }
        top += ROW_MM + 1.0;
        laid.push((
            Rect { x: MARGIN_MM, y: heading, w: room, h: 0.0 },
            &block.heading,
            plotters::style::WHITE,
            &block.heading,
        ));
    }
    page(style.look, (WIDTH_MM, top + MARGIN_MM), &picture.title, &picture.caption, |canvas| {
        for (place, word, color, words) in &laid {
            if place.h == 0.0 {
                let heading = canvas.fit(word, TEXT_MM, room);
                canvas.text(&heading, (place.x, place.y + 2.4), TEXT_MM, Align::Left, style.ink)?;
                continue;
            }
            canvas.fill(*place, *color)?;
            let word = canvas.fit(word, SMALL_MM, place.w - PAD_MM);
            let middle = (place.x + place.w / 2.0, place.y + place.h / 2.0);
            canvas.text(&word, middle, SMALL_MM, Align::Centre, ink_on(*color, style))?;
            canvas.area(*place, words);
        }
        Ok(())
    })
}

/// What is drawn in a place of the size of the image.
enum ImageBlock {
    /// The image itself.
    Pixels,
    /// How the answer changes with each region of a grid, `rows x columns`.
    Changes([usize; 2], Vec<f64>),
    /// The rollout of each patch of a grid.
    Rollout([usize; 2], Vec<f64>),
}

fn draw_images(
    input: &ShownInput,
    answers: &[(&ExplainedModel, &ExplainedAnswer)],
    style: &Style,
    picture: &Picture,
) -> Result<String, String> {
    let ShownInput::Image { grid, height, width, .. } = input else { return Err("the example is no image".to_owned()) };
    // The image itself, then a block for each model and for its attention.
    let mut blocks = vec![("the image".to_owned(), ImageBlock::Pixels)];
    for (model, answer) in answers {
        let changes = ImageBlock::Changes([*grid, *grid], answer.changes.clone());
        blocks.push((format!("{}: {}", model.label, answer.answer), changes));
        if let Some(ShownAttention { patches: Some(patches), rollout, .. }) = &answer.attention {
            let of_patches = rollout.len().saturating_sub(patches[0] * patches[1]);
            let shares = rollout[of_patches..].iter().map(|share| f64::from(*share)).collect();
            blocks.push((format!("{}: rollout", model.label), ImageBlock::Rollout(*patches, shares)));
        }
    }
    let side = IMAGE_MM / (*height).max(*width).max(1) as f64;
    let size = (*width as f64 * side, *height as f64 * side);
    let rows = blocks.len().div_ceil(MOST_ABREAST);
    let block_height = HEAD_MM + size.1 + GAP_MM;
    let page_height = 2.0 * MARGIN_MM + rows as f64 * block_height;
    page(style.look, (WIDTH_MM, page_height), &picture.title, &picture.caption, |canvas| {
        for (at, (heading, block)) in blocks.iter().enumerate() {
            let x = MARGIN_MM + (at % MOST_ABREAST) as f64 * (IMAGE_MM + GAP_MM);
            let y = MARGIN_MM + (at / MOST_ABREAST) as f64 * block_height;
            let heading = canvas.fit(heading, SMALL_MM, IMAGE_MM + GAP_MM - 0.5);
            canvas.text(&heading, (x, y + 2.4), SMALL_MM, Align::Left, style.ink)?;
            let place = Rect { x, y: y + HEAD_MM, w: size.0, h: size.1 };
            match block {
                ImageBlock::Pixels => {
                    draw_pixels(canvas, input, place)?;
                    outline(canvas, style, place)?;
                }
                ImageBlock::Changes(grid, values) => {
                    let most = largest(values.iter().copied());
                    draw_grid(canvas, style, place, *grid, values, |value| diverging(value, most))?;
                }
                ImageBlock::Rollout(grid, values) => {
                    let most = largest(values.iter().copied());
                    let color = |value: f64| shade(if most > 0.0 { value / most } else { 0.0 });
                    draw_grid(canvas, style, place, *grid, values, color)?;
                }
            }
        }
        Ok(())
    })
}

fn draw_pixels(canvas: &Canvas<'_>, input: &ShownInput, place: Rect) -> Result<(), String> {
    let ShownInput::Image { channels, height, width, pixels, .. } = input else { return Ok(()) };
    let (w, h) = (place.w / *width as f64, place.h / *height as f64);
    let value = |plane: usize, at: usize| pixels.get(plane * height * width + at).copied().unwrap_or(0);
    for at in 0..height * width {
        let color = match channels {
            3 => RGBColor(value(0, at), value(1, at), value(2, at)),
            _ => RGBColor(value(0, at), value(0, at), value(0, at)),
        };
        canvas
            .fill(Rect { x: place.x + (at % width) as f64 * w, y: place.y + (at / width) as f64 * h, w, h }, color)?;
    }
    Ok(())
}

/// The attention of the last block for an example, a matrix for each Transformer.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn attention_pictures(
    task: &ExplainedTask,
    index: usize,
    style: &Style,
) -> Result<Vec<Picture>, ReportError> {
    let attention = task.models.iter().filter_map(|model| Some((model, model.answers.get(index)?.attention.as_ref()?)));
    // Patches of an image have no names, and a picture of the rollout says more of them.
    let is_drawn = |attention: &ShownAttention| (1..=MOST_TOKENS).contains(&attention.tokens.len());
    attention
        .filter(|(_, attention)| is_drawn(attention))
        .map(|(model, attention)| {
            let title = format!("Attention of the last block of {}", model.label);
            let caption = "How much each token (row) attends to each token (column), the mean over the heads. Each row sums to 1.";
            let picture = Picture::new(format!("attention-{index}-{}", model.label), title, caption);
            let svg = draw_attention(attention, style, &picture);
            picture.drawn(svg)
        })
        .collect()
}

fn draw_attention(attention: &ShownAttention, style: &Style, picture: &Picture) -> Result<String, String> {
    let tokens = attention.tokens.len();
    let longest = attention.tokens.iter().map(|token| super::canvas::text_width(token, SMALL_MM)).fold(0.0, f64::max);
    let names = (longest + 2.5).min(NAMES_MM);
    let inner = Rect { x: MARGIN_MM + names, y: MARGIN_MM, w: tokens as f64 * ROW_MM, h: tokens as f64 * ROW_MM };
    let size = (inner.right() + MARGIN_MM, inner.bottom() + names + MARGIN_MM);
    let most = largest(attention.last_block.iter().flatten().map(|weight| f64::from(*weight)));
    page(style.look, size, &picture.title, &picture.caption, |canvas| {
        for (at, token) in attention.tokens.iter().enumerate() {
            let middle = (at as f64 + 0.5) * ROW_MM;
            let token = canvas.fit(token, SMALL_MM, names - 1.5);
            canvas.text(&token, (inner.x - 1.0, inner.y + middle), SMALL_MM, Align::Right, style.ink)?;
            canvas.text_up(&token, (inner.x + middle, inner.bottom() + 1.0), SMALL_MM, Align::Right, style.ink)?;
        }
        let values: Vec<f64> = attention
            .last_block
            .iter()
            .take(tokens)
            .flat_map(|row| (0..tokens).map(|column| f64::from(row.get(column).copied().unwrap_or(0.0))))
            .collect();
        let color = |value: f64| shade(if most > 0.0 { value / most } else { 0.0 });
        draw_grid(canvas, style, inner, [tokens, tokens], &values, color)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_white_and_the_two_directions_differ() {
        let white = RGBColor(255, 255, 255);
        assert_eq!(diverging(0.0, 1.0), white);
        assert_eq!(diverging(0.5, 0.0), white, "a scale without a number shows nothing");
        assert_eq!(diverging(1.0, 1.0), RGBColor(0, 114, 178));
        assert_eq!(diverging(-2.0, 1.0), RGBColor(213, 94, 0));
        assert_eq!(largest([f64::NAN, -3.0, 2.0]), 3.0);
    }
}
