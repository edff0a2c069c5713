//! Standard input and output, and an environment without AWS credentials.

use std::{
    fs::File,
    io::Write,
    process::{Command, Stdio},
};

fn invalidator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_invalidator"));
    command.args(arguments).env_clear().current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    command
}

/// The exit code and standard error.
fn result(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn check_reads_standard_input() {
    let mut command = invalidator(&["check", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"version: 1\nrule: []\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("<stdin>:2:1: error[unknown-field]"), "{text}");
}

#[test]
fn a_full_output_is_an_error() {
    for arguments in [
        &["schema"][..],
        &["check"],
        &["check", "--format", "json"],
        &["completions", "bash"],
        &["run", "events/"],
        &["explain", "s3://example-site/a"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (code, message) = result(invalidator(arguments).stdout(full));
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(message.starts_with("error: cannot write the output: "), "{message}");
    }
}

/// As with `| head`: the exit code is still that of the command.
#[test]
fn a_closed_output_is_no_error() {
    let rules = "crates/cli/tests/cmd/check/broken.in/fields.yaml";
    for (arguments, code) in [
        (&["schema"][..], 0),
        (&["check"], 0),
        (&["check", "--format", "json"], 0),
        (&["check", rules], 1),
        (&["run", "events/"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (status, message) = result(invalidator(arguments).stdout(writer));
        assert_eq!((status, &*message), (Some(code), ""), "{arguments:?}");
    }
}

#[test]
fn a_failure_of_init_is_one_sentence() {
    let unreachable = [
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ];
    let none = [("AWS_EC2_METADATA_DISABLED", "true")];
    for (environment, cause) in [(&none[..], "no AWS credentials"), (&unreachable, "refused")] {
        let (code, message) = result(invalidator(&["init"]).envs(environment.iter().copied()));
        assert_eq!(code, Some(2), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.starts_with("error: cannot list the distributions: "), "{message}");
        assert!(message.contains(cause), "{message}");
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = invalidator(&["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("event-pattern") && script.contains("keys-format"), "{shell}");
    }
}
