//! Which operation a request calls, and on which distribution or tenant.

use hyper::{Method, Request, body::Bytes};

use super::{ACCOUNT_ID, Operation, refusal::Refusal};

/// The operation that a request calls.
#[derive(Debug)]
pub(crate) enum Route {
    Create(Resource),
    Get(Resource, String),
    List(Resource),
    AssumeRole,
}

/// The distribution or distribution tenant in a URL.
#[derive(Debug)]
pub(crate) struct Resource {
    is_tenant: bool,
    /// As in the URL; not necessarily well-formed.
    pub(crate) id: String,
}

impl Route {
    pub(crate) fn of(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let (method, path) = (request.method(), request.uri().path());
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let resource = match segments[..] {
            ["2020-05-31", kind @ (DISTRIBUTION | TENANT), id, "invalidation", ..] => {
                Some(Resource { is_tenant: kind == TENANT, id: id.to_owned() })
            }
            _ => None,
        };
        match (method, resource, &segments[..]) {
            (&Method::POST, None, [""]) => Ok(Self::AssumeRole),
            (&Method::POST, Some(resource), [_, _, _, _]) => Ok(Self::Create(resource)),
            (&Method::GET, Some(resource), [_, _, _, _, id]) => {
                Ok(Self::Get(resource, (*id).to_owned()))
            }
            (&Method::GET, Some(resource), [_, _, _, _]) => Ok(Self::List(resource)),
            _ => {
                let message = format!("The simulator does not implement {method} {path}");
                Err(Refusal::new(404, "UnknownOperationException", message))
            }
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::CreateInvalidation,
            Self::Get(..) => Operation::GetInvalidation,
            Self::List(_) => Operation::ListInvalidations,
            Self::AssumeRole => Operation::AssumeRole,
        }
    }
}

const DISTRIBUTION: &str = "distribution";
const TENANT: &str = "distribution-tenant";

impl Resource {
    /// Whether the id can exist: `E` and 5 to 31 more of `0-9A-Z` for a
    /// distribution, `dt_` and letters or digits for a tenant.
    pub(crate) fn is_well_formed(&self) -> bool {
        if self.is_tenant {
            let suffix = self.id.strip_prefix("dt_").unwrap_or_default();
            return !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
        }
        (6..=32).contains(&self.id.len())
            && self.id.starts_with('E')
            && self.id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    }

    /// `distribution/E1EXAMPLE`, as in URLs and ARNs.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", if self.is_tenant { TENANT } else { DISTRIBUTION }, self.id)
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{ACCOUNT_ID}:{}", self.path())
    }

    /// The IAM action of an operation on this resource.
    pub(crate) fn action(&self, operation: Operation) -> String {
        let suffix = if self.is_tenant { "ForDistributionTenant" } else { "" };
        format!("cloudfront:{operation:?}{suffix}")
    }

    pub(crate) fn not_found(&self) -> Refusal {
        if self.is_tenant {
            return Refusal::new(404, "EntityNotFound", "The entity was not found.");
        }
        // https://github.com/MikaAK/s3-plugin-webpack/issues/122
        Refusal::new(404, "NoSuchDistribution", "The specified distribution does not exist.")
    }
}
