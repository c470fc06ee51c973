//! The report of an incident.
pub(crate) mod html;
