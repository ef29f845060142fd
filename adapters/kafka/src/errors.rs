//! What an error of the client means to a caller: wait, give up, or publish again.

use oms_core::{
    broker::{BrokerError, Publish},
    id::Name,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// What errors and capabilities call this broker.
pub(crate) const NAME: &str = "kafka";

/// It will not change its mind.
pub(crate) fn refused(why: impl Into<String>) -> BrokerError {
    BrokerError::Refused { broker: NAME, why: why.into() }
}

/// It may come back.
pub(crate) fn unavailable(why: impl Into<String>) -> BrokerError {
    BrokerError::Unavailable { broker: NAME, source: why.into().into() }
}

/// This process has shut it down.
pub(crate) fn closed() -> BrokerError {
    BrokerError::Closed { broker: NAME }
}

/// What to do about a code that waiting does not cure; `None` for all others.
pub(crate) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Authentication | Code::SaslAuthenticationFailed => "check user, password and mechanism",
        Code::UnsupportedSASLMechanism | Code::IllegalSASLState => {
            "the broker does not offer this SASL mechanism; choose another"
        }
        Code::TopicAuthorizationFailed => {
            "allow this user Create, Describe, DescribeConfigs, Read and Write on the topics that start with the prefix"
        }
        Code::GroupAuthorizationFailed => {
            "allow this user Describe and Read on the groups that start with the prefix"
        }
        Code::ClusterAuthorizationFailed => "allow this user Create and IdempotentWrite on the cluster",
        Code::UnsupportedVersion | Code::UnsupportedFeature => {
            "the broker is too old or too new for this client; use Kafka 2.1 or later"
        }
        Code::InvalidReplicationFactor => "the cluster has fewer brokers than copies are asked for",
        Code::PolicyViolation => "a policy of the cluster forbids it; change the policy or the options",
        Code::InvalidTopic => {
            "the broker takes no such name; topics have up to 249 letters, digits, dots, _ and -"
        }
        Code::InvalidConfig => "the broker takes no such setting of a topic",
        Code::IllegalGeneration | Code::UnknownMemberId => {
            "another program has joined this consumer group; give it a group of its own"
        }
        _ => return None,
    })
}

/// Sorts what a call of the client said while `doing` something.
pub(crate) fn sort(error: &KafkaError, doing: &str) -> BrokerError {
    if let KafkaError::ClientConfig(_, what, name, _) = error {
        return refused(format!("the client does not take the option {name}: {what}"));
    }
    if let KafkaError::ClientCreation(what) = error {
        return refused(format!("the client cannot be made of these options: {what}"));
    }
    match error.rdkafka_error_code() {
        Some(code) => sort_code(code, doing),
        None => unavailable(format!("{doing}: {error}")),
    }
}

/// Sorts a code that came while `doing` something.
pub(crate) fn sort_code(code: Code, doing: &str) -> BrokerError {
    match advice(code) {
        Some(advice) => refused(format!("{doing}: {code}; {advice}")),
        None => unavailable(format!("{doing}: {code}")),
    }
}

/// What became of a pack, when the client reports this.
pub(crate) fn outcome(code: Code) -> Publish {
    let rejected = |for_good, why: String| Publish::Rejected { for_good, why: Name::from(why) };
    match code {
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidMessage | Code::InvalidRecord => {
            rejected(true, format!("{code}; split the pack, or raise max.message.bytes of the topic"))
        }
        Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition | Code::InvalidTopic => {
            rejected(true, format!("unroutable: {code}; declare the topic first"))
        }
        // Surely not stored.
        Code::NotEnoughReplicas | Code::QueueFull | Code::PurgeQueue => {
            rejected(false, format!("{code}; wait"))
        }
        other => match advice(other) {
            Some(advice) => rejected(false, format!("{other}; {advice}")),
            None => Publish::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_unknown_and_a_wrong_password_is_terminal() {
        assert_eq!(outcome(Code::MessageTimedOut), Publish::Unknown);
        assert_eq!(outcome(Code::PurgeInflight), Publish::Unknown);
        assert!(matches!(outcome(Code::MessageSizeTooLarge), Publish::Rejected { for_good: true, .. }));
        assert!(matches!(outcome(Code::NotEnoughReplicas), Publish::Rejected { for_good: false, .. }));
        assert!(matches!(outcome(Code::TopicAuthorizationFailed), Publish::Rejected { for_good: false, .. }));
        assert!(matches!(sort_code(Code::Authentication, "connecting"), BrokerError::Refused { .. }));
        assert!(matches!(sort_code(Code::AllBrokersDown, "connecting"), BrokerError::Unavailable { .. }));
    }
}
