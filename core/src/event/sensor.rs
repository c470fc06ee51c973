//! What the sensor says about itself.

/// Events were lost. They were counted, so that what is missing is known exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Why.
    pub cause: LossCause,
    /// How many events since the last such report.
    pub count: u64,
}

/// Why an event did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossCause {
    /// The kernel's ring buffer was full.
    RingFull,
    /// An in-kernel map was full, so that an event had no context and was dropped.
    MapFull,
    /// The kernel skipped an in-kernel program, for it would have interrupted itself or another. At most as many events as
    /// this are missing: not every run tells of one.
    Skipped,
    /// A record did not decode.
    Undecodable,
    /// This client was too slow, and its oldest events were dropped.
    SlowClient,
    /// A recording is damaged or was cut short.
    Recording,
    /// Of a kind that this version does not know.
    UnknownKind,
}

impl LossCause {
    /// All causes, in the order in which they are shown.
    pub const ALL: [LossCause; 7] = [
        LossCause::RingFull,
        LossCause::MapFull,
        LossCause::Skipped,
        LossCause::Undecodable,
        LossCause::SlowClient,
        LossCause::Recording,
        LossCause::UnknownKind,
    ];

    /// In words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            LossCause::RingFull => "the kernel's ring buffer was full",
            LossCause::MapFull => "an in-kernel map was full",
            LossCause::Skipped => "the kernel skipped a program, lest it interrupt another",
            LossCause::Undecodable => "a record did not decode",
            LossCause::SlowClient => "this client was too slow",
            LossCause::Recording => "the recording is damaged or was cut short",
            LossCause::UnknownKind => "the event is of a kind that this version does not know",
        }
    }
}
