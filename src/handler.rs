//! The flow from payload to answer: event → rules → plan → cloudfront → response.
//! A drain request takes the same way with the messages of the queue.

use std::{mem, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    cloudfront::{CloudFront, MARGIN, Submission, keep},
    distribution::Distribution,
    event::{self, Change, Kind, Payload, PayloadSource},
    item::{Item, Unaddressable},
    plan::{ChangeStatus, Plan, Planner},
    queue::{DrainCounts, DrainRequest, Queue, QueueError},
    response::{self, Answer, InvocationError},
    rules::{Decision, FALLBACK_TARGET, RuleSet},
};

/// The time kept for deleting and releasing the messages of a drain, at most a
/// quarter of what is left: 50,000 messages are 5,000 calls.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// The function, made once for all invocations of a process.
#[derive(Debug)]
pub struct Function {
    /// The rules, with the fallback.
    pub rules: Arc<RuleSet>,
    pub cloudfront: CloudFront,
    /// The queue that a drain request reads.
    pub queue: Option<Queue>,
    /// Whether reports have decisions, which take memory for every change.
    pub keep_decisions: bool,
}

/// What one invocation read, decided and submitted.
#[derive(Debug)]
pub struct InvocationReport {
    pub payload: Payload,
    /// What the rules decided, for every distinct change; empty unless
    /// [`Function::keep_decisions`] is set.
    pub decisions: Vec<ChangeDecision>,
    /// The submitted plan.
    pub submission: Submission,
    /// What became of the messages of a drain.
    pub drained: Option<DrainCounts>,
}

/// What the rules decided about one change.
#[derive(Debug)]
pub struct ChangeDecision {
    pub bucket: Arc<str>,
    pub key: String,
    pub kind: Kind,
    pub status: ChangeStatus,
    /// The items to invalidate, before the plan merges them.
    pub items: Vec<DecidedItem>,
}

/// An item that a rule made of a change.
#[derive(Debug)]
pub struct DecidedItem {
    /// The name of the rule, or `DistributionId` for the fallback.
    pub rule: String,
    pub target: Arc<str>,
    pub distribution: Distribution,
    /// The item, or why there is none.
    pub item: Result<Item, Unaddressable>,
}

impl Function {
    /// A function without a queue that keeps no decisions.
    pub fn new(rules: impl Into<Arc<RuleSet>>, cloudfront: CloudFront) -> Self {
        Self { rules: rules.into(), cloudfront, queue: None, keep_decisions: false }
    }

    /// Handles one payload. Items that are not accepted shortly before the
    /// deadline are reported as to be retried.
    ///
    /// `request_id` identifies changes of a direct payload that have no id of
    /// their own.
    pub async fn handle(
        &self,
        payload: &[u8],
        request_id: &str,
        deadline: Instant,
    ) -> Result<InvocationReport, InvocationError> {
        match DrainRequest::parse(payload) {
            Some(request) => self.drain(request?, deadline).await,
            None => Ok(self.process(event::read(payload, request_id)?, deadline).await),
        }
    }

    async fn drain(
        &self,
        request: DrainRequest,
        deadline: Instant,
    ) -> Result<InvocationReport, InvocationError> {
        let queue = self.queue.as_ref().ok_or(QueueError::NotSet)?;
        let mut received = queue.receive(request, deadline).await?;
        let deliveries = mem::take(&mut received.deliveries);
        let payload = Payload { source: PayloadSource::Drain, deliveries };
        let report = self.process(payload, keep(SETTLE_TIME, deadline)).await;
        let deliveries = &report.payload.deliveries;
        let needs_redelivery = &report.submission.needs_redelivery;
        let until = keep(MARGIN, deadline);
        let counts = queue.settle(received.receipts, deliveries, needs_redelivery, until).await;
        Ok(InvocationReport { drained: Some(counts), ..report })
    }

    async fn process(&self, payload: Payload, deadline: Instant) -> InvocationReport {
        let mut decisions = Vec::new();
        let plan = plan_with(&self.rules, &payload, |change, decision| {
            if self.keep_decisions {
                decisions.push(ChangeDecision::new(&self.rules, change, decision));
            }
        });
        let submission = self.cloudfront.submit(plan, &payload.deliveries, deadline).await;
        InvocationReport { payload, decisions, submission, drained: None }
    }
}

impl InvocationReport {
    pub fn answer(&self) -> Result<Answer, InvocationError> {
        response::answer(&self.payload, &self.submission, self.drained)
    }
}

/// Plans the changes of a payload.
pub fn plan(rules: &RuleSet, payload: &Payload) -> Plan {
    plan_with(rules, payload, |_, _| {})
}

/// Plans the changes of a payload, and passes each distinct change with its
/// decision to `observe`.
fn plan_with(
    rules: &RuleSet,
    payload: &Payload,
    mut observe: impl FnMut(&Change, &Decision),
) -> Plan {
    let mut planner = Planner::new(rules.targets());
    for (delivery, index) in payload.deliveries.iter().zip(0_u32..) {
        for change in &delivery.changes {
            let decision = rules.route(change);
            if planner.add(change, index, &decision) {
                observe(change, &decision);
            }
        }
    }
    planner.finish()
}

impl ChangeDecision {
    fn new(rules: &RuleSet, change: &Change, decision: &Decision) -> Self {
        let items = decision.contributions.iter().map(|contribution| {
            let target = rules.target(contribution.target);
            let rule = contribution.rule.as_deref().unwrap_or(FALLBACK_TARGET);
            DecidedItem {
                rule: rule.to_owned(),
                target: target.name.clone(),
                distribution: target.distribution.clone(),
                item: contribution.item.clone().map(|addressed| addressed.item),
            }
        });
        Self {
            bucket: change.bucket.clone(),
            key: change.key.clone(),
            kind: change.kind,
            status: ChangeStatus::of(decision),
            items: items.collect(),
        }
    }
}
