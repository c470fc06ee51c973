//! Falco's condition language: parse, check against the fields that events have, compile, evaluate.
