//! What files hold that were run.

use lanner_core::event::{BootTime, Digest, Sha256};

use super::Refused;
use crate::v1;

impl From<&Digest> for v1::Digest {
    fn from(digest: &Digest) -> Self {
        v1::Digest { file: Some((&digest.file).into()), since: digest.since.0, sha256: digest.sha256.0.to_vec() }
    }
}

impl TryFrom<v1::Digest> for Digest {
    type Error = Refused;

    fn try_from(digest: v1::Digest) -> Result<Self, Refused> {
        Ok(Digest {
            file: digest.file.ok_or(Refused::Malformed("file"))?.try_into()?,
            since: BootTime(digest.since),
            sha256: Sha256(digest.sha256.try_into().map_err(|_| Refused::Malformed("sha256"))?),
        })
    }
}
