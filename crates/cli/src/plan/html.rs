//! The plan as a page for the browser: one file, no script, nothing fetched.

use std::fmt::{self, Write};

use s3_cloudfront_invalidator::plan::{
    Cost, DistributionPlan, FREE_PATHS_PER_MONTH, PlannedItem, Request,
};

use super::{
    outline::{Content, Outline, Row},
    picture,
    summary::{Figures, Summary},
};
use crate::words::many;

/// How many rows an outline has at most, and so how many boxes the picture.
const OUTLINE_ROWS: usize = 250;
/// How many items of a request are listed. A page with a million of them helps
/// nobody.
const ITEMS: usize = 1_000;

/// The whole page.
pub fn page(summary: &Summary) -> String {
    let mut body = String::new();
    figures(&mut body, summary);
    for ((plan, figures), number) in summary.distributions().zip(1..) {
        distribution(&mut body, plan, figures, number);
    }
    cost(&mut body, summary);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Invalidation plan</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n\
         <h1>Invalidation plan</h1>\n{body}</main>\n</body>\n</html>\n",
        include_str!("report.css")
    )
}

/// The figures one looks for first.
fn figures(out: &mut String, summary: &Summary) {
    let counts = &summary.plan.counts;
    let cost = &summary.cost;
    let mut figures = vec![
        (counts.changes.to_string(), "changes"),
        (cost.plan.paths.to_string(), "billed paths"),
        (format!("${}", cost.plan.price), "this plan"),
        (format!("${}", cost.path_per_file.price), "a path per file"),
    ];
    let purged = summary.figures.iter().filter_map(|figures| figures.unchanged.as_ref());
    if let Some(purged) = purged.map(|unchanged| unchanged.purged).reduce(|a, b| a + b) {
        figures.push((purged.to_string(), "unchanged objects purged"));
    }
    for (number, what) in [
        (counts.fallback, "taken by DistributionId"),
        (counts.ignored, "ignored"),
        (counts.unmatched, "unmatched"),
        (counts.not_served, "served by no target"),
    ] {
        if number > 0 {
            figures.push((number.to_string(), what));
        }
    }
    out.push_str("<dl class=\"figures\">\n");
    for (figure, what) in figures {
        let _ = writeln!(out, "<div><dt>{what}</dt><dd>{figure}</dd></div>");
    }
    out.push_str("</dl>\n");
}

fn distribution(out: &mut String, plan: &DistributionPlan, figures: &Figures, number: usize) {
    let id = plan.distribution.to_string();
    let targets: Vec<&str> = plan.targets.iter().map(|name| &**name).collect();
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"distribution-{number}\">\n\
         <h2 id=\"distribution-{number}\">{} <small>{}</small></h2>",
        Escaped(&id),
        Escaped(&targets.join(", "))
    );
    let _ = write!(
        out,
        "<p>{} in {}, {} of them wildcards, for {}.",
        many(plan.billed_paths(), "billed path"),
        many(plan.requests.len(), "request"),
        plan.wildcards(),
        many(figures.changes, "change")
    );
    if let Some(unchanged) = &figures.unchanged {
        let objects = many(unchanged.total, "unchanged object");
        let _ = write!(out, " It purges {} of {objects}.", unchanged.purged);
    }
    out.push_str("</p>\n");
    if figures.outline.directory(0).total > 0 {
        let rows = figures.outline.rows(OUTLINE_ROWS);
        let row_id = |place| format!("d{number}-{place}");
        out.push_str("<h3>Where it changed</h3>\n<p class=\"key\"><span class=\"purged\">purged by a wildcard</span> <span class=\"listed\">sent path by path</span> <span class=\"both\">both</span></p>\n<figure>\n");
        out.push_str(&picture::icicle(&figures.outline, &rows, row_id));
        out.push_str("</figure>\n");
        outline(out, &figures.outline, &rows, row_id);
    }
    out.push_str("<h3>What is sent</h3>\n");
    for (request, number) in plan.requests.iter().zip(1..) {
        self::request(out, request, number);
    }
    if !plan.unaddressable.is_empty() {
        let count = many(plan.unaddressable.len(), "change");
        let _ = writeln!(out, "<h3>Nothing can be sent for {count}</h3>\n<ul>");
        for change in plan.unaddressable.iter().take(ITEMS) {
            let reason = change.reason.to_string();
            let (key, reason) = (Escaped(&change.key), Escaped(&reason));
            let _ = writeln!(out, "<li><code>{key}</code> {reason}</li>");
        }
        out.push_str("</ul>\n");
        more(out, plan.unaddressable.len());
    }
    out.push_str("</section>\n");
}

/// The rows as nested lists that open and close.
fn outline(out: &mut String, outline: &Outline, rows: &[Row], id: impl Fn(usize) -> String) {
    out.push_str("<div class=\"outline\">\n");
    let mut open: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        while open.last().is_some_and(|&depth| depth >= row.depth) {
            out.push_str("</details>\n");
            open.pop();
        }
        let (name, total) = match row.content {
            Content::Directory(place) => {
                let directory = outline.directory(place);
                let name = Escaped(&row.label);
                let name = match directory.purged {
                    true => format!("<code class=\"purged\">{name}*</code>"),
                    false => format!("<code>{name}</code>"),
                };
                (name, directory.total)
            }
            Content::Others { directories, total } => {
                (format!("<small>{}</small>", many(directories, "more directory")), total)
            }
        };
        let place = match row.content {
            Content::Directory(place) => format!(" id=\"{}\"", id(place)),
            Content::Others { .. } => String::new(),
        };
        let files = many(total, "changed file");
        if rows.get(at + 1).is_some_and(|next| next.depth > row.depth) {
            let opened = if row.depth < 2 { " open" } else { "" };
            let _ = writeln!(
                out,
                "<details{opened}{place}><summary>{name} <small>{files}</small></summary>"
            );
            open.push(row.depth);
        } else {
            let _ = writeln!(out, "<p{place}>{name} <small>{files}</small></p>");
        }
    }
    out.push_str(&"</details>\n".repeat(open.len()));
    out.push_str("</div>\n");
}

fn request(out: &mut String, request: &Request, number: usize) {
    let wildcards = request.items.iter().filter(|item| item.item.is_wildcard());
    let others = request.items.iter().filter(|item| !item.item.is_wildcard());
    let opened = if number == 1 { " open" } else { "" };
    let _ = writeln!(
        out,
        "<details{opened}><summary>Request {number} <small>{}</small></summary>\n\
         <p>Caller reference <code>{}</code></p>\n<ul class=\"items\">",
        many(request.items.len(), "billed path"),
        Escaped(&request.caller_reference),
    );
    for planned in wildcards.chain(others).take(ITEMS) {
        item(out, planned);
    }
    out.push_str("</ul>\n");
    more(out, request.items.len());
    out.push_str("</details>\n");
}

fn item(out: &mut String, planned: &PlannedItem) {
    let text = Escaped(planned.item.as_str());
    if planned.item.is_wildcard() {
        let paths = many(planned.replaces, "path");
        let _ = writeln!(
            out,
            "<li><code class=\"purged\">{text}</code> <small>for {paths}</small></li>"
        );
    } else {
        let _ = writeln!(out, "<li><code>{text}</code></li>");
    }
}

/// Says how many entries a list left out.
fn more(out: &mut String, entries: usize) {
    if let Some(more) = entries.checked_sub(ITEMS).filter(|more| *more > 0) {
        let _ = writeln!(out, "<p>and {more} more</p>");
    }
}

fn cost(out: &mut String, summary: &Summary) {
    let cost = &summary.cost;
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"cost\">\n<h2 id=\"cost\">Cost</h2>\n\
         <p>After {} this month; {FREE_PATHS_PER_MONTH} a month are free in an account, every \
         further one costs half a cent.</p>\n\
         <div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Way</th><th scope=\"col\">Billed paths</th>\
         <th scope=\"col\">Still free</th><th scope=\"col\">USD</th></tr></thead>\n<tbody>",
        many(usize::try_from(summary.month_to_date).unwrap_or(usize::MAX), "path"),
    );
    for (way, Cost { paths, free, price }) in [
        ("this plan", cost.plan),
        ("one path per changed file", cost.path_per_file),
        ("<code>/*</code> for each distribution", cost.everything),
    ] {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{way}</th><td>{paths}</td><td>{free}</td><td>{price}</td></tr>"
        );
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// Text that means nothing to a browser. Control characters, which HTML has no
/// way to write, are shown as their escapes.
pub struct Escaped<'t>(pub &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                control if control.is_control() => write!(f, "{}", control.escape_default())?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_text() {
        let hostile = "</title><script>alert('a & \"b\"')</script>\u{0}\u{202e}";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;\\u{0}\u{202e}"
        );
    }

    #[test]
    fn numbers_and_words_agree() {
        assert_eq!(many(1, "path"), "1 path");
        assert_eq!(many(0, "path"), "0 paths");
        assert_eq!(many(2, "more directory"), "2 more directories");
    }
}
