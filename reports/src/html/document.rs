//! What every page has around its content.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page may load nothing and send nothing, whatever is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'";

/// The style of every page.
pub(crate) const STYLE_SHEET: &str = include_str!("page.css");

/// A page with this title and this content. With `script`, its tables sort, its points have words, and its colours can be chosen; such a
/// page has [`super::colours`].
pub(crate) fn document(title: &str, script: bool, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Without this, a browser asks the server of the page for an icon.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE_SHEET)) }
                @if script { script { (PreEscaped(include_str!("page.js"))) } }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}
