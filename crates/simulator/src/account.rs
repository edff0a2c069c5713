//! The state of the simulated AWS account.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, SystemTime},
};

use hyper::{
    Request, Response,
    body::Bytes,
    header::{CONTENT_TYPE, LOCATION},
};

use super::{
    Call, CallOutcome, Fault, Operation, Recorded, ReusedReference, SimulatorOptions,
    batch::ValidBatch,
    caller::Caller,
    fault,
    quota::{Allowance, ItemCounts, Running, TokenBucket},
    refusal::Refusal,
    route::{Resource, Route},
    sts::{self, RoleSession},
    xml,
};

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) calls: Vec<Call>,
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) scripted: VecDeque<Fault>,
    distributions: HashMap<String, DistributionState>,
    sessions: Vec<RoleSession>,
    request_rate: Option<TokenBucket>,
}

/// The state of one distribution or tenant.
#[derive(Debug)]
struct DistributionState {
    rng: fastrand::Rng,
    /// Its invalidations by caller reference, as indices of
    /// [`Account::recorded`].
    by_reference: HashMap<String, usize>,
    running: Running,
    allowance: Option<Allowance>,
}

/// A signed call.
struct SignedCall<'a> {
    options: &'a SimulatorOptions,
    now: Duration,
    started_at: SystemTime,
    caller: Caller,
    body: &'a str,
}

/// A call that succeeded.
struct Success {
    outcome: CallOutcome,
    status: u16,
    location: Option<String>,
    body: String,
    /// How much longer than others the response takes.
    delay: Duration,
}

impl Success {
    fn ok(body: String) -> Self {
        Self {
            outcome: CallOutcome::Answered,
            status: 200,
            location: None,
            body,
            delay: Duration::ZERO,
        }
    }
}

impl Account {
    pub(crate) fn new(options: &SimulatorOptions) -> Self {
        Self {
            calls: Vec::new(),
            recorded: Vec::new(),
            scripted: VecDeque::new(),
            distributions: HashMap::new(),
            sessions: Vec::new(),
            request_rate: options.request_rate.map(TokenBucket::of_requests),
        }
    }

    /// Answers a request and records it; `None` cuts the connection.
    pub(crate) fn respond(
        &mut self,
        options: &SimulatorOptions,
        now: Duration,
        started_at: SystemTime,
        request: &Request<Bytes>,
    ) -> (Option<Response<Bytes>>, Duration) {
        let body = String::from_utf8_lossy(request.body());
        let mut operation = Operation::Unknown;
        let result = Route::of(request).and_then(|route| {
            operation = route.operation();
            let caller = Caller::of(request.headers(), operation, &self.sessions, now)?;
            self.serve(&route, &SignedCall { options, now, started_at, caller, body: &body })
        });
        let success = result.unwrap_or_else(|refusal| {
            let is_sts = operation == Operation::AssumeRole;
            let namespace = if is_sts { xml::STS } else { xml::CLOUDFRONT };
            let body = xml::error(namespace, &refusal);
            let Refusal { status, code, message, why } = refusal;
            let (code, message) = (code.to_owned(), message.into_owned());
            let outcome = CallOutcome::Refused { status, code, message, why };
            Success { outcome, status, ..Success::ok(body) }
        });
        let Success { outcome, status, location, body: response, delay } = success;
        let is_cut = matches!(outcome, CallOutcome::DroppedBefore | CallOutcome::DroppedAfter(_));
        self.calls.push(Call {
            at: now,
            operation,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            body: body.into_owned(),
            outcome,
        });
        let request_id = format!("00000000-0000-4000-8000-{:012}", self.calls.len());
        let mut builder = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, "text/xml")
            .header("x-amzn-requestid", request_id);
        if let Some(location) = location {
            builder = builder.header(LOCATION, location);
        }
        let response =
            builder.body(Bytes::from(response)).expect("well-formed ids are valid headers");
        ((!is_cut).then_some(response), delay)
    }

    fn serve(&mut self, route: &Route, call: &SignedCall<'_>) -> Result<Success, Refusal> {
        match route {
            Route::Create(resource) => {
                let fault = self.fault(call, resource);
                match fault.as_ref().and_then(Fault::refusal) {
                    Some(refusal) => Err(refusal),
                    None if fault == Some(Fault::DropBefore) => {
                        let outcome = CallOutcome::DroppedBefore;
                        Ok(Success { outcome, ..Success::ok(String::new()) })
                    }
                    None => self.create(call, resource, fault.as_ref()),
                }
            }
            Route::Get(resource, id) => {
                call.authorize(resource, route.operation())?;
                let mut invalidations = self.invalidations_of(resource);
                let found = invalidations.find(|invalidation| invalidation.id == *id);
                let invalidation = found.ok_or_else(|| {
                    let message = "The specified invalidation does not exist.";
                    Refusal::new(404, "NoSuchInvalidation", message)
                })?;
                let (status, created) = call.status(invalidation);
                Ok(Success::ok(xml::invalidation(invalidation, status, created)))
            }
            Route::List(resource) => {
                call.authorize(resource, route.operation())?;
                let newest_first = self.invalidations_of(resource).rev().map(|invalidation| {
                    let (status, created) = call.status(invalidation);
                    (invalidation, status, created)
                });
                Ok(Success::ok(xml::invalidation_list(&newest_first.collect::<Vec<_>>())))
            }
            Route::AssumeRole => {
                let (roles, sessions) = (&call.options.roles, &mut self.sessions);
                let session = sts::assume_role(call.body, &call.caller, roles, sessions, call.now)?;
                Ok(Success::ok(xml::assumed_role(&session, call.started_at + session.expires_at)))
            }
        }
    }

    fn fault(&mut self, call: &SignedCall<'_>, resource: &Resource) -> Option<Fault> {
        // Scripted faults do not change the random ones that follow.
        let rng = &mut self.state(call, resource).rng;
        let random = call.options.faults.roll(rng);
        self.scripted.pop_front().or(random)
    }

    fn create(
        &mut self,
        call: &SignedCall<'_>,
        resource: &Resource,
        fault: Option<&Fault>,
    ) -> Result<Success, Refusal> {
        if let Some(bucket) = &mut self.request_rate {
            if !bucket.has(1.0, call.now) {
                return Err(Refusal::throttled().because("the account's request rate is used up"));
            }
            bucket.take(1.0);
        }
        call.authorize(resource, Operation::CreateInvalidation)?;
        let batch = ValidBatch::parse(call.body, call.options.poison)?;
        let existing = self.existing(call, resource, &batch)?;
        let index = match existing {
            Some(index) => index,
            None => self.accept(call, resource, batch)?,
        };
        let invalidation = &self.recorded[index];
        let (status, created) = call.status(invalidation);
        // A new invalidation is in progress even if completion takes no time.
        let status = if existing.is_none() { IN_PROGRESS } else { status };
        let id = invalidation.id.clone();
        let url = "https://cloudfront.amazonaws.com/2020-05-31";
        Ok(Success {
            status: 201,
            location: Some(format!("{url}/{}/invalidation/{id}", resource.path())),
            body: xml::invalidation(invalidation, status, created),
            outcome: match existing {
                _ if fault == Some(&Fault::DropAfter) => CallOutcome::DroppedAfter(id),
                Some(_) => CallOutcome::Replayed(id),
                None => CallOutcome::Created(id),
            },
            delay: if fault == Some(&Fault::Slow) { Fault::SLOW } else { Duration::ZERO },
        })
    }

    /// Returns the invalidation with the caller reference of a batch.
    fn existing(
        &mut self,
        call: &SignedCall<'_>,
        resource: &Resource,
        batch: &ValidBatch,
    ) -> Result<Option<usize>, Refusal> {
        let state = self.state(call, resource);
        let Some(&index) = state.by_reference.get(&batch.caller_reference) else {
            return Ok(None);
        };
        let known: HashSet<&String> = self.recorded[index].items.iter().collect();
        let is_same = known == batch.items.iter().collect();
        match call.options.reused_reference {
            ReusedReference::AlreadyExists | ReusedReference::InvalidArgument if is_same => {
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

    /// Records a batch if it fits in the quotas; returns its index.
    fn accept(
        &mut self,
        call: &SignedCall<'_>,
        resource: &Resource,
        batch: ValidBatch,
    ) -> Result<usize, Refusal> {
        let &SignedCall { options, now, .. } = call;
        let index = self.recorded.len();
        let counts = ItemCounts::of(&batch.items);
        let state = self.state(call, resource);
        if let Some(quota) = options.in_progress {
            // https://github.com/laurilehmijoki/s3_website/issues/26
            let message = "Processing your request will cause you to exceed the maximum number of in-progress invalidations.";
            state.running.check(quota, counts, now).map_err(|why| {
                Refusal::new(400, "TooManyInvalidationsInProgress", message).because(why)
            })?;
        }
        if state.allowance.as_mut().is_some_and(|allowance| !allowance.take(counts, now)) {
            return Err(Refusal::throttled()
                .because("the distribution's quota of items per second is used up"));
        }
        state.running.add(counts, now + options.completion);
        state.by_reference.insert(batch.caller_reference.clone(), index);
        let id = invalidation_id(options.seed, &resource.id, state.by_reference.len());
        self.recorded.push(Recorded {
            distribution: resource.id.clone(),
            id,
            caller_reference: batch.caller_reference,
            items: batch.items,
            accepted_at: now,
            role: call.caller.role.clone(),
        });
        Ok(index)
    }

    fn invalidations_of(&self, resource: &Resource) -> impl DoubleEndedIterator<Item = &Recorded> {
        self.recorded.iter().filter(move |invalidation| invalidation.distribution == resource.id)
    }

    fn state(&mut self, call: &SignedCall<'_>, resource: &Resource) -> &mut DistributionState {
        let options = call.options;
        self.distributions.entry(resource.id.clone()).or_insert_with(|| DistributionState {
            rng: fault::rng(options.seed, &resource.id),
            by_reference: HashMap::new(),
            running: Running::default(),
            allowance: options.per_second.map(Allowance::new),
        })
    }
}

impl SignedCall<'_> {
    /// Checks that the caller may use a distribution, and that it exists.
    fn authorize(&self, resource: &Resource, operation: Operation) -> Result<(), Refusal> {
        let Resource { id, .. } = resource;
        let SimulatorOptions { roles, denied, denied_until, known, .. } = self.options;
        let mut grants = roles.iter().filter(|role| role.distributions.contains(id));
        let is_allowed = match &self.caller.role {
            None => grants.next().is_none(),
            Some(role) => grants.any(|grant| grant.arn == *role),
        };
        if !is_allowed || (denied.contains(id) && self.now < *denied_until) {
            let action = resource.action(operation);
            return Err(Refusal::access_denied(&self.caller.arn, &action, &resource.arn()));
        }
        let is_known = known.as_ref().is_none_or(|known| known.contains(id));
        if resource.is_well_formed() && is_known { Ok(()) } else { Err(resource.not_found()) }
    }

    /// The status and the creation time of an invalidation.
    fn status(&self, invalidation: &Recorded) -> (&'static str, SystemTime) {
        let is_completed = invalidation.accepted_at + self.options.completion <= self.now;
        let status = if is_completed { "Completed" } else { IN_PROGRESS };
        (status, self.started_at + invalidation.accepted_at)
    }
}

const IN_PROGRESS: &str = "InProgress";

/// An id like CloudFront's, of 14 characters: `I`, six characters that differ
/// between distributions, and a serial number.
fn invalidation_id(seed: u64, distribution: &str, number: usize) -> String {
    let mut rng = fault::rng(seed, distribution);
    let prefix: String = (0..6).map(|_| rng.alphanumeric().to_ascii_uppercase()).collect();
    format!("I{prefix}{number:07}")
}
