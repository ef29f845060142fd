//! The no to a request.

/// Why a request is refused, in words for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order cannot be cancelled: {}", .reasons.join(", "))]
pub struct Refusal {
    /// At least one reason.
    pub reasons: Vec<String>,
}
