//! Key lists: one object per line, as plain keys or as the AWS CLI prints them.

use anyhow::bail;
use clap::ValueEnum;
use s3_cloudfront_invalidator::event::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeysFormat {
    /// A key per line, and nothing else.
    Raw,
    /// Output of `aws s3 ls --recursive`.
    Ls,
    /// Output of `aws s3 sync`, `cp`, `mv` and `rm`, with or without `--dryrun`.
    Sync,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ListedObject<'l> {
    /// Only in `sync` lines.
    pub bucket: Option<&'l str>,
    pub key: &'l str,
    pub kind: Kind,
    /// Only in `ls` lines.
    pub size: Option<u64>,
}

impl<'l> ListedObject<'l> {
    fn created(key: &'l str) -> Self {
        Self { bucket: None, key, kind: Kind::Created, size: None }
    }
}

impl KeysFormat {
    /// Returns the format of a list: that of the AWS CLI if every line is its
    /// output, else plain keys.
    pub fn of(text: &str) -> Self {
        let all = |is_output: fn(&str) -> bool| {
            text.lines().any(|line| !line.trim().is_empty())
                && lines(text).all(|line| line.trim().is_empty() || is_output(line))
        };
        if all(is_ls) {
            Self::Ls
        } else if all(is_sync) {
            Self::Sync
        } else {
            Self::Raw
        }
    }

    /// Returns a warning if lines that are read as plain keys are not keys.
    pub fn warning(self, text: &str) -> Option<String> {
        if self != Self::Raw {
            return None;
        }
        let (line, what) = lines(text).find_map(|line| {
            let what = match line {
                _ if ls_line(line).is_some() => {
                    "looks like output of `aws s3 ls --recursive`; see --keys-format"
                }
                _ if !sync_line(line).is_empty() => {
                    "looks like output of `aws s3 sync`; see --keys-format"
                }
                _ if line.starts_with("s3://") => "looks like an S3 URI; write the key alone",
                _ if line.starts_with(['/', '{', '[', '"']) => "does not look like an object key",
                _ => return None,
            };
            Some((line, what))
        })?;
        Some(format!("the line `{}` {what}", line.escape_debug()))
    }

    /// Returns the objects of a key list. Other lines, like totals and
    /// progress, are ignored; but a list without any object is an error, since
    /// it is probably in another format.
    pub fn read<'l>(
        self,
        name: &str,
        text: &'l str,
    ) -> anyhow::Result<impl Iterator<Item = ListedObject<'l>>> {
        let objects = lines(text).flat_map(move |line| match self {
            Self::Raw => vec![ListedObject::created(line)],
            Self::Ls => ls_line(line).into_iter().collect(),
            Self::Sync => sync_line(line),
        });
        let mut objects = objects.filter(|object| !object.key.is_empty()).peekable();
        let command = match self {
            Self::Raw => "",
            Self::Ls => "aws s3 ls --recursive",
            Self::Sync => "aws s3 sync",
        };
        if objects.peek().is_none()
            && let Some(line) = text.lines().find(|line| !line.trim().is_empty())
        {
            let line = line.escape_debug();
            bail!("`{name}` is not output of `{command}`; its first line is `{line}`");
        }
        Ok(objects)
    }
}

/// Returns the keys of a whole site. The list is read as output of
/// `aws s3 ls --recursive` if every line is, else as plain keys.
pub fn site_keys(text: &str) -> Vec<&str> {
    if KeysFormat::of(text) == KeysFormat::Ls {
        return lines(text).filter_map(ls_line).map(|object| object.key).collect();
    }
    lines(text).filter(|line| !line.is_empty()).collect()
}

fn is_ls(line: &str) -> bool {
    let start = line.trim_start();
    ["Total Objects:", "Total Size:", "PRE "].iter().any(|total| start.starts_with(total))
        || ls_line(line).is_some()
}

fn is_sync(line: &str) -> bool {
    // Progress is overwritten in the same line.
    let line = line.rsplit('\r').next().unwrap_or(line);
    let other = ["Completed ", "warning: ", "download: ", "upload failed: ", "copy failed: "];
    line.is_empty()
        || other.iter().any(|start| line.starts_with(start))
        || !sync_line(line).is_empty()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// Parses `2026-01-31 13:45:00      10240 docs/a b.html`. With
/// `--human-readable`, the size is like `10.0 KiB`.
fn ls_line(line: &str) -> Option<ListedObject<'_>> {
    let (date, rest) = line.split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    let is_digits_and = |text: &str, separator: char, length: usize| {
        text.len() == length && text.chars().all(|c| c.is_ascii_digit() || c == separator)
    };
    if !is_digits_and(date, '-', 10) || !is_digits_and(time, ':', 8) {
        return None;
    }
    let (number, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    match rest.split_once(' ') {
        Some(("Byte" | "Bytes", key)) => {
            Some(ListedObject { size: Some(number.parse().ok()?), ..ListedObject::created(key) })
        }
        // A rounded size is useless for size conditions.
        Some(("KiB" | "MiB" | "GiB" | "TiB" | "PiB" | "EiB", key)) => {
            number.parse::<f64>().ok().map(|_| ListedObject::created(key))
        }
        _ => Some(ListedObject { size: Some(number.parse().ok()?), ..ListedObject::created(rest) }),
    }
}

/// Parses `upload: ./a.html to s3://bucket/a.html`. A move within S3 is two
/// changes; a download is none.
fn sync_line(line: &str) -> Vec<ListedObject<'_>> {
    // Progress is overwritten in the same line.
    let line = line.rsplit('\r').next().unwrap_or(line);
    let line = line.strip_prefix("(dryrun) ").unwrap_or(line);
    let Some((verb, rest)) = line.split_once(": ") else { return Vec::new() };
    let (created, deleted) = match verb {
        "upload" | "copy" => (rest.rsplit_once(" to s3://").map(|(_, to)| to), None),
        "delete" => (None, rest.strip_prefix("s3://")),
        "move" => {
            let created = rest.rsplit_once(" to s3://");
            let from = created.or_else(|| rest.rsplit_once(" to ")).map(|(from, _)| from);
            (created.map(|(_, to)| to), from.and_then(|from| from.strip_prefix("s3://")))
        }
        _ => (None, None),
    };
    [(created, Kind::Created), (deleted, Kind::Deleted)]
        .into_iter()
        .filter_map(|(object, kind)| {
            let (bucket, key) = object?.split_once('/')?;
            let is_object = !bucket.is_empty() && !key.is_empty();
            is_object.then_some(ListedObject { bucket: Some(bucket), key, kind, size: None })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bucket key kind size` of every object.
    fn shown<'l>(objects: impl IntoIterator<Item = ListedObject<'l>>) -> String {
        let objects = objects.into_iter().map(|ListedObject { bucket, key, kind, size }| {
            let size = size.map(|size| format!(" {size}")).unwrap_or_default();
            format!("{} {key} {kind}{size}", bucket.unwrap_or("-"))
        });
        objects.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn raw_lines_are_keys() {
        let objects = KeysFormat::Raw.read("list", "a.html\r\n b c \n\nupload: x\n").unwrap();
        assert_eq!(shown(objects), "- a.html created, -  b c  created, - upload: x created");
        assert_eq!(KeysFormat::Raw.read("list", "").unwrap().count(), 0);
    }

    #[test]
    fn ls_lines_are_objects() {
        for (line, expected) in [
            ("2026-01-31 13:45:00      10240 docs/a.html", "- docs/a.html created 10240"),
            ("2026-01-31 13:45:00          0 a  b ", "- a  b  created 0"),
            ("2026-01-31 13:45:00 12345678901 big", "- big created 12345678901"),
            ("2026-01-31 13:45:00   10.0 KiB a b", "- a b created"),
            ("2026-01-31 13:45:00    7 Bytes a", "- a created 7"),
            ("                           PRE docs/", ""),
            ("Total Objects: 3", ""),
            ("   Total Size: 1234", ""),
            ("", ""),
            ("docs/a.html", ""),
        ] {
            assert_eq!(shown(ls_line(line)), expected, "{line}");
        }
    }

    #[test]
    fn sync_lines_are_changes() {
        const PROGRESS: &str = "Completed 1 KiB/2 KiB (3 B/s) with 1 file(s) remaining\r";
        for (line, expected) in [
            ("upload: ./a.html to s3://site/docs/a.html", "site docs/a.html created"),
            ("(dryrun) upload: ./a to s3://site/a b", "site a b created"),
            ("upload: ./x to s3://y to s3://site/a", "site a created"),
            ("delete: s3://site/old.html", "site old.html deleted"),
            ("(dryrun) delete: s3://site/old.html", "site old.html deleted"),
            ("copy: s3://from/a to s3://site/b", "site b created"),
            ("move: s3://from/a to s3://site/b", "site b created, from a deleted"),
            ("move: ./a to s3://site/b", "site b created"),
            ("move: s3://from/a to ./b", "from a deleted"),
            ("download: s3://site/a to ./a", ""),
            (&format!("{PROGRESS}upload: ./a to s3://site/a"), "site a created"),
            (PROGRESS, ""),
            ("upload failed: ./a to s3://site/a An error occurred", ""),
            ("delete: s3://site", ""),
        ] {
            assert_eq!(shown(sync_line(line)), expected, "{line}");
        }
    }

    #[test]
    fn a_list_in_another_format_is_an_error() {
        let error = KeysFormat::Ls.read("keys.txt", "\na\tb.html\n").err().unwrap().to_string();
        assert_eq!(
            error,
            r"`keys.txt` is not output of `aws s3 ls --recursive`; its first line is `a\tb.html`"
        );
        assert!(KeysFormat::Sync.read("keys.txt", "a.html\n").is_err());
    }

    #[test]
    fn formats_are_found() {
        const LS: &str = "2026-01-31 13:45:00 1 a\n           PRE b/\n\nTotal Objects: 1\n";
        const SYNC: &str =
            "Completed 1 B/2 B\rupload: ./a to s3://s/a\r\n(dryrun) delete: s3://s/b\n";
        for (text, expected) in [
            ("a.html\nb c\n", KeysFormat::Raw),
            ("", KeysFormat::Raw),
            (LS, KeysFormat::Ls),
            (SYNC, KeysFormat::Sync),
            (&format!("{LS}a.html\n"), KeysFormat::Raw),
            (&format!("a.html\n{SYNC}"), KeysFormat::Raw),
        ] {
            assert_eq!(KeysFormat::of(text), expected, "{text}");
            let has_warning = KeysFormat::of(text).warning(text).is_some();
            assert_eq!(has_warning, expected == KeysFormat::Raw && text.len() > 30, "{text}");
        }
        for text in ["s3://b/a", "/a.html", "{\"Key\": \"a\"}"] {
            assert!(KeysFormat::Raw.warning(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_site_is_read_in_either_format() {
        assert_eq!(site_keys("a\nb c\r\n"), ["a", "b c"]);
        let listed = "2026-01-31 13:45:00 1 a\n2026-01-31 13:45:00 2 b c\n\nTotal Objects: 2\n   Total Size: 3\n";
        assert_eq!(site_keys(listed), ["a", "b c"]);
        // One line in another format makes all lines plain keys.
        assert_eq!(site_keys("2026-01-31 13:45:00 1 a\nb"), ["2026-01-31 13:45:00 1 a", "b"]);
    }
}
