//! The configuration: read once, from the environment and the rules file.
//!
//! | variable | meaning |
//! |---|---|
//! | `DistributionId` | the fallback: created and deleted changes that no rule speaks for are invalidated there; empty is unset |
//! | `RULES_PATH` | the rules file, which then must exist; unset, the default file is read if there is one |
//! | `DRY_RUN` | `true`: plan and log, send nothing |
//!
//! It loads whole or not at all: a function never runs with half of its rules.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{
    distribution::{DistributionId, InvalidId},
    rules::{Findings, RuleSet},
};

/// The file name of the rules, where nothing else is said.
pub const RULES_FILE: &str = "rules.yaml";

/// What the function needs to know before the first payload.
#[derive(Debug)]
pub struct Config {
    /// The rules, with the fallback.
    pub rules: RuleSet,
    /// Whether to plan and log, and send nothing.
    pub dry_run: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The rules file cannot be read.
    #[error("cannot read the rules file {}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The rules file is wrong.
    #[error("{0}")]
    Rules(Findings),
    /// `DistributionId` is wrong.
    #[error("the environment variable DistributionId is wrong: {0}")]
    DistributionId(InvalidId),
    /// `DRY_RUN` is wrong.
    #[error("the environment variable DRY_RUN is `{0}`: set it to true or false, or leave it out")]
    DryRun(String),
    /// A variable of the SDK is wrong, on which it would panic.
    #[error("the environment variable {name} is `{value}`: expected {expected}, or leave it out")]
    Sdk {
        /// The variable.
        name: &'static str,
        /// What it is set to.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// There is nothing to go by.
    #[error(
        "there is no rules file {} and no DistributionId: put a rules.yaml there, name one in RULES_PATH, \
         or set the environment variable DistributionId to the distribution to invalidate",
        .0.display()
    )]
    Nothing(PathBuf),
}

impl Config {
    /// Reads the environment of a Lambda function, where the default rules file
    /// lies beside the bootstrap.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let variable = |name: &str| env::var(name).ok();
        check_sdk_variables(variable)?;
        let task_root = env::var_os("LAMBDA_TASK_ROOT").unwrap_or_default();
        Self::load(variable, &Path::new(&task_root).join(RULES_FILE))
    }

    /// Reads the variables that `variable` gives.
    pub fn load(
        variable: impl Fn(&str) -> Option<String>,
        default_file: &Path,
    ) -> Result<Self, ConfigError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let named = variable("RULES_PATH").map(PathBuf::from);
        let fallback = fallback(variable("DistributionId")).map_err(ConfigError::DistributionId)?;
        let rules = match read(named.as_deref(), default_file)? {
            Some(rules) => rules,
            None if fallback.is_some() => RuleSet::empty(),
            None => return Err(ConfigError::Nothing(default_file.to_owned())),
        };
        let rules = match fallback {
            Some(id) => rules.with_fallback(id),
            None => rules,
        };
        let dry_run = match variable("DRY_RUN").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(ConfigError::DryRun(other.to_owned())),
        };
        Ok(Self { rules, dry_run })
    }
}

/// Refuses values of the SDK's variables on which it would panic when it loads
/// its configuration.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub fn check_sdk_variables(variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    let check = |name, expected, valid: fn(&str) -> bool| match variable(name) {
        Some(value) if !valid(&value) => Err(ConfigError::Sdk { name, value, expected }),
        _ => Ok(()),
    };
    check("AWS_MAX_ATTEMPTS", "a number from 1", |value| {
        value.parse().is_ok_and(|attempts: u32| attempts > 0)
    })?;
    check("AWS_RETRY_MODE", "standard or adaptive", |value| {
        ["standard", "adaptive"].iter().any(|mode| value.trim().eq_ignore_ascii_case(mode))
    })
}

/// The rules of the named file, or of the default file if it exists.
fn read(named: Option<&Path>, default_file: &Path) -> Result<Option<RuleSet>, ConfigError> {
    let file = named.unwrap_or(default_file);
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(reason) => return Err(ConfigError::Unreadable { file: file.to_owned(), reason }),
    };
    let rules = RuleSet::parse(&file.display().to_string(), &bytes).map_err(ConfigError::Rules)?;
    Ok(Some(rules))
}

fn fallback(id: Option<String>) -> Result<Option<DistributionId>, InvalidId> {
    id.map(|id| DistributionId::distribution(&id)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "version: 1\nrules:\n  - name: all\n    invalidate: E1EXAMPLE\n";

    fn load(rules: Option<&str>, variables: &[(&str, &str)]) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(RULES_FILE);
        if let Some(rules) = rules {
            fs::write(&file, rules).unwrap();
        }
        let variable = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        let directory = directory.path().display().to_string();
        Config::load(variable, &file).map_err(|error| error.to_string().replace(&directory, "DIR"))
    }

    #[test]
    fn rules_and_fallback() {
        let config = load(Some(RULES), &[("DistributionId", "E2EXAMPLE")]).unwrap();
        assert_eq!((config.rules.rules().len(), config.dry_run), (1, false));
        assert!(config.rules.fallback().is_some());
        let config = load(Some(RULES), &[("DistributionId", ""), ("DRY_RUN", "true")]).unwrap();
        assert!(config.rules.fallback().is_none() && config.dry_run);
        let config = load(None, &[("DistributionId", "E2EXAMPLE")]).unwrap();
        assert_eq!(config.rules.rules().len(), 0);
    }

    #[test]
    fn values_that_would_make_the_sdk_panic_are_refused() {
        let check = |name: &'static str, value: &str| {
            check_sdk_variables(|asked| (asked == name).then(|| value.to_owned()))
                .map_err(|error| error.to_string())
        };
        for (name, value) in [("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", " Adaptive ")] {
            assert_eq!(check(name, value), Ok(()), "{name}={value}");
        }
        for (name, value) in [
            ("AWS_MAX_ATTEMPTS", "abc"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", ""),
            ("AWS_RETRY_MODE", "legacy"),
        ] {
            let error = check(name, value).unwrap_err();
            assert!(error.contains(&format!("{name} is `{value}`: expected ")), "{error}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let nothing = load(None, &[]).unwrap_err();
        assert!(
            nothing.contains("no rules file DIR/rules.yaml and no DistributionId"),
            "{nothing}"
        );
        let named = load(Some(RULES), &[("RULES_PATH", "/nowhere/rules.yaml")]).unwrap_err();
        assert!(named.starts_with("cannot read the rules file /nowhere/rules.yaml: "), "{named}");
        let bad =
            load(Some("version: 1\nrulez: []\n"), &[("DistributionId", "E2EXAMPLE")]).unwrap_err();
        assert!(bad.contains("rules.yaml:2:1: error["), "{bad}");
        let id = load(Some(RULES), &[("DistributionId", "www.example.com")]).unwrap_err();
        assert!(
            id.contains("DistributionId is wrong: `www.example.com` is not a distribution id"),
            "{id}"
        );
        let dry = load(Some(RULES), &[("DRY_RUN", "yes")]).unwrap_err();
        assert!(dry.contains("DRY_RUN is `yes`: set it to true or false"), "{dry}");
    }
}
