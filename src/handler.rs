//! The line from payload to answer: event → rules → plan → cloudfront → response.

use tokio::time::Instant;

use crate::{
    cloudfront::{CloudFront, Submission},
    event::{self, Payload, Unreadable},
    plan::{Plan, PlanOptions, Planner},
    response::{self, Answer, Error},
    rules::RuleSet,
};

/// What is made once and serves every invocation.
#[derive(Debug)]
pub struct Function {
    /// The rules, with the fallback.
    pub rules: RuleSet,
    /// The edge.
    pub cloudfront: CloudFront,
}

/// All that is known of one invocation.
#[derive(Debug)]
pub struct Report {
    /// What came.
    pub payload: Payload,
    /// What was to be done.
    pub plan: Plan,
    /// What became of it.
    pub submission: Submission,
}

impl Function {
    /// Handles one payload and answers in time: what is not accepted shortly
    /// before the deadline is reported as to be retried.
    ///
    /// `request_id` tells one invocation of a direct payload from another when
    /// its events carry no id of their own.
    pub async fn handle(
        &self,
        payload: &[u8],
        request_id: &str,
        deadline: Instant,
    ) -> Result<Report, Unreadable> {
        let payload = event::read(payload, request_id)?;
        let plan = plan(&self.rules, &payload);
        let submission = self.cloudfront.submit(&plan, &payload.deliveries, deadline).await;
        Ok(Report { payload, plan, submission })
    }
}

impl Report {
    /// The answer to the caller.
    pub fn answer(&self) -> Result<Answer, Error> {
        response::answer(&self.payload, &self.plan, &self.submission)
    }
}

/// What a payload asks for: rules, then plan.
pub fn plan(rules: &RuleSet, payload: &Payload) -> Plan {
    let mut planner = Planner::new(rules.targets(), PlanOptions::default());
    for (delivery, place) in payload.deliveries.iter().zip(0_u32..) {
        for change in &delivery.changes {
            planner.add(change, place, || rules.route(change));
        }
    }
    planner.finish()
}
