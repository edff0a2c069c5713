//! What the simulator remembers, and how a call changes it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use super::{
    ACCOUNT, Call, Fault, Operation, Options, Recorded, Reply, ReusedReference,
    batch::Batch,
    fault,
    quota::{Allowance, Bucket, Running, Size},
    refusal::Refusal,
    router::{ListQuery, Request, Resource, Route},
    signature::{self, Caller},
    sts::Sessions,
    xml::{self, Page, Service},
};
use s3_cloudfront_invalidator::distribution::DistributionId;

/// The most summaries in one page of a list.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListInvalidations.html>
const MAX_LIST: usize = 100;

#[derive(Debug)]
pub(super) struct State {
    pub(super) calls: Vec<Call>,
    pub(super) recorded: Vec<Recorded>,
    /// Faults that come before any dice.
    pub(super) scripted: VecDeque<Fault>,
    sites: HashMap<DistributionId, Site>,
    sessions: Sessions,
    requests: Option<Bucket>,
}

/// One distribution.
#[derive(Debug)]
struct Site {
    dice: fastrand::Rng,
    /// Its invalidations, oldest first, as indices of [`State::recorded`].
    invalidations: Vec<usize>,
    by_reference: HashMap<String, usize>,
    running: Running,
    allowance: Option<Allowance>,
}

/// What goes back over the connection.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) request_id: String,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// A success: what is recorded of it, and what is answered.
struct Success {
    reply: Reply,
    status: u16,
    location: Option<String>,
    body: String,
}

impl Success {
    fn ok(body: String) -> Self {
        Self { reply: Reply::Answered, status: 200, location: None, body }
    }

    /// The same, but the caller never hears of it.
    fn dropped(mut self) -> Self {
        self.reply = match self.reply {
            Reply::Created { id } | Reply::Replayed { id } => Reply::DroppedAfter { id },
            other => other,
        };
        self
    }
}

/// A call that is signed and has a route.
struct Signed<'a> {
    options: &'a Options,
    caller: Caller,
    body: &'a [u8],
    now: Duration,
    request_id: &'a str,
}

impl Signed<'_> {
    /// Checks that the caller may touch a distribution, and that it exists.
    fn authorize<'r>(
        &self,
        resource: &'r Resource,
        operation: Operation,
    ) -> Result<&'r DistributionId, Refusal> {
        let id = resource.id.as_ref().ok_or_else(|| resource.not_found())?;
        let grants = &self.options.roles;
        let mut grants = grants.iter().filter(|grant| grant.distributions.contains(id));
        let allowed = match &self.caller.role {
            None => grants.next().is_none(),
            Some(role) => grants.any(|grant| grant.role.arn == *role),
        };
        if !allowed || self.options.denied.contains(id) {
            let arn = format!("arn:aws:cloudfront::{ACCOUNT}:{}", resource.path());
            let action = resource.action(operation);
            return Err(Refusal::access_denied(&self.caller.arn, &action, &arn));
        }
        if self.options.known.as_ref().is_some_and(|known| !known.contains(id)) {
            return Err(resource.not_found());
        }
        Ok(id)
    }

    fn status(&self, invalidation: &Recorded) -> &'static str {
        let completed = invalidation.accepted_at + self.options.completion <= self.now;
        if completed { "Completed" } else { IN_PROGRESS }
    }
}

/// What a call comes to.
enum Verdict {
    Success(Success),
    Refused(Refusal),
    DroppedBefore,
}

impl State {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            calls: Vec::new(),
            recorded: Vec::new(),
            scripted: VecDeque::new(),
            sites: HashMap::new(),
            sessions: Sessions::default(),
            requests: options.request_rate.map(Bucket::of_requests),
        }
    }

    /// Answers a call and records it; `None` cuts the connection.
    pub(super) fn call(&mut self, options: &Options, request: &Request) -> Option<Answer> {
        let now = options.clock.now();
        let request_id = self.request_id();
        let (mut operation, mut service, mut role) =
            (Operation::Unknown, Service::CloudFront, None);
        let verdict = Route::of(request).and_then(|route| {
            (operation, service) = (route.operation(), route.service());
            let body = request.body.as_deref().ok_or_else(body_too_large)?;
            let caller = signature::check(&request.headers, service, &self.sessions, now)?;
            role.clone_from(&caller.role);
            self.serve(&route, &Signed { options, caller, body, now, request_id: &request_id })
        });
        let (reply, answer) = match verdict.unwrap_or_else(Verdict::Refused) {
            Verdict::DroppedBefore => (Reply::DroppedBefore, None),
            Verdict::Success(Success { reply, status, location, body }) => {
                let cut = matches!(reply, Reply::DroppedAfter { .. });
                (reply, (!cut).then_some(Answer { status, request_id, location, body }))
            }
            Verdict::Refused(refusal) => {
                let body = xml::error(service, &refusal, &request_id);
                let Refusal { status, code, message, why } = refusal;
                let (code, message) = (code.into_owned(), message.into_owned());
                let reply = Reply::Refused { status, code, message, why };
                (reply, Some(Answer { status, request_id, location: None, body }))
            }
        };
        let query = if request.query.is_empty() { "" } else { "?" };
        self.calls.push(Call {
            at: now,
            operation,
            method: request.method.to_string(),
            path: format!("{}{query}{}", request.path, request.query),
            body: String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned(),
            role,
            reply,
        });
        answer
    }

    fn serve(&mut self, route: &Route, call: &Signed<'_>) -> Result<Verdict, Refusal> {
        let success = match route {
            Route::Create(resource) => {
                let fault = self.fault(call, resource);
                if fault == Some(Fault::DropBefore) {
                    return Ok(Verdict::DroppedBefore);
                }
                if let Some(refusal) = fault.as_ref().and_then(Fault::refusal) {
                    return Err(refusal);
                }
                let success = self.create(call, resource)?;
                if fault == Some(Fault::DropAfter) { success.dropped() } else { success }
            }
            Route::Get(resource, id) => {
                let distribution = call.authorize(resource, route.operation())?;
                self.get(call, distribution, id)?
            }
            Route::List(resource, query) => {
                let distribution = call.authorize(resource, route.operation())?;
                self.list(call, distribution, query)?
            }
            Route::AssumeRole => {
                let roles = &call.options.roles;
                let session =
                    self.sessions.assume_role(call.body, &call.caller, roles, call.now)?;
                Success::ok(xml::assumed_role(&session, &call.options.clock, call.request_id))
            }
        };
        Ok(Verdict::Success(success))
    }

    /// The fault that strikes a CreateInvalidation, if any.
    fn fault(&mut self, call: &Signed<'_>, resource: &Resource) -> Option<Fault> {
        let id = resource.id.as_ref();
        let rolled = id.and_then(|id| call.options.faults.roll(&mut self.site(call, id).dice));
        self.scripted.pop_front().or(rolled)
    }

    fn create(&mut self, call: &Signed<'_>, resource: &Resource) -> Result<Success, Refusal> {
        if let Some(bucket) = &mut self.requests {
            if !bucket.has(1.0, call.now) {
                return Err(Refusal::throttled().because("the account's request rate is used up"));
            }
            bucket.take(1.0);
        }
        let distribution = call.authorize(resource, Operation::CreateInvalidation)?;
        let batch = Batch::read(call.body, call.options.poison)?;
        let existing = self.existing(call, distribution, &batch)?;
        let index = match existing {
            Some(index) => index,
            None => self.accept(call, distribution, batch)?,
        };
        let invalidation = &self.recorded[index];
        let id = invalidation.id.clone();
        // A new invalidation is in progress even where completion takes no time.
        let status = if existing.is_none() { IN_PROGRESS } else { call.status(invalidation) };
        let location = format!(
            "https://cloudfront.amazonaws.com/2020-05-31/{}/invalidation/{id}",
            resource.path()
        );
        Ok(Success {
            status: 201,
            location: Some(location),
            body: xml::invalidation(invalidation, status, &call.options.clock),
            reply: match existing {
                Some(_) => Reply::Replayed { id },
                None => Reply::Created { id },
            },
        })
    }

    /// The invalidation that a caller reference stands for already.
    fn existing(
        &mut self,
        call: &Signed<'_>,
        distribution: &DistributionId,
        batch: &Batch,
    ) -> Result<Option<usize>, Refusal> {
        let site = self.site(call, distribution);
        let Some(&index) = site.by_reference.get(&batch.caller_reference) else {
            return Ok(None);
        };
        let known: HashSet<&String> = self.recorded[index].items.iter().collect();
        let same = known == batch.items.iter().collect();
        match call.options.reused_reference {
            ReusedReference::AlreadyExists | ReusedReference::InvalidArgument if same => {
                Ok(Some(index))
            }
            ReusedReference::AlreadyExists => Err(Refusal::new(
                400,
                "InvalidationBatchAlreadyExists",
                "An invalidation batch with this caller reference and other paths exists already.",
            )),
            ReusedReference::InvalidArgument | ReusedReference::AlwaysInvalidArgument => {
                Err(Refusal::invalid_argument(
                    "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.",
                ))
            }
        }
    }

    /// Accepts a batch if the quotas let it in.
    fn accept(
        &mut self,
        call: &Signed<'_>,
        distribution: &DistributionId,
        batch: Batch,
    ) -> Result<usize, Refusal> {
        let &Signed { options, now, .. } = call;
        let index = self.recorded.len();
        let size = Size::of(&batch.items);
        let site = self.site(call, distribution);
        if let Some(quota) = options.in_progress {
            // https://github.com/laurilehmijoki/s3_website/issues/26
            let message = "Processing your request will cause you to exceed the maximum number of in-progress invalidations.";
            site.running.check(quota, size, now).map_err(|why| {
                Refusal::new(400, "TooManyInvalidationsInProgress", message).because(why)
            })?;
        }
        if site.allowance.as_mut().is_some_and(|allowance| !allowance.take(size, now)) {
            return Err(Refusal::throttled()
                .because("the distribution's allowance of items a second is used up"));
        }
        site.running.add(size, now + options.completion);
        site.invalidations.push(index);
        site.by_reference.insert(batch.caller_reference.clone(), index);
        let id = invalidation_id(options.seed, distribution, site.invalidations.len());
        self.recorded.push(Recorded {
            distribution: distribution.clone(),
            id,
            caller_reference: batch.caller_reference,
            items: batch.items,
            accepted_at: now,
            role: call.caller.role.clone(),
        });
        Ok(index)
    }

    fn get(
        &self,
        call: &Signed<'_>,
        distribution: &DistributionId,
        id: &str,
    ) -> Result<Success, Refusal> {
        let invalidation =
            self.of(distribution).find(|invalidation| invalidation.id == id).ok_or_else(|| {
                let message = "The specified invalidation does not exist.";
                Refusal::new(404, "NoSuchInvalidation", message)
                    .because(format!("`{id}` is unknown"))
            })?;
        let status = call.status(invalidation);
        Ok(Success::ok(xml::invalidation(invalidation, status, &call.options.clock)))
    }

    /// One page of a distribution's invalidations, newest first.
    fn list(
        &self,
        call: &Signed<'_>,
        distribution: &DistributionId,
        query: &ListQuery,
    ) -> Result<Success, Refusal> {
        let max_items = match query.max_items.as_deref().map(str::parse::<usize>) {
            None => MAX_LIST,
            Some(Ok(max)) if max > 0 => max.min(MAX_LIST),
            Some(_) => return Err(Refusal::invalid_argument("The parameter MaxItems is invalid.")),
        };
        let marker = query.marker.as_deref().unwrap_or_default();
        let mut rest = self.of(distribution).rev();
        if !marker.is_empty() && !rest.any(|invalidation| invalidation.id == marker) {
            return Err(Refusal::invalid_argument("The parameter Marker is invalid."));
        }
        let items = rest
            .by_ref()
            .take(max_items)
            .map(|invalidation| (invalidation, call.status(invalidation)))
            .collect();
        let page = Page { marker, max_items, items, truncated: rest.next().is_some() };
        Ok(Success::ok(xml::invalidation_list(&page, &call.options.clock)))
    }

    fn of(&self, distribution: &DistributionId) -> impl DoubleEndedIterator<Item = &Recorded> {
        let indices = self.sites.get(distribution).map_or(&[][..], |site| &site.invalidations);
        indices.iter().map(|&index| &self.recorded[index])
    }

    fn site(&mut self, call: &Signed<'_>, distribution: &DistributionId) -> &mut Site {
        let options = call.options;
        self.sites.entry(distribution.clone()).or_insert_with(|| Site {
            dice: fault::dice(options.seed, distribution),
            invalidations: Vec::new(),
            by_reference: HashMap::new(),
            running: Running::default(),
            allowance: options.per_second.map(Allowance::new),
        })
    }

    /// In the shape of a UUID, and numbered.
    fn request_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.calls.len() + 1)
    }
}

const IN_PROGRESS: &str = "InProgress";

/// `I` and 13 more, as CloudFront's ids look: six that differ between
/// distributions, and the number in its own.
fn invalidation_id(seed: u64, distribution: &DistributionId, number: usize) -> String {
    let mut dice = fault::dice(seed, distribution);
    let own: String = (0..6).map(|_| dice.alphanumeric().to_ascii_uppercase()).collect();
    format!("I{own}{number:07}")
}

fn body_too_large() -> Refusal {
    Refusal::new(413, "RequestEntityTooLarge", "The body is larger than any valid request's.")
}
