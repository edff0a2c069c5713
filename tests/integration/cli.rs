//! The command-line program, as files: every case of tests/cmd is a command
//! with all that it prints. `TRYCMD=overwrite` writes the output anew.

#[test]
fn commands() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/cmd/**/*.toml").case("tests/cmd/**/*.trycmd");
    // What a shell happens to have set would change what commands do.
    cases.env("DistributionId", "").env("RULES_PATH", "");
    cases.run();
}
