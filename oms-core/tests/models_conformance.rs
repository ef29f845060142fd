//! Read models in memory against the suite, one line for each check.
#![cfg(feature = "conformance")]

use futures::FutureExt;
use oms_core::{
    conformance::models::{Harness, run},
    projection::model::{MemoryModels, ReadModels},
    store::StoreError,
};
use std::sync::Arc;

struct Memory;

#[async_trait::async_trait]
impl Harness for Memory {
    async fn fresh(&self) -> Result<Arc<dyn ReadModels>, StoreError> {
        Ok(Arc::<MemoryModels>::default())
    }

    async fn reopen(&self, models: Arc<dyn ReadModels>) -> Result<Arc<dyn ReadModels>, StoreError> {
        Ok(models)
    }
}

#[test]
fn read_models_in_memory_keep_every_sentence_of_the_contract() {
    let report = run(&Memory).now_or_never();
    let failed = report.as_ref().map(|report| report.failed().count());
    assert_eq!(failed, Some(0), "{}", report.map(|report| report.to_string()).unwrap_or_default());
}
