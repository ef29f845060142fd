//! Models without their types, as those hold them who keep them.

use super::{
    contract::Model,
    subject::{Folded, Subject},
};
use crate::id::Name;
use std::sync::Arc;

/// A [`Model`] as the worker and the rebuild hold it: without its types.
pub trait Projection: Send + Sync {
    /// See [`Model::NAME`].
    fn name(&self) -> &'static str;

    /// See [`Model::SHAPE`].
    fn shape(&self) -> u32;

    /// See [`Model::KINDS`].
    fn kinds(&self) -> &'static [&'static str];

    /// See [`Model::GROUPS`].
    fn groups(&self) -> &'static [&'static str];

    /// A subject of which nothing was heard.
    fn begin(&self, id: &Name) -> Box<dyn Subject>;

    /// A subject as its row says.
    ///
    /// # Errors
    /// When the row cannot be read: the model must be built anew.
    fn resume(&self, id: &Name, body: &[u8]) -> Result<Box<dyn Subject>, serde_json::Error>;
}

/// Makes a [`Projection`] of a [`Model`].
pub struct Fold<M>(Arc<M>);

impl<M: Model> Fold<M> {
    /// Wraps a model.
    #[must_use]
    pub fn of(model: M) -> Self {
        Self(Arc::new(model))
    }
}

impl<M: Model> Projection for Fold<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn shape(&self) -> u32 {
        M::SHAPE
    }

    fn kinds(&self) -> &'static [&'static str] {
        M::KINDS
    }

    fn groups(&self) -> &'static [&'static str] {
        M::GROUPS
    }

    fn begin(&self, id: &Name) -> Box<dyn Subject> {
        Box::new(Folded::new(Arc::clone(&self.0), Name::clone(id)))
    }

    fn resume(&self, id: &Name, body: &[u8]) -> Result<Box<dyn Subject>, serde_json::Error> {
        Ok(Box::new(Folded::read(Arc::clone(&self.0), Name::clone(id), body)?))
    }
}
