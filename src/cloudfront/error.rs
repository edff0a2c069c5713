use std::error::Error as _;

use aws_sdk_cloudfront::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        create_invalidation::CreateInvalidationError,
        create_invalidation_for_distribution_tenant::CreateInvalidationForDistributionTenantError,
    },
};

/// Why a CreateInvalidation call did not end in an invalidation. The SDK's
/// error is boxed, and asked: nothing outside this file matches on its types.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// CreateInvalidation failed.
    #[error(transparent)]
    Distribution(Box<SdkError<CreateInvalidationError>>),
    /// CreateInvalidationForDistributionTenant failed.
    #[error(transparent)]
    Tenant(Box<SdkError<CreateInvalidationForDistributionTenantError>>),
    /// The request never left: no credentials, or a configuration that the SDK
    /// does not take.
    #[error("the request could not be made")]
    Unsent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The invocation has no time left.
    #[error("the deadline of the invocation is near")]
    Deadline {
        /// CloudFront may have accepted the request.
        unsure: bool,
        /// What it last answered.
        answer: Option<String>,
    },
}

/// AWS's codes for credentials that were good once, or never.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html>
const CREDENTIALS_CODES: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// AWS's codes for throttling: those that the SDK takes for it.
/// (aws-runtime, `src/retries/classifiers.rs`)
const THROTTLING_CODES: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// Whether a code of AWS means that requests come too fast.
pub(super) fn is_throttling_code(code: &str) -> bool {
    THROTTLING_CODES.contains(&code)
}

impl Error {
    /// Too many paths or wildcards are being invalidated; minutes cure it.
    pub(super) fn is_too_many_invalidations(&self) -> bool {
        self.has_code("TooManyInvalidationsInProgress")
    }

    /// Requests come too fast.
    pub(super) fn is_throttled(&self) -> bool {
        self.aws_code().is_some_and(is_throttling_code)
    }

    /// CloudFront does not take one of the items. It does not say which.
    pub(super) fn is_refused_path(&self) -> bool {
        self.has_code("InvalidArgument") && !self.speaks_of_the_reference()
    }

    /// The caller reference was used before. It is a hash of the batch, so it
    /// was this batch, and it was accepted.
    /// <https://github.com/aws/aws-cdk/issues/3878>
    pub(super) fn is_used_reference(&self) -> bool {
        self.has_code("InvalidArgument") && self.speaks_of_the_reference()
    }

    /// The caller reference was used before, with other items.
    pub(super) fn is_batch_exists(&self) -> bool {
        self.has_code("InvalidationBatchAlreadyExists")
    }

    /// The batch has more items than CloudFront takes.
    pub(super) fn is_batch_too_large(&self) -> bool {
        self.has_code("BatchTooLarge")
    }

    /// There is no such distribution or tenant in the account.
    pub(super) fn is_unknown_distribution(&self) -> bool {
        self.has_code("NoSuchDistribution") || self.has_code("EntityNotFound")
    }

    /// A policy is missing.
    pub(super) fn is_access_denied(&self) -> bool {
        self.has_code("AccessDenied") || self.has_code("AccessDeniedException")
    }

    /// The credentials are expired or wrong.
    pub(super) fn is_bad_credentials(&self) -> bool {
        self.aws_code().is_some_and(|code| CREDENTIALS_CODES.contains(&code))
    }

    /// The request never left: no credentials, or a configuration that the SDK
    /// does not take.
    pub(super) fn is_unsent(&self) -> bool {
        matches!(self, Self::Unsent(_))
    }

    /// The invocation has no time left.
    pub(super) fn is_deadline(&self) -> bool {
        matches!(self, Self::Deadline { .. })
    }

    /// No answer came in time.
    pub(super) fn is_timeout(&self) -> bool {
        match self {
            Self::Distribution(error) => is_timeout(error),
            Self::Tenant(error) => is_timeout(error),
            Self::Unsent(_) => false,
            Self::Deadline { .. } => true,
        }
    }

    /// CloudFront may have accepted the request all the same: the answer, or
    /// the time for it, was lost on the way, or was an error of the server.
    pub(super) fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Deadline { unsure, .. } => *unsure,
            Self::Distribution(error) => is_answer_lost(error),
            Self::Tenant(error) => is_answer_lost(error),
            Self::Unsent(_) => false,
        }
    }

    /// Whether every further request to the distribution would end the same
    /// way in this invocation.
    pub(super) fn ends_distribution(&self) -> bool {
        self.is_too_many_invalidations()
            || self.is_unknown_distribution()
            || self.is_access_denied()
            || self.is_bad_credentials()
            || self.is_unsent()
            || self.is_deadline()
    }

    /// Whether sending again cannot help until somebody changes something.
    pub(super) fn is_permanent(&self) -> bool {
        self.is_refused_path() || self.is_unknown_distribution() || self.is_access_denied()
    }

    /// AWS's code, or a name of ours in the same style.
    pub(super) fn code(&self) -> String {
        match self {
            Self::Distribution(error) => code(error),
            Self::Tenant(error) => code(error),
            Self::Unsent(_) => "RequestNotSent".to_owned(),
            Self::Deadline { .. } => "DeadlineExceeded".to_owned(),
        }
    }

    /// What AWS said, or what the SDK did, down to its first cause.
    pub(super) fn message(&self) -> String {
        let said = match self {
            Self::Distribution(error) => error.message(),
            Self::Tenant(error) => error.message(),
            Self::Unsent(_) => None,
            Self::Deadline { answer, .. } => {
                return match answer {
                    Some(answer) => format!("{self}; CloudFront last answered {answer}"),
                    None => self.to_string(),
                };
            }
        };
        if let Some(said) = said {
            return said.to_owned();
        }
        // SDK errors say what failed in general; the causes say why.
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.ends_with(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = error.source();
        }
        text
    }

    fn aws_code(&self) -> Option<&str> {
        match self {
            Self::Distribution(error) => error.code(),
            Self::Tenant(error) => error.code(),
            Self::Unsent(_) | Self::Deadline { .. } => None,
        }
    }

    fn has_code(&self, code: &str) -> bool {
        self.aws_code() == Some(code)
    }

    fn speaks_of_the_reference(&self) -> bool {
        let text = self.message().to_ascii_lowercase();
        text.contains("caller reference") || text.contains("callerreference")
    }
}

fn is_timeout<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout(),
        _ => false,
    }
}

fn is_answer_lost<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // A connection that broke may have carried the request.
        SdkError::DispatchFailure(_) => true,
        SdkError::ServiceError(error) => error.raw().status().is_server_error(),
        _ => false,
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    if let Some(code) = error.code() {
        return code.to_owned();
    }
    match error {
        SdkError::TimeoutError(_) => "RequestTimeout".to_owned(),
        SdkError::DispatchFailure(_) => "ConnectionFailed".to_owned(),
        SdkError::ServiceError(error) => format!("Http{}", error.raw().status().as_u16()),
        _ => "UnreadableResponse".to_owned(),
    }
}

impl From<SdkError<CreateInvalidationError>> for Error {
    fn from(error: SdkError<CreateInvalidationError>) -> Self {
        Self::Distribution(Box::new(error))
    }
}

impl From<SdkError<CreateInvalidationForDistributionTenantError>> for Error {
    fn from(error: SdkError<CreateInvalidationForDistributionTenantError>) -> Self {
        Self::Tenant(Box::new(error))
    }
}
