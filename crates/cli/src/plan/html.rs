//! The report of a plan as an HTML page: one file, no script, nothing fetched.

use std::{
    fmt::{self, Write},
    path::Path,
};

use s3_cloudfront_invalidator::escape::is_hidden;
use time::OffsetDateTime;

use super::{
    blocks::{ReportBlock, ReportEntry, report},
    summary::PlanSummary,
};

/// A longer list is closed until the reader opens it. No entry is left out.
const MAX_OPEN: usize = 100;

const HEAD: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Invalidation plan</title>
<style>
";

/// Returns the page; `now` is the date it shows.
pub fn page(summary: &PlanSummary, rules_file: &Path, now: OffsetDateTime) -> String {
    let css = include_str!("report.css");
    let mut page = format!("{HEAD}{css}</style>\n</head>\n<body>\n<h1>Invalidation plan</h1>\n");
    // Writing to a string cannot fail.
    let _ = write_facts(&mut page, summary, rules_file, now);
    for block in report(summary, usize::MAX) {
        let _ = write_block(&mut page, &block);
    }
    page + "</body>\n</html>\n"
}

/// Writes what the plan was made of.
fn write_facts(
    out: &mut String,
    summary: &PlanSummary,
    rules_file: &Path,
    now: OffsetDateTime,
) -> fmt::Result {
    let (date, hour, minute) = (now.date(), now.hour(), now.minute());
    let buckets: Vec<&str> = summary.buckets.iter().map(|bucket| &**bucket).collect();
    let facts = [
        ("Date", format!("{date} {hour:02}:{minute:02} UTC")),
        ("Rules", rules_file.display().to_string()),
        (if buckets.len() == 1 { "Bucket" } else { "Buckets" }, buckets.join(", ")),
    ];
    out.push_str("<dl>\n");
    for (name, value) in facts {
        writeln!(out, "<div><dt>{name}</dt> <dd>{}</dd></div>", Escaped(&value))?;
    }
    writeln!(out, "</dl>")
}

fn write_block(out: &mut String, block: &ReportBlock) -> fmt::Result {
    match block {
        ReportBlock::Text(text) => writeln!(out, "<p>{}</p>", Escaped(text)),
        ReportBlock::Heading { title, remark } => {
            writeln!(out, "<h2>{} <small>{}</small></h2>", Escaped(title), Escaped(remark))
        }
        ReportBlock::Table { header, rows, .. } => {
            out.push_str("<div class=\"wide\"><table>\n<tr>");
            header.iter().try_for_each(|cell| write!(out, "<th>{cell}</th>"))?;
            for row in rows {
                out.push_str("</tr>\n<tr>");
                row.iter().try_for_each(|cell| write!(out, "<td>{}</td>", Escaped(cell)))?;
            }
            writeln!(out, "</tr>\n</table></div>")
        }
        ReportBlock::List { heading, entries, omitted } => {
            let open = if entries.len() > MAX_OPEN { "" } else { " open" };
            let (heading, number) =
                (Escaped(heading.trim_end_matches(':')), entries.len() + omitted);
            write!(
                out,
                "<details{open}><summary>{heading} <small>{number}</small></summary>\n<ul>\n"
            )?;
            entries.iter().try_for_each(|entry| write_entry(out, entry))?;
            writeln!(out, "</ul></details>")
        }
    }
}

fn write_entry(out: &mut String, entry: &ReportEntry) -> fmt::Result {
    let ReportEntry { text, remark, is_wildcard, share } = entry;
    let class = if *is_wildcard { "wildcard" } else { "path" };
    write!(out, "<li><code class=\"{class}\">{}</code>", Escaped(text))?;
    write!(out, " <small>{}</small>", Escaped(remark))?;
    if let Some(share) = share {
        let percent = share * 100.0;
        write!(out, "<span class=\"bar {class}\" style=\"width:{percent:.1}%\"></span>")?;
    }
    writeln!(out, "</li>")
}

/// Text that contains no HTML. Control characters cannot be written in HTML
/// and are shown as Rust escapes.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            hidden if is_hidden(hidden) => write!(f, "{}", hidden.escape_default()),
            other => f.write_char(other),
        })
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
            "&lt;/title&gt;&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;\\u{0}\\u{202e}"
        );
    }
}
