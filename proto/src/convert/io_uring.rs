//! io_uring.

use lanner_core::event::{UringOp, UringOperation, UringSetup};

use super::{Refused, bytes, optional};
use crate::v1;

impl From<&UringSetup> for v1::UringSetup {
    fn from(setup: &UringSetup) -> Self {
        v1::UringSetup { fd: setup.fd, entries: setup.entries, flags: setup.flags }
    }
}

impl From<v1::UringSetup> for UringSetup {
    fn from(setup: v1::UringSetup) -> Self {
        UringSetup { fd: setup.fd, entries: setup.entries, flags: setup.flags }
    }
}

impl From<&UringOp> for v1::UringOp {
    fn from(op: &UringOp) -> Self {
        v1::UringOp {
            operation: op.operation.0.into(),
            path: op.path.as_ref().map(bytes),
            second: op.second.as_ref().map(bytes),
        }
    }
}

impl TryFrom<v1::UringOp> for UringOp {
    type Error = Refused;

    fn try_from(op: v1::UringOp) -> Result<Self, Refused> {
        Ok(UringOp {
            operation: UringOperation(u8::try_from(op.operation).map_err(|_| Refused::Malformed("operation"))?),
            path: optional(op.path, "path")?,
            second: optional(op.second, "second")?,
        })
    }
}
