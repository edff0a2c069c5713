//! The flow from payload to answer: event → rules → plan → cloudfront → response.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    cloudfront::{CloudFront, Submission},
    distribution::Distribution,
    event::{self, Change, Kind, Payload, Unreadable},
    item::{Item, Unaddressable},
    plan::{ChangeStatus, Plan, Planner},
    response::{self, Answer, InvocationError},
    rules::{Decision, FALLBACK_TARGET, RuleSet},
};

/// The function, made once for all invocations of a process.
#[derive(Debug)]
pub struct Function {
    /// The rules, with the fallback.
    pub rules: RuleSet,
    pub cloudfront: CloudFront,
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
    /// A function that keeps no decisions.
    pub fn new(rules: RuleSet, cloudfront: CloudFront) -> Self {
        Self { rules, cloudfront, keep_decisions: false }
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
    ) -> Result<InvocationReport, Unreadable> {
        let payload = event::read(payload, request_id)?;
        let mut decisions = Vec::new();
        let plan = plan_with(&self.rules, &payload, |change, decision| {
            if self.keep_decisions {
                decisions.push(ChangeDecision::new(&self.rules, change, decision));
            }
        });
        let submission = self.cloudfront.submit(plan, &payload.deliveries, deadline).await;
        Ok(InvocationReport { payload, decisions, submission })
    }
}

impl InvocationReport {
    pub fn answer(&self) -> Result<Answer, InvocationError> {
        response::answer(&self.payload, &self.submission)
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
