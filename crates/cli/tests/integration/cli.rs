//! The cases of tests/cmd: commands with their complete output.
//! `TRYCMD=overwrite` regenerates the output.

#[test]
fn commands() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/cmd/**/*.trycmd");
    // The fallback of the developer's shell would change the output.
    cases.env("DistributionId", "");
    cases.run();
}
