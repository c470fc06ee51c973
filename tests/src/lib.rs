//! Lanner's end-to-end tests live in `tests/tests`, one file a promise. There is no library here.
