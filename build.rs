//! Links the function at a fixed address: docs/performance.md says why.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bin=s3-cloudfront-invalidator=-no-pie");
    }
}
