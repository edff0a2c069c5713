//! The command-line program, as files: every case of tests/cmd is a command
//! with all that it prints. `TRYCMD=overwrite` writes the output anew.

#[test]
fn commands() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/cmd/**/*.toml").case("tests/cmd/**/*.trycmd");
    // A fallback that the shell happens to have set would change what is found.
    cases.env("DistributionId", "");
    cases.run();
}
