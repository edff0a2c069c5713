//! Error responses, with the messages that users report.

use std::borrow::Cow;

/// An error response of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// Details that AWS does not send; they are recorded only.
    pub(crate) why: Option<String>,
}

impl Refusal {
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, message: message.into(), why: None }
    }

    pub(crate) fn because(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    /// <https://github.com/aws/aws-sdk-js/issues/3983>
    pub(crate) fn throttled() -> Self {
        Self::new(400, "Throttling", "Rate exceeded")
    }

    pub(crate) fn invalid_argument(message: &'static str) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    /// <https://github.com/rust-lang/promote-release/pull/94>
    pub(crate) fn invalid_path(why: String) -> Self {
        Self::invalid_argument("Your request contains one or more invalid invalidation paths.")
            .because(why)
    }

    /// <https://github.com/EasyDynamics/oscal.io/issues/39>
    pub(crate) fn access_denied(caller: &str, action: &str, resource: &str) -> Self {
        let message = format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
        );
        Self::new(403, "AccessDenied", message)
    }
}
