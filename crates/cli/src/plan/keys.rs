//! Key lists: one object a line, as people and the AWS CLI write them.

use anyhow::bail;
use clap::ValueEnum;
use s3_cloudfront_invalidator::event::Kind;

/// How a line of a key list reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KeysFormat {
    /// A key and nothing else.
    #[default]
    Raw,
    /// What `aws s3 ls --recursive` prints.
    Ls,
    /// What `aws s3 sync`, `cp`, `mv` and `rm` print, `--dryrun` too.
    Sync,
}

/// What a line says of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed<'l> {
    /// Only `sync` lines name it.
    pub bucket: Option<&'l str>,
    pub key: &'l str,
    pub kind: Kind,
    /// Only `ls` lines have it.
    pub size: Option<u64>,
}

impl<'l> Listed<'l> {
    fn created(key: &'l str) -> Self {
        Self { bucket: None, key, kind: Kind::Created, size: None }
    }
}

impl KeysFormat {
    /// The objects of a key list. Lines that are none, like totals and progress,
    /// are left out; a list without a single object is an error, since it most
    /// likely is in another format.
    pub fn read<'l>(self, name: &str, text: &'l str) -> anyhow::Result<Vec<Listed<'l>>> {
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let objects: Vec<Listed<'l>> = match self {
            Self::Raw => lines.filter(|line| !line.is_empty()).map(Listed::created).collect(),
            Self::Ls => lines.filter_map(ls).collect(),
            Self::Sync => lines.flat_map(sync).collect(),
        };
        if objects.is_empty()
            && let Some(line) = text.lines().find(|line| !line.trim().is_empty())
        {
            let (prints, line) = (self.command(), line.escape_debug());
            bail!("{name} has no line that {prints} prints; its first is `{line}`");
        }
        Ok(objects)
    }

    fn command(self) -> &'static str {
        match self {
            Self::Raw => "a key list",
            Self::Ls => "`aws s3 ls --recursive`",
            Self::Sync => "`aws s3 sync`",
        }
    }
}

/// The keys of a whole site: raw, or as `aws s3 ls --recursive` prints them if
/// every line looks like that.
pub fn site_keys(text: &str) -> Vec<&str> {
    let lines = || text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let objects: Vec<&str> = lines().filter_map(ls).map(|object| object.key).collect();
    let other = |line: &&str| !line.trim().is_empty() && ls(line).is_none() && !is_ls_total(line);
    if objects.is_empty() || lines().any(|line| other(&line)) {
        return lines().filter(|line| !line.is_empty()).collect();
    }
    objects
}

/// `2026-01-31 13:45:00      10240 docs/a b.html`, and with
/// `--human-readable` ` 10.0 KiB ` for the size.
fn ls(line: &str) -> Option<Listed<'_>> {
    let (date, rest) = line.split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    let digits_and = |text: &str, separator: char, length: usize| {
        text.len() == length && text.chars().all(|c| c.is_ascii_digit() || c == separator)
    };
    if !digits_and(date, '-', 10) || !digits_and(time, ':', 8) {
        return None;
    }
    let (number, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    if let Ok(size) = number.parse()
        && !is_unit(rest)
    {
        return Some(Listed { size: Some(size), ..Listed::created(rest) });
    }
    number.parse::<f64>().ok()?;
    let (unit, key) = rest.split_once(' ')?;
    // A rounded size is no size that a condition could be held against, unless
    // it counts bytes.
    let size = if unit.starts_with("Byte") { number.parse().ok() } else { None };
    is_unit(unit).then_some(Listed { size, ..Listed::created(key) })
}

fn is_unit(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    ["Byte", "Bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].contains(&word)
}

/// What `--summarize` adds.
fn is_ls_total(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("Total Objects:") || line.starts_with("Total Size:")
}

/// `upload: ./a.html to s3://bucket/a.html`; a move from S3 is two changes, a
/// download none.
fn sync(line: &str) -> Vec<Listed<'_>> {
    // Progress is printed over itself in the same line.
    let line = line.rsplit('\r').next().unwrap_or(line);
    let line = line.strip_prefix("(dryrun) ").unwrap_or(line);
    let Some((verb, rest)) = line.split_once(": ") else { return Vec::new() };
    let created = || {
        let (from, to) = rest.rsplit_once(" to s3://")?;
        Some((from, object(to, Kind::Created)?))
    };
    match verb {
        "upload" | "copy" => created().map(|(_, to)| to).into_iter().collect(),
        "move" => {
            let from = match created() {
                Some((from, _)) => from,
                None => rest.rsplit_once(" to ").map_or("", |(from, _)| from),
            };
            let gone = from.strip_prefix("s3://").and_then(|from| object(from, Kind::Deleted));
            created().map(|(_, to)| to).into_iter().chain(gone).collect()
        }
        "delete" => {
            let gone = rest.strip_prefix("s3://").and_then(|gone| object(gone, Kind::Deleted));
            gone.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// `bucket/key`
fn object(text: &str, kind: Kind) -> Option<Listed<'_>> {
    let (bucket, key) = text.split_once('/')?;
    let sound = !bucket.is_empty() && !key.is_empty();
    sound.then_some(Listed { bucket: Some(bucket), key, kind, size: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bucket key kind size` of every object.
    fn read(format: KeysFormat, text: &str) -> Vec<String> {
        let objects = format.read("list", text).unwrap();
        let shown = objects.iter().map(|Listed { bucket, key, kind, size }| {
            format!("{} {key} {kind} {size:?}", bucket.unwrap_or("-"))
        });
        shown.collect()
    }

    #[test]
    fn raw_lines_are_keys_whatever_they_hold() {
        let expected =
            ["- a.html created None", "-  b c  created None", "- upload: x created None"];
        assert_eq!(read(KeysFormat::Raw, "a.html\r\n b c \n\nupload: x\n"), expected);
        assert_eq!(read(KeysFormat::Raw, ""), Vec::<String>::new());
    }

    #[test]
    fn ls_lines_are_objects() {
        for (line, expected) in [
            (
                "2026-01-31 13:45:00      10240 docs/a.html",
                Some("- docs/a.html created Some(10240)"),
            ),
            ("2026-01-31 13:45:00          0 a  b ", Some("- a  b  created Some(0)")),
            ("2026-01-31 13:45:00 12345678901 big", Some("- big created Some(12345678901)")),
            ("2026-01-31 13:45:00   10.0 KiB a b", Some("- a b created None")),
            ("2026-01-31 13:45:00    7 Bytes a", Some("- a created Some(7)")),
            ("                           PRE docs/", None),
            ("Total Objects: 3", None),
            ("   Total Size: 1234", None),
            ("", None),
            ("docs/a.html", None),
        ] {
            let text = format!("{line}\n2026-01-31 13:45:00 1 last\n");
            let mut objects = read(KeysFormat::Ls, &text);
            assert_eq!(objects.pop().as_deref(), Some("- last created Some(1)"), "{line}");
            assert_eq!(objects.pop().as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn sync_lines_are_changes() {
        for (line, expected) in [
            ("upload: ./a.html to s3://site/docs/a.html", &["site docs/a.html created None"][..]),
            ("(dryrun) upload: ./a to s3://site/a b", &["site a b created None"]),
            ("upload: ./x to s3://y to s3://site/a", &["site a created None"]),
            ("delete: s3://site/old.html", &["site old.html deleted None"]),
            ("(dryrun) delete: s3://site/old.html", &["site old.html deleted None"]),
            ("copy: s3://from/a to s3://site/b", &["site b created None"]),
            ("move: s3://from/a to s3://site/b", &["site b created None", "from a deleted None"]),
            ("move: ./a to s3://site/b", &["site b created None"]),
            ("move: s3://from/a to ./b", &["from a deleted None"]),
            ("download: s3://site/a to ./a", &[]),
            (
                "Completed 1 KiB/2 KiB (3 B/s) with 1 file(s) remaining\rupload: ./a to s3://site/a",
                &["site a created None"],
            ),
            ("Completed 1 KiB/2 KiB (3 B/s) with 1 file(s) remaining\r", &[]),
            ("upload failed: ./a to s3://site/a An error occurred", &[]),
            ("delete: s3://site", &[]),
        ] {
            let text = format!("{line}\nupload: ./z to s3://site/z\n");
            let mut changes = read(KeysFormat::Sync, &text);
            assert_eq!(changes.pop().as_deref(), Some("site z created None"), "{line}");
            assert_eq!(changes, expected, "{line}");
        }
    }

    #[test]
    fn a_list_in_another_format_is_told() {
        let error = KeysFormat::Ls.read("keys.txt", "\na\tb.html\n").unwrap_err().to_string();
        assert_eq!(
            error,
            r"keys.txt has no line that `aws s3 ls --recursive` prints; its first is `a\tb.html`"
        );
        assert!(KeysFormat::Sync.read("keys.txt", "a.html\n").is_err());
    }

    #[test]
    fn a_site_is_read_in_either_format() {
        assert_eq!(site_keys("a\nb c\r\n"), ["a", "b c"]);
        let listed = "2026-01-31 13:45:00 1 a\n2026-01-31 13:45:00 2 b c\n\nTotal Objects: 2\n   Total Size: 3\n";
        assert_eq!(site_keys(listed), ["a", "b c"]);
        // One line that is no object of a listing: they are all keys.
        assert_eq!(site_keys("2026-01-31 13:45:00 1 a\nb"), ["2026-01-31 13:45:00 1 a", "b"]);
    }
}
