//! The plan as an HTML page: one file, no script, nothing fetched.

use std::fmt::{self, Write};

use s3_cloudfront_invalidator::plan::{DistributionPlan, PlannedItem, Request};

use super::{
    cost::{Cost, FREE_PATHS_PER_MONTH},
    outline::{Directory, PurgedBy},
    summary::{Figures, Summary},
};
use crate::output::pluralize;

/// The most rows of an outline.
const MAX_ROWS: usize = 100;
/// The most items of a list: a browser cannot show a million.
const MAX_ITEMS: usize = 1_000;

/// Returns the page.
pub fn page(summary: &Summary) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, summary);
    page
}

fn write_page(out: &mut String, summary: &Summary) -> fmt::Result {
    out.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Invalidation plan</title>\n<style>\n",
    );
    out.push_str(include_str!("report.css"));
    out.push_str("</style>\n</head>\n<body>\n<main>\n<h1>Invalidation plan</h1>\n");
    write_figures(out, summary)?;
    for (plan, figures) in summary.distributions() {
        write_distribution(out, plan, figures)?;
    }
    write_cost(out, summary)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn write_figures(out: &mut String, summary: &Summary) -> fmt::Result {
    let counts = &summary.plan.counts;
    let unchanged = summary.distributions().filter_map(|(_, figures)| figures.unchanged.as_ref());
    let purged = unchanged.map(|unchanged| unchanged.purged).reduce(|a, b| a + b);
    let optional = [
        (purged, "unchanged objects purged"),
        (Some(counts.fallback).filter(|&count| count > 0), "sent to DistributionId"),
        (Some(counts.ignored).filter(|&count| count > 0), "ignored"),
        (Some(counts.unmatched).filter(|&count| count > 0), "unmatched"),
        (Some(counts.not_served).filter(|&count| count > 0), "not served by any target"),
    ];
    let figures = [
        (counts.changes.to_string(), "changes"),
        (summary.plan_cost.paths.to_string(), "billed paths"),
        (format!("${}", summary.plan_cost.price), "this plan"),
        (format!("${}", summary.path_per_file.price), "one path per file"),
    ];
    let optional =
        optional.into_iter().filter_map(|(count, what)| Some((count?.to_string(), what)));
    out.push_str("<dl class=\"figures\">\n");
    for (figure, what) in figures.into_iter().chain(optional) {
        writeln!(out, "<div><dt>{what}</dt><dd>{figure}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

fn write_distribution(out: &mut String, plan: &DistributionPlan, figures: &Figures) -> fmt::Result {
    let targets: Vec<&str> = plan.targets.iter().map(|name| &**name).collect();
    write!(
        out,
        "<section>\n<h2>{} <small>{}</small></h2>\n<p>{} in {}, {} of them wildcards, for {}.",
        Escaped(&plan.distribution.to_string()),
        Escaped(&targets.join(", ")),
        pluralize(plan.billed_paths(), "billed path"),
        pluralize(plan.requests.len(), "request"),
        plan.wildcards(),
        pluralize(figures.changes, "change")
    )?;
    if let Some(unchanged) = &figures.unchanged {
        let total = pluralize(unchanged.total, "unchanged object");
        write!(out, " It purges {} of {total}.", unchanged.purged)?;
    }
    out.push_str("</p>\n");
    write_outline(out, &figures.outline)?;
    out.push_str("<h3>Requests</h3>\n");
    for (request, number) in plan.requests.iter().zip(1..) {
        write_request(out, request, number)?;
    }
    if !plan.unaddressable.is_empty() {
        let count = pluralize(plan.unaddressable.len(), "change");
        writeln!(out, "<h3>{count} cannot be invalidated</h3>\n<ul>")?;
        for change in plan.unaddressable.iter().take(MAX_ITEMS) {
            let reason = change.reason.to_string();
            let (key, reason) = (Escaped(&change.key), Escaped(&reason));
            writeln!(out, "<li><code>{key}</code> {reason}</li>")?;
        }
        out.push_str("</ul>\n");
        write_omitted(out, plan.unaddressable.len())?;
    }
    writeln!(out, "</section>")
}

/// Writes a line for each directory, with a bar as long as its share of the
/// changes.
fn write_outline(out: &mut String, outline: &Directory) -> fmt::Result {
    if outline.changes == 0 {
        return Ok(());
    }
    out.push_str(
        "<h3>Changed files by directory</h3>\n<p class=\"key\"><span class=\"purged\">purged by a \
         wildcard</span> <span class=\"listed\">one path per file</span> \
         <span class=\"both\">both</span></p>\n<div class=\"outline\">\n",
    );
    for row in outline.rows(MAX_ROWS) {
        let class = match row.purged_by {
            PurgedBy::Wildcard => "purged",
            PurgedBy::Both => "both",
            PurgedBy::Items => "listed",
        };
        writeln!(
            out,
            "<p style=\"margin-left:{}em\"><code>{}</code> <small>{}</small>\
             <span class=\"bar {class}\" style=\"width:{:.1}%\"></span></p>",
            row.depth,
            Escaped(&row.name),
            pluralize(row.changes, "file"),
            100.0 * row.changes as f64 / outline.changes as f64,
        )?;
    }
    writeln!(out, "</div>")
}

fn write_request(out: &mut String, request: &Request, number: usize) -> fmt::Result {
    let (wildcards, others): (Vec<&PlannedItem>, Vec<_>) =
        request.items.iter().partition(|planned| planned.item.is_wildcard());
    writeln!(
        out,
        "<details{}><summary>Request {number} <small>{}</small></summary>\n\
         <p>Caller reference <code>{}</code></p>\n<ul class=\"items\">",
        if number == 1 { " open" } else { "" },
        pluralize(request.items.len(), "billed path"),
        Escaped(&request.caller_reference),
    )?;
    for planned in wildcards.into_iter().chain(others).take(MAX_ITEMS) {
        let text = Escaped(planned.item.as_str());
        if planned.item.is_wildcard() {
            let paths = pluralize(planned.replaces, "path");
            let code = format!("<code class=\"purged\">{text}</code>");
            writeln!(out, "<li>{code} <small>replaces {paths}</small></li>")?;
        } else {
            writeln!(out, "<li><code>{text}</code></li>")?;
        }
    }
    out.push_str("</ul>\n");
    write_omitted(out, request.items.len())?;
    writeln!(out, "</details>")
}

/// Writes how many entries a list left out.
fn write_omitted(out: &mut String, entries: usize) -> fmt::Result {
    match entries.saturating_sub(MAX_ITEMS) {
        0 => Ok(()),
        more => writeln!(out, "<p>and {more} more</p>"),
    }
}

fn write_cost(out: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(
        out,
        "<section>\n<h2>Cost</h2>\n<p>After {} this month. The first {FREE_PATHS_PER_MONTH} paths \
         of an account are free each month; every further path costs USD 0.005.</p>\n\
         <div class=\"wide\"><table>\n<thead><tr><th scope=\"col\"></th>\
         <th scope=\"col\">Billed paths</th><th scope=\"col\">Of them free</th>\
         <th scope=\"col\">USD</th></tr></thead>\n<tbody>",
        pluralize(summary.month_to_date as usize, "path"),
    )?;
    for (name, Cost { paths, free, price }) in summary.costs() {
        writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td>{paths}</td><td>{free}</td><td>{price}</td></tr>"
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>\n</section>")
}

/// Text that contains no HTML. Control characters cannot be written in HTML
/// and are shown as Rust escapes.
struct Escaped<'t>(&'t str);

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
    fn markup_is_escaped() {
        let hostile = "</title><script>alert('a & \"b\"')</script>\u{0}\u{202e}";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;\\u{0}\u{202e}"
        );
    }
}
