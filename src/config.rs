//! The configuration, read once from the environment and the rules file.
//!
//! | variable | meaning |
//! |---|---|
//! | `DistributionId` | the fallback: created and deleted changes that no rule matches are invalidated there; empty is unset |
//! | `RULES_PATH` | the rules file, which must exist; if unset, the first default file that exists is read |
//! | `QUEUE_URL` | the queue that `{"drain": {}}` reads |
//! | `DRY_RUN` | `true`: plan and log, but send nothing |
//!
//! The default files of the function are rules.yaml beside the bootstrap
//! (`LAMBDA_TASK_ROOT`) and /opt/rules.yaml, which a layer can provide. An error
//! in the configuration is an error of the function: it never runs with some of
//! its rules.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{
    distribution::{DistributionId, InvalidId},
    rules::{Findings, RuleSet},
};

/// The default name of the rules file.
pub const RULES_FILE: &str = "rules.yaml";

/// Where Lambda puts the files of layers.
/// <https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html>
const LAYERS: &str = "/opt";

/// The configuration of the function.
#[derive(Debug)]
pub struct Config {
    /// The rules, with the fallback.
    pub rules: RuleSet,
    /// Whether to plan and log, but send nothing.
    pub dry_run: bool,
    /// The queue that a drain request reads.
    pub queue_url: Option<String>,
}

/// Why the configuration cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    #[error("cannot read the rules file `{0}`: {1}; set RULES_PATH to the rules file")]
    Unreadable(String, io::Error),
    #[error("{0}")]
    Rules(Findings),
    #[error("the environment variable DistributionId is invalid: {0}")]
    DistributionId(InvalidId),
    #[error("the environment variable DRY_RUN is `{0}`: set it to true or false, or leave it out")]
    DryRun(String),
    /// A variable of the SDK is invalid.
    #[error("the environment variable {0} is `{1}`: expected {2}, or leave it out")]
    Sdk(&'static str, String, &'static str),
    /// There are neither rules nor a fallback.
    #[error(
        "no rules file {0} and no DistributionId: add the rules file, set RULES_PATH to its path, \
         or set the environment variable DistributionId to the distribution to invalidate"
    )]
    Missing(String),
}

impl Config {
    /// Loads the configuration of a Lambda function.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let variable = |name: &str| env::var(name).ok();
        check_sdk_variables(variable)?;
        let task_root = env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
        Self::load(variable, &[&task_root.join(RULES_FILE), &Path::new(LAYERS).join(RULES_FILE)])
    }

    /// Loads the configuration from the variables that `variable` returns.
    pub fn load(
        variable: impl Fn(&str) -> Option<String>,
        default_files: &[&Path],
    ) -> Result<Self, ConfigError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let named = variable("RULES_PATH").map(PathBuf::from);
        let fallback = variable("DistributionId")
            .map(|id| DistributionId::distribution(&id))
            .transpose()
            .map_err(ConfigError::DistributionId)?;
        let rules = match named {
            Some(file) => Some(read(&file)?),
            None => default_files
                .iter()
                .find(|file| file.exists())
                .map(|file| read(file))
                .transpose()?,
        };
        let rules = match (rules, fallback) {
            (None, None) => {
                let files: Vec<_> =
                    default_files.iter().map(|file| file.display().to_string()).collect();
                return Err(ConfigError::Missing(files.join(" or ")));
            }
            (rules, None) => rules.unwrap_or_else(RuleSet::empty),
            (rules, Some(id)) => rules.unwrap_or_else(RuleSet::empty).with_fallback(id),
        };
        let dry_run = match variable("DRY_RUN").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(ConfigError::DryRun(other.to_owned())),
        };
        Ok(Self { rules, dry_run, queue_url: variable("QUEUE_URL") })
    }
}

/// Refuses values of the SDK's variables on which the SDK would panic, or trust no
/// server.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub fn check_sdk_variables(variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    let check = |name, expected, valid: fn(&str) -> bool| match variable(name) {
        Some(value) if !valid(&value) => Err(ConfigError::Sdk(name, value, expected)),
        _ => Ok(()),
    };
    check("AWS_MAX_ATTEMPTS", "a number from 1", |value| {
        value.parse().is_ok_and(|attempts: u32| attempts > 0)
    })?;
    check("SSL_CERT_FILE", "a file of root certificates", |path| fs::File::open(path).is_ok())?;
    check("AWS_RETRY_MODE", "standard or adaptive", |value| {
        ["standard", "adaptive"].iter().any(|mode| value.trim().eq_ignore_ascii_case(mode))
    })
}

fn read(file: &Path) -> Result<RuleSet, ConfigError> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|reason| ConfigError::Unreadable(name.clone(), reason))?;
    RuleSet::parse(&name, &bytes).map_err(ConfigError::Rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "version: 1\nrules:\n  - name: all\n    invalidate: E1EXAMPLE\n";

    /// Loads with DIR/rules.yaml and DIR/layer.yaml as default files.
    fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let variable = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        let [beside, layer] = [RULES_FILE, "layer.yaml"].map(|name| directory.path().join(name));
        let directory = directory.path().display().to_string();
        Config::load(variable, &[&beside, &layer])
            .map_err(|error| error.to_string().replace(&directory, "DIR"))
    }

    #[test]
    fn rules_and_fallback() {
        let rules = [(RULES_FILE, RULES)];
        let config = load(&rules, &[("DistributionId", "E2EXAMPLE")]).unwrap();
        assert_eq!((config.rules.rules().len(), config.dry_run), (1, false));
        assert!(config.rules.fallback().is_some());
        let config = load(&rules, &[("DistributionId", ""), ("DRY_RUN", "true")]).unwrap();
        assert!(config.rules.fallback().is_none() && config.dry_run);
        let config = load(&[], &[("DistributionId", "E2EXAMPLE")]).unwrap();
        assert_eq!(config.rules.rules().len(), 0);
    }

    #[test]
    fn the_first_default_file_that_exists_is_read() {
        let none = "version: 1\n";
        for (files, rules) in [
            (&[("layer.yaml", RULES)][..], 1),
            (&[(RULES_FILE, RULES), ("layer.yaml", none)], 1),
            (&[(RULES_FILE, none), ("layer.yaml", RULES)], 0),
        ] {
            assert_eq!(load(files, &[]).unwrap().rules.rules().len(), rules, "{files:?}");
        }
    }

    #[test]
    fn values_that_the_sdk_cannot_use_are_refused() {
        let check = |name: &'static str, value: &str| {
            check_sdk_variables(|asked| (asked == name).then(|| value.to_owned()))
                .map_err(|error| error.to_string())
        };
        for (name, value) in [
            ("AWS_MAX_ATTEMPTS", "1"),
            ("AWS_RETRY_MODE", " Adaptive "),
            ("SSL_CERT_FILE", "Cargo.toml"),
        ] {
            assert_eq!(check(name, value), Ok(()), "{name}={value}");
        }
        for (name, value) in [
            ("AWS_MAX_ATTEMPTS", "abc"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", ""),
            ("AWS_RETRY_MODE", "legacy"),
            ("SSL_CERT_FILE", "/nowhere/roots.pem"),
        ] {
            let error = check(name, value).unwrap_err();
            assert!(error.contains(&format!("{name} is `{value}`: expected ")), "{error}");
        }
    }

    #[test]
    fn errors_name_the_cause_and_the_fix() {
        let id = ("DistributionId", "E2EXAMPLE");
        for (files, variable, expected) in [
            (
                &[][..],
                ("", ""),
                "no rules file DIR/rules.yaml or DIR/layer.yaml and no DistributionId",
            ),
            (
                &[],
                ("RULES_PATH", "/nowhere/rules.yaml"),
                "cannot read the rules file `/nowhere/rules.yaml`: ",
            ),
            (&[(RULES_FILE, "version: 1\nrulez: []\n")], id, "rules.yaml:2:1: error["),
            (
                &[(RULES_FILE, RULES)],
                ("DistributionId", "www.example.com"),
                "DistributionId is invalid: `www.example.com` is not a distribution id",
            ),
            (
                &[(RULES_FILE, RULES)],
                ("DRY_RUN", "yes"),
                "DRY_RUN is `yes`: set it to true or false",
            ),
        ] {
            let error = load(files, &[variable]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
