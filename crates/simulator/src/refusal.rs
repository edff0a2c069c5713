use std::borrow::Cow;

/// An error as AWS answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
    /// What AWS would not say, for the record only.
    pub(super) why: Option<String>,
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), why: None }
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// <https://github.com/aws/aws-sdk-js/issues/3983>
    pub(super) fn throttled() -> Self {
        Self::new(400, "Throttling", "Rate exceeded")
    }

    /// <https://github.com/rust-lang/promote-release/pull/94>
    pub(super) fn invalid_path(why: String) -> Self {
        Self::invalid_argument("Your request contains one or more invalid invalidation paths.")
            .because(why)
    }

    pub(super) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    /// The body is no XML, or its elements are in the wrong places.
    /// <https://github.com/pplu/aws-sdk-perl/issues/112>
    pub(super) fn malformed_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "MalformedInput", message)
    }

    /// An element of the body is missing.
    /// <https://github.com/aws/aws-sdk-php/issues/1973>
    pub(super) fn missing_member(member: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        Self::new(400, "MalformedXML", message)
    }

    /// <https://github.com/EasyDynamics/oscal.io/issues/39>
    pub(super) fn access_denied(caller: &str, action: &str, resource: &str) -> Self {
        let message = format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
        );
        Self::new(403, "AccessDenied", message)
    }
}
