use tokio::time::Instant;

use super::{Expected, Message, Process, sqs_event};
use s3_cloudfront_invalidator::{
    event,
    handler::{Function, plan},
    response::Answer,
    rules::RuleSet,
};

/// The function as Lambda runs it on a queue with `ReportBatchItemFailures`.
impl Process for Function {
    async fn invoke(&self, messages: &[Message], deadline: Instant) -> Result<Vec<String>, String> {
        let payload = sqs_event(messages);
        let report = self
            .handle(payload.as_bytes(), "chaos", deadline)
            .await
            .map_err(|error| error.to_string())?;
        match report.answer().map_err(|error| error.to_string())? {
            Answer::Queue(answer) => {
                let failures = answer.batch_item_failures.into_iter();
                Ok(failures.map(|failure| failure.item_identifier).collect())
            }
            Answer::Summary(_) => Ok(Vec::new()),
        }
    }
}

/// What each message asks for by itself. What no item can be sent for, and
/// what cannot be read, asks for nothing.
pub fn expected(rules: &RuleSet, messages: &[Message]) -> Vec<Expected> {
    let mut expected = Vec::new();
    for message in messages {
        let payload = sqs_event(std::slice::from_ref(message));
        let Ok(payload) = event::read(payload.as_bytes(), "chaos") else { continue };
        for part in plan(rules, &payload).distributions {
            for item in part.requests.into_iter().flat_map(|request| request.items) {
                expected.push(Expected {
                    message: message.id.clone(),
                    sent_at: message.sent_at,
                    distribution: part.distribution.id.clone(),
                    item: item.item,
                });
            }
        }
    }
    expected
}
