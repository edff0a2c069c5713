//! The picture of a site: an icicle of directories as inline SVG.
//!
//! A directory is a box, as high as the changes in it are many; those below it
//! are stacked to its right. Boxes are links into the outline, so the keyboard
//! reaches them.

use std::fmt::Write;

use super::{
    html::Escaped,
    outline::{Content, Outline, Row},
};
use crate::words::many;

/// The size of the drawing, in its own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
/// A box lower than this holds no text that could be read.
const TEXT_HEIGHT: f64 = 13.0;
/// A box lower than this cannot be hit, nor seen.
const LEAST_HEIGHT: f64 = 2.0;

/// Draws the rows of an outline. `place` makes the id of the row a box links to.
pub fn icicle(outline: &Outline, rows: &[Row], id: impl Fn(usize) -> String) -> String {
    let columns = rows.iter().map(|row| row.depth + 1).max().unwrap_or(1);
    let width = WIDTH / columns as f64;
    let whole = outline.directory(0).total.max(1) as f64;
    let mut boxes = String::new();
    // Where the next box of each depth goes.
    let mut next = vec![0.0; columns + 1];
    for (at, row) in rows.iter().enumerate() {
        let (total, purged, label) = match row.content {
            Content::Directory(place) => {
                let directory = outline.directory(place);
                (
                    directory.total,
                    directory.purged,
                    format!("{}{}", row.label, star(directory.purged)),
                )
            }
            Content::Others { directories, total } => {
                (total, false, many(directories, "more directory"))
            }
        };
        let height = HEIGHT * total as f64 / whole;
        let (x, y) = (row.depth as f64 * width, next[row.depth]);
        next[row.depth] += height;
        next[row.depth + 1] = y;
        if height < LEAST_HEIGHT {
            continue;
        }
        let class = match row.content {
            Content::Directory(_) if purged => "purged",
            Content::Directory(_) if holds_purged(outline, &rows[at..]) => "both",
            Content::Directory(_) => "listed",
            Content::Others { .. } => "others",
        };
        let files = many(total, "changed file");
        let text = Escaped(&label);
        let link = if let Content::Directory(place) = row.content {
            let _ = write!(boxes, "<a href=\"#{}\">", id(place));
            "</a>"
        } else {
            ""
        };
        let _ = write!(
            boxes,
            "<g class=\"{class}\"><title>{text}: {files}</title>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>",
            width - 2.0,
            (height - 1.0).max(1.0),
        );
        if height >= TEXT_HEIGHT {
            // About as many characters as fit the box.
            let fits = (width / 7.2) as usize;
            let count = format!(" {total}");
            let shown = shorten(&label, fits.saturating_sub(count.len() + 1));
            let _ = write!(
                boxes,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}<tspan class=\"count\">{count}</tspan></text>",
                x + 5.0,
                y + height.min(26.0) / 2.0 + 4.0,
                Escaped(&shown),
            );
        }
        let _ = writeln!(boxes, "</g>{link}");
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"group\" aria-label=\"The site's directories, \
         as high as they have changes\">\n{boxes}</svg>\n"
    )
}

/// Whether a row that follows the first one, and belongs to it, is purged.
fn holds_purged(outline: &Outline, rows: &[Row]) -> bool {
    rows[1..].iter().take_while(|row| row.depth > rows[0].depth).any(|row| match row.content {
        Content::Directory(place) => outline.directory(place).purged,
        Content::Others { .. } => false,
    })
}

fn star(purged: bool) -> &'static str {
    if purged { "*" } else { "" }
}

/// A text of at most `length` characters, cut in the middle.
fn shorten(text: &str, length: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= length {
        return text.to_owned();
    }
    let kept = length.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    let mut short: String = characters[..head].iter().collect();
    short.push('…');
    short.extend(&characters[characters.len() - tail..]);
    short
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plan::outline::{Counts, count};

    #[test]
    fn boxes_are_as_high_as_their_share() {
        let mut counts = Counts::new();
        for path in ["/a/1", "/a/2", "/a/3", "/b/1"] {
            count(&mut counts, path);
        }
        let outline = Outline::new(&counts, &HashSet::from(["/a/"]));
        let svg = icicle(&outline, &outline.rows(10), |place| format!("d{place}"));
        let heights: Vec<&str> =
            svg.split("height=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(heights, ["419.0", "314.0", "104.0"]);
        assert!(svg.contains("<g class=\"purged\"><title>a/*: 3 changed files</title>"), "{svg}");
        assert!(svg.contains("<g class=\"both\"><title>/: 4 changed files</title>"), "{svg}");
        assert!(svg.contains("<g class=\"listed\"><title>b/: 1 changed file</title>"), "{svg}");
        assert!(svg.contains("<a href=\"#d2\">"), "{svg}");
    }

    #[test]
    fn long_names_are_cut_in_the_middle() {
        for (text, length, expected) in [
            ("abc", 3, "abc"),
            ("abcdef", 5, "ab…ef"),
            ("äöüß", 3, "ä…ß"),
            ("abc", 1, "…"),
            ("abc", 0, "…"),
        ] {
            assert_eq!(shorten(text, length), expected);
        }
    }
}
